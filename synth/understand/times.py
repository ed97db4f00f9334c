"""Conditions on time: since, before, between, last month, after 6pm, older than two years."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from synth.plan import (
    And,
    Bucket,
    Compare,
    Comparison,
    Condition,
    Not,
    Value,
)
from synth.understand.columns import Known
from synth.understand.comparing import Comparing
from synth.understand.logic import either, negation
from synth.understand.notes import (
    no,
)
from synth.understand.numbers_and_dates import (
    WEEKDAYS,
    Period,
    quantity_at,
    units_on,
)
from synth.understand.operators import (
    COMPARISONS,
    TIME_WORDS,
    phrase_at,
)
from synth.understand.words import any_of


class Times(Comparing):
    """Conditions on time."""

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
        if known.sort == "number":
            # a column of years is compared with the year so long ago
            if unit != "year":
                raise no("cannot-answer", f"{known.column.name!r} holds years only")
            bound: Comparison = "<" if comparison in (">", ">=") else ">"
            year = self.calendar.today.year - int(number.value)
            self.add(Compare(known.column, bound, self.parameter("year", year)), known)
            return self.skip(at, {"ago", "back", "old"})
        moment = self.moment(known, self.calendar.ago(int(number.value), unit))
        assert comparison is not None
        flipped: Comparison = "<" if comparison in (">", ">=") else ">="
        self.add(Compare(known.column, flipped, self.parameter("until" if flipped == "<" else "since", moment)), known)
        self.zone = "filter"
        return self.skip(at, {"ago", "back", "old"})

    def _time_range(self, i: int, first: Period, second: Period, at: int) -> int:
        if first.month and second.start is not None and not second.month:
            start_day, _ = self.calendar.month_in_year(first.month, second.start.year, first.day)
            first = replace(first, start=start_day, month=0)
        known = self._date_for(i)
        if known.sort == "number":
            assert first.start is not None
            assert second.start is not None
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

    def _time_bound(self, i: int, j: int, operator: Comparison, period: Period) -> int:
        known = self._date_for(i)
        at = j + period.length
        if (
            operator == "="
            and self.low(at) == "or"
            and self.low(at + 1) in any_of("later newer earlier older before after")
        ):
            # "on 1 June or later"
            operator = ">=" if self.low(at + 1) in ("later", "newer", "after") else "<="
            at += 2
        if known.sort == "number":
            if period.start is None or period.end is None:
                raise no("cannot-answer", f"{known.column.name!r} holds years only")
            year = period.start.year
            if operator == "=" and period.end.year - year > 1 and (period.start.month, period.end.month) == (1, 1):
                since = Compare(known.column, ">=", self.parameter("since", year))
                self.add(And((since, Compare(known.column, "<", self.parameter("until", period.end.year)))), known)
                self.zone, self.last = "filter", None
                return at
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
                condition = either(condition, self.compare_period(known, "=", more))
                at = self.skip(at + 1, {"in", "on", "the"}) + more.length
            self.add(negation(condition) if negated else condition, known)
        self.zone = "filter"
        self.last = None
        return at

    def _weekday_at(self, i: int) -> tuple[int, int] | None:
        """A day of any week said at i ("on a Monday", "every Monday"): its number from 1, and the place after."""
        j = self.skip(i, any_of("on"))
        k = self.skip(j, any_of("a an any every"))
        day = self.low(k)
        if day not in WEEKDAYS or len(day) < 5 or k == j:
            return None
        return WEEKDAYS[day], k + 1

    def _weekday(self, i: int) -> int:
        """Rows of a day of any week."""
        found = self._weekday_at(i)
        if found is None:
            return 0
        known = self._date_for(i)
        day = Compare(Bucket(known.column, "weekday", self.zone_name(known)), "=", Value(found[0]))
        if self.negate:
            day, self.negate = replace(day, operator="!="), False
        self.add(day, known)
        self.zone, self.last = "filter", None
        return found[1]

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
        weekday = self._weekday(i)
        if weekday:
            return weekday
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
        ahead = self._within(i, j)
        if ahead:
            return ahead
        period_found = self.calendar.period_at(self.tokens, j)
        if period_found is None:
            return 0
        called = self.lexicon.matches_at(self.tokens, j)
        called = [m for m in called if m.score >= 0.99 and m.length >= period_found.length]
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.99 and t[2] >= period_found.length]
        said = self.tokens[j].kind == "word" and (bare or self.low(i) in ("of", "in", "from"))
        if said and (tables or (called and self.low(i) in ("of", self.low(j)))):
            # a column called Jan, a sheet called Q1
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
        after = j + period_found.length
        if (
            operator == "="
            and self.low(after) == "or"
            and self.low(after + 1) in any_of("later newer earlier older before after")
        ):
            return self._time_bound(i, j, "=", period_found)
        at = self._time_bound(i, j, operator, period_found)
        return (
            self.skip(at, {"onwards", "onward"})
            if self.low(at) in ("onwards", "onward")
            else (at + 1 if self.low(i) == "from" and self.low(at) == "on" else at)
        )

    def _within(self, i: int, j: int) -> int:
        """ "Expiring within 30 days", of a date that is yet to come: from today on."""
        number = quantity_at(self.tokens, j)
        known = self.last if isinstance(self.last, Known) else self.event
        if self.low(i) != "within" or number is None or number.unit not in ("d", "wk", "mo", "y") or known is None:
            return 0
        coming = set(known.words) & any_of("expire expires expiry expiration due deadline until renewal")
        if not coming or known.sort != "date" or self.low(j + number.length) in ("of", "after", "from"):
            return 0
        unit = {"d": "day", "wk": "week", "mo": "month", "y": "year"}[number.unit]
        until = self.calendar.ago(-int(number.value), unit)
        label = f"the next {number.value} {unit}s"
        period = Period(self.calendar.today, units_on(until, "day", 1), label, number.length)
        self.event = None
        self.add(self.compare_period(known, "=", period), known)
        self.zone, self.last = "filter", None
        return j + number.length

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
        if (
            first is None
            and j + 2 < len(self.tokens)
            and self.tokens[j].kind == "number"
            and self.tokens[j].text.isdecimal()
        ):
            # "between 6 and 9 am"
            later = self._hour_at(j + 2)
            hour = int(self.tokens[j].text) + (12 if later and later[0] > 12 else 0)
            first = (hour, 1) if later and hour < 24 else None
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
