"""Any OpenAI-compatible endpoint: hosted, or a server of one's own (vLLM, Ollama, llama.cpp, LM Studio …).

The client is the openai package's; its own retries, redirects and telemetry headers are turned off, and replies are read
off the wire piece by piece, so that time, budget and garbage stop them where they are.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from synth.errors import BadRequest
from synth.models import failures
from synth.models.budget import Account, Budget, Reservation, budget_of, caps_from, price_from
from synth.models.endpoint import Endpoint, endpoint_of
from synth.models.problem import BudgetReached, Declined, ModelProblem
from synth.models.reply import Reply, Usage, tokens_of
from synth.models.wire import Piece, pieces_of, shown
from synth.request import Writer

if TYPE_CHECKING:
    from openai import OpenAI
    from tenacity import RetryCallState

MOST_REPLY = 16_384
"""A closure, with all that a model thinks before it, is shorter than so many tokens; a longer reply is stopped."""

LONGEST_WAIT = 60.0
"""A server that asks to wait longer than these seconds is not waited for."""

CONNECT_SECONDS = 10.0
WARMTH = 0.8
"""The temperature of drafts that shall differ."""

CLOSURE_REPLY: dict[str, object] = {
    "type": "json_schema",
    "json_schema": {
        "name": "closure",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "cannot": {"type": "string", "description": "Why the data cannot answer the request; empty if it can."},
                "reading": {"type": "string", "description": "One sentence: how the request was understood."},
                "code": {"type": "string", "description": "The whole Python module with the function `closure`."},
            },
            "required": ["cannot", "reading", "code"],
            "additionalProperties": False,
        },
    },
}


class Connection:
    """The client for one endpoint, made when first needed and shared between threads; and what the server will not have."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.refused: set[str] = set() if endpoint.structured else {"response_format"}
        self.tokens_per_estimate = 1.0  # what the server counted, by what we would have
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def client(self) -> OpenAI:
        """The openai client. On this machine no proxy is asked; elsewhere HTTPS_PROXY, NO_PROXY and their like hold."""
        with self._lock:
            if self._client is None:
                from openai import DefaultHttpxClient, OpenAI, Timeout

                here = self.endpoint
                try:
                    http_client = DefaultHttpxClient(
                        verify=here.certificates(),
                        timeout=Timeout(here.seconds, connect=min(CONNECT_SECONDS, here.seconds)),
                        follow_redirects=False,  # a prompt goes where the user said, and nowhere else
                        trust_env=not here.local,
                        event_hooks={"request": [_plain_headers(here)]},
                    )
                except (ImportError, ValueError) as error:
                    raise ModelProblem(
                        f"the proxy that the environment names cannot be used: {shown(str(error), 120)}",
                        "Check HTTPS_PROXY and ALL_PROXY",
                        "bad-settings",
                    ) from None
                self._client = OpenAI(
                    api_key=here.key or "none", base_url=here.base_url, max_retries=0, http_client=http_client
                )
            return self._client

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


def _plain_headers(endpoint: Endpoint) -> Callable[[Any], None]:
    """Takes out of each request what tells of this machine, and credentials that are not for this server."""

    def plain(request: Any) -> None:
        for name in [n for n in request.headers if n.lower().startswith("x-stainless-")]:
            if name.lower() != "x-stainless-raw-response":  # the client itself reads this one back
                del request.headers[name]
        request.headers["user-agent"] = "tars"
        if not endpoint.key:
            request.headers.pop("authorization", None)
        if not endpoint.host.endswith("openai.com"):
            for name in ("openai-organization", "openai-project"):
                request.headers.pop(name, None)

    return plain


