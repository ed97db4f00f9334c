"""The whole way of a request with a model behind a real server: what goes out, what comes back, what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from corpus.memory import Memory
from sandbox.job import Sandbox
from sandbox.open import open_sandbox
from synth.models.choose import writers_for
from synth.outcome import Outcome
from synth.pipeline import Tools, ask
from synth.request import Draft, Request
from synth.schema import Field, Table
from synth.sources.duck import DuckDoors, DuckSource
from tests.llm_server import Asked, ChatServer, chatting, fails, replies, says

KEY = "sk-test-0123456789abcdef"
REQUEST = "sum of total per city"
RIGHT = (
    "def closure(source):\n"
    '    """The sum of total for each city."""\n'
    '    yield from source.query("SELECT city, sum(total) AS total FROM orders GROUP BY city")\n'
)
WRONG = RIGHT.replace("sum(total)", "max(total)")


def source() -> DuckSource:
    table = Table("orders", (Field("city", "string"), Field("total", "decimal128(10, 2)"), Field("phone", "string")))
    held = pa.table(
        {
            "city": [["Berlin", "Paris", "Oslo"][i % 3] for i in range(90)],
            "total": pa.array([Decimal(i * 37 % 900) for i in range(90)], pa.decimal128(10, 2)),
            "phone": [f"+49 170 55501{i:02d}" for i in range(90)],
        }
    )
    doors = DuckDoors()
    doors.add_arrow(table, held)
    return DuckSource("orders", "csv", doors, tables=[table])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox()
    yield opened
    opened.close()


def asked(server: ChatServer, sandbox: Sandbox, memory: Memory | None = None, **settings: str) -> Outcome:
    environment = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "TARS_MODEL_TRIES": "2", **settings}
    writers = writers_for("openai:m", environment)
    return ask(Request(REQUEST, datetime(2026, 4, 1, tzinfo=UTC)), source(), Tools(writers, sandbox, memory))


def writes_right_once_told(request: Asked) -> str:
    code = RIGHT if "wrong-values" in request.prompt else WRONG
    return json.dumps({"cannot": "", "reading": "total by city", "code": code})


def test_a_draft_is_mended_by_what_the_gates_found(sandbox: Sandbox) -> None:
    with chatting(replies(writes_right_once_told)) as server:
        outcome = asked(server, sandbox)

    assert outcome.status == "ok", outcome.message
    assert len(outcome.attempts) == len(server.asked) == 2
    assert outcome.message == "total by city"
    assert all(isinstance(a.written, Draft) and a.written.tokens == 120 for a in outcome.attempts)


def test_nothing_of_the_data_and_no_key_goes_out_but_what_is_shared(sandbox: Sandbox) -> None:
    for share, shows in (("none", False), ("schema", False), ("sample", True)):
        with chatting(replies(writes_right_once_told)) as server:
            asked(server, sandbox, TARS_SHARE=share)

        out = json.dumps([r.body for r in server.asked])
        assert ("Berlin" in out) is shows
        assert ("55501" in out) is shows
        assert '\\"phone\\"' in out
        assert KEY not in out


def test_a_server_on_this_machine_sees_samples_unless_told_otherwise(sandbox: Sandbox) -> None:
    with chatting(says(f"```python\n{RIGHT}```")) as server:
        asked(server, sandbox)

    assert "Berlin" in server.asked[0].prompt


def test_a_budget_ends_the_repairs_and_leaves_the_findings(sandbox: Sandbox) -> None:
    with chatting(says(f"```python\n{WRONG}```", usage=(900, 600))) as server:
        outcome = asked(server, sandbox, TARS_BUDGET_TOKENS="3200")

    assert outcome.status == "failed"
    assert "wrong-values" in outcome.message
    assert 1 <= len(server.asked) < 6


def test_an_outage_in_the_middle_passes_by(sandbox: Sandbox) -> None:
    with chatting(fails(503, "busy", headers={"Retry-After": "0"}), says(f"```python\n{RIGHT}```")) as server:
        outcome = asked(server, sandbox)

    assert outcome.status == "ok"
    assert len(server.asked) == 2
