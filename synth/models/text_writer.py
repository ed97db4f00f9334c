"""A writer made of any model that completes text: prompts in, a closure read out of the reply."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from synth.models.declared import parameters_in
from synth.models.messages import MOST_REQUEST, Message, messages_of
from synth.models.problem import BudgetReached, Declined
from synth.models.reply import usage_of
from synth.models.share import share_of
from synth.models.wire import shown
from synth.request import Draft, Mended, Refusal, Task

_FENCE = re.compile(r"^[ \t]*```[ \t]*[\w+-]*[ \t]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
_CLOSURE = re.compile(r"^(?:async\s+)?def\s+closure\s*\(", re.MULTILINE)
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_CANNOT = re.compile(r"\A\W*CANNOT\s*:\s*(.+)", re.DOTALL)


class Model(Protocol):
    """Completes a conversation. `name` is how the user knows it.

    A model may offer more, and the writer uses what there is: `complete_many(messages, n)` gives independent drafts,
    `for_request(request)` the same model counting on that request's budget, `local` says whether it runs on this machine
    (without it, it does), and a reply that is a `Reply` tells what it cost.
    """

    name: str

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """The reply to these messages ({"role", "content"}). Raises TarsError for what a user can act on."""
        ...


class TextWriter:
    """Asks a model for closures. `share` says how much of the data its prompts hold (see `share`)."""

    reads_examples = True

    def __init__(self, model: Model, share: str = "") -> None:
        self.model = model
        self.name = model.name
        self.share = share_of(share, local=bool(getattr(model, "local", True)))

    def write(self, task: Task, last: Mended | None = None) -> Draft | Refusal:
        """The closure in the model's reply. A reply that holds none is a refusal that says what came instead; so is a budget
        that ends while there is a draft to mend, for then the draft's findings are what the user should hear."""
        if refusal := _too_long(task):
            return refusal
        messages = messages_of(task, self.share, last)
        try:
            return self._read(self._model_for(task).complete(messages), messages)
        except Declined as problem:
            return Refusal("cannot-answer", str(problem))
        except BudgetReached as problem:
            if last is None:
                raise
            return Refusal("cannot-answer", str(problem))

    def write_many(self, task: Task, n: int) -> tuple[Draft | Refusal, ...]:
        """Up to `n` drafts written independently of each other; fewer where a model or a budget gave fewer, never none.

        A model without `complete_many` is asked `n` times, one after the other."""
        if n < 1:
            raise ValueError(f"{n} drafts")
        if n == 1 or (refusal := _too_long(task)):
            return (self.write(task),) if n == 1 else (cast(Refusal, refusal),)
        messages = messages_of(task, self.share)
        model = self._model_for(task)
        many = cast("Callable[..., Sequence[str]] | None", getattr(model, "complete_many", None))
        try:
            replies = many(messages, n) if many else [model.complete(messages) for _ in range(n)]
        except Declined as problem:
            return (Refusal("cannot-answer", str(problem)),)
        return tuple(self._read(reply, messages) for reply in replies)

    def _model_for(self, task: Task) -> Model:
        bound = cast("Callable[[object], Model] | None", getattr(self.model, "for_request", None))
        return bound(task.request) if bound else self.model

    def _read(self, reply: str, messages: Sequence[Message]) -> Draft | Refusal:
        answer = _THOUGHT.sub("", reply)
        structured = _structured(answer)
        cannot = str(structured.get("cannot") or "")
        found = _CANNOT.match(answer)
        code = closure_in(answer)
        if code is None and (cannot or found):
            reason = cannot or (found.group(1) if found else "")
            return Refusal("cannot-answer", f"{self.name} says: {shown(reason, 300)}")
        if code is None:
            return Refusal("not-understood", f"{self.name} gave no closure: {shown(reply, 160)}")
        reading = shown(str(structured.get("reading") or "") or _docstring(code), 300)
        tokens = usage_of(reply, "".join(m["content"] for m in messages)).tokens
        return Draft(code, self.name, parameters_in(code), reading=reading, tokens=tokens)


def closure_in(reply: str) -> str | None:
    """The code of the closure in a reply: the fenced block that defines it, the `code` of a structured reply, or the whole reply
    when that does."""
    code = str(_structured(reply).get("code") or "")
    text = (code or reply).replace("\r\n", "\n")
    blocks = [b for b in _FENCE.findall(text) if _CLOSURE.search(b)]
    if blocks:
        return str(blocks[-1]).strip("\r\n").rstrip() + "\n"
    return text.strip() + "\n" if _CLOSURE.search(text) and "```" not in text else None


def _structured(reply: str) -> dict[str, object]:
    """The fields of a reply that is one JSON object; empty for any other reply."""
    text = reply.strip()
    fenced = re.fullmatch(r"```(?:json)?\s*\n(.*)```", text, re.DOTALL)
    try:
        value = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _docstring(code: str) -> str:
    """The first line of the closure's own docstring: how the model says it understood the request."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "closure":
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def _too_long(task: Task) -> Refusal | None:
    """A request is shown to a model whole or not at all: cut, it would mean something else."""
    length = len(task.request.text)
    if length <= MOST_REQUEST:
        return None
    return Refusal(
        "not-understood",
        f"the request has {length} characters; a model is given at most {MOST_REQUEST}. Say it shorter",
    )
