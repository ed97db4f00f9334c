"""The builtin's understanding: a request in plain words and a schema become a plan, or an honest no.

Nothing here guesses: every word of the request is explained by a rule, or the request is refused with the word that was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.plan import Plan
from synth.request import Refusal, Task

if TYPE_CHECKING:
    from synth.understand.columns import Lexicon
    from synth.understand.structure import Reader

__all__ = ["Understood", "understand"]


@dataclass(frozen=True)
class Understood:
    """The plan, said back in plain words; `alternatives` are other readings that were thought of and put aside."""

    plan: Plan
    reading: str
    confidence: float
    alternatives: tuple[str, ...] = ()


def understand(task: Task) -> Understood | Refusal:
    """What the request means over the schema. Every content word is accounted for, or it is refused."""
    from synth.understand.asides import covers, restated, without_brackets
    from synth.understand.chatter import without_chatter
    from synth.understand.columns import lexicon_of
    from synth.understand.refusals import refusal_of, without_signing_in
    from synth.understand.spans import spelled_spans
    from synth.understand.sql_words import without_sql

    lexicon = lexicon_of(task.schema)
    asked = without_signing_in(task.request.text)
    refusal = refusal_of(asked, lexicon)
    if refusal is not None:
        return refusal
    asked = without_chatter(asked, lexicon.all_words)
    refusal = refusal_of(asked, lexicon)
    if refusal is not None:
        return refusal
    asked = without_brackets(without_sql(spelled_spans(asked)), lexicon)
    twice = restated(asked)
    if twice is not None:
        said, strange = _read(task, lexicon, twice[1])
        whole = said if isinstance(said, Understood) else _second_reading(task, lexicon, twice[1], strange)
        if whole is not None and covers(whole.plan, twice[0], lexicon):
            return whole
    first, unexplained = _read(task, lexicon, asked)
    if isinstance(first, Understood) or not task.schema.tables:
        return first
    return _second_reading(task, lexicon, asked, unexplained) or first


def _read(
    task: Task, lexicon: Lexicon, asked: str, loose: bool = False, remarks: tuple[str, ...] = ()
) -> tuple[Understood | Refusal, frozenset[str]]:
    """One reading, and the words that it could not place."""
    from synth.understand.assemble import Assembler
    from synth.understand.guards import guarded
    from synth.understand.joins import Graph
    from synth.understand.notes import NoAnswer
    from synth.understand.reading import reading_of
    from synth.understand.structure import Reader
    from synth.understand.values import Values
    from synth.understand.words import tokens_of

    text, tokens = tokens_of(asked)
    tokens = lexicon.with_names(text, tokens)
    if len(tokens) > 200:
        reason = "the request is too long to be read safely; ask for one thing at a time"
        return Refusal("not-understood", reason), frozenset()
    if not task.schema.tables or not any(t.fields for t in task.schema.tables):
        return Refusal("cannot-answer", "the source has no columns to ask about"), frozenset()
    reader = Reader(task, text, tokens, lexicon, Values(lexicon, task.find_values), Graph(lexicon))
    reader.loose = loose
    reader.notes.remarks.extend(remarks)
    try:
        notes = reader.read()
        if reader.unexplained:
            return _unexplained(reader), _words(reader)
        plan = guarded(reader, Assembler(reader).plan())
    except NoAnswer as answer:
        return (_unexplained(reader) if reader.unexplained else answer.refusal), _words(reader)
    confidence = max(0.5, 0.97 - 0.04 * len(notes.remarks) - (0.05 if plan.joins else 0.0))
    return Understood(plan, reading_of(plan, tuple(dict.fromkeys(notes.remarks))), confidence), frozenset()


def _second_reading(task: Task, lexicon: Lexicon, asked: str, unexplained: frozenset[str]) -> Understood | None:
    """What is understood once strange words are said in the data's own; None where that is no more than before."""
    from synth.understand.mending import mended
    from synth.understand.values import Values

    again = mended(asked, lexicon, Values(lexicon, task.find_values), unexplained)
    if again.text == asked and not unexplained:
        return None
    second, _ = _read(task, lexicon, again.text, loose=True, remarks=again.remarks)
    return second if isinstance(second, Understood) else None


def _words(reader: Reader) -> frozenset[str]:
    return frozenset(t.low for t in reader.unexplained if t.kind == "word")


def _unexplained(reader: Reader) -> Refusal:
    words = " ".join(t.text for t in reader.unexplained[:6])
    return Refusal("not-understood", f"no column, value or rule explains {words!r}", reader.lexicon.nearest(words))
