"""Finds queries for questions that are annotated only with their answers.

    python -m training.search DATA OUT.jsonl

DATA is the folder of `wtq-questions.jsonl.gz` and `wtq-tables.jsonl.gz`.

Every question gets the queries its words allow. Those that give the answer are ranked by a log-linear model
that learns, from all the others, which words go with which kind of query; questions are ranked by a model that
has not seen their tables. A query is written only where the model prefers it clearly.
"""

import argparse
import gzip
import heapq
import itertools
import json
import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from training.typed_cells import MONTH_OF, Column, Day, Table, Token, number_of, plain, read_table, tokens_of, words_of

CONDITIONS, ROW_SETS, HARD, EASY = 18, 45, 110, 30
FOLDS = 4

STOP = frozenset(
    "a an the of in on at to for from by with and or is are was were be been did do does doe has ha had have what which who whom whose "
    "when where how many much that this these those it its his her their they he she there than then as not no s t all any each "
    "list name tell me only were one other same after before more most less least first last next number total time year "
    "between during listed chart table according".split()
)
NUMBER_WORDS = {
    w: n for n, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
} | {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "once": 1, "twice": 2}
SYNONYMS: dict[str, tuple[str, ...]] = {
    "first": ("1st", "1", "winner", "gold"),
    "second": ("2nd", "2"),
    "third": ("3rd", "3"),
    "fourth": ("4th", "4"),
    "fifth": ("5th", "5"),
    "sixth": ("6th", "6"),
    "seventh": ("7th", "7"),
    "eighth": ("8th", "8"),
    "ninth": ("9th", "9"),
    "tenth": ("10th", "10"),
    "1st": ("1", "first", "winner"),
    "2nd": ("2", "second"),
    "3rd": ("3", "third"),
    "4th": ("4",),
    "5th": ("5",),
    "win": ("won", "w", "winner", "victory", "win"),
    "won": ("win", "w", "winner", "victory"),
    "winning": ("win", "won", "w"),
    "winner": ("won", "win"),
    "victory": ("win", "won", "w"),
    "victorious": ("win", "won", "w"),
    "lost": ("loss", "l", "lose"),
    "loss": ("lost", "l"),
    "lose": ("lost", "loss", "l"),
    "losing": ("lost", "loss", "l"),
    "defeat": ("lost", "loss", "l"),
    "tie": ("d", "draw", "tied", "t"),
    "tied": ("d", "draw", "tie", "t"),
    "draw": ("d", "drawn", "tie"),
    "nomination": ("nominated",),
    "retired": ("ret", "retirement"),
    "retire": ("ret", "retired"),
    "male": ("m", "men"),
    "female": ("f", "women"),
    "home": ("h",),
    "away": ("a",),
    "democrat": ("democratic", "d", "dem"),
    "democratic": ("democrat",),
    "republican": ("r", "rep"),
    "american": ("united state", "usa", "us", "united state usa"),
    "america": ("united state", "usa"),
    "usa": ("united state",),
    "british": ("united kingdom", "great britain", "gbr"),
    "english": ("england",),
    "german": ("germany", "west germany"),
    "french": ("france",),
    "italian": ("italy",),
    "spanish": ("spain",),
    "dutch": ("netherland",),
    "belgian": ("belgium",),
    "swiss": ("switzerland",),
    "swedish": ("sweden",),
    "norwegian": ("norway",),
    "danish": ("denmark",),
    "finnish": ("finland",),
    "russian": ("russia",),
    "soviet": ("soviet union",),
    "polish": ("poland",),
    "canadian": ("canada",),
    "australian": ("australia",),
    "japanese": ("japan",),
    "chinese": ("china",),
    "brazilian": ("brazil",),
    "irish": ("ireland",),
    "scottish": ("scotland",),
    "indian": ("india",),
    "mexican": ("mexico",),
    "kenyan": ("kenya",),
    "ethiopian": ("ethiopia",),
    "korean": ("south korea", "korea"),
    "austrian": ("austria",),
    "greek": ("greece",),
    "portuguese": ("portugal",),
    "turkish": ("turkey",),
    "african": ("africa",),
    "nfl": ("national football league",),
    "uk": ("united kingdom",),
    "us": ("united state", "usa"),
    "yes": ("y",),
}
UNITS = frozenset(
    "kg km m mi mile ft foot feet lb pound mph kmh kph percent minute hour second day meter metre inch "
    "kilometer kilometre ton tonne acre".split()
)
LARGE = re.compile(
    r"\b(?:most|highest|largest|biggest|greatest|longest|tallest|best|maximum|heaviest|latest|newest|recent|fastest|top|max|"
    r"oldest|earliest|first|last|least|lowest|fewest|smallest|shortest|worst|minimum|lightest|youngest|slowest|closest|"
    r"farthest|furthest|more|higher|larger|longer|better|bigger|taller|greater|less|fewer|lower|shorter|faster|older|younger|"
    r"earlier|later|final|initial|previous|bottom|widest|deepest|richest|cheapest|costliest|strongest|original|new|begin|start|end|"
    r"\w{3,}est|peak|leading|leader|primary|common|majority|often|frequent|frequently|mostly)\b"
)
GREATER = re.compile(
    r"(?:more than|over|above|greater than|higher than|larger than|longer than|exceed\w*|exceeding|after|bigger than|taller than|"
    r"better than|older than|surpass\w*|beyond|past|later than|heavier than|faster than|farther than|in excess of|upwards of)\W*"
    r"(?:the |year |rank |\$|a |their |its |of )*$"
)
AT_LEAST = re.compile(
    r"(?:at least|no less than|minimum of|since|not less than|no fewer than|starting in|starting from)\W*(?:the |year |\$|a )*$"
)
LESS = re.compile(
    r"(?:less than|under|below|fewer than|lower than|smaller than|shorter than|before|prior to|earlier than|younger than|worse than|"
    r"lighter than|not exceed\w*|within)\W*(?:the |year |rank |\$|a |their |its )*$"
)
AT_MOST = re.compile(
    r"(?:at most|no more than|up to|not more than|maximum of|no later than|until)\W*(?:the |year |\$|a )*$"
)
OR_MORE = re.compile(
    r"^\W*(?:\w+ )?(?:or|and) (?:more|above|higher|over|greater|better|later|longer|after|up|beyond)\b|^\+"
)
OR_LESS = re.compile(r"^\W*(?:\w+ )?(?:or|and) (?:less|below|lower|fewer|under|earlier|before|shorter)\b")
RANGE = re.compile(r"(?:between|from)\W*(?:the )?(?:years?)?\W*$")
RANGE_MIDDLE = re.compile(r"^\W*(?:and|to|through|until|-|–)\W*(?:the )?$")
TOPS = re.compile(
    r"(?:top|first|last|bottom|best|highest|largest|most|lowest|final|leading|earliest|latest|biggest|smallest)\W*$"
)
NOT = re.compile(
    r"\b(?:not|n't|other than|besides|except|excluding|never|without|isn't|wasn't|didn't|aren't|non|apart from|aside from)\b"
)
NEXT = re.compile(
    r"\b(?:after|next|following|follows|followed|below|beneath|succeed\w*|successor|behind|directly|immediately|under|underneath|later|comes|came|right|replaced|subsequent)\b"
)
BEFORE = re.compile(
    r"\b(?:before|previous|previously|prior|preced\w*|predecessor|above|ahead|directly|immediately|earlier|right|preceding|last)\b"
)
DATE_SAID = re.compile(
    r"\b(?:(?P<d1>\d{1,2})(?:st|nd|rd|th)?(?: of)? )?(?P<m>january|february|march|april|may|june|july|"
    r"august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?(?: (?P<d2>\d{1,2})(?:st|nd|rd|th)?\b(?!\d))?"
    r"(?:,? (?:of )?(?P<y>1\d{3}|20\d\d))?"
)

# What a person expects before any learning: (kind of query, word) and others. Learning starts from here.
PRIOR: dict[str, float] = {}
for _forms, _words, _weight in (
    ("count", "how_many number_of times total count amount", 1.2),
    ("distinct", "different unique distinct", 2.0),
    ("sum", "total sum combined altogether overall", 1.2),
    ("avg", "average mean", 3.0),
    (
        "max top mostcount mostsum topn",
        "most highest largest biggest greatest longest best maximum top latest tallest recent newest more",
        1.0,
    ),
    (
        "min bottom leastcount leastsum bottomn",
        "least lowest fewest smallest shortest worst minimum oldest earliest less fewer",
        1.2,
    ),
    ("bottom first", "first earliest oldest", 1.0),
    ("top last", "last latest recent final newest", 1.0),
    ("mostcount", "most often frequent common times", 0.8),
    ("range diffcell diffcount coldiff", "difference more than between longer apart", 0.8),
    ("having", "than least once twice multiple", 0.8),
    ("colsum", "total combined sum", 0.5),
):
    for _form in _forms.split():
        for _word in _words.split():
            PRIOR[f"f:{_form}:{_word}"] = _weight
