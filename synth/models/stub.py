"""The stub of `source` that a model is shown, made from the protocols that the broker serves."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from sandbox.capabilities import VERBS

_GIVES = {"Batches": "Iterator[dict]"}


def stub_of(verbs: Sequence[str]) -> str:
    """The verbs as method signatures with their docstrings."""
    lines = ["class Source:"]
    for verb in verbs:
        method = getattr(VERBS[verb], verb)
        signature = inspect.signature(method)
        parameters = ", ".join(str(p).replace("'", "") for p in signature.parameters.values())
        gives = str(signature.return_annotation).strip("'")
        lines.append(f"    def {verb}({parameters}) -> {_GIVES.get(gives, gives)}:")
        lines.append(f'        """{inspect.getdoc(method)}"""')
    return "\n".join(lines)
