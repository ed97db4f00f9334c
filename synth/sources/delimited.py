"""Delimited text of any dialect and encoding, read by DuckDB where it can, else converted row by row with nothing lost."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.infer import ColumnType
from synth.schema import Table
from synth.source import OpenOptions, Source
from synth.sources.dialect import Dialect, cut_of, cut_rows, dialect_of, is_names, is_rule, with_encoding
from synth.sources.duck import DuckDoors, DuckSource, Rejects, literal
from synth.sources.encoding import Encoding, decoded, encoding_of
from synth.sources.text_table import (
    RowSpool,
    Settled,
    first_types,
    hollow,
    null_notes,
    rejects_of,
    serve_spool,
    settled,
    spread,
    table_of,
    typed_select,
)
from synth.sources.wrapping import unwrapped

HEAD_BYTES = 256 * 1024
TAIL_BYTES = 32 * 1024
WHOLE_BYTES = 48 * 1024**2
"""A file of at most this size is held against its types whole when it is opened."""
NATIVE_COLUMNS = 96
"""A wider table is read from Parquet: what looks at some of its columns need not cut all of them."""
CHUNKS = 24
CHUNK_BYTES = 32 * 1024
CELL_BYTES = 8 * 1024**2
ROW_LINES = 5_000
"""A row of more lines than this has a quote that was never closed."""
LONG_SHARE = 0.02
"""When more of the rows than this are too long, the table is as wide as they are."""


# ------------------------------------------------------------------------------------------------------------- sniffing


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the first bytes of a file look like delimited text: score, dialect and evidence."""
    encoding = encoding_of(head[:65_536])
    if encoding is None:
        return 0.0, {}, ()
    text = decoded(head[:65_536], encoding)
    if not text.strip():
        return 0.0, {}, ()
    against = _another_format(text)
    dialect = with_encoding(
        dialect_of(text, whole=len(head) < 4096 or len(head) < 65_536, rows=60), _told(encoding), bool(encoding.bom)
    )
    score, evidence = _score(text, dialect, name.lower())
    if against:
        score *= 0.25
        evidence = (*evidence, f"but it {against}")
    kind = {"\t": "tsv", "|": "psv"}.get(dialect.delimiter, "csv")
    return round(score, 3), {"format": kind, "dialect": dialect.facts(), "columns": dialect.columns}, evidence


def _score(text: str, dialect: Dialect, name: str) -> tuple[float, tuple[str, ...]]:
    named = bool(re.search(r"\.(?:csv|tsv|tab|psv|ssv|dsv|csvs|txt\.csv)(?:\.\w+)?$", name))
    lines = sum(1 for line in text.split("\n", 60) if line.strip())
    if dialect.columns < 2:
        return (0.5 if named else 0.05), ("one column",)
    score = dialect.sure
    if lines < 3:
        score *= 0.7
    if dialect.delimiter in (" ", ":", "/", "_", "+", "=", "!", "#", "&", "*", "$", "%", "@"):
        score *= 0.45
    if dialect.delimiter == "," and not named and _is_prose(text):
        score *= 0.2
    if named:
        score = 0.6 + 0.4 * score
    return min(score, 0.99), (
        *dialect.evidence[:1],
        f"{dialect.columns} columns",
        "the name ends like a table's" if named else "",
    )


def _is_prose(text: str) -> bool:
    lines = [line for line in text.split("\n")[:40] if line.strip()]
    return sum(len(line.split()) > 8 and line.count(",") < len(line.split()) / 4 for line in lines) > len(lines) / 2


