"""Reading a file through its connector, for the tests of connectors."""

from __future__ import annotations

import importlib
from pathlib import Path

from synth.detection import Detection
from synth.source import OpenOptions
from synth.sources.duck import DuckSource, quoted


def opened(
    path: Path | str, connector: str, kind: str = "", name: str = "", wrappings: tuple[str, ...] = ()
) -> DuckSource:
    """The file as its connector opens it."""
    module = importlib.import_module(f"synth.sources.{connector}")
    detection = Detection(str(path), kind or connector, "files", 0.9, connector=connector, wrappings=wrappings)
    source = module.open_source(str(path), detection, OpenOptions(name=name))
    assert isinstance(source, DuckSource)
    return source


def rows_of(source: DuckSource, table: str = "") -> list[dict[str, object]]:
    """All rows of a table (the first by default), as a closure gets them."""
    name = table or source.tables()[0].name
    return [row for batch in source.capability.query(f"SELECT * FROM {quoted(name)}") for row in batch.to_pylist()]


def types_of(source: DuckSource, table: str = "") -> dict[str, str]:
    """Names and types of a table's fields."""
    found = next(t for t in source.tables() if not table or t.name == table)
    return {f.name: f.type for f in found.fields}


def names_of(source: DuckSource) -> list[str]:
    """The tables."""
    return [t.name for t in source.tables()]
