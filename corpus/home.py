"""The home: the user's folder with everything that TARS remembers. Its layout has a version."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

VERSION = 1


class HomeUnusable(Exception):
    """The home cannot be read or written; the message says why and what to do."""


def home_of(environment: Mapping[str, str]) -> Path:
    """`TARS_HOME`, or the platform's folder for user data."""
    if environment.get("TARS_HOME"):
        return Path(environment["TARS_HOME"]).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tars", appauthor=False)


def opened(home: Path) -> Path:
    """The home, made if need be. Raises HomeUnusable when a newer TARS made it, or it cannot be written."""
    marker = home / "home.json"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not marker.exists():
            write_atomically(marker, json.dumps({"version": VERSION}).encode())
        version = json.loads(marker.read_bytes() or b"{}").get("version", VERSION)
    except (OSError, ValueError) as error:
        raise HomeUnusable(
            f"the home folder {home} cannot be used: {_why(error)}. Set TARS_HOME to another folder"
        ) from error
    if version > VERSION:
        raise HomeUnusable(
            f"the home folder {home} has layout {version}, and this TARS knows layouts up to {VERSION}. "
            "Update TARS, or set TARS_HOME to another folder"
        )
    return home


def write_atomically(path: Path, data: bytes) -> None:
    """The whole file or none of it, whatever happens in between."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with fresh.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock; other processes wait. The lock goes with the process, however it ends."""
    import fcntl

    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else f"home.json is damaged ({error})"
