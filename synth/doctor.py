"""What this machine offers: sandboxes (attacked, not believed), drivers of connectors, models, and the home folder."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from synth.errors import HomeProblem

if TYPE_CHECKING:
    from sandbox.probes import Probe
    from synth.actions import Desk

DRIVERS = {
    "PostgreSQL": ("psycopg", "pip install 'tars-closures[postgres]'"),
    "MySQL and MariaDB": ("pymysql", "pip install 'tars-closures[mysql]'"),
}


@dataclass(frozen=True)
class Report:
    """What was found. `has_sandbox`: at least one sandbox started and held against everything that is required."""

    python: str
    system: str
    sandboxes: tuple[Probe, ...]
    drivers: dict[str, str]
    models: dict[str, str]
    home: str

    @property
    def has_sandbox(self) -> bool:
        """Whether closures can be run here."""
        started = {p.sandbox for p in self.sandboxes if p.name == "starts" and p.held}
        return any(all(p.held for p in self.sandboxes if p.sandbox == name and not _optional(p)) for name in started)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {**asdict(self), "has_sandbox": self.has_sandbox}

    def lines(self) -> list[str]:
        """For people."""
        said = [f"Python {self.python} on {self.system}", f"home: {self.home}"]
        for probe in self.sandboxes:
            spare = _optional(probe) or (probe.name == "starts" and self.has_sandbox)
            mark = "ok  " if probe.held else "none" if spare else "FAIL"
            said.append(f"{mark} sandbox {probe.sandbox}: {probe.name}{': ' + probe.detail if probe.detail else ''}")
        said += [
            f"{'ok  ' if state == 'installed' else 'none'} driver for {name}: {state}"
            for name, state in self.drivers.items()
        ]
        said += [f"     model {name}: {state}" for name, state in self.models.items()]
        return said if self.has_sandbox else [*said, "no sandbox can be had here: closures cannot be run"]


def _optional(probe: Probe) -> bool:
    """A wall behind the walls: good to have, not required."""
    return probe.name in ("has Landlock", "has a control group")


def examined(desk: Desk) -> Report:
    """Look at everything; a sandbox is started and attacked."""
    from sandbox.probes import probes, real_sandboxes

    found: list[Probe] = []
    for name in real_sandboxes():
        desk.progress(f"sandbox {name}")
        found += probes(name)
    try:
        home = str(desk.memory().home)
    except HomeProblem as problem:
        home = str(problem)
    return Report(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}, {os.cpu_count()} processors",
        sandboxes=tuple(found),
        drivers={name: _state(module, install) for name, (module, install) in DRIVERS.items()},
        models=_models(desk),
        home=home,
    )


def _state(module: str, install: str) -> str:
    return "installed" if importlib.util.find_spec(module) else f"missing; {install}"


def _models(desk: Desk) -> dict[str, str]:
    configured = desk.environment.get("TARS_MODEL", "")
    endpoint = desk.environment.get("OPENAI_BASE_URL") or (
        "the hosted API" if desk.environment.get("OPENAI_API_KEY") else ""
    )
    return {
        "builtin": "ready"
        if not configured or "builtin" in configured
        else f"ready; TARS_MODEL={configured} is asked as well",
        "openai": f"configured, at {endpoint}" if endpoint else "not configured (OPENAI_API_KEY, OPENAI_BASE_URL)",
        "onnx": _local_models(desk),
    }


def _local_models(desk: Desk) -> str:
    if not importlib.util.find_spec("onnxruntime") or not importlib.util.find_spec("llguidance"):
        return "missing; pip install 'tars-closures[onnx]'"
    from synth.models import hub

    names = list(hub.added(desk.environment))
    return f"added: {', '.join(names)}" if names else "none added (tars model add FOLDER)"
