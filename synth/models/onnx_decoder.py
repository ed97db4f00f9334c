"""A decoder in onnxruntime: sessions, and runs over them that remember keys and values between tokens.

Every layout of a past is behind one protocol here: a graph that takes and gives one, a merged graph with a switch, a pair of
graphs, a graph with none; and graphs whose attention writes into one buffer instead of handing back a longer past each time.
"""

from __future__ import annotations

import importlib
import mmap
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.models.onnx_folder import Folder, check_memory, processors
from synth.models.problem import ModelProblem
from synth.models.wire import shown

Numbers = NDArray[Any]

CHUNK = 512
"""A prompt is read so many tokens at a time: more gain nothing, and what lies between the layers grows with them."""

MOST_LOGITS = 64 * 1_048_576
"""A chunk whose logits are computed is held to so many bytes of them."""

GROWTH = 256
"""A shared buffer has room for so many tokens more than were asked for, so that a longer reply seldom moves it."""

_PAST = re.compile(r"past(?:_key_values)?[._](\d+)[._](key|value)")
_PRESENT = re.compile(r"present(?:_key_values)?[._](\d+)[._](key|value)")
_PLAIN = {"input_ids", "attention_mask", "position_ids", "use_cache_branch", "num_logits_to_keep"}
_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
# An operator's name as the file format writes it: field 4, the length, the letters.
_SHARING = b"\x22\x13GroupQueryAttention"


class Decoder:
    """A loaded model. `begin` reads a prompt; the run that it gives is then fed token by token."""

    def __init__(self, folder: Folder, threads: int = 0) -> None:
        check_memory(folder)
        self.folder = folder
        self.context = folder.context
        self.threads = threads or processors()
        self.graphs = [_Graph(path, folder, self.threads) for path in folder.choice.graphs]
        first, last = self.graphs[0], self.graphs[-1]
        if not last.pasts and len(self.graphs) == 1 and first.presents:
            raise _unsupported(
                folder, "its graph hands back a past and takes none", "decoder_with_past_model.onnx is missing"
            )
        self.vocab = last.vocab

    def begin(self, tokens: Sequence[int], room: int = 0) -> Run:
        """A run that has read the prompt, with room for about so many tokens more. Raises ModelProblem past the context."""
        if not tokens:
            raise ValueError("an empty prompt")
        if len(tokens) >= self.context:
            raise ModelProblem(
                f"the prompt has {len(tokens)} tokens, and the model's context ends at {self.context}",
                "Ask about fewer tables, or use a model with a longer context",
                "context-too-long",
            )
        run = Run(self, min(len(tokens) + room + 1, self.context))
        run.read(np.asarray(tokens, dtype=np.int64))
        return run


