"""The mutation suite: `python -m evals.mutants` has right closures judged, and wrong ones made of them."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from evals.data.sources import SOURCES, materialised
from evals.mutation.closures import FORMS, Form, Right, module_of, right_closures
from evals.mutation.in_python import anywhere, wrong_python
from evals.mutation.in_sql import Ground, wrong_sql
from evals.mutation.mending import Mended, curve, episode
from evals.mutation.mutant import Mutant
from evals.run import desk_at
from evals.score import right
from evals.truth import only

if TYPE_CHECKING:
    from evals.truth import AnyOf
    from synth.actions import Desk
    from synth.gates.case import Case
    from synth.gates.verdict import Verdict
    from synth.request import Request, Task
    from synth.source import Sample, Source

EACH = 6
"""So many wrong ones are made of each closure in each of its two forms, where there are as many."""


@dataclass(frozen=True)
class Judged:
    """What became of one closure. `way` is the mistake in it, or `right`; `passed` every gate; `confirms` by what;
    `agrees`: a second draft, written independently and right, gives the same answer; `stated`: the request names what was broken;
    `sure`: the builtin had a reading of the request to compare with; `expected`: it passed with the right records given."""

    id: str
    kind: str
    request: str
    form: Form
    way: str
    passed: bool
    confirms: tuple[str, ...]
    agrees: bool
    stated: bool
    sure: bool
    expected: bool
    rule: str
    message: str
    code: str
    ms: float

    @property
    def ok(self) -> bool:
        """Admitted, and confirmed by something: what a user is told to trust."""
        return self.passed and bool(self.confirms)


@dataclass
class Dropped:
    """Mutants that were no test: they answer rightly after all, or do not run over the whole data."""

    equivalent: int = 0
    failing: int = 0


class Bench:
    """One open source, sampled once, with everything that is judged over it."""

    def __init__(self, desk: Desk, source: Source, kind: str, now: datetime) -> None:
        from synth.evidence import schema_of
        from synth.lookup import finder

        self.source, self.kind, self.now = source, kind, now
        self.sandbox = desk.sandbox()
        self.sample: Sample = source.sample(200)
        self.schema = schema_of(source, self.sample)
        self.finder = finder(source, self.schema, self.sample)
        self.rows = {name: rows.to_pylist() for name, rows in self.sample.b.items()}
        self.dropped = Dropped()

    def task(self, request: Request) -> Task:
        """The task of a request over this source."""
        from synth.request import Task

        return Task(request, self.schema, self.source.shape, self.source.dialect, self.source.kind, self.finder)

    def case(self, of: Right, code: str, request: Request | None = None) -> Case:
        """A closure before the gates."""
        from sandbox.job import Limits
        from synth.gates.case import Case
        from synth.models.declared import parameters_in
        from synth.request import Draft, Request

        draft = Draft(code, "scripted", parameters_in(code), of.output)
        task = self.task(request or Request(of.request, self.now))
        return Case(draft, task, self.source, self.sample, self.sandbox, Limits())

    def whole(self, case: Case) -> tuple[dict[str, object], ...] | None:
        """What the closure gives over the whole source; None where it does not run."""
        trial = case.on_whole
        return trial.records if trial.result.status == "ok" else None

    def ground(self, of: Right) -> Ground:
        """What the mutations may know."""
        named = {name: next(t.name for t in self.schema.tables if t.path == path) for name, path in of.over}
        return Ground(self.schema, self.rows, named, "duckdb" if of.over else self.source.dialect, of.args)


def benches(chosen: Sequence[Right], now: str) -> Iterator[tuple[Bench, list[Right]]]:
    """Each source of these, open until the next one is asked for, and what is asked of it."""
    from synth.actions import opened

    names = list(dict.fromkeys(r.source for r in chosen))
    with tempfile.TemporaryDirectory(prefix="tars-evals-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        with materialised(data, names) as sources, desk_at(Path(folder) / "home") as desk:
            desk.environment = {**desk.environment, "TARS_NOW": now}
            for name in names:
                with opened(desk, sources[name], "") as source:
                    yield Bench(desk, source, SOURCES[name].kind, desk.now()), [c for c in chosen if c.source == name]


def judged(chosen: Sequence[Right], now: str, each: int = EACH) -> Iterator[Judged]:
    """Every right closure and its mutants, as they are judged."""
    for bench, asked in benches(chosen, now):
        for of in asked:
            yield from judged_of(bench, of, each)
        DROPPED.equivalent += bench.dropped.equivalent
        DROPPED.failing += bench.dropped.failing


DROPPED = Dropped()


def judged_of(bench: Bench, of: Right, each: int) -> Iterator[Judged]:
    """One request's two right closures, and the wrong ones made of them."""
    from synth.gates import witness

    cases = {form: bench.case(of, of.code(form)) for form in FORMS}
    answers = {form: bench.whole(case) for form, case in cases.items()}
    truth = truth_of(of, answers["sql"])
    sure = witness.plan_of(cases["sql"].task) is not None
    for form in FORMS:
        if answers[form] is None or not right(answers[form] or (), truth):
            raise AssertionError(f"{of.id} in {form} is not what it is meant to be: {cases[form].on_whole.result}")
    seconds = {form: bench.case(of, of.code("python" if form == "sql" else "sql")) for form in FORMS}
    for form in FORMS:
        yield judge(
            bench, of, Mutant("right", form, of.code(form), ""), truth, seconds[form], sure, answers["sql"] or ()
        )
    for form in FORMS:
        count = 0
        for mutant in shuffled(list(mutants_of(of, form, bench.ground(of))), f"{of.id} {form}"):
            if count == each:
                break
            if differs(bench, of, mutant, truth):
                count += 1
                yield judge(bench, of, mutant, truth, seconds[form], sure, answers["sql"] or ())


