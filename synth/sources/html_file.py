"""HTML files: each table that holds data is a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources.duck import DuckSource
from synth.sources.grid import GridTable, Row, tables_of
from synth.sources.records import Opened, Records, existing_file, identifier, spooled, table_name, unique_names

FILE_BYTES = 32 * 1024**2
"""A page is held in memory whole; a larger one is refused."""
SPAN = 1_000
"""No row is wider, and no span reaches further."""

_DOCTYPE = re.compile(rb"<!doctype\s+html", re.IGNORECASE)
_TAG = re.compile(
    rb"<(html|head|body|title|meta|div|table|thead|tbody|tr|td|th|p|h[1-6]|ul|ol|script|span|a|br|link)\b[^>]*>",
    re.IGNORECASE,
)
_ROOT = re.compile(rb"<html\b", re.IGNORECASE)
_TABLE = re.compile(rb"<table\b", re.IGNORECASE)


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks like HTML: a score, the facts (`tables` seen in the head), the evidence."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n\xff\xfe\0")[:2_000].replace(b"\0", b"")
    if b"<" not in start:
        return 0.0, {}, ()
    flat = head.replace(b"\0", b"") if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head
    facts: dict[str, object] = {"tables": len(_TABLE.findall(flat))}
    tags = {tag.lower() for tag in _TAG.findall(flat[:16_384])}
    if _DOCTYPE.search(start):
        return 0.98, facts, ("an HTML doctype",)
    if _ROOT.search(start):
        return 0.95, facts, ("an html element",)
    if not start.startswith(b"<"):
        return (0.35, facts, ("HTML elements inside text",)) if len(tags) >= 3 else (0.0, {}, ())
    if len(tags) >= 3 or (tags & {b"table", b"tr", b"td"} and len(tags) >= 2):
        words = ", ".join(sorted(tag.decode() for tag in tags)[:5])
        return 0.8, facts, (f"elements of HTML: {words}",)
    return (0.4, facts, ("an element of HTML",)) if tags else (0.0, {}, ())


def open_source(location: str, detection: Detection, options: OpenOptions) -> DuckSource:
    """The tables of a page that hold data, as text that is then typed. Tables that only lay out the page are left out."""
    path = existing_file(location, "an HTML file")
    opened = Opened(path, detection.wrappings)
    try:
        size = opened.plain_path.stat().st_size
        if size > FILE_BYTES:
            raise SourceProblem(
                "too-large", f"{location} has {size // 1024**2} MB; a page of more than 32 MB is not read"
            )
        base = table_name(location, options)
        with opened.stream() as stream:
            data = stream.read()
        encoding = _encoding(data)
        records = spooled(lambda taker: _fill(taker, data, encoding, location, base, bool(options.name)))
        return records.source(
            options.name or path.name,
            detection.kind,
            path=opened.plain_path,
            encoding=encoding,
            facts={"format": "html", "dialect": {"encoding": encoding}},
            cleanup=opened.close,
        )
    except BaseException:
        opened.close()
        raise


def _fill(records: Records, data: bytes, encoding: str, location: str, base: str, named: bool) -> None:
    root = _parsed(data, encoding, location)
    found: list[tuple[str, GridTable]] = []
    left_out = 0
    heading = ""
    for element in root.iter("table", "h1", "h2", "h3", "h4", "h5", "h6"):
        if element.tag != "table":
            heading = _text(element) or ""
        elif (table := _data_table(element)) is None:
            left_out += 1
        else:
            found.append((_caption(element) or heading[:60], table))
    found = found or list(_definitions(root))
    if not found:
        title = " ".join((root.findtext(".//title") or "").split())
        said = f" (its title: {title[:60]!r})" if title else ""
        raise SourceProblem(
            "empty",
            f"{location} has no table that holds data{said}",
            "The page may be filled by a script; look for its API.",
        )
    if left_out:
        records.note(f"{left_out} tables that only lay out the page, or are empty, are left out")
    for number, (caption, table) in enumerate(found, 1):
        branch = records.branch(base if not caption or (named and len(found) == 1) else identifier(caption))
        branch.path = f"table {number}"
        branch.comment = "; ".join([*([caption] if caption else []), *table.notes])
        for note in table.notes:
            records.note(f"{branch.name}: {note}")
        names = unique_names(table.names)
        for row, position in zip(table.rows, table.positions, strict=True):
            records.add(branch, position, dict(zip(names, row, strict=True)))


def _parsed(data: bytes, encoding: str, location: str) -> Any:
    from lxml import etree, html

    parser = html.HTMLParser(encoding=encoding, no_network=True, remove_comments=True, huge_tree=False)
    try:
        return html.document_fromstring(data, parser=parser)
    except (etree.ParserError, ValueError) as error:
        raise SourceProblem("unreadable", f"{location} is not HTML: {str(error)[:100]}") from None


_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)


def _encoding(data: bytes) -> str:
    """What the page says of itself when that is true, else UTF-8 when the bytes are, else Windows-1252."""
    import codecs

    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    said = _CHARSET.search(data[:4_096])
    for encoding in (said.group(1).decode() if said else "", "utf-8"):
        try:
            codecs.lookup(encoding)
            data.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
        return encoding
    return "windows-1252"


def _data_table(element: Any) -> GridTable | None:
    """The table of one element; None when it lays out the page, or has nothing to tell."""
    if element.get("role") in ("presentation", "none") or any(True for _ in element.iterdescendants("table")):
        return None
    grid, heads, marked = _grid(element)
    if len(grid) < 2 or (len(grid[0]) < 2 and not marked):
        return None
    if not heads and _names_stand_left(element, grid):
        grid = [list(column) for column in zip(*grid, strict=True)]
        heads = 1
    tables = tables_of(grid, header_rows=heads or None)
    best = max(tables, key=lambda t: len(t.rows), default=None)
    return best if best is not None and best.rows else None


def _names_stand_left(element: Any, grid: list[Row]) -> bool:
    """Whether every row is a header cell and one other: a table of one record, turned."""
    rows = [[c.tag for c in row if c.tag in ("td", "th")] for row in _rows(element)]
    return len(grid[0]) == 2 and all(row == ["th", "td"] for row in rows)


def _rows(element: Any) -> Iterator[Any]:
    for row in element.iter("tr"):
        if next(row.iterancestors("table")) is element:
            yield row


def _grid(element: Any) -> tuple[list[Row], int, bool]:
    """The cells with their spans filled, how many of the first rows are headers, and whether the page marks any header."""
    grid: list[Row] = []
    footer: list[Row] = []
    hanging: dict[int, tuple[int, Any]] = {}
    heads = 0
    counting, marked = True, False
    for row in _rows(element):
        cells = [c for c in row if c.tag in ("td", "th")]
        made = _cells(cells, hanging)
        if not made:
            continue
        section = row.getparent().tag
        is_head = section == "thead" or (len(cells) > 1 and all(c.tag == "th" for c in cells))
        marked = marked or is_head
        counting = counting and is_head
        heads += counting
        (footer if section == "tfoot" else grid).append(made)
    grid += footer
    width = max(map(len, grid), default=0)
    for made in grid:
        made.extend([None] * (width - len(made)))
    return grid, heads, marked


def _cells(cells: list[Any], hanging: dict[int, tuple[int, Any]]) -> Row:
    """One row's values; `hanging` are the cells that reach down from the rows above, by column, and is kept up to date."""
    made: Row = []
    waiting = list(reversed(cells))
    while (waiting or len(made) in hanging) and len(made) < SPAN:
        at = len(made)
        if at in hanging:
            left, value = hanging.pop(at)
            if left > 1:
                hanging[at] = (left - 1, value)
            made.append(value)
            continue
        cell = waiting.pop()
        value = _text(cell)
        down = _span(cell, "rowspan")
        for _ in range(_span(cell, "colspan")):
            if down > 1:
                hanging[len(made)] = (down - 1, value)
            made.append(value)
    return made


