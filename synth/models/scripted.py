"""A model that plays prepared replies, in order: for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from synth.errors import BadRequest
from synth.models.text_writer import TextWriter
from synth.request import Writer


class Scripted:
    """Answers each call with the next reply and remembers what it was asked; the last reply is given again when they run out."""

    name = "scripted"
    local = True

    def __init__(self, replies: Iterable[str]) -> None:
        self.replies = list(replies)
        self.asked: list[list[dict[str, str]]] = []

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """The next reply."""
        self.asked.append(list(messages))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def complete_many(self, messages: Sequence[dict[str, str]], n: int) -> list[str]:
        """The next `n` replies."""
        return [self.complete(messages) for _ in range(n)]


def create(settings: str = "", share: str = "") -> Writer:
    """`scripted:FILE` plays the file: replies, one after the other, parted by lines of `---`."""
    path = Path(settings)
    if not settings or not path.is_file():
        raise BadRequest(
            f"no file with replies at {settings!r}", "Write --model scripted:FILE, replies parted by lines of ---"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"the replies in {settings!r} cannot be read: {type(error).__name__}") from error
    return TextWriter(Scripted(text.split("\n---\n")), share)
