"""Gate 6: time, memory, calls and rows stayed within the grant; and what they were."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.finding import Finding
from synth.gates.case import Case


def findings_of(case: Case) -> Iterable[Finding]:
    """Limits that were passed on sample B."""
    trial = case.on_b
    usage, meter = trial.result.usage, trial.meter
    case.note(
        "bounded",
        f"{usage.wall_ms:.0f} ms, {usage.memory_mb:.0f} MB, {meter.calls} calls, {meter.rows} rows read, {len(trial.records)} records",
    )
    if trial.result.status == "limit":
        return [Finding("bounded", str(trial.result.limit), f"the limit {trial.result.limit} was passed on sample B")]
    if meter.breached:
        return [Finding("bounded", meter.breached, f"the grant's {meter.breached} was used up on sample B")]
    return []
