"""Which writers serve a request: by name, or `auto` — the builtin first, then the configured model."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path

from synth.errors import BadRequest
from synth.request import Writer


def known() -> list[str]:
    """Names of the models that there are: the files in this folder that define `create`."""
    folder = Path(__file__).parent
    return sorted(f.stem for f in folder.glob("*.py") if "\ndef create(" in f.read_text(encoding="utf-8"))


def writers_for(choice: str, environment: Mapping[str, str], share: str = "") -> list[Writer]:
    """The writers for `--model` (or TARS_MODEL): a name, NAME:SETTINGS, several parted by commas (cheap first), or `auto`.
    `share` is `--share`: what of the data a prompt may hold; without it TARS_SHARE, else what suits the model."""
    choice = choice or "auto"
    if choice == "auto":
        configured = environment.get("TARS_MODEL", "")
        choice = "builtin" if configured in ("", "auto", "builtin") else f"builtin,{configured}"
    share = share or environment.get("TARS_SHARE", "")
    return [_writer(part.strip(), environment, share) for part in choice.split(",")]


def _writer(choice: str, environment: Mapping[str, str], share: str) -> Writer:
    """A model's `create` takes its settings, and the environment and the level of sharing if it has parameters so named."""
    name, _, settings = choice.partition(":")
    if name not in known():
        raise BadRequest(f"no model called {name!r}; there are: {', '.join(known())}")
    create = importlib.import_module(f"synth.models.{name}").create
    offered: dict[str, object] = {"environment": environment, "share": share}
    taken = {k: v for k, v in offered.items() if k in inspect.signature(create).parameters}
    made: Writer = create(settings, **taken)
    return made
