"""The channel: what crosses the wall between host and sandbox, and how each end protects itself from the other.

One stream socket carries frames: a length, a kind, a payload. Control frames and records are msgpack, decoded into
plain values only; bulk rows to the closure are Arrow record batches. Nothing is unpickled, imported or evaluated.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from gc import is_tracked
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import ormsgpack

if TYPE_CHECKING:
    import pyarrow as pa

# host to sandbox
JOB, SCHEMA, BATCH, VALUES, DONE, REFUSED, ZONE_DATA = b"JSBVDRZ"
# sandbox to host
READY, RECORDS, CALL, NEXT, DROP, OUT, ERR, END, FAULT, ZONE = b"+rcndoeEfz"

CONTROL_BYTES = 16 * 1_048_576
ANSWER_BYTES = 64 * 1_048_576
BATCH_BYTES = 4 * 1_048_576
FLUSH_BYTES = 262_144
FLUSH_RECORDS = 1_000
FLUSH_SECONDS = 0.05

JOB_HEAD = struct.Struct("<QQ")
"""Before a job's msgpack: mebibytes of memory and CPU seconds, read before anything else is."""

READY_BODY = struct.Struct("<QQ")
"""What a worker had used before its job came: CPU microseconds and bytes of its largest resident size."""

_HEAD = struct.Struct("<IB")
_ARRAY = struct.Struct(">BI")
_ARRAY_MARK = 0xDD
_DAY = struct.Struct(">I")
_SPAN = struct.Struct(">iII")
_DECIMAL, _DATE, _DATETIME, _TIME, _SPAN_CODE, _UUID, _INTEGER = range(1, 8)
_EXPONENT = 9_000  # a larger one would be written out as megabytes by whoever formats it
_INTEGER_BYTES = 1_800  # 4300 digits, as many as Python itself will turn into text
_OPTIONS = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_UUID
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
)
# How a NaN or an infinity begins in msgpack. Text may hold these bytes too, so a find is only a reason to look. Patterns that
# begin with a literal are found several times faster than one pattern for both.
_NOT_FINITE = (re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]"), re.compile(rb"\xca[\x7f\xff][\x80-\xff]"))
_FLAT = {str, int, float, bool, type(None), bytes, Decimal, date, datetime, time, timedelta, UUID}
_NO_OFFSET = timedelta(0)


class ChannelClosed(Exception):
    """The other end is gone."""


