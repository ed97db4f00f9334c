"""A query that never ends is interrupted when the grant's time is over, though the broker waits in the engine."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from sandbox.broker import Broker, CallRefused, Grant
from synth.schema import Field, Table
from synth.sources.duck import DuckDoors

ENDLESS = "SELECT count(*) AS n FROM t AS a, t AS b, t AS c WHERE (a.n * 31 + b.n * 17 + c.n) % 1000003 = 5"


def test_an_endless_query_ends_with_the_grant() -> None:
    doors = DuckDoors()
    doors.add_arrow(Table("t", (Field("n", "int64"),)), pa.table({"n": list(range(20_000))}))
    broker = Broker(doors, Grant(seconds=0.5))
    began = time.monotonic()

    with pytest.raises(CallRefused, match="took too long"):
        list(broker.answer("query", [ENDLESS], {}))

    assert time.monotonic() - began < 10
