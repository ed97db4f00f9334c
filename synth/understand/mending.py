"""A request that was not understood, written again in the words of the data: short forms, slips and other forms of its words.

Only words that nothing explained are held against the data, and only where one thing can be meant by them; what was
understood at the first reading is never read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from synth.understand import operators
from synth.understand.asides import without_brackets
from synth.understand.columns import Known, Lexicon, is_flag
from synth.understand.everyday import SHORT, without_idioms
from synth.understand.notes import STOPS
from synth.understand.numbers_and_dates import MONTHS, SCALES, SMALL, SPANS, TENS, UNITS, WEEKDAYS
from synth.understand.short_forms import akin, initials_of, short_for
from synth.understand.values import Values, countries
from synth.understand.vocabulary import COMPARATIVES, FILLER, GRADES, ROWS, SUPERLATIVES, VERBS
from synth.understand.words import Token, any_of, lemma, stem, tokens_of, words_of_name

WINDOW = 4
BOUNDS = any_of("than least most over above under below exactly")
CLAUSE = any_of("who that which and have has had are is was were")
MOST_VALUES = 60
"""Values of a column with more than so many are names of things, and no word is taken for another form of one."""


@dataclass(frozen=True)
class Mended:
    """The request in other words, and what was taken for what."""

    text: str
    remarks: tuple[str, ...]


@cache
def general_words() -> frozenset[str]:
    """Every word that some rule of the reading waits for."""
    found = set(FILLER | STOPS) | set(SUPERLATIVES) | set(COMPARATIVES) | set(GRADES) | set(VERBS)
    tables = (
        operators.COMPARISONS,
        operators.AFTER_NUMBER,
        operators.TIME_WORDS,
        operators.AGGREGATES,
        operators.COUNTS,
        operators.SHARES,
        operators.GROUPS,
        operators.ORDERS,
        operators.DIRECTIONS,
        operators.UNITS,
        operators.EMPTY,
        operators.LACKING,
        operators.FILLED,
        operators.TEXTS,
        operators.NOT_WORDS,
    )
    for table in tables:
        found |= {word for phrase in table for word in phrase}
    found |= set(MONTHS) | set(WEEKDAYS) | set(SPANS) | set(SMALL) | set(TENS) | set(SCALES)
    return frozenset(w for w in found if len(w) > 1 or w == "a")


def mended(text: str, lexicon: Lexicon, values: Values, unexplained: Collection[str]) -> Mended:
    """The request with its strange words in the data's own; the same text where nothing better is known."""
    text, tokens = tokens_of(without_brackets(without_idioms(text), lexicon, loose=True))
    tokens = lexicon.with_names(text, tokens)
    strange = _strange(text, tokens, lexicon, values, unexplained)
    changes: list[tuple[Token, Token, str]] = []
    i = 0
    while i < len(tokens):
        window = _name_in(tokens, i, strange, lexicon) or _value_in(tokens, i, strange, lexicon)
        word = None if window else _in_other_words(tokens, i, lexicon, values) if i in strange else None
        if window:
            changes.append((tokens[i], tokens[i + window[1] - 1], window[0]))
        elif word is not None:
            changes.append((tokens[i], tokens[i], word))
        i += window[1] if window else 1
    remarks = [f"{text[a.start : b.end]!r} read as {new!r}" for a, b, new in changes if new and a.low not in SHORT]
    for first, last, new in reversed(changes):
        text = f"{text[: first.start]}{new}{text[last.end :]}"
    return Mended(text, tuple(remarks))


def _strange(
    text: str, tokens: Sequence[Token], lexicon: Lexicon, values: Values, unexplained: Collection[str]
) -> set[int]:
    """The places of the words that neither the data nor any rule knows, or that no rule could place."""
    known: set[int] = set()
    for i, token in enumerate(tokens):
        spans = [m.length for m in lexicon.matches_at(tokens, i)[:1]]
        spans += [t[2] for t in lexicon.tables_at(tokens, i)[:1]]
        if token.kind == "word":
            spans += [h.length for h in values.held_at(text, tokens, i)[:1]]
            spans += [h.length for h in values.flag_at(tokens, i)[:1]]
            if (
                stem(token.low) in lexicon.events
                or token.lemma in ROWS
                or (token.lemma in UNITS and len(token.low) > 1)
            ):
                spans.append(1)
        known.update(range(i, i + max(spans, default=0)))
    general = general_words()
    return {
        i
        for i, token in enumerate(tokens)
        if token.kind == "word"
        and token.low not in general
        and (token.lemma not in general or token.low in unexplained)
        and (token.low in unexplained or i not in known)
        and token.low not in countries()
    }


def _name_in(tokens: Sequence[Token], i: int, strange: set[int], lexicon: Lexicon) -> tuple[str, int] | None:
    """The one column whose whole name the words from i on are, word for word in full or short, and how many they are."""
    for n in range(min(WINDOW, len(tokens) - i), 0, -1):
        span = tokens[i : i + n]
        if any(t.kind != "word" for t in span) or not strange & set(range(i, i + n)):
            continue
        said = tuple(t.lemma for t in span)
        dated = bool({t.low for t in span} & DATES) or _of_a_date(tokens, i + n - 1)
        found = [
            k
            for k in lexicon.known.values()
            if (dated or k.sort != "date") and _says(said, k.words, words_of_name(k.field.name))
        ]
        if n == 1 and i > 1 and not found and tokens[i - 2].low in BOUNDS and tokens[i - 1].kind == "number":
            # "more than 100 customers" for customers_hit
            found = [
                k for k in lexicon.known.values() if k.sort == "number" and k.words[:1] == said and len(k.words) == 2
            ]
        if len({k.field.name for k in found}) == 1:
            yes = _yes(found[0]) if i > 0 and tokens[i - 1].low in CLAUSE else ""
            return f"{found[0].field.name}{yes}", n
    return None


