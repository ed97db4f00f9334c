"""The world that the hostile suite attacks: planted secrets, a trap that listens, a source of each kind, and the judge.

An escape is proved, never guessed: a canary in what came back, a connection at the trap, a mark on the host, a changed
database, or a case that holds what it reached for (`escaped`).
"""

from __future__ import annotations

import gzip
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.broker import Broker, CallRefused, Grant
from sandbox.job import Job, Limits, RunResult, Sandbox
from synth.opening import open_one
from synth.source import OpenOptions, Source
from tests.sandbox.hostile.suite import Case, Statement
from tests.servers import Answer, Asked, serving

LIMITS = Limits(wall_seconds=0.4, cpu_seconds=2, memory_mb=192, records=5_000, stdout_bytes=16_384)
PATIENT = replace(LIMITS, wall_seconds=20.0, cpu_seconds=10, memory_mb=256)
GRANT = Grant(tables=frozenset({"orders"}), calls=50, rows=10_000, seconds=1.0)
LEFT = "escaped-from-last-call"
HURRIED = ("resources", "modules", "handle", "processes", "channel", "builtins", "formats", "syntax", "imports")
"""Families with cases that only a limit ends: they get little time. The others may take long on a busy machine."""

ROWS: list[dict[str, Any]] = [
    {"product": "tea", "customer": "c1", "quantity": 3, "price": Decimal("12.50")},
    {"product": "cup", "customer": "c2", "quantity": 5, "price": Decimal("7.00")},
    {"product": "pot", "customer": "c1", "quantity": 1, "price": Decimal("39.90")},
]


class Shelf:
    """Rows in memory, behind the verbs that the benign programs use."""

    dialect = "duckdb"

    def records(self) -> Iterator[list[dict[str, Any]]]:
        """The three rows."""
        yield [dict(row) for row in ROWS]

    def query(self, sql: str, params: object = ()) -> Iterator[list[dict[str, Any]]]:
        """One row, whatever is asked."""
        yield [{"id": 1, "customer": "a", "total": 2}]

    def tables(self) -> list[str]:
        """One table."""
        return ["orders"]

    def text(self) -> str:
        """There is none."""
        raise CallRefused("unavailable", "there is no text behind this source")


@dataclass(frozen=True)
class Verdict:
    """What came of one case: `loot` says how it escaped, "" if it did not. `results` are those of its jobs."""

    case: Case
    loot: str
    results: tuple[RunResult, ...] = ()


