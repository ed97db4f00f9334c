"""The catalogue: every kind of source TARS has a name for, one TOML table each, with the marks it is known by.

A table's name is the kind's id; `family` at the top of the file is the family of all of its kinds. The other keys:

    title, aliases, parents       what people call it, other spellings, the more general kinds it is one of
    schemes, jdbc, odbc, keys     URL schemes; JDBC sub-protocols; words in an ODBC/ADO driver; telling `k=v` keys
    hosts, ports                  host suffixes (`*` is any label) that decide over the scheme; default ports
    commands, environment         command-line clients that talk to it; environment variables that point to it
    extensions, names, mime       how files of it are called, whole file names, media types
    signatures                    `offset:bytes` parts joined by ` & `; a negative offset counts from the end
    json                          conditions on the root object: `key`, `key=value`, `key=begins*`, `a.b`, `!key`, `[] key`
    xml                           root element: `rss`, `{piece of the namespace}root`, `{piece of the namespace}`
    text                          `weight|literal that must be there|regular expression` over the head, each worth its weight
    lines                         regular expressions that most lines match, for logs and records of lines
    structure                     name of the probe in synth/detect_*.py that knows it
    connector, extra, example     module in synth/sources that reads it (empty: named only), its extra, an example
"""

from __future__ import annotations

import marshal
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
CONNECTORS = frozenset(
    [
        "delimited",
        "fixed_width",
        "log_file",
        "json_file",
        "xml_file",
        "html_file",
        "excel",
        "columnar",
        "folder",
        "sql_database",
        "sqlite_file",
        "duckdb_file",
        "http_api",
    ]
)
_ID = re.compile(r"[a-z0-9]+(?:[-.+][a-z0-9]+)*")
_Words = tuple[str, ...]


