"""This file is the policy asked in a process of its own: hostile code is never even parsed inside the service.

`Checker` is the service's side; run as a program the file is the other side, which reads requests from standard input.
"""

from __future__ import annotations

import json
import os
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from sandbox.finding import Finding

SECONDS = 5.0
MEMORY_MB = 512
ANSWER_BYTES = 1_048_576

_LENGTH = struct.Struct(">I")


class Checker:
    """Asks one child at a time; a child that dies or takes too long is replaced, and its code is refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """The child's process number; None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def findings_of(self, code: str, entry: str) -> tuple[Finding, ...]:
        """What the policy holds against the code; empty when it may run."""
        request = json.dumps([code, entry]).encode()
        with self._lock:
            if self._closed:
                raise RuntimeError("the checker was closed")
            child = self._child or _started()
            self._child = child
            try:
                return _asked(child, request)
            except (OSError, EOFError, TimeoutError):
                self._end()
        text = "the code could not be checked within the time and memory there is for that"
        return (Finding("policy", "too-costly", text, hint="Write it shorter and flatter."),)

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._closed = True
            self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    stream.close()


def _started() -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-s", "-B", "-P", "-X", "utf8", "-m", "sandbox.service.checker"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        arguments,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    )


def _asked(child: subprocess.Popen[bytes], request: bytes) -> tuple[Finding, ...]:
    """One question and its answer. EOFError, OSError or TimeoutError when the child does not answer properly."""
    if child.stdin is None or child.stdout is None:
        raise EOFError
    deadline = time.monotonic() + SECONDS
    _write(child.stdin.fileno(), _LENGTH.pack(len(request)) + request, deadline)
    (size,) = _LENGTH.unpack(_exactly(child.stdout.fileno(), _LENGTH.size, deadline))
    if size > ANSWER_BYTES:
        raise EOFError
    return tuple(Finding(**one) for one in json.loads(_exactly(child.stdout.fileno(), size, deadline)))


def _write(number: int, data: bytes, deadline: float) -> None:
    os.set_blocking(number, False)
    view = memoryview(data)
    while view:
        _wait(number, select.POLLOUT, deadline)
        view = view[os.write(number, view) :]


def _wait(number: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(number, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _exactly(number: int, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        _wait(number, select.POLLIN, deadline)
        got = os.read(number, size - len(data))
        if not got:
            raise EOFError
        data += got
    return data


def main() -> None:
    """Answer requests until standard input ends."""
    from sandbox.policy import findings_of

    findings_of("def closure(source):\n    yield {}\n")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB * 1_048_576,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    reading, writing = sys.stdin.buffer, sys.stdout.buffer
    while head := reading.read(_LENGTH.size):
        code, entry = json.loads(reading.read(_LENGTH.unpack(head)[0]))
        answer = json.dumps([asdict(finding) for finding in findings_of(code, entry)]).encode()
        writing.write(_LENGTH.pack(len(answer)) + answer)
        writing.flush()


if __name__ == "__main__":
    main()
