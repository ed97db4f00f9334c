"""A source: something opened for reading on the host. It alone holds the credentials; nothing generated ever does.

A connector is one file in `synth/sources/` with

    def open_source(location: str, detection: Detection, options: OpenOptions) -> Source

which raises `SourceProblem` for everything that a user can act on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from synth.schema import Relation, Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class OpenOptions:
    """What the user said around the source. `request` is searched for words on authentication only (names of environment
    variables, header names); `environment` is where their values come from, and stays on the host. `now` fixes today."""

    name: str = ""
    request: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    timeout_seconds: float = 20.0
    progress: Callable[[str], None] = lambda _text: None


@dataclass(frozen=True)
class SetAside:
    """A record that was not delivered: where it stood (row, line or item number from 1) and the rule it broke."""

    table: str
    position: int
    rule: str
    value: str = ""


@dataclass(frozen=True)
class Completeness:
    """Whether all of the source was taken into account. `bounded`: less by the user's own wish (a limit)."""

    state: Literal["complete", "bounded", "incomplete"]
    reason: str = ""
    rows_read: int | None = None
    set_aside: tuple[SetAside, ...] = ()
    set_aside_count: int = 0


@dataclass(frozen=True)
class Sample:
    """Typed rows by table name, for writing (a) and for judging (b). `whole` names the tables that b holds entirely."""

    a: Mapping[str, pa.Table]
    b: Mapping[str, pa.Table]
    whole: frozenset[str] = frozenset()


class Source(Protocol):
    """`capability` is an object of the shapes in sandbox/capabilities.py; `dialect` is sqlglot's name for the SQL that
    `capability.query` takes (also the SQL that `query(rows, sql)` takes in the sandbox: there always `duckdb`).
    `shape` says which closure template fits: `table` when it has `query`, `http` when its tables are reached by `pages`."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def shape(self) -> Literal["table", "http"]: ...
    @property
    def capability(self) -> object: ...

    def tables(self) -> tuple[Table, ...]:
        """The tables, their fields and declared keys, as far as opening told; evidence may still be empty."""
        ...

    def relations(self) -> tuple[Relation, ...]:
        """Relations that the source itself declares."""
        ...

    def sample(self, rows: int) -> Sample:
        """About `rows` rows for writing and up to ten times as many for judging, without a scan of a huge source.

        Judged rows differ from the written ones where there are enough; they are strided and random, not the first ones.
        Both hold together across relations (a sampled order brings its customer)."""
        ...

    def over(self, tables: Mapping[str, pa.Table]) -> object:
        """The same doors (`capability`) over other rows: for samples and altered copies. Never touches the source."""
        ...

    def completeness(self) -> Completeness:
        """What the calls since the last `completeness()` took in: pages proved exhausted, rows set aside and why."""
        ...

    def close(self) -> None:
        """Give back connections and temporary files."""
        ...
