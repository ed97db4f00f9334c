"""Rows of text cells on their way to a typed table: spooled to Parquet with their line, typed by all of them, broken ones set aside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.infer import TOLERANCE, ColumnType, as_text, decimal_mark, infer_column, infer_columns, widened
from synth.schema import Table
from synth.sources.duck import DuckDoors, Rejects, literal, quoted

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 20_000
BATCH_CELLS = 400_000
LOOKED_AT = 500
"""So many rows give the first guess of the types; all rows confirm it."""
ROUNDS = 4
COLUMNS_AT_ONCE = 32


class RowSpool:
    """Rows as they come, written to one Parquet file in bounded batches: the line first, then `width` columns of text.

    Empty cells are nulls. `aside` are the rows that are no rows of the table, in a file of their own.
    """

    def __init__(self, path: Path, width: int) -> None:
        self.path = path
        self.width = width
        self.rows = 0
        self.aside = 0
        self._lines: list[int] = []
        self._rows: list[Sequence[str | None]] = []
        self._aside: list[tuple[int, str, str]] = []
        self._batch = max(500, min(BATCH_ROWS, BATCH_CELLS // max(width, 1)))
        self._bytes = 0
        self._writer: Any = None
        self._aside_writer: Any = None

    @property
    def aside_path(self) -> Path:
        """Where the rows set aside are, once the spool is closed and there are any."""
        return self.path.with_suffix(".aside.parquet")

    def add(self, line: int, row: Sequence[str | None]) -> None:
        """One row of exactly `width` cells."""
        self._lines.append(line)
        self._rows.append(row)
        if len(self._rows) >= self._batch:
            self.flush()

    def set_aside(self, line: int, rule: str, raw: str) -> None:
        """One row that breaks the table's shape."""
        self._aside.append((line, rule, raw[:2_000].encode("utf-8", "replace").decode()))
        self.aside += 1
        if len(self._aside) >= 5_000:
            self._flush_aside()

    def flush(self) -> None:
        """Write the waiting rows."""
        if not self._rows:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        batch = self._arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, batch.schema, compression="snappy", use_dictionary=False)
        self._writer.write_table(pa.Table.from_batches([batch]), row_group_size=1 << 20)
        self.rows += batch.num_rows
        self._lines, self._rows = [], []

    def close(self) -> None:
        """Write what is left. The file is there even when no row came."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.flush()
        self._flush_aside()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, self._schema())
            self._writer.write_table(pa.Table.from_batches([], schema=self._schema()))
        self._writer.close()
        if self._aside_writer is not None:
            self._aside_writer.close()

    def relation(self) -> str:
        """SQL to put behind FROM; raw columns are c0, c1 … and `line`."""
        return f"read_parquet({literal(str(self.path))})"

    def _schema(self) -> Any:
        import pyarrow as pa

        texts: list[Any] = [pa.field(f"c{i}", pa.string()) for i in range(self.width)]
        return pa.schema([pa.field("line", pa.int64()), *texts])

    def _arrow(self) -> Any:
        import pyarrow as pa

        try:
            return self._batch_of(self._lines, self._rows)
        except UnicodeEncodeError:
            # Bytes that are no text came through as lone surrogates: those rows are set aside, never altered.
            lines: list[int] = []
            rows: list[Sequence[str | None]] = []
            for line, row in zip(self._lines, self._rows, strict=True):
                text = "\t".join(cell or "" for cell in row)
                if any("\ud800" <= letter <= "\udfff" for letter in text):
                    self.set_aside(line, "holds bytes that are no text in the file's encoding", text)
                else:
                    lines.append(line)
                    rows.append(row)
            return self._batch_of(lines, rows) if rows else pa.RecordBatch.from_pylist([], schema=self._schema())

    def _batch_of(self, lines: list[int], rows: list[Sequence[str | None]]) -> Any:
        import pyarrow as pa

        columns: list[Any] = [pa.array(lines, pa.int64())]
        columns += [pa.array([cell or None for cell in column], pa.string()) for column in zip(*rows, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema())

    def _flush_aside(self) -> None:
        if not self._aside:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        lines, rules, raws = zip(*self._aside, strict=True)
        table = pa.table({"line": pa.array(lines, pa.int64()), "rule": list(rules), "value": list(raws)})
        if self._aside_writer is None:
            self._aside_writer = pq.ParquetWriter(self.aside_path, table.schema)
        self._aside_writer.write_table(table)
        self._aside = []


@dataclass(frozen=True)
class Settled:
    """The types of a table after every row was held against them; `breaks` counts the rows that each column sets aside."""

    types: tuple[ColumnType, ...]
    rows: int
    filled: tuple[int, ...]
    breaks: tuple[int, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def clean(self) -> bool:
        """Whether no row is set aside."""
        return not any(self.breaks)


def settled(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    types: Sequence[ColumnType],
    samples: Sequence[Sequence[str | None]],
    *,
    whole: bool = False,
    only: Collection[int] | None = None,
) -> Settled:
    """Hold every value of `relation` (raw columns c0, c1 …) against the types guessed from samples, and widen what is too narrow.

    Whole numbers become decimals and dates become moments where that loses nothing; a column that more than a few values
    break becomes text; the rest is set aside. `whole` says that the samples are all there is. With `only`, the other columns are
    believed and not read: their counts are 0.
    """
    current = list(types)
    if whole:
        rows = len(samples[0]) if samples else 0
        filled = [rows - column.count(None) - column.count("") for column in samples]
        breaks = [one.offended for one in current]
        doubtful = [i for i, one in enumerate(current) if not _seen_through(one)]
        if doubtful:
            _, _, counted = _counts(connection, relation, current, doubtful)
            for i, n in zip(doubtful, counted, strict=True):
                breaks[i] = n
    elif only is None:
        rows, filled, breaks = _counts(connection, relation, current, range(len(current)))
    else:
        rows, filled, breaks = 0, [0] * len(current), [0] * len(current)
        if only:
            rows, some, broken_some = _counts(connection, relation, current, sorted(only))
            for i, there, n in zip(sorted(only), some, broken_some, strict=True):
                filled[i], breaks[i] = there, n
    notes: list[str] = []
    samples = list(samples)
    late = (
        [] if whole else [i for i, one in enumerate(current) if one.type == "string" and not one.distinct and filled[i]]
    )
    for i in late:
        samples[i] = _late_values(connection, relation, i, current[i])
        found = infer_column(current[i].name, samples[i], decimal=decimal_mark(current))
        current[i] = replace(found, values=current[i].values, nulls=current[i].nulls)
    if late:
        for i, n in zip(late, _counts(connection, relation, current, late)[2], strict=True):
            breaks[i] = n
    for _ in range(ROUNDS):
        broken = [i for i, n in enumerate(breaks) if n]
        changed = []
        for i in broken:
            mark = current[i].decimal or decimal_mark(current)
            better = _wider(connection, relation, i, current[i], samples[i], breaks[i], filled[i], mark)
            if better is not None:
                if better.type == "string" and current[i].type != "string":
                    notes.append(
                        f"{current[i].name}: {breaks[i]} of {filled[i]} values are not {current[i].type}; kept as text"
                    )
                current[i] = better
                changed.append(i)
        if not changed:
            break
        _, _, again = _counts(connection, relation, current, changed)
        for i, n in zip(changed, again, strict=True):
            breaks[i] = n
    return Settled(tuple(current), rows, tuple(filled), tuple(breaks), tuple(notes))


def _seen_through(one: ColumnType) -> bool:
    """Whether inference itself looked at every value as strictly as SQL would."""
    return one.type == "string" or (one.plain and one.type.startswith(("int", "decimal", "double")))


def _counts(
    connection: duckdb.DuckDBPyConnection, relation: str, types: Sequence[ColumnType], which: Iterable[int]
) -> tuple[int, list[int], list[int]]:
    """(rows, values there, values that break the type), the latter two for the columns asked for."""
    indices = list(which)
    rows = 0
    filled: list[int] = []
    breaks: list[int] = []
    # DuckDB plans a query of many such expressions in time that grows with their square.
    for start in range(0, max(len(indices), 1), COLUMNS_AT_ONCE):
        parts = ["count(*)"]
        for i in indices[start : start + COLUMNS_AT_ONCE]:
            parts.append(f"count(c{i})")
            broken = types[i].breaks(f"c{i}")
            parts.append("0" if broken == "false" else f"count(*) FILTER (WHERE {broken})")
        row = connection.execute(f"SELECT {', '.join(parts)} FROM {relation}").fetchone()
        assert row is not None
        rows = int(row[0])
        filled += [int(n) for n in row[1::2]]
        breaks += [int(n) for n in row[2::2]]
    return rows, filled, breaks


def _late_values(
    connection: duckdb.DuckDBPyConnection, relation: str, index: int, one: ColumnType
) -> Sequence[str | None]:
    """Values of a column that the sample had none of, null words among them."""
    column = f"c{index}"
    found = connection.execute(
        f"SELECT DISTINCT {column} FROM (SELECT {column} FROM {relation} WHERE {one.present(column)} LIMIT 20000) LIMIT 400"
    ).fetchall()
    return [*(str(row[0]) for row in found), *one.null_words]


def _wider(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    index: int,
    one: ColumnType,
    sample: Sequence[str | None],
    broken: int,
    filled: int,
    mark: str,
) -> ColumnType | None:
    """A type that holds the breaking values too; None where setting them aside is right."""
    column = f"c{index}"
    found = connection.execute(
        f"SELECT DISTINCT {column} FROM (SELECT {column} FROM {relation} WHERE {one.breaks(column)} LIMIT 20000) LIMIT 400"
    ).fetchall()
    offenders = [str(row[0]) for row in found]
    numeric = widened(one, offenders, mark)
    if numeric is not None:
        return replace(numeric, values=one.values, nulls=one.nulls, distinct=one.distinct)
    stray = broken <= TOLERANCE * filled
    # Once more, with the offenders no longer drowned: a layout that the first rows did not show may hold them all.
    mixed = infer_column(
        one.name, [*sample[:: max(len(sample) // 25, 1)], *offenders], decimal=mark, day_first=one.day_first
    )
    same = (mixed.type, mixed.reading, mixed.pattern) == (one.type, one.reading, one.pattern)
    if mixed.type != "string" and not mixed.offended and not same and _family(mixed.type) == _family(one.type):
        return mixed
    return None if stray else as_text(one)


def _family(kind: str) -> str:
    if kind.startswith(("int", "decimal", "double")):
        return "number"
    return "moment" if kind.startswith(("date", "timestamp")) else kind


def first_types(
    names: Sequence[str], rows: Sequence[Sequence[str | None]], *, decimal: str = "", day_first: bool | None = None
) -> tuple[list[ColumnType], list[list[str | None]]]:
    """A first guess at the types from some rows, and the columns it was made from."""
    columns: list[list[str | None]] = (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in names]
    )
    return infer_columns(names, columns, decimal=decimal, day_first=day_first), columns


def spread(rows: Sequence[Sequence[str | None]], count: int = LOOKED_AT) -> Sequence[Sequence[str | None]]:
    """About `count` of the rows, evenly."""
    return rows if len(rows) <= count else rows[:: -(-len(rows) // count)]


def typed_select(
    relation: str,
    types: Sequence[ColumnType],
    *,
    native: Sequence[bool] | None = None,
    filtered: Sequence[bool] | None = None,
    dropped: Sequence[bool] | None = None,
) -> str:
    """The SELECT behind a table's view. `native` columns come typed already; a row whose `filtered` columns break is left out."""
    parts = []
    for i, one in enumerate(types):
        if dropped and dropped[i]:
            continue
        value = f"c{i}" if native and native[i] else one.loose(f"c{i}")
        parts.append(f"{value} AS {quoted(one.name)}")
    where = [
        f"NOT {one.breaks(f'c{i}')}" for i, one in enumerate(types) if filtered and filtered[i] and one.type != "string"
    ]
    return f"SELECT {', '.join(parts)} FROM {relation}" + (f" WHERE {' AND '.join(where)}" if where else "")