def mended(chosen: Sequence[Right], now: str) -> Iterator[Mended]:
    """Each request with a model that makes one mistake, and with one that makes two, a mistake of each way in turn."""
    from synth.request import Request

    turns: Counter[str] = Counter()
    for bench, asked in benches(chosen, now):
        for number, of in enumerate(asked):
            form = FORMS[number % 2]
            truth = truth_of(of, bench.whole(bench.case(of, of.code("sql"))))
            made = shuffled(list(mutants_of(of, form, bench.ground(of))), f"{of.id} mending")
            made.sort(key=lambda m: turns[m.way])
            wrong = list(islice((m for m in made if differs(bench, of, m, truth)), 3))
            turns.update(m.way for m in wrong)
            request = Request(of.request, bench.now)
            for mistakes in (wrong[:1], wrong[1:3]):
                yield episode(request, bench.source, bench.sandbox, of.id, mistakes, of.code(form))


def truth_of(of: Right, records: Sequence[Mapping[str, object]] | None) -> AnyOf:
    """The records as the one right answer, in their order where one was asked for."""
    records = records or ()
    if not records:
        raise AssertionError(f"{of.id} answers nothing: no mutant of it could be told from it")
    names = list(records[0])
    return only([tuple(r[n] for n in names) for r in records], tuple(names.index(n) for n in of.order) or None)


def mutants_of(of: Right, form: Form, ground: Ground) -> Iterator[Mutant]:
    """Every wrong form of a closure, each code once."""
    seen = {of.code(form)}

    def made(way: Any, code: str, broke: str) -> Iterator[Mutant]:
        if code not in seen:
            seen.add(code)
            yield Mutant(way, form, code, broke)

    if form == "python":
        for way, code, broke in wrong_python(of.code(form), ground):
            yield from made(way, code, broke)
        return
    for way, sql, args, broke in wrong_sql(of.sql, ground):
        body = replace(of, args=args).sql_body(sql)
        yield from made(way, module_of(body, of.request, of.parameters), broke)
    for way, code, broke in anywhere(of.code(form), ground):
        yield from made(way, code, broke)


