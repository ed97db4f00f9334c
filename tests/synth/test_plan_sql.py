"""A plan means the same in every dialect, and its closure is plain Python."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest
import sqlglot

from synth.models.builtin import draft_of
from synth.plan import (
    Aggregate,
    And,
    Arithmetic,
    Bucket,
    Column,
    Compare,
    Empty,
    Join,
    Match,
    OneOf,
    Order,
    Output,
    Plan,
    Share,
    TopPer,
    Value,
)
from synth.plan_sql import can_say, output_fields, sql_of
from synth.request import Request, Task
from synth.schema import Field, Relation, Schema, Table

SHOP = Schema(
    (
        Table(
            "orders",
            (
                Field("id", "int64"),
                Field("customer_id", "int64"),
                Field("placed", "date32[day]"),
                Field("total", "decimal128(10, 2)"),
                Field("state", "string"),
            ),
        ),
        Table("customers", (Field("id", "int64"), Field("name", "string"), Field("Home City", "string"))),
    ),
    (Relation("orders", ("customer_id",), "customers", ("id",), declared=True),),
)
ORDERS = [
    (1, 1, "2024-01-05", "10.00", "paid"),
    (2, 1, "2024-01-20", "30.00", "open"),
    (3, 2, "2024-02-01", "30.00", "paid"),
    (4, 2, "2024-02-11", "5.50", "paid"),
    (5, None, "2024-03-01", None, " "),
]
CUSTOMERS = [(1, "Ada", "Bonn"), (2, "Ben", "Köln"), (3, "Cem 100%", None)]
TOTAL, STATE, PLACED = Column("orders", "total"), Column("orders", "state"), Column("orders", "placed")
NAME, CITY = Column("customers", "name"), Column("customers", "Home City")
WITH_CUSTOMER = Join("customers", ("id",), "orders", ("customer_id",))
SUM = Aggregate("sum", TOTAL)

CASES: list[tuple[str, Plan, list[tuple[object, ...]]]] = [
    (
        "a threshold",
        Plan(
            "orders", (Output(Column("orders", "id"), "id"),), where=Compare(TOTAL, ">", Value(Decimal(10), "minimum"))
        ),
        [(2,), (3,)],
    ),
    (
        "a sum per customer, highest first",
        Plan(
            "orders",
            (Output(NAME, "name"), Output(SUM, "total_total")),
            joins=(WITH_CUSTOMER,),
            group=(NAME,),
            order=(Order(SUM, descending=True),),
        ),
        [("Ada", 40.0), ("Ben", 35.5)],
    ),
    (
        "having",
        Plan(
            "orders",
            (Output(STATE, "state"), Output(Aggregate("count"), "count")),
            where=Empty(STATE, negated=True),
            group=(STATE,),
            having=Compare(Aggregate("count"), ">", Value(1, "minimum")),
        ),
        [("paid", 3)],
    ),
    (
        "customers without orders",
        Plan(
            "customers",
            (Output(NAME, "name"),),
            joins=(Join("orders", ("customer_id",), "customers", ("id",), "missing"),),
        ),
        [("Cem 100%",)],
    ),
    (
        "customers without an order over 31",
        Plan(
            "customers",
            (Output(NAME, "name"),),
            joins=(
                Join(
                    "orders",
                    ("customer_id",),
                    "customers",
                    ("id",),
                    "missing",
                    Compare(TOTAL, ">", Value(Decimal(31), "minimum")),
                ),
            ),
            order=(Order(NAME),),
        ),
        [("Ada",), ("Ben",), ("Cem 100%",)],
    ),
    (
        "customers without an order that is open",
        Plan(
            "customers",
            (Output(NAME, "name"),),
            joins=(
                Join("orders", ("customer_id",), "customers", ("id",), "missing", Compare(STATE, "=", Value("open"))),
            ),
            order=(Order(NAME),),
        ),
        [("Ben",), ("Cem 100%",)],
    ),
    (
        "the largest order of each customer, ties kept",
        Plan(
            "orders",
            (Output(Column("orders", "customer_id"), "customer_id"), Output(TOTAL, "total")),
            where=Empty(Column("orders", "customer_id"), negated=True),
            order=(Order(TOTAL, descending=True),),
            top_per=TopPer((Column("orders", "customer_id"),), Value(1, "count"), ties=True),
        ),
        [(1, 30.0), (2, 30.0)],
    ),
    (
        "the highest with ties",
        Plan(
            "orders",
            (Output(Column("orders", "id"), "id"),),
            order=(Order(TOTAL, descending=True),),
            limit=Value(1, "limit"),
            ties=True,
        ),
        [(2,), (3,)],
    ),
    (
        "one row per state, the latest",
        Plan(
            "orders",
            (Output(STATE, "state"), Output(Column("orders", "id"), "id")),
            order=(Order(PLACED, descending=True),),
            distinct_on=(STATE,),
            where=Empty(STATE, negated=True),
        ),
        [("paid", 4), ("open", 2)],
    ),
    (
        "text that holds a per cent sign",
        Plan("customers", (Output(NAME, "name"),), where=Match(NAME, "contains", Value("0%", "piece"))),
        [("Cem 100%",)],
    ),
    (
        "text that ends so",
        Plan("customers", (Output(NAME, "name"),), where=Match(NAME, "ends", Value("EN", "piece"))),
        [("Ben",)],
    ),
    (
        "an odd column name and a list of values",
        Plan("customers", (Output(NAME, "name"),), where=OneOf(CITY, (Value("Bonn", "city"), Value("Köln", "city_2")))),
        [("Ada",), ("Ben",)],
    ),
    (
        "share of the total",
        Plan(
            "orders",
            (Output(STATE, "state"), Output(Share(SUM, percent=True), "share")),
            where=And((Empty(STATE, negated=True), Compare(PLACED, ">=", Value(date(2024, 1, 1), "since")))),
            group=(STATE,),
            order=(Order(SUM),),
        ),
        [("open", pytest.approx(30 / 75.5 * 100)), ("paid", pytest.approx(45.5 / 75.5 * 100))],
    ),
    (
        "a ratio of two counts",
        Plan(
            "orders",
            (
                Output(
                    Arithmetic(
                        "/", Aggregate("count", where=Compare(STATE, "=", Value("paid", "state"))), Aggregate("count")
                    ),
                    "share_paid",
                ),
            ),
        ),
        [(pytest.approx(0.6),)],
    ),
]
BUCKETS: list[tuple[str, list[tuple[object, ...]]]] = [
    ("month", [(date(2024, 1, 1), 2), (date(2024, 2, 1), 2), (date(2024, 3, 1), 1)]),
    ("year", [(2024, 5)]),
    (
        "week",
        [
            (date(2024, 1, 1), 1),
            (date(2024, 1, 15), 1),
            (date(2024, 1, 29), 1),
            (date(2024, 2, 5), 1),
            (date(2024, 2, 26), 1),
        ],
    ),
    ("weekday", [(4, 1), (5, 2), (6, 1), (7, 1)]),
]


def arguments(plan: Plan, dialect: str) -> tuple[str, list[object]]:
    sql = sql_of(plan, SHOP, dialect)
    values = {v.parameter: v.value for v in plan.values()}
    return sql.text, [values[name] for name in sql.parameters]


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE orders (id BIGINT, customer_id BIGINT, placed DATE, total DECIMAL(10,2), state VARCHAR)"
    )
    connection.execute('CREATE TABLE customers (id BIGINT, name VARCHAR, "Home City" VARCHAR)')
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", ORDERS)
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", CUSTOMERS)
    return connection


@pytest.fixture(scope="module")
def lite() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE orders (id INTEGER, customer_id INTEGER, placed TEXT, total NUMERIC, state TEXT)")
    connection.execute('CREATE TABLE customers (id INTEGER, name TEXT, "Home City" TEXT)')
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", ORDERS)
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", CUSTOMERS)
    return connection


def as_floats(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in rows]


@pytest.mark.parametrize(("what", "plan", "expected"), CASES, ids=[c[0] for c in CASES])
def test_duckdb_answers_the_plan(
    what: str, plan: Plan, expected: list[tuple[object, ...]], duck: duckdb.DuckDBPyConnection
) -> None:
    text, values = arguments(plan, "duckdb")

    rows = as_floats(duck.execute(text, values).fetchall())

    assert rows == expected


@pytest.mark.parametrize(("what", "plan", "expected"), CASES, ids=[c[0] for c in CASES])
def test_sqlite_answers_the_plan_alike(
    what: str, plan: Plan, expected: list[tuple[object, ...]], lite: sqlite3.Connection
) -> None:
    text, values = arguments(plan, "sqlite")
    bound = [float(v) if isinstance(v, Decimal) else v.isoformat() if isinstance(v, date) else v for v in values]

    rows = lite.execute(text, bound).fetchall()

    assert rows == expected


@pytest.mark.parametrize(("what", "plan", "expected"), CASES, ids=[c[0] for c in CASES])
@pytest.mark.parametrize("dialect", ["postgres", "mysql"])
def test_other_dialects_mean_the_same_when_read_back(
    what: str, plan: Plan, expected: list[tuple[object, ...]], dialect: str, duck: duckdb.DuckDBPyConnection
) -> None:
    text, values = arguments(plan, dialect)

    rows = as_floats(duck.execute(sqlglot.transpile(text, read=dialect, write="duckdb")[0], values).fetchall())

    assert rows == expected


@pytest.mark.parametrize(("unit", "expected"), BUCKETS)
def test_dates_are_cut_to_their_unit(
    unit: str, expected: list[tuple[object, ...]], duck: duckdb.DuckDBPyConnection
) -> None:
    bucket = Bucket(PLACED, unit)  # type: ignore[arg-type]  # the case's own literal
    plan = Plan(
        "orders", (Output(bucket, unit), Output(Aggregate("count"), "count")), group=(bucket,), order=(Order(bucket),)
    )

    text, values = arguments(plan, "duckdb")

    assert duck.execute(text, values).fetchall() == expected
    assert not can_say(plan, SHOP, "sqlite")


def test_the_closure_is_python_that_carries_the_asked_values_as_defaults() -> None:
    plan = Plan(
        "orders",
        (Output(Column("orders", "id"), "id"),),
        where=And(
            (
                Compare(TOTAL, ">", Value(Decimal("9.50"), "minimum")),
                Compare(PLACED, ">=", Value(date(2024, 1, 2), "since")),
            )
        ),
    )
    request = Request('orders """ over \\ 9.50', datetime(2024, 5, 1, tzinfo=UTC))

    draft = draft_of(plan, Task(request, SHOP, "table", "duckdb", "csv"))

    compile(draft.code, "closure.py", "exec")
    assert (
        'def closure(source, *, minimum: Decimal = Decimal("9.50"), since: date = date(2024, 1, 2)):'
        in draft.code.replace("'", '"')
    )
    assert "[minimum, since]" in draft.code


