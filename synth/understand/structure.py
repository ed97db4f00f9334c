"""The reader: walks over the words of a request once and notes what each says about the answer wanted.

Nothing is decided here about tables to join or rows to group; that is `assemble`. A word that no rule explains is kept in
`unexplained`, and a request with such a word is not answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from synth.plan import (
    Aggregate,
    AggregateName,
    And,
    Arithmetic,
    Bucket,
    Compare,
    Comparison,
    Condition,
    Empty,
    Expression,
    Function,
    Match,
    Not,
    OneOf,
    Or,
    Unit,
    Value,
)
from synth.request import Refusal, Task
from synth.understand.columns import ColumnMatch, Known, Lexicon, is_flag
from synth.understand.joins import Graph
from synth.understand.numbers_and_dates import (
    CURRENCIES,
    MONTHS,
    SPANS,
    UNITS,
    WEEKDAYS,
    Calendar,
    Period,
    Quantity,
    converted,
    quantity_at,
)
from synth.understand.operators import (
    AFTER_NUMBER,
    AGGREGATE_OF,
    AGGREGATES,
    COMPARISONS,
    COUNTS,
    DIRECTIONS,
    EMPTY,
    FILLED,
    GROUPS,
    LACKING,
    NOT_WORDS,
    OPPOSITE,
    ORDERS,
    SHARES,
    TEXTS,
    TIME_WORDS,
    phrase_at,
    unit_at,
)
from synth.understand.values import Held, Values, flag_values
from synth.understand.vocabulary import COMPARATIVES, FILLER, GRADES, ROWS, SUPERLATIVES, VERBS
from synth.understand.words import IRREGULAR, Token, any_of, lemma, spelled, stem

BE = any_of("is are was were be been being has have had does did do that which who column field its their equal")
DANGLING = any_of("where with by and or per of in than over under between from to is not without the")
STOPS = any_of(
    "and or with where who that which whose in from per by for order sorted sort over under above below before after since last but not having on of to than is are was were only then"
)


PERSONS = any_of(
    "patient person employee customer client member user student man woman female male passenger girl boy player staff "
    "anyone who everyone worker colleague buyer visitor reader patron"
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


@dataclass
class Key:
    """Something to group by: a column, a cut of time, or the rows of a table."""

    known: Known | None = None
    unit: Unit | None = None
    table: str = ""
    asked: bool = False


@dataclass
class Part:
    """One condition, how it was joined to the one before, and the column it is about."""

    condition: Condition
    joined: Literal["", "and", "or"] = ""
    known: Known | None = None
    value: bool = False
    negated: bool = False
    alternatives: bool = False


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


@dataclass
class Having:
    """A comparison with a figure of a group."""

    measure: Measure
    operator: Comparison
    value: Value


@dataclass
class Sorting:
    """A wish about order: by a column, a figure or a part of time; direction None is the natural one."""

    known: Known | None = None
    measure: Measure | None = None
    unit: Unit | None = None
    descending: bool | None = None
    said: str = ""


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
    limit: int | None = None
    offset: int = 0
    newest: bool | None = None
    distinct: bool = False
    lacking: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    counting_rows: bool = False
    per_row_of: str = ""


Step = Callable[[int], int]


class Reader:
    """One walk over one request."""

    def __init__(
        self, task: Task, text: str, tokens: list[Token], lexicon: Lexicon, values: Values, graph: Graph
    ) -> None:
        self.task = task
        self.text = text
        self.tokens = tokens
        self.lexicon = lexicon
        self.values = values
        self.graph = graph
        self.calendar = Calendar(task.request.now)
        self.notes = Notes()
        self.unexplained: list[Token] = []
        self.subject = ""
        self.subject_said = False
        self.mentioned: list[str] = []
        self.zone: Literal["head", "group", "order", "filter", "measure"] = "head"
        self.connector: Literal["", "and", "or"] = ""
        self.comma = False
        self.negate = False
        self.aggregates: list[AggregateName] = []
        self.counting: Literal["", "rows", "distinct"] = ""
        self.sharing: Literal["", "share", "percent"] = ""
        self.event: Known | None = None
        self.last: object = None
        self.names: dict[str, int] = {}
        self.question = ""
        self.asking = False
        self.share_rows = False
        self.share_mark = 0
        self.hint = ""
        self.best_open = False
        self.bought = False
        self.but = False

    # ---------------------------------------------------------------- the walk

    def read(self) -> Notes:
        """Walk over all tokens; every one is explained by a rule or kept as unexplained."""
        self._choose_subject()
        rules: tuple[Step, ...] = (
            self._connector,
            self._exact_name,
            self._question,
            self._in_stock,
            self._distinct,
            self._dedupe,
            self._direction,
            self._sorting,
            self._share,
            self._count,
            self._limit,
            self._superlative,
            self._aggregate,
            self._lack,
            self._filled,
            self._grouping,
            self._ago,
            self._text_match,
            self._negation,
            self._comparison,
            self._comparative,
            self._between,
            self._period,
            self._thing,
            self._bare_number,
            self._verb,
            self._row_noun,
            self._arithmetic_words,
            self._filler,
            self._slip,
        )
        i = 0
        last = self.tokens[-1] if self.tokens else None
        coming = last is not None and last.low == "from" and self.low(len(self.tokens) - 2) in ("come", "comes", "came")
        if last is not None and last.kind == "word" and last.low in DANGLING and not coming:
            raise no("not-understood", f"the request ends with {self.tokens[-1].text!r}; say what should follow")
        while i < len(self.tokens):
            for rule in rules:
                j = rule(i)
                if j > i:
                    i = j
                    break
            else:
                self.unexplained.append(self.tokens[i])
                self._joined()
                i += 1
        self._finish()
        return self.notes

    def low(self, i: int) -> str:
        """The folded word at i, empty past the end."""
        return self.tokens[i].low if 0 <= i < len(self.tokens) else ""

    def skip(self, i: int, words: frozenset[str] | set[str]) -> int:
        """The first place from i on that is none of the words."""
        while i < len(self.tokens) and self.tokens[i].low in words and self.tokens[i].kind == "word":
            i += 1
        return i

    def said(self, i: int, n: int) -> str:
        """The words as written."""
        return self.text[self.tokens[i].start : self.tokens[i + n - 1].end] if n else ""

    # ---------------------------------------------------------------- which table it is about

    def _choose_subject(self) -> None:
        tables = self.lexicon.schema.tables
        if len(tables) == 1:
            self.subject = tables[0].name
            return
        votes: dict[str, float] = {}
        first: list[tuple[float, str]] = []
        i = 0
        while i < len(self.tokens):
            here = self.lexicon.tables_at(self.tokens, i)
            columns = self.lexicon.matches_at(self.tokens, i)
            if columns:
                best = columns[0].score
                top = [c for c in columns if c.score >= best - 0.05]
                for match in top:
                    weight = match.score * (1.0 if len(top) == 1 else 0.4) * (2 if match.length > 1 else 1)
                    votes[match.known.column.table] = votes.get(match.known.column.table, 0) + weight
            if here and not (columns and columns[0].length > here[0][2] and columns[0].score > 0.9):
                best_score = here[0][1]
                for name, score, _n in here:
                    if score >= best_score - 0.05:
                        before = self.low(i - 1)
                        before2 = self.low(i - 2)
                        grouped = before in ("per", "each", "by", "every") or (
                            before in ("the", "a") and before2 in ("by", "with", "without")
                        )
                        lacking = before in ("without", "no", "never", "any") or (before == "with")
                        number_before = (
                            i > 0
                            and quantity_at(self.tokens, i - 1) is not None
                            and self.low(i - 2) in ("than", "least", "most", "over", "exactly")
                        )
                        many = (
                            before in ("most", "fewest")
                            and self.low(i - 2) in any_of("the placed has have with made")
                            and i > 3
                        )
                        penalty = 10.0 if grouped or lacking or number_before or many else 0.0
                        first.append((i + penalty * 10 + (1 - score) * 5, name))
                i += here[0][2]
            else:
                i += columns[0].length if columns and columns[0].score > 0.9 else 1
        for i, token in enumerate(self.tokens):
            if token.kind == "word" and len(token.low) > 3:
                for known in self.lexicon.events.get(stem(token.low), []):
                    votes[known.column.table] = votes.get(known.column.table, 0) + 0.4
            for held in self.values.held_at(self.text, self.tokens, i, 4)[:4]:
                if held.score > 0.85:
                    votes[held.known.column.table] = votes.get(held.known.column.table, 0) + 0.6
        if first:
            place, name = min(first)
            tied = {n for p, n in first if abs(p - place) < 0.01}
            if len(tied) > 1:
                name = max(tied, key=lambda t: votes.get(t, 0))
            if place < 100:
                self.subject, self.subject_said = name, True
                return
        if any(t.lemma in any_of("who earner people person spender anyone everyone") for t in self.tokens[:6]):
            for table in self.lexicon.table_words:
                people = {
                    "customer",
                    "employee",
                    "member",
                    "person",
                    "user",
                    "patient",
                    "student",
                    "client",
                    "staff",
                    "player",
                }
                if people & set(self.lexicon.table_words[table]) and self.lexicon.label(table):
                    votes[table] = votes.get(table, 0) + 1.0
        if votes:
            most = max(votes.values())
            strong = [t for t in votes if votes[t] >= most * 0.5]
            # the many side reaches the others; the other way round rows would double
            reaching = [
                t
                for t in strong
                if all(self.graph.path(t, o) is not None and not self.graph.widens(t, o) for o in strong if o != t)
            ]
            self.subject = max(reaching or strong, key=lambda t: votes[t])
            return
        if first:
            self.subject = min(first)[1]
            return
        self.subject = tables[0].name

    # ---------------------------------------------------------------- choosing among candidates

    def choose(self, matches: list[ColumnMatch], sort: str = "", near: str = "", said: str = "") -> Known | None:
        """The one column meant. None when none fits the sort; a refusal when two fit equally."""
        fitting = [m for m in matches if not sort or m.known.sort == sort]
        if not fitting:
            return None
        best = max(m.score for m in fitting)
        close = [m for m in fitting if m.score >= best - 0.03]
        if len(close) == 1:
            return close[0].known
        preferred = [t for t in (near, self.subject) if t]
        for table in preferred:
            here = [m for m in close if m.known.column.table == table]
            if len(here) == 1:
                return here[0].known
            if here:
                close = here
                break
        else:
            # a key and the column that points at it are the same thing; else the nearest table
            steps = {m: len(self.graph.path(self.subject, m.known.column.table) or [0] * 9) for m in close}
            nearest = min(steps.values())
            close = [m for m in close if steps[m] == nearest]
            if len(close) == 1:
                return close[0].known
            mentioned = [m for m in close if m.known.column.table in self.mentioned]
            if len(mentioned) == 1:
                return mentioned[0].known
        words = said or " ".join(close[0].known.words)
        names = tuple(dict.fromkeys(self._full(m.known) for m in close))
        if len(names) < 2:
            return close[0].known
        raise no("ambiguous", f"{words!r} may mean {' or '.join(names[:4])}; say which", names[:6])

    def _full(self, known: Known) -> str:
        return (
            known.column.name if len(self.lexicon.schema.tables) == 1 else f"{known.column.table}.{known.column.name}"
        )

    def column_at(self, i: int, sort: str = "", least: float = 0.6) -> tuple[Known, int] | None:
        """The column named from i on and the place after it; "X of the T" says whose X."""
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.score >= least]
        if not matches:
            return None
        n = matches[0].length
        near = ""
        j = i + n
        if self.low(j) == "of" and len(self.lexicon.schema.tables) > 1:
            k = self.skip(j + 1, {"the", "their", "its", "our", "each"})
            tables = self.lexicon.tables_at(self.tokens, k)
            if tables and any(m.known.column.table == tables[0][0] and m.score >= 0.75 for m in matches):
                near = tables[0][0]
                matches = [m for m in matches if m.known.column.table == near]
        known = self.choose(matches, sort, near, self.said(i, n))
        return (known, j) if known is not None else None

    def parameter(self, name: str, value: object) -> Value:
        """A named constant with a name of its own."""
        name = spelled(name)[:40] or "value"
        for each in (name, *(f"{name}_{n}" for n in range(2, 99))):
            if each not in self.names:
                self.names[each] = 1
                return Value(value, each)
        return Value(value)

    # ---------------------------------------------------------------- conditions

    def add(self, condition: Condition, known: Known | None = None, value: bool = False) -> None:
        """Note a condition, joined as the words before it said."""
        parts = self.notes.parts
        joined = self.connector
        if (joined or self.comma) and value and parts and parts[-1].value and parts[-1].negated and not self.but:
            # "not in Berlin or Paris": the not holds for the whole list
            self.negate = self.negate or (known is not None and parts[-1].known is known)
        negated = self.negate
        if self.negate and not _negated_already(condition):
            condition = negation(condition)
        if (
            value
            and parts
            and parts[-1].value
            and parts[-1].known is known
            and parts[-1].negated == negated
            and known is not None
        ):
            if joined or self.comma or self._between_values:
                if joined == "and" and self.bought and not negated and self.notes.shown:
                    raise no(
                        "ambiguous",
                        f"both or either of the values of {known.column.name!r}? say 'or' if either will do",
                    )
                merged = _merged(parts[-1].condition, condition)
                if merged is not None:
                    parts[-1] = replace(parts[-1], condition=merged)
                    self._reset()
                    return
        if joined == "or" and parts:
            before = parts.pop()
            if before.joined == "and" and parts and not self.comma:
                # "a and b or c": and binds closer, as everywhere
                earlier = parts.pop()
                before = Part(_and(earlier.condition, before.condition), earlier.joined)
            parts.append(Part(_or(before.condition, condition), before.joined, None, alternatives=True))
        elif joined == "and" and parts and parts[-1].alternatives and not self.comma:
            # "a or b and c": here too
            last = parts[-1].condition
            assert isinstance(last, Or)
            parts[-1] = replace(parts[-1], condition=Or((*last.any[:-1], _and(last.any[-1], condition))))
        else:
            parts.append(Part(condition, "and" if joined == "and" else "", known, value, negated))
        self._reset()

    _between_values = False

    def add_having(self, having: Having) -> None:
        """Note a condition on a figure; "or" with other conditions cannot be said in a plan."""
        if self.connector == "or" and (self.notes.parts or self.notes.having):
            raise no("not-understood", "an 'or' between rows and figures needs two requests")
        self.notes.having.append(having)

    def _joined(self) -> None:
        """The word before was an "and" or a comma between things; an "or" between things is not understood."""
        if self.connector == "or":
            raise no("not-understood", "an 'or' that joins no two conditions; say it another way")
        self.connector, self.comma = "", False

    def _reset(self) -> None:
        self.connector, self.comma, self.negate = "", False, False

    def fitted(self, known: Known, quantity: Quantity) -> object:
        """The number as the column holds it: its unit converted, its Python type the column's."""
        value = quantity.value
        unit = quantity.unit
        own = known.field.unit or _unit_of_name(known)
        if unit == "%" and own in ("%", ""):
            if (
                known.field.most is not None
                and _number(known.field.most) is not None
                and abs(_number(known.field.most) or 0) <= 1
                and value > 1
            ):
                value = value / 100
        elif unit in CURRENCIES:
            if own in CURRENCIES and own != unit:
                raise no("cannot-answer", f"{known.column.name!r} is in {own}, not {unit}, and no rate is at hand")
        elif unit and own and unit != own:
            changed = converted(value, unit, own)
            if changed is None and unit not in ("y", "d", "mo", "wk", "deg"):
                raise no("cannot-answer", f"{known.column.name!r} is in {own}; {unit} cannot be converted to that")
            value = changed if changed is not None else value
        if known.field.type.startswith(("int", "uint")) and value == int(value):
            return int(value)
        if known.field.type.startswith("decimal"):
            return Decimal(int(value)) if value == int(value) else value
        if known.field.type.startswith(("int", "uint")):
            return value
        return float(value)

    def compare_number(self, known: Known, operator: Comparison, quantity: Quantity) -> Condition:
        """A comparison of a column with a number, with its parameter."""
        value = self.fitted(known, quantity)
        if operator in (">", ">="):
            name = "minimum"
        elif operator in ("<", "<="):
            name = "maximum"
        else:
            name = spelled(known.column.name)
        if name in self.names and operator not in ("=", "!="):
            name = f"{name}_{spelled(known.column.name)}"
        left: Expression = known.column
        condition: Condition = Compare(left, operator, self.parameter(name, value))
        if quantity.unit in CURRENCIES and not known.field.unit:
            currency = [
                k
                for k in self.lexicon.of_table[known.column.table]
                if "currency" in k.words and quantity.unit in k.field.vocabulary
            ]
            if currency:
                condition = And(
                    (condition, Compare(currency[0].column, "=", self.parameter("currency", quantity.unit)))
                )
        return condition

    def compare_period(self, known: Known, operator: Comparison, period: Period) -> Condition:
        """A comparison of a date column with a period: half-open ranges."""
        if period.ambiguous:
            raise no(
                "ambiguous",
                f"the date {period.label!r} may be {period.ambiguous}; write it as year-month-day",
                tuple(period.ambiguous.split(" or ")),
            )
        zone = self.zone_name(known)
        if period.weekdays or period.month:
            if operator in ("=", "!="):
                return self._returning(known, operator, period, zone)
            year = self._year_of_data(known) or self.calendar.today.year
            if operator in (">=", ">") and self._year_of_data(known) is None:
                year = self.calendar.recent_year_of(period.month, period.day)
            if not period.month:
                raise no("not-understood", f"{period.label!r} comes every week; say a date")
            start, end = self.calendar.month_in_year(period.month, year, period.day)
            self.notes.remarks.append(f"{period.label} taken as {period.label} {year}")
            period = replace(period, start=start, end=end, month=0, day=0)
        start_value = self.moment(known, period.start)
        end_value = self.moment(known, period.end)
        column = known.column
        if operator == "=":
            conditions: list[Condition] = []
            if start_value is not None:
                conditions.append(Compare(column, ">=", self.parameter("since", start_value)))
            if end_value is not None:
                conditions.append(Compare(column, "<", self.parameter("until", end_value)))
            elif period.rolling and self._reaches_past_now(known):
                tomorrow = self.moment(known, self.calendar.ago(-1, "day"))
                conditions.append(Compare(column, "<", Value(tomorrow)))
            return conditions[0] if len(conditions) == 1 else And(tuple(conditions))
        if operator == "!=":
            return negation(self.compare_period(known, "=", period))
        if operator == ">":
            if end_value is None:
                return Compare(column, ">=", self.parameter("since", start_value))
            return Compare(column, ">=", self.parameter("since", end_value))
        if operator == ">=":
            return Compare(column, ">=", self.parameter("since", start_value))
        if operator == "<":
            return Compare(column, "<", self.parameter("until", start_value))
        return Compare(column, "<", self.parameter("until", end_value if end_value is not None else start_value))

    def _returning(self, known: Known, operator: Comparison, period: Period, zone: str) -> Condition:
        column = known.column
        if period.weekdays:
            self.notes.remarks.append(f"on {period.label} of any week")
            bucket = Bucket(column, "weekday", zone)
            if len(period.weekdays) == 1:
                return Compare(bucket, operator, Value(period.weekdays[0]))
            return OneOf(bucket, tuple(Value(w) for w in period.weekdays), operator == "!=")
        year = self._year_of_data(known)
        if year is not None or period.day:
            if year is None:
                raise no("ambiguous", f"{period.label!r} needs a year: the data holds several")
            start, end = self.calendar.month_in_year(period.month, year, period.day)
            return self.compare_period(known, operator, replace(period, start=start, end=end, month=0, day=0))
        self.notes.remarks.append(f"{period.label} of any year, as no year is said")
        return Compare(Bucket(column, "month_of_year", zone), operator, self.parameter("month", period.month))

    def _year_of_data(self, known: Known) -> int | None:
        """The one year that all values lie in, where that is known."""
        least, most = known.field.least, known.field.most
        if isinstance(least, date) and isinstance(most, date) and least.year == most.year:
            return least.year
        return None

    def _reaches_past_now(self, known: Known) -> bool:
        most = known.field.most
        if isinstance(most, datetime):
            return most.replace(tzinfo=None) > self.calendar.now.replace(tzinfo=None)
        return isinstance(most, date) and most > self.calendar.today

    def zone_name(self, known: Known) -> str:
        """The user's time zone, for columns that carry one."""
        if "tz=" not in known.field.type:
            return ""
        zone = self.task.request.now.tzinfo
        return str(getattr(zone, "key", "") or "UTC") if zone is not None else "UTC"

    def moment(self, known: Known, at: date | datetime | None) -> date | datetime | None:
        """The moment as a value to compare the column with: aware where the column is."""
        if at is None:
            return None
        aware = "tz=" in known.field.type
        if isinstance(at, datetime):
            if aware:
                return at if at.tzinfo else at.replace(tzinfo=self.task.request.now.tzinfo)
            if known.field.type.startswith("date"):
                return at.date()
            return at.replace(tzinfo=None)
        if aware:
            return datetime(at.year, at.month, at.day, tzinfo=self.task.request.now.tzinfo)
        return at

    def held_condition(self, held: Held) -> Condition:
        """The column equals the value, in every spelling stored."""
        column = held.known.column
        if len(held.stored) == 1:
            value = held.stored[0]
            made = Value(value) if is_flag(held.known.field) else self.parameter(spelled(column.name), value)
            return Compare(column, "=", made)
        return OneOf(column, tuple(self.parameter(spelled(column.name), v) for v in held.stored))

    # ---------------------------------------------------------------- rules, in the order they are tried

    def _connector(self, i: int) -> int:
        token = self.tokens[i]
        if token.kind == "comma":
            self.comma = True
            if self.aggregates == [] and self.zone == "measure":
                self.zone = "head" if not self.notes.groups else self.zone
            return i + 1
        if token.low in ("and", "&", "plus", "but", "as") and self.low(i + 1) != "minus":
            if token.low == "as" and self.low(i + 1) == "well" and self.low(i + 2) == "as":
                self.connector = "and"
                return i + 3
            if token.low == "as":
                return 0
            if token.low == "plus" and self.zone != "head":
                return 0
            self.connector = "and"
            self.but = token.low == "but"
            return i + 1
        if token.low == "nor":
            self.connector, self.negate = "and", True
            return i + 1
        if token.low == "or":
            self.connector = "or"
            return i + 1
        if token.low == "either":
            return i + 1
        if token.low in ("also", "additionally"):
            self.connector = "and"
            return i + 1
        return 0

    def _exact_name(self, i: int) -> int:
        """A span of two words or more that is to the letter a column's name or a stored value goes before any keyword."""
        token = self.tokens[i]
        if token.kind in ("comma",):
            return 0
        held = self.values.held_at(self.text, self.tokens, i)
        columns = self.lexicon.matches_at(self.tokens, i)
        n_column = columns[0].length if columns and columns[0].score >= 0.93 else 0
        n_value = held[0].length if held and held[0].score >= 0.9 else 0
        if max(n_column, n_value) < 2:
            return 0
        if token.low in any_of("per by each top where with without") and n_value <= n_column:
            return 0
        if n_value > n_column:
            return self._value(i, held)
        # "total amount" may be a column or a wish for a sum: the column's own name wins
        return self._column(i)

    def _question(self, i: int) -> int:
        low = self.low(i)
        two = (low, self.low(i + 1))
        started = self.notes.shown or self.notes.measures or self.notes.parts or self.mentioned or self.counting
        if i == 0 or (self.zone == "head" and not started and not self.question):
            if two in (("what", "is"), ("what", "was"), ("what", "are"), ("what", "were")):
                self.question = "what"
                return i + 2
            if low == "who":
                self.question = "who"
                self.asking = True
                return i + 1
            if low in ("which", "what") and self.low(i + 1) not in any_of(
                "percentage percent share proportion fraction part %"
            ):
                self.question = "which"
                self.asking = True
                j = i + 1
                while self.low(j) in any_of("of the our are is were kind kinds sort sorts"):
                    j += 1
                found = unit_at(self.tokens, j)
                if found and not self.column_named_exactly(j):
                    self.notes.groups.append(Key(unit=found[0], asked=True))
                    self.asking = False
                    self.zone = "head"
                    return j + found[1]
                return j
            if low == "when":
                self.question = "when"
                return i + 1
            if two in (("how", "much"),):
                self.question = "how much"
                if self.low(i + 2) == "of" and self.low(i + 3) == "the":
                    return i + 4
                return i + 2
            if low == "how" and self.low(i + 1) in any_of(
                "old long heavy tall far high big large fast expensive hot warm cold deep"
            ):
                known = self.graded(self.low(i + 1), self.subject)
                if known is None:
                    raise no(
                        "no-such-column",
                        f"there is no column that says how {self.low(i + 1)} something is",
                        self.lexicon.nearest(self.low(i + 1)),
                    )
                self.notes.shown.append(Shown(known, self.low(i + 1)))
                return i + 2
            if low in any_of("is are was were do does did has have") and i == 0 and self.low(1) not in ("there",):
                raise no("cannot-answer", "yes-or-no questions are not answered; ask for the rows or their number")
        if low in ("on", "in", "at", "during") and self.low(i + 1) in ("which", "what"):
            found = unit_at(self.tokens, i + 2)
            if found:
                self.question = "which"
                self.notes.groups.append(Key(unit=found[0], asked=True))
                return i + 2 + found[1]
            self.question, self.asking = "which", True
            return i + 2
        return 0

    def column_named_exactly(self, i: int) -> bool:
        """Whether the word at i is to the letter a column's name."""
        return any(m.score >= 0.96 for m in self.lexicon.matches_at(self.tokens, i))

    def _in_stock(self, i: int) -> int:
        """ "out of stock" and "in stock" compare a stock column with nothing."""
        words = (self.low(i), self.low(i + 1), self.low(i + 2))
        n = 3 if words == ("out", "of", "stock") else 2 if words[:2] in (("in", "stock"), ("sold", "out")) else 0
        if not n:
            return 0
        stock = self.lexicon.with_words(self.subject, ["stock", "inventory"], "number")
        if len(stock) != 1:
            return 0
        operator: Comparison = ">" if words[0] == "in" else "="
        if self.negate:
            self.negate, operator = False, "=" if operator == ">" else ">"
        self.add(Compare(stock[0].column, operator, Value(0)), stock[0])
        return i + n

    def _distinct(self, i: int) -> int:
        if self.low(i) in ("distinct", "unique", "different", "uniq"):
            if self.low(i + 1) in ("from", "to", "than") and self.low(i) == "different":
                return 0
            self.notes.distinct = True
            j = i + 1
            if self.low(j) in any_of("values value list set combinations entries kinds types") and self.low(j + 1) in (
                "of",
                "in",
                "for",
            ):
                j += 2
            if self.counting == "rows":
                self.counting = "distinct"
            return j
        return 0

    def _dedupe(self, i: int) -> int:
        low = [self.low(i + k) for k in range(5)]
        for words in (
            ("one", "row", "per"),
            ("one", "record", "per"),
            ("one", "entry", "per"),
            ("a", "single", "row", "per"),
            ("one", "row", "for", "each"),
            ("one", "line", "per"),
            ("only", "one", "row", "per"),
            ("one", "per"),
            ("exactly", "one", "row", "per"),
        ):
            if tuple(low[: len(words)]) == words:
                j = self.skip(i + len(words), {"the", "each", "single"})
                key, at = self._key_at(j)
                if key is None:
                    return 0
                self.notes.best_per.append(key)
                if self.notes.best is None:
                    self.notes.best = Best(True, 1, "one row", of_rows=True, words="")
                    self.notes.best.plain_first = True
                return at
        if low[0] in ("dedupe", "deduplicate", "deduplicated") or tuple(low[:2]) in (
            ("remove", "duplicates"),
            ("drop", "duplicates"),
            ("without", "duplicates"),
            ("no", "duplicates"),
            ("excluding", "duplicates"),
        ):
            self.notes.distinct = True
            return i + (1 if low[0].startswith("dedup") else 2)
        if tuple(low[:3]) in (
            ("without", "any", "duplicates"),
            ("remove", "duplicate", "rows"),
            ("without", "duplicate", "rows"),
            ("drop", "duplicate", "rows"),
        ):
            self.notes.distinct = True
            return i + 3
        return 0

    def _direction(self, i: int) -> int:
        found = phrase_at(self.tokens, i, DIRECTIONS)
        if not found:
            return 0
        meaning, n = found
        if meaning in ("desc", "asc"):
            if self.notes.sorting and self.notes.sorting[-1].descending is None and self.zone == "order":
                self.notes.sorting[-1].descending = meaning == "desc"
            else:
                said = self.said(i, n)
                alphabetical = "alphabet" in said or "a to z" in said or "z to a" in said
                grade = self.low(i + n - 2) if n > 1 else ""
                grade = SUPERLATIVES.get(self.low(i), "") or grade
                words = GRADES.get(grade, ("", True))[0] if grade in GRADES else ""
                expensive = "expensive" in said or "cheap" in said or "pric" in said
                self.notes.sorting.append(
                    Sorting(
                        descending=meaning == "desc",
                        said="alphabetical" if alphabetical else ("price" if expensive else words),
                    )
                )
        else:
            if (
                self.notes.sorting
                and self.notes.sorting[-1].descending is None
                and self.notes.sorting[-1].known is not None
            ):
                self.notes.sorting[-1].descending = meaning == "newest"
            else:
                self.notes.newest = meaning == "newest"
        return self._after_direction(i + n)

    def _after_direction(self, i: int) -> int:
        return i + 1 if self.low(i) in ("order",) else i

    def _sorting(self, i: int) -> int:
        found = phrase_at(self.tokens, i, ORDERS)
        if not found:
            return 0
        n = found[1]
        phrase = self.said(i, n).casefold()
        if (
            phrase in ("sort", "sorted", "ordered", "ranked", "order")
            and not phrase_at(self.tokens, i + n, DIRECTIONS)
            and self.low(i + n) not in ("from", "with")
        ):
            # "customers who ordered": a verb, not a wish about order
            return 0
        self.zone, self.connector, self.comma = "order", "", False
        j = self.skip(i + n, {"the", "their", "its", "them", "it", "from"} if n == 1 else {"the", "their", "its"})
        direction: bool | None = None
        if "descending" in phrase:
            direction = True
        if "ascending" in phrase:
            direction = False
        down = phrase_at(self.tokens, j, DIRECTIONS)
        if down and down[0] in ("desc", "asc") and self.low(j + down[1]) in ("order", "of", "by"):
            direction, j = down[0] == "desc", j + down[1]
            j = self.skip(j, {"order", "of", "by", "the"})
        if n == 1 and phrase in ("sort", "sorted", "ordered", "ranked"):
            return j
        at = self._sort_key(j, direction)
        return at or j

    def _sort_key(self, i: int, direction: bool | None = None) -> int:
        """One key of an order at i; the place after it, or 0."""
        i = self.skip(i, {"the", "their", "its"})
        counted = phrase_at(self.tokens, i, COUNTS)
        if counted and not self.column_named_exactly(i):
            j = i + counted[1]
            measure, j = self._counted_thing(j, "distinct" if counted[0] == "distinct" else "rows")
            self.notes.sorting.append(Sorting(measure=measure, descending=direction, said="count"))
            return j
        aggregate = phrase_at(self.tokens, i, AGGREGATES)
        exact = self.lexicon.matches_at(self.tokens, i)
        if aggregate and not (exact and exact[0].length > aggregate[1] and exact[0].score > 0.9):
            j = self.skip(i + aggregate[1], {"the", "of", "their"})
            found = self.column_at(j)
            if found is not None:
                known, at = found
                measure = Measure(AGGREGATE_OF[aggregate[0]], known.column, self.said(j, at - j), known=known)
                self.notes.sorting.append(Sorting(measure=measure, descending=direction))
                return at
            if not exact:
                self.notes.sorting.append(Sorting(descending=direction, said=aggregate[0]))
                return i + aggregate[1]
        if self.tokens[i : i + 1] and self.tokens[i].lemma in ("size", "amount") and not exact:
            return 0
        if self.low(i) in ("count", "number", "frequency", "popularity") and not exact:
            self.notes.sorting.append(Sorting(said="count", descending=direction))
            return i + 1
        if self.low(i) in ("it", "that", "them", "this"):
            self.notes.sorting.append(Sorting(said="figure", descending=direction))
            return i + 1
        unit = unit_at(self.tokens, i)
        if unit and not self.column_named_exactly(i):
            self.notes.sorting.append(Sorting(unit=unit[0], descending=direction))
            return i + unit[1]
        tables = self.lexicon.tables_at(self.tokens, i)
        found = self.column_at(i)
        if found is None:
            if tables:
                label = self.lexicon.label(tables[0][0]) or self.lexicon.key(tables[0][0])
                if label:
                    self.notes.sorting.append(Sorting(known=self.lexicon.known[label[0]], descending=direction))
                    return i + tables[0][2]
            if i < len(self.tokens):
                typed = self.lexicon.typo((self.tokens[i].low,))
                if typed:
                    self.notes.sorting.append(Sorting(known=typed[0][0], descending=direction, said=self.low(i)))
                    return i + 1
            return 0
        known, j = found
        self.notes.sorting.append(Sorting(known=known, descending=direction, said=self.said(i, j - i)))
        self.last = known
        return j

    def _share(self, i: int) -> int:
        found = phrase_at(self.tokens, i, SHARES)
        if not found:
            return 0
        if self.column_named_exactly(i):
            return 0
        said = self.said(i, found[1]).casefold()
        self.sharing = "percent" if "percent" in said or "%" in said else "share"
        self.zone = "measure"
        self._reset()
        j = self.skip(i + found[1], {"the", "all", "our", "of"})
        return j

    def _count(self, i: int) -> int:
        found = phrase_at(self.tokens, i, COUNTS)
        if not found:
            return 0
        meaning, n = found
        said = self.said(i, n).casefold()
        exact = self.lexicon.matches_at(self.tokens, i)
        if said in ("number", "count", "tally", "quantity of") and (
            any(m.score > 0.9 for m in exact) or self.low(i + n) in ("one",)
        ):
            return 0
        if said == "number" and self.low(i + 1) not in ("of", "per", "by"):
            return 0
        self.counting = "distinct" if meaning == "distinct" else "rows"
        if meaning == "distinct":
            self.notes.distinct = False
        self.zone = "measure"
        if said in ("how often", "how many times", "number of times"):
            self._count_now(Measure("count", None, "times", rows_of=self.subject))
        self.connector = ""
        j = i + n
        if said.startswith("how many") and self.low(j) == "of" and self.low(j + 1) in ("the", "our", "my", "these"):
            j += 2
        j = self.skip(j, {"the", "all", "our", "its", "their"})
        if self.low(j) in ("distinct", "different", "unique"):
            self.counting = "distinct"
            j += 1
        if self.low(j) in any_of("per by for in each grouped") or j >= len(self.tokens):
            self._count_now(Measure("count", None, "rows", rows_of=self.subject))
        elif unit_at(self.tokens, j) and not exact and not self.lexicon.matches_at(self.tokens, j):
            unit, used = unit_at(self.tokens, j) or ("day", 1)
            if self.counting == "distinct" or self.low(j + used) in ("with", "where", "had", "have", "did"):
                dates = self.date_column(required=True)
                assert dates is not None
                self._count_now(
                    Measure(
                        "count_distinct",
                        Bucket(dates.column, unit, self.zone_name(dates)),
                        self.said(j, used),
                        known=dates,
                    )
                )
                return j + used
        return j

    def _count_now(self, measure: Measure) -> None:
        self.notes.measures.append(measure)
        self.counting = ""
        self.last = measure

    def _counted_thing(self, i: int, how: str) -> tuple[Measure, int]:
        """What is counted at i: rows of a table, or the different values of a column."""
        i = self.skip(i, any_of("the all their different distinct of"))
        tables = [t for t in self.lexicon.tables_at(self.tokens, i) if t[1] >= 0.6]
        if tables and how == "rows":
            return Measure("count", None, self.said(i, tables[0][2]), rows_of=tables[0][0]), i + tables[0][2]
        if i < len(self.tokens) and self.lexicon.row_noun(self.tokens[i], self.subject):
            return Measure("count", None, self.tokens[i].low, rows_of=self.subject), i + 1
        found = self.column_at(i)
        if found:
            known, j = found
            if known.sort == "number" and known.additive and how == "rows":
                return Measure("sum", known.column, self.said(i, j - i), known=known), j
            return Measure("count_distinct", known.column, self.said(i, j - i), known=known), j
        return Measure("count", None, "rows", rows_of=self.subject), i

    def _limit(self, i: int) -> int:
        """ "top 5", "first 10 rows", "limit 3", "the 5 most expensive", "bottom three"."""
        low = self.low(i)
        if low in ("limit", "limited") or (
            low == "only" and self.low(i + 1) in ("show", "return", "give") and quantity_at(self.tokens, i + 2)
        ):
            j = self.skip(i + 1, any_of("to show return give me the by it them first top results"))
            number = quantity_at(self.tokens, j)
            if number:
                self.notes.limit = int(number.value)
                j += number.length
                return self.skip(j, any_of("rows results records entries lines row items only"))
            return 0
        if low in any_of(
            "top bottom first last best worst highest lowest largest biggest smallest latest newest oldest "
            "earliest any random cheapest longest shortest heaviest"
        ):
            j = i + 1
            number = quantity_at(self.tokens, j) if j < len(self.tokens) else None
            if (
                number is None
                or number.ordinal
                or number.unit
                or number.value != int(number.value)
                or not 0 < number.value < 100_000
            ):
                return 0
            if (
                low == "last"
                and self.tokens[j + number.length : j + number.length + 1]
                and self.tokens[j + number.length].lemma in SPANS
            ):
                return 0
            count = int(number.value)
            after = j + number.length
            if low in ("any", "random"):
                self.notes.limit = count
                return after
            if low in ("first", "last"):
                if low == "first":
                    self.notes.limit = count
                    self.last = "limit"
                    self.names.setdefault("limit", 1)
                    return self.skip(after, {"few"})
                self.notes.best = Best(True, count, self.said(i, after - i), words="date", parameter=True)
                self.best_open = True
                return after
            grade = SUPERLATIVES.get(low, "low" if low == "bottom" else "high")
            words, more = GRADES[grade]
            descending = more
            if low == "bottom":
                descending = False
            if grade in ("old", "young"):
                return self._graded_best(i, after, grade, count)
            self.notes.best = Best(descending, count, self.said(i, after - i), words=words, parameter=True)
            self.best_open = True
            return self._best_key(after, self.notes.best)
        number = quantity_at(self.tokens, i)
        if (
            number
            and not number.unit
            and not number.ordinal
            and number.value == int(number.value)
            and 0 < number.value < 100_000
        ):
            j = i + number.length
            j = self.skip(j, {"single", "very"})
            grade_word = self.low(j)
            if (
                grade_word in SUPERLATIVES and grade_word not in ("max", "maximum", "min", "minimum", "first")
            ) or grade_word in ("most", "least", "fewest"):
                return self._superlative(j, int(number.value))
        return 0

    def _graded_best(self, i: int, after: int, grade: str, count: int | None) -> int:
        known = self.graded(grade, self.subject)
        descending = GRADES[grade][1]
        best = Best(descending, count, self.said(i, after - i), parameter=count is not None)
        if known is not None:
            best.by = known
            if known.sort == "date":
                best.descending = not descending
        else:
            best.words = "date"
            best.descending = not descending
        self.notes.best = best
        self.best_open = True
        return after

    def graded(self, grade: str, table: str) -> Known | None:
        """The column of the table that an adjective grades, when it is clear which."""
        words, _ = GRADES.get(grade, ("", True))
        if not words:
            return None
        for choice in words.split("|"):
            if (
                choice in ("date", "year")
                and grade in ("old", "young")
                and PERSONS & set(self.lexicon.table_words[table])
            ):
                continue
            if choice == "date":
                return self.date_column(table=table)
            found = [k for k in self.lexicon.with_words(table, choice.split()) if k.sort in ("number", "date")]
            if found:
                by_word = [k for k in found if any(w in k.words for w in choice.split()[:1])]
                group = by_word or [found[0]]
                if choice.startswith("birth"):
                    group = [k for k in found if k.sort == "date"] or group
                if len(group) > 1:
                    whole = [k for k in group if len(k.words) == 1]
                    if len(whole) == 1:
                        return whole[0]
                    names = tuple(k.column.name for k in group)
                    raise no("ambiguous", f"{grade!r} may be by {' or '.join(names)}; say which", names)
                return group[0]
        return None

    def _superlative(self, i: int, count: int | None = None) -> int:
        low = self.low(i)
        start = i
        if low in ("most", "least", "fewest") or (low == "the" and self.low(i + 1) in ("most", "least", "fewest")):
            if low == "the":
                i, low = i + 1, self.low(i + 1)
            return self._most(i, count)
        if low not in SUPERLATIVES:
            return 0
        if low in ("max", "maximum", "min", "minimum") and count is None:
            return 0
        nxt = self.low(i + 1)
        if low == "first" and (nxt in any_of("name names time class half quarter of") or unit_at(self.tokens, i + 1)):
            return 0
        if low == "last" and (
            nxt in ("name", "names")
            or nxt in SPANS
            or (self.tokens[i + 1 : i + 2] and self.tokens[i + 1].lemma in SPANS)
            or nxt in WEEKDAYS
            or nxt in MONTHS
        ):
            return 0
        if (
            low == "last"
            and self.tokens[i + 1 : i + 2]
            and (self.tokens[i + 1].kind == "number" or self.lexicon.typo(()) or quantity_at(self.tokens, i + 1))
        ):
            return 0
        if low in ("last",) and self.zone == "filter" and self.connector == "" and not self._noun_ahead(i + 1):
            return 0
        if (
            count is None
            and self.low(i + 1) in ("and", "or", ",", "&")
            and self.low(self.skip(i + 2, {"the"})) in SUPERLATIVES
        ):
            second = self.skip(i + 2, {"the"})
            found = self.column_at(self.skip(second + 1, {"the"}))
            if found and found[0].sort in ("number", "date"):
                for word in (low, self.low(second)):
                    more = GRADES[SUPERLATIVES[word]][1]
                    self.notes.measures.append(
                        Measure("max" if more else "min", found[0].column, found[0].column.name, known=found[0])
                    )
                self.last = self.notes.measures[-1]
                return found[1]
        if low in ("busiest", "quietest"):
            self._set_best(Best(low == "busiest", count, low, frequent=True, parameter=count is not None))
            unit = unit_at(self.tokens, i + 1)
            if unit and not self.column_named_exactly(i + 1):
                self.notes.groups.append(Key(unit=unit[0], asked=True))
                return i + 1 + unit[1]
            return i + 1
        if low in ("last", "first", "latest", "earliest") and self.event is not None and not self._noun_ahead(i + 1):
            best = Best(low in ("last", "latest"), count, low, by=self.event, of_rows=True, parameter=count is not None)
            self.event = None
            self._set_best(best)
            return i + 1
        grade = SUPERLATIVES[low]
        words, more = GRADES[grade]
        best = Best(more, count, low, words=words, parameter=count is not None)
        j = i + 1
        if count is None and j < len(self.tokens):
            number = quantity_at(self.tokens, j)
            if number and not number.unit and not number.ordinal and number.value == int(number.value):
                best.count, best.parameter, j = int(number.value), True, j + number.length
        if grade in ("late", "early", "new"):
            return self._latest(i, j, best, grade)
        nxt = self.low(j)
        participles = {
            "paid": "salary pay wage",
            "earning": "salary pay income",
            "selling": "quantity units sold",
            "rated": "rating score stars",
            "priced": "price",
            "scoring": "goals score points",
            "grossing": "revenue gross amount",
            "spending": "amount total spend",
            "performing": "",
            "populated": "population",
            "ranked": "rank rating",
            "valued": "value amount total",
            "weighing": "weight",
        }
        if nxt in ("earners", "earner") and grade in ("high", "low"):
            known = self._by_words(["salary", "pay", "income"])
            if known is not None:
                best.by, best.words, best.of_rows = known, "", True
                self._set_best(best)
                return j + 1
        if nxt in participles and grade in ("high", "low", "large") and not self.column_named_exactly(j):
            known = self._by_words(participles[nxt].split())
            if known is None:
                raise no("no-such-column", f"no column says what {low!r} {nxt!r} goes by", self.lexicon.nearest(nxt))
            best.by = known
            best.words = ""
            if nxt in ("selling", "grossing", "spending", "scoring"):
                best.function = "sum"
            self._set_best(best)
            best.of_rows = True
            return self._best_noun(j + 1)
        return self._best_target(i, j, best, grade, start)

    def _noun_ahead(self, i: int) -> bool:
        return (
            bool(self.lexicon.tables_at(self.tokens, i))
            or bool(self.lexicon.matches_at(self.tokens, i))
            or (i < len(self.tokens) and self.tokens[i].lemma in ROWS)
        )

    def _by_words(self, words: list[str]) -> Known | None:
        """A numeric column for these words: in the subject, else in a table next to it."""
        tables = [self.subject, *(t.name for t in self.lexicon.schema.tables if t.name != self.subject)]
        for table in tables:
            if self.graph.path(self.subject, table) is None:
                continue
            found = self.lexicon.with_words(table, words, "number")
            if found:
                first = [k for k in found if words[0] in k.words] or found[:1]
                whole = [k for k in first if len(k.words) == 1] or first
                if len(whole) > 1:
                    names = tuple(self._full(k) for k in whole)
                    raise no("ambiguous", f"it may go by {' or '.join(names)}; say which", names)
                return whole[0]
        return None

    def _set_best(self, best: Best) -> None:
        if self.notes.best is not None and not self.notes.best.plain_first:
            raise no(
                "not-understood", f"{self.notes.best.said!r} and {best.said!r} in one request; ask for one at a time"
            )
        self.notes.best = best
        self.last = best

    def _best_noun(self, i: int) -> int:
        return self.skip(i, {"the"})

    def _best_key(self, i: int, best: Best) -> int:
        """What follows "top 5": a measure word means that column's highest values; a noun is left to be read as the subject."""
        j = self.skip(i, {"the", "most", "highest", "of"} if self.low(i) != "most" else {"the"})
        if self.low(j) == "most":
            self.notes.best = None
            return self._most(j, best.count)
        if self.low(i) in ("most", "highest", "cheapest", "best"):
            pass
        participle = self.low(j)
        if participle in ("earners", "earner"):
            best.by = self._by_words(["salary", "pay", "income"])
            best.words, best.of_rows = "", True
            return j + 1 if best.by is not None else j
        if participle in any_of("selling paid earning rated scoring spending grossing priced"):
            self.notes.best = None
            k = self._superlative_of(j, best)
            if k:
                return k
        aggregate = phrase_at(self.tokens, j, AGGREGATES)
        matches = self.lexicon.matches_at(self.tokens, j)
        if aggregate and not (matches and matches[0].length > aggregate[1]):
            k = self.skip(j + aggregate[1], {"the", "of"})
            found = self.column_at(k, "number")
            if found:
                best.by, best.function = found[0], AGGREGATE_OF[aggregate[0]]
                return found[1]
        tables = self.lexicon.tables_at(self.tokens, j)
        found = self.column_at(j) if matches and not (tables and tables[0][1] >= matches[0].score - 0.05) else None
        if (
            found
            and found[0].sort == "number"
            and not found[0].identifier
            and not (
                j < len(self.tokens)
                and self.lexicon.row_noun(self.tokens[j], self.subject)
                and found[0].additive is not False
                and matches[0].score < 0.93
            )
        ):
            best.by = found[0]
            best.words = ""
            self.notes.shown.append(Shown(found[0], self.said(j, found[1] - j)))
            self.last = found[0]
            return found[1]
        if found and found[0].sort == "date" and matches[0].score > 0.9:
            best.by = found[0]
            self.notes.shown.append(Shown(found[0], self.said(j, found[1] - j)))
            return found[1]
        if best.words and not best.by:
            grade = SUPERLATIVES.get(best.said.split()[0].lower(), "")
            best.by = self.graded(grade, self.subject) if grade in GRADES and GRADES[grade][0] else None
        best.of_rows = True
        return j

    def _superlative_of(self, j: int, best: Best) -> int:
        participles = {
            "paid": "salary pay wage",
            "earning": "salary pay income",
            "selling": "quantity units sold",
            "rated": "rating score stars",
            "priced": "price",
            "scoring": "goals score points",
            "grossing": "revenue gross amount",
            "spending": "amount total spend",
        }
        word = self.low(j)
        known = self._by_words(participles[word].split())
        if known is None:
            raise no("no-such-column", f"no column says what {word!r} goes by", self.lexicon.nearest(word))
        best.by, best.words, best.of_rows = known, "", True
        if word in ("selling", "grossing", "spending", "scoring"):
            best.function = "sum"
        self._set_best(best)
        return j + 1

    def _latest(self, i: int, j: int, best: Best, grade: str) -> int:
        """The latest order, the first purchase of each customer, the latest hire date."""
        best.descending = grade != "early"
        matches = self.lexicon.matches_at(self.tokens, j)
        tables = self.lexicon.tables_at(self.tokens, j)
        longer = bool(matches and tables and matches[0].length > tables[0][2])
        if (
            matches
            and matches[0].known.sort == "date"
            and (longer or not (tables and tables[0][1] >= matches[0].score))
        ):
            found = self.column_at(j, "date")
            if found:
                known, at = found
                if (
                    self.asking
                    or self.question == "who"
                    or self.low(i - 1) == "with"
                    or self.low(i - 2) == "with"
                    or best.count
                ):
                    best.by = known
                    self._set_best(best)
                else:
                    self.notes.measures.append(
                        Measure("max" if best.descending else "min", known.column, self.said(j, at - j), known=known)
                    )
                return at
        date_known = self.date_column(table=self.subject) or None
        best.by = date_known
        best.words = "date"
        best.of_rows = True
        self._set_best(best)
        if (
            matches
            and not tables
            and matches[0].known.sort in ("number", "text")
            and matches[0].score > 0.7
            and not (j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject))
        ):
            found = self.column_at(j)
            if found:
                self.notes.shown.append(Shown(found[0], self.said(j, found[1] - j)))
                self.last = found[0]
                return found[1]
        return j

    def _best_target(self, i: int, j: int, best: Best, grade: str, start: int) -> int:
        """What a superlative grades: a figure, a column, or the rows of a table."""
        j = self.skip(j, any_of("the single possible recorded observed measured ever overall"))
        words = GRADES[grade][0]
        counted = phrase_at(self.tokens, j, COUNTS)
        if counted and not self.column_named_exactly(j):
            measure, at = self._counted_thing(j + counted[1], "distinct" if counted[0] == "distinct" else "rows")
            best.function, best.rows_of = measure.function, measure.rows_of
            best.by = measure.known
            self._set_best(best)
            return at
        aggregate = phrase_at(self.tokens, j, AGGREGATES)
        matches = self.lexicon.matches_at(self.tokens, j)
        if aggregate and not (matches and matches[0].length > aggregate[1] and matches[0].score > 0.9):
            k = self.skip(j + aggregate[1], {"the", "of"})
            found = self.column_at(k, "number")
            if found is None:
                derived = self._derived_at(k)
                if derived is None:
                    return 0
                self.notes.measures.append(Measure(AGGREGATE_OF[aggregate[0]], derived[0], derived[1]))
                best.function = AGGREGATE_OF[aggregate[0]]
                self._set_best(best)
                return derived[2]
            best.by, best.function = found[0], AGGREGATE_OF[aggregate[0]]
            self._set_best(best)
            return found[1]
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6]
        column = self.column_at(j) if matches else None
        table_wins = bool(tables) and (column is None or tables[0][1] >= matches[0].score - 0.05)
        if column and words and column[0].sort == "date" and grade not in ("old", "young", "new", "late", "early"):
            graded = self.graded(grade, column[0].column.table)
            if graded is not None:
                best.by = graded
                self._set_best(best)
                self.notes.shown.append(Shown(column[0], self.said(j, column[1] - j), asked=True))
                return column[1]
        if column and not table_wins and column[0].sort in ("number", "date") and not column[0].identifier:
            known, at = column
            of_who = self.asking or self.question in ("who", "which") or self._after_with(start)
            if of_who or best.count is not None or (self.subject_noted and self.zone == "filter"):
                best.by = known
                self._set_best(best)
                if not of_who and best.count is not None:
                    self.notes.shown.append(Shown(known, self.said(j, at - j)))
                return at
            self.notes.measures.append(
                Measure("max" if GRADES[grade][1] else "min", known.column, self.said(j, at - j), known=known)
            )
            self.zone = "measure"
            self.aggregates = []
            self.last = self.notes.measures[-1]
            return at
        if words:
            known_graded = self.graded(grade, self.subject)
            if known_graded is None and tables:
                known_graded = self.graded(grade, tables[0][0])
            if (
                known_graded is None
                and best.words != "date"
                and not (words.endswith("date") and self.date_column(table=self.subject))
            ):
                raise no(
                    "no-such-column",
                    f"no column says what is {best.said!r}",
                    self.lexicon.nearest(words.split("|")[0].split()[0]),
                )
            best.by = known_graded
            if known_graded is not None and known_graded.sort == "date" and grade in ("old", "young"):
                best.descending = not best.descending
            best.of_rows = True
            unit = unit_at(self.tokens, j)
            self._set_best(best)
            if unit and not self.column_named_exactly(j):
                self.notes.groups.append(Key(unit=unit[0], asked=True))
                if known_graded is not None and known_graded.sort == "number":
                    best.function = "max" if best.descending else "min"
                return j + unit[1]
            return j
        if low_value := self._derived_at(j):
            self.notes.measures.append(Measure("sum", low_value[0], low_value[1]))
            best.function = "sum"
            self._set_best(best)
            return low_value[2]
        if grade in any_of("large big great small high low") and tables:
            sizes = self.lexicon.with_words(
                tables[0][0], "amount total size quantity area population value revenue price".split(), "number"
            )
            if len(sizes) == 1 or (sizes and sizes[0].words[-1:] in (("amount",), ("total",), ("size",))):
                best.by = sizes[0]
                best.of_rows = True
                self._set_best(best)
                return j
            if best.said in any_of("top best worst largest biggest smallest highest lowest"):
                best.of_rows = True
                self._set_best(best)
                self.best_open = True
                return j
        if best.said in any_of("top best worst largest biggest smallest highest lowest greatest"):
            row = j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject)
            if column or row:
                sizes = (
                    self.lexicon.with_words(
                        self.subject, "amount total size quantity area population value revenue".split(), "number"
                    )
                    if row and not column
                    else []
                )
                if len(sizes) == 1 or (sizes and sizes[0].words[-1:] in (("amount",), ("total",), ("size",))):
                    best.by = sizes[0]
                best.of_rows = True
                self._set_best(best)
                self.best_open = True
                return j
        return 0

    @property
    def subject_noted(self) -> bool:
        """Whether the rows that the request is about were named."""
        return self.subject_said or bool(self.mentioned)

    def _after_with(self, i: int) -> bool:
        """Whether the words before i are "with the", "has the", "had the"."""
        j = i - 1
        while self.low(j) in ("the", "a", "an", "single"):
            j -= 1
        return self.low(j) in any_of(
            "with has have had having of reached shows showed recorded got get gets earned earns scored "
            "generated brought reported saw made whose"
        )

    def _most(self, i: int, count: int | None) -> int:
        """ "most expensive", "most orders", "most common city", "sold the most", "the fewest"."""
        low = self.low(i)
        more = low == "most"
        best = Best(more, count, self.said(i, 1), parameter=count is not None)
        j = i + 1
        if (self.low(j) == "of" and self.low(j + 1) == "the") or (i > 0 and self.low(i - 1) == "at"):
            return 0
        nxt = self.low(j)
        if nxt in any_of(
            "common frequent popular often frequently commonly used visited requested ordered bought "
            "purchased sold borrowed viewed active read prolific loaned seen reported flown occurring "
            "prevalent busy rented watched played"
        ):
            if nxt in ("sold", "ordered", "bought", "purchased"):
                known = self._by_words(["quantity", "units", "sold"])
                if known is not None:
                    best.by, best.function = known, "sum"
                else:
                    best.frequent = True
            elif nxt == "popular" and self.lexicon.with_words(self.subject, ["rating", "popularity"], "number"):
                best.by = self.lexicon.with_words(self.subject, ["popularity", "rating"], "number")[0]
                best.of_rows = True
            else:
                best.frequent = True
            self._set_best(best)
            after = (
                self.skip(j + 1, any_of("used visited requested ordered occurring reported seen"))
                if nxt in any_of("common frequent popular frequently commonly often")
                else j + 1
            )
            return after
        if nxt in ("recent", "recently"):
            best.descending = more
            best.words = "date"
            k = j + 1
            return self._latest(i, k, best, "late" if more else "early")
        if nxt in GRADES and nxt not in ("most", "few", "least", "high", "low"):
            words, up = GRADES[nxt]
            best.words = words
            best.descending = up == more
            best.said = self.said(i, 2)
            if nxt in ("old", "young", "new", "late", "early"):
                return self._best_target(i, j + 1, best, nxt, i)
            return self._best_target(i, j + 1, best, nxt, i)
        best.words = ""
        j = self.skip(j, any_of("number of total the different distinct")) if nxt in ("number",) else j
        described = self._described_noun(j)
        if described:
            j = described
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6]
        matches = self.lexicon.matches_at(self.tokens, j) if j < len(self.tokens) else []
        money = j < len(self.tokens) and self.low(j) in ("money",)
        if money:
            known = self._by_words("amount total spend spent revenue price".split())
            if known is not None:
                best.by, best.function = known, "sum"
                self._set_best(best)
                return j + 1
        if tables and not (matches and matches[0].score > tables[0][1] + 0.05):
            best.rows_of, best.function = tables[0][0], "count"
            self._set_best(best)
            self.mention(tables[0][0])
            return j + tables[0][2]
        if matches:
            found = self.column_at(j)
            if found:
                known, at = found
                if known.sort == "number" and not known.identifier:
                    best.by, best.function = known, "sum" if known.additive else None
                elif j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject) and known.identifier:
                    best.rows_of, best.function = self.subject, "count"
                else:
                    best.by, best.function = known, "count_distinct"
                self._set_best(best)
                return at
        if j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject):
            best.rows_of, best.function = self.subject, "count"
            self._set_best(best)
            return j + 1
        # "sold the most", "spent the most": the verb before says of what
        for back in range(i - 1, max(-1, i - 4), -1):
            root = stem(self.low(back))
            for verb, words in VERBS.items():
                if stem(verb) == root:
                    known = self._by_words(words.split())
                    if known is not None:
                        best.by = known
                        best.function = "sum" if known.additive else None
                        self._set_best(best)
                        return i + 1
            if root in any_of("order buy purchas borrow fl visit"):
                best.frequent = True
                self._set_best(best)
                return i + 1
        derived = self._derived_at(j)
        if derived:
            self.notes.measures.append(Measure("sum", derived[0], derived[1]))
            best.function = "sum"
            self._set_best(best)
            return derived[2]
        return 0

    def _described_noun(self, j: int) -> int:
        """Take the adjective of "most cancelled flights" as a condition; the place of the noun, or 0."""
        if j + 1 >= len(self.tokens):
            return 0
        flags = self.values.flag_at(self.tokens, j)
        held = self.values.held_at(self.text, self.tokens, j)
        n = flags[0].length if flags else held[0].length if held and held[0].score > 0.84 else 0
        at = j + n
        if not n or at >= len(self.tokens):
            return 0
        if not self.lexicon.tables_at(self.tokens, at) and not self.lexicon.row_noun(self.tokens[at], self.subject):
            return 0
        return self._flag(j, flags) if flags else self._value(j, held)

    def _aggregate(self, i: int) -> int:
        found = phrase_at(self.tokens, i, AGGREGATES)
        if not found:
            return 0
        meaning, n = found
        said = self.said(i, n).casefold()
        j = self.skip(
            i + n,
            {"the", "of", "all", "our", "for"}
            if meaning != "sum" or self.low(i + n) != "for"
            else {"the", "of", "all", "our"},
        )
        matches = self.lexicon.matches_at(self.tokens, i)
        following = self.lexicon.matches_at(self.tokens, j) if j < len(self.tokens) else []
        if (
            matches
            and matches[0].score > 0.93
            and said in any_of("total totals max min average sum overall maximum minimum mean")
            and not (following and following[0].known.sort == "number")
        ):
            # the column called so, not the wish for a sum
            if not phrase_at(self.tokens, j, COUNTS):
                return 0
        counted = phrase_at(self.tokens, j, COUNTS)
        if counted and meaning == "sum" and not self.column_named_exactly(j):
            return j
        if counted and meaning == "avg" and not self.column_named_exactly(j):
            return self._average_of_counts(j + counted[1])
        if said == "total":
            for verb, words in VERBS.items():
                if stem(self.low(j)) == stem(verb) and self.low(j).endswith(("t", "d")):
                    known = self._by_words(words.split())
                    if known is not None:
                        self.notes.measures.append(Measure("sum", known.column, known.column.name, known=known))
                        self.zone = "measure"
                        self.last = self.notes.measures[-1]
                        return j + 1
        if said == "overall" and not following:
            return 0
        self.aggregates.append(AGGREGATE_OF[meaning])
        self.zone = "measure"
        k = self.skip(j, set())
        while self.low(k) in ("and", ",") and phrase_at(self.tokens, k + 1, AGGREGATES):
            more = phrase_at(self.tokens, k + 1, AGGREGATES)
            assert more is not None
            self.aggregates.append(AGGREGATE_OF[more[0]])
            k += 1 + more[1]
        while self.low(k) in (",", "and"):
            nxt = k + 1 if self.low(k + 1) != "and" else k + 2
            more = phrase_at(self.tokens, nxt, AGGREGATES)
            if not more:
                break
            self.aggregates.append(AGGREGATE_OF[more[0]])
            k = nxt + more[1]
        k = self.skip(k, {"the", "of", "values", "value", "for"}) if k > j else j
        self.connector = ""
        derived = self._derived_at(k)
        if derived and not (following and following[0].score > 0.85):
            for name in self.aggregates:
                self.notes.measures.append(Measure(name, derived[0], derived[1]))
            self.aggregates = []
            self.last = self.notes.measures[-1]
            return derived[2]
        return k

    def _average_of_counts(self, i: int) -> int:
        """Orders per customer on average: rows over different customers, where both are in one table."""
        measure, j = self._counted_thing(i, "rows")
        if self.low(j) in ("per", "by") or (self.low(j) in ("for", "of") and self.low(j + 1) == "each"):
            k = self.skip(j + 1, {"each", "every", "the"})
            key, at = self._key_at(k)
            if (
                key is not None
                and key.known is not None
                and measure.function == "count"
                and measure.rows_of == key.known.column.table
            ):
                ratio = Arithmetic("/", Aggregate("count"), Aggregate("count_distinct", key.known.column))
                self.notes.measures.append(Measure("avg", ratio, "average_count", known=key.known))
                return at
        raise no("cannot-answer", "an average of counts needs two steps; ask for the counts, or for their parts")

    def _lack(self, i: int) -> int:
        found = phrase_at(self.tokens, i, LACKING)
        if not found:
            return self._never(i)
        n = found[1]
        said = self.said(i, n).casefold()
        j = self.skip(i + n, any_of("the their its any a an single known valid"))
        if j >= len(self.tokens):
            return 0
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6 and t[0] != self.subject]
        matches = self.lexicon.matches_at(self.tokens, j)
        if tables and not (
            matches and matches[0].score > tables[0][1] and matches[0].known.column.table == self.subject
        ):
            self.notes.lacking.append(tables[0][0])
            self._reset()
            return j + tables[0][2]
        if said in ("no",) and not matches:
            return 0
        found_column = self.column_at(j)
        if found_column:
            known, at = found_column
            if is_flag(known.field) and said in ("without", "no", "not"):
                self.add(self.held_condition(Held(known, flag_values(known, False), 1, 1.0)), known)
            else:
                self.add(Empty(known.column), known)
            self.zone = "filter"
            while self.low(at) in ("and", "or", "nor", ","):
                nxt = self.skip(at + 1, {"a", "an", "the", "no", "any"})
                more = self.column_at(nxt)
                if (
                    more is None
                    or phrase_at(self.tokens, more[1], COMPARISONS)
                    or self.low(more[1]) in ("is", "are", "was", "=")
                ):
                    break
                self.connector = "or" if self.low(at) == "or" else "and"
                if said.startswith(("without", "with no", "no", "lack", "have no", "has no")) and self.low(at) in (
                    "or",
                    "nor",
                ):
                    self.connector = "and"
                self.add(Empty(more[0].column), more[0])
                at = more[1]
            return (
                self.skip(at, {"value", "values", "at", "all"})
                if self.low(at) in ("value", "values") or (self.low(at) == "at" and self.low(at + 1) == "all")
                else at
            )
        return 0

    def _never(self, i: int) -> int:
        """ "never ordered", "who did not order anything", "that have not been borrowed"."""
        words = [self.low(i + k) for k in range(4)]
        n = 0
        if words[0] == "never":
            n = 1
        elif words[0] in any_of("have has had did do does were was are is") and words[1] in (
            "not",
            "never",
        ):
            n = 2
        elif words[0] == "not" and words[1] in ("been", "have", "yet"):
            n = 1
        if not n:
            return 0
        j = self.skip(
            i + n,
            any_of("been yet ever have had actually placed made a an any single get got"),
        )
        if j >= len(self.tokens):
            return 0
        root = stem(self.low(j))
        for table in self.lexicon.schema.tables:
            if table.name == self.subject or self.graph.path(self.subject, table.name) is None:
                continue
            words_of = self.lexicon.table_words[table.name]
            related = {
                "buy": "order",
                "purchas": "order",
                "sell": "order",
                "borrow": "loan",
                "lend": "loan",
                "check": "loan",
                "visit": "visit",
            }
            if any(stem(w) in (root, stem(related.get(root, "\0"))) for w in words_of):
                self.notes.lacking.append(self._nearest_of(table.name, root))
                self._reset()
                return self.skip(
                    j + 1,
                    any_of("anything something any one yet so far ever by anyone anybody a single thing out from us"),
                )
        events = [k for k in self.lexicon.events.get(root, []) if k.column.table == self.subject]
        flags = [h for h in self.values.flag_at(self.tokens, j) if h.known.column.table == self.subject]
        held = [h for h in self.values.held_at(self.text, self.tokens, j) if h.score >= 0.85]
        perfect = words[0] in ("have", "has", "had") or "been" in words
        if flags or (held and not (perfect and len(events) == 1 and events[0].field.nullable)):
            return 0
        if len(events) == 1 and events[0].field.nullable:
            at = j + 1
            if self.low(at) not in any_of("in since on during before after between this last within today yesterday"):
                self.add(Empty(events[0].column), events[0])
                return self.skip(
                    at, {"yet", "at", "all"} if self.low(at) != "at" or self.low(at + 1) == "all" else {"yet"}
                )
        return 0

    def _nearest_of(self, table: str, root: str) -> str:
        """Of several tables with that word, the one nearest the subject."""
        path = self.graph.path(self.subject, table) or []
        return path[0].to_table if path else table

    def _filled(self, i: int) -> int:
        """ "with an email": the column is filled."""
        found = phrase_at(self.tokens, i, FILLED)
        if not found:
            return 0
        j = i + found[1]
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6 and t[0] != self.subject]
        match = self.lexicon.matches_at(self.tokens, j)
        if tables and not (match and match[0].score > tables[0][1]):
            after = j + tables[0][2]
            if self.low(after) in ("", ",", "and", "in") and "at least" not in self.said(i, found[1]):
                self.notes.existing.append(tables[0][0])
                return after
            if "at least one" in self.said(i, found[1]).casefold():
                self.notes.existing.append(tables[0][0])
                return after
            return 0
        if not match:
            return 0
        known_at = self.column_at(j)
        if known_at is None:
            return 0
        known, at = known_at
        if known.column.table != self.subject or is_flag(known.field):
            return 0
        if self._predicate_ahead(at, known) or quantity_at(self.tokens, at):
            return 0
        if self.low(at) in ("address", "number") and not known.identifier:
            at += 1
        self.add(Empty(known.column, negated=True), known)
        self.zone = "filter"
        return at

    def _predicate_ahead(self, at: int, known: Known) -> bool:
        j = self.skip(at, BE)
        if phrase_at(self.tokens, j, COMPARISONS) or phrase_at(self.tokens, j, TEXTS) or self.low(j) == "between":
            return True
        if phrase_at(self.tokens, j, TIME_WORDS) and known.sort == "date":
            return True
        if self.low(at) in ("of", "=", "is", "are") and j < len(self.tokens):
            return True
        return bool(self.tokens[at : at + 1]) and self.tokens[at].kind == "quote"

    def _key_at(self, i: int) -> tuple[Key | None, int]:
        """One group key at i and the place after it."""
        i = self.skip(i, any_of("the each every their its single individual different distinct given"))
        if i >= len(self.tokens):
            return None, i
        unit = unit_at(self.tokens, i)
        matches = self.lexicon.matches_at(self.tokens, i)
        tables = [t for t in self.lexicon.tables_at(self.tokens, i) if t[1] >= 0.6]
        if unit and not (matches and matches[0].score >= 0.96 and matches[0].known.sort != "date"):
            at = i + unit[1]
            chosen = None
            if self.low(at) in ("of", "they", "in"):
                k = self.skip(at + 1, any_of("the their were was which they"))
                column = self.column_at(k, "date")
                if column:
                    chosen, at = column
                else:
                    events = [
                        e for e in self.lexicon.events.get(stem(self.low(k)), []) if e.column.table == self.subject
                    ]
                    if len(events) == 1 and self.low(at) == "they":
                        chosen, at = events[0], k + 1
            if chosen is None and self.event is not None:
                chosen, self.event = self.event, None
            return Key(known=chosen, unit=unit[0]), at
        events = [e for e in self.lexicon.events.get(stem(self.low(i)), []) if e.column.table == self.subject]
        after_event = unit_at(self.tokens, i + 1) if len(events) == 1 else None
        if after_event and not (matches and matches[0].length > 1):
            return Key(known=events[0], unit=after_event[0]), i + 1 + after_event[1]
        # "signup month", "month of signup", "order year"
        if matches and matches[0].known.sort == "date":
            after = unit_at(self.tokens, i + matches[0].length)
            if after:
                known = self.choose(matches, "date")
                return Key(known=known, unit=after[0]), i + matches[0].length + after[1]
        longer = bool(matches and tables and matches[0].length > tables[0][2] and matches[0].score > 0.8)
        if tables and not longer and (not matches or tables[0][1] >= matches[0].score - 0.02 or matches[0].score < 0.8):
            here = [
                m for m in matches if m.known.column.table == self.subject and m.score >= 0.9 and not m.known.identifier
            ]
            name, _score, n = tables[0]
            if not here and not (
                name == self.subject and matches and matches[0].length >= n and matches[0].score >= 0.9
            ):
                if len(tables) > 1 and tables[1][1] >= tables[0][1] - 0.02 and tables[1][0] == self.subject:
                    name = tables[1][0]
                return Key(table=name), i + n
        found = self.column_at(i)
        if found:
            return Key(known=found[0]), found[1]
        if self.lexicon.row_noun(self.tokens[i], self.subject) and self.tokens[i].low == self.tokens[i].lemma:
            return Key(table=self.subject), i + 1
        if self.tokens[i].kind == "word" and self.low(i) not in FILLER:
            two = self.lexicon.typo((self.tokens[i].lemma,)) or self.lexicon.typo((self.tokens[i].low,))
            if two:
                return Key(known=self.choose([ColumnMatch(k, s, 1) for k, s in two])), i + 1
        return None, i

    def _grouping(self, i: int) -> int:
        found = phrase_at(self.tokens, i, GROUPS)
        unit = unit_at(self.tokens, i)
        if not found:
            adverbs = ("daily", "weekly", "monthly", "quarterly", "yearly", "annual", "annually", "hourly")
            if unit and self.low(i) in adverbs:
                self.notes.groups.append(Key(unit=unit[0]))
                return i + 1
            if self.zone == "group" and (self.connector or self.comma) and self.notes.groups:
                return self._next_key(i)
            if self.zone == "order" and (self.connector or self.comma) and self.notes.sorting:
                return self._next_sort(i)
            return 0
        n = found[1]
        word = self.said(i, n).casefold()
        j = i + n
        if word in ("each", "every", "across", "in each") and self.low(j) in ("other",):
            return 0
        if (
            word == "by"
            and self.best_open
            and self.notes.best is not None
            and self.notes.best.by is None
            and self.notes.best.function is None
        ):
            at = self._best_by(j)
            if at:
                return at
        if word == "by":
            held = self.values.held_at(self.text, self.tokens, self.skip(j, {"the"}))
            columns = self.lexicon.matches_at(self.tokens, self.skip(j, {"the"}))
            if held and held[0].score >= 0.85 and not (columns and columns[0].length >= held[0].length):
                self.hint = "by"
                return self.skip(j, {"the"})
            if self.tokens[j : j + 1] and self.tokens[j].kind == "quote":
                self.hint = "by"
                return j
        if word in ("each", "every") and self.zone == "measure" and not self.notes.measures:
            # "average salary each": fall through to the key
            pass
        key, at = self._key_at(j)
        if key is None:
            if (
                word == "by"
                and self.tokens[j : j + 1]
                and self.tokens[j].kind in ("word",)
                and self.tokens[j].text[:1].isupper()
            ):
                self.hint = "by"
                return j
            if word in (
                "by",
                "per",
                "for each",
                "in each",
                "grouped by",
                "group by",
                "for every",
                "broken down by",
                "split by",
            ):
                missing = self.said(j, min(2, len(self.tokens) - j)) if j < len(self.tokens) else ""
                if not missing:
                    raise no("not-understood", f"{word!r} needs a column after it")
                raise no(
                    "no-such-column", f"no column fits {missing!r} (after {word!r})", self.lexicon.nearest(missing)
                )
            return 0
        if (
            key.table == self.subject
            and word in ("of every", "of each", "for each", "for every", "every", "each")
            and not (self.notes.measures or self.aggregates or self.counting or self.notes.best)
        ):
            self.mention(key.table)
            self.zone = "filter"
            return at
        if (
            word == "by"
            and key.known is not None
            and key.unit is None
            and key.known.sort == "number"
            and not key.known.identifier
            and key.known.additive is not False
            and not self.notes.measures
            and not self.counting
        ):
            # "products by price": an order, not a group of every price
            self.notes.sorting.append(Sorting(known=key.known, said="by"))
            self.zone = "order"
            return at
        target = self.notes.groups
        if (
            self.notes.best is not None
            and (self.notes.best.of_rows or self.notes.best.by is not None or self.notes.best.plain_first)
            and not self.notes.measures
            and word not in ("by", "grouped by", "across")
        ):
            target = self.notes.best_per
        target.append(key)
        self.zone = "group"
        self._joined()
        self.last = key
        return at

    def _best_by(self, i: int) -> int:
        """The key after "top 5 customers by"."""
        best = self.notes.best
        assert best is not None
        before = len(self.notes.sorting)
        at = self._sort_key(i)
        if not at:
            derived = self._derived_at(self.skip(i, {"the", "total"}))
            if derived:
                self.notes.measures.append(Measure("sum", derived[0], derived[1]))
                best.function = "sum"
                self.best_open = False
                return derived[2]
            return 0
        sorting = self.notes.sorting.pop()
        assert len(self.notes.sorting) == before
        if sorting.measure is not None:
            best.function, best.by, best.rows_of = (
                sorting.measure.function,
                sorting.measure.known,
                sorting.measure.rows_of,
            )
        elif sorting.known is not None:
            best.by, best.word = sorting.known, sorting.said
            if sorting.known.sort not in ("number", "date"):
                self.notes.best = best
                if sorting.known.identifier:
                    best.rows_of, best.function, best.by = sorting.known.column.table, "count", None
        elif sorting.said == "count":
            best.frequent = True
        elif sorting.said == "sum":
            return 0
        self.best_open = False
        return at

    def _next_key(self, i: int) -> int:
        key, at = self._key_at(i)
        if key is None:
            return 0
        if (
            phrase_at(self.tokens, i, AGGREGATES)
            or phrase_at(self.tokens, i, COUNTS)
            or phrase_at(self.tokens, i, ORDERS)
        ):
            return 0
        if key.known is not None and key.unit is None:
            if self._predicate_ahead(at, key.known) or (
                key.known.sort == "number" and not key.known.identifier and key.known.additive is not None
            ):
                return 0
        held = self.values.held_at(self.text, self.tokens, i)
        if (
            held
            and key.known is not None
            and held[0].score > 0.9
            and held[0].length >= at - i
            and held[0].known is not key.known
            and not self.column_named_exactly(i)
        ):
            return 0
        self.notes.groups.append(key)
        self._joined()
        return at

    def _next_sort(self, i: int) -> int:
        j = self.skip(i, any_of("then by within that afterwards next secondarily finally"))
        if phrase_at(self.tokens, j, COUNTS) or phrase_at(self.tokens, j, ORDERS):
            return 0
        found = self.column_at(j)
        if found is None or self._predicate_ahead(found[1], found[0]):
            return 0
        at = self._sort_key(j)
        self._joined()
        return at

    def _ago(self, i: int) -> int:
        """ "older than 2 years", "more than 30 days ago", "in the last 30 days" is read as a period."""
        comparison: Comparison | None = None
        j = i
        low = self.low(i)
        if low in ("older", "newer", "younger", "longer") and self.low(i + 1) == "than":
            comparison, j = (">" if low in ("older", "longer") else "<"), i + 2
        else:
            found = phrase_at(self.tokens, i, COMPARISONS)
            if not found or found[0] not in (">", "<", ">=", "<="):
                return 0
            comparison, j = found[0], i + found[1]  # type: ignore[assignment]  # one of the four just named
        number = quantity_at(self.tokens, j)
        if number is None or number.unit not in any_of("d wk mo y h min"):
            return 0
        at = j + number.length
        ago = self.low(at) in ("ago", "back") or (self.low(at) == "old" and low not in ("older", "younger"))
        unit = {"d": "day", "wk": "week", "mo": "month", "y": "year", "h": "hour", "min": "minute"}[number.unit]
        if not ago and low not in ("older", "newer", "younger"):
            return 0
        known = self.last if isinstance(self.last, Known) and self.last.sort == "date" else None
        if (number.unit == "y" and low in ("older", "younger")) or self.low(at) in ("old",):
            ages = self.lexicon.with_words(self.subject, ["age"], "number")
            if ages and known is None:
                assert comparison is not None
                self.add(self.compare_number(ages[0], comparison, replace(number, unit="")), ages[0])
                return self.skip(at, {"old"})
            births = self.lexicon.with_words(self.subject, ["birth"], "date")
            known = known or (births[0] if births else None)
        if known is None:
            known = self.event or self.date_column(required=True)
        assert known is not None
        self.event = None
        moment = self.moment(known, self.calendar.ago(int(number.value), unit))
        assert comparison is not None
        flipped: Comparison = "<" if comparison in (">", ">=") else ">="
        self.add(Compare(known.column, flipped, self.parameter("until" if flipped == "<" else "since", moment)), known)
        self.zone = "filter"
        return self.skip(at, {"ago", "back", "old"})

    def _text_match(self, i: int) -> int:
        """ "contains", "starting with" and their like, about the column before or the name of the rows."""
        found = phrase_at(self.tokens, i, TEXTS)
        if not found:
            return 0
        how, n = found
        j = self.skip(i + n, any_of("the letter word a an text string letters phrase"))
        if j >= len(self.tokens):
            return 0
        if (
            how == "contains"
            and self.low(i) in ("like", "mention", "includes")
            and self.zone == "head"
            and self.low(i) == "like"
        ):
            return 0
        piece = self.tokens[j]
        known = self.last if isinstance(self.last, Known) and self.last.sort == "text" else None
        at = j + 1
        text = piece.text
        if piece.kind == "word":
            k = j
            while (
                k + 1 < len(self.tokens)
                and self.tokens[k + 1].kind == "word"
                and self.low(k + 1) not in STOPS
                and self.tokens[k + 1].text[:1].isupper()
                and piece.text[:1].isupper()
            ):
                k += 1
            while k + 1 < len(self.tokens) and self.text[self.tokens[k].end : self.tokens[k + 1].start] in (
                ".",
                "-",
                "_",
            ):
                k += 1
            text, at = self.said(j, k + 1 - j), k + 1
        elif piece.kind in ("symbol", "number"):
            k = j
            while k + 1 < len(self.tokens) and self.tokens[k + 1].start == self.tokens[k].end:
                k += 1
            text, at = self.said(j, k + 1 - j), k + 1
        if self.low(at) == "in":
            k = self.skip(at + 1, {"the", "their", "its"})
            column = self.column_at(k, "text")
            if column:
                known, at = column
        if known is None:
            held = self.values.held_at(self.text, self.tokens, j)
            if held and how == "contains" and all(h.known.column.table != self.subject for h in held):
                return self._value(j, held)
            label = self.lexicon.label(self.subject)
            if len(label) == 1:
                known = self.lexicon.known[label[0]]
            else:
                texts = [k for k in self.lexicon.of_table[self.subject] if k.sort == "text" and not is_flag(k.field)]
                if len(texts) != 1 or texts[0].field.vocabulary:
                    raise no("ambiguous", f"which column {how} {text!r}?", tuple(k.column.name for k in texts[:6]))
                known = texts[0]
        else:
            self._unshow(known)
        assert how in ("contains", "starts", "ends")
        value = self.parameter({"contains": "word", "starts": "beginning", "ends": "ending"}[how], text)
        self.add(Match(known.column, how, value, negated=self.negate), known)  # type: ignore[arg-type]  # asserted above
        self.zone = "filter"
        while (
            self.low(at) == "or"
            and at + 1 < len(self.tokens)
            and (
                self.tokens[at + 1].kind == "quote"
                or (piece.kind == "word" and len(piece.text) == 1 and len(self.low(at + 1)) == 1)
            )
        ):
            self.connector = "or"
            self.add(Match(known.column, how, self.parameter("word", self.tokens[at + 1].text)), known)  # type: ignore[arg-type]  # asserted above
            at += 2
        self.last = known
        return at

    def _unshow(self, known: Known) -> None:
        """What was taken for a column to show turns out to be one to filter by."""
        shown = self.notes.shown
        if shown and shown[-1].known is known and not shown[-1].asked:
            shown.pop()

    def _negation(self, i: int) -> int:
        found = phrase_at(self.tokens, i, NOT_WORDS)
        if not found:
            return 0
        said = self.said(i, found[1]).casefold()
        if said in ("skip", "minus the"):
            return 0
        j = i + found[1]
        if self.low(j) in ("only",):
            return 0
        self.negate = not self.negate if said in ("not",) and self.negate else True
        self.zone = "filter"
        if self.connector == "or":
            pass
        nxt = self.skip(
            j,
            any_of("the any in from those ones being been a an all yet where with by that are is have has"),
        )
        if nxt < len(self.tokens) and not self.lexicon.matches_at(self.tokens, j):
            return nxt
        return j

    def _left(self) -> Known | Measure | str | None:
        """What a comparison without a column before it is about."""
        last = self.last
        if isinstance(last, Measure):
            return last
        if isinstance(last, Known):
            return last
        if isinstance(last, Key):
            shown = self.notes.shown[-1] if self.notes.shown else None
            if not self.notes.measures and shown is not None and shown.known.additive and shown.known.sort == "number":
                # "revenue per customer over 100": the sum of each is compared, not its rows
                self.notes.shown.pop()
                self.notes.measures.append(Measure("sum", shown.known.column, shown.said, known=shown.known))
            if self.notes.measures:
                return self.notes.measures[-1]
        return None

    def _comparison(self, i: int) -> int:
        """An operator with a number or a date behind it."""
        found = phrase_at(self.tokens, i, COMPARISONS)
        operator: Comparison
        if found:
            operator, j = found[0], i + found[1]  # type: ignore[assignment]  # the table's meanings are comparisons
        else:
            number = quantity_at(self.tokens, i)
            if number is None:
                return 0
            after = phrase_at(self.tokens, i + number.length, AFTER_NUMBER)
            if not after:
                return 0
            operator, j = after[0], i  # type: ignore[assignment]  # the table's meanings are comparisons
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        j = self.skip(j, {"the", "of", "a", "an"} if not quantity_at(self.tokens, j) else set())
        if operator in ("=", "!=") and not quantity_at(self.tokens, j):
            return 0
        number = quantity_at(self.tokens, j)
        period = self.calendar.period_at(self.tokens, j)
        left = self._left()
        if (
            period
            and (number is None or period.length > 1 or (isinstance(left, Known) and left.sort == "date"))
            and not (isinstance(left, Known) and left.sort == "number")
        ):
            return self._time_bound(i, j, operator, period)
        if number is None:
            column = self.column_at(j)
            if column and isinstance(left, Known) and column[0].sort == left.sort:
                self._unshow(left)
                self.add(Compare(left.column, operator, column[0].column), left)
                self.zone = "filter"
                return column[1]
            if column and isinstance(left, Known):
                return 0
            if phrase_at(self.tokens, j, AGGREGATES) and isinstance(left, Known | Measure | None):
                raise no(
                    "cannot-answer",
                    "a comparison with an average or total of all rows needs two steps; ask for that figure first",
                )
            return 0
        at = j + number.length
        suffix = phrase_at(self.tokens, at, AFTER_NUMBER)
        if suffix and found is None:
            at += suffix[1]
        return self._compare_with(i, at, operator, number, left)

    def _compare_with(
        self, i: int, at: int, operator: Comparison, number: Quantity, left: Known | Measure | str | None
    ) -> int:
        # "more than 3 orders": a number of rows
        k = self.skip(at, any_of("different distinct unique total separate of the"))
        distinct = any(self.low(x) in ("different", "distinct", "unique", "separate") for x in range(at, k))
        if self.low(k) in ("times", "time"):
            rows = self.notes.existing.pop() if self.notes.existing else self.subject
            self.add_having(
                Having(
                    Measure("count", None, "times", rows_of=rows),
                    operator,
                    self.parameter(_bound(operator), int(number.value)),
                )
            )
            self._reset()
            return k + 1
        if k < len(self.tokens) and self.tokens[k].kind == "word" and not number.unit:
            tables = [t for t in self.lexicon.tables_at(self.tokens, k) if t[1] >= 0.6]
            matches = self.lexicon.matches_at(self.tokens, k)
            if tables and not (
                matches
                and matches[0].known.sort == "number"
                and not matches[0].known.identifier
                and matches[0].score > tables[0][1] - 0.02
            ):
                thing = tables[0][0]
                if thing != self.subject or len(self.lexicon.schema.tables) == 1:
                    measure = Measure("count", None, self.said(k, tables[0][2]), rows_of=thing)
                    self.mention(thing)
                    self.add_having(
                        Having(
                            measure,
                            operator,
                            self.parameter(
                                _bound(operator),
                                int(number.value) if number.value == int(number.value) else number.value,
                            ),
                        )
                    )
                    self._reset()
                    self.zone = "filter"
                    return k + tables[0][2]
            if (
                self.lexicon.row_noun(self.tokens[k], self.subject)
                and not (matches and matches[0].known.sort == "number" and not matches[0].known.identifier)
                and not (matches and matches[0].score > 0.93 and not matches[0].known.identifier)
            ):
                measure = Measure("count", None, self.tokens[k].low, rows_of=self.subject)
                self.add_having(Having(measure, operator, self.parameter(_bound(operator), int(number.value))))
                self._reset()
                self.zone = "filter"
                return k + 1
            if matches:
                column = self.column_at(k)
                if column:
                    known, after = column
                    if known.sort == "number" and not known.identifier:
                        if self._group_wanted(known):
                            measure = Measure("sum", known.column, self.said(k, after - k), known=known)
                            self.add_having(
                                Having(measure, operator, self.parameter(_bound(operator), self.fitted(known, number)))
                            )
                            self._reset()
                        else:
                            self.add(self.compare_number(known, operator, number), known)
                        self.zone = "filter"
                        return after
                    if (known.sort == "text" or known.identifier) and (
                        distinct or not isinstance(left, Known) or left.sort != "number"
                    ):
                        measure = Measure("count_distinct", known.column, self.said(k, after - k), known=known)
                        self.add_having(Having(measure, operator, self.parameter(_bound(operator), int(number.value))))
                        self._reset()
                        return after
        if isinstance(left, Measure) and left.of is None and not self.notes.groups and not self.notes.shown:
            # "how many patients under 18": a row is compared, not the count
            ages = self.lexicon.with_words(self.subject, ["age"], "number")
            if len(ages) == 1 and number.value < 130 and number.unit in ("", "y"):
                self.add(self.compare_number(ages[0], operator, replace(number, unit="")), ages[0])
                return at
            left = None
        if isinstance(left, Measure):
            self.add_having(Having(left, operator, self.parameter(_bound(operator), self._measure_value(left, number))))
            self._reset()
            return at
        if isinstance(left, Known):
            if left.sort == "number":
                self._unshow(left)
                self.add(self.compare_number(left, operator, number), left, value=operator == "=")
                self.zone = "filter"
                return at
            if left.sort == "text" and operator in ("=", "!="):
                self._unshow(left)
                self.add(Compare(left.column, operator, self.parameter(left.column.name, str(number.value))), left)
                return at
        ages = self.lexicon.with_words(self.subject, ["age"], "number")
        if len(ages) == 1 and number.value < 130 and number.unit in ("", "y") and self._people_before(i):
            known, number = ages[0], replace(number, unit="")
        else:
            known = self._by_unit(number)
        self.add(self.compare_number(known, operator, number), known)
        self.zone = "filter"
        self.last = known
        return at

    def _people_before(self, i: int) -> bool:
        """Whether the words before speak of people, so that a bare number is an age."""
        return any(t.lemma in PERSONS for t in self.tokens[:i])

    def _group_wanted(self, known: Known) -> bool:
        """Whether a figure of a group is meant: the things asked for are columns or another table."""
        return bool(self.notes.groups) and known.additive is True

    def _measure_value(self, measure: Measure, number: Quantity) -> object:
        if measure.known is not None and measure.function not in ("count", "count_distinct"):
            value = self.fitted(measure.known, number)
            return value
        if measure.share == "percent" or measure.share == "share":
            return float(number.value / 100) if measure.share == "share" and number.unit == "%" else float(number.value)
        return int(number.value) if number.value == int(number.value) else number.value

    def _by_unit(self, number: Quantity) -> Known:
        """The column that a bare amount compares with, when only one can be meant."""
        numbers = [
            k
            for k in self.lexicon.of_table[self.subject]
            if k.sort == "number" and not k.identifier and not is_flag(k.field)
        ]
        unit = number.unit
        if unit in CURRENCIES:
            money = [
                k
                for k in numbers
                if k.field.unit in CURRENCIES
                or k.field.meaning == "currency"
                or set(k.words)
                & any_of("amount total price cost revenue salary fee fare spend spent budget sale value")
            ]
            named = [k for k in money if k.field.unit == unit]
            money = named if len(named) == 1 else money
            if not money:
                for table in self.mentioned:
                    money += self.lexicon.with_words(table, ["amount", "total", "price", "revenue"], "number")
            pool = money
        elif unit == "%":
            pool = [
                k
                for k in numbers
                if k.field.unit == "%"
                or k.field.meaning == "percent"
                or set(k.words) & {"percent", "rate", "share", "discount", "humidity"}
            ]
        elif unit in ("deg", "°C", "°F"):
            pool = [k for k in numbers if "temperature" in k.words]
        elif unit == "y":
            pool = self.lexicon.with_words(self.subject, ["age", "experience", "tenure", "years"], "number")
        elif unit:
            pool = [
                k
                for k in numbers
                if (k.field.unit and converted(Decimal(1), unit, k.field.unit) is not None)
                or (_unit_of_name(k) and converted(Decimal(1), unit, _unit_of_name(k)) is not None)
            ]
            if not pool:
                words = {
                    "kg": "weight mass",
                    "g": "weight mass",
                    "km": "distance length",
                    "m": "height distance length depth elevation altitude",
                    "min": "duration",
                    "h": "duration hours",
                    "s": "duration",
                    "ms": "duration latency time",
                    "B": "bytes size",
                    "kB": "bytes size",
                    "MB": "bytes size",
                }.get(unit, "")
                pool = self.lexicon.with_words(self.subject, words.split(), "number")
        else:
            ranked = [
                [
                    k
                    for k in numbers
                    if k.words[-1:] in (("amount",), ("total",), ("revenue",), ("value",)) and len(numbers) >= 1
                ],
                numbers,
            ]
            prices = [k for k in numbers if k.words[-1:] in (("price",), ("cost",), ("salary",), ("fare",))]
            pool = numbers if len(numbers) == 1 else ranked[0] or prices
        pool = list(dict.fromkeys(pool))
        if len(pool) > 1:
            for preferred in ("total", "amount", "revenue", "price"):
                whole = [
                    k
                    for k in pool
                    if k.words in ((preferred,), (*self.lexicon.table_words[self.subject][-1:], preferred))
                ]
                if len(whole) == 1:
                    return whole[0]
            whole = [k for k in pool if k.words[0] in ("total", "grand")]
            if len(whole) == 1:
                return whole[0]
        if len(pool) == 1:
            return pool[0]
        names = tuple(k.column.name for k in (pool or numbers)[:6])
        raise no("ambiguous", f"which column is compared with {number.value}{' ' + unit if unit else ''}?", names)

    def _comparative(self, i: int) -> int:
        """ "longer than 30 minutes", "older than 40", "hotter than 30 degrees", "heavier than 2 kg"."""
        low = self.low(i)
        grade = COMPARATIVES.get(low)
        if grade is None:
            return 0
        up = GRADES[grade][1]
        j = i + 1
        if self.low(j) != "than":
            return 0
        number = quantity_at(self.tokens, j + 1)
        if number is None:
            return 0
        if (
            number.unit
            and number.unit not in ("y", "d", "mo", "wk")
            and grade in any_of("long short heavy light tall fast slow far deep large small")
        ):
            known = self._by_unit(number)
            bound: Comparison = ">" if up == (grade != "fast") or grade == "slow" else "<"
            if self.negate:
                bound, self.negate = OPPOSITE[bound], False
            self.add(self.compare_number(known, bound, number), known)
            self.zone = "filter"
            return j + 1 + number.length
        known = self.graded(grade, self.subject) if grade not in ("new", "late", "early") else None
        if known is None or known.sort != "number":
            if (
                known is not None
                and known.sort == "date"
                and grade in ("old", "young")
                and {"birth", "born"} & set(known.words)
            ):
                moment = self.moment(known, self.calendar.ago(int(number.value), "year"))
                self.add(Compare(known.column, "<" if grade == "old" else ">", self.parameter("born", moment)), known)
                return j + 1 + number.length
            raise no(
                "no-such-column",
                f"no column says what is {low!r}",
                self.lexicon.nearest(GRADES[grade][0].split("|")[0].split()[0] or low),
            )
        operator: Comparison = ">" if up else "<"
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        self.add(self.compare_number(known, operator, number), known)
        self.zone = "filter"
        return j + 1 + number.length

    def _between(self, i: int) -> int:
        low = self.low(i)
        if low not in ("between", "from", "ranging", "in") or (low == "in" and self.low(i + 1) not in ("between",)):
            return 0
        j = i + (2 if low == "in" or (low == "ranging" and self.low(i + 1) == "from") else 1)
        j = self.skip(j, {"the"})
        hours = self._clock_range(i, j)
        if hours:
            return hours
        left = self._left()
        first = self.calendar.period_at(self.tokens, j)
        number = quantity_at(self.tokens, j)
        if (
            first
            and not (isinstance(left, Known) and left.sort == "number" and not self._year_column(left))
            and not (isinstance(left, Measure) and number)
        ):
            k = j + first.length
            if self.low(k) in any_of("and to till until through - – up"):
                k2 = self.skip(k + 1, {"to", "the"})
                second = self.calendar.period_at(self.tokens, k2)
                if second:
                    return self._time_range(i, first, second, k2 + second.length)
            if self.tokens[k : k + 1] and self.tokens[k].text.strip() in ("–", "-", "—"):
                second = self.calendar.period_at(self.tokens, k + 1)
                if second:
                    return self._time_range(i, first, second, k + 1 + second.length)
            # "between 5 and 10 March 2021", "between Jan and Mar 2024": the year is said once
        if number is None:
            return 0
        k = j + number.length
        if self.low(k) not in ("and", "to") and not (
            self.tokens[k : k + 1] and self.tokens[k].text.strip() in ("–", "-", "—")
        ):
            return 0
        second_number = quantity_at(self.tokens, k + 1)
        if second_number is None:
            return 0
        if low == "from" and not isinstance(left, Known | Measure):
            return 0
        at = k + 1 + second_number.length
        unit = second_number.unit or number.unit
        low_q, high_q = replace(number, unit=unit), replace(second_number, unit=unit)
        if low_q.value > high_q.value:
            raise no(
                "cannot-answer",
                f"nothing lies between {low_q.value} and {high_q.value}: the range is the wrong way round",
            )
        if isinstance(left, Measure):
            self.add_having(Having(left, ">=", self.parameter("minimum", self._measure_value(left, low_q))))
            self.add_having(Having(left, "<=", self.parameter("maximum", self._measure_value(left, high_q))))
            self._reset()
            return at
        if isinstance(left, Known) and left.sort == "number":
            known = left
            self._unshow(left)
        else:
            column = self.column_at(at, "number")
            if column and not column[0].identifier:
                known, at = column
            else:
                tables = [t for t in self.lexicon.tables_at(self.tokens, at) if t[0] != self.subject]
                if tables:
                    measure = Measure("count", None, self.said(at, tables[0][2]), rows_of=tables[0][0])
                    self.add_having(Having(measure, ">=", self.parameter("minimum", int(low_q.value))))
                    self.add_having(Having(measure, "<=", self.parameter("maximum", int(high_q.value))))
                    return at + tables[0][2]
                known = self._by_unit(high_q)
        negated, self.negate = self.negate, False
        condition: Condition = And((self.compare_number(known, ">=", low_q), self.compare_number(known, "<=", high_q)))
        if negated:
            condition = Not(condition)
        self.add(condition, known)
        self.zone = "filter"
        return at

    def _year_column(self, known: Known) -> bool:
        return known.sort == "number" and "year" in known.words

    def _time_range(self, i: int, first: Period, second: Period, at: int) -> int:
        if first.month and second.start is not None and not second.month:
            start_day, _ = self.calendar.month_in_year(first.month, second.start.year, first.day)
            first = replace(first, start=start_day, month=0)
        known = self._date_for(i)
        if known.sort == "number":
            assert first.start is not None and second.start is not None
            self.add(
                And(
                    (
                        Compare(known.column, ">=", self.parameter("since", first.start.year)),
                        Compare(known.column, "<=", self.parameter("until", second.start.year)),
                    )
                ),
                known,
            )
            return at
        if first.month and second.month and not first.day:
            year = self._year_of_data(known)
            if year is None:
                self.notes.remarks.append(f"{first.label} to {second.label} of any year, as no year is said")
                bucket = Bucket(known.column, "month_of_year", self.zone_name(known))
                if first.month > second.month:
                    raise no("not-understood", f"{first.label} to {second.label} needs years")
                self.add(
                    And(
                        (
                            Compare(bucket, ">=", self.parameter("first_month", first.month)),
                            Compare(bucket, "<=", self.parameter("last_month", second.month)),
                        )
                    ),
                    known,
                )
                return at
            first = replace(first, start=date(year, first.month, 1), month=0)
            second = replace(
                second,
                start=date(year, second.month, 1),
                end=self.calendar.month_in_year(second.month, year)[1],
                month=0,
            )
        if first.month or second.month:
            year = self._year_of_data(known) or self.calendar.today.year
            if first.month:
                first = replace(first, start=self.calendar.month_in_year(first.month, year, first.day)[0], month=0)
            if second.month:
                second = replace(second, end=self.calendar.month_in_year(second.month, year, second.day)[1], month=0)
        start, end = self.moment(known, first.start), self.moment(known, second.end if second.end is not None else None)
        if first.ambiguous or second.ambiguous:
            raise no("ambiguous", f"the date {first.label!r} can be read in two ways; write it as year-month-day")
        conditions: list[Condition] = [Compare(known.column, ">=", self.parameter("since", start))]
        if end is not None:
            if str(end) <= str(start):
                raise no("cannot-answer", "the range of dates is the wrong way round")
            conditions.append(Compare(known.column, "<", self.parameter("until", end)))
        condition: Condition = conditions[0] if len(conditions) == 1 else And(tuple(conditions))
        if self.negate:
            condition, self.negate = Not(condition), False
        self.add(condition, known)
        self.zone = "filter"
        return at

    def _date_for(self, i: int) -> Known:
        """The date column a period at i is about: just named, of the verb just said, or the subject's own."""
        last = self.last
        if isinstance(last, Known) and (last.sort == "date" or self._year_column(last)):
            self._unshow(last)
            return last
        if self.event is not None:
            known, self.event = self.event, None
            return known
        found = self.date_column(required=True)
        assert found is not None
        return found

    def date_column(self, table: str = "", required: bool = False) -> Known | None:
        """The one date column of the subject that a time without a column means; a refusal when two may be meant."""
        near = [table or self.subject]
        if not table:
            measured = [m.known.column.table for m in self.notes.measures if m.known is not None]
            near = list(dict.fromkeys([*measured, self.subject, *self.mentioned]))
            near += [
                t.name
                for t in self.lexicon.schema.tables
                if t.name not in near
                and self.graph.path(self.subject, t.name)
                and not self.graph.widens(self.subject, t.name)
            ]
        for name in near:
            dates = self.lexicon.dates(name)
            if not dates:
                years = [
                    k
                    for k in self.lexicon.of_table[name]
                    if k.words in (("year",), (*self.lexicon.table_words[name][-1:], "year")) and k.sort == "number"
                ]
                if len(years) == 1 and required:
                    return years[0]
                continue
            chosen = self._main_date(name, dates)
            if chosen is not None:
                return chosen
            if required:
                names = tuple(self._full(k) for k in dates)
                raise no("ambiguous", f"which date is meant: {' or '.join(names[:4])}?", names)
        if required:
            raise no(
                "no-such-column", "the request speaks of time and there is no date column", self.lexicon.nearest("date")
            )
        return None

    def _main_date(self, table: str, dates: list[Known]) -> Known | None:
        if len(dates) == 1:
            return dates[0]
        noun = self.lexicon.table_words[table][-1:]
        secondary = set(
            "update updated modified changed due deleted shipped ship shipping delivered delivery deliver end ended closed expiry expires expire return returned birth dob paid payment last cancelled left termination discharge discharged resolved seen arrival processed approved promised".split()
        )
        by_noun = [k for k in dates if noun and noun[0] in k.words and not set(k.words) & secondary]
        if len(by_noun) == 1:
            return by_noun[0]
        plain = [
            k
            for k in dates
            if k.words in (("date",), ("time",), ("timestamp",), ("datetime",), ("day",), ("date", "time"))
        ]
        if len(plain) == 1:
            return plain[0]
        primary = [k for k in dates if not set(k.words) & secondary]
        if len(primary) == 1:
            return primary[0]
        return None

    def _time_bound(self, i: int, j: int, operator: Comparison, period: Period) -> int:
        known = self._date_for(i)
        at = j + period.length
        if known.sort == "number":
            if (
                period.start is None
                or period.end is None
                or ((period.end.year - period.start.year) != 1 and period.label.isdigit())
            ):
                raise no("cannot-answer", f"{known.column.name!r} holds years only")
            year = period.start.year
            if period.label != str(year) and operator == "=" and not period.label.endswith("year"):
                raise no("cannot-answer", f"{known.column.name!r} holds years only; {period.label} is finer")
            name = {"=": "year", "!=": "year", ">": "since", ">=": "since", "<": "until", "<=": "until"}[operator]
            self.add(Compare(known.column, operator, self.parameter(name, year)), known, value=True)
        else:
            negated, self.negate = self.negate, False
            condition = self.compare_period(known, operator, period)
            # "in 2021 or 2022", "yesterday and today": more periods of the same kind
            while (
                operator == "="
                and self.low(at) in ("or", "and")
                and (more := self.calendar.period_at(self.tokens, self.skip(at + 1, {"in", "on", "the"})))
            ):
                condition = _or(condition, self.compare_period(known, "=", more))
                at = self.skip(at + 1, {"in", "on", "the"}) + more.length
            self.add(negation(condition) if negated else condition, known)
        self.zone = "filter"
        self.last = None
        return at

    def _period(self, i: int) -> int:
        """A period with or without its preposition: "in March 2021", "since Monday", "last 30 days", "2021"."""
        found = phrase_at(self.tokens, i, TIME_WORDS)
        operator: Comparison = "="
        j = i
        bare = True
        if found:
            operator, j = found[0], i + found[1]  # type: ignore[assignment]  # the table's meanings are comparisons
            bare = False
            if (
                operator == "="
                and self.low(i) == "of"
                and not self.calendar.period_at(self.tokens, self.skip(j, {"the"}))
            ):
                return 0
        j = (
            self.skip(
                j,
                {"the", "year", "month", "of"}
                if not bare and self.calendar.period_at(self.tokens, self.skip(j, {"the", "year", "month", "of"}))
                else {"the"},
            )
            if not bare
            else j
        )
        clock = self._clock(i, j, operator)
        if clock:
            return clock
        # "30 days ago", "in the 30 days before today"
        number = quantity_at(self.tokens, j)
        if number is not None and number.unit in any_of("d wk mo y h min") and self.low(j + number.length) == "ago":
            unit = {"d": "day", "wk": "week", "mo": "month", "y": "year", "h": "hour", "min": "minute"}[number.unit]
            known = self._date_for(i)
            day = self.calendar.ago(int(number.value), unit)
            if bare or operator == "=":
                period = Period(
                    day, self.calendar.ago(int(number.value) - 1, "day") if unit == "day" else None, str(day), 1
                )
                if period.end is None:
                    return 0
                self.add(self.compare_period(known, "=", period), known)
            else:
                flipped: Comparison = ">=" if operator in (">", ">=") else "<"
                self.add(
                    Compare(
                        known.column,
                        flipped,
                        self.parameter("since" if flipped == ">=" else "until", self.moment(known, day)),
                    ),
                    known,
                )
            return j + number.length + 1
        period_found = self.calendar.period_at(self.tokens, j)
        if period_found is None:
            return 0
        token = self.tokens[j]
        if (
            token.low in any_of("sun mon sat may march second this current")
            and bare
            and period_found.length == 1
            and token.low not in ("march", "may")
        ):
            return 0
        if bare and token.kind == "number" and period_found.length == 1:
            # a plain year number: believed beside a date or year column and nothing else it may be
            after = self.skip(j + 1, set())
            if isinstance(self.last, Known) and self.last.sort == "number" and not self._year_column(self.last):
                return 0
            if isinstance(self.last, str) and self.last.startswith("table:") and not self.date_column():
                return 0
            if after < len(self.tokens) and self.tokens[after].kind == "symbol":
                return 0
        if bare and isinstance(self.last, Known) and self.last.sort == "text" and token.kind == "number":
            return 0
        number_after = self.low(j + period_found.length)
        if (
            number_after in any_of("to until till through – -")
            and not bare
            and self.low(i) in ("from", "between", "in")
        ):
            second_at = self.skip(j + period_found.length + 1, {"the"})
            second = self.calendar.period_at(self.tokens, second_at)
            if second:
                return self._time_range(i, period_found, second, second_at + second.length)
        if (
            operator == ">="
            and self.low(i) == "from"
            and self.low(j + period_found.length) not in ("on", "onwards", "onward")
        ):
            # "orders from 2021", "from last month" are within; "from 5 March onwards" is since
            operator = "="
        at = self._time_bound(i, j, operator, period_found)
        return (
            self.skip(at, {"onwards", "onward"})
            if self.low(at) in ("onwards", "onward")
            else (at + 1 if self.low(i) == "from" and self.low(at) == "on" else at)
        )

    def _hour_at(self, j: int) -> tuple[int, int] | None:
        """The full hour of the day at j ("6pm", "17:00", "9 o'clock") and how many tokens say it."""
        if j >= len(self.tokens) or self.tokens[j].kind not in ("number", "time"):
            return None
        suffix = self.low(j + 1)
        if self.tokens[j].kind == "time":
            hours, minutes = self.tokens[j].text.split(":")[:2]
            if minutes != "00":
                return None
            hour, n = int(hours), 2 if suffix in ("am", "pm") else 1
        elif suffix in ("am", "pm") or (suffix == "o" and self.low(j + 2) == "clock"):
            hour, n = int(Decimal(self.tokens[j].text)), 2 if suffix in ("am", "pm") else 3
        else:
            return None
        if suffix == "pm" and hour < 12:
            hour += 12
        if suffix == "am" and hour == 12:
            hour = 0
        return (hour, n) if hour < 24 else None

    def _clock(self, i: int, j: int, operator: Comparison) -> int:
        """ "after 6pm" is a condition on the hour of the day."""
        found = self._hour_at(j)
        if found is None or operator not in (">=", ">", "<", "<="):
            return 0
        known = self._date_for(i)
        bucket = Bucket(known.column, "hour_of_day", self.zone_name(known))
        later: Comparison = ">=" if operator in (">", ">=") else "<"
        self.add(Compare(bucket, later, self.parameter("hour", found[0])), known)
        self.zone = "filter"
        return j + found[1]

    def _clock_range(self, i: int, j: int) -> int:
        """ "between 9am and 5pm": from the first hour up to the second."""
        first = self._hour_at(j)
        if first is None or self.low(j + first[1]) not in ("and", "to", "until"):
            return 0
        k = j + first[1] + 1
        second = self._hour_at(k)
        if second is None or second[0] <= first[0]:
            return 0
        known = self._date_for(i)
        bucket = Bucket(known.column, "hour_of_day", self.zone_name(known))
        since = Compare(bucket, ">=", self.parameter("first_hour", first[0]))
        self.add(And((since, Compare(bucket, "<", self.parameter("last_hour", second[0])))), known)
        self.zone = "filter"
        return k + second[1]

    # ---------------------------------------------------------------- things: columns, values, tables

    def mention(self, table: str) -> None:
        """Remember that the request speaks of that table."""
        if table not in self.mentioned:
            self.mentioned.append(table)

    def _thing(self, i: int) -> int:
        token = self.tokens[i]
        if token.kind in ("comma", "symbol"):
            return 0
        held = self.values.held_at(self.text, self.tokens, i)
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.score >= 0.6]
        tables = [t for t in self.lexicon.tables_at(self.tokens, i) if t[1] >= 0.6]
        n_value = held[0].length if held else 0
        n_column = matches[0].length if matches else 0
        n_table = tables[0][2] if tables else 0
        if token.kind == "number" and (not n_value or n_value == 1):
            return 0
        if (
            token.low in FILLER
            and max(n_value, n_column, n_table) < 2
            and not (
                n_column
                and matches[0].score >= 0.99
                and token.low not in any_of("is the a of in to i on at by it me as up go us we")
            )
        ):
            return 0
        if (
            len(token.low) == 1
            and token.kind == "word"
            and not (n_column and matches[0].score >= 0.99)
            and token.text.islower()
        ):
            return 0
        derived = self._derived_at(i)
        if derived and not (matches and matches[0].score > 0.9) and not (n_value > 1):
            return self._measure_here(i, derived)
        # a value in a column of yes and no, or a state: "cancelled", "active"
        if n_value and n_value >= max(n_column, n_table) and not self._column_meant(i, matches, held):
            if not (tables and n_table >= n_value and held[0].score < 0.99):
                return self._value(i, held)
        if (
            tables
            and n_table >= n_column
            and not (matches and n_column == n_table and self._column_over_table(i, matches, tables))
        ):
            return self._table(i, tables)
        if matches:
            flags = self.values.flag_at(self.tokens, i)
            if flags and flags[0].length >= n_column and not self._flag_shown(i, flags[0]):
                return self._flag(i, flags)
            if self._rows_are(token, matches[0]):
                return 0
            if (
                matches[0].score < 0.85
                and self.lexicon.row_noun(token, self.subject)
                and token.lemma not in ("name",)
                and n_column == 1
                and (matches[0].known.identifier or matches[0].score < 0.8)
            ):
                return 0
            if (
                n_column == 1
                and matches[0].known.sort == "date"
                and (token.low.endswith("ed") or token.low in IRREGULAR)
                and self.low(i - 1) not in any_of("show list and , by per")
            ):
                done = self._verb(i)
                if done:
                    return done
            return self._column(i)
        if tables:
            return self._table(i, tables)
        flags = self.values.flag_at(self.tokens, i)
        if flags:
            return self._flag(i, flags)
        return 0

    def _rows_are(self, token: Token, match: ColumnMatch) -> bool:
        """Whether "patients" names the rows: each row is one, as its identifier tells."""
        if match.score > 0.83 or match.length > 1 or not self.lexicon.row_noun(token, self.subject):
            return False
        return any(
            k.identifier and token.lemma in k.words and k.field.values and k.field.distinct == k.field.values
            for k in self.lexicon.of_table[self.subject]
        )

    def _column_meant(self, i: int, matches: list[ColumnMatch], held: list[Held]) -> bool:
        """A word that is both a column and a value means the column after "per", "by" or "show", or before an operator."""
        if not matches or matches[0].score < 0.8:
            return False
        if held[0].length > matches[0].length:
            return False
        if held[0].score < matches[0].score:
            return True
        at = i + matches[0].length
        return self._predicate_ahead(at, matches[0].known) or self.low(i - 1) in any_of(
            "by per each of show list average total"
        )

    def _column_over_table(self, i: int, matches: list[ColumnMatch], tables: list[tuple[str, float, int]]) -> bool:
        best = matches[0]
        if (
            best.score >= tables[0][1]
            and best.known.column.table == self.subject
            and tables[0][0] != self.subject
            and not best.known.identifier
            and best.score > 0.9
        ):
            return True
        if best.score > tables[0][1] + 0.05:
            return True
        if (
            best.score >= 0.96
            and tables[0][0] == self.subject
            and self._predicate_ahead(i + best.length, best.known)
            and self.low(i + best.length) not in ("of", "is", "are")
        ):
            return True
        if self.aggregates and best.known.sort == "number" and best.score > 0.9:
            return True
        return False

    def _flag_shown(self, i: int, held: Held) -> bool:
        """ "show active": a column to show rather than a condition, when nothing follows that it could describe."""
        return self._predicate_ahead(i + held.length, held.known) or (
            held.known.sort == "number" and bool(self.aggregates)
        )

    def _table(self, i: int, tables: list[tuple[str, float, int]]) -> int:
        name, score, n = tables[0]
        tied = [t for t in tables if t[1] >= score - 0.01]
        if len(tied) > 1:
            if any(t[0] == self.subject for t in tied):
                name = self.subject
            else:
                raise no(
                    "ambiguous",
                    f"{self.said(i, n)!r} may mean the table {' or '.join(t[0] for t in tied[:4])}",
                    tuple(t[0] for t in tied),
                )
        at = i + n
        # "order 1042", "order number 1042", "customer #7"
        k = self.skip(at, {"number", "no", "id", "nr"})
        if self.tokens[k : k + 1] and self.tokens[k].text == "#":
            k += 1
        if (
            k < len(self.tokens)
            and (self.tokens[k].kind == "number" or (self.tokens[k].kind == "quote" and at == k))
            and not self.notes.limit
            and not self.counting
        ):
            done = self._identified(name, k)
            if done:
                return done
        self.mention(name)
        if self.counting:
            how = self.counting
            key = self.lexicon.key(name)
            if name != self.subject and self.subject_said and key and how == "rows":
                self._count_now(Measure("count", None, self.said(i, n), rows_of=name))
            else:
                self._count_now(Measure("count", None, self.said(i, n), rows_of=name))
        elif self.sharing and not self.share_rows:
            self._share_of_rows(name)
        elif self.aggregates:
            return self._aggregated_table(i, n, name)
        elif self.asking:
            self.asking = False
            self.notes.per_row_of = name
        elif name != self.subject and self.zone in ("filter", "head"):
            self._other_table(i, name)
        self.last = f"table:{name}"
        if self.zone == "measure":
            self.zone = "head"
        self._joined()
        return at

    def _other_table(self, i: int, name: str) -> None:
        """A second table named in passing: "customers who placed orders", "customers and their orders"."""
        before = [self.low(i - k) for k in range(1, 5)]
        if any(w in any_of("placed made have has with having had any bought ordered took who that") for w in before):
            if self.graph.path(self.subject, name) is not None:
                self.notes.existing.append(name)
                return
        if before[0] in any_of("of in from for the our all by to on their its"):
            if before[0] in ("their", "its") or (before[0] in ("and",)):
                self.notes.shown.extend(
                    Shown(self.lexicon.known[c], name) for c in self.lexicon.label(name) or self.lexicon.key(name)
                )

    def _aggregated_table(self, i: int, n: int, name: str) -> int:
        """ "total orders" counts rows; "average order value" was read as a column before."""
        at = i + n
        if set(self.aggregates) == {"sum"}:
            self.aggregates = []
            self._count_now(Measure("count", None, self.said(i, n), rows_of=name))
            return at
        # "average order per customer": the order's amount, if that is clear
        amounts = self.lexicon.with_words(name, ["amount", "total", "value"], "number")
        if self.low(at) in ("amount", "value", "size", "total", "price") or len(amounts) != 1:
            if self.low(at) in ("amount", "value", "size", "total", "worth") and amounts:
                for function in self.aggregates:
                    self.notes.measures.append(
                        Measure(function, amounts[0].column, amounts[0].column.name, known=amounts[0])
                    )
                self.aggregates = []
                self.last = self.notes.measures[-1]
                return at + 1
            if self.aggregates == ["avg"] and self.low(at) in ("per", "by"):
                return self._average_of_counts(i)
            # "average customer age": the noun only says whose
            self.mention(name)
            return at
        for function in self.aggregates:
            self.notes.measures.append(Measure(function, amounts[0].column, amounts[0].column.name, known=amounts[0]))
        self.aggregates = []
        self.last = self.notes.measures[-1]
        return at

    def _identified(self, table: str, k: int) -> int:
        """The row with that number or name."""
        token = self.tokens[k]
        key = self.lexicon.key(table)
        noun = self.lexicon.table_words[table][-1:]
        choices = [self.lexicon.known[c] for c in key] if len(key) == 1 else []
        choices += [
            x
            for x in self.lexicon.of_table[table]
            if x.words in ((*noun, "number"), (*noun, "id"), ("number",), ("id",), (*noun, "code")) and x not in choices
        ]
        if token.kind == "quote":
            held = [h for h in self.values.held_at(self.text, self.tokens, k) if h.known.column.table == table]
            return self._value(k, held) if held else 0
        for known in choices:
            number = Decimal(token.text.replace(",", "").replace("'", "")) if token.kind == "number" else None
            following = self.tokens[k + 1 : k + 2]
            if following and following[0].start == token.end and following[0].kind == "word":
                return 0
            if known.sort == "number" and number is not None and number == int(number):
                self.mention(table)
                self.add(Compare(known.column, "=", self.parameter(known.column.name, int(number))), known, value=True)
                self.notes.all_columns = self.notes.all_columns or not self.notes.shown
                self.last = known
                return k + 1
            if known.sort == "text" and (
                not known.field.examples or any(isinstance(e, str) and e.isdigit() for e in known.field.examples)
            ):
                self.mention(table)
                self.add(Compare(known.column, "=", self.parameter(known.column.name, token.text)), known, value=True)
                self.last = known
                return k + 1
        return 0

    def _value(self, i: int, held: list[Held]) -> int:
        """A stored value: a condition on the column that holds it."""
        n = held[0].length
        best = max(h.score for h in held)
        # an exact spelling in another table does not beat a near one in the subject
        pool = [h for h in held if h.score >= best - 0.06]
        chosen = self._choose_value(i, pool, n)
        at = i + n
        if isinstance(chosen, Held):
            after = self.column_at(at)
            if after and after[0] is chosen.known and not self._predicate_ahead(after[1], after[0]):
                at = after[1]
            last = self.last
            if (
                isinstance(last, Known)
                and last is chosen.known
                and self.notes.shown
                and self.notes.shown[-1].known is last
                and not self.notes.shown[-1].asked
            ):
                pass
            if self.sharing and not self.share_rows and not self.notes.measures and self._share_subject(at) is None:
                self.share_rows = True
            self.mention_by(chosen.known)
            self.add(self.held_condition(chosen), chosen.known, value=True)
            self.last = ("value", chosen.known)
        else:
            self.add(chosen, None, value=False)
            self.last = None
        self.hint = ""
        return at

    def mention_by(self, known: Known) -> None:
        """A value's table is spoken of."""
        if known.column.table != self.subject:
            self.mention(known.column.table)

    def _share_subject(self, at: int) -> str | None:
        tables = self.lexicon.tables_at(self.tokens, at)
        return tables[0][0] if tables else None

    def _choose_value(self, i: int, pool: list[Held], n: int) -> Held | Condition:
        if len(pool) == 1:
            return pool[0]
        last = self.last
        previous = last[1] if isinstance(last, tuple) and isinstance(last[1], Known) else last
        directed = self._directed(i, pool)
        if directed is not None:
            return directed
        if (self.connector or self.comma) and isinstance(previous, Known):
            same = [h for h in pool if h.known is previous]
            if len(same) == 1:
                return same[0]
        # the column's own name right behind or before: "New York office"
        after = self.lexicon.matches_at(self.tokens, i + n) if i + n < len(self.tokens) else []
        for match in after:
            same = [h for h in pool if h.known is match.known and match.score > 0.75]
            if len(same) == 1:
                return same[0]
        if isinstance(previous, Known):
            same = [h for h in pool if h.known is previous]
            if len(same) == 1:
                return same[0]
        for cue in ("home", "away"):
            if (
                self.low(i - 1) == cue
                or (self.low(i - 1) in ("at", "of", "by", "for", "the") and self.low(i - 2) == cue)
                or self.low(i + n) == cue
                or (self.low(i + n) in ("at", "played") and self.low(i + n + 1) == cue)
            ):
                same = [h for h in pool if cue in h.known.words]
                if len(same) == 1:
                    return same[0]
        return self._undirected(i, pool, n)

    def _directed(self, i: int, pool: list[Held]) -> Held | None:
        """The column that "from", "to" or "by" before the value points at."""
        before = self.low(i - 1) if self.low(i - 1) not in ("the", "a") else self.low(i - 2)
        directions = {
            "from": "from origin departure source start home depart sender",
            "leaving": "from origin departure source start",
            "departing": "from origin departure source start",
            "to": "to destination arrival target end dest recipient",
            "into": "to destination arrival target",
            "for": "destination to arrival",
            "via": "via stop",
            "by": "author writer artist director customer name agent by seller creator supplier",
        }
        words = set(directions.get(before, directions.get(self.hint, "")).split())
        same = [h for h in pool if set(h.known.words) & words]
        return same[0] if len(same) == 1 else None

    def _undirected(self, i: int, pool: list[Held], n: int) -> Held | Condition:
        """Nothing near says which column holds it: the subject's own, the nearest table's, or a refusal."""
        here = [h for h in pool if h.known.column.table == self.subject]
        if len(here) == 1:
            return here[0]
        if len(here) == 2 and {w for h in here for w in h.known.words} >= {"home", "away"}:
            self.notes.remarks.append(f"{self.said(i, n)} at home or away")
            return _or(self.held_condition(here[0]), self.held_condition(here[1]))
        if len(here) > 1:
            best = max(h.score for h in here)
            exact = [h for h in here if h.score == best]
            if len(exact) == 1 and best >= 0.99:
                return exact[0]
            names = tuple(h.known.column.name for h in here)
            raise no(
                "ambiguous", f"{self.said(i, n)!r} is a value of {' and of '.join(names[:4])}; say which column", names
            )
        steps = {
            h.known: len(self.graph.path(self.subject, h.known.column.table) or [0] * 9)
            + (1 if self.graph.widens(self.subject, h.known.column.table) else 0)
            for h in pool
        }
        nearest = min(steps.values())
        close = [h for h in pool if steps[h.known] == nearest]
        if len(close) == 1:
            return close[0]
        mentioned = [h for h in close if h.known.column.table in self.mentioned]
        if len(mentioned) == 1:
            return mentioned[0]
        names = tuple(self._full(h.known) for h in close)
        raise no(
            "ambiguous", f"{self.said(i, n)!r} is a value of {' and of '.join(names[:4])}; say which column", names
        )

    def _flag(self, i: int, flags: list[Held]) -> int:
        """An adjective for a yes-or-no column."""
        best = flags[0]
        pool = [f for f in flags if f.length == best.length and f.score >= best.score - 0.06]
        here = [f for f in pool if f.known.column.table == self.subject] or pool
        if len(here) > 1:
            names = tuple(self._full(f.known) for f in here)
            raise no("ambiguous", f"{self.said(i, best.length)!r} may mean {' or '.join(names)}", names)
        if self.sharing and not self.notes.measures:
            self.share_rows = True
        negated = self.low(i - 1) == "non"
        if negated and not self.negate:
            self.negate = True
        held = here[0]
        if self.negate:
            # a flag that is not yes is no: nulls stay out, as everywhere
            self.negate = False
            truth = flag_values(held.known, True)
            held = replace(held, stored=flag_values(held.known, held.stored != truth))
        self.add(self.held_condition(held), held.known)
        self.last = None
        return i + held.length

    def _column(self, i: int) -> int:
        """A column: compared with what follows, aggregated, counted, sorted or shown."""
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.score >= 0.6]
        n = matches[0].length
        label = self.lexicon.label(self.subject)
        close = {m.known.column for m in matches if m.score >= matches[0].score - 0.03}
        if len(label) == 2 and set(label) <= close and self.tokens[i].lemma == "name" and not self.counting:
            for column in label:
                self.notes.shown.append(Shown(self.lexicon.known[column], column.name))
            self._joined()
            self.last = None
            return i + n
        numeric_wanted = bool(self.aggregates)
        known = None
        found = (
            self.column_at(i, "number")
            if numeric_wanted and any(m.known.sort == "number" and m.score >= matches[0].score - 0.15 for m in matches)
            else None
        )
        if found is None:
            found = self.column_at(i)
        if found is None:
            return 0
        known, at = found
        said = self.said(i, n)
        plural = self.tokens[at - 1].low != self.tokens[at - 1].lemma
        # "price * quantity", "revenue minus cost"
        arithmetic = self._arithmetic_at(i, known, at)
        if arithmetic:
            return self._measure_here(i, arithmetic)
        if self.low(at) in ("of", "for", "from") and len(self.lexicon.schema.tables) > 1:
            k = self.skip(
                at + 1, {"the", "their", "its", "all", "our", "each"} - ({"each"} if self.low(at) == "for" else set())
            )
            tables = self.lexicon.tables_at(self.tokens, k)
            if tables and self.low(at) == "of" and tables[0][0] == known.column.table and tables[0][0] != self.subject:
                self.mention(tables[0][0])
                at = k + tables[0][2]
        predicate = (
            0 if (self.aggregates or self.counting) and not self._where_zone(i) else self._predicate(i, at, known)
        )
        if predicate:
            self.zone = "filter"
            return predicate
        if self.counting:
            return self._count_column(known, said, at)
        if self.sharing:
            return self._share_column(known, said, at, i)
        if self.aggregates:
            for function in self.aggregates:
                self._check_measure(function, known, said)
                self.notes.measures.append(Measure(function, known.column, said, known=known))
            self.aggregates = []
            self.zone = "measure"
            self._joined()
            self.last = self.notes.measures[-1]
            return self._total_after(at)
        if (
            self.zone == "measure"
            and (self.connector or self.comma)
            and self.notes.measures
            and self.notes.measures[-1].known is not None
            and known.sort == "number"
            and not known.identifier
            and self.notes.measures[-1].function not in ("count", "count_distinct")
        ):
            self.notes.measures.append(replace(self.notes.measures[-1], of=known.column, said=said, known=known))
            self._joined()
            self.last = self.notes.measures[-1]
            return at
        total = self._total_after(at)
        if total > at and known.sort == "number":
            self.notes.measures.append(Measure("sum", known.column, said, known=known))
            self.last = self.notes.measures[-1]
            return total
        if self.notes.measures and self.lexicon.entity(known) and plural and self._of_before(i):
            # "average age of the female patients": says whose, and shows nothing
            self._joined()
            return at
        if self.asking and known.sort != "number":
            self.asking = False
            self.notes.shown.append(Shown(known, said, plural, asked=True))
        elif (
            self.low(i - 1) in ("with", "having")
            and known.column.table == self.subject
            and known.field.nulls
            and not self.connector
            and self.zone != "head"
        ):
            raise no(
                "ambiguous",
                f"{said!r} to be shown, or to be filled?",
                (f"show {known.column.name}", f"with a {known.column.name}"),
            )
        else:
            self.asking = False
            self.notes.shown.append(Shown(known, said, plural, as_total=self.tokens[i].low == "total" and n > 1))
            if self.low(i - 1) == "with" or self.low(i - 2) == "with":
                self.notes.all_columns = self.notes.all_columns or (len(self.notes.shown) == 1 and self.subject_noted)
        self._joined()
        self.last = known
        if known.sort == "date":
            self.event = None
        return at

    def _of_before(self, i: int) -> bool:
        """Whether an "of" or "for" stands before i, with nothing but adjectives between."""
        for k in range(i - 1, max(-1, i - 5), -1):
            if self.low(k) in ("of", "for", "from", "among"):
                return True
            if self.low(k) in ("and", ",", "per", "by", "or"):
                return False
        return False

    def _where_zone(self, i: int) -> bool:
        """Whether the word before opens a condition."""
        return self.low(i - 1) in any_of("where whose with when having if") or (
            self.low(i - 1) in ("the", "a", "an") and self.low(i - 2) in ("where", "whose", "with")
        )

    def _total_after(self, at: int) -> int:
        """ "salary in total", "quantity altogether" ask for the sum."""
        if self.low(at) == "in" and self.low(at + 1) == "total":
            return at + 2
        if self.low(at) in ("altogether",):
            return at + 1
        return at

    def _check_measure(self, function: AggregateName, known: Known, said: str) -> None:
        if function in ("sum", "avg", "median", "stddev") and known.sort != "number":
            raise no(
                "cannot-answer",
                f"{known.column.name!r} holds no numbers to take the {function} of",
                tuple(k.column.name for k in self.lexicon.of_table[known.column.table] if k.sort == "number")[:6],
            )
        if function in ("sum", "avg", "median") and known.identifier:
            raise no("cannot-answer", f"{known.column.name!r} names things; its {function} means nothing")
        if is_flag(known.field) and known.sort != "number":
            raise no("cannot-answer", f"{known.column.name!r} is yes or no; ask for a count or a share")

    def _count_column(self, known: Known, said: str, at: int) -> int:
        if known.sort == "number" and not known.identifier and self.counting == "rows" and not is_flag(known.field):
            if known.additive is False:
                raise no(
                    "ambiguous",
                    f"a number of {said!r}: different values, or a total?",
                    (f"number of different {said}", f"total {said}"),
                )
            self._count_now(Measure("sum", known.column, said, known=known))
        elif self.counting == "rows" and known.identifier and known.column in self.lexicon.key(known.column.table):
            self._count_now(Measure("count", None, said, rows_of=known.column.table))
        elif self.counting == "rows" and known.sort == "date":
            self._count_now(Measure("count", known.column, said, known=known))
        else:
            self._count_now(Measure("count_distinct", known.column, said, known=known))
        self._joined()
        return at

    def _share_of_rows(self, name: str) -> None:
        self.share_rows = True
        self.share_mark = len(self.notes.parts)
        self.mention(name)

    def _share_column(self, known: Known, said: str, at: int, i: int) -> int:
        if known.sort == "number" and not known.identifier:
            self.notes.measures.append(Measure("sum", known.column, said, known=known, share=self.sharing))
            self.sharing = ""
            self.last = self.notes.measures[-1]
            return at
        self.share_rows = True
        self.last = known
        return at

    def _predicate(self, i: int, at: int, known: Known) -> int:
        """What follows a column as a condition on it: an operator and a value. The place after it, or 0."""
        j = at
        negated = False
        verb = False
        while j < len(self.tokens) and (self.low(j) in BE or self.low(j) in ("not", "never")):
            if self.low(j) in ("not", "never"):
                if phrase_at(self.tokens, j, EMPTY) and phrase_at(self.tokens, j, EMPTY)[1] > 1:  # type: ignore[index]  # just tested
                    break
                negated = not negated
            verb = verb or self.low(j) in any_of("is are was were equal be not has have")
            if phrase_at(self.tokens, j, COMPARISONS):
                break
            j += 1
        if j >= len(self.tokens):
            return 0
        text = phrase_at(self.tokens, j, TEXTS)
        if text and known.sort == "text":
            self.last = known
            self.negate = self.negate or negated
            return self._text_match(j)
        empty = phrase_at(self.tokens, j, EMPTY)
        if empty and (verb or self.low(j) in ("missing", "empty", "null", "blank", "set")):
            after = j + empty[1]
            held = self.values.held_at(self.text, self.tokens, j)
            if not (held and held[0].known is known):
                self.add(Empty(known.column, negated=(empty[0] == "filled") != negated), known)
                return after
        if known.sort == "date":
            return self._date_predicate(i, j, known, negated, verb)
        operator: Comparison = "="
        found = phrase_at(self.tokens, j, COMPARISONS)
        symbolic = False
        if found:
            operator, symbolic = found[0], True  # type: ignore[assignment]  # the table's meanings are comparisons
            j += found[1]
        elif self.low(j) in ("in", "of", "one", "either", "any") and (verb or self.low(j) == "of"):
            j = self.skip(j, any_of("in one of either any the"))
        if self.low(j) == "between":
            self.last = known
            self.negate = self.negate or negated
            return self._between(j)
        if self.low(j) == "from" and known.sort == "number" and quantity_at(self.tokens, j + 1):
            self.last = known
            return self._between(j)
        if negated:
            operator = OPPOSITE[operator]
        if j >= len(self.tokens):
            return 0
        j = self.skip(j, {"the", "a", "an"})
        if known.sort == "number":
            return self._number_predicate(i, j, known, operator, symbolic, verb)
        if is_flag(known.field):
            word = self.low(j)
            truth = {
                "yes": True,
                "true": True,
                "no": False,
                "false": False,
                "y": True,
                "n": False,
                "1": True,
                "0": False,
                "set": True,
            }.get(word)
            if truth is not None and (verb or symbolic or j == at):
                if operator == "!=":
                    truth = not truth
                self.add(self.held_condition(Held(known, flag_values(known, truth), 1, 1.0)), known)
                return j + 1
            return 0
        if known.sort == "text":
            return self._text_predicate(i, j, at, known, operator, symbolic, verb)
        return 0

    def _number_predicate(self, i: int, j: int, known: Known, operator: Comparison, symbolic: bool, verb: bool) -> int:
        number = quantity_at(self.tokens, j)
        if number is None:
            if symbolic or verb:
                column = self.column_at(j, "number")
                if column and (symbolic or operator != "="):
                    self.add(Compare(known.column, operator, column[0].column), known)
                    return column[1]
            return 0
        if not symbolic and not verb and (self.zone in ("group", "order") or self.aggregates):
            return 0
        if self._year_column(known):
            period = self.calendar.period_at(self.tokens, j)
            if period is not None and period.length > number.length:
                return 0
        after = j + number.length
        suffix = phrase_at(self.tokens, after, AFTER_NUMBER)
        if suffix and operator == "=":
            operator, after = suffix[0], after + suffix[1]  # type: ignore[assignment]  # the table's meanings are comparisons
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        self.add(self.compare_number(known, operator, number), known, value=operator in ("=",))
        # "3, 5 or 7"
        while operator in ("=", "!=") and self.low(after) in (",", "or", "and"):
            k = after + 1
            if self.low(k) in ("or", "and"):
                k += 1
            more = quantity_at(self.tokens, k)
            if more is None or (
                k + more.length < len(self.tokens)
                and self.tokens[k + more.length].kind == "word"
                and self.low(k + more.length) not in STOPS
            ):
                break
            extra = self.compare_number(known, operator, more)
            last = self.notes.parts[-1]
            merged = _merged(last.condition, extra) if operator == "=" else _and(last.condition, extra)
            if merged is None:
                break
            last.condition = merged
            after = k + more.length
        while (
            symbolic
            and operator not in ("=", "!=")
            and self.low(after) in ("or", "and")
            and (again := phrase_at(self.tokens, after + 1, COMPARISONS))
        ):
            more = quantity_at(self.tokens, after + 1 + again[1])
            if more is None:
                break
            tail = after + 1 + again[1] + more.length
            if tail < len(self.tokens) and self.lexicon.tables_at(self.tokens, tail) and not more.unit:
                break
            self.connector = "or" if self.low(after) == "or" else "and"
            self.add(self.compare_number(known, again[0], more), known)  # type: ignore[arg-type]  # the table's meanings are comparisons
            after = tail
        self.last = known
        return after

    def _date_predicate(self, i: int, j: int, known: Known, negated: bool, verb: bool) -> int:
        self.negate = self.negate or negated
        found = phrase_at(self.tokens, j, COMPARISONS)
        self.last = known
        if self.low(j) in ("between", "from"):
            at = self._between(j)
            if at:
                return at
        time = phrase_at(self.tokens, j, TIME_WORDS)
        operator: Comparison = "="
        k = j
        for each in (time, found):
            if each:
                operator, k = each[0], j + each[1]  # type: ignore[assignment]  # the tables' meanings are comparisons
                break
        k = self.skip(k, {"the"})
        period = self.calendar.period_at(self.tokens, k)
        if period is None:
            column = (
                self.column_at(k, "date")
                if (time or found) and k < len(self.tokens) and (operator != "=" or found)
                else None
            )
            if column and column[0] is not known:
                self.add(Compare(known.column, operator, column[0].column), known)
                return column[1]
            number = quantity_at(self.tokens, k)
            if (number and self.low(k + number.length) in ("ago",)) or (
                number and found and number.unit in ("d", "wk", "mo", "y") and self.low(k + number.length) == "ago"
            ):
                ago = self._ago(j)
                if ago:
                    return ago
                return self._period(j)
            if negated:
                self.negate = False
            return 0
        if operator == ">=" and self.low(j) == "from":
            operator = "="
        if not verb and not time and not found and self.zone in ("group", "order"):
            return 0
        return self._time_bound(j, k, operator, period)

    def _text_predicate(
        self, i: int, j: int, at: int, known: Known, operator: Comparison, symbolic: bool, verb: bool
    ) -> int:
        token = self.tokens[j]
        if operator not in ("=", "!="):
            column = self.column_at(j, "text")
            if column and column[0] is not known and symbolic:
                return 0
            number = quantity_at(self.tokens, j)
            if number is not None:
                after = j + number.length
                if after < len(self.tokens) and self._noun_ahead(after):
                    return 0
                shape = f"{known.column.name!r} holds text, not numbers"
                if known.additive or known.field.meaning in ("", "currency"):
                    raise no("cannot-answer", f"{shape}; it cannot be compared by size")
            return 0
        adjacent = j == at
        values: list[Value] = []
        end = j
        said_is = any(self.low(k) in ("is", "are", "was", "were", "equal") for k in range(at, j))
        while True:
            one, end2 = self._text_operand(
                end, known, adjacent and not values and not verb and not symbolic, bool(values), said_is or symbolic
            )
            if one is None:
                break
            values.extend(one)
            end = end2
            if self.low(end) in (",", "or", "and", "nor"):
                k = end + 1
                if self.low(k) in ("or", "and"):
                    k += 1
                follow, _ = self._text_operand(k, known, True, True)
                if follow is None:
                    break
                for value in follow:
                    self.names.pop(value.parameter, None)
                end = k
                continue
            break
        if not values:
            return 0
        del token
        condition: Condition
        if len(values) == 1:
            condition = Compare(known.column, operator, values[0])
        else:
            condition = OneOf(known.column, tuple(values), negated=operator == "!=")
        if operator == "!=" and self.negate:
            self.negate = False
        self.add(condition, known, value=operator == "=")
        if known.field.nulls and operator == "!=":
            self.notes.remarks.append(f"rows without a {known.column.name} are left out")
        self.last = ("value", known)
        return end

    def _means_something(self, j: int) -> bool:
        """Whether the word at j is a keyword, a table or a plain word in lower case that no stored value vouches for."""
        token = self.tokens[j]
        if token.low in SUPERLATIVES or token.low in COMPARATIVES or token.low in ("most", "least", "more", "less"):
            return True
        if any(
            phrase_at(self.tokens, j, table)
            for table in (AGGREGATES, COUNTS, ORDERS, DIRECTIONS, LACKING, NOT_WORDS, EMPTY)
        ):
            return True
        return bool(self.lexicon.tables_at(self.tokens, j)) or (token.kind == "word" and token.text.islower())

    def _text_operand(
        self, j: int, known: Known, strict: bool, following: bool, said_is: bool = False
    ) -> tuple[list[Value] | None, int]:
        """One value for a text column at j: quoted, stored, or (unless strict) words as written up to the next stop word."""
        if j >= len(self.tokens):
            return None, j
        token = self.tokens[j]
        name = spelled(known.column.name)
        if token.kind in ("quote", "literal"):
            stored = self.values.in_column(known, token.text) or (token.text,)
            return [self.parameter(name, v) for v in stored], j + 1
        for n in range(min(7, len(self.tokens) - j), 0, -1):
            if any(t.kind == "comma" for t in self.tokens[j : j + n]) and n > 1 and n > 4:
                continue
            stored = self.values.in_column(known, self.said(j, n))
            if stored:
                return [self.parameter(name, v) for v in stored], j + n
        for n in range(min(4, len(self.tokens) - j), 0, -1):
            if any(t.kind == "comma" for t in self.tokens[j : j + n]):
                continue
            asked = (
                [h for h in self.values.asked(self.text, self.tokens, j, n) if h.known is known]
                if token.low not in STOPS and not known.field.vocabulary
                else []
            )
            if asked:
                return [self.parameter(name, str(v)) for v in asked[0].stored], j + n
        if (
            strict
            or token.kind not in ("word", "number", "date")
            or token.low in STOPS
            or (token.low in FILLER and token.kind == "word")
        ):
            if strict and token.kind == "number" and known.identifier and not following:
                return [self.parameter(name, token.text)], j + 1
            return None, j
        near = self.values.near_in_column(known, token.low) if len(token.low) > 4 else ()
        if near and len(near) == 1:
            self.notes.remarks.append(f"{token.text!r} read as {near[0]!r}")
            return [self.parameter(name, near[0])], j + 1
        if self.lexicon.matches_at(self.tokens, j) and self.lexicon.matches_at(self.tokens, j)[0].score > 0.8:
            return None, j
        if not said_is or (known.field.vocabulary and token.kind != "number") or self._means_something(j):
            return None, j
        k = j
        glued = True
        while k + 1 < len(self.tokens) and self.tokens[k + 1].kind in ("word", "number"):
            glued = self.text[self.tokens[k].end : self.tokens[k + 1].start] in ("", "-", "_", ".")
            if not glued and not (self.tokens[k + 1].text[:1].isupper() and token.text[:1].isupper()):
                break
            k += 1
        text = self.said(j, k + 1 - j)
        if known.field.vocabulary and following:
            return None, j
        if known.field.vocabulary and not following:
            self.notes.remarks.append(f"no {known.column.name} {text!r} was seen in the sample")
        return [self.parameter(name, text)], k + 1

    # ---------------------------------------------------------------- derived figures

    def _derived_at(self, i: int) -> tuple[Expression, str, int] | None:
        """Revenue = price × quantity, profit = revenue − cost, where no column holds it."""
        if i >= len(self.tokens):
            return None
        word = self.tokens[i].lemma
        n = 1
        if word == "total" and self.low(i + 1) in ("sales", "revenue"):
            return self._derived_at(i + 1)
        if word not in any_of("revenue turnover sale profit margin spend spending earning income takings proceeds"):
            if self.low(i) in ("sales",):
                word = "sale"
            else:
                return None
        if word == "sale" and self._rows_called_sales(i):
            return None
        if word == "sale" and self.low(i + 1) in any_of("amount value revenue volume figure figures total"):
            n = 2
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.known.sort == "number" and m.score >= 0.6]
        if matches:
            return None
        found = self.derived(word)
        return (found, "revenue" if word == "sale" else word, i + n) if found is not None else None

    def derived(self, word: str) -> Expression | None:
        """The arithmetic that stands for revenue or profit, in the subject or a table that hangs together with it."""
        tables = [self.subject, *(t.name for t in self.lexicon.schema.tables if t.name != self.subject)]
        for table in tables:
            if self.graph.path(self.subject, table) is None:
                continue
            if word in ("profit", "margin"):
                revenue = self.lexicon.with_words(table, ["revenue", "sale", "amount"], "number")
                cost = self.lexicon.with_words(table, ["cost", "expense"], "number")
                if len(revenue) == 1 and len(cost) == 1:
                    return Arithmetic("-", revenue[0].column, cost[0].column)
                continue
            quantity = self.lexicon.with_words(table, ["quantity", "units"], "number")
            price = [k for k in self.lexicon.with_words(table, ["price"], "number")]
            if len(quantity) == 1 and len(price) == 1:
                product: Expression = Arithmetic("*", quantity[0].column, price[0].column)
                discount = self.lexicon.with_words(table, ["discount"], "number")
                if discount:
                    names = (f"{quantity[0].column.name} times {price[0].column.name}", discount[0].column.name)
                    raise no(
                        "ambiguous", f"{word} with or without {discount[0].column.name}? no column holds it", names
                    )
                return product
            if len(quantity) == 1 and not price:
                for edge in self.graph.edges[table]:
                    if not edge.widens:
                        price = self.lexicon.with_words(edge.to_table, ["price"], "number")
                        if len(price) == 1:
                            return Arithmetic("*", quantity[0].column, price[0].column)
        return None

    def _rows_called_sales(self, i: int) -> bool:
        """Whether "sales" at i means the rows of a table of sales rather than their worth."""
        named = bool(self.lexicon.tables_at(self.tokens, i)) or self.lexicon.row_noun(self.tokens[i], self.subject)
        if not named or self.low(i + 1) in any_of("amount value revenue volume figure figures"):
            return False
        if self.counting or self.tokens[i].low == "sale":
            return True
        if self.low(i - 1) in any_of("monthly weekly daily annual yearly quarterly"):
            return False
        if self.low(i + 1) == "by" and self.values.held_at(self.text, self.tokens, i + 2):
            return True
        worth = (
            self.aggregates
            or self.low(i + 1) in ("per", "by", "for", "each")
            or self.low(i - 1) in SUPERLATIVES
            or self.low(i - 1) == "most"
        )
        return not worth

    def _measure_here(self, i: int, derived: tuple[Expression, str, int]) -> int:
        functions: list[AggregateName] = self.aggregates or ["sum"]
        if not self.aggregates and isinstance(derived[0], Arithmetic) and derived[1].startswith("="):
            self.notes.measures.append(Measure("sum", derived[0], derived[1][1:]))
            self.last = self.notes.measures[-1]
            return derived[2]
        for function in functions:
            self.notes.measures.append(Measure(function, derived[0], derived[1], share=self.sharing))
        self.aggregates, self.sharing, self.counting = [], "", ""
        self.zone = "measure"
        self._joined()
        self.last = self.notes.measures[-1]
        return derived[2]

    def _arithmetic_at(self, i: int, left: Known, at: int) -> tuple[Expression, str, int] | None:
        signs = {
            "*": "*",
            "×": "*",
            "times": "*",
            "x": "*",
            "minus": "-",
            "/": "/",
            "+": "+",
            "less": "-",
            "multiplied": "*",
            "divided": "/",
        }
        sign = signs.get(self.low(at))
        if sign is None or left.sort != "number":
            return None
        if self.low(at) == "less" and self.low(at + 1) == "than":
            return None
        j = self.skip(at + 1, {"by", "the"})
        right = self.column_at(j, "number")
        if right is None:
            return None
        name = {"*": "product", "-": "difference", "/": "ratio", "+": "sum"}[sign]
        assert sign in ("+", "-", "*", "/")
        return Arithmetic(sign, left.column, right[0].column), name, right[1]  # type: ignore[arg-type]  # asserted above

    def _arithmetic_words(self, i: int) -> int:
        """ "difference between A and B", "ratio of A to B"."""
        word = self.low(i)
        if word not in ("difference", "ratio", "gap", "product"):
            return 0
        j = self.skip(i + 1, {"between", "of", "in", "the"})
        first = self.column_at(j, "number")
        if first is None or self.low(first[1]) not in ("and", "to", "over"):
            return 0
        second = self.column_at(self.skip(first[1] + 1, {"the"}), "number")
        if second is None:
            return 0
        sign = {"difference": "-", "gap": "-", "ratio": "/", "product": "*"}[word]
        assert sign in ("-", "/", "*")
        expression = Arithmetic(sign, first[0].column, second[0].column)  # type: ignore[arg-type]  # asserted above
        if self.aggregates:
            return self._measure_here(i, (expression, word, second[1]))
        raise no(
            "not-understood",
            f"the {word} for each row, or of the totals? say e.g. 'average {word} between …'",
            (f"average {word}", f"total {word}"),
        )

    # ---------------------------------------------------------------- what is left

    def _bare_number(self, i: int) -> int:
        """A number with nothing around it: the value of the column just named, or a limit before the rows' noun."""
        number = quantity_at(self.tokens, i)
        if number is None:
            return 0
        last = self.last
        if (
            self.tokens[i + 1 : i + 2]
            and self.tokens[i + 1].lemma in ("error", "response", "status")
            and not number.unit
        ):
            codes = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.sort == "number" and {"status", "code"} & set(k.words)
            ]
            if len(codes) == 1 and len(self.tokens[i].text) == 3:
                self.add(self.compare_number(codes[0], "=", number), codes[0], value=True)
                self.tokens[i + 1] = replace(self.tokens[i + 1], low="rows", lemma="row")
                return i + 1
        if (
            (self.connector or self.comma)
            and self.notes.parts
            and self.notes.parts[-1].value
            and self.notes.parts[-1].known is not None
            and self.notes.parts[-1].known.sort == "number"
        ):
            known = self.notes.parts[-1].known
            self.add(self.compare_number(known, "=", number), known, value=True)
            return i + number.length
        if number.length == 1 and not number.unit and self.tokens[i].kind == "number" and isinstance(last, tuple):
            return 0
        if (
            not number.unit
            and number.value == int(number.value)
            and self.zone == "head"
            and not self.notes.shown
            and not self.notes.measures
            and not self.notes.parts
            and i <= 4
        ):
            k = i + number.length
            if (
                k < len(self.tokens)
                and (
                    self.lexicon.tables_at(self.tokens, k)
                    or self.lexicon.row_noun(self.tokens[k], self.subject)
                    or self.tokens[k].lemma in ("example", "sample")
                )
                and self.low(i - 1) in ("me", "any", "show", "list", "get", "give", "see", "the", "")
            ):
                self.notes.limit = int(number.value)
                return k
        return 0

    def _verb(self, i: int) -> int:
        """Verbs that point at a column: "hired", "shipped", "earning", "born", "ordered"."""
        token = self.tokens[i]
        if token.kind != "word":
            return 0
        root = stem(token.low)
        events = [k for k in self.lexicon.events.get(root, []) if k.column.table == self.subject]
        if not events and root in ("join", "start", "employ", "hir"):
            events = [
                k
                for r in ("hir", "join", "start", "employ")
                for k in self.lexicon.events.get(r, [])
                if k.column.table == self.subject
            ]
        if not events and root in ("register", "signup", "creat", "join", "sign"):
            events = [
                k
                for r in ("register", "signup", "creat", "join", "registration")
                for k in self.lexicon.events.get(stem(r), [])
                if k.column.table == self.subject
            ]
        if not events and root in ("order", "plac", "buy", "purchas", "sell"):
            roots = ("order", "plac", "purchas", "sell", "sal", "buy")
            pool = [k for r in roots for k in self.lexicon.events.get(r, [])]
            events = [k for k in pool if k.column.table == self.subject] or pool[:1]
        if not events and root in ("depart", "arriv", "admit", "discharg", "deliver"):
            noun = {"depart": "departure", "arriv": "arrival", "admit": "admission", "deliver": "delivery"}.get(
                root, root
            )
            events = [k for k in self.lexicon.events.get(stem(noun), []) if k.column.table == self.subject]
        measured = [
            k
            for k in self.lexicon.of_table[self.subject]
            if k.sort == "number" and not k.identifier and any(stem(w) == root for w in k.words[:2])
        ]
        if not events and len(measured) == 1 and token.low.endswith(("ed", "ing")):
            ahead = self.skip(i + 1, {"by", "for", "a", "of"})
            if phrase_at(self.tokens, ahead, COMPARISONS):
                self.last = measured[0]
                return ahead
            if quantity_at(self.tokens, ahead):
                return self._number_predicate(i, ahead, measured[0], "=", True, False)
        if self.low(i + 1) == "by":
            doers = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.sort == "text" and len(root) > 3 and any(stem(w)[:6] == root[:6] for w in k.words)
            ]
            if len(doers) == 1:
                self.last, self.hint = doers[0], "by"
                return i + 2
        if not events and root in ("leav", "quit", "resign", "terminat", "exit"):
            events = [
                k
                for r in ("leav", "leave", "terminat", "termination", "exit", "end")
                for k in self.lexicon.events.get(stem(r), [])
                if k.column.table == self.subject
            ]
        if not events and token.low.startswith("un") and len(token.low) > 6:
            opposite = [k for k in self.lexicon.events.get(stem(token.low[2:]), []) if k.column.table == self.subject]
            if len(opposite) == 1:
                self.add(Empty(opposite[0].column), opposite[0])
                return i + 1
        if (
            root in ("buy", "purchas", "order", "sell", "bought")
            and not events
            and len(self.lexicon.schema.tables) == 1
        ):
            purchase = replace(token, lemma="purchase")
            if self.lexicon.row_noun(purchase, self.subject) and not self.values.flag_at(self.tokens, i):
                self.bought = True
                return i + 1
        if root == "pay" and self.low(i + 1) in ("by", "with", "in", "using", "via"):
            means = self.values.held_at(self.text, self.tokens, self.skip(i + 2, {"a", "the"}))
            if any(set(h.known.words) & {"payment", "method", "pay", "paid"} for h in means):
                return i + 2
        if root in ("spend", "sell", "earn") and self.low(self.skip(i + 1, {"the"})) in ("most", "least"):
            return i + 1
        if not events and root in ("publish", "releas"):
            years = [k for k in self.lexicon.of_table[self.subject] if k.sort == "number" and "year" in k.words]
            if len(years) == 1:
                self.last = years[0]
                return i + 1
        flags = self.values.flag_at(self.tokens, i)
        if flags and not events:
            return self._flag(i, flags)
        if len(events) == 1 or (events and len({k.column for k in events}) == 1):
            known = events[0]
            j = i + 1
            ahead = self.skip(j, any_of("their at the us company with items by out"))
            timed = self._time_ahead(j) or self._time_ahead(ahead)
            if timed:
                self.event = known
                self.last = known
                self._unevent()
                column = self._date_predicate(i, j, known, False, False)
                if column:
                    self.event = None
                    return column
                return j
            if self.question == "when":
                self.notes.shown.append(Shown(known, token.low))
                return j
            nothing_follows = self.low(j) in any_of("last first each per by every most earliest latest")
            if not token.low.endswith(("ed", "ing")) and token.low not in IRREGULAR:
                return 0
            if self.asking or self.question == "who" or not known.field.nulls or nothing_follows:
                self.event = known
                self._existence(root)
                return j
            if self.negate:
                self.negate = False
                self.add(Empty(known.column), known)
                return j
            self.add(Empty(known.column, negated=True), known)
            self.last = None
            return j
        if len(events) > 1:
            self.event = self._main_date(self.subject, events)
            if self.event is not None:
                return i + 1
            names = tuple(k.column.name for k in events)
            raise no("ambiguous", f"{token.text!r} may mean {' or '.join(names)}", names)
        for verb, words in VERBS.items():
            if stem(verb) == root:
                j = self.skip(i + 1, {"a", "the", "them", "us"})
                known_or_none = None
                for table in dict.fromkeys([self.subject, *self.mentioned]):
                    pool2 = self.lexicon.with_words(table, words.split(), "number")
                    if pool2:
                        first = [k for k in pool2 if k.words == pool2[0].words]
                        known_or_none = first[0] if len(first) == 1 else None
                        break
                if known_or_none is None:
                    far = self._by_words(words.split())
                    if (
                        far is not None
                        and far.additive
                        and self.graph.widens(self.subject, far.column.table)
                        and phrase_at(self.tokens, j, COMPARISONS)
                    ):
                        # "customers who spent more than 5000": the sum of each is compared
                        self.last = Measure("sum", far.column, far.column.name, known=far)
                        return j
                if known_or_none is None:
                    continue
                known = known_or_none
                if self.question == "how much" and not self.notes.measures and not self.notes.shown:
                    if known.additive:
                        self.notes.measures.append(Measure("sum", known.column, known.column.name, known=known))
                    else:
                        self.notes.shown.append(Shown(known, token.low))
                    self.last = known
                    return j
                self.last = known
                return j
        if self._existence(root):
            return i + 1
        if self.low(i - 1) in ("we", "they") and root in any_of("sell order buy offer stock carry us serv"):
            return i + 1
        return 0

    def _unevent(self) -> None:
        """A verb with a time behind it is a condition and shows nothing."""

    def _existence(self, root: str) -> bool:
        """ "customers who ordered": a partner must exist in the table the verb speaks of."""
        related = {
            "order": "order",
            "buy": "order",
            "purchas": "order",
            "borrow": "loan",
            "sell": "order",
            "book": "booking",
            "visit": "visit",
            "rent": "rental",
            "pay": "payment",
        }
        noun = related.get(root)
        if noun is None or len(self.lexicon.schema.tables) == 1:
            return False
        for table in self.lexicon.schema.tables:
            if noun in self.lexicon.table_words[table.name] and table.name != self.subject:
                path = self.graph.path(self.subject, table.name)
                if path:
                    if table.name not in self.notes.existing and self.subject_said:
                        self.notes.existing.append(path[0].to_table if len(path) == 1 else table.name)
                    self.mention(table.name)
                    return True
        return False

    def _time_ahead(self, j: int) -> bool:
        time = phrase_at(self.tokens, j, TIME_WORDS) or phrase_at(self.tokens, j, COMPARISONS)
        k = self.skip(j + time[1], {"the"}) if time else j
        if self.low(j) == "between":
            k = j + 1
        if self.calendar.period_at(self.tokens, k):
            return True
        number = quantity_at(self.tokens, k)
        if number and number.unit in ("d", "wk", "mo", "y"):
            return True
        column = (
            self.column_at(k, "date")
            if time and k < len(self.tokens) and self.low(j) in ("after", "before", "later", "earlier")
            else None
        )
        return column is not None

    def _row_noun(self, i: int) -> int:
        """A general word for the rows of the one table: "records", "matches"."""
        token = self.tokens[i]
        if token.kind != "word" or not self.lexicon.row_noun(token, self.subject):
            return 0
        if len(self.lexicon.schema.tables) > 1 and ROWS.get(token.lemma) and token.lemma not in ("person", "people"):
            return 0
        k = i + 1
        if (
            self.tokens[k : k + 1]
            and (self.tokens[k].kind == "number" or self.tokens[k].text == "#")
            and token.low == token.lemma
            and not self.counting
            and not self.notes.limit
        ):
            done = self._identified(self.subject, k + (self.tokens[k].text == "#"))
            if done:
                return done
        if self.counting:
            self._count_now(Measure("count", None, token.low, rows_of=self.subject))
        elif self.sharing and not self.share_rows:
            self.share_rows = True
            self.share_mark = len(self.notes.parts)
        elif self.aggregates == ["sum"]:
            self.aggregates = []
            self._count_now(Measure("count", None, token.low, rows_of=self.subject))
        if self.asking:
            self.asking = False
            self.notes.per_row_of = self.subject
        self.mention(self.subject)
        if token.low == "everything":
            self.notes.all_columns = True
            return self.skip(i + 1, {"about", "on", "for", "regarding", "concerning"})
        if token.low not in ("data", "dataset", "table", "result", "results"):
            self.last = f"table:{self.subject}"
        self._joined()
        return i + 1

    def _filler(self, i: int) -> int:
        token = self.tokens[i]
        if token.kind == "symbol":
            return i + 1 if token.text in ("&", "#") else 0
        if token.kind != "word":
            return 0
        low = token.low
        if low in any_of("where whose when who which that with having if for from in"):
            if self.zone in ("group", "order", "measure"):
                self.zone = "filter"
            if low in any_of("whose where with having that who which"):
                self.zone = "filter"
            if low == "by":
                self.hint = "by"
            return i + 1
        if low in ("all",) and self.zone == "head":
            return i + 1
        if low in any_of("columns fields column field value values attributes") and not self.lexicon.matches_at(
            self.tokens, i
        ):
            if low in ("columns", "fields"):
                self.notes.all_columns = self.notes.all_columns or self.low(i - 1) == "all"
            return i + 1
        if low in ("still", "currently", "now", "current", "presently"):
            return i + 1 if self._not_ended() else 0
        if low in ("alphabetically",):
            return i + 1
        if low in ("about", "regarding", "concerning") and self.notes.all_columns:
            return i + 1
        if low in ("total", "altogether", "overall") and self.notes.measures and self.low(i - 1) in ("in", ""):
            return i + 1
        if low in any_of("returned returning gave giving got answered") and quantity_at(self.tokens, i + 1):
            return i + 1
        if low in ("anything", "something", "anyone", "someone"):
            return i + 1
        if low in FILLER or (low in ("first", "then") and self.notes.sorting):
            return i + 1
        return 0

    def _not_ended(self) -> bool:
        """ "still": what has an end has not reached it; True when that was noted or nothing here ends."""
        endings = {
            "termination",
            "terminated",
            "discharged",
            "discharge",
            "returned",
            "end",
            "ended",
            "left",
            "leave",
            "closed",
            "exit",
            "resolved",
        }
        ending = [k for k in self.lexicon.dates(self.subject) if set(k.words) & endings and k.field.nullable]
        if len(ending) == 1 and not any(p.known is ending[0] for p in self.notes.parts):
            self.add(Empty(ending[0].column), ending[0])
        return len(ending) < 2

    def _slip(self, i: int) -> int:
        """A slip of the finger, or a value that only the whole source knows."""
        token = self.tokens[i]
        if token.kind in ("quote", "literal"):
            return self._quoted(i)
        # several words first: a name of a person or a town
        for n in range(min(4, len(self.tokens) - i), 0, -1):
            span = self.tokens[i : i + n]
            if any(t.kind in ("comma", "symbol", "quote") for t in span) or (
                n > 1 and (span[-1].low in STOPS or span[-1].low in FILLER)
            ):
                continue
            if (
                n == 1
                and token.kind != "word"
                and not (token.kind == "number" and i + 1 < len(self.tokens) and self.tokens[i + 1].start == token.end)
            ):
                continue
            held = self.values.asked(self.text, self.tokens, i, n)
            if held:
                return self._value(i, held)
        if token.kind != "word":
            return 0
        typed = self.lexicon.typo((token.low,)) or self.lexicon.typo((token.lemma,))
        held = self.values.typo_at(self.tokens, i)
        noun = [
            t
            for t in self.lexicon.table_words
            if self.lexicon.table_words[t] and _near(token.lemma, self.lexicon.table_words[t][-1])
        ]
        if noun and (len(self.lexicon.schema.tables) == 1 or len(noun) == 1):
            return self._table(i, [(noun[0], 0.9, 1)])
        keyword = _keyword_slip(token.low)
        if keyword:
            fixed = replace(token, low=keyword, lemma=lemma(keyword), text=keyword)
            self.tokens[i] = fixed
            self.notes.remarks.append(f"{token.text!r} read as {keyword!r}")
            for rule in (
                self._count,
                self._superlative,
                self._aggregate,
                self._grouping,
                self._sorting,
                self._direction,
                self._negation,
                self._comparison,
                self._lack,
                self._distinct,
                self._filler,
            ):
                j = rule(i)
                if j > i:
                    return j
            self.tokens[i] = token
        if typed and not held:
            known = self.choose([ColumnMatch(k, s, 1) for k, s in typed])
            assert known is not None
            self.notes.remarks.append(f"{token.text!r} read as {known.column.name!r}")
            fixed = replace(
                token, low="_".join(known.words), lemma=known.words[-1], text=known.column.name, kind="quote"
            )
            self.tokens[i] = fixed
            j = self._column(i)
            return j
        if held and not typed:
            self.notes.remarks.append(f"{token.text!r} read as {held[0].stored[0]!r}")
            return self._value(i, held)
        return 0

    def _quoted(self, i: int) -> int:
        """Quoted text that no vocabulary holds: asked of the source, else a value of the column just named."""
        held = self.values.asked(self.text, self.tokens, i, 1)
        if held:
            return self._value(i, held)
        known = self.last if isinstance(self.last, Known) and self.last.sort == "text" else None
        if known is None:
            return 0
        self._unshow(known)
        self.add(Compare(known.column, "=", self.parameter(known.column.name, self.tokens[i].text)), known, value=True)
        return i + 1

    def _finish(self) -> None:
        """What was opened and not closed by the end."""
        notes = self.notes
        said = (
            notes.shown
            or notes.measures
            or notes.groups
            or notes.parts
            or notes.having
            or notes.lacking
            or self.mentioned
        )
        if not (
            said or self.counting or self.aggregates or self.sharing or notes.best or notes.all_columns or notes.limit
        ):
            if not self.unexplained:
                raise no("not-understood", "this names nothing in the data", tuple(self.lexicon.table_words)[:6])
        if self.connector == "or":
            raise no("not-understood", "an 'or' with nothing behind it")
        if self.question == "how much" and not notes.measures and not notes.shown:
            raise no("not-understood", "how much of what? name a column")
        if self.counting:
            self._count_now(Measure("count", None, "rows", rows_of=self.subject))
        if self.aggregates:
            if self.aggregates == ["sum"] and self.notes.measures:
                self.aggregates = []
            else:
                raise no(
                    "not-understood",
                    f"{self.aggregates[0]} of what? name a column",
                    tuple(
                        k.column.name
                        for k in self.lexicon.of_table[self.subject]
                        if k.sort == "number" and not k.identifier
                    )[:8],
                )
        if self.negate:
            raise no("not-understood", "a 'not' with nothing behind it that it could deny")


