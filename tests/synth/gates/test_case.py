"""A case holds a draft against no more rows than it can reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from sandbox.job import Limits
from sandbox.open import open_sandbox
from synth.gates.case import Case
from synth.models.builtin import draft_of
from synth.plan import Column, Join, Output, Plan
from synth.request import Draft, Request, Task
from synth.schema import Field, Schema, Table
from synth.source import Sample
from synth.sources.duck import DuckDoors, DuckSource

TABLES = tuple(Table(name, (Field("id", "int64"),)) for name in ("orders", "customers", "visits"))
ROWS = {table.name: pa.table({"id": [1, 2, 3]}) for table in TABLES}
ALONE = Plan("orders", (Output(Column("orders", "id"), "id"),))
JOINED = replace(ALONE, joins=(Join("customers", ("id",), "orders", ("id",)),))


@pytest.mark.parametrize(("plan", "reached"), [(ALONE, ["orders"]), (JOINED, ["orders", "customers"]), (None, [*ROWS])])
def test_only_the_tables_of_a_plan_are_copied(plan: Plan | None, reached: list[str]) -> None:
    doors = DuckDoors()
    for table in TABLES:
        doors.add_arrow(table, ROWS[table.name])
    source = DuckSource("shop", "csv", doors, tables=TABLES)
    task = Task(Request("ids of orders", datetime(2026, 4, 1, tzinfo=UTC)), Schema(TABLES), "table", "duckdb", "csv")
    code = 'def closure(source):\n    yield from source.query("SELECT id FROM orders")\n'
    draft = draft_of(plan, task) if plan else Draft(code, "scripted")
    sandbox = open_sandbox()

    case = Case(draft, task, source, Sample(ROWS, ROWS), sandbox, Limits())

    assert list(case.a) == list(case.b) == reached
    assert case.on_b.result.status == "ok"
    assert len(case.on_b.records) == 3
    sandbox.close()
