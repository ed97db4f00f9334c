"""How a delimited text is written: the search over delimiters, quotes, escapes, preamble, header and footer.

A dialect is right when most rows come out equally wide and the cells below each other are of one kind.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

PRIOR: Final = {
    **dict.fromkeys((",", ";", "\t", "|", "\x1f", "\x01", "\x1e", "\x02"), 1.0),
    **dict.fromkeys(("^", "~", "¦", "§", "¬"), 0.97),
    **{":": 0.84, " ": 0.8, "&": 0.85, "+": 0.65, "=": 0.65, "/": 0.6, "_": 0.6},
    **dict.fromkeys(("!", "#", "*", "$", "%", "@"), 0.7),
}
"""The delimiters tried, and how readily each is believed."""
COMMENTS: Final = ("#", "%", "//", ";", "--", "!", "*")
LOOK_ROWS: Final = 120
FOUND_ROWS: Final = 500
Row = tuple[int, list[str]]
"""The line on which a row begins (from 0), and its cells."""


@dataclass(frozen=True)
class Dialect:
    """How a text is cut into rows and cells.

    `quotechar` and `escapechar` are empty where there is none; `doublequote` says that a quote inside quotes is written twice.
    `skip_rows` are the lines before the header (or before the first row), blank and comment lines among them; `header_rows` the
    lines of the header; `footer_rows` the lines after the last row. `comment` begins lines to leave out between the rows.
    `sure` is from 0 to 1.
    """

    delimiter: str = ","
    quotechar: str = '"'
    escapechar: str = ""
    doublequote: bool = True
    header: bool = True
    header_rows: int = 1
    skip_rows: int = 0
    footer_rows: int = 0
    encoding: str = "utf-8"
    bom: bool = False
    comment: str = ""
    decimal: str = "."
    skip_initial_space: bool = False
    columns: int = 1
    names: tuple[str, ...] = ()
    header_lines: int = 1
    """Lines of the text that the header takes; more than `header_rows` where a name holds a line break."""
    rules: bool = False
    """Lines of dashes stand between the rows, as database clients draw them: they are left out and cells are trimmed."""
    repeats: bool = False
    """The header is repeated between the rows, as where pages or files were put together: it is left out."""
    ragged: int = 0
    """Rows among those looked at that are wider or narrower than the others."""
    widest: int = 1
    sure: float = 1.0
    evidence: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The parts that the command line prints."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quotechar,
            "escapechar": self.escapechar,
            "doublequote": self.doublequote,
            "header": self.header,
            "header_rows": self.header_rows if self.header else 0,
            "skip_rows": self.skip_rows,
            "footer_rows": self.footer_rows,
            "encoding": self.encoding,
            "bom": self.bom,
            "comment": self.comment,
            "decimal": self.decimal,
        }


@dataclass(frozen=True)
class _Cut:
    """One way to cut: what csv.reader needs."""

    delimiter: str
    quote: str = ""
    escape: str = ""
    doublequote: bool = True
    space: bool = False


def dialect_of(text: str, *, whole: bool = True, tail: str = "", rows: int = LOOK_ROWS) -> Dialect:
    """The dialect of a text by its first part; `whole` says that it is all of it, `tail` is its end where it is not.

    A text of one column has the delimiter ",". `encoding` and `bom` are left for the caller.
    """
    lines = re.split(r"\r\n|\n|\r", text) if "\r" in text else text.split("\n")
    if not whole and len(lines) > 2:
        lines.pop()  # cut anywhere
    skipped, told = _told_delimiter(lines)
    body = lines[skipped:]
    looked = _without_comments(body)[: rows * 3]
    cut, score, runner_up = _best_cut(looked, told, rows)
    found = list(cut_rows(body, cut, limit=FOUND_ROWS))
    if not whole and len(found) > 3:
        found.pop()
    if whole and len(found) == FOUND_ROWS:
        whole, tail = False, "\n".join(lines[-60:])
    return _shape(found, body, cut, skipped, score, runner_up, whole, tail)


# --------------------------------------------------------------------------------------------------------- cutting rows


def cut_rows(lines: Iterable[str], cut: _Cut, limit: int | None = None) -> Iterator[Row]:
    """Rows with the line they begin on; blank lines are no rows. A quote that is never closed ends with the text."""
    multi = len(cut.delimiter) > 1
    delimiter = "\x1f" if multi else cut.delimiter
    source: Iterable[str] = (line.replace(cut.delimiter, "\x1f") for line in lines) if multi else lines
    reader = csv.reader(
        (line + "\n" for line in source),
        delimiter=delimiter,
        quotechar=cut.quote or None,
        quoting=csv.QUOTE_MINIMAL if cut.quote else csv.QUOTE_NONE,
        escapechar=cut.escape or None,
        doublequote=cut.doublequote,
        skipinitialspace=cut.space,
    )
    begin = count = 0
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                yield begin, row
                count += 1
                if count == limit:
                    return
            begin = reader.line_num
    except csv.Error:
        return  # a cell beyond the size limit: what came before still tells the dialect


def cut_of(dialect: Dialect) -> _Cut:
    """What csv.reader needs of a dialect."""
    return _Cut(
        dialect.delimiter, dialect.quotechar, dialect.escapechar, dialect.doublequote, dialect.skip_initial_space
    )


def _told_delimiter(lines: Sequence[str]) -> tuple[int, str]:
    """(lines to skip, delimiter) of a first line such as `sep=;` that spreadsheets write."""
    first = lines[0].strip().strip('"') if lines else ""
    if first.lower().startswith("sep=") and 1 <= len(first) - 4 <= 2:
        return 1, first[4:].replace("\\t", "\t")
    if first.lower() == "sep=" and lines[0].strip("\r\n").endswith("\t"):
        return 1, "\t"
    return 0, ""


def _without_comments(lines: Sequence[str]) -> list[str]:
    """The lines but those that a comment sign begins, where they are few."""
    plain = [
        line
        for line in lines[:400]
        if line.strip() and not is_rule(line) and not line.lstrip().startswith(("#", "//", "%%", "--"))
    ]
    return plain if len(plain) >= 2 else list(lines[:400])


_CROSSED: Final = re.compile(r"\s*[|+]?[-=]{2,}(?:[+|][-=]{2,})*[+|]?\s*")
_DASHES: Final = re.compile(r"\s*:?(?:-+|=+):?\s*")


def is_rule(line: str) -> bool:
    """Whether a line is drawn rather than written: `+----+------+`, `----+------`."""
    return "+" in line and ("--" in line or "==" in line) and _CROSSED.fullmatch(line) is not None


def _underlines(row: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a row is but dashes, one stretch below each name: `---,----`, `|---|:---:|`."""
    cells = [cell for cell in row if cell.strip()]
    return (
        len(row) == len(header)
        and len(cells) >= sum(bool(cell.strip()) for cell in header)
        and any(len(cell.strip()) > 1 for cell in cells)
        and all(map(_DASHES.fullmatch, cells))
    )


