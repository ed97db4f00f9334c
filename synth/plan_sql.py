"""A plan as SQL: built as a syntax tree with sqlglot, written out in the dialect of the source.

What a dialect cannot say (a median in SQLite, a week in MySQL, a text that must be read as a date) is not faked:
`can_say` tells, and the closure then fetches the rows and asks DuckDB inside the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

import sqlglot
from sqlglot import exp

from synth.plan import (
    Aggregate,
    And,
    Arithmetic,
    Bucket,
    Column,
    Compare,
    Condition,
    Elapsed,
    Empty,
    Expression,
    Function,
    Join,
    Match,
    Not,
    OneOf,
    Or,
    Order,
    Output,
    Plan,
    Share,
    Value,
    walk,
)
from synth.schema import Field, Schema

_MARK = re.compile(r"'⟦(\w+)⟧'")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_WORDS_OF_ENGINES = """
    accessible add analyse asensitive asymmetric at authorization before both by cascade cast change check collation concurrently
    condition continue convert cube cume_dist current_catalog current_date current_role current_schema current_time current_timestamp
    current_user cursor databases day_hour day_microsecond day_minute day_second declare deferrable delayed delete_domain_id
    dense_rank deterministic distinctrow do do_domain_ids dual each elseif empty enclosed escaped exit explain first_value float4
    float8 freeze fulltext function generated group grouping groups high_priority hour_microsecond hour_minute hour_second if ignore
    ignore_domain_ids infile initially inout insensitive install int1 int2 int3 int4 int8 iterate json_table key keys kill lag lambda
    last_value lead leading leave level linear lines localtime localtimestamp longblob longtext loop low_priority
    master_demote_to_replica master_demote_to_slave master_ssl_verify_server_cert maxvalue mediumblob mediumint mediumtext middleint
    minute_microsecond minute_second modifies no_write_to_binlog nth_value ntile of only optimize optionally order out outfile
    overlaps page_checksum parse_vcol_expr percent_rank pivot_longer pivot_wider placing portion position positional primary purge
    raise rank read read_write reads ref_system_id regexp release rename repeat require resignal restrict return revoke rlike
    rollback rollup row_number schemas second_microsecond sensitive separator session_user signal similar spatial specific sql
    sql_big_result sql_buffer_result sql_cache sql_calc_found_rows sql_no_cache sql_small_result sqlexception sqlstate sqlwarning ssl
    starting stats_auto_recalc stats_persistent stats_sample_pages stored straight_join summarize symmetric system terminated tinyblob
    tinytext to trailing transaction trigger uncache undo unlock unpack unsigned usage user utc_date utc_time utc_timestamp
    varcharacter variadic varying verbose virtual while write xor year year_month zerofill
"""
"""Words that some engine does not take bare as a column's name, beyond those that sqlglot has as keywords."""
_RESERVED = {word for word in sqlglot.Tokenizer.KEYWORDS if word.isalpha()} | set(_WORDS_OF_ENGINES.upper().split())
_MYSQL_UNITS = {"day", "month", "year", "month_of_year", "hour_of_day"}


@dataclass(frozen=True)
class Sql:
    """A SELECT with `?` placeholders, and the name of the parameter that goes into each of them, in order."""

    text: str
    parameters: tuple[str, ...]


def can_say(plan: Plan, schema: Schema, dialect: str) -> bool:
    """Whether the source's own SQL can answer the plan alone, meaning the same."""
    elapsed = any(isinstance(n, Elapsed) for n in walk(plan))
    if dialect == "duckdb" or (dialect == "postgres" and not elapsed):
        return not any(_field(schema, c).reading for c in plan.columns())
    if elapsed:
        return False
    nodes = list(walk(plan))
    units = {n.unit for n in nodes if isinstance(n, Bucket)}
    figures = {n.function for n in nodes if isinstance(n, Aggregate)}
    zoned = any(isinstance(n, Bucket) and n.timezone for n in nodes)
    if "median" in figures or zoned or any(_field(schema, c).reading for c in plan.columns()):
        return False
    if dialect == "mysql":
        return units <= _MYSQL_UNITS
    parts = {n.name for n in nodes if isinstance(n, Function)} & {"year", "month", "day", "hour"}
    return dialect == "sqlite" and not units and not parts and "stddev" not in figures


