"""Weighing what speaks for each kind: signals in log-odds, summed, set against one another, and put into words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from synth.catalog import Catalogue
from synth.detection import UNKNOWN, Detection

FLOOR = 0.35
"""Below this the answer is `unknown`."""
WEAK_CAP = 0.6
"""What a name or a port alone can amount to."""
_NOTHING = 0.5
"""Log-odds that it is none of the kinds with a signal."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that speaks for (or, below zero, against) a kind. `weak` alone never convinces: a name, a port."""

    kind: str
    weight: float
    words: str
    weak: bool = False


@dataclass
class Board:
    """The signals about one source, with what was learnt on the way."""

    catalogue: Catalogue
    signals: list[Signal] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    wrappings: list[str] = field(default_factory=list)
    trap: bool = False
    doubt: float = 0.6
    """How sure `unknown` is where nothing was found."""

    def add(self, kind: str, weight: float, words: str, *, weak: bool = False) -> None:
        """Note a signal. A kind that the catalogue lacks is a bug."""
        assert kind in self.catalogue.kinds, kind
        self.signals.append(Signal(kind, weight, words, weak))

    def best(self) -> tuple[str, float]:
        """The likeliest kind and its sum of log-odds; `unknown` and 0 when there is no signal."""
        totals = self._totals()
        if not totals:
            return UNKNOWN, 0.0
        return max(totals.items(), key=lambda pair: pair[1])

    def strength(self, kind: str) -> float:
        """The sum of log-odds of one kind so far."""
        return sum(signal.weight for signal in self.signals if signal.kind == kind)

    def verdict(self, source: str) -> Detection:
        """Sum, compare, squash."""
        totals = self._totals()
        if not totals:
            return Detection(source, UNKNOWN, "", self._doubt(0.0), tuple(self.notes), facts=dict(self.facts))
        pool = math.exp(_NOTHING) + sum(math.exp(min(score, 30.0)) for score in totals.values())
        ranked = sorted(
            ((kind, self._capped(kind, math.exp(min(score, 30.0)) / pool)) for kind, score in totals.items()),
            key=lambda pair: -pair[1],
        )
        kind, confidence = ranked[0]
        family, connector = "", ""
        others = [(other, round(chance, 3)) for other, chance in ranked[1:] if chance >= 0.01]
        evidence = [signal.words for signal in sorted(self._of(kind), key=lambda signal: -signal.weight)]
        if confidence < FLOOR:
            others = [(other, round(chance, 3)) for other, chance in ranked if chance >= 0.01]
            evidence.append(f"not enough for {kind} ({confidence:.2f})")
            kind, confidence = UNKNOWN, self._doubt(confidence)
        else:
            family, connector = self.catalogue.kinds[kind].family, self.catalogue.kinds[kind].connector
            evidence += [f"against: {text}" for text in self._against(kind)]
        return Detection(
            source=source,
            kind=kind,
            family=family,
            confidence=round(min(confidence, 0.999), 3),
            evidence=tuple(dict.fromkeys([*evidence, *self.notes])),
            alternatives=tuple(others[:5]),
            connector=connector,
            wrappings=tuple(self.wrappings),
            facts=dict(self.facts),
        )

    def refuse(self, words: str) -> None:
        """Note that this is a thing of a well-known sort which is no data source."""
        self.trap = True
        self.signals.clear()
        self.notes.append(words)

    def _doubt(self, confidence: float) -> float:
        """How sure `unknown` is: very for a thing known to be no source, else little, for a kind may be missing here."""
        return 0.89 if self.trap else round(min(self.doubt, 1.0 - confidence), 3)

    def _written_in(self, kind: str) -> frozenset[str]:
        """The notation that a kind known by its keys or its root element is written in: more general, if no parent of it."""
        entry = self.catalogue.kinds[kind]
        return frozenset(({"json", "jsonc", "json5"} if entry.json else set()) | ({"xml"} if entry.xml else set())) - {
            kind
        }

    def _of(self, kind: str) -> list[Signal]:
        return [signal for signal in self.signals if signal.kind == kind]

    def _against(self, winner: str) -> list[str]:
        related = self.catalogue.ancestors(winner) | {winner}
        return [
            f"{signal.words} (speaks for {signal.kind})"
            for signal in self.signals
            if signal.kind not in related
            and winner not in self.catalogue.ancestors(signal.kind)
            and signal.weight > 1.0
        ][:3]

    def _capped(self, kind: str, chance: float) -> float:
        strong = any(not signal.weak and signal.weight > 0 for signal in self._of(kind))
        return chance if strong else min(chance, WEAK_CAP)

    def _totals(self) -> Mapping[str, float]:
        """Log-odds by kind. A kind with a strong mark of its own stands in for the more general kinds above it."""
        totals: dict[str, float] = {}
        strong: set[str] = set()
        for signal in self.signals:
            totals[signal.kind] = totals.get(signal.kind, 0.0) + signal.weight
            if not signal.weak and signal.weight >= 1.5:
                strong.add(signal.kind)
        own = dict(totals)
        absorbed: set[str] = set()
        for kind in strong:
            if own[kind] >= 1.5:
                parents = (self.catalogue.ancestors(kind) | self._written_in(kind)) & own.keys()
                totals[kind] += sum(min(2.0, max(0.0, own[parent] / 2)) for parent in parents)
                absorbed |= parents
        return {kind: total for kind, total in totals.items() if total > 0 and kind not in absorbed}
