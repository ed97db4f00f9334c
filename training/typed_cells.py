"""A table of printed cells, read as numbers, dates and folded words."""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from synth.sources.records import unique_names

Kind = Literal["text", "number", "year", "date"]
Day = tuple[int, int, int]  # year, month, day; 0 where not said
Words = tuple[str, ...]

MONTHS = ("january february march april may june july august september october november december").split()
MONTH_OF = {name: n for n, name in enumerate(MONTHS, 1)} | {name[:3]: n for n, name in enumerate(MONTHS, 1)}
MONTH_OF["sept"] = 9
NOTHING = frozenset({"", "-", "--", "–", "—", "−", "n/a", "na", "?", "none", "tbd", "tba"})

_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|[^\W_]+")
_FOOTNOTE = re.compile(r"\[[^\]]{0,12}\]|[†‡*§^]")
_CLOCK = re.compile(r"^[+~≈]?\s*(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)\b")
_NUMBER = re.compile(
    r"^(?:[=~≈<>#$£€¥₤]|us\$|a\$|c\$|rs\.?|no\.|ca?\.|t(?=\d)|\s)*([+\-−–]?)"
    r"[$£€¥]?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(.*)$",
    re.DOTALL,
)
_NOT_A_NUMBER = re.compile(r"^\s*(?:[-–−/:]\s*\d|[a-z]?\d|,\s*\d+\s*,)")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+(\d{{4}}))?")
_MONTH_DAY = re.compile(rf"\b{_MONTH}(?:\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d))?(?:(?:,\s*|\s+)(\d{{4}}))?")
_ISO = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_SLASHED = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b")
_SEASON = re.compile(r"^\W*(1[5-9]\d\d|20\d\d)\s*(?:[-–−/]\s*(?:\d{4}|\d\d|present))?\s*$")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Singular, more or less: 'games' is 'game', 'countries' is 'country'."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@dataclass(frozen=True, slots=True)
class Token:
    """A word as said: where it stands, its folded form and its stem."""

    start: int
    end: int
    word: str
    stem: str


def tokens_of(text: str) -> list[Token]:
    """The words and numbers of a text, folded; thousands lose their commas."""
    found = []
    for match in _TOKEN.finditer(text):
        word = unicodedata.normalize("NFKD", match.group().lower())
        word = "".join(c for c in word if not unicodedata.combining(c))
        if word[0].isdigit():
            word = word.replace(",", "")
        found.append(Token(match.start(), match.end(), word, stem(word)))
    return found


@lru_cache(maxsize=200_000)
def words_of(text: str) -> Words:
    """The stems of a text."""
    return tuple(t.stem for t in tokens_of(html.unescape(text)))


def plain(text: str) -> str:
    """One line, without footnote marks."""
    return " ".join(_FOOTNOTE.sub("", html.unescape(text)).split())


def number_of(text: str) -> float | None:
    """The figure a cell leads with, less currency and unit; clock times in seconds; None for scores and dates."""
    text = plain(text).lower().strip("\"' ")
    if clock := _CLOCK.match(text):
        hours, minutes, seconds = clock.groups()
        return float(hours or 0) * 3600 + float(minutes) * 60 + float(seconds)
    match = _NUMBER.match(text)
    if not match:
        return None
    sign, digits, rest = match.groups()
    if _NOT_A_NUMBER.match(rest) or len(rest) > 40:
        return None
    value = float(digits.replace(",", ""))
    if rest.startswith((" million", "m ")) and "$" in text:
        value *= 1e6
    return -value if sign in ("-", "−", "–") else value


