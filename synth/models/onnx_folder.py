"""A folder with a model, laid out as Hugging Face repositories lay them out: what is in it, and whether it can be used here.

config.json, generation_config.json (or genai_config.json for both), tokenizer.json and its like, and the graphs in `onnx/` or
beside them: `model.onnx`, or `decoder_model.onnx` with `decoder_with_past_model.onnx`, or `decoder_model_merged.onnx`; each
with a suffix for its precision.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.models.problem import ModelProblem

PREFERRED = ("q4", "int4", "int8", "quantized", "uint8", "q8", "", "fp16", "q4f16", "bnb4")
"""Where a folder holds several precisions the first of these is taken: on a processor the fewest bytes are the fastest."""

PRECISIONS = {
    "": "fp32",
    "fp32": "fp32",
    "fp16": "fp16",
    "q4": "int4",
    "int4": "int4",
    "q4f16": "int4",
    "bnb4": "int4",
    "int8": "int8",
    "uint8": "int8",
    "quantized": "int8",
    "q8": "int8",
}
_GRAPH = re.compile(r"(?P<stem>model|decoder_model_merged|decoder_model|decoder_with_past_model)(?:_(?P<suffix>\w+))?")
_POINTER = b"version https://git-lfs"
_CONTEXTS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx")
USUAL_CONTEXT = 2_048
"""So many tokens are taken for the context of a model that does not tell."""

SPARE_MB = 256
"""So much memory beside the weights is wanted for a run."""


@dataclass(frozen=True)
class Choice:
    """Graphs that belong together: one, or one without and one with a past. `suffix` is how the folder calls the precision."""

    suffix: str
    graphs: tuple[Path, ...]
    merged: bool = False

    @property
    def precision(self) -> str:
        """fp32, fp16, int8 or int4; else what the suffix says."""
        return PRECISIONS.get(self.suffix, self.suffix)

    @property
    def bytes(self) -> int:
        """Of the graphs with their weights."""
        return sum(f.stat().st_size for graph in self.graphs for f in files_of(graph))


@dataclass(frozen=True)
class Folder:
    """A model that is there to be loaded. `stops` are the ids that end a reply, `context` the most tokens in and out."""

    path: Path
    choice: Choice
    config: Mapping[str, Any]
    generation: Mapping[str, Any]
    stops: tuple[int, ...]
    context: int

    @property
    def architecture(self) -> str:
        """As config.json calls it."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else str(self.config.get("model_type", "unknown"))


def folder_of(path: Path, suffix: str = "") -> Folder:
    """What a folder holds, the precision `suffix` if it is given. Raises ModelProblem, naming what is missing or wrong."""
    if not path.is_dir():
        raise _problem(f"there is no folder {str(path)!r}", "Name a folder with config.json and onnx/model.onnx")
    config, generation = _configured(path)
    if config.get("is_encoder_decoder"):
        raise ModelProblem(
            f"{path.name} is an encoder with a decoder ({config.get('model_type')})",
            "Only decoder-only models can be run",
            "unsupported",
        )
    if not (path / "tokenizer.json").is_file():
        raise _problem(
            f"{path} has no tokenizer.json", "Export the fast tokenizer with the model (save_pretrained writes it)"
        )
    choice = _chosen(path, suffix)
    for graph in choice.graphs:
        _check_whole(graph)
    return Folder(path, choice, config, generation, _stops(config, generation), _context(config))


