"""The closure's side of its source: a handle whose verbs are calls across the wall, and the rows that come back.

The verbs and their arguments are read off sandbox/capabilities.py, as the broker does it on the other side.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Context
from itertools import chain
from typing import Any

import pyarrow as pa

from sandbox import channel as wire
from sandbox.broker import row_verbs
from sandbox.capabilities import VERBS
from sandbox.channel import Channel, pack, unpack

SLICE_ROWS = 2_048

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}
_SHORT_DIGITS = 18
_CONTEXT = Context(prec=38)
_SIGNATURES = {verb: inspect.signature(getattr(shape, verb)) for verb, shape in VERBS.items()}
_ROW_VERBS = row_verbs()


class SourceError(Exception):
    """A call that the source refused or could not serve. `code` is a short stable name, `message` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class Rows:
    """An answer of rows: an iterator of dicts or plain values, to be read once. `async for` reads it as well."""

    __slots__ = ("_batches", "_items", "_schema")

    def __init__(self, batches: Iterator[Any], schema: pa.Schema | None) -> None:
        self._batches = batches
        self._schema = schema
        self._items: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._items is None:
            self._items = chain.from_iterable(_lists(self._batches))
        return self._items

    def __next__(self) -> Any:
        return next(self.__iter__())

    def __aiter__(self) -> Rows:
        return self

    async def __anext__(self) -> Any:
        for item in self.__iter__():
            return item
        raise StopAsyncIteration


def typed_batches(rows: object) -> tuple[pa.Schema, Iterator[pa.RecordBatch]] | None:
    """The Arrow batches of an answer that nobody has begun to read, and their schema; None for anything else."""
    if type(rows) is not Rows or rows._items is not None or rows._schema is None:
        return None
    rows._items = iter(())
    return rows._schema, rows._batches


def _lists(batches: Iterator[Any]) -> Iterator[list[Any]]:
    """The same rows as lists of plain values, a bounded number at a time."""
    for batch in batches:
        if isinstance(batch, list):
            yield batch
            continue
        names = batch.schema.names
        for start in range(0, batch.num_rows, SLICE_ROWS):
            columns = [plain_values(column) for column in batch.slice(start, SLICE_ROWS).columns]
            yield [dict(zip(names, row, strict=False)) for row in zip(*columns, strict=True)]


def plain_values(column: pa.Array[Any]) -> list[Any]:
    """The values of an Arrow column as Python has them: Decimal, date, datetime, str, int, dict …"""
    kind = column.type
    types = pa.types
    if types.is_date32(kind):
        return _each(column.view(pa.int32()), lambda day: date.fromordinal(day + _EPOCH_DAY))
    if types.is_decimal128(kind) and kind.precision <= _SHORT_DIGITS:
        return _short_decimals(column, kind.scale)
    if types.is_timestamp(kind) and kind.unit in _PER_SECOND:
        # Columns of nanoseconds do not cross; the host makes them microseconds.
        micros = 1_000_000 // _PER_SECOND[kind.unit]
        moments = column.view(pa.int64())
        if kind.tz is None:
            return _each(moments, lambda at: _EPOCH + timedelta(microseconds=at * micros))
        zone = _zone(kind.tz)
        if zone is UTC:
            return _each(moments, lambda at: _EPOCH_UTC + timedelta(microseconds=at * micros))
        return _each(moments, lambda at: (_EPOCH_UTC + timedelta(microseconds=at * micros)).astimezone(zone))
    return column.to_pylist()


def _each(column: pa.Array[Any], convert: Callable[[Any], Any]) -> list[Any]:
    if column.null_count:
        return [None if value is None else convert(value) for value in column.to_pylist()]
    return list(map(convert, column.to_pylist()))


def _short_decimals(column: pa.Array[Any], scale: int) -> list[Any]:
    """Decimals whose digits fit 64 bits, read from the lower halves of their 128."""
    valid, buffer = column.buffers()
    if buffer is None:
        return column.to_pylist()
    start = column.offset * 2
    digits = memoryview(buffer).cast("q")[start : start + len(column) * 2 : 2].tolist()
    scaled = _CONTEXT.scaleb
    if not column.null_count or valid is None:
        return [scaled(number, -scale) for number in digits]
    # is_valid() would load Arrow's compute module, which is not in here.
    bits = memoryview(valid)
    places = range(column.offset, column.offset + len(column))
    return [
        scaled(number, -scale) if bits[at >> 3] >> (at & 7) & 1 else None
        for number, at in zip(digits, places, strict=True)
    ]


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name in ("UTC", "Etc/UTC", "Z", "GMT", "+00:00"):
        return UTC
    if name[0] in "+-":
        hours, minutes = name[1:].split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(offset if name[0] == "+" else -offset)
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return UTC


