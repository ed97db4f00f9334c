"""A SQL database as a source: PostgreSQL, MySQL and MariaDB by address; SQLite through its own file beside this one."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from sandbox.broker import CallRefused
from synth.detection import Detection
from synth.errors import SourceProblem
from synth.schema import Field, Relation, Table
from synth.source import Completeness, OpenOptions, Sample, SetAside, Source
from synth.sources.credentials import address_of
from synth.sources.sampling import bring_parents, split, strided, together
from synth.sources.sql_engines import Catalogue, Engine, FoundTable, MySql, Postgres, plain_params
from synth.sources.sql_rows import Broken, typed_batches

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE_ROWS = 10_000
"""A table of at most this many rows is judged whole."""
LOOK_ROWS = 100_000
"""A big view or keyless table is sampled from this many of its first rows."""
SAMPLED_TABLES = 300
"""Of a database with more tables than this, the others are known by their catalogue only."""
SAMPLING_SECONDS = 60.0
_KEPT_BROKEN = 20


def open_source(location: str, detection: Detection, options: OpenOptions) -> Source:
    """The database at an address: scheme://user:password@host:port/database?schema=name#table."""
    address = address_of(location, options.environment)
    scheme = address.scheme.partition("+")[0]
    if scheme in ("sqlite", "sqlite3"):
        from synth.sources import sqlite_file

        return sqlite_file.open_source(location, detection, options)
    if scheme == "duckdb":
        from synth.sources import duckdb_file

        return duckdb_file.open_source(location, detection, options)
    engine: Engine
    if scheme in ("postgresql", "postgres", "pgsql", "redshift", "cockroachdb", "timescaledb"):
        engine = Postgres(address, options.environment, options.timeout_seconds)
    elif scheme in ("mysql", "mariadb"):
        engine = MySql(address, options.environment, options.timeout_seconds)
    else:
        raise SourceProblem(
            "unknown-kind",
            f"no connector for {scheme}:// addresses",
            "There are: postgresql, mysql, mariadb, sqlite, duckdb",
        )
    kind = detection.kind if detection.kind != "unknown" else engine.default_format
    return open_database(engine, options, kind, address.table)


def open_database(engine: Engine, options: OpenOptions, kind: str, only: str = "") -> SqlSource:
    """The database behind an engine, its catalogue read; `only` narrows it to one table. SourceProblem when it cannot be had."""
    options.progress(f"connecting to {engine.label}")
    pool = Pool(engine)
    try:
        with refusals_as_problems(engine.label), pool.borrowed() as loan:
            catalogue = engine.catalogue(loan.connection)
            loan.exhausted = True
        return SqlSource(options.name or kind, kind, engine, pool, narrowed_to(catalogue, only, engine.label))
    except BaseException:
        pool.close()
        raise


def narrowed_to(catalogue: Catalogue, only: str, label: str) -> Catalogue:
    """The catalogue, or the part of it that one table name means. SourceProblem for a name that is not there."""
    if not only:
        return catalogue
    named = {t: qualified(t, catalogue.default) for t in catalogue.tables}
    full = {t: f"{t.schema}.{t.name}" for t in catalogue.tables}
    found = [t for t in catalogue.tables if only in (named[t], full[t])] or [
        t for t in catalogue.tables if only.lower() in (named[t].lower(), full[t].lower())
    ]
    if len(found) == 1:
        table = found[0]
        keys = tuple(k for k in catalogue.keys if k.table == k.to_table == (table.schema, table.name))
        return replace(catalogue, tables=(table,), keys=keys)
    if only in catalogue.closed:
        raise SourceProblem("authorisation", f"{label}: no right to read {only!r}", "Ask for the SELECT right on it")
    near = get_close_matches(only, list(named.values()), 5, 0.4) or sorted(named.values())[:5]
    raise SourceProblem("not-found", f"{label} has no table {only!r}", f"There are: {', '.join(near)}" if near else "")


def qualified(table: FoundTable, default: str) -> str:
    """The name a table goes by: bare in the default schema, else schema.table."""
    return table.name if table.schema in (default, "") else f"{table.schema}.{table.name}"


