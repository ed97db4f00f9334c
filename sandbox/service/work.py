"""This file is one run as the service does it, in a thread: the door is opened, the sandbox runs the code, the ending is told."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

from sandbox.broker import Broker
from sandbox.job import Job, Limits, Record, RunResult, RunStopped, Sandbox, SandboxUnavailable
from sandbox.open import AUTOMATIC
from sandbox.service.checker import Checker
from sandbox.service.ending import Ending
from sandbox.service.inline import Engines, InlineTables, tables_of
from sandbox.service.messages import ExecuteRequest, RunRequest
from sandbox.service.problem import Problem
from sandbox.service.settings import ClosureCall, Closures, Door, Sources

Sink = Callable[[list[Record]], None]


class Sandboxes:
    """The sandboxes of a service, each opened when it is first needed."""

    def __init__(self, names: tuple[str, ...], opener: Callable[[str], Sandbox]) -> None:
        self.names = names
        self._opener = opener
        self._lock = threading.Lock()
        self._open: dict[str, Sandbox] = {}
        self._closed = False

    @property
    def choices(self) -> tuple[str, ...]:
        """What a request may name: the service's sandboxes, and where one of them is `auto` each that it may choose from."""
        return tuple(dict.fromkeys([*self.names, *(AUTOMATIC if "auto" in self.names else ())]))

    def get(self, name: str) -> Sandbox:
        """The sandbox of that name. Raises SandboxUnavailable."""
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("the service is shutting down")
            if name not in self._open:
                self._open[name] = self._opener(name)
            return self._open[name]

    def close(self) -> None:
        """Stop every process of all of them."""
        with self._lock:
            self._closed = True
            for sandbox in self._open.values():
                sandbox.close()
            self._open.clear()


class Held:
    """A sandbox whose runs can be stopped from another thread, and that lets no job have more than some limits.

    `others` are what the caller might have chosen instead of it: where it cannot be had, that is then the caller's to do.
    """

    def __init__(self, get: Callable[[], Sandbox], limits: Limits, others: Sequence[str] = ()) -> None:
        self.name = ""
        self._get = get
        self._limits = limits
        self._others = tuple(others)
        self._lock = threading.Lock()
        self._brokers: list[Broker] = []
        self._began: float | None = None
        self._stopped = False

    def run(self, job: Job, broker: Broker, sink: Sink | None = None) -> RunResult:
        """Run the job as the sandbox behind does. Raises Problem (422) where another sandbox is to be chosen."""
        try:
            return self._run(job, broker, sink)
        except SandboxUnavailable as unavailable:
            if not self._others:
                raise
            step = f"Leave `backend` out, or use one of: {', '.join(self._others)}."
            raise Problem(422, "backend-unavailable", f"that sandbox cannot be had here: {unavailable}", step) from None

    def _run(self, job: Job, broker: Broker, sink: Sink | None) -> RunResult:
        sandbox = self._get()
        self.name = sandbox.name
        with self._lock:
            if self._stopped:
                raise RunStopped("the run was stopped")
            self._brokers.append(broker)
        try:
            return sandbox.run(replace(job, limits=lowest(job.limits, self._limits)), broker, sink)
        finally:
            with self._lock:
                self._brokers.remove(broker)
                self._began = self._began or broker.running_since

    def running_since(self) -> float | None:
        """When the first job got its process, by the monotonic clock; None while none has."""
        with self._lock:
            begun = [broker.running_since for broker in self._brokers if broker.running_since is not None]
            return self._began or min(begun, default=None)

    def stop(self) -> None:
        """End what runs, and let nothing follow."""
        with self._lock:
            self._stopped = True
            brokers = list(self._brokers)
        for broker in brokers:
            broker.stop()
            interrupt = getattr(broker.capability, "interrupt", None)
            if callable(interrupt):
                # What a host's own capability may raise when it has just been closed is no matter any more.
                with contextlib.suppress(Exception):
                    interrupt()

    def close(self) -> None:
        """The sandbox behind belongs to the service."""


def lowest(one: Limits, other: Limits) -> Limits:
    """The lower of each limit."""
    return Limits(**{field.name: min(getattr(one, field.name), getattr(other, field.name)) for field in fields(Limits)})


def code_hash(code: str) -> str:
    """The name of a code in logs and answers."""
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Tools:
    """What the runs of one service use: registered sources, engines for inputs, and the policy's checker."""

    sources: Sources | None
    engines: Engines
    checker: Checker


def execute(asked: ExecuteRequest, limits: Limits, sandbox: Held, tools: Tools, sink: Sink) -> Ending:
    """Run code over its inputs or a registered source. Raises Problem, NotThere and whatever the sandbox raises."""
    with _door(asked, tools) as door:
        grant = replace(door.grant, seconds=min(door.grant.seconds, limits.wall_seconds))
        broker = Broker(door.capability, grant)
        result = sandbox.run(Job(asked.code, dict(asked.parameters), limits, asked.entry), broker, sink)
    ending = replace(
        Ending.of(result, broker.meter),
        backend=sandbox.name,
        source=asked.source or "",
        code_hash=code_hash(asked.code),
    )
    return _with_findings(ending, asked.code, asked.entry, tools.checker)


def run_closure(
    closure: str, asked: RunRequest, limits: Limits, sandbox: Held, closures: Closures, sink: Sink
) -> Ending:
    """Run a kept closure through the host's runner. Raises NotThere and whatever the sandbox raises."""
    counted = _Counted(sink)
    ended = closures.run(closure, ClosureCall(dict(asked.parameters), limits, sandbox, counted.take))
    told = Ending.of(ended.result, ended.meter)
    usage = replace(told.result.usage, records=counted.records)
    return replace(
        told,
        result=replace(told.result, usage=usage),
        backend=sandbox.name,
        source=ended.source,
        code_hash=code_hash(ended.code) if ended.code else "",
        facts=dict(ended.facts),
    )


class _Counted:
    """A sink that counts what went through: a runner may set records aside that its sandbox gave."""

    def __init__(self, sink: Sink) -> None:
        self.records = 0
        self._sink = sink

    def take(self, batch: list[Record]) -> None:
        """Pass a batch on."""
        self.records += len(batch)
        self._sink(batch)


@contextmanager
def _door(asked: ExecuteRequest, tools: Tools) -> Iterator[Door]:
    if asked.source is not None and tools.sources is not None:
        with tools.sources.open(asked.source) as door:
            yield door
        return
    inputs: Mapping[str, list[dict[str, object]]] = asked.inputs or {}
    if not inputs and not asked.types:
        yield Door(None)
        return
    tables = InlineTables(tables_of(inputs, asked.types), tools.engines)
    try:
        yield Door(tables)
    finally:
        tables.close()


def _with_findings(ending: Ending, code: str, entry: str, checker: Checker) -> Ending:
    """The ending as `refused` when it was the policy that did not let the code run: said by the policy, not by the fault."""
    fault = ending.result.fault
    if ending.status != "error" or fault is None or fault.type not in ("PolicyRefused", "SyntaxError"):
        return ending
    findings = checker.findings_of(code, entry)
    return replace(ending, status="refused", findings=findings) if findings else ending
