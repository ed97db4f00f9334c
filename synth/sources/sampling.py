"""Samples that hold together: rows from all over a table, and with them the rows that they point at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING

from synth.schema import Relation

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[object, ...]
Fetch = Callable[[str, Sequence[str], Sequence[Key]], "pa.Table | None"]
_MOST_PARENTS = 20_000


def strided(rows: pa.Table, count: int) -> pa.Table:
    """About `count` rows spread over the table; the table itself when it is shorter."""
    if rows.num_rows <= count or count < 2:
        return rows
    last = rows.num_rows - 1
    return taken(rows, [round(i * last / (count - 1)) for i in range(count)])


def split(pool: pa.Table, rows: int) -> tuple[pa.Table, pa.Table]:
    """About `rows` rows from all over the pool to write with, and the others to judge with."""
    step = max(2, pool.num_rows // max(1, rows))
    mine = [i for i in range(pool.num_rows) if i % step == 0]
    others = [i for i in range(pool.num_rows) if i % step]
    return taken(pool, mine), taken(pool, others)


def taken(rows: pa.Table, numbers: Sequence[int]) -> pa.Table:
    """The rows at these places, from 0."""
    import pyarrow as pa

    return rows.take(pa.array(numbers, pa.int64()))


def together(parts: Sequence[pa.Table]) -> pa.Table:
    """Tables of one shape under each other."""
    import pyarrow as pa

    return pa.concat_tables(list(parts), promote_options="permissive").combine_chunks()


def bring_parents(
    part: MutableMapping[str, pa.Table],
    relations: Sequence[Relation],
    whole: Mapping[str, pa.Table],
    fetch: Fetch,
) -> None:
    """Add to each sampled table the rows that sampled rows point at; a few rounds, for chains of keys.

    They come from `whole` (tables that are entirely at hand), else from `fetch(table, columns, keys)`.
    """
    for _ in range(4):
        grown = False
        for relation in relations:
            if relation.table in part and relation.to_table in part:
                grown |= _bring(part, relation, whole, fetch)
        if not grown:
            return


def _bring(
    part: MutableMapping[str, pa.Table], relation: Relation, whole: Mapping[str, pa.Table], fetch: Fetch
) -> bool:
    child, parent = part[relation.table], part[relation.to_table]
    if (
        parent is whole.get(relation.to_table)
        or not _has(child, relation.columns)
        or not _has(parent, relation.to_columns)
    ):
        return False
    missing = sorted(keys_of(child, relation.columns) - keys_of(parent, relation.to_columns), key=repr)[:_MOST_PARENTS]
    if not missing:
        return False
    if relation.to_table in whole:
        found = rows_with(whole[relation.to_table], relation.to_columns, set(missing))
    else:
        fetched = fetch(relation.to_table, relation.to_columns, missing)
        if fetched is None:
            return False
        found = fetched
    if not found.num_rows:
        return False
    part[relation.to_table] = together([parent, found.cast(parent.schema)])
    return True


def _has(rows: pa.Table, columns: Collection[str]) -> bool:
    return set(columns) <= set(rows.column_names)


def keys_of(rows: pa.Table, columns: Sequence[str]) -> set[Key]:
    """The values of these columns, without those that are null in part."""
    values = [rows.column(c).to_pylist() for c in columns]
    return {key for key in zip(*values, strict=True) if None not in key}


def rows_with(rows: pa.Table, columns: Sequence[str], keys: set[Key]) -> pa.Table:
    """The rows whose columns hold one of the keys."""
    values = zip(*[rows.column(c).to_pylist() for c in columns], strict=True)
    return taken(rows, [i for i, key in enumerate(values) if key in keys])
