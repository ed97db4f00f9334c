"""What a chat server sends back, read piece by piece: an event stream, or one JSON body from a server that does not stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synth.models.problem import ModelProblem

MOST_LINE = 1_048_576
MOST_BODY = 16 * 1_048_576
"""A longer line, or body, is no reply: a server that sends garbage without end is stopped here."""


@dataclass(frozen=True)
class Piece:
    """A bit of a reply. `thought` is text that the model does not mean as its answer; usage only where the server tells it."""

    text: str = ""
    thought: str = ""
    refusal: str = ""
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    error: object = None


def pieces_of(chunks: Iterable[bytes], content_type: str) -> Iterator[Piece]:
    """The pieces in a body as its bytes arrive. Raises ModelProblem where it is not what a chat server sends."""
    kind = content_type.split(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise _not_a_model(_head(chunks), "a web page (HTML)")
    if kind.endswith("/json"):
        yield _piece(_decoded(_whole(chunks)), "message")
        return
    ended = False
    for data in _events(chunks):
        if data.startswith(b"[DONE]"):
            ended = True
            break
        piece = _piece(_decoded(data), "delta")
        ended = ended or bool(piece.finish)
        yield piece
    if not ended:
        raise ModelProblem("the reply broke off before its end", "Try again", "cut-off", transient=True)


def _events(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each event. Comments and other fields are passed over; a body with no event at all is not a stream."""
    seen = False
    for line in _lines(chunks):
        name, colon, value = line.partition(b":")
        if name == b"data" and colon:
            seen = True
            yield value.removeprefix(b" ")
        elif line and name not in (b"", b"event", b"id", b"retry") and not seen:
            if line.lstrip()[:1] == b"<":
                raise _not_a_model(line, "a web page (HTML)")
            if line.lstrip()[:1] == b"{":  # one JSON body under a wrong content type
                yield line
                yield b"[DONE]"
                return
            raise _garbled(line)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        yield from lines
        if len(rest) > MOST_LINE or total > MOST_BODY:
            raise _garbled(rest)
    if rest:
        yield rest


def _whole(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_BODY:
            raise _garbled(bytes(body[:200]))
    return bytes(body)


def _head(chunks: Iterable[bytes]) -> bytes:
    return next(iter(chunks), b"")


def _decoded(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise _garbled(data) from None
    if not isinstance(value, dict):
        raise _garbled(data)
    return value


def _piece(value: dict[str, object], part: str) -> Piece:
    """One chunk (`delta`) or one whole completion (`message`); a server may send the second where the first was asked for."""
    if value.get("error"):
        return Piece(error=value["error"])
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    if not isinstance(first, dict) or not isinstance(choices, list | None):
        raise _garbled(json.dumps(value).encode())
    said = first.get(part) or first.get("message") or first.get("delta") or {}
    said = said if isinstance(said, dict) else {}
    usage = value.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Piece(
        text=_text(said.get("content")),
        thought=_text(said.get("reasoning_content")) or _text(said.get("reasoning")),
        refusal=_text(said.get("refusal")),
        finish=_text(first.get("finish_reason")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _text(value: object) -> str:
    """Text, also where a server sends it as a list of parts."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else None


def _garbled(data: bytes) -> ModelProblem:
    return ModelProblem(
        f"what came is not a reply of a chat server: {shown(data.decode('utf-8', 'replace'), 80)!r}",
        "Check OPENAI_BASE_URL",
        "garbled",
    )


def _not_a_model(head: bytes, what: str) -> ModelProblem:
    title = head.decode("utf-8", "replace")
    start = title.lower().find("<title>")
    named = f", titled {shown(title[start + 7 :].partition('<')[0], 60)!r}" if start >= 0 else ""
    return ModelProblem(
        f"the address answers with {what}{named}, not as a model",
        "Check OPENAI_BASE_URL: it usually ends in /v1; a proxy or a login page may stand before it",
        "not-a-model",
    )


def shown(text: str, most: int) -> str:
    """Text from outside on one line and cut, for a message."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"
