"""Spreadsheets (xlsx, xlsm, xlsb, xls, ods): each sheet is a table, or several where they stand clearly apart."""

from __future__ import annotations

import math
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources.duck import DuckSource
from synth.sources.grid import GridTable, tables_of
from synth.sources.records import Opened, Records, existing_file, identifier, spooled, table_name, unique_names
from synth.sources.spool import Number

SHEET_BYTES = 160 * 1024**2
"""A workbook that unpacks to more than this is refused: it is held in memory whole."""
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
SHEET_CELLS = 8_000_000
"""So large a rectangle of cells is refused when it is mostly blank."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks like a spreadsheet: a score, the facts (`format`), the evidence."""
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(head, name)
    if head.startswith(_OLE):
        if "Workbook".encode("utf-16-le") in head or "Book\0".encode("utf-16-le") in head:
            return 0.97, {"format": "xls"}, ("an OLE file with a Workbook stream",)
        if "EncryptedPackage".encode("utf-16-le") in head:
            return 0.6, {"format": "xlsx", "encrypted": True}, ("an OLE file with an encrypted package",)
        telling = name.lower().endswith((".xls", ".xlt"))
        return (0.8 if telling else 0.2), {"format": "xls"}, ("an OLE file; its directory is not in the head",)
    if head[:4] in (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00"):
        return 0.9, {"format": "xls"}, ("a bare BIFF stream",)
    return 0.0, {}, ()


def _sniff_zip(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in head[:200]:
        return 0.99, {"format": "ods"}, ("an OpenDocument spreadsheet by its mimetype member",)
    if b"xl/workbook.bin" in head or b"xl/worksheets/sheet1.bin" in head:
        return 0.98, {"format": "xlsb"}, ("a zip with xl/workbook.bin",)
    if b"xl/workbook.xml" in head or b"xl/worksheets/" in head or b"xl/_rels" in head:
        kind = "xlsm" if b"vbaProject.bin" in head else "xlsx"
        return 0.98, {"format": kind}, ("a zip with xl/workbook.xml",)
    suffix = name.lower().rpartition(".")[2]
    if b"[Content_Types].xml" in head[:4096] and suffix in ("xlsx", "xlsm", "xlsb"):
        return 0.9, {"format": suffix}, ("an Office package named as a spreadsheet",)
    if suffix in ("xlsx", "xlsm", "xlsb", "ods"):
        return 0.5, {"format": suffix}, ("a zip named as a spreadsheet",)
    return 0.0, {}, ()


def open_source(location: str, detection: Detection, options: OpenOptions) -> DuckSource:
    """Every table on every sheet of a workbook. Hidden sheets are read too, after the others, and said to be hidden."""
    from python_calamine import PasswordError, load_workbook

    path = existing_file(location, "a spreadsheet")
    opened = Opened(path, detection.wrappings)
    try:
        _check_size(opened.plain_path, location)
        kind = str(sniff(opened.head(65_536), path.name)[1].get("format", "xlsx"))
        if kind not in ("xlsx", "xlsm"):
            _try_out(opened, location)
        try:
            with _calamine(opened, location):
                workbook = load_workbook(opened.plain_path)
        except PasswordError:
            raise SourceProblem(
                "authentication", f"{location} is protected by a password", "Save a copy without one."
            ) from None
        base = table_name(location, options)
        records = spooled(lambda taker: _fill(taker, workbook, base, options, opened, location))
        if not any(branch.spool.rows for branch in records.branches):
            raise SourceProblem(
                "empty", f"{location} holds no table: its sheets are empty", "Check the step that writes it."
            )
        _note_uncalculated(records, opened.plain_path)
        return records.source(
            options.name or path.name,
            detection.kind,
            path=opened.plain_path,
            facts={"format": kind, "dialect": {"sheets": list(workbook.sheet_names)}},
            cleanup=opened.close,
        )
    except BaseException:
        opened.close()
        raise


def _fill(records: Records, workbook: Any, base: str, options: OpenOptions, opened: Opened, location: str) -> None:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    found: list[tuple[str, GridTable, bool]] = []
    for sheet in workbook.sheets_metadata:
        if sheet.typ != SheetTypeEnum.WorkSheet:
            records.note(f"sheet {sheet.name!r} is a chart or macro sheet and holds no cells")
            continue
        with _calamine(opened, location):
            read = workbook.get_sheet_by_name(sheet.name)
            cells = read.to_python(skip_empty_area=True) if read.start is not None else []
            joined = read.merged_cell_ranges or ()
        tables = _tables_on(cells, read.start, joined)
        hidden = sheet.visible != SheetVisibleEnum.Visible
        if hidden and tables:
            records.note(f"sheet {sheet.name!r} is hidden")
        found += [(sheet.name, table, hidden) for table in tables]
    sheets = {name for name, _, _ in found}
    for sheet_name, table, hidden in sorted(found, key=lambda f: f[2]):
        alone = sum(name == sheet_name for name, _, _ in found) == 1
        branch = records.branch(_name(sheet_name, table, alone, len(sheets) == 1, base, bool(options.name)))
        branch.path = sheet_name
        branch.comment = "; ".join([f"sheet {sheet_name!r}", *(["hidden"] if hidden else []), *table.notes])
        for note in table.notes:
            records.note(f"{branch.name}: {note}")
        names = unique_names(table.names)
        if not table.rows:
            records.note(f"{branch.name} has a header but no rows")
            records.columns(branch, names)
        for row, position in zip(table.rows, table.positions, strict=True):
            records.add(branch, position, dict(zip(names, row, strict=True)))


@contextmanager
def _calamine(opened: Opened, location: str) -> Iterator[None]:
    """Calls into the reader. A broken file can make it panic, which it would report on stderr by itself, with a stack."""
    from python_calamine import CalamineError, PasswordError

    with _quiet_stderr():
        try:
            yield
        except PasswordError:
            raise
        except (CalamineError, ValueError, OSError) as error:
            raise _problem(opened, location, error) from None
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise _problem(opened, location, Exception("it is damaged")) from None


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)


_DEFAULT_SHEET = re.compile(
    r"(?:sheet|tabelle|feuille|feuil|hoja|foglio|blad|planilha|лист|worksheet)\s?\d*", re.IGNORECASE
)


def _name(sheet: str, table: GridTable, alone: bool, only_sheet: bool, base: str, named: bool) -> str:
    """The file's name for an only sheet that nobody named; else the sheet's, or the table's title where a sheet has several."""
    if not alone and table.title and len(table.title) <= 40:
        return identifier(table.title)
    return base if only_sheet and (named or _DEFAULT_SHEET.fullmatch(sheet.strip())) else identifier(sheet)


def _tables_on(
    cells: list[list[Any]], start: tuple[int, int] | None, merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]
) -> list[GridTable]:
    if start is None:
        return []
    grid = [[_cell(v) for v in row] for row in cells]
    top, left = start
    height, width = len(grid), max(map(len, grid), default=0)
    joined = [
        (r0 - top, c0 - left, min(r1 - top, height - 1), min(c1 - left, width - 1))
        for (r0, c0), (r1, c1) in merged
        if r0 >= top and c0 >= left and r0 - top < height and c0 - left < width
    ]
    tables = tables_of(grid, joined)
    for table in tables:
        table.positions = [position + top for position in table.positions]
    return tables


