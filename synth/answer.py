"""The answer: a proved closure over the whole source, each record cast to its declared fields or set aside and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.broker import Meter
from sandbox.job import RunResult
from synth.gates.case import Case
from synth.gates.runs import fault_of
from synth.records import Unfit, caster, fields_of
from synth.schema import Field
from synth.source import Completeness, SetAside
from synth.trial import try_out

MOST_RECORDS = 100_000
"""So many records are handed back when the user sets no limit; all of them are counted."""

SECONDS = 900
"""The longest that a proved closure may run over its whole source."""


@dataclass(frozen=True)
class Answer:
    """Records with their fields, and whether they are all there are. `fault` says why the run over the whole source failed."""

    records: tuple[dict[str, object], ...]
    fields: tuple[Field, ...]
    completeness: Completeness
    total: int = 0
    fault: str | None = None


@dataclass(frozen=True)
class Delivery:
    """How a run over the whole source ended, once its records went to whoever took them; `total` counts those set aside too.
    `meter` is what it asked of the source."""

    result: RunResult
    completeness: Completeness
    total: int
    meter: Meter

    @property
    def fault(self) -> str | None:
        """Why the run failed; None when it did not."""
        return None if self.result.status == "ok" else fault_of(self.result).message


def answer(case: Case, limit: int | None) -> Answer:
    """Run the case's draft over its whole source. At most `limit` records are handed back; all are counted and cast."""
    collected = _Collected(MOST_RECORDS if limit is None else limit)
    patient = replace(case, limits=replace(case.limits, wall_seconds=SECONDS, cpu_seconds=SECONDS))
    delivery = deliver(patient, collected.take)
    declared = case.draft.output or case.output
    if delivery.fault is not None:
        return Answer((), declared, delivery.completeness, fault=delivery.fault)
    fields = declared or fields_of(collected.records)
    return Answer(tuple(collected.records), fields, collected.bounded(delivery.completeness), delivery.total)


def deliver(case: Case, take: Callable[[list[dict[str, object]]], None]) -> Delivery:
    """Run the case's draft over its whole source and hand its records, cast, to `take` as they come; nothing is kept here."""
    casting = _Casting(case.draft.output or case.output, take)
    case.source.completeness()  # what the sampling read is not part of this run
    trial = try_out(case.draft, case.source.capability, case.sandbox, case.limits, case.parameters, sink=casting.take)
    if trial.result.status != "ok":
        return Delivery(trial.result, Completeness("incomplete", "the run failed"), casting.total, trial.meter)
    return Delivery(trial.result, _complete(case.source.completeness(), casting), casting.total, trial.meter)


class _Collected:
    """Keeps as many records as are wanted and counts the others."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.records: list[dict[str, object]] = []
        self.given = 0

    def take(self, batch: list[dict[str, object]]) -> None:
        """Count a batch; keep what is wanted of it."""
        self.given += len(batch)
        self.records += batch[: max(0, self.most - len(self.records))]

    def bounded(self, read: Completeness) -> Completeness:
        """The run's completeness, less what was not kept."""
        if read.state != "complete" or self.given == len(self.records):
            return read
        reason = f"the first {len(self.records)} of {self.given} records; raise --limit for more"
        return replace(read, state="bounded", reason=reason)


class _Casting:
    """Casts records to the declared fields on their way; sets aside those that do not fit."""

    def __init__(self, fields: tuple[Field, ...], take: Callable[[list[dict[str, object]]], None]) -> None:
        self.total = 0
        self.aside: list[SetAside] = []
        self.aside_count = 0
        self._cast = caster(fields) if fields else dict[str, object]
        self._take = take

    def take(self, batch: list[dict[str, object]]) -> None:
        """Cast a batch and pass it on."""
        fit: list[dict[str, object]] = []
        for record in batch:
            self.total += 1
            try:
                fit.append(self._cast(record))
            except Unfit as error:
                self.aside_count += 1
                if len(self.aside) < 20:
                    self.aside.append(SetAside("answer", self.total, str(error), repr(record)[:200]))
        self._take(fit)


def _complete(read: Completeness, casting: _Casting) -> Completeness:
    if not casting.aside_count:
        return read
    reason = (
        f"{casting.aside_count} of {casting.total} records did not fit the declared fields: {casting.aside[0].rule}"
    )
    return replace(
        read,
        state="incomplete",
        reason=f"{read.reason}; {reason}" if read.reason else reason,
        set_aside=(*read.set_aside, *casting.aside),
        set_aside_count=read.set_aside_count + casting.aside_count,
    )
