"""Tables in DuckDB: the doors and the source behind every tabular file, and behind every sample and altered copy.

The host's DuckDB reads files through views that connectors define; SQL from closures runs over those views alone. Once
a connector has said which paths its views need, DuckDB itself refuses every other path, and its settings are locked.
"""

from __future__ import annotations

import itertools
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sandbox.broker import CallRefused
from synth.errors import SourceProblem
from synth.schema import Relation, Table
from synth.source import Completeness, Sample, SetAside

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY_LIMIT = "320MB"
WHOLE_ROWS = 10_000
"""A table of at most this many rows is judged whole."""
LOOK_ROWS = 100_000
"""A larger one is sampled from this many of its first rows, unless its connector knows better."""
BATCH_ROWS = 20_000
NOTED_BY_READER = ("tars_rejects", "tars_reject_scans", "reject_errors", "reject_scans")
"""The temporary tables in which DuckDB's CSV reader notes the rows that it leaves out, by our names and by its own."""


@dataclass(frozen=True)
class Rejects:
    """How the rows of one table that broke their type are found, once a query has read it.

    `sql` selects position (from 1), rule and value of each, on the connection of the doors. `count_sql` gives their number
    where listing them would be dear.
    """

    sql: str
    count_sql: str = ""


def connect(config: Mapping[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory DuckDB that never downloads anything and spills to a temporary folder when memory is short."""
    return _made(config) if config else _spares.take()


def _made(config: Mapping[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    import duckdb

    defaults = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(Path(tempfile.gettempdir()) / "tars-duckdb"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }
    connection = duckdb.connect(":memory:", config={**defaults, **(config or {})})
    connection.execute("SET TimeZone='UTC'")
    return connection


class _Spares:
    """Starting a DuckDB takes 15 ms, so a process that opens a second source has the next one started ahead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._ready: list[duckdb.DuckDBPyConnection] = []

    def take(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            self._taken += 1
            ahead = self._taken > 1
            spare = self._ready.pop() if self._ready else None
        if ahead:
            # Not a daemon: one that is cut off in DuckDB at exit would abort the process.
            threading.Thread(target=self._prepare).start()
        return spare or _made()

    def _prepare(self) -> None:
        made = _made()
        with self._lock:
            self._ready.append(made)
            extra = self._ready[:-2]
            self._ready = self._ready[-2:]
        for connection in extra:
            connection.close()


_spares = _Spares()


def noted_of(sql: str, files: Sequence[str]) -> str:
    """A search for rejects, narrowed to what the CSV reader noted of these files where one DuckDB reads more."""
    paths = ", ".join(map(literal, files))
    mine = f"SELECT scan_id, file_id FROM tars_reject_scans WHERE file_path IN ({paths})"
    return re.sub(
        r"\bFROM tars_rejects\b",
        f"FROM (SELECT e.* FROM tars_rejects e SEMI JOIN ({mine}) USING (scan_id, file_id))",
        sql,
    )


def first_row(connection: duckdb.DuckDBPyConnection, sql: str, params: Sequence[object] = ()) -> tuple[Any, ...] | None:
    """The first row of a short answer, which is taken whole: one that is left open holds up the connection."""
    rows = connection.execute(sql, params or None).fetchall()
    return rows[0] if rows else None


def quoted(name: str) -> str:
    """A name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a DuckDB string constant."""
    return "'" + text.replace("'", "''") + "'"


class DuckDoors:
    """The capabilities `Table` and `File` over one DuckDB connection; closures' SQL is in `dialect`."""

    def __init__(
        self,
        dialect: str = "duckdb",
        path: Path | None = None,
        *,
        connection: duckdb.DuckDBPyConnection | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.connection = connection or connect()
        self.connections = [self.connection]
        self.lent: list[DuckDoors] = []
        """Doors that read these views with a DuckDB of their own, and note there which rows they left out."""
        self._reading: list[duckdb.DuckDBPyConnection] = []
        self.dialect = dialect
        self.path = path
        self.encoding = encoding
        self.touched: set[str] = set()
        self._tables: dict[str, Table] = {}
        self._wide: frozenset[str] = frozenset()
        self._allowed: list[str] | None = None
        self._sealed = connection is not None

    def add_view(self, table: Table, select_sql: str) -> None:
        """Serve the rows of a host-side SELECT under the table's name."""
        self.connection.execute(f"CREATE OR REPLACE VIEW {quoted(table.name)} AS {select_sql}")
        self._serve(table)

    def add_arrow(self, table: Table, rows: pa.Table) -> None:
        """Serve rows held in memory."""
        self.connection.register("tars_incoming", rows)
        try:
            self.connection.execute(f"CREATE OR REPLACE TABLE {quoted(table.name)} AS SELECT * FROM tars_incoming")
        finally:
            self.connection.unregister("tars_incoming")
        self._serve(table)

    def allow(self, *paths: str | Path) -> None:
        """Name the files (or, with a trailing slash, folders) that the views read; every other path is refused from the first query on."""
        self._allowed = [*(self._allowed or []), *map(str, paths)]

    @property
    def allowed(self) -> tuple[str, ...]:
        """The files and folders that the views read."""
        return tuple(self._allowed or ())

    def tables(self) -> list[str]:
        """Names of the tables that may be queried."""
        return list(self._tables)

    def columns(self, table: str) -> list[dict[str, str]]:
        """Columns of a table as {"name", "type"}."""
        if table not in self._tables:
            raise CallRefused("not-found", f"no table {table!r}; there are: {', '.join(self._tables)}")
        return [{"name": f.name, "type": f.type} for f in self._tables[table].fields]

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of one SELECT as record batches. The broker has checked the SQL; DuckDB refuses paths on its own."""
        import duckdb

        self._seal()
        text = in_duckdb(sql, self.dialect)
        self.touched |= {name for name in self._tables if name.lower() in text.lower()}
        try:
            with self._free() as connection:
                relation = connection.sql(text, params=list(params))
                if relation is None:
                    raise CallRefused("bad-sql", "that statement gives no rows; write one SELECT")
                yield from narrowed(self._batches(relation), self._wide)
        except duckdb.InterruptException as error:
            raise CallRefused("limit", "the query was stopped: it took too long") from error
        except duckdb.Error as error:
            raise CallRefused("bad-sql", _first_lines(str(error))) from error

    def _free(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._reserved()

    @contextmanager
    def _reserved(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection without an open answer: DuckDB holds one at a time, and closures ask again while they read."""
        mine = next((c for c in self.connections if c not in self._reading), None)
        if mine is None:
            mine = self.connection.cursor()
            self.connections.append(mine)
        self._reading.append(mine)
        try:
            yield mine
        finally:
            self._reading.remove(mine)

    def _batches(self, relation: duckdb.DuckDBPyRelation) -> Iterator[pa.RecordBatch]:
        return whole_answer(relation.to_arrow_reader(BATCH_ROWS))

    def interrupt(self) -> None:
        """Stop every query that is running (from another thread)."""
        for connection in self.connections:
            connection.interrupt()

    def records(self) -> Iterator[pa.RecordBatch]:
        """All rows of the first table."""
        if not self._tables:
            raise CallRefused("not-found", "this source has no records")
        yield from self.query(_all_rows(next(iter(self._tables)), self.dialect))

    def lines(self) -> Iterator[list[str]]:
        """The file's text, line by line."""
        with self._file().open(encoding=self.encoding, errors="replace", newline=None) as stream:
            while batch := [line.rstrip("\n") for line in itertools.islice(stream, 2_000)]:
                yield batch

    def text(self) -> str:
        """The file's text, up to 16 MB."""
        with self._file().open(encoding=self.encoding, errors="replace") as stream:
            text = stream.read(16 * 1024 * 1024 + 1)
        if len(text) > 16 * 1024 * 1024:
            raise CallRefused("limit", "the file is longer than 16 MB; use lines() or records()")
        return text

    def read(self, offset: int = 0, size: int = 65_536) -> bytes:
        """Raw bytes from an offset."""
        with self._file().open("rb") as stream:
            end = stream.seek(0, 2)
            stream.seek(min(max(offset, 0), end))
            return stream.read(min(max(size, 0), 4 * 1024 * 1024))

    def _serve(self, table: Table) -> None:
        self._tables[table.name] = table
        self._wide |= {f.name for f in table.fields if f.type == "decimal128(38, 0)"}

    def _file(self) -> Path:
        if self.path is None:
            raise CallRefused("not-granted", "this source is not one file; use query() or records()")
        return self.path

    def _seal(self) -> None:
        if self._sealed or self._allowed is None:
            return
        self._sealed = True
        folders = [p.rstrip("/") + "/" for p in self._allowed if p.endswith("/")]
        files = [p for p in self._allowed if not p.endswith("/")]
        self.connection.execute(f"SET allowed_paths=[{', '.join(map(literal, files))}]")
        self.connection.execute(f"SET allowed_directories=[{', '.join(map(literal, folders))}]")
        self.connection.execute("SET enable_external_access=false")
        self.connection.execute("SET lock_configuration=true")


class DuckSource:
    """A source (synth/source.py) over DuckDoors."""

    shape: Literal["table"] = "table"

    def __init__(
        self,
        name: str,
        kind: str,
        doors: DuckDoors,
        *,
        tables: Sequence[Table],
        relations: Sequence[Relation] = (),
        rejects: Mapping[str, Rejects] | None = None,
        notes: Sequence[str] = (),
        cleanup: Callable[[], None] | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        doors.connection.complete()  # a result that opening read in part would hold up the first query
        self.name = name
        self.kind = kind
        self.capability = doors
        self.dialect = doors.dialect
        self.facts = dict(facts or {})
        self.notes = tuple(notes)
        self.rejects = dict(rejects or {})
        self._tables = tuple(tables)
        self._relations = tuple(relations)
        self._cleanup = cleanup

    def tables(self) -> tuple[Table, ...]:
        """The tables, with row counts where opening or sampling told them."""
        return self._tables

    def relations(self) -> tuple[Relation, ...]:
        """Relations that the file itself declares (a child table cut out of nested records)."""
        return self._relations

    def sample(self, rows: int) -> Sample:
        """Whole tables to judge with where they are small; else strided and random rows of the first hundred thousand.

        Raises SourceProblem when the file turns out damaged.
        """
        import duckdb

        try:
            return self._sampled(rows)
        except duckdb.Error as error:
            raise SourceProblem(
                "unreadable",
                f"{self.name!r} cannot be read: {_first_lines(str(error))}",
                "Check that the file is whole",
            ) from error

    def _sampled(self, rows: int) -> Sample:
        a: dict[str, pa.Table] = {}
        b: dict[str, pa.Table] = {}
        whole: set[str] = set()
        for table in self._tables:
            head = self._fetch(f"SELECT * FROM {quoted(table.name)} LIMIT {WHOLE_ROWS + 1}")
            if head.num_rows <= WHOLE_ROWS:
                whole.add(table.name)
                a[table.name], b[table.name] = strided(head, rows), head
            else:
                looked = f"(SELECT * FROM {quoted(table.name)} LIMIT {LOOK_ROWS})"
                a[table.name] = strided(head, rows)
                b[table.name] = self._fetch(
                    f"SELECT * FROM {looked} USING SAMPLE reservoir({rows * 10} ROWS) REPEATABLE (7)"
                )
        self._tables = tuple(replace(t, rows=b[t.name].num_rows) if t.name in whole else t for t in self._tables)
        return Sample(a, b, frozenset(whole))

    def over(self, tables: Mapping[str, pa.Table]) -> World:
        """The same doors over other rows, in a private corner of a DuckDB that has no files at all."""
        return doors_over(self._tables, tables, self.dialect, path=self.capability.path)

    def completeness(self) -> Completeness:
        """Complete unless rows that were read broke their type and were set aside."""
        touched, self.capability.touched = self.capability.touched, set()
        aside: list[SetAside] = []
        count = 0
        for name in sorted(touched & set(self.rejects)):
            rejects = self.rejects[name]
            rows = self._rejected(rejects)
            aside += [SetAside(name, *list(row.values())[:3]) for row in rows[:20]]
            count += len(rows) if len(rows) <= 1000 or not rejects.count_sql else self._count(rejects.count_sql)
        self._forget_rejects()
        if not count:
            return Completeness("complete")
        first = aside[0]
        return Completeness(
            "incomplete",
            f"{count} rows were set aside; the first is row {first.position} of {first.table}: {first.rule} ({first.value!r})",
            set_aside=tuple(aside),
            set_aside_count=count,
        )

    def _noting(self) -> list[duckdb.DuckDBPyConnection]:
        return [c for doors in (self.capability, *self.capability.lent) for c in doors.connections]

    def _forget_rejects(self) -> None:
        """The next answer may leave out the columns that broke in this one."""
        import duckdb

        for connection in self._noting():
            for table in NOTED_BY_READER:
                with suppress(duckdb.CatalogException):
                    connection.execute(f"DELETE FROM {table}")

    def _rejected(self, rejects: Rejects) -> list[dict[str, Any]]:
        """Rows that were set aside, as each connection noted them for its own queries; none twice."""
        import duckdb

        found: dict[object, dict[str, Any]] = {}
        sql = noted_of(rejects.sql, self.capability.allowed) if self.capability.lent else rejects.sql
        for connection in self._noting():
            with suppress(duckdb.CatalogException):
                for row in connection.sql(f"SELECT * FROM ({sql}) LIMIT 1001").to_arrow_table().to_pylist():
                    found.setdefault(tuple(row.values())[:2], row)
        return list(found.values())

    def close(self) -> None:
        """Close DuckDB and remove temporary files."""
        self.capability.connection.close()
        if self._cleanup:
            self._cleanup()

    def _fetch(self, sql: str) -> pa.Table:
        import pyarrow as pa

        reader = self.capability.connection.sql(sql).to_arrow_reader(BATCH_ROWS)
        return pa.Table.from_batches(list(reader), schema=reader.schema)

    def _count(self, sql: str) -> int:
        row = first_row(self.capability.connection, sql)
        return int(row[0]) if row else 0


class _Worlds:
    """One DuckDB for all samples and altered copies of this process, a schema for each; it can reach no file."""

    def __init__(self) -> None:
        self.base = connect()
        self.base.execute("SET enable_external_access=false")
        self.base.execute("SET lock_configuration=true")
        self.numbers = itertools.count(1)


_worlds: _Worlds | None = None
_worlds_lock = threading.Lock()


def doors_over(
    tables: Sequence[Table], rows: Mapping[str, pa.Table], dialect: str = "duckdb", path: Path | None = None
) -> World:
    """Doors over rows in memory, taking SQL of any dialect that sqlglot can turn into DuckDB's."""
    global _worlds
    with _worlds_lock:
        if _worlds is None:
            _worlds = _Worlds()
        connection = _worlds.base.cursor()
        schema = f"world_{next(_worlds.numbers)}"
    connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(f"USE {schema}")
    doors = World(dialect, path, connection=connection)
    doors.schema = schema
    for table in tables:
        if table.name in rows:
            doors.add_arrow(table, rows[table.name])
    return doors


class World(DuckDoors):
    """Doors over rows in memory alone; close them when done."""

    schema = ""

    def add_arrow(self, table: Table, rows: pa.Table) -> None:
        """Serve rows where they lie, without a copy, for as long as the world lasts."""
        held = f"rows_{len(self._tables) + 1}"
        self.connection.register(held, rows)
        self.connection.execute(f"CREATE OR REPLACE VIEW {quoted(table.name)} AS SELECT * FROM {held}")
        self._serve(table)

    def _free(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return nullcontext(self.connection)

    def _batches(self, relation: duckdb.DuckDBPyRelation) -> Iterator[pa.RecordBatch]:
        # Answers over samples are small, and the rows are known to this connection only: each is taken whole.
        table = relation.to_arrow_table()
        return iter(table.to_batches() or [_no_rows(table.schema)])

    def close(self) -> None:
        """Let go of the rows."""
        self.connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
        self.connection.close()


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema)


def whole_answer(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches; one without rows where there are none, so that an empty answer has its columns."""
    some = False
    for batch in reader:
        some = True
        yield batch
    if not some:
        yield _no_rows(reader.schema)


def in_duckdb(sql: str, dialect: str) -> str:
    """The same SELECT in DuckDB's words. CallRefused when it cannot be parsed."""
    if dialect == "duckdb":
        return sql
    import sqlglot

    try:
        return sqlglot.transpile(sql, read=dialect, write="duckdb")[0]
    except sqlglot.errors.SqlglotError as error:
        raise CallRefused("bad-sql", _first_lines(str(error))) from error


def strided(rows: pa.Table, count: int) -> pa.Table:
    """About `count` rows spread over the table, the first and the last among them; the table itself when it is shorter."""
    if rows.num_rows <= count or count < 2:
        return rows
    last = rows.num_rows - 1
    return rows.take([round(i * last / (count - 1)) for i in range(count)])


def narrowed(batches: Iterator[pa.RecordBatch], keep: frozenset[str] = frozenset()) -> Iterator[pa.RecordBatch]:
    """DuckDB sums integers into 128 bits, which Arrow calls a decimal: integers again where the first batch fits 64 bits.

    Columns named in `keep` are such decimals by nature and stay. CallRefused when a later batch no longer fits.
    """
    import pyarrow as pa

    chosen: set[int] | None = None
    for batch in batches:
        wide = [i for i, f in enumerate(batch.schema) if f.type == pa.decimal128(38, 0) and f.name not in keep]
        if chosen is None:
            chosen = {i for i in wide if _fits(batch.column(i))}
        for i in chosen:
            try:
                batch = batch.set_column(i, batch.schema.field(i).name, batch.column(i).cast(pa.int64()))
            except pa.ArrowInvalid as error:
                raise CallRefused(
                    "failed", f"{batch.schema.field(i).name!r} passes 64 bits; cast it to DECIMAL or text"
                ) from error
        yield batch


def _fits(column: Any) -> bool:
    import pyarrow as pa

    try:
        column.cast(pa.int64())
    except pa.ArrowInvalid:
        return False
    return True


def _all_rows(table: str, dialect: str) -> str:
    from sqlglot import exp

    return (
        exp.select("*")
        .from_(exp.to_table(table, quoted=True) if "." not in table else exp.table_(table, quoted=True))
        .sql(dialect)
    )


def _first_lines(text: str) -> str:
    return " ".join(text.strip().split("\n\n")[0].split())[:400]