def date_of(text: str) -> Day | None:
    """The first date in a short cell, as far as it is said."""
    text = plain(text).lower()
    if len(text) > 60:
        return None
    if match := _SEASON.match(text):
        return int(match[1]), 0, 0
    if match := _ISO.search(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _DAY_MONTH.search(text):
        return int(match[3] or 0), MONTH_OF[match[2]], int(match[1])
    if (match := _MONTH_DAY.search(text)) and (match[2] or match[3] or match.end() == len(text)):
        return int(match[3] or 0), MONTH_OF[match[1]], int(match[2] or 0)
    if match := _SLASHED.search(text):
        month, day = int(match[1]), int(match[2])
        if month > 12:
            month, day = day, month
        return int(match[3]), month, day
    return None


@dataclass(slots=True)
class Column:
    """One column: how a query names it, what its header says, and its cells as text and as figures to order by."""

    expression: str
    words: Words
    kind: Kind
    texts: list[str]
    folded: list[Words]
    keys: list[float | None]
    days: list[Day | None]
    derived: bool = False
    season: bool = False

    @property
    def distinct(self) -> int:
        """The number of different filled cells."""
        return len({f for f in self.folded if f})


@dataclass(slots=True)
class Table:
    """The columns, and where each run of words stands."""

    id: str
    columns: list[Column]
    size: int
    rows: int  # bits of the rows that are not totals
    whole: dict[Words, dict[int, int]] = field(default_factory=dict)
    parts: dict[Words, dict[int, int]] = field(default_factory=dict)


def names_of(header: Sequence[str]) -> list[str]:
    """Headers on one line, filled and unique as the product makes them."""
    return unique_names(" ".join(title.split()) for title in header)


def _day_key(day: Day | None) -> float | None:
    return None if day is None else day[0] * 372.0 + day[1] * 31 + day[2]


def _column(name: str, texts: list[str]) -> Column:
    """A column of the kind that most of its filled cells have."""
    filled = [t for t in texts if plain(t).lower() not in NOTHING]
    numbers = [number_of(t) for t in texts]
    days = [date_of(t) for t in texts]
    many = max(1, len(filled))
    dated = sum(d is not None for d in days) / many
    longer = sum(d is not None and not re.fullmatch(r"\W*\d{4}\W*", plain(t)) for d, t in zip(days, texts, strict=True))
    figures = [n for n, t in zip(numbers, texts, strict=True) if n is not None and t in filled]
    kind: Kind = "text"
    keys: list[float | None] = [None] * len(texts)
    if dated >= 0.6 and longer >= 0.3 * many:
        kind, keys = "date", [_day_key(d) for d in days]
    elif len(figures) >= 0.5 * many and figures:
        years = sum(n.is_integer() and 1600 <= n <= 2100 for n in figures) >= 0.8 * len(figures)
        kind = "year" if years and sum("," in t for t in filled) < 0.2 * many else "number"
        keys = numbers
    season = kind == "date" and all(d is None or d[1] == 0 for d in days)
    quoted = '"' + name.replace('"', '""') + '"'
    clean = [" ".join(html.unescape(t).split()) for t in texts]
    folded = [() if c.lower() in NOTHING else words_of(plain(c)) or (c,) for c in clean]
    return Column(quoted, words_of(name), kind, clean, folded, keys, days, season=season)


def _derived(column: Column) -> list[Column]:
    """The year and the month of a column of dates."""
    if column.kind != "date" or column.season:
        return []
    found = []
    for call, place in (("year", 0), ("month_of_year", 1)):
        values = [d[place] if d else 0 for d in column.days]
        if sum(map(bool, values)) < 0.6 * len(values) or len(set(values)) < 2:
            continue
        texts = [(MONTHS[v - 1] if place and 1 <= v <= 12 else str(v)) if v else "" for v in values]
        words = tuple(w for w in column.words if w != "date")
        found.append(
            Column(
                f"{call}({column.expression})", (*words, "month" if place else "year"), "text" if place else "year",
                texts, [(t,) if t else () for t in texts], [float(v) or None for v in values], column.days, True,
            )
        )  # fmt: skip
    return found


def read_table(raw: dict[str, object]) -> Table:
    """The typed view of a table; rows of totals are left out of what a query sees."""
    header, rows = raw["header"], raw["rows"]
    assert isinstance(header, list)
    assert isinstance(rows, list)
    names = names_of(header)
    columns = [_column(name, [row[n] if n < len(row) else "" for row in rows]) for n, name in enumerate(names)]
    bits = 0
    for place in range(len(rows)):
        lead = [c.folded[place][:1] for c in columns[:3]]
        if ("total",) not in lead and ("totals",) not in lead:
            bits |= 1 << place
    columns += [extra for column in list(columns) for extra in _derived(column)]
    table = Table(str(raw["id"]), columns, len(rows), bits or (1 << len(rows)) - 1)
    for at, column in enumerate(columns):
        if column.derived:
            continue
        for place, words in enumerate(column.folded):
            bit = 1 << place
            if not words or not table.rows & bit:
                continue
            spot = table.whole.setdefault(words, {})
            spot[at] = spot.get(at, 0) | bit
            for start in range(min(len(words), 40)):
                for end in range(start + 1, min(start + 5, len(words)) + 1):
                    spot = table.parts.setdefault(words[start:end], {})
                    spot[at] = spot.get(at, 0) | bit
    return table
