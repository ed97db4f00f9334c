from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.opening import open_all
from synth.source import OpenOptions
from synth.sources.duck import DuckSource
from synth.sources.fixed_width import open_source, sniff

HEADED = (
    "id  name        amount  day\n"
    "1   Anna Smith    1.50  2021-01-05\n"
    "2   Bob           2.75  2021-01-06\n"
    "30  Cleo Maria  100.00  2021-02-07\n"
    "4   Dan           7.25  2021-02-08\n"
)


PROSE = (
    "Dear reader,\n\nthis is a letter of some length which has lines\nof many widths and no columns at all to be found,\n"
    "however long one looks at it.\nYours,\nA. Writer\nand one more line that goes on and on, for good measure.\n"
)


def opened(path: Path, text: str) -> DuckSource:
    path.write_text(text)
    source = open_source(str(path), Detection(str(path), "fixed-width", "delimited", 1.0), OpenOptions(name="t"))
    assert isinstance(source, DuckSource)
    return source


def rows_of(source: DuckSource) -> list[dict[str, object]]:
    return [row for batch in source.capability.query("SELECT * FROM t") for row in batch.to_pylist()]


def test_columns_are_found_by_their_blanks(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.fwf", HEADED)

    rows = rows_of(source)

    assert rows[2] == {"id": 30, "name": "Cleo Maria", "amount": Decimal("100.00"), "day": date(2021, 2, 7)}
    assert sniff(HEADED.encode(), "a")[0] > 0.7


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.fwf", HEADED.partition("\n")[2])

    assert [f.name for f in source.tables()[0].fields] == ["column_1", "column_2", "column_3", "column_4"]
    assert len(rows_of(source)) == 4


def test_a_ruled_header_and_a_count_below(tmp_path: Path) -> None:
    text = "Name       Age\n---------- ---\nAnna        30\nBob Lee      4\n\n(2 rows)\n"

    assert rows_of(opened(tmp_path / "a.txt", text)) == [{"Name": "Anna", "Age": 30}, {"Name": "Bob Lee", "Age": 4}]


def test_leading_zeros_stay(tmp_path: Path) -> None:
    text = "01234 Berlin     3.5\n10115 Hamburg    2.5\n00501 Bad Homb   1.5\n20095 Ulm        7.5\n"

    assert [row["column_1"] for row in rows_of(opened(tmp_path / "a.txt", text))] == [
        "01234",
        "10115",
        "00501",
        "20095",
    ]


def test_a_line_that_crosses_the_columns_is_set_aside(tmp_path: Path) -> None:
    body = "".join(f"{i:<6}{'name' + str(i):<12}{i * 1.5:>8.1f}\n" for i in range(300))
    source = opened(tmp_path / "a.txt", body + "something else entirely here, no row\n" + body)

    rows = rows_of(source)

    assert len(rows) == 600
    assert source.completeness().set_aside_count == 1


def test_prose_does_not_stand_in_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem):
        opened(tmp_path / "a.txt", PROSE)


WRITTEN = st.tuples(
    st.integers(0, 99_999), st.sampled_from(["Anna", "Bob Lee", "Cleo"]), st.decimals(0, 9_999, places=2)
)


@given(st.lists(WRITTEN, min_size=5, max_size=20))
@settings(max_examples=25, deadline=None)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, Decimal]]
) -> None:
    text = f"{'id':<8}{'name':<12}{'amount':>10}\n" + "".join(f"{i:<8}{n:<12}{a:>10}\n" for i, n, a in rows)
    source = opened(tmp_path_factory.mktemp("written") / "a.fwf", text)

    found = rows_of(source)
    source.close()

    assert [(row["id"], row["name"], row["amount"]) for row in found] == rows


def sqlcmd(count: int) -> str:
    rows = "".join(f"{i:<6} {'Paris':<9} {i}.50\n" for i in range(1, count + 1))
    return f"ID     CITY      AMOUNT\n------ --------- --------\n{rows}\n({count} rows affected)\n\nCompletion time: 2021-01-05\n"


@pytest.mark.parametrize("count", [3, 40, 30_000])
def test_what_sql_server_prints_is_a_table(tmp_path: Path, count: int) -> None:
    path = tmp_path / "t.txt"
    path.write_text(sqlcmd(count))
    source = open_all((str(path),), OpenOptions())
    assert isinstance(source, DuckSource)

    rows = rows_of(source)

    assert [row["ID"] for row in rows] == list(range(1, count + 1))
    assert rows[-1] == {"ID": count, "CITY": "Paris", "AMOUNT": Decimal(f"{count}.50")}
    assert source.completeness().state == "complete"


def test_pages_repeat_the_header(tmp_path: Path) -> None:
    head = "\n        ID CITY           AMOUNT\n---------- ---------- ----------\n"
    pages = [range(1, 15), range(15, 29), range(29, 33)]
    text = "".join(head + "".join(f"{i:>10} {'Paris':<10} {i + 0.5:>10}\n" for i in page) for page in pages)

    rows = rows_of(opened(tmp_path / "a.lst", text + "\n32 rows selected.\n"))

    assert rows == [{"ID": i, "CITY": "Paris", "AMOUNT": Decimal(f"{i}.5")} for i in range(1, 33)]
