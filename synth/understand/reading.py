"""A plan said back in plain words."""

from __future__ import annotations

from synth.plan import (
    Aggregate,
    And,
    Arithmetic,
    Bucket,
    Column,
    Compare,
    Condition,
    Elapsed,
    Empty,
    Expression,
    Function,
    Match,
    Not,
    OneOf,
    Or,
    Plan,
    Share,
    Value,
)

FIGURES = {
    "count": "number",
    "count_distinct": "number of different",
    "sum": "sum of",
    "avg": "average of",
    "median": "median of",
    "min": "lowest",
    "max": "highest",
    "stddev": "standard deviation of",
}
SIGNS = {"=": "is", "!=": "is not", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
PARTS = {"weekday": "weekday", "month_of_year": "month", "hour_of_day": "hour of the day"}


class Words:
    """Says expressions and conditions of one plan; columns bear their table's name only where several tables are read."""

    def __init__(self, plan: Plan) -> None:
        self.several = bool(plan.joins)

    def say(self, expression: Expression | None) -> str:
        """An expression in words."""
        if isinstance(expression, Column):
            return f"{expression.table}.{expression.name}" if self.several else expression.name
        if isinstance(expression, Value):
            return "nothing" if expression.value is None else str(expression.value)
        if isinstance(expression, Aggregate):
            of = "of rows" if expression.of is None else self.say(expression.of)
            where = f" where {self.condition(expression.where)}" if expression.where is not None else ""
            return f"{FIGURES[expression.function]} {of}{where}"
        if isinstance(expression, Bucket):
            return f"{PARTS.get(expression.unit, expression.unit)} of {self.say(expression.of)}"
        if isinstance(expression, Arithmetic):
            return f"{self._inner(expression.left)} {expression.operator} {self._inner(expression.right)}"
        if isinstance(expression, Share):
            return f"{'percentage' if expression.percent else 'share'} of the whole in {self.say(expression.of)}"
        if isinstance(expression, Elapsed):
            return f"{expression.unit}s from {self.say(expression.start)} to {self.say(expression.end)}"
        if isinstance(expression, Function):
            return f"{expression.name} of {self.say(expression.of)}"
        return ""

    def _inner(self, expression: Expression) -> str:
        said = self.say(expression)
        return f"({said})" if isinstance(expression, Arithmetic) else said

    def condition(self, condition: Condition) -> str:
        """A condition in words; parentheses where or and and meet."""
        if isinstance(condition, Compare):
            return f"{self.say(condition.left)} {SIGNS[condition.operator]} {self.say(condition.right)}"
        if isinstance(condition, OneOf):
            values = ", ".join(self.say(v) for v in condition.values)
            return f"{self.say(condition.left)} {'none of' if condition.negated else 'one of'} {values}"
        if isinstance(condition, Match):
            how = {"contains": "contains", "starts": "starts with", "ends": "ends with"}[condition.how]
            return (
                f"{self.say(condition.left)} {'not ' if condition.negated else ''}{how} {self.say(condition.piece)!r}"
            )
        if isinstance(condition, Empty):
            return f"{self.say(condition.left)} is {'not ' if condition.negated else ''}empty"
        if isinstance(condition, Not):
            return f"not ({self.condition(condition.of)})"
        inner = condition.all if isinstance(condition, And) else condition.any
        word = " and " if isinstance(condition, And) else " or "
        return word.join(f"({self.condition(c)})" if isinstance(c, And | Or) else self.condition(c) for c in inner)


def _none_of(plan: Plan) -> Condition | None:
    """What no row of a group fulfils, where that is what the plan asks."""
    having = plan.having
    counted = having.left if isinstance(having, Compare) and having.operator == "=" else None
    none = isinstance(having, Compare) and having.right == Value(0)
    return counted.where if none and isinstance(counted, Aggregate) and counted.function == "count" else None


def reading_of(plan: Plan, remarks: tuple[str, ...] = ()) -> str:
    """What the plan gets, in one sentence."""
    words = Words(plan)
    figures = [o for o in plan.outputs if o.of not in plan.group]
    if plan.group or any(isinstance(n, Aggregate) for o in plan.outputs for n in [o.of]):
        said = ", ".join(words.say(o.of) for o in figures) or "groups"
        none = _none_of(plan) if not figures else None
        if none is not None:
            shown = ", ".join(words.say(o.of) for o in plan.outputs)
            said = shown if len(plan.outputs) <= 6 else f"{len(plan.outputs)} columns of {plan.table}"
            said += f" that have no row where {words.condition(none)}"
        elif plan.group:
            said += " per " + " and ".join(words.say(g) for g in plan.group)
    elif len(plan.outputs) > 6:
        said = f"{len(plan.outputs)} columns of {plan.table}"
    else:
        said = ", ".join(words.say(o.of) for o in plan.outputs)
        said += "" if words.several else f" of {plan.table}"
    if plan.distinct:
        said = "different " + said
    for join in plan.joins:
        if join.kind == "missing":
            where = f" where {words.condition(join.where)}" if join.where is not None else ""
            said += f", {join.with_table} that have no {join.table}{where}"
    if plan.where is not None:
        said += f" where {words.condition(plan.where)}"
    if plan.having is not None and (figures or _none_of(plan) is None):
        said += f", only groups where {words.condition(plan.having)}"
    if plan.distinct_on:
        said += ", one row per " + " and ".join(words.say(e) for e in plan.distinct_on)
    if plan.order:
        said += ", by " + " then ".join(
            f"{words.say(o.of)}, {'highest' if o.descending else 'lowest'} first" for o in plan.order
        )
    if plan.top_per is not None:
        said += (
            f", the first {words.say(plan.top_per.count)} of each {' and '.join(words.say(e) for e in plan.top_per.by)}"
        )
    if plan.limit is not None:
        said += f", the first {words.say(plan.limit)}{' with ties' if plan.ties else ''}"
    return said + "".join(f" ({r})" for r in remarks)
