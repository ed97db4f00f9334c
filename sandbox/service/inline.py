"""This file is inputs that come inside a request: lists of records as tables, behind a capability of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sandbox.broker import CallRefused
from sandbox.service.problem import Problem
from sandbox.service.types import NoSuchType, arrow_type

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 20_000
MEMORY_LIMIT = "256MB"

Rows = Sequence[Mapping[str, object]]


def tables_of(inputs: Mapping[str, Rows], types: Mapping[str, Mapping[str, str]]) -> dict[str, pa.Table]:
    """The inputs as Arrow tables; columns named in `types` as those types. Raises Problem, which names no value."""
    made: dict[str, pa.Table] = {}
    errors: list[tuple[str, str]] = [
        (f"types.{name}", "there is no input of that name") for name in types if name not in inputs
    ]
    for name, rows in inputs.items():
        try:
            made[name] = _table(rows, types.get(name, {}))
        except _Unfit as unfit:
            errors.append((f"inputs.{name}", str(unfit)))
    if errors:
        step = "Give every column values of one type, or say its type in `types`."
        raise Problem(422, "unfit-inputs", "an input is not a table", step, errors=errors)
    return made


class _Unfit(Exception):
    """A column cannot be made; the message names the column."""


def _table(rows: Rows, types: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    names = list(dict.fromkeys([*(name for row in rows for name in row), *types]))
    if not names:
        raise _Unfit("it has no columns; give at least one record, or `types`")
    columns = [_column(name, [row.get(name) for row in rows], types.get(name)) for name in names]
    return pa.table(dict(zip(names, columns, strict=True)))


def _column(name: str, values: list[object], word: str | None) -> pa.Array[Any]:
    import pyarrow as pa

    shown = repr(name[:60])
    try:
        if word is None:
            column: pa.Array[Any] = pa.array(values)
            # DuckDB's own type for nothing but nulls would not compare with text.
            return column.cast(pa.string()) if pa.types.is_null(column.type) else column
        convert = _CONVERT.get(word.partition("(")[0])
        given = values if convert is None else [None if value is None else convert(value) for value in values]
        return pa.array(given, type=arrow_type(word))
    except NoSuchType as unknown:
        raise _Unfit(f"column {shown}: {unknown}") from None
    except (pa.ArrowException, OverflowError, ValueError, TypeError, InvalidOperation, RecursionError):
        kinds = ", ".join(sorted({type(value).__name__ for value in values if value is not None}))
        wanted = f"do not all fit {word}" if word else "are not of one type that a column can hold"
        raise _Unfit(f"column {shown}: the values ({kinds}) {wanted}") from None


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    # The shortest text of a float is what the JSON said, up to 15 digits; more than that should come as text.
    return Decimal(repr(value) if isinstance(value, float) else value)


def _text_as(read: Callable[[str], object]) -> Callable[[object], object]:
    def convert(value: object) -> object:
        if not isinstance(value, str):
            raise TypeError
        return read(value)

    return convert


_CONVERT: dict[str, Callable[[object], object]] = {
    "decimal": _decimal,
    "date": _text_as(date.fromisoformat),
    "time": _text_as(time.fromisoformat),
    "timestamp": _text_as(datetime.fromisoformat),
    "timestamptz": _text_as(datetime.fromisoformat),
}


class Engines:
    """DuckDBs that reach nothing, each lent to one run at a time: making one takes longer than most queries.

    Rows are registered with a run's own connections and go with them; an engine whose query failed is not lent again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free: list[duckdb.DuckDBPyConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> duckdb.DuckDBPyConnection:
        """An engine that nobody else has."""
        with self._lock:
            if self._free:
                return self._free.pop()
        return _fresh_engine()

    def give_back(self, engine: duckdb.DuckDBPyConnection, is_well: bool) -> None:
        """Have it lent again, if it is well."""
        with self._lock:
            if is_well and not self._closed and len(self._free) < self._most:
                self._free.append(engine)
                return
        engine.close()

    def close(self) -> None:
        """Keep none."""
        with self._lock:
            self._closed = True
            for engine in self._free:
                engine.close()
            self._free.clear()


