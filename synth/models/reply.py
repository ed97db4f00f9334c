"""A reply: the text of a model, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Tokens in and out; `cost` by the user's own price table, None without one. `estimated`: the server did not say."""

    prompt: int = 0
    completion: int = 0
    cost: float | None = None
    estimated: bool = False

    @property
    def tokens(self) -> int:
        """In and out together."""
        return self.prompt + self.completion


class Reply(str):
    """The text itself; `usage` tells what it cost. A model that knows of no cost may give a plain str."""

    usage: Usage

    def __new__(cls, text: str, usage: Usage | None = None) -> Reply:
        made = super().__new__(cls, text)
        made.usage = usage or Usage()
        return made


def tokens_of(text: str) -> int:
    """About how many tokens a text is, rather too many than too few: a token of English, code or JSON has three bytes or more."""
    return (len(text.encode("utf-8", "surrogatepass")) + 2) // 3


def usage_of(reply: str, prompt: str) -> Usage:
    """What a reply cost, by its model's word or by an estimate."""
    return reply.usage if isinstance(reply, Reply) else Usage(tokens_of(prompt), tokens_of(reply), estimated=True)