def sql_of(plan: Plan, schema: Schema, dialect: str, fetched: bool = False) -> Sql:
    """The plan as one SELECT in `dialect`. Columns that need a reading are read in a CTE first.

    `fetched`: the tables are rows at hand in the sandbox, each known by the last part of its name.
    """
    return _written(_Builder(plan, schema, dialect, fetched).query(), dialect)


def rows_sql(plan: Plan, table: str, dialect: str) -> Sql:
    """The stored columns of one table that the plan touches, all rows: to be queried again in the sandbox."""
    touched = sorted(needed(plan, table))
    columns: list[exp.Expr] = [_identifier(n) for n in touched]
    query = exp.select(*columns or [exp.Star()]).from_(_table(table))
    return _written(query, dialect)


def needed(plan: Plan, table: str) -> set[str]:
    """Names of the columns of one table that the plan touches, join keys included."""
    names = {c.name for c in plan.columns() if c.table == table}
    for join in plan.joins:
        names |= set(join.columns) if join.table == table else set()
        names |= set(join.with_columns) if join.with_table == table else set()
    return names


def output_fields(plan: Plan, schema: Schema) -> tuple[Field, ...]:
    """The declared fields of the answer."""
    return tuple(_output_field(o, schema) for o in plan.outputs)


class _Builder:
    def __init__(self, plan: Plan, schema: Schema, dialect: str, fetched: bool) -> None:
        self.fetched = fetched
        self.plan = plan
        self.schema = schema
        self.dialect = dialect
        self.qualify = bool(plan.joins)
        self.read_in_cte = {c.table for c in plan.columns() if _field(schema, c).reading}

    def query(self) -> exp.Query:
        plan = self.plan
        if plan.top_per or plan.distinct_on or (plan.ties and plan.limit):
            query = self._ranked()
        else:
            query = self._select([self._output(o) for o in plan.outputs])
            query = self._ordered(query)
            if plan.distinct:
                query = query.distinct()
            if plan.limit:
                query = query.limit(self._of(plan.limit))
            if plan.offset:
                query = query.offset(plan.offset)
        for table in sorted(self.read_in_cte):
            query = query.with_(self._read_name(table), as_=self._reading(table))
        return query

    def _select(self, columns: Sequence[exp.Expr]) -> exp.Select:
        plan = self.plan
        query = exp.select(*columns).from_(self._from(plan.table))
        conditions: list[exp.Expr] = []
        for join in plan.joins:
            pairs = [self._key(join, a, b) for a, b in zip(join.columns, join.with_columns, strict=True)]
            on = exp.and_(*pairs, *([self._condition(join.where)] if join.where is not None else []))
            query = query.join(self._from(join.table), on=on, join_type="" if join.kind == "inner" else "left")
            if join.kind == "missing":
                conditions.append(exp.Is(this=self._column(Column(join.table, join.columns[0])), expression=exp.Null()))
        if plan.where:
            conditions.append(self._condition(plan.where))
        if conditions:
            query = query.where(exp.and_(*conditions))
        if plan.group:
            query = query.group_by(*[self._of(g) for g in plan.group])
        if plan.having:
            query = query.having(self._condition(plan.having))
        return query

    def _ordered(self, query: exp.Select) -> exp.Select:
        if not self.plan.order:
            return query
        return query.order_by(*[_ordered(self._sorted_by(o), o.descending) for o in self.plan.order])

    def _sorted_by(self, order: Order) -> exp.Expr:
        """An output is named rather than written again; MySQL and PostgreSQL both read that as the output."""
        for output in self.plan.outputs:
            if output.of == order.of and not (isinstance(output.of, Column) and output.of.name == output.name):
                return _identifier(output.name)
        return self._of(order.of)

    def _ranked(self) -> exp.Query:
        """Rows numbered within their group (or as a whole), and only the first ones kept."""
        plan = self.plan
        inner = [self._output(o) for o in plan.outputs]
        names = {o.of: o.name for o in plan.outputs}
        for number, of in enumerate([*(o.of for o in plan.order), *self._partition()], 1):
            if of not in names:
                names[of] = f"by_{number}"
                inner.append(exp.alias_(self._of(of), names[of]))
        partition = [_identifier(names[of]) for of in self._partition()]
        order = [_ordered(_identifier(names[o.of]), o.descending) for o in plan.order]
        ties = plan.top_per.ties if plan.top_per else plan.ties
        numbered = "place"
        while numbered in names.values():
            numbered += "_"
        place = exp.alias_(
            exp.Window(
                this=exp.Rank() if ties and not plan.distinct_on else exp.RowNumber(),
                partition_by=partition or None,
                order=exp.Order(expressions=order) if order else None,
            ),
            numbered,
        )
        found = exp.select("*", place).from_(self._select(inner).subquery("found"))
        if plan.distinct:
            found = exp.select("*", place).from_(self._select(inner).distinct().subquery("found"))
        limit = plan.top_per.count if plan.top_per else (plan.limit or Value(1))
        count = exp.Literal.number(1) if plan.distinct_on else self._of(limit)
        kept = exp.select(*[_identifier(o.name) for o in plan.outputs]).from_(found.subquery("ranked"))
        kept = kept.where(exp.LTE(this=exp.column(numbered), expression=count))
        outer = [_identifier(names[of]) for of in self._partition()] if plan.top_per else []
        if outer or order:
            kept = kept.order_by(*[_ordered(o, False) for o in outer], *order)
        if plan.distinct_on and plan.limit:
            kept = kept.limit(self._of(plan.limit))
        return kept

    def _partition(self) -> tuple[Expression, ...]:
        return self.plan.top_per.by if self.plan.top_per else self.plan.distinct_on

    def _output(self, output: Output) -> exp.Expr:
        of = self._of(output.of)
        if isinstance(output.of, Column) and output.of.name == output.name:
            return of
        return exp.alias_(of, exp.to_identifier(output.name, quoted=not _is_plain(output.name)))

    def _from(self, table: str) -> exp.Expr:
        if table in self.read_in_cte:
            name = exp.to_table(self._read_name(table))
            return exp.alias_(name, local_name(table), table=True) if self.qualify else name
        if self.fetched:
            return _table_named(local_name(table))
        return (
            exp.alias_(_table(table), local_name(table), table=True) if self.qualify and "." in table else _table(table)
        )

    def _read_name(self, table: str) -> str:
        return re.sub(r"\W", "_", local_name(table)).lower() + "_read"

    def _reading(self, table: str) -> exp.Select:
        """The CTE in which stored values become what they mean."""
        columns: list[exp.Expr] = []
        for name in sorted(needed(self.plan, table)):
            reading = self.schema.table(table).named(name).reading
            if reading:
                columns.append(exp.alias_(sqlglot.parse_one(reading, dialect="duckdb"), _identifier(name).this))
            else:
                columns.append(_identifier(name))
        return exp.select(*columns).from_(_table_named(local_name(table)) if self.fetched else _table(table))

    def _key(self, join: Join, mine: str, theirs: str) -> exp.Expr:
        left, right = Column(join.with_table, theirs), Column(join.table, mine)
        kinds = {_field(self.schema, left).type == "string", _field(self.schema, right).type == "string"}
        a: exp.Expr = self._column(left)
        b: exp.Expr = self._column(right)
        if len(kinds) == 2:
            a, b = exp.cast(a, "text"), exp.cast(b, "text")
        return exp.EQ(this=a, expression=b)

    def _column(self, column: Column) -> exp.Column:
        return _identifier(column.name, local_name(column.table) if self.qualify else "")

    def _of(self, of: Expression) -> exp.Expr:
        match of:
            case Column():
                return self._column(of)
            case Value():
                return self._value(of)
            case Aggregate():
                return self._aggregate(of)
            case Bucket():
                return self._bucket(of)
            case Arithmetic():
                return self._arithmetic(of)
            case Share():
                return self._share(of)
            case Function():
                return self._function(of)
            case Elapsed():
                return self._elapsed(of)

    def _value(self, value: Value) -> exp.Expr:
        if value.parameter:
            return exp.Literal.string(f"⟦{value.parameter}⟧")
        raw = value.value
        if raw is None:
            return exp.Null()
        if isinstance(raw, bool):
            return exp.Boolean(this=raw)
        if isinstance(raw, int | float | Decimal):
            return exp.Literal.number(str(raw))
        if isinstance(raw, datetime):
            text = raw.isoformat(sep=" ")
            kind = "TIMESTAMPTZ" if raw.tzinfo else "TIMESTAMP"
            return exp.Literal.string(text) if self.dialect == "sqlite" else exp.cast(exp.Literal.string(text), kind)
        if isinstance(raw, date):
            text = raw.isoformat()
            return exp.Literal.string(text) if self.dialect == "sqlite" else exp.cast(exp.Literal.string(text), "DATE")
        if isinstance(raw, time):
            return exp.cast(exp.Literal.string(raw.isoformat()), "TIME")
        return exp.Literal.string(str(raw))

    def _aggregate(self, aggregate: Aggregate) -> exp.Expr:
        of = self._of(aggregate.of) if aggregate.of else None
        if aggregate.where:
            of = exp.Case().when(self._condition(aggregate.where), of or exp.Literal.number(1))
        match aggregate.function:
            case "count":
                return exp.Count(this=of or exp.Star())
            case "count_distinct":
                return exp.Count(this=exp.Distinct(expressions=[of]))
            case "sum":
                return exp.Sum(this=of)
            case "avg":
                return exp.Avg(this=of)
            case "median":
                # DuckDB rounds the median of decimals to their scale.
                return exp.Median(this=exp.cast(of or exp.Star(), "DOUBLE"))
            case "min":
                return exp.Min(this=of)
            case "max":
                return exp.Max(this=of)
            case "stddev":
                return exp.StddevSamp(this=of)

    def _bucket(self, bucket: Bucket) -> exp.Expr:
        of = self._of(bucket.of)
        if bucket.timezone:
            of = exp.AtTimeZone(this=of, zone=exp.Literal.string(bucket.timezone))
        match bucket.unit:
            case "year":
                return _whole(exp.Extract(this=exp.var("YEAR"), expression=of), self.dialect)
            case "month_of_year":
                return _whole(exp.Extract(this=exp.var("MONTH"), expression=of), self.dialect)
            case "hour_of_day":
                return _whole(exp.Extract(this=exp.var("HOUR"), expression=of), self.dialect)
            case "weekday":
                return _whole(exp.Extract(this=exp.var("ISODOW"), expression=of), self.dialect)
            case "day":
                return exp.cast(of, "DATE")
            case "minute" | "hour":
                return exp.TimestampTrunc(this=of, unit=exp.var(bucket.unit.upper()))
            case _ if self.dialect == "mysql":
                first = exp.func("DATE_FORMAT", of, exp.Literal.string("%Y-%m-01"), dialect="mysql")
                return exp.cast(first, "DATE")
            case _:
                return exp.cast(exp.TimestampTrunc(this=of, unit=exp.var(bucket.unit.upper())), "DATE")

    def _arithmetic(self, of: Arithmetic) -> exp.Expr:
        left, right = self._of(of.left), self._of(of.right)
        if of.operator == "/":
            return _divided(left, right)
        node = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}[of.operator]
        return node(this=_wrapped(left), expression=_wrapped(right))

    def _share(self, share: Share) -> exp.Expr:
        figure = self._of(share.of)
        total = exp.Window(this=exp.Sum(this=figure.copy()))
        part = _divided(figure, total)
        return exp.Mul(this=exp.Literal.number(100), expression=part) if share.percent else part

    def _elapsed(self, of: Elapsed) -> exp.Expr:
        start, end = self._of(of.start), self._of(of.end)
        if type_of(of, self.schema) == "int64":
            return exp.DateDiff(this=end, expression=start, unit=exp.var("DAY"))
        moments = [exp.cast(each, "TIMESTAMP") for each in (end, start)]
        seconds = exp.DateDiff(this=moments[0], expression=moments[1], unit=exp.var("SECOND"))
        return _divided(seconds, exp.Literal.number({"minute": 60, "hour": 3600, "day": 86400}[of.unit]))

    def _function(self, function: Function) -> exp.Expr:
        of = self._of(function.of)
        match function.name:
            case "lower":
                return exp.Lower(this=of)
            case "upper":
                return exp.Upper(this=of)
            case "trim":
                return exp.Trim(this=of)
            case "length" if type_of(function.of, self.schema).startswith(("list<", "large_list<", "fixed_size_list<")):
                return exp.ArraySize(this=of)
            case "length":
                return exp.Length(this=of)
            case "abs":
                return exp.Abs(this=of)
            case "round":
                return exp.Round(this=of, decimals=exp.Literal.number(2))
            case part:
                return _whole(exp.Extract(this=exp.var(part.upper()), expression=of), self.dialect)

    def _condition(self, condition: Condition) -> exp.Expr:
        match condition:
            case Compare():
                return self._compare(condition)
            case OneOf():
                inside = exp.In(this=self._of(condition.left), expressions=[self._of(v) for v in condition.values])
                return exp.Not(this=inside) if condition.negated else inside
            case Match():
                found = self._match(condition)
                return exp.Not(this=exp.Paren(this=found)) if condition.negated else found
            case Empty():
                return self._empty(condition)
            case And():
                return exp.and_(*[_grouped(self._condition(c)) for c in condition.all])
            case Or():
                return exp.Paren(this=exp.or_(*[_grouped(self._condition(c)) for c in condition.any]))
            case Not():
                return exp.Not(this=exp.Paren(this=self._condition(condition.of)))

    def _compare(self, of: Compare) -> exp.Expr:
        left, right = self._of(of.left), self._of(of.right)
        if of.fold:
            left, right = exp.Lower(this=left), exp.Lower(this=right)
        nodes = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
        if isinstance(of.right, Value) and of.right.value is None and not of.right.parameter:
            empty = exp.Is(this=left, expression=exp.Null())
            return exp.Not(this=empty) if of.operator == "!=" else empty
        return nodes[of.operator](this=left, expression=right)

    def _match(self, of: Match) -> exp.Expr:
        text, piece = exp.Lower(this=self._of(of.left)), exp.Lower(this=self._of(of.piece))
        if of.how == "contains":
            return exp.GT(this=exp.StrPosition(this=text, substr=piece), expression=exp.Literal.number(0))
        if of.how == "starts":
            return exp.EQ(this=exp.StrPosition(this=text, substr=piece), expression=exp.Literal.number(1))
        length = exp.Length(this=piece.copy())
        if self.dialect == "sqlite":
            return exp.EQ(this=exp.Substring(this=text, start=exp.Neg(this=length)), expression=piece)
        return exp.EQ(this=exp.Right(this=text, expression=length), expression=piece)

    def _empty(self, of: Empty) -> exp.Expr:
        left = self._of(of.left)
        empty: exp.Expr = exp.Is(this=left, expression=exp.Null())
        kind = _field(self.schema, of.left).type if isinstance(of.left, Column) else ""
        if kind == "string":
            blank = exp.EQ(this=exp.Trim(this=left.copy()), expression=exp.Literal.string(""))
            empty = exp.Paren(this=exp.or_(empty, blank))
        elif kind.startswith(("list<", "large_list<")):
            size = exp.func("cardinality" if self.dialect == "postgres" else "len", left.copy())
            empty = exp.Paren(this=exp.or_(empty, exp.EQ(this=size, expression=exp.Literal.number(0))))
        return exp.Not(this=empty) if of.negated else empty


