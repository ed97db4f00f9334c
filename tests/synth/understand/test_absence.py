"""Rows without some rows, and words that a plan must not lose."""

from __future__ import annotations

import pytest

from synth.request import Refusal
from synth.understand import Understood
from synth.understand.spans import spelled_spans
from synth.understand.vocabulary import FILLER
from tests.synth.understand.worlds import world

WITHOUT = [
    (
        "shop",
        "customers with no cancelled orders",
        "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE status = 'cancelled')",
    ),
    (
        "shop",
        "customers without orders in 2025",
        "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE year(placed_at) = 2025)",
    ),
]
LOST = [
    ("shop", "customers who never ordered and bought a kettle"),
    ("shop", "customers with orders in 2025 but not in 2026"),
    ("shop", "which customers have only cancelled orders"),
    ("shop", "status breakdown"),
    ("shop", "returning customers from Berlin"),
    ("shop", "order line items of order 3 on loan"),
]
# Requests of which every word but function words and the name of the rows says something.
TELLING = [
    ("shop", "customers with no cancelled orders"),
    ("shop", "active customers from Germany without email"),
    ("shop", "cancelled orders in 2025"),
    ("shop", "average price per category"),
    ("shop", "products in Furniture under 100"),
    ("library", "horror books with over 300 pages"),
    ("library", "number of loans per genre in 2024"),
]
SPANS = [
    ("sales in Q3 or Q4 of 2023", "sales in Q3 2023 or Q4 2023"),
    ("signed in January or February 2024", "signed in January 2024 or February 2024"),
    ("signed in the last quarter of 2024", "signed in Q4 2024"),
    ("signed in the last 2 weeks of 2024", "signed between 2024-12-18 and 2024-12-31"),
    ("in the first two months of 2023", "between 2023-01-01 and 2023-02-28"),
    ("in the last week of March 2024", "between 2024-03-25 and 2024-03-31"),
    ("signed in the last month of 2023", "signed in December 2023"),
    ("in the first half of 2024", "in the first half of 2024"),
    ("in the second half of 2024", "in the second half of 2024"),
    ("the last 30 days of rain", "the last 30 days of rain"),
    ("the last month", "the last month"),
]


@pytest.mark.parametrize(("where", "request_text", "sql"), WITHOUT)
def test_what_is_said_of_the_missing_partner_is_kept(where: str, request_text: str, sql: str) -> None:
    understood = world(where).ask(request_text)

    assert isinstance(understood, Understood), understood
    names = [o.name for o in understood.plan.outputs]
    got = {row[names.index("name")] for row in world(where).run(understood.plan)}
    assert got == {name for (name,) in world(where).truth(sql)}
    assert got


@pytest.mark.parametrize(("where", "request_text"), LOST)
def test_what_would_lose_a_word_is_refused(where: str, request_text: str) -> None:
    answer = world(where).ask(request_text)

    assert isinstance(answer, Refusal)


@pytest.mark.parametrize(("said", "spelled"), SPANS)
def test_a_time_said_in_two_halves_is_spelled_out(said: str, spelled: str) -> None:
    assert spelled_spans(said) == spelled


@pytest.mark.parametrize(("where", "request_text"), TELLING)
def test_no_word_is_silent(where: str, request_text: str) -> None:
    whole = world(where).ask(request_text)
    words = request_text.split()
    tables = {t.name for t in world(where).schema.tables}
    telling = [k for k, w in enumerate(words) if w not in (*FILLER, "per", *tables) and k]

    assert isinstance(whole, Understood), whole
    for k in telling:
        less = world(where).ask(" ".join(words[:k] + words[k + 1 :]))
        assert isinstance(less, Refusal) or less.plan != whole.plan, words[k]
