"""Gate 4: the answer follows the data. Judged on sample B, on altered copies, by a witness, and by what the request states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.finding import Finding
from synth.gates import stated, witness, written
from synth.gates.altered import disturbed, emptied, shuffled
from synth.gates.case import Case
from synth.gates.probes import Answer, Prober, in_order, some_of
from synth.gates.runs import fault_of
from synth.plan import Aggregate, Plan, Value, walk
from synth.records import Record, bag

if TYPE_CHECKING:
    import pyarrow as pa


ORDERED = re.compile(r"\b(?:sort(?:ed)?|order(?:ed)? by|top|descending|ascending|rank(?:ed)?)\b", re.IGNORECASE)


def findings_of(case: Case) -> Iterable[Finding]:
    """The first thing found, in order of how well it explains itself."""
    for check in (
        written.findings_of,
        _runs_on_b,
        _reads_all,
        _nothing_from_nothing,
        _parameters,
        _witness,
        _order_of_rows,
        _probed,
        stated.findings_of,
        _expected,
    ):
        findings = tuple(check(case))
        if findings:
            return findings
    return ()


def _runs_on_b(case: Case) -> Iterator[Finding]:
    result = case.on_b.result
    if result.status != "ok":
        fault = fault_of(result)
        yield Finding(
            "faithful", "fails-on-other-rows", f"over rows that were kept back: {fault.message}", line=fault.line
        )


def _reads_all(case: Case) -> Iterator[Finding]:
    """An API's closure must have taken every item of the collections that it touched."""
    if case.task.shape != "http":
        return
    paths = {str(call.args[0]).split("?")[0].strip("/") for call in case.on_a.calls if call.args}
    items = sum(
        case.sample.b[t.name].num_rows
        for t in case.source.tables()
        if t.path.strip("/") in paths and t.name in case.sample.b
    )
    delivered = sum(_items_in(batch) for call in case.on_b.calls for batch in call.batches)
    if delivered < items:
        yield Finding(
            "faithful",
            "first-page-only",
            f"the collection has {items} items, and the closure read {delivered} of them",
            hint="Use source.pages(path), which reads every page.",
        )
    else:
        case.note("faithful", f"all {items} items read")


def _items_in(batch: object) -> int:
    """Items in one batch of pages(), or in the body that one get() gave: the longest list of objects in it."""
    rows = getattr(batch, "num_rows", None)
    if rows is not None:
        return int(rows)
    assert isinstance(batch, list)
    if all(isinstance(value, dict) for value in batch) and len(batch) != 1:
        return len(batch)
    held = batch[0] if len(batch) == 1 else batch
    lists = [held, *held.values()] if isinstance(held, dict) else [held]
    lists += [v for inner in lists if isinstance(inner, dict) for v in inner.values()]
    return max((len(v) for v in lists if isinstance(v, list)), default=1)


def _nothing_from_nothing(case: Case) -> Iterator[Finding]:
    """Over no rows at all there is no record left that was there over the sample: that one would be made up."""
    trial = case.run(emptied(case.b))
    if trial.result.status != "ok":
        fault = fault_of(trial.result)
        yield Finding("faithful", "fails-on-no-rows", f"over an empty source: {fault.message}", line=fault.line)
        return
    seen = bag(case.on_b.records)
    for record in trial.records:
        if any(v not in (None, 0, "", False) for v in record.values()) and bag([record]) <= seen:
            yield Finding(
                "faithful",
                "hard-coded",
                "with every row taken away, the closure still gives this record",
                record=record,
                hint="Every value must come from the source.",
            )
            return