def _configured(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """config.json and generation_config.json; or what onnxruntime-genai's builder writes in the place of both."""
    if (path / "config.json").is_file() or not (path / "genai_config.json").is_file():
        return _json(path / "config.json", required=True), _json(path / "generation_config.json", required=False)
    said = _json(path / "genai_config.json", required=True)
    model = said.get("model")
    model = model if isinstance(model, dict) else {}
    decoder = model.get("decoder")
    decoder = decoder if isinstance(decoder, dict) else {}
    config = {
        "model_type": model.get("type"),
        "vocab_size": model.get("vocab_size"),
        "max_position_embeddings": model.get("context_length"),
        "eos_token_id": model.get("eos_token_id"),
        "is_encoder_decoder": "encoder" in model,
        "head_dim": decoder.get("head_size"),
        "hidden_size": decoder.get("hidden_size", 0),
        "num_attention_heads": decoder.get("num_attention_heads"),
        "num_key_value_heads": decoder.get("num_key_value_heads"),
    }
    search = said.get("search")
    return config, search if isinstance(search, dict) else {}


def choices_in(path: Path) -> list[Choice]:
    """Every precision in a folder, the preferred first."""
    return choices_among([*sorted((path / "onnx").glob("*.onnx")), *sorted(path.glob("*.onnx"))])


def choices_among(graphs: Iterable[Path]) -> list[Choice]:
    """The precisions that these graphs make, by their names alone, the preferred first."""
    found: dict[str, dict[str, Path]] = {}
    for graph in graphs:
        match = _GRAPH.fullmatch(graph.stem)
        if match:
            found.setdefault(match["suffix"] or "", {}).setdefault(match["stem"], graph)
    made = []
    for suffix, named in found.items():
        if "model" in named:
            made.append(Choice(suffix, (named["model"],)))
        elif "decoder_model_merged" in named:
            made.append(Choice(suffix, (named["decoder_model_merged"],), merged=True))
        elif "decoder_model" in named and "decoder_with_past_model" in named:
            made.append(Choice(suffix, (named["decoder_model"], named["decoder_with_past_model"])))
        elif "decoder_model" in named:
            made.append(Choice(suffix, (named["decoder_model"],)))
    return sorted(made, key=lambda c: PREFERRED.index(c.suffix) if c.suffix in PREFERRED else len(PREFERRED))


def files_of(graph: Path) -> list[Path]:
    """A graph's file and those beside it that hold its weights, by the names that exporters give them."""
    beside = {f for pattern in (f"{graph.name}_data*", f"{graph.name}.data*") for f in graph.parent.glob(pattern)}
    return [graph, *sorted(beside)]


def _chosen(path: Path, suffix: str) -> Choice:
    choices = choices_in(path)
    if not choices:
        others = sorted(f.name for folder in (path / "onnx", path) for f in folder.glob("*.onnx"))
        there = f"; it has {', '.join(others[:5])}" if others else ""
        raise _problem(f"{path} has no onnx/model.onnx{there}", "Export the model, or name another folder")
    if not suffix:
        return choices[0]
    for choice in choices:
        if suffix in (choice.suffix, choice.precision):
            return choice
    there = ", ".join(c.suffix or "fp32" for c in choices)
    raise _problem(f"{path.name} has no precision {suffix!r}", f"There are: {there}")


def _check_whole(graph: Path) -> None:
    """A pointer to a large file that was never fetched is the most common damage, and an empty file the next."""
    for file in files_of(graph):
        with file.open("rb") as opened:
            head = opened.read(len(_POINTER))
        if head == _POINTER:
            raise ModelProblem(
                f"{file} is a Git LFS pointer, not the file itself", "Fetch it: git lfs pull", "corrupt-model"
            )
        if not head:
            raise ModelProblem(f"{file} is empty", "Fetch or export it again", "corrupt-model")


def _json(file: Path, required: bool) -> dict[str, Any]:
    if not file.is_file():
        if required:
            raise _problem(f"{file.parent} has no {file.name}", "Name a folder laid out like a Hugging Face repository")
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelProblem(f"{file} cannot be read as JSON: {error}", "Fetch it again", "corrupt-model") from None
    if not isinstance(value, dict):
        raise ModelProblem(f"{file} is not a JSON object", "Fetch it again", "corrupt-model")
    return value


def _stops(config: Mapping[str, Any], generation: Mapping[str, Any]) -> tuple[int, ...]:
    said = generation.get("eos_token_id", config.get("eos_token_id"))
    many = said if isinstance(said, list) else [said]
    return tuple(dict.fromkeys(s for s in many if isinstance(s, int) and not isinstance(s, bool)))


def _context(config: Mapping[str, Any]) -> int:
    text = config.get("text_config")
    for said in (config, text if isinstance(text, dict) else {}):
        for name in _CONTEXTS:
            if isinstance(said.get(name), int) and said[name] > 0:
                return int(said[name])
    return USUAL_CONTEXT


def check_memory(folder: Folder, free_mb: float | None = None) -> None:
    """Refuse a model whose weights alone would not fit into what is free. Raises ModelProblem with both figures."""
    free = available_mb() if free_mb is None else free_mb
    needed = folder.choice.bytes / 1_048_576 + SPARE_MB
    if free is not None and needed > free:
        smaller = [c for c in choices_in(folder.path) if c.bytes < folder.choice.bytes]
        hint = f"It has {smaller[0].suffix or 'fp32'} as well" if smaller else "Free some, or use a smaller model"
        raise ModelProblem(
            f"{folder.path.name} needs about {needed:.0f} MB of memory, and {free:.0f} MB are free",
            hint,
            "too-little-memory",
        )


def available_mb() -> float | None:
    """Memory that a process may still take here: what the system says, within the limit of its control group."""
    found = [m for m in (_free_of_system(), _free_of_group()) if m is not None]
    return min(found) if found else None


def _free_of_system() -> float | None:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) / 1024 if match else None


def _free_of_group() -> float | None:
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            most = int((Path("/sys/fs/cgroup") / limit).read_text())
            taken = int((Path("/sys/fs/cgroup") / used).read_text())
        except (OSError, ValueError):
            continue
        return (most - taken) / 1_048_576 if most < 1 << 60 else None
    return None


def processors() -> int:
    """How many threads are worth having: the processors this process may run on, within its control group's share."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        count = min(count, max(1, int(share) // int(period)))
    except (OSError, ValueError):
        pass
    return count


def _problem(message: str, hint: str) -> ModelProblem:
    return ModelProblem(message, hint, "no-such-model")
