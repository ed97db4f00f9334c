"""Wrong SQL made of right SQL: one thing broken in its syntax tree, as people and models break it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from evals.mutation.mutant import Way

if TYPE_CHECKING:
    from synth.schema import Field, Schema

Tree = Any
"""A node of sqlglot's: its own types leave open what the fields of a node hold."""
Wrong = tuple[Way, Tree, str]
"""How it is wrong, the tree, and what was broken (see `Mutant.broke`)."""

_DAY = re.compile(r"^(\d{4}-\d\d-\d\d)(.*)$", re.DOTALL)
_ARG = re.compile(r"\barg_(\d+)_\b")


@dataclass(frozen=True)
class Ground:
    """What the mutations know of the data: the schema, rows of each table, the tables' names in the SQL, and its dialect.
    `args` are the Python expressions for its placeholders."""

    schema: Schema
    rows: Mapping[str, list[dict[str, object]]]
    named: Mapping[str, str]
    dialect: str
    args: tuple[str, ...] = ()

    def field(self, column: Tree, tree: Tree) -> tuple[str, Field] | None:
        """The table and field that a column of this tree is; None for an alias."""
        from sqlglot import exp

        tables = {t.alias_or_name: self.named.get(t.name, t.name) for t in tree.find_all(exp.Table)}
        qualifier = column.text("table")
        for alias, name in tables.items():
            if (not qualifier or alias == qualifier) and any(t.name == name for t in self.schema.tables):
                found = next((f for f in self.schema.table(name).fields if f.name == column.name), None)
                if found:
                    return name, found
        return None


def wrong_sql(sql: str, ground: Ground) -> Iterator[tuple[Way, str, tuple[str, ...], str]]:
    """Every wrong form of this SQL: how it is wrong, the SQL, the arguments that it still takes, and what was broken."""
    import sqlglot

    marks = iter(range(1000))
    marked = re.sub(r"\?", lambda _: f"arg_{next(marks)}_", sql)
    tree = sqlglot.parse_one(marked, read=ground.dialect)
    for make in MAKERS:
        for way, wrong, broke in make(tree, ground):
            text = wrong.sql(dialect=ground.dialect)
            args = tuple(ground.args[int(n)] for n in _ARG.findall(text))
            yield way, _ARG.sub("?", text), args, broke


def _each(tree: Tree, kind: type[Any], change: Callable[[Any], Tree]) -> Iterator[tuple[Any, Tree]]:
    """A copy of the tree for each node of a kind that `change` makes something else of; with the node as it was."""
    for number, node in enumerate(list(tree.find_all(kind))):
        copy = tree.copy()
        target = list(copy.find_all(kind))[number]
        made = change(target)
        if made is None:
            continue
        if target is copy:
            copy = made
        elif made is not target:
            target.replace(made)
        yield node, copy


def _as(kind: type[Any]) -> Callable[[Any], Tree]:
    """The same two operands under another operator."""
    return lambda node: kind(this=node.this, expression=node.expression)


def _made(tree: Tree, wanted: Callable[[Any], bool]) -> Callable[[Any], Tree]:
    """This tree in place of those nodes that are wanted."""
    return lambda node: tree.copy() if wanted(node) else None


def _other_unit(node: Any) -> Tree:
    from sqlglot import exp

    return type(node)(this=node.this, unit=exp.Var(this="YEAR" if node.text("unit").upper() == "MONTH" else "MONTH"))


def _said(node: Tree, ground: Ground) -> str:
    """What stands on the right of a comparison, as a request would say it."""
    right = node.args.get("expression") or node.args.get("low") or node
    found = _ARG.search(right.name)
    if found:
        text = ground.args[int(found.group(1))]
        dated = re.match(r"date\((\d+), (\d+), (\d+)\)", text)
        return (
            f"{int(dated.group(1)):04d}-{int(dated.group(2)):02d}-{int(dated.group(3)):02d}" if dated else "comparison"
        )
    dated = _DAY.match(right.name)
    return dated.group(1) if dated else right.name or "comparison"


