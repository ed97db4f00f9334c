"""The execution service over the docker sandbox: chosen by a request, left by its client, drained, killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.docker_engine import engine
from sandbox.job import Limits
from sandbox.service.settings import Settings
from tests.sandbox.service_running import Running, running, until
from tests.sandbox.test_docker import containers, inside
from tests.sandbox.test_service import ENDLESS, LINES, THREE
from tests.sandbox.test_service_abuse import HOSTILE, Program, connected, is_idle, request

SQL = "def closure(source):\n    yield from source.query('SELECT sum(n) AS n FROM t')\n"


def settings(home: Path, *backends: str) -> Settings:
    limits = Limits(wall_seconds=20.0, memory_mb=128)
    return Settings(home, port=0, backends=backends, limits=limits, per_minute=100_000, running=2, drain_seconds=3.0)


@pytest.fixture(scope="module")
def both(docker_engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with the automatic choice, as it is by default: here the local sandbox, and Docker when a request names it."""
    with running(settings(tmp_path_factory.mktemp("both"), "auto")) as service:
        yield service


@pytest.fixture
def client(both: Running) -> Iterator[httpx.Client]:
    with both.client() as opened:
        yield opened


def busy(container: str) -> int:
    """How many workers of a container are in an endless loop: one that only waits has taken a few milliseconds."""
    return sum(cpu_ticks(pid) > 15 for pid in inside(container)[1:])


def cpu_ticks(pid: int) -> int:
    """The CPU time of a process in hundredths of a second; none for one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])
    except OSError:
        return 0


def in_docker(service: Running, code: str, seconds: float = 20.0) -> tuple[threading.Thread, list[httpx.Response]]:
    answers: list[httpx.Response] = []

    def ask() -> None:
        with service.client() as client:
            asked = {"code": code, "backend": "docker", "limits": {"wall_seconds": seconds}}
            answers.append(client.post("/v1/execute", json=asked))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


@pytest.mark.parametrize("backend", ["local", "docker"])
def test_a_request_names_its_sandbox(client: httpx.Client, backend: str) -> None:
    asked = {"code": SQL, "inputs": {"t": [{"n": 1}, {"n": 2}]}, "backend": backend}

    told = client.post("/v1/execute", json=asked).json()

    assert (told["status"], told["records"], told["backend"]) == ("ok", [{"n": 3}], backend)


def test_one_that_there_is_not_is_refused_with_those_there_are(client: httpx.Client) -> None:
    answer = client.post("/v1/execute", json={"code": THREE, "backend": "scripted"})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:tars:problem:no-such-backend")
    assert "auto, local, docker" in answer.json()["next_step"]


def test_records_are_streamed_from_a_container(client: httpx.Client) -> None:
    code = "def closure(source):\n    for n in range(20_000):\n        yield {'n': n, 'text': 'x' * 100}\n"

    answer = client.post("/v1/execute", json={"code": code, "backend": "docker"}, headers=LINES)

    lines = answer.text.splitlines()
    assert len(lines) == 20_001
    assert '"status":"ok"' in lines[-1]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_an_honest_answer_there_too(client: httpx.Client, name: str) -> None:
    limits = {"wall_seconds": 1.5, "cpu_seconds": 2, "records": 5_000}
    asked = {"code": HOSTILE[name], "limits": limits, "backend": "docker"}

    answer = client.post("/v1/execute", json=asked)

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] in ("error", "limit", "crashed", "refused")
    assert client.post("/v1/execute", json={"code": THREE, "backend": "docker"}).json()["status"] == "ok"


def test_the_run_of_a_client_that_leaves_ends_in_its_container(both: Running, client: httpx.Client) -> None:
    client.post("/v1/execute", json={"code": THREE, "backend": "docker"})
    (container,) = containers()
    wire = connected(both)
    wire.sendall(request(ENDLESS, backend="docker"))
    assert until(lambda: busy(container) == 1)

    wire.close()

    assert until(lambda: is_idle(both))
    assert until(lambda: busy(container) == 0)
    assert containers() == {container}


def test_sigterm_drains_and_leaves_no_container(docker_engine: str, tmp_path: Path) -> None:
    before = containers()
    with running(settings(tmp_path, "docker")) as service:
        with service.client() as client:
            assert client.get("/v1/ready").json()["backend"] == "docker"
        short, finished = in_docker(service, ENDLESS, 1.0)
        long, stopped = in_docker(service, ENDLESS)
        assert until(lambda: service.service.queue.running == 2)

        service.stop()

        short.join()
        long.join()
        service.thread.join(30)
    assert (finished[0].status_code, finished[0].json()["limit"]) == (200, "wall_seconds")
    assert (stopped[0].status_code, stopped[0].json()["type"]) == (503, "urn:tars:problem:draining")
    assert until(lambda: containers() == before)


def test_a_container_killed_in_mid_job_costs_one_answer_only(both: Running, client: httpx.Client) -> None:
    client.post("/v1/execute", json={"code": THREE, "backend": "docker"})
    (container,) = containers()
    thread, answers = in_docker(both, ENDLESS)
    assert until(lambda: busy(container) == 1)

    engine().api.kill(container)

    thread.join()
    assert (answers[0].status_code, answers[0].json()["type"]) == (503, "urn:tars:problem:sandbox-died")
    assert client.post("/v1/execute", json={"code": THREE, "backend": "docker"}).json()["status"] == "ok"
    assert until(lambda: containers() != {container} and len(containers()) == 1)


def test_a_killed_service_leaves_no_container(docker_engine: str, tmp_path: Path) -> None:
    before = containers()
    program = Program(tmp_path, 10.0, "docker")
    try:
        (container,) = containers() - before
        wire = connected(program)
        wire.sendall(request(ENDLESS))
        assert until(lambda: busy(container) == 1)

        program.process.kill()

        wire.close()
        assert until(lambda: inside(container) == [])
        assert until(lambda: containers() == before)
    finally:
        program.close()
