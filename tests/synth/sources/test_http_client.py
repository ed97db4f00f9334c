"""The client talks to the named host alone, ends always, waits when asked to, and says what went wrong without a secret."""

from __future__ import annotations

import email.utils
import gzip
import ipaddress
import itertools
import socket
import ssl
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.errors import BadRequest, SourceProblem
from synth.source import OpenOptions
from synth.sources import http_client
from synth.sources.http_client import Client, download, is_inside, is_never_allowed, json_of, probe, retry_after
from tests import servers
from tests.servers import Answer, Asked, Route, raw_serving, serving

OK = {"data": [{"id": 1}]}


def good(asked: Asked) -> Answer:
    return Answer(OK)


def get(url: str, timeout: float = 5.0, request: str = "", **environment: str) -> object:
    client = Client(url, OpenOptions(timeout_seconds=timeout, request=request, environment=environment))
    try:
        return json_of(client.get(client.url))
    finally:
        client.close()


def problem_of(url: str, timeout: float = 5.0, request: str = "", **environment: str) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        get(url, timeout, request, **environment)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (Answer({"message": "no"}, 401), "authentication", "401"),
        (Answer({"message": "not yours"}, 403), "authorisation", "not yours"),
        (Answer({"detail": "gone"}, 404), "not-found", "gone"),
        (Answer({}, 410), "not-found", "410"),
        (Answer({"error": {"message": "boom"}}, 500), "server-error", "boom"),
        (Answer("<html><title>Sign in – Shop</title></html>", headers={"Content-Type": "text/html"}), "not-json", "Sign in – Shop"),
        (Answer("<html><head><title>Hi</title></head></html>"), "not-json", "Hi"),
        (Answer('{"data": [{"id": 1}, {"id"'), "unreadable", "breaks off"),
        (Answer('{"data": [1, 2,, 3], "more": true, "x": 1}'), "unreadable", "not valid"),
        (Answer(b'{"name": "Z\xfcrich"}'), "unreadable", "byte"),
        (Answer("[" * 100_000), "unreadable", "nested"),
        (Answer(""), "empty", "empty body"),
        (Answer("  \n"), "empty", "empty body"),
        (Answer(OK, cut=True), "truncated", "broke off"),
        (Answer(b"not gzip", headers={"Content-Encoding": "gzip"}), "unreadable", "packed"),
        (Answer(gzip.compress(b'{"a": 1}' * 500)[:-20], headers={"Content-Encoding": "gzip"}), "truncated", "breaks off"),
        (Answer(b"x", headers={"Content-Encoding": "br"}), "unreadable", "not asked for"),
        (Answer({}, 418), "unreadable", "418"),
        (Answer({}, 302), "redirected", "without saying where"),
    ],
)  # fmt: skip
def test_what_went_wrong_has_a_name(answer: Answer, reason: str, words: str) -> None:
    with serving({"/x": lambda asked: answer}) as server:
        problem = problem_of(server.url("/x"))

    assert problem.reason == reason
    assert words in str(problem)
    assert server.base in str(problem)


def test_latin_1_is_read_where_the_server_says_so() -> None:
    answer = Answer(
        '{"name": "Zürich"}'.encode("latin-1"), headers={"Content-Type": "application/json; charset=iso-8859-1"}
    )
    with serving({"/x": lambda asked: answer}) as server:
        assert get(server.url("/x")) == {"name": "Zürich"}


@pytest.mark.parametrize("raw", [False, True])
def test_packed_answers_are_read(raw: bool) -> None:
    pack = zlib.compressobj(wbits=-15)
    answer = (
        Answer(pack.compress(b'{"a": 1}') + pack.flush(), headers={"Content-Encoding": "deflate"})
        if raw
        else servers.packed({"a": 1})
    )
    with serving({"/x": lambda asked: answer}) as server:
        assert get(server.url("/x")) == {"a": 1}


def test_a_bomb_is_stopped_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "PAGE_BYTES", 4 * 1024**2)
    answer = Answer(gzip.compress(b"0" * 300_000_000, 1), headers={"Content-Encoding": "gzip"})
    with serving({"/x": lambda asked: answer}) as server:
        assert problem_of(server.url("/x")).reason == "too-large"


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert problem_of(f"http://127.0.0.1:{port}/x").reason == "unreachable"
    assert problem_of("http://no-such-host.invalid/x").reason == "unreachable"


