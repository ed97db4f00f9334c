"""Numbers with units and periods of time, read from the words at one place of a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from synth.understand.words import Token, any_of

SMALL = {
    w: n
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
TENS = {w: 10 * n for n, w in enumerate(["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 3)}
SCALES = {
    "hundred": 100,
    "thousand": 1000,
    "k": 1000,
    "million": 10**6,
    "mio": 10**6,
    "mn": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "dozen": 12,
}

UNITS = {
    "€": "EUR",
    "eur": "EUR",
    "euro": "EUR",
    "$": "USD",
    "usd": "USD",
    "dollar": "USD",
    "buck": "USD",
    "£": "GBP",
    "gbp": "GBP",
    "pound": "GBP",
    "quid": "GBP",
    "¥": "JPY",
    "jpy": "JPY",
    "yen": "JPY",
    "chf": "CHF",
    "franc": "CHF",
    "%": "%",
    "percent": "%",
    "pct": "%",
    "kg": "kg",
    "kilo": "kg",
    "kilogram": "kg",
    "g": "g",
    "gram": "g",
    "tonne": "t",
    "km": "km",
    "kilometer": "km",
    "kilometre": "km",
    "m": "m",
    "meter": "m",
    "metre": "m",
    "cm": "cm",
    "mm": "mm",
    "ft": "ft",
    "foot": "ft",
    "yd": "yd",
    "yard": "yd",
    "lb": "lb",
    "lbs": "lb",
    "oz": "oz",
    "ounce": "oz",
    "l": "l",
    "liter": "l",
    "litre": "l",
    "ml": "ml",
    "hp": "hp",
    "mph": "mph",
    "kmh": "km/h",
    "mpg": "mpg",
    "knot": "kn",
    "inch": "in",
    "mile": "mi",
    "mi": "mi",
    "degree": "deg",
    "°": "deg",
    "celsius": "°C",
    "°c": "°C",
    "c": "°C",
    "fahrenheit": "°F",
    "°f": "°F",
    "f": "°F",
    "ms": "ms",
    "millisecond": "ms",
    "s": "s",
    "sec": "s",
    "second": "s",
    "min": "min",
    "minute": "min",
    "h": "h",
    "hour": "h",
    "day": "d",
    "week": "wk",
    "month": "mo",
    "year": "y",
    "yr": "y",
    "byte": "B",
    "kb": "kB",
    "kilobyte": "kB",
    "mb": "MB",
    "megabyte": "MB",
    "gb": "GB",
    "gigabyte": "GB",
    "gig": "GB",
    "hpa": "hPa",
    "wh": "Wh",
    "kwh": "kWh",
    "mwh": "MWh",
}
CURRENCIES = any_of("EUR USD GBP JPY CHF")

# How many of the family's smallest unit each holds.
SIZES: dict[str, tuple[str, Decimal]] = {
    "g": ("mass", Decimal(1)),
    "kg": ("mass", Decimal(1000)),
    "t": ("mass", Decimal(10**6)),
    "oz": ("mass", Decimal("28.349523125")),
    "lb": ("mass", Decimal("453.59237")),
    "ml": ("volume", Decimal(1)),
    "l": ("volume", Decimal(1000)),
    "ft": ("length", Decimal("304.8")),
    "yd": ("length", Decimal("914.4")),
    "mm": ("length", Decimal(1)),
    "cm": ("length", Decimal(10)),
    "m": ("length", Decimal(1000)),
    "km": ("length", Decimal(10**6)),
    "mi": ("length", Decimal(1609344)),
    "in": ("length", Decimal("25.4")),
    "ms": ("time", Decimal(1)),
    "s": ("time", Decimal(1000)),
    "min": ("time", Decimal(60_000)),
    "h": ("time", Decimal(3_600_000)),
    "d": ("time", Decimal(86_400_000)),
    "wk": ("time", Decimal(604_800_000)),
    "Wh": ("energy", Decimal(1)),
    "kWh": ("energy", Decimal(1000)),
    "MWh": ("energy", Decimal(10**6)),
    "B": ("bytes", Decimal(1)),
    "kB": ("bytes", Decimal(1000)),
    "MB": ("bytes", Decimal(10**6)),
    "GB": ("bytes", Decimal(10**9)),
}

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon",
            "tuesday tue tues",
            "wednesday wed",
            "thursday thu thurs",
            "friday fri",
            "saturday sat",
            "sunday sun",
        ),
        1,
    )
    for name in names.split()
}
SPANS = {"hour", "day", "week", "month", "quarter", "year", "fortnight", "decade", "minute"}


@dataclass(frozen=True)
class Quantity:
    """A number of the request, its unit where one was said, and how many tokens it took. `ordinal` is "5th"."""

    value: Decimal
    unit: str
    length: int
    ordinal: bool = False


@dataclass(frozen=True)
class Period:
    """A stretch of time, its end not included; None is open. `month`, `weekdays` and `hours` are parts of the calendar that
    come again ("in March" of any year). `label` says it in words. `length` counts its tokens."""

    start: date | datetime | None
    end: date | datetime | None
    label: str
    length: int
    month: int = 0
    day: int = 0
    weekdays: tuple[int, ...] = ()
    rolling: bool = False
    ambiguous: str = ""


def quantity_at(tokens: Sequence[Token], i: int) -> Quantity | None:
    """The number that begins at token i: digits or words, a currency sign before, a scale and a unit behind."""
    at = i
    unit = ""
    if at < len(tokens) and tokens[at].text in "€$£¥" and at + 1 < len(tokens) and tokens[at + 1].kind == "number":
        unit, at = UNITS[tokens[at].text], at + 1
    elif (
        at + 1 < len(tokens)
        and tokens[at].low in ("eur", "usd", "gbp", "chf", "jpy")
        and tokens[at + 1].kind == "number"
    ):
        unit, at = tokens[at].low.upper(), at + 1
    if at >= len(tokens):
        return None
    found = _plain_number(tokens, at)
    if found is None:
        return None
    value, at = found
    glued = at < len(tokens) and tokens[at].start == tokens[at - 1].end
    if at < len(tokens) and glued and tokens[at].low in ("st", "nd", "rd", "th"):
        return Quantity(value, "", at + 1 - i, ordinal=True)
    while at < len(tokens) and (
        tokens[at].low in SCALES
        or (glued and tokens[at].text in ("M", "m", "B") and unit in ("", *CURRENCIES) and tokens[at].text != "m")
    ):
        value *= SCALES.get(tokens[at].low, 10**6 if tokens[at].low == "m" else 10**9)
        at, glued = at + 1, False
    if not unit and at < len(tokens):
        two = tokens[at].low + tokens[at + 1].low if at + 1 < len(tokens) else ""
        if two in UNITS and tokens[at].text == "°":
            unit, at = UNITS[two], at + 2
        elif tokens[at].low == "per" and at + 1 < len(tokens) and tokens[at + 1].low == "cent":
            unit, at = "%", at + 2
        elif tokens[at].lemma in UNITS and (
            len(tokens[at].low) > 1 or not tokens[at].low.isalpha() or _stands_alone(tokens, at)
        ):
            unit, at = UNITS[tokens[at].lemma], at + 1
            if unit == "deg" and at < len(tokens) and tokens[at].low in ("c", "celsius", "f", "fahrenheit"):
                unit, at = UNITS[tokens[at].low], at + 1
    return Quantity(value, unit, at - i)


def _stands_alone(tokens: Sequence[Token], at: int) -> bool:
    """A one-letter unit is glued to its number or ends a phrase."""
    return tokens[at].start == tokens[at - 1].end or at + 1 == len(tokens) or tokens[at - 1].kind == "number"


def _plain_number(tokens: Sequence[Token], i: int) -> tuple[Decimal, int] | None:
    token = tokens[i]
    if token.kind == "number":
        return Decimal(re.sub(r"[,\u00a0\u202f']", "", token.text)), i + 1
    if (
        token.low in ("a", "an")
        and i + 1 < len(tokens)
        and tokens[i + 1].low in ("hundred", "thousand", "million", "dozen", "billion")
    ):
        return Decimal(SCALES[tokens[i + 1].low]), i + 2
    if token.low == "half" and i + 2 < len(tokens) and tokens[i + 1].low == "a" and tokens[i + 2].low in SCALES:
        return Decimal(SCALES[tokens[i + 2].low]) / 2, i + 3
    if token.low in ("a", "one") and i + 1 < len(tokens) and tokens[i + 1].low == "couple":
        return Decimal(2), i + 2
    if token.low == "dozen":
        return Decimal(12), i + 1
    if token.low in TENS or token.low == "twenty":
        value = TENS.get(token.low, 20)
        if i + 1 < len(tokens) and 0 < SMALL.get(tokens[i + 1].low, 0) < 10:
            return Decimal(value + SMALL[tokens[i + 1].low]), i + 2
        return Decimal(value), i + 1
    if token.low in SMALL:
        return Decimal(SMALL[token.low]), i + 1
    return None


def converted(value: Decimal, unit: str, to: str) -> Decimal | None:
    """The value in the other unit; None when the two do not measure the same."""
    if unit == to or {unit, to} == {"deg", "°C"}:
        return value
    if unit == "°F" and to == "°C":
        return (value - 32) * 5 / 9
    if unit in SIZES and to in SIZES and SIZES[unit][0] == SIZES[to][0]:
        return value * SIZES[unit][1] / SIZES[to][1]
    return None


def months_on(day: date, months: int) -> date:
    """The same day so many months on, or the month's last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")


