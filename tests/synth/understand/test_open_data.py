"""Requests about published tables in the words of people who did not make them, beside statements written by hand."""

from __future__ import annotations

import pytest

from synth.request import Refusal
from tests.synth.understand.open_worlds import open_world
from tests.synth.understand.test_answers import _plain, _rows

CASES: dict[str, list[tuple[str, str]]] = {
    "nations": [
        # names that shorten and run together
        ("life expectancy of japan", "SELECT lifeExp FROM nations WHERE country = 'Japan'"),
        (
            "average life expectancy per continent in 2010",
            "SELECT continent, avg(lifeExp) FROM nations WHERE year = 2010 GROUP BY 1",
        ),
        (
            "income per capita of Norway in 2005",
            "SELECT incPerCap FROM nations WHERE country = 'Norway' AND year = 2005",
        ),
        (
            "median income per capita by continent",
            "SELECT continent, median(incPerCap) FROM nations GROUP BY 1",
        ),
        (
            "countries with a life expectancy above 80 in 2010",
            "SELECT DISTINCT country FROM nations WHERE year = 2010 AND lifeExp > 80",
        ),
    ],
    "gazetteer": [
        # what is stored to the letter goes before what is nearly so, and what a row is called before its translations
        ("capital of mongolia", "SELECT capital FROM gazetteer WHERE name = 'Mongolia'"),
        ("capital of monaco", "SELECT capital FROM gazetteer WHERE name = 'Monaco'"),
        ("area of Japan", "SELECT area FROM gazetteer WHERE name = 'Japan'"),
        ("capital of mongolai", "SELECT capital FROM gazetteer WHERE name = 'Mongolia'"),
    ],
    "hangars": [
        ("how many different tail numbers are there in flights", "SELECT count(DISTINCT tailnum) FROM flights"),
        # tables that share a column and say no key
        (
            "average dep delay by carrier name",
            "SELECT name, avg(dep_delay) FROM flights JOIN carriers USING (carrier) GROUP BY 1",
        ),
        (
            "number of flights per manufacturer",
            "SELECT manufacturer, count(*) FROM flights JOIN planes USING (tailnum) GROUP BY 1",
        ),
        (
            "flights of Blue Birds from JFK",
            "SELECT f.* FROM flights f JOIN carriers USING (carrier) WHERE name = 'Blue Birds' AND origin = 'JFK'",
        ),
        # a join said outright
        (
            "flights join planes on tailnum: top 2 manufacturers by number of flights",
            "SELECT manufacturer, count(*) FROM flights JOIN planes USING (tailnum) GROUP BY 1 ORDER BY 2 DESC LIMIT 2",
        ),
        (
            "join flights with carriers by carrier, number of flights per carrier name",
            "SELECT name, count(*) FROM flights JOIN carriers USING (carrier) GROUP BY 1",
        ),
        (
            "flights joined to planes using tailnum: average seats per origin",
            "SELECT origin, avg(seats) FROM flights JOIN planes USING (tailnum) GROUP BY 1",
        ),
        # short marks are codes
        ("list all carriers with their codes", "SELECT carrier, name FROM carriers"),
        ("carrier code of Blue Birds", "SELECT carrier FROM carriers WHERE name = 'Blue Birds'"),
    ],
}


@pytest.mark.parametrize(("where", "request_text", "sql"), [(w, r, s) for w, cases in CASES.items() for r, s in cases])
def test_the_answer_is_that_of_the_statement(where: str, request_text: str, sql: str) -> None:
    asked = open_world(where)
    truth = asked.truth(sql)

    understood = asked.ask(request_text)

    assert not isinstance(understood, Refusal), understood
    rows = asked.run(understood.plan)
    assert _rows(rows) == _rows(truth), understood.reading
    if " ORDER BY " in sql and "OVER" not in sql:
        assert [tuple(map(_plain, r)) for r in rows] == [tuple(map(_plain, r)) for r in truth], understood.reading


REFUSED: list[tuple[str, str]] = [
    ("nations", "life insurance of japan"),
    ("gazetteer", "capital of atlantis"),
    ("hangars", "flights joined with planes on origin, average seats per origin"),
]


@pytest.mark.parametrize(("where", "request_text"), REFUSED)
def test_it_is_asked_back_rather_than_guessed(where: str, request_text: str) -> None:
    understood = open_world(where).ask(request_text)

    assert isinstance(understood, Refusal), understood.reading
