"""This file is the way of one run: wait for a turn, run in a thread, send what comes, and stop it all when nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.job import Limits, Record, RunStopped, SandboxDied, SandboxUnavailable
from sandbox.service.ending import Ending, overtime
from sandbox.service.formats import Encoder
from sandbox.service.kept_answers import Claim
from sandbox.service.keys import Key
from sandbox.service.outlet import Outlet, ReaderGone
from sandbox.service.problem import Problem, unexpected
from sandbox.service.queueing import Queue, draining
from sandbox.service.settings import NotThere
from sandbox.service.telemetry import LOG, Audit, Metrics, Traces
from sandbox.service.work import Held, Sink

ROOM_BYTES = 1_048_576
GRACE_SECONDS = 2.0
GIVE_UP_SECONDS = 5.0
START_SECONDS = 30.0
LOOK_SECONDS = 0.25

Why = Literal["gone", "closing", "late", "never"]
Perform = Callable[[Sink], Ending]


@dataclass(frozen=True)
class Carrier:
    """What the runs of one service share."""

    queue: Queue
    pool: ThreadPoolExecutor
    metrics: Metrics
    audit: Audit
    traces: Traces
    closing: asyncio.Event
    stall_seconds: float


@dataclass(frozen=True)
class Trip:
    """One run and who wants it."""

    action: str
    key: Key
    request_id: str
    client: str
    facts: dict[str, object]
    limits: Limits
    sandbox: Held
    perform: Perform
    encoder: Encoder
    claim: Claim | None = None


class Carried(Response):
    """The answer to one run. Sent as the records come where the format allows it; the run ends when its reader is gone."""

    def __init__(self, carrier: Carrier, trip: Trip) -> None:
        super().__init__(media_type=trip.encoder.media_type)
        self._carrier = carrier
        self._trip = trip
        self._started = False
        self._status = "gone"
        self._ending: Ending | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry it out."""
        trip, carrier = self._trip, self._carrier
        gone = asyncio.ensure_future(_disconnected(receive))
        began = time.perf_counter()
        try:
            await self._carry(gone, send)
        except Problem as problem:
            self._status = problem.reason
            await self._tell(problem, scope, send)
        except ReaderGone:
            if not gone.done():
                self._status = "stalled"
            self._cut(scope)
        finally:
            gone.cancel()
            trip.sandbox.stop()
            if trip.claim is not None:
                trip.claim.release()
            carrier.metrics.runs.labels(trip.action, self._status).inc()
            carrier.audit.write(self._entry(began))

    async def _carry(self, gone: asyncio.Future[None], send: Send) -> None:
        """The run from the queue to its last byte. Raises Problem or ReaderGone."""
        trip, carrier = self._trip, self._carrier
        waited = time.perf_counter()
        await carrier.queue.enter(trip.key.id, gone)
        carrier.metrics.queue_seconds.observe(time.perf_counter() - waited)
        outlet = Outlet(ROOM_BYTES, carrier.stall_seconds)
        loop = asyncio.get_running_loop()
        began = time.perf_counter()

        def over(run: asyncio.Future[Ending]) -> None:
            if not run.cancelled():
                run.exception()  # looked at, so that asyncio does not complain when nobody waits any more
            # The turn is given back by the thread's end, not by the request's: a thread that cannot be stopped keeps it.
            carrier.queue.leave(trip.key.id, time.perf_counter() - began)
            carrier.metrics.run_seconds.labels(trip.action).observe(time.perf_counter() - began)
            outlet.end()

        with carrier.traces.step("run", {"tars.action": trip.action}) as span:
            run = loop.run_in_executor(carrier.pool, self._in_thread, outlet)
            run.add_done_callback(over)
            watch = asyncio.create_task(self._watch(run, gone, outlet))
            try:
                while (piece := await outlet.get()) is not None:
                    if piece:
                        await self._send(piece, send)
            finally:
                # Also when this task itself is cancelled, as at the end of a drain.
                if not run.done():
                    trip.sandbox.stop()
                    outlet.close()
                why = await asyncio.shield(watch)
            ending = _outcome(run, why, trip.limits)
            if span is not None:
                span.set_attribute("tars.status", ending.status)
        if ending.status == "ok":
            carrier.metrics.records.inc(ending.result.usage.records)
        self._ending, self._status = ending, ending.status
        await self._send(await asyncio.to_thread(trip.encoder.end, ending, trip.request_id), send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if trip.claim is not None:
            trip.claim.keep(trip.encoder.media_type)

    def _in_thread(self, outlet: Outlet) -> Ending:
        encoder = self._trip.encoder

        def take(batch: list[Record]) -> None:
            piece = encoder.take(batch)
            if piece:
                outlet.put(piece)

        return self._trip.perform(take)

    async def _watch(self, run: asyncio.Future[Ending], gone: asyncio.Future[None], outlet: Outlet) -> Why | None:
        """Wait for the end of the run, or stop it when nobody waits, the service ends, or its time is over: then say why."""
        closing = asyncio.ensure_future(self._carrier.closing.wait())
        either: set[asyncio.Future[Any]] = {run, gone, closing}
        began = time.monotonic()
        try:
            # The time that a sandbox or a source needs to be there is not the run's.
            while (left := self._seconds_left(began)) > 0 and not any(future.done() for future in either):
                has_begun = self._trip.sandbox.running_since() is not None
                pause = left if has_begun else min(left, LOOK_SECONDS)
                await asyncio.wait(either, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            why: Why = "gone" if gone.done() else "closing" if closing.done() else "late"
        finally:
            closing.cancel()
        if why == "late" and self._trip.sandbox.running_since() is None:
            why = "never"
        if run.done():
            # The thread may have ended in the same moment; whether it was stopped shows in how it ended.
            return why if gone.done() else None
        if why == "gone":
            outlet.close()
        else:
            outlet.refuse()
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while not run.done() and time.monotonic() < give_up:
            self._trip.sandbox.stop()
            await asyncio.wait({run}, timeout=0.25)
        if not run.done():
            LOG.error(
                "a run cannot be stopped; it keeps its turn", extra={"facts": {"request_id": self._trip.request_id}}
            )
            outlet.end()
        return why

    def _seconds_left(self, began: float) -> float:
        since = self._trip.sandbox.running_since()
        seconds = self._trip.limits.wall_seconds + GRACE_SECONDS
        return (began + START_SECONDS if since is None else since) + seconds - time.monotonic()

    async def _send(self, piece: bytes, send: Send) -> None:
        if not self._started:
            headers = {"content-type": self._trip.encoder.media_type, "cache-control": "no-store"}
            await send({"type": "http.response.start", "status": 200, "headers": _raw(headers)})
            self._started = True
        if self._trip.claim is not None:
            self._trip.claim.add(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _tell(self, problem: Problem, scope: Scope, send: Send) -> None:
        """Tell the problem as the answer, or at the end of one that has begun; cut the connection where that cannot be told."""
        self._carrier.metrics.rejected.labels(problem.reason).inc()
        if self._started:
            last = self._trip.encoder.broken(problem, self._trip.request_id)
            if last is None:
                self._cut(scope)
            else:
                await send({"type": "http.response.body", "body": last, "more_body": False})
            return
        await send({"type": "http.response.start", "status": problem.status, "headers": _raw(problem.headers())})
        await send({"type": "http.response.body", "body": problem.encoded(self._trip.request_id), "more_body": False})

    def _cut(self, scope: Scope) -> None:
        """End the connection, so that nobody takes what came for the whole."""
        abort = scope.get("state", {}).get("abort")
        if callable(abort):
            abort()
        elif self._started:
            raise ConnectionAbortedError("the answer cannot be finished")

    def _entry(self, began: float) -> dict[str, object]:
        trip = self._trip
        told: dict[str, object] = {
            "request_id": trip.request_id,
            "action": trip.action,
            "key": trip.key.id,
            "key_name": trip.key.name,
            "client": trip.client,
            **trip.facts,
            "verdict": self._status,
            "ms": round((time.perf_counter() - began) * 1000, 1),
        }
        ending = self._ending
        if ending is not None:
            told |= {
                "code_hash": ending.code_hash or trip.facts.get("code_hash", ""),
                "source": ending.source or trip.facts.get("source", ""),
                "backend": ending.backend,
                "limit": ending.result.limit,
                "rules": sorted({finding.rule for finding in ending.findings}),
                "records": ending.result.usage.records,
                "rows_read": ending.rows_read,
            }
        return told


def _outcome(run: asyncio.Future[Ending], why: Why | None, limits: Limits) -> Ending:
    """The run's ending, or Problem or ReaderGone. A run that was stopped for its time ended at that limit."""
    if not run.done():
        if why == "late":
            return overtime(limits)
        raise ReaderGone if why == "gone" else _never() if why == "never" else draining()
    try:
        ending = run.result()
    except (RunStopped, ReaderGone):
        if why == "late":
            return overtime(limits)
        if why == "closing":
            raise draining() from None
        if why == "never":
            raise _never() from None
        raise ReaderGone from None
    except Problem:
        raise
    except NotThere as missing:
        raise Problem(404, "not-found", str(missing), "Use one of the names there are.") from None
    except SandboxUnavailable as unavailable:
        step = "Ask the operator: `tars doctor` says what is missing."
        raise Problem(503, "no-sandbox", str(unavailable), step, retry_seconds=30) from None
    except SandboxDied as died:
        LOG.error("the sandbox died", extra={"facts": {"error": str(died)}})
        step = "Try again; the sandbox is started anew."
        raise Problem(503, "sandbox-died", "the sandbox broke, not the code in it", step, retry_seconds=1) from None
    except Exception:
        LOG.exception("a run failed on the service's side")
        raise unexpected() from None
    if why == "gone":
        raise ReaderGone
    if why == "late" and ending.status != "ok":
        return overtime(limits)
    return ending


def _never() -> Problem:
    text = "neither the sandbox nor the source was there in time; the code was not run"
    return Problem(503, "not-started", text, "Try again later.", retry_seconds=10)


async def _disconnected(receive: Receive) -> None:
    """Come back when the client is gone."""
    with suppress(OSError):
        while (await receive())["type"] != "http.disconnect":
            pass


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
