"""The openai model against a real HTTP server that can do everything wrong, through the real client."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from synth.models import openai as openai_model
from synth.models.budget import Budget, Caps, Price
from synth.models.endpoint import Endpoint, endpoint_of
from synth.models.openai import ChatEndpoint
from synth.models.problem import BudgetReached, Declined, ModelProblem
from tests.llm_server import (
    ChatServer,
    Play,
    answers_whole,
    chatting,
    drips,
    fails,
    floods,
    gives,
    hangs,
    make_certificate,
    refuses,
    says,
    streams,
    wait_until,
)

KEY = "sk-test-0123456789abcdef"
HELLO = [{"role": "system", "content": "You are a test."}, {"role": "user", "content": "Say hello."}]


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy or key of the machine that runs the tests has a say."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "TARS_", "SSL_CERT")):
            monkeypatch.delenv(name)


def model(server: ChatServer, budget: Budget | None = None, **settings: str) -> ChatEndpoint:
    said = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "TARS_MODEL_TRIES": "3", **settings}
    return ChatEndpoint(endpoint_of("m", said), budget)


def problem_with(*plays: Play, **settings: str) -> ModelProblem:
    """The problem that a completion ends in."""
    with chatting(*plays) as server:
        with pytest.raises(ModelProblem) as caught:
            model(server, None, **settings).complete(HELLO)
        return caught.value


# ---------------------------------------------------------------------------------------------------- what goes well


def test_a_streamed_reply_comes_whole_with_its_cost() -> None:
    with chatting(says("def closure(source):\n    yield {'ä': '日本'}", usage=(321, 45))) as server:
        reply = model(server, Budget(Caps(), Price(2.0, 10.0))).complete(HELLO)

    assert reply == "def closure(source):\n    yield {'ä': '日本'}"
    assert (reply.usage.prompt, reply.usage.completion, reply.usage.estimated) == (321, 45, False)
    assert reply.usage.cost == pytest.approx((321 * 2 + 45 * 10) / 1e6)


def test_cost_is_estimated_where_the_server_does_not_tell_it() -> None:
    with chatting(says("x" * 300, usage=None)) as server:
        reply = model(server).complete(HELLO)

    assert reply.usage.estimated
    assert reply.usage.completion == 100
    assert reply.usage.cost is None


def test_a_server_that_does_not_stream_is_understood() -> None:
    for kind in ("application/json", "text/event-stream", "text/plain"):
        with chatting(answers_whole("hello", (7, 3), kind)) as server:
            reply = model(server).complete(HELLO)

        assert (reply, reply.usage.tokens) == ("hello", 10), kind


def test_a_stream_without_its_last_mark_is_whole_when_it_says_why_it_ended() -> None:
    with chatting(says("hello", done=False)) as server:
        assert model(server).complete(HELLO) == "hello"


def test_thoughts_are_no_part_of_the_reply() -> None:
    with chatting(says("hello", thought="hmm " * 50)) as server:
        assert model(server).complete(HELLO) == "hello"


def test_the_request_carries_the_key_and_nothing_about_this_machine() -> None:
    with chatting(says("hello")) as server:
        model(server).complete(HELLO)

    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["user-agent"] == "tars"
    assert [name for name in asked.headers if "stainless" in name] == ["x-stainless-raw-response"]
    assert asked.body["messages"] == HELLO
    assert asked.body["temperature"] == 0.0
    assert asked.body["response_format"] == openai_model.CLOSURE_REPLY


def test_the_key_is_in_no_prompt_even_where_it_stands_in_the_data() -> None:
    with chatting(says("hello")) as server:
        model(server).complete([{"role": "user", "content": f"a cell: {KEY}, another"}])

    assert server.asked[0].prompt == "a cell: ***, another"


def test_without_a_key_none_is_sent_and_ambient_names_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-secret")
    with chatting(says("hello")) as server:
        model(server, OPENAI_API_KEY="").complete(HELLO)

    assert "authorization" not in server.asked[0].headers
    assert "secret" not in str(server.asked[0].headers)


# ------------------------------------------------------------------------------- settings that a server will not have


@pytest.mark.parametrize("name", ["response_format", "temperature", "stream_options", "stream"])
def test_a_setting_that_the_server_refuses_is_left_out_from_then_on(name: str) -> None:
    then = answers_whole("hello") if name == "stream" else says("hello")
    with chatting(refuses(name, then)) as server:
        asked = model(server)
        first, second = asked.complete(HELLO), asked.complete(HELLO)

    assert (first, second) == ("hello", "hello")
    assert len(server.asked) == 3
    assert name not in server.asked[-1].body


def test_a_refusal_that_names_nothing_drops_the_structured_reply() -> None:
    with chatting(refuses("response_format", says("hello"), "invalid request")) as server:
        assert model(server).complete(HELLO) == "hello"


def test_the_newer_name_of_the_reply_cap_is_found() -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with chatting(refuses("max_tokens", says("hello"), words)) as server:
        assert model(server, TARS_MODEL_MAX_TOKENS="500").complete(HELLO) == "hello"

    assert server.asked[-1].body["max_completion_tokens"] == 500


def test_structured_replies_can_be_turned_off() -> None:
    with chatting(says("hello")) as server:
        model(server, TARS_MODEL_STRUCTURED="off").complete(HELLO)

    assert "response_format" not in server.asked[0].body


# -------------------------------------------------------------------------------------------------- failures, in words

FAILURES: list[tuple[str, Play, str, str]] = [
    ("401", fails(401, f"Incorrect API key provided: {KEY}."), "authentication", "refused the key"),
    ("401 with a starred key", fails(401, "Incorrect API key: sk-te*****cdef"), "authentication", r"key: \*\*\*"),
    ("403", fails(403, "Project has no access"), "authorisation", "may not use m"),
    ("429 for ever", fails(429, "slow down", headers={"Retry-After": "0"}), "rate-limited", "too many requests"),
    (
        "429 without credit",
        fails(429, "You exceeded your current quota", code="insufficient_quota"),
        "quota",
        "no credit",
    ),
    (
        "429 of a quota that comes back",
        fails(429, "Quota exceeded: 10 requests per minute, check your billing", headers={"Retry-After": "0"}),
        "rate-limited",
        "too many requests",
    ),
    ("402", fails(402, "Payment required"), "quota", "no credit"),
    ("500", fails(500, "boom", headers={"Retry-After": "0"}), "server-error", r"failed \(500\): boom"),
    ("503 as a page", gives(503, "<html>busy</html>", headers={"Retry-After": "0"}), "server-error", r"failed \(503\)"),
    ("400", fails(400, "messages is malformed"), "bad-request", r"refused the request \(400\): messages is malformed"),
    (
        "too long, by code",
        fails(400, "This model's maximum context length is 4096 tokens.", code="context_length_exceeded"),
        "context-too-long",
        "too long for m",
    ),
    (
        "too long, by words",
        fails(400, "the request exceeds the available context size, try increasing it"),
        "context-too-long",
        "too long for m",
    ),
    ("too long, 413", gives(413, "too big", "text/plain"), "context-too-long", "too long for m"),
    ("cut off", says("def closure(", finish="length"), "cut-off", "limit of tokens"),
    ("empty", says("", finish="stop"), "empty", "the reply was empty"),
    ("blank", says(" \n ", finish="stop"), "empty", "the reply was empty"),
    ("a web page", gives(200, "<html><title>Sign in</title></html>"), "not-a-model", "HTML.*'Sign in'"),
    ("a web page as a stream", gives(200, "<!doctype html>", "text/event-stream"), "not-a-model", "HTML"),
    ("a page as 404", gives(404, "<html>nothing</html>"), "no-such-model", "has no model 'm'"),
    ("garbage", gives(200, b"\x00\xff\x13garbage\n", "application/octet-stream"), "garbled", "not a reply"),
    ("JSON of another kind", gives(200, "[1, 2]", "application/json"), "garbled", "not a reply"),
    ("broken JSON in a stream", streams("data: {'a': 1}", ""), "garbled", "not a reply"),
    ("a stream of JSON that is no reply", streams("data: 17", ""), "garbled", "not a reply"),
    ("garbage without end", floods(b"x"), "garbled", "not a reply"),
    ("empty lines without end", floods(b"\n", 20), "garbled", "not a reply"),
    ("an empty body", gives(200, "", "text/event-stream"), "cut-off", "broke off"),
    ("a stream that breaks off", says("def clo", finish=None, done=False), "cut-off", "broke off"),
    (
        "an error within the stream",
        streams('data: {"error": {"message": "out of memory", "code": 501}}', ""),
        "server-error",
        "out of memory",
    ),
    ("a redirect", gives(307, "", headers={"Location": "http://127.0.0.1:9/v1"}), "redirected", "follows no redirect"),
]


@pytest.mark.parametrize(("play", "reason", "words"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
def test_a_failure_is_told_in_words(play: Play, reason: str, words: str) -> None:
    problem = problem_with(play, TARS_MODEL_TRIES="2")

    assert problem.reason == reason
    assert re.search(words, str(problem)), str(problem)
    assert problem.message.startswith("openai:m: ")
    assert problem.hint or reason == "declined"
    assert KEY not in str(problem)
    assert "cdef" not in str(problem)


def test_a_model_that_is_not_there_is_answered_with_those_that_are() -> None:
    gone = fails(404, "model not found", code="model_not_found")
    with (
        chatting(gone, models=["qwen-coder-7b", "mm"]) as server,
        pytest.raises(ModelProblem, match="it has: mm, qwen-coder-7b") as caught,
    ):
        model(server).complete(HELLO)

    assert caught.value.reason == "no-such-model"


def test_a_model_that_declines_is_no_outage() -> None:
    with (
        pytest.raises(Declined, match="declined: I cannot help with that") as caught,
        chatting(says("", refusal="I cannot help with that.")) as server,
    ):
        model(server).complete(HELLO)
    filtered = problem_with(says("def", finish="content_filter"))
    blocked = problem_with(fails(400, "blocked by the content policy", code="content_filter"))

    assert caught.value.reason == "declined"
    assert isinstance(filtered, Declined)
    assert isinstance(blocked, Declined)


def test_no_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    said = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}

    with pytest.raises(ModelProblem, match=f"no server answers at 127.0.0.1:{port}.*Start it") as caught:
        ChatEndpoint(endpoint_of("m", said)).complete(HELLO)

    assert caught.value.reason == "no-server"


def test_no_such_host() -> None:
    with pytest.raises(ModelProblem) as caught:
        ChatEndpoint(Endpoint("m", "http://no-such-host.invalid/v1", tries=1)).complete(HELLO)

    assert caught.value.reason == "no-server"
    assert "no-such-host.invalid" in str(caught.value)


def test_a_server_that_hangs_or_drips_is_given_up_in_time() -> None:
    for play in (hangs(), drips()):
        began = time.monotonic()
        problem = problem_with(play, TARS_MODEL_TIMEOUT="0.6")

        assert problem.reason == "timeout"
        assert "within 0.6 seconds" in str(problem)
        assert time.monotonic() - began < 3


# ------------------------------------------------------------------------------------------------------------- retries


def test_what_passes_by_itself_is_tried_again_when_the_server_says() -> None:
    with chatting(fails(429, "slow", headers={"Retry-After": "1"}), says("hello")) as server:
        began = time.monotonic()
        reply = model(server).complete(HELLO)

    assert reply == "hello"
    assert 0.9 < time.monotonic() - began < 3


def test_retry_after_may_be_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    with chatting(fails(503, "busy", headers={"Retry-After": moment}), says("hello")) as server:
        began = time.monotonic()
        reply = model(server).complete(HELLO)

    assert reply == "hello"
    assert 0.5 < time.monotonic() - began < 4


def test_nobody_waits_an_hour() -> None:
    slow = fails(429, "slow", headers={"Retry-After": "3600"})
    with chatting(slow) as server, pytest.raises(ModelProblem, match="asks to wait 3600 seconds"):
        model(server).complete(HELLO)

    assert len(server.asked) == 1


def test_a_broken_stream_is_asked_for_again_and_both_are_paid_for() -> None:
    broken = says("x" * 90, finish=None, done=False, usage=None)
    with chatting(broken, says("hello", usage=(50, 5))) as server:
        asked = model(server)
        reply = asked.complete(HELLO)

    assert reply == "hello"
    assert asked.budget.run.calls == 2
    assert asked.budget.run.tokens > 55 + 30
    assert asked.budget.run.held_tokens == 0


def test_what_does_not_pass_is_not_tried_again() -> None:
    for play in (fails(401, "no"), fails(400, "context length", code="context_length_exceeded"), fails(501, "no")):
        with chatting(play) as server, pytest.raises(ModelProblem):
            model(server, TARS_MODEL_STRUCTURED="off").complete(HELLO)

        assert len(server.asked) == 1


# ------------------------------------------------------------------------------------------------------------- budgets


def test_the_reply_is_capped_to_what_the_budget_leaves() -> None:
    with chatting(says("hello", usage=(100, 400))) as server:
        asked = model(server, Budget(Caps(request_tokens=2_000)))
        asked.complete(HELLO)
        asked.complete(HELLO)

    caps = [body["max_tokens"] for body in (a.body for a in server.asked)]
    assert all(isinstance(c, int) and c < 2_000 for c in caps)
    assert caps[1] < caps[0]  # type: ignore[operator]  # both are numbers
    assert asked.budget.run.tokens == 1_000


def test_a_budget_stops_before_it_is_passed() -> None:
    with chatting(says("hello", usage=(200, 500))) as server:
        asked = model(server, Budget(Caps(request_tokens=1_700)))
        asked.complete(HELLO)
        asked.complete(HELLO)
        with pytest.raises(BudgetReached, match="1700 tokens for this request") as caught:
            asked.complete(HELLO)

    assert caught.value.reason == "budget"
    assert len(server.asked) == 2
    assert asked.budget.run.tokens <= 1_700


def test_a_reply_that_ignores_its_cap_is_stopped_where_the_budget_ends() -> None:
    with chatting(says("x" * 60_000, piece=500)) as server:
        asked = model(server, Budget(Caps(request_tokens=1_500)))
        with pytest.raises(BudgetReached, match="was stopped"):
            asked.complete(HELLO)

    assert asked.budget.run.tokens <= 1_500


def test_each_request_has_its_own_budget_and_the_run_one_for_all() -> None:
    class Request:
        pass

    one, other, third = Request(), Request(), Request()
    with chatting(says("hello", usage=(300, 700))) as server:
        asked = model(server, Budget(Caps(request_tokens=1_500, run_tokens=2_500)))
        asked.for_request(one).complete(HELLO)
        with pytest.raises(BudgetReached, match="this request"):
            asked.for_request(one).complete(HELLO)
        asked.for_request(other).complete(HELLO)
        with pytest.raises(BudgetReached, match="2500 tokens for this run"):
            asked.for_request(third).complete(HELLO)

    assert asked.budget.run.tokens == 2_000


def test_money_is_a_budget_too() -> None:
    with chatting(says("hello", usage=(1_000, 1_000))) as server:
        asked = model(server, Budget(Caps(None, None, 0.05, None), Price(10.0, 30.0)))
        asked.complete(HELLO)
        with pytest.raises(BudgetReached, match=r"0\.05 for this request"):
            asked.complete(HELLO)

    assert asked.budget.run.cost == pytest.approx(0.04)


def test_drafts_side_by_side_share_what_is_left() -> None:
    with chatting(says("hello", usage=(100, 100))) as server:
        asked = model(server, Budget(Caps(request_tokens=6_000)))
        replies = asked.complete_many(HELLO, 4)

    assert len(replies) == 4
    assert asked.budget.run.tokens == 800
    assert asked.budget.run.held_tokens == 0
    assert {a.body["temperature"] for a in server.asked} == {openai_model.WARMTH}


# ----------------------------------------------------------------------------------------------------- several drafts


def test_drafts_are_asked_for_side_by_side() -> None:
    with chatting(says("hello world", pause=0.3, piece=4)) as server:
        began = time.monotonic()
        replies = model(server).complete_many(HELLO, 4)

    assert replies == ["hello world"] * 4
    assert time.monotonic() - began < 2.5  # one after the other would take 3.6


def test_a_draft_that_fails_does_not_take_the_others_with_it() -> None:
    with chatting(fails(401, "no"), says("hello")) as server:
        replies = model(server).complete_many(HELLO, 3)

    assert replies == ["hello", "hello"]


def test_when_every_draft_fails_the_reason_is_told() -> None:
    with chatting(fails(401, "no")) as server, pytest.raises(ModelProblem, match="refused the key"):
        model(server).complete_many(HELLO, 3)


# -------------------------------------------------------------------------------------- addresses, proxies, certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_an_unknown_authority_is_refused_and_a_named_one_trusted(certificate: Path) -> None:
    with chatting(says("hello"), tls=certificate) as server:
        with pytest.raises(ModelProblem, match=r"certificate of .* is not trusted.*TARS_CA_FILE") as caught:
            model(server).complete(HELLO)
        reply = model(server, TARS_CA_FILE=str(certificate / "cert.pem")).complete(HELLO)

    assert caught.value.reason == "tls"
    assert reply == "hello"


def test_https_to_a_plain_server_is_told() -> None:
    with chatting(says("hello")) as server:
        said = {"OPENAI_BASE_URL": server.url.replace("http://", "https://")}
        with pytest.raises(ModelProblem) as caught:
            ChatEndpoint(endpoint_of("m", said)).complete(HELLO)

    assert caught.value.reason == "tls"


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")

    for name, words in (("ca.pem", "holds no certificate"), ("gone.pem", "No such file")):
        with pytest.raises(ModelProblem, match=words):
            ChatEndpoint(Endpoint("m", "https://127.0.0.1:9/v1", ca_file=str(tmp_path / name))).complete(HELLO)


def test_a_proxy_is_used_for_other_hosts_and_never_for_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with chatting(says("from afar")) as proxy, chatting(says("from here")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        afar = ChatEndpoint(Endpoint("m", "http://models.example/v1")).complete(HELLO)
        here = model(server).complete(HELLO)

    assert (afar, here) == ("from afar", "from here")
    assert proxy.asked[0].target == "http://models.example/v1/chat/completions"


def test_a_proxy_that_makes_no_sense_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:70")

    with pytest.raises(ModelProblem, match="proxy") as caught:
        ChatEndpoint(Endpoint("m", "http://models.example/v1")).complete(HELLO)

    assert caught.value.reason == "bad-settings"


# --------------------------------------------------------------------------------------------------------- stopping it

ASK = """
import sys
from synth.models.endpoint import endpoint_of
from synth.models.openai import ChatEndpoint
model = ChatEndpoint(endpoint_of("m", {"OPENAI_BASE_URL": sys.argv[1]}))
hello = [{"role": "user", "content": "hello"}]
try:
    model.complete(hello) if sys.argv[2] == "one" else model.complete_many(hello, 3)
except KeyboardInterrupt:
    print("stopped", model.budget.run.held_tokens, flush=True)
    raise SystemExit(130)
"""


@pytest.mark.parametrize("how", ["one", "many"])
@pytest.mark.parametrize(
    "play", [drips(), hangs(), fails(503, "busy", headers={"Retry-After": "30"})], ids=["drips", "hangs", "waits"]
)
def test_ctrl_c_ends_it_at_once(how: str, play: Play) -> None:
    with chatting(play) as server:
        process = subprocess.Popen([sys.executable, "-c", ASK, server.url, how], stdout=subprocess.PIPE)
        assert wait_until(lambda: len(server.asked) >= (1 if how == "one" else 3), 20)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, _ = process.communicate(timeout=10)

    assert process.returncode == 130
    assert out.startswith(b"stopped")
    assert time.monotonic() - began < 2


def test_a_model_is_safe_to_use_from_several_threads() -> None:
    with chatting(says("hello", usage=(10, 5))) as server:
        asked = model(server)
        threads = [threading.Thread(target=asked.complete, args=(HELLO,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert asked.budget.run.tokens == 8 * 15
    assert asked.budget.run.held_tokens == 0
