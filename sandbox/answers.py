"""The answers of a source on their way to a closure: batches as frames, drawn one at a time as the closure asks for more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox import channel as wire
from sandbox.broker import CallRefused
from sandbox.channel import pack

if TYPE_CHECKING:
    import pyarrow as pa


class Cursor:
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
