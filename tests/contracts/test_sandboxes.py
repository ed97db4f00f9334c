"""What every sandbox promises, whatever is behind it. A new file in sandbox/backends meets these at once."""

from __future__ import annotations

import importlib
import os
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sandbox.backends.docker import Docker
from sandbox.backends.scripted import Scripted
from sandbox.broker import Broker, Call, CallRefused, Grant
from sandbox.job import Fault, Job, Limits, Record, RunResult, Sandbox, SandboxUnavailable
from sandbox.open import open_sandbox, sandbox_names

TWO = "def closure(source, *, n=2):\n    for i in range(n):\n        yield {'i': i}\n"

# A sandbox that plays back is told beforehand what a real one would find out.
SCRIPTS: dict[str, RunResult] = {
    "two": RunResult("ok", ({"i": 0}, {"i": 1})),
    "three": RunResult("ok", ({"i": 0}, {"i": 1}, {"i": 2})),
    "broken": RunResult("error", ({"i": 0},), Fault("ZeroDivisionError", "division by zero", 3)),
    "limit": RunResult("limit", ({"i": 0},), Fault("LimitExceeded", "more than 1"), "records"),
}

Opened = Callable[..., Sandbox]


class Lines:
    """Two lines, or a refusal."""

    def lines(self) -> Iterator[list[str]]:
        yield ["one", "two"]

    def text(self) -> str:
        raise CallRefused("unavailable", "the line is down")


@pytest.fixture(params=sandbox_names())
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Opens the backend, for those that only play back with the results they shall give."""
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    made: list[Sandbox] = []

    def open_it(*scripts: str) -> Sandbox:
        sandbox: Sandbox = importlib.import_module(f"sandbox.backends.{request.param}").create()
        if isinstance(sandbox, Scripted):
            sandbox.results = [SCRIPTS[name] for name in scripts]
        made.append(sandbox)
        return sandbox

    yield open_it
    for sandbox in made:
        sandbox.close()


def test_it_is_named_for_its_file(opened: Opened) -> None:
    assert opened().name in sandbox_names()


def test_it_runs_a_job_and_gives_its_records(opened: Opened) -> None:
    result = opened("two").run(Job(TWO), Broker(None))

    assert (result.status, result.records) == ("ok", ({"i": 0}, {"i": 1}))
    assert (result.fault, result.limit) == (None, None)


def test_it_hands_the_parameters_on(opened: Opened) -> None:
    result = opened("three").run(Job(TWO, {"n": 3}), Broker(None))

    assert len(result.records) == 3


def test_records_go_to_a_sink_instead(opened: Opened) -> None:
    taken: list[Record] = []

    result = opened("two").run(Job(TWO), Broker(None), taken.extend)

    assert (result.status, result.records) == ("ok", ())
    assert taken == [{"i": 0}, {"i": 1}]


def test_a_fault_is_a_value_with_the_closures_line(opened: Opened) -> None:
    result = opened("broken").run(Job("def closure(source):\n    yield {'i': 0}\n    1 / 0\n"), Broker(None))

    assert (result.status, result.records) == ("error", ({"i": 0},))
    assert result.fault == Fault("ZeroDivisionError", "division by zero", 3)


def test_a_limit_is_named(opened: Opened) -> None:
    result = opened("limit").run(Job(TWO, limits=Limits(records=1)), Broker(None))

    assert (result.status, result.limit) == ("limit", "records")


def test_one_job_after_another(opened: Opened) -> None:
    sandbox = opened("two", "broken", "two")

    ends = [sandbox.run(Job(code), Broker(None)).status for code in (TWO, TWO + "    1 / 0\n", TWO)]

    assert ends == ["ok", "error", "ok"]


def test_closing_twice_is_no_matter_and_closed_is_closed(opened: Opened) -> None:
    sandbox = opened("two")
    sandbox.close()
    sandbox.close()

    with pytest.raises(SandboxUnavailable, match="closed"):
        sandbox.run(Job(TWO), Broker(None))


# ------------------------------------------------------------------------------- for those that really run the code

REAL = [name for name in sandbox_names() if name != "scripted"]


@pytest.fixture(params=REAL, scope="module")
def real(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    sandbox = open_sandbox(request.param)
    yield sandbox
    sandbox.close()


def test_the_source_is_reached_through_the_broker_only(real: Sandbox) -> None:
    broker = Broker(Lines())
    code = "def closure(source):\n    for line in source.lines():\n        yield {'line': line}\n"

    result = real.run(Job(code), broker)

    assert result.records == ({"line": "one"}, {"line": "two"})
    assert broker.meter.by_verb == {"lines": 1}


def test_a_refused_call_is_an_error_the_closure_can_catch(real: Sandbox) -> None:
    code = """
def closure(source):
    try:
        source.text()
    except SourceError as error:
        yield {"code": error.code}
    source.list()
