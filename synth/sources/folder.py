"""Folders, globs and archives: files that are alike make one table, the others a table each."""

from __future__ import annotations

import glob
import importlib
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from sandbox.broker import CallRefused
from synth.detection import Detection
from synth.errors import SourceProblem
from synth.schema import Field, Relation, Table
from synth.source import OpenOptions
from synth.sources.duck import DuckDoors, DuckSource, Rejects, first_row, literal, noted_of, quoted
from synth.sources.records import identifier, table_name, unique_names
from synth.sources.spool import Scratch, duck_type

if TYPE_CHECKING:
    import pyarrow as pa

MOST_FILES = 10_000
UNPACKED_BYTES = 8 * 1024**3
UNPACKED_TIMES = 200
"""An archive that grows more than this many times, past a gigabyte, is taken for a bomb."""
DEPTH = 12
_LEFT_OUT = re.compile(
    r"[._~].*|.*~|.*\.(?:crc|tmp|bak|swp|md5|sha256|lock|log\.lock)|thumbs\.db|desktop\.ini|__macosx", re.IGNORECASE
)
_TABLE_FORMATS = {
    "_delta_log": "a Delta table",
    "metadata/version-hint.text": "an Iceberg table",
    ".hoodie": "a Hudi table",
}
_PARTITION = re.compile(r"([^=/]+)=([^/]*)")


@dataclass(frozen=True)
class Member:
    """One file: its name below the root, where it lies, its size, and what key=value folders say of it."""

    name: str
    path: Path
    size: int

    @property
    def partitions(self) -> dict[str, str]:
        """Values from folders named key=value."""
        found = (_PARTITION.fullmatch(part) for part in PurePosixPath(self.name).parts[:-1])
        return {m.group(1): m.group(2) for m in found if m}


def open_source(location: str, detection: Detection, options: OpenOptions) -> DuckSource:
    """The tables of all files below a folder, matched by a glob, or packed in an archive."""
    scratch = Scratch()
    doors = FolderDoors()
    folder = _Folder(doors, scratch, options)
    try:
        members, root = _members(location, scratch, folder.note)
        doors.members = {m.name: m for m in members}
        doors.connection.execute("SET TimeZone='UTC'")
        doors.connection.execute("CREATE SCHEMA held")
        doors.allow()
        base = identifier(options.name) if options.name else _folder_name(location, root)
        folder.read(members, base, location)
        return DuckSource(
            options.name or Path(location.rstrip("/")).name or location,
            detection.kind,
            doors,
            tables=folder.tables,
            relations=folder.relations,
            rejects=folder.rejects,
            notes=folder.notes,
            cleanup=folder.close,
            facts={"format": folder.formats, "dialect": {"files": len(members)}},
        )
    except BaseException:
        doors.connection.close()
        folder.close()
        raise


class FolderDoors(DuckDoors):
    """The doors of tables, and beside them every member by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, Member] = {}
        self.opener: Callable[[Member], DuckSource] | None = None
        self._opened: dict[str, DuckSource] = {}

    def list(self, prefix: str = "") -> list[dict[str, object]]:
        """Members as {"name", "size"}, sorted by name."""
        return [{"name": m.name, "size": m.size} for n, m in sorted(self.members.items()) if n.startswith(prefix)]

    def records(self, within: str = "") -> Iterator[pa.RecordBatch]:
        """All rows of a member's first table; of the first table of all when no member is named."""
        if not within:
            yield from super().records()
            return
        yield from self._doors(within).records()

    def lines(self, within: str = "") -> Iterator[Any]:
        """A member's text, line by line."""
        yield from self._raw(within).lines()

    def text(self, within: str = "") -> str:
        """A member's text, up to 16 MB."""
        return self._raw(within).text()

    def read(self, offset: int = 0, size: int = 65_536, within: str = "") -> bytes:
        """A member's raw bytes from an offset."""
        return self._raw(within).read(offset, size)

    def close_members(self) -> None:
        """Close what was opened by name."""
        for source in self._opened.values():
            source.close()
        self._opened.clear()

    def _member(self, within: str) -> Member:
        if not within:
            raise CallRefused("not-found", "this source is a folder; name a member with source.open(name)")
        if within not in self.members:
            near = ", ".join(list(self.members)[:5])
            raise CallRefused("not-found", f"no member {within!r}; there are: {near}")
        return self.members[within]

    def _raw(self, within: str) -> DuckDoors:
        return _RawFile(self._member(within).path)

    def _doors(self, within: str) -> DuckDoors:
        member = self._member(within)
        if within not in self._opened:
            if self.opener is None:
                raise CallRefused("failed", "the folder is closed")
            try:
                self._opened[within] = self.opener(member)
            except SourceProblem as problem:
                raise CallRefused("failed", f"{within}: {problem.message}") from problem
        return self._opened[within].capability


