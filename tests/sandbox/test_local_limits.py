"""Every limit of a job, passed on purpose: the run ends in time and the limit is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.backends.local import Local
from sandbox.broker import Broker
from sandbox.job import Job, Limits, RunResult

SMALL = Limits(wall_seconds=5, cpu_seconds=5, memory_mb=64, records=1_000, record_bytes=10_000, output_bytes=100_000)


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    sandbox = Local(policy=False)
    yield sandbox
    sandbox.close()


def run(local: Local, code: str, limits: Limits = SMALL, capability: object = None) -> RunResult:
    return local.run(Job(code, limits=limits), Broker(capability))


def test_wall_seconds(local: Local) -> None:
    started = time.monotonic()

    result = run(
        local,
        "import time\ndef closure(source):\n    yield {'a': 1}\n    yield {'a': 2}\n    time.sleep(60)\n",
        replace(SMALL, wall_seconds=0.5),
    )

    assert (result.status, result.limit) == ("limit", "wall_seconds")
    assert time.monotonic() - started < 3


def test_wall_seconds_of_a_loop_that_never_yields(local: Local) -> None:
    result = run(local, "def closure(source):\n    while True:\n        pass\n", replace(SMALL, wall_seconds=0.3))

    assert (result.status, result.limit) == ("limit", "wall_seconds")
    assert result.usage.cpu_ms > 5


def test_wall_seconds_of_a_process_that_sends_a_byte_now_and_then(local: Local) -> None:
    code = (
        "import os, struct, time\ndef closure(source):\n    os.write(3, struct.pack('<IB', 10_000, ord('r')))\n"
        "    for _ in range(10_000):\n        os.write(3, b'x')\n        time.sleep(0.2)\n"
    )

    result = run(local, code, replace(SMALL, wall_seconds=0.5))

    assert (result.status, result.limit) == ("limit", "wall_seconds")


class Slow:
    """A source that takes its time."""

    def lines(self) -> Iterator[list[str]]:
        for _ in range(100):
            time.sleep(0.1)
            yield ["x"]


def test_wall_seconds_include_the_waiting_for_the_source(local: Local) -> None:
    code = "def closure(source):\n    for line in source.lines():\n        pass\n    yield {}\n"

    result = run(local, code, replace(SMALL, wall_seconds=0.4), Slow())

    assert (result.status, result.limit) == ("limit", "wall_seconds")


def test_cpu_seconds(local: Local) -> None:
    result = run(local, "def closure(source):\n    while True:\n        pass\n", replace(SMALL, cpu_seconds=1))

    assert (result.status, result.limit) == ("limit", "cpu_seconds")
    assert result.usage.cpu_ms < 3_000


@pytest.mark.parametrize(
    "code",
    [
        "def closure(source):\n    x = 'a' * (200 * 1024 * 1024)\n    yield {'a': len(x)}\n",
        "def closure(source):\n    x = []\n    while True:\n        x.append('a' * 100_000)\n    yield {}\n",
        "def closure(source):\n    x = {}\n    for n in range(10**9):\n        x[n] = str(n)\n    yield {}\n",
        "def closure(source):\n    return [{'n': n, 't': str(n)} for n in range(10**7)]\n",
        "def closure(source):\n    return query(({'n': n} for n in range(10**7)), 'SELECT count(*) AS n FROM rows')\n",
        "def closure(source):\n    import pyarrow as pa\n    return [{'a': pa.allocate_buffer(10**9).size}]\n",
        "def closure(source):\n    return [list(query([{}], 'SELECT list(i) FROM range(100000000) t(i)'))]\n",
    ],
)
def test_memory_mb(local: Local, code: str) -> None:
    result = run(local, code)

    assert (result.status, result.limit) == ("limit", "memory_mb"), result
    assert result.fault is not None
    assert "64 MiB" in result.fault.message


def test_memory_that_is_given_back_does_not_count(local: Local) -> None:
    code = "def closure(source):\n    for n in range(20):\n        x = 'a' * (30 * 1024 * 1024)\n        del x\n    yield {'a': 1}\n"

    assert run(local, code).status == "ok"


def test_records(local: Local) -> None:
    result = run(local, "def closure(source):\n    for n in range(10**9):\n        yield {'n': n}\n")

    assert (result.status, result.limit) == ("limit", "records")
    assert 0 < len(result.records) <= 1_000


def test_as_many_records_as_the_limit_are_fine(local: Local) -> None:
    result = run(local, "def closure(source):\n    for n in range(1000):\n        yield {'n': n}\n")

    assert result.status == "ok"
    assert len(result.records) == 1_000


@pytest.mark.parametrize("before", [0, 5])
def test_record_bytes(local: Local, before: int) -> None:
    code = f"def closure(source):\n    for n in range({before}):\n        yield {{'n': n}}\n    yield {{'a': 'x' * 20_000}}\n"

    result = run(local, code)

    assert (result.status, result.limit) == ("limit", "record_bytes")
    assert result.fault is not None
    assert f"record {before + 1} " in result.fault.message
    assert len(result.records) == before


def test_a_record_as_long_as_the_limit_is_fine(local: Local) -> None:
    result = run(local, "def closure(source):\n    yield {'a': 'x' * 9_994}\n")

    assert result.status == "ok", result


def test_output_bytes(local: Local) -> None:
    code = "def closure(source):\n    while True:\n        yield {'a': 'x' * 5_000}\n"

    result = run(local, code)

    assert (result.status, result.limit) == ("limit", "output_bytes")
    assert result.usage.output_bytes <= 100_000 + 262_144 + 10_000


def test_depth(local: Local) -> None:
    code = "def closure(source):\n    x = {}\n    for _ in range(60):\n        x = {'x': [x]}\n    yield {'a': 1}\n    yield x\n"

    result = run(local, code)

    assert (result.status, result.limit) == ("limit", "depth")


def test_nesting_without_end(local: Local) -> None:
    result = run(local, "def closure(source):\n    x = []\n    x.append(x)\n    yield {'x': x}\n")

    assert result.status == "error"
    assert result.fault is not None
    assert "nested too deep" in result.fault.message


def test_stdout_is_cut_and_marked(local: Local) -> None:
    code = "def closure(source):\n    while True:\n        print('x' * 1000)\n        yield {'a': 1}\n"

    result = run(local, code, replace(SMALL, stdout_bytes=2_500))

    assert (result.status, result.limit) == ("limit", "records")
    assert result.stdout.startswith("x" * 1000)
    assert result.stdout.endswith("… [cut after 2500 bytes]")
    assert len(result.stdout) < 2_600


def test_endless_printing_ends_with_its_time(local: Local) -> None:
    code = "def closure(source):\n    while True:\n        print('x' * 10_000)\n"

    result = run(local, code, replace(SMALL, wall_seconds=0.5))

    assert (result.status, result.limit) == ("limit", "wall_seconds")
    assert len(result.stdout) < 70_000


def test_what_was_printed_before_a_limit_is_kept(local: Local) -> None:
    code = "def closure(source):\n    print('so far')\n    while True:\n        pass\n"

    result = run(local, code, replace(SMALL, wall_seconds=0.3))

    assert (result.limit, result.stdout) == ("wall_seconds", "so far\n")


def test_one_print_of_many_megabytes(local: Local) -> None:
    result = run(local, "def closure(source):\n    print('é' * 10_000_000)\n    yield {}\n")

    assert result.status == "ok"
    assert len(result.stdout.encode()) < 65_536 + 100


def test_code_bytes(local: Local) -> None:
    result = run(local, "#" * 70_000)

    assert (result.status, result.limit) == ("limit", "code_bytes")


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("import os\n    os.fork()", "processes"),
        ("import os\n    os.posix_spawn('/bin/true', ['true'], {})", "processes"),
        ("import threading\n    threading.Thread(target=print).start()", "threads"),
        ("open('/etc/passwd')", "files"),
        ("open('/tmp/x', 'w').write('x' * 10_000)", "files"),
        ("import os\n    os.memfd_create('x')", "files"),
    ],
)
def test_processes_threads_and_files(local: Local, code: str, limit: str) -> None:
    result = run(local, f"def closure(source):\n    yield {{'a': 1}}\n    {code}\n")

    assert (result.status, result.limit, result.records) == ("limit", limit, ({"a": 1},)), result


@pytest.mark.parametrize("name", ["processes", "threads", "files", "file_bytes"])
def test_what_no_sandbox_gives_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match=f"leave Limits.{name} at 0"):
        Limits(**{name: 1})


def test_the_sandbox_is_well_after_all_this(local: Local) -> None:
    assert run(local, "def closure(source):\n    yield {'a': 1}\n").records == ({"a": 1},)


def test_use_is_told(local: Local) -> None:
    code = (
        "def closure(source):\n    x = b'x' * (40 * 1024 * 1024)\n    sum(range(3_000_000))\n    yield {'a': len(x)}\n"
    )

    used = run(local, code).usage

    assert 35 < used.memory_mb < 60
    assert 5 < used.cpu_ms < 2_000
    assert used.wall_ms >= used.cpu_ms / 2
    assert used.records == 1


def test_a_small_job_uses_little(local: Local) -> None:
    used = run(local, "def closure(source):\n    yield {'a': 1}\n").usage

    assert used.memory_mb < 10
    assert used.cpu_ms < 50
