"""What the walk over a request notes down, and the refusal that ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from synth.plan import (
    AggregateName,
    Comparison,
    Condition,
    Expression,
    Function,
    Unit,
    Value,
)
from synth.request import Refusal
from synth.understand.columns import Known
from synth.understand.words import any_of, spelled

BE = any_of("is are was were be been being has have had does did do that which who column field its their equal")

STOPS = any_of(
    "and or with where who that which whose in from per by for order sorted sort over under above "
    "below before after since last but not having on of to than is are was were only then"
)

PERSONS = any_of(
    "patient person employee customer client member user student man woman female male passenger girl boy player staff "
    "anyone who everyone worker colleague buyer visitor reader patron"
)
# Those who do things, and may be asked for by "who".
ACTORS = PERSONS | any_of(
    "developer agent teacher doctor engineer driver nurse manager mechanic author artist director seller instructor professor "
    "volunteer donor contractor technician lawyer analyst designer coach trainer athlete runner rider candidate applicant "
    "tenant owner guest subscriber tester consultant pilot researcher"
)


class NoAnswer(Exception):
    """Carries the refusal out of the depth of the reading."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def no(rule: str, reason: str, candidates: tuple[str, ...] = ()) -> NoAnswer:
    """The refusal, ready to raise."""
    return NoAnswer(Refusal(rule, reason, candidates))


@dataclass
class Shown:
    """A column to show. `plural` when it was named as things ("cities"); `asked` when it is what the question is about."""

    known: Known
    said: str
    plural: bool = False
    asked: bool = False
    as_total: bool = False
    listed: bool = True
    beside: bool = False
    beyond: bool = False


@dataclass
class Measure:
    """A figure: an aggregate over a column, over arithmetic, or over rows (`of` None). `rows_of` is the table whose rows count."""

    function: AggregateName
    of: Expression | None
    said: str
    rows_of: str = ""
    known: Known | None = None
    share: Literal["", "share", "percent"] = ""
    where: Condition | None = None
    unique: bool = False
    enumerated: bool = False
    traded: bool = False


def length_of(known: Known) -> Expression:
    """How many entries the row's list has."""
    return Function("length", known.column)


def entries_of(known: Known) -> Measure:
    """The entries of the rows' lists, added up."""
    return Measure("sum", length_of(known), f"{spelled(known.column.name)}_count")


@dataclass
class Key:
    """Something to group by: a column, a cut of time, or the rows of a table."""

    known: Known | None = None
    unit: Unit | None = None
    table: str = ""
    asked: bool = False
    at: int = -1


@dataclass
class Part:
    """One condition, how it was joined to the one before, and the column it is about."""

    condition: Condition
    joined: Literal["", "and", "or"] = ""
    known: Known | None = None
    value: bool = False
    negated: bool = False
    alternatives: bool = False
    after_group: bool = False


@dataclass
class Best:
    """A superlative or "top n": by what, which way, how many, and of what."""

    descending: bool
    count: int | None
    said: str
    by: Known | None = None
    words: str = ""
    function: AggregateName | None = None
    rows_of: str = ""
    of_rows: bool = False
    frequent: bool = False
    parameter: bool = False
    plain_first: bool = False
    word: str = ""
    at: int = -1
    rowwise: bool = False
    rows_noun: str = ""


@dataclass
class Having:
    """A comparison with a figure of a group."""

    measure: Measure
    operator: Comparison
    value: Value


@dataclass
class Sorting:
    """A wish about order: by a column, a figure or a part of time; direction None is the natural one. `of_size`: "largest first",
    which no text can be."""

    known: Known | None = None
    measure: Measure | None = None
    unit: Unit | None = None
    descending: bool | None = None
    said: str = ""
    of_size: bool = False


@dataclass
class Notes:
    """All that the walk over the request has noted."""

    shown: list[Shown] = field(default_factory=list)
    all_columns: bool = False
    measures: list[Measure] = field(default_factory=list)
    groups: list[Key] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    having: list[Having] = field(default_factory=list)
    sorting: list[Sorting] = field(default_factory=list)
    best: Best | None = None
    best_per: list[Key] = field(default_factory=list)
    headed: list[Known] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
    newest: bool | None = None
    distinct: bool = False
    computed: list[tuple[Expression, str]] = field(default_factory=list)
    none_of: tuple[Known, Condition] | None = None
    lacking: list[str] = field(default_factory=list)
    lacking_where: dict[str, Condition] = field(default_factory=dict)
    existing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    counting_rows: bool = False
    per_row_of: str = ""
    each_of: str = ""
