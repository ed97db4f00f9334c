"""Which columns an answer needs so that its rows can be told apart, and whether a condition leaves one row for each thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import prod

from synth.plan import Column, Compare, Condition, OneOf, Or, Value
from synth.understand.columns import Known, Lexicon, holds_years, is_flag
from synth.understand.notes import Part

MOST_KEYS = 3
"""More columns than so many together make no key that a reader would look for."""
MOST_PARTS = 16
"""Among more columns than so many a key would be found by chance, and not soon."""


def telling(lexicon: Lexicon, table: str) -> tuple[Known, ...]:
    """The columns that tell the rows of a table apart for a reader: what a row is called, its day, or the things and times of
    which each pair has one row (country and year). Empty where none do."""
    fields = lexicon.of_table[table]
    unique = [k for k in fields if k.field.values > 1 and k.field.distinct == k.field.values and not k.field.nulls]
    label = [lexicon.known[c] for c in lexicon.label(table)]
    if label and (len(label) > 1 or 10 * label[0].field.distinct >= 9 * label[0].field.values):
        return tuple(label)
    days = [k for k in unique if k.sort == "date"]
    if len(days) == 1:
        return (days[0],)
    parts = [k for k in fields if _may_be_part(k)]
    if len(parts) > MOST_PARTS:
        return ()
    for count in range(2, MOST_KEYS + 1):
        found = [c for c in combinations(parts, count) if prod(k.field.distinct for k in c) == c[0].field.values]
        if len(found) == 1:
            return found[0]
    return ()


def _may_be_part(known: Known) -> bool:
    """Whether it names things or times, each in several rows."""
    field = known.field
    if not 1 < field.distinct < field.values or field.nulls or is_flag(field):
        return False
    return known.sort in ("text", "date") or holds_years(known)


def fixed(parts: Iterable[Part]) -> set[Column]:
    """The columns that a condition holds to one value."""
    return {
        p.condition.left
        for p in parts
        if isinstance(p.condition, Compare) and p.condition.operator == "=" and isinstance(p.condition.left, Column)
    }


def one_row_each(lexicon: Lexicon, thing: Known, parts: Sequence[Part], within: Sequence[Known] = ()) -> bool:
    """Whether no two rows that hold the conditions are of the same thing (within one of the others): countries, where the year
    is said."""
    key = telling(lexicon, thing.column.table)
    return thing in key and all(k is thing or k in within or k.column in fixed(parts) for k in key)


def chosen_among(parts: Iterable[Part], table: str) -> list[Column]:
    """The text columns of the table of which several values are asked for: whose figure is whose has to be shown."""
    found: list[Column] = []
    for part in parts:
        conditions: tuple[Condition, ...] = part.condition.any if isinstance(part.condition, Or) else (part.condition,)
        columns = {_several(c, len(conditions) > 1) for c in conditions}
        column = columns.pop() if len(columns) == 1 else None
        if column is not None and column.table == table:
            found.append(column)
    return found


def _several(condition: Condition, alternative: bool) -> Column | None:
    """The column of which a value is asked for; alone, only one of several will do."""
    if isinstance(condition, OneOf) and not condition.negated and len(condition.values) > 1:
        return condition.left if isinstance(condition.left, Column) and _is_text(condition.values[0]) else None
    if alternative and isinstance(condition, Compare) and condition.operator == "=":
        right = condition.right
        text = isinstance(right, Value) and _is_text(right)
        return condition.left if text and isinstance(condition.left, Column) else None
    return None


def _is_text(value: Value) -> bool:
    return isinstance(value.value, str)