def _witness(case: Case) -> Iterator[Finding]:
    """Over sample B and over a disturbed copy, the records are what the builtin's reading of the request gives.

    A reading that itself contradicts what the request states is no witness against a draft that does not."""
    plan = case.draft.plan if isinstance(case.draft.plan, Plan) else witness.plan_of(case.task)
    if plan is None:
        case.note("faithful", "no independent witness: the builtin is not sure of this request")
        return
    folded: Mapping[str, frozenset[str]] = getattr(case.source, "folded", {})
    loose = any(c.name in folded.get(c.table, ()) for c in plan.columns())
    alike = witness.folded_text if loose else list

    def answer(rows: Mapping[str, pa.Table]) -> list[dict[str, object]]:
        return witness.answer_of(plan, case.task, rows, case.parameters, folded)

    finding = witness.disagreement(plan, alike(answer(case.b)), alike(case.on_b.records), "rows that were kept back")
    if finding is None:
        for nulls in (True, False):
            rows = disturbed(case.b, case.task.schema, plan, case.task.request.now, nulls)
            altered = case.run(rows)
            if altered.result.status == "ok":
                break
            # A draft that raises where a value is missing is honest, and it may know that none is missing there.
        if altered.result.status != "ok":
            fault = fault_of(altered.result)
            yield Finding(
                "faithful",
                "fails-on-other-rows",
                f"over a copy with changed and doubled rows: {fault.message}",
                line=fault.line,
            )
            return
        finding = witness.disagreement(
            plan, alike(answer(rows)), alike(altered.records), "a disturbed copy of the rows"
        )
    if finding is None:
        case.witnessed = True
        who = "its own plan, asked directly" if case.draft.plan else "the builtin's reading"
        case.confirm("faithful", "plan" if case.draft.plan else "witness")
        case.note("faithful", f"agrees with {who} on {len(case.on_b.records)} records and on a disturbed copy")
    elif case.draft.plan is None and (doubt := _contradicted(case, plan, answer)):
        case.note("faithful", f"the builtin reads the request otherwise, and wrongly: {doubt.message}")
    else:
        yield finding if case.draft.plan else replace(finding, hint=f"{finding.hint} {_read_as(plan)}".strip())


def _read_as(plan: Plan) -> str:
    """How the request reads, for who wrote something else; stored values in quotes, as everywhere in a finding."""
    from synth.understand.reading import reading_of

    said = reading_of(plan)
    for text in sorted({n.value for n in walk(plan) if isinstance(n, Value) and isinstance(n.value, str)}, key=len):
        shown = repr(text).replace("\\", "\\\\")
        said = re.sub(rf"(?<![\w'\"]){re.escape(text)}(?![\w'\"])", shown, said)
    return f"The request reads as: {said}."


def _contradicted(case: Case, plan: Plan, answer: Answer) -> Finding | None:
    """What the request states that a witness' own answers contradict."""
    figures = [o.name for o in plan.outputs if isinstance(o.of, Aggregate)]
    if figures and case.facts.listing_of_things:
        return Finding(
            "faithful", "unasked-figure", f"it shows {figures[0]}, a figure that the request does not ask for"
        )
    if plan.top_per and case.facts.groups and len({*plan.top_per.by}) > case.facts.group_words:
        return Finding("faithful", "wrong-groups", "it takes the first of finer groups than the request speaks of")
    if case.facts.top and plan.limit is None and plan.top_per is None:
        return Finding("faithful", "too-many", f"it takes all, and the request asks for {case.facts.top}")
    names = " ".join(c.name for c in plan.columns()) + f" {plan.table} " + " ".join(j.table for j in plan.joins)
    numbers = " ".join(str(n.value) for n in walk(plan) if isinstance(n, Value))
    prober = Prober(
        case.facts,
        case.task.schema,
        some_of(case.b, case.task.schema),
        f"{names} {numbers}",
        answer,
        case.task.request.now,
    )
    return next(prober.findings(), None)


def _probed(case: Case) -> Iterator[Finding]:
    """Where no witness agreed, what the request states is held against the answers over rows made for it; where one did,
    only that fields hold what they are called."""
    if case.draft.plan is not None:
        return

    def answer(rows: Mapping[str, pa.Table]) -> tuple[dict[str, object], ...] | None:
        trial = case.run(rows)
        return trial.records if trial.result.status == "ok" else None

    prober = Prober(
        case.facts, case.task.schema, some_of(case.b, case.task.schema), case.draft.code, answer, case.task.request.now
    )
    found = next(prober.labelled(case.on_b.records, case.b) if case.witnessed else prober.findings(), None)
    if found:
        yield found
    if found or case.witnessed:
        return
    for evidence in prober.evidence():
        case.confirm("faithful", evidence)
    if prober.confirms:
        case.note("faithful", f"checked over made-up rows: {', '.join(dict.fromkeys(prober.confirms))}")