class ChatEndpoint:
    """A chat model behind an endpoint. Calls count on the budget: on the run's, and on the request's that it is bound to."""

    def __init__(
        self, endpoint: Endpoint, budget: Budget | None = None, connection: Connection | None = None, key: object = None
    ) -> None:
        self.name = f"openai:{endpoint.model}"
        self.endpoint = endpoint
        self.local = endpoint.local
        self.budget = budget or Budget()
        self.connection = connection or Connection(endpoint)
        self.account: Account = self.budget.account_of(key if key is not None else self)

    def for_request(self, request: object) -> ChatEndpoint:
        """The same model, counting on this request's account."""
        return ChatEndpoint(self.endpoint, self.budget, self.connection, request)

    def complete(self, messages: Sequence[dict[str, str]]) -> Reply:
        """The reply, whole; the likeliest one. Raises ModelProblem, BudgetReached, Declined."""
        return self._patiently(messages, 0.0, 1, threading.Event())

    def complete_many(self, messages: Sequence[dict[str, str]], n: int) -> list[Reply]:
        """Up to `n` replies drawn independently, side by side: those that came. Raises what the first one met if none did."""
        replies: list[Reply] = []
        problems: list[Exception] = []
        stop = threading.Event()

        def one() -> None:
            try:
                replies.append(self._patiently(messages, WARMTH, n, stop))
            except Exception as problem:  # handed on below, from the thread that asked
                problems.append(problem)

        # Daemons, so that Ctrl-C ends the process at once although a server still talks.
        threads = [threading.Thread(target=one, daemon=True, name=f"draft-{i}") for i in range(n)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            stop.set()
        if not replies and problems:
            raise problems[0]
        return replies

    def _patiently(
        self, messages: Sequence[dict[str, str]], temperature: float, parts: int, stop: threading.Event
    ) -> Reply:
        """Ask, and ask again after failures that may pass, as long after as the server wishes."""
        from tenacity import (
            Retrying,
            retry_if_exception,
            sleep_using_event,
            wait_random_exponential,
        )

        backoff = wait_random_exponential(multiplier=0.5, max=20)

        def wait(state: RetryCallState) -> float:
            asked = _wait_of(state)
            return backoff(state) if asked is None else asked

        def is_over(state: RetryCallState) -> bool:
            return (
                state.attempt_number >= self.endpoint.tries or (_wait_of(state) or 0.0) > LONGEST_WAIT or stop.is_set()
            )

        retrying = Retrying(
            retry=retry_if_exception(lambda e: isinstance(e, ModelProblem) and e.transient),
            stop=is_over,
            wait=wait,
            sleep=sleep_using_event(stop),
            reraise=True,
        )
        try:
            reply: Reply = retrying(self._accepted, messages, temperature, parts, stop)
        except ModelProblem as problem:
            problem.message = f"{self.name}: {problem.message}"
            raise
        return reply

    def _accepted(
        self, messages: Sequence[dict[str, str]], temperature: float, parts: int, stop: threading.Event
    ) -> Reply:
        """Ask; where the server will not have one of the optional settings, leave that out from now on."""
        import openai

        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": [{**m, "content": self._without_key(m["content"])} for m in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": temperature,
            "response_format": CLOSURE_REPLY,
        }
        refused = self.connection.refused
        while True:
            sent = {name: value for name, value in body.items() if name not in refused}
            if "stream" in refused:
                sent.pop("stream_options", None)
            try:
                return self._asked(sent, parts, stop)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                problem = failures.status_problem(error, self.endpoint)
                unwanted = _unwanted(error, {*sent, *self._caps()}) if problem.reason == "bad-request" else None
                if unwanted is None or unwanted in refused:
                    raise problem from None
                refused.add(unwanted)

    def _without_key(self, text: str) -> str:
        """A key that stands in somebody's data is not sent with it."""
        return text.replace(self.endpoint.key, "***") if self.endpoint.key else text

    def _caps(self) -> tuple[str, ...]:
        return ("max_tokens", "max_completion_tokens")

    def _asked(self, body: dict[str, Any], parts: int, stop: threading.Event) -> Reply:
        """One request, within a reservation that its real use then replaces."""
        if stop.is_set():
            raise _unwanted_now()
        plain = tokens_of("".join(m["content"] for m in body["messages"])) + 8 * len(body["messages"]) + 200
        prompt = int(plain * self.connection.tokens_per_estimate)
        most = self.endpoint.most_tokens or MOST_REPLY
        held = self.budget.reserve(self.account, prompt, most, parts)
        if held.bounded or self.endpoint.most_tokens:
            name = "max_completion_tokens" if "max_tokens" in self.connection.refused else "max_tokens"
            if name not in self.connection.refused:
                body = {**body, name: held.reply}
        reading = _Reading(held, self.endpoint)
        try:
            self._read(body, reading, stop)
        finally:
            usage = reading.usage(self.budget)
            self.budget.settle(held, usage)
        if usage is not None and not usage.estimated and usage.prompt:
            # Estimates of later prompts follow what this server counted, with a tenth to spare.
            self.connection.tokens_per_estimate = min(3.0, max(0.25, 1.1 * usage.prompt / plain))
        return reading.reply(usage)

    def _read(self, body: dict[str, Any], reading: _Reading, stop: threading.Event) -> None:
        import openai

        deadline = time.monotonic() + self.endpoint.seconds
        try:
            with self.connection.client().chat.completions.with_streaming_response.create(**body) as response:
                reading.began = True
                chunks = self._in_time(response.iter_bytes(), deadline, stop)
                for piece in pieces_of(chunks, response.headers.get("content-type", "")):
                    reading.take(piece)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except openai.APIStatusError as error:
            raise self._with_names(failures.status_problem(error, self.endpoint)) from None
        except openai.APIConnectionError as error:
            raise failures.transport_problem(error, self.endpoint) from None
        except failures.transport_errors() as error:
            raise failures.transport_problem(error, self.endpoint) from None
        except openai.OpenAIError as error:
            raise ModelProblem(f"the client failed ({type(error).__name__})", "Check its settings") from None

    def _in_time(self, chunks: Iterable[bytes], deadline: float, stop: threading.Event) -> Iterator[bytes]:
        """The chunks, as long as there is time and someone still waits for them. A server that drips is cut off here."""
        for chunk in chunks:
            if stop.is_set():
                raise _unwanted_now()
            if time.monotonic() > deadline:
                raise failures.too_slow(self.endpoint)
            yield chunk

    def _with_names(self, problem: ModelProblem) -> ModelProblem:
        """A model that is not there, with the names of those that are, where the server lists them."""
        if problem.reason != "no-such-model":
            return problem
        try:
            there = [str(m.id) for m in self.connection.client().models.list(timeout=5.0)][:200]
        except Exception:  # the list is a courtesy; the problem stands without it
            return problem
        if there:
            from rapidfuzz import process

            near = [shown(name, 60) for name, _, _ in process.extract(self.endpoint.model, there, limit=5)]
            problem.message = f"{self.endpoint.host} has no model {self.endpoint.model!r}; it has: {', '.join(near)}"
            problem.hint = "Check the name"
        return problem