# -------------------------------------------------------------------------------------------------------- the best cut


def _best_cut(lines: Sequence[str], told: str, rows: int) -> tuple[_Cut, float, float]:
    sample = [line for line in lines if line.strip()][: rows + 80]
    candidates: list[tuple[float, _Cut, list[list[str]]]] = []
    joined = "\n".join(sample)
    delimiters = [told] if told else _possible_delimiters(sample)
    for delimiter in delimiters:
        for cut in _cuts(joined, delimiter):
            found = [row for _, row in cut_rows(sample, cut, limit=rows)]
            if found:
                candidates.append((_evenness(found) * PRIOR.get(delimiter, 0.9), cut, found))
    candidates.sort(key=lambda c: -c[0])
    scored = [(even * _kinds_score(found), cut) for even, cut, found in candidates[:8]]
    scored.sort(key=lambda c: -c[0])
    if not scored or (scored[0][0] < 0.22 and not told) or _is_one_column(sample, scored[0][1]):
        # One column: a delimiter that does not cut.
        free = next((d for d in (",", ";", "\t", "|", "\x1f") if d not in joined or _only_in_quotes(joined, d)), "\x1f")
        return _Cut(told or free, '"'), 0.3, 0.0
    best = scored[0]
    rival = next((score for score, cut in scored if cut.delimiter != best[1].delimiter), 0.0)
    return best[1], best[0], rival


def _only_in_quotes(joined: str, delimiter: str) -> bool:
    """Whether every line is one quoted cell, whatever it holds."""
    return delimiter == "," and all(re.fullmatch(r'\s*"(?:[^"]|"")*"\s*', line) for line in joined.split("\n"))