PRIOR |= {
    "f:cell": 1.0,
    "f:sum": -1.0,
    "f:avg": -2.0,
    "f:max": -0.5,
    "f:min": -0.5,
    "f:range": -2.0,
    "f:distinct": -1.0,
    "f:diffcell": -1.5,
    "f:diffcount": -1.5,
    "f:having": -1.0,
    "f:mostcount": -0.5,
    "f:leastcount": -0.5,
    "f:mostsum": -1.0,
    "f:leastsum": -1.0,
    "f:colsum": -1.5,
    "f:coldiff": -1.5,
    "f:colcmp": -1.0,
    "f:first": -0.3,
    "f:last": -0.3,
    "f:cell:how_many": -0.8,
    "f:top:how_many": -1.0,
    "f:bottom:how_many": -1.0,
    "f:first:how_many": -1.5,
    "f:last:how_many": -1.5,
    "f:mostcount:how_many": -1.5,
    "f:topn": -0.5,
    "f:bottomn": -0.5,
    "f:combo": -1.0,
    "r:uncovered": -1.2,
    "r:weak": -0.3,
    "r:conds": -0.3,
    "r:c:whole": 0.6,
    "r:c:contains": -0.1,
    "r:c:bag": 0.2,
    "r:c:syn": -0.2,
    "r:c:ne": -0.5,
    "r:c:header": -0.8,
    "r:c:hdr": 0.4,
    "r:cov": 0.4,
    "r:c:numfree": -0.5,
    "r:c:all": -0.7,
    "sel:hit": 0.8,
    "sel:full": 0.5,
    "sel:wh": 1.2,
    "sel:used": -0.7,
    "ord:hit": 1.0,
    "ord:full": 0.6,
    "ord:adj": 0.8,
    "agg:hit": 1.0,
    "agg:full": 0.6,
    "grp:hit": 0.8,
    "grp:wh": 1.0,
    "agg:wh": 0.8,
    "ord:none": -0.6,
    "agg:none": -1.0,
    "x:empty": -3.0,
    "x:tie": -0.5,
    "x:selisord": -1.0,
    "x:idle": -0.7,
    "x:many": -0.5,
    "agg:kind:year": -0.8,
}


@dataclass(slots=True)
class Condition:
    """A test of rows as written, the rows it keeps, and the words of the question it stands for."""

    sql: str
    mask: int
    span: int
    column: int
    how: str
    features: tuple[str, ...] = ()
    value: str = ""


@dataclass(slots=True)
class RowSet:
    """Conditions together, the rows they keep and what speaks for them."""

    conditions: tuple[Condition, ...]
    mask: int
    span: int
    features: dict[str, float] = field(default_factory=dict)

    def where(self) -> str:
        """The WHERE clause, or nothing."""
        return " WHERE " + " AND ".join(c.sql for c in self.conditions) if self.conditions else ""


@dataclass(slots=True)
class Question:
    """A question, read against its table."""

    id: str
    text: str
    answer: tuple[str, ...]
    table: Table
    tokens: list[Token]
    low: str
    stems: tuple[str, ...]
    fold: int = 0


@dataclass(slots=True)
class Candidate:
    """A query in parts: its kind, its rows and the columns in their roles."""

    score: float
    form: str
    rows: int
    a: int
    b: int
    good: int
    extra: str = ""


def quote(text: str) -> str:
    """A string constant."""
    return "'" + text.replace("'", "''") + "'"


