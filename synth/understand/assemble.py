"""From notes to a plan: which table is the base, what is joined, what is grouped, and what comes out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from synth.plan import (
    Aggregate,
    AggregateName,
    And,
    Arithmetic,
    Bucket,
    Column,
    Compare,
    Condition,
    Empty,
    Expression,
    Join,
    OneOf,
    Order,
    Output,
    Plan,
    Share,
    TopPer,
    Value,
    walk,
)
from synth.understand.columns import IDENTIFIERS, LABELS, Known, is_flag
from synth.understand.filters import _akin
from synth.understand.logic import both
from synth.understand.notes import ACTORS, PERSONS, Best, Key, Measure, Notes, Part, Shown, Sorting, no
from synth.understand.showing import chosen_among, fixed, one_row_each, telling
from synth.understand.structure import Reader
from synth.understand.words import any_of, lemma, spelled, stem, words_of_name

UNCOUNTED = any_of("stock inventory energy weather traffic spending budget revenue consumption usage rain")
FIGURES = {"sum": "total", "avg": "average", "median": "median", "min": "minimum", "max": "maximum", "stddev": "stddev"}


def columns_in(node: object) -> list[Column]:
    """Every column within an expression or condition."""
    return [n for n in walk(node) if isinstance(n, Column)]


class Assembler:
    """Makes one plan from one reader's notes."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.notes: Notes = reader.notes
        self.lexicon = reader.lexicon
        self.graph = reader.graph
        self.subject = reader.subject
        self.order: list[Order] = []
        self.limit: Value | None = None
        self.ties = False
        self.top_per: TopPer | None = None
        self.distinct_on: tuple[Expression, ...] = ()
        self.taken: set[str] = set()

    # ---------------------------------------------------------------- the story

    def plan(self) -> Plan:
        """The plan; refuses what the notes do not settle."""
        notes = self.notes
        conditions = list(notes.parts)
        for measure in notes.measures:
            sold = measure.traded and any(stem(t.low) in ("sell", "buy", "purchas") for t in self.reader.tokens)
            if sold or (measure.enumerated and conditions and measure.known is not None):
                raise no(
                    "ambiguous",
                    f"how many different {measure.said!r}, or how many rows?",
                    (f"number of different {measure.said}", "number of rows"),
                )
        formed = [h.measure for h in notes.having]
        asked = [m for m in notes.measures if not any(m is f for f in formed)]
        if formed and not notes.groups and any(m.function in ("count", "count_distinct") for m in asked):
            raise no("cannot-answer", "counting what fulfils a condition on a figure needs two steps; ask for the list")
        if notes.none_of is not None:
            return self._none_of_each(*notes.none_of)
        shares = self._row_share(conditions)
        if shares is not None:
            return shares
        if (
            notes.each_of
            and notes.best is None
            and (notes.measures or any(s.known.additive for s in notes.shown))
            and not notes.groups
        ):
            notes.groups.append(Key(table=notes.each_of))
        conditions += self._named_only()
        self._settle_when()
        self._settle_best()
        self._settle_sorting()
        self._settle_figures()
        self._settle_unique()
        figures = bool(notes.measures or notes.having)
        if notes.groups and not figures:
            self._count_groups()
            figures = True
        return self._grouped(conditions) if figures else self._listing(conditions)

    # ---------------------------------------------------------------- superlatives turned into figures, orders and limits

    def _settle_best(self) -> None:
        best = self.notes.best
        if best is None:
            return
        if best.count is None and self.notes.limit is not None:
            # "the 3 sales with the highest quantity"
            best.count, self.notes.limit = self.notes.limit, None
        if best.rowwise and best.function is not None and self.notes.best_per and not self._entities():
            # "top 3 by total amount per city": the cities are ranked
            self.notes.groups, self.notes.best_per = [*self.notes.groups, *self.notes.best_per], []
            by = best.by
            self._figure_for(best, Measure(best.function, by.column, by.column.name, known=by) if by else None)
            return
        if best.rowwise and best.by is not None and best.function is None:
            self._rows_best(best)
            return
        entities = self._entities()
        self._settle_per(best, entities)
        if best.frequent and any(k.asked for k in self.notes.groups):
            self._figure_for(best, Measure("count", None, "count", rows_of=self.subject))
            return
        if best.frequent:
            if not entities:
                raise no("not-understood", f"most frequent what? {best.said!r} needs a column or a table after it")
            self._group_entities(entities)
            rows = self._event_table(entities)
            self._figure_for(best, Measure("count", None, "count", rows_of=rows))
            return
        if best.function in ("count", "count_distinct") and (best.rows_of or best.by is not None):
            of = (
                Measure("count", None, "count", rows_of=best.rows_of)
                if best.function == "count" and best.by is None
                else Measure("count_distinct", best.by.column if best.by else None, "count", known=best.by)
            )
            others = [e for e in entities if e.table != best.rows_of or e.known is not None]
            if not others and not self.notes.groups:
                raise no("not-understood", f"{best.said!r} of what? name what is compared")
            self._group_entities(others)
            between = [
                t
                for t in self.notes.existing
                if others and others[0].table and t not in (others[0].table, best.rows_of)
            ]
            if of.of is None and between and others[0].table:
                # "the member who borrowed the most books": loans are counted, not titles
                of = Measure("count", None, "count", rows_of=between[0])
            self._figure_for(best, of)
            return
        if best.by is None and self.notes.measures:
            counted = {m.rows_of for m in self.notes.measures}
            if not self.notes.groups:
                self._group_entities(e for e in entities if e.known is not None or e.table not in counted)
            self._figure_for(best, None)
            return
        if best.by is not None:
            groups = [e for e in entities if self._needs_group(e, best)]
            if self.notes.groups and any(k.asked for k in self.notes.groups):
                function = best.function or ("sum" if best.by.additive else ("max" if best.descending else "min"))
                self._figure_for(
                    best, Measure(function, best.by.column, best.word or best.by.column.name, known=best.by)
                )
                return
            if groups:
                if self._row_of_another(best, groups):
                    return
                chosen = best.function or ("sum" if best.by.additive else None)
                if (
                    chosen is None
                    and best.by.sort == "number"
                    and best.by.additive is None
                    and all(e.known is not None for e in groups) is False
                ):
                    raise no(
                        "ambiguous",
                        f"by the total, the average or the highest {best.by.column.name}?",
                        tuple(f"{w} {best.by.column.name}" for w in ("total", "average", "highest")),
                    )
                if chosen is not None:
                    self._group_entities(groups)
                    self._figure_for(
                        best, Measure(chosen, best.by.column, best.word or best.by.column.name, known=best.by)
                    )
                    return
                if (
                    any(e.table for e in groups)
                    and best.by.column.table != self.subject
                    and self.graph.widens(self.subject, best.by.column.table)
                ):
                    raise no(
                        "ambiguous",
                        f"by the total, the average or the highest {best.by.column.name}?",
                        tuple(f"{w} {best.by.column.name}" for w in ("total", "average", "highest")),
                    )
            if self.notes.measures and best.function is None and not self.notes.best_per:
                self._group_entities(entities)
                self._figure_for(best, None)
                return
        if self._figure_of_kinds(best, entities):
            return
        self._rows_best(best)

    def _figure_of_kinds(self, best: Best, entities: list[Key]) -> bool:
        """ "The station with the lowest temperature": stations, each with its lowest, and none of them twice."""
        if best.by is None or best.by.sort != "number" or best.function is not None or best.plain_first:
            return False
        known = [e.known for e in entities if e.known is not None]
        others = [s for s in self.notes.shown if s.known not in known and s.known is not best.by]
        repeated = known and all(k.field.values and k.field.distinct < k.field.values - k.field.nulls for k in known)
        if not repeated or len(known) != len(entities) or others or self.notes.measures or self.notes.all_columns:
            return False
        if any(k.column.table != best.by.column.table for k in known):
            return False
        within = [k.known for k in self.notes.best_per if k.known is not None]
        if one_row_each(self.lexicon, known[0], self.notes.parts, (*known[1:], *within)):
            return False
        one_record = all(self._of_one_record(e, best.by) for e in entities)
        if best.by.additive is None and not best.words and not one_record:
            name = best.by.column.name
            raise no(
                "ambiguous",
                f"by the total, the average or the highest {name}?",
                tuple(f"{w} {name}" for w in ("total", "average", "highest")),
            )
        self._group_entities(entities)
        function: AggregateName = "max" if best.descending else "min"
        self._figure_for(best, Measure(function, best.by.column, best.by.column.name, known=best.by))
        return True

    def _named_only(self) -> list[Part]:
        """ "Which agent has the most tickets" asks for an agent: rows without one rank nowhere."""
        best = self.notes.best
        ranked = [e.known for e in self._entities() if e.known is not None] if best is not None else []
        touched = {c for p in self.notes.parts for c in columns_in(p.condition)}
        return [
            Part(Empty(k.column, negated=True), "", k)
            for k in ranked
            if k.field.nulls and k.column not in touched and k.sort == "text"
        ]

    def _none_of_each(self, known: Known, condition: Condition) -> Plan:
        """The values of a column of which no row fulfils the condition."""
        notes = self.notes
        if notes.measures or notes.groups or notes.best or notes.having or notes.lacking or notes.shown:
            raise no("cannot-answer", "things without some rows, and a figure or another column beside, need two steps")
        parts = list(notes.parts)
        if known.field.nulls:
            parts.append(Part(Empty(known.column, negated=True), "", known))
        none = Compare(Aggregate("count", None, condition), "=", Value(0))
        where = self._conjunction(parts)
        tables = {c.table for c in columns_in((condition, where))} - {known.column.table}
        if tables:
            raise no("cannot-answer", f"a condition on {sorted(tables)[0]!r} needs two steps here")
        name = self._name(self._column_name(known))
        return Plan(known.column.table, (Output(known.column, name),), (), where, (known.column,), none)

    def _settle_when(self) -> None:
        """ "When was Oslo the host": the one column that tells time is asked for."""
        notes = self.notes
        if self.reader.question != "when" or notes.measures or notes.groups or not notes.parts:
            return
        touched = {c for p in notes.parts for c in columns_in(p.condition)}
        if any(s.known.column not in touched or self._tells_when(s.known) for s in notes.shown):
            return
        times = [k for k in self.lexicon.of_table[self.subject] if self._tells_when(k)]
        free = [k for k in times if k.column not in touched]
        if len(free) != 1:
            names = tuple(k.column.name for k in free[:5])
            raise no("ambiguous", "when: which column tells that?", names)
        notes.shown = [Shown(free[0], "when", asked=True)]

    def _tells_when(self, known: Known) -> bool:
        return known.sort == "date" or bool(set(known.words) & {"date", "year", "day", "time", "when", "season"})

    def _settle_sorting(self) -> None:
        """ "Mechanics sorted by number of repairs": the figure sorted by is formed for each."""
        notes = self.notes
        if notes.measures or notes.groups or notes.best is not None:
            return
        wished = [w.measure for w in notes.sorting if w.measure is not None]
        entities = self._entities()
        if not wished or not entities:
            return
        if all(
            e.table and e.table in (m.rows_of, *(c.table for c in columns_in(m.of))) for m in wished for e in entities
        ):
            return
        self._group_entities(entities)
        notes.measures.extend(wished)

    def _settle_per(self, best: Best, entities: list[Key]) -> None:
        """ "For each garage the type with the highest fee": groups beside what is ranked are what it is ranked within."""
        notes = self.notes
        asked = [k for k in notes.groups if k.asked]
        others = [k for k in notes.groups if not k.asked]
        fresh = [
            e
            for e in entities
            if (e.known is not None or not notes.measures)
            and not any(k.known is e.known and k.table == e.table for k in others)
        ]
        ranked = best.by is not None or best.function is not None or best.frequent
        if not others or not ranked or best.plain_first or not (asked or fresh):
            return
        tokens = self.reader.tokens
        first = min(k.at for k in others)
        words = [
            t.low for t in tokens[max(0, best.at - 3) : max(0, best.at)] if t.low not in ("the", "a", "our", "top")
        ]
        if 0 <= first < best.at and words and words[-1] in any_of("for of from among by"):
            raise no("cannot-answer", f"figures of the {best.said!r} need two steps; ask which that is first")
        notes.best_per.extend(others)
        notes.groups = asked

    def _row_of_another(self, best: Best, groups: list[Key]) -> bool:
        """ "The student with the highest score": one row of the exams is the highest, and the student is looked up to it."""
        if best.by is None or best.by.additive is not False or best.function is not None or len(groups) != 1:
            return False
        table = groups[0].table
        there = best.by.column.table
        if not table or table == there or self.graph.path(there, table) is None or self.graph.widens(there, table):
            return False
        columns = self.lexicon.label(table) or self.lexicon.key(table)
        shown = [Shown(self.lexicon.known[c], c.name, asked=True) for c in columns]
        shown += [s for s in self.notes.shown if s.known.column not in columns and s.known is not best.by]
        self.notes.shown = [*shown, Shown(best.by, best.by.column.name)]
        self.subject = there
        self._rows_best(best)
        return True

    def _of_one_record(self, key: Key, by: Known) -> bool:
        """Whether the figure stands in the same nested record as the thing, and not every column does: the loyalty points of
        a traveller are the traveller's, in each of the trips."""
        steps = by.column.name.split(".")
        if key.known is None or len(steps) < 2 or not key.known.column.name.startswith(f"{steps[0]}."):
            return False
        return not all(k.column.name.startswith(f"{steps[0]}.") for k in self.lexicon.of_table[by.column.table])

    def _needs_group(self, key: Key, best: Best) -> bool:
        """Whether several rows stand behind one such thing, so that a figure is formed for each."""
        assert best.by is not None
        if key.table:
            return key.table != best.by.column.table
        assert key.known is not None
        if key.known.column.table != best.by.column.table and self.graph.widens(
            key.known.column.table, best.by.column.table
        ):
            return True
        field = key.known.field
        unique = bool(field.values) and field.distinct >= field.values - field.nulls
        return not unique and (best.function is not None or best.by.additive is True) and best.by.sort == "number"

    def _entities(self) -> list[Key]:
        """What the question is about: columns shown, or the table asked for."""
        if any(k.asked for k in self.notes.groups):
            return []
        entities = [
            s
            for s in self.notes.shown
            if self.lexicon.entity(s.known) and not (self.notes.best and s.known is self.notes.best.by)
        ]
        entities = [s for n, s in enumerate(entities) if all(s.known is not e.known for e in entities[:n])]
        shown = [Key(known=s.known) for s in entities]
        beside = [s for s in entities if s.beside]
        best = self.notes.best
        if best is not None and best.rows_noun and best.by is not None and best.by.column.table == best.rows_noun:
            # "customer and total of the 5 largest orders": orders are ranked
            return [Key(table=best.rows_noun)]
        ranked = best is not None and not best.rowwise
        if beside and len(beside) < len(entities) and ranked and self._several_for_one(entities):
            name, thing = beside[0].known.column.name, entities[0].known.column.name
            raise no(
                "ambiguous",
                f"one {thing} may have several of {name}: for each {thing}, or for each {thing} and {name}?",
                (f"per {thing}", f"per {thing} and {name}"),
            )
        if beside and len(beside) == len(entities):
            # "the 3 customers with the most orders, with their city": the customers are ranked
            whose = self.notes.per_row_of or self.subject
            if all(s.known.column.table == whose or not self.graph.widens(whose, s.known.column.table) for s in beside):
                return [Key(table=whose), *shown]
        if shown:
            return shown
        if self.reader.question == "who" and not self.lexicon.label(self.subject):
            people = self._persons(self.subject)
            return [Key(known=self.lexicon.known[c]) for c in people]
        about = self.reader.subject_said or self.reader.mentioned or self.reader.question == "who"
        table = self.notes.per_row_of or (self.subject if about else "")
        return [Key(table=table)] if table else []

    def _several_for_one(self, shown: list[Shown]) -> bool:
        """Whether columns of one table are shown of which the first does not tell its rows apart."""
        first = shown[0].known
        return (
            all(s.known.column.table == first.column.table for s in shown) and first.field.distinct < first.field.values
        )

    def _group_entities(self, entities: Iterable[Key]) -> None:
        for key in entities:
            if key.known is not None and any(k.known is key.known and k.unit is None for k in self.notes.groups):
                continue
            if key.table and any(k.table == key.table for k in self.notes.groups):
                continue
            self.notes.groups.append(key)
        self.notes.shown = [s for s in self.notes.shown if not self.lexicon.entity(s.known)]
        self.notes.all_columns = False

    def _event_table(self, entities: list[Key]) -> str:
        """The table whose rows are counted for "most popular": the one at hand, or the only one that points at the thing."""
        key = entities[0]
        table = key.table or (key.known.column.table if key.known is not None else "")
        children = [e.to_table for e in self.graph.edges[table] if e.widens]
        verb = stem(self.notes.best.word) if self.notes.best is not None and self.notes.best.word else ""
        akin = [c for c in children if verb and any(_akin(stem(w), verb) for w in self.lexicon.table_words[c])]
        if len(akin) == 1:
            self.notes.existing = []
            return akin[0]
        wanted = [c for c in children if c in self.reader.mentioned or c in self.notes.existing]
        if len(wanted) == 1:
            self.notes.existing = []
            return wanted[0]
        if key.known is not None:
            field = key.known.field
            if not (children and field.values and field.distinct >= field.values - field.nulls):
                return table
        wanted = [c for c in children if c in self.reader.mentioned or c in self.notes.existing]
        if len(wanted) == 1:
            self.notes.existing = []
            return wanted[0]
        if len(children) == 1:
            self.notes.existing = []
            return children[0]
        raise no(
            "ambiguous",
            f"most frequent by which table: {' or '.join(children) or 'there is none that refers to it'}?",
            tuple(children),
        )

    def _figure_for(self, best: Best, measure: Measure | None) -> None:
        """Order by the figure and keep the first, or the first of each group."""
        if measure is None:
            measure = self.notes.measures[0]
        else:
            same = [m for m in self.notes.measures if m.function == measure.function and m.of == measure.of]
            shown = [s for s in self.notes.shown if measure.known is s.known]
            for s in shown:
                self.notes.shown.remove(s)
                measure = replace(measure, said=s.said)
            measure = same[0] if same else measure
            if not same:
                self.notes.measures.insert(0, measure)
        self.notes.sorting.insert(0, Sorting(measure=measure, descending=best.descending))
        self._cut(best)

    def _cut(self, best: Best) -> None:
        count = best.count or 1
        value = self.reader.parameter("limit", count) if best.count is not None else Value(1)
        if self.notes.best_per:
            self.notes.groups.extend(
                k for k in self.notes.best_per if self.notes.measures and k not in self.notes.groups
            )
            self.top_per = TopPer((), value, ties=best.count is None)
        else:
            self.limit = value
            self.ties = best.count is None

    def _rows_best(self, best: Best) -> None:
        """The first rows by a column: all of them, or of each group."""
        notes = self.notes
        if best.by is None and best.words.endswith("date") and not notes.sorting:
            best.by = self.reader.date_column(required=True)
        if best.by is None and notes.newest is not None:
            best.by, best.descending = self.reader.date_column(required=True), notes.newest
            notes.newest = None
        if best.by is None and not notes.sorting:
            numbers = tuple(
                k.column.name
                for k in self.lexicon.of_table[self.subject]
                if k.sort in ("number", "date") and not k.identifier
            )
            if best.plain_first:
                raise no(
                    "ambiguous",
                    "which of the rows is kept? say e.g. 'the latest'",
                    tuple(f"latest {n}" for n in numbers[:4]),
                )
            raise no("ambiguous", f"{best.said!r} by what? name the column", numbers[:8])
        if best.by is not None:
            self.order.append(Order(best.by.column, best.descending))
        count = best.count or 1
        if notes.best_per:
            if best.plain_first:
                return
            value = self.reader.parameter("limit", count) if best.count is not None else Value(count)
            self.top_per = TopPer((), value, ties=best.count is None)
        else:
            self.limit = self.reader.parameter("limit", count) if best.count is not None else Value(count)
            self.ties = best.count is None

    # ---------------------------------------------------------------- figures that were only implied

    def _settle_figures(self) -> None:
        notes = self.notes
        wants = bool(notes.groups or notes.having or notes.measures)
        numbers = [
            s for s in notes.shown if s.known.sort == "number" and not s.known.identifier and not is_flag(s.known.field)
        ]
        singled = notes.best is None and len(notes.shown) == len(numbers) == 1 and not notes.groups
        if singled and not notes.all_columns:
            shown = notes.shown[0]
            listed = self.reader.tokens[0].low in ("show", "list", "display", "give")
            total = shown.known.additive and (
                self.reader.question == "how much"
                or (shown.as_total and not listed)
                or (shown.said.casefold() == "total" and not listed)
                or shown.said.casefold() in ("revenue", "turnover", "sales", "profit", "income")
                or (bool(notes.parts) and not listed and self._said_as_amount(shown))
            )
            if total and not self._picks_one_row():
                notes.measures.append(Measure("sum", shown.known.column, shown.said, known=shown.known))
                notes.shown.clear()
                return
        if not wants:
            return
        for shown in numbers:
            if any(k.known is shown.known for k in notes.groups):
                notes.shown.remove(shown)
                continue
            if shown.known.additive or shown.as_total:
                same = [m for m in notes.measures if m.function == "sum" and m.of == shown.known.column]
                if not same:
                    notes.measures.append(Measure("sum", shown.known.column, shown.said, known=shown.known))
                notes.shown.remove(shown)
            elif self._one_row_in_each_group(shown.known):
                # "income per head of Kuwait by year": there is one of it in each
                notes.sorting += [Sorting(known=k.known) for k in notes.groups if not notes.sorting]
                notes.shown = [*(Shown(k.known, "", asked=True) for k in notes.groups if k.known), *notes.shown]
                notes.groups = []
                return
            elif notes.groups or notes.having:
                name = shown.known.column.name
                raise no(
                    "ambiguous",
                    f"{name!r} for each group: its average, total, highest or lowest?",
                    tuple(f"{w} {name}" for w in ("average", "total", "highest", "lowest")),
                )
        entities = [s for s in notes.shown if s not in numbers]
        bare = notes.groups and not notes.measures and not notes.having and notes.best is None
        if bare and len(entities) == 1 and entities[0].plural and self.lexicon.entity(entities[0].known):
            listing = self.reader.tokens[0].low in ("list", "show", "display", "give") and not notes.distinct
            if listing:
                self._count_groups()
            # "customers per city": the different ones are counted
            counted = entities.pop()
            notes.shown.remove(counted)
            notes.measures.append(Measure("count_distinct", counted.known.column, counted.said, known=counted.known))
        if entities:
            for shown in entities:
                if not shown.listed and not shown.asked:
                    raise no(
                        "ambiguous",
                        f"what has {shown.said!r} to do with the figure? a group for each, or a condition on it",
                        (f"per {shown.known.column.name}", f"where {shown.known.column.name} is filled"),
                    )
                if shown.known.sort == "date" and notes.groups:
                    raise no(
                        "ambiguous",
                        f"{shown.known.column.name!r} for each group: the first or the latest?",
                        (f"earliest {shown.said}", f"latest {shown.said}"),
                    )
            self._group_entities([Key(known=s.known) for s in entities])
            notes.shown = [s for s in notes.shown if s not in entities]
        if (notes.having or (notes.measures and notes.per_row_of)) and not notes.groups and notes.best is None:
            thing = notes.per_row_of or self.subject
            if notes.having:
                self._group_entities([Key(table=thing)])
        for having in notes.having:
            if not any(m.function == having.measure.function and m.of == having.measure.of for m in notes.measures):
                notes.measures.append(having.measure)

    def _one_row_in_each_group(self, known: Known) -> bool:
        """Whether each group that is asked for is one row, so that its figure is the row's own."""
        notes = self.notes
        if (
            notes.measures
            or notes.having
            or notes.best
            or not notes.groups
            or any(k.known is None for k in notes.groups)
        ):
            return False
        within = [k.known for k in notes.groups if k.known is not None and k.unit is None]
        key = telling(self.lexicon, known.column.table)
        given = {k.column for k in within} | fixed(notes.parts)
        return bool(key) and len(within) == len(notes.groups) and all(k.column in given for k in key)

    def _said_as_amount(self, shown: Shown) -> bool:
        """ "Spend last month": an amount called as its column is, restricted by something other than itself."""
        if shown.asked or shown.known.column in {c for p in self.notes.parts for c in columns_in(p.condition)}:
            return False
        last = words_of_name(shown.known.field.name)[-1:]
        return last == (shown.said.casefold().split()[-1],) or self.reader.question == "what"

    def _settle_unique(self) -> None:
        """ "Unique customers per month" are those with a row in that month: of the one table that records such."""
        for measure in self.notes.measures:
            if not measure.unique or not any(k.unit for k in self.notes.groups):
                continue
            table = measure.rows_of
            children = [e for e in self.graph.edges[table] if e.widens and self.lexicon.dates(e.to_table)]
            if len(children) != 1 or len(children[0].to_columns) != 1:
                raise no("ambiguous", f"different {table} by which event?", tuple(e.to_table for e in children))
            pointer = Column(children[0].to_table, children[0].to_columns[0])
            measure.function, measure.of, measure.rows_of = "count_distinct", pointer, ""
            measure.known = self.lexicon.known[pointer]
            for key in self.notes.groups:
                if key.unit is not None and key.known is None:
                    key.known = self.reader.date_column(table=children[0].to_table)
                    if key.known is None:
                        raise no("ambiguous", f"which date of {children[0].to_table!r}?")

    def _picks_one_row(self) -> bool:
        """Whether the conditions name one row by its key, so that a column of it is meant and no total."""
        keys = {c for t in self.lexicon.schema.tables for c in self.lexicon.key(t.name)}
        return any(
            isinstance(p.condition, Compare) and p.condition.operator == "=" and p.condition.left in keys
            for p in self.notes.parts
        )

    def _count_groups(self) -> None:
        """Groups without a figure: rows are counted, unless the words rather ask for an order."""
        notes = self.notes
        verb = self.reader.tokens[0].low if self.reader.tokens else ""
        if notes.shown:
            names = " and ".join(s.known.column.name for s in notes.shown)
            raise no(
                "ambiguous",
                f"{names} for each group: counted, or listed in its order?",
                (f"number of {names} per group", f"{names} sorted by group"),
            )
        said = [t for t in self.reader.tokens if self.lexicon.tables_at([t], 0)]
        if said and all(t.low in UNCOUNTED for t in said):
            numbers = [
                k.column.name for k in self.lexicon.of_table[self.subject] if k.sort == "number" and not k.identifier
            ]
            raise no(
                "ambiguous", f"how much {said[0].low} for each group? name the figure", (*numbers[:5], "number of rows")
            )
        by = any(t.low == "by" for t in self.reader.tokens)
        if (
            verb in ("list", "show", "display", "give")
            and by
            and not any(t.low in ("broken", "split", "breakdown") for t in self.reader.tokens)
        ):
            raise no(
                "ambiguous",
                "rows sorted by that, or their number for each?",
                ("number of rows per group", "rows sorted by it"),
            )
        notes.measures.append(Measure("count", None, "count", rows_of=self.subject))

    # ---------------------------------------------------------------- percentages of rows

    def _row_share(self, parts: list[Part]) -> Plan | None:
        reader, notes = self.reader, self.notes
        sharing = reader.sharing or next((m.share for m in notes.measures if m.share), "")
        if not sharing:
            return None
        percent = sharing == "percent"
        summed = next((m for m in notes.measures if m.share), None)
        plain = [p for p in parts if not _timed(p)]
        if notes.groups and plain and summed is None and reader.share_rows:
            return self._share_per_group(parts, percent)
        if notes.groups or (not parts and summed is not None and notes.shown):
            if summed is None:
                summed = Measure("count", None, "rows", rows_of=self.subject, share=sharing)
                notes.measures.append(summed)
            else:
                summed.share = sharing
            return None
        if not parts:
            raise no("not-understood", "a share of what in what? say which rows count")
        mark = reader.share_mark
        after = parts[mark:]
        timed = [p for p in after if _timed(p)]
        counted = [p for p in after if p not in timed] or after
        base = [p for p in parts if p not in counted]
        if not counted:
            counted, base = base, []
            timed_base = [p for p in counted if _timed(p)]
            if timed_base and len(timed_base) < len(counted):
                base = timed_base
                counted = [p for p in counted if p not in timed_base]
        loose = [p for p in counted[1:] if not p.joined and p.known is not None and p.known is not counted[0].known]
        if loose and not base:
            name = loose[-1].known.column.name if loose[-1].known is not None else ""
            raise no("ambiguous", f"the share in all rows, or in those of that {name!r}? say 'of …, what share …'")
        condition = self._conjunction(counted)
        assert condition is not None
        if summed is not None:
            of: Expression | None = summed.of
            if summed.function != "sum":
                raise no("not-understood", "a share of an average means nothing")
            part, whole = Aggregate("sum", of, condition), Aggregate("sum", of)
        else:
            part, whole = Aggregate("count", None, condition), Aggregate("count")
        touched = {c.table for p in parts for c in columns_in(p.condition)}
        start = summed.known.column.table if summed is not None and summed.known is not None else self.subject
        if any(self.graph.widens(start, t) for t in touched if t != start):
            finer = (
                reader.derived("revenue")
                if summed is not None and lemma(summed.said.casefold()) in ("revenue", "turnover")
                else None
            )
            tables_of = {c.table for c in columns_in(finer)}
            if finer is None or any(self.graph.widens(o, t) for o in tables_of for t in touched):
                raise no("cannot-answer", "a join would count some rows several times")
            part, whole = Aggregate("sum", finer, condition), Aggregate("sum", finer)
            summed = Measure("sum", finer, "revenue", known=self.lexicon.known[columns_in(finer)[0]])
        ratio: Expression = Arithmetic("/", part, whole)
        if percent:
            ratio = Arithmetic("*", Value(100), ratio)
        tables = (
            {c.table for c in columns_in(condition)}
            | {c.table for p in base for c in columns_in(p.condition)}
            | {c.table for c in columns_in(ratio)}
        )
        start = summed.known.column.table if summed is not None and summed.known is not None else self.subject
        joins = self._joins(start, tables, widening=False)
        return Plan(start, (Output(ratio, "percentage" if percent else "share"),), joins, self._conjunction(base))

    def _share_per_group(self, parts: list[Part], percent: bool) -> Plan:
        """The part of each group's own rows that the conditions hold for."""
        plain = [p for p in parts if not _timed(p)]
        counted = [p for p in parts[self.reader.share_mark :] if p in plain] or plain
        # "percentage of builds that passed by month, for the web repo": what is said behind the group holds for all rows
        counted = [p for p in counted if not p.after_group] or counted
        timed = [p for p in parts if p not in counted]
        condition = self._conjunction(counted)
        ratio: Expression = Arithmetic("/", Aggregate("count", None, condition), Aggregate("count"))
        if percent:
            ratio = Arithmetic("*", Value(100), ratio)
        keys = [pair for key in self.notes.groups for pair in self._key_expressions(key, self.subject)]
        where = self._conjunction(timed)
        tables = {c.table for e, _ in keys for c in columns_in(e)}
        tables |= {c.table for c in columns_in(condition)} | {c.table for c in columns_in(where)}
        figure = Output(ratio, self._name("percentage" if percent else "share"))
        outputs = (*(Output(e, self._name(n)) for e, n in keys), figure)
        group = tuple(e for e, _ in keys)
        order = self._sort_grouped([(Measure("count", None, "share"), ratio)], list(group), self.subject)
        joins = self._joins(self.subject, tables, widening=False)
        return Plan(self.subject, outputs, joins, where, group, order=order)

    # ---------------------------------------------------------------- grouped answers

    def _base(self) -> str:
        notes = self.notes
        if self.reader.joined_rows:
            return self.reader.joined_rows
        for measure in notes.measures:
            if measure.of is not None and measure.function not in ("count_distinct",):
                tables = [c.table for c in columns_in(measure.of)]
                if tables:
                    return max(tables, key=lambda t: sum(self.graph.widens(o, t) for o in tables))
        for measure in notes.measures:
            if measure.rows_of:
                return measure.rows_of
        for measure in notes.measures:
            tables = [c.table for c in columns_in(measure.of)]
            if tables:
                return tables[0]
        return self.subject

    def _grouped(self, parts: list[Part]) -> Plan:
        notes = self.notes
        base = self._base()
        per = list(notes.best_per)
        # an average per row of the very table it is taken over is the average
        keys = [
            k
            for k in notes.groups
            if not (k.table == base and all(m.function in ("avg", "median") for m in notes.measures))
        ]
        group: list[Expression] = []
        outputs: list[Output] = []
        by_key: dict[int, list[Expression]] = {}
        for key in sorted(keys, key=lambda k: k not in per):
            for expression, name in self._key_expressions(key, base):
                by_key.setdefault(id(key), []).append(expression)
                if expression not in group:
                    group.append(expression)
                    outputs.append(Output(expression, self._name(name)))
        where = self._conjunction(parts)
        self._refine(base, group, where)
        base = self._base()
        tables = (
            {c.table for e in group for c in columns_in(e)} | {c.table for c in columns_in(where)} | set(notes.existing)
        )
        tables |= {c.table for m in notes.measures for c in columns_in(m.of)}
        widened = any(self.graph.path(base, t) is not None and self.graph.widens(base, t) for t in tables if t != base)
        expressions: list[tuple[Measure, Expression]] = []
        for measure in notes.measures:
            expressions.append((measure, self._figure(measure, base, widened, bool(group))))
        joins = self._joins(base, tables, widening=widened)
        for measure, expression in expressions:
            outputs.append(Output(expression, self._name(self._figure_name(measure))))
        having = self._having(expressions, base, widened)
        order = self._sort_grouped(expressions, group, base)
        if self.top_per is not None:
            by = tuple(e for k in per for e in by_key.get(id(k), []))
            self.top_per = replace(self.top_per, by=by)
        if not group and (self.limit is not None or order):
            order, self.limit, self.ties = (), None, False
        if (self.limit is not None or self.top_per is not None) and not order:
            raise no("not-understood", "the first of the groups by which figure? name it")
        limit = self.limit or (Value(notes.limit) if notes.limit is not None else None)
        if notes.limit is not None and self.limit is None:
            limit = Value(notes.limit, "limit")
        return Plan(
            base, tuple(outputs), joins, where, tuple(group), having, order, limit, ties=self.ties, top_per=self.top_per
        )

    def _refine(self, base: str, group: list[Expression], where: Condition | None) -> None:
        """Revenue per category needs the finer table's price × quantity: an order's total belongs to no one category."""
        touched = (
            {c.table for e in group for c in columns_in(e)}
            | {c.table for c in columns_in(where)}
            | set(self.notes.existing)
        )
        if not any(t != base and self.graph.widens(base, t) for t in touched):
            return
        for place, measure in enumerate(self.notes.measures):
            if measure.function != "sum" or lemma(measure.said.casefold()) not in ("revenue", "turnover", "sale"):
                continue
            finer = self.reader.derived("revenue")
            tables = {c.table for c in columns_in(finer)}
            if finer is not None and all(not self.graph.widens(t, o) for t in tables for o in touched):
                replaced = replace(measure, of=finer, known=None, said="revenue")
                self.notes.measures[place] = replaced
                for wish in self.notes.sorting:
                    if wish.measure is measure:
                        wish.measure = replaced
                for having in self.notes.having:
                    if having.measure is measure:
                        having.measure = replaced

    def _key_expressions(self, key: Key, base: str) -> list[tuple[Expression, str]]:
        if key.unit is not None:
            known = key.known or self._time_of(base)
            if known.sort == "number":
                if key.unit == "year":
                    return [(known.column, spelled(known.column.name))]
                raise no("cannot-answer", f"{known.column.name!r} holds years only")
            if known.field.type.startswith("date") and key.unit in ("hour", "minute", "hour_of_day"):
                raise no("cannot-answer", f"{known.column.name!r} holds days, no hours")
            name = {"month_of_year": "month", "hour_of_day": "hour"}.get(key.unit, key.unit)
            return [(Bucket(known.column, key.unit, self.reader.zone_name(known)), name)]
        if key.known is not None and key.known.sort == "other":
            raise no(
                "cannot-answer", f"{key.known.column.name!r} holds lists or records; there is no group for each of them"
            )
        if key.known is not None:
            partner = self._label_of_pointer(key)
            if partner is not None:
                return partner
            return [(key.known.column, self._column_name(key.known))]
        return self._table_expressions(key.table)

    def _time_of(self, base: str) -> Known:
        dates = [c for p in self.notes.parts for c in columns_in(p.condition) if self.lexicon.known[c].sort == "date"]
        if len(set(dates)) == 1:
            return self.lexicon.known[dates[0]]
        known = self.reader.date_column(
            table=base, required=bool(self.reader.stated) and bool(self.lexicon.dates(base))
        )
        known = known or self.reader.date_column(required=True)
        assert known is not None
        return known

    def _label_of_pointer(self, key: Key) -> list[tuple[Expression, str]] | None:
        """A pointer column named as the thing it points at ("per customer") stands for that thing's name."""
        return None

    def _table_expressions(self, table: str) -> list[tuple[Expression, str]]:
        """What tells the rows of a table apart for a reader: its label when unique, else key and label."""
        label = self.lexicon.label(table)
        key = self.lexicon.key(table)
        columns = list(label) or list(key)
        if not columns:
            texts = [k for k in self.lexicon.of_table[table] if k.sort == "text"]
            raise no("ambiguous", f"what tells the rows of {table!r} apart?", tuple(k.column.name for k in texts[:6]))
        if label and key and not set(key) & set(label):
            field = self.lexicon.known[label[0]].field
            whole = self.lexicon.schema.table(table).rows
            unique = (
                len(label) == 1
                and field.values
                and field.distinct == field.values
                and field.nulls == 0
                and (whole is None or field.values >= min(whole, 10_000))
            )
            if not unique:
                columns = [*key, *label]
        return [(c, self._column_name(self.lexicon.known[c])) for c in columns]

    def _column_name(self, known: Known) -> str:
        """Its own name; with the table's noun before it where the name alone says nothing about whose it is."""
        name = spelled(known.column.name)
        if known.column.table != self.subject and name in ("name", "id", "title", "code", "label"):
            noun = self.lexicon.table_words[known.column.table][-1:]
            return f"{noun[0]}_{name}" if noun else name
        return name

    def _figure(self, measure: Measure, base: str, widened: bool, grouped: bool) -> Expression:
        if isinstance(measure.of, Arithmetic) and any(isinstance(n, Aggregate) for n in walk(measure.of)):
            return measure.of
        if measure.function == "count" and measure.of is None:
            if measure.rows_of and measure.rows_of != base:
                if self.graph.path(base, measure.rows_of) is None:
                    raise no("cannot-answer", f"{base!r} and {measure.rows_of!r} do not hang together")
                key = self.lexicon.key(measure.rows_of)
                pointer = self._pointer(base, measure.rows_of)
                column = pointer or (key[0] if len(key) == 1 else None)
                if column is None:
                    raise no("cannot-answer", f"rows of {measure.rows_of!r} cannot be told apart")
                return self._shared(Aggregate("count_distinct", column), measure, grouped)
            if widened:
                key = self.lexicon.key(base)
                if len(key) != 1:
                    raise no("cannot-answer", f"rows of {base!r} cannot be told apart after a join")
                return self._shared(Aggregate("count_distinct", key[0]), measure, grouped)
            return self._shared(Aggregate("count"), measure, grouped)
        if widened and measure.function in ("sum", "avg", "median", "stddev", "count"):
            raise no("cannot-answer", "a join would count some rows several times; ask for one figure at a time")
        return self._shared(Aggregate(measure.function, measure.of, measure.where), measure, grouped)

    def _pointer(self, base: str, table: str) -> Column | None:
        path = self.graph.path(base, table) or []
        if len(path) == 1 and len(path[0].columns) == 1 and not path[0].widens:
            return Column(base, path[0].columns[0])
        return None

    def _shared(self, aggregate: Aggregate, measure: Measure, grouped: bool) -> Expression:
        if measure.share and grouped:
            return Share(aggregate, percent=measure.share == "percent")
        return aggregate

    def _figure_name(self, measure: Measure) -> str:
        if measure.share:
            return "percentage" if measure.share == "percent" else "share"
        if measure.function in ("count", "count_distinct"):
            if len([m for m in self.notes.measures if m.function in ("count", "count_distinct")]) > 1:
                return f"{lemma(spelled(measure.said))}_count" if measure.said not in ("count", "rows") else "count"
            return "count"
        if measure.said == "average_count":
            return "average_count"
        said = spelled(measure.said) if measure.said else ""
        own = spelled(measure.known.column.name) if measure.known is not None else ""
        subject = (
            said
            if isinstance(measure.of, Arithmetic)
            or (said and lemma(said) in any_of("revenue turnover sale profit spend spending income"))
            else own or said
        )
        prefix = FIGURES[measure.function]
        if measure.function == "sum" and not self._said_total():
            return subject
        return subject if subject.startswith(prefix) else f"{prefix}_{subject}"

    def _said_total(self) -> bool:
        return any(t.low in any_of("total sum combined totals overall summed cumulative") for t in self.reader.tokens)

    def _having(self, expressions: list[tuple[Measure, Expression]], base: str, widened: bool) -> Condition | None:
        conditions: list[Condition] = []
        for having in self.notes.having:
            found = next(
                (
                    e
                    for m, e in expressions
                    if m.function == having.measure.function
                    and m.of == having.measure.of
                    and (m.of is not None or m.rows_of == having.measure.rows_of)
                ),
                None,
            )
            figure = found if found is not None else self._figure(having.measure, base, widened, False)
            if isinstance(figure, Share):
                raise no("cannot-answer", "a condition on a share needs two steps; ask for the shares first")
            conditions.append(Compare(figure, having.operator, having.value))
        if not conditions:
            return None
        return conditions[0] if len(conditions) == 1 else And(tuple(conditions))

    def _sort_grouped(
        self, expressions: list[tuple[Measure, Expression]], group: list[Expression], base: str
    ) -> tuple[Order, ...]:
        order: list[Order] = []
        for wish in self.notes.sorting:
            target: Expression | None = None
            if wish.measure is not None:
                target = next(
                    (e for m, e in expressions if m.function == wish.measure.function and m.of == wish.measure.of), None
                )
                if target is None and wish.measure.of is not None:
                    target = Aggregate(wish.measure.function, wish.measure.of)
                if target is None and wish.measure.function == "count":
                    target = Aggregate("count")
            elif wish.known is not None:
                if wish.known.column in group:
                    target = wish.known.column
                else:
                    target = next((e for m, e in expressions if m.known is wish.known), None)
                    if target is None:
                        target = next((g for g in group if isinstance(g, Bucket) and g.of == wish.known.column), None)
                    if target is None and wish.known.sort == "text" and group and isinstance(group[0], Column):
                        label = [g for g in group if isinstance(g, Column) and g.table == wish.known.column.table]
                        target = label[-1] if label else None
                    if target is None and wish.known.sort == "number" and wish.known.additive:
                        target = Aggregate("sum", wish.known.column)
                    if target is None:
                        raise no(
                            "cannot-answer",
                            f"groups cannot be sorted by {wish.known.column.name!r}: it differs within a group",
                            tuple(m.said for m, _ in expressions),
                        )
            elif wish.unit is not None:
                target = next((g for g in group if isinstance(g, Bucket) and g.unit == wish.unit), None) or next(
                    (g for g in group if isinstance(g, Bucket)), None
                )
                if target is None:
                    raise no("cannot-answer", f"there is no {wish.unit} to sort by")
            elif wish.said == "alphabetical":
                target = next((g for g in group if isinstance(g, Column)), None)
            elif expressions:
                target = expressions[0][1]
                named = {"count": "count", "sum": "sum", "avg": "avg"}.get(wish.said)
                if named:
                    target = next((e for m, e in expressions if m.function == named), target)
            if target is not None and not any(o.of == target for o in order):
                order.append(Order(target, bool(wish.descending)))
        if self.notes.newest is not None:
            moment = next((g for g in group if isinstance(g, Bucket)), None) or next(
                (g for g in group if isinstance(g, Column) and self._tells_time(self.lexicon.known[g])), None
            )
            if moment is None:
                raise no("cannot-answer", "groups have no date to be sorted by")
            order.append(Order(moment, self.notes.newest))
        if not order:
            order = [Order(g) for g in group if isinstance(g, Bucket)]
        return tuple(order)

    def _tells_time(self, known: Known) -> bool:
        return known.sort == "date" or (known.sort == "number" and "year" in known.words)

    # ---------------------------------------------------------------- listings

    def _listing(self, parts: list[Part]) -> Plan:
        notes, reader = self.notes, self.reader
        base = self.subject
        shown = list(dict.fromkeys(s.known for s in notes.shown))
        if reader.mentioned == [] and not reader.subject_said and shown and not notes.all_columns:
            tables = {k.column.table for k in shown}
            if len(tables) == 1:
                base = tables.pop()
        columns = [k.column for k in shown]
        label = self.lexicon.label(base)
        incidental = bool(shown) and not any(s.listed or s.asked for s in notes.shown)
        named = reader.question == "which" and bool(notes.per_row_of) and not any(s.asked for s in notes.shown)
        compared = [p.known for p in notes.parts if p.known is not None and p.known.sort in ("number", "date")]
        verb = reader.tokens[0].low in ("show", "list", "display", "give", "get")
        if len(shown) == 1 and shown[0] in compared and not verb and not notes.shown[0].asked:
            # "first reply over 10 hours": the rows where it is so
            incidental = True
        beyond = bool(shown) and all(s.beyond for s in notes.shown)
        if beyond and notes.best is None and not notes.distinct:
            # "patients and their insurer": the patients too
            own = [c for c in label or [k.column for k in self.lexicon.of_table[base]] if c not in columns]
            columns = [*own, *columns]
        thing = shown[0] if len(shown) == 1 and notes.shown[0].plural and not reader.rows_said and not verb else None
        called = lemma(notes.shown[0].said.casefold()) if thing is not None else ""
        if (
            thing is not None
            and thing.words == (called,)
            and called not in (*LABELS, *IDENTIFIERS)
            and thing.sort == "text"
        ):
            # "tickets paid by app", where a column of tickets tells the rows apart
            unique = thing.field.values > 0 and thing.field.distinct == thing.field.values
            incidental = incidental or (unique and thing.column not in label and bool(parts))
        if (
            (incidental or named)
            and notes.best is None
            and not notes.distinct
            and not (incidental and reader.question == "who")
        ):
            # "which flights were late": the flights are asked for, whole
            own = [k.column for k in self.lexicon.of_table[base]]
            columns = own + [c for c in columns if c not in own]
        who = self._persons(base) if reader.question == "who" and not label and not columns else ()
        if who:
            columns, notes.distinct = list(who), True
        about_people = ACTORS & set(self.lexicon.table_words[base])
        if reader.question == "who" and not columns and notes.best is None and not about_people:
            # "who placed order 7": the person that the row points at
            near = [
                e.to_table
                for e in self.graph.edges[base]
                if not e.widens
                and ACTORS & set(self.lexicon.table_words[e.to_table])
                and self.lexicon.label(e.to_table)
            ]
            if len(near) == 1:
                columns, notes.distinct = list(self.lexicon.label(near[0])), True
        if not columns or notes.all_columns:
            if (reader.question == "who" and label and not notes.all_columns) or (
                reader.question == "which" and notes.best is not None and label and not notes.all_columns
            ):
                # in each group, several rows may be called alike
                columns = [*(c for c in self.lexicon.key(base) if notes.best_per and c not in label), *label]
            else:
                own = [k.column for k in self.lexicon.of_table[base]]
                columns = own + [c for c in columns if c not in own]
        elif (
            reader.question == "which"
            and notes.best is not None
            and notes.best.count is None
            and not any(s.asked for s in notes.shown)
            and label
            and notes.per_row_of
        ):
            columns = [*label, *(c for c in columns if c not in label)]
        if (
            notes.best is not None
            and notes.best.by is not None
            and notes.best.by.column not in columns
            and (
                reader.question in ("who", "which")
                or (notes.best.count is not None and not notes.best.plain_first and columns[0] not in label)
            )
            and notes.best.by.column.table == base
        ):
            columns.append(notes.best.by.column)
        where = self._conjunction(parts)
        distinct = notes.distinct or self._enumerates(shown, parts)
        if distinct and not notes.distinct and one_row_each(self.lexicon, shown[0], parts):
            distinct = False
        if not distinct and notes.best is None and columns:
            columns = self._told_apart(base, columns, parts)
        if (
            distinct
            and len(columns) == 1
            and self.lexicon.known[columns[0]].field.nulls
            and columns[0] not in columns_in(where)
        ):
            # nothing is no city
            where = (
                both(where, Empty(columns[0], negated=True)) if where is not None else Empty(columns[0], negated=True)
            )
        orders = self._sort_rows(base, columns)
        if not distinct and any(w.of_size for w in notes.sorting):
            # "largest first": how large
            columns += [o.of for o in orders if isinstance(o.of, Column) and o.of not in columns]
        tables = (
            {c.table for c in columns}
            | {c.table for c in columns_in(where)}
            | {c.table for o in orders for c in columns_in(o.of)}
            | set(notes.existing)
        )
        widening = [
            t for t in tables if t != base and self.graph.path(base, t) is not None and self.graph.widens(base, t)
        ]
        if widening:
            if any(c.table in widening for c in columns):
                # the many side is shown: it is the base
                base = self._deepest(base, tables)
                if any(self.graph.widens(base, t) for t in tables if t != base):
                    raise no("cannot-answer", "these columns belong to rows that do not pair up one to one")
            else:
                distinct = True
                key = self.lexicon.key(base)
                if not set(key) <= set(columns) and any(self.lexicon.known[c].sort == "number" for c in columns):
                    raise no("cannot-answer", "a join would merge equal figures of different rows; ask for all columns")
                if self.limit is not None or self.top_per is not None:
                    raise no("cannot-answer", "a first row after such a join is not well defined; ask in two steps")
        far = self._far_partner(base, parts)
        if far is not None and all(c.table == base for c in columns):
            return self._without_far(base, columns, far, parts)
        joins = self._joins(base, tables, widening=bool(widening))
        joins += self._anti_joins(base, parts)
        per: list[Expression] = []
        for each in notes.best_per:
            per += [e for e, _ in self._key_expressions(each, base)]
        extra = {c.table for e in per for c in columns_in(e)} - {base, *tables}
        if self.top_per is not None and any(self.graph.widens(base, t) for t in extra):
            raise no("cannot-answer", f"one row of {base!r} belongs to several of {sorted(extra)[0]!r}: two steps")
        if extra:
            joins = self._joins(base, tables | extra, widening=False)
        if self.top_per is not None:
            self.top_per = replace(self.top_per, by=tuple(per))
            # of which group each row is the first has to be seen
            columns[:0] = [e for e in dict.fromkeys(per) if isinstance(e, Column) and e not in columns]
        elif per and notes.best is not None and notes.best.plain_first:
            self.distinct_on = tuple(per)
        limit = self.limit
        if notes.limit is not None:
            limit = Value(notes.limit, "limit")
        outputs = tuple(Output(c, self._name(self._column_name(self.lexicon.known[c]))) for c in columns)
        outputs += tuple(Output(e, self._name(n)) for e, n in notes.computed)
        if distinct and notes.best is None:
            orders = tuple(o for o in orders if o.of in columns)
        return Plan(
            base,
            outputs,
            joins,
            where,
            order=orders,
            limit=limit,
            ties=self.ties,
            top_per=self.top_per,
            distinct=distinct and not self.distinct_on,
            distinct_on=self.distinct_on,
        )

    def _told_apart(self, base: str, columns: list[Column], parts: list[Part]) -> list[Column]:
        """The columns with those before them without which nobody could tell whose figure is whose."""
        headed = [k.column for k in self.notes.headed if k.column.table == base]
        missing = chosen_among(parts, base)
        known = [self.lexicon.known[c] for c in columns]
        if all(k.sort in ("number", "date") and not k.identifier and k.column.table == base for k in known):
            missing += [k.column for k in telling(self.lexicon, base) if k.column not in fixed(parts)]
        return [*(c for c in dict.fromkeys([*missing, *headed]) if c not in columns), *columns]

    def _persons(self, table: str) -> tuple[Column, ...]:
        """The one column of the table that names people; none when there are several."""
        found = [
            k.column
            for k in self.lexicon.of_table[table]
            if k.sort == "text"
            and not k.identifier
            and set(k.words) & (PERSONS | {"assignee", "author", "owner", "rep"})
        ]
        return tuple(found) if len(found) == 1 else ()

    def _deepest(self, base: str, tables: set[str]) -> str:
        for table in sorted(
            self.graph.edges, key=lambda t: sum(len(self.graph.path(t, o) or []) for o in tables | {base})
        ):
            if all(self.graph.path(table, t) is not None and not self.graph.widens(table, t) for t in tables | {base}):
                return table
        return base

    def _enumerates(self, shown: list[Known], parts: list[Part]) -> bool:
        """Whether "countries" asks for the different ones: one column of repeated values, named as things, and no rows spoken of."""
        notes = self.notes
        if len(shown) != 1 or notes.all_columns or notes.best is not None or not notes.shown[0].plural:
            return False
        known = shown[0]
        if (self.reader.mentioned and not notes.shown[0].asked) or known.words[-1:] in [
            (w,) for w in ("message", "text", "comment", "description", "note")
        ]:
            return False
        if known.words == ("title",):
            return False
        field = known.field
        repeated = field.values > 0 and field.distinct < field.values - field.nulls
        day = known.sort == "date" and known.field.type.startswith("date")
        return (self.lexicon.entity(known) or day) and (repeated or not field.values)

    def _sort_rows(self, base: str, columns: list[Column]) -> tuple[Order, ...]:
        notes = self.notes
        order = list(self.order)
        for wish in notes.sorting:
            known = wish.known
            if wish.measure is not None and known is None:
                if wish.measure.known is None:
                    raise no("not-understood", "rows cannot be sorted by a number of rows; name what is grouped")
                if wish.measure.function in ("avg", "median", "stddev"):
                    said = f"{wish.measure.function} of {wish.measure.known.column.name}"
                    raise no("not-understood", f"the {said} for each of what? name what is grouped")
                known = wish.measure.known
            if known is None and wish.unit is not None:
                known = self.reader.date_column(required=True)
            if known is None and wish.said == "alphabetical":
                texts = [self.lexicon.known[c] for c in columns if self.lexicon.known[c].sort == "text"]
                label = self.lexicon.label(base)
                known = (
                    texts[0]
                    if len(texts) == 1 or (notes.shown and texts)
                    else self.lexicon.known[label[0]]
                    if label
                    else None
                )
            if known is None:
                known = self._sortable(base, columns, wish)
            if known is None:
                numbers = tuple(
                    k.column.name
                    for k in self.lexicon.of_table[base]
                    if k.sort in ("number", "date") and not k.identifier
                )
                raise no("ambiguous", "sorted by which column?", numbers[:8])
            order.append(Order(known.column, bool(wish.descending)))
        if notes.newest is not None:
            known = self.reader.date_column(required=True)
            assert known is not None
            order.append(Order(known.column, notes.newest))
        return tuple(order)

    def _sortable(self, base: str, columns: list[Column], wish: Sorting) -> Known | None:
        """The column that "highest first" means: of the kind said, compared with a number, or the only number shown."""
        if wish.said:
            found = self.lexicon.with_words(base, wish.said.replace("|", " ").split(), "number")
            if len(found) == 1 or (found and wish.said.split()[0] in found[0].words):
                return found[0]
            if found:
                names = tuple(k.column.name for k in found)
                raise no("ambiguous", f"sorted by {' or '.join(names)}?", names)
        compared = [
            p.known
            for p in self.notes.parts
            if p.known is not None and p.known.sort == "number" and not p.known.identifier
        ]
        compared = [k for k in compared if k.column not in fixed(self.notes.parts)] or compared
        if len(set(compared)) == 1:
            return compared[0]
        shown = [s.known for s in self.notes.shown if s.known.sort == "number" and not s.known.identifier]
        if len(shown) == 1:
            return shown[0]
        texts = [s.known for s in self.notes.shown]
        if len(texts) == 1 and not wish.of_size:
            return texts[0]
        numbers = [
            k for k in self.lexicon.of_table[base] if k.sort == "number" and not k.identifier and not is_flag(k.field)
        ]
        return numbers[0] if len(numbers) == 1 else None

    # ---------------------------------------------------------------- joins

    def _joins(self, base: str, tables: Iterable[str], widening: bool) -> tuple[Join, ...]:
        joins: list[Join] = []
        seen = {base}
        for table in sorted(tables, key=lambda t: len(self.graph.path(base, t) or [])):
            if table in seen:
                continue
            path = self.graph.path(base, table)
            if path is None:
                raise no("cannot-answer", f"nothing says how {base!r} and {table!r} hang together")
            for edge in path:
                if edge.to_table in seen:
                    continue
                if self.graph.doubled(edge):
                    names = tuple(
                        ", ".join(e.columns) for e in self.graph.edges[edge.table] if e.to_table == edge.to_table
                    )
                    raise no(
                        "ambiguous",
                        f"{edge.table!r} and {edge.to_table!r} hang together in several ways: {' or '.join(names)}",
                        names,
                    )
                joins.append(edge.join("inner" if self._needed(edge.to_table) or widening else "optional"))
                seen.add(edge.to_table)
        return tuple(joins)

    def _needed(self, table: str) -> bool:
        """Whether a row without a partner there cannot be in the answer; else the partner is optional."""
        touched = {c.table for p in self.notes.parts for c in columns_in(p.condition)}
        if table in touched or table in self.notes.existing:
            return True
        return bool(self.notes.measures or self.notes.having) and not self._orphans_counted(table)

    def _orphans_counted(self, table: str) -> bool:
        """Whether rows that point at nothing there stay in the figures, as a group without a name: where the relation was only
        inferred and some pointers are known to lead nowhere, a total over the named ones would not be the total."""
        notes = self.notes
        keyed = any(k.table == table or (k.known is not None and k.known.column.table == table) for k in notes.groups)
        dangling = any(
            r.to_table == table and not r.declared and re.match(r"\d\d% of", r.evidence)
            for r in self.lexicon.schema.relations
        )
        return dangling and keyed and notes.best is None and not notes.having and notes.limit is None

    def _far_partner(self, base: str, parts: list[Part]) -> str | None:
        """The table without partners in which the rows are asked for, where one step and a condition there do not say it."""
        lacking = list(dict.fromkeys(self.notes.lacking))
        if len(lacking) != 1 or lacking[0] == base or lacking[0] in self.notes.lacking_where:
            return None
        beyond = [
            t for t in self._touched(parts) if t not in (base, lacking[0]) and not self._before(base, t, lacking[0])
        ]
        far = beyond[0] if beyond else lacking[0]
        path = self.graph.path(base, far) or []
        return far if len(beyond) <= 1 and len(path) > 1 and any(e.widens for e in path) else None

    def _touched(self, parts: list[Part]) -> list[str]:
        return list(dict.fromkeys(c.table for p in parts for c in columns_in(p.condition)))

    def _before(self, base: str, table: str, lacking: str) -> bool:
        """Whether the table is reached from the base without the one that must not be there, and adds no rows."""
        path = self.graph.path(base, table) or []
        return all(e.to_table != lacking for e in path) and not any(e.widens for e in path)

    def _without_far(self, base: str, columns: list[Column], far: str, parts: list[Part]) -> Plan:
        """Rows that have no partner two or more tables away: "customers who never ordered a Laptop"."""
        notes = self.notes
        path = self.graph.path(base, far) or []
        key = [Column(base, c.name) for c in self.lexicon.key(base)]
        if notes.best is not None or notes.measures or notes.groups or notes.sorting or not key:
            raise no("cannot-answer", f"rows of {base!r} without some rows of {far!r} need a step of their own")
        steps = {e.to_table for e in path}
        there = [p for p in parts if {c.table for c in columns_in(p.condition)} & steps]
        here = [p for p in parts if p not in there]
        if any(c.table != base for p in here for c in columns_in(p.condition)) or any(map(self.graph.doubled, path)):
            raise no("cannot-answer", f"nothing says in one step which rows of {base!r} have none in {far!r}")
        partner = Column(far, path[-1].to_columns[0])
        condition = self._conjunction([*there, Part(Empty(partner, negated=True), "and")])
        none = Compare(Aggregate("count", None, condition), "=", Value(0))
        outputs = tuple(Output(c, self._name(self._column_name(self.lexicon.known[c]))) for c in columns)
        joins = tuple(edge.join("optional") for edge in path)
        group = tuple(dict.fromkeys([*key, *columns]))
        return Plan(base, outputs, joins, self._conjunction(here), group, none)

    def _anti_joins(self, base: str, parts: list[Part]) -> tuple[Join, ...]:
        joins = []
        for table in dict.fromkeys(self.notes.lacking):
            where = self.notes.lacking_where.get(table)
            if table == base or any(c.table != table for c in columns_in(where)):
                raise no("cannot-answer", f"rows without such rows of {table!r} need two steps")
            path = self.graph.path(base, table)
            if path is None or len(path) != 1:
                raise no("cannot-answer", f"nothing says directly which rows of {base!r} have none in {table!r}")
            if any(c.table == table for p in parts for c in columns_in(p.condition)):
                raise no(
                    "cannot-answer",
                    f"rows of {base!r} without some rows of {table!r} need two steps; ask without the condition on {table!r}",
                )
            if self.graph.doubled(path[0]):
                raise no("ambiguous", f"{base!r} and {table!r} hang together in several ways")
            joins.append(replace(path[0].join("missing"), where=where))
        return tuple(joins)

    # ---------------------------------------------------------------- small things

    def _conjunction(self, parts: Iterable[Part]) -> Condition | None:
        conditions: list[Condition] = []
        for part in parts:
            if isinstance(part.condition, And):
                conditions.extend(part.condition.all)
            else:
                conditions.append(part.condition)
        conditions = list(dict.fromkeys(conditions))
        _no_contradiction(conditions)
        if not conditions:
            return None
        return conditions[0] if len(conditions) == 1 else And(tuple(conditions))

    def _name(self, name: str) -> str:
        name = name or "value"
        for each in (name, *(f"{name}_{n}" for n in range(2, 999))):
            if each not in self.taken:
                self.taken.add(each)
                return each
        raise AssertionError("a name was free")


