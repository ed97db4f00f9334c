"""The messages that a task becomes: the contract, the request over what its source holds, and what to mend.

Everything that came from the source stands between marks of its own, written as JSON strings in which no mark, fence or
control character can occur; so no value can end the block it stands in. See `share` for how much of it there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from prompts.render import render
from sandbox.capabilities import VERBS
from sandbox.finding import Finding
from sandbox.inside.modules import allowed
from synth.models.pruned import Pruned, Shown, pruned
from synth.models.share import (
    Share,
    is_secret_name,
    masked_code,
    masked_message,
    masked_record,
    masked_request,
    shape_of,
    without_secrets,
)
from synth.models.stub import stub_of
from synth.request import Mended, Task, ValueMatch
from synth.schema import Field

Message = dict[str, str]

MOST_REQUEST = 8_000
MOST_NAME = 200
MOST_EXAMPLES = 4_000
FEW_VALUES = 12
_FREE_RULES = (
    "raised",
    "fails-on-other-rows",
    "fails-on-nulls",
    "fails-on-no-rows",
    "replay-failed",
    "not-as-expected",
)
# Our own marks, and those by which chat templates part the roles of a conversation.
_MARK = re.compile(
    r"<(?=\s*/?\s*(?:data|request|examples|findings|think|s|bos|eos|pad|(?:start|end)_of_turn|system|user|assistant)\b|\|)"
    r"|\[(?=/?INST\])",
    re.IGNORECASE,
)

_INSTRUCTION = re.compile(r"\[(?=/?INST\])", re.IGNORECASE)


def messages_of(task: Task, share: Share, last: Mended | None = None) -> list[Message]:
    """The conversation so far, ending with what the model shall answer. Nothing made like a credential is in it."""
    said = [
        {"role": "system", "content": contract(task)},
        {"role": "user", "content": first(task, share)},
    ]
    if last is not None:
        said.append({"role": "assistant", "content": f"```python\n{last.draft.code.rstrip()}\n```"})
        said.append({"role": "user", "content": repair(task, last, share)})
    return [{**message, "content": without_secrets(message["content"])} for message in said]


def contract(task: Task) -> str:
    """What a closure is, and the stub of the source that it will hold."""
    verbs = ("get", "pages") if task.shape == "http" else ("query", "tables", "columns")
    return render(
        "contract.md",
        stub=stub_of([v for v in VERBS if v in verbs]),
        dialect=task.dialect,
        shape=task.shape,
        imports=", ".join(allowed()),
    )


def first(task: Task, share: Share) -> str:
    """The request over its schema, with what was recalled."""
    matches = _matches(task, share)
    kept = pruned(
        task.schema,
        task.request.text,
        lambda field: _field(field, share),
        sought=[(m.table, m.field) for m in matches],
    )
    return render(
        "first.md",
        request=shown_request(task.request.text),
        today=task.request.now.date().isoformat(),
        kind=_plain(task.kind, 60),
        tables=[_table(shown, task, share) for shown in kept.tables],
        other_tables=[quoted(name, MOST_NAME) for name in kept.named],
        more_tables=kept.left_out,
        relations=_relations(kept),
        matches=[f"{quoted(m.value, 80)} is a value of {quoted(m.table, 80)}.{quoted(m.field, 80)}" for m in matches],
        examples=_examples(task, share),
        lessons=[_plain(_lesson(task, lesson, share), 300) for lesson in task.lessons[:8]],
        share=share,
        shape=task.shape,
    )


def repair(task: Task, last: Mended, share: Share) -> str:
    """What the gates found, each with its line of code, and the smallest record among those that show it."""
    lines = last.draft.code.splitlines()
    known = _known(task, last)
    findings = [
        {
            "rule": f"{f.gate}/{_plain(f.rule, 40)}",
            "line": f.line,
            "code": quoted(lines[f.line - 1].strip(), 200) if f.line and 0 < f.line <= len(lines) else "",
            "message": quoted(_message(f, known, share), 600),
            "hint": _plain(f.hint if share == "sample" else masked_message(f.hint, known), 300),
        }
        for f in last.findings[:12]
    ]
    record, more = _smallest(last, share), max(0, len(last.findings) - 12)
    return render("repair.md", findings=findings, more=more, record=record, share=share)


def quoted(text: str, most: int) -> str:
    """Text of the source as a JSON string: on one line, cut, with nothing in it that could be taken for a mark of the prompt."""
    cut = f"… ({len(text)} characters)" if len(text) > most else ""
    return _marked(json.dumps(text[:most] + cut, ensure_ascii=False))


def _marked(dumped: str) -> str:
    """JSON with escapes for what could pass for a mark or a fence, and for what is invisible."""
    plain = "".join(_json_escape(c) if c in "<>`" or _unseen(c) else c for c in dumped)
    return _INSTRUCTION.sub("\\\\u005b", plain)


def _json_escape(c: str) -> str:
    return json.dumps(c)[1:-1] if ord(c) > 127 else f"\\u{ord(c):04x}"


def _unseen(c: str) -> bool:
    """It has no look of its own: a control, a format character, a line separator, half of a pair."""
    return not c.isprintable() and c != " "


def _escaped(c: str) -> str:
    return " " if _unseen(c) else c


def _plain(text: str, most: int) -> str:
    """Our own words with perhaps a word of the source in them, on one line, without marks or fences."""
    line = " ".join("".join(_escaped(c) for c in text).split()).replace("```", "'''")
    line = _MARK.sub("‹", line)
    return line if len(line) <= most else line[: most - 1] + "…"


def shown_request(text: str) -> str:
    """The request, whole, with its line breaks, but unable to look like a mark of the prompt."""
    lines = ("".join(_escaped(c) for c in line).rstrip() for line in text.strip().splitlines())
    return _MARK.sub("‹", "\n".join(lines)).replace("```", "'''")


def _table(shown: Shown, task: Task, share: Share) -> dict[str, object]:
    table = shown.table
    return {
        "name": quoted(table.name, MOST_NAME),
        "path": quoted(table.path, MOST_NAME) if task.shape == "http" and table.path else "",
        "rows": table.rows if share != "none" else None,
        "key": ", ".join(quoted(k, MOST_NAME) for k in table.primary_key),
        "comment": quoted(table.comment, 160) if table.comment else "",
        "fields": [_field(f, share) for f in shown.fields],
        "named": [quoted(n, MOST_NAME) for n in shown.named],
        "left_out": shown.left_out,
    }


def _field(field: Field, share: Share) -> str:
    """One line of the schema, with its evidence as far as it may be shown."""
    parts = [
        f"{quoted(field.name, MOST_NAME)}: {_plain(field.type, 200)}",
        "nullable" if field.nullable else "never null",
    ]
    if field.reading:
        parts.append(f"stored otherwise; read it in SQL as {quoted(field.reading, 200)}")
    meaning = " ".join(_plain(p, 40) for p in (field.meaning, field.unit) if p)
    if meaning:
        parts.append(meaning)
    if field.comment:
        parts.append(f"comment {quoted(field.comment, 120)}")
    return ", ".join(parts) + (_evidence(field, share) if share != "none" else "")


def _evidence(field: Field, share: Share) -> str:
    said: list[str] = []
    if field.values and field.nulls:
        said.append(f"{field.nulls} of {field.values} null")
    if field.values and field.distinct:
        said.append(f"{field.distinct} distinct")
    if is_secret_name(field.name):
        return f"; {'; '.join([*said, 'values never shown'])}"
    if share == "sample" and 0 < len(field.vocabulary) <= FEW_VALUES:
        said.append(f"all values: {', '.join(quoted(v, 40) for v in field.vocabulary)}")
    elif share == "sample" and field.examples:
        said.append(f"e.g. {', '.join(_value(e) for e in field.examples[:3])}")
    elif share == "schema" and field.examples and field.type != "bool":
        shapes = dict.fromkeys(shape_of(e) for e in field.examples[:4])
        said.append(f"looks like {', '.join(quoted(s, 40) for s in list(shapes)[:2])}")
    return "; " + "; ".join(said) if said else ""


def _value(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else quoted(str(value), 40)


def _relations(kept: Pruned) -> list[str]:
    def side(table: str, columns: Sequence[str]) -> str:
        return f"{quoted(table, MOST_NAME)}({', '.join(quoted(c, MOST_NAME) for c in columns)})"

    return [f"{side(r.table, r.columns)} -> {side(r.to_table, r.to_columns)}" for r in kept.relations]


def _matches(task: Task, share: Share) -> list[ValueMatch]:
    """Stored values that the request's own words name. What the user wrote is no secret to a model that reads the request;
    a stored spelling of it that differs is shown only where samples are."""
    if share == "none":
        return []
    found: list[ValueMatch] = []
    for words in _phrases(task.request.text):
        for match in list(task.find_values(words))[:3]:
            if (share == "sample" or match.value in task.request.text) and match not in found:
                found.append(match)
    return found[:8]


_WORDS = re.compile(r"\"([^\"]{2,60})\"|'([^']{2,60})'|\b([A-Z][\w&.-]*(?:\s+[A-Z][\w&.-]*){0,3})")


def _phrases(request: str) -> list[str]:
    """What in a request may be a value: quoted words and capitalised ones."""
    found: list[str] = []
    for match in _WORDS.finditer(request):
        whole = next(g for g in match.groups() if g)
        found += [whole, *whole.split()] if match.group(3) else [whole]
    return list(dict.fromkeys(p for p in found if len(p) > 1))[:6]


def _examples(task: Task, share: Share) -> list[dict[str, str]]:
    """Closures that answered similar requests, as many as there is room for. With nothing shared there are none; without samples
    their constants are masked, for they come from other data."""
    if share == "none":
        return []
    made: list[dict[str, str]] = []
    room = MOST_EXAMPLES
    for request, code in task.examples:
        if share == "schema":
            request, code = masked_request(request), masked_code(code)
        request = _plain(request, 300)
        code = _MARK.sub("‹", code.replace("```", "'''")).strip()
        room -= len(request) + len(code) + 60
        if room < 0 or not code:
            break
        made.append(
            {"request": request, "code": "\n".join("".join(_escaped(c) for c in line) for line in code.splitlines())}
        )
    return made


def _lesson(task: Task, lesson: str, share: Share) -> str:
    return lesson if share == "sample" else masked_message(lesson, _names(task))


def _names(task: Task) -> set[str]:
    return (
        {t.name for t in task.schema.tables}
        | {f.name for t in task.schema.tables for f in t.fields}
        | {task.request.text}
    )


def _known(task: Task, last: Mended) -> set[str]:
    return {*_names(task), last.draft.code}


def _message(finding: Finding, known: set[str], share: Share) -> str:
    if share == "sample":
        return finding.message
    return masked_message(finding.message, known, free=finding.rule in _FREE_RULES)


def _smallest(last: Mended, share: Share) -> str:
    """The shortest record that a finding holds, as JSON; masked where samples may not be shown, left out where nothing may."""
    records = [f.record for f in last.findings if f.record is not None]
    if not records or share == "none":
        return ""
    shown = [_without_credentials(r) if share == "sample" else masked_record(r) for r in records]
    texts = [json.dumps(r, default=str, ensure_ascii=False) for r in shown]
    return _marked(min(texts, key=len)[:600])


def _without_credentials(value: object) -> object:
    if isinstance(value, dict):
        return {
            k: "***" if is_secret_name(str(k)) and v is not None else _without_credentials(v) for k, v in value.items()
        }
    return [_without_credentials(v) for v in value] if isinstance(value, (list, tuple)) else value
