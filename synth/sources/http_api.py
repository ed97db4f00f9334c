"""A JSON HTTP API as a source: its collections are tables, reached by `pages(path)`, page after page to a proved end.

The schema is what the items of the first pages (all pages, when they are few) have in common. A run is held to it: an item
that does not fit is set aside with its number, never bent.
"""

from __future__ import annotations

import copy
import posixpath
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from sandbox.broker import CallRefused
from synth.detection import Detection
from synth.errors import SourceProblem
from synth.infer import ColumnType, infer_column
from synth.schema import Field, Relation, Table
from synth.source import Completeness, OpenOptions, Sample, SetAside
from synth.sources.duck import connect, quoted
from synth.sources.http_client import Client, Reply, json_of
from synth.sources.item_shape import (
    Item,
    Shape,
    as_text,
    items_shape,
    shown,
    table_of,
    unknown_keys,
)
from synth.sources.pagination import (
    CURSOR_NAMES,
    LAST_NAMES,
    MORE_NAMES,
    NEXT_NAMES,
    OFFSET_NAMES,
    PAGE_NAMES,
    SIZE_NAMES,
    TOTAL_NAMES,
    TOTAL_PAGES_NAMES,
    Collection,
    Ending,
    Page,
    digest,
    plain_name,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

WHOLE_ITEMS = 2_000
WHOLE_PAGES = 20
MOST_COLLECTIONS = 30
# Pages read to learn the schema of all collections together.
LEARNING_PAGES = 60
JUMPS = 6
REMEMBERED_BYTES = 32 * 1024**2
REMEMBERED_SECONDS = 120.0
SET_ASIDE_SHOWN = 100

_REFUSALS = {
    "not-found": "not-found",
    "authentication": "not-granted",
    "authorisation": "not-granted",
    "redirected": "not-granted",
}


@dataclass(frozen=True)
class Column:
    """A field of the flattened items: the keys that lead to it, its expression over the item's columns, and what its text is."""

    field: Field
    keys: tuple[str, ...]
    expression: str
    type: ColumnType | None = None


@dataclass
class Endpoint:
    """One collection and what was learnt of it. `nested` are the lists of objects in its items that are tables of their own."""

    name: str
    path: str
    collection: Collection
    shape: Shape = field(default_factory=Shape)
    columns: tuple[Column, ...] = ()
    pages: list[list[Item]] = field(default_factory=list)
    ending: Ending | None = None
    key: str = ""
    nested: tuple[Nested, ...] = ()

    @property
    def whole(self) -> bool:
        """All of its items are at hand, and that was proved."""
        return self.ending is not None and self.ending.proved

    @property
    def items(self) -> list[Item]:
        """The items read so far."""
        return [item for page in self.pages for item in page]


@dataclass(frozen=True)
class Nested:
    """Objects in a list within each item: a table of its own, its rows pointing at the item by the item's key."""

    name: str
    path: str
    key: str
    pointer: str
    shape: Shape
    columns: tuple[Column, ...]

    def rows(self, items: Sequence[Item], parent_key: str) -> list[Item]:
        """The nested objects of these items, each with its item's key."""
        found: list[Item] = []
        for item in items:
            within = item.get(self.key)
            if isinstance(within, list):
                found.extend({self.pointer: item.get(parent_key), **each} for each in within if isinstance(each, dict))
        return found


class Memory:
    """Answers of the last two minutes, so that looking, sampling and running ask an API once, not three times."""

    def __init__(self) -> None:
        self._replies: dict[object, tuple[float, Reply]] = {}
        self._size = 0

    def get(self, key: object) -> Reply | None:
        """The answer, if it is still fresh."""
        at, reply = self._replies.get(key, (0.0, None))
        return reply if reply is not None and time.monotonic() - at < REMEMBERED_SECONDS else None

    def keep(self, key: object, reply: Reply) -> None:
        """Remember an answer, as long as there is room."""
        if self._size + len(reply.body) > REMEMBERED_BYTES:
            stale = time.monotonic() - REMEMBERED_SECONDS
            self._replies = {k: (at, kept) for k, (at, kept) in self._replies.items() if at > stale}
            self._size = sum(len(kept.body) for _, kept in self._replies.values())
        if self._size + len(reply.body) <= REMEMBERED_BYTES:
            self._replies[key] = (time.monotonic(), reply)
            self._size += len(reply.body)


def open_source(location: str, detection: Detection, options: OpenOptions) -> HttpSource:
    """The API at an address: one collection, or all that its index or its OpenAPI description names."""
    client = Client(location, options)
    try:
        return HttpSource(client, detection.kind, options)
    except BaseException:
        client.close()
        raise


class HttpSource:
    """An API, opened: its collections were found, and enough of their pages read to know the shape of their items."""

    dialect = "duckdb"
    shape: Literal["table", "http"] = "http"

    def __init__(self, client: Client, kind: str, options: OpenOptions) -> None:
        self.kind = kind
        self._client = client
        self._options = options
        self._memory = Memory()
        self._lock = threading.RLock()
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._account = Account()
        self.notes: tuple[str, ...] = ()
        self._endpoints, base, granted = self._found()
        for endpoint in self._endpoints:
            self._learn(endpoint)
        self.name = options.name or self._endpoints[0].name
        self.capability: object = HttpDoors(self, base, granted)

    # What the tables are

    def tables(self) -> tuple[Table, ...]:
        """Each collection, and after it the tables nested in its items."""
        made: list[Table] = []
        for endpoint in self._endpoints:
            rows = len(endpoint.items) if endpoint.whole else endpoint.collection.first().facts.total
            key = (endpoint.key,) if endpoint.key else ()
            fields = tuple(column.field for column in endpoint.columns)
            made.append(Table(endpoint.name, fields, rows, key, endpoint.path))
            for nested in endpoint.nested:
                nested_fields = tuple(column.field for column in nested.columns)
                made.append(Table(nested.name, nested_fields, None, (), nested.path))
        return tuple(made)

    def relations(self) -> tuple[Relation, ...]:
        """Nested tables point at the items that they are nested in."""
        return tuple(
            Relation(
                nested.name,
                (nested.pointer,),
                endpoint.name,
                (endpoint.key,),
                True,
                f"{nested.key} is a list within each item of {endpoint.name}",
            )
            for endpoint in self._endpoints
            for nested in endpoint.nested
        )

    def sample(self, rows: int) -> Sample:
        """Raw items as Arrow: a from the first pages; b from the others, or all of them where they are few."""
        a: dict[str, pa.Table] = {}
        b: dict[str, pa.Table] = {}
        whole: set[str] = set()
        for endpoint in self._endpoints:
            first, rest = _split(endpoint.pages, rows)
            judged = endpoint.items if endpoint.whole else (rest or first)[: rows * 10]
            for into, items in ((a, first[:rows]), (b, judged)):
                into[endpoint.name] = self._typed(endpoint.shape, endpoint.columns, items)[0]
                for nested in endpoint.nested:
                    within = nested.rows(items, endpoint.key)
                    into[nested.name] = self._typed(nested.shape, nested.columns, within)[0]
            if endpoint.whole:
                whole |= {endpoint.name, *(nested.name for nested in endpoint.nested)}
        return Sample(a, b, frozenset(whole))

    def over(self, tables: Mapping[str, pa.Table]) -> object:
        """The same paths over other rows, in several small pages."""
        return SampleDoors(self._endpoints, tables)

    def completeness(self) -> Completeness:
        """What the calls since the last `completeness()` took in, in words."""
        with self._lock:
            account, self._account = self._account, Account()
        return account.told()

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()
        if self._duck is not None:
            self._duck.close()

    # Finding the collections

    def _found(self) -> tuple[list[Endpoint], str, tuple[str, ...]]:
        """The collections, the base path that their paths are below, and the paths that may be asked for."""
        url = self._client.url
        try:
            body = json_of(self.fetch(url))
        except SourceProblem as problem:
            if problem.reason not in ("not-found", "not-json", "empty"):
                raise
            named = self._described(url)
            if not named:
                raise
            return self._several(named, url)
        named = openapi_collections(body, url) or index_links(body, url)
        if named:
            return self._several(named, self._client.url)
        path = unquote(urlsplit(self._client.url).path)
        base, _, last = path.rstrip("/").rpartition("/")
        name = table_name(path)
        collection = Collection(self.fetch, self._client.url, name)
        return [Endpoint(name, f"/{last}", collection)], base, (path.rstrip("/") or "/",)

    def _described(self, url: str) -> dict[str, str]:
        """Collections by an OpenAPI description at one of its usual places, below the address and then at the host's root."""
        bases = dict.fromkeys((url.split("?")[0].rstrip("/") + "/", urljoin(url, "/")))
        for base in bases:
            for place in ("openapi.json", "swagger.json", "v3/api-docs", "api-docs", "swagger/v1/swagger.json"):
                try:
                    named = openapi_collections(json_of(self.fetch(urljoin(base, place))), urljoin(base, place))
                except SourceProblem:
                    continue
                if named:
                    return named
        return {}

    def _several(self, named: Mapping[str, str], url: str) -> tuple[list[Endpoint], str, tuple[str, ...]]:
        """Those of the named addresses that hold collections."""
        own = unquote(urlsplit(url).path).rstrip("/")
        paths = [unquote(urlsplit(each).path) for each in named.values()]
        base = own if all(path.startswith(own + "/") for path in paths) else posixpath.commonpath(paths).rstrip("/")
        if len(paths) == 1 and base == paths[0].rstrip("/"):
            base = base.rpartition("/")[0]
        found: list[Endpoint] = []
        objects: list[Endpoint] = []
        problems: list[SourceProblem] = []
        for name, address in list(named.items())[:MOST_COLLECTIONS]:
            collection = Collection(self.fetch, address, name)
            try:
                first = collection.first()
            except SourceProblem as problem:
                problems.append(problem)
                continue
            path = "/" + unquote(urlsplit(address).path).removeprefix(base).lstrip("/")
            endpoint = Endpoint(name, path, collection)
            (objects if first.found.sort == "object" else found).append(endpoint)
        found = found or objects
        if problems:
            self.notes += tuple(f"left out: {problem.message}" for problem in problems[:5])
        if len(named) > MOST_COLLECTIONS:
            self.notes += (f"only the first {MOST_COLLECTIONS} of {len(named)} collections were looked at",)
        if not found:
            raise problems[0] if problems else SourceProblem("empty", f"no collection was found below {url}")
        return found, base, tuple(unquote(urlsplit(e.collection.url).path).rstrip("/") for e in found)

    # Learning the shape

    def _learn(self, endpoint: Endpoint) -> None:
        """Read enough pages to know the items: all of them when they are few, else the first ones and some further on."""
        most = max(3, min(WHOLE_PAGES, LEARNING_PAGES // len(self._endpoints)))
        walk = endpoint.collection.walk()
        had = 0
        try:
            for items in walk:
                endpoint.pages.append(items)
                had += len(items)
                self._options.progress(f"{endpoint.name}: {had} items in {len(endpoint.pages)} pages")
                if len(endpoint.pages) >= most or had > WHOLE_ITEMS:
                    break
            else:
                endpoint.ending = walk.ending
        except SourceProblem:
            # What cannot be read is told by the run, which reads everything; the shape is learnt from what can.
            if not endpoint.pages:
                raise
        if endpoint.ending is None:
            self._look_further(endpoint)
        if others := endpoint.collection.first().found.others:
            self.notes += (f"{endpoint.name}: the answer holds other lists as well, not read: {', '.join(others[:5])}",)
        items = endpoint.items
        endpoint.shape = items_shape(items)
        endpoint.key = _key_of(items, endpoint.name)
        endpoint.columns = columns_of(endpoint.shape, items)
        endpoint.nested = _nested_of(endpoint, items, {e.name for e in self._endpoints})

    def _look_further(self, endpoint: Endpoint) -> None:
        """Some pages from further on, spread to the end, where the pages can be jumped to."""
        collection = endpoint.collection
        total, size = collection.first().facts.total, len(collection.first().items)
        if not total or not size:
            return
        count = ceil(total / size)
        read = len(endpoint.pages)
        for index in sorted({read + (count - 1 - read) * step // JUMPS for step in range(1, JUMPS + 1)}):
            if index < read:
                continue
            try:
                page = collection.page_at(index)
            except SourceProblem:
                return
            if page is None:
                return
            endpoint.pages.append(page.items)

    # Reading

    def fetch(self, url: str, params: Mapping[str, object] | None = None) -> Reply:
        """One answer, from memory if it is fresh. SourceProblem when there is none."""
        key = (url, as_text(sorted((k, as_text(v)) for k, v in (params or {}).items())))
        with self._lock:
            reply = self._memory.get(key)
            if reply is None:
                reply = self._client.get(url, params)
                self._memory.keep(key, reply)
            return reply

    @property
    def origin(self) -> str:
        """Scheme, host and port of the API."""
        return self._client.origin

    def endpoint_at(self, path: str) -> Endpoint | None:
        """The collection at this absolute path."""
        wanted = unquote(path).rstrip("/")
        for endpoint in self._endpoints:
            if unquote(urlsplit(endpoint.collection.url).path).rstrip("/") == wanted:
                return endpoint
        return None

    def typed_pages(
        self, endpoint: Endpoint, nested: Nested | None, params: Mapping[str, object]
    ) -> Iterator[pa.RecordBatch]:
        """A record batch a page, all of one schema; at least one, so that no rows still have columns."""
        collection = replace(endpoint.collection, _first=None)
        if params:
            collection = replace(collection, params={**collection.params, **params}, style=None)
        shape = nested.shape if nested else endpoint.shape
        columns = nested.columns if nested else endpoint.columns
        name = nested.name if nested else endpoint.name
        entry = self._account.fresh(name)
        walk = collection.walk()
        position = 0
        yielded = False
        failed = ""
        try:
            for items in walk:
                rows = nested.rows(items, endpoint.key) if nested else items
                entry.unknown |= unknown_keys(rows, shape)
                table, bad = self._typed(shape, columns, rows)
                entry.rows += table.num_rows
                entry.set_aside += [
                    SetAside(name, position + at + 1, rule, value) for at, (rule, value) in sorted(bad.items())
                ]
                position += len(rows)
                for batch in table.combine_chunks().to_batches():
                    yielded = True
                    yield batch
        except SourceProblem as problem:
            failed = problem.message
            raise refusal(problem) from None
        finally:
            entry.ending = replace(walk.ending, proved=False, reason=failed) if failed else walk.ending
        if not yielded:
            yield from table_of([], shape)[0].to_batches() or [_no_rows(shape)]

    def plain_pages(self, url: str, params: Mapping[str, object]) -> Iterator[list[Item]]:
        """Pages of a path that is no table: items as they came."""
        collection = Collection(self.fetch, url, table_name(urlsplit(url).path), params)
        entry = self._account.fresh(collection.name)
        walk = collection.walk()
        failed = ""
        try:
            for items in walk:
                entry.rows += len(items)
                yield [_floats(item) for item in items]
        except SourceProblem as problem:
            failed = problem.message
            raise refusal(problem) from None
        finally:
            entry.ending = replace(walk.ending, proved=False, reason=failed) if failed else walk.ending

    def got(self, endpoint: Endpoint, page: Page) -> None:
        """Remember that one page of a collection was read by `get`."""
        self._account.entry(endpoint.name).got(endpoint.collection, page)

    def _typed(
        self, shape: Shape, columns: Sequence[Column], items: Sequence[Item]
    ) -> tuple[pa.Table, dict[int, tuple[str, str]]]:
        """Items as columns, without those that do not fit, also in what their text must be."""
        import pyarrow as pa

        table, bad = table_of(items, shape)
        checks = [c for c in columns if c.type is not None and c.type.type != "string"]
        if not checks or not table.num_rows:
            return table, bad
        with self._lock:
            if self._duck is None:
                self._duck = connect()
            self._duck.register("items", table)
            try:
                tests = ", ".join(
                    f"{c.type.breaks(f'CAST({c.expression} AS VARCHAR)')} AS c{i}"
                    for i, c in enumerate(checks)
                    if c.type
                )
                broken = self._duck.sql(f"SELECT {tests} FROM items").to_arrow_table()
            finally:
                self._duck.unregister("items")
        kept = [i for i in range(len(items)) if i not in bad]
        wrong: set[int] = set()
        for column, flags in zip(checks, broken.columns, strict=True):
            for at, flag in enumerate(flags.to_pylist()):
                if flag and column.type is not None:
                    wrong.add(at)
                    bad.setdefault(kept[at], (column.type.rule(), shown(_at(items[kept[at]], column.keys))))
        if wrong:
            table = table.take(pa.array([i for i in range(len(kept)) if i not in wrong], pa.int64()))
        return table, bad


def _no_rows(shape: Shape) -> pa.RecordBatch:
    import pyarrow as pa

    schema = table_of([], shape)[0].schema
    return pa.RecordBatch.from_arrays([pa.array([], f.type) for f in schema], schema=schema)


def refusal(problem: SourceProblem) -> CallRefused:
    """A problem of the source, as the closure's side is told it."""
    return CallRefused(_REFUSALS.get(problem.reason, "unavailable"), str(problem))


@dataclass
class Entry:
    """What was read of one table."""

    name: str
    rows: int = 0
    ending: Ending | None = None
    set_aside: list[SetAside] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)
    last_get: tuple[Collection, Page] | None = None

    def got(self, collection: Collection, page: Page) -> None:
        """One page came by `get`."""
        self.seen.update(digest(item) for item in page.items)
        self.last_get = (collection, page)

    def told(self) -> tuple[bool, str]:
        """Proved or not, in words."""
        if self.ending is not None:
            words = f"{self.name}: {self.ending.reason}"
            if self.unknown:
                names = ", ".join(sorted(self.unknown)[:5])
                words += f" (some items carry fields that the schema does not know: {names})"
            return self.ending.proved, words
        if self.last_get is None:
            return True, f"{self.name}: nothing was read"
        collection, page = self.last_get
        self.rows = len(self.seen)
        total = collection.first().facts.total if collection.first().facts.sure_total else None
        if collection.worked_out().kind == "single":
            walk = collection.walk()
            for _ in walk:
                pass
            return walk.ending.proved, f"{self.name}: {walk.ending.reason}"
        at_end = not page.items or page.facts.more is False or page.facts.says_end
        if len(self.seen) >= total if total is not None else at_end:
            return True, f"{self.name}: {len(self.seen)} items, up to the last page"
        of = f" of {total}" if total is not None else ""
        return False, f"{self.name}: only {len(self.seen)}{of} items were read; there are more pages"


class Account:
    """What the calls took in, table by table."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def entry(self, name: str) -> Entry:
        """The entry of a table."""
        return self._entries.setdefault(name, Entry(name))

    def fresh(self, name: str) -> Entry:
        """A new entry for a table: another walk over it counts by itself."""
        self._entries[name] = Entry(name)
        return self._entries[name]

    def told(self) -> Completeness:
        """All of it as one statement."""
        if not self._entries:
            return Completeness("complete", "nothing was read", 0)
        told = [entry.told() for entry in self._entries.values()]
        aside = [each for entry in self._entries.values() for each in entry.set_aside]
        reasons = [words for proved, words in told if not proved] or [words for _, words in told]
        if aside:
            first = aside[0]
            where = f"item {first.position} of {first.table}"
            reasons.insert(
                0, f"{len(aside)} items were set aside; the first is {where}: {first.rule} ({first.value!r})"
            )
        return Completeness(
            "incomplete" if aside or not all(proved for proved, _ in told) else "complete",
            "; ".join(reasons),
            sum(entry.rows for entry in self._entries.values()),
            tuple(aside[:SET_ASIDE_SHOWN]),
            len(aside),
        )


# Fields


def columns_of(shape: Shape, items: Sequence[Item], depth: int = 0) -> tuple[Column, ...]:
    """The fields of items, objects within them flattened to dotted names."""
    columns: list[Column] = []
    names = shape.column_names()
    for key, member in shape.members.items():
        columns += _columns(member, names[key], quoted(names[key]), (key,), items, nested=False)
    taken: set[str] = set()
    unique: list[Column] = []
    for column in columns:
        name, number = column.field.name, 2
        while name.casefold() in taken:
            name, number = f"{column.field.name}_{number}", number + 1
        taken.add(name.casefold())
        if name != column.field.name:
            column = replace(
                column, field=replace(column.field, name=name, reading=column.field.reading or column.expression)
            )
        unique.append(column)
    return tuple(unique)


def _columns(
    shape: Shape, name: str, expression: str, keys: tuple[str, ...], items: Sequence[Item], nested: bool
) -> list[Column]:
    if shape.sort == "struct":
        names = shape.column_names()
        found: list[Column] = []
        for key, member in shape.members.items():
            inner = names[key]
            reading = f"struct_extract({expression}, {_text(inner)})"
            found += _columns(member, f"{name}.{inner}", reading, (*keys, key), items, nested=True)
        return found
    arrow = str(shape.arrow())
    plain = Field(name, arrow, expression if nested else None)
    if shape.sort not in ("text", "int"):
        return [Column(plain, keys, expression)]
    values = [_at(item, keys) for item in items]
    kind = infer_column(name, [None if v is None else as_text(v) for v in values])
    told = replace(plain, meaning=kind.meaning, unit=kind.unit, format=kind.format)
    typed = (
        kind.type != "string"
        if shape.sort == "text"
        else kind.type == "bool" or kind.type.startswith(("date", "timestamp"))
    )
    if not typed:
        return [Column(told, keys, expression)]
    text = expression if shape.sort == "text" else f"CAST({expression} AS VARCHAR)"
    read = replace(told, type=kind.type, reading=kind.sql(text), offending=kind.offending)
    return [Column(read, keys, expression, kind)]


def _at(item: object, keys: Sequence[str]) -> object:
    for key in keys:
        item = item.get(key) if isinstance(item, dict) else None
    return item


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _nested_of(endpoint: Endpoint, items: Sequence[Item], taken: set[str]) -> tuple[Nested, ...]:
    """Lists of objects in the items, where the items have a key that the objects can point at."""
    if not endpoint.key:
        return ()
    found: list[Nested] = []
    for key, member in endpoint.shape.members.items():
        name = f"{endpoint.name}_{key}"
        if not member.is_records() or name in taken:
            continue
        pointer = f"{endpoint.name}_{endpoint.key}"
        while member.of is not None and pointer in member.of.members:
            pointer = f"_{pointer}"
        nested = Nested(name, f"{endpoint.path}#{key}", key, pointer, Shape(), ())
        rows = nested.rows(items, endpoint.key)
        shape = items_shape(rows)
        if rows and len(shape.members) > 1:
            found.append(replace(nested, shape=shape, columns=columns_of(shape, rows)))
    return tuple(found)


def _key_of(items: Sequence[Item], name: str) -> str:
    """A member that tells the items apart: in all of them, never twice, and named like a key."""
    singular = name.removesuffix("s").lower()
    for key in items[0] if items else ():
        if key.lower().strip("_") not in (
            "id",
            "uuid",
            "key",
            "guid",
            f"{singular}_id",
            f"{singular}id",
            "code",
            "number",
        ):
            continue
        values = [item.get(key) for item in items]
        if all(isinstance(v, str | int) and not isinstance(v, bool) for v in values) and len(set(values)) == len(
            values
        ):
            return key
    return ""


def _split(pages: Sequence[list[Item]], rows: int) -> tuple[list[Item], list[Item]]:
    """Items of the first pages, about `rows` of them, and those of the other pages, last page first served."""
    first: list[Item] = []
    at = 0
    while at < len(pages) and len(first) < rows and (at == 0 or at < (len(pages) + 1) // 2):
        first += pages[at]
        at += 1
    others = list(pages[at:])
    if others:
        others.insert(0, others.pop())
    return first, [item for page in others for item in page] or first[rows:]


# Doors


class HttpDoors:
    """The API's own doors: `get` and `pages` at or below the paths that the user named, on that host alone."""

    def __init__(self, source: HttpSource, base: str, granted: tuple[str, ...]) -> None:
        self._source = source
        self._base = base
        self._granted = granted

    def get(self, path: str, params: dict[str, object] | None = None) -> object:
        """The decoded JSON body of one GET below the base address."""
        url, asked, _ = self._address(path, params)
        try:
            reply = self._source.fetch(url, asked or None)
            body = json_of(reply, exact=False)
            endpoint = self._source.endpoint_at(urlsplit(url).path)
            if endpoint is not None:
                self._source.got(endpoint, endpoint.collection.page_of(reply, url, asked))
        except SourceProblem as problem:
            raise refusal(problem) from None
        return body

    def pages(self, path: str, params: dict[str, object] | None = None) -> Iterator[Any]:
        """Items page after page: typed record batches for the tables of the schema, lists of items for any other path."""
        url, asked, part = self._address(path, params)
        endpoint = self._source.endpoint_at(urlsplit(url).path)
        if endpoint is None:
            if part:
                raise CallRefused("not-found", f"{path!r} is not a table of this source")
            yield from self._source.plain_pages(url, asked)
            return
        nested = next((n for n in endpoint.nested if n.key == part), None)
        if part and nested is None:
            raise CallRefused("not-found", f"{path!r} is not a table of this source")
        yield from self._source.typed_pages(endpoint, nested, asked)

    def _address(self, path: str, params: Mapping[str, object] | None) -> tuple[str, dict[str, object], str]:
        """The address, its parameters and the part after `#`. CallRefused when it is not below what the user named."""
        route, query, part = split_path(path, self._source.origin)
        if route != self._base and not route.startswith(self._base + "/"):
            route = posixpath.normpath(f"{self._base}/{route.lstrip('/')}")
        if not any(
            route.rstrip("/") == own.rstrip("/") or route.startswith(own.rstrip("/") + "/") for own in self._granted
        ):
            raise CallRefused(
                "not-granted",
                f"{path[:200]!r} is not at or below {', '.join(self._granted[:5]) or '/'}, which was named",
            )
        endpoint = self._source.endpoint_at(route)
        url = endpoint.collection.url if endpoint is not None else urljoin(self._source.origin, quote_path(route))
        return url, {**query, **_checked(params)}, part


def _checked(params: Mapping[str, object] | None) -> dict[str, object]:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise CallRefused("failed", "params must be a dict of query parameters")
    for name, value in params.items():
        plain = isinstance(value, str | int | float | Decimal | bool) or value is None
        listed = isinstance(value, list | tuple) and all(isinstance(v, str | int | float | Decimal) for v in value)
        if not isinstance(name, str) or not (plain or listed or hasattr(value, "isoformat")):
            raise CallRefused(
                "failed", f"the query parameter {name!r} must be text, a number, a date or a list of them"
            )
    return {n: v.isoformat() if hasattr(v, "isoformat") else v for n, v in params.items()}


def split_path(path: str, origin: str) -> tuple[str, dict[str, object], str]:
    """An absolute, normalised path, the query and the part after `#`. CallRefused for what is no path on this host."""
    if not isinstance(path, str):
        raise CallRefused("failed", "a path is text, such as '/orders'")
    if any(ord(c) < 32 or c in "\x7f\\" for c in path):
        raise CallRefused("not-granted", "a path may not hold control characters or backslashes")
    parts = urlsplit(path.strip())
    if (parts.scheme or parts.netloc) and not path.strip().startswith(origin + "/"):
        raise CallRefused("not-granted", f"{path[:200]!r} is not on the host that was named")
    route = unquote(parts.path)
    if ".." in route.split("/") or "%" in route or any(ord(c) < 32 or c in "\x7f\\" for c in route):
        raise CallRefused("not-granted", f"{path[:200]!r} is not a plain path")
    query: dict[str, object] = dict(parse_qsl(parts.query, keep_blank_values=True))
    return posixpath.normpath("/" + route.lstrip("/")), query, parts.fragment


def quote_path(route: str) -> str:
    """The path as an address spells it."""
    return quote(route, safe="/-._~!$&'()*+,;=:@")


class SampleDoors:
    """The same paths over sampled rows: several small pages, in the envelope that the API itself uses."""

    def __init__(self, endpoints: Sequence[Endpoint], tables: Mapping[str, pa.Table]) -> None:
        self._endpoints = endpoints
        self._tables = tables

    def get(self, path: str, params: dict[str, object] | None = None) -> object:
        """One page as the API would wrap it, or one item by its key."""
        route, query, part = split_path(path, _origin_of(self._endpoints[0].collection.url))
        endpoint, below = self._endpoint(route)
        table = self._tables.get(endpoint.name)
        if part or table is None:
            raise CallRefused("not-found", f"there is nothing at {path!r}")
        items = [_floats(item) for item in table.to_pylist()]
        if below:
            for item in items:
                if endpoint.key and str(item.get(endpoint.key)) == below:
                    return item
            raise CallRefused("not-found", f"there is nothing at {path!r} (404)")
        return Envelope(endpoint, items, self._size(endpoint, len(items))).page({**query, **_checked(params)})

    def pages(self, path: str, params: dict[str, object] | None = None) -> Iterator[pa.RecordBatch]:
        """Every row, in record batches of one small page each."""
        route, _, part = split_path(path, _origin_of(self._endpoints[0].collection.url))
        _checked(params)
        endpoint, below = self._endpoint(route)
        nested = next((n for n in endpoint.nested if n.key == part), None)
        name = nested.name if nested else endpoint.name
        if below or (part and nested is None) or name not in self._tables:
            raise CallRefused("not-found", f"there is no table at {path!r}")
        table = self._tables[name].combine_chunks()
        if not table.num_rows:
            import pyarrow as pa

            yield pa.RecordBatch.from_arrays([pa.array([], f.type) for f in table.schema], schema=table.schema)
            return
        yield from table.to_batches(max_chunksize=self._size(endpoint, table.num_rows))

    def _endpoint(self, route: str) -> tuple[Endpoint, str]:
        """The collection that a path belongs to, and what of the path is below it: the longest that fits, for the root fits all."""
        bare = route.rstrip("/")
        owns = [
            (own, endpoint)
            for endpoint in self._endpoints
            for own in (endpoint.path.rstrip("/"), unquote(urlsplit(endpoint.collection.url).path.rstrip("/")))
            if bare == own or bare.startswith(own + "/")
        ]
        if not owns:
            raise CallRefused("not-found", f"there is nothing at {route!r}")
        own, endpoint = max(owns, key=lambda pair: len(pair[0]))
        return endpoint, bare[len(own) :].strip("/")

    def _size(self, endpoint: Endpoint, rows: int) -> int:
        """At least three pages where there are rows enough, never larger than the API's own."""
        if endpoint.collection.worked_out().kind == "single":
            return max(1, rows)
        return max(1, min(len(endpoint.collection.first().items) or 1, ceil(rows / 3)))


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Envelope:
    """Pages of items in the wrapping that the API's own first page had, its figures and links put right."""

    endpoint: Endpoint
    items: Sequence[Item]
    size: int

    def page(self, params: Mapping[str, object]) -> object:
        """The body of the page that these parameters ask for."""
        start, size = self._start(params), self._asked_size(params)
        first = self.endpoint.collection.first()
        within = list(self.items[start : start + size])
        if first.found.sort == "object":
            return within[0] if within else {}
        wrapped: object = within
        if first.found.sort == "map":
            wrapped = {
                str(item.get("_key", i)): {k: v for k, v in item.items() if k != "_key"}
                for i, item in enumerate(within)
            }
        elif first.found.sort == "values":
            wrapped = [item["value"] if set(item) == {"value"} else item for item in within]
        elif first.found.sort == "table":
            header = list(self.items[0]) if self.items else []
            wrapped = [header, *([item.get(name) for name in header] for item in within)]
        if not first.found.place or not isinstance(first.body, dict):
            return wrapped
        body = _without(first.body, first.found.place)
        self._put_right(body, (), start, size, len(within))
        _put(body, first.found.place, wrapped)
        return _floats(body)

    def _start(self, params: Mapping[str, object]) -> int:
        style = self.endpoint.collection.worked_out()
        for name, value in params.items():
            plain = plain_name(name)
            text = str(value)
            if match := re.fullmatch(r"t(\d+)", text):
                return int(match.group(1))
            if not text.isdecimal():
                continue
            if plain in PAGE_NAMES or plain == "p" or (style.kind == "page" and name == style.name):
                base = style.first if style.kind == "page" else 1
                return max(0, (int(text) - base) * self._asked_size(params))
            if plain in OFFSET_NAMES or (style.kind == "offset" and name == style.name):
                return max(0, int(text) - (style.first if style.kind == "offset" else 0))
            if style.kind in ("cursor", "next") and (name == style.name or plain in CURSOR_NAMES):
                return int(text)
        if style.kind == "after" and style.name in params:
            for at, item in enumerate(self.items):
                if str(item.get(self.endpoint.key or "id")) == str(params[style.name]):
                    return at + 1
        return 0

    def _asked_size(self, params: Mapping[str, object]) -> int:
        for name, value in params.items():
            if plain_name(name) in SIZE_NAMES and str(value).isdecimal() and int(str(value)) > 0:
                return min(self.size, int(str(value)))
        return self.size

    def _put_right(self, body: dict[str, object], way: tuple[str, ...], start: int, size: int, count: int) -> None:
        """Totals, numbers, cursors and links of the envelope, for the page at `start`."""
        facts, total = self.endpoint.collection.first().facts, len(self.items)
        following = start + size
        more = following < total
        for key, value in list(body.items()):
            name = plain_name(key)
            if isinstance(value, dict):
                if name in NEXT_NAMES and ("href" in value or "url" in value):
                    body[key] = (
                        {**value, "href" if "href" in value else "url": self._next_url(following)} if more else None
                    )
                else:
                    self._put_right(value, (*way, key), start, size, count)
            elif name in MORE_NAMES and isinstance(value, bool):
                body[key] = more
            elif name in LAST_NAMES and isinstance(value, bool):
                body[key] = not more
            elif name in NEXT_NAMES:
                body[key] = self._next(value, following) if more else None
            elif name in CURSOR_NAMES:
                body[key] = (following if isinstance(value, int) else f"t{following}") if more else None
            elif isinstance(value, int) and not isinstance(value, bool):
                if name in TOTAL_NAMES:
                    body[key] = total
                elif name == "count":
                    body[key] = (
                        count if facts.sure_total or value == len(self.endpoint.collection.first().items) else total
                    )
                elif name in TOTAL_PAGES_NAMES:
                    body[key] = ceil(total / size)
                elif name in PAGE_NAMES and facts.page is not None:
                    body[key] = facts.page + start // size
                elif name in SIZE_NAMES:
                    body[key] = size
                elif name in OFFSET_NAMES and facts.offset is not None:
                    body[key] = facts.offset + start

    def _next(self, value: object, following: int) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return following // self.size + 1
        first = self.endpoint.collection.first().facts
        if isinstance(value, str) and first.next_url and urljoin(self.endpoint.collection.url, value) != first.next_url:
            return f"t{following}"
        return self._next_url(following)

    def _next_url(self, following: int) -> str:
        """The API's own next address, with the number or cursor that differs from the first page put right."""
        url = urlsplit(self.endpoint.collection.url)
        given = urlsplit(self.endpoint.collection.first().facts.next_url)
        had = dict(parse_qsl(url.query))
        query = dict(parse_qsl(given.query))
        new = {k: v for k, v in query.items() if had.get(k) != v and plain_name(k) not in SIZE_NAMES}
        name = next(iter(new), "cursor")
        plain = plain_name(name)
        if plain in PAGE_NAMES or plain == "p":
            value = str(following // self.size + 1)
        else:
            value = str(following) if plain in OFFSET_NAMES else f"t{following}"
        return urlunsplit((url.scheme, url.netloc, url.path, urlencode({**had, **query, name: value}), ""))


def _without(body: Mapping[str, object], place: Sequence[str]) -> dict[str, object]:
    """A copy of an envelope with nothing in the place of its items."""
    key, *rest = place
    made: dict[str, object] = {}
    for name, value in body.items():
        if name != key:
            made[name] = copy.deepcopy(value)
        else:
            made[name] = _without(value, rest) if rest and isinstance(value, dict) else []
    return made


def _put(body: dict[str, object], place: Sequence[str], value: object) -> None:
    for key in place[:-1]:
        within = body[key]
        assert isinstance(within, dict)
        body = within
    body[place[-1]] = value


def _floats(value: Any) -> Any:
    """The value with Decimals as JSON has them: whole numbers and floats."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, dict):
        return {key: _floats(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return value


# Collections that an API names


def table_name(path: str) -> str:
    """A table's name from a path: its last word."""
    words = [unquote(each) for each in path.split("/") if each]
    name = re.sub(r"\.(json|jsonl)$", "", words[-1]) if words else "items"
    return re.sub(r"\W+", "_", name).strip("_") or "items"


_NO_COLLECTION = frozenset(
    ("self", "next", "prev", "previous", "first", "last", "curies", "profile", "docs", "documentation", "help", "health", "status",
     "openapi", "swagger", "schema", "login", "logout", "version", "describedby", "home", "root", "home_page", "homepage")
)  # fmt: skip


def index_links(body: object, url: str) -> dict[str, str]:
    """Collections named by an index of links: name → address on the same host. Empty when the body is no index."""
    pairs: list[tuple[str, str]] = []
    if (
        isinstance(body, list)
        and body
        and all(isinstance(each, str) and each.startswith(("/", "http")) for each in body)
    ):
        pairs = [(table_name(urlsplit(each).path), each) for each in body]
    elif isinstance(body, dict):
        pairs = _links_in(body)
    found: dict[str, str] = {}
    here = url if url.split("?")[0].endswith("/") else url.split("?")[0] + "/"
    for name, link in pairs:
        address = re.sub(r"\{[?&][^}]*\}", "", link)
        if name.lower() in _NO_COLLECTION or "{" in address:
            continue
        address = urljoin(here, address)
        own = address.split("?")[0].rstrip("/")
        if _origin_of(address) == _origin_of(url) and own not in (url.split("?")[0].rstrip("/"), *found.values()):
            found.setdefault(re.sub(r"\W+", "_", name).strip("_") or table_name(own), address)
    return found


def _links_in(body: Mapping[str, object]) -> list[tuple[str, str]]:
    if "id" in body or "_id" in body:
        return []
    for key in ("_links", "links", "endpoints", "resources", "collections", "value"):
        within = body.get(key)
        if isinstance(within, dict) and not any(isinstance(v, list) and v for k, v in body.items() if k != key):
            pairs = [(name, link) for name, value in within.items() if (link := _link(value))]
            if pairs:
                return pairs
        if isinstance(within, list) and within and (key != "value" or "@odata.context" in body):
            pairs = [pair for each in within if (pair := _named_link(each)) is not None]
            if len(pairs) == len(within):
                return pairs
    pairs = [
        (name, link)
        for name, value in body.items()
        if (link := _link(value)) and (isinstance(value, dict) or "/" in link)
    ]
    return pairs if pairs and len(pairs) * 5 >= len(body) * 3 else []


def _link(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("href") or value.get("url")
    if isinstance(value, str) and re.match(r"https?://|/[^/\s]|\./", value) and not re.search(r"\s", value):
        return value
    return ""


def _named_link(value: object) -> tuple[str, str] | None:
    if isinstance(value, str) and value.startswith(("/", "http")):
        return table_name(urlsplit(value).path), value
    if isinstance(value, dict):
        link = value.get("href") or value.get("url") or value.get("path")
        name = (
            value.get("name")
            or value.get("rel")
            or value.get("id")
            or (table_name(link) if isinstance(link, str) else "")
        )
        if (
            isinstance(link, str)
            and isinstance(name, str)
            and set(value)
            <= {"href", "url", "path", "name", "rel", "id", "kind", "title", "description", "method", "methods", "type"}
        ):
            return name, link
    return None


def openapi_collections(body: object, url: str) -> dict[str, str]:
    """Collections by an OpenAPI (or Swagger) description: paths that GET takes without a parameter. Empty for other bodies."""
    if (
        not isinstance(body, dict)
        or not ("openapi" in body or "swagger" in body)
        or not isinstance(body.get("paths"), dict)
    ):
        return {}
    servers = body.get("servers")
    prefix = urljoin(url, "/")
    if isinstance(servers, list) and servers and isinstance(servers[0], dict):
        prefix = urljoin(url, str(servers[0].get("url", "/")))
    elif body.get("basePath"):
        prefix = urljoin(url, str(body["basePath"]))
    if _origin_of(prefix) != _origin_of(url):
        # Descriptions often name the public server; the paths hold on the host that was named.
        prefix = urlunsplit((*urlsplit(url)[:2], urlsplit(prefix).path, "", ""))
    found: dict[str, str] = {}
    for path, item in body["paths"].items():
        get = item.get("get") if isinstance(item, dict) else None
        if not isinstance(get, dict) or "{" in path or get.get("deprecated"):
            continue
        parameters = [*(get.get("parameters") or []), *(item.get("parameters") or [])]
        if any(isinstance(p, dict) and p.get("required") and p.get("in") in ("query", "path") for p in parameters):
            continue
        name = table_name(path)
        if name.lower() not in _NO_COLLECTION and path.strip("/"):
            found.setdefault(name, prefix.rstrip("/") + "/" + path.lstrip("/"))
    return found