# -------------------------------------------------------------------- conditions, combined


def negation(condition: Condition) -> Condition:
    """The opposite, with rows where it is unknown left out either way."""
    if isinstance(condition, Compare):
        return replace(condition, operator=OPPOSITE[condition.operator])
    if isinstance(condition, OneOf | Match | Empty):
        return replace(condition, negated=not condition.negated)
    if isinstance(condition, Not):
        return condition.of
    return Not(condition)


def _negated_already(condition: Condition) -> bool:
    return isinstance(condition, Match) and condition.negated


def _and(one: Condition, other: Condition) -> Condition:
    left = one.all if isinstance(one, And) else (one,)
    right = other.all if isinstance(other, And) else (other,)
    return And((*left, *right))


def _or(one: Condition, other: Condition) -> Condition:
    left = one.any if isinstance(one, Or) else (one,)
    return Or((*left, other))


def _merged(one: Condition, other: Condition) -> Condition | None:
    """Two equalities of the same column as one of several; None when they are not that."""
    sides: list[tuple[Expression, tuple[Value, ...], bool]] = []
    for condition in (one, other):
        if isinstance(condition, Compare) and condition.operator in ("=", "!=") and isinstance(condition.right, Value):
            sides.append((condition.left, (condition.right,), condition.operator == "!="))
        elif isinstance(condition, OneOf):
            sides.append((condition.left, condition.values, condition.negated))
        else:
            return None
    if sides[0][0] != sides[1][0] or sides[0][2] != sides[1][2]:
        return None
    return OneOf(sides[0][0], (*sides[0][1], *sides[1][1]), sides[0][2])