def _cell(value: Any) -> Any:
    """A cell's value as the program shows it: numbers to 15 digits, which is all that a spreadsheet carries."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53:
            return int(value)
        text = f"{value:.15g}"
        return Number(text) if math.isfinite(value) and "e" not in text else value
    return value


def _check_size(path: Path, location: str) -> None:
    """Refuse what would not fit in memory: the reader holds every sheet as a full rectangle, from its first cell to its last."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > SHEET_BYTES:
                raise SourceProblem(
                    "too-large",
                    f"{location} unpacks to {size // 1024**2} MB; no workbook of more than {SHEET_BYTES // 1024**2} MB is read",
                    "Save the sheets as CSV.",
                )
            for info in archive.infolist():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", info.filename):
                    _check_reach(archive.read(info), location)
                elif info.filename == "content.xml":
                    _check_repeats(archive.read(info), location)
    except BROKEN_ZIP:
        return


def _check_reach(sheet: bytes, location: str) -> None:
    lowest = [int(r) for r in re.findall(rb"<(?:\w+:)?row\b[^>]*?\br=[\"'](\d{5,})[\"']", sheet)]
    lowest += [int(r) for r in re.findall(rb"\br=[\"'][A-Za-z]{1,3}(\d{5,})[\"']", sheet)]
    rows = max(lowest, default=9_999)
    wide = set(re.findall(rb"\br=[\"']([A-Za-z]{3})\d", sheet)) or set(re.findall(rb"\br=[\"']([A-Za-z]{2})\d", sheet))
    columns = max((_column_number(letters.upper()) for letters in wide), default=26)
    if rows * columns > max(SHEET_CELLS, 4 * len(sheet)):
        raise SourceProblem(
            "too-large",
            f"a sheet of {location} reaches over {rows} rows and up to {columns} columns, nearly all of them blank",
            "Delete the stray cell at its far end, or save the sheet as CSV.",
        )