def _written(query: exp.Query, dialect: str) -> Sql:
    text = query.sql(dialect=dialect, pretty=True)
    return Sql(_MARK.sub("?", text), tuple(_MARK.findall(text)))


def _ordered(of: exp.Expr, descending: bool) -> exp.Ordered:
    return exp.Ordered(this=of, desc=descending, nulls_first=False)


def _divided(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    over = exp.Nullif(this=right, expression=exp.Literal.number(0))
    return exp.Div(this=exp.cast(left, "DOUBLE"), expression=over, typed=False, safe=False)


def _whole(of: exp.Expr, dialect: str) -> exp.Expr:
    """EXTRACT gives a decimal in PostgreSQL."""
    return exp.cast(of, "INT") if dialect == "postgres" else of


def _wrapped(of: exp.Expr) -> exp.Expr:
    return exp.Paren(this=of) if isinstance(of, exp.Add | exp.Sub | exp.Mul | exp.Div) else of


def _grouped(of: exp.Expr) -> exp.Expr:
    return exp.Paren(this=of) if isinstance(of, exp.Or | exp.And) else of


def _is_plain(name: str) -> bool:
    return bool(_PLAIN_NAME.fullmatch(name)) and name.upper() not in _RESERVED


def _identifier(name: str, table: str = "") -> exp.Column:
    return exp.Column(
        this=exp.to_identifier(name, quoted=not _is_plain(name)),
        table=exp.to_identifier(table, quoted=not _is_plain(table)) if table else None,
    )


def local_name(table: str) -> str:
    """The name by which a query's own text knows a table: without its database schema."""
    return table.rpartition(".")[2]


def _table_named(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=not _is_plain(name)))


