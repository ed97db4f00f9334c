"""SQLite files: types told by values, reading only, and what is wrong with a file said in words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from sandbox.capabilities import Table
from synth.detection import UNKNOWN, Detection
from synth.source import OpenOptions, Source
from synth.sources import sqlite_file
from tests.synth.sources.sql_help import field_types, ids_of, opened, problem_of, refusal_of, rows_of, types_of

_SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name text COLLATE NOCASE NOT NULL, since date);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id int REFERENCES customers, total decimal(10, 2), placed datetime, paid boolean);
CREATE TABLE dirty (price text, said text, at text, epoch datetime, mixed, zip text, joined text);
CREATE TABLE empty_one (a int, b decimal(5, 2), c text, d date, e);
CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE points (id integer PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES pairs);
CREATE VIEW spending AS SELECT name, sum(total) AS spent FROM orders JOIN customers c ON c.id = customer_id GROUP BY 1;
CREATE VIEW broken AS SELECT * FROM nowhere;
CREATE TABLE "we ird""; DROP TABLE orders; --" ("a b" int, "select" text, "ü'?" int);
INSERT INTO "we ird""; DROP TABLE orders; --" VALUES (1, 'x', 2);
INSERT INTO pairs VALUES (1, 1), (1, 2);
INSERT INTO points VALUES (1, 1, 2);
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a shop in it."""
    found = tmp_path_factory.mktemp("sqlite") / "shop.db"
    start = datetime(2021, 1, 1)
    with closing(sqlite3.connect(found)) as connection:
        connection.executescript(_SHOP)
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?, ?)",
            [(i, f"N{i}", f"2020-01-{1 + i % 28:02d}") for i in range(1, 1001)],
        )
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
            [(i, 1 + i % 1000, i * 0.1, str(start + timedelta(minutes=i)), i % 2) for i in range(1, 40_001)],
        )
        connection.executemany(
            "INSERT INTO dirty VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    f"${i},000.50", "yes" if i % 2 else "no", f"2021-03-{1 + i % 28:02d}T10:00:00Z", 1_600_000_000 + i,
                    i if i % 3 else f"x{i}", f"0{i}", f"0{i % 9 + 1}.03.2021",
                )
                for i in range(1, 61)
            ],
        )  # fmt: skip
        connection.commit()
    return found


@pytest.fixture(scope="module")
def source(path: Path) -> Iterator[Source]:
    """The shop, open."""
    found = opened(f"sqlite:///{path}")
    yield found
    found.close()


def test_tables_views_and_keys_are_found_and_a_broken_view_is_named(source: Source) -> None:
    tables = {t.name: t for t in source.tables()}

    assert set(tables) == {
        "customers", "orders", "dirty", "empty_one", "pairs", "points", "spending", 'we ird"; DROP TABLE orders; --',
    }  # fmt: skip
    assert tables["orders"].rows == 40_000
    assert tables["pairs"].primary_key == ("a", "b")
    assert {(r.table, r.columns, r.to_table, r.to_columns) for r in source.relations()} == {
        ("orders", ("customer_id",), "customers", ("id",)),
        ("points", ("a", "b"), "pairs", ("a", "b")),
    }
    assert any("broken" in n for n in cast(sqlite_file.SqliteSource, source).notes)


def test_values_tell_the_types_and_declared_types_settle_the_rest(source: Source) -> None:
    assert field_types(source, "orders") == {
        "id": "int64", "customer_id": "int64", "total": "decimal128(18, 2)", "placed": "timestamp[us]", "paid": "bool",
    }  # fmt: skip
    assert field_types(source, "customers") == {"id": "int64", "name": "string", "since": "date32[day]"}
    assert field_types(source, "empty_one") == {
        "a": "int64", "b": "decimal128(18, 2)", "c": "string", "d": "date32[day]", "e": "string",
    }  # fmt: skip