class _RawFile(DuckDoors):
    """The text and bytes of one file, with no database behind them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding = "utf-8"


@dataclass
class _Part:
    """A table of one member, standing as a view in the folder's own DuckDB."""

    member: Member
    table: Table
    view: str
    alone: bool
    rejects_sql: str = ""
    relations: tuple[Relation, ...] = ()


class _Folder:
    def __init__(self, doors: FolderDoors, scratch: Scratch, options: OpenOptions) -> None:
        self.doors = doors
        self.scratch = scratch
        self.options = options
        self.tables: list[Table] = []
        self.relations: list[Relation] = []
        self.rejects: dict[str, Rejects] = {}
        self.notes: list[str] = []
        self.formats = "folder"
        self._sources: list[DuckSource] = []
        self._parts = 0
        doors.opener = self._opened

    def note(self, text: str) -> None:
        """Something a reader of the schema should know."""
        if text not in self.notes and len(self.notes) < 100:
            self.notes.append(text)

    def close(self) -> None:
        """Close every member and remove what was unpacked."""
        self.doors.opener = None
        self.doors.close_members()
        for source in self._sources:
            source.close()
        self.scratch.remove()

    def read(self, members: Sequence[Member], base: str, location: str) -> None:
        """Make the tables of all members."""
        parquet = [m for m in members if _starts(m.path, b"PAR1")]
        rest = [m for m in members if m not in set(parquet)]
        groups = list(self._parquet_groups(parquet))
        parts: list[_Part] = []
        formats: set[str] = {"parquet"} if parquet else set()
        problems: list[str] = []
        for member in rest:
            try:
                found = self._lifted(member)
            except SourceProblem as problem:
                problems.append(f"{member.name} could not be read: {problem.message}")
                continue
            if found is None:
                self.note(f"left out {member.name}: holds no records")
                continue
            kind, new = found
            formats.add(kind)
            parts += new
        if not groups and not parts:
            raise SourceProblem(
                "empty" if not problems else "unreadable",
                f"{location} has no file with records" + (f"; {problems[0]}" if problems else ""),
                "Name one of its files to see more.",
            )
        for said in problems:
            self.note(said)
        self.formats = "+".join(sorted(formats))
        alike = _alike(parts)
        only = len(groups) + len(alike) == 1
        for files in groups:
            self._parquet_table(files, self._name([m.name for m in files], base, only, ""))
        for group in alike:
            own = group[0].table.name if len(group) == 1 or not group[0].alone else ""
            self._union(group, self._name([p.member.name for p in group], base, only, own))
        self._keep_relations(alike)
        if problems:
            # Nobody knows which table the rows of a broken file belong to, so no answer is complete without it.
            missing = " UNION ALL ".join(f"SELECT 0, {literal(said[:300])}, ''" for said in problems)
            for table in self.tables:
                mine = self.rejects.get(table.name)
                self.rejects[table.name] = Rejects(f"{mine.sql} UNION ALL {missing}" if mine else missing)

    def _name(self, names: list[str], base: str, only: bool, own: str) -> str:
        """What a table of these files is called."""
        if only and self.options.name:
            name = base
        elif own:
            name = own
        else:
            stems = {_pattern(n) for n in names}
            stem = stems.pop() if len(stems) == 1 else ""
            name = (
                identifier(stem)
                if len(stem) > 2 and not re.fullmatch(r"part|data|file|chunk|export|output", stem)
                else base
            )
        taken = {t.name.lower() for t in self.tables}
        free, number = name, 2
        while free.lower() in taken:
            free, number = f"{name}_{number}", number + 1
        return free

    # Parquet, which DuckDB reads as a set

    def _parquet_groups(self, members: list[Member]) -> Iterator[list[Member]]:
        if not members:
            return
        import duckdb

        columns: dict[str, frozenset[str]] = {}
        for member in members:
            try:
                rows = self.doors.connection.execute(
                    f"SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet({literal(str(member.path))}))"
                ).fetchall()
            except duckdb.Error as error:
                raise SourceProblem(
                    "unreadable", f"{member.name} cannot be read: {str(error).splitlines()[0][:160]}", "Is it complete?"
                ) from None
            columns[member.name] = frozenset(str(name).casefold() for (name,) in rows)
        groups: list[list[Member]] = []
        for member in members:
            for group in groups:
                if _same(columns[member.name], columns[group[0].name], member.name, group[0].name):
                    group.append(member)
                    break
            else:
                groups.append([member])
        yield from groups

    def _parquet_table(self, files: list[Member], name: str) -> None:
        from synth.sources.columnar import shape

        paths = ", ".join(literal(str(m.path)) for m in files)
        keys = _partition_types(files)
        hive = ", hive_partitioning=false"
        if keys:
            types = ", ".join(f"{quoted(k)}: {duck_type(t)}" for k, t in keys.items())
            hive = f", hive_partitioning=true, hive_types={{{types}}}"
        self.doors.allow(*(m.path for m in files))
        shaped = shape(self.doors, f"read_parquet([{paths}], union_by_name=true{hive})", name, files[0].name)
        comment = f"{len(files)} files" if len(files) > 1 else files[0].name
        self.tables += [replace(t, comment=comment) if t.name == name else t for t in shaped.tables]
        self.relations += shaped.relations
        for text in shaped.notes:
            self.note(text)

    # Everything else, opened by its own connector

    def _opened(self, member: Member) -> DuckSource:
        detection = _detected(member.path)
        if not detection.connector or detection.connector == "folder":
            raise SourceProblem("unknown-kind", f"{member.name} holds no records")
        source = importlib.import_module(f"synth.sources.{detection.connector}").open_source(
            str(member.path), detection, replace(self.options, name="")
        )
        if not isinstance(source, DuckSource):
            source.close()
            raise SourceProblem(
                "unknown-kind", f"{member.name} is a database of its own", "Give it as a source by itself."
            )
        return source

    def _lifted(self, member: Member) -> tuple[str, list[_Part]] | None:
        """A member's tables as views of this folder's DuckDB; None when it holds no records by its kind."""
        try:
            source = self._opened(member)
        except SourceProblem as problem:
            if problem.reason in ("unknown-kind", "empty"):
                return None
            raise
        keep = False
        parts: list[_Part] = []
        try:
            tables = source.tables()
            for note in source.notes:
                self.note(f"{member.name}: {note}")
            for table in tables:
                view = f"held.part{self._parts}"
                self._parts += 1
                keep |= self._lift(source, table, view)
                parts.append(
                    _Part(
                        member,
                        table,
                        view,
                        len(tables) == 1,
                        self._lift_rejects(source, table, view),
                        source.relations(),
                    )
                )
        finally:
            if keep:
                source.capability.connection.close()
                self._sources.append(source)
            else:
                source.close()
        return str(source.facts.get("format", "file")), parts

    def _lift(self, source: DuckSource, table: Table, view: str) -> bool:
        """Make a member's table a view here; True when it still needs the member's own temporary files."""
        import duckdb

        theirs = source.capability
        row = first_row(
            theirs.connection,
            "SELECT sql FROM duckdb_views() WHERE view_name = ? AND schema_name = 'main' AND NOT internal",
            [table.name],
        )
        match = _VIEW.fullmatch(row[0]) if row else None
        if match:
            try:
                self.doors.connection.execute(f"CREATE VIEW {view} AS {match.group(1)}")
                self.doors.connection.execute(f"SELECT * FROM {view} LIMIT 0")
            except duckdb.Error:
                self.doors.connection.execute(f"DROP VIEW IF EXISTS {view}")
            else:
                self.doors.allow(*(theirs._allowed or ()))
                return True
        copy = self.scratch.file(f"{view}.parquet")
        theirs.connection.execute(f"COPY (SELECT * FROM {quoted(table.name)}) TO {literal(str(copy))} (FORMAT parquet)")
        self.doors.connection.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet({literal(str(copy))})")
        self.doors.allow(copy)
        return False

    def _lift_rejects(self, source: DuckSource, table: Table, view: str) -> str:
        """SQL for what the member set aside of a table, on this connection."""
        import duckdb

        rejects = source.rejects.get(table.name)
        if rejects is None:
            return ""
        try:
            # The reader's notes are a table that its first reading makes, one for all files.
            self.doors.connection.execute(f"SELECT * FROM {view} LIMIT 1").fetchall()
            sql = noted_of(rejects.sql, source.capability.allowed)
            self.doors.connection.execute(f"SELECT * FROM ({sql}) LIMIT 0").fetchall()
        except duckdb.Error:
            rows = source.capability.connection.sql(rejects.sql).to_arrow_table()
            self.doors.connection.register("tars_rejects", rows)
            self.doors.connection.execute(f"CREATE TABLE {view}_aside AS SELECT * FROM tars_rejects")
            self.doors.connection.unregister("tars_rejects")
            return f"SELECT * FROM {view}_aside"
        return sql

    def _union(self, group: list[_Part], name: str) -> None:
        """One table of the alike tables of several files; columns by name, types wide enough for all."""
        keys = _partition_types([p.member for p in group])
        columns: dict[str, Field] = {}
        for part in group:
            for each in part.table.fields:
                known = columns.get(each.name.casefold())
                columns[each.name.casefold()] = each if known is None else self._wider(name, known, each)
        telling = _telling_names(group, keys, list(columns.values()), self._holds)
        names = unique_names([*(f.name for f in columns.values()), *keys, *(["_file"] if telling else [])])
        selects = []
        for number, part in enumerate(group):
            mine = {f.name.casefold(): f for f in part.table.fields}
            cells = [
                (
                    f"CAST({quoted(mine[low].name)} AS {sql_type})"
                    if mine[low].type != wide.type
                    else quoted(mine[low].name)
                )
                if low in mine
                else "NULL"
                for low, wide in columns.items()
                for sql_type in [_cast_type(wide.type)]
            ]
            said = part.member.partitions
            cells += [f"CAST({_partition_literal(said.get(key))} AS {duck_type(kind)})" for key, kind in keys.items()]
            cells += [literal(part.member.name)] if telling else []
            shown = [f"{cell} AS {quoted(n)}" for cell, n in zip(cells, names, strict=True)] if number == 0 else cells
            selects.append(f"SELECT {', '.join(shown)} FROM {part.view}")
        rows = [part.table.rows for part in group]
        fields = [
            replace(
                f, nullable=f.nullable or any(low not in {x.name.casefold() for x in p.table.fields} for p in group)
            )
            for low, f in columns.items()
        ]
        fields = [replace(f, name=n) for f, n in zip(fields, names, strict=False)]
        fields += [Field(n, t) for n, t in zip(names[len(fields) :], keys.values(), strict=False)]
        fields += [Field("_file", "string", nullable=False)] if telling else []
        table = Table(
            name,
            tuple(fields),
            rows=sum(r for r in rows if r is not None) if None not in rows else None,
            primary_key=group[0].table.primary_key if len(group) == 1 else (),
            path=group[0].table.path if len(group) == 1 else "",
            comment=f"{len(group)} files" if len(group) > 1 else group[0].member.name,
        )
        self.doors.add_view(table, " UNION ALL ".join(selects))
        self.tables.append(table)
        aside = [
            f"SELECT position, rule || {literal(f' (in {p.member.name})' if len(group) > 1 else '')} AS rule, value "
            f"FROM ({p.rejects_sql}) AS r(position, rule, value)"
            for p in group
            if p.rejects_sql
        ]
        if aside:
            self.rejects[name] = Rejects(" UNION ALL ".join(aside))

    def _wider(self, table: str, one: Field, other: Field) -> Field:
        """A field that holds both."""
        kind = wider_type(one.type, other.type)
        if kind is None:
            blank, filled = (one, other) if one.values and one.nulls == one.values else (other, one)
            kind = filled.type if blank.values and blank.nulls == blank.values else "string"
            if kind == "string":
                self.note(f"{table}.{one.name} is {one.type} in one file and {other.type} in another; kept as text")
        return replace(
            one,
            type=kind,
            nullable=one.nullable or other.nullable,
            values=one.values + other.values,
            nulls=one.nulls + other.nulls,
            unit=one.unit if one.unit == other.unit else "",
            format=one.format if one.format == other.format else "",
        )

    def _holds(self, part: _Part, word: str) -> bool:
        """Whether a text column of a file holds a word in its first rows."""
        texts = [f.name for f in part.table.fields if f.type == "string"]
        if not texts:
            return False
        tests = " OR ".join(f"coalesce(bool_or(lower({quoted(t)}) = {literal(word)}), false)" for t in texts)
        columns = ", ".join(map(quoted, texts))
        row = first_row(self.doors.connection, f"SELECT {tests} FROM (SELECT {columns} FROM {part.view} LIMIT 2000)")
        return bool(row and row[0])

    def _keep_relations(self, groups: list[list[_Part]]) -> None:
        """Relations inside one file hold as long as its tables stand alone."""
        now = {(g[0].member.name, g[0].table.name): t for g, t in self._named(groups) if len(g) == 1}
        for group in groups:
            for relation in group[0].relations:
                ends = [now.get((group[0].member.name, end)) for end in (relation.table, relation.to_table)]
                if relation.table == group[0].table.name and ends[0] and ends[1]:
                    self.relations.append(replace(relation, table=ends[0], to_table=ends[1]))

    def _named(self, groups: list[list[_Part]]) -> Iterator[tuple[list[_Part], str]]:
        offset = len(self.tables) - len(groups)
        for i, group in enumerate(groups):
            yield group, self.tables[offset + i].name


