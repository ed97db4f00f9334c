"""Wrong Python made of right Python: one thing broken in a closure's syntax tree, as people and models break it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from copy import deepcopy

from evals.mutation.in_sql import Ground, kind_of
from evals.mutation.mutant import Way

Wrong = tuple[Way, str, str]
"""How it is wrong, the whole module, and what was broken (see `Mutant.broke`)."""
Change = Callable[[ast.AST], ast.AST | None]

_LIST_IN = {
    "/repairs": '["data"]',
    "/bookings": '["results"]',
    "/donations": '["donations"]',
    "/issues": "",
    "/lectures": '["items"]',
}


def wrong_python(code: str, ground: Ground) -> Iterator[Wrong]:
    """Every wrong form of a closure that goes through its rows."""
    tree = ast.parse(code)
    for make in (comparisons, constants, subscripts, gathered, loops, orders, _times):
        yield from make(tree, ground)
    yield from anywhere(code, ground)


def anywhere(code: str, ground: Ground) -> Iterator[Wrong]:
    """Wrong forms that need no rows in Python: the arguments, the parameters, the pages, errors that are swallowed."""
    tree = ast.parse(code)
    yield from _dates(tree)
    yield from _parameters(tree)
    for path, inside in _LIST_IN.items():
        if f'source.pages("{path}")' in code:
            yield "truncated", code.replace(f'source.pages("{path}")', f'source.get("{path}"){inside}'), "pages"
            some = code.replace(f'source.pages("{path}")', f'islice(source.pages("{path}"), 40)')
            yield "truncated", f"from itertools import islice\n\n{some}", "pages"
    yield from _swallowed(tree, ground)
    yield from _made_up(tree, ground)


def _each(tree: ast.Module, change: Change) -> Iterator[tuple[ast.AST, str]]:
    """The module for each node that `change` makes something else of; with the node as it was."""
    docstrings = {
        id(n.body[0].value)
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef) and isinstance(n.body[0], ast.Expr)
    }
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in docstrings or change(deepcopy(node)) is None:
            continue
        copy = deepcopy(tree)
        target = list(ast.walk(copy))[number]
        made = change(target)
        assert made is not None
        if made is not target:
            _Swap(target, made).visit(copy)
        yield node, f"{ast.unparse(ast.fix_missing_locations(copy))}\n"


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)


def _body(tree: ast.Module) -> ast.FunctionDef:
    return next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "closure")


def _word(node: ast.AST) -> str:
    """What a comparison compares with, as a request would say it."""
    if isinstance(node, ast.Compare) and node.comparators:
        return _word(node.comparators[-1])
    if isinstance(node, ast.Constant):
        return repr(node.value).strip("'")
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("date", "datetime"):
        numbers = [a.value for a in node.args[:3] if isinstance(a, ast.Constant) and isinstance(a.value, int)]
        return "-".join(f"{n:02d}" for n in numbers)
    return "comparison"


def comparisons(tree: ast.Module, _ground: Ground) -> Iterator[Wrong]:
    """< for <=, the other way round, or for and, a condition left out."""
    beside: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.LtE,
        ast.LtE: ast.Lt,
        ast.Gt: ast.GtE,
        ast.GtE: ast.Gt,
    }
    across: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.Gt,
        ast.LtE: ast.GtE,
        ast.Gt: ast.Lt,
        ast.GtE: ast.LtE,
    }
    for kinds in (beside, across):
        for place in (0, 1):

            def other(
                node: ast.AST, kinds: dict[type[ast.cmpop], type[ast.cmpop]] = kinds, place: int = place
            ) -> ast.AST | None:
                if not isinstance(node, ast.Compare) or len(node.ops) <= place or type(node.ops[place]) not in kinds:
                    return None
                node.ops[place] = kinds[type(node.ops[place])]()
                return node

            for node, code in _each(tree, other):
                yield "comparison", code, _word(node)

    def either(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.BoolOp) or not isinstance(node.op, ast.And):
            return None
        node.op = ast.Or()
        return node

    for _node, code in _each(tree, either):
        yield "comparison", code, "comparison"
    for place in (0, 1, 2):

        def without(node: ast.AST, place: int = place) -> ast.AST | None:
            if not isinstance(node, ast.BoolOp) or len(node.values) <= place:
                return None
            node.values.pop(place)
            return node.values[0] if len(node.values) == 1 else node

        for node, code in _each(tree, without):
            assert isinstance(node, ast.BoolOp)
            yield "ignored-filter", code, _broken(node.values[place])

    def always(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.If) or node.orelse:
            return None
        node.test = ast.Constant(not isinstance(node.body[0], ast.Continue))
        return node

    for node, code in _each(tree, always):
        assert isinstance(node, ast.If)
        yield "ignored-filter", code, _broken(node.test)


def _broken(test: ast.expr) -> str:
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.IsNot):
        return "nulls"
    if isinstance(test, ast.Compare):
        return _word(test)
    named = next((n for n in ast.walk(test) if isinstance(n, ast.Constant)), None)
    return str(named.value) if named else "comparison"


def constants(tree: ast.Module, ground: Ground) -> Iterator[Wrong]:
    """Numbers one off or ten times; texts in another case, or another value of the data."""
    compared = {
        id(c) for n in ast.walk(tree) if isinstance(n, ast.Compare) for c in ast.walk(n) if isinstance(c, ast.Constant)
    }
    asked = [n for n in ast.walk(tree) if id(n) in compared and isinstance(n, ast.Constant)]
    keys = {f.name for t in ground.schema.tables for f in t.fields}
    for constant in asked:
        value = constant.value
        if isinstance(value, bool) or value is None:
            continue
        ways: list[tuple[Way, object]] = []
        if isinstance(value, int):
            ways = [
                ("off-by-one", value + 1),
                ("off-by-one", value - 1),
                ("wrong-value", value * 10 if value < 100 else value // 10),
            ]
        elif isinstance(value, str) and value not in keys:
            ways = [("case", value.swapcase()), ("wrong-value", _another(value, ground))]
        for way, new in ways:
            if new is None:
                continue
            kept, constant.value = constant.value, new  # type: ignore[assignment]  # an int or a str, as it was
            code = f"{ast.unparse(tree)}\n"
            constant.value = kept
            yield way, code, str(value)


def _another(value: str, ground: Ground) -> str | None:
    """Another value of a column that holds this one."""
    for rows in ground.rows.values():
        for name in rows[0] if rows else ():
            held = {str(r[name]) for r in rows[:2000] if isinstance(r[name], str)}
            if value in held and len(held) > 1:
                return min(held - {value})
    return None


def subscripts(tree: ast.Module, ground: Ground) -> Iterator[Wrong]:
    """Another column of the same type; a misspelt key with a default; texts compared as numbers; nulls taken for zero."""
    fields = {f.name: (t, f) for t in ground.schema.tables for f in t.fields}

    def of_row(node: ast.AST) -> str | None:
        if (
            not isinstance(node, ast.Subscript)
            or not isinstance(node.ctx, ast.Load)
            or not isinstance(node.slice, ast.Constant)
        ):
            return None
        name = node.slice.value
        return (
            name if isinstance(node.value, ast.Name) and node.value.id in ("row", "film") and name in fields else None
        )

    for turn in (0, 1):

        def other(node: ast.AST, turn: int = turn) -> ast.AST | None:
            name = of_row(node)
            if name is None:
                return None
            table, field = fields[name]
            alike = [f.name for f in table.fields if f.name != name and kind_of(f.type) == kind_of(field.type)]
            assert isinstance(node, ast.Subscript)
            node.slice = ast.Constant(alike[turn]) if len(alike) > turn else node.slice
            return node if len(alike) > turn else None

        for node, code in _each(tree, other):
            yield "wrong-column", _with_all_columns(code), str(of_row(node))

    def missing(node: ast.AST) -> ast.AST | None:
        name = of_row(node)
        if name is None:
            return None
        assert isinstance(node, ast.Subscript)
        kind = kind_of(fields[name][1].type)
        default = {"number": "0", "string": "''", "bool": "False"}.get(kind, "None")
        return ast.parse(
            f"{ast.unparse(node.value)}.get({name.title().replace('_', '')!r}, {default})", mode="eval"
        ).body

    for node, code in _each(tree, missing):
        yield "default", code, str(of_row(node))

    def as_text(node: ast.AST) -> ast.AST | None:
        if (
            not isinstance(node, ast.Compare)
            or len(node.ops) != 1
            or not isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        ):
            return None
        name = of_row(node.left)
        if name is None or kind_of(fields[name][1].type) != "number":
            return None
        node.left = ast.Call(ast.Name("str", ast.Load()), [node.left], [])
        node.comparators = [ast.Call(ast.Name("str", ast.Load()), [node.comparators[0]], [])]
        return node

    for node, code in _each(tree, as_text):
        yield "text-comparison", code, _word(node)

    def or_zero(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.IsNot):
            return None
        return ast.Constant(True)

    for node, code in _each(tree, or_zero):
        assert isinstance(node, ast.Compare)
        text = ast.unparse(node.left)
        counted = re.sub(rf"(append\(|\+ ){re.escape(text)}", rf"\1({text} or 0)", code)
        if counted != code:
            yield "nulls", counted, "nulls"

    def is_zero(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Is | ast.IsNot):
            return None
        node.ops = [ast.Eq() if isinstance(node.ops[0], ast.Is) else ast.NotEq()]
        node.comparators = [ast.Constant("")]
        return node

    for _node, code in _each(tree, is_zero):
        yield "nulls", code, "nulls"

    def lower(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "lower":
            return node.func.value
        return None

    for _node, code in _each(tree, lower):
        yield "case", code, "case"


def _with_all_columns(code: str) -> str:
    """The same closure, reading every column, so that another one is there to be taken."""
    return re.sub(r"SELECT (?!DISTINCT)[\w, ]+ FROM (?=\w+)", "SELECT * FROM ", code)


def gathered(tree: ast.Module, _ground: Ground) -> Iterator[Wrong]:
    """Another aggregate: max for min, a sum for an average, 1 for the value, the last for the sum."""

    def swapped(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Name) and node.id in ("max", "min"):
            node.id = {"max": "min", "min": "max"}[node.id]
            return node
        return None

    for node, code in _each(tree, swapped):
        yield "wrong-aggregate", code, str(getattr(node, "id", ""))

    def whole(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return node.left
        return None

    for _node, code in _each(tree, whole):
        yield "wrong-aggregate", code, "avg"

    def other_operator(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.BinOp) or type(node.op) not in (ast.Sub, ast.Mult):
            return None
        node.op = ast.Add()
        return node

    for _node, code in _each(tree, other_operator):
        yield "wrong-arithmetic", code, "comparison"

    def floor(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
            return None
        node.op = ast.FloorDiv()
        return node

    for _node, code in _each(tree, floor):
        yield "wrong-arithmetic", code, "comparison"

    def last(node: ast.AST) -> ast.AST | None:
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Add)
            and isinstance(node.left, ast.Call)
            and getattr(node.left.func, "attr", "") == "get"
        ):
            return node.right
        return None

    for node, code in _each(tree, last):
        assert isinstance(node, ast.BinOp)
        yield "wrong-aggregate", code, "count" if ast.unparse(node.right) == "1" else "sum"

    def twice(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and ast.unparse(node.right) == "1":
            node.right = ast.Constant(2)
            return node
        return None

    for _node, code in _each(tree, twice):
        yield "doubled-rows", code, "pages"

    def mean(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Attribute) and node.attr == "median":
            node.attr = "mean"
            return node
        return None

    for _node, code in _each(tree, mean):
        yield "wrong-aggregate", code, "median"


def loops(tree: ast.Module, _ground: Ground) -> Iterator[Wrong]:
    """The first row left out, only some rows read, records given twice."""
    for text, way in (
        ("list({0})[1:]", "dropped-rows"),
        ("list({0})[:150]", "truncated"),
        ("list({0})[:-1]", "dropped-rows"),
        ("list({0}) * 2", "doubled-rows"),
    ):

        def cut(node: ast.AST, text: str = text) -> ast.AST | None:
            if (
                not isinstance(node, ast.For)
                or not isinstance(node.iter, ast.Call)
                or "source." not in ast.unparse(node.iter)
            ):
                return None
            node.iter = ast.parse(text.format(ast.unparse(node.iter)), mode="eval").body
            return node

        for _node, code in _each(tree, cut):
            yield way, code, "pages"  # type: ignore[misc]  # the texts of the table above

    def again(node: ast.AST) -> ast.AST | None:
        for name in ("body", "orelse"):
            for place, statement in enumerate(
                getattr(node, name, []) if not isinstance(node, ast.Lambda | ast.IfExp) else []
            ):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield):
                    getattr(node, name).insert(place, deepcopy(statement))
                    return node
        return None

    for _node, code in _each(tree, again):
        yield "doubled-rows", code, "pages"

    def early(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.For) or "yield" in ast.unparse(node) or "source." not in ast.unparse(node.iter):
            return None
        test = ast.parse(f"if len({_gathered_in(node)}) >= 3:\n    break").body[0]
        node.body.append(test)
        return node if _gathered_in(node) else None

    for _node, code in _each(tree, early):
        yield "truncated", code, "pages"


def _gathered_in(loop: ast.For) -> str:
    """The name of what a loop fills."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            return node.value.id
    return ""


