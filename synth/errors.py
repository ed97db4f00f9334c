"""Errors that a user or an operator can act on. The command prints them without a traceback."""

from __future__ import annotations


class TarsError(Exception):
    """A message that names the value, the expectation and the next step. `code` is the command's exit code."""

    code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class BadRequest(TarsError):
    """The request or an option is wrong."""


class SourceProblem(TarsError):
    """The source cannot be read. `reason` is a short stable name, as `tars datasource test` prints it:
    `missing`, `empty`, `unknown-kind`, `unreadable`, `truncated`, `unreachable`, `timeout`, `authentication`, `authorisation`,
    `not-found`, `rate-limited`, `server-error`, `not-json`, `redirected`, `tls`, `missing-extra`, `too-large`."""

    code = 4

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.reason = reason


class HomeProblem(TarsError):
    """The folder with TARS' own state cannot be used."""

    code = 6
