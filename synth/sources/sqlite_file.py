"""A SQLite file as a source. SQLite keeps no types: what a column holds is told by its values, its declared type is a hint."""

from __future__ import annotations

import itertools
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.broker import CallRefused
from synth.detection import Detection
from synth.errors import SourceProblem
from synth.schema import Field, Table
from synth.source import OpenOptions, SetAside, Source
from synth.sources.credentials import path_and_table
from synth.sources.sql_database import (
    SAMPLED_TABLES,
    WHOLE_ROWS,
    Pool,
    SqlDoors,
    SqlSource,
    narrowed_to,
    qualified,
    refusals_as_problems,
)
from synth.sources.sql_engines import Answer, Catalogue, FoundColumn, FoundKey, FoundTable, placeholders, plain_params
from synth.sources.sql_rows import Broken, Column, Row, as_text, typed_batches

if TYPE_CHECKING:
    import pyarrow as pa

    from synth.infer import ColumnType

_HEADER = b"SQLite format 3\x00"
_COUNTED_BYTES = 100 * 1024 * 1024
_LOOKED = 2_000
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_MOMENT = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d")
_SIZE = re.compile(r"\(\s*(\d+)\s*,\s*(\d+)\s*\)")
_FORBIDDEN = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "lsdir", "zipfile", "sqlar_compress"}
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_memories = itertools.count(1)


def open_source(location: str, detection: Detection, options: OpenOptions) -> Source:
    """The database file at `path`, `path#table` or `sqlite:///path`."""
    path, _, only = path_and_table(location, options.environment, ("sqlite", "sqlite3"))
    _check(path)
    engine = Sqlite(f"file:{quote(str(path.resolve()))}", path.name, options.timeout_seconds)
    pool = Pool(engine)
    try:
        with refusals_as_problems(engine.label):
            with pool.borrowed() as loan:
                catalogue = engine.catalogue(loan.connection)
            kind = detection.kind if detection.kind != "unknown" else "sqlite"
            return SqliteSource(options.name or path.stem, kind, engine, pool, narrowed_to(catalogue, only, path.name))
    except BaseException:
        pool.close()
        raise


