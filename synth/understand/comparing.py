"""Conditions made of a column and what it is compared with: numbers with units, periods, stored values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from synth.plan import (
    And,
    Bucket,
    Compare,
    Comparison,
    Condition,
    Expression,
    OneOf,
    Value,
)
from synth.understand.columns import Known, is_flag
from synth.understand.logic import negation
from synth.understand.notes import (
    no,
)
from synth.understand.numbers_and_dates import (
    CURRENCIES,
    Period,
    Quantity,
    converted,
)
from synth.understand.state import State, _unit_of_name
from synth.understand.values import Held
from synth.understand.words import spelled


class Comparing(State):
    """Conditions made of a column and what it is compared with."""

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

    def held_condition(self, held: Held) -> Condition:
        """The column equals the value, in every spelling stored."""
        column = held.known.column
        if len(held.stored) == 1:
            value = held.stored[0]
            made = Value(value) if is_flag(held.known.field) else self.parameter(spelled(column.name), value)
            return Compare(column, "=", made)
        return OneOf(column, tuple(self.parameter(spelled(column.name), v) for v in held.stored))


def _bound(operator: Comparison) -> str:
    return {">": "minimum", ">=": "minimum", "<": "maximum", "<=": "maximum"}.get(operator, "count")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
