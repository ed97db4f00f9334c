"""Database servers: how each is reached, kept from writing, read from in batches, and what its catalogue says.

An engine speaks to the database through its own driver, since only the driver tells the exact type of every column of an
answer, and one catalogue query for all tables is what keeps thousands of them quick.
"""

from __future__ import annotations

import re
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.broker import CallRefused
from synth.errors import SourceProblem
from synth.sources.credentials import Address, masked
from synth.sources.sql_rows import Broken, Column, Row

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class FoundColumn:
    """A column as the catalogue has it. `type` is an Arrow type's name, or empty where only values tell; `declared` the database's own
    word for it; `folded` says that the database compares its text without regard to case. `reading` is set where its own SQL
    makes too little of the type, so that rows are fetched and asked elsewhere."""

    name: str
    type: str
    nullable: bool = True
    comment: str = ""
    declared: str = ""
    folded: bool = False
    reading: str = ""


@dataclass(frozen=True)
class FoundTable:
    """A table or view. `rows` is the database's own estimate, None where it has none; `stored` is False for views."""

    schema: str
    name: str
    columns: tuple[FoundColumn, ...]
    rows: int | None = None
    stored: bool = True
    primary_key: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class FoundKey:
    """A foreign key, tables as (schema, name)."""

    table: tuple[str, str]
    columns: tuple[str, ...]
    to_table: tuple[str, str]
    to_columns: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """What there is to read. `default` is the schema whose tables need no prefix; `closed` the tables that this user may not read."""

    tables: tuple[FoundTable, ...]
    keys: tuple[FoundKey, ...]
    default: str
    closed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """An answer that has begun: its columns, and `fetch(n)` for up to n more rows (none: the end)."""

    columns: tuple[Column, ...]
    fetch: Callable[[int], Sequence[Row]]


class Engine(Protocol):
    """One database. Every method may raise CallRefused; `connect` raises SourceProblem."""

    dialect: str
    label: str
    default_format: str

    def connect(self) -> Any:
        """A connection that cannot write."""
        ...

    def catalogue(self, connection: Any) -> Catalogue:
        """All tables in a handful of queries."""
        ...

    def begin(self, connection: Any, sql: str, params: Sequence[object]) -> Answer:
        """Run one SELECT whose placeholders are `?`."""
        ...

    def end(self, connection: Any, exhausted: bool) -> bool:
        """Leave nothing behind for the next user of the connection; False when it must be thrown away."""
        ...

    def refusal(self, error: Exception) -> CallRefused:
        """A driver's exception in words for the closure's writer."""
        ...

    def corrected(self, table: FoundTable, broken: Sequence[Broken]) -> bool:
        """Whether rows that broke their type taught a better one, so that reading them again is worth it."""
        ...

    def random_rows(self, table: FoundTable, rows: int) -> str:
        """A FROM of about `rows` rows from all over a big table, without reading it all; empty where there is no such."""
        ...

    def quoted(self, name: str) -> str:
        """A name as an identifier."""
        ...


class Watch:
    """Acts when a step takes longer than it may: a server that hangs, or sends a byte now and then, is given up."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.fired = False
        self._act = act
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True

    def _fire(self) -> None:
        self.fired = True
        self._act()

    def __enter__(self) -> Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def placeholders(sql: str, dialect: str, count: int, write: Callable[[int], str], double_percent: bool = False) -> str:
    """The SQL with its `?` written as the driver wants them, all else as it was. CallRefused when their number is wrong."""
    import sqlglot
    from sqlglot.tokenizer_core import TokenType

    try:
        tokens = sqlglot.Dialect.get_or_raise(dialect).tokenize(sql)
    except sqlglot.errors.SqlglotError as error:
        raise CallRefused("bad-sql", f"the SQL cannot be read: {str(error)[:200]}") from error
    marks = [t for t in tokens if t.token_type == TokenType.PLACEHOLDER]
    if not count and marks and dialect == "postgres":  # the JSON operator
        marks = []
    if len(marks) != count:
        raise CallRefused("bad-sql", f"the SQL has {len(marks)} placeholders (?) and {count} params were given")
    pieces: list[str] = []
    last = 0
    for number, mark in enumerate(marks, 1):
        piece = sql[last : mark.start]
        pieces += [piece.replace("%", "%%") if double_percent else piece, write(number)]
        last = mark.end + 1
    rest = sql[last:]
    return "".join([*pieces, rest.replace("%", "%%") if double_percent else rest])


def plain_params(params: Sequence[object]) -> list[object]:
    """The params when all are plain values; CallRefused for a list or dict, which no placeholder can hold."""
    for value in params:
        if isinstance(value, list | tuple | dict | set):
            raise CallRefused("bad-sql", "a placeholder takes one plain value; write one ? for each member of a list")
    return list(params)


@contextmanager
def watched(seconds: float, act: Callable[[], None], refusal: Callable[[Exception], CallRefused]) -> Iterator[None]:
    """Turn the driver's exceptions into refusals, and a step that takes too long into `limit`."""
    with Watch(seconds, act) as watch:
        try:
            yield
        except CallRefused:
            raise
        except Exception as error:
            if watch.fired:
                raise CallRefused("limit", f"the database gave no answer within {seconds:g} s") from error
            raise refusal(error) from error