def test_text_that_holds_something_else_has_a_reading_that_duckdb_follows(source: Source) -> None:
    fields = {f.name: f for t in source.tables() if t.name == "dirty" for f in t.fields}
    stored = source.sample(100).b["dirty"]

    readings = {n: f"({f.reading})" if f.reading else f'"{n}"' for n, f in fields.items()}
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.register("dirty", stored)
        row = duck.execute(f"SELECT {', '.join(readings.values())} FROM dirty LIMIT 1").fetchone()

    assert {n: f.type for n, f in fields.items()} == {
        "price": "decimal128(18, 2)", "said": "bool", "at": "timestamp[us, tz=UTC]", "epoch": "timestamp[us]", "mixed": "string",
        "zip": "string", "joined": "date32[day]",
    }  # fmt: skip
    assert row is not None
    assert row[0] == Decimal("1000.50")
    assert row[1] is True
    assert row[2].astimezone(UTC) == datetime(2021, 3, 2, 10, tzinfo=UTC)
    assert row[3:] == (datetime(2020, 9, 13, 12, 26, 41), "1", "01", date(2021, 3, 2))


def test_rows_come_typed(source: Source) -> None:
    assert rows_of(source.capability, "SELECT * FROM orders WHERE id = 3") == [
        {"id": 3, "customer_id": 4, "total": Decimal("0.30"), "placed": datetime(2021, 1, 1, 0, 3), "paid": True}
    ]
    assert types_of(source.capability, "SELECT * FROM empty_one") == field_types(source, "empty_one")


def test_sums_of_decimals_are_exact_and_compare_exactly(source: Source) -> None:
    sql = "SELECT sum(total), max(placed) AS last, count(*) FROM orders WHERE id IN (1, 2) HAVING sum(total) > ?"

    assert rows_of(source.capability, sql, [Decimal("0.29")]) == [
        {"sum(total)": Decimal("0.30"), "last": datetime(2021, 1, 1, 0, 2), "count(*)": 2}
    ]
    assert rows_of(source.capability, sql, [Decimal("0.3")]) == []
    windowed = "SELECT id, sum(total) OVER (ORDER BY id) AS running FROM orders LIMIT 3"
    assert [r["running"] for r in rows_of(source.capability, windowed)] == [
        Decimal("0.10"),
        Decimal("0.30"),
        Decimal("0.60"),
    ]


def test_an_expression_that_does_not_fit_its_guessed_type_is_what_its_values_are(source: Source) -> None:
    sql = "SELECT total / 7 AS part, total * total AS square, coalesce(paid, 'x') AS said FROM orders WHERE id = 1"

    row = rows_of(source.capability, sql)[0]

    assert row["part"] == pytest.approx(0.1 / 7)
    assert row["square"] == Decimal("0.01")
    assert row["said"] is True


def test_params_are_bound_by_type(source: Source) -> None:
    sql = (
        "SELECT count(*) AS n FROM orders JOIN customers c ON c.id = customer_id"
        " WHERE placed < ? AND paid = ? AND total <= ? AND since >= ?"
    )

    rows = rows_of(source.capability, sql, [datetime(2021, 1, 1, 1), True, Decimal("2.5"), date(2020, 1, 10)])

    expected = [i for i in range(1, 60) if i % 2 and i * 0.1 <= 2.5 + 1e-9 and 1 + (1 + i % 1000) % 28 >= 10]
    assert rows == [{"n": len(expected)}]
    assert rows_of(source.capability, "SELECT id FROM customers WHERE name = ?", ["' OR 1=1; --"]) == []


def test_odd_names_are_read(source: Source) -> None:
    sql = """SELECT "ü'?" FROM "we ird""; DROP TABLE orders; --" WHERE "a b" = ?"""

    assert rows_of(source.capability, sql, [1]) == [{"ü'?": 2}]


