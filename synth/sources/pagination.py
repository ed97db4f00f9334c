"""Where the items of a JSON answer are, how one page leads to the next, and whether the last one was proved to be the last.

Nothing is configured. The first answer is read for what it says (a next address, a cursor, a total, a Link header); where
it says nothing, the usual parameters are tried, and a parameter counts only when it brings other items. A walk ends in
words: either a proof that nothing is left, or the reason why there may be more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl, urljoin, urlsplit

from synth.errors import SourceProblem
from synth.sources.http_client import Reply, json_of
from synth.sources.item_shape import Item, as_text

Kind = Literal["single", "next", "cursor", "page", "offset", "after"]
Fetch = Callable[[str, Mapping[str, object] | None], Reply]

MOST_PAGES = 10_000
MOST_EMPTY_PAGES = 5
KNOWN_PLACES = (
    "data", "results", "items", "value", "records", "rows", "objects", "entries", "elements", "content", "list", "docs",
    "documents", "features", "hits", "entry", "resources", "collection", "response", "result", "payload", "_embedded", "d", "body",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Items in a body, and the way to them. `sort`: a list, a map (its keys came as `_key`), one object, or plain values.

    `others` are further lists of objects in the body, which are not read."""

    items: list[Item]
    place: tuple[str, ...] = ()
    sort: Literal["list", "map", "object", "values", "table"] = "list"
    others: tuple[str, ...] = ()


def find_items(body: object, name: str = "") -> Found:
    """The items of a body, wherever they are. `name` is what the collection is called. SourceProblem when it is an error."""
    if isinstance(body, list):
        return _of_list(body, ())
    if not isinstance(body, dict):
        return Found([{"value": body}] if body is not None else [], (), "values")
    _refuse_errors(body)
    lists = list(_lists(body, (), 0))
    by_name = [found for found in lists if found.place[-1].casefold() == name.casefold()] if name else []
    if by_name:
        return by_name[0]
    # An object with an identity of its own that holds a list is one record with parts, not an envelope.
    if any(body.get(key) is not None for key in ("id", "_id", "uuid")) and not any(k in body for k in ("jsonrpc",)):
        return Found([body], (), "object")
    known = [found for found in lists if any(part.casefold() in KNOWN_PLACES for part in found.place)]
    records = [found for found in lists if found.sort != "values" and found.items]
    empty = [f for f in known if not f.items and all(part.casefold() in KNOWN_PLACES for part in f.place)]
    for candidates in ([f for f in known if f.sort != "values" and f.items], empty, records, known):
        if candidates:
            best = min(candidates, key=lambda found: (len(found.place), -len(found.items)))
            return replace(best, others=tuple(".".join(f.place) for f in records if f.place != best.place))
    as_map = _as_map(body, ())
    if as_map is not None:
        return as_map
    return Found([body] if body else [], (), "object")


def items_at(body: object, found: Found) -> list[Item]:
    """The items of a further page, at the place where the first page had them."""
    value = body
    for part in found.place:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, list):
        return _of_list(value, found.place).items
    if found.sort == "map" and isinstance(value, dict):
        again = _as_map(value, found.place, least=0)
        return again.items if again else []
    if value is None and isinstance(body, dict):
        _refuse_errors(body)
        return []
    return find_items(body).items if not found.place else []


def _of_list(values: Sequence[object], place: tuple[str, ...]) -> Found:
    if all(isinstance(each, dict) for each in values):
        return Found([each for each in values if isinstance(each, dict)], place)
    rows = [each for each in values if isinstance(each, list)]
    if len(rows) == len(values) > 1 and all(isinstance(c, str) for c in rows[0]) and len({len(r) for r in rows}) == 1:
        header = [str(c) for c in rows[0]]
        if len(set(header)) == len(header):
            return Found([dict(zip(header, row, strict=True)) for row in rows[1:]], place, "table")
    return Found([each if isinstance(each, dict) else {"value": each} for each in values], place, "values")


