"""Altered copies of sampled rows: the same shape, with something changed that the answer must, or must not, follow."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from synth.plan import Aggregate, Column, Compare, Plan, Value, walk

if TYPE_CHECKING:
    import pyarrow as pa

    from synth.schema import Schema


MOST_ROWS = 2_000
"""A disturbed copy of a larger table is made of so many of its rows."""


def emptied(rows: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """No rows at all."""
    return {name: table.slice(0, 0) for name, table in rows.items()}


def shuffled(rows: Mapping[str, pa.Table], seed: int = 7) -> dict[str, pa.Table]:
    """The same rows in another order."""
    chance = random.Random(seed)
    return {name: _taken(table, chance.sample(range(table.num_rows), table.num_rows)) for name, table in rows.items()}


def disturbed(
    rows: Mapping[str, pa.Table],
    schema: Schema,
    plan: Plan | None = None,
    now: datetime | None = None,
    nulls: bool = True,
    seed: int = 7,
) -> dict[str, pa.Table]:
    """Rows shuffled, one in seven twice; figures changed (never a key's); nulls where nulls were seen, if `nulls`; and, where
    the plan compares a column with a value, rows that hold exactly that value and its neighbours, but no moment after `now`.

    No row comes twice where the plan counts different values: what is told apart there may be told apart by being rows."""
    chance = random.Random(seed)
    keys = _key_columns(schema)
    made: dict[str, pa.Table] = {}
    for name, table in rows.items():
        order = chance.sample(range(table.num_rows), min(table.num_rows, MOST_ROWS))
        if (name, None) not in keys and not _counts_different(plan):
            order += [i for i in order if chance.random() < 1 / 7]
        kept = {c for t, c in keys if t == name and c}
        nullable = {f.name for f in schema.table(name).fields if f.nulls} if nulls else set()
        made[name] = _changed(_taken(table, order), kept, nullable, _bounds(plan, name, now), chance)
    return made


def _counts_different(plan: Plan | None) -> bool:
    return any(isinstance(n, Aggregate) and n.function == "count_distinct" for n in walk(plan)) if plan else False


def _bounds(plan: Plan | None, table: str, now: datetime | None) -> dict[str, list[object]]:
    """The values that the plan compares each column of a table with, and those just beside them; none that lies ahead."""
    found: dict[str, list[object]] = {}
    for node in walk(plan) if plan else ():
        if not isinstance(node, Compare) or not isinstance(node.left, Column) or not isinstance(node.right, Value):
            continue
        if node.left.table == table:
            beside = [v for v in _beside(node.right.value) if now is None or not _ahead(v, now)]
            found.setdefault(node.left.name, []).extend(beside)
    return found


def _beside(value: object) -> list[object]:
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float | Decimal):
        return [value, value + 1, value - 1]
    if isinstance(value, date):
        day = timedelta(days=1)
        return [value, value + day, value - day]
    return [value]


def _ahead(value: object, now: datetime) -> bool:
    """Whether a moment has not come yet: no row holds it, and a closure may leave it open."""
    if isinstance(value, datetime):
        return value.date() > now.date()
    return isinstance(value, date) and value > now.date()


def _taken(rows: pa.Table, order: list[int]) -> pa.Table:
    import pyarrow as pa

    return rows.take(pa.array(order, pa.int64()))


def _key_columns(schema: Schema) -> set[tuple[str, str | None]]:
    """Columns that hold tables together; (table, None) for a table whose rows must stay single."""
    keys: set[tuple[str, str | None]] = set()
    for relation in schema.relations:
        keys |= {(relation.table, c) for c in relation.columns} | {(relation.to_table, c) for c in relation.to_columns}
        keys.add((relation.to_table, None))
    for table in schema.tables:
        keys |= {(table.name, c) for c in table.primary_key}
    return keys


def _changed(
    table: pa.Table, keep: set[str], nullable: set[str], bounds: Mapping[str, list[object]], chance: random.Random
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name in keep:
            columns.append(column)
            continue
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type):
            column = _figures(column, field.type)
        if field.name in bounds:
            column = _with(column, bounds[field.name], chance)
        if field.name in nullable:
            empty = pa.array([chance.random() < 1 / 11 for _ in range(table.num_rows)], pa.bool_())
            column = pc.if_else(empty, pa.scalar(None, field.type), column)
        columns.append(column)
    return pa.Table.from_arrays(columns, names=table.column_names)


def _with(column: Any, values: list[object], chance: random.Random) -> Any:
    """The column with each value in a few places; as it was where its type cannot hold them."""
    import pyarrow as pa

    held = column.to_pylist()
    if not held:
        return column
    for value in values:
        for _ in range(2):
            held[chance.randrange(len(held))] = value
    try:
        return pa.chunked_array([pa.array(held, column.type)])
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError):
        return column


def _figures(column: Any, kind: pa.DataType) -> Any:
    """Every second figure becomes its neighbour's: values stay plausible, rows do not."""
    import pyarrow as pa

    values = column.to_pylist()
    values[1::2] = reversed(values[1::2])
    return pa.chunked_array([pa.array(values, kind)])
