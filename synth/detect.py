"""What a source is: one answer from three entrances — a string, something on disk, or what a service said.

Nothing is connected to and nothing is executed. Odd input gives `unknown` with the reason in its evidence, never an error.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args

from synth.catalog import catalogue
from synth.detect_score import Board
from synth.detection import Detection

Mode = Literal["auto", "file", "dir", "string", "payload"]
_MODES: tuple[Mode, ...] = get_args(Mode)


def detect(source: str, *, mode: Mode = "auto", port: int | None = None, payload: bytes | None = None) -> Detection:
    """The likeliest kind of `source`, with confidence, evidence and alternatives; `unknown` below the floor.

    `auto` takes what exists on disk for a file or folder and all else for a string. With `payload`, those bytes are what a
    service said (`port` is a hint) and `source` is only its name; in payload mode without it, `source` is the text itself.
    """
    board = Board(catalogue())
    if payload is not None or mode == "payload":
        from synth.detect_payloads import read_payload

        read_payload(board, payload if payload is not None else source.encode("utf-8", "surrogateescape"), port)
        return board.verdict(source if payload is not None else "payload")
    path = _existing(source) if mode != "string" else None
    if path is not None:
        from synth.detect_files import read_path

        read_path(board, path)
        return board.verdict(source)
    if mode in ("file", "dir"):
        board.notes.append("no such file" if mode == "file" else "no such folder")
    from synth.detect_strings import read_string

    read_string(board, source)
    if board.facts.get("missing") and mode != "string" and "no such file" not in board.notes:
        board.notes.append("no such file here; typed by its name")
    if port is not None:
        for kind in catalogue().by_port.get(port, ()):
            board.add(kind, 1.0, f"port {port} is the default of {catalogue().kinds[kind].title}", weak=True)
    if mode in ("file", "dir") and not board.signals:
        return Detection(source, "unknown", "", 0.5, tuple(board.notes), facts=dict(board.facts))
    return board.verdict(source)


def _existing(source: str) -> Path | None:
    text = source.strip()
    if not text or "\0" in text or "\n" in text or len(text) > 4096:
        return None
    try:
        for candidate in (
            source,
            text,
            os.path.expanduser(text) if text.startswith("~") else text,
            text.removeprefix("file://"),
        ):
            if candidate and os.path.exists(candidate):
                return Path(candidate)
    except (OSError, ValueError):
        return None
    return None


def to_json(detection: Detection) -> dict[str, object]:
    """A detection as plain values for printing: kind, family, confidence, evidence, alternatives, and what else there is."""
    answer: dict[str, object] = {
        "source": detection.source,
        "kind": detection.kind,
        "family": detection.family,
        "confidence": detection.confidence,
        "evidence": list(detection.evidence),
        "alternatives": [{"kind": kind, "confidence": confidence} for kind, confidence in detection.alternatives],
    }
    if detection.connector:
        answer["connector"] = detection.connector
    if detection.wrappings:
        answer["wrappings"] = list(detection.wrappings)
    if detection.facts:
        answer["facts"] = {key: _plain(value) for key, value in detection.facts.items()}
    return answer


def _plain(value: object) -> object:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    return str(value)


def detect_many(lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """One answer for each line that is not blank: a JSON string, or an object with `source` and, if wanted, `id`, `mode`,
    `port` and `encoding` (`base64` for payloads). A line that is neither gives `{"error": …}`, and the next one is read."""
    for line in lines:
        if line.strip():
            yield _one(line)


def _one(line: str) -> dict[str, object]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as problem:
        return {"error": f"not a JSON line: {problem}"}
    asked: dict[str, object] = {"source": item} if isinstance(item, str) else item if isinstance(item, dict) else {}
    head: dict[str, object] = {"id": asked["id"]} if "id" in asked else {}
    source, wanted, port = asked.get("source"), asked.get("mode", "auto"), asked.get("port")
    if not isinstance(source, str):
        return head | {"error": "a line is a JSON string, or an object with a string `source`"}
    mode = next((each for each in _MODES if each == wanted), None)
    if mode is None:
        return head | {"error": f"no mode {wanted!r}; there are: {', '.join(_MODES)}"}
    if isinstance(port, str) and port.isdigit():
        port = int(port)
    if port is not None and not isinstance(port, int):
        return head | {"error": f"`port` is a number, not {port!r}"}
    payload = None
    if mode == "payload":
        try:
            payload = (
                base64.b64decode(source)
                if asked.get("encoding") == "base64"
                else source.encode("utf-8", "surrogatepass")
            )
        except (binascii.Error, ValueError) as problem:
            return head | {"error": f"not base64: {problem}"}
    answer = to_json(detect(source, mode=mode, port=port, payload=payload))
    return head | answer