def _lists(value: Mapping[str, object], place: tuple[str, ...], depth: int) -> Iterator[Found]:
    for key, within in value.items():
        if key.lower() in ("link", "links", "_links", "errors", "warnings", "messages"):
            continue
        here = (*place, key)
        if isinstance(within, list):
            yield _of_list(within, here)
        elif isinstance(within, dict) and depth < 4:
            yield from _lists(within, here, depth + 1)
            if key.casefold() in KNOWN_PLACES and (as_map := _as_map(within, here)) is not None:
                yield as_map


def _as_map(value: Mapping[str, object], place: tuple[str, ...], least: int = 2) -> Found | None:
    """Objects under keys that are data: at least two, alike in their members."""
    members = [each for each in value.values() if isinstance(each, dict)]
    if len(members) != len(value) or len(members) < least:
        return None
    shared = set.intersection(*(set(m) for m in members)) if members else set()
    most = max((len(m) for m in members), default=0)
    if members and len(shared) * 2 < most:
        return None
    return Found([{"_key": key, **each} for key, each in value.items() if isinstance(each, dict)], place, "map")


def _refuse_errors(body: Mapping[str, object]) -> None:
    """An error that comes with status 200."""
    told = body.get("error") or body.get("errors") or body.get("Error")
    failed = str(body.get("status", "")).lower() in ("error", "fail", "failed") or body.get("success") is False
    has_data = any(isinstance(v, list) and v for k, v in body.items() if k not in ("errors", "error"))
    if (told and not has_data and "data" not in body) or (failed and not has_data):
        words = told if told and told is not True else body.get("message") or body.get("detail") or body.get("status")
        if isinstance(words, dict):
            words = words.get("message") or words.get("detail") or words
        raise SourceProblem("server-error", f"the API answers with an error: {as_text(words)[:160]}")


@dataclass(frozen=True)
class Facts:
    """What one answer says about its place among the pages. Keys are kept as spelled, with the way to their container."""

    total: int | None = None
    sure_total: bool = False
    total_pages: int | None = None
    page: int | None = None
    size: int | None = None
    offset: int | None = None
    offset_name: str = ""
    more: bool | None = None
    next_url: str = ""
    cursor: object = None
    cursor_names: tuple[str, ...] = ()
    says_end: bool = False
    at_last_cursor: bool = False


