"""Wide schemas fit a small prompt, and what the request concerns is in it."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest

from synth.models.messages import first, messages_of
from synth.models.pruned import ROOM, pruned, words_of
from synth.schema import Field, Relation, Schema, Table
from tests.synth.models.worlds import SHOP, task

TOKENS = 6_000
BYTES_PER_TOKEN = 3  # names and JSON have more
STEMS = (
    "account batch branch carrier claim contract depot device driver event grant ledger lot meter node part plan pool port"
    " quota rate region route shift site slot stock tariff task ticket tier unit vendor zone"
).split()
TRAITS = (
    "code name kind state level count weight height origin target owner started ended updated created rate flag note index"
    " score"
).split()


def wide_table(columns: int = 2_000) -> Schema:
    chance = random.Random(5)
    names = [f"{chance.choice(STEMS)}_{chance.choice(TRAITS)}_{n}" for n in range(columns)]
    names[1500], names[1777], names[60] = "delivery_country", "InvoiceAmount", "row_key"
    fields = tuple(Field(n, "string", values=100, distinct=9, examples=("some value", "another")) for n in names)
    return Schema((Table("measurements", fields, 10_000, ("row_key",)),))


def many_tables(count: int = 500) -> Schema:
    chance = random.Random(7)
    tables = []
    for number in range(count):
        fields = [Field("id", "int64", examples=(1, 2))]
        fields += [
            Field(f"{chance.choice(STEMS)}_{chance.choice(TRAITS)}", "string", examples=("v",)) for _ in range(20)
        ]
        tables.append(Table(f"{chance.choice(STEMS)}_{chance.choice(STEMS)}_{number}", tuple(fields), 100, ("id",)))
    tables[490] = Table(
        "invoices",
        (
            Field("id", "int64"),
            Field("buyer_ref", "int64"),
            Field("amount", "decimal128(9, 2)"),
            *tables[490].fields[1:],
        ),
        100,
        ("id",),
    )
    tables[491] = Table(
        "buyer_sites", (Field("id", "int64"), Field("country_ref", "int64"), Field("x", "string")), 100, ("id",)
    )
    tables[492] = Table("countries", (Field("id", "int64"), Field("country_name", "string")), 100, ("id",))
    return Schema(
        tuple(tables),
        (
            Relation("invoices", ("buyer_ref",), "buyer_sites", ("id",), True),
            Relation("buyer_sites", ("country_ref",), "countries", ("id",), True),
        ),
    )


def size(schema: Schema, request: str) -> int:
    text = "\n".join(m["content"] for m in messages_of(task(request, schema), "sample"))
    return len(text.encode()) // BYTES_PER_TOKEN


WIDE = {"2 000 columns": wide_table(), "500 tables": many_tables()}


@pytest.mark.parametrize(
    "request_text", ["invoice amount per country", "xyzzy", "everything", "name of each vendor, newest first"]
)
@pytest.mark.parametrize("what", WIDE)
def test_a_wide_schema_fits_a_small_context(what: str, request_text: str) -> None:
    assert size(WIDE[what], request_text) <= TOKENS


def test_the_columns_that_a_request_concerns_are_told_among_2000() -> None:
    text = first(task("sum of invoice amounts per country of delivery", WIDE["2 000 columns"], lessons=()), "sample")

    for name in ("delivery_country", "InvoiceAmount", "row_key"):
        assert f'- "{name}": string' in text
    assert "columns that are not shown" in text


def test_the_tables_that_a_request_concerns_and_those_between_them_are_told_among_500() -> None:
    text = first(task("invoice amount per country name", WIDE["500 tables"]), "sample")

    for table in ("invoices", "buyer_sites", "countries"):
        assert f'table "{table}", 100 rows, key "id"' in text
    assert '"invoices"("buyer_ref") -> "buyer_sites"("id")' in text
    assert '- "buyer_ref": int64' in text
    assert '- "country_ref": int64' in text
    assert "tables that are not shown" in text


def test_the_column_that_holds_a_value_of_the_request_is_told() -> None:
    fields = tuple(Field(f"c{n}", "string", examples=("x" * 40, "y" * 40, "z" * 40)) for n in range(900))
    kept = pruned(Schema((Table("t", fields),)), "how many in Berlin", lambda f: f.name * 10, sought=[("t", "c777")])

    assert "c777" in [f.name for f in kept.tables[0].fields]


def test_a_small_schema_is_told_whole() -> None:
    kept = pruned(SHOP, "nothing in particular", lambda f: f.name)

    assert [t.table.name for t in kept.tables] == ["orders", "customers"]
    assert [t.fields for t in kept.tables] == [t.fields for t in SHOP.tables]
    assert kept.relations == SHOP.relations
    assert (kept.named, kept.left_out) == ((), 0)


@pytest.mark.parametrize("what", WIDE)
def test_every_table_and_column_is_told_named_or_counted(what: str) -> None:
    schema = WIDE[what]
    kept = pruned(schema, "invoice amount per country", lambda f: f"{f.name}: {f.type}, nullable; e.g. x")

    assert len(kept.tables) + len(kept.named) + kept.left_out == len(schema.tables)
    for shown in kept.tables:
        assert len(shown.fields) + len(shown.named) + shown.left_out == len(shown.table.fields)
        assert set(shown.table.primary_key) <= {f.name for f in shown.fields}
    size = sum(len(f.name) + 30 for t in kept.tables for f in t.fields) + sum(len(n) + 4 for n in kept.named)
    assert size < ROOM * 1.2


@pytest.mark.parametrize("names", [["x" * 10_000], ["a"] * 300, [f"{'long_' * 60}{n}" for n in range(300)]])
def test_absurd_names_stay_within_the_room(names: Sequence[str]) -> None:
    schema = Schema(tuple(Table(f"t{n}", tuple(Field(name, "string") for name in names)) for n in range(3)))

    assert size(schema, "anything") <= TOKENS


def test_words_are_parted_folded_and_made_singular() -> None:
    assert words_of("InvoiceAmounts per delivery_countries, HTTPStatus of XML2023") == [
        *("invoice", "amount", "delivery", "country", "http", "status", "xml", "2023")
    ]


@pytest.mark.parametrize("what", WIDE)
def test_pruning_takes_no_time(what: str) -> None:
    began = time.process_time()
    first(task("sum of invoice amounts per country of delivery", WIDE[what]), "sample")

    assert time.process_time() - began < 0.5
