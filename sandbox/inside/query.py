"""`query(rows, sql)`: SQL over rows inside the sandbox, by DuckDB with no way out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa

from sandbox.inside.handle import Rows, typed_batches

BATCH_ROWS = 65_536
_EXACT = 2**53
_NO_COLUMN = re.compile(
    r'Referenced column "((?:[^"]|"")+)" (?:was )?not found|does not have a column named "((?:[^"]|"")+)"'
)

# In this order: some can no longer be set once there is no way out.
_SETTINGS = {
    "TimeZone": "'UTC'",
    "temp_directory": "''",
    "python_enable_replacements": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "enable_external_access": "false",
}


class QueryError(Exception):
    """The SQL could not be run; the message is DuckDB's."""


class Engine:
    """A DuckDB without threads, files or extensions, opened once ahead of the fork and used by one closure."""

    def __init__(self) -> None:
        self._connection = _connect()
        self._memory_mb: int | None = None

    def warm(self) -> None:
        """Do once what a first query would otherwise load or build later."""
        rows = [{"a": 1, "b": "x", "c": [Decimal("1.5")], "d": {"e": date(2020, 1, 1)}}]
        answer = self._run({"rows": table_of(rows)}, "SELECT a, b, c, d FROM rows WHERE a >= ?", [1])
        next(iter(answer))

    def limit(self, memory_mb: int) -> None:
        """How much memory queries may take, set when the first one comes."""
        self._memory_mb = memory_mb

    def query(self, rows: object, sql: str, params: Sequence[object] = ()) -> Rows:
        """Rows of one SELECT over `rows`: one iterable of dicts (the table `rows`) or a mapping of names to iterables."""
        if not isinstance(sql, str):
            raise TypeError("query() takes the rows first and then the SQL text")
        tables = rows if isinstance(rows, Mapping) else {"rows": rows}
        once = _scanned_once(sql)
        loaded = {
            str(name): _loaded(value, once and len(tables) == 1, str(name), sql) for name, value in tables.items()
        }
        if self._memory_mb is not None:
            self._connection.execute(f"SET memory_limit='{self._memory_mb}MB'")
            self._connection.execute("SET lock_configuration=true")
            self._memory_mb = None
        empty = {name for name, table in loaded.items() if isinstance(table, pa.Table) and not table.num_columns}
        for _ in range(200):
            try:
                return self._run(loaded, sql, list(params))
            except QueryError as error:
                # Rows that are not there have no columns either, and a question about none of them still has an answer.
                missing = _NO_COLUMN.search(str(error)) if empty else None
                if missing is None:
                    raise
                column = (missing.group(1) or missing.group(2)).replace('""', '"')
                for name in empty:
                    loaded[name] = loaded[name].append_column(column, pa.nulls(0))
        raise QueryError("too many columns that are not in the empty rows")

    def _run(self, tables: Mapping[str, Any], sql: str, params: list[object]) -> Rows:
        cursor = self._connection.cursor()
        try:
            for name, table in tables.items():
                if isinstance(table, pa.Table) and not table.num_columns:
                    table = pa.table({" ": pa.nulls(0)})
                cursor.register(name, table)
            statements = cursor.extract_statements(sql)
            if len(statements) != 1 or "SELECT" not in str(statements[0].type).upper():
                raise QueryError("query() takes one SELECT")
            cursor.execute(statements[0], params)
            reader = _reader(cursor)
        except duckdb.OutOfMemoryException as error:
            raise MemoryError(str(error)) from None
        except duckdb.Error as error:
            raise QueryError(str(error)) from None
        return Rows(_batches(reader, cursor), reader.schema)


def _connect() -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(":memory:", config={"threads": 1, "async_threads": 0})
    except duckdb.Error:
        # Engines before 2.0 have no threads of that kind, and no setting for them.
        connection = duckdb.connect(":memory:", config={"threads": 1})
    known = {name for (name,) in connection.execute("SELECT name FROM duckdb_settings()").fetchall()}
    for name, value in _SETTINGS.items():
        if name in known:
            connection.execute(f"SET {name}={value}")
    return connection


def _reader(cursor: Any) -> pa.RecordBatchReader:
    # The newer name first; engines before 1.5 have only the older one.
    draw = getattr(cursor, "to_arrow_reader", None) or cursor.fetch_record_batch
    reader: pa.RecordBatchReader = draw(BATCH_ROWS)
    return reader


def _batches(reader: pa.RecordBatchReader, cursor: object) -> Iterator[pa.RecordBatch]:
    """The reader's batches; the cursor is held for as long as they are read."""
    while cursor is not None:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, duckdb.Error, OSError) as error:
            if "memory" in str(error).lower():
                raise MemoryError(str(error)) from None
            raise QueryError(str(error)) from None
        yield batch


def _scanned_once(sql: str) -> bool:
    """Surely one scan of one table: then rows may stream through instead of being held. A second scan would find nothing."""
    words = re.findall(r"[a-z_]+", sql.lower())
    twice = {"with", "join", "recursive", "pivot", "unpivot", "lateral"} & set(words)
    return words.count("select") == 1 and words.count("from") == 1 and not twice


