"""Gate 3: every record has the declared fields, and every value the declared type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sandbox.finding import Finding
from synth.gates.case import Case
from synth.records import Unfit, caster, fields_of


def findings_of(case: Case) -> Iterable[Finding]:
    """Records that do not fit the declared output; where none was declared, the output is what sample B shows."""
    records = case.on_a.records
    if case.draft.output:
        case.output = case.draft.output
    elif case.on_b.result.status == "ok":
        case.output = fields_of([*records, *case.on_b.records])
    return [*_alike(records), *_unfit(case)][:3]


def _alike(records: tuple[dict[str, object], ...]) -> Iterator[Finding]:
    for number, record in enumerate(records, 1):
        if record.keys() != records[0].keys():
            different = sorted(record.keys() ^ records[0].keys())
            yield Finding(
                "typed",
                "fields-differ",
                f"record {number} and record 1 differ in their fields: {', '.join(different)}",
                record=record,
                hint="Yield the same keys every time; use None where there is no value.",
            )
            return


def _unfit(case: Case) -> Iterator[Finding]:
    cast = caster(case.output)
    for number, record in enumerate(case.on_a.records, 1):
        try:
            cast(record)
        except Unfit as error:
            yield Finding("typed", "wrong-type", f"record {number}: {error}", record=record)
            return
