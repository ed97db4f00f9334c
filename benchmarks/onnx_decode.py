"""Reading and writing speed of the onnx model on a 0.5B shape, beside onnxruntime-genai on the same files and the memory's own speed.

`python -m benchmarks.onnx_decode [--precision int4|fp32] [--threads N]`. The model has random weights; it is made once in
TARS_BENCH_DATA (0.9 GB in int4, of which a token reads 0.3). Both runtimes take turns, each in a process of its own, and the
memory is read in between. On a machine that others use as well a median tells mostly of them: so beside the median of all steps
there is the time that the fastest tenth of them kept within, for both runtimes and for the memory, and ratios are of these.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(os.environ.get("TARS_BENCH_DATA", Path(tempfile.gettempdir()) / "tars-bench"))
PROMPT = 512
REPLY = 48
ROUNDS = 3
BANDWIDTH_BYTES = 256 * 1_048_576


def made(precision: str) -> Path:
    """The model's folder, as both runtimes read it."""
    from training.onnx_shapes import QWEN_05B, save, weights_of

    folder = DATA / f"qwen2-0.5b-{precision}"
    if not (folder / "ready").exists():
        print(f"making {folder} …", flush=True)
        (graph,) = save(folder, QWEN_05B, weights_of(QWEN_05B), "fused", "int4" if precision == "int4" else "fp32")
        (folder / "tokenizer.json").write_text("{}")
        (folder / "genai_config.json").write_text(json.dumps(genai_config(graph.relative_to(folder)), indent=2))
        (folder / "ready").write_text("")
    return folder


