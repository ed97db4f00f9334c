"""The docker sandbox as it is reached on an engine far away: every limit holds over the engine's streams as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.backends.docker import Docker
from tests.sandbox import test_local_limits
from tests.sandbox.test_docker import taken_over

globals().update(taken_over(test_local_limits))


@pytest.fixture(scope="module")
def local(docker_engine: str) -> Iterator[Docker]:
    """What those tests call local is a container here."""
    sandbox = Docker(policy=False, way="streams")
    yield sandbox
    sandbox.close()