class Caller:
    """Makes the calls. One at a time: what is asked is answered before anything else crosses."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.last = 0
        self.left: list[int] = []

    def call(self, verb: str, args: list[object], keywords: dict[str, object]) -> Any:
        """The value of a verb that gives one, Rows of a verb that gives rows. Raises SourceError."""
        self._drop()
        self.last += 1
        number = self.last
        try:
            message = pack([number, verb, args, keywords])
        except (TypeError, ValueError) as error:
            raise SourceError("failed", f"an argument of {verb}() {error.__cause__ or error}") from None
        self.channel.send(wire.CALL, message)
        schema, first = self._answer(None)
        if verb not in _ROW_VERBS:
            return first[0] if first else None
        return Rows(self._rest(number, schema, first), schema)

    def zone(self, key: str) -> bytes:
        """The compiled time zone of that name; empty when there is none. For the empty name, all names, one a line."""
        self.channel.send(wire.ZONE, key.encode())
        _, payload = self.channel.receive(lambda _kind: wire.CONTROL_BYTES)
        return bytes(payload)

    def _drop(self) -> None:
        # A generator may be finalised in the middle of a send, so it only notes what it leaves unread.
        while self.left:
            self.channel.send(wire.DROP, pack(self.left.pop()))

    def _rest(self, number: int, schema: pa.Schema | None, batch: Any) -> Iterator[Any]:
        done = batch is None
        try:
            while not done:
                yield batch
                self._drop()
                self.channel.send(wire.NEXT, pack(number))
                try:
                    schema, batch = self._answer(schema)
                except SourceError:
                    done = True
                    raise
                done = batch is None
        finally:
            if not done:
                self.left.append(number)

    def _answer(self, schema: pa.Schema | None) -> tuple[pa.Schema | None, Any]:
        """The schema in force and the next batch, which is None at the end."""
        while True:
            kind, payload = self.channel.receive(lambda _kind: wire.ANSWER_BYTES + wire.CONTROL_BYTES)
            if kind == wire.SCHEMA:
                schema = pa.ipc.read_schema(pa.py_buffer(payload))
            elif kind == wire.BATCH:
                return schema, pa.ipc.read_record_batch(pa.py_buffer(payload), _known(schema))
            elif kind == wire.VALUES:
                return None, unpack(payload)
            elif kind == wire.REFUSED:
                raise SourceError(*unpack(payload))
            else:
                return schema, None


def _known(schema: pa.Schema | None) -> pa.Schema:
    if schema is None:
        raise SourceError("failed", "rows came before their schema")
    return schema


class Source:
    """What the closure holds: one function a verb, and nothing else."""

    __slots__ = (*VERBS, "open")


def handle(caller: Caller, within: str | None = None) -> Source:
    """A source handle; `within` names the member of a folder that its verbs are about."""
    made = Source()
    for verb in VERBS:
        setattr(made, verb, _verb(caller, verb, within))

    def open_member(name: str) -> Source:
        """A handle to one member of the folder, as `list()` names it."""
        if not isinstance(name, str):
            raise TypeError("open() takes the name of a member")
        return handle(caller, name)

    setattr(made, "open", open_member)  # noqa: B010  # a slot that mypy cannot see
    return made


def _verb(caller: Caller, verb: str, within: str | None) -> Callable[..., Any]:
    signature = _SIGNATURES[verb]
    member = {} if within is None else {"within": within}

    def ask(*args: object, **keywords: object) -> Any:
        bound = signature.bind(None, *args, **keywords)
        if "params" in bound.arguments and verb == "query":
            bound.arguments["params"] = list(bound.arguments["params"])
        return caller.call(verb, list(bound.args[1:]), {**bound.kwargs, **member})

    ask.__name__ = ask.__qualname__ = verb
    ask.__doc__ = getattr(VERBS[verb], verb).__doc__
    return ask