def shuffled(mutants: Sequence[Mutant], seed: str) -> list[Mutant]:
    """In an order that takes one of each way before a second of any; the same each time."""
    chance = Random(seed)
    turns: Counter[str] = Counter()
    placed: list[tuple[int, float, Mutant]] = []
    for mutant in chance.sample(list(mutants), len(mutants)):
        placed.append((turns[mutant.way], chance.random(), mutant))
        turns[mutant.way] += 1
    return [mutant for _turn, _chance, mutant in sorted(placed, key=lambda each: each[:2])]


def differs(bench: Bench, of: Right, mutant: Mutant, truth: AnyOf) -> bool:
    """Whether it gives something else than the truth over the whole data; for an ignored parameter, with another value of it."""
    from synth.request import Request

    if mutant.way == "ignored-parameter":
        other = Request(of.request, bench.now, parameters=varied(bench.case(of, of.code(mutant.form))))
        answers = [bench.whole(bench.case(of, code, other)) for code in (of.code("sql"), mutant.code)]
        different = (
            answers[0] is not None
            and answers[1] is not None
            and not (answers[0] and right(answers[1], truth_of(of, answers[0])))
        )
        bench.dropped.equivalent += not different
        return different
    records = bench.whole(bench.case(of, mutant.code))
    if records is None:
        bench.dropped.failing += 1
        return False
    same = right(records, truth)
    bench.dropped.equivalent += same
    return not same


def varied(case: Case) -> dict[str, object]:
    """Another value for each parameter."""
    return {p.name: _other(p.default) for p in case.draft.parameters}


