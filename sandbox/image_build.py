"""The image of the docker sandbox: what goes into it, how it is built, and how the one that fits this code is found.

An image carries the fingerprint of everything that went into it from here, so one that was built for other code is never
run by mistake.
"""

from __future__ import annotations

import ast
import hashlib
import io
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sandbox.docker_engine import Engine, engine, engine_errors
from sandbox.job import SandboxUnavailable

LABEL = "tars.sandbox.image"
HOME = "/opt/tars"
LIBRARIES = ("RestrictedPython", "duckdb", "ormsgpack", "pyarrow")
BUILD = "tars sandbox build"

_PACKAGE = Path(__file__).parent


def default_base() -> str:
    """The base image when none is named: this Python's own version on a small Debian."""
    return f"python:{sys.version_info.major}.{sys.version_info.minor}-slim-bookworm"


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """A hash of all that this code puts into the image: the program inside, the policy, the libraries' versions, the recipe."""
    whole = hashlib.sha256()
    for name, data in _context():
        whole.update(f"{name} {len(data)}\n".encode())
        whole.update(data)
    return whole.hexdigest()[:24]


def find_image(found: Engine) -> str:
    """The digest of the newest image on the engine that was built for this code. SandboxUnavailable when there is none."""
    with engine_errors(found.address):
        fitting = found.api.images(filters={"label": f"{LABEL}={fingerprint()}"})
        if not fitting:
            others = found.api.images(filters={"label": LABEL})
            why = "was built for other code or other libraries than these" if others else "has not been built yet"
            raise SandboxUnavailable(f"the docker sandbox's image {why}: run `{BUILD}`")
        digest: str = max(fitting, key=lambda image: int(image["Created"]))["Id"]
        volumes = (found.api.inspect_image(digest)["Config"] or {}).get("Volumes")
    if volumes:
        raise SandboxUnavailable(
            f"the docker sandbox's image declares volumes ({', '.join(volumes)}), which could be written to: "
            f"run `{BUILD}` with another base"
        )
    return digest


def build_image(
    base: str | None = None,
    progress: Callable[[str], None] = lambda line: None,
    *,
    address: str | None = None,
    network: str | None = None,
) -> str:
    """Build the image on the engine and give its digest. `progress` hears each line of the build.

    `base` is any image that meets the notes in sandbox/image/Dockerfile; `network` is the network that the build may use to
    fetch the libraries, the engine's default when None. SandboxUnavailable tells what went wrong, in the builder's words.
    """
    found = engine(address)
    arguments = {"BASE": base or default_base(), "FINGERPRINT": fingerprint()}
    last = ""
    with engine_errors(found.address):
        for line in found.api.build(
            fileobj=_archive(),
            custom_context=True,
            buildargs=arguments,
            network_mode=network,
            tag=f"tars-sandbox:{fingerprint()}",
            rm=True,
            forcerm=True,
            decode=True,
            timeout=3_600,
        ):
            text = _text(line)
            if "error" in line:
                raise SandboxUnavailable(f"the docker sandbox's image could not be built: {text}{_after(last)}")
            if text:
                progress(text)
                last = text
    return find_image(found)


def _text(line: dict[str, Any]) -> str:
    said = line.get("error") or line.get("stream") or line.get("status") or ""
    return str(said).strip()[:2_000]


def _after(last: str) -> str:
    return f" (after: {last})" if last else ""


def _requirements() -> str:
    try:
        return "".join(f"{name}=={version(name)}\n" for name in LIBRARIES)
    except PackageNotFoundError as missing:
        raise SandboxUnavailable(f"the docker sandbox needs the package {missing.name}") from None


def _context() -> Iterator[tuple[str, bytes]]:
    """The files of the build, by name; the same order and bytes on every machine."""
    yield "Dockerfile", (_PACKAGE / "image" / "Dockerfile").read_bytes()
    yield "requirements.txt", _requirements().encode()
    for path in _needed_inside():
        yield path.relative_to(_PACKAGE.parent).as_posix(), path.read_bytes()


def _needed_inside() -> list[Path]:
    """The program inside and all of this package that it imports, sorted."""
    found: set[Path] = set()
    waiting = [_PACKAGE / "__init__.py", *(_PACKAGE / "inside").glob("*.py")]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(found)


def _imported(path: Path) -> Iterator[Path]:
    """The files of this package that a file loads when it is loaded, and with the program inside also those it loads later."""
    tree = ast.parse(path.read_bytes())
    nodes = ast.walk(tree) if path.parent.name == "inside" else iter(tree.body)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == _PACKAGE.name:
            module = _PACKAGE.joinpath(*node.module.split(".")[1:])
            names = [module / f"{alias.name}.py" for alias in node.names]
            yield from (file for file in (module.with_suffix(".py"), *names) if file.is_file())


def _archive() -> io.BytesIO:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, data in _context():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    whole.seek(0)
    return whole
