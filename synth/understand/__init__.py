"""The builtin's understanding: a request in plain words and a schema become a plan, or an honest no.

Nothing here guesses: every word of the request is explained by a rule, or the request is refused with the word that was not.
"""

from __future__ import annotations

from dataclasses import dataclass

from synth.plan import Plan
from synth.request import Refusal, Task

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
    from synth.understand.assemble import Assembler
    from synth.understand.chatter import without_chatter
    from synth.understand.columns import lexicon_of
    from synth.understand.guards import guarded
    from synth.understand.joins import Graph
    from synth.understand.notes import NoAnswer
    from synth.understand.reading import reading_of
    from synth.understand.refusals import refusal_of, without_signing_in
    from synth.understand.spans import spelled_spans
    from synth.understand.structure import Reader
    from synth.understand.values import Values
    from synth.understand.words import tokens_of

    lexicon = lexicon_of(task.schema)
    asked = without_signing_in(task.request.text)
    refusal = refusal_of(asked, lexicon)
    if refusal is not None:
        return refusal
    asked = without_chatter(asked, lexicon.all_words)
    refusal = refusal_of(asked, lexicon)
    if refusal is not None:
        return refusal
    text, tokens = tokens_of(spelled_spans(asked))
    tokens = lexicon.with_names(text, tokens)
    if len(tokens) > 200:
        return Refusal("not-understood", "the request is too long to be read safely; ask for one thing at a time")
    if not task.schema.tables or not any(t.fields for t in task.schema.tables):
        return Refusal("cannot-answer", "the source has no columns to ask about")
    reader = Reader(task, text, tokens, lexicon, Values(lexicon, task.find_values), Graph(lexicon))
    try:
        notes = reader.read()
        if reader.unexplained:
            return _unexplained(reader)
        plan = guarded(reader, Assembler(reader).plan())
    except NoAnswer as answer:
        if reader.unexplained:
            return _unexplained(reader)
        return answer.refusal
    confidence = max(0.5, 0.97 - 0.04 * len(notes.remarks) - (0.05 if plan.joins else 0.0))
    return Understood(plan, reading_of(plan, tuple(dict.fromkeys(notes.remarks))), confidence)


def _unexplained(reader: object) -> Refusal:
    from synth.understand.structure import Reader

    assert isinstance(reader, Reader)
    words = " ".join(t.text for t in reader.unexplained[:6])
    return Refusal("not-understood", f"no column, value or rule explains {words!r}", reader.lexicon.nearest(words))
