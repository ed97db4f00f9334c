"""Whatever bytes come, in whatever pieces: a reply, or a problem in words; nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.models.problem import ModelProblem
from synth.models.wire import pieces_of


def stream(*texts: str) -> bytes:
    events = [{"choices": [{"index": 0, "delta": {"content": t}, "finish_reason": None}]} for t in texts]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return (
        b"".join(b"data: " + json.dumps(e, ensure_ascii=False).encode() + b"\r\n\r\n" for e in [*events, end])
        + b"data: [DONE]\n\n"
    )


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=6), st.lists(st.integers(0, 40), max_size=30))
def test_a_stream_reads_the_same_however_it_is_cut(texts: list[str], sizes: list[int]) -> None:
    texts = [t.encode("utf-8", "replace").decode() for t in texts]

    pieces = list(pieces_of(cut(stream(*texts), sizes), "text/event-stream"))

    assert "".join(p.text for p in pieces) == "".join(texts)
    assert pieces[-1].finish == "stop"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(max_size=60), max_size=5),
    st.sampled_from(["text/event-stream", "application/json", "text/html", ""]),
)
def test_garbage_is_a_problem_in_words(chunks: list[bytes], kind: str) -> None:
    with pytest.raises(ModelProblem) as caught:
        list(pieces_of(chunks, kind))

    assert caught.value.reason in ("garbled", "not-a-model", "cut-off")
    assert str(caught.value).isprintable()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "message", "content", "error", "usage", "text", "finish_reason", "prompt_tokens"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_json)
def test_json_of_any_shape_is_a_piece_or_a_problem(value: object) -> None:
    for kind, body in (
        ("application/json", json.dumps(value)),
        ("text/event-stream", f"data: {json.dumps(value)}\n\n"),
    ):
        reasons: list[str] = []
        try:
            texts = [piece.text for piece in pieces_of([body.encode()], kind)]
        except ModelProblem as problem:
            reasons, texts = [problem.reason], []

        assert all(isinstance(text, str) for text in texts)
        assert set(reasons) <= {"garbled", "cut-off"}