_VIEW = re.compile(r"CREATE\s+VIEW\s+(?:\"(?:[^\"]|\"\")+\"|[\w.]+)\s+AS\s+(.*?);?\s*", re.IGNORECASE | re.DOTALL)


def wider_type(one: str, other: str) -> str | None:
    """The Arrow type that holds the values of both without loss; None where only text does."""
    if one == other:
        return one
    pair = {one, other}
    if pair <= {"date32[day]", "timestamp[us]"}:
        return "timestamp[us]"
    sizes = [_digits(t) for t in (one, other)]
    if None in sizes:
        return None
    (whole, scale), (more, places) = sizes  # type: ignore[misc]  # None was ruled out above
    if -1 in (scale, places):
        return "double" if max(whole, more) <= 19 else None
    if max(scale, places) == 0 and all(t.startswith(("int", "uint")) for t in pair) and max(whole, more) <= 19:
        return "int64"
    need = max(whole, more) + max(scale, places)
    return f"decimal128({18 if need <= 18 else 38}, {max(scale, places)})" if need <= 38 else None


def _digits(kind: str) -> tuple[int, int] | None:
    """Digits before the point and after it; -1 after it for floats."""
    if found := re.fullmatch(r"decimal128\((\d+), (\d+)\)", kind):
        precision, scale = int(found.group(1)), int(found.group(2))
        return precision - scale, scale
    plain = {"int8": 3, "int16": 5, "int32": 10, "int64": 19, "uint8": 3, "uint16": 5, "uint32": 10, "uint64": 20}
    if kind in plain:
        return plain[kind], 0
    return (19, -1) if kind in ("double", "float", "halffloat") else None


