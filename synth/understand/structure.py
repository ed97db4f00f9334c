"""The reader: walks over the words of a request once and notes what each says about the answer wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from synth.plan import Compare, Comparison, Empty, Match, OneOf, Value
from synth.understand.columns import ColumnMatch, Known, is_flag
from synth.understand.filters import _akin
from synth.understand.lengths import ListLengths
from synth.understand.loosely import Loosely
from synth.understand.notes import (
    ACTORS,
    STOPS,
    Key,
    Measure,
    Notes,
    Shown,
    no,
)
from synth.understand.numbers_and_dates import (
    CURRENCIES,
    quantity_at,
)
from synth.understand.operators import (
    AGGREGATES,
    COMPARISONS,
    OPPOSITE,
    TIME_WORDS,
    phrase_at,
    unit_at,
)
from synth.understand.qualified import Qualified
from synth.understand.spoken_joins import SpokenJoins
from synth.understand.spoken_order import SpokenOrder
from synth.understand.state import COMPARING
from synth.understand.states import RATES
from synth.understand.values import Held, flag_values
from synth.understand.vocabulary import COMPARATIVES, FILLER, GRADES, ROWS, SUPERLATIVES, VERBS
from synth.understand.words import IRREGULAR, any_of, lemma, stem

SAYING = any_of("is are was were that which who")
STRANDED = any_of("from in to with at on for by of")
DANGLING = any_of("where with by and or per of in than over under between from to is not without the")

ANSWERED = any_of("returned returning gave giving got answered")
Step = Callable[[int], int]

KEYWORDS = (
    "average total number highest lowest maximum minimum between before after without except "
    "excluding sorted ordered descending ascending distinct unique "
    "different percentage median latest newest oldest greater higher cheapest largest biggest smallest please where which count"
).split()


class Reader(Qualified, Loosely, SpokenJoins, SpokenOrder, ListLengths):
    """One walk over one request."""

    def read(self) -> Notes:
        """Walk over all tokens; every one is explained by a rule or kept as unexplained."""
        self._choose_subject()
        rules: tuple[Step, ...] = (
            self._name_them,
            self._join_said,
            self._word_as_value,
            self._flag_said,
            self._ended_noun,
            self._connector,
            self._left_out,
            self._rate,
            self._times_set_side_by_side,
            self._versus,
            self._elapsed,
            self._lasting,
            self._costing,
            self._share_of_those,
            self._exact_name,
            self._stored_time,
            self._extreme_where,
            self._list_compared,
            self._question,
            self._doer,
            self._in_stock,
            self._overdue,
            self._each_once,
            self._distinct,
            self._dedupe,
            self._from_to,
            self._direction,
            self._sorting,
            self._share,
            self._count,
            self._periods_that,
            self._unit_asked,
            self._limit,
            self._extreme_last,
            self._superlative,
            self._contrast,
            self._signed,
            self._in_all,
            self._aggregate,
            self._time_lacked,
            self._absent,
            self._never_done,
            self._lack,
            self._lost_no,
            self._filled,
            self._grouping,
            self._ago,
            self._text_match,
            self._negation,
            self._comparison,
            self._comparative,
            self._between,
            self._period,
            self._thing,
            self._once_or_range,
            self._bare_number,
            self._verb,
            self._row_noun,
            self._arithmetic_words,
            self._said_before_value,
            self._filler,
            self._late,
            self._state_word,
            self._marked,
            self._part_of_value,
            self._slip,
            self._name_of_rows,
            self._happened,
            self._handled,
            self._kind_of_folk,
            self._inside_values,
        )
        i = 0
        last = self.tokens[-1] if self.tokens else None
        coming = last is not None and last.low == "from" and self.low(len(self.tokens) - 2) in ("come", "comes", "came")
        if last is not None and last.low in STRANDED and self._clause_before(len(self.tokens) - 1):
            # "the cities that we have orders from"
            self.tokens.pop()
            last = self.tokens[-1]
        if last is not None and last.kind == "word" and last.low in DANGLING and not coming:
            raise no("not-understood", f"the request ends with {self.tokens[-1].text!r}; say what should follow")
        while i < len(self.tokens):
            for rule in rules:
                without = len(self.notes.lacking)
                j = rule(i)
                if j > i:
                    i = j
                    self.lacked_at = j if len(self.notes.lacking) > without else -1
                    break
            else:
                self.unexplained.append(self.tokens[i])
                self._joined()
                i += 1
        self._finish()
        return self.notes

    def _clause_before(self, i: int) -> bool:
        """Whether a clause of its own ends before i, so that a preposition there belongs to what the clause is about."""
        words = [t.low for t in self.tokens[:i]]
        asked = words[:1] and words[0] in any_of("which what who whom")
        return any(
            w in any_of("we they you i people there our their the it")
            and (asked or words[k - 1] in any_of("that which who whom where") or self.noun_of_rows(k - 1) is not None)
            for k, w in enumerate(words)
            if k
        )

    def _choose_subject(self) -> None:
        tables = self.lexicon.schema.tables
        if len(tables) == 1:
            self.subject = tables[0].name
            return
        votes: dict[str, float] = {}
        first: list[tuple[float, str]] = []
        i = 0
        while i < len(self.tokens):
            here = self.lexicon.tables_at(self.tokens, i)
            columns = self.lexicon.matches_at(self.tokens, i)
            if columns:
                best = columns[0].score
                top = [c for c in columns if c.score >= best - 0.05]
                for match in top:
                    weight = match.score * (1.0 if len(top) == 1 else 0.4) * (2 if match.length > 1 else 1)
                    votes[match.known.column.table] = votes.get(match.known.column.table, 0) + weight
            if here and not (columns and columns[0].length > here[0][2] and columns[0].score > 0.9):
                best_score = here[0][1]
                for name, score, _n in here:
                    if score >= best_score - 0.05:
                        before = self.low(i - 1)
                        before2 = self.low(i - 2)
                        grouped = before in ("per", "each", "by", "every") or (
                            before in ("the", "a") and before2 in ("by", "with", "without")
                        )
                        lacking = before in ("without", "no", "never", "any") or (before == "with")
                        number_before = (
                            i > 0
                            and quantity_at(self.tokens, i - 1) is not None
                            and self.low(i - 2) in ("than", "least", "most", "over", "exactly")
                        )
                        many = (
                            before in ("most", "fewest")
                            and self.low(i - 2) in any_of("the placed has have with made")
                            and i > 3
                        )
                        penalty = 10.0 if grouped or lacking or number_before or many else 0.0
                        first.append((i + penalty * 10 + (1 - score) * 5, name))
                i += here[0][2]
            else:
                i += columns[0].length if columns and columns[0].score > 0.9 else 1
        for i, token in enumerate(self.tokens):
            graded = GRADES.get(SUPERLATIVES.get(token.low) or COMPARATIVES.get(token.low, ""), ("", True))[0]
            for table in self.lexicon.table_words if graded else ():
                if self.lexicon.with_words(table, graded.replace("|", " ").split()):
                    votes[table] = votes.get(table, 0) + 0.8
            if token.kind == "word" and len(token.low) > 3:
                for known in self.lexicon.events.get(stem(token.low), []):
                    votes[known.column.table] = votes.get(known.column.table, 0) + 0.4
            if self.low(i + 1) in RATES:
                for table in self.lexicon.table_words:
                    votes[table] = votes.get(table, 0) + (1.0 if self._rated(token.low, table) else 0.0)
            for held in self.values.held_at(self.text, self.tokens, i, 4)[:4]:
                if held.score > 0.85 and i <= 2 and all(p > i for p, _ in first) and self._things_held(i, held):
                    # "admins who …" are the rows asked for
                    first.append((i, held.known.column.table))
                if held.score > 0.85:
                    votes[held.known.column.table] = votes.get(held.known.column.table, 0) + 0.6
        if first:
            place, name = min(first)
            tied = {n for p, n in first if abs(p - place) < 0.01}
            if len(tied) > 1:
                name = max(tied, key=lambda t: votes.get(t, 0))
            if place < 100:
                self.subject, self.subject_said = name, True
                return
        if any(t.lemma in any_of("who earner people person spender anyone everyone") for t in self.tokens[:6]):
            for table in self.lexicon.table_words:
                if ACTORS & set(self.lexicon.table_words[table]) and self.lexicon.label(table):
                    votes[table] = votes.get(table, 0) + 1.0
        votes = {t: n for t, n in votes.items() if n}
        if votes:
            most = max(votes.values())
            strong = [t for t in votes if votes[t] >= most * 0.5]
            # the many side reaches the others; the other way round rows would double
            reaching = [
                t
                for t in strong
                if all(self.graph.path(t, o) is not None and not self.graph.widens(t, o) for o in strong if o != t)
            ]
            self.subject = max(reaching or strong, key=lambda t: votes[t])
            return
        if first:
            self.subject = min(first)[1]
            return
        names = [t.name for t in tables]
        whole = [n for n in names if all(o == n or o.startswith(n) for o in names)]
        if len(whole) != 1:
            raise no("ambiguous", f"which table is meant: {', '.join(names[:6])}?", tuple(names[:6]))
        self.subject = whole[0]

    def _things_held(self, i: int, held: Held) -> bool:
        """Whether the value at i is said as things, of which something is told: "admins who", "cranes with"."""
        last = self.tokens[i + held.length - 1]
        after = self.low(i + held.length)
        return last.low != last.lemma and after in any_of("who that which whose with without in from of and or")

    def _connector(self, i: int) -> int:
        token = self.tokens[i]
        if token.kind == "comma":
            self.comma = True
            self.parts_at_comma = len(self.notes.parts)
            if self.aggregates == [] and self.zone == "measure":
                self.zone = "head" if not self.notes.groups else self.zone
            return i + 1
        if token.low in ("and", "&", "plus", "but", "as") and self.low(i + 1) != "minus":
            if token.low == "as" and self.low(i + 1) == "well" and self.low(i + 2) == "as":
                self.connector = "and"
                return i + 3
            if token.low == "as":
                return 0
            held = self.values.held_at(self.text, self.tokens, i, 1) if token.low == "plus" else []
            if held and token.text in held[0].stored:
                return 0
            if token.low == "plus" and self.zone != "head":
                return 0
            self.connector = "and"
            self.but = token.low == "but"
            return i + 1
        if token.low == "nor":
            self.connector, self.negate = "and", True
            return i + 1
        if token.low == "or":
            self.connector = "or"
            return i + 1
        if token.low == "either":
            return i + 1
        if token.low in ("also", "additionally"):
            self.connector = "and"
            return i + 1
        return 0

    def _exact_name(self, i: int) -> int:
        """A span of two words or more that is to the letter a column's name or a stored value goes before any keyword."""
        token = self.tokens[i]
        if token.kind in ("comma",):
            return 0
        held = self.values.held_at(self.text, self.tokens, i)
        columns = self.lexicon.matches_at(self.tokens, i)
        n_column = columns[0].length if columns and columns[0].score >= 0.93 else 0
        n_value = held[0].length if held and held[0].score >= 0.9 else 0
        if max(n_column, n_value) < 2:
            return 0
        if self.zone == "group" and (self.connector or self.comma) and self.notes.best_per and n_column >= n_value:
            return self._next_key(i)
        if token.low in any_of("per by each top where with without") and n_value <= n_column:
            return 0
        if n_value > n_column:
            return self._value(i, held)
        noun = self.lexicon.tables_at(self.tokens, i) if self.counting else []
        after = i + n_column
        if (
            noun
            and noun[0][2] < n_column
            and columns[0].known.sort == "date"
            and phrase_at(self.tokens, after, TIME_WORDS)
        ):
            # "number of orders due before May": orders are counted, the due date is compared
            return 0
        # "total amount" may be a column or a wish for a sum: the column's own name wins
        return self._column(i)

    def _question(self, i: int) -> int:
        low = self.low(i)
        two = (low, self.low(i + 1))
        if self._comparing() and ((two[0] == "how" and two[1] in any_of("does do did")) or low in COMPARING):
            self.question = self.question or "what"
            return i + (2 if low == "how" else 1)
        started = self.notes.shown or self.notes.measures or self.notes.parts or self.mentioned or self.counting
        if i == 0 or (self.zone == "head" and not started and not self.question):
            if two in (("what", "is"), ("what", "was"), ("what", "are"), ("what", "were")):
                self.question = "what"
                return i + 2
            if low == "who":
                self.question = "who"
                self.asking = True
                return i + 1
            if low in ("which", "what") and self.low(i + 1) not in any_of(
                "percentage percent share proportion fraction part %"
            ):
                self.question = "which"
                self.asking = True
                j = i + 1
                while self.low(j) in any_of("of the our are is were kind kinds sort sorts"):
                    j += 1
                found = unit_at(self.tokens, j)
                if found and not self.column_named_exactly(j):
                    self.notes.groups.append(Key(unit=found[0], asked=True))
                    self.asking = False
                    self.zone = "head"
                    return self._unit_of_unit(j + found[1])
                return j
            if low == "when" and not any(t.low in any_of("what which who how") for t in self.tokens[i + 1 :]):
                self.question = "when"
                return i + 1
            if two in (("how", "much"),):
                self.question = "how much"
                if self.low(i + 2) == "of" and self.low(i + 3) == "the":
                    return i + 4
                return i + 2
            if low == "how" and self.low(i + 1) in any_of(
                "old long heavy tall far high big large fast expensive hot warm cold deep"
            ):
                known = self.graded(self.low(i + 1), self.subject)
                if known is None:
                    raise no(
                        "no-such-column",
                        f"there is no column that says how {self.low(i + 1)} something is",
                        self.lexicon.nearest(self.low(i + 1)),
                    )
                self.notes.shown.append(Shown(known, self.low(i + 1)))
                return i + 2
            if low in any_of("is are was were do does did has have") and i == 0 and self.low(1) not in ("there",):
                raise no("cannot-answer", "yes-or-no questions are not answered; ask for the rows or their number")
        if low in ("on", "in", "at", "during") and self.low(i + 1) in ("which", "what"):
            found = unit_at(self.tokens, i + 2)
            if found and not self.column_named_exactly(i + 2):
                self.question = "which"
                self.notes.groups.append(Key(unit=found[0], asked=True))
                return self._unit_of_unit(i + 2 + found[1])
            self.question, self.asking = "which", True
            return i + 2
        return 0

    def _signed(self, i: int) -> int:
        """ "negative amounts", "amount is positive": compared with nothing."""
        low = self.low(i)
        if low not in ("negative", "positive", "zero") or self.values.held_at(self.text, self.tokens, i, 1):
            return 0
        operator: Comparison = "<" if low == "negative" else ">" if low == "positive" else "="
        column = self.column_at(i + 1, "number", 0.8) if i + 1 < len(self.tokens) else None
        last = self.last if isinstance(self.last, Known) and self.last.sort == "number" else None
        if last is not None and self.low(i - 1) in ("is", "are", "was", "were", "not"):
            known, at = last, i + 1
            self._unshow(known)
        elif column is not None and not column[0].identifier and low != "zero":
            known, at = column
        else:
            return 0
        if self.negate:
            operator, self.negate = OPPOSITE[operator], False
        self.add(Compare(known.column, operator, Value(0)), known)
        self.zone, self.last = "filter", known
        return at

    def _contrast(self, i: int) -> int:
        """ "between members and non-members", "electric versus petrol": a figure for each of the kinds named."""
        notes = self.notes
        figures = bool(notes.measures or notes.shown or self.aggregates or notes.groups or self.mentioned)
        figures = figures or any(phrase_at(self.tokens, k, AGGREGATES) for k in range(len(self.tokens)))
        if not self._comparing() or not figures:
            return 0
        first = self._kind_at(self.skip(i, any_of("between for of among the in from")))
        if first is None or self.low(first[2]) not in ("and", "versus", "with", "to", "or", "against"):
            return 0
        second = self._kind_at(self.skip(first[2] + 1, any_of("the those of for in from")))
        if second is None or second[0] is not first[0] or set(first[1]) & set(second[1]):
            return 0
        known = first[0]
        values = (*first[1], *second[1])
        stored: set[object] = set(known.field.vocabulary) or {True, False}
        self.notes.groups.append(Key(known=known, at=i))
        if not set(values) >= stored:
            self.add(OneOf(known.column, tuple(self.parameter(known.column.name, v) for v in values)), known)
        self.connector, self.comma = "", False
        return second[2]

    def _kind_at(self, i: int) -> tuple[Known, tuple[object, ...], int] | None:
        """A kind of rows named at i by a stored value or a yes-or-no word; its column, values, and the place after it."""
        negated = self.low(i) in ("non", "not")
        j = i + negated
        if j >= len(self.tokens):
            return None
        flags = self.values.flag_at(self.tokens, j)
        held = self.values.held_at(self.text, self.tokens, j)
        if flags:
            known, at = flags[0].known, j + flags[0].length
            truth = flags[0].stored == flag_values(known, True)
            values = flag_values(known, truth != negated)
        elif held and not negated and held[0].score > 0.84:
            known, values, at = held[0].known, held[0].stored, j + held[0].length
        else:
            return None
        tables = self.lexicon.tables_at(self.tokens, at)
        rows = at < len(self.tokens) and (
            self.lexicon.row_noun(self.tokens[at], self.subject) or self.tokens[at].lemma == "day"
        )
        return known, values, at + (tables[0][2] if tables else int(bool(rows)))

    def _bare_number(self, i: int) -> int:
        """A number with nothing around it: the value of the column just named, or a limit before the rows' noun."""
        number = quantity_at(self.tokens, i)
        if number is None:
            return 0
        last = self.last
        if self.low(i - 1) in ANSWERED and not number.unit:
            codes = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.sort == "number" and {"status", "code"} & set(k.words)
            ]
            if len(codes) == 1:
                self.add(self.compare_number(codes[0], "=", number), codes[0], value=True)
                return i + 1
        if (
            self.tokens[i + 1 : i + 2]
            and self.tokens[i + 1].lemma in ("error", "response", "status")
            and not number.unit
        ):
            codes = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.sort == "number" and {"status", "code"} & set(k.words)
            ]
            if len(codes) == 1 and len(self.tokens[i].text) == 3:
                self.add(self.compare_number(codes[0], "=", number), codes[0], value=True)
                self.tokens[i + 1] = replace(self.tokens[i + 1], low="rows", lemma="row")
                return i + 1
        if (
            (self.connector or self.comma)
            and self.notes.parts
            and self.notes.parts[-1].value
            and self.notes.parts[-1].known is not None
            and self.notes.parts[-1].known.sort == "number"
        ):
            known = self.notes.parts[-1].known
            self.add(self.compare_number(known, "=", number), known, value=True)
            return i + number.length
        counted = self._so_many(i)
        if counted:
            return counted
        if number.length == 1 and not number.unit and self.tokens[i].kind == "number" and isinstance(last, tuple):
            return 0
        if (
            not number.unit
            and number.value == int(number.value)
            and self.zone == "head"
            and not self.notes.shown
            and not self.notes.measures
            and not self.notes.parts
            and i <= 4
        ):
            k = i + number.length
            if (
                k < len(self.tokens)
                and (
                    self.lexicon.tables_at(self.tokens, k)
                    or self.lexicon.row_noun(self.tokens[k], self.subject)
                    or self.tokens[k].lemma in ("example", "sample")
                    or self._things_ranked(k)
                )
                and self.low(i - 1) in ("me", "any", "show", "list", "get", "give", "see", "the", "our", "are", "")
            ):
                self.notes.limit = int(number.value)
                return k
        return 0

    def _things_ranked(self, k: int) -> bool:
        """Whether the values of a column are named at k, to be ranked: "the 3 clubs with the most runners"."""
        named = self.lexicon.matches_at(self.tokens, k)
        plural = bool(named) and self.tokens[k + named[0].length - 1].low != self.tokens[k + named[0].length - 1].lemma
        return plural and named[0].known.sort == "text" and self._ranked_ahead(k + named[0].length)

    def _so_many(self, i: int) -> int:
        """ "with 10 credits", "for 2 or 3 persons": the number before the name of a column is its value."""
        if self.low(i - 1) not in any_of("with have has had having of for and or , but get got exactly were was"):
            return 0
        numbers = []
        j = i
        while (number := quantity_at(self.tokens, j)) is not None:
            numbers.append(number)
            j += number.length
            if self.low(j) not in ("or", ","):
                break
            j += 1
        of = bool(numbers) and bool(numbers[-1].unit) and self.low(j) == "of"
        if not numbers or not (of or all(n.unit in ("", "%", *CURRENCIES) for n in numbers)):
            return 0
        # "with 32 GB of memory"
        j += of
        matches = self.lexicon.matches_at(self.tokens, j)
        column = self.column_at(j, "number", 0.8)
        if column is None or column[0].identifier or matches[0].known.sort != "number":
            return 0
        if [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] > matches[0].score]:
            return 0
        for n, number in enumerate(numbers):
            self.connector = "or" if n else self.connector
            self.add(self.compare_number(column[0], "=", number), column[0], value=True)
        self.zone, self.last = "filter", column[0]
        return column[1]

    def _verb(self, i: int) -> int:
        """Verbs that point at a column: "hired", "shipped", "earning", "born", "ordered"."""
        token = self.tokens[i]
        if token.kind != "word":
            return 0
        root = stem(token.low)
        ahead = self.skip(i + 1, any_of("a the total of"))
        bound = phrase_at(self.tokens, ahead, COMPARISONS)
        amount = quantity_at(self.tokens, ahead + bound[1]) if bound else None
        if amount is not None and amount.unit not in ("d", "wk", "mo", "y", "h", "min"):
            measured_by = self._verb_of_amount(i, root)
            if measured_by:
                return measured_by
        events = [k for k in self.lexicon.events.get(root, []) if k.column.table == self.subject]
        if not events and root in ("join", "start", "employ", "hir"):
            events = [
                k
                for r in ("hir", "join", "start", "employ")
                for k in self.lexicon.events.get(r, [])
                if k.column.table == self.subject
            ]
        if not events and root in ("register", "signup", "creat", "join", "sign", "open", "rais", "submit", "fil"):
            events = [
                k
                for r in ("register", "signup", "creat", "join", "registration")
                for k in self.lexicon.events.get(stem(r), [])
                if k.column.table == self.subject
            ]
        if not events and root in ("order", "plac", "buy", "purchas", "sell"):
            roots = ("order", "plac", "purchas", "sell", "sal", "buy")
            pool = [k for r in roots for k in self.lexicon.events.get(r, [])]
            events = [k for k in pool if k.column.table == self.subject] or pool[:1]
        if not events and root in ("depart", "arriv", "admit", "discharg", "deliver"):
            noun = {"depart": "departure", "arriv": "arrival", "admit": "admission", "deliver": "delivery"}.get(
                root, root
            )
            events = [k for k in self.lexicon.events.get(stem(noun), []) if k.column.table == self.subject]
        measured = [
            k
            for k in self.lexicon.of_table[self.subject]
            if k.sort == "number" and not k.identifier and any(stem(w) == root for w in k.words[:2])
        ]
        if not events and len(measured) == 1 and token.low.endswith(("ed", "ing")):
            ahead = self.skip(i + 1, {"by", "for", "a", "of"})
            if phrase_at(self.tokens, ahead, COMPARISONS):
                self.last = measured[0]
                return ahead
            if quantity_at(self.tokens, ahead):
                return self._number_predicate(i, ahead, measured[0], "=", True, False)
        if self.low(i + 1) in ("by", "to"):
            doers = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.sort == "text" and len(root) > 3 and any(stem(w)[:6] == root[:6] for w in k.words)
            ]
            if len(doers) == 1:
                self.last, self.hint = doers[0], "by"
                return i + 2
        if not events and root in ("leav", "quit", "resign", "terminat", "exit"):
            events = [
                k
                for r in ("leav", "leave", "terminat", "termination", "exit", "end")
                for k in self.lexicon.events.get(stem(r), [])
                if k.column.table == self.subject
            ]
        if token.low.startswith("un") and len(token.low) > 5:
            lacking = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.sort == "text" and k.field.nulls and any(stem(w)[:6] == stem(token.low[2:])[:6] for w in k.words)
            ]
            if len(lacking) == 1:
                self.add(Empty(lacking[0].column), lacking[0])
                return i + 1
        if not events and token.low.startswith("un") and len(token.low) > 5:
            opposite = [k for k in self.lexicon.events.get(stem(token.low[2:]), []) if k.column.table == self.subject]
            if len(opposite) == 1:
                self.add(Empty(opposite[0].column), opposite[0])
                return i + 1
        unfigured = self.question == "how much" and not (self.notes.measures or self.notes.shown)
        if unfigured and root == "sell":
            raise no("ambiguous", "how much in money, or how many pieces?", ("revenue", "quantity"))
        if unfigured and root in ("earn", "mak", "spend") and self._by_words(["amount", "total", "revenue"]) is None:
            worth = self.derived("revenue")
            if worth is not None:
                self.notes.measures.append(Measure("sum", worth, "revenue"))
                return i + 1
        if (
            root in ("buy", "purchas", "order", "sell", "bought")
            and not events
            and len(self.lexicon.schema.tables) == 1
        ):
            purchase = replace(token, lemma="purchase")
            if self.lexicon.row_noun(purchase, self.subject) and not self.values.flag_at(self.tokens, i):
                self.bought = True
                return i + 1
        if root == "pay" and self.low(i + 1) in ("by", "with", "in", "using", "via"):
            means = self.values.held_at(self.text, self.tokens, self.skip(i + 2, {"a", "the"}))
            if any(set(h.known.words) & {"payment", "method", "pay", "paid"} for h in means):
                return i + 2
        if root in ("spend", "sell", "earn") and self.low(self.skip(i + 1, {"the"})) in (
            "most",
            "least",
            "best",
            "worst",
        ):
            return i + 1
        if (
            root in any_of("publish releas built build mak manufactur produc construct found establish open")
            and not events
        ):
            years = [k for k in self.lexicon.of_table[self.subject] if k.sort == "number" and "year" in k.words]
            if len(years) == 1 and self._time_ahead(i + 1):
                self.last = years[0]
                return i + 1
        headed = self.zone == "head" and not (self.notes.shown or self.notes.measures or self.mentioned or self.asking)
        if headed and len(events) == 1 and token.low != token.lemma and self.low(i + 1) in ("per", "by"):
            # "hires per year": each row has one
            self.counting = "rows"
        if self.counting and len(events) == 1 and token.low.endswith("s"):
            # "number of signups per month": each row has one
            self._count_now(Measure("count", None, token.low, rows_of=self.subject))
            self.event = events[0]
            return i + 1
        flags = self.values.flag_at(self.tokens, i)
        if flags and not events:
            return self._flag(i, flags)
        if len(events) == 1 or (events and len({k.column for k in events}) == 1):
            known = events[0]
            j = i + 1
            ahead = self.skip(j, any_of("their at the us company with items by out"))
            timed = self._time_ahead(j) or self._time_ahead(ahead)
            bare = not (token.low.endswith(("ed", "ing")) or token.low in IRREGULAR or token.low != token.lemma)
            if (
                timed
                and bare
                and isinstance(self.last, tuple)
                and not (
                    self.low(i - 1) in ("who", "that", "to", "did") or any(t.low == "did" for t in self.tokens[:i])
                )
            ):
                # "took parental leave": a noun, and not the verb
                return 0
            if timed:
                self.event = known
                self.last = known
                self._unevent()
                column = self._date_predicate(i, j, known, False, False)
                if column:
                    self.event = None
                    return column
                return j
            if self.question == "when":
                self.notes.shown.append(Shown(known, token.low))
                return j
            nothing_follows = self.low(j) in any_of("last first each per by every most earliest latest")
            if not token.low.endswith(("ed", "ing")) and token.low not in IRREGULAR:
                return 0
            if self.asking or self.question == "who" or not known.field.nulls or nothing_follows:
                self.event = known
                self._existence(root)
                return j
            if self.negate:
                self.negate = False
                self.add(Empty(known.column), known)
                return j
            self.add(Empty(known.column, negated=True), known)
            self.last = None
            return j
        if len(events) > 1:
            self.event = self._main_date(self.subject, events)
            if self.event is not None:
                return i + 1
            names = tuple(k.column.name for k in events)
            raise no("ambiguous", f"{token.text!r} may mean {' or '.join(names)}", names)
        measured_by = self._verb_of_amount(i, root)
        if measured_by:
            return measured_by
        if self._existence(root):
            return i + 1
        figure = (
            self.last if isinstance(self.last, Known) else self.last.known if isinstance(self.last, Measure) else None
        )
        done = token.low.endswith("ed") or token.low in any_of("flown driven ridden sold worked eaten drunk run")
        if done and figure is not None and figure.sort == "number" and self.tokens[i - 1].lemma in figure.words:
            # "distance flown", "cups sold"
            return i + 1
        if token.low.endswith("ed") or token.low in IRREGULAR:
            if any(_akin(stem(w), root) for w in self.lexicon.table_words[self.subject][-1:]) and self.notes.shown:
                # "guests who booked twice": each row is a booking
                return i + 1
            found = phrase_at(self.tokens, i + 1, COMPARISONS)
            k = i + 1 + (found[1] if found else 0)
            amount = quantity_at(self.tokens, k)
            if amount is not None and found:
                what = self.column_at(
                    k + amount.length - (1 if amount.unit and amount.length > 1 else 0), "number", 0.9
                )
                if what is not None and not what[0].identifier:
                    # "stayed more than 10 nights": the column says what
                    return i + 1
        if self.low(i - 1) in ("we", "they") and root in any_of("sell order buy offer stock carry us serv"):
            return i + 1
        return 0

    def _verb_of_amount(self, i: int, root: str) -> int:
        """ "earns", "spent", "gave": the column of the amount, to be compared or shown."""
        for verb, words in VERBS.items():
            if stem(verb) == root:
                if root == "spend" and len(self.lexicon.schema.tables) == 1:
                    words += " cost price"
                j = self.skip(i + 1, {"a", "the", "them", "us"})
                known_or_none = None
                for table in dict.fromkeys([self.subject, *self.mentioned]):
                    pool2 = self.lexicon.with_words(table, words.split(), "number")
                    if pool2:
                        first = _told_first(pool2, words.split())
                        known_or_none = first[0] if len(first) == 1 else None
                        break
                if known_or_none is None:
                    far = self._by_words(words.split())
                    if (
                        far is not None
                        and far.additive
                        and self.graph.widens(self.subject, far.column.table)
                        and phrase_at(self.tokens, j, COMPARISONS)
                    ):
                        # "customers who spent more than 5000": the sum of each is compared
                        self.last = Measure("sum", far.column, far.column.name, known=far)
                        return j
                if known_or_none is None:
                    continue
                known = known_or_none
                entity = self.notes.shown[-1] if self.notes.shown else None
                if (
                    entity is not None
                    and self.lexicon.entity(entity.known)
                    and entity.known.field.distinct < entity.known.field.values
                    and known.additive
                    and phrase_at(self.tokens, j, COMPARISONS)
                ):
                    # "donors who gave more than 1000": what each gave in all
                    self.last = Measure("sum", known.column, known.column.name, known=known)
                    return j
                spent = root == "spend" and (self.question == "what" or self.low(0) == "what")
                if (self.question == "how much" or spent) and not self.notes.measures and not self.notes.shown:
                    # what was spent on things without a quantity is the sum of their prices
                    single = root == "spend" and not self.lexicon.with_words(
                        known.column.table, ["quantity", "units"], "number"
                    )
                    if known.additive or single:
                        self.notes.measures.append(Measure("sum", known.column, known.column.name, known=known))
                    else:
                        self.notes.shown.append(Shown(known, self.low(i)))
                    self.last = known
                    return j
                self.last = known
                return j
        return 0

    def _unevent(self) -> None:
        """A verb with a time behind it is a condition and shows nothing."""

    def _existence(self, root: str) -> bool:
        """ "customers who ordered": a partner must exist in the table the verb speaks of."""
        related = {
            "order": "order",
            "buy": "order",
            "purchas": "order",
            "borrow": "loan",
            "sell": "order",
            "book": "booking",
            "visit": "visit",
            "rent": "rental",
            "pay": "payment",
        }
        noun = related.get(root)
        if noun is None or len(self.lexicon.schema.tables) == 1:
            return False
        for table in self.lexicon.schema.tables:
            if noun in self.lexicon.table_words[table.name] and table.name != self.subject:
                path = self.graph.path(self.subject, table.name)
                if path:
                    if table.name not in self.notes.existing and self.subject_said:
                        self.notes.existing.append(path[0].to_table if len(path) == 1 else table.name)
                    self.mention(table.name)
                    if self.event is None and any(self._time_ahead(k) for k in range(len(self.tokens))):
                        # "books borrowed in 2023": a time near a happening is the happening's
                        self.event = self.date_column(table=table.name)
                    return True
        return False

    def _costing(self, i: int) -> int:
        """ "Orders that cost more than 1000": the amount of the rows spoken of goes before a column of another table."""
        if self.low(i) not in ("cost", "costs", "costing", "cost") or not phrase_at(self.tokens, i + 1, COMPARISONS):
            return 0
        noun = isinstance(self.last, str) and self.last.startswith("table:")
        verb = self.low(i - 1) in ("that", "which", "who") or (noun and self.low(i - 1) not in ("the", "a", "with"))
        return self._verb_of_amount(i, "cost") if verb else 0

    def _lasting(self, i: int) -> int:
        """ "Waited more than 2 hours": how long it was, in a column called like the verb; a state called so is not meant."""
        bound = phrase_at(self.tokens, i + 1, COMPARISONS)
        number = quantity_at(self.tokens, i + 1 + bound[1]) if bound else None
        low = self.low(i)
        if number is None or number.unit not in ("min", "h", "s", "d") or not low.endswith("ed") or len(low) < 5:
            return 0
        root = stem(low)
        columns = self.lexicon.of_table[self.subject]
        numbers = [k for k in columns if k.sort == "number" and any(_akin(stem(w), root) for w in k.words)]
        numbers = [k for k in numbers if self._measures_in(k, number.unit)]
        if len(numbers) == 1:
            self.last = numbers[0]
            return i + 1
        held = self.values.held_at(self.text, self.tokens, i)
        if held and held[0].score < 0.9:
            raise no("no-such-column", f"no column says how long it {low}", self.lexicon.nearest(low))
        return 0

    def _share_of_those(self, i: int) -> int:
        """ "What share of orders from Germany were cancelled": what is said before the verb says of which rows; takes no word."""
        if self.low(i) in SAYING and self.sharing and self.share_rows and len(self.notes.parts) > self.share_mark:
            self.share_mark = len(self.notes.parts)
        return 0

    def _row_noun(self, i: int) -> int:
        """A general word for the rows of the one table: "records", "matches"."""
        token = self.tokens[i]
        if token.kind != "word" or not self.lexicon.row_noun(token, self.subject):
            return 0
        several = len(self.lexicon.schema.tables) > 1
        if several and ROWS.get(token.lemma) and token.lemma not in ("person", "people", "everyone", "everybody"):
            return 0
        k = i + 1
        if (
            self.tokens[k : k + 1]
            and (self.tokens[k].kind == "number" or self.tokens[k].text == "#")
            and token.low == token.lemma
            and not self.counting
            and not self.notes.limit
        ):
            done = self._identified(self.subject, k + (self.tokens[k].text == "#"))
            if done:
                return done
        happened = self._date_of_happening(i)
        # "payments in March": what is paid, when it was paid
        self._befallen([happened] if happened is not None else [])
        if self.counting:
            self._count_now(Measure("count", None, token.low, rows_of=self.subject))
        elif self.sharing and not self.share_rows:
            self.share_rows = True
            self.share_mark = len(self.notes.parts)
        elif self.aggregates == ["sum"]:
            self.aggregates = []
            self._sum_of_rows(i, self.subject, token.low)
        if self.asking:
            self.asking = False
            self.notes.per_row_of = self.subject
        self.mention(self.subject)
        self.rows_said = True
        if token.low == "everything":
            self.notes.all_columns = True
            return self.skip(i + 1, {"about", "on", "for", "regarding", "concerning"})
        if token.low not in ("data", "dataset", "table", "result", "results"):
            self.last = f"table:{self.subject}"
        self._joined()
        return i + 1

    def _filler(self, i: int) -> int:
        token = self.tokens[i]
        if token.kind == "symbol":
            return i + 1 if token.text in ("&", "#") else 0
        if token.kind != "word":
            return 0
        low = token.low
        three = (low, self.low(i + 1), self.low(i + 2))
        for phrase in (
            ("in", "percent"),
            ("as", "percent"),
            ("in", "percentage"),
            ("as", "percentage"),
            ("as", "a", "percentage"),
            ("as", "a", "percent"),
            ("in", "percentages"),
            ("as", "percentages"),
            ("in", "%"),
            ("as", "%"),
        ):
            if three[: len(phrase)] == phrase and (self.sharing or any(m.share for m in self.notes.measures)):
                self.sharing = "percent" if self.sharing else ""
                for measure in self.notes.measures:
                    measure.share = "percent" if measure.share else ""
                return i + len(phrase)
        if low in any_of("where whose when who which that with having if for from in"):
            if self.zone in ("group", "order", "measure"):
                self.zone = "filter"
            if low in any_of("whose where with having that who which"):
                self.zone = "filter"
            if low == "by":
                self.hint = "by"
            return i + 1
        if low in ("all",) and self.zone == "head":
            return i + 1
        if low in any_of("columns fields column field value values attributes") and not self.lexicon.matches_at(
            self.tokens, i
        ):
            if low in ("columns", "fields"):
                self.notes.all_columns = self.notes.all_columns or self.low(i - 1) == "all"
            return i + 1
        if (
            low == "their"
            and self.low(i - 1) in ("and", "with")
            and isinstance(self.last, str)
            and self.last.startswith("table:")
        ):
            self.notes.each_of = self.last.removeprefix("table:")
            return i + 1
        if low in ("still", "currently", "now", "current", "presently"):
            return i + 1 if self._not_ended() else 0
        if low == "only" and self.notes.groups:
            # "only months above 1000", "only those with more than 5"
            j = self.skip(i + 1, any_of("the those ones groups where with"))
            unit = unit_at(self.tokens, j)
            named = unit is not None and any(k.unit == unit[0] for k in self.notes.groups)
            column = self.column_at(j) if j < len(self.tokens) and not named else None
            grouped = column is not None and any(k.known is column[0] for k in self.notes.groups)
            at = j + unit[1] if named and unit else column[1] if grouped and column else j
            if at > i + 1 and phrase_at(self.tokens, self.skip(at, any_of("with where having")), COMPARISONS):
                self.last = self.notes.groups[-1]
                return self.skip(at, any_of("with where having"))
        if low in ("alphabetically",):
            return i + 1
        if low in ("about", "regarding", "concerning") and self.notes.all_columns:
            return i + 1
        if low in ("total", "altogether", "overall") and self.notes.measures and self.low(i - 1) in ("in", ""):
            return i + 1
        if low in ANSWERED and quantity_at(self.tokens, i + 1):
            return i + 1
        if low in ("company", "firm", "club", "organisation", "organization") and self.low(i - 1) == "the":
            return i + 1 if stem(self.low(i - 2)) in ("leav", "join", "work", "quit") else 0
        if low in ("anything", "something", "anyone", "someone"):
            return i + 1
        if low in FILLER or (low in ("first", "then") and self.notes.sorting):
            return i + 1
        return 0

    def _not_ended(self) -> bool:
        """ "still": what has an end has not reached it; True when that was noted or nothing here ends."""
        endings = {
            "termination",
            "terminated",
            "discharged",
            "discharge",
            "returned",
            "end",
            "ended",
            "left",
            "leave",
            "closed",
            "exit",
            "resolved",
        }
        ending = [k for k in self.lexicon.dates(self.subject) if set(k.words) & endings and k.field.nullable]
        if not ending and len(self.lexicon.schema.tables) > 1:
            # books that a reader has now: the loan between them has not ended
            steps = {e.to_table for t in self.mentioned for e in self.graph.path(self.subject, t) or []}
            ending = [k for t in steps for k in self.lexicon.dates(t) if set(k.words) & endings and k.field.nullable]
        if len(ending) == 1 and not any(p.known is ending[0] for p in self.notes.parts):
            self.add(Empty(ending[0].column), ending[0])
        return len(ending) < 2

    def _slip(self, i: int) -> int:
        """A slip of the finger, or a value that only the whole source knows."""
        token = self.tokens[i]
        if token.kind in ("quote", "literal"):
            return self._quoted(i)
        # several words first: a name of a person or a town
        for n in range(min(4, len(self.tokens) - i), 0, -1):
            span = self.tokens[i : i + n]
            if any(t.kind in ("comma", "symbol", "quote") for t in span) or (
                n > 1 and (span[-1].low in STOPS or span[-1].low in FILLER)
            ):
                continue
            if (
                n == 1
                and token.kind != "word"
                and not (token.kind == "number" and i + 1 < len(self.tokens) and self.tokens[i + 1].start == token.end)
            ):
                continue
            held = self.values.asked(self.text, self.tokens, i, n)
            if held:
                return self._value(i, held)
        if token.kind != "word":
            return 0
        typed = self.lexicon.typo((token.low,)) or self.lexicon.typo((token.lemma,))
        held = self.values.typo_at(self.tokens, i)
        noun = [
            t
            for t in self.lexicon.table_words
            if self.lexicon.table_words[t] and _near(token.lemma, self.lexicon.table_words[t][-1])
        ]
        if noun and (len(self.lexicon.schema.tables) == 1 or len(noun) == 1):
            return self._table(i, [(noun[0], 0.9, 1)])
        keyword = _keyword_slip(token.low)
        if keyword:
            fixed = replace(token, low=keyword, lemma=lemma(keyword), text=keyword)
            self.tokens[i] = fixed
            self.notes.remarks.append(f"{token.text!r} read as {keyword!r}")
            for rule in (
                self._count,
                self._superlative,
                self._aggregate,
                self._grouping,
                self._sorting,
                self._direction,
                self._negation,
                self._comparison,
                self._lack,
                self._distinct,
                self._filler,
            ):
                j = rule(i)
                if j > i:
                    return j
            self.tokens[i] = token
        if typed and token.low.endswith("ed") and any(stem(w) == stem(token.low) for w in typed[0][0].words):
            # "scored" is a verb, and no slip of "score"
            typed = []
        if typed and typed[0][0].sort == "date":
            # "hires per year" are rows, "open deals" are in a state: neither is a slip of hired_on or opened_on
            state = any(stem(w) == stem(token.low) for w in typed[0][0].words)
            typed = [] if state or token.low != token.lemma else typed
        if typed and not held:
            known = self.choose([ColumnMatch(k, s, 1) for k, s in typed])
            assert known is not None
            self.notes.remarks.append(f"{token.text!r} read as {known.column.name!r}")
            fixed = replace(
                token, low="_".join(known.words), lemma=known.words[-1], text=known.column.name, kind="quote"
            )
            self.tokens[i] = fixed
            j = self._column(i)
            return j
        if held and not typed:
            self.notes.remarks.append(f"{token.text!r} read as {held[0].stored[0]!r}")
            return self._value(i, held)
        return 0

    def _overdue(self, i: int) -> int:
        """ "overdue": the due date has passed and what would end it has not happened."""
        if self.low(i) != "overdue":
            return 0
        due = [k for k in self.lexicon.dates(self.subject) if "due" in k.words]
        ends = any_of("returned return paid payment closed completed done resolved finished delivered")
        done = [k for k in self.lexicon.dates(self.subject) if set(k.words) & ends and k.field.nullable]
        flags = [k for k in self.lexicon.of_table[self.subject] if is_flag(k.field) and set(k.words) & (ends | {"pay"})]
        if len(due) != 1 or len(done) > 1 or (not done and len(flags) != 1):
            return 0
        today = self.moment(due[0], self.calendar.today)
        self.add(Compare(due[0].column, "<", self.parameter("today", today)), due[0])
        if done:
            self.add(Empty(done[0].column), done[0])
        else:
            self.add(self.held_condition(Held(flags[0], flag_values(flags[0], False), 1, 1.0)), flags[0])
        return i + 1

    def _quoted(self, i: int) -> int:
        """Quoted text that no vocabulary holds: asked of the source, else a value of the column just named."""
        if self.low(i + 1) == "in":
            place = self.column_at(self.skip(i + 2, {"the", "its", "their"}), "text")
            if place is not None:
                self.add(Match(place[0].column, "contains", self.parameter("word", self.tokens[i].text)), place[0])
                return place[1]
        held = self.values.asked(self.text, self.tokens, i, 1)
        if held:
            return self._value(i, held)
        known = self.last if isinstance(self.last, Known) and self.last.sort == "text" else None
        if known is None:
            return 0
        self._unshow(known)
        self.add(Compare(known.column, "=", self.parameter(known.column.name, self.tokens[i].text)), known, value=True)
        return i + 1

    def _finish(self) -> None:
        """What was opened and not closed by the end."""
        self._named_in_vain()
        notes = self.notes
        said = (
            notes.shown
            or notes.computed
            or notes.measures
            or notes.groups
            or notes.parts
            or notes.having
            or notes.lacking
            or notes.none_of
            or self.mentioned
        )
        if (
            not (
                said
                or self.counting
                or self.aggregates
                or self.sharing
                or notes.best
                or notes.all_columns
                or notes.limit
            )
            and not self.unexplained
        ):
            raise no("not-understood", "this names nothing in the data", tuple(self.lexicon.table_words)[:6])
        if self.connector == "or":
            raise no("not-understood", "an 'or' with nothing behind it")
        for part in list(notes.parts):
            if part.known is None or not isinstance(part.condition, OneOf) or part.condition.negated:
                continue
            all_there_are = set(part.known.field.vocabulary)
            if notes.measures and all_there_are and {v.value for v in part.condition.values} >= all_there_are:
                # "salary of men and women": one figure for each is meant
                notes.parts.remove(part)
                notes.groups.append(Key(known=part.known))
        if self.question == "how much" and not notes.measures and not notes.shown:
            raise no("not-understood", "how much of what? name a column")
        if self.counting:
            self._count_now(Measure("count", None, "rows", rows_of=self.subject))
        if self.aggregates and len(notes.computed) == 1:
            # "how many days between … on average"
            elapsed, named = notes.computed.pop()
            notes.measures += [Measure(function, elapsed, named) for function in self.aggregates]
            self.aggregates = []
        if self.aggregates:
            trailing = self.low(len(self.tokens) - 1) in ("total", "overall", "combined")
            if self.aggregates == ["sum"] and self.notes.measures and trailing:
                self.aggregates = []
            else:
                raise no(
                    "not-understood",
                    f"{self.aggregates[0]} of what? name a column",
                    tuple(
                        k.column.name
                        for k in self.lexicon.of_table[self.subject]
                        if k.sort == "number" and not k.identifier
                    )[:8],
                )
        best = notes.best.by if notes.best is not None else None
        keys = [*notes.groups, *notes.best_per]
        if best is not None and (notes.shown or len(keys) > 1) and any(k.table == best.column.table for k in keys):
            raise no(
                "not-understood", f"each of the {best.column.table!r} has one {best.column.name!r}; name what to rank"
            )
        if self.negate:
            raise no("not-understood", "a 'not' with nothing behind it that it could deny")


def _told_first(pool: list[Known], words: list[str]) -> list[Known]:
    """The columns of the word that comes first; of these the ones called just so, where there are any."""
    leading = next(w for w in words if any(w in k.words for k in pool))
    first = [k for k in pool if leading in k.words]
    return [k for k in first if len(k.words) == 1] or first


def _near(word: str, noun: str) -> bool:
    from rapidfuzz import fuzz

    return len(word) > 4 and len(noun) > 3 and word[0] == noun[0] and fuzz.ratio(word, noun) >= 84


def _keyword_slip(word: str) -> str:
    from rapidfuzz import fuzz, process

    if len(word) < 5:
        return ""
    hit = process.extractOne(word, KEYWORDS, scorer=fuzz.ratio, score_cutoff=87)
    return hit[0] if hit and hit[0][0] == word[0] else ""