_SQL_HEADS = r"(?:create|insert|drop|select|alter|begin|pragma|set)"
_CODE_HEADS = (
    r"(?:from [\w.]+ import |import [\w.]+\n|def \w+\(|class \w+[(:]|function \w+\(|package [\w.]+;|#include |using [\w.]+;"
    r"|public class )"
)
_OTHERS = (
    (re.compile(r"\s*<(?:\?xml|!doctype|[a-zA-Z][\w:.-]*[\s/>])", re.I), "begins like XML or HTML"),
    (re.compile(r"\s*\{\s*(?:\"|\}|$)"), "begins like a JSON object"),
    (re.compile(r"\s*\[\s*(?:\{|\"|-?\d+[\s,\]]|\[|\])"), "begins like a JSON array"),
    (re.compile(r"\s*%PDF-|\s*\{\\rtf"), "begins like a document"),
    (re.compile(r"\s*#!"), "begins like a script"),
    (re.compile(r"\s*(?:---\s*\n|[\w-]+:\s*\n\s+[-\w])"), "begins like YAML"),
    (re.compile(r"\s*\[[\w .\-:]+\]\s*\n[\w.\- ]+\s*[=:]"), "begins like an INI file"),
    (re.compile(rf"\s*(?:/\*|--[^\n]*\n\s*)?{_SQL_HEADS}\s+(?:table|into|database|\*|transaction|@)", re.I), "begins like SQL"),
    (re.compile(_CODE_HEADS), "begins like a program"),
    (re.compile(r"\s*(?:From |Return-Path:|Received:|MIME-Version:|BEGIN:V|HTTP/\d)"), "begins like a message"),
    (re.compile(r"#(?:Version|Fields|Software): "), "is a W3C log"),
)  # fmt: skip


def _another_format(text: str) -> str:
    return next((words for expression, words in _OTHERS if expression.match(text)), "")


def _told(encoding: Encoding) -> str:
    """The codec's name as a reader of the report expects it."""
    if encoding.bom and encoding.name.startswith("utf-16"):
        return "utf-16"
    if encoding.bom and encoding.name.startswith("utf-32"):
        return "utf-32"
    return {"iso8859-1": "iso-8859-1"}.get(encoding.name, encoding.name)


# -------------------------------------------------------------------------------------------------------------- opening


def open_source(location: str, detection: Detection, options: OpenOptions) -> Source:
    """A source of one table. SourceProblem for a file that is missing, empty, no text, or cut off."""
    from synth.sources.records import existing_file, table_name
    from synth.sources.spool import Scratch

    path = existing_file(location, "a delimited text file")
    scratch = Scratch()
    try:
        bare = unwrapped(path, detection.wrappings, scratch.file)
        return _opened(bare, path, table_name(location, options), detection, scratch)
    except BaseException:
        scratch.remove()
        raise


@dataclass(frozen=True)
class _Text:
    """A text file as it lies on disk, and what is known of it."""

    path: Path
    size: int
    encoding: Encoding
    head: str
    whole: bool
    tail: str


