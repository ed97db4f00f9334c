"""Makes training examples: `python -m training.data {public,found,written} …` writes one file of examples each.

`public` are WikiSQL's questions with plans, `found` questions whose plan `training.search` has found, `written` our own requests.
Each is seen as the product would see it: the same lexicon, value index and features.
"""

from __future__ import annotations

import argparse
import gzip
import json
import pickle
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from tokenizers import Tokenizer

from synth.schema import Field, Relation, Schema, Table
from synth.understand.columns import Lexicon
from synth.understand.values import Values
from synth.understand.words import tokens_of
from training.authored import Domain, Written, domains
from training.examples import Example, Unplaced, example, place_of
from training.features import Shown, shown
from training.queries import Names, Said, Unreadable, said
from training.typed_cells import names_of

LONGEST = 208
SIGNS = {"=": "EQ", "<": "LT", ">": "GT"}
FIGURES = {"max": "MAX", "min": "MIN", "sum": "SUM", "avg": "AVG"}


class Pieces:
    """Words to the ids of their pieces; and the marks."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.begin = self._tokenizer.token_to_id("[CLS]")
        self.end = self._tokenizer.token_to_id("[SEP]")
        self.of = lru_cache(maxsize=200_000)(self._of)

    def _of(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)


@dataclass(frozen=True)
class Asked:
    """A request over a schema with its target, before it is seen."""

    text: str
    schema: Schema
    target: list[Said]
    source: str


def number_of(cell: str) -> Decimal | None:
    """A cell that is a number as it stands."""
    plain = cell.replace(",", "").strip()
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain) or re.fullmatch(r"-?0\d+", plain):
        return None
    return Decimal(plain)


def field_of(name: str, cells: Sequence[str]) -> Field:
    """A column as detection would describe it."""
    filled = [c.strip() for c in cells if c and c.strip()]
    numbers = [number_of(c) for c in filled]
    counts = Counter(filled)
    if filled and all(n is not None for n in numbers):
        whole = all(n == int(n) for n in numbers if n is not None)
        values = [int(n) if whole else float(n) for n in numbers if n is not None]
        return Field(
            name,
            "int64" if whole else "double",
            values=len(cells),
            distinct=len(counts),
            examples=tuple(dict.fromkeys(values))[:5],
            least=min(values),
            most=max(values),
        )
    if filled and sum(bool(re.fullmatch(r"\d{4}-\d\d-\d\d", c)) for c in filled) == len(filled):
        return Field(name, "date32[day]", values=len(cells), distinct=len(counts), examples=tuple(counts)[:5])
    common = [value for value, _ in counts.most_common(1000)]
    vocabulary = tuple(common) if len(counts) <= 1000 else ()
    return Field(
        name, "string", values=len(cells), distinct=len(counts), examples=tuple(common[:5]), vocabulary=vocabulary
    )


def page_schema(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Schema:
    """The schema of a table of text cells."""
    names = names_of(header)
    columns = [[str(row[n]) if n < len(row) else "" for row in rows] for n in range(len(names))]
    return Schema((Table("data", tuple(field_of(n, c) for n, c in zip(names, columns, strict=True)), len(rows)),))


def lines(path: Path) -> Iterator[dict[str, object]]:
    """The objects of a gzipped or plain JSON Lines file."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for line in file:
            yield json.loads(line)


def public(folder: Path, part: str) -> Iterator[Asked]:
    """WikiSQL's questions, the conditions in the order in which the question says them."""
    tables = {t["id"]: t for t in lines(folder / "wikisql-tables.jsonl.gz")}
    schemas: dict[object, Schema] = {}
    for raw in lines(folder / "wikisql-questions.jsonl.gz"):
        if raw["part"] != part:
            continue
        table = tables[raw["table"]]
        if raw["table"] not in schemas:
            schemas[raw["table"]] = page_schema(table["header"], table["rows"])  # type: ignore[arg-type]  # JSON
        schema = schemas[raw["table"]]
        text, tokens = tokens_of(str(raw["question"]))
        select: Said = ("c", 0, raw["select"])
        target: list[Said] = []
        aggregate = raw["aggregate"]
        target += ["COUNT"] if aggregate == "count" else [FIGURES[str(aggregate)], select] if aggregate else [select]
        conditions = []
        for column, sign, value in raw["where"]:  # type: ignore[attr-defined]  # JSON
            field = schema.tables[0].fields[column]
            number = number_of(str(value)) if field.type != "string" or sign != "=" else None
            constant: object = number if number is not None else str(value)
            at = place_of(constant, text, tokens)
            conditions.append((at[0] if at else 99, [SIGNS[sign], ("c", 0, column), ("k", constant)]))
        conditions.sort(key=lambda c: c[0])
        if conditions:
            target += ["WHERE", *joined([c for _, c in conditions])]  # type: ignore[misc]  # a list of said
        yield Asked(str(raw["question"]), schema, [*target, "END"], "public")


