"""Compares records with the truth by their values: names of columns do not count, missing columns, rows and orders do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice

from evals.truth import AnyOf, Cells, Either, Truth

MOST_ASSIGNMENTS = 5000


def right(records: Sequence[Mapping[str, object]], truth: AnyOf, *, extra_ok: bool = True) -> bool:
    """Whether the records are one of the right answers. `extra_ok`: columns beyond the needed ones do no harm."""
    return any(_is(records, each, extra_ok) for each in truth.truths)


def same(expected: object, got: object) -> bool:
    """Whether a value is the right one: numbers to a millionth, or rounded to two places; dates as such or as ISO text."""
    if isinstance(expected, str) and isinstance(got, str):
        return expected.strip() == got.strip()
    if _empty(expected) or _empty(got):
        return _empty(expected) and _empty(got)
    if isinstance(expected, bool) or isinstance(got, bool):
        return isinstance(expected, bool) and isinstance(got, bool) and expected == got
    if isinstance(expected, int | float | Decimal):
        return isinstance(got, int | float | Decimal) and _near(float(expected), float(got))
    if isinstance(expected, date):
        moment = _moment(got)
        return moment is not None and moment == _moment(expected)
    return expected == got


def _is(records: Sequence[Mapping[str, object]], truth: Truth, extra_ok: bool) -> bool:
    if len(records) != len(truth.rows):
        return False
    if not records:
        return True
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = [[_plain(record.get(name)) for record in records] for name in names]
    wanted = list(zip(*truth.rows, strict=True))
    if len(columns) < len(wanted) or (len(columns) > len(wanted) and not extra_ok):
        return False
    return any(
        _rows_fit(expected, got, truth.by) for expected, got in islice(_assignments(wanted, columns), MOST_ASSIGNMENTS)
    )


def _assignments(
    wanted: Sequence[Sequence[object]], columns: Sequence[Sequence[object]]
) -> Iterator[tuple[list[Sequence[object]], list[Sequence[object]]]]:
    """Every way to give each wanted column one of the columns that holds the same values."""
    candidates = [
        [(way, n) for way in _ways(column) for n, got in enumerate(columns) if _holds_the_same(way, got)]
        for column in wanted
    ]

    def choose(position: int, taken: frozenset[int]) -> Iterator[tuple[list[Sequence[object]], list[Sequence[object]]]]:
        if position == len(candidates):
            yield [], []
            return
        for way, n in candidates[position]:
            if n not in taken:
                for expected, got in choose(position + 1, taken | {n}):
                    yield [way, *expected], [columns[n], *got]

    return choose(0, frozenset())


def _ways(column: Sequence[object]) -> list[list[object]]:
    """The column once for each way that its values may be written."""
    count = max((len(cell.values) for cell in column if isinstance(cell, Either)), default=1)
    return [[cell.values[n] if isinstance(cell, Either) else cell for cell in column] for n in range(count)]


def _holds_the_same(expected: Sequence[object], got: Sequence[object]) -> bool:
    """The same values as often, in any order."""
    if Counter(map(_exact, expected)) != Counter(map(_exact, got)):
        return False
    figures = [sorted(float(v) for v in values if _is_number(v)) for values in (expected, got)]  # type: ignore[arg-type]  # numbers
    return all(_near(a, b) for a, b in zip(*figures, strict=True))


def _rows_fit(expected: list[Sequence[object]], got: list[Sequence[object]], by: tuple[int, ...] | None) -> bool:
    wanted_rows: list[Cells] = list(zip(*expected, strict=True))
    got_rows: list[Cells] = list(zip(*got, strict=True))
    if by is not None and not all(same(a[n], b[n]) for a, b in zip(wanted_rows, got_rows, strict=True) for n in by):
        return False
    waiting: dict[Cells, list[Cells]] = {}
    for row in got_rows:
        waiting.setdefault(tuple(map(_exact, row)), []).append(row)
    for wanted in wanted_rows:
        bucket = waiting.get(tuple(map(_exact, wanted)), [])
        match = next((n for n, row in enumerate(bucket) if all(map(same, wanted, row))), None)
        if match is None:
            return False
        bucket.pop(match)
    return True


def _near(expected: float, got: float) -> bool:
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if abs(expected - got) <= 1e-6 * max(1.0, abs(expected)):
        return True
    rounded_to_cents = abs(got * 100 - round(got * 100)) < 1e-6
    return rounded_to_cents and abs(expected - got) <= 0.005 + 1e-9 and abs(expected) >= 0.05


def _exact(value: object) -> object:
    """What must agree exactly; numbers are all alike here, for they agree within a tolerance."""
    if _empty(value):
        return None
    if isinstance(value, bool):
        return ("flag", value)
    if _is_number(value):
        return "number"
    moment = _moment(value)
    return moment if moment is not None else str(value).strip()


def _plain(value: object) -> object:
    return value.item() if hasattr(value, "item") and not isinstance(value, str | bytes) else value


def _empty(value: object) -> bool:
    return value is None or value == ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _moment(value: object) -> datetime | None:
    """A date, a time or its ISO text as a time in UTC."""
    if isinstance(value, str):
        if len(value) < 10 or not value[:4].isdecimal():
            return None
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None