def read_text_file(path: Path, named: str) -> _Text:
    """The encoding of a file and its first and last part as text. SourceProblem when it is empty or no text."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        tail = b""
        if size > HEAD_BYTES:
            stream.seek(max(size - TAIL_BYTES, HEAD_BYTES))
            tail = stream.read(TAIL_BYTES)
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf\x1a"):
        raise SourceProblem("empty", f"{named} is empty", "There is nothing to read in it.")
    encoding = encoding_of(head)
    if encoding is None:
        raise SourceProblem(
            "unreadable", f"{named} is not text: it holds binary data", "See what it is with: tars datasource detect"
        )
    if size > HEAD_BYTES and size <= WHOLE_BYTES:
        encoding = _surveyed(path, head, encoding)
    end = ""
    if tail:
        width = 4 if "32" in encoding.name else 2
        cut = len(tail) % width if encoding.name.startswith(("utf-16", "utf-32")) else 0
        end = tail[cut:].decode(encoding.name, "replace")
    return _Text(path, size, encoding, decoded(head, encoding), size <= HEAD_BYTES, end)


def _surveyed(path: Path, head: bytes, encoding: Encoding) -> Encoding:
    """The encoding by all of the file: the first umlaut may stand in its last row."""
    if encoding.name != "utf-8" or encoding.bom:
        return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    odd: list[bytes] = []
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            if not odd and chunk.isascii() and not decoder.getstate()[0]:
                continue
            if not odd:
                try:
                    decoder.decode(chunk)
                    continue
                except UnicodeDecodeError:
                    decoder.reset()
            odd += [line for line in chunk.split(b"\n")[1:-1] if not line.isascii()][:2_000]
            if len(odd) > 4_000:
                break
    if not odd:
        return encoding
    return encoding_of(head[:1000].split(b"\n")[0] + b"\n" + b"\n".join(odd) + b"\n") or encoding


def _opened(bare: Path, path: Path, name: str, detection: Detection, scratch: Any) -> Source:
    text = read_text_file(bare, path.name)
    dialect = with_encoding(
        dialect_of(text.head, whole=text.whole, tail=text.tail), _told(text.encoding), bool(text.encoding.bom)
    )
    csv.field_size_limit(CELL_BYTES)
    doors = DuckDoors(path=bare, encoding="utf-8-sig" if text.encoding.name == "utf-8" else text.encoding.name)
    doors.connection.execute("SET TimeZone='UTC'")
    notes = _notes(dialect, text)
    readable = _as_utf8(text, dialect, scratch)
    try:
        served = _native(doors, name, text, readable, dialect) if readable is not None else None
        if served is None:
            served = _converted(doors, name, text, dialect, scratch.file("rows.parquet"))
    except BaseException:
        doors.connection.close()
        raise
    table, rejects, more, decimal = served
    dialect = replace(dialect, decimal=decimal)
    kind = detection.kind if detection.kind not in ("", "unknown") else "csv"
    facts: dict[str, object] = {"format": {"\t": "tsv"}.get(dialect.delimiter, "csv"), "dialect": dialect.facts()}
    return DuckSource(
        name,
        kind,
        doors,
        tables=[table],
        rejects={name: rejects} if rejects else {},
        notes=[*notes, *more],
        cleanup=scratch.remove,
        facts=facts,
    )


_Served = tuple[Table, Rejects | None, list[str], str]


def _notes(dialect: Dialect, text: _Text) -> list[str]:
    notes = []
    if dialect.skip_rows:
        notes.append(f"{dialect.skip_rows} lines before the table are left out")
    if dialect.footer_rows:
        notes.append(f"{dialect.footer_rows} lines after the table are left out")
    if dialect.comment:
        notes.append(f"lines that begin with {dialect.comment} are left out")
    if dialect.header_rows > 1:
        notes.append(f"the names are joined from {dialect.header_rows} header rows")
    if not dialect.header:
        notes.append("there is no header; the columns are numbered")
    if text.encoding.damaged:
        notes.append("some bytes are no text in the file's encoding; their rows are set aside")
    return notes


def _guess(
    dialect: Dialect, rows: Sequence[Sequence[str | None]], names: Sequence[str]
) -> tuple[list[ColumnType], list[list[str | None]]]:
    # Semicolons cut where commas are taken by decimals, but not only there.
    regional = dialect.delimiter == ";"
    return first_types(names, spread(rows), decimal="?" if regional else "", day_first=True if regional else None)


def _unnamed(dialect: Dialect) -> frozenset[int]:
    """The columns whose header cell is blank."""
    return frozenset(i for i, n in enumerate(dialect.names) if dialect.header and n == f"column_{i + 1}")


def _decimal_of(types: Sequence[ColumnType]) -> str:
    return "," if any(one.decimal == "," for one in types) else "."


# --------------------------------------------------------------------------------------------------- DuckDB's own reader


def _as_utf8(text: _Text, dialect: Dialect, scratch: Any) -> Path | None:
    """A UTF-8 file that DuckDB's reader can take with this dialect; None when the rows must be cut here."""
    odd = (
        dialect.comment
        or dialect.footer_rows
        or dialect.ragged
        or dialect.rules
        or dialect.repeats
        or len(dialect.names) != dialect.columns
        or not 2 <= dialect.columns <= NATIVE_COLUMNS
        or (dialect.header and dialect.header_lines != 1)
        or dialect.skip_initial_space
        or text.encoding.damaged
        or len(dialect.delimiter.encode()) > 4
        or (dialect.escapechar and not dialect.quotechar)
        or '"' in "".join(text.head.split("\n")[: dialect.skip_rows])
    )
    if odd:
        return None
    if text.encoding.utf8:
        return text.path
    target: Path = scratch.file("utf8.txt")
    with text.path.open("rb") as source, target.open("wb") as out:
        source.seek(text.encoding.bom)
        decoder = codecs.getincrementaldecoder(text.encoding.name)("strict")
        try:
            while chunk := source.read(1 << 20):
                out.write(decoder.decode(chunk).encode())
            out.write(decoder.decode(b"", final=True).encode())
        except UnicodeError:
            return None
    return target