def _cast_type(kind: str) -> str:
    found = re.fullmatch(r"list<item: (.*)>", kind)
    return f"{_cast_type(found.group(1))}[]" if found else duck_type(kind)


def _alike(parts: list[_Part]) -> list[list[_Part]]:
    """Tables with the same columns, or nearly so in files of the same name but for numbers, together."""
    groups: list[list[_Part]] = []
    for part in parts:
        mine = frozenset(f.name.casefold() for f in part.table.fields)
        for group in groups:
            first = group[0]
            theirs = frozenset(f.name.casefold() for f in first.table.fields)
            names = (
                (part.member.name, first.member.name)
                if part.alone and first.alone
                else (part.table.name, first.table.name)
            )
            if part.alone == first.alone and part.member != first.member and _same(mine, theirs, *names):
                group.append(part)
                break
        else:
            groups.append([part])
    return groups


def _same(one: frozenset[str], other: frozenset[str], name: str, other_name: str) -> bool:
    share = len(one & other) / max(1, len(one | other))
    if share == 1.0:
        return True
    smaller = len(one & other) / max(1, min(len(one), len(other)))
    if _pattern(name) == _pattern(other_name):
        return share >= 0.4 or smaller >= 0.8
    return share >= 0.8 and min(len(one), len(other)) >= 4


