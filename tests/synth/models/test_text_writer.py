"""From a model's reply to a draft, or to an honest no."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from synth.models.budget import Budget, Caps
from synth.models.endpoint import Endpoint
from synth.models.openai import ChatEndpoint
from synth.models.problem import BudgetReached, ModelProblem
from synth.models.scripted import Scripted
from synth.models.text_writer import TextWriter, closure_in
from synth.request import Draft, Parameter, Refusal, Request
from tests.llm_server import chatting, fails, replies, says
from tests.synth.models.worlds import MENDED, NOW, task

CODE = (
    "def closure(source, *, least: int = 3):\n"
    '    """Those with at least three."""\n'
    '    yield from source.query("SELECT 1 AS n WHERE 1 < ?", [least])\n'
)


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{CODE}```",
        f"```\n{CODE}```",
        f"```py\n{CODE}```".replace("\n", "\r\n"),
        f"Sure! Here it is:\n\n```python\n{CODE}```\n\nIt reads the source.",
        f"```python\nprint('no closure')\n```\nand\n```python\n{CODE}```",
        f"First try:\n```python\ndef closure(source): pass\n```\nBetter:\n```python\n{CODE}```",
        CODE,
        f"\n\n{CODE}\n",
        f"<think>maybe ```python\ndef closure(source): pass\n```</think>```python\n{CODE}```",
        json.dumps({"cannot": "", "reading": "at least three", "code": CODE}),
        json.dumps({"cannot": "", "reading": "", "code": f"```python\n{CODE}```"}),
        "```json\n" + json.dumps({"code": CODE}) + "\n```",
    ],
)
def test_the_closure_is_found_however_it_is_wrapped(reply: str) -> None:
    written = TextWriter(Scripted([reply])).write(task())

    assert isinstance(written, Draft)
    assert written.code == CODE
    assert written.parameters == (Parameter("least", "int", 3),)
    assert written.reading in ("Those with at least three.", "at least three")
    assert written.tokens > 100


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I cannot help.",
        "```python\nprint(1)\n```",
        "```python\ndef closure",
        "def other(source): pass",
        '{"code": 3}',
        "[1]",
        "{" * 5_000,
    ],
)
def test_a_reply_without_a_closure_is_a_refusal_that_says_what_came(reply: str) -> None:
    written = TextWriter(Scripted([reply])).write(task())

    assert isinstance(written, Refusal)
    assert written.rule == "not-understood"
    assert written.reason.startswith("scripted gave no closure: ")
    assert len(written.reason) < 220


@pytest.mark.parametrize(
    "reply",
    [
        "CANNOT: there is no column of weights",
        "**CANNOT:** there is no column of weights",
        '{"cannot": "there is no column of weights", "reading": "", "code": ""}',
    ],
)
def test_a_model_may_say_that_the_data_cannot_answer(reply: str) -> None:
    written = TextWriter(Scripted([reply.replace("**CANNOT:**", "CANNOT:")])).write(task())

    assert written == Refusal("cannot-answer", "scripted says: there is no column of weights")


def test_parameters_have_the_values_of_their_defaults() -> None:
    code = (
        "from datetime import date\nimport datetime as dt\nfrom decimal import Decimal\n\n"
        "def closure(source, *, least: Decimal = Decimal('1.50'), since: date = date(2024, 1, 5), until=dt.date(2025, 1, 1),\n"
        "            names: tuple = ('a', 'b'), plain=5, none: str | None = None, made: int = 2 * 3, odd: date = date(2024, 13, 1)):\n"
        "    yield {}\n"
    )

    written = TextWriter(Scripted([code])).write(task())

    assert isinstance(written, Draft)
    assert [(p.name, p.type, p.default) for p in written.parameters] == [
        ("least", "Decimal", Decimal("1.50")),
        ("since", "date", date(2024, 1, 5)),
        ("until", "date", date(2025, 1, 1)),
        ("names", "tuple", ("a", "b")),
        ("plain", "int", 5),
        ("none", "str | None", None),
        ("made", "int", "2 * 3"),
        ("odd", "date", "date(2024, 13, 1)"),
    ]


def test_code_that_does_not_parse_is_still_a_draft_for_the_gates_to_judge() -> None:
    written = TextWriter(Scripted(["```python\ndef closure(source):\n    yield {\n```"])).write(task())

    assert isinstance(written, Draft)
    assert (written.parameters, written.reading) == ((), "")


def test_mending_shows_the_draft_and_what_was_found() -> None:
    scripted = Scripted([CODE])

    TextWriter(scripted).write(task(), MENDED)

    roles = [m["role"] for m in scripted.asked[0]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "row['nome']" in scripted.asked[0][2]["content"]
    assert "runs/raised, line 3" in scripted.asked[0][3]["content"]


def test_a_request_too_long_to_show_whole_is_refused() -> None:
    long = replace(task(), request=Request("x" * 9_000, NOW))
    writer = TextWriter(Scripted([CODE]))

    for written in (writer.write(long), *writer.write_many(long, 3)):
        assert isinstance(written, Refusal)
        assert "9000 characters" in written.reason


# ------------------------------------------------------------------------------------------------- through a real server


def endpoint(url: str, caps: Caps | None = None) -> ChatEndpoint:
    return ChatEndpoint(Endpoint("m", url, tries=1), Budget(caps))


def test_a_structured_reply_of_a_real_server_becomes_a_draft_with_its_cost() -> None:
    body = json.dumps({"cannot": "", "reading": "at least three", "code": CODE})
    with chatting(says(body, usage=(900, 80))) as server:
        written = TextWriter(endpoint(server.url)).write(task())

    assert isinstance(written, Draft)
    assert (written.code, written.model, written.reading, written.tokens) == (CODE, "openai:m", "at least three", 980)


def test_a_model_that_declines_is_an_honest_no() -> None:
    with chatting(says("", refusal="I would rather not.")) as server:
        writer = TextWriter(endpoint(server.url))
        one, many = writer.write(task()), writer.write_many(task(), 2)

    assert isinstance(one, Refusal)
    assert one.rule == "cannot-answer"
    assert "I would rather not" in one.reason
    assert [r.rule for r in many if isinstance(r, Refusal)] == ["cannot-answer"]


def test_an_outage_is_an_error_and_no_refusal() -> None:
    with chatting(fails(401, "no")) as server, pytest.raises(ModelProblem):
        TextWriter(endpoint(server.url)).write(task())


def test_a_budget_that_ends_before_the_first_draft_is_told_and_later_leaves_the_draft_to_be_judged() -> None:
    asked = task()
    with chatting(says(CODE, usage=(1_000, 1_500))) as server:
        writer = TextWriter(endpoint(server.url, Caps(request_tokens=3_500)))
        first = writer.write(asked)
        again = writer.write(replace(asked, lessons=()), MENDED)
        with pytest.raises(BudgetReached):
            writer.write(asked)
        other = writer.write(task())

    assert isinstance(first, Draft)
    assert isinstance(again, Refusal)
    assert "budget of 3500 tokens for this request" in again.reason
    assert isinstance(other, Draft)
    assert len(server.asked) == 2


def test_several_drafts_are_written_independently() -> None:
    numbers = iter(range(100))
    with chatting(replies(lambda _asked: f"def closure(source):\n    yield {{'n': {next(numbers)}}}\n")) as server:
        drafts = TextWriter(endpoint(server.url)).write_many(task(), 4)

    assert len({d.code for d in drafts if isinstance(d, Draft)}) == 4
    assert len({a.prompt for a in server.asked}) == 1


def test_several_drafts_of_a_model_that_gives_one_at_a_time() -> None:
    class Plain:
        name = "plain"

        def __init__(self) -> None:
            self.count = 0

        def complete(self, messages: Sequence[dict[str, str]]) -> str:
            self.count += 1
            return f"def closure(source):\n    yield {{'n': {self.count}}}\n" if messages else ""

    drafts = TextWriter(Plain()).write_many(task(), 3)

    assert [d.code[-4:-2] for d in drafts if isinstance(d, Draft)] == [" 1", " 2", " 3"]
    assert TextWriter(Scripted(["a", CODE])).write_many(task(), 2)[1] == TextWriter(Scripted([CODE])).write(task())


def test_the_last_block_that_defines_the_closure_counts() -> None:
    assert closure_in("```python\ndef closure(source):\n    yield 1\n```\n```python\nx = 1\n```") == (
        "def closure(source):\n    yield 1\n"
    )
    assert closure_in("text only") is None
