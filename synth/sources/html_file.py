"""HTML files: each table that holds data is a table."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
