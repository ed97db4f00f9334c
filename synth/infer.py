"""The type of a column that came as text: what its values are, how SQL reads them, and which of them disagree.

A column is judged as a whole: one value never decides the order of day and month, or what a comma stands for.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from synth.schema import Field
from synth.type_words import (
    COUNTRIES,
    CURRENCIES,
    DURATION_WORDS,
    ENGLISH,
    FALSE,
    FLAG_WORDS,
    MONEY_WORDS,
    MONTHS,
    SHARED_NULLS,
    SHORT,
    STRONG_NULLS,
    SYMBOLS,
    TEXT_WORDS,
    TIME_WORDS,
    TRUE,
    UNITS,
    VARIANTS,
    WEAK_NULLS,
    WEEKDAYS,
)

TOLERANCE: Final = 0.02
"""A column keeps its type when at most this share of its values break it."""

DATES_LOOKED_AT: Final = 250
"""Of dates in a national layout, so many distinct ones settle the order of day and month."""

ARROW_TO_DUCKDB: Final = {
    "string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE",
    "timestamp[us]": "TIMESTAMP", "timestamp[ns]": "TIMESTAMP_NS", "timestamp[us, tz=UTC]": "TIMESTAMPTZ", "time64[us]": "TIME",
}  # fmt: skip


@dataclass(frozen=True)
class ColumnType:
    """What a text column holds.

    `type` is an Arrow type. `reading` is None where a plain cast of the stored text gives the value (a CSV reader may then do
    it), else a DuckDB expression with `{c}` for the column. `pattern` is an RE2 expression that the trimmed text must match
    whole, empty where the reading is strict by itself. `null_words` are lower case; blank text is null as well, always.
    `offending` are up to five (position from 1, raw value) of the values looked at; `offended` counts them all.
    """

    name: str
    type: str = "string"
    reading: str | None = None
    pattern: str = ""
    null_words: tuple[str, ...] = ()
    meaning: str = ""
    unit: str = ""
    format: str = ""
    values: int = 0
    nulls: int = 0
    distinct: int = 0
    offending: tuple[tuple[int, str], ...] = ()
    offended: int = 0
    confidence: float = 1.0
    decimal: str = ""
    """The decimal separator, where the values settle it."""
    day_first: bool | None = None
    """Whether days come before months, where the values settle it."""

    @property
    def duckdb_type(self) -> str:
        """The DuckDB type that holds `type`."""
        return duckdb_type(self.type)

    @property
    def plain(self) -> bool:
        """Whether a bare cast reads every value."""
        return self.reading is None

    def sql(self, column: str) -> str:
        """The typed value of the text expression `column`: exact, or NULL for null words and for values that break the type."""
        if self.type == "string" and self.reading is None:
            return column
        value = self.loose(column)
        if self.pattern:
            return f"CASE WHEN regexp_full_match(trim({column}), {_text(self.pattern)}) THEN {value} END"
        return value

    def loose(self, column: str) -> str:
        """As `sql`, without the pattern: right for values that do not break the type, unspecified for the others."""
        # The trim also keeps DuckDB from pushing the cast into its CSV reader, where TRY_CAST fails the query (2.0.1).
        if self.reading is not None:
            return self.reading.replace("{c}", column)
        return column if self.type == "string" else f"TRY_CAST(trim({column}) AS {self.duckdb_type})"

    def present(self, column: str) -> str:
        """Whether the text is there: neither NULL nor blank nor a null word."""
        there = f"{column} IS NOT NULL AND trim({column}) <> ''"
        if self.null_words:
            there += f" AND lower(trim({column})) NOT IN ({', '.join(map(_text, self.null_words))})"
        return there

    def breaks(self, column: str) -> str:
        """Whether the text is there but is no value of this type. Never NULL."""
        if self.type == "string":
            return "false"
        wrong = f"{self.loose(column)} IS NULL"
        if self.pattern:
            wrong = f"({wrong} OR NOT regexp_full_match(trim({column}), {_text(self.pattern)}))"
        wrong = f"({self.present(column)} AND {wrong})"
        exact = self.type.startswith(("int", "decimal"))
        if self.reading is None and (exact or self.type in _CANONICAL):
            # Text that the value prints back to is certainly right; that comparison is cheaper than the pattern.
            value = self.loose(column)
            endless = "" if exact else f" OR NOT isfinite({value})"
            return f"(({value}::VARCHAR IS DISTINCT FROM {column}{endless}) AND {wrong})"
        return wrong

    def rule(self) -> str:
        """The rule that a breaking value broke, in words."""
        return f"{self.name} is not {_WORDS.get(self.type, self.type)}" + (f" ({self.format})" if self.format else "")

    def as_field(self, nullable: bool | None = None) -> Field:
        """The schema's field, typed at the door."""
        return Field(
            self.name,
            self.type,
            nullable=self.nulls > 0 if nullable is None else nullable,
            values=self.values,
            nulls=self.nulls,
            distinct=self.distinct,
            offending=self.offending,
            meaning=self.meaning,
            unit=self.unit,
            format=self.format,
        )


def infer_column(
    name: str, values: Sequence[str | None], *, decimal: str = "", day_first: bool | None = None
) -> ColumnType:
    """The narrowest type that holds all values but a tolerable few.

    `decimal` and `day_first` say what the neighbours of an ambiguous column use; its own values weigh more. A `decimal` of "?"
    says that neither mark can be taken for granted. Where nothing tells thousands from decimals the column stays text, unsure.
    """
    raw = Counter(values)
    counts: dict[str, int] = {}
    padded = 0
    for value, times in raw.items():
        text = "" if value is None else value.strip()
        if value is not None and text and text != value:
            padded += times
        counts[text] = counts.get(text, 0) + times
    blank = counts.pop("", 0)
    total = len(values)
    nulls = _null_words(counts)
    rest = {text: times for text, times in counts.items() if text not in nulls} if nulls else counts
    hint = _Hint(name, _name_words(name), decimal, day_first)
    found = _typed(hint, rest) if rest and _worth_a_search(hint, rest) else None
    if found is None:
        return _as_text(hint, values, counts, blank, padded)
    if found is _UNDECIDED:
        return replace(_as_text(hint, values, counts, blank, padded), confidence=found.sure)
    words = tuple(sorted({text.lower() for text in nulls}))
    dropped = sum(counts[text] for text in nulls)
    there = total - blank - dropped
    bad = found.bad
    offending = [(i, v) for i, v in enumerate(values, 1) if v is not None and v.strip() in bad] if bad else []
    reading = found.reading
    if reading is None and words:
        reading = f"TRY_CAST(trim({{c}}) AS {duckdb_type(found.type)})"
    return ColumnType(
        name,
        found.type,
        reading,
        found.pattern,
        words,
        found.meaning,
        found.unit,
        found.format,
        values=total,
        nulls=blank + dropped,
        distinct=len(rest),
        offending=tuple(offending[:5]),
        offended=len(offending),
        confidence=round(found.sure * (1 - len(offending) / max(there, 1)), 3),
        decimal=found.decimal,
        day_first=found.day_first,
    )


