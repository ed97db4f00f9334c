"""A schema as JSON: what `datasource schema --json` prints, and the same read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synth.arrow_types import arrow_type
from synth.errors import BadRequest
from synth.schema import Field, Relation, Schema, Table


def schema_json(found: Schema, facts: Mapping[str, object]) -> dict[str, object]:
    """What `datasource schema --json` prints: the first table's fields at the top, every table below."""
    tables = [
        {
            "name": t.name,
            "rows": t.rows,
            "path": t.path,
            "primary_key": list(t.primary_key),
            "fields": [_full_field(f) for f in t.fields],
        }
        for t in found.tables
    ]
    return {
        **{"format": facts.get("kind", ""), "dialect": None},
        **{k: v for k, v in facts.items() if k != "kind"},
        "kind": facts.get("kind", ""),
        "fields": tables[0]["fields"] if tables else [],
        "tables": tables,
        "relations": [asdict(r) for r in found.relations],
        "notes": list(found.notes),
    }


def _full_field(field: Field) -> dict[str, object]:
    values = asdict(field)
    kept: dict[str, object] = {k: v for k, v in values.items() if v not in (None, "", (), [])}
    kept.pop("vocabulary", None)
    return kept


def read_back(path: Path) -> Schema:
    """The schema in a file that `datasource schema --json` wrote. Raises BadRequest for a file that holds none."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        return _schema(loaded)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRequest(
            f"{str(path)!r} holds no schema: {type(error).__name__} {error}",
            "Write one with: tars datasource schema SOURCE --json > old.json",
        ) from error


def is_schema_file(path: Path) -> bool:
    """Whether a file is what `datasource schema --json` wrote, rather than data."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else None
    except (OSError, ValueError):
        return False
    return isinstance(loaded, dict) and {"tables", "relations", "fields"} <= loaded.keys()


def _schema(loaded: Mapping[str, Any]) -> Schema:
    tables = tuple(
        Table(
            str(t["name"]), tuple(_field(f) for f in t["fields"]), t.get("rows"), tuple(t.get("primary_key", ())),
            str(t.get("path", "")),
        )
        for t in loaded["tables"]
    )  # fmt: skip
    relations = tuple(
        Relation(
            r["table"], tuple(r["columns"]), r["to_table"], tuple(r["to_columns"]), bool(r["declared"]), r["evidence"]
        )
        for r in loaded["relations"]
    )
    return Schema(tables, relations)


def _field(loaded: Mapping[str, Any]) -> Field:
    arrow_type(loaded["type"])
    return Field(
        str(loaded["name"]),
        str(loaded["type"]),
        nullable=bool(loaded.get("nullable", True)),
        examples=tuple(loaded.get("examples", ())),
        meaning=str(loaded.get("meaning", "")),
        unit=str(loaded.get("unit", "")),
    )
