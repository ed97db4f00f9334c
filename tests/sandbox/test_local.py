"""The local sandbox on honest closures: what they may be, what they get, how their ends are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sandbox.backends.local import Local
from sandbox.broker import Broker, Call, CallRefused
from sandbox.job import Fault, Job, Limits, Record, RunResult, SandboxDied, SandboxUnavailable
from sandbox.zones import zone_data
from tests.sandbox.processes import alive, descendants


class Shop:
    """Rows of several shapes behind the verbs."""

    def __init__(self) -> None:
        self.left_early = 0

    def records(self, within: str = "") -> Iterator[Any]:
        try:
            for start in (0, 3):
                numbers = range(start, start + 3)
                yield pa.RecordBatch.from_pydict(
                    {
                        "id": list(numbers),
                        "price": [Decimal(n) + Decimal("0.50") for n in numbers],
                        "day": [date(2021, 1, 1) + timedelta(days=n) for n in numbers],
                        "at": pa.array(
                            [datetime(2021, 1, 1, n, tzinfo=UTC) for n in numbers], pa.timestamp("us", "UTC")
                        ),
                        "tag": pa.array([f"{within}t{n % 2}" for n in numbers]).dictionary_encode(),
                    }
                )
        finally:
            self.left_early += 1

    def lines(self, within: str = "") -> Iterator[list[str]]:
        yield [f"{within}first", "second"]
        yield ["third"]

    def pages(self, path: str, params: dict[str, object] | None = None) -> Iterator[list[dict[str, object]]]:
        for page in range(3):
            yield [{"page": page, "n": n, "params": params} for n in range(2)]

    def get(self, path: str, params: dict[str, object] | None = None) -> object:
        if path == "/missing":
            raise CallRefused("not-found", "no such page")
        return {"path": path, "list": [1, 2, {"x": None}]}

    def read(self, offset: int = 0, size: int = 65536) -> bytes:
        return b"0123456789"[offset : offset + size]

    def list(self, prefix: str = "") -> list[dict[str, object]]:
        return [{"name": "a.txt", "size": 3}]


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    sandbox = Local()
    yield sandbox
    sandbox.close()


def run(local: Local, code: str, capability: object = None, **options: Any) -> RunResult:
    return local.run(Job(code, **options), Broker(capability))


def records(local: Local, code: str, capability: object = None, **options: Any) -> list[Record]:
    result = run(local, code, capability, **options)
    assert result.status == "ok", result
    assert result.fault is None
    return list(result.records)


@pytest.mark.parametrize(
    "code",
    [
        "def closure(source):\n    yield {'a': 1}\n    yield {'a': 2}\n",
        "def closure(source):\n    return [{'a': 1}, {'a': 2}]\n",
        "def closure(source):\n    return ({'a': n} for n in (1, 2))\n",
        "def closure(source):\n    return map(lambda n: {'a': n}, [1, 2])\n",
        "async def closure(source):\n    yield {'a': 1}\n    yield {'a': 2}\n",
        "async def closure(source):\n    return [{'a': 1}, {'a': 2}]\n",
        "async def two():\n    return 2\n\nasync def closure(source):\n    yield {'a': 1}\n    yield {'a': await two()}\n",
    ],
)
def test_a_closure_may_have_any_of_these_shapes(local: Local, code: str) -> None:
    assert records(local, code) == [{"a": 1}, {"a": 2}]


def test_parameters_arrive_as_they_were(local: Local) -> None:
    code = "def closure(source, *, a=1, b=None, c=0):\n    yield {'a': a, 'b': b, 'c': c, 'later': b.year}\n"

    got = records(local, code, parameters={"b": date(2021, 2, 3), "c": Decimal("1.10")})

    assert got == [{"a": 1, "b": date(2021, 2, 3), "c": Decimal("1.10"), "later": 2021}]


def test_every_plain_type_comes_out(local: Local) -> None:
    code = """
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from collections import OrderedDict, namedtuple

Point = namedtuple("Point", "x y")

def closure(source):
    yield {
        "int": 2**70, "decimal": Decimal("1.50"), "date": date(2021, 1, 2), "time": time(3, 4),
        "at": datetime(2021, 1, 2, 3, 4, tzinfo=timezone.utc), "span": timedelta(seconds=90), "id": UUID(int=5),
        "bytes": b"\\x00\\xff", "none": None, "list": [1, (2, 3), Point(4, 5)], "nested": OrderedDict(a={"b": True}),
        "text": "æ 雪 🙂",
    }
