"""What a service says tells what it is."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.detect import detect, detect_many
from tests.synth.detect_cases import LATER_PAYLOADS, PAYLOADS

EVERY = PAYLOADS + LATER_PAYLOADS


@pytest.mark.parametrize(("data", "port", "kind"), EVERY, ids=[f"{kind}-{at}" for at, (_, _, kind) in enumerate(EVERY)])
def test_an_answer_is_known(data: bytes, port: int | None, kind: str) -> None:
    found = detect("answer", payload=data, port=port)

    assert found.kind in kind.split("|"), found


def test_a_port_alone_is_a_weak_hint() -> None:
    found = detect("answer", payload=b"\x07\x08\x01\x02\x03zz\xff\xfe\x01", port=5432)

    assert found.confidence <= 0.6


def test_a_chunked_body_is_put_together() -> None:
    body = b'{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}'
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    data += b"10\r\n" + body[:16] + b"\r\n" + f"{len(body) - 16:x}".encode() + b"\r\n" + body[16:] + b"\r\n0\r\n\r\n"

    assert detect("answer", payload=data).kind == "etcd"


def test_html_where_json_was_promised_is_seen_as_html() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n<!DOCTYPE html><html><body>Log in</body></html>"

    assert detect("answer", payload=data).kind in ("html", "http")


def test_batches_take_base64_and_text() -> None:
    greeting = base64.b64encode(b"SSH-2.0-OpenSSH_9.2\r\n").decode()
    lines = [
        json.dumps({"id": 1, "mode": "payload", "source": greeting, "encoding": "base64", "port": 22}),
        json.dumps({"id": 2, "mode": "payload", "source": "+PONG\r\n", "port": "6379"}),
    ]

    answers = list(detect_many(lines))

    assert [(each["id"], each["kind"]) for each in answers] == [(1, "ssh"), (2, "redis")]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.none() | st.integers(0, 70000))
def test_any_bytes_get_an_answer(data: bytes, port: int | None) -> None:
    found = detect("answer", payload=data, port=port)

    assert 0 <= found.confidence <= 1


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([data for data, _, _ in PAYLOADS]), st.integers(0, 200))
def test_a_cut_off_answer_gets_an_answer(data: bytes, count: int) -> None:
    assert 0 <= detect("answer", payload=data[:count]).confidence <= 1


@pytest.mark.parametrize("piece", [b"/*", b'\\"', b"//", b"<p", b"\n", b'"\\', b"p1\n"])
@pytest.mark.parametrize("start", [b"{", b"select ", b"(dp0\n", b"["])
def test_long_runs_of_one_piece_are_answered(start: bytes, piece: bytes) -> None:
    found = detect("answer", payload=start + piece * (60_000 // len(piece)))

    assert 0 <= found.confidence < 1
    assert found.evidence or found.kind == "unknown"
