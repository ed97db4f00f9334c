"""The answer: a proved closure over the whole source, each record cast to its declared fields or set aside and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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


def answer(case: Case, limit: int | None) -> Answer:
    """Run the case's draft over its whole source. At most `limit` records are handed back; all are counted and cast."""
    most = MOST_RECORDS if limit is None else limit
    declared = case.draft.output or case.output
    collected = _Collected(most, declared)
    case.source.completeness()  # what the sampling read is not part of this run
    trial = try_out(case.draft, case.source.capability, case.sandbox, case.limits, case.parameters, sink=collected.take)
    if trial.result.status != "ok":
        return Answer((), declared, Completeness("incomplete", "the run failed"), fault=fault_of(trial.result).message)
    fields = declared or fields_of(collected.records)
    return Answer(tuple(collected.records), fields, _complete(case.source.completeness(), collected), collected.total)


class _Collected:
    def __init__(self, most: int, fields: tuple[Field, ...]) -> None:
        self.most = most
        self.records: list[dict[str, object]] = []
        self.total = 0
        self.aside: list[SetAside] = []
        self.aside_count = 0
        self._cast = caster(fields) if fields else dict[str, object]

    def take(self, batch: list[dict[str, object]]) -> None:
        """Cast a batch; keep as many as are wanted."""
        for record in batch:
            self.total += 1
            try:
                cast: Mapping[str, object] = self._cast(record)
            except Unfit as error:
                self.aside_count += 1
                if len(self.aside) < 20:
                    self.aside.append(SetAside("answer", self.total, str(error), repr(record)[:200]))
                continue
            if len(self.records) < self.most:
                self.records.append(dict(cast))


def _complete(read: Completeness, collected: _Collected) -> Completeness:
    given = collected.total - collected.aside_count
    if collected.aside_count:
        reason = f"{collected.aside_count} of {collected.total} records did not fit the declared fields: {collected.aside[0].rule}"
        read = replace(
            read,
            state="incomplete",
            reason=f"{read.reason}; {reason}" if read.reason else reason,
            set_aside=(*read.set_aside, *collected.aside),
            set_aside_count=read.set_aside_count + collected.aside_count,
        )
    if read.state == "complete" and given > len(collected.records):
        return replace(
            read,
            state="bounded",
            reason=f"the first {len(collected.records)} of {given} records; raise --limit for more",
        )
    return read
