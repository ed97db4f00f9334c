"""`tars serve`: registered sources and kept closures over real connections, its keys, and how it starts and ends."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.service.keys import add_key
from sandbox.service.problem import Problem
from sandbox.service.settings import Settings
from synth import actions, serving
from synth.errors import BadRequest, SourceProblem
from synth.request import Parameter
from tests.sandbox.service_running import Running, running
from tests.sandbox.test_service_abuse import certificate

ROOT = Path(__file__).parent.parent.parent
ORDERS = "id,city,total\n1,Berlin,10.50\n2,Oslo,20.00\n3,Berlin,99.25\n"
PER_CITY = 'def closure(source):\n    yield from source.query("SELECT city, sum(total) AS total FROM orders GROUP BY 1 ORDER BY 1")\n'
FROM_ANYTHING = "def closure(source):\n    yield {'n': 1}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the kept closure `big-orders`, whose source is orders.csv beside it."""
    folder = tmp_path_factory.mktemp("serving")
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "gone.csv").write_text(ORDERS)
    (folder / "wide.csv").write_text("id,city,total\n" + "".join(f"{n},Berlin,{n}.50\n" for n in range(1, 5001)))
    with desk(folder / "home") as mine:
        for request, source, name in (
            ("orders over 15 EUR", "orders", "big-orders"),
            ("orders over 15 EUR with their city", "gone", "gone"),
            ("all rows", "wide", "wide"),
        ):
            outcome = actions.ask(mine, request, [str(folder / f"{source}.csv")], actions.Said(save=name))
            assert outcome.status == "ok", outcome.message
    (folder / "gone.csv").unlink()
    return folder / "home"


@contextmanager
def desk(home: Path, **environment: str) -> Iterator[actions.Desk]:
    """A desk for the length of the block."""
    made = actions.Desk({"TARS_HOME": str(home), "TARS_NOW": "2026-04-01", "TARS_TIMEOUT": "3", **environment})
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Running]:
    """A service without keys over that home, with the sources `orders` and `away` (of which nobody answers)."""
    texts = [f"orders={home.parent / 'orders.csv'}", "away=http://me:hunter2@127.0.0.1:9/orders.json"]
    with desk(home) as mine, running(serving.settings_of(mine, texts, serving.Said(port=0))) as served:
        yield served


def post(service: Running, path: str, body: Mapping[str, object], key: str = "", **headers: str) -> httpx.Response:
    with service.client(key) as client:
        return client.post(path, json=dict(body), headers=headers)


def told(answer: httpx.Response) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return made


def runs(home: Path, name: str) -> list[tuple[str, int]]:
    """The runs in the ledger of a closure: status and records."""
    with desk(home) as mine:
        kept = mine.memory().closures.get(name)
        return [(run.status, run.records) for run in mine.memory().ledger.runs(kept.id)]


# ------------------------------------------------------------------------------------------------------ kept closures


def test_a_kept_closure_runs_on_its_source_and_into_the_ledger(service: Running, home: Path) -> None:
    before = runs(home, "big-orders")

    answer = told(post(service, "/v1/closures/big-orders/run", {}))

    assert (answer["status"], answer["record_count"]) == ("ok", 2)
    assert answer["records"] == [
        {"id": 2, "city": "Oslo", "total": Decimal("20.00")},
        {"id": 3, "city": "Berlin", "total": Decimal("99.25")},
    ]
    assert answer["calls"] == {"query": 1}
    assert answer["rows_read"] == 2
    facts = answer["facts"]
    assert (facts["completeness"], facts["total"], facts["set_aside"]) == ("complete", 2, 0)
    assert runs(home, "big-orders") == [*before, ("ok", 2)]


def test_it_runs_by_its_id_too(service: Running, home: Path) -> None:
    with desk(home) as mine:
        identity = mine.memory().closures.get("big-orders").id

    answer = told(post(service, f"/v1/closures/{identity}/run", {}))

    assert answer["record_count"] == 2
    assert answer["code_hash"] == identity


@pytest.mark.parametrize("minimum", [50, 50.25, "50"])
def test_its_parameters_are_typed_as_it_declares_them(service: Running, minimum: object) -> None:
    answer = told(post(service, "/v1/closures/big-orders/run", {"parameters": {"minimum": minimum}}))

    assert answer["status"] == "ok", answer
    assert [record["id"] for record in answer["records"]] == [3]


