"""Dataclasses: one for each table."""

from __future__ import annotations

from synth.exports._generated import generated
from synth.schema import Schema


def export(schema: Schema) -> str:
    """A module of dataclasses. Raises BadRequest without the extra `exports`."""
    return generated(schema, "DataclassesDataclass")