"""

    (record,) = records(local, code)

    assert record["int"] == 2**70
    assert str(record["decimal"]) == "1.50"
    assert record["at"] == datetime(2021, 1, 2, 3, 4, tzinfo=UTC)
    assert record["list"] == [1, [2, 3], [4, 5]]
    assert type(record["nested"]) is dict
    assert record["text"] == "æ 雪 🙂"
    assert record["span"] == timedelta(seconds=90)


def test_records_are_taken_as_they_are_when_yielded(local: Local) -> None:
    code = """
def closure(source):
    record, seen = {}, []
    for n in range(3):
        record["n"] = n
        seen.append(n)
        yield record
        yield {"seen": seen, "last": {"n": record}}
"""

    got = records(local, code)

    assert got[::2] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [r["seen"] for r in got[1::2]] == [[0], [0, 1], [0, 1, 2]]


def test_many_records_arrive_whole_and_in_order(local: Local) -> None:
    code = "def closure(source):\n    for n in range(25_000):\n        yield {'n': n, 'text': 'x' * (n % 50)}\n"

    result = run(local, code)

    assert [r["n"] for r in result.records] == list(range(25_000))
    assert result.usage.records == 25_000
    assert result.usage.output_bytes > 25_000
    assert result.usage.wall_ms > 0


def test_records_go_to_the_sink_in_batches_as_they_come(local: Local) -> None:
    batches: list[list[Record]] = []
    code = "def closure(source):\n    for n in range(2_500):\n        yield {'n': n}\n"

    result = local.run(Job(code), Broker(None), batches.append)

    assert result.records == ()
    assert len(batches) > 1
    assert [r["n"] for batch in batches for r in batch] == list(range(2_500))


def test_a_slow_closure_is_heard_before_it_ends(local: Local) -> None:
    heard: list[float] = []
    code = """
from functools import reduce

def closure(source):
    for n in range(4):
        yield {"n": n}
        reduce(lambda a, b: a + b, range(700_000))
"""

    result = local.run(Job(code), Broker(None), lambda batch: heard.append(time.monotonic()))

    assert result.status == "ok"
    assert heard[-1] - heard[0] > 0.05


def test_a_sink_that_fails_ends_the_run_with_its_own_error(local: Local) -> None:
    def sink(batch: list[Record]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        local.run(Job("def closure(source):\n    yield {'a': 1}\n"), Broker(None), sink)


# -------------------------------------------------------------------------------------------------------- the source


def test_typed_rows_arrive_as_python_values(local: Local) -> None:
    code = """
def closure(source):
    for row in source.records():
        yield {**row, "next": row["day"].day + 1, "total": row["price"] * 2, "hour": row["at"].hour}
"""

    got = records(local, code, Shop())

    assert len(got) == 6
    assert got[4] == {
        "id": 4,
        "price": Decimal("4.50"),
        "day": date(2021, 1, 5),
        "at": datetime(2021, 1, 1, 4, tzinfo=UTC),
        "tag": "t0",
        "next": 6,
        "total": Decimal("9.00"),
        "hour": 4,
    }


def test_each_verb_gives_what_its_protocol_says(local: Local) -> None:
    code = """
def closure(source):
    yield {"lines": list(source.lines())}
    yield {"get": source.get("/x")}
    yield {"read": source.read(2, size=3)}
    yield {"list": source.list()}
    yield {"pages": [item["n"] for item in source.pages("/p", params={"q": 1})]}
    yield {"inner": next(source.open("a.txt").lines())}
    yield {"inner": next(iter(source.open("a.txt").records()))["tag"]}
"""

    got = records(local, code, Shop())

    assert got == [
        {"lines": ["first", "second", "third"]},
        {"get": {"path": "/x", "list": [1, 2, {"x": None}]}},
        {"read": b"234"},
        {"list": [{"name": "a.txt", "size": 3}]},
        {"pages": [0, 1, 0, 1, 0, 1]},
        {"inner": "a.txtfirst"},
        {"inner": "a.txtt0"},
    ]


def test_async_for_reads_the_source(local: Local) -> None:
    code = "async def closure(source):\n    async for line in source.lines():\n        yield {'line': line}\n"

    assert [r["line"] for r in records(local, code, Shop())] == ["first", "second", "third"]


def test_an_answer_may_be_handed_on_whole(local: Local) -> None:
    assert len(records(local, "def closure(source):\n    return source.records()\n", Shop())) == 6


def test_two_answers_may_be_read_side_by_side(local: Local) -> None:
    code = """
