"""Asking a service what it is: its greeting, or its answer to a harmless hello. Only the host and port that the user named.

Every hello is one that the protocol offers before anybody signs on, and changes nothing: a version, a ping, an offer to
negotiate. Nothing is written, no name or password is sent, and each is a connection of its own that is closed at once.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from synth.catalog import catalogue
from synth.detect import detect
from synth.detection import UNKNOWN, Detection
from synth.errors import BadRequest

GREETING_SECONDS = 0.5
"""A service that greets does so within these seconds; longer silence is taken for one that waits to be asked."""
ANSWER_SECONDS = 1.5
MOST_SECONDS = 8.0
"""A service that has not told what it is by then is left as unknown."""
MOST_BYTES = 65_536
SURE = 0.8
MOST_PORTS = 1024
"""So many ports of the one host are tried at most, in one call."""
AT_ONCE = 16
PORTS_A_SECOND = 64
_TARGET = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*://(?:[^@/\s]*@)?)?(?P<host>\[[0-9a-f:.]+\]|[\w.\-]+):(?P<port>\d{1,5})(?:/.*)?", re.I
)


@dataclass(frozen=True)
class Hello:
    """Bytes that a protocol's client begins with, and the kinds whose default ports say to try it first."""

    words: str
    sent: bytes
    kinds: tuple[str, ...]


def _http(path: str, host: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tars\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()
    )


def _mongo() -> bytes:
    """`{hello: 1, $db: "admin"}` as OP_MSG."""
    document = b"\x10hello\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00"
    document = (len(document) + 4).to_bytes(4, "little") + document
    body = b"\x00\x00\x00\x00\x00" + document
    return (16 + len(body)).to_bytes(4, "little") + b"\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00" + body


