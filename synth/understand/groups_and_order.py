"""What is grouped by and sorted by: per, by, for each, sorted by, highest first, one row per."""

from __future__ import annotations

from synth.plan import Column
from synth.understand.columns import EDGES, ColumnMatch, Known, holds_years, is_flag
from synth.understand.logic import moved
from synth.understand.notes import (
    Best,
    Key,
    Measure,
    Sorting,
    no,
)
from synth.understand.operators import (
    AGGREGATE_OF,
    AGGREGATES,
    COMPARISONS,
    COUNTS,
    DIRECTIONS,
    GROUPS,
    ORDERS,
    phrase_at,
    unit_at,
)
from synth.understand.superlatives import Superlatives
from synth.understand.vocabulary import FILLER, GRADES, SUPERLATIVES
from synth.understand.words import any_of, stem

# Of what little is best.
UNWELCOME = any_of(
    "delay late error loss death defect complaint latency wait damage failure accident crime fault downtime"
)
# Numbers that people group by.
STEPS = any_of("year month day hour week quarter weekday grade level class floor cylinder")


class GroupsAndOrder(Superlatives):
    """What is grouped by and sorted by."""

    def _key_at(self, i: int) -> tuple[Key | None, int]:
        """One group key at i and the place after it."""
        i = self.skip(i, any_of("the each every their its single individual different distinct given"))
        if i >= len(self.tokens):
            return None, i
        unit = unit_at(self.tokens, i)
        matches = self.lexicon.matches_at(self.tokens, i)
        tables = [
            t
            for t in self.lexicon.tables_at(self.tokens, i)
            if t[1] >= 0.6 and self.graph.path(self.subject, t[0]) is not None
        ]
        if unit and not (matches and matches[0].score >= 0.96 and matches[0].known.sort != "date"):
            at = i + unit[1]
            chosen = None
            if self.low(at) in ("of", "they", "in"):
                k = self.skip(at + 1, any_of("the their were was which they"))
                column = self.column_at(k, "date")
                if column:
                    chosen, at = column
                else:
                    events = [
                        e for e in self.lexicon.events.get(stem(self.low(k)), []) if e.column.table == self.subject
                    ]
                    if len(events) == 1 and self.low(at) == "they":
                        chosen, at = events[0], k + 1
            if chosen is None and self.event is not None:
                chosen, self.event = self.event, None
            return Key(known=chosen, unit=unit[0]), at
        events = [e for e in self.lexicon.events.get(stem(self.low(i)), []) if e.column.table == self.subject]
        after_event = unit_at(self.tokens, i + 1) if len(events) == 1 else None
        if after_event and not (matches and matches[0].length > 1):
            return Key(known=events[0], unit=after_event[0]), i + 1 + after_event[1]
        # "signup month", "month of signup", "order year"
        if matches and matches[0].known.sort == "date":
            after = unit_at(self.tokens, i + matches[0].length)
            if after:
                known = self.choose(matches, "date")
                return Key(known=known, unit=after[0]), i + matches[0].length + after[1]
        longer = bool(matches and tables and matches[0].length > tables[0][2] and matches[0].score > 0.9)
        if tables and not longer and (not matches or tables[0][1] >= matches[0].score - 0.02 or matches[0].score < 0.8):
            here = [
                m for m in matches if m.known.column.table == self.subject and m.score >= 0.9 and not m.known.identifier
            ]
            name, _score, n = tables[0]
            if not here and not (
                name == self.subject and matches and matches[0].length >= n and matches[0].score >= 0.9
            ):
                if len(tables) > 1 and tables[1][1] >= tables[0][1] - 0.02 and tables[1][0] == self.subject:
                    name = tables[1][0]
                return self._key_of_table(name), i + n
        row = self.lexicon.row_noun(self.tokens[i], self.subject) and self.tokens[i].low == self.tokens[i].lemma
        if row and matches and matches[0].known.sort == "date" and matches[0].score < 0.9:
            # "per reading" is per row, and not per date of reading
            return Key(table=self.subject), i + 1
        found = self.column_at(i)
        if found:
            return Key(known=found[0]), found[1]
        if self.lexicon.row_noun(self.tokens[i], self.subject) and self.tokens[i].low == self.tokens[i].lemma:
            return Key(table=self.subject), i + 1
        if self.tokens[i].kind == "word" and self.low(i) not in FILLER:
            two = self.lexicon.typo((self.tokens[i].lemma,)) or self.lexicon.typo((self.tokens[i].low,))
            if two:
                return Key(known=self.choose([ColumnMatch(k, s, 1) for k, s in two])), i + 1
        return None, i

    def _grouping(self, i: int) -> int:
        found = phrase_at(self.tokens, i, GROUPS)
        unit = unit_at(self.tokens, i)
        if not found:
            adverbs = ("daily", "weekly", "monthly", "quarterly", "yearly", "annual", "annually", "hourly")
            if unit and self.low(i) in adverbs:
                self.notes.groups.append(Key(unit=unit[0]))
                return i + 1
            if self.zone == "group" and (self.connector or self.comma) and (self.notes.groups or self.notes.best_per):
                return self._next_key(i)
            if self.zone == "order" and (self.connector or self.comma) and self.notes.sorting:
                return self._next_sort(i)
            return 0
        n = found[1]
        word = self.said(i, n).casefold()
        j = i + n
        notes = self.notes
        noted = bool(notes.shown or notes.measures or notes.parts or notes.best or self.mentioned)
        noted = noted or self.question == "how much"
        if word == "by" and not self.best_open and (self._counts_at(j) or phrase_at(self.tokens, j, AGGREGATES)):
            sorts = len(self.notes.sorting)
            counted = self._counts_at(j)
            number = self.column_at(j + counted[1], "number") if counted and j + counted[1] < len(self.tokens) else None
            if number is not None and not number[0].identifier and (self.notes.measures or self.aggregates):
                # "average price by number of bedrooms": a group for each number
                self.notes.groups.append(Key(known=number[0], at=i))
                self.zone, self.last = "group", self.notes.groups[-1]
                self._joined()
                return number[1]
            at = self._sort_key(self.skip(j, {"the", "their"}), True)
            if at and (self.notes.sorting[-1].measure is not None or self.notes.measures):
                # "genres by number of loans"
                self.zone = "order"
                return at
            del self.notes.sorting[sorts:]
        if word in ("each", "every") and not (noted or self.counting or self.aggregates):
            # "list each product's name": a determiner, no group
            return j
        if word in ("each", "every", "across", "in each") and self.low(j) in ("other",):
            return 0
        if (
            word == "by"
            and self.best_open
            and self.notes.best is not None
            and self.notes.best.by is None
            and self.notes.best.function is None
        ):
            nothing = self.tokens[i - 1].kind == "number" or self.tokens[i - 1].low in SUPERLATIVES
            at = self._best_by(j)
            if at:
                # "top 3 by amount": rows
                self.notes.best.rowwise = nothing
                return at
        if word == "by":
            held = self.values.held_at(self.text, self.tokens, self.skip(j, {"the"}))
            columns = self.lexicon.matches_at(self.tokens, self.skip(j, {"the"}))
            if held and held[0].score >= 0.85 and not (columns and columns[0].length >= held[0].length):
                self.hint = "by"
                return self.skip(j, {"the"})
            if self.tokens[j : j + 1] and self.tokens[j].kind == "quote":
                self.hint = "by"
                return j
        if word in ("each", "every") and self.zone == "measure" and not self.notes.measures:
            # "average salary each": fall through to the key
            pass
        key, at = self._key_at(j)
        if word == "by" and key is not None and key.known is not None and key.unit is None and at < len(self.tokens):
            # "requests by ip 10.0.0.5" names one
            given = self.tokens[at].kind in ("literal", "quote", "number") or self.values.held_at(
                self.text, self.tokens, at
            )
            if given:
                condition = self._predicate(j, at, key.known)
                if condition:
                    return condition
        plural = key is not None and self.tokens[at - 1].low != self.tokens[at - 1].lemma
        whose = (
            key is not None
            and key.known is not None
            and key.unit is None
            and key.known.sort == "text"
            and (self.rows_said or bool(self.notes.shown))
        )
        if (
            word in ("by", "per")
            and key is not None
            and key.known is not None
            and key.unit is None
            and key.known.sort == "date"
        ):
            chosen = self._date_chosen(key.known)
            if chosen:
                return at
        doers = self.tokens[j].low != self.tokens[j].lemma if j < len(self.tokens) else False
        if word == "by" and doers and key is not None and key.known is not None and is_flag(key.known.field):
            # "rides by members" are those that members took
            self.hint = "by"
            return j
        if (
            word in ("per", "by")
            and key is not None
            and key.known is not None
            and self._measures(key.known)
            and (word == "per")
        ):
            name = key.known.column.name
            raise no(
                "cannot-answer",
                f"a figure for each unit of {name!r} is a ratio; ask for both figures, or name a column to group by",
            )
        people = plural and key is not None and (key.table or (whose and not self.counting and not self.notes.measures))
        if word == "by" and people and self.low(at) in any_of("from in with who whose of living that named called"):
            # "orders by customers from Spain": whose they are, not a group for each
            assert key is not None
            if key.table:
                self.mention(key.table)
            return at
        if key is None:
            if (
                word == "by"
                and self.tokens[j : j + 1]
                and self.tokens[j].kind in ("word",)
                and self.tokens[j].text[:1].isupper()
            ):
                self.hint = "by"
                return j
            if word in (
                "by",
                "per",
                "for each",
                "in each",
                "grouped by",
                "group by",
                "for every",
                "broken down by",
                "split by",
            ):
                missing = self.said(j, min(2, len(self.tokens) - j)) if j < len(self.tokens) else ""
                if not missing:
                    raise no("not-understood", f"{word!r} needs a column after it")
                raise no(
                    "no-such-column", f"no column fits {missing!r} (after {word!r})", self.lexicon.nearest(missing)
                )
            return 0
        if (
            key.table == self.subject
            and word in ("of every", "of each", "for each", "for every", "every", "each")
            and not (self.notes.measures or self.aggregates or self.counting or self.notes.best)
        ):
            self.mention(key.table)
            self.zone = "filter"
            return at
        if (
            word == "by"
            and key.known is not None
            and key.unit is None
            and key.known.sort == "number"
            and not key.known.identifier
            and key.known.additive is not False
            and not self.notes.measures
            and not self.counting
        ):
            # "products by price": an order, not a group of every price
            self.notes.sorting.append(Sorting(known=key.known, said="by"))
            self.zone = "order"
            return at
        target = self.notes.groups
        if (
            self.notes.best is not None
            and (self.notes.best.of_rows or self.notes.best.by is not None or self.notes.best.plain_first)
            and not self.notes.measures
            and word not in ("by", "grouped by", "across")
        ):
            target = self.notes.best_per
        key.at = i
        target.append(key)
        self.zone = "group"
        self._joined()
        self.last = key
        return at

    def _measures(self, known: Known) -> bool:
        """Whether the column holds amounts, nearly all different, that nobody groups by."""
        field = known.field
        if known.sort != "number" or known.identifier or is_flag(field):
            return False
        if known.counts and known.additive and not self.counting and not self.mentioned and not self.notes.groups:
            # "revenue per cup", where cups are counted in a column
            return True
        return field.values > 20 and field.distinct * 2 > field.values

    def _date_chosen(self, known: Known) -> bool:
        """ "In March by placed_at": the column of a date said before. A group for every moment is never meant."""
        dated = [p for p in self.notes.parts if p.known is not None and p.known.sort == "date"]
        if len(dated) == 1 and dated[0].known is not None:
            if dated[0].known is not known:
                dated[0].condition = moved(dated[0].condition, dated[0].known.column, known.column)
                dated[0].known = known
            return True
        if known.field.type.startswith("timestamp"):
            name = known.column.name
            names = tuple(f"per {u} of {name}" for u in ("hour", "day", "month"))
            raise no("ambiguous", f"a group for every moment of {name!r}? say per day, per month …", names)
        return False

    def _best_by(self, i: int) -> int:
        """The key after "top 5 customers by"."""
        best = self.notes.best
        assert best is not None
        i = self.skip(i, {"the", "their"})
        tables = self.lexicon.tables_at(self.tokens, i)
        exact = self.lexicon.matches_at(self.tokens, i)
        plural = i < len(self.tokens) and self.tokens[i].low != self.tokens[i].lemma
        if plural and not (exact and exact[0].score > 0.84):
            # "top 5 customers by orders": by their number
            rows = (
                tables[0][0] if tables else self.subject if self.lexicon.row_noun(self.tokens[i], self.subject) else ""
            )
            if rows and (rows != self.subject or len(self.lexicon.schema.tables) == 1):
                best.rows_of, best.function = rows, "count"
                self.best_open = False
                self.mention(rows)
                return i + (tables[0][2] if tables else 1)
        described = self._described_noun(i)
        if described:
            # "top 3 agents by closed tickets": by their number
            tables = self.lexicon.tables_at(self.tokens, described)
            row = not tables and self.lexicon.row_noun(self.tokens[described], self.subject)
            if tables or row:
                best.rows_of, best.function = (tables[0][0] if tables else self.subject), "count"
                self.best_open = False
                self.mention(best.rows_of)
                return described + (tables[0][2] if tables else 1)
        before = len(self.notes.sorting)
        at = self._sort_key(i)
        if not at:
            derived = self._derived_at(self.skip(i, {"the", "total"}))
            if derived:
                self.notes.measures.append(Measure("sum", derived[0], derived[1]))
                best.function = "sum"
                self.best_open = False
                return derived[2]
            return 0
        sorting = self.notes.sorting.pop()
        assert len(self.notes.sorting) == before
        if sorting.measure is not None:
            best.function, best.by, best.rows_of = (
                sorting.measure.function,
                sorting.measure.known,
                sorting.measure.rows_of,
            )
        elif sorting.known is not None:
            best.by, best.word = sorting.known, sorting.said
            if sorting.known.sort not in ("number", "date"):
                self.notes.best = best
                if sorting.known.identifier:
                    best.rows_of, best.function, best.by = sorting.known.column.table, "count", None
        elif sorting.said == "count":
            best.frequent = True
        elif sorting.said == "sum":
            return 0
        self.best_open = False
        return at

    def _next_key(self, i: int) -> int:
        if self.low(i) in EDGES or phrase_at(self.tokens, i, COMPARISONS):
            return 0
        key, at = self._key_at(i)
        if key is None:
            return 0
        if key.unit is not None and self.low(at) == "it":
            raise no(
                "cannot-answer", f"the {key.unit} of a figure of each group needs two steps; ask for the rows in order"
            )
        if self._ranked_ahead(at):
            # "for each city, the customer with the highest total": ranked, and no second group
            return 0
        if (
            phrase_at(self.tokens, i, AGGREGATES)
            or phrase_at(self.tokens, i, COUNTS)
            or phrase_at(self.tokens, i, ORDERS)
        ):
            return 0
        if (
            key.known is not None
            and key.unit is None
            and (
                self._predicate_ahead(at, key.known)
                or (
                    key.known.sort == "number"
                    and not key.known.identifier
                    and key.known.additive is not None
                    and not (holds_years(key.known) or set(key.known.words) & STEPS)
                )
            )
        ):
            return 0
        held = self.values.held_at(self.text, self.tokens, i)
        if (
            held
            and key.known is not None
            and held[0].score > 0.9
            and held[0].length >= at - i
            and held[0].known is not key.known
            and not self.column_named_exactly(i)
        ):
            return 0
        key.at = i
        # "most expensive per category and city": one more of what it is ranked within
        (self.notes.groups or self.notes.best_per).append(key)
        self._joined()
        return at

    def _next_sort(self, i: int) -> int:
        j = self.skip(i, any_of("then by within that afterwards next secondarily finally"))
        if phrase_at(self.tokens, j, COUNTS) or phrase_at(self.tokens, j, ORDERS):
            return 0
        found = self.column_at(j)
        if found is None or self._predicate_ahead(found[1], found[0]):
            return 0
        at = self._sort_key(j)
        self._joined()
        return at

    def _sorting(self, i: int) -> int:
        found = phrase_at(self.tokens, i, ORDERS)
        if not found:
            return 0
        n = found[1]
        phrase = self.said(i, n).casefold()
        if (
            phrase in ("sort", "sorted", "ordered", "ranked", "order")
            and not phrase_at(self.tokens, i + n, DIRECTIONS)
            and self.low(i + n) not in ("from", "with")
        ):
            # "customers who ordered": a verb, not a wish about order
            return 0
        self.zone, self.connector, self.comma = "order", "", False
        j = self.skip(i + n, {"the", "their", "its", "them", "it", "from"} if n == 1 else {"the", "their", "its"})
        direction: bool | None = None
        if "descending" in phrase:
            direction = True
        if "ascending" in phrase:
            direction = False
        ranked = "rank" in phrase
        down = phrase_at(self.tokens, j, DIRECTIONS)
        if down and down[0] in ("desc", "asc") and self.low(j + down[1]) in ("order", "of", "by"):
            direction, j = down[0] == "desc", j + down[1]
            j = self.skip(j, {"order", "of", "by", "the"})
        if n == 1 and phrase in ("sort", "sorted", "ordered", "ranked"):
            return j
        at = self._sort_key(j, True if ranked and direction is None else direction)
        return at or j

    def _sort_key(self, i: int, direction: bool | None = None) -> int:
        """One key of an order at i; the place after it, or 0."""
        i = self.skip(i, {"the", "their", "its"})
        counted = self._counts_at(i)
        if counted:
            j = i + counted[1]
            measure, j = self._counted_thing(j, "distinct" if counted[0] == "distinct" else "rows")
            self.notes.sorting.append(Sorting(measure=measure, descending=direction, said="count"))
            return j
        aggregate = phrase_at(self.tokens, i, AGGREGATES)
        exact = self.lexicon.matches_at(self.tokens, i)
        if aggregate and not (exact and exact[0].length > aggregate[1] and exact[0].score > 0.9):
            j = self.skip(i + aggregate[1], {"the", "of", "their"})
            found = self.column_at(j)
            if found is not None:
                known, at = found
                measure = Measure(AGGREGATE_OF[aggregate[0]], known.column, self.said(j, at - j), known=known)
                self.notes.sorting.append(Sorting(measure=measure, descending=direction))
                return at
            if not exact:
                self.notes.sorting.append(Sorting(descending=direction, said=aggregate[0]))
                return i + aggregate[1]
        if self.tokens[i : i + 1] and self.tokens[i].lemma in ("size", "amount") and not exact:
            figured = self.notes.measures or self.notes.groups or self.question == "how much"
            if not figured or (i + 1 < len(self.tokens) and self._noun_ahead(i + 1)):
                return 0
            self.notes.sorting.append(Sorting(said="figure", descending=direction))
            return i + 1
        if self.low(i) in ("count", "number", "frequency", "popularity") and not exact:
            self.notes.sorting.append(Sorting(said="count", descending=direction))
            return i + 1
        if self.low(i) in ("it", "that", "them", "this"):
            self.notes.sorting.append(Sorting(said="figure", descending=direction))
            return i + 1
        unit = unit_at(self.tokens, i)
        if unit and not self.column_named_exactly(i):
            self.notes.sorting.append(Sorting(unit=unit[0], descending=direction))
            return i + unit[1]
        tables = self.lexicon.tables_at(self.tokens, i)
        found = self.column_at(i)
        if found is None:
            if tables:
                label = self.lexicon.label(tables[0][0]) or self.lexicon.key(tables[0][0])
                if label:
                    self.notes.sorting.append(Sorting(known=self.lexicon.known[label[0]], descending=direction))
                    return i + tables[0][2]
            if i < len(self.tokens):
                typed = self.lexicon.typo((self.tokens[i].low,))
                if typed:
                    self.notes.sorting.append(Sorting(known=typed[0][0], descending=direction, said=self.low(i)))
                    return i + 1
            return 0
        known, j = found
        self.notes.sorting.append(Sorting(known=known, descending=direction, said=self.said(i, j - i)))
        self.last = known
        return j

    def _direction(self, i: int) -> int:
        found = phrase_at(self.tokens, i, DIRECTIONS)
        named = self._named_first(i) if not found else 0
        if named:
            return named
        if not found and self.low(i + 1) == "first" and SUPERLATIVES.get(self.low(i)) in GRADES:
            words, more = GRADES[SUPERLATIVES[self.low(i)]]
            if self.low(i) in ("best", "worst") and self._unwelcome():
                # the worst delay is the longest
                more = not more
            self.notes.sorting.append(Sorting(descending=more, said=words, of_size=True))
            return i + 2
        if not found:
            return 0
        meaning, n = found
        if meaning in ("desc", "asc"):
            last = self.notes.sorting[-1] if self.notes.sorting else None
            plain = self.low(i + n - 1) in any_of("descending ascending desc asc order")
            named = last is not None and (last.known is not None or last.measure is not None)
            if last is not None and last.descending is None and (self.zone == "order" or (plain and named)):
                last.descending = meaning == "desc"
            elif self._ordered_by_last(i):
                known = self.notes.shown.pop().known
                self.notes.sorting.append(Sorting(known=known, descending=meaning == "desc", said=known.column.name))
            else:
                said = self.said(i, n).casefold()
                alphabetical = "alphabet" in said or "a to z" in said or "z to a" in said
                grade = self.low(i + n - 2) if n > 1 else ""
                grade = SUPERLATIVES.get(self.low(i), "") or grade
                words = GRADES.get(grade, ("", True))[0] if grade in GRADES else ""
                expensive = "expensive" in said or "cheap" in said or "pric" in said
                self.notes.sorting.append(
                    Sorting(
                        descending=meaning == "desc",
                        said="alphabetical" if alphabetical else ("price" if expensive else words),
                        of_size=any(self.low(k) in SUPERLATIVES for k in range(i, i + n)),
                    )
                )
        else:
            if (
                self.notes.sorting
                and self.notes.sorting[-1].descending is None
                and self.notes.sorting[-1].known is not None
            ):
                self.notes.sorting[-1].descending = meaning == "newest"
            else:
                self.notes.newest = meaning == "newest"
        return self._after_direction(i + n)

    def _unwelcome(self) -> bool:
        """Whether the figure or the column said last is of what one wants little: delays, errors, losses."""
        said = [m.known for m in self.notes.measures] or [s.known for s in self.notes.shown]
        return bool(said) and said[-1] is not None and bool(set(said[-1].words) & UNWELCOME)

    def _named_first(self, i: int) -> int:
        """ "most visits first", "with the lowest price at the top", "fewest minutes first"."""
        j = self.skip(i, {"with", "the", "by"})
        low = self.low(j)
        more = {"most": True, "more": True, "least": False, "fewest": False, "fewer": False}.get(low)
        if more is None and low in SUPERLATIVES:
            more = GRADES[SUPERLATIVES[low]][1]
        if more is None:
            return 0
        doer = self.low(j + 1).endswith(("er", "ers", "or", "ors")) and not self.lexicon.matches_at(self.tokens, j + 1)
        often = low in ("most", "least") and self.low(j + 1) in any_of("popular common frequent used wanted")
        if (
            doer
            or often
            or self.low(j + 1) in any_of("one ones number numbers value values amount amounts figure figures")
        ) and (end := self._on_top(j + 2)):
            # "best one first": of whatever is ranked
            ranked = self.notes.best is not None and self.notes.best.descending == more
            if self.notes.sorting and self.notes.sorting[-1].descending is None:
                # "sort it by the amount, biggest spender on top"
                self.notes.sorting[-1].descending = more
            elif not ranked:
                words = GRADES[SUPERLATIVES[low]][0] if low in SUPERLATIVES else ""
                self.notes.sorting.append(Sorting(descending=more, said=words))
            return end
        for end in range(j + 2, min(j + 6, len(self.tokens))):
            tail = 1 if self.low(end) == "first" else 0
            if self.low(end) in ("at", "on") and "top" in (self.low(end + 1), self.low(end + 2)):
                tail = 2 if self.low(end + 1) == "top" else 3
            if not tail:
                continue
            before = len(self.notes.sorting)
            tables = self.lexicon.tables_at(self.tokens, j + 1)
            exact = [m for m in self.lexicon.matches_at(self.tokens, j + 1) if m.score > 0.8]
            row = self.lexicon.row_noun(self.tokens[j + 1], self.subject)
            if (tables or row) and not exact and j + 1 + (tables[0][2] if tables else 1) == end:
                self.notes.sorting.append(Sorting(said="count", descending=more))
                return end + tail
            if self._sort_key(j + 1, more) == end:
                return end + tail
            del self.notes.sorting[before:]
        return 0

    def _on_top(self, i: int) -> int:
        """The place after "first", "on top" or "at the top" at i; 0 where nothing of the kind stands there."""
        for words in (
            ("first",),
            ("at", "first"),
            ("on", "top"),
            ("at", "the", "top"),
            ("on", "the", "top"),
            ("up", "top"),
        ):
            if tuple(self.low(i + k) for k in range(len(words))) == words:
                return i + len(words)
        return 0

    def _after_direction(self, i: int) -> int:
        return i + 1 if self.low(i) in ("order",) else i

    def _ordered_by_last(self, i: int) -> bool:
        """ "Shipments to Oslo, cost desc": the one column named since the comma is the order, and nothing to show."""
        shown = self.notes.shown
        alone = len(shown) == 1 and shown[0].known is self.last and not shown[0].asked and self.rows_said
        return alone and "," in (self.low(i - 2), self.low(i - 3)) and not self.notes.measures and not self.notes.groups

    def _key_of_table(self, name: str) -> Key:
        """The rows of the table; where a column here holds what they are called by (`employees.department`), that column."""
        path = self.graph.path(self.subject, name) or []
        last = path[-1] if path else None
        if last is not None and not last.widens and len(last.columns) == 1:
            called = self.lexicon.known.get(Column(name, last.to_columns[0]))
            here = self.lexicon.known.get(Column(last.table, last.columns[0]))
            if called is not None and here is not None and called.words == self.lexicon.table_words[name][-1:]:
                return Key(known=here)
        return Key(table=name)

    def _dedupe(self, i: int) -> int:
        low = [self.low(i + k) for k in range(5)]
        for words in (
            ("one", "row", "per"),
            ("one", "record", "per"),
            ("one", "entry", "per"),
            ("a", "single", "row", "per"),
            ("one", "row", "for", "each"),
            ("one", "line", "per"),
            ("only", "one", "row", "per"),
            ("one", "per"),
            ("exactly", "one", "row", "per"),
        ):
            if tuple(low[: len(words)]) == words:
                j = self.skip(i + len(words), {"the", "each", "single"})
                key, at = self._key_at(j)
                if key is None:
                    return 0
                self.notes.best_per.append(key)
                if self.notes.best is None:
                    self.notes.best = Best(True, 1, "one row", of_rows=True, words="")
                    self.notes.best.plain_first = True
                return at
        if low[0] in ("dedupe", "deduplicate", "deduplicated") or tuple(low[:2]) in (
            ("remove", "duplicates"),
            ("drop", "duplicates"),
            ("without", "duplicates"),
            ("no", "duplicates"),
            ("excluding", "duplicates"),
        ):
            self.notes.distinct = True
            return i + (1 if low[0].startswith("dedup") else 2)
        if tuple(low[:3]) in (
            ("without", "any", "duplicates"),
            ("remove", "duplicate", "rows"),
            ("without", "duplicate", "rows"),
            ("drop", "duplicate", "rows"),
        ):
            self.notes.distinct = True
            return i + 3
        return 0

    def _distinct(self, i: int) -> int:
        if self.low(i) in ("distinct", "unique", "different", "uniq"):
            if self.low(i + 1) in ("from", "to", "than") and self.low(i) == "different":
                return 0
            self.notes.distinct = True
            j = i + 1
            if self.low(j) in any_of("values value list set combinations entries kinds types") and self.low(j + 1) in (
                "of",
                "in",
                "for",
            ):
                j += 2
            if self.counting == "rows":
                self.counting = "distinct"
            return j
        return 0
