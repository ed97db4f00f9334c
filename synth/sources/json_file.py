"""JSON files: one document with the records somewhere inside, JSON Lines, or documents one after the other."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources.duck import DuckSource
from synth.sources.records import (
    Branch,
    Opened,
    Records,
    existing_file,
    identifier,
    keys_look_like_data,
    spooled,
    table_name,
)
from synth.sources.spool import Number

OUTLINE_BYTES = 8 * 1024**2
"""A document up to this size is looked at whole before it is read; of a larger one, this much of its start."""
CHUNK = 1024 * 1024
VALUE_CHARACTERS = 64 * 1024**2
"""A single record longer than this is refused."""
CONTAINER_DEPTH = 8
RELAXED_BYTES = 16 * 1024**2

How = Literal["array", "map", "groups", "single", "rows", "values", "columns", "frame"]
Where = tuple[str, ...]

_STRING = r'"(?:[^"\\]|\\.)*"'
_OBJECT_START = re.compile(r"\{\s*(?:" + _STRING + r"\s*:\s*[\[{\"\-0-9tfnNI]|\}\s*)")
_ARRAY_START = re.compile(
    r"\[\s*(?:[\[{\]]|" + _STRING + r"\s*[,\]]|-?\d[\d.eE+-]*\s*[,\]]|(?:true|false|null)\s*[,\]])"
)
_COMMENT = re.compile(r"(?:\s*(?://[^\n]*\n|/\*.*?\*/))+", re.DOTALL)
_JSONP = re.compile(
    r"\s*(?:\)\]\}',?\s*|while\(1\);\s*|(?:/\*\*/)?\s*[\w$.]+\(\s*(?=[\[{])|(?:var|let|const|window\.)\s*[\w$.]+\s*=\s*(?=[\[{]))"
)


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks like JSON: a score from 0 to 1, the facts (`shape`, `encoding`), the evidence."""
    encoding = encoding_of(head)
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n\0")
    facts: dict[str, object] = {"encoding": encoding, "shape": "object"}
    evidence: list[str] = []
    if comment := _COMMENT.match(text):
        text = text[comment.end() :].lstrip()
        evidence.append("comments before the first value")
    if wrapper := _JSONP.match(text):
        text = text[wrapper.end() :]
        evidence.append(f"wrapped in {wrapper.group().strip()[:20]!r}")
    if not text or text[0] not in "[{":
        return _sniff_scalars(text, facts)
    start = (_OBJECT_START if text[0] == "{" else _ARRAY_START).match(text)
    if not start:
        return 0.0, {}, ("starts with a bracket, but what follows is not JSON",)
    lines = [line for line in text[:65_536].split("\n")[:8] if line.strip()]
    whole_lines = [_is_container(line) for line in (lines[:-1] if len(lines) > 1 else lines)]
    if len(lines) > 1 and whole_lines[0] and sum(whole_lines) >= len(whole_lines) / 2:
        facts["shape"] = "lines"
        return (
            0.97,
            facts,
            (*evidence, f"{sum(whole_lines)} of the first {len(whole_lines)} lines are JSON values of their own"),
        )
    facts["shape"] = "object" if text[0] == "{" else "array"
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        score = 0.85 if text[0] == "{" or start.group().rstrip()[-1] in "{[" else 0.6
        return score, facts, (*evidence, f"starts as a JSON {facts['shape']}")
    if text[end:].lstrip("\0 \t\r\n")[:1] in ("{", "["):
        facts["shape"] = "concatenated"
        return 0.9, facts, (*evidence, "JSON values one after the other")
    rest = text[end:].strip(" \t\r\n\0;)")
    if rest:
        return 0.5, facts, (*evidence, f"a JSON {facts['shape']}, then {rest[:20]!r}")
    return 0.99, facts, (*evidence, f"one whole JSON {facts['shape']}")


