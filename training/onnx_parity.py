"""Records what transformers and torch answer, greedily, with the weights of `onnx_shapes`: the tests hold onnxruntime to it.

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0+cpu transformers onnx onnxruntime
    /tmp/torch/bin/python -m training.onnx_parity tests/synth/models/onnx_parity.json

torch stays out of the project's own environment: only the token ids that it gave are kept.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from training.onnx_shapes import Shape, weights_of

SHAPES = {
    "qwen2": Shape("qwen2", tied=True, layers=3),
    "llama": Shape("llama", theta=500_000.0),
    "phi3": Shape("phi3", kv_heads=4),
    "phi": Shape("phi", kv_heads=4, eps=1e-5),
}
TOKENS = 48
PROMPTS = (3, 17, 70)
"""So many tokens each prompt has."""


def prompt_of(length: int, vocab: int) -> list[int]:
    """The same tokens on every machine."""
    return [int(n % np.uint64(vocab - 3)) + 3 for n in np.random.PCG64(length).random_raw(length)]


def recorded(shape: Shape, seed: int = 0) -> list[dict[str, list[int]]]:
    """What transformers says after each prompt, computed in fp32."""
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    torch.set_num_threads(1)
    config = transformers.AutoConfig.for_model(**shape.config)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    state = {name: torch.from_numpy(values.copy()) for name, values in weights_of(shape, seed).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or set(missing) - {"lm_head.weight"} or (missing and not shape.tied):
        raise SystemExit(f"{shape.family}: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    said = []
    for length in PROMPTS:
        prompt = prompt_of(length, shape.vocab)
        with torch.no_grad():
            ids = model.generate(
                torch.tensor([prompt]), do_sample=False, max_new_tokens=TOKENS, min_new_tokens=TOKENS, eos_token_id=None
            )
        said.append({"prompt": prompt, "reply": ids[0, length:].tolist()})
    return said


def main() -> None:
    """Write the file that is named."""
    said = {name: recorded(shape) for name, shape in SHAPES.items()}
    versions = {name: str(importlib.import_module(name).__version__) for name in ("torch", "transformers")}
    Path(sys.argv[1]).write_text(json.dumps({"made with": versions, **said}, separators=(",", ":")) + "\n")
    for name, replies in said.items():
        print(name, [len(set(one["reply"])) for one in replies], "different tokens of", TOKENS)


if __name__ == "__main__":
    main()
