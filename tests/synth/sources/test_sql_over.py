"""SQL of PostgreSQL and MySQL over rows in memory means what it means there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import psycopg
import pymysql
import pytest

from sandbox.capabilities import Table
from synth.source import Source
from tests.services import PASSWORD, Server
from tests.synth.sources.sql_help import opened, refusal_of, rows_of

_ROWS = [
    (1, 3, "1.50", "2021-03-01 10:00:00", "Berlin", 1),
    (2, 2, "2.00", "2021-03-07 23:59:59", "berlin", 0),
    (3, 2, None, None, "Köln", 1),
    (4, 7, "9.99", "2021-04-01 00:00:00", None, None),
    (5, -7, "-1.25", "2020-12-31 12:00:00", "", 0),
]


@pytest.fixture(scope="module")
def postgres_source(postgres: Server) -> Iterator[Source]:
    """A few rows in PostgreSQL."""
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE few")
    with psycopg.connect(postgres.url("few")) as admin:
        admin.execute(
            "CREATE TABLE t (id int, q int, total numeric(10, 2), placed timestamp, city text, ok boolean, tags text[], j jsonb)"
        )
        for row in _ROWS:
            tags = ["a", "b"] if row[0] == 1 else None
            admin.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s::int::boolean, %s, '{\"k\": 1}')", [*row, tags])
    source = opened(postgres.url("few"))
    yield source
    source.close()


@pytest.fixture(scope="module")
def mysql_source(mariadb: Server) -> Iterator[Source]:
    """The same in MariaDB."""
    admin = pymysql.connect(host="127.0.0.1", port=mariadb.port, user="tars", password=PASSWORD, autocommit=True)
    with admin, admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE few CHARACTER SET utf8mb4")
        cursor.execute(
            "CREATE TABLE few.t (id int, q int, total decimal(10, 2), placed datetime, city varchar(20), ok tinyint(1))"
        )
        cursor.executemany("INSERT INTO few.t VALUES (%s, %s, %s, %s, %s, %s)", _ROWS)
    source = opened(mariadb.url("few"))
    yield source
    source.close()


def _same(value: object) -> Any:
    """A value as it is compared: figures by what they are worth, to nine digits."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | Decimal):
        return round(float(value), 6)
    return value