def _check(path: Path) -> None:
    try:
        if path.is_dir():
            raise SourceProblem("unreadable", f"{path} is a folder, not a database file")
        with path.open("rb") as stream:
            head = stream.read(100)
    except FileNotFoundError as error:
        raise SourceProblem("missing", f"there is no file {path}", "Check the path") from error
    except OSError as error:
        raise SourceProblem("unreadable", f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise SourceProblem("empty", f"{path} is empty: 0 bytes", "A SQLite database has at least one page")
    if not head.startswith(_HEADER):
        raise SourceProblem(
            "unreadable", f"{path} is not a SQLite database", "Its first bytes are others; it may be encrypted"
        )
    if len(head) < 100:
        raise SourceProblem("truncated", f"{path} ends after {len(head)} bytes, within the header")


class _Connection(sqlite3.Connection):
    """With a deadline that the progress handler keeps."""

    deadline = float("inf")


class Sqlite:
    """One SQLite file, opened so that it cannot be written to."""

    dialect = "sqlite"
    default_format = "sqlite"

    def __init__(self, uri: str, label: str, seconds: float, memory: bool = False) -> None:
        self.label = label
        self.seconds = seconds
        self.types: dict[str, dict[str, str]] = {}
        """By table, the Arrow type of each column as queries give it; columns that are not here are told by their values."""
        self._uri = uri
        self._memory = memory
        self._immutable = False

    def connect(self) -> Any:
        """Read-only by the file's mode, by a pragma, and by an authorizer."""
        mode = "mode=memory&cache=shared" if self._memory else ("mode=ro&immutable=1" if self._immutable else "mode=ro")
        try:
            connection = sqlite3.connect(
                f"{self._uri}?{mode}",
                uri=True,
                check_same_thread=False,
                timeout=min(self.seconds, 5.0),
                factory=_Connection,
            )
            connection.text_factory = _text
            connection.isolation_level = None
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 256 * 1024 * 1024)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            if "unable to open" in str(error) and not self._immutable and not self._memory:
                # A journal that cannot be made beside the file (a read-only folder): nobody else can be writing then.
                self._immutable = True
                return self.connect()
            raise self._problem(error) from error
        connection.set_progress_handler(lambda: time.monotonic() > connection.deadline, 20_000)
        return connection

    def _problem(self, error: sqlite3.Error) -> SourceProblem:
        text = str(error)
        if "locked" in text or "busy" in text:
            return SourceProblem(
                "unreadable", f"{self.label} is locked by another program", "Close that program, or copy the file"
            )
        if "not a database" in text:
            return SourceProblem("unreadable", f"{self.label} is not a SQLite database, or it is encrypted")
        if "malformed" in text:
            return SourceProblem("truncated", f"{self.label} is damaged: {text}", "Try the sqlite3 shell's .recover")
        return SourceProblem("unreadable", f"{self.label} cannot be read: {text}")

    def catalogue(self, connection: Any) -> Catalogue:
        """Tables and views, without SQLite's own and the shadow tables of its indexes."""
        connection.set_authorizer(None)
        try:
            return self._catalogue(connection)
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _catalogue(self, connection: Any) -> Catalogue:
        listed = connection.execute(
            "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        ).fetchall()
        counted = not self._memory and len(listed) <= 100 and self.bytes_of(connection) <= _COUNTED_BYTES
        ddl = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
        tables: list[FoundTable] = []
        closed: list[str] = []
        for name, kind, without_rowid in listed:
            try:
                info = connection.execute(f"PRAGMA table_xinfo({self.quoted(name)})").fetchall()
                rows = self._count(connection, name, kind == "table" and not without_rowid, counted)
            except sqlite3.DatabaseError as error:
                if "malformed" in str(error) or "not a database" in str(error):
                    raise
                closed.append(name)  # a view over something that is gone, or a module that is not here
                continue
            folded = set(
                re.findall(r'(?i)["`\[]?(\w+)["`\]]?[^,]*?\bCOLLATE\s+NOCASE', (ddl.get(name) or "").partition("(")[2])
            )
            columns = tuple(
                FoundColumn(column, "", not required and not key, "", declared or "", column in folded)
                for _, column, declared, required, _, key, hidden in info
                if hidden != 1
            )
            keys = sorted((key, column) for _, column, _, _, _, key, _ in info if key)
            stored = kind == "table" and not without_rowid
            tables.append(FoundTable("", name, columns, rows, stored, tuple(c for _, c in keys)))
        return Catalogue(tuple(tables), self._keys(connection, tables), "", tuple(closed))

    def _keys(self, connection: Any, tables: Sequence[FoundTable]) -> tuple[FoundKey, ...]:
        known = {t.name.lower(): t for t in tables}
        keys: list[FoundKey] = []
        for table in tables:
            links: dict[int, list[tuple[str, str, str | None]]] = {}
            for number, _, parent, mine, theirs, *_ in connection.execute(
                f"PRAGMA foreign_key_list({self.quoted(table.name)})"
            ):
                links.setdefault(number, []).append((parent, mine, theirs))
            for parts in links.values():
                parent = known.get(parts[0][0].lower())
                if parent is None:
                    continue
                theirs = tuple(t or "" for _, _, t in parts) if parts[0][2] else parent.primary_key
                names = {c.name.lower(): c.name for c in parent.columns}
                found = tuple(names.get(t.lower(), "") for t in theirs)
                if all(found) and len(found) == len(parts):
                    keys.append(FoundKey(("", table.name), tuple(m for _, m, _ in parts), ("", parent.name), found))
        return tuple(keys)

    def bytes_of(self, connection: Any) -> int:
        """The size of the file."""
        pages, size = (connection.execute(f"PRAGMA {word}").fetchone()[0] for word in ("page_count", "page_size"))
        return int(pages) * int(size)

    def _count(self, connection: Any, name: str, stored: bool, exact: bool) -> int | None:
        if not stored:
            connection.execute(f"SELECT 1 FROM {self.quoted(name)} LIMIT 0")
            return None
        what = "count(*)" if exact else "max(rowid) - min(rowid) + 1"
        return int(connection.execute(f"SELECT {what} FROM {self.quoted(name)}").fetchone()[0] or 0)

    def begin(self, connection: Any, sql: str, params: Sequence[object]) -> Answer:
        """Steps of a statement; each fetch has its own time."""
        placeholders(sql, self.dialect, len(params), lambda _: "?")
        text, kinds = self.understood(sql)
        connection.set_authorizer(_authorize)
        connection.deadline = time.monotonic() + self.seconds
        try:
            cursor = connection.execute(text, [_param(p) for p in plain_params(params)])
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise self.refusal(error) from error
        names = [d[0] for d in cursor.description or ()]
        columns = [
            _column(name, *kinds[i]) if len(kinds) == len(names) else Column(name, None) for i, name in enumerate(names)
        ]

        def fetch(size: int) -> Sequence[Row]:
            connection.deadline = time.monotonic() + self.seconds
            try:
                rows: Sequence[Row] = cursor.fetchmany(size)
            except (sqlite3.Error, OverflowError) as error:
                raise self.refusal(error) from error
            return rows

        return Answer(tuple(columns), fetch)

    def understood(self, sql: str) -> tuple[str, list[tuple[str, bool]]]:
        """The SQL with its sums of decimals rounded to their scale, and for each output its Arrow type (empty where
        unknown) and whether that is a guess. A sum of floating point numbers would else miss what it is compared with by a hair."""
        import sqlglot
        from sqlglot import exp

        from synth.sources.sql_over import name_outputs, typed_copy

        try:
            tree: Any = sqlglot.parse_one(sql, dialect=self.dialect)
        except sqlglot.errors.SqlglotError:
            return sql, []  # SQLite will say what is wrong with it
        if not isinstance(tree, exp.Query):
            return sql, []
        sums: list[Any] = list(tree.find_all(exp.Sum))
        for number, node in enumerate(sums):
            node.meta["number"] = number
        typed = typed_copy(tree, self.dialect, self.types)
        if typed is None:
            return sql, []
        scales = {n.meta.get("number"): _scale(n.this.type) for n in typed.find_all(exp.Sum)}
        changed = any(scale is not None for scale in scales.values())
        if changed:
            name_outputs(tree, self.dialect, sql)
        for number, node in enumerate(sums):
            scale = scales.get(number)
            if scale is None or node.find_ancestor(exp.Sum):
                continue
            while isinstance(node.parent, exp.Window | exp.Filter) and node.arg_key == "this":
                node = node.parent
            node.replace(exp.Round(this=node.copy(), decimals=exp.Literal.number(scale)))
        kinds = [_output_kind(o) for o in typed.selects]
        if any(isinstance(o, exp.Star) for o in typed.selects):
            kinds = []
        return (str(tree.sql(dialect=self.dialect)) if changed else sql), kinds

    def end(self, connection: Any, exhausted: bool) -> bool:
        """Statements are finalised with their cursors; nothing else stays behind."""
        connection.deadline = float("inf")
        return True

    def refusal(self, error: Exception) -> CallRefused:
        """By SQLite's words."""
        text = " ".join(str(error).split())[:400]
        if "interrupted" in text:
            return CallRefused("limit", f"the query took longer than {self.seconds:g} s and was stopped")
        if "not authorized" in text or "prohibited" in text or "readonly" in text or "query_only" in text:
            return CallRefused("not-granted", f"only reading is allowed: {text}")
        if "locked" in text or "malformed" in text or "disk I/O" in text:
            return CallRefused("unavailable", text)
        bad = isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError | sqlite3.Warning)
        return CallRefused("bad-sql" if bad else "failed", text)

    def corrected(self, table: FoundTable, broken: Sequence[Broken]) -> bool:
        """Never: types were told by the values already."""
        return False

    def random_rows(self, table: FoundTable, rows: int) -> str:
        """Random row numbers; more than wanted, since some may be gone."""
        if not table.stored or not table.rows:
            return ""
        import random

        numbers = sorted(random.Random(7).sample(range(1, table.rows + 1), min(table.rows, rows * 2)))
        return f"{self.quoted(table.name)} WHERE rowid IN ({', '.join(map(str, numbers))})"

    def quoted(self, name: str) -> str:
        """In double quotes."""
        return '"' + name.replace('"', '""') + '"'


