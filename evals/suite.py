"""The suite of requests as it stands in suites/requests.yaml, each item with its truth and its part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evals.data.sources import SOURCES
from evals.truth import AnyOf

SUITES = Path(__file__).parent / "suites"


@dataclass(frozen=True)
class Item:
    """One request. `truth` is None where an honest no is the right answer; `or_empty` lets no records at all be as right."""

    id: str
    request: str
    source: str
    kind: str
    domain: str
    person: str
    difficulty: str
    abilities: tuple[str, ...]
    now: str
    part: Literal["open", "kept"]
    truth: AnyOf | None
    ordered: bool = False
    extra_ok: bool = True
    or_empty: bool = False


def requests() -> list[Item]:
    """Every item of the suite, in the file's order."""
    import yaml

    from evals.suites.requests_truth import TRUTH

    suite = yaml.safe_load((SUITES / "requests.yaml").read_text())
    return [
        _item(raw, suite["now"], TRUTH[raw["id"]]() if raw.get("truth") != "refused" else None)
        for raw in suite["items"]
    ]


def part_of(identity: str) -> Literal["open", "kept"]:
    """Two thirds are open; a third, chosen by the hash of the id, is kept aside from tuning."""
    return "kept" if int(hashlib.sha256(f"aside {identity}".encode()).hexdigest()[:8], 16) % 3 == 0 else "open"


def _item(raw: Mapping[str, Any], now: str, truth: AnyOf | None) -> Item:
    made = SOURCES[raw["source"]]
    return Item(
        raw["id"],
        raw["request"],
        raw["source"],
        made.kind,
        made.domain,
        raw["person"],
        raw["difficulty"],
        tuple(raw["abilities"]),
        raw.get("now", now),
        part_of(raw["id"]),
        truth,
        raw.get("order", False),
        raw.get("extra_ok", True),
        raw.get("or_empty", False),
    )