class BrokenCatalogue(Exception):
    """A table of the catalogue does not hold what the catalogue promises; the message names file, kind and key."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source and the marks it is known by; see the head of this file."""

    id: str
    family: str
    title: str
    aliases: _Words = ()
    parents: _Words = ()
    schemes: _Words = ()
    jdbc: _Words = ()
    odbc: _Words = ()
    keys: _Words = ()
    hosts: _Words = ()
    ports: tuple[int, ...] = ()
    commands: _Words = ()
    environment: _Words = ()
    extensions: _Words = ()
    names: _Words = ()
    mime: _Words = ()
    signatures: _Words = ()
    json: _Words = ()
    xml: _Words = ()
    text: _Words = ()
    lines: _Words = ()
    structure: str = ""
    connector: str = ""
    extra: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes at offsets that all have to be there. `weight` is in log-odds and grows with the bytes."""

    kind: str
    parts: tuple[tuple[int, bytes], ...]
    weight: float


@dataclass(frozen=True)
class Catalogue:
    """All kinds by id, with the tables that detection looks things up in, each made when first asked for."""

    kinds: Mapping[str, Kind]
    _ancestors: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)

    def named(self, word: str) -> Kind | None:
        """The kind with this id or alias, in any case and with spaces or underscores for hyphens; None if there is none."""
        return self.kinds.get(self._by_name.get(_plain(word), ""))

    def ancestors(self, kind: str) -> frozenset[str]:
        """The parents of a kind, their parents, and so on."""
        known = self._ancestors.get(kind)
        if known is None:
            parents = self.kinds[kind].parents if kind in self.kinds else ()
            known = frozenset(parents).union(*(self.ancestors(parent) for parent in parents))
            self._ancestors[kind] = known
        return known

    @cached_property
    def _by_name(self) -> dict[str, str]:
        names = {_plain(alias): kind.id for kind in self.kinds.values() for alias in kind.aliases}
        return names | {_plain(kind): kind for kind in self.kinds}

    def _table(self, key: str) -> dict[str, tuple[str, ...]]:
        table: dict[str, tuple[str, ...]] = {}
        for kind in self.kinds.values():
            for word in getattr(kind, key):
                table[word] = (*table.get(word, ()), kind.id)
        return table

    @cached_property
    def by_scheme(self) -> dict[str, tuple[str, ...]]:
        """Kinds by URL scheme."""
        return self._table("schemes")

    @cached_property
    def by_jdbc(self) -> dict[str, tuple[str, ...]]:
        """Kinds by JDBC sub-protocol."""
        return self._table("jdbc")

    @cached_property
    def by_odbc(self) -> dict[str, tuple[str, ...]]:
        """Kinds by a word of an ODBC or ADO driver's name."""
        return self._table("odbc")

    @cached_property
    def by_key(self) -> dict[str, tuple[str, ...]]:
        """Kinds by a telling key of `k=v;` strings, lower case without spaces."""
        return self._table("keys")

    @cached_property
    def by_port(self) -> dict[int, tuple[str, ...]]:
        """Kinds by default port."""
        table: dict[int, tuple[str, ...]] = {}
        for kind in self.kinds.values():
            for port in kind.ports:
                table[port] = (*table.get(port, ()), kind.id)
        return table

    @cached_property
    def by_command(self) -> dict[str, tuple[str, ...]]:
        """Kinds by the command-line client that talks to them."""
        return self._table("commands")

    @cached_property
    def by_environment(self) -> dict[str, tuple[str, ...]]:
        """Kinds by the environment variable that points to them."""
        return self._table("environment")

    @cached_property
    def by_extension(self) -> dict[str, tuple[str, ...]]:
        """Kinds by file extension, lower case without the dot."""
        return self._table("extensions")

    @cached_property
    def by_file_name(self) -> dict[str, tuple[str, ...]]:
        """Kinds by whole file name, lower case."""
        return self._table("names")

    @cached_property
    def by_mime(self) -> dict[str, tuple[str, ...]]:
        """Kinds by media type."""
        return self._table("mime")

    @cached_property
    def roots(self) -> tuple[tuple[str, str, str, str], ...]:
        """(kind, piece of the namespace, root element, piece of the text) for XML; empty where anything will do."""
        found = []
        for kind in self.kinds.values():
            for mark in kind.xml:
                name, _, inner = mark.partition("&")
                space, _, root = name.removeprefix("{").rpartition("}") if name.startswith("{") else ("", "", name)
                found.append((kind.id, space, root, inner))
        return tuple(found)

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        """Every signature, longest first."""
        made = [signature_of(kind.id, text) for kind in self.kinds.values() for text in kind.signatures]
        return tuple(sorted(made, key=lambda each: -each.weight))

    def host_kind(self, host: str) -> str | None:
        """The kind that a host's name decides, by the longest suffix that fits; None for an ordinary host."""
        labels = host.lower().rstrip(".").split(".")
        best: tuple[int, str] | None = None
        for suffix, kind in self._hosts.get(".".join(labels[-2:]), ()):
            if len(suffix) <= len(labels) and all(
                want in ("*", have) for want, have in zip(reversed(suffix), reversed(labels), strict=False)
            ):
                weight = 2 * len(suffix) - suffix.count("*")
                if best is None or weight > best[0]:
                    best = (weight, kind)
        return best[1] if best else None

    @cached_property
    def _hosts(self) -> dict[str, list[tuple[list[str], str]]]:
        table: dict[str, list[tuple[list[str], str]]] = {}
        for kind in self.kinds.values():
            for host in kind.hosts:
                labels = host.split(".")
                table.setdefault(".".join(labels[-2:]), []).append((labels, kind.id))
        return table


# What a signature of two bytes is worth: one file of noise in a few thousand begins with one of those in the catalogue.
TWO_BYTES = 2.0