def _text(raw: bytes) -> str:
    """Text is UTF-8 by SQLite's word; what an old program stored otherwise is read as Windows-1252 or Latin-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        try:
            return raw.decode("cp1252")
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FORBIDDEN):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _param(value: object) -> object:
    match value:
        case bool():
            return int(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else float(value)
        case datetime():
            plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return plain.isoformat(sep=" ")
        case date() | clock():
            return value.isoformat()
    return value


def _scale(kind: Any) -> int | None:
    """The scale of a decimal type that says one."""
    if kind is None or not kind.is_type("decimal") or len(kind.expressions) != 2:
        return None
    return int(kind.expressions[1].name)


def _output_kind(output: Any) -> tuple[str, bool]:
    from sqlglot import exp

    kind, plain = output.type, isinstance(output.unalias(), exp.Column)
    if kind is None:
        return "", True
    scale = _scale(kind)
    if scale is not None:
        precision = int(kind.expressions[0].name) if plain else 38
        return f"decimal128({precision}, {scale})", not plain
    for word, arrow in _ARROW.items():
        if kind.is_type(word):
            return (arrow, not plain) if plain or arrow in _TOLD else ("", True)
    return "", True


_ARROW = {
    "boolean": "bool", "date": "date32[day]", "timestamp": "timestamp[us]", "text": "string", "bigint": "int64",
    "double": "double", "varbinary": "binary",
}  # fmt: skip
_TOLD = {"bool", "date32[day]", "timestamp[us]"}


def _column(name: str, kind: str, guess: bool) -> Column:
    import pyarrow as pa

    if not kind:
        return Column(name, None)
    if kind.startswith("decimal"):
        precision, scale = map(int, re.findall(r"\d+", kind)[1:])
        return Column(name, pa.decimal128(precision, scale), lambda v: _exact(v, scale), guess=guess)
    ready: dict[str, tuple[pa.DataType, Callable[[Any], Any] | None]] = {
        "bool": (pa.bool_(), _flag), "date32[day]": (pa.date32(), _only_text), "timestamp[us]": (pa.timestamp("us"), _only_text),
        "string": (pa.string(), as_text), "int64": (pa.int64(), _whole), "double": (pa.float64(), _number), "binary": (pa.binary(), None),
    }  # fmt: skip
    return Column(name, *ready[kind], guess=guess)


def _exact(value: object, scale: int) -> Decimal:
    """The decimal that a floating point number stands for; ValueError when it stands for none of that scale."""
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    rounded = round(Decimal(repr(value)), scale)
    if abs(float(rounded) - value) > 1e-9 * max(1.0, abs(value)):
        raise ValueError(f"{value!r} has more than {scale} decimals")
    return rounded


def _flag(value: object) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value!r} is neither 0 nor 1")
    return bool(value)


def _only_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a date")
    return value


def _whole(value: object) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError(f"{value!r} is not an integer")


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise ValueError(f"{value!r} is not a number")


# ---------------------------------------------------------------------------------------------------------------- types


@dataclass(frozen=True)
class Told:
    """What the values of a column told: the type queries give, the schema's field, and how text is read where it must be."""

    stored: str
    field: Field
    read: ColumnType | None = None