def _parameters(case: Case) -> Iterator[Finding]:
    """Every parameter changes the answer: at least one of two far values of it does."""
    if case.draft.plan is not None or not case.on_b.records:
        return
    before = bag(case.on_b.records)
    for parameter in case.draft.parameters:
        if parameter.name in case.task.request.parameters or parameter.default is None:
            continue
        for value in _far(parameter.default):
            trial = case.run(case.b, parameters={**case.parameters, parameter.name: value})
            if trial.result.status != "ok" or bag(trial.records) != before:
                break
        else:
            yield Finding(
                "faithful",
                "ignored-parameter",
                f"the parameter {parameter.name!r} changes nothing: with {value!r} for it the closure gives the same records",
                hint="Use the parameter where its value stands now.",
            )
            return


def _far(value: object) -> tuple[object, ...]:
    """Values of the same type that are far from this one on either side."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, datetime):
        return (datetime(1900, 1, 1, tzinfo=value.tzinfo), datetime(2100, 1, 1, tzinfo=value.tzinfo))
    if isinstance(value, date):
        return (date(1900, 1, 1), date(2100, 1, 1))
    if isinstance(value, Decimal):
        return (abs(value) * 1000 + 100_000, -abs(value) * 1000 - 100_000)
    if isinstance(value, int | float):
        return (abs(value) * 1000 + 100_000, -abs(value) * 1000 - 100_000)
    return (f"{value} ~",) if isinstance(value, str) else ()


def _order_of_rows(case: Case) -> Iterator[Finding]:
    """The same rows in another order give the same records. A disturbed copy that a witness confirmed was in another order."""
    if case.witnessed:
        return
    trial = case.run(shuffled(case.b))
    before, after = bag(case.on_b.records), bag(trial.records)
    if trial.result.status == "ok" and before != after and len(trial.records) != len(case.on_b.records):
        yield Finding("faithful", "depends-on-row-order", "the same rows in another order give other records")


def _expected(case: Case) -> Iterator[Finding]:
    """Where the user gave the right records, the whole source must give exactly those."""
    expected = case.task.request.expected
    if expected is None:
        return
    trial = case.on_whole
    if bag(trial.records) == bag(expected):
        if _ordered_otherwise(case, trial.records, expected):
            yield Finding(
                "faithful",
                "out-of-order",
                "the records are those that were expected, in another order",
                record=trial.records[0],
                hint="Sort them as the request says.",
            )
            return
        case.note("faithful", f"equal to the {len(expected)} expected records")
        case.confirm("faithful", "expected records")
        return
    from deepdiff import DeepDiff

    # Long lists that differ in much are told apart by what comes first; pairing all their records takes minutes.
    difference = DeepDiff(
        list(expected[:40]),
        list(trial.records[:40]),
        ignore_order=True,
        max_diffs=2000,
        cutoff_intersection_for_pairs=1,
    )
    yield Finding(
        "faithful",
        "not-as-expected",
        f"{len(expected)} records were expected, the closure gave {len(trial.records)}: {difference.pretty()[:400]}",
        record=trial.records[0] if trial.records else None,
    )


def _ordered_otherwise(case: Case, given: Sequence[Record], expected: Sequence[Record]) -> bool:
    """Whether an order is asked for, the expected records stand in one, and the given ones in none of theirs."""
    if not (case.facts.direction or ORDERED.search(case.task.request.text)):
        return False
    kept = [
        (c, down) for c in (expected[0] if expected else ()) for down in (True, False) if in_order(expected, c, down)
    ]
    return bool(kept) and not any(in_order(given, column, down) for column, down in kept)
