"""What is recorded is recalled, and survives whatever happens to the index, the files or the process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from corpus.closures import BadName, NoSuchClosure, id_of
from corpus.home import HomeUnusable
from corpus.ledger import LedgerUnusable, Outcome
from corpus.memory import Memory


def outcome(request: str, code: str, columns: tuple[str, ...] = ("city", "total")) -> Outcome:
    return Outcome("2026-01-01T00:00:00+00:00", request, "csv", "table", "f1", columns, "ok", closure_id=id_of(code))


def remember(memory: Memory, request: str, code: str, name: str = "") -> None:
    memory.closures.save(code, {"made": "2026-01-01", "request": request}, b"{}\n", b"{}\n", name)
    memory.ledger.record(outcome(request, code))


def test_a_request_recalls_the_one_most_like_it_with_its_code(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    remember(memory, "total revenue per city", "def closure(source): ...  # revenue")
    remember(memory, "names of employees hired last year", "def closure(source): ...  # hired")

    found = memory.similar("sum of revenue by city", "table", ("city", "total"))

    assert found[0].request == "total revenue per city"
    assert found[0].code.endswith("# revenue")


def test_a_damaged_index_is_made_again_from_the_ledger(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    remember(memory, "total revenue per city", "def closure(source): ...")
    assert memory.similar("revenue per city", "table", ())
    memory.close()
    (tmp_path / "index" / "chroma.sqlite3").write_bytes(b"not a database")

    found = Memory(tmp_path).similar("revenue per city", "table", ())

    assert [f.request for f in found] == ["total revenue per city"]


def test_the_ledger_cannot_be_rewritten(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.ledger.record(outcome("x", "y"))

    with pytest.raises(DatabaseError, match="append-only"), memory.ledger._opened().begin() as connection:
        connection.exec_driver_sql("DELETE FROM outcomes")


def test_a_closure_changed_after_its_proof_is_not_run(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    kept = memory.closures.save("def closure(source): ...\n", {"made": "2026-01-01"}, b"", b"", "mine")
    (kept.folder / "closure.py").write_text("def closure(source): return [1]\n")

    with pytest.raises(NoSuchClosure, match="changed after its proof"):
        memory.closures.get("mine")


@pytest.mark.parametrize("name", ["", "../up", "Caps", "a" * 65, "a b"])
def test_names_are_plain_words(tmp_path: Path, name: str) -> None:
    memory = Memory(tmp_path)
    if not name:
        assert memory.closures.save("x", {}, b"", b"").name == ""
        return

    with pytest.raises(BadName):
        memory.closures.save("x", {}, b"", b"", name)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.closures.save("x", {}, b"", b"", "sales")

    with pytest.raises(NoSuchClosure, match="there are: sales"):
        memory.closures.get("sale")


def test_a_home_of_a_newer_layout_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text(json.dumps({"version": 99}))

    with pytest.raises(HomeUnusable, match="layout 99"):
        Memory(tmp_path)


def test_a_ledger_that_is_no_database_is_said(tmp_path: Path) -> None:
    Memory(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(b"garbage" * 1000)

    with pytest.raises(LedgerUnusable, match="Move it away"):
        Memory(tmp_path).ledger.record(outcome("x", "y"))


WRITER = """
import sys
from pathlib import Path
from corpus.closures import id_of
from corpus.ledger import Outcome
from corpus.memory import Memory
memory = Memory(Path(sys.argv[1]))
for n in range(100_000):
    code = f"def closure(source): ...  # {sys.argv[2]} {n}"
    memory.closures.save(code, {"made": "2026-01-01", "request": f"request {n}"}, b"{}", b"{}", f"w{sys.argv[2]}")
    memory.ledger.record(Outcome("2026", f"request {n}", "csv", "table", "f", (), "ok", closure_id=id_of(code)))
    print(id_of(code), flush=True)
"""


def test_writers_killed_at_any_moment_lose_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for round_number in range(4):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), f"{round_number}{w}"], stdout=subprocess.PIPE, text=True
            )
            for w in range(2)
        ]
        time.sleep(1.2 + 0.13 * round_number)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            said, _ = writer.communicate()
            acknowledged |= {line for line in said.split("\n")[:-1] if line}
    memory = Memory(tmp_path)

    kept = {o.closure_id for o in memory.ledger.outcomes()}
    missing = [i for i in acknowledged if memory.closures.get(i).id != i]

    assert len(acknowledged) > 10
    assert acknowledged <= kept
    assert missing == []
    assert memory.index.rebuild() == len(kept)


def test_the_index_may_vanish(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    remember(memory, "total revenue per city", "def closure(source): ...")
    shutil.rmtree(tmp_path / "index", ignore_errors=True)

    assert memory.similar("revenue per city", "table", ())


def test_a_fresh_home_may_be_opened_by_many_threads_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from corpus.home import opened

    homes = [tmp_path / str(number) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(opened, [home for home in homes for _ in range(8)]))

    assert set(found) == set(homes)


OPENER = """
import sys
from pathlib import Path
from corpus.ledger import Ledger, Outcome
sys.stdin.read(1)
Ledger(Path(sys.argv[1])).record(Outcome("2026", "r", "csv", "table", "f", (), "ok"))
"""


def test_a_fresh_ledger_may_be_opened_by_many_processes_at_once(tmp_path: Path) -> None:
    for number in range(4):
        place = tmp_path / f"{number}.sqlite"
        openers = [
            subprocess.Popen([sys.executable, "-c", OPENER, str(place)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(6)
        ]
        said = [opener.communicate(b"x")[1] for opener in openers]

        assert [opener.returncode for opener in openers] == [0] * 6, said
