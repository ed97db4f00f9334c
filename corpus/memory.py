"""The corpus as a whole: what the pipeline recalls from, and records into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpus.closures import Closures, NoSuchClosure
from corpus.home import opened
from corpus.index import Index
from corpus.ledger import Ledger

EXAMPLES = 4
LIKE_ENOUGH = 0.25
"""Matches below this have nothing in common but a few letters."""


@dataclass(frozen=True)
class Example:
    """A closure recalled: what was asked then, its code, how alike it is (0 to 1)."""

    closure_id: str
    request: str
    kind: str
    code: str
    score: float


class Memory:
    """Ledger, closures and index of one home."""

    def __init__(self, home: Path) -> None:
        self.home = opened(home)
        self.ledger = Ledger(self.home / "ledger.sqlite")
        self.closures = Closures(self.home / "closures")
        self.index = Index(self.home / "index", self.ledger)

    def similar(self, request: str, shape: str, columns: tuple[str, ...], limit: int = EXAMPLES) -> tuple[Example, ...]:
        """Up to `limit` closures that answered requests like this one on data shaped like this, best first."""
        found = []
        for match in self.index.search(request, shape, columns, limit):
            try:
                code = self.closures.get(match.closure_id).code
            except NoSuchClosure:
                continue  # its folder was removed by hand; the ledger keeps the outcome
            if match.score >= LIKE_ENOUGH:
                found.append(Example(match.closure_id, match.request, match.kind, code, match.score))
        return tuple(found)

    def close(self) -> None:
        """Give back what is open."""
        self.ledger.close()
