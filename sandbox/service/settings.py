"""This file is what the operator decides, and the two things a host program may put behind the service."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sandbox.broker import Grant, Meter
from sandbox.job import Limits, Record, RunResult, Sandbox
from sandbox.open import open_sandbox

MEBIBYTE = 1_048_576


class ServiceProblem(Exception):
    """The service cannot be started as asked; the message says why and what to do."""


class NotThere(Exception):
    """No source, or no closure, of that name. The message is shown to the caller."""


@dataclass(frozen=True)
class Door:
    """A capability (sandbox/capabilities.py) and what one run may take from it."""

    capability: object
    grant: Grant = field(default_factory=Grant)


class Sources(Protocol):
    """Sources that callers may use by name. Who implements it holds their credentials; nothing of them is ever told."""

    def names(self) -> Sequence[str]:
        """The names there are."""
        ...

    def open(self, name: str) -> AbstractContextManager[Door]:
        """A fresh door for one run, closed with the block. Called in a worker thread.

        Raises NotThere, or Problem (sandbox/service/problem.py) for a source that cannot be read now."""
        ...


@dataclass(frozen=True)
class ClosureCall:
    """How a kept closure is to be run: in this sandbox, which the service can stop, handing each batch to `take`."""

    parameters: Mapping[str, object]
    limits: Limits
    sandbox: Sandbox
    take: Callable[[list[Record]], None]


@dataclass(frozen=True)
class ClosureEnd:
    """How that run ended, and what it asked of its source. `facts` are told to the caller as they are (completeness, records
    set aside); plain JSON values."""

    result: RunResult
    code: str = ""
    source: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    meter: Meter | None = None


class Closures(Protocol):
    """Runs kept closures by name or id."""

    def run(self, closure: str, call: ClosureCall) -> ClosureEnd:
        """Run it and say how it ended. Called in a worker thread.

        Raises NotThere, or Problem for parameters that do not fit; lets whatever the sandbox raises through."""
        ...


@dataclass(frozen=True)
class Settings:
    """What the service may use and how it listens. Seconds, mebibytes and counts as the names say.

    `limits` are both the defaults and the ceilings of one run: a request may only lower them. `backends` are names for
    `opener`; the first is the default and is started with the service, others when a request first names them; `auto` also
    lets a request name one of those that it chooses from. Nothing is traced unless `traces_endpoint` names an
    OTLP/HTTP collector.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8321
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    backends: tuple[str, ...] = ("auto",)
    opener: Callable[[str], Sandbox] = open_sandbox
    sources: Sources | None = None
    closures: Closures | None = None
    limits: Limits = field(default_factory=lambda: Limits(output_bytes=256 * MEBIBYTE))
    running: int = field(default_factory=lambda: max(2, os.cpu_count() or 2))
    waiting: int = 100
    waiting_seconds: float = 30.0
    per_minute: int = 600
    concurrent: int = 32
    body_mb: float = 8.0
    bodies_mb: float = 64.0
    body_seconds: float = 20.0
    header_seconds: float = 10.0
    stall_seconds: float = 20.0
    answer_mb: float = 16.0
    connections: int = 2_000
    answer_seconds: float = 300.0
    drain_seconds: float = 20.0
    keep_answers_seconds: float = 86_400.0
    keep_answers_mb: float = 64.0
    traces_endpoint: str = ""

    @property
    def folder(self) -> Path:
        """Where the service keeps its keys and its audit log."""
        return self.home / "service"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address that it listens on."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, is of this machine only. Other names are not looked up: they are not."""
    import ipaddress

    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
