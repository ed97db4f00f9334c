"""Workbooks as people lay them out."""

from __future__ import annotations

import base64
import random
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pytest
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]  # it has no types

from synth.errors import SourceProblem
from tests.synth.sources.reading import names_of, opened, rows_of, types_of


def book(tmp_path: Path, *fills: Callable[[Worksheet], None], names: tuple[str, ...] = ()) -> Path:
    """A workbook with one sheet for each function."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for i, fill in enumerate(fills):
        fill(workbook.create_sheet(names[i] if names else f"Sheet{i + 1}"))
    path = tmp_path / "book.xlsx"
    workbook.save(path)
    return path


def lines(*rows: list[object], top: int = 1, left: int = 1) -> Callable[[Worksheet], None]:
    """Rows of cells from a corner on."""

    def fill(sheet: Worksheet) -> None:
        for r, row in enumerate(rows, top):
            for c, value in enumerate(row, left):
                if value is not None:
                    sheet.cell(r, c, value)

    return fill


def test_a_plain_sheet_is_typed_and_money_stays_exact(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        lines(
            ["id", "name", "price", "at", "seen", "paid", "zip", "n"],
            [1, "a", 19.99, date(2024, 1, 2), datetime(2024, 1, 2, 3, 4), True, "01234", 0.1 + 0.2],
            [2, "b", 5, date(2024, 1, 3), datetime(2024, 1, 2, 3, 5), False, "00001", 1],
        ),
    )

    source = opened(path, "excel", "xlsx")

    assert names_of(source) == ["book"]
    assert types_of(source) == {
        "id": "int64",
        "name": "string",
        "price": "decimal128(18, 2)",
        "at": "date32[day]",
        "seen": "timestamp[us]",
        "paid": "bool",
        "zip": "string",
        "n": "decimal128(18, 1)",
    }
    assert rows_of(source)[0] == {
        "id": 1,
        "name": "a",
        "price": Decimal("19.99"),
        "at": date(2024, 1, 2),
        "seen": datetime(2024, 1, 2, 3, 4),
        "paid": True,
        "zip": "01234",
        "n": Decimal("0.3"),
    }
    assert source.tables()[0].primary_key == ("id",)


def test_titles_above_and_totals_below_are_told_apart_from_records(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        lines(
            ["Quarterly sales"],
            ["Created", date(2024, 3, 1)],
            [],
            ["Region", "Product", "Units", "Revenue"],
            ["North", "Bolt", 3, 30.5],
            ["North", "Nut", 1, 2.25],
            ["Subtotal North", None, 4, 32.75],
            ["South", "Bolt", 2, 20],
            ["Total", None, 6, 52.75],
            [],
            ["Source: the ledger"],
        ),
    )

    source = opened(path, "excel", "xlsx")

    assert rows_of(source) == [
        {"Region": "North", "Product": "Bolt", "Units": 3, "Revenue": Decimal("30.50")},
        {"Region": "North", "Product": "Nut", "Units": 1, "Revenue": Decimal("2.25")},
        {"Region": "South", "Product": "Bolt", "Units": 2, "Revenue": Decimal("20.00")},
    ]
    notes = " ".join(source.notes)
    assert "Subtotal North" in notes
    assert "Total 6" in notes
    assert "Source: the ledger" in notes
    assert "Quarterly sales" in notes


def test_merged_headers_of_two_rows_are_joined(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        lines(
            ["Report of the year"],
            ["Region", "Sales", None, "Cost", None],
            [None, 2021, 2022, 2021, 2022],
            ["North", 1, 2, 3, 4],
            ["South", 5, 6, 7, 8],
        )(sheet)
        for joined in ("A1:E1", "A2:A3", "B2:C2", "D2:E2"):
            sheet.merge_cells(joined)

    source = opened(book(tmp_path, fill), "excel", "xlsx")

    assert rows_of(source) == [
        {"Region": "North", "Sales / 2021": 1, "Sales / 2022": 2, "Cost / 2021": 3, "Cost / 2022": 4},
        {"Region": "South", "Sales / 2021": 5, "Sales / 2022": 6, "Cost / 2021": 7, "Cost / 2022": 8},
    ]


def test_merged_cells_in_the_body_hold_for_every_row(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        lines(["Region", "City", "N"], ["North", "A", 1], [None, "B", 2], ["South", "C", 3])(sheet)
        sheet.merge_cells("A2:A3")

    source = opened(book(tmp_path, fill), "excel", "xlsx")

    assert [row["Region"] for row in rows_of(source)] == ["North", "North", "South"]


def test_several_sheets_are_several_tables_and_a_hidden_one_is_said(tmp_path: Path) -> None:
    def hidden(sheet: Worksheet) -> None:
        lines(["k", "v"], ["x", 1], ["y", 2])(sheet)
        sheet.sheet_state = "hidden"

    path = book(
        tmp_path,
        hidden,
        lines(["Order Id", "Total"], [1, 2.5], [2, 3.5]),
        lines(),
        lines(["Name", "City"], ["Ann", "Rome"], ["Bob", "Oslo"]),
        names=("Lists", "Orders 2024", "Nothing", "Customers"),
    )

    source = opened(path, "excel", "xlsx")

    assert names_of(source) == ["orders_2024", "customers", "lists"]
    assert types_of(source, "orders_2024") == {"Order Id": "int64", "Total": "decimal128(18, 1)"}
    assert rows_of(source, "customers") == [{"Name": "Ann", "City": "Rome"}, {"Name": "Bob", "City": "Oslo"}]
    assert any("'Lists' is hidden" in note for note in source.notes)


def test_two_tables_one_below_the_other_are_two(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        lines(
            ["Product", "Price"], ["Bolt", 1.5], ["Nut", 2.5], [], ["Employee", "Salary"], ["Ann", 100], ["Bob", 200]
        ),
    )

    source = opened(path, "excel", "xlsx")

    assert [list(types_of(source, name)) for name in names_of(source)] == [["Product", "Price"], ["Employee", "Salary"]]
    assert rows_of(source, names_of(source)[1]) == [
        {"Employee": "Ann", "Salary": 100},
        {"Employee": "Bob", "Salary": 200},
    ]


def test_two_tables_side_by_side_are_two(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        lines(["Product", "Price"], ["Bolt", 1.5], ["Nut", 2.5], ["Cog", 3])(sheet)
        lines(["Person", "City", "Age"], ["Ann", "Rome", 30], ["Bob", "Oslo", 40], left=6)(sheet)

    source = opened(book(tmp_path, fill), "excel", "xlsx")

    assert sorted(len(rows_of(source, name)) for name in names_of(source)) == [2, 3]


def test_a_blank_line_inside_a_table_does_not_cut_it(tmp_path: Path) -> None:
    path = book(tmp_path, lines(["Day", "N"], ["Mo", 1], ["Tu", 2], [], ["We", 3], ["Th", 4]))

    source = opened(path, "excel", "xlsx")

    assert [row["N"] for row in rows_of(source)] == [1, 2, 3, 4]


def test_a_table_that_starts_in_the_middle_of_the_sheet_is_found(tmp_path: Path) -> None:
    source = opened(book(tmp_path, lines(["a", "b"], [1, "x"], [2, "y"], top=7, left=4)), "excel", "xlsx")

    assert rows_of(source) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_a_sheet_without_a_header_gets_names(tmp_path: Path) -> None:
    source = opened(book(tmp_path, lines([1, "x", 2.5], [2, "y", 3.5])), "excel", "xlsx")

    assert rows_of(source)[0] == {"column_1": 1, "column_2": "x", "column_3": Decimal("2.5")}


def test_a_table_of_words_keeps_its_header(tmp_path: Path) -> None:
    source = opened(book(tmp_path, lines(["name", "city"], ["Ann", "Rome"], ["Bob", "Rome"])), "excel", "xlsx")

    assert rows_of(source) == [{"name": "Ann", "city": "Rome"}, {"name": "Bob", "city": "Rome"}]


def test_names_that_are_missing_or_there_twice_are_made_unique(tmp_path: Path) -> None:
    source = opened(book(tmp_path, lines(["a", "A", None, "a"], [1, 2, 3, 4], [5, 6, 7, 8])), "excel", "xlsx")

    assert list(types_of(source)) == ["a", "A_2", "column_3", "a_3"]


def test_texts_that_hold_numbers_and_dates_are_read(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        lines(["amount", "day", "t"], ["$1,234.50", "05.03.2021", time(9, 30)], ["$2.00", "17.03.2021", time(10, 0)]),
    )

    source = opened(path, "excel", "xlsx")

    assert rows_of(source)[0] == {"amount": Decimal("1234.50"), "day": date(2021, 3, 5), "t": time(9, 30)}


def test_mixed_cells_stay_text_and_it_is_said(tmp_path: Path) -> None:
    source = opened(book(tmp_path, lines(["k", "v"], ["a", 1], ["b", "one"], ["c", 2.5])), "excel", "xlsx")

    assert [row["v"] for row in rows_of(source)] == ["1", "one", "2.5"]
    assert any("kept as text" in note for note in source.notes)


def test_formulas_that_were_never_calculated_are_said(tmp_path: Path) -> None:
    source = opened(book(tmp_path, lines(["a", "b"], [1, "=A2*2"], [2, "=A3*2"])), "excel", "xlsx")

    assert any("2 formula cells" in note for note in source.notes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "unreadable"),
        (b"<html><table>", "unreadable"),
        (b"PK\x03\x04" + b"x" * 99, "truncated"),
    ],
)
def test_what_is_no_workbook_is_said_so(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)

    with pytest.raises(SourceProblem) as caught:
        opened(path, "excel", "xlsx")

    assert caught.value.reason == reason


def test_a_workbook_cut_short_is_truncated_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    whole = book(tmp_path, lines(["a"], [1])).read_bytes()
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    bare = tmp_path / "bare"
    bare.mkdir()

    with pytest.raises(SourceProblem) as truncated:
        opened(cut, "excel", "xlsx")
    with pytest.raises(SourceProblem) as empty:
        opened(book(bare, lines()), "excel", "xlsx")

    assert truncated.value.reason == "truncated"
    assert empty.value.reason == "empty"


def cells(*values: object) -> str:
    """Cells of an OpenDocument row."""
    return "".join(
        f'<table:table-cell office:value-type="float" office:value="{v}"><text:p>{v}</text:p></table:table-cell>'
        if isinstance(v, int)
        else f'<table:table-cell office:value-type="string"><text:p>{v}</text:p></table:table-cell>'
        for v in values
    )


def test_an_opendocument_sheet_is_read(tmp_path: Path) -> None:
    content = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="Parts"><table:table-row>{cells("part", "n")}</table:table-row>'
        f"<table:table-row>{cells('bolt', 3)}</table:table-row><table:table-row>{cells('nut', 4)}</table:table-row>"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    path = tmp_path / "parts.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )

    source = opened(path, "excel", "ods")

    assert names_of(source) == ["parts"]
    assert rows_of(source) == [{"part": "bolt", "n": 3}, {"part": "nut", "n": 4}]


@pytest.mark.parametrize("far", ["XFD1048576", "Z1048576"])
def test_a_stray_cell_far_away_is_an_error_and_not_the_end_of_the_process(tmp_path: Path, far: str) -> None:
    def fill(sheet: Worksheet) -> None:
        lines(["a", "b"], [1, 2])(sheet)
        sheet[far] = "stray"

    with pytest.raises(SourceProblem) as caught:
        opened(book(tmp_path, fill), "excel", "xlsx")

    assert caught.value.reason == "too-large"


# A workbook of the older binary kind as xlwt 1.3 wrote it, compressed; the tests need no writer for so old a format.
OLD_WORKBOOK = (
    "eNrtWE1oE0EU/mY3SZPQnzS2QiuUULBqbaHViwhtqtT2lBK9+INQU5NDad2EIEI9aLXmKAieFC+FevBS9eIP/qA3D0JFD4IgtHrsSVD00GZ97+"
    "1sm9YKDWixsl+YNzNvZr552TdvZmffzNTOTt5vnMMqdMNE0Q4hUKJTlEJuJQJqt20uunmQku1hUyEUJEcG/HhS9bqCfcj+noOBe76XJIFPlE4i"
    "h4GslYltIA6KDSnFNnSRVLhFmmo0iFVRkadFbhF5V3o+Fdkjmqsiu6jvrDqBmfhA6z69io8ZzdJWDeZ9KGM+iKYT9XjFq/jiNeX09eNAfjg1us"
    "kamnyVmAI5tD9jZfJcr8FthIHjhPZEor23dxZ15OwpfLNjwFc3ql/EPP3G6hVI/2OlvuI3+iA5cbX+uuEDxmGfkiApcIj4nEBOZrK50cwCOngh"
    "SKIlPpymVit1JkPZUDZvmUAuNUYNVgeLThZ7wrzRy8YQWbExVEnAVJJMo0bKtRI2EbJs4c6Xt4mhZHxQNONyGDhHxna2EDYu8QgaXC0tviXZKi"
    "N2i7wsrNuk3CiyjtY05S3Jel3om5A+V6S1hebZK3gX31FS3knlwvzhR02Fz/FdVJ7unztfN/0+PolmOsLSNJ5/E2hTbermDcbjuJsrvb18FNnw"
    "y1YTNCLadlufizVY5OAi1Ip0avx01FLN0M/KqZlUMzWXWsV1wQiLbrm/Ei5+Vs/INkX6KJ7vdxlNYTHWYDGEJaBZHH/5NYshLOd6mOW7clnMNV"
    "hMYQlrFlNYAprFFJbWPmaZN5ml24jiAU9M2/AywvDgwYMHDx48ePDwT0A51wL94gd5PQzo6wJ/11mkVPQ+k/y3OIIs/c7SpfIQLMrzGCtr/WyF"
    "X7lcap1j3O+FjKM0ex4jGBI7Rspev3SRUaX/Z90DI38uhMqdv1iOnX95/p+sQt4d"
)


def test_an_old_binary_workbook_is_read(tmp_path: Path) -> None:
    path = tmp_path / "people.xls"
    path.write_bytes(zlib.decompress(base64.b64decode(OLD_WORKBOOK)))

    source = opened(path, "excel", "xls")

    assert names_of(source) == ["people"]
    assert rows_of(source)[2] == {"id": 2, "name": "n2", "born": date(2002, 1, 2), "pay": Decimal("2.50")}


@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_workbook_is_a_problem_or_is_read_but_never_ends_the_process(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    damaged = bytearray(zlib.decompress(base64.b64decode(OLD_WORKBOOK)))
    for _ in range(12):
        damaged[chance.randrange(512, len(damaged))] = chance.randrange(256)
    path = tmp_path / "people.xls"
    path.write_bytes(damaged)

    try:
        source = opened(path, "excel", "xls")
    except SourceProblem as problem:
        outcome = problem.reason
    else:
        outcome = "read"
        source.close()

    assert outcome in {"read", "unreadable", "empty", "truncated", "too-large", "authentication"}
