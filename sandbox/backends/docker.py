"""The docker sandbox: the same single-use workers as the local one, inside a container that has nothing.

One container holds a zygote that forks workers ahead; a job takes one, and the container is replaced from time to time.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from sandbox.broker import Broker
from sandbox.docker_container import Bounds, Box
from sandbox.docker_engine import engine
from sandbox.docker_leftovers import reap
from sandbox.docker_link import NotReached, Way
from sandbox.image_build import find_image
from sandbox.job import Job, Limits, Record, RunResult, RunStopped, Sandbox, SandboxDied, SandboxUnavailable
from sandbox.run import LOOK_SECONDS, Worker, run_job


class Docker:
    """Runs closures in single-use processes of a container without network, rights, files to write or a way to start others.

    Starting begins at once, in the background; the first job waits for it. `address` is the engine's, where it is not the
    usual one; `way` is how the container is reached, found out when None. `policy=False` skips the policy's compiler, for
    tests that attack the walls behind it.
    """

    name = "docker"

    def __init__(
        self, policy: bool = True, bounds: Bounds | None = None, address: str | None = None, way: Way | None = None
    ) -> None:
        if find_spec("docker") is None:
            raise SandboxUnavailable("the docker sandbox needs the Docker SDK: pip install 'tars-closures[docker]'")
        self._policy = policy
        self._bounds = bounds or Bounds()
        self._address = address
        self._way = way
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._closed = False
        self._box: Box | None = None
        self._problem: SandboxUnavailable | SandboxDied | None = None
        self._successor: threading.Thread | None = None
        self._starter = threading.Thread(target=self._start, name="docker-start", daemon=True)
        self._starter.start()

    def facts(self) -> dict[str, object]:
        """What the sandbox is made of here: the container, its limits, and the attacks it withstood at its start."""
        self._starter.join()
        with self._lock:
            return dict(self._running().facts)

    def run(self, job: Job, broker: Broker, sink: Callable[[list[Record]], None] | None = None) -> RunResult:
        """Run the job with `broker` behind its source handle; hand record batches to `sink` as they come, if given."""
        return run_job(self._lent, job, broker, sink, self._policy)

    def close(self) -> None:
        """Stop every process of this sandbox."""
        self._starter.join()
        with self._lock:
            self._closed = True
            successor = self._successor
        if successor is not None:
            successor.join()
        with self._lock:
            if self._box is not None:
                self._box.close()
                self._box = None
            self._room.notify_all()

    @contextlib.contextmanager
    def _lent(self, limits: Limits, is_stopped: Callable[[], bool]) -> Iterator[Worker]:
        """A fresh worker with a claim on its share of its container's memory; it ends with the block."""
        memory_mb = limits.memory_mb
        box, worker = self._worker(memory_mb, is_stopped)
        try:
            with worker:
                yield worker
        finally:
            with self._lock:
                # Only now, so that the fork does not take the time of the job.
                box.give_back(memory_mb)
                self._room.notify_all()

    def _worker(self, memory_mb: int, is_stopped: Callable[[], bool]) -> tuple[Box, Worker]:
        """A fresh worker, once its container has room; a container that is gone is started again."""
        self._starter.join()
        with self._lock:
            box = self._running()
            # The kernel would otherwise end a job that is within its own limit, because of its neighbours.
            while not box.has_room(memory_mb):
                self._room.wait(LOOK_SECONDS)
                if is_stopped():
                    raise RunStopped("the run was stopped")
                box = self._running()
            try:
                worker = box.worker(memory_mb)
            except SandboxDied:
                box.close()
                self._box = None
                box = self._running()
                worker = box.worker(memory_mb)
            if box.is_spent and self._successor is None:
                self._successor = threading.Thread(target=self._succeed, args=(box,), name="docker-next", daemon=True)
                self._successor.start()
            return box, worker

    def _running(self) -> Box:
        """The container, started now where there is none."""
        if self._closed:
            raise SandboxUnavailable("this sandbox was closed")
        if self._box is None:
            if self._problem is None:
                self._start()
            if self._box is None:
                # Told once, then tried again: an engine may come back and an image may be built.
                problem, self._problem = self._problem, None
                raise problem or SandboxDied("the docker sandbox did not start")
        return self._box

    def _start(self) -> None:
        try:
            self._box = self._new_box()
            self._problem = None
        except (SandboxUnavailable, SandboxDied) as problem:
            self._problem = problem
        except OSError as error:
            self._problem = SandboxUnavailable(f"the docker sandbox cannot be started: {error}")

    def _new_box(self) -> Box:
        found = engine(self._address)
        reap(found)
        digest = find_image(found)
        way: Way = self._way or ("socket" if found.same_kernel and not found.runtime else "streams")
        try:
            return Box(found, digest, self._bounds, way)
        except NotReached:
            return Box(found, digest, self._bounds, "streams")

    def _succeed(self, spent: Box) -> None:
        """Put a fresh container in the place of a spent one, which ends when its last job has."""
        fresh = None
        with contextlib.suppress(SandboxUnavailable, SandboxDied, OSError):
            fresh = self._new_box()
        with self._lock:
            self._successor = None
            if fresh is None:
                # Every worker is single-use all the same; another try comes with one of the next jobs.
                spent.renew()
            elif self._closed or self._box is not spent:
                fresh.close()
            else:
                self._box = fresh
                spent.retire()
            self._room.notify_all()


def create() -> Sandbox:
    """Open the docker sandbox on the usual engine; it starts in the background."""
    return Docker()
