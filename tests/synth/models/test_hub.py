"""Models are added from folders and fetched from a hub: a real client against a real server of ours that speaks its protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.home import opened
from synth.errors import BadRequest
from synth.models import hub as hubs
from synth.models.onnx import load, place_of
from synth.models.problem import ModelProblem
from tests.synth.models.hub_server import COMMIT, Hub, hub
from tests.synth.models.onnx_models import model_folder
from training.onnx_shapes import Shape, save, weights_of

REPO = "someone/Tiny-1M"
SMALL = Shape("llama", layers=1, hidden=32, heads=2, kv_heads=1, intermediate=32)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two precisions, weights beside the graphs, and things that nobody needs."""
    folder = model_folder(tmp_path_factory.mktemp("origin") / "m", SMALL, external=True)
    save(folder, SMALL, weights_of(SMALL), precision="int4", external=True)
    (folder / "README.md").write_text("# Tiny")
    (folder / "model.safetensors").write_bytes(b"\0" * 10_000)
    (folder / "run.py").write_text("print('no')")
    return folder


@pytest.fixture
def served(origin: Path) -> Iterator[Hub]:
    """The repository on a server."""
    with hub(REPO, origin) as state:
        yield state


def environment(served: Hub, home: Path, **more: str) -> dict[str, str]:
    """A home of its own, and the server as the hub."""
    return {"TARS_HOME": str(home), "HF_ENDPOINT": served.url, **more}


