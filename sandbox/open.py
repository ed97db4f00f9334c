"""Opens a sandbox by its name: the name of a file in sandbox/backends."""

from __future__ import annotations

import importlib
import pkgutil

from sandbox import backends
from sandbox.job import Sandbox, SandboxUnavailable

AUTOMATIC = ("local",)
"""What `auto` may choose from, in this order."""


def sandbox_names() -> list[str]:
    """The sandboxes there are, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(backends.__path__))


def open_sandbox(name: str = "auto") -> Sandbox:
    """The sandbox of that name, which starts in the background; `auto` takes the first that this machine can have.

    Raises SandboxUnavailable, here or at the first run. There is no fall-back to running without a sandbox.
    """
    if name != "auto":
        return _opened(name)
    problems: list[str] = []
    for candidate in AUTOMATIC:
        try:
            return _opened(candidate)
        except SandboxUnavailable as unavailable:
            problems.append(f"{candidate}: {unavailable}")
    raise SandboxUnavailable("no sandbox can be had here; " + "; ".join(problems))


def _opened(name: str) -> Sandbox:
    known = sandbox_names()
    if name not in known:
        raise SandboxUnavailable(f"no sandbox called {name!r}; there are: {', '.join(known)}")
    module = importlib.import_module(f"sandbox.backends.{name}")
    sandbox: Sandbox = module.create()
    return sandbox
