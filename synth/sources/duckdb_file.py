"""A DuckDB database file as a source: attached read-only to a DuckDB of our own, whose views give plain types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.schema import Field, Relation, Table
from synth.source import OpenOptions, Sample, Source
from synth.sources.credentials import path_and_table
from synth.sources.duck import DuckDoors, DuckSource, literal, quoted
from synth.sources.sampling import bring_parents, together
from synth.sources.sql_database import narrowed_to, qualified
from synth.sources.sql_engines import Catalogue, FoundColumn, FoundKey, FoundTable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ATTACHED = "tars_file"


def open_source(location: str, detection: Detection, options: OpenOptions) -> Source:
    """The database file at `path`, `path?schema=name#table` or `duckdb:///path`."""
    import duckdb

    path, schema, only = path_and_table(location, options.environment, ("duckdb",))
    _check(path)
    doors = DuckDoors("duckdb")
    try:
        doors.connection.execute("SET TimeZone = 'UTC'")
        doors.connection.execute(f"ATTACH {literal(str(path))} AS {_ATTACHED} (READ_ONLY)")
        catalogue = narrowed_to(_catalogue(doors.connection, schema or "main"), only, path.name)
        source = _DuckDbFile(options.name or path.stem, detection.kind, doors, catalogue)
        doors.allow(path)
        return cast(Source, source)
    except duckdb.Error as error:
        doors.connection.close()
        raise _problem(error, path) from error
    except BaseException:
        doors.connection.close()
        raise


def _check(path: Path) -> None:
    try:
        if path.is_dir():
            raise SourceProblem("unreadable", f"{path} is a folder, not a database file")
        with path.open("rb") as stream:
            head = stream.read(16)
    except FileNotFoundError as error:
        raise SourceProblem("missing", f"there is no file {path}", "Check the path") from error
    except OSError as error:
        raise SourceProblem("unreadable", f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise SourceProblem("empty", f"{path} is empty: 0 bytes", "A DuckDB database has at least its header")
    if head[8:12] != b"DUCK":
        raise SourceProblem("unreadable", f"{path} is not a DuckDB database", "Its ninth to twelfth bytes are not DUCK")


def _problem(error: duckdb.Error, path: Path) -> SourceProblem:
    text = " ".join(str(error).split())
    low = text.lower()
    if "lock on file" in low or "conflicting lock" in low:
        return SourceProblem(
            "unreadable", f"{path.name} is locked by another program", "Close that program, or copy the file"
        )
    if "encrypt" in low:
        return SourceProblem("unreadable", f"{path.name} is encrypted", "Make a copy that is not")
    if "version" in low:
        return SourceProblem("unreadable", f"{path.name} was written by another version of DuckDB: {text[:200]}")
    if "checksum" in low or "corrupt" in low or "read" in low or "deserializ" in low or "serialization" in low:
        return SourceProblem("truncated", f"{path.name} is damaged: {text[:200]}", "Restore it from a copy")
    return SourceProblem("unreadable", f"{path.name} cannot be read: {text[:200]}")


def _catalogue(connection: duckdb.DuckDBPyConnection, default: str) -> Catalogue:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    mine = f"database_name = '{_ATTACHED}'"
    columns: dict[tuple[str, str], list[FoundColumn]] = {}
    for schema, table, name, kind, nullable, comment in ask(
        "SELECT schema_name, table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns()"
        f" WHERE {mine} AND NOT internal ORDER BY schema_name, table_name, column_index"
    ):
        columns.setdefault((schema, table), []).append(FoundColumn(name, "", nullable, comment or "", kind))
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    keys: list[FoundKey] = []
    for schema, table, kind, names, to_table, to_names in ask(
        "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names"
        f" FROM duckdb_constraints() WHERE {mine} AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')"
    ):
        if kind == "PRIMARY KEY":
            primary[schema, table] = tuple(names)
        elif (schema, to_table) in columns:
            keys.append(FoundKey((schema, table), tuple(names), (schema, to_table), tuple(to_names)))
    listed = ask(
        f"SELECT schema_name, table_name, estimated_size, comment, true FROM duckdb_tables() WHERE {mine} AND NOT internal"
        f" UNION ALL SELECT schema_name, view_name, NULL, comment, false FROM duckdb_views() WHERE {mine} AND NOT internal"
        " ORDER BY 1, 2"
    )
    tables = tuple(
        FoundTable(
            schema, name, tuple(columns[schema, name]), rows, stored, primary.get((schema, name), ()), comment or ""
        )
        for schema, name, rows, comment, stored in listed
        if (schema, name) in columns
    )
    return Catalogue(tables, tuple(keys), default)


_AS_TEXT = (
    "ENUM",
    "UUID",
    "INTERVAL",
    "JSON",
    "MAP",
    "UNION",
    "BIT",
    "TIME WITH TIME ZONE",
    "VARIANT",
    "GEOMETRY",
    "BIGNUM",
)
_AS_INTEGER = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")


def plain_type(kind: str) -> str:
    """The type that a column of this DuckDB type is given as: integers of one size, no enumerations, no types of DuckDB's own."""
    if kind.endswith("]"):
        return plain_type(kind[: kind.rindex("[")]) + "[]"
    if kind.startswith("STRUCT"):
        return kind
    if kind.startswith(_AS_TEXT):
        return "VARCHAR"
    if kind in _AS_INTEGER:
        return "BIGINT"
    if kind in ("HUGEINT", "UHUGEINT"):
        return "DECIMAL(38,0)"
    if kind == "FLOAT":
        return "DOUBLE"
    return "TIMESTAMP" if kind in ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS") else kind


