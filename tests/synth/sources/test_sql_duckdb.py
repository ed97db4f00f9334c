"""DuckDB files, and several sources joined in one DuckDB."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import psycopg
import pytest

from synth.detection import UNKNOWN, Detection
from synth.schema import Field, Table
from synth.source import OpenOptions, Source
from synth.sources import duckdb_file
from synth.sources.duck import DuckDoors, DuckSource, Rejects
from synth.sources.federated import FederatedSource
from tests.services import Server
from tests.synth.sources.sql_help import field_types, opened, problem_of, refusal_of, rows_of, types_of

_SHOP = """
CREATE SCHEMA sales;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE customers (id integer PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer REFERENCES customers (id), total decimal(10, 2));
COMMENT ON TABLE orders IS 'what was bought';
COMMENT ON COLUMN orders.total IS 'in EUR';
CREATE TABLE kinds (t tinyint, i integer, h hugeint, f float, d double, n decimal(5, 1), b boolean, e mood, u uuid, j json, l integer[],
  m map(varchar, integer), s struct(a integer, b varchar), ts timestamp, tz timestamptz, ns timestamp_ns, span interval, raw blob);
INSERT INTO kinds VALUES (1, 2, 3, 0.5, 0.2, 1.5, true, 'high', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', [1, 2],
  map {'k': 1}, {'a': 1, 'b': 'x'}, '2021-03-01 10:20:30', '2021-03-01 10:20:30+02', '2021-03-01 10:20:30', interval 1 day, '\\x00'::blob);
