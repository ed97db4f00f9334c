"""One job on one worker: the host's side, which serves the calls, enforces every limit on what it reads, and says how it ended.

The same for every sandbox whose workers speak the channel's language (sandbox/channel.py), wherever they run.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from socket import socket
from types import TracebackType
from typing import Any, Literal, NamedTuple

from sandbox import channel as wire
from sandbox.answers import Cursor
from sandbox.broker import Broker, CallRefused, row_verbs
from sandbox.channel import Channel, ChannelBroken, ChannelClosed, RecordRefused, pack, read_records, unpack
from sandbox.inside.zygote import STATUS
from sandbox.job import Fault, Job, Limits, Record, RunResult, RunStopped, SandboxDied, Usage
from sandbox.zones import zone_data

START_SECONDS = 30.0
EXIT_SECONDS = 5.0
WORKERS_AHEAD = 2
LOOK_SECONDS = 0.25
"""How soon a run that waits for room finds out that it was stopped."""
CURSORS = 8
CALL_BYTES = 64 * 1_048_576
CALLS_TOO_MANY = 100
"""How often a closure may ask on after its last granted call was refused, before that ends its run."""

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WELL = Job("def closure(source):\n    return [{'well': True}]\n", limits=Limits(memory_mb=64))

Sink = Callable[[list[Record]], None]
"""What takes record batches as they come."""


def run_job(lend: Lend, job: Job, broker: Broker, sink: Sink | None, policy: bool) -> RunResult:
    """Run the job on a worker that is lent for it, with `broker` behind its source handle.

    Raises RunStopped when the broker's caller ended it, and SandboxDied when it is the sandbox that broke: a crash is the
    code's own only when another worker is well after it. With `policy` false the policy's compiler is skipped.
    """
    size = len(job.code.encode("utf-8", "replace"))
    if size > job.limits.code_bytes:
        text = f"the code is {size} bytes long; at most {job.limits.code_bytes}"
        return RunResult("limit", fault=Fault("LimitExceeded", text), limit="code_bytes")
    with lend(job.limits, lambda: broker.stopped) as worker, broker.stoppable(worker.kill):
        result = Run(worker, job, broker, sink, policy).result()
    if result.status == "crashed":
        if broker.stopped:
            raise RunStopped("the run was stopped")
        _prove_well(lend, result)
    return result


def _prove_well(lend: Lend, crashed: RunResult) -> None:
    with lend(_WELL.limits, lambda: False) as worker:
        result = Run(worker, _WELL, Broker(None), None, True).result()
    if result.status != "ok":
        text = crashed.fault.message if crashed.fault else "it ended early"
        raise SandboxDied(f"the sandbox is not well: {text}, and a trivial job after it ended as {result.status}")


class End(NamedTuple):
    """A worker's end: its wait status, and what its job used."""

    status: int
    cpu_ms: float
    memory_mb: float

    @classmethod
    def since(cls, before: tuple[int, int], status: int, cpu: int, memory: int) -> End:
        """From CPU microseconds and bytes, less what was used before the job."""
        return cls(status, max(0, cpu - before[0]) / 1000, max(0, memory - before[1]) / 1_048_576)


@dataclass(frozen=True)
class Worker:
    """One single-use process: its channel, a descriptor to end it by, a pipe that will hold its exit status."""

    wire_end: int
    pidfd: int
    status: int

    def __enter__(self) -> Worker:
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

    def ended(self, before: tuple[int, int]) -> End:
        """How it ended and what it used since `before`. Raises SandboxDied when the zygote cannot tell any more."""
        data = b""
        # Not select(), which cannot take the high descriptors of a host with many connections.
        poll = select.poll()
        poll.register(self.status, select.POLLIN)
        if poll.poll(EXIT_SECONDS * 1000):
            data = os.read(self.status, STATUS.size)
        if len(data) != STATUS.size:
            raise SandboxDied("the sandbox itself ended, or hangs, in the middle of a run")
        status, cpu, memory = STATUS.unpack(data)
        return End.since(before, status, cpu, memory)