def told_by(name: str, declared: str, values: Sequence[object]) -> Told:
    """The type of a column from its values, the declared type settling what the values leave open."""
    there = [v for v in values if v is not None]
    kinds = {type(v) for v in there}
    nulls = len(values) - len(there)
    base = Field(name, "string", values=len(values), nulls=nulls)
    word = declared.upper()

    def plain(kind: str) -> Told:
        return Told(kind, replace(base, type=kind))

    if not there:
        return plain(_declared(word))
    if kinds == {bytes}:
        return plain("binary")
    if kinds <= {int, float}:
        numbers = [v for v in there if isinstance(v, int | float)]
        if "BOOL" in word and set(numbers) <= {0, 1}:
            return plain("bool")
        if (size := _SIZE.search(word)) and _is_exact(numbers, int(size[2])):
            return plain(f"decimal128({min(38, max(int(size[1]), 18))}, {int(size[2])})")
        if float in kinds and _is_money(name, word) and _is_exact(numbers, 2):
            return plain("decimal128(18, 2)")
        if kinds == {int} and _is_timely(name, word) and (read := _epoch(name, numbers)):
            return Told("int64", replace(base, type="timestamp[us]", reading=read, format="epoch"))
        return plain("int64" if kinds == {int} else "double")
    texts = [as_text(v) for v in there]
    if kinds == {str}:
        if all(_DATE.fullmatch(t) for t in texts) and _castable(texts, "date32[day]"):
            return plain("date32[day]")
        if all(_MOMENT.fullmatch(t) for t in texts) and _castable(texts, "timestamp[us]"):
            return plain("timestamp[us]")
    return _read_from_text(name, base, texts, nulls)


