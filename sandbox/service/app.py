"""The execution service: run code in the sandbox over HTTP, hold it against the policy, run kept closures.

`create_app` makes the ASGI application; sandbox/service/serve.py listens. What a request passes before it gets here is in front.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from sandbox.broker import Broker
from sandbox.job import Job, Limits, SandboxDied, SandboxUnavailable
from sandbox.service import messages
from sandbox.service.carry import Carried, Carrier, Perform, Trip
from sandbox.service.checker import Checker
from sandbox.service.ending import told_finding
from sandbox.service.formats import ARROW, JSON, LINES, chosen, encoder
from sandbox.service.front import Front, client_of, need
from sandbox.service.inline import Engines
from sandbox.service.kept_answers import Claim, KeptAnswer, KeptAnswers
from sandbox.service.keys import Key
from sandbox.service.problem import MEDIA_TYPE, Problem
from sandbox.service.queueing import Queue, draining
from sandbox.service.settings import MEBIBYTE, Settings
from sandbox.service.telemetry import LOG, Audit, Metrics, Traces
from sandbox.service.work import Held, Sandboxes, Tools, code_hash, execute, run_closure

SHORT_BODY_BYTES = 65_536
READY_SECONDS = 5.0
VALIDATIONS_WAITING = 200

_PROBE = Job("def closure(source):\n    yield {'well': True}\n", limits=Limits(wall_seconds=10.0, records=1))
_ABOUT = """Runs Python closures in a sandbox: one function, one source handle, records out. A run that fails is an answer
(`status`), not an error of the service; a request that cannot be served is a problem (RFC 9457) with a `next_step`.