def _check_repeats(content: bytes, location: str) -> None:
    """An OpenDocument sheet may say "this cell, a million times"."""
    for repeated in re.findall(
        rb'<table:table-cell(?=[^>]*office:value)[^>]*number-columns-repeated="(\d{5,})"', content
    ):
        raise SourceProblem(
            "too-large", f"a cell of {location} is repeated {repeated.decode()} times", "Save it as CSV."
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


_TRIAL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))
from python_calamine import load_workbook
workbook = load_workbook(sys.argv[1])
for name in workbook.sheet_names:
    workbook.get_sheet_by_name(name).height
"""


def _try_out(opened: Opened, location: str) -> None:
    """Read a workbook of the other kinds in a process of its own first.

    The reader trusts what such a file says of its size, and where memory does not suffice it ends the process.
    """
    import subprocess
    import sys

    try:
        trial = subprocess.run(
            [sys.executable, "-I", "-c", _TRIAL, str(opened.plain_path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceProblem("too-large", f"{location} takes more than two minutes to read", "Save it as CSV.") from None
    if trial.returncode < 0:
        raise _problem(opened, location, Exception("it is damaged, or its sheets do not fit in memory"))


def _problem(opened: Opened, location: str, error: Exception) -> SourceProblem:
    head = opened.head(512)
    if head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(opened.plain_path):
        return SourceProblem(
            "truncated", f"{location} is cut short: the end of the workbook is missing", "Fetch it again."
        )
    if not head.startswith((b"PK", _OLE, b"\x09")):
        what = "HTML or XML" if head.lstrip().startswith(b"<") else "text" if b"\0" not in head else "something else"
        return SourceProblem("unreadable", f"{location} is no spreadsheet; it holds {what}", "Name it for what it is.")
    return SourceProblem("unreadable", f"{location} cannot be read as a spreadsheet: {str(error)[:160]}")


def _note_uncalculated(records: Records, path: Path) -> None:
    """Formulas that nobody calculated have no value in the file; their cells would be blank without a word."""
    try:
        with zipfile.ZipFile(path) as archive:
            sheets = [i for i in archive.infolist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", i.filename)]
            if sum(i.file_size for i in sheets) > 64 * 1024**2:
                return
            count = 0
            for info in sheets:
                text = archive.read(info)
                if b"<f" in text:
                    count += len(re.findall(rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)", text))
    except BROKEN_ZIP:
        return
    if count:
        records.note(
            f"{count} formula cells have no stored value, because the workbook was never calculated; they are blank"
        )
