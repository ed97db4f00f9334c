"""Embeddings that work offline: hashed character 3- to 5-grams of words, weighted by the root of their count, of length 1."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter

SIZE = 512


def embedded(text: str) -> list[float]:
    """A text as SIZE numbers whose squares sum to 1 (all 0 for a text without words)."""
    counts: Counter[int] = Counter()
    for word in re.findall(r"\w+", text.casefold()):
        framed = f"<{word}>"
        for size in (3, 4, 5):
            for start in range(max(1, len(framed) - size + 1)):
                counts[zlib.crc32(framed[start : start + size].encode())] += 1
    vector = [0.0] * SIZE
    for gram, count in counts.items():
        vector[gram % SIZE] += math.sqrt(count) * (1 if gram & 0x80000000 else -1)
    length = math.sqrt(sum(v * v for v in vector))
    return [v / length for v in vector] if length else vector
