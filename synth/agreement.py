"""Which of several independent drafts to go on with: the one whose answer most others give, never the one a model prefers.

The idea is that of self-consistency (Wang et al., 2023), taken over what the drafts return rather than over what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from synth.gates.case import Case
from synth.outcome import Attempt
from synth.records import bag

Records = Sequence[Mapping[str, object]]


def best_last(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts with the one to go on with in the last place.

    Of those that passed every gate it is the shortest of the largest group with one and the same answer, and it is told how many
    gave that answer (`agreeing`) of how many that passed (`passing`). Where none passed it is the one that came through the most gates.
    """
    passing = [a for a in attempts if a.case and a.passed]
    if len(passing) < 2:
        return sorted(attempts, key=_gates_reached)
    group = max(_alike([a.case for a in passing if a.case]), key=len)
    best = min((passing[number] for number in group), key=_length)
    return [*(a for a in attempts if a is not best), replace(best, agreeing=len(group), passing=len(passing))]


def _length(attempt: Attempt) -> tuple[int, str]:
    code = attempt.case.draft.code if attempt.case else ""
    return len(code), code


def _gates_reached(attempt: Attempt) -> int:
    if attempt.verdict is None:
        return -1
    return sum(r.passed for r in attempt.verdict.reports)


def _alike(cases: Sequence[Case]) -> list[list[int]]:
    """The numbers of the cases, grouped by what they return. An answer without a single record agrees with nothing: many wrong
    closures give none either."""
    answers = [_answer(case) for case in cases]
    groups: list[list[int]] = []
    for number, answer in enumerate(answers):
        group = next((g for g in groups if answer[0] + answer[1] and _both(answers[g[0]], answer)), None)
        if group is None:
            groups.append([number])
        else:
            group.append(number)
    return groups


def _answer(case: Case) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The records over sample A and over sample B; where neither gave any, those over the whole source."""
    a, b = list(case.on_a.records), list(case.on_b.records)
    return (a, b) if a or b else (list(case.on_whole.records), [])


def _both(one: tuple[Records, Records], other: tuple[Records, Records]) -> bool:
    return same_answer(one[0], other[0]) and same_answer(one[1], other[1])


def same_answer(one: Records, other: Records) -> bool:
    """Whether two lists of records say the same, in any order: columns may have other names, and one side may have more of them."""
    if len(one) != len(other):
        return False
    if not one:
        return True
    narrow, wide = sorted((one, other), key=lambda records: len(records[0]))
    columns: dict[str, str] = {}
    for name in narrow[0]:
        free = [c for c in wide[0] if c not in columns.values()]
        free.sort(key=lambda column: column != name)
        found = next((c for c in free if _values(narrow, name) == _values(wide, c)), None)
        if found is None:
            return False
        columns[name] = found
    renamed = [{name: record.get(column) for name, column in columns.items()} for record in wide]
    return bag(narrow, list(columns)) == bag(renamed, list(columns))


def _values(records: Records, column: str) -> object:
    return bag([{"": record.get(column)} for record in records], [""])
