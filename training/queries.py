"""The small SQL in which training data is written, read with sqlglot into the learned reader's own language.

Columns and tables become `("c", table, column)` and `("t", table)`, constants `("k", words or number)`; all else are the
grammar's fixed tokens. Where a constant stands in the request is found later, by `training.examples`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlglot
from sqlglot import exp

from training.grammar import Stack

Said = str | tuple[object, ...]
COMPARED = {exp.EQ: "EQ", exp.NEQ: "NE", exp.LT: "LT", exp.LTE: "LE", exp.GT: "GT", exp.GTE: "GE"}
TURNED = {"EQ": "EQ", "NE": "NE", "LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE"}
SUMS = {exp.Sum: "SUM", exp.Avg: "AVG", exp.Median: "MEDIAN", exp.Min: "MIN", exp.Max: "MAX"}
COMBINED = {exp.Add: "ADD", exp.Sub: "SUB", exp.Mul: "MUL", exp.Div: "DIV"}
CALLS = {
    "during": "DURING",
    "since": "SINCE",
    "after": "AFTER",
    "before": "BEFORE",
    "until": "UNTIL",
    "contains": "CONTAINS",
    "starts": "STARTS",
    "ends": "ENDS",
}
UNITS = ("day", "week", "month", "quarter", "year", "weekday", "month_of_year", "hour_of_day")
LENGTHS = {"days_between": "DAYS", "hours_between": "HOURS", "minutes_between": "MINUTES"}
# Functions that sqlglot would give a meaning of its own keep ours under another name.
OURS = re.compile(
    r"\b(day|week|month|quarter|year|weekday|month_of_year|hour_of_day|contains|starts|ends|empty|missing|exists|share"
    r"|percent|days_between|hours_between|minutes_between|during|since|after|before|until|nextrow|prevrow)\s*\(",
    re.IGNORECASE,
)


class Unreadable(ValueError):
    """The query is not one of the small language, or not of this schema."""


@dataclass(frozen=True)
class Names:
    """The tables of a schema and their columns, as written."""

    tables: tuple[tuple[str, tuple[str, ...]], ...]
    flags: frozenset[tuple[int, int]] = frozenset()


def said(sql: str, names: Names) -> list[Said]:
    """The query in the learned reader's language, whole and grammatical. Unreadable says what is wrong."""
    if sql.strip() == "REFUSE":
        return ["REFUSE"]
    body, per = sql, []
    found = re.search(r"\sPER\s+((?:\"[^\"]+\"|[\w.()]+)(?:\s*,\s*(?:\"[^\"]+\"|[\w.()]+))*)\s*$", sql)
    if found:
        body, per = sql[: found.start()], re.findall(r"\"[^\"]+\"|[\w.()]+", found.group(1))
    body = re.sub(r"\b(missing|exists)\s*\(\s*(\w+|\"[^\"]+\")\s+WHERE\s+", r"\1(\2, ", body, flags=re.IGNORECASE)
    body = _ours(body)
    try:
        query = sqlglot.parse_one(body, dialect="duckdb")
    except sqlglot.errors.SqlglotError as problem:
        raise Unreadable(str(problem).splitlines()[0]) from None
    if not isinstance(query, exp.Select):
        raise Unreadable("not a SELECT")
    writer = _Writer(names, query)
    tokens = writer.query(query, per)
    try:
        _check(tokens)
    except ValueError as problem:
        raise Unreadable(str(problem)) from None
    return tokens


def _ours(sql: str) -> str:
    return OURS.sub(lambda m: f"our_{m.group(1).lower()}(", sql)


def _check(tokens: Sequence[Said]) -> None:
    stack = Stack()
    for token in tokens:
        if isinstance(token, str):
            stack = stack.after(token)
        elif token[0] == "k":
            stack = stack.after(str(token[1])) if token[1] in ("ZERO", "ONE") else stack.after("<value>")
        elif token[0] == "t":
            stack = stack.after("<table>")
        else:
            stack = next((stack.after(k) for k in ("<column>", "<date>") if k in set(stack.allowed())), None) or _no()
    if not stack.done:
        raise Unreadable("the query is not whole")


def _no() -> Stack:
    raise Unreadable("a column may not stand here")


