"""The execution service really running: uvicorn on a port of the system's choosing, in a thread of the test process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from sandbox.service.app import Service, create_app
from sandbox.service.serve import Server, create_server
from sandbox.service.settings import Settings


@dataclass(frozen=True)
class Running:
    """A service that answers, and what is inside it."""

    url: str
    port: int
    server: Server
    service: Service
    thread: threading.Thread

    def client(self, key: str = "", seconds: float = 30.0) -> httpx.Client:
        """A client with that key."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=seconds, trust_env=False)

    def stop(self) -> None:
        """Ask it to end, as SIGTERM does."""
        self.server.should_exit = True


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """Serve until the block ends."""
    app = create_app(settings)
    server = create_server(settings, app)
    thread = threading.Thread(target=server.run, name="service")
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the service did not start")
            time.sleep(0.01)
        host, port = server.address
        scheme = "https" if settings.tls_key else "http"
        yield Running(f"{scheme}://{host}:{port}", port, server, app.state.service, thread)
    finally:
        server.should_exit = True
        thread.join(60)
        if thread.is_alive():
            raise RuntimeError("the service did not end")


def until(true: object, seconds: float = 10.0) -> bool:
    """Wait until a function gives something true; whether it did."""
    if not callable(true):
        raise TypeError("a function is needed")
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
