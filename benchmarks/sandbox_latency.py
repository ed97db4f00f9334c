"""How fast the sandbox is: `python -m benchmarks.sandbox_latency`. Medians, and the same work done in-process beside them."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import pyarrow as pa

from sandbox.backends.docker import Docker
from sandbox.backends.local import Local
from sandbox.broker import Broker, Grant
from sandbox.docker_engine import engine
from sandbox.image_build import find_image
from sandbox.job import Job, Limits, RunResult, Sandbox
from tests.docker_engine import docker_engine
from tests.services import ServiceMissing

TEN = "def closure(source, *, n=10):\n    for i in range(n):\n        yield {'i': i, 'name': 'x'}\n"

OUT_BODY = """
def closure(source):
    for i in range(100_000):
        yield {"id": i, "name": f"name {i}", "value": i * 1.5, "even": i % 2 == 0, "city": "Berlin"}
"""

THROUGH_BODY = """
def closure(source):
    total = 0.0
    for row in source.records():
        if row["value"] > 10 and row["name"] != "":
            total += row["value"] * row["id"]
    yield {"total": total}
"""

IN_BODY = """
def closure(source):
    return query(source.records(), "SELECT count(*) AS n FROM rows")
"""

LIMITS = Limits(wall_seconds=120, cpu_seconds=120, memory_mb=1_024)


class Numbers:
    """Rows as Arrow batches, made before the clock starts."""

    def __init__(self, rows: int, batch: int = 65_536) -> None:
        self.batches = [
            pa.RecordBatch.from_pydict(
                {
                    "id": pa.array(range(start, min(start + batch, rows))),
                    "value": pa.array([n * 0.5 for n in range(start, min(start + batch, rows))]),
                    "name": pa.array([f"n{n % 100}" for n in range(start, min(start + batch, rows))]),
                }
            )
            for start in range(0, rows, batch)
        ]
        self.nbytes = sum(batch.nbytes for batch in self.batches)

    def records(self) -> Iterator[pa.RecordBatch]:
        yield from self.batches


class Wide:
    """Numbers only, for moving many bytes."""

    def __init__(self, rows: int, batch: int = 262_144) -> None:
        column = pa.array(range(batch))
        one = pa.RecordBatch.from_pydict(dict.fromkeys("abcd", column))
        self.batches = [one] * (rows // batch)
        self.nbytes = sum(batch.nbytes for batch in self.batches)

    def records(self) -> Iterator[pa.RecordBatch]:
        yield from self.batches


def milliseconds(work: Callable[[], object], times: int, pause: float = 0.0) -> list[float]:
    """How long each of several runs took."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
        time.sleep(pause)
    return took


def good(result: RunResult) -> RunResult:
    """The result, which has to be one."""
    if result.status != "ok":
        raise SystemExit(f"the run ended as {result.status}: {result.fault}")
    return result


