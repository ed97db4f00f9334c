"""A detection: what a source seems to be, how sure we are, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Detection:
    """`kind` is an id of the catalogue or `unknown`; `confidence` a probability; `evidence` says in words what spoke for and
    against; `alternatives` are (kind, confidence), likeliest first. `connector` is the module in synth/sources that
    reads the kind, empty when it is known by name only. `wrappings` are the compressions around it, outermost first.
    `facts` carries what detection learnt on the way (delimiter, encoding, root element …) for the connector."""

    source: str
    kind: str
    family: str
    confidence: float
    evidence: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    connector: str = ""
    wrappings: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