class World:
    """Secrets, a trap, and sources; alive as long as the `open_world` block."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.canary = f"canary-{secrets.token_hex(8)}"
        self.folder = folder
        self.mark = folder / "mark"
        self.hits = 0
        self.sources: dict[str, Source] = {}
        self.changes: dict[str, Callable[[], object]] = {}
        self.closing = closing
        (folder / "secret.txt").write_text(self.canary + "\n")
        port = self._trap()
        self._fill = {
            "@FILE@": str(folder / "secret.txt"), "@FOLDER@": str(folder), "@MARK@": str(self.mark),
            "@PORT@": str(port), "@PID@": str(os.getpid()),
        }  # fmt: skip
        self._open_files()
        self._open_http()

    def filled(self, text: str) -> str:
        """The text with the places of this world in it."""
        for name, value in self._fill.items():
            text = text.replace(name, value)
        return text

    def attacked(self, case: Case, sandbox: Sandbox, policy: bool) -> Verdict:
        """Run the jobs of a case one after the other, over the source that its family is about."""
        source = self.sources.get(case.family)
        capability: object = source.capability if source else Shelf()
        grant = GRANT if case.family == "handle" else replace(GRANT, tables=None, seconds=3.0)
        results = []
        for step in case.steps:
            if step.raw and policy:
                continue
            limits = LIMITS if case.family in HURRIED else PATIENT
            results.append(sandbox.run(Job(self.filled(step.code), limits=limits), Broker(capability, grant)))
        return Verdict(case, self._loot(case, results, policy), tuple(results))

    def _loot(self, case: Case, results: list[RunResult], policy: bool) -> str:
        told = [repr((r.records, r.stdout, r.stderr, r.fault)) for r in results]
        if any(self.canary in text for text in told):
            return "a canary"
        if any(LEFT in text for text in told[1:]):
            return "what the job before left"
        # Without the policy, what is inside the sandbox may be had; what is outside may not.
        outside = case.family in ("files", "network", "processes", "leftovers", "http", "paths")
        if (policy or outside) and any("escaped" in record for r in results for record in r.records):
            return "what it reached for"
        return ""

    def traps(self) -> str:
        """What happened outside since the last time that this was asked; "" if nothing did."""
        found = []
        if self.hits:
            found.append(f"{self.hits} connections at the trap")
            self.hits = 0
        if self.mark.exists():
            found.append("a mark on the host")
            self.mark.unlink()
        return ", ".join(found)

    def all_attacked(self, cases: tuple[Case, ...], sandbox: Sandbox, policy: bool, threads: int = 4) -> list[Verdict]:
        """Run many cases, several at a time."""
        with ThreadPoolExecutor(threads) as pool:
            verdicts = list(pool.map(lambda case: self.attacked(case, sandbox, policy), cases))
        trapped = self.traps()
        if trapped and verdicts:
            verdicts[0] = replace(verdicts[0], loot=trapped)
        return verdicts

    def asked(self, statement: Statement) -> str:
        """Send one statement through a broker to its engine; how it escaped, "" if it did not."""
        source = self.sources[f"sql_{statement.engine}"]
        state = self.changes[statement.engine]
        before = state()
        broker = Broker(source.capability, GRANT)
        answer, said = None, ""
        try:
            answer = [
                batch if isinstance(batch, list) else batch.to_pylist()
                for batch in broker.answer("query", [self.filled(statement.sql)], {})
            ]
        except CallRefused as refused:
            said = refused.message
        if self.canary in repr(answer) or self.canary in said:
            return "a canary"
        if state() != before:
            return "the database is another"
        if answer is not None and not statement.quiet:
            return f"an answer: {repr(answer)[:100]}"
        return self.traps()

    def open_sql(self, engine: str, url: str, state: Callable[[], object]) -> None:
        """A database as the source of its statements; `state` tells when something in it was changed."""
        options = OpenOptions(environment=dict(os.environ), timeout_seconds=1.5)
        self.sources[f"sql_{engine}"] = self.closing.enter_context(_opened(url, options))
        self.changes[engine] = state

    def _trap(self) -> int:
        trap = self.closing.enter_context(socket.socket())
        trap.bind(("127.0.0.1", 0))
        trap.listen(50)

        def wait() -> None:
            with suppress(OSError):
                while True:
                    visitor, _ = trap.accept()
                    self.hits += 1
                    visitor.close()

        threading.Thread(target=wait, daemon=True).start()
        port: int = trap.getsockname()[1]
        return port

    def _open_files(self) -> None:
        shop = self.folder / "shop"
        (shop / "inner").mkdir(parents=True)
        for name in ("orders.csv", "inner/more.csv"):
            (shop / name).write_text("id,customer,total\n1,a,2\n2,b,3\n")
        for name, target in (
            ("link.txt", self.folder / "secret.txt"), ("up.txt", "../secret.txt"), ("twice.txt", "link.txt"),
            ("linked", self.folder), ("zero", "/dev/zero"),
        ):  # fmt: skip
            (shop / name).symlink_to(target)
        os.mkfifo(shop / "pipe")
        listener = self.closing.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(shop / "socket"))
        self.sources["paths"] = self.closing.enter_context(_opened(str(shop), OpenOptions()))

    def _open_http(self) -> None:
        port = self._fill["@PORT@"]

        def echo(asked: Asked) -> Answer:
            return Answer({"headers": dict(asked.headers), "query": dict(asked.query), "path": asked.path})

        def scold(asked: Asked) -> Answer:
            return Answer({"error": f"the key {asked.headers.get('authorization')} is not for this"}, 403)

        def away(asked: Asked) -> Answer:
            target = asked.query.get("to", f"http://127.0.0.1:{port}/x")
            return Answer({}, 302, {"Location": self.filled(target)})

        def leading(asked: Asked) -> Answer:
            return Answer({"items": [{"id": 1}], "next": f"http://127.0.0.1:{port}/x"})

        def endless(asked: Asked) -> Answer:
            page = asked.number("page", 1)
            return Answer({"items": [{"id": page}], "next": asked.address(page=page + 1)})

        def orders(asked: Asked) -> Answer:
            return Answer([{"id": n, "customer": "a", "total": n} for n in range(3)])

        bomb = gzip.compress(b"[" + b"0," * 150_000_000 + b"0]", 1)
        server = self.closing.enter_context(
            serving({
                "/api/orders": orders, "/api/orders/echo": echo, "/api/orders/scold": scold, "/api/orders/away": away,
                "/api/orders/leading": leading, "/api/orders/endless": endless,
                "/api/orders/deep": lambda asked: Answer(b"[" * 200_000 + b"]" * 200_000),
                "/api/orders/bomb": lambda asked: Answer(bomb, headers={"Content-Encoding": "gzip"}),
                "/admin": lambda asked: Answer({"word": self.canary}), "/api/admin": lambda asked: Answer({"word": self.canary}),
            })
        )  # fmt: skip
        options = OpenOptions(
            request="the orders, with the bearer token in $SHOP_TOKEN",
            environment={"SHOP_TOKEN": self.canary},
            timeout_seconds=3,
        )
        self.sources["http"] = self.closing.enter_context(_opened(server.url("/api/orders"), options))


@contextmanager
def open_world() -> Iterator[World]:
    """A world in a folder of its own, with its canary in this process's environment."""
    with ExitStack() as closing, tempfile.TemporaryDirectory(prefix="tars-hostile-") as name:
        # Whoever runs an engine may look in, as on any host.
        Path(name).chmod(0o755)
        world = World(Path(name), closing)
        before = os.environ.get("TARS_CANARY")
        os.environ["TARS_CANARY"] = world.canary
        try:
            yield world
        finally:
            del os.environ["TARS_CANARY"]
            if before is not None:
                os.environ["TARS_CANARY"] = before
            closing.close()


@contextmanager
def _opened(location: str, options: OpenOptions) -> Iterator[Source]:
    source = open_one(location, options)
    try:
        yield source
    finally:
        source.close()


def plain(value: object) -> object:
    """A value as it is after the wall: tuples are lists, subclasses are what they derive from."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value
