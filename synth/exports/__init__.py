"""Schemas written in other languages. An export is one file here with `export(schema) -> str`; its name is the file's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from synth.errors import BadRequest
from synth.schema import Schema


def known() -> list[str]:
    """Names of the exports that there are: `json-schema` for the file `json_schema.py`."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(f.stem.replace("_", "-") for f in files if not f.stem.startswith("_"))


def exported(schema: Schema, name: str) -> str:
    """The schema as the named export writes it. Raises BadRequest for a name that there is not."""
    if name not in known():
        raise BadRequest(f"no export called {name!r}", f"There are: {', '.join(known())}")
    export: Callable[[Schema], str] = importlib.import_module(f"synth.exports.{name.replace('-', '_')}").export
    return export(schema)