def _span(cell: Any, name: str) -> int:
    text = (cell.get(name) or "1").strip()
    return min(int(text), SPAN) if re.fullmatch(r"[1-9]\d{0,6}", text) else 1


def _text(cell: Any) -> str | None:
    """A cell's text as a reader sees it, without scripts and footnote marks; None when there is none."""
    text = " ".join("".join(_pieces(cell)).split())
    return text or None


def _pieces(node: Any) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if isinstance(child.tag, str) and child.tag not in ("script", "style", "noscript"):
            footnote = child.tag == "sup" and re.fullmatch(r"\s*\[.{1,8}\]\s*", child.text_content())
            if child.tag == "img":
                yield child.get("alt") or ""
            elif not footnote:
                yield " " if child.tag in ("br", "p", "div", "li") else ""
                yield from _pieces(child)
        yield child.tail or ""


def _caption(element: Any) -> str:
    """What a table calls itself: its caption, its label or its id."""
    caption = element.find("caption")
    said = _text(caption) if caption is not None else None
    return (said or element.get("aria-label") or element.get("summary") or element.get("id") or "").strip()[:60]


def _definitions(root: Any) -> Iterator[tuple[str, GridTable]]:
    """Definition lists, where a page has no table: each a record; the pairs are, when there is but one list."""
    lists = [list(_pairs(one)) for one in root.iter("dl")]
    lists = [pairs for pairs in lists if len(pairs) >= 2]
    if len(lists) == 1:
        yield "", GridTable("", ["term", "definition"], [list(p) for p in lists[0]], list(range(1, len(lists[0]) + 1)))
    elif lists:
        names = list(dict.fromkeys(term for pairs in lists for term, _ in pairs))
        rows: list[Row] = [[dict(pairs).get(name) for name in names] for pairs in lists]
        yield "", GridTable("", names, rows, list(range(1, len(rows) + 1)))


def _pairs(one: Any) -> Iterator[tuple[str, str | None]]:
    term = ""
    for child in one.iter("dt", "dd"):
        if child.tag == "dt":
            term = _text(child) or ""
        elif term:
            yield term, _text(child)
            term = ""
