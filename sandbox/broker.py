"""The broker: the host's side of a closure's source handle. It enforces the grant and writes down every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.capabilities import VERBS


class CallRefused(Exception):
    """A call that the grant, or the capability, does not allow or could not serve. The closure sees `SourceError`.

    `code` is a short stable name: `not-granted`, `bad-sql`, `limit`, `not-found`, `unavailable`, `failed`.
    The message is scrubbed: it never holds a credential.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Grant:
    """What one run may take from its source: None for tables means every table of the source."""

    verbs: frozenset[str] = frozenset(VERBS)
    tables: frozenset[str] | None = None
    calls: int = 1_000
    rows: int = 20_000_000
    answer_bytes: int = 4 * 1024**3
    seconds: float = 600.0


@dataclass(frozen=True)
class Call:
    """One call as it was answered: for the cassette. `batches` are RecordBatches or lists; `refused` is (code, message)."""

    verb: str
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    batches: tuple[Any, ...] = ()
    refused: tuple[str, str] | None = None


@dataclass
class Meter:
    """What the calls of one run have used so far."""

    calls: int = 0
    rows: int = 0
    answer_bytes: int = 0
    by_verb: dict[str, int] = field(default_factory=dict)
    breached: str | None = None


class Broker:
    """Serves one capability object under one grant to one run. `log` receives each call once it is fully answered."""

    def __init__(
        self, capability: object, grant: Grant | None = None, log: Callable[[Call], None] | None = None
    ) -> None:
        self.capability = capability
        self.grant = grant or Grant()
        self.log = log
        self.meter = Meter()

    def answer(self, verb: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Iterator[Any]:
        """Batches of one call's answer; a verb that gives a single value gives one batch `[value]`. Raises CallRefused."""
        raise CallRefused("failed", "the broker is being built")