Lend = Callable[[Limits, Callable[[], bool]], AbstractContextManager[Worker]]
"""Gives a fresh worker for a job with these limits; it ends with the block. Raises SandboxUnavailable or SandboxDied, and
RunStopped when there was no room yet and the function tells that nobody waits for it any more."""


class _Ended(Exception):
    """The run is over, in a way that its worker did not choose."""

    def __init__(self, limit: str | None, kind: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit
        self.fault = Fault(kind, message)


class _Timed:
    """A socket that is told before each piece how long it may still take: who drips bytes gains no time."""

    def __init__(self, wire: socket, arm: Callable[[], None]) -> None:
        self._wire = wire
        self._arm = arm

    def recv_into(self, view: memoryview) -> int:
        """As a socket does."""
        self._arm()
        return self._wire.recv_into(view)

    def sendall(self, data: Any) -> None:
        """As a socket does; its time-out is for all of the data."""
        self._arm()
        self._wire.sendall(data)

    def close(self) -> None:
        """As a socket does."""
        self._wire.close()


class Run:
    """One job on one worker."""

    def __init__(
        self,
        worker: Worker,
        job: Job,
        broker: Broker,
        sink: Sink | None,
        policy: bool,
    ) -> None:
        self.worker = worker
        self.job = job
        self.limits: Limits = job.limits
        self.broker = broker
        self.sink = sink
        self.policy = policy
        self.socket = socket(fileno=os.dup(worker.wire_end))
        self.channel = Channel(_Timed(self.socket, self._arm))
        self.started = time.perf_counter()
        self.deadline = time.monotonic() + job.limits.wall_seconds
        self.records: list[Record] = []
        self.count = 0
        self.output_bytes = 0
        self.call_bytes = 0
        self.texts: dict[int, list[bytes]] = {wire.OUT: [], wire.ERR: []}
        self.text_room = {wire.OUT: job.limits.stdout_bytes, wire.ERR: job.limits.stdout_bytes}
        self.cut: set[int] = set()
        self.cursors: dict[int, Cursor] = {}
        self.before = (0, 0)
        self.last_word: End | None = None

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
        if status == "crashed" and fault is None:
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
        try:
            self.channel.send(kind, payload)
        except TimeoutError:
            raise self._overtime() from None

    def _receive(self) -> tuple[int, bytearray]:
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
        if broken.kind == wire.CALL and broken.size:
            text = f"the arguments of a call are longer than {wire.CONTROL_BYTES} bytes"
            return "limit", Fault("LimitExceeded", text), "calls"
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
            self.last_word = End.since(self.before, 0, cpu, memory)
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
        # The broker writes every call down, refused ones too.
        self.call_bytes += len(payload)
        if self.call_bytes > CALL_BYTES:
            raise _Ended("calls", "LimitExceeded", f"the calls are longer than {CALL_BYTES} bytes in all")
        granted = self.broker.grant.calls
        if self.broker.meter.calls > granted + CALLS_TOO_MANY:
            raise _Ended("calls", "LimitExceeded", f"more than {granted} calls in one run, and asked on")
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
            self.cursors[number] = Cursor(self.broker.answer(verb, args, keywords), verb in row_verbs())
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
        if fault.type == "SourceError" and self.broker.meter.breached:
            return "limit", replace(fault, type="LimitExceeded"), self.broker.meter.breached
        limit = told.get("limit")
        if isinstance(limit, str) and limit in Limits.__dataclass_fields__:
            return "limit", replace(fault, type="LimitExceeded"), limit
        return "error", fault, None

    def _crash(self, ended: End) -> tuple[Literal["limit", "crashed"], Fault, str | None]:
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


def _how(ended: End) -> str:
    if os.WIFSIGNALED(ended.status):
        number = os.WTERMSIG(ended.status)
        return f" (ended by signal {number}, {signal.strsignal(number) or 'unknown'})"
    return f" (exit code {os.waitstatus_to_exitcode(ended.status)})"
