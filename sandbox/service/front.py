"""This file is what every request passes first: who asks, may they, is there room, and only then its body is read, up to a size.

A plain ASGI layer around the application, because all of it has to happen before a byte of the body is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.service.keys import ANYONE, Key, Keys, KeysUnreadable
from sandbox.service.problem import Problem, unexpected
from sandbox.service.queueing import Budget, Queue, Quotas
from sandbox.service.settings import MEBIBYTE, Settings, is_loopback
from sandbox.service.telemetry import LOG, Audit, Metrics, Traces

DISCARD_SECONDS = 2.0
DISCARD_BYTES = 4 * MEBIBYTE
SHORT_BODY_BYTES = 65_536
_OPEN = ("/v1/health", "/v1/ready", "/openapi.json")
_ROUTES = (*_OPEN, "/v1/execute", "/v1/validate", "/metrics")


class Front:
    """The layer. It leaves `key`, `body` and `request_id` in the request's state."""

    def __init__(
        self, app: ASGIApp, settings: Settings, queue: Queue, metrics: Metrics, audit: Audit, traces: Traces
    ) -> None:
        self._app = app
        self._settings = settings
        self._keys = Keys(settings.home)
        self._queue = queue
        self._metrics = metrics
        self._audit = audit
        self._traces = traces
        self._quotas = Quotas(settings.per_minute, settings.concurrent)
        self._budget = Budget(int(settings.bodies_mb * MEBIBYTE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        began = time.perf_counter()
        seen = _Seen(send, request_id)
        headers = _headers(scope)
        route = route_of(scope["path"])
        with self._traces.request(scope["method"], route, headers.get("traceparent", "")) as span:
            try:
                with ExitStack() as stack:
                    await self._checked(scope, headers, receive, stack)
                    await self._app(scope, receive, seen.send)
            except Problem as problem:
                self._metrics.rejected.labels(problem.reason).inc()
                self._note(problem, scope, headers, request_id)
                await _refuse(problem, request_id, headers, receive, seen, "body" in state)
            except Exception:
                LOG.exception("a request failed", extra={"facts": {"request_id": request_id}})
                if seen.status:
                    raise
                await _refuse(unexpected(), request_id, headers, receive, seen, "body" in state)
            finally:
                self._count(scope, route, seen.status, time.perf_counter() - began, request_id)
                if span is not None:
                    span.set_attribute("http.response.status_code", seen.status)
                    span.set_attribute("tars.request_id", request_id)

    async def _checked(self, scope: Scope, headers: Mapping[str, str], receive: Receive, stack: ExitStack) -> None:
        """Leave who asks and the body in the scope's state; `stack` holds what the request takes. Raises Problem."""
        state = scope["state"]
        connections = state.get("connections")
        if callable(connections) and connections() > self._settings.connections:
            step = "Try again after the seconds in Retry-After."
            raise Problem(503, "too-many-connections", "too many are connected already", step, retry_seconds=2)
        self._check_host(headers)
        if scope["path"] in _OPEN:
            return
        key = state["key"] = self._known(headers)
        if scope["method"] != "POST" or scope["path"] == "/metrics" or route_of(scope["path"]) == "other":
            return
        stack.enter_context(self._quotas.held(key))
        self._queue.check()
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or headers.get("content-encoding", "identity").lower() != "identity":
            step = "Send Content-Type: application/json and no Content-Encoding."
            raise Problem(415, "unsupported-media-type", "the body has to be plain JSON", step)
        most = int(self._settings.body_mb * MEBIBYTE)
        told = headers.get("content-length")
        size = int(told) if told is not None and told.isascii() and told.isdigit() else None
        if size is not None and size > most:
            raise _too_long(most)
        stack.enter_context(self._budget.taken(most if size is None else size))
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                state["body"] = await _body(receive, most)
        except TimeoutError:
            text = f"the body did not come within {self._settings.body_seconds:g} seconds"
            raise Problem(408, "body-slow", text, "Send it faster.") from None

    def _check_host(self, headers: Mapping[str, str]) -> None:
        """Where there are no keys, a web page in this machine's browser must not reach the service by a name of its own."""
        if not self._settings.is_loopback:
            return
        host = headers.get("host", "")
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if not is_loopback(name) and self._needs_no_key():
            step = "Call it as 127.0.0.1 or localhost, or make a key with `tars serve keys add`."
            raise Problem(421, "wrong-host", "without keys the service answers to local names only", step)

    def _needs_no_key(self) -> bool:
        try:
            return self._settings.is_loopback and self._keys.is_empty()
        except KeysUnreadable as error:
            LOG.error("the keys cannot be read", extra={"facts": {"error": str(error)}})
            text = "the service cannot read its keys"
            raise Problem(503, "keys-unreadable", text, "Ask the operator to repair them.", retry_seconds=30) from None

    def _known(self, headers: Mapping[str, str]) -> Key:
        """The caller's key. Raises Problem."""
        if self._needs_no_key():
            return ANYONE
        scheme, _, text = headers.get("authorization", "").partition(" ")
        text = text.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        try:
            key = self._keys.known(text, datetime.now(UTC))
        except KeysUnreadable:
            key = None
        if key is None:
            told = "the key is not known, or was revoked, or has expired" if text else "a key is needed"
            step = "Send `Authorization: Bearer <key>`; `tars serve keys add` makes one."
            raise Problem(401, "unauthorized", told, step, headers={"www-authenticate": 'Bearer realm="tars"'})
        return key

    def _note(self, problem: Problem, scope: Scope, headers: Mapping[str, str], request_id: str) -> None:
        """A refusal for who asks goes into the audit log; the others are counted only."""
        if problem.status in (401, 403):
            key = scope["state"].get("key")
            self._audit.write(
                {
                    "request_id": request_id,
                    "action": route_of(scope["path"]),
                    "key": key.id if isinstance(key, Key) else "",
                    "client": client_of(scope),
                    "verdict": problem.reason,
                }
            )

    def _count(self, scope: Scope, route: str, status: int, seconds: float, request_id: str) -> None:
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self._metrics.requests.labels(route, method, str(status or "gone")).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        key = scope["state"].get("key")
        facts = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status or None,
            "ms": round(seconds * 1000, 1),
            "client": client_of(scope),
            "key": key.id if isinstance(key, Key) else None,
        }
        LOG.info("request", extra={"facts": facts})


def need(key: Key, scope: str, is_any: bool = False) -> None:
    """Raise Problem (403) unless the key has the scope; with `is_any`, a narrower one of the same action will do."""
    if not (key.may_any(scope) if is_any else key.may(scope)):
        text = f"this key lacks the scope {scope}"
        raise Problem(403, "forbidden", text, "Use a key that has it; the operator can make one.")


def route_of(path: str) -> str:
    """The route of a path, for counting: never the path itself, which callers choose."""
    if path in _ROUTES:
        return path
    parts = path.split("/")
    if len(parts) == 5 and parts[1:3] == ["v1", "closures"] and parts[4] == "run":
        return "/v1/closures/{closure}/run"
    return "other"


def client_of(scope: Scope) -> str:
    """The address that the request came from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class _Seen:
    """The way out, which notes what went through it."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status = 0

    async def send(self, message: Message) -> None:
        """Pass a message on; the answer carries the request's number and tells browsers not to guess."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [
                *message.get("headers", []),
                (b"x-request-id", self._request_id),
                (b"x-content-type-options", b"nosniff"),
            ]
            message = {**message, "headers": headers}
        await self._send(message)


def _headers(scope: Scope) -> dict[str, str]:
    """The headers, the first of each name."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


async def _body(receive: Receive, most: int) -> bytes:
    """The body, whole. Raises Problem as soon as it is longer than it may be."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "gone", "the client left before its request was whole", "Send the whole request.")
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise _too_long(most)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def _too_long(most: int) -> Problem:
    text = f"the body is longer than {most} bytes"
    return Problem(413, "body-too-long", text, "Send less, or have the operator register the data as a source.")


async def _refuse(
    problem: Problem, request_id: str, headers: Mapping[str, str], receive: Receive, seen: _Seen, is_read: bool
) -> None:
    """Answer with the problem. A short body is taken and dropped first, so that the connection can be used again.

    A long one is not waited for: the answer goes at once and the connection ends; what still comes is dropped for a moment,
    because some clients read only after they wrote it all.
    """
    told = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
    is_short = told.isascii() and told.isdigit() and int(told) <= SHORT_BODY_BYTES and problem.reason != "body-slow"
    if is_short and told != "0" and not is_read:
        is_short = await _discarded(receive)
    body = problem.encoded(request_id)
    answer = {**problem.headers(), "content-length": str(len(body))}
    if not is_short:
        answer["connection"] = "close"
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.items()]
    await seen.send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await seen.send({"type": "http.response.body", "body": body, "more_body": not is_short})
    if not is_short:
        await _discarded(receive)
        await seen.send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discarded(receive: Receive) -> bool:
    """Drop what is left of the body, for a moment; whether that was all of it.

    Of a very long one only the beginning is read, for reading costs as much as work; the rest of the moment lets the answer
    arrive before the connection ends.
    """
    size = 0
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while size < DISCARD_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect":
                    return False
                if not message.get("more_body", False):
                    return True
            await asyncio.sleep(DISCARD_SECONDS)
    return False