def _pattern(name: str) -> str:
    """A file's name without what numbers or dates it: `sales-2021-03.csv` is `sales`."""
    stem = PurePosixPath(name).name.split(".")[0].lower()
    stem = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{20,}|[0-9a-f]{16,}", " ", stem)
    stem = re.sub(
        r"(?<![a-z])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?![a-z])|(?<![a-z])q[1-4](?!\d)",
        " ",
        stem,
    )
    return re.sub(r"[\W\d_]+", "_", stem).strip("_")


def _partition_types(members: Sequence[Member]) -> dict[str, str]:
    """Keys of key=value folders that all files have, with the types of their values."""
    said = [m.partitions for m in members]
    keys = [k for k in said[0] if all(k in s for s in said)] if said else []
    if not keys:
        return {}
    from synth.infer import infer_column

    types: dict[str, str] = {}
    for key in keys:
        values = [s[key] for s in said if s[key] != "__HIVE_DEFAULT_PARTITION__"]
        if (
            values
            and all(re.fullmatch(r"\d{1,9}", v) for v in values)
            and re.fullmatch(
                r"y|year|m|month|mon|d|day|h|hour|week|quarter|\w+_(?:year|month|day|hour|week)", key, re.IGNORECASE
            )
        ):
            types[key] = "int64"
            continue
        found = infer_column(key, values) if values else None
        types[key] = found.type if found and found.plain and not found.offended else "string"
    return types


