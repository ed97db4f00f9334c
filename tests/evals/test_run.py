"""The runner, over the real pipeline: a few requests are asked, graded, kept and reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evals import run, wrong
from evals.report import printed, rates
from evals.result import Result, append, kept_in
from evals.suite import requests


def made(**changes: object) -> Result:
    plain = Result("a-1", "how many", "a", "csv", "open", ("count",), True, "right", 12.0)
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


def test_requests_are_answered_and_refused_for_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = ["orders-01", "orders-02", "orders-14", "orders-16", "recipes-02", "repairs-01", "flights-01"]
    file = tmp_path / "results.jsonl"

    code = run.main(["requests", "--only", *ids, "--json", str(file)])

    results = kept_in(file)
    assert code == 0
    assert {i: results[i].grade for i in ids} == {
        "orders-01": "right",
        "orders-02": "right",
        "orders-14": "refused-rightly",
        "orders-16": "refused-rightly",
        "recipes-02": "right",
        "repairs-01": "right",
        "flights-01": "right",
    }
    assert "unsafe answered 0" in capsys.readouterr().out


def test_what_is_done_is_not_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.jsonl"
    append(file, made(id="orders-02", request="how many orders were cancelled", grade="wrong", got="from before"))
    with file.open("a") as out:
        out.write('{"id": "orders-03", "cut o')

    run.main(["requests", "--only", "orders-02", "--json", str(file)])

    assert "from before" in capsys.readouterr().out
    assert len(kept_in(file)) == 1


def test_results_survive_as_lines_of_json(tmp_path: Path) -> None:
    result = made(grade="failed", rules=("typed/null",), timings_ms={"draft": 1.5}, message="naïve")

    append(tmp_path / "r.jsonl", result)

    assert kept_in(tmp_path / "r.jsonl") == {"a-1": result}
    assert json.loads((tmp_path / "r.jsonl").read_text())["message"] == "naïve"


def test_items_are_chosen_by_part_and_by_id_source_or_kind() -> None:
    items = requests()

    kept = run.chosen(items, "kept", [], None)
    assert kept
    assert {i.part for i in kept} == {"kept"}
    assert [i.id for i in run.chosen(items, "all", ["gym-01"], None)] == ["gym-01"]
    assert {i.source for i in run.chosen(items, "all", ["school", "xml"], None)} == {"school", "movies"}
    assert len(run.chosen(items, "all", [], 4)) == 4


def test_the_rates_count_what_they_say() -> None:
    results = [
        made(id="a-1"),
        made(id="a-2", grade="wrong"),
        made(id="a-3", grade="refused-wrongly"),
        made(id="a-4", grade="refused-rightly", answerable=False),
        made(id="a-5", grade="answered-unsafe", answerable=False, part="kept"),
    ]

    assert rates(results) == {"right": 1 / 3, "wrong": 2 / 5, "unsafe": 1}
    report = printed(results, details=("open",))
    assert "a-2 [open] wrong" in report
    assert "a-3 [open] refused-wrongly" in report
    assert "a-5" not in report
    assert "a-1" not in report


def test_wrong_closures_are_caught_and_a_right_one_is_admitted() -> None:
    chosen = [p for p in wrong.closures() if p.id in ("w05", "w15", "w19", "w22", "r02")]

    results = {r.id: r for r in wrong.judged(chosen)}

    assert {i for i, r in results.items() if r.admitted} == {"r02"}
    assert all(r.sound for r in results.values())
    assert results["w15"].rules == ("faithful/hard-coded",)
    assert results["w19"].rules == ("runs/swallowed-exception",)
    assert results["w22"].rules == ("faithful/first-page-only",)
    assert "wrong ones caught: 4 of 4" in wrong.printed(list(results.values()))