def test_samples_hold_together_and_do_not_overlap(source: Source) -> None:
    sample = source.sample(100)

    for part in (sample.a, sample.b):
        assert set(part["orders"].column("customer_id").to_pylist()) <= set(part["customers"].column("id").to_pylist())
    mine, others = (ids_of(part["orders"]) for part in (sample.a, sample.b))
    assert not mine & others
    assert max(others) - min(others) > 20_000
    assert "customers" in sample.whole
    assert "orders" not in sample.whole
    assert {f.name: str(f.type) for f in sample.a["orders"].schema} == field_types(source, "orders")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, sum(total) AS s, max(placed) AS m FROM orders o JOIN customers c ON c.id = o.customer_id"
        " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5",
        "SELECT strftime('%Y-%m', placed) AS month, count(*) AS n, sum(paid) AS paid FROM orders GROUP BY 1",
        "SELECT id / 2 AS half, id % 3 AS rest, name || '!' AS cry FROM customers WHERE name LIKE 'n1%' AND name = 'n1'",
        "SELECT since, count(*) AS n FROM customers WHERE since > date('2020-01-01', '+5 days') GROUP BY 1 ORDER BY 1 LIMIT 3",
    ],
)
def test_the_doors_over_samples_mean_the_same(source: Source, sql: str) -> None:
    tables = {t: _all(source, t) for t in ("orders", "customers")}

    doors = source.over(tables)

    assert rows_of(doors, sql) == rows_of(source.capability, sql)
    assert types_of(doors, sql) == types_of(source.capability, sql)


def _all(source: Source, table: str) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches(list(cast(Table, source.capability).query(f"SELECT * FROM {table} ORDER BY id")))


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM orders", "not-granted"),
        ("DROP TABLE orders", "not-granted"),
        ("ATTACH '/tmp/tars-never.db' AS other", "not-granted"),
        ("PRAGMA query_only = OFF", "not-granted"),
        ("SELECT load_extension('x')", "not-granted"),
        ("SELECT * FROM pragma_table_info('orders')", "not-granted"),
        ("SELECT 1; DELETE FROM orders", "bad-sql"),
        ("SELECT nope FROM orders", "bad-sql"),
        ("SELECT id FROM orders WHERE id = ?", "bad-sql"),
        ("SELECT zeroblob(1000000000)", "failed"),
    ],
)
def test_what_is_not_a_read_is_refused_by_the_engine(source: Source, sql: str, code: str) -> None:
    assert refusal_of(source.capability, sql).code == code
    assert rows_of(source.capability, "SELECT count(*) AS n FROM orders") == [{"n": 40_000}]


def test_a_slow_query_is_stopped(path: Path) -> None:
    source = opened(f"sqlite:///{path}", seconds=0.5)
    start = time.monotonic()

    refused = refusal_of(
        source.capability, "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r"
    )

    assert refused.code == "limit"
    assert time.monotonic() - start < 3
    assert rows_of(source.capability, "SELECT 1 AS one") == [{"one": 1}]
    source.close()


def test_a_query_may_run_while_another_is_read(source: Source) -> None:
    outer = cast(Table, source.capability).query("SELECT id FROM orders ORDER BY id")
    first = next(outer)

    assert rows_of(source.capability, "SELECT count(*) AS n FROM customers") == [{"n": 1000}]
    assert first.num_rows + sum(b.num_rows for b in outer) == 40_000


