"""What a request states is found in its words, and held against answers over made-up rows: wrong ones are named, right ones pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from synth.gates.facts import Facts, facts_of
from synth.gates.probes import Prober
from synth.request import Request, Task
from synth.schema import Field, Schema, Table
from synth.sources.duck import doors_over

NOW = datetime(2026, 4, 1, tzinfo=UTC)
TABLE = Table(
    "deliveries",
    (
        Field("code", "string"),
        Field("city", "string"),
        Field("state", "string"),
        Field("weight", "decimal128(10, 2)"),
        Field("price", "decimal128(10, 2)"),
        Field("delay", "int64", nulls=40),
        Field("pages", "int64"),
        Field("limit_pages", "int64"),
        Field("sent", "date32[day]"),
        Field("express", "bool"),
        Field("driver", "string", nulls=30),
    ),
    primary_key=("code",),
)
SCHEMA = Schema((TABLE,))
ROWS = {
    "deliveries": pa.table(
        {
            "code": [f"D{i:04d}" for i in range(300)],
            "city": [["Berlin", "Paris", "Oslo", "Porto"][i * 7 % 4] for i in range(300)],
            "state": [["paid", "open", "lost"][i * 5 % 3] for i in range(300)],
            "weight": pa.array([Decimal(i * 37 % 90) for i in range(300)], pa.decimal128(10, 2)),
            "price": pa.array([Decimal(i * 53 % 700) + 1 for i in range(300)], pa.decimal128(10, 2)),
            "delay": pa.array([None if i % 8 == 0 else i * 11 % 60 for i in range(300)], pa.int64()),
            "pages": [i * 3 % 50 for i in range(300)],
            "limit_pages": [20] * 300,
            "sent": [date(2025, 6, 1) + timedelta(days=i) for i in range(300)],
            "express": [i * 3 % 5 < 2 for i in range(300)],
            "driver": [None if i % 10 == 0 else f"R{i % 6}" for i in range(300)],
        }
    )
}


def facts(request: str) -> Facts:
    return facts_of(Task(Request(request, NOW), SCHEMA, "table", "duckdb", "csv"), ROWS)


def found(request: str, sql: str) -> tuple[str, tuple[str, ...]]:
    """The rule of the first finding against this SQL as an answer to the request, or nothing; and what was confirmed."""

    def answer(rows: Mapping[str, pa.Table]) -> Sequence[dict[str, object]]:
        with closing(doors_over(SCHEMA.tables, rows)) as doors:
            return [row for batch in doors.query(sql, []) for row in batch.to_pylist()]

    prober = Prober(facts(request), SCHEMA, ROWS, sql, answer, NOW.replace(tzinfo=None))
    finding = next(prober.findings(), None)
    return (finding.rule if finding else "", prober.evidence())


@pytest.mark.parametrize(
    ("request_text", "said"),
    [
        ("price of deliveries over 500", [(">", 500)]),
        ("deliveries with 20 or more pages", [(">=", 20)]),
        ("deliveries of at most 3 pages with a price below 40", [("<=", 3), ("<", 40)]),
        ("deliveries with an amount below -100", [("<", -100)]),
        ("cities with at least one delivery", []),
        ("the 5 heaviest deliveries of 2025", []),
    ],
)
def test_bounds_are_numbers_with_a_word_that_says_which(request_text: str, said: list[tuple[str, int]]) -> None:
    assert [(str(x.operator), int(x.number)) for x in facts(request_text).limits] == said


@pytest.mark.parametrize(
    ("request_text", "span"),
    [
        ("deliveries in 2025", (date(2025, 1, 1), date(2026, 1, 1))),
        ("deliveries since 3 July 2025", (date(2025, 7, 3), None)),
        ("deliveries between 1 July and 30 September 2025", (date(2025, 7, 1), date(2025, 10, 1))),
        ("compare 2024 with 2025", None),
    ],
)
def test_a_period_is_taken_where_there_is_only_one(request_text: str, span: tuple[date, date | None] | None) -> None:
    period = facts(request_text).period

    assert (None if period is None else (period.start, period.end)) == span


def test_two_columns_are_compared_only_where_one_stands_behind_the_word() -> None:
    compared = facts("code where pages are more than the limit pages").compared

    assert compared is not None
    assert (compared[0].field.name, compared[1], compared[2].field.name) == ("pages", ">", "limit_pages")
    assert facts("total price of deliveries with more than 20 pages").compared is None


def test_columns_values_figures_and_groups_are_taken_by_their_names() -> None:
    stated = facts("average delay per city of lost deliveries, highest first")

    assert [n.field.name for n in stated.columns] == ["city", "delay"]
    assert [(v.field, v.value) for v in stated.values] == [("state", "lost")]
    assert stated.figures == ("avg",)
    assert [g.field.name for g in stated.groups] == ["city"]
    assert stated.direction == "down"


RIGHT = {
    "code of deliveries to Berlin over 500 in price": "SELECT code FROM deliveries WHERE city = 'Berlin' AND price > 500",
    "average delay per city": "SELECT city, AVG(delay) AS delay FROM deliveries GROUP BY city",
    "number of deliveries per city in July 2025": (
        "SELECT city, COUNT(*) AS n FROM deliveries WHERE sent >= '2025-07-01' AND sent < '2025-08-01' GROUP BY city"
    ),
    "total price of express deliveries per state": "SELECT state, SUM(price) AS p FROM deliveries WHERE express GROUP BY state",
    "how many deliveries per city without a driver": (
        "SELECT city, COUNT(*) AS n FROM deliveries WHERE driver IS NULL GROUP BY city"
    ),
    "code and pages where pages are more than the limit pages": "SELECT code, pages FROM deliveries WHERE pages > limit_pages",
    "drivers with at least 20 deliveries": (
        "SELECT driver, COUNT(*) AS n FROM deliveries WHERE driver IS NOT NULL GROUP BY driver HAVING COUNT(*) >= 20"
    ),
    "the 5 highest prices with their code": "SELECT code, price FROM deliveries ORDER BY price DESC LIMIT 5",
    "how many different drivers per city": "SELECT city, COUNT(DISTINCT driver) AS n FROM deliveries GROUP BY city",
    "top 3 deliveries of each city by price: city, code, price": (
        "SELECT city, code, price FROM deliveries QUALIFY ROW_NUMBER() OVER (PARTITION BY city ORDER BY price DESC) <= 3"
    ),
    "code and price, highest price first": "SELECT code, price FROM deliveries ORDER BY price DESC",
}


@pytest.mark.parametrize("request_text", RIGHT)
def test_a_right_answer_is_not_contradicted(request_text: str) -> None:
    rule, _evidence = found(request_text, RIGHT[request_text])

    assert rule == ""


@pytest.mark.parametrize(
    ("request_text", "old", "new", "rule"),
    [
        ("code of deliveries to Berlin over 500 in price", "> 500", ">= 500", "wrong-bound"),
        ("code of deliveries to Berlin over 500 in price", "> 500", "> 501", "wrong-bound"),
        ("code of deliveries to Berlin over 500 in price", " AND price > 500", "", "ignored-number"),
        ("code of deliveries to Berlin over 500 in price", "'Berlin'", "'Oslo'", "wrong-values"),
        ("code of deliveries to Berlin over 500 in price", "'Berlin'", "'BERLIN'", "finds-nothing"),
        ("code of deliveries to Berlin over 500 in price", "city = 'Berlin' AND ", "", "ignored-filter"),
        ("code of deliveries to Berlin over 500 in price", "AND", "OR", "ignored-filter"),
        ("average delay per city", "AVG(delay)", "AVG(COALESCE(delay, 0))", "wrong-values"),
        ("average delay per city", "AVG(delay)", "MAX(delay)", "wrong-values"),
        ("average delay per city", "AVG(delay)", "AVG(pages)", "wrong-column"),
        ("average delay per city", "GROUP BY city", "GROUP BY city, state", "wrong-groups"),
        ("average delay per city", "GROUP BY", "WHERE city IN ('Berlin', 'Paris') GROUP BY", "dropped-groups"),
        ("average delay per city", "SELECT city,", "SELECT UPPER(city) AS city,", "wrong-column"),
        ("number of deliveries per city in July 2025", ">= '2025-07-01'", "> '2025-07-01'", "wrong-period"),
        ("number of deliveries per city in July 2025", "< '2025-08-01'", "<= '2025-08-01'", "wrong-period"),
        (
            "number of deliveries per city in July 2025",
            "WHERE sent >= '2025-07-01' AND sent < '2025-08-01' ",
            "",
            "ignored-period",
        ),
        (
            "number of deliveries per city in July 2025",
            "FROM deliveries",
            "FROM (SELECT * FROM deliveries UNION ALL SELECT * FROM deliveries) AS twice",
            "wrong-values",
        ),
        ("total price of express deliveries per state", "WHERE express ", "", "ignored-filter"),
        ("total price of express deliveries per state", "WHERE express", "WHERE NOT express", "wrong-values"),
        ("total price of express deliveries per state", "SUM(price)", "AVG(price)", "wrong-values"),
        (
            "total price of express deliveries per state",
            "FROM deliveries",
            "FROM (SELECT * FROM deliveries LIMIT 150) AS few",
            "dropped-rows",
        ),
        ("how many deliveries per city without a driver", "IS NULL", "IS NOT NULL", "wrong-nulls"),
        ("how many deliveries per city without a driver", "IS NULL", "= ''", "wrong-nulls"),
        ("how many different drivers per city", "DISTINCT ", "", "wrong-values"),
        ("drivers with at least 20 deliveries", "COUNT(*) >= 20", "2 * COUNT(*) >= 20", "wrong-bound"),
        ("average delay per city", "GROUP BY city", "GROUP BY city LIMIT 1000 OFFSET 1", "dropped-rows"),
        ("code and pages where pages are more than the limit pages", ">", ">=", "wrong-bound"),
        ("drivers with at least 20 deliveries", ">= 20", "> 20", "wrong-bound"),
        (
            "top 3 deliveries of each city by price: city, code, price",
            " QUALIFY ROW_NUMBER() OVER (PARTITION BY city ORDER BY price DESC) <= 3",
            "",
            "too-many",
        ),
        ("top 3 deliveries of each city by price: city, code, price", "<= 3", "< 3", "too-few"),
        ("the 5 highest prices with their code", "LIMIT 5", "LIMIT 4", "too-few"),
        ("the 5 highest prices with their code", "DESC", "ASC", "out-of-order"),
        ("code and price, highest price first", "ORDER BY price", "ORDER BY CAST(price AS VARCHAR)", "out-of-order"),
    ],
)
def test_a_wrong_answer_is_named(request_text: str, old: str, new: str, rule: str) -> None:
    assert old in RIGHT[request_text]

    named, _evidence = found(request_text, RIGHT[request_text].replace(old, new))

    assert named == rule


def test_what_could_be_checked_is_evidence_and_the_shape_of_an_answer_alone_is_none() -> None:
    _, content = found("average delay per city", RIGHT["average delay per city"])
    _, shape = found("price and code, highest price first", RIGHT["code and price, highest price first"])

    assert "stated: average" in content
    assert shape == ()
