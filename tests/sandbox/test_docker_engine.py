"""The docker sandbox and its engine: one that is killed, one that is far away, one without the image."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sandbox.backends.docker import Docker
from sandbox.broker import Broker
from sandbox.docker_container import Bounds
from sandbox.docker_engine import engine
from sandbox.docker_link import NOBODY
from sandbox.image_build import LABEL, fingerprint
from sandbox.job import Job, Limits, SandboxDied, SandboxUnavailable
from sandbox.service.settings import Settings
from tests.docker_engine import Daemon, own_daemon, provide_image, rootless_daemon
from tests.sandbox.service_running import running
from tests.sandbox.test_docker import ENDLESS, ONE, ORDINARY, eventually, inside, one
from tests.sandbox.test_local import as_nobody
from tests.services import ServiceMissing

LINES = "def closure(source):\n    for line in source.lines():\n        yield {'line': line}\n"

ENDLESS_RECORDS = "def closure(source):\n    while True:\n        yield {'a': 1}\n"


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


# ------------------------------------------------------------------------------------------ gVisor and ordinary users

# As it has to be on this kernel: its own network needs settings that are not there.
GVISOR = ["/usr/bin/runsc", "--network=none", "--platform=ptrace"]


@pytest.fixture
def with_runtime(ready: Ready) -> Iterator[Callable[[list[str]], str]]:
    """Gives the engine another program to run containers, called runsc; its address."""

    def restarted(runtimes: dict[str, list[str]]) -> str:
        ready.daemon.runtimes = runtimes
        ready.daemon.kill()
        ready.daemon.start()
        return ready.daemon.address

    yield lambda command: restarted({"runsc": command})
    restarted({})


def test_gvisor_is_used_where_the_engine_has_it(with_runtime: Callable[[list[str]], str]) -> None:
    if not Path(GVISOR[0]).exists():
        pytest.skip("no runsc here; apt package: runsc")
    sandbox = Docker(address=with_runtime(GVISOR))
    try:
        facts = sandbox.facts()

        assert (facts["runtime"], facts["gvisor"], facts["channel"]) == ("runsc", True, "streams")
        attacks = facts["attacks"]
        assert isinstance(attacks, list)
        assert len(attacks) > 10
        assert one(sandbox) == ({"a": 1},)
        for code, limits, limit in (
            (ENDLESS, Limits(wall_seconds=0.5), "wall_seconds"),
            (ENDLESS, Limits(cpu_seconds=1), "cpu_seconds"),
            (ENDLESS_RECORDS, Limits(records=1), "records"),
            ("def closure(source):\n    yield {'a': len('x' * 10**9)}\n", Limits(memory_mb=64), "memory_mb"),
        ):
            assert sandbox.run(Job(code, limits=limits), Broker(None)).limit == limit
        sql = Job("def closure(source):\n    return query([{'a': 1}], 'SELECT a + 1 AS a FROM rows')\n")
        assert sandbox.run(sql, Broker(None)).records == ({"a": 2},)
    finally:
        sandbox.close()


def test_what_is_only_called_runsc_is_never_taken_for_gvisor(
    with_runtime: Callable[[list[str]], str], tmp_path: Path
) -> None:
    runc = shutil.which("runc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert runc is not None

    told = refusal(with_runtime([runc]))

    assert told == (
        "the docker sandbox cannot be had here; missing: gVisor behind the engine's runtime runsc, which is something else"
    )


def test_a_gvisor_that_does_not_start_is_told_with_what_to_do(with_runtime: Callable[[list[str]], str]) -> None:
    told = refusal(with_runtime(["/nowhere/runsc"]))

    assert "refused: " in told
    assert "its runtime runsc is used because it is there; mend it, or take it off the engine" in told


def test_a_rootless_engine_of_another_user_and_of_ones_own() -> None:
    interpreter = as_nobody(NOBODY)
    if interpreter is None:
        pytest.skip("no interpreter here that an ordinary user can start")
    try:
        with rootless_daemon() as address:
            provide_image(address)
            assert "name=rootless" in engine(address).info["SecurityOptions"]

            sandbox = Docker(address=address)
            try:
                channel, records = sandbox.facts()["channel"], one(sandbox)
                limit = sandbox.run(Job(ENDLESS, limits=Limits(wall_seconds=0.3)), Broker(None)).limit
            finally:
                sandbox.close()
            done = subprocess.run(
                [*interpreter, "-c", ORDINARY, address],
                capture_output=True, text=True, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
            )  # fmt: skip
    except ServiceMissing as missing:
        pytest.skip(str(missing))

    # Another user's engine may not look into our folder: its streams are the way then.
    assert (channel, records, limit) == ("streams", ({"a": 1},), "wall_seconds")
    *said, container = done.stdout.splitlines() or [""]
    assert said == [f"{NOBODY} socket True", "({'a': 2},)", "wall_seconds"], done.stderr
    assert container


def works_again(address: str) -> bool:
    """Whether a new sandbox works, and after it no container is left."""
    sandbox = Docker(address=address)
    try:
        assert one(sandbox) == ({"a": 1},)
    finally:
        sandbox.close()
    return eventually(lambda: engine(address).api.containers(all=True, filters={"label": "tars.sandbox"}) == [])
