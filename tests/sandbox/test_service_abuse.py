"""The execution service under clients that misbehave: too much, too slow, gone in the middle, hostile code; and its end."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from sandbox.job import Limits
from sandbox.service.settings import Door, Settings
from tests.sandbox.processes import alive, descendants
from tests.sandbox.service_running import Running, running, until

ONE = "def closure(source):\n    yield {'a': 1}\n"
ENDLESS = "def closure(source):\n    while True:\n        pass\n"
FLOOD = "def closure(source):\n    while True:\n        yield {'text': 'x' * 1000}\n"
LINES = {"accept": "application/x-ndjson"}

HOSTILE = {
    "fork bomb": "import os\ndef closure(source):\n    while True:\n        os.fork()\n    yield {}\n",
    "fork bomb by the back door": (
        "def closure(source):\n    for c in ().__class__.__base__.__subclasses__():\n        yield {'c': c}\n"
    ),
    "memory": "def closure(source):\n    held = []\n    while True:\n        held.append('x' * 10_000_000)\n    yield {}\n",
    "endless loop": ENDLESS,
    "endless records": "def closure(source):\n    while True:\n        yield {'a': 1}\n",
    "endless output": "def closure(source):\n    while True:\n        print('x' * 100_000)\n    yield {}\n",
    "deep recursion": "def down(n):\n    return down(n + 1)\n\ndef closure(source):\n    yield {'n': down(0)}\n",
    "a huge number": "def closure(source):\n    yield {'n': 10 ** 10 ** 8}\n",
    "a deep record": (
        "def closure(source):\n    deep = []\n    for _ in range(1000):\n        deep = [deep]\n    yield {'deep': deep}\n"
    ),
    "a file": "def closure(source):\n    yield {'text': open('/etc/passwd').read()}\n",
    "nothing": "x = 1\n",
    "no python": "\x00(((((",
}


def settings(home: Path, **more: Any) -> Settings:
    usual: dict[str, Any] = {
        "port": 0,
        "limits": Limits(wall_seconds=20.0, memory_mb=128, records=10_000_000, output_bytes=512 * 1_048_576),
        "per_minute": 1_000_000,
        "concurrent": 1000,
        "running": 2,
    }
    return Settings(home, **(usual | more))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with little patience."""
    home = tmp_path_factory.mktemp("service")
    given = settings(home, body_seconds=1.0, header_seconds=1.0, stall_seconds=1.5, body_mb=1.0, bodies_mb=2.0)
    with running(given) as opened:
        # The first query loads DuckDB, which takes memory that no later request should.
        code = "def closure(source):\n    yield from source.query('SELECT n FROM t')\n"
        with opened.client() as client:
            assert client.post("/v1/execute", json={"code": code, "inputs": {"t": [{"n": 1}]}}).json()["status"] == "ok"
        yield opened


def is_idle(service: Running) -> bool:
    return (service.service.queue.running, service.service.queue.waiting) == (0, 0)


class Port(Protocol):
    """Whatever listens on a port of loopback."""

    @property
    def port(self) -> int: ...


def connected(service: Port, small: bool = False) -> socket.socket:
    wire = socket.socket()
    if small:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.settimeout(20)
    wire.connect(("127.0.0.1", service.port))
    return wire


