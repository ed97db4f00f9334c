"""What a request says beside itself: a column's name in brackets behind other words for it, and a sentence that says the same twice."""

from __future__ import annotations

import re

from synth.plan import Column, Plan
from synth.understand.columns import Lexicon
from synth.understand.notes import STOPS
from synth.understand.operators import AGGREGATES, COUNTS
from synth.understand.vocabulary import FILLER, SUPERLATIVES
from synth.understand.words import any_of, fold, lemma, tokens_of, words_of_name

_BRACKETS = re.compile(
    r"\s*\(\s*(?:column|field|i\.?e\.?|that is|called|named)?\s*[`'\"]?([\w.]+(?: [\w.]+){0,3})[`'\"]?\s*\)"
)
_KEYWORDS = {p[0] for p in (*AGGREGATES, *COUNTS)} - {"amount", "quantity"} | set(SUPERLATIVES) | STOPS | FILLER
_KEYWORDS |= any_of("most least fewest many")
_RESTATING = re.compile(
    r"^(?:(?:so|please|pls|i mean|that is|in other words)[,:]? )*"
    r"(?:sum|count|show|list|give|display|add|compute|calculate|total|average|break|group|rank)\b",
    re.IGNORECASE,
)


def without_brackets(text: str, lexicon: Lexicon, loose: bool = False) -> str:
    """ "Checkout amount (amount_cents)" is amount_cents: a name in brackets takes the place of the words that it explains.

    Where a request was not understood (`loose`) a name that nobody would say, such as took_s, explains the two words before it
    also when it has none of them.
    """
    if "(" not in text:
        return text
    names = {fold(k.field.name.rpartition(".")[2]): k for k in lexicon.known.values()}
    names |= {fold(k.field.name): k for k in lexicon.known.values()}
    names |= {" ".join(words_of_name(k.field.name)): k for k in lexicon.known.values()}
    found = _BRACKETS.search(text)
    while found is not None:
        known = names.get(fold(found[1]))
        before = text[: found.start()]
        unsaid = loose and bool(set(found[1]) & set("_."))
        start = _explained_from(before, known.words, unsaid) if known is not None else None
        if known is None or start is None:
            found = _BRACKETS.search(text, found.end())
            continue
        text = f"{before[:start]}{found[1]}{text[found.end() :]}"
        found = _BRACKETS.search(text, start)
    return text


def _explained_from(before: str, words: tuple[str, ...], unsaid: bool) -> int | None:
    """Where the words that a name in brackets explains begin: the nearest three that mean nothing by themselves, one of them
    a word of the name; of an unsaid name the nearest two."""
    start, seen, akin = len(before), 0, unsaid
    for found in reversed(list(re.finditer(r"[^\s,;:.?!]+", before))[-2 if unsaid else -3 :]):
        word = fold(found[0])
        if word in _KEYWORDS or before[found.end() : start].strip() or (seen and before[found.end() : start] == ""):
            break
        start, seen = found.start(), seen + 1
        akin = akin or lemma(word) in words
    return start if akin else None


def restated(text: str) -> tuple[str, str] | None:
    """The first sentence and the second, where the second may say the same in full: "Which industries …? Please sum … per industry"."""
    parts = [p.strip() for p in re.split(r"(?<=[?!.])\s+", text.strip()) if p.strip()]
    if len(parts) != 2 or len(parts[1].split()) < 4 or not _RESTATING.match(parts[1]):
        return None
    return parts[0], parts[1]


def covers(plan: Plan, sentence: str, lexicon: Lexicon) -> bool:
    """Whether the plan speaks of every column and table that the sentence names and ranks where it ranks, so that nothing is lost."""
    _, tokens = tokens_of(sentence)
    ranked = any(t.low in SUPERLATIVES or t.low in ("most", "least", "fewest") for t in tokens)
    if (ranked and not (plan.order and plan.group)) or (any(t.kind == "number" for t in tokens) and plan.limit is None):
        return False
    tables = {plan.table, *(j.table for j in plan.joins)}
    touched = set(plan.columns()) | {Column(j.table, c) for j in plan.joins for c in j.columns}
    i = 0
    while i < len(tokens):
        matches = [m for m in lexicon.matches_at(tokens, i) if m.score >= 0.75]
        nouns = lexicon.tables_at(tokens, i)
        degree = i > 0 and tokens[i - 1].low in ("most", "least") and not (matches or nouns)
        if tokens[i].low in _KEYWORDS or degree or tokens[i].kind != "word":
            i += 1
        elif matches or nouns:
            if not any(m.known.column in touched for m in matches) and not any(t[0] in tables for t in nouns):
                return False
            i += max([m.length for m in matches[:1]] + [t[2] for t in nouns[:1]])
        else:
            return False
    return True
