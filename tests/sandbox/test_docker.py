"""The docker sandbox on honest closures: those of the local sandbox's tests, and what is particular to containers."""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from docker.errors import NotFound

from sandbox.backends.docker import Docker
from sandbox.broker import Broker
from sandbox.docker_container import Bounds
from sandbox.docker_engine import engine
from sandbox.docker_leftovers import reap
from sandbox.docker_link import Way
from sandbox.image_build import build_image, find_image
from sandbox.job import Job, Limits, Record, RunStopped, SandboxDied, SandboxUnavailable
from sandbox.probes import probes
from tests.docker_engine import BASE
from tests.sandbox import test_local, test_local_query
from tests.sandbox.test_local import as_nobody


def taken_over(*modules: ModuleType) -> dict[str, Callable[..., None]]:
    """The tests of those modules that ask for a sandbox called local, to be run over another one."""
    found: dict[str, Callable[..., None]] = {}
    for module in modules:
        for name, test in vars(module).items():
            if name.startswith("test_") and "local" in inspect.signature(test).parameters:
                assert name not in found, f"two tests are called {name}"
                found[name] = test
    return found


globals().update(taken_over(test_local, test_local_query))


@pytest.fixture(scope="module")
def local(docker_engine: str) -> Iterator[Docker]:
    """What those tests call local is a container here."""
    sandbox = Docker()
    yield sandbox
    sandbox.close()


ONE = "def closure(source):\n    return [{'a': 1}]\n"
ENDLESS = "def closure(source):\n    yield {'a': 1}\n    while True:\n        pass\n"
NOBODY = "65534"


@pytest.fixture(params=["socket", "streams"])
def way(request: pytest.FixtureRequest, docker_engine: str) -> Way:
    """Both ways of reaching a container."""
    chosen: Way = request.param
    return chosen


@contextlib.contextmanager
def opened(**options: Any) -> Iterator[Docker]:
    sandbox = Docker(**options)
    try:
        yield sandbox
    finally:
        sandbox.close()


def one(sandbox: Docker) -> tuple[Record, ...]:
    return sandbox.run(Job(ONE), Broker(None)).records


def containers() -> set[str]:
    """The sandbox's containers on the engine, running or not."""
    return {one["Id"][:12] for one in engine().api.containers(all=True, filters={"label": "tars.sandbox"})}