def request(code: str, more: str = "", **asked: Any) -> bytes:
    body = json.dumps({"code": code, **asked})
    head = f"POST /v1/execute HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def all_of(wire: socket.socket) -> bytes:
    data = b""
    try:
        while piece := wire.recv(65_536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1_048_576


# ---------------------------------------------------------------------------------------------------- too much


@pytest.mark.parametrize("way", ["told", "chunked"])
def test_a_body_of_100_mb_is_not_taken_into_memory(service: Running, way: str) -> None:
    wire = connected(service)
    how = f"Content-Length: {100 * 1_048_576}" if way == "told" else "Transfer-Encoding: chunked"
    wire.sendall(
        f"POST /v1/execute HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{how}\r\n\r\n".encode()
    )
    piece = b"x" * 1_048_576
    before = resident_mb()
    most = before
    sent = 0
    try:
        for _ in range(100):
            wire.sendall(piece if way == "told" else b"100000\r\n" + piece + b"\r\n")
            sent += 1
            most = max(most, resident_mb())
    except OSError:
        pass  # the service has hung up

    answer = all_of(wire)

    wire.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:tars:problem:body-too-long" in answer
    assert most - before < 32
    assert is_idle(service)


def test_bodies_share_a_budget(service: Running) -> None:
    holding = [connected(service) for _ in range(2)]
    head = f"POST /v1/execute HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {1_048_576}\r\n\r\n"
    for wire in holding:
        wire.sendall(head.encode() + b"{")
    time.sleep(0.2)
    with service.client() as client:
        answer = client.post("/v1/execute", json={"code": ONE})
        held = [all_of(wire) for wire in holding]
        after = client.post("/v1/execute", json={"code": ONE})

    for wire in holding:
        wire.close()
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:tars:problem:bodies-full")
    assert all(told.startswith(b"HTTP/1.1 408 ") for told in held)
    assert after.status_code == 200


def test_a_full_queue_says_when_to_come_back(tmp_path: Path) -> None:
    with running(settings(tmp_path, running=1, waiting=1)) as service, service.client() as client:
        client.get("/v1/ready")
        answers: list[int] = []

        def ask() -> None:
            with service.client() as other:
                asked = {"code": ENDLESS, "limits": {"wall_seconds": 1.0}}
                answers.append(other.post("/v1/execute", json=asked).status_code)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert until(lambda: service.service.queue.waiting == 1)

        refused = client.post("/v1/execute", json={"code": ONE})

        for thread in threads:
            thread.join()
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:tars:problem:queue-full")
        assert int(refused.headers["retry-after"]) >= 1
        assert answers == [200, 200]
        assert client.post("/v1/execute", json={"code": ONE}).status_code == 200


# ---------------------------------------------------------------------------------------------------- too slow


def test_a_body_that_drips_is_cut_off(service: Running) -> None:
    wire = connected(service)
    wire.sendall(
        b"POST /v1/execute HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"
    )
    began = time.monotonic()

    answer = all_of(wire)

    wire.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("sent", [b"", b"GET /v1/health HT", b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(service: Running, sent: bytes) -> None:
    wire = connected(service)
    wire.sendall(sent)
    began = time.monotonic()

    answer = all_of(wire)

    wire.close()
    assert answer == b""
    assert time.monotonic() - began < 5


def test_a_second_head_that_does_not_come_ends_the_connection(service: Running) -> None:
    wire = connected(service)
    wire.sendall(b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /v1/he")

    answer = all_of(wire)

    wire.close()
    assert answer.count(b"HTTP/1.1 200") == 1


def test_what_is_no_http_gets_a_problem(service: Running) -> None:
    wire = connected(service)
    wire.sendall(b"\x16\x03\x01 hello\r\n\r\n")

    answer = all_of(wire)

    wire.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:tars:problem:not-http" in answer


def test_a_reader_that_takes_nothing_is_cut_off_and_its_run_ended(service: Running) -> None:
    wire = connected(service, small=True)
    wire.sendall(request(FLOOD, "Accept: application/x-ndjson\r\n"))
    assert until(lambda: service.service.queue.running == 1)

    ended = until(lambda: is_idle(service), 10)

    assert ended
    assert until(lambda: len(service.server.server_state.connections) <= 1, 10)
    wire.close()


def test_a_reader_that_takes_nothing_of_a_whole_answer_is_cut_off(service: Running) -> None:
    wire = connected(service, small=True)
    code = "def closure(source):\n    for i in range(8000):\n        yield {'text': 'x' * 1000}\n"
    wire.sendall(request(code))
    assert until(lambda: len(service.server.server_state.connections) >= 1)

    gone = until(lambda: len(service.server.server_state.connections) == 0, 15)

    wire.close()
    assert gone


def test_a_slow_reader_holds_back_the_run_and_gets_everything(service: Running) -> None:
    wire = connected(service, small=True)
    code = "def closure(source):\n    for i in range(6000):\n        yield {'i': i, 'text': 'x' * 1000}\n"
    wire.sendall(request(code, "Accept: application/x-ndjson\r\nConnection: close\r\n"))
    data = b""
    while piece := wire.recv(65_536):
        data += piece
        if len(data) < 200_000:
            time.sleep(0.02)

    wire.close()
    assert data.count(b'{"record":') == 6000
    assert b'"status":"ok"' in data[-2000:]


# ------------------------------------------------------------------------------------------------ gone in the middle


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_the_run_of_a_client_that_leaves_is_killed(service: Running, accept: str) -> None:
    wire = connected(service)
    wire.sendall(request(ENDLESS, f"Accept: {accept}\r\n"))
    assert until(lambda: service.service.queue.running == 1)
    began = time.monotonic()

    wire.close()

    assert until(lambda: is_idle(service), 5)
    assert time.monotonic() - began < 5


def test_who_leaves_the_queue_is_never_run(tmp_path: Path) -> None:
    with running(settings(tmp_path, running=1)) as service:
        first, second = connected(service), connected(service)
        first.sendall(request(ENDLESS))
        assert until(lambda: service.service.queue.running == 1)
        second.sendall(request(ENDLESS))
        assert until(lambda: service.service.queue.waiting == 1)

        second.close()

        assert until(lambda: service.service.queue.waiting == 0)
        first.close()
        assert until(lambda: is_idle(service))
        with service.client() as client:
            assert client.post("/v1/execute", json={"code": ONE}).json()["status"] == "ok"


def test_a_request_that_was_left_can_be_made_again_with_its_key(service: Running) -> None:
    wire = connected(service)
    wire.sendall(request(ENDLESS, "Idempotency-Key: left\r\n"))
    assert until(lambda: service.service.queue.running == 1)
    wire.close()
    assert until(lambda: is_idle(service))

    with service.client() as client:
        answer = client.post("/v1/execute", json={"code": ONE}, headers={"idempotency-key": "left"})

    assert answer.json()["status"] == "ok"


class Deaf:
    """A source whose capability hangs, and cannot be interrupted."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def names(self) -> Sequence[str]:
        return ["deaf"]

    @contextmanager
    def open(self, name: str) -> Iterator[Door]:
        yield Door(self)

    def text(self) -> str:
        self.released.wait(60)
        return ""


def test_a_source_that_cannot_be_stopped_keeps_its_turn_but_not_its_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.service.carry.GIVE_UP_SECONDS", 0.5)
    deaf = Deaf()
    code = "def closure(source):\n    yield {'text': source.text()}\n"
    with running(settings(tmp_path, sources=deaf)) as service, service.client() as client:
        client.get("/v1/ready")

        answer = client.post("/v1/execute", json={"code": code, "source": "deaf", "limits": {"wall_seconds": 0.1}})

        held = service.service.queue.running
        deaf.released.set()
        assert (answer.json()["status"], answer.json()["limit"]) == ("limit", "wall_seconds")
        assert held == 1
        assert until(lambda: is_idle(service))


def test_a_source_that_never_opens_is_no_limit_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.service.carry.START_SECONDS", 0.1)
    monkeypatch.setattr("sandbox.service.carry.GIVE_UP_SECONDS", 0.5)
    released = threading.Event()

    class Shut(Deaf):
        @contextmanager
        def open(self, name: str) -> Iterator[Door]:
            released.wait(60)
            yield Door(None)

    with running(settings(tmp_path, sources=Shut())) as service, service.client() as client:
        client.get("/v1/ready")

        answer = client.post("/v1/execute", json={"code": ONE, "source": "deaf", "limits": {"wall_seconds": 0.1}})

        released.set()
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:tars:problem:not-started")
        assert until(lambda: is_idle(service))


def test_more_connections_than_there_may_be_are_told_so(tmp_path: Path) -> None:
    with running(settings(tmp_path, connections=2)) as service, service.client() as client:
        idle = [connected(service) for _ in range(2)]
        assert until(lambda: len(service.server.server_state.connections) == 2)

        crowded = client.get("/v1/health")

        for wire in idle:
            wire.close()
        assert until(lambda: len(service.server.server_state.connections) <= 1)
        assert (crowded.status_code, crowded.json()["type"]) == (503, "urn:tars:problem:too-many-connections")
        assert client.get("/v1/health").status_code == 200


# ---------------------------------------------------------------------------------------------------- hostile code


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_an_honest_answer_and_the_next_one_runs(service: Running, name: str) -> None:
    asked = {"code": HOSTILE[name], "limits": {"wall_seconds": 1.5, "cpu_seconds": 2, "records": 5000}}
    with service.client() as client:
        answer = client.post("/v1/execute", json=asked)
        after = client.post("/v1/execute", json={"code": ONE})

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] in ("error", "limit", "crashed", "refused")
    assert after.json()["records"] == [{"a": 1}]


def test_nothing_leaks_in_two_hundred_requests_of_all_kinds(service: Running) -> None:
    def round_of(number: int, client: httpx.Client) -> None:
        client.post("/v1/execute", json={"code": ONE})
        client.post("/v1/execute", json={"code": ONE}, headers=LINES)
        rows = {"t": [{"n": n} for n in range(50)]}
        code = "def closure(source):\n    yield from source.query('SELECT sum(n) AS n FROM t')\n"
        client.post("/v1/execute", json={"code": code, "inputs": rows})
        client.post("/v1/execute", json={"code": HOSTILE["fork bomb"]})
        client.post("/v1/execute", json={"code": HOSTILE["memory"], "limits": {"wall_seconds": 1.0}})
        client.post("/v1/execute", json={"code": "def closure(source):\n    1 / 0\n    yield {}\n"})
        client.post("/v1/validate", json={"code": ONE})
        client.post("/v1/execute", content=b"x" * 2_000_000, headers={"content-type": "application/json"})
        with connected(service) as wire:
            wire.sendall(request(ENDLESS))
            until(lambda: service.service.queue.running == 1, 2)
        with connected(service) as wire:
            wire.sendall(request(FLOOD, "Accept: application/x-ndjson\r\n"))
            wire.recv(1000)

    def counted() -> tuple[int, int, int]:
        until(lambda: is_idle(service) and not service.server.server_state.connections, 15)
        time.sleep(0.3)
        return len(os.listdir("/proc/self/fd")), len(descendants(os.getpid())), threading.active_count()

    with service.client() as client:
        for number in range(3):
            round_of(number, client)
    before = counted()
    memory = resident_mb()

    with service.client() as client:
        for number in range(20):
            round_of(number, client)

    after = counted()
    # Two workers are forked ahead; one may be on its way at either count.
    assert after[0] <= before[0] + 4
    assert after[1] <= before[1] + 2
    assert after[2] <= before[2] + 2
    assert resident_mb() - memory < 60


# -------------------------------------------------------------------------------------------------- the end of it

PROGRAM = """
import sys
from pathlib import Path
from sandbox.job import Limits
from sandbox.service.serve import serve
from sandbox.service.settings import Settings
limits = Limits(wall_seconds=20.0)
drain, backends = float(sys.argv[2]), (sys.argv[3],)
serve(Settings(Path(sys.argv[1]), port=0, running=1, limits=limits, drain_seconds=drain, backends=backends))
"""


class Program:
    """The service as a process of its own."""

    def __init__(self, home: Path, drain_seconds: float, backend: str = "local") -> None:
        self.log: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(home), str(drain_seconds), backend], stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert until(lambda: self.told("listening"), 30)
        self.port: int = self.told("listening")[0]["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        assert httpx.get(self.url + "/v1/ready", timeout=30).status_code == 200

    def told(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["message"] == message]

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.log.append(json.loads(line))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stderr:
            self.process.stderr.close()


@pytest.fixture
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    opened = Program(tmp_path, getattr(request, "param", 10.0))
    yield opened
    opened.close()


def asked_in_background(program: Program, code: str, seconds: float) -> tuple[threading.Thread, list[httpx.Response]]:
    answers: list[httpx.Response] = []

    def ask() -> None:
        asked = {"code": code, "limits": {"wall_seconds": seconds}}
        answers.append(httpx.post(program.url + "/v1/execute", json=asked, timeout=30))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def state_of(program: Program) -> tuple[int, int]:
    told = httpx.get(program.url + "/v1/ready", timeout=10).json()
    return told["running"], told["waiting"]


def test_sigterm_lets_what_runs_finish_and_sends_the_rest_away(program: Program) -> None:
    runs, run = asked_in_background(program, ENDLESS, 2.0)
    assert until(lambda: state_of(program)[0] == 1)
    waits, wait = asked_in_background(program, ONE, 2.0)
    assert until(lambda: state_of(program)[1] == 1)
    below = descendants(program.process.pid)

    program.process.send_signal(signal.SIGTERM)

    waits.join()
    runs.join()
    exit_code = program.process.wait(20)
    assert (wait[0].status_code, wait[0].json()["type"]) == (503, "urn:tars:problem:draining")
    assert wait[0].headers["retry-after"]
    assert (run[0].status_code, run[0].json()["limit"]) == (200, "wall_seconds")
    assert below
    assert until(lambda: not any(alive(pid) for pid in below))
    assert program.told("draining")
    assert exit_code == 0


@pytest.mark.parametrize("program", [0.5], indirect=True)
def test_what_runs_longer_than_the_drain_is_stopped(program: Program) -> None:
    thread, answers = asked_in_background(program, ENDLESS, 20.0)
    assert until(lambda: state_of(program)[0] == 1)
    began = time.monotonic()

    program.process.send_signal(signal.SIGTERM)

    thread.join()
    program.process.wait(20)
    assert (answers[0].status_code, answers[0].json()["type"]) == (503, "urn:tars:problem:draining")
    assert time.monotonic() - began < 10


def test_a_killed_service_leaves_nothing_running(program: Program) -> None:
    wire = socket.create_connection(("127.0.0.1", program.port))
    wire.sendall(request(ENDLESS))
    assert until(lambda: state_of(program)[0] == 1)
    httpx.post(program.url + "/v1/validate", json={"code": ONE}, timeout=10)
    below = descendants(program.process.pid)

    program.process.kill()

    wire.close()
    assert len(below) >= 3
    assert until(lambda: not any(alive(pid) for pid in below), 10)


def test_a_zygote_that_is_killed_in_mid_job_costs_one_answer_only(program: Program) -> None:
    thread, answers = asked_in_background(program, ENDLESS, 10.0)
    assert until(lambda: state_of(program)[0] == 1)

    for pid in descendants(program.process.pid):
        with suppress(ProcessLookupError):  # the first one takes those within it along
            os.kill(pid, signal.SIGKILL)

    thread.join()
    assert answers[0].status_code in (200, 503)
    assert answers[0].json()["status"] in ("crashed", 503)
    after = httpx.post(program.url + "/v1/execute", json={"code": ONE}, timeout=30)
    assert after.json()["records"] == [{"a": 1}]


# ------------------------------------------------------------------------------------------------- TLS and traces


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this test for 127.0.0.1, signed by itself."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def test_it_speaks_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with running(settings(tmp_path, tls_certificate=cert, tls_key=key)) as service:
        trust = ssl.create_default_context(cafile=str(cert))

        answer = httpx.post(service.url + "/v1/execute", json={"code": ONE}, verify=trust, timeout=30)

        assert service.url.startswith("https://")
        assert answer.json()["records"] == [{"a": 1}]


def test_traces_go_where_the_operator_says_and_hold_no_data(tmp_path: Path) -> None:
    taken: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    collector = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    parent = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    endpoint = f"http://127.0.0.1:{collector.server_port}/v1/traces"
    code = "def closure(source, *, word=''):\n    yield {'secretfield': word}\n"

    with running(settings(tmp_path, traces_endpoint=endpoint)) as service, service.client() as client:
        asked = {"code": code, "parameters": {"word": "secretvalue"}}
        client.post("/v1/execute", json=asked, headers={"traceparent": parent})

    collector.shutdown()
    thread.join()
    collector.server_close()
    whole = b"".join(taken)
    assert b"POST /v1/execute" in whole
    assert b"tars.action" in whole
    assert bytes.fromhex("ab" * 16) in whole
    assert b"secret" not in whole
