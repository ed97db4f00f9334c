"""Evidence: the tables that a source names, filled in with what its sampled rows show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from synth.schema import Field, Relation, Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa

    from synth.source import Sample, Source

VOCABULARY = 1_000
"""A text column with more different values than this has no vocabulary in the schema."""
EXAMPLES = 5


def schema_of(source: Source, sample: Sample) -> Schema:
    """Every table with counts, examples, ranges, keys and relations, from the rows kept for judging (which are never shown)."""
    tables = []
    for table in source.tables():
        rows = sample.b.get(table.name)
        tables.append(table if rows is None else _seen(table, as_read(table, rows), table.name in sample.whole))
    relations = tuple(source.relations())
    found = inferred_relations(tables, {t.name: sample.b[t.name] for t in tables if t.name in sample.b}, relations)
    return Schema(tuple(tables), relations + found, tuple(getattr(source, "notes", ())))


def as_read(table: Table, rows: pa.Table) -> pa.Table:
    """The rows with each column that needs a reading read, under the fields' names."""
    from synth.sources.duck import doors_over, quoted

    if not any(f.reading for f in table.fields):
        return rows
    doors = doors_over([table], {table.name: rows})
    try:
        columns = ", ".join(f"{f.reading or quoted(f.name)} AS {quoted(f.name)}" for f in table.fields)
        reader = doors.connection.sql(f"SELECT {columns} FROM {quoted(table.name)}").to_arrow_reader(20_000)
        import pyarrow as pa

        return pa.Table.from_batches(list(reader), schema=reader.schema)
    finally:
        doors.close()


def _seen(table: Table, rows: pa.Table, whole: bool) -> Table:
    fields = tuple(_field_seen(f, rows.column(f.name)) if f.name in rows.column_names else f for f in table.fields)
    key = table.primary_key or _key_of(fields, rows.num_rows)
    return replace(table, fields=fields, primary_key=key, rows=rows.num_rows if whole else table.rows)


def _field_seen(field: Field, column: Any) -> Field:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    nested = pa.types.is_nested(kind) or pa.types.is_binary(kind)
    if nested:
        return replace(
            field, values=len(column), nulls=column.null_count, examples=tuple(column.slice(0, 2).to_pylist())
        )
    counts = pc.value_counts(column.drop_null())
    values = counts.field("values")
    common = pc.array_sort_indices(counts.field("counts"), order="descending").slice(0, EXAMPLES)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    few = text and len(values) <= VOCABULARY
    least, most = (None, None) if not len(values) or text else (v.as_py() for v in pc.min_max(values).values())
    return replace(
        field,
        nullable=field.nullable if not column.null_count else True,
        values=len(column),
        nulls=column.null_count,
        distinct=len(values),
        examples=field.examples or tuple(values.take(common).to_pylist()),
        vocabulary=tuple(sorted(values.to_pylist())) if few else (),
        least=least,
        most=most,
    )


def _key_of(fields: Sequence[Field], rows: int) -> tuple[str, ...]:
    """The first column that says it is an identifier and has a different value in every row."""
    for field in fields:
        words = re.split(r"[^a-z0-9]+", _snake(field.name))
        named = words[-1] in ("id", "key", "code", "no", "number", "uuid", "nr") or field.meaning in (
            "identifier",
            "uuid",
        )
        if named and rows > 1 and field.distinct == rows and not field.nulls:
            return (field.name,)
    return ()


def inferred_relations(
    tables: Sequence[Table], rows: Mapping[str, pa.Table], declared: Sequence[Relation]
) -> tuple[Relation, ...]:
    """Columns named for another table's key whose values are nearly all among that key's: `orders.customer_id` → `customers.id`."""
    known = {(r.table, r.columns, r.to_table) for r in declared}
    linked = {(r.table, r.to_table) for r in declared}
    found = []
    paired: set[frozenset[tuple[str, str]]] = set()
    for to in tables:
        for key in _keys_to_point_at(to, rows):
            for table in tables:
                if table.name == to.name or table.name not in rows or (table.name, to.name) in linked:
                    continue
                for field in table.fields:
                    if not _points_at(field.name, to.name, key) or (table.name, (field.name,), to.name) in known:
                        continue
                    if frozenset(((table.name, field.name), (to.name, key))) in paired:
                        continue
                    share, count = _inclusion(rows[table.name], field.name, rows[to.name], key)
                    if count and share >= 0.9:
                        of = f"{share:.0%} of {count} different values of {table.name}.{field.name}"
                        evidence = f"{of} are in {to.name}.{key}"
                        found.append(Relation(table.name, (field.name,), to.name, (key,), False, evidence))
                        linked.add((table.name, to.name))
                        paired.add(frozenset(((table.name, field.name), (to.name, key))))
                        break
    return tuple(found)


def _keys_to_point_at(table: Table, rows: Mapping[str, pa.Table]) -> tuple[str, ...]:
    """The key that other tables may point at: the declared one, one called as the table's rows are, else every text column
    that is different in each row and bears a name that says more than "name" or "code"."""
    if table.name not in rows or len(table.primary_key) > 1:
        return ()
    own = table.primary_key[0] if table.primary_key else _own_name(table, rows)
    if own:
        return (own,)
    whole = rows[table.name].num_rows
    return tuple(
        f.name for f in table.fields if f.type == "string" and whole > 1 and f.distinct == whole and not f.nulls
    )


def _own_name(table: Table, rows: Mapping[str, pa.Table]) -> str:
    """The column called as one row of its table is (`departments.department`), where it has a different value in every row."""
    seen = rows.get(table.name)
    for field in table.fields if seen is not None else ():
        name, target = _snake(field.name), _snake(table.name.rpartition(".")[2])
        called = name != target and name in (
            target.removesuffix("s"),
            target.removesuffix("es"),
            re.sub("ies$", "y", target),
        )
        if called and seen is not None and seen.num_rows > 1 and field.distinct == seen.num_rows and not field.nulls:
            return field.name
    return ""


def _points_at(column: str, table: str, key: str) -> bool:
    name, target = _snake(column), _snake(table.rpartition(".")[2])
    stems = {target, target.removesuffix("s"), target.removesuffix("es"), re.sub("ies$", "y", target)}
    last = _snake(key)
    if name == last and last not in ("id", "key", "code", "name", "number", "no"):
        return True
    return any(
        name in (f"{s}_{last}", f"{s}{last}", s, f"{s}_id", f"{s}_key", f"{s}_code", f"fk_{s}", f"{s}_no")
        for s in stems
    )


def _inclusion(rows: pa.Table, column: str, to_rows: pa.Table, key: str) -> tuple[float, int]:
    import pyarrow as pa

    if column not in rows.column_names or key not in to_rows.column_names:
        return 0.0, 0
    left, right = rows.column(column), to_rows.column(key)
    if pa.types.is_nested(left.type) or pa.types.is_nested(right.type):
        return 0.0, 0
    mine = {str(v) for v in left.unique().to_pylist() if v is not None}
    theirs = {str(v) for v in right.unique().to_pylist() if v is not None}
    return (len(mine & theirs) / len(mine), len(mine)) if mine else (0.0, 0)


def _snake(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-zA-Z0-9]+", "_", spaced).strip("_").lower()
