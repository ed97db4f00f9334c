"""The channel: plain values survive it, and hostile bytes do not get past it."""

from __future__ import annotations

import socket
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import ormsgpack
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import channel as wire
from sandbox.channel import (
    Channel,
    ChannelBroken,
    ChannelClosed,
    RecordRefused,
    arrow_frames,
    pack,
    pack_records,
    read_records,
    records_frame,
    unpack,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**60), max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.text(st.characters(codec="utf-8"))
    | st.binary()
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas()
    | st.uuids()
)
keys = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


def packed(records: list[Any]) -> bytearray:
    return bytearray(ormsgpack.packb(records))


def read(payload: bytearray, *, left: int = 1_000, record_bytes: int = 1_000_000, depth: int = 50) -> list[Any]:
    return list(read_records(payload, 1, records_left=left, record_bytes=record_bytes, depth=depth))


@given(values)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    assert unpack(pack(value)) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, bool),
        (2**64, int),
        (-(2**70), int),
        (Decimal("1.50"), Decimal),
        (date(2021, 3, 4), date),
        (datetime(2021, 3, 4, 5, 6, 7, 8), datetime),
        (time(1, 2, 3, 4), time),
        (timedelta(days=-3, microseconds=1), timedelta),
        (UUID(int=7), UUID),
        (b"\x00\xff", bytes),
    ],
)
def test_types_survive(value: object, kind: type) -> None:
    back = unpack(pack(value))

    assert type(back) is kind
    assert back == value


def test_a_decimal_keeps_its_trailing_zeros() -> None:
    assert str(unpack(pack(Decimal("10.500")))) == "10.500"


def test_a_moment_keeps_its_offset() -> None:
    moment = datetime(2021, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    back = unpack(pack(moment))

    assert back.utcoffset() == timedelta(hours=5, minutes=30)
    assert unpack(pack(datetime(2021, 3, 4, tzinfo=UTC))).tzinfo is UTC


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, lambda: 1, Decimal("NaN"), Decimal("1E+10000"), [10**5000], range(3), {"a": {1: 2}}]
)
def test_what_is_not_plain_is_not_packed(value: object) -> None:
    with pytest.raises(TypeError):
        pack(value)


@pytest.mark.parametrize("data", [b"\xc7\x01\x63x", ormsgpack.packb(ormsgpack.Ext(1, b"NaN")), b"\xd4\x01x", b"\xc1"])
def test_unknown_codes_and_broken_values_are_refused(data: bytes) -> None:
    with pytest.raises(ormsgpack.MsgpackDecodeError):
        unpack(data)


@pytest.mark.parametrize("text", [b"sNaN", b"Infinity", b"1_0", b" 1", b"1e5", b"1E99999", b"9" * 6_000, b""])
def test_only_plain_decimals_are_decoded(text: bytes) -> None:
    with pytest.raises(ormsgpack.MsgpackDecodeError):
        unpack(ormsgpack.packb(ormsgpack.Ext(1, text)))


# --------------------------------------------------------------------------------------------------------- frames


def pair() -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    return Channel(ours), theirs


def test_a_frame_crosses_whole() -> None:
    near, far = pair()
    body = b"x" * 100_000

    Channel(far).send(wire.RECORDS, body)
    kind, payload = near.receive(lambda _kind: 200_000)

    assert (kind, bytes(payload)) == (wire.RECORDS, body)


def test_a_frame_longer_than_it_may_be_is_refused_before_it_is_read() -> None:
    near, far = pair()
    far.sendall(struct.pack("<IB", 0xFFFFFFFF, wire.RECORDS))

    with pytest.raises(ChannelBroken) as refused:
        near.receive(lambda _kind: 1_000)

    assert refused.value.size == 0xFFFFFFFF
    assert refused.value.kind == wire.RECORDS


@pytest.mark.parametrize("sent", [b"", b"\x05", struct.pack("<IB", 10, wire.END) + b"abc"])
def test_an_end_in_the_middle_is_told(sent: bytes) -> None:
    near, far = pair()
    far.sendall(sent)
    far.close()

    with pytest.raises(ChannelClosed):
        near.receive(lambda _kind: 1_000)


# -------------------------------------------------------------------------------------------------------- records


def test_records_cross() -> None:
    records = [{"a": 1, "b": "x"}, {"a": None, "c": [1, {"d": Decimal("2.5")}]}]

    pieces = pack_records(records, 1, 1_000_000)

    assert read(bytearray(records_frame(pieces))) == records


@pytest.mark.parametrize("count", [0, 1, 15, 16, 999, 65_535, 65_536])
def test_any_number_of_records_makes_a_frame(count: int) -> None:
    records = [{"n": n} for n in range(count)]

    payload = bytearray(records_frame(pack_records(records, 1, 10_000_000)))

    assert read(payload, left=count) == records


