"""Keys, addresses, budgets and the choice of a model, read from an environment."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.errors import BadRequest, TarsError
from synth.models.budget import TOKENS_PER_REQUEST, Budget, Caps, Price, caps_from, price_from
from synth.models.choose import known, writers_for
from synth.models.endpoint import HOSTED, Endpoint, endpoint_of
from synth.models.keys import key_of
from synth.models.openai import create
from synth.models.problem import ModelProblem
from synth.models.text_writer import TextWriter

KEY = "sk-test-0123456789abcdef"


# ---------------------------------------------------------------------------------------------------------------- keys


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-the-file\n")
    said = {"OPENAI_API_KEY": f" {KEY}\n", "OPENAI_API_KEY_FILE": str(tmp_path / "key")}

    assert key_of(said, "host") == KEY
    assert key_of({**said, "OPENAI_API_KEY": ""}, "host") == "from-the-file"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"two words", "no key"),
        (b"first\nsecond", "no key"),
        ("schlüssel".encode(), "no key"),
        (b"\xff\xfe\x00", "no key"),
        (b"x" * 20_000, "no key"),
    ],
)
def test_a_file_without_a_key_is_told_without_what_it_holds(content: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ModelProblem, match=words) as caught:
        key_of({"OPENAI_API_KEY_FILE": str(file)}, "host")

    assert "second" not in str(caught.value)
    assert caught.value.reason == "bad-settings"


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(ModelProblem, match="cannot be read"):
        key_of({"OPENAI_API_KEY_FILE": str(tmp_path)}, "host")


@pytest.fixture
def _ring() -> Iterator[None]:
    """A keyring that is kept in memory, in the place of the system's."""
    keyring = pytest.importorskip("keyring")
    backend = importlib.import_module("keyring.backend")

    class InMemory(backend.KeyringBackend):  # type: ignore[misc, name-defined]  # the optional package is not typed for us
        priority = 1
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    keyring.set_password("tars", "models.example", "from-the-ring")
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("_ring")
def test_the_keyring_holds_a_key_for_each_host() -> None:
    said = {"OPENAI_BASE_URL": "https://models.example/v1"}

    assert endpoint_of("m", said).key == "from-the-ring"
    assert key_of({}, "other.example") == ""
    assert key_of({"OPENAI_API_KEY": KEY}, "models.example") == KEY


# ----------------------------------------------------------------------------------------------------------- addresses


def test_a_key_is_needed_for_the_hosted_service_and_is_in_no_repr() -> None:
    with pytest.raises(ModelProblem, match=r"needs a key.*OPENAI_BASE_URL"):
        endpoint_of("m", {})
    endpoint = endpoint_of("m", {"OPENAI_API_KEY": KEY})

    assert endpoint.base_url == HOSTED
    assert endpoint.key == KEY
    assert KEY not in repr(endpoint)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://gpu.localhost:1234", True),
        ("http://127.0.0.1:11434/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://localhost.example.com/v1", False),
        ("http://10.0.0.7:8000/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://[::2]/v1", False),
    ],
)
def test_what_is_on_this_machine_is_told_from_what_is_not(address: str, local: bool) -> None:
    writer = create("m", {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": KEY})

    assert isinstance(writer, TextWriter)
    assert Endpoint("m", address).local is local
    assert writer.share == ("sample" if local else "schema")


@pytest.mark.parametrize(
    "address",
    ["localhost:8000", "ftp://models.example", "http://", "http://h:99999/v1", "http://h:0", "http://[::1/v1", "x"],
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ModelProblem, match="is not the address of a server"):
        endpoint_of("m", {"OPENAI_BASE_URL": address})


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ModelProblem) as caught:
        endpoint_of("m", {"OPENAI_BASE_URL": "http://user:hunter2@models.example/v1"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TARS_MODEL_TIMEOUT", "soon"),
        ("TARS_MODEL_TIMEOUT", "0"),
        ("TARS_MODEL_TIMEOUT", "nan"),
        ("TARS_MODEL_TRIES", "0"),
        ("TARS_MODEL_TRIES", "1000"),
        ("TARS_MODEL_MAX_TOKENS", "-1"),
    ],
)
def test_a_setting_that_is_no_number_is_told(name: str, text: str) -> None:
    with pytest.raises(ModelProblem, match=name):
        endpoint_of("m", {"OPENAI_BASE_URL": "http://localhost/v1", name: text})


# ------------------------------------------------------------------------------------------------------------- budgets


def test_budgets_are_read_from_the_environment() -> None:
    said = {"TARS_BUDGET_TOKENS": "50_000", "TARS_BUDGET_RUN_COST": "2.5"}

    assert caps_from(said) == Caps(50_000, None, None, 2.5)
    assert caps_from({}) == Caps(TOKENS_PER_REQUEST, None, None, None)


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf"])
def test_a_budget_that_is_none_is_told(text: str) -> None:
    with pytest.raises(BadRequest, match="TARS_BUDGET_RUN_TOKENS"):
        caps_from({"TARS_BUDGET_RUN_TOKENS": text})


def test_prices_come_from_the_users_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models."org/m-7b"]\ninput = 0.5\noutput = 1\n')
    said = {"TARS_PRICES": str(file)}

    assert price_from(said, "org/m-7b") == Price(0.5, 1.0)
    assert price_from(said, "other") is None
    assert price_from({}, "org/m-7b") is None