def _reader(path: Path, dialect: Dialect, kinds: Sequence[str], more: str = "") -> str:
    columns = ", ".join(f"c{i}: {literal(kind)}" for i, kind in enumerate(kinds))
    quote = dialect.quotechar
    escape = dialect.escapechar or quote
    skip = dialect.skip_rows + (1 if dialect.header else 0)
    return (
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, skip={skip}, delim={literal(dialect.delimiter)}, "
        f"quote={literal(quote)}, escape={literal(escape)}, columns={{{columns}}}{more})"
    )


def _native(doors: DuckDoors, name: str, text: _Text, path: Path, dialect: Dialect) -> _Served | None:
    """The table by DuckDB's reader; None where the file turns out not to be what that reader expects."""
    import duckdb

    names = list(dialect.names)
    rows = _sample_rows(text, path, dialect)
    types, samples = _guess(dialect, rows, names)
    if text.size > WHOLE_BYTES:
        return _huge(doors, name, path, dialect, types, samples)
    raw = _reader(path, dialect, ["VARCHAR"] * len(names))
    try:
        whole = text.whole and len(samples[0]) == len(rows)
        found = settled(doors.connection, raw, types, samples, whole=whole)
        if whole:
            counted = doors.connection.execute(f"SELECT count(*) FROM {raw}").fetchone()
            if counted is None or counted[0] != len(rows):
                return None  # the two readers disagree about the rows
    except duckdb.Error:
        return None
    if not found.clean or _header_again(doors, raw, dialect, found.types):
        return None  # the rows set aside need their lines
    native = [_by_reader(one) for one in found.types]
    kinds = [one.duckdb_type if _by_reader(one) else "VARCHAR" for one in found.types]
    doors.allow(path)
    dropped = hollow(found, _unnamed(dialect))
    table = table_of(name, found, dropped)
    doors.add_view(table, typed_select(_reader(path, dialect, kinds), found.types, native=native, dropped=dropped))
    return table, None, [*found.notes, *null_notes(found.types)], _decimal_of(found.types)


def _header_again(doors: DuckDoors, raw: str, dialect: Dialect, types: Sequence[ColumnType]) -> bool:
    """Whether the header stands between the rows of a table of words; in others it breaks a type."""
    if not dialect.header or any(one.type != "string" for one in types) or not is_names(dialect.names):
        return False
    same = " AND ".join(f"trim(c{i}) = {literal(name)}" for i, name in enumerate(dialect.names))
    return bool(doors.connection.execute(f"SELECT 1 FROM {raw} WHERE {same} LIMIT 1").fetchall())


def _by_reader(one: ColumnType) -> bool:
    """Whether DuckDB's reader types the column itself; it takes no padded `true`."""
    return one.plain and one.type != "bool"