def _bound(operator: Comparison) -> str:
    return {">": "minimum", ">=": "minimum", "<": "maximum", "<=": "maximum"}.get(operator, "count")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _unit_of_name(known: Known) -> str:
    """The unit that a column's name ends with: weight_kg, duration_min, temp_c."""
    words = re.split(r"[_\s()]+", known.field.name.lower().strip(" )"))
    last = words[-1] if words else ""
    if last == "minutes" and len(words) == 1:
        return "min"
    return UNITS.get(last, UNITS.get(lemma(last), "")) if len(words) > 1 and len(last) <= 8 else ""


def _near(word: str, noun: str) -> bool:
    from rapidfuzz import fuzz

    return len(word) > 4 and len(noun) > 3 and word[0] == noun[0] and fuzz.ratio(word, noun) >= 84


KEYWORDS = (
    "average total number highest lowest maximum minimum between before after without except excluding sorted ordered descending ascending distinct unique "
    "different percentage median latest newest oldest greater higher cheapest largest biggest smallest please where which count"
).split()


def _keyword_slip(word: str) -> str:
    from rapidfuzz import fuzz, process

    if len(word) < 5:
        return ""
    hit = process.extractOne(word, KEYWORDS, scorer=fuzz.ratio, score_cutoff=87)
    return hit[0] if hit and hit[0][0] == word[0] else ""


__all__ = ["Best", "Function", "Having", "Key", "Measure", "NoAnswer", "Notes", "Reader", "Shown", "Sorting", "no"]
