"""Where a model's key comes from: the environment, a file that it names, or the system's keyring. It is never written anywhere."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from synth.models.problem import ModelProblem

KEYRING_SERVICE = "tars"


def key_of(environment: Mapping[str, str], host: str) -> str:
    """The key, or "" where there is none: OPENAI_API_KEY, else the file OPENAI_API_KEY_FILE, else the keyring's entry
    of the service `tars` for this host. Raises ModelProblem for a key that cannot be read or sent."""
    if key := environment.get("OPENAI_API_KEY", "").strip():
        return _sendable(key, "OPENAI_API_KEY")
    if file := environment.get("OPENAI_API_KEY_FILE", ""):
        return _sendable(_read(file), f"the file {file!r} of OPENAI_API_KEY_FILE")
    return _sendable(_from_keyring(host), "the keyring's key")


def _read(file: str) -> str:
    path = Path(file).expanduser()
    try:
        with path.open("rb") as opened:
            raw = opened.read(16_385)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ModelProblem(
            f"OPENAI_API_KEY_FILE={file!r} cannot be read: {why}", "Name a file that holds the key", "bad-settings"
        ) from None
    key = raw.decode("utf-8", "replace").strip()
    if not key:
        raise ModelProblem(f"OPENAI_API_KEY_FILE={file!r} is empty", "Put the key into it", "bad-settings")
    return key


def _from_keyring(host: str) -> str:
    """The keyring is asked only where the optional package is there; a locked or missing one is no key."""
    try:
        keyring = importlib.import_module("keyring")
        errors = importlib.import_module("keyring.errors")
    except ImportError:
        return ""
    try:
        found: str | None = keyring.get_password(KEYRING_SERVICE, host)
    except errors.KeyringError:
        return ""
    return found or ""


def _sendable(key: str, where: str) -> str:
    """A key goes into a header: visible ASCII, one line. The message never holds it."""
    key = key.strip()
    if not all("!" <= c <= "~" for c in key) or len(key) > 8_192:
        raise ModelProblem(
            f"{where} holds something that is no key: blanks, line breaks or other characters that no header takes",
            "Set it to the key alone",
            "bad-settings",
        )
    return key
