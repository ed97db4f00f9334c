"""A sandbox that plays back what it is told. For tests and demonstrations; it never runs the code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sandbox.broker import Broker
from sandbox.job import Job, Record, RunResult, Sandbox, SandboxUnavailable


class Scripted:
    """Answers each job with the next prepared result, an empty one when there is none left, and remembers the jobs."""

    name = "scripted"

    def __init__(self, results: Iterable[RunResult] = ()) -> None:
        self.results = list(results)
        self.jobs: list[Job] = []
        self.closed = False

    def run(self, job: Job, broker: Broker, sink: Callable[[list[Record]], None] | None = None) -> RunResult:
        """Play the next result; its records go to the sink when there is one."""
        if self.closed:
            raise SandboxUnavailable("this sandbox was closed")
        self.jobs.append(job)
        result = self.results.pop(0) if self.results else RunResult("ok")
        if sink is None:
            return result
        if result.records:
            sink(list(result.records))
        return replace(result, records=())

    def close(self) -> None:
        """Play nothing more."""
        self.closed = True


def create() -> Sandbox:
    """Open the backend with nothing prepared."""
    return Scripted()