def bits(mask: int) -> Iterator[int]:
    """The places of the set bits, from the lowest."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def figure(value: float) -> str:
    """A number as a query writes it."""
    return str(int(value)) if value == int(value) else repr(value)


# -- conditions -------------------------------------------------------------------------------------------------------


def said(question: Question, start: int, end: int) -> str:
    """The very words of the question from token to token."""
    return question.text[question.tokens[start].start : question.tokens[end - 1].end]


def _span(start: int, end: int) -> int:
    return ((1 << end) - 1) ^ ((1 << start) - 1)


def text_conditions(question: Question) -> list[Condition]:
    """Cells that the question names, whole or in part; only the longest wording for a column."""
    table, stems, n = question.table, question.stems, len(question.stems)
    found: list[Condition] = []
    taken: dict[int, list[int]] = defaultdict(list)
    headers = {w for c in table.columns for w in c.words}

    def add(start: int, end: int, at: int, mask: int, how: str, sql: str, value: str) -> None:
        span = _span(start, end)
        if any(span & ~other == 0 for other in taken[at]):
            return
        taken[at].append(span)
        column = table.columns[at]
        words = stems[start:end]
        features = [f"c:{how}", f"c:{how}:{column.kind}", f"c:len{min(end - start, 4)}:{how}"]
        if all(w in headers for w in words):
            features.append("c:header")
        if any(w in column.words for w in stems[max(0, start - 3) : start] + stems[end : end + 3]):
            features.append("c:hdr")
        if start:
            features.append(f"c:prev:{stems[start - 1]}")
        found.append(Condition(sql, mask, span, at, how, tuple(features), value))

    for length in range(min(n, 12), 0, -1):
        for start in range(n - length + 1):
            end = start + length
            words = stems[start:end]
            if length == 1 and (words[0] in STOP or (len(words[0]) < 2 and not words[0].isdigit())):
                continue
            for at, mask in table.whole.get(words, {}).items():
                column = table.columns[at]
                cell = column.texts[next(bits(mask))]
                if (
                    column.kind in ("number", "year")
                    and length == 1
                    and number_of(cell) is not None
                    and words[0].replace(".", "").isdigit()
                ):
                    continue  # the number conditions say it better
                if (
                    column.kind in ("number", "year")
                    and words[0][0].isdigit()
                    and operators(question, start, start + 1) != ["="]
                ):
                    continue
                if column.kind == "date" and not column.season and all(w[0].isdigit() or w in MONTH_OF for w in words):
                    continue  # the date conditions say it better
                add(start, end, at, mask, "whole", f"{column.expression} = {quote(cell)}", cell)
            if length > 5 or words[0] in STOP or words[-1] in STOP:
                continue
            for at, mask in table.parts.get(words, {}).items():
                column = table.columns[at]
                if column.kind in ("number", "year") and length == 1 and words[0][0].isdigit():
                    continue
                dated = column.kind == "date" and all(w[0].isdigit() or w in MONTH_OF for w in words)
                if dated and (not column.season or length == 1):
                    continue  # the date conditions say it better
                cells = {column.folded[r]: column.texts[r] for r in bits(mask)}
                if len(cells) == 1:
                    folded, cell = next(iter(cells.items()))
                    if (
                        len(folded) <= 8
                        and (length * 2 >= len(folded) or (folded[:length] == words and "(" in cell))
                        and ("," not in cell or folded[:length] == words)
                    ):
                        add(start, end, at, mask, "most", f"{column.expression} = {quote(cell)}", cell)
                        continue
                phrase = said(question, start, end)
                add(start, end, at, mask, "contains", f"contains({column.expression}, {quote(phrase)})", phrase)
    positions: dict[str, list[int]] = defaultdict(list)
    for place, stem in enumerate(stems):
        positions[stem].append(place)
    for words, spots in table.whole.items():
        if 2 <= len(words) <= 5 and all(w in positions for w in words) and len(set(words)) > 1:
            content = [w for w in words if w not in STOP]
            if len(content) < 2:
                continue
            places = [positions[w][0] for w in words]
            if max(places) - min(places) <= len(words) + 2:
                for at, mask in spots.items():
                    column = table.columns[at]
                    cell = column.texts[next(bits(mask))]
                    if column.kind == "text":
                        add(min(places), max(places) + 1, at, mask, "bag", f"{column.expression} = {quote(cell)}", cell)
    for place, token in enumerate(question.tokens):
        for other in SYNONYMS.get(token.word, ()) or SYNONYMS.get(token.stem, ()):
            words = tuple(other.split())
            for at, mask in table.whole.get(words, {}).items():
                column = table.columns[at]
                cell = column.texts[next(bits(mask))]
                if column.kind == "number" and number_of(cell) is not None:
                    value = figure(number_of(cell) or 0)
                    rank = {
                        "position",
                        "place",
                        "rank",
                        "pos",
                        "finish",
                        "result",
                        "round",
                        "standing",
                        "season",
                        "stage",
                        "week",
                        "pick",
                    }
                    if rank & set(column.words):
                        sql = f"{column.expression} = {quote(cell) if not cell.isdigit() else value}"
                        add(place, place + 1, at, mask, "ordinal", sql, cell)
                    continue
                add(place, place + 1, at, mask, "syn", f"{column.expression} = {quote(cell)}", cell)
            if words[0] in ("w", "l", "d", "won", "lost") and words[0] != token.stem:
                for at, mask in table.parts.get(words, {}).items():
                    column = table.columns[at]
                    if column.kind == "text" and all(column.folded[r][0] == words[0] for r in bits(mask)):
                        cell = column.texts[next(bits(mask))].split()[0]
                        add(place, place + 1, at, mask, "syn", f"starts({column.expression}, {quote(cell)})", cell)
            else:
                for at, mask in table.parts.get(words, {}).items():
                    if len(words[0]) > 3 and table.columns[at].kind == "text":
                        column = table.columns[at]
                        value = other.title() if words[0] not in ("won", "winner") else other
                        value = "United States" if value == "United State" else value
                        add(place, place + 1, at, mask, "syn", f"contains({column.expression}, {quote(value)})", value)
    return found


def operators(question: Question, start: int, end: int) -> list[str]:
    """What the words around a figure ask of it."""
    left = question.low[: question.tokens[start].start]
    right = question.low[question.tokens[end - 1].end :]
    if AT_LEAST.search(left) or OR_MORE.search(right):
        return [">="]
    if AT_MOST.search(left) or OR_LESS.search(right):
        return ["<="]
    if GREATER.search(left):
        return [">"]
    if LESS.search(left):
        return ["<"]
    return ["="]


def _compare(key: float, operator: str, value: float) -> bool:
    return (
        key == value
        if operator == "="
        else key > value
        if operator == ">"
        else key >= value
        if operator == ">="
        else key < value
        if operator == "<"
        else key <= value
    )


def in_season(question: Question, place: int) -> bool:
    """Whether a figure is half of a span of years such as 2008-09 or 2008/2009."""
    for first in (place, place - 1):
        if 0 <= first < len(question.tokens) - 1:
            one, two = question.tokens[first], question.tokens[first + 1]
            glue = question.text[one.end : two.start]
            if (
                glue in ("-", "/", "–", "−")
                and re.fullmatch(r"1[5-9]\d\d|20\d\d", one.word)
                and two.word.isdigit()
                and len(two.word) in (2, 4)
            ):
                return True
    return False


def numbers_said(question: Question) -> list[tuple[int, int, float, str]]:
    """Figures of the question: where, how much, and how a query writes them."""
    found = []
    for place, token in enumerate(question.tokens):
        value: float | None = None
        end = place + 1
        if in_season(question, place):
            continue
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z%]*)", token.word)
        if match and match[2] in ("", "st", "nd", "rd", "th", "m", "km", "kg", "ft", "lbs", "mm", "mph"):
            value = float(match[1])
        elif token.word in NUMBER_WORDS:
            value = float(NUMBER_WORDS[token.word])
        if value is None:
            continue
        written = figure(value)
        after = question.tokens[end].stem if end < len(question.tokens) else ""
        if after in ("million", "thousand", "billion", "hundred"):
            value *= {"million": 1e6, "thousand": 1e3, "billion": 1e9, "hundred": 100}[after]
            written, end = figure(value), end + 1
        elif after in UNITS and token.word[0].isdigit():
            written, end = quote(said(question, place, end + 1)), end + 1
        elif question.text[token.start - 1 : token.start] in ("$", "£", "€"):
            written = quote(question.text[token.start - 1 : token.end])
        found.append((place, end, value, written))
    return found


def number_conditions(question: Question) -> list[Condition]:
    """Figures of the question held against the columns of figures, the operator as the words around them say."""
    table, found = question.table, []
    figures = numbers_said(question)
    for n, (start, end, value, written) in enumerate(figures):
        ops = operators(question, start, end)
        ranged = None
        if n + 1 < len(figures) and RANGE.search(question.low[: question.tokens[start].start]):
            middle = question.low[question.tokens[end - 1].end : question.tokens[figures[n + 1][0]].start]
            if RANGE_MIDDLE.search(middle):
                ranged = figures[n + 1]
        for at, column in enumerate(table.columns):
            if column.derived or column.kind not in ("number", "year"):
                continue
            if (column.kind == "year") != (1500 <= value <= 2100 and value.is_integer()) and column.kind == "year":
                continue
            keys = column.keys
            near = any(
                w in column.words for w in question.stems[max(0, start - 4) : start] + question.stems[end : end + 4]
            )
            mentioned = any(w in column.words for w in question.stems if w not in STOP)
            for op in ops:
                mask = sum(1 << r for r in bits(table.rows) if (k := keys[r]) is not None and _compare(k, op, value))
                if not mask:
                    continue
                if op == "=" and question.tokens[start].word == "one":
                    continue
                filled = sum(1 << r for r in bits(table.rows) if keys[r] is not None)
                features = [
                    f"c:num{op}",
                    f"c:num{op}:{column.kind}",
                    *(["c:all"] if mask == filled else []),
                    "c:hdr" if near else "c:mentioned" if mentioned else "c:numfree",
                ]
                if start:
                    features.append(f"c:numprev:{question.stems[start - 1]}")
                features.append(f"c:numnext:{question.stems[end] if end < len(question.stems) else 'end'}")
                shown = written
                if op == "=" and not written.startswith("'"):
                    cell = column.texts[next(bits(mask))]
                    shown = written if re.fullmatch(r"[\d,.]+", cell) else quote(cell)
                found.append(
                    Condition(
                        f"{column.expression} {op} {shown}",
                        mask,
                        _span(start, end),
                        at,
                        "num" + op,
                        tuple(features),
                        written,
                    )
                )
            if ranged:
                low, high = value, ranged[2]
                mask = sum(1 << r for r in bits(table.rows) if (k := keys[r]) is not None and low <= k <= high)
                if mask:
                    features = ["c:between", f"c:between:{column.kind}", "c:hdr" if near else "c:numfree"]
                    sql = f"{column.expression} BETWEEN {written} AND {ranged[3]}"
                    found.append(Condition(sql, mask, _span(start, ranged[1]), at, "between", tuple(features)))
    return found


def _fits(day: Day, said_day: Day) -> bool:
    return all(s in (0, d) for d, s in zip(day, said_day, strict=True))


def _first_day(day: Day) -> float:
    return day[0] * 372.0 + (day[1] or 1) * 31 + (day[2] or 1)


def _last_day(day: Day) -> float:
    return day[0] * 372.0 + (day[1] or 12) * 31 + (day[2] or 31)


def date_conditions(question: Question) -> list[Condition]:
    """Dates of the question held against the columns of dates, in the question's words."""
    table = question.table
    dated = [at for at, c in enumerate(table.columns) if c.kind == "date" and not c.derived]
    if not dated:
        return []
    dates: list[tuple[int, int, Day]] = []
    covered = 0
    for match in DATE_SAID.finditer(question.low):
        inside = [i for i, t in enumerate(question.tokens) if match.start() <= t.start and t.end <= match.end()]
        day = (int(match["y"] or 0), MONTH_OF[match["m"]], int(match["d1"] or match["d2"] or 0))
        if not inside or (
            match["m"] in ("may", "march", "mar")
            and not day[0]
            and not day[2]
            and question.low[: match.start()].split()[-1:]
            not in (["in"], ["of"], ["during"], ["month"], ["for"], ["after"], ["before"], ["since"])
        ):
            continue
        dates.append((inside[0], inside[-1] + 1, day))
        covered |= _span(inside[0], inside[-1] + 1)
    for place, token in enumerate(question.tokens):
        if (
            not covered >> place & 1
            and re.fullmatch(r"1[5-9]\d\d|20\d\d", token.word)
            and not in_season(question, place)
        ):
            dates.append((place, place + 1, (int(token.word), 0, 0)))
    dates.sort()
    found = []
    for n, (start, end, day) in enumerate(dates):
        op = operators(question, start, end)[0]
        phrase = said(question, start, end)
        left = question.low[: question.tokens[start].start]
        for at in dated:
            column = table.columns[at]
            days, keys = column.days, column.keys
            rows = [r for r in bits(table.rows) if days[r] is not None]
            yearless = not any((days[r] or (0, 0, 0))[0] for r in rows)
            if op == "=":
                call, mask = "during", sum(1 << r for r in rows if _fits(days[r] or (0, 0, 0), day))
            elif bool(day[0]) == yearless:
                continue
            else:
                call = {">": "after", ">=": "since", "<": "before", "<=": "until"}[op]
                edge = _first_day(day) if op in (">=", "<") else _last_day(day)
                # A day of a coarse date is nought, so the whole year or month counts as its beginning.
                mask = sum(
                    1 << r
                    for r in rows
                    if _compare((keys[r] or 0) + (32 if not (days[r] or (0, 1, 0))[1] else 0), op, edge)
                )
            if mask:
                features = [f"c:{call}", "c:season" if column.season else f"c:{call}:day"]
                found.append(
                    Condition(
                        f"{call}({column.expression}, {quote(phrase)})",
                        mask,
                        _span(start, end),
                        at,
                        call,
                        tuple(features),
                        phrase,
                    )
                )
            if n + 1 < len(dates) and RANGE.search(left):
                start2, end2, day2 = dates[n + 1]
                if RANGE_MIDDLE.search(question.low[question.tokens[end - 1].end : question.tokens[start2].start]):
                    mask = sum(
                        1 << r
                        for r in rows
                        if _first_day(day)
                        <= (keys[r] or 0) + (32 if not (days[r] or (0, 1, 0))[1] else 0)
                        <= _last_day(day2)
                    )
                    last = quote(said(question, start2, end2))
                    sql = f"since({column.expression}, {quote(phrase)}) AND until({column.expression}, {last})"
                    if mask:
                        found.append(
                            Condition(sql, mask, _span(start, end2), at, "between", ("c:between", "c:between:date"))
                        )
    return found


