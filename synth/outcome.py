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
    """One draft, or one refusal to draft, and what the gates said. Where several drafts passed them (`passing`), `agreeing` of those
    gave this one's answer, itself among them."""

    writer: str
    written: Draft | Refusal
    verdict: Verdict | None = None
    case: Case | None = None
    agreeing: int = 1
    passing: int = 1

    @property
    def passed(self) -> bool:
        """Whether it is a draft that every gate let through."""
        return self.verdict is not None and self.verdict.passed

    @property
    def confirmations(self) -> tuple[str, ...]:
        """What stands behind the draft beside itself: evidence that the gates had, and other drafts with the same answer.

        Where other drafts that passed say something else, a fact that the request states is not enough to tell them apart.
        """
        if self.verdict is None or not self.passed:
            return ()
        found = tuple(c for report in self.verdict.reports for c in report.confirms)
        if self.passing == 1:
            return found
        if 2 * self.agreeing > self.passing:
            return (*found, f"{self.agreeing} of {self.passing} drafts agree")
        return tuple(c for c in found if not c.startswith("stated"))


@dataclass(frozen=True)
class Outcome:
    """`ok`: the last attempt passed every gate, something independent confirmed it, and `answer` holds its records.
    `unconfirmed`: the same, but nothing was there to confirm it. `refused`: nobody would write a closure.
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

    @property
    def passed_over(self) -> tuple[tuple[str, str], ...]:
        """The writers that were asked and whose closure it is not, each with why: its refusal, what was found, or nothing confirming."""
        found: dict[str, str] = {}
        for attempt in self.attempts:
            if self.last and attempt.writer != self.last.writer:
                found[attempt.writer] = _why_not(attempt)
        return tuple(found.items())


def _why_not(attempt: Attempt) -> str:
    if isinstance(attempt.written, Refusal):
        return attempt.written.reason
    if attempt.verdict and attempt.verdict.findings:
        return str(attempt.verdict.findings[0])
    return "nothing confirmed its answer"
