"""Text files too large to look through first: what breaks a type on the way is set aside, wherever it is read from."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from synth.opening import open_all
from synth.source import OpenOptions, Source
from synth.sources import delimited

ROWS = 30_000


@pytest.fixture(autouse=True)
def every_file_is_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "WHOLE_BYTES", 0)


def orders(path: Path, odd: int) -> Path:
    """A file whose row number `odd` has a word for an amount."""
    lines = (f"{i},{i % 5},{'oops' if i == odd else i % 7}" for i in range(ROWS))
    path.write_text("id,customer_id,amount\n" + "\n".join(lines) + "\n")
    return path


def total(odd: int) -> int:
    return sum(i % 7 for i in range(ROWS) if i != odd)


def rows_of(source: Source, sql: str) -> list[dict[str, Any]]:
    return [row for batch in cast(Any, source.capability).query(sql) for row in batch.to_pylist()]


def test_an_odd_row_is_set_aside_and_the_next_answer_over_clean_columns_is_complete(tmp_path: Path) -> None:
    source = open_all((str(orders(tmp_path / "orders.csv", 25_000)),), OpenOptions())
    source.sample(50)
    source.completeness()

    amounts = rows_of(source, "SELECT sum(amount) AS n FROM orders")
    first = source.completeness()
    ids = rows_of(source, "SELECT sum(id) AS n FROM orders")
    second = source.completeness()

    assert (amounts, first.state, first.set_aside_count) == ([{"n": total(25_000)}], "incomplete", 1)
    assert first.set_aside[0].position == 25_002
    assert (ids, second.state) == ([{"n": sum(range(ROWS))}], "complete")
    source.close()


def test_rows_set_aside_in_a_folder_are_counted_by_file(tmp_path: Path) -> None:
    orders(tmp_path / "orders_1.csv", 25_000)
    orders(tmp_path / "orders_2.csv", 26_000)
    source = open_all((str(tmp_path),), OpenOptions())
    (table,) = source.tables()

    amounts = rows_of(source, f'SELECT sum(amount) AS n FROM "{table.name}"')
    completeness = source.completeness()

    assert amounts == [{"n": total(25_000) + total(26_000)}]
    assert (completeness.state, completeness.set_aside_count) == ("incomplete", 2)
    assert {(a.position, a.rule.partition(" (")[2]) for a in completeness.set_aside} == {
        (25_002, "in orders_1.csv)"),
        (26_002, "in orders_2.csv)"),
    }
    source.close()


def test_rows_set_aside_in_one_of_several_sources_are_counted(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id,name\n" + "".join(f"{i},N{i}\n" for i in range(5)))
    orders(tmp_path / "orders.csv", 25_000)
    named = (f"orders={tmp_path}/orders.csv", f"customers={tmp_path}/customers.csv")
    source = open_all(named, OpenOptions())
    source.sample(50)
    source.completeness()

    sql = "SELECT sum(amount) AS n FROM orders JOIN customers ON customers.id = customer_id"
    amounts = rows_of(source, sql)
    completeness = source.completeness()

    assert amounts == [{"n": total(25_000)}]
    assert (completeness.state, completeness.set_aside_count) == ("incomplete", 1)
    source.close()


@pytest.mark.parametrize(
    ("kind", "late", "total"),
    [
        ("{0}", "1.5", "1.5"),
        ("{0}.25", "1.255", "1.255"),
        ("{0}", "12,499", None),
        ("{0}", "", "0"),
    ],
)
def test_a_late_value_is_exact_or_set_aside(tmp_path: Path, kind: str, late: str, total: str | None) -> None:
    usual = [kind.format(i % 7) for i in range(ROWS)]
    usual[25_000] = late
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n" + "".join(f'{i},"{text}"\n' for i, text in enumerate(usual)))
    source = open_all((str(path),), OpenOptions())
    source.sample(50)
    source.completeness()

    amounts = rows_of(source, "SELECT sum(amount) AS n FROM orders")
    told = source.completeness()

    rest = sum(Decimal(text) for i, text in enumerate(usual) if i != 25_000)
    assert Decimal(amounts[0]["n"]) == rest + Decimal(total or 0)
    assert told.set_aside_count == (total is None)
    if total is None:
        assert told.set_aside[0].rule == "amount is not a whole number"
    source.close()


def test_a_column_empty_but_for_its_last_rows_is_typed_by_them(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,late\n" + "".join(f"{i},{7 if i >= ROWS - 5 else ''}\n" for i in range(ROWS)))
    source = open_all((str(path),), OpenOptions())

    late = rows_of(source, "SELECT sum(late) AS n FROM orders")

    assert late == [{"n": 35}]
    source.close()


def test_a_row_of_too_many_cells_is_set_aside_in_words(tmp_path: Path) -> None:
    path = orders(tmp_path / "orders.csv", -1)
    path.write_text(path.read_text() + "1,2,3,4\n")
    source = open_all((str(path),), OpenOptions())

    rows_of(source, "SELECT sum(id) AS n, sum(amount) AS m FROM orders")
    told = source.completeness()

    assert told.set_aside_count == 1
    assert told.set_aside[0].rule == "has another number of cells than the 3 expected"
    source.close()
