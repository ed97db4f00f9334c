"""Names for other languages: what a source calls a table, as an identifier."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence


def identifiers(names: Sequence[str]) -> list[str]:
    """An identifier for each name, in order, no two alike."""
    found: list[str] = []
    for name in names:
        made = re.sub(r"\W+", "_", name).strip("_") or "table"
        if made[0].isdigit() or keyword.iskeyword(made):
            made = f"table_{made}"
        while made in found:
            made += "_"
        found.append(made)
    return found
