"""Small parts of the service: formats, types, the policy's checker, inputs as tables."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest

from sandbox.broker import CallRefused
from sandbox.job import Limits, Record, RunResult, Usage
from sandbox.service.checker import Checker
from sandbox.service.ending import Ending
from sandbox.service.formats import ARROW, JSON, LINES, ArrowStream, Lines, OneObject, chosen
from sandbox.service.front import route_of
from sandbox.service.inline import Engines, InlineTables, tables_of
from sandbox.service.problem import Problem
from sandbox.service.settings import is_loopback
from sandbox.service.telemetry import Audit
from sandbox.service.types import NoSuchType, arrow_type
from sandbox.service.work import lowest

GOOD = "def closure(source):\n    yield {}\n"
OK = Ending.of(RunResult("ok", usage=Usage(records=2)))


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/X-NDJSON", LINES),
        ("text/html, application/x-ndjson;q=0.9, */*;q=0.1", LINES),
        ("application/json;q=0.2,application/vnd.apache.arrow.stream;q=0.8", ARROW),
        ("application/json;q=0, application/x-ndjson", LINES),
        ("application/x-ndjson; charset=utf-8", LINES),
        ("nonsense, application/x-ndjson", LINES),
    ],
)
def test_accept(accept: str, format: str) -> None:
    assert chosen(accept) == format


@pytest.mark.parametrize("accept", ["text/html", "nonsense", "application/json;q=0"])
def test_accept_of_nothing_that_there_is(accept: str) -> None:
    with pytest.raises(Problem, match="format"):
        chosen(accept)


def test_values_in_json() -> None:
    record: Record = {
        "m": Decimal("12345678901234567890.10"),
        "t": datetime(2024, 2, 29, 12, tzinfo=UTC),
        "d": date(2024, 2, 29),
        "s": timedelta(seconds=90),
        "b": b"\x00\xff",
        "u": UUID(int=1),
        "f": float("nan"),
        "i": 2**100,
        "w": "ü\u2028",
    }
    encoder = OneObject()
    encoder.take([record])
    encoder.take([{"x": 1}])

    told = json.loads(encoder.end(OK, "id"), parse_float=Decimal)

    assert told["records"][0] == {
        "m": Decimal("12345678901234567890.10"),
        "t": "2024-02-29T12:00:00+00:00",
        "d": "2024-02-29",
        "s": 90,
        "b": "AP8=",
        "u": "00000000-0000-0000-0000-000000000001",
        "f": None,
        "i": 2**100,
        "w": "ü\u2028",
    }
    assert (told["records"][1], told["request_id"]) == ({"x": 1}, "id")


def test_a_line_break_within_a_value_does_not_end_a_json_line() -> None:
    lines = Lines()

    data = lines.take([{"a": "1\n2\r"}]) + lines.end(OK, "id")

    assert [next(iter(json.loads(line))) for line in data.split(b"\n")[:-1]] == ["record", "result"]


def test_arrow_goes_out_as_soon_as_its_types_are_known() -> None:
    stream = ArrowStream({})

    first = stream.take([{"i": n} for n in range(9_999)])
    second = stream.take([{"i": 1}])

    assert first == b""
    assert second != b""
    data = second + stream.take([{"i": None}]) + stream.end(OK, "id")
    assert pa.ipc.open_stream(data).read_all().num_rows == 10_001


@pytest.mark.parametrize("later", [{"i": "text"}, {"i": 1, "new": 2}, {"i": 2**70}])
def test_a_later_record_that_fits_no_more(later: Record) -> None:
    stream = ArrowStream({})
    stream.take([{"i": n} for n in range(10_000)])

    with pytest.raises(Problem, match="field"):
        stream.take([later])


@pytest.mark.parametrize(
    ("word", "type"),
    [("text", pa.string()), ("decimal(18, 2)", pa.decimal128(18, 2)), ("timestamptz", pa.timestamp("us", "UTC"))],
)
def test_type_words(word: str, type: pa.DataType) -> None:
    assert arrow_type(word) == type


@pytest.mark.parametrize("word", ["", "money", "decimal", "decimal(39, 2)", "decimal(2, 3)", "TEXT", "list<int>"])
def test_words_that_are_no_types(word: str) -> None:
    with pytest.raises(NoSuchType, match="there are: text"):
        arrow_type(word)


@pytest.fixture
def checker() -> Iterator[Checker]:
    opened = Checker()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "code",
    ["(" * 60_000, "x = " + "-" * 60_000 + "1", "x = " + "[" * 190 + "]" * 190, "\x00", "\ud800", "import os\n", ""],
)
def test_the_checker_survives_what_it_checks(checker: Checker, code: str) -> None:
    assert checker.findings_of(code, "closure")
    assert checker.findings_of(GOOD, "closure") == ()


def test_a_checker_that_hangs_or_dies_refuses_and_is_replaced(checker: Checker) -> None:
    assert checker.findings_of(GOOD, "closure") == ()
    child = checker.process_id
    assert child is not None
    os.kill(child, signal.SIGSTOP)
    began = time.monotonic()

    hung = checker.findings_of(GOOD, "closure")

    assert [finding.rule for finding in hung] == ["too-costly"]
    assert time.monotonic() - began < 20
    assert checker.findings_of(GOOD, "closure") == ()
    assert checker.process_id != child


def test_an_engine_is_used_again_and_keeps_nothing() -> None:
    engines = Engines(1)
    first = InlineTables(tables_of({"t": [{"n": 1}]}, {}), engines)
    assert [batch.to_pylist() for batch in first.query("SELECT n FROM t")] == [[{"n": 1}]]
    first.close()

    second = InlineTables(tables_of({"u": [{"n": 2}]}, {}), engines)

    with pytest.raises(CallRefused, match="t does not exist"):
        list(second.query("SELECT n FROM t"))
    views = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
    assert [row["view_name"] for batch in second.query(views) for row in batch.to_pylist()] == ["u"]
    second.close()
    engines.close()


def test_a_query_is_interrupted_from_another_thread() -> None:
    tables = InlineTables(tables_of({"t": [{"n": n} for n in range(1000)]}, {}), Engines(1))
    timer = threading.Timer(0.2, tables.interrupt)
    timer.start()

    with pytest.raises(CallRefused, match="stopped"):
        list(tables.query("SELECT count(*) FROM t a, t b, t c, t d WHERE a.n + b.n + c.n + d.n = -1"))

    timer.join()
    with pytest.raises(CallRefused, match="stopped"):
        list(tables.query("SELECT 1"))
    tables.close()


def test_sums_of_integers_are_integers() -> None:
    tables = InlineTables(tables_of({"t": [{"n": 1}, {"n": 2}]}, {}), Engines(1))

    (batch,) = tables.query("SELECT sum(n) AS total, avg(n) AS mean FROM t")

    assert batch.to_pylist() == [{"total": 3, "mean": 1.5}]
    tables.close()


def test_problems_of_inputs_name_places_and_no_values() -> None:
    inputs: dict[str, list[dict[str, object]]] = {"a": [{"x": "secretvalue"}, {"x": 1}], "b": [{"d": "secretday"}]}

    with pytest.raises(Problem) as wrong:
        tables_of(inputs, {"b": {"d": "date"}, "c": {"x": "text"}})

    assert [at for at, _ in wrong.value.errors] == ["types.c", "inputs.a", "inputs.b"]
    assert "secret" not in json.dumps(wrong.value.body())


def test_the_lower_of_each_limit() -> None:
    one, other = Limits(wall_seconds=1.0, records=100), Limits(wall_seconds=2.0, records=10)

    assert lowest(one, other) == Limits(wall_seconds=1.0, records=10)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/execute", "/v1/execute"),
        ("/v1/closures/a/run", "/v1/closures/{closure}/run"),
        ("/v1/closures/a/b/run", "other"),
        ("/v1/execute/", "other"),
        ("/etc/passwd", "other"),
    ],
)
def test_routes_for_counting(path: str, route: str) -> None:
    assert route_of(path) == route


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_what_is_of_this_machine(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local


def test_the_audit_log_is_its_owners_and_whole_under_many_threads(tmp_path: Path) -> None:
    audit = Audit(tmp_path)

    def write() -> None:
        for _ in range(50):
            audit.write({"n": "x" * 500})

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    audit.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert len(lines) == 400
    assert all(json.loads(line)["n"] == "x" * 500 for line in lines)
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o077 == 0
