"""Opens a sandbox by its name: the name of a file in sandbox/backends."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator

from sandbox import backends
from sandbox.broker import Broker
from sandbox.job import Job, Record, RunResult, Sandbox, SandboxUnavailable

AUTOMATIC = ("local", "docker")
"""What `auto` may choose from, in this order."""


def sandbox_names() -> list[str]:
    """The sandboxes there are, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(backends.__path__))


def open_sandbox(name: str = "auto") -> Sandbox:
    """The sandbox of that name, which starts in the background; `auto` takes the first that this machine can have.

    Raises SandboxUnavailable, here or at the first run. There is no fall-back to running without a sandbox.
    """
    return Automatic(AUTOMATIC) if name == "auto" else _opened(name)


class Automatic:
    """The first sandbox of several that can be had, which may only turn out when one is asked to run something.

    A sandbox that cannot be had has run nothing, so the next one is given the same job.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._problems: dict[str, str] = {}
        self._candidates = self._openings(names)
        first = next(self._candidates, None)
        if first is None:
            raise self._none()
        self._sandbox = first
        self.name = first.name

    def facts(self) -> dict[str, object]:
        """What the sandbox in use says of itself; nothing where it says nothing."""
        told: Callable[[], dict[str, object]] = getattr(self._sandbox, "facts", dict)
        return told()

    def run(self, job: Job, broker: Broker, sink: Callable[[list[Record]], None] | None = None) -> RunResult:
        """Run the job in the first sandbox that can be had."""
        while True:
            sandbox = self._sandbox
            try:
                return sandbox.run(job, broker, sink)
            except SandboxUnavailable as problem:
                self._go_on(sandbox, problem)

    def close(self) -> None:
        """Stop every process of the sandbox in use."""
        with self._lock:
            self._closed = True
            self._sandbox.close()

    def _openings(self, names: tuple[str, ...]) -> Iterator[Sandbox]:
        for name in names:
            try:
                yield _opened(name)
            except SandboxUnavailable as problem:
                self._problems[name] = str(problem)

    def _go_on(self, tried: Sandbox, problem: SandboxUnavailable) -> None:
        """Take the next candidate, unless another thread did. The last one is kept, for it may be had later."""
        with self._lock:
            if self._closed:
                raise problem
            if self._sandbox is not tried:
                return
            self._problems[tried.name] = str(problem)
            following = next(self._candidates, None)
            if following is None:
                raise self._none()
            self._sandbox, self.name = following, following.name
        tried.close()

    def _none(self) -> SandboxUnavailable:
        told = "; ".join(f"{name}: {problem}" for name, problem in self._problems.items())
        return SandboxUnavailable(f"no sandbox can be had here; {told}")


def _opened(name: str) -> Sandbox:
    known = sandbox_names()
    if name not in known:
        raise SandboxUnavailable(f"no sandbox called {name!r}; there are: {', '.join(known)}")
    module = importlib.import_module(f"sandbox.backends.{name}")
    sandbox: Sandbox = module.create()
    return sandbox
