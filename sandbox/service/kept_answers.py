"""This file is idempotency: the answer of a request that came with an Idempotency-Key is kept, and given again for the same key.

Kept in memory, for a time and up to a size; a restart forgets. A request that was not answered whole is not kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.service.problem import Problem

ENTRIES = 10_000
TOO_LONG_BYTES = 4 * 1_048_576


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it went out. `body` is None for one that was too long to keep."""

    fingerprint: str
    until: float
    media_type: str = ""
    body: bytes | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.body or b"") + 200


class KeptAnswers:
    """Answers by who asked and the key they gave. For one thread."""

    def __init__(self, seconds: float, size_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._room = size_bytes
        self._now = now
        self._size = 0
        self._kept: OrderedDict[tuple[str, str], KeptAnswer] = OrderedDict()
        self._under_way: dict[tuple[str, str], str] = {}

    def claim(self, owner: str, key: str, fingerprint: str) -> KeptAnswer | Claim:
        """The kept answer, or the right to make one. Raises Problem when the key is in use, or was for another request."""
        place = (owner, key)
        self._expire()
        kept = self._kept.get(place)
        known = kept.fingerprint if kept else self._under_way.get(place)
        if known is not None and known != fingerprint:
            step = "Use a fresh Idempotency-Key for every request."
            raise Problem(422, "idempotency-key-reused", "this Idempotency-Key came with another request", step)
        if known is not None and kept is None:
            step = "Wait for its answer, or try again after the seconds in Retry-After."
            text = "the request with this Idempotency-Key is under way"
            raise Problem(409, "idempotency-key-in-use", text, step, retry_seconds=1)
        if kept is None:
            self._under_way[place] = fingerprint
            return Claim(self, place, fingerprint)
        if kept.body is None:
            text = "that request was answered already, and its answer was too long to keep"
            raise Problem(409, "answer-not-kept", text, "Use a fresh Idempotency-Key to run it again.")
        return kept

    def settle(self, place: tuple[str, str], answer: KeptAnswer | None) -> None:
        """End what was under way, with an answer to keep or without one."""
        self._under_way.pop(place, None)
        if answer is not None:
            self._kept[place] = answer
            self._size += answer.size
            while self._kept and (self._size > self._room or len(self._kept) > ENTRIES):
                self._size -= self._kept.popitem(last=False)[1].size

    def until(self) -> float:
        """Until when an answer of now is kept."""
        return self._now() + self._seconds

    def _expire(self) -> None:
        while self._kept and next(iter(self._kept.values())).until <= self._now():
            self._size -= self._kept.popitem(last=False)[1].size


class Claim:
    """The right to make the answer for one key. It collects the bytes as they go out."""

    def __init__(self, answers: KeptAnswers, place: tuple[str, str], fingerprint: str) -> None:
        self._answers = answers
        self._place = place
        self._fingerprint = fingerprint
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Note a piece of the answer."""
        self._size += len(piece)
        if self._size <= TOO_LONG_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def keep(self, media_type: str) -> None:
        """The answer is whole."""
        body = b"".join(self._pieces) if self._size <= TOO_LONG_BYTES else None
        answer = KeptAnswer(self._fingerprint, self._answers.until(), media_type, body)
        self._answers.settle(self._place, answer)

    def release(self) -> None:
        """Unless an answer was kept there is none, and the key may be used again."""
        self._answers.settle(self._place, None)
