"""JSON in many shapes: what is found in it, how exactly, and what is said when it is broken."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.errors import SourceProblem
from synth.opening import open_all
from synth.source import OpenOptions
from synth.sources import json_file, spool
from synth.sources.duck import DuckSource
from synth.sources.json_file import find_records, outline_of, relaxed
from tests.synth.sources.reading import names_of, opened, rows_of, types_of


def put(tmp_path: Path, content: object, name: str = "shop.json") -> Path:
    """A file with this content: bytes and text as they are, else as JSON."""
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_list_of_objects_is_a_table_with_exact_types(tmp_path: Path) -> None:
    text = """[
      {"id": 1, "name": "a", "price": 19.90, "big": 12345678901234567890, "f": 1.5e3, "ok": true, "zip": "01234",
       "day": "2024-01-05", "customer": {"city": "Rome", "geo": {"lat": 1.5}}, "tags": ["x", "y"], "none": null},
      {"id": 2, "name": null, "price": 5, "big": 1, "f": 2, "ok": false, "zip": "00001",
       "day": "2024-01-06", "customer": null, "tags": [], "none": null}
    ]"""

    source = opened(put(tmp_path, text), "json_file", "json")

    assert types_of(source) == {
        "id": "int64",
        "name": "string",
        "price": "decimal128(18, 2)",
        "big": "decimal128(38, 0)",
        "f": "double",
        "ok": "bool",
        "zip": "string",
        "day": "date32[day]",
        "customer.city": "string",
        "customer.geo.lat": "decimal128(18, 1)",
        "tags": "list<item: string>",
        "none": "string",
    }
    first, second = rows_of(source)
    assert first["price"] == Decimal("19.90")
    assert first["big"] == 12345678901234567890
    assert first["day"] == date(2024, 1, 5)
    assert first["customer.city"] == "Rome"
    assert second["tags"] == []
    assert second["customer.city"] is None
    assert source.tables()[0].primary_key == ("id",)
    assert source.facts["format"] == "json"


def test_lines_that_are_broken_are_set_aside_by_their_number(tmp_path: Path) -> None:
    text = b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2}\nbroken\n{"a": "caf\xe9"}\n{"a": 3, "b": {"c": "x"}}\n{"a": 4'

    source = opened(put(tmp_path, text, "log.ndjson"), "json_file", "ndjson")

    assert [row["a"] for row in rows_of(source)] == [1, 2, 3]
    told = source.completeness()
    assert told.state == "incomplete"
    assert [(s.position, s.value) for s in told.set_aside][:1] == [(4, "broken")]
    assert [s.position for s in told.set_aside] == [4, 5, 7]
    assert told.set_aside_count == 3
    assert any("cut short" in note for note in source.notes)


@pytest.mark.parametrize(
    ("document", "tables"),
    [
        ({"meta": {"n": 2}, "data": {"orders": [{"id": 1}, {"id": 2}]}}, {"orders": ["id"]}),
        ({"results": [{"id": 1}], "next": None}, {"shop": ["id"]}),
        (
            {"users": [{"id": 1, "n": "a"}], "orders": [{"id": 1, "t": 2}]},
            {"users": ["id", "n"], "orders": ["id", "t"]},
        ),
        ({"users": {"u101": {"n": "a"}, "u102": {"n": "b"}}}, {"users": ["key", "n"]}),
        ({"2021": {"Jan": 1, "Feb": 2}, "2022": {"Jan": 3, "Feb": 4}}, {"shop": ["key", "Jan", "Feb"]}),
        ({"Rome": [{"t": 1}], "Oslo": [{"t": 2}], "Bonn": [{"t": 3}]}, {"shop": ["key", "t"]}),
        ({"base": "EUR", "rates": {f"X{chr(65 + i)}Z": i / 7 for i in range(25)}}, {"rates": ["key", "value"]}),
        ({"a": [1, 2, 3], "b": ["x", "y", "z"]}, {"shop": ["a", "b"]}),
        ({"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}, {"shop": ["a", "b"]}),
        ({"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, "y"]]}, {"shop": ["a", "b"]}),
        ({"fields": [{"name": "a"}, {"name": "b"}], "rows": [[1, "x"]]}, {"shop": ["a", "b"]}),
        ([["a", "b"], [1, "x"], [2, "y"]], {"shop": ["a", "b"]}),
        ([[1, "x"], [2, "y"]], {"shop": ["column_1", "column_2"]}),
        ([1, 2, 3], {"shop": ["value"]}),
        ({"name": "x", "size": 3}, {"shop": ["name", "size"]}),
        (
            {"id": 5, "customer": "x", "lines": [{"sku": "a"}, {"sku": "b"}]},
            {"shop": ["id", "customer"], "shop_lines": ["shop_id", "sku"]},
        ),
        ({"data": [{"id": 1}, {"id": 2}], "errors": [], "links": [{"rel": "self"}]}, {"shop": ["id"]}),
        ({"hits": {"total": 1, "hits": [{"_id": "a", "_source": {"x": 1}}]}}, {"shop": ["_id", "_source.x"]}),
    ],
)
def test_records_are_found_wherever_they_stand(tmp_path: Path, document: object, tables: dict[str, list[str]]) -> None:
    source = opened(put(tmp_path, document), "json_file", "json")

    assert {name: list(types_of(source, name)) for name in names_of(source)} == tables


def test_what_stands_beside_the_records_is_said(tmp_path: Path) -> None:
    source = opened(put(tmp_path, {"currency": "EUR", "items": [{"id": 1}]}), "json_file", "json")

    assert 'currency = "EUR"' in " ".join(source.notes)


def test_lists_of_objects_become_tables_that_point_back(tmp_path: Path) -> None:
    document = [
        {
            "id": 7,
            "lines": [{"sku": "a", "n": 2, "lots": [{"lot": "p"}, {"lot": "q"}]}, {"sku": "b", "n": 1, "lots": []}],
        },
        {"id": 8, "lines": []},
        {"id": 9, "lines": [{"sku": "a", "n": 5, "lots": [{"lot": "r"}]}]},
    ]

    source = opened(put(tmp_path, document, "orders.json"), "json_file", "json")

    assert names_of(source) == ["orders", "orders_lines", "orders_lines_lots"]
    assert [(r["order_id"], r["sku"], r["n"]) for r in rows_of(source, "orders_lines")] == [
        (7, "a", 2),
        (7, "b", 1),
        (9, "a", 5),
    ]
    joined = source.capability.query(
        "SELECT o.id, t.lot FROM orders_lines_lots t JOIN orders_lines l ON t.orders_line_row = l._row "
        "JOIN orders o ON o.id = l.order_id ORDER BY ALL"
    )
    assert [tuple(r.values()) for b in joined for r in b.to_pylist()] == [(7, "p"), (7, "q"), (9, "r")]
    assert {(r.table, r.to_table) for r in source.relations()} == {
        ("orders_lines", "orders"),
        ("orders_lines_lots", "orders_lines"),
    }


def test_a_key_that_lines_carry_themselves_is_not_given_twice(tmp_path: Path) -> None:
    document = [{"id": i, "lines": [{"order_id": i, "n": 1}, {"order_id": i, "n": 2}]} for i in (7, 8)]

    source = opened(put(tmp_path, document, "orders.json"), "json_file", "json")

    assert types_of(source, "orders_lines") == {"order_id": "int64", "n": "int64"}
    assert source.relations()[0].columns == ("order_id",)


def test_objects_with_data_for_keys_become_rows_not_ten_thousand_columns(tmp_path: Path) -> None:
    document = [{"id": i, "votes": {f"user-{i}-{j}": j for j in range(40)}} for i in range(250)]

    source = opened(put(tmp_path, document), "json_file", "json")

    assert types_of(source, "shop") == {"id": "int64"}
    assert types_of(source, "shop_votes") == {"shop_id": "int64", "key": "string", "value": "int64"}
    assert len(rows_of(source, "shop_votes")) == 10_000


def test_mixed_values_stay_text_and_it_is_said(tmp_path: Path) -> None:
    source = opened(put(tmp_path, [{"v": 1}, {"v": "one"}, {"v": True}, {"v": [1, 2]}]), "json_file", "json")

    assert [row["v"] for row in rows_of(source)] == ["1", "one", "true", "[1,2]"]
    assert any("kept as text" in note for note in source.notes)


def test_an_object_in_one_record_and_a_text_in_another_lose_nothing(tmp_path: Path) -> None:
    source = opened(put(tmp_path, [{"c": "Rome"}, {"c": {"city": "Oslo"}}]), "json_file", "json")

    assert rows_of(source) == [{"c": "Rome", "c.city": None}, {"c": None, "c.city": "Oslo"}]


def test_few_values_that_break_a_texts_type_are_set_aside(tmp_path: Path) -> None:
    document = [{"id": i, "at": f"2024-01-{i % 28 + 1:02}"} for i in range(200)]
    document[150]["at"] = "soon"

    source = opened(put(tmp_path, document), "json_file", "json")

    assert types_of(source)["at"] == "date32[day]"
    assert len(rows_of(source)) == 199
    told = source.completeness()
    assert [(s.position, s.value) for s in told.set_aside] == [(151, "soon")]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('[{"a": 1, "a": 2}]', {"a": 1, "a_2": 2}),
        ('[{"a": NaN, "b": 1}]', {"a": None, "b": 1}),
        ('[{"a": Infinity}]', {"a": float("inf")}),
        ('{"a": 1} {"a": 2}', {"a": 1}),
        ('/* c */ [{"a": 1,}, /* d */ ]', {"a": 1}),
        ('cb([{"a": 1}]);', {"a": 1}),
        (')]}\',\n[{"a": 1}]', {"a": 1}),
        ('[{"": 1, "A": 2, "a": 3}]', {"column_1": 1, "A": 2, "a_2": 3}),
        ('[{"a": "\\ud800x"}]', {"a": "\ufffdx"}),
        ('[{"a": "x\ty"}]', {"a": "x\ty"}),
        ('[{"a.b": 1, "a": {"b": 2}}]', {"a.b": 1, "a.b_2": 2}),
        ('[{"DROP TABLE x; --": "\'; DROP TABLE y"}]', {"DROP TABLE x; --": "'; DROP TABLE y"}),
    ],
)
def test_what_writers_really_write_is_read(tmp_path: Path, text: str, values: dict[str, object]) -> None:
    source = opened(put(tmp_path, text), "json_file", "json")

    assert rows_of(source)[0] == values


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    source = opened(put(tmp_path, '[{"a": "café"}]'.encode(encoding)), "json_file", "json")

    assert rows_of(source) == [{"a": "café"}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"[]", "empty"),
        (b"{}", "empty"),
        (b"null", "empty"),
        (b'[{"a": 1}, {"a":', "truncated"),
        (b'[{"a": 1}, {"a": "xy', "truncated"),
        (b'{"data": [{"a": 1}', "truncated"),
        (b'[{"a": 1} {"a": 2}]', "not-json"),
        (b'[{"a": 1}, {a: 2}]', "not-json"),
        (b"<html><title>Login</title></html>", "not-json"),
        (b"a,b\n1,2\n", "not-json"),
        (b"\x00\x01\x02binary", "not-json"),
        (b"[" * 200_000, "unreadable"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "unreadable"),
        (b"[1" + b"0" * 5_000 + b"]", "not-json"),
    ],
)
def test_bad_input_is_a_problem_with_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        opened(put(tmp_path, content), "json_file", "json")

    assert caught.value.reason == reason
    assert len(str(caught.value)) < 600


def test_lines_longer_than_a_head_are_lines_all_the_same(tmp_path: Path) -> None:
    rows = [{"id": i, "inner": [{"k": "x" * 100, "n": j} for j in range(1_000)]} for i in range(3)]

    source = opened(put(tmp_path, "\n".join(map(json.dumps, rows)), "x.jsonl"), "json_file", "ndjson")

    assert names_of(source) == ["x", "x_inner"]
    assert [r["id"] for r in rows_of(source, "x")] == [0, 1, 2]
    assert len(rows_of(source, "x_inner")) == 3_000


def test_a_line_without_end_is_set_aside_and_the_next_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "VALUE_CHARACTERS", 1_000)
    text = '{"id": 1}\n{"id": 2, "v": "' + "x" * 5_500 + '"}\n{"id": 3}\n'

    source = opened(put(tmp_path, text, "x.jsonl"), "json_file", "ndjson")

    assert [r["id"] for r in rows_of(source)] == [1, 3]
    assert [s.position for s in source.completeness().set_aside] == [2]


def test_a_missing_file_and_a_directory_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem) as missing:
        opened(tmp_path / "no.json", "json_file", "json")
    with pytest.raises(SourceProblem) as folder:
        opened(tmp_path, "json_file", "json")

    assert (missing.value.reason, folder.value.reason) == ("missing", "unreadable")


def test_a_file_of_text_lines_called_ndjson_is_refused(tmp_path: Path) -> None:
    lines = b'{"a": 1}\n{"a": 2}\n' + b"no json here\n" * 400

    with pytest.raises(SourceProblem) as caught:
        opened(put(tmp_path, lines, "x.ndjson"), "json_file", "ndjson")

    assert caught.value.reason == "not-json"


def test_wrapped_files_are_unwrapped(tmp_path: Path) -> None:
    path = put(tmp_path, gzip.compress(b'{"a": 1}\n{"a": 2}\n'), "x.ndjson.gz")

    source = opened(path, "json_file", "ndjson", wrappings=("gzip",))

    assert names_of(source) == ["x"]
    assert rows_of(source) == [{"a": 1}, {"a": 2}]


def test_large_documents_are_streamed_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": i, "p": i / 4, "s": {"t": f"n {i}"}, "l": [{"k": i}, {"k": -i}]} for i in range(3_000)]
    document = {"first": rows, "info": {"x": 1}, "later": [{"z": i} for i in range(500)]}
    path = put(tmp_path, document)
    whole = opened(path, "json_file", "json")
    expected = {name: rows_of(whole, name) for name in names_of(whole)}
    monkeypatch.setattr(json_file, "OUTLINE_BYTES", 5_000)
    monkeypatch.setattr(json_file, "CHUNK", 4_096)
    monkeypatch.setattr(spool, "MEMORY_BYTES", 10_000)

    streamed = opened(path, "json_file", "json")

    assert {name: rows_of(streamed, name) for name in names_of(streamed)} == expected
    assert set(expected) == {"first", "first_l", "later"}


def test_temporary_files_go_when_the_source_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MEMORY_BYTES", 1_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    source = opened(put(tmp_path, [{"a": i} for i in range(2_000)]), "json_file", "json")
    held = [p for p in (tmp_path / "t").iterdir() if p.name.startswith("tars-") and p.name != "tars-duckdb"]

    source.close()

    assert held
    assert not any(p.exists() for p in held)


def test_outlines_and_relaxed_text_keep_strings_whole() -> None:
    assert outline_of('{"a": [{"b": "x]}"}, {"b": "y') == {"a": [{"b": "x]}"}]}
    assert relaxed('{"u": "http://x", /* c */ "v": ",]",}') == '{"u": "http://x",   "v": ",]"}'
    assert str(find_records({"a": {"b": [{"c": 1}]}})[0]) == "1 objects at a.b"


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.fixed_dictionaries({"k": st.integers(0, 9)}, optional={"v": plain, "w": plain}), min_size=1, max_size=6)
)
def test_no_value_is_lost_or_changed_in_meaning(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    source = opened(put(tmp_path, records), "json_file", "json")

    try:
        back = rows_of(source)
        told = source.completeness()
    finally:
        source.close()
    assert len(back) + told.set_aside_count == len(records)
    for record, row in zip(records, back, strict=True) if not told.set_aside_count else ():
        for name in ("v", "w"):
            value, read = record.get(name), row.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and not isinstance(read, str):
                assert read == value
            elif value is None:
                assert read is None
            elif isinstance(read, str):
                assert read == (value if isinstance(value, str) else json.dumps(value))
            elif read is None:
                assert isinstance(value, str)
            else:
                assert isinstance(value, str | bool)
                assert isinstance(read, bool | int | float | Decimal | date | datetime) or read is not None


def test_whole_numbers_named_for_a_time_are_moments_and_others_stay(tmp_path: Path) -> None:
    records = [{"id": i, "createdAt": 1_772_359_200_000 + i, "at": i, "code": 1_772_359_200 + i} for i in range(10)]
    source = opened(put(tmp_path, records), "json_file", "json")

    found = types_of(source)

    assert found == {"id": "int64", "createdAt": "timestamp[us, tz=UTC]", "at": "int64", "code": "int64"}
    source.close()


def test_a_late_fraction_makes_texts_of_whole_numbers_decimals_and_a_late_comma_does_not(tmp_path: Path) -> None:
    records = [{"n": str(i), "m": str(i)} for i in range(5_000)]
    records[4_990] = {"n": "0.5", "m": "12,499"}
    source = opened(put(tmp_path, records), "json_file", "json")

    rows = rows_of(source)
    told = source.completeness()

    assert types_of(source)["n"].startswith("decimal")
    assert types_of(source)["m"] == "int64"
    assert len(rows) == 4_999
    assert [(a.position, a.value) for a in told.set_aside] == [(4_991, "12,499")]
    source.close()


def test_comments_and_commas_too_many_are_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text('// of one day\n[\n  {"a": 1}, // one\n  {"a": 2}, /* two */\n  {"a": 3},\n]\n')

    source = open_all((str(path),), OpenOptions())

    assert isinstance(source, DuckSource)
    assert [row["a"] for row in rows_of(source)] == [1, 2, 3]
    source.close()