Records come as one JSON object, as JSON lines while they are made (`Accept: application/x-ndjson`: lines `{"record": …}` and
at last `{"result": …}`), or as an Arrow IPC stream (`Accept: application/vnd.apache.arrow.stream`; a run that is not ok is a
problem, or a cut connection when it had begun). With an `Idempotency-Key` the answer is kept, and given again."""


class Service:
    """What lives as long as the application: sandboxes, queue, metrics, logs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sandboxes = Sandboxes(settings.backends, settings.opener)
        self.checker = Checker()
        self.tools = Tools(settings.sources, Engines(settings.running), self.checker)
        self.queue = Queue(settings.running, settings.waiting, settings.waiting_seconds)
        self.checks = Queue(1, VALIDATIONS_WAITING, settings.waiting_seconds)
        self.metrics = Metrics()
        self.audit = Audit(settings.folder)
        self.traces = Traces(settings.traces_endpoint)
        self.answers = KeptAnswers(settings.keep_answers_seconds, int(settings.keep_answers_mb * MEBIBYTE))
        self.closing = asyncio.Event()
        self.pool = ThreadPoolExecutor(settings.running, "tars-run")
        self.carrier = Carrier(
            self.queue, self.pool, self.metrics, self.audit, self.traces, self.closing, settings.stall_seconds
        )
        self.metrics.running.set_function(lambda: self.queue.running)
        self.metrics.waiting.set_function(lambda: self.queue.waiting)
        self._probed = (0.0, "")
        self._probing = asyncio.Lock()

    def drain(self) -> None:
        """Let nobody in any more; what runs may finish, for as long as the settings say. From the loop's own thread."""
        if not self.queue.is_closed:
            LOG.info("draining", extra={"facts": {"running": self.queue.running, "waiting": self.queue.waiting}})
            self.queue.close()
            self.checks.close()
            asyncio.get_running_loop().call_later(self.settings.drain_seconds, self.closing.set)

    async def close(self) -> None:
        """Stop what runs, and every process."""
        self.drain()
        self.closing.set()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.sandboxes.close()
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.checker.close()
        self.tools.engines.close()
        self.traces.close()
        self.audit.close()

    async def ready(self) -> str:
        """The default sandbox's name, once it ran a trivial job within the last seconds. Raises Problem."""
        if self.queue.is_closed:
            raise draining()
        async with self._probing:
            if time.monotonic() - self._probed[0] > READY_SECONDS:
                self._probed = (time.monotonic(), await asyncio.to_thread(self.probe))
        if not self._probed[1]:
            step = "Ask the operator: `tars doctor` says what is missing."
            raise Problem(503, "no-sandbox", "the sandbox does not run a trivial job", step, retry_seconds=5)
        return self._probed[1]

    def warm(self) -> None:
        """Start the default sandbox and load what a query over inputs needs. Blocks."""
        if self.probe():
            asked = messages.ExecuteRequest(code=messages.EXAMPLE_CODE, inputs=messages.EXAMPLE_INPUTS)
            held = Held(lambda: self.sandboxes.get(self.sandboxes.names[0]), self.settings.limits)
            with suppress(SandboxUnavailable, SandboxDied, Problem):
                execute(asked, self.settings.limits, held, self.tools, lambda _: None)

    def probe(self) -> str:
        """Run a trivial job in the default sandbox; its name, or nothing when that failed. Blocks."""
        try:
            sandbox = self.sandboxes.get(self.sandboxes.names[0])
            return sandbox.name if sandbox.run(_PROBE, Broker(None)).status == "ok" else ""
        except (SandboxUnavailable, SandboxDied) as problem:
            LOG.error("the sandbox is not ready", extra={"facts": {"error": str(problem)}})
            return ""


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application; `app.state.service` is its Service. No process is started before its lifespan."""
    service = Service(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        # The first sandbox starts now, in the background, so that the first request finds it warm.
        warming = asyncio.get_running_loop().run_in_executor(None, service.warm)
        try:
            yield
        finally:
            await asyncio.wait({warming}, timeout=30)
            await service.close()

    app = FastAPI(
        title="TARS execution service",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=life,
    )
    app.state.service = service
    app.add_middleware(
        Front,
        settings=settings,
        queue=service.queue,
        metrics=service.metrics,
        audit=service.audit,
        traces=service.traces,
    )
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_bad_path)
    app.add_exception_handler(Problem, _on_problem)
    _add_routes(app, service)
    description: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not description:
            description.update(_described(app, service))
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way of replacing it
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    settings = service.settings

    @app.post("/v1/execute", **_operation(messages.ExecuteRequest, messages.RunTold, "Run code", is_run=True))
    async def execute_code(request: Request) -> Response:
        """Run a closure once, over inputs that come with the request, over a registered source, or over nothing."""
        key: Key = request.state.key
        need(key, "execute", is_any=True)
        asked = await _message(request, messages.ExecuteRequest)
        if asked.source is not None:
            if asked.inputs is not None:
                step = "Leave one of them out."
                raise Problem(422, "invalid-request", "there are both `inputs` and a `source`", step)
            need(key, f"execute:{asked.source}")
            names = [] if settings.sources is None else list(settings.sources.names())
            if asked.source not in names:
                step = f"Use one of: {', '.join(names[:50])}." if names else "Send `inputs`; no source is registered."
                raise Problem(404, "not-found", f"there is no source {asked.source[:80]!r}", step)
        limits, held = _held(service, asked.limits, asked.backend)
        perform = partial(execute, asked, limits, held, service.tools)
        facts: dict[str, object] = {"code_hash": code_hash(asked.code), "source": asked.source or ""}
        return _carried(service, request, "execute", limits, held, perform, asked.columns, facts)

    @app.post(
        "/v1/validate", **_operation(messages.ValidateRequest, messages.ValidateTold, "Hold code against the policy")
    )
    async def validate_code(request: Request) -> Response:
        """Say what the policy holds against the code, without running it."""
        key: Key = request.state.key
        need(key, "validate")
        asked = await _message(request, messages.ValidateRequest)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await service.checks.enter(key.id, never)
        began = time.perf_counter()
        try:
            findings = await asyncio.to_thread(service.checker.findings_of, asked.code, asked.entry)
        finally:
            service.checks.leave(key.id, time.perf_counter() - began)
        request_id: str = request.state.request_id
        digest = code_hash(asked.code)
        verdict = "refused" if findings else "ok"
        service.metrics.runs.labels("validate", verdict).inc()
        service.audit.write(
            {
                "request_id": request_id,
                "action": "validate",
                "key": key.id,
                "key_name": key.name,
                "client": client_of(request.scope),
                "code_hash": digest,
                "verdict": verdict,
                "rules": sorted({finding.rule for finding in findings}),
            }
        )
        told = {
            "allowed": not findings,
            "findings": [told_finding(finding) for finding in findings],
            "code_hash": digest,
            "request_id": request_id,
        }
        return JSONResponse(told)

    @app.post(
        "/v1/closures/{closure}/run",
        **_operation(messages.RunRequest, messages.RunTold, "Run a kept closure", is_run=True),
    )
    async def run_kept(closure: str, request: Request) -> Response:
        """Run a kept closure, by its name or id, on its own source."""
        key: Key = request.state.key
        need(key, f"run:{closure}")
        closures = settings.closures
        if closures is None or len(closure) > 200:
            step = "Use one of the names there are." if closures else "Send the code to /v1/execute."
            raise Problem(404, "not-found", "there is no closure of that name here", step)
        asked = await _message(request, messages.RunRequest)
        limits, held = _held(service, asked.limits, asked.backend)
        perform = partial(run_closure, closure, asked, limits, held, closures)
        return _carried(service, request, "run", limits, held, perform, asked.columns, {"closure": closure})

    @app.get("/v1/health", response_model=messages.HealthTold, summary="Is the process there")
    async def health() -> Response:
        """The process is there and answers. Says nothing about the sandbox."""
        return JSONResponse({"status": "ok"})

    @app.get(
        "/v1/ready",
        response_model=messages.ReadyTold,
        summary="Would jobs be run",
        responses={503: _problem_response("No sandbox, or shutting down")},
    )
    async def ready() -> Response:
        """The sandbox ran a trivial job within the last seconds, and the service is not shutting down."""
        backend = await service.ready()
        queue = service.queue
        return JSONResponse({"status": "ready", "backend": backend, "running": queue.running, "waiting": queue.waiting})

    @app.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The metrics"},
            **_REFUSALS,
        },
        openapi_extra={"security": _SECURITY},
    )
    async def metrics(request: Request) -> Response:
        """Counters and histograms in Prometheus' text format. Needs the scope `metrics`."""
        need(request.state.key, "metrics")
        return Response(service.metrics.text(), headers={"content-type": service.metrics.media_type})


