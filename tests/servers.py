"""Real HTTP servers for the tests, on 127.0.0.1 and a port that the system chooses: APIs that page in every style, and misbehave.

with serving({"/api/orders": numbered(orders, size=10)}) as server:
    open_source(server.url("/api/orders"), …)
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

Item = Mapping[str, object]


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; header names in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base: str

    def number(self, name: str, default: int) -> int:
        """A query parameter as a whole number."""
        return int(self.query.get(name, default))

    def address(self, **query: object) -> str:
        """This address with other query parameters."""
        return f"{self.base}{self.path}?{urlencode({**self.query, **query})}"


@dataclass(frozen=True)
class Answer:
    """What to send. `chunks` are sent one by one with `pause` seconds between them; `cut` ends before all was sent."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None
    pause: float = 0.0
    cut: bool = False

    def payload(self) -> bytes:
        """The body as bytes: JSON unless it is text or bytes already."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Route = Callable[[Asked], Answer]


class Server:
    """A running server, and the requests that it saw."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self.routes = dict(routes)
        self.seen: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {k.lower(): v for k, v in self.headers.items()},
                    outer.base,
                )
                outer.seen.append(asked)
                route = outer.routes.get(parts.path) or outer.routes.get("*")
                answer = route(asked) if route else Answer({"detail": "Not found."}, 404)
                with suppress(BrokenPipeError, ConnectionResetError):
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                headers = {"Content-Type": "application/json", **answer.headers}
                self.send_response(answer.status)
                payload = b"" if answer.chunks is not None else answer.payload()
                if answer.chunks is None:
                    headers["Content-Length"] = str(len(payload) + (1000 if answer.cut else 0))
                else:
                    headers["Connection"] = "close"
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)
                for chunk in answer.chunks or ():
                    self.wfile.write(chunk)
                    self.wfile.flush()
                    time.sleep(answer.pause)
                if answer.cut or answer.chunks is not None:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that goes away is part of many tests."""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{self.base}{path}"

    def asked_for(self, path: str) -> list[Asked]:
        """The requests for one path."""
        return [each for each in self.seen if each.path == path]

    def wrap(self, context: ssl.SSLContext) -> None:
        """Serve https from now on."""
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)

    def stop(self) -> None:
        """Stop serving and give the port back."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