def inside(container: object) -> list[int]:
    """The processes of a container, by their numbers here; its first one first."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and str(container) in (entry / "cgroup").read_text():
                found.append(int(entry.name))
    return sorted(found)


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


# ------------------------------------------------------------------------------------------------------- the container


def test_nothing_is_left_of_what_can_be_taken_away(local: Docker) -> None:
    found = engine().api.inspect_container(local.facts()["container"])

    host, config = found["HostConfig"], found["Config"]
    assert (host["NetworkMode"], host["IpcMode"], host["ReadonlyRootfs"]) == ("none", "none", True)
    assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False)
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == host["MemorySwap"] <= 4 * 1024**3
    assert (host["PidsLimit"], host["NanoCpus"] > 0, host["AutoRemove"]) == (64, True, True)
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}["core"] == 0
    assert (host["Devices"] or [], host["Binds"] or []) == ([], [])
    assert "noexec" in host["Tmpfs"]["/tmp"]
    assert config["User"] == f"{NOBODY}:{NOBODY}"
    assert config["Labels"]["tars.sandbox.owner"] == str(os.getpid())
    assert [(mount["Destination"], mount["RW"]) for mount in found["Mounts"]] == [("/run/tars", False)]
    assert found["Image"] == local.facts()["image"]


def test_the_confinement_is_in_force_in_the_kernels_eyes(local: Docker) -> None:
    container = local.facts()["container"]

    def holds(pid: int) -> tuple[str, int]:
        return status_of(pid)["Seccomp_filters"], len(os.listdir(f"/proc/{pid}/fd"))

    # The engine's filter and the worker's own; a worker holds its channel only.
    assert eventually(lambda: [holds(pid) for pid in inside(container)[1:]] == [("2", 1), ("2", 1)])
    for pid in inside(container)[1:]:
        status = status_of(pid)
        assert (status["NoNewPrivs"], status["Seccomp"], status["Uid"].split()[0]) == ("1", "2", NOBODY)
        assert {status[name] for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {"0" * 16}
        assert os.listdir(f"/proc/{pid}/fd") == ["3"]
        for kind in ("pid", "net", "mnt", "ipc", "uts"):
            assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")


def test_the_folder_of_the_channel_is_gone_once_the_container_is_up(local: Docker) -> None:
    one(local)

    assert list(Path(tempfile.gettempdir()).glob(f"tars-sandbox-{os.getpid()}-*")) == []


def test_the_proof_at_the_start_is_told(local: Docker) -> None:
    facts = local.facts()

    assert isinstance(facts["attacks"], list)
    assert len(facts["attacks"]) > 10
    assert facts["channel"] == "socket"


def test_a_job_that_no_container_can_hold_is_refused_by_name(local: Docker) -> None:
    with pytest.raises(SandboxUnavailable, match=r"job of 1000000 MiB does not fit .* containers of \d+ MiB"):
        local.run(Job(ONE, limits=Limits(memory_mb=1_000_000)), Broker(None))


def test_jobs_wait_for_room_rather_than_be_ended_for_their_neighbours(docker_engine: str) -> None:
    code = (
        "def closure(source):\n    x = b'x' * (180 * 1024 * 1024)\n    sum(range(2_000_000))\n    yield {'a': len(x)}\n"
    )
    ends: list[str] = []

    with opened(bounds=Bounds(memory_mb=512)) as sandbox:
        job = Job(code, limits=Limits(memory_mb=220))
        threads = [
            threading.Thread(target=lambda: ends.append(sandbox.run(job, Broker(None)).status)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert ends == ["ok"] * 4


def test_a_run_is_stopped_from_another_thread(way: Way) -> None:
    with opened(way=way) as sandbox:
        one(sandbox)
        broker = Broker(None)
        timer = threading.Timer(0.3, broker.stop)
        timer.start()

        with pytest.raises(RunStopped):
            sandbox.run(Job(ENDLESS), broker)

        timer.join()
        assert one(sandbox) == ({"a": 1},)


def stopped_run(sandbox: Docker, job: Job, broker: Broker) -> None:
    with pytest.raises(RunStopped):
        sandbox.run(job, broker)


def test_a_run_that_waits_for_room_is_stopped_as_well(docker_engine: str) -> None:
    with opened(bounds=Bounds(memory_mb=512)) as sandbox:
        first, waiting = Broker(None), Broker(None)
        job = Job(ENDLESS, limits=Limits(memory_mb=220))
        holds = threading.Thread(target=stopped_run, args=(sandbox, job, first))
        holds.start()
        assert eventually(lambda: first.running_since is not None)
        timer = threading.Timer(0.3, waiting.stop)
        timer.start()

        with pytest.raises(RunStopped):
            sandbox.run(job, waiting)

        assert holds.is_alive()
        assert waiting.running_since is None
        first.stop()
        holds.join()


def test_many_megabytes_cross_with_a_host_that_takes_its_time(way: Way) -> None:
    code = "def closure(source):\n    for n in range(40):\n        yield {'n': n, 'x': 'x' * 1_000_000}\n"
    got: list[Record] = []

    def slowly(batch: list[Record]) -> None:
        time.sleep(0.01)
        got.extend({"n": record["n"], "size": len(str(record["x"]))} for record in batch)

    with opened(way=way) as sandbox:
        result = sandbox.run(Job(code), Broker(None), slowly)

    assert result.status == "ok", result
    assert got == [{"n": n, "size": 1_000_000} for n in range(40)]


def test_a_closure_that_writes_without_end_is_ended_in_time(way: Way) -> None:
    code = "def closure(source):\n    while True:\n        yield {'x': 'x' * 1_000_000}\n"

    with opened(way=way) as sandbox:
        one(sandbox)
        started = time.monotonic()
        result = sandbox.run(Job(code, limits=Limits(wall_seconds=0.5)), Broker(None), lambda batch: time.sleep(0.2))

        assert (result.status, result.limit) == ("limit", "wall_seconds")
        assert time.monotonic() - started < 5
        assert one(sandbox) == ({"a": 1},)


# -------------------------------------------------------------------------------------------------- ends and leftovers


def test_closing_leaves_nothing(way: Way) -> None:
    before = containers()
    with opened(way=way) as sandbox:
        one(sandbox)
        container = sandbox.facts()["container"]
        assert container in containers()

    assert eventually(lambda: containers() == before)
    assert inside(container) == []


def test_no_descriptor_or_thread_is_left_by_one_that_was_closed(way: Way) -> None:
    with opened(way=way) as sandbox:
        one(sandbox)
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(2):
        with opened(way=way) as sandbox:
            one(sandbox)

    assert eventually(lambda: not [t for t in threading.enumerate() if t.name in ("docker-stream", "docker-control")])
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_container_killed_in_mid_job_is_never_a_finding(way: Way) -> None:
    with opened(way=way) as sandbox:
        one(sandbox)
        container = sandbox.facts()["container"]
        threading.Timer(0.3, lambda: os.kill(inside(container)[0], signal.SIGKILL)).start()

        with pytest.raises(SandboxDied):
            sandbox.run(Job(ENDLESS), Broker(None))

        assert one(sandbox) == ({"a": 1},)
        assert sandbox.facts()["container"] != container
        assert eventually(lambda: inside(container) == [])


def test_a_container_killed_between_jobs_is_replaced(way: Way) -> None:
    with opened(way=way) as sandbox:
        one(sandbox)
        container = sandbox.facts()["container"]
        engine().api.kill(container)
        assert eventually(lambda: inside(container) == [])

        assert one(sandbox) == ({"a": 1},)


def test_an_idle_container_lives_on(way: Way) -> None:
    with opened(way=way, bounds=Bounds(silence_seconds=0.9)) as sandbox:
        one(sandbox)
        container = sandbox.facts()["container"]

        time.sleep(2)

        assert one(sandbox) == ({"a": 1},)
        assert sandbox.facts()["container"] == container


def test_code_that_kills_its_process_is_told_from_a_sandbox_that_died(docker_engine: str) -> None:
    with opened(policy=False) as sandbox:
        one(sandbox)
        container = sandbox.facts()["container"]

        result = sandbox.run(Job("import os\ndef closure(source):\n    os.abort()\n"), Broker(None))

        assert (result.status, sandbox.facts()["container"]) == ("crashed", container)


HOST = """
import sys
from sandbox.backends.docker import Docker
from sandbox.broker import Broker
from sandbox.job import Job
docker = Docker(way=sys.argv[1])
docker.run(Job("def closure(source):\\n    return []\\n"), Broker(None))
print(docker.facts()["container"], flush=True)
docker.run(Job("def closure(source):\\n    while True:\\n        pass\\n"), Broker(None))
"""


def test_everything_ends_with_a_host_that_is_killed(way: Way) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, way], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    container = host.stdout.readline().strip()
    time.sleep(0.2)
    assert len(inside(container)) >= 2

    host.kill()
    host.wait()
    host.stdout.close()

    assert eventually(lambda: inside(container) == [] and container not in containers())


ORDINARY = """
import os, sys
from sandbox.backends.docker import Docker
from sandbox.broker import Broker
from sandbox.job import Job, Limits
docker = Docker(address=sys.argv[1])
facts = docker.facts()
print(os.getuid(), facts["channel"], len(facts["attacks"]) > 10)
print(docker.run(Job("def closure(source):\\n    return query([{'a': 1}], 'SELECT a + 1 AS a FROM rows')\\n"), Broker(None)).records)
endless = Job("def closure(source):\\n    while True:\\n        pass\\n", limits=Limits(wall_seconds=0.3))
print(docker.run(endless, Broker(None)).limit)
print(facts["container"])
docker.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_of_the_engine_has_the_same_walls(docker_engine: str) -> None:
    interpreter = as_nobody()
    if interpreter is None or not docker_engine.startswith("unix://"):
        pytest.skip("no interpreter here that an ordinary user can start, or no socket of the engine")
    group = os.stat(docker_engine.removeprefix("unix://")).st_gid

    done = subprocess.run(
        [*interpreter, "-c", ORDINARY, docker_engine],
        capture_output=True, text=True, user=1000, group=1000, extra_groups=[group], cwd="/",
    )  # fmt: skip

    *said, container = done.stdout.splitlines() or [""]
    assert said == ["1000 socket True", "({'a': 2},)", "wall_seconds"], done.stderr
    assert eventually(lambda: inside(container) == [])


