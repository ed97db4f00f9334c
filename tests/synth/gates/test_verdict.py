"""The verdict is honest: wrong closures are caught and named by a gate, right ones pass, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.memory import Memory
from sandbox.job import Sandbox
from sandbox.open import open_sandbox
from synth.models.builtin import Builtin
from synth.models.scripted import Scripted
from synth.models.text_writer import TextWriter
from synth.outcome import Outcome
from synth.pipeline import Tools, ask
from synth.request import Request
from synth.schema import Field, Table
from synth.sources.duck import DuckDoors, DuckSource, doors_over
from tests.services import Server

NOW = datetime(2026, 4, 1, tzinfo=UTC)
ORDERS = Table(
    "orders",
    (
        Field("id", "int64"),
        Field("customer", "string"),
        Field("city", "string"),
        Field("total", "decimal128(10, 2)"),
        Field("fee", "decimal128(10, 2)"),
        Field("placed", "date32[day]"),
    ),
)
CITIES = ["Berlin", "Paris", "Oslo", "Porto", "Lyon"]


def source() -> DuckSource:
    rows = pa.table(
        {
            "id": list(range(1, 401)),
            "customer": [f"C{i % 37:02d}" for i in range(400)],
            "city": [CITIES[i % 5] for i in range(400)],
            "total": pa.array([Decimal(i * 37 % 900) + Decimal("0.25") for i in range(400)], pa.decimal128(10, 2)),
            "fee": pa.array([Decimal(i * 11 % 70) for i in range(400)], pa.decimal128(10, 2)),
            "placed": [date(2025, 1, 1) + timedelta(days=i) for i in range(400)],
        }
    )
    doors = DuckDoors()
    doors.add_arrow(ORDERS, rows)
    return DuckSource("orders", "csv", doors, tables=[ORDERS])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox()
    yield opened
    opened.close()


def asked(request: str, replies: list[str], sandbox: Sandbox, memory: Memory | None = None) -> Outcome:
    writer = TextWriter(Scripted([f"```python\n{r}\n```" for r in replies]))
    return ask(Request(request, NOW), source(), Tools([writer], sandbox, memory))


PER_CITY = "sum of total per city"
RIGHT = """
def closure(source):
    yield from source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city")
"""
RIGHT_IN_PYTHON = """
from decimal import Decimal

def closure(source):
    totals = {}
    for row in source.query("SELECT city, total FROM orders"):
        if row["total"] is not None:
            totals[row["city"]] = totals.get(row["city"], Decimal(0)) + row["total"]
        else:
            totals.setdefault(row["city"], None)
    for city, total in totals.items():
        yield {"city": city, "revenue": total}
"""
WRONG = {
    "the wrong column": (
        "wrong-values",
        'def closure(source):\n    yield from source.query("SELECT city, SUM(fee) AS total FROM orders GROUP BY city")\n',
    ),
    "the wrong aggregate": (
        "wrong-values",
        'def closure(source):\n    yield from source.query("SELECT city, MAX(total) AS total FROM orders GROUP BY city")\n',
    ),
    "dropped rows": (
        "wrong-values",
        'def closure(source):\n    yield from source.query("SELECT city, SUM(total) AS total FROM orders WHERE id < 390 GROUP BY city")\n',
    ),
    "a dropped group": (
        "dropped-rows",
        """def closure(source):
    for row in source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city"):
        if row["city"] != "Oslo":
            yield row
""",
    ),
    "a limit that nobody asked for": (
        "unasked-limit",
        'def closure(source):\n    yield from source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city LIMIT 3")\n',
    ),
    "values copied from the sample": (
        "hard-coded",
        """def closure(source):
    list(source.query("SELECT 1 AS one FROM orders"))
    for city in ["Berlin", "Paris", "Oslo", "Porto", "Lyon"]:
        yield {"city": city, "total": 1}
