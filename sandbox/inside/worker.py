"""The worker: a process that is forked ahead, confined, runs one closure and ends."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import io
import mmap
import os
import resource
import signal
import socket as sockets
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from socket import socket
from time import monotonic
from typing import Any, NoReturn

from sandbox import channel as wire
from sandbox.channel import Channel, ChannelClosed, RecordRefused, pack, pack_records, records_frame, unpack
from sandbox.inside import guards, handle, kernel, modules
from sandbox.inside.outbox import Outbox
from sandbox.inside.query import Engine
from sandbox.policy import PolicyRefused, compile_closure
from sandbox.policy_rules import FILENAME

CHANNEL = 3
MEBIBYTE = 1_048_576
MESSAGE_LENGTH = 2_000

_PRINTED_BYTES = 8_192

_ENCODINGS = (
    "ascii latin_1 utf_8 utf_8_sig utf_7 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be cp1250 cp1251 cp1252 cp1253 "
    "cp1254 cp1257 cp437 cp850 cp852 cp866 iso8859_2 iso8859_5 iso8859_7 iso8859_9 iso8859_15 koi8_r mac_roman gb18030 gbk "
    "big5 shift_jis cp932 euc_jp euc_kr idna punycode unicode_escape raw_unicode_escape charmap hex_codec base64_codec"
)


class Kit:
    """All that a worker needs, made once before the fork."""

    def __init__(self, base_bytes: int) -> None:
        self.engine = Engine()
        self.engine.warm()
        modules.preload()
        for name in _ENCODINGS.split():
            "".encode(name) if not name.endswith("_codec") else importlib.import_module(f"encodings.{name}")
        for name in ("traceback", "linecache", "_strptime", "zoneinfo", "zoneinfo._common"):
            importlib.import_module(name)
        _exercise()
        self.filter = kernel.Filter(CHANNEL)
        # Given back to a closure that ran out of memory, so that it can still say so.
        self.ballast = bytearray(4 * MEBIBYTE)
        self.base_bytes = base_bytes


def _exercise() -> None:
    """Run one ordinary closure's way through compiler and guards, so that what they load late is loaded."""
    code = "def closure(source, *, at=None):\n    for row in source:\n        yield {'a': row['a'], 'b': f\"{row['a']:.2f}\"}\n"
    space = guards.namespace({})
    exec(compile_closure(code), space)
    unpack(records_frame(pack_records(list(space["closure"]([{"a": 1}])), 1, MEBIBYTE)))


def enter(kit: Kit, wire_end: socket) -> NoReturn:
    """Be the worker: keep the channel only, be confined, wait for one job, run it, end."""
    try:
        os.dup2(wire_end.fileno(), CHANNEL)
        for number in range(CHANNEL):
            os.close(number)
        kernel.close_from(CHANNEL + 1)
        wire_end.detach()
        channel = Channel(socket(fileno=CHANNEL))
        kernel.limit_ahead(CHANNEL + 1)
        kit.filter.put_on()
        # What a first run touches is copied now, while nobody waits for it.
        _exercise()
        try:
            channel.send(wire.READY, wire.READY_BODY.pack(*_used()))
            _, payload = channel.receive(lambda _kind: 2 * wire.CONTROL_BYTES)
        except ChannelClosed:
            os._exit(0)
        memory_mb, cpu_seconds = wire.JOB_HEAD.unpack_from(payload)
        kernel.limit(kit.base_bytes + memory_mb * MEBIBYTE, cpu_seconds)
        _Run(kit, channel, memory_mb).serve(unpack(memoryview(payload)[wire.JOB_HEAD.size :]))
    except BaseException:
        os._exit(70)
    os._exit(0)


