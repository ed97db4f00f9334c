from __future__ import annotations

import csv
import gzip
import io
import os
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources import delimited
from synth.sources.delimited import open_source, sniff
from synth.sources.duck import DuckSource

Rows = list[dict[str, object]]


def opened(path: Path) -> DuckSource:
    source = open_source(str(path), Detection(str(path), "csv", "delimited", 1.0), OpenOptions())
    assert isinstance(source, DuckSource)
    return source


def rows_of(source: DuckSource) -> Rows:
    name = source.tables()[0].name
    return [row for batch in source.capability.query(f'SELECT * FROM "{name}"') for row in batch.to_pylist()]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes | str], tuple[DuckSource, Rows]]:
    def reading(data: bytes | str) -> tuple[DuckSource, Rows]:
        path = tmp_path / "data.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        source = opened(path)
        return source, rows_of(source)

    return reading


Read = Callable[[bytes | str], tuple[DuckSource, Rows]]


def types_of(source: DuckSource) -> dict[str, str]:
    return {f.name: f.type for f in source.tables()[0].fields}


def test_plain_values_are_typed_at_the_door(read: Read) -> None:
    source, rows = read("id,name,amount,day,paid\n1,Anna,1.50,2021-01-05,true\n2,Bob,2.75,2021-01-06,false\n")

    assert list(types_of(source).values()) == ["int64", "string", "decimal128(18, 2)", "date32[day]", "bool"]
    assert rows[0] == {"id": 1, "name": "Anna", "amount": Decimal("1.50"), "day": date(2021, 1, 5), "paid": True}
    assert source.facts["format"] == "csv"
    assert source.completeness().state == "complete"


def test_dirty_values_are_cleaned(read: Read) -> None:
    source, rows = read('item;price;share;ok\nApple;"1.234,50 €";12 %;ja\nPear;"0,99 €";3 %;nein\nFig;N/A;-;ja\n')

    assert rows[0] == {"item": "Apple", "price": Decimal("1234.50"), "share": Decimal(12), "ok": True}
    assert rows[2] == {"item": "Fig", "price": None, "share": None, "ok": True}
    assert [f.unit for f in source.tables()[0].fields] == ["", "EUR", "%", ""]


@pytest.mark.parametrize(
    ("late", "kind"),
    [
        ("1.25", "decimal128(18, 2)"),
        ("99999999999999999999", "decimal128(38, 0)"),
        ('"1,234.50"', "decimal128(18, 2)"),
    ],
)
def test_a_column_widens_for_values_beyond_the_sample(read: Read, late: str, kind: str) -> None:
    source, rows = read("id,v\n" + "".join(f"{i},{i}\n" for i in range(5_000)) + f"9,{late}\n")

    assert types_of(source)["v"] == kind
    assert len(rows) == 5_001
    assert rows[-1]["v"] == Decimal(late.strip('"').replace(",", ""))


def test_more_decimals_beyond_the_sample_are_not_rounded(read: Read) -> None:
    _, rows = read("v,w\n" + "1.5,a\n" * 3_000 + "1.2345,b\n")

    assert rows[-1]["v"] == Decimal("1.2345")


def test_a_stray_value_is_set_aside_with_its_line_and_rule(read: Read) -> None:
    source, rows = read("id,v\n" + "".join(f"{i},{i}\n" for i in range(5_000)) + "5000,oops\n")

    aside = source.completeness()

    assert len(rows) + aside.set_aside_count == 5_001
    assert aside.state == "incomplete"
    assert (aside.set_aside[0].position, aside.set_aside[0].value) == (5_002, "oops")
    assert "whole number" in aside.set_aside[0].rule


def test_many_strays_make_a_text_column(read: Read) -> None:
    source, rows = read("id,v\n" + "".join(f"{i},{i}\n" for i in range(5_000)) + "1,oops\n" * 500)

    assert types_of(source)["v"] == "string"
    assert len(rows) == 5_500
    assert any("kept as text" in note for note in source.notes)


def test_labels_beyond_the_sample_keep_their_zeros(read: Read) -> None:
    source, rows = read("id,v\n" + "".join(f"{i},{i + 1}\n" for i in range(3_000)) + "9,007\n")

    assert rows[-1]["v"] == "007" or source.completeness().set_aside_count == 1