def plain_name(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


TOTAL_NAMES = frozenset(
    ("total", "totalcount", "totalitems", "totalresults", "totalelements", "totalrecords", "recordstotal", "totalhits",
     "odatacount", "numfound", "totalsize", "totalrows", "resultstotal", "grandtotal", "countall")
)  # fmt: skip
TOTAL_PAGES_NAMES = frozenset(("totalpages", "pages", "pagecount", "lastpage", "numpages", "pagestotal", "pagetotal"))
PAGE_NAMES = frozenset(("page", "pagenumber", "currentpage", "number", "pageno", "pageindex", "pagenum"))
SIZE_NAMES = frozenset(("perpage", "pagesize", "limit", "size", "itemsperpage", "maxresults", "top"))
OFFSET_NAMES = frozenset(("offset", "skip", "start", "startindex", "startat", "from"))
MORE_NAMES = frozenset(
    ("hasmore", "hasnext", "hasnextpage", "more", "moreresults", "morepages", "moreavailable", "ismore")
)
LAST_NAMES = frozenset(("last", "islast", "islastpage", "lastpage", "done"))
NEXT_NAMES = frozenset(
    ("next", "nexturl", "nextlink", "nextpageurl", "odatanextlink", "nextpage", "nextrecordsurl", "nexthref", "nextpagelink",
     "nexturi")
)  # fmt: skip
CURSOR_NAMES: dict[str, tuple[str, ...]] = {
    "nextcursor": ("cursor", "next_cursor", "after", "page_cursor", "starting_after"),
    "nextpagecursor": ("cursor", "page_cursor", "after"),
    "cursor": ("cursor", "after", "next_cursor"),
    "nexttoken": ("next_token", "nextToken", "token", "page_token", "pagination_token"),
    "nextpagetoken": ("pageToken", "page_token", "nextPageToken", "token"),
    "pagetoken": ("page_token", "pageToken"),
    "continuation": ("continuation", "continuation_token", "cursor", "token"),
    "continuationtoken": ("continuation_token", "continuationToken", "continuation", "token", "cursor"),
    "after": ("after", "cursor", "starting_after"),
    "endcursor": ("after", "cursor"),
    "bookmark": ("bookmark",),
    "scrollid": ("scroll_id", "scrollId", "scroll"),
    "marker": ("marker",),
    "nextmarker": ("marker", "next_marker"),
    "nextkey": ("key", "next_key", "start_key", "after"),
    "nextoffset": ("offset", "next_offset"),
    "nextid": ("after", "since_id", "cursor", "starting_after"),
    "nextpagekey": ("pageKey", "page_key", "nextPageKey"),
}
_NEXT_AS_CURSOR = ("cursor", "next", "after", "page_token", "start")


def facts_of(body: object, found: Found, reply: Reply | None = None, url: str = "") -> Facts:
    """What the answer says. `url` is where it came from, for next addresses that are relative."""
    facts = _header_facts(reply, url) if reply is not None else Facts()
    if not isinstance(body, dict) or found.sort == "object":
        return facts
    ends: list[bool] = []
    for way, key, value in _scalars(body, (), found.place):
        facts = _with_fact(facts, way, key, value, url, ends)
    if facts.at_last_cursor:
        facts = replace(facts, cursor=None)
    if not facts.next_url and facts.cursor is None and ends:
        facts = replace(facts, says_end=facts.more is not True)
    return facts


def _header_facts(reply: Reply, url: str) -> Facts:
    facts = Facts()
    for name in ("x-total-count", "x-total", "total-count", "x-pagination-total-count"):
        if reply.headers.get(name, "").strip().isdecimal():
            facts = replace(facts, total=int(reply.headers[name]), sure_total=True)
            break
    content_range = re.fullmatch(r"\s*\w+\s+[\d*-]+/(\d+)\s*", reply.headers.get("content-range", ""))
    if content_range and facts.total is None:
        facts = replace(facts, total=int(content_range.group(1)), sure_total=True)
    pages = reply.headers.get("x-total-pages", "").strip()
    if pages.isdecimal():
        facts = replace(facts, total_pages=int(pages))
    if "next" in reply.links:
        return replace(facts, next_url=urljoin(url, reply.links["next"]))
    if {"prev", "first", "last"} & set(reply.links):
        return replace(facts, says_end=True)
    return facts


def _scalars(
    value: Mapping[str, object], way: tuple[str, ...], items: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, object]]:
    """Members of the envelope, outermost first; the items themselves are not looked into."""
    inner: list[tuple[str, Mapping[str, object]]] = []
    for key, each in value.items():
        if (*way, key) == items:
            continue
        if isinstance(each, dict):
            href = each.get("href") or each.get("url")
            if plain_name(key) in NEXT_NAMES and isinstance(href, str):
                yield way, key, href
            elif len(way) < 3:
                inner.append((key, each))
        elif not isinstance(each, list):
            yield way, key, each
        elif key.lower() in ("link", "links"):
            yield from ((way, "next", link) for link in _next_links(each))
    for key, within in inner:
        yield from _scalars(within, (*way, key), items)


def _next_links(links: Sequence[object]) -> Iterator[object]:
    for link in links:
        if isinstance(link, dict) and str(link.get("rel") or link.get("relation")).lower() == "next":
            yield link.get("href") or link.get("url")