class InlineTables:
    """The capability `Table` over rows in memory, in a DuckDB that reaches nothing else. Close it when done.

    With one table, `records()` gives its rows.
    """

    dialect = "duckdb"

    def __init__(self, tables: Mapping[str, pa.Table], engines: Engines) -> None:
        self._tables = dict(tables)
        self._engines = engines
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._busy: list[duckdb.DuckDBPyConnection] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._is_well = True

    def tables(self) -> list[str]:
        """Names of the tables that may be queried."""
        return list(self._tables)

    def columns(self, table: str) -> list[dict[str, str]]:
        """Columns of a table as {"name", "type"}."""
        if table not in self._tables:
            raise CallRefused("not-found", f"no table {str(table)[:80]!r}; there are: {', '.join(self._tables)}")
        return [{"name": field.name, "type": str(field.type)} for field in self._tables[table].schema]

    def records(self) -> Iterator[pa.RecordBatch]:
        """All rows, where there is one table."""
        if len(self._tables) != 1:
            raise CallRefused("not-granted", f"records() needs one table; use query() over {', '.join(self._tables)}")
        yield from next(iter(self._tables.values())).to_batches(BATCH_ROWS)

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of one SELECT. The broker has checked the SQL; DuckDB has nothing else to reach."""
        import duckdb

        connection = self._connection()
        is_well = False
        try:
            relation = connection.sql(sql, params=list(params))
            if relation is None:
                raise CallRefused("bad-sql", "that statement gives no rows; write one SELECT")
            yield from _narrowed(relation)
            is_well = True
        except GeneratorExit:
            is_well = True
            raise
        except duckdb.InterruptException:
            raise CallRefused("limit", "the query was stopped") from None
        except duckdb.OutOfMemoryException:
            raise CallRefused("limit", f"the query needs more than {MEMORY_LIMIT} of memory") from None
        except duckdb.Error as error:
            is_well = isinstance(error, duckdb.ProgrammingError | duckdb.DataError)
            raise CallRefused("bad-sql", " ".join(str(error).split("\n\n")[0].split())[:400]) from None
        finally:
            self._end(connection, is_well)

    def interrupt(self) -> None:
        """Stop every query that is running, and all that would follow (from another thread)."""
        with self._lock:
            self._stopped = True
            for connection in self._busy:
                connection.interrupt()

    def close(self) -> None:
        """Let go of the rows."""
        with self._lock:
            self._stopped = True
            if self._engine is not None:
                self._engines.give_back(self._engine, self._is_well and not self._busy)
                self._engine = None

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """A connection that has no other answer open, and knows the tables."""
        with self._lock:
            if self._stopped:
                raise CallRefused("limit", "the run was stopped")
            if self._engine is None:
                self._engine = self._engines.take()
            connection = self._engine.cursor()
            self._busy.append(connection)
        for name, table in self._tables.items():
            connection.register(name, table)
        return connection

    def _end(self, connection: duckdb.DuckDBPyConnection, is_well: bool) -> None:
        with self._lock:
            self._busy.remove(connection)
            self._is_well = self._is_well and is_well
        connection.close()


def _fresh_engine() -> duckdb.DuckDBPyConnection:
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": "1",
        "memory_limit": MEMORY_LIMIT,
        "max_temp_directory_size": "0KiB",
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "enable_external_access": "false",
    }
    engine = duckdb.connect(":memory:", config=settings)
    engine.execute("SET TimeZone='UTC'")
    engine.execute("SET lock_configuration=true")
    return engine


def _narrowed(relation: duckdb.DuckDBPyRelation) -> Iterator[pa.RecordBatch]:
    """The rows, with sums of integers as integers: DuckDB makes them 128 bits wide, which Arrow only has as a decimal."""
    import pyarrow as pa

    wide = [i for i, kind in enumerate(relation.types) if str(kind) == "HUGEINT"]
    for batch in relation.to_arrow_reader(BATCH_ROWS):
        for i in wide:
            field = batch.schema.field(i)
            try:
                batch = batch.set_column(i, field.name, batch.column(i).cast(pa.int64()))
            except pa.ArrowInvalid:
                raise CallRefused("failed", f"{field.name[:60]!r} passes 64 bits; cast it to DECIMAL or text") from None
        yield batch
