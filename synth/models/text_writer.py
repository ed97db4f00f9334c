"""A writer made of any model that completes text: prompts in, a closure read out of the reply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Protocol

from prompts.render import render
from sandbox.capabilities import VERBS
from synth.models.stub import stub_of
from synth.request import Draft, Mended, Refusal, Task
from synth.schema import Field, Schema

MOST_FIELDS = 60
MOST_TABLES = 12
_FENCE = re.compile(r"```(?:python|py)?\s*\n(.*?)```", re.DOTALL)
_CLOSURE = re.compile(r"^(?:async\s+)?def\s+closure\s*\(", re.MULTILINE)


class Model(Protocol):
    """Completes a conversation. `name` is how the user knows it."""

    name: str

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """The reply to these messages ({"role", "content"}). Raises TarsError for what a user can act on."""
        ...


class TextWriter:
    """Asks a model for closures."""

    reads_examples = True

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name

    def write(self, task: Task, last: Mended | None = None) -> Draft | Refusal:
        """The closure in the model's reply. A reply that holds none is a refusal that says what came instead."""
        messages = [{"role": "system", "content": contract(task)}, {"role": "user", "content": first(task)}]
        if last is not None:
            messages += [
                {"role": "assistant", "content": f"```python\n{last.draft.code}\n```"},
                {
                    "role": "user",
                    "content": render("repair.md", findings=[str(f) for f in last.findings], records=_records(last)),
                },
            ]
        reply = self.model.complete(messages)
        code = closure_in(reply)
        if code is None:
            return Refusal("not-understood", f"{self.name} gave no closure: {_shown(reply, 160)}")
        return Draft(code, self.name)


def closure_in(reply: str) -> str | None:
    """The code of the closure in a reply: the fenced block that defines it, or the whole reply when that does."""
    blocks = [b for b in _FENCE.findall(reply) if _CLOSURE.search(b)]
    if blocks:
        return str(blocks[-1]).strip() + "\n"
    return reply.strip() + "\n" if _CLOSURE.search(reply) and "```" not in reply else None


def contract(task: Task) -> str:
    """What a closure is, and the stub of the source that it will hold."""
    verbs = [
        v
        for v in VERBS
        if v in (("get", "pages") if task.shape == "http" else ("query", "tables", "columns", "records"))
    ]
    return render("contract.md", stub=stub_of(verbs), dialect=task.dialect, shape=task.shape)


def first(task: Task) -> str:
    """The request over its schema, with what was recalled."""
    return render(
        "first.md",
        request=_shown(task.request.text, 2000),
        today=task.request.now.date().isoformat(),
        kind=task.kind,
        tables=_tables(task.schema),
        relations=[
            f"{r.table}({', '.join(r.columns)}) -> {r.to_table}({', '.join(r.to_columns)})"
            for r in task.schema.relations
        ],
        examples=[{"request": _shown(r, 300), "code": c} for r, c in task.examples],
        lessons=task.lessons,
        shape=task.shape,
    )


def _tables(schema: Schema) -> list[dict[str, object]]:
    return [
        {
            "name": _shown(t.name, 80),
            "path": t.path,
            "rows": t.rows,
            "fields": [_field(f) for f in t.fields[:MOST_FIELDS]],
            "left_out": max(0, len(t.fields) - MOST_FIELDS),
        }
        for t in schema.tables[:MOST_TABLES]
    ]


def _field(field: Field) -> str:
    """One line of the schema. Values of the data are JSON strings, cut short: they are data, whatever they say."""
    parts = [
        json.dumps(_shown(field.name, 80), ensure_ascii=False),
        field.type,
        "nullable" if field.nullable else "never null",
    ]
    if field.reading:
        parts.append(f"stored otherwise; read it in SQL as {field.reading}")
    if field.meaning or field.unit:
        parts.append(" ".join(p for p in (field.meaning, field.unit) if p))
    examples = [json.dumps(_shown(str(e), 40), ensure_ascii=False) for e in field.examples[:3]]
    return ", ".join(parts) + (f"; e.g. {', '.join(examples)}" if examples else "")


def _records(last: Mended) -> list[str]:
    return [
        _shown(json.dumps(f.record, default=str, ensure_ascii=False), 400)
        for f in last.findings
        if f.record is not None
    ]


def _shown(text: str, most: int) -> str:
    """Text from outside on one line, without control characters or fences, cut to a length."""
    plain = "".join(c if c.isprintable() else " " for c in text).replace("```", "'''")
    return plain if len(plain) <= most else plain[: most - 1] + "…"
