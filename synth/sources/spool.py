"""Raw values of one table, spooled in bounded memory, then typed by everything that was seen of them."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.sources.duck import literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from synth.infer import ColumnType

POSITION = "position"
ORDINAL = "ordinal"
MEMORY_BYTES = 24 * 1024**2
"""A spool of more raw bytes than this goes to disk."""
BATCH_BYTES = 4 * 1024**2
DECIMAL_SCALE = 12
"""More places than this are a measured or computed number, not one that somebody wrote down."""
STRAY_SHARE = 0.02
"""Up to this share of values that break a text column's type are set aside; more make it a text column."""
SAMPLE_VALUES = 2_000


class Number(str):
    """A number with a fraction or an exponent, as it was written."""

    __slots__ = ()


@dataclass
class Seen:
    """What a column held: how many values of each kind, and how large the numbers were."""

    kinds: Counter[str] = field(default_factory=Counter)
    least: int = 0
    most: int = 0
    whole: int = 1
    scale: int = 0
    exponent: bool = False
    depths: set[int] = field(default_factory=set)
    items: Seen | None = None
    zones: set[bool] = field(default_factory=set)

    @property
    def values(self) -> int:
        """How many values there were, nulls left out."""
        return sum(self.kinds.values())

    def texts(self, values: Sequence[object]) -> list[str | None]:
        """The values as text that loses nothing, noted down on the way."""
        types = set(map(type, values))
        types.discard(type(None))
        if not types:
            return [None] * len(values)
        if len(types) == 1:
            present = len(values) - values.count(None)
            (only,) = types
            if only is str:
                self.kinds["text"] += present
                return list(values)  # type: ignore[arg-type]  # only str and None were met
            if only is int:
                self._integers([v for v in values if v is not None])  # type: ignore[misc]  # only int and None were met
                return [None if v is None else str(v) for v in values]
        return [None if v is None else self.text(v) for v in values]

    def text(self, value: object) -> str:
        """One value as text that loses nothing."""
        match value:
            case Number():
                self._number(value)
                return value
            case str():
                self.kinds["text"] += 1
                return value
            case bool():
                self.kinds["bool"] += 1
                return "true" if value else "false"
            case int():
                self._integers([value])
                return str(value)
            case float():
                return self._float(value)
            case Decimal():
                return self._decimal(value)
            case datetime():
                self.kinds["datetime"] += 1
                self.zones.add(value.tzinfo is not None)
                return value.isoformat(sep=" ")
            case date():
                self.kinds["date"] += 1
                return value.isoformat()
            case time():
                self.kinds["time"] += 1
                return value.isoformat()
            case timedelta():
                return self._duration(value)
            case list():
                return self._list(value)
            case _:
                self.kinds["json"] += 1
                return json.dumps(value, ensure_ascii=False, default=str)

    def _integers(self, values: Sequence[int]) -> None:
        self.least, self.most = min(self.least, *values), max(self.most, *values)
        self.kinds["integer"] += len(values)

    def _number(self, text: str) -> None:
        self.kinds["number"] += 1
        if "e" in text or "E" in text:
            self.exponent = True
            return
        whole, _, fraction = text.lstrip("-+").partition(".")
        self.whole, self.scale = max(self.whole, len(whole)), max(self.scale, len(fraction))

    def _float(self, value: float) -> str:
        text = repr(value)
        if not math.isfinite(value):
            self.kinds["number"] += 1
            self.exponent = True
            return text
        if value.is_integer() and abs(value) < 2**53:
            self._integers([int(value)])
            return str(int(value))
        self._number(text)
        return text

    def _decimal(self, value: Decimal) -> str:
        if not value.is_finite():
            return self._float(float(value))
        exponent = value.as_tuple().exponent
        text = f"{value:f}" if isinstance(exponent, int) and -18 <= exponent <= 0 else str(value)
        self._number(text)
        return text

    def _duration(self, value: timedelta) -> str:
        if timedelta(0) <= value < timedelta(days=1):
            self.kinds["time"] += 1
            return (datetime.min + value).time().isoformat()
        self.kinds["text"] += 1
        hours, rest = divmod(value, timedelta(hours=1))
        return f"{hours}:{rest // timedelta(minutes=1):02}:{rest % timedelta(minutes=1) / timedelta(seconds=1):02.0f}"

    def _list(self, value: list[object]) -> str:
        if _holds_objects(value):
            self.kinds["json"] += 1
            return json.dumps(value, ensure_ascii=False, default=str)
        self.kinds["list"] += 1
        self.items = self.items or Seen()
        return self._leaves(value, 1)

    def _leaves(self, value: list[Any], depth: int) -> str:
        """The list as JSON, each number as it was written."""
        assert self.items is not None
        parts: list[str] = []
        for item in value:
            if type(item) is list:
                parts.append(self._leaves(item, depth + 1))
                continue
            self.depths.add(depth)
            text = "null" if item is None else self.items.text(item)
            bare = item is None or (type(item) in (bool, int, Number, float) and text[-1] not in "yNfn")
            parts.append(text if bare else json.dumps(text, ensure_ascii=False))
        return f"[{','.join(parts)}]"


