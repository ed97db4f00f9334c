"""What befell rows and when, what part of them, and who did it: each request beside a statement written by hand."""

# ruff: noqa: E501 (a statement reads best on one line)

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache

import duckdb
import pytest

from synth.request import Refusal
from synth.schema import Relation
from tests.synth.understand.worlds import World, _fill, _schema


@cache
def invoices() -> World:
    """One table of invoices; some are paid, a few refunded."""
    r = random.Random(11)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for n in range(1, 120):
        issued = date(2026, 1, 1) + timedelta(days=r.randrange(0, 300))
        paid = None if n % 4 == 0 else issued + timedelta(days=r.randrange(1, 60))
        rows.append(
            (
                f"F{n:03}",
                r.choice(["Acme", "Birch", "Cole"]),
                r.choice(["Berlin", "Oslo"]),
                issued,
                issued + timedelta(days=30),
                paid,
                100 + n * 3,
                10 + n,
                n % 7 == 0,
                r.choice(["card", "cash", "wire"]),
            )
        )
    _fill(
        c,
        "CREATE TABLE invoices (invoice_no VARCHAR, client VARCHAR, city VARCHAR, issued DATE, due DATE, paid_on DATE, amount INTEGER, tax INTEGER, refunded BOOLEAN, method VARCHAR)",
        rows,
    )
    return World(c, _schema(c, {"invoices": "invoice_no"}))


@cache
def tickets() -> World:
    """One table of tickets with three moments each."""
    r = random.Random(12)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for n in range(1, 120):
        opened = datetime(2026, 1, 1, 9) + timedelta(hours=r.randrange(0, 4000))
        closed = None if n % 3 == 0 else opened + timedelta(hours=r.randrange(1, 90))
        rows.append(
            (
                n,
                r.choice(["Ann", "Bo", "Cy"]),
                r.choice(["Mia", "Noa"]),
                "urgent" if n % 5 == 0 else "low",
                "closed" if closed else r.choice(["open", "waiting"]),
                opened,
                opened + timedelta(hours=1),
                closed,
                r.randrange(0, 9),
            )
        )
    _fill(
        c,
        "CREATE TABLE tickets (ticket_id INTEGER, requester VARCHAR, agent VARCHAR, priority VARCHAR, status VARCHAR, opened_at TIMESTAMP, first_reply_at TIMESTAMP, closed_at TIMESTAMP, replies INTEGER)",
        rows,
    )
    return World(c, _schema(c, {"tickets": "ticket_id"}))


@cache
def projects() -> World:
    """Developers, projects, and who works on what."""
    r = random.Random(13)
    c = duckdb.connect()
    people = ["Ann Low", "Bo Reed", "Cy Gale", "Di Moss", "Ed Nash"]
    _fill(
        c,
        "CREATE TABLE developers (id INTEGER, name VARCHAR, team VARCHAR, joined DATE, salary INTEGER)",
        [(n, p, r.choice(["Core", "Web"]), date(2018 + n, 3, 1), 50000 + n) for n, p in enumerate(people, 1)],
    )
    titles = ["Apollo", "Borealis", "Comet", "Dune"]
    _fill(
        c,
        "CREATE TABLE projects (id INTEGER, title VARCHAR, client VARCHAR, budget INTEGER)",
        [(n, t, "Acme" if n % 2 else "Globex", 1000 * n) for n, t in enumerate(titles, 1)],
    )
    work = [
        (n, 1 + n % 4, 1 + n % 3, r.choice(["lead", "tester"]), r.randrange(5, 90), date(2025, 1 + n % 12, 2))
        for n in range(1, 40)
    ]
    _fill(
        c,
        "CREATE TABLE assignments (id INTEGER, developer_id INTEGER, project_id INTEGER, role VARCHAR, hours INTEGER, assigned_on DATE)",
        work,
    )
    relations = (
        Relation("assignments", ("developer_id",), "developers", ("id",), True),
        Relation("assignments", ("project_id",), "projects", ("id",), True),
    )
    return World(c, _schema(c, {"developers": "id", "projects": "id", "assignments": "id"}, relations))


