"""Print: tables and colours for a person at a terminal, plain text for a pipe, exact JSON for a program."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from synth.request import Draft, Refusal

if TYPE_CHECKING:
    from synth.closures import Difference, Retest
    from synth.outcome import Outcome
    from synth.schema import Schema

AT_TERMINAL = 50
"""So many records are shown to a person; a pipe gets all of them."""


def dumps(value: object, indent: int | None = 2) -> str:
    """JSON with decimals written out exactly and times in ISO 8601. Never NaN: a value that JSON lacks becomes null or text."""
    import simplejson

    return simplejson.dumps(
        value, indent=indent, use_decimal=True, ensure_ascii=False, ignore_nan=True, default=_plain, encoding=None
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def show_outcome(outcome: Outcome, explain: bool) -> None:
    """Records to stdout; the closure, its verdict and the completeness to stderr."""
    if outcome.answer:
        show_records(outcome.answer.records)
    last = outcome.last
    if explain:
        _explain(outcome)
    if outcome.status != "ok":
        _say(f"{outcome.status}: {outcome.message}", "bold red" if outcome.status == "failed" else "bold yellow")
    if outcome.status in ("refused", "failed"):
        return
    if last and isinstance(last.written, Draft):
        if sys.stderr.isatty() or explain:
            _say("")
            show_code(last.written.code, to_stderr=True)
        if outcome.passed_over or not last.written.reading:
            others = "; ".join(f"not by {writer}: {why}" for writer, why in outcome.passed_over)
            _say(f"written by {last.writer}{'; ' if others else ''}{others}")
        if last.written.reading:
            _say(f"understood as: {last.written.reading}")
    if last and last.verdict:
        _say("gates: " + ", ".join(f"{r.gate} {'✓' if r.passed else '✗'}" for r in last.verdict.reports))
    if outcome.answer:
        whole = outcome.answer.completeness
        _say(f"{outcome.answer.total} records, {whole.state}{': ' + whole.reason if whole.reason else ''}")
    if outcome.closure_id:
        _say(f"kept as {outcome.closure_name or outcome.closure_id[:12]} in {outcome.closure_folder}")


def _explain(outcome: Outcome) -> None:
    for number, attempt in enumerate(outcome.attempts, 1):
        if isinstance(attempt.written, Refusal):
            _say(f"attempt {number} ({attempt.writer}): refused, {attempt.written.rule}: {attempt.written.reason}")
            continue
        _say(f"attempt {number} ({attempt.writer}): {attempt.written.reading or 'a draft'}")
        for report in attempt.verdict.reports if attempt.verdict else ():
            _say(f"  {report.gate}: {'passed' if report.passed else 'FAILED'} in {report.ms:.0f} ms")
            for note in report.notes:
                _say(f"    {note}")
            for finding in report.findings:
                _say(f"    {finding}")
    for example in outcome.examples:
        _say(f"recalled ({example.score:.2f}): {example.request}")
    _say("ms: " + ", ".join(f"{step} {ms:.0f}" for step, ms in outcome.timings_ms.items()))


def show_records(records: Sequence[Mapping[str, object]]) -> None:
    """A table at a terminal; tab-separated lines with a header in a pipe."""
    if not records:
        _say("no records")
        return
    names = list(records[0])
    if not sys.stdout.isatty():
        print("\t".join(map(_cell, names)))
        for record in records:
            print("\t".join(_cell(record.get(n)) for n in names))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False)
    for name in names:
        right = isinstance(records[0].get(name), int | float) or type(records[0].get(name)).__name__ == "Decimal"
        table.add_column(_visible(name), justify="right" if right else "left", overflow="fold")
    for record in records[:AT_TERMINAL]:
        table.add_row(*[_visible(_cell(record.get(n))) for n in names])
    Console().print(table)
    if len(records) > AT_TERMINAL:
        _say(f"… and {len(records) - AT_TERMINAL} more (a pipe or --json gets them all)")


def show_schema(found: Schema, facts: Mapping[str, object]) -> None:
    """Every table's fields, one a line."""
    _say(f"{facts.get('kind', '')} {facts.get('dialect') or ''}".strip())
    for table in found.tables:
        print(f"{table.name}" + (f"  ({table.rows} rows)" if table.rows is not None else ""))
        for field in table.fields:
            parts = [field.type, "null" if field.nullable else "", field.meaning, field.unit]
            examples = ", ".join(_cell(e) for e in field.examples[:3])
            print(
                f"  {_visible(field.name)}: {' '.join(p for p in parts if p)}"
                + (f"  e.g. {_visible(examples)[:100]}" if examples else "")
            )
    show_relations(found)
    for note in found.notes:
        _say(note)


def show_relations(found: Schema) -> None:
    """Which columns point at which table, and what says so."""
    for relation in found.relations:
        how = "declared" if relation.declared else relation.evidence
        ends = f"{relation.table}.{', '.join(relation.columns)} -> {relation.to_table}.{', '.join(relation.to_columns)}"
        print(_visible(f"{ends}  ({how})"))


def show_retest(again: Retest) -> None:
    """One line for the replay, one for each gate that was reached, and its findings."""
    print(f"{again.kept.id[:12]} {'replays as recorded' if again.replays else 'does not replay as recorded'}")
    if again.unreachable:
        _say(f"the gates could not be asked again: {again.unreachable}", "yellow")
    for report in again.verdict.reports if again.verdict else ():
        print(f"{report.gate} {'passed' if report.passed else 'FAILED'}")
        for finding in report.findings:
            print(f"  {_visible(str(finding))}")


def show_difference(found: Difference) -> None:
    """The code as a unified diff; then fields and records, each difference on a line."""
    print(found.code or "the code is the same", end="" if found.code else "\n")
    print(f"fields: {dumps(found.output, None) if found.output else 'the same'}")
    one, other = found.counts
    print(f"records: {one} and {other}{'' if found.records else ', the same'}")
    for kind, changes in found.records.items():
        print(f"  {kind}: {_visible(dumps(changes, None))}")


def show_code(code: str, to_stderr: bool = False) -> None:
    """Python, highlighted for a person."""
    stream = sys.stderr if to_stderr else sys.stdout
    if not stream.isatty():
        print(code, end="", file=stream)
        return
    from rich.console import Console
    from rich.syntax import Syntax

    Console(stderr=to_stderr).print(
        Syntax(code, "python", theme="ansi_dark", background_color="default", word_wrap=True)
    )


def _say(text: str, style: str = "") -> None:
    if not sys.stderr.isatty():
        print(text, file=sys.stderr)
        return
    from rich.console import Console

    Console(stderr=True, highlight=False).print(_visible(text), style=style, markup=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else dumps(value, None).strip('"')
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")


def _visible(text: str) -> str:
    """Without control characters: data must not steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