""",
    ),
    "a swallowed exception": (
        "swallowed-exception",
        """def closure(source):
    try:
        rows = list(source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city"))
    except Exception:
        rows = []
    yield from rows
""",
    ),
    "a parameter that does nothing": (
        "ignored-parameter",
        'def closure(source, *, city: str = "Berlin"):\n'
        '    yield from source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city")\n',
    ),
    "records of different shape": (
        "fields-differ",
        """def closure(source):
    for n, row in enumerate(source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city")):
        yield row if n else {"city": row["city"]}
""",
    ),
    "an exception": (
        "raised",
        'def closure(source):\n    for row in source.query("SELECT city FROM orders"):\n        yield {"city": row["town"]}\n',
    ),
    "an import that is not allowed": ("", "import os\n\ndef closure(source):\n    yield {'a': os.getpid()}\n"),
    "SQL that writes": ("raised", 'def closure(source):\n    yield from source.query("DELETE FROM orders")\n'),
}


@pytest.mark.parametrize("code", [RIGHT, RIGHT_IN_PYTHON], ids=["in SQL", "in Python"])
def test_a_right_closure_passes_every_gate(code: str, sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = asked(PER_CITY, [code], sandbox, Memory(tmp_path))

    assert outcome.status == "ok", outcome.message
    assert outcome.answer
    assert len(outcome.answer.records) == 5
    assert outcome.answer.completeness.state == "complete"
    assert outcome.last
    assert outcome.last.verdict
    assert [r.gate for r in outcome.last.verdict.reports] == [
        "policy",
        "runs",
        "typed",
        "faithful",
        "repeatable",
        "bounded",
    ]


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_closure_is_caught_and_named(what: str, sandbox: Sandbox) -> None:
    rule, code = WRONG[what]

    outcome = asked(PER_CITY, [code], sandbox)

    assert outcome.status == "failed"
    assert outcome.attempts[0].verdict
    rules = [f.rule for f in outcome.attempts[0].verdict.findings]
    assert rules
    assert rule in ("", *rules)


def test_a_wrong_bound_is_caught(sandbox: Sandbox) -> None:
    code = 'def closure(source):\n    yield from source.query("SELECT id FROM orders WHERE total > 100.25")\n'

    outcome = asked("id of orders where total is at least 100.25", [code], sandbox)

    assert outcome.status == "failed"
    assert "dropped-rows" in outcome.message


def test_a_draft_is_mended_by_its_findings(sandbox: Sandbox) -> None:
    outcome = asked(PER_CITY, [WRONG["the wrong column"][1], RIGHT], sandbox)

    assert outcome.status == "ok"
    assert len(outcome.attempts) == 2


def test_a_reply_without_a_closure_is_an_honest_no(sandbox: Sandbox) -> None:
    outcome = ask(
        Request(PER_CITY, NOW), source(), Tools([TextWriter(Scripted(["I cannot help with that."]))], sandbox, None)
    )

    assert outcome.status == "refused"
    assert "gave no closure" in outcome.message


def test_what_was_kept_replays_offline_and_is_recalled(sandbox: Sandbox, tmp_path: Path) -> None:
    from synth.offline import replays_as_recorded

    memory = Memory(tmp_path)
    outcome = asked(PER_CITY, [RIGHT], sandbox, memory)
    scripted = Scripted([f"```python\n{RIGHT}\n```"])

    ask(Request("total by city, summed", NOW), source(), Tools([TextWriter(scripted)], sandbox, memory))

    assert replays_as_recorded(Path(outcome.closure_folder), sandbox)
    assert "SUM(total)" in scripted.asked[0][1]["content"]


ORDERED = "sum of total per city, highest first"
SILENT = """
def closure(source):
    for row in source.query("SELECT city, SUM(total) AS total FROM orders GROUP BY city"):
        try:
            yield {"city": row["city"], "total": row["total"] + 0}
        except TypeError:
            pass
"""
SLICED = """
def closure(source):
    rows = list(source.query("SELECT id, total FROM orders"))
    for row in rows[:300]:
        yield row
"""


@pytest.mark.parametrize(
    ("request_text", "code", "rule"),
    [
        (ORDERED, RIGHT.replace("GROUP BY city", "GROUP BY city ORDER BY total"), "out-of-order"),
        (PER_CITY, SILENT, "swallowed-exception"),
        ("id and total of all orders", SLICED, "unasked-limit"),
    ],
    ids=["the wrong order", "records dropped in silence", "a slice that nobody asked for"],
)
def test_other_wrong_closures_are_named(request_text: str, code: str, rule: str, sandbox: Sandbox) -> None:
    outcome = asked(request_text, [code], sandbox)

    assert outcome.status == "failed"
    assert outcome.attempts[0].verdict
    assert rule in [f.rule for f in outcome.attempts[0].verdict.findings]


def test_ties_may_be_kept_or_cut_where_the_request_leaves_it_open(sandbox: Sandbox) -> None:
    cut = 'def closure(source):\n    yield from source.query("SELECT id, total FROM orders ORDER BY total DESC LIMIT 3")\n'
    kept = (
        'def closure(source):\n    yield from source.query("SELECT id, total FROM (SELECT id, total, RANK() OVER'
        ' (ORDER BY total DESC) AS place FROM orders) AS ranked WHERE place <= 3 ORDER BY total DESC")\n'
    )

    outcomes = [asked("top 3 orders by total, id and total", [code], sandbox) for code in (cut, kept)]

    assert [o.status for o in outcomes] == ["ok", "ok"], [o.message for o in outcomes]


def test_what_is_unsafe_goes_to_no_other_writer(sandbox: Sandbox) -> None:
    model = Scripted([f"```python\n{RIGHT}\n```"])

    outcome = ask(
        Request("delete all orders from Oslo", NOW), source(), Tools([Builtin(), TextWriter(model)], sandbox, None)
    )

    assert (outcome.status, model.asked) == ("refused", [])


def test_what_the_builtin_does_not_understand_goes_to_the_next_writer(sandbox: Sandbox) -> None:
    model = Scripted([f"```python\n{RIGHT}\n```"])

    outcome = ask(
        Request("the usual question again, per city", NOW),
        source(),
        Tools([Builtin(), TextWriter(model)], sandbox, None),
    )

    # Nobody else understood the request, so that nothing could confirm the model's draft.
    assert (outcome.status, [a.writer for a in outcome.attempts]) == ("unconfirmed", ["builtin", "scripted"])


def worlds() -> int:
    count = "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'world_%'"
    with closing(doors_over([], {})) as doors:
        row = doors.connection.execute(count).fetchone()
    assert row
    return int(row[0])


def test_judging_leaves_no_rows_behind(sandbox: Sandbox) -> None:
    before = worlds()

    asked(PER_CITY, [RIGHT], sandbox)

    assert worlds() == before


def test_a_closure_kept_with_other_values_replays_with_its_defaults(sandbox: Sandbox, tmp_path: Path) -> None:
    from synth.offline import replays_as_recorded

    request = Request("orders where total is at least 100", NOW, parameters={"minimum": "700"})

    outcome = ask(request, source(), Tools([Builtin()], sandbox, Memory(tmp_path)))

    assert outcome.status == "ok", outcome.message
    assert outcome.answer
    assert all(Decimal(str(r["total"])) >= 700 for r in outcome.answer.records)
    assert replays_as_recorded(Path(outcome.closure_folder), sandbox)


def test_a_closure_over_joined_tables_of_a_server_replays(sandbox: Sandbox, postgres: Server, tmp_path: Path) -> None:
    import psycopg

    from synth.offline import replays_as_recorded
    from synth.opening import open_one
    from synth.source import OpenOptions

    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE replays")
    with psycopg.connect(postgres.url("replays")) as connection:
        connection.execute("CREATE TABLE cities (id int PRIMARY KEY, name text)")
        connection.execute("CREATE TABLE visits (id int PRIMARY KEY, city_id int REFERENCES cities, minutes int)")
        connection.execute("INSERT INTO cities SELECT n, 'city ' || n FROM generate_series(1, 5) n")
        connection.execute("INSERT INTO visits SELECT n, n % 5 + 1, n * 10 FROM generate_series(1, 60) n")

    opened = open_one(postgres.url("replays"), OpenOptions())
    request = Request("average minutes of visits per city name", NOW)
    outcome = ask(request, opened, Tools([Builtin()], sandbox, Memory(tmp_path)))
    opened.close()

    assert outcome.status == "ok", outcome.message
    assert "JOIN" in outcome.attempts[-1].written.code  # type: ignore[union-attr]  # a draft
    assert replays_as_recorded(Path(outcome.closure_folder), sandbox)
