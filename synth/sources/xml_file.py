"""XML files: repeated elements are records, wherever they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources import html_file
from synth.sources.duck import DuckSource
from synth.sources.records import Branch, Opened, Records, existing_file, identifier, singular_of, spooled, table_name

OUTLINE_ELEMENTS = 100_000
"""So many elements are looked at to find what repeats, before the records are read."""
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"

_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^\[>]|\[.*?\])*>)*", re.DOTALL)
_ROOT = re.compile(r"<([A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)((?:\s+[\w:.\-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>")
_DECLARED = re.compile(r"<\?xml[^>]*encoding\s*=\s*[\"']([\w.\-]+)[\"']")
_NAMESPACE = re.compile(r"\sxmlns(?::[\w.\-]+)?\s*=\s*[\"']([^\"']*)[\"']")


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks like XML: a score, the facts (`root`, `namespaces`, `encoding`), the evidence."""
    text = _decoded(head).lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):
        return 0.0, {}, ()
    declared = text.startswith("<?xml")
    encoding = found.group(1).lower() if (found := _DECLARED.match(text)) else "utf-8"
    prolog = _PROLOG.match(text)
    root = _ROOT.match(text, prolog.end() if prolog else 0)
    if not root:
        return (
            (0.7, {"encoding": encoding}, ("an XML declaration, but no root element in the head",))
            if declared
            else (0.0, {}, ())
        )
    local = root.group(2)
    facts = {"root": local, "namespaces": tuple(_NAMESPACE.findall(root.group(3))), "encoding": encoding}
    if local.lower() == "html":
        return (0.45 if declared else 0.1), facts, ("the root element is html",)
    if declared:
        return 0.99, facts, (f"an XML declaration and the root element {local!r}",)
    if f"</{root.group(1) or ''}{local}>" in text or root.group().endswith("/>") or facts["namespaces"]:
        return 0.9, facts, (f"the root element {local!r}",)
    html_words = {"body", "head", "div", "table", "p", "span", "ul", "tr", "td"}
    if local.lower() in html_words:
        return 0.3, facts, (f"starts with the element {local!r}, which HTML has too",)
    return 0.75, facts, (f"starts with the element {local!r}",)


