"""The doors of a database over rows in memory: DuckDB, taking the database's SQL and meaning by it what the database means."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.broker import CallRefused
from synth.schema import Table
from synth.sources.duck import connect, narrowed, quoted, whole_answer
from synth.sources.sql_rows import BATCH_ROWS, unique_names

if TYPE_CHECKING:
    import pyarrow as pa

_MACROS = {
    "mysql": {
        "weekday": "weekday(d) AS CAST(isodow(CAST(d AS DATE)) - 1 AS BIGINT)",
        "dayofweek": "dayofweek(d) AS CAST(isodow(CAST(d AS DATE)) % 7 + 1 AS BIGINT)",
        "substring_index": (
            "substring_index(t, cut, n) AS CASE WHEN n >= 0 THEN array_to_string(string_split(t, cut)[1:n], cut)"
            " ELSE array_to_string(string_split(t, cut)[n:], cut) END"
        ),
        "unix_timestamp": "unix_timestamp(t) AS CAST(epoch(CAST(t AS TIMESTAMP)) AS BIGINT)",
        "adddate": "adddate(d, n) AS CAST(d AS DATE) + CAST(n AS INTEGER)",
        "subdate": "subdate(d, n) AS CAST(d AS DATE) - CAST(n AS INTEGER)",
    },
    "postgres": {"every": "every(b) AS bool_and(b)"},
}
"""Functions that DuckDB lacks or means otherwise, made when a query names them."""

_PG_NAMES = {
    "timestamp_trunc": "date_trunc", "group_concat": "string_agg", "stddev_samp": "stddev_samp", "approx_distinct": "count",
    "str_position": "position", "substring": "substring", "timestamp_diff": "?column?", "length": "length", "if": "case",
}  # fmt: skip


class _Base:
    """One DuckDB for all such doors of this process, a schema for each; it can reach no file."""

    def __init__(self) -> None:
        self.connection = connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        self.numbers = itertools.count(1)


_base: _Base | None = None
_base_lock = threading.Lock()


class Doors:
    """The capability `Table` over samples and altered copies, which are held until it is closed."""

    def __init__(
        self,
        tables: Sequence[Table],
        rows: Mapping[str, pa.Table],
        dialect: str,
        folded: Mapping[str, frozenset[str]],
    ) -> None:
        global _base
        self.dialect = dialect
        self._tables = {t.name: t for t in tables}
        self._wide = frozenset(f.name for t in tables for f in t.fields if f.type == "decimal128(38, 0)")
        self._made: set[str] = set()
        with _base_lock:
            _base = _base or _Base()
            self._connection = _base.connection.cursor()
            self._schema = f"rows_{next(_base.numbers)}"
        self._connection.execute(f"CREATE SCHEMA {self._schema}")
        self._connection.execute(f"USE {self._schema}")
        for name in self._tables:
            self._hold(name, _storable(rows[name]), folded.get(name, frozenset()))

    def _hold(self, name: str, rows: pa.Table, folded: frozenset[str]) -> None:
        self._connection.register("tars_incoming", rows)
        try:
            self._connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM tars_incoming")
        finally:
            self._connection.unregister("tars_incoming")
        for column in sorted(folded & {f.name for f in rows.schema if str(f.type) == "string"}):
            self._connection.execute(
                f"ALTER TABLE {quoted(name)} ALTER {quoted(column)} TYPE VARCHAR COLLATE NOCASE.NOACCENT"
            )

    def tables(self) -> list[str]:
        """Names of the tables that may be queried."""
        return list(self._tables)

    def columns(self, table: str) -> list[dict[str, str]]:
        """Columns of a table as {"name", "type"}."""
        if table not in self._tables:
            raise CallRefused("not-found", f"no table {table!r}; there are: {', '.join(self._tables)}")
        return [{"name": f.name, "type": f.type} for f in self._tables[table].fields]

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of one SELECT in the database's dialect."""
        import duckdb
        import pyarrow as pa

        text = in_duckdb(sql, self.dialect, self._tables)
        self._make_functions(text)
        names: list[str] | None = None
        # A cursor for each answer, since a closure may ask again while it is still reading.
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(f"USE {self._schema}")
                relation = cursor.sql(text, params=[_param(p, self.dialect) for p in params])
                if relation is None:
                    raise CallRefused("bad-sql", "that statement gives no rows; write one SELECT")
                for batch in narrowed(whole_answer(relation.to_arrow_reader(BATCH_ROWS)), self._wide):
                    names = names or unique_names(batch.schema.names)
                    yield pa.RecordBatch.from_arrays(batch.columns, names=names)
            except duckdb.InterruptException as error:
                raise CallRefused("limit", "the query was stopped: it took too long") from error
            except duckdb.Error as error:
                raise CallRefused("bad-sql", " ".join(str(error).strip().split("\n\n")[0].split())[:400]) from error

    def close(self) -> None:
        """Let go of the rows."""
        self._connection.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
        self._connection.close()

    def _make_functions(self, text: str) -> None:
        low = text.lower()
        for name, macro in _MACROS.get(self.dialect, {}).items():
            if f"{name}(" in low and name not in self._made:
                self._made.add(name)
                self._connection.execute(f"CREATE OR REPLACE MACRO {macro}")


