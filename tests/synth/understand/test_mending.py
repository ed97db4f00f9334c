"""A second reading in the words of the data: short forms, slips, other forms of a word, idioms, words inside longer values."""

from __future__ import annotations

import pytest

from synth.request import Refusal, Request, Task
from synth.schema import Field, Schema, Table
from synth.understand import Understood, understand
from synth.understand.columns import Lexicon
from synth.understand.everyday import without_idioms
from synth.understand.mending import mended
from synth.understand.short_forms import akin, initials_of, short_for
from synth.understand.values import Values
from tests.synth.understand.worlds import NOW


def _text(name: str, *values: str, rows: int = 40) -> Field:
    return Field(name, "string", values=rows, distinct=len(values), vocabulary=values, examples=values)


def _number(name: str, least: int = 0, most: int = 900) -> Field:
    return Field(name, "int64", values=40, distinct=30, least=least, most=most)


def _date(name: str, nulls: int = 0) -> Field:
    return Field(name, "date32[day]", values=40, nulls=nulls, distinct=38)


LOANERS = Schema(
    (
        Table(
            "loaners",
            (
                _text("tag", "T-1", "T-2", "T-3", "T-4"),
                _text("kind", "drill", "saw", "ladder"),
                _text("model", "Boro Drill 3", "Boro Drill 5", "Silva Saw", "Alto Ladder XL"),
                _text("priority", "high", "low"),
                _text("outcome", "won", "lost", "returned_late"),
                _text("holder", "Ann Reed", "Bo Lind"),
                _number("Hrs"),
                _number("litres_per_hour"),
                _number("tailweight"),
                _number("visitors_hit"),
                _date("collected_on"),
                Field("insured", "bool", values=40, distinct=2),
            ),
            40,
        ),
    )
)


def _ask(text: str) -> Understood | Refusal:
    return understand(Task(Request(text, NOW), LOANERS, "table", "duckdb", "csv"))


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("hours per kind", "sum of Hrs per kind"),
        ("high prio ones", "priority is high"),
        ("count per knid", "number of rows per kind"),
        ("rows w priority high", "priority is high"),
        ("avg lph per kind", "average of litres_per_hour per kind"),
        ("tail weights over 20", "tailweight > 20"),
        ("how many rows did we win", "outcome is won"),
        ("late returned rows", "outcome is returned_late"),
        ("count of rows in 2025 per prio", "per priority"),
        ("boro rows", "model contains 'boro'"),
        ("how many boros do we have", "number of rows where model contains 'boro'"),
        ("kinds that occur 4 times or more", "number of rows >= 4"),
        ("rows with more than 20 visitors", "visitors_hit > 20"),
        ("rows that Ann Reed filed", "holder is Ann Reed"),
        ("rows with hrs from 10 until 20", "Hrs >= 10 and Hrs <= 20"),
        ("rows with min 12 hrs", "Hrs >= 12"),
    ],
)
def test_a_strange_word_is_read_as_the_one_thing_it_can_mean(text: str, reading: str) -> None:
    answer = _ask(text)

    assert reading in getattr(answer, "reading", f"refused: {answer}")


@pytest.mark.parametrize(
    "text",
    [
        "profit margin per kind",
        "average shoe size per kind",
        "how many giraffes do we have",
        "which battery runs in each ladder",
        "will the drills break",
        "total fuel tax",
    ],
)
def test_what_the_data_does_not_hold_stays_refused(text: str) -> None:
    answer = _ask(text)

    assert isinstance(answer, Refusal), answer


def test_a_reading_tells_what_was_taken_for_what() -> None:
    answer = _ask("count per knid")

    assert "'knid' read as 'kind'" in getattr(answer, "reading", "")


@pytest.mark.parametrize("text", ["count per kind", "rows where outcome is lost", "hours of Ann Reed"])
def test_what_is_known_is_left_as_it_stands(text: str) -> None:
    lexicon = Lexicon(LOANERS)

    assert mended(text, lexicon, Values(lexicon, lambda _words: ()), frozenset()).text == text


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("hrs", "hour"),
        ("prio", "priority"),
        ("mnth", "month"),
        ("whse", "warehouse"),
        ("qty", "quantity"),
        ("mgr", "manager"),
        ("amt", "amount"),
        ("emp", "employee"),
        ("proj", "project"),
        ("cntry", "country"),
    ],
)
def test_people_write_the_one_for_the_other(short: str, full: str) -> None:
    assert short_for(short, full)


@pytest.mark.parametrize(
    ("word", "other"),
    [("age", "agent"), ("cost", "costume"), ("part", "partner"), ("hat", "hour"), ("car", "carrier"), ("day", "delay")],
)
def test_a_word_of_its_own_stands_for_no_other(word: str, other: str) -> None:
    assert not short_for(word, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cancelled", "cancellation"),
        ("cancel", "cancelled"),
        ("win", "won"),
        ("paid", "payment"),
        ("shipping", "shipment"),
        ("shipped", "ship"),
        ("resolve", "resolution"),
        ("delivered", "delivery"),
        ("booking", "booked"),
        ("fail", "failure"),
    ],
)
def test_forms_of_one_word_are_akin(one: str, other: str) -> None:
    assert akin(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("department", "departure"), ("state", "station"), ("customs", "customer"), ("part", "party")]
)
def test_words_that_only_look_alike_are_not_akin(one: str, other: str) -> None:
    assert not akin(one, other)


def test_only_names_of_three_words_have_initials() -> None:
    assert initials_of(("miles", "per", "gallon")) == "mpg"
    assert initials_of(("unit", "price")) == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("who has 3 reports to their name", "who has 3 reports "),
        ("stock worth per depot (on hand x cost)", "total on hand x cost per depot"),
        ("items that show up 4 times or more", "items that occur at least 4 times"),
        ("For the board meeting: sales per shop", "sales per shop"),
        ("mean weight by sex; skip rows w/o sex", "mean weight by sex; skip rows w/o sex"),
        ("mean weight by sex; skip rows without sex", "mean weight by sex; where sex is not empty"),
    ],
)
def test_idioms_are_said_plainly(text: str, plain: str) -> None:
    assert without_idioms(text) == plain
