"""Passwords in addresses: read from where people put them, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import SourceProblem
from synth.sources.credentials import Address, address_of, masked, path_and_table


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("postgresql://u:pw@h:5432/db", Address("postgresql", "h", 5432, "db", "u", "pw")),
        ("postgres://u@h/db", Address("postgres", "h", None, "db", "u")),
        ("mysql://h/db", Address("mysql", "h", None, "db")),
        ("postgresql+psycopg://u:p%40ss@h/db", Address("postgresql+psycopg", "h", None, "db", "u", "p@ss")),
        ("postgresql://u:p@ss/w#rd@h/db#t", Address("postgresql", "h", None, "db", "u", "p@ss/w#rd", table="t")),
        ("postgresql://u:a?b@h/db?schema=s", Address("postgresql", "h", None, "db", "u", "a?b", schema="s")),
        ("postgresql://[::1]:6/db", Address("postgresql", "::1", 6, "db")),
        ("postgresql://h/db?sslmode=require", Address("postgresql", "h", None, "db", options={"sslmode": "require"})),
        ("mysql://${U}:${P}@h/${D}", Address("mysql", "h", None, "shop", "me", "x@y/z")),
        ("${WHOLE}#orders", Address("mysql", "e", None, "r", "q", "w", table="orders")),
    ],
)
def test_an_address_is_taken_apart(location: str, expected: Address) -> None:
    environment = {"U": "me", "P": "x@y/z", "D": "shop", "WHOLE": "mysql://q:w@e/r"}

    assert address_of(location, environment) == expected


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:hidden@h/db",
        "could not connect to postgresql://u:hid/den@h:5/db?x=1",
        "postgresql://u:p#hidden@h/db",
        "postgresql://u:a:hidden@h/db",
        "mysql://h/db?password=hidden&x=1",
        "host=h password=hidden user=u",
        "https://h/x?api_key=hidden",
    ],
)
def test_a_password_in_any_text_is_masked(text: str) -> None:
    shown = masked(text)

    assert "hidden" not in shown.replace("hid/den", "hidden")
    assert "***" in shown


def test_a_known_secret_is_masked_in_every_spelling() -> None:
    assert masked("it was p@s and p%40s", ["p@s"]) == "it was *** and ***"


def test_an_address_never_shows_its_password() -> None:
    address = address_of("postgresql://u:hidden@h/db?sslpassword=hidden2", {})

    assert "hidden" not in f"{address!r} {address}"
    assert set(address.secrets) == {"hidden", "hidden2"}


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(SourceProblem) as problem:
        address_of("mysql://u:${NOT_SET}@h/db", {"OTHER": "x"})

    assert problem.value.reason == "authentication"
    assert "NOT_SET" in str(problem.value)


def test_a_port_that_is_none_is_said_without_the_password() -> None:
    with pytest.raises(SourceProblem) as problem:
        address_of("mysql://u:hidden@h:99999/db", {})

    assert "99999" in str(problem.value)
    assert "hidden" not in str(problem.value)


def test_a_file_may_hold_a_hash_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a#b.sqlite"
    path.write_bytes(b"x")

    assert path_and_table(str(path), {}, ("sqlite",)) == (path, "", "")
    assert path_and_table(f"{tmp_path}/c.sqlite?schema=s#t%20u", {}, ("sqlite",)) == (tmp_path / "c.sqlite", "s", "t u")
    assert path_and_table(f"sqlite:///{tmp_path}/c.sqlite#t", {}, ("sqlite",))[0] == tmp_path / "c.sqlite"
