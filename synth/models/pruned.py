"""Which part of a wide schema a prompt shows: what the request can concern, its keys, and the way between its tables.

A schema that fits is shown whole. Else tables and columns are ranked by how well their names (and the few values of an
enumeration) match the request's words; the rest is named as far as there is room, and counted.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from synth.schema import Field, Relation, Schema, Table

ROOM = 10_000
"""Characters of schema in a prompt: some 3 000 tokens."""

MOST_RELATIONS = 40
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_IDLE = frozenset(
    "the and for per with from that have has are was were all any its their than then each every into over under between"
    " show list give get find what which who how many much number count total sum average mean of in on by to a an is or"
    " last first top highest lowest most least more less not no only just please me my our".split()
)


@dataclass(frozen=True)
class Shown:
    """One table as a prompt shows it: fields in full, fields by name alone, and how many are only counted."""

    table: Table
    fields: tuple[Field, ...]
    named: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Pruned:
    """The tables to show; the names of others, and how many are only counted; the relations between the tables shown."""

    tables: tuple[Shown, ...]
    named: tuple[str, ...] = ()
    left_out: int = 0
    relations: tuple[Relation, ...] = ()


def pruned(
    schema: Schema,
    request: str,
    line_of: Callable[[Field], str],
    room: int = ROOM,
    sought: Sequence[tuple[str, str]] = (),
) -> Pruned:
    """The part of the schema that fits into `room` characters, `line_of` giving the line of a field. `sought` are (table,
    field) that the request is known to concern, such as the column that holds one of its values."""
    lines = (
        {(t.name, f.name): len(line_of(f)) + 3 for t in schema.tables[:2000] for f in t.fields[:4000]}
        if _small(schema)
        else {}
    )
    heads = sum(len(t.name) + 40 for t in schema.tables)
    if lines and heads + sum(lines.values()) <= room:
        shown = tuple(Shown(t, t.fields) for t in schema.tables)
        return Pruned(shown, relations=schema.relations[:MOST_RELATIONS])
    scores = _scores(schema, words_of(request), frozenset(sought))
    chosen = _tables(schema, scores)
    linked = {(r.table, c) for r in schema.relations for c in r.columns}
    linked |= {(r.to_table, c) for r in schema.relations for c in r.to_columns}
    kept: list[Shown] = []
    free = int(room * 0.8)
    for number, table in enumerate(chosen):
        # The tables that match best may take most of the room, and each of the others its part of what they leave.
        part = free // 2 if number == 0 and len(chosen) > 1 else free // max(1, min(len(chosen) - number, 6))
        found = _shown(table, scores, linked, part, line_of)
        used = (
            sum(len(line_of(f)) + 3 for f in found.fields) + sum(len(n) + 4 for n in found.named) + len(table.name) + 40
        )
        if kept and used > free:
            break
        kept.append(found)
        free -= used
    return _with_the_rest(schema, kept, room - int(room * 0.8) + max(0, free))


def _small(schema: Schema) -> bool:
    """Few enough fields that writing all their lines is no work."""
    return sum(len(t.fields) for t in schema.tables) <= 400


def words_of(text: str) -> list[str]:
    """The words of a text or name that say something, folded, without their plural s; `camelCase` and `snake_case` parted."""
    found = [part.casefold() for part in _PART.findall(text)]
    return [_singular(w) for w in found if len(w) > 1 and w not in _IDLE]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@dataclass(frozen=True)
class _Scores:
    tables: Mapping[str, float]
    fields: Mapping[tuple[str, str], float]


def _scores(schema: Schema, wanted: Sequence[str], sought: frozenset[tuple[str, str]]) -> _Scores:
    """How well each table and field matches the words: a word counts fully for an equal part of a name, less for a similar one."""
    wanted = list(dict.fromkeys(wanted))[:40]
    parts: dict[str, list[str]] = {}
    for table in schema.tables:
        for name in (table.name, *(f.name for f in table.fields)):
            if name not in parts:
                parts[name] = words_of(name[:200])
    similar = _similar(wanted, {part for found in parts.values() for part in found})
    rare = _rarity(wanted, parts, schema)

    def match(name: str) -> dict[str, float]:
        best: dict[str, float] = {}
        for part in parts[name]:
            for word, score in similar.get(part, ()):
                best[word] = max(best.get(word, 0.0), score * rare[word])
        return best

    fields: dict[tuple[str, str], float] = {}
    tables: dict[str, float] = {}
    for table in schema.tables:
        of_table = match(table.name)
        whole = {word: 1.5 * score for word, score in of_table.items()}
        for field in table.fields:
            found = match(field.name)
            values = {v for text in field.vocabulary[:200] for v in words_of(text[:60])}
            for word in wanted:
                if word in values:
                    found[word] = max(found.get(word, 0.0), 0.9)
            bonus = 2.0 if (table.name, field.name) in sought else 0.0
            fields[table.name, field.name] = sum(found.values()) + bonus
            for word, score in found.items():
                whole[word] = max(whole.get(word, 0.0), score)
            if bonus:
                whole[f"={field.name}"] = bonus
        tables[table.name] = sum(whole.values())
    return _Scores(tables, fields)


def _similar(wanted: Sequence[str], parts: set[str]) -> dict[str, list[tuple[str, float]]]:
    """For each part of a name the words it is like, with how much (0 to 1)."""
    from rapidfuzz import fuzz, process

    found: dict[str, list[tuple[str, float]]] = {}
    listed = sorted(parts)
    for word in wanted:
        for part, score, _ in process.extract(word, listed, scorer=fuzz.ratio, limit=None, score_cutoff=78):
            found.setdefault(part, []).append((word, 1.0 if part == word else score / 125))
        if len(word) >= 5:
            for part in listed:
                if part != word and len(part) >= 4 and (part.startswith(word[:5]) or word.startswith(part)):
                    found.setdefault(part, []).append((word, 0.6))
    return found


def _rarity(wanted: Sequence[str], parts: Mapping[str, Sequence[str]], schema: Schema) -> dict[str, float]:
    """A word that half of all names hold tells little."""
    total = max(1, len(parts))
    held = {word: sum(1 for found in parts.values() if word in found) for word in wanted}
    return {word: 1.0 / (1.0 + 4.0 * count / total) for word, count in held.items()}


def _tables(schema: Schema, scores: _Scores) -> list[Table]:
    """Tables that match, best first, with those on the way between the best of them; all tables where none matches."""
    ranked = sorted(schema.tables, key=lambda t: -scores.tables[t.name])
    best = scores.tables[ranked[0].name] if ranked else 0.0
    matching = [t for t in ranked if scores.tables[t.name] >= max(0.3, best * 0.3)]
    if not matching:
        return ranked[:12]
    names = [t.name for t in matching[:4]]
    between = _between(names, schema.relations)
    by_name = {t.name: t for t in schema.tables}
    order = [*names[:1], *(n for n in names[1:]), *between, *(t.name for t in matching[4:12])]
    return [by_name[n] for n in dict.fromkeys(order) if n in by_name]


def _between(names: Sequence[str], relations: Sequence[Relation]) -> list[str]:
    """Tables on the shortest ways along relations from the first of the names to each of the others; four steps at most."""
    beside: dict[str, set[str]] = {}
    for relation in relations:
        beside.setdefault(relation.table, set()).add(relation.to_table)
        beside.setdefault(relation.to_table, set()).add(relation.table)
    found: list[str] = []
    for goal in names[1:]:
        came: dict[str, str] = {names[0]: ""}
        todo = deque([(names[0], 0)])
        while todo and goal not in came:
            at, steps = todo.popleft()
            for other in sorted(beside.get(at, ())) if steps < 4 else ():
                if other not in came:
                    came[other] = at
                    todo.append((other, steps + 1))
        at = came.get(goal, "")
        while at and at != names[0]:
            found.append(at)
            at = came[at]
    return found


def _shown(
    table: Table, scores: _Scores, linked: set[tuple[str, str]], room: int, line_of: Callable[[Field], str]
) -> Shown:
    """The table's fields, those that matter first, until the room is used; shown in the table's own order."""
    keys = set(table.primary_key)

    def rank(item: tuple[int, Field]) -> tuple[float, int]:
        number, field = item
        score = scores.fields[table.name, field.name]
        if field.name in keys:
            score += 2.0
        elif (table.name, field.name) in linked:
            score += 0.8
        return -score, number

    full: list[int] = []
    used = 0
    ranked = sorted(enumerate(table.fields), key=rank)
    for number, field in ranked:
        size = len(line_of(field)) + 3
        if used + size > room * 0.75 and full:
            break
        full.append(number)
        used += size
    rest = [n for n, _ in ranked if n not in set(full)]
    named: list[int] = []
    for number in rest:
        size = len(table.fields[number].name) + 4
        if used + size > room:
            break
        named.append(number)
        used += size
    return Shown(
        table,
        tuple(table.fields[n] for n in sorted(full)),
        tuple(table.fields[n].name for n in sorted(named)),
        len(rest) - len(named),
    )


def _with_the_rest(schema: Schema, kept: Sequence[Shown], room: int) -> Pruned:
    """The other tables by name as far as there is room; and the relations between those shown."""
    shown = {s.table.name for s in kept}
    relations = [r for r in schema.relations if r.table in shown and r.to_table in shown][:MOST_RELATIONS]
    room -= sum(len(r.table) + len(r.to_table) + 40 for r in relations)
    named: list[str] = []
    others = [t.name for t in schema.tables if t.name not in shown]
    for name in others:
        room -= min(len(name), 200) + 4
        if room < 0:
            break
        named.append(name)
    return Pruned(tuple(kept), tuple(named), len(others) - len(named), tuple(relations))
