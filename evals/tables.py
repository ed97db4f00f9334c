"""Real questions over real tables: `python -m evals.tables FOLDER` asks the builtin and compares with the annotated plan's answer.

FOLDER holds `wikisql-questions.jsonl.gz` and `wikisql-tables.jsonl.gz` (research data, not part of this project). Each
table is put into DuckDB's memory; the understanding and the closure's SQL are the product's own, without sandbox and gates.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evals.score import right
from evals.truth import AnyOf, either, only

if TYPE_CHECKING:
    from synth.source import Source

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "data"
Grade = Literal["right", "wrong", "refused", "error"]


@dataclass(frozen=True)
class Condition:
    """A column by its place, one of = < >, and the value as the annotator wrote it."""

    column: int
    operator: str
    value: str


@dataclass(frozen=True)
class Question:
    """A question over one table, with the plan that answers it."""

    text: str
    table: str
    select: int
    aggregate: str
    where: tuple[Condition, ...]

    @property
    def form(self) -> str:
        """The aggregate and how many conditions."""
        return f"{self.aggregate or 'plain'}, {len(self.where)} filter{'' if len(self.where) == 1 else 's'}"


@dataclass(frozen=True)
class Page:
    """A table as it stands on its page; `columns` hold numbers where every filled cell is one."""

    id: str
    header: tuple[str, ...]
    columns: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Asked:
    """How one question went: `said` is the reading or the refusal, `truth` and `got` the first rows."""

    question: str
    table: str
    form: str
    grade: Grade
    rule: str
    said: str
    truth: str
    got: str
    gold: str


def questions(folder: Path, part: str) -> list[Question]:
    """All questions of a part, in the file's order."""
    found = []
    for raw in _lines(folder / "wikisql-questions.jsonl.gz"):
        if raw["part"] == part:
            where = tuple(Condition(c, o, str(v)) for c, o, v in raw["where"])
            found.append(Question(raw["question"], raw["table"], raw["select"], raw["aggregate"] or "", where))
    return found


def pages(folder: Path, wanted: set[str]) -> dict[str, Page]:
    """The wanted tables by id."""
    return {
        raw["id"]: Page(raw["id"], _named(raw["header"]), _typed(raw["rows"], len(raw["header"])))
        for raw in _lines(folder / "wikisql-tables.jsonl.gz")
        if raw["id"] in wanted
    }


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        for line in file:
            yield json.loads(line)


def _named(header: Sequence[str]) -> tuple[str, ...]:
    """Unique, filled names: what a spreadsheet would need too."""
    from synth.sources.records import unique_names

    return tuple(unique_names(name.strip() or "column" for name in header))


def _typed(rows: Sequence[Sequence[object]], width: int) -> tuple[tuple[object, ...], ...]:
    columns = []
    for place in range(width):
        cells = [str(row[place]).strip() if place < len(row) else "" for row in rows]
        numbers = [number_of(cell) for cell in cells]
        numeric = any(cells) and all(n is not None for n, cell in zip(numbers, cells, strict=True) if cell)
        columns.append(tuple(numbers) if numeric else tuple(cell or None for cell in cells))
    return tuple(columns)


def number_of(cell: str) -> int | float | None:
    """The number that a cell is, with grouping commas allowed; None where it is anything else, or a label like 007."""
    plain = cell.replace(",", "")
    digits = plain.lstrip("-")
    if not digits or (len(digits) > 1 and digits[0] == "0" and digits[1] != "."):
        return None
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        number = float(plain) if digits[0].isdigit() or digits[0] == "." else None
    except ValueError:
        return None
    return number


