"""A request, the task made of it, and what a writer hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sandbox.finding import Finding
from synth.schema import Field, Schema


@dataclass(frozen=True)
class Request:
    """What the user wants, in plain words, and what was said around it. `expected` are the user's own records, to compare with."""

    text: str
    now: datetime
    expected: tuple[dict[str, object], ...] | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ValueMatch:
    """A stored value that some words of the request may mean. `exact` is False when case, accents or spelling differed."""

    table: str
    field: str
    value: str
    exact: bool = True


@dataclass(frozen=True)
class Task:
    """All that a writer may know: no credential, no connection. `find_values(words)` looks words up among the text values of
    the whole source (bounded), for writers that want to know which column holds "Berlin".
    `examples` are (request, code) of similar closures recalled from the corpus, `lessons` short rules."""

    request: Request
    schema: Schema
    shape: Literal["table", "http"]
    dialect: str
    kind: str
    find_values: Callable[[str], Sequence[ValueMatch]] = lambda _words: ()
    examples: tuple[tuple[str, str], ...] = ()
    lessons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """A keyword parameter of a closure; `type` is the Python annotation (`Decimal`, `date`, `str`, `int`, `float`, `bool`, `datetime`)."""

    name: str
    type: str
    default: object


@dataclass(frozen=True)
class Draft:
    """A closure as written. `plan` is the relational plan behind it where the writer had one; `output` its declared fields.
    `reading` says back in plain words how the request was understood."""

    code: str
    model: str
    parameters: tuple[Parameter, ...] = ()
    output: tuple[Field, ...] = ()
    plan: object = None
    ordered: bool = False
    reading: str = ""
    tokens: int = 0


@dataclass(frozen=True)
class Refusal:
    """An honest no. `rule`: `unsafe`, `no-such-column`, `ambiguous`, `not-understood`, `cannot-answer`, `empty-request`,
    `model-unavailable`.
    `candidates` are the nearest things the user may have meant."""

    rule: str
    reason: str
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mended:
    """What a writer is told about its last draft."""

    draft: Draft
    findings: tuple[Finding, ...]


class Writer(Protocol):
    """Writes closures: the builtin generator, or a text model behind prompts. `reads_examples`: recall some for it."""

    name: str
    reads_examples: bool

    def write(self, task: Task, last: Mended | None = None) -> Draft | Refusal:
        """A closure for the task, mended after `last` if given; or an honest no."""
        ...
