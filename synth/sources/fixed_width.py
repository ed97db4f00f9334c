"""Fixed-width text: columns are found by the positions that are blank in nearly every line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.infer import infer_column
from synth.source import OpenOptions, Source
from synth.sources.dialect import unique_names
from synth.sources.duck import DuckDoors, DuckSource
from synth.sources.encoding import decoded, encoding_of
from synth.sources.text_table import RowSpool, first_types, null_notes, serve_spool, spread

LOOKED_LINES: Final = 1_000
BLANK_SHARE: Final = 0.985
"""A position separates columns when at least this share of the lines is blank there."""
FILLED: Final = 0.55
"""Over all columns, at least this share of the cells holds something."""
_CLOSING: Final = re.compile(
    r"\(?\d+ (?:rows?|records?|record\(s\)|tuples?)\b.*|no rows.*|completion time:.*|time:? .*|-+|=+", re.I
)
"""What database clients write below a table."""
_RULE: Final = re.compile(r"[\s\-=+|_:]*(?:-{2,}|={2,})[\s\-=+|_:]*")


@dataclass(frozen=True)
class Columns:
    """Where the columns of a fixed-width text are: half-open ranges of positions, the last one open to the right.

    `skip` are the lines before the header or the first row, `header` the lines of the header, `footer` those after the last row.
    """

    ranges: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    skip: int = 0
    header: int = 0
    footer: int = 0
    share: float = 1.0

    def cut(self, line: str) -> list[str]:
        """The cells of one line, trimmed."""
        last = len(self.ranges) - 1
        return [line[a:].strip() if i == last else line[a:b].strip() for i, (a, b) in enumerate(self.ranges)]

    def splits_a_word(self, line: str) -> bool:
        """Whether a border between columns runs through a word of this line."""
        return any(b < len(line) and line[b - 1 : b] not in ("", " ") and line[b] != " " for _, b in self.ranges[:-1])


def columns_of(lines: Sequence[str]) -> Columns | None:
    """The columns of these lines; None when they do not stand in columns."""
    lines = [line.expandtabs(8).rstrip() if "\t" in line else line.rstrip() for line in lines[:LOOKED_LINES]]
    body = [i for i, line in enumerate(lines) if line.strip() and not _RULE.fullmatch(line)]
    if len(body) < 2:
        return None
    ruled = _by_rule(lines)
    if ruled is not None:
        return ruled
    first, last = _block(lines, body)
    block = [lines[i] for i in body if first <= i <= last]
    if len(block) < 2:
        return None
    ranges = _ranges(block)
    if len(ranges) < 2:
        return None
    # Lines of any length leave gaps too: columns are filled in most lines, and with more than one short line of them.
    fills = [sum(bool(line[a:b].strip()) for line in block) / len(block) for a, b in ranges]
    if sum(fills) / len(fills) < FILLED or sum(fill >= FILLED for fill in fills) < 2:
        return None
    return _named(lines, ranges, first, last)


def _block(lines: Sequence[str], body: Sequence[int]) -> tuple[int, int]:
    """The first and last line of the table: titles above and remarks below have other lengths."""
    lengths = Counter(len(lines[i]) // 4 for i in body)
    usual = [size for size, times in lengths.items() if times >= max(2, 0.1 * len(body))]
    low = min(usual, default=0) * 4 - 8
    first, last = body[0], body[-1]
    rest = list(body)
    while len(rest) > 3 and (len(lines[rest[0]]) < low or _is_title(lines, rest)):
        rest.pop(0)
        first = rest[0]
    while len(rest) > 3 and len(lines[rest[-1]]) < low:
        rest.pop()
        last = rest[-1]
    return first, last


def _is_title(lines: Sequence[str], rest: Sequence[int]) -> bool:
    """A line with words across a gap that all the following lines have, and a blank line soon after it."""
    gap_after = rest[1] - rest[0] > 1
    return gap_after and rest[0] < 6 and not re.search(r"\S {2,}\S", lines[rest[0]].strip())


def _ranges(block: Sequence[str]) -> list[tuple[int, int]]:
    width = max(map(len, block))
    blanks = [0] * width
    for line in block:
        padded = line.ljust(width)
        for at, letter in enumerate(padded):
            if letter == " ":
                blanks[at] += 1
    need = BLANK_SHARE * len(block)
    ranges: list[tuple[int, int]] = []
    begin = None
    for at in range(width + 1):
        blank = at == width or blanks[at] >= need
        if not blank and begin is None:
            begin = at
        elif blank and begin is not None:
            ranges.append((begin, at))
            begin = None
    return _merged(ranges, block)


def _merged(ranges: list[tuple[int, int]], block: Sequence[str]) -> list[tuple[int, int]]:
    """Neighbours one blank apart belong together when the gap looks like the one between words: texts on both sides."""
    if len(ranges) < 2:
        return ranges
    wide = any(b[0] - a[1] >= 2 for a, b in pairwise(ranges))
    out = [ranges[0]]
    for one in ranges[1:]:
        previous = out[-1]
        if wide and one[0] - previous[1] == 1 and len(block) < 6:
            left = [line[previous[0] : previous[1]].strip() for line in block]
            right = [line[one[0] : one[1]].strip() for line in block]
            wordy = all(re.fullmatch(r"[^\W\d]*", t) for t in (*left[1:], *right[1:]))
            if wordy:
                out[-1] = (previous[0], one[1])
                continue
        out.append(one)
    # Each column reaches to where the next one begins, so that a wider value than those seen stays whole.
    return [(a, out[i + 1][0] if i + 1 < len(out) else b) for i, (a, b) in enumerate(out)]


def _by_rule(lines: Sequence[str]) -> Columns | None:
    """Columns told by a line of dashes under the header."""
    for i, line in enumerate(lines[:20]):
        if i and _RULE.fullmatch(line) and len(re.findall(r"[-=]{2,}", line)) >= 2:
            marks = [m.span() for m in re.finditer(r"[-=]+", line)]
            ranges = [(a, marks[n + 1][0] if n + 1 < len(marks) else b) for n, (a, b) in enumerate(marks)]
            names = unique_names(
                [lines[i - 1][a : None if n == len(ranges) - 1 else b].strip(" |") for n, (a, b) in enumerate(ranges)]
            )
            below = [text for text in lines[i + 1 :] if text.strip()]
            return Columns(tuple(ranges), tuple(names), i - 1, 2, _footer(below), 1.0) if below else None
    return None


def _footer(below: Sequence[str]) -> int:
    """How many of the last lines that are not blank close the table rather than belong to it."""
    count = 0
    for line in reversed(below[-4:]):
        if _CLOSING.fullmatch(line.strip()):
            count += 1
        else:
            break
    return count


def _named(lines: Sequence[str], ranges: Sequence[tuple[int, int]], first: int, last: int) -> Columns | None:
    columns = Columns(tuple(ranges), (), first)
    rows = [columns.cut(lines[i]) for i in range(first, last + 1) if lines[i].strip() and not _RULE.fullmatch(lines[i])]
    whole = sum(not columns.splits_a_word(lines[i]) for i in range(first, last + 1)) / (last - first + 1)
    head, data = rows[0], rows[1:]
    typed = [infer_column("", [row[i] for row in data]).type for i in range(len(ranges))]
    words = [bool(cell) and infer_column("", [cell]).type == "string" for cell in head]
    figures = [i for i, kind in enumerate(typed) if kind != "string"]
    named = bool(figures) and all(words[i] or not head[i] for i in figures) and any(words[i] for i in figures)
    if not figures:
        named = (
            all(words)
            and len(set(head)) == len(head)
            and not any(head[i] in {r[i] for r in data} for i in range(len(head)))
        )
        named = named and (all(cell.isupper() for cell in head) or all(re.fullmatch(r"[a-z_]+", cell) for cell in head))
    names = unique_names(head if named else [""] * len(ranges))
    rule = (
        1 if named and first + 1 < len(lines) and _RULE.fullmatch(lines[first + 1]) and lines[first + 1].strip() else 0
    )
    after = sum(1 for line in lines[last + 1 :] if line.strip())
    return replace(columns, names=tuple(names), header=(1 + rule) if named else 0, footer=after, share=whole)


# ------------------------------------------------------------------------------------------------------------- sniffing


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the first bytes of a file look like fixed-width columns: score, facts and evidence."""
    encoding = encoding_of(head[:65_536])
    if encoding is None:
        return 0.0, {}, ()
    lines = decoded(head[:32_768], encoding).splitlines()
    if len(head) > 32_768:
        lines = lines[:-1]
    lines = [line for line in lines if line.strip()][:120]
    columns = columns_of(lines)
    if columns is None or len(lines) < 3:
        return 0.0, {}, ()
    data = lines[columns.skip + columns.header :]
    filled = sum(bool(cell) for line in data for cell in columns.cut(line)) / max(len(data) * len(columns.ranges), 1)
    wide = sum(b - a > 1 for a, b in columns.ranges) / len(columns.ranges)
    cells = list(zip(*(columns.cut(line) for line in data), strict=True)) if data else []
    typed = sum(infer_column("", list(column)).type != "string" for column in cells) / max(len(cells), 1)
    score = columns.share * (0.45 + 0.3 * filled + 0.2 * typed) * (0.6 + 0.4 * wide)
    if re.search(r"\.(?:fwf|prn|fw|dat)$", name.lower()):
        score = min(0.97, score + 0.15)
    if any(sum(line.count(sign) for line in lines[:20]) >= 2 * len(lines[:20]) for sign in ("\t", ";", "|", ",")):
        score *= 0.5
    facts = {"format": "fixed-width", "columns": len(columns.ranges), "widths": [b - a for a, b in columns.ranges]}
    return (
        round(score, 3),
        facts,
        (f"{len(columns.ranges)} columns with blanks between them in {columns.share:.0%} of the lines",),
    )


