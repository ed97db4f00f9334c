"""Closures as folders, addressed by the hash of their code: code, facts, cassette, an offline test; and names that point at them."""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.home import write_atomically

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

TEST = '''"""Replays the recorded calls of this closure's proof, with no source and no network."""

from pathlib import Path

from synth.offline import replays_as_recorded


def test_the_closure_replays_as_recorded() -> None:
    assert replays_as_recorded(Path(__file__).parent)
'''


class NoSuchClosure(Exception):
    """Nothing is kept under that name or id; the message lists what is."""


class BadName(Exception):
    """A name that cannot be a closure's."""


@dataclass(frozen=True)
class Kept:
    """A closure in its folder. `facts` is what closure.toml says."""

    id: str
    name: str
    folder: Path
    code: str
    facts: Mapping[str, object]


def id_of(code: str) -> str:
    """The closure's id: SHA-256 of its code, in hex."""
    return hashlib.sha256(code.encode()).hexdigest()


def check_name(name: str) -> None:
    """Raises BadName for what cannot be a closure's name."""
    if not _NAME.fullmatch(name):
        raise BadName(f"a closure's name is lower-case letters, digits, - and _ (at most 64), not {name!r}")


class Closures:
    """All kept closures below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, code: str, facts: Mapping[str, object], cassette: bytes, expected: bytes, name: str = "") -> Kept:
        """Keep a closure and its proof; under a name if given (a name then points at the newest). Whole or not at all."""
        import tomli_w

        if name:
            check_name(name)
        identity = id_of(code)
        place = self.folder / identity[:2] / identity
        if not (place / "closure.toml").exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = place.with_name(f".{identity}.{id(facts)}")
            (fresh / "cassette").mkdir(parents=True)
            try:
                (fresh / "closure.py").write_text(code)
                (fresh / "test_closure.py").write_text(TEST)
                (fresh / "cassette" / "calls.jsonl").write_bytes(cassette)
                (fresh / "cassette" / "records.jsonl").write_bytes(expected)
                (fresh / "closure.toml").write_bytes(
                    tomli_w.dumps({"id": identity, **facts}, multiline_strings=True).encode()
                )
                shutil.rmtree(place, ignore_errors=True)
                fresh.rename(place)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        if name:
            names = self.folder / "names"
            names.mkdir(parents=True, exist_ok=True)
            versions = [i for i in self._versions(name) if i != identity]
            write_atomically(names / name, "\n".join([*versions, identity]).encode())
        return self.get(name or identity)

    def get(self, name_or_id: str) -> Kept:
        """The closure of that name, id, or unambiguous start of an id. Raises NoSuchClosure."""
        named = self.folder / "names" / name_or_id
        if _NAME.fullmatch(name_or_id) and named.is_file():
            return self._read(self._versions(name_or_id)[-1], name_or_id)
        found = (
            [i for i in self._ids() if i.startswith(name_or_id)] if re.fullmatch(r"[0-9a-f]{4,64}", name_or_id) else []
        )
        if len(found) == 1:
            return self._read(found[0], self._names().get(found[0], ""))
        if found:
            raise NoSuchClosure(f"{name_or_id!r} begins several ids; give more of it")
        known = sorted(self._names().values())
        hint = f"there are: {', '.join(known)}" if known else "none has a name yet; see `tars closure list`"
        raise NoSuchClosure(f"no closure called {name_or_id!r}; {hint}")

    def roll_back(self, name: str) -> Kept:
        """Point the name at the closure that it pointed at before; the one it leaves stays under its id. Raises NoSuchClosure."""
        self.get(name)
        versions = self._versions(name)
        if len(versions) < 2:
            raise NoSuchClosure(f"{name!r} has pointed at one closure only; there is nothing to go back to")
        write_atomically(self.folder / "names" / name, "\n".join(versions[:-1]).encode())
        return self.get(name)

    def _versions(self, name: str) -> list[str]:
        """The ids that a name has pointed at, newest last."""
        place = self.folder / "names" / name
        return place.read_text().split() if _NAME.fullmatch(name) and place.is_file() else []

    def all(self) -> list[Kept]:
        """Every closure, newest first."""
        names = self._names()
        kept = [self._read(i, names.get(i, "")) for i in self._ids()]
        return sorted(kept, key=lambda k: str(k.facts.get("made", "")), reverse=True)

    def _read(self, identity: str, name: str) -> Kept:
        place = self.folder / identity[:2] / identity
        try:
            code = (place / "closure.py").read_text()
            facts = tomllib.loads((place / "closure.toml").read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise NoSuchClosure(f"the closure {identity[:12]} in {place} cannot be read: {error}") from error
        if id_of(code) != identity:
            raise NoSuchClosure(f"the code in {place} was changed after its proof; only the code that passed is run")
        return Kept(identity, name, place, code, facts)

    def _ids(self) -> list[str]:
        return [p.parent.name for p in self.folder.glob("??/*/closure.toml") if not p.parent.name.startswith(".")]

    def _names(self) -> dict[str, str]:
        folder = self.folder / "names"
        return (
            {self._versions(p.name)[-1]: p.name for p in sorted(folder.glob("*")) if self._versions(p.name)}
            if folder.is_dir()
            else {}
        )