def _partition_literal(value: str | None) -> str:
    from urllib.parse import unquote

    return "NULL" if value is None or value == "__HIVE_DEFAULT_PARTITION__" else literal(unquote(value))


def _telling_names(
    group: list[_Part], keys: dict[str, str], fields: list[Field], holds: Callable[[_Part, str], bool]
) -> bool:
    """Whether the files' names say something of their rows that the rows do not: `berlin.csv`, `paris.csv`."""
    if len(group) < 2 or keys:
        return False
    stems = [PurePosixPath(p.member.name).name.split(".")[0].lower() for p in group]
    if len(set(stems)) < len(stems):
        stems = ["/".join(PurePosixPath(p.member.name.lower()).parts[-2:]) for p in group]
    start = next(
        (i for i, letters in enumerate(zip(*stems, strict=False)) if len(set(letters)) > 1), min(map(len, stems))
    )
    while start and stems[0][start - 1].isalnum():
        start -= 1
    marks = [stem[start:].strip(" _-.") for stem in stems]
    if all(len(mark) < 2 for mark in marks):
        return False
    if len({re.sub(r"\d+", "", mark) for mark in marks}) == 1 and not all(_is_period(mark) for mark in marks):
        return False
    if all(_is_period(mark) for mark in marks):
        return not any(
            f.type.startswith(("date", "timestamp")) or re.search(r"year|date|month|jahr|datum", f.name, re.IGNORECASE)
            for f in fields
        )
    return not all(holds(part, mark) for part, mark in zip(group[:3], marks[:3], strict=True))


