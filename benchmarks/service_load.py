"""How the execution service bears load: `python -m benchmarks.service_load [--seconds 60] [--clients 500] [--backend local]`.

So many clients at once on one service in a process of its own, over loopback. Nine in ten ask as they should, and come back when
Retry-After says so. The others misbehave: readers that take next to nothing, bodies of 100 MB, clients that leave in the
middle, fork bombs and endless loops. Printed are the times of good clients' answers, what was turned away, and what the service
holds afterwards beside what it held before; the exit code is 1 when it holds more, or did not live to the end. Before is after
a short load of the same kind: what only grows once is no leak.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.docker_engine import engine
from sandbox.job import SandboxUnavailable
from sandbox.service.keys import add_key
from tests.docker_engine import docker_engine

PROGRAM = """
import sys
from pathlib import Path
from sandbox.job import Limits
from sandbox.service.serve import serve
from sandbox.service.settings import Settings
limits = Limits(wall_seconds=5.0, cpu_seconds=5, memory_mb=256)
patience = {"stall_seconds": 5.0, "body_seconds": 5.0}
serve(Settings(Path(sys.argv[1]), port=0, limits=limits, backends=(sys.argv[2],), **patience))
"""
TEN = "def closure(source, *, n=10):\n    for i in range(n):\n        yield {'i': i, 'name': 'x'}\n"
SQL = "def closure(source):\n    yield from source.query('SELECT c, sum(n) AS n FROM t GROUP BY 1 ORDER BY 1')\n"
FORK = "import os\ndef closure(source):\n    while True:\n        os.fork()\n    yield {}\n"
LOOP = "def closure(source):\n    while True:\n        pass\n"
FLOOD = "def closure(source):\n    while True:\n        yield {'text': 'x' * 1000}\n"
ROWS = [{"c": f"c{n % 7}", "n": n} for n in range(100)]
HUNDRED_MB = 100 * 1_048_576
WARM_SECONDS = 8.0
SETTLE_SECONDS = 12.0
SPARE = {"descriptors": 8, "processes": 2, "threads": 2, "containers": 0, "resident_mb": 24}
"""How much more the service may hold afterwards: connections that are being closed, a worker that is being forked."""
IDLE_SECONDS = 3.0
"""A connection that would idle longer is closed: the service closes it after five."""


@dataclass
class Told:
    """What came of one kind of client."""

    seconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Target:
    """The service's address, and keys to take turns with."""

    port: int
    keys: list[str]

    def head(self, size: int, more: str = "") -> bytes:
        """The head of a request with one of the keys."""
        return (
            f"POST /v1/execute HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {random.choice(self.keys)}\r\n"
            f"Content-Type: application/json\r\n{more}Content-Length: {size}\r\n\r\n"
        ).encode()

    def request(self, asked: dict[str, object], more: str = "") -> bytes:
        """A request, whole."""
        body = json.dumps(asked).encode()
        return self.head(len(body), more) + body


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer with a body of told length or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if headers.get("transfer-encoding") != "chunked":
        return int(head[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return int(head[0].split()[1]), headers, body


async def good(target: Target, told: Told, end: float) -> None:
    """Ask again and again over one connection; wait as long as one is told to."""
    wire: Wire | None = None
    while time.monotonic() < end:
        asked: dict[str, object] = {"code": TEN} if random.random() < 0.7 else {"code": SQL, "inputs": {"t": ROWS}}
        began = time.monotonic()
        try:
            if wire is None:
                wire = await asyncio.open_connection("127.0.0.1", target.port)
            wire[1].write(target.request(asked))
            status, headers, body = await asyncio.wait_for(answer_of(wire[0]), 60)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            told.answers[type(error).__name__] += 1
            wire = None
            continue
        if status == 200:
            told.seconds.append(time.monotonic() - began)
            told.answers[json.loads(body)["status"]] += 1
        else:
            told.answers[str(status)] += 1
            if headers.get("connection") == "close":
                wire[1].close()
                wire = None
            pause = int(headers.get("retry-after", "1")) * random.uniform(1.0, 1.5)
            if wire is not None and pause > IDLE_SECONDS:
                wire[1].close()
                wire = None
            await asyncio.sleep(pause)
    if wire is not None:
        wire[1].close()


async def slow_reader(target: Target, told: Told, wire: Wire) -> None:
    """Ask for an endless answer and take a few bytes of it a second."""
    wire[1].write(target.request({"code": FLOOD}, "Accept: application/x-ndjson\r\n"))
    while piece := await wire[0].read(64):
        told.answers["read"] += len(piece) > 0
        await asyncio.sleep(1)


async def big_body(target: Target, told: Told, wire: Wire) -> None:
    """Send 100 MB, or as much of it as is taken."""
    wire[1].write(target.head(HUNDRED_MB))
    status: asyncio.Task[tuple[int, dict[str, str], bytes]] = asyncio.ensure_future(answer_of(wire[0]))
    piece = b"x" * 1_048_576
    with contextlib.suppress(OSError):
        for _ in range(100):
            wire[1].write(piece)
            await wire[1].drain()
    told.answers[str((await status)[0])] += 1


async def leaver(target: Target, told: Told, wire: Wire) -> None:
    """Ask for something endless and hang up."""
    wire[1].write(target.request({"code": LOOP}))
    await asyncio.sleep(random.uniform(0.0, 2.0))
    told.answers["left"] += 1


async def bomber(target: Target, told: Told, wire: Wire) -> None:
    """Ask for a fork bomb or an endless loop, and wait for what comes of it."""
    wire[1].write(target.request({"code": random.choice([FORK, LOOP]), "limits": {"wall_seconds": 1.0}}))
    status, _, body = await answer_of(wire[0])
    told.answers[json.loads(body)["status"] if status == 200 else str(status)] += 1


Misdeed = Callable[[Target, Told, Wire], Awaitable[None]]


async def bad(misdeed: Misdeed, target: Target, told: Told, end: float) -> None:
    """Misbehave again and again, each time over a fresh connection."""
    while time.monotonic() < end:
        wire: Wire | None = None
        try:
            wire = await asyncio.open_connection("127.0.0.1", target.port, limit=1024)
            await asyncio.wait_for(misdeed(target, told, wire), max(1.0, end + 10 - time.monotonic()))
        except (OSError, EOFError, TimeoutError) as error:
            told.answers[type(error).__name__] += 1
        finally:
            if wire is not None:
                wire[1].transport.abort()
        await asyncio.sleep(random.uniform(0.2, 1.0))


def percentile(values: list[float], part: float) -> float:
    """A percentile by rank, in milliseconds."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] * 1000 if values else float("nan")


def holds(pid: int) -> dict[str, int]:
    """What a process holds: descriptors, processes below it, threads, containers on the engine, resident MiB."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    root = Path("/proc") / str(pid)
    pages = int((root / "statm").read_text().split()[1])
    return {
        "descriptors": len(os.listdir(root / "fd")),
        "processes": len(below),
        "threads": len(os.listdir(root / "task")),
        "containers": containers(),
        "resident_mb": pages * resource.getpagesize() // 1_048_576,
    }


def containers() -> int:
    """The sandbox's containers on the engine, running or not; none where no engine answers."""
    try:
        return len(engine().api.containers(all=True, filters={"label": "tars.sandbox"}))
    except SandboxUnavailable:
        return 0


async def load(target: Target, badly: Target, clients: int, seconds: float) -> dict[str, Told]:
    """Everybody at once."""
    told = {name: Told() for name in ("good", "slow reader", "100 MB body", "leaver", "fork bomb or loop")}
    misdeeds: list[tuple[str, Misdeed]] = [
        ("slow reader", slow_reader),
        ("100 MB body", big_body),
        ("leaver", leaver),
        ("fork bomb or loop", bomber),
    ]
    end = time.monotonic() + seconds
    tasks: list[Awaitable[None]] = []
    for number in range(clients):
        if number % 10:
            tasks.append(good(target, told["good"], end))
        else:
            name, misdeed = misdeeds[number // 10 % len(misdeeds)]
            tasks.append(bad(misdeed, badly, told[name], end))
    await asyncio.gather(*tasks)
    return told


def started(home: Path, backend: str) -> tuple[subprocess.Popen[str], int]:
    """The service in a process of its own, and its port."""
    log = home / "log"
    with log.open("w") as stream:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(home), backend], stderr=stream, text=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            told = json.loads(line) if line.endswith("}") else {}
            if told.get("message") == "listening":
                return process, int(told["port"])
        time.sleep(0.05)
    process.kill()
    raise SystemExit("the service did not start")


async def warmed(target: Target) -> float:
    """Milliseconds that one client alone waits for ten rows, at the median, when everything is warm."""
    told = Told()
    wire = await asyncio.open_connection("127.0.0.1", target.port)
    for _ in range(30):
        began = time.monotonic()
        wire[1].write(target.request({"code": TEN}))
        status, _, _ = await answer_of(wire[0])
        if status == 200:
            told.seconds.append(time.monotonic() - began)
        wire[1].write(target.request({"code": SQL, "inputs": {"t": ROWS}}))
        await answer_of(wire[0])
    wire[1].close()
    return percentile(told.seconds, 0.5)


def said(told: dict[str, Told], seconds: float) -> None:
    """Print what came of everybody."""
    for name, one in told.items():
        print(f"{name}: {dict(one.answers.most_common())}")
    fine = told["good"]
    asked = sum(fine.answers.values())
    turned_away = fine.answers["429"]
    print(
        f"good clients: {len(fine.seconds)} answers, {len(fine.seconds) / seconds:.0f} a second, "
        f"p50 {percentile(fine.seconds, 0.5):.0f} ms, p99 {percentile(fine.seconds, 0.99):.0f} ms, "
        f"turned away {turned_away} of {asked} ({turned_away / max(asked, 1):.0%})"
    )


def measured(home: Path, backend: str, clients: int, seconds: float) -> bool:
    """Put the load on a service and print the figures; whether it lived and held no more afterwards."""

    def key(name: str) -> str:
        return add_key(home, name, ["execute"], per_minute=1_000_000, concurrent=1_000)[1]

    good_keys, bad_keys = [key(f"good {n}") for n in range(9)], [key("bad")]
    process, port = started(home, backend)
    try:
        target, badly = Target(port, good_keys), Target(port, bad_keys)
        alone = asyncio.run(warmed(target))
        asyncio.run(load(target, badly, clients, min(WARM_SECONDS, seconds)))
        time.sleep(SETTLE_SECONDS)
        before = holds(process.pid)
        told = asyncio.run(load(target, badly, clients, seconds))
        print(f"{backend}: {clients} clients for {seconds:g} s; one client alone: p50 {alone:.1f} ms")
        said(told, seconds)
        time.sleep(SETTLE_SECONDS)
        lives = process.poll() is None
        alone = asyncio.run(warmed(target)) if lives else float("nan")
        after = holds(process.pid) if lives else {}
        print(f"it lives: {lives}; one client alone afterwards: p50 {alone:.1f} ms")
        print(f"before: {before}\nafter:  {after}")
    finally:
        process.terminate()
        process.wait(60)
    left = containers()
    leaks = [name for name, amount in after.items() if amount > before[name] + SPARE[name]]
    print(f"leaks: {', '.join(leaks) or 'none'}; containers once it has ended: {left}; exit code {process.returncode}")
    failed = told["good"].answers["500"] + told["good"].answers["error"] + told["good"].answers["crashed"]
    return lives and not leaks and left == 0 and process.returncode == 0 and failed == 0


def main() -> None:
    """Run it; the exit code says how it went."""
    options = argparse.ArgumentParser(description="Load the execution service.")
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--clients", type=int, default=500)
    options.add_argument("--backend", choices=("local", "docker"), default="local")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if given.backend == "docker":
            os.environ["DOCKER_HOST"] = stack.enter_context(docker_engine())
        sys.exit(not measured(home, given.backend, given.clients, given.seconds))


if __name__ == "__main__":
    main()
