"""Conditions that come without a column before them: over, between, without, never, containing, not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal

from synth.plan import (
    And,
    Arithmetic,
    Compare,
    Comparison,
    Condition,
    Empty,
    Match,
    Not,
    Value,
)
from synth.understand.columns import Known, is_flag
from synth.understand.comparing import _bound
from synth.understand.notes import PERSONS, STOPS, Best, Having, Key, Measure, no
from synth.understand.numbers_and_dates import (
    UNITS,
    Period,
    Quantity,
    converted,
    quantity_at,
)
from synth.understand.operators import (
    AFTER_NUMBER,
    AGGREGATES,
    COMPARISONS,
    DIRECTIONS,
    FILLED,
    GROUPS,
    LACKING,
    NOT_WORDS,
    OPPOSITE,
    ORDERS,
    TEXTS,
    TIME_WORDS,
    phrase_at,
)
from synth.understand.predicates import Predicates
from synth.understand.state import _unit_of_name
from synth.understand.values import Held, flag_values
from synth.understand.vocabulary import COMPARATIVES, FILLER, GRADES
from synth.understand.words import any_of, stem

# What stands behind an amount → words of the column that holds it.
POSTFIX = {
    "late": "delay late",
    "delayed": "delay late",
    "delay": "delay late",
    "long": "duration length runtime distance minutes",
    "tall": "height",
    "high": "height elevation altitude",
    "deep": "depth",
    "wide": "width",
    "heavy": "weight mass",
    "away": "distance",
    "far": "distance",
    "old": "age",
}


# Said of what was left out, never of a nought.
NOT_THERE = any_of("missing empty blank null unknown unspecified")


class Filters(Predicates):
    """Conditions that come without a column before them."""

    def _in_stock(self, i: int) -> int:
        """ "out of stock" and "in stock" compare a stock column with nothing."""
        words = (self.low(i), self.low(i + 1), self.low(i + 2))
        n = 3 if words == ("out", "of", "stock") else 2 if words[:2] in (("in", "stock"), ("sold", "out")) else 0
        if not n:
            return 0
        stock = self.lexicon.with_words(self.subject, ["stock", "inventory"], "number")
        if len(stock) != 1:
            return 0
        operator: Comparison = ">" if words[0] == "in" else "="
        if self.negate:
            self.negate, operator = False, "=" if operator == ">" else ">"
        self.add(Compare(stock[0].column, operator, Value(0)), stock[0])
        return i + n

    def _lack(self, i: int) -> int:
        found = phrase_at(self.tokens, i, LACKING)
        if not found:
            return self._never(i)
        n = found[1]
        said = self.said(i, n).casefold()
        j = self.skip(i + n, any_of("the their its any a an single known valid"))
        if j >= len(self.tokens):
            return 0
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6 and t[0] != self.subject]
        matches = self.lexicon.matches_at(self.tokens, j)
        if tables and not (
            matches and matches[0].score > tables[0][1] and matches[0].known.column.table == self.subject
        ):
            self.notes.lacking.append(tables[0][0])
            self._reset()
            return j + tables[0][2]
        if said in ("no",) and not matches:
            return 0
        found_column = self.column_at(j)
        if found_column:
            known, at = found_column
            if known.column.table != self.subject and self.graph.widens(self.subject, known.column.table):
                # one empty row among many partners says nothing of the others
                return 0
            if is_flag(known.field) and not said.endswith(("missing", "unknown", "null", "blank", "empty")):
                self.add(self.held_condition(Held(known, flag_values(known, False), 1, 1.0)), known)
            elif known.sort == "text" and (stored := self.values.in_column(known, self.low(i + n - 1))):
                # "an unknown date", where the column says "unknown"
                self.add(self.held_condition(Held(known, stored, 1, 1.0)), known)
            elif set(said.split()) & NOT_THERE or not self._none_of(known, True):
                self.add(Empty(known.column), known)
            self.zone = "filter"
            while self.low(at) in ("and", "or", "nor", ","):
                nxt = self.skip(at + 1, {"a", "an", "the", "no", "any"})
                more = self.column_at(nxt)
                if (
                    more is None
                    or phrase_at(self.tokens, more[1], COMPARISONS)
                    or self.low(more[1]) in ("is", "are", "was", "=")
                ):
                    break
                self.connector = "or" if self.low(at) == "or" else "and"
                if said.startswith(("without", "with no", "no", "lack", "have no", "has no")) and self.low(at) in (
                    "or",
                    "nor",
                ):
                    self.connector = "and"
                self.add(Empty(more[0].column), more[0])
                at = more[1]
            return (
                self.skip(at, {"value", "values", "at", "all"})
                if self.low(at) in ("value", "values") or (self.low(at) == "at" and self.low(at + 1) == "all")
                else at
            )
        return 0

    def _none_of(self, known: Known, none: bool) -> bool:
        """ "Days without rain" where the rain may be 0: compared with nothing; asked back where it may be missing too."""
        least = known.field.least
        if known.sort != "number" or known.identifier or not isinstance(least, int | float | Decimal) or least != 0:
            return False
        if known.field.nulls:
            name = known.column.name
            raise no("ambiguous", f"{name} of 0, or {name} missing?", (f"{name} is 0", f"{name} is missing"))
        self.add(Compare(known.column, "=" if none else ">", Value(0)), known)
        return True

    def _never(self, i: int) -> int:
        """ "never ordered", "who did not order anything", "that have not been borrowed"."""
        words = [self.low(i + k) for k in range(4)]
        n = 0
        if words[0] == "never":
            n = 1
        elif words[0] in any_of("have has had did do does were was are is") and words[1] in (
            "not",
            "never",
        ):
            n = 2
        elif words[0] == "not" and words[1] in ("been", "have", "yet"):
            n = 1
        if not n:
            return 0
        j = self.skip(
            i + n,
            any_of("been yet ever have had actually placed made a an any single get got"),
        )
        if j >= len(self.tokens):
            return 0
        root = stem(self.low(j))
        for table in self.lexicon.schema.tables:
            if table.name == self.subject or self.graph.path(self.subject, table.name) is None:
                continue
            words_of = self.lexicon.table_words[table.name]
            related = {
                "buy": "order",
                "purchas": "order",
                "sell": "order",
                "borrow": "loan",
                "lend": "loan",
                "check": "loan",
                "visit": "visit",
                "admit": "admission",
                "deliver": "delivery",
                "examin": "exam",
            }
            if any(_akin(stem(w), root) or stem(w) == stem(related.get(root, "\0")) for w in words_of):
                self.notes.lacking.append(self._nearest_of(table.name, root))
                self._reset()
                return self.skip(
                    j + 1,
                    any_of("anything something any one yet so far ever by anyone anybody a single thing out from us"),
                )
        events = [k for k in self.lexicon.events.get(root, []) if k.column.table == self.subject]
        flags = [h for h in self.values.flag_at(self.tokens, j) if h.known.column.table == self.subject]
        held = [h for h in self.values.held_at(self.text, self.tokens, j) if h.score >= 0.85]
        perfect = words[0] in ("have", "has", "had") or "been" in words
        if flags or (held and not (perfect and len(events) == 1 and events[0].field.nullable)):
            return 0
        if len(events) == 1 and events[0].field.nullable:
            at = j + 1
            if self.low(at) not in any_of("in since on during before after between this last within today yesterday"):
                self.add(Empty(events[0].column), events[0])
                return self.skip(
                    at, {"yet", "at", "all"} if self.low(at) != "at" or self.low(at + 1) == "all" else {"yet"}
                )
        return 0

    def _nearest_of(self, table: str, root: str) -> str:
        """Of several tables with that word, the one nearest the subject."""
        path = self.graph.path(self.subject, table) or []
        return path[0].to_table if path else table

    def _filled(self, i: int) -> int:
        """ "with an email": the column is filled."""
        found = phrase_at(self.tokens, i, FILLED)
        if not found:
            return 0
        j = i + found[1]
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6 and t[0] != self.subject]
        match = self.lexicon.matches_at(self.tokens, j)
        if tables and not (match and match[0].score > tables[0][1]):
            after = j + tables[0][2]
            if self.low(after) in ("", ",", "and", "in") and "at least" not in self.said(i, found[1]):
                self.notes.existing.append(tables[0][0])
                return after
            if "at least one" in self.said(i, found[1]).casefold():
                self.notes.existing.append(tables[0][0])
                return after
            return 0
        if not match:
            return 0
        known_at = self.column_at(j)
        if known_at is None:
            return 0
        known, at = known_at
        if is_flag(known.field):
            self.add(self.held_condition(Held(known, flag_values(known, True), 1, 1.0)), known)
            self.zone, self.last = "filter", None
            return at
        if known.column.table != self.subject:
            return 0
        if self._predicate_ahead(at, known) or quantity_at(self.tokens, at):
            return 0
        if self.low(at) in ("address", "number") and not known.identifier:
            at += 1
        if not self._none_of(known, False):
            self.add(Empty(known.column, negated=True), known)
        self.zone = "filter"
        return at

    def _text_match(self, i: int) -> int:
        """ "contains", "starting with" and their like, about the column before or the name of the rows."""
        found = phrase_at(self.tokens, i, TEXTS)
        if not found:
            return 0
        how, n = found
        j = self.skip(i + n, any_of("the letter word an text string letters phrase"))
        if (
            self.low(j) == "a"
            and j + 1 < len(self.tokens)
            and self.tokens[j].text == "a"
            and self.low(j + 1) not in STOPS
        ):
            j += 1
        if j >= len(self.tokens):
            return 0
        if (
            how == "contains"
            and self.low(i) in ("like", "mention", "includes")
            and self.zone == "head"
            and self.low(i) == "like"
        ):
            return 0
        piece = self.tokens[j]
        named = self.lexicon.matches_at(self.tokens, j) if piece.kind == "word" and piece.text.islower() else []
        if how == "contains" and named and named[0].score > 0.95 and self.low(j + named[0].length) == "of":
            # "which state includes the city of Storrs"
            return 0
        known = self.last if isinstance(self.last, Known) and self.last.sort == "text" else None
        at = j + 1
        text = piece.text
        if piece.kind == "word":
            k = j
            while (
                k + 1 < len(self.tokens)
                and self.tokens[k + 1].kind == "word"
                and self.low(k + 1) not in STOPS
                and self.tokens[k + 1].text[:1].isupper()
                and piece.text[:1].isupper()
            ):
                k += 1
            while k + 1 < len(self.tokens) and self.text[self.tokens[k].end : self.tokens[k + 1].start] in (
                ".",
                "-",
                "_",
            ):
                k += 1
            k = self._end_of_piece(k) if how == "contains" else k
            text, at = self.said(j, k + 1 - j), k + 1
        elif piece.kind in ("symbol", "number"):
            k = j
            while k + 1 < len(self.tokens) and self.tokens[k + 1].start == self.tokens[k].end:
                k += 1
            text, at = self.said(j, k + 1 - j), k + 1
        if self.low(at) == "in":
            k = self.skip(at + 1, {"the", "their", "its"})
            column = self.column_at(k, "text")
            if column:
                known, at = column
        if known is None:
            held = self.values.held_at(self.text, self.tokens, j)
            if held and how == "contains" and all(h.known.column.table != self.subject for h in held):
                return self._value(j, held)
            label = self.lexicon.label(self.subject)
            if len(label) == 1:
                known = self.lexicon.known[label[0]]
            else:
                texts = [k for k in self.lexicon.of_table[self.subject] if k.sort == "text" and not is_flag(k.field)]
                if len(texts) != 1 or texts[0].field.vocabulary:
                    raise no("ambiguous", f"which column {how} {text!r}?", tuple(k.column.name for k in texts[:6]))
                known = texts[0]
        else:
            self._unshow(known)
        assert how in ("contains", "starts", "ends")
        if how == "starts" and self._dotted(known, text, self.tokens[at - 1].end):
            text += "."
        value = self.parameter({"contains": "word", "starts": "beginning", "ends": "ending"}[how], text)
        self.add(Match(known.column, how, value, negated=self.negate), known)  # type: ignore[arg-type]  # asserted above
        self.zone = "filter"
        while (
            self.low(at) == "or"
            and at + 1 < len(self.tokens)
            and (
                self.tokens[at + 1].kind == "quote"
                or (piece.kind == "word" and len(piece.text) == 1 and len(self.low(at + 1)) == 1)
                or (piece.kind == "word" and how == "contains" and self._plain_word(at + 1))
            )
        ):
            self.connector = "or"
            end = self._end_of_piece(at + 1) + 1 if how == "contains" else at + 2
            more = self.said(at + 1, end - at - 1) if end > at + 2 else self.tokens[at + 1].text
            self.add(Match(known.column, how, self.parameter("word", more)), known)  # type: ignore[arg-type]  # asserted above
            at = end
        self.last = known
        return at

    def _end_of_piece(self, k: int) -> int:
        """The last of the plain words from k on: "air base" of "containing air base sorted by name"."""
        while self._plain_word(k + 1) and self.tokens[k].kind == "word":
            k += 1
        return k

    def _plain_word(self, k: int) -> bool:
        """Whether the word at k can only be a part of the text that is looked for."""
        if k >= len(self.tokens) or self.tokens[k].kind != "word" or self.low(k) in STOPS or self.low(k) in FILLER:
            return False
        phrases = (COMPARISONS, DIRECTIONS, GROUPS, LACKING, NOT_WORDS, ORDERS, TEXTS)
        if any(phrase_at(self.tokens, k, table) for table in phrases) or quantity_at(self.tokens, k):
            return False
        named = [m for m in self.lexicon.matches_at(self.tokens, k) if m.score >= 0.8]
        known = named or self.lexicon.tables_at(self.tokens, k) or self.lexicon.row_noun(self.tokens[k], self.subject)
        return not known and not self.values.held_at(self.text, self.tokens, k)

    def _dotted(self, known: Known, text: str, end: int) -> bool:
        """Whether a dot right behind the piece is part of it, as stored values tell: "No." of "No. 457"."""
        begun = [v for v in known.field.vocabulary if v.casefold().startswith(text.casefold())]
        dotted = [v for v in begun if v[len(text) : len(text) + 1] == "."]
        return self.text[end : end + 1] == "." and bool(dotted)

    def _negation(self, i: int) -> int:
        found = phrase_at(self.tokens, i, NOT_WORDS)
        if not found:
            return 0
        said = self.said(i, found[1]).casefold()
        if said == "minus the" or (said == "skip" and (self.low(i + 1) == "first" or quantity_at(self.tokens, i + 1))):
            return 0
        j = i + found[1]
        if self.low(j) in ("only",):
            return 0
        self.negate = not self.negate if said in ("not",) and self.negate else True
        self.zone = "filter"
        if self.connector == "or":
            pass
        nxt = self.skip(
            j,
            any_of("the any in from those ones being been a an all yet where with by that are is have has"),
        )
        if nxt < len(self.tokens) and not self.lexicon.matches_at(self.tokens, j):
            return nxt
        return j

    def _left(self) -> Known | Measure | str | None:
        """What a comparison without a column before it is about."""
        last = self.last
        if isinstance(last, Measure):
            return last
        if isinstance(last, Known):
            return last
        grouped = self.notes.groups and not (isinstance(last, str) and last.startswith("table:"))
        if isinstance(last, Key) or (grouped and not isinstance(last, Best)):
            shown = self.notes.shown[-1] if self.notes.shown else None
            if not self.notes.measures and (shown is None or (shown.plural and self.lexicon.entity(shown.known))):
                # "customers per city, at least 10": their number is compared
                if shown is not None:
                    self.notes.shown.pop()
                    counted = Measure("count_distinct", shown.known.column, shown.said, known=shown.known)
                else:
                    counted = Measure("count", None, "rows", rows_of=self.subject)
                self.notes.measures.append(counted)
            if not self.notes.measures and shown is not None and shown.known.additive and shown.known.sort == "number":
                # "revenue per customer over 100": the sum of each is compared, not its rows
                self.notes.shown.pop()
                self.notes.measures.append(Measure("sum", shown.known.column, shown.said, known=shown.known))
            if self.notes.measures:
                return self.notes.measures[-1]
        return None

    def _comparison(self, i: int) -> int:
        """An operator with a number or a date behind it."""
        parted = self._parted_comparison(i)
        if parted:
            return parted
        found = phrase_at(self.tokens, i, COMPARISONS)
        operator: Comparison
        if found:
            operator, j = found[0], i + found[1]  # type: ignore[assignment]  # the table's meanings are comparisons
        else:
            number = quantity_at(self.tokens, i)
            if number is None:
                return 0
            after = phrase_at(self.tokens, i + number.length, AFTER_NUMBER)
            if not after:
                return 0
            operator, j = after[0], i  # type: ignore[assignment]  # the table's meanings are comparisons
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        j = self.skip(j, {"the", "of", "a", "an"} if not quantity_at(self.tokens, j) else set())
        if operator in ("=", "!=") and not quantity_at(self.tokens, j):
            return 0
        number = quantity_at(self.tokens, j)
        if (
            number is None
            and found
            and self.low(j - 1) in ("a", "an")
            and self.low(j) in any_of("hour day week minute")
        ):
            # "more than an hour"
            number = Quantity(Decimal(1), UNITS[self.low(j)], 1)
        if number is not None and number.unit:
            suffixed = phrase_at(self.tokens, j + number.length, AFTER_NUMBER) if found is None else None
            graded = self._graded_behind(j + number.length + (suffixed[1] if suffixed else 0), operator, number)
            if graded:
                return graded
        period = self.calendar.period_at(self.tokens, j)
        left = self._left()
        if (
            period
            and (number is None or period.length > 1 or (isinstance(left, Known) and left.sort == "date"))
            and not (isinstance(left, Known) and left.sort == "number")
        ):
            return self._time_bound(i, j, operator, period)
        if number is None:
            column = self.column_at(j)
            if column and isinstance(left, Known) and column[0].sort == left.sort:
                self._unshow(left)
                self.add(Compare(left.column, operator, column[0].column), left)
                self.zone = "filter"
                return column[1]
            if column and isinstance(left, Known):
                return 0
            if phrase_at(self.tokens, j, AGGREGATES) and isinstance(left, Known | Measure | None):
                raise no(
                    "cannot-answer",
                    "a comparison with an average or total of all rows needs two steps; ask for that figure first",
                )
            return 0
        at = j + number.length
        suffix = phrase_at(self.tokens, at, AFTER_NUMBER)
        if suffix and found is None:
            at += suffix[1]
        return self._compare_with(i, at, operator, number, left)

    def _parted_comparison(self, i: int) -> int:
        """ "more votes than 2000", "a higher price than 10"."""
        operator: Comparison | None = (
            ">"
            if self.low(i) in any_of("more higher greater larger bigger")
            else "<"
            if self.low(i) in any_of("fewer less lower smaller")
            else None
        )
        column = self.column_at(i + 1, "number", 0.8) if operator and i + 1 < len(self.tokens) else None
        if operator is None or column is None or column[0].identifier or self.low(column[1]) != "than":
            return 0
        number = quantity_at(self.tokens, column[1] + 1)
        other = self.column_at(column[1] + 1, "number") if number is None and column[1] + 1 < len(self.tokens) else None
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        if number is not None:
            self.add(self.compare_number(column[0], operator, number), column[0])
            self.zone, self.last = "filter", column[0]
            return column[1] + 1 + number.length
        if other is not None:
            self.add(Compare(column[0].column, operator, other[0].column), column[0])
            self.zone, self.last = "filter", None
            return other[1]
        return 0

    def _compare_with(
        self, i: int, at: int, operator: Comparison, number: Quantity, left: Known | Measure | str | None
    ) -> int:
        graded = self._graded_behind(at, operator, number) if number.unit else 0
        if graded:
            return graded
        if number.unit and number.length > 1 and self._says_column(at - 1):
            # "more than 10 nights", "over 30 days" where a column is called so
            number, at = replace(number, unit="", length=number.length - 1), at - 1
        # "more than 3 orders": a number of rows
        k = self.skip(at, any_of("different distinct unique total separate of the"))
        if not number.unit:
            k = self._described_noun(k) or k
        distinct = any(self.low(x) in ("different", "distinct", "unique", "separate") for x in range(at, k))
        if self.low(k) in ("times", "time") and not number.unit:
            counted = self._times_counted(i)
            if counted is not None:
                self.add(self.compare_number(counted, operator, number), counted)
                self._unshow(counted)
                self.zone, self.last = "filter", None
                return k + 1
        if self.low(k) in ("times", "time"):
            rows = self.notes.existing.pop() if self.notes.existing else self.subject
            befallen = self.notes.parts[-1].known if self.notes.parts else None
            if rows == self.subject and befallen is not None and befallen.column.table in self._partners():
                # "products damaged at least twice": the damages are counted
                rows = befallen.column.table
            self.add_having(
                Having(
                    Measure("count", None, "times", rows_of=rows),
                    operator,
                    self.parameter(_bound(operator), int(number.value)),
                )
            )
            self._reset()
            return k + 1
        if k < len(self.tokens) and self.tokens[k].kind == "word" and not number.unit:
            tables = [t for t in self.lexicon.tables_at(self.tokens, k) if t[1] >= 0.6]
            matches = self.lexicon.matches_at(self.tokens, k)
            if tables and not (
                matches
                and matches[0].known.sort == "number"
                and not matches[0].known.identifier
                and matches[0].score > tables[0][1] - 0.02
            ):
                thing = tables[0][0]
                if thing != self.subject or len(self.lexicon.schema.tables) == 1:
                    measure = Measure("count", None, self.said(k, tables[0][2]), rows_of=thing)
                    self.mention(thing)
                    self.add_having(
                        Having(
                            measure,
                            operator,
                            self.parameter(
                                _bound(operator),
                                int(number.value) if number.value == int(number.value) else number.value,
                            ),
                        )
                    )
                    self._reset()
                    self.zone, self.last = "filter", measure
                    return k + tables[0][2]
            if (
                self.lexicon.row_noun(self.tokens[k], self.subject)
                and not (matches and matches[0].known.sort == "number" and not matches[0].known.identifier)
                and not (matches and matches[0].score > 0.93 and not matches[0].known.identifier)
            ):
                measure = Measure("count", None, self.tokens[k].low, rows_of=self.subject)
                self.add_having(Having(measure, operator, self.parameter(_bound(operator), int(number.value))))
                self._reset()
                self.zone, self.last = "filter", measure
                return k + 1
            if matches:
                column = self.column_at(k)
                if column:
                    known, after = column
                    if known.sort == "number" and not known.identifier:
                        total = self._in_total(after)
                        far = known.column.table != self.subject and self.graph.widens(self.subject, known.column.table)
                        if far and known.additive and self.subject_noted:
                            # "employees with more than 10 sick days": days of each are summed
                            total = max(total, after + 1)
                        if self._group_wanted(known) or (total > after and known.additive is not False):
                            measure = Measure("sum", known.column, self.said(k, after - k), known=known)
                            self.add_having(
                                Having(measure, operator, self.parameter(_bound(operator), self.fitted(known, number)))
                            )
                            self._reset()
                            after = self._in_total(after)
                        else:
                            self.add(self.compare_number(known, operator, number), known)
                        self.zone = "filter"
                        return after
                    if (known.sort == "text" or known.identifier) and (
                        distinct or not isinstance(left, Known) or left.sort != "number"
                    ):
                        measure = Measure("count_distinct", known.column, self.said(k, after - k), known=known)
                        self.add_having(Having(measure, operator, self.parameter(_bound(operator), int(number.value))))
                        self._reset()
                        self.last = measure
                        return after
        if isinstance(left, Measure) and left.function in ("count", "count_distinct") and number.unit:
            left = None
        if isinstance(left, Known) and number.unit:
            left = self._in_that_unit(left, number.unit)
        if isinstance(left, Measure) and left.of is None and not self.notes.groups and not self.notes.shown:
            # "how many patients under 18": a row is compared, not the count
            ages = self.lexicon.with_words(self.subject, ["age"], "number")
            if len(ages) == 1 and number.value < 130 and number.unit in ("", "y"):
                self.add(self.compare_number(ages[0], operator, replace(number, unit="")), ages[0])
                return at
            left = None
        if isinstance(left, Measure) and self._of_each_row(left):
            # "items where quantity times unit price is above 500": each row has its own
            self.notes.measures.remove(left)
            assert left.of is not None
            self.add(Compare(left.of, operator, self.parameter(_bound(operator), self._measure_value(left, number))))
            self.zone, self.last = "filter", None
            return at
        if isinstance(left, Measure):
            self.add_having(Having(left, operator, self.parameter(_bound(operator), self._measure_value(left, number))))
            self._reset()
            return self._in_total(at)
        if isinstance(left, Known):
            total = self._in_total(at)
            if left.sort == "number" and (total > at or self.totalled) and left.additive is not False:
                # "who gave more than 1000 in total"
                self._unshow(left)
                measure = Measure("sum", left.column, left.column.name, known=left)
                self.add_having(
                    Having(measure, operator, self.parameter(_bound(operator), self._measure_value(measure, number)))
                )
                self._reset()
                self.totalled = False
                return total
            if left.sort == "number":
                self._unshow(left)
                self.add(self.compare_number(left, operator, number), left, value=operator == "=")
                self.zone = "filter"
                return at
            if left.sort == "text" and operator in ("=", "!="):
                self._unshow(left)
                self.add(Compare(left.column, operator, self.parameter(left.column.name, str(number.value))), left)
                return at
        if at < len(self.tokens) and self._unheard(at):
            # "more than 10 sick ...": of something that is not known here
            return 0
        ages = self.lexicon.with_words(self.subject, ["age"], "number")
        if len(ages) == 1 and number.value < 130 and number.unit in ("", "y") and self._people_before(i):
            known, number = ages[0], replace(number, unit="")
        else:
            known = self._by_unit(number)
        self.add(self.compare_number(known, operator, number), known)
        self.zone = "filter"
        self.last = known
        return at

    def _of_each_row(self, measure: Measure) -> bool:
        """Whether the figure is an arithmetic of columns that nobody asked to add up."""
        spelled_out = isinstance(measure.of, Arithmetic) and measure.said in ("product", "difference", "ratio", "sum")
        summed = any(t.low in ("total", "sum", "overall", "per", "each", "by") for t in self.tokens)
        return spelled_out and not summed and not self.notes.groups and measure.function == "sum"

    def _in_that_unit(self, left: Known, unit: str) -> Known:
        """The column before, unless only another one is in the unit of the amount: "8 cylinders under 3500 lbs"."""
        if left.sort != "number" or left.field.unit or _unit_of_name(left):
            return left
        fields = [k for k in self.lexicon.of_table[left.column.table] if k.sort == "number"]
        owned = [k for k in fields if k.field.unit or _unit_of_name(k)]
        owners = [k for k in owned if self._measures_in(k, unit)]
        return owners[0] if len(owners) == 1 else left

    def _partners(self) -> list[str]:
        """The tables that may hold many rows for one of the subject's."""
        names = [t.name for t in self.lexicon.schema.tables if t.name != self.subject]
        return [n for n in names if self.graph.path(self.subject, n) and self.graph.widens(self.subject, n)]

    def _times_counted(self, i: int) -> Known | None:
        """The column that counts what the verb before says was done so many times: retries for "retried"."""
        root = stem(self.low(i - 1))
        return next(
            (
                k
                for k in self.lexicon.of_table[self.subject]
                if k.counts and len(k.words) == 1 and len(root) > 3 and stem(k.words[0])[:5] == root[:5]
            ),
            None,
        )

    def _in_total(self, at: int) -> int:
        """The place after "in total", "altogether" and their like at this place; the same place when there is none."""
        for words in (("in", "total"), ("in", "all"), ("altogether",), ("overall",), ("combined",), ("in", "sum")):
            if tuple(self.low(at + k) for k in range(len(words))) == words:
                return at + len(words)
        return at

    def _one_day(self, period: Period) -> bool:
        return isinstance(period.start, date) and isinstance(period.end, date) and (period.end - period.start).days == 1

    def _unheard(self, i: int) -> bool:
        """Whether a noun or adjective of its own follows at i, that the number before it would count."""
        token = self.tokens[i]
        if token.kind != "word" or token.low in STOPS or token.low in FILLER or token.low in ("each", "per", "every"):
            return False
        if (
            phrase_at(self.tokens, i, DIRECTIONS)
            or phrase_at(self.tokens, i, ORDERS)
            or phrase_at(self.tokens, i, GROUPS)
        ):
            return False
        if self.calendar.period_at(self.tokens, i) or phrase_at(self.tokens, i, TIME_WORDS):
            return False
        lacking = phrase_at(self.tokens, i, NOT_WORDS) or phrase_at(self.tokens, i, LACKING)
        return not lacking and self.low(i + 1) != "first"

    def _says_column(self, i: int) -> bool:
        """Whether the unit at i is to the letter the name of a column of numbers."""
        return any(m.score >= 0.99 and m.known.sort == "number" for m in self.lexicon.matches_at(self.tokens, i))

    def _graded_behind(self, at: int, operator: Comparison, number: Quantity) -> int:
        """ "more than 2 hours late", "over 5 kg in weight": the word behind says of which column the amount is."""
        j = self.skip(at, any_of("in of"))
        if self.low(at) == "of" and number.unit in ("d", "wk", "mo", "y") and number.length > 1:
            # "more than 20 days of rain": days are counted, and no rain is measured in them
            return 0
        words = POSTFIX.get(self.low(j), "").split()
        found = [k for k in self.lexicon.with_words(self.subject, words, "number") if self._measures_in(k, number.unit)]
        if not found:
            column = self.column_at(j, "number", 0.8) if j < len(self.tokens) else None
            if column is None or column[0].identifier or not self._measures_in(column[0], number.unit):
                return 0
            found, j = [column[0]], column[1] - 1
        if len(found) > 1:
            names = tuple(k.column.name for k in found)
            raise no("ambiguous", f"{self.low(j)!r} may be by {' or '.join(names)}; say which", names)
        in_total = self._in_total(j + 1)
        if found[0].additive is not False and (in_total > j + 1 or self._group_wanted(found[0])):
            # "weeks with over 60 mm of rain in sum"
            measure = Measure("sum", found[0].column, found[0].column.name, known=found[0])
            self.add_having(Having(measure, operator, self.parameter(_bound(operator), self.fitted(found[0], number))))
            self._reset()
            self.zone, self.last = "filter", measure
            return in_total
        self.add(self.compare_number(found[0], operator, number), found[0])
        self.zone, self.last = "filter", found[0]
        return j + 1

    def _measures_in(self, known: Known, unit: str) -> bool:
        """Whether the column may be in that unit, as far as its name or its values tell."""
        own = known.field.unit or _unit_of_name(known)
        return not own or converted(Decimal(1), unit, own) is not None

    def _people_before(self, i: int) -> bool:
        """Whether the words before speak of people, so that a bare number is an age."""
        if any(t.lemma in PERSONS for t in self.tokens[:i]):
            return True
        if self.notes.shown and is_flag(self.notes.shown[-1].known.field):
            return False
        words = {w for k in self.lexicon.of_table[self.subject] for w in k.words}
        return bool(words & any_of("gender sex surname smoker")) and self.low(i - 1) not in FILLER - any_of(
            "is are was were"
        )

    def _group_wanted(self, known: Known) -> bool:
        """Whether a figure of a group is meant: the things asked for are columns or another table."""
        return bool(self.notes.groups) and known.additive is True

    def _measure_value(self, measure: Measure, number: Quantity) -> object:
        if measure.known is not None and measure.function not in ("count", "count_distinct"):
            value = self.fitted(measure.known, number)
            return value
        if measure.share == "percent" or measure.share == "share":
            return float(number.value / 100) if measure.share == "share" and number.unit == "%" else float(number.value)
        return int(number.value) if number.value == int(number.value) else number.value

    def _comparative(self, i: int) -> int:
        """ "longer than 30 minutes", "older than 40", "hotter than 30 degrees", "heavier than 2 kg"."""
        low = self.low(i)
        grade = COMPARATIVES.get(low)
        if grade is None:
            return 0
        up = GRADES[grade][1]
        j = i + 1
        if self.low(j) != "than":
            return 0
        period = self.calendar.period_at(self.tokens, self.skip(j + 1, {"the", "in"}))
        if grade in ("new", "late", "old", "early") and period is not None:
            return self._time_bound(
                i, self.skip(j + 1, {"the", "in"}), ">" if grade in ("new", "late") else "<", period
            )
        number = quantity_at(self.tokens, j + 1)
        if number is None:
            return 0
        if (
            number.unit
            and (number.unit not in ("y", "d", "mo", "wk") or (number.unit == "d" and grade in ("long", "short")))
            and grade in any_of("long short heavy light tall fast slow far deep large small")
        ):
            meant = self._by_unit(number)
            bound: Comparison = ">" if up == (grade != "fast") or grade == "slow" else "<"
            if self.negate:
                bound, self.negate = OPPOSITE[bound], False
            self.add(self.compare_number(meant, bound, number), meant)
            self.zone = "filter"
            return j + 1 + number.length
        known = self.graded(grade, self.subject) if grade not in ("new", "late", "early") else None
        if known is None or known.sort != "number":
            if (
                known is not None
                and known.sort == "date"
                and grade in ("old", "young")
                and {"birth", "born"} & set(known.words)
            ):
                moment = self.moment(known, self.calendar.ago(int(number.value), "year"))
                self.add(Compare(known.column, "<" if grade == "old" else ">", self.parameter("born", moment)), known)
                return j + 1 + number.length
            raise no(
                "no-such-column",
                f"no column says what is {low!r}",
                self.lexicon.nearest(GRADES[grade][0].split("|")[0].split()[0] or low),
            )
        operator: Comparison = ">" if up else "<"
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        self.add(self.compare_number(known, operator, number), known)
        self.zone = "filter"
        return j + 1 + number.length

    def _between(self, i: int) -> int:
        low = self.low(i)
        if low not in ("between", "from", "ranging", "in") or (low == "in" and self.low(i + 1) not in ("between",)):
            return 0
        j = i + (2 if low == "in" or (low == "ranging" and self.low(i + 1) == "from") else 1)
        j = self.skip(j, {"the"})
        hours = self._clock_range(i, j)
        if hours:
            return hours
        left = self._left()
        first = self.calendar.period_at(self.tokens, j)
        number = quantity_at(self.tokens, j)
        if (
            first
            and not (isinstance(left, Known) and left.sort == "number" and not self._year_column(left))
            and not (isinstance(left, Measure) and number)
        ):
            k = j + first.length
            if self.low(k) in any_of("and to till until through - – up"):
                k2 = self.skip(k + 1, {"to", "the"})
                second = self.calendar.period_at(self.tokens, k2)
                if second:
                    return self._time_range(i, first, second, k2 + second.length)
            if self.tokens[k : k + 1] and self.tokens[k].text.strip() in ("–", "-", "—"):
                second = self.calendar.period_at(self.tokens, k + 1)
                if second:
                    return self._time_range(i, first, second, k + 1 + second.length)
            # "between 5 and 10 March 2021", "between Jan and Mar 2024": the year is said once
        if number is None:
            return 0
        k = j + number.length
        second = self.calendar.period_at(self.tokens, k + 1) if self.low(k) in ("and", "to", "until", "till") else None
        if (
            second is not None
            and second.length > 1
            and number.value == int(number.value)
            and not number.unit
            and not (isinstance(left, Known) and left.sort == "number")
        ):
            # "between 10 and 20 August 2024": month and year are said once
            at = k + 1 + second.length
            if second.month and second.day:
                first = replace(second, day=int(number.value), length=1)
                return self._time_range(i, first, second, at)
            if isinstance(second.start, date) and second.end is not None and self._one_day(second):
                with suppress(ValueError):
                    start = second.start.replace(day=int(number.value))
                    return self._time_range(i, replace(second, start=start), second, at)
        if self.low(k) not in ("and", "to") and not (
            self.tokens[k : k + 1] and self.tokens[k].text.strip() in ("–", "-", "—")
        ):
            return 0
        second_number = quantity_at(self.tokens, k + 1)
        if second_number is None:
            return 0
        if low == "from" and not isinstance(left, Known | Measure):
            return 0
        at = k + 1 + second_number.length
        unit = second_number.unit or number.unit
        low_q, high_q = replace(number, unit=unit), replace(second_number, unit=unit)
        if low_q.value > high_q.value:
            raise no(
                "cannot-answer",
                f"nothing lies between {low_q.value} and {high_q.value}: the range is the wrong way round",
            )
        if isinstance(left, Measure):
            self.add_having(Having(left, ">=", self.parameter("minimum", self._measure_value(left, low_q))))
            self.add_having(Having(left, "<=", self.parameter("maximum", self._measure_value(left, high_q))))
            self._reset()
            return at
        if isinstance(left, Known) and left.sort == "number":
            known = left
            self._unshow(left)
        else:
            column = self.column_at(at, "number")
            if column and not column[0].identifier:
                known, at = column
            else:
                tables = [t for t in self.lexicon.tables_at(self.tokens, at) if t[0] != self.subject]
                if tables:
                    measure = Measure("count", None, self.said(at, tables[0][2]), rows_of=tables[0][0])
                    self.add_having(Having(measure, ">=", self.parameter("minimum", int(low_q.value))))
                    self.add_having(Having(measure, "<=", self.parameter("maximum", int(high_q.value))))
                    return at + tables[0][2]
                if at < len(self.tokens) and self._unheard(at):
                    return 0
                ages = self.lexicon.with_words(self.subject, ["age"], "number")
                aged = len(ages) == 1 and not unit and high_q.value < 130 and self._people_before(i)
                known = ages[0] if aged else self._by_unit(high_q)
        negated, self.negate = self.negate, False
        condition: Condition = And((self.compare_number(known, ">=", low_q), self.compare_number(known, "<=", high_q)))
        if negated:
            condition = Not(condition)
        self.add(condition, known)
        self.zone = "filter"
        return at


def _akin(noun: str, verb: str) -> bool:
    """Whether the noun is made of the verb, or the verb of the noun: rental and rent, exam and examine."""
    if noun == verb:
        return True
    short, long = sorted((noun, verb), key=len)
    return long.startswith(short) and (len(short) > 3 or short in ("pay", "mov", "buy"))