@contextmanager
def opened(page: Page) -> Iterator[Source]:
    """The table as a source of the product's own, in memory."""
    import pyarrow as pa

    from synth.schema import Field, Table
    from synth.sources.duck import DuckDoors, DuckSource

    arrays = [pa.array(_alike(column)) for column in page.columns]
    rows = pa.table(arrays, names=list(page.header))
    fields = tuple(Field(f.name, "string" if pa.types.is_null(f.type) else str(f.type)) for f in rows.schema)
    rows = rows.cast(pa.schema([(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in rows.schema]))
    doors = DuckDoors()
    table = Table(NAME, fields, rows.num_rows)
    doors.add_arrow(table, rows)
    source = DuckSource(page.id, "table", doors, tables=[table])
    try:
        yield source
    finally:
        source.close()


def _alike(column: Sequence[object]) -> list[Any]:
    """Whole numbers as floats where a float is among them."""
    if any(isinstance(v, float) for v in column):
        return [float(v) if isinstance(v, int) else v for v in column]
    return list(column)


def truth_of(question: Question, page: Page) -> AnyOf | None:
    """What the annotated plan gives; None where it finds no row, or takes a figure of text: such an annotation proves nothing."""
    rows = range(len(page.columns[0]))
    kept = [n for n in rows if all(_holds(page.columns[c.column][n], c) for c in question.where)]
    cells = [page.columns[question.select][n] for n in kept]
    cells = [c for c in cells if c is not None]
    if not cells:
        return None
    if question.aggregate == "count":
        return only([(len(cells),)])
    if question.aggregate:
        numbers = [c for c in cells if isinstance(c, int | float)]
        if len(numbers) < len(cells):
            return None
        return only([(_figure(question.aggregate, numbers),)])
    every = only([(c,) for c in cells])
    return either(every, only([(c,) for c in dict.fromkeys(cells)]))


def _figure(name: str, numbers: Sequence[float]) -> float:
    match name:
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "sum":
            return sum(numbers)
    return sum(numbers) / len(numbers)


def _holds(cell: object, condition: Condition) -> bool:
    from synth.understand.words import normal

    if cell is None:
        return False
    if isinstance(cell, int | float):
        number = number_of(condition.value.strip())
        if number is None:
            return False
        return cell == number if condition.operator == "=" else _ordered(cell, condition.operator, number)
    if condition.operator == "=":
        return normal(str(cell)) == normal(condition.value)
    return False


def _ordered(cell: float, operator: str, number: float) -> bool:
    return cell < number if operator == "<" else cell > number


def ask(question: Question, page: Page, truth: AnyOf, source: Source) -> Asked:
    """Ask the builtin, run what it wrote over the whole table, and grade that."""
    from synth.evidence import schema_of
    from synth.lookup import finder
    from synth.plan_sql import sql_of
    from synth.request import Refusal, Request, Task
    from synth.understand import understand

    sample = source.sample(200)
    schema = schema_of(source, sample)
    task = Task(Request(question.text, NOW), schema, "table", "duckdb", "table", finder(source, schema, sample))
    gold = f"{question.aggregate} {page.header[question.select]} where " + " and ".join(
        f"{page.header[c.column]} {c.operator} {c.value}" for c in question.where
    )

    def went(grade: Grade, rule: str, said: str, records: Sequence[Mapping[str, object]] = ()) -> Asked:
        got = _shown([tuple(r.values()) for r in records])
        return Asked(
            question.text,
            question.table,
            question.form,
            grade,
            rule,
            said,
            _shown(truth.truths[0].rows),
            got,
            gold.strip(),
        )

    understood = understand(task)
    if isinstance(understood, Refusal):
        return went("refused", understood.rule, understood.reason)
    try:
        sql = sql_of(understood.plan, schema, "duckdb")
        values = {v.parameter: v.value for v in understood.plan.values()}
        batches = source.capability.query(sql.text, [values[p] for p in sql.parameters])  # type: ignore[attr-defined]  # DuckDoors
        records = [row for batch in batches for row in batch.to_pylist()]
    except Exception as problem:  # whatever it is, it is counted and shown
        return went("error", type(problem).__name__, f"{understood.reading}: {problem}"[:300])
    return went("right" if right(records, truth) else "wrong", "", understood.reading, records)


def _shown(rows: Sequence[object]) -> str:
    return f"{len(rows)}: {', '.join(str(r) for r in rows[:3])}"[:200]


def run(folder: Path, part: str, sample: int, seed: int) -> Iterator[Asked]:
    """Sampled questions whose annotated plan proves something, one after the other in this process."""
    every = questions(folder, part)
    random.Random(seed).shuffle(every)
    chosen = every[: sample + sample // 3 + 10] if sample else every
    held = pages(folder, {q.table for q in chosen})
    left = sample or len(chosen)
    for question in chosen:
        page = held.get(question.table)
        truth = truth_of(question, page) if page is not None else None
        if page is None or truth is None:
            continue
        with opened(page) as source:
            yield ask(question, page, truth, source)
        left -= 1
        if not left:
            return


def printed(results: Sequence[Asked]) -> str:
    """Right, wrong and refused, by form."""
    forms = ["all", *sorted({r.form for r in results})]
    lines = [f"{'form':<20} {'asked':>6} {'right':>7} {'wrong':>7} {'refused':>8} {'error':>6}  right of answered"]
    for form in forms:
        counted = Counter(r.grade for r in results if form in ("all", r.form))
        asked = counted.total()
        if not asked:
            continue
        answered = counted["right"] + counted["wrong"] + counted["error"]
        precision = f"{counted['right'] / answered:.1%}" if answered else "-"
        shares = [f"{counted[g] / asked:.1%}" for g in ("right", "wrong", "refused", "error")]
        lines.append(f"{form:<20} {asked:>6} {shares[0]:>7} {shares[1]:>7} {shares[2]:>8} {shares[3]:>6}  {precision}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 0 when all was asked, 2 when the folder does not hold the data."""
    parser = argparse.ArgumentParser(prog="python -m evals.tables", description=__doc__)
    parser.add_argument("folder", type=Path, help="where wikisql-questions.jsonl.gz and wikisql-tables.jsonl.gz are")
    parser.add_argument("--sample", type=int, default=300, help="how many questions; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument(
        "--split", choices=["train", "dev"], default="dev", help="report on dev; look at failures of train only"
    )
    parser.add_argument("--json", action="store_true", help="every question on a line of its own, instead of the table")
    said = parser.parse_args(arguments)
    if not (said.folder / "wikisql-questions.jsonl.gz").is_file():
        print(f"{said.folder} holds no wikisql-questions.jsonl.gz", file=sys.stderr)
        return 2
    results = []
    for result in run(said.folder, said.split, said.sample, said.seed):
        results.append(result)
        if said.json:
            print(json.dumps(asdict(result), ensure_ascii=False), flush=True)
    print(printed(results), file=sys.stderr if said.json else sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