def doors_like(
    tables: Sequence[Table],
    rows: Mapping[str, pa.Table],
    dialect: str,
    folded: Mapping[str, frozenset[str]] | None = None,
) -> Doors:
    """Doors over these rows that take SQL of `dialect`. `folded`: by table, the text columns whose case the database ignores."""
    return Doors([t for t in tables if t.name in rows], rows, dialect, folded or {})


def _storable(rows: pa.Table) -> pa.Table:
    """DuckDB has no decimals of more than 38 digits: narrowed where the values allow, doubles where not."""
    import pyarrow as pa

    for i, field in enumerate(rows.schema):
        if pa.types.is_decimal256(field.type):
            kind: pa.DataType = pa.decimal128(38, min(field.type.scale, 37))
            try:
                column = rows.column(i).cast(kind)
            except pa.ArrowInvalid:
                column = rows.column(i).cast(pa.float64())
            rows = rows.set_column(i, field.name, column)
    return rows


def in_duckdb(sql: str, dialect: str, tables: Mapping[str, Table]) -> str:
    """The SELECT in DuckDB's words, with the differences in meaning made up for. CallRefused when it cannot be read."""
    import sqlglot

    try:
        tree: Any = sqlglot.parse_one(sql, dialect=dialect)
        _join_names(tree, tables)
        name_outputs(tree, dialect, sql)
        _divide_whole(tree, dialect, tables)
        _keep_ties(tree)
        _count_whole_units(tree)
        return str(tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.IGNORE))
    except sqlglot.errors.SqlglotError as error:
        raise CallRefused("bad-sql", f"the SQL cannot be read: {' '.join(str(error).split())[:200]}") from error


