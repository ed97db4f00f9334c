"""Conditions combined: negated, joined by and or or, two equalities made one."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from synth.plan import (
    And,
    Column,
    Compare,
    Condition,
    Empty,
    Expression,
    Match,
    Not,
    OneOf,
    Or,
    Value,
)
from synth.understand.operators import (
    OPPOSITE,
)

Node = TypeVar("Node")


def moved(node: Node, column: Column, to: Column) -> Node:
    """The same condition on another column."""
    if node == column:
        return to  # type: ignore[return-value]  # a column for a column
    if isinstance(node, tuple):
        return tuple(moved(each, column, to) for each in node)  # type: ignore[return-value]  # a tuple for a tuple
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{f.name: moved(getattr(node, f.name), column, to) for f in fields(node)})
    return node


def negation(condition: Condition) -> Condition:
    """The opposite, with rows where it is unknown left out either way."""
    if isinstance(condition, Compare):
        return replace(condition, operator=OPPOSITE[condition.operator])
    if isinstance(condition, OneOf | Match | Empty):
        return replace(condition, negated=not condition.negated)
    if isinstance(condition, Not):
        return condition.of
    return Not(condition)


def negated_already(condition: Condition) -> bool:
    return isinstance(condition, Match) and condition.negated


def both(one: Condition, other: Condition) -> Condition:
    left = one.all if isinstance(one, And) else (one,)
    right = other.all if isinstance(other, And) else (other,)
    return And((*left, *right))


def either(one: Condition, other: Condition) -> Condition:
    left = one.any if isinstance(one, Or) else (one,)
    return Or((*left, other))


def merge(one: Condition, other: Condition) -> Condition | None:
    """Two equalities of the same column as one of several; None when they are not that."""
    sides: list[tuple[Expression, tuple[Value, ...], bool]] = []
    for condition in (one, other):
        if isinstance(condition, Compare) and condition.operator in ("=", "!=") and isinstance(condition.right, Value):
            sides.append((condition.left, (condition.right,), condition.operator == "!="))
        elif isinstance(condition, OneOf):
            sides.append((condition.left, condition.values, condition.negated))
        else:
            return None
    if sides[0][0] != sides[1][0] or sides[0][2] != sides[1][2]:
        return None
    return OneOf(sides[0][0], (*sides[0][1], *sides[1][1]), sides[0][2])
