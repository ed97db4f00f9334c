"""`query(rows, sql)` and `source.query(sql)` from inside the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sandbox.backends.local import Local
from sandbox.broker import Broker, Call, Grant
from sandbox.job import Job, Limits, Record, RunResult


class Shop:
    """Orders in a DuckDB of the host's."""

    dialect = "duckdb"

    def __init__(self, rows: int = 5) -> None:
        self.engine = duckdb.connect()
        self.engine.execute(
            "CREATE TABLE orders AS SELECT i AS id, 'c' || (i % 2) AS customer, (i + 0.25)::DECIMAL(12, 2) AS total,"
            f" DATE '2021-01-01' + i::INTEGER AS day FROM range({rows}) t(i)"
        )

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[pa.RecordBatch]:
        yield from self.engine.sql(sql, params=list(params)).to_arrow_reader(2_048)

    def tables(self) -> list[str]:
        return ["orders"]

    def columns(self, table: str) -> list[dict[str, str]]:
        return [{"name": "id", "type": "BIGINT"}]

    def lines(self) -> Iterator[list[str]]:
        yield ["5 a", "6 b"]


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    sandbox = Local()
    yield sandbox
    sandbox.close()


def run(local: Local, code: str, capability: object = None, **options: Any) -> RunResult:
    return local.run(Job(code, **options), Broker(capability))


def answer(local: Local, rows: str, sql: str, params: str = "()") -> list[Record]:
    code = f"from decimal import Decimal\nfrom datetime import *\n\ndef closure(source):\n    return query({rows}, {sql!r}, {params})\n"
    code = code.replace("from datetime import *", "from datetime import date, datetime, timezone, timedelta")
    result = run(local, code)
    assert result.status == "ok", result
    return list(result.records)


def test_the_source_answers_sql_with_parameters(local: Local) -> None:
    code = """
def closure(source, *, customer="c0"):
    sql = "SELECT customer, sum(total) AS total, min(day) AS first FROM orders WHERE customer = ? GROUP BY 1"
    for row in source.query(sql, [customer]):
        yield row
"""

    result = run(local, code, Shop())

    assert result.records == ({"customer": "c0", "total": Decimal("6.75"), "first": date(2021, 1, 1)},)


def test_the_broker_checks_the_sql_and_writes_it_down(local: Local) -> None:
    log: list[Call] = []
    code = """
def closure(source):
    for sql in ("DELETE FROM orders", "SELECT * FROM other", "SELECT 1; SELECT 2", "SELECT * FROM read_csv('/etc/passwd')"):
        try:
            list(source.query(sql))
        except SourceError as error:
            yield {"code": error.code}
    yield {"code": str(next(source.query("SELECT id FROM orders ORDER BY id DESC"))["id"])}
"""

    result = local.run(Job(code), Broker(Shop(), log=log.append))

    assert [r["code"] for r in result.records][-1] == "4"
    assert len(result.records) == 5
    assert {r["code"] for r in result.records[:-1]} <= {"bad-sql", "not-granted"}
    assert len(log) == 5


def test_a_grant_of_tables_holds_for_sql(local: Local) -> None:
    code = "def closure(source):\n    return source.query('SELECT * FROM orders')\n"

    result = local.run(Job(code), Broker(Shop(), Grant(tables=frozenset({"others"}))))

    assert result.status == "error"


def test_more_rows_than_the_grant_are_refused(local: Local) -> None:
    broker = Broker(Shop(10_000), Grant(rows=5_000))

    result = local.run(Job("def closure(source):\n    return source.query('SELECT * FROM orders')\n"), broker)

    assert (result.status, result.limit) == ("limit", "rows")
    assert result.fault is not None
    assert "more than 5000 rows in one run" in result.fault.message
    assert broker.meter.breached == "rows"