# ------------------------------------------------------------------------------------------------------------ PostgreSQL


class Postgres:
    """PostgreSQL and what speaks its protocol, through psycopg."""

    dialect = "postgres"
    default_format = "postgresql"

    def __init__(self, address: Address, environment: Mapping[str, str], seconds: float) -> None:
        self.address = address
        self.seconds = seconds
        self.label = _label(address, 5432)
        self._password = address.password if address.password is not None else environment.get("PGPASSWORD")
        self._passfile = environment.get("PGPASSFILE")
        self._secrets = [*address.secrets, *([self._password] if self._password else [])]

    def connect(self) -> Any:
        """Connected, in UTC, with every transaction read-only and every statement timed."""
        psycopg = _driver("psycopg", "postgres", "PostgreSQL")
        address = self.address
        words: dict[str, Any] = {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": self._password,
            "dbname": address.database,
            "passfile": self._passfile,
            "connect_timeout": max(2, round(self.seconds)),
            "application_name": "tars",
            "tcp_user_timeout": round(self.seconds * 1000),
        }
        words = {k: v for k, v in words.items() if v} | dict(address.options)
        try:
            connection = psycopg.connect(**words, autocommit=True, prepare_threshold=None)
        except (psycopg.Error, OSError, UnicodeError, ValueError) as error:
            raise self._connect_problem(error) from error
        try:
            self._prepare(connection)
        except psycopg.Error as error:
            connection.close()
            raise SourceProblem("server-error", f"{self.label}: {self._words(error)}") from error
        return connection

    def _prepare(self, connection: Any) -> None:
        from psycopg.types.string import TextLoader

        # Texts go to Arrow as they came: exact, and faster than objects made one by one.
        for name in _PG_AS_TEXT:
            if connection.adapters.types.get(name) is not None:
                connection.adapters.register_loader(name, TextLoader)
        self._settings(connection)

    def _settings(self, connection: Any) -> None:
        limit = max(1, round(self.seconds * 1000))
        connection.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('TimeZone', 'UTC', false),"
            " set_config('DateStyle', 'ISO, YMD', false), set_config('IntervalStyle', 'postgres', false),"
            " set_config('default_transaction_read_only', 'on', false), set_config('lock_timeout', %s, false),"
            " set_config('cursor_tuple_fraction', '1', false), set_config('bytea_output', 'hex', false),"
            " set_config('extra_float_digits', '1', false),"
            " CASE WHEN %s <> '' THEN set_config('search_path', quote_ident(%s) || ', public', false) END",
            [str(limit), str(limit), self.address.schema, self.address.schema],
        )

    def _connect_problem(self, error: Exception) -> SourceProblem:
        import psycopg

        text = self._words(error)
        low = text.lower()
        where = self.label

        def has(*words: str) -> bool:
            return any(word in low for word in words)

        if isinstance(error, psycopg.errors.ConnectionTimeout) or has("timeout expired", "timed out"):
            return SourceProblem(
                "timeout", f"{where} did not answer within {self.seconds:g} s", "Check host, port and firewall"
            )
        if has("password authentication", "no password supplied", "authentication failed", "pg_hba", "role "):
            return SourceProblem(
                "authentication",
                f"{where} does not accept user {self.address.user or '(none)'}: {text}",
                "Check user and password; PGPASSWORD, ~/.pgpass or ${NAME} in the address can hold it",
            )
        if has("permission denied"):
            return SourceProblem("authorisation", f"{where}: {text}", "Ask for the CONNECT right on that database")
        if has("database") and has("does not exist"):
            return SourceProblem(
                "not-found", f"{where} has no database {self.address.database!r}", "Check the name after the last /"
            )
        if has(
            "translate host", "name or service", "resolve host", "nodename", "no address associated", "name resolution"
        ):
            return SourceProblem("unreachable", f"no host called {self.address.host!r}", "Check the host's name")
        if has("refused", "unreachable", "no route", "no such file"):
            return SourceProblem("unreachable", f"nothing listens at {where}", "Check host and port; is the server up?")
        if has(
            "invalid response",
            "expected authentication request",
            "unsupported frontend",
            "server closed the connection",
        ):
            return SourceProblem("unreadable", f"what answers at {where} is not PostgreSQL: {text}", "Check the port")
        if has("ssl", "certificate", "tls"):
            return SourceProblem("tls", f"{where}: {text}", "Check sslmode and sslrootcert in the address")
        if isinstance(error, psycopg.ProgrammingError):
            return SourceProblem("unreadable", f"{where}: {text}", "Check the words after ? in the address")
        return SourceProblem("server-error", f"{where}: {text}")

    def _words(self, error: Exception) -> str:
        return masked(" ".join(str(error).split()), self._secrets)[:400]

    def catalogue(self, connection: Any) -> Catalogue:
        """Tables, views, materialised views, partitioned and foreign tables of all schemas this user may look into."""
        with watched(self.seconds, lambda: _shut_postgres(connection), self.refusal):
            return self._catalogue(connection)

    def _catalogue(self, connection: Any) -> Catalogue:
        default = self.address.schema or connection.execute("SELECT current_schema()").fetchone()[0] or "public"
        bases = {r[0]: (r[1], r[2]) for r in connection.execute(_PG_DOMAINS)}
        columns: dict[int, dict[int, FoundColumn]] = defaultdict(dict)
        for table, number, name, kind, modifier, required, comment, declared in connection.execute(_PG_COLUMNS):
            while kind in bases:
                kind, modifier = bases[kind][0], bases[kind][1] if modifier == -1 else modifier
            arrow = postgres_type(kind, modifier, connection.adapters.types)
            # Money has no average and compares with nothing but money.
            reading = f"CAST({self.quoted(name)} AS DECIMAL(19, 2))" if kind == _PG_MONEY else ""
            columns[table][number] = FoundColumn(
                name, str(arrow), not required, comment or "", declared, reading=reading
            )
        found: dict[int, tuple[str, str]] = {}
        numbers: dict[int, dict[int, str]] = {}
        keys: dict[int, tuple[str, ...]] = {}
        foreign: list[tuple[int, tuple[int, ...], int, tuple[int, ...]]] = []
        for kind, table, key, to_table, to_key in connection.execute(_PG_KEYS):
            names = columns.get(table, {})
            if kind == "p":
                keys[table] = tuple(names[n].name for n in key if n in names)
            else:
                foreign.append((table, tuple(key), to_table, tuple(to_key)))
        tables: list[FoundTable] = []
        closed: list[str] = []
        for table, schema, name, kind, rows, size, readable, comment in connection.execute(_PG_TABLES):
            if not readable:
                closed.append(name if schema == default else f"{schema}.{name}")
                continue
            found[table] = (schema, name)
            numbers[table] = {n: c.name for n, c in columns[table].items()}
            estimate = int(rows) if rows >= 0 else (size // 100 if size is not None else None)
            own = tuple(c for _, c in sorted(columns[table].items()))
            stored = kind in "rm"
            tables.append(FoundTable(schema, name, own, estimate, stored, keys.get(table, ()), comment or ""))
        links = [
            FoundKey(
                found[a], tuple(numbers[a].get(n, "") for n in ka), found[b], tuple(numbers[b].get(n, "") for n in kb)
            )
            for a, ka, b, kb in foreign
            if a in found and b in found
        ]
        links = [k for k in links if all(k.columns) and all(k.to_columns)]
        return Catalogue(tuple(tables), tuple(links), default, tuple(closed))

    def begin(self, connection: Any, sql: str, params: Sequence[object]) -> Answer:
        """A server-side cursor in a read-only transaction."""
        import psycopg

        text = placeholders(sql, self.dialect, len(params), lambda n: f"${n}")
        connection.execute("BEGIN READ ONLY")
        cursor = psycopg.RawServerCursor(connection, "tars")
        with self._watched(connection):
            cursor.execute(text.rstrip().rstrip(";"), plain_params(params))
        result = cursor.pgresult
        columns = [
            _postgres_column(
                d.name, d.type_code, result.fmod(i) if result else -1, connection.adapters.types,
                bool(result and result.ftable(i)),
            )
            for i, d in enumerate(cursor.description or ())
        ]  # fmt: skip

        def fetch(size: int) -> Sequence[Row]:
            with self._watched(connection):
                rows: Sequence[Row] = cursor.fetchmany(size)
                return rows

        return Answer(tuple(columns), fetch)

    def _watched(self, connection: Any) -> Any:
        # The server's own statement_timeout comes first; this is for a server that says nothing any more.
        return watched(self.seconds + 2, lambda: _shut_postgres(connection), self.refusal)

    def end(self, connection: Any, exhausted: bool) -> bool:
        """Roll back and forget everything the session may have been taught."""
        import psycopg

        try:
            with Watch(self.seconds, lambda: _shut_postgres(connection)):
                connection.execute("ROLLBACK")
                connection.execute("DISCARD ALL")
                self._settings(connection)
        except (psycopg.Error, OSError):
            return False
        return not connection.closed

    def refusal(self, error: Exception) -> CallRefused:
        """By the SQL state's class."""
        state = str(getattr(error, "sqlstate", None) or "")
        text = self._words(error)
        if primary := getattr(getattr(error, "diag", None), "message_primary", None):
            hint = error.diag.message_hint or ""  # type: ignore[attr-defined]  # psycopg's errors have it
            text = masked(f"{primary} {hint}".strip(), self._secrets)[:400]
        if state == "57014" or state == "55P03":
            return CallRefused("limit", f"the query took longer than {self.seconds:g} s and was stopped")
        if state == "42501":
            return CallRefused("not-granted", text)
        if state == "25006":
            return CallRefused("not-granted", f"only reading is allowed: {text}")
        if state.startswith(("42", "0A")):
            return CallRefused("bad-sql", text)
        if state.startswith(("08", "57", "53")) or (not state and type(error).__name__ == "OperationalError"):
            return CallRefused("unavailable", text)
        return CallRefused("failed", text)

    def corrected(self, table: FoundTable, broken: Sequence[Broken]) -> bool:
        """Never: its types are kept by the server."""
        return False

    def random_rows(self, table: FoundTable, rows: int) -> str:
        """Random pages (TABLESAMPLE), more of them than needed since a page holds many rows."""
        if not table.stored or not table.rows:
            return ""
        share = min(100.0, 100.0 * rows * 3 / table.rows)
        way = "BERNOULLI" if table.rows <= 1_000_000 else "SYSTEM"
        return f"{self._table(table)} TABLESAMPLE {way} ({share:.6f}) REPEATABLE (7)"

    def _table(self, table: FoundTable) -> str:
        return f"{self.quoted(table.schema)}.{self.quoted(table.name)}"

    def quoted(self, name: str) -> str:
        """In double quotes."""
        return '"' + name.replace('"', '""') + '"'


_PG_AS_TEXT = (
    "json", "jsonb", "uuid", "inet", "cidr", "interval", "timetz", "time", "date", "timestamp", "timestamptz", "numeric", "xid",
    "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange",
    "int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange", "hstore",
)  # fmt: skip

_PG_VISIBLE = """
    n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    AND has_schema_privilege(n.oid, 'USAGE') AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition"""
_PG_TABLES = f"""
    SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, c.reltuples::float8,
           CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) END,
           has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'), d.description
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
    WHERE {_PG_VISIBLE} ORDER BY 2, 3"""
_PG_COLUMNS = f"""
    SELECT a.attrelid::bigint, a.attnum::int, a.attname::text, a.atttypid::bigint, a.atttypmod, a.attnotnull, d.description,
           format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_description d ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_class'::regclass
    WHERE a.attnum > 0 AND NOT a.attisdropped AND {_PG_VISIBLE}
      AND (has_table_privilege(c.oid, 'SELECT') OR has_column_privilege(c.oid, a.attnum, 'SELECT'))"""
_PG_KEYS = """
    SELECT contype::text, conrelid::bigint, conkey::int[], confrelid::bigint, confkey::int[] FROM pg_constraint
    WHERE contype IN ('p', 'f') AND conparentid = 0 ORDER BY conrelid, conname"""
_PG_DOMAINS = "SELECT oid::bigint, typbasetype::bigint, typtypmod FROM pg_type WHERE typtype = 'd'"


_PG_MONEY = 790


def postgres_type(oid: int, modifier: int, types: Any) -> pa.DataType:
    """The Arrow type of a PostgreSQL type: by its number, with the size of a numeric in its modifier."""
    import pyarrow as pa

    if oid == 1700:
        if modifier < 4:  # of no declared size; an answer's own values will tell
            return pa.decimal128(38, 9)
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
        if scale & 0x400:  # a negative scale: rounded to tens or hundreds
            precision, scale = precision + (0x800 - scale), 0
        return _decimal(precision, scale)
    plain: dict[int, pa.DataType] = {
        16: pa.bool_(), 17: pa.binary(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64(), 26: pa.int64(), 700: pa.float64(),
        701: pa.float64(), 1082: pa.date32(), 1083: pa.time64("us"), 1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC"),
    }  # fmt: skip
    if oid in plain:
        return plain[oid]
    if oid == _PG_MONEY:
        return pa.decimal128(19, 2)
    info = types.get(oid)
    if info is not None and info.array_oid == oid:
        return pa.list_(_array_member(info.oid, types))
    return pa.string()


def _array_member(oid: int, types: Any) -> pa.DataType:
    import pyarrow as pa

    # A numeric within an array has no size of its own; the text keeps every digit.
    return pa.string() if oid == 1700 else postgres_type(oid, -1, types)


def _postgres_column(name: str, oid: int, modifier: int, types: Any, stored: bool) -> Column:
    import pyarrow as pa

    kind = postgres_type(oid, modifier, types)
    if oid == 1700 and modifier < 4:
        return Column(name, kind, unsized=True, whole=not stored)
    if oid == 1042:
        return Column(name, kind, lambda text: text.rstrip(" "))
    if oid == _PG_MONEY:
        return Column(name, kind, _amount)
    if pa.types.is_list(kind):
        member = kind.value_type
        if pa.types.is_date(member) or pa.types.is_timestamp(member):
            return Column(name, kind, lambda items: [_moment(item, member) for item in items])
        if pa.types.is_string(member):
            return Column(name, kind, lambda items: [None if i is None else str(i) for i in items])
        return Column(name, kind)
    return Column(name, kind, str if pa.types.is_string(kind) else None)


def _amount(text: str) -> Decimal:
    """Money as any locale writes it: a fraction is what two last digits after a point or comma are."""
    whole, fraction = re.fullmatch(r"(.*?)(?:[.,](\d\d))?\D*", text, re.S).groups()  # type: ignore[union-attr]  # matches any text
    sign = "-" if "-" in text or "(" in text else ""
    return Decimal(f"{sign}{re.sub(r'[^0-9]', '', whole)}.{fraction or '00'}")


def _moment(text: str | None, kind: pa.DataType) -> object:
    import pyarrow as pa

    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.date() if pa.types.is_date(kind) else moment


def _shut_postgres(connection: Any) -> None:
    import os
    import socket

    try:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)
    except Exception:
        return  # it went away by itself


# -------------------------------------------------------------------------------------------------------- MySQL, MariaDB


class MySql:
    """MySQL, MariaDB and what speaks their protocol, through PyMySQL."""

    dialect = "mysql"
    default_format = "mysql"

    def __init__(self, address: Address, environment: Mapping[str, str], seconds: float) -> None:
        self.address = address
        self.seconds = seconds
        self.label = _label(address, 3306)
        self._password = address.password if address.password is not None else environment.get("MYSQL_PWD")
        self._secrets = [*address.secrets, *([self._password] if self._password else [])]
        self.not_flags: set[tuple[str, str]] = set()
        """TINYINT(1) columns, as (table, column), that were seen to hold more than 0 and 1."""

    def connect(self) -> Any:
        """Connected, in UTC, with every transaction read-only and every statement timed."""
        pymysql = _driver("pymysql", "mysql", "MySQL and MariaDB")
        from pymysql.constants import FIELD_TYPE
        from pymysql.converters import conversions

        as_text = {
            FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME,
            FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME,
        }  # fmt: skip
        options = dict(self.address.options)
        socket_path = options.pop("unix_socket", "")
        tls = {k: options.pop(k) for k in ("ssl_ca", "ssl_cert", "ssl_key") if k in options}
        options.pop("charset", None)
        if options:
            raise SourceProblem(
                "unreadable",
                f"unknown words in the address: {', '.join(options)}",
                "There are: schema, unix_socket, ssl_ca, ssl_cert, ssl_key",
            )
        connection = pymysql.Connection(
            host=self.address.host or "127.0.0.1",
            port=self.address.port or 3306,
            user=self.address.user or None,
            password=self._password or "",
            database=self.address.schema or self.address.database or None,
            unix_socket=socket_path or None,
            charset="utf8mb4",
            connect_timeout=max(1, self.seconds),
            read_timeout=self.seconds + 2,
            write_timeout=self.seconds + 2,
            local_infile=False,
            autocommit=True,
            conv={k: v for k, v in conversions.items() if k not in as_text},
            defer_connect=True,
            **tls,
        )
        with Watch(self.seconds, lambda: _shut_mysql(connection)) as watch:
            try:
                connection.connect()
                self._settings(connection)
            except (
                pymysql.Error,
                OSError,
                struct.error,
                LookupError,
                ValueError,
                AttributeError,
                RuntimeError,
            ) as error:
                raise self._connect_problem(error, watch.fired) from error
        return connection

    def _settings(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            # A fixed mode: in no other would the guard and the server read quotes and backslashes alike.
            cursor.execute(
                "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY',"
                " time_zone = '+00:00', net_write_timeout = 600, group_concat_max_len = 16777216"
            )
            cursor.execute("SET SESSION TRANSACTION READ ONLY")

    def _connect_problem(self, error: Exception, fired: bool) -> SourceProblem:
        import socket

        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        cause = getattr(error, "original_exception", None) or error.__cause__ or error.__context__
        text = self._words(error)
        low, where = text.lower(), self.label
        if fired or isinstance(error, TimeoutError) or isinstance(cause, TimeoutError) or "timed out" in low:
            return SourceProblem(
                "timeout", f"{where} did not answer within {self.seconds:g} s", "Check host, port and firewall"
            )
        if isinstance(cause, socket.gaierror) or "name or service not known" in low:
            return SourceProblem("unreachable", f"no host called {self.address.host!r}", "Check the host's name")
        if code == 2003:
            return SourceProblem("unreachable", f"nothing listens at {where}", "Check host and port; is the server up?")
        if code in (1045, 1698, 1251, 1275, 1862):
            return SourceProblem(
                "authentication",
                f"{where} does not accept user {self.address.user or '(none)'}: {text}",
                "Check user and password; MYSQL_PWD or ${NAME} in the address can hold it",
            )
        if code in (1044, 1130, 1142, 1227):
            return SourceProblem("authorisation", f"{where}: {text}", "Ask for the SELECT right on that database")
        if code == 1049:
            name = self.address.schema or self.address.database
            return SourceProblem("not-found", f"{where} has no database {name!r}", "Check the name after the last /")
        if "cryptography" in low:
            return SourceProblem(
                "missing-extra", f"{where}: this login needs cryptography", 'Install it: pip install "PyMySQL[rsa]"'
            )
        if code == 2026 or "ssl" in low:
            return SourceProblem("tls", f"{where}: {text}", "Check ssl_ca in the address")
        if code in (1040, 1203, 1226) or 1000 <= code < 2000:
            return SourceProblem("server-error", f"{where}: {text}")
        return SourceProblem("unreadable", f"what answers at {where} is not MySQL: {text}", "Check the port")

    def _words(self, error: Exception) -> str:
        words = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], str) else str(error)
        return masked(" ".join(words.split()), self._secrets)[:400]

    def catalogue(self, connection: Any) -> Catalogue:
        """Tables and views of the named database; of every database this user sees where none was named."""
        with watched(self.seconds, lambda: _shut_mysql(connection), self.refusal), connection.cursor() as cursor:
            return self._catalogue(cursor)

    def _catalogue(self, cursor: Any) -> Catalogue:
        default = self.address.schema or self.address.database
        wanted = "= %s" if default else "NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', %s)"

        def ask(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql.replace("{wanted}", wanted), [default or ""])
            return list(cursor.fetchall())

        columns: dict[tuple[str, str], list[FoundColumn]] = defaultdict(list)
        for schema, table, name, kind, full, precision, scale, nullable, comment, collation in ask(_MY_COLUMNS):
            arrow = mysql_type(kind.lower(), full.lower(), precision, scale)
            if (table, name) in self.not_flags:
                arrow = "int64"
            folded = str(collation or "").endswith("_ci")
            columns[schema, table].append(FoundColumn(name, arrow, nullable == "YES", comment or "", full, folded))
        primary: dict[tuple[str, str], list[str]] = defaultdict(list)
        links: dict[tuple[str, str, str], tuple[tuple[str, str], list[str], list[str]]] = {}
        for schema, table, constraint, name, to_schema, to_table, to_name in ask(_MY_KEYS):
            if to_table is None:
                primary[schema, table].append(name)
            else:
                link = links.setdefault((schema, table, constraint), ((to_schema, to_table), [], []))
                link[1].append(name)
                link[2].append(to_name)
        tables = [
            FoundTable(
                schema, name, tuple(columns[schema, name]), None if rows is None else int(rows), "VIEW" not in kind,
                tuple(primary.get((schema, name), ())), "" if "VIEW" in kind else comment or "",
            )
            for schema, name, kind, rows, comment in ask(_MY_TABLES) if columns[schema, name]
        ]  # fmt: skip
        known = {(t.schema, t.name) for t in tables}
        keys = [
            FoundKey((schema, table), tuple(mine), to_table, tuple(theirs))
            for (schema, table, _), (to_table, mine, theirs) in links.items()
            if (schema, table) in known and to_table in known
        ]
        return Catalogue(tuple(tables), tuple(keys), default)

    def begin(self, connection: Any, sql: str, params: Sequence[object]) -> Answer:
        """An unbuffered cursor in a read-only transaction."""
        from pymysql.cursors import SSCursor

        text = placeholders(sql, self.dialect, len(params), lambda _: "%s", double_percent=bool(params))
        if _writes_out(text):
            raise CallRefused(
                "not-granted", "only reading is allowed: SELECT … INTO writes, and a comment that is executed may"
            )
        cursor = connection.tars_cursor = connection.cursor(SSCursor)
        with self._watched(connection):
            connection.query("START TRANSACTION READ ONLY")
            cursor.execute(text, [_mysql_param(p) for p in plain_params(params)] or None)
        fields = getattr(cursor._result, "fields", ())
        columns = tuple(self._column(f) for f in fields or ())

        def fetch(size: int) -> Sequence[Row]:
            with self._watched(connection):
                rows: Sequence[Row] = cursor.fetchmany(size)
                return rows

        return Answer(columns, fetch)

    def _watched(self, connection: Any) -> Any:
        return watched(self.seconds, lambda: self._kill(connection), self.refusal)

    def _kill(self, connection: Any) -> None:
        """Stop the statement on the server, then the line: a server busy with a sum would not notice a closed line."""
        number = connection.thread_id()
        _shut_mysql(connection)
        try:
            other = self.connect()
        except SourceProblem:
            return
        try:
            with other.cursor() as cursor:
                cursor.execute(f"KILL {int(number)}")
        except Exception:
            return  # it ended by itself
        finally:
            other.close()

    def end(self, connection: Any, exhausted: bool) -> bool:
        """Roll back; a connection with rows still on the way is thrown away rather than drained."""
        import pymysql

        cursor, connection.tars_cursor = getattr(connection, "tars_cursor", None), None
        if not exhausted or not connection.open:
            if cursor is not None and cursor._result is not None:
                cursor._result.unbuffered_active = False  # or it would drain a closed line when it is collected
            _shut_mysql(connection)
            return False
        try:
            with Watch(self.seconds, lambda: _shut_mysql(connection)):
                connection.rollback()
                self._settings(connection)
        except (pymysql.Error, OSError):
            return False
        return bool(connection.open)

    def refusal(self, error: Exception) -> CallRefused:
        """By the server's error number."""
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        text = self._words(error)
        if code in (1969, 3024, 1317):
            return CallRefused("limit", f"the query took longer than {self.seconds:g} s and was stopped")
        if code in (1142, 1143, 1044, 1227, 1370):
            return CallRefused("not-granted", text)
        if code in (1290, 1792):
            return CallRefused("not-granted", f"only reading is allowed: {text}")
        if code in (1064, 1054, 1146, 1052, 1055, 1056, 1109, 1111, 1140, 1222, 1248, 1241, 1305, 1582):
            return CallRefused("bad-sql", text)
        if code in (1040, 1053, 2003, 2006, 2013, 2055) or isinstance(error, OSError) or code == 0:
            return CallRefused("unavailable", text)
        return CallRefused("failed", text)

    def corrected(self, table: FoundTable, broken: Sequence[Broken]) -> bool:
        """TINYINT(1) holds flags by custom only: once other numbers were seen in one, it is a number."""
        flags = {c.name for c in table.columns if c.declared.lower().startswith("tinyint(1)")}
        more = {(table.name, b.column) for b in broken if b.column in flags} - self.not_flags
        self.not_flags |= more
        return bool(more)

    def random_rows(self, table: FoundTable, rows: int) -> str:
        """Left to keys: MySQL has no sampling of its own."""
        return ""

    def quoted(self, name: str) -> str:
        """In backquotes."""
        return "`" + name.replace("`", "``") + "`"

    def _column(self, field: Any) -> Column:
        import pyarrow as pa
        from pymysql.constants import FIELD_TYPE as T
        from pymysql.constants import FLAG

        unsigned, binary = bool(field.flags & FLAG.UNSIGNED), field.charsetnr == 63
        code, name = field.type_code, field.name
        if code == T.TINY and field.length == 1 and (field.org_table, field.org_name) not in self.not_flags:
            return Column(name, pa.bool_(), _flag)
        if code == T.BIT:
            return Column(
                name, pa.bool_() if field.length == 1 else pa.uint64(), _bit_flag if field.length == 1 else _bits
            )
        if code in (T.TINY, T.SHORT, T.INT24, T.LONG, T.LONGLONG, T.YEAR):
            return Column(name, pa.uint64() if unsigned and code == T.LONGLONG else pa.int64())
        if code in (T.FLOAT, T.DOUBLE):
            return Column(name, pa.float64())
        if code in (T.DECIMAL, T.NEWDECIMAL):
            precision = field.length - (field.scale > 0) - (not unsigned)
            if field.scale == 0 and not field.org_table:
                return Column(name, pa.decimal128(38, 0), unsized=True, whole=True)
            return Column(name, _decimal(precision, field.scale))
        moments: dict[int, pa.DataType] = {
            T.DATE: pa.date32(), T.NEWDATE: pa.date32(), T.DATETIME: pa.timestamp("us"), T.TIMESTAMP: pa.timestamp("us"),
            T.TIME: pa.time64("us"),
        }  # fmt: skip
        if code in moments:
            return Column(name, moments[code])
        if code == T.GEOMETRY or (binary and code not in (T.JSON, T.ENUM, T.SET, T.NULL)):
            return Column(name, pa.binary())
        return Column(name, pa.string(), str)


