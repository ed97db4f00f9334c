"""The detection set: files, strings and payloads with what each is; half of it open, half kept aside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["open", "kept"]
SUITES = Path(__file__).parent / "suites"
TEXTS = ("logs", "markup", "plain")
LIES = (
    *("csv", "json", "pdf", "png", "xml", "parquet", "xlsx", "html", "py"),
    *("sqlite", "docx", "mp3", "yaml", "zip", "jpg", "avro"),
)
NOT_A_LIE: dict[bytes, tuple[str, ...]] = {
    b"{": ("json",),
    b"[": ("json",),
    b"<": ("xml", "html"),
    b"PK": ("zip",),
    b"\xef\xbb\xbf<": ("xml", "html"),
}
"""What a file begins with, and the extensions that would be no lie about it."""


@dataclass(frozen=True)
class File:
    """A file or folder that was written. `answers` are right when it goes by its name, `hidden` when the name says nothing or lies."""

    id: str
    path: Path
    answers: frozenset[str]
    hidden: frozenset[str]
    part: Part


@dataclass(frozen=True)
class Said:
    """A string, or what a service said; `unknown` is among the answers of a trap."""

    id: str
    text: str
    body: bytes | None
    port: int | None
    answers: frozenset[str]
    part: Part


def part_of(identity: str) -> Part:
    """Half and half, by the hash of the id."""
    return "kept" if hashlib.sha256(f"detection {identity}".encode()).digest()[0] % 2 else "open"


def answers_in(kinds: str) -> frozenset[str]:
    """The ids in a list with commas; `none` is `unknown`."""
    return frozenset("unknown" if kind.strip() == "none" else kind.strip() for kind in kinds.split(",") if kind.strip())


def written(folder: Path) -> tuple[list[File], dict[str, str]]:
    """Every file of the set, written into `folder` unless it is there already; and those left out, with the reason."""
    left_out: dict[str, str] = {}
    files = [*_texts(folder), *_made(folder, left_out)]
    return files, left_out


def _file(identity: str, path: Path, kinds: str, hidden: str) -> File:
    answers = answers_in(kinds)
    return File(identity, path, answers, answers | answers_in(hidden), part_of(identity))


def _texts(folder: Path) -> Iterator[File]:
    import yaml

    for suite in TEXTS:
        for raw in yaml.load((SUITES / f"detection_{suite}.yaml").read_text("utf-8"), yaml.CSafeLoader):
            for times in (1, raw["repeat"]) if "repeat" in raw else (1,):
                identity = f"{suite}/{raw['name']}" + ("" if times == 1 else "/large")
                path = folder / identity.replace("/", "~") / raw["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes((raw["text"] * times).encode(raw.get("encoding", "utf-8")))
                yield _file(identity, path, raw["kinds"], raw.get("hidden", ""))


def _made(folder: Path, left_out: dict[str, str]) -> Iterator[File]:
    from evals.data.detection_files import MADE

    for each in MADE:
        identity = f"made/{each.name}"
        path = folder / identity.replace("/", "~") / each.name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                each.write(path)
            except ImportError as absent:
                left_out[identity] = str(absent)
                continue
        yield _file(identity, path, each.kinds, each.hidden)


def lie_about(file: File) -> str | None:
    """An extension that belongs to another type, chosen by the file's id; None for folders."""
    if file.path.is_dir():
        return None
    with file.path.open("rb") as opened:
        head = opened.read(8).lstrip()
    honest = {e for begin, extensions in NOT_A_LIE.items() if head.startswith(begin) for e in extensions}
    honest |= set(file.hidden) | {file.path.suffix.lstrip(".").lower()} | ({"jpg"} if "jpeg" in file.hidden else set())
    left = [lie for lie in LIES if lie not in honest]
    return left[hashlib.sha256(file.id.encode()).digest()[1] % len(left)]


def strings() -> tuple[list[Said], list[Said]]:
    """The strings that are sources, and the traps."""
    import yaml

    sources: list[Said] = []
    traps: list[Said] = []
    for kinds, lines in yaml.safe_load((SUITES / "detection_strings.yaml").read_text("utf-8")).items():
        answers = answers_in(kinds)
        for line in lines.splitlines():
            identity = f"string/{line}"
            item = Said(identity, line, None, None, answers, part_of(identity))
            (traps if answers == {"unknown"} else sources).append(item)
    return sources, traps


def payloads() -> list[Said]:
    """What services say."""
    from evals.data.detection_payloads import PAYLOADS

    found = []
    for each in PAYLOADS:
        identity = f"payload/{each.kinds}/{hashlib.sha256(each.body).hexdigest()[:12]}"
        found.append(Said(identity, "payload", each.body, each.port, answers_in(each.kinds), part_of(identity)))
    return found
