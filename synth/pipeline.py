"""The whole story of one request, in order. Read this file first.

A request and an open source go in; an outcome comes out: records and a closure with its verdict, or an honest no.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from corpus.memory import Example, Memory
from sandbox.job import Limits, Sandbox
from synth.answer import answer
from synth.evidence import schema_of
from synth.gates.case import Case
from synth.gates.verdict import judge
from synth.keep import keep, record
from synth.lookup import finder
from synth.models.problem import ModelProblem
from synth.outcome import Attempt, Outcome
from synth.request import Draft, Mended, Refusal, Request, Task, Writer
from synth.source import Sample, Source

SAMPLE_ROWS = 200
REPAIRS = 2
FRESH_DRAFTS = 2
FINAL = ("unsafe", "empty-request")
"""Refused for these reasons, a request goes to no other writer."""


@dataclass(frozen=True)
class Tools:
    """What the pipeline works with; all of it opened at the edge and handed in. `save_as` names the closure that
    is kept, `provenance` (`source`, `access`) says with it where it read and how it signed on, without secrets."""

    writers: Sequence[Writer]
    sandbox: Sandbox
    memory: Memory | None
    limits: Limits = field(default_factory=Limits)
    sample_rows: int = SAMPLE_ROWS
    limit: int | None = None
    save_as: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda _stage: None


def ask(request: Request, source: Source, tools: Tools) -> Outcome:
    """Work out what is meant, have it written, prove it, run it on the whole source, and remember how it went."""
    clock = Clock(tools.progress)
    with clock("sample"):
        sample = source.sample(tools.sample_rows)
    with clock("schema"):
        schema = schema_of(source, sample)
    task = Task(request, schema, source.shape, source.dialect, source.kind, finder(source, schema, sample))
    outcome = Outcome("refused", "no writer is configured", schema, ())
    for writer in tools.writers:
        with clock("retrieve"):
            examples = recall(task, writer, tools.memory)
        told = replace(task, examples=tuple((e.request, e.code) for e in examples))
        attempts = attempts_of(writer, told, source, sample, tools, clock)
        outcome = replace(outcome, attempts=(*outcome.attempts, *attempts), examples=examples)
        last = attempts[-1]
        if last.verdict and last.verdict.passed and last.case:
            outcome = concluded(outcome, last.case, tools, clock)
            break
        if isinstance(last.written, Refusal) and last.written.rule in FINAL:
            break
    outcome = replace(with_message(outcome), timings_ms=clock.timings_ms)
    with clock("record"):
        record(outcome, task, tools.memory)
    return outcome


def recall(task: Task, writer: Writer, memory: Memory | None) -> tuple[Example, ...]:
    """Similar closures, for a writer that reads them."""
    if memory is None or not writer.reads_examples:
        return ()
    columns = tuple(f.name for t in task.schema.tables for f in t.fields)[:200]
    return memory.similar(task.request.text, task.shape, columns)


def attempts_of(
    writer: Writer, task: Task, source: Source, sample: Sample, tools: Tools, clock: Clock
) -> tuple[Attempt, ...]:
    """A draft, mended up to twice by what the gates found; then a fresh one. Ends at the first that holds, or at a refusal."""
    attempts: list[Attempt] = []
    for _fresh in range(FRESH_DRAFTS):
        mended: Mended | None = None
        for _repair in range(1 + REPAIRS):
            with clock("draft"):
                written = written_by(writer, task, mended)
            if isinstance(written, Refusal):
                # A refusal to mend leaves the draft's own findings as what the user should hear.
                return tuple(attempts) if mended else (*attempts, Attempt(writer.name, written))
            with clock("gates"):
                case = Case(written, task, source, sample, tools.sandbox, tools.limits)
                verdict = judge(case)
            attempts.append(Attempt(writer.name, written, verdict, case))
            if verdict.passed:
                return tuple(attempts)
            mended = Mended(written, verdict.findings)
    return tuple(attempts)


def written_by(writer: Writer, task: Task, mended: Mended | None) -> Draft | Refusal:
    """What the writer writes; a model that is out of reach is written down like one that would not, and the next is asked."""
    try:
        return writer.write(task, mended)
    except ModelProblem as problem:
        return Refusal("model-unavailable", str(problem))


def concluded(outcome: Outcome, case: Case, tools: Tools, clock: Clock) -> Outcome:
    """The proved closure over the whole source; and the closure kept."""
    with clock("answer"):
        given = answer(case, tools.limit)
    outcome = replace(outcome, status="ok" if given.fault is None else "failed", answer=given)
    if given.fault is None and tools.memory is not None:
        with clock("keep"):
            kept = keep(case, outcome, tools.memory, tools.save_as, tools.provenance)
        outcome = replace(outcome, closure_id=kept.id, closure_name=kept.name, closure_folder=str(kept.folder))
    return outcome


def with_message(outcome: Outcome) -> Outcome:
    """One sentence for the user: what was understood, or why not."""
    last = outcome.last
    if outcome.answer and outcome.answer.fault:
        return replace(
            outcome, message=f"the closure passed its gates, then failed on the whole source: {outcome.answer.fault}"
        )
    if outcome.status == "ok" and last and isinstance(last.written, Draft):
        return replace(outcome, message=last.written.reading or "answered")
    refusals = [a.written for a in outcome.attempts if isinstance(a.written, Refusal)]
    drafts = [a for a in outcome.attempts if a.verdict]
    if drafts and drafts[-1].verdict:
        found = "; ".join(str(f) for f in drafts[-1].verdict.findings[:3])
        return replace(outcome, status="failed", message=f"no draft passed the gates after {len(drafts)}: {found}")
    if refusals:
        reason = refusals[0]
        others = [r.reason for r in refusals[1:] if r.rule == "model-unavailable"]
        if others:
            return replace(outcome, message=f"{reason.reason}; and no other writer could be asked: {'; '.join(others)}")
        nearest = f" Nearest: {', '.join(reason.candidates[:5])}." if reason.candidates else ""
        return replace(outcome, message=f"{reason.reason}.{nearest}".replace("..", "."))
    return outcome


class Clock:
    """Adds up the milliseconds of each named step, and tells the user which one runs."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.timings_ms: dict[str, float] = {}
        self._progress = progress
        self._step = ""
        self._began = 0.0

    def __call__(self, step: str) -> Clock:
        """The clock, set to a step, for a `with` block."""
        self._step = step
        self._progress(step)
        return self

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = (time.perf_counter() - self._began) * 1000
        self.timings_ms[self._step] = round(self.timings_ms.get(self._step, 0.0) + spent, 1)