def _loaded(value: Any, stream: bool, name: str, sql: str) -> Any:
    """Rows as something DuckDB can scan: a stream of batches where one scan is sure, a table otherwise."""
    typed = typed_batches(value)
    if typed is None:
        return value if isinstance(value, pa.Table) else table_of(value)
    schema, batches = typed
    if stream and len(re.findall(rf"(?i)\b{re.escape(name)}\b", sql)) == 1:
        return pa.RecordBatchReader.from_batches(schema, batches)
    return pa.Table.from_batches(list(batches), schema)


def table_of(rows: Iterable[Any]) -> pa.Table:
    """A table of dicts that need not agree: a column of mixed scalars is text, a missing key is null."""
    records = list(rows)
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise TypeError(f"query() takes dicts; row {number} is of type {type(record).__name__}")
    names = list(dict.fromkeys(chain.from_iterable(records)))
    columns = [column_of([record.get(name) for record in records]) for name in names]
    return pa.Table.from_arrays(columns, [str(name) for name in names])


def column_of(values: list[Any]) -> pa.Array[Any]:
    """One Arrow column for any plain values: of their own type where they share one, else text. Never fails on JSON."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if not kinds:
        return pa.nulls(len(values))
    if len(kinds) > 1:
        values, kinds = _levelled(values, kinds)
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    if kind is not None:
        try:
            made = _column_of_one(values, kind)
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            made = None
        if made is not None:
            return made
    return pa.array([_text(value) for value in values], pa.string())


def _levelled(values: list[Any], kinds: set[type]) -> tuple[list[Any], set[type]]:
    """Numbers of several kinds as the one that holds them all exactly; kinds that cannot meet stay as they are."""
    if kinds == {int, float}:
        if all(type(v) is not int or -_EXACT <= v <= _EXACT for v in values):
            return [float(v) if type(v) is int else v for v in values], {float}
    elif Decimal in kinds and kinds <= {Decimal, int, float}:
        return [Decimal(repr(v)) if type(v) is float else Decimal(v) if type(v) is int else v for v in values], {
            Decimal
        }
    elif kinds <= {list, tuple}:
        return [list(v) if type(v) is tuple else v for v in values], {list}
    for plain in (dict, list, str, int, float):
        if all(issubclass(kind, plain) for kind in kinds) and bool not in kinds:
            return [None if v is None else plain(v) for v in values], {plain}
    return values, kinds


def _column_of_one(values: list[Any], kind: type) -> pa.Array[Any] | None:
    """The column of values of one type; None where Arrow has none for it."""
    if issubclass(kind, dict):
        names = list(dict.fromkeys(chain.from_iterable(value for value in values if value)))
        if not names:
            return None
        inner = [column_of([None if value is None else value.get(name) for value in values]) for name in names]
        fields = [pa.field(str(name), column.type) for name, column in zip(names, inner, strict=True)]
        return pa.Array.from_buffers(pa.struct(fields), len(values), [_validity(values)], children=inner)
    if issubclass(kind, (list, tuple)):
        offsets = [0]
        for value in values:
            offsets.append(offsets[-1] + (0 if value is None else len(value)))
        flat = column_of(list(chain.from_iterable(value for value in values if value)))
        starts = pa.array(offsets, pa.int32()).buffers()[1]
        return pa.Array.from_buffers(pa.list_(flat.type), len(values), [_validity(values), starts], children=[flat])
    if kind is bool:
        return pa.array(values, pa.bool_())
    if issubclass(kind, int):
        try:
            return pa.array(values, pa.int64())
        except (OverflowError, pa.ArrowInvalid):
            return _decimals([None if value is None else Decimal(value) for value in values])
    if issubclass(kind, float):
        return pa.array(values, pa.float64())
    if issubclass(kind, Decimal):
        return _decimals(values)
    if issubclass(kind, datetime):
        aware = {value.tzinfo is not None for value in values if value is not None}
        if len(aware) > 1:
            return None
        if aware == {True}:
            values = [None if value is None else value.astimezone(UTC) for value in values]
            return pa.array(values, pa.timestamp("us", "UTC"))
        return pa.array(values, pa.timestamp("us"))
    arrow = {date: pa.date32(), time: pa.time64("us"), timedelta: pa.duration("us"), bytes: pa.binary()}.get(kind)
    if arrow is not None:
        return pa.array(values, arrow)
    if issubclass(kind, str):
        return pa.array(values, pa.string())
    return None


def _validity(values: list[Any]) -> Any:
    """Arrow's bitmap of which values are there; None when all are. Built by hand: masks need pyarrow's compute module."""
    if None not in values:
        return None
    return pa.array([value is not None for value in values], pa.bool_()).buffers()[1]


def _decimals(values: list[Any]) -> pa.Array[Any] | None:
    """Exact numbers of up to 38 digits; None when one has more."""
    whole = scale = 0
    for value in values:
        if value is not None:
            if not value.is_finite():
                return None
            _, digits, exponent = value.as_tuple()
            scale = max(scale, -exponent)
            whole = max(whole, len(digits) + exponent)
    if max(whole, 1) + scale > 38:
        return None
    return pa.array(values, pa.decimal128(max(whole, 1) + scale, scale))


def _text(value: Any) -> str | None:
    """A value of a mixed column as text: JSON for what is nested, ISO for dates."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=_text)
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (Decimal, UUID, int, float, timedelta)):
        return str(value)
    raise TypeError(f"query() cannot load a value of type {type(value).__name__}")
