"""This file is what the service takes and gives, as pydantic models: they check requests and make the OpenAPI description."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from sandbox.job import Limits
from sandbox.service.problem import Problem

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Word = Annotated[str, Field(max_length=40)]
Code = Annotated[str, Field(min_length=1, max_length=200_000)]

EXAMPLE_CODE = (
    "def closure(source, *, minimum=10):\n"
    '    """Total per customer of orders over a minimum."""\n'
    '    sql = "SELECT customer, sum(total) AS total FROM orders WHERE total > ? GROUP BY 1 ORDER BY 2 DESC"\n'
    "    for row in source.query(sql, [minimum]):\n"
    '        yield {"customer": row["customer"], "total": row["total"]}\n'
)

EXAMPLE_INPUTS: dict[str, list[dict[str, Any]]] = {
    "orders": [{"customer": "Ada", "total": 120}, {"customer": "Bo", "total": 8}]
}


class Strict(BaseModel):
    """A message without surprises: unknown fields are refused, and nothing is turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LimitsAsked(Strict):
    """Limits of one run. Each may only be lower than the service's own; those left out are the service's."""

    wall_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    cpu_seconds: Annotated[int, Field(ge=1)] | None = None
    memory_mb: Annotated[int, Field(ge=16)] | None = None
    records: Annotated[int, Field(ge=0)] | None = None
    record_bytes: Annotated[int, Field(ge=1)] | None = None
    output_bytes: Annotated[int, Field(ge=1)] | None = None
    depth: Annotated[int, Field(ge=0)] | None = None
    stdout_bytes: Annotated[int, Field(ge=0)] | None = None

    def below(self, ceilings: Limits) -> Limits:
        """The limits to run with. Raises Problem for one that is higher than its ceiling."""
        asked = {name: value for name, value in self.model_dump().items() if value is not None}
        high = [
            (f"limits.{name}", f"{value} is more than {getattr(ceilings, name)}")
            for name, value in asked.items()
            if value > getattr(ceilings, name)
        ]
        if high:
            raise Problem(422, "limit-too-high", "limits may only be lowered", "Ask for less.", errors=high)
        return replace(ceilings, **asked)


class ExecuteRequest(Strict):
    """Code to run once, over inputs that come with it or over a registered source."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": EXAMPLE_CODE,
                    "inputs": cast("JsonValue", EXAMPLE_INPUTS),
                    "parameters": {"minimum": 10},
                    "limits": {"wall_seconds": 5.0},
                },
                {"code": "def closure(source):\n    yield {'answer': 42}\n"},
            ]
        }
    )

    code: Code = Field(description="A Python module with the function `entry(source, *, …)`, which yields dicts.")
    entry: Name = "closure"
    inputs: Annotated[dict[Name, list[dict[str, Any]]], Field(max_length=32)] | None = Field(
        default=None,
        examples=[EXAMPLE_INPUTS],
        description="Tables by name, as lists of records; `source.query(sql, params)` reads them (DuckDB's SQL).",
    )
    types: dict[Name, dict[str, Word]] = Field(
        default_factory=dict,
        description="Types of input columns where JSON has none: text, integer, number, decimal(P, S), boolean, date, time, "
        "timestamp, timestamptz.",
        examples=[{"orders": {"total": "decimal(18, 2)"}}],
    )
    source: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="A registered source, instead of inputs."
    )
    parameters: dict[Name, Any] = Field(default_factory=dict, description="Keyword parameters of the function.")
    limits: LimitsAsked = LimitsAsked()
    backend: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="Which sandbox; the service's first when left out."
    )
    columns: dict[str, Word] = Field(
        default_factory=dict, description="Types of the record's fields, for an Arrow answer; else the records tell."
    )


class ValidateRequest(Strict):
    """Code to hold against the policy, without running it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": EXAMPLE_CODE}, {"code": "import os\n", "entry": "closure"}]}
    )

    code: Code
    entry: Name = "closure"


