"""Words that qualify rows where they look like something else: "tools that auto-renew", "the plus or the pro plan", "to country Spain"."""

from __future__ import annotations

from synth.plan import Empty
from synth.understand.columns import Known
from synth.understand.notes import STOPS
from synth.understand.unlabelled import Unlabelled
from synth.understand.values import Held
from synth.understand.vocabulary import FILLER
from synth.understand.words import any_of, stem

# Before a yes-or-no column these ask for the column itself.
NAMING = any_of("with show list by per of and , column field each the their its on for average total include including")
DETERMINERS = any_of(
    "a an the all any some no other this that these those my our your me it us i in on at to by is of no such"
)
SAYING = any_of("that which who do does did not never are is were was also to still and or but only")
# What a request begins with when it asks for something.
WISHES = any_of(
    "show list display give get find fetch return print select pull see view tell let know look lookup retrieve extract output "
    "bring provide generate create compute calculate work determine report query search go want need like set find place"
)


class Qualified(Unlabelled):
    """Conditions in words that are a column's name, a connector or mere courtesy elsewhere."""

    def _flag_said(self, i: int) -> int:
        """ "Tools that auto-renew", "auto-renewing licences": a yes-or-no column of several words used as verb or adjective."""
        flags = self.values.flag_at(self.tokens, i)
        n = flags[0].length if flags else 0
        if not n or self._predicate_ahead(i + n, flags[0].known) or self.counting == "distinct":
            return 0
        if self._flag_had(i, i + n):
            return self._flag(i, flags)
        if (n < 2 and self.tokens[i].low.isalpha()) or (self.sharing and not self.share_rows):
            return 0
        before = self.low(i - 1)
        rows_ahead = self.noun_of_rows(i + n) is not None and self.low(i + n - 1) != self.low(i + n)
        verb = before in SAYING - NAMING or (before in ("and", "or") and bool(self.notes.parts))
        behind_noun = i > 0 and before not in NAMING | STOPS | FILLER and self._noun_before(i)
        if not (rows_ahead or verb or behind_noun or (self.counting and before not in NAMING)):
            return 0
        return self._flag(i, flags)

    def _flag_had(self, i: int, at: int) -> bool:
        """ "Members with MFA enabled", and not "members with MFA enabled and role": a condition, and nothing to show."""
        if self.low(i - 1) not in ("with", "have", "has", "having") or not (self.rows_said or self.notes.parts):
            return False
        nxt = self.skip(at + 1, any_of("the their its")) if self.low(at) in ("and", ",", "or") else at
        return nxt == at or nxt >= len(self.tokens) or not self.lexicon.matches_at(self.tokens, nxt)

    def _noun_before(self, i: int) -> bool:
        """Whether the words right before i name rows, or the things that the question asks for."""
        shown = self.notes.shown[-1] if self.notes.shown else None
        named = shown is not None and self.tokens[i - 1].lemma in shown.known.words
        counted = any(m.known is not None and self.tokens[i - 1].lemma in m.known.words for m in self.notes.measures)
        return named or counted or self.noun_of_rows(i - 1) is not None

    def _ended_noun(self, i: int) -> int:
        """ "Orgs with cancelled subs", "excluding expired contracts": by the date of another table, or denied."""
        token = self.tokens[i]
        noun = self.noun_of_rows(i + 1) if token.low.endswith("ed") and i + 1 < len(self.tokens) else None
        if (
            noun is None
            or (noun[0] == self.subject and not self.negate)
            or self.values.held_at(self.text, self.tokens, i)
        ):
            return 0
        events = [
            k for k in self.lexicon.events.get(stem(token.low), ()) if k.column.table == noun[0] and k.field.nulls
        ]
        if len(events) != 1 or self.counting or self.values.flag_at(self.tokens, i):
            return 0
        if self.negate:
            self.negate = False
            self.add(Empty(events[0].column), events[0])
        else:
            self.add(Empty(events[0].column, negated=True), events[0])
        self.mention(noun[0])
        self.zone, self.last = "filter", f"table:{noun[0]}"
        return i + 1 + noun[1]

    def _word_as_value(self, i: int) -> int:
        """ "The plus or the pro plan", "on the plus plan": a word of courtesy that is a value where its column is spoken of."""
        token = self.tokens[i]
        if token.kind != "word" or token.low not in FILLER:
            return 0
        if token.low in ("and", "or", "in", "is", "as", "at", "to") and not token.text.isupper():
            # Andorra's code is no reading of "and"
            return 0
        held = [h for h in self.values.held_at(self.text, self.tokens, i, 1) if h.score >= 0.98]
        meant = [h for h in held if self._kind_named_beside(i, h.known)]
        return self._value(i, meant) if meant else 0

    def _kind_named_beside(self, i: int, known: Known) -> bool:
        """Whether the column's own name follows at i, at once or behind another of its values; or precedes it."""
        after = i + 1
        listed = self.low(after) in ("or", "and", ",")
        if listed and self._held_in(self.skip(after + 1, any_of("the a on in or and")), known) is not None:
            return True
        if isinstance(self.last, tuple) and self.last[1] is known and self.connector:
            return True
        wished = i == 0 and self.low(i) in WISHES
        if self.low(i) not in DETERMINERS and not wished and self._noun_ahead(after):
            return True
        return self._called_so(after, known) or (self.last is known and self.low(i - 1) not in ("and", ","))

    def _called_so(self, i: int, known: Known) -> bool:
        return i < len(self.tokens) and any(
            m.known is known and m.score > 0.8 for m in self.lexicon.matches_at(self.tokens, i)
        )

    def _held_in(self, i: int, known: Known) -> int | None:
        """The place after a value of that column at i."""
        held: list[Held] = self.values.held_at(self.text, self.tokens, i) if i < len(self.tokens) else []
        return next((i + h.length for h in held if h.known is known), None)
