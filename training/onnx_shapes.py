"""Decoder-only models of known shapes as ONNX graphs, with weights drawn from a seed or given, made with `onnx` alone.

A graph is built node by node instead of being traced by torch: so the same code makes the tests' models where there is no torch,
in each layout that exporters leave behind (a past or none, one merged graph or two, plain operators or fused attention), in
fp32, fp16, int8 and int4. That such a graph is what transformers computes is shown by `training.onnx_parity`, which runs both.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]
Precision = Literal["fp32", "fp16", "int8", "int4"]
Layout = Literal["past", "fused", "merged", "pair", "no-past"]

BLOCK = 32
"""So many weights share a scale in int4."""

POSITIONS = 4096
INLINE_BYTES = 1_000_000
"""Weights of more bytes than this go into a file of their own beside the graph."""


@dataclass(frozen=True)
class Shape:
    """What distinguishes one decoder from another. `family` is the name that transformers has for it."""

    family: Literal["qwen2", "llama", "phi3", "phi"]
    vocab: int = 384
    hidden: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 16
    intermediate: int = 128
    theta: float = 10_000.0
    eps: float = 1e-6
    tied: bool = False
    context: int = 512

    @property
    def rotary(self) -> int:
        """How many of a head's numbers are turned by position."""
        return self.head_dim // 2 if self.family == "phi" else self.head_dim

    @property
    def config(self) -> dict[str, object]:
        """`config.json` as transformers writes it for this shape."""
        names = {"qwen2": "Qwen2", "llama": "Llama", "phi3": "Phi3", "phi": "Phi"}
        rope: dict[str, object] = {"rope_theta": self.theta, "rope_type": "default"}
        said: dict[str, object] = {
            "architectures": [f"{names[self.family]}ForCausalLM"],
            "model_type": self.family,
            "vocab_size": self.vocab,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": self.context,
            "tie_word_embeddings": self.tied,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 2,
        }
        if self.family == "phi":
            rope["partial_rotary_factor"] = 0.5
            said |= {"hidden_act": "gelu_new", "layer_norm_eps": self.eps, "partial_rotary_factor": 0.5}
        else:
            said |= {"hidden_act": "silu", "rms_norm_eps": self.eps, "head_dim": self.head_dim}
        if self.family == "phi3":
            said |= {"original_max_position_embeddings": self.context}
            rope["partial_rotary_factor"] = 1.0
        return {**said, "rope_theta": self.theta, "rope_parameters": rope}


QWEN_05B = Shape("qwen2", 151_936, 896, 24, 14, 2, 64, 4_864, 1_000_000.0, tied=True, context=32_768)
"""As large as Qwen2.5-0.5B."""


