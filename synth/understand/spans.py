"""Times that are said in two halves, spelled out: "Q3 or Q4 of 2023", "the last two weeks of March 2024"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from synth.understand.numbers_and_dates import MONTHS, SMALL, months_on, unit_start, units_on

_MONTH = rf"(?:{'|'.join(MONTHS)})"
_YEAR = r"((?:19|20)\d\d)"
_HALVES = re.compile(rf"\b({_MONTH}|q[1-4]) (or|and) ({_MONTH}|q[1-4]),? (?:of |in )?{_YEAR}\b(?![-/])", re.IGNORECASE)
_ENDS = re.compile(
    r"\b(?:(?:in|during|over|within|for|of|from) )?(?:the )?(first|last|final) (?:(\w+) )?(day|week|month|quarter)s? "
    rf"(?:of|in) (?:({_MONTH}|q[1-4]) (?:of )?)?{_YEAR}\b(?![-/])",
    re.IGNORECASE,
)


def spelled_spans(text: str) -> str:
    """The request with the year said to each month or quarter, and first and last units of a period as two dates."""
    if not re.search(r"\b(?:19|20)\d\d\b", text):
        return text
    return _ENDS.sub(_dates, _HALVES.sub(r"\1 \4 \2 \3 \4", text))


def _dates(found: re.Match[str]) -> str:
    which, counted, unit, part, year = (g.casefold() if g else "" for g in found.groups())
    count = int(counted) if counted.isdecimal() else SMALL.get(counted, 0) if counted else 1
    if not count or (unit == "quarter" and part):
        return found[0]
    start, months = date(int(year), 1, 1), 12
    if part.startswith("q"):
        start, months = months_on(start, 3 * (int(part[1]) - 1)), 3
    elif part:
        start, months = start.replace(month=MONTHS[part]), 1
    end = months_on(start, months)
    if which == "first":
        first, last = start, units_on(start, unit, count)
    elif unit == "week" and count == 1 and not counted:
        # the week, Monday to Sunday, in which the period ends
        first = max(start, unit_start(end - timedelta(days=1), "week"))
        last = end
    else:
        first, last = units_on(end, unit, -count), end
    if first < start or last > end:
        return found[0]
    if count == 1 and unit == "quarter":
        return f"in Q{(first.month + 2) // 3} {first.year}"
    if count == 1 and unit == "month":
        return f"in {first:%B %Y}"
    return f"between {first} and {last - timedelta(days=1)}"
