"""Superlatives and first rows: top 5, the cheapest, most orders, the latest of each."""

from __future__ import annotations

from dataclasses import replace

from synth.plan import Unit
from synth.understand.columns import Known
from synth.understand.figures import Figures
from synth.understand.filters import _akin
from synth.understand.notes import (
    Best,
    Key,
    Measure,
    Shown,
    Sorting,
    entries_of,
    no,
)
from synth.understand.numbers_and_dates import (
    MONTHS,
    SPANS,
    WEEKDAYS,
    quantity_at,
)
from synth.understand.operators import (
    AGGREGATE_OF,
    AGGREGATES,
    phrase_at,
    unit_at,
)
from synth.understand.vocabulary import GRADES, SUPERLATIVES, VERBS
from synth.understand.words import any_of, stem


class Superlatives(Figures):
    """Superlatives and first rows."""

    def _limit(self, i: int) -> int:
        """ "top 5", "first 10 rows", "limit 3", "the 5 most expensive", "bottom three"."""
        low = self.low(i)
        if low in ("limit", "limited") or (
            low == "only" and self.low(i + 1) in ("show", "return", "give") and quantity_at(self.tokens, i + 2)
        ):
            j = self.skip(i + 1, any_of("to show return give me the by it them first top results"))
            number = quantity_at(self.tokens, j)
            if number:
                self.notes.limit = int(number.value)
                j += number.length
                return self.skip(j, any_of("rows results records entries lines row items only"))
            return 0
        if low in any_of(
            "top bottom first last best worst highest lowest largest biggest smallest latest newest oldest "
            "earliest any random cheapest longest shortest heaviest"
        ):
            j = i + 1
            longer = self.lexicon.matches_at(self.tokens, j) if j < len(self.tokens) else []
            if longer and longer[0].length > 1 and longer[0].score > 0.9:
                # a column called "2026 Q2", and no number of rows
                return 0
            number = quantity_at(self.tokens, j) if j < len(self.tokens) else None
            if number is not None and number.unit in ("d", "wk", "mo", "y", "h") and low != "last":
                # "top 3 days": days are ranked, and no unit of the three
                number = replace(number, unit="", length=number.length - 1)
            if (
                number is None
                or number.ordinal
                or number.unit
                or number.value != int(number.value)
                or not 0 < number.value < 100_000
            ):
                return 0
            if (
                low == "last"
                and self.tokens[j + number.length : j + number.length + 1]
                and self.tokens[j + number.length].lemma in SPANS
            ):
                return 0
            count = int(number.value)
            after = j + number.length
            if low in ("top", "bottom") and i > 0 and self._ends(after):
                return self._cut_at_the_end(i, after, count)
            if low in ("any", "random"):
                self.notes.limit = count
                return after
            if low in ("first", "last"):
                if low == "first":
                    self.notes.limit = count
                    self.last = "limit"
                    self.names.setdefault("limit", 1)
                    return self.skip(after, {"few"})
                self.notes.best = Best(True, count, self.said(i, after - i), words="date", parameter=True)
                self.best_open = True
                return after
            self.place = i
            grade = SUPERLATIVES.get(low, "low" if low == "bottom" else "high")
            words, more = GRADES[grade]
            descending = more
            if low == "bottom":
                descending = False
            if grade in ("old", "young"):
                return self._graded_best(i, after, grade, count)
            self.notes.best = Best(descending, count, self.said(i, after - i), words=words, parameter=True, at=i)
            self.best_open = True
            self.last = self.notes.best
            return self._best_key(after, self.notes.best)
        number = quantity_at(self.tokens, i)
        if number and number.unit in ("d", "wk", "mo", "y", "h") and self.low(i - 1) not in ("last", "past", "than"):
            # "the 3 days with the lowest price"
            unit = unit_at(self.tokens, i + number.length - 1)
            if unit and number.value == int(number.value) and self._ranked_ahead(i + number.length):
                self.notes.limit = int(number.value)
                self._ask_unit(i + number.length - 1, unit[0])
                return i + number.length
        if (
            number
            and not number.unit
            and not number.ordinal
            and number.value == int(number.value)
            and 0 < number.value < 100_000
        ):
            j = i + number.length
            j = self.skip(j, {"single", "very"})
            grade_word = self.low(j)
            if (
                grade_word in SUPERLATIVES and grade_word not in ("max", "maximum", "min", "minimum", "first")
            ) or grade_word in ("most", "least", "fewest"):
                return self._superlative(j, int(number.value))
        return 0

    def _ends(self, i: int) -> bool:
        """Whether nothing that matters follows."""
        return self.skip(i, any_of("only please rows results records entries overall . ! ?")) >= len(self.tokens)

    def _cut_at_the_end(self, i: int, after: int, count: int) -> int:
        """ "airports per country, top 5": the rest says what, this how many; the largest where no order was said."""
        self.notes.limit = count
        wishes, most_first = self.notes.sorting, self.low(i) == "top"
        if wishes and wishes[-1].descending is None:
            wishes[-1].descending = most_first
        elif self.notes.best is None and not wishes:
            wishes.append(Sorting(descending=most_first, said=self.said(i, after - i), of_size=True))
        self.last = "limit"
        self.names.setdefault("limit", 1)
        return after

    def _unit_asked(self, i: int) -> int:
        """ "the day with the highest revenue", "months in which the fewest tickets were opened"."""
        unit = unit_at(self.tokens, i)
        if unit is None or self.zone != "head" or self.notes.best is not None or self.counting or self.aggregates:
            return 0
        if self.low(i - 1) in any_of("per by each every last past this next previous") or self.notes.measures:
            return 0
        if not self._ranked_ahead(i + unit[1]):
            return 0
        self._ask_unit(i, unit[0])
        return i + unit[1]

    def _ranked_ahead(self, i: int) -> bool:
        """Whether "with the highest", "that had the most" and their like follow at i."""
        if self.low(i) not in any_of("with by that which where when having had in on"):
            return False
        words = [self.low(k) for k in range(i + 1, i + 6)]
        return any(w in SUPERLATIVES or w in ("most", "least", "fewest") for w in words) and "per" not in words

    def _ask_unit(self, i: int, unit: Unit) -> None:
        """The question is about days, months …: or about the column that is called so."""
        exact = [m.known for m in self.lexicon.matches_at(self.tokens, i) if m.score >= 0.96 and m.known.sort != "date"]
        key = Key(known=exact[0], asked=True) if exact else Key(unit=unit, asked=True)
        key.at = i
        self.notes.groups.append(key)

    def _graded_best(self, i: int, after: int, grade: str, count: int | None) -> int:
        known = self.graded(grade, self.subject)
        descending = GRADES[grade][1]
        best = Best(descending, count, self.said(i, after - i), parameter=count is not None)
        if known is not None:
            best.by = known
            if self._since(known):
                best.descending = not descending
        else:
            best.words = "date"
            best.descending = not descending
        self.notes.best = best
        self.best_open = True
        return after

    def _superlative(self, i: int, count: int | None = None) -> int:
        self.place = i
        low = self.low(i)
        start = i
        if low in ("most", "least", "fewest") or (low == "the" and self.low(i + 1) in ("most", "least", "fewest")):
            if low == "the":
                i, low = i + 1, self.low(i + 1)
            return self._most(i, count)
        if low not in SUPERLATIVES:
            return 0
        if low in ("best", "worst") and stem(self.low(i - 1)) == "sell":
            known = self._by_words(["quantity", "units", "sold"])
            if known is not None:
                self._set_best(Best(low == "best", count, low, by=known, function="sum", parameter=count is not None))
                return i + 1
        if low in ("max", "maximum", "min", "minimum") and count is None:
            return 0
        nxt = self.low(i + 1)
        if low == "first" and (nxt in any_of("name names time class half quarter of") or unit_at(self.tokens, i + 1)):
            return 0
        if low == "last" and (
            nxt in ("name", "names")
            or nxt in SPANS
            or (self.tokens[i + 1 : i + 2] and self.tokens[i + 1].lemma in SPANS)
            or nxt in WEEKDAYS
            or nxt in MONTHS
        ):
            return 0
        if (
            low == "last"
            and self.tokens[i + 1 : i + 2]
            and (self.tokens[i + 1].kind == "number" or self.lexicon.typo(()) or quantity_at(self.tokens, i + 1))
        ):
            return 0
        if low in ("last",) and self.zone == "filter" and self.connector == "" and not self._noun_ahead(i + 1):
            return 0
        if (
            count is None
            and self.low(i + 1) in ("and", "or", ",", "&")
            and self.low(self.skip(i + 2, {"the"})) in SUPERLATIVES
        ):
            second = self.skip(i + 2, {"the"})
            found = self.column_at(self.skip(second + 1, {"the"}))
            if found and found[0].sort in ("number", "date"):
                for word in (low, self.low(second)):
                    more = GRADES[SUPERLATIVES[word]][1]
                    self.notes.measures.append(
                        Measure("max" if more else "min", found[0].column, found[0].column.name, known=found[0])
                    )
                self.last = self.notes.measures[-1]
                return found[1]
        if low in ("busiest", "quietest"):
            self._set_best(Best(low == "busiest", count, low, frequent=True, parameter=count is not None))
            unit = unit_at(self.tokens, i + 1)
            if unit and not self.column_named_exactly(i + 1):
                self.notes.groups.append(Key(unit=unit[0], asked=True))
                return i + 1 + unit[1]
            return i + 1
        if low in ("last", "first", "latest", "earliest") and self.event is not None and not self._noun_ahead(i + 1):
            best = Best(low in ("last", "latest"), count, low, by=self.event, of_rows=True, parameter=count is not None)
            self.event = None
            self._set_best(best)
            return i + 1
        grade = SUPERLATIVES[low]
        words, more = GRADES[grade]
        best = Best(more, count, low, words=words, parameter=count is not None)
        j = i + 1
        longer = self.lexicon.matches_at(self.tokens, j) if j < len(self.tokens) else []
        if count is None and j < len(self.tokens) and not (longer and longer[0].length > 1 and longer[0].score > 0.9):
            number = quantity_at(self.tokens, j)
            if number and number.unit in ("d", "wk", "mo", "y", "h") and number.length > 1 and low != "last":
                # "windiest 3 days": days are ranked
                number = replace(number, unit="", length=number.length - 1)
            if number and not number.unit and not number.ordinal and number.value == int(number.value):
                best.count, best.parameter, j = int(number.value), True, j + number.length
        if grade in ("late", "early", "new"):
            return self._latest(i, j, best, grade)
        nxt = self.low(j)
        participles = {
            "paid": "salary pay wage",
            "earning": "salary pay income",
            "selling": "quantity units sold",
            "rated": "rating score stars satisfaction",
            "priced": "price",
            "scoring": "goals score points",
            "grossing": "revenue gross amount",
            "spending": "amount total spend",
            "performing": "",
            "populated": "population",
            "ranked": "rank rating",
            "valued": "value amount total",
            "weighing": "weight",
        }
        if nxt in ("earners", "earner") and grade in ("high", "low"):
            known = self._by_words(["salary", "pay", "income"])
            if known is not None:
                best.by, best.words, best.of_rows = known, "", True
                self._set_best(best)
                return j + 1
        if nxt in participles and grade in ("high", "low", "large") and not self.column_named_exactly(j):
            known = self._by_words(participles[nxt].split())
            if known is None:
                raise no("no-such-column", f"no column says what {low!r} {nxt!r} goes by", self.lexicon.nearest(nxt))
            best.by = known
            best.words = ""
            if nxt in ("selling", "grossing", "spending", "scoring"):
                best.function = "sum"
            self._set_best(best)
            best.of_rows = True
            return self._best_noun(j + 1)
        return self._best_target(i, j, best, grade, start)

    def _key_said_behind(self, j: int, graded: Known | None) -> bool:
        """Whether "by" and a column to rank by come right behind the noun at j: the one that is graded, where one is."""
        end = next((k for k in range(j, min(j + 4, len(self.tokens) - 1)) if self.low(k) == "by"), 0)
        column = self.column_at(self.skip(end + 1, any_of("the their its"))) if end else None
        if column is None or column[0].sort not in ("number", "date") or column[0].identifier:
            return False
        return graded is None or column[0] is graded

    def _since(self, known: Known) -> bool:
        """Whether the column says when something began, so that the oldest has the least of it."""
        return known.sort == "date" or bool({"year", "birth", "born"} & set(known.words))

    def _set_best(self, best: Best) -> None:
        if self.notes.best is not None and not self.notes.best.plain_first:
            raise no(
                "not-understood", f"{self.notes.best.said!r} and {best.said!r} in one request; ask for one at a time"
            )
        self.notes.best = best
        self.last = best
        best.at = self.place

    def _best_noun(self, i: int) -> int:
        return self.skip(i, {"the"})

    def _best_key(self, i: int, best: Best) -> int:
        """What follows "top 5": a measure word means that column's highest values; a noun is left to be read as the subject."""
        j = self.skip(i, {"the", "most", "highest", "of"} if self.low(i) != "most" else {"the"})
        if self.low(j) == "most":
            self.notes.best = None
            return self._most(j, best.count)
        if self.low(i) in ("most", "highest", "cheapest", "best"):
            pass
        if self.low(j) in SUPERLATIVES and SUPERLATIVES[self.low(j)] not in ("high", "low"):
            self.notes.best = None
            return self._superlative(j, best.count)
        unit = unit_at(self.tokens, j)
        if unit and (
            self.low(j + unit[1]) in any_of("by with in for of where that") or j + unit[1] >= len(self.tokens)
        ):
            self._ask_unit(j, unit[0])
            return j + unit[1]
        participle = self.low(j)
        if participle in ("earners", "earner"):
            best.by = self._by_words(["salary", "pay", "income"])
            best.words, best.of_rows = "", True
            return j + 1 if best.by is not None else j
        if participle in any_of("selling paid earning rated scoring spending grossing priced"):
            self.notes.best = None
            k = self._superlative_of(j, best)
            if k:
                return k
        aggregate = phrase_at(self.tokens, j, AGGREGATES)
        matches = self.lexicon.matches_at(self.tokens, j)
        if aggregate and not (matches and matches[0].length > aggregate[1]):
            k = self.skip(j + aggregate[1], {"the", "of"})
            found = self.column_at(k, "number")
            if found:
                best.by, best.function = found[0], AGGREGATE_OF[aggregate[0]]
                return found[1]
        tables = self.lexicon.tables_at(self.tokens, j)
        found = self.column_at(j) if matches and not (tables and tables[0][1] >= matches[0].score - 0.05) else None
        if (
            found
            and found[0].sort == "number"
            and not found[0].identifier
            and not (
                j < len(self.tokens)
                and self.lexicon.row_noun(self.tokens[j], self.subject)
                and found[0].additive is not False
                and matches[0].score < 0.93
            )
        ):
            best.by = found[0]
            best.words = ""
            self.notes.shown.append(Shown(found[0], self.said(j, found[1] - j)))
            self.last = found[0]
            return found[1]
        if found and found[0].sort == "date" and matches[0].score > 0.9:
            best.by = found[0]
            self.notes.shown.append(Shown(found[0], self.said(j, found[1] - j)))
            return found[1]
        if best.words and not best.by:
            grade = SUPERLATIVES.get(best.said.split()[0].lower(), "")
            best.by = self.graded(grade, self.subject) if grade in GRADES and GRADES[grade][0] else None
        best.of_rows = True
        return j

    def _superlative_of(self, j: int, best: Best) -> int:
        participles = {
            "paid": "salary pay wage",
            "earning": "salary pay income",
            "selling": "quantity units sold",
            "rated": "rating score stars satisfaction",
            "priced": "price",
            "scoring": "goals score points",
            "grossing": "revenue gross amount",
            "spending": "amount total spend",
        }
        word = self.low(j)
        known = self._by_words(participles[word].split())
        if known is None:
            raise no("no-such-column", f"no column says what {word!r} goes by", self.lexicon.nearest(word))
        best.by, best.words, best.of_rows = known, "", True
        if word in ("selling", "grossing", "spending", "scoring"):
            best.function = "sum"
        self._set_best(best)
        return j + 1

    def _latest(self, i: int, j: int, best: Best, grade: str) -> int:
        """The latest order, the first purchase of each customer, the latest hire date."""
        best.descending = grade != "early"
        number = quantity_at(self.tokens, j) if best.count is None else None
        if number and not number.unit and not number.ordinal and number.value == int(number.value):
            best.count, best.parameter, j = int(number.value), True, j + number.length
        matches = self.lexicon.matches_at(self.tokens, j)
        tables = self.lexicon.tables_at(self.tokens, j)
        longer = bool(matches and tables and matches[0].length > tables[0][2])
        if tables and not longer and tables[0][0] != self.subject and tables[0][1] > 0.6:
            said = f"the {self.low(i)} of the {tables[0][0]!r}"
            raise no("cannot-answer", f"{said} for each of the {self.subject!r} needs two steps; ask for {said} first")
        made = self.low(j).endswith("ed") and self._noun_ahead(j + 1)
        if made and matches and matches[0].known.sort == "date" and matches[0].length == 1:
            # "the most recently created customer" is a customer, not a date
            best.by, best.of_rows = matches[0].known, True
            self._set_best(best)
            return j + 1
        if (
            matches
            and matches[0].known.sort == "date"
            and (longer or not (tables and tables[0][1] >= matches[0].score))
        ):
            found = self.column_at(j, "date")
            if found:
                known, at = found
                if (
                    self.asking
                    or self.question == "who"
                    or self.low(i - 1) == "with"
                    or self.low(i - 2) == "with"
                    or best.count
                ):
                    best.by = known
                    self._set_best(best)
                else:
                    self.notes.measures.append(
                        Measure("max" if best.descending else "min", known.column, self.said(j, at - j), known=known)
                    )
                return at
        date_known = self._date_of_happening(j) or self.date_column(table=self.subject) or None
        best.by = date_known
        best.words = "date"
        best.of_rows = True
        self._set_best(best)
        if (
            matches
            and not tables
            and matches[0].known.sort in ("number", "text")
            and matches[0].score > 0.7
            and not (j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject))
        ):
            found = self.column_at(j)
            if found:
                self.notes.shown.append(Shown(found[0], self.said(j, found[1] - j)))
                self.last = found[0]
                return found[1]
        return j

    def _date_of_happening(self, j: int) -> Known | None:
        """The date of "the latest payment" is when it was paid, where a column of the rows says so."""
        if j >= len(self.tokens) or self.lexicon.tables_at(self.tokens, j):
            return None
        root = stem(self.low(j))
        dates = self.lexicon.dates(self.subject)
        found = [k for k in dates if any(_akin(stem(w), root) for w in k.words if len(w) > 2)]
        return found[0] if len(found) == 1 and len(dates) > 1 else None

    def _best_target(self, i: int, j: int, best: Best, grade: str, start: int) -> int:
        """What a superlative grades: a figure, a column, or the rows of a table."""
        j = self.skip(j, any_of("the single possible recorded observed measured ever overall"))
        words = GRADES[grade][0]
        j = self._described_noun(j) or j
        counted = self._counts_at(j)
        if counted:
            measure, at = self._counted_thing(j + counted[1], "distinct" if counted[0] == "distinct" else "rows")
            best.function, best.rows_of = measure.function, measure.rows_of
            best.by = measure.known
            self._set_best(best)
            return at
        aggregate = phrase_at(self.tokens, j, AGGREGATES)
        matches = self.lexicon.matches_at(self.tokens, j)
        if aggregate and matches and matches[0].score >= 0.96 and matches[0].known.sort == "number":
            k = self.skip(j + aggregate[1], {"the", "of"})
            behind = self.column_at(k, "number", 0.8)
            spend = self.low(k) in any_of("spend spent spending sales revenue turnover")
            if behind is None and not spend and not self._derived_at(k):
                # a column called "total" is graded, and no total is formed
                aggregate = None
            elif behind is None and spend:
                best.by, best.function = matches[0].known, "sum"
                self._set_best(best)
                return k + 1
        if aggregate and not (matches and matches[0].length > aggregate[1] and matches[0].score > 0.9):
            k = self.skip(j + aggregate[1], {"the", "of"})
            found = self.column_at(k, "number")
            if found is None:
                derived = self._derived_at(k)
                if derived is None:
                    return 0
                self.notes.measures.append(Measure(AGGREGATE_OF[aggregate[0]], derived[0], derived[1]))
                best.function = AGGREGATE_OF[aggregate[0]]
                self._set_best(best)
                return derived[2]
            best.by, best.function = found[0], AGGREGATE_OF[aggregate[0]]
            self._set_best(best)
            return found[1]
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6]
        column = self.column_at(j) if matches else None
        if column and column[0].sort == "date" and matches[0].score < 0.9:
            # "the highest reading" is no date of reading
            column = None
        table_wins = bool(tables) and (column is None or tables[0][1] >= matches[0].score - 0.05)
        if column and column[0].sort == "number" and not column[0].identifier and matches[0].score > 0.95 and not words:
            table_wins = False
        if column and words and column[0].sort == "date" and grade not in ("old", "young", "new", "late", "early"):
            graded = self.graded(grade, column[0].column.table)
            if graded is None:
                raise no(
                    "no-such-column",
                    f"no column says what is {best.said!r}",
                    self.lexicon.nearest(words.split("|")[0].split()[0]),
                )
            if graded is not None:
                best.by = graded
                self._set_best(best)
                self.notes.shown.append(Shown(column[0], self.said(j, column[1] - j), asked=True))
                return column[1]
        if column and not table_wins and column[0].sort in ("number", "date") and not column[0].identifier:
            known, at = column
            of_who = self.asking or self.question in ("who", "which") or self._after_with(start)
            if of_who or best.count is not None or (self.subject_noted and self.zone == "filter"):
                best.by = known
                self._set_best(best)
                if not of_who and best.count is not None:
                    self.notes.shown.append(Shown(known, self.said(j, at - j)))
                return at
            most = GRADES[grade][1] != (grade in ("old", "young") and self._since(known))
            self.notes.measures.append(
                Measure("max" if most else "min", known.column, self.said(j, at - j), known=known)
            )
            self.zone = "measure"
            self.aggregates = []
            self.last = self.notes.measures[-1]
            return at
        if words:
            known_graded = self.graded(grade, self.subject)
            if known_graded is None and tables:
                known_graded = self.graded(grade, tables[0][0])
            if self._key_said_behind(j, known_graded) and best.words != "date":
                # "the 10 slowest lines by retries"
                best.of_rows = True
                self._set_best(best)
                self.best_open = True
                return j
            if (
                known_graded is None
                and best.words != "date"
                and not (words.endswith("date") and self.date_column(table=self.subject))
            ):
                raise no(
                    "no-such-column",
                    f"no column says what is {best.said!r}",
                    self.lexicon.nearest(words.split("|")[0].split()[0]),
                )
            best.by = known_graded
            if grade in ("old", "young") and (known_graded is None or self._since(known_graded)):
                best.descending = not best.descending
            best.of_rows = True
            unit = unit_at(self.tokens, j)
            self._set_best(best)
            if unit and not self.column_named_exactly(j):
                self.notes.groups.append(Key(unit=unit[0], asked=True))
                if known_graded is not None and known_graded.sort == "number":
                    best.function = "sum" if known_graded.additive else "max" if best.descending else "min"
                return j + unit[1]
            return j
        if low_value := self._derived_at(j):
            self.notes.measures.append(Measure("sum", low_value[0], low_value[1]))
            best.function = "sum"
            self._set_best(best)
            return low_value[2]
        named = tables[0][2] if tables else 1
        row = bool(tables) or (j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject))
        if row and self.low(j + named) == "by" and grade in ("high", "low", "large", "small", "big"):
            # "top product by units sold": the key comes after the noun
            best.of_rows = True
            self._set_best(best)
            self.best_open = True
            return j
        if grade in any_of("large big great small high low") and tables:
            sizes = self._sizes(tables[0][0], best)
            if len(sizes) == 1 or (sizes and sizes[0].words[-1:] in (("amount",), ("total",), ("size",))):
                best.by = sizes[0]
                best.of_rows = True
                self._set_best(best)
                return j
            if best.said in any_of("top best worst largest biggest smallest highest lowest"):
                best.of_rows = True
                self._set_best(best)
                self.best_open = True
                return j
        if best.said in any_of("top best worst largest biggest smallest highest lowest greatest"):
            row = j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject)
            if column or row:
                sizes = self._sizes(self.subject, best) if row and not column else []
                if len(sizes) == 1 or (sizes and sizes[0].words[-1:] in (("amount",), ("total",), ("size",))):
                    best.by = sizes[0]
                best.of_rows = True
                self._set_best(best)
                self.best_open = True
                return j
        return 0

    def _sizes(self, table: str, best: Best) -> list[Known]:
        """What "biggest" may go by; what is best or on top is for the user to say."""
        if best.said in ("top", "best", "worst"):
            return []
        return self.lexicon.with_words(table, ["amount", "total", "size", "area", "population"], "number")

    def _after_with(self, i: int) -> bool:
        """Whether the words before i are "with the", "has the", "had the"."""
        j = i - 1
        while self.low(j) in ("the", "a", "an", "single"):
            j -= 1
        return self.low(j) in any_of(
            "with has have had having of reached shows showed recorded got get gets earned earns scored "
            "generated brought reported saw made whose"
        )

    def _most(self, i: int, count: int | None) -> int:
        """ "most expensive", "most orders", "most common city", "sold the most", "the fewest"."""
        low = self.low(i)
        more = low == "most"
        best = Best(more, count, self.said(i, 1), parameter=count is not None)
        j = i + 1
        if (self.low(j) == "of" and self.low(j + 1) == "the") or (i > 0 and self.low(i - 1) == "at"):
            return 0
        nxt = self.low(j)
        if nxt in any_of(
            "common frequent popular often frequently commonly used visited requested ordered bought "
            "purchased sold borrowed viewed active read prolific loaned seen reported flown occurring "
            "prevalent busy rented watched played"
        ):
            if nxt in ("sold", "ordered", "bought", "purchased"):
                known = self._by_words(["quantity", "units", "sold"])
                if known is not None:
                    best.by, best.function = known, "sum"
                else:
                    best.frequent = True
            elif nxt == "popular" and self.lexicon.with_words(self.subject, ["rating", "popularity"], "number"):
                best.by = self.lexicon.with_words(self.subject, ["popularity", "rating"], "number")[0]
                best.of_rows = True
            else:
                best.frequent = True
                best.word = self.low(i - 1) if nxt in ("often", "frequently") else nxt
            self._set_best(best)
            after = (
                self.skip(j + 1, any_of("used visited requested ordered occurring reported seen"))
                if nxt in any_of("common frequent popular frequently commonly often")
                else j + 1
            )
            return after
        if nxt in ("recent", "recently"):
            best.descending = more
            best.words = "date"
            k = j + 1
            return self._latest(i, k, best, "late" if more else "early")
        if nxt in GRADES and nxt not in ("most", "few", "least", "high", "low"):
            words, up = GRADES[nxt]
            best.words = words
            best.descending = up == more
            best.said = self.said(i, 2)
            if nxt in ("old", "young", "new", "late", "early"):
                return self._best_target(i, j + 1, best, nxt, i)
            return self._best_target(i, j + 1, best, nxt, i)
        best.words = ""
        j = self.skip(j, any_of("number of total the different distinct")) if nxt in ("number",) else j
        described = self._described_noun(j)
        if described:
            j = described
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.6]
        matches = self.lexicon.matches_at(self.tokens, j) if j < len(self.tokens) else []
        money = j < len(self.tokens) and self.low(j) in ("money",)
        if money:
            known = self._by_words("amount total spend spent revenue price".split())
            if known is not None:
                best.by, best.function = known, "sum"
                self._set_best(best)
                return j + 1
        if tables and not (matches and matches[0].score > tables[0][1] + 0.05):
            best.rows_of, best.function = tables[0][0], "count"
            self._set_best(best)
            self.mention(tables[0][0])
            return j + tables[0][2]
        if matches:
            found = self.column_at(j)
            if found and found[0].lists:
                self.notes.measures.append(entries_of(found[0]))
                best.function = "sum"
                self._set_best(best)
                return found[1]
            if found:
                known, at = found
                if known.sort == "number" and not known.identifier:
                    best.by, best.function = known, "sum" if known.additive else None
                elif known.sort == "date":
                    best.rows_of, best.function, self.event = known.column.table, "count", known
                elif j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject) and known.identifier:
                    best.rows_of, best.function = self.subject, "count"
                else:
                    best.by, best.function = known, "count_distinct"
                self._set_best(best)
                return at
        if j < len(self.tokens) and self.lexicon.row_noun(self.tokens[j], self.subject):
            best.rows_of, best.function = self.subject, "count"
            self._set_best(best)
            return j + 1
        if nxt.endswith(("ed", "ing")):
            # "most commented": by the column of comments
            own = [
                k
                for k in self.lexicon.of_table[self.subject]
                if k.counts and any(stem(w) == stem(nxt) for w in k.words)
            ]
            if len(own) == 1:
                best.by, best.of_rows = own[0], True
                self._set_best(best)
                return j + 1
        # "sold the most", "spent the most": the verb before says of what
        for back in range(i - 1, max(-1, i - 4), -1):
            root = stem(self.low(back))
            for verb, words in VERBS.items():
                if stem(verb) == root:
                    known = self._by_words(words.split())
                    if known is not None:
                        best.by = known
                        best.function = "sum" if known.additive else None
                        self._set_best(best)
                        return i + 1
            own = [k for k in self.lexicon.of_table[self.subject] if k.counts and any(stem(w) == root for w in k.words)]
            if len(own) == 1 and self.low(back).endswith("ed"):
                best.by = own[0]
                self._set_best(best)
                return i + 1
            if root in any_of("order buy purchas borrow fl visit"):
                best.frequent = True
                self._set_best(best)
                return i + 1
        derived = self._derived_at(j)
        if derived:
            self.notes.measures.append(Measure("sum", derived[0], derived[1]))
            best.function = "sum"
            self._set_best(best)
            return derived[2]
        return 0

    def _described_noun(self, j: int) -> int:
        """Take the adjective of "most cancelled flights" as a condition; the place of the noun, or 0."""
        if j + 1 >= len(self.tokens):
            return 0
        flags = self.values.flag_at(self.tokens, j)
        held = self.values.held_at(self.text, self.tokens, j)
        n = flags[0].length if flags else held[0].length if held and held[0].score > 0.84 else 0
        at = j + n
        if not n or at >= len(self.tokens):
            return 0
        numbers = [m for m in self.lexicon.matches_at(self.tokens, at) if m.score > 0.9 and m.known.sort == "number"]
        rows = self.lexicon.tables_at(self.tokens, at) or self.lexicon.row_noun(self.tokens[at], self.subject)
        if not rows and not numbers:
            return 0
        return self._flag(j, flags) if flags else self._value(j, held)
