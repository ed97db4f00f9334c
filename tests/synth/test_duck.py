"""Tables in DuckDB: what the doors give, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from sandbox.broker import CallRefused
from synth.schema import Field, Table
from synth.sources.duck import DuckDoors, DuckSource, Rejects, doors_over, strided

ORDERS = Table("orders", (Field("id", "int64"), Field("total", "decimal128(8, 2)")))


def rows_of(doors: DuckDoors, sql: str, params: tuple[object, ...] = ()) -> list[dict[str, object]]:
    return [row for batch in doors.query(sql, params) for row in batch.to_pylist()]


def csv_source(folder: Path, lines: str) -> DuckSource:
    path = folder / "orders.csv"
    path.write_text(lines)
    doors = DuckDoors(path=path)
    doors.add_view(
        ORDERS,
        f"SELECT * FROM read_csv('{path}', "
        "columns={'id': 'BIGINT', 'total': 'DECIMAL(8,2)'}, header=true, delim=',', store_rejects=true)",
    )
    doors.allow(path)
    rejects = Rejects("SELECT line - 1, column_name || ': ' || error_type, csv_line FROM reject_errors")
    return DuckSource("orders", "csv", doors, tables=[ORDERS], rejects={"orders": rejects})


def test_sums_of_integers_stay_integers_and_money_stays_exact(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "id,total\n1,0.10\n2,0.20\n")

    assert rows_of(source.capability, "SELECT sum(id) AS ids, sum(total) AS total FROM orders") == [
        {"ids": 3, "total": Decimal("0.30")}
    ]


def test_no_other_file_can_be_read_once_the_paths_are_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    source = csv_source(tmp_path, "id,total\n1,0.10\n")

    with pytest.raises(CallRefused, match="disabled by configuration"):
        rows_of(source.capability, f"SELECT * FROM read_csv('{secret}')")
    assert rows_of(source.capability, "SELECT count(*) AS n FROM orders") == [{"n": 1}]


def test_a_row_that_breaks_its_type_is_set_aside_and_said(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "id,total\n1,0.10\nx,0.20\n3,0.30\n")

    total = rows_of(source.capability, "SELECT sum(id) AS ids FROM orders")
    completeness = source.completeness()

    assert total == [{"ids": 4}]
    assert (completeness.state, completeness.set_aside_count) == ("incomplete", 1)
    assert completeness.set_aside[0].value == "x,0.20"


def test_an_answer_over_clean_columns_is_complete_after_one_that_was_not(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "id,total\n1,0.10\nx,0.20\n3,0.30\n")
    rows_of(source.capability, "SELECT sum(id) AS ids FROM orders")
    source.completeness()

    total = rows_of(source.capability, "SELECT sum(total) AS total FROM orders")
    completeness = source.completeness()

    assert total == [{"total": Decimal("0.60")}]
    assert (completeness.state, completeness.set_aside_count) == ("complete", 0)


def test_a_result_that_opening_read_in_part_does_not_hold_up_the_source() -> None:
    doors = DuckDoors()
    doors.add_arrow(ORDERS, pa.table({"id": [1], "total": pa.array([Decimal("2.00")], pa.decimal128(8, 2))}))
    doors.connection.execute("SELECT count(*) FROM orders").fetchone()

    source = DuckSource("orders", "csv", doors, tables=[ORDERS])

    assert source.sample(10).b["orders"].num_rows == 1


def test_an_empty_answer_has_its_columns(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "id,total\n1,0.10\n")

    (batch,) = source.capability.query("SELECT id, total FROM orders WHERE id > 5")

    assert (batch.num_rows, batch.schema.names) == (0, ["id", "total"])


def test_a_small_table_is_judged_whole_and_written_with_a_part(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "id,total\n" + "".join(f"{i},1.00\n" for i in range(500)))

    sample = source.sample(100)

    assert (sample.a["orders"].num_rows, sample.b["orders"].num_rows, sample.whole) == (100, 500, frozenset({"orders"}))
    assert source.tables()[0].rows == 500


def test_other_rows_stand_behind_the_same_doors_in_the_sources_dialect() -> None:
    rows = pa.table({"id": [1, 2], "total": pa.array([Decimal("1.00"), Decimal("2.00")], pa.decimal128(8, 2))})

    doors = doors_over([ORDERS], {"orders": rows}, dialect="mysql")

    assert rows_of(doors, "SELECT `id` FROM `orders` WHERE `total` > ?", (Decimal("1.50"),)) == [{"id": 2}]


def test_strides_reach_both_ends() -> None:
    assert strided(pa.table({"n": list(range(100))}), 5)["n"].to_pylist() == [0, 25, 50, 74, 99]


def test_a_closure_may_ask_again_while_it_reads(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "id,total\n" + "".join(f"{i},1.00\n" for i in range(60_000)))

    outer = source.capability.query("SELECT id FROM orders")
    first = next(outer)
    inner = rows_of(source.capability, "SELECT count(*) AS n FROM orders")

    assert (inner, first.num_rows + sum(b.num_rows for b in outer)) == ([{"n": 60_000}], 60_000)


def test_a_process_that_opened_several_ends_quietly() -> None:
    code = "from synth.sources.duck import connect\nfor _ in range(4): connect().close()\n"

    ended = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60) for _ in range(5)]

    assert [(e.returncode, e.stderr) for e in ended] == [(0, "")] * 5