def orders(tree: ast.Module, _ground: Ground) -> Iterator[Wrong]:
    """The order turned round or left out, a limit one off or left out, numbers sorted as texts."""

    def turned(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.Call) or "sort" not in ast.unparse(node.func):
            return None
        there = next((k for k in node.keywords if k.arg == "reverse"), None)
        if there:
            node.keywords.remove(there)
        else:
            node.keywords.append(ast.keyword("reverse", ast.Constant(True)))
        return node

    for _node, code in _each(tree, turned):
        yield "wrong-order", code, "order"

    def unsorted(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sorted":
            return node.args[0]
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "attr", "") == "sort"
        ):
            return ast.Pass()
        return None

    for _node, code in _each(tree, unsorted):
        yield "wrong-order", code.replace("(yield from ", "yield from ("), "order"
    for step in (1, -1, 7, None):

        def limited(node: ast.AST, step: int | None = step) -> ast.AST | None:
            if (
                not isinstance(node, ast.Slice)
                or node.lower
                or not isinstance(node.upper, ast.Constant)
                or not isinstance(node.upper.value, int)
            ):
                return None
            node.upper = ast.Constant(node.upper.value + step) if step else None
            return node

        for node, code in _each(tree, limited):
            assert isinstance(node, ast.Slice)
            if "str(" not in ast.unparse(tree):
                yield "wrong-limit", code, _word(node.upper) if node.upper else "order"

    def as_text(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.keyword) and node.arg == "key" and isinstance(node.value, ast.Lambda):
            body = node.value.body
            node.value.body = ast.parse(f"str({ast.unparse(body).lstrip('-')})", mode="eval").body
            return node
        return None

    for _node, code in _each(tree, as_text):
        yield "text-comparison", code, "order"


