"""This file is the way of an answer from the thread that runs a job to the connection that waits for it, with back-pressure."""

from __future__ import annotations

import asyncio
import threading
from collections import deque


class ReaderGone(Exception):
    """Nobody waits for the answer any more, or whoever does takes nothing of it."""


class Outlet:
    """A bounded pipe of bytes: `put` in the job's thread waits while it is full, `get` in the event loop while it is empty."""

    def __init__(self, room_bytes: int, stall_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._room = room_bytes
        self._stall_seconds = stall_seconds
        self._ended = False
        self._closed = False

    def put(self, piece: bytes) -> None:
        """Add a piece once there is room. Raises ReaderGone."""
        with self._changed:
            has_room = self._changed.wait_for(lambda: self._size < self._room or self._closed, self._stall_seconds)
            if self._closed or not has_room:
                raise ReaderGone
            self._pieces.append(piece)
            self._size += len(piece)
        self._loop.call_soon_threadsafe(self._filled.set)

    def end(self) -> None:
        """Say that nothing more comes; from the loop's own thread."""
        self._ended = True
        self._filled.set()

    def refuse(self) -> None:
        """Take no more: `put` raises from now on. What was put can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self) -> None:
        """Say that nobody reads any more. From the loop's own thread."""
        self.refuse()
        with self._changed:
            self._pieces.clear()
        self.end()

    async def get(self) -> bytes | None:
        """The next pieces, joined; None at the end."""
        while True:
            self._filled.clear()
            with self._changed:
                if self._pieces:
                    joined = b"".join(self._pieces)
                    self._pieces.clear()
                    self._size = 0
                    self._changed.notify_all()
                    return joined
            if self._ended:
                return None
            await self._filled.wait()
