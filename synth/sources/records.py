"""Records to tables: nested records are flattened, spooled and typed, and become a source that DuckDB serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from synth.errors import SourceProblem
from synth.schema import Field, Relation, Table
from synth.source import OpenOptions, SetAside
from synth.sources.duck import DuckDoors, DuckSource, Rejects, first_row, literal, quoted
from synth.sources.spool import (
    ORDINAL,
    POSITION,
    SAMPLE_VALUES,
    STRAY_SHARE,
    TEXT,
    Scratch,
    Seen,
    Spool,
    Typing,
    mixture,
    text_typings,
    typing_of,
)

if TYPE_CHECKING:
    import duckdb

ASIDE_KEPT = 10_000
"""Of records set aside while reading, so many are kept to be shown; all are counted."""
DEPTH = 60
NOTES = 200
RESHAPES = 16
_DATA_KEY = re.compile(
    r"-?\d+(?:\.\d+)?|\d{4}-\d{2}(?:-\d{2}.*)?|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{12,}|[^@\s]+@[^@\s]+\.\w+"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|[A-Za-z]{1,5}[-_]?\d+"
)
_KEY_NAMES = ("id", "_id", "uuid", "guid", "key", "code", "sku", "number", "no", "nr", "ref", "isbn", "slug", "name")
_ROW, _MAP_KEY, _VALUE = "\0row", "\0map", "\0value"

Where = tuple[str, ...]


class Reshape(Exception):
    """An object met while reading has data for keys; reading starts again and makes rows of them."""

    def __init__(self, where: Where) -> None:
        super().__init__(where)
        self.where = where


@dataclass(eq=False)
class Node:
    """One place inside the records of a table, by path."""

    path: Where
    slot: Hashable = None
    children: dict[str, Node] = field(default_factory=dict)
    visits: int = 0
    is_map: bool = False
    has_column: bool = False
    table: Branch | None = None


class Branch:
    """A table in the making: the spool of its rows and the tree of places in its records."""

    def __init__(self, name: str, where: Where, spool: Spool, parent: Branch | None = None) -> None:
        self.name = name
        self.where = where
        self.spool = spool
        self.parent = parent
        self.root = Node(())
        self.keys: list[Node] | None = None
        self.comment = ""
        self.path = ""
        self.fixed: dict[str, Typing] = {}
        self.made: _Made | None = None

    def key_nodes(self) -> list[Node]:
        """Up to three places whose value may tell one record from another, likeliest first."""
        if self.keys is None:
            ranked = sorted(
                (rank, n.path[0], n)
                for n in self.root.children.values()
                if n.has_column and (rank := _key_rank(n.path[0], self.name)) is not None
            )
            self.keys = [node for _, _, node in ranked[:3]]
        return self.keys


@dataclass(frozen=True)
class _Made:
    """A table as it stands: its description, where its rows are, what was set aside, the field behind each slot."""

    table: Table
    rows_sql: str
    aside_sql: str
    names: Mapping[Hashable, tuple[str, Typing]]
    key: str = ""
    key_index: int = -1


class Records:
    """Takes records, nested as they come, and makes a source of them.

    An object inside a record gives dotted columns, a list of plain values stays a list, a list of objects becomes a table
    of its own that points back at its record. `maps` are the places whose objects have data for keys.
    """

    def __init__(self, maps: frozenset[Where] = frozenset()) -> None:
        self.maps = maps
        self.scratch = Scratch()
        self.notes: list[str] = []
        self.branches: list[Branch] = []
        self._by_name: dict[str, Branch] = {}
        self._aside: dict[str, list[SetAside]] = {}
        self._aside_count: dict[str, int] = {}

    def branch(self, name: str, parent: Branch | None = None, where: Where | None = None) -> Branch:
        """A new table; a name that is taken gets a number."""
        free, number = name, 2
        while free.lower() in self._by_name:
            free, number = f"{name}_{number}", number + 1
        branch = Branch(free, where or (free,), Spool(self.scratch, f"t{len(self.branches)}"), parent)
        branch.root.is_map = branch.where in self.maps
        self.branches.append(branch)
        self._by_name[free.lower()] = branch
        return branch

    def add(self, branch: Branch, position: int, record: Mapping[str, Any], key: str | None = None) -> None:
        """One record of a table; `position` is where it stood in the source, from 1; `key` the map key it stood under."""
        if branch.root.is_map:
            for inner_key, value in record.items():
                self._map_item(branch, branch.spool.rows + 1, inner_key, value)
            return
        row: dict[Hashable, object] = {}
        if key is not None:
            self._key(branch, row, key)
        self._record(branch, position, record, row)

    def columns(self, branch: Branch, names: Sequence[str]) -> None:
        """Columns that a table has although no record may come."""
        for name in names:
            branch.root.children.setdefault(name, Node((name,), slot=(name,)))

    def aside(self, table: str, position: int, rule: str, value: str = "") -> None:
        """Note a record that could not be read."""
        kept = self._aside.setdefault(table, [])
        self._aside_count[table] = self._aside_count.get(table, 0) + 1
        if len(kept) < ASIDE_KEPT:
            kept.append(SetAside(table, position, rule, value[:200]))

    def aside_count(self, table: str) -> int:
        """How many records of a table could not be read."""
        return self._aside_count.get(table, 0)

    def note(self, text: str) -> None:
        """Something a reader of the schema should know; said once."""
        if text not in self.notes and len(self.notes) < NOTES:
            self.notes.append(text)

    def source(
        self,
        name: str,
        kind: str,
        *,
        path: Path | None = None,
        encoding: str = "utf-8",
        facts: Mapping[str, object] | None = None,
        cleanup: Callable[[], None] | None = None,
    ) -> DuckSource:
        """Type what was taken in and serve it. The records can take no more afterwards."""
        doors = DuckDoors(path=path, encoding=encoding)
        try:
            return self._source(doors, name, kind, facts or {}, cleanup)
        except BaseException:
            doors.connection.close()
            self.scratch.remove()
            raise

    def _source(
        self,
        doors: DuckDoors,
        name: str,
        kind: str,
        facts: Mapping[str, object],
        cleanup: Callable[[], None] | None,
    ) -> DuckSource:
        connection = doors.connection
        connection.execute("CREATE SCHEMA held")
        connection.execute("SET TimeZone='UTC'")
        doors.allow()
        relations: list[Relation] = []
        rejects: dict[str, Rejects] = {}
        tables: list[Table] = []
        for branch in self.branches:
            made, relation, file = self._make(connection, branch)
            branch.made = made
            if file:
                doors.allow(file)
            doors.add_view(made.table, made.rows_sql)
            tables.append(made.table)
            if relation:
                relations.append(relation)
            if made.aside_sql:
                rejects[made.table.name] = Rejects(made.aside_sql)

        def close() -> None:
            self.scratch.remove()
            if cleanup:
                cleanup()

        return DuckSource(
            name,
            kind,
            doors,
            tables=tables,
            relations=relations,
            rejects=rejects,
            notes=self.notes,
            cleanup=close,
            facts=facts,
        )

    # Taking records in

    def _record(self, branch: Branch, position: int, record: Mapping[str, Any], row: dict[Hashable, object]) -> None:
        waiting: list[tuple[Node, Any]] = []
        self._flatten(branch, branch.root, record, row, waiting, 1)
        ordinal = branch.spool.add(position, row)
        for node, value in waiting:
            self._children(branch, node, value, ordinal, row)

    def _flatten(
        self,
        branch: Branch,
        node: Node,
        record: Mapping[str, Any],
        row: dict[Hashable, object],
        waiting: list[tuple[Node, Any]],
        depth: int,
    ) -> None:
        node.visits += 1
        children = node.children
        for key, value in record.items():
            child = children.get(key)
            if child is None:
                child = self._meet(branch, node, key, record)
            if value is None:
                continue
            kind = type(value)
            if kind is dict:
                if child.is_map:
                    waiting.append((child, value))
                elif depth >= DEPTH:
                    self._scalar(branch, child, row, str(value))
                else:
                    self._flatten(branch, child, value, row, waiting, depth + 1)
            elif kind is list:
                if value and _all_objects(value):
                    waiting.append((child, value))
                else:
                    self._scalar(branch, child, row, value)
            elif child.has_column:
                row[child.slot] = value
            else:
                self._scalar(branch, child, row, value)

    def _scalar(self, branch: Branch, node: Node, row: dict[Hashable, object], value: object) -> None:
        if not node.has_column:
            node.has_column = True
            branch.spool.slot(node.slot)
        row[node.slot] = value

    def _meet(self, branch: Branch, node: Node, key: str, record: Mapping[str, Any]) -> Node:
        """A key seen for the first time at this place."""
        path = (*node.path, key)
        child = node.children[key] = Node(path, slot=path)
        child.is_map = (*branch.where, *path) in self.maps
        count = len(node.children)
        if count >= 8 and count & (count - 1) == 0 and _keys_are_data(node, record):
            raise Reshape((*branch.where, *node.path))
        return child

    def _children(self, branch: Branch, node: Node, value: Any, ordinal: int, row: Mapping[Hashable, object]) -> None:
        """Rows of the table that hangs below one place of one record."""
        if node.table is None:
            name = f"{branch.name}_{identifier('_'.join(node.path))}"
            node.table = self.branch(name, branch, (*branch.where, *node.path))
            node.table.root.is_map = False
            node.table.path = ".".join(node.path)
            for slot in (_ROW, *(f"\0key{i}" for i in range(len(branch.key_nodes())))):
                node.table.spool.slot(slot)
        table = node.table
        link: dict[Hashable, object] = {_ROW: ordinal}
        for i, key in enumerate(branch.key_nodes()):
            link[f"\0key{i}"] = row.get(key.slot)
        if type(value) is dict:
            for inner_key, inner in value.items():
                self._map_item(table, table.spool.rows + 1, inner_key, inner, link)
            return
        for item in value:
            if item is not None:
                self._record(table, table.spool.rows + 1, item, dict(link))

    def _map_item(
        self, branch: Branch, position: int, key: str, value: object, link: Mapping[Hashable, object] | None = None
    ) -> None:
        """One entry of an object whose keys are data: a row with its key."""
        row: dict[Hashable, object] = dict(link or {})
        self._key(branch, row, key)
        if type(value) is dict:
            self._record(branch, position, value, row)
        elif type(value) is list and value and _all_objects(value):
            for item in value:
                self._record(branch, branch.spool.rows + 1, item or {}, dict(row))
        else:
            branch.spool.slot(_VALUE)
            row[_VALUE] = value
            branch.spool.add(position, row)

    def _key(self, branch: Branch, row: dict[Hashable, object], key: str) -> None:
        branch.spool.slot(_MAP_KEY)
        row[_MAP_KEY] = key

    # Making tables of them

    def _make(
        self, connection: duckdb.DuckDBPyConnection, branch: Branch
    ) -> tuple[_Made, Relation | None, Path | None]:
        spool = branch.spool
        raw = spool.raw(connection)
        parent = branch.parent.made if branch.parent else None
        slots = _columns_of(branch)
        link = self._link_of(connection, branch, raw, slots)
        names = unique_names([_label(slot, branch, parent) for slot in slots])
        typings = self._typings(connection, branch, raw, slots, names, link)
        broken = self._broken(connection, branch, raw, slots, names, typings)
        index = self.branches.index(branch)
        aside_sql = self._aside_rows(connection, branch, raw, index, slots, names, typings, broken)
        has_children = any(b.parent is branch for b in self.branches)
        known = set(spool.slots)
        typed = [
            f"{_expression(typings[slot], spool.column(slot) if slot in known else None)} AS v{i}"
            for i, slot in enumerate(slots)
        ]
        keep = " AND ".join(f"NOT {condition}" for condition in broken.values()) or "true"
        select = f"SELECT {', '.join([ORDINAL, *typed])} FROM {raw} WHERE {keep}"
        file: Path | None = None
        if spool.on_disk:
            file = self.scratch.file(f"typed-{index}.parquet")
            connection.execute(f"COPY ({select}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION snappy)")
            held = f"read_parquet({literal(str(file))})"
        else:
            connection.execute(f"CREATE TABLE held.t{index} AS {select}")
            held = f"held.t{index}"
        spool.forget(connection)
        key_name, key_index = self._key_of(connection, branch, held, slots, names)
        fields = [_field(n, typings[s], spool.seen.get(s), spool.rows) for s, n in zip(slots, names, strict=True)]
        row_column = ""
        if (has_children and not key_name) or not fields:
            row_column = next(n for n in ("_row", "_row_number", "_row_position") if n not in names)
            fields.append(Field(row_column, "int64", nullable=False, values=spool.rows, meaning="identifier"))
        columns = [f"v{i} AS {quoted(name)}" for i, name in enumerate(names)]
        columns += [f"{ORDINAL} AS {quoted(row_column)}"] if row_column else []
        rows = _one(connection, f"SELECT count(*) FROM {held}")
        key = key_name or row_column
        # A code or a name that happens to be unique is good to point at, but not a key that later records must keep.
        rank = _key_rank(key_name, branch.name)
        lasting = bool(row_column) or (rank is not None and rank[0] <= 1)
        table = Table(
            branch.name,
            tuple(fields),
            rows=rows,
            primary_key=(key,) if lasting else (),
            path=branch.path,
            comment=branch.comment,
        )
        made = _Made(
            table,
            f"SELECT {', '.join(columns)} FROM {held}",
            aside_sql,
            {slot: (name, typings[slot]) for slot, name in zip(slots, names, strict=True)},
            key,
            key_index,
        )
        relation = None
        if parent and branch.parent:
            relation = Relation(
                branch.name,
                (names[slots.index(link)],),
                branch.parent.name,
                (parent.key,),
                declared=True,
                evidence=f"nested in {branch.parent.name} at {branch.path}",
            )
        return made, relation, file

    def _link_of(
        self, connection: duckdb.DuckDBPyConnection, branch: Branch, raw: str, slots: list[Hashable]
    ) -> Hashable:
        """The slot that points at the parent; the records' own one (and no other) when they carry the parent's key themselves."""
        if branch.parent is None or branch.parent.made is None:
            return None
        link = slots[0]
        label = _label(link, branch, branch.parent.made).casefold()
        own = next((s for s in slots[1:] if isinstance(s, tuple) and ".".join(s).casefold() == label), None)
        if own is None or own not in branch.spool.seen:
            return link
        mine, theirs = quoted(branch.spool.column(own)), quoted(branch.spool.column(link))
        if _one(connection, f"SELECT count(*) FILTER (WHERE {mine} IS DISTINCT FROM {theirs}) FROM {raw}"):
            return link
        slots.remove(link)
        return own

    def _typings(
        self,
        connection: duckdb.DuckDBPyConnection,
        branch: Branch,
        raw: str,
        slots: list[Hashable],
        names: list[str],
        link: Hashable,
    ) -> dict[Hashable, Typing]:
        spool = branch.spool
        parent = branch.parent.made if branch.parent else None
        typings: dict[Hashable, Typing] = {}
        texts: list[tuple[Hashable, str]] = []
        whole: dict[Hashable, Typing] = {}
        for slot, name in zip(slots, names, strict=True):
            if parent and branch.parent and slot == link:
                node = branch.parent.key_nodes()[parent.key_index] if parent.key_index >= 0 else None
                typings[slot] = parent.names[node.slot][1] if node else Typing("int64", "CAST({} AS BIGINT)")
                continue
            typing = typing_of(spool.seen[slot]) if slot in spool.seen else TEXT
            if typing is None:
                texts.append((slot, name))
            elif typing.type == "int64" and _named_for_time(name):
                whole[slot] = typing
                texts.append((slot, name))
            else:
                typings[slot] = typing
                if typing.note:
                    self.note(f"{branch.name}.{name} {typing.note}")
        samples = _samples(connection, raw, spool, [slot for slot, _ in texts])
        found = text_typings([name for _, name in texts], samples, spool.rows <= SAMPLE_VALUES)
        for (slot, name), typing in zip(texts, found, strict=True):
            if slot in whole and not typing.type.startswith(("timestamp", "date")):
                typing = whole[slot]
            if typing.type == "string" and len([n for n in spool.seen[slot].kinds.values() if n]) > 1:
                typing = Typing("string", note=f"holds {mixture(spool.seen[slot])}; kept as text")
                self.note(f"{branch.name}.{name} {typing.note}")
            typings[slot] = typing
        return typings

    def _broken(
        self,
        connection: duckdb.DuckDBPyConnection,
        branch: Branch,
        raw: str,
        slots: list[Hashable],
        names: list[str],
        typings: dict[Hashable, Typing],
    ) -> dict[Hashable, str]:
        """Conditions that find the few values that break their type. A type that too many break is text after all."""
        spool = branch.spool
        conditions = {
            slot: typings[slot].breaks(quoted(spool.column(slot)))
            for slot in slots
            if slot in spool.seen and not typings[slot].strict
        }
        if not conditions:
            return {}
        counted = first_row(
            connection,
            f"SELECT {', '.join(f'count(*) FILTER (WHERE {c})' for c in conditions.values())} FROM {raw}",
        )
        broken: dict[Hashable, str] = {}
        for (slot, condition), count in zip(conditions.items(), counted or (), strict=True):
            if not count:
                continue
            name = names[slots.index(slot)]
            wider = _wider(connection, raw, quoted(spool.column(slot)), name, condition)
            if wider is not None:
                typings[slot] = wider
                continue
            if count <= STRAY_SHARE * spool.seen[slot].values:
                broken[slot] = condition
                continue
            note = f"looks like {typings[slot].type}, but {count} of {spool.seen[slot].values} values are not; kept as text"
            typings[slot] = Typing("string", note=note)
            self.note(f"{branch.name}.{name} {note}")
        return broken

    def _aside_rows(
        self,
        connection: duckdb.DuckDBPyConnection,
        branch: Branch,
        raw: str,
        index: int,
        slots: list[Hashable],
        names: list[str],
        typings: Mapping[Hashable, Typing],
        broken: Mapping[Hashable, str],
    ) -> str:
        """SQL that lists what was set aside of a table; empty when nothing was."""
        read = self._aside.get(branch.name, [])
        if not read and not broken:
            return ""
        held = f"held.aside{index}"
        connection.execute(f"CREATE TABLE {held} (position BIGINT, rule VARCHAR, value VARCHAR)")
        if read:
            import pyarrow as pa

            missing = self._aside_count[branch.name] - len(read)
            rows = [(a.position, a.rule, a.value) for a in read]
            rows += [(read[-1].position, "and more like it", "")] * missing
            columns = dict(zip(("position", "rule", "value"), map(list, zip(*rows, strict=True)), strict=True))
            connection.register("aside_rows", pa.table(columns))
            connection.execute(f"INSERT INTO {held} SELECT * FROM aside_rows")
            connection.unregister("aside_rows")
        if broken:
            whens = [
                (
                    condition,
                    literal(_rule(typings[slot])),
                    quoted(branch.spool.column(slot)),
                )
                for slot, condition in broken.items()
            ]
            rule = " ".join(f"WHEN {c} THEN {r}" for c, r, _ in whens)
            value = " ".join(f"WHEN {c} THEN {v}" for c, _, v in whens)
            connection.execute(
                f"INSERT INTO {held} SELECT {POSITION}, CASE {rule} END, CASE {value} END FROM {raw} "
                f"WHERE {' OR '.join(c for c, _, _ in whens)}"
            )
        return f"SELECT position, rule, value FROM {held} ORDER BY position"

    def _key_of(
        self,
        connection: duckdb.DuckDBPyConnection,
        branch: Branch,
        held: str,
        slots: list[Hashable],
        names: list[str],
    ) -> tuple[str, int]:
        """The column that tells the records apart, if one does, and its number among the candidates."""
        if not branch.spool.rows:
            return "", -1
        for index, node in enumerate(branch.key_nodes()):
            if node.slot not in slots or branch.spool.seen[node.slot].values != branch.spool.rows:
                continue
            number = slots.index(node.slot)
            if _one(connection, f"SELECT count(*) - count(DISTINCT v{number}) FROM {held}") == 0:
                return names[number], index
        return "", -1


def spooled(fill: Callable[[Records], None]) -> Records:
    """Records filled by `fill`, which is called again when objects turn out to have data for keys."""
    maps: frozenset[Where] = frozenset()
    while True:
        records = Records(maps)
        try:
            fill(records)
        except Reshape as reshape:
            records.scratch.remove()
            if len(maps) >= RESHAPES:
                raise SourceProblem(
                    "unreadable",
                    "its objects have too many different keys to be tables",
                    "Point at the part that holds the records.",
                ) from reshape
            maps |= {reshape.where}
        except BaseException:
            records.scratch.remove()
            raise
        else:
            return records


def unique_names(names: Iterable[str]) -> list[str]:
    """The names, none empty and none twice (case does not tell names apart in SQL): `name`, `name_2`, `column_3`."""
    given = [name if name.strip() else f"column_{i}" for i, name in enumerate(names, 1)]
    taken: set[str] = set()
    later = {name.casefold() for name in given}
    unique: list[str] = []
    for name in given:
        free, number = name, 2
        while free.casefold() in taken or (number > 2 and free.casefold() in later):
            free, number = f"{name}_{number}", number + 1
        taken.add(free.casefold())
        unique.append(free)
    return unique


def identifier(text: str) -> str:
    """A plain lower_snake word made of any text; `data` when nothing is left of it."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    word = re.sub(r"\W+", "_", plain).strip("_").lower()[:60]
    if not word:
        return "data"
    return f"t_{word}" if word[0].isdigit() else word


