"""This file is what a caller is told when a request cannot be served: RFC 9457 problem details, each with a next step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tars:problem:"


class Problem(Exception):
    """A request that is not served. `reason` is a short stable name, `next_step` what the caller can do about it.

    `retry_seconds` becomes Retry-After; `errors` are (where, what) pairs within the request; neither holds data of the caller.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        next_step: str,
        *,
        retry_seconds: int | None = None,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.next_step = next_step
        self.retry_seconds = retry_seconds
        self.errors = tuple(errors)
        self.more = dict(more or {})
        self._headers = dict(headers or {})

    def body(self, request_id: str = "") -> dict[str, object]:
        """The problem as RFC 9457 has it."""
        told: dict[str, object] = {
            "type": TYPE_PREFIX + self.reason,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "next_step": self.next_step,
        }
        if self.errors:
            told["errors"] = [{"at": at, "message": message} for at, message in self.errors]
        if request_id:
            told["request_id"] = request_id
        return told | self.more

    def encoded(self, request_id: str = "") -> bytes:
        """The body's bytes."""
        return json.dumps(self.body(request_id), ensure_ascii=False).encode("utf-8", "replace")

    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        told = {"content-type": MEDIA_TYPE, "cache-control": "no-store", **self._headers}
        if self.retry_seconds is not None:
            told["retry-after"] = str(max(1, self.retry_seconds))
        return told


def unexpected() -> Problem:
    """For a failure of ours: nothing of it leaves but the request's number, by which the log can be searched."""
    return Problem(
        500, "internal", "the service failed at this request", "Report it with the request_id; the log has more."
    )