def genai_config(graph: Path) -> dict[str, object]:
    """How onnxruntime-genai is told what the graph is."""
    from training.onnx_shapes import QWEN_05B as SHAPE

    decoder = {
        "session_options": {"log_id": "bench", "provider_options": []},
        "filename": graph.as_posix(),
        "head_size": SHAPE.head_dim,
        "hidden_size": SHAPE.hidden,
        "num_attention_heads": SHAPE.heads,
        "num_key_value_heads": SHAPE.kv_heads,
        "num_hidden_layers": SHAPE.layers,
        "inputs": {
            "input_ids": "input_ids",
            "attention_mask": "attention_mask",
            "past_key_names": "past_key_values.%d.key",
            "past_value_names": "past_key_values.%d.value",
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
    }
    model = {
        "type": "qwen2",
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
        "vocab_size": SHAPE.vocab,
        "context_length": 4096,
        "decoder": decoder,
    }
    search = {"do_sample": False, "max_length": 4096, "num_beams": 1, "past_present_share_buffer": True}
    return {"model": model, "search": search}


def prompt_tokens() -> list[int]:
    """The same for both."""
    return [int(n) for n in np.random.default_rng(7).integers(3, 150_000, PROMPT)]


def ours(folder: Path, threads: int) -> dict[str, object]:
    """Load, read, write with TARS' own decoder."""
    from synth.models.onnx_decoder import Decoder, peak_mb
    from synth.models.onnx_folder import folder_of

    began = time.perf_counter()
    decoder = Decoder(folder_of(folder), threads)
    loaded = time.perf_counter()
    tokens = prompt_tokens()
    decoder.begin(tokens[:8]).step([[5]])  # the first run of a session is no measure
    reads: list[float] = []
    steps: list[float] = []
    said: list[int] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run = decoder.begin(tokens, REPLY)
        reads.append(time.perf_counter() - start)
        said = []
        for _step in range(REPLY):
            start = time.perf_counter()
            said.append(int(run.logits[0].argmax()))
            run.step([[said[-1]]])
            steps.append(time.perf_counter() - start)
    return _figures(loaded - began, reads, steps, peak_mb(), said)


def genai(folder: Path, threads: int) -> dict[str, object]:
    """The same with onnxruntime-genai."""
    from synth.models.onnx_decoder import peak_mb

    og: Any = importlib.import_module("onnxruntime_genai")
    began = time.perf_counter()
    config = og.Config(str(folder))
    config.overlay(
        json.dumps(
            {"model": {"decoder": {"session_options": {"intra_op_num_threads": threads, "inter_op_num_threads": 1}}}}
        )
    )
    model = og.Model(config)
    loaded = time.perf_counter()
    tokens = prompt_tokens()
    reads: list[float] = []
    steps: list[float] = []
    said: list[int] = []
    for number in range(ROUNDS + 1):
        params = og.GeneratorParams(model)
        params.set_search_options(max_length=PROMPT + REPLY + 2, do_sample=False)
        generator = og.Generator(model, params)
        start = time.perf_counter()
        generator.append_tokens(tokens if number else tokens[:8])
        if number:  # the first run of a session is no measure
            reads.append(time.perf_counter() - start)
        for step in range(REPLY if number else 2):
            start = time.perf_counter()
            generator.generate_next_token()
            if number and step:  # the first token comes of the prompt's own logits, without a run
                steps.append(time.perf_counter() - start)
        if number:
            said = [int(t) for t in generator.get_sequence(0)[PROMPT : PROMPT + REPLY]]
        del generator
    return _figures(loaded - began, reads, steps, peak_mb(), said)


def _figures(load: float, reads: list[float], steps: list[float], peak: float, said: list[int]) -> dict[str, object]:
    return {
        "load_seconds": load,
        "prefill": PROMPT / min(reads),
        "prefill_median": PROMPT / statistics.median(reads),
        "decode": 1 / float(np.quantile(steps, 0.1)),
        "decode_median": 1 / statistics.median(steps),
        "peak_mb": peak,
        "said": said,
    }


def bandwidth(folder: Path, threads: int) -> dict[str, object]:
    """Bytes a second that so many threads read from memory together, by summing an array larger than any cache."""
    from concurrent.futures import ThreadPoolExecutor

    whole = np.ones(BANDWIDTH_BYTES // 8, dtype=np.float64)
    parts = np.array_split(whole, threads)
    rates = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(60):
            start = time.perf_counter()
            list(pool.map(np.sum, parts))
            rates.append(whole.nbytes / (time.perf_counter() - start))
    return {"bytes_a_second": float(np.quantile(rates, 0.9)), "median": statistics.median(rates)}


def weights_read(folder: Path) -> int:
    """Bytes of weights that one token needs: all files but the table of embeddings, of which it needs one row."""
    from training.onnx_shapes import QWEN_05B

    whole = sum(f.stat().st_size for f in (folder / "onnx").iterdir())
    return whole - QWEN_05B.vocab * QWEN_05B.hidden * 4


def apart(what: str, precision: str, threads: int) -> dict[str, Any]:
    """One of the measurements in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.onnx_decode", "--only", what, "--precision", precision]
    done = subprocess.run([*command, "--threads", str(threads)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr[-800:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["int4", "fp32"], default="int4")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", choices=["ours", "genai", "bandwidth"])
    said = parser.parse_args()
    folder = made(said.precision)
    if said.only:
        print(json.dumps({"ours": ours, "genai": genai, "bandwidth": bandwidth}[said.only](folder, said.threads)))
        return
    found: dict[str, list[dict[str, Any]]] = {"ours": [], "genai": [], "bandwidth": []}
    for _turn in range(2):
        for what, figures in found.items():
            figures.append(apart(what, said.precision, said.threads))
            print(what, {k: round(v, 2) for k, v in figures[-1].items() if k != "said"}, flush=True)
    ours_, genai_ = (max(found[w], key=lambda f: float(f["decode"])) for w in ("ours", "genai"))
    limit = max(float(b["bytes_a_second"]) for b in found["bandwidth"]) / weights_read(folder)
    same = found["ours"][0]["said"] == found["genai"][0]["said"]
    print(f"\n{folder.name}, {said.threads} threads, {PROMPT} tokens read, {REPLY} written")
    print(
        f"  decode: {ours_['decode']:.1f} tokens/s, genai {genai_['decode']:.1f}: {ours_['decode'] / genai_['decode']:.2f} of it"
    )
    print(f"  decode, medians of all steps: {ours_['decode_median']:.1f} tokens/s, genai {genai_['decode_median']:.1f}")
    print(f"  decode: {ours_['decode'] / limit:.2f} of what the memory allows ({limit:.1f} tokens/s)")
    prefill = max(f["prefill"] for f in found["ours"]), max(f["prefill"] for f in found["genai"])
    print(f"  prefill: {prefill[0]:.0f} tokens/s, genai {prefill[1]:.0f}: {prefill[0] / prefill[1]:.2f} of it")
    print(f"  load: {ours_['load_seconds']:.1f} s, genai {genai_['load_seconds']:.1f} s")
    print(f"  peak memory: {ours_['peak_mb']:.0f} MB, genai {genai_['peak_mb']:.0f} MB")
    print(f"  the same tokens: {'yes' if same else 'no'}")


if __name__ == "__main__":
    main()