class Loan:
    """A connection on loan; `exhausted` says that nothing is left on its line."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.exhausted = False
        self.broken = False


class Pool:
    """A few connections of one engine, so that a query may run while another one's rows are still being read."""

    def __init__(self, engine: Engine, most: int = 8) -> None:
        self._engine = engine
        self._most = most
        self._idle: list[Any] = []
        self._out = 0
        self._lock = threading.Lock()
        self._closed = False

    def borrowed(self) -> _Borrowed:
        """A connection for the length of a `with`."""
        return _Borrowed(self)

    def take(self) -> Loan:
        """A connection, new if need be."""
        with self._lock:
            if self._closed:
                raise CallRefused("unavailable", "the source is closed")
            if self._out >= self._most:
                raise CallRefused("limit", f"{self._most} queries are open already; read one to its end first")
            self._out += 1
            if self._idle:
                return Loan(self._idle.pop())
        try:
            return Loan(self._engine.connect())
        except BaseException:
            with self._lock:
                self._out -= 1
            raise

    def give_back(self, loan: Loan) -> None:
        """Keep the connection for the next one when nothing of this one is left in it."""
        try:
            good = not loan.broken and self._engine.end(loan.connection, loan.exhausted)
        except Exception:
            good = False
        with self._lock:
            self._out -= 1
            if good and not self._closed:
                self._idle.append(loan.connection)
                return
        _close(loan.connection)

    def close(self) -> None:
        """Close what is idle now, and what is out when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            _close(connection)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except Exception:
        return  # it was broken already


class _Borrowed:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __enter__(self) -> Loan:
        self._loan = self._pool.take()
        return self._loan

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CallRefused):  # the database said no, and with that its answer is over
            self._loan.exhausted = True
            self._loan.broken = error.code in ("limit", "unavailable")
        self._pool.give_back(self._loan)


class SqlDoors:
    """The capability `Table` over a database; SQL goes to the engine in its own dialect."""

    def __init__(self, engine: Engine, pool: Pool, tables: Callable[[], tuple[Table, ...]]) -> None:
        self.engine = engine
        self.dialect = engine.dialect
        self.broken: list[Broken] = []
        self.broken_count = 0
        self.asked: list[str] = []
        self.rewrite: Callable[[str], str] = lambda sql: sql
        self._pool = pool
        self._tables = tables

    def tables(self) -> list[str]:
        """Names of the tables that may be queried."""
        return [t.name for t in self._tables()]

    def columns(self, table: str) -> list[dict[str, str]]:
        """Columns of a table as {"name", "type"}."""
        for each in self._tables():
            if each.name == table:
                return [{"name": f.name, "type": f.type} for f in each.fields]
        near = get_close_matches(table, self.tables(), 5, 0.4)
        raise CallRefused("not-found", f"no table {table!r}; there are: {', '.join(near or self.tables()[:5])}")

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of one SELECT as record batches, read as they are wanted."""
        text = self.rewrite(sql)
        self.asked.append(text)
        with _SourceAsRefusal(), self._pool.borrowed() as loan:
            answer = self.engine.begin(loan.connection, text, plain_params(params))
            if not answer.columns:
                raise CallRefused("bad-sql", "that statement gives no rows; write one SELECT")

            def fetch(size: int) -> Sequence[Sequence[Any]]:
                rows = answer.fetch(size)
                loan.exhausted = not rows
                return rows

            yield from typed_batches(answer.columns, fetch, self._set_aside)

    def _set_aside(self, row: Broken) -> None:
        self.broken_count += 1
        if len(self.broken) < _KEPT_BROKEN:
            self.broken.append(row)