def _possible_delimiters(lines: Sequence[str]) -> list[str]:
    """Signs that stand in most lines, multi-sign ones such as `||` and `::` among them."""
    head = lines[:60]
    need = max(1, len(head) * 0.6)
    found = [d for d in PRIOR if sum(d in line for line in head) >= need]
    longer = []
    for sign in found:
        for piece in (sign * 2, sign * 3):
            if sum(piece in line for line in head) >= need and all(
                line.count(piece) * len(piece) >= 0.8 * line.count(sign) for line in head if sign in line
            ):
                longer.append(piece)
    for piece in ("<|>", "|~|", "~|~", "<>", "|;|", "[|]", "|#|", "@|@", "\t|\t", " | ", "|^|", ";|"):
        if sum(piece in line for line in head) >= need and all(
            line.count(piece) >= 0.8 * line.count(piece.strip()[0] if piece.strip() else piece) for line in head
        ):
            longer.append(piece)
    if " | " in longer:
        longer.remove(" | ")  # a bar with padding; cells are trimmed
    return [
        d for d in found if not any(d in piece for piece in longer if piece.strip() and len(set(piece)) == 1)
    ] + longer


def _cuts(joined: str, delimiter: str) -> Iterator[_Cut]:
    """The quotes and escapes worth trying with a delimiter."""
    d = re.escape(delimiter)
    space = "" if delimiter.isspace() else " "
    yielded = False
    for quote in ('"', "'", "`"):
        if quote not in joined:
            continue
        q = re.escape(quote)
        opening = len(re.findall(rf"(?:^|{d}{space}?){q}", joined, re.M))
        closing = len(re.findall(rf"{q} *(?:{d}|$)", joined, re.M))
        if not opening or not closing:
            continue
        spaced = bool(space) and bool(re.search(rf"{d} {q}", joined))
        escaped = len(re.findall(rf"\\{q}(?! *(?:{d}|$))", joined, re.M))
        if (escaped and not re.search(rf"[^{d}\n]{q}{q}(?!{d}|$)", joined, re.M)) or escaped > 2:
            yield _Cut(delimiter, quote, "\\", False, spaced)
        yield _Cut(delimiter, quote, "", True, spaced)
        yielded = True
    if not yielded:
        if len(delimiter) == 1 and joined.count("\\" + delimiter) >= 1:
            yield _Cut(delimiter, "", "\\", False)
        yield _Cut(delimiter, "")
    elif "'" in joined and '"' not in joined:
        yield _Cut(delimiter, "")


def _evenness(rows: Sequence[Sequence[str]]) -> float:
    """How equally wide the rows are, wide ones counting a little more; 0 for one column."""
    widths = Counter(map(len, rows))
    width, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if width < 2:
        return 0.0
    share = times / len(rows)
    # Rows after a preamble may all agree: judge the longest stretch as well.
    longest = run = 0
    for row in rows:
        run = run + 1 if len(row) == width else 0
        longest = max(longest, run)
    near = sum(n for w, n in widths.items() if w != width and w > 1 and abs(w - width) <= 1) / len(rows)
    share = max(share, min(0.9, longest / max(len(rows) - 8, len(rows) * 0.6, 1)) if longest >= 3 else 0.0)
    return (share + 0.3 * near) ** 1.5 * (1 - 0.3 / width) if share < 1 else 1 - 0.3 / width


_KIND: Final = re.compile(
    r"(?P<empty>\s*)"
    r"|(?P<number>[+-]?[$€£]? ?\d[\d ]*(?:[.,]\d+)*(?: ?[%€$£]|[eE][+-]?\d+)?)"
    r"|(?P<time>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ,]+\d{1,2}:\d{2}(?::\d{2})?.{0,12})?"
    r"|\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?: ?[APap]\.?[Mm]\.?)?)"
    r"|(?P<link>[a-z0-9+]+://\S+|[^\s@]+@[^\s@]+\.\w+|(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"
    r"|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}|\d+(?:\.\d+){3})"
    r"|(?P<null>(?i:n/?a|null|none|nan|-+|\\n))"
    r"|(?P<word>[^\W\d_][\w .'’()&/+\-]*)"
    r"|(?P<code>[\w.\-/#+]+)",
)


def _kind(cell: str) -> str:
    found = _KIND.fullmatch(cell[:200].strip())
    return (found.lastgroup or "odd") if found else "odd"


