"""A column followed by what it must be: "status is paid", "total over 100", "city Berlin or Paris"."""

from __future__ import annotations

from synth.plan import (
    Arithmetic,
    Compare,
    Comparison,
    Condition,
    Empty,
    Match,
    OneOf,
    Or,
    Value,
)
from synth.understand.columns import Known, is_flag
from synth.understand.logic import both, merge
from synth.understand.notes import BE, STOPS, Having, Measure, Shown, no
from synth.understand.numbers_and_dates import Quantity, quantity_at
from synth.understand.operators import (
    AFTER_NUMBER,
    AGGREGATES,
    COMPARISONS,
    COUNTS,
    DIRECTIONS,
    EMPTY,
    LACKING,
    NOT_WORDS,
    OPPOSITE,
    ORDERS,
    TEXTS,
    TIME_WORDS,
    phrase_at,
)
from synth.understand.times import Times
from synth.understand.values import Held, flag_values
from synth.understand.vocabulary import COMPARATIVES, FILLER, SUPERLATIVES
from synth.understand.words import any_of, spelled


class Predicates(Times):
    """A column followed by what it must be."""

    def _predicate_ahead(self, at: int, known: Known) -> bool:
        j = self.skip(at, BE)
        if phrase_at(self.tokens, j, COMPARISONS) or phrase_at(self.tokens, j, TEXTS) or self.low(j) == "between":
            return True
        if phrase_at(self.tokens, j, TIME_WORDS) and known.sort == "date":
            return True
        if self.low(at) in ("of", "=", "is", "are") and j < len(self.tokens):
            return True
        return bool(self.tokens[at : at + 1]) and self.tokens[at].kind == "quote"

    def _predicate(self, i: int, at: int, known: Known) -> int:
        """What follows a column as a condition on it: an operator and a value. The place after it, or 0."""
        self.predicating = known
        try:
            return self._predicate_of(i, at, known)
        finally:
            self.predicating = None

    def _predicate_of(self, i: int, at: int, known: Known) -> int:
        j = at
        negated = False
        verb = False
        while j < len(self.tokens) and (self.low(j) in BE or self.low(j) in ("not", "never")):
            if self.low(j) in ("not", "never"):
                if phrase_at(self.tokens, j, EMPTY) and phrase_at(self.tokens, j, EMPTY)[1] > 1:  # type: ignore[index]  # just tested
                    break
                negated = not negated
            verb = verb or self.low(j) in any_of("is are was were equal be not has have")
            if phrase_at(self.tokens, j, COMPARISONS):
                break
            j += 1
        if j >= len(self.tokens):
            return 0
        text = phrase_at(self.tokens, j, TEXTS)
        if text and known.sort == "text":
            self.last = known
            self.negate = self.negate or negated
            return self._text_match(j)
        empty = phrase_at(self.tokens, j, EMPTY)
        if empty and (verb or self.low(j) in ("missing", "empty", "null", "blank", "set")):
            after = j + empty[1]
            held = self.values.held_at(self.text, self.tokens, j)
            # "customers who have given a rating" gave something, and are not given
            goes_on = after < len(self.tokens) and self.low(after) in any_of("a an the any no their")
            if not (held and held[0].known is known) and not goes_on:
                self.add(Empty(known.column, negated=(empty[0] == "filled") != negated), known)
                return after
        if known.sort == "date":
            return self._date_predicate(i, j, known, negated, verb)
        operator: Comparison = "="
        found = phrase_at(self.tokens, j, COMPARISONS)
        symbolic = False
        if found:
            operator, symbolic = found[0], True  # type: ignore[assignment]  # the table's meanings are comparisons
            j += found[1]
        elif self.low(j) in ("in", "of", "one", "either", "any") and (verb or self.low(j) == "of"):
            j = self.skip(j, any_of("in one of either any the"))
        if self.low(j) == "between":
            self.last = known
            self.negate = self.negate or negated
            return self._between(j)
        if self.low(j) == "from" and known.sort == "number" and quantity_at(self.tokens, j + 1):
            self.last = known
            return self._between(j)
        if negated:
            operator = OPPOSITE[operator]
        if j >= len(self.tokens):
            return 0
        j = self.skip(j, {"the", "a", "an"})
        if j >= len(self.tokens):
            # "kind a": the value was taken for an article
            j -= 1
        if known.sort == "number":
            return self._number_predicate(i, j, known, operator, symbolic, verb)
        if is_flag(known.field):
            word = self.low(j)
            truth = {
                "yes": True,
                "true": True,
                "no": False,
                "false": False,
                "y": True,
                "n": False,
                "1": True,
                "0": False,
                "set": True,
            }.get(word)
            if truth is not None and (verb or symbolic or j == at):
                if operator == "!=":
                    truth = not truth
                self.add(self.held_condition(Held(known, flag_values(known, truth), 1, 1.0)), known)
                return j + 1
            return 0
        if known.sort == "text":
            return self._text_predicate(i, j, at, known, operator, symbolic, verb)
        return 0

    def _figure_compared(self, i: int, known: Known) -> bool:
        """Whether "customers with revenue over 1000" compares a sum of many rows: so for revenue, else it is asked."""
        if known.additive is not True or self.low(i - 1) in ("where",):
            return False
        shown = self.notes.shown[-1] if self.notes.shown else None
        if known.column.table != self.subject:
            many = self.graph.widens(self.subject, known.column.table)
        else:
            named = shown is not None and shown.plural and self.lexicon.entity(shown.known)
            many = named and shown is not None and shown.known.field.distinct < shown.known.field.values
        if not many or (shown is not None and shown.known is known):
            return False
        if self.tokens[i].lemma in ("revenue", "turnover", "sale", "spending", "spend", "income"):
            return True
        name = known.column.name
        raise no("ambiguous", f"the sum of {name}, or {name} in any one row?", (f"sum of {name}", f"any {name}"))

    def _number_predicate(self, i: int, j: int, known: Known, operator: Comparison, symbolic: bool, verb: bool) -> int:
        number = quantity_at(self.tokens, j)
        if number is None:
            if symbolic or verb:
                column = self.column_at(j, "number")
                if column and (symbolic or operator != "="):
                    self.add(Compare(known.column, operator, column[0].column), known)
                    return column[1]
            return 0
        if not symbolic and not verb and (self.zone in ("group", "order") or self.aggregates):
            return 0
        ranked = self.low(j + number.length)
        if not symbolic and (ranked in SUPERLATIVES or ranked in ("most", "least", "fewest")):
            # "amount of the 3 largest orders"
            return 0
        if symbolic and self._part_of_column(known, operator, number, j + number.length):
            column = self.column_at(self.skip(j + number.length + 1, {"the", "its", "their"}), "number")
            assert column is not None
            return column[1]
        if not symbolic and self.low(j - 1) in ("has", "have", "had", "with") and not number.unit:
            counted = self.lexicon.matches_at(self.tokens, j + number.length)
            if (
                counted
                and counted[0].score > 0.9
                and counted[0].known is not known
                and counted[0].known.sort == "number"
            ):
                # "which club has 7 wins"
                return 0
        if self._year_column(known):
            period = self.calendar.period_at(self.tokens, j)
            if period is not None and period.length > number.length:
                return 0
        after = j + number.length
        suffix = phrase_at(self.tokens, after, AFTER_NUMBER)
        if suffix and operator == "=":
            operator, after = suffix[0], after + suffix[1]  # type: ignore[assignment]  # the table's meanings are comparisons
        if known.counts and self.low(after) == "times":
            # "retried 3 or more times"
            after += 1
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        if symbolic and self._figure_compared(i, known):
            measure = Measure("sum", known.column, self.said(i, 1), known=known)
            bound = {">": "minimum", ">=": "minimum", "<": "maximum", "<=": "maximum"}.get(operator, "total")
            self.add_having(Having(measure, operator, self.parameter(bound, self.fitted(known, number))))
            self._reset()
            self.last = None
            return after
        self.add(self.compare_number(known, operator, number), known, value=operator in ("=",))
        # "3, 5 or 7"
        while operator in ("=", "!=") and self.low(after) in (",", "or", "and"):
            k = after + 1
            if self.low(k) in ("or", "and"):
                k += 1
            more = quantity_at(self.tokens, k)
            if more is None or (
                k + more.length < len(self.tokens)
                and self.tokens[k + more.length].kind == "word"
                and self.low(k + more.length) not in STOPS
            ):
                break
            extra = self.compare_number(known, operator, more)
            last = self.notes.parts[-1]
            merged = merge(last.condition, extra) if operator == "=" else both(last.condition, extra)
            if merged is None:
                break
            last.condition = merged
            after = k + more.length
        while (
            symbolic
            and operator not in ("=", "!=")
            and self.low(after) in ("or", "and")
            and (again := phrase_at(self.tokens, after + 1, COMPARISONS))
        ):
            more = quantity_at(self.tokens, after + 1 + again[1])
            if more is None:
                break
            tail = after + 1 + again[1] + more.length
            if tail < len(self.tokens) and self.lexicon.tables_at(self.tokens, tail) and not more.unit:
                break
            self.connector = "or" if self.low(after) == "or" else "and"
            self.add(self.compare_number(known, again[0], more), known)  # type: ignore[arg-type]  # the table's meanings are comparisons
            after = tail
        self.last = known
        return after

    def _date_predicate(self, i: int, j: int, known: Known, negated: bool, verb: bool) -> int:
        self.negate = self.negate or negated
        found = phrase_at(self.tokens, j, COMPARISONS)
        self.last = known
        if self._weekday_at(j):
            return self._weekday(j)
        if self.low(j) in ("between", "from"):
            at = self._between(j)
            if at:
                return at
        time = phrase_at(self.tokens, j, TIME_WORDS)
        operator: Comparison = "="
        k = j
        for each in (time, found):
            if each:
                operator, k = each[0], j + each[1]  # type: ignore[assignment]  # the tables' meanings are comparisons
                break
        k = self.skip(k, {"the"})
        period = self.calendar.period_at(self.tokens, k)
        named = TIME_WORDS.get((self.low(j - 1),))
        if named and j == k and known.words == (self.low(j - 1),):
            # a column called since: "clients since 2020"
            operator = named  # type: ignore[assignment]  # the table's meanings are comparisons
        if period is None:
            column = (
                self.column_at(k, "date")
                if (time or found) and k < len(self.tokens) and (operator != "=" or found)
                else None
            )
            if column and column[0] is not known:
                self.add(Compare(known.column, operator, column[0].column), known)
                return column[1]
            number = quantity_at(self.tokens, k)
            if (number and self.low(k + number.length) in ("ago",)) or (
                number and found and number.unit in ("d", "wk", "mo", "y") and self.low(k + number.length) == "ago"
            ):
                ago = self._ago(j)
                if ago:
                    return ago
                return self._period(j)
            if negated:
                self.negate = False
            return 0
        if operator == ">=" and self.low(j) == "from":
            operator = "="
        if not verb and not time and not found and self.zone in ("group", "order"):
            return 0
        return self._time_bound(j, k, operator, period)

    def _text_predicate(
        self, i: int, j: int, at: int, known: Known, operator: Comparison, symbolic: bool, verb: bool
    ) -> int:
        token = self.tokens[j]
        if token.kind == "word" and self._other_compared(j, known):
            return 0
        if self.low(at) == "of" and not (verb or symbolic) and self._row_called(j, known):
            return 0
        if operator not in ("=", "!="):
            column = self.column_at(j, "text")
            if column and column[0] is not known and symbolic:
                return 0
            number = quantity_at(self.tokens, j)
            if number is not None:
                after = j + number.length
                if after < len(self.tokens) and self._noun_ahead(after):
                    return 0
                shape = f"{known.column.name!r} holds text, not numbers"
                if known.additive or known.field.meaning in ("", "currency"):
                    raise no("cannot-answer", f"{shape}; it cannot be compared by size")
            return 0
        adjacent = j == at
        values: list[Value] = []
        end = j
        said_is = any(self.low(k) in ("is", "are", "was", "were", "equal") for k in range(at, j))
        while True:
            one, end2 = self._text_operand(
                end, known, adjacent and not values and not verb and not symbolic, bool(values), said_is or symbolic
            )
            if one is None:
                break
            values.extend(one)
            end = end2
            if self.low(end) in (",", "or", "and", "nor"):
                k = end + 1
                if self.low(k) in ("or", "and"):
                    k += 1
                follow, _ = self._text_operand(k, known, True, True)
                if follow is None:
                    break
                for value in follow:
                    self.names.pop(value.parameter, None)
                end = k
                continue
            break
        if not values:
            return 0
        del token
        condition: Condition
        if len(values) == 1:
            condition = Compare(known.column, operator, values[0])
        else:
            condition = OneOf(known.column, tuple(values), negated=operator == "!=")
        if operator == "!=" and self.negate:
            self.negate = False
        self.add(condition, known, value=operator == "=")
        if known.field.nulls and operator == "!=":
            self.notes.remarks.append(f"rows without a {known.column.name} are left out")
        self.last = ("value", known)
        return end

    def _part_of_column(self, known: Known, operator: Comparison, number: Quantity, at: int) -> bool:
        """Note "tax over 10 percent of the amount": a column compared with a part of another one of its row."""
        if number.unit != "%" or self.low(at) != "of":
            return False
        column = self.column_at(self.skip(at + 1, {"the", "its", "their"}), "number")
        if column is None or column[0] is known or column[0].column.table != known.column.table:
            return False
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        part = Arithmetic("*", self.parameter("part", number.value / 100), column[0].column)
        self.add(Compare(known.column, operator, part), known)
        self.zone, self.last = "filter", None
        return True

    def _other_compared(self, j: int, known: Known) -> bool:
        """Whether another column is named at j and compared there: "which rank has a total below 9"."""
        other = [m for m in self.lexicon.matches_at(self.tokens, j) if m.score >= 0.96 and m.known is not known]
        return bool(other) and bool(phrase_at(self.tokens, j + other[0].length, COMPARISONS))

    def _means_something(self, j: int) -> bool:
        """Whether the word at j is a keyword, a table or a plain word in lower case that no stored value vouches for."""
        token = self.tokens[j]
        if token.low in SUPERLATIVES or token.low in COMPARATIVES or token.low in ("most", "least", "more", "less"):
            return True
        if any(
            phrase_at(self.tokens, j, table)
            for table in (AGGREGATES, COUNTS, ORDERS, DIRECTIONS, LACKING, NOT_WORDS, EMPTY)
        ):
            return True
        return bool(self.lexicon.tables_at(self.tokens, j)) or (token.kind == "word" and token.text.islower())

    def _heads_list(self, i: int, known: Known, plural: bool) -> bool:
        """Whether the column at i is what is to be listed, as "prices" in "the prices above 600 with their dates"."""
        if self.zone != "head" or self.rows_said or self.mentioned or self.counting or self.aggregates or self.sharing:
            return False
        if self.notes.best is not None or self.notes.measures or self.notes.parts or self.question in ("who", "when"):
            return False
        return plural if not self.notes.shown else bool(self.connector or self.comma)

    def _head_kept(self, known: Known, said: str) -> None:
        """What is to be listed stays so though it is compared as well; names that begin so are listed each once."""
        part = self.notes.parts[-1] if self.notes.parts else None
        field = known.field
        conditions = () if part is None else part.condition.any if isinstance(part.condition, Or) else (part.condition,)
        if not conditions or any(getattr(c, "left", None) != known.column for c in conditions):
            return
        repeated = 0 < field.distinct < field.values - field.nulls
        telling = known.words[-1] not in any_of("message text comment description note title name")
        if isinstance(conditions[0], Match) and not self.notes.shown and repeated and telling:
            self.notes.shown.append(Shown(known, said, True))
        elif not any(s.known is known for s in self.notes.shown):
            self.notes.headed.append(known)

    def _row_called(self, j: int, known: Known) -> bool:
        """Whether a row is called so: "the capital of Monaco" is asked of the country, and not which capital is called Monaco."""
        label = [c for c in self.lexicon.label(known.column.table) if c != known.column]
        held = self.values.held_at(self.text, self.tokens, j)
        return bool(held) and any(h.known.column in label and h.score >= 0.98 for h in held)

    def _held_elsewhere(self, j: int) -> bool:
        """Whether the words at j are a stored value as they stand, case aside."""
        held = self.values.held_at(self.text, self.tokens, j)
        return bool(held and held[0].score >= 0.98) or bool(self.values.asked(self.text, self.tokens, j, 1))

    def _text_operand(
        self, j: int, known: Known, strict: bool, following: bool, said_is: bool = False
    ) -> tuple[list[Value] | None, int]:
        """One value for a text column at j: quoted, stored, or (unless strict) words as written up to the next stop word."""
        if j >= len(self.tokens):
            return None, j
        token = self.tokens[j]
        name = spelled(known.column.name)
        if token.kind in ("quote", "literal"):
            stored = self.values.in_column(known, token.text) or (token.text,)
            return [self.parameter(name, v) for v in stored], j + 1
        for n in range(min(7, len(self.tokens) - j), 0, -1):
            if any(t.kind == "comma" for t in self.tokens[j : j + n]) and n > 1 and n > 4:
                continue
            stored = self.values.in_column(known, self.said(j, n))
            if stored:
                return [self.parameter(name, v) for v in stored], j + n
        for n in range(min(4, len(self.tokens) - j), 0, -1):
            if any(t.kind == "comma" for t in self.tokens[j : j + n]):
                continue
            asked = (
                [h for h in self.values.asked(self.text, self.tokens, j, n) if h.known is known]
                if token.low not in STOPS and (said_is or not known.field.vocabulary)
                else []
            )
            if asked:
                return [self.parameter(name, str(v)) for v in asked[0].stored], j + n
        if (
            strict
            or token.kind not in ("word", "number", "date")
            or token.low in STOPS
            or (token.low in FILLER and token.kind == "word")
        ):
            if strict and token.kind == "number" and known.identifier and not following:
                return [self.parameter(name, token.text)], j + 1
            return None, j
        near = self.values.near_in_column(known, token.low) if len(token.low) > 4 else ()
        if near and self._held_elsewhere(j):
            # "capital of Mongolia" is no slip of Monrovia: another column holds it to the letter
            return None, j
        if near and len(near) == 1:
            self.notes.remarks.append(f"{token.text!r} read as {near[0]!r}")
            return [self.parameter(name, near[0])], j + 1
        if self.lexicon.matches_at(self.tokens, j) and self.lexicon.matches_at(self.tokens, j)[0].score > 0.8:
            return None, j
        if not said_is or (known.field.vocabulary and token.kind != "number") or self._means_something(j):
            return None, j
        k = j
        glued = True
        while k + 1 < len(self.tokens) and self.tokens[k + 1].kind in ("word", "number"):
            glued = self.text[self.tokens[k].end : self.tokens[k + 1].start] in ("", "-", "_", ".")
            if not glued and not (self.tokens[k + 1].text[:1].isupper() and token.text[:1].isupper()):
                break
            k += 1
        text = self.said(j, k + 1 - j)
        if known.field.vocabulary and following:
            return None, j
        if known.field.vocabulary and not following:
            self.notes.remarks.append(f"no {known.column.name} {text!r} was seen in the sample")
        return [self.parameter(name, text)], k + 1
