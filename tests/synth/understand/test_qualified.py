"""Conditions and their logic, counting, what SQL leaves in people's language, and which of several rows or moments is meant."""

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
from synth.understand import Understood
from synth.understand.asides import restated
from synth.understand.sql_words import without_sql
from tests.synth.understand.worlds import PEOPLE, World, _fill, _schema


def _support() -> World:
    """Calls to a help line, nested as JSON would be: a caller's record in each of the calls."""
    r = random.Random(21)
    c = duckdb.connect()
    points = {name: 100 + 37 * n for n, name in enumerate(PEOPLE)}
    rows: list[tuple[object, ...]] = []
    for n in range(1, 141):
        name = r.choice(PEOPLE)
        at = datetime(2026, 11, 24, 9) - timedelta(minutes=613 * n + r.randrange(300))
        rows.append(
            (
                f"C{n:03}",
                at,
                at.date(),
                f"cl{PEOPLE.index(name):02}",
                name,
                points[name],
                r.choice(["basic", "plus", "premium"]),
                r.choice(["north", "south"]),
                r.choice(["north", "south"]),
                r.random() < 0.4,
                r.choice(["refund_requested", "card_blocked", "talk"]),
                None if r.random() < 0.1 else r.randrange(20, 3000),
                r.random() < 0.3,
            )
        )
    _fill(
        c,
        'CREATE TABLE calls (ref VARCHAR, started_at TIMESTAMP, day DATE, "caller.id" VARCHAR, "caller.name" VARCHAR, "caller.credit_points" INTEGER, '
        '"caller.tier" VARCHAR, "route.from.office" VARCHAR, "route.to.office" VARCHAR, "answer.recorded" BOOLEAN, topic VARCHAR, took_s INTEGER, "Call-back?" BOOLEAN)',
        rows,
    )
    return World(c, _schema(c, {"calls": "ref"}))


def _garage() -> World:
    """Machines, their deployments to sites, and firms that may have none."""
    r = random.Random(22)
    c = duckdb.connect()
    firms = [(n, f"Firm {chr(64 + n)}", r.choice(["Oslo", "Bergen"])) for n in range(1, 9)]
    machines = [(n, r.randrange(1, 7), ("crane", "drill")[n % 2], r.random() < 0.5) for n in range(1, 31)]
    _fill(c, "CREATE TABLE firms (firm_id INTEGER, name VARCHAR, city VARCHAR)", firms)
    _fill(c, "CREATE TABLE machines (machine_id INTEGER, firm_id INTEGER, kind VARCHAR, gps_enabled BOOLEAN)", machines)
    rows = [
        (
            n,
            r.randrange(1, 26),
            date(2026, 1, 1) + timedelta(days=r.randrange(300)),
            None if r.random() < 0.5 else date(2026, 11, 1) + timedelta(days=r.randrange(60)),
            None if r.random() < 0.2 else r.choice([0, 3, 12]),
        )
        for n in range(1, 91)
    ]
    _fill(
        c,
        "CREATE TABLE deployments (deployment_id INTEGER, machine_id INTEGER, posted DATE, closes DATE, people_hurt INTEGER)",
        rows,
    )
    relations = (
        Relation("machines", ("firm_id",), "firms", ("firm_id",), True),
        Relation("deployments", ("machine_id",), "machines", ("machine_id",), True),
    )
    keys = {"firms": "firm_id", "machines": "machine_id", "deployments": "deployment_id"}
    return World(c, _schema(c, keys, relations))


@cache
def _world(name: str) -> World:
    return {"support": _support, "garage": _garage}[name]()


