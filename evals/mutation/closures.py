"""The right closures of suites/mutants.yaml, each request answered in SQL and row by row in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Literal

from evals.suite import SUITES
from synth.schema import Field

Form = Literal["sql", "python"]
FORMS: tuple[Form, ...] = ("sql", "python")
_IMPORTS = (
    ("import statistics", "statistics."),
    ("from datetime import date, datetime, timedelta", "date("),
    ("from datetime import date, datetime, timedelta", "datetime("),
    ("from datetime import date, datetime, timedelta", "timedelta("),
    ("from decimal import Decimal", "Decimal("),
)


@dataclass(frozen=True)
class Right:
    """One request with its two closures. `over` names the rows that SQL queries where they come from an API's pages;
    `order` are the columns that the asked order goes by; `output` the declared fields, none where nothing is declared."""

    id: str
    source: str
    request: str
    sql: str
    python: str
    args: tuple[str, ...] = ()
    parameters: str = ""
    over: tuple[tuple[str, str], ...] = ()
    order: tuple[str, ...] = ()
    output: tuple[Field, ...] = ()

    def code(self, form: Form) -> str:
        """The closure in one of its forms."""
        return module_of(self.sql_body(self.sql) if form == "sql" else self.python, self.request, self.parameters)

    def sql_body(self, sql: str) -> str:
        """The lines of a closure that answers with this SQL."""
        args = f", [{', '.join(self.args)}]" if self.args else ""
        if self.over:
            rows = ", ".join(f'"{name}": source.pages("{path}")' for name, path in self.over)
            return f'yield from query({{{rows}}}, """{sql}"""{args})'
        return f'yield from source.query("""{sql}"""{args})'


def module_of(body: str, request: str, parameters: str = "") -> str:
    """A whole module around the lines of a closure."""
    keywords = f", *, {parameters}" if parameters else ""
    heads = dict.fromkeys(line for line, word in _IMPORTS if word in body + keywords)
    head = "\n".join(heads) + "\n\n\n" if heads else ""
    docstring = request.replace('"', "'")
    return f'{head}def closure(source{keywords}):\n    """{docstring}"""\n{indent(body.rstrip(), "    ")}\n'


def right_closures() -> tuple[str, list[Right]]:
    """The moment that the suite takes for now, and its closures in the file's order."""
    import yaml

    raw = yaml.safe_load((SUITES / "mutants.yaml").read_text(encoding="utf-8"))
    return str(raw["now"]), [_right(each) for each in raw["closures"]]


def _right(raw: Mapping[str, Any]) -> Right:
    return Right(
        raw["id"],
        raw["source"],
        raw["request"],
        raw["sql"],
        raw["python"],
        tuple(str(a) for a in raw.get("args", ())),
        raw.get("parameters", ""),
        tuple(raw.get("over", {}).items()),
        tuple(raw.get("order", ())),
        tuple(Field(name, type_name) for name, type_name in raw.get("output", {}).items()),
    )
