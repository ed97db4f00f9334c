"""The onnx model as a writer: drafts, sampling, stops, budgets, settings; and the commands around it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synth.cli import tars
from synth.errors import BadRequest
from synth.models.budget import Budget, Caps
from synth.models.choose import known, writers_for
from synth.models.onnx import Engine, LocalModel, Settings, load, settings_from
from synth.models.onnx_sampling import Sampling, drawn, penalised, sampling_of
from synth.models.onnx_words import Words
from synth.models.problem import BudgetReached, ModelProblem
from synth.models.text_writer import TextWriter, closure_in
from tests.synth.models.onnx_models import TEMPLATE, model_folder
from training.onnx_parity import SHAPES
from training.onnx_shapes import Shape

RECORDED = json.loads((Path(__file__).parent / "onnx_parity.json").read_text())
GREEDY = Sampling()
WARM = Sampling(temperature=1.0)
LONG = Shape("qwen2", layers=1, context=4096)
ASKED = [{"role": "system", "content": "Write a closure."}, {"role": "user", "content": "total per city"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a context that holds a prompt."""
    return model_folder(tmp_path_factory.mktemp("onnx") / "babbler", LONG)


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    """It, loaded."""
    return load(folder, settings=Settings(most_tokens=200, threads=1))


def model(engine: Engine, budget: Budget | None = None) -> LocalModel:
    """It, as a model to be asked."""
    return LocalModel("babbler", lambda: engine, budget)


# ------------------------------------------------------------------------------------------------------------- generating


def test_unguided_and_greedy_it_says_what_torch_said(tmp_path: Path) -> None:
    engine = load(model_folder(tmp_path / "m", SHAPES["llama"]), settings=Settings(threads=1))

    for one in RECORDED["llama"]:
        (row,) = engine.generate(one["prompt"], GREEDY, most=48, guided=False)

        assert row.tokens == one["reply"]
        assert row.finish == "length"


def test_a_reply_ends_at_each_token_that_the_configuration_names(tmp_path: Path) -> None:
    reply = RECORDED["llama"][0]["reply"]
    stop = next(t for t in reply[8:] if reply.index(t) >= 8)
    folder = model_folder(tmp_path / "m", SHAPES["llama"], generation={"eos_token_id": [1, stop]})

    (row,) = load(folder).generate(RECORDED["llama"][0]["prompt"], GREEDY, most=48, guided=False)

    assert row.tokens == reply[: reply.index(stop)]
    assert row.finish == "stop"


def test_a_reply_ends_after_a_stop_string(engine: Engine) -> None:
    prompt = engine.words.tokens("what is it?")
    (whole,) = engine.generate(prompt, GREEDY, most=40, guided=False)
    text = engine.words.text(whole.tokens)
    wanted = text[6:8]

    (row,) = engine.generate(prompt, GREEDY, most=40, guided=False, stop_strings=[wanted])

    assert row.finish == "stop"
    assert wanted in engine.words.text(row.tokens)
    assert wanted not in engine.words.text(row.tokens[:-1])
    assert row.tokens == whole.tokens[: len(row.tokens)]


@pytest.mark.parametrize("layout", ["past", "fused", "no-past"])
def test_samples_of_one_prefill_differ_and_come_again_with_the_same_seed(layout: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SHAPES["qwen2"], layout)  # type: ignore[arg-type]  # one of its layouts
    engine = load(folder, settings=Settings(threads=1))
    prompt = RECORDED["qwen2"][1]["prompt"]

    def drafts(seed: int) -> list[list[int]]:
        return [row.tokens for row in engine.generate(prompt, WARM, rows=4, most=24, guided=False, seed=seed)]

    first, again, other = drafts(3), drafts(3), drafts(4)

    assert first == again
    assert first != other
    assert len({tuple(d) for d in first}) == 4


def test_rows_that_end_early_leave_the_others_as_they_were(engine: Engine) -> None:
    prompt = engine.words.tokens("abc")

    together = engine.generate(prompt, WARM, rows=5, most=120, seed=9)

    assert {row.finish for row in together} <= {"stop", "closed"}
    assert len({len(row.tokens) for row in together}) > 1
    for row in together:
        assert closure_in(engine.words.text(row.tokens)) or engine.words.text(row.tokens).startswith("CANNOT: ")


@pytest.mark.parametrize("seed", range(12))
def test_a_guided_reply_is_one_closure_or_a_no_whatever_its_room(seed: int, engine: Engine) -> None:
    for rows, most in ((1, 200), (3, 260), (1, 420)):
        made = engine.generate(engine.words.tokens("?"), WARM, rows=rows, most=most, seed=seed)

        for row in made:
            text = engine.words.text(row.tokens)
            assert len(row.tokens) <= most
            if not text.startswith("CANNOT: "):
                code = closure_in(text)
                assert code is not None, text
                assert [getattr(n, "name", "") for n in ast.parse(code).body].count("closure") == 1


