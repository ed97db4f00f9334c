"""Gate 1: the code parses, and every construct in it is one that a rule allows."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.finding import Finding
from synth.gates.case import Case


def findings_of(case: Case) -> Iterable[Finding]:
    """What the policy refuses, with lines."""
    from sandbox.policy import findings_of as refused

    return refused(case.draft.code)
