"""A mutant: a right closure with one thing broken, and whether the request says anything about that thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from evals.mutation.closures import Form

Way = Literal[
    "right",
    "hard-coded", "off-by-one", "comparison", "wrong-column", "wrong-aggregate", "wrong-group", "dropped-rows",
    "doubled-rows", "join-fan-out", "wrong-join", "text-comparison", "time-zone", "nulls", "case", "truncated", "default",
    "ignored-parameter", "ignored-filter", "wrong-value", "wrong-order", "wrong-limit", "swallowed-exception",
    "wrong-arithmetic",
]  # fmt: skip

_WORDS = {
    "count": r"how many|number of|count|\bper\b.*\b(errors|bugs)\b|\b(errors|bugs)\b.*\bper\b",
    "sum": r"total|sum|in all|spent|value of|days of|number of nights|revenue",
    "avg": r"average|mean",
    "median": r"median",
    "max": r"highest|most|max|biggest|best|warmest|dearest|largest",
    "min": r"lowest|least|min|cheapest|smallest",
    "order": r"first|highest|lowest|top|best|biggest|most|in order|by day|heaviest|latest",
    "nulls": r"missing|without|no agent|left out|not (?:been )?returned|not left|nobody|coupon",
    "comparison": r"more|less|over|above|below|least|most|older|since|between|longer|from|to|in|up to|\bon\b",
    "distinct": r"distinct|different|unique",
    "pages": r"\ball\b",
}


@dataclass(frozen=True)
class Mutant:
    """`broke` is what was changed: a literal, a column's name, or a word of `_WORDS`. `form` is what it was made of."""

    way: Way
    form: Form
    code: str
    broke: str

    def stated_by(self, request: str) -> bool:
        """Whether the request names what was broken: the number, the value, the column, or the word for the aggregate,
        the order or the bound."""
        if self.broke in _WORDS:
            return re.search(_WORDS[self.broke], request, re.IGNORECASE) is not None
        said = request.casefold()
        if found := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", self.broke):
            return found.group(1) in said
        pieces = [p for p in re.split(r"[^\w-]+|_", self.broke.casefold()) if p]
        return bool(pieces) and all(re.search(rf"(?<!\w){re.escape(p)}", said) for p in pieces)
