"""A Mermaid entity-relationship diagram: tables with their fields, and how they hang together."""

from __future__ import annotations

import re

from synth.exports._names import identifiers
from synth.schema import Relation, Schema, Table


def export(schema: Schema) -> str:
    """The diagram as text. A relation that was inferred is drawn dotted."""
    names = dict(zip([t.name for t in schema.tables], identifiers([t.name for t in schema.tables]), strict=True))
    parts = [_table(names[t.name], t, schema) for t in schema.tables]
    parts += [_relation(r, names, schema) for r in schema.relations if r.table in names and r.to_table in names]
    return "erDiagram\n" + "".join(parts)


def _table(name: str, table: Table, schema: Schema) -> str:
    lines = []
    for field, plain in zip(table.fields, identifiers([f.name for f in table.fields]), strict=True):
        keys = ["PK"] if field.name in table.primary_key else []
        keys += ["FK"] if any(r.table == table.name and field.name in r.columns for r in schema.relations) else []
        kind = re.sub(r"\W+", "_", field.type).strip("_")
        lines.append(f"        {kind} {plain}{' ' + ', '.join(keys) if keys else ''}\n")
    return f"    {name} {{\n{''.join(lines)}    }}\n"


def _relation(relation: Relation, names: dict[str, str], schema: Schema) -> str:
    nullable = any(f.nullable for f in schema.table(relation.table).fields if f.name in relation.columns)
    to_one = "o|" if nullable else "||"
    line = "--" if relation.declared else ".."
    label = ", ".join(relation.columns).replace('"', "'")
    return f'    {names[relation.table]} }}o{line}{to_one} {names[relation.to_table]} : "{label}"\n'
