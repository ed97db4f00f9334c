"""The verdict: the gates in order. The first that finds something ends the line, so that its finding is the one to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.finding import Finding, Gate
from synth.gates import bounded, faithful, policy, repeatable, runs, typed
from synth.gates.case import Case, GateReport, timed


@dataclass(frozen=True)
class Verdict:
    """Reports of the gates that were reached, in order; `passed` when all six were and none found anything."""

    reports: tuple[GateReport, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate was reached and found nothing."""
        return len(self.reports) == len(CHECKS) and all(r.passed for r in self.reports)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the gates hold against the draft."""
        return tuple(f for report in self.reports for f in report.findings)


CHECKS: tuple[tuple[Gate, Callable[[Case], Iterable[Finding]]], ...] = (
    ("policy", policy.findings_of),
    ("runs", runs.findings_of),
    ("typed", typed.findings_of),
    ("faithful", faithful.findings_of),
    ("repeatable", repeatable.findings_of),
    ("bounded", bounded.findings_of),
)


def judge(case: Case) -> Verdict:
    """Take a case through the gates. Errors of the sandbox itself rise; they are never findings."""
    reports: list[GateReport] = []
    for gate, check in CHECKS:
        reports.append(timed(gate, case, check))
        if not reports[-1].passed:
            break
    return Verdict(tuple(reports))
