"""The failures of the openai client and of servers behind it, in words a user can act on."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from synth.models.endpoint import Endpoint
from synth.models.problem import Declined, ModelProblem
from synth.models.wire import shown

if TYPE_CHECKING:
    import openai

_TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|maximum context|too many tokens|(prompt|input|request).{0,20}too (long|large)|n_ctx"
    r"|exceeds? .{0,40}(context|tokens)",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient|current quota|billing|credit|balance|payment", re.IGNORECASE)
_PASSES = re.compile(r"\brate|per[ -]?(second|minute|hour|day)|try again|retry", re.IGNORECASE)
# Servers echo a key with its middle starred out; what is left of it goes as well.
_KEY = re.compile(r"\b(?:sk|pk|rk|gsk|xai|or)-[\w*.-]{6,}|[\w-]*\*{3,}[\w-]*")
_FILTER = re.compile(r"content.?(filter|policy)|moderation|safety", re.IGNORECASE)


def transport_errors() -> tuple[type[Exception], ...]:
    """What reading a body can raise, by whichever HTTP library the client came with."""
    found: list[type[Exception]] = [ssl.SSLError, OSError]
    for name in ("httpx", "httpx2"):
        module = sys.modules.get(name)
        if module is not None:
            found += [module.RequestError, module.StreamError]
    return tuple(found)


def transport_problem(error: BaseException, endpoint: Endpoint) -> ModelProblem:
    """No connection, or one that broke: which, and what to check."""
    chain = _chain(error)
    words = " ".join(str(e) for e in chain)
    if any(isinstance(e, ssl.SSLError) for e in chain) or "CERTIFICATE_VERIFY" in words or "SSL" in words:
        if "CERTIFICATE_VERIFY" in words or any(isinstance(e, ssl.SSLCertVerificationError) for e in chain):
            found = re.search(r"verify failed: ([^(\[\]]+)", words)
            why = f": {shown(found.group(1), 100)}" if found else ""
            return ModelProblem(
                f"the certificate of {endpoint.host} is not trusted{why}",
                "If it is your own authority, name its certificate in TARS_CA_FILE",
                "tls",
            )
        return ModelProblem(
            f"no TLS connection with {endpoint.host}", "Does the server speak https? Check OPENAI_BASE_URL", "tls"
        )
    if any("Timeout" in type(e).__name__ or isinstance(e, TimeoutError) for e in chain):
        return too_slow(endpoint)
    if any("Proxy" in type(e).__name__ for e in chain):
        return ModelProblem(
            f"the proxy on the way to {endpoint.host} would not pass the request on",
            "Check HTTPS_PROXY and NO_PROXY",
            "no-server",
        )
    if re.search(r"name or service|name resolution|nodename|getaddrinfo|resolve", words, re.IGNORECASE):
        return ModelProblem(
            f"there is no host {endpoint.host}", "Check OPENAI_BASE_URL, and the network", "no-server", transient=False
        )
    if re.search(r"refused|unreachable|no route", words, re.IGNORECASE):
        return ModelProblem(
            f"no server answers at {endpoint.host}",
            "Start it, or check OPENAI_BASE_URL" if endpoint.local else "Check OPENAI_BASE_URL, and the network",
            "no-server",
        )
    return ModelProblem(
        f"the connection to {endpoint.host} broke off", "Try again, or check the server", "no-server", transient=True
    )


def too_slow(endpoint: Endpoint) -> ModelProblem:
    """A reply that took too long."""
    return ModelProblem(
        f"{endpoint.host} gave no whole reply within {endpoint.seconds:g} seconds",
        "Set TARS_MODEL_TIMEOUT to more seconds, or use a faster model",
        "timeout",
    )


def status_problem(error: openai.APIStatusError, endpoint: Endpoint) -> ModelProblem:
    """What a status of 300 and above means."""
    return body_problem(error.status_code, error.body, endpoint, error.response.headers)


def body_problem(
    status: int, body: object, endpoint: Endpoint, headers: Mapping[str, str] | None = None
) -> ModelProblem:
    """What an error means, by its status and the server's own words, which are passed on without the key."""
    words, code = _words(body, endpoint)
    said = f": {words}" if words else ""
    model, host = endpoint.model, endpoint.host
    if status == 413 or code == "context_length_exceeded" or (status in (400, 422, 500) and _TOO_LONG.search(words)):
        return ModelProblem(
            f"the prompt is too long for {model}{said}",
            "Use a model (or a server setting) with a longer context, or ask of fewer tables",
            "context-too-long",
        )
    if status in (400, 403, 422) and (code == "content_filter" or _FILTER.search(f"{code} {words}")):
        return Declined(f"a filter at {host} blocked the request{said}", "Word it otherwise", "declined")
    if 300 <= status < 400:
        return ModelProblem(
            f"{host} sends the request elsewhere (status {status}), and a prompt follows no redirect",
            "Set OPENAI_BASE_URL to the final address",
            "redirected",
        )
    if status == 401:
        what = "refused the key" if endpoint.key else "wants a key"
        return ModelProblem(f"{host} {what} (401){said}", "Set OPENAI_API_KEY to a valid key", "authentication")
    if status == 403:
        return ModelProblem(
            f"the key may not use {model} at {host} (403){said}",
            "Ask for access, or use another model",
            "authorisation",
        )
    if status == 404:
        return ModelProblem(
            f"{host} has no model {model!r} (404){said}",
            "Check the name, and that OPENAI_BASE_URL ends as the server wants it (usually /v1)",
            "no-such-model",
        )
    is_quota = code == "insufficient_quota" or (_QUOTA.search(f"{code} {words}") and not _PASSES.search(words))
    if status == 402 or (status == 429 and is_quota):
        return ModelProblem(f"the account at {host} has no credit left{said}", "Top it up, or use another key", "quota")
    if status == 429:
        wait = wait_of(headers or {})
        asked = f"; it asks to wait {wait:.0f} seconds" if wait is not None else ""
        return ModelProblem(
            f"{host} has had too many requests (429){asked}{said}", "Try again later", "rate-limited", True, wait
        )
    if status >= 500 or status in (408, 409, 425):
        return ModelProblem(
            f"{host} failed ({status}){said}",
            "Try again later, or look into the server's log",
            "server-error",
            status not in (501, 505),
            wait_of(headers or {}),
        )
    return ModelProblem(f"{host} refused the request ({status}){said}", "Check the server's settings", "bad-request")


def streamed_problem(error: object, endpoint: Endpoint) -> ModelProblem:
    """An error that came in the middle of a stream that began well."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return body_problem(status, error, endpoint)


def wait_of(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After (a number or a date) asks for; never negative."""
    if text := headers.get("retry-after-ms", ""):
        try:
            return max(0.0, float(text) / 1000)
        except ValueError:
            pass
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if seconds == seconds else None


def _words(body: object, endpoint: Endpoint) -> tuple[str, str]:
    """The server's message and code. Neither the key nor anything with its ends may be in them."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    message: object = inner
    code = ""
    if isinstance(inner, dict):
        message = inner.get("message") or inner.get("detail") or inner.get("error") or ""
        code = str(inner.get("code") or inner.get("type") or "")
    text = message if isinstance(message, str) else ""
    if text.lstrip()[:1] == "<":
        text = ""
    if endpoint.key:
        text = text.replace(endpoint.key, "***")
    text = _KEY.sub("***", text)
    return shown(text, 200).rstrip("."), code


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found and len(found) < 10:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
