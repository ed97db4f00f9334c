"""The cases of the hostile suite, read from the files beside this one: programs to attack with, and programs to let through.

A file is a family; `=== name` begins a case. Lines without a `def closure` are the body of one. `--- then` begins the next
job of the same case (`--- then raw`: only where the policy is off). `@FILE@` and the like are filled in by the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import indent

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """One job of a case; `raw` ones only make sense where the policy is off."""

    code: str
    raw: bool = False


@dataclass(frozen=True)
class Case:
    """One program, or several that run one after the other."""

    family: str
    name: str
    steps: tuple[Step, ...]

    @property
    def code(self) -> str:
        """The first of its programs."""
        return self.steps[0].code


@cache
def attacks() -> tuple[Case, ...]:
    """Every program that attacks, by family."""
    files = (path for path in sorted((HERE / "attacks").glob("*.txt")) if not path.name.startswith("sql_"))
    return tuple(case for path in files for case in _cases(path))


@cache
def benign() -> tuple[Case, ...]:
    """Every program that must run as it would in plain Python."""
    return tuple(case for path in sorted((HERE / "benign").glob("*.txt")) for case in _cases(path))


@dataclass(frozen=True)
class Statement:
    """One SQL statement for one engine. `quiet`: only a canary or a change is an escape, an answer as such is none."""

    engine: str
    sql: str
    quiet: bool


@cache
def statements() -> tuple[Statement, ...]:
    """Every SQL statement that attacks, by engine."""
    found = []
    for path in sorted((HERE / "attacks").glob("sql_*.txt")):
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith("# "):
                sql = line.removeprefix("~").replace("\\n", "\n")
                found.append(Statement(path.stem.removeprefix("sql_"), sql, line.startswith("~")))
    return tuple(found)


def _cases(path: Path) -> list[Case]:
    made = []
    for text in path.read_text().split("=== ")[1:]:
        name, _, rest = text.partition("\n")
        steps, raw = [], False
        for number, part in enumerate(rest.split("\n--- then")):
            if number:
                raw = part.partition("\n")[0].strip() == "raw"
                part = part.partition("\n")[2]
            steps.append(Step(_program(part.strip("\n") + "\n"), raw))
        made.append(Case(path.stem, name.strip(), tuple(steps)))
    return made


def _program(text: str) -> str:
    return text if "def closure(" in text else "def closure(source):\n" + indent(text, "    ")
