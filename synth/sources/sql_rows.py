"""Rows of a database driver as typed Arrow batches: in bounded memory, never rounded, what breaks its type set aside."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 10_000
BATCH_BYTES = 16 * 1024 * 1024
_FIRST_ROWS = 1_000
_SPARE_DIGITS = 18

Row = Sequence[Any]


@dataclass(frozen=True)
class Column:
    """A column of an answer. `type` is None where only the values can tell it; `unsized` is a decimal whose scale they tell, and
    `whole` lets it be an integer where they have no fraction, as sums of integers are; `ready` makes a driver's value plain
    before Arrow takes it. A `guess` gives way when the first values do not fit it."""

    name: str
    type: pa.DataType | None
    ready: Callable[[Any], Any] | None = None
    unsized: bool = False
    whole: bool = False
    guess: bool = False


@dataclass(frozen=True)
class Broken:
    """A row that its column's type could not hold: its number in the answer (from 1), the rule and the value."""

    position: int
    rule: str
    value: str
    column: str


def typed_batches(
    columns: Sequence[Column], fetch: Callable[[int], Sequence[Row]], broken: Callable[[Broken], None]
) -> Iterator[pa.RecordBatch]:
    """Record batches of one schema; at least one, so that an empty answer has its columns."""
    chosen: list[Column] | None = None
    names = unique_names([c.name for c in columns])
    position = 1
    for rows in _gathered(fetch):
        values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
        if chosen is None:
            more = len(rows) >= BATCH_ROWS
            chosen = [settled(c, v, more) for c, v in zip(columns, values, strict=True)]
        yield _batch(names, chosen, values, position, broken)
        position += len(rows)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names with `_1`, `_2` … behind those that were there before: a record cannot hold two of one name."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidates = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(1)))
        free = next(c for c in candidates if c not in taken and (c == name or c not in names))
        taken.add(free)
        result.append(free)
    return result


def _gathered(fetch: Callable[[int], Sequence[Row]]) -> Iterator[list[Row]]:
    """Rows in lists of about BATCH_ROWS, fewer where rows are big; an empty list when there is nothing at all."""
    gathered: list[Row] = []
    held = 0
    step = _FIRST_ROWS
    any_row = False
    while rows := fetch(step):
        any_row = True
        gathered += rows
        size = _size_of(rows)
        held += size
        step = max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, size // len(rows))))
        if len(gathered) >= BATCH_ROWS or held >= BATCH_BYTES:
            yield gathered
            gathered, held = [], 0
        step = min(step, BATCH_ROWS - len(gathered))
    if gathered or not any_row:
        yield gathered


def _size_of(rows: Sequence[Row]) -> int:
    """About how many bytes the rows hold, judged by every tenth of them."""
    looked = rows[:: max(1, len(rows) // 100)]
    total = sum(len(v) if isinstance(v, str | bytes | list) else 8 for row in looked for v in row)
    return total * len(rows) // len(looked)


def settled(column: Column, values: Sequence[Any], more: bool) -> Column:
    """The column with its type decided by the first values where the driver did not know it.

    A decimal of unknown size gets the scale that was seen, with digits to spare when `more` rows follow.
    """

    if column.type is None:
        return Column(column.name, _type_of_values(values), column.ready or _as_stored(values))
    if column.guess and not _fits(column, values):
        return Column(column.name, _type_of_values(values), _as_stored(values))
    if column.unsized:
        return _sized(column, values, more)
    return column


def _fits(column: Column, values: Sequence[Any]) -> bool:
    import pyarrow as pa

    try:
        _array(column, values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, ArithmeticError):
        return False
    return True


def _sized(column: Column, values: Sequence[Any], more: bool) -> Column:
    import pyarrow as pa

    texts = [str(v).lstrip("-") for v in values if v is not None]
    numbers = [t for t in texts if t[:1].isdigit()]
    scale = max((len(t.partition(".")[2]) for t in numbers), default=0 if column.whole else 9)
    digits = max((len(t.partition(".")[0]) for t in numbers), default=1)
    if column.whole and scale == 0 and digits <= 18 and not more:
        return Column(column.name, pa.int64(), _integer)
    if more:
        scale = max(scale, min(_SPARE_DIGITS, 38 - digits - 4))
    if digits + scale <= 38:
        return Column(column.name, pa.decimal128(38, scale), column.ready)
    if digits + scale <= 76:
        return Column(column.name, pa.decimal256(76, scale), column.ready)
    return Column(column.name, pa.string(), column.ready)


def _integer(value: Any) -> int:
    number = Decimal(str(value))
    if number != int(number):
        raise ValueError(f"{value} is not whole")
    return int(number)


def _type_of_values(values: Sequence[Any]) -> pa.DataType:
    import pyarrow as pa

    kinds = {type(v) for v in values if v is not None}
    if not kinds or str in kinds:
        return pa.string()
    if kinds == {bytes}:
        return pa.binary()
    if kinds == {bool}:
        return pa.bool_()
    if kinds <= {int, bool}:
        return pa.int64()
    if kinds <= {int, float, bool}:
        return pa.float64()
    return pa.string()


def _as_stored(values: Sequence[Any]) -> Callable[[Any], Any] | None:
    """Mixed values become text; values of one kind stay."""
    kinds = {type(v) for v in values if v is not None}
    return as_text if len(kinds) > 1 and (str in kinds or bytes in kinds) else None


def as_text(value: Any) -> str:
    """A value of any kind as text; bytes that are no text as hexadecimal digits."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return str(value)


def _batch(
    names: Sequence[str],
    columns: Sequence[Column],
    values: list[list[Any]],
    position: int,
    broken: Callable[[Broken], None],
) -> pa.RecordBatch:
    import pyarrow as pa

    schema = pa.schema([pa.field(n, c.type or pa.string()) for n, c in zip(names, columns, strict=True)])
    arrays: list[Any] = []
    bad: dict[int, Broken] = {}
    for column, items in zip(columns, values, strict=True):
        try:
            arrays.append(_array(column, items))
        except (pa.ArrowException, ValueError, TypeError, OverflowError, ArithmeticError):
            bad |= _find_broken(column, items, position)
            good = [None if i in bad else v for i, v in enumerate(items)]
            arrays.append(_array(column, good))
    if not bad:
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    for _, each in sorted(bad.items()):
        broken(each)
    keep = pa.array([i for i in range(len(values[0])) if i not in bad], pa.int64())
    return pa.RecordBatch.from_arrays([a.take(keep) for a in arrays], schema=schema)


def _find_broken(column: Column, items: Sequence[Any], position: int) -> dict[int, Broken]:
    import pyarrow as pa

    found: dict[int, Broken] = {}
    for i, item in enumerate(items):
        try:
            _array(column, [item])
        except (pa.ArrowException, ValueError, TypeError, OverflowError, ArithmeticError):
            shown = as_text(item)
            found[i] = Broken(position + i, f"{column.name} is not {column.type}", shown[:200], column.name)
    return found


def _array(column: Column, items: Sequence[Any]) -> Any:
    import pyarrow as pa

    ready = column.ready
    if ready is not None:
        items = [None if v is None else ready(v) for v in items]
    kind = column.type or pa.string()
    if pa.types.is_time(kind):
        return pa.array([dt.time.fromisoformat(v) if isinstance(v, str) else v for v in items], kind)
    if pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        first = next((v for v in items if v is not None), None)
        if isinstance(first, str):
            # Texts go through Arrow's own parser: exact, refuses what it would have to round, and many times faster.
            return pa.array(items, pa.string()).cast(kind)
    return pa.array(items, kind)
