"""JSON Schema (2020-12): one definition for each table, its records as objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from synth.arrow_types import arrow_type
from synth.schema import Field, Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def export(schema: Schema) -> str:
    """The document as text."""
    return json.dumps(document(schema), indent=2, ensure_ascii=False) + "\n"


def document(schema: Schema) -> dict[str, object]:
    """One table: the schema of its records. Several: a definition for each, and any of them is a record."""
    tables = [table_schema(table) for table in schema.tables]
    if len(tables) == 1:
        return {"$schema": DRAFT, **tables[0]}
    references: list[object] = [{"$ref": f"#/$defs/{t.name}"} for t in schema.tables]
    named = {t.name: made for t, made in zip(schema.tables, tables, strict=True)}
    return {"$schema": DRAFT, "$defs": named, "anyOf": references}


def table_schema(table: Table) -> dict[str, object]:
    """The records of one table. A field may be null where a null was seen or the source says so."""
    made: dict[str, object] = {"title": table.name, "type": "object"}
    if table.comment:
        made["description"] = table.comment
    made["properties"] = {f.name: _property(f) for f in table.fields}
    made["required"] = [f.name for f in table.fields]
    made["additionalProperties"] = False
    return made


def _property(field: Field) -> dict[str, object]:
    made = _nullable(of_type(arrow_type(field.type)), field.nullable)
    words = [field.comment, field.meaning, f"in {field.unit}" if field.unit else ""]
    if said := "; ".join(w for w in words if w):
        made["description"] = said
    return made


def of_type(kind: pa.DataType) -> dict[str, object]:
    """The values of an Arrow type, as TARS writes them in JSON: decimals as exact numbers, times in ISO 8601, bytes in base 64."""
    import pyarrow as pa

    types = pa.types
    if types.is_boolean(kind):
        return {"type": "boolean"}
    if types.is_integer(kind):
        return {"type": "integer"}
    if types.is_decimal(kind):
        return {"type": "number", "format": "decimal"}
    if types.is_floating(kind):
        return {"type": "number"}
    if types.is_list(kind) or types.is_large_list(kind):
        return {"type": "array", "items": _nullable(of_type(kind.value_type), kind.value_field.nullable)}
    if types.is_struct(kind):
        members = {f.name: _nullable(of_type(f.type), f.nullable) for f in kind}
        return {"type": "object", "properties": members, "required": list(members)}
    if types.is_map(kind):
        return {"type": "object", "additionalProperties": of_type(kind.item_type)}
    if types.is_null(kind):
        return {"type": "null"}
    formats = (
        (types.is_date, {"format": "date"}),
        (types.is_timestamp, {"format": "date-time"}),
        (types.is_time, {"format": "time"}),
        (types.is_binary, {"contentEncoding": "base64"}),
    )
    if types.is_duration(kind):
        return {"type": "number"}
    found: dict[str, object] = {"type": "string"}
    for is_kind, more in formats:
        if is_kind(kind):
            found |= more
    return found


def _nullable(made: dict[str, object], nullable: bool) -> dict[str, object]:
    if not nullable or made["type"] == "null":
        return made
    if made["type"] in ("object", "array"):
        return {"anyOf": [made, {"type": "null"}]}
    return {**made, "type": [made["type"], "null"]}
