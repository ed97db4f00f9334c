"""The local sandbox: throw-away processes in namespaces of their own on this machine. Linux; needs no root and no service.

The zygote (sandbox/inside/zygote.py) forks workers ahead; this is the host's hold on it. What a job does on its worker is in
sandbox/run.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket, socketpair
from typing import Any

from sandbox.broker import Broker
from sandbox.inside import zygote
from sandbox.job import Job, Limits, Record, RunResult, RunStopped, Sandbox, SandboxDied, SandboxUnavailable
from sandbox.run import EXIT_SECONDS, LOOK_SECONDS, START_SECONDS, WORKERS_AHEAD, Worker, run_job

_CONTROL_MESSAGE = 65_536
_HINT = "Use a kernel and a container that allow them, or the docker sandbox; code is never run without a sandbox."


class Local:
    """Runs closures in single-use processes without files, network, neighbours or a way to start others.

    Starting begins at once, in the background; the first job waits for it. `policy=False` skips the policy's compiler, for
    tests that attack the walls behind it.
    """

    name = "local"

    def __init__(self, policy: bool = True) -> None:
        if not sys.platform.startswith("linux"):
            raise SandboxUnavailable(f"the local sandbox needs Linux, not {sys.platform}. {_HINT}")
        self._policy = policy
        self._lock = threading.Lock()
        self._closed = False
        # Half of the processes there may be: one that has been killed still counts for a moment.
        self._room = threading.BoundedSemaphore(zygote.PIDS // 2)
        self._zygote: _Zygote | None = None
        self._problem: SandboxUnavailable | SandboxDied | None = None
        self._starter = threading.Thread(target=self._start, name="sandbox-start", daemon=True)
        self._starter.start()

    def facts(self) -> dict[str, object]:
        """What the sandbox is made of here: Landlock's version, the control groups, the attacks it withstood at its start."""
        return dict(self._running().facts)

    def run(self, job: Job, broker: Broker, sink: Callable[[list[Record]], None] | None = None) -> RunResult:
        """Run the job with `broker` behind its source handle; hand record batches to `sink` as they come, if given."""
        return run_job(self._lent, job, broker, sink, self._policy)

    def close(self) -> None:
        """Stop every process of this sandbox."""
        self._starter.join()
        with self._lock:
            self._closed = True
            if self._zygote is not None:
                self._zygote.close()
                self._zygote = None

    def _start(self) -> None:
        try:
            self._zygote = _Zygote()
        except (SandboxUnavailable, SandboxDied) as problem:
            self._problem = problem
        except OSError as error:
            self._problem = SandboxUnavailable(f"the local sandbox cannot be started: {error.strerror}")

    def _running(self) -> _Zygote:
        self._starter.join()
        if self._closed:
            raise SandboxUnavailable("this sandbox was closed")
        if self._zygote is None:
            raise self._problem or SandboxDied("the local sandbox did not start")
        return self._zygote

    @contextlib.contextmanager
    def _lent(self, limits: Limits, is_stopped: Callable[[], bool]) -> Iterator[Worker]:
        """A fresh worker, which ends with the block; waits while there are as many as there may be."""
        while not self._room.acquire(timeout=LOOK_SECONDS):
            if is_stopped():
                raise RunStopped("the run was stopped")
        try:
            with self._worker() as worker:
                yield worker
        finally:
            self._room.release()
            # Only now, so that the fork does not take the time of the job.
            with self._lock:
                if self._zygote is not None:
                    self._zygote.replace()

    def _worker(self) -> Worker:
        """A fresh worker; the zygote is started again if it is gone."""
        with self._lock:
            running = self._running()
            try:
                return running.worker()
            except SandboxDied:
                running.close()
                self._zygote = None
                self._start()
                return self._running().worker()


def create() -> Sandbox:
    """Open the local sandbox; it starts in the background."""
    return Local()


