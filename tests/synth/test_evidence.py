"""Relations that the rows themselves show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from synth.evidence import inferred_relations
from synth.schema import Field, Table


def _table(called: str, /, **columns: Sequence[object]) -> tuple[Table, pa.Table]:
    rows = pa.table({k: list(v) for k, v in columns.items()})
    fields = tuple(Field(k, "string", values=len(v), distinct=len(set(v))) for k, v in columns.items())
    return Table(called, fields, rows.num_rows), rows


STAFF = _table("employees", name=["Ada", "Bo", "Cy"], department=["IT", "IT", "HR"], city=["Rome", "Oslo", "Rome"])


@pytest.mark.parametrize(
    ("other", "related"),
    [
        (_table("departments", department=["IT", "HR", "Legal"], floor=["1", "2", "3"]), True),
        (_table("departments", department=["IT", "IT", "Legal"], floor=["1", "2", "3"]), False),
        (_table("departments", department=["Sales", "Law", "Legal"], floor=["1", "2", "3"]), False),
        (_table("offices", town=["Rome", "Oslo"], floor=["1", "2"]), False),
    ],
)
def test_a_column_called_like_a_row_of_another_table_points_at_it(other: tuple[Table, pa.Table], related: bool) -> None:
    tables = [STAFF[0], other[0]]

    found = inferred_relations(tables, {"employees": STAFF[1], other[0].name: other[1]}, ())

    pointing = [(r.table, r.columns, r.to_table, r.to_columns) for r in found]
    assert pointing == ([("employees", ("department",), "departments", ("department",))] if related else [])


def test_a_declared_key_is_the_only_one_to_point_at() -> None:
    departments, rows = _table("departments", department=["IT", "HR"], code=["a", "b"])
    keyed = replace(departments, primary_key=("code", "department"))

    found = inferred_relations([STAFF[0], keyed], {"employees": STAFF[1], "departments": rows}, ())

    assert found == ()


@pytest.mark.parametrize(
    ("other", "related"),
    [
        (_table("offices", city=["Rome", "Oslo"], floor=["1", "2"]), True),
        (_table("offices", city=["Rome", "Oslo", "Rome"], floor=["1", "2", "3"]), False),
        (_table("offices", city=["Rome", "Bern"], floor=["1", "2"]), False),
        (_table("pets", name=["Ada", "Bo", "Cy", "Di"], kind=["cat", "dog", "cat", "cat"]), False),
    ],
)
def test_a_column_of_the_same_name_points_at_where_all_its_values_are_different_rows(
    other: tuple[Table, pa.Table], related: bool
) -> None:
    found = inferred_relations([STAFF[0], other[0]], {"employees": STAFF[1], other[0].name: other[1]}, ())

    pointing = [(r.table, r.columns, r.to_table, r.to_columns) for r in found]
    assert pointing == ([("employees", ("city",), "offices", ("city",))] if related else [])


def test_two_tables_with_one_row_for_each_value_are_related_once() -> None:
    planes, hangars = _table("planes", tail=["N1", "N2"], seats=["2", "4"]), _table("hangars", tail=["N2", "N1"])

    found = inferred_relations([planes[0], hangars[0]], {"planes": planes[1], "hangars": hangars[1]}, ())

    assert len(found) == 1