_MY_TABLES = """
    SELECT table_schema, table_name, table_type, table_rows, table_comment FROM information_schema.tables
    WHERE table_schema {wanted} ORDER BY 1, 2"""
_MY_COLUMNS = """
    SELECT table_schema, table_name, column_name, data_type, column_type, numeric_precision, numeric_scale, is_nullable,
           column_comment, collation_name
    FROM information_schema.columns WHERE table_schema {wanted} ORDER BY table_schema, table_name, ordinal_position"""
_MY_KEYS = """
    SELECT table_schema, table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name,
           referenced_column_name
    FROM information_schema.key_column_usage
    WHERE table_schema {wanted} AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL)
    ORDER BY table_schema, table_name, constraint_name, ordinal_position"""


def mysql_type(kind: str, full: str, precision: int | None, scale: int | None) -> str:
    """The Arrow type of a column as information_schema describes it."""
    if full.startswith("tinyint(1)") or full == "bit(1)":
        return "bool"
    if kind in ("tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year", "bit"):
        return "uint64" if kind == "bit" or (kind == "bigint" and "unsigned" in full) else "int64"
    if kind in ("float", "double", "real"):
        return "double"
    if kind in ("decimal", "numeric"):
        return str(_decimal(int(precision or 10), int(scale or 0)))
    moments = {"date": "date32[day]", "datetime": "timestamp[us]", "timestamp": "timestamp[us]", "time": "time64[us]"}
    if kind in moments:
        return moments[kind]
    blobs = (
        "binary",
        "varbinary",
        "tinyblob",
        "blob",
        "mediumblob",
        "longblob",
        "geometry",
        "point",
        "linestring",
        "polygon",
    )
    return "binary" if kind in blobs else "string"