def _is_period(mark: str) -> bool:
    return bool(re.fullmatch(r"(?:19|20)\d\d(?:[-_]?(?:[01]\d(?:[-_]?[0-3]\d)?|q[1-4]))?", mark))


def _detected(path: Path) -> Detection:
    from synth.detect import detect

    return detect(str(path), mode="file")


def _starts(path: Path, mark: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(mark)) == mark


def _folder_name(location: str, root: Path) -> str:
    """A folder's own name; for a glob that of the folder it starts in, for an archive its stem."""
    if Path(location).is_file():
        return table_name(location, OpenOptions())
    return identifier(root.resolve().name or "files")


def _members(location: str, scratch: Scratch, note: Callable[[str], None]) -> tuple[list[Member], Path]:
    """The files of a folder, glob or archive, sorted by name, and the folder that their names are below."""
    place = Path(location).expanduser()
    if place.is_dir():
        root = place
        found = list(_walk(place, note))
    elif place.is_file():
        root = scratch.file("members")
        root.mkdir()
        _unpack(place, root, note)
        found = list(_walk(root, note))
    elif glob.has_magic(location):
        fixed = place.parts[: next(i for i, p in enumerate(place.parts) if glob.has_magic(p))]
        root = Path(*fixed) if fixed else Path()
        matches = sorted(glob.glob(str(place), recursive=True))[: MOST_FILES + 1]
        found = [p for p in map(Path, matches) if p.is_file() and not _LEFT_OUT.fullmatch(p.name)]
        if not found:
            raise SourceProblem("missing", f"no file matches {location}", "Check the pattern; put it in quotes.")
    else:
        raise SourceProblem("missing", f"there is no folder {location}", "Check the path.")
    for mark, what in _TABLE_FORMATS.items():
        if (root / mark).exists():
            raise SourceProblem(
                "unknown-kind", f"{location} is {what}; reading its files one by one would bring deleted rows back"
            )
    if len(found) > MOST_FILES:
        raise SourceProblem("too-large", f"{location} has more than {MOST_FILES} files", "Name a part of it by a glob.")
    members = [Member(p.relative_to(root).as_posix(), p, p.stat().st_size) for p in found]
    whole = [m for m in members if m.size]
    for member in members:
        if not member.size:
            note(f"left out {member.name}: it is empty")
    if not whole:
        raise SourceProblem(
            "empty", f"{location} has no files with anything in them", "Check the step that writes them."
        )
    return sorted(whole, key=lambda m: m.name), root


