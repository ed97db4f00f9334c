"""The generators give the same rows each time, and the sources hold those rows."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from evals.data import people, served, things, trade
from evals.data.sources import SOURCES, materialised

FILES = [name for name, made in SOURCES.items() if made.make is not None]


def generators(module: ModuleType) -> list[tuple[str, Callable[[], list[dict[str, Any]]]]]:
    return [(name, value) for name, value in vars(module).items() if hasattr(value, "cache_info")]


def digest() -> str:
    """A hash over every row of every generator."""
    rows = {
        f"{module.__name__}.{name}": make() for module in (trade, people, things) for name, make in generators(module)
    }
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()


def test_another_process_makes_the_same_rows() -> None:
    code = "from tests.evals.test_data import digest; print(digest())"
    root = Path(__file__).parents[2]

    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True, timeout=60
    )

    assert other.stdout.strip() == digest()


@pytest.mark.parametrize("module", [trade, people, things])
def test_every_generator_makes_rows_of_one_shape(module: ModuleType) -> None:
    made = generators(module)

    assert made
    for name, make in made:
        rows = make()
        assert rows, name
        assert len({tuple(row) for row in rows}) == 1, name


def test_the_traps_are_there() -> None:
    assert any(o["city"] is None for o in trade.orders())
    assert all(o["order_id"].startswith("0") for o in trade.orders())
    assert any(b["amount"] < 0 for b in trade.bank())
    assert {t["status"] for t in people.tickets()} >= {"open", "Open"}
    assert any(e["address"]["city"] == "Price" for e in things.estates())
    assert {r["car_id"] for r in trade.rentals()} - {c["car_id"] for c in trade.cars()}
    assert len({c["name"] for c in trade.clients()}) < len(trade.clients())
    assert len({o["order_date"].year for o in trade.orders()}) == 3


def test_files_hold_the_rows(tmp_path: Path) -> None:
    with materialised(tmp_path, FILES) as given:
        orders = list(csv.DictReader(Path(given["orders"][0]).read_text().splitlines()))
        parking = list(csv.DictReader(gzip.decompress(Path(given["parking"][0]).read_bytes()).decode().splitlines()))
        listings = json.loads(Path(given["estates"][0]).read_text())["result"]["listings"]
        connection = sqlite3.connect(given["library"][0])
        loans = connection.execute("SELECT count(*), count(returned_on) FROM loans").fetchone()
        connection.close()

    assert set(given) == set(FILES)
    assert [r["total"] for r in orders] == [str(r["total"]) for r in trade.orders()]
    assert [r["ticket"] for r in parking] == [r["ticket"] for r in things.parking()]
    assert [r["id"] for r in listings] == [r["id"] for r in things.estates()]
    assert loans == (len(people.loans()), sum(loan["returned_on"] is not None for loan in people.loans()))


@pytest.mark.parametrize("path", list(served.ROUTES))
def test_the_api_pages_through_every_row(path: str) -> None:
    rows = {"repairs": 187, "bookings": 170, "donations": 213, "issues": 155, "lectures": 95}[path.split("/")[-1]]
    found: list[object] = []
    with served.api() as base:
        url: str | None = f"{base}{path}"
        while url:
            answer = httpx.get(url)
            body = answer.json()
            items = body if isinstance(body, list) else next(v for v in body.values() if isinstance(v, list))
            found += items
            url = _next(answer, body, f"{base}{path}", len(found))

    assert len(found) == rows
    assert len({json.dumps(item) for item in found}) == rows


def _next(answer: httpx.Response, body: Any, base: str, read: int) -> str | None:
    if isinstance(body, list):
        return answer.links["next"]["url"] if "next" in answer.links else None
    if "next" in body:
        return str(body["next"]) if body["next"] else None
    if "paging" in body:
        following = body["paging"]["next_cursor"]
        return f"{base}?cursor={following}" if following else None
    if read >= body.get("total", body.get("total_count")):
        return None
    return f"{base}?page={body['page'] + 1}" if "page" in body else f"{base}?offset={read}"


def test_an_unknown_path_of_the_api_is_not_found() -> None:
    with served.api() as base:
        assert httpx.get(f"{base}/api/nothing").status_code == 404
