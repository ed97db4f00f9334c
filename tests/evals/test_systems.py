"""The suite `systems` is well-formed, its rows hold their traps, and its sources hold its rows."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import httpx
import yaml

from evals.data import systems_rows as rows
from evals.data.sources import materialised, sources_of
from evals.data.systems_served import checks_api
from evals.score import right
from evals.suite import SUITES, part_of, requests, suites
from evals.suites.systems_truth import TRUTH, flat
from evals.truth import Either

ITEMS = requests("systems")
SOURCES = sources_of("systems")


def test_the_suite_is_found_by_its_name() -> None:
    assert {"requests", "systems"} <= set(suites())
    assert {item.suite for item in ITEMS} == {"systems"}


def test_items_are_many_and_half_of_them_look_into_or_beyond_a_table() -> None:
    deep = [item for item in ITEMS if {"join", "nested", "nested-array"} & set(item.abilities)]

    assert len(ITEMS) >= 130
    assert len(deep) * 2 >= sum(item.truth is not None for item in ITEMS)
    assert sum(item.truth is None for item in ITEMS) == 12
    assert len({item.request for item in ITEMS}) == len(ITEMS)


def test_items_name_their_source_and_person_and_say_what_they_are() -> None:
    raw = yaml.safe_load((SUITES / "systems.yaml").read_text())

    assert {item.source for item in ITEMS} == set(SOURCES)
    assert len({item.id for item in ITEMS}) == len(ITEMS)
    for item in ITEMS:
        assert item.id.rpartition("-")[0] == item.source, item.id
        assert item.person in raw["people"], item.id
        assert item.difficulty in {"easy", "medium", "hard", "refuse"}, item.id
        assert (item.difficulty == "refuse") == (item.truth is None), item.id
        assert all(a.startswith("refuse-") == (item.truth is None) for a in item.abilities), item.id


def test_every_answerable_item_has_a_truth_with_rows_and_an_order_just_where_one_is_asked_for() -> None:
    assert set(TRUTH) == {item.id for item in ITEMS if item.truth is not None}
    for item in ITEMS:
        for truth in item.truth.truths if item.truth else ():
            assert truth.rows, item.id
            assert len({len(row) for row in truth.rows}) == 1, item.id
            assert (truth.by is not None) == item.ordered, item.id


def test_every_truth_is_its_own_right_answer_and_not_with_rows_too_many() -> None:
    for item in ITEMS:
        if item.truth is None:
            continue
        found = item.truth.truths[0].rows
        records = [{f"c{n}": v.values[0] if isinstance(v, Either) else v for n, v in enumerate(row)} for row in found]
        assert right(records, item.truth, extra_ok=item.extra_ok), item.id
        assert not right([*records, *records[:1] * 3], item.truth), item.id


def test_a_third_is_kept_aside_and_each_source_is_in_both_parts() -> None:
    parts = Counter(item.part for item in ITEMS)

    assert 0.28 < parts["kept"] / len(ITEMS) < 0.38
    assert all(item.part == part_of(item.id) for item in ITEMS)
    for source in SOURCES:
        assert {item.part for item in ITEMS if item.source == source} == {"open", "kept"}, source


def test_the_traps_are_there() -> None:
    owned = {v["vendorId"] for v in rows.vendors()}
    sold = {licence["Vendor ID"] for licence in rows.licences()}
    routes = {r["route_no"]: r for r in rows.routes()}
    home = {d["driver_id"]: d["depot_id"] for d in rows.drivers()}
    van_home = {v["plate"]: v["depot_id"] for v in rows.vans()}

    assert sold - owned
    assert owned - sold
    assert all(p["tracking_no"].startswith("00") for p in rows.parcels())
    assert any(p["route_no"] is None for p in rows.parcels())
    assert all(home[r["driver_id"]] == van_home[r["plate"]] for r in routes.values())
    assert any(s["team"] is None for s in rows.services())
    assert len({m["full_name"] for m in rows.members()}) < len(rows.members())
    assert {tuple(e["props"]) for e in rows.app_events()} >= {(), ("query",), ("amount_cents", "error_code")}


def test_files_hold_the_rows(tmp_path: Path) -> None:
    names = [name for name, made in SOURCES.items() if made.make]

    with materialised(tmp_path, names, SOURCES) as given:
        connection = sqlite3.connect(given["workspace"][0])
        uses = connection.execute("SELECT count(*), sum(clicks) FROM feature_use").fetchone()
        connection.close()
        trips = json.loads(Path(given["trips"][0]).read_text())["payload"]["trips"]
        jobs = ElementTree.parse(given["jobs"][0]).findall("job")
        lines = Path(given["worker"][0]).read_text().splitlines()

    assert set(given) == set(names)
    assert uses == (len(rows.feature_use()), sum(f["clicks"] for f in rows.feature_use()))
    assert [t["tripId"] for t in trips] == [t["tripId"] for t in rows.trips()]
    assert all(t["fare"]["amount"].endswith(" €") for t in trips)
    assert [j.findtext("reference") for j in jobs] == [v["reference"] for v in rows.vacancies()]
    assert len(lines) == len(rows.job_lines())


def test_the_api_gives_each_check_once_and_then_no_token() -> None:
    found: list[str] = []
    with checks_api() as address:
        token: str | None = ""
        while token is not None:
            body = httpx.get(address, params={"pageToken": token} if token else {}).json()
            found += [check["id"] for check in body["checks"]]
            token = body["nextPageToken"]
        missing = httpx.get(address + "/nothing")

    assert found == [check["id"] for check in rows.checks()]
    assert missing.status_code == 404


def test_nested_rows_are_flattened_by_their_path() -> None:
    assert flat({"a": 1, "b": {"c": {"d": 2}, "e": [3]}}) == {"a": 1, "b.c.d": 2, "b.e": [3]}