def comparisons(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """< for <= and the like; the other way round; an end of BETWEEN left out."""
    from sqlglot import exp

    beside = {exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT}
    across = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}
    for kinds in (beside, across):
        for kind, other in kinds.items():
            for node, copy in _each(tree, kind, _as(other)):
                yield "comparison", copy, _said(node, ground)
    for node, copy in _each(
        tree,
        exp.Between,
        lambda n: exp.and_(
            exp.GT(this=n.this.copy(), expression=n.args["low"]), exp.LTE(this=n.this, expression=n.args["high"])
        ),
    ):
        yield "comparison", copy, _said(node, ground)
    for node, copy in _each(
        tree,
        exp.Between,
        lambda n: exp.and_(
            exp.GTE(this=n.this.copy(), expression=n.args["low"]), exp.LT(this=n.this, expression=n.args["high"])
        ),
    ):
        yield "comparison", copy, _said(node, ground)
    for _node, copy in _each(
        tree,
        exp.And,
        lambda n: exp.Or(this=n.this, expression=n.expression) if not isinstance(n.parent, exp.And) else None,
    ):
        yield "comparison", copy, "comparison"


def literals(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Numbers and dates one off, ten times, a year off; texts in another case, or another value of their column."""
    from sqlglot import exp

    def number(change: Callable[[int], int]) -> Callable[[Any], Tree]:
        def made(node: Any) -> Tree:
            inside = node.find_ancestor(exp.Where, exp.Having, exp.Qualify)
            if node.is_string or not node.name.isdecimal() or inside is None:
                return None
            return exp.Literal.number(change(int(node.name)))

        return made

    for change in (lambda n: n + 1, lambda n: n - 1):
        for node, copy in _each(tree, exp.Literal, number(change)):
            yield "off-by-one", copy, node.name
    for node, copy in _each(tree, exp.Literal, number(lambda n: n * 10 if n < 100 else n // 10)):
        yield "wrong-value", copy, node.name

    def day(days: int) -> Callable[[Any], Tree]:
        def made(node: Any) -> Tree:
            found = _DAY.match(node.name) if node.is_string else None
            if not found:
                return None
            moved = date.fromisoformat(found.group(1)) + timedelta(days=days)
            return exp.Literal.string(moved.isoformat() + found.group(2))

        return made

    for days, way in ((1, "off-by-one"), (-1, "off-by-one"), (-365, "wrong-value")):
        for node, copy in _each(tree, exp.Literal, day(days)):
            yield "off-by-one" if way == "off-by-one" else "wrong-value", copy, node.name[:10]

    def text(node: Any) -> bool:
        return bool(node.is_string) and not _DAY.match(node.name) and node.find_ancestor(exp.Where) is not None

    for node, copy in _each(tree, exp.Literal, lambda n: exp.Literal.string(n.name.swapcase()) if text(n) else None):
        yield "case", copy, node.name.strip("%")

    def other(node: Any) -> Tree:
        column = node.parent.find(exp.Column) if text(node) and node.parent else None
        found = ground.field(column, tree) if column is not None else None
        if not found:
            return None
        values = sorted(
            {str(r[found[1].name]) for r in ground.rows[found[0]] if r[found[1].name] not in (None, node.name)}
        )
        return exp.Literal.string(values[0]) if values else None

    for node, copy in _each(tree, exp.Literal, other):
        yield "wrong-value", copy, node.name
    for _node, copy in _each(tree, exp.Lower, lambda n: n.this if n.find_ancestor(exp.Where) else None):
        yield "case", copy, "case"


def filters(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """A condition left out, or turned round."""
    from sqlglot import exp

    for node, copy in _each(tree, exp.And, lambda n: n.this):
        yield "ignored-filter", copy, _broken(node.expression, ground)
    for node, copy in _each(tree, exp.And, lambda n: n.expression):
        yield "ignored-filter", copy, _broken(node.this, ground)
    for kind in (exp.Where, exp.Having, exp.Qualify):
        for node, copy in _each(tree, kind, lambda n: n):
            found = list(copy.find_all(kind))
            if len(found) == 1:
                found[0].pop()
                yield "ignored-filter", copy, _broken(node.this, ground)
    for node, copy in _each(
        tree,
        exp.Where,
        lambda n: exp.Where(this=exp.not_(n.this)) if isinstance(n.this, exp.Column | exp.Not) else None,
    ):
        yield "ignored-filter", copy, node.find(exp.Column).name


def _broken(condition: Tree, ground: Ground) -> str:
    from sqlglot import exp

    if isinstance(condition, exp.Column):
        return condition.name
    if isinstance(condition, exp.Is) or (isinstance(condition, exp.Not) and condition.find(exp.Is)):
        return "nulls"
    if isinstance(condition, exp.Not):
        column = condition.find(exp.Column)
        return column.name if column is not None else "comparison"
    literal = condition.find(exp.Literal)
    return (
        (literal.name[:10] if _DAY.match(literal.name) else literal.name.strip("%"))
        if literal is not None
        else _said(condition, ground)
    )


def columns(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Another column of the same type, of the same table."""
    from sqlglot import exp

    for turn in (0, 1):

        def other(node: Any, turn: int = turn) -> Tree:
            found = ground.field(node, tree)
            if (
                not found
                or node.find_ancestor(exp.Group) is not None
                or (isinstance(node.parent, exp.EQ) and node.find_ancestor(exp.Join))
            ):
                return None
            table, field = found
            alike = [
                f.name
                for f in ground.schema.table(table).fields
                if f.name != field.name and kind_of(f.type) == kind_of(field.type)
            ]
            if len(alike) <= turn:
                return None
            made = exp.column(alike[turn], table=node.text("table") or None, quoted=True)
            return exp.alias_(made, node.name, quoted=True) if isinstance(node.parent, exp.Select) else made

        for node, copy in _each(tree, exp.Column, other):
            yield "wrong-column", copy, node.name


def kind_of(type_name: str) -> str:
    """Types between which a column is easily mistaken: any number is like any other."""
    for kind in ("int", "decimal", "double", "timestamp", "date", "string", "bool"):
        if type_name.startswith(kind):
            return "number" if kind in ("int", "decimal", "double") else kind
    return type_name


def aggregates(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """SUM for AVG, COUNT(DISTINCT …) for COUNT(*), and so on."""
    from sqlglot import exp

    others: dict[type[Any], tuple[tuple[Callable[[Any], Tree], str], ...]] = {
        exp.Sum: (
            (lambda n: exp.Avg(this=n.this), "sum"),
            (lambda n: exp.Max(this=n.this), "sum"),
            (lambda n: exp.Sum(this=exp.Distinct(expressions=[n.this])), "sum"),
        ),
        exp.Avg: (
            (lambda n: exp.Sum(this=n.this), "avg"),
            (lambda n: exp.Median(this=n.this) if ground.dialect == "duckdb" else None, "avg"),
            (lambda n: exp.Max(this=n.this), "avg"),
        ),
        exp.Median: ((lambda n: exp.Avg(this=n.this), "median"), (lambda n: exp.Max(this=n.this), "median")),
        exp.Max: ((lambda n: exp.Min(this=n.this), "max"), (lambda n: exp.Avg(this=n.this), "max")),
        exp.Min: ((lambda n: exp.Max(this=n.this), "min"), (lambda n: exp.Avg(this=n.this), "min")),
    }
    for kind, ways in others.items():
        for change, word in ways:
            for _node, copy in _each(tree, kind, change):
                yield "wrong-aggregate", copy, word
    for _table, field in _read(tree, ground):
        made = exp.Count(this=exp.Distinct(expressions=[exp.column(field.name, quoted=True)]))
        for _node, copy in _each(tree, exp.Count, _made(made, lambda n: not n.find_ancestor(exp.Having))):
            yield "wrong-aggregate", copy, "count"
    if tree.args.get("distinct"):
        copy = tree.copy()
        copy.set("distinct", None)
        yield "doubled-rows", copy, "distinct"


def _read(tree: Tree, ground: Ground) -> list[tuple[str, Field]]:
    """The first two text columns of the table that the SQL reads first, other than those that it groups by."""
    from sqlglot import exp

    table = tree.find(exp.From).this
    name = ground.named.get(table.name, table.name)
    if not any(t.name == name for t in ground.schema.tables):
        return []
    used = {c.name for c in tree.find_all(exp.Column)}
    return [(name, f) for f in ground.schema.table(name).fields if f.type == "string" and f.name not in used][:2]


def groups(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Groups too fine or too coarse."""
    from sqlglot import exp

    group = tree.args.get("group")
    if group is not None and not tree.find(exp.Join):
        for _table, field in _read(tree, ground)[:1]:
            copy = tree.copy()
            copy.args["group"].append("expressions", exp.column(field.name, quoted=True))
            yield "wrong-group", copy, "comparison"
    if group is not None and len(group.expressions) > 1 and isinstance(tree, exp.Select):
        copy = tree.copy()
        gone = copy.args["group"].expressions[-1]
        copy.args["group"].set("expressions", copy.args["group"].expressions[:-1])
        kept = [
            exp.alias_(exp.Max(this=e.copy()), e.alias_or_name, quoted=True) if e.sql() == gone.sql() else e
            for e in copy.expressions
        ]
        copy.set("expressions", kept)
        yield "wrong-group", copy, gone.name or "comparison"
    for kind in (exp.TimestampTrunc, exp.DateTrunc):
        for _node, copy in _each(tree, kind, _other_unit):
            yield "wrong-group", copy, "month"


def rows(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Rows dropped or doubled on the way in or out; only the first of them read."""
    import sqlglot
    from sqlglot import exp

    def in_place(text: str) -> Callable[[Any], Tree]:
        def made(node: Any) -> Tree:
            if not isinstance(node.parent, exp.From) or node.find_ancestor(exp.Subquery, exp.In):
                return None
            inner = sqlglot.parse_one(text.format(node.copy().this.sql(ground.dialect)), read=ground.dialect)
            assert isinstance(inner, exp.Query)
            return inner.subquery(node.alias_or_name)

        return made

    most = max((len(r) for r in ground.rows.values()), default=0)
    for text in (
        f"SELECT * FROM {{0}} LIMIT {100 if most > 130 else 20}",
        "SELECT * FROM {0} OFFSET 1" if ground.dialect == "duckdb" else "SELECT * FROM {0} LIMIT -1 OFFSET 1",
    ):
        for _node, copy in _each(tree, exp.Table, in_place(text)):
            yield "truncated" if " LIMIT " in text and "-1" not in text else "dropped-rows", copy, "pages"
    for _node, copy in _each(tree, exp.Table, in_place("SELECT * FROM {0} UNION ALL SELECT * FROM {0}")):
        yield "doubled-rows", copy, "pages"
    if isinstance(tree, exp.Select):
        outer = exp.select("*").from_(tree.copy().subquery("answer"))
        yield "dropped-rows", outer.limit(1000 if ground.dialect == "duckdb" else -1).offset(1), "pages"
        if not tree.args.get("limit"):
            yield "truncated", tree.copy().limit(3), "pages"


def joins(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Joins that multiply rows, by the wrong key, or of the wrong kind."""
    from sqlglot import exp

    for _node, copy in _each(tree, exp.Join, lambda n: exp.Join(this=n.this, kind="CROSS")):
        yield "join-fan-out", copy, "pages"
    for node, copy in _each(
        tree,
        exp.Join,
        lambda n: exp.Join(this=n.this, on=n.args.get("on"), side=None if n.args.get("side") else "LEFT"),
    ):
        yield "wrong-join", copy, "nobody" if node.args.get("side") else "pages"

    def key(node: Any) -> Tree:
        if not node.find_ancestor(exp.Join):
            return None
        found = ground.field(node.expression, tree)
        if not found:
            return None
        alike = [
            f.name
            for f in ground.schema.table(found[0]).fields
            if f.name != found[1].name and kind_of(f.type) == kind_of(found[1].type)
        ]
        if not alike:
            return None
        return exp.EQ(this=node.this, expression=exp.column(alike[0], table=node.expression.text("table"), quoted=True))

    for _node, copy in _each(tree, exp.EQ, key):
        yield "wrong-join", copy, "pages"
    start = tree.find(exp.From).this
    name = ground.named.get(start.name, start.name) if isinstance(start, exp.Table) else ""
    for relation in ground.schema.relations:
        if (
            name == relation.to_table
            and relation.table not in {t.name for t in tree.find_all(exp.Table)}
            and tree.find(exp.Sum, exp.Count, exp.Avg)
        ):
            copy = tree.copy()
            on = exp.EQ(
                this=exp.column(relation.columns[0], table=relation.table, quoted=True),
                expression=exp.column(relation.to_columns[0], table=start.alias_or_name, quoted=True),
            )
            yield "join-fan-out", copy.join(relation.table, on=on), "pages"
    if name and tree.find(exp.Sum, exp.Count) and not tree.find(exp.Join):
        copy = tree.copy()
        yield (
            "join-fan-out",
            copy.join("(SELECT 1 AS copy_ UNION ALL SELECT 2 AS copy_) AS copies", join_type="cross"),
            "pages",
        )


def texts(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Numbers compared and sorted as texts."""
    from sqlglot import exp

    def as_text(node: Any) -> Tree:
        found = ground.field(node.this, tree) if isinstance(node.this, exp.Column) else None
        if not found or kind_of(found[1].type) != "number":
            return None
        return type(node)(this=exp.cast(node.this, "VARCHAR"), expression=exp.cast(node.expression, "VARCHAR"))

    for kind in (exp.GT, exp.GTE, exp.LT, exp.LTE):
        for node, copy in _each(tree, kind, as_text):
            yield "text-comparison", copy, _said(node, ground)
    for _node, copy in _each(
        tree,
        exp.Ordered,
        lambda n: (
            exp.Ordered(
                this=exp.cast(n.this, "VARCHAR"), desc=n.args.get("desc"), nulls_first=n.args.get("nulls_first")
            )
            if isinstance(n.this, exp.Column)
            else None
        ),
    ):
        yield "text-comparison", copy, "order"


def times(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Times taken in another zone than they are meant in."""
    import sqlglot
    from sqlglot import exp

    if ground.dialect != "duckdb":
        return

    def moved(node: Any) -> Tree:
        found = ground.field(node, tree)
        if (
            not found
            or not found[1].type.startswith("timestamp")
            or isinstance(node.parent, exp.Select | exp.Ordered | exp.Is)
        ):
            return None
        return sqlglot.parse_one(f"({node.sql('duckdb')} + INTERVAL 2 HOUR)", read="duckdb")

    copy = tree.copy().transform(lambda n: (moved(n) or n) if isinstance(n, exp.Column) else n)
    if copy != tree:
        yield "time-zone", copy, "zone"


def nulls(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Nulls counted as zero, counted out, taken for what is there, or put first."""
    from sqlglot import exp

    def nullable(node: Any) -> bool:
        found = ground.field(node.this, tree) if isinstance(node.this, exp.Column) else None
        return bool(found and any(r[found[1].name] is None for r in ground.rows[found[0]]))

    for kind in (exp.Avg, exp.Median):
        for _node, copy in _each(
            tree,
            kind,
            lambda n: type(n)(this=exp.func("COALESCE", n.this, exp.Literal.number(0))) if nullable(n) else None,
        ):
            yield "nulls", copy, "nulls"
    for _node, copy in _each(
        tree,
        exp.Avg,
        lambda n: (
            exp.Div(
                this=exp.Mul(this=exp.Sum(this=n.this), expression=exp.Literal.number("1.0")),
                expression=exp.Count(this=exp.Star()),
            )
            if nullable(n)
            else None
        ),
    ):
        yield "nulls", copy, "nulls"
    for _node, copy in _each(
        tree,
        exp.Is,
        lambda n: (
            exp.Is(this=n.this, expression=exp.Not(this=exp.Null())) if not isinstance(n.parent, exp.Not) else None
        ),
    ):
        yield "nulls", copy, "nulls"
    for _node, copy in _each(tree, exp.Not, lambda n: n.this if isinstance(n.this, exp.Is) else None):
        yield "nulls", copy, "nulls"
    for _node, copy in _each(
        tree,
        exp.Is,
        lambda n: (
            exp.EQ(this=exp.cast(n.this, "VARCHAR"), expression=exp.Literal.string(""))
            if not isinstance(n.parent, exp.Not)
            else None
        ),
    ):
        yield "nulls", copy, "nulls"
    first = tree.find(exp.From).this
    name = ground.named.get(first.name, first.name)
    if any(t.name == name for t in ground.schema.tables):
        for field in ground.schema.table(name).fields:
            if any(r[field.name] is None for r in ground.rows[name]):
                made = exp.Count(this=exp.column(field.name, table=first.alias_or_name, quoted=True))
                for _node, copy in _each(tree, exp.Count, _made(made, lambda n: isinstance(n.this, exp.Star))):
                    yield "nulls", copy, "nulls"
                break
    for node, copy in _each(
        tree, exp.Ordered, lambda n: exp.Ordered(this=n.this, desc=n.args.get("desc"), nulls_first=True)
    ):
        if ground.field(node.this, tree) and nullable(node):
            yield "nulls", copy, "nulls"


def orders(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """The order turned round or left out; a limit one off, doubled, or left out."""
    from sqlglot import exp

    for _node, copy in _each(
        tree, exp.Ordered, lambda n: exp.Ordered(this=n.this, desc=not n.args.get("desc"), nulls_first=False)
    ):
        yield "wrong-order", copy, "order"
    if tree.args.get("order"):
        copy = tree.copy()
        copy.set("order", None)
        yield "wrong-order", copy, "order"
    limit = tree.args.get("limit")
    if limit is None:
        return
    if limit.expression.name.isdecimal():
        for count in (int(limit.expression.name) + 1, int(limit.expression.name) - 1, int(limit.expression.name) * 2):
            yield "wrong-limit", tree.copy().limit(count), limit.expression.name
    copy = tree.copy()
    copy.set("limit", None)
    yield "wrong-limit", copy, limit.expression.name if limit.expression.name.isdecimal() else "order"


def sums(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Figures put together wrongly."""
    from sqlglot import exp

    for kind, other in ((exp.Sub, exp.Add), (exp.Add, exp.Sub), (exp.Mul, exp.Add), (exp.Div, exp.Mul)):
        for _node, copy in _each(tree, kind, _as(other)):
            yield "wrong-arithmetic", copy, "comparison"
    for _node, copy in _each(
        tree,
        exp.Literal,
        lambda n: (
            exp.Literal.number("1.0")
            if n.name == "100.0"
            else exp.Literal.number("3600.0")
            if n.name == "60.0"
            else None
        ),
    ):
        yield "wrong-arithmetic", copy, "comparison"


def hard_coded(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Values of the first rows written down where a rule was meant."""
    import sqlglot
    from sqlglot import exp

    projected = [e for e in tree.expressions if isinstance(e, exp.Column)] if isinstance(tree, exp.Select) else []
    for column in projected[:2]:
        found = ground.field(column, tree)
        if not found or found[1].type != "string":
            continue
        held = list(
            dict.fromkeys(str(r[found[1].name]) for r in ground.rows[found[0]][:12] if r[found[1].name] is not None)
        )
        some = ", ".join("'" + v.replace("'", "''") + "'" for v in held[: max(2, len(held) * 2 // 3)])
        condition = sqlglot.parse_one(f"{column.sql(ground.dialect)} IN ({some})", read=ground.dialect)
        assert isinstance(tree, exp.Select)
        yield "hard-coded", tree.copy().where(condition), "pages"
        if tree.args.get("where") and tree.args.get("group") is None:
            copy = tree.copy()
            copy.set("where", exp.Where(this=condition.copy()))
            yield "hard-coded", copy, "pages"


def spelled(tree: Tree, ground: Ground) -> Iterator[Wrong]:
    """Texts of the answer in another case."""
    from sqlglot import exp

    def upper(node: Any) -> Tree:
        found = ground.field(node, tree)
        if not found or found[1].type != "string" or not isinstance(node.parent, exp.Select):
            return None
        return exp.alias_(exp.Upper(this=node.copy()), node.name, quoted=True)

    for _node, copy in _each(tree, exp.Column, upper):
        yield "case", copy, "case"
        break


MAKERS: tuple[Callable[[Any, Ground], Iterator[Wrong]], ...] = (
    comparisons, literals, filters, columns, aggregates, groups, rows, joins, texts, times, nulls, orders, sums, hard_coded,
    spelled,
)  # fmt: skip
