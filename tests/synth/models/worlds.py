"""Tasks over small and over very wide schemas, for the tests of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from sandbox.finding import Finding
from synth.request import Draft, Mended, Request, Task, ValueMatch
from synth.schema import Field, Relation, Schema, Table

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)

ORDERS = Table(
    "orders",
    (
        Field("id", "int64", nullable=False, values=200, distinct=200, examples=(1, 2, 3), meaning="identifier"),
        Field("customer_id", "int64", nullable=False, values=200, distinct=40, examples=(7, 12)),
        Field(
            "status", "string", values=200, distinct=3, examples=("paid", "open"), vocabulary=("open", "paid", "void")
        ),
        Field(
            "total", "decimal128(10, 2)", values=200, nulls=4, distinct=180, examples=(Decimal("1250.50"),), unit="EUR"
        ),
        Field("placed", "date32[day]", reading='CAST("placed" AS DATE)', values=200, examples=(date(2024, 1, 5),)),
        Field("paid", "bool", values=200, distinct=2, examples=(True, False)),
    ),
    rows=4_000,
    primary_key=("id",),
)
CUSTOMERS = Table(
    "customers",
    (
        Field("id", "int64", nullable=False, values=40, distinct=40, examples=(1, 2)),
        Field("name", "string", values=40, distinct=40, examples=("Anna Schmidt", "Jean-Luc Öz")),
        Field("email", "string", values=40, distinct=39, examples=("anna.schmidt@mail.example",), meaning="email"),
        Field(
            "city", "string", values=40, nulls=1, distinct=12, examples=("Berlin", "Paris"), comment="where goods go"
        ),
    ),
    rows=40,
    primary_key=("id",),
    comment="who buys",
)
SHOP = Schema((ORDERS, CUSTOMERS), (Relation("orders", ("customer_id",), "customers", ("id",), True, "declared"),))
EXAMPLE = (
    "orders of Jean Dupont since 2023-05-01 over 500",
    "def closure(source, *, name: str = 'Jean Dupont', minimum: int = 500):\n"
    '    """Orders of Jean Dupont over 500."""\n'
    "    for row in source.query(\"SELECT id, total FROM orders WHERE name = 'Jean Dupont' AND total > ?\", [minimum]):\n"
    "        yield {'id': row['id'], 'total': row['total']}\n",
)
CODE = (
    "def closure(source, *, city: str = 'Berlin'):\n"
    "    for row in source.query('SELECT name, city FROM customers WHERE city = ?', [city]):\n"
    "        yield {'name': row['nome']}\n"
)
MENDED = Mended(
    Draft(CODE, "scripted"),
    (
        Finding("runs", "raised", "ValueError: Anna Schmidt of anna.schmidt@mail.example is not in range", 3),
        Finding(
            "faithful",
            "wrong-values",
            "over sample B the closure's records differ from what the request means in total: 'Jean-Luc Öz' has 1250.50",
            record={"name": "Anna Schmidt", "total": Decimal("1250.50"), "orders": [1, 2], "vip": None},
            hint="Check which columns are read and how they are combined.",
        ),
        Finding(
            "typed", "wrong-type", "record 17: 'x' is no int64", record={"name": "Bo", "note": "a longer one " * 9}
        ),
    ),
)


def found(words: str) -> Sequence[ValueMatch]:
    """Berlin as it stands, and a spelling of Paris that nobody wrote in the request."""
    matches = {
        "Berlin": ValueMatch("customers", "city", "Berlin"),
        "Paris": ValueMatch("customers", "city", "PARIS 8e", False),
    }
    return [matches[words]] if words in matches else []


def task(
    text: str = "total per customer in Berlin or Paris, over 100 EUR, highest first",
    schema: Schema = SHOP,
    **more: object,
) -> Task:
    """A task over the shop."""
    made = {
        "request": Request(text, NOW),
        "schema": schema,
        "shape": "table",
        "dialect": "postgres",
        "kind": "postgresql",
        "find_values": found,
        "examples": (EXAMPLE,),
        "lessons": ("typed/wrong-type on 'total': yield Decimal, not float (seen 3 times)",),
        **more,
    }
    return Task(**made)  # type: ignore[arg-type]  # the fields of Task


def api_task() -> Task:
    """A task over a JSON API."""
    fields = (Field("id", "int64", examples=(1,)), Field("tags", "list<item: string>"))
    return task(
        "how many issues are open",
        Schema((Table("issues", fields, path="/repos/issues"),)),
        shape="http",
        kind="json-api",
        dialect="duckdb",
        examples=(),
        lessons=(),
    )
