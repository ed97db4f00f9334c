"""The suites are well-formed: every item, its truth, and every closure of the honesty suite."""

from __future__ import annotations

import ast
from collections import Counter

import yaml

from evals.data.sources import SOURCES
from evals.score import right
from evals.suite import SUITES, part_of, requests
from evals.suites.requests_truth import TRUTH
from evals.truth import Either
from evals.wrong import closures

ITEMS = requests()


def test_there_are_enough_of_every_kind() -> None:
    assert len(ITEMS) >= 150
    assert len({item.kind for item in ITEMS}) >= 18
    assert sum(item.truth is None for item in ITEMS) >= 22
    assert len({item.person for item in ITEMS}) >= 6


def test_ids_are_unique_and_each_names_its_source() -> None:
    assert len({item.id for item in ITEMS}) == len(ITEMS)
    assert all(item.id.rpartition("-")[0] == item.source for item in ITEMS)
    assert {item.source for item in ITEMS} == set(SOURCES)


def test_items_say_what_they_are() -> None:
    raw = yaml.safe_load((SUITES / "requests.yaml").read_text())
    known = {
        "id",
        "source",
        "person",
        "difficulty",
        "abilities",
        "request",
        "truth",
        "order",
        "extra_ok",
        "or_empty",
        "now",
    }

    for item in raw["items"]:
        assert set(item) <= known, item["id"]
        assert item["person"] in raw["people"], item["id"]
        assert item["difficulty"] in {"easy", "medium", "hard", "refuse"}, item["id"]
        assert item["abilities"], item["id"]
        refused = item.get("truth") == "refused"
        assert (item["difficulty"] == "refuse") == refused, item["id"]
        assert all(a.startswith("refuse-") == refused for a in item["abilities"]), item["id"]


def test_every_truth_has_an_item_and_every_answerable_item_a_truth() -> None:
    assert set(TRUTH) == {item.id for item in ITEMS if item.truth is not None}


def test_every_truth_is_rows_of_one_width_with_an_order_just_where_one_is_asked_for() -> None:
    for item in ITEMS:
        if item.truth is None:
            continue
        for truth in item.truth.truths:
            assert truth.rows, item.id
            assert len({len(row) for row in truth.rows}) == 1, item.id
            assert (truth.by is not None) == item.ordered, item.id


def test_every_truth_is_its_own_right_answer_and_not_without_a_row() -> None:
    for item in ITEMS:
        if item.truth is None:
            continue
        rows = item.truth.truths[0].rows
        records = [{f"c{n}": v.values[0] if isinstance(v, Either) else v for n, v in enumerate(row)} for row in rows]
        assert right(records, item.truth, extra_ok=item.extra_ok), item.id
        assert not right([*records, records[0], records[0], records[0]], item.truth), item.id


def test_a_third_is_kept_aside_and_each_source_is_in_both_parts() -> None:
    parts = Counter(item.part for item in ITEMS)

    assert 0.28 < parts["kept"] / len(ITEMS) < 0.38
    assert all(item.part == part_of(item.id) for item in ITEMS)
    for source in SOURCES:
        assert {item.part for item in ITEMS if item.source == source} == {"open", "kept"}, source


def test_the_honesty_suite_is_large_and_its_closures_are_python() -> None:
    played = closures()
    ways = Counter(p.way for p in played)

    assert sum(ways.values()) - ways["right"] >= 40
    assert ways["right"] >= 20
    assert set(ways) >= {"wrong-column", "dropped-rows", "hard-coded", "swallowed-exception", "first-page-only"}
    assert len({p.id for p in played}) == len(played)
    for p in played:
        assert any(isinstance(n, ast.FunctionDef) and n.name == "closure" for n in ast.parse(p.code).body), p.id
        assert p.item.truth is not None, p.id
