"""What is printed as JSON is exact, and never breaks on a value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from synth.show import dumps

VALUES: list[tuple[object, str]] = [
    (Decimal("12.10"), "12.10"),
    (Decimal("123456789012345678901234567890.5"), "123456789012345678901234567890.5"),
    (float("nan"), "null"),
    (date(2024, 2, 29), '"2024-02-29"'),
    (datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), '"2024-02-29T01:02:03+00:00"'),
    (time(1, 2), '"01:02:00"'),
    (timedelta(minutes=2), "120.0"),
    (b"\xff\x00", '"/wA="'),
    ("Köln \x1b[31m", '"Köln \\u001b[31m"'),
]


@pytest.mark.parametrize(("value", "written"), VALUES, ids=[w for _, w in VALUES])
def test_a_value_is_written_exactly(value: object, written: str) -> None:
    assert dumps(value) == written
    json.loads(dumps({"value": value}))
