"""Rules of the second reading only, for words that nothing explained: what lies inside longer values, and what says nothing."""

from __future__ import annotations

from synth.plan import Match
from synth.understand.columns import Known, is_flag
from synth.understand.elapsed import Elapsing
from synth.understand.everyday import HANDLING
from synth.understand.notes import PERSONS, STOPS, Measure
from synth.understand.short_forms import akin
from synth.understand.states import COMMON
from synth.understand.vocabulary import FILLER, GRADES, ROWS, SUPERLATIVES
from synth.understand.words import Token, any_of, normal

LEADING_INSIDE = any_of("about for with on mentioning regarding concerning named called from of involving the all")
FOLK = PERSONS | any_of("folk guy lad people member holder owner applicant contact")


class Loosely(Elapsing):
    """What a second reading may believe."""

    loose = False

    def _happened(self, i: int) -> int:
        """ "The booked minutes" of a table of bookings: each row is one."""
        token = self.tokens[i]
        if not self.loose or token.kind != "word" or self.negate or not token.low.endswith(("ed", "ing")):
            return 0
        nouns = {*self.lexicon.table_words[self.subject][-1:], *self._row_nouns()}
        return i + 1 if any(akin(token.low, noun) for noun in nouns) else 0

    def _row_nouns(self) -> list[str]:
        """The nouns of ROWS that are believed of the subject's rows."""
        words = {w for k in self.lexicon.of_table[self.subject] for w in k.words}
        return [noun for noun, needs in ROWS.items() if needs and set(needs.split()) & words]

    def _handled(self, i: int) -> int:
        """ "Reports that Ann filed", "invoices we wrote": who handles what is told by the words beside the verb."""
        if not self.loose or self.low(i) not in HANDLING or i == 0 or self.negate:
            return 0
        return 0 if self.low(i - 1) in any_of("to will should cannot") else i + 1

    def _kind_of_folk(self, i: int) -> int:
        """ "Gold members" where gold is a stored value: the noun says no more than whose value that is."""
        token = self.tokens[i]
        valued = isinstance(self.last, tuple) or bool(self.notes.parts)
        return i + 1 if self.loose and valued and token.lemma in FOLK and token.kind == "word" else 0

    def _inside_values(self, i: int) -> int:
        """ "Vpn tickets", "toner": a word that the values of one column of longer texts hold."""
        token = self.tokens[i]
        if not self.loose or token.kind != "word" or len(token.low) < 3 or token.low in STOPS or token.low in FILLER:
            return 0
        if token.low in COMMON or token.low in GRADES or token.low in SUPERLATIVES:
            return 0
        figure = self.aggregates or self.sharing or (self.zone == "measure" and not self.counting)
        if figure or self.zone in ("group", "order"):
            return 0
        holding = self._holding(token)
        everywhere = [k for k, share in holding.items() if share > 0.95]
        if everywhere and self._rows_at_least(i):
            return self._counted_rows(i)
        alone = len(self.tokens) == 1
        noun = self.noun_of_rows(i + 1) is not None
        named = self._named_so(i) and len(self.lexicon.schema.tables) == 1
        if len(holding) != 1 or not (alone or noun or named or self.low(i - 1) in LEADING_INSIDE):
            return 0
        known = next(iter(holding))
        word = token.text if self._held_by(known, {token.low}) else token.lemma
        self.add(Match(known.column, "contains", self.parameter("word", word), negated=self.negate), known)
        self.notes.remarks.append(f"{word!r} sought within {known.column.name}")
        if named and not noun:
            return self._counted_rows(i)
        self.last = None
        return i + 1

    def _named_so(self, i: int) -> bool:
        """Whether the rows asked for are called by the word at i: "how many thinkpads", "list the macbooks"."""
        noted = self.notes.shown or self.notes.measures or self.rows_said or self.asking
        plural = self.tokens[i].low != self.tokens[i].lemma
        return plural and (bool(self.counting) or (self.zone == "head" and not noted))

    def _counted_rows(self, i: int) -> int:
        self.mention(self.subject)
        self.rows_said = True
        if self.counting:
            self._count_now(Measure("count", None, self.tokens[i].low, rows_of=self.subject))
        self.last = f"table:{self.subject}"
        self._joined()
        return i + 1

    def _rows_at_least(self, i: int) -> bool:
        return self.tokens[i].low != self.tokens[i].lemma

    def _holding(self, token: Token) -> dict[Known, float]:
        """The subject's columns of longer texts that hold the word, and the share of their different values that do."""
        own = [k for k in self.lexicon.of_table[self.subject] if k.sort == "text" and not is_flag(k.field)]
        longer = [k for k in own if any(" " in v for v in _texts(k))]
        shares = {k: self._held_by(k, {token.low, token.lemma}) for k in longer}
        return {known: share for known, share in shares.items() if share}

    def _held_by(self, known: Known, words: set[str]) -> float:
        """The share of the column's different values that have one of the words among theirs."""
        texts = _texts(known)
        return sum(bool(words & set(normal(v).split())) for v in texts) / len(texts)


def _texts(known: Known) -> tuple[str, ...]:
    return known.field.vocabulary or tuple(e for e in known.field.examples if isinstance(e, str))