def _made(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_values_of_another_type_are_never_lost_in_silence(tmp_path: Path) -> None:
    path = _made(
        tmp_path / "odd.db",
        "CREATE TABLE t (id integer PRIMARY KEY, n int, day date, price text)",
        "WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 40000)"
        " INSERT INTO t SELECT x, x, '2021-01-05', '€' || x || ',50' FROM r",
        "INSERT INTO t VALUES (50001, 'n/a', '2021-01-05', '€1,50'), (50002, 1, '5.1.2021', '€1,50'), (50003, 1, '2021-01-05', 'free')",
    )
    source = opened(f"sqlite:///{path}")

    assert rows_of(source.capability, "SELECT sum(n) AS s FROM t WHERE day > ?", [date(2020, 1, 1)])
    told = source.completeness()

    assert told.state == "incomplete"
    assert [(s.table, s.position, s.value) for s in told.set_aside] == [("t", 50001, "n/a"), ("t", 50002, "5.1.2021")]
    rows_of(source.capability, "SELECT id, price FROM t")
    assert [s.value for s in source.completeness().set_aside] == ["free"]
    rows_of(source.capability, "SELECT id FROM t")
    assert source.completeness().state == "complete"
    source.close()


def test_text_in_an_old_encoding_is_read(tmp_path: Path) -> None:
    path = _made(tmp_path / "old.db", "CREATE TABLE t (name text)", "INSERT INTO t VALUES (CAST(x'4BF66C6E' AS text))")
    source = opened(f"sqlite:///{path}")

    assert rows_of(source.capability, "SELECT name FROM t") == [{"name": "Köln"}]
    source.close()


def test_a_file_is_opened_by_its_path_and_narrowed(path: Path) -> None:
    source = sqlite_file.open_source(f"{path}#Orders", Detection(str(path), UNKNOWN, "", 1.0), OpenOptions())

    assert [t.name for t in source.tables()] == ["orders"]
    source.close()
    assert problem_of(f"sqlite:///{path}#ordres").reason == "not-found"


def test_a_file_that_is_none_says_why(tmp_path: Path, path: Path) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "blob.db").write_bytes(b"\x93\x01\x02" * 1000)
    (tmp_path / "short.db").write_bytes(path.read_bytes()[:50])
    (tmp_path / "cut.db").write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    scrambled = bytearray(path.read_bytes())
    scrambled[100:5000] = b"\xaa" * 4900
    (tmp_path / "scrambled.db").write_bytes(scrambled)

    reasons = {
        name: problem_of(f"sqlite:///{tmp_path}/{name}").reason
        for name in ("nowhere.db", "empty.db", "blob.db", "short.db", "scrambled.db", "")
    }

    assert reasons == {
        "nowhere.db": "missing", "empty.db": "empty", "blob.db": "unreadable", "short.db": "truncated",
        "scrambled.db": "truncated", "": "unreadable",
    }  # fmt: skip
    assert problem_of(f"sqlite:///{tmp_path}/cut.db").reason in ("truncated", "unreachable")


def test_a_locked_file_says_so_in_time(tmp_path: Path) -> None:
    path = _made(tmp_path / "locked.db", "CREATE TABLE t (a int)")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        start = time.monotonic()

        problem = problem_of(f"sqlite:///{path}", seconds=1)

        assert problem.reason == "unreadable"
        assert "locked" in problem.message
        assert time.monotonic() - start < 4


def test_a_file_in_wal_mode_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wal.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (a int)")
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()

        source = opened(f"sqlite:///{path}")

        assert rows_of(source.capability, "SELECT a FROM t") == [{"a": 1}]
        source.close()


def test_thousands_of_tables_open_in_seconds(tmp_path: Path) -> None:
    path = _made(tmp_path / "many.db", *[f"CREATE TABLE t{i} (a int, b text)" for i in range(2000)])
    start = time.monotonic()

    source = opened(f"sqlite:///{path}")

    assert len(source.tables()) == 2000
    assert time.monotonic() - start < 5
    source.close()


def test_whole_numbers_named_like_a_time_are_read_as_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "unix.db")) as connection:
        connection.execute("CREATE TABLE orders (id integer, placed_on integer, code integer)")
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", [(i, 1_767_225_600 + i, 1_767_225_600 + i) for i in range(5)]
        )
        connection.commit()
    source = opened(f"sqlite:///{tmp_path}/unix.db")

    found = field_types(source, "orders")

    assert found == {"id": "int64", "placed_on": "timestamp[us]", "code": "int64"}
    source.close()


def test_fractions_and_first_values_late_in_a_big_table_are_seen(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "big.db")) as connection:
        connection.execute("CREATE TABLE big (id integer PRIMARY KEY, n numeric, late, odd int)")
        connection.executemany(
            "INSERT INTO big VALUES (?, ?, ?, ?)",
            [
                (i, 0.5 if i == 59_990 else i, "x" if i > 59_995 else None, "abc" if i == 59_991 else i)
                for i in range(1, 60_001)
            ],
        )
        connection.commit()
    source = opened(f"sqlite:///{tmp_path}/big.db")

    found = field_types(source, "big")
    counted = rows_of(source.capability, "SELECT count(*) AS n, sum(n) AS total FROM big WHERE late = 'x'")
    clean = source.completeness()
    rows_of(source.capability, "SELECT sum(odd) AS total FROM big")

    assert found == {"id": "int64", "n": "decimal128(18, 2)", "late": "string", "odd": "int64"}
    assert counted[0]["n"] == 5
    assert clean.state == "complete"
    assert (source.completeness().state, source.completeness().state) == ("incomplete", "complete")
    source.close()