class RunRequest(Strict):
    """How to run a kept closure."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"parameters": {"minimum": 10}}, {}]})

    parameters: dict[Name, Any] = Field(default_factory=dict)
    limits: LimitsAsked = LimitsAsked()
    backend: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    columns: dict[str, Word] = Field(default_factory=dict)


class FindingTold(BaseModel):
    """One thing held against the code, with its line (from 1) and what to write instead."""

    gate: str
    rule: str
    message: str
    line: int | None = None
    hint: str = ""


class FaultTold(BaseModel):
    """The exception that ended the run."""

    type: str
    message: str
    line: int | None = None


class UsageTold(BaseModel):
    """What the run used."""

    wall_ms: float
    cpu_ms: float
    memory_mb: float
    output_bytes: int


class RunTold(BaseModel):
    """How a run ended. Unless `status` is ok the records are not all there are.

    `error`: the code raised (`fault`). `limit`: the named limit was passed. `crashed`: its process died. `refused`: the policy
    does not let it run (`findings`).
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "record_count": 1,
                    "fault": None,
                    "limit": None,
                    "findings": [],
                    "stdout": "",
                    "stderr": "",
                    "usage": {"wall_ms": 21.4, "cpu_ms": 3.1, "memory_mb": 2.5, "output_bytes": 31},
                    "calls": {"query": 1},
                    "rows_read": 1,
                    "backend": "local",
                    "code_hash": "9f2c5be0…",
                    "request_id": "4f1d0c6b2a9e8d73",
                    "records": [{"customer": "Ada", "total": 120}],
                }
            ]
        }
    )

    status: Literal["ok", "error", "limit", "crashed", "refused"]
    record_count: int
    fault: FaultTold | None
    limit: str | None
    findings: list[FindingTold]
    stdout: str
    stderr: str
    usage: UsageTold
    calls: dict[str, int] = Field(description="Calls of the source, by verb.")
    rows_read: int
    backend: str
    code_hash: str
    request_id: str
    facts: dict[str, Any] | None = Field(
        default=None, description="What the closure's runner adds, as its completeness."
    )
    records: list[dict[str, Any]] = Field(
        description="Decimals are exact numbers; times are ISO 8601; bytes are base64."
    )


class ValidateTold(BaseModel):
    """What the policy holds against the code; it may run when there is nothing."""

    allowed: bool
    findings: list[FindingTold]
    code_hash: str
    request_id: str


class HealthTold(BaseModel):
    """The process is there."""

    status: Literal["ok"]


class ReadyTold(BaseModel):
    """Jobs would be run now."""

    status: Literal["ready"]
    backend: str
    running: int
    waiting: int


class ErrorAt(BaseModel):
    """One thing that is wrong with a request."""

    at: str
    message: str


class ProblemTold(BaseModel):
    """RFC 9457 problem details, with the next step."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:tars:problem:queue-full",
                    "title": "Too Many Requests",
                    "status": 429,
                    "detail": "100 requests are waiting already",
                    "next_step": "Try again after the seconds in Retry-After.",
                    "request_id": "4f1d0c6b2a9e8d73",
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    next_step: str
    request_id: str | None = None
    errors: list[ErrorAt] | None = None


Message = TypeVar("Message", bound=Strict)


def read(kind: type[Message], body: bytes) -> Message:
    """The message in a request's body. Raises Problem, which names places and expectations, never values."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as wrong:
        errors = [
            (".".join(str(step)[:80] for step in one["loc"]) or "body", one["msg"][:300])
            for one in wrong.errors(include_url=False, include_context=False, include_input=False)[:20]
        ]
        step = "Mend what `errors` names; /openapi.json describes the request."
        raise Problem(422, "invalid-request", "the request is not as it should be", step, errors=errors) from None


LIMIT_NAMES = tuple(field.name for field in fields(Limits) if field.name in LimitsAsked.model_fields)
