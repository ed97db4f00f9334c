"""What the learned reader sees: the request, then every table and column with a few of its values, cut into word pieces.

Each word of the request, table, column and shown value is an item: a stretch of pieces that the reader may point at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from synth.plan import Column
from synth.understand.columns import Known, Lexicon, is_flag
from synth.understand.values import Values
from synth.understand.words import Token, any_of, normal, stem, words_of_name

# Roles of a piece: what it is part of. The order is part of every trained file.
ROLES = (
    "mark",
    "word",
    "number word",
    "held word",
    "table",
    "text",
    "number",
    "date",
    "flag",
    "other",
    "value",
    "held value",
)
ROLE = {name: at for at, name in enumerate(ROLES)}
ITEMS = ("word", "table", "column", "value")
ITEM = {name: at for at, name in enumerate(ITEMS)}
FEW = 6
LONGEST_VALUE = 28
MOST_WORDS = 70
MOST_COLUMNS = 48
MOST_PIECES = 448
IDLE = any_of(
    "the a an of in on at to by for and or is are was were all any do does did with from per each me we i you it this that"
)


@dataclass(frozen=True)
class ShownColumn:
    """A column as the reader sees it: the first `held` of its values are named by the request."""

    column: Column
    name: str
    sort: str
    values: tuple[str, ...] = ()
    held: int = 0


@dataclass(frozen=True)
class Shown:
    """A request and what of the schema is shown with it. `named` are the places of words that name a stored value."""

    text: str
    tokens: tuple[Token, ...]
    tables: tuple[tuple[str, tuple[ShownColumn, ...]], ...]
    named: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Item:
    """Something to point at: its pieces are `start` to `end` (not included). `place` is the word's place, `table` the place of
    its table, `column` the column it is or belongs to."""

    kind: str
    start: int
    end: int
    place: int = -1
    table: int = -1
    column: ShownColumn | None = None
    value: str = ""


@dataclass
class Encoded:
    """Pieces and their roles, equally long, and the items."""

    ids: list[int] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    def add(self, pieces: Sequence[int], role: str) -> tuple[int, int]:
        """Append pieces; from where to where they stand."""
        start = len(self.ids)
        self.ids.extend(pieces)
        self.roles.extend([ROLE[role]] * len(pieces))
        return start, len(self.ids)


def role_of(known: Known) -> str:
    """The sort of a column's values; yes or no however it is stored."""
    if is_flag(known.field):
        return "flag"
    return known.sort


def held_in(values: Values, text: str, tokens: Sequence[Token]) -> tuple[dict[Column, list[str]], frozenset[int]]:
    """The stored values that words of the request name, by column, and the places of these words."""
    found: dict[Column, list[str]] = {}
    places: set[int] = set()
    i = 0
    while i < len(tokens):
        token = tokens[i]
        hits = [] if token.kind == "comma" or token.low in IDLE else values.held_at(text, tokens, i)
        length = 1
        for hit in hits:
            length = hit.length
            stored = found.setdefault(hit.known.column, [])
            stored.extend(v for v in map(str, hit.stored[:2]) if v not in stored)
            places.update(range(i, i + length))
        i += length
    return found, frozenset(places)


def shown(
    lexicon: Lexicon, values: Values | None, text: str, tokens: Sequence[Token], most: int = MOST_COLUMNS
) -> Shown:
    """The request and as much of the schema as it may speak of. Without `values` no content is shown."""
    tokens = tuple(tokens[:MOST_WORDS])
    held, named = held_in(values, text, tokens) if values is not None else ({}, frozenset())
    kept = _kept(lexicon, tokens, held, most)
    tables = []
    for table in lexicon.schema.tables:
        columns = []
        for known in lexicon.of_table[table.name]:
            if known.column not in kept:
                continue
            mine = held.get(known.column, [])[:3]
            more = _samples(known, mine) if values is not None else []
            columns.append(ShownColumn(known.column, known.field.name, role_of(known), (*mine, *more), len(mine)))
        if columns:
            tables.append((table.name, tuple(columns)))
    return Shown(text, tokens, tuple(tables), named)


def _samples(known: Known, held: Sequence[str]) -> list[str]:
    """A few values that tell what the column holds: all of a short list, else one or two."""
    vocabulary = known.field.vocabulary
    if known.sort == "text" and 0 < len(vocabulary) <= FEW:
        return [v for v in vocabulary if v not in held]
    examples = [str(e) for e in known.field.examples if e is not None and str(e) not in held]
    return examples[: 1 if held or known.sort != "text" else 2]


def _kept(lexicon: Lexicon, tokens: Sequence[Token], held: dict[Column, list[str]], most: int) -> set[Column]:
    """All columns where they are few; else those whose name or values the request speaks of first, then in their order."""
    every = lexicon.known.values()
    if len(every) <= most:
        return {known.column for known in every}
    asked = {stem(t.low) for t in tokens if t.kind == "word" and t.low not in IDLE}
    starts = {word[:4] for word in asked if len(word) > 3}

    def rank(known: Known) -> float:
        words = [stem(w) for w in known.words]
        table = {stem(w) for w in lexicon.table_words[known.column.table]}
        score = 3.0 * sum(w in asked for w in words) / max(1, len(words)) + sum(w[:4] in starts for w in words)
        return score + 4.0 * (known.column in held) + 1.5 * bool(table & asked)

    ranked = sorted(every, key=rank, reverse=True)
    return {known.column for known in ranked[:most]}


def encoded(
    seen: Shown, pieces_of: Callable[[str], Sequence[int]], begin: int, end: int, most: int = MOST_PIECES
) -> Encoded:
    """The pieces that the encoder reads. Values are left out from the last column on where they would be too many."""
    for values in (FEW + 3, 3, 2, 1, 0):
        found = _encoded(seen, pieces_of, begin, end, values)
        if len(found.ids) <= most:
            return found
    while len(found.ids) > most:
        last = next(i for i in reversed(found.items) if i.kind in ("table", "column"))
        found.ids, found.roles = found.ids[: last.start], found.roles[: last.start]
        found.items = [i for i in found.items if i.end <= last.start]
    return found


def _encoded(seen: Shown, pieces_of: Callable[[str], Sequence[int]], begin: int, end: int, most_values: int) -> Encoded:
    found = Encoded()
    found.add([begin], "mark")
    for place, token in enumerate(seen.tokens):
        role = "number word" if token.kind in ("number", "date", "time") else "word"
        pieces = pieces_of(token.low) or pieces_of("?")
        a, b = found.add(pieces[:12], "held word" if place in seen.named else role)
        found.items.append(Item("word", a, b, place=place))
    found.add([end], "mark")
    for at, (table, columns) in enumerate(seen.tables):
        if len(seen.tables) > 1:
            a, b = found.add(pieces_of(" ".join(words_of_name(table)) or table)[:10] or [end], "table")
            found.items.append(Item("table", a, b, table=at))
        for column in columns:
            name = " ".join(words_of_name(column.name)) or column.name
            a, b = found.add(pieces_of(name)[:16] or pieces_of("?"), column.sort)
            found.items.append(Item("column", a, b, table=at, column=column))
            for n, value in enumerate(column.values[: most_values if column.held < most_values else column.held]):
                role = "held value" if n < column.held else "value"
                a, b = found.add((pieces_of(normal(value[:LONGEST_VALUE])) or pieces_of("?"))[:10], role)
                found.items.append(Item("value", a, b, table=at, column=column, value=value))
            found.add([end], "mark")
    return found
