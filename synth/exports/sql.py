"""SQL tables: `CREATE TABLE` with keys, as PostgreSQL, DuckDB and the standard write it; built with sqlglot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.arrow_types import arrow_type
from synth.schema import Field, Relation, Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp


def export(schema: Schema) -> str:
    """One statement for each table; a table that others point at comes before them."""
    return "".join(_create(table, schema).sql("postgres", pretty=True) + ";\n\n" for table in _in_order(schema))


def _create(table: Table, schema: Schema) -> exp.Create:
    from sqlglot import exp

    parts: list[exp.Expression] = [_column(f) for f in table.fields]
    if table.primary_key:
        parts.append(exp.PrimaryKey(expressions=[exp.to_identifier(n, quoted=True) for n in table.primary_key]))
    parts += [_foreign_key(r) for r in schema.relations if r.table == table.name and _is_key(r, schema)]
    return exp.Create(this=exp.Schema(this=_table(table.name), expressions=parts), kind="TABLE")


def _table(name: str) -> exp.Table:
    from sqlglot import exp

    return exp.table_(exp.to_identifier(name, quoted=True))


def _column(field: Field) -> exp.ColumnDef:
    from sqlglot import exp

    required = [] if field.nullable else [exp.ColumnConstraint(kind=exp.NotNullColumnConstraint())]
    return exp.ColumnDef(
        this=exp.to_identifier(field.name, quoted=True), kind=_type(arrow_type(field.type)), constraints=required
    )


def _is_key(relation: Relation, schema: Schema) -> bool:
    """A foreign key must point at a key."""
    to = next((t for t in schema.tables if t.name == relation.to_table), None)
    return to is not None and to.primary_key == relation.to_columns


def _foreign_key(relation: Relation) -> exp.ForeignKey:
    from sqlglot import exp

    target = exp.Schema(
        this=_table(relation.to_table), expressions=[exp.to_identifier(c, quoted=True) for c in relation.to_columns]
    )
    columns = [exp.to_identifier(c, quoted=True) for c in relation.columns]
    return exp.ForeignKey(expressions=columns, reference=exp.Reference(this=target))


def _in_order(schema: Schema) -> list[Table]:
    """Tables after those that they point at, as far as that goes: a ring is left as it came."""
    left, done = list(schema.tables), list[Table]()
    while left:
        names = {t.name for t in left}
        free = [
            t for t in left if not any(r.table == t.name and r.to_table in names - {t.name} for r in schema.relations)
        ]
        done += free or left
        left = [t for t in left if t not in done]
    return done


def _type(kind: pa.DataType) -> exp.DataType:
    from sqlglot import exp

    return exp.DataType.build(_words(kind), dialect="postgres")


def _words(kind: pa.DataType) -> str:
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if types.is_list(kind) and not types.is_nested(kind.value_type):
        return f"{_words(kind.value_type)}[]"
    if types.is_nested(kind):
        return "jsonb"
    plain = {
        "bool": "boolean", "int8": "smallint", "uint8": "smallint", "int16": "smallint", "uint16": "integer",
        "int32": "integer", "uint32": "bigint", "int64": "bigint", "uint64": "numeric(20, 0)", "halffloat": "real",
        "float": "real", "double": "double precision", "date32[day]": "date", "binary": "bytea",
    }  # fmt: skip
    if types.is_time(kind):
        return "time"
    if types.is_duration(kind):
        return "interval"
    return plain.get(str(kind), "text")
