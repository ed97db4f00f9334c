"""Gate 2: it runs over sample A, and fails by saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sandbox.broker import CallRefused
from sandbox.finding import Finding
from sandbox.job import RunResult
from synth.gates.case import Case


def findings_of(case: Case) -> Iterable[Finding]:
    """How the run over sample A went wrong, or that an error of the source is swallowed."""
    result = case.on_a.result
    if result.status != "ok":
        return [fault_of(result)]
    return swallowed(case)


def fault_of(result: RunResult) -> Finding:
    """A run that did not end well, as a finding."""
    fault = result.fault
    if result.status == "limit":
        return Finding(
            "runs",
            "limit",
            f"the run passed its limit {result.limit}",
            hint="Read less, or let the source do the work in SQL.",
        )
    if result.status == "crashed" or fault is None:
        return Finding("runs", "crashed", "the process that ran the closure died by something that the closure did")
    return Finding("runs", "raised", f"{fault.type}: {fault.message}", line=fault.line)


def swallowed(case: Case) -> Iterator[Finding]:
    """A source that fails must make the closure fail: one that still answers has hidden the error."""
    failing = case.run(case.a, behind=Failing)
    if failing.result.status == "ok" and case.on_a.calls:
        yield Finding(
            "runs",
            "swallowed-exception",
            f"when the source failed, the closure said nothing and gave {len(failing.records)} records",
            hint="Do not catch errors of the source; let them rise.",
        )


class Failing:
    """Doors behind which every call fails, as a source does when it goes away."""

    def __init__(self, doors: object) -> None:
        self._doors = doors
        self.dialect = getattr(doors, "dialect", "duckdb")

    def tables(self) -> list[str]:
        """Known, so that the call itself is what fails."""
        names = getattr(self._doors, "tables", None)
        return names() if names else []

    def __getattr__(self, verb: str) -> object:
        if not hasattr(self._doors, verb) or verb.startswith("_"):
            raise AttributeError(verb)

        def fail(*_args: object, **_kwargs: object) -> object:
            raise CallRefused("unavailable", "the source went away (a test of how the closure takes it)")

        return fail
