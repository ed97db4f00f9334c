"""Imports follow the picture in the README: evals → synth → {sandbox, prompts, corpus}; the three know nothing of each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "evals": {"synth", "sandbox", "prompts", "corpus"},
    "synth": {"sandbox", "prompts", "corpus"},
    "sandbox": set(),
    "prompts": set(),
    "corpus": set(),
}


def imported(path: Path) -> set[str]:
    """Our own packages that a file imports, at its head or within its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found & set(MAY_IMPORT)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))

    wrong = {str(f.relative_to(ROOT)): sorted(imported(f) - MAY_IMPORT[package] - {package}) for f in files}

    assert files
    assert {name: arrows for name, arrows in wrong.items() if arrows} == {}
