"""The keyword parameters of a closure that a model wrote, with the values of their defaults where those can be read off."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal, DecimalException

from synth.parameters import declared_in
from synth.request import Parameter

_MADE = {"Decimal": Decimal, "date": date, "datetime": datetime, "time": time}


def parameters_in(code: str) -> tuple[Parameter, ...]:
    """The closure's parameters. A default that is a constant, or a Decimal, date or time of constants, is that value; any other
    stays as it is written. A missing annotation is read off the default."""
    return tuple(_valued(p) for p in declared_in(code))


def _valued(parameter: Parameter) -> Parameter:
    try:
        value = _value(ast.parse(str(parameter.default), mode="eval").body)
    except (ValueError, SyntaxError, TypeError, DecimalException, RecursionError, OverflowError):
        return parameter
    # `str` is what a parameter without annotation is taken for; its default knows better.
    kind = type(value).__name__ if parameter.type == "str" and value is not None else parameter.type
    return replace(parameter, default=value, type=kind)


def _value(node: ast.expr) -> object:
    if isinstance(node, ast.Call) and not node.keywords:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        made = _MADE.get(name)
        if made is None:
            raise ValueError(name)
        return made(*(ast.literal_eval(a) for a in node.args))
    return ast.literal_eval(node)
