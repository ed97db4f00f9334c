"""The hostile suite over both backends: no attack escapes, with the policy or without it, and every benign program runs as it
would in plain Python. `python -m benchmarks.hostile` prints the same in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.backends.docker import Docker
from sandbox.backends.local import Local
from sandbox.broker import Broker
from sandbox.job import Job, Sandbox
from sandbox.policy import findings_of
from tests.sandbox.hostile import databases
from tests.sandbox.hostile.plain_python import records_of
from tests.sandbox.hostile.suite import attacks, benign, statements
from tests.sandbox.hostile.world import PATIENT, Shelf, World, open_world, plain
from tests.services import Server

FAMILIES = sorted({case.family for case in attacks()})


@pytest.fixture(scope="module")
def world(postgres: Server, mariadb: Server) -> Iterator[World]:
    with open_world() as made:
        databases.open_files(made)
        databases.open_postgres(made, postgres)
        databases.open_mysql(made, mariadb)
        yield made


@pytest.fixture(scope="module", params=["local", "docker"])
def backend(request: pytest.FixtureRequest, world: World) -> str:
    """Which sandbox; it starts after the world, so that whatever it inherits it could have inherited from it."""
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    return str(request.param)


@pytest.fixture(scope="module")
def bare(backend: str) -> Iterator[Sandbox]:
    """Without the policy, so that the wall stands alone."""
    sandbox = Local(policy=False) if backend == "local" else Docker(policy=False)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def whole(backend: str) -> Iterator[Sandbox]:
    """As it is used."""
    sandbox = Local() if backend == "local" else Docker()
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_no_program_escapes_where_the_wall_stands_alone(world: World, bare: Sandbox, family: str) -> None:
    cases = tuple(case for case in attacks() if case.family == family)

    verdicts = world.all_attacked(cases, bare, policy=False)

    assert [(v.case.name, v.loot) for v in verdicts if v.loot] == []


def test_what_the_policy_lets_through_gets_nothing(world: World, whole: Sandbox) -> None:
    cases = tuple(case for case in attacks() if not all(findings_of(world.filled(s.code)) for s in case.steps))

    verdicts = world.all_attacked(cases, whole, policy=True)

    assert [(v.case.family, v.case.name, v.loot) for v in verdicts if v.loot] == []


def test_a_benign_program_gives_what_plain_python_gives(whole: Sandbox) -> None:
    odd = []
    for case in benign():
        result = whole.run(Job(case.code, limits=PATIENT), Broker(Shelf()))
        if result.status != "ok" or plain(result.records) != plain(records_of(case.code)):
            odd.append((case.name, result.fault, plain(result.records), plain(records_of(case.code))))

    assert odd == []


@pytest.mark.parametrize("engine", sorted({statement.engine for statement in statements()}))
def test_no_statement_escapes_through_the_broker(world: World, engine: str) -> None:
    loot = {s.sql: world.asked(s) for s in statements() if s.engine == engine}

    assert {sql: how for sql, how in loot.items() if how} == {}


def test_the_suite_is_as_large_as_it_says() -> None:
    programs = Counter(case.family for case in attacks())
    asked = Counter(statement.engine for statement in statements())

    assert len(programs) + len(asked) >= 20
    assert min(programs.values()) >= 15
    assert programs.total() >= 500
    assert asked.total() >= 650
    assert len(benign()) >= 75
    assert len({(case.family, case.name) for case in attacks()}) == programs.total()


def test_an_escape_would_be_seen(world: World, bare: Sandbox) -> None:
    """The judge knows a canary, a trap and a mark when it is shown one."""
    leaking = next(case for case in attacks() if case.family == "handle")
    told = type(leaking)(
        "handle",
        "told",
        (type(leaking.steps[0])(f"def closure(source):\n    print('{world.canary}')\n    return []\n"),),
    )
    world.mark.touch()
    world.hits += 1

    assert world.attacked(told, bare, policy=False).loot == "a canary"
    assert world.traps() == "1 connections at the trap, a mark on the host"
    assert world.traps() == ""
