"""The only door: what a closure may ask of its source, as protocols.

The host serves objects of these shapes through the broker; the stub that a model is shown and the handle inside the
sandbox are both made from this file, so they cannot drift. Every verb only reads.

A verb that gives rows returns an iterator of batches on the host side: `pyarrow.RecordBatch` (typed) or lists of plain
values. Inside the sandbox the same verb gives an iterator of dicts (or of the plain values).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

Batches = Iterator[Any]  # pyarrow.RecordBatch, or list of plain values


class Table(Protocol):
    """SQL databases, and every tabular file through DuckDB."""

    def query(self, sql: str, params: Sequence[object] = ()) -> Batches:
        """Rows of one SELECT in the source's dialect, `?` for each of `params`, as dicts."""
        ...

    def tables(self) -> list[str]:
        """Names of the tables that may be queried."""
        ...

    def columns(self, table: str) -> list[dict[str, str]]:
        """Columns of a table as {"name", "type"}."""
        ...


class File(Protocol):
    """One file or document."""

    def records(self) -> Batches:
        """Its records as dicts, typed as the schema says."""
        ...

    def lines(self) -> Batches:
        """Its text, line by line, without line ends."""
        ...

    def text(self) -> str:
        """Its text, whole (up to the grant's bytes)."""
        ...

    def read(self, offset: int = 0, size: int = 65536) -> bytes:
        """Raw bytes from an offset."""
        ...


class Folder(Protocol):
    """A directory or archive. `within` names a member for File's verbs: `source.open(name)` gives a handle to it."""

    def list(self, prefix: str = "") -> list[dict[str, object]]:
        """Members as {"name", "size"}, sorted by name."""
        ...


class Http(Protocol):
    """A JSON API below one base address."""

    def get(self, path: str, params: dict[str, object] | None = None) -> object:
        """The decoded JSON body of one GET below the base address."""
        ...

    def pages(self, path: str, params: dict[str, object] | None = None) -> Batches:
        """Every item of a collection, page after page until it is proved exhausted."""
        ...


VERBS: dict[str, type] = {
    **dict.fromkeys(("query", "tables", "columns"), Table),
    **dict.fromkeys(("records", "lines", "text", "read"), File),
    "list": Folder,
    **dict.fromkeys(("get", "pages"), Http),
}