def _join_names(tree: Any, tables: Mapping[str, Table]) -> None:
    """A table of another schema is one name with a dot in it here."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.Table)):
        if not node.db:
            continue
        name = f"{node.db}.{node.name}"
        bare = node.name if node.name in tables and name not in tables else name
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
        node.replace(exp.Table(this=exp.to_identifier(bare, quoted=True), alias=alias.copy()))
    for column in tree.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)


def name_outputs(tree: Any, dialect: str, sql: str) -> None:
    """Outputs without an alias are called what the database would call them."""
    from sqlglot import exp

    first = tree
    while isinstance(first, exp.SetOperation):
        first = first.this
    if not isinstance(first, exp.Select):
        return
    texts = _output_texts(sql, dialect) if dialect != "postgres" and first is tree else []
    for i, output in enumerate(first.expressions):
        if isinstance(output, exp.Alias | exp.Column | exp.Star):
            continue
        if dialect == "postgres":
            name = _postgres_name(output)
        else:
            name = texts[i] if len(texts) == len(first.expressions) else output.sql(dialect=dialect)
        if name and not isinstance(output, exp.Unnest | exp.Explode):
            output.replace(exp.alias_(output.copy(), name, quoted=True))


def _postgres_name(of: Any) -> str:
    from sqlglot import exp

    if isinstance(of, exp.Column):
        return str(of.name)
    if isinstance(of, exp.Cast):
        inner = _postgres_name(of.this)
        return inner if inner != "?column?" else str(of.to.sql(dialect="postgres")).partition("(")[0].lower()
    if isinstance(of, exp.Window | exp.Filter | exp.WithinGroup):
        return _postgres_name(of.this)
    if isinstance(of, exp.Subquery) and isinstance(of.this, exp.Select):
        inner = of.this.expressions[0]
        return str(inner.alias) or _postgres_name(inner)
    if isinstance(of, exp.Case):
        return "case"
    if isinstance(of, exp.Anonymous):
        return str(of.name).lower()
    if isinstance(of, exp.Func) and not isinstance(of, exp.And | exp.Or):
        name = of.sql_name().lower()
        return _PG_NAMES.get(name, name)
    return "?column?"


def _output_texts(sql: str, dialect: str) -> list[str]:
    """The outputs of the outermost SELECT as they were written: MySQL calls them that."""
    import sqlglot
    from sqlglot.tokenizer_core import TokenType

    tokens = sqlglot.Dialect.get_or_raise(dialect).tokenize(sql)
    depth = 0
    start: int | None = None
    texts: list[str] = []
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif depth == 0 and token.token_type == TokenType.SELECT:
            start, texts = token.end + 1, []
        elif depth == 0 and token.token_type == TokenType.DISTINCT and start is not None and not texts:
            start = token.end + 1
        elif depth == 0 and start is not None and token.token_type in (TokenType.COMMA, TokenType.FROM):
            texts.append(sql[start : token.start].strip())
            start = token.end + 1 if token.token_type == TokenType.COMMA else None
    if start is not None:
        texts.append(sql[start:].strip().rstrip(";").strip())
    return texts


def _divide_whole(tree: Any, dialect: str, tables: Mapping[str, Table]) -> None:
    """PostgreSQL cuts the quotient of two integers to an integer; types tell which divisions those are."""
    from sqlglot import exp

    if dialect != "postgres":
        return
    divisions = list(tree.find_all(exp.Div))
    if not divisions:
        return
    for number, node in enumerate(divisions):
        node.meta["number"] = number
    typed = typed_copy(tree, dialect, {t.name: {f.name: f.type for f in t.fields} for t in tables.values()})
    if typed is None:
        return
    whole = {n.meta.get("number") for n in typed.find_all(exp.Div) if _is_whole(n.left) and _is_whole(n.right)}
    for number, node in reversed(list(enumerate(divisions))):
        if number in whole:
            node.replace(exp.IntDiv(this=node.this.copy(), expression=node.expression.copy()))


def _is_whole(node: Any) -> bool:
    return node.type is not None and node.type.is_type("bigint", "int", "smallint", "ubigint")


def typed_copy(tree: Any, dialect: str, types: Mapping[str, Mapping[str, str]]) -> Any:
    """A copy of the tree with types and whole names, given the Arrow types of the tables' columns; None where they cannot be told."""
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify

    schema: dict[str, object] = {
        _identifier(table): {_identifier(name): sql_type(kind) for name, kind in columns.items()}
        for table, columns in types.items()
    }
    try:
        qualified = qualify(
            tree.copy(), schema=schema, dialect=dialect, validate_qualify_columns=False, quote_identifiers=False
        )
        return annotate_types(qualified, schema=schema, dialect=dialect)
    except (SqlglotError, KeyError, ValueError, AttributeError, TypeError):
        return None


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sql_type(arrow: str) -> str:
    """SQL's word for an Arrow type, near enough to reason about expressions."""
    if arrow.startswith("decimal"):
        return "DECIMAL" + arrow[arrow.index("(") :] if "(" in arrow else "DECIMAL(38, 9)"
    if arrow.startswith("timestamp"):
        return "TIMESTAMPTZ" if "tz=" in arrow else "TIMESTAMP"
    plain = {
        "int64": "BIGINT", "uint64": "UBIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE",
        "time64[us]": "TIME", "binary": "BLOB", "string": "TEXT",
    }  # fmt: skip
    return plain.get(arrow, "UNKNOWN")


def _keep_ties(tree: Any) -> None:
    """FETCH FIRST n ROWS WITH TIES, which DuckDB lacks, by ranking."""
    from sqlglot import exp

    for fetch in list(tree.find_all(exp.Fetch)):
        options, select = fetch.args.get("limit_options"), fetch.parent
        if options is None or not options.args.get("with_ties"):
            continue
        order = select.args.get("order") if isinstance(select, exp.Select) else None
        if order is None or select.args.get("qualify") is not None:
            raise CallRefused("bad-sql", "WITH TIES is understood on a plain SELECT with ORDER BY only")
        rank = exp.Window(this=exp.Anonymous(this="RANK"), order=order.copy())
        select.set("limit", None)
        select.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=fetch.args["count"].copy())))


def _count_whole_units(tree: Any) -> None:
    """TIMESTAMPDIFF counts units that have passed; DuckDB's DATE_DIFF counts the borders between them."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.TimestampDiff)):
        unit = exp.Literal.string(str(node.args.get("unit") or "DAY"))
        moments = [exp.cast(part.copy(), "TIMESTAMP") for part in (node.expression, node.this)]
        node.replace(exp.Anonymous(this="DATE_SUB", expressions=[unit, *moments]))


def _param(value: object, dialect: str) -> object:
    if dialect == "mysql" and isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