CUES_NEXT = frozenset(
    "after before next previous previously following above below directly immediately right last first how many most prior other".split()
)


def conditions_of(question: Question) -> list[Condition]:
    """All tests that the words of the question allow, the most telling first."""
    table = question.table
    plainly = text_conditions(question) + number_conditions(question) + date_conditions(question)
    found = list(plainly)
    if NEXT.search(question.low) or BEFORE.search(question.low):
        for c in plainly:
            if c.how not in ("whole", "most", "bag", "num=", "during", "contains") or c.mask & (c.mask - 1):
                continue
            row = c.mask.bit_length() - 1
            column = table.columns[c.column]
            left = question.stems[max(0, (c.span & -c.span).bit_length() - 4) : (c.span & -c.span).bit_length() - 1]
            for call, cue, to in (("nextrow", NEXT, row + 1), ("prevrow", BEFORE, row - 1)):
                if cue.search(question.low) and 0 <= to < table.size:
                    cell = column.texts[row]
                    value = figure(column.keys[row] or 0) if c.how == "num=" and cell.isdigit() else quote(cell)
                    far = sorted(CUES_NEXT & set(question.stems))
                    features = (
                        f"c:{call}",
                        f"c:{call}:{c.how}",
                        *(f"c:{call}:{w}" for w in left),
                        *(f"c:{call}:far:{w}" for w in far),
                    )
                    sql = f"{call}({column.expression} = {value})"
                    found.append(Condition(sql, 1 << to & table.rows, c.span, c.column, call, features))
    if NOT.search(question.low):
        for c in plainly:
            if c.how in ("whole", "most", "contains", "syn", "bag", "num="):
                filled = sum(1 << r for r in bits(table.rows) if table.columns[c.column].folded[r])
                sql = (
                    c.sql.replace(" = ", " != ", 1)
                    if " = " in c.sql and not c.sql.startswith("contains(")
                    else f"NOT {c.sql}"
                )
                mask = table.rows & filled & ~c.mask
                lead = question.low[: question.tokens[(c.span & -c.span).bit_length() - 1].start]
                near = "c:ne:near" if NOT.search(lead[-18:]) else "c:ne:far"
                found.append(Condition(sql, mask, c.span, c.column, "ne", (*c.features, "c:ne", near), c.value))
    by_column: dict[int, list[Condition]] = defaultdict(list)
    for c in plainly:
        if c.how in ("whole", "most", "bag", "contains", "syn", "num=", "during", "ordinal"):
            by_column[c.column].append(c)
    for at, several in by_column.items():
        for i, one in enumerate(several):
            for two in several[i + 1 :]:
                if one.span & two.span or one.mask == two.mask or "c:header" in one.features + two.features:
                    continue
                first, second = (one, two) if one.span < two.span else (two, one)
                if (
                    " = " in one.sql
                    and " = " in two.sql
                    and not one.sql.startswith("contains")
                    and not two.sql.startswith("contains")
                ):
                    values = [c.sql.split(" = ", 1)[1] for c in (first, second)]
                    sql = f"{table.columns[at].expression} IN ({values[0]}, {values[1]})"
                else:
                    sql = f"({first.sql} OR {second.sql})"
                between = question.stems[(first.span).bit_length() : (second.span & -second.span).bit_length() - 1]
                words = tuple(f"c:in:{w}" for w in between[:2])
                found.append(
                    Condition(
                        sql,
                        one.mask | two.mask,
                        one.span | two.span,
                        at,
                        "in",
                        ("c:in", f"c:in:gap{min(3, len(between))}", *words),
                    )
                )
    found.sort(key=lambda c: -_telling(c))
    return found[: CONDITIONS * 2]


def _telling(condition: Condition) -> float:
    """How much of the question a test accounts for."""
    base = {
        "whole": 1.0,
        "most": 0.8,
        "bag": 0.9,
        "contains": 0.3,
        "syn": 0.3,
        "ordinal": 0.4,
        "ne": 0.2,
        "in": 0.6,
    }.get(condition.how, 0.7)
    return (
        base
        + condition.span.bit_count() * 0.3
        - ("c:header" in condition.features) * 0.6
        + ("c:hdr" in condition.features) * 0.3
    )


def row_sets(question: Question, conditions: list[Condition]) -> list[RowSet]:
    """Up to three tests together, those first that account for most of the question."""
    table = question.table
    strong, weak = 0, 0
    for c in conditions:
        if "c:header" in c.features:
            continue
        if c.how in ("whole", "most", "bag") or c.how.startswith("num"):
            strong |= c.span
        else:
            weak |= c.span
    for place, stem in enumerate(question.stems):
        if stem in STOP:
            strong &= ~(1 << place)
            weak &= ~(1 << place)
    weak &= ~strong

    def make(*chosen: Condition) -> RowSet | None:
        mask, span = table.rows, 0
        for c in chosen:
            if span & c.span:
                return None
            mask, span = mask & c.mask, span | c.span
        if not mask and len(chosen) > 1:
            return None
        for i, one in enumerate(chosen):  # a test that changes nothing is no test
            for two in chosen[i + 1 :]:
                if one.column == two.column and one.how not in (
                    "num>",
                    "num<",
                    "num>=",
                    "num<=",
                    "contains",
                    "ne",
                    "after",
                    "before",
                ):
                    return None
        features: dict[str, float] = {"r:conds": float(len(chosen)), "r:uncovered": float((strong & ~span).bit_count())}
        features["r:weak"] = float((weak & ~span).bit_count())
        features["r:cov"] = min(3.0, float((span & (strong | weak)).bit_count()))
        for c in chosen:
            for name in c.features:
                features["r:" + name] = features.get("r:" + name, 0.0) + 1.0
        if len(chosen) == 2 and any(mask == c.mask for c in chosen):
            features["r:idle"] = 1.0
        return RowSet(chosen, mask, span, features)

    kept = conditions[:CONDITIONS]
    sets = [
        RowSet(
            (),
            table.rows,
            0,
            {"r:none": 1.0, "r:uncovered": float(strong.bit_count()), "r:weak": float(weak.bit_count())},
        )
    ]
    for i, one in enumerate(conditions):
        sets.append(made) if (made := make(one)) else None
        if i >= CONDITIONS:
            continue
        for j in range(i + 1, len(kept)):
            if not (pair := make(one, kept[j])):
                continue
            sets.append(pair)
            for k in range(j + 1, min(len(kept), 10)):
                if triple := make(one, kept[j], kept[k]):
                    sets.append(triple)
    ranked = sorted(sets[1:], key=lambda s: -sum(PRIOR.get(f, 0.0) * v for f, v in s.features.items()))
    return sets[:1] + ranked[:ROW_SETS]


# -- columns in their roles -------------------------------------------------------------------------------------------

SUPERLATIVE = re.compile(
    r"^(?:most|more|less|least|fewest|fewer|highest|lowest|top|best|worst|first|last|total|sum|average|\w{3,}(?:est|er))$"
)


def column_features(question: Question) -> dict[str, list[dict[str, float]]]:
    """For each role, what speaks for each column."""
    stems = question.stems
    content = [s for s in stems if s not in STOP or s in ("year", "time", "total", "number", "name")]
    wh = next(
        (
            i
            for i, s in enumerate(stems)
            if s in ("which", "what", "who", "when", "where", "whose", "how", "name", "list", "whom")
        ),
        -1,
    )
    kind_of_wh = stems[wh] if wh >= 0 else "none"
    if kind_of_wh == "how" and wh + 1 < len(stems):
        kind_of_wh = f"how_{stems[wh + 1]}"
    skip = wh + (2 if kind_of_wh.startswith("how_") else 1)
    nouns = [s for s in stems[skip : skip + 5] if s not in STOP or s in ("year", "time", "name", "number")]
    noun = nouns[0] if nouns else "none"
    supers = [i for i, t in enumerate(question.tokens) if SUPERLATIVE.match(t.word)]
    roles: dict[str, list[dict[str, float]]] = {"sel": [], "ord": [], "agg": [], "grp": []}
    lead = next((i for i, c in enumerate(question.table.columns) if c.kind == "text" and not c.derived), 0)
    for at, column in enumerate(question.table.columns):
        words = [w for w in column.words if w not in ("of", "the", "in", "s")]
        hits = sum(w in content for w in set(words))
        full = bool(words) and hits == len(set(words))
        adjacent = any(w in stems[i + 1 : i + 4] for i in supers for w in words)
        said_at = 1.0 if words and words[0] in nouns[:1] else 0.5 if any(w in nouns[:2] for w in words) else 0.0
        head = words[-1] if words else "none"
        for role, features in roles.items():
            new = {
                f"{role}:hit": min(2.0, float(hits)),
                f"{role}:full": float(full),
                f"{role}:kind:{column.kind}": 1.0,
                f"{role}:none": float(not hits),
            }
            if role in ("sel", "grp"):
                new[f"{role}:wh"] = said_at
                new[f"{role}:{kind_of_wh}:{column.kind}"] = 1.0
                for w in set(words[:4]):
                    new[f"{role}:{kind_of_wh}:{w}"] = 1.0
                    new[f"{role}:{noun}:{w}"] = 1.0
                new[f"{role}:lead"] = float(at == lead)
                new[f"{role}:place{min(at, 4)}"] = 1.0
                new[f"{role}:derived"] = float(column.derived)
                new[f"{role}:rep"] = float(column.distinct < 0.7 * question.table.size)
            else:
                new[f"{role}:adj"] = float(adjacent)
                new[f"{role}:wh"] = said_at
                for i in supers[:3]:
                    new[f"{role}:{stems[i]}:{column.kind}"] = 1.0
                    for w in set(words[:3]):
                        new[f"{role}:{stems[i]}:{w}"] = 1.0
                new[f"{role}:{noun}:{head}"] = 1.0
            features.append({k: v for k, v in new.items() if v})
    return roles