def table_name(location: str, options: OpenOptions) -> str:
    """The name of a file's table: what the user called the source, or the file's stem without its extensions."""
    if options.name:
        return identifier(options.name)
    stem = Path(location).name
    while (cut := Path(stem)).suffix and len(cut.suffix) <= 8 and not cut.suffix[1:].isdigit():
        stem = cut.stem
    return identifier(stem)


def existing_file(location: str, what: str) -> Path:
    """The path of a file that is there and not empty; SourceProblem otherwise."""
    path = Path(location).expanduser()
    try:
        if path.is_dir():
            raise SourceProblem("unreadable", f"{location} is a directory, not {what}", "Name one of the files in it.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise SourceProblem("empty", f"{location} is empty", "Check the step that writes it.")
    except FileNotFoundError:
        raise SourceProblem("missing", f"there is no file {location}", "Check the path.") from None
    except PermissionError:
        raise SourceProblem("authorisation", f"{location} may not be read", "Check its permissions.") from None
    except OSError as error:
        raise SourceProblem("unreadable", f"{location} cannot be read: {error.strerror or error}") from None
    return path


def _all_objects(value: list[Any]) -> bool:
    some = False
    for item in value:
        if type(item) is dict:
            some = True
        elif item is not None:
            return False
    return some


def _keys_are_data(node: Node, record: Mapping[str, Any]) -> bool:
    """Whether the keys at a place look like data rather than names: numbers, dates, ids; or too many, each seldom there."""
    keys = list(node.children)
    if keys_look_like_data(keys):
        return True
    if len(keys) < 128:
        return False
    if node.visits <= 2:
        kinds = {type(v) for v in record.values()}
        return len(keys) >= 512 or (len(keys) >= 256 and len(kinds) == 1)
    return len(record) < 0.1 * len(keys) or len(keys) >= 4096


def keys_look_like_data(keys: list[str]) -> bool:
    """Whether keys are numbers, dates, ids or addresses rather than names. `q1` to `q9` are names; `A1001` is an id."""
    if sum(bool(_DATA_KEY.fullmatch(key)) for key in keys) < 0.9 * len(keys):
        return False
    return not all(re.fullmatch(r"[A-Za-z]{1,5}[-_]?\d{1,2}", key) for key in keys) or len(keys) >= 128


def _key_rank(name: str, table: str) -> tuple[int, int] | None:
    low = identifier(name)
    singular = singular_of(table)
    if low in ("id", "_id"):
        return (0, 0)
    if low in (f"{singular}_id", f"{table}_id"):
        return (1, 0)
    if low in _KEY_NAMES:
        return (2, _KEY_NAMES.index(low))
    if low.endswith(("_id", "_uuid", "_key", "_code", "_number", "_no")):
        return (3, len(low))
    if low == singular:
        return (4, 0)
    return None


def singular_of(word: str) -> str:
    """A plain English singular of a table's name."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _columns_of(branch: Branch) -> list[Hashable]:
    """The slots of a table in the order of its records, the link to its parent first."""
    spool = branch.spool
    slots: list[Hashable] = []
    if branch.parent and branch.parent.made:
        slots.append(_link_slot(branch.parent.made))
    slots += [slot for slot in (_MAP_KEY,) if slot in spool.seen]

    def walk(node: Node) -> None:
        for child in node.children.values():
            seen = spool.seen.get(child.slot)
            only_empty = seen is not None and set(seen.kinds) == {"list"} and not seen.depths
            never_more_than_null = not (child.children or child.table or child.is_map or child.visits)
            if (child.has_column or never_more_than_null) and not (only_empty and child.table is not None):
                slots.append(child.slot)
            walk(child)

    walk(branch.root)
    return [*slots, *(slot for slot in (_VALUE,) if slot in spool.seen)]


def _link_slot(parent: _Made) -> str:
    return f"\0key{parent.key_index}" if parent.key_index >= 0 else _ROW


def _label(slot: Hashable, branch: Branch, parent: _Made | None) -> str:
    if slot == _MAP_KEY:
        return "key"
    if slot == _VALUE:
        return "value"
    if isinstance(slot, tuple):
        return ".".join(slot)
    assert parent is not None
    assert branch.parent is not None
    singular = singular_of(branch.parent.name)
    key = parent.key.lstrip("_")
    return key if key.lower().startswith(singular) else f"{singular}_{key}"


def _rule(typing: Typing) -> str:
    return typing.column.rule() if typing.column else f"is not {typing.type}"


def _expression(typing: Typing, column: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if column is None else typing.value(quoted(column))


def _field(name: str, typing: Typing, seen: Seen | None, rows: int) -> Field:
    there = seen.values if seen else 0
    read = typing.column
    nullable = there < rows or bool(read and (read.nulls or read.null_words))
    return Field(
        name,
        typing.type,
        nullable=nullable,
        values=rows,
        nulls=rows - there,
        meaning=read.meaning if read else "",
        unit=read.unit if read else "",
        format=read.format if read else "",
        comment=typing.note,
    )


def _samples(
    connection: duckdb.DuckDBPyConnection, raw: str, spool: Spool, slots: list[Hashable]
) -> list[list[str | None]]:
    """Up to SAMPLE_VALUES values of each column, from all over the table."""
    if not slots:
        return []
    columns = [quoted(spool.column(s)) for s in slots]
    source = f"SELECT {', '.join(columns)} FROM {raw}"
    if spool.rows > SAMPLE_VALUES:
        source = f"SELECT * FROM ({source}) USING SAMPLE reservoir({SAMPLE_VALUES} ROWS) REPEATABLE (7)"
    sampled = connection.sql(source).to_arrow_table()
    values: list[list[str | None]] = []
    for i, slot in enumerate(slots):
        column = sampled.column(i).to_pylist()
        if spool.rows > SAMPLE_VALUES and spool.seen[slot].values < 0.3 * spool.rows:
            some = f"SELECT {columns[i]} FROM {raw} WHERE {columns[i]} IS NOT NULL"
            column = [
                v
                for (v,) in connection.execute(
                    f"SELECT * FROM ({some}) USING SAMPLE reservoir({SAMPLE_VALUES} ROWS) REPEATABLE (7)"
                ).fetchall()
            ]
        values.append(column)
    return values


def _named_for_time(name: str) -> bool:
    from synth.type_words import TIME_WORDS

    return not TIME_WORDS.isdisjoint(identifier(name.rpartition(".")[2]).split("_"))


_EITHER_WAY = re.compile(r"[^\d.,]*\d{1,3}[.,]\d{3}[^\d.,]*")
"""`12,499` by itself is twelve thousand or twelve and a half: not for a late value to decide."""


def _wider(connection: duckdb.DuckDBPyConnection, raw: str, column: str, name: str, condition: str) -> Typing | None:
    """The number that also holds what breaks a column's type, as a late 0.5 among whole numbers; None where there is none."""
    odd = [v for (v,) in connection.execute(f"SELECT {column} FROM {raw} WHERE {condition} LIMIT 500").fetchall()]
    if any(_EITHER_WAY.fullmatch(v) for v in odd):
        return None
    rest = f"SELECT {column} FROM {raw} WHERE {column} IS NOT NULL AND NOT ({condition})"
    even = [v for (v,) in connection.execute(f"{rest} ORDER BY length({column}) DESC LIMIT {len(odd)}").fetchall()]
    (found,) = text_typings([name], [[*odd, *even]], whole=False)
    if not found.type.startswith(("decimal", "double")) or _one(
        connection, f"SELECT count(*) FROM {raw} WHERE {found.breaks(column)}"
    ):
        return None
    return found


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = first_row(connection, sql)
    return int(row[0]) if row else 0


class Opened:
    """A file as its connector reads it: the bytes inside its wrappings, from the start as often as needed."""

    def __init__(self, path: Path, wrappings: Sequence[str] = ()) -> None:
        self._scratch = Scratch()
        self.plain_path = path
        if wrappings:
            from synth.sources.wrapping import unwrapped

            self.plain_path = unwrapped(path, wrappings, self._scratch.file)

    def stream(self) -> IO[bytes]:
        """The bytes from the start."""
        return self.plain_path.open("rb")

    def head(self, size: int) -> bytes:
        """The first bytes."""
        with self.stream() as stream:
            return stream.read(size)

    def close(self) -> None:
        """Remove what was unwrapped."""
        self._scratch.remove()