def percentile(values: Sequence[float], part: float) -> float:
    """A percentile by rank."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def plain(body: str, capability: object) -> Callable[[], list[dict[str, object]]]:
    """The same closure in this process: no policy, no wall."""

    class Handle:
        def records(self) -> Iterator[dict[str, object]]:
            for batch in capability.records():  # type: ignore[attr-defined]  # one of the two above
                yield from batch.to_pylist()

    space: dict[str, Callable[[object], Iterator[dict[str, object]]]] = {}
    exec(body, space)
    return lambda: list(space["closure"](Handle()))


def pipe_milliseconds(nbytes: int) -> float:
    """How long a plain pipe takes for that many bytes, in pieces of a mebibyte, between two threads."""
    reading, writing = os.pipe()
    piece = b"x" * 1_048_576

    def write() -> None:
        left = nbytes
        while left > 0:
            left -= os.write(writing, piece[: min(left, len(piece))])
        os.close(writing)

    started = time.perf_counter()
    thread = threading.Thread(target=write)
    thread.start()
    while os.read(reading, 1_048_576):
        pass
    thread.join()
    os.close(reading)
    return (time.perf_counter() - started) * 1000


def cold(opened: Callable[[], Sandbox]) -> None:
    """From nothing to a first result, and closed again."""
    sandbox = opened()
    ten(sandbox)
    sandbox.close()


def ten(sandbox: Sandbox) -> None:
    """One closure of ten rows."""
    good(sandbox.run(Job(TEN), Broker(None)))


def warm(sandboxes: Mapping[str, Sandbox], times: int = 100) -> dict[str, float]:
    """The median of a closure of ten rows for each, printed; they take turns, so that a noisy machine is unfair to none."""
    took: dict[str, list[float]] = {name: [] for name in sandboxes}
    for sandbox in sandboxes.values():
        ten(sandbox)
    for _ in range(times):
        for name, sandbox in sandboxes.items():
            took[name] += milliseconds(partial(ten, sandbox), 1, 0.01)
    for name, each in took.items():
        p50, p95 = statistics.median(each), percentile(each, 0.95)
        print(f"{name}: 10-row closure, warm: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    return {name: statistics.median(each) for name, each in took.items()}


def throughput(name: str, sandbox: Sandbox) -> None:
    """Many records out, many rows through, and many bytes in, beside the same work without a wall."""
    inside = statistics.median(milliseconds(plain(OUT_BODY, None), 5))
    walled = statistics.median(milliseconds(lambda: good(sandbox.run(Job(OUT_BODY, limits=LIMITS), Broker(None))), 5))
    print(f"{name}: 100 k records out: {walled:.0f} ms, in-process {inside:.0f} ms, ratio {inside / walled:.2f}")

    numbers = Numbers(300_000)
    inside = statistics.median(milliseconds(plain(THROUGH_BODY, numbers), 3))
    job = Job(THROUGH_BODY, limits=LIMITS)
    walled = statistics.median(milliseconds(lambda: good(sandbox.run(job, Broker(numbers))), 3))
    print(f"{name}: 300 k rows, row by row: {walled:.0f} ms, in-process {inside:.0f} ms, ratio {inside / walled:.2f}")

    wide = Wide(5_000_000)
    job = Job(IN_BODY, limits=LIMITS)
    grant = Grant(rows=10_000_000)
    walled = statistics.median(milliseconds(lambda: good(sandbox.run(job, Broker(wide, grant))), 3))
    piped = statistics.median([pipe_milliseconds(wide.nbytes) for _ in range(3)])
    rate = wide.nbytes / walled / 1e6
    print(
        f"{name}: 5 M rows in as Arrow: {walled:.0f} ms ({rate:.2f} GB/s), "
        f"plain pipe {piped:.0f} ms, ratio {piped / walled:.2f}"
    )


def plain_docker(address: str) -> dict[str, float]:
    """What a container for each call, and a program started in a running one for each call, take: an empty Python each."""
    found = engine(address)
    api, image, python = found.api, find_image(found), ["python3", "-c", "pass"]

    def run() -> None:
        container = api.create_container(image, python, host_config=api.create_host_config(network_mode="none"))["Id"]
        api.start(container)
        api.wait(container)
        api.remove_container(container)

    took = {"docker run": statistics.median(milliseconds(run, 7))}
    idle = ["python3", "-c", "import time; time.sleep(600)"]
    container = api.create_container(image, idle, host_config=api.create_host_config(network_mode="none"))["Id"]
    try:
        api.start(container)
        exec_ = milliseconds(lambda: api.exec_start(api.exec_create(container, python)["Id"]), 15)
        took["docker exec"] = statistics.median(exec_)
    finally:
        api.remove_container(container, force=True)
    return took


def docker(local: Local) -> None:
    """The docker sandbox by both of its ways, beside the local one and plain docker."""
    with docker_engine() as address:
        cold_ms = statistics.median(milliseconds(lambda: cold(lambda: Docker(address=address)), 5))
        print(f"docker: cold start to first result, and closed again: {cold_ms:.0f} ms")
        near, far = Docker(address=address, way="socket"), Docker(address=address, way="streams")
        try:
            figures = warm({"local": local, "docker (socket)": near, "docker (streams)": far})
            throughput("docker (socket)", near)
        finally:
            near.close()
            far.close()
        for name, took in {**figures, **plain_docker(address)}.items():
            print(f"{name}: {took:.1f} ms a call, {took / figures['local']:.1f} times the local sandbox")


def main() -> None:
    """Print a table."""
    cold_ms = statistics.median(milliseconds(lambda: cold(Local), 5))
    print(f"local: cold start to first result, and closed again: {cold_ms:.0f} ms")
    local = Local()
    try:
        warm({"local": local})
        throughput("local", local)
        docker(local)
    except ServiceMissing as missing:
        print(f"docker: not measured: {missing}")
    finally:
        local.close()


if __name__ == "__main__":
    main()
