"""The outcome of one request: every attempt, what the gates said of it, and the answer if one held."""

from __future__ import annotations

from dataclasses import dataclass, field

from corpus.memory import Example
from synth.answer import Answer
from synth.gates.case import Case
from synth.gates.verdict import Verdict
from synth.request import Draft, Refusal
from synth.schema import Schema


@dataclass(frozen=True)
class Attempt:
    """One draft, or one refusal to draft, and what the gates said."""

    writer: str
    written: Draft | Refusal
    verdict: Verdict | None = None
    case: Case | None = None


@dataclass(frozen=True)
class Outcome:
    """`ok`: the last attempt passed every gate and `answer` holds its records. `refused`: nobody would write a closure.
    `failed`: what was written did not hold."""

    status: str
    message: str
    schema: Schema
    attempts: tuple[Attempt, ...]
    answer: Answer | None = None
    closure_id: str = ""
    closure_name: str = ""
    closure_folder: str = ""
    examples: tuple[Example, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def last(self) -> Attempt | None:
        """The attempt that decided."""
        return self.attempts[-1] if self.attempts else None