class _DuckDbFile(DuckSource):
    """Its views stand under the names that tables have here, and under schema.table where they have two."""

    def __init__(self, name: str, kind: str, doors: DuckDoors, catalogue: Catalogue) -> None:
        connection = doors.connection
        tables: list[Table] = []
        broken: list[str] = []
        self._dotted = False
        for found in catalogue.tables:
            served = qualified(found, catalogue.default)
            select = _select(found)
            try:
                schema = connection.sql(f"{select} LIMIT 0").to_arrow_reader(1).schema
            except Exception as error:
                if not found.stored:  # a view over something that is gone
                    broken.append(f"{served!r} cannot be read; left out: {' '.join(str(error).split())[:100]}")
                    continue
                raise
            fields = tuple(
                Field(c.name, str(f.type), nullable=c.nullable, comment=c.comment)
                for c, f in zip(found.columns, schema, strict=True)
            )
            table = Table(served, fields, found.rows, found.primary_key, comment=found.comment)
            doors.add_view(table, select)
            if served != found.name:
                self._dotted = True
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(found.schema)}")
                connection.execute(f"CREATE VIEW {quoted(found.schema)}.{quoted(found.name)} AS {select}")
            tables.append(table)
        names = {(t.schema, t.name): qualified(t, catalogue.default) for t in catalogue.tables}
        relations = [
            Relation(names[k.table], k.columns, names[k.to_table], k.to_columns, True, "foreign key")
            for k in catalogue.keys
            if k.table in names and k.to_table in names
        ]
        super().__init__(
            name,
            kind if kind != "unknown" else "duckdb",
            doors,
            tables=tables,
            relations=relations,
            notes=broken,
            facts={"format": "duckdb"},
        )

    def sample(self, rows: int) -> Sample:
        """As for any file; then the rows that sampled rows point at."""
        found = super().sample(rows)
        a, b = dict(found.a), dict(found.b)
        entire = {name: b[name] for name in found.whole}
        for part in (a, b):
            bring_parents(part, self.relations(), entire, self._fetch_keys)
        return Sample(a, b, found.whole)

    def over(self, tables: Mapping[str, pa.Table]) -> Any:
        """The same doors over other rows; names of two parts are found there too."""
        if not self._dotted:
            return super().over(tables)
        from synth.sources.sql_over import doors_like

        return doors_like(self.tables(), tables, "duckdb")

    def _fetch_keys(self, table: str, columns: Sequence[str], keys: Sequence[tuple[object, ...]]) -> pa.Table:
        import pyarrow as pa

        wanted = pa.table({f"k{i}": [key[i] for key in keys] for i in range(len(columns))})
        self.capability.connection.register("tars_keys", wanted)
        try:
            on = " AND ".join(f"t.{quoted(c)} = k.k{i}" for i, c in enumerate(columns))
            return together([self._fetch(f"SELECT DISTINCT t.* FROM {quoted(table)} t JOIN tars_keys k ON {on}")])
        finally:
            self.capability.connection.unregister("tars_keys")


def _select(found: FoundTable) -> str:
    columns = []
    for column in found.columns:
        plain = plain_type(column.declared)
        name = quoted(column.name)
        columns.append(name if plain == column.declared else f"CAST({name} AS {plain}) AS {name}")
    return f"SELECT {', '.join(columns)} FROM {_ATTACHED}.{quoted(found.schema)}.{quoted(found.name)}"