M = TypeVar("M", bound=messages.Strict)


async def _message(request: Request, kind: type[M]) -> M:
    """The request's message. A long body is read in a thread, so that others are answered meanwhile. Raises Problem."""
    body: bytes = request.state.body
    if len(body) <= SHORT_BODY_BYTES:
        return messages.read(kind, body)
    return await asyncio.to_thread(messages.read, kind, body)


def _held(service: Service, asked: messages.LimitsAsked, backend: str | None) -> tuple[Limits, Held]:
    """The limits to run with, and the sandbox to run in. Raises Problem."""
    sandboxes = service.sandboxes
    if backend is not None and backend not in sandboxes.choices:
        step = f"Use one of: {', '.join(sandboxes.choices)}."
        raise Problem(422, "no-such-backend", f"there is no backend {backend!r} here", step)
    limits = asked.below(service.settings.limits)
    others = [name for name in sandboxes.choices if backend not in (None, sandboxes.names[0], name)]
    return limits, Held(lambda: sandboxes.get(backend or sandboxes.names[0]), limits, others)


def _carried(
    service: Service,
    request: Request,
    action: str,
    limits: Limits,
    held: Held,
    perform: Perform,
    columns: Mapping[str, str],
    facts: dict[str, object],
) -> Response:
    """The answer to a run: a kept one, or one that is made while it is sent. Raises Problem."""
    key: Key = request.state.key
    media_type = chosen(",".join(request.headers.getlist("accept")))
    made = encoder(media_type, columns)
    claim = _claim(service, request, media_type)
    if isinstance(claim, KeptAnswer):
        headers = {"content-type": claim.media_type, "idempotency-replayed": "true", "cache-control": "no-store"}
        return Response(claim.body, headers=headers)
    trip = Trip(
        action=action,
        key=key,
        request_id=request.state.request_id,
        client=client_of(request.scope),
        facts=facts,
        limits=limits,
        sandbox=held,
        perform=perform,
        encoder=made,
        claim=claim,
    )
    return Carried(service.carrier, trip)


