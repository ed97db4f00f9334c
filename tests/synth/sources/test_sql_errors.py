"""What goes wrong with databases, each with its reason, in time, and without the password in it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.services import Server, free_port
from tests.synth.sources.sql_help import problem_of

_SECRET = "hidden-pw"


@contextmanager
def _mute_server(says: bytes = b"", drips: bool = False) -> Iterator[int]:
    """A server that accepts and says this once, or a byte of it now and then."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        held: list[socket.socket] = []

        def serve() -> None:
            while not stop.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue
                except OSError:
                    return
                if says and not drips:
                    held[-1].sendall(says)

        def drip() -> None:
            while drips and not stop.wait(0.2):
                for each in list(held):
                    try:
                        each.sendall(says[:1])
                    except OSError:
                        held.remove(each)

        threads = [threading.Thread(target=serve), threading.Thread(target=drip)]
        for thread in threads:
            thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for each in held:
                each.close()


def test_wrong_password(postgres: Server, mariadb: Server) -> None:
    for server in (postgres, mariadb):
        problem = problem_of(server.url(password=_SECRET))

        assert problem.reason == "authentication"
        assert "127.0.0.1" in problem.message
        assert "tars" in problem.message
        assert problem.hint
        assert _SECRET not in str(problem)


def test_unknown_user(postgres: Server, mariadb: Server) -> None:
    for server in (postgres, mariadb):
        problem = problem_of(server.url(user="nobody-here", password=_SECRET))

        assert problem.reason == "authentication"
        assert "nobody-here" in problem.message


def test_unknown_database(postgres: Server, mariadb: Server) -> None:
    for server in (postgres, mariadb):
        problem = problem_of(server.url("nowhere"))

        assert problem.reason == "not-found"
        assert "nowhere" in problem.message


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_port_where_nothing_listens(scheme: str) -> None:
    problem = problem_of(f"{scheme}://u:{_SECRET}@127.0.0.1:{free_port()}/db")

    assert problem.reason == "unreachable"
    assert "u@127.0.0.1" in problem.message
    assert _SECRET not in str(problem)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_host_that_does_not_exist(scheme: str) -> None:
    problem = problem_of(f"{scheme}://u:{_SECRET}@no-such-host.invalid/db")

    assert problem.reason == "unreachable"
    assert "no-such-host.invalid" in problem.message


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
@pytest.mark.parametrize("drip", [b"", b"N", b"\x4a"])
def test_a_server_that_hangs_or_drips(scheme: str, drip: bytes) -> None:
    with _mute_server(drip, drips=True) as port:
        start = time.monotonic()

        problem = problem_of(f"{scheme}://u:{_SECRET}@127.0.0.1:{port}/db", seconds=2)

        assert problem.reason in ("timeout", "unreadable")
        assert drip or problem.reason == "timeout"
        assert time.monotonic() - start < 5
        assert _SECRET not in str(problem)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_of_another_kind(scheme: str) -> None:
    with _mute_server(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20) as port:
        problem = problem_of(f"{scheme}://u:{_SECRET}@127.0.0.1:{port}/db", seconds=2)

        assert problem.reason == "unreadable"
        assert "is not" in problem.message


def test_unknown_words_in_an_address() -> None:
    assert problem_of("postgresql://127.0.0.1/db?nonsense=1").reason == "unreadable"
    assert problem_of("mysql://127.0.0.1/db?nonsense=1").reason == "unreadable"
    assert problem_of("oracle://127.0.0.1/db").reason == "unknown-kind"


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)

    problem = problem_of("mysql://127.0.0.1/db")

    assert problem.reason == "missing-extra"
    assert "tars-closures[mysql]" in problem.hint
