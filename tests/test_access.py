"""Signing on in words: the names are kept with the closure for its next run, the values nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth import actions
from synth.closures import run_closure
from tests.servers import cursor, guarded, orders, serving

TOKEN = "tok-1234567890abcdef"


@pytest.mark.parametrize(
    ("words", "environment"),
    [("bearer token in $API_TOKEN", {"API_TOKEN": TOKEN}), (f"with the bearer token {TOKEN}", {})],
    ids=["from a variable", "pasted"],
)
def test_a_kept_closure_signs_on_again_and_no_secret_is_written_down(
    words: str, environment: dict[str, str], tmp_path: Path
) -> None:
    desk = actions.Desk({"TARS_HOME": str(tmp_path), **environment})
    with serving({"/api/orders": guarded("authorization", f"Bearer {TOKEN}", cursor(orders(60), size=25))}) as server:
        try:
            outcome = actions.ask(
                desk, f"how many orders are there, {words}", [server.url("/api/orders")], actions.Said(save="mine")
            )
            again = None
            if environment:
                _, again = run_closure(desk, "mine", (), {}, None)
        finally:
            desk.close()

    assert outcome.status == "ok", outcome.message
    assert outcome.answer
    assert [list(r.values()) for r in outcome.answer.records] == [[60]]
    if again:
        assert again.answer
        assert again.answer.records == outcome.answer.records
    written = [p for p in tmp_path.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]
    assert written == []
    assert TOKEN not in json.dumps(actions.outcome_json(outcome), default=str)
