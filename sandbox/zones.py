"""The data of time zones, for closures, which have no files: by name, never by path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]{1,40}(?:/[A-Za-z0-9_+\-]{1,40}){0,3}").fullmatch


@lru_cache(maxsize=1_024)
def zone_data(name: str) -> bytes:
    """The compiled data of a time zone, empty when there is none; for the empty name, the names of all, one a line."""
    import zoneinfo

    if not name:
        return "\n".join(sorted(zoneinfo.available_timezones())).encode()
    if not _ZONE_NAME(name):
        return b""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, *name.split("/"))
        if path.is_file():
            data = path.read_bytes()
            return data if data.startswith(b"TZif") else b""
    return _packaged_zone(name.split("/"))


def _packaged_zone(parts: Sequence[str]) -> bytes:
    """The same from the tzdata package, where it is installed."""
    from importlib import resources

    try:
        data = resources.files("tzdata.zoneinfo").joinpath(*parts).read_bytes()
    except (ImportError, OSError):
        return b""
    return data if data.startswith(b"TZif") else b""