def _table(name: str) -> exp.Table:
    schema, _, table = name.rpartition(".")
    return exp.Table(
        this=exp.to_identifier(table, quoted=not _is_plain(table)),
        db=exp.to_identifier(schema, quoted=not _is_plain(schema)) if schema else None,
    )


def _field(schema: Schema, column: Column) -> Field:
    return schema.table(column.table).named(column.name)


def _output_field(output: Output, schema: Schema) -> Field:
    of = output.of
    if isinstance(of, Column):
        field = _field(schema, of)
        return Field(output.name, field.type, nullable=field.nullable, meaning=field.meaning, unit=field.unit)
    return Field(output.name, type_of(of, schema), nullable=not _never_null(of), unit=_unit_of(of, schema))


def type_of(of: Expression, schema: Schema) -> str:
    """The Arrow type of an expression's values."""
    match of:
        case Column():
            return _field(schema, of).type
        case Value():
            return _type_of_value(of.value)
        case Aggregate(function="count" | "count_distinct"):
            return "int64"
        case Aggregate(function="avg" | "stddev" | "median"):
            return "double"
        case Aggregate() if of.of is not None:
            kind = type_of(of.of, schema)
            if of.function == "sum" and kind.startswith("decimal128"):
                return f"decimal128(38, {_scale(kind)})"
            return "int64" if of.function == "sum" and kind.startswith(("int", "uint")) else kind
        case Bucket():
            whole = of.unit in ("year", "month_of_year", "hour_of_day", "weekday")
            return "int64" if whole else "timestamp[us]" if of.unit in ("minute", "hour") else "date32[day]"
        case Arithmetic():
            return _type_of_arithmetic(of, schema)
        case Function(name="lower" | "upper" | "trim"):
            return "string"
        case Function(name="abs" | "round"):
            return type_of(of.of, schema)
        case Function():
            return "int64"
        case Elapsed():
            days = all(type_of(each, schema).startswith("date") for each in (of.start, of.end))
            return "int64" if days and of.unit == "day" else "double"
        case _:
            return "double"


