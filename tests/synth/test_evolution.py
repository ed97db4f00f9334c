"""A schema's changes are typed, and those that break what was written for the old one are said to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import BadRequest
from synth.evolution import Change, changes, holds
from synth.schema import Field, Schema, Table
from synth.schema_file import is_schema_file, read_back, schema_json
from synth.show import dumps


def table(*fields: Field, name: str = "t", key: tuple[str, ...] = ()) -> Schema:
    return Schema((Table(name, fields, primary_key=key),))


ID = Field("id", "int64", nullable=False)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (table(ID), table(ID), ()),
        (table(ID), table(ID, name="u"), ()),
        (table(ID), table(ID, Field("x", "string")), (Change("added", "t", "x", "", "string"),)),
        (table(ID, Field("x", "string")), table(ID), (Change("removed", "t", "x", "string", "", True),)),
        (table(Field("x", "int32")), table(Field("x", "int64")), (Change("widened", "t", "x", "int32", "int64", True),)),
        (table(Field("x", "string")), table(Field("x", "date32[day]")), (Change("narrowed", "t", "x", "string", "date32[day]"),)),
        (table(Field("x", "double")), table(Field("x", "bool")), (Change("retyped", "t", "x", "double", "bool", True),)),
        (table(Field("x", "bool", nullable=False)), table(Field("x", "bool")), (Change("nullable", "t", "x", breaking=True),)),
        (table(Field("x", "bool")), table(Field("x", "bool", nullable=False)), (Change("required", "t", "x"),)),
        (table(ID, key=("id",)), table(ID, key=("id", "x")), (Change("key", "t", "", "id", "id, x", True),)),
        (
            table(Field("placed", "date32[day]")),
            table(Field("placed_on", "date32[day]")),
            (Change("renamed?", "t", "placed_on", "placed", "placed_on", True, "the names are alike"),),
        ),
        (
            table(Field("town", "string", vocabulary=("Berlin", "Paris", "Oslo"))),
            table(Field("city", "string", vocabulary=("Berlin", "Paris", "Oslo"))),
            (Change("renamed?", "t", "city", "town", "city", True, "100% of the values seen are the same"),),
        ),
        (
            table(Field("a", "int64")),
            table(Field("b", "string")),
            (Change("removed", "t", "a", "int64", "", True), Change("added", "t", "b", "", "string")),
        ),
    ],
)  # fmt: skip
def test_changes_are_named(old: Schema, new: Schema, expected: tuple[Change, ...]) -> None:
    assert changes(old, new) == expected


def test_tables_come_and_go() -> None:
    old, new = Schema((Table("a", (ID,)), Table("b", (ID,)))), Schema((Table("b", (ID,)), Table("c", (ID,))))

    assert changes(old, new) == (Change("table-removed", "a", breaking=True), Change("table-added", "c"))


INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
NUMBERS = st.one_of(
    st.sampled_from([*INTEGERS, pa.float32(), pa.float64()]),
    st.tuples(st.integers(1, 30), st.integers(0, 8)).map(lambda p: pa.decimal128(p[0] + p[1], p[1])),
)


@given(NUMBERS, NUMBERS, st.data())
def test_what_is_said_to_hold_is_cast_without_loss(wide: pa.DataType, narrow: pa.DataType, data: st.DataObject) -> None:
    narrow_type: Any = narrow
    if not holds(str(wide), str(narrow)):
        return
    given_value: pa.Array[Any]
    if pa.types.is_decimal(narrow):
        digits = 10**narrow.precision - 1
        whole = data.draw(st.integers(-digits, digits))
        value = pa.scalar(whole, pa.decimal128(38, 0)).cast(pa.decimal256(60, 0)).as_py().scaleb(-narrow.scale)
        given_value = pa.array([value], narrow_type)
    elif pa.types.is_integer(narrow):
        bits = narrow.bit_width
        low, high = (
            (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if pa.types.is_signed_integer(narrow) else (0, 2**bits - 1)
        )
        given_value = pa.array([data.draw(st.integers(low, high))], narrow_type)
    else:
        given_value = pa.array([data.draw(st.floats(width=32, allow_nan=False))], narrow_type)

    assert given_value.cast(wide).cast(narrow).equals(given_value)


def test_a_schema_is_read_back_as_it_was_printed(tmp_path: Path) -> None:
    schema = table(ID, Field("x", "list<item: string>", examples=("a",), meaning="tags"), key=("id",))
    path = tmp_path / "old.json"

    path.write_text(dumps(schema_json(schema, {"kind": "csv"})))

    assert is_schema_file(path)
    assert changes(schema, read_back(path)) == ()


@pytest.mark.parametrize(
    "text", ["[1]", "{}", '{"a": 1}', "no", json.dumps({"tables": 1, "relations": [], "fields": []})]
)
def test_a_file_without_a_schema_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)

    with pytest.raises(BadRequest, match="holds no schema"):
        read_back(path)