def test_short_rows_are_padded_and_long_rows_set_aside(read: Read) -> None:
    source, rows = read("a,b,c\n1,2,3\n4,5\n6,7,8\n9,1,2,3\n4,5,6\n7,8,9\n")

    aside = source.completeness()

    assert {"a": 4, "b": 5, "c": None} in rows
    assert len(rows) == 5
    assert (aside.set_aside_count, aside.set_aside[0].position) == (1, 5)
    assert any("shorter" in note for note in source.notes)


def test_a_quote_never_closed_costs_one_line(read: Read) -> None:
    before = "".join(f"{i},n{i},{i}\n" for i in range(200))
    source, rows = read(f'id,name,v\n{before}200,"abc,3\n' + "".join(f'{i},"n",{i}\n' for i in range(300, 400)))

    aside = source.completeness()

    assert len(rows) == 300
    assert (aside.set_aside_count, aside.set_aside[0].position) == (1, 202)


def test_bytes_that_are_no_text_are_set_aside(read: Read) -> None:
    source, rows = read(("a,b\n" + "1,größe\n" * 50).encode() + b"2,\xff\xfe\n")

    assert len(rows) == 50
    assert source.completeness().set_aside[0].position == 52


def test_the_first_umlaut_may_stand_at_the_end(read: Read) -> None:
    _, rows = read(("a,b\n" + "1,x\n" * 100_000).encode() + "2,Müller\n".encode("cp1252"))

    assert rows[-1] == {"a": 2, "b": "Müller"}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_are_read(read: Read, codec: str) -> None:
    source, rows = read("naam,größe\nMüller,1\nJäger,2\n".encode(codec))

    assert rows == [{"naam": "Müller", "größe": 1}, {"naam": "Jäger", "größe": 2}]
    assert "encoding" in str(source.facts["dialect"])


def test_names_that_would_hurt_are_only_names(read: Read) -> None:
    long = "x" * 10_000
    header = f'{long},"a""; DROP TABLE data; --",{{c}},name,Name,\n'

    source, rows = read(header + "1,'; DROP TABLE data; --,x,4,5,6\n2,b,y,7,8,9\n")

    names = [f.name for f in source.tables()[0].fields]
    assert names == [long, 'a"; DROP TABLE data; --', "{c}", "name", "Name_2", "column_6"]
    assert len(rows) == 2


def test_nul_bytes_and_quoted_newlines_survive(read: Read) -> None:
    _, rows = read(b'a,b\n1,x\x00y\n2,"line\nbreak"\n')

    assert [row["b"] for row in rows] == ["x\x00y", "line\nbreak"]


def test_a_header_alone_is_an_empty_table(read: Read) -> None:
    source, rows = read("id,name,amount\n")

    assert rows == []
    assert list(types_of(source)) == ["id", "name", "amount"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (os.urandom(3_000), "unreadable"),
        (gzip.compress(b"a,b\n1,2\n" * 500, mtime=0)[:-20], "truncated"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(data)

    with pytest.raises(SourceProblem) as problem:
        opened(path)

    assert problem.value.reason == reason
    assert "bad.csv" in problem.value.message


def test_a_directory_and_a_missing_file_are_problems(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem):
        opened(tmp_path)
    with pytest.raises(SourceProblem) as problem:
        opened(tmp_path / "none.csv")

    assert problem.value.reason == "missing"


def test_a_huge_file_sets_aside_what_breaks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "WHOLE_BYTES", 300_000)
    path = tmp_path / "huge.csv"
    body = [f"{i},name {i},${i}.50" for i in range(60_000)]
    body[45_678] = "oops,name,$1.50"
    body[45_777] = "45777,name,cheap"
    path.write_text("id,name,price\n" + "\n".join(body) + "\n")
    source = opened(path)

    rows = rows_of(source)
    aside = source.completeness()

    assert len(rows) + aside.set_aside_count == 60_000
    assert [s.position for s in aside.set_aside] == [45_680, 45_779]


def test_closing_removes_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a;b\n1;2\n3\n4;5\n"))
    source = opened(path)
    assert rows_of(source)

    source.close()

    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("tars-") and p.name != "tars-duckdb"] == []


