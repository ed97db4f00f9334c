"""Joins said outright: "flights join planes on tailnum", "orders joined with customers by customer number"."""

from __future__ import annotations

from synth.understand.columns import Known
from synth.understand.elapsed import Elapsing
from synth.understand.notes import no
from synth.understand.words import any_of

JOINING = any_of(
    "join joins joined joining merge merged merging combine combined combining link linked linking matched"
)
UPON = any_of("on by using via through over")


class SpokenJoins(Elapsing):
    """What is joined, and upon which column."""

    def _join_said(self, i: int) -> int:
        """Another table behind a word of joining; a column said with it is what the rows are paired by."""
        if self.low(i) not in JOINING or len(self.lexicon.schema.tables) < 2:
            return 0
        j = self.skip(i + 1, any_of("with to the and it them"))
        tables = [t for t in self.lexicon.tables_at(self.tokens, j) if t[1] >= 0.8]
        if not tables:
            return 0
        name, _, length = tables[0]
        at = j + length
        k = self.skip(at, any_of("with to and the"))
        second = [t for t in self.lexicon.tables_at(self.tokens, k) if t[1] >= 0.8] if k > at else []
        if second:
            # "join flights with planes"
            self.mention(name)
            (name, _, length), at = second[0], k + second[0][2]
        if self.low(at) in UPON:
            k = self.skip(at + 1, any_of("the their its same common shared a column field key"))
            matches = [m for m in self.lexicon.matches_at(self.tokens, k) if m.score >= 0.8]
            if matches:
                self._pair(name, [m.known for m in matches], self.said(k, matches[0].length))
                at = k + matches[0].length
                if self.low(at) == "=" and self.lexicon.matches_at(self.tokens, at + 1):
                    at += 1 + self.lexicon.matches_at(self.tokens, at + 1)[0].length
        self.mention(name)
        if not self.graph.widens(self.subject, name):
            # figures are taken over these rows, the others being looked up to them
            self.joined_rows = self.subject
        self.last = f"table:{name}"
        self.rows_said = True
        self._joined()
        return at

    def _pair(self, name: str, named: list[Known], said: str) -> None:
        """Relate the table to the one spoken of before by columns called so in both."""
        there = [k for k in named if k.column.table == name]
        others = dict.fromkeys([self.subject, *self.mentioned])
        here = [k for table in others for k in named if k.column.table == table != name]
        if not there or not here:
            names = tuple(k.column.name for k in (there or here))
            raise no("no-such-column", f"{said!r} is not a column of both tables", names)
        one, other = here[0], there[0]
        edges = [e for e in self.graph.edges[one.column.table] if e.to_table == name]
        if any(e.columns == (one.column.name,) and e.to_columns == (other.column.name,) for e in edges):
            return
        for many, single in ((one, other), (other, one)):
            if single.field.values and single.field.distinct == single.field.values - single.field.nulls:
                self.graph.relate(many.column, single.column)
                return
        raise no("cannot-answer", f"{said!r} tells the rows of neither table apart: a join by it would double rows")
