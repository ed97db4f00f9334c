"""A relational plan: what a request means, over the tables of one schema, before any SQL dialect.

Everything is a frozen value. A `Value` with a `parameter` becomes a keyword parameter of the closure with that default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

AggregateName = Literal["count", "count_distinct", "sum", "avg", "median", "min", "max", "stddev"]
Unit = Literal["minute", "hour", "day", "week", "month", "quarter", "year", "weekday", "month_of_year", "hour_of_day"]
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Column:
    """A field of a table, by the schema's names. In joins of a table with itself `table` is the join's alias."""

    table: str
    name: str


@dataclass(frozen=True)
class Value:
    """A constant: str, int, Decimal, float, bool, date, datetime or None. Named when a user would vary it."""

    value: object
    parameter: str = ""


@dataclass(frozen=True)
class Aggregate:
    """One figure over a group. `of` is None only for count(*); `where` counts or sums only the rows that hold it."""

    function: AggregateName
    of: Expression | None = None
    where: Condition | None = None


@dataclass(frozen=True)
class Bucket:
    """A date or time cut to its unit: the first moment of its day, week (Monday), month …; `weekday` is 1 (Monday) to 7,
    `month_of_year` 1 to 12, `hour_of_day` 0 to 23. `timezone` is applied first to values that carry one."""

    of: Expression
    unit: Unit
    timezone: str = ""


@dataclass(frozen=True)
class Arithmetic:
    """Two figures combined. Division is exact and null where the divisor is zero."""

    operator: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Share:
    """A group's figure as part of the sum over all groups: 0 to 1, or 0 to 100 when `percent`."""

    of: Aggregate
    percent: bool = False


@dataclass(frozen=True)
class Function:
    """A small text or number function of one value; `length` of a list is how many entries it has."""

    name: Literal["lower", "upper", "trim", "length", "abs", "round", "year", "month", "day", "hour"]
    of: Expression


@dataclass(frozen=True)
class Elapsed:
    """How long it is from one date or moment to another, in that unit: whole days between dates, exact between moments."""

    start: Column
    end: Column
    unit: Literal["minute", "hour", "day"]


@dataclass(frozen=True)
class Compare:
    """left operator right. A text comparison is exact; use `fold` to ignore case."""

    left: Expression
    operator: Comparison
    right: Expression
    fold: bool = False


@dataclass(frozen=True)
class OneOf:
    """The value is (or is not) among these. A null is in neither."""

    left: Expression
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Match:
    """Text contains, starts or ends with a piece; case is ignored; `%` and `_` in the piece are plain characters."""

    left: Expression
    how: Literal["contains", "starts", "ends"]
    piece: Value
    negated: bool = False


@dataclass(frozen=True)
class Empty:
    """The value is null or, for text, blank, or, for a list, without a member."""

    left: Expression
    negated: bool = False


@dataclass(frozen=True)
class And:
    """All hold."""

    all: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """At least one holds."""

    any: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """It does not hold (rows where it is unknown are out as well)."""

    of: Condition


Expression = Column | Value | Aggregate | Bucket | Arithmetic | Share | Function | Elapsed
Condition = Compare | OneOf | Match | Empty | And | Or | Not


@dataclass(frozen=True)
class Output:
    """One field of the answer. `name` is unique within the plan and a plain lower_snake word where the source's name allows."""

    of: Expression
    name: str


@dataclass(frozen=True)
class Join:
    """Rows of `table` whose `columns` equal `with_columns` of `with_table` (an earlier one). `missing` keeps the rows of the
    earlier table that have no partner and nothing else (an anti-join: customers without orders); `optional` is a left join.
    `where` is for `missing` only and speaks of `table` alone: no partner that holds it (customers without an open order)."""

    table: str
    columns: tuple[str, ...]
    with_table: str
    with_columns: tuple[str, ...]
    kind: Literal["inner", "optional", "missing"] = "inner"
    where: Condition | None = None


@dataclass(frozen=True)
class Order:
    """Nulls come last either way."""

    of: Expression
    descending: bool = False


@dataclass(frozen=True)
class TopPer:
    """The first `count` rows by the plan's order within each group of `by`; ties with the last one are kept when `ties`."""

    by: tuple[Expression, ...]
    count: Value
    ties: bool = False


@dataclass(frozen=True)
class Plan:
    """The whole of it. With `group` or any aggregate among the outputs it is a grouped query; `outputs` then hold the group's
    expressions and figures. `ties` keeps rows equal to the last one within `limit`. `distinct` drops double rows;
    `distinct_on` keeps the first row (by `order`) for each value of its expressions (deduplication)."""

    table: str
    outputs: tuple[Output, ...]
    joins: tuple[Join, ...] = ()
    where: Condition | None = None
    group: tuple[Expression, ...] = ()
    having: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: Value | None = None
    offset: int = 0
    ties: bool = False
    top_per: TopPer | None = None
    distinct: bool = False
    distinct_on: tuple[Expression, ...] = ()

    def values(self) -> Iterator[Value]:
        """Every named constant, in the order in which a reader meets them."""
        seen: set[str] = set()
        for value in walk(self):
            if isinstance(value, Value) and value.parameter and value.parameter not in seen:
                seen.add(value.parameter)
                yield value

    def columns(self) -> Iterator[Column]:
        """Every column the plan touches; joins' own columns are not among them."""
        for value in walk(self):
            if isinstance(value, Column):
                yield value


def walk(node: object) -> Iterator[object]:
    """Every value within a plan, itself first, in the order of its fields."""
    yield node
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif is_dataclass(node) and not isinstance(node, type):
        for each in fields(node):
            yield from walk(getattr(node, each.name))