def column_cues(question: Question) -> list[str]:
    """What columns the first noun and the words after a superlative point to."""
    stems, columns = question.stems, question.table.columns
    wh = next(
        (i for i, s in enumerate(stems) if s in ("which", "what", "who", "when", "where", "how", "name", "list")), 0
    )
    kind = "how_" + stems[wh + 1] if stems[wh] == "how" and wh + 1 < len(stems) else stems[wh] if stems else "none"
    nouns = [s for s in stems[wh + (2 if kind.startswith("how_") else 1) :][:4] if s not in STOP or s == "year"][:1]
    hit = {c.kind for c in columns if not c.derived and any(w in nouns for w in c.words)}
    point = "number" if "number" in hit else "text" if "text" in hit else "date" if hit else "none"
    cues = [f"noun:{point}", f"noun:{point}:{kind}"]
    supers = [i for i, t in enumerate(question.tokens) if SUPERLATIVE.match(t.word)]
    near = {w for i in supers for w in stems[i + 1 : i + 4] if w not in STOP}
    if supers:
        numeric = any(w in near for c in columns if c.kind in ("number", "year") for w in c.words)
        textual = any(w in near for c in columns if c.kind == "text" for w in c.words)
        cues.append(f"super:{'number' if numeric else 'text' if textual else 'none'}")
    cues += [f"{a}..{b}" for a in CUES_FAR & set(stems) for b in CUES_FAR & set(stems) if a < b]
    return cues


CUES_FAR = frozenset(
    "most least more less first last than how many total number average difference highest lowest top different after before next "
    "previous earliest latest only or and each same consecutive fewest between longest largest".split()
)


def form_features(question: Question, form: str) -> dict[str, float]:
    """The words of the question beside the kind of query."""
    words = [t.word for t in question.tokens]
    cues = {w for w in words if w.isalpha() and len(w) < 12}
    cues |= {f"{a}_{b}" for a, b in itertools.pairwise(words)}
    cues.add("begins_" + "_".join(words[:2]))
    features = {f"f:{form}": 1.0}
    vocabulary = VOCABULARY
    for cue in cues:
        if not vocabulary or cue in vocabulary:
            features[f"f:{form}:{cue}"] = 1.0
    for cue in column_cues(question):
        features[f"f:{form}:{cue}"] = 1.0
    return features


VOCABULARY: set[str] = set()

# -- answers ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=100_000)
def normal(text: str) -> str:
    """A value as answers are compared: folded, without quotes, footnotes and a trailing remark."""
    text = plain(text).lower().strip("\"'“”‘’ .")
    text = re.sub(r"(?<!^)\s*\([^)]*\)$", "", text)
    return " ".join(words_of(text)) or text


@lru_cache(maxsize=100_000)
def figure_of_answer(text: str) -> float | None:
    """The number an answer gives."""
    return number_of(text)


def answer_rows(question: Question, column: Column) -> tuple[list[int], list[int]]:
    """For each answer the rows whose cell says it, and those whose cell holds it in more words."""
    exact, loose = [], []
    for answer in question.answer:
        target = normal(answer)
        words = tuple(target.split())
        number = figure_of_answer(answer) if re.fullmatch(r"[$£€+\-−–]?[\d,.]+\s?\S{0,8}", answer) else None
        hard = soft = 0
        for r in bits(question.table.rows):
            cell = column.texts[r]
            if not cell:
                continue
            if normal(cell) == target or (
                number is not None and column.kind in ("number", "year") and column.keys[r] == number
            ):
                hard |= 1 << r
            elif (
                words
                and 1 <= len(words) < len(folded := column.folded[r]) <= 3 * len(words) + 2
                and not (len(words) == 1 and len(words[0]) < 3)
            ) and any(folded[i : i + len(words)] == words for i in range(len(folded) - len(words) + 1)):
                soft |= 1 << r
        exact.append(hard)
        loose.append(hard | soft)
    return exact, loose


def good_rows(mask: int, each: Sequence[int]) -> bool:
    """Whether the rows say every answer and nothing else."""
    union = 0
    for one in each:
        if not one & mask:
            return False
        union |= one
    return bool(mask) and mask & ~union == 0


# -- candidates -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Search:
    """The parts of all the queries for a question, with their scores under some weights."""

    question: Question
    sets: list[RowSet]
    roles: dict[str, list[dict[str, float]]]
    forms: dict[str, dict[str, float]]
    limits: list[tuple[int, int]]
    havings: list[tuple[str, float, str]]


FORMS = (
    "cell count distinct sum avg max min range top bottom topn bottomn first last firstn lastn mostcount leastcount mostsum "
    "leastsum having diffcell diffcount colsum coldiff colcmp"
).split()
NEEDS = {
    "distinct": r"different|unique|distinct|how many|number of|various|total|separate|individual",
    "sum": r"total|sum|combined|altogether|how m|number|all|together|overall|amount|in all",
    "avg": r"average|mean",
    "range": r"difference|between|how (?:many|much|long)|range|span|gap|from|apart|period|length",
    "having": r"than|at least|once|twice|multiple|exactly|times|or more|only|more|both|repeat|again",
    "diff": r"difference|more|less|fewer|than|between|longer|higher|larger|greater|"
    r"older|younger|taller|apart|later|earlier|after|before|how (?:long|many|much)",
    "colsum": r"total|combined|sum|altogether|and|together|how many",
    "coldiff": r"difference|more|than|between|how (?:many|much|long)|less",
    "colcmp": r"more|less|fewer|than|same|equal|higher|greater|lower|better",
}


def read(raw: dict[str, object], table: Table) -> Question:
    """A question with its words folded."""
    text = str(raw["question"])
    tokens = tokens_of(text)
    answer = raw["answer"]
    assert isinstance(answer, list)
    fold = int(str(raw["table"]).rsplit("/", 1)[1].split(".")[0]) % FOLDS
    return Question(
        str(raw["id"]), text, tuple(answer), table, tokens, text.lower(), tuple(t.stem for t in tokens), fold
    )


def prepare(question: Question) -> Search:
    """Conditions, row sets and roles; which kinds of query the words allow."""
    low = question.low
    allowed = ["cell", "count", "first", "last"] if LARGE.search(low) else ["cell", "count"]
    if LARGE.search(low):
        allowed += "max min top bottom mostcount leastcount mostsum leastsum".split()
    for form in ("distinct", "sum", "avg", "range", "having", "colsum", "coldiff", "colcmp"):
        if re.search(rf"\b(?:{NEEDS[form]})", low):
            allowed.append(form)
    if re.search(rf"\b(?:{NEEDS['diff']})\b", low):
        allowed += ["diffcell", "diffcount"]
    limits, havings = [], []
    for start, end, value, _ in numbers_said(question):
        left = low[: question.tokens[start].start]
        if 2 <= value <= 20 and value.is_integer() and TOPS.search(left):
            limits.append((int(value), _span(start, end)))
        op = operators(question, start, end)[0]
        if value.is_integer() and 1 <= value <= 30:
            havings.append((op, value, figure(value)))
    if re.search(r"\bmultiple|more than one\b", low):
        havings.append((">", 1.0, "1"))
    if limits:
        allowed += ["topn", "bottomn", "firstn", "lastn"]
    sets = row_sets(question, conditions_of(question))
    forms = {form: form_features(question, form) for form in allowed}
    return Search(question, sets, column_features(question), forms, limits, havings[:2])


def _value(features: dict[str, float], weights: dict[str, float]) -> float:
    get = weights.get
    return sum(get(f, 0.0) * v for f, v in features.items())