def made(**labels: str) -> str:
    """A container as a host would have made it, and never started it: what a crash between the two leaves."""
    found = engine()
    marks = {f"tars.sandbox.{name.replace('_', '-')}": value for name, value in labels.items()}
    digest: str = found.api.create_container(find_image(found), ["x"], labels={"tars.sandbox": "zygote", **marks})["Id"]
    return digest[:12]


def test_what_a_crashed_host_left_is_reaped_and_nothing_else(local: Docker) -> None:
    one(local)
    mine = engine().api.inspect_container(local.facts()["container"])["Config"]["Labels"]
    machine, started = mine["tars.sandbox.machine"], mine["tars.sandbox.owner-started"]
    dead = made(machine=machine, owner="999999999", owner_started=started)
    reused = made(machine=machine, owner=str(os.getpid()), owner_started="1")
    elsewhere = made(machine="another", owner="999999999", owner_started="1")
    folder = Path(tempfile.mkdtemp(prefix="tars-sandbox-999999999-5-"))
    try:
        reap(engine())

        left = containers()
        assert {dead, reused} & left == set()
        assert {elsewhere, local.facts()["container"]} <= left
        assert not folder.exists()
        time.sleep(1.1)

        # Made and not started for longer than a host could take: nobody's, wherever its host was.
        reap(engine(), forgotten_seconds=0.9)

        assert containers() & {elsewhere, local.facts()["container"]} == {local.facts()["container"]}
        assert one(local) == ({"a": 1},)
    finally:
        with contextlib.suppress(NotFound):
            engine().api.remove_container(elsewhere)