@pytest.mark.parametrize("parameters", [{"minimum": "much"}, {"minimum": [1]}, {"minimum": None}, {"maximum": 3}])
def test_a_parameter_that_does_not_fit_is_named_and_nothing_is_run(
    service: Running, home: Path, parameters: Mapping[str, object]
) -> None:
    before = runs(home, "big-orders")

    answer = post(service, "/v1/closures/big-orders/run", {"parameters": parameters})

    assert answer.status_code == 422
    assert [error["at"] for error in told(answer)["errors"]] == [f"parameters.{next(iter(parameters))}"]
    assert "minimum" in answer.text or "Decimal" in answer.text
    assert "much" not in answer.text
    assert runs(home, "big-orders") == before


def test_records_stream_as_they_come(service: Running) -> None:
    answer = post(service, "/v1/closures/wide/run", {}, accept="application/x-ndjson")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 5001
    assert lines[0]["record"]["id"] == 1
    assert (lines[-1]["result"]["status"], lines[-1]["result"]["facts"]["total"]) == ("ok", 5000)


def test_a_limit_of_the_request_ends_the_run_and_the_ledger_says_so(service: Running, home: Path) -> None:
    answer = told(post(service, "/v1/closures/wide/run", {"limits": {"records": 10}}))

    assert (answer["status"], answer["limit"]) == ("limit", "records")
    assert answer["facts"]["completeness"] == "incomplete"
    assert runs(home, "wide")[-1][0] == "failed"


def test_a_closure_that_is_not_there(service: Running) -> None:
    answer = post(service, "/v1/closures/small-orders/run", {})

    assert answer.status_code == 404
    assert told(answer)["type"].endswith("not-found")
    # The names of others are theirs who may run them.
    assert "big-orders" not in answer.text


def test_a_closure_whose_source_is_gone_is_a_problem_that_tells_no_path(service: Running, home: Path) -> None:
    answer = post(service, "/v1/closures/gone/run", {})

    assert answer.status_code == 503
    assert told(answer)["type"].endswith("source-unreadable")
    assert "missing" in told(answer)["detail"]
    assert str(home.parent) not in answer.text
    assert "retry-after" not in answer.headers


# ------------------------------------------------------------------------------------------------- registered sources


def test_code_runs_over_a_registered_source(service: Running) -> None:
    answer = told(post(service, "/v1/execute", {"code": PER_CITY, "source": "orders"}))

    assert answer["status"] == "ok", answer
    assert answer["records"] == [
        {"city": "Berlin", "total": Decimal("109.75")},
        {"city": "Oslo", "total": Decimal("20.00")},
    ]
    assert answer["calls"] == {"query": 1}


def test_each_run_reads_the_source_as_it_is_now(service: Running, home: Path) -> None:
    path = home.parent / "orders.csv"
    path.write_text(ORDERS + "4,Rome,1.00\n")
    try:
        answer = told(post(service, "/v1/execute", {"code": PER_CITY, "source": "orders"}))
    finally:
        path.write_text(ORDERS)

    assert [record["city"] for record in answer["records"]] == ["Berlin", "Oslo", "Rome"]


def test_several_at_once_all_read_it(service: Running) -> None:
    answers: list[int] = []

    def one() -> None:
        answers.append(told(post(service, "/v1/execute", {"code": PER_CITY, "source": "orders"}))["record_count"])

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [2] * 8


def test_a_source_that_is_not_registered(service: Running) -> None:
    answer = post(service, "/v1/execute", {"code": PER_CITY, "source": "customers"})

    assert answer.status_code == 404
    assert "orders, away" in told(answer)["next_step"]


