"""MariaDB, really running: types, tables, samples, read-only to the bone."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from typing import Any, cast

import pymysql
import pytest

from sandbox.capabilities import Table
from synth.source import Source
from tests.services import PASSWORD, Server
from tests.synth.sources.sql_help import field_types, ids_of, opened, problem_of, refusal_of, rows_of, types_of

_SHOP = [
    "CREATE TABLE customers (id int PRIMARY KEY AUTO_INCREMENT, name varchar(30) NOT NULL, "
    "city varchar(20) COMMENT 'where') COMMENT 'who buys'",
    "CREATE TABLE orders (id bigint unsigned PRIMARY KEY, customer_id int, total decimal(10, 2), placed datetime,"
    " FOREIGN KEY (customer_id) REFERENCES customers (id))",
    "CREATE TABLE kinds (ti tinyint, flag tinyint(1), digit tinyint(1), si smallint, mi mediumint, i int, bi bigint, ub bigint unsigned,"
    " n decimal(10, 2), big decimal(50, 10), f float, d double, day date, at datetime(3), stamp timestamp NULL, t time, y year,"
    " b1 bit(1), b8 bit(8), e enum('a', 'b'), s set('x', 'y'), j json, raw blob, vb varbinary(4), txt text)",
    "INSERT INTO kinds VALUES (-1, 1, 7, 2, 3, 4, 5, 18446744073709551615, 12.5, 1.5, 0.1, 0.2, '2021-03-01',"
    " '2021-03-01 10:20:30.5', '2021-03-01 08:20:30', '10:20:30', 2021, 1, 9, 'b', 'x,y', '{\"a\": 1}', x'00ff', x'00ff', 'über')",
    "INSERT INTO kinds (i) VALUES (NULL)",
    "CREATE TABLE empty_one (a int, b decimal(5, 1))",
    "CREATE TABLE odd_dates (d date, t time)",
    "SET SESSION sql_mode = ''",
    "INSERT INTO odd_dates VALUES ('2021-01-01', '10:00:00'), ('0000-00-00', '10:00:00'), ('2021-01-02', '100:00:00')",
    "CREATE VIEW spending AS SELECT c.name, sum(o.total) AS spent FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
    'CREATE TABLE `we ird``; DROP TABLE orders; --` (`a b` int, `select` text, `ü"` int, `x%y?` int)',
    "INSERT INTO `we ird``; DROP TABLE orders; --` VALUES (1, 'x', 2, 3)",
    "INSERT INTO customers (name, city) SELECT concat('n', seq), if(seq % 2, 'Berlin', 'berlin') FROM seq_1_to_20000",
    "INSERT INTO orders SELECT seq, 1 + seq % 20000, seq * 0.01, '2021-01-01' + INTERVAL seq MINUTE FROM seq_1_to_60000",
    "ANALYZE TABLE orders, customers",
]


@pytest.fixture(scope="module")
def shop(mariadb: Server) -> str:
    """A database with a shop in it."""
    _admin(mariadb, "tars", ["CREATE DATABASE shop"])
    _admin(mariadb, "shop", _SHOP)
    return mariadb.url("shop")


def _admin(server: Server, database: str, statements: list[str]) -> None:
    connection = pymysql.connect(
        host="127.0.0.1", port=server.port, user="tars", password=PASSWORD, database=database, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(scope="module")
def source(shop: str) -> Iterator[Source]:
    """The shop, open."""
    found = opened(shop)
    yield found
    found.close()


def test_tables_views_keys_and_comments_come_from_the_catalogue(source: Source) -> None:
    tables = {t.name: t for t in source.tables()}

    assert set(tables) == {
        "customers", "orders", "kinds", "empty_one", "odd_dates", "spending", "we ird`; DROP TABLE orders; --",
    }  # fmt: skip
    assert tables["customers"].primary_key == ("id",)
    assert tables["customers"].comment == "who buys"
    assert tables["customers"].named("city").comment == "where"
    assert [(r.table, r.columns, r.to_table, r.to_columns) for r in source.relations()] == [
        ("orders", ("customer_id",), "customers", ("id",))
    ]


def test_every_type_comes_as_arrows_and_as_the_schema_says(source: Source) -> None:
    source.sample(10)

    row, nothing = rows_of(source.capability, "SELECT * FROM kinds")

    assert row == {
        "ti": -1, "flag": True, "digit": 7, "si": 2, "mi": 3, "i": 4, "bi": 5, "ub": 18446744073709551615, "n": Decimal("12.50"),
        "big": Decimal("1.5000000000"), "f": 0.1, "d": 0.2, "day": date(2021, 3, 1),
        "at": datetime(2021, 3, 1, 10, 20, 30, 500_000), "stamp": datetime(2021, 3, 1, 8, 20, 30), "t": clock(10, 20, 30), "y": 2021,
        "b1": True, "b8": 9, "e": "b", "s": "x,y", "j": '{"a": 1}', "raw": b"\x00\xff", "vb": b"\x00\xff", "txt": "über",
    }  # fmt: skip
    assert set(nothing.values()) == {None}
    assert types_of(source.capability, "SELECT * FROM kinds") == field_types(source, "kinds")


def test_params_are_bound_by_type(source: Source) -> None:
    sql = (
        "SELECT count(*) AS n, '50%' AS p FROM kinds WHERE n > ? AND day = ? AND at < ? AND flag = ?"
        " AND e = ? AND stamp = ? AND '?' = '?'"
    )
    stamp = datetime(2021, 3, 1, 8, 20, 30, tzinfo=UTC)

    rows = rows_of(source.capability, sql, [Decimal("12.4"), date(2021, 3, 1), datetime(2022, 1, 1), True, "b", stamp])

    assert rows == [{"n": 1, "p": "50%"}]


@pytest.mark.parametrize("value", ["' OR 1=1; -- ", "\\' OR 1=1; -- ", '" OR ""="', "%s", "\\"])
def test_a_param_is_never_sql(source: Source, value: str) -> None:
    assert rows_of(source.capability, "SELECT id FROM customers WHERE name = ?", [value]) == []
    assert rows_of(source.capability, "SELECT ? AS v", [value]) == [{"v": value}]


def test_figures_have_exact_types(source: Source) -> None:
    sql = "SELECT sum(total) AS s, sum(id) AS i, count(*) AS c FROM orders"

    assert rows_of(source.capability, sql) == [{"s": Decimal("18000300.00"), "i": 1_800_030_000, "c": 60_000}]
    assert types_of(source.capability, sql) == {"s": "decimal128(32, 2)", "i": "int64", "c": "int64"}


def test_odd_names_are_read_and_sampled(source: Source) -> None:
    sample = source.sample(5)

    assert sample.b["we ird`; DROP TABLE orders; --"].to_pylist() == [{"a b": 1, "select": "x", 'ü"': 2, "x%y?": 3}]
    sql = "SELECT `x%y?` FROM `we ird``; DROP TABLE orders; --` WHERE `a b` = ?"
    assert rows_of(source.capability, sql, [1]) == [{"x%y?": 3}]
    assert rows_of(source.over(sample.b), sql, [1]) == [{"x%y?": 3}]


def test_an_empty_answer_has_its_columns(source: Source) -> None:
    assert types_of(source.capability, "SELECT * FROM empty_one") == {"a": "int64", "b": "decimal128(5, 1)"}


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


def test_rows_that_break_their_type_are_set_aside_and_counted(source: Source) -> None:
    source.completeness()

    rows = rows_of(source.capability, "SELECT * FROM odd_dates")

    assert rows == [{"d": date(2021, 1, 1), "t": clock(10)}]
    told = source.completeness()
    assert told.state == "incomplete"
    assert [(s.position, s.value) for s in told.set_aside] == [(2, "0000-00-00"), (3, "100:00:00")]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM orders", "not-granted"),
        ("SELECT 1; DELETE FROM orders", "bad-sql"),
        ("SELECT nope FROM orders", "bad-sql"),
        ("SELECT * FROM nowhere", "bad-sql"),
        ("SELECT id FROM orders WHERE id = ?", "bad-sql"),
        ("SELECT * FROM orders INTO OUTFILE '/tmp/tars-never'", "not-granted"),
        ("SELECT id FROM orders LIMIT 1 INTO @x", "not-granted"),
        ("SELECT /*! 1 INTO OUTFILE '/tmp/tars-never' */", "not-granted"),
        ("SELECT 1 /*M! INTO OUTFILE '/tmp/tars-never' */", "not-granted"),
    ],
)
def test_what_is_not_a_read_is_refused_by_the_engine(source: Source, sql: str, code: str) -> None:
    refused = refusal_of(source.capability, sql)

    assert refused.code == code
    assert rows_of(source.capability, "SELECT count(*) AS n FROM orders") == [{"n": 60_000}]


@pytest.mark.parametrize("sql", ["SELECT sleep(30)", "SELECT benchmark(3000000000, md5('x'))"])
def test_a_slow_query_is_stopped_on_the_server_too(mariadb: Server, shop: str, sql: str) -> None:
    source = opened(shop, seconds=1)
    start = time.monotonic()

    refused = refusal_of(source.capability, sql)

    assert refused.code == "limit"
    assert time.monotonic() - start < 4
    assert rows_of(source.capability, "SELECT 1 AS one") == [{"one": 1}]
    running = "SELECT count(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT sleep%' OR info LIKE 'SELECT bench%'"
    end = time.monotonic() + 5
    while rows_of(source.capability, running) != [{"n": 0}]:
        assert time.monotonic() < end, "the query still runs on the server"
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
    sql = "SELECT a.id, repeat('x', 200) AS pad FROM orders a JOIN (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) b"
    tracemalloc.start()
    count = 0

    for batch in cast(Table, source.capability).query(sql):
        count += batch.num_rows

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 240_000
    assert peak < 25 * 1024 * 1024


def test_text_is_compared_over_samples_as_the_database_compares_it(source: Source) -> None:
    sql = "SELECT city, count(*) AS n FROM customers WHERE id <= 100 AND city = ? AND city LIKE 'BER%' GROUP BY city"

    there = rows_of(source.capability, sql, ["BERLIN"])
    here = rows_of(source.over({"customers": _first_customers(source)}), sql, ["BERLIN"])

    assert [(str(r["city"]).lower(), r["n"]) for r in there] == [("berlin", 100)]
    assert [(str(r["city"]).lower(), r["n"]) for r in here] == [("berlin", 100)]


def _first_customers(source: Source) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches(list(cast(Table, source.capability).query("SELECT * FROM customers WHERE id <= 100")))


def test_a_user_sees_what_it_may_read(mariadb: Server, shop: str) -> None:
    _admin(
        mariadb, "shop",
        [f"CREATE USER clerk@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'", "GRANT SELECT ON shop.orders TO clerk@'127.0.0.1'"],
    )  # fmt: skip

    source = opened(mariadb.url("shop", "clerk"))

    assert [t.name for t in source.tables()] == ["orders"]
    assert refusal_of(source.capability, "SELECT * FROM customers").code == "not-granted"
    assert problem_of(mariadb.url("mysql", "clerk")).reason == "authorisation"
    source.close()


def test_the_password_may_come_from_elsewhere(mariadb: Server) -> None:
    bare = f"mariadb://tars@127.0.0.1:{mariadb.port}/shop"

    source = opened(bare, environment={"MYSQL_PWD": PASSWORD})

    assert rows_of(source.capability, "SELECT 1 AS one") == [{"one": 1}]
    source.close()


def test_without_a_database_all_are_there(mariadb: Server) -> None:
    source = opened(mariadb.url(""))

    names = {t.name for t in source.tables()}

    assert "shop.orders" in names
    assert rows_of(source.capability, "SELECT count(*) AS n FROM shop.orders") == [{"n": 60_000}]
    source.close()
