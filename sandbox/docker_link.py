"""The ways into a container: a socket in a mounted folder, or streams that the engine opens; each gives single-use workers.

A local engine's container is reached over a socket in a folder of its own, the only thing mounted into it. For an engine on
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import AF_UNIX, SOCK_SEQPACKET, SOCK_STREAM, recv_fds, socket, socketpair
from typing import Any, Literal, Protocol

from sandbox.docker_engine import Engine, engine_errors
from sandbox.docker_leftovers import FOLDER, start_of
from sandbox.image_build import HOME
from sandbox.inside import container as inside
from sandbox.inside.zygote import STATUS
from sandbox.job import SandboxDied, SandboxUnavailable
from sandbox.run import START_SECONDS, WORKERS_AHEAD, Worker

NOBODY = 65534
PROGRAM = f"{HOME}/sandbox/inside/"
PYTHON = ["python3", "-s", "-S", "-B", "-P", "-X", "utf8"]
MOUNTED = "/run/tars"
SOCKET = "s"

Way = Literal["socket", "streams"]


class NotReached(Exception):
    """The container could not be reached by the way that was tried first."""


class Link(Protocol):
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

    def worker(self) -> Worker:
        """A worker. SandboxDied when the zygote is gone."""
        ...

    def close(self) -> None:
        """Let go of the zygote."""
        ...


@dataclass(frozen=True)
class Contained(Worker):
    """A worker in a container. Only the zygote can end it: its process number means nothing here, and it may be another user's."""

    end: Callable[[], None]

    def kill(self) -> None:
        """End the process, if it has not ended."""
        poll = select.poll()
        poll.register(self.status, select.POLLIN)
        if not poll.poll(0):
            self.end()


class SocketLink:
    """A socket in a folder of our own that is mounted into the container; workers' channels come as descriptors."""

    def __init__(self) -> None:
        start = f"{FOLDER}{os.getpid()}-{start_of(os.getpid())}-"
        # Only we can reach into the outer folder; the inner one is all that the container sees.
        self.outer = Path(tempfile.mkdtemp(prefix=start))
        self.mounted = self.outer / "channel"
        self.control: socket | None = None
        self.listener = socket(AF_UNIX, SOCK_SEQPACKET)
        self.sending = threading.Lock()
        try:
            self.mounted.mkdir()
            self.mounted.chmod(0o711)
            self.listener.bind(str(self.mounted / SOCKET))
            (self.mounted / SOCKET).chmod(0o666)
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
                if not is_running(found, container):
                    raise NotReached from None
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

    def worker(self) -> Worker:
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
        return Contained(descriptors[0], -1, descriptors[1], lambda: self._say({"kill": number}))

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


def is_running(found: Engine, container: str) -> bool:
    from docker.errors import NotFound

    with engine_errors(found.address):
        try:
            return bool(found.api.inspect_container(container)["State"]["Running"])
        except NotFound:
            return False


class StreamsLink:
    """Relays in the container, each on a stream of the engine: one for what host and zygote say, one for each worker."""

    def __init__(self, beat_seconds: float) -> None:
        self.beat_seconds = beat_seconds
        self.said: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.lanes: SimpleQueue[Contained | None] = SimpleQueue()
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
        return _Stream(self.found, self.container, [*PYTHON, f"{PROGRAM}relay.py", kind])

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
        lane: Contained | None = None
        with contextlib.suppress(SandboxUnavailable, OSError, ValueError, KeyError):
            stream = self._stream("worker")
            try:
                lane = self._contained(int(json.loads(stream.line())["worker"]), stream)
            finally:
                stream.close()
        self.lanes.put(lane)
        if self.gone.is_set():
            self._empty_lanes()

    def _contained(self, number: int, stream: _Stream) -> Contained:
        heard, told = os.pipe()
        with self.lock:
            if self.gone.is_set():
                os.close(told)
            else:
                self.told[number] = told
        return Contained(stream.detach(), -1, heard, lambda: self._say({"kill": number}))

    def _empty_lanes(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                lane = self.lanes.get_nowait()
                if lane is not None:
                    with lane:
                        continue

    def worker(self) -> Worker:
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
        try:
            _carry(self.wire, self.theirs)
        except (OSError, ValueError):
            return
        finally:
            self.theirs.close()
            with contextlib.suppress(OSError):
                self.wire.close()
            with contextlib.suppress(OSError, AttributeError):
                self.holder.close()


def _carry(wire: Any, near: socket) -> None:
    """Bytes between the engine's stream and our own end of it, one piece in hand each way, until one of them is gone."""
    from ssl import SSLWantReadError, SSLWantWriteError

    later = (BlockingIOError, SSLWantReadError, SSLWantWriteError)
    number, near_number = wire.fileno(), near.fileno()
    inwards = b""
    outwards = _Demultiplexed()
    while True:
        wanted = {
            number: (0 if outwards.ready else select.POLLIN) | (select.POLLOUT if inwards else 0),
            near_number: (0 if inwards else select.POLLIN) | (select.POLLOUT if outwards.ready else 0),
        }
        # TLS may hold bytes that the socket no longer shows.
        held = bool(getattr(wire, "pending", lambda: 0)()) and not outwards.ready
        told = _polled(wanted, 0 if held else None)
        # An end that is gone shows as neither: what is tried on it then fails.
        of_wire, of_near = told.get(number, 0), told.get(near_number, 0)
        if held or (of_wire & ~select.POLLOUT and not outwards.ready):
            with contextlib.suppress(*later):
                data = wire.recv(65_536)
                if not data:
                    return
                outwards.feed(data)
        if of_near & ~select.POLLOUT and not inwards:
            inwards = near.recv(65_536)
            if not inwards:
                return
        if inwards and of_wire & ~select.POLLIN:
            try:
                inwards = inwards[wire.send(inwards) :]
            except later:
                pass
            except OSError:
                # Nobody takes it any more; what the other side said before it went is still to be read.
                inwards = b""
        if outwards.ready and of_near & ~select.POLLIN:
            outwards.taken(near.send(outwards.ready))


def _polled(wanted: dict[int, int], seconds: float | None) -> dict[int, int]:
    """What happened on those descriptors of which something is wanted. Unlike select() it takes high numbers."""
    poll = select.poll()
    for number, events in wanted.items():
        if events:
            poll.register(number, events)
    return dict(poll.poll(None if seconds is None else seconds * 1000))


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