def _decoded(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    if head[:2] in (b"<\0", b"\0<"):
        return head.decode("utf-16-le" if head[0] else "utf-16-be", "replace")
    return head.decode("utf-8-sig", "replace")


@dataclass(eq=False)
class Shape:
    """All elements at one path: how many, whether they repeat beside each other, what is in them."""

    tag: str
    name: str
    count: int = 0
    repeats: bool = False
    has_text: bool = False
    said: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    children: dict[str, Shape] = field(default_factory=dict)

    @property
    def is_leaf(self) -> bool:
        """Text alone, perhaps with attributes."""
        return not self.children

    @property
    def is_plain(self) -> bool:
        """Text alone."""
        return not self.children and not self.attributes

    @property
    def list_inside(self) -> Shape | None:
        """The one kind of child that repeats in here, when nothing else is in here."""
        if len(self.children) == 1 and not self.attributes and not self.has_text:
            (only,) = self.children.values()
            return only if only.repeats else None
        return None

    def words(self) -> set[str]:
        """Names of what one of these elements tells."""
        return {*self.attributes.values(), *(c.name for c in self.children.values())}


Path = tuple[str, ...]


def open_source(location: str, detection: Detection, options: OpenOptions) -> DuckSource:
    """The repeated elements of an XML file as tables. Own entities are refused; nothing is fetched."""
    path = existing_file(location, "an XML file")
    opened = Opened(path, detection.wrappings)
    try:
        head = opened.head(65_536)
        score, facts, _ = sniff(head, path.name)
        if score < 0.9 and html_file.sniff(head, path.name)[0] >= 0.9:
            raise SourceProblem(
                "unreadable", f"{location} holds HTML, not XML", "It may be an error page that was saved."
            )
        if score == 0.0 and not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff", b"\xfe", b"\0")):
            raise SourceProblem(
                "unreadable", f"{location} is not XML: it starts with {head[:20]!r}", "Check how it was written."
            )
        base = table_name(location, options)
        with opened.stream() as stream:
            root = _outline(stream, location)
        if root.is_plain and not root.has_text:
            raise SourceProblem("empty", f"{location} is XML, but holds no records", "Check the step that writes it.")
        sets = find_records(root)
        records = spooled(lambda taker: _fill(taker, opened, location, root, sets, base, bool(options.name)))
        encoding = str(facts.get("encoding", "utf-8"))
        return records.source(
            options.name or path.name,
            detection.kind,
            path=opened.plain_path,
            encoding=encoding,
            facts={"format": "xml", "dialect": {"encoding": encoding, "root": root.name}},
            cleanup=opened.close,
        )
    except BaseException:
        opened.close()
        raise


def find_records(root: Shape) -> list[tuple[Path, Shape]]:
    """Paths of the elements that are records, the most frequent first; the root's only content when nothing repeats."""
    found = list(_repeated(root, (root.tag,)))
    complex_ones = [(p, s) for p, s in found if not s.is_plain]
    if complex_ones and not _is_record_itself(root):
        return sorted(complex_ones, key=lambda ps: -ps[1].count)
    if found and not complex_ones and not root.attributes and not any(not c.repeats for c in root.children.values()):
        return sorted(found, key=lambda ps: -ps[1].count)
    path: Path = (root.tag,)
    only = root
    while len(only.children) == 1 and not only.attributes and not only.has_text:
        (child,) = only.children.values()
        if child.is_plain or child.repeats:
            break
        only, path = child, (*path, child.tag)
    return [(path, only)]


def _repeated(parent: Shape, path: Path) -> Iterator[tuple[Path, Shape]]:
    """The outermost elements that stand beside others of their name, and single ones that look like them."""
    models = [c for c in parent.children.values() if c.repeats and not c.is_plain]
    for child in parent.children.values():
        here = (*path, child.tag)
        if child.repeats or any(_alike(child, model) for model in models):
            yield here, child
        elif not child.is_leaf:
            yield from _repeated(child, here)


def _alike(one: Shape, other: Shape) -> bool:
    mine, theirs = one.words(), other.words()
    return not one.is_plain and len(mine & theirs) >= 0.5 * len(mine | theirs) and len(mine & theirs) >= 2


def _is_record_itself(root: Shape) -> bool:
    """A root with an id and more of its own to tell is one record; what repeats in it belongs to it."""
    plain = {*root.attributes.values(), *(c.name for c in root.children.values() if c.is_leaf and not c.repeats)}
    own = {
        word
        for word in plain
        if not re.fullmatch(r"(?:version|schemaLocation|noNamespaceSchemaLocation|lang|base)", word)
    }
    return len(own) >= 3 and any(re.fullmatch(r"_?id|uuid|\w+[_-]?(?:id|Id|ID|number|Number|No)", word) for word in own)


def _events(stream: IO[bytes], location: str, tags: Sequence[str] | None = None) -> Iterator[tuple[str, Any]]:
    """Starts and ends of elements, or only the ends of those with `tags`.

    No entity is expanded, nothing is fetched, depth and text are bounded.
    """
    from lxml import etree

    events = etree.iterparse(
        stream,
        events=("start", "end") if tags is None else ("end",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    first = True
    try:
        for event, element in events:
            if first:
                first = False
                dtd = element.getroottree().docinfo.internalDTD
                if dtd is not None and next(dtd.iterentities(), None) is not None:
                    raise SourceProblem(
                        "unreadable",
                        f"{location} declares entities of its own, which can blow a small file up to any size; it is refused",
                        "Have it written without a DOCTYPE.",
                    )
            yield event, element
    except etree.XMLSyntaxError as error:
        raise _problem(error, location, stream) from None


def _problem(error: Any, location: str, stream: IO[bytes]) -> SourceProblem:
    said = re.sub(r", line \d+, column \d+.*", "", str(error.msg or error))
    line = error.lineno or 0
    if re.search(
        r"Premature end|Couldn't find end of Start Tag|EndTag: '</' not found|not closed|AttValue: ' expected", said
    ):
        at_end = not stream.read(1)
        if at_end:
            return SourceProblem(
                "truncated",
                f"{location} ends in the middle of its XML, on line {line}",
                "Fetch or write it again; the end is missing.",
            )
    if "ntity" in said and "not defined" in said:
        said += " (HTML's named characters are not XML)"
    return SourceProblem(
        "unreadable", f"{location} is not well-formed XML: {said} on line {line}", "Check how it was written."
    )


def _outline(stream: IO[bytes], location: str) -> Shape:
    """The tree of paths in the document, as far as OUTLINE_ELEMENTS elements show it."""
    top = Shape("", "")
    stack: list[tuple[Shape, Counter[str]]] = [(top, Counter())]
    seen = 0
    for event, element in _events(stream, location):
        tag = element.tag
        if event == "start":
            parent, siblings = stack[-1]
            shape = parent.children.get(tag)
            if shape is None:
                shape = parent.children[tag] = Shape(tag, _local(tag))
            shape.count += 1
            siblings[tag] += 1
            if siblings[tag] > 1:
                shape.repeats = True
            for name in element.attrib:
                if name not in shape.attributes and not name.startswith(_INSTANCE):
                    shape.attributes[name] = _local(name)
                    shape.said.append(f"{shape.name}.{_local(name)} = {element.attrib[name][:60]}")
            stack.append((shape, Counter()))
            seen += 1
            if seen >= OUTLINE_ELEMENTS:
                break
        else:
            shape, _ = stack.pop()
            if element.text and not element.text.isspace():
                if not shape.has_text:
                    shape.said.append(f"{shape.name} = {element.text.strip()[:60]}")
                shape.has_text = True
            if not shape.has_text and any(c.tail and not c.tail.isspace() for c in element):
                shape.has_text = True
            _free(element)
    (root,) = top.children.values()
    _name_apart(root)
    return root


def _name_apart(shape: Shape) -> None:
    """Children of the same local name keep their namespace's last word, attributes that a child is named like an `@`."""
    locals_ = Counter(_local(tag) for tag in shape.children)
    for tag, child in shape.children.items():
        child.name = _local(tag)
        if locals_[child.name] > 1 and tag.startswith("{"):
            child.name = f"{identifier(re.split(r'[/:#]', tag[1 : tag.index('}')].rstrip('/#'))[-1])}_{child.name}"
        _name_apart(child)
    taken = {child.name for child in shape.children.values()}
    for name in shape.attributes:
        local = _local(name)
        shape.attributes[name] = f"@{local}" if local in taken else local
        taken.add(shape.attributes[name])


def _fill(
    records: Records,
    opened: Opened,
    location: str,
    root: Shape,
    sets: list[tuple[Path, Shape]],
    base: str,
    named: bool,
) -> None:
    """Read the document once more and hand every record over; what stands outside of them goes into a note."""
    targets: dict[Path, tuple[Branch, Shape]] = {}
    for path, shape in sets:
        branch = records.branch(base if len(sets) == 1 and named else _table_name(path, shape, base))
        branch.path = "/".join(_local(tag) for tag in path)
        targets[path] = (branch, shape)
    positions: Counter[Path] = Counter()
    with opened.stream() as stream:
        for _, element in _events(stream, location, [path[-1] for path in targets]):
            path = (*(a.tag for a in reversed(list(element.iterancestors()))), element.tag)
            if path not in targets:
                continue  # one of the same name inside a record, or elsewhere
            branch, shape = targets[path]
            positions[path] += 1
            value = _value(element, shape)
            records.add(branch, positions[path], value if isinstance(value, dict) else {"value": value})
            _free(element)
            for around in element.iterancestors():
                while around.getprevious() is not None:
                    del around.getparent()[0]
    outside = list(_outside(root, (root.tag,), set(targets)))
    if outside:
        records.note(f"beside the records: {'; '.join(outside[:12])}{'; …' if len(outside) > 12 else ''}")


def _outside(shape: Shape, path: Path, targets: set[Path]) -> Iterator[str]:
    """What the elements say that are in no record."""
    if path not in targets:
        yield from shape.said
        for child in shape.children.values():
            yield from _outside(child, (*path, child.tag), targets)


def _table_name(path: Path, shape: Shape, base: str) -> str:
    """The element's name, or the plural around it (`orders` for the `order` in `orders`); the file's where it says nothing."""
    around = identifier(_local(path[-2])) if len(path) > 1 else ""
    name = identifier(shape.name)
    if around and singular_of(around) == name:
        return around
    return base if _GENERIC.fullmatch(shape.name) else name


_GENERIC = re.compile(r"(?:item|row|record|entry|element|node|object|data|result|value)s?", re.IGNORECASE)


def _value(element: Any, shape: Shape) -> Any:
    """An element as a record: a text when it is nothing more, else a dict of its attributes and children."""
    attributes = element.attrib
    if not len(element) and not attributes and shape.is_plain:
        return (element.text or "").strip() or None
    text = _text(element)
    if (inner := shape.list_inside) is not None and not attributes and not text:
        return [_value(child, inner) for child in element]
    made: dict[str, Any] = {}
    for name, attribute in attributes.items():
        if not name.startswith(_INSTANCE):
            made[shape.attributes.get(name) or _local(name)] = attribute
    if text is not None:
        made["value" if "value" not in made else "text"] = text
    elif shape.is_leaf and shape.has_text:
        made["value"] = None
    for child in element:
        tag = child.tag
        if not isinstance(tag, str):
            continue
        kind = shape.children.get(tag) or Shape(tag, _local(tag))
        _put(made, kind, _value(child, kind))
    return made


def _put(made: dict[str, Any], kind: Shape, value: Any) -> None:
    name = kind.name
    if kind.repeats:
        made.setdefault(name, []).append(value)
    elif name in made:
        before = made[name]
        made[name] = [*before, value] if isinstance(before, list) else [before, value]
    elif isinstance(value, dict) and kind.is_leaf:
        # Text with attributes: the text under the element's own name, so that a price stays `price`.
        text = value.pop("value", None)
        if kind.has_text or text is not None:
            made[name] = text
        made.update({f"{name}.{inner}": each for inner, each in value.items()})
    else:
        made[name] = value


def _text(element: Any) -> str | None:
    """An element's own text; with children in it, all text between them; None when blank or marked nil."""
    if element.attrib and element.get(_NIL) in ("true", "1"):
        return None
    if not len(element):
        return (element.text or "").strip() or None
    parts = [element.text or "", *(child.tail or "" for child in element)]
    text = " ".join(part.strip() for part in parts if part.strip())
    return text or None


def _free(element: Any) -> None:
    """Forget an element and those before it, so that memory stays bounded."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _local(name: str) -> str:
    return name.rpartition("}")[2]
