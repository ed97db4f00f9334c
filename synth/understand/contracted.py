"""Names that run shortened words together: lifeExp for life expectancy, gdpPercap for GDP per capita, tailnum for tail number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

SHORTEST = 3
"""A word of which fewer letters are kept (and not the whole of it) could be any word."""


@lru_cache(maxsize=50_000)
def contracts(name: str, words: tuple[str, ...]) -> bool:
    """Whether the letters of the name are beginnings of these words, one after the other, and not one of them is left out."""
    if not words:
        return not name
    word, rest = words[0], words[1:]
    if not name or not word or name[0] != word[0]:
        return False
    shared = 0
    while shared < min(len(name), len(word)) and name[shared] == word[shared]:
        shared += 1
    least = min(SHORTEST, len(word))
    return any(contracts(name[n:], rest) for n in range(shared, least - 1, -1))


def contracted(names: Sequence[str], words: tuple[str, ...]) -> list[str]:
    """The names that shorten exactly these two words or more; one that is all of them written together is not shortened."""
    if not 1 < len(words) <= 5:
        return []
    longest, first = sum(map(len, words)), words[0][:1]
    return [n for n in names if n[:1] == first and len(n) < longest and contracts(n, words)]
