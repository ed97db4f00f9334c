"""This file is what the operator sees: metrics for Prometheus, logs as JSON lines, the audit log, and traces where configured.

None of them ever holds code, parameters, data or keys: a run is named by the hash of its code, a caller by the key's id.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from sandbox.service.settings import ServiceProblem

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

LOG = logging.getLogger("tars.service")

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters in a registry of their own, so that two services in one process do not mix."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "tars_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "tars_request_seconds",
            "From request to the last byte.",
            ["route"],
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.runs = Counter("tars_runs", "Runs by how they ended.", ["action", "status"], registry=self.registry)
        self.run_seconds = Histogram(
            "tars_run_seconds", "Time in the sandbox.", ["action"], registry=self.registry, buckets=_BUCKETS
        )
        self.queue_seconds = Histogram(
            "tars_queue_seconds", "Time in the queue.", registry=self.registry, buckets=_BUCKETS
        )
        self.rejected = Counter("tars_rejected", "Requests not served, by reason.", ["reason"], registry=self.registry)
        self.records = Counter("tars_records", "Records given.", registry=self.registry)
        self.running = Gauge("tars_running", "Runs under way.", registry=self.registry)
        self.waiting = Gauge("tars_waiting", "Requests in the queue.", registry=self.registry)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)


class Audit:
    """Who had what run on which source, and the verdict: a JSON line each, in a file that only its owner reads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._number = os.open(folder / "audit.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()

    def write(self, entry: Mapping[str, object]) -> None:
        """Append a line, whole. A disk that is full is told in the log and stops nothing."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}) + "\n"
        try:
            with self._lock:
                os.write(self._number, line.encode())
        except OSError as error:
            LOG.error("the audit log cannot be written", extra={"facts": {"error": error.strerror}})

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._number)


class JsonLines(logging.Formatter):
    """Log records as JSON lines: at, level, logger, message, the facts given with them, and the traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            told.update(facts)
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def log_as_json(stream: Any, level: int = logging.INFO) -> None:
    """Have the service's and the server's log written to a stream as JSON lines. For the program that owns the process."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    for name in ("tars.service", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


class Traces:
    """Spans of requests and runs, sent to one OTLP/HTTP endpoint; without one there are none, and nothing is loaded."""

    def __init__(self, endpoint: str) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: Any = None
        if not endpoint:
            return
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise ServiceProblem("traces need the extra: pip install 'tars-closures[service]'") from None
        provider = TracerProvider(resource=Resource.create({"service.name": "tars-sandbox"}), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=5)))
        self._provider = provider
        self._tracer = provider.get_tracer("tars.service")

    @contextmanager
    def request(self, method: str, path: str, traceparent: str) -> Iterator[Any]:
        """The span of a request, below the caller's own where a traceparent says so. None where nothing is traced."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({"traceparent": traceparent})
        with self._tracer.start_as_current_span(
            f"{method} {path}",
            context=parent,
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            span.set_attribute("http.request.method", method)
            yield span

    @contextmanager
    def step(self, name: str, facts: Mapping[str, str]) -> Iterator[Any]:
        """A span within the current one. None where nothing is traced."""
        if self._tracer is None:
            yield None
            return
        with self._tracer.start_as_current_span(
            name, attributes=dict(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            yield span

    def close(self) -> None:
        """Send what is left, within a few seconds."""
        if self._provider is not None:
            self._provider.shutdown()
