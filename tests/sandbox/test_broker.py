"""The broker: what a grant allows, what it refuses, what is written down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from sandbox.broker import Broker, Call, CallRefused, Grant, row_verbs


class Notes:
    """A file of two lines, a folder of one member, and a few ways to go wrong."""

    closed = 0

    def lines(self, within: str = "") -> Iterator[list[str]]:
        try:
            yield [f"{within}one"]
            yield ["two", "three"]
        finally:
            self.closed += 1

    def records(self) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"a": list(range(100))})

    def text(self) -> str:
        raise RuntimeError("cannot connect to postgres://me:s3cret@host/db")

    def read(self, offset: int = 0, size: int = 65536) -> bytes:
        return b"0123456789"[offset : offset + size]

    def columns(self, table: str) -> list[dict[str, str]]:
        return [{"name": "a", "type": "int"}]

    def tables(self) -> list[str]:
        return ["orders", "secrets"]

    def get(self, path: str, params: dict[str, object] | None = None) -> object:
        raise CallRefused("not-found", f"no {path} here")

    def delete(self) -> None:
        raise AssertionError("nobody may call this")


def drained(broker: Broker, verb: str, *args: object, **kwargs: object) -> list[Any]:
    return list(broker.answer(verb, args, kwargs))


def test_rows_come_in_batches_and_values_alone() -> None:
    broker = Broker(Notes())

    assert drained(broker, "lines") == [["one"], ["two", "three"]]
    assert drained(broker, "read", 2, size=3) == [[b"234"]]


def test_the_verbs_that_give_rows_are_read_off_the_protocols() -> None:
    assert row_verbs() == {"query", "records", "lines", "pages"}


@pytest.mark.parametrize("verb", ["delete", "__class__", "capability", "", "open", "list"])
def test_other_names_are_not_verbs(verb: str) -> None:
    with pytest.raises(CallRefused) as refused:
        Broker(Notes()).answer(verb, [], {})

    assert refused.value.code == "not-granted"


def test_a_verb_outside_the_grant_is_refused() -> None:
    broker = Broker(Notes(), Grant(verbs=frozenset({"read"})))

    with pytest.raises(CallRefused, match="there are: read"):
        broker.answer("lines", [], {})


@pytest.mark.parametrize(
    ("args", "kwargs"), [((1, 2, 3), {}), ((), {"path": "/etc"}), ((), {"within": 5}), ((), {"within": ""})]
)
def test_arguments_have_to_fit_the_protocol(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    with pytest.raises(CallRefused):
        Broker(Notes()).answer("read", args, kwargs)


def test_a_member_of_a_folder_is_named_by_keyword() -> None:
    assert drained(Broker(Notes()), "lines", within="a/")[0] == ["a/one"]


def test_an_unforeseen_failure_is_told_without_its_words() -> None:
    with pytest.raises(CallRefused) as refused:
        drained(Broker(Notes()), "text")

    assert refused.value.code == "failed"
    assert "RuntimeError" in refused.value.message
    assert "s3cret" not in refused.value.message
    assert refused.value.__suppress_context__


def test_a_refusal_of_the_capability_passes() -> None:
    with pytest.raises(CallRefused) as refused:
        drained(Broker(Notes()), "get", "/x")

    assert (refused.value.code, refused.value.message) == ("not-found", "no /x here")


@pytest.mark.parametrize(
    ("grant", "breach", "calls"),
    [
        (Grant(calls=2), "calls", 3),
        (Grant(rows=150), "rows", 2),
        (Grant(answer_bytes=900), "answer_bytes", 2),
    ],
)
def test_a_used_up_grant_refuses_and_says_which_part(grant: Grant, breach: str, calls: int) -> None:
    broker = Broker(Notes(), grant)
    for _ in range(calls - 1):
        drained(broker, "records")

    with pytest.raises(CallRefused) as refused:
        drained(broker, "records")

    assert refused.value.code == "limit"
    assert broker.meter.breached == breach


def test_the_grant_ends_with_its_time() -> None:
    broker = Broker(Notes(), Grant(seconds=0.01))
    batches = broker.answer("lines", [], {})
    time.sleep(0.02)

    with pytest.raises(CallRefused):
        next(batches)

    assert broker.meter.breached == "seconds"


def test_use_is_metered() -> None:
    broker = Broker(Notes())

    drained(broker, "records")
    drained(broker, "lines")

    assert broker.meter.calls == 2
    assert broker.meter.rows == 103
    assert broker.meter.answer_bytes == 800 + 11
    assert broker.meter.by_verb == {"records": 1, "lines": 1}


def test_only_granted_tables_are_shown() -> None:
    broker = Broker(Notes(), Grant(tables=frozenset({"orders"})))

    assert drained(broker, "tables") == [[["orders"]]]
    assert drained(broker, "columns", "orders") == [[[{"name": "a", "type": "int"}]]]
    with pytest.raises(CallRefused):
        drained(broker, "columns", "secrets")


def test_calls_are_logged_as_they_were_answered() -> None:
    log: list[Call] = []
    broker = Broker(Notes(), log=log.append)

    drained(broker, "read", size=2, offset=1)
    drained(broker, "lines")
    with pytest.raises(CallRefused):
        drained(broker, "get", "/x")
    with pytest.raises(CallRefused):
        broker.answer("delete", [], {})

    assert log == [
        Call("read", (1, 2), {}, ([b"12"],)),
        Call("lines", (), {}, (["one"], ["two", "three"])),
        Call("get", ("/x",), {}, (), ("not-found", "no /x here")),
        Call("delete", (), {}, (), log[3].refused),
    ]


def test_a_call_left_half_read_is_logged_and_closed() -> None:
    log: list[Call] = []
    notes = Notes()
    batches: Any = Broker(notes, log=log.append).answer("lines", [], {})

    next(batches)
    batches.close()

    assert log == [Call("lines", (), {}, (["one"],))]
    assert notes.closed == 1
