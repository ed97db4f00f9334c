"""A run that its caller stops from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from sandbox.broker import Broker, CallRefused
from sandbox.job import Job, RunStopped, Sandbox
from sandbox.open import open_sandbox

ENDLESS = "def closure(source):\n    while True:\n        pass\n"
ONE = "def closure(source):\n    yield {'a': 1}\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox("local")
    yield opened
    opened.close()


def test_an_endless_loop_is_stopped_from_another_thread(sandbox: Sandbox) -> None:
    sandbox.run(Job(ONE), Broker(None))
    broker = Broker(None)
    timer = threading.Timer(0.3, broker.stop)
    began = time.monotonic()
    timer.start()

    with pytest.raises(RunStopped):
        sandbox.run(Job(ENDLESS), broker)

    timer.join()
    assert time.monotonic() - began < 5
    assert sandbox.run(Job(ONE), Broker(None)).records == ({"a": 1},)


def test_a_run_stopped_before_it_began_does_not_begin(sandbox: Sandbox) -> None:
    broker = Broker(None)
    broker.stop()

    with pytest.raises(RunStopped):
        sandbox.run(Job(ENDLESS), broker)


def test_a_stopped_run_gets_no_more_answers() -> None:
    class Texts:
        def text(self) -> str:
            return "words"

    broker = Broker(Texts())
    broker.stop()

    with pytest.raises(CallRefused, match="stopped"):
        list(broker.answer("text", [], {}))


def test_stopping_a_run_that_is_over_is_no_matter(sandbox: Sandbox) -> None:
    broker = Broker(None)
    result = sandbox.run(Job(ONE), broker)

    broker.stop()

    assert result.status == "ok"
