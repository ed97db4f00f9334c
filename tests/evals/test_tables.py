"""The evaluation over real tables: what it asks, what it takes for the truth, and how it grades."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from evals.tables import main, number_of, run

TABLE = {
    "id": "t1",
    "header": ["Player", "Goals", "Club", "Goals"],
    "types": ["text", "real", "text", "text"],
    "rows": [["ann low", "3", "oslo", "a"], ["bo reed", "5", "bern", "b"], ["cy gale", "1,200", "oslo", "c"]],
}


def _question(text: str, select: int, where: list[list[object]], aggregate: str | None = None) -> dict[str, object]:
    return {"question": text, "table": "t1", "select": select, "aggregate": aggregate, "where": where, "part": "dev"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    asked = [
        _question("What is the club of Bo Reed?", 2, [[0, "=", "Bo Reed"]]),
        _question("What is the club of Bo Reed ?", 0, [[2, "=", "Oslo"]]),
        _question("Which player has more than 4 zorgs?", 0, [[2, "=", "oslo"]]),
        _question("The club of nobody", 2, [[0, "=", "Nobody"]]),
    ]
    for name, rows in (("questions", asked), ("tables", [TABLE])):
        with gzip.open(tmp_path / f"wikisql-{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_answers_are_graded_and_annotations_that_find_nothing_are_left_out(folder: Path) -> None:
    grades = {r.question: r.grade for r in run(folder, "dev", 0, 0)}

    assert grades == {
        "What is the club of Bo Reed?": "right",
        "What is the club of Bo Reed ?": "wrong",
        "Which player has more than 4 zorgs?": "refused",
    }


def test_the_report_counts_by_form(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(folder), "--sample", "0"])

    assert code == 0
    assert "plain, 1 filter" in capsys.readouterr().out


def test_a_folder_without_the_data_is_said(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("cell", "number"),
    [("3", 3), ("1,200", 1200), ("-2.5", -2.5), ("007", None), ("4th", None), ("nan", None), ("", None)],
)
def test_numbers_are_told_from_labels(cell: str, number: float | None) -> None:
    assert number_of(cell) == number
