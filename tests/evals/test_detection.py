"""The detection set is well-formed, its figures are counted as they should be, and it runs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from evals.data.detection_files import MADE
from evals.detection import Answer, calibration_error, file_answers, main, renamed, row_of, said_answers
from evals.detection_set import File, lie_about, part_of, payloads, strings, written
from synth.catalog import catalogue


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[File]:
    """Every file whose writer is installed."""
    return written(tmp_path_factory.mktemp("named"))[0]


def test_the_set_is_as_large_as_it_says_and_half_of_it_is_kept(files: list[File]) -> None:
    texts = [f for f in files if not f.id.startswith("made/")]
    sources, traps = strings()

    assert len(texts) + len(MADE) >= 400
    assert len({sorted(f.answers)[0] for f in texts}) >= 150
    assert len(sources) >= 320
    assert len(traps) >= 80
    assert len(payloads()) >= 120
    for some in (files, sources, traps, payloads()):
        assert 0.4 < sum(item.part == "kept" for item in some) / len(some) < 0.6


def test_every_id_is_unique_and_every_answer_is_a_kind(files: list[File]) -> None:
    sources, traps = strings()
    ids = [f.id for f in files] + [s.id for s in (*sources, *traps, *payloads())]
    answers = {k for f in files for k in f.hidden} | {k for s in (*sources, *payloads()) for k in s.answers}

    assert [i for i, n in Counter(ids).items() if n > 1] == []
    assert answers - set(catalogue().kinds) <= {"unknown"}


def test_the_part_of_an_item_never_changes() -> None:
    assert part_of("string/redis://cache:6379") == part_of("string/redis://cache:6379")
    assert {part_of(str(i)) for i in range(20)} == {"open", "kept"}


def test_a_lie_is_another_types_extension(files: list[File]) -> None:
    for file in files:
        lie = lie_about(file)

        if file.path.is_dir():
            assert lie is None
        else:
            assert lie is not None
            assert lie not in file.hidden
            assert not file.path.name.endswith(f".{lie}")


def test_a_hidden_file_is_the_same_file_called_data(files: list[File], tmp_path: Path) -> None:
    file = next(f for f in files if f.id == "plain/orders.csv")

    path = renamed(file, "hidden", tmp_path)

    assert path is not None
    assert path.name == "data"
    assert path.read_bytes() == file.path.read_bytes()


@pytest.mark.parametrize(
    ("confidences", "rights", "error"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [True, False], 0.5),
        ([0.5, 0.5], [True, False], 0.0),
        ([0.9, 0.1], [False, False], 0.5),
        ([], [], 0.0),
    ],
)
def test_calibration_is_the_distance_between_confidence_and_what_is_right(
    confidences: list[float], rights: list[bool], error: float
) -> None:
    answers = [
        Answer(str(i), "open", "csv", c, r, (), 1.0) for i, (c, r) in enumerate(zip(confidences, rights, strict=True))
    ]

    assert calibration_error(answers) == pytest.approx(error)


def test_a_row_counts_the_wrong_that_were_sure() -> None:
    answers = [Answer("a", "open", "csv", 0.95, False, (), 1.0), Answer("b", "open", "csv", 0.4, False, (), 3.0)]

    row = row_of("tars", "named", "open", [*answers, Answer("c", "open", "csv", 0.99, True, (), 2.0)])

    assert (row.count, row.sure_wrong, row.median_ms) == (3, 1 / 3, 2.0)
    assert row.right == pytest.approx(1 / 3)


def test_detection_answers_most_of_the_set(files: list[File], tmp_path: Path) -> None:
    chosen = files[::7]
    sources, traps = strings()

    for answers in (file_answers(chosen, "named", tmp_path), said_answers(sources), said_answers(traps)):
        assert sum(a.right for a in answers) / len(answers) > 0.75


def test_the_command_prints_its_table_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--json", "--no-batch", "--folder", str(tmp_path)]) == 0

    told = json.loads(capsys.readouterr().out)
    assert {row["what"] for row in told["rows"]} == {"named", "hidden", "lying", "strings", "traps", "payloads", "all"}
    assert all(0 <= row["right"] <= 1 for row in told["rows"])