def _claim(service: Service, request: Request, media_type: str) -> KeptAnswer | Claim | None:
    """What the request's Idempotency-Key stands for. Raises Problem."""
    text = request.headers.get("idempotency-key")
    if text is None:
        return None
    if not re.fullmatch(r"[!-~]{1,255}", text):
        step = "Use a fresh random text of up to 255 visible ASCII characters, as a UUID."
        raise Problem(422, "invalid-request", "the Idempotency-Key is empty, too long or not plain", step)
    key: Key = request.state.key
    body: bytes = request.state.body
    mark = hashlib.sha256(b"\0".join([request.url.path.encode(), media_type.encode(), body])).hexdigest()
    return service.answers.claim(key.id, text, mark)


def _told(problem: Problem, request: Request) -> Response:
    service: Service = request.app.state.service
    service.metrics.rejected.labels(problem.reason).inc()
    request_id: str = request.state.request_id
    return Response(problem.encoded(request_id), problem.status, problem.headers())


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return _told(error, request)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: paths and methods that are not there."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    reasons = {404: ("not-found", "there is no such path"), 405: ("method-not-allowed", "the path has no such method")}
    reason, text = reasons.get(status, ("refused", "the request is refused"))
    return _told(Problem(status, reason, text, "/openapi.json lists what there is.", headers=headers), request)


async def _on_bad_path(request: Request, error: Exception) -> Response:
    text = "the request is not as it should be"
    return _told(Problem(422, "invalid-request", text, "/openapi.json lists what there is."), request)


# ------------------------------------------------------------------------------------------------------------ OpenAPI

_SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"key-header": []}, {}]
_REF = "#/components/schemas/"


def _problem_response(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "ProblemTold"}}}}


_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: _problem_response("No good key"),
    403: _problem_response("The key lacks the scope"),
    421: _problem_response("Without keys the service answers to local names only"),
}
_RUN_REFUSALS: dict[int | str, dict[str, Any]] = {
    **_REFUSALS,
    400: _problem_response("The request is not whole"),
    408: _problem_response("The body came too slowly"),
    413: _problem_response("The body is too long"),
    415: _problem_response("The body is not plain JSON"),
    422: _problem_response("The request is not as it should be"),
    429: _problem_response("A quota or the queue is full; Retry-After says when to come back"),
    503: _problem_response("No sandbox, or shutting down"),
}


def _operation(kind: type[messages.Strict], told: type[Any], summary: str, is_run: bool = False) -> dict[str, Any]:
    """The OpenAPI part of a route whose body the service reads by itself."""
    responses: dict[int | str, dict[str, Any]] = {**_RUN_REFUSALS}
    extra: dict[str, Any] = {
        "requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": _REF + kind.__name__}}}},
        "security": _SECURITY,
    }
    content: dict[str, Any] = {JSON: {"schema": {"$ref": _REF + told.__name__}}}
    if is_run:
        content[LINES] = {"schema": {"type": "string"}}
        content[ARROW] = {"schema": {"type": "string", "format": "binary"}}
        responses |= {
            404: _problem_response("No source or closure of that name"),
            406: _problem_response("No answer of the format asked for"),
            409: _problem_response("The Idempotency-Key is in use, or its answer was too long to keep"),
        }
        extra["parameters"] = [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        ]
    responses[200] = {"description": "How it ended", "content": content}
    return {"summary": summary, "response_class": Response, "responses": responses, "openapi_extra": extra}


def _described(app: FastAPI, service: Service) -> dict[str, Any]:
    """The description, with the models that the routes only refer to, and what this service has: its sandboxes and ceilings."""
    told = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    kinds = (
        messages.ExecuteRequest,
        messages.ValidateRequest,
        messages.RunRequest,
        messages.RunTold,
        messages.ValidateTold,
        messages.ProblemTold,
    )
    # As they come in, also for those that go out: a field with a default may be missing from an answer.
    _, schemas = models_json_schema([(kind, "validation") for kind in kinds], ref_template=_REF + "{model}")
    for kind in (messages.ExecuteRequest, messages.RunRequest):
        backend = schemas["$defs"][kind.__name__]["properties"]["backend"]
        backend["anyOf"] = [{"type": "string", "enum": list(service.sandboxes.choices)}, {"type": "null"}]
    for name, limit in schemas["$defs"]["LimitsAsked"]["properties"].items():
        limit["anyOf"][0]["maximum"] = getattr(service.settings.limits, name)
    components = told.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "key-header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    return told