def _huge(
    doors: DuckDoors,
    name: str,
    path: Path,
    dialect: Dialect,
    types: Sequence[ColumnType],
    samples: Sequence[Sequence[str | None]],
) -> _Served | None:
    """A file too large to look through thoroughly: typed by a spread sample, and what breaks a type is set aside as it is read.

    One quick pass finds the columns in which the reader would change a value rather than reject it; they are looked through.
    """
    import duckdb

    texts = _reader(path, dialect, ["VARCHAR"] * len(types), ", ignore_errors=true")
    doors.allow(path)
    try:
        found = settled(doors.connection, texts, types, samples, only=_not_believed(doors, texts, types, samples))
        types = found.types
        rounded = _rounded(doors, texts, found)
        native = [_by_reader(one) and i not in rounded for i, one in enumerate(types)]
        kinds = [one.duckdb_type if plain else "VARCHAR" for plain, one in zip(native, types, strict=True)]
        options = ", store_rejects=true, rejects_table='tars_rejects', rejects_scan='tars_reject_scans'"
        reader = _reader(path, dialect, kinds, options)
        doors.connection.execute(f"SELECT count(*) FROM (SELECT * FROM {reader} LIMIT 20000)").fetchall()
        kept = doors.connection.execute("SELECT count(*) FROM tars_rejects").fetchone()
    except duckdb.Error:
        return None
    if kept is not None and kept[0] > 400:
        return None  # the reader and the search see different rows
    filtered = [not plain and one.type != "string" for plain, one in zip(native, types, strict=True)]
    table = replace(table_of(name, found), rows=None)
    table = replace(table, fields=tuple(replace(f, nullable=True) for f in table.fields))
    doors.add_view(table, typed_select(reader, types, native=native, filtered=filtered))
    words = {f"c{i}": one.rule() for i, one in enumerate(types)}
    named = " ".join(f"WHEN {literal(column)} THEN {literal(rule)}" for column, rule in words.items())
    counted = f"has another number of cells than the {len(types)} expected"
    native_rejects = (
        f"SELECT CAST(line AS BIGINT) AS line, min(CASE WHEN error_type = 'CAST' THEN CASE column_name {named} END "
        f"WHEN error_type IN ('TOO MANY COLUMNS', 'MISSING COLUMNS') THEN {literal(counted)} "
        "WHEN error_type = 'UNQUOTED VALUE' THEN 'opens a quote that is not closed' "
        "WHEN error_type = 'INVALID ENCODING' THEN 'holds bytes that are no text in the file''s encoding' "
        "ELSE lower(error_type::VARCHAR) END) AS rule, "
        "min(csv_line) AS value FROM tars_rejects GROUP BY line"
    )
    first = dialect.skip_rows + (1 if dialect.header else 0)
    numbered = f"(SELECT *, row_number() OVER () + {first} AS line FROM {texts})"
    return (
        table,
        rejects_of(numbered, types, filtered, more=native_rejects),
        [*found.notes, *null_notes(types)],
        _decimal_of(types),
    )


def _not_believed(
    doors: DuckDoors, texts: str, types: Sequence[ColumnType], samples: Sequence[Sequence[str | None]]
) -> set[int]:
    """The columns that hold something the reader may take for another value, and those that the sample shows nothing of."""
    tests = [_may_change(one, f"c{i}", samples[i]) for i, one in enumerate(types)]
    asked = [i for i, test in enumerate(tests) if test]
    if not asked:
        return set()
    row = doors.connection.execute(
        f"SELECT {', '.join(f'bool_or({tests[i]})' for i in asked)} FROM {texts}"
    ).fetchall()[0]
    return {i for i, yes in zip(asked, row, strict=True) if yes}