HELLOS: tuple[Hello, ...] = (
    Hello("HTTP's GET /", b"", ("http", "elasticsearch")),
    Hello("Redis' PING", b"PING\r\n", ("redis", "valkey")),
    # A version that no server speaks: each answers with an error that names its own, and nobody is signed on.
    Hello("PostgreSQL's start-up", b"\x00\x00\x00\x08\x00\x01\x00\x00", ("postgresql", "cockroachdb", "redshift")),
    Hello("MongoDB's hello", _mongo(), ("mongodb",)),
    Hello("memcached's version", b"version\r\n", ("memcached",)),
    Hello("AMQP's header", b"AMQP\x00\x00\x09\x01", ("rabbitmq", "amqp1")),
    Hello("MQTT's CONNECT", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00", ("mqtt",)),
    Hello("Kafka's ApiVersions", b"\x00\x00\x00\x0e\x00\x12\x00\x00\x00\x00\x00\x01\x00\x04tars", ("kafka",)),
    Hello("Cassandra's OPTIONS", b"\x04\x00\x00\x00\x05\x00\x00\x00\x00", ("cassandra", "scylladb")),
    Hello("ZooKeeper's ruok", b"ruok", ("zookeeper",)),
    Hello(
        "Bolt's handshake", b"\x60\x60\xb0\x17\x00\x04\x04\x05\x00\x00\x04\x04\x00\x00\x00\x04\x00\x00\x00\x03", ("neo4j",)
    ),
    Hello(
        "TDS' prelogin",
        b"\x12\x01\x00\x1a\x00\x00\x00\x00\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x0f\x00\x00\x00\x00\x00\x02",
        ("mssql",),
    ),
    Hello("LDAP's anonymous bind", b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00", ("ldap",)),
    Hello("STOMP's CONNECT", b"CONNECT\naccept-version:1.2\nhost:/\n\n\x00", ("stomp",)),
    Hello("RTSP's OPTIONS", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", ("rtsp",)),
    Hello("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", ("grpc",)),
    Hello("OPC UA's HEL", b"HELF\x20\x00\x00\x00" + b"\x00" * 4 + b"\x00\x00\x01\x00" * 2 + b"\x00" * 12, ("opcua",)),
    Hello("Modbus' device identification", b"\x00\x01\x00\x00\x00\x05\x01\x2b\x0e\x01\x00", ("modbus",)),
    Hello("beanstalkd's stats", b"stats\r\n", ("beanstalkd",)),
)  # fmt: skip
ORDINARY = 10
"""A port that tells nothing is tried with so many hellos, those of the most common services."""

WELL_KNOWN = (
    "/openapi.json", "/swagger.json", "/v3/api-docs", "/$metadata", "/graphql?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D",
    "/?wsdl", "/feed", "/sitemap.xml",
)  # fmt: skip
"""Where an HTTP service usually describes itself."""
_GENERAL = ("http", "rest-api", "json", "html", "text", UNKNOWN)


class Unreachable(Exception):
    """Nobody answers at that host and port; the message says how."""


def target_of(text: str) -> tuple[str, int] | None:
    """The host and port that a text names, or None where it names no port."""
    found = _TARGET.fullmatch(text.strip())
    if not found or not 0 < int(found["port"]) < 65_536:
        return None
    return found["host"].strip("[]"), int(found["port"])


def probed(source: str) -> Detection:
    """What the service that the source names is, by its name and by what it says. Raises BadRequest for a source that names no
    port; a service that cannot be reached is told by its name alone, with the reason in the evidence."""
    target = target_of(source)
    if target is None:
        raise BadRequest(f"{source!r} names no host and port to probe", "Write host:port or scheme://host:port")
    named = detect(source, mode="string")
    try:
        said = asked(*target, first=named.kind)
    except Unreachable as problem:
        return replace(named, evidence=(*named.evidence, f"not reached: {problem}"))
    if said.kind == UNKNOWN or (
        named.kind != UNKNOWN and said.confidence < named.confidence and said.confidence < SURE
    ):
        return replace(named, evidence=(*named.evidence, *said.evidence))
    against = f"against: its name says {named.kind}" if named.kind not in (UNKNOWN, said.kind) else ""
    return replace(said, source=source, evidence=(*said.evidence, *([against] if against else [])))


def asked(host: str, port: int, first: str = "") -> Detection:
    """What listens at a host and port, by its greeting or the answer to the likeliest hellos. Raises Unreachable."""
    place, until = f"{host}:{port}", time.monotonic() + MOST_SECONDS
    greeting = _exchange(host, port, b"", GREETING_SECONDS)
    best = (
        _read(greeting, place, port, "its greeting")
        if greeting
        else Detection(place, UNKNOWN, "", 0.0, ("it does not greet",))
    )
    if greeting and best.confidence >= SURE:
        return best
    for hello in _hellos(port, first):
        if time.monotonic() > until:
            break
        sent = hello.sent or _http("/", place)
        answer = _exchange(host, port, sent, ANSWER_SECONDS)
        if _is_alert(answer):
            answer = _exchange(host, port, _http("/", place), ANSWER_SECONDS, secure=True)
        if not answer or answer == greeting:
            continue
        found = _read(answer, place, port, f"its answer to {hello.words}")
        if (found.kind != UNKNOWN and found.confidence > best.confidence) or best.kind == UNKNOWN:
            best = found
        if answer.startswith(b"HTTP/"):
            return _described(best, host, port)
        if best.kind != UNKNOWN and best.confidence >= SURE:
            break
    return best


def _read(data: bytes, place: str, port: int, what: str) -> Detection:
    found = detect(place, payload=data, port=port)
    return replace(found, evidence=(f"{what} at {place}", *found.evidence))


def _hellos(port: int, first: str) -> list[Hello]:
    """The kind's own hello, then those of kinds at home on the port, then the ordinary ones."""
    at_home = {first, *catalogue().by_port.get(port, ())}
    own = [h for h in HELLOS if first in h.kinds]
    likely = [h for h in HELLOS if at_home & set(h.kinds)]
    return list(dict.fromkeys([*own, *likely, *HELLOS[:ORDINARY]]))


def _is_alert(answer: bytes) -> bool:
    """A TLS alert, or HTTP that says it wants TLS."""
    return (
        answer[:2] == b"\x15\x03" or b"HTTP request was sent to HTTPS port" in answer or b"to an HTTPS server" in answer
    )


def _described(best: Detection, host: str, port: int) -> Detection:
    """An HTTP service told more closely by the description that it serves, if any of the usual places holds one."""
    found = {}
    for path in WELL_KNOWN:
        answer = _exchange(host, port, _http(path, f"{host}:{port}"), ANSWER_SECONDS)
        if not re.match(rb"HTTP/\S+ 200", answer):
            continue
        kind = detect(path, payload=answer)
        if kind.family in ("api", "api-description"):
            where = path.partition("?")[0]
            found[where] = kind.kind
            if len(found) == 1 and best.kind in _GENERAL:
                # A description is of something: what answers where OpenAPI is served is a REST API.
                told = replace(kind, kind="rest-api", family="api") if kind.kind in ("openapi", "swagger") else kind
                best = replace(told, source=best.source, evidence=(f"{where} holds {kind.kind}", *best.evidence))
    return replace(best, facts={**best.facts, "described_by": found}) if found else best


def _exchange(host: str, port: int, sent: bytes, seconds: float, secure: bool = False) -> bytes:
    """What comes back for these bytes within the time; empty for silence. Raises Unreachable when nobody takes the connection."""
    until = time.monotonic() + seconds
    try:
        connection = socket.create_connection((host, port), timeout=max(seconds, 1.0))
    except OSError as error:
        raise Unreachable(str(error) or type(error).__name__) from None
    try:
        if secure:
            # To name a service, not to trust it: nothing secret is sent, and what comes is only looked at.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = context.wrap_socket(connection, server_hostname=host)
        if sent:
            connection.sendall(sent)
        return _heard(connection, until)
    except OSError:
        return b""
    finally:
        connection.close()


def _heard(connection: socket.socket, until: float) -> bytes:
    heard = b""
    while len(heard) < MOST_BYTES and (left := until - time.monotonic()) > 0:
        # Once something came, a pause is taken for the end of it.
        connection.settimeout(min(left, 0.3) if heard else left)
        try:
            piece = connection.recv(MOST_BYTES)
        except OSError:
            break
        if not piece:
            break
        heard += piece
    return heard


def ports_of(text: str) -> tuple[str, tuple[int, ...]]:
    """`HOST` (the default ports of all known services), `HOST:80,443` or `HOST:8000-8100`. Raises BadRequest."""
    host, _, ports = text.rpartition(":") if re.search(r":[\d,\-]+$", text) else (text, "", "")
    host = host.strip("[]")
    if (
        not host
        or (":" in host and not text.startswith("["))
        or "/" in host
        or "*" in host
        or "," in host
        or re.search(r"\s", host)
    ):
        raise BadRequest(
            f"{text!r} is not one host", "Name one host, perhaps with ports: db.example.org:5432,6379 or :8000-8100"
        )
    if not ports:
        return host, tuple(sorted(catalogue().by_port))
    found: list[int] = []
    for part in ports.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise BadRequest(f"{part!r} is neither a port nor a range of ports", "Write 5432 or 8000-8100")
        found += range(int(first), int(last or first) + 1)
    if not found or min(found) < 1 or max(found) > 65_535:
        raise BadRequest(f"{ports!r} holds numbers that are no ports", "Ports are 1 to 65535")
    if len(found) > MOST_PORTS:
        raise BadRequest(f"{len(found)} ports are more than {MOST_PORTS}", "Name fewer at once")
    return host, tuple(dict.fromkeys(found))


def discovered(host: str, ports: Sequence[int]) -> Iterator[Detection]:
    """What listens on these ports of one host, in their order; no more than PORTS_A_SECOND are begun a second."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(lambda port: _listening(host, port), _paced(ports)):
            if answer is not None:
                yield answer


def _paced(ports: Iterable[int]) -> Iterator[int]:
    began = time.monotonic()
    for number, port in enumerate(ports):
        wait = began + number / PORTS_A_SECOND - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield port


def _listening(host: str, port: int) -> Detection | None:
    try:
        return asked(host, port)
    except Unreachable:
        return None
