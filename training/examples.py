"""Training examples: a request over a schema, what the reader sees of it, and what it should write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from synth.understand.numbers_and_dates import quantity_at
from synth.understand.words import Token, fold, lemma, normal, stem, tokens_of
from training.features import ITEM, Encoded, Shown, encoded
from training.grammar import INDEX
from training.queries import Said


@dataclass(frozen=True)
class Example:
    """Pieces, roles, items as (kind, start, end), and the target: fixed tokens by their index, items behind them."""

    ids: list[int]
    roles: list[int]
    items: list[tuple[int, int, int]]
    target: list[int]
    source: str = ""


class Unplaced(ValueError):
    """A constant of the query stands nowhere that the reader could point at."""


def place_of(constant: object, text: str, tokens: Sequence[Token]) -> tuple[int, int] | None:
    """The first and last word that say the constant; None when none do."""
    if isinstance(constant, Decimal):
        return _number(constant, tokens)
    return next((at for wanted in _forms(str(constant)) if (at := _spelled(wanted, text, tokens)) is not None), None)


def _forms(constant: str) -> list[str]:
    plain = constant.replace('"', " ")
    return [f for f in dict.fromkeys((normal(plain), normal(tokens_of(plain)[0]))) if f]


def _spelled(wanted: str, text: str, tokens: Sequence[Token]) -> tuple[int, int] | None:
    for n in range(min(14, len(tokens)), 0, -1):
        for i in range(len(tokens) - n + 1):
            written = text[tokens[i].start : tokens[i + n - 1].end]
            if normal(written) == wanted or normal(" ".join(t.text for t in tokens[i : i + n])) == wanted:
                return i, i + n - 1
    stems = [stem(lemma(w)) for w in wanted.split()]
    for i in range(len(tokens) - len(stems) + 1):
        if [stem(t.lemma) for t in tokens[i : i + len(stems)]] == stems:
            return i, i + len(stems) - 1
    squeezed = wanted.replace(" ", "")
    for n in range(1, min(6, len(tokens)) + 1):
        for i in range(len(tokens) - n + 1):
            if "".join(normal(t.text) for t in tokens[i : i + n]).replace(" ", "") == squeezed:
                return i, i + n - 1
    return None


def _number(wanted: Decimal, tokens: Sequence[Token]) -> tuple[int, int] | None:
    for i in range(len(tokens)):
        found = quantity_at(tokens, i)
        if found is None:
            continue
        if tokens[i].kind == "number" and number_in(tokens[i].text) == wanted:
            return i, i
        if found.value == wanted or (found.unit == "%" and found.value == wanted * 100):
            return i, i + found.length - 1
    for i, token in enumerate(tokens):
        if fold(token.text) in ("once", "single", "one") and wanted == 1:
            return i, i
        if fold(token.text) in ("twice", "both", "pair", "couple") and wanted == 2:
            return i, i
        if token.text.isdigit() and Decimal(token.text) == wanted:
            return i, i
    return None


def number_in(text: str) -> Decimal:
    """A number token's own value, whatever scale is said behind it."""
    return Decimal(re.sub(r"[^\d.-]", "", text))


def example(
    seen: Shown,
    target: Sequence[Said],
    column_at: Callable[[int, int], tuple[int, int]],
    pieces_of: Callable[[str], Sequence[int]],
    marks: tuple[int, int],
    most: int,
    source: str = "",
) -> Example:
    """What the reader sees and should write. `column_at` gives, for the query's table and column, their places in `seen`.
    Unplaced where a constant or a column is not to be seen."""
    enc = encoded(seen, pieces_of, *marks, most=most)
    columns = {(i.table, i.column.column): n for n, i in enumerate(enc.items) if i.kind == "column" and i.column}
    tables = {i.table: n for n, i in enumerate(enc.items) if i.kind == "table"}
    words = {i.place: n for n, i in enumerate(enc.items) if i.kind == "word"}
    fixed = len(INDEX)
    out: list[int] = []
    about: list[int] = []
    for token in target:
        if isinstance(token, str):
            out.append(INDEX[token])
        elif token[0] == "t":
            at = column_at(int(str(token[1])), -1)[0]
            if at not in tables:
                raise Unplaced("table")
            out.append(fixed + tables[at])
        elif token[0] == "c":
            t, c = column_at(int(str(token[1])), int(str(token[2])))
            key = next(
                (n for (table, _), n in columns.items() if table == t and enc.items[n].column is seen.tables[t][1][c]),
                -1,
            )
            if key < 0:
                raise Unplaced("column")
            about.append(key)
            out.append(fixed + key)
        else:
            out.extend(_constant(token[1], seen, enc, enc.items[about[-1]].column if about else None, words, fixed))
    return Example(
        enc.ids,
        enc.roles,
        [(ITEM[i.kind], i.start, i.end) for i in enc.items],
        out,
        source,
    )


def _constant(
    constant: object, seen: Shown, enc: Encoded, column: object, words: dict[int, int], fixed: int
) -> list[int]:
    if not isinstance(constant, Decimal):
        wanted = normal(str(constant).replace('"', " "))
        for n, item in enumerate(enc.items):
            if (
                item.kind == "value"
                and item.column is column
                and normal(item.value.replace('"', " ")) == wanted
                and column.sort == "text"
            ):  # type: ignore[attr-defined]
                return [fixed + n]
    place = place_of(constant, seen.text, seen.tokens)
    if place is not None and place[0] in words and place[1] in words:
        return [fixed + words[place[0]], fixed + words[place[1]]]
    if constant == 1:
        return [INDEX["ONE"]]
    raise Unplaced(str(constant))
