"""PostgreSQL, really running: types, tables, samples, read-only to the bone."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import psycopg
import pytest

from sandbox.broker import Broker, CallRefused, Grant
from sandbox.capabilities import Table
from synth.evidence import schema_of
from synth.lookup import finder
from synth.source import Source
from tests.services import PASSWORD, Server
from tests.synth.sources.sql_help import field_types, ids_of, opened, problem_of, refusal_of, rows_of, types_of

_SHOP = """
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE DOMAIN euros AS numeric(12, 2);
CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL, city varchar(20), code char(5));
COMMENT ON TABLE customers IS 'who buys';
COMMENT ON COLUMN customers.city IS 'where they live';
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int REFERENCES customers (id), total numeric(10, 2), placed timestamp);
CREATE TABLE kinds (i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, e euros, b boolean, d date, t time,
  ts timestamp, tz timestamptz, m mood, j jsonb, u uuid, ia int[], ta text[], da date[], raw bytea, net inet, span interval,
  code char(5));
INSERT INTO kinds VALUES (1, 2, 3, 0.1, 0.2, 12.345, 9.5, true, '2021-03-01', '10:20:30', '2021-03-01 10:20:30.5',
  '2021-03-01 10:20:30+02', 'high', '{"a": [1]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,NULL,3}', '{x,y}', '{2021-03-01}',
  '\\x00ff', '10.0.0.1', '1 day 02:00', 'ab');
