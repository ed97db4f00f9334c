"""JSON items become columns and lose nothing: whatever they hold comes out again, or is set aside with its number."""

from __future__ import annotations

import json
from decimal import Decimal

import duckdb
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synth.sources.item_shape import Item, Shape, items_shape, merged_items, table_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.sampled_from(["a", "A", "b", "", "x.y"]), of, max_size=3),
    max_leaves=8,
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(["id", "ID", "name", "a.b", ""]), VALUES, max_size=4), max_size=6)


def plain(value: object, shape: Shape) -> object:
    """What a value is expected to come out as in a column of this shape."""
    if value is None:
        return None
    if shape.sort == "struct":
        if value == []:
            return None
        assert isinstance(value, dict)
        return {name: plain(value.get(key), shape.members[key]) for key, name in shape.column_names().items()}
    if shape.sort == "list":
        if value == {}:
            return None
        assert isinstance(value, list)
        return [plain(each, shape.of or Shape()) for each in value]
    if shape.sort in ("int", "decimal", "double"):
        assert isinstance(value, int | float | Decimal)
        return float(value) if shape.sort == "double" else value
    if isinstance(value, str) or shape.sort == "bool":
        return value
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, default=float)
    return str(value)


@settings(max_examples=80, deadline=None)
@given(ITEMS)
def test_every_item_comes_out_again_or_is_set_aside(items: list[Item]) -> None:
    shape = items_shape(items)
    assume(shape.members)

    table, bad = table_of(items, shape)

    assert table.num_rows + len(bad) == len(items)
    kept = [item for i, item in enumerate(items) if i not in bad]
    names = shape.column_names()
    for row, item in zip(table.to_pylist(), kept, strict=True):
        for key, name in names.items():
            expected = plain(item.get(key), shape.members[key])
            if shape.members[key].sort == "unseen":
                assert row[name] is None or item.get(key) in ({}, [])
            elif not (isinstance(expected, dict | list)):
                assert row[name] == expected


@settings(max_examples=60, deadline=None)
@given(ITEMS)
def test_duckdb_takes_every_shape(items: list[Item]) -> None:
    table, _ = table_of(items, items_shape(items))
    if not table.num_columns:
        return

    connection = duckdb.connect()
    connection.register("items", table)
    count = connection.sql("SELECT count(*) FROM (SELECT * FROM items)").fetchall()
    connection.close()

    assert count == [(table.num_rows,)]


@settings(max_examples=60, deadline=None)
@given(ITEMS, ITEMS)
def test_items_of_one_page_never_bend_another_pages_shape(first: list[Item], then: list[Item]) -> None:
    shape = items_shape(first)
    assume(shape.members)

    table, bad = table_of(then, shape)

    assert table.num_rows + len(bad) == len(then)
    assert table.schema == table_of(first, shape)[0].schema


@settings(max_examples=60, deadline=None)
@given(ITEMS, ITEMS)
def test_a_merged_shape_holds_both(first: list[Item], then: list[Item]) -> None:
    shape = merged_items(items_shape(first), items_shape(then))

    _, bad_first = table_of(first, shape)
    _, bad_then = table_of(then, shape)

    for rule, value in (*bad_first.values(), *bad_then.values()):
        assert "a number" in rule or "text" in rule or set(value) <= set("[]{}nul, ")


def test_money_is_exact_and_computed_numbers_are_doubles() -> None:
    exact = items_shape([{"n": Decimal("19.99")}, {"n": 5}]).members["n"]
    computed = items_shape([{"n": Decimal("0.30000000000000004")}]).members["n"]

    assert str(exact.arrow()) == "decimal128(18, 2)"
    assert str(computed.arrow()) == "double"


def test_an_empty_object_written_as_a_list_is_empty() -> None:
    items: list[Item] = [{"extra": {"a": 1}}, {"extra": []}]

    table, bad = table_of(items, items_shape(items))

    assert (table.column("extra").to_pylist(), bad) == ([{"a": 1}, None], {})


def test_an_object_with_very_many_members_is_text() -> None:
    shape = items_shape([{"prices": {f"2021-{n}": n for n in range(500)}}])

    assert shape.members["prices"].sort == "text"
