"""What is said back, and which constants a user can vary."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from synth.plan import Value
from synth.request import Request, Task
from synth.schema import Field, Schema, Table
from synth.understand import Understood, understand
from synth.understand.numbers_and_dates import Calendar, converted, quantity_at
from synth.understand.words import lemma, spelled, stem, tokens_of, words_of_name
from tests.synth.understand.worlds import NOW, world


def _read(where: str, text: str) -> Understood:
    answer = world(where).ask(text)
    assert isinstance(answer, Understood), answer
    return answer


def test_a_plan_is_said_back_in_plain_words() -> None:
    answer = _read("shop", "revenue per customer over 100 EUR, last 30 days, highest first")

    assert answer.reading == (
        "sum of orders.total per customers.name where orders.placed_at >= 2026-10-25, "
        "only groups where sum of orders.total > 100, by sum of orders.total, highest first"
    )
    assert 0.5 <= answer.confidence <= 1


def test_dates_thresholds_and_names_become_parameters() -> None:
    plan = _read("shop", "the 3 biggest orders from Germany over 100 placed since March 2026").plan

    values = {v.parameter: v.value for v in plan.values()}
    assert values == {"country": "Germany", "minimum": Decimal(100), "since": date(2026, 3, 1), "limit": 3}


def test_parameters_have_names_of_their_own() -> None:
    plan = _read(
        "shop",
        "orders over 100 that are cancelled or returned and shipped_at after 2026-01-01 and placed_at after 2025-01-01",
    ).plan

    names = [v.parameter for v in plan.values()]
    assert len(names) == len(set(names)) == 5


def test_a_month_without_a_year_is_a_month_of_any_year_and_says_so() -> None:
    answer = _read("shop", "orders in March")

    assert "any year" in answer.reading
    assert [v.value for v in answer.plan.values()] == [3]


def test_outputs_are_named_for_what_they_are() -> None:
    plan = _read("shop", "number of orders, total revenue and average order value per country").plan

    assert [o.name for o in plan.outputs] == ["country", "count", "total_revenue", "average_total"]


def test_aware_times_are_compared_with_aware_times() -> None:
    plan = _read("weblog", "requests since yesterday").plan

    (value,) = plan.values()
    assert value == Value(datetime(2026, 11, 23, tzinfo=UTC), "since")


def test_every_spelling_that_is_stored_is_meant() -> None:
    fields = (Field("state", "string", vocabulary=("Cancelled", "canceled", "open")), Field("n", "int64"))
    task = Task(Request("cancelled rows", NOW), Schema((Table("t", fields),)), "table", "duckdb", "csv")

    answer = understand(task)

    assert isinstance(answer, Understood)
    assert {v.value for v in answer.plan.values()} >= {"Cancelled"}


def test_words_on_signing_in_are_left_to_the_connector() -> None:
    plain = _read("shop", "orders over 100")

    signed = _read("shop", "orders over 100, using the bearer token in $API_TOKEN")

    assert signed.plan == plain.plan


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,000", "1000", ""),
        ("1.5k", "1500", ""),
        ("2 million", "2000000", ""),
        ("100 EUR", "100", "EUR"),
        ("€50", "50", "EUR"),
        ("15%", "15", "%"),
        ("a dozen", "12", ""),
        ("twenty five", "25", ""),
        ("half a million", "500000", ""),
        ("30 minutes", "30", "min"),
        ("30°C", "30", "°C"),
        ("5kg", "5", "kg"),
        ("-3", "-3", ""),
    ],
)
def test_numbers_are_read_with_their_units(text: str, value: str, unit: str) -> None:
    quantity = quantity_at(tokens_of(text)[1], 0)

    assert quantity is not None
    assert (quantity.value, quantity.unit) == (Decimal(value), unit)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2021-03-05", "2021-03-05", "2021-03-06"),
        ("March 2021", "2021-03-01", "2021-04-01"),
        ("5 March 2021", "2021-03-05", "2021-03-06"),
        ("March 5th, 2021", "2021-03-05", "2021-03-06"),
        ("05.03.2021", "2021-03-05", "2021-03-06"),
        ("2021", "2021-01-01", "2022-01-01"),
        ("Q2 2023", "2023-04-01", "2023-07-01"),
        ("second half of 2023", "2023-07-01", "2024-01-01"),
        ("the 1990s", "1990-01-01", "2000-01-01"),
        ("last 30 days", "2026-10-25", "None"),
        ("past week", "2026-11-17", "None"),
        ("last week", "2026-11-16", "2026-11-23"),
        ("yesterday", "2026-11-23", "2026-11-24"),
        ("this month", "2026-11-01", "2026-12-01"),
        ("last quarter", "2026-07-01", "2026-10-01"),
        ("year to date", "2026-01-01", "2026-11-25"),
        ("previous 6 months", "2026-05-24", "None"),
        ("last Monday", "2026-11-23", "2026-11-24"),
        ("last year", "2025-01-01", "2026-01-01"),
    ],
)
def test_periods_are_half_open(text: str, start: str, end: str) -> None:
    tokens = tokens_of(text.removeprefix("the "))[1]

    period = Calendar(NOW).period_at(tokens, 0)

    assert period is not None
    assert (str(period.start), str(period.end), period.length) == (start, end, len(tokens))


def test_units_convert_only_within_a_kind() -> None:
    assert converted(Decimal(2), "kg", "g") == 2000
    assert converted(Decimal(90), "min", "h") == Decimal("1.5")
    assert converted(Decimal(2), "kg", "m") is None


def test_names_and_words_come_apart_into_the_same_forms() -> None:
    assert words_of_name("orderDate") == words_of_name("Order Date") == words_of_name("order_date") == ("order", "date")
    assert spelled("Total Revenue (EUR)") == "total_revenue_eur"
    assert lemma("categories") == "category"
    assert stem("hired") == stem("hire")
    assert stem("shipped") == stem("shipping")
