"""What can be seen in a closure's text: values copied from the sample, a limit nobody asked for, a parameter that does nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.finding import Finding
from synth.gates.case import Case

if TYPE_CHECKING:
    import pyarrow as pa

_LIMIT = re.compile(r"\blimit\s+\d+", re.IGNORECASE)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_FEW = re.compile(
    r"\b(top|first|last|bottom|best|worst|most|least|\w{2,}est|latest|any|sample|example|limit|maximum|minimum|dozen"
    r"|one|two|three|four|five|six|seven|eight|nine|ten)\b|\d",
    re.IGNORECASE,
)
_LONGEST_DATE = 19
"""Longer pieces than a date with its time are not cut from text; so long a slice cuts records."""
_MANY = 3
"""So many values of the data written into the code, none of them in the request, are a copy and not a choice."""


def findings_of(case: Case) -> Iterator[Finding]:
    """Findings that need no run."""
    tree = ast.parse(case.draft.code)
    function = next(
        n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == "closure"
    )
    yield from _ignored_parameters(function)
    yield from _unasked_limit(function, case.task.request.text)
    yield from _dropped_in_silence(function)
    if case.draft.plan is None:
        yield from _copied_values(function, case)


def _ignored_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Finding]:
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for argument in function.args.kwonlyargs:
        if argument.arg not in used:
            yield Finding(
                "faithful",
                "ignored-parameter",
                f"the parameter {argument.arg!r} changes nothing: it is never used",
                line=argument.lineno,
                hint="Use it, or leave it out.",
            )


def _unasked_limit(function: ast.AST, request: str) -> Iterator[Finding]:
    if _FEW.search(request):
        return
    yield from _unasked_slice(function)
    for node in _texts(function):
        if _LIMIT.search(str(node.value)):
            yield Finding(
                "faithful",
                "unasked-limit",
                "the SQL has a LIMIT, and the request does not ask for only some of the records",
                line=node.lineno,
                hint="Leave the LIMIT out.",
            )


def _unasked_slice(function: ast.AST) -> Iterator[Finding]:
    """rows[:60], islice(rows, 60): records beyond a number that nobody named."""
    for node in ast.walk(function):
        bound: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            bound = node.slice.upper
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "islice":
            bound = node.args[-1] if len(node.args) > 1 else None
        if isinstance(bound, ast.Constant) and isinstance(bound.value, int) and bound.value > _LONGEST_DATE:
            yield Finding(
                "faithful",
                "unasked-limit",
                f"only the first {bound.value} are taken, and the request does not ask for only some of the records",
                line=bound.lineno,
                hint="Take all of them.",
            )


def _dropped_in_silence(function: ast.AST) -> Iterator[Finding]:
    """`except …: pass` or `continue`: a record that made trouble is gone, and nobody hears of it."""
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(s, ast.Pass | ast.Continue) for s in node.body):
            yield Finding(
                "faithful",
                "swallowed-exception",
                "an exception is caught and nothing is done: the record that raised it is dropped without a word",
                line=node.lineno,
                hint="Give the value a None, or let the exception rise.",
            )


def _copied_values(function: ast.FunctionDef | ast.AsyncFunctionDef, case: Case) -> Iterator[Finding]:
    """Constants that are values of the data but not words of the request."""
    values = _values(case.sample.b)
    asked = case.task.request.text.casefold()
    names = {f.name for t in case.task.schema.tables for f in t.fields} | {t.name for t in case.task.schema.tables}
    found: dict[str, int] = {}
    for node in _texts(function):
        text = str(node.value)
        for constant in [text, *(m.group(1) for m in _LITERAL.finditer(text))]:
            if len(constant) > 1 and constant in values and constant.casefold() not in asked and constant not in names:
                found.setdefault(constant, node.lineno)
    if len(found) >= _MANY:
        some = ", ".join(repr(c) for c in list(found)[:5])
        yield Finding(
            "faithful",
            "hard-coded",
            f"{len(found)} values of the sampled data are written into the code and are not in the request: {some}",
            line=min(found.values()),
            hint="Read them from the source, or state the rule that picks them.",
        )


def _texts(function: ast.AST) -> Iterator[ast.Constant]:
    body = getattr(function, "body", [])
    docstring = body[0].value if body and isinstance(body[0], ast.Expr) else None
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node is not docstring:
            yield node


def _values(rows: dict[str, pa.Table] | object) -> set[str]:
    import pyarrow as pa

    found: set[str] = set()
    assert isinstance(rows, dict)
    for table in rows.values():
        for column in table.columns:
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                found |= {v for v in column.unique().to_pylist() if v}
    return found
