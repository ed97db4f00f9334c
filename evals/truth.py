"""What a right answer is: rows of values, the order where it was asked for, and the alternatives that a person would accept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Any

Cells = tuple[Any, ...]
Row = dict[str, Any]


@dataclass(frozen=True)
class Either:
    """One value written in several ways that are equally right: a month as its first day or as `2024-03`.

    In one column all of them are held to the same way."""

    values: tuple[object, ...]


@dataclass(frozen=True)
class Truth:
    """The rows, as many columns wide as the request needs. `by` are the columns that the asked order goes by."""

    rows: tuple[Cells, ...]
    by: tuple[int, ...] | None = None


@dataclass(frozen=True)
class AnyOf:
    """Any of these is right."""

    truths: tuple[Truth, ...]


def only(rows: Iterable[Cells], by: tuple[int, ...] | None = None) -> AnyOf:
    """Exactly these rows."""
    return AnyOf((Truth(tuple(rows), by),))


def either(*answers: AnyOf) -> AnyOf:
    """Any of these answers."""
    return AnyOf(tuple(t for a in answers for t in a.truths))


def one(*values: object) -> AnyOf:
    """One row with these values."""
    return only([values])


def listed(rows: Iterable[Row], *columns: str) -> list[Cells]:
    """These columns of the rows."""
    return [tuple(row[c] for c in columns) for row in rows]


def per(rows: Iterable[Row], key: Callable[[Row], object], figure: Callable[[list[Row]], object]) -> list[Cells]:
    """One row a group: its key (or keys, from a tuple), then its figure (or figures)."""
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [(*_cells(k), *_cells(figure(members))) for k, members in groups.items()]


def nulls_or_not(rows: Sequence[Cells], by: tuple[int, ...] | None = None, key: int = 0) -> AnyOf:
    """These groups, with or without the group of unknown key: a request that does not mention it leaves it open."""
    known = [row for row in rows if row[key] is not None]
    return only(rows, by) if len(known) == len(rows) else either(only(rows, by), only(known, by))


def highest(rows: Iterable[Cells], column: int) -> list[Cells]:
    """Sorted by a column, highest first, unknown values last."""
    every = list(rows)
    known = sorted((r for r in every if r[column] is not None), key=lambda r: r[column], reverse=True)
    return known + [r for r in every if r[column] is None]


def lowest(rows: Iterable[Cells], column: int) -> list[Cells]:
    """Sorted by a column, lowest first, unknown values last."""
    every = list(rows)
    known = sorted((r for r in every if r[column] is not None), key=lambda r: r[column])
    return known + [r for r in every if r[column] is None]


def first(ranked: Sequence[Cells], count: int, column: int, by: tuple[int, ...] | None = None) -> AnyOf:
    """The first so many of ranked rows: all that tie with the last one, or any choice among those."""
    if len(ranked) <= count:
        return only(ranked, by)
    edge = ranked[count - 1][column]
    inside = [r for r in ranked[:count] if r[column] != edge]
    tied = [r for r in ranked if r[column] == edge]
    choices = list(combinations(tied, count - len(inside)))[:200]
    return either(only([*inside, *tied], by), *(only([*inside, *choice], by) for choice in choices))


def total(rows: Iterable[Row], column: str) -> Any:
    """The sum of what is known; null when nothing is."""
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known else None


def mean(rows: Iterable[Row], column: str) -> Any:
    """The average of what is known; null when nothing is."""
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) / len(known) if known else None


def middle(rows: Iterable[Row], column: str) -> Any:
    """The median of what is known; between the two middle ones when they are even."""
    known = sorted(row[column] for row in rows if row[column] is not None)
    if not known:
        return None
    half = len(known) // 2
    return known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2


def percent(part: Any, whole: Any) -> Either:
    """A share, as 0 to 100 or as 0 to 1."""
    share = float(part) / float(whole)
    return Either((share * 100, share))


def month(day: date, *, lone_year: bool = False) -> Either:
    """A month by its first day or as 2024-03; also by its number when the request fixes the year."""
    ways: tuple[object, ...] = (date(day.year, day.month, 1), f"{day:%Y-%m}")
    return Either((*ways, day.month) if lone_year else ways)


def week(day: date) -> Either:
    """A week by its Monday, or as ISO 8601 writes it."""
    plain = date(day.year, day.month, day.day)
    year, number, _ = plain.isocalendar()
    return Either((plain - timedelta(days=plain.weekday()), f"{year}-W{number:02d}", number))


def year(day: date) -> Either:
    """A year as a number or by its first day."""
    return Either((day.year, date(day.year, 1, 1), str(day.year)))


def _cells(value: object) -> Cells:
    return value if isinstance(value, tuple) else (value,)