def test_ten_thousand_rows_open_quickly(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_text(
        "id,name,amount,day\n" + "".join(f"{i},n{i},{i}.5,2021-01-{i % 28 + 1:02}\n" for i in range(10_000))
    )
    best = 9.0

    for _ in range(4):
        begin = time.perf_counter()
        opened(path).close()
        best = min(best, time.perf_counter() - begin)

    assert best < 0.25


letters = st.characters(
    codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n\t", exclude_characters="\ufeff"
)
cell = st.text(letters, max_size=8)


@given(
    rows=st.lists(st.tuples(st.integers(0, 10**6), cell, st.decimals(0, 10**6, places=2)), min_size=3, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str, Decimal]],
    delimiter: str,
    quoting: int,
    codec: str,
) -> None:
    path = tmp_path_factory.mktemp("written") / "data.csv"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]  # one of csv's constants
    writer.writerow(["id", "remark", "amount"])
    writer.writerows([i, f"note {text}", amount] for i, text, amount in rows)
    path.write_bytes(buffer.getvalue().encode(codec))
    source = opened(path)

    found = rows_of(source)
    aside = source.completeness().set_aside_count
    source.close()

    assert len(found) + aside == len(rows)
    assert aside == 0
    assert [row["id"] for row in found] == [i for i, _, _ in rows]
    assert [row["amount"] for row in found] == [amount for _, _, amount in rows]
    # Blanks around text are layout when nearly all values of a column have them.
    assert [str(row["remark"]).replace("\r\n", "\n").strip() for row in found] == [
        f"note {t}".strip() for _, t, _ in rows
    ]


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(b"a,b\n1,2\n" + data)
    try:
        source = opened(path)
    except SourceProblem as problem:
        refused = problem.reason
    else:
        refused = ""
        assert isinstance(rows_of(source), list)
        source.close()

    assert refused in ("", "empty", "unreadable", "truncated")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("id,name,amount\n1,a,2.5\n2,b,3.5\n3,c,4.5\n", 0.6, 1.0),
        ("id;name;amount\n1;a;2,5\n2;b;3,5\n3;c;4,5\n", 0.6, 1.0),
        ('{"a": 1, "b": 2}\n{"a": 2, "b": 3}\n', 0.0, 0.3),
        ("<root><a>1</a></root>\n<x/>\n", 0.0, 0.3),
        ("This is a letter, which goes on for a while and has commas in it.\nIt is not, in any way, a table at all.\n", 0.0, 0.4),
        ("import os\nimport sys\n\ndef f(a, b):\n    return a, b\n", 0.0, 0.3),
    ],
)  # fmt: skip
def test_sniffing_knows_tables_from_other_text(text: str, low: float, high: float) -> None:
    score, facts, evidence = sniff(text.encode(), "data")

    assert low <= score <= high
    assert score == 0.0 or (facts and evidence)


def test_rows_that_all_end_in_a_delimiter_do_not_shift_their_header(read: Read) -> None:
    _, rows = read("a,b,c\n1,2,3,\n4,5,6,\n7,8,9,\n10,11,12,\n13,14,15,\n")

    assert [(r["a"], r["b"], r["c"]) for r in rows] == [(1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12), (13, 14, 15)]


def test_a_late_comma_among_whole_numbers_is_never_a_fraction(read: Read) -> None:
    lines = [f"{i},{i}" for i in range(1, 12_001)]
    lines[11_499] = '11500,"12,499"'

    source, rows = read("n,amount\n" + "\n".join(lines) + "\n")
    aside = source.completeness()

    assert sum(int(str(row["amount"])) for row in rows) == 71_994_500
    assert (aside.state, aside.set_aside_count, aside.set_aside[0].value) == ("incomplete", 1, "12,499")


def test_a_late_comma_groups_thousands_where_the_file_writes_decimals_with_a_point(read: Read) -> None:
    lines = [f"{i},{i},{i}.5" for i in range(1, 3_001)]
    lines[2_499] = '2500,"12,499",1.5'

    source, rows = read("n,amount,p\n" + "\n".join(lines) + "\n")

    assert rows[2_499]["amount"] == 12_499
    assert source.completeness().state == "complete"


def test_days_written_with_points_say_what_a_point_in_a_number_means(read: Read) -> None:
    _, rows = read("stadt;einwohner;seit\nBremen;569.352;21.02.1200\nBonn;330.579;05.03.1300\n")

    assert [row["einwohner"] for row in rows] == [569_352, 330_579]


