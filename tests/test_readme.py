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


def shown() -> list[list[tuple[str, str]]]:
    """(command, what it prints) of every `$ tars …` in each of the README's console blocks, in order."""
    found: list[list[tuple[str, str]]] = []
    for block in BLOCK.findall((ROOT / "README.md").read_text()):
        commands: list[tuple[str, str]] = []
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            if command.startswith("tars "):
                commands.append((command, printed.rstrip("\n")))
        found.append(commands)
    return [commands for commands in found if commands]


def test_there_are_at_least_six_worked_examples() -> None:
    assert len([command for block in shown() for command in block]) >= 6


# A block is one test: its later commands use what the earlier ones kept.
@pytest.mark.parametrize("block", shown(), ids=[block[0][0] for block in shown()])
def test_an_example_prints_what_the_readme_shows(block: list[tuple[str, str]], tmp_path: Path) -> None:
    environment = {**os.environ, "TARS_HOME": str(tmp_path), "TARS_NOW": "2026-04-01", "TARS_MODEL": ""}
    for command, printed in block:
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
