"""The ledger: every outcome and every run, append-only. It is the truth; files and index are made from it or named by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.home import locked

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table


@dataclass(frozen=True)
class Outcome:
    """One request and what came of it. `columns` are names only, `fingerprint` of kind and schema shape: never data.

    `status` is `ok`, `refused` or `failed`; `retrieved` the ids of the closures whose examples were in the prompt.
    """

    at: str
    request: str
    kind: str
    shape: str
    fingerprint: str
    columns: tuple[str, ...]
    status: str
    message: str = ""
    model: str = ""
    prompt_version: str = ""
    closure_id: str = ""
    retrieved: tuple[str, ...] = ()
    attempts: tuple[Mapping[str, object], ...] = ()
    verdict: tuple[Mapping[str, object], ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    tokens: int = 0
    number: int = 0


@dataclass(frozen=True)
class RunEntry:
    """One run of a closure kept earlier."""

    at: str
    closure_id: str
    status: str
    records: int
    set_aside: int
    ms: float
    message: str = ""


class LedgerUnusable(Exception):
    """The ledger cannot be read or written; the message says why."""


class Ledger:
    """Outcomes and runs in one SQLite file (WAL), shared by any number of processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine | None = None

    def record(self, outcome: Outcome) -> int:
        """Write an outcome down; it survives anything from the moment this returns its number."""
        return self._insert("outcomes", asdict(outcome), drop=("number",))

    def record_run(self, run: RunEntry) -> int:
        """Write a run down."""
        return self._insert("runs", asdict(run))

    def outcomes(self, after: int = 0, status: str | None = None) -> list[Outcome]:
        """Outcomes numbered above `after`, oldest first."""
        from sqlalchemy import select

        table = self._table("outcomes")
        query = select(table).where(table.c.number > after).order_by(table.c.number)
        if status:
            query = query.where(table.c.status == status)
        return [_outcome(row) for row in self._read(query)]

    def runs(self, closure_id: str) -> list[RunEntry]:
        """The runs of one closure, oldest first."""
        from sqlalchemy import select

        table = self._table("runs")
        query = select(table).where(table.c.closure_id == closure_id).order_by(table.c.number)
        return [RunEntry(**{k: v for k, v in row.items() if k != "number"}) for row in self._read(query)]

    def close(self) -> None:
        """Give back the connection."""
        if self._engine is not None:
            self._engine.dispose()

    def _insert(self, name: str, values: dict[str, object], drop: tuple[str, ...] = ()) -> int:
        from sqlalchemy import insert
        from sqlalchemy.exc import DatabaseError

        kept = {k: _stored(v) for k, v in values.items() if k not in drop}
        try:
            with self._opened().begin() as connection:
                result = connection.execute(insert(self._table(name)).values(**kept))
        except DatabaseError as error:
            raise LedgerUnusable(f"the ledger {self.path} cannot be written: {error.orig}") from error
        key = result.inserted_primary_key
        return int(key[0]) if key else 0

    def _read(self, query: Any) -> list[dict[str, Any]]:
        from sqlalchemy.exc import DatabaseError

        try:
            with self._opened().connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except DatabaseError as error:
            raise LedgerUnusable(f"the ledger {self.path} cannot be read: {error.orig}") from error

    def _table(self, name: str) -> Table:
        self._opened()
        return self._tables[name]

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine, self._tables = _open(self.path)
        return self._engine


_JSON = ("columns", "retrieved", "attempts", "verdict", "timings_ms")


def _open(path: Path) -> tuple[Engine, dict[str, Table]]:
    from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, create_engine, event
    from sqlalchemy.exc import DatabaseError

    metadata = MetaData()
    text = (
        "at",
        "request",
        "kind",
        "shape",
        "fingerprint",
        "status",
        "message",
        "model",
        "prompt_version",
        "closure_id",
    )
    outcomes = Table(
        "outcomes",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=True),
        *[Column(name, Text, nullable=False) for name in (*text, *_JSON)],
        Column("tokens", Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    runs = Table(
        "runs",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=True),
        *[Column(name, String, nullable=False) for name in ("at", "closure_id", "status", "message")],
        Column("records", Integer, nullable=False),
        Column("set_aside", Integer, nullable=False),
        Column("ms", Float, nullable=False),
        sqlite_autoincrement=True,
    )
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def settings(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    triggers = {f"{name}_no_{verb.lower()}": (name, verb) for name in metadata.tables for verb in ("UPDATE", "DELETE")}
    try:
        # One process at a time: SQLite refuses a second one that turns a fresh file to WAL or makes its tables, without waiting.
        with locked(path.with_suffix(".lock")), engine.connect() as connection:
            there = set(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars())
            if not there >= {*metadata.tables, *triggers}:
                metadata.create_all(connection)
                for trigger, (name, verb) in triggers.items():
                    connection.exec_driver_sql(
                        f"CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE {verb} ON {name} "
                        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
                    )
                connection.commit()
    except DatabaseError as error:
        raise LedgerUnusable(
            f"the ledger {path} cannot be opened: {error.orig}. Move it away to begin a new one"
        ) from error
    return engine, {"outcomes": outcomes, "runs": runs}


def _stored(value: object) -> object:
    return json.dumps(value, default=str) if isinstance(value, tuple | list | dict) else value


def _outcome(row: dict[str, Any]) -> Outcome:
    values = {k: json.loads(str(v)) if k in _JSON else v for k, v in row.items()}
    for name in ("columns", "retrieved", "attempts", "verdict"):
        values[name] = tuple(values[name])
    return Outcome(**values)