def _timed(part: Part) -> bool:
    """Whether the part says of which time rows are; a date that is still missing is a state."""
    return part.known is not None and part.known.sort == "date" and not isinstance(part.condition, Empty)


def _no_contradiction(conditions: list[Condition]) -> None:
    """Refuse what no row can hold: two values of one column, a lower bound above the upper."""
    equal: dict[Expression, set[object]] = {}
    lower: dict[Expression, object] = {}
    upper: dict[Expression, object] = {}
    for condition in conditions:
        if isinstance(condition, OneOf) and not condition.negated:
            values = {v.value for v in condition.values}
        elif isinstance(condition, Compare) and condition.operator == "=" and isinstance(condition.right, Value):
            values = {condition.right.value}
        else:
            if isinstance(condition, Compare) and isinstance(condition.right, Value):
                if condition.operator in (">", ">="):
                    lower[condition.left] = condition.right.value
                elif condition.operator in ("<", "<="):
                    upper[condition.left] = condition.right.value
            continue
        if condition.left in equal and not equal[condition.left] & values:
            both = sorted(str(v) for v in equal[condition.left] | values)
            raise no("cannot-answer", f"no row can be {' and '.join(both)} at once; say 'or' if either will do")
        equal[condition.left] = equal.get(condition.left, values) & values
    for left in lower.keys() & upper.keys():
        try:
            if lower[left] > upper[left]:  # type: ignore[operator]  # values of one column compare, or the error is caught
                raise no(
                    "cannot-answer",
                    f"nothing is over {lower[left]} and under {upper[left]}; say 'or' if either will do",
                )
        except TypeError:
            continue
