"""The shape that JSON items share, and items made into Arrow columns of that shape without losing any of them silently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Item = dict[str, object]
Sort = Literal["unseen", "bool", "int", "decimal", "double", "text", "list", "struct"]

# Numbers that a computer worked out (0.30000000000000004) are doubles; numbers that somebody wrote (19.99) are exact.
MOST_DECIMALS = 9
LEAST_PRECISION = 18
# An object with more members than this is a map whose keys are data; it is kept as JSON text.
MOST_MEMBERS = 300
INT64 = 2**63


@dataclass(frozen=True)
class Shape:
    """What a value may be. `digits` before and `scale` after the point for numbers; `of` for lists; `members` for structs.

    `members` go by the key in the JSON; `column_names` tells the name that the column has."""

    sort: Sort = "unseen"
    digits: int = 0
    scale: int = 0
    of: Shape | None = None
    members: Mapping[str, Shape] = field(default_factory=dict)

    def column_names(self) -> dict[str, str]:
        """Column name by key. Names that differ only in case are told apart, since SQL would not tell them apart."""
        taken: set[str] = set()
        names: dict[str, str] = {}
        for key in self.members:
            name = key or "unnamed"
            number = 2
            while name.casefold() in taken:
                name = f"{key or 'unnamed'}_{number}"
                number += 1
            taken.add(name.casefold())
            names[key] = name
        return names

    def arrow(self) -> pa.DataType:
        """The Arrow type of values of this shape."""
        import pyarrow as pa

        if self.sort == "struct":
            names = self.column_names()
            return pa.struct([pa.field(names[key], member.arrow()) for key, member in self.members.items()])
        if self.sort == "list":
            return pa.list_((self.of or Shape()).arrow())
        if self.sort == "decimal":
            return pa.decimal128(self.precision, self.scale)
        simple: dict[str, pa.DataType] = {"bool": pa.bool_(), "int": pa.int64(), "double": pa.float64()}
        return simple.get(self.sort, pa.string())

    @property
    def precision(self) -> int:
        """Digits of the decimal type: room to spare, so that a later page seldom needs a wider one."""
        return min(38, max(LEAST_PRECISION, self.digits + self.scale))

    def is_records(self) -> bool:
        """A list of objects."""
        return self.sort == "list" and self.of is not None and self.of.sort == "struct"


TEXT = Shape("text")


def shape_of(values: Sequence[object]) -> Shape:
    """The narrowest shape that holds all values. Scalars of different sorts meet in text; so do objects and scalars."""
    sorts = set(map(type, values))
    sorts.discard(type(None))
    if not sorts:
        return Shape()
    if sorts == {bool}:
        return Shape("bool")
    if sorts <= {int, Decimal, float}:
        return _number_shape([v for v in values if isinstance(v, int | Decimal | float)], sorts)
    if sorts == {dict}:
        return _struct_shape([v for v in values if isinstance(v, dict)])
    if sorts == {dict, list}:
        # Some languages write an empty object as [] and an empty list as {}.
        objects, lists = [v for v in values if isinstance(v, dict)], [v for v in values if isinstance(v, list)]
        return TEXT if any(objects) and any(lists) else shape_of(objects if any(objects) else lists)
    if sorts == {list}:
        return Shape("list", of=shape_of([each for v in values if isinstance(v, list) for each in v]))
    return TEXT


def _number_shape(values: Sequence[int | Decimal | float], sorts: set[type]) -> Shape:
    if float in sorts:
        return Shape("double")
    whole = [v for v in values if isinstance(v, int)]
    digits = len(str(max(abs(min(whole)), abs(max(whole))))) if whole else 0
    if sorts == {int}:
        if min(whole) >= -INT64 and max(whole) < INT64:
            return Shape("int", digits=digits)
        return Shape("decimal", digits=digits) if digits <= 38 else TEXT
    scale = 0
    for value in values:
        if isinstance(value, Decimal):
            _, figures, exponent = value.as_tuple()
            places = -int(exponent)
            scale = max(scale, places)
            digits = max(digits, len(figures) - places)
    if scale > MOST_DECIMALS or max(LEAST_PRECISION, digits + scale) > 38:
        return Shape("double")
    return Shape("decimal", digits=digits, scale=scale)


def _struct_shape(values: Sequence[Item]) -> Shape:
    keys: dict[str, None] = {}
    for value in values:
        keys.update(dict.fromkeys(value))
    if len(keys) > MOST_MEMBERS:
        return TEXT
    if not keys:
        return Shape()
    return Shape("struct", members={key: shape_of([v.get(key) for v in values]) for key in keys})


def merged(one: Shape, other: Shape) -> Shape:
    """The narrowest shape that holds what either holds."""
    if one.sort == "unseen" or one == other:
        return other
    if other.sort == "unseen":
        return one
    numbers = {"int", "decimal", "double"}
    if one.sort in numbers and other.sort in numbers:
        return _merged_numbers(one, other)
    if one.sort == other.sort == "struct":
        keys = dict.fromkeys((*one.members, *other.members))
        if len(keys) > MOST_MEMBERS:
            return TEXT
        members = {k: merged(one.members.get(k, Shape()), other.members.get(k, Shape())) for k in keys}
        return Shape("struct", members=members)
    if one.sort == other.sort == "list":
        return Shape("list", of=merged(one.of or Shape(), other.of or Shape()))
    for empty, full in ((one, other), (other, one)):
        if empty.sort == "list" and (empty.of is None or empty.of.sort == "unseen") and full.sort == "struct":
            return full
    return one if one.sort == other.sort else TEXT


def _merged_numbers(one: Shape, other: Shape) -> Shape:
    if "double" in (one.sort, other.sort):
        return Shape("double")
    digits, scale = max(one.digits, other.digits), max(one.scale, other.scale)
    if one.sort == other.sort == "int":
        return Shape("int", digits=digits)
    return Shape("decimal", digits=digits, scale=scale) if digits + scale <= 38 else Shape("double")


def items_shape(items: Sequence[Item]) -> Shape:
    """The shape of the items themselves: always a struct, however wide."""
    keys: dict[str, None] = {}
    for item in items:
        keys.update(dict.fromkeys(item))
    return Shape("struct", members={key: shape_of([item.get(key) for item in items]) for key in keys})


def merged_items(one: Shape, other: Shape) -> Shape:
    """As `merged`, for the items themselves: columns only ever join."""
    keys = dict.fromkeys((*one.members, *other.members))
    return replace(
        one,
        sort="struct",
        members={k: merged(one.members.get(k, Shape()), other.members.get(k, Shape())) for k in keys},
    )


def table_of(items: Sequence[Item], shape: Shape) -> tuple[pa.Table, dict[int, tuple[str, str]]]:
    """The items as columns of `shape`, and those that do not fit it: index → (rule, value). These are not in the table.

    Only casts that keep the value are made: a whole number into decimals, any scalar into text. Keys that the shape does
    not know are left out; `unknown_keys` tells which."""
    import pyarrow as pa

    bad: dict[int, tuple[str, str]] = {}
    names = shape.column_names()
    arrays = [
        _array([item.get(key) for item in items], member, names[key], range(len(items)), bad)
        for key, member in shape.members.items()
    ]
    schema = pa.schema([pa.field(names[key], member.arrow()) for key, member in shape.members.items()])
    table = pa.Table.from_arrays(arrays, schema=schema)
    if bad:
        table = table.take(pa.array([i for i in range(len(items)) if i not in bad], pa.int64()))
    return table, bad


def unknown_keys(items: Iterable[Item], shape: Shape) -> set[str]:
    """Top-level keys of the items that the shape does not know."""
    seen: set[str] = set()
    for item in items:
        seen.update(item)
    return seen.difference(shape.members)


def _array(
    values: list[object], shape: Shape, name: str, owners: Sequence[int], bad: dict[int, tuple[str, str]]
) -> pa.Array[Any]:
    """One column. `owners` says which item each value belongs to."""
    import pyarrow as pa

    sorts = set(map(type, values))
    sorts.discard(type(None))
    kind = shape.arrow()
    if not sorts:
        return _column(values, kind)
    if shape.sort == "struct":
        return _structs(values, shape, name, owners, bad)
    if shape.sort == "list":
        return _lists(values, shape, name, owners, bad)
    if sorts <= _AS_IT_IS.get(shape.sort, frozenset()):
        try:
            return _column(values, kind)
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass  # some value does not fit: which one is found below
    fitted: list[object] = []
    for owner, value in zip(owners, values, strict=True):
        try:
            fitted.append(None if value is None else _fitted(value, shape))
        except ValueError:
            bad.setdefault(owner, (f"{name} is not {_IN_WORDS[shape.sort].format(shape)}", shown(value)))
            fitted.append(None)
    return _column(fitted, kind)


def _column(values: Sequence[object], kind: Any) -> pa.Array[Any]:
    import pyarrow as pa

    column: pa.Array[Any] = pa.array(values, kind)
    return column


_AS_IT_IS: dict[str, frozenset[type]] = {
    "bool": frozenset({bool}),
    "int": frozenset({int}),
    "decimal": frozenset({int, Decimal}),
    "double": frozenset({float}),
    "text": frozenset({str}),
}
_IN_WORDS = {
    "bool": "true or false",
    "int": "a whole number of 64 bits",
    "decimal": "a number with at most {0.scale} decimals",
    "double": "a number",
    "text": "valid text",
    "unseen": "valid text",
    "list": "a list",
    "struct": "an object",
}


def _fitted(value: object, shape: Shape) -> object:
    """The value as its column takes it. ValueError when that would change it."""
    if shape.sort in ("text", "unseen"):
        text = value if isinstance(value, str) else as_text(value)
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise ValueError
        return text
    if isinstance(value, bool):
        if shape.sort == "bool":
            return value
        raise ValueError
    if not isinstance(value, int | float | Decimal) or shape.sort == "bool":
        raise ValueError
    if shape.sort == "double":
        if isinstance(value, int) and int(float(value)) != value:
            raise ValueError
        return float(value)
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise ValueError
    if shape.sort == "int":
        if exact != exact.to_integral_value() or not -INT64 <= exact < INT64:
            raise ValueError
        return int(exact)
    _, figures, exponent = exact.normalize().as_tuple()
    if -int(exponent) > shape.scale or len(figures) + int(exponent) > shape.precision - shape.scale:
        raise ValueError
    return exact


def _structs(
    values: list[object], shape: Shape, name: str, owners: Sequence[int], bad: dict[int, tuple[str, str]]
) -> pa.Array[Any]:
    import pyarrow as pa

    rows: list[Item | None] = []
    for owner, value in zip(owners, values, strict=True):
        if value is not None and not isinstance(value, dict) and value != []:
            bad.setdefault(owner, (f"{name} is not {_IN_WORDS['struct']}", shown(value)))
        rows.append(value if isinstance(value, dict) else None)
    names = shape.column_names()
    arrays = [
        _array([r.get(key) if r is not None else None for r in rows], member, f"{name}.{names[key]}", owners, bad)
        for key, member in shape.members.items()
    ]
    fields = [pa.field(names[key], member.arrow()) for key, member in shape.members.items()]
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=pa.array([r is None for r in rows], pa.bool_()))


def _lists(
    values: list[object], shape: Shape, name: str, owners: Sequence[int], bad: dict[int, tuple[str, str]]
) -> pa.Array[Any]:
    import pyarrow as pa

    flat: list[object] = []
    flat_owners: list[int] = []
    offsets: list[int | None] = []
    for owner, value in zip(owners, values, strict=True):
        if isinstance(value, list):
            offsets.append(len(flat))
            flat.extend(value)
            flat_owners.extend([owner] * len(value))
            continue
        if value is not None and value != {}:
            bad.setdefault(owner, (f"{name} is not {_IN_WORDS['list']}", shown(value)))
        offsets.append(None)
    offsets.append(len(flat))
    of = shape.of or Shape()
    within = _array(flat, of, name, flat_owners, bad)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), within, type=pa.list_(of.arrow()))


def as_text(value: object) -> str:
    """A JSON value as text: scalars as JSON writes them, objects and lists as JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return str(value)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def shown(value: object) -> str:
    """A value for a message, at most 80 characters."""
    text = as_text(value)
    return text if len(text) <= 80 else text[:79] + "…"
