"""Questions about a table that nobody prepared: a telling header at most, dates kept as text, and a file called data."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import duckdb
import pytest

from synth.plan_sql import sql_of
from synth.request import Refusal, Request, Task
from synth.schema import Field, Schema, Table
from synth.understand import Understood, understand

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILMS = (
    'title VARCHAR, directed_by VARCHAR, "writer(s)" VARCHAR, premiere VARCHAR, season BIGINT, awards BIGINT, status VARCHAR',
    [
        ("Alba", "Ann Low", "Bo Reed", "May 20", 1998, 3, "unknown"),
        ("Borea", "Cy Gale", "Ann Low", "June 1", 2001, 7, "shown"),
        ("Calm", "Di Moss", "Bo Reed", "May 4", 2004, 0, "shown"),
    ],
)
GAMES = (
    "day VARCHAR, home_team VARCHAR, home_team_score VARCHAR, away_team VARCHAR, away_team_score VARCHAR, rank VARCHAR, total BIGINT",
    [
        ("3 May", "Oslo", "4.2 (26)", "Bern", "5.1 (31)", "1", 57),
        ("4 May", "Bern", "9.9 (63)", "Rome", "1.1 (7)", "2", 70),
        ("total", "Rome", "6.6 (42)", "Oslo", "2.2 (14)", "total", 56),
    ],
)


@cache
def _table(columns: str, rows: tuple[tuple[object, ...], ...]) -> tuple[duckdb.DuckDBPyConnection, Schema]:
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE data ({columns})")
    connection.executemany(f"INSERT INTO data VALUES ({', '.join('?' for _ in rows[0])})", list(rows))
    fields = []
    for place, (name, kind, *_) in enumerate(connection.execute("SELECT * FROM data").description or ()):
        column = [r[place] for r in rows]
        text = str(kind) == "VARCHAR"
        fields.append(
            Field(
                name,
                "string" if text else "int64",
                values=len(column),
                distinct=len(set(column)),
                vocabulary=tuple(sorted({str(v) for v in column})) if text else (),
                least=None if text else min(column),  # type: ignore[type-var]  # whole numbers
                most=None if text else max(column),  # type: ignore[type-var]  # whole numbers
            )
        )
    return connection, Schema((Table("data", tuple(fields), len(rows)),))


def _ask(
    world: tuple[str, list[tuple[object, ...]]], text: str
) -> tuple[Understood | Refusal, list[tuple[object, ...]]]:
    connection, schema = _table(world[0], tuple(world[1]))
    understood = understand(Task(Request(text, NOW), schema, "table", "duckdb", "csv"))
    if isinstance(understood, Refusal):
        return understood, []
    sql = sql_of(understood.plan, schema, "duckdb")
    values = {v.parameter: v.value for v in understood.plan.values()}
    return understood, connection.execute(sql.text, [values[p] for p in sql.parameters]).fetchall()


@pytest.mark.parametrize(
    ("world", "text", "rows"),
    [
        (FILMS, "Name the awards for Alba", [(3,)]),
        (FILMS, "which title had its premiere on May 20", [("Alba",)]),
        (FILMS, "what is the title of the film in 2001", [("Borea",)]),
        (FILMS, "who directed Calm", [("Di Moss",)]),
        (FILMS, "who were the writers for Borea", [("Ann Low",)]),
        (FILMS, "what is the title with 7 awards", [("Borea",)]),
        (FILMS, "what is the title with an unknown status", [("Alba",)]),
        (FILMS, "when was the premiere of Borea", [("June 1",)]),
        (GAMES, "what was the total when the home team scored 9.9 (63)", [(70,)]),
        (GAMES, "what was the score of the home team when Rome was the away team", [("9.9 (63)",)]),
        (GAMES, "what is the away team in the game against Oslo with a rank of 1", [("Bern",)]),
        (GAMES, "on which day was Bern the home team", [("4 May",)]),
        (GAMES, "which rank has a total less than 57", [("total",)]),
    ],
)
def test_it_is_answered(world: tuple[str, list[tuple[object, ...]]], text: str, rows: list[tuple[object, ...]]) -> None:
    understood, got = _ask(world, text)

    assert isinstance(understood, Understood), understood
    assert all(any(cell in found for cell in row) for found, row in zip(got, rows, strict=True)), understood.reading


@pytest.mark.parametrize(
    ("world", "text"),
    [
        (FILMS, "how many giraffes"),
        (FILMS, "how many giraffes with 7 awards"),
        (FILMS, "average shoe size per title"),
        (FILMS, "how many seasons"),
        (FILMS, "the title of the giraffe"),
        (GAMES, "when Oslo played as the home team, who was the home team"),
        (GAMES, "how many rank"),
    ],
)
def test_it_is_refused(world: tuple[str, list[tuple[object, ...]]], text: str) -> None:
    understood, _ = _ask(world, text)

    assert isinstance(understood, Refusal), understood.reading
