"""A case before the gates: one draft, what it was asked, and the rows to judge it with; its runs are made once and shared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sandbox.finding import Finding, Gate
from sandbox.job import Limits, Sandbox
from synth.parameters import declared_in, typed
from synth.plan import Plan
from synth.request import Draft, Task
from synth.schema import Field
from synth.source import Sample, Source
from synth.trial import Trial, try_out

if TYPE_CHECKING:
    import pyarrow as pa

    from synth.gates.facts import Facts


@dataclass(frozen=True)
class GateReport:
    """What one gate said. `notes` are figures and confirmations in words; `ms` its wall time.

    `confirms` names the independent evidence that agreed with the answer: `witness`, `plan`, `stated: top 5`, `expected
    records`. Where no gate names any, nothing but the closure itself speaks for it.
    """

    gate: Gate
    passed: bool
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    ms: float = 0.0
    confirms: tuple[str, ...] = ()


@dataclass
class Case:
    """Everything that the gates may look at. They see the source only through doors over sampled rows."""

    draft: Draft
    task: Task
    source: Source
    sample: Sample
    sandbox: Sandbox
    limits: Limits
    output: tuple[Field, ...] = ()
    notes: dict[Gate, list[str]] = field(default_factory=dict)
    confirmed: dict[Gate, list[str]] = field(default_factory=dict)
    witnessed: bool = False

    @cached_property
    def parameters(self) -> dict[str, object]:
        """The user's own values for the closure's parameters. Raises BadRequest for one that it does not have."""
        return typed(self.draft.parameters or declared_in(self.draft.code), self.task.request.parameters)

    @cached_property
    def facts(self) -> Facts:
        """What the request states in so many words."""
        from synth.gates.facts import facts_of

        return facts_of(self.task, self.b)

    @cached_property
    def a(self) -> dict[str, pa.Table]:
        """Sample A of the tables that the draft can reach: copies of a hundred others would only take time."""
        return {name: rows for name, rows in self.sample.a.items() if self._reaches(name)}

    @cached_property
    def b(self) -> dict[str, pa.Table]:
        """Sample B of the tables that the draft can reach."""
        return {name: rows for name, rows in self.sample.b.items() if self._reaches(name)}

    def _reaches(self, table: str) -> bool:
        """By its plan; a draft without one may ask for anything."""
        plan = self.draft.plan
        if not isinstance(plan, Plan) or self.task.shape == "http":
            return True
        return table in {plan.table, *(j.table for j in plan.joins), *(c.table for c in plan.columns())}

    @cached_property
    def on_a(self) -> Trial:
        """The draft over sample A; its calls become the cassette."""
        return self.run(self.a, keep_calls=True)

    @cached_property
    def on_b(self) -> Trial:
        """The draft over sample B, which no writer has seen."""
        return self.run(self.b, keep_calls=self.task.shape == "http")

    @cached_property
    def on_whole(self) -> Trial:
        """The draft over the whole source, its records held in memory; `answer` is for handing them on as they come."""
        return self.run_over(self.source.capability)

    def run(
        self,
        rows: Mapping[str, pa.Table],
        keep_calls: bool = False,
        behind: Callable[[object], object] | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> Trial:
        """The draft over doors to these rows, or over what `behind` makes of those doors; with other `parameters` if given."""
        doors = self.source.over(rows)
        try:
            return self.run_over(behind(doors) if behind else doors, keep_calls, parameters)
        finally:
            close = getattr(doors, "close", None)
            if close:
                close()

    def run_over(
        self, doors: object, keep_calls: bool = False, parameters: Mapping[str, object] | None = None
    ) -> Trial:
        """The draft over these doors, with the user's own values for its parameters or with these."""
        values = self.parameters if parameters is None else parameters
        return try_out(self.draft, doors, self.sandbox, self.limits, values, keep_calls=keep_calls)

    def note(self, gate: Gate, text: str) -> None:
        """Remember a confirmation or a figure for the gate's report."""
        self.notes.setdefault(gate, []).append(text)

    def confirm(self, gate: Gate, evidence: str) -> None:
        """Remember that something other than the closure agreed with what it gave, by name."""
        self.confirmed.setdefault(gate, []).append(evidence)


def timed(gate: Gate, case: Case, check: Callable[[Case], Iterable[Finding]]) -> GateReport:
    """Run one gate's check over a case and report it."""
    began = time.perf_counter()
    findings = tuple(check(case))
    ms = (time.perf_counter() - began) * 1000
    confirms = () if findings else tuple(dict.fromkeys(case.confirmed.get(gate, ())))
    return GateReport(gate, not findings, findings, tuple(case.notes.get(gate, ())), round(ms, 1), confirms)
