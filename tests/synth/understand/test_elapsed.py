"""How long it took: from which date to which, in which unit, and what is turned down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from synth.plan import Aggregate, Column, Compare, Elapsed, walk
from synth.plan_sql import can_say
from synth.request import Refusal, Request, Task
from synth.schema import Field, Schema, Table
from synth.understand import Understood, understand

TICKETS = Schema(
    (
        Table(
            "tickets",
            (
                Field("id", "int64", values=50, distinct=50),
                Field("status", "string", values=50, distinct=3, vocabulary=("waiting", "served", "closed")),
                Field("wait_minutes", "int64", values=50, distinct=30, least=0, most=400),
                Field("opened", "timestamp[us]", values=50, distinct=50),
                Field("closed_at", "timestamp[us]", nullable=True, values=50, nulls=5, distinct=45),
                Field("due", "date32[day]", values=50, distinct=20),
                Field("reported", "date32[day]", values=50, distinct=20),
            ),
            50,
            ("id",),
        ),
    )
)


def _ask(text: str) -> Understood | Refusal:
    return understand(Task(Request(text, datetime(2026, 1, 1, tzinfo=UTC)), TICKETS, "table", "duckdb", "csv"))


@pytest.mark.parametrize(
    ("text", "start", "end", "unit"),
    [
        ("average time to close", "opened", "closed_at", "hour"),
        ("longest tickets by hours", "", "", ""),
        ("median hours from opened to closed", "opened", "closed_at", "hour"),
        ("average days between reported and due per status", "reported", "due", "day"),
        ("average time between reported and due", "reported", "due", "day"),
        ("tickets where minutes between opened and closed is over 90", "opened", "closed_at", "minute"),
    ],
)
def test_both_ends_are_found(text: str, start: str, end: str, unit: str) -> None:
    understood = _ask(text)

    found = [n for n in walk(understood.plan) if isinstance(n, Elapsed)] if isinstance(understood, Understood) else []
    expected = [Elapsed(Column("tickets", start), Column("tickets", end), unit)] if start else []  # type: ignore[arg-type]  # from the table
    assert found == expected, understood


@pytest.mark.parametrize(
    "text", ["hours between reported and due", "average time to explode", "days between due and due"]
)
def test_what_cannot_be_told_is_refused(text: str) -> None:
    assert isinstance(_ask(text), Refusal)


def test_waited_is_how_long_and_not_a_state() -> None:
    understood = _ask("tickets that waited more than 2 hours")

    assert isinstance(understood, Understood), understood
    where = understood.plan.where
    assert isinstance(where, Compare)
    assert where.left == Column("tickets", "wait_minutes")
    assert [v.value for v in understood.plan.values()] == [120]


def test_only_duckdb_says_a_duration_alone() -> None:
    understood = _ask("average time to close")

    assert isinstance(understood, Understood)
    assert isinstance(understood.plan.outputs[0].of, Aggregate)
    assert [can_say(understood.plan, TICKETS, d) for d in ("duckdb", "postgres", "mysql", "sqlite")] == [
        True,
        False,
        False,
        False,
    ]