def _kinds_score(rows: Sequence[Sequence[str]]) -> float:
    """How much the cells below each other are of one kind, and of a known one."""
    widths = Counter(map(len, rows))
    width = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))[0]
    table = [row for row in rows if len(row) == width][:80]
    score = 0.0
    for column in range(width):
        kinds = Counter(_kind(row[column]) for row in table)
        blanks = kinds.pop("empty", 0) + kinds.pop("null", 0)
        if not kinds:
            score += 0.35
            continue
        there = len(table) - blanks
        header = 1 if there > 1 else 0  # the header may be of another kind
        kind, times = kinds.most_common(1)[0]
        worth = {"number": 1.0, "time": 1.0, "link": 1.0, "word": 0.95, "code": 0.85}.get(kind, 0.55)
        mixed = (
            kinds["word"] + kinds["code"] + kinds["odd"] + kinds["number"] if kind in ("word", "code", "odd") else times
        )
        score += worth * min(1.0, max(times, 0.9 * mixed) / max(there - header, 1))
    return score / width


def _is_one_column(lines: Sequence[str], cut: _Cut) -> bool:
    """`price` above 1,50 and 2,75 is one column of decimals, however evenly the comma cuts it; so are sentences."""
    if cut.delimiter == "," and len(lines) >= 2 and "," not in lines[0]:
        return all(re.fullmatch(r"\s*-?\d+,\d+\s*", line) for line in lines[1:])
    if cut.delimiter in (" ", ":", "/", "_", "+", "=", "#", "&", "!", "*", "$", "%", "@"):
        if all(
            re.fullmatch(
                r"\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*|\s*\d\d?:\d\d(:\d\d)?\s*|\s*\d\d?/\d\d?/\d{2,4}\s*",
                line,
            )
            for line in lines[1:]
        ):
            return True
        if cut.delimiter == "/" and all(
            re.fullmatch(r"/?(?:[^/]+/)*[^/]+", line) and line.startswith("/") for line in lines
        ):
            return True
        if all(re.fullmatch(r"[a-z0-9+]+://\S+|\S+@\S+\.\w+", line) for line in lines[1:]):
            return True
    return False


# ---------------------------------------------------------------------------------- preamble, header, comments, footer


def _shape(
    found: list[Row], lines: Sequence[str], cut: _Cut, skipped: int, score: float, rival: float, whole: bool, tail: str
) -> Dialect:
    evidence: list[str] = []
    comment = _comment_of(found, lines)
    rows = [row for row in found if not (comment and row[1][0].lstrip().startswith(comment))]
    rules = [] if cut.delimiter not in "|+" else [row for row in rows if is_rule(lines[row[0]])]
    if rules:
        rows = [row for row in rows if not is_rule(lines[row[0]])]
        evidence.append("lines of dashes are drawn between the rows")
    named = None
    if comment:
        named = _commented_header(found, rows, comment)
        evidence.append(f"lines that begin with {comment} are comments")
    if not rows:
        rows = found
    width = _width(rows)
    start = max(_first_row(rows, width), _after_a_gap(rows, width))
    footer = 0
    if whole:
        stop, footer = _footer(rows, start, width, lines)
    else:
        stop = len(rows)
        footer = _tail_footer(tail, cut, width)
    table = rows[start:stop]
    underlined = len(table) > 1 and _underlines(table[1][1], table[0][1])
    if underlined:
        rules = [*rules, table.pop(1)]
    once = _once(table) if not named else table
    header_rows, names = (1, named[1]) if named else _header(once, width)
    if underlined and not header_rows and table:
        header_rows, names = 1, unique_names(table[0][1])
    repeats = len(once) < len(table) and header_rows == 1
    if repeats:
        table = once
        evidence.append("the header is repeated between the rows")
    begin = named[0] if named else (table[0][0] if table else 0)
    header_lines = 1
    if header_rows and not named:
        after = table[header_rows][0] if len(table) > header_rows else None
        last = table[header_rows - 1]
        header_lines = last[0] - begin + 1 + sum(cell.count("\n") for cell in last[1])
        if after is not None:
            header_lines = min(header_lines, after - begin)
    if underlined and header_rows == 1 and not named:
        header_lines = rules[-1][0] - begin + 1
    data = table if named else table[header_rows:]
    widths = Counter(len(row) for _, row in data)
    ragged = sum(times for w, times in widths.items() if w != width)
    if header_rows == 1 and not named and table and len(table[0][1]) > width and widths and max(widths) <= width:
        names = names[:width] if not any(n.strip() for n in table[0][1][width:]) else names
    if begin + skipped:
        evidence.append(f"{begin + skipped} lines before the table")
    if footer:
        evidence.append(f"{footer} lines after the table")
    evidence.insert(
        0,
        f"{sum(widths.values()) - ragged} of {sum(widths.values())} rows have {width} columns when cut at {cut.delimiter!r}",
    )
    space = cut.space or _padded(data, width)
    return Dialect(
        delimiter=cut.delimiter,
        quotechar=cut.quote or '"',
        escapechar=cut.escape,
        doublequote=cut.doublequote,
        header=header_rows > 0,
        header_rows=header_rows,
        header_lines=header_lines if header_rows else 0,
        skip_rows=begin + skipped,
        footer_rows=footer,
        comment=comment if comment and _comment_inside(lines, comment, begin, header_lines) else "",
        skip_initial_space=cut.space or (space and cut.delimiter != " " and not cut.delimiter.isspace()),
        columns=width,
        names=tuple(names),
        rules=bool(rules) and not (len(rules) == 1 and underlined),
        repeats=repeats,
        ragged=ragged,
        widest=max(widths, default=width),
        sure=round(min(1.0, max(0.05, score) * (1.0 if rival < score * 0.8 else 0.8)), 3),
        evidence=tuple(evidence),
    )


