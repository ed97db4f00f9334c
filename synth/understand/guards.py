"""The last look at a plan: what the request says and the plan has lost is refused, and so is what no row can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from synth.plan import (
    Aggregate,
    And,
    Arithmetic,
    Bucket,
    Column,
    Compare,
    Condition,
    Expression,
    Match,
    Not,
    OneOf,
    Or,
    Plan,
    Value,
    walk,
)
from synth.understand.notes import no
from synth.understand.structure import Reader
from synth.understand.words import any_of, lemma, stem

ONLY = re.compile(r"\b(?:with|have|has|having|that|who|which) only\b(?! (?:\d|one|two|three|a\b))")
ALL_OF = re.compile(
    r"\b(?:where|for which|whose) all\b|\ball of whose\b|\bin all (?!the|our)|\bwith all\b|"
    r"\bwhose (?:\w+ ){1,2}(?:are|were|is|was|have|had)(?: been)? all\b"
)
OF_THE_FIRST = re.compile(
    r"\bof (?:the|our) (\d+|two|three|four|five|six|seven|eight|nine|ten) (?:most|least|\w+est)\b"
)
EXTREMES = any_of("highest lowest largest smallest biggest greatest maximum minimum")
NUMBERS = dict(zip("two three four five six seven eight nine ten".split(), range(2, 11), strict=True))
# A past form → the value that a column of reasons or kinds would hold for it.
HAPPENED = {"sold": "sale", "returned": "return", "delivered": "delivery", "bought": "purchase", "refunded": "refund"}
OUT = re.compile(
    r"\b(?:out of stock|(?:are|is|still|currently|books|items) out|out right now|on loan|currently \w+ed)\b"
)
PASSED = any_of("closed expired expiring ended finished completed cancelled settled due lapsed terminated")


def guarded(reader: Reader, plan: Plan) -> Plan:
    """The plan, moments compared with days by their day; refused where it means something else than was said."""
    words = [t.low for t in reader.tokens]
    text = " ".join(words)
    parts = list(_parts(plan.where))
    _tables_once(plan)
    _whole_groups(reader, plan, text)
    _possible(parts)
    _nothing_denied_of_partners(reader, plan, parts)
    _nothing_dropped(reader, plan, words)
    _never(reader, plan, words)
    _figure_or_row(reader, plan, text)
    _shown_kept(reader, plan)
    _tells_something(reader, plan, parts)
    compared = any(isinstance(p, Compare) and isinstance(p.left, Column) and isinstance(p.right, Column) for p in parts)
    signs = any_of("times minus plus multiplied divided * + /")
    if compared and signs & set(words) and not any(isinstance(n, Arithmetic) for n in walk(plan)):
        raise no("cannot-answer", "a column is compared with one other column, not with an arithmetic of several")
    arithmetic = re.search(r"\bby (?:\w+ ){1,3}(?:plus|minus|times|divided)\b", text)
    if arithmetic is not None and not any(isinstance(n, Arithmetic) for n in walk(plan)):
        raise no("cannot-answer", f"{arithmetic[0]!r}: an order by an arithmetic of columns needs two steps")
    found = OF_THE_FIRST.search(text)
    count = NUMBERS.get(found[1], found[1]) if found else ""
    equal = [p.right for p in parts if isinstance(p, Compare) and p.operator == "="]
    if found and any(isinstance(v, Value) and str(v.value) == str(count) for v in equal):
        raise no("not-understood", f"{found[0]!r}: which columns of how many rows? name the rows first")
    return replace(plan, where=by_day(reader, plan.where)) if plan.where is not None else plan


def by_day(reader: Reader, condition: Condition) -> Condition:
    """A moment compared with a day is compared by its day: delivered on the promised day is not delivered after it."""
    match condition:
        case And():
            return And(tuple(by_day(reader, c) for c in condition.all))
        case Or():
            return Or(tuple(by_day(reader, c) for c in condition.any))
        case Not():
            return Not(by_day(reader, condition.of))
        case Compare(left=Column() as left, right=Column() as right):
            days = [reader.lexicon.known[c].field.type.startswith("date") for c in (left, right)]
            moments = [reader.lexicon.known[c].field.type.startswith("timestamp") for c in (left, right)]
            if moments[0] and days[1]:
                return replace(condition, left=_day(reader, left))
            if moments[1] and days[0]:
                return replace(condition, right=_day(reader, right))
    return condition


def _day(reader: Reader, column: Column) -> Bucket:
    return Bucket(column, "day", reader.zone_name(reader.lexicon.known[column]))


def _parts(condition: Condition | None) -> Iterable[Condition]:
    """The conditions that must all hold."""
    if isinstance(condition, And):
        for each in condition.all:
            yield from _parts(each)
    elif condition is not None:
        yield condition


def _tables_once(plan: Plan) -> None:
    names = [plan.table, *(j.table for j in plan.joins)]
    for name in names:
        if names.count(name) > 1:
            raise no("cannot-answer", f"rows with and without partners in {name!r} at once need two steps")


def _listed(reader: Reader, plan: Plan) -> bool:
    """Whether the answer lists things of which each may stand in several of the rows that the conditions look at."""
    shown = [o.of for o in plan.outputs if isinstance(o.of, Column)]
    if plan.group or len(shown) != len(plan.outputs):
        return False
    if any(reader.graph.widens(plan.table, j.table) for j in plan.joins if j.kind == "inner"):
        return True
    named = [s.known for s in reader.notes.shown if s.asked or s.plural]
    first = named[0].field if named else None
    return first is not None and named[0].sort == "text" and 0 < first.distinct < first.values - first.nulls


def _whole_groups(reader: Reader, plan: Plan, text: str) -> None:
    """ "With only", "both", "all": they speak of all rows of a thing together, and a condition looks at one row."""
    if not _listed(reader, plan):
        return
    said = ONLY.search(text) or ALL_OF.search(text)
    either = any((isinstance(n, OneOf) and not n.negated) or isinstance(n, Or) for n in walk(plan.where))
    if said is None and either:
        said = re.search(r"\bboth\b", text)
    if said is None and any(isinstance(n, Not) for n in walk(plan.where)):
        said = re.search(r"\bbut (?:not|never) (?:in|during|since|on|before|after)\b", text)
    if said is not None:
        raise no("cannot-answer", f"{said[0]!r} looks at all rows of each thing together, which needs two steps")


def _possible(parts: list[Condition]) -> None:
    """Refuse two spans of time of one column that do not meet, and a "but not" that takes nothing away."""
    lower: dict[Expression, float] = {}
    upper: dict[Expression, float] = {}
    for part in parts:
        found = _bound(part)
        if found is None:
            continue
        left, above, at = found
        if above:
            lower[left] = max(at, lower.get(left, at))
        else:
            upper[left] = min(at, upper.get(left, at))
    for left in lower.keys() & upper.keys():
        if lower[left] >= upper[left]:
            raise no("cannot-answer", "these times do not overlap: no row lies in both; say 'or' if either will do")
    for part in parts:
        inner = part.of.all if isinstance(part, Not) and isinstance(part.of, And) else ()
        for left, above, at in filter(None, map(_bound, inner)):
            apart = upper.get(left, at + 1) <= at if above else lower.get(left, at - 1) >= at
            if apart:
                raise no("cannot-answer", "in one time but not in another looks at several rows of each: two steps")
        nodes = list(walk(part)) if isinstance(part, Or) else []
        months = {n.of for n in nodes if isinstance(n, Bucket) and n.unit == "month_of_year"}
        dated = [n.left for n in nodes if isinstance(n, Compare) and _bound(n) is not None]
        if months & set(dated):
            raise no("ambiguous", "a month of any year, or a month of one year? say the year with each")


def _bound(part: Condition) -> tuple[Expression, bool, float] | None:
    """The column, whether the bound is a lower one, and the moment, where a condition bounds a time."""
    if not isinstance(part, Compare) or not isinstance(part.right, Value) or not isinstance(part.right.value, date):
        return None
    if part.operator in ("=", "!="):
        return None
    value = part.right.value
    plain = value.replace(tzinfo=None) if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    return part.left, part.operator in (">", ">="), (plain - datetime(1, 1, 1)).total_seconds()


def _nothing_denied_of_partners(reader: Reader, plan: Plan, parts: list[Condition]) -> None:
    """ "Products not sold in 2026" may well have been sold in it: one of many partners outside is not enough."""
    if not _listed(reader, plan):
        return
    for part in parts:
        tables = {n.table for n in walk(part) if isinstance(n, Column)}
        far = [t for t in tables if t != plan.table and reader.graph.widens(plan.table, t)]
        denies = isinstance(part, Not) or (isinstance(part, OneOf | Match) and part.negated)
        denies = denies or (isinstance(part, Compare) and part.operator == "!=")
        if far and denies:
            raise no("cannot-answer", f"rows of {plan.table!r} without such rows of {far[0]!r} need two steps")


def _never(reader: Reader, plan: Plan, words: list[str]) -> None:
    """ "Vendors who were never cancelled": of all rows of a vendor."""
    lacking = any(j.kind == "missing" for j in plan.joins)
    if "never" in words and not lacking and not reader.rows_said and _listed(reader, plan):
        raise no("cannot-answer", "'never' looks at all rows of each thing together, which needs two steps")


def _shown_kept(reader: Reader, plan: Plan) -> None:
    """A column that was named and is nowhere in the plan was lost on the way."""
    there = {n for n in walk(plan) if isinstance(n, Column)}
    keys = {c for t in reader.lexicon.schema.tables for c in reader.lexicon.key(t.name)}
    for shown in reader.notes.shown:
        name = shown.known.column.name
        if shown.known.column not in there and shown.known.column not in keys and not shown.as_total:
            raise no(
                "not-understood", f"what has {shown.said!r} to do with the rest? {name!r} to show, or a condition?"
            )


def _tells_something(reader: Reader, plan: Plan, parts: list[Condition]) -> None:
    """A question whose answer would be what it says itself: "when was Melbourne the home team" is not the home team."""
    given = {
        p.left
        for p in parts
        if isinstance(p, Compare) and p.operator == "=" and isinstance(p.right, Value) and not p.fold
    }
    shown = [o.of for o in plan.outputs]
    asked = any(t.low in any_of("who what which when where") for t in reader.tokens)
    if asked and shown and not plan.group and all(s in given for s in shown):
        names = tuple(s.name for s in shown if isinstance(s, Column))
        raise no(
            "not-understood", f"the question says what {' and '.join(names)} is; what else is asked of those rows?"
        )


def _figure_or_row(reader: Reader, plan: Plan, text: str) -> None:
    """What asks for a figure and would get rows, or asks for a row and would get a figure."""
    single = [o.of for o in plan.outputs if isinstance(o.of, Aggregate) and o.of.function in ("min", "max")]
    if len(plan.outputs) == len(single) == 1 and not plan.group:
        for i, token in enumerate(reader.tokens):
            column = reader.column_at(i + 1, "number") if token.low in EXTREMES and i + 1 < len(reader.tokens) else None
            noun = reader.tokens[column[1]] if column and column[1] < len(reader.tokens) else None
            rows = noun is not None and noun.low == noun.lemma and reader.noun_of_rows(column[1] if column else 0)
            if column is not None and noun is not None and rows:
                name = column[0].column.name
                said = f"the {token.low} {name}, or the {noun.low} that has it?"
                raise no("ambiguous", said, (f"{token.low} {name}", f"{noun.low} with the {token.low} {name}"))
    if any(isinstance(n, Aggregate) for n in walk(plan)):
        return
    if re.search(r"\bbreakdown$", text):
        raise no("not-understood", "a breakdown of what? say what is counted or added up for each")
    if re.search(r"^(?:the )?number \w+ed\b", text):
        raise no("not-understood", "the number of what? say 'how many'")
    if reader.notes.sorting and not plan.order:
        names = [s.known.column.name for s in reader.notes.sorting if s.known is not None]
        if names:
            choices = tuple(f"{w} {names[0]}" for w in ("total", "average", "highest"))
            raise no("ambiguous", f"sorted by the total, the average or the highest {names[0]} of each?", choices)


def _nothing_dropped(reader: Reader, plan: Plan, words: list[str]) -> None:
    """A word that set no condition although the data tells such rows from others."""
    text = " ".join(words)
    tables = [plan.table, *(j.table for j in plan.joins)]
    figures = tuple(o.of for o in plan.outputs if not isinstance(o.of, Column))
    touched = {
        n for n in walk((plan.where, plan.having, plan.group, plan.order, plan.joins, figures)) if isinstance(n, Column)
    }
    used = touched | {s.known.column for s in reader.notes.shown}
    event = reader.event.column if reader.event is not None else None
    if event is not None and event not in used and reader.event is not None:
        own = {stem(w) for w in reader.event.words}
        said = [w for w in words if w in PASSED and (stem(w) in own or w in ("expired", "expiring"))]
        if said:
            reason = f"{said[0]!r}: {event.name!r} holds a date for every row; say before or after which day"
            raise no("not-understood", reason)
    kinds = [k for t in tables for k in reader.lexicon.of_table[t] if k.sort == "text" and len(k.field.vocabulary) > 1]
    for word in words:
        value = HAPPENED.get(word, "\0")
        for known in kinds:
            if value in {lemma(v.casefold()) for v in known.field.vocabulary} and known.column not in touched:
                name = known.column.name
                reason = f"{word!r}: only the rows where {name!r} is {value!r}, or all? say so"
                raise no("ambiguous", reason, (f"{name} is {value}",))
    lined = any({"line", "item"} & set(reader.lexicon.table_words[t]) for t in tables)
    if "line items" in text and not lined:
        raise no("not-understood", "no table holds line items")
    zero = any(isinstance(n, Compare) and isinstance(n.right, Value) and n.right.value == 0 for n in walk(plan.where))
    if "out of stock" in text and not zero:
        raise no("not-understood", "which column says how many are in stock?")
    again = re.search(
        r"\b(?:returning|repeat|loyal) (?:customer|client|buyer|member|guest|visitor|reader|donor)s?\b", text
    )
    if again is not None and plan.having is None:
        raise no("not-understood", f"{again[0]!r}: with at least how many of what? say the number")
    if OUT.search(text) and plan.where is None and not any(j.kind == "missing" for j in plan.joins):
        raise no("not-understood", "what is 'out' here? say which column tells")
