"""This file is what stands behind `tars serve`: registered sources and kept closures, as the execution service takes them."""

from __future__ import annotations

import logging
import math
import signal
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sandbox.service.keys import BadKey, Key, KeysUnreadable
from sandbox.service.problem import Problem
from sandbox.service.settings import ClosureCall, ClosureEnd, Door, NotThere, ServiceProblem, Settings
from synth.errors import BadRequest, HomeProblem, SourceProblem, TarsError

if TYPE_CHECKING:
    from corpus.closures import Kept
    from synth.actions import Desk
    from synth.answer import Delivery
    from synth.request import Parameter
    from synth.source import Source

LOG = logging.getLogger("tars.service")

PASSING = frozenset({"unreachable", "timeout", "rate-limited", "server-error"})
"""Reasons for which a source may be readable again by itself."""


@dataclass(frozen=True)
class Said:
    """What the operator said with `tars serve`. `seconds` and `memory_mb` are the ceilings of one run."""

    host: str = "127.0.0.1"
    port: int = 8321
    backend: str = "auto"
    tls_certificate: str = ""
    tls_key: str = ""
    seconds: float = 30.0
    memory_mb: int = 512
    running: int | None = None
    waiting: int = 100
    traces: str = ""


class Sources:
    """Sources that callers may use by name. Where they are and how one signs on is never told."""

    def __init__(self, desk: Desk, locations: Mapping[str, str]) -> None:
        self._desk = desk
        self._locations = dict(locations)

    def names(self) -> Sequence[str]:
        """The names there are."""
        return list(self._locations)

    @contextmanager
    def open(self, name: str) -> Iterator[Door]:
        """The source, opened afresh for one run. Raises NotThere, or Problem when it cannot be read."""
        if name not in self._locations:
            raise NotThere(f"there is no source {name[:80]!r}")
        with _readable(f"the source {name!r}"):
            source = self._opened(name)
        try:
            yield Door(source.capability)
        finally:
            source.close()

    def prove(self) -> None:
        """Open and close those that are on this machine, so that a wrong path is told at the start. Raises SourceProblem."""
        for name, location in self._locations.items():
            # What lies behind an address may be away for now; its callers are told.
            if "://" not in location:
                self._opened(name).close()

    def _opened(self, name: str) -> Source:
        from synth.opening import open_one

        return open_one(self._locations[name], replace(self._desk.options(), name=name))


class Closures:
    """Runs kept closures by name or id on the source that each has on record, and writes each run into the ledger unless it was
    stopped from outside (the service's audit log has those)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._writing = threading.Lock()

    def run(self, closure: str, call: ClosureCall) -> ClosureEnd:
        """Run it and say how it ended. Raises NotThere, or Problem for a wrong parameter or a source that cannot be read."""
        from synth.actions import delivered_json
        from synth.answer import deliver
        from synth.closures import kept_case

        kept = self._kept(closure)
        parameters = typed_parameters(_declared(kept), call.parameters)
        began = time.perf_counter()
        with ExitStack() as stack:
            with _readable(f"the source of the closure {closure!r}"):
                case = stack.enter_context(kept_case(self._desk, kept, (), parameters, call.sandbox, call.limits))
            delivery = deliver(case, call.take)
        self._write_down(kept, began, delivery)
        facts = {"closure": kept.id, **delivered_json(delivery.completeness, delivery.total)}
        return ClosureEnd(delivery.result, kept.code, str(kept.facts.get("source", "")), facts, delivery.meter)

    def _kept(self, closure: str) -> Kept:
        from corpus.closures import NoSuchClosure

        try:
            return self._desk.memory().closures.get(closure)
        except NoSuchClosure as missing:
            # Its words name other closures and folders, which is the operator's business.
            LOG.info("no closure to run", extra={"facts": {"error": str(missing)}})
            raise NotThere(f"there is no closure {closure[:80]!r} that can be run") from None

    def _write_down(self, kept: Kept, began: float, delivery: Delivery) -> None:
        """Into the ledger. One that cannot be written is told in the log: the caller has the records already."""
        from corpus.ledger import LedgerUnusable
        from synth.closures import record_run

        try:
            with self._writing:
                record_run(self._desk, kept, began, delivery.total, delivery.completeness, delivery.fault)
        except LedgerUnusable as error:
            LOG.error("a run is not in the ledger", extra={"facts": {"error": str(error), "closure": kept.id}})


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """A source that cannot be opened is a problem: the caller is told the kind of reason, the log all of it."""
    try:
        yield
    except SourceProblem as error:
        LOG.warning("a source cannot be read", extra={"facts": {"source": what, "error": str(error)}})
        text = f"{what} cannot be read: {error.reason}"
        if error.reason in PASSING:
            raise Problem(503, "source-unreadable", text, "Try again later.", retry_seconds=10) from None
        raise Problem(503, "source-unreadable", text, "Ask the operator; the service's log says more.") from None
    except TarsError as error:
        LOG.warning("a source cannot be opened", extra={"facts": {"source": what, "error": str(error)}})
        step = "Ask the operator; the service's log says more."
        raise Problem(503, "source-unreadable", f"{what} cannot be opened", step) from None


def _declared(kept: Kept) -> tuple[Parameter, ...]:
    """The parameters that the closure was kept with; those that its text declares where none were written down."""
    from synth.parameters import declared_in
    from synth.request import Parameter

    told = kept.facts.get("parameters")
    if not isinstance(told, list) or not told:
        return declared_in(kept.code)
    return tuple(Parameter(str(p["name"]), str(p["type"]), p["default"]) for p in told)


def typed_parameters(declared: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, object]:
    """JSON values as the parameters' types: numbers exactly, dates from ISO 8601. Raises Problem, which names no value."""
    known = {p.name: p for p in declared}
    wrong = []
    made: dict[str, object] = {}
    for name, value in given.items():
        if name not in known:
            there = ", ".join(f"{p.name}: {p.type}" for p in declared) or "none"
            wrong.append((f"parameters.{name[:80]}", f"there is no such parameter; there are: {there}"))
            continue
        try:
            made[name] = _typed(known[name], value)
        except (BadRequest, ValueError, ArithmeticError):
            wrong.append(
                (f"parameters.{name}", f"a {known[name].type} is wanted; the default is {known[name].default}")
            )
    if wrong:
        step = "Mend what `errors` names."
        raise Problem(422, "invalid-request", "the parameters do not fit the closure", step, errors=wrong)
    return made


