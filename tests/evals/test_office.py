"""The suite `office` is well-formed, its rows are the same each time, and its sources hold them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

from evals.data import office_rows
from evals.data.sources import materialised, sources_of
from evals.score import right
from evals.suite import SUITES, requests
from evals.suites.office_truth import TRUTH
from evals.truth import Either

ITEMS = requests("office")
SOURCES = sources_of("office")
MADE = {name: make() for name, make in vars(office_rows).items() if hasattr(make, "cache_info")}


def digest() -> str:
    """A hash over every row of every generator."""
    return hashlib.sha256(json.dumps(MADE, default=str, sort_keys=True).encode()).hexdigest()


def test_another_process_makes_the_same_rows() -> None:
    code = "from tests.evals.test_office import digest; print(digest())"
    root = Path(__file__).parents[2]

    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True, timeout=60
    )

    assert other.stdout.strip() == digest()


def test_every_generator_makes_rows_of_one_shape() -> None:
    for name, rows in MADE.items():
        assert rows, name
        assert len({tuple(row) for row in rows}) == 1, name


def test_what_the_truths_go_by_tells_rows_apart() -> None:
    keys = {
        "expenses": "Report No", "invoices": "Inv. No.", "projects": "Code", "helpdesk": "key", "accounts": "name",
        "contacts": "full_name", "deals": "id", "inventory": "ITEM", "staff": "Pers.No", "rooms": "booking_id",
        "leads": "Lead ID", "assets": "serial_no",
    }  # fmt: skip

    for name, key in keys.items():
        assert len({row[key] for row in MADE[name]}) == len(MADE[name]), name
    assert len({(p["First Name"], p["Last Name"]) for p in office_rows.staff()}) == len(office_rows.staff())


def test_there_are_enough_of_every_kind() -> None:
    refused = sum(item.truth is None for item in ITEMS)

    assert len(ITEMS) >= 100
    assert len({item.kind for item in ITEMS}) >= 7
    assert refused >= 12
    assert {item.source for item in ITEMS} == set(SOURCES)
    assert all({item.part for item in ITEMS if item.source == source} == {"open", "kept"} for source in SOURCES)


def test_items_say_what_they_are() -> None:
    raw = yaml.safe_load((SUITES / "office.yaml").read_text())
    count = Counter(item["id"] for item in raw["items"])

    assert set(count.values()) == {1}
    assert set(TRUTH) == {item["id"] for item in raw["items"] if item.get("truth") != "refused"}
    for item in raw["items"]:
        refused = item.get("truth") == "refused"
        assert item["id"].rpartition("-")[0] == item["source"], item["id"]
        assert item["person"] in raw["people"], item["id"]
        assert item["difficulty"] in {"easy", "medium", "hard", "refuse"}, item["id"]
        assert (item["difficulty"] == "refuse") == refused, item["id"]
        assert item["abilities"], item["id"]
        assert all(ability.startswith("refuse-") == refused for ability in item["abilities"]), item["id"]


def test_every_truth_is_its_own_right_answer_and_not_without_a_row() -> None:
    for item in ITEMS:
        if item.truth is None:
            continue
        for truth in item.truth.truths:
            assert truth.rows, item.id
            assert len({len(row) for row in truth.rows}) == 1, item.id
            assert (truth.by is not None) == item.ordered, item.id
        rows = item.truth.truths[0].rows
        records = [{f"c{n}": v.values[0] if isinstance(v, Either) else v for n, v in enumerate(row)} for row in rows]
        assert right(records, item.truth, extra_ok=item.extra_ok), item.id
        assert not right([*records, *[records[0]] * 40], item.truth, extra_ok=item.extra_ok), item.id


def test_files_hold_the_rows(tmp_path: Path) -> None:
    with materialised(tmp_path, list(SOURCES), SOURCES) as given:
        invoices = Path(given["invoices"][0]).read_text(encoding="cp1252").splitlines()
        personnel = Path(given["personnel"][0]).read_text(encoding="utf-8-sig").splitlines()
        tickets = json.loads(Path(given["helpdesk"][0]).read_text())["issues"]
        items = Path(given["inventory"][0]).read_text().splitlines()[2:]
        connection = sqlite3.connect(given["crm"][0])
        deals = connection.execute("SELECT count(*), sum(amount) FROM deals").fetchone()
        connection.close()

    assert set(given) == set(SOURCES)
    assert len(invoices) == len(office_rows.invoices()) + 1
    assert ";4.353,02 €;19 %;" in invoices[1]
    assert "|100 %|$103,500.00|" in personnel[1]
    assert [t["key"] for t in tickets] == [t["key"] for t in office_rows.helpdesk()]
    assert [line[:6] for line in items] == [i["ITEM"] for i in office_rows.inventory()]
    assert deals == (len(office_rows.deals()), sum(d["amount"] or 0 for d in office_rows.deals()))
