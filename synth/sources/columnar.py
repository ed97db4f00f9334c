"""Columnar files: Parquet, Arrow (file and stream), Feather and ORC, read in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.schema import Field, Relation, Table
from synth.source import OpenOptions
from synth.sources.duck import DuckDoors, DuckSource, first_row, literal, quoted
from synth.sources.records import Opened, existing_file, identifier, singular_of, table_name, unique_names
from synth.sources.spool import Scratch


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks columnar: a score, the facts (`format`), the evidence."""
    if head.startswith(b"PAR1"):
        return 0.99, {"format": "parquet"}, ("starts with PAR1",)
    if head.startswith(b"PARE"):
        return (
            0.95,
            {"format": "parquet", "encrypted": True},
            ("starts with PARE, a Parquet file with an encrypted footer",),
        )
    if head.startswith(b"ARROW1"):
        feather = name.lower().endswith((".feather", ".ftr"))
        return 0.99, {"format": "feather" if feather else "arrow"}, ("starts with ARROW1",)
    if head.startswith(b"FEA1"):
        return 0.98, {"format": "feather", "version": 1}, ("starts with FEA1, Feather version 1",)
    if head.startswith(b"ORC"):
        return (0.97 if name.lower().endswith(".orc") else 0.8), {"format": "orc"}, ("starts with ORC",)
    if head.startswith(b"\xff\xff\xff\xff") and len(head) > 16:
        size = int.from_bytes(head[4:8], "little")
        table = int.from_bytes(head[8:12], "little")
        if 0 < size < 2**24 and size % 8 == 0 and 4 <= table < size:
            return 0.9, {"format": "arrow-stream"}, ("starts with an Arrow message of plausible length",)
    return 0.0, {}, ()


CHECKED_BYTES = 1024**3
"""An Arrow file of up to this size is gone through once for damage."""
ROWS_CHECKED = 200_000
"""In a table of up to this many rows, a column named like a key is checked to be one."""


def open_source(location: str, detection: Detection, options: OpenOptions) -> DuckSource:
    """A columnar file behind a view that reads only what a query needs. SourceProblem when its end is missing."""
    path = existing_file(location, "a columnar file")
    opened = Opened(path, detection.wrappings)
    scratch = Scratch()
    doors = DuckDoors(path=opened.plain_path)
    try:
        form = str(sniff(opened.head(64), path.name)[1].get("format", ""))
        _check_whole(opened.plain_path, form, location)
        doors.connection.execute("SET TimeZone='UTC'")
        notes: list[str] = []
        rows_sql = _rows_sql(doors, opened.plain_path, form, location, scratch, notes)
        shaped = shape(doors, rows_sql, table_name(location, options), location)
    except BaseException:
        doors.connection.close()
        scratch.remove()
        opened.close()
        raise

    def close() -> None:
        scratch.remove()
        opened.close()

    return DuckSource(
        options.name or path.name,
        detection.kind,
        doors,
        tables=shaped.tables,
        relations=shaped.relations,
        notes=[*notes, *shaped.notes],
        cleanup=close,
        facts={"format": form, "dialect": {}},
    )


@dataclass(frozen=True)
class Shaped:
    """Tables that now stand as views, with their relations and what is to be said of them."""

    tables: tuple[Table, ...]
    relations: tuple[Relation, ...]
    notes: tuple[str, ...]


