"""Requests written by people, domain by domain: `python -m training.authored FILE...` checks that every query can be read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from training.queries import Names, Said, Unreadable, said

TYPES = ("text", "int", "decimal", "bool", "date", "datetime", "time", "list")


@dataclass
class Written:
    """A column as its author wrote it."""

    name: str
    type: str
    values: list[str]


@dataclass
class Domain:
    """Tables with their columns, keys (table, column, other table, its column), and the requests with their queries."""

    title: str
    tables: dict[str, list[Written]] = field(default_factory=dict)
    keys: list[tuple[str, str, str, str]] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def names(self) -> Names:
        """What a query may speak of."""
        tables = tuple((table, tuple(c.name for c in columns)) for table, columns in self.tables.items())
        flags = frozenset(
            (t, c)
            for t, columns in enumerate(self.tables.values())
            for c, column in enumerate(columns)
            if column.type == "bool"
        )
        return Names(tables, flags)


def domains(path: Path) -> Iterator[Domain]:
    """The domains of one file. ValueError names the line that is none."""
    now: Domain | None = None
    columns: list[Written] = []
    request = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        at = f"{path.name}:{number}"
        if line.startswith("# domain"):
            if now is not None:
                yield now
            now = Domain(line.partition(":")[2].strip())
            continue
        if not line.strip() or line.startswith("#"):
            continue
        if now is None:
            now = Domain(path.stem)
        if line.startswith("table "):
            columns = now.tables.setdefault(line[6:].strip(), [])
        elif line.startswith("key "):
            found = re.fullmatch(r"key (.+)\.(.+?) -> (.+)\.(.+?)\s*(?:#.*|\(.*)?", line)
            if not found:
                raise ValueError(f"{at}: a key reads `key a.b -> c.d`")
            now.keys.append(found.groups())  # type: ignore[arg-type]
        elif line.startswith("? "):
            request = line[2:].strip()
        elif line.startswith("= "):
            now.asked.append((request, line[2:].strip(), at))
        elif line.startswith((" ", "\t")):
            found = re.fullmatch(rf"\s+(.+?) ({'|'.join(TYPES)})\s*:\s*(.*)", line)
            if not found:
                raise ValueError(f"{at}: a column reads `name type: values`, type one of {', '.join(TYPES)}")
            values = [v.strip() for v in found[3].split(",") if v.strip()]
            columns.append(Written(found[1].strip().strip('"'), found[2], values))
        else:
            raise ValueError(f"{at}: not understood: {line[:60]}")
    if now is not None:
        yield now


def main(paths: list[str]) -> int:
    """Check files; the lines that cannot be read go to stdout. 1 when there are any."""
    bad = total = 0
    for path in paths:
        try:
            for domain in domains(Path(path)):
                names = domain.names()
                for request, sql, at in domain.asked:
                    total += 1
                    try:
                        missing = unsaid(said(sql, names), request, domain)
                        if missing:
                            raise Unreadable(f"the constant {missing!r} is neither in the request nor a listed value")
                    except Unreadable as problem:
                        bad += 1
                        print(f"{at}: {problem}\n    ? {request}\n    = {sql}")
        except ValueError as problem:
            bad += 1
            print(problem)
    print(f"{total} requests, {bad} unreadable")
    return 1 if bad else 0


def unsaid(tokens: list[Said], request: str, domain: Domain) -> object:
    """A constant that stands nowhere, or nothing."""
    from synth.understand.words import tokens_of
    from training.examples import place_of

    text, words = tokens_of(request)
    listed = {v.casefold() for columns in domain.tables.values() for c in columns for v in c.values}
    for token in tokens:
        if isinstance(token, tuple) and token[0] == "k":
            constant = token[1]
            if place_of(constant, text, words) is None and str(constant).casefold() not in listed and constant != 1:
                return constant
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