class ChannelBroken(Exception):
    """The other end sent something that is no frame, or one larger than it may be."""

    def __init__(self, message: str, kind: int = 0, size: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.size = size


class RecordRefused(Exception):
    """A record that may not cross. `number` counts from 1; `limit` is the field of Limits that it passed, if one; `pieces`
    are the records packed before it."""

    def __init__(
        self, number: int, why: str, limit: str | None = None, pieces: Sequence[tuple[int, bytes]] = ()
    ) -> None:
        super().__init__(f"record {number} {why}")
        self.number = number
        self.limit = limit
        self.pieces = pieces


class Wire(Protocol):
    """What a channel needs of a socket."""

    def recv_into(self, view: memoryview, /) -> int: ...

    def sendall(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def close(self) -> None: ...


class Channel:
    """One end of the socket. A time-out of the socket, where set, comes out as TimeoutError."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.received = 0

    def send(self, kind: int, payload: bytes | bytearray | memoryview = b"") -> None:
        """Send one frame, whole."""
        size = len(payload)
        head = _HEAD.pack(size, kind)
        try:
            if size <= 65_536:
                self.wire.sendall(head + payload)
            else:
                self.wire.sendall(head)
                self.wire.sendall(payload)
        except (BrokenPipeError, ConnectionResetError) as gone:
            raise ChannelClosed from gone

    def receive(self, cap: Callable[[int], int]) -> tuple[int, bytearray]:
        """The next frame, or ChannelClosed. `cap` says how long a frame of a kind may be; a longer one is not read."""
        size, kind = _HEAD.unpack(self._exactly(_HEAD.size))
        if size > cap(kind):
            raise ChannelBroken(f"a frame of {size} bytes", kind, size)
        self.received += size
        return kind, self._exactly(size)

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        have = 0
        try:
            while have < size:
                got = self.wire.recv_into(view[have:])
                if not got:
                    raise ChannelClosed
                have += got
        except ConnectionResetError as gone:
            raise ChannelClosed from gone
        return data

    def close(self) -> None:
        """Let go of the socket."""
        self.wire.close()


def pack(value: object) -> bytes:
    """Msgpack of plain values, with our own codes for Decimal, dates, times, UUID and large integers. TypeError for others."""
    return ormsgpack.packb(value, _coded, _OPTIONS)


def unpack(payload: bytes | bytearray | memoryview) -> Any:
    """The plain values of `pack`. ValueError when the payload is not that."""
    return ormsgpack.unpackb(payload, ext_hook=_decoded)


def _coded(value: object) -> object:
    """The Ext of a value that msgpack has no type for; a subclass of a plain type as that type."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"is {value}, which is not a number")
        if abs(value.adjusted()) > _EXPONENT:
            raise TypeError("is a number with thousands of digits")
        return ormsgpack.Ext(_DECIMAL, str(value).encode())
    if isinstance(value, datetime):
        return ormsgpack.Ext(_DATETIME, value.isoformat().encode())
    if isinstance(value, date):
        return ormsgpack.Ext(_DATE, _DAY.pack(value.toordinal()))
    if isinstance(value, time):
        return ormsgpack.Ext(_TIME, value.isoformat().encode())
    if isinstance(value, timedelta):
        return ormsgpack.Ext(_SPAN_CODE, _SPAN.pack(value.days, value.seconds, value.microseconds))
    if isinstance(value, UUID):
        return ormsgpack.Ext(_UUID, value.bytes)
    if isinstance(value, int):
        size = value.bit_length() // 8 + 1
        if size > _INTEGER_BYTES:
            raise TypeError("is a whole number of more than 4300 digits")
        return ormsgpack.Ext(_INTEGER, value.to_bytes(size, "big", signed=True))
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"is of type {type(value).__name__}, which is not a plain value")


def _decoded(code: int, data: bytes) -> object:
    """The value of one Ext; ValueError for anything that `_coded` would not have written."""
    if code == _DECIMAL and len(data) <= 5_000:
        number = Decimal(data.decode("ascii")) if _is_decimal(data) else None
        if number is not None and number.is_finite():
            return number
    elif code == _DATETIME and len(data) <= 40:
        return _utc(datetime.fromisoformat(data.decode("ascii")))
    elif code == _DATE and len(data) == _DAY.size:
        return date.fromordinal(_DAY.unpack(data)[0])
    elif code == _TIME and len(data) <= 30:
        return time.fromisoformat(data.decode("ascii"))
    elif code == _SPAN_CODE and len(data) == _SPAN.size:
        return timedelta(*_SPAN.unpack(data))
    elif code == _UUID and len(data) == 16:
        return UUID(bytes=data)
    elif code == _INTEGER and len(data) <= _INTEGER_BYTES:
        return int.from_bytes(data, "big", signed=True)
    raise ValueError("a value that is not plain")


_is_decimal = re.compile(rb"-?\d+(?:\.\d+)?(?:E[+-]?\d{1,4})?").fullmatch


def _utc(moment: datetime) -> datetime:
    """UTC itself rather than an offset of zero."""
    return moment.replace(tzinfo=UTC) if moment.utcoffset() == _NO_OFFSET else moment


# ---------------------------------------------------------------------------------------------- records, outwards


def pack_records(records: list[Any], first: int, record_bytes: int) -> list[tuple[int, bytes]]:
    """The records as (how many, bytes); `records_frame` makes a payload of such pieces. RecordRefused names the one that
    cannot go, and carries the pieces before it."""
    whole = b""
    if set(map(type, records)) == {dict}:
        try:
            whole = ormsgpack.packb(records, _coded, _OPTIONS)
        except Exception:  # the culprit is found below, one by one
            whole = b""
    if whole and len(whole) <= record_bytes:
        return [(len(records), whole[_head_length(len(records)) :])]
    pieces: list[tuple[int, bytes]] = []
    for number, record in enumerate(records, first):
        try:
            if not isinstance(record, dict):
                raise TypeError
            one = ormsgpack.packb(record, _coded, _OPTIONS)
        except Exception as error:
            raise RecordRefused(number, _why(record, error), pieces=pieces) from None
        if len(one) > record_bytes:
            why = f"is {len(one)} bytes long; at most {record_bytes}"
            raise RecordRefused(number, why, "record_bytes", pieces)
        pieces.append((1, one))
    return pieces


def records_frame(pieces: list[tuple[int, bytes]]) -> bytes:
    """The payload of a RECORDS frame."""
    return b"".join([_ARRAY.pack(_ARRAY_MARK, sum(number for number, _ in pieces)), *(body for _, body in pieces)])


def _head_length(count: int) -> int:
    return 1 if count < 16 else 3 if count < 65_536 else 5


def _why(record: object, error: Exception) -> str:
    """What is wrong with a record, with the field's name where it can be told."""
    if not isinstance(record, dict):
        return f"is of type {type(record).__name__}, not a dict"
    for key, value in record.items():
        if not isinstance(key, str):
            return f"has a key of type {type(key).__name__}; keys are text"
        wrong = _wrong(key) or _wrong(value)
        if wrong:
            return f"cannot be passed on: {key[:80].encode('ascii', 'backslashreplace').decode()!r} {wrong}"
    return f"cannot be passed on: {error}"


def _wrong(value: object) -> str:
    """Why one value, or the first such value within it, cannot be packed; empty when it can."""
    try:
        ormsgpack.packb(value, _coded, _OPTIONS)
    except Exception as error:  # the reason is looked for below
        inner: Iterable[object] = ()
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                return "has a key that is not text"
            inner = chain(value.keys(), value.values())
        elif isinstance(value, (list, tuple)):
            inner = value
        elif isinstance(value, str):
            return "has half a surrogate pair in its text"
        else:
            try:
                _coded(value)
            except TypeError as refusal:
                return str(refusal)
        try:
            found = next(filter(None, map(_wrong, inner)), "")
        except RecursionError:
            return "is nested too deep"
        return found or f"cannot be passed on ({error})"
    return ""


# ----------------------------------------------------------------------------------------------- records, inwards


def read_records(
    payload: bytearray, first: int, *, records_left: int, record_bytes: int, depth: int
) -> list[dict[str, object]]:
    """The records of one RECORDS frame, each of them checked. `first` is the number of the first one.

    RecordRefused names the record and the reason; nothing is built before its count and size were found to be allowed.
    """
    count = _count(payload)
    if count is None:
        raise RecordRefused(first, "did not come as a list of records")
    if count > records_left:
        raise RecordRefused(first + max(records_left, 0), "is one more than the limit allows", "records")
    try:
        records: Any = unpack(payload)
    except Exception:  # whatever a decoder may find wrong with hostile bytes
        raise RecordRefused(first, "or one after it could not be decoded") from None
    if set(map(type, records)) - {dict}:
        for offset, record in enumerate(records):
            if type(record) is not dict:
                raise RecordRefused(first + offset, f"is of type {type(record).__name__}, not a dict")
    # A dict that the collector does not track holds no container: one look per record instead of one per value.
    if any(map(is_tracked, records)) and not set(map(type, chain.from_iterable(map(dict.values, records)))) <= _FLAT:
        for offset, record in enumerate(records):
            if _deeper_than(record, depth):
                raise RecordRefused(first + offset, f"is nested more than {depth} deep", "depth")
    elif depth < 1 and records:
        raise RecordRefused(first, "is nested more than 0 deep", "depth")
    if any(pattern.search(payload) for pattern in _NOT_FINITE):
        for offset, record in enumerate(records):
            path = _not_finite(record)
            if path:
                raise RecordRefused(first + offset, f"cannot be passed on: {path} is not a finite number")
    if len(payload) > record_bytes:
        for offset, record in enumerate(records):
            size = len(pack(record))
            if size > record_bytes:
                raise RecordRefused(first + offset, f"is {size} bytes long; at most {record_bytes}", "record_bytes")
    return records  # type: ignore[no-any-return]  # checked above: a list of dicts


def _count(payload: bytearray) -> int | None:
    """How many items the msgpack array announces, before any of it is built."""
    mark = payload[0] if payload else 0
    if 0x90 <= mark <= 0x9F:
        return mark & 0x0F
    if mark == 0xDC and len(payload) >= 3:
        return int.from_bytes(payload[1:3], "big")
    if mark == _ARRAY_MARK and len(payload) >= 5:
        return int.from_bytes(payload[1:5], "big")
    return None


def _deeper_than(value: object, depth: int) -> bool:
    level: list[Any] = [value]
    while level:
        if depth == 0:
            return True
        depth -= 1
        inner: Iterable[Any] = chain.from_iterable(v.values() if type(v) is dict else v for v in level)
        level = [v for v in inner if type(v) is dict or type(v) is list]
    return False


def _not_finite(record: dict[str, object]) -> str:
    """The path to a NaN or an infinity, empty when there is none."""
    stack: list[tuple[str, object]] = [(repr(key[:80]), value) for key, value in reversed(record.items())]
    while stack:
        path, value = stack.pop()
        if type(value) is float and not isfinite(value):
            return path
        if type(value) is dict:
            stack += [(f"{path}.{key[:80]!r}", inner) for key, inner in value.items()]
        elif type(value) is list:
            stack += [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    return ""


# ---------------------------------------------------------------------------------------- rows, from host to closure


def arrow_frames(batch: pa.RecordBatch, schema: pa.Schema | None) -> tuple[pa.Schema, list[tuple[int, Any]]]:
    """One record batch as frames, pieces of about 4 MB; a SCHEMA frame goes first when it differs from `schema`."""
    batch = _plain_columns(batch)
    frames: list[tuple[int, Any]] = []
    if schema is None or not batch.schema.equals(schema, check_metadata=False):
        schema = batch.schema.remove_metadata()
        frames.append((SCHEMA, memoryview(schema.serialize())))
    rows = batch.num_rows
    step = max(1, min(rows, rows * BATCH_BYTES // max(batch.nbytes, 1)))
    for start in range(0, max(rows, 1), step):
        piece = batch if step >= rows else batch.slice(start, step)
        frames.append((BATCH, memoryview(piece.serialize())))
    return schema, frames


def _plain_columns(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Dictionary columns as what they stand for, nanoseconds as microseconds: the shapes that a dict of values can hold."""
    wanted = _plain_schema(batch.schema)
    return batch if wanted is batch.schema or wanted.equals(batch.schema) else batch.cast(wanted, safe=False)


@lru_cache(maxsize=64)
def _plain_schema(schema: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([field.with_type(_plain_type(field.type)) for field in schema])


def _plain_type(kind: Any) -> Any:
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _plain_type(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    if types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if types.is_time(kind) and kind.unit == "ns":
        return pa.time64("us")
    if types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in kind])
    if types.is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if types.is_large_list(kind):
        return pa.large_list(_plain_type(kind.value_type))
    return kind