def _with_fact(facts: Facts, way: tuple[str, ...], key: str, value: object, url: str, ends: list[bool]) -> Facts:
    name = plain_name(key)
    whole = value if isinstance(value, int) and not isinstance(value, bool) else None
    if whole is None and isinstance(value, str) and value.isdecimal() and len(value) < 12:
        whole = int(value)
    absent = value is None or value is False or value == ""
    if name in MORE_NAMES and isinstance(value, bool):
        ends.extend([True] * (not value))
        return replace(facts, more=value)
    if name in LAST_NAMES and isinstance(value, bool):
        ends.extend([True] * value)
        return replace(facts, more=not value)
    if name in NEXT_NAMES:
        return _with_next(facts, key, name, value, url, ends)
    if name in CURSOR_NAMES and not (name == "after" and not way) and (absent or isinstance(value, str | int)):
        if absent or value == 0:
            ends.append(True)
            # Beside a next cursor that is empty, a plain one is where we are, not where to go.
            return replace(facts, at_last_cursor=True) if name.startswith("next") else facts
        names = (key, *CURSOR_NAMES[name]) if not name.startswith("next") else (*CURSOR_NAMES[name], key)
        if facts.cursor is None or name.startswith("next"):
            return replace(facts, cursor=value, cursor_names=tuple(dict.fromkeys(names)))
        return facts
    if whole is None or whole < 0:
        if name == "offset" and isinstance(value, str) and value and facts.cursor is None:
            return replace(facts, cursor=value, cursor_names=(key,))
        return facts
    if name in TOTAL_NAMES and not facts.sure_total:
        return replace(facts, total=whole, sure_total=True)
    if name == "count" and facts.total is None:
        return replace(facts, total=whole, sure_total=False)
    if name in TOTAL_PAGES_NAMES and facts.total_pages is None:
        return replace(facts, total_pages=whole)
    if name in PAGE_NAMES and facts.page is None:
        return replace(facts, page=whole)
    if name in SIZE_NAMES and facts.size is None:
        return replace(facts, size=whole)
    if name in OFFSET_NAMES and facts.offset is None:
        return replace(facts, offset=whole, offset_name=key)
    return facts


def _with_next(facts: Facts, key: str, name: str, value: object, url: str, ends: list[bool]) -> Facts:
    if value is None or value is False or value == "":
        ends.append(True)
        return facts
    if isinstance(value, bool):
        return replace(facts, more=True)
    if isinstance(value, int):
        return replace(facts, cursor=value, cursor_names=("page", "p", "offset", "cursor"))
    if isinstance(value, str):
        if re.match(r"https?://|[/?]", value) or "?" in value or name in ("nextlink", "odatanextlink", "nexturl"):
            return facts if facts.next_url else replace(facts, next_url=urljoin(url, value))
        if facts.cursor is None:
            return replace(facts, cursor=value, cursor_names=(*_NEXT_AS_CURSOR, key))
    return facts


@dataclass(frozen=True)
class Style:
    """How the next page is asked for. `name` is the parameter; `first` the number that the first page has in it."""

    kind: Kind
    name: str = ""
    first: int = 0
    # What the usual parameters did, where the first answer said nothing of pages.
    tried: str = ""
    unclear: str = ""


@dataclass(frozen=True)
class Page:
    """One answer with its items."""

    url: str
    params: Mapping[str, object]
    body: object
    found: Found
    facts: Facts

    @property
    def items(self) -> list[Item]:
        """The items, as they came."""
        return self.found.items


@dataclass(frozen=True)
class Ending:
    """How a walk over the pages ended, in words that can be shown to a person."""

    proved: bool
    reason: str
    pages: int
    items: int


