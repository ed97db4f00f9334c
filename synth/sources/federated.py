"""Several sources as one: every table of each in one DuckDB, where they can be joined.

Views over files are used in place. What stands in a database or behind an API is copied into a temporary file when a
query first names it, batch by batch.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sandbox.broker import CallRefused
from synth.schema import Relation, Table
from synth.source import Completeness, Sample, SetAside, Source
from synth.sources.duck import DuckDoors, doors_over, literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 20_000_000
"""So many rows of one table are copied at most; an answer over a table cut there is called incomplete."""

_VIEW = re.compile(r"CREATE\s+VIEW\s+(?:\"(?:[^\"]|\"\")+\"|[\w.]+)\s+AS\s+(.*?);?\s*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class _Member:
    """A table of the whole: whose it is, and what it is called there."""

    source: str
    table: Table


class FederatedSource:
    """Several sources as one table-shaped source. Closing it closes them."""

    kind = "federated"
    shape: Literal["table", "http"] = "table"
    dialect = "duckdb"

    def __init__(self, sources: Mapping[str, Source], most_rows: int = MOST_ROWS) -> None:
        self.sources = dict(sources)
        self.name = "_".join(self.sources)
        self._members = _named({s: source.tables() for s, source in self.sources.items()})
        self._doors = _Doors(self.sources, self._members, self.tables, most_rows)
        self.capability: object = self._doors
        self.facts: dict[str, object] = {"format": "+".join(s.kind for s in self.sources.values())}

    @property
    def notes(self) -> tuple[str, ...]:
        """What each source had to say of itself."""
        return tuple(f"{s}: {n}" for s, source in self.sources.items() for n in getattr(source, "notes", ()))

    def tables(self) -> tuple[Table, ...]:
        """The tables of all, under names of their own: `orders`, or `shop_orders` where two have an `orders`."""
        latest = {(s, t.name): t for s, source in self.sources.items() for t in source.tables()}
        return tuple(
            replace(latest.get((m.source, m.table.name), m.table), name=name, path="")
            for name, m in self._members.items()
        )

    def relations(self) -> tuple[Relation, ...]:
        """Relations that each source declares within itself."""
        names = self._names()
        return tuple(
            replace(r, table=names[s, r.table], to_table=names[s, r.to_table])
            for s, source in self.sources.items()
            for r in source.relations()
            if (s, r.table) in names and (s, r.to_table) in names
        )

    def sample(self, rows: int) -> Sample:
        """The samples of all."""
        names = self._names()
        a: dict[str, pa.Table] = {}
        b: dict[str, pa.Table] = {}
        whole: set[str] = set()
        for source_name, source in self.sources.items():
            found = source.sample(rows)
            a |= {names[source_name, t]: held for t, held in found.a.items() if (source_name, t) in names}
            b |= {names[source_name, t]: held for t, held in found.b.items() if (source_name, t) in names}
            whole |= {names[source_name, t] for t in found.whole if (source_name, t) in names}
        return Sample(a, b, frozenset(whole))

    def over(self, tables: Mapping[str, pa.Table]) -> object:
        """The same doors over other rows."""
        return doors_over(self.tables(), tables)

    def completeness(self) -> Completeness:
        """Complete when every source that was read is, and no table was cut."""
        names = self._names()
        cut = self._doors.cut
        aside: list[SetAside] = []
        reasons = [f"only the first {self._doors.most_rows} rows of {t!r} were copied" for t in sorted(cut)]
        count = 0
        for source_name, source in self.sources.items():
            if source_name not in self._doors.read:
                continue
            each = source.completeness()
            count += each.set_aside_count
            aside += [replace(s, table=names.get((source_name, s.table), s.table)) for s in each.set_aside]
            if each.state == "incomplete":
                reasons.append(f"{source_name}: {each.reason}")
        if not reasons:
            return Completeness("complete")
        return Completeness("incomplete", "; ".join(reasons), set_aside=tuple(aside[:20]), set_aside_count=count)

    def close(self) -> None:
        """Close every source and remove the copies."""
        self._doors.close()
        for source in self.sources.values():
            source.close()

    def _names(self) -> dict[tuple[str, str], str]:
        return {(m.source, m.table.name): name for name, m in self._members.items()}


def _named(tables: Mapping[str, Sequence[Table]]) -> dict[str, _Member]:
    """A name for each table: its own where no other source has it, else with its source's name before it."""
    bare = [t.name.replace(".", "_").lower() for each in tables.values() for t in each]
    named: dict[str, _Member] = {}
    taken: set[str] = set()
    for source, each in tables.items():
        for table in each:
            own = table.name.replace(".", "_")
            name = own if bare.count(own.lower()) == 1 else f"{source}_{own}"
            while name.lower() in taken:
                name += "_"
            taken.add(name.lower())
            named[name] = _Member(source, table)
    return named