class _Reading:
    """A reply as it grows, cut where its reservation ends."""

    def __init__(self, held: Reservation, endpoint: Endpoint) -> None:
        self.began = False
        self._held = held
        self._endpoint = endpoint
        self._parts: list[str] = []
        self._refusal: list[str] = []
        self._bytes = 0
        self._largest = 0
        self._finish = ""
        self._prompt: int | None = None
        self._completion: int | None = None

    def take(self, piece: Piece) -> None:
        """Add a piece. Raises ModelProblem for an error in it, and where the reply is longer than there is room for."""
        if piece.error:
            raise failures.streamed_problem(piece.error, self._endpoint)
        self._parts.append(piece.text)
        self._refusal.append(piece.refusal)
        size = len((piece.text + piece.thought).encode("utf-8", "replace"))
        self._bytes += size
        self._largest = max(self._largest, size)
        self._finish = piece.finish or self._finish
        self._prompt = piece.prompt_tokens if piece.prompt_tokens is not None else self._prompt
        self._completion = piece.completion_tokens if piece.completion_tokens is not None else self._completion
        # Tokens are counted by their bytes here, and those of code have three or more. A budget ends before the next piece
        # could pass it; a mere ceiling leaves room for an error of the estimate.
        if self._held.bounded:
            over = self._bytes + self._largest > self._held.reply * 3 and not self._finish
        else:
            over = self._bytes > self._held.reply * 6
        if over:
            self._stop_long()

    def _stop_long(self) -> None:
        if self._held.bounded:
            raise BudgetReached(
                f"the reply was stopped where it would have passed the budget of {self._held.which}",
                "Raise it, or ask something smaller",
                "budget",
            )
        raise ModelProblem(
            f"the reply went on past {self._held.reply} tokens and was stopped",
            "Set TARS_MODEL_MAX_TOKENS higher if the model needs to think that long",
            "cut-off",
        )

    def usage(self, budget: Budget) -> Usage | None:
        """What was used: by the server's count where it gave one, by an estimate where only a part came; None if nothing ran."""
        if not self.began:
            return None
        known = self._prompt is not None and self._completion is not None
        prompt = self._held.prompt if self._prompt is None else self._prompt
        completion = (self._bytes + 2) // 3 if self._completion is None else self._completion
        return budget.priced(prompt, completion, not known)

    def reply(self, usage: Usage | None) -> Reply:
        """The whole text. Raises for one that is cut off, refused or empty."""
        text, refusal = "".join(self._parts), "".join(self._refusal).strip()
        if refusal:
            raise Declined(f"the model declined: {shown(refusal, 200)}", "", "declined")
        if self._finish == "content_filter":
            raise Declined("a filter stopped the reply", "Word the request otherwise", "declined")
        if self._finish == "length":
            if self._held.bounded:
                self._stop_long()
            raise ModelProblem(
                "the reply was cut off at the server's limit of tokens",
                "Set TARS_MODEL_MAX_TOKENS higher, or use a model with a longer context",
                "cut-off",
            )
        if not text.strip():
            raise ModelProblem("the reply was empty", "Try again, or another model", "empty", transient=True)
        return Reply(text, usage)


