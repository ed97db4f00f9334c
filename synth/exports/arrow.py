"""Arrow schemas as Python source: `pyarrow.schema([...])` for each table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.arrow_types import arrow_type
from synth.exports._names import identifiers
from synth.schema import Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa


def export(schema: Schema) -> str:
    """A module that defines one schema for each table."""
    names = identifiers([t.name for t in schema.tables])
    parts = [_source(name, table) for name, table in zip(names, schema.tables, strict=True)]
    return "import pyarrow as pa\n\n" + "\n".join(parts)


def schema_of_table(table: Table) -> pa.Schema:
    """The Arrow schema itself."""
    import pyarrow as pa

    # A column of nothing but nulls may be empty too: Arrow has no such column that is required.
    return pa.schema(
        [pa.field(f.name, arrow_type(f.type), nullable=f.nullable or f.type == "null") for f in table.fields]
    )


def _source(name: str, table: Table) -> str:
    lines = [f"    {_field(f.name, f.type, f.nullable)},\n" for f in schema_of_table(table)]
    return f"{name} = pa.schema([\n{''.join(lines)}])\n"


def _field(name: str, kind: pa.DataType, nullable: bool) -> str:
    return f"pa.field({name!r}, {_type(kind)}{'' if nullable else ', nullable=False'})"


def _type(kind: pa.DataType) -> str:
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(kind):
        return f"pa.decimal{kind.bit_width}({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return f"pa.timestamp({kind.unit!r}{f', {kind.tz!r}' if kind.tz else ''})"
    if types.is_time(kind) or types.is_duration(kind):
        return f"pa.{str(kind).partition('[')[0]}({kind.unit!r})"
    if types.is_list(kind) or types.is_large_list(kind):
        return f"pa.list_({_field(kind.value_field.name, kind.value_type, kind.value_field.nullable)})"
    if types.is_struct(kind):
        return f"pa.struct([{', '.join(_field(f.name, f.type, f.nullable) for f in kind)}])"
    if types.is_map(kind):
        return f"pa.map_({_type(kind.key_type)}, {_type(kind.item_type)})"
    plain = {"bool": "bool_", "date32[day]": "date32", "date64[ms]": "date64", "float": "float32", "double": "float64"}
    text = str(kind)
    return f"pa.{plain.get(text, text)}()"