def test_a_source_that_nobody_answers_for_may_be_tried_again_and_shows_no_credential(
    service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    answer = post(service, "/v1/execute", {"code": FROM_ANYTHING, "source": "away"})

    assert answer.status_code == 503
    assert told(answer)["detail"] == "the source 'away' cannot be read: unreachable"
    assert answer.headers["retry-after"] == "10"
    logged = [str(vars(record)) for record in caplog.records if record.getMessage() == "a source cannot be read"]
    assert logged
    assert "hunter2" not in answer.text + "".join(logged)


# --------------------------------------------------------------------------------------------------------------- keys


def test_a_key_opens_what_its_scopes_name_and_no_more(home: Path, tmp_path: Path) -> None:
    _, text = add_key(tmp_path, "reports", ["run:big-orders", "execute:orders"])
    with desk(home) as mine:
        texts = [f"orders={home.parent / 'orders.csv'}", f"wide={home.parent / 'wide.csv'}"]
        settings = replace(serving.settings_of(mine, texts, serving.Said(port=0)), home=tmp_path)
        with running(settings) as served:
            statuses = {
                "closure": post(served, "/v1/closures/big-orders/run", {}, text).status_code,
                "other closure": post(served, "/v1/closures/wide/run", {}, text).status_code,
                "source": post(served, "/v1/execute", {"code": FROM_ANYTHING, "source": "orders"}, text).status_code,
                "other source": post(
                    served, "/v1/execute", {"code": FROM_ANYTHING, "source": "wide"}, text
                ).status_code,
                "no key": post(served, "/v1/closures/big-orders/run", {}).status_code,
            }

    assert statuses == {"closure": 200, "other closure": 403, "source": 200, "other source": 403, "no key": 401}


# ---------------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        ("Decimal", 12, Decimal(12)),
        ("Decimal", 0.1, Decimal("0.1")),
        ("Decimal", "0.10", Decimal("0.10")),
        ("float", 2, 2.0),
        ("int", 7, 7),
        ("int", 7.0, 7),
        ("bool", False, False),
        ("date", "2026-04-01", date(2026, 4, 1)),
        ("datetime", "2026-04-01T10:00:00", datetime(2026, 4, 1, 10)),
        ("str", "007", "007"),
        ("str | None", None, None),
        ("list[str]", ["a", "b"], ["a", "b"]),
    ],
)
def test_json_values_become_what_the_closure_declares(kind: str, value: object, typed: object) -> None:
    made = serving.typed_parameters([Parameter("p", kind, "0")], {"p": value})["p"]

    assert (made, type(made)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Decimal", True),
        ("Decimal", float("nan")),
        ("float", 10**400),
        ("int", 7.5),
        ("int", True),
        ("bool", 1),
        ("date", 20260401),
        ("date", "soon"),
        ("str", 10061),
        ("int", None),
    ],
)
def test_json_values_of_another_kind_are_refused(kind: str, value: object) -> None:
    with pytest.raises(Problem) as refused:
        serving.typed_parameters([Parameter("p", kind, "0")], {"p": value})

    assert refused.value.errors == (("parameters.p", f"a {kind} is wanted; the default is 0"),)


# ------------------------------------------------------------------------------------------------------------ starting


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["orders.csv"], "needs a name"),
        (["http://me:hunter2@127.0.0.1/orders"], "needs a name"),
        (["a=http://127.0.0.1/1", "a=http://127.0.0.1/2"], "two sources are called 'a'"),
    ],
)
def test_sources_are_registered_under_names_of_their_own(texts: list[str], message: str) -> None:
    with pytest.raises(BadRequest, match=message) as refused:
        serving.locations_of(texts)

    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with desk(tmp_path) as mine, pytest.raises(SourceProblem, match="no file"):
        serving.settings_of(mine, [f"orders={tmp_path / 'orders.csv'}"], serving.Said())


def test_the_defaults_are_the_services_own(tmp_path: Path) -> None:
    with desk(tmp_path) as mine:
        made = serving.settings_of(mine, [], serving.Said())

    assert replace(made, sources=None, closures=None) == Settings(home=tmp_path)


# ---------------------------------------------------------------------------------------------------- the real command


