"""Budgets: how many tokens, and how much money, one request and one run may use. They stop before they are passed.

A call reserves what it could at most cost; it is made only if that fits, and its reply is cut where the reservation ends.
Money needs prices, and prices come from the user's own file alone:

    [models."my-model"]      # per million tokens, in any one currency
    input = 0.5
    output = 1.5
"""

from __future__ import annotations

import threading
import tomllib
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synth.errors import BadRequest
from synth.models.problem import BudgetReached, ModelProblem
from synth.models.reply import Usage

TOKENS_PER_REQUEST = 200_000
"""So many tokens one request may use when the user says nothing: some twenty drafts, and an end to any loop."""

LEAST_REPLY = 200
"""A reply shorter than this holds no closure, so a call that could not get so many tokens is not made."""


@dataclass(frozen=True)
class Caps:
    """The most tokens and money; None means no cap."""

    request_tokens: int | None = TOKENS_PER_REQUEST
    run_tokens: int | None = None
    request_cost: float | None = None
    run_cost: float | None = None


@dataclass(frozen=True)
class Price:
    """Of a million tokens."""

    input: float
    output: float

    def of(self, prompt: int, completion: int) -> float:
        """What so many tokens cost."""
        return (prompt * self.input + completion * self.output) / 1_000_000


class Account:
    """What was used, and what is reserved for calls under way."""

    def __init__(self) -> None:
        self.tokens = 0
        self.cost = 0.0
        self.calls = 0
        self.held_tokens = 0
        self.held_cost = 0.0


class Budget:
    """Keeps one run's account and one for each of its requests. Safe to use from several threads."""

    def __init__(self, caps: Caps | None = None, price: Price | None = None) -> None:
        self.caps = caps or Caps()
        self.price = price
        self.run = Account()
        self._requests: dict[int, tuple[weakref.ref[object], Account]] = {}
        self._lock = threading.Lock()
        if price is None and (self.caps.request_cost is not None or self.caps.run_cost is not None):
            raise ModelProblem(
                "a budget in money needs the model's price", "Set TARS_PRICES to a file that has it", "bad-settings"
            )

    def account_of(self, request: object) -> Account:
        """The account of this very request object; a new one for a new object."""
        with self._lock:
            known = self._requests.get(id(request))
            if known and known[0]() is request:
                return known[1]
            self._requests = {k: v for k, v in self._requests.items() if v[0]() is not None}
            account = Account()
            self._requests[id(request)] = (weakref.ref(request), account)
            return account

    def reserve(self, account: Account, prompt: int, most: int, parts: int = 1) -> Reservation:
        """Room for a call with so many prompt tokens and up to `most` of reply; with `parts` such calls side by side, a fair
        part of what is left. Raises BudgetReached when not even a short reply would fit."""
        with self._lock:
            room, which = self._room(account, prompt, parts)
            if room < min(LEAST_REPLY, most):
                raise BudgetReached(
                    f"the budget of {which} is used up: the next call needs {prompt + LEAST_REPLY} tokens or more",
                    "Raise it, or ask something smaller",
                    "budget",
                )
            reply = min(most, room)
            held = Reservation(self, account, prompt, reply, bounded=room < most, which=which)
            for one in (account, self.run):
                one.held_tokens += prompt + reply
                one.held_cost += self._cost(prompt, reply)
            return held

    def _room(self, account: Account, prompt: int, parts: int) -> tuple[int, str]:
        """How many tokens of reply the tightest cap leaves, and that cap in words."""
        rooms: list[tuple[int, str]] = []
        for one, tokens, cost, who in (
            (account, self.caps.request_tokens, self.caps.request_cost, "this request"),
            (self.run, self.caps.run_tokens, self.caps.run_cost, "this run"),
        ):
            if tokens is not None:
                left = (tokens - one.tokens - one.held_tokens) // parts
                rooms.append((left - prompt, f"{tokens} tokens for {who}"))
            if cost is not None and self.price is not None:
                money = (cost - one.cost - one.held_cost) / parts - self.price.of(prompt, 0)
                free = 10**9 if money >= 0 else -1
                room = int(money * 1_000_000 / self.price.output) if self.price.output else free
                rooms.append((room, f"{cost:g} for {who}"))
        return min(rooms, default=(10**9, ""))

    def _cost(self, prompt: int, completion: int) -> float:
        return self.price.of(prompt, completion) if self.price else 0.0

    def priced(self, prompt: int, completion: int, estimated: bool) -> Usage:
        """Tokens with what they cost."""
        return Usage(prompt, completion, self._cost(prompt, completion) if self.price else None, estimated)

    def settle(self, held: Reservation, usage: Usage | None) -> None:
        """Put what a call really used in place of what was held for it."""
        with self._lock:
            for one in (held.account, self.run):
                one.held_tokens -= held.prompt + held.reply
                one.held_cost -= self._cost(held.prompt, held.reply)
                if usage is not None:
                    one.calls += 1
                    one.tokens += usage.tokens
                    one.cost += usage.cost or 0.0


@dataclass
class Reservation:
    """Room for one call: so many prompt tokens and at most `reply` tokens of reply. `bounded`: a budget set that, and `which`."""

    budget: Budget
    account: Account
    prompt: int
    reply: int
    bounded: bool
    which: str


@cache
def budget_of(caps: Caps, price: Price | None) -> Budget:
    """The budget that this whole process shares: one run, however many requests it serves."""
    return Budget(caps, price)


def caps_from(environment: Mapping[str, str]) -> Caps:
    """TARS_BUDGET_TOKENS and TARS_BUDGET_COST for each request, TARS_BUDGET_RUN_TOKENS and TARS_BUDGET_RUN_COST for the run."""
    tokens = _number(environment, "TARS_BUDGET_TOKENS")
    run_tokens = _number(environment, "TARS_BUDGET_RUN_TOKENS")
    return Caps(
        TOKENS_PER_REQUEST if tokens is None else int(tokens),
        None if run_tokens is None else int(run_tokens),
        _number(environment, "TARS_BUDGET_COST"),
        _number(environment, "TARS_BUDGET_RUN_COST"),
    )


def price_from(environment: Mapping[str, str], model: str) -> Price | None:
    """The model's price in the file that TARS_PRICES names; None where no file is named or it does not have the model."""
    name = environment.get("TARS_PRICES", "")
    if not name:
        return None
    try:
        table = tomllib.loads(Path(name).expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequest(f"TARS_PRICES={name!r} cannot be read as TOML: {error}") from error
    entry = table.get("models", {}).get(model)
    if entry is None:
        return None
    try:
        price = Price(float(entry["input"]), float(entry["output"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest(
            f"TARS_PRICES={name!r} has no usable price for {model!r}", "Write input and output, per million tokens"
        ) from error
    if not (0 <= price.input < float("inf") and 0 <= price.output < float("inf")):
        raise BadRequest(f"TARS_PRICES={name!r} has a price for {model!r} that is none: {price.input}, {price.output}")
    return price


def _number(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name, "").strip()
    if not text:
        return None
    try:
        number = float(text.replace("_", ""))
    except ValueError as error:
        raise BadRequest(f"{name}={text!r} is not a number") from error
    if not 0 <= number < float("inf"):
        raise BadRequest(f"{name}={text!r} is not a budget", "Give a number from 0 up")
    return number
