"""How long it took: "days between ordered and shipped", "average time to close", "hours from start to end"."""

from __future__ import annotations

from synth.plan import Compare, Comparison, Elapsed
from synth.understand.columns import Known
from synth.understand.notes import Measure, no
from synth.understand.numbers_and_dates import quantity_at
from synth.understand.operators import COMPARISONS, OPPOSITE, phrase_at
from synth.understand.unlabelled import Unlabelled
from synth.understand.words import any_of, stem

UNITS = {"minute": "minute", "hour": "hour", "day": "day", "time": "", "duration": "", "delay": "", "gap": ""}
ARTICLES = any_of("the a an its their it they was is were being")


class Elapsing(Unlabelled):
    """Durations between two dates of one row."""

    def _elapsed(self, i: int) -> int:
        """A duration between two date columns: averaged, compared or shown."""
        found = self._elapsed_at(i)
        if found is None:
            return 0
        elapsed, said, at = found
        self.counting = ""
        if self.aggregates:
            for function in self.aggregates:
                self.notes.measures.append(Measure(function, elapsed, said))
            self.aggregates = []
            self.zone, self.last = "measure", self.notes.measures[-1]
            self._joined()
            return at
        bound = phrase_at(self.tokens, self.skip(at, any_of("is was of")), COMPARISONS)
        if bound is not None:
            return self._elapsed_compared(elapsed, self.skip(at, any_of("is was of")), bound)
        self.notes.computed.append((elapsed, said))
        self.zone = "head"
        self._joined()
        return at

    def _elapsed_compared(self, elapsed: Elapsed, at: int, bound: tuple[str, int]) -> int:
        number = quantity_at(self.tokens, at + bound[1])
        if number is None:
            return 0
        value = number.value if number.unit else int(number.value)
        operator: Comparison = bound[0]  # type: ignore[assignment]  # the table's meanings are comparisons
        unit = {"min": "minute", "h": "hour", "d": "day"}.get(number.unit, elapsed.unit)
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        asked = Elapsed(elapsed.start, elapsed.end, unit)  # type: ignore[arg-type]  # one of the three
        self.add(Compare(asked, operator, self.parameter(f"{unit}s", value)))
        self.zone, self.last = "filter", None
        return at + bound[1] + number.length

    def _elapsed_at(self, i: int) -> tuple[Elapsed, str, int] | None:
        """The duration said at i, what it may be called, and the place after it."""
        unit = UNITS.get(self.tokens[i].lemma) if i < len(self.tokens) else None
        if unit is None or (self.column_named_exactly(i) and self.low(i + 1) not in ("between", "to")):
            return None
        at = self.skip(i + 1, any_of("it took takes taken needed passed elapsed"))
        ends: tuple[Known, Known] | None = None
        if self.low(at) in ("between", "from"):
            first = self._moment_at(self.skip(at + 1, ARTICLES))
            joint = first[1] if first else at
            second = (
                self._moment_at(self.skip(joint + 1, ARTICLES)) if self.low(joint) in ("and", "to", "until") else None
            )
            if first and second and first[0].column.table != second[0].column.table:
                # "from start to finish": both of the table that has both
                first = self._moment_at(self.skip(at + 1, ARTICLES), second[0].column.table) or first
            if first and second and first[0] is not second[0]:
                ends, at = (first[0], second[0]), second[1]
        elif self.low(at) in ("to", "until", "till"):
            done = self._moment_at(self.skip(at + 1, any_of("be get the being")))
            if done is not None:
                ends, at = (self._begun(done[0]), done[0]), done[1]
        if ends is None:
            return None
        start, end = ends
        if start.column.table != end.column.table:
            raise no("cannot-answer", f"{start.column.name!r} and {end.column.name!r} belong to rows of two tables")
        whole = all(k.field.type.startswith("date") for k in ends)
        unit = unit or ("day" if whole else "hour")
        if whole and unit != "day":
            raise no("cannot-answer", f"{start.column.name!r} and {end.column.name!r} hold days, no {unit}s")
        self.notes.remarks.append(f"{unit}s from {start.column.name} to {end.column.name}")
        return Elapsed(start.column, end.column, unit), f"{unit}s", at  # type: ignore[arg-type]  # one of the three

    def _moment_at(self, i: int, table: str = "") -> tuple[Known, int] | None:
        """The date column that a name or a happening at i means: "order date", "ordered", "shipment"."""
        if i >= len(self.tokens):
            return None
        own = [m for m in self.lexicon.matches_at(self.tokens, i) if m.known.sort == "date" and m.score > 0.7]
        if own:
            best = [m.known for m in own if m.score >= own[0].score - 0.03 or m.known.column.table == table]
            here = [k for k in best if k.column.table == (table or self.subject)] or best
            if len(here) == 1:
                return here[0], i + own[0].length
        root = stem(self.low(i))
        happened = [k for k in self.lexicon.events.get(root, []) if k.column.table == self.subject]
        if not happened and len(root) > 3:
            dates = self.lexicon.dates(self.subject)
            happened = [k for k in dates if any(stem(w)[:4] == root[:4] for w in k.words if len(w) > 3)]
        happened = happened or self.lexicon.events.get(root, [])
        return (happened[0], i + 1) if len(happened) == 1 else None

    def _begun(self, end: Known) -> Known:
        """The date with which the row begins, for "time to close"."""
        dates = [k for k in self.lexicon.dates(end.column.table) if k is not end]
        # a moment is counted from a moment, a day from a day
        dates = [k for k in dates if k.field.type[:4] == end.field.type[:4]] or dates
        start = self._main_date(end.column.table, dates) if dates else None
        if start is None:
            names = tuple(k.column.name for k in dates)
            raise no("ambiguous", f"the time to {end.column.name!r} from which date on?", names)
        return start