def closure(source):
    for line, row in zip(source.lines(), source.records()):
        yield {"line": line, "id": row["id"]}
"""

    assert records(local, code, Shop())[2] == {"line": "third", "id": 2}


def test_a_refusal_can_be_caught_by_its_code(local: Local) -> None:
    code = """
def closure(source):
    try:
        source.get("/missing")
    except SourceError as error:
        yield {"code": error.code, "message": error.message}
    try:
        source.query("SELECT 1")
    except SourceError as error:
        yield {"code": error.code}
"""

    assert records(local, code, Shop()) == [
        {"code": "not-found", "message": "no such page"},
        {"code": "not-granted"},
    ]


def test_an_uncaught_refusal_is_the_runs_fault(local: Local) -> None:
    result = run(local, "def closure(source):\n    yield {'a': 1}\n    source.get('/missing')\n", Shop())

    assert result.status == "error"
    assert result.fault == Fault("SourceError", "no such page (not-found)", 3)
    assert result.records == ({"a": 1},)


def test_an_answer_left_half_read_is_given_back(local: Local) -> None:
    shop, log = Shop(), list[Call]()
    code = """
def closure(source):
    for row in source.records():
        yield {"id": row["id"]}
        break
    yield {"id": source.read(0, 1)}
"""

    result = local.run(Job(code), Broker(shop, log=log.append))

    assert [r["id"] for r in result.records] == [0, b"0"]
    assert shop.left_early == 1
    assert {call.verb: len(call.batches) for call in log} == {"records": 1, "read": 1}


def test_wrong_arguments_are_a_type_error_on_the_closures_line(local: Local) -> None:
    result = run(local, "def closure(source):\n    return source.lines(5, 6)\n", Shop())

    assert result.fault is not None
    assert (result.fault.type, result.fault.line) == ("TypeError", 2)


def test_time_zones_come_from_the_host(local: Local) -> None:
    code = """
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, available_timezones

def closure(source):
    at = datetime(2021, 7, 1, 12, tzinfo=timezone.utc).astimezone(ZoneInfo("Europe/Berlin"))
    yield {"hour": at.hour, "many": len(available_timezones()) > 300}
    try:
        ZoneInfo("Mars/Olympus")
    except KeyError:
        yield {"hour": None}
"""

    assert records(local, code) == [{"hour": 14, "many": True}, {"hour": None}]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "Europe/../../x", "Europe", "a" * 200, "posix/.."])
def test_zone_names_are_not_paths(name: str) -> None:
    assert zone_data(name) == b""


# --------------------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("code", "type_", "line"),
    [
        ("def closure(source):\n    yield {'a': 1}\n    {}['price']\n", "KeyError", 3),
        (
            "def helper(x):\n    return 1 / x\n\ndef closure(source):\n    return [{'a': helper(0)}]\n",
            "ZeroDivisionError",
            2,
        ),
        ("X = int('x')\n\ndef closure(source):\n    return []\n", "ValueError", 1),
        (
            "def closure(source):\n    def deep(n):\n        return deep(n + 1)\n    return deep(0)\n",
            "RecursionError",
            3,
        ),
        ("def closure(source):\n    raise StopIteration\n    yield\n", "RuntimeError", 2),
        ("class Odd(Exception):\n    pass\n\ndef closure(source):\n    raise Odd('x')\n", "Odd", 5),
        ("def closure(source):\n    pass\n", "TypeError", None),
        ("def closure(source):\n    return {'a': 1}\n", "TypeError", None),
        ("def closure(source):\n    return 5\n", "TypeError", None),
        ("def closure(source):\n    yield 5\n", "RecordRefused", None),
        ("import os\n\ndef closure(source):\n    return []\n", "PolicyRefused", 1),
        ("def closure(source:\n    return []\n", "PolicyRefused", 1),
    ],
)
def test_a_fault_has_its_type_and_the_closures_own_line(local: Local, code: str, type_: str, line: int | None) -> None:
    result = run(local, code)

    assert result.status == "error"
    assert result.fault is not None
    assert (result.fault.type, result.fault.line) == (type_, line)
    assert result.fault.message


def test_an_unknown_parameter_is_a_fault(local: Local) -> None:
    result = run(local, "def closure(source, *, n=1):\n    return []\n", parameters={"m": 2})

    assert result.fault is not None
    assert (result.status, result.fault.type) == ("error", "TypeError")
    assert "'m'" in result.fault.message


def test_a_parameter_that_is_not_plain_is_told(local: Local) -> None:
    result = run(local, "def closure(source, *, a):\n    return []\n", parameters={"a": object()})

    assert result.status == "error"
    assert "object" in str(result.fault)


@pytest.mark.parametrize("value", ["float('nan')", "[float('inf')]", "{1, 2}", "{1: 2}", "'\\ud800'", "lambda: 1"])
def test_a_record_that_cannot_be_kept_is_named_by_number(local: Local, value: str) -> None:
    result = run(local, f"def closure(source):\n    yield {{'a': 1}}\n    yield {{'a': {value}}}\n")

    assert result.status == "error"
    assert result.fault is not None
    assert result.fault.type == "RecordRefused"
    assert result.fault.message.startswith("record 2 ")
    assert "'a'" in result.fault.message


def test_output_is_captured_not_protocol(local: Local) -> None:
    code = """