@pytest.mark.parametrize("bounds", [Bounds(jobs=3), Bounds(minutes=0.005)])
def test_a_container_is_replaced_in_time_while_jobs_go_on(docker_engine: str, bounds: Bounds) -> None:
    with opened(bounds=bounds) as sandbox:
        first = sandbox.facts()["container"]
        stopped = threading.Event()
        ends: list[str] = []

        def work() -> None:
            while not stopped.is_set():
                ends.append(sandbox.run(Job(ONE), Broker(None)).status)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        replaced = eventually(lambda: sandbox.facts()["container"] != first and inside(first) == [])
        stopped.set()
        for thread in threads:
            thread.join()

        assert replaced
        assert set(ends) == {"ok"}
        assert eventually(lambda: first not in containers())


# ------------------------------------------------------------------------------------------------------ what is missing


def test_without_the_sdk_the_words_name_the_extra() -> None:
    code = "import sys; sys.modules['docker'] = None\nfrom sandbox.open import open_sandbox\nopen_sandbox('docker')"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (
        "SandboxUnavailable: the docker sandbox needs the Docker SDK: pip install 'tars-closures[docker]'"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "unix:///nowhere/docker.sock",
            "no Docker engine answers at unix:///nowhere/docker.sock: start it, or set DOCKER_HOST",
        ),
        ("tcp://127.0.0.1:1", "no Docker engine answers at tcp://127.0.0.1:1"),
        ("ssh://somewhere", "cannot use ssh://somewhere: forward the engine's socket"),
        ("gopher://x", "the Docker engine at gopher://x refused: "),
    ],
)
def test_an_engine_that_is_not_there_is_named_with_the_next_step(address: str, words: str) -> None:
    sandbox = Docker(address=address)

    with pytest.raises(SandboxUnavailable, match=re.escape(words)):
        sandbox.run(Job(ONE), Broker(None))

    sandbox.close()