def test_rows_of_the_source_are_queried_again_without_becoming_dicts(local: Local) -> None:
    code = """
def closure(source):
    rows = source.query("SELECT * FROM orders")
    return query(rows, "SELECT customer, count(*) AS n, sum(total) AS total FROM rows GROUP BY 1 ORDER BY 1")
"""

    result = run(local, code, Shop(100_000))

    assert [(r["customer"], r["n"]) for r in result.records] == [("c0", 50_000), ("c1", 50_000)]
    assert result.records[0]["total"] == Decimal("2499962500.00")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS n FROM rows a, rows b",
        "SELECT count(*) AS n FROM rows a JOIN rows b USING (id)",
        "WITH x AS (SELECT * FROM rows) SELECT (SELECT count(*) FROM x) * (SELECT count(*) FROM x) AS n",
        "SELECT (SELECT count(*) FROM rows) * (SELECT count(*) FROM rows) AS n",
        "FROM rows SELECT count(*) * count(*) AS n",
    ],
)
def test_rows_can_be_scanned_twice_in_one_query(local: Local, sql: str) -> None:
    code = f"def closure(source):\n    return query(source.query('SELECT * FROM orders'), {sql!r})\n"

    result = run(local, code, Shop(5))

    assert result.records in (({"n": 25},), ({"n": 5},))
    if "USING" not in sql:
        assert result.records == ({"n": 25},)


def test_answers_of_query_are_queried_again(local: Local) -> None:
    code = """
def closure(source):
    first = query([{"a": n, "b": n % 3} for n in range(10)], "SELECT b, sum(a) AS s FROM rows GROUP BY b")
    return query(first, "SELECT max(s) AS most FROM rows")
"""

    assert run(local, code).records == ({"most": 18},)


def test_several_tables_are_joined(local: Local) -> None:
    tables = "{'a': [{'k': 1, 'x': 'one'}, {'k': 2, 'x': 'two'}], 'b': ({'k': k, 'y': k * 10} for k in (2, 3))}"

    assert answer(local, tables, "SELECT x, y FROM a JOIN b USING (k)") == [{"x": "two", "y": 20}]


def test_lines_become_rows(local: Local) -> None:
    code = """
def closure(source):
    rows = ({"n": int(line.split()[0]), "t": line.split()[1]} for line in source.lines())
    return query(rows, "SELECT sum(n) AS n FROM rows WHERE t >= ?", ["a"])
"""

    assert run(local, code, Shop()).records == ({"n": 11},)


@pytest.mark.parametrize(
    ("rows", "sql", "expected"),
    [
        ("[{'a': 1}, {'a': None}, {}]", "SELECT count(*) AS n, count(a) AS a FROM rows", [{"n": 3, "a": 1}]),
        ("[{'a': 1}, {'b': 2}]", "SELECT sum(a) AS a, sum(b) AS b FROM rows", [{"a": 1, "b": 2}]),
        ("[{'a': 1}, {'a': 2.5}]", "SELECT sum(a) AS a FROM rows", [{"a": 3.5}]),
        ("[{'a': 1}, {'a': 'x'}, {'a': True}]", "SELECT string_agg(a, ',') AS a FROM rows", [{"a": "1,x,true"}]),
        ("[{'a': 2**70}, {'a': 1}]", "SELECT max(a) AS a FROM rows", [{"a": Decimal(2**70)}]),
        ("[{'a': 10**60}, {'a': 1}]", "SELECT max(a) AS a FROM rows", [{"a": "1" + "0" * 60}]),
        ("[{'a': Decimal('1.5')}, {'a': 2}]", "SELECT sum(a) AS a FROM rows", [{"a": Decimal("3.5")}]),
        ("[{'a': Decimal('1.25')}, {'a': 0.5}]", "SELECT sum(a) AS a FROM rows", [{"a": Decimal("1.75")}]),
        ("[{'a': 2**60}, {'a': 0.5}]", "SELECT typeof(a) AS a FROM rows LIMIT 1", [{"a": "VARCHAR"}]),
        (
            "[{'a': {'b': 1}}, {'a': None}, {'a': {'c': 'x'}}]",
            "SELECT sum(a.b) AS b, max(a.c) AS c FROM rows",
            [{"b": 1, "c": "x"}],
        ),
        ("[{'a': [1, 2]}, {'a': []}, {'a': None}, {'a': [3]}]", "SELECT sum(len(a)) AS n FROM rows", [{"n": 3}]),
        ("[{'a': [1, 'x']}]", "SELECT a[2] AS a FROM rows", [{"a": "x"}]),
        ("[{'a': {'b': 1}}, {'a': 5}]", "SELECT string_agg(a, ';') AS a FROM rows", [{"a": '{"b": 1};5'}]),
        ("[{'a': {}}, {'a': {}}]", "SELECT count(a) AS n FROM rows", [{"n": 2}]),
        ("[{'a': [{'b': 1}, {'b': 'x'}]}]", "SELECT a[1].b AS b FROM rows", [{"b": "1"}]),
        ("[{'a': date(2021, 1, 2)}]", "SELECT a + 1 AS a FROM rows", None),
        ("[{'a': None}, {'a': None}]", "SELECT sum(a) AS a FROM rows", [{"a": None}]),
        ("[{'a': b'xy'}]", "SELECT octet_length(a) AS n FROM rows", [{"n": 2}]),
        ("[{'A b\"c': 1}]", 'SELECT "A b""c" AS a FROM rows', [{"a": 1}]),
        ("[]", "SELECT count(*) AS n FROM rows", [{"n": 0}]),
        ("[]", "SELECT customer, sum(total) AS t FROM rows WHERE day > '2021' GROUP BY customer", []),
        ("[]", "SELECT sum(x) AS s, count(y) AS n FROM rows", [{"s": None, "n": 0}]),
        (
            "[{'a': datetime(2021, 1, 2, tzinfo=timezone(timedelta(hours=2)))}]",
            "SELECT hour(a) AS h FROM rows",
            [{"h": 22}],
        ),
        ("[{'a': datetime(2021, 1, 2), 'b': timedelta(hours=30)}]", "SELECT a + b AS c FROM rows", None),
        ("[{'a': float('nan')}]", "SELECT isnan(a) AS n FROM rows", [{"n": True}]),
    ],
)
def test_rows_that_do_not_agree_are_loaded(local: Local, rows: str, sql: str, expected: list[Record] | None) -> None:
    got = answer(local, rows, sql)

    if expected is None:
        assert len(got) == 1
    else:
        assert got == expected