def closure(source):
    print("hello", 5, "\\x00\\x01")
    yield {"a": 1}
    print("é" * 10)
"""

    result = run(local, code)

    assert result.records == ({"a": 1},)
    assert result.stdout == "hello 5 \x00\x01\n" + "é" * 10 + "\n"


def test_what_was_printed_before_a_fault_is_kept(local: Local) -> None:
    result = run(local, "def closure(source):\n    print('so far')\n    return 1 / 0\n")

    assert result.stdout == "so far\n"


# ---------------------------------------------------------------------------------------------------- the sandbox


def test_nothing_is_left_from_one_job_to_the_next(local: Local) -> None:
    code = """
import json
from collections import OrderedDict

SEEN = []

def closure(source):
    SEEN.append(1)
    yield {"seen": len(SEEN)}
"""

    assert [records(local, code) for _ in range(5)] == [[{"seen": 1}]] * 5


def test_sets_are_ordered_alike_in_every_run(local: Local) -> None:
    code = "def closure(source):\n    yield {'order': list({'a', 'b', 'c', 'd', 'e', 'f'})}\n"
    other = Local()

    try:
        assert records(local, code) == records(other, code)
    finally:
        other.close()


def test_jobs_run_side_by_side(local: Local) -> None:
    code = "def closure(source, *, n=0):\n    for _ in range(200):\n        yield {'n': n}\n"
    results: dict[int, RunResult] = {}

    def one(n: int) -> None:
        results[n] = run(local, code, parameters={"n": n})

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all({r["n"] for r in results[n].records} == {n} for n in range(8))


def test_no_descriptor_is_left_behind(local: Local) -> None:
    code = "def closure(source):\n    return source.records()\n"
    records(local, code, Shop())
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(10):
        records(local, code, Shop())
        run(local, "def closure(source):\n    return 1 / 0\n")

    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_closed_sandbox_says_so() -> None:
    sandbox = Local()
    sandbox.close()

    with pytest.raises(SandboxUnavailable, match="closed"):
        sandbox.run(Job("def closure(source):\n    return []\n"), Broker(None))


def gone(pids: list[int], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_closing_stops_every_process() -> None:
    before = set(descendants(os.getpid()))
    sandbox = Local()
    run(sandbox, "def closure(source):\n    return []\n")
    started = [pid for pid in descendants(os.getpid()) if pid not in before]

    sandbox.close()

    assert len(started) >= 3
    assert gone(started)


@pytest.mark.parametrize("which", [0, 1])
def test_a_killed_keeper_or_zygote_takes_all_with_it_and_is_replaced(which: int) -> None:
    before = set(descendants(os.getpid()))
    sandbox = Local()
    try:
        run(sandbox, "def closure(source):\n    return []\n")
        inside = [pid for pid in descendants(os.getpid()) if pid not in before]

        os.kill(inside[which], signal.SIGKILL)

        assert gone(inside[1:])
        assert run(sandbox, "def closure(source):\n    return [{'a': 1}]\n").records == ({"a": 1},)
    finally:
        sandbox.close()


def test_a_sandbox_that_dies_in_mid_job_is_never_a_finding() -> None:
    before = set(descendants(os.getpid()))
    sandbox = Local()
    try:
        sandbox.facts()
        _, zygote, *_ = [pid for pid in descendants(os.getpid()) if pid not in before]
        threading.Timer(0.3, os.kill, (zygote, signal.SIGKILL)).start()

        with pytest.raises(SandboxDied):
            run(sandbox, "def closure(source):\n    while True:\n        pass\n")

        assert run(sandbox, "def closure(source):\n    return [{'a': 1}]\n").records == ({"a": 1},)
    finally:
        sandbox.close()


HOST = """
import sys, time
from sandbox.backends.local import Local
from sandbox.broker import Broker
from sandbox.job import Job
local = Local()
local.facts()
print("up", flush=True)
local.run(Job("def closure(source):\\n    while True:\\n        pass\\n"), Broker(None))
"""


def test_everything_ends_with_a_host_that_is_killed() -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE)
    assert host.stdout is not None
    host.stdout.readline()
    time.sleep(0.1)
    inside = descendants(host.pid)

    host.kill()
    host.wait()
    host.stdout.close()

    assert len(inside) >= 3
    assert gone(inside)


def as_nobody(number: int = 1000) -> list[str] | None:
    """How to start an interpreter like this one as a user without rights; None when there is none such a user can read."""
    path = ":".join(dict.fromkeys(filter(None, [str(Path(__file__).parents[2]), *sys.path])))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (
        sys.executable,
        os.path.realpath(sys.executable),
        f"/usr/bin/{version}",
        f"/usr/local/bin/{version}",
    ):
        command = ["env", "-i", f"PYTHONPATH={path}", "PYTHONDONTWRITEBYTECODE=1", interpreter]
        try:
            tried = subprocess.run(
                [*command, "-c", "import sandbox, duckdb"], user=number, group=number, extra_groups=[], cwd="/"
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return command
    return None


ORDINARY = """
import os
from sandbox.backends.local import Local
from sandbox.broker import Broker
from sandbox.job import Job
local = Local()
facts = local.facts()
print(os.getuid(), facts["root"], len(facts["attacks"]) > 10)
print(local.run(Job("def closure(source):\\n    return query([{'a': 1}], 'SELECT a + 1 AS a FROM rows')\\n"), Broker(None)).records)
local.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_has_the_same_walls() -> None:
    command = as_nobody()
    if command is None:
        pytest.skip("no interpreter that an ordinary user may read")

    done = subprocess.run(
        [*command, "-c", ORDINARY], user=1000, group=1000, extra_groups=[], cwd="/", capture_output=True, text=True
    )

    assert done.stdout == "1000 False True\n({'a': 2},)\n", done.stderr


