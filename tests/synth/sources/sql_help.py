"""What the database tests share: opening a source, and reading an answer whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sandbox.broker import CallRefused
from sandbox.capabilities import Table
from synth.detection import UNKNOWN, Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions, Source
from synth.sources import sql_database


def opened(location: str, seconds: float = 10.0, environment: Mapping[str, str] | None = None) -> Source:
    """The source at a database's address."""
    options = OpenOptions(environment=environment or {}, timeout_seconds=seconds)
    return sql_database.open_source(location, Detection(location, UNKNOWN, "database", 1.0), options)


def problem_of(location: str, seconds: float = 3.0, environment: Mapping[str, str] | None = None) -> SourceProblem:
    """The problem that opening ends in."""
    try:
        opened(location, seconds, environment).close()
    except SourceProblem as problem:
        return problem
    raise AssertionError(f"{location} could be opened")


def rows_of(doors: object, sql: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
    """All rows of an answer."""
    return [row for batch in cast(Table, doors).query(sql, params) for row in batch.to_pylist()]


def types_of(doors: object, sql: str, params: Sequence[object] = ()) -> dict[str, str]:
    """The Arrow types of an answer."""
    return {field.name: str(field.type) for batch in cast(Table, doors).query(sql, params) for field in batch.schema}


def refusal_of(doors: object, sql: str, params: Sequence[object] = ()) -> CallRefused:
    """How a query was refused."""
    try:
        rows = rows_of(doors, sql, params)
    except CallRefused as refused:
        return refused
    raise AssertionError(f"{sql} was answered: {rows[:3]}")


def field_types(source: Source, table: str) -> dict[str, str]:
    """The schema's types of one table."""
    return {f.name: f.type for t in source.tables() if t.name == table for f in t.fields}


def ids_of(rows: Any) -> set[int]:
    """The values of a sample's column `id`."""
    return set(rows.column("id").to_pylist())
