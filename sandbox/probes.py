"""Probes for `tars doctor`: each sandbox is really started and attacked, and says what holds and what this machine lacks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox.broker import Broker
from sandbox.job import Job, Limits, Sandbox, SandboxDied, SandboxUnavailable
from sandbox.open import open_sandbox, sandbox_names

_HONEST = "def closure(source):\n    return query([{'a': 1}, {'a': 2}], 'SELECT sum(a) AS a FROM rows')\n"
_ENDLESS = "def closure(source):\n    while True:\n        pass\n"
_GREEDY = "def closure(source):\n    yield {'a': len('x' * 10**10)}\n"
_CURIOUS = "import os\n\ndef closure(source):\n    yield {'a': os.getcwd()}\n"


@dataclass(frozen=True)
class Probe:
    """One thing that was tried on a sandbox: what, whether it came out as it must, and in a few words how."""

    sandbox: str
    name: str
    held: bool
    detail: str = ""


def real_sandboxes() -> list[str]:
    """The sandboxes that run code, sorted; the one that only plays back is not among them."""
    return [name for name in sandbox_names() if name != "scripted"]


def probes(name: str) -> list[Probe]:
    """What a sandbox withstands here. One that cannot be had gives a single probe that says what is missing."""
    started = time.perf_counter()
    try:
        sandbox = open_sandbox(name)
    except SandboxUnavailable as missing:
        return [Probe(name, "starts", False, str(missing))]
    try:
        return _probed(name, sandbox, started)
    finally:
        sandbox.close()


def _probed(name: str, sandbox: Sandbox, started: float) -> list[Probe]:
    try:
        honest = sandbox.run(Job(_HONEST), Broker(None))
    except (SandboxUnavailable, SandboxDied) as missing:
        return [Probe(name, "starts", False, str(missing))]
    found = [
        Probe(name, "starts", True, f"{(time.perf_counter() - started) * 1000:.0f} ms to the first record"),
        Probe(name, "runs an honest closure", honest.records == ({"a": 3},), honest.status),
    ]
    found += _facts(name, sandbox)
    for what, code, expected in (
        ("ends an endless loop", _ENDLESS, "wall_seconds"),
        ("keeps memory within its limit", _GREEDY, "memory_mb"),
        ("refuses code that breaks the policy", _CURIOUS, "PolicyRefused"),
    ):
        result = sandbox.run(Job(code, limits=Limits(wall_seconds=0.3, memory_mb=64)), Broker(None))
        got = result.limit or (result.fault.type if result.fault else result.status)
        found.append(Probe(name, what, got == expected, got))
    return found


def _facts(name: str, sandbox: Sandbox) -> list[Probe]:
    """What the sandbox found out about itself at its start, attacked from inside one of its workers."""
    told = getattr(sandbox, "facts", None)
    if told is None:
        return []
    facts: dict[str, object] = told()
    attacks, groups = facts.get("attacks"), facts.get("cgroup")
    found = [Probe(name, f"cannot {attack}", True) for attack in attacks] if isinstance(attacks, list) else []
    landlock = facts.get("landlock")
    found.append(
        Probe(name, "has Landlock", bool(landlock), f"version {landlock}" if landlock else "not in this kernel")
    )
    held = isinstance(groups, list) and bool(groups)
    detail = ", ".join(map(str, groups)) if isinstance(groups, list) and groups else "none may be made by this user"
    found.append(Probe(name, "has a control group", held, detail))
    return found