def shape(doors: DuckDoors, rows_sql: str, name: str, location: str) -> Shaped:
    """Views over typed rows: members of structs as dotted columns, a list of structs as a table of its own."""
    import duckdb

    try:
        return _shape(doors, rows_sql, name, location)
    except (duckdb.Error, OSError, MemoryError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise SourceProblem("unreadable", f"{location} cannot be read: {said[:200]}", "It may be damaged.") from None


def _shape(doors: DuckDoors, rows_sql: str, name: str, location: str) -> Shaped:
    schema = doors.connection.sql(f"SELECT * FROM {rows_sql} LIMIT 0").to_arrow_table().schema
    count = _count(doors, rows_sql)
    if not len(schema):
        raise SourceProblem("empty", f"{location} has no columns", "Check the step that writes it.")
    columns: list[tuple[str, str, str, str]] = []
    lists: list[tuple[tuple[str, ...], str, Any]] = []
    notes: list[str] = []
    coarse = _coarse(doors, rows_sql, schema)
    for field in schema:
        _flatten((field.name,), f"r.{quoted(field.name)}", field.type, columns, lists, coarse)
    names = unique_names(n for n, _, _, _ in columns)
    key = _key(doors, rows_sql, names, [e for _, e, _, _ in columns], name, count)
    shown = [f"{expression} AS {quoted(n)}" for n, (_, expression, _, _) in zip(names, columns, strict=True)]
    fields = [Field(n, kind, comment=comment) for n, (_, _, kind, comment) in zip(names, columns, strict=True)]
    source = f"{rows_sql} AS r"
    if lists and not key:
        key = next(n for n in ("_row", "_row_number", "_row_position") if n not in names)
        source = f"(SELECT row_number() OVER () AS {quoted(key)}, * FROM {rows_sql}) AS r"
        shown.append(f"r.{quoted(key)}")
        fields.append(Field(key, "int64", nullable=False, meaning="identifier"))
    key_sql = next((s.rpartition(" AS ")[0] or s for s, f in zip(shown, fields, strict=True) if f.name == key), "")
    table = Table(name, tuple(fields), rows=count, primary_key=(key,) if key else ())
    doors.add_view(table, f"SELECT {', '.join(shown)} FROM {source}")
    tables, relations = [table], []
    for path, expression, kind in lists:
        child_name = f"{name}_{identifier('_'.join(path))}"
        link = f"{singular_of(name)}_{key.lstrip('_')}" if not key.startswith(singular_of(name)) else key
        inner_columns: list[tuple[str, str, str, str]] = []
        deeper: list[tuple[tuple[str, ...], str, Any]] = []
        for member in kind.value_type:
            _flatten((member.name,), f"e.{quoted(member.name)}", member.type, inner_columns, deeper, frozenset())
        for inner_path, inner_expression, inner_kind in deeper:
            inner_columns.append((".".join(inner_path), inner_expression, _type_name(inner_kind), ""))
        inner_names = unique_names([link, *(n for n, _, _, _ in inner_columns)])
        link_field = next(f for f in fields if f.name == key)
        child = Table(
            child_name,
            (
                Field(inner_names[0], link_field.type),
                *(Field(n, t, comment=c) for n, (_, _, t, c) in zip(inner_names[1:], inner_columns, strict=True)),
            ),
            path=".".join(path),
        )
        picked = [f"{e} AS {quoted(n)}" for n, (_, e, _, _) in zip(inner_names[1:], inner_columns, strict=True)]
        doors.add_view(
            child,
            f"SELECT {', '.join([f'k AS {quoted(inner_names[0])}', *picked])} "
            f"FROM (SELECT {key_sql} AS k, unnest({expression}) AS e FROM {source})",
        )
        tables.append(child)
        relations.append(
            Relation(child_name, (inner_names[0],), name, (key,), True, f"nested in {name} at {'.'.join(path)}")
        )
    return Shaped(tuple(tables), tuple(relations), tuple(notes))


def _flatten(
    path: tuple[str, ...],
    expression: str,
    kind: Any,
    columns: list[tuple[str, str, str, str]],
    lists: list[tuple[tuple[str, ...], str, Any]],
    coarse: frozenset[str],
) -> None:
    """Columns (name, SQL, type, comment) of one field; lists of structs go to `lists`."""
    import pyarrow as pa

    name = ".".join(path)
    if pa.types.is_struct(kind) and kind.num_fields:
        for member in kind:
            _flatten((*path, member.name), f"{expression}.{quoted(member.name)}", member.type, columns, lists, coarse)
    elif (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_struct(kind.value_type):
        lists.append((path, expression, kind))
    elif pa.types.is_null(kind):
        columns.append((name, f"CAST({expression} AS VARCHAR)", "string", "has no values"))
    elif pa.types.is_interval(kind):
        columns.append((name, f"epoch({expression})", "double", "a duration, in seconds"))
    elif name in coarse:
        columns.append((name, f"CAST({expression} AS TIMESTAMP)", "timestamp[us]", ""))
    else:
        columns.append((name, expression, _type_name(kind), ""))


def _type_name(kind: Any) -> str:
    return str(kind).replace("list<l: ", "list<item: ")


def _coarse(doors: DuckDoors, rows_sql: str, schema: Any) -> frozenset[str]:
    """Columns kept in nanoseconds whose first values have none, so that microseconds hold them."""
    import pyarrow as pa

    fine = [f.name for f in schema if f.type == pa.timestamp("ns")]
    if not fine:
        return frozenset()
    tests = ", ".join(f"coalesce(bool_or(epoch_ns({quoted(n)}) % 1000 <> 0), false)" for n in fine)
    columns = ", ".join(map(quoted, fine))
    found = first_row(doors.connection, f"SELECT {tests} FROM (SELECT {columns} FROM {rows_sql} LIMIT 20000)")
    return frozenset(n for n, has in zip(fine, found or (), strict=True) if not has)


def _count(doors: DuckDoors, rows_sql: str) -> int:
    row = first_row(doors.connection, f"SELECT count(*) FROM {rows_sql}")
    return int(row[0]) if row else 0


def _key(doors: DuckDoors, rows_sql: str, names: list[str], expressions: list[str], table: str, count: int) -> str:
    """The column named like the key of this table, when it is one in a table small enough to check."""
    likely = ("id", "_id", f"{singular_of(table)}_id", f"{table}_id", "uuid")
    found = next((i for want in likely for i, n in enumerate(names) if n.lower() == want), None)
    if found is None or not 0 < count <= ROWS_CHECKED:
        return ""
    row = first_row(
        doors.connection,
        f"SELECT count({expressions[found]}), count(DISTINCT {expressions[found]}) FROM {rows_sql} AS r",
    )
    return names[found] if row == (count, count) else ""


def _rows_sql(doors: DuckDoors, path: Path, form: str, location: str, scratch: Scratch, notes: list[str]) -> str:
    """What stands for the file's rows in FROM."""
    if form == "parquet":
        doors.allow(path)
        return f"read_parquet({literal(str(path))})"
    import pyarrow as pa
    import pyarrow.dataset as ds

    try:
        if form in ("arrow", "feather", "orc") and not _is_first_feather(path):
            doors.allow()
            if form != "orc":
                _check_batches(path)
            doors.connection.register(
                "file_rows", ds.dataset(path, format=ds.OrcFileFormat() if form == "orc" else ds.IpcFileFormat())
            )
            return "file_rows"
        copy = scratch.file("rows.parquet")
        _copy_stream(path, copy, notes)
        doors.allow(copy)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError) as error:
        cut = re.search(r"expected to|only read|end of|unexpected", str(error), re.IGNORECASE)
        said = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        if cut:
            raise SourceProblem("truncated", f"{location} is cut short: {said}", "Fetch or write it again.") from None
        raise SourceProblem("unreadable", f"{location} cannot be read as {form}: {said}") from None
    return f"read_parquet({literal(str(copy))})"


def _check_batches(path: Path) -> None:
    """Raise ArrowInvalid when offsets or lengths point astray: nobody downstream looks, and the process would die of it."""
    import pyarrow as pa

    if path.stat().st_size > CHECKED_BYTES:
        return
    with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as reader:
        for number in range(reader.num_record_batches):
            reader.get_batch(number).validate(full=True)


def _is_first_feather(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"FEA1"


def _copy_stream(path: Path, target: Path, notes: list[str]) -> None:
    """A stream can only be read from its start; as Parquet it can be asked again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if _is_first_feather(path):
        import pyarrow.feather

        pq.write_table(pyarrow.feather.read_table(path, memory_map=True), target)
        return
    with (
        path.open("rb") as stream,
        pa.ipc.open_stream(stream) as reader,
        pq.ParquetWriter(target, reader.schema) as writer,
    ):
        for batch in reader:
            batch.validate(full=True)
            writer.write_batch(batch)
    with path.open("rb") as stream:
        stream.seek(-8, 2)
        if stream.read(8) != b"\xff\xff\xff\xff\0\0\0\0":
            notes.append("the stream has no end mark; it may have been cut between two batches")


def _check_whole(path: Path, form: str, location: str) -> None:
    """The footers of these formats stand at the end; without one the file was cut short."""
    with path.open("rb") as stream:
        head = stream.read(8)
        stream.seek(max(0, path.stat().st_size - 8))
        tail = stream.read(8)
    whole = {
        "parquet": tail[-4:] in (b"PAR1", b"PARE") and path.stat().st_size >= 12,
        "arrow": tail[-6:] == b"ARROW1" and path.stat().st_size >= 20,
        "feather": tail[-6:] == b"ARROW1" or tail[-4:] == b"FEA1",
        "orc": tail[-4:-1] == b"ORC",
        "arrow-stream": True,
    }
    if form not in whole:
        what = "HTML or XML" if head.lstrip().startswith(b"<") else f"it starts with {head!r}"
        raise SourceProblem(
            "unreadable", f"{location} is no Parquet, Arrow, Feather or ORC file: {what}", "Name it for what it is."
        )
    if not whole[form]:
        raise SourceProblem(
            "truncated", f"{location} is cut short: the {form} footer at its end is missing", "Fetch or write it again."
        )
    if head.startswith(b"PARE") or (form == "parquet" and tail[-4:] == b"PARE"):
        raise SourceProblem(
            "authentication", f"{location} is an encrypted Parquet file", "Write a copy without encryption."
        )
