"""Which token comes next: the likeliest, or one drawn from the likely ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. `temperature` 0 takes the likeliest; `top_k` 0 and `top_p` 1 cut nothing off. `penalty` over 1
    makes what was said before less likely, as transformers does it."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    penalty: float = 1.0

    @property
    def greedy(self) -> bool:
        """Nothing is drawn by chance."""
        return self.temperature <= 0


def sampling_of(generation: Mapping[str, Any], temperature: float) -> Sampling:
    """What generation_config.json says, at a temperature of ours. Values that make no sense are left out."""

    def number(name: str, least: float, most: float, default: float) -> float:
        value = generation.get(name)
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most
        return float(value) if good and value is not None else default

    return Sampling(
        temperature,
        int(number("top_k", 0, 1_000_000, 0)),
        number("top_p", 0.01, 1.0, 1.0),
        number("repetition_penalty", 0.1, 10.0, 1.0),
    )


def penalised(logits: Numbers, said: Sequence[int], penalty: float) -> Numbers:
    """Logits in which what was said before counts for less."""
    if penalty == 1.0 or not said:
        return logits
    changed = logits.copy()
    tokens = np.unique(np.asarray(said))
    before = changed[tokens]
    changed[tokens] = np.where(before < 0, before * penalty, before / penalty)
    return changed


def drawn(logits: Numbers, sampling: Sampling, chance: np.random.Generator) -> int:
    """One token. Logits of minus infinity are never drawn."""
    if sampling.greedy:
        return int(logits.argmax())
    scaled = logits.astype(np.float64) / sampling.temperature
    if 0 < sampling.top_k < scaled.size:
        lowest = np.partition(scaled, -sampling.top_k)[-sampling.top_k]
        scaled = np.where(scaled < lowest, -np.inf, scaled)
    odds = np.exp(scaled - scaled.max())
    odds /= odds.sum()
    if sampling.top_p < 1:
        order = np.argsort(-odds)
        # The token that passes the sum is still among the likely ones.
        kept = order[: int(np.searchsorted(np.cumsum(odds[order]), sampling.top_p)) + 1]
        cut = np.zeros_like(odds)
        cut[kept] = odds[kept]
        odds = cut / cut.sum()
    return int(chance.choice(odds.size, p=odds))