def _once(table: list[Row]) -> list[Row]:
    """The rows without further copies of the first one, where its cells are all different words, as names are."""
    if len(table) < 3 or len(table[0][1]) < 2 or not is_names(table[0][1]):
        return table
    first = [cell.strip() for cell in table[0][1]]
    rest = [row for row in table[1:] if [cell.strip() for cell in row[1]] != first]
    return [table[0], *rest] if len(rest) >= max(1, (len(table) - 1) / 2) else table


def is_names(cells: Sequence[str]) -> bool:
    """Whether these cells can name columns: different words, none of them blank but at the edges of a drawn table."""
    words = [cell.strip() for cell in cells]
    inner = words[bool(words) and not words[0] : len(words) - (len(words) > 1 and not words[-1])]
    return len(set(inner)) == len(inner) > 1 and all(w and _kind(w) in ("word", "code", "odd") for w in inner)


def _padded(rows: Sequence[Row], width: int) -> bool:
    cells = [cell for _, row in rows[:100] if len(row) == width for cell in row[1:] if cell.strip()]
    return len(cells) > 1 and sum(cell.startswith(" ") for cell in cells) >= 0.9 * len(cells)


def _comment_of(rows: Sequence[Row], lines: Sequence[str]) -> str:
    """The sign that begins comment lines, where a few of the lines have it and the rest do not."""
    heads = {row[0].lstrip()[:2] for _, row in rows}
    for sign in COMMENTS:
        if not any(head.startswith(sign) for head in heads):
            continue
        marked = [row for _, row in rows if row[0].lstrip().startswith(sign)]
        if not marked or len(marked) > 0.5 * len(rows) + 3 or len(marked) == len(rows):
            continue
        if sign in ("#", "//", "%") and (marked[0] is rows[0][1] or len(marked[0]) == 1):
            plain = [row for _, row in rows if not row[0].lstrip().startswith(sign)]
            width = _width([(0, row) for row in plain])
            others = [row for row in marked if len(row) != width]
            # Rows as wide as the table that begin with the sign may be data: `#1`, `%`.
            alone = marked[0][0].strip() == sign and len(marked[0]) == width  # a column of numbers, headed #
            if others or (marked[0] is rows[0][1] and not alone):
                return sign
        if sign in (";", "--", "!", "*") and marked[0] is rows[0][1] and all(len(row) == 1 for row in marked):
            return sign
    return ""


def _comment_inside(lines: Sequence[str], comment: str, begin: int, header_lines: int) -> bool:
    return any(line.lstrip().startswith(comment) for line in lines[begin + header_lines :])


def _commented_header(found: Sequence[Row], rows: Sequence[Row], comment: str) -> tuple[int, list[str]] | None:
    """(line, names) of a header that stands in the last comment line before the table."""
    if not rows:
        return None
    before = [row for row in found if row[0] < rows[0][0]]
    if not before:
        return None
    line, cells = before[-1]
    cells = [cells[0].lstrip()[len(comment) :].strip(), *(c.strip() for c in cells[1:])]
    width = _width(rows)
    if len(cells) != width or width < 2 or not all(c and _kind(c) in ("word", "code", "odd") for c in cells):
        return None
    below, _ = _header(list(rows), width)
    return None if below else (line, unique_names(cells))


def _width(rows: Sequence[Row]) -> int:
    widths = Counter(len(row) for _, row in rows)
    if not widths:
        return 1
    return max(widths.items(), key=lambda item: (item[1] if item[0] > 1 else item[1] * 0.5, item[0]))[0]


