"""The local sandbox: throw-away processes in namespaces of their own on this machine. Linux; needs no root and no service.

The zygote (sandbox/inside/zygote.py) forks workers ahead; this is the host's side, which feeds one worker one job, serves
its calls, enforces every limit on what it reads, and ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket, socketpair
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sandbox import channel as wire
from sandbox.broker import Broker, CallRefused, row_verbs
from sandbox.channel import Channel, ChannelBroken, ChannelClosed, RecordRefused, pack, read_records, unpack
from sandbox.inside import zygote
from sandbox.job import (
    Fault,
    Job,
    Limits,
    Record,
    RunResult,
    RunStopped,
    Sandbox,
    SandboxDied,
    SandboxUnavailable,
    Usage,
)

if TYPE_CHECKING:
    import pyarrow as pa

START_SECONDS = 30.0
EXIT_SECONDS = 5.0
WORKERS_AHEAD = 2
CURSORS = 8

_CONTROL_MESSAGE = 65_536
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]{1,40}(?:/[A-Za-z0-9_+\-]{1,40}){0,3}").fullmatch
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
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
        self._zygote: _Zygote | None = None
        self._problem: SandboxUnavailable | SandboxDied | None = None
        self._starter = threading.Thread(target=self._start, name="sandbox-start", daemon=True)
        self._starter.start()

    def facts(self) -> dict[str, object]:
        """What the sandbox is made of here: Landlock's version, the control groups, the attacks it withstood at its start."""
        return dict(self._running().facts)

    def run(self, job: Job, broker: Broker, sink: Callable[[list[Record]], None] | None = None) -> RunResult:
        """Run the job with `broker` behind its source handle; hand record batches to `sink` as they come, if given."""
        size = len(job.code.encode("utf-8", "replace"))
        if size > job.limits.code_bytes:
            text = f"the code is {size} bytes long; at most {job.limits.code_bytes}"
            return RunResult("limit", fault=Fault("LimitExceeded", text), limit="code_bytes")
        try:
            with self._worker() as worker, broker.stoppable(worker.kill):
                result = _Run(worker, job, broker, sink, self._policy).result()
        finally:
            # Only now, so that the fork does not take the time of the job.
            with self._lock:
                if self._zygote is not None:
                    self._zygote.replace()
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

    def _worker(self) -> _Worker:
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

    def _probe(self, crashed: RunResult) -> None:
        """Raise SandboxDied unless another worker is well: only then is a crash the code's own."""
        job = Job("def closure(source):\n    return [{'well': True}]\n")
        with self._worker() as worker:
            result = _Run(worker, job, Broker(None), None, True).result()
        if result.status != "ok":
            text = crashed.fault.message if crashed.fault else "it ended early"
            raise SandboxDied(f"the sandbox is not well: {text}, and a trivial job after it ended as {result.status}")


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

    def worker(self) -> _Worker:
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
        return _Worker(*descriptors)

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


class _End(NamedTuple):
    """A worker's end: its wait status, and what its job used."""

    status: int
    cpu_ms: float
    memory_mb: float

    @classmethod
    def since(cls, before: tuple[int, int], status: int, cpu: int, memory: int) -> _End:
        """From CPU microseconds and bytes, less what was used before the job."""
        return cls(status, max(0, cpu - before[0]) / 1000, max(0, memory - before[1]) / 1_048_576)


@dataclass(frozen=True)
class _Worker:
    """One single-use process: its channel, a descriptor to end it by, a pipe that will hold its exit status."""

    wire_end: int
    pidfd: int
    status: int

    def __enter__(self) -> _Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever it is doing, and forget it."""
        self.kill()
        for number in (self.wire_end, self.pidfd, self.status):
            with contextlib.suppress(OSError):
                os.close(number)

    def kill(self) -> None:
        """End the process, if it has not ended."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def ended(self, before: tuple[int, int]) -> _End:
        """How it ended and what it used since `before`. Raises SandboxDied when the zygote cannot tell any more."""
        data = b""
        # Not select(), which cannot take the high descriptors of a host with many connections.
        poll = select.poll()
        poll.register(self.status, select.POLLIN)
        if poll.poll(EXIT_SECONDS * 1000):
            data = os.read(self.status, zygote.STATUS.size)
        if len(data) != zygote.STATUS.size:
            raise SandboxDied("the sandbox itself ended, or hangs, in the middle of a run")
        status, cpu, memory = zygote.STATUS.unpack(data)
        return _End.since(before, status, cpu, memory)


