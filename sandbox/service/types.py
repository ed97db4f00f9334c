"""This file is the type words of requests (`decimal(18, 2)`, `date`) as Arrow types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

WORDS = "text, integer, number, decimal(P, S), boolean, date, time, timestamp, timestamptz"
_DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")


class NoSuchType(Exception):
    """The word names no type; the message lists those there are."""


def arrow_type(word: str) -> pa.DataType:
    """The Arrow type of a word. Raises NoSuchType."""
    import pyarrow as pa

    plain: dict[str, pa.DataType] = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", "UTC"),
    }
    found = plain.get(word)
    if found is not None:
        return found
    parts = _DECIMAL.fullmatch(word)
    if parts and 1 <= int(parts[1]) <= 38 and int(parts[2]) <= int(parts[1]):
        return pa.decimal128(int(parts[1]), int(parts[2]))
    raise NoSuchType(f"no type {word[:40]!r}; there are: {WORDS}")
