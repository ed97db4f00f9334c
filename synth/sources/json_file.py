"""JSON files: one document with the records somewhere inside, JSON Lines, or documents one after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_STRING = r'"(?:[^"\\]|\\.)*"'
_OBJECT_START = re.compile(r"\{\s*(?:" + _STRING + r"\s*:\s*[\[{\"\-0-9tfnNI]|\}\s*)")
_ARRAY_START = re.compile(
    r"\[\s*(?:[\[{\]]|" + _STRING + r"\s*[,\]]|-?\d[\d.eE+-]*\s*[,\]]|(?:true|false|null)\s*[,\]])"
)
_COMMENT = re.compile(r"(?:\s*(?://[^\n]*\n|/\*.*?\*/))+", re.DOTALL)
_JSONP = re.compile(
    r"\s*(?:\)\]\}',?\s*|while\(1\);\s*|(?:/\*\*/)?\s*[\w$.]+\(\s*(?=[\[{])|(?:var|let|const|window\.)\s*[\w$.]+\s*=\s*(?=[\[{]))"
)


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks like JSON: a score from 0 to 1, the facts (`shape`, `encoding`), the evidence."""
    encoding = encoding_of(head)
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n\0")
    facts: dict[str, object] = {"encoding": encoding, "shape": "object"}
    evidence: list[str] = []
    if comment := _COMMENT.match(text):
        text = text[comment.end() :].lstrip()
        evidence.append("comments before the first value")
    if wrapper := _JSONP.match(text):
        text = text[wrapper.end() :]
        evidence.append(f"wrapped in {wrapper.group().strip()[:20]!r}")
    if not text or text[0] not in "[{":
        return _sniff_scalars(text, facts)
    start = (_OBJECT_START if text[0] == "{" else _ARRAY_START).match(text)
    if not start:
        return 0.0, {}, ("starts with a bracket, but what follows is not JSON",)
    lines = [line for line in text[:65_536].split("\n")[:8] if line.strip()]
    whole_lines = [_is_container(line) for line in (lines[:-1] if len(lines) > 1 else lines)]
    if len(lines) > 1 and whole_lines[0] and sum(whole_lines) >= len(whole_lines) / 2:
        facts["shape"] = "lines"
        return (
            0.97,
            facts,
            (*evidence, f"{sum(whole_lines)} of the first {len(whole_lines)} lines are JSON values of their own"),
        )
    facts["shape"] = "object" if text[0] == "{" else "array"
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        score = 0.85 if text[0] == "{" or start.group().rstrip()[-1] in "{[" else 0.6
        return score, facts, (*evidence, f"starts as a JSON {facts['shape']}")
    if text[end:].lstrip("\0 \t\r\n")[:1] in ("{", "["):
        facts["shape"] = "concatenated"
        return 0.9, facts, (*evidence, "JSON values one after the other")
    rest = text[end:].strip(" \t\r\n\0;)")
    if rest:
        return 0.5, facts, (*evidence, f"a JSON {facts['shape']}, then {rest[:20]!r}")
    return 0.99, facts, (*evidence, f"one whole JSON {facts['shape']}")


def encoding_of(head: bytes) -> str:
    """UTF-8, -16 or -32 by mark or by where the zeros are; Windows-1252 when the bytes are no UTF-8."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    zeros = bytes(1 if b else 0 for b in head[:4])
    by_zeros = {b"\1\0\0\0": "utf-32-le", b"\0\0\0\1": "utf-32-be", b"\1\0\1\0": "utf-16-le", b"\0\1\0\1": "utf-16-be"}
    if zeros in by_zeros:
        return by_zeros[zeros]
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return "cp1252"
    return "utf-8"


def _is_container(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _sniff_scalars(text: str, facts: dict[str, object]) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return 0.0, {}, ()
    return 0.3, {**facts, "shape": "scalar"}, ("a single JSON value",)