def _value_in(tokens: Sequence[Token], i: int, strange: set[int], lexicon: Lexicon) -> tuple[str, int] | None:
    """The one value of a short list whose words, in any order and form, are those from i on: checkout_completed for completed checkouts."""
    for n in (3, 2):
        span = tokens[i : i + n]
        if len(span) < n or any(t.kind != "word" for t in span) or not strange & set(range(i, i + n)):
            continue
        found = {
            value
            for known in lexicon.known.values()
            if 0 < len(known.field.vocabulary) <= MOST_VALUES
            for value in known.field.vocabulary
            if len(words := words_of_name(value)) == n
            and all(sum(akin(t.low, w) for w in words) == 1 for t in span)
            and all(any(akin(t.low, w) for t in span) for w in words)
        }
        if len(found) == 1:
            return f'"{found.pop()}"', n
    return None


def _yes(known: Known) -> str:
    """How to say that it holds, of a column of yes and no; nothing for another."""
    if is_flag(known.field):
        return " is yes"
    return " is 1" if known.sort == "number" and (known.field.least, known.field.most) == (0, 1) else ""


def _says(said: tuple[str, ...], words: tuple[str, ...], raw: tuple[str, ...]) -> bool:
    """Whether the words said are those of a name in full or short, or its initials."""
    if len(said) == 1:
        return said[0] in (initials_of(words), initials_of(raw))
    joined = "".join(said)
    if len(raw) == 1:
        # "tail numbers" for tailnum: cut off within the last word
        inside = len("".join(said[:-1])) + 2 < len(raw[0]) < len(joined)
        return len(raw[0]) >= 5 and inside and joined.startswith(raw[0])
    for name in (words, raw):
        if len(name) == len(said) and all(
            s == lemma(w) or short_for(s, w) or short_for(w, s) for s, w in zip(said, name, strict=True)
        ):
            return True
    return False


def _in_other_words(tokens: Sequence[Token], i: int, lexicon: Lexicon, values: Values) -> str | None:
    """What the data, or everybody, calls what is meant by the word at i; None where that is not one thing."""
    token = tokens[i]
    if len(token.low) > 2:
        for meant in (_short, _slipped, _akin):
            for pool in _pools(lexicon, values, states=not _of_a_date(tokens, i), clipped=meant is _short):
                found = {w for w in pool if w != token.low and meant(token, w)}
                found = {w for w in found if not any(o != w and lemma(w) == o for o in found)}
                if len(found) == 1:
                    return _as_said(token, found.pop())
                if found:
                    return None
    return SHORT.get(token.low)


DATES = any_of("date dates day time moment month year when")


def _of_a_date(tokens: Sequence[Token], i: int) -> bool:
    """Whether the word at i says of which date something is told: "shipping date", "when it was opened"."""
    return bool({t.low for t in tokens[i + 1 : i + 2]} & DATES) or any(
        t.low == "when" for t in tokens[max(0, i - 4) : i]
    )


def _pools(lexicon: Lexicon, values: Values, states: bool, clipped: bool) -> Iterator[Iterable[str]]:
    """Words of column names, of table names, and the values of short lists, each longer than a letter.

    `states`: a word such as open or ended tells what state a row is in, which is not the date of its column opened_on.
    `clipped`: the word is one that was cut short, which nobody does to values: euro is not Europe.
    """
    columns = {
        w
        for k in lexicon.known.values()
        if not (states and k.sort == "date")
        for w in (*words_of_name(k.field.name), *k.words)
    }
    yield {w for w in columns if len(w) > 1 and not w.isdigit()}
    yield {w for words in lexicon.table_words.values() for w in words if len(w) > 2}
    if clipped:
        return
    yield {
        v.casefold()
        for k in lexicon.known.values()
        if 0 < len(k.field.vocabulary) <= MOST_VALUES
        for v in k.field.vocabulary
        if v.isalpha() and len(v) > 2
    }


def _short(token: Token, word: str) -> bool:
    return any(short_for(s, word) or short_for(word, s) for s in {token.low, token.lemma})


def _slipped(token: Token, word: str) -> bool:
    """One slip of the finger, a swap of two letters among them; two in a long word."""
    if min(len(token.low), len(word)) < 4 or token.low[0] != word[0]:
        return False
    from rapidfuzz.distance import OSA

    most = 2 if min(len(token.low), len(word)) > 7 else 1
    return min(OSA.distance(s, word) for s in {token.low, token.lemma}) <= most


def _akin(token: Token, word: str) -> bool:
    return akin(token.low, word)


def _as_said(token: Token, word: str) -> str:
    """The word in the plural where the strange one was."""
    plural = token.low != token.lemma and token.low == f"{token.lemma}s"
    return f"{word}s" if plural and word.isalpha() and lemma(f"{word}s") == word else word