def _is_timely(name: str, declared: str) -> bool:
    """Declared as a date or time, or a whole number that is named like one: `placed_on`, `createdAt`."""
    from synth.type_words import TIME_WORDS

    words = set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))
    return "DATE" in declared or "TIME" in declared or bool(words & TIME_WORDS)


_MONEY = re.compile(
    r"(?:^|_)(?:price|total|subtotal|amount|revenue|sales|cost|fee|tax|vat|salary|wage|balance|budget|income|profit|payment|spend|due)s?(?:_|$)"
)


def _is_money(name: str, declared: str) -> bool:
    """Declared as an exact number of no stated scale, or named for money: such values must not come back as 87598.62000000001."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return any(w in declared for w in ("NUMERIC", "DECIMAL", "MONEY", "CURRENCY")) or _MONEY.search(snake) is not None


def _read_from_text(name: str, base: Field, texts: Sequence[str], nulls: int) -> Told:
    from synth.infer import infer_column

    found = infer_column(name, [*texts, *([None] * nulls)])
    field = replace(found.as_field(), values=base.values)
    if found.type == "string" and found.reading is None:
        return Told("string", field)
    quoted = '"' + name.replace('"', '""') + '"'
    return Told("string", replace(field, reading=found.sql(quoted)), found)


def _declared(word: str) -> str:
    """SQLite's own rule for affinity, and the names that people use beyond it."""
    if size := _SIZE.search(word):
        return f"decimal128({min(38, max(int(size[1]), 18))}, {int(size[2])})"
    for part, kind in (
        ("BOOL", "bool"), ("DATETIME", "timestamp[us]"), ("TIMESTAMP", "timestamp[us]"), ("DATE", "date32[day]"), ("INT", "int64"),
        ("REAL", "double"), ("FLOA", "double"), ("DOUB", "double"), ("NUMERIC", "double"), ("DECIMAL", "double"), ("BLOB", "binary"),
    ):  # fmt: skip
        if part in word:
            return kind
    return "string"


def _is_exact(numbers: Sequence[int | float], scale: int) -> bool:
    try:
        for number in numbers:
            _exact(number, scale)
    except (ValueError, ArithmeticError):
        return False
    return True


def _epoch(name: str, numbers: Sequence[int | float]) -> str:
    """How seconds or milliseconds since 1970 are read, where that is what the numbers must be."""
    quoted = '"' + name.replace('"', '""') + '"'
    for low, high, micro in ((10**8, 5 * 10**9, 1_000_000), (10**11, 5 * 10**12, 1_000)):
        if all(low <= n <= high for n in numbers):
            return f"make_timestamp(CAST({quoted} AS BIGINT) * {micro})"
    return ""


def _castable(texts: Sequence[str], kind: str) -> bool:
    import pyarrow as pa

    try:
        pa.array(texts, pa.string()).cast(pa.date32() if kind.startswith("date") else pa.timestamp("us"))
    except pa.ArrowInvalid:
        return False
    return True


# --------------------------------------------------------------------------------------------------------------- source


