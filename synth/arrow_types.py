"""Arrow's types from the text by which a schema keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_DECIMAL = re.compile(r"decimal(?:128|256)?\((\d+), ?(-?\d+)\)")
_ZONED = re.compile(r"timestamp\[(\w+), tz=(.+)\]")
_NESTED = re.compile(r"(list|large_list|struct|map)<(.*)>", re.DOTALL)
_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=(\w+), ordered=[01]>")


def arrow_type(text: str) -> pa.DataType:
    """The type that `str` writes as this text, nested ones too. Raises ValueError for any other text."""
    import pyarrow as pa

    if found := _DECIMAL.fullmatch(text):
        digits, scale = int(found.group(1)), int(found.group(2))
        return pa.decimal128(digits, scale) if digits <= 38 else pa.decimal256(digits, scale)
    if found := _ZONED.fullmatch(text):
        unit: Any = found.group(1)
        return pa.timestamp(unit, found.group(2))
    if found := _DICTIONARY.fullmatch(text):
        return arrow_type(found.group(1))
    if found := _NESTED.fullmatch(text):
        kind, inner = found.groups()
        if kind == "struct":
            return pa.struct([_member(part) for part in _parts(inner)])
        if kind == "map":
            kinds = _parts(re.sub(r" \([^()]*\)$", "", inner))
            if len(kinds) != 2:
                raise ValueError(f"{text!r} is no Arrow type: a map has a key and a value")
            return pa.map_(arrow_type(kinds[0]), arrow_type(kinds[1]))
        return pa.list_(_member(inner))
    named: Callable[[str], pa.DataType] = pa.type_for_alias  # type: ignore[assignment]  # the stubs know literals only
    try:
        return named(text)
    except ValueError:
        raise ValueError(f"{text!r} is no Arrow type") from None


def _member(text: str) -> pa.Field[pa.DataType]:
    """A field as Arrow writes it within another: `name: type` and perhaps `not null`."""
    import pyarrow as pa

    name, _, kind = text.partition(": ")
    required = kind.endswith(" not null")
    return pa.field(name, arrow_type(kind.removesuffix(" not null")), nullable=not required)


def _parts(text: str) -> list[str]:
    """The text cut at the commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        if character in "<[(":
            depth += 1
        elif character in ">])":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]