def unit_start(day: date, unit: str) -> date:
    """The first day of the week (Monday), month, quarter or year that holds the day."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    if unit == "year":
        return day.replace(month=1, day=1)
    return day


def units_on(day: date, unit: str, count: int) -> date:
    """The day so many units on."""
    if unit in ("day", "week", "fortnight"):
        return day + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit])
    return months_on(day, count * {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit])


class Calendar:
    """Reads periods with respect to now."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today = now.date()

    def period_at(self, tokens: Sequence[Token], i: int) -> Period | None:
        """The period whose first word (no preposition) is token i; the longest reading."""
        if i >= len(tokens):
            return None
        for read in (self._relative, self._absolute, self._returning):
            found = read(tokens, i)
            if found is not None:
                return found
        return None

    def _relative(self, tokens: Sequence[Token], i: int) -> Period | None:
        low = [t.low for t in tokens[i : i + 6]]
        today = self.today
        day = timedelta(days=1)
        if low[:1] == ["today"]:
            return Period(today, today + day, "today", 1)
        if low[:1] == ["yesterday"]:
            return Period(today - day, today, "yesterday", 1)
        if low[:1] == ["tomorrow"]:
            return Period(today + day, today + 2 * day, "tomorrow", 1)
        if low[:4] == ["day", "before", "yesterday"][:3] or low[:3] == ["day", "before", "yesterday"]:
            return Period(today - 2 * day, today - day, "the day before yesterday", 3)
        if low[:1] == ["now"] and i and tokens[i - 1].low in ("between", "from"):
            return Period(today, today + day, "now", 1)
        ending = self._end_of(tokens, i)
        if ending is not None:
            return ending
        if low[:1] == ["mtd"] or low[:1] == ["qtd"]:
            unit = "month" if low[0] == "mtd" else "quarter"
            return Period(unit_start(today, unit), today + day, f"this {unit} to date", 1)
        if low[:1] == ["next"] and len(low) > 1:
            counted = _plain_number(tokens, i + 1)
            if counted is not None and counted[1] < len(tokens) and counted[0] == int(counted[0]):
                span = tokens[counted[1]].lemma
                if span in SPANS - {"hour", "minute"}:
                    last = units_on(today, span, int(counted[0])) + day
                    return Period(today, last, f"the next {counted[0]} {span}s", counted[1] + 1 - i)
        if low[:1] == ["ytd"]:
            return Period(unit_start(today, "year"), today + day, "this year to date", 1)
        if low[:3] in (
            ["year", "to", "date"],
            ["month", "to", "date"],
            ["quarter", "to", "date"],
            ["week", "to", "date"],
        ):
            return Period(unit_start(today, low[0]), today + day, f"this {low[0]} to date", 3)
        if (
            low[:1] in (["this"], ["current"])
            and len(low) > 1
            and low[1] in SPANS - {"hour", "minute", "fortnight", "decade"}
        ):
            start = unit_start(today, low[1])
            length = 4 if low[2:4] == ["so", "far"] else 2
            return Period(start, units_on(start, low[1], 1), f"this {low[1]}", length)
        if low[:1] == ["next"] and len(low) > 1 and low[1] in ("week", "month", "quarter", "year"):
            start = units_on(unit_start(today, low[1]), low[1], 1)
            return Period(start, units_on(start, low[1], 1), f"next {low[1]}", 2)
        if low[:1] and low[0] in any_of("last past previous preceding prior recent"):
            return self._rolling(tokens, i)
        if low[:1] and low[0] in WEEKDAYS and not tokens[i].low.endswith("s"):
            # the most recent one, today included
            back = (today.isoweekday() - WEEKDAYS[low[0]]) % 7
            if len(low[0]) > 3:
                return Period(
                    today - back * day, today - back * day + day, f"{low[0].capitalize()} {today - back * day}", 1
                )
        return None

    def _end_of(self, tokens: Sequence[Token], i: int) -> Period | None:
        """ "Before the end of the year", "by the end of September": the moment at which it is over."""
        if tokens[i].low != "end" or i + 2 >= len(tokens) or tokens[i + 1].low != "of":
            return None
        if not {t.low for t in tokens[max(0, i - 2) : i]} & any_of("before until till and to"):
            return None
        j = i + 2
        if (
            tokens[j].low in ("the", "this")
            and j + 1 < len(tokens)
            and tokens[j + 1].low in ("week", "month", "quarter", "year")
        ):
            unit = tokens[j + 1].low
            over = units_on(unit_start(self.today, unit), unit, 1)
            return Period(over, over, f"the end of this {unit}", j + 2 - i)
        found = self._absolute(tokens, j)
        if found is not None and found.month and not found.day:
            start = date(self.today.year + (found.month < self.today.month), found.month, 1)
            found = Period(start, months_on(start, 1), found.label, found.length)
        if found is None or found.end is None:
            return None
        return Period(found.end, found.end, f"the end of {found.label}", j + found.length - i)

    def _rolling(self, tokens: Sequence[Token], i: int) -> Period | None:
        word = tokens[i].low
        if i + 1 >= len(tokens):
            return None
        following = tokens[i + 1]
        today = self.today
        if following.low in WEEKDAYS and len(following.low) > 3 and word in ("last", "past", "previous"):
            back = (today.isoweekday() - WEEKDAYS[following.low] - 1) % 7 + 1
            start = today - timedelta(days=back)
            return Period(start, start + timedelta(days=1), f"last {following.low.capitalize()}", 2)
        if following.low in MONTHS and word in ("last", "past"):
            year = today.year if MONTHS[following.low] < today.month else today.year - 1
            start = date(year, MONTHS[following.low], 1)
            return Period(start, months_on(start, 1), f"{start:%B %Y}", 2)
        if following.low in SPANS and following.low not in ("hour", "minute"):
            unit = following.low
            if word in ("past", "recent") or unit in ("fortnight", "decade"):
                return Period(units_on(today, unit, -1), None, f"the past {unit}", 2, rolling=True)
            end = unit_start(today, unit)
            return Period(units_on(end, unit, -1), end, f"last {unit}", 2)
        if following.low in ("hour", "minute"):
            start_time = self.now - timedelta(**{following.low + "s": 1})
            return Period(start_time, None, f"the last {following.low}", 2, rolling=True)
        counted = _plain_number(tokens, i + 1)
        if counted is None or counted[1] >= len(tokens):
            return None
        count, at = counted
        if (
            tokens[at].low in ("full", "calendar", "complete")
            and at + 1 < len(tokens)
            and tokens[at + 1].lemma in SPANS
        ):
            unit = tokens[at + 1].lemma
            end = unit_start(today, unit)
            return Period(units_on(end, unit, -int(count)), end, f"the last {count} whole {unit}s", at + 2 - i)
        unit = tokens[at].lemma
        if unit not in SPANS or count != int(count):
            return None
        return Period(self.ago(int(count), unit), None, f"the last {count} {unit}s", at + 1 - i, rolling=True)

    def ago(self, count: int, unit: str) -> date | datetime:
        """So many units before now: a day, or a moment for hours and minutes."""
        if unit in ("hour", "minute"):
            return self.now - timedelta(**{unit + "s": count})
        return units_on(self.today, unit, -count)

    def _absolute(self, tokens: Sequence[Token], i: int) -> Period | None:
        token = tokens[i]
        following = tokens[i + 1 : i + 5]
        if token.kind == "date":
            return _date_token(token.text)
        if token.low in MONTHS and not (token.low == "may" and not _dateish(following)):
            return self._month_first(tokens, i)
        number = quantity_at(tokens, i) if token.kind == "number" else None
        if number is not None and number.value == int(number.value):
            at = i + (number.length if number.ordinal else 1)
            if at < len(tokens) and tokens[at].low == "of":
                at += 1
            plain = number.ordinal or token.text.isdecimal()
            if (
                plain
                and 1 <= int(token.text.split(".")[0].replace(",", "") or 0) <= 31
                and at < len(tokens)
                and tokens[at].low in MONTHS
            ):
                day, month = int(token.text), MONTHS[tokens[at].low]
                if at + 1 < len(tokens) and tokens[at + 1].kind == "comma":
                    year, used = (_year_at(tokens, at + 2), 3)
                else:
                    year, used = (_year_at(tokens, at + 1), 2)
                return self._day(year, month, day, at - i + (used if year else 1))
        year = _year_at(tokens, i)
        if year:
            if (
                len(following) > 1
                and following[0].low in ("q",)
                and following[1].kind == "number"
                and following[1].text in ("1", "2", "3", "4")
            ):
                return _quarter(year, int(following[1].text), 3)
            if following and re.fullmatch(r"q[1-4]", following[0].low):
                return _quarter(year, int(following[0].low[1]), 2)
            return Period(date(year, 1, 1), date(year + 1, 1, 1), str(year), 1)
        if re.fullmatch(r"[qh][1-4]", token.low):
            at = i + 1
            while at < len(tokens) and tokens[at].low in ("of", "in"):
                at += 1
            year = _year_at(tokens, at)
            used = at + 1 - i if year else 1
            part = int(token.low[1])
            if token.low[0] == "q":
                return _quarter(year or self.today.year, part, used)
            return _half(year or self.today.year, part, used) if part <= 2 else None
        ordinal = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1}.get(token.low)
        if ordinal and following and following[0].low in ("quarter", "half"):
            at = i + 2
            while at < len(tokens) and tokens[at].low in ("of", "in"):
                at += 1
            year = _year_at(tokens, at)
            if year:
                return (_quarter if following[0].low == "quarter" else _half)(year, ordinal, at + 1 - i)
            if following[0].low == "half" or ordinal <= 4:
                this = following[1].low if len(following) > 1 else ""
                if this not in ("of", "in") and tokens[i - 1].low == "the":
                    return (_quarter if following[0].low == "quarter" else _half)(self.today.year, ordinal, 2)
        if (
            re.fullmatch(r"[5-9]0", token.text)
            and following
            and following[0].low == "s"
            and token.end == following[0].start
        ):
            start = 1900 + int(token.text)
            return Period(date(start, 1, 1), date(start + 10, 1, 1), f"the {start}s", 2)
        within = self._first_of(tokens, i)
        if within is not None:
            return within
        glued = bool(following) and following[0].low == "s" and token.end == following[0].start
        if re.fullmatch(r"\d{4}", token.text) and glued:
            start = int(token.text)
            if 1000 <= start <= 2100 and start % 10 == 0:
                return Period(date(start, 1, 1), date(start + 10, 1, 1), f"the {start}s", 2)
        return None

    def _first_of(self, tokens: Sequence[Token], i: int) -> Period | None:
        """ "First two months of 2023", "first week of January 2024": so many days, weeks or months from a period's start."""
        if tokens[i].low != "first" or i + 3 >= len(tokens):
            return None
        counted = _plain_number(tokens, i + 1)
        count, at = counted if counted is not None else (Decimal(1), i + 1)
        unit = tokens[at].lemma if at < len(tokens) else ""
        if unit not in ("day", "week", "month") or at + 2 >= len(tokens) or tokens[at + 1].low != "of":
            return None
        whole = self._absolute(tokens, at + 2)
        if whole is None or not isinstance(whole.start, date) or whole.end is None or count != int(count):
            return None
        end = units_on(whole.start, unit, int(count))
        if not isinstance(whole.end, date) or end > whole.end:
            return None
        said = f"the first {unit}" if counted is None else f"the first {count} {unit}s"
        return Period(whole.start, end, f"{said} of {whole.label}", at + 2 + whole.length - i)

    def _month_first(self, tokens: Sequence[Token], i: int) -> Period | None:
        month = MONTHS[tokens[i].low]
        at = i + 1
        year = _year_at(tokens, at + 1) if at < len(tokens) and tokens[at].low in (",", "of") else _year_at(tokens, at)
        if year:
            used = 3 if tokens[at].low in (",", "of") else 2
            start = date(year, month, 1)
            return Period(start, months_on(start, 1), f"{start:%B %Y}", used)
        number = quantity_at(tokens, at) if at < len(tokens) and tokens[at].kind == "number" else None
        if number is not None and (number.ordinal or tokens[at].text.isdecimal()) and 1 <= int(tokens[at].text) <= 31:
            after = at + (number.length if number.ordinal else 1)
            if after < len(tokens) and tokens[after].low in (",", "of"):
                year = _year_at(tokens, after + 1)
                return self._day(year, month, int(tokens[at].text), (after + 2 if year else after) - i)
            year = _year_at(tokens, after)
            return self._day(year, month, int(tokens[at].text), (after + 1 if year else after) - i)
        name = date(2000, month, 1).strftime("%B")
        return Period(None, None, name, 1, month=month)

    def _day(self, year: int, month: int, day: int, length: int) -> Period | None:
        try:
            start = date(year or 2000, month, day)
        except ValueError:
            return None
        if not year:
            return Period(None, None, f"{start:%d %B}".lstrip("0"), length, month=month, day=day)
        return Period(start, start + timedelta(days=1), str(start), length)

    def _returning(self, tokens: Sequence[Token], i: int) -> Period | None:
        low = tokens[i].low
        if low in ("weekend", "weekends"):
            return Period(None, None, "weekends", 1, weekdays=(6, 7))
        if low in ("weekdays", "workdays"):
            return Period(None, None, "weekdays", 1, weekdays=(1, 2, 3, 4, 5))
        if low.endswith("s") and low[:-1] in WEEKDAYS and len(low) > 5:
            return Period(None, None, low.capitalize(), 1, weekdays=(WEEKDAYS[low[:-1]],))
        return None

    def month_in_year(self, month: int, year: int, day: int = 0) -> tuple[date, date]:
        """The month (or its day) of that year, end not included."""
        start = date(year, month, day or 1)
        return start, start + timedelta(days=1) if day else months_on(start, 1)

    def recent_year_of(self, month: int, day: int = 0) -> int:
        """The year of the month's last beginning."""
        return self.today.year if (month, day or 1) <= (self.today.month, self.today.day) else self.today.year - 1