def _times(tree: ast.Module, ground: Ground) -> Iterator[Wrong]:
    """Times taken in another zone than they are meant in."""
    names = {f.name for t in ground.schema.tables for f in t.fields if f.type.startswith("timestamp")}

    def moved(node: ast.AST) -> ast.AST | None:
        if (
            not isinstance(node, ast.Subscript)
            or not isinstance(node.slice, ast.Constant)
            or node.slice.value not in names
        ):
            return None
        return ast.parse(f"({ast.unparse(node)} + timedelta(hours=2))", mode="eval").body

    for _node, code in _each(tree, moved):
        yield "time-zone", f"from datetime import timedelta\n\n{code}", "zone"


def _dates(tree: ast.Module) -> Iterator[Wrong]:
    """A date one day or one year off."""
    from datetime import date, timedelta

    for days, way in ((1, "off-by-one"), (-1, "off-by-one"), (-365, "wrong-value")):

        def moved(node: ast.AST, days: int = days) -> ast.AST | None:
            if (
                not isinstance(node, ast.Call)
                or getattr(node.func, "id", "") not in ("date", "datetime")
                or len(node.args) != 3
            ):
                return None
            parts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
            if len(parts) != 3:
                return None
            there = date(*parts) + timedelta(days=days)
            node.args = [ast.Constant(there.year), ast.Constant(there.month), ast.Constant(there.day)]
            return node

        for node, code in _each(tree, moved):
            yield way, code, _word(node)  # type: ignore[misc]  # the texts of the table above


