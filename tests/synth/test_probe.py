"""A service is told by what it says: real ones, and ones that hang, drip, lie or talk nonsense."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from synth.errors import BadRequest
from synth.probe import MOST_PORTS, PORTS_A_SECOND, asked, discovered, ports_of, probed, target_of
from tests.servers import orders, packed, raw_serving, serving, whole
from tests.services import Server, free_port

PROGRAMS: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "redis": ("redis-server", lambda port: ["--port", port, "--bind", "127.0.0.1", "--save", ""]),
    "memcached": ("memcached", lambda port: ["-l", "127.0.0.1", "-p", port, "-U", "0", "-u", "nobody"]),
    "mqtt": ("mosquitto", lambda port: ["-p", port]),
}


@contextmanager
def running(program: str, arguments: list[str], port: int, folder: Path) -> Iterator[None]:
    """A server program on loopback, ended by its own pid."""
    process = subprocess.Popen(
        [program, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin"},
    )
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def port_in(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_real_server_on_a_port_that_tells_nothing(kind: str, tmp_path: Path) -> None:
    name, arguments = PROGRAMS[kind]
    program = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin")
    if program is None:
        pytest.skip(f"no {name} here; apt package of that name")
    port = free_port()
    with running(program, arguments(str(port)), port, tmp_path):
        found = asked("127.0.0.1", port)

    assert found.kind == kind, found


def test_postgresql_by_its_answer_and_mariadb_by_its_greeting(postgres: Server, mariadb: Server) -> None:
    found = list(discovered("127.0.0.1", [postgres.port, mariadb.port, 1]))

    assert [d.kind for d in found] == ["postgresql", "mariadb"]
    assert all(d.confidence > 0.8 for d in found)


def test_a_name_that_says_another_kind_is_held_against_it(mariadb: Server) -> None:
    found = probed(f"postgresql://me@127.0.0.1:{mariadb.port}/shop")

    assert found.kind == "mariadb"
    assert "against: its name says postgresql" in found.evidence


def test_an_http_service_is_told_by_the_description_that_it_serves() -> None:
    description = {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {"/orders": {"get": {}}}}
    with serving({"/orders": whole(orders(3)), "/openapi.json": lambda _asked: packed(description)}) as server:
        found = asked("127.0.0.1", port_in(server.url("/")))

    assert found.kind == "rest-api"
    assert found.evidence[0] == "/openapi.json holds openapi"
    assert found.facts["described_by"] == {"/openapi.json": "openapi"}


def test_nobody_there_is_told_by_the_name_alone() -> None:
    found = probed("redis://127.0.0.1:1")

    assert found.kind == "redis"
    assert "not reached" in found.evidence[-1]


def test_one_that_hangs_drips_or_talks_nonsense_is_unknown_in_bounded_time() -> None:
    def hang(connection: socket.socket) -> None:
        connection.settimeout(30)
        while connection.recv(4096):
            pass

    def drip(connection: socket.socket) -> None:
        for _ in range(200):
            connection.sendall(b"z")
            time.sleep(0.1)

    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"\xc1\x02\xfe\x00" * 10_000)

    for behaviour in (hang, drip, flood):
        with raw_serving(behaviour) as place:
            began = time.monotonic()
            found = asked("127.0.0.1", int(place.rpartition(":")[2].strip("/")))

        assert found.kind == "unknown", (behaviour.__name__, found)
        assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("localhost:5432", ("localhost", 5432)),
        ("postgresql://me:p@db.corp:5433/x?a=1", ("db.corp", 5433)),
        ("http://[::1]:8080/x", ("::1", 8080)),
        ("localhost", None),
        ("orders.csv", None),
        ("h:99999", None),
    ],
)
def test_the_target_is_what_was_named(text: str, target: tuple[str, int] | None) -> None:
    assert target_of(text) == target


@pytest.mark.parametrize("text", ["10.0.0.0/24", "a,b", "*.corp", "h:1-9999", "h:0", "h:70000", "", "h:1-2-x"])
def test_only_one_host_and_so_many_ports(text: str) -> None:
    with pytest.raises(BadRequest):
        ports_of(text)


def test_ports_are_read_as_lists_and_ranges() -> None:
    assert ports_of("h:80,443,8000-8002") == ("h", (80, 443, 8000, 8001, 8002))
    assert ports_of("[::1]:80") == ("::1", (80,))
    assert 5432 in ports_of("h")[1]
    assert len(ports_of("h")[1]) <= MOST_PORTS


def test_ports_are_tried_no_faster_than_promised() -> None:
    began = time.monotonic()

    assert list(discovered("127.0.0.1", range(1, 34))) == []

    assert time.monotonic() - began >= 32 / PORTS_A_SECOND


def test_the_commands(postgres: Server, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CACHE=redis://cache:6379\n")
    place = f"127.0.0.1:{postgres.port}"

    def said(*words: str) -> object:
        command = [sys.executable, "-m", "synth", "datasource", *words, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    probed_one, listening, named = (
        said("detect", place, "--probe"),
        said("discover", place),
        said("discover", "--env", str(tmp_path)),
    )

    assert isinstance(probed_one, dict)
    assert probed_one["kind"] == "postgresql"
    assert isinstance(listening, dict)
    assert [s["kind"] for s in listening["services"]] == ["postgresql"]
    assert isinstance(named, dict)
    assert {"where": ".env: CACHE", "source": "redis://cache:6379"}.items() <= named["services"][-1].items()
