"""Lists within a row: "countries with more than 8 borders", "how many languages does Peru have", "the most time zones"."""

from __future__ import annotations

from synth.plan import Compare, Comparison, Empty, Or, Value
from synth.understand.elapsed import Elapsing
from synth.understand.notes import length_of
from synth.understand.numbers_and_dates import quantity_at
from synth.understand.operators import AFTER_NUMBER, COMPARISONS, LACKING, OPPOSITE, phrase_at
from synth.understand.words import any_of

HAVING = any_of("with having has have had of exactly")


class ListLengths(Elapsing):
    """Conditions on how many entries a list has."""

    def _list_compared(self, i: int) -> int:
        """ "More than 8 borders", "3 or more languages", "exactly two currencies", "without borders"."""
        none = phrase_at(self.tokens, i, LACKING)
        found = self.list_at(self.skip(i + none[1], any_of("any a the their"))) if none else None
        if found is not None:
            known, at = found
            nothing = Compare(length_of(known), "=", Value(0))
            self.add(Or((nothing, Empty(known.column))) if not self.negate else nothing, known)
            self.zone, self.last = "filter", None
            return at
        bound = phrase_at(self.tokens, i, COMPARISONS)
        j = i + bound[1] if bound else i
        number = quantity_at(self.tokens, j)
        if number is None or number.unit or number.value != int(number.value):
            return 0
        at = j + number.length
        suffix = phrase_at(self.tokens, at, AFTER_NUMBER) if bound is None else None
        if not bound and not suffix and self.low(i - 1) not in HAVING:
            return 0
        found = self.list_at(self.skip(at + (suffix[1] if suffix else 0), any_of("different distinct")))
        if found is None:
            return 0
        operator: Comparison = bound[0] if bound else suffix[0] if suffix else "="  # type: ignore[assignment]  # the tables' meanings are comparisons
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        name = {">": "minimum", ">=": "minimum", "<": "maximum", "<=": "maximum"}.get(operator, "count")
        self.add(Compare(length_of(found[0]), operator, self.parameter(name, int(number.value))), found[0])
        self.zone, self.last = "filter", None
        return found[1]