REFUSED = """
from sandbox.docker_engine import engine
from sandbox.job import SandboxUnavailable
try:
    engine("unix://SOCKET")
except SandboxUnavailable as missing:
    print(missing)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can take another user's place")
def test_a_user_who_may_not_use_the_engine_is_told_so(tmp_path: Path) -> None:
    interpreter = as_nobody()
    if interpreter is None:
        pytest.skip("no interpreter here that an ordinary user can start")
    with tempfile.TemporaryDirectory(prefix="tars-", dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listening:
        Path(folder).chmod(0o755)
        listening.bind(f"{folder}/docker.sock")
        Path(folder, "docker.sock").chmod(0o600)

        done = subprocess.run(
            [*interpreter, "-c", REFUSED.replace("SOCKET", f"{folder}/docker.sock")],
            capture_output=True, text=True, user=1000, group=1000, extra_groups=[], cwd="/",
        )  # fmt: skip

    assert "this user may not use the Docker engine" in done.stdout, done.stderr
    assert "join the group docker" in done.stdout


def test_what_else_answers_on_a_socket_is_no_engine(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True).start()

        with pytest.raises(SandboxUnavailable, match="no Docker engine answers at"):
            engine(f"unix://{tmp_path}/s")


def test_a_base_that_is_not_to_be_had_is_told_in_the_builders_words(docker_engine: str) -> None:
    said: list[str] = []

    with pytest.raises(SandboxUnavailable, match=r"image .*(could not be built|refused)"):
        build_image("tars-no-such-base:1", said.append, network="none")


def test_the_image_is_the_same_for_the_same_code(docker_engine: str) -> None:
    said: list[str] = []

    again = build_image(f"{BASE}:latest", said.append, network="none")

    assert again == find_image(engine())
    assert any("Step" in line for line in said)


# ------------------------------------------------------------------------------------------------ the automatic choice

AUTOMATIC = """
import ctypes, os, sys
if os.getuid() == 0:
    # 24 drops a capability from what a program may ever have; 21 is the one that makes namespaces.
    ctypes.CDLL(None).prctl(24, 21, 0, 0, 0)
    code = '''
from sandbox.broker import Broker
from sandbox.job import Job
from sandbox.open import open_sandbox
sandbox = open_sandbox()
first = sandbox.name
result = sandbox.run(Job("def closure(source):\\\\n    return [{'a': 1}]\\\\n"), Broker(None))
print(first, sandbox.name, result.records)
sandbox.close()
'''
    os.execv(sys.executable, [sys.executable, "-c", code])
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up the right to make namespaces")
def test_docker_is_taken_where_the_local_sandbox_cannot_be_had(docker_engine: str) -> None:
    done = subprocess.run([sys.executable, "-c", AUTOMATIC], capture_output=True, text=True)

    assert done.stdout.strip() == "local docker ({'a': 1},)", done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up the right to make namespaces")
def test_where_neither_can_be_had_both_are_named() -> None:
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}

    done = subprocess.run([sys.executable, "-c", AUTOMATIC], capture_output=True, text=True, env=environment)

    last = done.stderr.strip().splitlines()[-1]
    assert "no sandbox can be had here; local: " in last
    assert "docker: no Docker engine answers at unix:///nowhere/docker.sock" in last


def test_the_doctors_probes_hold(docker_engine: str) -> None:
    found = {probe.name: probe for probe in probes("docker")}

    assert len(found) >= 20
    assert [probe for name, probe in found.items() if not probe.held and name != "has Landlock"] == []
