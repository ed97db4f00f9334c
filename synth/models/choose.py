"""Which writers serve a request: by name, or `auto` — the builtin first, then the configured model."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from synth.errors import BadRequest
from synth.request import Writer

_NOT_MODELS = {"choose", "stub", "text_writer"}


def known() -> list[str]:
    """Names of the models that there are: the files in this folder."""
    import synth.models

    return sorted(m.name for m in pkgutil.iter_modules(synth.models.__path__) if m.name not in _NOT_MODELS)


def writers_for(choice: str, environment: Mapping[str, str]) -> list[Writer]:
    """The writers for `--model` (or TARS_MODEL): a name, NAME:SETTINGS, several parted by commas (cheap first), or `auto`."""
    choice = choice or "auto"
    if choice == "auto":
        configured = environment.get("TARS_MODEL", "")
        choice = "builtin" if configured in ("", "auto", "builtin") else f"builtin,{configured}"
    return [_writer(part.strip()) for part in choice.split(",")]


def _writer(choice: str) -> Writer:
    name, _, settings = choice.partition(":")
    if name not in known():
        raise BadRequest(f"no model called {name!r}; there are: {', '.join(known())}")
    made: Writer = importlib.import_module(f"synth.models.{name}").create(settings)
    return made
