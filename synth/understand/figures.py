"""Figures: counts, sums, averages, shares, and arithmetic between columns."""

from __future__ import annotations

from synth.plan import (
    Aggregate,
    AggregateName,
    Arithmetic,
    Bucket,
    Empty,
    Expression,
)
from synth.understand.columns import Known, holds_years, is_flag
from synth.understand.filters import Filters
from synth.understand.notes import (
    Measure,
    entries_of,
    no,
)
from synth.understand.numbers_and_dates import UNITS, quantity_at
from synth.understand.operators import AGGREGATE_OF, AGGREGATES, COMPARISONS, COUNTS, SHARES, phrase_at, unit_at
from synth.understand.vocabulary import SUPERLATIVES, VERBS
from synth.understand.words import any_of, lemma, stem

KINDS = any_of(
    "category type kind status state genre class reason method level tariff plan channel tag label unit role"
)
COLLECTIVE = any_of("staff people aircraft fish sheep personnel crew equipment")


class Figures(Filters):
    """Figures."""

    def _share(self, i: int) -> int:
        found = phrase_at(self.tokens, i, SHARES)
        if not found:
            return 0
        if self.column_named_exactly(i):
            return 0
        said = self.said(i, found[1]).casefold()
        ratio = self._ratio_of_totals(i) if self.low(i) == "ratio" or self.low(i + 1) == "ratio" else 0
        if ratio:
            return ratio
        self.sharing = "percent" if "percent" in said or "%" in said else "share"
        self.zone = "measure"
        self._reset()
        j = self.skip(i + found[1], {"the", "all", "our", "of"})
        return j

    def _count(self, i: int) -> int:
        found = phrase_at(self.tokens, i, COUNTS)
        if not found:
            return 0
        meaning, n = found
        said = self.said(i, n).casefold()
        if self.asking and self.question == "which" and said in ("number of", "numbers of"):
            number = self.column_at(i + n, "number")
            if number is not None and not number[0].identifier and not number[0].additive:
                # "which numbers of cylinders are there": the values themselves
                return i + n
        if said == "how many":
            amount = self._amount_in_units(i + n)
            if amount:
                return amount
        exact = self.lexicon.matches_at(self.tokens, i)
        if said in ("number", "count", "tally", "quantity of") and (
            any(m.score > 0.9 for m in exact) or self.low(i + n) in ("one",)
        ):
            return 0
        if said == "number" and self.low(i + 1) not in ("of", "per", "by"):
            return 0
        self.counting = "distinct" if meaning == "distinct" else "rows"
        if meaning == "distinct":
            self.notes.distinct = False
        self.zone = "measure"
        if said in ("how often", "how many times", "number of times"):
            self._count_now(Measure("count", None, "times", rows_of=self.subject))
        self.connector = ""
        j = i + n
        if said.startswith("how many") and self.low(j) == "of" and self.low(j + 1) in ("the", "our", "my", "these"):
            j += 2
        j = self.skip(j, {"the", "all", "our", "its", "their"})
        if self.low(j) in ("distinct", "different", "unique"):
            self.counting = "distinct"
            j += 1
        if said in ("count", "number", "tally", "how many") and self.low(j) in ("and", ",", "&") and j == i + n:
            # "count and total per city"
            self._count_now(Measure("count", None, "rows", rows_of=self.subject))
            return j
        if self.low(j) in any_of("per by for in each grouped") or j >= len(self.tokens):
            self._count_now(Measure("count", None, "rows", rows_of=self.subject))
        elif unit_at(self.tokens, j) and not exact and not self.lexicon.matches_at(self.tokens, j):
            unit, used = unit_at(self.tokens, j) or ("day", 1)
            if self.counting == "distinct" or self.low(j + used) in ("with", "where", "had", "have", "did"):
                dates = self.date_column(required=True)
                assert dates is not None
                self._count_now(
                    Measure(
                        "count_distinct",
                        Bucket(dates.column, unit, self.zone_name(dates)),
                        self.said(j, used),
                        known=dates,
                    )
                )
                return j + used
        return j

    def _ratio_of_totals(self, i: int) -> int:
        """ "Ratio of tax to amount per client": one total over the other, for each."""
        at = self.skip(i, any_of("the ratio of between total"))
        left = self.column_at(at, "number") if at < len(self.tokens) else None
        if left is None or self.low(left[1]) not in ("to", "and", "over"):
            return 0
        right = self.column_at(self.skip(left[1] + 1, {"the", "total"}), "number")
        if right is None:
            return 0
        if not any(t.low in ("per", "by", "each", "every") for t in self.tokens[right[1] :]):
            raise no(
                "not-understood", "the ratio for each row, or of the totals? say 'per …', or 'average ratio between …'"
            )
        over = Arithmetic("/", Aggregate("sum", left[0].column), Aggregate("sum", right[0].column))
        self.notes.measures.append(Measure("sum", over, "ratio"))
        self.zone, self.last = "measure", self.notes.measures[-1]
        self._joined()
        return right[1]

    def _amount_in_units(self, i: int) -> int:
        """ "How many mm of rain": the sum of an amount that is said in its unit; the place after it, or 0."""
        unit = UNITS.get(self.tokens[i].lemma) if i < len(self.tokens) else None
        if unit is None or unit in ("d", "wk", "mo", "y") or self.lexicon.tables_at(self.tokens, i):
            return 0
        if any(m.score >= 0.85 for m in self.lexicon.matches_at(self.tokens, i)):
            return 0
        j = self.skip(i + 1, any_of("of the"))
        found = self.column_at(j, "number", 0.78) if j < len(self.tokens) else None
        if found is None or found[0].additive is False or found[0].identifier or not self._measures_in(found[0], unit):
            return 0
        known, at = found
        self._count_now(Measure("sum", known.column, self.said(j, at - j), known=known))
        self.zone = "measure"
        self._joined()
        return at

    def _counts_at(self, i: int) -> tuple[str, int] | None:
        """The words that ask for a count at i; not where a column's own name says as much or more."""
        counted = phrase_at(self.tokens, i, COUNTS)
        if counted is None:
            return None
        exact = [m for m in self.lexicon.matches_at(self.tokens, i) if m.score >= 0.96]
        if exact and (exact[0].length > counted[1] or counted[1] == 1):
            return None
        return counted

    def _count_now(self, measure: Measure) -> None:
        self.notes.measures.append(measure)
        self.counting = ""
        self.last = measure

    def _counted_thing(self, i: int, how: str) -> tuple[Measure, int]:
        """What is counted at i: rows of a table, or the different values of a column."""
        i = self.skip(i, any_of("the all their different distinct of"))
        tables = [t for t in self.lexicon.tables_at(self.tokens, i) if t[1] >= 0.6]
        if tables and how == "rows":
            return Measure("count", None, self.said(i, tables[0][2]), rows_of=tables[0][0]), i + tables[0][2]
        if i < len(self.tokens) and self.lexicon.row_noun(self.tokens[i], self.subject):
            return Measure("count", None, self.tokens[i].low, rows_of=self.subject), i + 1
        described = self._described_noun(i)
        if described:
            return self._counted_thing(described, how)
        found = self.column_at(i)
        if found:
            known, j = found
            if known.sort == "date" and how == "rows":
                self.event = known
                return Measure("count", None, self.said(i, j - i), rows_of=known.column.table), j
            if known.lists:
                return entries_of(known), j
            if known.sort == "number" and known.additive and how == "rows":
                return Measure("sum", known.column, self.said(i, j - i), known=known), j
            return Measure("count_distinct", known.column, self.said(i, j - i), known=known), j
        return Measure("count", None, "rows", rows_of=self.subject), i

    def _aggregate(self, i: int) -> int:
        found = phrase_at(self.tokens, i, AGGREGATES)
        if not found:
            return 0
        meaning, n = found
        said = self.said(i, n).casefold()
        if said == "total" and self.low(i - 1) == "in" and self.notes.measures:
            # "how many days … in total"
            return i + n
        longer = self.lexicon.matches_at(self.tokens, i + 2) if said == "total of" else []
        named = bool(longer) and longer[0].length > 1 and longer[0].score > 0.9
        bounded = phrase_at(self.tokens, i + 2, COMPARISONS) or quantity_at(self.tokens, i + 2)
        if said == "total of" and bounded and not named:
            if isinstance(self.last, Known) and self.last.sort == "number":
                self.totalled = True
                return i + 2
            return 0
        j = self.skip(
            i + n,
            {"the", "of", "all", "our", "for"}
            if meaning != "sum" or self.low(i + n) != "for"
            else {"the", "of", "all", "our"},
        )
        matches = self.lexicon.matches_at(self.tokens, i)
        following = self.lexicon.matches_at(self.tokens, j) if j < len(self.tokens) else []
        if (
            matches
            and matches[0].score > 0.93
            and not (following and following[0].known.sort == "number" and following[0].score > 0.8)
            and not self._counts_at(j)
            and not self._derived_at(j)
        ):
            # the column called so, not the wish for a sum
            if meaning == "sum" and n == 1 and self._rows_at(i + n):
                thing = self.said(i + n, 1)
                raise no(
                    "ambiguous",
                    f"{said} {thing}: their number, or the sum of {matches[0].known.column.name!r}?",
                    (f"number of {thing}", f"sum of {matches[0].known.column.name}"),
                )
            return 0
        counted = self._counts_at(j)
        if counted and meaning == "sum":
            return j
        if counted and meaning == "avg":
            if self._elapsed_at(j + counted[1]):
                # "the average number of days between …"
                return self._aggregated(["avg"], j + counted[1])
            number = self.column_at(self.skip(j + counted[1], {"the"}), "number")
            if number is not None and not number[0].identifier and not is_flag(number[0].field):
                # "the average number of hours": hours are numbers already
                return self._aggregated(["avg"], j + counted[1])
            return self._average_of_counts(j + counted[1])
        if said == "total":
            for verb, words in VERBS.items():
                if stem(self.low(j)) == stem(verb) and self.low(j).endswith(("t", "d")):
                    known = self._by_words(words.split())
                    if known is not None:
                        self.notes.measures.append(Measure("sum", known.column, known.column.name, known=known))
                        self._befallen(self.lexicon.events.get(stem(self.low(j)), []))
                        self.zone = "measure"
                        self.last = self.notes.measures[-1]
                        return j + 1
        if said == "overall" and not following:
            return 0
        if meaning == "avg" and self.low(j) in any_of("daily weekly monthly quarterly yearly annual hourly"):
            amount = self.column_at(j + 1, "number") if j + 1 < len(self.tokens) else None
            if amount is None or amount[0].additive is not False:
                raise no(
                    "cannot-answer",
                    f"an average of {self.low(j)} totals needs two steps; ask for the {self.low(j)} totals first",
                )
        self.aggregates.append(AGGREGATE_OF[meaning])
        self.zone = "measure"
        k = self.skip(j, set())
        while self.low(k) in ("and", ",") and phrase_at(self.tokens, k + 1, AGGREGATES):
            more = phrase_at(self.tokens, k + 1, AGGREGATES)
            assert more is not None
            self.aggregates.append(AGGREGATE_OF[more[0]])
            k += 1 + more[1]
        while self.low(k) in (",", "and"):
            nxt = k + 1 if self.low(k + 1) != "and" else k + 2
            more = phrase_at(self.tokens, nxt, AGGREGATES)
            if not more:
                break
            self.aggregates.append(AGGREGATE_OF[more[0]])
            k = nxt + more[1]
        k = self.skip(k, {"the", "of", "values", "value", "for"}) if k > j else j
        self.connector = ""
        derived = self._derived_at(k)
        if derived and not (following and following[0].score > 0.85):
            for name in self.aggregates:
                self.notes.measures.append(Measure(name, derived[0], derived[1]))
            self.aggregates = []
            self.last = self.notes.measures[-1]
            return derived[2]
        return k

    def _befallen(self, dates: list[Known]) -> None:
        """A word for what befell the rows was said: a time speaks of its date, and rows without one are not meant."""
        own = [k for k in dates if k.column.table == self.subject]
        if len(own) != 1 or self.event is not None or len(self.lexicon.dates(self.subject)) < 2:
            return
        self.event = own[0]
        if own[0].field.nulls:
            self.add(Empty(own[0].column, negated=True), own[0])

    def _aggregated(self, functions: list[AggregateName], i: int) -> int:
        """Open these aggregates; what is at i is taken into them."""
        self.aggregates = functions
        self.zone, self.connector = "measure", ""
        return i

    def _rows_at(self, i: int) -> bool:
        """Whether the word at i names rows, in the plural: of a table, or by a general word."""
        if i >= len(self.tokens) or self.tokens[i].low == self.tokens[i].lemma:
            return False
        return bool(self.lexicon.tables_at(self.tokens, i)) or self.lexicon.row_noun(self.tokens[i], self.subject)

    def _average_of_counts(self, i: int) -> int:
        """Orders per customer on average: rows over different customers, where both are in one table."""
        measure, j = self._counted_thing(i, "rows")
        if self.low(j) in ("per", "by") or (self.low(j) in ("for", "of") and self.low(j + 1) == "each"):
            k = self.skip(j + 1, {"each", "every", "the"})
            key, at = self._key_at(k)
            if (
                key is not None
                and key.known is not None
                and measure.function == "count"
                and measure.rows_of == key.known.column.table
            ):
                ratio = Arithmetic("/", Aggregate("count"), Aggregate("count_distinct", key.known.column))
                self.notes.measures.append(Measure("avg", ratio, "average_count", known=key.known))
                return at
        raise no("cannot-answer", "an average of counts needs two steps; ask for the counts, or for their parts")

    def _derived_at(self, i: int) -> tuple[Expression, str, int] | None:
        """Revenue = price × quantity, profit = revenue − cost, where no column holds it."""
        if i >= len(self.tokens):
            return None
        word = self.tokens[i].lemma
        n = 1
        if word == "total" and self.low(i + 1) in ("sales", "revenue"):
            return self._derived_at(i + 1)
        if word not in any_of("revenue turnover sale profit margin spend spending earning income takings proceeds"):
            if self.low(i) in ("sales",):
                word = "sale"
            else:
                return None
        if word == "sale" and (self._rows_called_sales(i) or self.values.held_at(self.text, self.tokens, i, 1)):
            return None
        if word == "sale" and self.low(i + 1) in any_of("amount value revenue volume figure figures total"):
            n = 2
        matches = [m for m in self.lexicon.matches_at(self.tokens, i) if m.known.sort == "number" and m.score >= 0.6]
        if matches:
            return None
        found = self.derived(word)
        return (found, "revenue" if word == "sale" else word, i + n) if found is not None else None

    def derived(self, word: str) -> Expression | None:
        """The arithmetic that stands for revenue or profit, in the subject or a table that hangs together with it."""
        tables = [self.subject, *(t.name for t in self.lexicon.schema.tables if t.name != self.subject)]
        for table in tables:
            if self.graph.path(self.subject, table) is None:
                continue
            if word in ("profit", "margin"):
                revenue = self.lexicon.with_words(table, ["revenue", "sale", "amount"], "number")
                cost = self.lexicon.with_words(table, ["cost", "expense"], "number")
                if len(revenue) == 1 and len(cost) == 1:
                    return Arithmetic("-", revenue[0].column, cost[0].column)
                continue
            quantity = self.lexicon.with_words(table, ["quantity", "units"], "number")
            price = list(self.lexicon.with_words(table, ["price"], "number"))
            if len(quantity) == 1 and len(price) == 1:
                product: Expression = Arithmetic("*", quantity[0].column, price[0].column)
                discount = self.lexicon.with_words(table, ["discount"], "number")
                if discount:
                    names = (f"{quantity[0].column.name} times {price[0].column.name}", discount[0].column.name)
                    raise no(
                        "ambiguous", f"{word} with or without {discount[0].column.name}? no column holds it", names
                    )
                return product
            if len(quantity) == 1 and not price:
                for edge in self.graph.edges[table]:
                    if not edge.widens:
                        price = self.lexicon.with_words(edge.to_table, ["price"], "number")
                        if len(price) == 1:
                            return Arithmetic("*", quantity[0].column, price[0].column)
        return None

    def _rows_called_sales(self, i: int) -> bool:
        """Whether "sales" at i means the rows of a table of sales rather than their worth."""
        named = bool(self.lexicon.tables_at(self.tokens, i)) or self.lexicon.row_noun(self.tokens[i], self.subject)
        if not named or self.low(i + 1) in any_of("amount value revenue volume figure figures"):
            return False
        if self.counting or self.tokens[i].low == "sale":
            return True
        if self.low(i - 1) in any_of("monthly weekly daily annual yearly quarterly"):
            return False
        if self.low(i + 1) == "by" and self.values.held_at(self.text, self.tokens, i + 2):
            return True
        worth = (
            self.aggregates
            or self.low(i + 1) in ("per", "by", "for", "each")
            or self.low(i - 1) in SUPERLATIVES
            or self.low(i - 1) == "most"
        )
        return not worth

    def _measure_here(self, i: int, derived: tuple[Expression, str, int]) -> int:
        functions: list[AggregateName] = self.aggregates or ["sum"]
        if not self.aggregates and isinstance(derived[0], Arithmetic) and derived[1].startswith("="):
            self.notes.measures.append(Measure("sum", derived[0], derived[1][1:]))
            self.last = self.notes.measures[-1]
            return derived[2]
        for function in functions:
            self.notes.measures.append(Measure(function, derived[0], derived[1], share=self.sharing))
        self.aggregates, self.sharing, self.counting = [], "", ""
        self.zone = "measure"
        self._joined()
        self.last = self.notes.measures[-1]
        return derived[2]

    def _arithmetic_at(self, i: int, left: Known, at: int) -> tuple[Expression, str, int] | None:
        signs = {
            "*": "*",
            "×": "*",
            "times": "*",
            "x": "*",
            "minus": "-",
            "/": "/",
            "+": "+",
            "less": "-",
            "multiplied": "*",
            "divided": "/",
        }
        if self._plus_meant(at):
            signs["plus"] = "+"
        sign = signs.get(self.low(at))
        if sign is None or left.sort != "number":
            return None
        if self.low(at) == "less" and self.low(at + 1) == "than":
            return None
        j = self.skip(at + 1, {"by", "the"})
        right = self.column_at(j, "number")
        if right is None:
            return None
        name = {"*": "product", "-": "difference", "/": "ratio", "+": "sum"}[sign]
        assert sign in ("+", "-", "*", "/")
        return Arithmetic(sign, left.column, right[0].column), name, right[1]  # type: ignore[arg-type]  # asserted above

    def _plus_meant(self, at: int) -> bool:
        """Whether a "plus" adds two columns up: where a total is asked for or their sum compared, and no list of both."""
        right = self.column_at(self.skip(at + 1, {"the"}), "number") if self.low(at) == "plus" else None
        return right is not None and (self.aggregates == ["sum"] or bool(phrase_at(self.tokens, right[1], COMPARISONS)))

    def _arithmetic_words(self, i: int) -> int:
        """ "difference between A and B", "ratio of A to B"."""
        word = self.low(i)
        if word not in ("difference", "ratio", "gap", "product"):
            return 0
        j = self.skip(i + 1, {"between", "of", "in", "the"})
        first = self.column_at(j, "number")
        if first is None or self.low(first[1]) not in ("and", "to", "over"):
            return 0
        second = self.column_at(self.skip(first[1] + 1, {"the"}), "number")
        if second is None:
            return 0
        sign = {"difference": "-", "gap": "-", "ratio": "/", "product": "*"}[word]
        assert sign in ("-", "/", "*")
        expression = Arithmetic(sign, first[0].column, second[0].column)  # type: ignore[arg-type]  # asserted above
        if self.aggregates:
            return self._measure_here(i, (expression, word, second[1]))
        raise no(
            "not-understood",
            f"the {word} for each row, or of the totals? say e.g. 'average {word} between …'",
            (f"average {word}", f"total {word}"),
        )

    def _check_measure(self, function: AggregateName, known: Known, said: str) -> None:
        if function in ("sum", "avg", "median", "stddev") and known.sort != "number":
            raise no(
                "cannot-answer",
                f"{known.column.name!r} holds no numbers to take the {function} of",
                tuple(k.column.name for k in self.lexicon.of_table[known.column.table] if k.sort == "number")[:6],
            )
        if function in ("sum", "avg", "median") and known.identifier:
            raise no("cannot-answer", f"{known.column.name!r} names things; its {function} means nothing")
        if is_flag(known.field) and known.sort != "number":
            raise no("cannot-answer", f"{known.column.name!r} is yes or no; ask for a count or a share")

    def _count_column(self, known: Known, said: str, at: int) -> int:
        if known.lists:
            self._count_now(entries_of(known))
            self._joined()
            return at
        if known.sort == "number" and not known.identifier and self.counting == "rows" and not is_flag(known.field):
            if known.additive is False or (known.additive is None and (not known.counts or holds_years(known))):
                raise no(
                    "ambiguous",
                    f"a number of {said!r}: different values, or a total?",
                    (f"number of different {said}", f"total {said}"),
                )
            self._count_now(Measure("sum", known.column, said, known=known))
        elif self.counting == "rows" and known.identifier and known.column in self.lexicon.key(known.column.table):
            self._count_now(Measure("count", None, said, rows_of=known.column.table))
        elif self.counting == "rows" and known.sort == "date":
            days = known.field.type.startswith("date") and lemma(said.casefold()) in ("day", "date")
            self._count_now(Measure("count_distinct" if days else "count", known.column, said, known=known))
        elif self.counting == "rows" and _runs_again(known):
            names = (f"number of different {known.column.name}", "number of rows")
            raise no(
                "ambiguous", f"{known.column.name!r} runs from 1 several times: different numbers, or rows?", names
            )
        elif self.counting == "rows" and known.sort == "text" and self._kind_named(at):
            names = (f"number of different {said}", f"number of rows per {said}")
            raise no("ambiguous", f"a number of {said!r}: of different ones, or of rows for each?", names)
        else:
            one = Measure("count_distinct", known.column, said, known=known)
            one.enumerated = self.counting == "rows" and self._kinds_of_rows(known)
            one.traded = self.counting == "rows" and known.sort == "text"
            self._count_now(one)
        self._joined()
        return at

    def _kind_named(self, at: int) -> bool:
        """Whether the word before `at` names one thing and no more: "count of status", and not "how many cities"."""
        word = self.tokens[at - 1]
        if any(t.low in ("distinct", "different", "unique") for t in self.tokens):
            return False
        return (
            word.kind == "word"
            and word.low == word.lemma
            and (not word.low.endswith("s") or word.low.endswith("us"))
            and word.low not in COLLECTIVE
        )

    def _kinds_of_rows(self, known: Known) -> bool:
        """Whether the column rather says what kind each row is (car, van) than names things (Berlin): then "how many
        vehicles" may well mean rows."""
        vocabulary = known.field.vocabulary
        if known.sort != "text" or not vocabulary or known.words[-1] in KINDS:
            return False
        few = len(vocabulary) <= 12 and len(vocabulary) * 10 <= known.field.values
        return few and all(v == v.lower() for v in vocabulary)

    def _share_of_rows(self, name: str) -> None:
        self.share_rows = True
        self.share_mark = len(self.notes.parts)
        self.mention(name)

    def _share_column(self, known: Known, said: str, at: int, i: int) -> int:
        if known.sort == "number" and not known.identifier:
            self.aggregates = [a for a in self.aggregates if a != "sum"]
            self.notes.measures.append(Measure("sum", known.column, said, known=known, share=self.sharing))
            self.sharing = ""
            self.last = self.notes.measures[-1]
            return at
        counted = self.share_rows
        self.share_rows = True
        self.last = known
        if counted and known.field.nulls and self.low(i - 1) in ("a", "an", "any", "some"):
            # "percentage of orders that used a coupon"
            self.add(Empty(known.column, negated=True), known)
            self.last = None
        return at

    def _share_subject(self, at: int) -> str | None:
        tables = self.lexicon.tables_at(self.tokens, at)
        return tables[0][0] if tables else None

    def _total_after(self, at: int) -> int:
        """ "salary in total", "quantity altogether" ask for the sum."""
        if self.low(at) == "in" and self.low(at + 1) == "total":
            return at + 2
        if self.low(at) in ("altogether",):
            return at + 1
        return at


def _runs_again(known: Known) -> bool:
    """Whether it numbers rows from 1 on and begins again: then its different values are not the things it numbers."""
    field = known.field
    whole = field.least == 1 and field.most == field.distinct
    return known.words[-1] in ("number", "no", "sequence") and whole and field.distinct < field.values - field.nulls