# -------------------------------------------------------------------------------------------------------------- opening


def open_source(location: str, detection: Detection, options: OpenOptions) -> Source:
    """A source of one table. SourceProblem when the lines do not stand in columns."""
    from synth.sources.delimited import lines_of, read_text_file
    from synth.sources.records import existing_file, table_name
    from synth.sources.spool import Scratch
    from synth.sources.wrapping import unwrapped

    path = existing_file(location, "a fixed-width text file")
    scratch = Scratch()
    try:
        bare = unwrapped(path, detection.wrappings, scratch.file)
        text = read_text_file(bare, path.name)
        lines = lines_of(text.head)
        columns = columns_of(lines if text.whole else lines[:-1])
        if columns is None:
            raise SourceProblem(
                "unknown-kind", f"the lines of {path.name} do not stand in columns", "Its lines can be read as text."
            )
        if not text.whole:
            columns = replace(columns, footer=_footer([line for line in lines_of(text.tail) if line.strip()]))
        doors = DuckDoors(path=bare, encoding="utf-8-sig" if text.encoding.name == "utf-8" else text.encoding.name)
        doors.connection.execute("SET TimeZone='UTC'")
        try:
            name = table_name(location, options)
            spool = RowSpool(scratch.file("rows.parquet"), len(columns.ranges))
            looked: list[Sequence[str | None]] = []
            step = 1
            for number, (line, row) in enumerate(_rows(bare, text.encoding, columns, spool)):
                spool.add(line, row)
                if number % step == 0:
                    looked.append(row)
                    if len(looked) >= 2_000:
                        looked = looked[::2]
                        step *= 2
            spool.close()
            if not spool.rows:
                raise SourceProblem("empty", f"{path.name} holds no rows", "")
            types, samples = first_types(columns.names, spread(looked))
            table, rejects, notes = serve_spool(doors, name, spool, types, samples)
        except BaseException:
            doors.connection.close()
            raise
        if columns.skip:
            notes.append(f"{columns.skip} lines before the table are left out")
        if columns.footer:
            notes.append(f"{columns.footer} lines after the table are left out")
        if spool.aside:
            notes.append(f"{spool.aside} lines do not keep to the columns and are set aside")
        dialect = {
            "header": columns.header > 0,
            "skip_rows": columns.skip,
            "footer_rows": columns.footer,
            "encoding": text.encoding.name,
        }
        return DuckSource(
            name,
            detection.kind if detection.kind not in ("", "unknown") else "fixed-width",
            doors,
            tables=[table],
            rejects={name: rejects} if rejects else {},
            notes=[*notes, *null_notes(types)],
            cleanup=scratch.remove,
            facts={"format": "fixed-width", "dialect": {**dialect, "widths": [b - a for a, b in columns.ranges]}},
        )
    except BaseException:
        scratch.remove()
        raise


def _rows(path: Any, encoding: Any, columns: Columns, spool: RowSpool) -> Iterator[tuple[int, Sequence[str | None]]]:
    from synth.sources.delimited import numbered

    held: list[tuple[int, str]] = []
    begin = columns.skip + columns.header
    heading = None
    for number, raw in enumerate(numbered(path, encoding), 1):
        line = raw.expandtabs(8) if "\t" in raw else raw
        if columns.header and number == columns.skip + 1:
            heading = line.split()
        if number <= begin or not line.strip() or _RULE.fullmatch(line) or line.split() == heading:
            continue  # pages repeat the header
        held.append((number, line))
        if len(held) > columns.footer:
            at, line = held.pop(0)
            if columns.splits_a_word(line):
                spool.set_aside(at, "does not keep to the columns", line)
            else:
                yield at, columns.cut(line)