def test_a_server_that_hangs_is_a_timeout() -> None:
    with raw_serving(lambda connection: time.sleep(1.6)) as base:
        began = time.monotonic()

        problem = problem_of(base + "/x", timeout=0.4)

        assert problem.reason == "timeout"
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_ends_in_time(where: str) -> None:
    start = b"HTTP/1.1 200 OK\r\n" if where == "head" else b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(60):
            connection.sendall(b"X")
            time.sleep(0.1)

    with raw_serving(drip) as base:
        began = time.monotonic()

        problem = problem_of(base + "/x", timeout=0.6)

    assert problem.reason == "timeout"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000,
    ],
)
def test_what_is_no_http_is_told(reply: bytes) -> None:
    with raw_serving(lambda connection: connection.sendall(reply)) as base:
        assert problem_of(base + "/x").reason in ("unreachable", "truncated")


def test_plain_http_behind_https_is_a_tls_problem() -> None:
    with serving({"/x": good}) as server:
        assert problem_of(server.url("/x").replace("http:", "https:")).reason == "tls"


@pytest.fixture
def selfmade(tmp_path: Path) -> Iterator[str]:
    """An https server whose certificate nobody vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([*command, "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving({"/x": good}) as server:
        server.wrap(context)
        yield server.url("/x").replace("http:", "https:")


def test_a_certificate_that_nobody_vouches_for_is_a_tls_problem(selfmade: str) -> None:
    problem = problem_of(selfmade)

    assert problem.reason == "tls"
    assert "certificate" in problem.message


# Patience


def test_retry_after_in_seconds_is_honoured() -> None:
    told: list[str] = []
    with serving({"/x": servers.failing(429, 1, good, {"Retry-After": "1"})}) as server:
        client = Client(server.url("/x"), OpenOptions(timeout_seconds=5, progress=told.append))
        began = time.monotonic()

        assert json_of(client.get(client.url)) == OK

        assert time.monotonic() - began >= 0.9
        assert told == ["waiting 1 s: the API asks for patience"]
        client.close()


def test_retry_after_as_a_date_is_honoured() -> None:
    when = email.utils.formatdate(time.time() + 2, usegmt=True)
    with serving({"/x": servers.failing(503, 1, good, {"Retry-After": when})}) as server:
        began = time.monotonic()

        assert get(server.url("/x")) == OK

        assert time.monotonic() - began > 0.5


def test_too_long_a_wait_is_not_waited_for() -> None:
    with serving({"/x": servers.failing(429, 9, good, {"Retry-After": "3600"})}) as server:
        began = time.monotonic()

        problem = problem_of(server.url("/x"))

        assert problem.reason == "rate-limited"
        assert "3600 s" in problem.message
        assert time.monotonic() - began < 2
        assert len(server.seen) == 1


def test_429_for_ever_ends_with_the_patience() -> None:
    with serving({"/x": servers.failing(429, 10_000, good)}) as server:
        problem = problem_of(server.url("/x"), timeout=0.5)

        assert problem.reason == "rate-limited"
        assert len(server.seen) > 1


def test_a_server_that_stumbles_is_asked_again() -> None:
    with serving({"/x": servers.failing(502, 2, good)}) as server:
        assert get(server.url("/x")) == OK
        assert len(server.seen) == 3


def test_a_server_that_keeps_failing_is_given_up() -> None:
    with serving({"/x": servers.failing(500, 99, good)}) as server:
        assert problem_of(server.url("/x")).reason == "server-error"
        assert len(server.seen) == http_client.SERVER_TRIES


def test_a_used_up_quota_is_rested() -> None:
    def route(asked: Asked) -> Answer:
        return Answer(OK, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"})

    with serving({"/x": route}) as server:
        client = Client(server.url("/x"), OpenOptions(timeout_seconds=5))
        client.get(client.url)
        began = time.monotonic()

        client.get(client.url)

        assert time.monotonic() - began >= 0.9
        client.close()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after(text, now=10.0) == seconds


# Credentials


def test_a_credential_reaches_its_host_and_no_message() -> None:
    with serving({"/x": servers.guarded("Authorization", "Bearer s3cret-token", good)}) as server:
        assert get(server.url("/x"), request="bearer token in $API_TOKEN", API_TOKEN="s3cret-token") == OK


def test_a_401_says_which_variable_was_not_accepted() -> None:
    with serving({"/x": servers.guarded("Authorization", "Bearer right", good, "Bearer")}) as server:
        problem = problem_of(server.url("/x"), request="bearer token in $API_TOKEN", API_TOKEN="wrong-token-1")

    assert problem.reason == "authentication"
    assert "$API_TOKEN" in str(problem)
    assert "wrong-token-1" not in str(problem)


def test_a_401_without_words_names_what_is_set_but_never_sends_it() -> None:
    with serving({"/x": servers.guarded("Authorization", "Bearer right-1", good)}) as server:
        problem = problem_of(server.url("/x"), SHOP_TOKEN="right-1")

        assert "$SHOP_TOKEN" in problem.hint
        assert all("authorization" not in asked.headers for asked in server.seen)


def test_after_a_401_the_credential_goes_where_the_server_wants_it() -> None:
    with serving({"/x": servers.guarded("X-API-Key", "k-123456", good)}) as server:
        assert get(server.url("/x"), request="the token is in $SHOP_KEY", SHOP_KEY="k-123456") == OK


def test_userinfo_and_variables_in_the_address() -> None:
    route = servers.guarded("Authorization", "Basic YWRhOnB3LTEyMzQ1", good)
    with serving({"/x": route}) as server:
        base = server.url("/x").replace("http://", "http://ada:${SHOP_PW}@")

        assert get(base, SHOP_PW="pw-12345") == OK

        problem = problem_of(base + "/nothing", SHOP_PW="pw-12345")
        assert "pw-12345" not in str(problem)
        assert problem_of(base).message == "the address names $SHOP_PW, which is not set"


def test_secrets_echoed_by_the_server_are_struck_out() -> None:
    def route(asked: Asked) -> Answer:
        return Answer({"you sent": asked.headers.get("authorization"), "query": dict(asked.query)})

    with serving({"/x": route}) as server:
        body = get(server.url("/x?api_key=abcdefgh1"), request="bearer token in $T", T="tok-98765")

    assert body == {"you sent": "Bearer ***", "query": {"api_key": "***"}}


def test_secrets_are_struck_out_of_what_a_server_says() -> None:
    def route(asked: Asked) -> Answer:
        return Answer({"message": f"bad token {asked.headers['authorization']}"}, 403)

    with serving({"/x": route}) as server:
        problem = problem_of(server.url("/x"), request="bearer token in $T", T="tok-98765")

    assert "tok-98765" not in str(problem)
    assert "bad token" in str(problem)


def test_neither_cookies_nor_proxies_nor_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password pw-from-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    with serving({"/x": lambda asked: Answer(OK, headers={"Set-Cookie": "a=b"})}) as server:
        client = Client(server.url("/x"), OpenOptions())
        client.get(client.url)
        client.get(client.url)
        client.close()

        assert len(server.seen) == 2
        assert all("cookie" not in asked.headers and "authorization" not in asked.headers for asked in server.seen)


# Where it may go


def redirect(to: str) -> Route:
    return lambda asked: Answer("", 302, {"Location": to})


def test_a_redirect_on_the_same_host_is_followed() -> None:
    with serving({"/x": redirect("/y"), "/y": good}) as server:
        assert get(server.url("/x")) == OK


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:1/x",
        "http://10.0.0.1/x",
        "http://[::1]/x",
        "ftp://127.0.0.1/x",
        "//evil.test/x",
        "http://u:p@127.0.0.1/x",
    ],
)
def test_a_redirect_elsewhere_is_refused_and_nothing_is_sent(target: str) -> None:
    with serving({"/x": redirect(target)}) as server:
        problem = problem_of(server.url("/x"), request="bearer token in $T", T="tok-98765")

        assert problem.reason == "redirected"
        assert len(server.seen) == 1


def test_another_port_is_another_host() -> None:
    with serving({"/y": good}) as other, serving({"/x": redirect(other.url("/y"))}) as server:
        assert problem_of(server.url("/x")).reason == "redirected"
        assert other.seen == []


def test_redirects_in_a_circle_end() -> None:
    with serving({"/x": redirect("/y"), "/y": redirect("/x")}) as server:
        assert problem_of(server.url("/x")).reason == "redirected"
        assert len(server.seen) == http_client.REDIRECTS + 1


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "224.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::ffff:169.254.169.254]",
        "100.100.100.200",
        "255.255.255.255",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
    ],
)
def test_metadata_and_multicast_are_never_spoken_to(host: str) -> None:
    assert problem_of(f"http://{host}/latest", timeout=1).reason == "unreachable"


@pytest.mark.parametrize(
    ("address", "inside", "never"),
    [
        ("127.0.0.1", True, False),
        ("10.1.2.3", True, False),
        ("192.168.0.1", True, False),
        ("::1", True, False),
        ("fd12::1", True, False),
        ("::ffff:127.0.0.1", True, False),
        ("64:ff9b::7f00:1", True, False),
        ("8.8.8.8", False, False),
        ("2606:4700::1111", False, False),
        ("169.254.1.1", True, True),
        ("240.0.0.1", True, True),
    ],
)
def test_addresses_are_told_apart(address: str, inside: bool, never: bool) -> None:
    parsed = ipaddress.ip_address(address)

    assert (is_inside(parsed), is_never_allowed(parsed)) == (inside, never)


def test_a_public_name_that_turns_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = itertools.chain(["93.184.216.34"], itertools.repeat("127.0.0.1"))
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *a, **k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 80))]
    )
    client = Client("http://rebind.test:9/x", OpenOptions(timeout_seconds=0.2))

    with pytest.raises(SourceProblem):
        client.get(client.url)
    with pytest.raises(SourceProblem, match="inside this network"):
        client.get(client.url)
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/x",
        "http:///x",
        "file:///etc/passwd",
        "http://h:99999/x",
        "http://h/\r\nX: y",
        "http://h/a b",
        "gopher://h",
    ],
)
def test_what_is_no_address_is_a_bad_request(url: str) -> None:
    with pytest.raises((BadRequest, SourceProblem)):
        get(url)


def test_parameters_cannot_break_out() -> None:
    with serving({"/x": lambda asked: Answer({"q": dict(asked.query)})}) as server:
        client = Client(server.url("/x"), OpenOptions())

        body = json_of(client.get(client.url, {"a": "1\r\nX-Evil: 1&b=2#", "n": 5, "yes": True}))

        assert body == {"q": {"a": "1\r\nX-Evil: 1&b=2#", "n": "5", "yes": "true"}}
        assert "x-evil" not in server.seen[0].headers
        client.close()


# Probing and files


def test_a_probe_tells_what_is_there_whatever_its_status() -> None:
    with serving(
        {"/x": lambda asked: Answer("<html>no</html>", 404, {"Content-Type": "text/html"}), "/y": redirect("/x")}
    ) as server:
        result = probe(server.url("/y"), OpenOptions())

        assert (result.status, result.content_type, result.head) == (404, "text/html", b"<html>no</html>")
        assert result.final_url == server.url("/x")


def test_a_file_is_downloaded_with_its_name() -> None:
    headers = {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="../../etc/report.csv"'}
    with serving({"/x": lambda asked: Answer("a,b\n1,2\n", headers=headers)}) as server:
        got = download(server.url("/x"), OpenOptions())

    assert got.path.read_text() == "a,b\n1,2\n"
    assert (got.name, got.content_type, got.size) == ("report.csv", "text/csv", 8)
    got.path.unlink()


def test_a_file_over_the_cap_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with serving({"/x": lambda asked: Answer(b"x" * 100_000)}) as server:
        client = Client(server.url("/x"), OpenOptions())

        with pytest.raises(SourceProblem) as problem:
            client.download(client.url, cap=50_000)

        client.close()
    assert problem.value.reason == "too-large"
    assert list(tmp_path.iterdir()) == []
