"""The systems that are servers: a parcel service's PostgreSQL, and a monitoring service's API that pages by token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from evals.data import systems_rows as rows
from evals.data.systems_files import json_value

PAGE = 30


@contextmanager
def parcels_postgres() -> Iterator[str]:
    """Seven tables with declared keys, on a server of their own; gives its address."""
    import psycopg

    from tests.services import postgres_server

    tables = (
        ("depots", rows.depots(), "depot_id int PRIMARY KEY, name text, city text, opened_on date"),
        (
            "drivers",
            rows.drivers(),
            "driver_id int PRIMARY KEY, full_name text, depot_id int REFERENCES depots, licence_class text,"
            " hired_on date, left_on date",
        ),
        (
            "vans",
            rows.vans(),
            "plate text PRIMARY KEY, depot_id int REFERENCES depots, model text, capacity_kg int, electric boolean",
        ),
        (
            "routes",
            rows.routes(),
            "route_no int PRIMARY KEY, driver_id int REFERENCES drivers, plate text REFERENCES vans, route_date date,"
            " km numeric(6,1)",
        ),
        ("customers", rows.consignees(), "customer_id int PRIMARY KEY, name text, city text, vip boolean"),
        (
            "parcels",
            rows.parcels(),
            "tracking_no text PRIMARY KEY, customer_id int REFERENCES customers, route_no int REFERENCES routes,"
            " weight_kg numeric(6,2), declared_value numeric(10,2), status text, created_at timestamp, delivered_at timestamp",
        ),
        (
            "scans",
            rows.scans(),
            "scan_id int PRIMARY KEY, tracking_no text REFERENCES parcels, depot_id int REFERENCES depots,"
            " scanned_at timestamp, kind text",
        ),
    )
    with postgres_server() as server:
        with psycopg.connect(server.url()) as connection:
            for table, made, columns in tables:
                connection.execute(f"CREATE TABLE {table} ({columns})".encode())
                marks = ", ".join(["%s"] * len(made[0]))
                connection.cursor().executemany(
                    f"INSERT INTO {table} VALUES ({marks})".encode(), [list(r.values()) for r in made]
                )
        yield server.url()


def page_of_checks(token: str) -> dict[str, object]:
    """A page, and the token of the next one unless it is the last. A check's uptime has a percent sign."""
    start = int(token.removeprefix("tok")) if token else 0
    items = [{**check, "uptime_30d": f"{check['uptime_30d']} %"} for check in rows.checks()[start : start + PAGE]]
    following = f"tok{start + PAGE}" if start + PAGE < len(rows.checks()) else None
    return {"checks": items, "nextPageToken": following}


@contextmanager
def checks_api() -> Iterator[str]:
    """The API on loopback; gives the address of its checks."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            found = asked.path == "/v1/checks"
            token = parse_qs(asked.query).get("pageToken", [""])[0]
            body = page_of_checks(token) if found else {"error": "no such resource"}
            payload = json.dumps(body, default=json_value).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/checks"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
