"""The language that the learned reader writes: a plan in prefix form, each token a fixed word or a pointer to an item of the input.

A pointer is to a word of the request, a table, a column or a shown value. The grammar is LL(1): what stands on the stack tells
which tokens may come next, so that no other is ever chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

WORD, TABLE, COLUMN, DATE, VALUE = "<word>", "<table>", "<column>", "<date>", "<value>"
UNITS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "WEEKDAY", "MONTH_OF_YEAR", "HOUR_OF_DAY")
LENGTHS = ("DAYS", "HOURS", "MINUTES")
SIGNS = ("EQ", "NE", "LT", "LE", "GT", "GE")
PERIODS = ("DURING", "SINCE", "AFTER", "BEFORE", "UNTIL")
FIGURES = ("SUM", "AVG", "MEDIAN", "MIN", "MAX", "DISTINCT_COUNT")

# A nonterminal → its productions, each beginning with a terminal or, as the last resort, empty.
RULES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "start": (("REFUSE",), ("FROM", TABLE, "tables", "rows"), ("=rows",)),
    "tables": ((TABLE, "tables"), ()),
    "rows": (("ALL", "tail"), ("DISTINCT", "expression", "more", "tail"), ("=expression", "more", "tail")),
    "more": (("=expression", "more"), ()),
    "tail": (
        ("WHERE", "condition", "tail"),
        ("GROUP", "key", "keys", "tail"),
        ("HAVING", "condition", "tail"),
        ("ORDER", "direction", "directions", "tail"),
        ("LIMIT", "constant", "tail"),
        ("PER", "key", "keys", "tail"),
        ("END",),
    ),
    "direction": (("ASC", "expression"), ("DESC", "expression")),
    "directions": (("=direction", "directions"), ()),
    "keys": (("=key", "keys"), ()),
    "key": ((COLUMN,), *((unit, DATE) for unit in UNITS)),
    "expression": (
        ("=figured",),
        ("COUNT",),
        *((figure, "=figured") for figure in FIGURES),
        ("FILTER", "expression", "condition"),
        ("SHARE", "expression"),
        ("PERCENT", "expression"),
        *((unit, DATE) for unit in UNITS),
    ),
    "figured": (
        (COLUMN,),
        ("ROWNUM",),
        *((sign, "expression", "expression") for sign in ("ADD", "SUB", "MUL", "DIV")),
        *((length, DATE, DATE) for length in LENGTHS),
    ),
    "condition": (
        *((sign, "expression", "operand") for sign in SIGNS),
        *((how, COLUMN, "constant") for how in ("CONTAINS", "STARTS", "ENDS")),
        *((period, DATE, "constant") for period in PERIODS),
        ("EMPTY", COLUMN),
        ("TRUE", COLUMN),
        ("FALSE", COLUMN),
        ("AND", "condition", "condition"),
        ("OR", "condition", "condition"),
        ("NOT", "condition"),
        ("MISSING", TABLE, "with"),
        ("EXISTS", TABLE, "with"),
        ("NEXT", "condition"),
        ("PREV", "condition"),
    ),
    "with": (("WITH", "condition"), ()),
    "operand": (("=constant",), ("=expression",)),
    "constant": ((WORD, WORD), (VALUE,), ("ZERO",), ("ONE",)),
}
TOKENS: tuple[str, ...] = (
    "PAD",
    "BEGIN",
    *sorted({t for ways in RULES.values() for way in ways for t in way[:1] if t.isupper()}),
)
INDEX: Mapping[str, int] = {token: at for at, token in enumerate(TOKENS)}


@cache
def firsts(symbol: str) -> Mapping[str, tuple[str, ...]]:
    """A token that may begin the symbol → what remains to be said after it. The empty token where it may be left out."""
    name = symbol.removeprefix("=")
    if name not in RULES:
        return {name: ()}
    found: dict[str, tuple[str, ...]] = {}
    for way in RULES[name]:
        if not way:
            found[""] = ()
        elif way[0].removeprefix("=") in RULES:
            for token, rest in firsts(way[0]).items():
                found.setdefault(token, (*rest, *way[1:]))
        else:
            found.setdefault(way[0], way[1:])
    return found


@dataclass(frozen=True)
class Stack:
    """What is still to be said, the next symbol first."""

    symbols: tuple[str, ...] = ("start",)

    @property
    def done(self) -> bool:
        """Whether the plan is whole."""
        return not self.symbols

    def allowed(self) -> Iterable[str]:
        """The tokens, or kinds of pointer, that may come next."""
        for symbol in self.symbols:
            starts = firsts(symbol)
            yield from (token for token in starts if token)
            if "" not in starts:
                return

    def after(self, token: str) -> Stack:
        """The stack once the token is said; ValueError where it may not be said here."""
        for at, symbol in enumerate(self.symbols):
            starts = firsts(symbol)
            if token in starts:
                return Stack((*starts[token], *self.symbols[at + 1 :]))
            if "" not in starts:
                break
        raise ValueError(f"{token} may not stand where one of {sorted(set(self.allowed()))} is expected")