def _first_row(rows: Sequence[Row], width: int) -> int:
    """The index of the first row of the table: what stands before is preamble."""
    if width == 1:
        return 0
    for i, (_, row) in enumerate(rows[:-1]):
        filled = sum(bool(cell.strip()) for cell in row)
        near = len(row) == width or (
            len(row) == width - 1 and width > 2 and i + 1 < len(rows) and len(rows[i + 1][1]) == width and i == 0
        )
        if not near:
            # A header with names for cells that no row has still begins the table, and so does one among ragged rows.
            if i == 0 and width < len(row) == filled and is_names(row):
                return i
            if filled >= 2 and len(row) > width and not any(len(r) == width for _, r in rows[i + 1 : i + 2]):
                return i
            continue
        if filled <= 1 and width >= 3:
            fuller = next((r for _, r in rows[i + 1 : i + 6] if sum(bool(cell.strip()) for cell in r) > 1), None)
            if fuller is not None and (len(row) == width or len(fuller) == width):
                continue
        if filled == 0:
            continue
        return i
    return next((i for i, (_, row) in enumerate(rows) if len(row) == width), 0)


def _after_a_gap(rows: Sequence[Row], width: int) -> int:
    """The index of the row after an early blank line, where what stands above is not like what stands below; else 0."""
    gaps = [i for i in range(1, min(len(rows), 14)) if rows[i][0] > rows[i - 1][0] + 1 + _breaks(rows[i - 1][1])]
    if not gaps or len(gaps) > 3 or width < 2:
        return 0
    at = gaps[-1]
    if at > max(3, len(rows) * 0.4) or len(rows[at][1]) != width or len(rows) - at < 3:
        return 0
    below = [[_kind(cell) for cell in row] for _, row in rows[at + 1 :] if len(row) == width]
    alike = sum(len(row) == width and [_kind(cell) for cell in row] in below[:20] for _, row in rows[:at])
    even = sum(len(row) == width for _, row in rows[:at])
    return at if not alike and even < at and even <= 1 else 0


def _breaks(row: Sequence[str]) -> int:
    return sum(cell.count("\n") for cell in row)


_TOTAL: Final = re.compile(
    r"\s*(?:grand |sub)?(?:total|totals|sum|summe|gesamt|gesamtsumme|insgesamt|somme|totale|suma|итого|всего|合計|总计|average|mean"
    r"|mittelwert)\b.*",
    re.I,
)
_TOTAL_ALONE: Final = re.compile(
    r"\s*(?:grand |sub)?(?:total|totals|summe|gesamt|gesamtsumme|insgesamt|totale|итого|всего|合計|总计)\s*:?\s*", re.I
)
_CLOSING: Final = re.compile(
    r"\s*(?:#|--+|==+|\*|©|source|quelle|note|generated|exported|created|end of|eof|copyright|report|stand|page|seite"
    r"|\(?\d+ (?:rows?|records?|lines?|zeilen)|rows?:|total|records?:)",
    re.I,
)


def _footer(rows: Sequence[Row], start: int, width: int, lines: Sequence[str]) -> tuple[int, int]:
    """(index after the last row of the table, lines after it)."""
    stop = len(rows)
    while stop > start + 2 and stop > len(rows) - 12:
        line, row = rows[stop - 1]
        before = rows[stop - 2]
        if not _ends_the_table(
            row, width, line - before[0] > 1 + sum(c.count("\n") for c in before[1]), rows[start : stop - 1]
        ):
            break
        stop -= 1
    if stop == len(rows):
        return stop, 0
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    previous = rows[stop - 1]
    first = previous[0] + 1 + sum(cell.count("\n") for cell in previous[1])
    return stop, max(end - first, 1)


def _ends_the_table(row: Sequence[str], width: int, gap: bool, table: Sequence[Row]) -> bool:
    filled = [cell for cell in row if cell.strip()]
    if not filled:
        return len(table) > 3
    first = next(cell for cell in row if cell.strip())
    if len(row) != width or (len(filled) == 1 and width > 2):
        narrow = sum(len(r) < width for _, r in table[1:])
        if len(row) < width and (
            gap
            or _CLOSING.match(first)
            or _TOTAL.match(first)
            or (len(filled) == 1 and len(row) == 1 and " " in first.strip() and narrow == 0)
        ):
            return True
        return bool(len(filled) == 1 and width > 2 and (_CLOSING.match(first) or _TOTAL.match(first)))
    if _TOTAL.fullmatch(first) and width > 1 and len(filled) <= width:
        # `Total` in a column that holds other kinds of values, or beside gaps that no other row has.
        at = next(i for i, cell in enumerate(row) if cell.strip())
        kinds = {_kind(r[at]) for _, r in table[1:] if len(r) == width}
        gaps = [i for i, cell in enumerate(row) if not cell.strip()]
        full = any(all(len(r) > i and r[i].strip() for _, r in table[-20:]) for i in gaps)
        same = any(len(r) > at and r[at].strip().lower() == first.strip().lower() for _, r in table)
        bare = _TOTAL_ALONE.fullmatch(first) is not None and not same
        return full or "word" not in kinds or gap or bare
    return False