@dataclass
class Collection:
    """One paged collection at an address. `name` is what it is called, `params` what every page is asked with."""

    fetch: Fetch
    url: str
    name: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    most_pages: int = MOST_PAGES
    style: Style | None = None
    _first: Page | None = None

    def first(self) -> Page:
        """The first page."""
        if self._first is None:
            self._first = self._page(self.url, self.params, None)
        return self._first

    def worked_out(self) -> Style:
        """How the pages hang together, found by reading the first one and, where that does not tell, by trying."""
        if self.style is None:
            self.style = self._work_out(self.first())
        return self.style

    def walk(self) -> Walk:
        """All pages from the first on."""
        return Walk(self)

    def page_at(self, index: int) -> Page | None:
        """The page of that index (from 0), where the style allows to jump there; None where it does not."""
        style, first = self.worked_out(), self.first()
        if style.kind == "page":
            return self._page(self.url, {**self.params, style.name: style.first + index}, first.found)
        if style.kind == "offset":
            return self._page(
                self.url, {**self.params, style.name: style.first + index * len(first.items)}, first.found
            )
        return None

    def next_of(self, page: Page, taken: int, number: int) -> tuple[str, Mapping[str, object]] | None:
        """Address and parameters of the page after `page`, which was the one of that number (from 1)."""
        style, facts = self.worked_out(), page.facts
        if style.kind == "next":
            return (facts.next_url, {}) if facts.next_url else None
        if style.kind == "cursor":
            return (self.url, {**self.params, style.name: facts.cursor}) if facts.cursor is not None else None
        if style.kind == "page":
            return self.url, {**self.params, style.name: style.first + number}
        if style.kind == "offset":
            return self.url, {**self.params, style.name: style.first + taken}
        if style.kind == "after" and page.items:
            return self.url, {**self.params, style.name: _identity(page.items[-1])}
        return None

    def open_page(self, url: str, params: Mapping[str, object]) -> Page:
        """A further page."""
        return self._page(url, params, self.first().found)

    def page_of(self, reply: Reply, url: str, params: Mapping[str, object]) -> Page:
        """An answer that was fetched already, read as a page."""
        return self._read(reply, url, params, self.first().found)

    def _page(self, url: str, params: Mapping[str, object], like: Found | None) -> Page:
        return self._read(self.fetch(url, params or None), url, params, like)

    def _read(self, reply: Reply, url: str, params: Mapping[str, object], like: Found | None) -> Page:
        body = json_of(reply)
        try:
            found = find_items(body, self.name) if like is None else replace(like, items=items_at(body, like))
        except SourceProblem as problem:
            raise SourceProblem(problem.reason, f"{reply.url}: {problem.message}", problem.hint) from None
        return Page(url, params, body, found, facts_of(body, found, reply, url))

    def _work_out(self, first: Page) -> Style:
        facts, count = first.facts, len(first.items)
        if first.found.sort == "object":
            return Style("single")
        if facts.next_url:
            return Style("next")
        if facts.cursor is not None and facts.more is not False:
            return self._cursor_style(first)
        if facts.says_end and facts.more is not True and not (facts.sure_total and (facts.total or 0) > count):
            return Style("single")
        if facts.sure_total and facts.total == count:
            return Style("single")
        if facts.total_pages is not None and facts.total_pages <= 1 and facts.page is not None:
            return Style("single")
        if not first.items:
            return Style("single")
        if facts.size is not None and count < facts.size and facts.more is None and facts.total is None:
            return Style("single")
        more = facts.more is True or (facts.sure_total and (facts.total or 0) > count) or (facts.total_pages or 0) > 1
        return self._tried(first, more)

    def _cursor_style(self, first: Page) -> Style:
        for name in first.facts.cursor_names:
            page = self._try({name: first.facts.cursor})
            if page is not None and (_compared(first, page) == "other" or (not page.items and _is_after(first, page))):
                return Style("cursor", name)
        if first.facts.total is not None and first.facts.total == len(first.items):
            return Style("single")
        return Style(
            "single", unclear=f"the API gives a cursor, and none of {', '.join(first.facts.cursor_names)} takes it"
        )

    def _tried(self, first: Page, more: bool) -> Style:
        """The usual parameters, tried one after the other until one of them brings other items."""
        count, facts = len(first.items), first.facts
        numbered: list[tuple[Kind, str]] = []
        if facts.page is not None or facts.total_pages is not None:
            numbered.append(("page", "page"))
        if facts.offset is not None:
            numbered.append(("offset", facts.offset_name))
        numbered += [("page", "page"), ("offset", "offset")]
        if more or usual_size(count):
            numbered += [("offset", "skip"), ("offset", "start"), ("page", "p"), ("page", "page_number")]
            numbered += [("page", "pageNumber"), ("page", "page[number]"), ("page", "_page"), ("offset", "$skip")]
        tried: list[str] = []
        for kind, name in dict.fromkeys(numbered):
            style = self._as_pages(first, name) if kind == "page" else self._as_offset(first, name)
            if style is not None:
                return style
            tried.append(name)
        if more and (last := _identity(first.items[-1])) is not None:
            for name in ("starting_after", "after", "since_id", "after_id"):
                page = self._try({name: last})
                if page is not None and _compared(first, page) == "other":
                    return Style("after", name)
        if more:
            said = f"its total says {facts.total}" if facts.sure_total else "it says that there are more"
            return Style("single", unclear=f"{said}, and none of {', '.join(tried)} leads to the next page")
        return Style("single", tried=", ".join(tried))

    def _as_pages(self, first: Page, name: str) -> Style | None:
        base = first.facts.page if first.facts.page in (0, 1) else None
        page = self._try({name: (base if base is not None else 1) + 1})
        how = _compared(first, page)
        if page is None or how == "same" or (how == "overlap" and _shared(first, page) * 2 > len(page.items)):
            return None
        if base is not None:
            return Style("page", name, base)
        # Page numbers start at one or at zero: whichever of them gives the first page again.
        number_one = self._try({name: 1})
        if number_one is not None and _compared(first, number_one) == "other":
            return Style("page", name, 0)
        return Style("page", name, 1)

    def _as_offset(self, first: Page, name: str) -> Style | None:
        count = len(first.items)
        base = first.facts.offset if first.facts.offset is not None and name == first.facts.offset_name else 0
        page = self._try({name: base + count})
        how = _compared(first, page)
        if page is None or how == "same":
            return None
        if how == "overlap":
            # Positions that count from one give the last item of the first page again.
            shifted = self._try({name: base + count + 1})
            if shifted is not None and _shared(first, page) == 1 and _compared(first, shifted) == "other":
                return Style("offset", name, base + 1)
            return Style("offset", name, base) if _shared(first, page) * 2 <= len(page.items) else None
        return Style("offset", name, base)

    def _try(self, params: Mapping[str, object]) -> Page | None:
        """The page that these parameters bring, or None where the API does not take them."""
        try:
            return self._page(self.url, {**self.params, **params}, self.first().found)
        except SourceProblem as problem:
            if problem.reason in ("not-found", "unreadable", "not-json", "server-error", "empty", "authorisation"):
                return None
            raise


