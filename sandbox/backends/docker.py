"""The docker sandbox: the same single-use workers as the local one, inside a container that has nothing.

One container holds a zygote that forks workers ahead; a job takes one and the container is replaced from time to time. A
local engine's container is reached over a socket in a folder of its own, the only thing mounted into it. For an engine on
another kernel the bytes go through streams that the engine opens into the container, each read by a thread at all times.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import AF_UNIX, SOCK_SEQPACKET, SOCK_STREAM, recv_fds, socket, socketpair
from typing import Any, Literal, Protocol

from sandbox.backends.local import START_SECONDS, WORKERS_AHEAD, _Run, _Worker
from sandbox.broker import Broker
from sandbox.docker_engine import Engine, engine, engine_errors
from sandbox.image_build import HOME, find_image
from sandbox.inside import container as inside
from sandbox.inside.zygote import STATUS
from sandbox.job import Fault, Job, Limits, Record, RunResult, RunStopped, Sandbox, SandboxDied, SandboxUnavailable

LABEL = "tars.sandbox"
FOLDER = "tars-sandbox-"

NOBODY = 65534

_PROGRAM = f"{HOME}/sandbox/inside/"
_PYTHON = ["python3", "-s", "-S", "-B", "-P", "-X", "utf8"]
_MOUNTED = "/run/tars"
_SOCKET = "s"
_SPARE_MB = 256
_ENVIRONMENT = {
    # As for the local zygote: no threads of their own for the libraries, the same hash seed in every run.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "PYTHONHASHSEED": "0",
}

Way = Literal["socket", "streams"]


@dataclass(frozen=True)
class Bounds:
    """What one container may use, all its jobs together, when it is replaced, and how long it outlives a host that it does not
    hear from, where the connection itself does not tell."""

    memory_mb: int = 4_096
    cpus: float = 2.0
    pids: int = 64
    jobs: int = 1_000
    minutes: float = 10.0
    silence_seconds: float = 30.0


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
        self._box: _Box | None = None
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
        size = len(job.code.encode("utf-8", "replace"))
        if size > job.limits.code_bytes:
            text = f"the code is {size} bytes long; at most {job.limits.code_bytes}"
            return RunResult("limit", fault=Fault("LimitExceeded", text), limit="code_bytes")
        with self._lent(job.limits.memory_mb) as worker, broker.stoppable(worker.kill):
            result = _Run(worker, job, broker, sink, self._policy).result()
        if result.status == "crashed":
            if broker.stopped:
                raise RunStopped("the run was stopped")
            self._probe(result)
        return result

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
    def _lent(self, memory_mb: int) -> Iterator[_Worker]:
        """A fresh worker with a claim on so much of its container's memory; it ends with the block."""
        box, worker = self._worker(memory_mb)
        try:
            with worker:
                yield worker
        finally:
            with self._lock:
                # Only now, so that the fork does not take the time of the job.
                box.give_back(memory_mb)
                self._room.notify_all()

    def _worker(self, memory_mb: int) -> tuple[_Box, _Worker]:
        """A fresh worker, once its container has room; a container that is gone is started again."""
        self._starter.join()
        with self._lock:
            box = self._running()
            # The kernel would otherwise end a job that is within its own limit, because of its neighbours.
            while not box.has_room(memory_mb):
                self._room.wait()
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

    def _running(self) -> _Box:
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

    def _new_box(self) -> _Box:
        found = engine(self._address)
        reap(found)
        digest = find_image(found)
        way: Way = self._way or ("socket" if found.same_kernel and not found.runtime else "streams")
        try:
            return _Box(found, digest, self._bounds, way)
        except _NotReached:
            return _Box(found, digest, self._bounds, "streams")

    def _succeed(self, spent: _Box) -> None:
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

    def _probe(self, crashed: RunResult) -> None:
        """Raise SandboxDied unless another worker is well: only then is a crash the code's own."""
        job = Job("def closure(source):\n    return [{'well': True}]\n", limits=Limits(memory_mb=64))
        with self._lent(job.limits.memory_mb) as worker:
            result = _Run(worker, job, Broker(None), None, True).result()
        if result.status != "ok":
            text = crashed.fault.message if crashed.fault else "it ended early"
            raise SandboxDied(f"the sandbox is not well: {text}, and a trivial job after it ended as {result.status}")