CASES: list[tuple[str, str, str]] = [
    # yes-or-no columns as verbs and adjectives
    ("support", "calls with a call-back", 'SELECT * FROM calls WHERE "Call-back?"'),
    (
        "support",
        "how many call-back calls per topic",
        'SELECT topic, count(*) FROM calls WHERE "Call-back?" GROUP BY 1',
    ),
    ("support", "recorded calls", 'SELECT * FROM calls WHERE "answer.recorded"'),
    ("support", "calls that were not recorded", 'SELECT * FROM calls WHERE NOT "answer.recorded"'),
    ("support", "non recorded calls over 1000 s", 'SELECT * FROM calls WHERE NOT "answer.recorded" AND took_s > 1000'),
    (
        "support",
        "unrecorded calls of premium callers",
        """SELECT * FROM calls WHERE NOT "answer.recorded" AND "caller.tier" = 'premium'""",
    ),
    ("garage", "machines with gps enabled", "SELECT * FROM machines WHERE gps_enabled"),
    ("garage", "how many machines have enabled GPS?", "SELECT count(*) FROM machines WHERE gps_enabled"),
    ("garage", "machines with GPS disabled", "SELECT * FROM machines WHERE NOT gps_enabled"),
    ("garage", "cranes with gps enabled", "SELECT * FROM machines WHERE kind = 'crane' AND gps_enabled"),
    ("garage", "list machine id, gps enabled", "SELECT machine_id, gps_enabled FROM machines"),
    ("garage", "number of machines per gps enabled", "SELECT gps_enabled, count(*) FROM machines GROUP BY 1"),
    # a word of courtesy that is a value
    (
        "support",
        "calls from the plus or the basic tier",
        """SELECT * FROM calls WHERE "caller.tier" IN ('plus', 'basic')""",
    ),
    (
        "support",
        "how many refund requested calls on the plus tier",
        """SELECT count(*) FROM calls WHERE "caller.tier" = 'plus' AND topic = 'refund_requested'""",
    ),
    ("support", "plus calls", """SELECT * FROM calls WHERE "caller.tier" = 'plus'"""),
    (
        "support",
        "premium or plus calls about talk",
        """SELECT * FROM calls WHERE "caller.tier" IN ('plus', 'premium') AND topic = 'talk'""",
    ),
    # things that the rows point at are no rows
    (
        "support",
        "distinct callers per month",
        """SELECT date_trunc('month', started_at), count(DISTINCT "caller.id") FROM calls GROUP BY 1""",
    ),
    # counting asked for politely, and in percent
    (
        "support",
        "could you count the calls whose topic contains 'card'?",
        "SELECT count(*) FROM calls WHERE topic LIKE '%card%'",
    ),
    (
        "support",
        "how many percent of the calls are talk, for each tier",
        """SELECT "caller.tier", 100.0 * count(*) FILTER (topic = 'talk') / count(*) FROM calls GROUP BY 1""",
    ),
    # values whose words are turned about
    (
        "support",
        "blocked cards per tier",
        """SELECT "caller.tier", count(*) FROM calls WHERE topic = 'card_blocked' GROUP BY 1""",
    ),
    ("support", "requested refunds", "SELECT * FROM calls WHERE topic = 'refund_requested'"),
    # by the column that measures it, and the moment rather than the day
    ("support", "the 3 slowest calls", "SELECT * FROM calls ORDER BY took_s DESC LIMIT 3"),
    ("support", "5 shortest calls by took_s", "SELECT * FROM calls ORDER BY took_s LIMIT 5"),
    (
        "support",
        "longest call per topic",
        "SELECT * FROM calls QUALIFY rank() OVER (PARTITION BY topic ORDER BY took_s DESC NULLS LAST) = 1",
    ),
    (
        "support",
        "the 4 longest calls with ref and time",
        "SELECT took_s, ref, started_at FROM calls ORDER BY took_s DESC NULLS LAST LIMIT 4",
    ),
    (
        "garage",
        "2 newest deploys per machine",
        "SELECT * FROM deployments QUALIFY row_number() OVER (PARTITION BY machine_id ORDER BY posted DESC) <= 2",
    ),
    (
        "garage",
        "deploys in March 2026",
        "SELECT * FROM deployments WHERE posted >= '2026-03-01' AND posted < '2026-04-01'",
    ),
    (
        "garage",
        "people hurt per kind",
        "SELECT kind, sum(people_hurt) FROM deployments JOIN machines USING (machine_id) GROUP BY 1",
    ),
    (
        "garage",
        "missing people hurt count by kind",
        "SELECT kind, count(*) FROM deployments JOIN machines USING (machine_id) WHERE people_hurt IS NULL GROUP BY 1",
    ),
    # a figure of the thing's own record
    (
        "support",
        "our 3 callers with the most credit points, best one first",
        'SELECT "caller.name", max("caller.credit_points") FROM calls GROUP BY 1 ORDER BY 2 DESC LIMIT 3',
    ),
    # names behind "from" and "to", and in brackets
    (
        "support",
        "calls with from office north and to office south",
        """SELECT * FROM calls WHERE "route.from.office" = 'north' AND "route.to.office" = 'south'""",
    ),
    ("support", "average handling seconds (took_s) per topic", "SELECT topic, avg(took_s) FROM calls GROUP BY 1"),
    # rows without partners, said the other way round
    (
        "garage",
        "firms we have no machines from",
        "SELECT * FROM firms WHERE firm_id NOT IN (SELECT firm_id FROM machines)",
    ),
    (
        "garage",
        "firms there are no machines of",
        "SELECT * FROM firms WHERE firm_id NOT IN (SELECT firm_id FROM machines)",
    ),
    (
        "garage",
        "machines that were never deployed",
        "SELECT * FROM machines WHERE machine_id NOT IN (SELECT machine_id FROM deployments)",
    ),
    (
        "garage",
        "drills with gps enabled that were not deployed in March 2026",
        "SELECT * FROM machines WHERE kind = 'drill' AND gps_enabled AND machine_id NOT IN (SELECT machine_id FROM deployments WHERE posted >= '2026-03-01' AND posted < '2026-04-01')",
    ),
    (
        "garage",
        "cranes of firms in Oslo",
        "SELECT m.* FROM machines m JOIN firms USING (firm_id) WHERE kind = 'crane' AND city = 'Oslo'",
    ),
    (
        "garage",
        "drills without deployments",
        "SELECT * FROM machines WHERE kind = 'drill' AND machine_id NOT IN (SELECT machine_id FROM deployments)",
    ),
    (
        "garage",
        "number of deploys per firm, biggest user on top",
        "SELECT firms.name, count(*) FROM deployments JOIN machines USING (machine_id) JOIN firms USING (firm_id) GROUP BY 1 ORDER BY 2 DESC",
    ),
    (
        "garage",
        "how many deploys per kind, sorted by the amount descending",
        "SELECT kind, count(*) FROM deployments JOIN machines USING (machine_id) GROUP BY 1 ORDER BY 2 DESC",
    ),
    ("support", "calls per topic, most common first", "SELECT topic, count(*) FROM calls GROUP BY 1 ORDER BY 2 DESC"),
    (
        "support",
        "number of calls per tier, best one on top",
        """SELECT "caller.tier", count(*) FROM calls GROUP BY 1 ORDER BY 2 DESC""",
    ),
    # SQL
    ("support", "count(*) by topic", "SELECT topic, count(*) FROM calls GROUP BY 1"),
    (
        "support",
        "avg(took_s) where topic in ('talk', 'card_blocked') group by topic order by avg(took_s) desc",
        "SELECT topic, avg(took_s) FROM calls WHERE topic <> 'refund_requested' GROUP BY 1 ORDER BY 2 DESC",
    ),
    (
        "support",
        "count(distinct caller.id) per tier",
        'SELECT "caller.tier", count(DISTINCT "caller.id") FROM calls GROUP BY 1',
    ),
    (
        "support",
        "calls where topic like 'card%' and took_s is not null limit 5",
        "SELECT * FROM calls WHERE topic LIKE 'card%' AND took_s IS NOT NULL LIMIT 5",
    ),
    ("support", "calls where topic not in ('talk')", "SELECT * FROM calls WHERE topic <> 'talk'"),
    # the same said twice
    (
        "support",
        "Which topics take longest? Show the average took_s per topic, highest first.",
        "SELECT topic, avg(took_s) FROM calls GROUP BY 1 ORDER BY 2 DESC",
    ),
]
REFUSED = [
    ("support", "calls that were not answered"),
    ("support", "non urgent calls over 1000 s"),
    ("support", "SELECT * FROM calls"),
    ("support", "calls per office"),
    ("garage", "machines with turbo enabled"),
    ("garage", "firms we have no turbines from"),
]