def _walk(folder: Path, note: Callable[[str], None], depth: int = 0) -> Iterator[Path]:
    """Regular files below a folder; links, hidden files and leftovers are passed by."""
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except PermissionError:
        note(f"{folder.name} may not be listed")
        return
    for entry in entries:
        if _LEFT_OUT.fullmatch(entry.name):
            continue
        astray = _astray(Path(entry.path), folder) if entry.is_symlink() else ""
        if astray:
            note(f"left out {entry.name}: it is a link that leads {astray}")
        elif entry.is_dir():
            if depth < DEPTH and not entry.is_symlink():
                yield from _walk(Path(entry.path), note, depth + 1)
        elif stat.S_ISREG(entry.stat().st_mode):
            yield Path(entry.path)


def _astray(link: Path, folder: Path) -> str:
    """Where a link leads when it is not to be followed."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # a loop is a RuntimeError before Python 3.13
        return "nowhere"
    return "" if target.is_relative_to(folder.resolve()) else "out of the folder"


# Archives


def _unpack(path: Path, root: Path, note: Callable[[str], None]) -> None:
    """Unpack the plain files of an archive below `root`, under caps. A name that leads elsewhere refuses the archive."""
    budget = _Budget(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                _unpack_zip(archive, root, budget, note)
        else:
            with tarfile.open(path, "r|*") as tar:
                _unpack_tar(tar, root, budget, note)
    except (
        zipfile.BadZipFile,
        zlib.error,
        tarfile.TarError,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        said = str(error) or type(error).__name__
        if "password" in said or "encrypted" in said:
            raise SourceProblem(
                "authentication", f"{path.name} is protected by a password", "Unpack it first."
            ) from None
        cut = isinstance(error, EOFError | tarfile.ReadError | zipfile.BadZipFile | zlib.error)
        raise SourceProblem(
            "truncated" if cut else "unreadable", f"{path.name} cannot be unpacked: {said[:120]}", "Is it complete?"
        ) from None
    if not budget.files:
        raise SourceProblem("empty", f"{path.name} has no files in it")


class _Budget:
    """What unpacking may use."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.most = min(UNPACKED_BYTES, max(1024**3, path.stat().st_size * UNPACKED_TIMES))
        self.used = 0
        self.files = 0

    def copy(self, source: IO[bytes], root: Path, name: str) -> None:
        """Write one member below the root."""
        target = _below(root, name, self.name)
        self.files += 1
        if self.files > MOST_FILES:
            raise SourceProblem("too-large", f"{self.name} has more than {MOST_FILES} files")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while chunk := source.read(1024 * 1024):
                self.used += len(chunk)
                if self.used > self.most or shutil.disk_usage(root).free < 256 * 1024**2:
                    raise SourceProblem(
                        "too-large",
                        f"{self.name} unpacks to more than {self.used // 1024**2} MB; unpacking was stopped",
                        "Unpack it yourself and name the folder.",
                    )
                out.write(chunk)


def _below(root: Path, name: str, archive: str) -> Path:
    clean = PurePosixPath(name.replace("\\", "/"))
    if clean.is_absolute() or ".." in clean.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise SourceProblem(
            "unreadable",
            f"{archive} holds the name {name[:80]!r}, which leads out of it; it is refused",
            "Do not trust it.",
        )
    return root.joinpath(*clean.parts)


def _unpack_zip(archive: zipfile.ZipFile, root: Path, budget: _Budget, note: Callable[[str], None]) -> None:
    for info in archive.infolist():
        if info.is_dir():
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            note(f"left out {info.filename}: it is a link")
            continue
        with archive.open(info) as source:
            budget.copy(source, root, info.filename)


def _unpack_tar(tar: tarfile.TarFile, root: Path, budget: _Budget, note: Callable[[str], None]) -> None:
    for info in tar:
        if info.isdir():
            continue
        if not info.isreg():
            note(f"left out {info.name}: it is a link or a device")
            continue
        source = tar.extractfile(info)
        if source is not None:
            with source:
                budget.copy(source, root, info.name)