def _holds_objects(value: list[object]) -> bool:
    return any(type(v) is dict or (type(v) is list and _holds_objects(v)) for v in value)


@dataclass(frozen=True)
class Typing:
    """How a raw text column becomes a typed one: `sql` is an expression over `{}`, or `column` reads the text; else it stays text.

    `strict` says that every value is known to fit, so that none need be looked for that does not.
    """

    type: str
    sql: str = ""
    column: ColumnType | None = None
    note: str = ""
    strict: bool = True

    def value(self, raw: str) -> str:
        """SQL for the typed value of a raw column."""
        if self.column is not None:
            return self.column.loose(raw) if self.strict else self.column.sql(raw)
        return self.sql.replace("{}", raw) if self.sql else raw

    def breaks(self, raw: str) -> str:
        """SQL that is true of a raw value which is there and does not become the type."""
        return self.column.breaks(raw) if self.column is not None else "false"


TEXT = Typing("string")


def typing_of(seen: Seen) -> Typing | None:
    """The type that holds every value seen without loss; None where the values are text, to be read by what they say."""
    kinds = {kind for kind, count in seen.kinds.items() if count}
    if not kinds:
        return TEXT
    if kinds == {"text"}:
        return None
    if kinds == {"bool"}:
        return Typing("bool", "CAST({} AS BOOLEAN)")
    if kinds == {"integer"}:
        return _integer_typing(seen)
    if kinds <= {"integer", "number"}:
        return _number_typing(seen)
    if kinds == {"date"}:
        return Typing("date32[day]", "CAST({} AS DATE)")
    if kinds <= {"date", "datetime"} and len(seen.zones) == 1:
        if True in seen.zones:
            return Typing("timestamp[us, tz=UTC]", "CAST({} AS TIMESTAMPTZ)")
        return Typing("timestamp[us]", "CAST({} AS TIMESTAMP)")
    if kinds == {"time"}:
        return Typing("time64[us]", "CAST({} AS TIME)")
    if kinds == {"list"}:
        return _list_typing(seen)
    if "text" in kinds and not kinds & {"list", "json"}:
        return None
    return replace(TEXT, note=f"holds {mixture(seen)}; kept as text")


def text_typings(names: Sequence[str], columns: Sequence[Sequence[str | None]], whole: bool) -> list[Typing]:
    """What columns of text say; `whole` when these are all of their values rather than a sample."""
    from synth.infer import infer_columns

    return [
        Typing(found.type, column=found, strict=whole and not found.offended) for found in infer_columns(names, columns)
    ]


def mixture(seen: Seen) -> str:
    """The kinds of values in words: "12 integers, 3 texts"."""
    words = {"bool": "true/false", "json": "objects", "list": "lists"}
    return ", ".join(f"{n} {words.get(k, k + 's')}" for k, n in seen.kinds.most_common() if n)


def _integer_typing(seen: Seen) -> Typing:
    if seen.least >= -(2**63) and seen.most < 2**63:
        return Typing("int64", "CAST({} AS BIGINT)")
    if len(str(max(abs(seen.least), abs(seen.most)))) <= 38:
        return Typing("decimal128(38, 0)", "CAST({} AS DECIMAL(38, 0))")
    return replace(TEXT, note="holds integers of more than 38 digits; kept as text")


def _number_typing(seen: Seen) -> Typing:
    whole = max(seen.whole, len(str(max(abs(seen.least), abs(seen.most)))))
    if not seen.exponent and whole + seen.scale <= 38 and (seen.scale <= DECIMAL_SCALE or whole + seen.scale > 18):
        precision = 18 if whole + seen.scale <= 18 else 38
        return Typing(
            f"decimal128({precision}, {seen.scale})", f"CAST({{}} AS DECIMAL({precision}, {seen.scale}))", strict=True
        )
    if max(abs(seen.least), abs(seen.most)) > 2**53:
        return replace(TEXT, note="holds whole numbers beyond what a double can carry beside fractions; kept as text")
    return Typing("double", "CAST({} AS DOUBLE)")


def _list_typing(seen: Seen) -> Typing:
    if len(seen.depths) > 1:
        return replace(TEXT, note="holds lists of different depths; kept as JSON text")
    depth = next(iter(seen.depths), 1)
    inner = (typing_of(seen.items) if seen.items else None) or TEXT
    kind = inner.type
    for _ in range(depth):
        kind = f"list<item: {kind}>"
    shape = "[" * depth + '"VARCHAR"' + "]" * depth
    return Typing(kind, f"CAST(from_json({{}}, '{shape}') AS {duck_type(inner.type)}{'[]' * depth})")