def rejects_of(
    relation: str, types: Sequence[ColumnType], filtered: Sequence[bool], line: str = "line", more: str = ""
) -> Rejects | None:
    """How the rows that a view leaves out are listed; `more` is a SELECT of further ones (line, rule, value)."""
    broken = [(i, one) for i, one in enumerate(types) if filtered[i] and one.type != "string"]
    selects = [more] if more else []
    if broken:
        tests = [one.breaks(f"c{i}") for i, one in broken]
        rules = " ".join(
            f"WHEN {test} THEN {literal(one.rule())}" for test, (_, one) in zip(tests, broken, strict=True)
        )
        values = " ".join(f"WHEN {test} THEN c{i}" for test, (i, _) in zip(tests, broken, strict=True))
        selects.append(
            f"SELECT {line} AS line, CASE {rules} END AS rule, CASE {values} END AS value FROM {relation} WHERE {' OR '.join(tests)}"
        )
    if not selects:
        return None
    body = " UNION ALL ".join(selects)
    return Rejects(f"SELECT line, rule, value FROM ({body}) ORDER BY line", f"SELECT count(*) FROM ({body})")


def serve_spool(
    doors: DuckDoors,
    name: str,
    spool: RowSpool,
    types: Sequence[ColumnType],
    samples: Sequence[Sequence[str | None]],
    unnamed: frozenset[int] = frozenset(),
) -> tuple[Table, Rejects | None, list[str]]:
    """Type a closed spool by all its rows and serve it as a table: (table, how its rejects are found, notes)."""
    found = settled(doors.connection, spool.relation(), types, samples, whole=len(samples[0]) == spool.rows)
    doors.allow(spool.path)
    more = ""
    if spool.aside:
        doors.allow(spool.aside_path)
        more = f"SELECT line, rule, value FROM read_parquet({literal(str(spool.aside_path))})"
    filtered = [n > 0 for n in found.breaks]
    dropped = hollow(found, unnamed)
    table = table_of(name, found, dropped)
    doors.add_view(table, typed_select(spool.relation(), found.types, filtered=filtered, dropped=dropped))
    return table, rejects_of(spool.relation(), found.types, filtered, more=more), list(found.notes)


def hollow(found: Settled, unnamed: frozenset[int]) -> list[bool]:
    """The columns that have neither a name nor a value: what a delimiter at the end of each line leaves."""
    drop = [i in unnamed and not filled and found.rows > 0 for i, filled in enumerate(found.filled)]
    return drop if not all(drop) else [False] * len(drop)


def table_of(name: str, found: Settled, dropped: Sequence[bool] | None = None) -> Table:
    """The schema's table; its row count is known when nothing is set aside."""
    fields = []
    for one, filled, drop in zip(found.types, found.filled, dropped or [False] * len(found.types), strict=True):
        if drop:
            continue
        fields.append(one.as_field(nullable=filled < found.rows or bool(one.null_words)))
    return Table(name, tuple(fields), rows=found.rows if found.clean else None)


def null_notes(types: Iterable[ColumnType]) -> Iterator[str]:
    """What text columns read as null (a word that somebody may have meant), and numbers that stay text."""
    for one in types:
        if one.type == "string" and one.confidence < 0.75:
            yield f"{one.name}: nothing tells whether its marks begin thousands or decimals; kept as text"
        if one.type == "string" and one.null_words:
            yield f"{one.name}: {', '.join(one.null_words)} is read as null"