def encoding_of(head: bytes) -> str:
    """UTF-8, -16 or -32 by mark or by where the zeros are; Windows-1252 when the bytes are no UTF-8."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    zeros = bytes(1 if b else 0 for b in head[:4])
    by_zeros = {b"\1\0\0\0": "utf-32-le", b"\0\0\0\1": "utf-32-be", b"\1\0\1\0": "utf-16-le", b"\0\1\0\1": "utf-16-be"}
    if zeros in by_zeros:
        return by_zeros[zeros]
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return "cp1252"
    return "utf-8"


def _is_container(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _sniff_scalars(text: str, facts: dict[str, object]) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return 0.0, {}, ()
    return 0.3, {**facts, "shape": "scalar"}, ("a single JSON value",)


def open_source(location: str, detection: Detection, options: OpenOptions) -> DuckSource:
    """The records of a JSON file, wherever they stand in it, as tables. SourceProblem when it is no JSON or cut short."""
    path = existing_file(location, "a JSON file")
    opened = Opened(path, detection.wrappings)
    try:
        head = opened.head(65_536)
        _, facts, _ = sniff(head, path.name)
        encoding = str(facts.get("encoding") or encoding_of(head))
        shape = str(facts.get("shape", ""))
        if shape != "lines" and encoding.startswith("utf-8") and _has_long_lines(opened):
            shape = "lines"
        _refuse_other_things(head, encoding, location)
        base = table_name(location, options)
        if shape == "lines":
            records = spooled(lambda taker: _read_lines(taker, opened, encoding, base))
        else:
            records = _read_document(opened, encoding, location, base, bool(options.name))
        if encoding == "cp1252":
            records.note("the bytes are not valid UTF-8; read as Windows-1252")
        if not any(branch.spool.rows for branch in records.branches) and not any(
            records.aside_count(branch.name) for branch in records.branches
        ):
            raise SourceProblem("empty", f"{location} is JSON, but holds no records", "Check the step that writes it.")
        return records.source(
            options.name or path.name,
            detection.kind,
            path=opened.plain_path,
            encoding="utf-8" if encoding == "utf-8-sig" else encoding,
            facts={
                "format": "ndjson" if shape == "lines" else "json",
                "dialect": {"encoding": encoding, "shape": shape},
            },
            cleanup=opened.close,
        )
    except BaseException:
        opened.close()
        raise


def _has_long_lines(opened: Opened) -> bool:
    """Whether the first line, too long for the head, is a JSON value of its own with another below it."""
    with opened.stream() as stream:
        first = stream.readline(OUTLINE_BYTES)
        following = stream.read(64).lstrip()
    if len(first) < 65_536 or not first.endswith(b"\n") or following[:1] not in (b"{", b"["):
        return False
    return _is_container(first.decode("utf-8", "replace").lstrip("\ufeff"))


def _read_lines(records: Records, opened: Opened, encoding: str, base: str) -> None:
    """A JSON value on every line. A line that is none is set aside by its number."""
    branch = records.branch(base)
    decode = Decoder(records).decode
    rows = _Rows(records, branch)
    bad = good = 0
    cut = False
    for number, line in enumerate(_lines(opened, encoding), 1):
        try:
            text = line if isinstance(line, str) else line.decode("utf-8-sig" if number == 1 else "utf-8")
            cut = False
            text = text.strip(" \t\r\n\x1e\0")
            if not text:
                continue
            if text.startswith(("//", "#")):
                records.note("comment lines are left out")
                continue
            value = decode(text)
        except (ValueError, RecursionError) as error:
            shown = line if isinstance(line, str) else line.decode("utf-8", "replace")
            bad += 1
            cut = not shown.endswith("\n")
            records.aside(branch.name, number, _why_not(error, shown.strip()), shown.strip())
            if bad >= 100 and bad > good:
                raise SourceProblem(
                    "not-json",
                    f"of the first {number} lines of {opened.plain_path.name} {bad} are not JSON; line {number}: {_why_not(error, shown)}",
                    "Check whether the file is one JSON document, or not JSON at all.",
                ) from None
        else:
            good += 1
            rows.take(value, number)
    rows.finish()
    if cut:
        records.note("the last line is broken and has no end; the file may have been cut short")


def _lines(opened: Opened, encoding: str) -> Iterator[str | bytes]:
    with opened.stream() as raw:
        if encoding.startswith("utf-8"):
            while line := raw.readline(VALUE_CHARACTERS):
                yield line
                while len(line) == VALUE_CHARACTERS and not line.endswith(b"\n"):
                    line = raw.readline(VALUE_CHARACTERS)
        else:
            yield from io.TextIOWrapper(raw, encoding, errors="replace")


def _read_document(opened: Opened, encoding: str, location: str, base: str, named: bool) -> Records:
    """The records of one document, or of several; comments and trailing commas are forgiven when nothing else is wrong."""
    try:
        return spooled(lambda taker: _Document(opened, encoding, location).fill(taker, base, named))
    except _NotUtf8:
        records = _read_document(opened, "cp1252", location, base, named)
        records.note("the bytes are not valid UTF-8; read as Windows-1252")
        return records
    except _NotStrict as strict:
        if opened.plain_path.stat().st_size > RELAXED_BYTES:
            raise strict.problem from None
        try:
            return spooled(lambda taker: _Document(opened, encoding, location, tolerant=True).fill(taker, base, named))
        except (SourceProblem, _NotStrict):
            raise strict.problem from None


class _Rows:
    """Takes JSON values as records: objects as they are, lists as rows under the names of the first, others as `value`."""

    def __init__(self, records: Records, branch: Branch, names: Sequence[str] = ()) -> None:
        self.records = records
        self.branch = branch
        self.names = list(names)
        self.first: tuple[list[Any], int] | None = None
        self.started = bool(names)

    def take(self, value: Any, position: int, key: str | None = None) -> None:
        """One value and where it stood."""
        if type(value) is dict:
            self.records.add(self.branch, position, value, key)
        elif type(value) is list:
            self._list(value, position, key)
        elif value is None:
            self.records.aside(self.branch.name, position, "null instead of a record", "null")
        else:
            self.records.add(self.branch, position, {"value": value}, key)

    def finish(self) -> None:
        """A list that waited for a second one to compare with is a row."""
        if self.first is not None:
            value, position = self.first
            self.first = None
            self._row(value, position, None)

    def _list(self, value: list[Any], position: int, key: str | None) -> None:
        if value and all(type(v) is dict for v in value):
            for item in value:
                self.records.add(self.branch, position, item, key)
        elif not self.started:
            self.started = True
            self.first = (value, position)
        else:
            if self.first is not None:
                header, at = self.first
                self.first = None
                if _is_header(header, value):
                    self.names = header
                else:
                    self._row(header, at, None)
            self._row(value, position, key)

    def _row(self, value: list[Any], position: int, key: str | None) -> None:
        names = [*self.names, *(f"column_{i}" for i in range(len(self.names) + 1, len(value) + 1))]
        self.records.add(self.branch, position, dict(zip(names, value, strict=False)), key)


def _is_header(first: list[Any], second: list[Any]) -> bool:
    """Texts, all different, above a row that is not all text or has the same length and none of these texts."""
    if not first or not all(type(v) is str and v.strip() for v in first) or len(set(first)) < len(first):
        return False
    if len(second) != len(first):
        return False
    words = all(re.fullmatch(r"[^\W\d][\w .\-/()%#]*", v) for v in first)
    return words and (any(type(v) is not str for v in second) or not set(first) & set(second))


class Decoder:
    """JSON as its writers write it: numbers exact, a key given twice kept twice, NaN read as nothing and said so."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._decoder = json.JSONDecoder(
            parse_float=Number, parse_constant=self._constant, object_pairs_hook=self._pairs, strict=False
        )
        self.decode: Callable[[str], Any] = self._decoder.decode
        self.raw_decode: Callable[[str, int], tuple[Any, int]] = self._decoder.raw_decode

    def _constant(self, text: str) -> float | None:
        if text == "NaN":
            self.records.note("NaN, which is not JSON, was read as no value")
            return None
        return float(text.replace("Infinity", "inf"))

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            return self._doubled(pairs)
        return made

    def _doubled(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """A key given twice: its second value goes under `key_2`; a key given often becomes a list."""
        times = Counter(key for key, _ in pairs)
        often = {key for key, count in times.items() if count > 8}
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in often:
                made.setdefault(key, []).append(value)
                continue
            free, number = key, 2
            while free in made:
                free, number = f"{key}_{number}", number + 1
            made[free] = value
        doubled = ", ".join(repr(key)[:40] for key, count in list(times.items()) if count > 1)[:200]
        self.records.note(
            f"an object has a key more than once ({doubled}); all values are kept, the later ones numbered"
        )
        return made


@dataclass(frozen=True)
class RecordSet:
    """Where records stand in a document: the path of object keys to them, and how they stand there.

    `array` a list of objects; `map` an object whose keys are data and whose values are records; `groups` the same with lists
    of records; `rows` a list of lists, with `names` where they are said elsewhere; `values` a list of plain values;
    `columns` an object of equally long lists; `frame` an object of objects, by column and row; `single` one object.
    """

    path: Where
    how: How
    count: int
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = ".".join(self.path) or "the root"
        words = {
            "array": "objects",
            "map": "entries by key",
            "groups": "groups by key",
            "rows": "lists",
            "single": "object",
        }
        return f"{self.count} {words.get(self.how, self.how)} at {at}"


_GENERIC = re.compile(
    r"data|items|item|records|record|results|result|rows|row|values|value|hits|features|edges|"
    r"nodes|entries|entry|list|response|content|contents|objects|elements|collection|payload|body|"
    r"docs|documents|array|dataset|output",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"errors|warnings|links|_links|meta|metadata|columns|fields|schema|facets|aggregations|aggs|"
    r"headers|pagination|paging|messages|notes|debug|profile",
    re.IGNORECASE,
)
_ENVELOPE = re.compile(
    r"(?:status|code|message|msg|success|ok|error|count|total\w*|page\w*|per_?page|limit|offset|next\w*|prev\w*|has_?more|"
    r"cursor|took|timed_?out|\w*version|generated\w*|timestamp|updated\w*|created\w*|request\w*|trace\w*|type|kind|object|url|"
    r"href|self|etag|copyright|license|source|hits|max_?score|size|pages|first|last|title|description|info|documentation|"
    r"date|time|lang\w*|locale|encoding|schema|\$schema|@context|crs|bbox|name)",
    re.IGNORECASE,
)
_ID = re.compile(r"_?id|uuid|guid|\w+[_-](?:id|no|number|nr)|\w+I[dD]|\w+(?:Number|No)", re.ASCII)


def find_records(document: Any) -> list[RecordSet]:
    """Where the records of a document stand, those most like records first; never empty."""
    found = list(_candidates(document, (), 0))
    if isinstance(document, dict) and (not found or _is_record_itself(document, found)):
        return [RecordSet((), "single", 1)]
    main = [f for f in found if not (f.path and _BESIDE.fullmatch(f.path[-1]))] or found
    main = [f for f in main if f.how != "values"] or main
    return sorted(main, key=lambda f: -f.count) or [RecordSet((), "single", 1)]


def _candidates(value: Any, path: Where, depth: int) -> Iterator[RecordSet]:
    if isinstance(value, list):
        kinds = Counter(type(v) for v in value if v is not None)
        if kinds[dict] and kinds[dict] * 2 >= sum(kinds.values()):
            yield RecordSet(path, "array", len(value))
        elif kinds[list] and kinds[list] * 2 >= sum(kinds.values()) and len(value) >= 2:
            if all(type(v) is not list and type(v) is not dict for row in value if type(row) is list for v in row):
                yield RecordSet(path, "rows", len(value))
        elif not path:
            yield RecordSet(path, "values", len(value))
        return
    if not isinstance(value, dict) or not value or depth > CONTAINER_DEPTH:
        return
    if split := _split(value, path):
        yield split
        return
    if (how := _collected(value, bool(path))) is not None:
        yield RecordSet(path, how, len(value))
        return
    for key, inner in value.items():
        if isinstance(inner, dict | list):
            yield from _candidates(inner, (*path, key), depth + 1)


def _collected(value: dict[str, Any], inside: bool) -> How | None:
    """How an object is itself a collection of records, if it is."""
    values = list(value.values())
    telling = keys_look_like_data(list(value))
    if len(values) >= 2 and all(type(v) is list for v in values):
        lengths = {len(v) for v in values}
        plain = not any(type(x) in (dict, list) for v in values for x in v[:50])
        if plain and len(lengths) == 1 and lengths.pop() >= 2:
            return "columns"
        firsts = [v[0] for v in values if v and type(v[0]) is dict]
        if firsts and all(not v or type(v[0]) is dict for v in values) and len(firsts) >= 2:
            alike = _likeness(firsts)
            if (
                (telling and alike >= 0.5)
                or (len(firsts) >= 3 and alike >= 0.8)
                or (alike == 1 and len(firsts[0]) >= 4)
            ):
                return "groups"
        return None
    if len(values) >= 2 and all(type(v) is dict for v in values):
        inner_keys = list(values[0])
        if (
            not telling
            and len(inner_keys) >= 2
            and all(re.fullmatch(r"\d+", key) for key in inner_keys)
            and all(list(v) == inner_keys for v in values)
            and not any(type(x) in (dict, list) for v in values for x in v.values())
        ):
            return "frame"
        alike = _likeness(values)
        if (telling and alike >= 0.4) or (len(values) >= 3 and alike >= 0.6 and not _only_containers(values)):
            return "map"
        return None
    numbers = all(type(v) in (int, float, Number) for v in values)
    if len(values) >= 3 and (inside or len(values) >= 8) and numbers and (telling or len(values) >= 20):
        return "map"
    return None


def _only_containers(values: list[dict[str, Any]]) -> bool:
    return all(type(x) in (dict, list) for v in values for x in v.values())


def _likeness(objects: list[dict[str, Any]]) -> float:
    """The share of keys that an average one of these objects has of all their keys."""
    every = {key for each in objects for key in each}
    return sum(len(each) for each in objects) / (len(objects) * len(every)) if every else 0.0


def _split(value: dict[str, Any], path: Where) -> RecordSet | None:
    """Column names in one list and rows in another."""
    lowered = {key.lower(): key for key in value}
    names: tuple[str, ...] = ()
    for word in ("columns", "fields", "headers", "header", "names", "cols", "columnnames", "column_names", "keys"):
        given = value.get(lowered.get(word, ""))
        if isinstance(given, list) and given:
            if all(isinstance(v, str) for v in given):
                names = tuple(given)
                break
            if all(isinstance(v, dict) for v in given):
                said = [
                    next((v[k] for k in ("name", "field", "label", "id", "key", "title") if k in v), None)
                    for v in given
                ]
                if all(isinstance(v, str) for v in said):
                    names = tuple(str(v) for v in said)
                    break
    if not names:
        return None
    for word in ("data", "rows", "values", "records", "result", "results", "body"):
        key = lowered.get(word, "")
        rows = value.get(key)
        if isinstance(rows, list) and rows and all(isinstance(r, list) and len(r) == len(names) for r in rows[:100]):
            return RecordSet((*path, key), "rows", len(rows), names)
    return None


def _is_record_itself(document: dict[str, Any], found: list[RecordSet]) -> bool:
    """One object with an id and more of its own to tell: the lists in it belong to it."""
    if any(f.path == () for f in found) or any(len(f.path) > 1 for f in found):
        return False
    plain = [k for k, v in document.items() if v is not None and not isinstance(v, dict | list)]
    own = [k for k in plain if not _ENVELOPE.fullmatch(k)]
    telling = all(not _GENERIC.fullmatch(f.path[-1]) for f in found)
    return any(_ID.fullmatch(k) for k in own) and (len(own) >= 2 or (telling and len(plain) >= 2))


class _Document:
    """One document, or several one after the other."""

    def __init__(self, opened: Opened, encoding: str, location: str, tolerant: bool = False) -> None:
        self.opened = opened
        self.encoding = encoding
        self.location = location
        self.tolerant = tolerant

    def fill(self, records: Records, base: str, named: bool) -> None:
        """Find where the records stand, then hand them over one by one."""
        with self.opened.stream() as raw:
            text = _Text(raw, self.encoding, Decoder(records), self.location)
            if self.tolerant:
                text.replace_all(relaxed(text.whole()))
                records.note("comments and trailing commas, which are not JSON, were left out")
            text.skip_wrapper()
            outline = text.outline(OUTLINE_BYTES)
            if outline in ([], {}, None):
                raise SourceProblem(
                    "empty", f"{self.location} is JSON, but holds no records", "Check the step that writes it."
                )
            if text.over and not text.ended():
                self._several(records, text, outline, base)
                return
            sets = find_records(outline)
            if sets[0].how not in ("array", "map", "groups", "rows") and not text.over:
                outline = text.outline(VALUE_CHARACTERS)
                sets = find_records(outline)
            if sets[0].how in ("columns", "frame") or not isinstance(outline, dict | list):
                self._whole(records, sets, outline if text.over else text.value(), base)
            else:
                _Walk(records, _Held(outline) if text.over else text, sets, base, named).run()
            if not text.ended():
                self._more(records, text, base)

    def _whole(self, records: Records, sets: list[RecordSet], document: Any, base: str) -> None:
        """A document that has to be turned on its side."""
        if not isinstance(document, dict | list):
            records.add(records.branch(base), 1, {"value": document})
            return
        for one in sets:
            inner: Any = document
            for key in one.path:
                inner = inner[key]
            branch = records.branch(_name(one, base))
            branch.path = ".".join(one.path)
            if one.how == "columns":
                names = list(inner)
                for position, values in enumerate(zip(*inner.values(), strict=True), 1):
                    records.add(branch, position, dict(zip(names, values, strict=True)))
            elif one.how == "frame":
                for position, index in enumerate(next(iter(inner.values())), 1):
                    records.add(branch, position, {name: column[index] for name, column in inner.items()})
            else:
                rows = _Rows(records, branch, one.names)
                pairs = inner.items() if isinstance(inner, dict) else ((None, v) for v in inner)
                for position, (key, value) in enumerate(pairs, 1):
                    rows.take(value, position, key)
                rows.finish()

    def _several(self, records: Records, text: _Text, first: Any, base: str) -> None:
        """Documents one after the other are records, or lists of records."""
        records.note("several JSON documents one after the other")
        branch = records.branch(base)
        rows = _Rows(records, branch)
        rows.take(first, 1)
        position = 1
        while not text.ended():
            text.skip(",")
            position += 1
            rows.take(text.value(), position)
        rows.finish()

    def _more(self, records: Records, text: _Text, base: str) -> None:
        """Further documents behind a large first one."""
        branch = records.branches[0] if records.branches else records.branch(base)
        records.note("several JSON documents one after the other")
        rows = _Rows(records, branch)
        while not text.ended():
            text.skip(",")
            rows.take(text.value(), branch.spool.rows + 1)
        rows.finish()


class _Walk:
    """Goes through one document and hands its records over, holding no more than one record at a time."""

    def __init__(self, records: Records, text: _Text | _Held, sets: list[RecordSet], base: str, named: bool) -> None:
        self.records = records
        self.text = text
        self.sets = {s.path: s for s in sets}
        self.order = sets
        self.base = base
        self.named = named
        self.outside: list[str] = []
        self.branches: dict[Where, Branch] = {}
        self.names = [list(s.names) for s in sets if s.names]

    def run(self) -> None:
        """Read it all."""
        for one in self.order:
            branch = self.records.branch(self.base if len(self.order) == 1 and self.named else _name(one, self.base))
            branch.path = ".".join(one.path)
            branch.comment = str(one) if one.path else ""
            self.branches[one.path] = branch
        self._container((), 0)
        if self.outside:
            shown = "; ".join(self.outside[:12]) + ("; …" if len(self.outside) > 12 else "")
            self.records.note(f"beside the records: {shown}")

    def _container(self, path: Where, depth: int) -> None:
        here = self.sets.get(path)
        if here is not None:
            self._set(here, self.branches[path])
        elif self.text.peek() == "{" and depth <= CONTAINER_DEPTH:
            for key in self.text.entries():
                self._container((*path, key), depth + 1)
        elif self.text.peek() == "[":
            self._list(path)
        else:
            self._say(path, self.text.value())

    def _list(self, path: Where) -> None:
        """A list that the outline did not name: records after all when objects are in it."""
        branch: Branch | None = None
        rows: _Rows | None = None
        plain: list[Any] = []
        skipped = 0
        for position, item in enumerate(self.text.items(), 1):
            if type(item) is dict and path and not _BESIDE.fullmatch(path[-1]):
                if rows is None:
                    branch = self.records.branch(_name(RecordSet(path, "array", 0), self.base))
                    branch.path = ".".join(path)
                    rows = _Rows(self.records, branch)
                rows.take(item, position)
            elif rows is not None and branch is not None:
                self.records.aside(branch.name, position, "not an object", str(item))
            elif len(plain) < 5:
                plain.append(item)
            else:
                skipped += 1
        if plain:
            self._say(path, [*plain, f"… {skipped} more"] if skipped else plain)

    def _say(self, path: Where, value: Any) -> None:
        if value is None or value in ([], {}) or value in self.names:
            return
        text = json.dumps(value, ensure_ascii=False, default=str)
        self.outside.append(f"{'.'.join(path)} = {text[:60]}{'…' if len(text) > 60 else ''}")

    def _set(self, one: RecordSet, branch: Branch) -> None:
        rows = _Rows(self.records, branch, one.names)
        if one.how == "single":
            self.records.add(branch, 1, self.text.value())
        elif one.how in ("map", "groups") and self.text.peek() == "{":
            for position, key in enumerate(self.text.entries(), 1):
                value = self.text.value()
                if one.how == "groups" and type(value) is list:
                    for item in value:
                        rows.take(item, branch.spool.rows + 1, key)
                elif value is not None:
                    rows.take(value, position, key)
        elif self.text.peek() == "[":
            for position, item in enumerate(self.text.items(), 1):
                if one.how == "array" and type(item) is not dict:
                    self.records.aside(branch.name, position, "not an object", json.dumps(item, default=str)[:200])
                else:
                    rows.take(item, position)
        else:
            self._say(one.path, self.text.value())
        rows.finish()


def _name(one: RecordSet, base: str) -> str:
    telling = [key for key in one.path if not _GENERIC.fullmatch(key)]
    return identifier(telling[-1]) if telling else base


class _NotStrict(Exception):
    """The text breaks JSON's grammar; perhaps only by comments or trailing commas."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _NotUtf8(Exception):
    """Bytes beyond the head are no UTF-8 after all."""


class _Text:
    """A window on a JSON text: decodes value after value, reading on when one is longer than the window."""

    def __init__(self, raw: IO[bytes], encoding: str, decoder: Decoder, location: str) -> None:
        self._raw = raw
        self._incremental = codecs.getincrementaldecoder(encoding)("strict" if "utf" in encoding else "replace")
        self._encoding = encoding
        self._decoder = decoder
        self._location = location
        self._buffer = ""
        self._at = 0
        self.over = False
        self.total = 0
        self._lines = 0
        self._fill()

    def whole(self) -> str:
        """All the text from here on."""
        while self._fill():
            pass
        return self._buffer[self._at :]

    def replace_all(self, text: str) -> None:
        """Go on with another text instead."""
        self._buffer, self._at, self.over = text, 0, True

    def skip_wrapper(self) -> None:
        """Step over a byte order mark, comments, and what guards or calls around JSON."""
        self.peek()
        if self._buffer[self._at : self._at + 1] == "\ufeff":
            self._at += 1
        if wrapper := _JSONP.match(self._buffer, self._at):
            self._at = wrapper.end()

    def outline(self, size: int) -> Any:
        """The document as far as `size` characters show it, cut after the last whole value."""
        while len(self._buffer) - self._at < size and self._fill():
            pass
        if self.over:
            try:
                value, self._at = self._decoder.raw_decode(self._buffer, self._skip_space())
                return value
            except (ValueError, RecursionError) as error:
                raise self._problem(error) from None
        return outline_of(self._buffer[self._at : self._at + size])

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            at = self._skip_space()
            if at < len(self._buffer):
                return self._buffer[at]
            if not self._fill():
                return ""

    def ended(self) -> bool:
        """Whether only blanks, or what closes a wrapper, are left."""
        if not self.peek():
            return True
        rest = self._buffer[self._at : self._at + 64]
        return bool(re.fullmatch(r"[\s;)\0\x1a]*(?:</script>)?\s*", rest)) and len(self._buffer) - self._at <= 64

    def skip(self, character: str) -> None:
        """Step over a character if it comes next."""
        if self.peek() == character:
            self._at += 1

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                if self.over or isinstance(error, RecursionError) or not self._may_be_cut(error):
                    raise self._problem(error) from None
                if len(self._buffer) - self._at > VALUE_CHARACTERS:
                    raise SourceProblem(
                        "too-large", f"a single record of {self._location} is longer than 64 MB"
                    ) from None
            else:
                # A number at the very end of the window may go on behind it.
                if end < len(self._buffer) or self.over:
                    self._at = end
                    return value
            self._fill()

    def items(self) -> Iterator[Any]:
        """The items of the list that comes next, one by one."""
        self._expect("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._comma_or("]"):
                return

    def entries(self) -> Iterator[str]:
        """The keys of the object that comes next; the caller takes the value before it asks for another key."""
        self._expect("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str) or isinstance(key, Number):
                raise self._problem(ValueError("a key is not a text"))
            self._expect(":")
            self.peek()
            yield key
            if self._comma_or("}"):
                return

    def _comma_or(self, close: str) -> bool:
        """Step over a comma (False) or the closing bracket (True)."""
        character = self.peek()
        if character == close:
            self._at += 1
            return True
        self._expect(",")
        if self.peek() == close:
            raise self._problem(ValueError("a comma before a closing bracket"))
        return False

    def _expect(self, character: str) -> None:
        if self.peek() != character:
            raise self._problem(ValueError(f"expected {character!r}"))
        self._at += 1

    def _skip_space(self) -> int:
        found = _BLANK.match(self._buffer, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _fill(self) -> bool:
        if self.over:
            return False
        if self._at > 4 * CHUNK:
            self._lines += self._buffer.count("\n", 0, self._at)
            self._buffer, self._at = self._buffer[self._at :], 0
        try:
            chunk = self._raw.read(max(CHUNK, len(self._buffer) - self._at))
            text = self._incremental.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            if "utf-8" in self._encoding:
                raise _NotUtf8 from None
            raise SourceProblem(
                "unreadable", f"{self._location} is not valid {self._encoding}: {error.reason}"
            ) from None
        self.total += len(chunk)
        self._buffer += text
        self.over = not chunk
        return bool(chunk)

    def _may_be_cut(self, error: Exception) -> bool:
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._buffer) - 16

    def _problem(self, error: Exception) -> Exception:
        if isinstance(error, RecursionError):
            return SourceProblem("unreadable", f"{self._location} is nested too deeply to read")
        at = error.pos if isinstance(error, json.JSONDecodeError) else self._at
        rest = self._buffer[at:].strip("\0 \t\r\n")
        cut = isinstance(error, json.JSONDecodeError) and error.msg.startswith("Unterminated string")
        line = self._lines + self._buffer.count("\n", 0, at) + 1
        if self.over and (not rest or cut):
            return SourceProblem(
                "truncated",
                f"{self._location} ends in the middle of its JSON, on line {line}",
                "Fetch or write it again; the end is missing.",
            )
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        column = at - self._buffer.rfind("\n", 0, at)
        problem = SourceProblem(
            "not-json",
            f"{self._location} is not JSON: {said[:1].lower() + said[1:]} on line {line}, column {column}, at {rest[:30]!r}",
            "Check how it was written.",
        )
        return _NotStrict(problem)


class _Held:
    """A document already decoded, to be gone through like a text."""

    def __init__(self, document: Any) -> None:
        self._next = document

    def peek(self) -> str:
        """The bracket that the next value would start with."""
        return "{" if isinstance(self._next, dict) else "[" if isinstance(self._next, list) else "-"

    def value(self) -> Any:
        """The next value."""
        return self._next

    def items(self) -> Iterator[Any]:
        """The items of the list that comes next."""
        yield from self._next

    def entries(self) -> Iterator[str]:
        """The keys of the object that comes next, each with its value as the next one."""
        for key, value in self._next.items():
            self._next = value
            yield key


_BLANK = re.compile(r"[ \t\r\n\x1e]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]')


def outline_of(text: str) -> Any:
    """The start of a JSON text as a document: cut after the last whole value, and closed."""
    stack: list[str] = []
    cut, closing = 0, ""
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in ("[", "{"):
            stack.append("]" if mark == "[" else "}")
            if len(stack) > 200:
                break
        elif mark in ("]", "}"):
            if stack:
                stack.pop()
            cut, closing = token.end(), "".join(reversed(stack))
        elif mark == ",":
            cut, closing = token.start(), "".join(reversed(stack))
    try:
        return json.loads(text[:cut] + closing, strict=False)
    except (ValueError, RecursionError):
        return {}


def relaxed(text: str) -> str:
    """The text without comments and without commas before a closing bracket, both outside of strings."""
    without = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda m: m.group(1) or " ", text, flags=re.DOTALL)
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])', lambda m: m.group(1) or "", without, flags=re.DOTALL)


def _why_not(error: Exception, text: str) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(text) or error.msg.startswith("Unterminated"):
            return "JSON that ends too early"
        return f"not JSON: {error.msg[:1].lower() + error.msg[1:]} at column {error.pos + 1}"
    return f"not JSON: {str(error)[:80]}"


def _refuse_other_things(head: bytes, encoding: str, location: str) -> None:
    text = head[:4_096].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        title = re.search(r"<title[^>]*>\s*(.*?)\s*</title>", text, re.IGNORECASE | re.DOTALL)
        what = "HTML" if re.search(r"<(!doctype html|html|head|body)", text, re.IGNORECASE) else "XML"
        named = f" (its title: {title.group(1)[:60]!r})" if title else ""
        raise SourceProblem(
            "not-json", f"{location} holds {what}, not JSON{named}", "It may be an error page that was saved."
        )
    if b"\0" in head[:4_096] and encoding.startswith("utf-8"):
        raise SourceProblem("not-json", f"{location} is binary, not JSON", "Check what wrote it.")
