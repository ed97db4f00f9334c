"""This file is who may go on: quotas of a key, a budget for bodies, and the bounded queue in front of the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

from sandbox.service.keys import Key
from sandbox.service.outlet import ReaderGone
from sandbox.service.problem import Problem

DAY_SECONDS = 86_400.0


class Quotas:
    """What each key may still ask for. Counted in memory: a restart forgets it."""

    def __init__(self, per_minute: int, concurrent: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._concurrent = concurrent
        self._now = now
        self._tokens: dict[str, tuple[float, float]] = {}
        self._days: dict[str, tuple[float, int]] = {}
        self._under_way: dict[str, int] = {}

    @contextmanager
    def held(self, key: Key) -> Iterator[None]:
        """Count one request of the key, and it as under way while the body runs. Raises Problem (429) instead."""
        most = self._concurrent if key.concurrent is None else key.concurrent
        if self._under_way.get(key.id, 0) >= most:
            step = "Wait until one of them is answered."
            raise Problem(429, "too-many-at-once", f"this key has {most} requests under way", step, retry_seconds=1)
        self._take(key)
        self._under_way[key.id] = self._under_way.get(key.id, 0) + 1
        try:
            yield
        finally:
            self._under_way[key.id] -= 1

    def _take(self, key: Key) -> None:
        now = self._now()
        rate = self._per_minute if key.per_minute is None else key.per_minute
        tokens, since = self._tokens.get(key.id, (float(rate), now))
        tokens = min(float(rate), tokens + (now - since) * rate / 60)
        if tokens < 1:
            seconds = ceil((1 - tokens) * 60 / rate)
            text = f"this key may ask {rate} times a minute"
            raise Problem(429, "quota", text, "Try again after the seconds in Retry-After.", retry_seconds=seconds)
        if key.per_day is not None:
            began, count = self._days.get(key.id, (now, 0))
            if now - began >= DAY_SECONDS:
                began, count = now, 0
            if count >= key.per_day:
                text = f"this key may ask {key.per_day} times a day"
                step = "Try again after the seconds in Retry-After."
                raise Problem(429, "quota", text, step, retry_seconds=ceil(began + DAY_SECONDS - now))
            self._days[key.id] = (began, count + 1)
        self._tokens[key.id] = (tokens - 1, now)


class Budget:
    """Bytes that all bodies together may take at once."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Hold so many bytes while the body runs. Raises Problem (429) when they are not there."""
        if size > self._left:
            text = "the requests under way hold all the memory there is for bodies"
            step = "Try again after the seconds in Retry-After."
            raise Problem(429, "bodies-full", text, step, retry_seconds=1)
        self._left -= size
        try:
            yield
        finally:
            self._left += size


class Queue:
    """So many run, so many wait, the rest is told to come back.

    The next turn is that of the key that has used the least time: neither a long row nor long runs of one delay the others. Who
    comes anew begins level with those who wait, so that nobody saves up.
    """

    def __init__(self, running: int, waiting: int, seconds: float) -> None:
        self.most_running = running
        self.most_waiting = waiting
        self.running = 0
        self.waiting = 0
        self._seconds = seconds
        self._rows: dict[str, deque[asyncio.Future[bool]]] = {}
        self._used: dict[str, float] = {}
        self._run_seconds = 0.1
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the service ends."""
        return self._closed

    def check(self) -> None:
        """Raise Problem when there is no place, before a body is read."""
        if self._closed:
            raise draining()
        if self.waiting >= self.most_waiting and self.running >= self.most_running:
            text = f"{self.waiting} requests are waiting already"
            step = "Try again after the seconds in Retry-After."
            raise Problem(429, "queue-full", text, step, retry_seconds=self._retry())

    async def enter(self, owner: str, gone: asyncio.Future[None]) -> None:
        """Wait for a turn, which `leave` gives back. Raises Problem (429, 503), or ReaderGone when `gone` is done."""
        self.check()
        if self.running < self.most_running:
            self.running += 1
            return
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if owner not in self._rows:
            level = min((self._used[other] for other in self._rows), default=0.0)
            self._used[owner] = max(self._used.get(owner, 0.0), level)
            self._rows[owner] = deque()
        self._rows[owner].append(turn)
        self.waiting += 1
        try:
            either: set[asyncio.Future[Any]] = {turn, gone}
            await asyncio.wait(either, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._forget(owner, turn)
            raise
        if turn.done() and not turn.result():
            raise draining()
        if gone.done() or not turn.done():
            self._forget(owner, turn)
            if gone.done():
                raise ReaderGone
            text = f"no sandbox was free within {self._seconds:g} seconds"
            step = "Try again after the seconds in Retry-After."
            raise Problem(429, "queue-slow", text, step, retry_seconds=self._retry())

    def leave(self, owner: str, seconds: float) -> None:
        """Give the turn to the next one; the owner's run took so long."""
        self._run_seconds += 0.1 * (seconds - self._run_seconds)
        self._used[owner] = self._used.get(owner, 0.0) + seconds
        if not self._rows and self.running == 1:
            self._used.clear()
        turn = self._next()
        if turn is None:
            self.running -= 1
        else:
            turn.set_result(True)

    def close(self) -> None:
        """Let nobody in any more, and send those away who wait."""
        self._closed = True
        while (turn := self._next()) is not None:
            turn.set_result(False)

    def _next(self) -> asyncio.Future[bool] | None:
        if not self._rows:
            return None
        owner = min(self._rows, key=lambda one: self._used[one])
        row = self._rows[owner]
        turn = row.popleft()
        if not row:
            del self._rows[owner]
        self.waiting -= 1
        return turn

    def _forget(self, owner: str, turn: asyncio.Future[bool]) -> None:
        """Give up a place in the queue, or the turn that came in the same moment."""
        if turn.done():
            if turn.result():
                self.leave(owner, 0.0)
            return
        row = self._rows[owner]
        row.remove(turn)
        if not row:
            del self._rows[owner]
        self.waiting -= 1

    def _retry(self) -> int:
        return min(60, max(1, ceil(self._run_seconds * self.waiting / self.most_running)))


def draining() -> Problem:
    """What everybody is told while the service ends."""
    return Problem(503, "draining", "the service is shutting down", "Try again elsewhere, or later.", retry_seconds=5)
