"""Tables inside grids of cells, as people lay them out: titles above, headers of several rows, totals below, gaps between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Row = list[Any]

_TOTAL = re.compile(
    r"(?:grand[ -]?|sub[ -]?|sum )?totals?\b.*|sum|sum of .*|summe\b.*|gesamt\w*\b.*|zwischensumme\b.*|somme\b.*|totaal\b.*|totale\b.*"
    r"|suma\b.*|итого\b.*|total général.*|all",
    re.IGNORECASE,
)
_TOTAL_ALONE = re.compile(
    r"(?:grand[ -]?|sub[ -]?)?totals?:?|sum:?|summe:?|gesamt(?:summe)?:?|somme:?|totaal:?|totale:?|suma:?|итого:?",
    re.IGNORECASE,
)
_NUMBERLIKE = re.compile(
    r"[-+(]?\s*[$€£]?\s*\d[\d.,' ]*\)?\s*[%€$£]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T]\d.*)?", re.ASCII
)
HEADER_ROWS = 4
_LOOKED = 200


@dataclass
class GridTable:
    """One table found in a grid. `positions` are the rows' numbers in the grid, from 1."""

    title: str
    names: list[str]
    rows: list[Row]
    positions: list[int]
    notes: list[str] = field(default_factory=list)


def tables_of(
    grid: list[Row], joined: Sequence[tuple[int, int, int, int]] = (), header_rows: int | None = None
) -> list[GridTable]:
    """The tables of a grid whose blank cells are None.

    `joined` are merged cells as (top, left, bottom, right) from 0, both ends included; the grid holds their value at the top
    left. `header_rows` is how many rows are said to be the header; found out when None.
    """
    found: list[GridTable] = []
    for top, bottom, left, right in _blocks(grid, joined):
        table = _table(grid, joined, top, bottom, left, right, header_rows)
        if table is not None:
            found.append(table)
    return found


