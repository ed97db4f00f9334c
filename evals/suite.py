"""The suites of requests as they stand in suites/<name>.yaml, each item with its truth and its part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from evals.data.sources import Made, sources_of
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
    suite: str = "requests"


def suites() -> list[str]:
    """The names of the suites of requests: those that have a file of truths beside their items."""
    return sorted(p.stem for p in SUITES.glob("*.yaml") if (SUITES / f"{p.stem}_truth.py").exists())


def requests(suite: str = "requests") -> list[Item]:
    """Every item of a suite, in the file's order."""
    import yaml

    truths = import_module(f"evals.suites.{suite}_truth").TRUTH
    sources = sources_of(suite)
    said = yaml.safe_load((SUITES / f"{suite}.yaml").read_text())
    return [
        _item(
            raw,
            said["now"],
            truths[raw["id"]]() if raw.get("truth") != "refused" else None,
            suite,
            sources[raw["source"]],
        )
        for raw in said["items"]
    ]


def part_of(identity: str) -> Literal["open", "kept"]:
    """Two thirds are open; a third, chosen by the hash of the id, is kept aside from tuning."""
    return "kept" if int(hashlib.sha256(f"aside {identity}".encode()).hexdigest()[:8], 16) % 3 == 0 else "open"


def _item(raw: Mapping[str, Any], now: str, truth: AnyOf | None, suite: str, made: Made) -> Item:
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
        suite,
    )
