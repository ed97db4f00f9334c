"""Gate 4: the answer follows the data. Judged on sample B, on altered copies, by a witness, and by what the request states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sandbox.finding import Finding
from synth.gates import stated, witness, written
from synth.gates.altered import disturbed, emptied, shuffled
from synth.gates.case import Case
from synth.gates.runs import fault_of
from synth.plan import Plan
from synth.records import bag


def findings_of(case: Case) -> Iterable[Finding]:
    """The first thing found, in order of how well it explains itself."""
    for check in (
        written.findings_of,
        _runs_on_b,
        _reads_all,
        _nothing_from_nothing,
        _witness,
        _order_of_rows,
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
    """Over sample B and over a disturbed copy, the records are what the builtin's reading of the request gives."""
    plan = case.draft.plan if isinstance(case.draft.plan, Plan) else witness.plan_of(case.task)
    if plan is None:
        case.note("faithful", "no independent witness: the builtin is not sure of this request")
        return
    folded: Mapping[str, frozenset[str]] = getattr(case.source, "folded", {})
    loose = any(c.name in folded.get(c.table, ()) for c in plan.columns())
    alike = witness.folded_text if loose else list
    said = witness.answer_of(plan, case.task, case.b, case.parameters, folded)
    finding = witness.disagreement(plan, alike(said), alike(case.on_b.records), "rows that were kept back")
    if finding is None:
        rows = disturbed(case.b, case.task.schema, plan)
        altered = case.run(rows)
        if altered.result.status != "ok":
            fault = fault_of(altered.result)
            yield Finding(
                "faithful",
                "fails-on-nulls",
                f"over a copy with nulls and doubled rows: {fault.message}",
                line=fault.line,
            )
            return
        finding = witness.disagreement(
            plan,
            alike(witness.answer_of(plan, case.task, rows, case.parameters, folded)),
            alike(altered.records),
            "a disturbed copy of the rows",
        )
    if finding:
        yield finding
    else:
        case.witnessed = True
        who = "its own plan, asked directly" if case.draft.plan else "the builtin's reading"
        case.confirm("faithful", "plan" if case.draft.plan else "witness")
        case.note("faithful", f"agrees with {who} on {len(said)} records and on a disturbed copy")


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
    trial = case.run_over(case.source.capability)
    if bag(trial.records) == bag(expected):
        case.note("faithful", f"equal to the {len(expected)} expected records")
        case.confirm("faithful", "expected records")
        return
    from deepdiff import DeepDiff

    difference = DeepDiff(
        list(expected), list(trial.records), ignore_order=True, max_diffs=2000, cutoff_intersection_for_pairs=1
    )
    yield Finding(
        "faithful",
        "not-as-expected",
        f"{len(expected)} records were expected, the closure gave {len(trial.records)}: {difference.pretty()[:400]}",
        record=trial.records[0] if trial.records else None,
    )
