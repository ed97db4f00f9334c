"""Every export is tried on what it is for: models read the records, tables are created, the diagram names everything."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.arrow_types import arrow_type
from synth.errors import BadRequest
from synth.exports import exported, known
from synth.exports.arrow import schema_of_table
from synth.opening import open_one
from synth.schema import Field, Relation, Schema, Table
from synth.show import dumps
from synth.source import OpenOptions
from tests.services import Server

CUSTOMERS = Table(
    "customers",
    (Field("id", "int64", nullable=False), Field("full name", "string"), Field("class", "string", nullable=False)),
    primary_key=("id",),
)
ITEMS = Table(
    "order items",
    (
        Field("no", "int64", nullable=False),
        Field("customer_id", "int64"),
        Field("total", "decimal128(12, 2)", unit="EUR"),
        Field("placed", "date32[day]"),
        Field("at", "timestamp[us, tz=UTC]"),
        Field("seen", "timestamp[us]"),
        Field("tags", "list<item: string>"),
        Field("where", "struct<lat: double, name: string>"),
        Field("scores", "map<string, int64>"),
        Field("raw", "binary"),
        Field("ok", "bool", nullable=False),
        Field("opens", "time64[us]"),
    ),
    primary_key=("no",),
)
SHOP = Schema((ITEMS, CUSTOMERS), (Relation("order items", ("customer_id",), "customers", ("id",), False, "seen"),))
ITEM: dict[str, Any] = {
    "no": 1,
    "customer_id": None,
    "total": Decimal("12.50"),
    "placed": "2024-02-29",
    "at": "2024-02-29T10:00:00Z",
    "seen": "2024-02-29T10:00:00",
    "tags": ["a", None],
    "where": {"lat": 1.5, "name": None},
    "scores": {"x": 2},
    "raw": "AAE=",
    "ok": True,
    "opens": "08:30:00",
}


def module(source: str, tmp_path: Path) -> dict[str, Any]:
    """The names that a generated module defines; it must type-check, strictly, before."""
    path = tmp_path / "made.py"
    path.write_text(source)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    made = sys.modules["made"] = ModuleType("made")
    exec(compile(source, str(path), "exec"), made.__dict__)
    del sys.modules["made"]
    return made.__dict__


def test_pydantic_models_type_check_and_read_records(tmp_path: Path) -> None:
    made = module(exported(SHOP, "pydantic-models"), tmp_path)
    made["OrderItems"].model_rebuild(_types_namespace=made)

    item = made["OrderItems"].model_validate(ITEM)

    assert (item.total, item.placed.day, item.where.lat) == (Decimal("12.50"), 29, 1.5)
    assert made["Customers"].model_validate({"id": 1, "full name": "A", "class": "b"}).class_ == "b"
    with pytest.raises(ValueError, match="ok"):
        made["OrderItems"].model_validate({**ITEM, "ok": None})


def test_one_table_is_one_model(tmp_path: Path) -> None:
    one = Schema((CUSTOMERS,))

    model = module(exported(one, "pydantic-models"), tmp_path)["Customers"]
    plain = module(exported(one, "dataclass"), tmp_path)["Customers"]

    assert model.model_validate({"id": 1, "full name": None, "class": "b"}).id == 1
    assert plain(1, None, "b").class_ == "b"


def test_dataclasses_type_check(tmp_path: Path) -> None:
    made = module(exported(SHOP, "dataclass"), tmp_path)

    customer = made["Customers"](1, None, "b")

    assert (customer.id, customer.full_name, customer.class_) == (1, None, "b")


def test_json_schema_takes_records_and_refuses_others() -> None:
    one = Schema((ITEMS,))
    document = json.loads(exported(one, "json-schema"))
    jsonschema.Draft202012Validator.check_schema(document)
    check = jsonschema.Draft202012Validator(document)

    faults = [
        [f.message for f in check.iter_errors({**json.loads(dumps(ITEM)), **changed})]
        for changed in ({}, {"no": None}, {"no": "1"}, {"extra": 1}, {"tags": "a"})
    ]

    assert [bool(f) for f in faults] == [False, True, True, True, True]


def test_the_records_of_a_real_source_fit_its_own_json_schema() -> None:
    source = open_one("examples/customers.json", OpenOptions())
    document = json.loads(exported(Schema(source.tables()), "json-schema"))
    [table] = source.tables()
    rows = [row for batch in source.capability.query(f'SELECT * FROM "{table.name}"') for row in batch.to_pylist()]  # type: ignore[attr-defined]  # a file's doors
    source.close()

    faults = list(
        jsonschema.Draft202012Validator({"type": "array", "items": document}).iter_errors(json.loads(dumps(rows)))
    )

    assert rows
    assert not faults, faults[0].message


def test_arrow_source_makes_the_schema(tmp_path: Path) -> None:
    made: dict[str, Any] = {}

    exec(exported(SHOP, "arrow"), made)

    assert made["order_items"] == schema_of_table(ITEMS)
    assert made["customers"] == schema_of_table(CUSTOMERS)


def test_sql_is_taken_by_a_real_server_and_has_the_keys(postgres: Server) -> None:
    import psycopg

    with psycopg.connect(postgres.url()) as connection:
        connection.execute("CREATE SCHEMA exported; SET search_path TO exported")
        connection.execute(exported(SHOP, "sql").encode())
        keys = connection.execute(
            "SELECT conrelid::regclass::text, contype::text FROM pg_constraint WHERE connamespace = 'exported'::regnamespace"
            " AND contype IN ('p', 'f') ORDER BY 1, 2"
        ).fetchall()
        connection.rollback()

    assert keys == [('"order items"', "f"), ('"order items"', "p"), ("customers", "p")]


def test_the_diagram_names_tables_fields_and_relations() -> None:
    text = exported(SHOP, "mermaid")

    assert text.startswith("erDiagram\n")
    assert "order_items }o..o| customers" in text
    assert "int64 id PK" in text
    assert "int64 customer_id FK" in text


def test_an_unknown_export_names_those_that_there_are() -> None:
    with pytest.raises(BadRequest, match="json-schema"):
        exported(SHOP, "yaml")

    assert known() == ["arrow", "dataclass", "json-schema", "mermaid", "pydantic-models", "sql"]


PLAIN = st.sampled_from([
    pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string(), pa.binary(), pa.date32(),
    pa.timestamp("us"), pa.timestamp("ms", "Europe/Berlin"), pa.time64("us"), pa.duration("s"), pa.null(),
    pa.decimal128(12, 2), pa.decimal256(60, 5),
])  # fmt: skip
NAMES = st.text("abcxyz_ é", min_size=1).filter(lambda name: name.strip() == name)
TYPES: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(lambda kind: pa.list_(pa.field("item", kind, nullable=pa.types.is_null(kind)))),
        inner.map(lambda kind: pa.map_(pa.string(), kind)),
        st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0]).map(pa.struct),
    ),
    max_leaves=6,
)


@given(TYPES)
def test_a_type_is_read_back_as_it_was_written(kind: pa.DataType) -> None:
    assert arrow_type(str(kind)) == kind


@pytest.mark.parametrize("text", ["", "varchar", "list<", "struct<a>", "decimal128(x, y)", "map<string>"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no Arrow type"):
        arrow_type(text)