class _Doors:
    """The capability `Table` over all sources."""

    dialect = "duckdb"

    def __init__(
        self, sources: Mapping[str, Source], members: Mapping[str, _Member], tables: Any, most_rows: int
    ) -> None:
        self.cut: set[str] = set()
        self.read: set[str] = set()
        self.most_rows = most_rows
        self._sources = sources
        self._members = members
        self._tables = tables
        self._duck = DuckDoors("duckdb")
        self._folder = Path(tempfile.mkdtemp(prefix="tars-federated-"))
        try:
            connection = self._duck.connection
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"ATTACH {literal(str(self._folder / 'copies.duckdb'))} AS tars_copies")
            self._waiting = {name for name in members if not self._in_place(name)}
            self._duck.allow(self._folder)
        except BaseException:
            self.close()
            raise

    def tables(self) -> list[str]:
        """Names of the tables that may be queried."""
        return list(self._members)

    def columns(self, table: str) -> list[dict[str, str]]:
        """Columns of a table as {"name", "type"}."""
        for each in self._tables():
            if each.name == table:
                return [{"name": f.name, "type": f.type} for f in each.fields]
        raise CallRefused("not-found", f"no table {table!r}; there are: {', '.join(self._members)}")

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of one SELECT over any of the tables."""
        for name in _tables_in(sql, self._members):
            self._touch(name)
            if name in self._waiting:
                self._copy(name)
        yield from self._duck.query(sql, params)

    def close(self) -> None:
        """Remove the copies."""
        self._duck.connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _touch(self, name: str) -> None:
        member = self._members[name]
        self.read.add(member.source)
        theirs = self._sources[member.source].capability
        if isinstance(theirs, DuckDoors):
            theirs.touched.add(member.table.name)

    def _in_place(self, name: str) -> bool:
        """Whether the table is a view over files that this DuckDB can read itself, under the same locks."""
        import duckdb

        member = self._members[name]
        theirs = self._sources[member.source].capability
        if not isinstance(theirs, DuckDoors) or theirs._allowed is None:
            return False
        rows = theirs.connection.execute(
            "SELECT sql FROM duckdb_views() WHERE view_name = ? AND schema_name = 'main' AND NOT internal",
            [member.table.name],
        ).fetchall()
        match = _VIEW.fullmatch(rows[0][0]) if rows else None
        if match is None:
            return False
        try:
            self._duck.add_view(replace(member.table, name=name), match.group(1))
            self._duck.connection.execute(f"SELECT * FROM {quoted(name)} LIMIT 0").fetchall()
        except duckdb.Error:
            # It stands on something that only their own connection has: an attached file, rows in memory.
            self._duck.connection.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
            return False
        self._duck.allow(*theirs._allowed)
        theirs.lent.append(self._duck)
        return True

    def _copy(self, name: str) -> None:
        import pyarrow as pa

        member = self._members[name]
        batches = self._batches(member)
        first = next(batches, None)
        if first is None:
            raise CallRefused("failed", f"{member.source!r} gave nothing for {member.table.name!r}")
        reader = pa.RecordBatchReader.from_batches(first.schema, self._bounded(name, first, batches))
        copy = f"tars_copies.main.{quoted(name)}"
        self._duck.connection.register("tars_incoming", reader)
        try:
            self._duck.connection.execute(f"CREATE OR REPLACE TABLE {copy} AS SELECT * FROM tars_incoming")
        finally:
            self._duck.connection.unregister("tars_incoming")
        self._duck.add_view(replace(member.table, name=name), f"SELECT * FROM {copy}")
        self._waiting.discard(name)

    def _batches(self, member: _Member) -> Iterator[pa.RecordBatch]:
        theirs: Any = self._sources[member.source].capability
        if hasattr(theirs, "query"):
            yield from theirs.query(_everything(member.table, theirs.dialect))
        else:
            yield from theirs.pages(member.table.path or member.table.name)

    def _bounded(self, name: str, first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        left = self.most_rows
        for batch in itertools.chain([first], rest):
            if batch.num_rows > left:
                self.cut.add(name)
            if left <= 0:
                return
            yield batch.slice(0, left)
            left -= batch.num_rows


def _everything(table: Table, dialect: str) -> str:
    from sqlglot import exp

    schema, _, name = table.name.rpartition(".")
    names = [exp.column(f.name, quoted=True) for f in table.fields]
    return exp.select(*names).from_(exp.table_(name, schema or None, quoted=True)).sql(dialect=dialect)


def _tables_in(sql: str, members: Mapping[str, _Member]) -> list[str]:
    """Which tables the SQL names."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise CallRefused("bad-sql", f"the SQL cannot be read: {' '.join(str(error).split())[:200]}") from error
    named = {t.name.lower() for t in tree.find_all(exp.Table)}
    return [name for name in members if name.lower() in named]
