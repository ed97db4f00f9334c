"""What can go wrong between us and a model, as errors a user can act on."""

from __future__ import annotations

from synth.errors import TarsError


class ModelProblem(TarsError):
    """The model cannot be reached or would not answer; the message says which, the hint what to do.

    `reason` is a short stable name: `no-server`, `tls`, `timeout`, `authentication`, `authorisation`, `no-such-model`,
    `rate-limited`, `quota`, `server-error`, `context-too-long`, `cut-off`, `declined`, `empty`, `not-a-model`, `garbled`,
    `redirected`, `bad-settings`, `bad-request`, `budget`; of a model on this machine `corrupt-model`, `unsupported`,
    `too-little-memory`, `missing-extra`. A `transient` one may pass by itself; `wait` is how many seconds
    the server asked for.
    """

    code = 7

    def __init__(
        self,
        message: str,
        hint: str = "",
        reason: str = "bad-request",
        transient: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.reason = reason
        self.transient = transient
        self.wait = wait


class Declined(ModelProblem):
    """The model, or a filter before it, would not do what it was asked: an honest no, not an outage."""


class BudgetReached(ModelProblem):
    """The next call could pass a budget, so it was not made (or a reply was stopped where it would have)."""