def test_a_prompt_that_does_not_fit_is_told(folder: Path) -> None:
    engine = load(folder, settings=Settings(context=64))

    with pytest.raises(ModelProblem, match="the prompt has 64 tokens, and the model's context ends at 64") as caught:
        engine.generate([5] * 64, GREEDY)
    (row,) = engine.generate([5] * 50, GREEDY, guided=False)

    assert caught.value.reason == "context-too-long"
    assert len(row.tokens) == 14


def test_a_reply_that_takes_too_long_is_stopped(folder: Path) -> None:
    engine = load(folder, settings=Settings(seconds=1e-6))

    with pytest.raises(ModelProblem, match="no reply within") as caught:
        engine.generate([5, 6], GREEDY, guided=False)

    assert caught.value.reason == "timeout"


# --------------------------------------------------------------------------------------------------------------- sampling


def test_only_the_likely_ones_are_drawn() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    chance = np.random.default_rng(0)

    def seen(sampling: Sampling) -> set[int]:
        return {drawn(logits, sampling, chance) for _ in range(300)}

    assert seen(Sampling()) == {0}
    assert seen(Sampling(1.0)) == {0, 1, 2, 3}
    assert seen(Sampling(1.0, top_k=2)) == {0, 1}
    assert seen(Sampling(1.0, top_p=0.79)) == {0, 1}
    assert seen(Sampling(1.0, top_p=0.85)) == {0, 1, 2}
    assert seen(Sampling(0.05)) == {0}


def test_draws_are_as_frequent_as_they_are_likely() -> None:
    chance = np.random.default_rng(1)
    logits = np.log(np.array([0.7, 0.2, 0.1], dtype=np.float32))

    counts = np.bincount([drawn(logits, Sampling(1.0), chance) for _ in range(4000)], minlength=3) / 4000

    np.testing.assert_allclose(counts, [0.7, 0.2, 0.1], atol=0.03)


def test_what_was_said_counts_for_less() -> None:
    changed = penalised(np.array([2.0, -2.0, 1.0]), [0, 1, 1], 2.0)

    assert changed.tolist() == [1.0, -4.0, 1.0]


def test_settings_of_the_folder_are_read_as_far_as_they_make_sense() -> None:
    said = {"top_k": 20, "top_p": 0.9, "repetition_penalty": 1.1, "temperature": 0.2}

    assert sampling_of(said, 0.8) == Sampling(0.8, 20, 0.9, 1.1)
    assert sampling_of({"top_k": None, "top_p": 7, "repetition_penalty": "x"}, 0.0) == Sampling()


# ----------------------------------------------------------------------------------------------------------------- words


def test_the_folders_template_makes_the_prompt(folder: Path) -> None:
    words = Words(folder)

    text = words._tokenizer.decode(words.prompt(ASKED))

    assert text == "<s>system: Write a closure.\n<s>user: total per city\n<s>assistant: "
    assert words.prompt(ASKED).count(0) == 3


def test_a_template_that_knows_no_system_is_told_what_it_says_first(tmp_path: Path) -> None:
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE
    words = Words(model_folder(tmp_path / "m", LONG, template=template))

    text = words.text(words.prompt(ASKED))

    assert text == "user: Write a closure.\n\ntotal per city\nassistant: "


