"""Fixtures that several tests share: the real servers, started once for a whole run and only when a test asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services import Server, ServiceMissing, mariadb_server, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL that really runs."""
    try:
        with postgres_server() as server:
            yield server
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """A MariaDB that really runs."""
    try:
        with mariadb_server() as server:
            yield server
    except ServiceMissing as missing:
        pytest.skip(str(missing))
