"""onnxruntime says what transformers and torch said (`onnx_parity.json`), in every layout of the graphs; and what cannot be run is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from synth.models import onnx_decoder
from synth.models.onnx_decoder import Decoder
from synth.models.onnx_folder import check_memory, choices_in, folder_of
from synth.models.problem import ModelProblem
from tests.synth.models.onnx_models import model_folder
from training.onnx_parity import SHAPES
from training.onnx_shapes import Layout, Precision, Shape, save, weights_of

RECORDED = json.loads((Path(__file__).parent / "onnx_parity.json").read_text())
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
SMALL = Shape("llama", layers=1, hidden=32, heads=2, kv_heads=1, intermediate=32)


def greedy(decoder: Decoder, prompt: list[int], count: int) -> list[int]:
    """The likeliest tokens, one after the other."""
    run = decoder.begin(prompt)
    said: list[int] = []
    while len(said) < count:
        said.append(int(run.logits[0].argmax()))
        run.step([[said[-1]]])
    return said


# onnxruntime's fused attention is not how Phi is exported.
@pytest.mark.parametrize(
    ("family", "layout"), [(f, one) for f in SHAPES for one in LAYOUTS if (f, one) != ("phi", "fused")]
)
def test_every_layout_says_token_for_token_what_torch_said(
    family: str, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_decoder, "CHUNK", 24)
    folder = model_folder(tmp_path / "m", SHAPES[family], layout, external=layout in ("past", "merged"))
    decoder = Decoder(folder_of(folder), threads=1)

    said = [greedy(decoder, one["prompt"], len(one["reply"])) for one in RECORDED[family]]

    assert said == [one["reply"] for one in RECORDED[family]]
    assert all(len(set(one["reply"])) > 9 for one in RECORDED[family])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_that_share_a_prompt_go_on_like_single_ones(layout: Layout, tmp_path: Path) -> None:
    decoder = Decoder(folder_of(model_folder(tmp_path / "m", SHAPES["llama"], layout)), threads=1)
    first, second = RECORDED["llama"][1]["reply"][:8], [5, 6, 7, 8, 9, 10, 11, 12]
    alone = decoder.begin(RECORDED["llama"][1]["prompt"])
    for token in second:
        alone.step([[token]])

    run = decoder.begin(RECORDED["llama"][1]["prompt"])
    run.spread(3)
    for one, other in zip(first, second, strict=True):
        run.step([[one], [other], [one]])
    np.testing.assert_allclose(run.logits[1], alone.logits[0], atol=1e-4)
    run.keep([2, 1])

    assert int(run.logits[0].argmax()) == RECORDED["llama"][1]["reply"][8]
    run.step([[3], [4]])
    alone.step([[4]])
    np.testing.assert_allclose(run.logits[1], alone.logits[0], atol=1e-4)


def test_several_tokens_at_once_are_the_same_as_one_after_the_other(tmp_path: Path) -> None:
    for layout in ("past", "fused"):
        decoder = Decoder(folder_of(model_folder(tmp_path / layout, SHAPES["qwen2"], layout)), threads=1)
        run = decoder.begin([5, 6, 7])
        run.step([[8, 9, 10, 11]])

        np.testing.assert_allclose(run.logits, decoder.begin([5, 6, 7, 8, 9, 10, 11]).logits, atol=1e-4)


def test_a_shared_buffer_grows_when_the_reply_is_longer_than_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_decoder, "GROWTH", 5)
    decoder = Decoder(folder_of(model_folder(tmp_path / "m", SHAPES["llama"], "fused")), threads=1)

    assert greedy(decoder, RECORDED["llama"][0]["prompt"], 48) == RECORDED["llama"][0]["reply"]


@pytest.mark.parametrize(("precision", "closeness"), [("fp16", 0.9999), ("int8", 0.99), ("int4", 0.9)])
@pytest.mark.parametrize("layout", ["past", "fused"])
def test_smaller_precisions_stay_near_to_the_full_one(
    layout: Layout, precision: Precision, closeness: float, tmp_path: Path
) -> None:
    shape = Shape("llama", layers=1)
    prompt = RECORDED["llama"][1]["prompt"]
    full = Decoder(folder_of(model_folder(tmp_path / "full", shape, layout)), threads=1).begin(prompt).logits[0]

    folder = folder_of(model_folder(tmp_path / "m", shape, layout, precision))
    logits = Decoder(folder, threads=1).begin(prompt).logits[0]

    assert folder.choice.precision == precision
    assert np.corrcoef(full, logits)[0, 1] > closeness
    assert not np.array_equal(full, logits)


# ----------------------------------------------------------------------------------------------------- what is in a folder


def test_the_smallest_good_precision_is_taken_unless_another_is_said(tmp_path: Path) -> None:
    weights = weights_of(SMALL)
    for precision in ("fp32", "fp16", "int8", "int4"):
        save(tmp_path, SMALL, weights, "past", precision)
    (tmp_path / "tokenizer.json").write_text("{}")

    assert [c.suffix for c in choices_in(tmp_path)] == ["q4", "int8", "", "fp16"]
    assert folder_of(tmp_path).choice.precision == "int4"
    assert folder_of(tmp_path, "fp16").choice.precision == "fp16"
    assert folder_of(tmp_path, "fp32").choice.graphs[0].name == "model.onnx"
    with pytest.raises(ModelProblem, match=r"no precision 'bf16'.*There are: q4, int8, fp32, fp16"):
        folder_of(tmp_path, "bf16")


def test_a_graph_beside_the_configuration_is_found_as_well(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL)
    (folder / "onnx/model.onnx").rename(folder / "model.onnx")

    assert Decoder(folder_of(folder), threads=1).begin([5, 6]).logits.shape == (1, SMALL.vocab)


def test_a_folder_of_onnxruntimes_own_builder_is_read(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SHAPES["llama"], "fused")
    (folder / "config.json").unlink()
    (folder / "generation_config.json").unlink()
    model = {
        "type": "llama",
        "context_length": 400,
        "eos_token_id": [1, 7],
        "vocab_size": 384,
        "decoder": {"head_size": 16},
    }
    (folder / "genai_config.json").write_text(json.dumps({"model": model, "search": {"top_k": 5}}))

    found = folder_of(folder)

    assert (found.context, found.stops, found.architecture) == (400, (1, 7), "llama")
    assert found.generation == {"top_k": 5}
    assert greedy(Decoder(found, threads=1), RECORDED["llama"][0]["prompt"], 48) == RECORDED["llama"][0]["reply"]


def test_stops_and_context_are_read_from_the_configuration(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL, generation={"eos_token_id": [1, 9, 1]})

    assert folder_of(folder).stops == (1, 9)
    assert folder_of(folder).context == 512
    assert folder_of(folder).architecture == "LlamaForCausalLM"


# --------------------------------------------------------------------------------------------------------------- problems


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("config.json", "has no config.json"),
        ("tokenizer.json", "has no tokenizer.json"),
        ("onnx/model.onnx", "has no onnx/model.onnx"),
    ],
)
def test_a_missing_file_is_named(missing: str, words: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL)
    (folder / missing).unlink()

    with pytest.raises(ModelProblem, match=words) as caught:
        folder_of(folder)

    assert caught.value.reason == "no-such-model"


def test_half_of_a_pair_is_told(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL, "pair")
    (folder / "onnx/decoder_with_past_model.onnx").unlink()

    with pytest.raises(ModelProblem, match=r"decoder_with_past_model\.onnx is missing"):
        Decoder(folder_of(folder))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda whole: whole[: len(whole) // 2], "damaged or no ONNX model"),
        (lambda whole: b"", "is empty"),
        (lambda whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer"),
        (lambda whole: b"<html>not found</html>", "damaged or no ONNX model"),
    ],
)
def test_a_damaged_graph_is_told(damage: object, words: str, tmp_path: Path) -> None:
    assert callable(damage)
    folder = model_folder(tmp_path / "m", SMALL)
    graph = folder / "onnx/model.onnx"
    graph.write_bytes(damage(graph.read_bytes()))

    with pytest.raises(ModelProblem, match=words) as caught:
        Decoder(folder_of(folder))

    assert caught.value.reason == "corrupt-model"


@pytest.mark.parametrize("cut", [None, 1000])
def test_weights_that_are_missing_or_cut_are_told(cut: int | None, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL, external=True)
    weights = folder / "onnx/model.onnx_data"
    if cut is None:
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:cut])

    with pytest.raises(ModelProblem, match="missing or incomplete") as caught:
        Decoder(folder_of(folder))

    assert caught.value.reason == "corrupt-model"


def test_an_encoder_with_a_decoder_is_not_run(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL)
    (folder / "config.json").write_text(json.dumps({**SMALL.config, "model_type": "t5", "is_encoder_decoder": True}))

    with pytest.raises(ModelProblem, match=r"encoder with a decoder \(t5\)") as caught:
        folder_of(folder)

    assert caught.value.reason == "unsupported"


def test_a_graph_that_wants_something_else_is_not_run(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL)
    pixels = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([helper.make_node("Identity", ["pixel_values"], ["logits"])], "g", [pixels], [logits])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save_model(made, str(folder / "onnx/model.onnx"))

    with pytest.raises(ModelProblem, match="wants pixel_values") as caught:
        Decoder(folder_of(folder))

    assert caught.value.reason == "unsupported"


def test_an_unknown_operator_is_told(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", SMALL)
    model = onnx.load(str(folder / "onnx/model.onnx"))
    model.graph.node[0].op_type = "Clairvoyance"
    onnx.save_model(model, str(folder / "onnx/model.onnx"))

    with pytest.raises(ModelProblem, match="operators that this onnxruntime does not have") as caught:
        Decoder(folder_of(folder))

    assert caught.value.reason == "unsupported"


def test_too_little_memory_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    weights = weights_of(SMALL)
    save(tmp_path, SMALL, weights)
    save(tmp_path, SMALL, weights, precision="int4")
    (tmp_path / "tokenizer.json").write_text("{}")
    folder = folder_of(tmp_path, "fp32")

    with pytest.raises(ModelProblem, match=r"MB of memory, and 100 MB are free.*It has q4 as well") as caught:
        check_memory(folder, free_mb=100)
    check_memory(folder, free_mb=4_000)

    assert caught.value.reason == "too-little-memory"


def test_a_prompt_longer_than_the_context_is_told(tmp_path: Path) -> None:
    decoder = Decoder(folder_of(model_folder(tmp_path / "m", SMALL)), threads=1)

    with pytest.raises(ModelProblem, match="512 tokens, and the model's context ends at 512") as caught:
        decoder.begin([5] * 512)
    run = decoder.begin([5] * 511)
    run.step([[5]])
    with pytest.raises(ModelProblem, match="end of the model's context"):
        run.step([[5]])

    assert caught.value.reason == "context-too-long"
