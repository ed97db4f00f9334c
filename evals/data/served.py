"""Sources that are servers: PostgreSQL, MariaDB, and a small JSON API that pages in five styles."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from evals.data import people, things, trade
from evals.data.files import plain

Row = dict[str, Any]
Query = Mapping[str, str]
Page = tuple[object, dict[str, str]]
"""A body and headers."""


def fill_postgres(url: str) -> None:
    """The hospital: three tables with declared keys."""
    import psycopg

    tables = (("wards", people.wards()), ("patients", people.patients()), ("admissions", people.admissions()))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE wards (id int PRIMARY KEY, name text, floor int, beds int)")
        connection.execute(
            "CREATE TABLE patients (id int PRIMARY KEY, name text, birth_date date, sex char(1), blood_type varchar(3), insurer text)"
        )
        connection.execute(
            "CREATE TABLE admissions (id int PRIMARY KEY, patient_id int REFERENCES patients(id), ward_id int REFERENCES wards(id),"
            " admitted_at timestamp, discharged_at timestamp, diagnosis text, cost numeric(10,2), emergency boolean)"
        )
        for table, rows in tables:
            marks = ", ".join(["%s"] * len(rows[0]))
            connection.cursor().executemany(
                f"INSERT INTO {table} VALUES ({marks})".encode(), [list(r.values()) for r in rows]
            )


def fill_mariadb(port: int, password: str) -> None:
    """The billing: clients and invoices with a declared key."""
    import pymysql

    connection = pymysql.connect(host="127.0.0.1", port=port, user="tars", password=password, database="tars")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE clients (id int PRIMARY KEY, name varchar(80), country varchar(40), segment varchar(40), since date)"
        )
        cursor.execute(
            "CREATE TABLE invoices (id int PRIMARY KEY, number varchar(20), client_id int, issued_on date, due_on date,"
            " amount decimal(10,2), paid_on date, FOREIGN KEY (client_id) REFERENCES clients(id))"
        )
        for table, rows in (("clients", trade.clients()), ("invoices", trade.invoices())):
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", [list(r.values()) for r in rows])
        connection.commit()


def by_page(items: Sequence[Row], size: int) -> Callable[[str, Query], Page]:
    """?page=1, and the total in the body."""

    def page(_base: str, query: Query) -> Page:
        number = int(query.get("page", 1))
        return {
            "data": items[(number - 1) * size : number * size],
            "page": number,
            "per_page": size,
            "total": len(items),
        }, {}

    return page


def by_offset(items: Sequence[Row], size: int) -> Callable[[str, Query], Page]:
    """?offset=0&limit=20, and the total in the body."""

    def page(_base: str, query: Query) -> Page:
        start, limit = int(query.get("offset", 0)), min(50, int(query.get("limit", size)))
        return {"results": items[start : start + limit], "offset": start, "limit": limit, "total_count": len(items)}, {}

    return page


def by_cursor(items: Sequence[Row], size: int) -> Callable[[str, Query], Page]:
    """A cursor in the body, null at the end."""

    def page(_base: str, query: Query) -> Page:
        start = int(query.get("cursor", "k0").removeprefix("k"))
        following = f"k{start + size}" if start + size < len(items) else None
        return {"donations": items[start : start + size], "paging": {"next_cursor": following}}, {}

    return page


def by_link_header(items: Sequence[Row], size: int) -> Callable[[str, Query], Page]:
    """A bare array, the next address in a Link header."""

    def page(base: str, query: Query) -> Page:
        number = int(query.get("page", 1))
        more = number * size < len(items)
        link = {"Link": f'<{base}?{urlencode({"page": number + 1})}>; rel="next"'} if more else {}
        return items[(number - 1) * size : number * size], link

    return page


def by_next_address(items: Sequence[Row], size: int) -> Callable[[str, Query], Page]:
    """The next page's address in the body, null at the end."""

    def page(base: str, query: Query) -> Page:
        start = int(query.get("start", 0))
        following = f"{base}?{urlencode({'start': start + size})}" if start + size < len(items) else None
        return {"count": len(items), "next": following, "items": items[start : start + size]}, {}

    return page


ROUTES: dict[str, Callable[[str, Query], Page]] = {
    "/api/repairs": by_page(things.repairs(), 25),
    "/api/bookings": by_offset(things.bookings(), 20),
    "/api/donations": by_cursor(things.donations(), 30),
    "/api/issues": by_link_header(things.tasks(), 30),
    "/api/lectures": by_next_address(things.lectures(), 20),
}


@contextmanager
def api() -> Iterator[str]:
    """The JSON API on loopback; gives its base address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            route = ROUTES.get(parts.path)
            base = f"http://127.0.0.1:{server.server_port}{parts.path}"
            body, headers = route(base, dict(parse_qsl(parts.query))) if route else ({"detail": "Not found"}, {})
            payload = json.dumps(body, default=plain).encode()
            self.send_response(200 if route else 404)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(payload)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