class _SourceAsRefusal:
    """A connection that cannot be had in the middle of a run is a refused call."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SourceProblem):
            raise CallRefused("unavailable", error.message) from error


class SqlSource:
    """A database (synth/source.py). Its tables are known from the catalogue, its rows by bounded samples."""

    shape: Literal["table", "http"] = "table"

    def __init__(self, name: str, kind: str, engine: Engine, pool: Pool, catalogue: Catalogue) -> None:
        self.name = name
        self.kind = kind
        self.dialect = engine.dialect
        self.engine = engine
        self.catalogue = catalogue
        self.facts: dict[str, object] = {"format": kind}
        self.notes: tuple[str, ...] = tuple(f"no right to read {t!r}; left out" for t in catalogue.closed[:20])
        self._pool = pool
        self._found = {qualified(t, catalogue.default): t for t in catalogue.tables}
        self._tables = tuple(_table_of(name, found) for name, found in self._found.items())
        self._doors = SqlDoors(engine, pool, self.tables)
        self.capability: object = self._doors
        self._doors.rewrite = _Names(self._found, catalogue.default, self.dialect)

    def tables(self) -> tuple[Table, ...]:
        """Every table and view that this user may read; `rows` is exact where a sample took all, else the database's estimate."""
        return self._tables

    @property
    def folded(self) -> dict[str, frozenset[str]]:
        """By table, the text columns whose case the database ignores when it compares."""
        found = {n: frozenset(c.name for c in t.columns if c.folded) for n, t in self._found.items()}
        return {name: columns for name, columns in found.items() if columns}

    def relations(self) -> tuple[Relation, ...]:
        """Foreign keys."""
        names = {(t.schema, t.name): name for name, t in self._found.items()}
        return tuple(
            Relation(names[k.table], k.columns, names[k.to_table], k.to_columns, True, "foreign key")
            for k in self.catalogue.keys
            if k.table in names and k.to_table in names
        )

    def sample(self, rows: int) -> Sample:
        """Small tables whole; big ones by random pages or keys, then the rows that those point at."""
        end = time.monotonic() + SAMPLING_SECONDS
        a: dict[str, pa.Table] = {}
        b: dict[str, pa.Table] = {}
        whole: set[str] = set()
        for number, (name, found) in enumerate(self._found.items()):
            if number >= SAMPLED_TABLES or time.monotonic() > end:
                self._note(f"{len(self._found) - number} tables were not sampled; narrow the source with #table")
                break
            try:
                pool, entire = self._pool_of(name, found, rows * 11)
            except CallRefused as refused:
                self._note(f"{name!r} could not be sampled: {refused.message}")
                continue
            if entire:
                whole.add(name)
                a[name], b[name] = strided(pool, rows), pool
            else:
                a[name], b[name] = split(pool, rows)
        self._learn(b, whole)
        at_hand = {name: b[name] for name in whole}
        for part in (a, b):
            bring_parents(part, self.relations(), at_hand, self._fetch_keys)
        return Sample(a, b, frozenset(whole))

    def over(self, tables: Mapping[str, pa.Table]) -> object:
        """The same doors over other rows, in a DuckDB that takes this database's SQL."""
        from synth.sources.sql_over import doors_like

        return doors_like(self._tables, tables, self.dialect, self.folded)

    def completeness(self) -> Completeness:
        """Complete unless rows of an answer broke their type and were set aside."""
        doors = self._doors
        broken, count, asked = doors.broken, doors.broken_count, doors.asked
        doors.broken, doors.broken_count, doors.asked = [], 0, []
        aside = [SetAside("answer", b.position, b.rule, b.value) for b in broken]
        more, more_count = self._unseen(asked)
        aside, count = [*aside, *more][:_KEPT_BROKEN], count + more_count
        if not count:
            return Completeness("complete")
        first = aside[0]
        where = f"row {first.position} of {first.table}" if first.position else first.table
        return Completeness(
            "incomplete",
            f"{count} rows were set aside; the first is {where}: {first.rule} ({first.value!r})",
            set_aside=tuple(aside),
            set_aside_count=count,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _unseen(self, asked: Sequence[str]) -> tuple[list[SetAside], int]:
        """Rows that the queries' own SQL misread without a word; a server that has types cannot have any."""
        return [], 0

    def _note(self, text: str) -> None:
        self.notes = (*self.notes, text)

    def _pool_of(self, name: str, found: FoundTable, wanted: int) -> tuple[pa.Table, bool]:
        """Rows of a table to sample from, and whether they are all there are."""
        columns = ", ".join(self.engine.quoted(c.name) for c in found.columns)
        table = self._sql_name(found)
        if found.rows is None or found.rows <= WHOLE_ROWS * 5:
            head = self._rows(f"SELECT {columns} FROM {table} LIMIT {WHOLE_ROWS + 1}", found)
            if head.num_rows <= WHOLE_ROWS:
                return head, True
        if tail := self.engine.random_rows(found, wanted):
            rows = self._rows(f"SELECT {columns} FROM {tail} LIMIT {wanted * 4}", found)
            if rows.num_rows >= min(wanted, WHOLE_ROWS) // 2:
                return strided(rows, wanted), False
        keyed = self._by_key(found, columns, wanted)
        if keyed is not None and keyed.num_rows >= wanted // 4:
            return strided(keyed, wanted), False
        rows = self._rows(f"SELECT {columns} FROM {table} LIMIT {LOOK_ROWS}", found)
        return strided(rows, wanted), False

    def _by_key(self, found: FoundTable, columns: str, wanted: int) -> pa.Table | None:
        """Rows at random values of a whole-number primary key."""
        if len(found.primary_key) != 1 or not found.stored:
            return None
        key = found.primary_key[0]
        if not next((c.type in ("int64", "uint64") for c in found.columns if c.name == key), False):
            return None
        quoted, table = self.engine.quoted(key), self._sql_name(found)
        ends = self._rows(f"SELECT min({quoted}) AS a, max({quoted}) AS b FROM {table}").to_pylist()[0]
        low, high = ends["a"], ends["b"]
        if low is None or high is None:
            return None
        dense = min(1.0, max(0.05, (found.rows or 1) / (int(high) - int(low) + 1)))
        count = min(int(high) - int(low) + 1, int(wanted / dense * 1.2))
        ids = sorted(random.Random(7).sample(range(int(low), int(high) + 1), count))
        parts = [
            self._rows(f"SELECT {columns} FROM {table} WHERE {quoted} IN ({', '.join(map(str, chunk))})", found)
            for chunk in _chunks(ids, 5_000)
        ]
        return together(parts)

    def _fetch_keys(self, table: str, keys: Sequence[str], values: Sequence[tuple[object, ...]]) -> pa.Table | None:
        found = self._found[table]
        columns = ", ".join(self.engine.quoted(c.name) for c in found.columns)
        names = [self.engine.quoted(k) for k in keys]
        parts = []
        for chunk in _chunks(values, 500):
            if len(names) == 1:
                where = f"{names[0]} IN ({', '.join('?' * len(chunk))})"
            else:
                one = "(" + " AND ".join(f"{n} = ?" for n in names) + ")"
                where = " OR ".join([one] * len(chunk))
            sql = f"SELECT {columns} FROM {self._sql_name(found)} WHERE {where}"
            try:
                parts.append(self._rows(sql, found, [v for row in chunk for v in row]))
            except CallRefused as refused:
                self._note(f"rows of {table!r} that others point at could not be sampled: {refused.message}")
                break
        return together(parts) if parts else None

    def _sql_name(self, found: FoundTable) -> str:
        schema = f"{self.engine.quoted(found.schema)}." if found.schema else ""
        return schema + self.engine.quoted(found.name)

    def _rows(self, sql: str, found: FoundTable | None = None, params: Sequence[object] = ()) -> pa.Table:
        import pyarrow as pa

        broken: list[Broken] = []
        with _SourceAsRefusal(), self._pool.borrowed() as loan:
            answer = self.engine.begin(loan.connection, sql, params)
            batches = list(typed_batches(answer.columns, answer.fetch, broken.append))
            loan.exhausted = True
        if broken and found is not None and self.engine.corrected(found, broken):
            return self._rows(sql, found, params)
        return pa.Table.from_batches(batches)

    def _learn(self, b: Mapping[str, pa.Table], whole: set[str]) -> None:
        """What the catalogue could not say: how many rows, and the scale of numerics that have none declared."""
        tables = []
        for table in self._tables:
            rows = b.get(table.name)
            if rows is not None:
                kinds = {f.name: str(f.type) for f in rows.schema}
                fields = tuple(replace(f, type=kinds.get(f.name, f.type)) for f in table.fields)
                table = replace(table, fields=fields, rows=rows.num_rows if table.name in whole else table.rows)
            tables.append(table)
        self._tables = tuple(tables)


class _Names:
    """Turns `"schema.table"`, one name as `tables()` gives it, into the two that the database knows; and back where a
    table's own name has a dot."""

    def __init__(self, found: Mapping[str, FoundTable], default: str, dialect: str) -> None:
        self._found = {name: t for name, t in found.items() if "." in name}
        self._default = default
        self._dialect = dialect

    def __call__(self, sql: str) -> str:
        if not self._found or "." not in sql:
            return sql
        import sqlglot
        from sqlglot import exp

        try:
            tree = sqlglot.parse_one(sql, dialect=self._dialect)
        except sqlglot.errors.SqlglotError:
            return sql  # the engine will say what is wrong with it, in its own words
        changed = False
        for node in list(tree.find_all(exp.Table)):
            name = f"{node.db}.{node.name}" if node.db else node.name
            found = self._found.get(name)
            if found is None or (node.db == found.schema and node.name == found.name):
                continue
            alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
            node.replace(exp.table_(found.name, found.schema or None, quoted=True, alias=alias.this.copy()))
            changed = True
        return tree.sql(dialect=self._dialect) if changed else sql


def _table_of(name: str, found: FoundTable) -> Table:
    fields = tuple(
        Field(c.name, c.type or "string", c.reading or None, nullable=c.nullable, comment=c.comment)
        for c in found.columns
    )
    return Table(name, fields, found.rows, found.primary_key, comment=found.comment)


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def refusals_as_problems(label: str) -> Iterator[None]:
    """What a database refuses while it is being opened is the user's to act on."""
    reasons = {
        "limit": "timeout",
        "not-granted": "authorisation",
        "unavailable": "unreachable",
        "not-found": "not-found",
    }
    try:
        yield
    except CallRefused as refused:
        raise SourceProblem(reasons.get(refused.code, "server-error"), f"{label}: {refused.message}") from refused