def _is_after(first: Page, page: Page) -> bool:
    """An empty page that answers a cursor: it must differ in what it says of the next one."""
    return page.facts.cursor != first.facts.cursor


def _identity(item: Item) -> object:
    for name in ("id", "_id", "uuid", "key", "ID", "Id"):
        value = item.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return value
    return None


def digest(item: Item) -> bytes:
    """A short fingerprint of an item's whole content."""
    text = json.dumps(item, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def marks(items: Sequence[Item]) -> list[object]:
    """What tells items apart: their identities where each has its own, else their content.

    An identity holds also where an item says at what moment it was fetched."""
    identities = [_identity(item) for item in items]
    if None not in identities and len(set(identities)) == len(identities):
        return identities
    return [digest(item) for item in items]


def _compared(first: Page, page: Page | None) -> Literal["same", "other", "overlap", "empty", "none"]:
    if page is None:
        return "none"
    if not page.items:
        return "empty"
    ours, theirs = marks(first.items), marks(page.items)
    if ours == theirs:
        return "same"
    return "overlap" if set(ours) & set(theirs) else "other"


def _shared(first: Page, page: Page) -> int:
    return len(set(marks(first.items)) & set(marks(page.items)))


def usual_size(count: int) -> bool:
    """A number of items that is likely to be a page size, or several of them, rather than a coincidence."""
    return count > 0 and (
        count % 10 == 0 or count % 25 == 0 or count in (15, 24, 32, 36, 48, 64, 96, 128, 256, 512, 1024)
    )


class Walk:
    """The pages of a collection, in order, each once. `ending` tells how it went so far, also when it was left early."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._pages = 0
        self._items = 0
        self._repeated = 0
        self._size = 0
        self._seen_pages: set[bytes] = set()
        self._seen_items: set[bytes] = set()
        self._seen_places: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self._empties = 0
        self._keyed = False
        self._total: int | None = None
        self._done: Ending | None = None

    @property
    def ending(self) -> Ending:
        """Proved or not, and why. A walk that was left before its end is not proved."""
        if self._done is not None:
            return self._done
        return Ending(False, f"only the first {_counted(self._pages, 'page')} were read", self._pages, self._items)

    def __iter__(self) -> Iterator[list[Item]]:
        """Items page by page. Items that come again on a later page are given once, and the ending says so."""
        collection = self._collection
        page: Page | None = collection.first()
        style = collection.worked_out()
        while page is not None:
            fresh = self._take(page)
            if fresh is None:
                return
            yield fresh
            page = self._after(page, style)

    def _take(self, page: Page) -> list[Item] | None:
        """The page's new items; None when the page came before, which ends the walk."""
        digests = [digest(item) for item in page.items]
        whole = hashlib.blake2b(repr(marks(page.items)).encode(), digest_size=16).digest()
        number = self._pages + 1
        if page.items and whole in self._seen_pages:
            self._end_with_repeat(number)
            return None
        self._seen_pages.add(whole)
        if number == 1:
            self._keyed = len(set(map(_identity, page.items)) - {None}) == len(page.items) > 0
        fresh = page.items
        if self._keyed:
            fresh = [item for item, mark in zip(page.items, digests, strict=True) if mark not in self._seen_items]
            self._seen_items.update(digests)
        self._repeated += len(page.items) - len(fresh)
        self._pages = number
        self._items += len(fresh)
        self._size = max(self._size, len(page.items))
        self._note_total(page)
        return fresh

    def _note_total(self, page: Page) -> None:
        facts = page.facts
        if facts.sure_total or (facts.total is not None and facts.total != len(page.items) and self._pages == 1):
            self._total = facts.total
        elif not facts.sure_total and facts.total == len(page.items) and self._pages > 1:
            self._total = None  # "count" counts the items of its own page

    def _after(self, page: Page, style: Style) -> Page | None:
        """The page after this one; None when the walk is over, with the ending told."""
        over = self._single_over(page, style) if style.kind == "single" else self._over(page, style)
        if over is None:
            place = self._collection.next_of(page, self._taken, self._pages)
            if place is not None and not self._was_at(*place):
                return self._open(*place)
            over = self._nowhere(page) if place is None else (False, self._loop())
        self._end(*over)
        return None

    @property
    def _taken(self) -> int:
        return self._items + self._repeated

    def _over(self, page: Page, style: Style) -> tuple[bool, str] | None:
        """Whether this page is the last one: (proved, why). None when the next one is to be read."""
        facts = page.facts
        self._empties = 0 if page.items else self._empties + 1
        if facts.more is False:
            return True, "the last page says that it is the last"
        if self._pages >= self._collection.most_pages:
            return False, f"reading stopped at the cap of {self._collection.most_pages} pages"
        if style.kind == "after" and not page.items:
            return True, "the last page is empty"
        if style.kind in ("page", "offset"):
            return self._numbered_over(page)
        if self._empties >= MOST_EMPTY_PAGES:
            return False, f"{MOST_EMPTY_PAGES} pages in a row were empty, and each names a next one"
        return None

    def _numbered_over(self, page: Page) -> tuple[bool, str] | None:
        facts = page.facts
        if not page.items:
            return True, "the last page is empty"
        if facts.says_end:
            return True, "the last page says that it is the last"
        if self._total is not None:
            return (True, "") if self._taken == self._total else None
        if facts.total_pages is not None:
            return (
                (True, f"the API tells {_counted(facts.total_pages, 'page')}")
                if self._pages >= facts.total_pages
                else None
            )
        size = max(self._size, facts.size or 0)
        if len(page.items) < size and facts.more is None:
            return True, f"the last page is short ({len(page.items)} of {size})"
        return None

    def _nowhere(self, page: Page) -> tuple[bool, str]:
        if page.facts.more is True:
            return False, "the last page says that there are more, and does not tell where"
        return True, "the last page names no next one"

    def _loop(self) -> str:
        return f"page {self._pages} leads back to a page that was read before: the pages go in a loop"

    def _was_at(self, url: str, params: Mapping[str, object]) -> bool:
        """Whether this address was read before; it counts as read from now on."""
        parts = urlsplit(url)
        query = [*parse_qsl(parts.query), *((name, str(value)) for name, value in params.items())]
        place = (parts.path, tuple(sorted(query)))
        if not self._seen_places:
            first = urlsplit(self._collection.url)
            query = [*parse_qsl(first.query), *((k, str(v)) for k, v in self._collection.params.items())]
            self._seen_places.add((first.path, tuple(sorted(query))))
        known = place in self._seen_places
        self._seen_places.add(place)
        return known

    def _open(self, url: str, params: Mapping[str, object]) -> Page | None:
        try:
            return self._collection.open_page(url, params)
        except SourceProblem as problem:
            if problem.reason == "not-found" and self._collection.worked_out().kind in ("page", "offset"):
                self._end(True, f"there is no page {self._pages + 1} (404)")
                return None
            where = f"page {self._pages + 1} of {self._collection.name or 'the collection'}"
            raise SourceProblem(problem.reason, f"{where}: {problem.message}", problem.hint) from None

    def _single_over(self, page: Page, style: Style) -> tuple[bool, str]:
        facts, count = page.facts, len(page.items)
        if style.unclear:
            return False, style.unclear
        if page.found.sort == "object":
            return True, "one object"
        if facts.says_end or facts.more is False:
            return True, "the API says that there is no next page"
        if self._total == count or (facts.total == count and not usual_size(count)):
            return True, ""
        if facts.total_pages == 1:
            return True, "the API tells 1 page"
        if count == 0:
            return True, "the collection is empty"
        if facts.size is not None and count < facts.size:
            return True, f"the only page is short ({count} of {facts.size})"
        if usual_size(count):
            return (
                False,
                f"exactly {count} items came, which may be one page of more: the API names no total and no next page, "
                f"and takes none of {style.tried}",
            )
        return True, f"the whole collection comes in one body; {style.tried.replace(', ', ' and ')} do not change it"

    def _end_with_repeat(self, number: int) -> None:
        style = self._collection.worked_out()
        if self._total is not None and self._items == self._total:
            self._end(True, "")
        elif style.kind in ("page", "offset"):
            self._end(
                False,
                f"page {number} brought the same items as an earlier page: the API seems to ignore {style.name!r}",
            )
        else:
            self._end(False, f"page {number} brought the same items as an earlier page: the pages go in a loop")

    def _end(self, proved: bool, reason: str) -> None:
        """The ending, with what the total says: it confirms, or it contradicts."""
        problems = [] if proved else [reason]
        agrees = self._total is not None and self._total == self._items
        if self._total is not None and not agrees:
            problems.append(f"the API's total says {self._total}, and {_counted(self._items, 'item')} came")
        if self._repeated and not agrees:
            problems.append(
                f"{_counted(self._repeated, 'item')} came on two pages, so the pages shifted while they were read and "
                "others may be missing"
            )
        told = f"{_counted(max(1, self._pages - self._empties), 'page')}, {_counted(self._items, 'item')}"
        proofs = [reason] if proved and reason else []
        if agrees:
            proofs.append(f"the API's total says {self._total}")
        words = "; ".join([told, *(problems or proofs)])
        self._done = Ending(not problems, words, self._pages, self._items)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
