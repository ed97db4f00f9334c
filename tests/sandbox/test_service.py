"""The execution service over real connections, with the real local sandbox: what it answers, and whom."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from sandbox.broker import Broker, Grant
from sandbox.job import Job, Limits
from sandbox.service.keys import add_key, revoke_key
from sandbox.service.messages import EXAMPLE_CODE, EXAMPLE_INPUTS
from sandbox.service.serve import create_server
from sandbox.service.settings import ClosureCall, ClosureEnd, Door, NotThere, ServiceProblem, Settings
from tests.sandbox.service_running import Running, running, until

LINES = {"accept": "application/x-ndjson"}
ARROW = {"accept": "application/vnd.apache.arrow.stream"}
THREE = "def closure(source, *, n=3):\n    for i in range(n):\n        yield {'i': i}\n"
# Records cross the wall in batches: enough of them that the first go at once.
STUCK = "def closure(source):\n    for i in range(3000):\n        yield {'i': i}\n    while True:\n        pass\n"
ENDLESS = "def closure(source):\n    while True:\n        pass\n"
TOTALS = "def closure(source):\n    yield from source.query('SELECT sum(n) AS total FROM t')\n"


class Shop:
    """A registered source: a table of numbers, for which a password would be needed."""

    def __init__(self) -> None:
        self.open_doors = 0

    def names(self) -> Sequence[str]:
        return ["shop", "slow", "broken"]

    @contextmanager
    def open(self, name: str) -> Iterator[Door]:
        if name == "broken":
            raise RuntimeError("password=hunter2 was refused")
        self.open_doors += 1
        try:
            yield Door(SlowNumbers() if name == "slow" else Numbers(), Grant(rows=3))
        finally:
            self.open_doors -= 1


class Numbers:
    """The numbers up to what was asked."""

    dialect = "duckdb"

    def tables(self) -> list[str]:
        return ["t"]

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[list[dict[str, object]]]:
        yield [{"total": number} for number in range(int(str(params[0])) if params else 1)]


class SlowNumbers(Numbers):
    """Answers only when it is interrupted."""

    def __init__(self) -> None:
        self.interrupted = threading.Event()

    def interrupt(self) -> None:
        self.interrupted.set()

    def query(self, sql: str, params: Sequence[object] = ()) -> Iterator[list[dict[str, object]]]:
        self.interrupted.wait(60)
        yield [{"total": 0}]


class Kept:
    """A runner with one closure, `three`."""

    def run(self, closure: str, call: ClosureCall) -> ClosureEnd:
        if closure != "three":
            raise NotThere(f"there is no closure {closure!r}; there is: three")
        # A runner may ask for more than the request allows; it does not get it.
        result = call.sandbox.run(Job(THREE, call.parameters, Limits(records=10_000_000)), Broker(None), call.take)
        return ClosureEnd(result, THREE, "shop", {"completeness": {"state": "complete"}})


SHOP = Shop()


@pytest.fixture(scope="module")
def open_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service without keys."""
    home = tmp_path_factory.mktemp("open")
    limits = Limits(wall_seconds=5.0, records=50_000, output_bytes=32 * 1_048_576)
    settings = Settings(home, port=0, limits=limits, sources=SHOP, closures=Kept(), body_mb=1.0, per_minute=100_000)
    with running(settings) as service:
        yield service


@pytest.fixture
def client(open_service: Running) -> Iterator[httpx.Client]:
    with open_service.client() as opened:
        yield opened


def executed(client: httpx.Client, code: str, **asked: Any) -> dict[str, Any]:
    answer = client.post("/v1/execute", json={"code": code, **asked})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return told


