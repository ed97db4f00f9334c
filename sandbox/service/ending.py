"""This file is how a run ended, as callers are told, whatever format they take their records in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from sandbox.broker import Meter
from sandbox.finding import Finding
from sandbox.job import Fault, Limits, RunResult

Status = Literal["ok", "error", "limit", "crashed", "refused"]


@dataclass(frozen=True)
class Ending:
    """A RunResult without its records, what the run asked of its source, and what the policy held against the code.

    `refused` says that the policy did not let the code run; the other words are RunResult's.
    """

    status: Status
    result: RunResult
    code_hash: str = ""
    backend: str = ""
    source: str = ""
    findings: tuple[Finding, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    rows_read: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, result: RunResult, meter: Meter | None = None) -> Ending:
        """The ending of a run, with what its broker counted."""
        counted = meter or Meter()
        return cls(result.status, replace(result, records=()), calls=dict(counted.by_verb), rows_read=counted.rows)

    def told(self, request_id: str) -> dict[str, object]:
        """The ending as JSON values, without records."""
        result = self.result
        return {
            "status": self.status,
            "record_count": result.usage.records,
            "fault": None if result.fault is None else asdict(result.fault),
            "limit": result.limit,
            "findings": [told_finding(finding) for finding in self.findings],
            "stdout": result.stdout,
            "stderr": result.stderr,
            "usage": {
                "wall_ms": round(result.usage.wall_ms, 3),
                "cpu_ms": round(result.usage.cpu_ms, 3),
                "memory_mb": round(result.usage.memory_mb, 1),
                "output_bytes": result.usage.output_bytes,
            },
            "calls": dict(self.calls),
            "rows_read": self.rows_read,
            "backend": self.backend,
            "code_hash": self.code_hash,
            "request_id": request_id,
            **({"facts": dict(self.facts)} if self.facts else {}),
        }


def told_finding(finding: Finding) -> dict[str, object]:
    """A finding as JSON values."""
    return {
        "gate": finding.gate,
        "rule": finding.rule,
        "message": finding.message,
        "line": finding.line,
        "hint": finding.hint,
    }


def overtime(limits: Limits) -> Ending:
    """The ending of a run that the service stopped, because its source held it past the run's time."""
    text = f"the run took longer than {limits.wall_seconds:g} seconds"
    return Ending.of(RunResult("limit", fault=Fault("LimitExceeded", text), limit="wall_seconds"))
