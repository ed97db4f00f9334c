"""The bound on an engine inside this process: what would take all memory is an error, and all is as before afterwards."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from sandbox.broker import Broker, CallRefused
from sandbox.memory_room import memory_room

HUGE = [
    "SELECT len(range(3000000000)) AS n",
    "SELECT len(list_resize([1], 3000000000)) AS n",
    "SELECT length(printf('%2000000000d', 1)) AS n",
    "SELECT len(repeat(repeat([1], 100000), 100000)) AS n",
]


class Shop:
    """An engine inside this process."""

    dialect = "duckdb"

    def query(self, sql: str, params: object = ()) -> Iterator[list[Any]]:
        """The rows of the query."""
        connection = duckdb.connect(config={"memory_limit": "320MB", "threads": 1})
        with memory_room(1 << 30):
            yield [{"n": row[0]} for row in connection.execute(sql).fetchall()]

    def tables(self) -> list[str]:
        """None."""
        return []


@pytest.mark.parametrize("sql", HUGE)
def test_what_would_take_all_memory_is_refused(sql: str) -> None:
    broker = Broker(Shop())

    with pytest.raises(CallRefused):
        list(broker.answer("query", [sql], {}))

    assert list(broker.answer("query", ["SELECT 1 AS n"], {})) == [[{"n": 1}]]


def test_afterwards_the_bound_is_what_it_was() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with memory_room(1 << 30), memory_room():
        inside = resource.getrlimit(resource.RLIMIT_DATA)

    assert inside != before
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
