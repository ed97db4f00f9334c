"""The README's worked examples do what they show: every command is run, and what it prints to stdout is what stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def shown() -> list[tuple[str, str]]:
    """(command, what it prints) of every `$ tars …` in the README's console blocks, in order."""
    found: list[tuple[str, str]] = []
    for block in BLOCK.findall((ROOT / "README.md").read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            if command.startswith("tars "):
                found.append((command, printed.rstrip("\n")))
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def test_there_are_at_least_six_worked_examples() -> None:
    assert len(shown()) >= 6


@pytest.mark.parametrize(("command", "printed"), shown(), ids=[c for c, _ in shown()])
def test_an_example_prints_what_the_readme_shows(command: str, printed: str, home: Path) -> None:
    environment = {**os.environ, "TARS_HOME": str(home), "TARS_NOW": "2026-04-01", "TARS_MODEL": ""}

    done = subprocess.run(
        [sys.executable, "-m", "synth", *shlex.split(command)[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )

    assert "Traceback" not in done.stderr
    assert done.stdout.rstrip("\n").expandtabs(16) == printed.expandtabs(16), done.stderr
