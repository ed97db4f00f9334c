"""Gate 5: replayed from the cassette with no source behind it, twice, the same records."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.finding import Finding
from synth.gates.case import Case
from synth.records import bag
from synth.trial import Replay


def findings_of(case: Case) -> Iterable[Finding]:
    """How a replay differs from the run that was recorded."""
    recorded = case.on_a
    for number in (1, 2):
        replayed = case.run_over(Replay(recorded.calls, case.task.dialect, [t.name for t in case.source.tables()]))
        if replayed.result.status != "ok":
            fault = replayed.result.fault
            why = f"{fault.type}: {fault.message}" if fault else replayed.result.status
            return [Finding("repeatable", "replay-failed", f"replay {number} from the cassette failed: {why}")]
        same = (
            replayed.records == recorded.records
            if case.draft.ordered
            else bag(replayed.records) == bag(recorded.records)
        )
        if not same:
            return [
                Finding(
                    "repeatable",
                    "replay-differs",
                    f"replay {number} gave {len(replayed.records)} records, the recorded run {len(recorded.records)}, not the same ones",
                    hint="Do not use the clock, chance or the order of sets.",
                )
            ]
    case.note("repeatable", f"{len(recorded.calls)} recorded calls, replayed twice")
    return []