def tars(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synth", *words],
        env={**os.environ, "TARS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )


@contextmanager
def serving_process(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`tars serve` really running, and where."""
    command = [sys.executable, "-m", "synth", "serve", "--port", "0", *words]
    process = subprocess.Popen(
        command, env={**os.environ, "TARS_HOME": str(home)}, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stderr
        for line in process.stderr:
            said = json.loads(line) if line.startswith("{") else {"message": line}
            if said["message"] == "listening":
                scheme = "https" if said["tls"] else "http"
                yield process, f"{scheme}://127.0.0.1:{said['port']}"
                return
        raise AssertionError(f"it did not start: {said}")
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_keys_are_made_listed_and_revoked_while_it_runs(home: Path, tmp_path: Path) -> None:
    made = tars(tmp_path, "serve", "keys", "add", "reports", "--scope", "execute", "--days", "1", "--json")
    key = json.loads(made.stdout)
    plain = tars(tmp_path, "serve", "keys", "add", "other", "--scope", "run:*", "--per-minute", "7")
    listed = json.loads(tars(tmp_path, "serve", "keys", "list", "--json").stdout)["keys"]
    asked = {"code": FROM_ANYTHING}

    with serving_process(tmp_path) as (_, url):
        without = httpx.post(f"{url}/v1/execute", json=asked, trust_env=False)
        given = httpx.post(f"{url}/v1/execute", json=asked, headers={"x-api-key": key["key"]}, trust_env=False)
        revoked = tars(tmp_path, "serve", "keys", "revoke", key["id"])
        after = httpx.post(f"{url}/v1/execute", json=asked, headers={"x-api-key": key["key"]}, trust_env=False)

    assert (without.status_code, given.status_code, after.status_code) == (401, 200, 401)
    assert revoked.stdout == f"revoked {key['id']} (reports)\n"
    assert plain.stdout.startswith("tars_")
    assert len(plain.stdout.splitlines()) == 1
    assert [(k["name"], k["scopes"], k["per_minute"]) for k in listed] == [
        ("reports", ["execute"], None),
        ("other", ["run:*"], 7),
    ]
    assert "hash" not in listed[0]
    assert key["key"].rpartition("_")[2] not in json.dumps(listed)


def test_it_serves_https_with_a_key(tmp_path: Path) -> None:
    file, private = certificate(tmp_path)
    key = json.loads(tars(tmp_path, "serve", "keys", "add", "all", "--scope", "execute", "--json").stdout)["key"]
    words = ("--tls-certificate", str(file), "--tls-key", str(private))

    with (
        serving_process(tmp_path, *words) as (_, url),
        httpx.Client(verify=ssl.create_default_context(cafile=str(file)), trust_env=False) as client,
    ):
        answer = client.post(f"{url}/v1/execute", json={"code": FROM_ANYTHING}, headers={"x-api-key": key})

    assert url.startswith("https://")
    assert answer.json()["records"] == [{"n": 1}]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--host", "0.0.0.0"), 2, "refusing to listen on 0.0.0.0 without keys"),
        (("--source", "orders.csv"), 2, "needs a name"),
        (("--source", "orders=/nowhere/orders.csv"), 4, "no file"),
        (("--tls-key", "key.pem"), 2, "both a certificate and its key"),
        (("--tls-key", "README.md", "--tls-certificate", "README.md"), 2, "TLS certificate"),
        (("keys", "add", "a", "--scope", "everything"), 2, "there are: execute"),
        (("keys", "add", "a"), 2, "--scope"),
        (("keys", "revoke", "a"), 2, "no keys called 'a'"),
        (("--backend", "scripted"), 2, "auto"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_an_exit_code(
    tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    done = tars(tmp_path, "serve", *words)

    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_damaged_file_of_keys_is_said_and_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "keys.json").write_text("{")

    listed, served = tars(tmp_path, "serve", "keys", "list"), tars(tmp_path, "serve", "--host", "0.0.0.0")

    assert (listed.returncode, served.returncode) == (6, 6), listed.stderr + served.stderr
    assert "cannot be read" in listed.stderr
    assert "Traceback" not in listed.stderr + served.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with serving_process(tmp_path) as (_, url):
        done = tars(tmp_path, "serve", "--port", url.rpartition(":")[2])

    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("ending", "code", "last"), [(signal.SIGTERM, 0, ""), (signal.SIGINT, 130, "tars: interrupted")]
)
def test_it_ends_cleanly_and_lets_a_run_finish(home: Path, ending: signal.Signals, code: int, last: str) -> None:
    answers: list[httpx.Response] = []
    counting = "def closure(source, *, n=20_000_000):\n    for i in range(n):\n        pass\n    yield {'n': n}\n"

    with serving_process(home, "--source", f"orders={home.parent / 'orders.csv'}") as (process, url):
        ready = httpx.get(f"{url}/v1/ready", timeout=30, trust_env=False)
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{url}/v1/execute", json={"code": counting}, timeout=30, trust_env=False)
            )
        )
        asking.start()
        while httpx.get(f"{url}/v1/ready", timeout=30, trust_env=False).json()["running"] == 0 and not answers:
            pass
        process.send_signal(ending)
        _, said = process.communicate(timeout=30)
        asking.join(30)

    assert ready.json()["status"] == "ready"
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert said.splitlines()[-1] == last if last else "interrupted" not in said
    assert answers[0].json()["status"] == "ok"