def test_a_template_in_a_file_of_its_own_is_found_and_none_is_done_without(tmp_path: Path) -> None:
    plain = model_folder(tmp_path / "m", LONG, template="")
    without = Words(plain).text(Words(plain).prompt(ASKED))
    (plain / "chat_template.jinja").write_text("{% for m in messages %}[{{ m.content }}]{% endfor %}")

    words = Words(plain)

    assert without == "Write a closure.\n\ntotal per city\n\n"
    assert words.text(words.prompt(ASKED)) == "[Write a closure.][total per city]"


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("tokenizer.json", "{}", "the tokenizer of .* cannot be read"),
        ("tokenizer.json", "not json", "the tokenizer of .* cannot be read"),
        ("chat_template.jinja", "{{ nothing.at.all() }}", "the chat template of .* fails"),
        ("config.json", "[1]", "is not a JSON object"),
        ("generation_config.json", "{", "cannot be read as JSON"),
    ],
)
def test_damaged_words_are_told(file: str, content: str, words: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", LONG, template="")
    (folder / file).write_text(content)

    with pytest.raises(ModelProblem, match=words) as caught:
        load(folder).words.prompt(ASKED)

    assert caught.value.reason == "corrupt-model"


def test_neither_torch_nor_the_network_is_touched(folder: Path) -> None:
    code = """if True:
        import socket, sys
        from pathlib import Path

        class Closed(socket.socket):
            def connect(self, *_):
                raise AssertionError("the network was asked")

        socket.socket = Closed
        from synth.models.onnx import Settings, load
        from synth.models.onnx_sampling import Sampling

        engine = load(Path(sys.argv[1]), settings=Settings(threads=1))
        engine.generate(engine.words.prompt([{"role": "user", "content": "hi"}]), Sampling(), most=200)
        print(sorted({"torch", "tensorflow", "jax"} & set(sys.modules)))
    """

    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


# ---------------------------------------------------------------------------------------------------------- as a writer


def test_the_likeliest_reply_comes_first_and_another_when_asked_again(engine: Engine) -> None:
    class Request:
        pass

    request, other = Request(), Request()
    local = model(engine)

    first = local.for_request(request).complete(ASKED)
    second = local.for_request(request).complete(ASKED)

    assert local.for_request(other).complete(ASKED) == first
    assert second != first
    assert first.usage.prompt == len(engine.words.prompt(ASKED))
    assert 0 < first.usage.completion <= 200


def test_several_drafts_read_the_prompt_once_and_say_so(engine: Engine) -> None:
    budget = Budget()
    local = model(engine, budget)

    replies = local.complete_many(ASKED, 3)

    assert len(set(replies)) == 3
    assert [r.usage.prompt for r in replies] == [len(engine.words.prompt(ASKED)), 0, 0]
    assert budget.run.tokens == sum(r.usage.tokens for r in replies)


def test_a_budget_ends_before_it_is_passed(engine: Engine) -> None:
    budget = Budget(Caps(request_tokens=600))
    local = model(engine, budget)
    local.complete(ASKED)
    answered = 1
    while answered < 9:
        try:
            local.complete(ASKED)
        except BudgetReached:
            break
        answered += 1

    assert answered < 9
    assert budget.run.tokens <= 600


def test_a_reply_without_a_grammar_may_be_cut_off(folder: Path) -> None:
    engine = load(folder, settings=Settings(most_tokens=20, grammar=False))

    with pytest.raises(ModelProblem, match="cut off after 20 tokens") as caught:
        model(engine).complete(ASKED)

    assert caught.value.reason == "cut-off"


def test_it_is_chosen_by_folder_and_loads_only_when_it_is_asked(folder: Path, tmp_path: Path) -> None:
    said = {"TARS_MODEL": f"onnx:{folder}", "TARS_HOME": str(tmp_path)}
    (tmp_path / "broken").mkdir()

    builtin, writer = writers_for("auto", said)

    assert "onnx" in known()
    assert not {name for name in known() if name.startswith("onnx_")}
    assert builtin.name == "builtin"
    assert isinstance(writer, TextWriter)
    assert writer.name == f"onnx:{folder}"
    assert writer.share == "sample"
    with pytest.raises(BadRequest, match="which model"):
        writers_for("onnx", said)
    with pytest.raises(BadRequest, match="neither a folder nor one that was added"):
        writers_for("onnx:nobody", said)
    with pytest.raises(ModelProblem, match=r"has no config\.json"):
        writers_for(f"onnx:{tmp_path / 'broken'}", said)


def test_settings_are_read_from_the_environment() -> None:
    said = {
        "TARS_MODEL_MAX_TOKENS": "300",
        "TARS_MODEL_TIMEOUT": "12.5",
        "TARS_ONNX_THREADS": "3",
        "TARS_ONNX_CONTEXT": "1000",
        "TARS_ONNX_SEED": "7",
        "TARS_ONNX_GRAMMAR": "off",
    }

    assert settings_from(said) == Settings(300, 3, 1000, 12.5, 7, False)
    assert settings_from({}) == Settings()
    with pytest.raises(ModelProblem, match="TARS_ONNX_THREADS='many'"):
        settings_from({"TARS_ONNX_THREADS": "many"})


# -------------------------------------------------------------------------------------------------------------- commands


def test_a_model_is_added_listed_and_checked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARS_HOME", str(tmp_path))
    monkeypatch.setenv("TARS_MODEL_MAX_TOKENS", "200")
    run = CliRunner().invoke

    added = run(tars, ["model", "add", str(folder), "--name", "babbler"])
    listed = run(tars, ["model", "list", "--json"])
    checked = run(tars, ["model", "check", "babbler", "--json"])

    assert added.exit_code == 0
    assert "onnx:babbler" in added.output
    assert [m["name"] for m in json.loads(listed.output)["models"]] == ["babbler"]
    found = json.loads(checked.stdout)
    # Random weights answer nothing, and the check says so.
    assert checked.exit_code == 1
    assert found["answered"] == 0
    assert len(found["requests"]) == 3
    assert found["decode_rate"] > 0
    assert found["prefill_rate"] > 0
    assert found["peak_mb"] > 50
    assert found["architecture"] == "Qwen2ForCausalLM"
    assert [f.name for f in (tmp_path / "models").iterdir() if f.suffix == ".toml"] == ["babbler.toml"]