def _both(source: Source, sql: str, params: list[object]) -> tuple[list[Any], list[Any]]:
    doors = source.over(source.sample(100).b)
    answers = []
    for each in (source.capability, doors):
        rows = rows_of(each, sql, params)
        answers.append([{k: _same(v) for k, v in row.items()} for row in rows])
    return answers[0], answers[1]


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT q / 2 AS a, -q / 2 AS b, q / 2.0 AS c, total / 2 AS d, q % 2 AS e FROM t ORDER BY id", []),
        ("SELECT sum(q) / count(*) AS mean FROM t", []),
        ("SELECT count(*), sum(total), avg(q), min(placed), max(city), date_trunc('month', min(placed)) FROM t", []),
        (
            "SELECT total::int, placed::date, q::text, CASE WHEN ok THEN 1 END, 1 + 1, upper(city),"
            " coalesce(city, '?') FROM t ORDER BY id",
            [],
        ),
        ("SELECT id FROM t ORDER BY total", []),
        ("SELECT id FROM t ORDER BY total DESC LIMIT 3 OFFSET 1", []),
        ("SELECT id FROM t ORDER BY q FETCH FIRST 2 ROWS WITH TIES", []),
        ("SELECT id FROM t WHERE city LIKE 'B%' OR city ILIKE 'K%' ORDER BY 1", []),
        (
            ""
            "SELECT id FROM t WHERE city = ? AND placed < ? AND total > ? AND ok = ? ORDER BY 1",
            ["Berlin", datetime(2021, 4, 1), Decimal("1.4"), True],
        ),
        ("SELECT id FROM t WHERE placed::date = ? ORDER BY 1", [date(2021, 3, 7)]),
        ("SELECT date_trunc('week', placed)::date AS w, count(*) AS n FROM t GROUP BY 1 ORDER BY 1", []),
        ("SELECT to_char(placed, 'YYYY-MM') AS m, extract(dow FROM placed) AS d, extract(isodow FROM placed) AS i FROM t ORDER BY id", []),
        ("SELECT placed - interval '3 days' AS before, placed::date - date '2021-01-01' AS days FROM t ORDER BY id", []),
        ("SELECT count(*) FILTER (WHERE q > 2) AS n, string_agg(city, ',' ORDER BY id) AS all_of FROM t", []),
        (
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY q) AS mid, stddev(q) AS dev,"
            " bool_or(ok) AS any_ok, every(ok) AS all_ok FROM t",
            [],
        ),
        ("SELECT DISTINCT ON (city) city, id FROM t ORDER BY city NULLS FIRST, id DESC", []),
        ("SELECT id, row_number() OVER (PARTITION BY q ORDER BY id) AS r, sum(total) OVER () AS s FROM t ORDER BY id", []),
        ("SELECT tags[1] AS one, array_length(tags, 1) AS n, j->>'k' AS k FROM t ORDER BY id", []),
        ("SELECT id FROM t WHERE 'b' = ANY(tags) ORDER BY id", []),
        ("WITH a AS (SELECT city, q / 2 AS half FROM t) SELECT half, count(*) AS n FROM a GROUP BY half ORDER BY half", []),
        (
            "SELECT city IS DISTINCT FROM 'Berlin' AS other, left(city, 2) AS l, length(city) AS n,"
            " split_part(city, 'e', 1) AS s FROM t ORDER BY id",
            [],
        ),
        ("SELECT round(total, 1) AS r, trunc(total) AS t, abs(q) AS a, greatest(q, 2) AS g, nullif(city, '') AS c FROM t ORDER BY id", []),
        ("SELECT (SELECT max(total) FROM t) AS top, a.id FROM t a JOIN t b ON a.q = b.q AND a.id < b.id", []),
        ("SELECT id FROM t WHERE ok UNION ALL SELECT q FROM t WHERE NOT ok ORDER BY 1", []),
    ],
)  # fmt: skip
def test_postgres(postgres_source: Source, sql: str, params: list[object]) -> None:
    there, here = _both(postgres_source, sql, params)

    assert here == there


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT q / 2 AS a, q DIV 2 AS b, q % 2 AS c, q / 0 AS d FROM t ORDER BY id", []),
        ("SELECT count(*), sum(total), max(city), 1+1 FROM t", []),
        ("SELECT id FROM t ORDER BY total, id", []),
        ("SELECT id FROM t ORDER BY total DESC, id LIMIT 1, 3", []),
        ("SELECT count(*) AS n FROM t WHERE city = 'BERLIN' AND city LIKE 'ber%' AND city IN ('bErlin')", []),
        ("SELECT count(DISTINCT city) AS n FROM t", []),
        ("SELECT lower(city) AS c, count(*) AS n FROM t GROUP BY lower(city) ORDER BY 1", []),
        ("SELECT a.id AS a, b.id AS b FROM t a JOIN t b ON a.city = b.city AND a.id < b.id", []),
        (
            ""
            "SELECT id FROM t WHERE city = ? AND placed < ? AND total > ? AND ok = ?",
            ["berlin", datetime(2021, 4, 1, tzinfo=UTC), Decimal("1.4"), True],
        ),
        ("SELECT id FROM t WHERE ok = 1 ORDER BY id", []),
        ("SELECT sum(ok) AS n, sum(q > 2) AS big FROM t", []),
        ("SELECT date_format(placed, '%Y-%m-01') AS m, count(*) AS n FROM t GROUP BY 1 ORDER BY 1", []),
        ("SELECT date_format(placed, '%d.%m.%y %H:%i:%s') AS m FROM t ORDER BY id", []),
        (
            "SELECT year(placed) AS y, month(placed) AS m, weekday(placed) AS w, dayofweek(placed) AS d,"
            " date(placed) AS x FROM t ORDER BY id",
            [],
        ),
        (
            "SELECT datediff(placed, '2021-01-01') AS days, timestampdiff(DAY, '2021-01-01', placed) AS t,"
            " placed - INTERVAL 3 DAY AS b FROM t ORDER BY id",
            [],
        ),
        (
            "SELECT concat(city, '!') AS c, ifnull(city, '?') AS i, if(q > 2, 'x', 'y') AS f,"
            " char_length(city) AS n, substring_index(city, 'e', 1) AS s FROM t ORDER BY id",
            [],
        ),
        ("SELECT group_concat(city ORDER BY id SEPARATOR '|') AS g FROM t", []),
        ("SELECT city <=> NULL AS n, q <> 2 AS d, NOT ok AS o FROM t ORDER BY id", []),
        (
            "SELECT round(total, 1) AS r, truncate(total, 1) AS t, cast(q AS char) AS c,"
            " cast(total AS decimal(10, 1)) AS d FROM t ORDER BY id",
            [],
        ),
        ("SELECT `id`, row_number() OVER (PARTITION BY q ORDER BY id) AS r FROM `t` ORDER BY id", []),
    ],
)  # fmt: skip
def test_mysql(mysql_source: Source, sql: str, params: list[object]) -> None:
    there, here = _both(mysql_source, sql, params)

    assert here == there


def test_sql_that_cannot_be_read_is_refused(postgres_source: Source) -> None:
    doors = postgres_source.over(postgres_source.sample(10).b)

    assert refusal_of(doors, "SELECT FROM WHERE").code == "bad-sql"
    assert refusal_of(doors, "SELECT nope FROM t").code == "bad-sql"


def test_a_query_may_run_while_another_is_read(postgres_source: Source, mysql_source: Source) -> None:
    for source in (postgres_source, mysql_source):
        doors = cast(Table, source.over(source.sample(10).b))
        outer = doors.query("SELECT id FROM t ORDER BY id")
        first = next(outer)

        assert rows_of(doors, "SELECT count(*) AS n FROM t") == [{"n": 5}]
        assert first.num_rows + sum(b.num_rows for b in outer) == 5