class _Ended(Exception):
    """The run is over, in a way that its worker did not choose."""

    def __init__(self, limit: str | None, kind: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit
        self.fault = Fault(kind, message)


class _Run:
    """One job on one worker."""

    def __init__(
        self,
        worker: _Worker,
        job: Job,
        broker: Broker,
        sink: Callable[[list[Record]], None] | None,
        policy: bool,
    ) -> None:
        self.worker = worker
        self.job = job
        self.limits: Limits = job.limits
        self.broker = broker
        self.sink = sink
        self.policy = policy
        self.socket = socket(fileno=os.dup(worker.wire_end))
        self.channel = Channel(self.socket)
        self.started = time.perf_counter()
        self.deadline = time.monotonic() + job.limits.wall_seconds
        self.records: list[Record] = []
        self.count = 0
        self.output_bytes = 0
        self.texts: dict[int, list[bytes]] = {wire.OUT: [], wire.ERR: []}
        self.text_room = {wire.OUT: job.limits.stdout_bytes, wire.ERR: job.limits.stdout_bytes}
        self.cut: set[int] = set()
        self.cursors: dict[int, _Cursor] = {}
        self.before = (0, 0)
        self.last_word: _End | None = None

    def result(self) -> RunResult:
        """Serve the worker until its run is over; what came of it."""
        try:
            status, fault, limit = self._outcome()
        finally:
            self.socket.close()
            for cursor in self.cursors.values():
                cursor.close()
        self.worker.kill()
        # After its last word a worker only ends, or is ended; waiting for that would double the time of a short run. Who
        # ended without a last word has to be asked for.
        ended = self.last_word or self.worker.ended(self.before)
        if status == "crashed":
            status, fault, limit = self._crash(ended)
        return RunResult(
            status,
            () if self.sink else tuple(self.records),
            fault,
            limit,
            self._text(wire.OUT),
            self._text(wire.ERR),
            Usage(
                (time.perf_counter() - self.started) * 1000,
                ended.cpu_ms,
                ended.memory_mb,
                self.count,
                self.output_bytes,
            ),
        )

    def _outcome(self) -> tuple[Literal["ok", "error", "limit", "crashed"], Fault | None, str | None]:
        try:
            self._meet()
            self._send_job()
            while True:
                kind, payload = self._receive()
                if kind == wire.END:
                    self._end(payload)
                    return "ok", None, None
                if kind == wire.FAULT:
                    return self._faulted(payload)
                self._handle(kind, payload)
        except _Ended as ended:
            return "limit" if ended.limit else "error", ended.fault, ended.limit
        except ChannelClosed:
            return "crashed", None, None
        except ChannelBroken as broken:
            return self._broken(broken)

    def _meet(self) -> None:
        """Wait until the worker is confined and warm; what it used for that is not the job's."""
        kind, payload = self._receive()
        if kind != wire.READY or len(payload) != wire.READY_BODY.size:
            raise ChannelBroken("no word that it is ready", kind)
        self.before = wire.READY_BODY.unpack(payload)

    def _send_job(self) -> None:
        limits = self.limits
        try:
            message = pack(
                {
                    "code": self.job.code,
                    "entry": self.job.entry,
                    "parameters": dict(self.job.parameters),
                    "policy": self.policy,
                    "record_bytes": limits.record_bytes,
                    "stdout_bytes": limits.stdout_bytes,
                }
            )
        except (TypeError, ValueError) as error:
            raise _Ended(None, "TypeError", f"a parameter {error.__cause__ or error}") from None
        if len(message) > wire.CONTROL_BYTES:
            raise _Ended(None, "ValueError", f"the parameters are longer than {wire.CONTROL_BYTES} bytes")
        head = wire.JOB_HEAD.pack(max(1, limits.memory_mb), max(1, limits.cpu_seconds))
        self._send(wire.JOB, head + message)

    def _send(self, kind: int, payload: Any = b"") -> None:
        self._arm()
        try:
            self.channel.send(kind, payload)
        except TimeoutError:
            raise self._overtime() from None

    def _receive(self) -> tuple[int, bytearray]:
        self._arm()
        try:
            return self.channel.receive(self._cap)
        except TimeoutError:
            raise self._overtime() from None

    def _arm(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self._overtime()
        self.socket.settimeout(left)

    def _overtime(self) -> _Ended:
        seconds = self.limits.wall_seconds
        return _Ended("wall_seconds", "LimitExceeded", f"the run took longer than {seconds:g} seconds")

    def _cap(self, kind: int) -> int:
        """How long a frame of this kind may be."""
        if kind == wire.RECORDS:
            return self.limits.record_bytes + wire.FLUSH_BYTES
        return wire.CONTROL_BYTES if kind == wire.CALL else 65_536

    def _broken(self, broken: ChannelBroken) -> tuple[Literal["limit", "crashed"], Fault | None, str | None]:
        if broken.kind == wire.RECORDS:
            text = f"record {self.count + 1} or one after it is longer than {self.limits.record_bytes} bytes"
            return "limit", Fault("LimitExceeded", text), "record_bytes"
        return "crashed", Fault("Crashed", f"the process sent what it may not send: {broken}"), None

    def _end(self, payload: bytearray) -> None:
        """Believe in the end only when it fits the records."""
        told = _plain(payload)
        if not isinstance(told, dict) or told.get("records") != self.count:
            raise ChannelBroken("an end that does not fit its records")
        self._note_use(told)

    def _note_use(self, told: dict[str, object]) -> None:
        """What the run used, as its worker tells it with its last word."""
        cpu, memory = told.get("cpu"), told.get("memory")
        if isinstance(cpu, int) and isinstance(memory, int) and 0 <= cpu < 1 << 50 and 0 <= memory < 1 << 50:
            self.last_word = _End.since(self.before, 0, cpu, memory)
        else:
            raise ChannelBroken("an end without what was used")

    def _handle(self, kind: int, payload: bytearray) -> None:
        if kind == wire.RECORDS:
            self._take(payload)
        elif kind == wire.CALL:
            self._call(payload)
        elif kind == wire.NEXT:
            self._next(_plain(payload))
        elif kind == wire.DROP:
            cursor = self.cursors.pop(_number(payload), None)
            if cursor is not None:
                cursor.close()
        elif kind in self.texts:
            self._keep_text(kind, payload)
        elif kind == wire.ZONE:
            self._send(wire.ZONE_DATA, zone_data(bytes(payload).decode("ascii", "replace")))
        else:
            raise ChannelBroken(f"a frame of unknown kind {kind}", kind)

    def _take(self, payload: bytearray) -> None:
        self.output_bytes += len(payload)
        if self.output_bytes > self.limits.output_bytes:
            text = f"the records are longer than {self.limits.output_bytes} bytes in all"
            raise _Ended("output_bytes", "LimitExceeded", text)
        limits = self.limits
        try:
            batch = read_records(
                payload,
                self.count + 1,
                records_left=limits.records - self.count,
                record_bytes=limits.record_bytes,
                depth=limits.depth,
            )
        except RecordRefused as refused:
            raise _Ended(refused.limit, "LimitExceeded" if refused.limit else "RecordRefused", str(refused)) from None
        self.count += len(batch)
        if self.sink is not None:
            self.sink(batch)
        else:
            self.records += batch

    def _keep_text(self, kind: int, payload: bytearray) -> None:
        room = self.text_room[kind]
        if len(payload) > room:
            self.cut.add(kind)
        if room > 0:
            self.texts[kind].append(bytes(payload[:room]))
            self.text_room[kind] = room - len(payload)

    def _text(self, kind: int) -> str:
        text = b"".join(self.texts[kind]).decode("utf-8", "replace")
        return f"{text}\n… [cut after {self.limits.stdout_bytes} bytes]" if kind in self.cut else text

    def _call(self, payload: bytearray) -> None:
        message = _plain(payload)
        if not (isinstance(message, list) and len(message) == 4):
            raise ChannelBroken("a call that is none")
        number, verb, args, keywords = message
        if not (
            isinstance(number, int) and isinstance(verb, str) and isinstance(args, list) and isinstance(keywords, dict)
        ):
            raise ChannelBroken("a call that is none")
        if len(self.cursors) >= CURSORS:
            self._refuse("limit", f"more than {CURSORS} answers are being read at once")
            return
        try:
            self.cursors[number] = _Cursor(self.broker.answer(verb, args, keywords), verb in row_verbs())
        except CallRefused as refusal:
            self._refuse(refusal.code, refusal.message)
            return
        self._next(number)

    def _next(self, number: object) -> None:
        cursor = self.cursors.get(number) if isinstance(number, int) else None
        if cursor is None:
            self._send(wire.DONE)
            return
        try:
            frames = cursor.frames()
        except CallRefused as refusal:
            del self.cursors[number]  # type: ignore[arg-type]  # an int, as found above
            self._refuse(refusal.code, refusal.message)
            return
        if cursor.done:
            del self.cursors[number]  # type: ignore[arg-type]  # as above
        for kind, payload in frames or [(wire.DONE, b"")]:
            self._send(kind, payload)

    def _refuse(self, code: str, message: str) -> None:
        self._send(wire.REFUSED, pack([code, message]))

    def _faulted(self, payload: bytearray) -> tuple[Literal["error", "limit"], Fault, str | None]:
        """The closure's own account of how it failed: believed as to itself, bounded and made printable."""
        told = _plain(payload)
        if not isinstance(told, dict):
            raise ChannelBroken("a fault that is none")
        self._note_use(told)
        line = told.get("line")
        fault = Fault(
            _printable(told.get("type"), 200) or "Exception",
            _printable(told.get("message"), 2_000),
            line if isinstance(line, int) and 0 < line < 1_000_000 else None,
        )
        if fault.type == "MemoryError":
            text = f"the run needed more than {self.limits.memory_mb} MiB of memory"
            return "limit", replace(fault, message=text), "memory_mb"
        limit = told.get("limit")
        if isinstance(limit, str) and limit in Limits.__dataclass_fields__:
            return "limit", replace(fault, type="LimitExceeded"), limit
        return "error", fault, None

    def _crash(self, ended: _End) -> tuple[Literal["limit", "crashed"], Fault, str | None]:
        """What ended a process that did not say goodbye."""
        if os.WIFSIGNALED(ended.status):
            number = os.WTERMSIG(ended.status)
            if number == signal.SIGXCPU or (
                number == signal.SIGKILL and ended.cpu_ms >= self.limits.cpu_seconds * 1000
            ):
                text = f"the run used more than {self.limits.cpu_seconds} seconds of CPU time"
                return "limit", Fault("LimitExceeded", text), "cpu_seconds"
            if ended.memory_mb >= self.limits.memory_mb * 0.9:
                text = f"the run needed more than {self.limits.memory_mb} MiB of memory"
                return "limit", Fault("LimitExceeded", text), "memory_mb"
        return "crashed", Fault("Crashed", f"the process ended before the closure did{_how(ended)}"), None


class _Cursor:
    """One answer that is being read: frames, one batch at a time."""

    def __init__(self, batches: Iterator[Any], rows: bool) -> None:
        self.batches = batches
        self.rows = rows
        self.done = False
        self.schema: pa.Schema | None = None
        self.waiting: list[tuple[int, Any]] = []

    def frames(self) -> list[tuple[int, Any]]:
        """The next batch as frames; empty at the end. Raises CallRefused."""
        if not self.waiting:
            batch = next(self.batches, None)
            if batch is None:
                self.done = True
                return []
            if not self.rows:
                # A single value: the call is over, and its log is written, before the closure goes on.
                next(self.batches, None)
                self.done = True
            self.waiting = self._framed(batch)
        frames = [self.waiting.pop(0)]
        if frames[0][0] == wire.SCHEMA:
            frames.append(self.waiting.pop(0))
        return frames

    def _framed(self, batch: Any) -> list[tuple[int, Any]]:
        if not isinstance(batch, list):
            self.schema, frames = wire.arrow_frames(batch, self.schema)
            return frames
        try:
            message = pack(batch)
        except (TypeError, ValueError) as error:
            raise CallRefused("failed", f"the answer cannot be passed on: a value {error.__cause__ or error}") from None
        if len(message) <= wire.ANSWER_BYTES:
            return [(wire.VALUES, message)]
        if not self.rows or len(batch) < 2:
            raise CallRefused("limit", f"one value of the answer is longer than {wire.ANSWER_BYTES} bytes")
        half = len(batch) // 2
        return self._framed(batch[:half]) + self._framed(batch[half:])

    def close(self) -> None:
        """Stop reading; the capability gives back what it holds."""
        close = getattr(self.batches, "close", None)
        if callable(close):
            close()


def _plain(payload: bytearray) -> Any:
    try:
        return unpack(payload)
    except Exception:  # whatever a decoder may find wrong with hostile bytes
        raise ChannelBroken("bytes that are no message") from None


def _number(payload: bytearray) -> int:
    number = _plain(payload)
    return number if isinstance(number, int) else -1


def _printable(value: object, length: int) -> str:
    text = value if isinstance(value, str) else ""
    return _CONTROL_CHARACTERS.sub(lambda found: f"\\x{ord(found.group()):02x}", text[:length])


def _how(ended: _End) -> str:
    if os.WIFSIGNALED(ended.status):
        number = os.WTERMSIG(ended.status)
        return f" (ended by signal {number}, {signal.strsignal(number) or 'unknown'})"
    return f" (exit code {os.waitstatus_to_exitcode(ended.status)})"


@lru_cache(maxsize=1_024)
def zone_data(name: str) -> bytes:
    """The compiled data of a time zone, empty when there is none; for the empty name, the names of all, one a line."""
    import zoneinfo

    if not name:
        return "\n".join(sorted(zoneinfo.available_timezones())).encode()
    if not _ZONE_NAME(name):
        return b""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, *name.split("/"))
        if path.is_file():
            data = path.read_bytes()
            return data if data.startswith(b"TZif") else b""
    return _packaged_zone(name.split("/"))


def _packaged_zone(parts: Sequence[str]) -> bytes:
    """The same from the tzdata package, where it is installed."""
    from importlib import resources

    try:
        data = resources.files("tzdata.zoneinfo").joinpath(*parts).read_bytes()
    except (ImportError, OSError):
        return b""
    return data if data.startswith(b"TZif") else b""
