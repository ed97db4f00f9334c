"""What can be done with kept closures: run them, prove them again today, compare two, go back to the one before."""

from __future__ import annotations

import difflib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from synth.actions import Desk, ms_since, opened
from synth.errors import BadRequest, SourceProblem
from synth.source import Completeness

if TYPE_CHECKING:
    from corpus.closures import Kept
    from sandbox.job import Limits, Sandbox
    from synth.gates.case import Case
    from synth.gates.verdict import Verdict
    from synth.outcome import Outcome

SNAPSHOT_ROWS = 2000
"""Two closures are compared over about so many rows of each table, held in memory, so that both read the same."""
SHOWN = 50
"""So many records of each that the other does not give are set side by side."""


def kept_closure(desk: Desk, name: str) -> Kept:
    """A kept closure by name or id. Raises BadRequest listing what there is."""
    from corpus.closures import NoSuchClosure

    try:
        return desk.memory().closures.get(name)
    except NoSuchClosure as error:
        raise BadRequest(str(error)) from error


def run_closure(
    desk: Desk, name: str, sources: Sequence[str], parameters: Mapping[str, str], limit: int | None
) -> tuple[Kept, Outcome]:
    """Run a kept closure on its source (or another one), and write the run down."""
    from sandbox.job import Limits
    from synth.answer import answer
    from synth.outcome import Outcome as Ended
    from synth.schema import Schema

    kept = kept_closure(desk, name)
    began = time.perf_counter()
    with kept_case(desk, kept, sources, parameters, desk.sandbox(), Limits()) as case:
        given = answer(case, limit)
    record_run(desk, kept, began, given.total, given.completeness, given.fault)
    return kept, Ended(
        "failed" if given.fault else "ok",
        given.fault or f"{given.total} records",
        Schema(()),
        (),
        given,
        kept.id,
        kept.name,
        str(kept.folder),
        timings_ms={"run": ms_since(began)},
    )


@contextmanager
def kept_case(
    desk: Desk,
    kept: Kept,
    sources: Sequence[str],
    parameters: Mapping[str, object],
    sandbox: Sandbox,
    limits: Limits,
    rows: int = 0,
) -> Iterator[Case]:
    """A kept closure over its recorded source (or another one), open for the block: what `answer`, `deliver` and the gates run.

    `rows`: sample about so many of each table, for the gates; without it nothing is sampled."""
    from synth.gates.case import Case
    from synth.request import Draft, Parameter, Request, Task
    from synth.schema import Field, Schema
    from synth.source import Sample

    if rows:
        from synth.evidence import schema_of
        from synth.lookup import finder

    reference = _named_like(kept, sources) or str(kept.facts.get("source", "")).splitlines()
    if not any(reference):
        raise BadRequest(f"the closure {kept.name or kept.id[:12]!r} has no source on record", "Add --source")
    with opened(desk, reference, str(kept.facts.get("access", ""))) as source:
        output = tuple(Field(f["name"], f["type"], nullable=f["nullable"]) for f in kept.facts.get("output", ()))  # type: ignore[attr-defined]  # as kept
        declared = tuple(Parameter(p["name"], p["type"], p["default"]) for p in kept.facts.get("parameters", ()))  # type: ignore[attr-defined]  # as kept
        draft = Draft(kept.code, str(kept.facts.get("model", "")), parameters=declared, output=output)
        # "Last week" was meant from the day on which it was asked.
        made = datetime.fromisoformat(str(kept.facts["asked"])) if "asked" in kept.facts else desk.now()
        request = Request(str(kept.facts.get("request", "")), made, parameters=dict(parameters))
        drawn = source.sample(rows) if rows else Sample({}, {})
        known = schema_of(source, drawn) if rows else Schema(source.tables())
        values = finder(source, known, drawn) if rows else lambda _words: ()
        task = Task(request, known, source.shape, source.dialect, source.kind, values)
        yield Case(draft, task, source, drawn, sandbox, limits)


def record_run(desk: Desk, kept: Kept, began: float, total: int, completeness: Completeness, fault: str | None) -> None:
    """Write a run of a kept closure, begun at that reading of the performance counter, into the ledger."""
    from corpus.ledger import RunEntry

    desk.memory().ledger.record_run(
        RunEntry(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            closure_id=kept.id,
            status="failed" if fault else "ok",
            records=total,
            set_aside=completeness.set_aside_count,
            ms=ms_since(began),
            message=fault or completeness.reason,
        )
    )


def _named_like(kept: Kept, sources: Sequence[str]) -> list[str]:
    """The sources; another file for a closure over one table goes by that table's name, which its SQL has."""
    tables = kept.facts.get("tables")
    if not (len(sources) == 1 and isinstance(tables, list) and len(tables) == 1):
        return list(sources)
    from synth.opening import name_and_location

    name, location = name_and_location(sources[0])
    return [sources[0] if name or not str(tables[0]).isidentifier() else f"{tables[0]}={location}"]


