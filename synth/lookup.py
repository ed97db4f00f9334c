"""Looking words up among a source's text values, so that "in Berlin" finds the column that holds Berlin."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache

from sandbox.broker import CallRefused
from synth.evidence import as_read
from synth.request import ValueMatch
from synth.schema import Schema
from synth.source import Sample, Source

MOST_COLUMNS = 40
LOOKING_SECONDS = 5.0
_MARK = "'⟦word⟧'"


def finder(source: Source, schema: Schema, sample: Sample) -> Callable[[str], Sequence[ValueMatch]]:
    """A function from words to the stored values that equal them, case and accents aside. Sampled rows are looked up in memory;
    what is not among them is looked for in the larger tables themselves, for LOOKING_SECONDS in all."""
    clock = _Clock()

    @cache
    def folded() -> dict[str, list[ValueMatch]]:
        found: dict[str, list[ValueMatch]] = {}
        for match in _in_memory(schema, sample):
            found.setdefault(fold(match.value), []).append(match)
        return found

    @cache
    def find(words: str) -> tuple[ValueMatch, ...]:
        matches = [ValueMatch(m.table, m.field, m.value, m.value == words) for m in folded().get(fold(words), ())]
        return tuple(matches) or tuple(_in_source(words, source, schema, sample, clock))

    return find


def fold(text: str) -> str:
    """Case, accents and outer blanks aside."""
    if text.isascii():
        return text.strip().lower()
    plain = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def _in_memory(schema: Schema, sample: Sample) -> Iterator[ValueMatch]:
    for table in schema.tables:
        rows = sample.b.get(table.name)
        if rows is None:
            continue
        read = as_read(table, rows)
        for field in table.fields:
            if field.type == "string" and field.name in read.column_names:
                for value in read.column(field.name).unique().to_pylist():
                    if isinstance(value, str):
                        yield ValueMatch(table.name, field.name, value)


class _Clock:
    def __init__(self) -> None:
        self.left = LOOKING_SECONDS

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take the time of the block off what is left."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.left -= time.monotonic() - began


def _in_source(words: str, source: Source, schema: Schema, sample: Sample, clock: _Clock) -> Iterator[ValueMatch]:
    """Ask a large SQL source itself, column by column, for the words as they stand and in their usual spellings."""
    query = getattr(source.capability, "query", None)
    if query is None or source.shape != "table":
        return
    from sqlglot import exp

    spellings = list(dict.fromkeys([words, words.lower(), words.upper(), words.title(), words.capitalize()]))
    columns = [
        (t.name, f.name)
        for t in schema.tables
        if t.name not in sample.whole
        for f in t.fields
        if f.type == "string" and not f.reading
    ]
    for table, name in columns[:MOST_COLUMNS]:
        if clock.left <= 0:
            return
        column = exp.column(name, quoted=True)
        among = exp.In(this=column.copy(), expressions=[exp.Literal.string(_MARK[1:-1]) for _ in spellings])
        place = exp.table_(table.rpartition(".")[2], db=table.rpartition(".")[0] or None, quoted=True)
        select = exp.select(column).distinct().from_(place).where(among).limit(5)
        # Written as a text first: sqlglot writes PostgreSQL's placeholders as its driver has them, not as `?`.
        sql = select.sql(source.dialect).replace(_MARK, "?")
        with (
            suppress(CallRefused),
            clock.running(),
        ):  # too slow, or no right to read it: the words are then not known from there
            found = [row[name] for batch in query(sql, spellings) for row in batch.to_pylist()]
            yield from (ValueMatch(table, name, str(value), value == words) for value in found)
