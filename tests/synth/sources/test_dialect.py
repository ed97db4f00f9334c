from __future__ import annotations

import time

import pytest

from synth.sources.dialect import dialect_of, unique_names
from tests.synth.sources.odd_texts import CASES


@pytest.mark.parametrize(
    ("text", "delimiter", "header", "skip", "footer", "columns"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_every_part_of_an_odd_dialect_is_found(
    text: str, delimiter: str, header: bool, skip: int, footer: int, columns: int
) -> None:
    dialect = dialect_of(text)

    assert dialect.columns == columns
    assert columns == 1 or dialect.delimiter == delimiter
    assert (dialect.header, dialect.skip_rows, dialect.footer_rows) == (header, skip, footer)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#id,name,amount\n1,a,2.5\n2,b,3.5\n3,c,4.5\n", ["id", "name", "amount"]),
        (
            "region,2020,,2021,\n,q1,q2,q1,q2\nnorth,1,2,3,4\nsouth,5,6,7,8\neast,9,1,2,3\n",
            ["region", "2020 q1", "2020 q2", "2021 q1", "2021 q2"],
        ),
        ("Time\tVoltage\n[s]\t[V]\n0.0\t1.5\n0.1\t1.6\n0.2\t1.7\n", ["Time [s]", "Voltage [V]"]),
        ("mpg cyl\nMazda 21 6\nDatsun 22.8 4\nHornet 21.4 6\n", ["column_1", "mpg", "cyl"]),
        ('"Order\nID",Day\n1,2021-01-05\n2,2021-01-06\n3,2021-01-07\n', ["Order ID", "Day"]),
    ],
)
def test_names_come_from_headers_of_any_shape(text: str, names: list[str]) -> None:
    assert list(dialect_of(text).names) == names


@pytest.mark.parametrize(
    ("text", "quote", "escape"),
    [
        ("id;name\n1;'Anna; A'\n2;'it''s'\n3;'c'\n", "'", ""),
        ('id,say\n1,"He said \\"hi\\", ok"\n2,"a, b"\n3,"c"\n', '"', "\\"),
        ("id,say\n1,a\\, b\n2,c\\, d\n3,plain\n", '"', "\\"),
        ('id,say\n1,"He said ""hi"""\n2,"a, b"\n3,c\n', '"', ""),
    ],
)
def test_quotes_and_escapes_are_found(text: str, quote: str, escape: str) -> None:
    dialect = dialect_of(text)

    assert (dialect.quotechar, dialect.escapechar) == (quote, escape)


def test_names_are_unique_and_never_empty() -> None:
    assert unique_names(["name", "Name", "", "name_2", "name"]) == ["name", "Name_3", "column_3", "name_2", "name_4"]


def test_a_dialect_takes_milliseconds() -> None:
    text = "id,name,amount,day\n" + "".join(f"{i},n{i},{i}.5,2021-01-{i % 28 + 1:02}\n" for i in range(2_000))
    best = 9.0

    for _ in range(3):
        begin = time.perf_counter()
        dialect_of(text[:65_536], whole=False)
        best = min(best, time.perf_counter() - begin)

    assert best < 0.05