@pytest.mark.parametrize(("where", "text", "sql"), CASES)
def test_the_rows_are_those_of_the_statement(where: str, text: str, sql: str) -> None:
    world = _world(where)
    understood = world.ask(text)

    assert isinstance(understood, Understood), understood
    got, expected = world.run(understood.plan), world.truth(sql)
    wanted = Counter(tuple(sorted(map(_cell, row))) for row in expected)
    width = len(expected[0]) if expected else 0
    assert len(got) == len(expected) > 0, understood.reading
    assert len(got[0]) >= width, understood.reading
    if len(got[0]) == width:
        assert Counter(tuple(sorted(map(_cell, row))) for row in got) == wanted, understood.reading
    else:
        assert all(any(set(map(_cell, e)) <= set(map(_cell, g)) for g in got) for e in expected), understood.reading


@pytest.mark.parametrize(("where", "text"), REFUSED)
def test_what_no_word_of_the_data_explains_is_turned_down(where: str, text: str) -> None:
    answer = _world(where).ask(text)

    assert isinstance(answer, Refusal), answer.reading


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat() if (value.hour, value.minute, value.second) != (0, 0, 0) else value.date().isoformat()
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def test_sql_is_said_in_plain_words() -> None:
    assert without_sql("count(*) by city") == "number of rows by city"
    assert without_sql("sum(total) where city in ('Rome', 'Oslo')") == "total total where city is 'Rome' or 'Oslo'"
    assert without_sql("name not like '%x'") == "name not ends with 'x'"
    assert without_sql("orders (paid) in Rome") == "orders (paid) in Rome"


def test_only_a_whole_second_request_says_the_first_again() -> None:
    assert restated("Which city sells most? Show total revenue per city.") is not None
    assert restated("Orders in Rome. In 2024.") is None
    assert restated("Orders in Rome? Show them. Thanks.") is None