def candidates(search: Search, weights: dict[str, float]) -> list[Candidate]:
    """Every query for the question with its score, and whether it gives the answer (2: exactly, 1: in more words, 0: no)."""
    q, table = search.question, search.question.table
    columns = table.columns
    form_score = {form: _value(f, weights) for form, f in search.forms.items()}
    set_score = [_value(s.features, weights) for s in search.sets]
    sel, ord_, agg, grp = ([_value(f, weights) for f in search.roles[r]] for r in ("sel", "ord", "agg", "grp"))
    judged = [answer_rows(q, c) for c in columns]
    single = (
        figure_of_answer(q.answer[0])
        if len(q.answer) == 1 and not re.search(r"[a-z]{4}.*[a-z]{4}.*[a-z]{4}", q.answer[0].lower())
        else None
    )
    extra = {name: weights.get(name, 0.0) for name in EXTRAS}
    out: list[Candidate] = []
    add = out.append
    numeric = [i for i, c in enumerate(columns) if c.kind in ("number", "year") and not c.derived]
    sortable = [i for i, c in enumerate(columns) if c.kind != "text" and not c.derived]
    groupable = [i for i, c in enumerate(columns) if c.kind != "number" and c.distinct > 1]
    words = [frozenset(w for w in c.words if w not in STOP) & frozenset(q.stems) for c in columns]

    def verdict(mask: int, at: int) -> int:
        exact, loose = judged[at]
        return 2 if good_rows(mask, exact) else 1 if good_rows(mask, loose) else 0

    def same(value: float | None) -> int:
        return (
            2
            if single is not None and value is not None and abs(value - single) < 0.006 * max(1.0, abs(single) * 0.01)
            else 0
        )

    plain_best: dict[tuple[str, int], int] = {}
    for n, rows in enumerate(search.sets):
        base, mask = set_score[n], rows.mask
        places = list(bits(mask))
        used = {
            c.column
            for c in rows.conditions
            if c.how not in ("in", "nextrow", "prevrow") and not c.how.startswith("contains")
        }
        cond = "1" if rows.conditions else "0"
        plural = "1" if len(places) == 1 else "2" if len(places) <= 4 else "9"
        size = len(places)
        if "cell" in form_score and rows.conditions and size:
            shape = f"x:cell:{plural}"
            s0 = base + form_score["cell"] + extra[shape]
            for a in range(len(columns)):
                if a in used:
                    continue
                add(Candidate(s0 + sel[a], "cell", n, a, -1, verdict(mask, a), shape))
        if "count" in form_score:
            name = "x:count:zero" if not size else f"x:count:{cond}"
            add(Candidate(base + form_score["count"] + extra[name], "count", n, -1, -1, same(size), name))
        if not size:
            continue
        if "distinct" in form_score and size > 1:
            s0 = base + form_score["distinct"] + extra[f"x:distinct:{cond}"]
            for a, column in enumerate(columns):
                if a in used or column.kind == "number":
                    continue
                kinds = len({column.folded[r] for r in places if column.folded[r]})
                if not column.derived and (kinds != size or column.distinct < table.size):
                    add(Candidate(s0 + grp[a], "distinct", n, a, -1, same(kinds), f"x:distinct:{cond}"))
        if size > 1:
            for a in numeric:
                values = [k for r in places if (k := columns[a].keys[r]) is not None]
                if not values or a in used:
                    continue
                year = columns[a].kind == "year"
                for form, value in (
                    ("sum", sum(values)),
                    ("avg", sum(values) / len(values)),
                    ("max", max(values)),
                    ("min", min(values)),
                    ("range", max(values) - min(values)),
                ):
                    if form in form_score and not (year and form in ("sum", "avg")):
                        add(
                            Candidate(
                                base + form_score[form] + agg[a] + extra[f"x:agg:{cond}"],
                                form,
                                n,
                                a,
                                -1,
                                same(value),
                                f"x:agg:{cond}",
                            )
                        )
            for form, last in (("first", False), ("last", True)):
                if form in form_score:
                    bit = 1 << places[-1 if last else 0]
                    s0 = base + form_score[form] + extra[f"x:end:{cond}"]
                    for a in range(len(columns)):
                        add(Candidate(s0 + sel[a], form, n, a, -1, verdict(bit, a), f"x:end:{cond}"))
            if "top" in form_score:
                for b in sortable:
                    keys = columns[b].keys
                    ranked = [r for r in places if keys[r] is not None]
                    if len(ranked) < 2 or (b in used and len({keys[r] for r in ranked}) < 2):
                        continue
                    for form, sign in (("top", -1), ("bottom", 1)):
                        best = min(ranked, key=lambda r: sign * (keys[r] or 0.0))
                        tied = sum(keys[r] == keys[best] for r in ranked) > 1
                        name = f"x:{form}:{columns[b].kind}:{'tie' if tied else 'one'}"
                        s0 = base + form_score[form] + ord_[b] + extra[name]
                        if plain_best.setdefault((form, b), best) == best and n:
                            name += " x:idle"
                            s0 += extra["x:idle"]
                        for a in range(len(columns)):
                            if a in used or (a == b and columns[a].kind in ("number",)):
                                continue
                            good = verdict(1 << best, a)
                            if a == b:
                                add(
                                    Candidate(
                                        s0 + sel[a] + extra["x:selisord"], form, n, a, b, good, name + " x:selisord"
                                    )
                                )
                            else:
                                add(Candidate(s0 + sel[a], form, n, a, b, good, name))
                        for size_, _span in (
                            search.limits
                            if f"{form}n" in form_score and not rows.span & sum(s for _, s in search.limits)
                            else ()
                        ):
                            chosen = sorted(ranked, key=lambda r: sign * (keys[r] or 0.0))[:size_]
                            bunch = sum(1 << r for r in chosen)
                            s1 = base + form_score[f"{form}n"] + ord_[b]
                            for a in range(len(columns)):
                                if a not in used and a != b:
                                    add(
                                        Candidate(s1 + sel[a], f"{form}n", n, a, b, verdict(bunch, a), f"limit {size_}")
                                    )
            for size_, _span in search.limits if not rows.span & sum(s for _, s in search.limits) else ():
                for form, chosen in (("firstn", places[:size_]), ("lastn", places[-size_:])):
                    bunch = sum(1 << r for r in chosen)
                    for a in range(len(columns)):
                        if a not in used:
                            add(
                                Candidate(
                                    base + form_score[form] + sel[a],
                                    form,
                                    n,
                                    a,
                                    -1,
                                    verdict(bunch, a),
                                    f"limit {size_}",
                                )
                            )
        if size > 2 and n < 12 and ("mostcount" in form_score or "having" in form_score):
            for a in groupable:
                if a in used:
                    continue
                groups: dict[tuple[str, ...], list[int]] = {}
                for r in places:
                    if columns[a].folded[r]:
                        groups.setdefault(columns[a].folded[r], []).append(r)
                if len(groups) < 2:
                    continue
                firsts = [members[0] for members in groups.values()]
                sizes = [len(members) for members in groups.values()]
                if max(sizes) > 1 and "mostcount" in form_score:
                    for form, pick in (("most", max(sizes)), ("least", min(sizes))):
                        at = sizes.index(pick)
                        tied = sizes.count(pick) > 1
                        name = f"x:{form}count:{'tie' if tied else 'one'}"
                        s0 = base + grp[a] + extra[name]
                        add(
                            Candidate(
                                s0 + form_score[f"{form}count"],
                                f"{form}count",
                                n,
                                a,
                                -1,
                                verdict(1 << firsts[at], a),
                                name,
                            )
                        )
                    for b in numeric:
                        if b == a or columns[b].kind == "year" or not words[b]:
                            continue
                        sums = [sum(columns[b].keys[r] or 0.0 for r in members) for members in groups.values()]
                        for form, total in (("mostsum", max(sums)), ("leastsum", min(sums))):
                            at = sums.index(total)
                            s0 = base + form_score[form] + grp[a] + ord_[b]
                            add(Candidate(s0, form, n, a, b, verdict(1 << firsts[at], a)))
                if "having" in form_score:
                    for k, (op, least, _) in enumerate(search.havings):
                        kept = [f for f, s in zip(firsts, sizes, strict=True) if _compare(s, op, least)]
                        if kept and (op != "=" or len(kept) < len(firsts)):
                            name = f"x:having:{op}:{'1' if least == 1 else '2'}"
                            bunch = sum(1 << r for r in kept)
                            add(
                                Candidate(
                                    base + form_score["having"] + grp[a] + extra[name],
                                    "having",
                                    n,
                                    a,
                                    k,
                                    verdict(bunch, a),
                                    name,
                                )
                            )
        for form in ("colsum", "coldiff", "colcmp"):
            if form not in form_score or (form != "colcmp" and (size != 1 or not rows.conditions)):
                continue
            said_columns = [i for i in numeric if words[i]]
            for i, a in enumerate(said_columns):
                for b in said_columns[i + 1 :]:
                    if words[a] == words[b] or a in used or b in used:
                        continue
                    pairs = [
                        (x, y)
                        for r in places
                        if (x := columns[a].keys[r]) is not None and (y := columns[b].keys[r]) is not None
                    ]
                    if not pairs:
                        continue
                    s0 = base + form_score[form] + agg[a] + agg[b]
                    if form == "colsum":
                        add(Candidate(s0, form, n, a, b, same(sum(pairs[0]))))
                    elif form == "coldiff":
                        add(Candidate(s0, form, n, a, b, same(pairs[0][0] - pairs[0][1])))
                        add(Candidate(s0, form, n, b, a, same(pairs[0][1] - pairs[0][0])))
                    else:
                        add(Candidate(s0, form, n, a, b, same(sum(x > y for x, y in pairs))))
                        add(Candidate(s0, form, n, b, a, same(sum(x < y for x, y in pairs))))
    if "diffcell" in form_score:
        singles = [n for n, s in enumerate(search.sets) if len(s.conditions) in (1, 2) and s.mask]
        for n in singles:
            for m in singles:
                one, two = search.sets[n], search.sets[m]
                if one.span & two.span or n == m or len(one.conditions) != len(two.conditions) or one.mask & two.mask:
                    continue
                if any(
                    x.column != y.column or x.how in ("in", "ne", "nextrow", "prevrow")
                    for x, y in zip(one.conditions, two.conditions, strict=True)
                ):
                    continue
                s0 = (set_score[n] + set_score[m]) * 0.5 + 1.2 * len(one.conditions)
                size = one.mask.bit_count() - two.mask.bit_count()
                if size > 0 and one.mask.bit_count() + two.mask.bit_count() > 2:
                    add(Candidate(s0 + form_score["diffcount"], "diffcount", n, m, -1, same(size)))
                for a in numeric:
                    ours = [k for r in bits(one.mask) if (k := columns[a].keys[r]) is not None]
                    theirs = [k for r in bits(two.mask) if (k := columns[a].keys[r]) is not None]
                    if ours and theirs and one.conditions[0].column != a:
                        gap = max(ours) - max(theirs) if columns[a].kind == "year" else sum(ours) - sum(theirs)
                        if gap > 0:
                            add(Candidate(s0 + form_score["diffcell"] + agg[a], "diffcell", n, m, a, same(gap)))
    return out


