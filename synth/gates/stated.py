"""What the request itself states about its answer, as facts to check: at most n records, no record twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.finding import Finding
from synth.gates.case import Case
from synth.records import bag

_NUMBERS = dict(
    zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], range(1, 11), strict=True)
)
_SPAN = r"(?:days?|weeks?|months?|quarters?|years?|hours?)"
_TOP = re.compile(rf"\b(?:top|first|bottom|last)\s+(\d+|{'|'.join(_NUMBERS)})\b(?!\s*{_SPAN})", re.IGNORECASE)
_PER = re.compile(r"\b(?:per|by|each|every|for each|within)\b", re.IGNORECASE)
_DISTINCT = re.compile(r"\b(?:distinct|unique|different)\b", re.IGNORECASE)


def findings_of(case: Case) -> Iterator[Finding]:
    """Facts that the records of sample B contradict."""
    text, records = case.task.request.text, case.on_b.records
    top = _TOP.search(text)
    if top and not _PER.search(text):
        count = _NUMBERS.get(top.group(1).lower()) or int(top.group(1))
        if len(records) > count and not _tie(records[count - 1], records[count]):
            yield Finding(
                "faithful", "too-many", f"the request asks for {count} records, the closure gave {len(records)}"
            )
    if _DISTINCT.search(text) and not re.search(r"\b(how many|number of|count)\b", text, re.IGNORECASE):
        double = next((k for k, n in bag(records).items() if n > 1), None)
        if double is not None:
            yield Finding(
                "faithful", "not-distinct", f"the request asks for distinct records; this one came twice: {double}"
            )


def _tie(last: dict[str, object], next_one: dict[str, object]) -> bool:
    return any(last[name] == next_one.get(name) for name in last if not isinstance(last[name], str))
