"""An independent witness: what the builtin's plan answers over the same rows, straight from DuckDB, beside what the closure gave."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.finding import Finding
from synth.plan import Column, Plan
from synth.records import bag, comparable
from synth.request import Refusal, Task

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Sequence[Mapping[str, object]]
LISTING = 3
"""A plan that puts out so many bare columns lists rows as they are."""


def plan_of(task: Task) -> Plan | None:
    """The builtin's reading of the request, where it is sure; None where it is not."""
    from synth.understand import understand

    understood = understand(task)
    return None if isinstance(understood, Refusal) else understood.plan


def answer_of(
    plan: Plan,
    task: Task,
    rows: Mapping[str, pa.Table],
    parameters: Mapping[str, object],
    folded: Mapping[str, frozenset[str]],
) -> list[dict[str, object]]:
    """The plan's answer over these rows. The user's own values for parameters stand in for the asked ones.

    `folded` are, by table, the text columns that the source compares without regard to case.
    """
    from synth.plan_sql import sql_of
    from synth.sources.duck import doors_over
    from synth.sources.sql_over import doors_like

    sql = sql_of(plan, task.schema, "duckdb")
    values = {v.parameter: parameters.get(v.parameter, v.value) for v in plan.values()}
    folds = any(c.name in folded.get(c.table, ()) for c in plan.columns())
    tables = task.schema.tables
    doors: Any = doors_like(tables, rows, "duckdb", folded) if folds else doors_over(tables, rows)
    try:
        batches = doors.query(sql.text, [values[name] for name in sql.parameters])
        return [row for batch in batches for row in batch.to_pylist()]
    finally:
        doors.close()


def folded_text(records: Rows) -> list[dict[str, object]]:
    """The records with case and accents taken off their texts: a source that ignores these may give any of several spellings."""
    from synth.lookup import fold

    return [{n: fold(v) if isinstance(v, str) else v for n, v in r.items()} for r in records]


def disagreement(plan: Plan, said: Rows, given: Rows, where: str) -> Finding | None:
    """How the closure's records differ from the witness', named as the mistake that it most looks like."""
    names = [o.name for o in plan.outputs]
    said = _as_days(names, said, given)
    columns = _columns(names, said, given)
    if _agree(plan, names, said, given, columns):
        return _out_of_order(plan, given, dict(zip(names, columns, strict=True)), where)
    expected, got = len(said), len(given)
    if expected != got:
        if _differ_in_ties(plan, names, said, given, columns):
            return None
        rule = "dropped-rows" if got < expected else "extra-rows"
        message = f"over {where} the request means {expected} records, the closure gave {got}"
        return Finding("faithful", rule, message, record=_first_difference(names, said, given, columns))
    wrong = [n for n, c in zip(names, columns, strict=True) if c is None] or names
    found = _first_difference(names, said, given, columns)
    return Finding(
        "faithful",
        "wrong-values",
        f"over {where} the closure's records differ from what the request means in {', '.join(wrong)}",
        record=found,
        hint="Check which columns are read and how they are combined.",
    )


def _as_days(names: Sequence[str], said: Rows, given: Rows) -> Rows:
    """The witness' moments cut to days where the closure has days in their place: how finely a time is shown is left open."""
    times = {n for n in names if any(isinstance(r.get(n), datetime) for r in said)}
    if not times or not given or any(isinstance(v, datetime) for v in given[0].values()):
        return said
    return [{n: v.date() if n in times and isinstance(v, datetime) else v for n, v in r.items()} for r in said]


def _out_of_order(plan: Plan, given: Rows, columns: Mapping[str, str | None], where: str) -> Finding | None:
    """Where the request asks for an order, neighbours must stand in it; an order by groups (top per …) is left open."""
    if plan.top_per or plan.distinct_on or not plan.order:
        return None
    order = plan.order[0]
    output = next((o for o in plan.outputs if o.of == order.of), None)
    column = columns.get(output.name) if output else None
    values = [r.get(column) for r in given] if column else []
    there = [v for v in values if v is not None]
    for number, (one, other) in enumerate(itertools.pairwise(there), 1):
        first, second = (other, one) if order.descending else (one, other)
        if _after(first, second):
            return Finding(
                "faithful",
                "out-of-order",
                f"over {where} the records do not stand in the order that the request asks for: {one!r} before {other!r}",
                record=dict(given[number - 1]),
                hint=f"Sort by {column}, {'highest' if order.descending else 'lowest'} first.",
            )
    return None


def _after(first: object, second: object) -> bool:
    """Whether the first sorts behind the second; False for kinds that do not compare."""
    try:
        return bool(first > second)  # type: ignore[operator]  # kinds that do not compare raise TypeError
    except TypeError:
        return False


