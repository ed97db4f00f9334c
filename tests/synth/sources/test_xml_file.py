"""XML in many shapes, and what is refused of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from synth.errors import SourceProblem
from synth.sources import spool, xml_file
from tests.synth.sources.reading import names_of, opened, rows_of, types_of


def put(tmp_path: Path, content: str | bytes, name: str = "shop.xml") -> Path:
    """A file of this content."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_repeated_elements_are_records_with_attributes_and_children(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "<shop currency='EUR'><orders><order id='1'><customer>A &amp; B</customer><price currency='EUR'>19.90</price>"
        "<day>2024-01-05</day><lines><line sku='a'><qty>2</qty></line><line sku='b'><qty>1</qty></line></lines></order>"
        "<order id='2'><customer/><price currency='USD'>5</price><day>2024-01-06</day>"
        "<lines><line sku='c'><qty>1</qty></line></lines></order></orders></shop>",
    )

    source = opened(path, "xml_file", "xml")

    assert names_of(source) == ["orders", "orders_lines"]
    assert rows_of(source, "orders") == [
        {"id": 1, "customer": "A & B", "price": Decimal("19.90"), "price.currency": "EUR", "day": date(2024, 1, 5)},
        {"id": 2, "customer": None, "price": Decimal("5.00"), "price.currency": "USD", "day": date(2024, 1, 6)},
    ]
    assert rows_of(source, "orders_lines") == [
        {"order_id": 1, "sku": "a", "qty": 2},
        {"order_id": 1, "sku": "b", "qty": 1},
        {"order_id": 2, "sku": "c", "qty": 1},
    ]
    assert "shop.currency = EUR" in " ".join(source.notes)


def test_names_of_two_namespaces_are_kept_apart_and_lists_of_text_stay_lists(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/'><channel><title>News</title><image><url>u</url></image>"
        "<item><title>A</title><dc:title>B</dc:title><category>x</category><category>y</category>"
        "<pubDate>Mon, 05 Feb 2024 10:00:00 GMT</pubDate></item>"
        "<item><title>C</title><category>z</category><pubDate>Tue, 06 Feb 2024 10:00:00 GMT</pubDate></item>"
        "</channel></rss>",
        "feed.rss",
    )

    source = opened(path, "xml_file", "rss")

    assert names_of(source) == ["feed"]
    assert rows_of(source)[0] == {
        "title": "A",
        "dc_title": "B",
        "category": ["x", "y"],
        "pubDate": datetime(2024, 2, 5, 10, tzinfo=UTC),
    }
    assert rows_of(source)[1]["category"] == ["z"]


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("<o><order id='1'><a>1</a><b>2</b></order></o>", {"order": ["id", "a", "b"]}),
        ("<l><url>a</url><url>b</url></l>", {"url": ["value"]}),
        (
            "<l><book><t>x</t><y>1</y></book><book><t>z</t><y>2</y></book><cd><t>c</t><y>3</y><who>q</who></cd></l>",
            {"book": ["t", "y"], "cd": ["t", "y", "who"]},
        ),
        (
            "<invoice id='7'><day>2024-01-02</day><customer>X</customer><line><n>1</n></line><line><n>2</n></line></invoice>",
            {"invoice": ["id", "day", "customer"], "invoice_line": ["invoice_id", "n"]},
        ),
        ("<a><r id='5'><id>6</id></r><r id='7'><id>8</id></r></a>", {"r": ["@id", "id"]}),
        ("<a><r><t>some <b>bold</b> words</t></r><r><t>plain</t></r></a>", {"r": ["t.value", "t.b"]}),
        (
            "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><r><n i:nil='true'/><m>1</m></r><r><n>2</n><m>3</m></r></a>",
            {"r": ["n", "m"]},
        ),
        ("<d><row a='1' b='x'/><row a='2' b='y'/></d>", {"shop": ["a", "b"]}),
    ],
)
def test_records_are_found_wherever_they_stand(tmp_path: Path, text: str, tables: dict[str, list[str]]) -> None:
    source = opened(put(tmp_path, text), "xml_file", "xml")

    assert {name: list(types_of(source, name)) for name in names_of(source)} == tables


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_the_declared_encoding_counts(tmp_path: Path, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?><a><r><n>café</n></r><r><n>b</n></r></a>"

    source = opened(put(tmp_path, text.encode(encoding)), "xml_file", "xml")

    assert rows_of(source)[0] == {"n": "café"}


@pytest.mark.parametrize(
    ("content", "reason", "word"),
    [
        (b"", "empty", "empty"),
        (b"<a/>", "empty", "no records"),
        (b"<a><b>1</b><b>2", "truncated", "ends in the middle"),
        (b"<a><b>1</b><b x='", "truncated", "ends in the middle"),
        (b"<a><b>1</c></a>", "unreadable", "well-formed"),
        (b"<a>&nbsp;</a>", "unreadable", "well-formed"),
        (b"<a><b>\xff\xfe</b></a>", "unreadable", "well-formed"),
        (b"<!DOCTYPE html><html><body><p>x</body></html>", "unreadable", "HTML"),
        (b"a,b\n1,2\n", "unreadable", "not XML"),
        (b"<a>" * 3_000 + b"</a>" * 3_000, "unreadable", "depth"),
        (b"<!DOCTYPE a [<!ENTITY e 'x'>]><a><b>&e;</b><b>y</b></a>", "unreadable", "entities"),
        (b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a><b>&e;</b><b>y</b></a>", "unreadable", "entities"),
        (
            b"<!DOCTYPE z [<!ENTITY a 'aaaaaaaaaa'>"
            + b"".join(b"<!ENTITY b%d '%s'>" % (i, b"&a;" * 10) for i in range(9))
            + b"]><z>&b8;</z>",
            "unreadable",
            "entities",
        ),
    ],
)
def test_bad_input_is_a_problem_with_a_reason(tmp_path: Path, content: bytes, reason: str, word: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        opened(put(tmp_path, content), "xml_file", "xml")

    assert caught.value.reason == reason
    assert word in str(caught.value)


def test_a_doctype_is_never_fetched(tmp_path: Path) -> None:
    (tmp_path / "x.dtd").write_text("<!ENTITY e 'fetched'>")
    text = f"<!DOCTYPE a SYSTEM '{tmp_path}/x.dtd'><a><b><c>1</c></b><b><c>2</c></b></a>"

    source = opened(put(tmp_path, text), "xml_file", "xml")

    assert rows_of(source) == [{"c": 1}, {"c": 2}]


def test_what_lxml_writes_is_read_back_also_past_the_outline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_file, "OUTLINE_ELEMENTS", 100)
    monkeypatch.setattr(spool, "MEMORY_BYTES", 5_000)
    root = etree.Element("things")
    for i in range(2_000):
        thing = etree.SubElement(root, "thing", number=str(i))
        etree.SubElement(thing, "name").text = f"<{i}> & more"
        if i > 1_000:
            etree.SubElement(thing, "late").text = str(i)
    path = put(tmp_path, etree.tostring(root, xml_declaration=True, encoding="utf-8"))

    source = opened(path, "xml_file", "xml")

    rows = rows_of(source)
    assert [row["number"] for row in rows] == list(range(2_000))
    assert rows[7]["name"] == "<7> & more"
    assert [row["late"] for row in rows[1_000:1_002]] == [None, 1_001]
