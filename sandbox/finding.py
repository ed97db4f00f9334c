"""A finding: one thing a gate holds against a closure, in words that a person and a model can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gate = Literal["policy", "runs", "typed", "faithful", "repeatable", "bounded"]
GATES: tuple[Gate, ...] = ("policy", "runs", "typed", "faithful", "repeatable", "bounded")


@dataclass(frozen=True)
class Finding:
    """What was expected, what came, where, and what to do.

    `rule` is a short stable name (`import-not-allowed`, `hard-coded`); `line` counts from 1 in the closure's code;
    `record` is the smallest failing example, already plain and bounded.
    """

    gate: Gate
    rule: str
    message: str
    line: int | None = None
    record: object = None
    hint: str = ""

    def __str__(self) -> str:
        where = f" (line {self.line})" if self.line else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.gate}/{self.rule}{where}: {self.message}{hint}"
