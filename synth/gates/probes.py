"""Made-up rows that tell what a closure does: rows just inside and outside of what the request states, and the answers to them.

A fact that the request states (see `facts`) is held against what the closure gives over rows in which everything stated holds
but for one thing. Nothing of the closure's text is believed; only its answers count.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from sandbox.finding import Finding
from synth.gates.facts import Facts, Figure, Limit, numeric
from synth.records import Record, bag
from synth.schema import Field, Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Mapping[str, "pa.Table"]
Answer = Callable[[Rows], Sequence[Record] | None]
"""What is given over some rows; None where that fails."""

MOST_ROWS = 240
MOST_RUNS = 60
_SCALES = (1, 60, 1000, 3600)
"""A number with a unit may be kept in seconds where minutes are said, in metres where kilometres are."""
MANY = 700
"""So many copies of one row are more than any limit or slice that somebody writes by habit."""
_SPREAD = (7, 19, 31, 208)
"""Four figures of which sum, count, average, median, highest and lowest all differ, and are no multiples of each other."""
_OF_SPREAD: dict[Figure, float] = {"sum": 265, "count": 4, "avg": 66.25, "median": 25, "max": 208, "min": 7}
_ZEROED: dict[Figure, float] = {"avg": 53, "median": 19, "min": 0}
"""The same with an unknown one taken for zero."""
_SAYS = {"sum": "total", "count": "number", "avg": "average", "median": "median", "max": "highest", "min": "lowest"}


@dataclass
class Prober:
    """Checks the facts of one request against one way to answer it. `code` is what is asked of its columns' names."""

    facts: Facts
    schema: Schema
    rows: Rows
    code: str
    answer: Answer
    now: datetime

    def __post_init__(self) -> None:
        self.left = MOST_RUNS
        self.known: list[tuple[Rows, Sequence[Record] | None]] = []
        self.code = _without_docstrings(self.code)
        self.confirms: list[str] = []
        self.world: Rows = self.rows
        self.settled: set[tuple[str, str]] = set()
        self.bounded: set[tuple[str, str]] = set()
        self.counted = False
        self.keys = {(r.table, c) for r in self.schema.relations for c in r.columns}
        self.keys |= {(r.to_table, c) for r in self.schema.relations for c in r.to_columns}
        self.single = {(t.name, c) for t in self.schema.tables for c in t.primary_key}

    def findings(self) -> Iterator[Finding]:
        """What contradicts the request; each is a reason by itself."""
        if self.ask(self.world) is None:
            return
        yield from self._flags()
        yield from self._values()
        yield from self._unknown()
        yield from self._period()
        yield from self._limits()
        yield from self._compared()
        yield from self._something()
        yield from self._followed()
        yield from self.labelled(self.ask(self.rows), self.rows)
        yield from self._groups()
        yield from self._order()
        yield from self._top()
        yield from self._figures()
        yield from self._rows_alone()
        yield from self._rows_in_bulk()
        yield from self._every_group()
        yield from self._by_heart()

    def evidence(self) -> tuple[str, ...]:
        """What was confirmed. Nothing, where only the shape of the answer could be checked (its order, its count, its keys), or where
        something that the request states could not be told from the answers."""
        shape = ("stated: one record per ", "stated: the order")
        content = [c for c in self.confirms if not c.startswith(shape) and not c.endswith(" records")]
        of = self.facts
        open_limits = [x for x in of.limits if f"stated: {x.said}" not in content]
        open_values = [
            v for v in of.values if (v.table, v.field) not in self.settled and f"stated: {v.said}" not in content
        ]
        open_period = of.period is not None and f"stated: {of.period.said}" not in content
        return (
            tuple(dict.fromkeys(self.confirms)) if content and not (open_limits or open_values or open_period) else ()
        )

    # The runs.

    def ask(self, rows: Rows) -> Sequence[Record] | None:
        """The answer over these rows; None where it fails or enough was asked."""
        for known, records in self.known:
            if known is rows:
                return records
        if self.left <= 0:
            return None
        self.left -= 1
        records = self.answer(rows)
        self.known.append((rows, records))
        return records

    def nothing(self, records: Sequence[Record] | None) -> bool | None:
        """Whether an answer says that no row fits: no records, or figures that are all zero or unknown. None: no answer."""
        if records is None:
            return None
        if not records or self.facts.listing:
            return not records
        figures = [v for r in records for v in r.values() if v is None or _is_number(v)]
        return bool(figures) and not any(figures)

    # The facts.

    def _flags(self) -> Iterator[Finding]:
        """A flag that the request names is followed, and the right way round."""
        for named in self.facts.columns:
            if named.field.type != "bool" or not self._there(named.table, named.field.name):
                continue
            answers = [self.ask(self._all(self.world, named.table, named.field.name, flag)) for flag in (True, False)]
            if None in answers:
                continue
            if _same(answers[0], answers[1]):
                yield _ignored(named.field.name, "true", "false")
                return
            empty = [self.nothing(a) for a in answers]
            wanted = not named.negated
            if empty == [True, False] and wanted and not self.facts.open_ended and "percent" not in self.facts.figures:
                yield Finding(
                    "faithful",
                    "wrong-values",
                    f"where {named.field.name} is true in every row the closure gives nothing, where it is false it does",
                    hint=f"The request asks for {named.said}, not for the others.",
                )
                return
            if empty == [False, True] and not wanted:
                yield Finding(
                    "faithful",
                    "wrong-values",
                    f"where {named.field.name} is false in every row the closure gives nothing, where it is true it does",
                    hint=f"The request asks for those that are not {named.said}.",
                )
                return
            shown = any(isinstance(v, bool) for r in answers[0] or () for v in r.values())
            if empty == [False, False] and not (self.facts.open_ended or shown or self.facts.group_words > 1):
                yield Finding(
                    "faithful",
                    "ignored-filter",
                    f"where {named.field.name} is {str(not wanted).lower()} in every row the closure still gives records",
                    hint=f"Only rows count that are {'' if wanted else 'not '}{named.said}.",
                )
                return
            if empty[0] != empty[1]:
                self._settle(named.table, named.field.name, bool(empty[1]))
                self.confirms.append(f"stated: {'not ' if named.negated else ''}{named.said}")

    def _values(self) -> Iterator[Finding]:
        """A value that the request names decides which rows count, and it is the rows that hold it that do."""
        for stated in self.facts.values:
            beside = [v for v in self.facts.values if (v.table, v.field) == (stated.table, stated.field)]
            if len(beside) > 1 or not self._there(stated.table, stated.field):
                continue
            other = self._another(stated.table, stated.field, stated.value)
            if other is None:
                continue
            those = self._all(self.world, stated.table, stated.field, stated.value)
            with_it = self.ask(those)
            without = self.ask(self._all(self.world, stated.table, stated.field, other))
            if with_it is None or without is None:
                continue
            shown = f"{stated.field} = {stated.value!r}"
            if _same(with_it, without):
                if not self.nothing(with_it):
                    yield _ignored(stated.field, repr(stated.value), repr(other))
                    return
                continue
            if self.nothing(with_it) and not self.nothing(without) and not stated.negated and not self.facts.open_ended:
                yield Finding(
                    "faithful",
                    "wrong-values",
                    f"the request asks for {stated.said!r}; with {shown} in every row the closure gives nothing",
                    record={stated.field: stated.value},
                    hint=f"Keep the rows with {shown}.",
                )
                return
            plain = not stated.negated and not self.facts.open_ended and len(self.facts.figures) < 2
            if plain and not self.nothing(with_it) and not self.nothing(without):
                yield Finding(
                    "faithful",
                    "ignored-filter",
                    f"the request asks for {stated.said!r}; with {stated.field} = {other!r} in every row the closure still"
                    " gives records",
                    record={stated.field: other},
                    hint=f"Only rows with {shown} count, whatever else holds of the others.",
                )
                return
            if not self.nothing(with_it) and self.nothing(without):
                self._settle(stated.table, stated.field, stated.value)
                self.confirms.append(f"stated: {stated.said}")

    def _period(self) -> Iterator[Finding]:
        """Rows at the edges of a stated period are in or out as it says."""
        span = self.facts.period
        if span is None or (span.start is None and span.end is None):
            return
        dated = [
            (t.name, f)
            for t in self.schema.tables
            for f in t.fields
            if f.type.startswith(("date", "timestamp")) and self._there(t.name, f.name)
        ]
        columns = [(table, each) for table, each in dated if each.name in self.code]
        wrong: Finding | None = None
        always = True
        for table, each in columns:
            edges = [(m, inside) for m, inside in _edges(span.start, span.end, each.type) if _not_after(m, self.now)]
            seen = [self.nothing(self.ask(self._all(self.world, table, each.name, m))) for m, _ in edges]
            always = always and not any(n is not False for n in seen)
            if None in seen or len(set(seen)) < 2:
                continue
            off = next(((m, i) for (m, i), nothing in zip(edges, seen, strict=True) if nothing == i), None)
            if off is None:
                inside = next((m for m, i in edges if i), None)
                self._settle(table, each.name, inside)
                self.confirms.append(f"stated: {span.said}")
                return
            moment, belongs = off
            wrong = wrong or Finding(
                "faithful",
                "wrong-period",
                f"the request asks for {span.said}: a row with {each.name} = {moment} "
                + (
                    "belongs to it, and the closure leaves it out"
                    if belongs
                    else "does not, and the closure takes it in"
                ),
                record={each.name: moment},
                hint=f"From {span.start or 'the beginning'} up to and without {span.end or 'any end'}.",
            )
        if wrong:
            yield wrong
        elif dated and always and not self.facts.open_ended:
            outside = next((m for m, inside in _edges(span.start, span.end, "date") if not inside), "another time")
            yield Finding(
                "faithful",
                "ignored-period",
                f"the request asks for {span.said}; with every row at {outside} the closure still gives records",
                hint=f"Keep the rows from {span.start or 'the beginning'} up to and without {span.end or 'any end'}.",
            )

    def _unknown(self) -> Iterator[Finding]:
        """Where the request asks for what is missing ("without an agent", "missing humidity"), those rows count and no others."""
        for named in self.facts.columns:
            lacking = named.negated or "missing" in self.facts.used
            table, name = named.table, named.field.name
            if not lacking or not named.field.nulls or named.noun or not self._there(table, name):
                continue
            there = next((v for v in self.rows[table].column(name).to_pylist() if v is not None), None)
            if there is None:
                continue
            unknown = self._nulled(table, name)
            answers = [self.ask(unknown), self.ask(self._all(self.world, table, name, there))]
            empty = [self.nothing(a) for a in answers]
            if empty == [False, True]:
                self.world = unknown
                self.settled.add((table, name))
                self.confirms.append(f"stated: without {named.said}")
            elif empty == [True, False] or (empty == [False, False] and _same(*answers)) or self._all_in_vain(empty):
                yield Finding(
                    "faithful",
                    "wrong-nulls",
                    f"the request asks for rows without {named.said}; with no value there at all the closure gives "
                    + ("nothing" if empty[0] else "what it gives with one"),
                    record={name: None},
                    hint=f"Keep the rows where {name} is null.",
                )
                return

    def _all_in_vain(self, empty: Sequence[bool | None]) -> bool:
        return list(empty) == [True, True] and self.nothing(self.ask(self.world)) is True

    def _compared(self) -> Iterator[Finding]:
        """Two columns stand to each other as the request says, also at the point where they are equal."""
        if self.facts.compared is None:
            return
        one, sign, other = self.facts.compared
        names = (one.field.name, other.field.name)
        if not all(self._there(n.table, n.field.name) for n in (one, other)):
            return
        level = self._all(self.world, other.table, names[1], Decimal(10))
        seen = [self.nothing(self.ask(self._all(level, one.table, names[0], Decimal(v)))) for v in (9, 10, 11)]
        if None in seen:
            return
        expected = [sign == "<", False, sign == ">"]
        off = next((n for n in range(3) if seen[n] == expected[n]), None)
        if off is None:
            self.confirms.append(f"stated: {names[0]} {sign} {names[1]}")
            return
        yield Finding(
            "faithful",
            "wrong-bound",
            f"the request asks for {names[0]} {sign} {names[1]}: {off + 9} beside 10 "
            + (
                "belongs in, and the closure leaves it out"
                if expected[off]
                else "does not, and the closure takes it in"
            ),
            record={names[0]: off + 9, names[1]: 10},
            hint=f"Compare {names[0]} {sign} {names[1]}, as numbers.",
        )

    def _something(self) -> Iterator[Finding]:
        """Where all that is stated holds for every row, there is something to give."""
        stated = [v for v in self.facts.values if not v.negated]
        records = self.ask(self.world)
        if records and self.nothing(records) and {"sum", "avg", "median", "max", "min"} & set(self.facts.figures):
            yield Finding(
                "faithful",
                "finds-nothing",
                "the closure gives nothing but zeros and unknown values",
                record=dict(records[0]),
                hint="Read the columns by their own names; a key that is not there is no zero.",
            )
            return
        if self.facts.open_ended or not (stated or self.facts.period or self.facts.limits or self.settled):
            return
        rows = dict(self.world)
        if max((t.num_rows for t in rows.values()), default=0) < 20:
            return
        for value in stated:
            one = len([v for v in self.facts.values if (v.table, v.field) == (value.table, value.field)]) == 1
            if one and (value.table, value.field) not in self.settled and self._there(value.table, value.field):
                rows = self._all(rows, value.table, value.field, value.value)
        span = self.facts.period
        if span and (span.start or span.end) and not any(self._dated(t, c) for t, c in self.settled):
            inside = span.start or (span.end - timedelta(days=1) if span.end else None)
            for table in self.schema.tables:
                for each in table.fields:
                    if each.type.startswith(("date", "timestamp")) and self._there(table.name, each.name):
                        rows = self._all(rows, table.name, each.name, inside)
        records = self.ask(rows)
        if self.nothing(records) and self.nothing(self.ask(self._large(rows))):
            what = [repr(v.said) for v in stated] + ([span.said] if span else []) + [x.said for x in self.facts.limits]
            yield Finding(
                "faithful",
                "finds-nothing",
                f"with every row made to fit {' and '.join(what) or 'what is asked'} the closure gives "
                + ("no records" if not records else "nothing but zeros and unknown values"),
                record=dict(records[0]) if records else None,
                hint="Compare with the values as they are stored, read the columns by their own names, join on the keys.",
            )

    def _large(self, rows: Rows) -> Rows:
        """The rows with the stated bounds held by every column of figures that has to do with them."""
        for limit in self.facts.limits:
            number = limit.number + {">": 1, ">=": 0, "<": -1, "<=": 0, "=": 0}[limit.operator]
            for table, each in self._figures_in_code():
                if (table, each.name) not in self.settled:
                    rows = self._all(rows, table, each.name, number)
        return rows

    def _dated(self, table: str, column: str) -> bool:
        return self.schema.table(table).named(column).type.startswith(("date", "timestamp"))

    def labelled(self, records: Sequence[Record] | None, rows: Rows) -> Iterator[Finding]:
        """A field of the answer that bears the name of a column holds that column's values, as they are stored."""
        if not records:
            return
        held: dict[str, list[tuple[str, Field]]] = {}
        for table in self.schema.tables:
            for each in table.fields:
                if self._there(table.name, each.name):
                    held.setdefault(each.name, []).append((table.name, each))
        for name in records[0]:
            places = held.get(name, ())
            if not places or any(
                w in self.facts.used for w in ("upper", "lower", "uppercase", "lowercase", "capitals")
            ):
                continue
            text = all(f.type == "string" for _, f in places)
            if not text and not (self.facts.listing and all(numeric(f.type) for _, f in places)):
                continue
            known = {k for t, f in places for k in bag(({"v": v} for v in rows[t].column(f.name).to_pylist()), ["v"])}
            strange = [
                r for r in records if r.get(name) is not None and not bag([{"v": r[name]}], ["v"]).keys() <= known
            ]
            if strange and (text or len(strange) > len(records) // 2):
                yield Finding(
                    "faithful",
                    "wrong-column",
                    f"the answer's {name} holds {strange[0][name]!r}, which no row of the source has in its {name}",
                    record=dict(strange[0]),
                    hint=f"Give {name} as it is stored.",
                )
                return

    def _limits(self) -> Iterator[Finding]:
        """Rows one below, at and one above a stated number are in or out as its word says."""
        for limit in self.facts.limits:
            found = self._limit(limit)
            if found:
                yield found
                return

    def _limit(self, limit: Limit) -> Finding | None:
        """What contradicts one bound; None where a column, a figure of a group or a number of rows is bounded just so."""
        wrong: list[Finding] = []
        for table, each in self._figures_in_code():
            for scale in _SCALES if limit.unit else (1,):
                said = self._bounded(
                    limit, each.name, scale, [self._all(self.world, table, each.name, p) for p in _points(limit, scale)]
                )
                if said is None:
                    self._settle(table, each.name, next(p for p in _points(limit, scale) if _holds(p / scale, limit)))
                    self.bounded.add((table, each.name))
                    self.confirms.append(f"stated: {limit.said}")
                    return None
                if isinstance(said, Finding):
                    wrong.append(said)
                    self.bounded.add((table, each.name))
        if wrong:
            return wrong[0] if len(wrong) == 1 else None
        for table, each in self._figures_in_code():
            # A figure over a group of one row is the row's own.
            found = [
                self._bounded(limit, each.name, 1, [self._all(rows, table, each.name, p) for p in _points(limit, 1)])
                for rows in self._one_row()
            ]
            if found and all(f is None for f in found):
                self.bounded.add((table, each.name))
                self.confirms.append(f"stated: {limit.said}")
                return None
            findings = [f for f in found if isinstance(f, Finding)]
            if len(findings) == len(found) > 1 and len({f.message for f in findings}) == 1:
                return findings[0]
        if 2 <= limit.number <= 40 and limit.number == int(limit.number):
            for rows, table, place in self._every_row(4):
                copies = [self._copies(rows, table, place, int(p)) for p in _points(limit, 1)]
                said = self._bounded(limit, "a number of rows", 1, copies)
                if said is None:
                    self.counted = True
                    self.confirms.append(f"stated: {limit.said}")
                if said is not False:
                    return said
                if limit.operator in (">", ">=") and (off := self._elsewhere(limit, rows, table, place)):
                    return off
        if self._knows(limit.number):
            return None
        return Finding(
            "faithful",
            "ignored-number",
            f"the request says {limit.said!r}, and neither the code nor what it gives has to do with {limit.number}",
            hint=f"Apply the bound {limit.operator} {limit.number}.",
        )

    def _elsewhere(self, limit: Limit, rows: Rows, table: str, place: int) -> Finding | None:
        """Where the number of rows is bounded, but far from what is stated, as by counting each of them twice."""
        number = int(limit.number)
        few, many = (self.nothing(self.ask(self._copies(rows, table, place, n))) for n in (1, 4 * number))
        near = self.nothing(self.ask(self._copies(rows, table, place, number - 2))) if number > 3 else None
        if few is not True or many is not False or near is None:
            return None
        return Finding(
            "faithful",
            "wrong-bound",
            f"the request says {limit.said!r}: {number + 2 if near else number - 2} rows "
            + ("are not enough for the closure" if near else "are enough for the closure"),
            hint="Count every row once.",
        )

    def _bounded(self, limit: Limit, what: str, scale: int, worlds: Sequence[Rows]) -> Finding | Literal[False] | None:
        """What is wrong with the answers over five worlds around a bound; None where it is just as stated, False where the
        answers do not depend on it."""
        ends = [self.nothing(self.ask(worlds[n])) for n in (0, 4)]
        if None in ends or (len(set(ends)) == 1 and limit.operator != "="):
            return False
        seen = [ends[0], *(self.nothing(self.ask(worlds[n])) for n in (1, 2, 3)), ends[1]]
        if None in seen or len(set(seen)) < 2:
            return False
        points = _points(limit, scale)
        expected = [_holds(p / scale, limit) for p in points]
        off = next((n for n in range(5) if seen[n] == expected[n]), None)
        if off is None:
            return None
        belongs = (
            "belongs in, and the closure leaves it out" if expected[off] else "does not, and the closure takes it in"
        )
        return Finding(
            "faithful",
            "wrong-bound",
            f"the request says {limit.said!r}: what has {what} = {points[off]} {belongs}",
            record={what: points[off]},
            hint=f"The bound is {what} {limit.operator} {limit.number * scale}.",
        )

    def _followed(self) -> Iterator[Finding]:
        """The answer follows every column that the request names."""
        before = self.ask(self.world)
        if before is None or self.nothing(before):
            return
        for named in self.facts.columns:
            table, name = named.table, named.field.name
            if (
                named.noun
                or named.field.type == "bool"
                or (table, name) in self.settled | self.bounded
                or not self._there(table, name)
            ):
                continue
            for rows in self._moved(table, named.field):
                after = self.ask(rows)
                if after is None or not _same(before, after):
                    break
            else:
                yield Finding(
                    "faithful",
                    "wrong-column",
                    f"the request names {named.said!r}, and with other values in {name} the closure gives the same answer",
                    hint=f"Read the column {name}.",
                )
                return

    def _groups(self) -> Iterator[Finding]:
        """One record for each value of the one column that the request groups by, or asks the values of."""
        records = self.ask(self.world)
        if records and not self.facts.listing and len(records) > 1 and min(bag(records).values()) > 1:
            yield Finding(
                "faithful",
                "doubled-rows",
                "the closure gives every record of its answer more than once",
                record=dict(records[0]),
                hint="Give every record once.",
            )
            return
        named, plain = self.facts.entity, bool(self.facts.top or self.facts.limits) and not self.facts.group_words
        if len(self.facts.groups) == 1 and self.facts.group_words == 1 and self.facts.alone and not self.facts.top:
            named, plain = self.facts.groups[0], True
        records = self.ask(self.world) if named and plain else None
        if named is None or not records or not self._there(named.table, named.field.name):
            return
        values = set(self.world[named.table].column(named.field.name).to_pylist())
        column = next(
            (
                c
                for c in records[0]
                if {r.get(c) for r in records} <= values | {None} and len({r.get(c) for r in records}) > 1
            ),
            None,
        )
        if column is None or (named is self.facts.entity and not self.facts.figures and not self.counted):
            return
        twice = [v for v, n in bag(records, [column]).items() if n > 1]
        if twice:
            yield Finding(
                "faithful",
                "wrong-groups",
                f"the request asks for one record per {named.said}; the closure gave several for {twice[0]}",
                record=next(dict(r) for r in records if bag([r], [column]).keys() & set(twice)),
                hint=f"Group by {named.field.name} alone.",
            )
        else:
            self.confirms.append(f"stated: one record per {named.said}")

    def _order(self) -> Iterator[Finding]:
        """Where the request asks for an order, some figure or date of the answer stands in it."""
        records = self.ask(self.rows) if self.facts.direction else None
        if not records or len(records) < 3:
            return
        ways = {"down": (True,), "up": (False,), "some": (True, False), "": ()}[self.facts.direction]
        columns = [
            c
            for c in records[0]
            if all(r.get(c) is None or _is_number(r[c]) or isinstance(r[c], date) for r in records)
        ]
        if not columns or any(_sorted([r.get(c) for r in records], down) for c in columns for down in ways):
            if columns:
                self.confirms.append("stated: the order")
            return
        yield Finding(
            "faithful",
            "out-of-order",
            f"the request asks for an order, and the records stand in none of {', '.join(columns)}",
            record=dict(records[0]),
            hint="Sort the records by what the request says, as numbers or dates and not as texts.",
        )

    def _top(self) -> Iterator[Finding]:
        """As many records as the request asks for, where there are so many to choose from."""
        count = self.facts.top
        if count and len(self.facts.groups) == 1:
            yield from self._top_of_each(count)
        if not count or self.facts.group_words > (1 if "by" in self.facts.used else 0) or self.facts.groups:
            return
        records = self.ask(self.world)
        if records is None or not records:
            return
        if len(records) == count:
            self.confirms.append(f"stated: {count} records")
        elif len(records) < count <= 20 and max(t.num_rows for t in self.world.values()) >= 8 * count:
            yield Finding(
                "faithful",
                "too-few",
                f"the request asks for {count} records, the closure gave {len(records)} where there are enough to choose from",
                hint=f"Give {count}.",
            )
        elif len(records) > count and len({tuple(map(str, r.values())) for r in records}) > 2 * count:
            yield Finding(
                "faithful", "too-many", f"the request asks for {count} records, the closure gave {len(records)}"
            )

    def _top_of_each(self, count: int) -> Iterator[Finding]:
        """So many records of each group, where it has more rows than that."""
        named = self.facts.groups[0]
        records = self.ask(self.rows) if self._there(named.table, named.field.name) else None
        if not records or named.field.type != "string":
            return
        held = bag(({"v": v} for v in self.rows[named.table].column(named.field.name).to_pylist()), ["v"])
        column = next((c for c in records[0] if set(bag([{"v": r.get(c)} for r in records], ["v"])) <= set(held)), None)
        most = max(bag(records, [column]).values()) if column else count
        enough = max(held.values()) >= 8 * count
        if (most > 2 * count and most > count + 3) or (most < count and enough):
            yield Finding(
                "faithful",
                "too-many" if most > count else "too-few",
                f"the request asks for {count} records of each {named.said}; the closure gave {most} of one",
                record=dict(records[0]),
                hint=f"Rank the records within each {named.said}, and keep {count}.",
            )

    def _figures(self) -> Iterator[Finding]:
        """Over four rows that are alike but for one figure the answer is that figure's sum, average, …, as the request says."""
        wanted = [f for f in self.facts.figures if f != "percent"]
        if not wanted or "percent" in self.facts.figures or self.facts.group_words > 1 or self.counted:
            return
        if self.base is None:
            return
        table = self.base[1]
        four = self._copies(*self.base, 4)
        if wanted == ["count"]:
            yield from self._counted(self.ask(four), "count")
            return
        columns = [(t, f) for t, f in self._figures_in_code() if t == table and (t, f.name) not in self.bounded]
        said = [n.field.name for n in self.facts.columns if numeric(n.field.type)]
        for _, each in [c for c in columns if c[1].name in said] or columns[:2]:
            found = self._figured(wanted, each, len(said) == 1)
            if found:
                yield found
            if found is not False:
                return

    def _figured(self, wanted: Sequence[Figure], each: Field, sole: bool) -> Finding | Literal[False] | None:
        """What is wrong with the figures over four values of a column, and one unknown where such were seen; None where they
        are as stated, False where they have to do with something else. `sole`: no other column of figures is spoken of."""
        assert self.base is not None
        table = self.base[1]
        records: Sequence[Record] | None = None
        unknown = bool(each.nulls)
        for count in (5, 4) if unknown else (4,):
            spread = self._spread(self._copies(*self.base, count), table, each)
            records = self.ask(spread) if spread else None
            unknown = count == 5
            if records is not None:
                break
        found = _numbers(records)
        seen = [f for f, value in _OF_SPREAD.items() if any(abs(v - value) < 1e-6 for v in found)]
        missing = [f for f in wanted if f not in seen and f != "count"]
        if not missing:
            self.confirms += [f"stated: {_SAYS[f]}" for f in wanted if f in seen]
            return None
        others = [f for f in seen if f not in wanted and f != "count"]
        right = _OF_SPREAD[missing[0]]
        zeroed = unknown and any(abs(v - _ZEROED.get(missing[0], right)) < 1e-6 for v in found)
        doubled = any(abs(v - 2 * right) < 1e-6 for v in found)
        floored = any(0 < right - v < 1 for v in found)
        if not (others or zeroed or doubled or floored or (seen and (len(found) < len(wanted) or sole))):
            return False
        got = ", ".join(f"{v:g}" for v in sorted(found))
        why = "; the unknown one counts as zero" if zeroed else f", which is the {_SAYS[others[0]]}" if others else ""
        return Finding(
            "faithful",
            "wrong-values",
            f"the request asks for the {_SAYS[missing[0]]}: of {each.name} = 7, 19, 31, 208{' and null' if unknown else ''} in rows that"
            f" are alike it is {right:g}, the closure gave {got}{why}",
            record=dict(records[0]) if records else None,
            hint=f"Take the {_SAYS[missing[0]]} of {each.name} over the rows where it is known, each row once.",
        )

    def _counted(self, records: Sequence[Record] | None, wanted: Figure) -> Iterator[Finding]:
        """Four rows that are alike count as four; as one where different things are counted."""
        found = _numbers(records)
        count = 1.0 if self.facts.distinct else 4.0
        if count in found:
            self.confirms.append(f"stated: {_SAYS[wanted]}")
        elif records and (others := found & ({1.0, 2.0, 3.0, 4.0, 8.0} - {count})):
            yield Finding(
                "faithful",
                "wrong-values",
                f"four rows that fit the request and are alike are counted as {min(others):g}, and it asks for {count:g}",
                record=dict(records[0]),
                hint="Count different values once." if self.facts.distinct else "Count every row once.",
            )

    def _rows_alone(self) -> Iterator[Finding]:
        """A row that fits comes once, wherever it stands."""
        if self.counted or self.facts.top or self.facts.several:
            return
        if self.base is None:
            grouped = len(self.facts.groups) == 1 and self.facts.group_words == 1 and len(self.facts.figures) == 1
            if (
                grouped
                and not self.facts.limits
                and self._main()
                and self.nothing(self.ask(self.world)) is False
                and self.left
            ):
                yield Finding(
                    "faithful",
                    "dropped-rows",
                    "over many rows the closure gives something, over four that are alike it gives nothing, whichever they are",
                    hint="Do not pass over a record for where it stands, as the first or the last.",
                )
            return
        records = self.ask(self._copies(*self.base, 1))
        if records is None:
            return
        if self.nothing(records):
            yield Finding(
                "faithful",
                "dropped-rows",
                "of four rows that are alike and fit the request the closure gives something, of one it gives nothing",
                hint="Do not pass over a row for where it stands, as the first or the last.",
            )
        elif len(records) > 1 and len(bag(records)) == 1:
            yield Finding(
                "faithful",
                "doubled-rows",
                "over one row that fits the request the closure gives the same record more than once",
                record=dict(records[0]),
                hint="Give every record once.",
            )

    def _rows_in_bulk(self) -> Iterator[Finding]:
        """All rows are taken, however many there are."""
        figures = set(self.facts.figures)
        listed = self.facts.listing and not self.facts.several
        if (
            self.base is None
            or self.facts.top
            or self.facts.distinct
            or self.counted
            or not (listed or figures in ({"count"}, {"sum"}))
        ):
            return
        one, many = (self.ask(self._copies(*self.base, count)) for count in (1, MANY))
        if not one or many is None:
            return
        if listed:
            short = len(one) == 1 and len(many) < MANY and len(many) > 1
            got = len(many)
        else:
            before, after = _numbers(one), _numbers(many)
            short = bool(before - {0.0}) and not any(
                abs(b * MANY - a) < 1e-6 * abs(a) for b in before for a in after if a
            )
            got = int(max(after, default=0) / max(before - {0.0}, default=1))
        if short:
            yield Finding(
                "faithful",
                "dropped-rows",
                f"of {MANY} rows that are alike and fit the request the closure takes in {got}",
                record=dict(many[0]) if many else None,
                hint="Read all rows: no limit that the request does not ask for, and no early end.",
            )

    def _every_group(self) -> Iterator[Finding]:
        """Rows that are alike but for what is grouped by give a record for each of its values."""
        if (
            len(self.facts.groups) != 1
            or self.facts.group_words != 1
            or self.base is None
            or self.counted
            or self.facts.top
        ):
            return
        rows, table, place = self.base
        named = self.facts.groups[0]
        if (
            named.table != table
            or named.field.type != "string"
            or (table, named.field.name) in self.keys | self.settled
        ):
            return
        import pyarrow as pa

        name = named.field.name
        values = sorted({str(v) for v in self.rows[table].column(name).to_pylist() if v is not None})[:30]
        if len(values) < 2:
            return
        copies = self._copies(rows, table, place, 2 * len(values))[table]
        at = copies.column_names.index(name)
        kind = copies.schema.field(at).type
        made = copies.set_column(at, pa.field(name, kind), pa.array([v for v in values for _ in (1, 2)], kind))
        records = self.ask({**rows, table: made})
        if not records:
            return
        given = {str(v) for r in records for v in r.values() if isinstance(v, str)}
        gone = [v for v in values if v not in given]
        if gone and len(gone) < len(values):
            yield Finding(
                "faithful",
                "dropped-groups",
                f"rows that differ in nothing but {name} give no record for {', '.join(repr(v) for v in gone[:3])}"
                f" ({len(gone)} of {len(values)} values)",
                record={name: gone[0]},
                hint=f"Give a record for every {named.said}.",
            )
            return
        figures = {str(sorted(_numbers([r]))): r for r in records}
        if not gone and len(figures) > 1 and set(self.facts.figures) <= {"sum", "count", "avg", "median", "max", "min"}:
            yield Finding(
                "faithful",
                "dropped-rows",
                f"rows that differ in nothing but {name} give different figures for its values",
                record=dict(list(figures.values())[-1]),
                hint="Read every row, whatever came before it.",
            )

    def _by_heart(self) -> Iterator[Finding]:
        """No values of the data are written down where a rule was meant: under other names the rows give as many records."""
        literals = _literals(self.code)
        records = self.ask(self.world) if len(literals) > 1 else None
        for table in self.schema.tables if records else ():
            for each in table.fields:
                place = (table.name, each.name)
                if each.type != "string" or place in self.keys | self.settled or not self._there(*place):
                    continue
                values = {str(v) for v in self.world[table.name].column(each.name).to_pylist() if v is not None}
                said = [v for v in values & literals if not self._speaks_of(v)]
                if len(said) < 2:
                    continue
                renamed = next(self._moved(table.name, each, every=True))
                after = self.ask(renamed)
                if after is not None and len(after) < len(records or ()):
                    yield Finding(
                        "faithful",
                        "hard-coded",
                        f"values of {each.name} are written into the code and are not in the request: {', '.join(sorted(said)[:5])};"
                        f" under other names {len(records or ()) - len(after)} of {len(records or ())} records are gone",
                        hint="Read them from the source, or state the rule that picks them.",
                    )
                    return

    def _speaks_of(self, value: str) -> bool:
        """Whether a word of the request begins as a word of this value does."""
        starts = {w[:4] for w in self.facts.used if len(w) > 2}
        return any(w[:4] in starts for w in re.findall(r"\w{3,}", value.casefold()))

    # Rows made up.

    def _there(self, table: str, column: str) -> bool:
        return table in self.world and column in self.world[table].column_names and self.world[table].num_rows > 0

    def _settle(self, table: str, column: str, value: object) -> None:
        """From here on every row holds this value."""
        self.world = self._all(self.world, table, column, value)
        self.settled.add((table, column))

    def _all(self, rows: Rows, table: str, column: str, value: object) -> dict[str, pa.Table]:
        """The rows with one value in all of a column; as they were where its type cannot hold it."""
        import pyarrow as pa

        held = rows[table]
        at = held.column_names.index(column)
        made = _constant(value, held.schema.field(at).type, held.num_rows)
        changed = dict(rows)
        if made is not None:
            changed[table] = held.set_column(at, pa.field(column, held.schema.field(at).type), made)
        return changed

    def _another(self, table: str, column: str, value: str) -> str | None:
        """Another value of the column that looks nothing like this one."""
        stated = {v.value for v in self.facts.values}
        values = sorted({str(v) for v in self.rows[table].column(column).to_pylist() if v is not None})
        return next((v for v in values if v.casefold() != value.casefold() and v not in stated), None)

    def _figures_in_code(self) -> list[tuple[str, Field]]:
        """Columns of figures that the code reads, but no keys; those that the request names come first."""
        said = {(n.table, n.field.name) for n in self.facts.columns}
        found = [
            (t.name, f)
            for t in self.schema.tables
            for f in t.fields
            if numeric(f.type)
            and self._there(t.name, f.name)
            and (t.name, f.name) not in self.keys | self.single
            and f.name in self.code
        ]
        return sorted(found, key=lambda each: (each[0], each[1].name) not in said)[:5]

    def _main(self) -> Table | None:
        """The table whose rows are counted: one that the code reads and that no other read table points at."""
        read = [
            t
            for t in self.schema.tables
            if t.name in self.world
            and self.world[t.name].num_rows
            and (t.name in self.code or (t.path and t.path in self.code))
        ]
        pointed = {r.to_table for r in self.schema.relations if r.table in {t.name for t in read}}
        free = [t for t in read if t.name not in pointed]
        return free[0] if len(free) == 1 else None

    def _every_row(self, count: int) -> Iterator[tuple[Rows, str, int]]:
        """Some rows of the main table, from all over it."""
        table = self._main()
        if table is None:
            return
        size = self.world[table.name].num_rows
        for place in sorted({n * size // count for n in range(count)}):
            yield self.world, table.name, place

    @cached_property
    def base(self) -> tuple[Rows, str, int] | None:
        """A row of the main table of which four copies are answered with something; looked for by halves."""
        for found in self._every_row(3):
            if self.nothing(self.ask(self._copies(*found, 4))) is False:
                return found
        table = self._main()
        if table is None or self.nothing(self.ask(self.world)) is not False:
            return None
        held = self.world[table.name]
        low, high = 0, held.num_rows
        while high - low > 1:
            middle = (low + high) // 2
            part = {**self.world, table.name: held.slice(low, middle - low)}
            low, high = (low, middle) if self.nothing(self.ask(part)) is False else (middle, high)
        found = (self.world, table.name, low)
        return found if self.nothing(self.ask(self._copies(*found, 4))) is False else None

    def _one_row(self) -> Iterator[Rows]:
        """The world with one row of the main table, for a few of them."""
        for rows, table, place in self._every_row(3):
            yield self._copies(rows, table, place, 1)

    def _nulled(self, table: str, column: str) -> dict[str, pa.Table]:
        """The world with no value in a column."""
        import pyarrow as pa

        held = self.world[table]
        at = held.column_names.index(column)
        kind = held.schema.field(at).type
        return {**self.world, table: held.set_column(at, pa.field(column, kind), pa.nulls(held.num_rows, kind))}

    def _copies(self, rows: Rows, table: str, place: int, count: int) -> dict[str, pa.Table]:
        """One row so many times, each under a key of its own; the other tables as they are."""
        import pyarrow as pa

        held = rows[table].slice(place, 1)
        made = pa.concat_tables([held] * count) if count > 0 else held.slice(0, 0)
        for name, column in self.single:
            if name == table and column in made.column_names and (name, column) not in self._outgoing() and count > 1:
                at = made.column_names.index(column)
                kind = made.schema.field(at).type
                if pa.types.is_integer(kind):
                    made = made.set_column(at, pa.field(column, kind), pa.array(range(1, count + 1), kind))
                elif pa.types.is_string(kind):
                    keys = [f"{held.column(column)[0].as_py()}{n}" for n in range(count)]
                    made = made.set_column(at, pa.field(column, kind), pa.array(keys, kind))
        return {**rows, table: made}

    def _outgoing(self) -> set[tuple[str, str]]:
        return {(r.table, c) for r in self.schema.relations for c in r.columns}

    def _spread(self, rows: Rows, table: str, column: Field) -> dict[str, pa.Table] | None:
        import pyarrow as pa

        held = rows[table]
        at = held.column_names.index(column.name)
        kind = held.schema.field(at).type
        try:
            figures = [Decimal(v) if pa.types.is_decimal(kind) else v for v in _SPREAD]
            values = pa.array([*figures, *[None] * (held.num_rows - len(_SPREAD))], kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            return None
        return {**rows, table: held.set_column(at, pa.field(column.name, kind), values)}

    def _moved(self, table: str, column: Field, every: bool = False) -> Iterator[dict[str, pa.Table]]:
        """The world with other values in a column, in several ways of which at least one must matter."""
        import pyarrow as pa

        held = self.world[table]
        at = held.column_names.index(column.name)
        kind = held.schema.field(at).type
        values = held.column(at).to_pylist()
        ways: list[list[Any]] = []
        if pa.types.is_string(kind):
            ways = [[f"{v} ~" if v is not None and (every or n % 2) else v for n, v in enumerate(values)]]
        elif pa.types.is_temporal(kind):
            ways = [[_shifted(v, days) for v in values] for days in (97, -401)]
        elif numeric(column.type):
            ways = [[None if v is None else sign * (3 * v + 17) for v in values] for sign in (1, -1)]
        for way in [*ways, [None] * len(values)]:
            try:
                made = pa.array(way, kind)
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
                continue
            yield {**self.world, table: held.set_column(at, pa.field(column.name, kind), made)}

    def _knows(self, number: Decimal) -> bool:
        """Whether a number of the request stands in the code, be it in another unit or beside the bound."""
        held = [abs(Decimal(n.replace("_", ""))) for n in re.findall(r"\d[\d_]*(?:\.\d+)?", self.code)]
        number = abs(number)
        alike = {number * by for by in (1, 60, 3600, 1000, 24, 100, 7)} | {number / by for by in (60, 100, 1000)}
        return any(h in alike or (number == int(number) and h in (number - 1, number + 1)) for h in held)


def _without_docstrings(code: str) -> str:
    """The code without what it says of itself; text that is no code as it is."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
            and len(node.body) > 1
        ):
            node.body = node.body[1:]
    return ast.unparse(tree)


def _literals(code: str) -> set[str]:
    """The texts in a code: its own, and those quoted in its SQL."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return texts | {m.replace("''", "'") for text in texts for m in re.findall(r"'((?:[^']|'')*)'", text)}


def some_of(rows: Rows, schema: Schema) -> dict[str, pa.Table]:
    """Few enough rows to be asked about often: strided, but whole where other tables point at them."""
    import pyarrow as pa

    pointed = {r.to_table for r in schema.relations}
    kept = {}
    for name, table in rows.items():
        size = table.num_rows
        if size > MOST_ROWS and name not in pointed:
            table = table.take(pa.array([n * size // MOST_ROWS for n in range(MOST_ROWS)], pa.int64()))
        kept[name] = table
    return kept


def _constant(value: Any, kind: Any, count: int) -> pa.Array[Any] | None:
    """So many of one value in a type; None where the type cannot hold it."""
    import pyarrow as pa

    if isinstance(value, Decimal):
        if pa.types.is_integer(kind):
            whole = value == int(value)
            return pa.array([int(value)] * count, kind) if whole else None
        if pa.types.is_floating(kind):
            return pa.array([float(value)] * count, kind)
    if isinstance(value, datetime) and pa.types.is_timestamp(kind) and kind.tz and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        return None if value is None else pa.repeat(pa.scalar(value, kind), count)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None


def _edges(start: date | datetime | None, end: date | datetime | None, kind: str) -> list[tuple[date | datetime, bool]]:
    """Moments just outside and just inside of a period, each with whether it belongs."""
    step = timedelta(days=1) if kind.startswith("date") else timedelta(seconds=1)
    moments: list[tuple[date | datetime, bool]] = []
    for moment, inside in ((start, True), (end, False)):
        if moment is None:
            continue
        here: date | datetime = moment
        if not kind.startswith("date") and not isinstance(here, datetime):
            here = datetime(here.year, here.month, here.day)
        if kind.startswith("date") and isinstance(here, datetime):
            here = here.date()
        moments += [(here - step, not inside), (here, inside)]
    return moments


def _not_after(moment: date | datetime, now: datetime) -> bool:
    """Whether rows could hold this moment by now: a bound that nothing has reached yet may be left out."""
    return (moment.date() if isinstance(moment, datetime) else moment) <= now.date()


def _points(limit: Limit, scale: int) -> list[Decimal]:
    """Two below a bound to two above it, in a column's own unit."""
    return [(limit.number + step) * scale for step in (-2, -1, 0, 1, 2)]


def _holds(number: Decimal, limit: Limit) -> bool:
    return {
        ">": number > limit.number,
        ">=": number >= limit.number,
        "<": number < limit.number,
        "<=": number <= limit.number,
        "=": number == limit.number,
    }[limit.operator]


def _shifted(value: Any, days: int) -> object:
    return None if value is None else value + timedelta(days=days)


def _numbers(records: Sequence[Record] | None) -> set[float]:
    """Every number in these records."""
    found: set[float] = set()
    for value in (v for r in records or () for v in r.values()):
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            found.add(float(value))
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def in_order(records: Sequence[Record], column: str, down: bool) -> bool:
    """Whether the records stand in the order of a column that holds more than one value."""
    values = [r.get(column) for r in records]
    return len({str(v) for v in values}) > 1 and _sorted(values, down)


def _sorted(values: Sequence[object], down: bool) -> bool:
    """Whether values stand in an order, unknown ones aside, and are not all the same."""
    known: list[Any] = [v for v in values if v is not None]
    try:
        pairs = list(itertools.pairwise(known))
        return all((a >= b) if down else (a <= b) for a, b in pairs) and len(known) > 1
    except TypeError:
        return False


def _same(one: Sequence[Record] | None, other: Sequence[Record] | None) -> bool:
    return bag(one or ()) == bag(other or ())


def _ignored(column: str, one: str, other: str) -> Finding:
    return Finding(
        "faithful",
        "ignored-filter",
        f"the request speaks of {column}, and whether it is {one} or {other} in every row the closure gives the same answer",
        record={column: one},
        hint=f"Keep the rows by {column} as the request says.",
    )