def _may_change(one: ColumnType, column: str, sample: Sequence[str | None]) -> str:
    """A cheap test, true of every text that DuckDB's reader takes and changes: it makes 2 of 1.5, and a day of a moment."""
    if one.type == "string":
        return "" if one.distinct else f"{column} <> ''"
    if not _by_reader(one):
        return ""
    if one.type == "double":
        return f"{column}[1] IN ('n', 'N')"
    scale = re.fullmatch(r"decimal128\(\d+, (\d+)\)", one.type)
    if one.type == "int64" or (scale and scale[1] == "0"):
        return f"contains({column}, '.') OR {column} LIKE '0_%'"
    if scale:
        long = f"strpos({column}, '.') > 0 AND strlen({column}) - strpos({column}, '.') > {scale[1]}"
        return f"({long}) OR contains({column}, 'e-') OR contains({column}, 'E-')"
    return f"strlen({column}) > {max((len(text) for text in sample if text), default=0)}"


def _rounded(doors: DuckDoors, texts: str, found: Settled) -> set[int]:
    """The columns in which DuckDB's reader would take a value that breaks the type, and change it: 1.5 as a whole number."""
    broken = [i for i, n in enumerate(found.breaks) if n and _by_reader(found.types[i])]
    if not broken:
        return set()
    tests = [
        f"bool_or({found.types[i].breaks(f'c{i}')} AND TRY_CAST(c{i} AS {found.types[i].duckdb_type}) IS NOT NULL)"
        for i in broken
    ]
    row = doors.connection.execute(f"SELECT {', '.join(tests)} FROM {texts}").fetchall()[0]
    return {i for i, taken in zip(broken, row, strict=True) if taken}