class _Graph:
    """One session, and the names and types of what goes in and comes out."""

    def __init__(self, path: Path, folder: Folder, threads: int) -> None:
        self.session = _session(path, threads)
        self.inputs = {i.name: i for i in self.session.get_inputs()}
        self.outputs = {o.name: o for o in self.session.get_outputs()}
        self.pasts = _ordered(self.inputs, _PAST)
        self.presents = _ordered(self.outputs, _PRESENT)
        unknown = [n for n in self.inputs if n not in _PLAIN and n not in self.pasts]
        if unknown or "input_ids" not in self.inputs or "logits" not in self.outputs:
            what = (
                f"its graph wants {', '.join(unknown[:4])}" if unknown else "its graph is not from input_ids to logits"
            )
            raise _unsupported(folder, what)
        if self.pasts and len(self.pasts) != len(self.presents):
            raise _unsupported(folder, f"it takes {len(self.pasts)} pasts and gives {len(self.presents)} presents")
        for one in (*self.inputs.values(), *self.outputs.values()):
            if one.type not in _TYPES:
                raise _unsupported(folder, f"{one.name} is {one.type}", "Export it in fp32, fp16, int8 or int4")
        self.shares = bool(self.pasts) and _holds(path, _SHARING)
        self.logits_type: Any = _TYPES[self.outputs["logits"].type]
        last = self.outputs["logits"].shape[-1]
        said = folder.config.get("vocab_size")
        self.vocab = last if isinstance(last, int) else int(said) if isinstance(said, int) else 0
        if self.vocab <= 0:
            raise _unsupported(folder, "neither its graph nor config.json tells the size of its vocabulary")
        self.past_type: Any = _TYPES[self.inputs[self.pasts[0]].type] if self.pasts else np.float32
        self.widths = [self._width(name, folder) for name in self.pasts]

    def _width(self, name: str, folder: Folder) -> tuple[int, int]:
        """Heads and numbers a head, by the graph or else by config.json."""
        shape = self.inputs[name].shape
        if len(shape) != 4:
            raise _unsupported(folder, f"{name} has {len(shape)} dimensions instead of 4")
        config = folder.config
        heads = config.get("num_attention_heads")
        shared = config.get("num_key_value_heads", heads)
        width = config.get("head_dim") or (
            config.get("hidden_size", 0) // heads if isinstance(heads, int) and heads else 0
        )
        found = [d if isinstance(d, int) else said for d, said in ((shape[1], shared), (shape[3], width))]
        if not all(isinstance(d, int) and d > 0 for d in found):
            raise _unsupported(folder, f"the size of {name} is not told")
        return int(found[0]), int(found[1])

    def typed(self, name: str, values: Numbers) -> Numbers:
        """An input in the type that the graph wants."""
        return np.ascontiguousarray(values, dtype=_TYPES[self.inputs[name].type])