def _unwanted_now() -> ModelProblem:
    return ModelProblem("the reply is no longer wanted", "Ask again", "timeout")


def _wait_of(state: RetryCallState) -> float | None:
    failure = state.outcome.exception() if state.outcome else None
    return failure.wait if isinstance(failure, ModelProblem) else None


_OPTIONAL = (
    ("max_tokens", r"max_tokens"),
    ("max_completion_tokens", r"max_completion_tokens"),
    ("temperature", r"temperature"),
    ("stream_options", r"stream_options|include_usage"),
    ("response_format", r"response_format|json_schema|structured|grammar|guided|schema"),
    ("stream", r"\bstream(ing)?\b"),
)


def _unwanted(error: Any, sent: set[str]) -> str | None:
    """The optional setting that a refusal is about: the parameter it names, else one its words name, else the structured
    reply, which is what most servers lack."""
    named = str(getattr(error, "param", None) or "")
    words = f"{named} {error.message}"
    first = next((name for name, _ in _OPTIONAL if name == named.split(".")[0].split("[")[0]), None)
    if first is None:
        # "Use max_completion_tokens instead of max_tokens": the one that is not wanted stands first in such sentences or alone.
        found = [(m.start(), name) for name, words_of in _OPTIONAL if (m := re.search(words_of, words, re.IGNORECASE))]
        first = min(found)[1] if found else None
    if first in sent:
        return first
    return "response_format" if "response_format" in sent else None


@lru_cache(maxsize=8)
def connection_to(endpoint: Endpoint) -> Connection:
    """The connection that this process shares: a warm one answers sooner, and has learnt what the server takes."""
    return Connection(endpoint)


def create(settings: str = "", environment: Mapping[str, str] | None = None, share: str = "") -> Writer:
    """`openai:MODEL`. The environment says where and how (see `endpoint`), at what price and within which budget (`budget`)."""
    import os

    from synth.models.text_writer import TextWriter

    if not settings:
        raise BadRequest("which model?", "Write --model openai:NAME")
    said = os.environ if environment is None else environment
    endpoint = endpoint_of(settings, said)
    budget = budget_of(caps_from(said), price_from(said, settings))
    return TextWriter(ChatEndpoint(endpoint, budget, connection_to(endpoint)), share or said.get("TARS_SHARE", ""))