def _blocks(grid: list[Row], joined: Sequence[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Rectangles (top, bottom, left, right; ends excluded) that stand clearly apart."""
    height, width = len(grid), max(map(len, grid), default=0)
    for row in grid:
        row.extend([None] * (width - len(row)))
    filled = [[v is not None for v in row] for row in grid]
    for top, left, bottom, right in joined:
        for r in range(top, min(bottom + 1, height)):
            filled[r][left : right + 1] = [True] * (min(right + 1, width) - left)
    blocks: list[tuple[int, int, int, int]] = []
    for left, right in _columns_apart(grid, filled, width):
        rows = [any(row[left:right]) for row in filled]
        blocks += [(top, bottom, left, right) for top, bottom in _rows_apart(grid, rows, left, right)]
    return blocks


def _columns_apart(grid: list[Row], filled: list[list[bool]], width: int) -> list[tuple[int, int]]:
    """Spans of columns between blank columns, when what stands beside each other does not share its rows or names."""
    used = [any(column) for column in zip(*filled, strict=True)] if width else []
    spans = _runs(used)
    if len(spans) < 2:
        return [(spans[0][0], spans[-1][1])] if spans else []
    rows = [frozenset(r for r, row in enumerate(filled) if any(row[le:ri])) for le, ri in spans]
    apart: list[tuple[int, int]] = [spans[0]]
    for i in range(1, len(spans)):
        gap = spans[i][0] - spans[i - 1][1]
        small = min(len(rows[i]), len(rows[i - 1]))
        together = len(rows[i] & rows[i - 1]) >= 0.9 * max(len(rows[i]), len(rows[i - 1])) and gap == 1
        narrow = spans[i][1] - spans[i][0] == 1 or apart[-1][1] - apart[-1][0] == 1
        if (together and not _same_words(grid, rows[i], spans[i], spans[i - 1])) or small < 2 or (narrow and gap == 1):
            apart[-1] = (apart[-1][0], spans[i][1])
        else:
            apart.append(spans[i])
    return apart


def _same_words(grid: list[Row], rows: frozenset[int], one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether the first shared row has the same words on both sides: a header that stands there twice."""
    for r in sorted(rows)[:4]:
        mine = {v for v in grid[r][one[0] : one[1]] if isinstance(v, str)}
        if len(mine) >= 2 and mine & {v for v in grid[r][other[0] : other[1]] if isinstance(v, str)}:
            return True
    return False


def _rows_apart(grid: list[Row], used: list[bool], left: int, right: int) -> list[tuple[int, int]]:
    """Spans of rows between blank rows; a span goes on after a gap unless a header of its own follows."""
    spans = _runs(used)
    apart: list[tuple[int, int]] = []
    for top, bottom in spans:
        if apart and not _starts_table(grid, top, bottom, left, right, apart[-1]):
            apart[-1] = (apart[-1][0], bottom)
        else:
            apart.append((top, bottom))
    return apart


def _starts_table(grid: list[Row], top: int, bottom: int, left: int, right: int, before: tuple[int, int]) -> bool:
    """Whether rows after a gap begin a table: a line of different words above rows that are not all words."""
    if _is_preamble([grid[r][left:right] for r in range(*before)], _usual_count(grid, top, bottom, left, right)):
        return False
    first = top
    while first < bottom and _count(grid[first][left:right]) == 1:
        first += 1
    if first >= bottom - 1:
        return False
    head = grid[first][left:right]
    if not _is_words(head) or _count(head) < 2:
        return False
    below = [grid[r][left:right] for r in range(first + 1, min(bottom, first + 6))]
    return any(not _is_words(row) for row in below) or first > top


def _is_preamble(rows: list[Row], usual: int) -> bool:
    """Whether a few rows with no more than a title, or a label and its value, stand above a wider table."""
    counts = [_count(row) for row in rows]
    if max(counts) <= 1:
        return True
    looks_like_table = any(_is_words(row) and n == 2 for row, n in zip(rows[:-1], counts, strict=False))
    return max(counts) == 2 < usual and len(rows) <= 8 and not looks_like_table


def _table(
    grid: list[Row],
    joined: Sequence[tuple[int, int, int, int]],
    top: int,
    bottom: int,
    left: int,
    right: int,
    header_rows: int | None,
) -> GridTable | None:
    notes: list[str] = []
    titles: list[str] = []
    width = right - left
    spans = {(t, le): (b, ri) for t, le, b, ri in joined}
    while header_rows is None and width > 1 and top < bottom - 1 and _is_above(grid, spans, top, bottom, left, right):
        titles.append(" ".join(_shown(v) for v in grid[top][left:right] if v is not None))
        top += 1
    titles = [title for title in titles if title]
    cells = [list(row[left:right]) for row in grid[top:bottom]]
    wide = {
        (t - top, le - left): (min(b, bottom - 1) - top, min(ri, right - 1) - left)
        for (t, le), (b, ri) in spans.items()
        if top <= t < bottom and left <= le < right
    }
    heads = header_rows if header_rows is not None else _header_rows(cells, wide)
    for (r, c), (b, ri) in wide.items():
        for y in range(r, b + 1):
            for x in range(c, ri + 1):
                cells[y][x] = cells[r][c]
    names = _names(cells[:heads], width, wide)
    body = [(row, top + heads + i + 1) for i, row in enumerate(cells[heads:]) if _count(row)]
    body, left_out = _without_totals(body)
    if left_out:
        notes.append(f"left out {left_out}")
    if len(titles):
        notes.append(f"above the table: {'; '.join(titles)[:200]}")
    keep = [c for c in range(width) if names[c] or any(row[c] is not None for row, _ in body)]
    if not keep or (not body and heads == 0):
        return None
    return GridTable(
        titles[0] if titles else "",
        [names[c] for c in keep],
        [[row[c] for c in keep] for row, _ in body],
        [position for _, position in body],
        notes,
    )


def _is_above(
    grid: list[Row], spans: dict[tuple[int, int], tuple[int, int]], top: int, bottom: int, left: int, right: int
) -> bool:
    """Whether a row belongs above the table: blank, a title, or a line such as "Created: | 2024-01-05"."""
    row = grid[top][left:right]
    filled = _count(row)
    if filled == 0:
        return True
    if filled == 1:
        return isinstance(next(v for v in row if v is not None), str)
    merged = any((top, c) in spans for c in range(left, right))
    usual = _usual_count(grid, top + 1, bottom, left, right)
    return filled == 2 < usual and not merged and (not _is_words(row) or _count(grid[top + 1][left:right]) != usual)


def _header_rows(cells: list[Row], wide: dict[tuple[int, int], tuple[int, int]]) -> int:
    """How many of the first rows are a header: none, one, or several when cells span columns."""
    if not cells or not _is_heading(cells[0]):
        return 0
    if len(cells) == 1:
        return 1
    body = cells[1 : 1 + 50]
    heads = 1
    while heads < min(HEADER_ROWS, len(cells) - 1) and _is_heading(cells[heads]):
        above = cells[heads - 1]
        spanning = any(r == heads - 1 and (ri > c or b > r) for (r, c), (b, ri) in wide.items())
        gaps = sum(v is None for v in above) > sum(v is None for v in cells[heads]) and _count(above) < len(above)
        if not (spanning or gaps):
            break
        heads += 1
    if heads == 1 and all(_is_words(row) for row in body):
        return 1 if _words_differ(cells[0], body) else 0
    return heads


def _is_heading(row: Row) -> bool:
    """Words, perhaps with years or months among them; at least half of the cells are there or it spans some."""
    values = [v for v in row if v is not None]
    if not values:
        return False
    words = [v for v in values if isinstance(v, str) and not _NUMBERLIKE.fullmatch(v.strip())]
    periods = [v for v in values if _is_period(v)]
    return bool(words or (periods and row[0] is None)) and len(words) + len(periods) == len(values)


def _is_period(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return float(value).is_integer() and 1900 <= value <= 2100
    if isinstance(value, date | datetime):
        return True
    return isinstance(value, str) and bool(re.fullmatch(r"(?:19|20)\d\d(?:[-/](?:\d{1,4}))?", value.strip()))


def _is_words(row: Row) -> bool:
    return all(v is None or (isinstance(v, str) and not _NUMBERLIKE.fullmatch(v.strip())) for v in row)


def _words_differ(head: Row, body: list[Row]) -> bool:
    """In a table of nothing but words the first row is its header when its words are all different, short and not met below."""
    words = [v.strip() for v in head if isinstance(v, str)]
    if len(words) < len(head) or len(set(words)) < len(words) or any(len(w) > 60 for w in words):
        return False
    below = {v for row in body for v in row if isinstance(v, str)}
    return not below & set(words)


def _names(heads: list[Row], width: int, wide: dict[tuple[int, int], tuple[int, int]]) -> list[str]:
    if not heads:
        return [f"column_{c + 1}" for c in range(width)]
    filled = [list(row) for row in heads]
    for row in filled[:-1]:
        # An upper header that was written once and not merged goes for the columns up to the next.
        if not wide:
            for c in range(1, width):
                if row[c] is None and row[c - 1] is not None and any(below[c] is not None for below in filled[1:]):
                    row[c] = row[c - 1]
    names: list[str] = []
    for c in range(width):
        parts: list[str] = []
        for row in filled:
            text = _shown(row[c])
            if text and text not in parts[-1:]:
                parts.append(text)
        names.append(" / ".join(parts))
    return names


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _without_totals(body: list[tuple[Row, int]]) -> tuple[list[tuple[Row, int]], str]:
    """The rows that are records, and in words those that are not: totals anywhere, remarks at the end."""
    rows, dropped = _without_remarks(list(body))
    while rows and len(rows) > 1:
        row, position = rows[-1]
        values = [v for v in row if v is not None]
        remark = len(values) == 1 and len(row) > 2 and isinstance(values[0], str) and _mostly_more_than_one(rows)
        if not (remark or _is_total(row, [r for r, _ in rows[-21:-1]])):
            break
        dropped.append(f"row {position} ({' '.join(_shown(v) for v in values)[:60]})")
        rows.pop()
    kept: list[tuple[Row, int]] = []
    for i, (row, position) in enumerate(rows):
        label = next((v for v in row if v is not None), None) if i else None
        if isinstance(label, str) and _is_total(row, [r for r, _ in rows[max(0, i - 20) : i]]):
            dropped.append(f"row {position} ({' '.join(_shown(v) for v in row if v is not None)[:60]})")
        else:
            kept.append((row, position))
    more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
    return kept, ("totals and remarks: " + ", ".join(dropped[:5]) + more) if dropped else ""


def _without_remarks(rows: list[tuple[Row, int]]) -> tuple[list[tuple[Row, int]], list[str]]:
    """The rows without what stands below them after a gap, begins with a title and has words where they have numbers."""
    for i in range(len(rows) - 1, max(1, len(rows) - _LOOKED), -1):
        if rows[i][1] - rows[i - 1][1] < 2:
            continue
        above, below = [row for row, _ in rows[max(0, i - _LOOKED) : i]], rows[i:]
        figures = [c for c in range(len(above[0])) if _mostly_figures([row[c] for row in above])]
        if figures and _count(below[0][0]) == 1 and not any(_is_figure(row[c]) for row, _ in below for c in figures):
            first = next(_shown(v) for v in below[0][0] if v is not None)
            kept, dropped = _without_remarks(rows[:i])
            return kept, [*dropped, f"rows {below[0][1]} to {below[-1][1]} ({first[:60]})"]
    return rows, []


def _mostly_figures(values: Sequence[Any]) -> bool:
    there = [v for v in values if v is not None]
    return sum(map(_is_figure, there)) > 0.8 * len(values)


def _is_figure(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_NUMBERLIKE.fullmatch(value.strip()))
    return value is not None


def _mostly_more_than_one(rows: list[tuple[Row, int]]) -> bool:
    some = [row for row, _ in rows[:-1]][-20:]
    return sum(_count(row) > 1 for row in some) > 0.8 * len(some)


def _is_total(row: Row, before: list[Row]) -> bool:
    """A label such as "Total" first, numbers after it, and every column blank where the rows above have words."""
    label = next((v for v in row if v is not None), None)
    if not isinstance(label, str) or not _TOTAL.fullmatch(label.strip()):
        return False
    at = row.index(label)
    for c, value in enumerate(row):
        if c == at:
            continue
        if isinstance(value, str) and not _NUMBERLIKE.fullmatch(value.strip()):
            return False
    alone = bool(_TOTAL_ALONE.fullmatch(label.strip()))
    blanks = any(
        row[c] is None and sum(r[c] is not None for r in before) > 0.8 * len(before) for c in range(len(row)) if c != at
    )
    return (alone or blanks) and _count(row) >= 2


def _count(row: Row) -> int:
    return sum(v is not None for v in row)


def _usual_count(grid: list[Row], top: int, bottom: int, left: int, right: int) -> int:
    """How many cells a usual row has, blank rows left out."""
    counts = sorted(n for r in range(top, min(bottom, top + 30)) if (n := _count(grid[r][left:right])))
    return counts[len(counts) // 2] if counts else 0


def _runs(used: list[bool]) -> list[tuple[int, int]]:
    """Spans (end excluded) of what is used."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for i, flag in enumerate([*used, False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            runs.append((start, i))
            start = None
    return runs
