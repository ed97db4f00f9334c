"""A trial: one run of a draft in the sandbox over some doors, and what it asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.broker import Broker, Call, Grant, Meter
from sandbox.job import Job, Limits, RunResult, Sandbox
from synth.request import Draft


@dataclass(frozen=True)
class Trial:
    """How the run ended, the calls it made (whole answers, for the cassette) and what they used."""

    result: RunResult
    calls: tuple[Call, ...]
    meter: Meter

    @property
    def records(self) -> tuple[dict[str, object], ...]:
        """What the closure yielded."""
        return self.result.records


def try_out(
    draft: Draft,
    doors: object,
    sandbox: Sandbox,
    limits: Limits,
    parameters: Mapping[str, object] | None = None,
    grant: Grant | None = None,
    keep_calls: bool = False,
    sink: Callable[[list[dict[str, object]]], None] | None = None,
) -> Trial:
    """Run the draft over these doors. Raises SandboxUnavailable or SandboxDied, never for what the code does."""
    calls: list[Call] = []
    broker = Broker(doors, grant or Grant(seconds=limits.wall_seconds), calls.append if keep_calls else None)
    job = Job(draft.code, dict(parameters or {}), limits)
    return Trial(sandbox.run(job, broker, sink), tuple(calls), broker.meter)


class Replay:
    """Doors that answer from recorded calls alone, in any order; a call that was never recorded is refused."""

    is_recording = True

    def __init__(self, calls: Sequence[Call], dialect: str, tables: Sequence[str] = ()) -> None:
        self.dialect = dialect
        self._names = list(tables)
        self._calls: dict[object, list[Call]] = {}
        for call in calls:
            self._calls.setdefault(_key(call.verb, call.args, call.kwargs), []).append(call)

    def __getattr__(self, verb: str) -> Callable[..., object]:
        from sandbox.capabilities import VERBS

        if verb not in VERBS:
            raise AttributeError(verb)
        return lambda *args, **kwargs: self._answer(verb, args, kwargs)

    def tables(self) -> list[str]:
        """The tables that the recording was made with."""
        return self._names

    def _answer(self, verb: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        from sandbox.broker import CallRefused

        recorded = self._calls.get(_key(verb, args, kwargs))
        if not recorded:
            raise CallRefused("not-found", f"{verb} was not called like this when the cassette was recorded")
        call = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        if call.refused:
            raise CallRefused(*call.refused)
        return iter(call.batches) if verb in _GIVE_ROWS else call.batches[0][0]


_GIVE_ROWS = ("query", "records", "lines", "pages")


def _key(verb: str, args: Sequence[object], kwargs: Mapping[str, object]) -> object:
    return (verb, repr([list(a) if isinstance(a, tuple) else a for a in args]), repr(sorted(kwargs.items())))
