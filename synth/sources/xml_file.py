"""XML files: repeated elements are records, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
