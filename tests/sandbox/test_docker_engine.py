"""The docker sandbox and its engine: one that is killed, one that is far away, one without the image."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sandbox.backends.docker import Docker
from sandbox.broker import Broker
from sandbox.docker_container import Bounds
from sandbox.docker_engine import engine
from sandbox.image_build import LABEL, fingerprint
from sandbox.job import Job, Limits, SandboxDied, SandboxUnavailable
from sandbox.service.settings import Settings
from tests.docker_engine import Daemon, own_daemon, provide_image
from tests.sandbox.service_running import running
from tests.sandbox.test_docker import ENDLESS, ONE, eventually, inside, one
from tests.services import ServiceMissing

LINES = "def closure(source):\n    for line in source.lines():\n        yield {'line': line}\n"


@dataclass(frozen=True)
class Ready:
    """A daemon with the image, and what was said before it had one."""

    daemon: Daemon
    without_image: str
    with_another: str
    with_volumes: str


class Slow:
    """A source that takes about a second."""

    def lines(self) -> Iterator[list[str]]:
        for n in range(10):
            time.sleep(0.1)
            yield [str(n)]


def refusal(address: str) -> str:
    sandbox = Docker(address=address)
    try:
        with pytest.raises(SandboxUnavailable) as told:
            sandbox.run(Job(ONE), Broker(None))
        return str(told.value)
    finally:
        sandbox.close()


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    try:
        with own_daemon() as daemon, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", daemon.address)
            without = refusal(daemon.address)
            empty, api = b"\0" * 1_024, engine().api
            api.import_image_from_data(empty, "tars-other", changes=[f"LABEL {LABEL}=other"])
            another = refusal(daemon.address)
            api.import_image_from_data(
                empty, "tars-volumes", changes=[f"LABEL {LABEL}={fingerprint()}", "VOLUME /data"]
            )
            volumes = refusal(daemon.address)
            api.remove_image("tars-volumes")
            provide_image(daemon.address)
            yield Ready(daemon, without, another, volumes)
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def remote(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same engine as if it were far away: over TCP with TLS both ways."""
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(ready.daemon.certificates))
    return ready.daemon.remote


def test_without_the_image_the_words_name_the_command(ready: Ready) -> None:
    assert ready.without_image == "the docker sandbox's image has not been built yet: run `tars sandbox build`"


def test_an_image_of_other_code_is_refused(ready: Ready) -> None:
    assert (
        "image was built for other code or other libraries than these: run `tars sandbox build`" in ready.with_another
    )


def test_an_image_with_a_place_to_write_is_refused(ready: Ready) -> None:
    assert "declares volumes (/data), which could be written to" in ready.with_volumes


def test_a_remote_engine_is_reached_through_its_streams(remote: str) -> None:
    sandbox = Docker(address=remote)
    try:
        facts = sandbox.facts()
        code = "def closure(source):\n    for n in range(20):\n        yield {'n': n, 'x': 'x' * 500_000}\n"
        result = sandbox.run(Job(code), Broker(None))
        lines = sandbox.run(Job(LINES), Broker(Slow()))

        assert facts["channel"] == "streams"
        assert [len(str(record["x"])) for record in result.records] == [500_000] * 20
        assert [record["line"] for record in lines.records] == [str(n) for n in range(10)]
    finally:
        sandbox.close()
    assert eventually(lambda: inside(facts["container"]) == [])


def test_a_client_that_the_engine_does_not_know_is_told_so(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready.daemon.remote in refusal(ready.daemon.remote)


def test_an_engine_killed_in_mid_job_takes_nothing_with_it(ready: Ready) -> None:
    sandbox = Docker(address=ready.daemon.address)
    try:
        one(sandbox)
        container = sandbox.facts()["container"]
        threading.Timer(0.3, ready.daemon.kill).start()

        result = sandbox.run(Job(LINES), Broker(Slow()))

        assert (result.status, len(result.records)) == ("ok", 10)
        assert "no Docker engine answers" in refusal(ready.daemon.address)
        assert one(sandbox) == ({"a": 1},)
        sandbox.close()
        assert eventually(lambda: inside(container) == [])
    finally:
        sandbox.close()
        ready.daemon.start()
    assert works_again(ready.daemon.address)


def test_an_engine_killed_in_mid_job_behind_the_service_costs_nothing(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", ready.daemon.address)
    answers: list[httpx.Response] = []
    with running(Settings(tmp_path, port=0, backends=("docker",))) as service, service.client() as client:
        assert client.get("/v1/ready").status_code == 200
        container = one_container(ready.daemon.address)
        asked = {"code": ENDLESS, "limits": {"wall_seconds": 1.5}}
        thread = threading.Thread(target=lambda: answers.append(client.post("/v1/execute", json=asked)))
        thread.start()
        try:
            assert eventually(lambda: service.service.queue.running == 1)

            ready.daemon.kill()
            thread.join()
            meanwhile = client.post("/v1/execute", json={"code": ONE})
        finally:
            ready.daemon.start()

        # The container did not need its engine; starting the engine again ends it, and the next job gets a fresh one.
        assert (answers[0].status_code, answers[0].json()["limit"]) == (200, "wall_seconds")
        assert meanwhile.json()["status"] == "ok"
        assert eventually(lambda: inside(container) == [])
        assert client.post("/v1/execute", json={"code": ONE}).json()["records"] == [{"a": 1}]
        assert one_container(ready.daemon.address) != container
    assert works_again(ready.daemon.address)


def one_container(address: str) -> str:
    """The only container of the sandbox on that engine."""
    (found,) = engine(address).api.containers(filters={"label": "tars.sandbox"})
    return str(found["Id"][:12])


def test_a_remote_engine_killed_in_mid_job_is_never_a_finding(ready: Ready, remote: str) -> None:
    sandbox = Docker(address=remote, bounds=Bounds(silence_seconds=3))
    try:
        one(sandbox)
        container = sandbox.facts()["container"]
        threading.Timer(0.3, ready.daemon.kill).start()

        with pytest.raises(SandboxDied):
            sandbox.run(Job(ENDLESS, limits=Limits(wall_seconds=20)), Broker(None))

        with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
            one(sandbox)
        assert eventually(lambda: inside(container) == [])
        ready.daemon.start()
        assert one(sandbox) == ({"a": 1},)
    finally:
        sandbox.close()
        if ready.daemon.process is None:
            ready.daemon.start()
    assert works_again(ready.daemon.address)


def works_again(address: str) -> bool:
    """Whether a new sandbox works, and after it no container is left."""
    sandbox = Docker(address=address)
    try:
        assert one(sandbox) == ({"a": 1},)
    finally:
        sandbox.close()
    return eventually(lambda: engine(address).api.containers(all=True, filters={"label": "tars.sandbox"}) == [])