@contextmanager
def serving(routes: Mapping[str, Route]) -> Iterator[Server]:
    """A server for as long as the block runs."""
    server = Server(routes)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def raw_serving(reply: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does not know HTTP: `reply` gets each connection once the request came. Gives its base address."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65536)
                reply(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def orders(count: int) -> list[dict[str, object]]:
    """Orders with money, dates as text, an object within and a list of objects within; the same each time."""
    cities = ("Berlin", "Paris", "Rome", "Oslo")
    return [
        {
            "id": n,
            "placed_at": f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}T08:00:00Z",
            "total": round(n * 1.25, 2),
            "paid": n % 3 == 0,
            "customer": {"name": f"Customer {n % 7}", "city": cities[n % 4]},
            "tags": ["new"] if n % 2 else [],
            "lines": [{"sku": f"S{n % 5}", "quantity": n % 4 + 1}, {"sku": "S9", "quantity": 1}],
            "zip": f"0{n % 90 + 1000}",
            "note": None if n % 5 else f"note {n}",
        }
        for n in range(1, count + 1)
    ]


# Styles of paging


def whole(items: Sequence[Item]) -> Route:
    """Everything at once, whatever is asked."""
    return lambda asked: Answer(list(items))


def numbered(
    items: Sequence[Item],
    size: int,
    *,
    name: str = "page",
    first: int = 1,
    envelope: str = "plain",
    past: str = "empty",
) -> Route:
    """Page numbers. `envelope`: plain, total, pages, more, header. `past` the end: empty, 404, clamp."""

    def route(asked: Asked) -> Answer:
        number = asked.number(name, first) - first
        pages = -(-len(items) // size)
        if number >= pages and past == "404":
            return Answer({"detail": "Invalid page."}, 404)
        if past == "clamp":
            number = min(number, pages - 1)
        page = list(items[number * size : (number + 1) * size])
        if envelope == "total":
            return Answer({"data": page, "total": len(items), "page": number + first, "per_page": size})
        if envelope == "pages":
            return Answer({"items": page, "meta": {"page": number + first, "total_pages": pages}})
        if envelope == "more":
            return Answer({"results": page, "has_more": (number + 1) * size < len(items)})
        if envelope == "spring":
            return Answer(
                {"content": page, "number": number, "totalElements": len(items), "totalPages": pages, "size": size,
                 "first": number == 0, "last": number + 1 >= pages, "numberOfElements": len(page), "empty": not page}
            )  # fmt: skip
        headers = {"X-Total-Count": str(len(items))} if envelope == "header" else {}
        return Answer(page, headers=headers)

    return route


def offset(
    items: Sequence[Item], size: int, *, name: str = "offset", first: int = 0, total: bool = False, echo: bool = False
) -> Route:
    """Positions, counted from `first`."""

    def route(asked: Asked) -> Answer:
        start = asked.number(name, first) - first
        page = list(items[start : start + asked.number("limit", size)])
        if not (total or echo):
            return Answer(page)
        body: dict[str, object] = {"records": page}
        if total:
            body["total_count"] = len(items)
        if echo:
            body |= {name: start + first, "limit": size}
        return Answer(body)

    return route


def cursor(
    items: Sequence[Item],
    size: int,
    *,
    key: str = "next_cursor",
    within: str = "",
    name: str = "cursor",
    more: bool = False,
) -> Route:
    """A cursor in the body; null or absent on the last page."""

    def route(asked: Asked) -> Answer:
        start = int(asked.query.get(name, "c0").removeprefix("c"))
        following = start + size
        ends = following >= len(items)
        told: dict[str, object] = {key: None if ends else f"c{following}"}
        if more:
            told["has_more"] = not ends
        body: dict[str, object] = {"data": list(items[start:following])}
        for part in reversed(within.split(".") if within else []):
            told = {part: told}
        return Answer(body | told)

    return route


def next_url(items: Sequence[Item], size: int, *, way: str = "next", relative: bool = False) -> Route:
    """The next page's address in the body, at a dotted way; null on the last page (absent for OData)."""

    def route(asked: Asked) -> Answer:
        start = asked.number("start_at", 0)
        following = start + size
        link: object = asked.address(start_at=following) if following < len(items) else None
        if relative and isinstance(link, str):
            link = link.removeprefix(asked.base)
        body: dict[str, object] = {"value" if way.startswith("@") else "results": list(items[start:following])}
        if way.startswith("@"):
            return Answer(body | ({way: link} if link else {}))
        for part in reversed(way.split(".")):
            link = {part: link}
        assert isinstance(link, dict)
        return Answer(body | link)

    return route


def link_header(items: Sequence[Item], size: int) -> Route:
    """A Link header with rel=next, as GitHub has it."""

    def route(asked: Asked) -> Answer:
        number = asked.number("page", 1)
        links = [f'<{asked.address(page=1)}>; rel="first"']
        if number * size < len(items):
            links.insert(0, f'<{asked.address(page=number + 1)}>; rel="next"')
        return Answer(list(items[(number - 1) * size : number * size]), headers={"Link": ", ".join(links)})

    return route


def after_id(items: Sequence[Item], size: int) -> Route:
    """has_more, and the last item's id as `starting_after`, as Stripe has it."""

    def route(asked: Asked) -> Answer:
        ids = [str(item["id"]) for item in items]
        start = ids.index(asked.query["starting_after"]) + 1 if "starting_after" in asked.query else 0
        return Answer(
            {"object": "list", "data": list(items[start : start + size]), "has_more": start + size < len(items)}
        )

    return route


# Misbehaviour


def failing(status: int, times: int, then: Route, headers: Mapping[str, str] | None = None) -> Route:
    """A status for the first `times` requests, then the real thing."""
    left = [times]

    def route(asked: Asked) -> Answer:
        if left[0] > 0:
            left[0] -= 1
            return Answer({"message": "not now"}, status, headers or {})
        return then(asked)

    return route


def guarded(header: str, value: str, then: Route, challenge: str = "") -> Route:
    """401 unless the header has the value."""

    def route(asked: Asked) -> Answer:
        if asked.headers.get(header.lower()) == value:
            return then(asked)
        return Answer({"message": "who are you?"}, 401, {"WWW-Authenticate": challenge} if challenge else {})

    return route


def looping(items: Sequence[Item], size: int) -> Route:
    """Next addresses that lead round in a circle of three pages."""

    def route(asked: Asked) -> Answer:
        number = asked.number("page", 0)
        page = list(items[number * size : (number + 1) * size])
        return Answer({"results": page, "next": asked.address(page=(number + 1) % 3)})

    return route


def endless() -> Route:
    """New items and a new cursor for ever."""

    def route(asked: Asked) -> Answer:
        start = asked.number("cursor", 0)
        return Answer({"data": [{"id": n, "x": n % 7} for n in range(start, start + 5)], "next_cursor": start + 5})

    return route


def overlapping(items: Sequence[Item], size: int) -> Route:
    """Pages that shift by one item while they are read."""

    def route(asked: Asked) -> Answer:
        number = asked.number("page", 1)
        start = max(0, (number - 1) * size - (1 if number > 1 else 0))
        return Answer(
            {"data": list(items[start : start + size]), "page": number, "has_more": start + size < len(items)}
        )

    return route


def packed(body: object) -> Answer:
    """A gzip answer."""
    return Answer(gzip.compress(json.dumps(body).encode()), headers={"Content-Encoding": "gzip"})