INSERT INTO kinds DEFAULT VALUES;
CREATE TABLE empty_one (a int, b numeric);
CREATE VIEW spending AS SELECT c.name, sum(o.total) AS spent FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1;
CREATE MATERIALIZED VIEW cities AS SELECT DISTINCT city FROM customers;
CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parts_2021 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE SCHEMA sales;
CREATE TABLE sales.orders (n int);
INSERT INTO sales.orders VALUES (7);
CREATE TABLE "we ird""; DROP TABLE orders; --" ("a b" int, "select" text, "ü'" int, "x%y?" int);
INSERT INTO "we ird""; DROP TABLE orders; --" VALUES (1, 'x', 2, 3);
CREATE TABLE odd_dates (ts timestamp, n numeric);
INSERT INTO odd_dates VALUES ('2021-01-01', 1), ('infinity', 2), ('2021-01-02', 'NaN'), ('0044-03-15 BC', 4);
INSERT INTO customers (name, city, code) SELECT 'n' || i, (ARRAY['Berlin', 'Köln'])[1 + i % 2], 'c' FROM generate_series(1, 20000) i;
INSERT INTO orders SELECT i, 1 + i % 20000, i * 0.01, timestamp '2021-01-01' + i * interval '1 minute' FROM generate_series(1, 60000) i;
ANALYZE;
"""


@pytest.fixture(scope="module")
def shop(postgres: Server) -> str:
    """A database with a shop in it."""
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE shop")
    with psycopg.connect(postgres.url("shop"), autocommit=True) as admin:
        admin.execute(_SHOP)
    return postgres.url("shop")


@pytest.fixture(scope="module")
def source(shop: str) -> Iterator[Source]:
    """The shop, open."""
    found = opened(shop)
    yield found
    found.close()


def test_tables_views_and_other_schemas_are_found_and_partitions_are_not(source: Source) -> None:
    names = {t.name for t in source.tables()}

    assert names == {
        "customers", "orders", "kinds", "empty_one", "spending", "cities", "parts", "sales.orders", "odd_dates",
        'we ird"; DROP TABLE orders; --',
    }  # fmt: skip


def test_keys_comments_and_nullability_come_from_the_catalogue(source: Source) -> None:
    customers = next(t for t in source.tables() if t.name == "customers")

    assert customers.primary_key == ("id",)
    assert customers.comment == "who buys"
    assert customers.named("city").comment == "where they live"
    assert (customers.named("name").nullable, customers.named("city").nullable) == (False, True)
    assert [(r.table, r.columns, r.to_table, r.to_columns) for r in source.relations()] == [
        ("orders", ("customer_id",), "customers", ("id",))
    ]


def test_every_type_comes_as_arrows_and_as_the_schema_says(source: Source) -> None:
    source.sample(10)

    row, nothing = rows_of(source.capability, "SELECT * FROM kinds")

    assert row == {
        "i2": 1, "i4": 2, "i8": 3, "f4": 0.1, "f8": 0.2, "n": Decimal("12.345"), "e": Decimal("9.50"), "b": True,
        "d": date(2021, 3, 1), "t": datetime(2021, 3, 1, 10, 20, 30).time(), "ts": datetime(2021, 3, 1, 10, 20, 30, 500_000),
        "tz": datetime(2021, 3, 1, 8, 20, 30, tzinfo=UTC), "m": "high", "j": '{"a": [1]}',
        "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "ia": [1, None, 3], "ta": ["x", "y"], "da": [date(2021, 3, 1)],
        "raw": b"\x00\xff", "net": "10.0.0.1", "span": "1 day 02:00:00", "code": "ab",
    }  # fmt: skip
    assert set(nothing.values()) == {None}
    assert types_of(source.capability, "SELECT * FROM kinds") == field_types(source, "kinds")


def test_params_are_bound_by_type(source: Source) -> None:
    sql = (
        "SELECT count(*) AS n FROM kinds WHERE e > ? AND d = ? AND ts < ? AND b = ? AND m::text = ? AND '?' = '?' -- ?"
    )

    rows = rows_of(source.capability, sql, [Decimal("9.4"), date(2021, 3, 1), datetime(2022, 1, 1), True, "high"])

    assert rows == [{"n": 1}]


def test_a_param_is_never_sql(source: Source) -> None:
    assert rows_of(source.capability, "SELECT id FROM customers WHERE name = ?", ["' OR 1=1; --"]) == []


def test_figures_have_exact_types(source: Source) -> None:
    sql = "SELECT sum(total) AS s, sum(id) AS i, count(*) AS c, avg(i4) AS a FROM orders, kinds WHERE i4 IS NOT NULL"

    assert rows_of(source.capability, sql) == [
        {"s": Decimal("18000300.00"), "i": 1_800_030_000, "c": 60_000, "a": Decimal("2.0000000000000000")}
    ]
    assert types_of(source.capability, sql)["i"] == "int64"


def test_odd_names_are_read_and_sampled(source: Source) -> None:
    sample = source.sample(5)
    table = 'we ird"; DROP TABLE orders; --'

    assert sample.b[table].to_pylist() == [{"a b": 1, "select": "x", "ü'": 2, "x%y?": 3}]
    assert rows_of(source.capability, 'SELECT "x%y?" FROM "we ird""; DROP TABLE orders; --" WHERE "a b" = ?', [1]) == [
        {"x%y?": 3}
    ]


@pytest.mark.parametrize("name", ["sales.orders", '"sales"."orders"', '"sales.orders"'])
def test_a_table_of_another_schema_goes_by_either_name(source: Source, name: str) -> None:
    assert rows_of(source.capability, f"SELECT n FROM {name}") == [{"n": 7}]
    doors = source.over(source.sample(5).b)
    assert rows_of(doors, f"SELECT n FROM {name}") == [{"n": 7}]


def test_an_empty_answer_has_its_columns(source: Source) -> None:
    assert types_of(source.capability, "SELECT * FROM empty_one") == {"a": "int64", "b": "decimal128(38, 9)"}


def test_two_columns_of_one_name_are_both_kept(source: Source) -> None:
    sql = "SELECT o.id, c.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = 1"

    assert rows_of(source.capability, sql) == [{"id": 1, "id_1": 2}]
    assert list(rows_of(source.over(source.sample(50).b), "SELECT 1 AS id, 2 AS id")[0]) == ["id", "id_1"]


def test_samples_hold_together_and_do_not_overlap(source: Source) -> None:
    sample = source.sample(100)

    for part in (sample.a, sample.b):
        buyers = set(part["orders"].column("customer_id").to_pylist())
        assert buyers <= set(part["customers"].column("id").to_pylist())
    mine, others = (ids_of(part["orders"]) for part in (sample.a, sample.b))
    assert not mine & others
    assert 50 <= len(mine) <= 200
    assert 500 <= len(others) <= 2000
    assert max(others) - min(others) > 30_000
    assert "spending" not in sample.whole
    assert {"kinds", "empty_one", "cities"} <= sample.whole


def test_rows_that_break_their_type_are_set_aside_and_counted(source: Source) -> None:
    source.completeness()

    rows = rows_of(source.capability, "SELECT * FROM odd_dates")

    assert rows == [{"ts": datetime(2021, 1, 1), "n": Decimal(1)}]
    told = source.completeness()
    assert told.state == "incomplete"
    assert told.set_aside_count == 3
    assert [(s.position, s.value) for s in told.set_aside] == [
        (2, "infinity"),
        (3, "NaN"),
        (4, "0044-03-15 00:00:00 BC"),
    ]
    assert source.completeness().state == "complete"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM orders", "bad-sql"),
        ("WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone", "bad-sql"),
        ("SELECT nextval('customers_id_seq')", "not-granted"),
        ("SELECT 1; DELETE FROM orders", "bad-sql"),
        ("SELECT 1; COMMIT; SET default_transaction_read_only = off; DELETE FROM orders", "bad-sql"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "failed"),
        ("SELECT nope FROM orders", "bad-sql"),
        ("SELECT * FROM nowhere", "bad-sql"),
        ("SELECT 1 / 0", "failed"),
        ("SELECT id FROM orders WHERE id = ?", "bad-sql"),
    ],
)
def test_what_is_not_a_read_is_refused_by_the_engine(source: Source, sql: str, code: str) -> None:
    refused = refusal_of(source.capability, sql)

    assert refused.code == code
    assert "LINE 1" not in refused.message
    assert rows_of(source.capability, "SELECT count(*) AS n FROM orders") == [{"n": 60_000}]


def test_a_session_teaches_the_next_query_nothing(source: Source) -> None:
    rows_of(
        source.capability,
        "SELECT set_config('default_transaction_read_only', 'off', false), set_config('TimeZone', 'Asia/Tokyo', false)",
    )

    assert rows_of(
        source.capability,
        "SELECT current_setting('TimeZone') AS z, current_setting('default_transaction_read_only') AS r",
    ) == [{"z": "UTC", "r": "on"}]


def test_a_slow_query_is_stopped(shop: str) -> None:
    source = opened(shop, seconds=1)
    start = time.monotonic()

    refused = refusal_of(source.capability, "SELECT pg_sleep(30)")

    assert refused.code == "limit"
    assert time.monotonic() - start < 4
    assert rows_of(source.capability, "SELECT 1 AS one") == [{"one": 1}]
    source.close()


def test_a_query_may_run_while_another_is_read(source: Source) -> None:
    outer = cast(Table, source.capability).query("SELECT id FROM orders ORDER BY id")
    first = next(outer)

    assert rows_of(source.capability, "SELECT count(*) AS n FROM customers") == [{"n": 20_000}]
    assert first.num_rows + sum(b.num_rows for b in outer) == 60_000


def test_a_half_read_answer_leaves_the_source_usable(source: Source) -> None:
    for _ in range(12):
        answer = cast(Any, source.capability).query("SELECT * FROM orders")
        next(answer)
        answer.close()

    assert rows_of(source.capability, "SELECT 1 AS one") == [{"one": 1}]


def test_200_000_rows_stream_in_flat_memory(source: Source) -> None:
    sql = "SELECT i, repeat('x', 200) AS pad FROM generate_series(1, 200000) i"
    tracemalloc.start()
    count = 0

    for batch in cast(Table, source.capability).query(sql):
        count += batch.num_rows

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 25 * 1024 * 1024


def test_big_values_make_small_batches(source: Source) -> None:
    sizes = [
        b.num_rows
        for b in cast(Table, source.capability).query("SELECT repeat('x', 100000) AS big FROM generate_series(1, 3000)")
    ]

    assert sum(sizes) == 3000
    assert max(sizes) <= 1500


def test_the_broker_serves_it(source: Source) -> None:
    broker = Broker(source.capability, Grant(tables=frozenset({"orders"})))

    rows = [
        r
        for b in broker.answer("query", ["SELECT id FROM orders WHERE id < ? ORDER BY 1", [3]], {})
        for r in b.to_pylist()
    ]

    assert rows == [{"id": 1}, {"id": 2}]
    with pytest.raises(CallRefused, match="customers"):
        list(broker.answer("query", ["SELECT id FROM customers", []], {}))


def test_an_address_narrows_to_a_schema_or_a_table(shop: str) -> None:
    with_schema, with_table = opened(f"{shop}?schema=sales"), opened(f"{shop}#orders")

    assert rows_of(with_schema.capability, "SELECT * FROM orders") == [{"n": 7}]
    assert "orders" in {t.name for t in with_schema.tables()}
    assert [t.name for t in with_table.tables()] == ["orders"]
    assert problem_of(f"{shop}#ordres").reason == "not-found"
    assert "orders" in problem_of(f"{shop}#ordres").hint
    with_schema.close()
    with_table.close()


def test_a_table_without_the_right_to_read_is_left_out_and_named(postgres: Server, shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'")
        admin.execute("GRANT SELECT ON orders TO clerk; GRANT SELECT (id, name) ON customers TO clerk")
    address = postgres.url("shop", "clerk")

    source = opened(address)
    sample = source.sample(10)

    assert {t.name for t in source.tables()} == {"orders", "customers"}
    assert set(field_types(source, "customers")) == {"id", "name"}
    assert sample.b["customers"].num_rows
    assert any("kinds" in note for note in cast(Any, source).notes)
    assert problem_of(f"{address}#kinds").reason == "authorisation"
    assert refusal_of(source.capability, "SELECT * FROM kinds").code == "not-granted"
    source.close()


def test_the_password_may_come_from_elsewhere(postgres: Server) -> None:
    bare = f"postgresql://tars@127.0.0.1:{postgres.port}/shop"

    for location, environment in (
        (bare, {"PGPASSWORD": PASSWORD}),
        (bare.replace("tars@", "tars:${SECRET}@"), {"SECRET": PASSWORD}),
    ):
        source = opened(location, environment=environment)
        assert rows_of(source.capability, "SELECT 1 AS one") == [{"one": 1}]
        source.close()


def test_thousands_of_tables_open_in_seconds(postgres: Server) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE many")
    with psycopg.connect(postgres.url("many")) as admin:
        for i in range(1_500):
            admin.execute(f"CREATE TABLE t{i} (id int, name text, total numeric(10, 2))".encode())
    start = time.monotonic()

    source = opened(postgres.url("many"))

    assert len(source.tables()) == 1_500
    assert time.monotonic() - start < 5
    source.close()


def test_money_is_a_decimal_that_is_asked_outside_the_server(postgres: Server) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE purse")
    with psycopg.connect(postgres.url("purse"), autocommit=True) as admin:
        admin.execute("CREATE TABLE purse (price money)")
        admin.execute("INSERT INTO purse VALUES ('$1,234.50'), ('-$0.05'), ('$3'), (NULL)")
    source = opened(postgres.url("purse"))

    rows = rows_of(source.capability, "SELECT price FROM purse")

    assert [r["price"] for r in rows] == [Decimal("1234.50"), Decimal("-0.05"), Decimal("3.00"), None]
    assert field_types(source, "purse") == {"price": "decimal128(19, 2)"}
    assert source.tables()[0].fields[0].reading == 'CAST("price" AS DECIMAL(19, 2))'
    source.close()


def test_words_are_looked_up_in_a_big_table_itself(shop: str) -> None:
    source = opened(f"{shop}#customers")
    sample = source.sample(50)

    found = finder(source, schema_of(source, sample), sample)("N17")

    assert [(m.table, m.field, m.value, m.exact) for m in found] == [("customers", "name", "n17", False)]
    source.close()


def test_an_empty_answer_over_samples_has_its_columns(source: Source) -> None:
    doors = source.over({name: rows.slice(0, 0) for name, rows in source.sample(10).b.items()})

    (batch,) = cast(Table, doors).query("SELECT id, total FROM orders")

    assert (batch.num_rows, batch.schema.names) == (0, ["id", "total"])


def test_a_figure_that_is_whole_at_first_keeps_its_later_fractions(postgres: Server) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE late")
    with psycopg.connect(postgres.url("late"), autocommit=True) as admin:
        admin.execute("CREATE TABLE big (id int PRIMARY KEY, n numeric)")
        admin.execute(
            "INSERT INTO big SELECT i, CASE WHEN i = 15000 THEN 0.25 ELSE i END FROM generate_series(1, 15000) i"
        )
    source = opened(postgres.url("late"))

    rows = rows_of(source.capability, "SELECT id, max(n) AS most FROM big GROUP BY id ORDER BY id")

    assert (rows[0]["most"], rows[-1]["most"], len(rows)) == (1, Decimal("0.25"), 15_000)
    assert source.completeness().state == "complete"
    source.close()
