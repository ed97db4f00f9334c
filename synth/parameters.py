"""The values that a user gives for a closure's parameters, from text to the declared types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from synth.errors import BadRequest
from synth.request import Parameter


def typed(declared: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, object]:
    """The given values (texts from a command line, or values already) as the parameters' types. Raises BadRequest."""
    known = {p.name: p for p in declared}
    made: dict[str, object] = {}
    for name, value in given.items():
        if name not in known:
            there = ", ".join(f"{p.name}: {p.type} = {p.default}" for p in declared) or "none"
            raise BadRequest(f"the closure has no parameter {name!r}", f"It has: {there}")
        made[name] = _value(known[name], value) if isinstance(value, str) else value
    return made


def declared_in(code: str) -> tuple[Parameter, ...]:
    """The keyword parameters that a closure's own text declares."""
    from sandbox.policy import parameters_of

    return tuple(Parameter(name, annotation or "str", default) for name, annotation, default in parameters_of(code))


def _value(parameter: Parameter, text: str) -> object:
    kind = parameter.type.split("|")[0].strip()
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "Decimal":
                return Decimal(text)
            case "bool":
                return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
            case "date":
                return date.fromisoformat(text)
            case "datetime":
                return datetime.fromisoformat(text)
    except (ValueError, ArithmeticError, KeyError) as error:
        raise BadRequest(
            f"--param {parameter.name}={text!r} is not a {kind}", f"Its default is {parameter.default}"
        ) from error
    return text