@dataclass(frozen=True)
class Retest:
    """`replays`: fed from its cassette, the closure gives the records of its proof. `verdict`: all gates over its source as it is
    today; None where that was not asked for, or the source could not be read (`unreachable` says why)."""

    kept: Kept
    replays: bool
    verdict: Verdict | None = None
    unreachable: str = ""

    @property
    def passed(self) -> bool:
        """Whether all that was asked for was tried and held."""
        return self.replays and not self.unreachable and (self.verdict is None or self.verdict.passed)


def retest(desk: Desk, name: str, sources: Sequence[str], offline: bool) -> Retest:
    """Replay a kept closure's proof; then, unless `offline`, take it through all gates on its source (or another one)."""
    from sandbox.job import Limits
    from synth.gates.verdict import judge
    from synth.offline import replays_as_recorded
    from synth.pipeline import SAMPLE_ROWS

    kept = kept_closure(desk, name)
    replays = replays_as_recorded(kept.folder, desk.sandbox())
    if offline:
        return Retest(kept, replays)
    try:
        with kept_case(desk, kept, sources, {}, desk.sandbox(), Limits(), SAMPLE_ROWS) as case:
            return Retest(kept, replays, judge(case))
    except SourceProblem as problem:
        return Retest(kept, replays, unreachable=str(problem))


@dataclass(frozen=True)
class Difference:
    """How two closures differ: `code` as a unified diff, `output` and `records` as deepdiff tells them (empty: not at all).
    `counts` is how many records each gave over the same rows."""

    one: Kept
    other: Kept
    code: str
    output: Mapping[str, object]
    records: Mapping[str, object]
    counts: tuple[int, int]


def difference(desk: Desk, one: str, other: str, sources: Sequence[str]) -> Difference:
    """Compare two kept closures, also by what they return over one snapshot of the first one's source (or of another)."""
    from deepdiff import DeepDiff

    from sandbox.job import Limits
    from synth.gates.runs import fault_of

    first, second = kept_closure(desk, one), kept_closure(desk, other)
    given: list[list[dict[str, object]]] = []
    with kept_case(desk, first, sources, {}, desk.sandbox(), Limits(), SNAPSHOT_ROWS) as case:
        for kept in (first, second):
            trial = with_code(case, kept).on_a
            if trial.result.status != "ok":
                raise BadRequest(
                    f"{kept.name or kept.id[:12]} fails over the rows to compare on: {fault_of(trial.result).message}",
                    "Compare closures over the same kind of source, or name one with --source",
                )
            given.append(list(trial.records))
    lines = difflib.unified_diff(
        first.code.splitlines(keepends=True), second.code.splitlines(keepends=True), first.name or first.id[:12],
        second.name or second.id[:12],
    )  # fmt: skip
    mine, theirs = _apart(*given)
    records = DeepDiff(mine[:SHOWN], theirs[:SHOWN], ignore_order=True, cutoff_intersection_for_pairs=1)
    output = DeepDiff(_fields(first), _fields(second), ignore_order=True)
    return Difference(
        first, second, "".join(lines), output.to_dict(), records.to_dict(), (len(given[0]), len(given[1]))
    )


def with_code(case: Case, kept: Kept) -> Case:
    """A case of the same rows for another closure, with that one's own defaults."""
    from synth.request import Draft

    return replace(case, draft=Draft(kept.code, str(kept.facts.get("model", ""))), notes={}, confirmed={})


def _apart(
    mine: Sequence[dict[str, object]], theirs: Sequence[dict[str, object]]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The records that only one side gives, doubles counted."""
    from synth.records import bag

    ours, others = bag(mine), bag(theirs)
    return _those(mine, ours - others), _those(theirs, others - ours)


def _those(records: Sequence[dict[str, object]], wanted: Counter[object]) -> list[dict[str, object]]:
    """The records of a bag, as they came."""
    from synth.records import bag

    found = []
    for record in records:
        key = next(iter(bag([record])))
        if wanted[key] > 0:
            wanted[key] -= 1
            found.append(record)
    return found


def _fields(kept: Kept) -> dict[str, object]:
    """The output fields by name."""
    fields = kept.facts.get("output", ())
    return {f["name"]: {"type": f["type"], "nullable": f["nullable"]} for f in fields}  # type: ignore[attr-defined]  # as kept


def roll_back(desk: Desk, name: str) -> Kept:
    """Let a name point at the closure that it pointed at before. Raises BadRequest where there is none."""
    from corpus.closures import NoSuchClosure

    try:
        return desk.memory().closures.roll_back(name)
    except NoSuchClosure as error:
        raise BadRequest(str(error)) from error
