"""What people carry over from SQL, said in plain words: "count(*) by status", "where city in ('Rome', 'Oslo')", "like 'A%'"."""

from __future__ import annotations

import re

CALLS = {
    "sum": "total",
    "total": "total",
    "avg": "average",
    "average": "average",
    "mean": "average",
    "min": "minimum",
    "max": "maximum",
    "median": "median",
    "stddev": "standard deviation of",
}
_NAME = r"[\w. ]*\w"
_CALL = re.compile(rf"\b({'|'.join(CALLS)}) ?\(\s*(?:all\s+)?({_NAME})\s*\)", re.IGNORECASE)
_COUNT_ROWS = re.compile(r"\bcount ?\(\s*(?:\*|1|all|rows)?\s*\)", re.IGNORECASE)
_COUNT_DIFFERENT = re.compile(rf"\bcount ?\(\s*distinct\s+({_NAME})\s*\)", re.IGNORECASE)
_COUNT = re.compile(rf"\bcount ?\(\s*({_NAME})\s*\)", re.IGNORECASE)
_ALIAS = re.compile(r"(?<=\))\s+as\s+\w+", re.IGNORECASE)
_AMONG = re.compile(r"\b((?:not\s+)?in)\s*\(([^()]*)\)", re.IGNORECASE)
_LIKE = re.compile(r"\b(not\s+)?i?like\s+(['\"])(%?)([^%'\"]+)(%?)\2", re.IGNORECASE)


def without_sql(text: str) -> str:
    """The request with calls, lists in brackets and patterns in the words of everybody else."""
    if not re.search(r"\(|\blike\b|;\s*$", text, re.IGNORECASE):
        return text
    text = _LIKE.sub(_matched, _AMONG.sub(_among, _ALIAS.sub("", text)))
    text = _COUNT_ROWS.sub("number of rows", text)
    text = _COUNT_DIFFERENT.sub(r"number of different \1", text)
    text = _COUNT.sub(r"number of \1", text)
    text = _CALL.sub(lambda call: f"{CALLS[call[1].casefold()]} {call[2]}", text)
    return text.rstrip().rstrip(";")


def _among(found: re.Match[str]) -> str:
    values = [v.strip() for v in found[2].split(",")]
    if not all(values):
        return found[0]
    denied = found[1].casefold().startswith("not")
    return f"{'is not' if denied else 'is'} {' or '.join(values)}"


def _matched(found: re.Match[str]) -> str:
    denied, _, before, piece, after = found.groups()
    how = "contains" if before and after else "ends with" if before else "starts with" if after else "is"
    return f"{'not ' if denied else ''}{how} '{piece}'"