def audit(service: Running) -> list[dict[str, Any]]:
    lines = (service.service.settings.folder / "audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


# ------------------------------------------------------------------------------------------------------- execute


def test_code_runs_over_inputs_that_come_with_it(client: httpx.Client) -> None:
    told = executed(client, EXAMPLE_CODE, inputs=EXAMPLE_INPUTS, parameters={"minimum": 5})

    assert told["status"] == "ok"
    assert told["records"] == [{"customer": "Ada", "total": 120}, {"customer": "Bo", "total": 8}]
    assert (told["record_count"], told["rows_read"], told["calls"], told["backend"]) == (2, 2, {"query": 1}, "local")


def test_decimals_and_dates_of_inputs_stay_what_they_are(client: httpx.Client) -> None:
    code = (
        "def closure(source):\n"
        "    for row in source.query('SELECT sum(m) AS m, max(d) AS d FROM t'):\n"
        "        yield {'m': row['m'], 'year': row['d'].year, 'd': row['d']}\n"
    )
    rows = [{"m": "0.10", "d": "2024-02-29"}, {"m": 0.2, "d": "2023-01-01"}, {"m": None, "d": None}]

    told = executed(client, code, inputs={"t": rows}, types={"t": {"m": "decimal(18, 2)", "d": "date"}})

    assert told["records"] == [{"m": Decimal("0.30"), "year": 2024, "d": "2024-02-29"}]


def test_one_input_can_be_read_without_sql(client: httpx.Client) -> None:
    code = "def closure(source):\n    for row in source.records():\n        yield {'n': row['n'] * 2}\n"

    assert executed(client, code, inputs={"t": [{"n": 1}, {"n": 2}]})["records"] == [{"n": 2}, {"n": 4}]


def test_queries_may_nest(client: httpx.Client) -> None:
    code = (
        "def closure(source):\n"
        "    for row in source.query('SELECT n FROM t ORDER BY n'):\n"
        "        for other in source.query('SELECT count(*) AS below FROM t WHERE n < ?', [row['n']]):\n"
        "            yield {'n': row['n'], **other}\n"
    )

    told = executed(client, code, inputs={"t": [{"n": 5}, {"n": 7}]})

    assert told["records"] == [{"n": 5, "below": 0}, {"n": 7, "below": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY t TO '/tmp/x'",
        "SELECT * FROM duckdb_settings()",
        "INSERT INTO t VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT getenv('HOME')",
        "SELECT * FROM '/etc/passwd'",
    ],
)
def test_sql_that_reaches_further_is_refused(client: httpx.Client, sql: str) -> None:
    code = "def closure(source, *, sql=''):\n    yield from source.query(sql)\n"

    told = executed(client, code, inputs={"t": [{"n": 1}]}, parameters={"sql": sql})

    assert (told["status"], told["fault"]["type"]) == ("error", "SourceError")
    assert told["records"] == []


def test_inputs_of_one_request_are_not_there_for_the_next(client: httpx.Client) -> None:
    executed(client, TOTALS, inputs={"t": [{"n": 1}]})

    told = executed(client, TOTALS, inputs={"other": [{"n": 1}]})

    assert told["status"] == "error"
    assert "other" in told["fault"]["message"]


def test_a_failing_closure_is_an_answer_with_its_line(client: httpx.Client) -> None:
    told = executed(client, "def closure(source):\n    yield {'i': 1}\n    1 / 0\n")

    assert (told["status"], told["records"]) == ("error", [{"i": 1}])
    assert told["fault"] == {"type": "ZeroDivisionError", "message": "division by zero", "line": 3}


def test_what_the_policy_refuses_comes_with_all_its_findings(client: httpx.Client) -> None:
    told = executed(client, "import os\nimport sys\ndef closure(source):\n    yield {}\n")

    assert told["status"] == "refused"
    assert [(f["rule"], f["line"]) for f in told["findings"]] == [("import-not-allowed", 1), ("import-not-allowed", 2)]


def test_a_closure_cannot_pretend_to_have_been_refused(client: httpx.Client) -> None:
    code = "class PolicyRefused(Exception):\n    pass\n\ndef closure(source):\n    raise PolicyRefused('x')\n    yield {}\n"

    told = executed(client, code)

    assert (told["status"], told["findings"], told["fault"]["type"]) == ("error", [], "PolicyRefused")


def test_an_endless_loop_ends_at_its_limit(client: httpx.Client) -> None:
    told = executed(client, ENDLESS, limits={"wall_seconds": 0.5})

    assert (told["status"], told["limit"]) == ("limit", "wall_seconds")


def test_an_endless_query_ends_at_the_limit_too(client: httpx.Client) -> None:
    sql = "SELECT count(*) AS n FROM t a, t b, t c, t d, t e WHERE a.n + b.n + c.n + d.n + e.n = -1"
    code = f"def closure(source):\n    yield from source.query('{sql}')\n"

    told = executed(client, code, inputs={"t": [{"n": n} for n in range(500)]}, limits={"wall_seconds": 0.5})

    assert (told["status"], told["limit"]) == ("limit", "wall_seconds")


def test_output_is_captured(client: httpx.Client) -> None:
    told = executed(client, "def closure(source):\n    print('hello')\n    yield {}\n")

    assert told["stdout"] == "hello\n"


def test_a_registered_source_is_read_by_name_and_closed_again(client: httpx.Client) -> None:
    told = executed(client, TOTALS, source="shop")

    assert (told["status"], told["records"]) == ("ok", [{"total": 0}])
    assert SHOP.open_doors == 0


def test_a_registered_source_keeps_to_its_grant(client: httpx.Client) -> None:
    code = "def closure(source):\n    yield from source.query('SELECT n FROM t WHERE n < ?', [4])\n"

    told = executed(client, code, source="shop")

    assert (told["status"], told["limit"]) == ("limit", "rows")
    assert "more than 3 rows" in told["fault"]["message"]


def test_a_source_that_hangs_is_interrupted_when_the_time_is_over(client: httpx.Client) -> None:
    told = executed(client, TOTALS, source="slow", limits={"wall_seconds": 0.3})

    assert (told["status"], told["limit"]) == ("limit", "wall_seconds")
    assert until(lambda: SHOP.open_doors == 0)


def test_nothing_of_a_failure_of_ours_leaves(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.post("/v1/execute", json={"code": TOTALS, "source": "broken"})

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:tars:problem:internal")
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    assert "hunter2" in caplog.text


# ------------------------------------------------------------------------------------------------------- formats


def test_json_lines_come_one_by_one_and_end_with_the_result(client: httpx.Client) -> None:
    answer = client.post("/v1/execute", json={"code": THREE, "parameters": {"n": 2}}, headers=LINES)

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[:2] == [{"record": {"i": 0}}, {"record": {"i": 1}}]
    assert (lines[2]["result"]["status"], lines[2]["result"]["record_count"], len(lines)) == ("ok", 2, 3)


def test_json_lines_come_before_the_run_is_over(client: httpx.Client) -> None:
    asked = {"code": STUCK, "limits": {"wall_seconds": 2.0}}
    with client.stream("POST", "/v1/execute", json=asked, headers=LINES) as answer:
        lines = answer.iter_lines()

        first = next(lines)

        under_way = client.get("/v1/ready").json()["running"]
        rest = list(lines)
    assert json.loads(first) == {"record": {"i": 0}}
    assert under_way == 1
    assert json.loads(rest[-1])["result"]["limit"] == "wall_seconds"


def test_arrow_carries_types_and_the_result(client: httpx.Client) -> None:
    code = (
        "from decimal import Decimal\nfrom datetime import date\n"
        "def closure(source):\n"
        "    yield {'d': date(2024, 2, 29), 'm': Decimal('1.10'), 'n': None}\n"
        "    yield {'d': None, 'm': Decimal('1234.5'), 'n': 'x'}\n"
    )

    answer = client.post("/v1/execute", json={"code": code}, headers=ARROW)

    reader = pa.ipc.open_stream(answer.content)
    batches = []
    told = {}
    while True:
        try:
            batch, metadata = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batches.append(batch)
        if metadata is not None:
            told = json.loads(metadata["tars.result"])
    assert [str(field.type) for field in reader.schema] == ["date32[day]", "decimal128(38, 2)", "string"]
    assert pa.Table.from_batches(batches).column("m").to_pylist() == [Decimal("1.10"), Decimal("1234.50")]
    assert (told["status"], told["record_count"]) == ("ok", 2)


def test_arrow_types_may_be_said(client: httpx.Client) -> None:
    asked = {"code": THREE, "columns": {"i": "decimal(10, 2)", "absent": "date"}}

    answer = client.post("/v1/execute", json=asked, headers=ARROW)

    schema = pa.ipc.open_stream(answer.content).schema
    assert [str(field.type) for field in schema] == ["decimal128(10, 2)", "date32[day]"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def closure(source):\n    yield {'i': 1}\n    1 / 0\n", "run-not-ok"),
        ("def closure(source):\n    yield {'i': 1}\n    yield {'i': 'x'}\n", "not-arrow"),
    ],
)
def test_what_arrow_cannot_tell_is_a_problem(client: httpx.Client, code: str, reason: str) -> None:
    answer = client.post("/v1/execute", json={"code": code}, headers=ARROW)

    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:tars:problem:{reason}")


def test_an_arrow_stream_that_cannot_go_on_is_cut(client: httpx.Client) -> None:
    code = "def closure(source):\n    for i in range(30000):\n        yield {'i': i}\n    1 / 0\n"

    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v1/execute", json={"code": code}, headers=ARROW)


def test_a_json_answer_has_a_size(client: httpx.Client) -> None:
    code = "def closure(source):\n    while True:\n        yield {'text': 'x' * 100_000}\n"

    told = executed(client, code)

    assert (told["status"], told["limit"]) == ("limit", "output_bytes")


def test_a_format_that_there_is_not(client: httpx.Client) -> None:
    answer = client.post("/v1/execute", json={"code": THREE}, headers={"accept": "text/html"})

    assert (answer.status_code, answer.json()["type"]) == (406, "urn:tars:problem:not-acceptable")


# ------------------------------------------------------------------------------------------------ wrong requests


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ("{", "body"),
        ("[]", "body"),
        ("{}", "code"),
        ('{"code": 1}', "code"),
        ('{"code": "x", "colour": 1}', "colour"),
        ('{"code": "x", "entry": "a b"}', "entry"),
        ('{"code": "x", "inputs": {"a b": []}}', "inputs.a b.[key]"),
        ('{"code": "x", "inputs": {"t": []}}', "inputs.t"),
        ('{"code": "x", "inputs": {"t": [{"n": 1}, {"n": "one"}]}}', "inputs.t"),
        ('{"code": "x", "inputs": {"t": [{"n": 1}]}, "types": {"t": {"n": "money"}}}', "inputs.t"),
        ('{"code": "x", "inputs": {"t": [{"n": "1999-02-31"}]}, "types": {"t": {"n": "date"}}}', "inputs.t"),
        ('{"code": "x", "types": {"t": {"n": "date"}}}', "types.t"),
        ('{"code": "x", "limits": {"wall_seconds": 6}}', "limits.wall_seconds"),
        ('{"code": "x", "limits": {"memory_mb": 100000}}', "limits.memory_mb"),
        ('{"code": "x", "limits": {"wall_seconds": -1}}', "limits.wall_seconds"),
        ('{"code": "x", "limits": {"wall_seconds": NaN}}', "limits.wall_seconds"),
        ('{"code": "x", "parameters": ' + "[" * 5000, "body"),
    ],
)
def test_a_wrong_request_names_the_place(client: httpx.Client, body: str, at: str) -> None:
    answer = client.post("/v1/execute", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert at in [error["at"] for error in told["errors"]]
    assert told["next_step"]
    assert told["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "reason"),
    [
        ("POST", "/v1/execute", {"json": {"code": THREE, "backend": "none"}}, 422, "no-such-backend"),
        ("POST", "/v1/execute", {"json": {"code": THREE, "source": "none"}}, 404, "not-found"),
        ("POST", "/v1/execute", {"json": {"code": THREE, "source": "shop", "inputs": {}}}, 422, "invalid-request"),
        ("POST", "/v1/execute", {"data": {"code": "x"}}, 415, "unsupported-media-type"),
        ("POST", "/v1/execute", {"json": {}, "headers": {"content-encoding": "gzip"}}, 415, "unsupported-media-type"),
        ("POST", "/v1/closures/none/run", {"json": {}}, 404, "not-found"),
        ("POST", "/v1/nothing", {"json": {}}, 404, "not-found"),
        ("GET", "/v1/execute", {}, 405, "method-not-allowed"),
        ("GET", "/docs", {}, 404, "not-found"),
    ],
)
def test_refusals_are_problems(
    client: httpx.Client, method: str, path: str, more: dict[str, Any], status: int, reason: str
) -> None:
    answer = client.request(method, path, **more)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:tars:problem:{reason}")


# -------------------------------------------------------------------------------------- validate, closures, others


def test_validating_runs_nothing(client: httpx.Client) -> None:
    good = client.post("/v1/validate", json={"code": ENDLESS}).json()
    bad = client.post("/v1/validate", json={"code": "def closure(source):\n    yield source.__class__\n"}).json()

    assert (good["allowed"], good["findings"]) == (True, [])
    assert (bad["allowed"], bad["findings"][0]["line"]) == (False, 2)


def test_a_kept_closure_runs_by_name(client: httpx.Client) -> None:
    told = client.post("/v1/closures/three/run", json={"parameters": {"n": 2}}).json()

    assert (told["status"], told["records"], told["record_count"]) == ("ok", [{"i": 0}, {"i": 1}], 2)
    assert told["facts"] == {"completeness": {"state": "complete"}}


def test_a_runner_gets_no_more_than_the_request_allows(client: httpx.Client) -> None:
    asked = {"parameters": {"n": 100}, "limits": {"records": 10}}

    assert client.post("/v1/closures/three/run", json=asked).json()["limit"] == "records"


def test_an_idempotency_key_gives_the_same_answer_again(client: httpx.Client) -> None:
    code = "import uuid\ndef closure(source):\n    yield {'id': 1}\n"
    headers = {"idempotency-key": "one"}

    first = client.post("/v1/execute", json={"code": THREE}, headers=headers)
    again = client.post("/v1/execute", json={"code": THREE}, headers=headers)
    other = client.post("/v1/execute", json={"code": code}, headers=headers)

    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (other.status_code, other.json()["type"]) == (422, "urn:tars:problem:idempotency-key-reused")


def test_two_requests_with_one_key_at_once_run_once(client: httpx.Client, open_service: Running) -> None:
    asked = {"code": ENDLESS, "limits": {"wall_seconds": 1.0}}
    headers = {"idempotency-key": "two"}
    answers: list[httpx.Response] = []

    def first() -> None:
        with open_service.client() as other:
            answers.append(other.post("/v1/execute", json=asked, headers=headers))

    thread = threading.Thread(target=first)
    thread.start()
    assert until(lambda: client.get("/v1/ready").json()["running"] == 1)

    second = client.post("/v1/execute", json=asked, headers=headers)

    thread.join()
    assert (second.status_code, second.json()["type"]) == (409, "urn:tars:problem:idempotency-key-in-use")
    assert second.headers["retry-after"] == "1"
    assert answers[0].json()["limit"] == "wall_seconds"


def test_health_and_readiness(client: httpx.Client) -> None:
    assert client.get("/v1/health").json() == {"status": "ok"}
    ready = client.get("/v1/ready").json()
    assert (ready["status"], ready["backend"]) == ("ready", "local")


def test_metrics_count(client: httpx.Client) -> None:
    executed(client, THREE)

    text = client.get("/metrics").text

    assert 'tars_requests_total{method="POST",route="/v1/execute",status="200"}' in text
    assert 'tars_runs_total{action="execute",status="ok"}' in text
    assert "tars_queue_seconds_bucket" in text
    assert "process_open_fds" in text


def test_the_audit_log_says_who_ran_what_and_holds_no_data(client: httpx.Client, open_service: Running) -> None:
    code = "def closure(source, *, word=''):\n    yield {'secretfield': word}\n"

    told = executed(client, code, parameters={"word": "secretvalue"}, inputs={"t": [{"n": "secretinput"}]})

    assert until(lambda: any(entry["request_id"] == told["request_id"] for entry in audit(open_service)))
    (entry,) = [entry for entry in audit(open_service) if entry["request_id"] == told["request_id"]]
    assert entry["code_hash"] == told["code_hash"]
    assert (entry["verdict"], entry["key"], entry["records"]) == ("ok", "anyone", 1)
    assert "secret" not in json.dumps(audit(open_service))


def test_the_description_has_examples_that_work(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()

    schemas = described["components"]["schemas"]
    assert {"/v1/execute", "/v1/validate", "/v1/closures/{closure}/run", "/v1/health", "/v1/ready", "/metrics"} == set(
        described["paths"]
    )
    for path, name in [("/v1/execute", "ExecuteRequest"), ("/v1/validate", "ValidateRequest")]:
        for example in schemas[name]["examples"]:
            answer = client.post(path, json=example)
            assert answer.status_code == 200
            assert answer.json().get("status", "ok") == "ok"


def test_the_description_tells_the_sandboxes_and_ceilings_of_this_service(client: httpx.Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    assert schemas["ExecuteRequest"]["properties"]["backend"]["anyOf"][0]["enum"] == ["auto", "local", "docker"]
    limits = schemas["LimitsAsked"]["properties"]
    assert limits["wall_seconds"]["anyOf"][0]["maximum"] == 5.0
    assert limits["records"]["anyOf"][0]["maximum"] == 50_000


def test_the_example_of_the_documentation_works(client: httpx.Client) -> None:
    text = (Path(__file__).parents[2] / "docs" / "service.md").read_text()
    body = text[text.index("-d '") + 4 :]

    answer = client.post(
        "/v1/execute", content=body[: body.index("}'") + 1], headers={"content-type": "application/json"}
    )

    assert answer.json()["records"] == [{"city": "Berlin", "n": 7}, {"city": "Oslo", "n": 1}]


def test_a_name_of_elsewhere_is_refused_without_keys(client: httpx.Client) -> None:
    answer = client.get("/v1/health", headers={"host": "evil.example"})

    assert (answer.status_code, answer.json()["type"]) == (421, "urn:tars:problem:wrong-host")
    assert client.get("/v1/health", headers={"host": "localhost:80"}).status_code == 200
    assert client.get("/v1/health", headers={"host": "[::1]:80"}).status_code == 200


# ---------------------------------------------------------------------------------------------------------- keys


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, dict[str, str]]]:
    """A service with keys of every kind."""
    home = tmp_path_factory.mktemp("keyed")
    scopes = {
        "execute": ["execute"],
        "shop": ["execute:shop"],
        "validate": ["validate"],
        "three": ["run:three"],
        "every": ["run:*"],
        "metrics": ["metrics"],
        "admin": ["admin"],
        "gone": ["admin"],
    }
    texts = {}
    for name, given in scopes.items():
        key, texts[name] = add_key(home, name, given)
        if name == "gone":
            revoke_key(home, key.id)
    texts["short"] = add_key(home, "short", ["admin"], days=1e-9)[1]
    texts["often"] = add_key(home, "often", ["execute", "validate"], per_minute=2)[1]
    texts["once"] = add_key(home, "once", ["execute"], concurrent=1)[1]
    texts["wrong"] = "tars_" + "0" * 12 + "_" + "x" * 43
    texts[""] = ""
    with running(Settings(home, port=0, sources=SHOP, closures=Kept())) as service:
        yield service, texts


ASKED: dict[str, tuple[str, str, Any]] = {
    "execute": ("POST", "/v1/execute", {"code": THREE}),
    "execute shop": ("POST", "/v1/execute", {"code": TOTALS, "source": "shop"}),
    "execute slow": ("POST", "/v1/execute", {"code": THREE, "source": "slow"}),
    "validate": ("POST", "/v1/validate", {"code": THREE}),
    "run three": ("POST", "/v1/closures/three/run", {}),
    "metrics": ("GET", "/metrics", None),
    "health": ("GET", "/v1/health", None),
    "ready": ("GET", "/v1/ready", None),
}
MAY = {
    "execute": {"execute", "execute shop", "execute slow"},
    "shop": {"execute", "execute shop"},
    "validate": {"validate"},
    "three": {"run three"},
    "every": {"run three"},
    "metrics": {"metrics"},
    "admin": {"execute", "execute shop", "execute slow", "validate", "run three", "metrics"},
}


@pytest.mark.parametrize("who", ["execute", "shop", "validate", "three", "every", "metrics", "admin"])
def test_who_may_do_what(keyed: tuple[Running, dict[str, str]], who: str) -> None:
    service, texts = keyed
    with service.client(texts[who]) as client:
        for name, (method, path, body) in ASKED.items():
            answer = client.request(method, path, json=body)

            wanted = 200 if name in MAY[who] | {"health", "ready"} else 403
            assert (name, answer.status_code) == (name, wanted)


@pytest.mark.parametrize("who", ["", "gone", "short", "wrong"])
def test_who_has_no_good_key_may_do_nothing(keyed: tuple[Running, dict[str, str]], who: str) -> None:
    service, texts = keyed
    with service.client(texts[who]) as client:
        for name, (method, path, body) in ASKED.items():
            answer = client.request(method, path, json=body)

            assert (name, answer.status_code) == (name, 200 if name in ("health", "ready") else 401)
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["type"] == "urn:tars:problem:unauthorized"


def test_a_key_may_come_in_a_header_of_its_own(keyed: tuple[Running, dict[str, str]]) -> None:
    service, texts = keyed
    with service.client() as client:
        answer = client.post("/v1/validate", json={"code": THREE}, headers={"x-api-key": texts["validate"]})

    assert answer.status_code == 200


def test_a_key_beyond_its_quota_is_told_when_to_come_back(keyed: tuple[Running, dict[str, str]]) -> None:
    service, texts = keyed
    with service.client(texts["often"]) as client:
        answers = [client.post("/v1/validate", json={"code": THREE}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["type"] == "urn:tars:problem:quota"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30


def test_a_key_may_have_so_many_requests_at_once(keyed: tuple[Running, dict[str, str]]) -> None:
    service, texts = keyed
    asked = {"code": STUCK}
    with (
        service.client(texts["once"]) as client,
        service.client(texts["once"]) as other,
        client.stream("POST", "/v1/execute", json=asked, headers=LINES) as answer,
    ):
        # Held on to: an iterator that is dropped closes the connection, which ends the run.
        lines = answer.iter_lines()
        first = next(lines)

        second = other.post("/v1/execute", json={"code": THREE})

    assert json.loads(first) == {"record": {"i": 0}}
    assert (second.status_code, second.json()["type"]) == (429, "urn:tars:problem:too-many-at-once")


def test_a_key_revoked_while_the_service_runs_is_refused_at_once(keyed: tuple[Running, dict[str, str]]) -> None:
    service, _ = keyed
    home = service.service.settings.home
    key, text = add_key(home, "brief", ["validate"])
    with service.client(text) as client:
        before = client.post("/v1/validate", json={"code": THREE})
        revoke_key(home, key.id)

        after = client.post("/v1/validate", json={"code": THREE})

    assert (before.status_code, after.status_code) == (200, 401)
    refused = [entry for entry in audit(service) if entry["verdict"] == "unauthorized"]
    assert refused
    assert text[-43:] not in json.dumps(audit(service))


def test_kept_answers_are_a_keys_own(keyed: tuple[Running, dict[str, str]]) -> None:
    service, texts = keyed
    headers = {"idempotency-key": "same"}
    with service.client(texts["execute"]) as one, service.client(texts["admin"]) as other:
        one.post("/v1/execute", json={"code": THREE}, headers=headers)

        answer = other.post("/v1/execute", json={"code": THREE}, headers=headers)

    assert answer.status_code == 200
    assert "idempotency-replayed" not in answer.headers


# ----------------------------------------------------------------------------------------------------- listening


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_it_refuses_to_listen_wider_without_keys(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServiceProblem, match="tars serve keys add"):
        create_server(Settings(tmp_path, host=host, port=0))


def test_a_revoked_key_is_none(tmp_path: Path) -> None:
    key, _ = add_key(tmp_path, "one", ["admin"])
    revoke_key(tmp_path, key.id)

    with pytest.raises(ServiceProblem):
        create_server(Settings(tmp_path, host="0.0.0.0", port=0))


def test_half_of_tls_is_none(tmp_path: Path) -> None:
    with pytest.raises(ServiceProblem, match="certificate and its key"):
        create_server(Settings(tmp_path, tls_key=tmp_path / "key.pem"))


def test_a_sandbox_that_cannot_be_had_beside_one_that_can_is_the_callers_to_choose_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with running(Settings(tmp_path / "home", port=0)) as service, service.client() as client:
        chosen = client.post("/v1/execute", json={"code": THREE, "backend": "docker"})
        left_open = client.post("/v1/execute", json={"code": THREE})

    assert (chosen.status_code, chosen.json()["type"]) == (422, "urn:tars:problem:backend-unavailable")
    assert "auto, local" in chosen.json()["next_step"]
    assert left_open.status_code == 200
