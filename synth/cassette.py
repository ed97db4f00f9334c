"""A cassette: the source calls of a proof as JSON Lines that a person can read, typed so that replay gives the very same values."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sandbox.broker import Call


def dumped(calls: Iterable[Call]) -> bytes:
    """One line a call: verb, args, kwargs, and its answer as rows."""
    return b"".join(_line(_call(c)) for c in calls)


def loaded(data: bytes) -> list[Call]:
    """The calls of a cassette."""
    calls = []
    for line in data.decode().splitlines():
        raw = json.loads(line)
        refused = tuple(raw["refused"]) if raw.get("refused") else None
        batches = tuple(untagged(b) for b in raw["batches"])
        calls.append(Call(raw["verb"], tuple(untagged(raw["args"])), untagged(raw["kwargs"]), batches, refused))  # type: ignore[arg-type]  # as dumped
    return calls


def records_dumped(records: Iterable[Mapping[str, object]]) -> bytes:
    """One line a record, typed."""
    return b"".join(_line(tagged(dict(r))) for r in records)


def records_loaded(data: bytes) -> list[dict[str, object]]:
    """The records again."""
    return [untagged(json.loads(line)) for line in data.decode().splitlines()]  # type: ignore[misc]  # as dumped


def tagged(value: object) -> object:
    """A value as JSON; what JSON has no word for becomes {"$kind": text}."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, time):
        return {"$time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"$microseconds": value // timedelta(microseconds=1)}
    if isinstance(value, UUID):
        return {"$uuid": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        plain = {str(k): tagged(v) for k, v in value.items()}
        return {"$map": plain} if any(k.startswith("$") for k in plain) else plain
    if isinstance(value, Sequence):
        return [tagged(v) for v in value]
    return str(value)


_MADE = {
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$microseconds": lambda n: timedelta(microseconds=n),
    "$uuid": UUID,
    "$bytes": base64.b64decode,
}


def untagged(value: object) -> object:
    """The value that was tagged."""
    if isinstance(value, list):
        return [untagged(v) for v in value]
    if isinstance(value, dict):
        if len(value) == 1:
            name, held = next(iter(value.items()))
            if name == "$map":
                return {k: untagged(v) for k, v in held.items()}
            if name in _MADE:
                return _MADE[name](held)  # type: ignore[operator]  # each takes what it wrote
        return {k: untagged(v) for k, v in value.items()}
    return value


def _call(call: Call) -> dict[str, object]:
    import pyarrow as pa

    rows = [b.to_pylist() if isinstance(b, pa.RecordBatch) else list(b) for b in call.batches]
    return {
        "verb": call.verb,
        "args": tagged(list(call.args)),
        "kwargs": tagged(dict(call.kwargs)),
        "refused": call.refused,
        "batches": [tagged(b) for b in rows],
    }


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