def _sample_rows(text: _Text, path: Path, dialect: Dialect) -> list[list[str]]:
    """Rows of the head, and of pieces from all over a huge file."""
    width = dialect.columns
    lines = lines_of(text.head)
    if not text.whole:
        lines = lines[:-1]
    begin = dialect.skip_rows + dialect.header_lines
    rows = [row for _, row in cut_rows(lines[begin:], cut_of(dialect), 1_500) if len(row) == width]
    if not text.whole and rows:
        size = path.stat().st_size
        with path.open("rb") as stream:
            for i in range(1, CHUNKS + 1):
                stream.seek(size * i // (CHUNKS + 1))
                piece = stream.read(CHUNK_BYTES).decode("utf-8", "ignore")
                rows += [row for _, row in cut_rows(lines_of(piece)[1:-1], cut_of(dialect), 40) if len(row) == width]
    return rows


def lines_of(text: str) -> list[str]:
    """The lines of a text: only line feeds and carriage returns end them."""
    if "\r" in text:
        return re.split(r"\r\n|\n|\r", text)
    return text.split("\n")


# ------------------------------------------------------------------------------------------------- rows that we cut here


def _converted(doors: DuckDoors, name: str, text: _Text, dialect: Dialect, target: Path) -> _Served:
    """The table by way of a Parquet file of its rows: for all that DuckDB's reader has no word for."""
    width, names = _full_width(text, dialect)
    spool = RowSpool(target, width)
    padded = again = 0
    header = names if dialect.header and dialect.header_rows == 1 and is_names(names) else []
    looked: list[Sequence[str | None]] = []
    step = 1
    cutter = RowCutter(text.path, text.encoding, dialect, width)
    for line, row, raw in _whole_cells(cutter.rows(), text, dialect) if dialect.rules else cutter.rows():
        if header and row[-1].strip() == header[-1] and [cell.strip() for cell in row] == header:
            again += 1
            continue
        if len(row) < width:
            padded += 1
            row = [*row, *[""] * (width - len(row))]
        elif len(row) > width:
            if any(cell.strip() for cell in row[width:]):
                spool.set_aside(line, f"has {len(row)} cells where {width} are expected", raw)
                continue
            row = row[:width]
        if spool.rows + len(looked) < 1_000 or line % step == 0:
            looked.append(row)
            if len(looked) >= 4_000:
                looked = looked[::2]
                step *= 2
        spool.add(line, row)
    for line, rule, raw in cutter.broken:
        spool.set_aside(line, rule, raw)
    spool.close()
    types, samples = _guess(dialect, looked, names)
    table, rejects, notes = serve_spool(doors, name, spool, types, samples, _unnamed(dialect))
    if again:
        notes.append(f"the header is repeated in {again} lines, which are left out")
    if padded:
        notes.append(f"{padded} rows are shorter than the others; their last columns are null")
    if spool.aside:
        notes.append(f"{spool.aside} rows are set aside")
    return table, rejects, [*notes, *null_notes(types)], _decimal_of(types)


def _whole_cells(
    rows: Iterator[tuple[int, list[str], str]], text: _Text, dialect: Dialect
) -> Iterator[tuple[int, list[str], str]]:
    """The rows of a drawn table, trimmed; psql ends a line of a cell with a + at the cell's border where another line follows."""
    drawn = next((line.strip() for line in lines_of(text.head) if is_rule(line)), "")
    widths = [len(piece) for piece in drawn.split("+")] if drawn.startswith("-") else []
    waiting: tuple[int, list[str], str] | None = None
    for line, row, raw in rows:
        drawn_cells = raw.split(dialect.delimiter)
        on = [len(cell) == w and cell.endswith("+") for cell, w in zip(drawn_cells, widths, strict=False)]
        follows = len(drawn_cells) == len(row) == len(widths) and any(on)
        if follows:
            row = [cell[:-1] if more else cell for cell, more in zip(drawn_cells, on, strict=True)]
        row = [cell.strip() for cell in row]
        if waiting is not None and len(row) == len(waiting[1]):
            row = ["\n".join(filter(None, pair)) for pair in zip(waiting[1], row, strict=True)]
            line, raw = waiting[0], waiting[2] + "\n" + raw
        elif waiting is not None:
            yield waiting
        waiting = (line, row, raw) if follows else None
        if waiting is None:
            yield line, row, raw
    if waiting is not None:
        yield waiting


def _full_width(text: _Text, dialect: Dialect) -> tuple[int, list[str]]:
    """The table's width: that of its longest rows where there are many such."""
    names = list(dialect.names)
    if dialect.ragged and dialect.widest > dialect.columns:
        lines = lines_of(text.head)[dialect.skip_rows + dialect.header_lines :]
        rows = [[*row] for _, row in cut_rows(lines, cut_of(dialect), 2_000)]
        long = [row for row in rows if len(row) > dialect.columns and any(c.strip() for c in row[dialect.columns :])]
        if len(long) > max(LONG_SHARE * len(rows), 2) and dialect.widest <= 1_000:
            from synth.sources.dialect import unique_names

            width = max(dialect.widest, len(names))
            return width, unique_names([*names, *[""] * (width - len(names))])
    return max(dialect.columns, len(names), 1), names or ["column_1"]


_BLANK = " \t\x00\x1a\ufeff"


class RowCutter:
    """Cuts a whole file into rows, in bounded memory, with the line of each; a broken quote costs its own line and no other."""

    def __init__(self, path: Path, encoding: Encoding, dialect: Dialect, width: int) -> None:
        self.path = path
        self.encoding = encoding
        self.dialect = dialect
        self.width = width
        self.broken: list[tuple[int, str, str]] = []
        self._pulled: list[tuple[int, str]] = []
        self._again: deque[tuple[int, str]] = deque()

    def rows(self) -> Iterator[tuple[int, list[str], str]]:
        """(line from 1, cells, raw text) of every row but the broken ones."""
        lines = self._lines()
        while True:
            reader = self._reader(self._feed(lines))
            try:
                for row in reader:
                    pulled, self._pulled = self._pulled, []
                    if not row or (len(row) == 1 and not row[0].strip(_BLANK)):
                        if len(pulled) > 1:
                            self._redo(pulled)
                        continue
                    if len(pulled) > 1 and (len(row) != self.width or not self._is_sound(pulled)):
                        self._redo(pulled)
                        break
                    yield pulled[0][0], row, pulled[0][1] if len(pulled) == 1 else "\n".join(t for _, t in pulled)
                else:
                    if not self._again:
                        return
            except csv.Error as error:
                pulled, self._pulled = self._pulled, []
                if not pulled:
                    raise SourceProblem("unreadable", f"{self.path.name} cannot be cut into rows: {error}") from error
                self._redo(pulled)

    def _redo(self, pulled: list[tuple[int, str]]) -> None:
        """The first of these lines opened a quote that nothing rightly closed: set it aside and read the others anew."""
        line, raw = pulled[0]
        self.broken.append((line, "opens a quote that is not closed", raw))
        self._again.extendleft(reversed(pulled[1:]))

    def _is_sound(self, pulled: list[tuple[int, str]]) -> bool:
        """Whether every quote in these lines opens and closes where one may."""
        try:
            list(self._reader(iter([text + "\n" for _, text in pulled]), strict=True))
        except csv.Error:
            return False
        return True

    def _feed(self, lines: Iterator[tuple[int, str]]) -> Iterator[str]:
        multi = self.dialect.delimiter if len(self.dialect.delimiter) > 1 else ""
        pulled = self._pulled
        while True:
            if self._again:
                item = self._again.popleft()
            else:
                following = next(lines, None)
                if following is None:
                    return
                item = following
            pulled = self._pulled
            pulled.append(item)
            if len(pulled) > ROW_LINES:
                raise csv.Error("a row of too many lines")
            text = item[1]
            yield (text.replace(multi, "\x1f") if multi else text) + "\n"

    def _reader(self, feed: Iterator[str], *, strict: bool = False) -> Iterator[list[str]]:
        cut = cut_of(self.dialect)
        return csv.reader(
            feed,
            delimiter="\x1f" if len(cut.delimiter) > 1 else cut.delimiter,
            quotechar=cut.quote or None,
            quoting=csv.QUOTE_MINIMAL if cut.quote else csv.QUOTE_NONE,
            escapechar=cut.escape or None,
            doublequote=cut.doublequote,
            skipinitialspace=cut.space,
            strict=strict,
        )

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Numbered lines of the table's body: neither comments nor header nor footer."""
        skip = self.dialect.skip_rows + self.dialect.header_lines
        comment, footer, rules = self.dialect.comment, self.dialect.footer_rows, self.dialect.rules
        held: deque[tuple[int, str]] = deque()
        for number, text in enumerate(numbered(self.path, self.encoding), 1):
            if number <= skip:
                continue
            held.append((number, text))
            if footer and not text.strip():
                continue
            while len(held) > footer:
                item = held.popleft()
                if not (comment and item[1].lstrip().startswith(comment)) and not (rules and is_rule(item[1])):
                    yield item


def numbered(path: Path, encoding: Encoding) -> Iterator[str]:
    """The lines of a file without their ends; bytes that are no text come through as lone surrogates."""
    with path.open("rb") as binary:
        binary.seek(encoding.bom)
        decoder = codecs.getincrementaldecoder(encoding.name)(
            "surrogateescape" if not encoding.name.startswith(("utf-16", "utf-32")) else "replace"
        )
        rest = ""
        while chunk := binary.read(1 << 20):
            text = rest + decoder.decode(chunk)
            if text.endswith("\r"):
                text, rest = text[:-1], "\r"
            else:
                rest = ""
            lines = lines_of(text)
            rest = lines.pop() + rest
            if len(rest) > CELL_BYTES * 2:
                raise SourceProblem(
                    "unreadable",
                    f"{path.name} holds a line of more than {CELL_BYTES * 2 // 1024**2} MB",
                    "It may not be a table.",
                )
            yield from lines
        rest += decoder.decode(b"", final=True)
        if rest:
            yield from lines_of(rest.removesuffix("\n").removesuffix("\r"))
