"""The nouns and adjectives of a request: columns, tables, stored values, yes-or-no words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from synth.plan import (
    AggregateName,
    Compare,
    Condition,
    Empty,
)
from synth.understand.columns import ColumnMatch, Known
from synth.understand.groups_and_order import GroupsAndOrder
from synth.understand.logic import either
from synth.understand.notes import (
    STOPS,
    Best,
    Key,
    Measure,
    Shown,
    no,
)
from synth.understand.operators import COMPARISONS, TIME_WORDS, phrase_at, unit_at
from synth.understand.values import Held, flag_values
from synth.understand.vocabulary import FILLER, VERBS
from synth.understand.words import IRREGULAR, Token, any_of, stem

AGGREGATE_BEHIND: dict[str, AggregateName] = {
    "total": "sum",
    "totals": "sum",
    "sum": "sum",
    "average": "avg",
    "averages": "avg",
    "avg": "avg",
    "mean": "avg",
    "median": "median",
    "maximum": "max",
    "max": "max",
    "minimum": "min",
    "min": "min",
}
# What a last row of sums is called, among the values of a table that has one.
FOOTERS = any_of("total totals sum average overall")
# Rows that are money: their total is a sum.
MONEY = any_of("donation gift contribution payment expense deposit withdrawal transfer refund payout fine tip")


def token_done(word: str) -> bool:
    """Whether the word says that something was done: admitted, sold."""
    return word.endswith("ed") or word in IRREGULAR


class Things(GroupsAndOrder):
    """The nouns and adjectives of a request."""

    def _thing(self, i: int) -> int:
        token = self.tokens[i]
        if token.kind in ("comma", "symbol"):
            return 0
        noun = self.lexicon.tables_at(self.tokens, i) if self.counting else []
        if noun and noun[0][1] > 0.8:
            longer = self.lexicon.matches_at(self.tokens, i)
            after = i + longer[0].length if longer else i
            timed = longer and longer[0].known.sort == "date" and phrase_at(self.tokens, after, TIME_WORDS)
            if longer and longer[0].length > noun[0][2] and (timed or phrase_at(self.tokens, after, COMPARISONS)):
                # "how many products cost less than 50": products are counted, the cost is compared
                return self._table(i, noun)
        held = self.values.held_at(self.text, self.tokens, i)
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.score >= 0.6]
        tables = [t for t in self.lexicon.tables_at(self.tokens, i) if t[1] >= 0.6]
        n_value = held[0].length if held else 0
        n_column = matches[0].length if matches else 0
        n_table = tables[0][2] if tables else 0
        if token.kind == "number" and (not n_value or n_value == 1):
            return 0
        if token.low in FILLER and n_value:
            # GET is a method where the data says so, though "get" is mostly a word of courtesy
            cased = any(v == self.said(i, n_value) for h in held for v in h.stored) and token.text.isupper()
            rows = i + 1 < len(self.tokens) and self.lexicon.row_noun(self.tokens[i + 1], self.subject)
            led = self.low(i - 1) in ("in", "is", "on", "using") and (
                self.low(i + 1) in STOPS or i + 1 == len(self.tokens)
            )
            if cased or led or (rows and i > 0 and held[0].score >= 0.99 and len(token.low) > 2):
                return self._value(i, held)
        if (
            token.low in FILLER
            and max(n_value, n_column, n_table) < 2
            and not (
                n_column
                and matches[0].score >= 0.99
                and (
                    token.low not in any_of("is the a of in to i on at by it me as up go us we")
                    or (len(token.low) == 1 and self._name_alone(i))
                )
            )
        ):
            return 0
        if (
            len(token.low) == 1
            and token.kind == "word"
            and not (n_column and matches[0].score >= 0.99)
            and token.text.islower()
        ):
            return 0
        derived = self._derived_at(i)
        if derived and not (matches and matches[0].score > 0.9) and not (n_value > 1):
            return self._measure_here(i, derived)
        behind = isinstance(self.last, str) and self.last.startswith("table:") and self.tokens[i - 1].kind == "word"
        events = [k for k in self.lexicon.events.get(stem(token.low), ()) if k.column.table == self.subject]
        if behind and token_done(token.low) and len(events) == 1 and held and not self.asking:
            # "tickets closed in June", "tickets closed per month": when it was done, and not only its state
            if self._time_ahead(i + 1):
                done = self._verb(i)
                if done:
                    return done
            if self.low(i + 1) in ("per", "by", "each", "every") and unit_at(self.tokens, i + 2):
                self.event = events[0]
                if events[0].field.nullable:
                    self.add(Empty(events[0].column, negated=True), events[0])
                return i + 1
        # "paid after the due date", "opened last week": a verb with a time behind it, not a state
        if token.low.endswith(("ed", "id")) and (not held or held[0].score < 0.9) and self._time_ahead(i + 1):
            done = self._verb(i) if stem(token.low) in self.lexicon.events or n_value else 0
            if done:
                return done
        both = matches[0] if matches and n_column == n_value == 1 else None
        if (
            both
            and held[0].known is not both.known
            and both.known.sort == "number"
            and 0.95 <= both.score < 0.99 <= held[0].score
            and self.zone == "head"
            and not self.rows_said
            and not self.counting
            and not self._noun_ahead(i + 1)
            and not unit_at(self.tokens, i + 1)
        ):
            names = (
                f"{both.known.column.name} as a figure",
                f"rows where {held[0].known.column.name} is {held[0].stored[0]}",
            )
            raise no("ambiguous", f"{token.text!r} is a column and a value; say {' or '.join(names)}", names)
        # a value in a column of yes and no, or a state: "cancelled", "active"
        named = bool(tables) and n_table >= n_value and bool(held) and held[0].score < 0.99
        if n_value and n_value >= max(n_column, n_table) and not named and not self._column_meant(i, matches, held):
            return self._value(i, held)
        if (
            tables
            and n_table >= n_column
            and not (matches and n_column == n_table and self._column_over_table(i, matches, tables))
        ):
            return self._table(i, tables)
        if matches:
            flags = self.values.flag_at(self.tokens, i)
            if flags and flags[0].length < n_column == 2 and flags[0].known is matches[0].known:
                # "refundable fares" for fare.refundable
                flags = [replace(f, length=n_column) for f in flags if f.known is matches[0].known]
            if flags and flags[0].length >= n_column and not self._flag_shown(i, flags[0]):
                return self._flag(i, flags)
            if self._rows_are(token, matches[0]):
                return 0
            if (
                matches[0].score < 0.85
                and self.lexicon.row_noun(token, self.subject)
                and token.lemma not in ("name",)
                and n_column == 1
                and (matches[0].known.identifier or matches[0].score < 0.8 or matches[0].known.sort == "date")
            ):
                return 0
            if (
                n_column == 1
                and matches[0].known.sort == "date"
                and (token.low.endswith("ed") or token.low in IRREGULAR)
                and self.low(i - 1) not in any_of("show list and , by per")
            ):
                done = self._verb(i)
                if done:
                    return done
            return self._column(i)
        if tables:
            return self._table(i, tables)
        flags = self.values.flag_at(self.tokens, i)
        if flags:
            return self._flag(i, flags)
        last = self.notes.shown[-1].known if self.notes.shown else None
        if token.lemma == "name" and self.low(i - 1) in ("whose", "their", "its") and last and last.sort == "text":
            # "customers whose name starts with A", where customers are a column of names
            return self._predicate(i, i + 1, last)
        return 0

    def _name_alone(self, i: int) -> bool:
        """Whether "a" is a column's name here and no article: nothing follows that it could belong to."""
        after = self.low(i + 1)
        asked = bool(self.aggregates) or i == 0 or self.low(i - 1) in any_of("of by per and , where show")
        return asked and (not after or after in STOPS or after in (",", "=", ">", "<", ">=", "<="))

    def _rows_are(self, token: Token, match: ColumnMatch) -> bool:
        """Whether "patients" names the rows: each row is one, as its identifier tells."""
        if match.score > 0.83 or match.length > 1 or not self.lexicon.row_noun(token, self.subject):
            return False
        return any(
            k.identifier and token.lemma in k.words and k.field.values and k.field.distinct == k.field.values
            for k in self.lexicon.of_table[self.subject]
        )

    def _column_meant(self, i: int, matches: list[ColumnMatch], held: list[Held]) -> bool:
        """A word that is both a column and a value means the column after "per", "by" or "show", or before an operator."""
        if not matches or matches[0].score < 0.8:
            return False
        if held[0].length > matches[0].length:
            return False
        if matches[0].score >= 0.99 and self.low(i) in FOOTERS:
            return True
        if held[0].score < matches[0].score and self.low(i - 1) not in ("in", "from", "at"):
            return True
        at = i + matches[0].length
        return self._predicate_ahead(at, matches[0].known) or self.low(i - 1) in any_of(
            "by per each of show list average total"
        )

    def _column_over_table(self, i: int, matches: list[ColumnMatch], tables: list[tuple[str, float, int]]) -> bool:
        best = matches[0]
        if (
            best.score >= tables[0][1]
            and best.known.column.table == self.subject
            and tables[0][0] != self.subject
            and not best.known.identifier
            and best.score > 0.9
        ):
            return True
        if best.score > tables[0][1] + 0.05:
            return True
        after = i + best.length
        if (
            best.score >= 0.99
            and tables[0][0] == self.subject
            and self.tokens[after - 1].low == self.tokens[after - 1].lemma
        ):
            # a table of zips with a column zip: "where zip is 01234"
            valued = after < len(self.tokens) and self.tokens[after].kind in ("number", "quote", "literal", "symbol")
            if (valued and not best.known.identifier) or self.low(after) in ("is", "are", "was"):
                return True
        if (
            best.score >= 0.96
            and tables[0][0] == self.subject
            and self._predicate_ahead(i + best.length, best.known)
            and self.low(i + best.length) not in ("of", "is", "are")
        ):
            return True
        return bool(self.aggregates and best.known.sort == "number" and best.score > 0.9)

    def _flag_shown(self, i: int, held: Held) -> bool:
        """ "show active": a column to show rather than a condition, when nothing follows that it could describe."""
        if self.low(i - 1) == "with" and self.low(i + held.length) in any_of("is are was were"):
            # "bookings with catering are …": the verb goes with the bookings
            return False
        return self._predicate_ahead(i + held.length, held.known) or (
            held.known.sort == "number" and bool(self.aggregates)
        )

    def _table(self, i: int, tables: list[tuple[str, float, int]]) -> int:
        name, score, n = tables[0]
        tied = [t for t in tables if t[1] >= score - 0.01]
        if len(tied) > 1:
            if any(t[0] == self.subject for t in tied):
                name = self.subject
            else:
                raise no(
                    "ambiguous",
                    f"{self.said(i, n)!r} may mean the table {' or '.join(t[0] for t in tied[:4])}",
                    tuple(t[0] for t in tied),
                )
        at = i + n
        # "order 1042", "order number 1042", "customer #7"
        k = self.skip(at, {"number", "no", "id", "nr"})
        if self.tokens[k : k + 1] and self.tokens[k].text == "#":
            k += 1
        if (
            k < len(self.tokens)
            and (self.tokens[k].kind == "number" or (self.tokens[k].kind == "quote" and at == k))
            and not self.notes.limit
            and not self.counting
        ):
            done = self._identified(name, k)
            if done:
                return done
        self.mention(name)
        self.rows_said = True
        if isinstance(self.last, Best) and self.last is self.notes.best:
            self.last.rows_noun = name
        if self.counting and self.aggregates:
            # "count and total of orders"
            self._count_now(Measure("count", None, self.said(i, n), rows_of=name))
            self.last = f"table:{name}"
            return self._aggregated_table(i, n, name)
        if self.counting:
            unique = self.counting == "distinct"
            self._count_now(Measure("count", None, self.said(i, n), rows_of=name, unique=unique))
        elif self.sharing and not self.share_rows:
            self._share_of_rows(name)
        elif self.aggregates:
            return self._aggregated_table(i, n, name)
        elif self.asking:
            self.asking = False
            self.notes.per_row_of = name
        elif name != self.subject and self.zone in ("filter", "head"):
            self._other_table(i, name)
        self.last = f"table:{name}"
        if self.zone == "measure":
            self.zone = "head"
        self._joined()
        return at

    def _other_table(self, i: int, name: str) -> None:
        """A second table named in passing: "customers who placed orders", "customers and their orders"."""
        before = [self.low(i - k) for k in range(1, 5)]
        partners = any_of("placed made have has with having had any bought ordered took who that")
        if partners & set(before) and self.graph.path(self.subject, name) is not None:
            self.notes.existing.append(name)
            return
        if before[0] in ("their", "its"):
            self.notes.shown.extend(
                Shown(self.lexicon.known[c], name) for c in self.lexicon.label(name) or self.lexicon.key(name)
            )

    def _aggregated_table(self, i: int, n: int, name: str) -> int:
        """ "total orders" counts rows; "average order value" was read as a column before."""
        at = i + n
        if set(self.aggregates) == {"sum"}:
            self.aggregates = []
            self._sum_of_rows(i, name, self.said(i, n))
            return at
        # "average order per customer": the order's amount, if that is clear
        amounts = self.lexicon.with_words(name, ["amount", "total", "value"], "number")
        if self.low(at) in ("amount", "value", "size", "total", "price") or len(amounts) != 1:
            if self.low(at) in ("amount", "value", "size", "total", "worth") and amounts:
                for function in self.aggregates:
                    self.notes.measures.append(
                        Measure(function, amounts[0].column, amounts[0].column.name, known=amounts[0])
                    )
                self.aggregates = []
                self.last = self.notes.measures[-1]
                return at + 1
            if self.aggregates == ["avg"] and self.low(at) in ("per", "by"):
                return self._average_of_counts(i)
            # "average customer age": the noun only says whose
            self.mention(name)
            return at
        for function in self.aggregates:
            self.notes.measures.append(Measure(function, amounts[0].column, amounts[0].column.name, known=amounts[0]))
        self.aggregates = []
        self.last = self.notes.measures[-1]
        return at

    def _sum_of_rows(self, i: int, table: str, said: str) -> None:
        """ "Total orders" are counted; "the sum of the donations" is money."""
        summed = "sum" in (self.low(i - k) for k in (1, 2, 3, 4))
        amounts = self.lexicon.with_words(table, ["amount", "total", "value", "price", "cost", "fee"], "number")
        if not summed and self.tokens[i].lemma not in MONEY:
            called = [k for k in self.lexicon.of_table[table] if k.words == ("total",) and k.sort == "number"]
            of = "of" in (self.low(i - k) for k in (1, 2, 3)) and "number" not in (self.low(i - k) for k in (2, 3, 4))
            money = called or (amounts if self.tokens[i].lemma == "sale" or of else [])
            if money:
                name = money[0].column.name
                raise no(
                    "ambiguous", f"the number of {said}, or the sum of {name}?", (f"number of {said}", f"sum of {name}")
                )
            self._count_now(Measure("count", None, said, rows_of=table))
        elif len(amounts) == 1:
            self.mention(table)
            self._count_now(Measure("sum", amounts[0].column, amounts[0].column.name, known=amounts[0]))
        else:
            names = tuple(k.column.name for k in amounts)
            raise no("ambiguous", f"the sum of what of the {said}?", (*names, f"number of {said}"))

    def _identified(self, table: str, k: int) -> int:
        """The row with that number or name."""
        token = self.tokens[k]
        key = self.lexicon.key(table)
        noun = self.lexicon.table_words[table][-1:]
        choices = [self.lexicon.known[c] for c in key] if len(key) == 1 else []
        choices += [
            x
            for x in self.lexicon.of_table[table]
            if x.words in ((*noun, "number"), (*noun, "id"), ("number",), ("id",), (*noun, "code")) and x not in choices
        ]
        if token.kind == "quote":
            held = [h for h in self.values.held_at(self.text, self.tokens, k) if h.known.column.table == table]
            return self._value(k, held) if held else 0
        for known in choices:
            number = Decimal(token.text.replace(",", "").replace("'", "")) if token.kind == "number" else None
            following = self.tokens[k + 1 : k + 2]
            if following and following[0].start == token.end and following[0].kind == "word":
                return 0
            if known.sort == "number" and number is not None and number == int(number):
                self.mention(table)
                self.add(Compare(known.column, "=", self.parameter(known.column.name, int(number))), known, value=True)
                self.last = known
                return k + 1
            if known.sort == "text" and (
                not known.field.examples or any(isinstance(e, str) and e.isdigit() for e in known.field.examples)
            ):
                self.mention(table)
                self.add(Compare(known.column, "=", self.parameter(known.column.name, token.text)), known, value=True)
                self.last = known
                return k + 1
        return 0

    def _value(self, i: int, held: list[Held]) -> int:
        """A stored value: a condition on the column that holds it."""
        n = held[0].length
        if n == 1 and self.tokens[i].kind == "word":
            self.stated += self.lexicon.events.get(stem(self.tokens[i].low), ())
        best = max(h.score for h in held)
        # an exact spelling in another table does not beat a near one in the subject
        pool = [h for h in held if h.score >= best - 0.06]
        chosen = self._choose_value(i, pool, n)
        at = i + n
        if isinstance(chosen, Held):
            after = self._named_again(at, chosen.known) or self._called(at, chosen.known)
            size = phrase_at(self.tokens, after[1], COMPARISONS) if after else None
            if (
                after
                and after[0] is chosen.known
                and (not self._predicate_ahead(after[1], after[0]) or (size and size[0] in ("<", "<=", ">", ">=")))
            ):
                at = after[1]
            elif (
                at < len(self.tokens)
                and self.tokens[at].lemma in chosen.known.words
                and self._whose_noun(at, chosen.known)
            ):
                # "double rooms", "free plan customers": a part of the column's name
                at += 1
            last = self.last
            if (
                isinstance(last, Known)
                and last is chosen.known
                and self.notes.shown
                and self.notes.shown[-1].known is last
                and not self.notes.shown[-1].asked
            ):
                pass
            if self.sharing and not self.share_rows and not self.notes.measures and self._share_subject(at) is None:
                self.share_rows = True
            self.mention_by(chosen.known)
            self.add(self.held_condition(chosen), chosen.known, value=True)
            self.last = ("value", chosen.known)
        else:
            self.add(chosen, None, value=False)
            self.last = None
        self.hint = ""
        return at

    def _named_again(self, at: int, known: Known) -> tuple[Known, int] | None:
        """The column's own name behind its value: "New York office"."""
        matches = self.lexicon.matches_at(self.tokens, at) if at < len(self.tokens) else []
        if any(m.known is known and m.score >= matches[0].score - 0.03 and m.score >= 0.6 for m in matches):
            return known, at + matches[0].length
        return None

    def _called(self, at: int, known: Known | None = None) -> tuple[Known, int] | None:
        """The column said of the value before: "when Oslo was the home team", "with Alien as the film"."""
        j = self.skip(at, any_of("is was were are as being played"))
        if self.low(j) not in ("the", "a", "an", "their", "its") or (j == at and self.low(j) != "the"):
            return None
        matches = self.lexicon.matches_at(self.tokens, j + 1) if j + 1 < len(self.tokens) else []
        fitting = [m for m in matches if m.score > 0.8 and (known is None or m.known is known)]
        return (fitting[0].known, j + 1 + fitting[0].length) if len(fitting) == 1 or (fitting and known) else None

    def _whose_noun(self, at: int, known: Known) -> bool:
        """Whether the word at this place is but a part of the name of the value's column, and of no other thing."""
        if self.lexicon.tables_at(self.tokens, at):
            return False
        matches = self.lexicon.matches_at(self.tokens, at)
        return not matches or all(m.known is known or m.score < 0.85 for m in matches)

    def _choose_value(self, i: int, pool: list[Held], n: int) -> Held | Condition:
        if len(pool) == 1:
            return pool[0]
        last = self.last
        previous = last[1] if isinstance(last, tuple) and isinstance(last[1], Known) else last
        directed = self._directed(i, pool)
        if directed is not None:
            return directed
        # "the budget of Sales": where the figure asked for stands
        asked = [s.known.column.table for s in self.notes.shown] + [
            m.known.column.table for m in self.notes.measures if m.known
        ]
        same = [h for h in pool if asked and h.known.column.table == asked[-1]]
        if len(same) == 1 and asked[-1] != self.subject and self.graph.path(self.subject, asked[-1]) is None:
            self.subject = asked[-1]
            return same[0]
        if (self.connector or self.comma) and isinstance(previous, Known):
            same = [h for h in pool if h.known is previous]
            if len(same) == 1:
                return same[0]
        # "the checkout service", where services are a table
        nouns = (
            [t[0] for t in self.lexicon.tables_at(self.tokens, i + n) if t[1] >= 0.8]
            if i + n < len(self.tokens)
            else []
        )
        same = [h for h in pool if h.known.column.table in nouns]
        if len(same) == 1 and self._whose(same[0].known):
            return same[0]
        # the column's own name right behind or before: "New York office"
        after = self.lexicon.matches_at(self.tokens, i + n) if i + n < len(self.tokens) else []
        for match in after:
            same = [h for h in pool if h.known is match.known and match.score > 0.75]
            if len(same) == 1:
                return same[0]
        if isinstance(previous, Known):
            same = [h for h in pool if h.known is previous]
            if len(same) == 1:
                return same[0]
        named = self._called(i + n)
        same = [h for h in pool if named is not None and h.known is named[0]]
        if len(same) == 1:
            return same[0]
        for cue in ("home", "away"):
            if (
                self.low(i - 1) == cue
                or (self.low(i - 1) in ("at", "of", "by", "for", "the") and self.low(i - 2) == cue)
                or self.low(i + n) == cue
                or (self.low(i + n) in ("at", "played") and self.low(i + n + 1) == cue)
            ):
                same = [h for h in pool if cue in h.known.words]
                if len(same) == 1:
                    return same[0]
        return self._undirected(i, pool, n)

    def _whose(self, known: Known) -> bool:
        """Whether the column tells the rows of its table apart, so that its values are their names."""
        table = known.column.table
        return known.column in (*self.lexicon.key(table), *self.lexicon.label(table))

    def _directed(self, i: int, pool: list[Held]) -> Held | None:
        """The column that "from", "to" or "by" before the value points at."""
        before = self.low(i - 1) if self.low(i - 1) not in ("the", "a") else self.low(i - 2)
        directions = {
            "from": "from origin departure source start home depart sender",
            "leaving": "from origin departure source start",
            "departing": "from origin departure source start",
            "to": "to destination arrival target end dest recipient",
            "into": "to destination arrival target",
            "for": "destination to arrival",
            "via": "via stop",
            "by": "author writer artist director customer name agent by seller creator supplier",
        }
        words = set(directions.get(before, directions.get(self.hint, "")).split())
        same = [h for h in pool if set(h.known.words) & words]
        return same[0] if len(same) == 1 else None

    def _undirected(self, i: int, pool: list[Held], n: int) -> Held | Condition:
        """Nothing near says which column holds it: the subject's own, the nearest table's, or a refusal."""
        here = [h for h in pool if h.known.column.table == self.subject]
        if len(here) == 1:
            return here[0]
        if len(here) == 2 and {w for h in here for w in h.known.words} >= {"home", "away"}:
            self.notes.remarks.append(f"{self.said(i, n)} at home or away")
            return either(self.held_condition(here[0]), self.held_condition(here[1]))
        if len(here) > 1:
            best = max(h.score for h in here)
            exact = [h for h in here if h.score == best]
            if len(exact) == 1 and best >= 0.99:
                return exact[0]
            called = [h for h in exact if h.known.column in self.lexicon.label(self.subject)]
            if len(called) == 1:
                # "population of Japan": a row is called so, and columns of translations only repeat it
                return called[0]
            names = tuple(h.known.column.name for h in here)
            raise no(
                "ambiguous", f"{self.said(i, n)!r} is a value of {' and of '.join(names[:4])}; say which column", names
            )
        steps = {
            h.known: len(self.graph.path(self.subject, h.known.column.table) or [0] * 9)
            + (1 if self.graph.widens(self.subject, h.known.column.table) else 0)
            for h in pool
        }
        nearest = min(steps.values())
        close = [h for h in pool if steps[h.known] == nearest]
        if len(close) == 1:
            return close[0]
        mentioned = [h for h in close if h.known.column.table in self.mentioned]
        if len(mentioned) == 1:
            return mentioned[0]
        names = tuple(self._full(h.known) for h in close)
        raise no(
            "ambiguous", f"{self.said(i, n)!r} is a value of {' and of '.join(names[:4])}; say which column", names
        )

    def _flag(self, i: int, flags: list[Held]) -> int:
        """An adjective for a yes-or-no column."""
        best = flags[0]
        self.stated += self.lexicon.events.get(stem(self.tokens[i].low), ())
        pool = [f for f in flags if f.length == best.length and f.score >= best.score - 0.06]
        here = [f for f in pool if f.known.column.table == self.subject] or pool
        if len(here) > 1:
            names = tuple(self._full(f.known) for f in here)
            raise no("ambiguous", f"{self.said(i, best.length)!r} may mean {' or '.join(names)}", names)
        if self.sharing and not self.notes.measures:
            self.share_rows = True
        negated = self.low(i - 1) == "non"
        if negated and not self.negate:
            self.negate = True
        held = here[0]
        if self.negate:
            # a flag that is not yes is no: nulls stay out, as everywhere
            self.negate = False
            truth = flag_values(held.known, True)
            held = replace(held, stored=flag_values(held.known, held.stored != truth))
        self.add(self.held_condition(held), held.known)
        self.last = None
        return i + held.length

    def _column(self, i: int) -> int:
        """A column: compared with what follows, aggregated, counted, sorted or shown."""
        if self.low(i) == "time" and self.low(i - 1) == "on":
            # "flights on time" name no column
            return 0
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.score >= 0.6]
        n = matches[0].length
        label = self.lexicon.label(self.subject)
        close = {m.known.column for m in matches if m.score >= matches[0].score - 0.03}
        owner = (
            self.lexicon.tables_at(self.tokens, self.skip(i + n + 1, {"the", "all", "our"}))
            if self.low(i + n) == "of"
            else []
        )
        whose = not owner or owner[0][0] == self.subject
        if (
            self.tokens[i].lemma == "name"
            and n == 1
            and not self.counting
            and (
                (len(label) == 2 and whose and matches[0].known.column not in label)
                or (set(label) <= close and len(label) == 2)
            )
        ):
            for column in label:
                self.notes.shown.append(Shown(self.lexicon.known[column], column.name))
            self._joined()
            self.last = None
            return i + n
        numeric_wanted = bool(self.aggregates)
        known = None
        found = (
            self.column_at(i, "number")
            if numeric_wanted and any(m.known.sort == "number" and m.score >= matches[0].score - 0.15 for m in matches)
            else None
        )
        if found is None:
            found = self.column_at(i)
        if found is None:
            return 0
        known, at = found
        said = self.said(i, n)
        plural = self.tokens[at - 1].low != self.tokens[at - 1].lemma
        # "price * quantity", "revenue minus cost"
        arithmetic = self._arithmetic_at(i, known, at)
        if arithmetic:
            return self._measure_here(i, arithmetic)
        behind = AGGREGATE_BEHIND.get(self.low(at))
        if (
            behind
            and known.sort == "number"
            and not known.identifier
            and not self.aggregates
            and not self.counting
            and (at + 1 >= len(self.tokens) or self.low(at + 1) in any_of("per by for in of and , each across"))
            and not self.column_named_exactly(at)
        ):
            # "salary total per office"
            self._check_measure(behind, known, said)
            self.notes.measures.append(Measure(behind, known.column, said, known=known))
            self.zone, self.last = "measure", self.notes.measures[-1]
            self._joined()
            return at + 1
        if self.low(at) in ("of", "for", "from") and len(self.lexicon.schema.tables) > 1:
            k = self.skip(
                at + 1, {"the", "their", "its", "all", "our", "each"} - ({"each"} if self.low(at) == "for" else set())
            )
            tables = self.lexicon.tables_at(self.tokens, k)
            if tables and self.low(at) == "of" and tables[0][0] == known.column.table and tables[0][0] != self.subject:
                self.mention(tables[0][0])
                at = k + tables[0][2]
        headed = self._heads_list(i, known, plural)
        predicate = (
            0 if (self.aggregates or self.counting) and not self._where_zone(i) else self._predicate(i, at, known)
        )
        if predicate:
            if headed:
                self._head_kept(known, said)
            self.zone = "filter"
            return predicate
        if self.counting:
            return self._count_column(known, said, at)
        if self.sharing:
            return self._share_column(known, said, at, i)
        if self.aggregates:
            for function in self.aggregates:
                self._check_measure(function, known, said)
                self.notes.measures.append(Measure(function, known.column, said, known=known))
            self.aggregates = []
            self.zone = "measure"
            self._joined()
            self.last = self.notes.measures[-1]
            return self._total_after(at)
        if (
            self.zone == "measure"
            and (self.connector or self.comma)
            and self.notes.measures
            and self.notes.measures[-1].known is not None
            and known.sort == "number"
            and not known.identifier
            and self.notes.measures[-1].function not in ("count", "count_distinct")
        ):
            self.notes.measures.append(replace(self.notes.measures[-1], of=known.column, said=said, known=known))
            self._joined()
            self.last = self.notes.measures[-1]
            return at
        total = self._total_after(at)
        if total > at and known.sort == "number":
            self.notes.measures.append(Measure("sum", known.column, said, known=known))
            self.last = self.notes.measures[-1]
            return total
        done = token_done(self.tokens[i].low)
        if (
            done
            and n == 1
            and known.sort == "date"
            and self.subject_said
            and known.column.table != self.subject
            and self.graph.widens(self.subject, known.column.table)
            and not self.asking
        ):
            # "patients admitted more than three times"
            self.event = known
            if known.column.table not in self.notes.existing:
                self.notes.existing.append(known.column.table)
            self.mention(known.column.table)
            self._joined()
            return at
        noted = self.notes.measures or self.notes.parts or self.notes.shown
        if noted and not self.asking and self.lexicon.entity(known) and plural and self._of_before(i):
            # "average age of the female patients": says whose, and shows nothing
            self._joined()
            return at
        if (
            self.rows_said
            and self.low(i - 1) in ("a", "an", "any", "some")
            and known.field.nulls
            and known.column.table == self.subject
            and not self.asking
        ):
            # "orders that used a coupon"
            self.add(Empty(known.column, negated=True), known)
            self.zone, self.last = "filter", None
            return at
        alone = not (self.connector or self.comma or self.asking) and isinstance(self.last, Key)
        verb = any(stem(v) == stem(self.tokens[i].low) for v in VERBS)
        if (
            self.zone == "group"
            and alone
            and not verb
            and self.low(i - 1) not in any_of("the a an me us give show its their")
        ):
            raise no(
                "not-understood", f"what has {said!r} to do with the group before it? say 'and {said}' for a second one"
            )
        if self.asking and known.sort != "number":
            self.asking = False
            self.notes.shown.append(Shown(known, said, plural, asked=True))
        elif (
            self.low(i - 1) in ("with", "having")
            and known.column.table == self.subject
            and known.field.nulls
            and not self.connector
            and self.zone != "head"
        ):
            raise no(
                "ambiguous",
                f"{said!r} to be shown, or to be filled?",
                (f"show {known.column.name}", f"with a {known.column.name}"),
            )
        else:
            self.asking = False
            total_said = self.tokens[i].low == "total" and n > 1
            listed = self._listed(i)
            with_it = self.low(i - 1) in ("with", "and", ",") or self.low(i - 2) in ("with", "and", ",")
            beside = (self.rows_said or bool(self.notes.shown)) and listed and with_it and self.notes.best is not None
            their = self.low(i - 1) in ("their", "its") and self.rows_said
            beyond = their or (bool(self.notes.shown) and self.notes.shown[-1].beyond)
            shown = Shown(known, said, plural, as_total=total_said, listed=listed, beside=beside, beyond=beyond)
            self.notes.shown.append(shown)
            if self.low(i - 1) == "with" or self.low(i - 2) == "with":
                self.notes.all_columns = self.notes.all_columns or (len(self.notes.shown) == 1 and self.subject_noted)
        self._joined()
        self.last = known
        if known.sort == "date":
            self.event = None
        return at

    def _listed(self, i: int) -> bool:
        """Whether the column at i is among those asked to be shown, and not only spoken of behind the rows ("tickets of
        customers in Berlin", "flights that were late")."""
        before = self.low(i - 1) if self.low(i - 1) not in ("the", "their", "its", "a") else self.low(i - 2)
        if not self.rows_said:
            return True
        if before in any_of("with and including include includes showing show plus only also give incl") or before in (
            ",",
            ":",
            "&",
            ";",
        ):
            return True
        return bool(self.notes.shown) and self.notes.shown[-1].listed and self.low(i - 1) in ("and", ",", "&")

    def _of_before(self, i: int) -> bool:
        """Whether an "of" or "for" stands before i, with nothing but adjectives between."""
        for k in range(i - 1, max(-1, i - 5), -1):
            if self.low(k) in ("of", "for", "from", "among"):
                return True
            if self.low(k) in ("and", ",", "per", "by", "or"):
                return False
        return False

    def _where_zone(self, i: int) -> bool:
        """Whether the word before opens a condition."""
        return self.low(i - 1) in any_of("where whose with when having if") or (
            self.low(i - 1) in ("the", "a", "an") and self.low(i - 2) in ("where", "whose", "with")
        )