class _Zygote:
    """The host's hold on the keeper, the zygote and the workers that wait."""

    def __init__(self) -> None:
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        heard, told = os.pipe()
        try:
            self.keeper = _spawned(theirs.fileno(), told)
        finally:
            theirs.close()
            os.close(told)
        self.control: socket = ours
        self.ahead = WORKERS_AHEAD
        try:
            ours.settimeout(START_SECONDS)
            message = self._message(heard)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(heard)
        if "unavailable" in message:
            self.close()
            raise SandboxUnavailable(
                f"the local sandbox cannot be had here; missing: {message['unavailable']}. {_HINT}"
            )
        self.facts: dict[str, object] = message["ready"]

    def _message(self, errors: int) -> dict[str, Any]:
        try:
            data = self.control.recv(_CONTROL_MESSAGE)
        except TimeoutError:
            raise SandboxDied(f"the local sandbox did not start within {START_SECONDS:g} seconds") from None
        except OSError:
            data = b""
        if not data:
            os.set_blocking(errors, False)
            with contextlib.suppress(OSError):
                data = os.read(errors, 65_536)
            last = data.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise SandboxDied(f"the local sandbox ended while it started: {' '.join(last) or 'no reason given'}")
        message: dict[str, Any] = json.loads(data)
        return message

    def worker(self) -> Worker:
        """One of the workers forked ahead. The last of them is replaced at once, others when `replace` is called."""
        # Workers that a zygote left behind when it was killed are still in the socket, and as dead as it is.
        poll = select.poll()
        poll.register(self.control, select.POLLHUP)
        if poll.poll(0):
            raise SandboxDied("the zygote is gone")
        try:
            data, descriptors, _, _ = recv_fds(self.control, 256, 3)
        except OSError as error:
            raise SandboxDied(f"the zygote does not answer: {error}") from None
        if not data:
            raise SandboxDied("the zygote is gone")
        self.ahead -= 1
        if self.ahead < 1:
            self.replace()
        return Worker(*descriptors)

    def replace(self) -> None:
        """Have workers forked until as many wait as there should be; a zygote that is gone is found out by the next job."""
        missing = WORKERS_AHEAD - self.ahead
        if missing > 0:
            with contextlib.suppress(OSError):
                self.control.send(b"+" * missing)
                self.ahead += missing

    def close(self) -> None:
        """Let go: the zygote ends, and with it everything inside; then the keeper."""
        self.control.close()
        deadline = time.monotonic() + EXIT_SECONDS
        try:
            while os.waitpid(self.keeper, os.WNOHANG)[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(self.keeper, signal.SIGKILL)
                    os.waitpid(self.keeper, 0)
                    return
                time.sleep(0.002)
        except ChildProcessError:
            return


def _spawned(control: int, errors: int) -> int:
    """Start the zygote's program with no environment and no descriptors but its control socket; its process number."""
    if not sys.executable:
        raise SandboxUnavailable("the local sandbox needs to know its Python interpreter, and sys.executable is empty")
    settings = {"path": _search_path(), "ahead": WORKERS_AHEAD}
    program = str(Path(zygote.__file__))
    arguments = [sys.executable, "-s", "-S", "-B", "-P", "-X", "utf8", program, json.dumps(settings)]
    # The two names steer libraries that would otherwise start threads; a fixed hash seed makes runs repeatable.
    environment = {
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "PYTHONHASHSEED": "0",
    }
    # Moved out of the way first: a descriptor that is 3 already would keep its close-on-exec flag.
    import fcntl

    control = fcntl.fcntl(control, fcntl.F_DUPFD_CLOEXEC, 10)
    errors = fcntl.fcntl(errors, fcntl.F_DUPFD_CLOEXEC, 10)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, errors, 2),
        (os.POSIX_SPAWN_DUP2, control, zygote.CONTROL),
    ]
    try:
        return os.posix_spawn(sys.executable, arguments, environment, file_actions=actions, setsid=True)
    finally:
        os.close(control)
        os.close(errors)


def _search_path() -> list[str]:
    """Where the zygote finds its modules: the standard library, this package and the few libraries it loads."""
    folders = [str(Path(__file__).parents[2])]
    for name in ("duckdb", "_duckdb", "pyarrow", "ormsgpack", "RestrictedPython"):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            # Only the newer engines keep their compiled part in a module of its own.
            if name == "_duckdb":
                continue
            raise SandboxUnavailable(f"the local sandbox needs the package {name}")
        found = Path(spec.origin).parent
        folders.append(str(found.parent if spec.submodule_search_locations else found))
    standard = [path for path in sys.path if path and path not in folders and _is_standard(path)]
    return list(dict.fromkeys([*standard, *folders]))


def _is_standard(path: str) -> bool:
    own = Path(os.__file__).parent
    return Path(path) in (own, own / "lib-dynload") or path.endswith(".zip")