def _differ_in_ties(plan: Plan, names: Sequence[str], said: Rows, given: Rows, columns: Sequence[str | None]) -> bool:
    """One side keeps the records that tie with the last one (of all, or of their group) and the other cuts them: the request
    leaves that open. Every record that only one side has must tie with one that both have."""
    if not (plan.limit or plan.top_per or plan.distinct_on) or not plan.order or None in columns:
        return False
    groups = plan.top_per.by if plan.top_per else plan.distinct_on
    by = [o.name for o in plan.outputs if o.of in (*groups, *(order.of for order in plan.order))]
    if len(by) < len({*groups, *(order.of for order in plan.order)}) or not said or not given:
        # What it sorts or groups by is not shown, and so no tie can be told.
        return False
    theirs = [{n: r.get(c or n) for n, c in zip(names, columns, strict=True)} for r in given]
    short, long = (said, theirs) if len(said) < len(given) else (theirs, said)
    if bag(short, names) - bag(long, names):
        return False
    return set(bag(long, by)) == set(bag(short, by))


def _agree(plan: Plan, names: Sequence[str], said: Rows, given: Rows, columns: Sequence[str | None]) -> bool:
    if len(said) != len(given):
        return False
    if _lists_rows(plan, names, columns):
        names, columns = _shared(names, columns)
    if None in columns:
        return not said
    known = [c for c in columns if c is not None]
    ours = bag([dict(zip(names, (r.get(n) for n in names), strict=True)) for r in said], names)
    theirs = bag([{n: r.get(c) for n, c in zip(names, known, strict=True)} for r in given], names)
    if ours == theirs:
        return True
    return cut_among_equals(plan) and _same_in_order(plan, said, given, dict(zip(names, known, strict=True)))


def _lists_rows(plan: Plan, names: Sequence[str], columns: Sequence[str | None]) -> bool:
    """A listing of whole rows, of which the closure gives some columns: the request named none, so some will do."""
    plain = not plan.group and all(isinstance(o.of, Column) for o in plan.outputs)
    return plain and len(names) >= LISTING and None in columns and any(columns)


def _shared(names: Sequence[str], columns: Sequence[str | None]) -> tuple[list[str], list[str | None]]:
    both = [(n, c) for n, c in zip(names, columns, strict=True) if c is not None]
    return [n for n, _ in both], [c for _, c in both]


def cut_among_equals(plan: Plan) -> bool:
    """Whether the plan may cut between rows that its order holds for equal, so that either is right."""
    return bool((plan.limit or plan.top_per or plan.distinct_on) and not plan.ties)


def _same_in_order(plan: Plan, said: Rows, given: Rows, columns: Mapping[str, str]) -> bool:
    """The same values in what the plan sorts and groups by: rows that tie there may stand for each other."""
    by = [order.of for order in plan.order] + list(plan.top_per.by if plan.top_per else plan.distinct_on)
    names = [o.name for o in plan.outputs if o.of in by]
    if not plan.order:
        return not plan.distinct_on or bag(said, names) == bag(
            [{n: r.get(columns[n]) for n in names} for r in given], names
        )
    return bool(names) and bag(said, names) == bag([{n: r.get(columns[n]) for n in names} for r in given], names)


def _columns(names: Sequence[str], said: Rows, given: Rows) -> list[str | None]:
    """For each of the witness' columns the closure's column of that name, else one that holds the same values."""
    if not given:
        return list(names) if not said else [None] * len(names)
    free = list(given[0])
    found: list[str | None] = []
    for name in names:
        if name in free:
            found.append(name)
            free.remove(name)
        else:
            found.append(None)
    for index, name in enumerate(names):
        if found[index] is None:
            same = next((c for c in free if bag(said, [name]) == bag([{name: r.get(c)} for r in given], [name])), None)
            if same is not None:
                found[index] = same
                free.remove(same)
    return found


def _first_difference(names: Sequence[str], said: Rows, given: Rows, columns: Sequence[str | None]) -> object:
    ours = [{n: r.get(n) for n in names} for r in said]
    theirs = [{n: r.get(c or n) for n, c in zip(names, columns, strict=True)} for r in given]
    missing = bag(ours, names) - bag(theirs, names)
    extra = bag(theirs, names) - bag(ours, names)

    def first(rows: Rows, left: object) -> object:
        assert isinstance(left, dict)
        return next((dict(r) for r in rows if tuple(comparable(r.get(n)) for n in names) in left), None)

    return {"expected": first(ours, missing), "got": first(theirs, extra)}
