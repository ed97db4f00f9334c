"""Keeping: a proved closure into its folder, and every outcome, pass or fail, into the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from corpus.closures import Kept
from corpus.ledger import Outcome as LedgerEntry
from corpus.memory import Memory
from prompts.render import prompt_version
from synth.cassette import dumped, records_dumped
from synth.gates.case import Case, GateReport
from synth.request import Draft, Refusal, Task
from synth.schema import Schema

if TYPE_CHECKING:
    from synth.outcome import Attempt, Outcome


def keep(case: Case, outcome: Outcome, memory: Memory, name: str, provenance: Mapping[str, str]) -> Kept:
    """The closure with the recorded calls of its run over sample A, as a folder of its own."""
    draft = case.draft
    output = outcome.answer.fields if outcome.answer else draft.output
    verdict = outcome.last.verdict if outcome.last else None
    facts: Mapping[str, object] = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "request": case.task.request.text,
        "asked": case.task.request.now.isoformat(timespec="seconds"),
        "status": outcome.status,
        "reading": draft.reading,
        **provenance,
        "kind": case.task.kind,
        "shape": case.task.shape,
        "dialect": case.task.dialect,
        "tables": [t.name for t in case.task.schema.tables],
        "fingerprint": fingerprint(case.task.kind, case.task.schema),
        "model": draft.model,
        "prompt_version": prompt_version(),
        "examples": [e.closure_id for e in outcome.examples],
        "parameters": [{"name": p.name, "type": p.type, "default": str(p.default)} for p in draft.parameters],
        "output": [{"name": f.name, "type": f.type, "nullable": f.nullable} for f in output],
        "verdict": [_report(r) for r in (verdict.reports if verdict else ())],
        "confirmed_by": list(outcome.last.confirmations) if outcome.last else [],
    }
    # The offline test calls the closure with its defaults, so the cassette is of such a run.
    asked = replace(case.task.request, parameters={})
    trial = replace(case, task=replace(case.task, request=asked)).on_a if case.parameters else case.on_a
    return memory.closures.save(draft.code, facts, dumped(trial.calls), records_dumped(trial.records), name)


def record(outcome: Outcome, task: Task, memory: Memory | None) -> None:
    """Write the outcome down, with what was tried."""
    if memory is None:
        return
    last = outcome.last
    memory.ledger.record(
        LedgerEntry(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            request=task.request.text,
            kind=task.kind,
            shape=task.shape,
            fingerprint=fingerprint(task.kind, task.schema),
            columns=tuple(f.name for t in task.schema.tables for f in t.fields)[:200],
            status=outcome.status,
            message=outcome.message,
            model=last.writer if last else "",
            prompt_version=prompt_version(),
            closure_id=outcome.closure_id,
            retrieved=tuple(e.closure_id for e in outcome.examples),
            attempts=tuple(_attempt(a) for a in outcome.attempts),
            verdict=tuple(_report(r) for r in (last.verdict.reports if last and last.verdict else ())),
            timings_ms=outcome.timings_ms,
            tokens=sum(a.written.tokens for a in outcome.attempts if isinstance(a.written, Draft)),
        )
    )


def fingerprint(kind: str, schema: Schema) -> str:
    """A hash of the kind and of the names and types of the fields: never of data."""
    shape = [kind, *(f"{t.name}.{f.name}:{f.type}" for t in schema.tables for f in t.fields)]
    return hashlib.sha256("\n".join(shape).encode()).hexdigest()[:16]


def _report(report: GateReport) -> dict[str, object]:
    return {
        "gate": report.gate,
        "passed": report.passed,
        "findings": [str(f) for f in report.findings],
        "notes": list(report.notes),
        "ms": report.ms,
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    if isinstance(attempt.written, Refusal):
        return {"writer": attempt.writer, "refused": attempt.written.rule, "reason": attempt.written.reason}
    findings = attempt.verdict.findings if attempt.verdict else ()
    return {"writer": attempt.writer, "code": attempt.written.code, "findings": [str(f) for f in findings]}
