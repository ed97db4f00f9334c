"""States and short forms: open, settled, late, unrated, left out, the damage rate, and one word of a longer value."""

from __future__ import annotations

from dataclasses import replace

from synth.plan import Bucket, Compare, Comparison, Empty, Expression
from synth.understand.columns import Known, is_flag
from synth.understand.logic import negation
from synth.understand.notes import STOPS, Measure
from synth.understand.numbers_and_dates import quantity_at
from synth.understand.operators import AFTER_NUMBER, COMPARISONS, OPPOSITE, phrase_at
from synth.understand.things import Things
from synth.understand.values import Held, flag_values
from synth.understand.vocabulary import COMPARATIVES, FILLER, GRADES, SUPERLATIVES
from synth.understand.words import any_of, normal, stem

# What ends a row's life in the words of a date column, and the states that tell whether it has ended.
ENDS = any_of(
    "paid payment pay closed close closing returned return resolved fixed finished finish ended end delivered delivery left "
    "leave completed completion decommissioned discharged discharge settled answered"
)
PAYING = any_of("paid payment pay settled")
GOING_ON = any_of("open ongoing running unfinished outstanding inside pending unresolved unsettled unpaid parked")
DUE = any_of("due deadline promised")
STATUS = any_of("status state stage phase")
# A verb of judging or giving in charge → what its column may be called.
MARKED = {
    "rat": "rating score satisfaction stars",
    "scor": "score rating",
    "assign": "agent assignee assigned contractor technician owner",
    "sign": "signature",
    "graded": "grade score",
}
LEFT_OUT = (("left", "out"), ("left", "aside"), ("excluded",), ("omitted",), ("ignored",), ("not", "counted"))
# First words of names that mean nothing on their own.
COMMON = any_of(
    "new old north south east west northern southern eastern western great big small high low first last good best main "
    "san santa saint los las port fort the and other general total full early late long short day night man men "
    "company group street road one two three red green blue black white single double"
)
RATES = any_of("rate percentage ratio proportion share")