EXTRAS = [f"x:cell:{p}" for p in "129"] + ["x:count:zero", "x:selisord", "x:idle"]
EXTRAS += [f"x:{f}:{c}" for f in ("count", "distinct", "agg", "end") for c in "01"]
EXTRAS += [f"x:{f}:{k}:{t}" for f in ("top", "bottom") for k in ("number", "year", "date") for t in ("tie", "one")]
EXTRAS += [f"x:{f}count:{t}" for f in ("most", "least") for t in ("tie", "one")]
EXTRAS += [f"x:having:{op}:{v}" for op in ("=", ">", ">=", "<", "<=") for v in "12"]


def parts_of(search: Search, c: Candidate) -> list[tuple[str, int]]:
    """The scored parts a query is made of."""
    found: list[tuple[str, int]] = [("form", FORMS.index(c.form)), ("set", c.rows)]
    if c.form in ("cell", "top", "bottom", "topn", "bottomn", "first", "last", "firstn", "lastn"):
        found.append(("sel", c.a))
        if c.b >= 0:
            found.append(("ord", c.b))
    elif c.form in ("sum", "avg", "max", "min", "range"):
        found.append(("agg", c.a))
    elif c.form in ("distinct", "mostcount", "leastcount", "having"):
        found.append(("grp", c.a))
    elif c.form in ("mostsum", "leastsum"):
        found += [("grp", c.a), ("ord", c.b)]
    elif c.form in ("colsum", "coldiff", "colcmp"):
        found += [("agg", c.a), ("agg", c.b)]
    elif c.form == "diffcell":
        found.append(("agg", c.b))
    for name in c.extra.split():
        if name in EXTRA_AT:
            found.append(("x", EXTRA_AT[name]))
    return found


EXTRA_AT = {name: n for n, name in enumerate(EXTRAS)}


def write(search: Search, c: Candidate) -> str:
    """The query as text."""
    columns, rows = search.question.table.columns, search.sets[c.rows]
    where = rows.where()
    limit = c.extra.removeprefix("limit ") if c.extra.startswith("limit ") else "1"
    name = [column.expression for column in columns]
    several = (
        rows.mask.bit_count() > len({columns[c.a].folded[r] for r in bits(rows.mask)}) if c.form == "cell" else False
    )
    match c.form:
        case "cell":
            return f"SELECT {'DISTINCT ' * several}{name[c.a]} FROM t{where}"
        case "count":
            return f"SELECT count(*) FROM t{where}"
        case "distinct":
            return f"SELECT count(DISTINCT {name[c.a]}) FROM t{where}"
        case "sum" | "avg" | "max" | "min":
            return f"SELECT {c.form}({name[c.a]}) FROM t{where}"
        case "range":
            return f"SELECT max({name[c.a]}) - min({name[c.a]}) FROM t{where}"
        case "top" | "bottom" | "topn" | "bottomn":
            return f"SELECT {name[c.a]} FROM t{where} ORDER BY {name[c.b]}{' DESC' * c.form.startswith('top')} LIMIT {limit}"
        case "first" | "last" | "firstn" | "lastn":
            return (
                f"SELECT {name[c.a]} FROM t{where} ORDER BY rownum{' DESC' * c.form.startswith('last')} LIMIT {limit}"
            )
        case "mostcount" | "leastcount":
            return f"SELECT {name[c.a]} FROM t{where} GROUP BY {name[c.a]} ORDER BY count(*){' DESC' * (c.form == 'mostcount')} LIMIT 1"
        case "mostsum" | "leastsum":
            order = f"sum({name[c.b]}){' DESC' * (c.form == 'mostsum')}"
            return f"SELECT {name[c.a]} FROM t{where} GROUP BY {name[c.a]} ORDER BY {order} LIMIT 1"
        case "having":
            op, _, shown = search.havings[c.b]
            return f"SELECT {name[c.a]} FROM t{where} GROUP BY {name[c.a]} HAVING count(*) {op} {shown}"
        case "colsum" | "coldiff":
            return f"SELECT {name[c.a]} {'+' if c.form == 'colsum' else '-'} {name[c.b]} FROM t{where}"
        case "colcmp":
            return f"SELECT count(*) FROM t{where}{' AND' if where else ' WHERE'} {name[c.a]} > {name[c.b]}"
        case "diffcount" | "diffcell":
            figure_ = (
                "count(*)"
                if c.form == "diffcount"
                else f"{'max' if columns[c.b].kind == 'year' else 'sum'}({name[c.b]})"
            )
            other = search.sets[c.a].where()
            return f"SELECT {figure_} FILTER ({where.strip()}) - {figure_} FILTER ({other.strip()}) FROM t"
    raise AssertionError(c.form)


# -- learning ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lesson:
    """A question's queries as parts: some that give the answer, and the likeliest of those that do not."""

    fold: int
    parts: list[list[tuple[int, float]]]
    good: list[tuple[int, ...]]
    bad: list[tuple[int, ...]]


def lesson(search: Search, found: list[Candidate], number: dict[str, int], rng: random.Random) -> Lesson | None:
    """The part of a search that learning needs, or nothing where no query gives the answer."""
    good = heapq.nlargest(50, (c for c in found if c.good == 2), key=lambda c: c.score)
    good = good or heapq.nlargest(20, (c for c in found if c.good), key=lambda c: c.score)
    if not good:
        return None
    wrong = [c for c in found if not c.good]
    hard = heapq.nlargest(HARD, wrong, key=lambda c: c.score)
    bad = hard + (rng.sample(wrong, EASY) if len(wrong) > EASY else wrong)
    parts: list[list[tuple[int, float]]] = []
    seen: dict[tuple[str, int], int] = {}

    def place(part: tuple[str, int]) -> int:
        if part not in seen:
            role, at = part
            features = (
                search.forms[FORMS[at]]
                if role == "form"
                else search.sets[at].features
                if role == "set"
                else {EXTRAS[at]: 1.0}
                if role == "x"
                else search.roles[role][at]
            )
            parts.append([(number.setdefault(f, len(number)), v) for f, v in features.items()])
            seen[part] = len(parts) - 1
        return seen[part]

    def key(c: Candidate) -> tuple[int, ...]:
        return tuple(place(p) for p in parts_of(search, c))

    return Lesson(search.question.fold, parts, [key(c) for c in good], [key(c) for c in bad])


