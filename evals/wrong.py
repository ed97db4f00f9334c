"""The honesty suite: `python -m evals.wrong` plays wrong and right closures into the pipeline and says what the gates made of each."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from evals.data.sources import materialised
from evals.run import desk_at
from evals.score import right
from evals.suite import SUITES, Item, part_of, requests

if TYPE_CHECKING:
    from synth.actions import Desk


@dataclass(frozen=True)
class Played:
    """A closure to be played: `way` is the mistake in it, or `right`."""

    id: str
    way: str
    code: str
    item: Item


@dataclass(frozen=True)
class Judged:
    """`admitted`: it passed every gate. `confirmed`: something independent agreed with it as well. `truly_right`: over the
    whole source it gives the truth; None when it does not run."""

    id: str
    way: str
    of: str
    request: str
    admitted: bool
    truly_right: bool | None
    rules: tuple[str, ...]
    message: str
    notes: tuple[str, ...] = ()
    confirmed: bool = False

    @property
    def honest(self) -> bool:
        """The verdict is what it should be."""
        return self.admitted == (self.way == "right")

    @property
    def sound(self) -> bool:
        """The case is what it says. A wrong closure that answers rightly would prove nothing, unless it knows by heart."""
        if self.way == "right":
            return self.truly_right is True
        return self.truly_right is not True or self.way == "hard-coded"


def closures() -> list[Played]:
    """Every closure of the suite, in the file's order."""
    import yaml

    items = {item.id: item for item in requests()}
    raw = yaml.safe_load((SUITES / "wrong_closures.yaml").read_text())["closures"]
    return [Played(r["id"], r["way"], code_of(r, items[r["of"]].request), items[r["of"]]) for r in raw]


def code_of(raw: Mapping[str, str], request: str) -> str:
    """A whole module around the body that the suite gives."""
    keywords = f", *, {raw['parameters']}" if raw.get("parameters") else ""
    head = "from datetime import date\n\n\n" if "date(" in raw["code"] + keywords else ""
    return f'{head}def closure(source{keywords}):\n    """{request.replace(chr(34), "").strip()}"""\n{indent(raw["code"], "    ")}\n'


def judge_one(desk: Desk, played: Played, sources: Sequence[str]) -> Judged:
    """Play one closure as a model's only reply, and run it over the whole source to know what it is worth."""
    from synth.actions import opened
    from synth.models.scripted import Scripted
    from synth.models.text_writer import TextWriter
    from synth.pipeline import Tools, ask
    from synth.request import Draft, Request

    desk.environment = {**desk.environment, "TARS_NOW": played.item.now}
    # The second reply holds no closure, so that a draft which fails is not mended into the same draft again.
    writer = TextWriter(Scripted([f"```python\n{played.code}```", "I have nothing better."]))
    request = played.item.request
    with opened(desk, sources, request) as source:
        tools = Tools([writer], desk.sandbox(), desk.memory())
        outcome = ask(Request(request, desk.now()), source, tools)
        attempt = outcome.attempts[0]
        findings = attempt.verdict.findings if attempt.verdict else ()
        notes = tuple(n for r in attempt.verdict.reports for n in r.notes) if attempt.verdict else ()
        worth: bool | None = None
        if attempt.case and isinstance(attempt.written, Draft):
            trial = attempt.case.run_over(source.capability)
            if trial.result.status == "ok" and played.item.truth:
                worth = right(trial.records, played.item.truth, extra_ok=played.item.extra_ok)
    return Judged(
        played.id,
        played.way,
        played.item.id,
        request,
        outcome.status in ("ok", "unconfirmed"),
        worth,
        tuple(f"{f.gate}/{f.rule}" for f in findings),
        findings[0].message[:300] if findings else outcome.message[:300],
        notes,
        outcome.status == "ok",
    )


def judged(chosen: Sequence[Played]) -> Iterator[Judged]:
    """Each closure's judgement, as they come. One whose source cannot be opened is judged as not admitted, by the problem's name."""
    from synth.errors import TarsError

    names = list(dict.fromkeys(p.item.source for p in chosen))
    with tempfile.TemporaryDirectory(prefix="tars-evals-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        with materialised(data, names) as sources, desk_at(Path(folder) / "home") as desk:
            for played in chosen:
                try:
                    yield judge_one(desk, played, sources[played.item.source])
                except (TarsError, ModuleNotFoundError) as problem:
                    rule = f"error/{type(problem).__name__}"
                    yield Judged(
                        played.id,
                        played.way,
                        played.item.id,
                        played.item.request,
                        False,
                        None,
                        (rule,),
                        str(problem)[:300],
                    )


def printed(results: Sequence[Judged]) -> str:
    """What caught each, which wrong ones were admitted, which right ones were turned away, and what the suite itself gets wrong."""
    wrong, good = [r for r in results if r.way != "right"], [r for r in results if r.way == "right"]
    lines = [f"{'id':<5} {'way':<20} {'of':<14} verdict"]
    for r in results:
        admitted = "admitted" if r.confirmed else "admitted, unconfirmed"
        verdict = admitted if r.admitted else ", ".join(dict.fromkeys(r.rules)) or "refused"
        lines.append(f"{r.id:<5} {r.way:<20} {r.of:<14} {'' if r.honest else '!! '}{verdict}")
    trusted = sum(r.confirmed for r in wrong)
    lines += [
        "",
        f"wrong ones caught: {sum(r.honest for r in wrong)} of {len(wrong)}; admitted and confirmed: {trusted}",
    ]
    for way in dict.fromkeys(r.way for r in wrong):
        those = [r for r in wrong if r.way == way]
        rules = sorted({rule for r in those for rule in r.rules})
        lines.append(f"    {way:<20} {sum(r.honest for r in those)} of {len(those)}: {', '.join(rules)}")
    said = sum(r.confirmed for r in good)
    lines.append(f"right ones admitted: {sum(r.honest for r in good)} of {len(good)}, of these confirmed {said}")
    for r in results:
        # What the gates make of a request of the kept part must not be a hint on how to read it.
        if not r.honest and part_of(r.of) == "open":
            verdict = "turned away" if r.way == "right" else "ADMITTED"
            lines += [f"{r.id} {verdict} ({r.way}): {r.request!r}", f"    {r.message}"]
            lines += [f"    note: {note}" for note in r.notes if "witness" in note or "agrees" in note]
    for r in results:
        if not r.sound and r.rules[:1] != ("error/ModuleNotFoundError",):
            lines.append(f"{r.id} is no fair case: meant as {r.way}, over the whole source its records are {_worth(r)}")
    return "\n".join(lines)


def _worth(result: Judged) -> str:
    return {True: "right", False: "wrong", None: "not there, for it does not run"}[result.truly_right]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 1 when a wrong closure was admitted."""
    parser = argparse.ArgumentParser(prog="python -m evals.wrong", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="ID")
    parser.add_argument("--json", metavar="FILE", help="the judgements, a line each")
    said = parser.parse_args(arguments)
    results: list[Judged] = []
    try:
        for result in judged([p for p in closures() if not said.only or p.id in said.only]):
            results.append(result)
            print(result.id, "admitted" if result.admitted else "caught", file=sys.stderr)
    except KeyboardInterrupt:
        print("broken off", file=sys.stderr)
    if said.json:
        Path(said.json).write_text("".join(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in results))
    print(printed(results))
    return int(any(r.admitted and r.way != "right" for r in results))


if __name__ == "__main__":
    sys.exit(main())