@pytest.mark.parametrize(
    ("call", "type_"),
    [
        ("query([{'a': 1}], 'SELECT b FROM rows')", "QueryError"),
        ("query([{'a': 1}], 'SELEC 1')", "QueryError"),
        ("query([{'a': 1}], 'SELECT 1; SELECT 2')", "QueryError"),
        ("query([{'a': 1}], 'CREATE TABLE x AS SELECT 1')", "QueryError"),
        ("query([{'a': 1}], \"COPY rows TO '/tmp/x.csv'\")", "QueryError"),
        ("query([{'a': 1}], \"SELECT * FROM read_csv('/etc/passwd')\")", "QueryError"),
        ("query([{'a': 1}], \"SELECT * FROM '/etc/passwd'\")", "QueryError"),
        ("query([{'a': 1}], \"SELECT * FROM read_text('/proc/self/environ')\")", "QueryError"),
        ("query([{'a': 1}], \"ATTACH '/tmp/x.db'\")", "QueryError"),
        ("query([{'a': 1}], \"INSTALL httpfs\")", "QueryError"),
        ("query([{'a': 1}], \"SET enable_external_access=true\")", "QueryError"),
        ("query([{'a': 1}], \"SET memory_limit='100GB'\")", "QueryError"),
        ("query([{'a': 1}], \"SELECT * FROM source\")", "QueryError"),
        ("query('SELECT 1', [])", "TypeError"),
        ("query([5], 'SELECT 1')", "TypeError"),
        ("query([{'a': 1}], 'SELECT ? AS a', [object()])", "QueryError"),
    ],
)
def test_what_query_cannot_do_is_an_error_on_the_closures_line(local: Local, call: str, type_: str) -> None:
    result = run(local, f"def closure(source):\n    return {call}\n")

    assert result.status == "error", result
    assert result.fault is not None
    assert (result.fault.type, result.fault.line) == (type_, 2), result.fault


def test_a_query_that_needs_too_much_memory_is_that_limit(local: Local) -> None:
    code = """
def closure(source):
    return query([{"a": 1}], "SELECT list(i) AS l FROM range(40_000_000) t(i)")
"""

    result = run(local, code, limits=Limits(memory_mb=128))

    assert (result.status, result.limit) == ("limit", "memory_mb"), result


def test_a_sort_and_a_join_of_some_size_run_within_the_default_memory(local: Local) -> None:
    code = """
def closure(source):
    rows = source.query("SELECT * FROM orders")
    return query(rows, "SELECT a.customer, count(*) AS n FROM rows a JOIN rows b USING (id) GROUP BY 1 ORDER BY 1")
"""

    result = run(local, code, Shop(300_000))

    assert [r["n"] for r in result.records] == [150_000, 150_000]
