"""What an environment and the configuration in a folder point to: addresses of services in variables, dotenv files, compose files,
Kubernetes manifests and the configuration of applications and clouds. Nothing is connected to; no secret is in what comes back."""

from __future__ import annotations

import base64
import binascii
import configparser
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.catalog import catalogue
from synth.detect import detect
from synth.detection import UNKNOWN
from synth.sources.credentials import masked

DEEPEST = 5
MOST_FILES = 2_000
MOST_BYTES = 1_000_000
LEAST_SURE = 0.8
_SKIPPED = {"node_modules", "__pycache__", "venv", "site-packages", "vendor", "target", "dist", "build"}
_LOCAL = {"file-transfer"}
_PARTS = re.compile(
    r"(?i)^(?P<group>.*?)_?(?P<part>HOST|HOSTNAME|SERVER|ADDR|ADDRESS|PORT|USER|USERNAME|DATABASE|DB|NAME|DBNAME)$"
)
_ASSIGNED = re.compile(
    r"""(?m)^\s*(?:export\s+)?["']?([A-Za-z_][\w.\-]*)["']?\s*[=:]\s*["']?([^"'\n#]+?)["']?\s*,?\s*(?:#.*)?$"""
)
_PORTS = re.compile(r"(?:\d+(?:\.\d+){3}:)?(?P<outer>\d+)(?::(?P<inner>\d+))?(?:/tcp)?")


@dataclass(frozen=True)
class Pointer:
    """One service that something points to. `where` is the file (or `environment`) with the name of the setting; `source` the address,
    its secrets masked; `kind` and `confidence` what detection makes of it."""

    where: str
    source: str
    kind: str
    family: str
    confidence: float


def pointers(folder: Path | None, environment: Mapping[str, str]) -> Iterator[Pointer]:
    """Everything found, the environment first; each address once for each place that names it."""
    seen: set[tuple[str, str]] = set()
    for where, source in _addresses(folder, environment):
        found = detect(source, mode="string")
        if found.kind == UNKNOWN or found.confidence < LEAST_SURE or not _is_service(source, found.family):
            continue
        shown = masked(source)
        if (where, shown) not in seen:
            seen.add((where, shown))
            yield Pointer(where, shown, found.kind, found.family, found.confidence)


def _is_service(source: str, family: str) -> bool:
    """Paths and links to pages are no services that one would ask."""
    return (
        family not in _LOCAL and bool(re.search(r"://|@|:\d|[\w.]+=|^arn:", source)) and not source.startswith("file:")
    )


def _addresses(folder: Path | None, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from _in_settings("environment", environment)
    for path in _files(folder) if folder else ():
        read = _reader(path)
        if read is None:
            continue
        try:
            text = path.read_text(encoding="utf-8", errors="replace")[:MOST_BYTES]
            settings = read(text)
        except (OSError, ValueError, RecursionError, configparser.Error):
            continue
        assert folder is not None
        yield from _in_settings(str(path.relative_to(folder)), settings)
        if path.suffix in (".yml", ".yaml"):
            yield from _in_compose(str(path.relative_to(folder)), text)


def _in_settings(place: str, settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Values that are addresses, and hosts and ports that only together are one (`DB_HOST`, `DB_PORT`)."""
    groups: dict[str, dict[str, str]] = {}
    for name, value in settings.items():
        if not value or len(value) > 2_000:
            continue
        yield f"{place}: {name}", value
        if decoded := _decoded(value):
            yield f"{place}: {name}", decoded
        if parts := _PARTS.match(name.replace(".", "_").replace("-", "_")):
            groups.setdefault(parts["group"].upper(), {})[parts["part"].upper()] = value
    for group, found in groups.items():
        host = next((found[p] for p in ("HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS") if p in found), "")
        port = found.get("PORT", "")
        if re.fullmatch(r"[\w.\-]+", host) and port.isdigit():
            yield f"{place}: {group}_*", f"{host}:{port}"


def _decoded(value: str) -> str:
    """What a Kubernetes secret holds: text in base 64."""
    if len(value) < 16 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", value):
        return ""
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if "://" in text and text.isprintable() else ""


def _in_compose(place: str, text: str) -> Iterator[tuple[str, str]]:
    """Services that a compose file runs from a known image and publishes on this machine."""
    for document in _documents(text):
        services = document.get("services") if isinstance(document, dict) else None
        for name, service in services.items() if isinstance(services, dict) else ():
            if not isinstance(service, dict):
                continue
            scheme = _scheme_of(str(service.get("image", "")))
            for port in service.get("ports") or ():
                published = port.get("published") if isinstance(port, dict) else port
                found = _PORTS.fullmatch(str(published))
                if scheme and found:
                    yield f"{place}: {name}", f"{scheme}://localhost:{found['outer']}"


def _scheme_of(image: str) -> str:
    """The scheme of the kind that an image is named for: `bitnami/postgresql:16` gives `postgresql`."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0].lower()
    kind = catalogue().named(name)
    schemes = kind.schemes if kind else ()
    return schemes[0] if schemes else ""


def _files(folder: Path) -> Iterator[Path]:
    """Regular files of a folder and those below it, hidden folders and installed packages left out."""
    count = 0
    for root, folders, names in os.walk(folder):
        depth = len(Path(root).relative_to(folder).parts)
        folders[:] = [] if depth >= DEEPEST else sorted(f for f in folders if f not in _SKIPPED and f[0] != ".")
        for name in sorted(names):
            path = Path(root) / name
            if count >= MOST_FILES:
                return
            if not path.is_symlink() and path.is_file():
                count += 1
                yield path


def _reader(path: Path) -> Callable[[str], dict[str, str]] | None:
    """How a file's settings are read, by its name; None for a file that is no configuration."""
    name = path.name.lower()
    if name.startswith(".env") or name.endswith(".env"):
        return _assigned
    by_suffix: dict[str, Callable[[str], dict[str, str]]] = {
        ".yml": _yaml, ".yaml": _yaml, ".json": _json, ".toml": _toml, ".ini": _ini, ".cfg": _ini, ".conf": _assigned,
        ".properties": _assigned, ".tf": _assigned, ".tfvars": _assigned, ".envrc": _assigned,
    }  # fmt: skip
    return by_suffix.get(path.suffix.lower())


def _assigned(text: str) -> dict[str, str]:
    return {found[1]: found[2].strip() for found in _ASSIGNED.finditer(text)}


def _json(text: str) -> dict[str, str]:
    return dict(_leaves(json.loads(text)))


def _toml(text: str) -> dict[str, str]:
    return dict(_leaves(tomllib.loads(text)))


def _ini(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return {f"{section}.{name}": value for section in parser.sections() for name, value in parser[section].items()}


def _yaml(text: str) -> dict[str, str]:
    return {name: value for document in _documents(text) for name, value in _leaves(document)}


def _documents(text: str) -> list[Any]:
    import yaml

    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return []


def _leaves(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Texts and numbers of a nested document, by their path. `{name: X, value: Y}`, as Kubernetes writes variables, is X = Y."""
    if depth > 20:
        return
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str | int):
            yield value["name"], str(value["value"])
            return
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list):
        yield from _members(value, path, depth)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path, str(value)


def _members(values: Iterable[object], path: str, depth: int) -> Iterator[tuple[str, str]]:
    for number, inner in enumerate(values):
        if isinstance(inner, str) and (found := re.fullmatch(r"([A-Za-z_]\w*)=(.+)", inner)):
            yield found[1], found[2]
        else:
            yield from _leaves(inner, f"{path}[{number}]", depth + 1)
