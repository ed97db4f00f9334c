"""The builtin writer: request and schema become a relational plan, the plan becomes SQL, the SQL a closure. No model, no network."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from prompts.render import render
from synth.plan import Order, Plan, Value
from synth.plan_sql import Sql, can_say, local_name, output_fields, rows_sql, sql_of
from synth.request import Draft, Mended, Parameter, Refusal, Task, Writer


class Builtin:
    """Understands requests about tables by rules, and knows when it does not."""

    name = "builtin"
    reads_examples = False

    def write(self, task: Task, last: Mended | None = None) -> Draft | Refusal:
        """A closure for the task. It has one reading of a request, so a draft that failed becomes an honest no."""
        from synth.understand import understand

        if last is not None:
            found = "; ".join(str(f) for f in last.findings[:3])
            return Refusal("cannot-answer", f"the builtin's only draft did not hold: {found}")
        understood = understand(task)
        if isinstance(understood, Refusal):
            return understood
        return draft_of(understood.plan, task, understood.reading)


def create(_settings: str = "") -> Writer:
    """The builtin needs no settings."""
    return Builtin()


def draft_of(plan: Plan, task: Task, reading: str = "") -> Draft:
    """The closure that answers the plan over the task's kind of source."""
    asked_order = bool(plan.order)
    plan = _settled(_named_for_python(plan))
    parameters = tuple(Parameter(v.parameter, _type_name(v.value), v.value) for v in plan.values())
    head = {
        "imports": _imports(parameters),
        "parameters": [f"{p.name}: {p.type} = {_python(p.default)}" for p in parameters],
        "docstring": _docstring(task.request.text),
    }
    if task.shape == "table" and can_say(plan, task.schema, task.dialect):
        sql = sql_of(plan, task.schema, task.dialect)
        code = render("table_query.py.jinja", **head, sql=_block(sql), arguments=sql.parameters)
    else:
        sql = sql_of(plan, task.schema, "duckdb", fetched=True)
        fetched = _fetched(plan, task)
        code = render("rows_query.py.jinja", **head, sql=_block(sql), arguments=sql.parameters, fetched=fetched)
    return Draft(
        code=code,
        model="builtin",
        parameters=parameters,
        output=output_fields(plan, task.schema),
        plan=plan,
        ordered=asked_order,
        reading=reading,
    )


def _settled(plan: Plan) -> Plan:
    """Groups come in the order of their keys where no other was asked for: the same answer looks the same every time."""
    if plan.order or not plan.group or plan.limit or plan.top_per or plan.distinct_on:
        return plan
    shown = {o.of for o in plan.outputs}
    return replace(plan, order=tuple(Order(of) for of in plan.group if of in shown))


_TAKEN = {"source", "query", "closure", "date", "datetime", "time", "timezone", "Decimal", "SourceError"}


def _named_for_python(plan: Plan) -> Plan:
    """The plan with parameters that Python can have: a column called `class` or `2nd` names none by itself."""
    names: dict[str, str] = {}
    for value in plan.values():
        name = re.sub(r"\W+", "_", value.parameter).strip("_").lower() or "value"
        name = f"value_{name}" if not name.isidentifier() else name
        while keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _TAKEN or name in names.values():
            name += "_"
        names[value.parameter] = name

    def renamed(node: object) -> object:
        if isinstance(node, tuple):
            return tuple(renamed(item) for item in node)
        if isinstance(node, Value):
            return replace(node, parameter=names.get(node.parameter, ""))
        if is_dataclass(node) and not isinstance(node, type):
            return replace(node, **{f.name: renamed(getattr(node, f.name)) for f in fields(node)})
        return node

    changed = renamed(plan)
    assert isinstance(changed, Plan)
    return changed


@dataclass(frozen=True)
class _Fetched:
    key: str
    variable: str
    call: str


def _fetched(plan: Plan, task: Task) -> list[_Fetched]:
    tables = [plan.table, *(j.table for j in plan.joins)]
    found: list[_Fetched] = []
    for number, table in enumerate(dict.fromkeys(tables), 1):
        variable = "".join(c if c.isalnum() else "_" for c in local_name(table)).lower()
        if not variable.isidentifier() or keyword.iskeyword(variable) or variable in ("source", "query", "closure"):
            variable = f"rows_{number}"
        found.append(_Fetched(repr(local_name(table)), variable, _call(plan, task, table)))
    return found


def _call(plan: Plan, task: Task, table: str) -> str:
    if task.shape == "http":
        return f"source.pages({task.schema.table(table).path!r})"
    rows = rows_sql(plan, table, task.dialect)
    return f"source.query({_one_line(rows)!r})"


def _one_line(sql: Sql) -> str:
    return " ".join(sql.text.split()) if '"' not in sql.text and "`" not in sql.text else sql.text.replace("\n", " ")


def _block(sql: Sql) -> str:
    """The SQL as an indented triple-quoted string, whatever it holds."""
    text = sql.text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return textwrap.indent(f'"""\n{text}\n"""', " " * 8)


def _docstring(text: str) -> str:
    """The request on one line, unable to end the string that it stands in."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    plain = words.replace("\\", "/").replace('"', "'")[:200]
    return plain if plain.endswith((".", "?", "!")) else f"{plain}."


def _type_name(value: object) -> str:
    names: Sequence[tuple[type, str]] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float"),
        (Decimal, "Decimal"),
        (datetime, "datetime"),
        (date, "date"),
        (time, "time"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "str")


def _python(value: object) -> str:
    if isinstance(value, Decimal):
        return f"Decimal({str(value)!r})" if value != value.to_integral_value() else f"Decimal({int(value)})"
    if isinstance(value, datetime):
        value, zone = (value.astimezone(UTC), ", tzinfo=timezone.utc") if value.tzinfo else (value, "")
        return f"datetime({value.year}, {value.month}, {value.day}, {value.hour}, {value.minute}, {value.second}{zone})"
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if isinstance(value, time):
        return f"time({value.hour}, {value.minute}, {value.second})"
    return repr(value)


def _imports(parameters: Sequence[Parameter]) -> list[str]:
    kinds = {p.type for p in parameters}
    zoned = any(isinstance(p.default, datetime) and p.default.tzinfo for p in parameters)
    names = sorted(kinds & {"date", "datetime", "time"}) + (["timezone"] if zoned else [])
    lines = [f"from datetime import {', '.join(names)}"] if names else []
    return lines + (["from decimal import Decimal"] if "Decimal" in kinds else [])