@pytest.mark.parametrize(
    "text", ["[models", "[models.m]\ninput = 1", '[models.m]\ninput="a"\noutput=1', "[models.m]\ninput=-1\noutput=1"]
)
def test_a_price_file_that_makes_no_sense_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text)

    with pytest.raises(BadRequest, match="TARS_PRICES"):
        price_from({"TARS_PRICES": str(file)}, "m")


def test_a_budget_in_money_needs_a_price() -> None:
    with pytest.raises(ModelProblem, match="needs the model's price"):
        Budget(Caps(request_cost=1.0))


def test_a_request_that_is_gone_leaves_no_account_behind() -> None:
    class Request:
        pass

    budget = Budget()
    kept = Request()
    account = budget.account_of(kept)
    for _ in range(50):
        budget.account_of(Request())

    assert budget.account_of(kept) is account
    assert len(budget._requests) < 5


# -------------------------------------------------------------------------------------------------------------- choice


def test_models_are_the_files_that_can_be_opened() -> None:
    assert {"builtin", "openai", "scripted"} <= set(known())
    assert not {"choose", "budget", "share", "text_writer", "messages"} & set(known())


def test_auto_is_the_builtin_first_and_then_the_configured_model() -> None:
    said = {"TARS_MODEL": "openai:m", "OPENAI_BASE_URL": "http://localhost/v1"}

    assert [w.name for w in writers_for("auto", said)] == ["builtin", "openai:m"]
    assert [w.name for w in writers_for("", {})] == ["builtin"]


def test_a_cascade_keeps_its_order_and_its_level_of_sharing(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text("hello")
    said = {"OPENAI_BASE_URL": "https://models.example/v1", "OPENAI_API_KEY": KEY, "TARS_SHARE": "none"}

    by_default = writers_for("openai:a, openai:org/b:free", said)
    as_said = writers_for(f"scripted:{tmp_path / 'replies'},openai:a", said, "sample")

    assert [(w.name, getattr(w, "share", "")) for w in by_default] == [
        ("openai:a", "none"),
        ("openai:org/b:free", "none"),
    ]
    assert [getattr(w, "share", "") for w in as_said] == ["sample", "sample"]


@pytest.mark.parametrize(
    ("choice", "said", "words"),
    [
        ("gpt", {}, "no model called 'gpt'; there are: builtin"),
        ("../x", {}, "no model called"),
        ("openai", {}, "which model"),
        ("openai:m", {"OPENAI_API_KEY": KEY, "TARS_SHARE": "all"}, "none, schema, sample"),
        ("scripted:/no/such", {}, "no file with replies"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_told(choice: str, said: dict[str, str], words: str) -> None:
    with pytest.raises(TarsError, match=words):
        writers_for(choice, said)
