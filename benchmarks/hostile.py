"""The hostile suite in figures, by family: what the policy refuses when it reads, and what escapes the policy alone, the wall
alone, and both. `python -m benchmarks.hostile [local|docker …]`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import ExitStack

from sandbox.backends.docker import Docker
from sandbox.backends.local import Local
from sandbox.broker import Broker
from sandbox.job import Job, Sandbox
from sandbox.policy import findings_of
from tests.docker_engine import docker_engine
from tests.sandbox.hostile import databases
from tests.sandbox.hostile.plain_python import records_of
from tests.sandbox.hostile.suite import attacks, benign, statements
from tests.sandbox.hostile.world import PATIENT, Shelf, World, open_world, plain
from tests.services import ServiceMissing, mariadb_server, postgres_server


def main(names: list[str]) -> None:
    """Run all of it on the named backends and print the tables."""
    with ExitStack() as running:
        if "docker" in names:
            os.environ["DOCKER_HOST"] = running.enter_context(docker_engine())
        world = running.enter_context(open_world())
        databases.open_files(world)
        for start, fill in ((postgres_server, databases.open_postgres), (mariadb_server, databases.open_mysql)):
            try:
                fill(world, running.enter_context(start()))
            except ServiceMissing as missing:
                print(f"left out: {missing}", file=sys.stderr)
        for name in names:
            programs(name, world)
        sql(world)


def programs(name: str, world: World) -> None:
    """Attacks by family, and the benign programs, on one backend."""
    make = {"local": Local, "docker": Docker}[name]
    cases = attacks()
    whole, bare = make(), make(policy=False)
    try:
        both = world.all_attacked(cases, whole, policy=True, threads=2)
        alone = world.all_attacked(cases, bare, policy=False, threads=2)
        refused = sum(_is_refused(case.code, whole) for case in benign())
    finally:
        whole.close()
        bare.close()
    read = Counter(case.family for case in cases if findings_of(world.filled(case.code)))
    print(f"\n{name}: family | attacks | refused when read | escape the wall alone | escape policy and wall")
    for family in sorted({case.family for case in cases}):
        figures = [sum(v.case.family == family and bool(v.loot) for v in verdicts) for verdicts in (alone, both)]
        count = sum(case.family == family for case in cases)
        print(f"{family} | {count} | {read[family]} | {figures[0]} | {figures[1]}")
    escapes = [sum(bool(v.loot) for v in verdicts) for verdicts in (alone, both)]
    print(f"all | {len(cases)} | {read.total()} | {escapes[0]} | {escapes[1]}")
    print(f"benign | {len(benign())} | refused, or other than in plain Python: {refused}")
    for verdict in (*alone, *both):
        if verdict.loot:
            print(f"ESCAPE {verdict.case.family}: {verdict.case.name}: {verdict.loot}")


def sql(world: World) -> None:
    """Statements by engine, through the broker."""
    print("\nengine | statements | escape the broker")
    for engine in sorted(world.changes):
        asked = [statement for statement in statements() if statement.engine == engine]
        print(f"{engine} | {len(asked)} | {sum(bool(world.asked(statement)) for statement in asked)}")


def _is_refused(code: str, sandbox: Sandbox) -> bool:
    result = sandbox.run(Job(code, limits=PATIENT), Broker(Shelf()))
    return result.status != "ok" or plain(result.records) != plain(records_of(code))


if __name__ == "__main__":
    main(sys.argv[1:] or ["local", "docker"])