WORLDS = {"invoices": invoices, "tickets": tickets, "projects": projects}


@pytest.mark.parametrize(
    ("where", "text", "sql"),
    [
        ("invoices", "payments in March", "SELECT * FROM invoices WHERE paid_on >= '2026-03-01' AND paid_on < '2026-04-01'"),
        ("invoices", "latest payment of each client", "SELECT * FROM invoices WHERE paid_on IS NOT NULL QUALIFY rank() OVER (PARTITION BY client ORDER BY paid_on DESC) = 1"),
        ("invoices", "total paid per client in 2026", "SELECT client, sum(amount) FROM invoices WHERE year(paid_on) = 2026 GROUP BY 1"),
        ("invoices", "refund rate per client", "SELECT client, avg(refunded::INT) FROM invoices GROUP BY 1"),
        ("invoices", "average days to pay per client", "SELECT client, avg(paid_on - issued) FROM invoices GROUP BY 1"),
        ("invoices", "ratio of tax to amount per client", "SELECT client, sum(tax) / sum(amount) FROM invoices GROUP BY 1"),
        ("invoices", "amount plus tax above 300", "SELECT * FROM invoices WHERE amount + tax > 300"),
        ("invoices", "total amount plus tax per client", "SELECT client, sum(amount + tax) FROM invoices GROUP BY 1"),
        ("invoices", "invoices where tax is more than 30 percent of the amount", "SELECT * FROM invoices WHERE tax > 0.3 * amount"),
        ("invoices", "what share of invoices from Berlin were refunded", "SELECT avg(refunded::INT) FROM invoices WHERE city = 'Berlin'"),
        ("invoices", "clients with no overdue invoices", "SELECT client FROM invoices GROUP BY 1 HAVING count(*) FILTER (due < '2026-11-24' AND paid_on IS NULL) = 0"),
        ("tickets", "share of urgent tickets that are still open", "SELECT count(*) FILTER (closed_at IS NULL AND status = 'open') / count(*) FROM tickets WHERE priority = 'urgent'"),
        ("tickets", "tickets opened on a Monday", "SELECT * FROM tickets WHERE isodow(opened_at) = 1"),
        ("tickets", "average time to first reply", "SELECT avg(date_diff('second', opened_at, first_reply_at)) / 3600 FROM tickets"),
        ("tickets", "tickets closed in March 2026", "SELECT * FROM tickets WHERE closed_at >= '2026-03-01' AND closed_at < '2026-04-01'"),
        ("projects", "who worked on Apollo", "SELECT DISTINCT d.name FROM developers d JOIN assignments a ON a.developer_id = d.id WHERE a.project_id = 1"),
        ("projects", "who is working on Comet as lead", "SELECT DISTINCT d.name FROM developers d JOIN assignments a ON a.developer_id = d.id WHERE a.project_id = 3 AND role = 'lead'"),
        ("projects", "which developers worked on Apollo", "SELECT * FROM developers WHERE id IN (SELECT developer_id FROM assignments WHERE project_id = 1)"),
        ("projects", "projects without developers", "SELECT * FROM projects WHERE id NOT IN (SELECT project_id FROM assignments)"),
    ],
)  # fmt: skip
def test_the_answer_is_that_of_the_statement(where: str, text: str, sql: str) -> None:
    world = WORLDS[where]()

    understood = world.ask(text)

    assert not isinstance(understood, Refusal), understood
    assert _rows(world.run(understood.plan)) == _rows(world.truth(sql)), understood.reading


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("invoices", "clients whose invoices were all paid"),
        ("invoices", "share of amount paid by card in Berlin"),
        ("invoices", "top 3 clients by amount plus tax"),
        ("invoices", "ratio of tax to amount"),
        ("tickets", "tickets that waited more than 2 hours"),
    ],
)
def test_what_may_mean_two_things_is_asked_back(where: str, text: str) -> None:
    understood = WORLDS[where]().ask(text)

    assert isinstance(understood, Refusal), understood.reading


def _rows(rows: list[tuple[object, ...]]) -> Counter[tuple[object, ...]]:
    return Counter(tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in rows)
