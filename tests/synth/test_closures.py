"""A kept closure can be proved again, compared with another, and its name can go back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.actions import Desk, Said, ask
from synth.closures import difference, retest, roll_back, run_closure
from synth.errors import BadRequest

ROWS = "id,city,total,placed\n" + "".join(
    f"{n},{('Berlin', 'Paris', 'Oslo')[n % 3]},{n * 7 % 100}.50,2026-03-{n % 28 + 1:02d}\n" for n in range(120)
)
OVER = "orders with a total over {} since 2026-03-10"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk({"PATH": os.environ["PATH"], "TARS_HOME": str(tmp_path / "home"), "TARS_NOW": "2026-04-01"})
    yield opened
    opened.close()


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ROWS)
    return path


def kept(desk: Desk, orders: Path, request: str, name: str) -> str:
    outcome = ask(desk, request, [str(orders)], Said(save=name))
    assert outcome.status == "ok", outcome.message
    return outcome.closure_id


def test_a_closure_holds_again_on_its_source_of_today(desk: Desk, orders: Path) -> None:
    kept(desk, orders, OVER.format(50), "big")
    orders.write_text(ROWS + "900,Rome,99.00,2026-03-30\n")

    again = retest(desk, "big", (), offline=False)

    assert again.passed
    assert again.verdict
    assert len(again.verdict.reports) == 6


def test_what_last_week_meant_stays_what_it_was_when_asked(desk: Desk, orders: Path) -> None:
    kept(desk, orders, "number of orders per city in the last 14 days", "recent")
    later = Desk({**desk.environment, "TARS_NOW": "2026-09-01"})

    again = retest(later, "recent", (), offline=False)
    later.close()

    assert again.passed, again.verdict


def test_a_source_that_has_changed_is_found_by_the_gates(desk: Desk, orders: Path) -> None:
    kept(desk, orders, OVER.format(50), "big")
    orders.write_text(ROWS.replace("total", "amount", 1))

    again = retest(desk, "big", (), offline=False)

    assert (again.replays, again.passed) == (True, False)
    assert again.verdict
    assert "total" in str(again.verdict.findings[0])


def test_a_source_that_is_gone_is_said_to_be_gone(desk: Desk, orders: Path) -> None:
    kept(desk, orders, OVER.format(50), "big")
    orders.unlink()

    again, offline = retest(desk, "big", (), offline=False), retest(desk, "big", (), offline=True)

    assert (again.replays, again.passed, again.verdict) == (True, False, None)
    assert "orders.csv" in again.unreachable
    assert offline.passed


def test_two_closures_are_compared_by_code_and_by_what_they_return(desk: Desk, orders: Path) -> None:
    first, second = kept(desk, orders, OVER.format(50), "one"), kept(desk, orders, OVER.format(90), "two")
    over_90 = sum(float(line.split(",")[2]) > 90 and line[-2:] >= "10" for line in ROWS.splitlines()[1:])

    found = difference(desk, "one", "two", ())

    assert (found.one.id, found.other.id) == (first, second)
    assert "-def closure" in found.code
    assert found.counts[0] > found.counts[1] == over_90
    assert found.output == {}
    assert len(found.records["iterable_item_removed"]) == found.counts[0] - found.counts[1]  # type: ignore[arg-type]  # a dict


def test_a_closure_does_not_differ_from_itself(desk: Desk, orders: Path) -> None:
    kept(desk, orders, OVER.format(50), "one")

    found = difference(desk, "one", "one", ())

    assert (found.code, dict(found.output), dict(found.records)) == ("", {}, {})


def test_a_name_goes_back_to_what_it_meant_before(desk: Desk, orders: Path) -> None:
    first, second = kept(desk, orders, OVER.format(50), "big"), kept(desk, orders, OVER.format(90), "big")
    assert first != second

    back = roll_back(desk, "big")

    assert back.id == first
    assert run_closure(desk, "big", (), {}, None)[0].id == first
    assert desk.memory().closures.get(second).id == second
    with pytest.raises(BadRequest, match="one closure only"):
        roll_back(desk, "big")