CREATE TABLE sales.orders (n integer);
INSERT INTO sales.orders VALUES (7);
CREATE TABLE "we ird""; DROP TABLE orders; --" ("a b" integer, "select" varchar);
INSERT INTO "we ird""; DROP TABLE orders; --" VALUES (1, 'x');
INSERT INTO customers SELECT i, 'n' || i FROM range(1, 20001) t(i);
INSERT INTO orders SELECT i, 1 + i % 20000, i * 0.01 FROM range(1, 60001) t(i);
CREATE VIEW spending AS SELECT name, sum(total) AS spent FROM orders JOIN customers c ON c.id = customer_id GROUP BY 1;
CREATE TABLE gone (a integer);
CREATE VIEW broken AS SELECT * FROM gone;
DROP TABLE gone;
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a shop in it."""
    found = tmp_path_factory.mktemp("duckdb") / "shop.duckdb"
    with duckdb.connect(str(found)) as connection:
        connection.execute(_SHOP)
    return found


@pytest.fixture(scope="module")
def source(path: Path) -> Iterator[Source]:
    """The shop, open."""
    found = opened(f"duckdb:///{path}")
    yield found
    found.close()


def test_tables_keys_and_comments_come_from_the_catalogue(source: Source) -> None:
    tables = {t.name: t for t in source.tables()}

    assert set(tables) == {
        "customers", "orders", "kinds", "sales.orders", 'we ird"; DROP TABLE orders; --', "spending",
    }  # fmt: skip
    assert tables["orders"].primary_key == ("id",)
    assert tables["orders"].comment == "what was bought"
    assert tables["orders"].named("total").comment == "in EUR"
    assert [(r.table, r.columns, r.to_table, r.to_columns) for r in source.relations()] == [
        ("orders", ("customer_id",), "customers", ("id",))
    ]
    assert any("broken" in n for n in cast(Any, source).notes)


def test_every_type_comes_as_arrows_and_as_the_schema_says(source: Source) -> None:
    assert rows_of(source.capability, "SELECT * FROM kinds") == [{
        "t": 1, "i": 2, "h": 3, "f": 0.5, "d": 0.2, "n": Decimal("1.5"), "b": True, "e": "high",
        "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "j": '{"a": 1}', "l": [1, 2], "m": "{k=1}", "s": {"a": 1, "b": "x"},
        "ts": datetime(2021, 3, 1, 10, 20, 30), "tz": datetime(2021, 3, 1, 8, 20, 30, tzinfo=UTC),
        "ns": datetime(2021, 3, 1, 10, 20, 30), "span": "1 day", "raw": b"\x00",
    }]  # fmt: skip
    assert types_of(source.capability, "SELECT * FROM kinds") == field_types(source, "kinds")
    assert field_types(source, "kinds")["i"] == "int64"


@pytest.mark.parametrize("name", ["sales.orders", '"sales.orders"'])
def test_a_table_of_another_schema_goes_by_either_name(source: Source, name: str) -> None:
    assert rows_of(source.capability, f"SELECT n FROM {name}") == [{"n": 7}]
    assert rows_of(source.over(source.sample(5).b), f"SELECT n FROM {name}") == [{"n": 7}]


def test_samples_hold_together(source: Source) -> None:
    sample = source.sample(100)

    for part in (sample.a, sample.b):
        assert set(part["orders"].column("customer_id").to_pylist()) <= set(part["customers"].column("id").to_pylist())
    assert sample.b['we ird"; DROP TABLE orders; --'].to_pylist() == [{"a b": 1, "select": "x"}]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM tars_file.main.orders",
        "ATTACH '/tmp/tars-never.duckdb' AS other",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SET enable_external_access = true",
        "SELECT nope FROM orders",
    ],
)
def test_what_is_not_a_read_is_refused_by_the_engine(source: Source, sql: str) -> None:
    assert refusal_of(source.capability, sql).code == "bad-sql"
    assert rows_of(source.capability, "SELECT count(*) AS n FROM orders") == [{"n": 60_000}]


def test_an_address_narrows_to_a_schema_or_a_table(path: Path) -> None:
    with_schema = opened(f"duckdb:///{path}?schema=sales")
    with_table = duckdb_file.open_source(f"{path}#orders", Detection(str(path), UNKNOWN, "", 1.0), OpenOptions())

    assert rows_of(with_schema.capability, "SELECT n FROM orders") == [{"n": 7}]
    assert [t.name for t in with_table.tables()] == ["orders"]
    assert problem_of(f"duckdb:///{path}#ordres").reason == "not-found"
    with_schema.close()
    with_table.close()


def test_a_file_that_is_none_says_why(tmp_path: Path, path: Path) -> None:
    (tmp_path / "empty.duckdb").touch()
    (tmp_path / "blob.duckdb").write_bytes(b"\x93\x01\x02" * 10_000)
    (tmp_path / "cut.duckdb").write_bytes(path.read_bytes()[:10_000])
    scrambled = bytearray(path.read_bytes())
    scrambled[4096:20_000] = b"\xaa" * (20_000 - 4096)
    (tmp_path / "scrambled.duckdb").write_bytes(scrambled)

    reasons = {
        name: problem_of(f"duckdb:///{tmp_path}/{name}").reason
        for name in ("nowhere.duckdb", "empty.duckdb", "blob.duckdb", "cut.duckdb", "scrambled.duckdb", "")
    }

    assert reasons == {
        "nowhere.duckdb": "missing", "empty.duckdb": "empty", "blob.duckdb": "unreadable", "cut.duckdb": "truncated",
        "scrambled.duckdb": "truncated", "": "unreadable",
    }  # fmt: skip


def _csv_source(path: Path, rejects: bool = False) -> DuckSource:
    """A file behind a view, as the connectors of files make it."""
    doors = DuckDoors("duckdb", path)
    table = Table("orders", (Field("id", "int64"), Field("customer", "int64"), Field("total", "decimal128(10, 2)")))
    columns = "{'id': 'BIGINT', 'customer': 'BIGINT', 'total': 'DECIMAL(10,2)'}"
    doors.add_view(table, f"SELECT * FROM read_csv('{path}', header = true, columns = {columns})")
    doors.allow(path)
    found = {"orders": Rejects("SELECT 3, 'total is not a number', 'x'")} if rejects else {}
    return DuckSource("files", "csv", doors, tables=[table], rejects=found)


@pytest.fixture
def csv_path(tmp_path: Path) -> Path:
    """Orders in a compressed file."""
    path = tmp_path / "orders.csv.gz"
    with gzip.open(path, "wt") as out:
        out.write("id,customer,total\n" + "".join(f"{i},{i % 3},{i}.50\n" for i in range(1, 101)))
    return path


@pytest.fixture
def lite(tmp_path: Path) -> Source:
    """Customers in SQLite, and orders of its own."""
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE customers (id integer PRIMARY KEY, name text, joined date);"
            "CREATE TABLE orders (id integer PRIMARY KEY, customer int REFERENCES customers);"
            "INSERT INTO customers VALUES (0, 'Ada', '2021-01-01'), (1, 'Bo', '2021-01-02'), (2, 'Cy', NULL);"
            "INSERT INTO orders VALUES (1, 0), (2, 1);"
        )
    return opened(f"sqlite:///{path}")


def test_a_file_and_a_database_are_joined(csv_path: Path, lite: Source) -> None:
    source = FederatedSource({"files": cast(Source, _csv_source(csv_path)), "crm": lite})

    rows = rows_of(
        source.capability,
        "SELECT c.name, sum(o.total) AS spent, min(c.joined) AS since FROM files_orders o JOIN customers c ON c.id = o.customer"
        " WHERE o.id > ? GROUP BY 1 ORDER BY 1",
        [10],
    )

    assert [r["name"] for r in rows] == ["Ada", "Bo", "Cy"]
    assert sum(r["spent"] for r in rows) == sum(Decimal(f"{i}.50") for i in range(11, 101))
    assert rows[0]["since"].isoformat() == "2021-01-01"
    assert {t.name for t in source.tables()} == {"files_orders", "customers", "crm_orders"}
    assert [(r.table, r.to_table) for r in source.relations()] == [("crm_orders", "customers")]
    assert source.completeness().state == "complete"
    source.close()


def test_only_what_a_query_names_is_copied_and_files_never_are(csv_path: Path, lite: Source) -> None:
    source = FederatedSource({"files": cast(Source, _csv_source(csv_path)), "crm": lite})
    doors = cast(Any, source.capability)

    assert doors._waiting == {"customers", "crm_orders"}
    rows_of(doors, "SELECT count(*) FROM customers, files_orders")
    assert doors._waiting == {"crm_orders"}
    source.close()
    assert not doors._folder.exists()


def test_samples_and_their_doors_go_by_the_new_names(csv_path: Path, lite: Source) -> None:
    source = FederatedSource({"files": cast(Source, _csv_source(csv_path)), "crm": lite})

    sample = source.sample(10)

    assert set(sample.b) == {"files_orders", "customers", "crm_orders"} == sample.whole
    sql = "SELECT count(*) AS n FROM files_orders JOIN customers c ON c.id = customer"
    assert rows_of(source.over(sample.b), sql) == rows_of(source.capability, sql) == [{"n": 100}]
    source.close()


def test_rows_set_aside_by_a_source_are_told_under_the_new_name(csv_path: Path, lite: Source) -> None:
    source = FederatedSource({"files": cast(Source, _csv_source(csv_path, rejects=True)), "crm": lite})

    rows_of(source.capability, "SELECT count(*) FROM customers")
    assert source.completeness().state == "complete"
    rows_of(source.capability, "SELECT count(*) FROM files_orders")
    told = source.completeness()

    assert (told.state, told.set_aside_count) == ("incomplete", 1)
    assert told.set_aside[0].table == "files_orders"
    source.close()


def test_a_table_that_was_cut_is_called_incomplete(lite: Source, csv_path: Path) -> None:
    source = FederatedSource({"files": cast(Source, _csv_source(csv_path)), "crm": lite}, most_rows=2)

    assert rows_of(source.capability, "SELECT count(*) AS n FROM customers") == [{"n": 2}]
    assert source.completeness().state == "incomplete"
    assert "customers" in source.completeness().reason
    source.close()


def test_no_path_can_be_read_and_no_source_written(csv_path: Path, lite: Source) -> None:
    source = FederatedSource({"files": cast(Source, _csv_source(csv_path)), "crm": lite})

    for sql in (
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY customers TO '/tmp/tars-never.csv'",
        "SELECT * FROM nowhere",
    ):
        assert refusal_of(source.capability, sql).code == "bad-sql"
    source.close()


def test_a_server_and_a_duckdb_file_are_joined(postgres: Server, path: Path) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(
            "CREATE SCHEMA web; CREATE TABLE web.visits (customer int, moment timestamptz, spent numeric(8, 2))"
        )
        admin.execute("INSERT INTO web.visits VALUES (1, '2021-01-01 10:00+00', 1.5), (2, NULL, NULL)")
    source = FederatedSource({"web": opened(postgres.url()), "shop": opened(f"duckdb:///{path}")})

    rows = rows_of(
        source.capability,
        "SELECT c.name, v.moment, v.spent FROM web_visits v JOIN customers c ON c.id = v.customer ORDER BY 1",
    )

    assert rows == [
        {"name": "n1", "moment": datetime(2021, 1, 1, 10, tzinfo=UTC), "spent": Decimal("1.50")},
        {"name": "n2", "moment": None, "spent": None},
    ]
    source.close()


def test_a_locked_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "held.duckdb"
    script = f"import duckdb; c = duckdb.connect({str(path)!r}); c.execute('CREATE TABLE t (a int)'); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"

        problem = problem_of(f"duckdb:///{path}")

        other.communicate(b"\n")
    assert problem.reason == "unreadable"
    assert "locked" in problem.message


def test_a_file_is_opened_twice_at_once(path: Path) -> None:
    one, two = opened(f"duckdb:///{path}"), opened(f"duckdb:///{path}")

    for each in (one, two):
        assert rows_of(each.capability, "SELECT count(*) AS n FROM orders") == [{"n": 60_000}]
        each.close()
