"""Questions about tables that nobody prepared: times kept as text, doers, values said with a noun of their own."""

from __future__ import annotations

from synth.plan import Compare
from synth.understand.absence import Absence
from synth.understand.columns import Known, holds_years
from synth.understand.notes import STOPS, Shown
from synth.understand.numbers_and_dates import quantity_at
from synth.understand.operators import TIME_WORDS, phrase_at
from synth.understand.vocabulary import FILLER
from synth.understand.words import IRREGULAR, any_of, stem

ALL_OF_THEM = any_of("the all every each")
BEFORE_VALUES = any_of("behind about against listed during regarding named called titled labelled labeled")
# A table so called says nothing about its rows, so the request may give them a name.
UNTELLING = any_of(
    "data table sheet export file record row output result dump download query report list csv json untitled temporary tmp "
    "test input dataset"
)
ROW_FOLLOWED = any_of(
    "with that who which whose where when from in at on of having has have had was were is are did does for by and"
)
DOERS = {"wrote": "writ", "won": "winn", "led": "lead", "drove": "driv", "taught": "teach", "built": "build"}


class Unlabelled(Absence):
    """What users of an undocumented table say."""

    def _name_them(self, i: int) -> int:
        """ "Name the driver who …": a wish to see it, not a name."""
        return i + 1 if i == 0 and self.low(0) == "name" and self.low(1) in ALL_OF_THEM else 0

    def _stored_time(self, i: int) -> int:
        """A time where no column holds dates: the text that is stored so, or the one column of whole years."""
        if self.lexicon.dates(self.subject) or len(self.lexicon.schema.tables) > 1:
            return 0
        found = phrase_at(self.tokens, i, TIME_WORDS)
        at = self.skip(i + (found[1] if found else 0), {"the", "year"})
        period = self.calendar.period_at(self.tokens, at)
        if period is None:
            return 0
        held = self.values.held_at(self.text, self.tokens, at)
        if held and held[0].length >= period.length and (found is None or found[0] == "="):
            return self._value(at, held)
        year = self.low(at) if period.length == 1 and self.tokens[at].kind == "number" else ""
        if not year or found is None or any("year" in k.words for k in self.lexicon.of_table[self.subject]):
            return 0
        last = self.last if isinstance(self.last, Known) and self.last.sort == "number" else None
        if last is not None and not holds_years(last):
            return 0
        years = [last] if last else [k for k in self.lexicon.of_table[self.subject] if holds_years(k)]
        if len(years) != 1:
            return 0
        number = quantity_at(self.tokens, at)
        if number is None:
            return 0
        self._unshow(years[0])
        condition = self.compare_number(years[0], found[0], number)  # type: ignore[arg-type]  # the table's meanings are comparisons
        self.add(condition, years[0], value=isinstance(condition, Compare) and condition.operator == "=")
        self.zone, self.last = "filter", None
        return at + 1

    def _doer(self, i: int) -> int:
        """ "Who directed Alien": the column of those who do that."""
        token = self.tokens[i]
        if self.question != "who" or self.notes.shown or token.kind != "word":
            return 0
        if not (token.low.endswith("ed") or token.low in DOERS or token.low in IRREGULAR):
            return 0
        root = DOERS.get(token.low, stem(token.low))
        doers = [
            k
            for k in self.lexicon.of_table[self.subject]
            if k.sort == "text"
            and len(root) > 3
            and any(w.startswith(root) and w.endswith(("r", "d")) for w in k.words)
        ]
        if len(doers) != 1:
            return 0
        self.asking = False
        self.notes.shown.append(Shown(doers[0], token.low, asked=True))
        self.zone = "filter"
        return i + 1

    def _said_before_value(self, i: int) -> int:
        """ "The game against Charlotte", "listed for Berlin": a word that leads to a stored value and says no more."""
        if self.low(i) not in BEFORE_VALUES or self.column_named_exactly(i):
            return 0
        at = self.skip(i + 1, any_of("the for as in under with by"))
        if at >= len(self.tokens) or not self.values.held_at(self.text, self.tokens, at):
            return 0
        return i + 1

    def _name_of_rows(self, i: int) -> int:
        """ "The player from Tampa" where the table's own name does not say what its rows are: one noun may."""
        token = self.tokens[i]
        tables = self.lexicon.schema.tables
        if len(tables) > 1 or token.kind != "word" or not token.text.islower() or len(token.low) < 3:
            return 0
        if set(self.lexicon.table_words[self.subject]) - UNTELLING or token.low in FILLER or token.low in STOPS:
            return 0
        if self.called_rows not in ("", token.lemma) or self.low(i - 1) not in any_of("the a an which what this"):
            return 0
        after = self.low(i + 1)
        if after and after not in ROW_FOLLOWED and not after.endswith(("ed", "ing")):
            return 0
        self.called_rows = token.lemma
        if not self.named_at:
            self.named_at = [token]
        self.last = f"table:{self.subject}"
        self._joined()
        return i + 1

    def _named_in_vain(self) -> None:
        """A noun that nobody knows is believed only beside a condition and a column: "how many giraffes" counts none."""
        counted = any(m.of is None for m in self.notes.measures) or self.counting
        told = (self.notes.shown or self.notes.measures) and self.notes.parts
        if self.named_at and (counted or not told):
            self.unexplained.extend(self.named_at)
