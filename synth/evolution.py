"""How one schema became another: typed changes, and which of them break what was written for the old one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synth.arrow_types import arrow_type
from synth.schema import Field, Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa

ChangeKind = Literal[
    "table-added", "table-removed", "added", "removed", "renamed?", "widened", "narrowed", "retyped", "nullable",
    "required", "key",
]  # fmt: skip
ALIKE = 0.6
"""A field that is gone and a new one of the same type are perhaps one when their names (0 to 1, by difflib) or values are so alike."""


@dataclass(frozen=True)
class Change:
    """One change. `breaking`: a record of the new shape may not fit the old schema. `evidence` says why a rename is supposed."""

    kind: ChangeKind
    table: str
    field: str = ""
    old: str = ""
    new: str = ""
    breaking: bool = False
    evidence: str = ""

    def __str__(self) -> str:
        where = f"{self.table}.{self.field}" if self.field else self.table
        arrow = f": {self.old} -> {self.new}" if self.old or self.new else ""
        more = f" ({self.evidence})" if self.evidence else ""
        return f"{'BREAKING ' if self.breaking else ''}{self.kind} {where}{arrow}{more}"


def changes(old: Schema, new: Schema) -> tuple[Change, ...]:
    """Every change, table by table. Two schemas of one table each are compared whatever the tables are called."""
    if len(old.tables) == len(new.tables) == 1:
        return tuple(_within(old.tables[0], new.tables[0]))
    before, after = {t.name: t for t in old.tables}, {t.name: t for t in new.tables}
    found: list[Change] = []
    for name, table in before.items():
        if name in after:
            found += _within(table, after[name])
        else:
            found.append(Change("table-removed", name, breaking=True))
    found += [Change("table-added", name) for name in after if name not in before]
    return tuple(found)


def _within(old: Table, new: Table) -> Iterator[Change]:
    before, after = {f.name: f for f in old.fields}, {f.name: f for f in new.fields}
    gone = [f for f in old.fields if f.name not in after]
    fresh = [f for f in new.fields if f.name not in before]
    for one, other, evidence in _renamed(gone, fresh):
        yield Change("renamed?", new.name, other.name, one.name, other.name, True, evidence)
        yield from _of_field(new.name, one, other)
        gone.remove(one)
        fresh.remove(other)
    yield from (Change("removed", new.name, f.name, f.type, "", True) for f in gone)
    yield from (Change("added", new.name, f.name, "", f.type) for f in fresh)
    for name, field in before.items():
        if name in after:
            yield from _of_field(new.name, field, after[name])
    if old.primary_key and new.primary_key and old.primary_key != new.primary_key:
        yield Change("key", new.name, "", ", ".join(old.primary_key), ", ".join(new.primary_key), True)


def _of_field(table: str, old: Field, new: Field) -> Iterator[Change]:
    if old.type != new.type:
        kind: ChangeKind = (
            "widened" if holds(new.type, old.type) else "narrowed" if holds(old.type, new.type) else "retyped"
        )
        yield Change(kind, table, new.name, old.type, new.type, kind != "narrowed")
    if old.nullable != new.nullable:
        yield Change("nullable" if new.nullable else "required", table, new.name, breaking=new.nullable)


def _renamed(gone: Sequence[Field], fresh: Sequence[Field]) -> list[tuple[Field, Field, str]]:
    """Pairs that may be one field under two names, the likeliest first; each field in one pair at most."""
    scored = sorted(
        ((score, one, other, why) for one in gone for other in fresh for score, why in [_likeness(one, other)]),
        key=lambda entry: -entry[0],
    )
    taken: list[Field] = []
    found = []
    for score, one, other, why in scored:
        if score >= ALIKE and one not in taken and other not in taken:
            taken += [one, other]
            found.append((one, other, why))
    return found


def _likeness(one: Field, other: Field) -> tuple[float, str]:
    if one.type != other.type:
        return 0.0, ""
    names = difflib.SequenceMatcher(None, one.name.lower(), other.name.lower()).ratio()
    values = _shared(one.vocabulary or one.examples, other.vocabulary or other.examples)
    if values > names:
        return values, f"{values:.0%} of the values seen are the same"
    return names, "the names are alike"


def _shared(one: Iterable[object], other: Iterable[object]) -> float:
    """Of the values seen on both sides, the share that both have; flags and small numbers are in every column and say nothing."""
    mine, theirs = ({str(v) for v in values if isinstance(v, str) and len(v) > 2} for values in (one, other))
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def holds(wide: str, narrow: str) -> bool:
    """Whether every value of the narrow type is one of the wide type, without loss."""
    return wide == narrow or _holds(arrow_type(wide), arrow_type(narrow))


def _holds(wide: pa.DataType, narrow: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    if wide == narrow or types.is_null(narrow) or types.is_string(wide) or types.is_large_string(wide):
        return not types.is_nested(narrow) or wide == narrow
    if types.is_list(wide) and types.is_list(narrow):
        return _holds(wide.value_type, narrow.value_type)
    if types.is_struct(wide) and types.is_struct(narrow):
        members = {f.name: f.type for f in wide}
        return all(f.name in members and _holds(members[f.name], f.type) for f in narrow)
    if types.is_timestamp(wide) and (types.is_date(narrow) or types.is_timestamp(narrow)):
        units = ["s", "ms", "us", "ns"]
        same_zone = types.is_date(narrow) or (wide.tz is None) == (narrow.tz is None)
        return same_zone and (types.is_date(narrow) or units.index(wide.unit) >= units.index(narrow.unit))
    return _holds_numbers(wide, narrow)


def _holds_numbers(wide: pa.DataType, narrow: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    if types.is_floating(narrow):
        return bool(types.is_floating(wide) and wide.bit_width >= narrow.bit_width)
    if types.is_floating(wide):
        return types.is_integer(narrow) and _whole_digits(narrow) <= {16: 3, 32: 7, 64: 15}[wide.bit_width]
    if types.is_integer(wide) and types.is_integer(narrow):
        (least, most), (low, high) = _range(wide), _range(narrow)
        return least <= low and high <= most
    if types.is_decimal(wide) and (types.is_decimal(narrow) or types.is_integer(narrow)):
        scale = narrow.scale if types.is_decimal(narrow) else 0
        return bool(wide.scale >= scale and wide.precision - wide.scale >= _whole_digits(narrow))
    return False


def _range(kind: pa.DataType) -> tuple[int, int]:
    import pyarrow as pa

    bits = kind.bit_width
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if pa.types.is_signed_integer(kind) else (0, 2**bits - 1)


def _whole_digits(kind: pa.DataType) -> int:
    import pyarrow as pa

    return kind.precision - kind.scale if pa.types.is_decimal(kind) else len(str(_range(kind)[1]))