def _tail_footer(tail: str, cut: _Cut, width: int) -> int:
    """Lines after the table, judged by the end of a text that was not read whole."""
    if not tail:
        return 0
    lines = tail.splitlines()[1:]
    rows = list(cut_rows(lines, cut))
    if len(rows) < 4:
        return 0
    return _footer(rows, 0, width, lines)[1]


_NAME_WORDS: Final = """
    id name date time timestamp type status code e-?mail phone city country state zip postcode address street
    price amount total qty quantity count value description title category customer product order user age
    gender sex year month day url link comment notes? region key label currency company department team role
    size colou?r brand model language capital author text message level group class tags? lat lon latitude
    longitude score rank position source target from to subject body song artist album genre species animal
    fruit job salary datum betrag ort land preis menge kunde vorname nachname stadt strasse straße plz
    hauptstadt firma artikel bezeichnung geschlecht alter beruf abteilung anzahl wert verwendungszweck nr nom
    prénom prenom ville pays prix adresse rue âge métier nombre apellido ciudad país pais fecha precio dirección
    edad cognome nome città citta paese prezzo indirizzo cidade preço имя фамилия город страна дата цена
    название 名前 氏名 姓名 都市 住所 国 城市 国家 地址 이름 도시 imię miasto kraj nazwisko jméno město namn stad naam voornaam
    achternaam
"""
_NAME_WORD: Final = "(?:" + "|".join(_NAME_WORDS.split()) + ")"
_NAMES: Final = re.compile(rf"(?i:(?:[a-z]{{2,12}}[ _\-]?)?{_NAME_WORD}|{_NAME_WORD}[ _\-][a-z]{{2,12}})")


def _header(table: Sequence[Row], width: int) -> tuple[int, list[str]]:
    """(rows of the header, names made unique)."""
    unnamed = [f"column_{i + 1}" for i in range(width)]
    if not table:
        return 0, unnamed
    first = table[0][1]
    data = [row for _, row in table[1:400] if len(row) == width]
    if len(first) == width - 1 and data:
        # Rows that all end in a delimiter have an empty last cell; else the first column is the one without a name.
        ends_empty = not any(row[-1].strip() for row in data)
        return 1, unique_names([*first, ""] if ends_empty else ["", *first])
    if not data:
        named = all(cell.strip() and _kind(cell) in ("word", "code") for cell in first)
        return (1, unique_names(first)) if named else (0, unnamed)
    rows = _header_height(table, width, data)
    if rows == 0:
        return 0, unnamed
    if rows == 1:
        return 1, unique_names(first)
    return rows, unique_names(_joined_names([row for _, row in table[:rows]], width))


def _header_height(table: Sequence[Row], width: int, data: Sequence[Sequence[str]]) -> int:
    first = table[0][1]
    bodies = data[1:] if len(data) > 3 else data
    typed = []
    for column in range(min(width, len(first))):
        kinds = Counter(_kind(row[column]) for row in bodies)
        there = sum(kinds.values()) - kinds["empty"] - kinds["null"]
        plain = kinds["number"] + kinds["time"] + kinds["link"]
        if there and plain >= 0.85 * there:
            typed.append(column)
    if typed:
        height = 0
        for i, (_, row) in enumerate(table[:4]):
            cells = [row[c] if c < len(row) else "" for c in typed]
            seen = [_kind(cell) for cell in cells]
            wordy = sum(kind in ("word", "code", "odd") for kind in seen)
            values = sum(kind in ("number", "time", "link") for kind in seen)
            if values and not (i == 0 and _years(row)):
                if i == 0 and values <= wordy * 0.34 and _all_names(row):
                    height = 1  # a header with a number or two among its names
                break
            if wordy or (i == 0 and _years(row)):
                height = i + 1
            elif (
                i == 0
                and any(cell.strip() for cell in row)
                and any(_kind(table[1][1][c]) in ("word", "code") for c in typed if c < len(table[1][1]))
            ):
                height = 1
            else:
                break
            if i == 0 and not any(not cell.strip() for cell in row) and not _is_units_row(table, typed):
                break
        return min(height, len(table) - 1) if len(table) > 1 else height
    return 1 if _wordy_header(first, data) else 0


