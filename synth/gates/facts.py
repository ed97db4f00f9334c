"""What a request states in so many words: columns and values by their names, bounds, a period, the figure, groups, a count, an order.

These are not an understanding of the request: each is taken only where the words leave no doubt, and each can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from synth.request import Task
from synth.schema import Field, Table

if TYPE_CHECKING:
    import pyarrow as pa

    from synth.understand.words import Token

Figure = Literal["sum", "count", "avg", "median", "max", "min", "percent"]
Bound = Literal[">", ">=", "<", "<=", "="]
_BOUNDS: tuple[Bound, ...] = (">", ">=", "<", "<=", "=")

_FIGURES: dict[Figure, re.Pattern[str]] = {
    name: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)  # type: ignore[misc]  # the names of the table below
    for name, words in {
        "sum": "total|totals|sum|in all|in total|altogether",
        "count": "how many|number of|count of|count",
        "avg": "average|mean|avg|on average",
        "median": "median",
        "max": "highest|maximum|max|largest|biggest|dearest|warmest|longest",
        "min": "lowest|minimum|min|smallest|cheapest|coldest|shortest",
        "percent": "percent|percentage|share|ratio|%",
    }.items()
}
_BY = re.compile(r"\bby\b", re.IGNORECASE)
_PER = re.compile(
    r"\b(?:per|(?:for|of|in|at|from|during) each|each|(?:for|of|in) every|every)\s+(?:the\s+)?", re.IGNORECASE
)
_NOT = frozenset("not no non without except excluding but neither never other exclude besides ignoring".split())
_OPEN = re.compile(
    r"\b(?:never|including|even|share|percent|percentage|compared?|versus|vs|ratio|any|or(?!\s+(?:more|less|fewer|higher|"
    r"lower|above|below|over|under|later|earlier|older|younger|longer|shorter|equal)))\b|%",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:once|twice|repeat\w*|duplicat\w*|several|multiple|both|again|consecutive|same|change|growth|previous|between each)\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(r"\bbetween (\d{1,2}) (\w+) and (\d{1,2}) (\w+) (\d{4})", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:top|highest|most|biggest|largest|heaviest|dearest)\b", re.IGNORECASE)
_UP = re.compile(r"\b(?:bottom|lowest|least|fewest|smallest|cheapest)\b", re.IGNORECASE)
_FIRST = re.compile(
    r"\b(?:(?P<down>highest|biggest|largest|most|dearest|newest|latest|heaviest)(?:\s+\w+){0,2}\s+first|"
    r"(?P<up>lowest|smallest|cheapest|oldest|earliest|fewest|quickest)(?:\s+\w+){0,2}\s+first|"
    r"(?P<down2>descending|newest to oldest|highest to lowest)|"
    r"(?P<up2>ascending|oldest to newest|in order of time|chronological\w*|lowest to highest)|"
    r"(?P<some>\w+st)(?:\s+\w+){0,2}\s+first)\b",
    re.IGNORECASE,
)
_SMALL = dict(zip("one two three four five six seven eight nine ten".split(), range(1, 11), strict=True))
_NUMBER = rf"\d+|{'|'.join(_SMALL)}"
_TOP = re.compile(
    rf"\b(?:top|first|bottom|last)\s+(?P<a>{_NUMBER})\b(?!\s*(?:days?|weeks?|months?|quarters?|years?|hours?|%))|"
    rf"^(?:which|what are|show|list|give me|the)?\s*(?:the\s+)?(?P<b>{_NUMBER})\s+(?:\w+\s+)?(?P<c>\w+est|most|best|least|worst)\b|"
    rf"\bthe\s+(?P<d>{_NUMBER})\s+\w+\s+(?:\w+\s+)?(?:who|with|that)\b[^.]*\b(?:most|least|highest|lowest|biggest|smallest|fewest)\b|"
    rf"^which\s+(?P<e>{_NUMBER})\s+\w+.*\b(?:most|least|highest|lowest|biggest|smallest|fewest)\b",
    re.IGNORECASE,
)
_PLAIN = frozenset(
    "total number count sum average mean min max minimum maximum name id date time day month year week hour order value "
    "first last no".split()
)
"""Words that a request says without meaning the column of that name."""


@dataclass(frozen=True)
class Named:
    """A column that the request calls by its name. `negated`: a word of denial stands before it. `noun`: it may as well be
    a word for the rows or for things ("how many tickets", "all drinks"), and then its values need not matter. `at` is its word."""

    table: str
    field: Field
    said: str
    negated: bool = False
    noun: bool = False
    at: int = 0


@dataclass(frozen=True)
class Stated:
    """A stored value that the request says, in the only text column that holds it."""

    table: str
    field: str
    value: str
    said: str
    negated: bool = False


@dataclass(frozen=True)
class Limit:
    """A number with the word that makes it a bound: more than 5, 3 or more."""

    operator: Bound
    number: Decimal
    said: str
    unit: str = ""


@dataclass(frozen=True)
class Span:
    """A period, its end not included; None is open."""

    start: date | datetime | None
    end: date | datetime | None
    said: str


@dataclass(frozen=True)
class Facts:
    """All that was found.

    `alone`: the group is by that column and nothing else; `entity` is the column whose values are asked for ("which 5 customers");
    `compared` are two columns and how they are to stand to each other. `several`: what is asked may need more than one row to be
    seen. `listing`: no figure and no group is spoken of, so that rows are wanted as they are.
    """

    columns: tuple[Named, ...] = ()
    values: tuple[Stated, ...] = ()
    limits: tuple[Limit, ...] = ()
    period: Span | None = None
    figures: tuple[Figure, ...] = ()
    groups: tuple[Named, ...] = ()
    group_words: int = 0
    alone: bool = True
    entity: Named | None = None
    compared: tuple[Named, Bound, Named] | None = None
    top: int | None = None
    distinct: bool = False
    direction: Literal["up", "down", "some", ""] = ""
    open_ended: bool = False
    several: bool = False
    used: frozenset[str] = field(default_factory=frozenset)

    @property
    def listing(self) -> bool:
        """Whether rows are asked for, not figures over them."""
        return not self.figures and not self.group_words and not self.distinct

    @property
    def listing_of_things(self) -> bool:
        """Whether different things are asked for, and no figure of any."""
        return self.distinct and not self.figures and not self.group_words and not self.direction


def facts_of(task: Task, rows: Mapping[str, pa.Table]) -> Facts:
    """What the request of a task states. `rows` are looked through for the values that it says."""
    from synth.understand.spans import spelled_spans
    from synth.understand.words import tokens_of

    asked = _TOGETHER.sub(r"between \1 \2 \5 and \3 \4 \5", task.request.text)
    text, tokens = tokens_of(spelled_spans(asked))
    columns = _columns(task.schema.tables, tokens)
    values = _values(task.schema.tables, rows, tokens)
    period, dated = _period(tokens, task.request.now)
    top = _TOP.search(text)
    said = (
        next((g for g in top.groupdict().values() if g and (g.isdecimal() or g.lower() in _SMALL)), "") if top else ""
    )
    count = (int(said) if said.isdecimal() else _SMALL[said.lower()]) if said else None
    figures: tuple[Figure, ...] = tuple(name for name, words in _FIGURES.items() if words.search(text))
    if any(f.name.casefold() == "total" for t in task.schema.tables for f in t.fields):
        figures = tuple(n for n in figures if n != "sum" or re.search(r"\b(?:sum|in all|in total|altogether)\b", text))
    counted = re.search(r"\b(?:number|count) of (\w+)|how many (\w+)", text, re.IGNORECASE)
    if counted and any(
        n.said == (counted.group(1) or counted.group(2)).casefold() and numeric(n.field.type) for n in columns
    ):
        # A number of nights, where nights are a column, is as likely their sum.
        figures = tuple(n for n in figures if n != "count")
    first = _FIRST.search(text)
    groups = tuple(_groups(text, task.schema.tables, columns))
    direction: Literal["up", "down", "some", ""] = ""
    if first:
        down, up = first.group("down") or first.group("down2"), first.group("up") or first.group("up2")
        direction = "down" if down else "up" if up else "some"
    if count and not direction and not groups:
        rank = top.group() if top else ""
        direction = "down" if _DOWN.search(rank) else "up" if _UP.search(rank) else "some"
    if first or top:
        # "highest first", "the 5 highest" speak of the order; only what is said besides speaks of a figure.
        rest = _TOP.sub(" ", _FIRST.sub(" ", text))
        figures = tuple(name for name in figures if _FIGURES[name].search(rest) and name not in ("max", "min"))
    return Facts(
        columns,
        values,
        tuple(_limits(text, tokens, dated)),
        period,
        figures,
        groups,
        len(_PER.findall(text)) + len(_BY.findall(text)),
        not any(_beside(text, g, columns) for g in groups),
        next((n for n in columns if n.noun and n.at <= 3 and n.field.type == "string"), None),
        _compared(tokens, columns),
        count,
        re.search(r"\b(?:distinct|unique|different)\b", text, re.IGNORECASE) is not None,
        direction,
        _OPEN.search(text) is not None,
        _SEVERAL.search(text) is not None,
        frozenset(t.low for t in tokens),
    )


def numeric(type_name: str) -> bool:
    """Whether a type holds numbers."""
    return type_name.startswith(("int", "uint", "decimal", "double", "float"))


def _columns(tables: Sequence[Table], tokens: Sequence[Token]) -> tuple[Named, ...]:
    """Columns whose whole name stands in the request; the longest names first, each word once."""
    from synth.understand.words import lemma, words_of_name

    words = [t.low for t in tokens]
    lemmas = [t.lemma for t in tokens]
    known: dict[tuple[str, ...], list[tuple[str, Field]]] = {}
    names = {lemma(w) for t in tables for w in words_of_name(t.name)}
    for table in tables:
        for each in table.fields:
            name = words_of_name(each.name.rpartition(".")[2] if "." in each.name else each.name)
            known.setdefault(name, []).append((table.name, each))
    taken: set[int] = set()
    found: list[Named] = []
    for name, places in sorted(known.items(), key=lambda item: -len(item[0])):
        if not name or (len(name) == 1 and name[0] not in _PLAIN and lemma(name[0]) in names) or len(places) > 1:
            continue
        for i in range(len(words) - len(name) + 1):
            here = range(i, i + len(name))
            if len(name) == 1 and name[0] in _PLAIN and (name[0] not in ("name", "id") or not _in_a_list(words, i)):
                continue
            alike = (
                tuple(words[i : i + len(name)]) == name
                or (*words[i : i + len(name) - 1], lemmas[i + len(name) - 1]) == name
            )
            if alike and not taken & set(here) and tokens[i].kind in ("word", "literal"):
                taken |= set(here)
                table_name, of = places[0]
                plural = tuple(words[i : i + len(name)]) != name and not numeric(of.type)
                counted = words[max(0, i - 2) : i] in (["number", "of"], ["how", "many"], ["count", "of"])
                said = " ".join(words[i : i + len(name)])
                found.append(Named(table_name, of, said, _denied(words, i), plural or counted, i))
                break
    return tuple(found)


def _in_a_list(words: Sequence[str], i: int) -> bool:
    """Whether a word is one of several things asked for: "name and salary", ": name, votes"."""
    return (not i or words[i - 1] in ("and", ",", ":")) and i + 1 < len(words) and words[i + 1] in ("and", ",")


def _beside(text: str, group: Named, columns: Sequence[Named]) -> bool:
    """Whether another column is grouped by besides: per class and subject."""
    others = "|".join(re.escape(c.said) for c in columns if c is not group)
    said = re.escape(group.said)
    return (
        bool(others)
        and re.search(rf"\b{said}\s*(?:,|and)\s+(?:per\s+)?(?:{others})\b", text, re.IGNORECASE) is not None
    )


def _compared(tokens: Sequence[Token], columns: Sequence[Named]) -> tuple[Named, Bound, Named] | None:
    """Two columns of figures of one table that the request compares: less on hand than the reorder level."""
    figures = sorted((c for c in columns if numeric(c.field.type)), key=lambda c: c.at)
    if len(figures) != 2 or figures[0].table != figures[1].table:
        return None
    one, other = figures
    words = [t.low for t in tokens]
    between = words[one.at + 1 : other.at]
    before = words[max(0, one.at - 4) : one.at]
    more, less = (
        {"more", "greater", "higher", "larger", "above", "over", "exceeds", ">"},
        {"less", "fewer", "lower", "smaller", "below", "under", "<"},
    )
    links = {"than", "above", "over", "exceeds", "below", "under", ">", "<"}
    near = other.at - (2 if words[other.at - 1] in ("the", "its", "their", "a") else 1)
    if words[near] not in links or near <= one.at:
        # "fee of those over 60 minutes" compares no fee with minutes.
        return None
    said = set(between) | (set(before) if "than" in between else set())
    if bool(said & more) == bool(said & less):
        return None
    return one, ">" if said & more else "<", other


def _denied(words: Sequence[str], i: int) -> bool:
    """Whether a word of denial stands in the few before, or hangs on the word itself."""
    return bool(_NOT & set(words[max(0, i - 3) : i]))


def _values(tables: Sequence[Table], rows: Mapping[str, pa.Table], tokens: Sequence[Token]) -> tuple[Stated, ...]:
    """Values of text columns that the request says: in the right order, whole, in whatever case, and held by one column only."""
    import pyarrow as pa

    from synth.understand.words import lemma, normal

    held: dict[str, set[tuple[str, str, str]]] = {}
    for table in tables:
        there = rows.get(table.name)
        if there is None:
            continue
        for each in table.fields:
            if each.name not in there.column_names or not pa.types.is_string(there.schema.field(each.name).type):
                continue
            for value in there.column(each.name).unique().to_pylist():
                if value and len(value) <= 40:
                    held.setdefault(normal(value), set()).add((table.name, each.name, value))
    words = [normal(t.text) for t in tokens]
    lemmas = [lemma(w) for w in words]
    names = {lemma(w) for t in tables for f in t.fields for w in normal(f.name.replace("_", " ")).split()}
    names |= {lemma(w) for t in tables for w in normal(t.name.replace("_", " ")).split()}
    found: list[Stated] = []
    taken: set[int] = set()
    for length in (4, 3, 2, 1):
        for i in range(len(words) - length + 1):
            here = set(range(i, i + length))
            if here & taken:
                continue
            texts = {" ".join(words[i : i + length]), " ".join([*words[i : i + length - 1], lemmas[i + length - 1]])}
            places = {p for text in texts for p in held.get(text, ())}
            plain = length == 1 and (
                lemmas[i] in names or lemmas[i] in _PLAIN or len(words[i]) < 2 or words[i].isdecimal()
            )
            if len({(t, f) for t, f, _ in places}) == 1 and not plain:
                said = " ".join(t.text for t in tokens[i : i + length])
                table_name, name, value = min(places, key=lambda p: (p[2] != said, p[2] != p[2].lower(), p[2]))
                found.append(Stated(table_name, name, value, " ".join(words[i : i + length]), _denied(words, i)))
                taken |= here
    return tuple({(v.table, v.field, v.value): v for v in reversed(found)}.values())[::-1]


def _period(tokens: Sequence[Token], now: datetime) -> tuple[Span | None, set[int]]:
    """The one period that is spoken of, and the tokens that say it; no period where there are several."""
    from synth.understand.numbers_and_dates import Calendar
    from synth.understand.operators import TIME_WORDS, phrase_at

    calendar = Calendar(now)
    found: list[tuple[Span, str]] = []
    taken: set[int] = set()
    i = 0
    while i < len(tokens):
        period = calendar.period_at(tokens, i)
        if (
            period is None
            or period.month
            or period.day
            or period.weekdays
            or period.ambiguous
            or (period.length == 1 and not _dated(tokens[i]))
        ):
            i += 1
            continue
        before = next(
            (m for n in (4, 3, 2, 1) if i >= n and (m := phrase_at(tokens, i - n, TIME_WORDS)) and m[1] == n), None
        )
        word = " ".join(t.low for t in tokens[max(0, i - (before[1] if before else 1)) : i])
        found.append((Span(period.start, period.end, " ".join(t.text for t in tokens[i : i + period.length])), word))
        taken |= set(range(max(0, i - 1), i + period.length))
        i += period.length
    if (
        len(found) == 2
        and found[0][1] in ("from", "between")
        and found[1][1] in ("to", "until", "through", "till", "and")
    ):
        return Span(found[0][0].start, found[1][0].end, f"{found[0][0].said} to {found[1][0].said}"), taken
    if len(found) != 1:
        return None, taken
    span, word = found[0]
    if word in ("in", "on", "during", "of", "for", "within", "in the", "for the", "during the", "the", "throughout"):
        return span, taken
    if word in ("since", "from", "starting", "since the"):
        return Span(span.start, None, f"{word} {span.said}"), taken
    if word in ("before", "prior to"):
        return Span(None, span.start, f"{word} {span.said}"), taken
    return None, taken


def _dated(token: Token) -> bool:
    return (
        token.kind == "date"
        or (token.kind == "number" and re.fullmatch(r"(?:19|20)\d\d", token.text) is not None)
        or token.low in ("today", "yesterday")
    )


def _limits(text: str, tokens: Sequence[Token], dated: set[int]) -> list[Limit]:
    """Numbers that a word before or behind makes a bound."""
    from synth.understand.numbers_and_dates import quantity_at
    from synth.understand.operators import AFTER_NUMBER, COMPARISONS, phrase_at

    found: list[Limit] = []
    for i in range(len(tokens)):
        if i in dated or tokens[i].kind == "date":
            continue
        quantity = quantity_at(tokens, i)
        if quantity is None or quantity.ordinal or (tokens[i].kind == "word" and _SMALL.get(tokens[i].low, 0) < 2):
            continue
        said = " ".join(t.text for t in tokens[i : i + quantity.length])
        after = phrase_at(tokens, i + quantity.length, AFTER_NUMBER)
        before = next(
            (m for n in (5, 4, 3, 2, 1) if i >= n and (m := phrase_at(tokens, i - n, COMPARISONS)) and m[1] == n), None
        )
        compared = _comparative(tokens, i)
        number = -quantity.value if re.search(rf"(?<!\w)[-−]{re.escape(tokens[i].text)}\b", text) else quantity.value
        behind = " ".join(t.text for t in tokens[i + quantity.length : i + quantity.length + after[1]]) if after else ""
        ahead = " ".join(t.text for t in tokens[i - before[1] : i]) if before else ""
        if after:
            found.append(Limit(_bound(after[0]), number, f"{said} {behind}", quantity.unit))
        elif before and before[0] != "!=":
            found.append(Limit(_bound(before[0]), number, f"{ahead} {said}", quantity.unit))
        elif compared:
            found.append(Limit(compared, number, f"{tokens[i - 2].text} than {said}", quantity.unit))
    return found


def _bound(meaning: str) -> Bound:
    return next(b for b in _BOUNDS if b == meaning)


def _comparative(tokens: Sequence[Token], i: int) -> Bound | None:
    """Older than 50, longer than 8000, cheaper than 200."""
    if i < 2 or tokens[i - 1].low != "than":
        return None
    word = tokens[i - 2].low
    if word in (
        "older",
        "longer",
        "heavier",
        "hotter",
        "warmer",
        "higher",
        "larger",
        "bigger",
        "taller",
        "greater",
        "dearer",
        "later",
    ):
        return ">"
    return (
        "<"
        if word in ("younger", "shorter", "lighter", "colder", "lower", "smaller", "cheaper", "less", "fewer")
        else None
    )


def _groups(text: str, tables: Sequence[Table], columns: Sequence[Named]) -> list[Named]:
    """The columns that stand right behind per, each or by."""
    from synth.understand.words import words_of_name

    found = []
    for match in _PER.finditer(text):
        behind = text[match.end() :].casefold()
        for named in columns:
            if re.match(rf"{re.escape(named.said)}\b", behind):
                found.append(named)
                break
        else:
            for table in tables:
                for each in table.fields:
                    if (
                        each.type == "string"
                        and re.match(rf"{re.escape(' '.join(words_of_name(each.name)))}\b", behind)
                        and len([1 for t in tables for f in t.fields if f.name == each.name]) == 1
                    ):
                        found.append(Named(table.name, each, " ".join(words_of_name(each.name))))
    return found
