"""Strings are known for what they point to, and what points to nothing is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.detect import detect
from tests.synth.detect_cases import LATER_STRINGS, STRINGS, TRAPS


@pytest.mark.parametrize(("text", "kind"), STRINGS + LATER_STRINGS)
def test_a_string_is_known(text: str, kind: str) -> None:
    found = detect(text, mode="string")

    assert found.kind in kind.split("|"), found
    assert found.evidence or found.kind == "unknown"
    assert 0.35 <= found.confidence < 1


@pytest.mark.parametrize("text", TRAPS)
def test_what_points_to_no_data_is_unknown(text: str) -> None:
    found = detect(text, mode="string")

    assert found.kind == "unknown", found


@pytest.mark.parametrize(
    "wrapped",
    [
        '"postgresql://u@h/db"',
        "'postgresql://u@h/db'",
        "`postgresql://u@h/db`",
        "<postgresql://u@h/db>",
        "  postgresql://u@h/db  ",
        "DATABASE_URL=postgresql://u@h/db",
        "export DATABASE_URL='postgresql://u@h/db'",
        'url: "postgresql://u@h/db"',
        "psql postgresql://u@h/db",
        'psycopg.connect("postgresql://u@h/db")',
        "sudo psql 'postgresql://u@h/db' -c 'select 1'",
    ],
)
def test_quotes_settings_commands_and_code_are_unwrapped(wrapped: str) -> None:
    assert detect(wrapped, mode="string").kind == "postgresql"


def test_a_host_decides_over_the_scheme_and_says_so() -> None:
    found = detect("postgresql://u@c.abc.eu-west-1.redshift.amazonaws.com:5439/dev", mode="string")

    assert found.kind == "redshift"
    assert any("redshift.amazonaws.com" in words for words in found.evidence)


def test_a_name_alone_never_convinces() -> None:
    found = detect("nowhere/orders.parquet")

    assert found.kind == "parquet"
    assert found.confidence <= 0.6
    assert any("no such file" in words for words in found.evidence)


def test_suffixes_of_compression_are_wrappings() -> None:
    found = detect("nowhere/orders.csv.gz")

    assert (found.kind, found.wrappings, found.connector) == ("csv", ("gzip",), "delimited")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120))
def test_any_text_gets_an_answer(text: str) -> None:
    found = detect(text, mode="string")

    assert 0 <= found.confidence <= 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([text for text, _ in STRINGS]), st.integers(0, 60), st.text(max_size=3))
def test_a_damaged_address_gets_an_answer(text: str, at: int, put: str) -> None:
    found = detect(text[:at] + put + text[at + 1 :], mode="string")

    assert 0 <= found.confidence <= 1
