"""Requests about published tables in the words of people who did not make them, beside statements written by hand."""

from __future__ import annotations

import pytest

from synth.request import Refusal
from tests.synth.understand.open_worlds import open_world
from tests.synth.understand.test_answers import _plain, _rows

CASES: dict[str, list[tuple[str, str]]] = {
    "nations": [
        (
            "countries of Asia by life expectancy in 2010 descending",
            "SELECT country FROM nations WHERE continent = 'Asia' AND year = 2010 ORDER BY lifeExp DESC",
        ),
        # one row for each group, and what a rank goes by
        (
            "income per capita of kenya by year",
            "SELECT year, incPerCap FROM nations WHERE country = 'Kenya' ORDER BY year",
        ),
        (
            "top 3 countries by life expectancy in 2010",
            "SELECT country, lifeExp FROM nations WHERE year = 2010 ORDER BY lifeExp DESC LIMIT 3",
        ),
        # names that shorten and run together
        ("life expectancy of japan", "SELECT year, lifeExp FROM nations WHERE country = 'Japan'"),
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
        # what is compared is what is largest, each country having one row in a year
        (
            "Countries with more than 12 million people in 2005, largest first",
            "SELECT country, pop FROM nations WHERE pop > 12000000 AND year = 2005 ORDER BY pop DESC",
        ),
        (
            "countries of Asia in 2010 from the lowest life expectancy to the highest",
            "SELECT country, lifeExp FROM nations WHERE continent = 'Asia' AND year = 2010 ORDER BY lifeExp",
        ),
        (
            "population of chile and peru in 1990",
            "SELECT country, pop FROM nations WHERE country IN ('Chile', 'Peru') AND year = 1990",
        ),
        ("life expectancy in 1985", "SELECT country, lifeExp FROM nations WHERE year = 1985"),
    ],
    "rainfall": [
        ("days with rain above 20 mm, newest first", "SELECT date FROM rainfall WHERE rain > 20 ORDER BY date DESC"),
        (
            "average temp_max on foggy days vs sunny days",
            "SELECT sky, avg(temp_max) FROM rainfall WHERE sky IN ('fog', 'sun') GROUP BY 1",
        ),
        (
            "average rain, 2013 vs 2014",
            "SELECT year(date), avg(rain) FROM rainfall WHERE year(date) IN (2013, 2014) GROUP BY 1",
        ),
        (
            "total rain in March 2013 versus March 2014",
            "SELECT date_trunc('month', date), sum(rain) FROM rainfall WHERE month(date) = 3 AND year(date) IN (2013, 2014) GROUP BY 1",
        ),
        # a name with its least or most in front
        (
            "How many days per year had a minimum temperature below 0?",
            "SELECT year(date), count(*) FROM rainfall WHERE temp_min < 0 GROUP BY 1",
        ),
        (
            "average maximum temperature per month in 2014",
            "SELECT date_trunc('month', date), avg(temp_max) FROM rainfall WHERE year(date) = 2014 GROUP BY 1",
        ),
        # the extreme said last, or of a unit of a unit
        (
            "Which month of which year had the most rain in total?",
            "SELECT date_trunc('month', date), sum(rain) FROM rainfall GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "In which year was the average rain the highest?",
            "SELECT year(date), avg(rain) FROM rainfall GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "in what month was the total rain lowest",
            "SELECT date_trunc('month', date), sum(rain) FROM rainfall GROUP BY 1 ORDER BY 2 LIMIT 1",
        ),
        # periods of which some are kept
        (
            "weeks in 2013 with over 60 mm rain in sum",
            "SELECT date_trunc('week', date), sum(rain) FROM rainfall WHERE year(date) = 2013 GROUP BY 1 HAVING sum(rain) > 60",
        ),
        (
            "months with more than 90 mm of rain",
            "SELECT date_trunc('month', date), sum(rain) FROM rainfall GROUP BY 1 HAVING sum(rain) > 90",
        ),
        (
            "months with an average temp_max above 11",
            "SELECT date_trunc('month', date), avg(temp_max) FROM rainfall GROUP BY 1 HAVING avg(temp_max) > 11",
        ),
        # an amount asked for in its unit
        ("how many mm rain last year", "SELECT sum(rain) FROM rainfall WHERE year(date) = 2025"),
        ("how many mm of rain in 2014", "SELECT sum(rain) FROM rainfall WHERE year(date) = 2014"),
        # whose figure is whose
        ("temp_max in July 2013", "SELECT date, temp_max FROM rainfall WHERE date_trunc('month', date) = '2013-07-01'"),
        (
            "highest temp_max and when",
            "SELECT temp_max, date FROM rainfall QUALIFY rank() OVER (ORDER BY temp_max DESC) = 1",
        ),
        (
            "lowest temp_min and on which day",
            "SELECT temp_min, date FROM rainfall QUALIFY rank() OVER (ORDER BY temp_min) = 1",
        ),
        ("sky values in 2014, each only once", "SELECT DISTINCT sky FROM rainfall WHERE year(date) = 2014"),
    ],
    "trials": [
        # two times side by side
        (
            "median yield, 1931 vs 1932",
            "SELECT year, median(yield) FROM trials WHERE year IN (1931, 1932) GROUP BY 1",
        ),
        (
            "average yield 1931 versus 1932 per farm",
            "SELECT year, farm, avg(yield) FROM trials WHERE year IN (1931, 1932) GROUP BY 1, 2",
        ),
        # text of several words, one or the other, and what the request is for
        (
            "varieties containing northern gold or velv",
            "SELECT DISTINCT variety FROM trials WHERE variety ILIKE '%northern gold%' OR variety ILIKE '%velv%'",
        ),
        ("For the slide: number of trials per farm", "SELECT farm, count(*) FROM trials GROUP BY 1"),
        ("For my thesis - highest yield per farm", "SELECT farm, max(yield) FROM trials GROUP BY 1"),
        (
            "best variety for each farm and year by yield",
            "SELECT farm, year, variety FROM trials QUALIFY rank() OVER (PARTITION BY farm, year ORDER BY yield DESC) = 1",
        ),
        (
            "Could I see the results from Ashby and from Upton, ordered from the highest yield to the lowest?",
            "SELECT * FROM trials WHERE farm IN ('Ashby', 'Upton') ORDER BY yield DESC",
        ),
        ("trials at Weston from the lowest yield up", "SELECT * FROM trials WHERE farm = 'Weston' ORDER BY yield"),
        (
            "trials at Weston starting with the highest yield",
            "SELECT * FROM trials WHERE farm = 'Weston' ORDER BY yield DESC",
        ),
        ("all varieties that begin with Nr.", "SELECT DISTINCT variety FROM trials WHERE variety LIKE 'Nr.%'"),
        ("farms ending in ton", "SELECT DISTINCT farm FROM trials WHERE farm LIKE '%ton'"),
        ("highest yield and at which farm", "SELECT yield, farm FROM trials ORDER BY yield DESC LIMIT 1"),
        (
            "lowest yield and with which variety and in which year",
            "SELECT yield, variety, year FROM trials ORDER BY yield LIMIT 1",
        ),
        (
            "list the yields above 60 together with their farms and varieties",
            "SELECT yield, farm, variety FROM trials WHERE yield > 60",
        ),
        (
            "median yield by farm; skip rows of 1931",
            "SELECT farm, median(yield) FROM trials WHERE year <> 1931 GROUP BY 1",
        ),
        ("Which years are there? Each only once, please.", "SELECT DISTINCT year FROM trials"),
    ],
    "gazetteer": [
        # how many entries a list has
        ("which countries have more than 7 neighbours", "SELECT * FROM gazetteer WHERE len(neighbours) > 7"),
        ("countries with at least 3 neighbours", "SELECT * FROM gazetteer WHERE len(neighbours) >= 3"),
        ("countries with 4 or fewer neighbours", "SELECT * FROM gazetteer WHERE len(neighbours) <= 4"),
        ("countries without neighbours", "SELECT * FROM gazetteer WHERE len(neighbours) = 0"),
        ("countries with exactly two neighbours", "SELECT * FROM gazetteer WHERE len(neighbours) = 2"),
        ("how many neighbours does Norway have", "SELECT len(neighbours) FROM gazetteer WHERE name = 'Norway'"),
        ("number of neighbours per region", "SELECT region, sum(len(neighbours)) FROM gazetteer GROUP BY 1"),
        (
            "the country with the most neighbours",
            "SELECT name, len(neighbours) FROM gazetteer ORDER BY 2 DESC LIMIT 1",
        ),
        (
            "list the countries of West Europe with their capital and population, from the most populous down",
            "SELECT * FROM gazetteer WHERE region = 'West Europe' ORDER BY population DESC",
        ),
        (
            "countries with an area over 300000, largest first",
            "SELECT * FROM gazetteer WHERE area > 300000 ORDER BY area DESC",
        ),
        # what is stored to the letter goes before what is nearly so, and what a row is called before its translations
        ("capital of mongolia", "SELECT capital FROM gazetteer WHERE name = 'Mongolia'"),
        ("capital of monaco", "SELECT capital FROM gazetteer WHERE name = 'Monaco'"),
        ("area of Japan", "SELECT area FROM gazetteer WHERE name = 'Japan'"),
        ("capital of mongolai", "SELECT capital FROM gazetteer WHERE name = 'Mongolia'"),
    ],
    "engines": [
        ("engines from europe with 6 cylinders", "SELECT * FROM engines WHERE Origin = 'Europe' AND Cylinders = 6"),
        ("average weight per origin", "SELECT Origin, avg(Weight_in_lbs) FROM engines GROUP BY 1"),
        (
            "japanese engines with 8 cylinders under 3500 lbs",
            "SELECT * FROM engines WHERE Origin = 'Japan' AND Cylinders = 8 AND Weight_in_lbs < 3500",
        ),
        ("engines with more than 200 hp", "SELECT * FROM engines WHERE Horsepower > 200"),
        ("which numbers of cylinders are there, each only once", "SELECT DISTINCT Cylinders FROM engines"),
    ],
    "hangars": [
        (
            "average dep delay per carrier, worst first",
            "SELECT carrier, avg(dep_delay) FROM flights GROUP BY 1 ORDER BY 2 DESC",
        ),
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
    ("trials", "trials by average yield, highest first"),
    ("rainfall", "highest rain per year and the day it happened"),
    ("hangars", "flights joined with planes on origin, average seats per origin"),
]


@pytest.mark.parametrize(("where", "request_text"), REFUSED)
def test_it_is_asked_back_rather_than_guessed(where: str, request_text: str) -> None:
    understood = open_world(where).ask(request_text)

    assert isinstance(understood, Refusal), understood.reading
