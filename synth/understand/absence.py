"""Rows without some rows: "customers with no cancelled orders", "vendors without a software contract", "no loans in 2024"."""

from __future__ import annotations

from synth.plan import And, Condition
from synth.understand.columns import Known
from synth.understand.notes import no
from synth.understand.operators import LACKING, TIME_WORDS, phrase_at
from synth.understand.short_forms import akin
from synth.understand.states import States
from synth.understand.words import any_of, stem

ARTICLES = any_of("any a an single the their its")
DENYING = any_of("no without never nor")


class Absence(States):
    """Conditions on partners that must not exist; a "no" is never lost on the way."""

    def _absent(self, i: int) -> int:
        """ "with no critical outage": what is said between the "no" and the noun belongs to the partner."""
        found = phrase_at(self.tokens, i, LACKING)
        if not found or not {self.low(k) for k in range(i, i + found[1])} & any_of("no without not lack lacks"):
            return 0
        start = self.skip(i + found[1], ARTICLES)
        nouns = [n for k in range(start, start + 4) if (n := self.noun_of_rows(k))]
        if not nouns:
            return 0
        mark = len(self.notes.parts)
        subject, self.subject = self.subject, nouns[0][0]
        try:
            # what describes the partner is read among the partner's own columns
            at = self._described_up_to_noun(start)
        finally:
            self.subject = subject
        if at < start:
            del self.notes.parts[mark:]
            return 0
        noun = self.noun_of_rows(at)
        if noun is None or (at == start and not self._time_behind(at + noun[1])):
            del self.notes.parts[mark:]
            return 0
        if at > start and len(self.notes.parts) == mark:
            said = self.said(start, at - start)
            raise no("not-understood", f"what does {said!r} say of the {noun[0]} there must not be?")
        conditions = [p.condition for p in self.notes.parts[mark:]]
        del self.notes.parts[mark:]
        self._reset()
        self.zone, self.last = "filter", None
        return self._lacking_where(noun[0], conditions, at + noun[1])

    def _never_done(self, i: int) -> int:
        """ "Never used the api", "did not use any feature in 2025": no partner in the table of what was done, with its object."""
        j = i + 1 if self.low(i) in ("who", "that", "which") else i
        j = j + 1 if self.low(j) in any_of("have has had did do does were was are is") else j
        if self.low(j) not in ("never", "not") or j + 1 >= len(self.tokens):
            return 0
        j = self.skip(j + 1, any_of("been yet ever actually have had"))
        done = [t for t in self._partners() if any(akin(w, stem(self.low(j))) for w in self.lexicon.table_words[t])]
        if len(done) != 1 or self.values.flag_at(self.tokens, j):
            return 0
        words = self.lexicon.table_words[done[0]]
        at, conditions = j + 1, list[Condition]()
        while at < len(self.tokens):
            k = self.skip(at, ARTICLES | any_of("of for in our one these those"))
            held = self.values.held_at(self.text, self.tokens, k) if k < len(self.tokens) else []
            there = [h for h in held if h.known.column.table == done[0] and h.score >= 0.85]
            if len(there) == 1 and not conditions:
                conditions.append(self.held_condition(there[0]))
                at = k + there[0].length
            elif k < len(self.tokens) and self.tokens[k].lemma in words:
                at = k + 1
            else:
                break
        if at == j + 1:
            return 0
        self._reset()
        self.zone, self.last = "filter", None
        return self._lacking_where(done[0], conditions, at)

    def _described_up_to_noun(self, start: int) -> int:
        """The place of the noun that the words from `start` on describe, their conditions noted; -1 where they say more."""
        at = start
        while at < len(self.tokens) and at - start < 4 and not self.noun_of_rows(at):
            if self.lexicon.matches_at(self.tokens, at) and at == start and not self._described(at):
                return -1
            after = self._described_word(at)
            if after <= at:
                return -1
            at = after
        return at

    def _lacking_where(self, table: str, conditions: list[Condition], at: int) -> int:
        """Note the partner that must not exist, with the time said behind it; the place after that."""
        timed = self._time_behind(at)
        if timed:
            known = self.date_column(table=table, required=True)
            assert known is not None
            found = phrase_at(self.tokens, at, TIME_WORDS)
            j = self.skip(at + (found[1] if found else 0), {"the"})
            period = self.calendar.period_at(self.tokens, j)
            assert period is not None
            operator = found[0] if found else "="
            conditions = [*conditions, self.compare_period(known, operator, period)]  # type: ignore[arg-type]  # a comparison
            at = j + period.length
        if table == self.subject and conditions and self._none_of_each(conditions):
            return at
        self.notes.lacking.append(table)
        if conditions:
            where = conditions[0] if len(conditions) == 1 else And(tuple(conditions))
            self.notes.lacking_where[table] = where
        return at

    def _none_of_each(self, conditions: list[Condition]) -> bool:
        """ "Clients with no overdue invoices" where clients are a column of the invoices."""
        shown = self.notes.shown
        if len(shown) != 1 or not self.lexicon.entity(shown[0].known) or self.notes.none_of is not None:
            return False
        where = conditions[0] if len(conditions) == 1 else And(tuple(conditions))
        self.notes.none_of = (shown.pop().known, where)
        return True

    def _time_lacked(self, i: int) -> int:
        """ "never rented in 2024": a time right behind the partner that must not exist is that partner's."""
        if self.lacked_at != i or not self.notes.lacking or not self._time_behind(i):
            return 0
        table = self.notes.lacking[-1]
        if table in self.notes.lacking_where or table == self.subject:
            return 0
        self.notes.lacking.pop()
        return self._lacking_where(table, [], i)

    def _lost_no(self, i: int) -> int:
        """A "no" that no other rule could place is refused rather than read as "number"."""
        found = phrase_at(self.tokens, i, LACKING)
        if found and found[1] > 1 and self.low(i + found[1] - 1) == "no" and self.low(i + found[1]) not in ("", "one"):
            raise no(
                "not-understood",
                f"{self.said(i, min(found[1] + 2, len(self.tokens) - i))!r}: no rows of what, with which condition?",
            )
        return 0

    def noun_of_rows(self, i: int) -> tuple[str, int] | None:
        """The table named by the noun at i, and how many words name it."""
        if i >= len(self.tokens):
            return None
        tables = [t for t in self.lexicon.tables_at(self.tokens, i) if t[1] >= 0.75]
        if tables:
            own = [t for t in tables if t[0] == self.subject]
            name, _, n = (own or tables)[0]
            return name, n
        if self.lexicon.row_noun(self.tokens[i], self.subject) and len(self.lexicon.schema.tables) == 1:
            return self.subject, 1
        return None

    def _described(self, i: int) -> bool:
        """Whether what is at i may describe rows: a stored value, a yes-or-no word, a state."""
        return bool(
            self.values.held_at(self.text, self.tokens, i)
            or self.values.flag_at(self.tokens, i)
            or self.low(i).endswith("ed")
            or self.low(i) == "overdue"
        )

    def _described_word(self, i: int) -> int:
        """The place after the describing word at i, its condition noted; i when there is none."""
        for rule in (self._overdue, self._thing, self._verb, self._state_word, self._part_of_value):
            shown = len(self.notes.shown)
            after = rule(i)
            if after > i:
                if len(self.notes.shown) > shown:
                    said = self.said(i, after - i)
                    raise no("not-understood", f"what does {said!r} say of rows that must not be there?")
                return after
        return i

    def _time_behind(self, i: int) -> bool:
        found = phrase_at(self.tokens, i, TIME_WORDS)
        j = self.skip(i + (found[1] if found else 0), {"the"})
        return i < len(self.tokens) and self.calendar.period_at(self.tokens, j) is not None

    def _date_for(self, i: int) -> Known:
        """A time right behind the happening is the happening's: "readers with loans in 2023"."""
        named = isinstance(self.last, Known) and (self.last.sort == "date" or self._year_column(self.last))
        table = self._happening_before(i) if self.event is None and not named else ""
        if table:
            known = self.date_column(table=table, required=True)
            assert known is not None
            return known
        return super()._date_for(i)

    def _happening_before(self, i: int) -> str:
        """The table with a date that the noun right before i leads to, where the rows asked for have many such."""
        tables = self.lexicon.tables_at(self.tokens, i - 1) if i > 0 else []
        tables = [t for t in tables if t[1] >= 0.75 and t[2] == 1 and t[0] != self.subject]
        if not tables or self.counting or self.notes.measures or not self.subject_said:
            return ""
        path = self.graph.path(self.subject, tables[0][0]) or []
        if not any(e.widens for e in path):
            return ""
        dated = [e.to_table for e in path if e.to_table != self.subject and self.lexicon.dates(e.to_table)]
        return dated[-1] if dated else ""

    def _overdue(self, i: int) -> int:
        """See structure.py."""
        raise NotImplementedError