def _other(value: object) -> object:
    if isinstance(value, datetime | date):
        return value - timedelta(days=31)
    if isinstance(value, Decimal | int | float):
        return type(value)(value * 2 // 3)
    return f"{value} x"


def judge(
    bench: Bench,
    of: Right,
    mutant: Mutant,
    truth: AnyOf,
    second: Case,
    sure: bool,
    records: Sequence[dict[str, object]],
) -> Judged:
    """A closure through the gates: alone, beside a second draft, and with the right records given."""
    from synth.agreement import same_answer
    from synth.gates.verdict import judge as verdict_of
    from synth.request import Request

    case = bench.case(of, mutant.code)
    began = time.perf_counter()
    verdict = verdict_of(case)
    ms = (time.perf_counter() - began) * 1000
    agrees = expected = False
    if verdict.passed:
        agrees = same_answer(case.on_a.records, second.on_a.records) and same_answer(
            case.on_b.records, second.on_b.records
        )
        given = Request(of.request, bench.now, expected=tuple(as_columns_of(records, case.on_b.records)))
        expected = verdict_of(bench.case(of, mutant.code, given)).passed
    return Judged(
        of.id,
        bench.kind,
        of.request,
        mutant.form,
        mutant.way,
        verdict.passed,
        confirms_of(verdict),
        agrees,
        bool(mutant.broke) and mutant.stated_by(of.request),
        sure,
        expected,
        "".join(f"{f.gate}/{f.rule}" for f in verdict.findings[:1]),
        "".join(str(f) for f in verdict.findings[:1])[:400],
        mutant.code,
        round(ms, 1),
    )


def as_columns_of(
    records: Sequence[dict[str, object]], given: Sequence[Mapping[str, object]]
) -> list[dict[str, object]]:
    """The right records under the names that a closure gives them: what a column is called is no mistake."""
    names = list(given[0]) if given else []
    if not records or len(names) != len(records[0]):
        return list(records)
    return [dict(zip(names, record.values(), strict=True)) for record in records]


def confirms_of(verdict: Verdict) -> tuple[str, ...]:
    """What stood behind a closure that passed."""
    return tuple(c for report in verdict.reports for c in report.confirms) if verdict.passed else ()


def printed(results: Sequence[Judged], dropped: Dropped) -> str:
    """The rates, by what there was to judge with, by mistake and by what caught it."""
    good, wrong = [r for r in results if r.way == "right"], [r for r in results if r.way != "right"]
    if not good or not wrong:
        return "nothing was judged"
    kinds = {r.kind for r in results}
    lines = [
        f"{len(good)} right closures of {len({r.id for r in results})} requests over {len(kinds)} kinds; {len(wrong)} wrong ones,"
        f" {min(Counter((r.id, r.form) for r in wrong).values())} or more of each",
        f"(of those made {dropped.equivalent} were dropped because they answer rightly, {dropped.failing} because they do not run)",
        "",
        f"right ones admitted, no expected records   {_rate([r.passed for r in good])}, of these confirmed {sum(r.ok for r in good)}",
        f"right ones admitted, expected records      {_rate([r.expected for r in good])}",
        "",
        "wrong ones admitted                        passed the gates     of these confirmed",
    ]
    for title, those in (
        ("with expected records", None),
        ("the request states what was broken", [r for r in wrong if r.stated]),
        ("a second draft exists (both must agree)", wrong),
        ("stated, or a second draft exists", wrong),
        ("neither", [r for r in wrong if not r.stated]),
        ("all, alone", wrong),
        ("all, alone, the builtin is sure", [r for r in wrong if r.sure]),
        ("all, alone, the builtin is not sure", [r for r in wrong if not r.sure]),
    ):
        if those is None:
            passed, ok = [r.expected for r in wrong], [r.expected for r in wrong]
            those = wrong
        elif "second draft" in title:
            passed, ok = [r.passed and r.agrees for r in those], [r.ok and r.agrees for r in those]
        else:
            passed, ok = [r.passed for r in those], [r.ok for r in those]
        lines.append(f"    {title:<39}{_rate(passed):<21}{_rate(ok)}")
    lines += ["", f"{'mistake':<22}{'made':>6}{'passed':>8}{'confirmed':>11}   caught by"]
    for way, count in Counter(r.way for r in wrong).most_common():
        those = [r for r in wrong if r.way == way]
        rules = ", ".join(
            f"{rule.partition('/')[2]} {n}" for rule, n in Counter(r.rule for r in those if r.rule).most_common(6)
        )
        lines.append(f"{way:<22}{count:>6}{sum(r.passed for r in those):>8}{sum(r.ok for r in those):>11}   {rules}")
    gates = Counter(r.rule.partition("/")[0] for r in wrong if r.rule)
    lines += ["", "by gate: " + ", ".join(f"{gate} {n}" for gate, n in gates.most_common())]
    spent = sorted(r.ms for r in good)
    lines.append(
        f"the gates take {spent[len(spent) // 2]:.0f} ms for a right closure (median), {spent[-1]:.0f} ms at most"
    )
    for r in good:
        if not r.passed:
            lines += [f"turned away: {r.id} in {r.form}: {r.request!r}", f"    {r.message}"]
    return "\n".join(lines)


def _rate(flags: Sequence[bool]) -> str:
    return f"{sum(flags)} of {len(flags)} ({100 * sum(flags) / max(1, len(flags)):.1f} %)"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 1 when a wrong closure was admitted though the right records were given."""
    parser = argparse.ArgumentParser(prog="python -m evals.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="ids or sources")
    parser.add_argument("--sample", type=int, metavar="N", help="only every so many requests that N are left")
    parser.add_argument("--each", type=int, default=EACH, help="wrong ones of each closure")
    parser.add_argument(
        "--repair", action="store_true", help="play a model that makes mistakes and mends what is named"
    )
    parser.add_argument("--json", metavar="FILE", help="the judgements, a line each")
    said = parser.parse_args(arguments)
    now, closures = right_closures()
    chosen = [c for c in closures if not said.only or c.id in said.only or c.source in said.only]
    if said.sample:
        chosen = chosen[:: max(1, len(chosen) // said.sample)][: said.sample]
    if said.repair:
        print("\n".join(curve(list(mended(chosen, now)))))
        return 0
    results: list[Judged] = []
    try:
        for result in judged(chosen, now, said.each):
            results.append(result)
    except KeyboardInterrupt:
        print("broken off", file=sys.stderr)
    if said.json:
        Path(said.json).write_text("".join(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in results))
    print(printed(results, DROPPED))
    return int(any(r.expected and r.way != "right" for r in results))


if __name__ == "__main__":
    sys.exit(main())
