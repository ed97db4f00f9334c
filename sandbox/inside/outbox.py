"""The outbox: a closure's records on their way out, gathered into frames by number, size or time."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from time import monotonic
from typing import Any

from sandbox import channel as wire
from sandbox.channel import Channel, RecordRefused, pack_records, records_frame

_CHECK_SECONDS = 0.01


class Outbox:
    """Takes each record as it is when it is yielded, and sends it on soon."""

    def __init__(self, channel: Channel, record_bytes: int) -> None:
        self.channel = channel
        self.record_bytes = record_bytes
        self.taken = 0
        self._flat: list[Any] = []
        self._pieces: list[tuple[int, bytes]] = []
        self._size = 0
        self._room = 16
        self._due = monotonic() + wire.FLUSH_SECONDS

    def deliver(self, records: Iterator[Any]) -> None:
        """Send all the records. RecordRefused for one that cannot go; those before it have been sent by then."""
        flat = self._flat
        append, tracked, holders = flat.append, gc.is_tracked, sys.getrefcount
        unchecked, checked_at = 2, monotonic()
        gathered = 0
        for record in records:
            # A closure may change a record after it yielded it. One without containers that nobody else holds cannot
            # change; one that is held is copied; one with containers in it is packed at once.
            if tracked(record) or type(record) is not dict:
                self._pack(record)
            else:
                append(record if holders(record) == 2 else record.copy())
            gathered += 1
            if gathered < unchecked and len(flat) < self._room and self._size < wire.FLUSH_BYTES:
                continue
            now = monotonic()
            # Look at the clock about every ten milliseconds, whatever the pace; what comes slower is sent on at once.
            unchecked = max(1, min(256, int(gathered * _CHECK_SECONDS / max(now - checked_at, 1e-6))))
            gathered, checked_at = 0, now
            if unchecked == 1 or now >= self._due or len(flat) >= self._room or self._size >= wire.FLUSH_BYTES:
                self.flush()
        self.flush()

    def flush(self) -> None:
        """Send what was gathered."""
        self._settle()
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._due = monotonic() + wire.FLUSH_SECONDS
        frame: list[tuple[int, bytes]] = []
        size = 0
        for piece in pieces:
            if frame and size + len(piece[1]) > wire.FLUSH_BYTES:
                self.channel.send(wire.RECORDS, records_frame(frame))
                frame, size = [], 0
            frame.append(piece)
            size += len(piece[1])
        if frame:
            self.channel.send(wire.RECORDS, records_frame(frame))

    def forget(self) -> None:
        """Drop what was gathered, to have its memory back."""
        self._flat.clear()
        self._pieces.clear()

    def _pack(self, record: object) -> None:
        self._settle()
        self._add([record])

    def _settle(self) -> None:
        """Pack the flat records gathered so far; and learn how many of their size make a frame."""
        if self._flat:
            count = len(self._flat)
            size = self._add(self._flat)
            self._flat.clear()
            self._room = max(1, min(wire.FLUSH_RECORDS, wire.FLUSH_BYTES * count // max(size, 1)))

    def _add(self, records: list[Any]) -> int:
        try:
            pieces = pack_records(records, self.taken + 1, self.record_bytes)
        except RecordRefused as refused:
            self._flat.clear()
            self._pieces += refused.pieces
            self.taken += len(refused.pieces)
            self.flush()
            raise
        size = sum(len(body) for _, body in pieces)
        self._pieces += pieces
        self._size += size
        self.taken += len(records)
        return size