def infer_columns(
    names: Sequence[str],
    columns: Sequence[Sequence[str | None]],
    *,
    decimal: str = "",
    day_first: bool | None = None,
) -> list[ColumnType]:
    """The types of a whole table: columns whose values settle the decimal mark and the order of dates settle it for the others."""
    found = [infer_column(name, values, decimal=decimal) for name, values in zip(names, columns, strict=True)]
    found = _with_shared_nulls(found, columns)
    orders = {c.day_first for c in found if c.day_first is not None}
    mark = decimal_mark(found)
    if not mark and not any(c.decimal for c in found):
        # Who writes 31.01.2021 mostly writes 1,5 too.
        mark = "," if any(c.format.startswith("%d.%m.") for c in found) else decimal
    order = orders.pop() if len(orders) == 1 else (True if mark == "," and not orders else day_first)
    if mark == decimal and order is None:
        return found
    return [
        infer_column(c.name, values, decimal=mark, day_first=order) if c.confidence < 0.75 else c
        for c, values in zip(found, columns, strict=True)
    ]


def _with_shared_nulls(found: Sequence[ColumnType], columns: Sequence[Sequence[str | None]]) -> list[ColumnType]:
    """The types, where a mark such as NA that stands for nothing among the numbers and dates of a table does so in its text too.

    Not in a column of short codes, where NA is Namibia or North America; nor for words, which may be a value of their own.
    """
    shared = {word for c in found if c.type != "string" for word in c.null_words} & SHARED_NULLS
    if not shared:
        return list(found)
    return [
        _as_text_without(one, values, shared) if one.type == "string" else one
        for one, values in zip(found, columns, strict=True)
    ]


def _as_text_without(one: ColumnType, values: Sequence[str | None], words: set[str]) -> ColumnType:
    """The text column with these words for nothing, where it has some and is not one of codes."""
    counts = Counter("" if v is None else v.strip() for v in values)
    marks = {text for text in counts if text.lower() in words}
    others = [text for text in counts if text and text not in marks]
    if not marks or (others and all(len(text) <= 3 and text.isupper() for text in others)):
        return one
    blank = counts.pop("", 0)
    padded = sum(1 for v in values if v is not None and v.strip() and v != v.strip())
    return _as_text(_Hint(one.name, _name_words(one.name), "", None), values, counts, blank, padded, marks)


def decimal_mark(found: Iterable[ColumnType]) -> str:
    """The decimal mark that the columns of a table agree on, where their values settle it."""
    marks = {c.decimal for c in found if c.decimal}
    return marks.pop() if len(marks) == 1 else ""


def widened(one: ColumnType, offenders: Sequence[str], decimal: str = "") -> ColumnType | None:
    """A numeric or date type that also holds `offenders`; None where only text would. `decimal` is the neighbours' mark.

    Whole numbers of more than 12 digits that `one` held and the wider type does not are not lost: they break it, are found
    by the next look and widen it again.
    """
    extra = infer_column(one.name, offenders, decimal=one.decimal or decimal, day_first=one.day_first)
    if extra.offended or extra.unit != one.unit:
        return None
    if one.type == "date32[day]" and extra.type == "timestamp[us]" and one.reading is None and extra.reading is None:
        return replace(one, type="timestamp[us]", pattern=_ISO_DATE_OR_TIME, format="")
    pair = (_numeric_parts(one.type), _numeric_parts(extra.type))
    if None in pair or one.reading is not None or extra.reading is not None:
        return None
    (whole, scale), (more_whole, more_scale) = pair  # type: ignore[misc]  # None was ruled out above
    more_whole = max((len(text.strip().lstrip("+-").partition(".")[0]) for text in offenders), default=more_whole)
    if scale < 0 or more_scale < 0:
        return replace(one, type="double", pattern=_FLOAT, meaning=one.meaning)
    kind = decimal_type(max(whole, more_whole), max(scale, more_scale))
    return replace(one, type=kind, pattern=_decimal_pattern(max(scale, more_scale))) if kind else None


def as_text(one: ColumnType) -> ColumnType:
    """The same column left as text."""
    return ColumnType(one.name, values=one.values, nulls=one.nulls, distinct=one.distinct)


def duckdb_type(arrow: str) -> str:
    """DuckDB's name for an Arrow type that this module gives."""
    if arrow.startswith("decimal128"):
        return "DECIMAL" + arrow.removeprefix("decimal128").replace(" ", "")
    return ARROW_TO_DUCKDB[arrow]


def decimal_type(whole_digits: int, scale: int) -> str:
    """A decimal with room for a few more digits than were seen; empty when 38 digits do not hold it."""
    need = whole_digits + scale
    if need > 38:
        return ""
    return f"decimal128({18 if need <= 16 else 38}, {scale})"


# ---------------------------------------------------------------------------------------------------------------- types


@dataclass(frozen=True)
class _Hint:
    name: str
    words: frozenset[str]
    decimal: str
    day_first: bool | None


@dataclass(frozen=True)
class _Found:
    type: str
    reading: str | None = None
    pattern: str = ""
    bad: frozenset[str] = frozenset()
    meaning: str = ""
    unit: str = ""
    format: str = ""
    sure: float = 1.0
    decimal: str = ""
    day_first: bool | None = None


_UNDECIDED: Final = _Found("string", sure=0.5)
"""Numbers that are either thousands or fractions, with nothing to tell which."""

_WORDS: Final = {
    "int64": "a whole number", "double": "a number", "bool": "yes or no", "date32[day]": "a date", "timestamp[us]": "a date and time",
    "timestamp[ns]": "a date and time", "timestamp[us, tz=UTC]": "a date and time with its offset", "time64[us]": "a time of day",
}  # fmt: skip
_CANONICAL: Final = frozenset({"date32[day]", "timestamp[us]"})

_INT: Final = r"[+-]?(?:0|[1-9][0-9]*)"
_FLOAT: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|Inf|INF|infinity|Infinity)"
_ISO_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_CLOCK: Final = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_ISO_DATE_OR_TIME: Final = rf"{_ISO_DATE}(?:[T ]{_ISO_CLOCK})?"
_ZONE: Final = r" ?(?:Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"

_KINDS: Final = re.compile(
    r"(?P<int>[+-]?(?:0|[1-9]\d*))"
    r"|(?P<dec>[+-]?(?:(?:0|[1-9]\d*)\.\d*|\.\d+))"
    r"|(?P<zero>[+-]?0[0-9.,]+)"
    r"|(?P<date>[0-9]{4}-[01][0-9]-[0-3][0-9])"
    r"|(?P<stamp>[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?P<part>[.,][0-9]{1,9})?)?)"
    r"(?P<zone> ?(?:Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
    r"|(?P<clock>(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)"
    r"|(?P<sci>[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+|[+-]?(?i:inf|infinity))",
    re.ASCII,
)


