"""A job: one closure to run once, with its parameters and limits; and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sandbox.broker import Broker

Record = dict[str, object]


class SandboxUnavailable(Exception):
    """No sandbox can be had here; the message names what is missing and what to do. Never a finding."""


class SandboxDied(Exception):
    """The sandbox itself broke (not the code in it). Never a finding."""


class RunStopped(Exception):
    """The caller stopped the run (Broker.stop). Never a finding."""


@dataclass(frozen=True)
class Limits:
    """What one run may use. Units are in the names; a breach is reported as that limit.

    No closure gets a process, a thread or a file of its own: those limits are 0 in every sandbox, and ValueError tells who
    asks for more. What a run may take from its source, such as the number of calls, is in its broker's Grant.
    """

    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    memory_mb: int = 512
    code_bytes: int = 65_536
    records: int = 1_000_000
    record_bytes: int = 1_048_576
    output_bytes: int = 512 * 1_048_576
    depth: int = 50
    stdout_bytes: int = 65_536
    processes: int = 0
    threads: int = 0
    files: int = 0
    file_bytes: int = 0

    def __post_init__(self) -> None:
        """Refuse what no sandbox gives."""
        for name in ("processes", "threads", "files", "file_bytes"):
            if getattr(self, name) != 0:
                raise ValueError(f"no sandbox gives a closure {name.replace('_', ' ')}: leave Limits.{name} at 0")


@dataclass(frozen=True)
class Job:
    """The code of one closure, the name of its function and the keyword parameters to call it with."""

    code: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    limits: Limits = Limits()
    entry: str = "closure"


@dataclass(frozen=True)
class Fault:
    """The exception that ended a run: its type's name, its message, the closure's own line (from 1) or None."""

    type: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Usage:
    """What a run used. Milliseconds, mebibytes and counts; 0 where it could not be measured."""

    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    memory_mb: float = 0.0
    records: int = 0
    output_bytes: int = 0


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    `ok` only when an end frame whose count equals the records received came as the last word of the process. `error`: the
    code raised (`fault`). `limit`: a limit of the job, or of its broker's grant, was passed (`limit` is the field's name in
    Limits or in Grant, `fault` tells more).
    `crashed`: the process running the code died by something it did. `records` are those received, partial unless ok;
    empty when they went to a sink.
    """

    status: Literal["ok", "error", "limit", "crashed"]
    records: tuple[Record, ...] = ()
    fault: Fault | None = None
    limit: str | None = None
    stdout: str = ""
    stderr: str = ""
    usage: Usage = Usage()


class Sandbox(Protocol):
    """Runs jobs, one at a time per call; safe to call from several threads.

    `run` raises SandboxUnavailable or SandboxDied, and RunStopped when Broker.stop ended it.
    """

    name: str

    def run(self, job: Job, broker: Broker, sink: Callable[[list[Record]], None] | None = None) -> RunResult:
        """Run the job with `broker` behind its source handle; hand record batches to `sink` as they come, if given."""
        ...

    def close(self) -> None:
        """Stop every process of this sandbox."""
        ...