"""

    result = real.run(Job(code), Broker(Lines()))

    assert result.records == ({"code": "unavailable"},)
    assert result.fault is not None
    assert (result.fault.type, result.fault.line) == ("SourceError", 7)


@pytest.mark.parametrize(
    ("code", "limits", "limit"),
    [
        ("while True: pass", Limits(wall_seconds=0.3), "wall_seconds"),
        ("while True: pass", Limits(cpu_seconds=1), "cpu_seconds"),
        ("x = 'a' * 10**9", Limits(memory_mb=64), "memory_mb"),
        ("yield {'a': 'x' * 5_000}", Limits(record_bytes=1_000), "record_bytes"),
        ("yield {'a': [[[1]]]}", Limits(depth=3), "depth"),
        ("while True: yield {'a': 'x' * 500}", Limits(output_bytes=10_000), "output_bytes"),
        ("yield {}; yield {}", Limits(records=1), "records"),
        ("yield {}", Limits(code_bytes=10), "code_bytes"),
    ],
)
def test_every_limit_is_enforced_and_named(real: Sandbox, code: str, limits: Limits, limit: str) -> None:
    result = real.run(Job(f"def closure(source):\n    yield {{}}\n    {code}\n", limits=limits), Broker(None))

    assert (result.status, result.limit) == ("limit", limit), result


@pytest.mark.parametrize(
    ("grant", "limit"), [(Grant(calls=2), "calls"), (Grant(rows=3), "rows"), (Grant(answer_bytes=10), "answer_bytes")]
)
def test_every_limit_of_the_grant_is_enforced_and_named(real: Sandbox, grant: Grant, limit: str) -> None:
    code = "def closure(source):\n    while True:\n        yield {'lines': list(source.lines())}\n"

    result = real.run(Job(code), Broker(Lines(), grant))

    assert (result.status, result.limit) == ("limit", limit), result
    assert result.fault is not None
    assert result.fault.line == 3


@pytest.mark.parametrize(
    ("call", "grant"),
    [("source.text()", Grant(calls=5)), ("source.query('x' * 1_000_000)", Grant(calls=1_000_000))],
)
def test_who_asks_on_and_on_is_ended(real: Sandbox, call: str, grant: Grant) -> None:
    asks = f"        try:\n            {call}\n        except SourceError:\n            pass\n"
    log: list[Call] = []

    result = real.run(Job(f"def closure(source):\n    while True:\n{asks}"), Broker(Lines(), grant, log.append))

    assert (result.status, result.limit) == ("limit", "calls"), result
    assert len(log) < 200


def test_a_call_with_arguments_without_end_is_named(real: Sandbox) -> None:
    job = Job("def closure(source):\n    yield {'a': source.query('x' * 50_000_000)}\n")

    result = real.run(job, Broker(Lines()))

    assert (result.status, result.limit) == ("limit", "calls"), result
    assert result.fault is not None
    assert "the arguments of a call are longer than" in result.fault.message


def test_code_that_breaks_the_policy_does_not_run(real: Sandbox) -> None:
    result = real.run(Job("import os\n\ndef closure(source):\n    yield {'cwd': os.getcwd()}\n"), Broker(None))

    assert (result.status, result.records) == ("error", ())
    assert result.fault is not None
    assert (result.fault.type, result.fault.line) == ("PolicyRefused", 1)


def test_printing_is_captured(real: Sandbox) -> None:
    result = real.run(Job("def closure(source):\n    print('hello')\n    return []\n"), Broker(None))

    assert (result.status, result.stdout) == ("ok", "hello\n")


def test_sql_over_rows_runs_inside(real: Sandbox) -> None:
    code = "def closure(source):\n    return query([{'a': 1}, {'a': 2}], 'SELECT sum(a) AS a FROM rows')\n"

    assert real.run(Job(code), Broker(None)).records == ({"a": 3},)


def test_more_jobs_at_once_than_there_may_be_processes(real: Sandbox) -> None:
    ends: Counter[str] = Counter()

    class Gate:
        """A source that takes a while, so that all jobs are there at once."""

        def text(self) -> str:
            time.sleep(0.5)
            return ""

    def one() -> None:
        job = Job("def closure(source):\n    yield {'text': source.text()}\n", limits=Limits(memory_mb=16))
        ends[real.run(job, Broker(Gate())).status] += 1

    threads = [threading.Thread(target=one) for _ in range(150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ends == {"ok": 150}


@contextmanager
def crowded() -> Iterator[None]:
    """While the body runs, every new descriptor of this process has a number above those that select() can take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096), hard))
    held = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while held[-1] < 1_100:
            held.append(os.dup(held[0]))
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("name", [*REAL, "docker over streams"])
def test_a_host_with_a_thousand_descriptors_is_no_matter(name: str, request: pytest.FixtureRequest) -> None:
    if name.startswith("docker"):
        request.getfixturevalue("docker_engine")
    with crowded():
        sandbox = Docker(way="streams") if name == "docker over streams" else open_sandbox(name)
        try:
            ended = [sandbox.run(Job(TWO, limits=Limits(wall_seconds=1, records=n)), Broker(None)) for n in (1, 2)]
            killed = sandbox.run(
                Job("def closure(source):\n    while True: pass\n", limits=Limits(wall_seconds=0.2)), Broker(None)
            )
        finally:
            sandbox.close()

    assert [one.status for one in ended] == ["limit", "ok"]
    assert killed.limit == "wall_seconds"


# ------------------------------------------------------------------------------------------------------- opening


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(SandboxUnavailable, match=r"no sandbox called 'bubblewarp'; there are: .*local.*scripted"):
        open_sandbox("bubblewarp")


def test_the_automatic_choice_really_confines() -> None:
    sandbox = open_sandbox()
    try:
        assert sandbox.name in REAL
    finally:
        sandbox.close()
