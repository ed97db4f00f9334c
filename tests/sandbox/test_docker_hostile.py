"""The docker sandbox under the same attacks and limits as the local one: the policy is off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.backends.docker import Docker
from tests.sandbox import test_local_hostile, test_local_limits
from tests.sandbox.test_docker import taken_over

globals().update(taken_over(test_local_hostile, test_local_limits))


@pytest.fixture(scope="module")
def local(docker_engine: str) -> Iterator[Docker]:
    """What those tests call local is a container here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARY_SECRET", "canary-5c1d")
        sandbox = Docker(policy=False)
        yield sandbox
        sandbox.close()
