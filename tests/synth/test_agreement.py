"""Independent drafts are chosen by agreement of what they return, and what nothing confirms is called so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.memory import Memory
from sandbox.job import Sandbox
from sandbox.open import open_sandbox
from synth.agreement import same_answer
from synth.models.builtin import Builtin
from synth.models.scripted import Scripted
from synth.models.text_writer import TextWriter
from synth.outcome import Outcome
from synth.pipeline import Tools, ask
from synth.request import Request, Writer
from synth.schema import Field, Table
from synth.sources.duck import DuckDoors, DuckSource

NOW = datetime(2026, 4, 1, tzinfo=UTC)
VISITS = Table("visits", (Field("page", "string"), Field("ms", "int64"), Field("bytes", "int64")))
VAGUE = "how heavy is a page as a rule"


def closure(sql: str) -> str:
    return f'```python\ndef closure(source):\n    yield from source.query("{sql}")\n```'


MEDIAN = closure("SELECT page, median(bytes) AS weight FROM visits GROUP BY page")
MEDIAN_TOO = closure("SELECT page AS name, quantile_cont(bytes, 0.5) AS middle, count(*) AS n FROM visits GROUP BY 1")
MEAN = closure("SELECT page, avg(bytes) AS weight FROM visits GROUP BY page")
SLOW = closure("SELECT page, max(ms) AS weight FROM visits GROUP BY page")
BROKEN = closure("SELECT page, weight FROM visits")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox()
    yield opened
    opened.close()


def visits() -> DuckSource:
    count = 300
    rows = pa.table(
        {
            "page": [f"/{i % 7}" for i in range(count)],
            "ms": pa.array([i * 13 % 101 for i in range(count)], pa.int64()),
            "bytes": pa.array([i * i % 977 for i in range(count)], pa.int64()),
        }
    )
    doors = DuckDoors()
    doors.add_arrow(VISITS, rows)
    return DuckSource("visits", "csv", doors, tables=[VISITS])


def asked(replies: list[str], drafts: int, sandbox: Sandbox, memory: Memory | None = None) -> tuple[Outcome, Scripted]:
    model = Scripted(replies)
    tools = Tools([TextWriter(model)], sandbox, memory, drafts=drafts)
    return ask(Request(VAGUE, NOW), visits(), tools), model


def test_what_most_drafts_answer_is_taken_and_confirmed(sandbox: Sandbox) -> None:
    outcome, _ = asked([SLOW, MEDIAN, MEDIAN_TOO], 3, sandbox)

    assert outcome.status == "ok", outcome.message
    assert outcome.last
    assert outcome.last.confirmations == ("2 of 3 drafts agree",)
    assert outcome.answer
    assert list(outcome.answer.records[0]) == ["page", "weight"]


def test_drafts_that_disagree_confirm_nothing(sandbox: Sandbox) -> None:
    outcome, _ = asked([SLOW, MEDIAN, MEAN], 3, sandbox)

    assert outcome.status == "unconfirmed"
    assert "no two gave the same answer" in outcome.message
    assert outcome.answer


def test_one_draft_that_nothing_confirms_is_kept_but_never_recalled(sandbox: Sandbox, tmp_path: Path) -> None:
    memory = Memory(tmp_path)

    outcome, _ = asked([MEDIAN], 1, sandbox, memory)

    assert outcome.status == "unconfirmed"
    assert "--drafts" in outcome.message
    assert memory.closures.get(outcome.closure_id).facts["status"] == "unconfirmed"
    assert memory.similar(VAGUE, "table", ("page", "ms", "bytes")) == ()


def test_a_draft_that_fails_does_not_count_and_is_not_mended_while_others_hold(sandbox: Sandbox) -> None:
    outcome, model = asked([BROKEN, MEDIAN, MEDIAN_TOO], 3, sandbox)

    assert (outcome.status, len(outcome.attempts), len(model.asked)) == ("ok", 3, 3)
    assert outcome.last
    assert outcome.last.confirmations == ("2 of 2 drafts agree",)


def test_where_no_draft_holds_the_one_that_came_furthest_is_mended(sandbox: Sandbox) -> None:
    outcome, model = asked(["no code", BROKEN, MEDIAN], 2, sandbox)

    assert outcome.status == "unconfirmed"
    assert "weight" in model.asked[-1][-1]["content"]


def test_a_second_model_confirms_what_the_first_one_wrote(sandbox: Sandbox) -> None:
    writers = [TextWriter(Scripted([MEDIAN])), TextWriter(Scripted([MEDIAN_TOO]))]

    outcome = ask(Request(VAGUE, NOW), visits(), Tools(writers, sandbox, None))

    assert outcome.status == "ok"
    assert outcome.last
    assert outcome.last.confirmations == ("2 of 2 drafts agree",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([{"a": 1, "b": "x"}], [{"n": 1, "t": "x"}], True),
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], True),
        ([{"a": 1, "b": 2}, {"a": 2, "b": 1}], [{"a": 1, "b": 1}, {"a": 2, "b": 2}], False),
        ([{"a": 1}], [{"a": 1}, {"a": 1}], False),
        ([{"a": 1}], [{"x": 3, "y": 1}], True),
        ([{"a": 1}], [{"a": 2}], False),
        ([], [], True),
    ],
)
def test_the_same_answer(one: list[dict[str, object]], other: list[dict[str, object]], same: bool) -> None:
    assert same_answer(one, other) is same
    assert same_answer(other, one) is same


def test_the_user_hears_who_wrote_it_and_why_not_another(sandbox: Sandbox) -> None:
    writers: list[Writer] = [Builtin(), TextWriter(Scripted([MEDIAN]))]

    outcome = ask(Request(VAGUE, NOW), visits(), Tools(writers, sandbox, None))

    assert outcome.last
    assert outcome.last.writer == "scripted"
    [(writer, reason)] = outcome.passed_over
    assert (writer, "heavy" in reason) == ("builtin", True)