def _typed(parameter: Parameter, value: object) -> object:
    """One JSON value as a parameter's type; a type that JSON has itself, or that nobody foresaw, takes it as it is."""
    from synth.parameters import typed

    kind, *others = [part.strip() for part in parameter.type.split("|")]
    if value is None:
        if "None" in others or str(parameter.default) == "None":
            return None
        raise ValueError(parameter.name)
    if isinstance(value, str):
        return typed([parameter], {parameter.name: value})[parameter.name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "Decimal" and is_number:
        return Decimal(repr(value))
    if kind == "float" and is_number:
        return float(cast(float, value))
    if kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    wanted = {"int": int, "bool": bool, "str": str, "float": float, "Decimal": Decimal, "date": str, "datetime": str}
    if kind in wanted and type(value) is not wanted[kind]:
        raise ValueError(parameter.name)
    return value


def locations_of(texts: Sequence[str]) -> dict[str, str]:
    """Registered sources by name, of what was written as NAME=LOCATION. Raises BadRequest."""
    from synth.opening import name_and_location

    found: dict[str, str] = {}
    for text in texts:
        name, location = name_and_location(text)
        if not name:
            raise BadRequest("a source to serve needs a name", "Write --source NAME=LOCATION, as orders=orders.csv")
        if name in found:
            raise BadRequest(f"two sources are called {name!r}", "Give each its own name")
        found[name] = location
    return found


def settings_of(desk: Desk, texts: Sequence[str], said: Said) -> Settings:
    """The service's settings, with these sources (NAME=LOCATION) and the closures of the desk's home behind it.

    Raises HomeProblem when the home cannot be used, BadRequest and SourceProblem for sources that can never be served.
    """
    sources = Sources(desk, locations_of(texts))
    sources.prove()
    settings = Settings(
        home=desk.memory().home,
        host=said.host,
        port=said.port,
        tls_certificate=Path(said.tls_certificate) if said.tls_certificate else None,
        tls_key=Path(said.tls_key) if said.tls_key else None,
        backends=(said.backend,),
        sources=sources,
        closures=Closures(desk),
        waiting=said.waiting,
        traces_endpoint=said.traces,
    )
    limits = replace(
        settings.limits, wall_seconds=said.seconds, cpu_seconds=math.ceil(said.seconds), memory_mb=said.memory_mb
    )
    return replace(settings, limits=limits, running=said.running or settings.running)


def home_of(environment: Mapping[str, str]) -> Path:
    """The home, made if need be. Raises HomeProblem."""
    from corpus.home import HomeUnusable, opened
    from corpus.home import home_of as home

    try:
        return opened(home(environment))
    except HomeUnusable as error:
        raise HomeProblem(str(error)) from error


def key_json(key: Key) -> dict[str, Any]:
    """A key as it is listed: whatever is known of it but the hash of its secret."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(key).items()
        if name != "hash"
    }


def listen(settings: Settings) -> None:
    """Serve until SIGTERM, which ends it well, or Ctrl-C, which rises once everything is stopped."""
    from sandbox.service.serve import serve

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(settings)


@contextmanager
def plainly() -> Iterator[None]:
    """The service's own errors as those that the command prints."""
    try:
        yield
    except (ServiceProblem, BadKey) as error:
        raise BadRequest(str(error)) from error
    except KeysUnreadable as error:
        raise HomeProblem(str(error), "Restore it, or move it away and make new keys") from error
    except ssl.SSLError as error:
        raise BadRequest(
            f"the TLS certificate or its key cannot be used: {error.reason or error}",
            "Both are PEM files, and the key belongs to the certificate",
        ) from error
