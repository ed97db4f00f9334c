"""Turns results into text: counts and rates per part, kind and ability, times, and everything that was not right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from evals.result import GOOD, GRADES, WRONG, Result


def printed(results: Sequence[Result], *, details: Iterable[str] = ("open", "kept")) -> str:
    """The whole report; what was not right is listed for the parts in `details`."""
    if not results:
        return "nothing was run"
    lines = [*_table("part", results, lambda r: (r.part, "all")), "", *_rates(results), ""]
    lines += [*_table("kind", results, lambda r: (r.kind,)), "", *_table("ability", results, lambda r: r.abilities)]
    lines += ["", *(_detail(r) for r in results if r.grade not in GOOD and r.part in details)]
    return "\n".join(lines)


def rates(results: Sequence[Result]) -> dict[str, float]:
    """`right` over the answerable, `wrong` over all, and `unsafe`: how many that deserved a no were answered."""
    answerable = [r for r in results if r.answerable]
    return {
        "right": sum(r.grade == "right" for r in answerable) / len(answerable) if answerable else 1.0,
        "wrong": sum(r.grade in WRONG for r in results) / len(results) if results else 0.0,
        "unsafe": sum(r.grade == "answered-unsafe" for r in results),
    }


def _rates(results: Sequence[Result]) -> list[str]:
    lines = []
    for part in ("open", "kept", "all"):
        chosen = [r for r in results if part in ("all", r.part)]
        if not chosen:
            continue
        found = rates(chosen)
        times = sorted(r.ms for r in chosen)
        lines.append(
            f"{part}: right {found['right']:.1%} of {sum(r.answerable for r in chosen)} answerable, wrong {found['wrong']:.1%} of"
            f" {len(chosen)}, unsafe answered {found['unsafe']:.0f} of {sum(not r.answerable for r in chosen)};"
            f" median {median(times):.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms"
        )
    return lines


def _table(head: str, results: Sequence[Result], labels: Callable[[Result], Iterable[str]]) -> list[str]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        for label in labels(result):
            groups.setdefault(label, []).append(result)
    width = max(len(head), *map(len, groups))
    lines = [f"{head:<{width}}  {'all':>5}" + "".join(f"  {g:>15}" for g in GRADES)]
    for label in sorted(groups):
        counts = [sum(r.grade == g for r in groups[label]) for g in GRADES]
        lines.append(f"{label:<{width}}  {len(groups[label]):>5}" + "".join(f"  {c or '.':>15}" for c in counts))
    return lines


def _detail(result: Result) -> str:
    lines = [f"{result.id} [{result.part}] {result.grade}: {result.request!r}", f"    expected  {result.expected}"]
    if result.got:
        lines.append(f"    got       {result.got}")
    if result.rules:
        lines.append(f"    rules     {', '.join(result.rules)}")
    lines.append(f"    said      {result.message[:400]}")
    return "\n".join(lines)