def learn(
    lessons: list[Lesson], number: dict[str, int], rounds: int, start: dict[str, float], rng: random.Random
) -> dict[str, float]:
    """Weights under which the queries that give the answers are likely among all (AdaGrad, drawn towards the start)."""
    origin = [0.0] * len(number)
    for name, at in number.items():
        origin[at] = start.get(name, 0.0)
    weights, squares = origin[:], [0.3] * len(number)
    order = list(range(len(lessons)))
    exp = math.exp
    for _ in range(rounds):
        rng.shuffle(order)
        for at in order:
            item = lessons[at]
            scores = [sum(weights[f] * v for f, v in part) for part in item.parts]
            good = [sum(scores[p] for p in c) for c in item.good]
            bad = [sum(scores[p] for p in c) for c in item.bad]
            top = max(max(good), max(bad, default=-1e9))
            good = [exp(s - top) for s in good]
            bad = [exp(s - top) for s in bad]
            right = sum(good) or 1e-300
            every = right + sum(bad)
            push = [0.0] * len(item.parts)
            for c, e in zip(item.good, good, strict=True):
                share = e / right - e / every
                for p in c:
                    push[p] += share
            for c, e in zip(item.bad, bad, strict=True):
                share = e / every
                if share > 1e-4:
                    for p in c:
                        push[p] -= share
            for part, force in zip(item.parts, push, strict=True):
                if -1e-3 < force < 1e-3:
                    continue
                for f, v in part:
                    g = force * v - 0.004 * (weights[f] - origin[f])
                    squares[f] += g * g
                    weights[f] += 0.15 * g / math.sqrt(squares[f])
    return {name: weights[at] for name, at in number.items() if weights[at]}


# -- choosing ---------------------------------------------------------------------------------------------------------


def choose(search: Search, found: list[Candidate]) -> dict[str, object] | None:
    """The query the model prefers among those that give the answer, with how surely; nothing where none does."""
    right = [c for c in found if c.good]
    if not right:
        return None
    for c in right:
        if c.good == 1:
            c.score -= 1.5
    best = max(right, key=lambda c: c.score)
    top = max(c.score for c in found)
    every = sum(math.exp(c.score - top) for c in found)
    mine = (best.form, best.a, best.b)
    mask = search.sets[best.rows].mask
    close = [c for c in right if (c.form, c.a, c.b) == mine and search.sets[c.rows].mask == mask]
    kin = sum(math.exp(c.score - top) for c in close)
    rivals = sum(math.exp(c.score - top) for c in right)
    return {
        "id": search.question.id,
        "question": search.question.text,
        "table": search.question.table.id,
        "sql": write(search, best),
        "candidates": len(right),
        "score": round(kin / rivals, 3),
        "likely": round(kin / every, 4),
        "behind": round(top - best.score, 2),
        "unused": unused_figure(search, best),
        "named": named(search, best),
        "all": "r:c:all" in search.sets[best.rows].features,
        "form": best.form,
        "uncovered": search.sets[best.rows].features.get("r:uncovered", 0.0),
        "exact": best.good == 2,
        "over": write(search, max(found, key=lambda c: c.score)),
        "answer": search.question.answer,
    }


def named(search: Search, c: Candidate) -> bool:
    """Whether the question says a word of the column that the figure is taken of."""
    role = {
        "distinct": "grp",
        "sum": "agg",
        "avg": "agg",
        "max": "agg",
        "min": "agg",
        "range": "agg",
        "having": "grp",
        "diffcell": "agg",
    }.get(c.form)
    at = c.b if c.form == "diffcell" else c.a
    return role is None or f"{role}:hit" in search.roles[role][at]


def unused_figure(search: Search, c: Candidate) -> bool:
    """Whether the question says a figure, years aside, that the query has no place for."""
    if c.form in ("having", "topn", "bottomn", "firstn", "lastn"):
        return False
    span = search.sets[c.rows].span | (search.sets[c.a].span if c.form.startswith("diff") else 0)
    said_figures = numbers_said(search.question)
    headers = {w for column in search.question.table.columns for w in column.words}
    loose = [
        n
        for n in said_figures
        if not span & _span(n[0], n[1]) and n[2] < 1500 and search.question.tokens[n[0]].word not in headers
    ]
    return any(search.question.tokens[n[0]].word not in ("one", "two") for n in loose)


# What no query here can say, or only one with a negation.
UNSAID = re.compile(
    r"\b(?:consecutive|consecutively|in a row|streak|other than|besides|except|excluding|non|same \w+(?: \w+)? as"
    r"|the same|do not|did not|does not)\b"
)
ENDS = {
    "first": r"\b(?:first|top|earliest|initial\w*|beg[ai]n\w*|start\w*|1st|oldest|best|winner|won|original\w*|opening|debut|leading)\b",
    "last": r"\b(?:last|bottom|final|latest|recent|recently|newest|end\w*|worst|lowest|finally)\b",
}


def sure(line: dict[str, object]) -> bool:
    """Whether the query is clearly better than its rivals."""
    score, likely, behind = (float(str(line[k])) for k in ("score", "likely", "behind"))
    asked, sql, form = str(line["question"]).lower(), str(line["sql"]), str(line["form"])
    if UNSAID.search(asked) and not ("!=" in sql or "NOT " in sql):
        return False
    if form in ENDS and not re.search(ENDS[form], asked):
        return False
    if line["all"] or line["unused"] or float(str(line["uncovered"])) > 1:
        return False
    # A small count agrees with many queries by chance, so it must also be what the model would have guessed.
    chancy = line["form"] in (
        "count",
        "distinct",
        "sum",
        "avg",
        "max",
        "min",
        "range",
        "having",
        "top",
        "bottom",
        "diffcount",
        "colsum",
        "coldiff",
        "colcmp",
    )
    if chancy and not line["named"] and likely < 0.3:
        return False
    return score >= 0.45 and likely >= (0.15 if chancy else 0.1) and behind <= (0.8 if chancy else 1.5)


def questions(folder: Path, limit: int) -> Iterator[Question]:
    """The questions to train on, those of a table together; yes or no is left out."""
    with gzip.open(folder / "wtq-tables.jsonl.gz", "rt") as lines:
        raw_tables = {raw["id"]: raw for raw in map(json.loads, lines)}
    with gzip.open(folder / "wtq-questions.jsonl.gz", "rt") as lines:
        wanted = [raw for raw in map(json.loads, lines) if raw["part"] == "train"]
    wanted = wanted[:: max(1, len(wanted) // limit)] if limit else wanted
    wanted.sort(key=lambda raw: str(raw["table"]))
    table: Table | None = None
    for raw in wanted:
        if [a.lower() for a in raw["answer"]] in (["yes"], ["no"]):
            continue
        if table is None or table.id != raw["table"]:
            table = read_table(raw_tables[raw["table"]])
        yield read(raw, table)


def vocabulary(asked: Iterable[Question], least: int) -> set[str]:
    """Words and pairs of words that several questions use."""
    counts: Counter[str] = Counter()
    for q in asked:
        words = [t.word for t in q.tokens]
        cues = {w for w in words if w.isalpha() and len(w) < 12} | {f"{a}_{b}" for a, b in itertools.pairwise(words)}
        counts.update(cues | {"begins_" + "_".join(words[:2])})
    return {w for w, n in counts.items() if n >= least}


def main() -> None:
    """Search, learn, and write what is sure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of questions and tables")
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="only about so many questions")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--all", type=Path, help="write the best of every question here too")
    options = parser.parse_args()
    rng, began = random.Random(5), time.monotonic()
    weights = [PRIOR] * FOLDS
    asked = list(questions(options.data, options.limit))
    VOCABULARY.update(vocabulary(asked, 12))
    for rounds in (options.rounds // 2, options.rounds):
        number: dict[str, int] = {}
        lessons: list[Lesson] = []
        sizes = Counter[str]()
        for q in asked:
            search = prepare(q)
            found = candidates(search, weights[q.fold])
            sizes["candidates"] += len(found)
            sizes["hit"] += any(c.good for c in found)
            sizes["first"] += bool(found) and max(found, key=lambda c: c.score).good > 0
            if taught := lesson(search, found, number, rng):
                lessons.append(taught)
        print(
            f"{len(asked)} questions, {dict(sizes)}, {len(number)} features, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        weights = [learn([x for x in lessons if x.fold != fold], number, rounds, PRIOR, rng) for fold in range(FOLDS)]
        print(f"learned, {time.monotonic() - began:.0f} s", flush=True)
        del lessons
    lines = []
    for q in asked:
        search = prepare(q)
        if line := choose(search, candidates(search, weights[q.fold])):
            lines.append(line)
    kept = [line for line in lines if sure(line)]
    first = sum(float(str(line["behind"])) <= 0 for line in lines)
    print(
        f"{len(lines)} with a query, {first} of them preferred to all, {len(kept)} sure, {time.monotonic() - began:.0f} s"
    )
    print(Counter(str(line["form"]) for line in kept).most_common())
    shown = ("id", "question", "table", "sql", "candidates", "score")
    part = options.out.with_suffix(".part")
    part.write_text("".join(json.dumps({k: line[k] for k in shown}, ensure_ascii=False) + "\n" for line in kept))
    part.replace(options.out)
    if options.all:
        options.all.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


if __name__ == "__main__":
    main()