def _decimal(precision: int, scale: int) -> pa.DataType:
    import pyarrow as pa

    precision = max(precision, scale, 1)
    if precision <= 38:
        return pa.decimal128(precision, scale)
    return pa.decimal256(precision, scale) if precision <= 76 else pa.string()


def _flag(value: int) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value} is neither 0 nor 1")
    return bool(value)


def _bit_flag(value: bytes) -> bool:
    return bool(_bits(value))


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _writes_out(sql: str) -> bool:
    """A read-only transaction still lets SELECT … INTO OUTFILE write on the server, also from within an executed comment."""
    if "into" not in sql.lower() and "/*" not in sql:
        return False
    import sqlglot
    from sqlglot.tokenizer_core import TokenType

    tokens = sqlglot.Dialect.get_or_raise("mysql").tokenize(sql)
    ends = [0, *(t.end + 1 for t in tokens)]
    starts = [*(t.start for t in tokens), len(sql)]
    between = " ".join(sql[end:start] for end, start in zip(ends, starts, strict=True))
    return any(t.token_type == TokenType.INTO for t in tokens) or "/*!" in between or "/*M!" in between


def _mysql_param(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        from datetime import UTC

        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _shut_mysql(connection: Any) -> None:
    import socket

    line = getattr(connection, "_sock", None)
    if line is not None:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it went away by itself


# --------------------------------------------------------------------------------------------------------------- shared


def _label(address: Address, port: int) -> str:
    user = f"{address.user}@" if address.user else ""
    return f"{user}{address.host or 'localhost'}:{address.port or port}/{address.database}"


def _driver(module: str, extra: str, what: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SourceProblem(
            "missing-extra", f"reading {what} needs {module}", f'Install it: pip install "tars-closures[{extra}]"'
        ) from error
