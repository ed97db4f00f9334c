"""Tables in pages, also as people really write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from synth.errors import SourceProblem
from tests.synth.sources.reading import names_of, opened, rows_of, types_of


def page(tmp_path: Path, body: str | bytes, name: str = "page.html") -> Path:
    """A file of this content."""
    path = tmp_path / name
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return path


def test_a_table_is_typed_from_its_text(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        "<html><body><table><tr><th>Name</th><th>Price</th><th>Since</th></tr>"
        "<tr><td>Bolt</td><td>$1,234.50</td><td>2021-03-05</td></tr>"
        "<tr><td> <a href=x>Nut</a>&nbsp;</td><td>$2.00</td><td>2021-04-05</td></tr></table></body></html>",
    )

    source = opened(path, "html_file", "html")

    assert names_of(source) == ["page"]
    assert rows_of(source) == [
        {"Name": "Bolt", "Price": Decimal("1234.50"), "Since": date(2021, 3, 5)},
        {"Name": "Nut", "Price": Decimal("2.00"), "Since": date(2021, 4, 5)},
    ]


def test_spans_are_filled_and_headers_of_two_rows_joined(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        "<table><thead><tr><th rowspan=2>City</th><th colspan=2>People</th></tr><tr><th>2011</th><th>2021</th></tr></thead>"
        "<tr><td rowspan=2>Rome</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr>"
        "<tr><td>Oslo</td><td colspan=2>5</td></tr></table>",
    )

    source = opened(path, "html_file", "html")

    assert rows_of(source) == [
        {"City": "Rome", "People / 2011": 1, "People / 2021": 2},
        {"City": "Rome", "People / 2011": 3, "People / 2021": 4},
        {"City": "Oslo", "People / 2011": 5, "People / 2021": 5},
    ]


def test_tables_are_named_by_caption_id_or_heading_and_layout_is_left_out(tmp_path: Path) -> None:
    rows = "<tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr>"
    path = page(
        tmp_path,
        f"<table role=presentation><tr><td>menu</td><td>x</td></tr><tr><td>y</td><td>z</td></tr></table>"
        f"<table><tr><td><table><caption>Opening hours</caption>{rows}</table></td></tr></table>"
        f"<table id=staff>{rows}</table><h2>Price list</h2><p>as of today</p><table>{rows}</table>",
    )

    source = opened(path, "html_file", "html")

    assert names_of(source) == ["opening_hours", "staff", "price_list"]
    assert any("2 tables that only lay out" in note for note in source.notes)


def test_a_table_without_marked_headers_has_its_first_row_judged(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        "<table><tr><td>item</td><td>n</td></tr><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>",
    )

    source = opened(path, "html_file", "html")

    assert rows_of(source) == [{"item": "a", "n": 1}, {"item": "b", "n": 2}]


def test_names_on_the_left_make_one_record(tmp_path: Path) -> None:
    path = page(tmp_path, "<table><tr><th>Height</th><td>3</td></tr><tr><th>Width</th><td>4</td></tr></table>")

    source = opened(path, "html_file", "html")

    assert rows_of(source) == [{"Height": 3, "Width": 4}]


def test_broken_markup_footnotes_and_a_total_row_are_coped_with(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        "<table><tr><th>Country<th>People<sup>[1]</sup><tr><td>A<sup>[a]</sup><td>1,000<tr><td>B<td>2,500"
        "<tfoot><tr><td>Total<td>3,500</tfoot></table>",
    )

    source = opened(path, "html_file", "html")

    assert rows_of(source) == [{"Country": "A", "People": 1000}, {"Country": "B", "People": 2500}]
    assert any("Total 3,500" in note for note in source.notes)


def test_the_encoding_is_what_the_bytes_say(tmp_path: Path) -> None:
    body = "<meta charset=utf-8><table><tr><th>né</th><th>n</th></tr><tr><td>é</td><td>1</td></tr></table>"

    source = opened(page(tmp_path, body.encode("cp1252")), "html_file", "html")

    assert rows_of(source) == [{"né": "é", "n": 1}]


def test_definition_lists_stand_in_for_tables(tmp_path: Path) -> None:
    source = opened(page(tmp_path, "<dl><dt>Rain</dt><dd>3 mm</dd><dt>Sun</dt><dd>5 h</dd></dl>"), "html_file", "html")

    assert rows_of(source) == [{"term": "Rain", "definition": "3 mm"}, {"term": "Sun", "definition": "5 h"}]


def test_a_page_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem) as caught:
        opened(page(tmp_path, "<title>Sign in</title><form></form>"), "html_file", "html")

    assert caught.value.reason == "empty"
    assert "Sign in" in str(caught.value)


def test_a_huge_span_and_deep_nesting_cost_nothing(tmp_path: Path) -> None:
    body = (
        "<table><tr><th>a</th><th>b</th></tr><tr><td colspan=999999999 rowspan=999999999>1</td></tr></table>"
        + "<div>" * 5_000
    )

    source = opened(page(tmp_path, body), "html_file", "html")

    assert len(types_of(source)) <= 1_000