class Run:
    """A conversation being continued, in one row or in several that share their beginning. `logits` are those after the last
    token of each row, [rows, vocabulary], in fp32; `length` is how many tokens each row has behind it."""

    def __init__(self, decoder: Decoder, room: int) -> None:
        self.decoder = decoder
        self.length = 0
        self.rows = 1
        self.logits: Numbers = np.empty((0, 0), dtype=np.float32)
        self._graph = decoder.graphs[-1]
        self._tokens: Numbers = np.empty((1, 0), dtype=np.int64)  # kept only where a graph has no past
        self._past: list[Any] = []
        self._room = room
        self._binding = self._graph.session.io_binding()
        self._options = importlib.import_module("onnxruntime").RunOptions()
        if self._graph.shares:
            self._past = [self._buffer(heads, width) for heads, width in self._graph.widths]
        elif self._graph.pasts:
            self._past = [self._empty(self._graph, heads, width) for heads, width in self._graph.widths]

    def read(self, tokens: Numbers) -> None:
        """Take in a prompt, in chunks; only the last token's logits are computed where that saves work."""
        if not self._graph.pasts:
            self._without_past(tokens[None])
            return
        if len(self.decoder.graphs) == 2 and not self.length:
            self._first_of_two(tokens[None])
            return
        chunk = min(CHUNK, max(16, MOST_LOGITS // (4 * self._graph.vocab)))
        head = len(tokens) - 1 if len(tokens) > 16 else 0
        for start in range(0, head, CHUNK):
            self._feed(tokens[None, start : min(start + CHUNK, head)], logits=False)
        for start in range(head, len(tokens), chunk):
            self._feed(tokens[None, start : start + chunk])

    def spread(self, rows: int) -> None:
        """Continue one row as so many, each with the same past."""
        self.keep([0] * rows)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, in this order; one named twice is there twice."""
        chosen = list(rows)
        if chosen == list(range(self.rows)):
            return
        if self._graph.shares:
            self._past = [np.ascontiguousarray(p[chosen]) for p in self._past]
        elif self._graph.pasts:
            self._past = [_value(np.ascontiguousarray(p.numpy()[chosen])) for p in self._past]
        self._tokens = self._tokens[chosen]
        self.logits = self.logits[chosen]
        self.rows = len(chosen)

    def step(self, tokens: Sequence[Sequence[int]]) -> None:
        """Append the tokens of each row (equally many) and compute the logits after them."""
        fed = np.asarray(tokens, dtype=np.int64)
        if fed.shape[0] != self.rows or not fed.size:
            raise ValueError(f"tokens of shape {fed.shape} for {self.rows} rows")
        if self.length + fed.shape[1] > self.decoder.context:
            raise ModelProblem(
                f"the reply reached the end of the model's context, {self.decoder.context} tokens",
                "Ask something smaller, or use a model with a longer context",
                "context-too-long",
            )
        if self._graph.pasts:
            self._feed(fed)
        else:
            self._without_past(fed)

    def _feed(self, tokens: Numbers, logits: bool = True) -> None:
        graph, binding = self._graph, self._binding
        count = tokens.shape[1]
        binding.clear_binding_inputs()
        binding.clear_binding_outputs()
        held = self._plain_inputs(graph, tokens, self.length)
        for name, values in held.items():
            binding.bind_cpu_input(name, values)
        presents = range(len(graph.presents))
        if graph.shares:
            self._grow(self.length + count)
            for name, to, buffer in zip(graph.pasts, graph.presents, self._past, strict=True):
                for bind, which in ((binding.bind_input, name), (binding.bind_output, to)):
                    bind(which, "cpu", 0, graph.past_type, buffer.shape, buffer.ctypes.data)
        else:
            for name, value in zip(graph.pasts, self._past, strict=True):
                binding.bind_ortvalue_input(name, value)
            for name in graph.presents:
                binding.bind_output(name, "cpu")
        # Logits go into memory of our own: only those of the last token leave this function.
        asked = np.empty((self.rows, count, graph.vocab), dtype=graph.logits_type) if logits else None
        if asked is not None and "num_logits_to_keep" not in graph.inputs:
            binding.bind_output("logits", "cpu", 0, graph.logits_type, asked.shape, asked.ctypes.data)
        elif asked is not None:
            asked = asked[:, -1:].copy()
            binding.bind_output("logits", "cpu", 0, graph.logits_type, asked.shape, asked.ctypes.data)
        self._options.only_execute_path_to_fetches = not logits
        self._run(graph, binding)
        if not graph.shares:
            self._past = binding.get_outputs()[: len(presents)]
        if asked is not None:
            self.logits = asked[:, -1].astype(np.float32, copy=False)
        self.length += count

    def _plain_inputs(self, graph: _Graph, tokens: Numbers, behind: int) -> dict[str, Numbers]:
        """Everything but the past."""
        rows, count = tokens.shape
        given: dict[str, Numbers] = {
            "input_ids": tokens,
            "attention_mask": np.ones((rows, behind + count), dtype=np.int64),
            "position_ids": np.broadcast_to(np.arange(behind, behind + count), (rows, count)),
            "use_cache_branch": np.array([behind > 0]),
            "num_logits_to_keep": np.array(1),
        }
        return {name: graph.typed(name, given[name]) for name in graph.inputs if name in given}

    def _run(self, graph: _Graph, binding: Any) -> None:
        try:
            graph.session.run_with_iobinding(binding, self._options)
        except Exception as error:  # onnxruntime's exceptions share no base but this one
            raise run_problem(error, self.decoder.folder) from None

    def _first_of_two(self, tokens: Numbers) -> None:
        """The graph without a past reads the whole prompt; the other goes on from there."""
        graph = self.decoder.graphs[0]
        binding = graph.session.io_binding()
        for name, values in self._plain_inputs(graph, tokens, 0).items():
            binding.bind_cpu_input(name, values)
        for name in (*graph.presents, "logits"):
            binding.bind_output(name, "cpu")
        self._run(graph, binding)
        *self._past, logits = binding.get_outputs()
        self.logits = logits.numpy()[:, -1].astype(np.float32)
        self.length = tokens.shape[1]

    def _without_past(self, tokens: Numbers) -> None:
        """A graph that remembers nothing is given everything again."""
        self._tokens = np.concatenate([self._tokens, tokens], axis=1)
        graph, binding = self._graph, self._binding
        binding.clear_binding_inputs()
        binding.clear_binding_outputs()
        for name, values in self._plain_inputs(graph, self._tokens, 0).items():
            binding.bind_cpu_input(name, values)
        binding.bind_output("logits", "cpu")
        self._run(graph, binding)
        self.logits = binding.get_outputs()[0].numpy()[:, -1].astype(np.float32)
        self.length = self._tokens.shape[1]

    def _buffer(self, heads: int, width: int) -> Numbers:
        return np.zeros((self.rows, heads, self._room, width), dtype=self._graph.past_type)

    def _grow(self, length: int) -> None:
        """Move the buffers to larger ones when the next tokens do not fit."""
        if length <= self._room:
            return
        self._room = min(length + GROWTH, self.decoder.context)
        for i, old in enumerate(self._past):
            heads, width = self._graph.widths[i]
            self._past[i] = self._buffer(heads, width)
            self._past[i][:, :, : self.length] = old[:, :, : self.length]

    def _empty(self, graph: _Graph, heads: int, width: int) -> Any:
        return _value(np.zeros((1, heads, 0, width), dtype=graph.past_type))


def _value(array: Numbers) -> Any:
    return importlib.import_module("onnxruntime").OrtValue.ortvalue_from_numpy(array)


def _ordered(names: dict[str, Any], pattern: re.Pattern[str]) -> list[str]:
    """Names of keys and values by layer, key first: so that pasts and presents pair up."""
    found = [(int(m[1]), m[2], name) for name in names if (m := pattern.fullmatch(name))]
    return [name for _, _, name in sorted(found)]


def _holds(path: Path, what: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return mapped.find(what) >= 0


def _session(path: Path, threads: int) -> Any:
    """The graph, loaded. Raises ModelProblem for what is missing, damaged, unknown or too large."""
    try:
        ort = importlib.import_module("onnxruntime")
    except ImportError:
        raise ModelProblem(
            "onnxruntime is not installed", "Install it: pip install 'tars-closures[onnx]'", "missing-extra"
        ) from None
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong comes as an exception, and is told below
    options.enable_mem_pattern = False  # it plans for shapes that stay; here each token makes them longer
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base but this one
        raise load_problem(error, path) from None


def load_problem(error: Exception, path: Path) -> ModelProblem:
    """What onnxruntime said when it could not load a graph, as something a user can act on."""
    words = str(error)
    told = shown(words.rpartition(" : ")[2] or words, 200)
    if isinstance(error, MemoryError) or re.search(r"bad_?alloc|out of memory|allocate memory", words, re.IGNORECASE):
        return ModelProblem(
            f"{path.name} does not fit into memory", "Use a smaller precision or model", "too-little-memory"
        )
    if re.search(r"external.(data|initializer)|file_size|cannot get file size|No such file", words, re.IGNORECASE):
        return ModelProblem(
            f"the weights of {path} are missing or incomplete: {told}", "Fetch all its files again", "corrupt-model"
        )
    if re.search(
        r"not a registered function/op|No Op registered|not implemented|opset|unsupported model IR",
        words,
        re.IGNORECASE,
    ):
        return ModelProblem(
            f"{path.name} needs operators that this onnxruntime does not have: {told}",
            "Update onnxruntime, or export the model again",
            "unsupported",
        )
    return ModelProblem(f"{path} is damaged or no ONNX model: {told}", "Fetch or export it again", "corrupt-model")


def run_problem(error: Exception, folder: Folder) -> ModelProblem:
    """What onnxruntime said while it ran."""
    words = str(error)
    if isinstance(error, MemoryError) or re.search(r"bad_?alloc|allocate memory|BFCArena", words):
        return ModelProblem(
            f"{folder.path.name}: memory ran out while the model ran",
            "Ask something smaller, or use a smaller model",
            "too-little-memory",
        )
    return ModelProblem(
        f"{folder.path.name}: the model failed while it ran: {shown(words.rpartition(' : ')[2] or words, 200)}",
        "Its graph and config.json may not belong together; export it again",
        "unsupported",
    )


def _unsupported(folder: Folder, what: str, hint: str = "") -> ModelProblem:
    return ModelProblem(
        f"{folder.path.name} ({folder.architecture}) cannot be run: {what}",
        hint or "Only decoder-only text models can be run, exported with or without a past",
        "unsupported",
    )


def peak_mb() -> float:
    """The most memory that this process has held so far."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1_048_576 if sys.platform == "darwin" else 1024)
