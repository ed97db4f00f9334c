"""States of rows, short forms of values, and which of several dates is meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from synth.request import Refusal, Request, Task
from synth.schema import Field, Schema, Table
from synth.understand import understand

NOW = datetime(2024, 7, 15, 12, tzinfo=UTC)


def _field(name: str, kind: str = "string", *, nulls: int = 0, distinct: int = 0) -> Field:
    return Field(name, kind, values=100, nulls=nulls, distinct=distinct or 100)


def _words(name: str, *vocabulary: str, nulls: int = 0) -> Field:
    return Field(name, "string", values=100, nulls=nulls, distinct=len(vocabulary), vocabulary=vocabulary)


BUILDS = Table(
    "builds",
    (
        _field("build_id", "int64"),
        _words("repo", "api", "web"),
        _words("branch", "main", "develop", "release/2.1"),
        _field("started_at", "timestamp[us]"),
        _field("finished_at", "timestamp[us]", nulls=10),
        _field("retries", "int64", distinct=5),
        _field("is_flaky", "bool", distinct=2),
    ),
    100,
)
INVOICES = Table(
    "invoices",
    (
        _field("invoice_no"),
        _words("client", "Acme GmbH", "Birch Ltd", "New Foods", "Marta Klein"),
        _field("issued_on", "date32[day]"),
        _field("due_on", "date32[day]"),
        _field("paid_on", "date32[day]", nulls=30),
        _field("net_amount", "decimal128(10, 2)"),
        _field("cost_share", "double"),
    ),
    100,
)
DELIVERIES = Table(
    "deliveries",
    (
        _field("tracking_id"),
        _words("courier", "Ines", "Omar"),
        _field("picked_up_at", "timestamp[us]"),
        _field("delivered_at", "timestamp[us]", nulls=10),
        _field("promised_date", "date32[day]"),
        _field("rating", "int64", nulls=20, distinct=5),
        _field("damaged", "bool", distinct=2),
    ),
    100,
)
SHIPMENTS = Table(
    "shipments",
    (
        _field("tracking_no"),
        _words("carrier", "GLS", "UPS"),
        _field("shipped_at", "timestamp[us]"),
        _field("delivered_at", "timestamp[us]", nulls=10),
        _field("cancelled", "bool", distinct=2),
    ),
    100,
)
CONTRACTS = Table(
    "contracts",
    (
        _field("contract_no"),
        _words("owner", "IT", "Legal"),
        _field("signed_on", "date32[day]"),
        _field("expires_on", "date32[day]"),
        _field("annual_cost", "int64"),
    ),
    100,
)
ADS = Table(
    "ads",
    (
        _field("date", "date32[day]"),
        _words("channel", "Radio", "Press"),
        _field("clicks", "int64"),
        _field("spend", "decimal128(10, 2)"),
        _field("revenue", "decimal128(10, 2)"),
    ),
    100,
)
TABLES = {t.name: t for t in (BUILDS, INVOICES, DELIVERIES, SHIPMENTS, CONTRACTS, ADS)}

READ = [
    (
        "builds",
        "builds per month in 2023",
        "number of rows per month of started_at where started_at >= 2023-01-01 and started_at < 2024-01-01, "
        "by month of started_at, lowest first",
    ),
    ("builds", "builds finished in May 2024", "finished_at >= 2024-05-01 and finished_at < 2024-06-01"),
    ("builds", "builds retried at least twice", "where retries >= 2"),
    ("builds", "builds on the release branch", "branch is release/2.1 ('release' read as 'release/2.1')"),
    ("invoices", "open invoices", "where paid_on is empty (open: paid_on is empty)"),
    ("invoices", "settled invoices per client", "number of rows per client where paid_on is not empty"),
    ("invoices", "invoices paid late", "paid_on > due_on (late by paid_on and due_on)"),
    ("invoices", "invoices from acme", "client is Acme GmbH ('acme' read as 'Acme GmbH')"),
    ("invoices", "invoices due in the next 14 days", "due_on >= 2024-07-15 and due_on < 2024-07-30"),
    ("deliveries", "late deliveries", "where day of delivered_at > promised_date"),
    ("deliveries", "unrated parcels", "where rating is empty"),
    (
        "deliveries",
        "average rating per courier, damaged deliveries left out",
        "average of rating per courier where damaged is False",
    ),
    ("deliveries", "damage rate by courier", "number of rows where damaged is True / number of rows per courier"),
    (
        "shipments",
        "cancellation rate by carrier",
        "number of rows where cancelled is True / number of rows per carrier",
    ),
    ("shipments", "shipments in March 2024", "shipped_at >= 2024-03-01 and shipped_at < 2024-04-01"),
    ("shipments", "shipments delivered in March 2024", "delivered_at >= 2024-03-01 and delivered_at < 2024-04-01"),
    ("contracts", "contracts expiring before the end of the year", "where expires_on < 2025-01-01"),
    (
        "contracts",
        "contracts expiring between now and the end of September",
        "expires_on >= 2024-07-15 and expires_on < 2024-10-01",
    ),
    ("contracts", "contracts of Legal sorted by expiry date", "by expires_on, lowest first"),
    ("ads", "spend versus revenue per channel", "sum of spend, sum of revenue per channel"),
    (
        "contracts",
        "contracts signed in the first two months of 2023",
        "signed_on >= 2023-01-01 and signed_on < 2023-03-01",
    ),
    (
        "contracts",
        "contracts signed in the first week of May 2023",
        "signed_on >= 2023-05-01 and signed_on < 2023-05-08",
    ),
    ("contracts", "contracts signed in the 90s", "signed_on >= 1990-01-01 and signed_on < 2000-01-01"),
    ("deliveries", "deliveries picked up on 2024-06-01 or later", "where picked_up_at >= 2024-06-01"),
    (
        "deliveries",
        "the 2 couriers with the most deliveries",
        "number of rows per courier, by number of rows, highest first",
    ),
    ("deliveries", "deliveries of Ines in May 2024, rating desc", "7 columns of deliveries where courier is Ines"),
    (
        "builds",
        "percentage of flaky builds by month, for the web repo",
        "100 * (number of rows where is_flaky is True / number of rows) per month of started_at where repo is web",
    ),
    ("contracts", "contracts expiring within 30 days", "expires_on >= 2024-07-15 and expires_on < 2024-08-15"),
    ("builds", "builds retried 3 or more times", "where retries >= 3"),
    ("ads", "clicks per channel", "sum of clicks per channel"),
]
REFUSED = [
    ("invoices", "new invoices", "not-understood"),
    ("deliveries", "average rating per courier, at least 10 rated deliveries", "not-understood"),
    ("deliveries", "builds that were left out", "not-understood"),
    ("contracts", "open contracts", "not-understood"),
    ("contracts", "late contracts", "not-understood"),
    ("contracts", "which owner spends the most on paper?", "not-understood"),
]


def _ask(where: str, text: str) -> object:
    return understand(Task(Request(text, NOW), Schema((TABLES[where],)), "table", "duckdb", "csv"))


@pytest.mark.parametrize(("where", "text", "reading"), READ)
def test_a_state_or_short_form_is_read_and_said_back(where: str, text: str, reading: str) -> None:
    answer = _ask(where, text)

    assert reading in getattr(answer, "reading", f"refused: {answer}")


@pytest.mark.parametrize(("where", "text", "rule"), REFUSED)
def test_what_no_column_tells_is_turned_down(where: str, text: str, rule: str) -> None:
    answer = _ask(where, text)

    assert isinstance(answer, Refusal), answer
    assert answer.rule == rule
