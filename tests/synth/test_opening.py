"""What stands after --source is opened, or refused with a word on what is missing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.open import open_sandbox
from synth.errors import SourceProblem
from synth.models.builtin import Builtin
from synth.opening import open_one
from synth.pipeline import Tools, ask
from synth.request import Request
from synth.source import OpenOptions
from tests.servers import numbered, orders, raw_serving, serving
from tests.services import Server

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize("address", ["http://{place}", "http://{place}/", "{place}"])
def test_an_api_whose_collection_is_its_root(address: str) -> None:
    sandbox = open_sandbox()
    with serving({"/": numbered(orders(45), 20)}) as server:
        place = server.url("/").removeprefix("http://").rstrip("/")
        source = open_one(address.format(place=place), OpenOptions())
        outcome = ask(Request("how many rows are there", NOW), source, Tools([Builtin()], sandbox, None))
        source.close()
    sandbox.close()

    assert outcome.status == "ok", outcome.message
    assert outcome.answer
    assert [list(r.values()) for r in outcome.answer.records] == [[45]]


def test_a_bare_host_and_port_of_a_database_is_told_what_it_wants(postgres: Server) -> None:
    with pytest.raises(SourceProblem, match="is postgresql, which wants a user and a database") as raised:
        open_one(f"127.0.0.1:{postgres.port}", OpenOptions())

    assert f"@127.0.0.1:{postgres.port}/DATABASE" in str(raised.value)


def test_a_bare_host_and_port_where_nobody_answers() -> None:
    with pytest.raises(SourceProblem, match=r"nobody answers at 127\.0\.0\.1:1"):
        open_one("127.0.0.1:1", OpenOptions())


def test_a_bare_host_and_port_that_says_nothing_is_not_taken_for_a_missing_file() -> None:
    with raw_serving(lambda connection: None) as place:
        location = place.removeprefix("http://").rstrip("/")
        with pytest.raises(SourceProblem, match="does not say what it is"):
            open_one(location, OpenOptions())
