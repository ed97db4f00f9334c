"""The tokenizer and the chat template that lie in a model's folder, by transformers; torch is never imported."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.models.problem import ModelProblem
from synth.models.wire import shown


class Words:
    """Text to tokens and back, and a conversation to the prompt that the model was taught."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = _loaded(folder)
        self._name = folder.name

    @property
    def has_template(self) -> bool:
        """Whether the folder has a chat template; without one a conversation is written down plainly."""
        return bool(self._tokenizer.chat_template)

    @property
    def stop(self) -> int | None:
        """The token that ends a text."""
        found = self._tokenizer.eos_token_id
        return found if isinstance(found, int) else None

    @property
    def size(self) -> int:
        """One more than the highest token there is; a model may have logits for more, or lack some."""
        return 1 + int(max(self._tokenizer.get_vocab().values()))

    @property
    def as_json(self) -> str:
        """The tokenizer in the tokenizers library's own form, with every token that was added to it."""
        backend = type(self._tokenizer.backend_tokenizer).from_str(self._tokenizer.backend_tokenizer.to_str())
        backend.no_padding()
        backend.no_truncation()
        return str(backend.to_str())

    def prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The tokens of a conversation, ending where the model shall answer. Raises ModelProblem for a template that fails."""
        if not self.has_template:
            return self.tokens("".join(f"{m['content'].rstrip()}\n\n" for m in messages), special=True)
        try:
            text = self._rendered(messages)
        except ModelProblem:
            # Some templates know no system's part: what it says is then said first.
            system = [m["content"] for m in messages if m["role"] == "system"]
            others = [dict(m) for m in messages if m["role"] != "system"]
            if not system or not others:
                raise
            others[0]["content"] = "\n\n".join([*system, others[0]["content"]])
            text = self._rendered(others)
        return self.tokens(text)

    def _rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        try:
            text = self._tokenizer.apply_chat_template(
                [dict(m) for m in messages], tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        except Exception as error:  # a template is a program of the model's maker: it may raise what it likes
            raise ModelProblem(
                f"the chat template of {self._name} fails: {shown(str(error), 160)}",
                "Fetch the model again, or mend its chat_template",
                "corrupt-model",
            ) from None
        return str(text)

    def tokens(self, text: str, special: bool = False) -> list[int]:
        """A text's tokens; `special`: with those that the tokenizer puts around a text."""
        return [int(t) for t in self._tokenizer.encode(text, add_special_tokens=special)]

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text, without those that are not meant to be read."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _loaded(folder: Path) -> Any:
    # Read when transformers is first imported: without torch it would say at each start that there is none.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        transformers = importlib.import_module("transformers")
    except ImportError:
        raise ModelProblem(
            "transformers is not installed", "Install it: pip install 'tars-closures[onnx]'", "missing-extra"
        ) from None
    try:
        return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as first:  # what a damaged tokenizer raises depends on where it is damaged
        try:
            return transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
        except Exception:
            raise ModelProblem(
                f"the tokenizer of {folder} cannot be read: {shown(str(first), 160)}", "Fetch it again", "corrupt-model"
            ) from None
