"""Orders and extremes in whole sentences: "from the highest yield to the lowest", "in which year was it the lowest"."""

from __future__ import annotations

from datetime import date

from synth.plan import OneOf, Unit
from synth.understand.columns import Known, holds_years
from synth.understand.elapsed import Elapsing
from synth.understand.notes import STOPS, Best, Key, Measure, Shown, Sorting
from synth.understand.numbers_and_dates import Period
from synth.understand.operators import AGGREGATES, COMPARISONS, DIRECTIONS, ORDERS, phrase_at, phrases, unit_at
from synth.understand.vocabulary import GRADES, SUPERLATIVES
from synth.understand.words import any_of

ENDING = any_of("down downwards downward up upwards upward")
BESIDE = any_of("at in on by for of with from")
ONCE = phrases(
    {
        "once": "each only once|each just once|each once|each one once|each one only once|every one only once|each value once|"
        "each value only once|each of them once|each of them only once|only once each|just once each|once each|only once|"
        "just once|no repeats|without repeats|no repetition|no repetitions|without repetition|without repetitions|no doubles|"
        "without doubles|no repeated values|not repeated|none of them twice|none twice|not more than once each"
    }
)


class SpokenOrder(Elapsing):
    """Orders and extremes that are said around their column rather than behind it."""

    def _from_to(self, i: int) -> int:
        """ "Ordered from the highest yield to the lowest", "from the most populous down", "starting with the oldest building"."""
        whole = phrase_at(self.tokens, i, DIRECTIONS)
        ordered = phrase_at(self.tokens, i, ORDERS)
        j = i + (ordered[1] if ordered else 0)
        begun = self.low(j) in ("starting", "beginning") and self.low(j + 1) in ("with", "from", "at")
        if begun:
            j += 2
        elif self.low(j) == "from":
            j += 1
        elif not (ordered and self.low(j - 1) == "from"):
            return 0
        extreme = self._extreme_at(self.skip(j, {"the"}))
        if extreme is None:
            return 0
        words, descending, at = extreme
        before = len(self.notes.sorting)
        named = 0 if self._end_of_order(at, begun=False) else self._sort_key(at, descending)
        end = self._end_of_order(named or at, begun=begun)
        if not end or (whole and i + whole[1] >= end):
            del self.notes.sorting[before:]
            return 0
        if named:
            self.notes.sorting[-1].of_size = True
        else:
            self.notes.sorting.append(Sorting(descending=descending, said=words, of_size=True))
        self.zone = "order"
        self._joined()
        return end

    def _extreme_at(self, i: int) -> tuple[str, bool, int] | None:
        """A superlative at i: the words of the columns that it grades, whether more comes first, and the place after it."""
        low = self.low(i)
        if low in ("most", "least", "fewest"):
            graded = GRADES.get(self.low(i + 1))
            if graded is not None and self.low(i + 1) not in ("most", "least", "few"):
                return graded[0], graded[1] == (low == "most"), i + 2
            return "", low == "most", i + 1
        graded = GRADES.get(SUPERLATIVES.get(low, ""))
        return (*graded, i + 1) if graded is not None else None

    def _end_of_order(self, i: int, *, begun: bool) -> int:
        """The place after "to the lowest", "down" and their like at i; 0 where nothing ends the order."""
        if self.low(i) in ENDING or (self.low(i) == "on" and self.low(i + 1) in ENDING):
            return i + (1 if self.low(i) in ENDING else 2)
        if self.low(i) in ("to", "until", "till", "through"):
            last = self._extreme_at(self.skip(i + 1, {"the"}))
            if last is not None:
                again = (
                    self.column_at(last[2]) if last[2] < len(self.tokens) and self.low(last[2]) not in STOPS else None
                )
                return again[1] if again else last[2]
        return i if begun else 0

    def _each_once(self, i: int) -> int:
        """ "Each only once, please": doubles are left out. Behind a verb, "only once" is a number of times."""
        found = phrase_at(self.tokens, i, ONCE)
        if not found or not (self._clause_begins(i) or self.low(i) in ("each", "every", "no", "without", "none")):
            return 0
        self.notes.distinct = True
        self.connector, self.comma = "", False
        return i + found[1]

    def _clause_begins(self, i: int) -> bool:
        """Whether a mark ends what was said before i."""
        between = self.text[self.tokens[i - 1].end : self.tokens[i].start] if i else "."
        return any(mark in between for mark in ".?!;,:\u2013\u2014") or self.low(i - 1) in (",", ";", ":")

    def _unit_of_unit(self, i: int) -> int:
        """The place after "of which year", "and year" behind "which month": a month is one of its year anyway."""
        if self.low(i) not in ("of", "in", "and"):
            return i
        k = self.skip(i + 1, any_of("which what of in the"))
        unit = unit_at(self.tokens, k)
        return k + unit[1] if unit and unit[0] in ("year", "month", "week", "quarter") and k > i else i

    def _extreme_last(self, i: int) -> int:
        """ "In which year was the average price the lowest", "which farm had the yield highest": it ranks what was said before."""
        extreme = self._extreme_at(self.skip(i, {"the", "at", "its"}))
        notes = self.notes
        if extreme is None or notes.best is not None or not self._nothing_follows(extreme[2]):
            return 0
        words, descending, at = extreme
        asked = (
            any(k.asked for k in notes.groups)
            or any(s.asked for s in notes.shown)
            or self.question in ("when", "which")
        )
        if words or not asked:
            return 0
        if notes.measures:
            notes.best = Best(descending, None, self.said(at - 1, 1), at=i)
        else:
            figures = [s for s in notes.shown if s.known.sort == "number" and not s.known.identifier]
            if len(figures) != 1:
                return 0
            notes.best = Best(descending, None, self.said(at - 1, 1), by=figures[0].known, at=i)
            notes.shown.remove(figures[0])
        self.last = notes.best
        return at

    def _in_all(self, i: int) -> int:
        """ "The most rain in total": what is ranked is a sum."""
        best = self.notes.best
        at = self._in_total(i)
        if at == i or best is None or self.last is not best or best.by is None or best.function not in (None, "sum"):
            return 0
        best.function = "sum"
        return at

    def _nothing_follows(self, i: int) -> bool:
        """Whether at i the request ends, or goes on with something of its own."""
        return i >= len(self.tokens) or self.low(i) in any_of(", and in for of on at during since before after")

    def _extreme_where(self, i: int) -> int:
        """ "Highest yield and at which farm", "lowest price and when": the row of the extreme is asked for, not only its figure."""
        notes = self.notes
        only = notes.measures[0] if len(notes.measures) == 1 else None
        if only is None or only.known is None or only.function not in ("max", "min") or notes.groups or notes.shown:
            return 0
        j = self.skip(i, any_of("and")) if self.low(i) == "and" or self.connector or self.comma else -1
        if j < 0:
            return 0
        k = j + 1 if self.low(j) in BESIDE else j
        if self.low(k) in ("when", "where"):
            place = self._when_or_where(self.low(k), only.known)
            if place is None:
                return 0
            self._row_of(only, only.known)
            notes.shown.append(Shown(place, self.low(k), asked=True))
            return k + 1
        if self.low(k) not in ("which", "what", "whose", "who"):
            return 0
        unit = unit_at(self.tokens, k + 1)
        if unit is not None and not self.column_named_exactly(k + 1):
            known = self.date_column(required=True)
            assert known is not None
            self._row_of(only, only.known)
            notes.shown.append(Shown(known, self.said(k + 1, unit[1]), asked=True))
            return k + 1 + unit[1]
        if k + 1 >= len(self.tokens) or self.column_at(k + 1) is None:
            return 0
        self._row_of(only, only.known)
        return k + 1

    def _when_or_where(self, word: str, beside: Known) -> Known | None:
        """The one column that tells when or where."""
        if word == "when":
            return self.date_column(table=beside.column.table)
        places = any_of("place site location city town country station region address")
        found = [k for k in self.lexicon.of_table[beside.column.table] if k.sort == "text" and set(k.words) & places]
        return found[0] if len(found) == 1 else None

    def _row_of(self, measure: Measure, known: Known) -> None:
        """The extreme becomes a rank of the rows, and the figure a column to show."""
        notes = self.notes
        notes.measures.remove(measure)
        notes.best = Best(measure.function == "max", None, measure.said, by=known, of_rows=True, rowwise=True)
        notes.shown.append(Shown(known, measure.said, asked=True))
        self.connector, self.comma = "", False
        self.last = None
        self.zone = "head"

    def _periods_that(self, i: int) -> int:
        """ "Weeks in 2012 with over 60 mm in sum", "months with more than 100 orders": a group for each, of which some are kept."""
        unit = unit_at(self.tokens, i)
        notes = self.notes
        if unit is None or self.zone != "head" or self.counting or self.aggregates or self.column_named_exactly(i):
            return 0
        last = self.tokens[i + unit[1] - 1]
        if last.low == last.lemma or notes.shown or notes.measures or notes.groups or notes.parts or self.mentioned:
            return 0
        dates = self.lexicon.dates(self.subject)
        if not dates or (
            any(d.field.values and d.field.distinct == d.field.values for d in dates) and unit[0] == "day"
        ):
            # each row is a day, and rows are meant
            return 0
        if not any(self._kept_when(k) for k in range(i + unit[1], min(len(self.tokens), i + unit[1] + 7))):
            return 0
        notes.groups.append(Key(unit=unit[0], at=i))
        self.last = f"table:{self.subject}"
        return i + unit[1]

    def _times_set_side_by_side(self, i: int) -> int:
        """ "Median yield, 1931 versus 1932", "Q1 compared with Q2 2024": a figure for each of two times."""
        notes = self.notes
        figures = bool(notes.measures or self.aggregates or notes.shown or self.counting)
        if not figures or not self._comparing():
            return 0
        j = self.skip(i, any_of("between for of in from the"))
        first = self.calendar.period_at(self.tokens, j)
        if first is None or self.low(j + first.length) not in any_of("versus and with to against or"):
            return 0
        k = self.skip(j + first.length + 1, any_of("in of the for"))
        second = self.calendar.period_at(self.tokens, k)
        units = {_unit_of(p) for p in (first, second) if p is not None}
        unit = units.pop() if len(units) == 1 else None
        if second is None or unit is None:
            return 0
        dates = self.lexicon.dates(self.subject)
        years = [c for c in self.lexicon.of_table[self.subject] if holds_years(c)]
        if not dates and unit == "year" and len(years) == 1:
            wanted = tuple(self.parameter("year", p.start.year) for p in (first, second) if p.start is not None)
            self.add(OneOf(years[0].column, wanted), years[0])
            notes.groups.append(Key(known=years[0], at=i))
        else:
            known = self.date_column(required=True)
            assert known is not None
            self.add(self.compare_period(known, "=", first), known)
            self.connector = "or"
            self.add(self.compare_period(known, "=", second), known)
            notes.groups.append(Key(known=known, unit=unit, at=i))
        self.zone, self.last = "filter", None
        return k + second.length

    def _kept_when(self, i: int) -> bool:
        """Whether a condition on a figure begins at i."""
        if self.low(i) not in any_of("with where that having when had which"):
            return False
        k = self.skip(i + 1, any_of("a an the had with were was there we have a"))
        return bool(phrase_at(self.tokens, k, COMPARISONS) or phrase_at(self.tokens, k, AGGREGATES))


def _unit_of(period: Period) -> Unit | None:
    """The unit that the period is one of."""
    if not isinstance(period.start, date) or not isinstance(period.end, date):
        return None
    days = (period.end - period.start).days
    return (
        "year" if days >= 365 else "quarter" if days >= 89 else "month" if days >= 28 else "day" if days == 1 else None
    )