class States(Things):
    """States of rows, and short forms of values."""

    def _left_out(self, i: int) -> int:
        """ "…, cancelled orders excluded": the condition said since the comma is what must not hold."""
        n = next((len(w) for w in LEFT_OUT if tuple(self.low(i + k) for k in range(len(w))) == w), 0)
        parts = self.notes.parts
        key = self.notes.groups[-1].known if len(self.notes.groups) > 1 else None
        if n and key is not None and is_flag(key.field) and self.parts_at_comma == len(parts):
            # "per courier, damaged ones left out" is no second group
            self.notes.groups.pop()
            self.add(self.held_condition(Held(key, flag_values(key, False), 1, 1.0)), key)
            self.zone, self.last = "filter", None
            return i + n
        if not n or self.parts_at_comma is None or len(parts) != self.parts_at_comma + 1 or parts[-1].joined == "or":
            return 0
        part = parts[-1]
        parts[-1] = replace(part, condition=negation(part.condition), negated=not part.negated)
        self.last = None
        return i + n

    def _rate(self, i: int) -> int:
        """ "The damage rate", "cancellation rate": the share of the rows that are damaged or cancelled."""
        word = self.tokens[i].low
        if self.low(i + 1) not in RATES or len(word) < 4 or self.lexicon.matches_at(self.tokens, i + 1)[:1]:
            return 0
        whole = [m for m in self.lexicon.matches_at(self.tokens, i) if m.length > 1]
        if whole or self.notes.measures or self.aggregates or self.counting or self.sharing:
            return 0
        rated = self._rated(word, self.subject)
        if len(rated) != 1:
            return 0
        self.sharing, self.share_rows = "share", True
        self.zone = "measure"
        self._reset()
        if is_flag(rated[0].known.field):
            self._flag(i, rated)
        else:
            self.add(self.held_condition(rated[0]), rated[0].known)
            self.last = None
        return i + 2

    def _rated(self, word: str, table: str) -> list[Held]:
        """What tells of a row of the table that it was damaged or cancelled: a yes-or-no column, or a state that is stored."""
        root = _root(word)
        found = []
        for known in self.lexicon.of_table[table]:
            if is_flag(known.field) and len(known.words) <= 2 and _root(known.words[-1]) == root:
                found.append(Held(known, flag_values(known, True), 1, 1.0))
            elif known.sort == "text" and not is_flag(known.field):
                states = tuple(v for v in known.field.vocabulary if _root(normal(v)) == root)
                found += [Held(known, states, 1, 0.9)] if states else []
        return found

    def _versus(self, i: int) -> int:
        """ "Spend versus revenue": both figures."""
        if self.low(i) != "versus" or not isinstance(self.last, Known | Measure):
            return 0
        column = self.column_at(i + 1, "number", 0.8) if i + 1 < len(self.tokens) else None
        before = self.last if isinstance(self.last, Known) else self.last.known
        if column is None or before is None or before.sort != "number" or column[0].column.table != before.column.table:
            return 0
        self.connector = "and"
        return i + 1

    def _dates_of(self, words: frozenset[str]) -> list[Known]:
        return [k for k in self.lexicon.dates(self.subject) if set(k.words) & words]

    def _late(self, i: int) -> int:
        """ "Paid late", "late deliveries": done on a later day than was due."""
        word = self.low(i)
        if word not in ("late", "punctual") and (word, self.low(i + 1)) != ("on", "time"):
            return 0
        due = self._dates_of(DUE)
        done = [k for k in self._dates_of(ENDS) if k not in due]
        verb = [k for k in done if k in self.lexicon.events.get(stem(self.low(i - 1)), [])]
        done = verb or done
        if len(due) != 1 or len(done) != 1:
            return 0
        operator: Comparison = ">" if word == "late" else "<="
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        self.add(Compare(self._day_of(done[0], due[0]), operator, due[0].column), done[0])
        self.notes.remarks.append(
            f"{'late' if word == 'late' else 'on time'} by {done[0].column.name} and {due[0].column.name}"
        )
        self.zone, self.last = "filter", None
        return i + (1 if word != "on" else 2)

    def _day_of(self, moment: Known, day: Known) -> Expression:
        """The moment cut to its day where it is compared with a day: 10 o'clock on the day due is not late."""
        if moment.field.type.startswith("timestamp") and day.field.type.startswith("date"):
            return Bucket(moment.column, "day", self.zone_name(moment))
        return moment.column

    def _state_word(self, i: int) -> int:
        """ "Open invoices", "settled", "ongoing outages": by the one date column that ends a row."""
        word = self.low(i)
        ended = word == "settled"
        if (not ended and word not in GOING_ON) or self._counted_here(i):
            return 0
        if word == "parked" and self.low(i - 1) not in any_of("still currently now presently"):
            return 0
        if self.low(i + 1) in any_of("for by to with over more less longer"):
            return 0
        kind = self.notes.shown[-1].known if self.notes.shown else None
        if kind is not None and not self.rows_said and self._kinds_of_rows(kind):
            # "vehicles that are still inside": which of them, where the column only says of what kind each is
            return 0
        own = self.lexicon.of_table[self.subject]
        if any(set(k.words) & STATUS for k in own):
            return 0
        words = PAYING if word in any_of("settled unpaid unsettled outstanding") else ENDS
        ends = [k for k in self._dates_of(words) if not set(k.words) & DUE]
        if len(ends) != 1 or not ends[0].field.nullable:
            return 0
        known = ends[0]
        if any(p.known is known and isinstance(p.condition, Empty) for p in self.notes.parts):
            return i + 1
        if self.negate:
            ended, self.negate = not ended, False
        self.add(Empty(known.column, negated=ended), known)
        self.notes.remarks.append(f"{word}: {known.column.name} is {'filled' if ended else 'empty'}")
        self.last = None
        return i + 1

    def _counted_here(self, i: int) -> bool:
        """Whether a number stands before: "at least 10 rated tickets" counts what is rated."""
        number = i > 0 and quantity_at(self.tokens, i - 1) is not None
        return bool(number) and self.low(i - 2) not in SUPERLATIVES and self.low(i - 2) not in ("the", "")

    def _marked(self, i: int) -> int:
        """ "Unrated deliveries", "rated 4 or better", "unassigned tickets": by the column the verb fills."""
        word = self.low(i)
        lacking = word.startswith("un") and len(word) > 5
        if not word.endswith("ed") or self._counted_here(i):
            return 0
        names = MARKED.get(stem(word[2:] if lacking else word), "").split()
        found = [
            k
            for k in self.lexicon.of_table[self.subject]
            if set(names) & set(k.words) and not (k.identifier and k.sort == "number")
        ]
        if len(found) != 1:
            return 0
        known = found[0]
        amount = quantity_at(self.tokens, i + 1)
        bound = phrase_at(self.tokens, i + 1, COMPARISONS)
        if not lacking and known.sort == "number" and (amount or bound):
            return self._number_predicate(i, i + 1 + (bound[1] if bound else 0), known, _operator(bound), True, False)
        if not known.field.nulls or phrase_at(self.tokens, i + 1, AFTER_NUMBER) or self.low(i + 1) in ("to", "by"):
            return 0
        before = self.notes.parts[-1] if self.notes.parts else None
        if not lacking and before is not None and before.known is known and isinstance(before.condition, Empty):
            # "no contractor assigned"
            return i + 1
        if self.negate:
            lacking, self.negate = not lacking, False
        self.add(Empty(known.column, negated=not lacking), known)
        self.notes.remarks.append(f"{word}: {known.column.name} is {'empty' if lacking else 'filled'}")
        self.last = None
        return i + 1

    def _once_or_range(self, i: int) -> int:
        """ "100 to 300" behind a comparison that has its column: both ends."""
        number = quantity_at(self.tokens, i)
        if number is None or self.low(i + number.length) != "to":
            return 0
        second = quantity_at(self.tokens, i + number.length + 1)
        if second is None or second.value <= number.value:
            return 0
        before = self.low(i - 1)
        unit = second.unit or number.unit
        own = self.lexicon.of_table[self.subject]
        if before in ("aged", "ages", "age"):
            found = [k for k in own if k.sort == "number" and "age" in k.words]
        elif before in ("worth", "costing"):
            names = any_of("total amount") if before == "worth" else any_of("price cost")
            found = [k for k in own if k.sort == "number" and set(k.words) & names and not k.identifier]
        else:
            return 0
        if len(found) != 1:
            return 0
        known = found[0]
        negated, self.negate = self.negate, False
        low = self.compare_number(known, ">=", replace(number, unit=unit))
        high = self.compare_number(known, "<=", replace(second, unit=unit))
        self._unshow(known)
        both = (low, high)
        if negated:
            return 0
        for each in both:
            self.add(each, known)
        self.zone, self.last = "filter", None
        return i + number.length + 1 + second.length

    def _part_of_value(self, i: int) -> int:
        """One word of a longer stored value, its first or its last, where only one value has it: "Marta" for Marta Klein."""
        token = self.tokens[i]
        word = token.low
        if token.kind != "word" or len(word) < 3 or word in COMMON or word in STOPS or word in FILLER:
            return 0
        if word in SUPERLATIVES or word in COMPARATIVES or word in GRADES or self._counted_here(i):
            return 0
        if self.lexicon.row_noun(token, self.subject):
            return 0
        if any(self.values.asked(self.text, self.tokens, i, n) for n in range(1, min(3, len(self.tokens) - i) + 1)):
            return 0
        found: dict[Known, set[str]] = {}
        inside = 0
        for known in self.lexicon.known.values():
            if known.sort != "text" or not known.field.vocabulary or is_flag(known.field):
                continue
            for value in known.field.vocabulary:
                words = normal(value).split()
                if word in words:
                    inside += 1
                if 2 <= len(words) <= 4 and word in (words[0], words[-1]):
                    found.setdefault(known, set()).add(value)
        if len(found) != 1 or inside != 1:
            return 0
        known, values = next(iter(found.items()))
        if len(values) != 1 or (
            known.column.table != self.subject and self.graph.path(self.subject, known.column.table) is None
        ):
            return 0
        value = next(iter(values))
        self.notes.remarks.append(f"{token.text!r} read as {value!r}")
        return self._value(i, [Held(known, (value,), 1, 0.9)])


def _operator(bound: tuple[str, int] | None) -> Comparison:
    for each in ("<", "<=", ">", ">=", "!="):
        if bound is not None and bound[0] == each:
            return each
    return "="


def _root(word: str) -> str:
    """The root that damage shares with damaged, and cancellation with cancelled."""
    for ending in ("lations", "lation", "ations", "ation", "ions", "ion", "ments", "ment", "led", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word
