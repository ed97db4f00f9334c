"""This file is listening: uvicorn with time limits of our own, TLS, and an orderly end."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.service.keys import list_keys
from sandbox.service.settings import ServiceProblem, Settings

try:
    import h11
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from sandbox.service.app import Service, create_app
    from sandbox.service.telemetry import LOG, log_as_json
except ImportError as missing:
    raise ServiceProblem(
        f"the service needs the package {missing.name}: pip install 'tars-closures[service]'"
    ) from None

if TYPE_CHECKING:
    from fastapi import FastAPI

SWEEP_TICKS = 10
DESCRIPTORS = 65_536


class Connection(H11Protocol):
    """One connection. Its request line and headers have to come in time, and what it is sent has to be taken in time."""

    header_seconds = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = {**self.app_state, "abort": self.abort, "connections": lambda: len(self.connections)}
        self._late: asyncio.TimerHandle | None = None
        self._pending = (0, 0.0, 0.0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._unexpect()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Once a request's head is whole it is not late any more; once a next one begins it may be."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._unexpect()
        elif self._late is None:
            self._expect()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets a problem too."""
        told = {
            "type": "urn:tars:problem:not-http",
            "title": "Bad Request",
            "status": 400,
            "detail": "this is not an HTTP request that can be understood",
            "next_step": "Use an HTTP/1.1 client.",
        }
        body = json.dumps(told).encode()
        headers = [
            ("content-type", "application/problem+json"),
            ("connection", "close"),
            ("content-length", str(len(body))),
        ]
        try:
            self.transport.write(self.conn.send(h11.Response(status_code=400, headers=headers, reason=b"Bad Request")))
            self.transport.write(self.conn.send(h11.Data(data=body)))
            self.transport.write(self.conn.send(h11.EndOfMessage()))
        except h11.LocalProtocolError:
            pass  # an answer had begun already
        self.transport.close()

    def abort(self) -> None:
        """End the connection now, whatever is still to be sent."""
        self.transport.abort()

    def sweep(self, now: float, stall_seconds: float, answer_seconds: float) -> None:
        """End the connection when what waits to be sent was not taken: nothing of it for a while, or not all for long."""
        size = self.transport.get_write_buffer_size()
        last, since, began = self._pending
        if size == 0:
            self._pending = (0, 0.0, 0.0)
        elif last == 0:
            self._pending = (size, now, now)
        elif now - began > answer_seconds or (size == last and now - since > stall_seconds):
            LOG.info("a reader stalled", extra={"facts": {"client": self.client[0] if self.client else ""}})
            self.abort()
        elif size != last:
            self._pending = (size, now, began)

    def _expect(self) -> None:
        self._unexpect()
        self._late = self.loop.call_later(self.header_seconds, self.abort)

    def _unexpect(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """uvicorn's server, which drains the service before it ends and sweeps its connections every second."""

    def __init__(self, config: uvicorn.Config, settings: Settings, service: Service) -> None:
        super().__init__(config)
        self._settings = settings
        self._service = service

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once it does."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say where."""
        await super().startup(sockets)
        host, port = self.address
        LOG.info("listening", extra={"facts": {"host": host, "port": port, "tls": self._settings.tls_key is not None}})

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn's own, and the sweep."""
        if counter % SWEEP_TICKS == 0:
            self._sweep()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell those who wait to go elsewhere, let those who run finish for a while, then end."""
        self._service.drain()
        sweeping = asyncio.ensure_future(self._keep_sweeping())
        try:
            await super().shutdown(sockets)
        finally:
            sweeping.cancel()

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._sweep()

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.sweep(now, self._settings.stall_seconds, self._settings.answer_seconds)


def create_server(settings: Settings, app: FastAPI | None = None) -> Server:
    """A server for the settings, not yet listening. Raises ServiceProblem for settings that would let anybody in."""
    _check(settings)
    app = app or create_app(settings)
    kind = type("Connection", (Connection,), {"header_seconds": settings.header_seconds})
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=kind,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_seconds) + 10,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    return Server(config, settings, app.state.service)


def serve(settings: Settings) -> None:
    """Listen until SIGTERM, after which it returns, or SIGINT, which rises; log to standard error as JSON lines.

    Raises ServiceProblem."""
    server = create_server(settings)
    log_as_json(sys.stderr)
    if not settings.is_loopback and settings.tls_key is None:
        LOG.warning("keys and data cross the network in the clear: give a TLS certificate, or put a proxy in front")
    _raise_descriptors()
    try:
        with _sigterm_is_no_error():
            server.run()
    except SystemExit as ended:
        if ended.code:
            text = f"cannot listen on {settings.host}:{settings.port}; is another service there? The log says more"
            raise ServiceProblem(text) from None


@contextmanager
def _sigterm_is_no_error() -> Iterator[None]:
    """While the body runs, SIGTERM ends it by SystemExit(0), unless this program decided otherwise.

    The server takes the signal for itself and raises it again once it has ended, when it would kill the process.
    """
    is_ours = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if is_ours:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_descriptors() -> None:
    """Take as many descriptors as this user may have: every connection and every run needs some."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY or most > DESCRIPTORS:
        most = max(DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _check(settings: Settings) -> None:
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ServiceProblem("TLS needs both a certificate and its key")
    for path in (settings.tls_certificate, settings.tls_key):
        if path is not None and not path.is_file():
            raise ServiceProblem(f"there is no TLS file {path}")
    now = datetime.now(UTC)
    if not settings.is_loopback and not any(key.is_good(now) for key in list_keys(settings.home)):
        raise ServiceProblem(
            f"refusing to listen on {settings.host} without keys, where others could run code; "
            "make one with `tars serve keys add`, or listen on 127.0.0.1"
        )
