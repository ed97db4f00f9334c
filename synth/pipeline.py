"""The whole story of one request, in order. Read this file first.

A request and an open source go in; an outcome comes out: records and a closure with its verdict, or an honest no.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from corpus.memory import Example, Memory
from sandbox.job import Limits, Sandbox
from synth.agreement import best_last
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
    """What the pipeline works with; all of it opened at the edge and handed in. `drafts`: so many independent first drafts of
    a model, chosen by agreement. `save_as` names the closure that is kept, `provenance` (`source`, `access`) says with it
    where it read and how it signed on, without secrets."""

    writers: Sequence[Writer]
    sandbox: Sandbox
    memory: Memory | None
    limits: Limits = field(default_factory=Limits)
    sample_rows: int = SAMPLE_ROWS
    limit: int | None = None
    drafts: int = 1
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
        # A draft that nothing confirms is held against the next writer's.
        if last.confirmations or (isinstance(last.written, Refusal) and last.written.rule in FINAL):
            break
    if any(a.passed for a in outcome.attempts):
        outcome = replace(outcome, attempts=tuple(best_last(outcome.attempts)))
    if outcome.last and outcome.last.case and outcome.last.passed:
        outcome = concluded(outcome, outcome.last.case, tools, clock)
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
    """First drafts, of which the one that most agree with is mended up to twice by what the gates found; then fresh ones. Ends at the
    first that holds, or at a refusal."""
    attempts: list[Attempt] = []
    for _fresh in range(FRESH_DRAFTS):
        with clock("draft"):
            drafts = first_drafts(writer, task, tools.drafts)
        with clock("gates"):
            attempts += best_last([tried(writer, draft, task, source, sample, tools) for draft in drafts])
        for _repair in range(REPAIRS):
            last = attempts[-1]
            if isinstance(last.written, Refusal) or last.passed:
                return tuple(attempts)
            with clock("draft"):
                mended = written_by(writer, task, Mended(last.written, last.verdict.findings if last.verdict else ()))
            if isinstance(mended, Refusal):
                # A refusal to mend leaves the draft's own findings as what the user should hear.
                return tuple(attempts)
            with clock("gates"):
                attempts.append(tried(writer, mended, task, source, sample, tools))
        if attempts[-1].passed:
            break
    return tuple(attempts)


def tried(
    writer: Writer, written: Draft | Refusal, task: Task, source: Source, sample: Sample, tools: Tools
) -> Attempt:
    """What was written, taken through the gates."""
    if isinstance(written, Refusal):
        return Attempt(writer.name, written)
    case = Case(written, task, source, sample, tools.sandbox, tools.limits)
    return Attempt(writer.name, written, judge(case), case)


def first_drafts(writer: Writer, task: Task, count: int) -> tuple[Draft | Refusal, ...]:
    """So many drafts written independently of each other, from a writer that can; else one."""
    many = getattr(writer, "write_many", None)
    if count == 1 or many is None:
        return (written_by(writer, task),)
    try:
        return tuple(many(task, count))
    except ModelProblem as problem:
        return (Refusal("model-unavailable", str(problem)),)


def written_by(writer: Writer, task: Task, mended: Mended | None = None) -> Draft | Refusal:
    """What the writer writes; a model that is out of reach is written down like one that would not, and the next is asked."""
    try:
        return writer.write(task, mended)
    except ModelProblem as problem:
        return Refusal("model-unavailable", str(problem))


def concluded(outcome: Outcome, case: Case, tools: Tools, clock: Clock) -> Outcome:
    """The proved closure over the whole source; and the closure kept."""
    with clock("answer"):
        given = answer(case, tools.limit)
    confirmed = outcome.last is not None and bool(outcome.last.confirmations)
    status = "failed" if given.fault is not None else "ok" if confirmed else "unconfirmed"
    outcome = replace(outcome, status=status, answer=given)
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
    if outcome.answer and last and isinstance(last.written, Draft):
        reading = last.written.reading or "answered"
        return replace(outcome, message=reading if outcome.status == "ok" else f"{reading.rstrip('.')}: {doubt(last)}")
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


def doubt(last: Attempt) -> str:
    """Why a draft that passed every gate is not confirmed, and what the user can do about it."""
    if last.passing > 1:
        agree = "no two" if last.agreeing == 1 else f"only {last.agreeing}"
        return f"of {last.passing} drafts that passed the gates, {agree} gave the same answer. Say it in other words"
    return (
        "every gate passed, but nothing independent could be held against the answer. "
        "Ask for several drafts (--drafts 3), or give the records that you expect (--expect)"
    )


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
