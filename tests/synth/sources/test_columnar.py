"""Columnar files of the real writer, whole and broken."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from synth.errors import SourceProblem
from tests.synth.sources.reading import names_of, opened, rows_of, types_of


def orders(rows: int = 3) -> pa.Table:
    """Orders with an address inside and lines below."""
    return pa.table(
        {
            "id": pa.array(range(1, rows + 1), pa.int32()),
            "total": pa.array([Decimal(i) / 4 for i in range(rows)], pa.decimal128(10, 2)),
            "at": pa.array([datetime(2024, 1, 1) + timedelta(days=i) for i in range(rows)], pa.timestamp("ns")),
            "day": pa.array([date(2024, 1, 1)] * rows),
            "city": pa.array(["Rome"] * rows).dictionary_encode(),
            "address": [{"street": "x", "geo": {"lat": 1.5}}] * rows,
            "tags": [["a", "b"]] * rows,
            "lines": [[{"sku": "s", "n": i}] * (i % 3) for i in range(rows)],
            "nothing": pa.nulls(rows),
        }
    )


def write(tmp_path: Path, form: str, table: pa.Table) -> Path:
    """The table in a file of a format."""
    path = tmp_path / f"orders.{form}"
    match form:
        case "parquet":
            pq.write_table(table, path)
        case "arrow" | "feather":
            with pa.ipc.new_file(str(path), table.schema) as file:
                file.write_table(table)
        case "arrows":
            with pa.ipc.new_stream(str(path), table.schema) as stream:
                stream.write_table(table, max_chunksize=2)
        case "orc":
            orc.write_table(table, path)
    return path


@pytest.mark.parametrize("form", ["parquet", "arrow", "feather", "arrows"])
def test_structs_become_columns_and_lists_of_them_tables(tmp_path: Path, form: str) -> None:
    source = opened(write(tmp_path, form, orders()), "columnar", form)

    assert names_of(source) == ["orders", "orders_lines"]
    assert types_of(source, "orders") == {
        "id": "int32",
        "total": "decimal128(10, 2)",
        "at": "timestamp[us]",
        "day": "date32[day]",
        "city": "string",
        "address.street": "string",
        "address.geo.lat": "double",
        "tags": "list<item: string>",
        "nothing": "string",
    }
    assert rows_of(source, "orders")[1] == {
        "id": 2,
        "total": Decimal("0.25"),
        "at": datetime(2024, 1, 2),
        "day": date(2024, 1, 1),
        "city": "Rome",
        "address.street": "x",
        "address.geo.lat": 1.5,
        "tags": ["a", "b"],
        "nothing": None,
    }
    assert rows_of(source, "orders_lines") == [
        {"order_id": 2, "sku": "s", "n": 1},
        {"order_id": 3, "sku": "s", "n": 2},
        {"order_id": 3, "sku": "s", "n": 2},
    ]
    assert source.relations()[0].to_columns == ("id",)
    assert source.tables()[0].rows == 3


def test_orc_is_read(tmp_path: Path) -> None:
    table = orders().select(["id", "total", "day", "tags"])

    source = opened(write(tmp_path, "orc", table), "columnar", "orc")

    assert rows_of(source)[2] == {"id": 3, "total": Decimal("0.50"), "day": date(2024, 1, 1), "tags": ["a", "b"]}


def test_lists_hang_on_a_row_number_when_nothing_is_a_key(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 1], "lines": [[{"k": "a"}], [{"k": "b"}, {"k": "c"}]]})

    source = opened(write(tmp_path, "parquet", table), "columnar", "parquet")

    assert rows_of(source, "orders") == [{"n": 1, "_row": 1}, {"n": 1, "_row": 2}]
    assert [(r["order_row"], r["k"]) for r in rows_of(source, "orders_lines")] == [(1, "a"), (2, "b"), (2, "c")]


@pytest.mark.parametrize("form", ["parquet", "arrow", "orc", "arrows"])
def test_a_file_cut_short_is_said_to_be(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, form, orders(500).select(["id", "total", "day"]))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(SourceProblem) as caught:
        opened(path, "columnar", form)

    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"PAR1", "truncated"),
        (b"a,b\n1,2\n", "unreadable"),
        (b"PAR1" + b"x" * 99 + b"PAR1", "unreadable"),
    ],
)
def test_what_is_no_columnar_file_is_said_so(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)

    with pytest.raises(SourceProblem) as caught:
        opened(path, "columnar", "parquet")

    assert caught.value.reason == reason


def test_names_that_differ_by_case_and_odd_names_are_kept_apart(tmp_path: Path) -> None:
    table = pa.table({"id": [1], 'we"ird; DROP TABLE x': ["v"], "a.b": [2], "a": [{"b": 3}]})

    source = opened(write(tmp_path, "parquet", table), "columnar", "parquet")

    assert rows_of(source) == [{"id": 1, 'we"ird; DROP TABLE x': "v", "a.b": 2, "a.b_2": 3}]


def test_an_arrow_file_whose_offsets_point_astray_is_refused(tmp_path: Path) -> None:
    table = pa.table({"name": ["first", "second", "third"] * 50})
    path = write(tmp_path, "arrow", table)
    whole = path.read_bytes()
    offsets = (0).to_bytes(4, "little") + (5).to_bytes(4, "little") + (11).to_bytes(4, "little")
    at = whole.index(offsets)
    path.write_bytes(whole[: at + 4] + (2**30).to_bytes(4, "little") + whole[at + 8 :])

    with pytest.raises(SourceProblem) as caught:
        opened(path, "columnar", "arrow")

    assert caught.value.reason in ("unreadable", "truncated")