REFUSED = """
from sandbox.backends.local import Local
from sandbox.broker import Broker
from sandbox.job import Job, SandboxUnavailable
local = Local()
try:
    local.run(Job("def closure(source):\\n    return []\\n"), Broker(None))
except SandboxUnavailable as missing:
    print(missing)
local.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="an ordinary user needs no capability that could be taken away")
def test_it_refuses_to_run_when_namespaces_cannot_be_had() -> None:
    # 24 drops a capability from what a program may ever have; 21 is the one that makes namespaces.
    drop = "import ctypes, os, sys\nctypes.CDLL(None).prctl(24, 21, 0, 0, 0)\n"
    wrapped = f"{drop}os.execv(sys.executable, [sys.executable, '-c', {REFUSED!r}])\n"

    done = subprocess.run([sys.executable, "-c", wrapped], capture_output=True, text=True)

    assert "missing: namespaces: Operation not permitted" in done.stdout, done.stderr
    assert "never run without a sandbox" in done.stdout


def test_the_start_proves_its_walls(local: Local) -> None:
    facts = local.facts()

    attacks = facts["attacks"]
    assert isinstance(attacks, list)
    assert {"read a file", "open a socket", "fork", "make memory executable"} <= set(attacks)


def test_limits_are_data(local: Local) -> None:
    result = run(local, "def closure(source):\n    yield {'a': 1}\n    yield {'a': 2}\n", limits=Limits(records=1))

    assert (result.status, result.limit) == ("limit", "records")
