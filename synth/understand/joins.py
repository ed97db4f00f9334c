"""How tables hang together: which rows of one belong to which rows of another."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from synth.plan import Column, Join
from synth.understand.columns import Lexicon


@dataclass(frozen=True)
class Edge:
    """One step from a table to another. `widens` when a row here may have many partners there."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    widens: bool

    def join(self, kind: str = "inner") -> Join:
        """The step as a join of the plan."""
        assert kind in ("inner", "optional", "missing")
        return Join(self.to_table, self.to_columns, self.table, self.columns, kind)  # type: ignore[arg-type]  # just asserted


class Graph:
    """The relations of a schema, declared and inferred, and those that same-named keys suggest where none is known."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.edges: dict[str, list[Edge]] = {t.name: [] for t in lexicon.schema.tables}
        linked: set[frozenset[str]] = set()
        for r in lexicon.schema.relations:
            if r.table != r.to_table and r.table in self.edges and r.to_table in self.edges:
                self._link(r.table, r.columns, r.to_table, r.to_columns)
                linked.add(frozenset((r.table, r.to_table)))
        names = [t.name for t in lexicon.schema.tables]
        identifying = [n for n in names if len(lexicon.key(n)) == 1]
        for one in names:
            for other in identifying:
                if one != other and frozenset((one, other)) not in linked:
                    found = self._same_key(one, other)
                    if found:
                        self._link(one, (found[0],), other, (found[1],))
                        linked.add(frozenset((one, other)))

    def _link(self, table: str, columns: tuple[str, ...], to: str, to_columns: tuple[str, ...]) -> None:
        self.edges[table].append(Edge(table, columns, to, to_columns, False))
        self.edges[to].append(Edge(to, to_columns, table, columns, True))

    def relate(self, column: Column, to: Column) -> None:
        """Take it as said that rows of one table belong to the one row of another that holds the same value; nothing else
        joins the two then."""
        for table, other in ((column.table, to.table), (to.table, column.table)):
            self.edges[table] = [e for e in self.edges[table] if e.to_table != other]
        self._link(column.table, (column.name,), to.table, (to.name,))

    def _same_key(self, child: str, parent: str) -> tuple[str, str] | None:
        """`child.customer_id` for `customers.id` or `customers.customer_id`."""
        key = self.lexicon.key(parent)
        noun = self.lexicon.table_words[parent][-1:]
        if len(key) != 1:
            return None
        parent_key = self.lexicon.known[key[0]]
        for known in self.lexicon.of_table[child]:
            same = (
                known.column.name == key[0].name
                and parent_key.words != ("id",)
                and known.column not in self.lexicon.key(child)
            )
            pointed = bool(noun) and known.words == (*noun, *parent_key.words[-1:]) and known.words != parent_key.words
            if (same or pointed) and known.field.type == parent_key.field.type:
                return known.column.name, key[0].name
        return None

    def path(self, base: str, to: str) -> list[Edge] | None:
        """The shortest way, steps that do not widen first; None when there is none."""
        if base == to:
            return []
        best: dict[str, tuple[tuple[int, int], list[Edge]]] = {base: ((0, 0), [])}
        queue = deque([base])
        while queue:
            at = queue.popleft()
            (length, wide), steps = best[at]
            for edge in self.edges[at]:
                cost = (length + 1, wide + edge.widens)
                if edge.to_table not in best or cost < best[edge.to_table][0]:
                    best[edge.to_table] = (cost, [*steps, edge])
                    queue.append(edge.to_table)
        return best[to][1] if to in best else None

    def doubled(self, edge: Edge) -> bool:
        """Whether two relations join the same two tables, so that one of them must be meant."""
        return sum(e.to_table == edge.to_table for e in self.edges[edge.table]) > 1

    def widens(self, base: str, to: str) -> bool:
        """Whether the way there may give a row of the base several partners."""
        return any(e.widens for e in self.path(base, to) or [])
