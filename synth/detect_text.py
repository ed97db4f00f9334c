"""What a text is: JSON by its keys, XML by its root, logs by their lines, the rest by grammar heads and by columns."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from synth.catalog import Kind, catalogue
from synth.detect_score import Board

HEAD = 65_536
_GRAMMAR_HEAD = 8_192
_SERVICES = frozenset(
    "relational warehouse nosql cache graph vector search timeseries messaging object-storage cloud file-transfer "
    "mail-directory iot api".split()
)
"""Families whose marks show in what a service answers; a file with the same keys is still a JSON file."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True)
class Text:
    """A decoded head. `whole` when nothing follows it."""

    text: str
    encoding: str
    whole: bool

    @cached_property
    def lines(self) -> list[str]:
        """Its complete lines that are not blank, at most 200."""
        found = self.text.split("\n")[:400]
        if not self.whole and len(found) > 1:
            found.pop()
        return [line.rstrip("\r") for line in found if line.strip()][:200]


def decode(head: bytes, whole: bool = True) -> Text | None:
    """The head as text, None when it is binary."""
    head = head[:HEAD]
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            cut = head if encoding == "utf-8-sig" else head[: len(head) // 4 * 4]
            text = cut.decode(encoding, "replace").lstrip("\ufeff")
            return (
                Text(text, encoding, whole) if _is_texty(text) and text.count("\ufffd") < 4 + len(text) // 100 else None
            )
    if b"\x00" in head[:4096]:
        for encoding, at in (("utf-16-le", 1), ("utf-16-be", 0)):
            sample = head[: len(head) // 2 * 2][:4096]
            if len(sample) > 8 and sample[at::2].count(0) > len(sample) * 0.35 and sample[1 - at :: 2].count(0) == 0:
                return Text(head[: len(head) // 2 * 2].decode(encoding, "replace"), encoding, whole)
        return None
    try:
        text = head.decode("utf-8")
        encoding = "ascii" if text.isascii() else "utf-8"
    except UnicodeDecodeError as problem:
        if not whole and problem.start > len(head) - 4:
            text, encoding = head[: problem.start].decode("utf-8"), "utf-8"
        else:
            text, encoding = head.decode("latin-1"), "cp1252"
            if _CONTROL.search(text):
                return None
            high = sum(1 for byte in head[:8192] if byte >= 0x80)
            if high > 0.6 * min(len(head), 8192) and high > 40 and not _eastern(head):
                return None
    return Text(text, encoding, whole) if _is_texty(text) else None


def _eastern(head: bytes) -> bool:
    for encoding in ("gb18030", "shift-jis", "euc-jp", "big5", "koi8-r", "cp1251"):
        try:
            head[: len(head) // 2 * 2].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _is_texty(text: str) -> bool:
    sample = text[:8192]
    return bool(sample) and len(_CONTROL.findall(sample)) <= len(sample) // 200


def read_text(board: Board, head: bytes, *, whole: bool = True, name: str = "", payload: bool = False) -> bool:
    """Put on the board what the text says. False when the bytes are no text at all."""
    text = decode(head, whole)
    if text is None:
        return False
    board.facts["encoding"] = text.encoding
    body = text.text.lstrip("\ufeff \t\r\n\x1e")
    if not body:
        board.notes.append("nothing but white space")
        return True
    board.facts["begins"] = body[0]
    probed = False
    if body[0] in "{[":
        probed = _json(board, text, body, payload)
    elif body[0] == "<":
        probed = _xml(board, text, body, payload)
    elif body[0] in "/#" and re.match(r"(?:\s*(?://[^\n]*|/\*[\s\S]{0,4000}?\*/)\s*)+[\[{]", body):
        probed = _json(board, text, body, payload)
    elif body[0] in '"0123456789-tfn' and payload and text.whole:
        _json_scalar(board, body)
    if probed and board.best()[1] >= 3:
        return True
    if text.text.startswith("\x1e"):
        board.add("json-seq", 5.0, "records after record-separator characters")
        return True
    _grammar(board, text)
    _line_kinds(board, text)
    for probe in (_fasta, _mail, _prose, _delimited, _fixed_width, _yaml, _toml_or_ini, _markdown):
        probe(board, text)
    return True


# JSON


def _json_scalar(board: Board, body: str) -> None:
    try:
        json.loads(body)
    except ValueError:
        return
    board.add("json", 1.5, "a lone JSON value")


def _json(board: Board, text: Text, body: str, payload: bool) -> bool:
    value, how = _parsed(text, body)
    if how == "":
        return False
    if how == "lines":
        records = value if isinstance(value, list) else [value]
        board.add("ndjson", 5.5, f"{len(records)} lines that are each a JSON value")
        board.facts["shape"] = "lines"
        _json_kinds(board, records[:1], payload, lines=True)
        if all(isinstance(each, dict) and each.get("type") == "Feature" for each in records):
            board.add("geojson-seq", 6.0, "each line is a GeoJSON feature")
        return True
    if how in ("comments", "json5"):
        board.add(
            "json5" if how == "json5" else "jsonc",
            4.5,
            "JSON with comments" if how == "comments" else "JSON with unquoted keys or single quotes",
        )
    else:
        board.add(
            "json", 4.0 if how == "whole" else 3.6, "parses as JSON" if how == "whole" else "the head parses as JSON"
        )
    board.facts["shape"] = "array" if isinstance(value, list) else "object"
    _json_kinds(board, value, payload, lines=False)
    return True


def _parsed(text: Text, body: str) -> tuple[object, str]:
    lines = [line for line in body.split("\n")[:6] if line.strip()]
    if len(lines) > 1:
        records: list[object] = []
        for line in lines if text.whole else lines[:-1] or lines:
            try:
                record = json.loads(line)
            except ValueError:
                break
            if not isinstance(record, (dict, list)):
                break
            records.append(record)
        else:
            return records, "lines"
        if len(records) >= 3 and isinstance(records[0], dict):
            return records, "lines"
    if text.whole:
        try:
            return json.loads(body), "whole"
        except (ValueError, RecursionError):
            pass
    stripped = _COMMENT_OR_STRING.sub(lambda found: found[0] if found[0][0] == '"' else " ", body)
    if stripped != body:
        try:
            return json.loads(re.sub(r",(\s*[}\]])", r"\1", stripped)), "comments"
        except (ValueError, RecursionError):
            body = stripped.lstrip()
            if not body or body[0] not in "[{":
                return None, ""
            if re.match(r"[{\[]\s*(?:\w+\s*:|'\w+'\s*:)", body):
                return {}, "json5"
    cut = _closed(body[:32_768])
    if cut is not None:
        return cut, "head"
    if re.match(r"\{\s*[A-Za-z_$][\w$]*\s*:\s*(?:['\"\d\[{]|true|false|null|[+.])", body) or re.match(
        r"\{\s*'[\w -]+'\s*:", body
    ):
        return {}, "json5"
    try:
        return json.loads(re.sub(r",(\s*[}\]])", r"\1", body)), "comments"
    except (ValueError, RecursionError):
        return None, ""


_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_COMMENT_OR_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"?|/\*[\s\S]*?(?:\*/|\Z)|//[^\n]*')
"""What is left open matches to its end as well, so that no text is gone through twice."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+', re.S)
_BARE = re.compile(r"true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Infinity")


def _closed(body: str) -> object | None:
    """The value that a cut-off JSON text begins, up to the last whole element; None when it is not JSON."""
    closers: list[str] = []
    good = -1
    good_closers = ""
    end = 0
    for token in _TOKEN.finditer(body):
        if body[end : token.start()].strip():
            break
        end = token.end()
        mark = token[0]
        if mark in "{[":
            closers.append("}" if mark == "{" else "]")
            if len(closers) > 200:
                break
        elif mark in "}]":
            if not closers or closers.pop() != mark:
                return None
            if not closers:
                good, good_closers = end, ""
                if body[end:].lstrip()[:1] not in ("", "{", "["):
                    return None
                break
        elif mark == ",":
            good, good_closers = token.start(), "".join(reversed(closers))
        elif mark != ":" and mark[0] != '"' and not _BARE.fullmatch(mark):
            if token.end() < len(body) - 1:
                return None
            break
    if good < 0:
        return None
    try:
        value: object = json.loads(body[:good] + good_closers)
    except (ValueError, RecursionError):
        return None
    return value


_Term = tuple[bool, tuple[str, ...], str | None]
_Rule = tuple[str, bool, tuple[_Term, ...]]


@lru_cache(maxsize=1)
def _json_rules() -> tuple[_Rule, ...]:
    """(kind, about the first item, terms); a term is (absent?, path, value or None)."""
    rules: list[_Rule] = []
    for kind in catalogue().kinds.values():
        for mark in kind.json:
            first = mark.startswith("[] ")
            terms: list[_Term] = []
            for word in re.split(r" & | (?=!)", mark.removeprefix("[] ")):
                absent = word.startswith("!")
                key, equals, value = word.removeprefix("!").partition("=")
                path = (
                    (key,)
                    if key.startswith("@") or key[:1] == "$" or key.count(".") == 0 or key in _DOTTED
                    else tuple(key.split("."))
                )
                terms.append((absent, path, value if equals else None))
            rules.append((kind.id, first, tuple(terms)))
    return tuple(rules)


_DOTTED = frozenset({"odata.metadata", "bootstrap.servers", "docs.count"})
_MISSING = object()


def _at(value: object, path: tuple[str, ...]) -> object:
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and len(value) > int(key):
            value = value[int(key)]
        else:
            return _MISSING
    return value


def _holds(value: object, term: _Term) -> bool:
    absent, path, wanted = term
    found = _at(value, path)
    if absent:
        return found is _MISSING
    if found is _MISSING or wanted is None:
        return found is not _MISSING
    text = str(found[0] if isinstance(found, list) and found else found)
    if "*" not in wanted:
        return text == wanted
    return re.match(".*".join(map(re.escape, wanted.split("*"))), text) is not None


def _json_kinds(board: Board, value: object, payload: bool, *, lines: bool) -> None:
    items = value if isinstance(value, list) else []
    first = items[0] if items else None
    kinds = board.catalogue.kinds
    weights: dict[str, tuple[float, str]] = {}
    for kind, about_first, terms in _json_rules():
        target = first if about_first or lines else value
        if not isinstance(target, dict):
            continue
        if not payload and not _shows_in_files(kinds[kind]):
            continue
        if all(_holds(target, term) for term in terms):
            told = sum(
                2.0 if wanted not in (None, "") and "*" not in str(wanted)[:1] else 1.0
                for absent, _, wanted in terms
                if not absent
            )
            weight = 3.2 + 1.1 * min(told, 3.0)
            words = " and ".join(
                ".".join(path) + (f" = {wanted}" if wanted else "") for absent, path, wanted in terms if not absent
            )
            if weight > weights.get(kind, (0.0, ""))[0]:
                weights[kind] = (weight, f"the {'first record' if about_first or lines else 'object'} has {words}")
    for kind, (weight, words) in weights.items():
        board.add(kind, weight, words)


def _shows_in_files(kind: Kind) -> bool:
    return kind.family not in _SERVICES or kind.connector == "json_file" or "json" in kind.parents


# XML and HTML

_PROLOG = re.compile(r"\s*(?:<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!DOCTYPE\s[^\[>]*(?:\[[\s\S]*?\]\s*)?>|\s+)*", re.I)
_ROOT = re.compile(
    r"<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/?)>"
)
_NAMESPACE = re.compile(r"xmlns(?::([\w.-]+))?\s*=\s*[\"']([^\"']*)[\"']")
_ELEMENT = re.compile(r"<([a-z][\w:-]*)")
_HTML_NAMES = frozenset(
    "html head body div table thead tbody tr td th p span ul ol li a h1 h2 h3 h4 h5 h6 script style link meta title form input "
    "button label select option br hr img b i em strong section article nav header footer main pre code blockquote dl dt dd".split()
)
_HTML_TAGS = re.compile(
    r"<(html|head|body|div|table|p|span|ul|ol|a|h[1-6]|script|meta|title|form|br|img|td|tr|section)\b", re.I
)


def _xml(board: Board, text: Text, body: str, payload: bool) -> bool:
    declared = body.startswith("<?xml")
    if re.match(r"<!doctype\s+html", body, re.I):
        if "xhtml" in body[:300].lower() and declared:
            board.add("xhtml", 5.0, "an XHTML doctype")
        board.add("html", 6.0, "an HTML doctype")
        _php(board, body)
        return True
    if body.startswith("<?php"):
        return False
    start = _PROLOG.match(body)
    root = _ROOT.match(body, start.end() if start else 0)
    tags = Counter(tag.lower() for tag in _HTML_TAGS.findall(body[:8192]))
    if root is None:
        if len(tags) >= 3 and not declared:
            board.add("html", 3.5, f"elements of HTML: {', '.join(sorted(tags)[:4])}")
            return True
        if declared:
            board.add("xml", 3.5, "an XML declaration")
            return True
        return False
    prefix, local, attributes, _ = root.groups()
    spaces = {found[0]: found[1] for found in _NAMESPACE.findall(attributes)}
    space = spaces.get(prefix or "", "")
    if (
        not declared
        and not spaces
        and (local.lower() in ("html", "head", "body") or (len(tags) >= 3 and local.lower() in tags))
    ):
        board.add("html", 5.0 if local.lower() == "html" else 3.5, f"the root element {local}")
        return True
    if local.lower() == "html" and not ("w3.org/1999/xhtml" in space and declared):
        board.add("html", 5.0, "the root element html")
        return True
    if (
        not declared
        and not spaces
        and not prefix
        and local.lower() in tags
        and set(_ELEMENT.findall(body.lower())) <= _HTML_NAMES
    ):
        board.add("html", 4.5, f"no element that is not HTML's: {', '.join(sorted(tags)[:4])}")
        return True
    closed = f"</{prefix + ':' if prefix else ''}{local}>" in text.text or bool(root[4])
    board.facts["root"] = local
    if space:
        board.facts["namespace"] = space
    doctype = re.search(r"<!DOCTYPE\s+([\w:.-]+)", body[: root.start() + 1], re.I)
    sure = 4.5 if declared else 3.2 + (0.8 if closed or spaces or doctype else 0.0)
    declaration = f"{'an XML declaration and ' if declared else ''}the root element {local}"
    lowered = space.lower()
    weights: dict[str, tuple[float, str]] = {}
    for kind, piece, wanted, inner in board.catalogue.roots:
        if (wanted and wanted != local) or (piece and piece.lower() not in lowered) or not (wanted or piece):
            continue
        if inner and inner not in body[:8192]:
            continue
        weight = (5.0 if piece else 0.0) + (2.5 if wanted else 0.0) + (1.5 if inner else 0.0)
        if not piece and wanted and not inner:
            weight = 4.5
        words = (
            f"the root element {local}"
            + (f" in the namespace {space}" if piece else "")
            + (f" with {inner}" if inner else "")
        )
        if weight > weights.get(kind, (0.0, ""))[0]:
            weights[kind] = (weight, words)
    board.add("xml", min(sure, 2.5) if weights else sure, declaration)
    for kind, (weight, words) in weights.items():
        board.add(kind, weight, words)
    return True


def _php(board: Board, body: str) -> None:
    if "<?php" in body:
        board.add("php", 5.0, "PHP within the page")


# Grammar heads and lines


@lru_cache(maxsize=1)
def _text_rules() -> tuple[tuple[str, float, str, str], ...]:
    rules = []
    for kind in catalogue().kinds.values():
        for mark in kind.text:
            weight, guard, pattern = mark.split("|", 2)
            rules.append((kind.id, float(weight), guard, pattern))
    return tuple(rules)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


def _grammar(board: Board, text: Text) -> None:
    # Many rules begin with any white space at a line's start, so they would go through long runs of blank lines again and again.
    head = _BLANK_LINES.sub("\n\n", text.text[:_GRAMMAR_HEAD].replace("\r\n", "\n"))
    lower = head.lower()
    for kind, weight, guard, pattern in _text_rules():
        if guard in lower:
            case = 0 if board.catalogue.kinds[kind].family == "code" and not pattern.startswith("\\A#!") else re.I
            found = _compiled(pattern, re.M | case).search(head)
            if found:
                board.add(kind, weight, f"it has {_shown(found[0])}")


def _shown(piece: str) -> str:
    flat = " ".join(piece.split())
    return repr(flat if len(flat) <= 40 else flat[:37] + "…")


@lru_cache(maxsize=1)
def _line_rules() -> tuple[tuple[str, str], ...]:
    return tuple((kind.id, pattern) for kind in catalogue().kinds.values() for pattern in kind.lines)


def _may_begin(pattern: str, begins: set[str]) -> bool:
    """False when none of these first characters can begin a match; True also where that is not plain to see."""
    if "|" in re.sub(r"\\[|]|\([^()]*\)|\[[^\]]*\]", "", pattern) or len(pattern) < 4:
        return True
    if pattern.startswith(r"\d") and pattern[2] not in "?*":
        return any(char.isdigit() for char in begins)
    first = pattern[1] if pattern[0] == "\\" and not pattern[1].isalnum() else pattern[0]
    after = pattern[2] if pattern[0] == "\\" else pattern[1]
    if (first in ".([\\" and pattern[0] != "\\") or (pattern[0] == "\\" and pattern[1].isalnum()) or after in "?*{":
        return True
    return first in begins


def _line_kinds(board: Board, text: Text) -> None:
    lines = [line[:2000] for line in text.lines if not line.startswith((" ", "\t"))][:30]
    if not lines:
        return
    hits: dict[str, list[bool]] = {}
    begins = {line[0] for line in lines[:6]}
    for kind, pattern in _line_rules():
        if not _may_begin(pattern, begins):
            continue  # compiling a pattern costs more than trying it
        match = _compiled(pattern).match
        for place, line in enumerate(lines):
            if match(line):
                hits.setdefault(kind, [False] * len(lines))[place] = True
            elif place == 5 and kind not in hits:
                break
    for kind, which in hits.items():
        share = sum(which) / len(lines)
        if share >= 0.6 or (share >= 0.4 and len(lines) >= 10):
            count = sum(which)
            weight = 5.5 * share + min(1.0, math.log10(count + 1)) - (1.5 if count == 1 else 0.0)
            if kind in ("log", "crontab", "gcode", "bai2"):
                weight = 3.6 * share if kind == "log" else 1.0 * share
            if kind in ("logfmt", "passwd"):
                weight *= 0.7  # a form that more special lines have as well
            board.add(kind, weight, f"{count} of {len(lines)} lines are {board.catalogue.kinds[kind].title} lines")


def _fasta(board: Board, text: Text) -> None:
    lines = text.lines
    if len(lines) < 2:
        return
    if lines[0].startswith(">") and re.fullmatch(r"[A-Za-z*.-]+", lines[1].strip()) and not lines[1].startswith("<"):
        letters = "".join(line.strip() for line in lines[1:20] if not line.startswith(">"))
        if (
            letters
            and len(set(letters.upper()) & set("ACGTUNRYKMSWBDHVEFILPQXZ*-")) / max(1, len(set(letters.upper()))) > 0.8
        ):
            board.add("fasta", 6.0, "a header after > and lines of sequence")
    if (
        len(lines) >= 4
        and lines[0].startswith("@")
        and lines[2].startswith("+")
        and len(lines[1]) == len(lines[3])
        and re.fullmatch(r"[ACGTNacgtn.]+", lines[1])
    ):
        board.add("fastq", 7.0, "four lines a read: name, bases, +, qualities")


_MAIL_HEADER = re.compile(
    r"(From|To|Subject|Date|Message-ID|MIME-Version|Received|Return-Path|Content-Type|Delivered-To|Cc|Reply-To"
    r"|DKIM-Signature|X-[\w-]+): ?.*",
    re.I,
)


def _mail(board: Board, text: Text) -> None:
    header, _, _ = text.text.replace("\r\n", "\n").partition("\n\n")
    lines = [line for line in header.split("\n")[:60] if line and not line.startswith((" ", "\t"))]
    names = {match[1].lower() for line in lines if (match := _MAIL_HEADER.fullmatch(line))}
    if (
        len(lines) >= 2
        and names & {"from", "received", "return-path", "message-id", "delivered-to"}
        and names & {"subject", "date", "to", "mime-version"}
    ):
        share = sum(1 for line in lines if re.match(r"[\w-]+:", line)) / len(lines)
        if share > 0.8:
            board.add("eml", 4.0 + min(1.5, 0.4 * len(names)), f"mail headers: {', '.join(sorted(names)[:4])}")


# Columns

_DELIMITERS = {
    ",": "csv",
    "\t": "tsv",
    ";": "csv",
    "|": "psv",
    "\x1f": "dsv",
    "\x01": "dsv",
    "^": "dsv",
    "~": "dsv",
    ":": "dsv",
}


def _delimited(board: Board, text: Text) -> None:
    """Rows of equal width, more than one column, with cells that look like cells."""
    sample = text.text[:24_576].replace("\r\n", "\n").replace("\r", "\n")
    if not text.whole or len(text.text) > 24_576:
        sample = sample.rsplit("\n", 1)[0]
    best: tuple[float, str, int, int] | None = None
    for delimiter in _DELIMITERS:
        if delimiter not in sample:
            continue
        rows = _rows(sample, delimiter)
        if not rows:
            continue
        score, width = _table_score(rows, delimiter)
        if score > 0 and (best is None or score > best[0] + 0.05):
            best = (score, delimiter, width, len(rows))
    if best is None:
        return
    score, delimiter, width, count = best
    kind = _DELIMITERS[delimiter]
    shaped = max(
        (
            signal.weight
            for signal in board.signals
            if board.catalogue.kinds[signal.kind].lines and signal.kind != "log"
        ),
        default=0.0,
    )
    if shaped >= 4.0:
        score -= 3.5  # lines of a known shape hold the same number of commas, too
    if delimiter in ":^~" and (board.strength("log") > 2 or width < 3):
        return
    if delimiter in ",;" and board.strength("text") > 2.5 and width <= 3 and score < 6:
        score -= 2.5  # commas of sentences
    if score <= 0:
        return
    board.facts["delimiter"] = delimiter
    words = f"{count} rows of mostly {width} columns separated by {'a tab' if delimiter == chr(9) else repr(delimiter)}"
    board.add(kind, score, words)
    if kind in ("ssv", "psv"):
        board.facts["columns"] = width


def _rows(sample: str, delimiter: str) -> list[list[str]]:
    rows = []
    try:
        for row in csv.reader(sample.split("\n"), delimiter=delimiter):
            if row and not (len(row) == 1 and (not row[0].strip() or row[0].startswith("#"))):
                rows.append(row)
            if len(rows) >= 60:
                break
    except csv.Error:
        return []
    return rows


def _table_score(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[float, int]:
    widths = Counter(len(row) for row in rows)
    width, same = max(((w, c) for w, c in widths.items() if w > 1), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
    if width < 2:
        return 0.0, 0
    share = same / len(rows)
    if len(rows) < 2 or share < 0.5:
        if len(rows) >= 6 and share >= 0.35 and width >= 4:
            return 1.5, width
        if len(rows) == 1 and width >= 3 and delimiter in ",\t;|" and all(len(cell) < 40 for cell in rows[0]):
            return (2.0 if all(re.fullmatch(r"\s*[\w .$%()-]*\s*", cell) for cell in rows[0]) else 0.8), width
        return 0.0, 0
    cells = [cell.strip() for row in rows if len(row) == width for cell in row]
    longest = sorted(len(cell) for cell in cells)[int(len(cells) * 0.9)]
    blank_start = sum(1 for cell in cells if cell.count(" ") >= 6) / len(cells)
    score = 1.2 + 2.2 * share + min(1.0, 0.25 * (width - 1)) + min(0.8, 0.25 * math.log2(len(rows)))
    if share == 1.0 and len(rows) >= 3:
        score += 0.7
    if delimiter in ":^~":
        score -= 1.6
    if delimiter == "," and width == 2 and (longest > 60 or blank_start > 0.3):
        score -= 2.0
    if blank_start > 0.5:
        score -= 1.5
    columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
    typed = sum(1 for column in columns if _one_type(column[1:]))
    score += min(1.2, 1.2 * typed / width + (0.3 if typed else 0))
    code = sum(
        1
        for row in rows
        if re.search(r"[;{}]\s*$|^\s*(?:#include|//|def |import |return|function)", delimiter.join(row))
    ) / len(rows)
    if code > 0.2 and delimiter != ";":
        score -= 3.0
    if delimiter in ";:" and re.search(r"[{}]", " ".join(" ".join(row) for row in rows[:8])) and typed == 0:
        score -= 2.5
    lonely = sum(1 for row in rows if len(row) == 1) / len(rows)
    score -= 2.0 * lonely
    return max(0.0, score), width


_CELL_TYPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"[-+]?[$€£]?\s?[\d.,' ]*\d(?:[eE][-+]?\d+)?\s?[%€$]?",
        r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?",
        r"(?i:true|false|yes|no|y|n|t|f|0|1)",
        r"[\w.+-]+@[\w.-]+",
        r"https?://\S+",
    )
)


def _one_type(cells: Sequence[str]) -> bool:
    values = [cell.strip() for cell in cells if cell.strip()][:20]
    return bool(values) and any(
        sum(1 for value in values if pattern.fullmatch(value)) >= 0.8 * len(values) for pattern in _CELL_TYPES
    )


def _fixed_width(board: Board, text: Text) -> None:
    lines = [line for line in text.lines[:60] if line.strip() and not line.startswith("#")]
    if len(lines) < 3 or any("\t" in line for line in lines[:20]):
        return
    lengths = Counter(len(line) for line in lines)
    common, count = lengths.most_common(1)[0]
    if common < 8:
        return
    width = max(len(line) for line in lines)
    drawn = any(re.fullmatch(r"\s*-+(?: +-+)+\s*", line) for line in lines[1:4])
    closing = re.compile(r"\s*\(?\d+ (?:rows?|records?|record\(s\)) ?(?:affected|selected|in set|returned)?\b.*", re.I)
    ruled = [line for line in lines if not re.fullmatch(r"[\s=+-]+", line) and not closing.fullmatch(line)]
    if len(ruled) < (2 if drawn else 3):
        return
    gaps = [all(place >= len(line) or line[place] == " " for line in ruled) for place in range(width)]
    columns, inside = [], False
    for place, gap in enumerate(gaps):
        if not gap and not inside:
            columns.append(place)
        inside = not gap
    same = count / len(lines)
    commas = sum(line.count(",") + line.count(";") for line in ruled) / len(ruled)
    digits = sum(1 for line in ruled if re.search(r"\d", line)) / len(ruled)
    if drawn and len(columns) >= 2:
        score = 4.0
    elif len(columns) >= 3 and any(re.search(r"\S {2,}\S", line) for line in ruled):
        score = 2.0 + min(1.2, 0.2 * len(columns)) + (0.8 if same > 0.8 else 0.0) + (0.6 if digits > 0.6 else 0.0)
    elif len(columns) >= 3 and same > 0.9 and digits > 0.6:
        score = 2.6
    elif len(columns) >= 2 and same == 1.0 and digits > 0.8 and len(lines) >= 4:
        score = 2.4
    elif same == 1.0 and len(lines) >= 5 and digits > 0.8 and common >= 20 and commas < 1:
        score = 2.2
    else:
        return
    if commas >= 2:
        score -= 1.5
    board.add("fixed-width", score, f"{len(columns)} columns at the same places in {len(ruled)} lines")
    board.facts["columns_at"] = tuple(columns[:64])


# Settings and prose

_YAML_KEY = re.compile(r"(?:- )*[\w./\"'$ -]{1,60}:(?: .*)?")
_YAML_ITEM = re.compile(r"\s*- \S.*")


def _yaml(board: Board, text: Text) -> None:
    lines = [line for line in text.lines[:80] if not line.lstrip().startswith("#")]
    if not lines:
        return
    if lines[0].startswith(("%YAML", "---")):
        board.add("yaml", 2.5, "a YAML document start")
    keys = [line for line in lines if _YAML_KEY.fullmatch(line.strip()) and not line.strip().startswith(("http", "//"))]
    items = [line for line in lines if _YAML_ITEM.fullmatch(line)]
    share = len(set(map(id, keys)) | set(map(id, items))) / len(lines)
    nested = any(line.rstrip().endswith(":") for line in keys) and any(line.startswith((" ", "- ")) for line in lines)
    top = sum(1 for line in keys if re.match(r"[\w\"'./-]+:(?: |$)", line))
    if share >= 0.7 and keys and "\t" not in "".join(line[:1] for line in lines):
        weight = 1.2 + 1.8 * share + (1.2 if nested else 0.0) + (0.5 if top >= 2 and len(keys) >= 3 else 0.0)
        if not nested and top < 2 and len(keys) < 3:
            weight -= 1.5
        if any(line.rstrip().endswith((";", "{")) for line in lines[:30]):
            weight -= 2.0
        board.add("yaml", weight, f"{len(keys)} keys and {len(items)} items in {len(lines)} lines")


_SECTION = re.compile(r"\s*\[{1,2}[^\]\[\n]+\]{1,2}\s*(?:[#;].*)?")
_TOML_VALUE = re.compile(
    r"\s*[\w.\"'-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|\"\"\".*|\[.*|\{.*\}?|true|false|[-+]?\d[\d_.:TZ+eE-]*)\s*(?:#.*)?"
)
_INI_VALUE = re.compile(r"\s*[^=\[\]{}<>\n]{1,80}?\s*[=:]\s*.*")


def _toml_or_ini(board: Board, text: Text) -> None:
    lines = [line for line in text.lines[:100] if not line.lstrip().startswith(("#", ";", "!"))]
    if not lines:
        return
    sections = [line for line in lines if _SECTION.fullmatch(line)]
    assigned = [line for line in lines if re.match(r"\s*[\w.\"' -]{1,80}?\s*=", line)]
    strict = [line for line in assigned if _TOML_VALUE.fullmatch(line)]
    rest = len(lines) - len(sections)
    if not rest or len(assigned) < 0.5 * rest:
        if sections and rest and sum(1 for line in lines if _INI_VALUE.fullmatch(line)) > 0.8 * rest:
            board.add("ini", 3.0, f"sections in brackets and settings: {sections[0].strip()}")
        return
    share = len(assigned) / rest
    quoted = sum(1 for line in strict if re.search(r"=\s*[\"'\[{]", line))
    env = sum(1 for line in assigned if re.match(r"\s*(?:export\s+)?[A-Z][A-Z0-9_]*=\S*", line))
    dotted = sum(1 for line in assigned if re.match(r"\s*[a-zA-Z]\w*(?:[.-]\w+)+\s*=", line))
    if any(
        re.search(r"[;{(]\s*$|^\s*(?:if|for|def|function|var|let|const|import|return)\b", line) for line in lines[:40]
    ):
        return
    if _parses_toml(text) and (quoted or sections) and (quoted >= 0.3 * max(1, len(assigned)) or not sections):
        board.add("toml", 4.2 + (0.6 if sections else 0.0) if quoted else 2.5, "parses as TOML")
        if sections:
            board.add("ini", 1.5, "sections in brackets and settings")
        return
    if sections:
        board.add(
            "ini",
            3.0 + share + min(0.5, 0.1 * len(sections)),
            f"sections in brackets and settings: {sections[0].strip()}",
        )
    elif env >= 0.8 * len(assigned) and share > 0.8:
        board.add("dotenv", 2.5 + share, f"{env} upper-case variables set")
    elif dotted >= 0.4 * len(assigned) and share > 0.6:
        board.add("properties", 2.2 + share, f"{dotted} settings with dotted names")
    elif share > 0.7 and len(assigned) >= 2:
        board.add("properties", 1.6, f"{len(assigned)} settings")
        board.add("ini", 1.5, f"{len(assigned)} settings without a section")


def _parses_toml(text: Text) -> bool:
    import tomllib

    body = text.text if text.whole else text.text.rsplit("\n[", 1)[0]
    if len(body) > 32_768:
        body = body[:32_768].rsplit("\n[", 1)[0]
    try:
        return bool(tomllib.loads(body.replace("\r\n", "\n")))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False


_MARKDOWN = tuple(
    (re.compile(pattern, re.M), weight)
    for pattern, weight in (
        (r"^#{1,6} \S", 1.6),
        (r"^```", 1.8),
        (r"\[[^\]\n]+\]\([^)\s]+\)", 1.6),
        (r"^\s*[-*] \S.*\n\s*[-*] \S", 0.9),
        (r"\*\*[^*\n]+\*\*", 1.0),
        (r"^\|?\s*:?-{3,}:?\s*\|", 1.6),
        (r"^> \S", 0.6),
        (r"`[^`\n]+`", 0.5),
        (r"\A---\n[\s\S]{1,2000}?\n---\n", 1.5),
        (r"^\d+\. \S.*\n\d+\. ", 0.6),
    )
)


def _markdown(board: Board, text: Text) -> None:
    head = _BLANK_LINES.sub("\n\n", text.text[:_GRAMMAR_HEAD].replace("\r\n", "\n"))
    found = [weight for pattern, weight in _MARKDOWN if pattern.search(head)]
    if len(found) >= 2 and sum(found) >= 2.2:
        # A script has lines that begin with "# " too; prose around them is what makes them headings.
        words = len(re.findall(r"^[A-Z][a-z]+(?: [\w',.-]+){4,}", head, re.M))
        weight = min(4.5, sum(found) * 0.8 + min(1.0, 0.3 * words))
        if not words and not re.search(r"^```|\]\(|^## ", head, re.M):
            weight -= 1.2
        board.add("markdown", weight, f"{len(found)} sorts of Markdown marks")


def _prose(board: Board, text: Text) -> None:
    head = text.text[:8192]
    words = re.findall(r"[^\W\d_]{2,}", head)
    sentences = len(re.findall(r"[a-zà-ÿ\w)][.!?](?:\s|$)", head))
    common = len(
        re.findall(
            r"\b(?:the|and|of|to|in|is|that|it|was|for|der|die|und|das|le|la|et|les|el|los|que|il|di)\b", head, re.I
        )
    )
    letters = sum(map(len, words)) / max(1, len(head))
    if letters > 0.6 and common >= max(2, len(words) * 0.08):
        board.add("text", 2.6 + min(1.2, 0.2 * sentences), f"prose: {sentences} sentences")
    else:
        board.add("text", 0.7, f"text in {text.encoding}")