def test_what_sqlite_cannot_say_is_asked_in_the_sandbox() -> None:
    plan = Plan("orders", (Output(Aggregate("median", TOTAL), "median_total"),))
    request = Request("median total", datetime(2024, 5, 1, tzinfo=UTC))

    draft = draft_of(plan, Task(request, SHOP, "table", "sqlite", "sqlite"))

    assert "orders = source.query('SELECT total FROM orders')" in draft.code
    assert "yield from query(" in draft.code


def test_the_answers_types_follow_from_the_plan() -> None:
    plan = Plan(
        "orders",
        (
            Output(STATE, "state"),
            Output(SUM, "total"),
            Output(Aggregate("count"), "n"),
            Output(Aggregate("avg", TOTAL), "mean"),
        ),
    )

    assert [(f.name, f.type) for f in output_fields(plan, SHOP)] == [
        ("state", "string"),
        ("total", "decimal128(38, 2)"),
        ("n", "int64"),
        ("mean", "double"),
    ]


def test_parameters_are_names_that_python_can_have() -> None:
    names = ("class", "2nd place", "source", "größe", "Größe")
    plan = Plan(
        "orders", (Output(Column("orders", "id"), "id"),), where=OneOf(STATE, tuple(Value(n, n) for n in names))
    )
    request = Request("orders in these states", datetime(2024, 5, 1, tzinfo=UTC))

    draft = draft_of(plan, Task(request, SHOP, "table", "duckdb", "csv"))

    compile(draft.code, "closure.py", "exec")
    assert [p.name for p in draft.parameters] == ["class_", "value_2nd_place", "source_", "größe", "größe_"]
    assert [p.default for p in draft.parameters] == list(names)


