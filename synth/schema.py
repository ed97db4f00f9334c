"""A schema: what the tables of a source hold, with the evidence for it.

Types are Arrow's, by Arrow's own names (`int64`, `double`, `decimal128(12, 2)`, `string`, `bool`, `date32[day]`,
`timestamp[us]`, `timestamp[us, tz=UTC]`, `time64[us]`, `list<item: string>`, `struct<a: int64>`), kept as strings so
that detection and the command line need not load Arrow.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """One column or member, and what was seen of it.

    `name` is the source's spelling. `reading` is None where the stored value already has `type`; else it is a DuckDB SQL
    expression over the column that gives it (`CAST("placed_at" AS TIMESTAMP)`), for sources that cannot be typed at the door.
    `values` counts the values looked at, `nulls` those of them that were null (or a null word), `distinct` those that differ.
    `examples` are a few values, most frequent first; `vocabulary` all distinct values of a text column when they are few
    (at most 1000), else empty. `offending` are up to five (row number, raw value) that broke the type.
    `meaning` is a word such as `email`, `url`, `uuid`, `currency`, `percent`, `country`, `identifier`, `enumeration`, `flag`,
    `latitude`; `unit` what the values carried (`USD`, `EUR`, `%`, `kg`).
    """

    name: str
    type: str
    reading: str | None = None
    nullable: bool = True
    values: int = 0
    nulls: int = 0
    distinct: int = 0
    examples: tuple[object, ...] = ()
    vocabulary: tuple[str, ...] = ()
    least: object = None
    most: object = None
    offending: tuple[tuple[int, str], ...] = ()
    meaning: str = ""
    unit: str = ""
    format: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Relation:
    """Rows of `table` point at rows of `to_table`. `evidence` says where it was read or what was counted."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    declared: bool
    evidence: str = ""


@dataclass(frozen=True)
class Table:
    """One table, sheet, file, record path or endpoint. `rows` is its whole size where known; `path` how an API reaches it."""

    name: str
    fields: tuple[Field, ...]
    rows: int | None = None
    primary_key: tuple[str, ...] = ()
    path: str = ""
    comment: str = ""

    def named(self, name: str) -> Field:
        """The field of that name. KeyError when there is none."""
        return next((f for f in self.fields if f.name == name), None) or _no_field(self, name)


def _no_field(table: Table, name: str) -> Field:
    raise KeyError(f"no column {name!r} in {table.name!r}; there are: {', '.join(f.name for f in table.fields)}")


@dataclass(frozen=True)
class Schema:
    """Every table of a source and how they hang together."""

    tables: tuple[Table, ...]
    relations: tuple[Relation, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def table(self, name: str) -> Table:
        """The table of that name. KeyError when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"no table {name!r}; there are: {', '.join(t.name for t in self.tables)}")