class _Run:
    """One closure's run: its records, its output and how it ended, told over the channel."""

    def __init__(self, kit: Kit, channel: Channel, memory_mb: int) -> None:
        self.kit = kit
        self.channel = channel
        self.caller = handle.Caller(channel)
        self.outbox = Outbox(channel, 0)
        kit.engine.limit(max(memory_mb * 3 // 4, 16))
        _serve_zones(self.caller)

    def serve(self, job: Mapping[str, Any]) -> None:
        """Run the job to its end frame or its fault frame."""
        sys.stdout = _Captured(self.channel, wire.OUT, job["stdout_bytes"])
        sys.stderr = _Captured(self.channel, wire.ERR, job["stdout_bytes"])
        self.outbox.record_bytes = job["record_bytes"]
        try:
            self.outbox.deliver(_records_of(self._call(job)))
        except ChannelClosed:
            os._exit(0)
        except RecordRefused as refused:
            self._fault({"type": "RecordRefused", "message": str(refused), "line": None, "limit": refused.limit})
        except BaseException as error:
            self._fail(error)
        else:
            self._captured()
            cpu, memory = _used()
            self.channel.send(wire.END, pack({"records": self.outbox.taken, "cpu": cpu, "memory": memory}))

    def _call(self, job: Mapping[str, Any]) -> object:
        if job["policy"]:
            code = compile_closure(job["code"], job["entry"])
            space = guards.namespace({"query": self.kit.engine.query, "SourceError": handle.SourceError})
        else:
            code = compile(job["code"], FILENAME, "exec")
            space = {"query": self.kit.engine.query, "SourceError": handle.SourceError, "__name__": "closure"}
        exec(code, space)
        function = space.get(job["entry"])
        if not callable(function):
            raise TypeError(f"the code defines no function {job['entry']}")
        return function(handle.handle(self.caller), **job["parameters"])

    def _fail(self, error: BaseException) -> None:
        """Tell how the closure failed, after the records it had already given."""
        # Arrow's and others' own kinds of it are the same to the host.
        kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
        line = line_of(error)
        error.__traceback__ = None
        if isinstance(error, MemoryError):
            self.kit.ballast = bytearray()
            self.outbox.forget()
        message = _message(error)
        with contextlib.suppress(RecordRefused, MemoryError):
            self.outbox.flush()
        self._captured()
        self._fault({"type": kind, "message": message, "line": line, "limit": _limit_of(error)})

    def _fault(self, fault: dict[str, object]) -> None:
        self._captured()
        cpu, memory = _used()
        self.channel.send(wire.FAULT, pack({**fault, "cpu": cpu, "memory": memory}))

    def _captured(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, _Captured):
                stream.flush()


def _limit_of(error: BaseException) -> str | None:
    """The limit that the kernel's answer stands for: of what a closure may have none (kernel.py)."""
    if isinstance(error, BlockingIOError):
        return "processes"
    if isinstance(error, RuntimeError) and error.args == ("can't start new thread",):
        return "threads"
    return "files" if isinstance(error, OSError) and error.errno == errno.EMFILE else None


def _used() -> tuple[int, int]:
    """CPU microseconds and bytes of the largest resident size so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int((used.ru_utime + used.ru_stime) * 1_000_000), used.ru_maxrss * 1024


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return str(error.msg)[:MESSAGE_LENGTH]
    try:
        text = str(error)
    except BaseException:  # a closure's own exception may fail at this as well
        text = ""
    return text[:MESSAGE_LENGTH].encode("utf-8", "replace").decode()


def line_of(error: BaseException) -> int | None:
    """The innermost line of the closure's own code that the exception came through."""
    if isinstance(error, PolicyRefused):
        return error.findings[0].line
    if isinstance(error, SyntaxError):
        return error.lineno
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    # A StopIteration in a generator comes out as another exception that never saw the closure's frame.
    return line_of(error.__cause__) if line is None and error.__cause__ is not None else line


def _records_of(result: object) -> Iterator[Any]:
    """The records of whatever shape of closure it was: generator, iterable, coroutine or asynchronous generator."""
    if isinstance(result, types.CoroutineType):
        return _records_of(_awaited(result))
    if isinstance(result, types.AsyncGeneratorType):
        return _drawn(result)
    if result is None:
        raise TypeError("the closure returned nothing; it has to yield its records or return a list of them")
    if isinstance(result, (dict, str, bytes)) or not isinstance(result, Iterable):
        raise TypeError(
            f"the closure returned a {type(result).__name__}; it has to yield dicts or return a list of them"
        )
    return iter(result)


def _drawn(records: types.AsyncGeneratorType[Any, None]) -> Iterator[Any]:
    while True:
        try:
            record = _awaited(records.__anext__())
        except StopAsyncIteration:
            return
        yield record


def _awaited(waiting: Any) -> Any:
    """Run a coroutine to its end. It can wait for nothing but the source, which answers before it returns."""
    try:
        waiting.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("the closure awaits something that does not come from its source")


class _Captured(io.TextIOBase):
    """Standard output as data: sent on up to a number of bytes, the rest counted and dropped."""

    def __init__(self, channel: Channel, kind: int, room: int) -> None:
        self._channel = channel
        self._kind = kind
        self._room = room
        self._held = bytearray()
        self._due = 0.0

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep the text, as far as there is room."""
        if not isinstance(text, str):
            raise TypeError("only text can be printed")
        if self._room >= 0:
            # One byte too many is sent on purpose: it tells the host that something was cut.
            data = text[: self._room + 1].encode("utf-8", "replace")[: self._room + 1]
            self._held += data
            self._room -= len(data)
            if len(self._held) > _PRINTED_BYTES or self._room < 0 or (data.endswith(b"\n") and monotonic() > self._due):
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send on what is kept."""
        for start in range(0, len(self._held), _PRINTED_BYTES):
            self._channel.send(self._kind, self._held[start : start + _PRINTED_BYTES])
        self._held = bytearray()
        self._due = monotonic() + wire.FLUSH_SECONDS


def _serve_zones(caller: handle.Caller) -> None:
    """Let `zoneinfo` find its data on the host, for there are no files here."""
    import zoneinfo

    def load(key: str) -> io.BytesIO:
        data = caller.zone(key)
        if not data:
            raise zoneinfo.ZoneInfoNotFoundError(f"no time zone found with key {key}")
        return io.BytesIO(data)

    def available() -> set[str]:
        return set(caller.zone("").decode().split())

    common: Any = sys.modules["zoneinfo._common"]
    common.load_tzdata = load
    whole: Any = zoneinfo
    whole.available_timezones = available


Probe = Callable[[], object]


def attacks() -> dict[str, Probe]:
    """What a worker must not be able to do, each as something that raises when the wall holds."""
    libc = ctypes.CDLL(None, use_errno=True)

    def called(result: int) -> None:
        if result < 0:
            raise OSError(ctypes.get_errno(), "refused")

    def children() -> None:
        if os.fork() == 0:
            os._exit(0)

    def executable() -> None:
        libc.mmap.restype = ctypes.c_long
        called(libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0)))

    def memory() -> None:
        mmap.mmap(-1, 1 << 40)

    def environment() -> None:
        if not os.environ:
            raise LookupError("empty")

    def inherited() -> None:
        os.read(0, 1)

    return {
        "read a file": lambda: open("/etc/passwd").close(),
        "list the root": lambda: os.listdir("/"),
        "see processes": lambda: open("/proc/self/status").close(),
        "write a file": lambda: open("/x", "w").close(),
        "open a socket": lambda: sockets.socket().close(),
        "make a socket pair": lambda: sockets.socketpair(),
        "fork": children,
        "run a program": lambda: os.execv("/bin/sh", ["sh"]),
        "signal its parent": lambda: os.kill(1, signal.SIGTERM),
        "trace a process": lambda: called(libc.ptrace(16, 1, 0, 0)),
        "make memory executable": executable,
        "take a terabyte": memory,
        "become root": lambda: os.setuid(0),
        "leave its namespaces": lambda: called(libc.unshare(0x10000000)),
        "mount": lambda: called(libc.mount(b"t", b"/", b"tmpfs", 0, None)),
        "read the environment": environment,
        "use an inherited descriptor": inherited,
    }


def self_check(kit: Kit, report: int) -> NoReturn:
    """Be confined as for a job, try every attack, and write down which of them got through, then end."""
    names: list[str] = []
    os.dup2(report, CHANNEL)
    try:
        probes = attacks()
        for number in range(CHANNEL):
            os.close(number)
        kernel.close_from(CHANNEL + 1)
        kernel.limit_ahead(CHANNEL + 1)
        kit.filter.put_on()
        kernel.limit(kit.base_bytes + 64 * MEBIBYTE, 5)
        for name, probe in probes.items():
            try:
                probe()
            except (OSError, LookupError, MemoryError, ValueError):
                continue
            names.append(name)
        os.write(CHANNEL, ("\n".join([str(len(probes)), *names]) + "\n").encode())
    except BaseException as error:
        os.write(CHANNEL, f"0\n{type(error).__name__}: {error}\n".encode())
    os._exit(0)
