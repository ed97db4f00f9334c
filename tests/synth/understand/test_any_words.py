"""Whatever the words, a plan or an honest no comes back: understanding never raises."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.request import Refusal
from synth.understand import Understood
from tests.synth.understand.worlds import world

GLUE = (
    "the a of in with by per for each and or not without no than more over under between from to since last first top "
    "most highest lowest average total sum count number how many which who what where whose is are was has have that "
    "sorted descending newest share percentage percent distinct only except at least up days month year week today "
    "2021 3 10.5 0 -1 5th € % , ; : ( ) \" ' - > >= = ! never ever been they we it their both either versus compare "
    "overdue on average per-cent a an A Berlin 'x' \"y z\" 2024-01-31 31.12.2023 12:30 10.0.0.1 a@b.example /path #7 ² ½ 😀 ß İ"
).split()
PLACES = ("shop", "staff", "sensors", "football", "flights", "library")


def _words_of(place: str) -> list[str]:
    schema = world(place).schema
    names = [t.name for t in schema.tables] + [f.name for t in schema.tables for f in t.fields]
    values = [v for t in schema.tables for f in t.fields for v in f.vocabulary[:3]]
    return [*names, *(n.replace("_", " ") for n in names), *values]


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(data=st.data())
def test_any_words_get_a_plan_or_a_no(place: str, data: st.DataObject) -> None:
    words = st.one_of(st.sampled_from(GLUE), st.sampled_from(_words_of(place)), st.text(max_size=6))
    request = " ".join(data.draw(st.lists(words, max_size=14)))

    answer = world(place).ask(request)

    assert isinstance(answer, Understood | Refusal)