def _type_of_arithmetic(of: Arithmetic, schema: Schema) -> str:
    left, right = type_of(of.left, schema), type_of(of.right, schema)
    if of.operator == "/" or "double" in (left, right) or "float" in (left, right):
        return "double"
    scales = [_scale(t) for t in (left, right) if t.startswith("decimal128")]
    if not scales:
        return "int64"
    scale = sum(scales) if of.operator == "*" else max(scales)
    return f"decimal128(38, {scale})"


def _type_of_value(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (int, "int64"),
        (float, "double"),
        (datetime, "timestamp[us]"),
        (date, "date32[day]"),
    )
    if isinstance(value, Decimal):
        return f"decimal128(38, {max(0, -int(value.as_tuple().exponent))})"
    return next((name for kind, name in kinds if isinstance(value, kind)), "string")


def _scale(kind: str) -> int:
    return int(kind.rstrip(")").rpartition(",")[2])


def _never_null(of: Expression) -> bool:
    return isinstance(of, Aggregate) and of.function in ("count", "count_distinct")


def _unit_of(of: Expression, schema: Schema) -> str:
    if isinstance(of, Aggregate) and isinstance(of.of, Column) and of.function not in ("count", "count_distinct"):
        return _field(schema, of.of).unit
    return "%" if isinstance(of, Share) and of.percent else ""