def _is_units_row(table: Sequence[Row], typed: Sequence[int]) -> bool:
    """Whether the second row also names rather than holds values: units in brackets, types, a second line of names."""
    if len(table) < 4:
        return False
    second = table[1][1]
    cells = [second[c] for c in typed if c < len(second)]
    return (
        bool(cells)
        and all(_kind(c) in ("word", "odd", "code") or not c.strip() for c in cells)
        and any(c.strip() for c in cells)
    )


def _years(row: Sequence[str]) -> bool:
    """Country, 2019, 2020, 2021: numbers that count up by one are names."""
    years = [int(cell) for cell in row if re.fullmatch(r"\s*(?:19|20)\d\d\s*", cell)]
    return len(years) >= 2 and {b - a for a, b in pairwise(years)} == {1} and _kind(row[0]) in ("word", "empty")


def _all_names(row: Sequence[str]) -> bool:
    return len(set(row)) == len(row) and all(len(cell) <= 60 for cell in row)


def _wordy_header(first: Sequence[str], data: Sequence[Sequence[str]]) -> bool:
    """Whether the first row of a table of nothing but words names the columns."""
    cells = [cell.strip() for cell in first]
    filled = [cell for cell in cells if cell]
    if not filled or any(_kind(cell) in ("number", "time", "link") for cell in filled):
        return False
    if len(set(filled)) < len(filled) and len(data) < 3:
        return False
    score = 0.0
    for i, cell in enumerate(cells):
        column = [row[i].strip() for row in data]
        if not cell:
            continue
        if cell in column:
            score -= 2.0
        if _NAMES.fullmatch(cell):
            score += 1.5
        elif re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]+)+|[A-Z]+(?:_[A-Z0-9]+)+", cell):
            score += 1.0
        filled_below = [value for value in column if value]
        if filled_below:
            shapes = {_outline(value) for value in filled_below[:50]}
            if _outline(cell) not in shapes:
                score += 0.6
            elif len(shapes) == 1:
                score -= 0.8 if any(c.isdigit() for c in cell) else 0.3
            lengths = [len(value) for value in filled_below[:50]]
            if len(filled_below) > 2 and max(lengths) == min(lengths) != len(cell):
                score += 0.6
            if len(set(filled_below)) * 2 <= len(filled_below) and cell not in filled_below:
                score += 0.5
            if min(lengths) > 25 >= len(cell):
                score += 0.5
    return score > 0.0


def _outline(text: str) -> str:
    """The shape of a text: AB-12 and CD-34 are alike."""
    kinds = ("9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in text[:40])
    return re.sub(r"(.)\1+", r"\1", "".join(kinds))


def _joined_names(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """One name a column out of several header rows: a group's name holds for the empty cells to its right."""
    filled: list[list[str]] = []
    for n, row in enumerate(rows):
        cells = [cell.strip() for cell in row] + [""] * (width - len(row))
        if n < len(rows) - 1:
            last = ""
            for i, cell in enumerate(cells):
                last = cell or last
                below = rows[n + 1][i].strip() if i < len(rows[n + 1]) else ""
                cells[i] = cell or (last if below else "")
        filled.append(cells[:width])
    names = []
    for column in range(width):
        parts: list[str] = []
        for row in filled:
            if row[column] and row[column] not in parts:
                parts.append(row[column])
        names.append(" ".join(parts))
    return names


def unique_names(cells: Sequence[str]) -> list[str]:
    """Names for columns: trimmed, never empty (`column_3`), never twice (`name`, `name_2`), whatever the case."""
    names: list[str] = []
    taken: set[str] = set()
    given = {" ".join(cell.split()).lower() for cell in cells}
    for i, cell in enumerate(cells, 1):
        base = " ".join(cell.replace("\x00", "").replace("﻿", "").split()) or f"column_{i}"
        name, n = base, 1
        while name.lower() in taken or (n > 1 and name.lower() in given):
            n += 1
            name = f"{base}_{n}"
        taken.add(name.lower())
        names.append(name)
    return names


def with_encoding(dialect: Dialect, name: str, bom: bool) -> Dialect:
    """The same dialect in a known encoding."""
    return replace(dialect, encoding=name, bom=bom)
