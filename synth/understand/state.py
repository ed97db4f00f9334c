"""What one walk over a request knows and carries: the tokens, the schema, the notes, and what was said last."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from synth.plan import (
    AggregateName,
    And,
    Column,
    Condition,
    Elapsed,
    Empty,
    OneOf,
    Or,
    Value,
)
from synth.request import Task
from synth.understand.columns import ColumnMatch, Known, Lexicon, ends_in_minutes, holds_years, is_flag, missing_marks
from synth.understand.joins import Graph
from synth.understand.logic import both, either, merge, negated_already, negation
from synth.understand.notes import (
    PERSONS,
    Having,
    Key,
    Notes,
    Part,
    no,
)
from synth.understand.numbers_and_dates import (
    CURRENCIES,
    UNITS,
    Calendar,
    Quantity,
    converted,
)
from synth.understand.values import Held, Values
from synth.understand.vocabulary import GRADES, ROWS
from synth.understand.words import Token, any_of, lemma, spelled, stem

COMPARING = any_of("compare compares compared comparing comparison differ differs vary varies")
LASTING = (("minute",), ("hour",), ("day",), ("night",), ("week",), ("second",))
# An adjective → a unit of what it grades.
GRADED_IN = {
    "slow": "s",
    "fast": "s",
    "long": "s",
    "short": "s",
    "heavy": "kg",
    "light": "kg",
    "hot": "deg",
    "warm": "deg",
    "cold": "deg",
    "cool": "deg",
    "far": "km",
}
# What happens to a row, from its beginning on.
STAGES = (
    any_of("created creation placed ordered order"),
    any_of("issued issue registered signed opened start started begin began reported entered"),
    any_of("shipped ship sent dispatched"),
)


class State:
    """The state of one walk, and the small questions every rule asks of it."""

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
        self.predicating: Known | None = None
        self.rows_said = False
        self.place = -1
        self.totalled = False
        self.parts_at_comma: int | None = None
        self.stated: list[Known] = []
        self.lacked_at = -1
        self.called_rows = ""
        self.joined_rows = ""
        self.named_at: list[Token] = []

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

    def column_named_exactly(self, i: int) -> bool:
        """Whether the word at i is to the letter a column's name."""
        return any(m.score >= 0.96 for m in self.lexicon.matches_at(self.tokens, i))

    def mention(self, table: str) -> None:
        """Remember that the request speaks of that table."""
        if table not in self.mentioned:
            self.mentioned.append(table)

    def mention_by(self, known: Known) -> None:
        """A value's table is spoken of."""
        if known.column.table != self.subject:
            self.mention(known.column.table)

    def _reset(self) -> None:
        self.connector, self.comma, self.negate = "", False, False

    def _joined(self) -> None:
        """The word before was an "and" or a comma between things; an "or" between things is not understood."""
        if self.connector == "or":
            raise no("not-understood", "an 'or' that joins no two conditions; say it another way")
        self.connector, self.comma = "", False

    def add(self, condition: Condition, known: Known | None = None, value: bool = False) -> None:
        """Note a condition, joined as the words before it said."""
        parts = self.notes.parts
        joined = self.connector
        if (joined or self.comma) and value and parts and parts[-1].value and parts[-1].negated and not self.but:
            # "not in Berlin or Paris": the not holds for the whole list
            self.negate = self.negate or (known is not None and parts[-1].known is known)
        condition = self._or_marked_missing(condition)
        negated = self.negate
        far = known is not None and known.column.table != self.subject and self.subject_noted
        if far and known is not None and self.graph.widens(self.subject, known.column.table):
            # one of many partners: "never" would have to hold for all of them, "and" for two of them
            if negated:
                raise no(
                    "cannot-answer", f"{self.subject!r} without such rows of {known.column.table!r} need two steps"
                )
            if joined == "and" and value and parts and parts[-1].known is known:
                raise no(
                    "ambiguous", f"both or either of the values of {known.column.name!r}? say 'or' if either will do"
                )
        if self.negate and not negated_already(condition):
            condition = negation(condition)
        if (
            value
            and parts
            and parts[-1].value
            and parts[-1].known is known
            and parts[-1].negated == negated
            and known is not None
        ) and (joined or self.comma):
            if joined == "and" and self.bought and not negated and self.notes.shown:
                raise no(
                    "ambiguous",
                    f"both or either of the values of {known.column.name!r}? say 'or' if either will do",
                )
            merged = merge(parts[-1].condition, condition)
            if merged is not None:
                parts[-1] = replace(parts[-1], condition=merged)
                self._reset()
                return
        if joined == "or" and parts:
            before = parts.pop()
            if before.joined == "and" and parts and not self.comma:
                # "a and b or c": and binds closer, as everywhere
                earlier = parts.pop()
                before = Part(both(earlier.condition, before.condition), earlier.joined)
            parts.append(Part(either(before.condition, condition), before.joined, None, alternatives=True))
        elif joined == "and" and parts and parts[-1].alternatives and not self.comma:
            # "a or b and c": here too
            last = parts[-1].condition
            assert isinstance(last, Or)
            parts[-1] = replace(parts[-1], condition=Or((*last.any[:-1], both(last.any[-1], condition))))
        else:
            after_group = bool(self.notes.groups)
            parts.append(
                Part(condition, "and" if joined == "and" else "", known, value, negated, after_group=after_group)
            )
        self._reset()

    def _or_marked_missing(self, condition: Condition) -> Condition:
        """What is written NA or as a dash is empty too."""
        if not isinstance(condition, Empty) or not isinstance(condition.left, Column):
            return condition
        marks = missing_marks(self.lexicon.known[condition.left].field)
        if not marks:
            return condition
        marked = OneOf(condition.left, tuple(Value(m) for m in marks), negated=condition.negated)
        return And((condition, marked)) if condition.negated else Or((condition, marked))

    def add_having(self, having: Having) -> None:
        """Note a condition on a figure; "or" with other conditions cannot be said in a plan."""
        if self.connector == "or" and (self.notes.parts or self.notes.having):
            raise no("not-understood", "an 'or' between rows and figures needs two requests")
        self.notes.having.append(having)

    def parameter(self, name: str, value: object) -> Value:
        """A named constant with a name of its own."""
        name = spelled(name)[:40] or "value"
        for each in (name, *(f"{name}_{n}" for n in range(2, 99))):
            if each not in self.names:
                self.names[each] = 1
                return Value(value, each)
        return Value(value)

    def _unshow(self, known: Known) -> None:
        """What was taken for a column to show turns out to be one to filter by."""
        shown = self.notes.shown
        if self.predicating is known:
            # named a second time, in a clause of its own: "code and title of those whose title starts with A"
            return
        kept = len(shown) == 1 and shown[-1].plural and not self.mentioned and known.sort == "text"
        if shown and shown[-1].known is known and not shown[-1].asked and not kept:
            shown.pop()

    def choose(self, matches: list[ColumnMatch], sort: str = "", near: str = "", said: str = "") -> Known | None:
        """The one column meant. None when none fits the sort; a refusal when two fit equally."""
        fitting = [m for m in matches if not sort or m.known.sort == sort]
        if not fitting:
            return None
        best = max(m.score for m in fitting)
        close = [m for m in fitting if m.score >= best - 0.03]
        if len(close) == 1:
            return close[0].known
        stored = [m for m in close if not self._is_view(m.known.column.table)]
        if len(stored) == 1:
            return stored[0].known
        close = stored or close
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

    def _is_view(self, table: str) -> bool:
        """Whether the table says of itself that it is a view of others."""
        return self.lexicon.schema.table(table).comment.casefold().startswith("view")

    def _full(self, known: Known) -> str:
        return (
            known.column.name if len(self.lexicon.schema.tables) == 1 else f"{known.column.table}.{known.column.name}"
        )

    def _comparing(self) -> bool:
        """Whether the request sets things side by side: "how does … compare between", "A versus B"."""
        return any(t.low in COMPARING or t.low == "versus" for t in self.tokens)

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

    def list_at(self, i: int) -> tuple[Known, int] | None:
        """The column of lists named from i on and the place after it."""
        matches = self.lexicon.matches_at(self.tokens, i) if i < len(self.tokens) else []
        found = [m for m in matches if m.score >= 0.8 and m.known.lists and m.score >= matches[0].score - 0.03]
        return (found[0].known, i + found[0].length) if len(found) == 1 else None

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
            # Only ages may be told by a date: the time of a request is not how slow it was.
            sorts = ("number", "date") if grade in ("old", "young") else ("number",)
            found = [k for k in self.lexicon.with_words(table, choice.split()) if k.sort in sorts]
            # The price of a unit is not that of an order, where another column says what the whole costs.
            found = [k for k in found if not {"unit", "each", "list", "per"} & set(k.words)] or found
            if found:
                by_word = [k for k in found if any(w in k.words for w in choice.split()[:1])]
                group = by_word or [found[0]]
                if choice.startswith("birth"):
                    group = [k for k in found if k.sort == "date"] or group
                if len(group) > 1:
                    extreme = "maximum" if GRADES[grade][1] else "minimum"
                    whole = [k for k in group if len(k.words) == 1] or [k for k in group if extreme in k.words]
                    if len(whole) == 1:
                        return whole[0]
                    names = tuple(k.column.name for k in group)
                    raise no("ambiguous", f"{grade!r} may be by {' or '.join(names)}; say which", names)
                return group[0]
        measured = self._measured_as(grade, table)
        if measured is not None:
            return measured
        if grade in ("long", "short"):
            # a column that is called days, minutes or hours and nothing else says how long each row took
            whole = [k for k in self.lexicon.of_table[table] if k.sort == "number" and k.words in LASTING]
            return whole[0] if len(whole) == 1 else None
        return None

    def _measured_as(self, grade: str, table: str) -> Known | None:
        """The one column in a unit of what the adjective grades: the slowest has most milliseconds, the heaviest most kilograms."""
        unit = GRADED_IN.get(grade, "")
        found = [
            k
            for k in self.lexicon.of_table[table]
            if unit
            if k.sort == "number" and not k.identifier and (own := k.field.unit or _unit_of_name(k))
            if own == unit or converted(Decimal(1), own, unit) is not None
        ]
        return found[0] if len(found) == 1 else None

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

    @property
    def subject_noted(self) -> bool:
        """Whether the rows that the request is about were named."""
        return self.subject_said or bool(self.mentioned)

    def _year_column(self, known: Known) -> bool:
        return known.sort == "number" and "year" in known.words

    def date_column(self, table: str = "", required: bool = False) -> Known | None:
        """The one date column of the subject that a time without a column means; a refusal when two may be meant."""
        near = [table or self.subject]
        if not table:
            figures = [*self.notes.measures, *(h.measure for h in self.notes.having)]
            measured = [m.known.column.table for m in figures if m.known is not None]
            if self.notes.best is not None and self.notes.best.by is not None and self.notes.best.function is not None:
                measured.append(self.notes.best.by.column.table)
            near = list(dict.fromkeys([*measured, self.subject, *self.mentioned]))
            further = [
                t.name
                for t in self.lexicon.schema.tables
                if t.name not in near
                and self.graph.path(self.subject, t.name)
                and not self.graph.widens(self.subject, t.name)
            ]
            near += sorted(further, key=lambda t: len(self.graph.path(self.subject, t) or []))
        if not table:
            between = [e.to_table for t in self.mentioned for e in self.graph.path(self.subject, t) or []]
            near += [t for t in between if t not in near]
        for name in near:
            # a birth is meant only where one speaks of it
            dates = [k for k in self.lexicon.dates(name) if not {"birth", "birthday", "dob", "born"} & set(k.words)]
            if not dates:
                numbers = [k for k in self.lexicon.of_table[name] if k.sort == "number" and "year" in k.words]
                years = [k for k in numbers if k.words[-1:] == ("year",)] or [k for k in numbers if holds_years(k)]
                if len(years) == 1 and required:
                    return years[0]
                continue
            chosen = self._main_date(name, dates)
            stated = [k for k in self.stated if k is not chosen and k.column.table == name]
            if chosen is not None and stated and required:
                # "closed tickets per month": of their opening, or of their closing
                names = tuple(self._full(k) for k in (chosen, *stated))
                raise no("ambiguous", f"which date is meant: {' or '.join(names[:4])}?", names)
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
            "closes closing update updated modified changed due deleted shipped ship shipping delivered delivery deliver "
            "end ended closed expiry expires expire return returned birth dob paid payment last cancelled "
            "left leave termination discharge discharged resolved seen arrival processed approved promised "
            "finish finished complete completed completion stop stopped until valid warranty expected deadline fixed "
            "settled answered".split()
        )
        roots = {stem(word) for word in secondary}
        secondary |= {w for k in dates for w in k.words if stem(w) in roots}
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
        for words in STAGES:
            # none, or more than one, begins a row: the earliest of what befalls it
            stage = [k for k in primary or dates if set(k.words) & words]
            if len(stage) == 1 and (not primary or noun):
                self.notes.remarks.append(f"dates are those of {stage[0].column.name}")
                return stage[0]
            if stage:
                return None
        return None

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
                    "km": "distance length mileage",
                    "mi": "mileage distance miles",
                    "m": "height distance length depth elevation altitude",
                    "ft": "elevation altitude height length depth",
                    "lb": "weight mass",
                    "hp": "horsepower power hp",
                    "mph": "speed",
                    "km/h": "speed",
                    "kn": "speed wind",
                    "mpg": "mpg mileage",
                    "l": "volume displacement",
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

    # What later classes of the chain know.

    def _elapsed_at(self, i: int) -> tuple[Elapsed, str, int] | None:
        """See elapsed.py."""
        raise NotImplementedError

    def _described_noun(self, j: int) -> int:
        """See superlatives.py."""
        raise NotImplementedError

    def _between(self, i: int) -> int:
        """See filters.py."""
        raise NotImplementedError

    def _text_match(self, i: int) -> int:
        """See filters.py."""
        raise NotImplementedError

    def _key_at(self, i: int) -> tuple[Key | None, int]:
        """See groups_and_order.py."""
        raise NotImplementedError

    def _flag(self, i: int, flags: list[Held]) -> int:
        """See things.py."""
        raise NotImplementedError

    def _value(self, i: int, held: list[Held]) -> int:
        """See things.py."""
        raise NotImplementedError

    def _verb(self, i: int) -> int:
        """See structure.py."""
        raise NotImplementedError


def _unit_of_name(known: Known) -> str:
    """The unit that a column's name ends with: weight_kg, duration_min, temp_c."""
    words = re.split(r"[_\s()]+", known.field.name.lower().strip(" )"))
    last = words[-1] if words else ""
    if last == "min" and not ends_in_minutes(known.words):
        return ""
    if last == "minutes" and len(words) == 1:
        return "min"
    if len(words) == 1 and last in ("hours", "seconds", "days"):
        return UNITS[lemma(last)]
    if len(words) == 1 and last in any_of("kwh mwh wh km kg cm mm gb mb kb hpa"):
        return UNITS[last]
    return UNITS.get(last, UNITS.get(lemma(last), "")) if len(words) > 1 and len(last) <= 8 else ""