def duck_type(arrow: str) -> str:
    """DuckDB's name of an Arrow type."""
    plain = {
        "int64": "BIGINT",
        "double": "DOUBLE",
        "bool": "BOOLEAN",
        "string": "VARCHAR",
        "date32[day]": "DATE",
        "timestamp[us]": "TIMESTAMP",
        "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
        "time64[us]": "TIME",
        "int8": "TINYINT",
        "int16": "SMALLINT",
        "int32": "INTEGER",
        "uint8": "UTINYINT",
        "uint16": "USMALLINT",
        "uint32": "UINTEGER",
        "uint64": "UBIGINT",
        "float": "FLOAT",
        "binary": "BLOB",
        "timestamp[s]": "TIMESTAMP_S",
        "timestamp[ms]": "TIMESTAMP_MS",
        "timestamp[ns]": "TIMESTAMP_NS",
    }
    if arrow.startswith("decimal128"):
        return "DECIMAL" + arrow.removeprefix("decimal128")
    return plain.get(arrow, "VARCHAR")


class Spool:
    """Rows of one table by slot (any hashable), kept as text: in memory while they are few, in Parquet when they are many."""

    def __init__(self, folder: Scratch, label: str) -> None:
        self.folder = folder
        self.label = label
        self.seen: dict[Hashable, Seen] = {}
        self.rows = 0
        self.on_disk = False
        self._positions: list[int] = []
        self._pending: list[Mapping[Any, object]] = []
        self._batch_rows = 1_000
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._files: list[Path] = []
        self._writer: Any = None
        self._columns: dict[Hashable, str] = {}

    def slot(self, slot: Hashable) -> None:
        """Make room for a column; columns keep the order in which they were asked for."""
        if slot not in self._columns:
            self._columns[slot] = f"c{len(self._columns)}"
            self.seen[slot] = Seen()

    def column(self, slot: Hashable) -> str:
        """The raw column of a slot."""
        return self._columns[slot]

    @property
    def slots(self) -> list[Hashable]:
        """Every column asked for, in that order."""
        return list(self._columns)

    def add(self, position: int, row: Mapping[Any, object]) -> int:
        """One more row, and its number from 1; its slots must have been asked for."""
        self._pending.append(row)
        self._positions.append(position)
        self.rows += 1
        if len(self._pending) >= self._batch_rows:
            self.flush()
        return self.rows

    def flush(self) -> None:
        """Turn the waiting rows into a batch."""
        if not self._pending:
            return
        import pyarrow as pa

        first = self.rows - len(self._pending) + 1
        arrays: list[Any] = [
            pa.array(self._positions, pa.int64()),
            pa.array(range(first, self.rows + 1), pa.int64()),
        ]
        names = [POSITION, ORDINAL]
        for slot, column in self._columns.items():
            texts = self.seen[slot].texts([row.get(slot) for row in self._pending])
            arrays.append(_text_array(texts))
            names.append(column)
        batch = pa.RecordBatch.from_arrays(arrays, names=names)
        self._batch_rows = min(20_000, max(50, BATCH_BYTES * len(self._pending) // max(batch.nbytes, 1)))
        self._pending, self._positions = [], []
        self._keep(batch)

    def raw(self, connection: duckdb.DuckDBPyConnection) -> str:
        """A table name or function for FROM that gives every row as text, in order."""
        import pyarrow as pa

        self.flush()
        if self.on_disk:
            self._writer.close()
            return f"read_parquet([{', '.join(literal(str(f)) for f in self._files)}], union_by_name=true)"
        tables = [pa.Table.from_batches([b]) for b in self._batches]
        none = pa.table({POSITION: pa.array([], pa.int64()), ORDINAL: pa.array([], pa.int64())})
        whole = pa.concat_tables(tables, promote_options="default") if tables else none
        for column in self._columns.values():
            if column not in whole.column_names:
                whole = whole.append_column(column, pa.nulls(whole.num_rows, pa.string()))
        connection.register(f"raw_{self.label}", whole)
        return f"raw_{self.label}"

    def forget(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Give the raw rows back, once their typed form stands."""
        if not self.on_disk:
            connection.unregister(f"raw_{self.label}")
        self._batches = []
        for file in self._files:
            file.unlink(missing_ok=True)

    def _keep(self, batch: pa.RecordBatch) -> None:
        self._bytes += batch.nbytes
        if not self.on_disk and self._bytes <= MEMORY_BYTES:
            self._batches.append(batch)
            return
        self.on_disk = True
        waiting, self._batches = [*self._batches, batch], []
        for each in waiting:
            self._write(each)

    def _write(self, batch: pa.RecordBatch) -> None:
        import pyarrow.parquet as pq

        if self._writer is None or self._writer.schema != batch.schema:
            if self._writer is not None:
                self._writer.close()
            self._files.append(self.folder.file(f"{self.label}-{len(self._files)}.parquet"))
            self._writer = pq.ParquetWriter(self._files[-1], batch.schema, compression="snappy", use_dictionary=False)
        self._writer.write_batch(batch)


def _text_array(texts: list[str | None]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([None if t is None else _paired(t) for t in texts], pa.string())


def _paired(text: str) -> str:
    """Half surrogates joined to their character, or replaced where the other half is missing."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Scratch:
    """A temporary folder, made when the first file is asked for."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def file(self, name: str) -> Path:
        """A path for a file of that name."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tars-"))
        return self._folder / name

    def remove(self) -> None:
        """Remove the folder and all in it."""
        import shutil

        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