def _dateish(following: Sequence[Token]) -> bool:
    return (
        bool(following) and (following[0].kind == "number" or following[0].low in ("and", "to", "or"))
    ) or not following


def _year_at(tokens: Sequence[Token], i: int) -> int:
    """A plain four-digit year at token i, else 0."""
    if i < len(tokens) and re.fullmatch(r"1[5-9]\d\d|20\d\d", tokens[i].text) and tokens[i].kind == "number":
        follows = tokens[i + 1] if i + 1 < len(tokens) else None
        if follows is not None and follows.start == tokens[i].end and follows.kind == "word":
            return 0
        return int(tokens[i].text)
    return 0


def _quarter(year: int, quarter: int, length: int) -> Period | None:
    start = date(year, 3 * quarter - 2, 1)
    return Period(start, months_on(start, 3), f"Q{quarter} {year}", length)


def _half(year: int, half: int, length: int) -> Period | None:
    if half > 2:
        return None
    start = date(year, 6 * half - 5, 1)
    return Period(start, months_on(start, 6), f"H{half} {year}", length)


def _date_token(text: str) -> Period | None:
    if re.match(r"\d{4}", text):
        parts = [int(p) for p in re.split(r"[-/]", text[:10].split("T")[0].split(" ")[0])]
        clock = re.search(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text)
        try:
            if len(parts) == 2:
                start = date(parts[0], parts[1], 1)
                return Period(start, months_on(start, 1), f"{start:%B %Y}", 1)
            day = date(parts[0], parts[1], parts[2])
            if clock:
                moment = datetime(day.year, day.month, day.day, int(clock[1]), int(clock[2]), int(clock[3] or 0))
                step = timedelta(seconds=1) if clock[3] else timedelta(minutes=1)
                return Period(moment, moment + step, str(moment), 1)
            return Period(day, day + timedelta(days=1), str(day), 1)
        except ValueError:
            return None
    first, second, year = (int(p) for p in re.split(r"[./]", text))
    if "." in text or first > 12:
        first, second = second, first
    elif second <= 12 and first != second:
        return Period(None, None, text, 1, ambiguous=f"{year}-{first:02}-{second:02} or {year}-{second:02}-{first:02}")
    try:
        day = date(year, first, second)
    except ValueError:
        return None
    return Period(day, day + timedelta(days=1), str(day), 1)
