"""Small models for the tests: a vocabulary of bytes, and folders laid out as exporters leave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from training.onnx_shapes import Layout, Precision, Shape, save, weights_of

SPECIAL = ("<s>", "</s>", "<pad>")
VOCAB = 384
TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)


def byte_tokenizer() -> str:
    """A tokenizer with a token for each byte, three special ones before them and some pairs after them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [
        ("d", "e"),
        ("de", "f"),
        ("Ġ", "Ġ"),
        ("ĠĠ", "ĠĠ"),
        ("i", "n"),
        ("r", "o"),
        ("ro", "w"),
        ("`", "`"),
        ("``", "`"),
    ]
    vocab = {token: number for number, token in enumerate([*SPECIAL, *alphabet, *(a + b for a, b in pairs)])}
    vocab |= {f"<unused{n}>": n for n in range(len(vocab), VOCAB)}
    made = Tokenizer(models.BPE(vocab=vocab, merges=pairs))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return str(made.to_str())


def model_folder(
    folder: Path,
    shape: Shape,
    layout: Layout = "past",
    precision: Precision = "fp32",
    external: bool | None = None,
    generation: Mapping[str, object] | None = None,
    template: str = TEMPLATE,
) -> Path:
    """A whole model, with random weights that are the same each time."""
    save(folder, shape, weights_of(shape), layout, precision, external)
    (folder / "tokenizer.json").write_text(byte_tokenizer())
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<pad>",
        **({"chat_template": template} if template else {}),
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    return folder
