"""What came of one item, as a plain value that a line of JSON holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

Grade = Literal["right", "wrong", "refused-rightly", "refused-wrongly", "answered-unsafe", "failed", "error"]
GRADES: tuple[Grade, ...] = get_args(Grade)
GOOD: frozenset[Grade] = frozenset({"right", "refused-rightly"})
WRONG: frozenset[Grade] = frozenset({"wrong", "answered-unsafe"})
"""Answers that should not have been given: the pipeline was sure and was not right."""


@dataclass(frozen=True)
class Result:
    """`answerable`: there is a right answer. `expected` and `got` are the first rows, for people to read."""

    id: str
    request: str
    source: str
    kind: str
    part: str
    abilities: tuple[str, ...]
    answerable: bool
    grade: Grade
    ms: float
    message: str = ""
    rules: tuple[str, ...] = ()
    expected: str = ""
    got: str = ""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    code: str = ""


def append(file: Path, result: Result) -> None:
    """Add one line."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


def kept_in(file: Path) -> dict[str, Result]:
    """The results of a file by id; a last line that was cut off is passed over."""
    found: dict[str, Result] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            raw = json.loads(line)
        except ValueError:
            continue
        found[raw["id"]] = Result(**{**raw, "abilities": tuple(raw["abilities"]), "rules": tuple(raw["rules"])})
    return found