class SqliteSource(SqlSource):
    """A SQLite file. Its tables were looked at when it was opened, since only the values tell the types."""

    engine: Sqlite

    def __init__(self, name: str, kind: str, engine: Sqlite, pool: Pool, catalogue: Catalogue) -> None:
        super().__init__(name, kind, engine, pool, catalogue)
        self.engine = engine
        self.notes = tuple(f"{t!r} cannot be read; left out" for t in catalogue.closed[:20])
        self._told: dict[str, dict[str, Told]] = {}
        tables = []
        for number, (found, table) in enumerate(zip(catalogue.tables, self._tables, strict=True)):
            rows = self._look(found) if number < SAMPLED_TABLES else []
            columns = list(zip(*rows, strict=True)) or [()] * len(found.columns)
            if rows and (found.rows or 0) > len(rows):
                columns = self._with_strays(found, columns)
            told = {
                c.name: told_by(c.name, c.declared, values) for c, values in zip(found.columns, columns, strict=True)
            }
            engine.types[table.name] = {n: t.stored for n, t in told.items()}
            self._told[table.name] = told
            nullable = {c.name: c.nullable for c in found.columns}
            tables.append(replace(table, fields=tuple(replace(t.field, nullable=nullable[n]) for n, t in told.items())))
        self._tables = tuple(tables)

    def over(self, tables: Mapping[str, pa.Table]) -> object:
        """SQLite itself over other rows, in memory."""
        declared = {
            qualified(t, ""): {c.name: (c.declared, c.folded) for c in t.columns} for t in self.catalogue.tables
        }
        return MemoryDoors([t for t in self._tables if t.name in tables], tables, declared, self.engine.seconds)

    def _with_strays(self, found: FoundTable, columns: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The values looked at, and some that were not where those were whole numbers or null alone: fractions may hide in
        a million rows. Only for files that are quickly gone through."""
        name = self.engine.quoted(found.name)
        quoted = [self.engine.quoted(c.name) for c in found.columns]
        kinds = [{type(v) for v in values if v is not None} for values in columns]
        open_ones = [i for i, seen in enumerate(kinds) if seen <= {int}]
        tests = [
            f"max(typeof({quoted[i]}) = 'real')" if kinds[i] else f"max({quoted[i]} IS NOT NULL)" for i in open_ones
        ]
        with self._pool.borrowed() as loan:
            connection = loan.connection
            if not tests or self.engine.bytes_of(connection) > _COUNTED_BYTES:
                return columns
            connection.deadline = time.monotonic() + self.engine.seconds
            try:
                flags = connection.execute(f"SELECT {', '.join(tests)} FROM {name}").fetchone()
                for i, flag in zip(open_ones, flags, strict=True):
                    if flag:
                        where = f"typeof({quoted[i]}) = 'real'" if kinds[i] else f"{quoted[i]} IS NOT NULL"
                        more = connection.execute(f"SELECT {quoted[i]} FROM {name} WHERE {where} LIMIT {_LOOKED}")
                        columns[i] = (*columns[i], *(value for (value,) in more))
            except sqlite3.Error as error:
                self._note(f"{found.name!r} could not be looked through: {self.engine.refusal(error).message}")
        return columns

    def _look(self, found: FoundTable) -> list[tuple[Any, ...]]:
        """Values from all over a table, as they are stored."""
        columns = ", ".join(self.engine.quoted(c.name) for c in found.columns)
        tail = self.engine.random_rows(found, _LOOKED) if (found.rows or 0) > WHOLE_ROWS else ""
        sql = f"SELECT {columns} FROM {tail or self.engine.quoted(found.name)} LIMIT {WHOLE_ROWS}"
        with self._pool.borrowed() as loan:
            loan.connection.deadline = time.monotonic() + self.engine.seconds
            try:
                rows: list[tuple[Any, ...]] = loan.connection.execute(sql).fetchall()
            except sqlite3.Error as error:
                refused = self.engine.refusal(error)
                if refused.code == "unavailable":
                    raise refused from error
                self._note(f"{found.name!r} could not be looked at: {refused.message}")
                return []
        step = max(1, len(rows) // _LOOKED)
        return rows[::step] if len(rows) > _LOOKED * 2 else rows

    def _learn(self, b: Mapping[str, pa.Table], whole: set[str]) -> None:
        self._tables = tuple(
            replace(t, rows=b[t.name].num_rows) if t.name in whole and t.name in b else t for t in self._tables
        )

    def _unseen(self, asked: Sequence[str]) -> tuple[list[SetAside], int]:
        """SQLite compares and sums whatever is in a column; what is of another type than the rest is looked for afterwards."""
        touched = [_touched(sql) for sql in asked]
        aside: list[SetAside] = []
        count = 0
        for table in self._tables:
            found = self._found[table.name]
            names = {n for tables, columns in touched if table.name.lower() in tables for n in columns}
            told = {n: t for n, t in self._told[table.name].items() if n.lower() in names or "*" in names}
            try:
                for name, each in told.items():
                    rows = self._misfits(found, name, each)
                    count += len(rows)
                    aside += [SetAside(table.name, p, f"{name} is not {each.field.type}", v) for p, v in rows[:5]]
            except CallRefused as refused:
                self._note(f"{table.name!r} could not be checked for values of other types: {refused.message}")
        return aside, count

    def _misfits(self, found: FoundTable, name: str, told: Told) -> list[tuple[int, str]]:
        """Row numbers (0 where rows have none) and values of those that are of another type than the column."""
        column, table = self.engine.quoted(name), self.engine.quoted(found.name)
        where = _MISFIT.get(told.stored.partition("(")[0], "").replace("{c}", column)
        number = "rowid" if found.stored else "0"
        if where:
            rows = self._raw(f"SELECT {number}, CAST({column} AS TEXT) FROM {table} WHERE {where} LIMIT 1000")
            return [(int(p), as_text(v)[:200]) for p, v in rows]
        if told.read is not None:
            return self._unread(
                told.read, f"SELECT {number}, CAST({column} AS TEXT) FROM {table} WHERE {column} IS NOT NULL"
            )
        return []

    def _unread(self, read: ColumnType, sql: str) -> list[tuple[int, str]]:
        """Texts that the column's reading makes nothing of."""
        import pyarrow as pa

        from synth.sources.duck import connect

        bad: list[tuple[int, str]] = []
        with self._pool.borrowed() as loan, connect() as duck:
            answer = self.engine.begin(loan.connection, sql, ())
            columns = [Column("n", pa.int64(), _whole), Column("v", pa.string(), as_text)]
            for batch in typed_batches(columns, answer.fetch, lambda _row: None):
                duck.register("texts", batch)
                bad += duck.execute(f"SELECT n, v FROM texts WHERE {read.breaks('v')}").fetchall()
                duck.unregister("texts")
                if len(bad) > 1000:
                    break
        return bad[:1000]

    def _raw(self, sql: str) -> list[tuple[Any, ...]]:
        with self._pool.borrowed() as loan:
            answer = self.engine.begin(loan.connection, sql, ())
            return [tuple(row) for row in answer.fetch(1000)]


def _touched(sql: str) -> tuple[set[str], set[str]]:
    """The tables and the columns that a SELECT names, in lower case; `*` for all of them, which `count(*)` does not mean."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect="sqlite")
    columns = {c.name.lower() for c in tree.find_all(exp.Column)}
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        columns.add("*")
    return {t.name.lower() for t in tree.find_all(exp.Table)}, columns


_MISFIT = {
    "int64": "typeof({c}) NOT IN ('integer', 'null')",
    "double": "typeof({c}) NOT IN ('integer', 'real', 'null')",
    "decimal128": "typeof({c}) NOT IN ('integer', 'real', 'null')",
    "bool": "{c} IS NOT NULL AND {c} IS NOT 0 AND {c} IS NOT 1",
    "date32[day]": "{c} IS NOT NULL AND date({c}) IS NOT {c}",
    "timestamp[us]": "{c} IS NOT NULL AND datetime({c}) IS NOT {c}",
}


class MemoryDoors(SqlDoors):
    """The capability `Table` over rows in memory, by SQLite itself: the same SQL means the same."""

    def __init__(
        self,
        tables: Sequence[Table],
        rows: Mapping[str, pa.Table],
        declared: Mapping[str, Mapping[str, tuple[str, bool]]],
        seconds: float,
    ) -> None:
        uri = f"file:tars-memory-{next(_memories)}"
        engine = Sqlite(uri, "memory", seconds, memory=True)
        self._keeper = sqlite3.connect(f"{uri}?mode=memory&cache=shared", uri=True, check_same_thread=False)
        for table in tables:
            data = rows[table.name]
            engine.types[table.name] = {f.name: str(f.type) for f in data.schema}
            self._fill(engine, table.name, data, declared.get(table.name, {}))
        self._keeper.commit()
        served = tuple(tables)
        self._memory_pool = Pool(engine)
        super().__init__(engine, self._memory_pool, lambda: served)

    def _fill(self, engine: Sqlite, name: str, data: pa.Table, declared: Mapping[str, tuple[str, bool]]) -> None:
        parts = []
        for column in data.column_names:
            word, folded = declared.get(column, ("", False))
            parts.append(
                f"{engine.quoted(column)} {re.sub(r'[^A-Za-z0-9 (),]', '', word)}"
                + (" COLLATE NOCASE" if folded else "")
            )
        self._keeper.execute(f"CREATE TABLE {engine.quoted(name)} ({', '.join(parts)})")
        values = zip(*[[_param(v) for v in data.column(i).to_pylist()] for i in range(data.num_columns)], strict=True)
        marks = ", ".join("?" * data.num_columns)
        self._keeper.executemany(f"INSERT INTO {engine.quoted(name)} VALUES ({marks})", values)

    def close(self) -> None:
        """Drop the rows."""
        self._memory_pool.close()
        self._keeper.close()