def _parameters(tree: ast.Module) -> Iterator[Wrong]:
    """A parameter that is overwritten, or whose default is one off."""
    function = _body(tree)
    for place, (argument, default) in enumerate(zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)):
        assert default is not None
        copy = deepcopy(tree)
        _body(copy).body.insert(1, ast.parse(f"{argument.arg} = {ast.unparse(default)}").body[0])
        yield (
            "ignored-parameter",
            f"{ast.unparse(copy)}\n",
            _word(default.args[0] if isinstance(default, ast.Call) and len(default.args) == 1 else default),
        )
        for step in (1, -1):
            copy = deepcopy(tree)
            changed = _body(copy).args.kw_defaults[place]
            held = changed.args[0] if isinstance(changed, ast.Call) and len(changed.args) == 1 else changed
            held = held.operand if isinstance(held, ast.UnaryOp) else held
            if isinstance(held, ast.Constant) and isinstance(held.value, int):
                said = str(held.value)
                held.value += step
                yield "off-by-one", f"{ast.unparse(copy)}\n", said


def _swallowed(tree: ast.Module, ground: Ground) -> Iterator[Wrong]:
    """An error that hides behind an empty answer; one of a record that hides behind a default."""
    columns = [f.name for t in ground.schema.tables for f in t.fields]
    copy = deepcopy(tree)
    function = _body(copy)
    names = [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and "SELECT" in n.value
    ]
    if names:
        word = next((c for c in columns if re.search(rf"\b{re.escape(c)}\b", str(names[0].value))), None)
        if word:
            names[0].value = re.sub(rf"\b{re.escape(word)}\b", f"{word}_", str(names[0].value))
            caught = ast.parse("try:\n    pass\nexcept Exception:\n    return").body[0]
            assert isinstance(caught, ast.Try)
            caught.body = function.body[1:]
            function.body = [function.body[0], caught]
            yield "swallowed-exception", f"{ast.unparse(ast.fix_missing_locations(copy))}\n", "pages"

    def guarded(node: ast.AST) -> ast.AST | None:
        if (
            not isinstance(node, ast.For)
            or "source." not in ast.unparse(node.iter)
            or not isinstance(node.target, ast.Name)
        ):
            return None
        inner = ast.unparse(ast.Module(node.body, []))
        lines = inner.replace("\n", "\n    ")
        if "yield" in inner:
            return None
        test = f"    if None in {node.target.id}.values():\n        raise ValueError('a value is missing')"
        node.body = ast.parse(f"try:\n{test}\n    {lines}\nexcept ValueError:\n    continue").body
        return node

    for _node, code in _each(tree, guarded):
        yield "swallowed-exception", code, "pages"


def _made_up(tree: ast.Module, ground: Ground) -> Iterator[Wrong]:
    """An answer that knows the first rows by heart: groups that it did not see are left out."""
    function = _body(tree)
    named = next((r for r in ground.rows.values() if r), [])
    texts = [f.name for t in ground.schema.tables for f in t.fields if f.type == "string"]
    yields = [n for n in ast.walk(function) if isinstance(n, ast.Yield) and isinstance(n.value, ast.Dict)]
    if not yields or not isinstance(yields[0].value, ast.Dict):
        return
    for key in yields[0].value.keys:
        if isinstance(key, ast.Constant) and key.value in texts and named and key.value in named[0]:
            held = list(dict.fromkeys(r[key.value] for r in named[:12] if r[key.value] is not None))
            some = held[: max(2, len(held) * 2 // 3)]
            code = f"{ast.unparse(tree)}\n".replace("def closure(", "def found(", 1)
            call = ", ".join(["source", *(f"{a.arg}={a.arg}" for a in function.args.kwonlyargs)])
            lines = f"    for record in found({call}):\n        if record[{key.value!r}] in {some!r}:\n            yield record\n"
            yield "hard-coded", f"{code}\n\ndef closure({ast.unparse(function.args)}):\n{lines}", "pages"
            return