def joined(conditions: Sequence[list[Said]]) -> list[Said]:
    """All of them hold."""
    found = list(conditions[-1])
    for each in reversed(conditions[:-1]):
        found = ["AND", *each, *found]
    return found


def found(folder: Path, plans: Path) -> Iterator[Asked]:
    """Questions whose plan a search has found."""
    tables = {t["id"]: t for t in lines(folder / "wtq-tables.jsonl.gz")}
    for raw in lines(plans):
        table = tables[raw["table"]]
        schema = messy_schema(table["header"], table["rows"])  # type: ignore[arg-type]  # JSON
        names = Names((("t", tuple(f.name for f in schema.tables[0].fields)),))
        try:
            yield Asked(str(raw["question"]), schema, said(str(raw["sql"]), names), "found")
        except Unreadable:
            continue


def messy_schema(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Schema:
    """A page's table as it is printed; a column of numbers with marks is one of numbers."""
    names = names_of(header)
    fields = []
    for n, name in enumerate(names):
        cells = [str(row[n]) if n < len(row) else "" for row in rows]
        plain = [re.sub(r"\[[^\]]*\]|[$€£%*†]", "", c).strip() for c in cells]
        filled = [c for c in plain if c and c not in ("-", "–", "—", "n/a", "N/A")]
        numeric = bool(filled) and sum(number_of(c) is not None for c in filled) >= 0.9 * len(filled)
        fields.append(field_of(name, [c for c in filled if number_of(c) is not None] if numeric else cells))
    return Schema((Table("data", tuple(fields), len(rows)),))


KINDS = {
    "text": "string",
    "int": "int64",
    "decimal": "double",
    "bool": "bool",
    "date": "date32[day]",
    "datetime": "timestamp[us]",
    "time": "time64[us]",
    "list": "list<item: string>",
}


def written_field(column: Written, rng: random.Random) -> Field:
    """A column of our own, with the values its author gave it, some left out."""
    values = list(column.values)
    if column.type == "text":
        few = tuple(dict.fromkeys(values))
        return Field(column.name, "string", values=40, distinct=len(few), examples=few[:5], vocabulary=few)
    shown_values: list[object] = list(values)
    if column.type in ("int", "decimal"):
        numbers = [number_of(v) for v in values]
        shown_values = [int(n) if column.type == "int" else float(n) for n in numbers if n is not None]
        rng.shuffle(shown_values)
    return Field(column.name, KINDS[column.type], values=40, distinct=40, examples=tuple(shown_values[:5]))


def written_schema(domain: Domain, rng: random.Random) -> Schema:
    """The domain's tables."""
    tables = tuple(
        Table(name, tuple(written_field(c, rng) for c in columns), 40) for name, columns in domain.tables.items()
    )
    relations = tuple(Relation(a, (b,), c, (d,), True) for a, b, c, d in domain.keys)
    return Schema(tables, relations)


def written(paths: Sequence[Path], rng: random.Random, part: str) -> Iterator[Asked]:
    """Our own requests; one domain in twelve is the part `dev`. What cannot be read is left out: `training.authored` names it."""
    for path in paths:
        for domain in domains(path):
            if (crc32(domain.title.encode()) % 12 == 0) != (part == "dev"):
                continue
            schema = written_schema(domain, rng)
            names = domain.names()
            for request, sql, _ in domain.asked:
                try:
                    yield Asked(request, schema, said(sql, names), f"written {domain.title}")
                except Unreadable:
                    continue


class Maker:
    """Makes what the reader sees of a request, in variants."""

    def __init__(self, pieces: Pieces, rng: random.Random) -> None:
        self.pieces = pieces
        self.rng = rng
        self._lexicons: dict[int, tuple[Schema, Lexicon, Values]] = {}

    def _lexicon(self, schema: Schema) -> tuple[Lexicon, Values]:
        kept = self._lexicons.get(id(schema))
        if kept is None or kept[0] is not schema:
            if len(self._lexicons) > 200:
                self._lexicons.clear()
            lexicon = Lexicon(schema)
            kept = self._lexicons[id(schema)] = (schema, lexicon, Values(lexicon, lambda _: ()))
        return kept[1], kept[2]

    def seen(self, asked: Asked, content: bool = True) -> Shown:
        """As the product sees it."""
        lexicon, values = self._lexicon(asked.schema)
        text, tokens = tokens_of(asked.text)
        return shown(lexicon, values if content else None, text, lexicon.with_names(text, tokens), most=200)

    def example(self, asked: Asked, seen: Shown, column_at: Callable[[int, int], tuple[int, int]]) -> Example:
        """What the reader sees and should write; Unplaced where it cannot."""
        return example(
            seen, asked.target, column_at, self.pieces.of, (self.pieces.begin, self.pieces.end), LONGEST, asked.source
        )

    def plain(self, asked: Asked, content: bool = True) -> Example:
        """Nothing varied."""
        return self.example(asked, self.seen(asked, content), lambda t, c: (t, c))

    def varied(self, asked: Asked, hidden: float = 0.2, shuffled: float = 0.4, dropped: float = 0.3) -> Example:
        """Content hidden now and then, columns shuffled and unused ones dropped."""
        rng = self.rng
        seen = self.seen(asked, rng.random() >= hidden)
        used = {t[1:] for t in asked.target if isinstance(t, tuple) and t[0] == "c"}
        tables, places = [], {}
        drop = rng.random() * 0.7 if rng.random() < dropped else 0.0
        fewer = rng.random() < 0.3
        for t, (name, columns) in enumerate(seen.tables):
            order = list(range(len(columns)))
            if rng.random() < shuffled:
                rng.shuffle(order)
            order = [c for c in order if (t, c) in used or rng.random() >= drop] or order
            for new, c in enumerate(order):
                places[(t, c)] = (t, new)
            shown_columns = [columns[c] for c in order]
            if fewer:
                shown_columns = [replace(c, values=c.values[: max(c.held, rng.randrange(3))]) for c in shown_columns]
            tables.append((name, tuple(shown_columns)))
        varied = Shown(seen.text, seen.tokens, tuple(tables), seen.named)
        return self.example(asked, varied, lambda t, c: (t, 0) if c < 0 else places[(t, c)])

    def refused(self, asked: Asked) -> Example | None:
        """The same request where a column it needs is not there: nothing answers it. None where another column may."""
        seen = self.seen(asked)
        used = [t for t in asked.target if isinstance(t, tuple) and t[0] == "c"]
        if not used or len(seen.tables) != 1 or len(seen.tables[0][1]) < 4:
            return None
        gone = self.rng.choice(used)[2]
        name, columns = seen.tables[0]
        words = set(str(columns[int(str(gone))].name).lower().split())
        left = tuple(c for n, c in enumerate(columns) if n != gone)
        if any(words & set(c.name.lower().split()) for c in left):
            return None
        if any(c.held for n, c in enumerate(columns) if n == gone):
            return None
        seen = Shown(seen.text, seen.tokens, ((name, left),), seen.named)
        return self.example(replace(asked, target=["REFUSE"]), seen, lambda t, c: (t, c))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("public", "found", "written"))
    parser.add_argument("--data", type=Path, help="the folder nl-table")
    parser.add_argument("--plans", type=Path, help="what training.search wrote")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--part", default="train")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--times", type=int, default=1, help="variants of each request")
    parser.add_argument("--plain", action="store_true", help="nothing varied: for tests")
    parser.add_argument("--refused", type=float, default=0.04)
    parser.add_argument("--most", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    maker = Maker(Pieces(given.tokenizer), rng)
    source: Iterator[Asked]
    if given.what == "public":
        source = public(given.data, given.part)
    elif given.what == "found":
        source = found(given.data, given.plans)
    else:
        source = written(sorted((Path(__file__).parent / "requests").glob("*.txt")), rng, given.part)
    examples: list[Example] = []
    unplaced = 0
    for n, asked in enumerate(source):
        if n >= given.most:
            break
        for _ in range(given.times):
            try:
                examples.append(maker.plain(asked) if given.plain else maker.varied(asked))
            except Unplaced:
                unplaced += 1
        if not given.plain and rng.random() < given.refused:
            try:
                no = maker.refused(asked)
            except Unplaced:
                no = None
            examples.extend([no] if no else [])
    kept = [e for e in examples if len(e.target) < 60]
    with given.out.open("wb") as file:
        pickle.dump([(e.ids, e.roles, e.items, e.target, e.source) for e in kept], file)
    lengths = sorted(len(e.ids) for e in kept)
    print(
        f"{len(kept)} examples, {unplaced} unplaced, length median {lengths[len(lengths) // 2]}, p95 {lengths[int(len(lengths) * 0.95)]}, "
        f"target median {sorted(len(e.target) for e in kept)[len(kept) // 2]}"
    )


if __name__ == "__main__":
    main()
