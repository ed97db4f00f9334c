"""Arrow columns become the Python values that they mean, nulls and slices included, with no help from Arrow's compute module."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from sandbox.inside.handle import plain_values

COLUMNS = [
    (pa.decimal128(10, 2), [Decimal("1.50"), None, Decimal("-3.25"), None, Decimal("0.00")]),
    (pa.decimal128(38, 4), [Decimal("1.5000"), None, Decimal("-3.2500")]),
    (pa.date32(), [date(2020, 2, 29), None, date(1, 1, 1)]),
    (pa.timestamp("us"), [datetime(2020, 1, 1, 1, 2, 3), None]),
    (pa.timestamp("ms", "UTC"), [datetime(2020, 1, 1, tzinfo=UTC), None]),
    (pa.int64(), [1, None, -5]),
    (pa.string(), ["a", None, ""]),
]


@pytest.mark.parametrize(("kind", "values"), COLUMNS, ids=[str(c[0]) for c in COLUMNS])
def test_values_and_nulls_come_through(kind: pa.DataType, values: list[object]) -> None:
    column = pa.array(values * 9, kind)

    assert plain_values(column) == values * 9
    assert plain_values(column.slice(5, 11)) == (values * 9)[5:16]
