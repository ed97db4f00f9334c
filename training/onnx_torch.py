"""Exports a decoder of transformers with torch, in the layout that the onnx model reads: one graph that takes and gives a past.

    /tmp/torch/bin/python -m training.onnx_torch MODEL_FOLDER NEW_FOLDER

It wants torch (2.13.0 was tried, on a processor) and transformers in an environment of their own. Qwen2, Llama and Phi3 exported
so say token for token what `onnx_parity.json` holds, as do the graphs of `onnx_shapes` and those of onnxruntime-genai's builder.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

BESIDE = (
    "config.json generation_config.json tokenizer.json tokenizer_config.json special_tokens_map.json chat_template.jinja"
).split()


def export(source: Path, target: Path) -> Path:
    """The graph of the model in `source`, with what lies beside it, in `target`."""
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(str(source), attn_implementation="eager").eval()
    config = model.config
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads

    class WithPast(torch.nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
        """The model with its past as plain tensors."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, *past: Any) -> tuple[Any, ...]:
            """Logits, and each layer's keys and values."""
            cache = transformers.DynamicCache()
            for i in range(layers):
                cache.update(past[2 * i], past[2 * i + 1], i)
            given = {"input_ids": input_ids, "attention_mask": attention_mask, "position_ids": position_ids}
            out = self.model(**given, past_key_values=cache, use_cache=True)
            presents = [part for layer in out.past_key_values.layers for part in (layer.keys, layer.values)]
            return (out.logits, *presents)

    parts = [f"{i}.{part}" for i in range(layers) for part in ("key", "value")]
    pasts, presents = [f"past_key_values.{p}" for p in parts], [f"present.{p}" for p in parts]
    example = (
        torch.randint(3, 100, (1, 3)),
        torch.ones(1, 8, dtype=torch.int64),
        torch.arange(5, 8)[None],
        *(torch.randn(1, heads, 5, width) for _ in pasts),
    )
    free = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "position_ids", "logits")}
    free |= {"attention_mask": {0: "batch", 1: "total"}}
    free |= {name: {0: "batch", 2: "past"} for name in pasts} | {name: {0: "batch", 2: "total"} for name in presents}
    graph = target / "onnx/model.onnx"
    graph.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        WithPast(),
        example,
        str(graph),
        input_names=["input_ids", "attention_mask", "position_ids", *pasts],
        output_names=["logits", *presents],
        dynamic_axes=free,
        opset_version=18,
        dynamo=False,
    )
    for name in BESIDE:
        if (source / name).is_file():
            shutil.copy(source / name, target / name)
    return graph


if __name__ == "__main__":
    print(export(Path(sys.argv[1]), Path(sys.argv[2])))
