"""Runs a suite of requests through the real pipeline and scores it: `python -m evals.run requests`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from evals.data.sources import materialised, sources_of
from evals.report import printed
from evals.result import Grade, Result, append, kept_in
from evals.score import right
from evals.suite import Item, requests, suites

if TYPE_CHECKING:
    from synth.actions import Desk
    from synth.outcome import Outcome


def run_item(desk: Desk, item: Item, sources: Sequence[str], model: str) -> Result:
    """Ask one request of its sources, and grade what comes back."""
    from synth.actions import Said, ask
    from synth.errors import BadRequest, TarsError

    desk.environment = {**desk.environment, "TARS_NOW": item.now}
    began = time.perf_counter()
    try:
        outcome = ask(desk, item.request, sources, Said(model=model))
    except BadRequest as refused:
        return _result(item, "error" if item.truth else "refused-rightly", began, message=str(refused))
    except TarsError as problem:
        return _result(item, "error", began, message=f"{type(problem).__name__}: {problem}")
    except Exception as bug:
        return _result(item, "error", began, message=f"{type(bug).__name__}: {bug}"[:600])
    return _result(item, grade(item, outcome), began, outcome)


def grade(item: Item, outcome: Outcome) -> Grade:
    """Whether it was answered, and rightly."""
    if outcome.status == "failed":
        return "failed"
    if outcome.status == "refused":
        return "refused-wrongly" if item.truth else "refused-rightly"
    records = outcome.answer.records if outcome.answer else ()
    if item.truth is None:
        return "refused-rightly" if item.or_empty and not records else "answered-unsafe"
    return "right" if right(records, item.truth, extra_ok=item.extra_ok) else "wrong"


def _result(item: Item, given: Grade, began: float, outcome: Outcome | None = None, message: str = "") -> Result:
    last = outcome.last if outcome else None
    findings = last.verdict.findings if last and last.verdict else ()
    truth = item.truth.truths[0] if item.truth else None
    records = outcome.answer.records if outcome and outcome.answer else ()
    return Result(
        item.id,
        item.request,
        item.source,
        item.kind,
        item.part,
        item.abilities,
        item.truth is not None,
        given,
        round((time.perf_counter() - began) * 1000, 1),
        outcome.message if outcome else message,
        tuple(f"{f.gate}/{f.rule}" for f in findings),
        _shown(truth.rows) if truth else "an honest no",
        _shown([tuple(r.items()) for r in records]) if records else "",
        outcome.timings_ms if outcome else {},
        str(getattr(last.written, "code", "")) if last else "",
    )


def _shown(rows: Sequence[object]) -> str:
    return f"{len(rows)} rows: {', '.join(str(r) for r in rows[:3])}"[:500]


@contextmanager
def desk_at(home: Path) -> Iterator[Desk]:
    """A desk with a home of its own, whatever the surroundings say; closed afterwards."""
    from synth.actions import Desk

    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    desk = Desk({**kept, "TARS_HOME": str(home)})
    try:
        yield desk
    finally:
        desk.close()


def results_of(items: Sequence[Item], model: str, jobs: int) -> Iterator[Result]:
    """The result of every item of one suite, one by one as they come; sources are made first and gone afterwards."""
    names = list(dict.fromkeys(item.source for item in items))
    with tempfile.TemporaryDirectory(prefix="tars-evals-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        with materialised(data, names, sources_of(items[0].suite)) as sources:
            if jobs == 1:
                with desk_at(Path(folder) / "home") as desk:
                    for item in items:
                        yield run_item(desk, item, sources[item.source], model)
                return
            batches = [(items[n::jobs], sources, model, Path(folder) / f"home-{n}") for n in range(jobs)]
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                for batch in pool.map(_run_batch, batches):
                    yield from batch


def _run_batch(batch: tuple[Sequence[Item], dict[str, list[str]], str, Path]) -> list[Result]:
    items, sources, model, home = batch
    with desk_at(home) as desk:
        return [run_item(desk, item, sources[item.source], model) for item in items]


def chosen(items: Sequence[Item], part: str, only: Sequence[str], limit: int | None) -> list[Item]:
    """The items of a part; of these only the named ones (by id, or by source); at most so many."""
    kept = [
        item
        for item in items
        if part in ("all", item.part) and (not only or item.id in only or item.source in only or item.kind in only)
    ]
    return kept[:limit]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 0 when all was run, 130 when it was broken off; what was done by then is reported and kept."""
    parser = argparse.ArgumentParser(prog="python -m evals.run", description=__doc__)
    parser.add_argument("suite", choices=suites())
    parser.add_argument("--model", default="builtin", help="who writes the closures, as for `tars ask --model`")
    parser.add_argument("--part", choices=["open", "kept", "all"], default="all")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="ids, sources or kinds")
    parser.add_argument(
        "--json", metavar="FILE", help="results, a line each; items that it holds already are not run again"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, help="processes; with several, results come in when one of them is through"
    )
    parser.add_argument("--limit", type=int, help="at most so many items")
    parser.add_argument("--reveal", action="store_true", help="list what is not right of the kept part too")
    said = parser.parse_args(arguments)
    file = Path(said.json) if said.json else None
    done = kept_in(file) if file else {}
    items = chosen(requests(said.suite), said.part, said.only, said.limit)
    results = [done[item.id] for item in items if item.id in done]
    waiting = [item for item in items if item.id not in done]
    code = 0
    try:
        for count, result in enumerate(results_of(waiting, said.model, said.jobs) if waiting else (), 1):
            results.append(result)
            if file:
                append(file, result)
            print(f"{count}/{len(waiting)} {result.id} {result.grade} {result.ms:.0f} ms", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"broken off after {len(results)} of {len(items)}", file=sys.stderr)
        code = 130
    print(printed(results, details=("open", "kept") if said.reveal else ("open",)))
    return code


if __name__ == "__main__":
    sys.exit(main())