def test_a_column_called_place_does_not_meet_the_place_in_a_ranking(duck: duckdb.DuckDBPyConnection) -> None:
    order = (Order(TOTAL, descending=True),)
    plan = Plan("orders", (Output(STATE, "place"),), order=order, limit=Value(1, "limit"), ties=True)

    text, values = arguments(plan, "duckdb")

    assert sorted(duck.execute(text, values).fetchall()) == [("open",), ("paid",)]


@pytest.mark.parametrize("word", ["order", "group", "key", "check", "user", "rank", "to", "read", "status", "by"])
def test_a_column_may_be_named_like_a_word_of_sql(word: str) -> None:
    schema = Schema((Table("things", (Field(word, "int64"),)),))
    column = Column("things", word)
    plan = Plan(
        "things",
        (Output(column, word), Output(Aggregate("sum", column), "total")),
        where=Compare(column, ">", Value(0, "least")),
        group=(column,),
        order=(Order(column),),
    )
    connection = sqlite3.connect(":memory:")
    connection.execute(f'CREATE TABLE things ("{word}" int)')
    connection.execute("INSERT INTO things VALUES (1), (2), (2)")
    engine = duckdb.connect()
    engine.execute(f'CREATE TABLE things AS SELECT * FROM (VALUES (1), (2), (2)) AS t("{word}")')

    by_sqlite = connection.execute(sql_of(plan, schema, "sqlite").text, [0]).fetchall()
    by_duckdb = engine.execute(sql_of(plan, schema, "duckdb").text, [0]).fetchall()

    assert by_sqlite == by_duckdb == [(1, 1), (2, 4)]
    for dialect in ("mysql", "postgres"):
        assert (
            f"{'`' if dialect == 'mysql' else chr(34)}{word}" in sql_of(plan, schema, dialect).text or word == "status"
        )


def test_a_list_without_a_member_is_empty(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("CREATE OR REPLACE TABLE tagged AS SELECT 1 AS id, ['a'] AS tags UNION ALL VALUES (2, []), (3, NULL)")
    schema = Schema((Table("tagged", (Field("id", "int64"), Field("tags", "list<item: string>"))),))
    tags = Column("tagged", "tags")

    empty, filled = (
        sql_of(
            Plan("tagged", (Output(Column("tagged", "id"), "id"),), where=Empty(tags, negated)), schema, "duckdb"
        ).text
        for negated in (False, True)
    )

    assert sorted(duck.execute(empty).fetchall()) == [(2,), (3,)]
    assert duck.execute(filled).fetchall() == [(1,)]
