"""A scripted model that makes mistakes and mends each when a finding names it: the repair curve."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.mutation.mutant import Mutant

if TYPE_CHECKING:
    from sandbox.job import Sandbox
    from synth.request import Request
    from synth.source import Source

_RULE = re.compile(r"^- (?:\w+/)?(?P<rule>[\w-]+)(?P<rest>.*)$", re.MULTILINE)

_BOUNDS = {
    "wrong-bound",
    "wrong-period",
    "ignored-number",
    "ignored-period",
    "ignored-filter",
    "finds-nothing",
    "wrong-nulls",
}
_ROWS = {
    "dropped-rows",
    "extra-rows",
    "doubled-rows",
    "dropped-groups",
    "wrong-groups",
    "too-few",
    "too-many",
    "not-distinct",
}
NAMES: dict[str, set[str]] = {
    "hard-coded": {"hard-coded", "dropped-groups", "dropped-rows"},
    "off-by-one": _BOUNDS | {"too-few", "too-many"},
    "comparison": _BOUNDS | {"dropped-rows", "extra-rows"},
    "wrong-column": {
        "wrong-column",
        "ignored-parameter",
        "finds-nothing",
        "wrong-bound",
        "wrong-nulls",
        "ignored-filter",
        "not-distinct",
    },
    "wrong-aggregate": {"wrong-values", "wrong-groups", "dropped-rows"},
    "wrong-group": {"wrong-groups", "doubled-rows", "dropped-rows", "extra-rows"},
    "dropped-rows": {"dropped-rows", "dropped-groups", "depends-on-row-order", "unasked-limit", "too-few"},
    "doubled-rows": {"wrong-values", "doubled-rows", "extra-rows", "not-distinct", "wrong-groups"},
    "join-fan-out": {"wrong-values", "finds-nothing", "doubled-rows", "extra-rows", "wrong-groups"},
    "wrong-join": _ROWS | {"finds-nothing"},
    "text-comparison": {"out-of-order", "wrong-bound", "dropped-rows", "extra-rows"},
    "time-zone": {"wrong-period", "wrong-groups"},
    "nulls": {"wrong-nulls", "wrong-values", "finds-nothing", "dropped-rows", "extra-rows", "out-of-order", "raised"},
    "case": {"finds-nothing", "wrong-column"},
    "truncated": {
        "first-page-only",
        "unasked-limit",
        "dropped-rows",
        "dropped-groups",
        "too-few",
        "depends-on-row-order",
    },
    "default": {"finds-nothing", "out-of-order", "wrong-column", "hard-coded", "not-distinct"},
    "ignored-parameter": {"ignored-parameter"},
    "ignored-filter": _BOUNDS | {"extra-rows", "ignored-parameter", "raised"},
    "wrong-value": _BOUNDS | {"wrong-values", "dropped-rows", "extra-rows"},
    "wrong-order": {"out-of-order"},
    "wrong-limit": {"too-few", "too-many", "dropped-rows", "extra-rows", "unasked-limit"},
    "swallowed-exception": {"swallowed-exception"},
    "wrong-arithmetic": {"wrong-values", "wrong-bound"},
}
"""The rules that tell somebody who made a mistake where to look. One that says how the request reads tells everything."""


class Mender:
    """Plays its mistakes one after the other, each until a finding names it; then it is right."""

    name = "mender"
    local = True

    def __init__(self, mistakes: Sequence[Mutant], right: str) -> None:
        self.mistakes, self.right = list(mistakes), right
        self.named: list[str] = []

    def complete(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The next closure, if the last message names what was wrong with the one before; else the same again."""
        said = messages[-1]["content"]
        if self.mistakes and "<findings>" in said:
            rule = names_it(self.mistakes[0], said.partition("<findings>")[2])
            if rule:
                self.named.append(rule)
                self.mistakes.pop(0)
        return f"```python\n{self.mistakes[0].code if self.mistakes else self.right}```"


def names_it(mutant: Mutant, findings: str) -> str:
    """The rule of the finding that names this mistake, or nothing."""
    for found in _RULE.finditer(findings):
        if found["rule"] in NAMES[mutant.way] or "The request reads as: " in found["rest"]:
            return found["rule"]
    return ""


@dataclass(frozen=True)
class Mended:
    """How one episode went. `repairs` were needed until a draft was admitted; None when none was. `right`: it was the right one."""

    id: str
    ways: tuple[str, ...]
    repairs: int | None
    right: bool
    rules: tuple[str, ...]


def episode(
    request: Request, source: Source, sandbox: Sandbox, identity: str, mistakes: Sequence[Mutant], right: str
) -> Mended:
    """One request through the whole pipeline, with a model that makes these mistakes."""
    from synth.models.text_writer import TextWriter
    from synth.pipeline import REPAIRS, Tools, ask

    mender = Mender(mistakes, right)
    outcome = ask(request, source, Tools([TextWriter(mender)], sandbox, None))
    first = [
        n for n, attempt in enumerate(outcome.attempts[: 1 + REPAIRS]) if attempt.verdict and attempt.verdict.passed
    ]
    rules = tuple(f.rule for a in outcome.attempts[: 1 + REPAIRS] if a.verdict for f in a.verdict.findings[:1])
    repairs = first[0] if first else None
    return Mended(identity, tuple(m.way for m in mistakes), repairs, repairs is not None and not mender.mistakes, rules)


def curve(episodes: Sequence[Mended]) -> Iterator[str]:
    """The share that is right after each repair, of episodes with one mistake and with two; and those that were not mended."""
    for count in (1, 2):
        those = [e for e in episodes if len(e.ways) == count]
        if not those:
            continue
        shares = [sum(e.right and e.repairs is not None and e.repairs <= n for e in those) for n in range(3)]
        wrong = sum(e.repairs is not None and not e.right for e in those)
        said = ", ".join(f"{100 * s / len(those):.1f} % after {n}" for n, s in enumerate(shares))
        caught = len(those) - wrong
        yield (
            f"{len(those)} drafts with {'one mistake' if count == 1 else 'two mistakes'}: right {said} repairs; {wrong} admitted wrong;"
            f" of the {caught} that were caught {100 * shares[2] / max(1, caught):.1f} % end right"
        )
    for each in episodes:
        if not each.right:
            what = (
                "admitted with the mistake in it"
                if each.repairs is not None
                else f"not named by {', '.join(each.rules)}"
            )
            yield f"    {each.id}: {' then '.join(each.ways)}: {what}"