def test_a_repository_is_fetched_with_what_a_model_needs_and_no_more(served: Hub, tmp_path: Path) -> None:
    said = environment(served, tmp_path)

    made = hubs.add(REPO, said)

    there = sorted(str(f.relative_to(made.folder)) for f in made.folder.rglob("*") if f.is_file())
    assert there == [
        "config.json",
        "generation_config.json",
        "onnx/model_q4.onnx",
        "onnx/model_q4.onnx_data",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert {f: (made.folder / f).read_bytes() for f in there} == {f: served.files[f] for f in there}
    assert (made.name, made.precision, made.origin) == ("Tiny-1M", "q4", f"{REPO}@{COMMIT}")
    assert hubs.added(said) == {"Tiny-1M": made}
    assert place_of("Tiny-1M", said) == (made.folder, "q4")
    assert load(made.folder).decoder.begin([5, 6]).logits.shape == (1, SMALL.vocab)


def test_nothing_is_told_to_the_hub_that_it_need_not_know(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_another_place")

    hubs.add(REPO, environment(served, tmp_path))

    assert {path for path, _ in served.asked if "telemetry" in path or "agent" in path} == set()
    assert all("authorization" not in headers for _, headers in served.asked)
    assert all(
        "torch" not in headers["user-agent"] and "agent/" not in headers["user-agent"] for _, headers in served.asked
    )


def test_a_connection_that_breaks_is_gone_on_with(served: Hub, tmp_path: Path) -> None:
    served.breaks["onnx/model_q4.onnx_data"] = [100_000]

    made = hubs.add(REPO, environment(served, tmp_path))

    assert (made.folder / "onnx/model_q4.onnx_data").read_bytes() == served.files["onnx/model_q4.onnx_data"]
    first, second = served.served("model_q4.onnx_data")
    assert first == ""
    assert second.startswith("bytes=")
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= 100_000


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_what_an_earlier_try_fetched_is_kept(ignores_ranges: bool, served: Hub, tmp_path: Path) -> None:
    said = environment(served, tmp_path)
    made = hubs.add(REPO, said)
    whole = made.folder / "onnx/model_q4.onnx_data"
    data = whole.read_bytes()
    digest = next(f for f in served.info()["siblings"] if f["rfilename"].endswith("q4.onnx_data"))  # type: ignore[attr-defined]  # a list of dicts
    whole.with_name(f"{whole.name}.{digest['lfs']['sha256'][:12]}.part").write_bytes(data[:3_000])
    whole.unlink()
    served.asked.clear()
    served.ignores_ranges = ignores_ranges

    hubs.add(REPO, said)

    assert whole.read_bytes() == data
    assert [path for path, _ in served.asked if "/resolve/" in path] == [f"/{REPO}/resolve/{COMMIT}/onnx/{whole.name}"]
    assert served.served(whole.name) == ["bytes=3000-"]
    assert list(made.folder.rglob("*.part")) == []


@pytest.mark.parametrize("name", ["onnx/model_q4.onnx_data", "config.json"])
def test_a_file_with_another_hash_is_not_kept(name: str, served: Hub, tmp_path: Path) -> None:
    served.corrupt.add(name)
    said = environment(served, tmp_path)

    with pytest.raises(ModelProblem, match="does not have the hash") as caught:
        hubs.add(REPO, said)

    assert caught.value.reason == "corrupt-model"
    assert not (tmp_path / "models/Tiny-1M" / name).exists()
    assert hubs.added(said) == {}


def test_another_precision_and_name_can_be_said(served: Hub, tmp_path: Path) -> None:
    said = environment(served, tmp_path)

    made = hubs.add(REPO, said, name="tiny", precision="fp32", revision="main")

    assert (made.folder / "onnx/model.onnx_data").exists()
    assert not (made.folder / "onnx/model_q4.onnx").exists()
    assert list(hubs.added(said)) == ["tiny"]
    with pytest.raises(ModelProblem, match=r"no precision 'int8'.*There are: q4, fp32"):
        hubs.add(REPO, said, precision="int8")


def test_a_token_is_sent_where_the_environment_gives_one(served: Hub, tmp_path: Path) -> None:
    served.token = "hf_secret"
    served.error_code = "GatedRepo"
    with pytest.raises(ModelProblem, match=r"accepted its terms.*HF_TOKEN") as caught:
        hubs.add(REPO, environment(served, tmp_path))

    made = hubs.add(REPO, environment(served, tmp_path, HF_TOKEN="hf_secret"))

    assert caught.value.reason == "authorisation"
    assert made.folder.is_dir()


@pytest.mark.parametrize(
    ("what", "revision", "words", "reason"),
    [
        ("someone/else", "", "has no someone/else", "no-such-model"),
        (REPO, "v9", "has no such revision", "no-such-model"),
    ],
)
def test_what_the_hub_does_not_have_is_told(
    what: str, revision: str, words: str, reason: str, served: Hub, tmp_path: Path
) -> None:
    with pytest.raises(ModelProblem, match=words) as caught:
        hubs.add(what, environment(served, tmp_path), revision=revision)

    assert caught.value.reason == reason


def test_a_hub_that_fails_or_is_not_there_is_told(served: Hub, tmp_path: Path) -> None:
    said = environment(served, tmp_path)
    served.status = 500
    with pytest.raises(ModelProblem, match="answered 500"):
        hubs.add(REPO, said)

    with pytest.raises(ModelProblem, match="could not be fetched") as caught:
        hubs.add(REPO, {**said, "HF_ENDPOINT": "http://127.0.0.1:9"})

    assert caught.value.reason == "no-server"


def test_a_repository_without_a_graph_is_told(served: Hub, tmp_path: Path) -> None:
    served.files = {k: v for k, v in served.files.items() if not k.startswith("onnx/")}

    with pytest.raises(ModelProblem, match=r"has no onnx/model\.onnx"):
        hubs.add(REPO, environment(served, tmp_path))


def test_names_that_lead_out_of_the_folder_are_not_fetched(served: Hub, tmp_path: Path) -> None:
    served.files["onnx/../../../evil.onnx_data"] = b"x"
    served.files["onnx/model_q4.onnx_data/../../x"] = b"x"
    served.files["/etc/model.onnx"] = b"x"

    hubs.add(REPO, environment(served, tmp_path))

    assert {f.name for f in tmp_path.rglob("*") if "evil" in f.name or f.name == "x"} == set()
    assert all("evil" not in path for path, _ in served.asked)


def test_two_at_once_do_not_disturb_each_other(served: Hub, tmp_path: Path) -> None:
    said = environment(served, opened(tmp_path / "home"))
    problems: list[Exception] = []

    def one() -> None:
        try:
            hubs.add(REPO, said)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(served.served("model_q4.onnx_data")) == 1


# --------------------------------------------------------------------------------------------------------------- folders


def test_a_folder_is_known_by_a_name_and_stays_where_it_is(origin: Path, tmp_path: Path) -> None:
    said = {"TARS_HOME": str(tmp_path)}

    made = hubs.add(str(origin), said, name="mine", precision="fp32")

    assert made.folder == origin.resolve()
    assert place_of("mine", said) == (origin.resolve(), "fp32")
    assert place_of("mine@q4", said) == (origin.resolve(), "q4")
    assert place_of(f"{origin}@q4", said) == (origin.resolve(), "q4")
    assert not (tmp_path / "models/mine").exists()


def test_the_list_tells_what_is_there_and_what_is_gone(origin: Path, tmp_path: Path) -> None:
    said = {"TARS_HOME": str(tmp_path / "home")}
    lost = model_folder(tmp_path / "lost", SMALL)
    hubs.add(str(origin), said, name="mine")
    hubs.add(str(lost), said, name="lost")
    (lost / "config.json").unlink()
    (tmp_path / "home/models/odd.toml").write_text("not = [toml")

    rows = list(hubs.sizes(hubs.added(said)))

    assert [(r["name"], r["state"]) for r in rows] == [("lost", f"{lost} has no config.json"), ("mine", "ready")]
    assert rows[1]["precision"] == "int4"
    assert json.dumps(rows)


@pytest.mark.parametrize(
    ("what", "name", "words"),
    [
        ("nowhere", "", "neither a folder nor a repository"),
        ("a/b/c", "", "neither"),
        (".", "../x", "cannot be a model's name"),
    ],
)
def test_what_cannot_be_meant_is_told(what: str, name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=words):
        hubs.add(what, {"TARS_HOME": str(tmp_path)}, name=name)


def test_a_name_that_nobody_knows_is_told_with_those_that_are(origin: Path, tmp_path: Path) -> None:
    said = {"TARS_HOME": str(tmp_path)}
    hubs.add(str(origin), said, name="mine")

    with pytest.raises(BadRequest, match=r"no model 'yours'.*\(mine\)"):
        place_of("yours", said)
