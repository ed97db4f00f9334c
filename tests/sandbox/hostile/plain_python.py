"""What a program gives in plain Python, without any wall: what the benign programs are held against. Only for our own programs."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import sys
import types
from collections.abc import AsyncIterator, Iterator
from typing import Any

from tests.sandbox.hostile.world import ROWS


class SourceError(Exception):
    """What a refused call raises."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Rows:
    def __init__(self) -> None:
        self._items = iter([dict(row) for row in ROWS])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._items

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for item in self._items:
            yield item


class _Source:
    def records(self) -> _Rows:
        """The three rows."""
        return _Rows()

    def text(self) -> str:
        """There is none."""
        raise SourceError("unavailable", "there is no text behind this source")


def _query(rows: list[dict[str, Any]], sql: str) -> list[dict[str, Any]]:
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        connection.register("rows", pa.Table.from_pylist(rows))
        answer = connection.execute(sql)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def records_of(code: str) -> list[Any]:
    """The records of a closure that is run right here."""
    # dataclasses looks for the module that a class is from.
    module = types.ModuleType("closure")
    space = vars(module) | {"query": _query, "SourceError": SourceError}
    sys.modules["closure"] = module
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(code, "<plain>", "exec", dont_inherit=True), space)
        made = space["closure"](_Source())
        if inspect.isasyncgen(made):
            return asyncio.run(_all(made))
        return list(asyncio.run(made) if inspect.iscoroutine(made) else made)


async def _all(made: AsyncIterator[Any]) -> list[Any]:
    return [record async for record in made]