def test_numbers_that_may_be_thousands_or_fractions_stay_text_with_a_note(read: Read) -> None:
    source, rows = read("stadt;einwohner\nBremen;569.352\nBonn;330.579\n")

    assert [row["einwohner"] for row in rows] == ["569.352", "330.579"]
    assert any("einwohner" in note and "thousands" in note for note in source.notes)


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("rows_between", [2, 3_000])
def test_a_header_repeated_between_the_rows_is_no_row(read: Read, words: bool, rows_between: int) -> None:
    body = [f"{'n' if words else ''}{i},{'m' if words else ''}{i}" for i in range(3 * rows_between)]
    pages = [["id,amount", *body[i : i + rows_between]] for i in range(0, len(body), rows_between)]

    source, rows = read("\n".join(line for page in pages for line in page) + "\n")

    assert len(rows) == len(body)
    assert set(types_of(source).values()) == {"string" if words else "int64"}
    assert any("repeated in 2 lines" in note for note in source.notes)


def cities(row: str, count: int = 40) -> str:
    return "".join(row.format(i, "Paris", f"{i}.50") for i in range(1, count + 1))


CLIENTS = {
    "mysql": "+----+-------+--------+\n| id | city  | amount |\n+----+-------+--------+\n"
    + cities("| {:>2} | {:<5} | {:>6} |\n")
    + "+----+-------+--------+\n40 rows in set (0.00 sec)\n",
    "psql": " id | city  | amount \n----+-------+--------\n" + cities(" {:>2} | {:<5} | {:>6}\n") + "(40 rows)\n\n",
    "psql, border 2": "+----+-------+--------+\n| id | city  | amount |\n+----+-------+--------+\n"
    + cities("| {:>2} | {:<5} | {:>6} |\n")
    + "+----+-------+--------+\n(40 rows)\n",
    "sqlcmd -s,": "id,city,amount\n--,----,------\n" + cities("{},{},{}\n") + "\n(40 rows affected)\n",
    "markdown": "| id | city | amount |\n|---:|:-----|-------:|\n" + cities("| {} | {} | {} |\n"),
    "grid": "+----+-------+--------+\n| id | city  | amount |\n+====+=======+========+\n"
    + cities("| {:>2} | {:<5} | {:>6} |\n+----+-------+--------+\n"),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_database_clients_draw_is_no_row(read: Read, client: str) -> None:
    source, rows = read(CLIENTS[client])

    assert rows == [{"id": i, "city": "Paris", "amount": Decimal(f"{i}.50")} for i in range(1, 41)]
    assert source.completeness().state == "complete"


def test_comments_below_the_table_cost_no_row(read: Read) -> None:
    _, rows = read("# made by x\nid,a,b\n1,2,3\n3,4,5\n# middle\n5,6,7\n# end\n3 rows exported\n")

    assert [row["id"] for row in rows] == [1, 3, 5]


def test_a_column_empty_but_for_its_last_rows_is_typed_by_them(read: Read) -> None:
    source, rows = read("id,late\n" + "".join(f"{i},{7 if i > 59_995 else ''}\n" for i in range(1, 60_001)))

    assert types_of(source)["late"] == "int64"
    assert sum(int(str(row["late"])) for row in rows if row["late"] is not None) == 35


def test_a_header_wider_than_its_rows_leaves_the_last_columns_empty(read: Read) -> None:
    _, rows = read("a,b,c,d\n1,2,3\n4,5,6\n7,8,9\n")

    assert [row["a"] for row in rows] == [1, 4, 7]
    assert {row["d"] for row in rows} == {None}


def test_a_cell_of_several_lines_that_psql_draws_is_one_cell(read: Read) -> None:
    _, rows = read(
        " id | city  | grade \n----+-------+-------\n  1 | Paris+| A+\n    | Nord  | \n  2 | Rom   | A+\n  3 | Bern  | B\n(3 rows)\n"
    )

    assert [(row["id"], row["city"], row["grade"]) for row in rows] == [
        (1, "Paris\nNord", "A+"),
        (2, "Rom", "A+"),
        (3, "Bern", "B"),
    ]


def test_a_late_point_groups_thousands_where_the_file_writes_decimals_with_a_comma(read: Read) -> None:
    _, rows = read("id;v;w\n" + "".join(f"{i};{i % 900};{i},5\n" for i in range(3_000)) + "9;1.234;1,5\n")

    assert rows[-1]["v"] == 1_234
