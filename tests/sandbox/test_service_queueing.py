"""Quotas, the queue in front of the sandbox, and kept answers, each by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from sandbox.service.kept_answers import TOO_LONG_BYTES, Claim, KeptAnswer, KeptAnswers
from sandbox.service.keys import Key
from sandbox.service.outlet import Outlet, ReaderGone
from sandbox.service.problem import Problem
from sandbox.service.queueing import Budget, Queue, Quotas


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def key(name: str = "k", per_minute: int | None = None, per_day: int | None = None, at_once: int | None = None) -> Key:
    return Key(name, name, "", ("execute",), "", per_minute=per_minute, per_day=per_day, concurrent=at_once)


def ask(quotas: Quotas, who: Key) -> None:
    with quotas.held(who):
        pass


def test_a_minute_quota_says_when_to_come_back() -> None:
    clock = Clock()
    quotas = Quotas(600, 32, clock)
    who = key(per_minute=6)
    for _ in range(6):
        ask(quotas, who)

    with pytest.raises(Problem) as refused:
        ask(quotas, who)

    assert (refused.value.status, refused.value.reason, refused.value.retry_seconds) == (429, "quota", 10)
    ask(quotas, key("another", per_minute=6))
    clock.now += 10
    ask(quotas, who)


def test_a_day_quota_is_over_after_a_day() -> None:
    clock = Clock()
    quotas = Quotas(600, 32, clock)
    who = key(per_day=2)
    ask(quotas, who)
    ask(quotas, who)

    with pytest.raises(Problem, match="2 times a day"):
        ask(quotas, who)

    clock.now += 86_401
    ask(quotas, who)


def test_so_many_requests_of_a_key_at_once() -> None:
    quotas = Quotas(600, 32)
    who = key(at_once=1)

    with quotas.held(who):
        with pytest.raises(Problem, match="1 requests under way"):
            ask(quotas, who)
        ask(quotas, key("another", at_once=1))

    ask(quotas, who)


def test_the_budget_for_bodies_is_given_back() -> None:
    budget = Budget(10)

    with budget.taken(8), pytest.raises(Problem, match="memory"), budget.taken(3):
        pass

    with budget.taken(10):
        pass


def played(play: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(play, 10))


def never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def test_keys_take_turns() -> None:
    async def play() -> None:
        queue = Queue(1, 10, 5.0)
        await queue.enter("first", never())
        served: list[str] = []

        async def wait_for_turn(owner: str, name: str) -> None:
            await queue.enter(owner, never())
            served.append(name)
            queue.leave(owner, 0.01)

        tasks = []
        for owner, name in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1")]:
            tasks.append(asyncio.ensure_future(wait_for_turn(owner, name)))
            await asyncio.sleep(0)
        queue.leave("first", 0.01)
        await asyncio.gather(*tasks)

        assert served == ["a1", "b1", "c1", "a2", "a3"]
        assert (queue.running, queue.waiting) == (0, 0)

    played(play())


def test_who_runs_long_waits_long() -> None:
    async def play() -> None:
        queue = Queue(1, 100, 5.0)
        await queue.enter("first", never())
        served: list[str] = []

        async def wait_for_turn(owner: str, seconds: float) -> None:
            await queue.enter(owner, never())
            served.append(owner)
            queue.leave(owner, seconds)

        tasks = [asyncio.ensure_future(wait_for_turn("long", 5.0)) for _ in range(3)]
        tasks += [asyncio.ensure_future(wait_for_turn("short", 0.1)) for _ in range(60)]
        await asyncio.sleep(0)
        queue.leave("first", 0.1)
        await asyncio.gather(*tasks)

        assert served.index("long") == 0
        assert served[1:51] == ["short"] * 50
        assert served[51:].index("long") < 3

    played(play())


def test_a_full_queue_a_slow_one_and_a_closed_one() -> None:
    async def play() -> None:
        queue = Queue(1, 1, 0.05)
        await queue.enter("a", never())
        waiting = asyncio.ensure_future(queue.enter("b", never()))
        await asyncio.sleep(0)
        with pytest.raises(Problem) as full:
            await queue.enter("c", never())
        assert (full.value.status, full.value.reason) == (429, "queue-full")
        assert full.value.retry_seconds is not None
        with pytest.raises(Problem) as slow:
            await waiting
        assert (slow.value.status, slow.value.reason) == (429, "queue-slow")
        late = asyncio.ensure_future(queue.enter("d", never()))
        await asyncio.sleep(0)
        queue.close()
        with pytest.raises(Problem) as closed:
            await late
        assert (closed.value.status, closed.value.reason) == (503, "draining")
        queue.leave("a", 0.01)
        assert (queue.running, queue.waiting) == (0, 0)

    played(play())


def test_who_leaves_the_queue_loses_no_turn() -> None:
    async def play() -> None:
        queue = Queue(1, 5, 5.0)
        await queue.enter("a", never())
        gone = never()
        leaving = asyncio.ensure_future(queue.enter("b", gone))
        cancelled = asyncio.ensure_future(queue.enter("c", never()))
        await asyncio.sleep(0)
        # All in the same moment: b's turn comes while it leaves, c is cancelled.
        queue.leave("a", 0.01)
        gone.set_result(None)
        cancelled.cancel()
        with pytest.raises(ReaderGone):
            await leaving
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert (queue.running, queue.waiting) == (0, 0)
        await queue.enter("d", never())
        assert queue.running == 1

    played(play())


def test_a_kept_answer_comes_again_until_it_is_too_old() -> None:
    clock = Clock()
    answers = KeptAnswers(60, 1_000_000, clock)
    claim = answers.claim("me", "key", "print")
    assert isinstance(claim, Claim)
    with pytest.raises(Problem, match="under way"):
        answers.claim("me", "key", "print")
    claim.add(b"one ")
    claim.add(b"two")
    claim.keep("application/json")
    claim.release()

    again = answers.claim("me", "key", "print")

    assert isinstance(again, KeptAnswer)
    assert again.body == b"one two"
    assert isinstance(answers.claim("you", "key", "print"), Claim)
    with pytest.raises(Problem, match="another request"):
        answers.claim("me", "key", "other print")
    clock.now += 61
    assert isinstance(answers.claim("me", "key", "other print"), Claim)


def test_kept_answers_are_bounded() -> None:
    answers = KeptAnswers(60, 2_000)
    for number in range(10):
        claim = answers.claim("me", str(number), "print")
        assert isinstance(claim, Claim)
        claim.add(b"x" * 500)
        claim.keep("application/json")

    assert isinstance(answers.claim("me", "9", "print"), KeptAnswer)
    assert isinstance(answers.claim("me", "0", "print"), Claim)


def test_an_answer_too_long_to_keep_is_not_run_twice() -> None:
    answers = KeptAnswers(60, 100_000_000)
    claim = answers.claim("me", "key", "print")
    assert isinstance(claim, Claim)
    for _ in range(5):
        claim.add(b"x" * (TOO_LONG_BYTES // 4))
    claim.keep("application/json")

    with pytest.raises(Problem, match="too long to keep"):
        answers.claim("me", "key", "print")


def test_the_outlet_holds_back_who_writes_faster_than_is_read() -> None:
    async def play() -> None:
        outlet = Outlet(10, 5.0)
        loop = asyncio.get_running_loop()
        put: list[int] = []

        def write() -> None:
            for number in range(20):
                outlet.put(b"12345")
                put.append(number)
            loop.call_soon_threadsafe(outlet.end)

        thread = loop.run_in_executor(None, write)
        await asyncio.sleep(0.1)
        assert len(put) == 2
        read = b""
        while (piece := await outlet.get()) is not None:
            read += piece
        await thread
        assert read == b"12345" * 20

    played(play())


@pytest.mark.parametrize("how", ["stall", "close"])
def test_who_writes_to_nobody_is_told(how: str) -> None:
    async def play() -> None:
        outlet = Outlet(1, 0.1 if how == "stall" else 30.0)
        loop = asyncio.get_running_loop()

        def write() -> None:
            outlet.put(b"1")
            outlet.put(b"2")

        thread = loop.run_in_executor(None, write)
        await asyncio.sleep(0.05)
        if how == "close":
            outlet.close()
        with pytest.raises(ReaderGone):
            await thread

    played(play())