def tensors_of(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The names that transformers has for the weights of this shape, and their dimensions."""
    wide, narrow = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    yield "model.embed_tokens.weight", (shape.vocab, shape.hidden)
    for i in range(shape.layers):
        at = f"model.layers.{i}"
        yield f"{at}.input_layernorm.weight", (shape.hidden,)
        if shape.family == "phi":
            yield f"{at}.input_layernorm.bias", (shape.hidden,)
        if shape.family == "phi3":
            yield f"{at}.self_attn.qkv_proj.weight", (wide + 2 * narrow, shape.hidden)
        else:
            for name, size in (("q", wide), ("k", narrow), ("v", narrow)):
                yield f"{at}.self_attn.{name}_proj.weight", (size, shape.hidden)
                if shape.family in ("qwen2", "phi"):
                    yield f"{at}.self_attn.{name}_proj.bias", (size,)
        if shape.family == "phi":
            yield f"{at}.self_attn.dense.weight", (shape.hidden, wide)
            yield f"{at}.self_attn.dense.bias", (shape.hidden,)
            yield f"{at}.mlp.fc1.weight", (shape.intermediate, shape.hidden)
            yield f"{at}.mlp.fc1.bias", (shape.intermediate,)
            yield f"{at}.mlp.fc2.weight", (shape.hidden, shape.intermediate)
            yield f"{at}.mlp.fc2.bias", (shape.hidden,)
            continue
        yield f"{at}.self_attn.o_proj.weight", (shape.hidden, wide)
        yield f"{at}.post_attention_layernorm.weight", (shape.hidden,)
        if shape.family == "phi3":
            yield f"{at}.mlp.gate_up_proj.weight", (2 * shape.intermediate, shape.hidden)
        else:
            yield f"{at}.mlp.gate_proj.weight", (shape.intermediate, shape.hidden)
            yield f"{at}.mlp.up_proj.weight", (shape.intermediate, shape.hidden)
        yield f"{at}.mlp.down_proj.weight", (shape.hidden, shape.intermediate)
    final = "model.final_layernorm" if shape.family == "phi" else "model.norm"
    yield f"{final}.weight", (shape.hidden,)
    if shape.family == "phi":
        yield f"{final}.bias", (shape.hidden,)
    if not shape.tied:
        yield "lm_head.weight", (shape.vocab, shape.hidden)
    if shape.family == "phi":
        yield "lm_head.bias", (shape.vocab,)


def weights_of(shape: Shape, seed: int = 0) -> dict[str, Array]:
    """Weights by the names of transformers. The same seed gives the same bits with every numpy: only PCG64's raw output is used,
    whose stream is promised."""
    made: dict[str, Array] = {}
    for name, dimensions in tensors_of(shape):
        count = int(np.prod(dimensions))
        raw = np.random.PCG64(zlib.crc32(f"{seed}/{name}".encode())).random_raw(count)
        unit = (raw >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)
        if "norm" in name and name.endswith("weight"):
            values = np.float32(1) + np.float32(0.2) * unit
        elif name.endswith("bias"):
            values = np.float32(0.1) * unit
        elif name.startswith("model.embed"):
            values = unit * np.float32(0.1 if shape.tied else 1.0)  # else a tied model repeats its last token
        else:
            values = unit * np.float32(2.0 / np.sqrt(dimensions[-1]))
        made[name] = values.reshape(dimensions)
    return made


class _Graph:
    """Nodes and weights as they are added; every result gets a name of its own. A graph inside another shares its weights."""

    def __init__(self, prefix: str = "", parent: _Graph | None = None) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = parent.weights if parent else {}
        self.prefix = prefix

    def add(self, kind: str, *inputs: str, result: str = "", domain: str = "", **attributes: Any) -> str:
        """A node; the name of its one result."""
        name = f"{self.prefix}{kind}_{len(self.nodes)}"
        result = result or f"{name}_out"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], name=name, domain=domain, **attributes))
        return result

    def add_many(self, kind: str, inputs: list[str], results: list[str], domain: str = "", **attributes: Any) -> None:
        """A node with several results, of the given names."""
        name = f"{self.prefix}{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, results, name=name, domain=domain, **attributes))

    def weight(self, name: str, values: Array) -> str:
        """A weight, kept once under its name."""
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def constant(self, values: float | list[int], kind: Any = np.int64) -> str:
        """A small constant: a scalar or a vector."""
        array = np.array(values, dtype=kind)
        return self.weight(f"constant_{array.dtype.name}_{array.tolist()}".replace(" ", ""), array)


class _Decoder:
    """Writes one shape into a graph: from token ids to logits, with what each layer remembers."""

    def __init__(self, graph: _Graph, shape: Shape, weights: Mapping[str, Array], precision: Precision) -> None:
        self.g, self.shape, self.weights = graph, shape, weights
        self.precision = precision
        self.kind: Any = np.float16 if precision == "fp16" else np.float32

    def vector(self, name: str) -> str:
        """A weight as it is."""
        return self.g.weight(name, self.weights[name].astype(self.kind))

    def linear(self, x: str, name: str, rows: slice = slice(None), part: str = "") -> str:
        """x times a weight's transpose (or some of its rows), plus its bias where it has one."""
        values = self.weights[f"{name}.weight"][rows]
        if self.precision == "int4":
            packed, scales = int4(values)
            out = self.g.add(
                "MatMulNBits",
                x,
                self.g.weight(f"{name}{part}.weight_q4", packed),
                self.g.weight(f"{name}{part}.weight_scales", scales),
                domain="com.microsoft",
                K=values.shape[1],
                N=values.shape[0],
                bits=4,
                block_size=BLOCK,
                accuracy_level=4,
            )
        else:
            out = self.g.add("MatMul", x, self.g.weight(f"{name}{part}.weight_t", values.T.astype(self.kind)))
        return self.g.add("Add", out, self.vector(f"{name}.bias")) if f"{name}.bias" in self.weights else out

    def norm(self, x: str, name: str) -> str:
        """RMS norm, computed in fp32; or layer norm with a bias."""
        g = self.g
        if self.shape.family == "phi":
            scale, bias = self.vector(f"{name}.weight"), self.vector(f"{name}.bias")
            return g.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=self.shape.eps)
        half = self.kind is np.float16
        up = g.add("Cast", x, to=TensorProto.FLOAT) if half else x
        mean = g.add("ReduceMean", g.add("Mul", up, up), g.constant([-1]), keepdims=1)
        root = g.add("Sqrt", g.add("Add", mean, g.constant(self.shape.eps, np.float32)))
        normed = g.add("Div", up, root)
        return g.add(
            "Mul", g.add("Cast", normed, to=TensorProto.FLOAT16) if half else normed, self.vector(f"{name}.weight")
        )

    def queries(self, x: str, i: int) -> tuple[str, str, str]:
        """Queries, keys and values of a layer, [batch, tokens, all heads]."""
        at, shape = f"model.layers.{i}.self_attn", self.shape
        wide, narrow = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        if shape.family != "phi3":
            return self.linear(x, f"{at}.q_proj"), self.linear(x, f"{at}.k_proj"), self.linear(x, f"{at}.v_proj")
        cuts = (slice(0, wide), slice(wide, wide + narrow), slice(wide + narrow, None))
        q, k, v = (
            self.linear(x, f"{at}.qkv_proj", cut, part) for cut, part in zip(cuts, ".q .k .v".split(), strict=True)
        )
        return q, k, v

    def feed(self, x: str, i: int) -> str:
        """What follows attention in a layer."""
        g, at = self.g, f"model.layers.{i}.mlp"
        if self.shape.family == "phi":
            return self.linear(self.gelu(self.linear(x, f"{at}.fc1")), f"{at}.fc2")
        if self.shape.family == "phi3":
            cut = self.shape.intermediate
            gate = self.linear(x, f"{at}.gate_up_proj", slice(0, cut), ".gate")
            up = self.linear(x, f"{at}.gate_up_proj", slice(cut, None), ".up")
        else:
            gate, up = self.linear(x, f"{at}.gate_proj"), self.linear(x, f"{at}.up_proj")
        return self.linear(g.add("Mul", g.add("Mul", gate, g.add("Sigmoid", gate)), up), f"{at}.down_proj")

    def gelu(self, x: str) -> str:
        """The tanh form of GELU."""
        g = self.g
        cube = g.add("Mul", g.add("Mul", x, x), x)
        inner = g.add("Add", x, g.add("Mul", cube, g.constant(0.044715, self.kind)))
        turned = g.add("Tanh", g.add("Mul", inner, g.constant(float(np.sqrt(2 / np.pi)), self.kind)))
        half = g.add("Mul", x, g.constant(0.5, self.kind))
        return g.add("Mul", half, g.add("Add", turned, g.constant(1.0, self.kind)))

    def embedded(self) -> str:
        """The tokens' embeddings."""
        return self.g.add("Gather", self.vector("model.embed_tokens.weight"), "input_ids")

    def logits(self, x: str, result: str) -> None:
        """From the last layer to the logits."""
        name = "model.final_layernorm" if self.shape.family == "phi" else "model.norm"
        x = self.norm(x, name)
        if not self.shape.tied:
            x = self.linear(x, "lm_head")
        elif self.precision == "int4":
            self.weights = {**self.weights, "lm_head.weight": self.weights["model.embed_tokens.weight"]}
            x = self.linear(x, "lm_head")
        else:
            turned = self.g.add("Transpose", self.vector("model.embed_tokens.weight"), perm=[1, 0])
            x = self.g.add("MatMul", x, turned)
        self.g.add("Cast", x, to=TensorProto.FLOAT, result=result)

    def layer(self, x: str, i: int, attended: str) -> str:
        """A layer's result from its input, its attention's output, and what stands between."""
        g, at = self.g, f"model.layers.{i}"
        if self.shape.family == "phi":
            out = self.linear(attended, f"{at}.self_attn.dense")
            normed = self.norm(x, f"{at}.input_layernorm")
            return g.add("Add", g.add("Add", out, self.feed(normed, i)), x)
        x = g.add("Add", x, self.linear(attended, f"{at}.self_attn.o_proj"))
        return g.add("Add", x, self.feed(self.norm(x, f"{at}.post_attention_layernorm"), i))

    def plain(self, past: bool, presents: bool, prefix: str = "") -> None:
        """With ONNX' own operators, as torch exports a decoder."""
        g = self.g
        allowed = self.mask()
        cos, sin = self.turns()
        x = self.embedded()
        for i in range(self.shape.layers):
            q, k, v = self.queries(self.norm(x, f"model.layers.{i}.input_layernorm"), i)
            q = self.rotated(self.split(q, self.shape.heads), cos, sin)
            k, v = self.rotated(self.split(k, self.shape.kv_heads), cos, sin), self.split(v, self.shape.kv_heads)
            names = [f"{prefix}present.{i}.{part}" if presents else "" for part in ("key", "value")]
            if past:
                k = g.add("Concat", f"past_key_values.{i}.key", k, axis=2, result=names[0])
                v = g.add("Concat", f"past_key_values.{i}.value", v, axis=2, result=names[1])
            elif presents:
                k, v = g.add("Identity", k, result=names[0]), g.add("Identity", v, result=names[1])
            x = self.layer(x, i, self.attended(q, self.spread(k), self.spread(v), allowed))
        self.logits(x, f"{prefix}logits")

    def mask(self) -> str:
        """[batch, 1, tokens, all]: 0 where a token may look, a very low number elsewhere."""
        g = self.g
        total = g.add("Shape", "attention_mask", start=1, end=2)
        count = g.add("Shape", "input_ids", start=1, end=2)
        scalar = g.constant([0])
        end, here = g.add("Squeeze", total, scalar), g.add("Squeeze", count, scalar)
        columns = g.add("Range", g.constant(0), end, g.constant(1))
        rows = g.add("Range", g.add("Sub", end, here), end, g.constant(1))
        seen = g.add("LessOrEqual", columns, g.add("Unsqueeze", rows, g.constant([1])))
        real = g.add("Cast", g.add("Unsqueeze", "attention_mask", g.constant([1, 2])), to=TensorProto.BOOL)
        both = g.add("And", g.add("Unsqueeze", seen, g.constant([0, 1])), real)
        low = float(np.finfo(self.kind).min)
        return g.add("Where", both, g.constant(0.0, self.kind), g.constant(low, self.kind))

    def turns(self) -> tuple[str, str]:
        """Cosines and sines of the tokens' positions, [batch, 1, tokens, rotary]."""
        cos, sin = angles(self.shape)
        found = []
        for name, table in (("cos", cos), ("sin", sin)):
            whole = self.g.weight(f"{name}_table", np.concatenate([table, table], axis=-1).astype(self.kind))
            rows = self.g.add("Gather", whole, "position_ids")
            found.append(self.g.add("Unsqueeze", rows, self.g.constant([1])))
        return found[0], found[1]

    def split(self, x: str, heads: int) -> str:
        """[batch, tokens, all] as [batch, heads, tokens, one head]."""
        parted = self.g.add("Reshape", x, self.g.constant([0, 0, heads, self.shape.head_dim]))
        return self.g.add("Transpose", parted, perm=[0, 2, 1, 3])

    def rotated(self, x: str, cos: str, sin: str) -> str:
        """Heads turned by position; of a partial rotation the rest stays."""
        g, width = self.g, self.shape.rotary
        last = g.constant([3])
        part = x
        if width < self.shape.head_dim:
            part = g.add("Slice", x, g.constant([0]), g.constant([width]), last)
        low = g.add("Slice", part, g.constant([0]), g.constant([width // 2]), last)
        high = g.add("Slice", part, g.constant([width // 2]), g.constant([width]), last)
        swapped = g.add("Concat", g.add("Neg", high), low, axis=3)
        turned = g.add("Add", g.add("Mul", part, cos), g.add("Mul", swapped, sin))
        if width == self.shape.head_dim:
            return turned
        return g.add("Concat", turned, g.add("Slice", x, g.constant([width]), g.constant([10**9]), last), axis=3)

    def spread(self, x: str) -> str:
        """Keys or values repeated for the query heads that share them."""
        groups = self.shape.heads // self.shape.kv_heads
        if groups == 1:
            return x
        g, (heads, width) = self.g, (self.shape.kv_heads, self.shape.head_dim)
        apart = g.add("Unsqueeze", x, g.constant([2]))
        wide = g.add("Expand", apart, g.constant([1, heads, groups, 1, width]))
        return g.add("Reshape", wide, g.constant([0, self.shape.heads, -1, width]))

    def attended(self, q: str, k: str, v: str, allowed: str) -> str:
        """Softmax attention, back to [batch, tokens, all heads]."""
        g = self.g
        scores = g.add("MatMul", q, g.add("Transpose", k, perm=[0, 1, 3, 2]))
        scaled = g.add("Mul", scores, g.constant(self.shape.head_dim**-0.5, self.kind))
        weights = g.add("Softmax", g.add("Add", scaled, allowed), axis=-1)
        out = g.add("Transpose", g.add("MatMul", weights, v), perm=[0, 2, 1, 3])
        return g.add("Reshape", out, g.constant([0, 0, self.shape.heads * self.shape.head_dim]))

    def fused(self) -> None:
        """With onnxruntime's own operators, as its model builder writes a decoder."""
        g, shape, kind = self.g, self.shape, self.kind
        cos, sin = angles(shape)
        tables = [g.weight("cos_cache", cos.astype(kind)), g.weight("sin_cache", sin.astype(kind))]
        summed = g.add("ReduceSum", "attention_mask", g.constant([1]), keepdims=1)
        lengths = g.add("Cast", g.add("Sub", summed, g.constant([1])), to=TensorProto.INT32)
        whole = g.add("Gather", g.add("Shape", "attention_mask"), g.constant(1))
        total = g.add("Cast", whole, to=TensorProto.INT32)
        x = self.embedded()
        for i in range(shape.layers):
            at = f"model.layers.{i}"
            normed = self.simple_norm(x, f"{at}.input_layernorm")
            results = [f"{at}_attended", f"present.{i}.key", f"present.{i}.value"]
            pasts = [f"past_key_values.{i}.key", f"past_key_values.{i}.value"]
            g.add_many(
                "GroupQueryAttention",
                [*self.queries(normed, i), *pasts, lengths, total, *tables],
                results,
                "com.microsoft",
                num_heads=shape.heads,
                kv_num_heads=shape.kv_heads,
                do_rotary=1,
                scale=shape.head_dim**-0.5,
            )
            x = g.add("Add", x, self.linear(results[0], f"{at}.self_attn.o_proj"))
            x = g.add("Add", x, self.feed(self.simple_norm(x, f"{at}.post_attention_layernorm"), i))
        self.logits(x, "logits")

    def simple_norm(self, x: str, name: str) -> str:
        """RMS norm in one node."""
        return self.g.add(
            "SimplifiedLayerNormalization",
            x,
            self.vector(f"{name}.weight"),
            axis=-1,
            epsilon=self.shape.eps,
            stash_type=1,
        )


def angles(shape: Shape) -> tuple[Array, Array]:
    """Cosines and sines for each position, half the rotary width each."""
    width = shape.rotary
    turns = 1.0 / shape.theta ** (np.arange(0, width, 2, dtype=np.float32) / np.float32(width))
    at = np.outer(np.arange(min(shape.context, POSITIONS), dtype=np.float32), turns.astype(np.float32))
    return np.cos(at), np.sin(at)


def int4(values: Array) -> tuple[Array, Array]:
    """A weight in symmetric blocks of 32 as MatMulNBits wants it: two numbers a byte, and a scale for each block."""
    rows, columns = values.shape
    blocks = np.zeros((rows, -(-columns // BLOCK) * BLOCK), dtype=np.float32)
    blocks[:, :columns] = values
    blocks = blocks.reshape(rows, -1, BLOCK)
    most = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2, keepdims=True), axis=2)
    scales = most / np.float32(-8)
    safe = np.where(scales == 0, np.float32(1), scales)
    numbers = np.clip(np.rint(blocks / safe) + 8, 0, 15).astype(np.uint8)
    return numbers[..., 0::2] | (numbers[..., 1::2] << 4), scales.reshape(rows, -1).astype(np.float32)


def _value(name: str, kind: int, *dimensions: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(dimensions))


def _pasts(shape: Shape, kind: int, name: str, length: str) -> list[onnx.ValueInfoProto]:
    return [
        _value(f"{name}.{i}.{part}", kind, "batch", shape.kv_heads, length, shape.head_dim)
        for i in range(shape.layers)
        for part in ("key", "value")
    ]


def model_of(
    shape: Shape, weights: Mapping[str, Array], layout: Layout = "past", precision: Precision = "fp32"
) -> list[tuple[str, onnx.ModelProto]]:
    """The model's graphs, each with the file name that exporters give it."""
    kind = TensorProto.FLOAT16 if precision == "fp16" else TensorProto.FLOAT
    suffix = {"fp32": "", "fp16": "_fp16", "int8": "_int8", "int4": "_q4"}[precision]
    basic = [
        _value("input_ids", TensorProto.INT64, "batch", "tokens"),
        _value("attention_mask", TensorProto.INT64, "batch", "total"),
    ]
    positions = [_value("position_ids", TensorProto.INT64, "batch", "tokens")]
    pasts = _pasts(shape, kind, "past_key_values", "past")
    presents = _pasts(shape, kind, "present", "total")
    logits = [_value("logits", TensorProto.FLOAT, "batch", "tokens", shape.vocab)]

    def written(
        graph: _Graph, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        made = helper.make_graph(graph.nodes, shape.family, inputs, outputs, list(graph.weights.values()))
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(made, opset_imports=opsets, ir_version=9)
        return _int8(model) if precision == "int8" else model

    def decoder(prefix: str = "", parent: _Graph | None = None) -> _Decoder:
        return _Decoder(_Graph(prefix, parent), shape, weights, precision)

    if layout == "fused":
        one = decoder()
        one.fused()
        return [(f"model{suffix}.onnx", written(one.g, basic + pasts, logits + presents))]
    if layout == "merged":
        outer = _Graph()
        branches = {}
        for name, past in (("then", True), ("else", False)):
            one = decoder(f"{name}_", outer)
            one.plain(past, True, f"{name}_")
            results = [
                helper.make_tensor_value_info(f"{name}_{v.name}", v.type.tensor_type.elem_type, None)
                for v in logits + presents
            ]
            branches[f"{name}_branch"] = helper.make_graph(one.g.nodes, name, [], results)
        outer.add_many("If", ["use_cache_branch"], [v.name for v in logits + presents], **branches)
        switch = [_value("use_cache_branch", TensorProto.BOOL, 1)]
        whole = written(outer, basic + positions + pasts + switch, logits + presents)
        return [(f"decoder_model_merged{suffix}.onnx", whole)]
    made = []
    kinds = {
        "past": [("model", True, True)],
        "pair": [("decoder_model", False, True), ("decoder_with_past_model", True, True)],
        "no-past": [("model", False, False)],
    }[layout]
    for name, past, remembers in kinds:
        one = decoder()
        one.plain(past, remembers)
        inputs = basic + positions + (pasts if past else [])
        made.append((f"{name}{suffix}.onnx", written(one.g, inputs, logits + (presents if remembers else []))))
    return made


def _int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights in int8, activations quantised as they come: what exporters call `int8` or `quantized`."""
    import tempfile

    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.onnx"
        quantize_dynamic(
            model,
            target,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
        return onnx.load(target)


def save(
    folder: Path,
    shape: Shape,
    weights: Mapping[str, Array],
    layout: Layout = "past",
    precision: Precision = "fp32",
    external: bool | None = None,
) -> list[Path]:
    """The graphs in `folder/onnx` and `config.json` beside it. `external`: weights in files of their own; None: when large."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(shape.config, indent=2))
    said = {"bos_token_id": 0, "eos_token_id": [1], "do_sample": False}
    (folder / "generation_config.json").write_text(json.dumps(said, indent=2))
    paths = []
    for name, model in model_of(shape, weights, layout, precision):
        path = folder / "onnx" / name
        large = sum(len(w.raw_data) for w in model.graph.initializer) > INLINE_BYTES
        if large if external is None else external:
            data = f"{name}_data"
            (path.parent / data).unlink(missing_ok=True)
            onnx.save_model(model, str(path), save_as_external_data=True, location=data, size_threshold=256)
        else:
            onnx.save_model(model, str(path))
        paths.append(path)
    return paths
