"""API keys: made, listed, revoked, expired; kept as hashes only."""

from __future__ import annotations

import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.service.keys import BadKey, Key, Keys, KeysUnreadable, add_key, list_keys, revoke_key

NOW = datetime.now(UTC)


def test_a_key_opens_and_its_secret_is_nowhere_in_the_home(tmp_path: Path) -> None:
    key, text = add_key(tmp_path, "reports", ["execute"])

    found = Keys(tmp_path).known(text, NOW)

    assert found == key
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    secret = text.rpartition(f"{key.id}_")[2]
    assert len(secret) == 43
    assert not any(secret in path.read_text() for path in files)
    assert stat.S_IMODE((tmp_path / "service" / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("change", ["", "x", "cut", "other secret", "other id"])
def test_a_wrong_text_opens_nothing(tmp_path: Path, change: str) -> None:
    key, text = add_key(tmp_path, "one", ["admin"])
    other = add_key(tmp_path, "two", ["admin"])[1]
    wrong = {
        "": "",
        "x": text + "x",
        "cut": text[:-1],
        "other secret": f"tars_{key.id}_{other[-43:]}",
        "other id": f"tars_{'0' * 12}_{text[-43:]}",
    }[change]

    assert Keys(tmp_path).known(wrong, NOW) is None


def test_an_expired_key_opens_nothing(tmp_path: Path) -> None:
    _, text = add_key(tmp_path, "short", ["validate"], days=1)
    keys = Keys(tmp_path)

    assert keys.known(text, NOW + timedelta(hours=23)) is not None
    assert keys.known(text, NOW + timedelta(hours=25)) is None


def test_revoking_is_good_at_once_for_who_has_the_keys_open(tmp_path: Path) -> None:
    key, text = add_key(tmp_path, "one", ["execute"])
    keys = Keys(tmp_path)
    assert keys.known(text, NOW) is not None

    revoked = revoke_key(tmp_path, key.id)

    assert revoked.revoked is not None
    assert keys.known(text, NOW) is None
    assert [one.revoked for one in list_keys(tmp_path)] == [revoked.revoked]


def test_revoking_by_a_name_that_two_keys_have_is_refused(tmp_path: Path) -> None:
    add_key(tmp_path, "twin", ["execute"])
    add_key(tmp_path, "twin", ["execute"])

    with pytest.raises(BadKey, match="2 keys called 'twin'"):
        revoke_key(tmp_path, "twin")
    with pytest.raises(BadKey, match="no keys called 'nobody'"):
        revoke_key(tmp_path, "nobody")


@pytest.mark.parametrize(
    ("scopes", "asked", "may"),
    [
        (("execute",), "execute", True),
        (("execute",), "execute:shop", True),
        (("execute:shop",), "execute:shop", True),
        (("execute:shop",), "execute:other", False),
        (("execute:shop",), "execute", False),
        (("run:sales",), "run:sales", True),
        (("run:sales",), "run:sales2", False),
        (("run:*",), "run:anything", True),
        (("run:*",), "execute", False),
        (("validate",), "execute", False),
        (("metrics",), "metrics", True),
        (("admin",), "run:sales", True),
        (("execute",), "admin", False),
        (("execute",), "metrics", False),
    ],
)
def test_scopes(scopes: tuple[str, ...], asked: str, may: bool) -> None:
    assert Key("id", "name", "", scopes, "").may(asked) is may


@pytest.mark.parametrize("scope", ["run", "root", "execute:", "run:a b", "ADMIN", "execute:*", ""])
def test_a_scope_that_is_none_is_refused(tmp_path: Path, scope: str) -> None:
    with pytest.raises(BadKey, match="there are: execute"):
        add_key(tmp_path, "name", [scope])


@pytest.mark.parametrize(
    ("name", "days", "quota"), [("", None, None), ("a\nb", None, None), ("a", 0.0, None), ("a", None, 0)]
)
def test_nonsense_is_refused(tmp_path: Path, name: str, days: float | None, quota: int | None) -> None:
    with pytest.raises(BadKey):
        add_key(tmp_path, name, ["execute"], days=days, per_minute=quota)


def test_a_damaged_file_lets_nobody_in(tmp_path: Path) -> None:
    _, text = add_key(tmp_path, "one", ["admin"])
    keys = Keys(tmp_path)
    assert keys.known(text, NOW) is not None
    (tmp_path / "service" / "keys.json").write_text("{")

    with pytest.raises(KeysUnreadable):
        keys.known(text, NOW)
    with pytest.raises(KeysUnreadable):
        keys.is_empty()


def test_a_file_that_vanishes_lets_nobody_in(tmp_path: Path) -> None:
    add_key(tmp_path, "one", ["admin"])
    keys = Keys(tmp_path)
    assert not keys.is_empty()
    os.remove(tmp_path / "service" / "keys.json")

    with pytest.raises(KeysUnreadable, match="gone"):
        keys.is_empty()


def test_keys_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    threads = [threading.Thread(target=add_key, args=(tmp_path, f"k{n}", ["execute"])) for n in range(12)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {key.name for key in list_keys(tmp_path)} == {f"k{n}" for n in range(12)}
    assert len(json.loads((tmp_path / "service" / "keys.json").read_text())["keys"]) == 12
