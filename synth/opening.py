"""Opening: from what the user wrote after --source to a Source, by way of a detection."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from synth.errors import BadRequest, SourceProblem
from synth.source import OpenOptions, Source

if TYPE_CHECKING:
    from synth.detection import Detection

_TARGET = re.compile(r"(?:[\w.\-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.+)", re.DOTALL)


class Connector(Protocol):
    """A module in synth/sources."""

    def open_source(self, location: str, detection: Detection, options: OpenOptions) -> Source:
        """The source at a location."""
        ...


def open_all(texts: tuple[str, ...], options: OpenOptions) -> Source:
    """One source for what was written after `--source`, once or several times (`name=SOURCE`)."""
    if not texts:
        raise BadRequest("no source was given", "Add --source FILE, FOLDER or URL")
    named = [name_and_location(text) for text in texts]
    if len(named) == 1:
        name, location = named[0]
        return open_one(location, replace(options, name=name))
    names = [name or _made_name(location) for name, location in named]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise BadRequest(f"two sources are called {twice!r}", "Give each its own name: --source a=FILE --source b=FILE")
    from synth.sources.federated import FederatedSource

    opened: dict[str, Source] = {}
    try:
        for name, (_, location) in zip(names, named, strict=True):
            opened[name] = open_one(location, replace(options, name=name))
        return FederatedSource(opened)
    except BaseException:
        for source in opened.values():
            source.close()
        raise


def open_one(location: str, options: OpenOptions) -> Source:
    """Detect and open one source. Raises SourceProblem for everything that a user can act on."""
    from synth.detect import detect

    if not location.strip():
        raise BadRequest("the source is empty", "Give a file, a folder or a URL")
    options.progress("detect")
    if location.startswith(("http://", "https://")):
        return _open_url(location, options)
    if "://" not in location and _TARGET.fullmatch(location) and not Path(location).exists():
        return _open_target(location, options)
    detection = detect(location)
    if not detection.connector:
        raise _unreadable(location, detection)
    options.progress(f"open {detection.kind}")
    return connector_of(detection).open_source(location, detection, options)


def _open_target(location: str, options: OpenOptions) -> Source:
    """A bare host and port is asked what it is: an HTTP service is read as one, a database wants an address with more in it."""
    from synth.catalog import catalogue
    from synth.detection import UNKNOWN
    from synth.probe import Unreachable, asked, target_of

    target = target_of(location)
    if target is None:
        raise BadRequest(f"{location!r} names no host and port", "Write host:port, or a whole address")
    options.progress(f"ask {location} what it is")
    try:
        found = asked(*target)
    except Unreachable as problem:
        raise SourceProblem("unreachable", f"nobody answers at {location}: {problem}", "Check host and port") from None
    if found.connector == "http_api":
        return _open_url(f"http://{location}", options)
    schemes = catalogue().kinds[found.kind].schemes if found.kind in catalogue().kinds else ()
    if found.connector and schemes:
        step = f"Write {schemes[0]}://USER:${{PASSWORD}}@{location}/DATABASE"
        raise SourceProblem("incomplete", f"{location} is {found.kind}, which wants a user and a database", step)
    if found.kind == UNKNOWN:
        told = f"something listens at {location}, and does not say what it is"
        raise SourceProblem("unknown-kind", told, "Write its whole address, with a scheme: redis://…, http://…")
    raise _unreadable(location, found)


def connector_of(detection: Detection) -> Connector:
    """The module that reads a detected kind."""
    return cast(Connector, importlib.import_module(f"synth.sources.{detection.connector}"))


def _open_url(location: str, options: OpenOptions) -> Source:
    """What a URL answers decides: a JSON API is read as such, a file is fetched first."""
    from synth.detect import detect
    from synth.sources import http_api, http_client

    answer = http_client.probe(location, options)
    if answer.status >= 400 or _is_json(answer.content_type, answer.head):
        return http_api.open_source(location, detect(location), options)
    fetched = http_client.download(location, options)
    detection = detect(str(fetched.path))
    if not detection.connector or (detection.kind == "html" and not _has_table(answer.head)):
        fetched.path.unlink(missing_ok=True)
        # The API connector says in words what came instead of JSON.
        return http_api.open_source(location, detect(location), options)
    name = options.name or Path(fetched.name or "").stem
    source = connector_of(detection).open_source(str(fetched.path), detection, replace(options, name=name))
    return cast(Source, _Fetched(source, fetched.path))


def _is_json(content_type: str, head: bytes) -> bool:
    kind = content_type.split(";")[0].strip().lower()
    if kind.endswith(("/csv", "/xml", "/html", "ndjson", "jsonl", "octet-stream", "geo+json")):
        return False
    return kind.endswith(("json",)) or head.lstrip()[:1] in (b"{", b"[")


def _has_table(head: bytes) -> bool:
    return b"<table" in head.lower()


class _Fetched:
    """A source over a file that was fetched; the file goes when it is closed."""

    def __init__(self, source: Source, path: Path) -> None:
        self._source = source
        self._path = path

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def close(self) -> None:
        """Close the source and remove the file."""
        self._source.close()
        self._path.unlink(missing_ok=True)


def _unreadable(location: str, detection: Detection) -> SourceProblem:
    from synth.sources.credentials import masked

    shown = masked(location)
    path = Path(location)
    if "://" not in location and not any(c in location for c in "*?["):
        if not path.exists():
            return SourceProblem("missing", f"there is no file or folder {shown!r}", "Check the path")
        if path.is_file() and not path.stat().st_size:
            return SourceProblem("empty", f"{shown!r} is empty", "Nothing can be asked of a file without bytes")
    if detection.kind == "unknown":
        why = f": {detection.evidence[0]}" if detection.evidence else ""
        return SourceProblem("unknown-kind", f"cannot tell what {shown!r} is{why}", "See `tars datasource detect`")
    return SourceProblem(
        "unknown-kind",
        f"{shown!r} is {detection.kind}, which is known by name and cannot be read yet",
        "See `tars datasource kinds` for what can be read",
    )


def name_and_location(text: str) -> tuple[str, str]:
    """`name=SOURCE`, unless what looks like a name is part of a path or address that exists as it stands."""
    match = _NAMED.fullmatch(text)
    if not match or Path(text).exists() or "://" in text.split("=", 1)[0]:
        return "", text
    return match.group(1), match.group(2)


def _made_name(location: str) -> str:
    stem = Path(location.split("?")[0].rstrip("/")).name.split(".")[0]
    return re.sub(r"\W+", "_", stem).strip("_").lower() or "source"