def signature_of(kind: str, text: str) -> Signature:
    """Read `offset:bytes & offset:bytes`. ValueError when it is not of that form."""
    parts = []
    for part in text.split(" & "):
        offset, colon, rest = part.partition(":")
        data = rest.encode("latin-1").decode("unicode_escape").encode("latin-1")
        if not colon or not data:
            raise ValueError(f"a signature part is offset:bytes, not {part!r}")
        parts.append((int(offset), data))
    size = sum(len(data) for _, data in parts)
    weight = {1: 0.5, 2: TWO_BYTES, 3: 3.2, 4: 4.5, 5: 5.0}.get(size, 6.0)
    return Signature(kind, tuple(parts), weight)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue of this installation. Raises BrokenCatalogue.

    Reading TOML takes longer than detecting a file, so the checked tables are kept where and how Python keeps compiled
    modules, and for as long: until a file changes.
    """
    files = sorted(FOLDER.glob("*.toml"))
    stamp = [[file.name, (info := file.stat()).st_size, info.st_mtime_ns] for file in files]
    stamp.append(["", Path(__file__).stat().st_size, Path(__file__).stat().st_mtime_ns])
    kept = _kept(stamp)
    if kept is None:
        kinds = read(files)
        _keep(stamp, kinds)
        return Catalogue(kinds)
    return Catalogue({kind.id: kind for kind in (Kind(**marks) for marks in kept)})


def read(files: Iterable[Path]) -> dict[str, Kind]:
    """The kinds in these TOML files, checked. Raises BrokenCatalogue."""
    import tomllib

    kinds: dict[str, Kind] = {}
    for file in files:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        family = table.pop("family", None)
        if not isinstance(family, str):
            raise BrokenCatalogue(f"{file.name}: `family` is missing at the top")
        for name, marks in table.items():
            where = f"{file.name}: [{name}]"
            if name in kinds:
                raise BrokenCatalogue(f"{where} is also in family {kinds[name].family}")
            _check_shape(where, name, marks)
            kinds[name] = _kind({"id": name, "family": family, **marks})
    _check_together(kinds)
    return kinds


_KEYS = {each.name: str(each.type) for each in fields(Kind) if each.name not in ("id", "family")}


def _check_shape(where: str, name: str, marks: object) -> None:
    if not _ID.fullmatch(name):
        raise BrokenCatalogue(f"{where}: an id is lower-case words joined by hyphens")
    if not isinstance(marks, dict):
        raise BrokenCatalogue(f"{where}: a kind is a table")
    for key, value in marks.items():
        declared = _KEYS.get(key)
        if declared is None:
            raise BrokenCatalogue(f"{where}: no key `{key}`; there are: {', '.join(_KEYS)}")
        if declared == "str":
            fits = isinstance(value, str)
        else:
            item = int if "int" in declared else str
            fits = isinstance(value, list) and all(isinstance(each, item) for each in value)
        if not fits:
            raise BrokenCatalogue(f"{where}: `{key}` has the wrong type: {value!r}")
    if not marks.get("title"):
        raise BrokenCatalogue(f"{where}: `title` is missing")
    for text in marks.get("signatures", ()):
        try:
            signature_of(name, text)
        except (ValueError, UnicodeError) as problem:
            raise BrokenCatalogue(f"{where}: signature {text!r}: {problem}") from problem
    _check_patterns(where, marks)


def _check_patterns(where: str, marks: Mapping[str, object]) -> None:
    for key in ("text", "lines"):
        patterns = marks.get(key, ())
        assert isinstance(patterns, (list, tuple))
        for pattern in patterns:
            weight, guard, regex = (
                pattern.split("|", 2) if key == "text" and pattern.count("|") >= 2 else ("1", "", pattern)
            )
            try:
                float(weight)
                re.compile(regex)
            except (ValueError, re.error) as problem:
                raise BrokenCatalogue(f"{where}: {key} {pattern!r}: {problem}") from problem
            if guard != guard.lower() or (key == "text" and pattern.count("|") < 2):
                raise BrokenCatalogue(f"{where}: text {pattern!r} is not `weight|lower-case literal|regex`")


def _check_together(kinds: Mapping[str, Kind]) -> None:
    names: dict[str, str] = {}
    for kind in kinds.values():
        for parent in kind.parents:
            if parent not in kinds:
                raise BrokenCatalogue(f"[{kind.id}]: no kind is called {parent!r}")
        if kind.connector and kind.connector not in CONNECTORS:
            raise BrokenCatalogue(
                f"[{kind.id}]: no connector {kind.connector!r}; there are: {', '.join(sorted(CONNECTORS))}"
            )
        for name in (kind.id, *kind.aliases):
            other = names.setdefault(_plain(name), kind.id)
            if other != kind.id:
                raise BrokenCatalogue(f"[{kind.id}]: {name!r} already means {other!r}")
    for kind in kinds.values():
        above, step = set(kind.parents), 0
        while kind.id not in above and step < 8:
            above |= {each for parent in above for each in kinds[parent].parents}
            step += 1
        if kind.id in above:
            raise BrokenCatalogue(f"[{kind.id}] is its own ancestor")


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def _kind(marks: Mapping[str, Any]) -> Kind:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in marks.items()}
    return Kind(**values)


def _kept_file() -> Path:
    return FOLDER / "__pycache__" / f"catalogue.{sys.implementation.cache_tag}.marshal"


def _kept(stamp: list[list[object]]) -> list[dict[str, Any]] | None:
    try:
        kept_stamp, kinds = marshal.loads(_kept_file().read_bytes())
    except (OSError, ValueError, TypeError, EOFError):
        return None
    return kinds if kept_stamp == stamp else None


def _keep(stamp: list[list[object]], kinds: Mapping[str, Kind]) -> None:
    file = _kept_file()
    plain = [
        {key: value for each in fields(kind) if (value := getattr(kind, key := each.name)) not in ((), "")}
        for kind in kinds.values()
    ]
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(exist_ok=True)
        draft.write_bytes(marshal.dumps((stamp, plain)))
        draft.replace(file)
    except OSError:
        return  # a read-only installation reads its TOML each time
