"""Fixtures that several tests share: the real servers, started once for a whole run and only when a test asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.docker_engine import docker_engine as running_engine
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


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[str]:
    """The address of a Docker engine that really runs and has the sandbox's image; DOCKER_HOST names it."""
    try:
        with running_engine() as address, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", address)
            yield address
    except ServiceMissing as missing:
        pytest.skip(str(missing))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where TARS_SKIP_FAILS is set everything can be had, so a skipped test fails the run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("TARS_SKIP_FAILS") and skipped:
        terminalreporter.write_line(f"{len(skipped)} tests were skipped, and TARS_SKIP_FAILS is set", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """As above: the exit code says so too."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TARS_SKIP_FAILS") and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