class _Writer:
    def __init__(self, names: Names, query: exp.Select) -> None:
        self.names = names
        self.read: list[int] = []
        tables = list(query.find_all(exp.Table))
        for table in tables:
            self.read.append(self.table(table.name))
        if not self.read:
            raise Unreadable("no FROM")

    def table(self, name: str) -> int:
        for at, (known, _) in enumerate(self.names.tables):
            if known.lower() == name.lower():
                return at
        if len(self.names.tables) == 1:
            return 0
        raise Unreadable(f"no table {name!r}")

    def column(self, node: exp.Expression | str) -> Said:
        name, table = (node, "") if isinstance(node, str) else (node.name, node.text("table"))
        if isinstance(node, str) and "." in node and not node.startswith('"'):
            table, _, name = node.partition(".")
        whole = f"{table}.{name}" if table else name
        folded = name.strip('"').lower()
        if folded == "rownum":
            return "ROWNUM"
        places = range(len(self.names.tables))
        if table and any(t.lower() == table.lower() for t, _ in self.names.tables):
            places = [self.table(table)]  # type: ignore[assignment]
        elif table:
            folded = whole.replace('"', "").lower()
        hits = [(t, c) for t in places for c, known in enumerate(self.names.tables[t][1]) if known.lower() == folded]
        if not hits and table:
            folded = whole.replace('"', "").lower()
            hits = [
                (t, c) for t, (_, cs) in enumerate(self.names.tables) for c, k in enumerate(cs) if k.lower() == folded
            ]
        within = [hit for hit in hits if hit[0] in self.read] or hits
        if not within:
            raise Unreadable(f"no column {whole!r}")
        best = min(within, key=lambda hit: self.read.index(hit[0]) if hit[0] in self.read else 99)
        if best[0] not in self.read:
            self.read.append(best[0])
        return ("c", *best)

    def query(self, query: exp.Select, per: Sequence[str]) -> list[Said]:
        tail: list[Said] = []
        outputs: list[Said] = ["DISTINCT"] if query.args.get("distinct") else []
        group = query.args.get("group")
        keys = list(group.expressions) if group else []
        shown = [e.this if isinstance(e, exp.Alias) else e for e in query.expressions]
        if len(shown) == 1 and isinstance(shown[0], exp.Star):
            if outputs:
                raise Unreadable("DISTINCT *")
            outputs = ["ALL"]
        else:
            for each in shown:
                outputs += self.expression(each)
        if query.args.get("where"):
            tail += ["WHERE", *self.condition(query.args["where"].this)]
        if keys:
            tail.append("GROUP")
            for key in keys:
                tail += self.key(key)
        if query.args.get("having"):
            tail += ["HAVING", *self.condition(query.args["having"].this)]
        if query.args.get("order"):
            tail.append("ORDER")
            for ordered in query.args["order"].expressions:
                tail += ["DESC" if ordered.args.get("desc") else "ASC", *self.expression(ordered.this)]
        if query.args.get("limit"):
            tail += ["LIMIT", *self.constant(query.args["limit"].expression)]
        if per:
            tail.append("PER")
            for name in per:
                tail += self.key(sqlglot.parse_one(_ours(name), dialect="duckdb"))
        for unread in ("windows", "qualify", "offset"):
            if query.args.get(unread):
                raise Unreadable(f"{unread} is not in the language")
        front: list[Said] = []
        if len(self.names.tables) > 1:
            front = ["FROM", *(("t", t) for t in dict.fromkeys(self.read))]
        return [*front, *outputs, *tail, "END"]

    def key(self, node: exp.Expression) -> list[Said]:
        found = self.expression(node)
        if not (len(found) == 1 and isinstance(found[0], tuple)) and found[0] not in {u.upper() for u in UNITS}:
            raise Unreadable(f"{node.sql()} is no key")
        return found

    def expression(self, node: exp.Expression) -> list[Said]:
        if isinstance(node, exp.Paren):
            return self.expression(node.this)
        if isinstance(node, exp.Column | exp.Dot):
            return [self.column(node)]
        if isinstance(node, exp.Filter):
            return ["FILTER", *self.expression(node.this), *self.condition(node.expression.this)]
        if isinstance(node, exp.Count):
            if isinstance(node.this, exp.Distinct):
                return ["DISTINCT_COUNT", *self.expression(node.this.expressions[0])]
            if isinstance(node.this, exp.Star):
                return ["COUNT"]
            return ["FILTER", "COUNT", "NOT", "EMPTY", *self.expression(node.this)]
        for kind, name in SUMS.items():
            if isinstance(node, kind):
                return [name, *self.expression(node.this)]
        for kind, name in COMBINED.items():
            if isinstance(node, kind):
                return [name, *self.expression(node.this), *self.expression(node.expression)]
        if isinstance(node, exp.Anonymous):
            name = str(node.this).removeprefix("our_").lower()
            inner = [part for each in node.expressions for part in self.expression(each)]
            if name in UNITS or name in ("share", "percent"):
                return [name.upper(), *inner]
            if name in LENGTHS:
                return [LENGTHS[name], *inner]
        raise Unreadable(f"{node.sql()[:60]!r} is no expression of the language")

    def constant(self, node: exp.Expression) -> list[Said]:
        negative = isinstance(node, exp.Neg)
        node = node.this if negative else node
        if isinstance(node, exp.Literal):
            if node.is_string:
                return [("k", str(node.this))]
            value = Decimal(str(node.this)) * (-1 if negative else 1)
            return ["ZERO"] if value == 0 else [("k", value)]
        raise Unreadable(f"{node.sql()[:60]!r} is no constant")

    def condition(self, node: exp.Expression) -> list[Said]:
        if isinstance(node, exp.Paren):
            return self.condition(node.this)
        if isinstance(node, exp.And | exp.Or):
            return [type(node).__name__.upper(), *self.condition(node.this), *self.condition(node.expression)]
        if isinstance(node, exp.Not):
            return ["NOT", *self.condition(node.this)]
        if isinstance(node, exp.In):
            one = [["EQ", *self.expression(node.this), *self.constant(each)] for each in node.expressions]
            found = one[-1]
            for each in reversed(one[:-1]):
                found = ["OR", *each, *found]
            return found
        if isinstance(node, exp.Between):
            of = self.expression(node.this)
            return ["AND", "GE", *of, *self.constant(node.args["low"]), "LE", *of, *self.constant(node.args["high"])]
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            return ["EMPTY", *self.expression(node.this)]
        if isinstance(node, exp.Column) and self._flag(node):
            return ["TRUE", self.column(node)]
        for kind, sign in COMPARED.items():
            if isinstance(node, kind):
                return self._compared(node, sign)
        if isinstance(node, exp.Anonymous):
            return self._called(str(node.this).removeprefix("our_").lower(), node.expressions)
        raise Unreadable(f"{node.sql()[:60]!r} is no condition of the language")

    def _flag(self, node: exp.Expression) -> bool:
        found = self.column(node)
        return isinstance(found, tuple) and found[1:] in self.names.flags

    def _compared(self, node: exp.Expression, sign: str) -> list[Said]:
        left, right = node.this, node.expression
        if isinstance(left, exp.Literal):
            left, right, sign = right, left, TURNED[sign]
        if isinstance(right, exp.Boolean):
            if not isinstance(left, exp.Column | exp.Dot) or sign not in ("EQ", "NE"):
                raise Unreadable(f"{node.sql()!r}: a flag is compared with = only")
            return ["TRUE" if bool(right.this) == (sign == "EQ") else "FALSE", self.column(left)]
        if isinstance(right, exp.Literal | exp.Neg):
            return [sign, *self.expression(left), *self.constant(right)]
        return [sign, *self.expression(left), *self.expression(right)]

    def _called(self, name: str, given: Sequence[exp.Expression]) -> list[Said]:
        if name in CALLS:
            return [CALLS[name], *self.expression(given[0]), *self.constant(given[1])]
        if name == "empty":
            return ["EMPTY", *self.expression(given[0])]
        if name in ("missing", "exists"):
            outer, inner = self.read, self.table(given[0].name)
            self.read = [inner, *outer]
            within = ["WITH", *self.condition(given[1])] if len(given) > 1 else []
            self.read = outer
            return [name.upper(), ("t", inner), *within]
        if name in ("nextrow", "prevrow"):
            return ["NEXT" if name == "nextrow" else "PREV", *self.condition(given[0])]
        raise Unreadable(f"{name}() is not in the language")