def _worth_a_search(hint: _Hint, rest: Mapping[str, int]) -> bool:
    """Whether a few of many values have a type at all: most text columns are done with at this point."""
    return len(rest) < 150 or _typed(hint, _some(rest, 60), 0.1) is not None


def _some(rest: Mapping[str, int], count: int) -> Mapping[str, int]:
    """About `count` of the values, spread evenly."""
    if len(rest) <= count:
        return rest
    return dict(islice(rest.items(), None, None, -(-len(rest) // count)))


def _typed(hint: _Hint, rest: Mapping[str, int], tolerance: float = TOLERANCE) -> _Found | None:
    """The type of values that are neither blank nor null words, or None for text."""
    total = sum(rest.values())
    allowed = total * tolerance
    words = _boolean(hint, rest)
    if words is not None:
        return words
    # A look at a few values saves most text columns the whole search.
    if not any(_could_be_typed(text) for text in islice(rest, 12)) and total - _digits_of(rest) > allowed:
        return None
    groups: dict[str | None, list[str]] = {}
    zoned = parts = 0
    match = _KINDS.fullmatch
    for text in rest:
        found = match(text)
        if found is None:
            groups.setdefault(None, []).append(text)
            continue
        kind = "stamp" if found["stamp"] else found.lastgroup
        groups.setdefault(kind, []).append(text)
        if kind == "stamp":
            zoned += found["zone"] is not None
            parts = max(parts, len(found["part"] or ""))

    def times(*kinds: str) -> int:
        return sum(rest[text] for kind in kinds for text in groups.get(kind, ()))

    def others(*kinds: str) -> frozenset[str]:
        return frozenset(text for kind, texts in groups.items() if kind not in kinds for text in texts)

    def holds(*kinds: str) -> bool:
        return total - times(*kinds) <= allowed

    if "zero" in groups and any(text.isdecimal() for text in groups["zero"]) and holds("zero", "int"):
        return None  # 007 is a label
    if holds("int"):
        return _integers(hint, groups["int"], rest, others("int"))
    if holds("int", "dec"):
        return _grouped_by_dots(hint, groups, rest) or _decimals(hint, groups, others("int", "dec"))
    if holds("int", "dec", "sci") and "sci" in groups:
        return _Found("double", None, _FLOAT, others("int", "dec", "sci"), sure=0.95)
    if holds("date"):
        return _Found("date32[day]", None, _ISO_DATE, others("date"), format="%Y-%m-%d")
    if holds("stamp", "date"):
        return _stamps(groups, zoned, parts, others("stamp", "date"))
    if holds("clock"):
        if hint.words & DURATION_WORDS:
            return None
        return _Found("time64[us]", None, _ISO_CLOCK, others("clock"))
    return _numbers(hint, rest, allowed) or _dates(hint, _some(rest, DATES_LOOKED_AT), tolerance)


def _could_be_typed(text: str) -> bool:
    return len(text) <= 64 and any("0" <= letter <= "9" for letter in text)


def _digits_of(rest: Mapping[str, int]) -> int:
    return sum(times for text, times in rest.items() if _could_be_typed(text))


def _boolean(hint: _Hint, rest: Mapping[str, int]) -> _Found | None:
    if len(rest) > 8:
        return None
    seen = {text.lower() for text in rest}
    if not seen <= TRUE | FALSE | {"1", "0"}:
        return None
    words = seen - {"1", "0"}
    if not words:
        return _flag(hint, seen)
    both = words & TRUE and words & FALSE
    if not both and (
        words & SHORT
        or not words & {"true", "false", "yes", "no", "ja", "nein", "oui", "non", "wahr", "falsch", "vrai", "faux"}
    ):
        return None
    pattern = "(?i)(?:" + "|".join(sorted(re.escape(w) for w in _partners(seen))) + ")"
    if seen <= {"true", "false"}:
        return _Found("bool", None, pattern, meaning="flag")
    yes = ", ".join(_text(word) for word in sorted(_partners(seen) & (TRUE | {"1"})))
    no = ", ".join(_text(word) for word in sorted(_partners(seen) & (FALSE | {"0"})))
    reading = f"CASE WHEN lower(trim({{c}})) IN ({yes}) THEN true WHEN lower(trim({{c}})) IN ({no}) THEN false END"
    return _Found(
        "bool", reading, "", meaning="flag", format="/".join(sorted(rest, key=lambda t: t.lower() not in TRUE)[:4])
    )


def _flag(hint: _Hint, seen: set[str]) -> _Found | None:
    if seen <= {"0", "1"} and hint.words & FLAG_WORDS:
        return _Found(
            "bool",
            "CASE trim({c}) WHEN '1' THEN true WHEN '0' THEN false END",
            "",
            meaning="flag",
            format="1/0",
            sure=0.8,
        )
    return None


def _partners(seen: set[str]) -> set[str]:
    """The words seen, and the opposite of one that was seen alone."""
    pairs = [
        ("true", "false"),
        ("yes", "no"),
        ("ja", "nein"),
        ("oui", "non"),
        ("wahr", "falsch"),
        ("vrai", "faux"),
        ("y", "n"),
        ("t", "f"),
    ]
    return seen | {word for pair in pairs if seen & set(pair) for word in pair}


def _integers(hint: _Hint, texts: Sequence[str], rest: Mapping[str, int], bad: frozenset[str]) -> _Found | None:
    longest = max(map(len, texts))
    shortest = min(map(len, texts))
    if hint.words & TEXT_WORDS or (
        "account" in hint.words and hint.words & {"number", "no", "nr", "num"} and shortest >= 6
    ):
        return None
    if not bad:
        moments = _epochs(hint, texts, shortest, longest) or _compact(hint, texts, shortest, longest)
        if moments:
            return moments
    if longest >= 19:
        digits = [text.lstrip("+-") for text in texts]
        if any(len(d) >= 19 and not -(2**63) <= int(t) < 2**63 for d, t in zip(digits, texts, strict=True)):
            if max(map(len, digits)) > 38 or min(map(len, digits)) == max(map(len, digits)) or _is_identifier(hint):
                return None
            return _Found("decimal128(38, 0)", None, _INT, bad, sure=0.9)
    return _Found("int64", None, _INT, bad, meaning=_number_meaning(hint, texts))


def _is_identifier(hint: _Hint) -> bool:
    return bool(
        hint.words
        & {
            "id",
            "ids",
            "key",
            "uuid",
            "code",
            "number",
            "no",
            "nr",
            "account",
            "card",
            "konto",
            "num",
            "serial",
            "reference",
            "ref",
        }
    )


def _number_meaning(hint: _Hint, texts: Sequence[str]) -> str:
    if hint.words & {"id", "key", "pk"} and "-" not in texts[0]:
        return "identifier"
    if hint.words & {"lat", "latitude"} and all(abs(float(t)) <= 90 for t in texts[:50]):
        return "latitude"
    if hint.words & {"lon", "lng", "long", "longitude"} and all(abs(float(t)) <= 180 for t in texts[:50]):
        return "longitude"
    if hint.words & {"year", "jahr", "année", "anno"} and all(len(t) == 4 for t in texts[:50]):
        return "year"
    return ""


def _epochs(hint: _Hint, texts: Sequence[str], shortest: int, longest: int) -> _Found | None:
    units = {10: ("s", "* 1000000"), 13: ("ms", "* 1000"), 16: ("us", ""), 19: ("ns", "// 1000")}
    if longest not in units or shortest not in (longest, longest - 1) or not hint.words & TIME_WORDS:
        return None
    scale = 10 ** (longest - 10)
    if not all(400_000_000 * scale <= int(text) <= 4_200_000_000 * scale for text in texts):
        return None
    label, factor = units[longest]
    reading = f"make_timestamptz(TRY_CAST(trim({{c}}) AS BIGINT) {factor})"
    return _Found("timestamp[us, tz=UTC]", reading, "[0-9]+", format=f"epoch {label}", sure=0.9)


def _compact(hint: _Hint, texts: Sequence[str], shortest: int, longest: int) -> _Found | None:
    """Digits only: 20210131 or 20210131235959. Without a name that says time, several values must agree on being dates."""
    if shortest != longest or longest not in (8, 12, 14):
        return None
    said = bool(hint.words & (TIME_WORDS | {"day", "tag", "dt", "dob", "birth", "birthday", "birthdate"}))
    if not said and (len(texts) < 5 or longest == 12 or hint.words & {"id", "number", "no", "nr", "code"}):
        return None
    shape = {8: r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"}
    shape[12] = shape[8] + r"(?:[01]\d|2[0-3])[0-5]\d"
    shape[14] = shape[12] + r"[0-5]\d"
    if not all(map(re.compile(shape[longest], re.ASCII).fullmatch, texts)):
        return None
    format_ = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}[longest]
    reading = f"try_strptime(trim({{c}}), {_text(format_)})"
    pattern = f"[0-9]{{{longest}}}"
    if longest == 8:
        return _Found("date32[day]", f"CAST({reading} AS DATE)", pattern, format=format_, sure=0.9)
    return _Found("timestamp[us]", reading, pattern, format=format_, sure=0.9)


def _decimals(hint: _Hint, groups: Mapping[str | None, Sequence[str]], bad: frozenset[str]) -> _Found | None:
    whole = scale = 0
    even = set()
    for text in groups.get("dec", ()):
        front, _, back = text.lstrip("+-").partition(".")
        whole, scale = max(whole, len(front)), max(scale, len(back))
        even.add(len(back))
    for text in groups.get("int", ()):
        whole = max(whole, len(text))
    if scale > 10 and whole + scale <= 24 and not hint.words & MONEY_WORDS:
        return _Found("double", None, _FLOAT, bad, meaning=_number_meaning(hint, groups["dec"]), decimal=".")
    kind = decimal_type(whole, scale)
    if not kind:
        return None
    ambiguous = even == {3} and len(groups.get("dec", ())) > 0
    return _Found(
        kind,
        None,
        _decimal_pattern(scale),
        bad,
        meaning=_number_meaning(hint, groups["dec"]),
        sure=0.7 if ambiguous else 1.0,
        decimal="" if ambiguous else ".",
    )


def _decimal_pattern(scale: int) -> str:
    return rf"[+-]?(?:[0-9]+(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)" if scale else r"[+-]?[0-9]+(?:\.0*)?"


def _grouped_by_dots(hint: _Hint, groups: Mapping[str | None, Sequence[str]], rest: Mapping[str, int]) -> _Found | None:
    """1.234 and 12.500 are thousands where the rest of the table writes decimals with a comma, or where 999 stands among them."""
    dotted, bare = groups.get("dec", ()), groups.get("int", ())
    if hint.decimal == "." or not all(re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", text) for text in dotted):
        return None
    if any(len(text.lstrip("+-")) > 3 for text in bare):
        return None
    if hint.decimal != "," and not _zeros_kept(dotted, bare):
        return _UNDECIDED if hint.decimal == "?" and dotted else None
    return _numbers(replace(hint, decimal=","), rest, 0.0)


def _zeros_kept(marked: Iterable[str], bare: Iterable[str]) -> bool:
    """Whether 12.500 stands beside 999: fractions either keep their last zeros all, and then 999.000, or none of them."""
    return any(text.endswith("0") for text in marked) and any(text.strip("+-0") for text in bare)


def _stamps(groups: Mapping[str | None, Sequence[str]], zoned: int, parts: int, bad: frozenset[str]) -> _Found | None:
    stamps = groups["stamp"]
    commas = any("," in text for text in stamps)
    if zoned and (zoned != len(stamps) or groups.get("date")):
        return None
    fraction = rf"(?:[.,][0-9]{{1,{9 if parts > 7 else 6}}})?"
    pattern = rf"{_ISO_DATE}(?:[T ][0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}}{fraction})?)?"
    text = "replace(trim({c}), ',', '.')" if commas else None
    if zoned:
        pattern = pattern.removesuffix("?") + _ZONE
        kind = "timestamp[us, tz=UTC]"
    else:
        kind = "timestamp[ns]" if parts > 7 else "timestamp[us]"
    return _Found(kind, f"TRY_CAST({text} AS {duckdb_type(kind)})" if text else None, pattern, bad)


def _numeric_parts(kind: str) -> tuple[int, int] | None:
    """Whole digits to expect, and scale; a scale of -1 stands for a double. Where more digits come, the next look finds them."""
    if kind == "int64":
        return 12, 0
    if kind == "double":
        return 0, -1
    found = re.fullmatch(r"decimal128\((\d+), (\d+)\)", kind)
    if not found:
        return None
    precision, scale = int(found[1]), int(found[2])
    return min(precision - scale, 12) if precision == 18 else precision - scale, scale


# -------------------------------------------------------------------------------------------------------- dirty numbers

_SPACES: Final = " \u00a0\u202f\u2009"
_NUMBER: Final = re.compile(
    rf"(?P<open>\()?(?P<s1>[+\-−–])?\s?(?P<pre>[^\d\s()+\-−–.,'’]{{1,5}}\.?)?\s?(?P<s2>[+\-−–])?\s?"
    rf"(?P<num>\d(?:[\d.,'’_{_SPACES}]*\d)?|[.,]\d+)(?P<dash>,-|\.-|,–)?\s?(?P<post>[^\d\s()+\-−–,'’][^\d()\s+\-−–,'’]{{0,6}})?(?P<s3>[-−–])?(?P<close>\))?"
)


def _numbers(hint: _Hint, rest: Mapping[str, int], allowed: float) -> _Found | None:
    """Numbers in the dress of a locale: separators, currency, percent, units, brackets for negatives, trailing minus."""
    bad: set[str] = set()
    broken = 0.0
    cores: dict[str, str] = {}
    looked = _some(rest, 200)
    allowed_here = allowed * sum(looked.values()) / sum(rest.values())
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    odd_signs = dashes = False
    signs: set[str] = set()
    for text, times in looked.items():
        found = _NUMBER.fullmatch(text)
        if (
            found is None
            or bool(found["open"]) != bool(found["close"])
            or sum(map(bool, found.group("s1", "s2", "s3", "open"))) > 1
        ):
            bad.add(text)
            broken += times
            if broken > allowed_here:
                return None
            continue
        cores[text] = found["num"]
        before[found["pre"] or ""] += times
        after[found["post"] or ""] += times
        odd_signs = odd_signs or bool(found["open"] or found["s3"])
        dashes = dashes or bool(found["dash"])
        signs |= {s for s in found.group("s1", "s2", "s3") if s}
    dress = _dress(before, after)
    if dress is None or not cores:
        return None
    unit, meaning = dress
    if hint.words & TEXT_WORDS and not unit:
        return None
    marks = _separators(hint, cores, rest, meaning, allowed_here - broken)
    if marks is None:
        return None
    group, mark, form, sure, misfits = marks
    if not sure and sum(rest[text] for text in misfits) > allowed_here - broken:
        return _UNDECIDED
    bad |= misfits
    whole = scale = 0
    for text, core in cores.items():
        if text in misfits:
            continue
        front, _, back = core.partition(mark) if mark else (core, "", "")
        whole = max(whole, sum(c.isdigit() for c in front))
        scale = max(scale, len(back))
    if len(looked) < len(rest):
        form_of_all = _number_pattern(before, after, form.replace("SCALE", "40"), odd_signs, dashes)
        matches = re.compile(form_of_all).fullmatch
        for text in rest:
            if text not in looked:
                if not matches(text):
                    bad.add(text)
                elif mark and mark in text:
                    scale = max(scale, sum(c.isdigit() for c in text.rpartition(mark)[2]))
                else:
                    whole = max(whole, sum(c.isdigit() for c in text))
        if sum(rest[text] for text in bad) > allowed:
            return None
    # A leading zero makes a label (007), not a number, unless it stands before the decimal mark.
    if not unit and any(re.match(r"0\d", core) for text, core in cores.items() if text not in misfits):
        return None
    if meaning == "money":
        scale = max(scale, 2)
    exact = meaning or unit or scale or whole > 18
    kind = decimal_type(whole, scale) if exact else "int64"
    if not kind:
        return None
    pattern = _number_pattern(before, after, form.replace("SCALE", str(max(scale, 1))), odd_signs, dashes)
    reading = _number_reading(before, after, group, mark, signs, odd_signs, dashes, kind)
    label = "".join(
        (min(before, key=len) and "", "1", group, "000" if group else "", mark, "0" * scale if mark else "")
    )
    return _Found(
        kind,
        reading,
        pattern,
        frozenset(bad),
        meaning,
        unit,
        label,
        sure,
        decimal=_settled_mark(group, mark, sure, cores),
    )


def _settled_mark(group: str, mark: str, sure: float, cores: Mapping[str, str]) -> str:
    """The decimal mark, where it was seen or a grouping mark rules the other one out."""
    if sure < 0.75 or (group not in (".", ",") and not any(mark and mark in core for core in cores.values())):
        return ""
    return mark


def _dress(before: Counter[str], after: Counter[str]) -> tuple[str, str] | None:
    """(unit, meaning) of what stands around the numbers; None when it is not one currency, percent or unit."""
    total = sum(before.values())
    fronts = {piece for piece in before if piece}
    backs = {piece for piece in after if piece}
    if not fronts and not backs:
        return "", ""
    units: set[str] = set()
    meaning = ""
    for piece in fronts | backs:
        code = SYMBOLS.get(piece) or (piece.upper() if piece.upper() in CURRENCIES else "")
        if piece == "%" or piece.lower() in ("percent", "prozent", "pct"):
            units.add("%")
            meaning = meaning or "percent"
        elif code:
            units.add(code)
            meaning = "money"
        elif piece in UNITS and piece in backs and piece not in fronts:
            units.add(piece)
        else:
            return None
    bare = min(before[""], after[""])
    if len(units) != 1 or (meaning == "percent" and bare > total * 0.1):
        return None
    return units.pop(), meaning


_FORMS: Final = (  # group mark, decimal mark
    ("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), (" ", "."), ("'", "."), ("'", ","), ("_", "."),
)  # fmt: skip


def _form(group: str, mark: str, indian: bool = False) -> str:
    """RE2 and Python expression of one way to write numbers; SCALE stands for the most decimals allowed."""
    group_class = {"": "", " ": f"[{_SPACES}]", "'": "['’]", ".": r"\.", ",": ",", "_": "_"}[group]
    tail = rf"(?:{re.escape(mark)}[0-9]{{1,SCALE}}0*)?"
    grouped = rf"[1-9][0-9]{{0,2}}(?:{group_class}[0-9]{{3}})+" if not indian else r"[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3}"
    body = rf"(?:{grouped}|[0-9]+)" if group else "[0-9]+"
    return rf"(?:{body}{tail}|{re.escape(mark)}[0-9]{{1,SCALE}}0*)"


def _separators(
    hint: _Hint, cores: Mapping[str, str], rest: Mapping[str, int], meaning: str, allowed: float
) -> tuple[str, str, str, float, set[str]] | None:
    """(group mark, decimal mark, expression, how sure, values that do not fit); not sure at all where it may be either."""
    used = {letter for core in cores.values() for letter in core if not letter.isdigit()}
    if not used:
        return "", "", _form("", "."), 1.0, set()
    options: list[tuple[float, int, str, str, str, set[str], bool]] = []
    for rank, (group, mark) in enumerate(_FORMS):
        names = {"’": "'", **dict.fromkeys(_SPACES, " ")}
        seen = {names.get(letter, letter) for letter in used}
        if not seen & {group, mark} or (group and group not in seen):
            continue
        for indian in (False, True) if group == "," else (False,):
            form = _form(group, mark, indian)
            expression = re.compile(form.replace("SCALE", "40"))
            misfits = {text for text, core in cores.items() if not expression.fullmatch(core)}
            cost = float(sum(rest[text] for text in misfits))
            doubtful = False
            if not group and all(
                re.fullmatch(rf"[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}", c) for c in cores.values() if mark in c
            ):
                doubtful = True
            options.append((cost, rank + 20 * indian, group, mark, form, misfits, doubtful))
    if not options:
        return None
    best = min(options, key=lambda o: o[:2])
    if best[0] > allowed:
        return None
    cost, _, group, mark, form, misfits, doubtful = best
    sure = 1.0
    if doubtful:
        rival = next((o for o in options if o[2] == mark and o[0] <= cost and o[1] < 20), None)
        sure = 0.7
        wants = _groups(hint, mark, [core for text, core in cores.items() if text not in misfits], meaning)
        if wants is None:
            marked = {text for text, core in cores.items() if mark in core}
            return "", ".", _form("", "."), 0.0, misfits | marked
        if rival and wants:
            cost, _, group, mark, form, misfits, doubtful = rival
    return (
        group,
        mark if any(mark in core for t, core in cores.items() if t not in misfits) else ("." if group != "." else ","),
        form,
        sure,
        misfits,
    )


def _groups(hint: _Hint, mark: str, cores: Sequence[str], meaning: str) -> bool | None:
    """Whether `mark` in 1,234 (in every value that has it) groups thousands rather than begins decimals; None where it may do either.

    The neighbours' decimal mark says it best. Money has no three decimals, and a share no thousands.
    """
    if hint.decimal in (",", "."):
        fits = hint.decimal == mark
        return None if fits and meaning == "money" else not fits
    bare = [core for core in cores if core.isdigit()]
    ungrouped = any(len(core) > 3 for core in bare)
    if meaning == "percent":
        return None
    if not ungrouped and _zeros_kept([core for core in cores if mark in core], bare):
        return True
    if hint.decimal == "?":
        return None if ungrouped or meaning or mark == "." else False
    if meaning == "money":
        return True
    if mark == ".":
        return False
    return None if ungrouped else True


def _number_pattern(before: Iterable[str], after: Iterable[str], form: str, odd_signs: bool, dashes: bool) -> str:
    fronts = "|".join(re.escape(piece) for piece in sorted(before, key=len, reverse=True) if piece)
    backs = "|".join(re.escape(piece) for piece in sorted(after, key=len, reverse=True) if piece)
    sign = r"[+\-−–]?"
    body = rf"{sign}\s*(?:{fronts})?\s*{sign}\s*{form}" if fronts else rf"{sign}\s*{form}"
    body += r"(?:[,.][-–])?" if dashes else ""
    body += rf"[\s{_SPACES}]*(?:{backs})?" if backs else ""
    if not odd_signs:
        return body
    return rf"\({body}\)|{body}\s*[-−–]?"


def _number_reading(
    before: Iterable[str],
    after: Iterable[str],
    group: str,
    mark: str,
    signs: set[str],
    odd_signs: bool,
    dashes: bool,
    kind: str,
) -> str:
    text = "trim({c})"
    if dashes:
        text = rf"regexp_replace({text}, '[,.][-–]', '')"
    # Longest first: R$ before $, or an R would be left behind.
    for piece in sorted({p for p in (*before, *after) if p}, key=len, reverse=True):
        text = f"replace({text}, {_text(piece)}, '')"
    if group == " " or any(before) or any(after) or odd_signs:
        text = rf"regexp_replace({text}, '[\s{_SPACES}]+', '', 'g')"
    if group == "'":
        text = f"replace(replace({text}, '''', ''), '’', '')"
    elif group and group != " ":
        text = f"replace({text}, {_text(group)}, '')"
    if mark == ",":
        text = f"replace({text}, ',', '.')"
    for sign in signs & {"−", "–"}:
        text = f"replace({text}, '{sign}', '-')"
    if odd_signs:
        bare = f"translate({text}, '()+-', '')"
        size = f"TRY_CAST({bare} AS {duckdb_type(kind)})"
        return f"CASE WHEN contains({text}, '-') OR contains({text}, '(') THEN -{size} ELSE {size} END"
    return f"TRY_CAST({text} AS {duckdb_type(kind)})"


# ---------------------------------------------------------------------------------------------------------------- dates

_CLOCK: Final = (
    r"(?P<gap>[T ]|, | at | - | um |:| às | à )(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})"
    r"(?:[:.](?P<second>\d{2})(?:(?P<point>[.,])(?P<part>\d{1,6}))?)?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?)?(?P<uhr> Uhr)?(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
)
_NUMERIC_DATE: Final = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<sep>[-/. ]|\. )(?P<b>\d{{1,2}})(?P=sep)(?P<c>\d{{4}}|\d{{1,2}})(?:{_CLOCK})?", re.ASCII
)
_CJK_DATE: Final = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日", re.ASCII)
_WEEK_DATE: Final = re.compile(r"\d{4}-W\d{2}-[1-7]", re.ASCII)
_THREE: Final = re.compile(r"\d+")
_LETTERS: Final = r"[^\W\d_]"
_NAMED_DATE: Final = re.compile(
    rf"(?:(?P<weekday>{_LETTERS}{{2,10}})\.?,? )?(?:"
    rf"(?P<d1>\d{{1,2}})(?P<th1>st|nd|rd|th)?\.?(?P<s1> de | of |[ \-/]|)(?P<m1>{_LETTERS}{{3,12}})\.?"
    r"(?P<s2>,? de |,? del |, |[ \-/]|)(?P<y1>'?\d{2}|\d{4})"
    rf"|(?P<m2>{_LETTERS}{{3,12}})\.?(?P<s3>[ \-])(?P<d2>\d{{1,2}})(?P<th2>st|nd|rd|th)?(?P<s4>, ?|[ \-])(?P<y2>\d{{4}})"
    rf"|(?P<y3>\d{{4}})(?P<s5>[ \-/])(?P<m3>{_LETTERS}{{3,12}})\.?(?P<s6>[ \-/])(?P<d3>\d{{1,2}})"
    rf")(?:{_CLOCK})?",
)  # fmt: skip
_HALF_CLOCK: Final = re.compile(r"(?:0?[1-9]|1[0-2]):[0-5]\d(?P<seconds>:[0-5]\d)? ?[AaPp]\.?[Mm]\.?")
_DIGITS: Final = str.maketrans("123456789", "000000000")


def _dates(hint: _Hint, rest: Mapping[str, int], tolerance: float) -> _Found | None:
    if hint.words & TEXT_WORDS:
        return None
    allowed = sum(rest.values()) * tolerance
    probe = next(iter(rest))
    if len(probe) > 45:
        return None
    for attempt in (_numeric_dates, _named_dates, _other_dates):
        found = attempt(hint, rest, allowed)
        if found is not None:
            return found
    return None


def _clock_format(found: re.Match[str]) -> str:
    """The strptime format of the time behind a date; empty where there is none."""
    if found["hour"] is None:
        return ""
    text = found[0]
    between = text[found.end("hour") : found.start("minute")]
    out = ("%I" if found["half"] else "%H") + between + "%M"
    if found["second"] is not None:
        out += text[found.end("minute") : found.start("second")] + "%S"
    if found["part"] is not None:
        out += found["point"] + "%f"
    if found["half"]:
        out += "%p"
    if found["zone"]:
        out += "%z"
    return found["gap"] + out


def _numeric_dates(hint: _Hint, rest: Mapping[str, int], allowed: float) -> _Found | None:
    bad: set[str] = set()
    broken = 0.0
    formats: dict[tuple[str, str, str], None] = {}
    shapes: dict[str, tuple[str, str, str] | None] = {}
    triples: list[tuple[int, int, int, str]] = []
    for text, times in rest.items():
        shape = text.translate(_DIGITS)
        if shape not in shapes:
            found = _NUMERIC_DATE.fullmatch(text)
            key = None
            if found is not None and not (len(found["a"]) == 3 or (len(found["a"]) == 4 and len(found["c"]) > 2)):
                years = ("y" if len(found["a"]) == 4 else "n") + ("y" if len(found["c"]) == 4 else "n")
                # Day, month and a single digit of year is an address or a version rather than a date.
                key = None if years == "nn" and len(found["c"]) == 1 else (years, found["sep"], _clock_format(found))
            shapes[shape] = key
        key = shapes[shape]
        if key is None:
            bad.add(text)
            broken += times
            if broken > allowed:
                return None
            continue
        formats[key] = None
        first, second, third = _THREE.findall(text)[:3]
        triples.append((int(first), int(second), int(third), text))
    widths = {key[0] for key in formats}
    if len(widths) != 1 or len(formats) > 4 or not triples:
        return None
    kind = widths.pop()
    sep = next(iter(formats))[1]
    if kind == "nn" and sep in (" ", ". "):
        return None
    order, sure = _order(hint, kind, sep, triples, max(allowed - broken, 0))
    if not order:
        return None
    year = "%y" if kind == "nn" else "%Y"
    parts = {"d": "%d", "m": "%m", "y": year}
    strptime = [key[1].join(parts[letter] for letter in order) + key[2] for key in formats]
    wrong = {text for *numbers, text in triples if not _is_date(order, numbers)}
    if sum(rest[t] for t in wrong) > allowed - broken:
        return None
    settled = None if sure < 0.75 or order.startswith("y") else order == "dmy"
    text = "replace(trim({c}), ' Uhr', '')" if any(t.endswith("Uhr") for t in rest) else "trim({c})"
    return _strptime_found(strptime, bad | wrong, text, sure, settled)


def _is_date(order: str, numbers: Sequence[int]) -> bool:
    day, month = numbers[order.index("d")], numbers[order.index("m")]
    return 1 <= month <= 12 and 1 <= day <= (31 if month not in (4, 6, 9, 11) else 30) - (month == 2)


def _order(
    hint: _Hint, kind: str, sep: str, triples: Sequence[tuple[int, int, int, str]], allowed: float
) -> tuple[str, float]:
    """The order of day, month and year that all the values agree on, and how sure that is."""
    candidates = {"yn": ("ymd", "ydm"), "ny": ("dmy", "mdy"), "nn": ("dmy", "mdy", "ymd")}.get(kind, ())
    fits = {}
    for order in candidates:
        wrong = sum(not _is_date(order, t[:3]) for t in triples)
        if wrong <= allowed:
            fits[order] = wrong
    if not fits:
        return "", 0.0
    if len(fits) == 1:
        return next(iter(fits)), 1.0
    if "ymd" in fits and kind == "yn":
        return "ymd", 1.0
    if kind == "nn" and "ymd" in fits:
        # The year is the part that varies least; a date written year first also sorts as text.
        first, last = len({t[0] for t in triples}), len({t[2] for t in triples})
        if (sep == "-" and first < last) or (len(triples) > 20 and first * 3 < last):
            return "ymd", 0.8
        fits.pop("ymd")
        if len(fits) == 1:
            return next(iter(fits)), 0.9
    best = min(fits.values())
    fits = {order: wrong for order, wrong in fits.items() if wrong == best}
    if len(fits) == 1:
        return next(iter(fits)), 0.9
    if hint.day_first is not None:
        return ("dmy" if hint.day_first else "mdy"), 0.9
    if sep == ".":
        return "dmy", 0.95
    firsts, seconds = {t[0] for t in triples}, {t[1] for t in triples}
    if len(triples) >= 3 and (len(firsts) == 1) != (len(seconds) == 1):
        # The part that never changes is the day when it is the first of the month, else the month that all are from.
        still = (firsts if len(firsts) == 1 else seconds) == {1}
        return ("dmy" if (len(firsts) == 1) == still else "mdy"), 0.8
    return ("mdy" if sep == "/" else "dmy"), 0.5 if sep in "/-" else 0.9


def _named_dates(hint: _Hint, rest: Mapping[str, int], allowed: float) -> _Found | None:
    bad: set[str] = set()
    broken = 0.0
    months: set[str] = set()
    formats: dict[str, None] = {}
    weekdays = ordinals = zoned = False
    for text, times in rest.items():
        found = _NAMED_DATE.fullmatch(text)
        word = (found["m1"] or found["m2"] or found["m3"]).lower() if found else ""
        if found is None or not _language({word}) or (found["weekday"] and found["weekday"].lower() not in WEEKDAYS):
            bad.add(text)
            broken += times
            if broken > allowed:
                return None
            continue
        months.add(word)
        weekdays = weekdays or bool(found["weekday"])
        ordinals = ordinals or bool(found["th1"] or found["th2"])
        zoned = zoned or bool(found["zone"])
        formats[_named_format(found)] = None
        if len(formats) > 6:
            return None
    language = _language(months)
    if not language or not formats:
        return None
    text = "lower(trim({c}))"
    if weekdays:
        text = rf"regexp_replace({text}, '^\pL{{2,10}}\.?,? (.*\d.*\pL|\pL)', '\1')"
    if ordinals:
        text = rf"regexp_replace({text}, '(\d)(st|nd|rd|th)', '\1')"
    text = f"replace(replace({text}, ',', ' '), '''', '')"
    text = (
        rf"regexp_replace({text}, '([\pL ]|\d )\.|\b(\d{{1,2}})\. ', '\1\2 ', 'g')"
        if any("." in t for t in rest)
        else text
    )
    text = rf"regexp_replace({text}, ' (de|del|of|at|um|à|às|uhr|-)( |$)', ' ', 'g')"
    for name, number in _month_names(language):
        english = ENGLISH[number][:3]
        if name != english:
            text = f"replace({text}, {_text(name)}, '{english}')"
    text = rf"trim(regexp_replace({text}, ' +', ' ', 'g'))"
    return _strptime_found(list(formats), bad, text, 1.0, None)


def _named_format(found: re.Match[str]) -> str:
    def plain(gap: str) -> str:
        return gap if gap in ("-", "/", "") else " "

    def year(text: str) -> str:
        return "%Y" if len(text) == 4 else "%y"

    if found["m1"]:
        out = f"%d{plain(found['s1'])}%b{plain(found['s2'])}{year(found['y1'])}"
    elif found["m2"]:
        out = f"%b{plain(found['s3'])}%d{plain(found['s4'])}%Y"
    else:
        out = f"%Y{plain(found['s5'])}%b{plain(found['s6'])}%d"
    clock = _clock_format(found)
    if clock:
        gap = found["gap"]
        out += (":" if gap == ":" else "t" if gap == "T" else " ") + clock[len(gap) :]
    return out


def _language(months: set[str]) -> str:
    """The first language in which all of these words are months; empty if there is none."""
    for language, (full, short) in MONTHS.items():
        if months <= {*full, *short, *VARIANTS.get(language, {})}:
            return language
    return ""


def _month_names(language: str) -> list[tuple[str, int]]:
    full, short = MONTHS[language]
    names = {name: i for names in (short, full) for i, name in enumerate(names)} | VARIANTS.get(language, {})
    return sorted(names.items(), key=lambda item: -len(item[0]))


def _other_dates(hint: _Hint, rest: Mapping[str, int], allowed: float) -> _Found | None:
    texts = list(rest)
    if all(map(_WEEK_DATE.fullmatch, texts)):
        return _strptime_found(["%G-W%V-%u"], set(), "trim({c})", 1.0, None)
    if all(map(_CJK_DATE.fullmatch, texts)):
        text = "replace(replace(replace(trim({c}), '年', '-'), '月', '-'), '日', '')"
        return _strptime_found(["%Y-%m-%d"], set(), text, 1.0, None)
    halves = [_HALF_CLOCK.fullmatch(text) for text in texts]
    if all(halves):
        formats = sorted({"%I:%M:%S%p" if found and found["seconds"] else "%I:%M%p" for found in halves})
        text = "replace(replace(lower(trim({c})), ' ', ''), '.', '')"
        listed = ", ".join(map(_text, formats))
        return _Found("time64[us]", f"CAST(try_strptime({text}, [{listed}]) AS TIME)", format=formats[0])
    return None


def _strptime_found(formats: list[str], bad: set[str], text: str, sure: float, day_first: bool | None) -> _Found | None:
    zoned = {"%z" in f for f in formats}
    timed = any("%M" in f for f in formats)
    if len(zoned) > 1:
        return None
    if any("%p" in f for f in formats):
        text = rf"regexp_replace(lower({text}), ' ?([ap])\.?m\.?', '\1m')"
    if True in zoned:
        text = rf"regexp_replace(regexp_replace({text}, ' ?(?:z|Z|utc|gmt|UTC|GMT)$', '+0000'), ' ([+-][\d:]+)$', '\1')"
    listed = ", ".join(map(_text, formats))
    value = f"try_strptime({text}, {'[' + listed + ']' if len(formats) > 1 else listed})"
    if any("%Y" in f for f in formats):
        # %Y also takes the year 21 out of 01.02.21; a four-digit year was promised.
        value = f"CASE WHEN {value} >= TIMESTAMP '1000-01-01' THEN {value} END"
    if not timed:
        return _Found(
            "date32[day]",
            f"CAST({value} AS DATE)",
            "",
            frozenset(bad),
            format=formats[0],
            sure=sure,
            day_first=day_first,
        )
    kind = "timestamp[us, tz=UTC]" if True in zoned else "timestamp[us]"
    return _Found(kind, value, "", frozenset(bad), format=formats[0], sure=sure, day_first=day_first)


# ----------------------------------------------------------------------------------------------------------------- text

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_ISO_SPAN: Final = r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
_MEANINGS: Final = (
    ("uuid", re.compile(r"\{?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\}?")),
    ("email", re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[A-Za-z]{2,}")),
    ("url", re.compile(r"(?:https?|ftp|s3|file|wss?)://\S+|www\.\S+\.\S+")),
    ("ip", re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}(?:/\d{{1,2}})?|(?=.*:.*:)[0-9a-fA-F:.]{{2,45}}(?<!\d\d:\d\d)")),
    ("mac", re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")),
    ("iban", re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}")),
    ("phone", re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:\+|00|\()?\d[\d\s()./\-]{5,20}(?: ?(?:x|ext\.?) ?\d+)?")),
    ("duration", re.compile(_ISO_SPAN + r"|\d+:[0-5]\d:[0-5]\d(?:\.\d+)?")),
    ("month", re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])")),
    ("week", re.compile(r"(?:19|20)\d\d-?W[0-5]\d")),
    ("json", re.compile(r"\{.*\}|\[.*\]", re.S)),
)  # fmt: skip


def _as_text(
    hint: _Hint,
    values: Sequence[str | None],
    counts: Mapping[str, int],
    blank: int,
    padded: int,
    marks: Iterable[str] = (),
) -> ColumnType:
    total = len(values)
    words = {text for text in counts if text.lower() in STRONG_NULLS} | set(marks)
    if len(words) == len(counts):
        words = set(counts)
    dropped = sum(counts[word] for word in words)
    nulls = tuple(sorted({word.lower() for word in words}))
    texts = [text for text in counts if text not in words]
    there = total - blank - dropped
    shown = "trim({c})" if there and padded >= there * 0.9 and padded > 1 else "{c}"
    reading = None if shown == "{c}" else shown
    if nulls:
        listed = ", ".join(map(_text, nulls))
        reading = f"CASE WHEN lower(trim({{c}})) IN ({listed}) THEN NULL ELSE {shown} END"
    return ColumnType(
        hint.name,
        "string",
        reading,
        null_words=nulls,
        meaning=_text_meaning(hint, texts, there),
        values=total,
        nulls=blank + dropped,
        distinct=len(texts),
    )


def _text_meaning(hint: _Hint, texts: Sequence[str], there: int) -> str:
    if not texts:
        return ""
    look = texts if len(texts) <= 60 else texts[:: len(texts) // 60]
    need = math.ceil(len(look) * 0.95)
    for meaning, expression in _MEANINGS:
        if expression.fullmatch(look[0]) or expression.fullmatch(look[-1]):
            if meaning == "phone" and not (hint.words & TEXT_WORDS or any(t[0] in "+(" for t in look)):
                continue
            if sum(bool(expression.fullmatch(text)) for text in look) >= need:
                return meaning
    codes = set(look)
    if all(len(code) == 3 for code in codes) and codes <= CURRENCIES:
        return "currency"
    if (
        all(len(code) == 2 for code in codes)
        and codes <= COUNTRIES
        and (hint.words & {"country", "land", "nation", "pays", "iso"} or len(codes) > 15)
    ):
        return "country"
    if hint.words & {"country", "land", "nation", "pays", "country_name"}:
        return "country"
    if hint.words & {"lang", "language", "locale", "sprache"} and all(2 <= len(code) <= 6 for code in codes):
        return "language"
    if hint.words & {"id", "uuid", "key", "sku", "isbn", "ean", "code"} and len(texts) >= there * 0.9:
        return "identifier"
    if len(texts) <= 20 and there >= 3 * len(texts):
        return "enumeration"
    return ""


# -------------------------------------------------------------------------------------------------------------- helpers


def _null_words(counts: Mapping[str, int]) -> set[str]:
    """The values that mean nothing, for a column that turns out not to be text."""
    if len(counts) > 400:
        # Null words are frequent; among many distinct values only the short ones are worth a look.
        return {text for text in counts if len(text) <= 9 and text.lower() in WEAK_NULLS}
    return {text for text in counts if len(text) <= 16 and text.lower() in WEAK_NULLS}


def _name_words(name: str) -> frozenset[str]:
    """The words of a column's name: `createdAt`, `created_at` and `Created At` alike."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:200])
    return frozenset(re.findall(r"[^\W_]+", spaced.lower()))


def _text(value: str) -> str:
    """A SQL string constant."""
    return "'" + value.replace("'", "''") + "'"
