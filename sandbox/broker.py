"""The broker: the host's side of a closure's source handle. It enforces the grant and writes down every call."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sandbox.capabilities import VERBS
from sandbox.memory_room import memory_room


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
    """What the calls of one run have used so far. `breached` is the field of the grant that was passed, if one was."""

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
        self.stopped = False
        self.running_since: float | None = None
        self._deadline: float | None = None
        self._columns: dict[str, frozenset[str]] = {}
        self._kill: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End the run that this broker serves, from any thread: its process is killed, and `run` raises RunStopped."""
        with self._lock:
            self.stopped = True
            if self._kill is not None:
                self._kill()

    @contextmanager
    def stoppable(self, kill: Callable[[], None]) -> Iterator[None]:
        """For a backend: while the body runs, `kill` is what ends the process. It is called at once if stop() came first.

        `running_since` is when the first body began, by the monotonic clock: by then the sandbox had a process for the run.
        """
        with self._lock:
            self._kill = kill
            self.running_since = self.running_since or time.monotonic()
            if self.stopped:
                kill()
        try:
            yield
        finally:
            # Under the lock, so that a kill that is under way is over before its descriptor is closed.
            with self._lock:
                self._kill = None

    def answer(self, verb: str, args: Sequence[object], kwargs: Mapping[str, object]) -> Iterator[Any]:
        """Batches of one call's answer; a verb that gives a single value gives one batch `[value]`. Raises CallRefused.

        The call is checked before this returns; the capability is asked as the batches are drawn. A call that the closure
        leaves half read is logged with the batches it took, so that a replay serves it the same.
        """
        try:
            given, named = self._checked(verb, args, kwargs)
        except CallRefused as refusal:
            self._log(Call(verb, tuple(args), dict(kwargs), (), (refusal.code, refusal.message)))
            raise
        return self._served(verb, given, named)

    def _checked(
        self, verb: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """The arguments in the capability's own order, once the grant allows the call."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self.grant.seconds
        self.meter.calls += 1
        if self.meter.calls > self.grant.calls:
            raise self._breach("calls", f"more than {self.grant.calls} calls in one run")
        self._check_time()
        if self.stopped:
            raise CallRefused("limit", "the run was stopped")
        name = verb[:40]
        if verb not in VERBS or verb not in self.grant.verbs:
            raise CallRefused("not-granted", f"{name}() is not granted here; there are: {', '.join(self._verbs())}")
        if not callable(getattr(self.capability, verb, None)):
            raise CallRefused("not-granted", f"this source has no {name}(); it has: {', '.join(self._verbs())}")
        self.meter.by_verb[verb] = self.meter.by_verb.get(verb, 0) + 1
        given, named = _bound(verb, args, kwargs)
        if verb == "query":
            given = (self._checked_sql(given[0]), *given[1:])
        elif verb == "columns":
            self._check_table(given[0])
        return given, named

    def _verbs(self) -> list[str]:
        return [verb for verb in VERBS if verb in self.grant.verbs and callable(getattr(self.capability, verb, None))]

    def _checked_sql(self, sql: object) -> str:
        from sandbox.sql_guard import SqlRefused, check_attributes, checked

        if not isinstance(sql, str):
            raise CallRefused("bad-sql", "query() takes one SELECT as text")
        dialect = str(getattr(self.capability, "dialect", "duckdb"))
        try:
            query = checked(sql, dialect, self._tables())
            # A recording answers the very queries that were checked when it was made, and may know no columns.
            is_recording = bool(getattr(self.capability, "is_recording", False))
            if not is_recording and callable(getattr(self.capability, "columns", None)):
                check_attributes(query, dialect, self._columns_of)
        except SqlRefused as refusal:
            raise CallRefused("bad-sql", str(refusal)) from None
        return sql

    def _tables(self) -> frozenset[str] | None:
        """The tables that may be named: the grant's, else all that the source says it has."""
        if self.grant.tables is not None:
            return self.grant.tables
        tables = getattr(self.capability, "tables", None)
        if not callable(tables):
            return None
        try:
            return frozenset(tables())
        except CallRefused:
            raise
        except Exception as error:
            raise CallRefused("failed", failure("tables", error)) from None

    def _columns_of(self, table: str) -> frozenset[str]:
        """The columns of a table, as the source has them; asked for once in a run."""
        if table not in self._columns:
            try:
                self._columns[table] = frozenset(column["name"] for column in self.capability.columns(table))  # type: ignore[attr-defined]  # only asked of those that have it
            except CallRefused:
                raise
            except Exception as error:
                raise CallRefused("failed", failure("columns", error)) from None
        return self._columns[table]

    def _check_table(self, table: object) -> None:
        if self.grant.tables is not None and table not in self.grant.tables:
            raise CallRefused("not-granted", f"table {str(table)[:80]!r} is not granted")

    def _served(self, verb: str, given: tuple[object, ...], named: dict[str, object]) -> Iterator[Any]:
        taken: list[Any] = []
        refused: tuple[str, str] | None = None
        try:
            for batch in self._batches(verb, given, named):
                self._count(batch)
                if self.log is not None:
                    taken.append(batch)
                yield batch
        except CallRefused as refusal:
            refused = (refusal.code, refusal.message)
            raise
        finally:
            self._log(Call(verb, given, named, tuple(taken), refused))

    def _batches(self, verb: str, given: tuple[object, ...], named: dict[str, object]) -> Iterator[Any]:
        """The capability's batches; whatever it raises that is not a refusal becomes one, without its secrets."""
        answer: Any = None
        try:
            with self._watched(), self._bounded():
                answer = getattr(self.capability, verb)(*given, **named)
                if verb not in row_verbs():
                    yield [self._granted_only(verb, answer)]
                    return
                yield from answer
        except CallRefused:
            raise
        except GeneratorExit:
            close = getattr(answer, "close", None)
            if callable(close):
                close()
            raise
        except Exception as error:
            raise CallRefused("failed", failure(verb, error)) from None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """A capability that can be interrupted is, from another thread, when the grant's time is over."""
        interrupt = getattr(self.capability, "interrupt", None)
        if not callable(interrupt) or self._deadline is None:
            yield
            return
        watch = threading.Timer(max(0.0, self._deadline - time.monotonic()), interrupt)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _bounded(self) -> AbstractContextManager[None]:
        """An engine inside this very process may not take all of its memory with it."""
        return memory_room() if getattr(self.capability, "dialect", None) == "duckdb" else nullcontext()

    def _granted_only(self, verb: str, answer: object) -> object:
        if verb == "tables" and self.grant.tables is not None and isinstance(answer, list):
            return [name for name in answer if name in self.grant.tables]
        return answer

    def _count(self, batch: Any) -> None:
        is_list = isinstance(batch, list)
        self.meter.rows += len(batch) if is_list else batch.num_rows
        self.meter.answer_bytes += _size(batch) if is_list else batch.nbytes
        if self.meter.rows > self.grant.rows:
            raise self._breach("rows", f"more than {self.grant.rows} rows in one run")
        if self.meter.answer_bytes > self.grant.answer_bytes:
            raise self._breach("answer_bytes", f"more than {self.grant.answer_bytes} bytes in one run")
        self._check_time()

    def _check_time(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise self._breach("seconds", f"the calls of one run took longer than {self.grant.seconds:g} seconds")

    def _breach(self, what: str, sentence: str) -> CallRefused:
        self.meter.breached = what
        return CallRefused("limit", sentence)

    def _log(self, call: Call) -> None:
        if self.log is not None:
            self.log(call)


@lru_cache(maxsize=1)
def row_verbs() -> frozenset[str]:
    """The verbs that give batches of rows; the others give a single value."""
    return frozenset(
        verb for verb, shape in VERBS.items() if getattr(shape, verb).__annotations__.get("return") == "Batches"
    )


@lru_cache(maxsize=32)
def _signature(verb: str) -> inspect.Signature:
    return inspect.signature(getattr(VERBS[verb], verb))


def _bound(
    verb: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[tuple[object, ...], dict[str, object]]:
    """The arguments as the verb's protocol has them, in its order; `within` names a member of a folder and stays a keyword."""
    rest = dict(kwargs)
    member: dict[str, object] = {}
    if "within" in rest:
        member["within"] = rest.pop("within")
        if not isinstance(member["within"], str) or not 0 < len(member["within"]) <= 4_096:
            raise CallRefused("not-found", "a member is named by its path, as list() gives it")
    try:
        bound = _signature(verb).bind(None, *args, **rest)
    except TypeError as error:
        raise CallRefused("failed", f"{verb}(): {error}") from None
    return bound.args[1:], member | bound.kwargs


def _size(value: object) -> int:
    """About how many bytes plain values take."""
    total = 0
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, (str, bytes)):
            total += len(one)
        elif isinstance(one, dict):
            stack.extend(one.keys())
            stack.extend(one.values())
        elif isinstance(one, (list, tuple)):
            stack.extend(one)
        else:
            total += 8
    return total


def failure(verb: str, error: Exception) -> str:
    """A sentence for a failure that nobody foresaw: what kind it was, but none of its words, which may hold a secret."""
    return f"{verb}() failed on the source's side ({type(error).__name__})"
