"""The service held against its own OpenAPI description by schemathesis: requests as described, and requests that are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox.job import Limits
from sandbox.service.settings import Settings
from tests.sandbox.service_running import running

EXAMPLES = 120
OPERATIONS = [
    ("POST", "/v1/execute"),
    ("POST", "/v1/validate"),
    ("POST", "/v1/closures/{closure}/run"),
    ("GET", "/v1/health"),
    ("GET", "/v1/ready"),
    ("GET", "/metrics"),
]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description as a running service gives it."""
    limits = Limits(wall_seconds=2.0)
    given = Settings(tmp_path_factory.mktemp("home"), port=0, limits=limits, per_minute=1_000_000)
    with running(given) as service:
        yield schemathesis.openapi.from_url(service.url + "/openapi.json")


def test_every_operation_is_tried(described: Any) -> None:
    found = [result.ok() for result in described.get_all_operations()]

    assert sorted((one.method.upper(), one.path) for one in found) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_described_and_none_is_a_failure_of_the_service(
    described: Any, method: str, path: str, mode: GenerationMode
) -> None:
    if mode is GenerationMode.NEGATIVE and method == "GET":
        return  # nothing is taken there that could be wrong
    tried = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        nonlocal tried
        tried += 1
        checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
        if mode is GenerationMode.NEGATIVE:
            checks.append(negative_data_rejection)
        case.validate_response(case.call(timeout=30), checks=checks)

    hold()

    assert tried > 0
