"""Golden copies of every prompt as a model gets it, and what rendering refuses.

TARS_UPDATE_GOLDEN=1 writes them anew; the difference is then reviewed like code.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from prompts import render as rendering
from prompts.render import MissingFact, prompt_version, render
from synth.models.messages import contract, first, repair
from synth.models.share import SHARES
from tests.synth.models.worlds import MENDED, api_task, task

GOLDEN = Path(__file__).parent / "golden"

PROMPTS: dict[str, Callable[[], str]] = {
    "contract-table": lambda: contract(task()),
    "contract-http": lambda: contract(api_task()),
    "first-http": lambda: first(api_task(), "sample"),
    **{f"first-{share}": partial(first, task(), share) for share in SHARES},
    **{f"repair-{share}": partial(repair, task(), MENDED, share) for share in SHARES},
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_reads_as_its_golden_copy(name: str) -> None:
    golden = GOLDEN / f"{name}.txt"

    text = PROMPTS[name]()

    if os.environ.get("TARS_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_copy_belongs_to_a_prompt() -> None:
    assert {f.stem for f in GOLDEN.iterdir()} == set(PROMPTS)


@pytest.mark.parametrize("template", ["contract.md", "first.md", "repair.md"])
def test_a_missing_fact_is_refused(template: str) -> None:
    with pytest.raises(MissingFact, match=template):
        render(template)


def test_the_version_follows_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prompt_version()
    copy = tmp_path / "prompts"
    shutil.copytree(rendering.HERE, copy)
    monkeypatch.setattr(rendering, "HERE", copy)
    prompt_version.cache_clear()
    same = prompt_version()
    with (copy / "repair.md").open("a") as file:
        file.write("!")
    prompt_version.cache_clear()
    other = prompt_version()
    prompt_version.cache_clear()

    assert before == same
    assert other != same
    assert len(before) == 12
