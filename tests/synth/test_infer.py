from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.infer import ColumnType, infer_column, infer_columns, widened


def read(column: ColumnType, values: Sequence[str | None]) -> list[object]:
    """The values as DuckDB reads them by the column's expression."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        connection.execute("CREATE TABLE t (i INTEGER, c VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [[i, v] for i, v in enumerate(values)])
        return [row[0] for row in connection.execute(f"SELECT {column.sql('c')} FROM t ORDER BY i").fetchall()]


def breaking(column: ColumnType, values: Sequence[str | None]) -> list[str]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (i INTEGER, c VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [[i, v] for i, v in enumerate(values)])
        return [
            row[0] for row in connection.execute(f"SELECT c FROM t WHERE {column.breaks('c')} ORDER BY i").fetchall()
        ]


def d(text: str) -> Decimal:
    return Decimal(text)


NUMBERS = [
    ("count", ["1", "-2", "+3", " 4 "], "int64", [1, -2, 3, 4], ""),
    ("count", ["1", "N/A", "-", "", None, "5"], "int64", [1, None, None, None, None, 5], ""),
    ("big", ["123456789012345678901234", "1"], "decimal128(38, 0)", [d("123456789012345678901234"), d("1")], ""),
    ("price", ["1.50", "2.5", "3"], "decimal128(18, 2)", [d("1.50"), d("2.50"), d("3")], ""),
    ("price", ["$1,234.50", "-$5.00", "$-3.25", "$1,000"], "decimal128(18, 2)", [d("1234.50"), d("-5"), d("-3.25"), d("1000")], "USD"),
    ("price", ["1.234,50 €", "0,99 €", "−3,00 €"], "decimal128(18, 2)", [d("1234.50"), d("0.99"), d("-3")], "EUR"),
    ("price", ["R$ 1.234,56", "R$ 2,00"], "decimal128(18, 2)", [d("1234.56"), d("2")], "BRL"),
    ("price", ["CHF 1'234.50", "CHF 2.00"], "decimal128(18, 2)", [d("1234.50"), d("2")], "CHF"),
    ("price", ["EUR 12", "EUR 1.200"], "decimal128(18, 2)", [d("12"), d("1200")], "EUR"),
    ("price", ["1 234,50 €", "12,00 €"], "decimal128(18, 2)", [d("1234.50"), d("12")], "EUR"),
    ("balance", ["(5.00)", "3.00", "(1,200.00)"], "decimal128(18, 2)", [d("-5"), d("3"), d("-1200")], ""),
    ("balance", ["5.00-", "3.00"], "decimal128(18, 2)", [d("-5"), d("3")], ""),
    ("rate", ["12 %", "3.5 %"], "decimal128(18, 1)", [d("12"), d("3.5")], "%"),
    ("rate", ["12,5%", "3,0%"], "decimal128(18, 1)", [d("12.5"), d("3")], "%"),
    ("weight", ["10 kg", "12.5 kg"], "decimal128(18, 1)", [d("10"), d("12.5")], "kg"),
    ("n", ["1,234", "12,500", "999"], "int64", [1234, 12500, 999], ""),
    ("n", ["1,5", "2,75", "3"], "decimal128(18, 2)", [d("1.5"), d("2.75"), d("3")], ""),
    ("n", ["12,34,567", "1,00,000"], "int64", [1234567, 100000], ""),
    ("n", ["1e5", "2.5E-3", "3"], "double", [100000.0, 0.0025, 3.0], ""),
    ("n", ["0.1234567890123456", "0.5"], "double", [0.1234567890123456, 0.5], ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "kind", "expected", "unit"), NUMBERS)
def test_numbers_are_read_in_the_dress_of_their_locale(
    name: str, values: list[str | None], kind: str, expected: list[object], unit: str
) -> None:
    column = infer_column(name, values)

    assert (column.type, column.unit) == (kind, unit)
    assert read(column, values) == expected
    assert breaking(column, values) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("code", ["007", "012", "100"]),
        ("zip", ["12345", "99999"]),
        ("phone", ["5551234567", "5559876543"]),
        ("account", ["12345678901234567890", "12345678901234567891"]),
        ("version", ["1.2.3", "1.10.2"]),
        ("address", ["12 Main St", "5 Oak Ave"]),
        ("price", ["$5", "€6"]),
        ("range", ["1-2", "3-4"]),
        ("grade", ["Y", "Y"]),
        ("mixed", ["1", "x", "2", "y"]),
        ("month", ["2024-01", "2024-02"]),
        ("time", ["2021-01-05 10:00:00", "2021-01-05T10:00:00Z"]),
    ],
)
def test_labels_stay_text(name: str, values: list[str]) -> None:
    column = infer_column(name, values)

    assert column.type == "string"
    assert read(column, values) == values


DATES = [
    (["2021-01-05", "2020-12-31"], [date(2021, 1, 5), date(2020, 12, 31)]),
    (["05.01.2021", "31.12.2020"], [date(2021, 1, 5), date(2020, 12, 31)]),
    (["1/5/2021", "12/31/2020"], [date(2021, 1, 5), date(2020, 12, 31)]),
    (["5/1/2021", "31/12/2020"], [date(2021, 1, 5), date(2020, 12, 31)]),
    (["01/02/2021", "01/03/2021", "01/04/2021"], [date(2021, 2, 1), date(2021, 3, 1), date(2021, 4, 1)]),
    (["2021/1/5", "2020/12/31"], [date(2021, 1, 5), date(2020, 12, 31)]),
    (["5/1/21", "31/12/99"], [date(2021, 1, 5), date(1999, 12, 31)]),
    (["5 May 2021", "12 Jan 2020"], [date(2021, 5, 5), date(2020, 1, 12)]),
    (["May 5, 2021", "January 12, 2020"], [date(2021, 5, 5), date(2020, 1, 12)]),
    (["05-May-21", "06-Jun-99"], [date(2021, 5, 5), date(1999, 6, 6)]),
    (["5. Mai 2021", "12. Januar 2020"], [date(2021, 5, 5), date(2020, 1, 12)]),
    (["5. Mär 2021", "12. Okt. 2020"], [date(2021, 3, 5), date(2020, 10, 12)]),
    (["12 janvier 2020", "3 août 2021"], [date(2020, 1, 12), date(2021, 8, 3)]),
    (["12 de enero de 2020", "3 de agosto de 2021"], [date(2020, 1, 12), date(2021, 8, 3)]),
    (["Monday, January 6, 2020", "Tuesday, January 7, 2020"], [date(2020, 1, 6), date(2020, 1, 7)]),
    (["5th of May 2021", "1st June 2021"], [date(2021, 5, 5), date(2021, 6, 1)]),
    (["2021年1月5日", "2020年12月31日"], [date(2021, 1, 5), date(2020, 12, 31)]),
    (["2021-W05-3", "2021-W52-7"], [date(2021, 2, 3), date(2022, 1, 2)]),
    (["20210105", "20201231"], [date(2021, 1, 5), date(2020, 12, 31)]),
]


@pytest.mark.parametrize(("values", "expected"), DATES)
def test_dates_of_many_layouts(values: list[str], expected: list[date]) -> None:
    column = infer_column("day", values)

    assert column.type == "date32[day]"
    assert read(column, values) == expected


MOMENTS = [
    ("at", ["2021-01-05T10:00:00", "2021-01-05"], "timestamp[us]", "2021-01-05 10:00:00"),
    ("at", ["2021-01-05 10:00:00,123"], "timestamp[us]", "2021-01-05 10:00:00.123000"),
    ("at", ["2021-01-05T10:00:00+02:00", "2021-01-05T10:00:00Z"], "timestamp[us, tz=UTC]", "2021-01-05 08:00:00+00:00"),
    ("at", ["1/5/2021 1:02:03 PM", "12/31/2021 11:02:03 AM"], "timestamp[us]", "2021-01-05 13:02:03"),
    ("at", ["05.01.2021, 10:00 Uhr", "31.12.2021, 23:59 Uhr"], "timestamp[us]", "2021-01-05 10:00:00"),
    ("at", ["10/Oct/2000:13:55:36 -0700"], "timestamp[us, tz=UTC]", "2000-10-10 20:55:36+00:00"),
    ("at", ["Tue, 05 Jan 2021 10:00:00 GMT", "Tue, 05 Jan 2021 10:00:00 +0200"], "timestamp[us, tz=UTC]", "2021-01-05 10:00:00+00:00"),
    ("created_at", ["1609459200", "1700000000"], "timestamp[us, tz=UTC]", "2021-01-01 00:00:00+00:00"),
    ("ts", ["1609459200123", "1700000000000"], "timestamp[us, tz=UTC]", "2021-01-01 00:00:00.123000+00:00"),
    ("t", ["10:00", "23:59:59"], "time64[us]", "10:00:00"),
    ("t", ["5:04 pm", "11:59 AM"], "time64[us]", "17:04:00"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "kind", "first"), MOMENTS)
def test_moments_of_many_layouts(name: str, values: list[str], kind: str, first: str) -> None:
    column = infer_column(name, values)

    assert column.type == kind
    assert str(read(column, values)[0]) == first
    assert breaking(column, values) == []


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("paid", ["yes", "No", "YES"], [True, False, True]),
        ("paid", ["ja", "nein", "N/A"], [True, False, None]),
        ("paid", ["TRUE", "false"], [True, False]),
        ("paid", ["Y", "N"], [True, False]),
        ("is_paid", ["0", "1"], [False, True]),
    ],
)
def test_yes_and_no_in_many_spellings(name: str, values: list[str], expected: list[bool | None]) -> None:
    column = infer_column(name, values)

    assert column.type == "bool"
    assert read(column, values) == expected


def test_zeros_and_ones_are_numbers_unless_the_name_says_flag() -> None:
    assert infer_column("clicks", ["0", "1"]).type == "int64"


@pytest.mark.parametrize(
    ("name", "values", "meaning"),
    [
        ("a", ["550e8400-e29b-41d4-a716-446655440000"], "uuid"),
        ("a", ["a@b.com", "c.d@e.org"], "email"),
        ("a", ["https://a.b/c", "http://x.y"], "url"),
        ("a", ["1.2.3.4", "10.0.0.1"], "ip"),
        ("a", ["+49 170 1234567", "+1 (555) 123-4567"], "phone"),
        ("a", ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"], "iban"),
        ("a", ["USD", "EUR"], "currency"),
        ("country", ["DE", "FR"], "country"),
        ("a", ["PT1H30M", "P2D"], "duration"),
    ],
)
def test_text_says_what_it_means(name: str, values: list[str], meaning: str) -> None:
    assert infer_column(name, values).meaning == meaning


def test_a_few_that_disagree_are_named_with_their_place() -> None:
    values = ["1", "2"] * 50 + ["oops"]

    column = infer_column("n", values)

    assert column.type == "int64"
    assert column.offending == ((101, "oops"),)
    assert breaking(column, values) == ["oops"]


@pytest.mark.parametrize("value", ["1.5", "1e3", "0x1F", "007", "1_000", "2021-01-05", "99999999999999999999"])
def test_a_whole_number_is_never_made_by_rounding(value: str) -> None:
    column = infer_column("n", ["1", "2", "3"])

    assert breaking(column, [value]) == [value]


@pytest.mark.parametrize("value", ["2021-02-30", "2021-01-05 10:00:00", "infinity", "2021-1-5x"])
def test_a_date_never_drops_its_time(value: str) -> None:
    column = infer_column("day", ["2021-01-05", "2021-01-06"])

    assert breaking(column, [value]) == [value]


def test_neighbours_settle_an_ambiguous_column() -> None:
    columns = infer_columns(["a", "b", "c"], [["1,5", "2,75"], ["1.234", "12.500"], ["03/04/2021", "05/06/2021"]])

    assert [c.type for c in columns] == ["decimal128(18, 2)", "int64", "date32[day]"]
    assert columns[2].format == "%d/%m/%Y"


def test_whole_numbers_widen_to_decimals_without_loss() -> None:
    column = infer_column("n", ["1", "2"])

    wider = widened(column, ["1.25"])

    assert wider is not None
    assert read(wider, ["1", "1.25", "999999999999"]) == [d("1"), d("1.25"), d("999999999999")]
    assert breaking(wider, ["9223372036854775807"]) == ["9223372036854775807"]  # found, and so widened again
    widest = widened(wider, ["9223372036854775807"])
    assert widest is not None
    assert read(widest, ["1.25", "9223372036854775807"]) == [d("1.25"), d("9223372036854775807")]
    assert widened(column, ["oops"]) is None


@given(st.lists(st.integers(-(10**17), 10**17), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_integers_come_back(values: list[int]) -> None:
    texts = [str(v) for v in values]

    assert read(infer_column("x", texts), texts) in (values, texts)


@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False), min_size=1, max_size=30),
    st.sampled_from(["{:,.2f}", "${:,.2f}", "{:.2f} EUR", "{:.2f}"]),
)
@settings(max_examples=40, deadline=None)
def test_money_comes_back_exactly(values: list[Decimal], layout: str) -> None:
    texts = [layout.format(v) for v in values]
    column = infer_column("amount", texts)

    assert column.type.startswith("decimal128")
    assert read(column, texts) == values


@given(
    st.lists(st.dates(date(1970, 1, 1), date(2068, 12, 31)), min_size=40, max_size=60, unique=True),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y%m%d", "%Y/%m/%d"]),
)
@settings(max_examples=40, deadline=None)
def test_dates_come_back(values: list[date], layout: str) -> None:
    texts = [v.strftime(layout) for v in values]

    assert read(infer_column("day", texts), texts) == values


@given(st.lists(st.text(max_size=12), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_type_and_reads_without_an_error(values: list[str]) -> None:
    clean = [v.replace("\x00", "") for v in values]
    column = infer_column("x", clean)

    result = read(column, clean)

    assert len(result) == len(clean)
    assert len(breaking(column, clean)) == column.offended or not column.plain


def test_a_thousand_values_take_milliseconds() -> None:
    start = date(1950, 1, 1)
    table = [
        [str(i * 37) for i in range(1000)],
        [f"{i * 1.37:.2f}" for i in range(1000)],
        [(start + timedelta(days=i * 7)).strftime("%d.%m.%Y") for i in range(1000)],
        [f"name {i}" for i in range(1000)],
        [datetime(2021, 1, 1, i % 24, i % 60).isoformat() for i in range(1000)],
    ]
    best = 9.0

    for _ in range(5):
        begin = time.perf_counter()
        for values in table:
            infer_column("x", values)
        best = min(best, time.perf_counter() - begin)

    assert best / len(table) < 0.006


@pytest.mark.parametrize(
    ("decimal", "texts", "numbers"),
    [
        ("", ["1,234", "12,500", "999"], [1234, 12500, 999]),
        (".", ["1,234", "1500"], [1234, 1500]),
        (",", ["1,234", "1500"], [d("1.234"), d("1500")]),
        (",", ["1.234", "500"], [1234, 500]),
        ("", ["1.234", "2.345"], [d("1.234"), d("2.345")]),
        ("", ["1.234", "12.500", "999"], [1234, 12500, 999]),
        ("?", ["1.234", "12.500", "999"], [1234, 12500, 999]),
        ("?", ["1.234.567", "569.352"], [1234567, 569352]),
        ("?", ["0,125", "1,500"], [d("0.125"), d("1.5")]),
        ("?", ["0.125", "1.500"], [d("0.125"), d("1.5")]),
        ("", ["$1500", "$12,499"], [d("1500"), d("12499")]),
    ],
)
def test_the_marks_of_a_column_and_its_neighbours_tell_thousands_from_decimals(
    decimal: str, texts: list[str], numbers: list[object]
) -> None:
    found = infer_column("v", texts, decimal=decimal)

    assert read(found, texts) == numbers


@pytest.mark.parametrize(
    ("decimal", "texts"),
    [
        ("", ["1,234", "1500"]),
        ("?", ["21.375", "19.250"]),
        ("?", ["1,759 €", "1,829 €"]),
        ("", ["12,499 %", "1,250 %"]),
        (",", ["$12,499", "$1500"]),
    ],
)
def test_where_nothing_tells_thousands_from_decimals_the_column_stays_text(decimal: str, texts: list[str]) -> None:
    found = infer_column("v", texts, decimal=decimal)

    assert (found.type, found.decimal) == ("string", "")
    assert found.confidence < 0.75


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "\u2009"])
def test_spaces_of_any_width_group_thousands(space: str) -> None:
    texts = [f"1{space}234,50", f"12{space}000,00 €", "7,25"]

    found = infer_column("v", texts)

    assert read(found, texts) == [d("1234.50"), d("12000"), d("7.25")]
    assert breaking(found, texts) == []


def test_a_mark_for_nothing_among_the_numbers_is_one_among_the_text() -> None:
    numbers, sex = ["1.5", "NA", "2.5", "3.5"] * 5, ["MALE", "NA", "FEMALE", "MALE"] * 5

    mass, text = infer_columns(["mass", "sex"], [numbers, sex])

    assert mass.type == "decimal128(18, 1)"
    assert (text.type, text.nulls, text.null_words, text.distinct) == ("string", 5, ("na",), 2)


@pytest.mark.parametrize("values", [["AF", "NA", "EU"], ["none", "low", "high"], ["A", "B", "C"]])
def test_codes_and_words_are_not_taken_for_nothing(values: list[str]) -> None:
    numbers = ["1", "NA", "none", "2", "3", "4"] * 10

    _, text = infer_columns(["n", "code"], [numbers, values * 20])

    assert (text.nulls, text.null_words) == (0, ())