def test_large_records_are_packed_one_by_one() -> None:
    records = [{"a": "x" * 200_000} for _ in range(6)]

    pieces = pack_records(records, 1, 300_000)

    assert [number for number, _ in pieces] == [1] * 6
    assert read(bytearray(records_frame(pieces)), record_bytes=300_000) == records


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"a": {1, 2}}, "record 8 cannot be passed on: 'a' is of type set"),
        ({1: 2}, "record 8 has a key of type int"),
        ({"a": "\ud800"}, "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ([1, 2], "record 8 is of type"),
        ({"a": Decimal("Infinity")}, "not a number"),
        ({"a": {"b": {2: 3}}}, "key that is not text"),
    ],
)
def test_a_record_that_cannot_go_is_named_and_those_before_it_go(record: object, says: str) -> None:
    with pytest.raises(RecordRefused, match=says) as refused:
        pack_records([{"a": 1}, record, {"a": 3}], 7, 1_000)

    assert refused.value.number == 8
    assert [number for number, _ in refused.value.pieces] == [1]


def test_a_long_record_names_its_limit() -> None:
    with pytest.raises(RecordRefused) as refused:
        pack_records([{"a": 1}, {"a": "x" * 2_000}], 1, 1_000)

    assert (refused.value.number, refused.value.limit) == (2, "record_bytes")


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {"a": 1}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("payload", "number", "limit"),
    [
        (packed([{"a": 1}, {"a": float("nan")}]), 2, None),
        (packed([{"a": 1}, {"a": [1.5, {"b": float("-inf")}]}]), 2, None),
        (bytearray(b"\x91\x81\xa1a\xca\x7f\x80\x00\x00"), 1, None),
        (packed([{"a": 1}, [1]]), 2, None),
        (packed([1]), 1, None),
        (packed([{"a": 1}, nested(51)]), 2, "depth"),
        (packed([{}] * 1_001), 1_001, "records"),
        (bytearray(b"\xdd\xff\xff\xff\xff"), 1_001, "records"),
        (bytearray(b"\xdd\x00\x00\x00\x09"), 1, None),
        (packed([{"a": "x" * 900}, {"a": "x" * 1_000_001}]), 2, "record_bytes"),
        (bytearray(b"\x91\x81\x01\x02"), 1, None),
        (bytearray(b"\x91\x81\xa1\xff\x01"), 1, None),
        (bytearray(b"\x81\xa1a\x01"), 1, None),
        (bytearray(b""), 1, None),
        (bytearray(b"\x91" * 3_000), 1, None),
        (bytearray(b"\x91\x81\xa1a" + ormsgpack.packb(ormsgpack.Ext(99, b"x"))), 1, None),
    ],
)
def test_hostile_records_are_refused_with_their_number(payload: bytearray, number: int, limit: str | None) -> None:
    with pytest.raises(RecordRefused) as refused:
        read(payload)

    assert (refused.value.number, refused.value.limit) == (number, limit)


def test_a_record_may_be_as_deep_as_the_limit() -> None:
    assert read(packed([nested(50)])) == [nested(50)]


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read_as_plain_records(noise: bytes) -> None:
    try:
        records = read(bytearray(noise))
    except RecordRefused:
        return

    assert all(type(record) is dict for record in records)


# ----------------------------------------------------------------------------------------------------- Arrow rows


def crossed(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    schema, frames = arrow_frames(batch, None)
    assert frames[0][0] == wire.SCHEMA
    known = pa.ipc.read_schema(pa.py_buffer(frames[0][1]))
    assert known.equals(schema)
    return [pa.ipc.read_record_batch(pa.py_buffer(body), known) for kind, body in frames[1:] if kind == wire.BATCH]


def test_rows_cross_as_arrow() -> None:
    batch = pa.RecordBatch.from_pydict({"a": [1, None, 3], "b": ["x", "y", None], "c": [[1], [], None]})

    assert [part.to_pylist() for part in crossed(batch)] == [batch.to_pylist()]


def test_a_large_batch_crosses_in_pieces() -> None:
    batch = pa.RecordBatch.from_pydict({"a": pa.array(range(2_000_000))})

    parts = crossed(batch)

    assert len(parts) > 2
    assert sum(part.num_rows for part in parts) == 2_000_000
    assert parts[-1].column(0)[-1].as_py() == 1_999_999


def test_the_schema_is_sent_once() -> None:
    batch = pa.RecordBatch.from_pydict({"a": [1]})
    schema, _ = arrow_frames(batch, None)

    _, frames = arrow_frames(batch, schema)

    assert [kind for kind, _ in frames] == [wire.BATCH]


def test_dictionary_and_nanosecond_columns_become_plain() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "a": pa.array(["x", "y", "x"]).dictionary_encode(),
            "b": pa.array([1_000, 2_000, None], pa.timestamp("ns", "UTC")),
            "c": pa.array([{"d": 1_500}, None, {"d": None}], pa.struct([("d", pa.duration("ns"))])),
        }
    )

    (part,) = crossed(batch)

    assert part.schema.types[:2] == [pa.string(), pa.timestamp("us", "UTC")]
    assert part.column(0).to_pylist() == ["x", "y", "x"]
    assert part.column(2).to_pylist()[0] == {"d": timedelta(microseconds=1)}


def test_an_empty_batch_still_brings_its_schema() -> None:
    (part,) = crossed(pa.RecordBatch.from_pydict({"a": pa.array([], pa.int32())}))

    assert part.num_rows == 0
    assert part.schema.names == ["a"]