def create() -> Sandbox:
    """Open the docker sandbox on the usual engine; it starts in the background."""
    return Docker()


class _NotReached(Exception):
    """The container could not be reached by the way that was tried first."""


# ----------------------------------------------------------------------------------------------------- containers


class _Box:
    """One container, and the host's hold on it. Its methods are called under the sandbox's lock."""

    def __init__(self, found: Engine, digest: str, bounds: Bounds, way: Way) -> None:
        self.engine = found
        self.bounds = bounds
        self.memory_mb = min(bounds.memory_mb, int(found.info.get("MemTotal", 0)) * 3 // 4 // 1_048_576)
        self.jobs = 0
        self.in_use = 0
        self.claimed_mb = 0
        self.retired = False
        self.closed = False
        self.ahead = WORKERS_AHEAD
        self.started = time.monotonic()
        self.link: _Link = _SocketLink() if way == "socket" else _StreamsLink(bounds.silence_seconds / 6)
        self.container = ""
        try:
            with engine_errors(found.address):
                self.container = found.api.create_container(**self._recipe(digest, way))["Id"]
                found.api.start(self.container)
            self.link.meet(found, self.container)
            message = self.link.first_word()
        except BaseException:
            self.close()
            raise
        if "ready" not in message:
            self.close()
            if "unavailable" in message:
                raise SandboxUnavailable(f"the docker sandbox cannot be had here; missing: {message['unavailable']}")
            raise SandboxDied(f"the container ended while it started: {message.get('died', 'no reason given')}")
        groups = {"memory": "MemoryLimit", "pids": "PidsLimit", "cpu": "CpuCfsQuota"}
        self.facts: dict[str, object] = {
            **message["ready"],
            "cgroup": [kind for kind, told in groups.items() if found.info.get(told)],
            "container": self.container[:12],
            "image": digest,
            "runtime": found.runtime or str(found.info.get("DefaultRuntime", "")),
            "channel": way,
        }

    def _recipe(self, digest: str, way: Way) -> dict[str, Any]:
        """The container, with everything taken away that can be."""
        from docker.types import Mount, Ulimit

        api = self.engine.api
        settings = {
            "channel": way,
            "path": f"{_MOUNTED}/{_SOCKET}",
            "ahead": WORKERS_AHEAD,
            "silence": self.bounds.silence_seconds,
            "runtime": self.engine.runtime,
        }
        mounts = []
        if isinstance(self.link, _SocketLink):
            mounts = [Mount(_MOUNTED, str(self.link.mounted), type="bind", read_only=True)]
        limits = {"core": 0, "nofile": 256, "memlock": 0, "msgqueue": 0, "fsize": 1_048_576}
        memory = self.memory_mb * 1_048_576
        cpus = min(self.bounds.cpus, float(self.engine.info.get("NCPU", 1)))
        return {
            "image": digest,
            "entrypoint": [],
            "command": [*_PYTHON, f"{_PROGRAM}container.py", json.dumps(settings)],
            "user": f"{NOBODY}:{NOBODY}",
            "environment": _ENVIRONMENT,
            "working_dir": "/",
            "hostname": "sandbox",
            "labels": _labels(),
            "network_disabled": True,
            "stop_signal": "SIGKILL",
            "healthcheck": {"test": ["NONE"]},
            "host_config": api.create_host_config(
                network_mode="none",
                ipc_mode="none",
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=self.bounds.pids,
                mem_limit=memory,
                memswap_limit=memory,
                # An engine that cannot limit this, such as a rootless one may be, would refuse the container.
                nano_cpus=int(cpus * 1e9) if self.engine.info.get("CpuCfsQuota") else None,
                ulimits=[Ulimit(name=name, soft=amount, hard=amount) for name, amount in limits.items()],
                tmpfs={"/tmp": "size=1m,nr_inodes=16,noexec,nosuid,nodev,mode=700"},
                mounts=mounts,
                auto_remove=True,
                init=False,
                log_config={"Type": "none", "Config": {}},
                runtime=self.engine.runtime or None,
            ),
        }

    @property
    def is_spent(self) -> bool:
        """It has done its number of jobs, or is old."""
        return self.jobs >= self.bounds.jobs or time.monotonic() - self.started > self.bounds.minutes * 60

    def renew(self) -> None:
        """Let it go on for a tenth of its time, as no other can be had."""
        self.jobs = self.bounds.jobs * 9 // 10
        self.started = max(self.started, time.monotonic() - self.bounds.minutes * 54)

    def has_room(self, memory_mb: int) -> bool:
        """Whether so much memory is unclaimed. SandboxUnavailable when there never will be."""
        if memory_mb > self.memory_mb - _SPARE_MB:
            raise SandboxUnavailable(
                f"a job of {memory_mb} MiB does not fit the docker sandbox's containers of {self.memory_mb} MiB: "
                "allow the job less, or give the engine more memory"
            )
        return self.claimed_mb + memory_mb <= self.memory_mb - _SPARE_MB

    def worker(self, memory_mb: int) -> _Worker:
        """One of the workers forked ahead. The last of them is replaced at once, others when a job gives one back."""
        worker = self.link.worker()
        self.jobs += 1
        self.in_use += 1
        self.claimed_mb += memory_mb
        self.ahead -= 1
        if self.ahead < 1:
            self._replace()
        return worker

    def give_back(self, memory_mb: int) -> None:
        """A job is over: have workers forked until as many wait as there should be."""
        self.in_use -= 1
        self.claimed_mb -= memory_mb
        if self.retired:
            self.retire()
        elif not self.closed:
            self._replace()

    def _replace(self) -> None:
        missing = WORKERS_AHEAD - self.ahead
        if missing > 0:
            self.link.bear(missing)
            self.ahead += missing

    def retire(self) -> None:
        """Take no more jobs; end with the last one."""
        self.retired = True
        if self.in_use < 1:
            self.let_go()

    def let_go(self) -> None:
        """The zygote ends, and with it everything in the container; the engine takes the rest away."""
        self.closed = True
        self.link.close()
        self.engine.api.close()

    def close(self) -> None:
        """Let go, and wait until the container is gone."""
        if self.closed:
            return
        self.let_go()
        if self.container:
            # An engine that does not answer is no obstacle: the container ends by itself when its host lets go.
            with contextlib.suppress(SandboxUnavailable):
                _remove(self.engine, self.container)
            self.engine.api.close()


def _remove(found: Engine, container: str) -> None:
    """Take a container away, whatever state it is in."""
    from docker.errors import APIError

    with engine_errors(found.address):
        try:
            found.api.remove_container(container, force=True, v=True)
        except APIError as error:
            # 404: gone already; 409: its removal is under way.
            if error.status_code not in (404, 409):
                raise


# ------------------------------------------------------------------------------------------------- what was left behind


def _labels() -> dict[str, str]:
    return {
        LABEL: "zygote",
        f"{LABEL}.machine": _machine(),
        f"{LABEL}.owner": str(os.getpid()),
        f"{LABEL}.owner-started": _start_of(os.getpid()),
        f"{LABEL}.started": str(int(time.time())),
    }


def _machine() -> str:
    """This boot of this machine and its process numbers: only here a number of an owner means anything."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    import uuid

    return f"{uuid.getnode():x}"


def _start_of(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty when there is no such process, or nobody can tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def reap(found: Engine) -> list[str]:
    """Remove the containers and folders that hosts on this machine left when they were killed; the containers' numbers."""
    reaped = []
    with engine_errors(found.address):
        # Where process numbers cannot be looked up, nobody can be told to be dead.
        filters = {"label": [LABEL, f"{LABEL}.machine={_machine()}"]}
        listed = found.api.containers(all=True, filters=filters) if Path("/proc/self/stat").exists() else []
    for one in listed:
        labels = one.get("Labels") or {}
        owner = labels.get(f"{LABEL}.owner", "")
        if owner.isdecimal() and _start_of(int(owner)) != labels.get(f"{LABEL}.owner-started"):
            _remove(found, one["Id"])
            reaped.append(one["Id"])
    _sweep_folders()
    return reaped


def _sweep_folders() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        owner, _, started = folder.name.removeprefix(FOLDER).partition("-")
        if owner.isdecimal() and _start_of(int(owner)) != started.partition("-")[0]:
            shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------------- ways into the container


class _Link(Protocol):
    """How the host and the zygote in the container speak."""

    def meet(self, found: Engine, container: str) -> None:
        """Wait for the zygote of a container that was just started."""
        ...

    def first_word(self) -> dict[str, Any]:
        """What the zygote says once it is ready, or why it cannot be."""
        ...

    def bear(self, number: int) -> None:
        """Have so many workers forked; a zygote that is gone is found out by the next job."""
        ...

    def worker(self) -> _Worker:
        """A worker. SandboxDied when the zygote is gone."""
        ...

    def close(self) -> None:
        """Let go of the zygote."""
        ...


@dataclass(frozen=True)
class _Contained(_Worker):
    """A worker in a container. Only the zygote can end it: its process number means nothing here, and it may be another user's."""

    end: Callable[[], None]

    def kill(self) -> None:
        """End the process, if it has not ended."""
        if not select.select([self.status], [], [], 0)[0]:
            self.end()


class _SocketLink:
    """A socket in a folder of our own that is mounted into the container; workers' channels come as descriptors."""

    def __init__(self) -> None:
        start = f"{FOLDER}{os.getpid()}-{_start_of(os.getpid())}-"
        # Only we can reach into the outer folder; the inner one is all that the container sees.
        self.outer = Path(tempfile.mkdtemp(prefix=start))
        self.mounted = self.outer / "channel"
        self.control: socket | None = None
        self.listener = socket(AF_UNIX, SOCK_SEQPACKET)
        self.sending = threading.Lock()
        try:
            self.mounted.mkdir()
            self.mounted.chmod(0o711)
            self.listener.bind(str(self.mounted / _SOCKET))
            (self.mounted / _SOCKET).chmod(0o666)
            self.listener.listen(1)
        except BaseException:
            self.close()
            raise

    def meet(self, found: Engine, container: str) -> None:
        """Let the zygote in and nobody after it."""
        deadline = time.monotonic() + START_SECONDS
        self.listener.settimeout(0.5)
        while self.control is None:
            try:
                self.control, _ = self.listener.accept()
            except TimeoutError:
                if not _is_running(found, container):
                    raise _NotReached from None
                if time.monotonic() > deadline:
                    raise SandboxDied(f"the container did not start within {START_SECONDS:g} seconds") from None
        self.control.settimeout(START_SECONDS)
        self._forget_folder()

    def first_word(self) -> dict[str, Any]:
        """What the zygote says once it is ready, or why it cannot be."""
        try:
            data = self._held().recv(inside.MESSAGE)
        except TimeoutError:
            raise SandboxDied(f"the container did not start within {START_SECONDS:g} seconds") from None
        except OSError:
            data = b""
        message: dict[str, Any] = json.loads(data) if data else {}
        return message

    def bear(self, number: int) -> None:
        """Have so many workers forked."""
        self._say({"bear": number})

    def worker(self) -> _Worker:
        """A worker that was forked ahead."""
        control = self._held()
        # Workers that a zygote left behind when it was killed are still in the socket, and as dead as it is.
        poll = select.poll()
        poll.register(control, select.POLLHUP)
        if poll.poll(0):
            raise SandboxDied("the container is gone")
        try:
            data, descriptors, _, _ = recv_fds(control, 256, 2)
        except OSError as error:
            raise SandboxDied(f"the container does not answer: {error}") from None
        if len(descriptors) != 2:
            raise SandboxDied("the container is gone")
        number = json.loads(data)["worker"]
        return _Contained(descriptors[0], -1, descriptors[1], lambda: self._say({"kill": number}))

    def _held(self) -> socket:
        if self.control is None:
            raise SandboxDied("the container is gone")
        return self.control

    def _say(self, message: dict[str, int]) -> None:
        with self.sending, contextlib.suppress(OSError):
            if self.control is not None:
                self.control.send(json.dumps(message).encode())

    def _forget_folder(self) -> None:
        self.listener.close()
        shutil.rmtree(self.outer, ignore_errors=True)

    def close(self) -> None:
        """Let go of the zygote."""
        self._forget_folder()
        if self.control is not None:
            self.control.close()


def _is_running(found: Engine, container: str) -> bool:
    from docker.errors import NotFound

    with engine_errors(found.address):
        try:
            return bool(found.api.inspect_container(container)["State"]["Running"])
        except NotFound:
            return False


class _StreamsLink:
    """Relays in the container, each on a stream of the engine: one for what host and zygote say, one for each worker."""

    def __init__(self, beat_seconds: float) -> None:
        self.beat_seconds = beat_seconds
        self.said: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.lanes: SimpleQueue[_Contained | None] = SimpleQueue()
        self.lock = threading.Lock()
        self.told: dict[int, int] = {}
        self.gone = threading.Event()
        self.control: _Stream | None = None
        self.found: Engine | None = None
        self.container = ""

    def meet(self, found: Engine, container: str) -> None:
        """Open the line to the zygote, listen on it, and keep it from falling silent."""
        self.found, self.container = found, container
        self.control = self._stream("control")
        self.control.ours.settimeout(self.beat_seconds)
        for work in (self._listen, self._beat):
            threading.Thread(target=work, name="docker-control", daemon=True).start()

    def _stream(self, kind: str) -> _Stream:
        assert self.found is not None
        return _Stream(self.found, self.container, [*_PYTHON, f"{_PROGRAM}relay.py", kind])

    def first_word(self) -> dict[str, Any]:
        """What the zygote says once it is ready, or why it cannot be."""
        try:
            message = self.said.get(timeout=START_SECONDS)
        except Empty:
            raise SandboxDied(f"the container did not start within {START_SECONDS:g} seconds") from None
        if "ready" in message:
            self._open_lanes(WORKERS_AHEAD)
        return message

    def bear(self, number: int) -> None:
        """Have so many workers forked, and lanes opened for them."""
        self._say({"bear": number})
        self._open_lanes(number)

    def _open_lanes(self, number: int) -> None:
        for _ in range(number):
            threading.Thread(target=self._open_lane, name="docker-lane", daemon=True).start()

    def _open_lane(self) -> None:
        """Have a relay started; whoever waits for a worker gets the one it was given, or nothing."""
        lane: _Contained | None = None
        with contextlib.suppress(SandboxUnavailable, OSError, ValueError, KeyError):
            stream = self._stream("worker")
            try:
                lane = self._contained(int(json.loads(stream.line())["worker"]), stream)
            finally:
                stream.close()
        self.lanes.put(lane)
        if self.gone.is_set():
            self._empty_lanes()

    def _contained(self, number: int, stream: _Stream) -> _Contained:
        heard, told = os.pipe()
        with self.lock:
            if self.gone.is_set():
                os.close(told)
            else:
                self.told[number] = told
        return _Contained(stream.detach(), -1, heard, lambda: self._say({"kill": number}))

    def _empty_lanes(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                lane = self.lanes.get_nowait()
                if lane is not None:
                    with lane:
                        continue

    def worker(self) -> _Worker:
        """A worker that a relay was given."""
        if self.gone.is_set():
            raise SandboxDied("the container is gone")
        try:
            lane = self.lanes.get(timeout=START_SECONDS)
        except Empty:
            raise SandboxDied("the container does not answer") from None
        if lane is None or self.gone.is_set():
            raise SandboxDied("the container is gone")
        return lane

    def _listen(self) -> None:
        """Take what the zygote says: its first word, and how workers ended."""
        control = self.control
        assert control is not None
        with contextlib.suppress(OSError, ValueError):
            while line := self._next_line(control):
                message = json.loads(line)
                if "ended" not in message:
                    self.said.put(message)
                    continue
                number, *use = message["ended"]
                with self.lock:
                    told = self.told.pop(number, None)
                if told is not None:
                    with contextlib.suppress(BrokenPipeError):
                        os.write(told, STATUS.pack(*use))
                    os.close(told)
        self.said.put({})
        with self.lock:
            self.gone.set()
            for told in self.told.values():
                os.close(told)
            self.told.clear()

    def _next_line(self, control: _Stream) -> bytes:
        """What the zygote says next, however long it has nothing to say; empty at its end."""
        while not self.gone.is_set():
            with contextlib.suppress(TimeoutError):
                return control.line()
        return b""

    def _beat(self) -> None:
        while not self.gone.wait(self.beat_seconds):
            self._say({"beat": 1})

    def _say(self, message: dict[str, int]) -> None:
        with self.lock, contextlib.suppress(OSError):
            if self.control is not None:
                self.control.ours.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """Let go of the zygote, and of every stream."""
        if self.control is not None:
            self.control.close()
        self.gone.set()
        self._empty_lanes()


class _Stream:
    """A program that the engine runs in the container, as a socket: what is sent is its input, what is received its output.

    A thread carries the bytes and never stops reading, for an engine whose stream is full cannot even end the container.
    """

    def __init__(self, found: Engine, container: str, command: list[str]) -> None:
        with engine_errors(found.address):
            number = found.api.exec_create(container, command, stdin=True, user=f"{NOBODY}:{NOBODY}", workdir="/")["Id"]
            holder: Any = found.api.exec_start(number, socket=True)
        self.holder = holder
        self.wire: Any = getattr(holder, "_sock", holder)
        self.wire.setblocking(False)
        self.ours, self.theirs = socketpair(AF_UNIX, SOCK_STREAM)
        self.theirs.setblocking(False)
        self.ours.settimeout(START_SECONDS)
        self.kept = b""
        threading.Thread(target=self._carry, name="docker-stream", daemon=True).start()
        # The greeting that the relay waits for.
        self.ours.sendall(b"\n")

    def line(self) -> bytes:
        """The next line of output, without its end; empty when there is no more."""
        while b"\n" not in self.kept:
            data = self.ours.recv(1)
            if not data:
                return b""
            self.kept += data
            if data == b"\n":
                break
        line, self.kept = self.kept[:-1], b""
        return line

    def detach(self) -> int:
        """Our end, as a descriptor of the caller's."""
        return self.ours.detach()

    def close(self) -> None:
        """Let go; the thread ends."""
        with contextlib.suppress(OSError):
            self.ours.close()

    def _carry(self) -> None:
        """Bytes both ways until either end is gone."""
        from ssl import SSLWantReadError, SSLWantWriteError

        later = (BlockingIOError, SSLWantReadError, SSLWantWriteError)
        inwards = b""
        outwards = _Demultiplexed()
        try:
            while True:
                reading = [self.wire] if not outwards.ready else []
                if not inwards:
                    reading.append(self.theirs)
                writing = ([self.wire] if inwards else []) + ([self.theirs] if outwards.ready else [])
                # TLS may hold bytes that the socket no longer shows.
                held = bool(getattr(self.wire, "pending", lambda: 0)()) and not outwards.ready
                readable, writable, _ = select.select(reading, writing, [], 0 if held else None)
                if self.wire in readable or held:
                    with contextlib.suppress(*later):
                        data = self.wire.recv(65_536)
                        if not data:
                            return
                        outwards.feed(data)
                if self.theirs in readable:
                    inwards = self.theirs.recv(65_536)
                    if not inwards:
                        return
                if self.wire in writable:
                    with contextlib.suppress(*later):
                        inwards = inwards[self.wire.send(inwards) :]
                if self.theirs in writable:
                    outwards.taken(self.theirs.send(outwards.ready))
        except (OSError, ValueError):
            return
        finally:
            self.theirs.close()
            with contextlib.suppress(OSError):
                self.wire.close()
            with contextlib.suppress(OSError, AttributeError):
                self.holder.close()


class _Demultiplexed:
    """The standard output in the engine's stream: frames of a kind, a length and bytes; what is not output is dropped."""

    def __init__(self) -> None:
        self.ready = b""
        self._kind = 0
        self._left = 0
        self._kept = b""

    def feed(self, data: bytes) -> None:
        """Take bytes of the stream; `ready` grows by the output in them."""
        data = self._kept + data
        pieces = []
        while data:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                if self._kind == 1:
                    pieces.append(piece)
            elif len(data) < 8:
                break
            else:
                self._kind, self._left = data[0], int.from_bytes(data[4:8], "big")
                data = data[8:]
        self._kept = data
        self.ready = b"".join([self.ready, *pieces])

    def taken(self, size: int) -> None:
        """So many bytes of `ready` have gone on."""
        self.ready = self.ready[size:]
