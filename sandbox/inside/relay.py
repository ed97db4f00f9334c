"""The relay: carries the bytes of one channel between the engine's streams and the zygote in the same container.

Used only where host and container do not share a kernel, so that no descriptor can be handed over. Standard library only:
it has to start fast. It says nothing before the host has, because an engine's client may lose what comes too early.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, SOCK_SEQPACKET, recv_fds, socket
from time import monotonic, sleep
from typing import NoReturn

_CHUNK = 65_536


def main() -> NoReturn:
    """Join the zygote as the host's line to it (`control`), or as the lane of one worker (`worker`)."""
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from sandbox.inside.container import CONNECT_SECONDS, DOOR

    os.read(0, 1)
    kind = sys.argv[1].encode()
    lane = socket(AF_UNIX, SOCK_SEQPACKET)
    deadline = monotonic() + CONNECT_SECONDS
    while True:
        try:
            lane.connect(DOOR)
            break
        except ConnectionRefusedError:
            if monotonic() > deadline:
                os._exit(1)
            sleep(0.01)
    lane.send(kind)
    if kind == b"control":
        carry_lines(lane)
    message, descriptors, _, _ = recv_fds(lane, _CHUNK, 1)
    if not descriptors:
        os._exit(1)
    os.write(1, message + b"\n")
    carry_bytes(lane, socket(fileno=descriptors[0]))


def carry_lines(lane: socket) -> NoReturn:
    """A line from the host is a message to the zygote, and the other way round, until one of them is gone."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(lane, select.POLLIN)
    kept = b""
    while True:
        for number, _ in poll.poll():
            data = os.read(0, _CHUNK) if number == 0 else lane.recv(_CHUNK)
            if not data:
                os._exit(0)
            if number == 0:
                *lines, kept = (kept + data).split(b"\n")
                for line in lines:
                    lane.send(line)
            else:
                os.write(1, data + b"\n")


def carry_bytes(lane: socket, worker: socket) -> NoReturn:
    """Bytes both ways, one piece in hand each way; ends when the worker's end is read out or the zygote says so."""
    for number in (0, 1, worker.fileno()):
        os.set_blocking(number, False)
    inwards = outwards = b""
    listening = True
    while True:
        wanted = {lane.fileno(): select.POLLIN}
        if listening and not inwards:
            wanted[0] = select.POLLIN
        events = (0 if outwards else select.POLLIN) | (select.POLLOUT if inwards else 0)
        if events:
            wanted[worker.fileno()] = events
        if outwards:
            wanted[1] = select.POLLOUT
        poll = select.poll()
        for number, events in wanted.items():
            poll.register(number, events)
        told = dict(poll.poll())
        if lane.fileno() in told:
            os._exit(0)
        try:
            if 0 in told:
                inwards = os.read(0, _CHUNK)
                if not inwards:
                    listening = False
                    worker.shutdown(SHUT_WR)
            if outwards and 1 in told:
                outwards = outwards[os.write(1, outwards) :]
            event = told.get(worker.fileno(), 0)
            if inwards and event & (select.POLLOUT | select.POLLERR | select.POLLHUP):
                inwards = inwards[_sent(worker, inwards) :]
            if not outwards and event & (select.POLLIN | select.POLLHUP | select.POLLERR):
                outwards = worker.recv(_CHUNK)
                if not outwards:
                    os._exit(0)
        except BlockingIOError:
            continue
        except OSError:
            os._exit(0)


def _sent(worker: socket, data: bytes) -> int:
    """How much was taken; all of it, when nobody is there to take any."""
    try:
        return worker.send(data)
    except (BrokenPipeError, ConnectionResetError):
        return len(data)


if __name__ == "__main__":
    main()
