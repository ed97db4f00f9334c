"""The offline test of a kept closure: its cassette replayed in the sandbox, with no source and no network."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sandbox.job import Limits, Sandbox
from synth.cassette import loaded, records_loaded
from synth.records import bag
from synth.request import Draft
from synth.trial import Replay, try_out


def replays_as_recorded(folder: Path, sandbox: Sandbox | None = None) -> bool:
    """Whether the closure in this folder, fed from its cassette, gives the records of its proof. Opens a sandbox if none is given."""
    if sandbox is None:
        from sandbox.open import open_sandbox

        opened = open_sandbox()
        try:
            return replays_as_recorded(folder, opened)
        finally:
            opened.close()
    facts = tomllib.loads((folder / "closure.toml").read_text())
    doors = Replay(
        loaded((folder / "cassette" / "calls.jsonl").read_bytes()), str(facts["dialect"]), list(facts.get("tables", ()))
    )
    draft = Draft((folder / "closure.py").read_text(), str(facts.get("model", "")))
    trial = try_out(draft, doors, sandbox, Limits())
    recorded = records_loaded((folder / "cassette" / "records.jsonl").read_bytes())
    return trial.result.status == "ok" and bag(trial.records) == bag(recorded)
