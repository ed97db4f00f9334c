"""This file is the globals that a closure's code runs in: builtins from an allow-list, and the few guards that need run time.

Everything that can be decided by reading the code is decided by the policy; what stays here is what depends on the object:
private and ambiguous attributes, writes to attributes, base classes, and names that are values (`getattr(x, name)`).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any, NoReturn

from sandbox.inside import modules
from sandbox.inside.modules import BASE_CLASSES, KNOWN_TYPES, OWN_CLASSES
from sandbox.policy_rules import (
    BUILTINS,
    FILENAME,
    GUARD_EXCEPTION,
    GUARD_GETATTR,
    GUARD_WRITE,
    NAMEDTUPLE_ATTRIBUTES,
    READABLE_DUNDERS,
    is_dunder,
    is_plain,
    is_refused,
    template_problem,
)

MODULE_NAME = "closure"

_MISSING = object()

# Objects of these library classes are made to be configured by assignment.
_CONFIGURABLE = frozenset({("decimal", "Context"), ("textwrap", "TextWrapper"), ("types", "SimpleNamespace")})

_GUARDED_BUILTINS = frozenset({"getattr", "hasattr", "setattr", "delattr", "type", "format", "vars"})


def _is_own(obj: object) -> bool:
    """Made from the closure's own classes: an instance, the class itself, or a function written in the closure."""
    if type(obj) in OWN_CLASSES:
        return True
    if isinstance(obj, FunctionType):
        return obj.__code__.co_filename == FILENAME
    # A class is not among the own ones yet while its __init_subclass__ runs, but closures cannot write __module__.
    return isinstance(obj, type) and (obj in OWN_CLASSES or vars(obj).get("__module__") == MODULE_NAME)


def _own_defines(obj: Any, name: str) -> bool:
    """The attribute comes from a class or function of the closure, not from a library class or metaclass behind it."""
    kind = type(obj)
    if kind is super:
        lineage = obj.__self_class__.__mro__
        return _first_is_own(lineage[lineage.index(obj.__thisclass__) + 1 :], name)
    if kind in OWN_CLASSES:
        return _first_is_own(kind.__mro__, name)
    if isinstance(obj, type):
        return obj in OWN_CLASSES and _first_is_own(obj.__mro__, name)
    return _is_own(obj) and name in obj.__dict__


def _first_is_own(lineage: tuple[type, ...], name: str) -> bool:
    for kind in lineage:
        if name in vars(kind):
            return kind in OWN_CLASSES
    return False


def _refuse(name: str) -> NoReturn:
    raise AttributeError(f"attribute {name!r} cannot be used here")


def guarded_attribute(obj: Any, name: str) -> Any:
    """A private or ambiguous attribute where it is safe on this object; AttributeError where not. `__dict__` is a copy."""
    if name == "__dict__":
        return _fields_of(obj)
    # The usual case first: a method reads what it keeps in its own object.
    if type(obj) in OWN_CLASSES and name in getattr(obj, "__dict__", ()):
        return getattr(obj, name)
    if _own_defines(obj, name):
        return getattr(obj, name)
    if name == "format" and isinstance(obj, str):
        return _formatter(obj)
    if name in NAMEDTUPLE_ATTRIBUTES and _is_tuple(obj):
        return getattr(obj, name)
    if not hasattr(obj, name):
        raise AttributeError(f"{type(obj).__name__!r} object has no attribute {name!r}")
    _refuse(name)


class _Fields(dict[str, Any]):
    """What an object of the closure holds, as it was when asked; what is set here is set on the object, if it may be."""

    def __init__(self, owner: object, held: Mapping[str, Any]) -> None:
        super().__init__(held)
        self._owner = owner

    def __setitem__(self, name: str, value: Any) -> None:
        _setattr(self._owner, name, value)
        super().__setitem__(name, value)

    def update(self, *given: Any, **more: Any) -> None:
        """Set all of these."""
        for name, value in dict(*given, **more).items():
            self[name] = value

    def _unchanged(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("fields cannot be taken away like this here; use del object.name")

    __delitem__ = pop = popitem = clear = setdefault = __ior__ = _unchanged


def _is_namespace(obj: object) -> bool:
    return isinstance(obj, SimpleNamespace) and type(obj) in KNOWN_TYPES


def _fields_of(obj: Any) -> _Fields:
    held = obj.__dict__ if type(obj) in OWN_CLASSES or _is_namespace(obj) else None
    if type(held) is not dict:
        raise AttributeError("__dict__ can be read here for objects of your own classes only; name the fields you want")
    return _Fields(obj, held)


def _vars(obj: Any, /) -> _Fields:
    """As vars, for objects of the closure's own classes."""
    try:
        return _fields_of(obj)
    except AttributeError as problem:
        raise TypeError(str(problem).replace("__dict__", "vars()")) from None


def guarded_getattr(obj: Any, name: str) -> Any:
    """Attribute `name` of `obj`, for a name that is a value."""
    if type(name) is not str:
        raise TypeError("attribute name must be str")
    if is_plain(name) or name in READABLE_DUNDERS:
        return getattr(obj, name)
    if is_dunder(name) or is_refused(name):
        _refuse(name)
    return guarded_attribute(obj, name)


def _is_tuple(obj: object) -> bool:
    return isinstance(obj, tuple) or (isinstance(obj, type) and issubclass(obj, tuple))


def _formatter(template: str) -> Callable[..., str]:
    """`template.format`, for fields that are names or numbers alone."""
    text = str.__add__("", template)
    problem = _template_problem(text)
    if problem:
        raise ValueError(f"{problem}; use an f-string for expressions")
    return text.format


_template_problem = lru_cache(maxsize=256)(template_problem)


def guarded_write(obj: Any) -> Any:
    """The object itself if its attributes may be set: it is the closure's own, or a library object made to be configured."""
    if type(obj) in OWN_CLASSES or _is_own(obj):
        return obj
    kind = type(obj)
    if (kind.__module__, kind.__name__) in _CONFIGURABLE and kind in KNOWN_TYPES:
        return obj
    what = "a module" if kind is modules.Facade else f"{kind.__name__} objects"
    raise AttributeError(f"attributes of {what} cannot be set here; only those of your own classes")


def _getattr(obj: Any, name: str, default: Any = _MISSING, /) -> Any:
    """As getattr, for names that are safe on the object."""
    if default is _MISSING:
        return guarded_getattr(obj, name)
    try:
        return guarded_getattr(obj, name)
    except AttributeError:
        return default


def _hasattr(obj: Any, name: str, /) -> bool:
    """As hasattr, for names that are safe on the object."""
    try:
        guarded_getattr(obj, name)
    except AttributeError:
        return False
    return True


def _setattr(obj: Any, name: str, value: Any, /) -> None:
    """As setattr, for public names on objects of the closure's own classes."""
    if type(name) is not str or is_dunder(name) or is_refused(name):
        raise AttributeError(f"attribute {name!r} cannot be set here")
    setattr(guarded_write(obj), name, value)


def _delattr(obj: Any, name: str, /) -> None:
    """As delattr, for public names on objects of the closure's own classes."""
    if type(name) is not str or is_dunder(name) or is_refused(name):
        raise AttributeError(f"attribute {name!r} cannot be deleted here")
    delattr(guarded_write(obj), name)


def _format(value: Any, spec: str = "", /) -> str:
    """As format."""
    return builtins.format(value, spec)


_STAND_INS: dict[type, type] = {}


def _stand_in(kind: type) -> type:
    if kind not in _STAND_INS:
        _STAND_INS[kind] = type(kind.__name__, (), {"__slots__": (), "__module__": "builtins"})
    return _STAND_INS[kind]


def _type_of(obj: object) -> type:
    kind = type(obj)
    if kind in _PLAIN_TYPES or kind in OWN_CLASSES or kind in KNOWN_TYPES:
        return kind
    return _stand_in(kind)


class _TypeMeta(type):
    """Lets `type(x)` and `isinstance(x, type)` work without handing out `type`, which makes classes from a dict."""

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        if len(args) != 1 or keywords:
            raise TypeError("type() takes one argument here; use a class statement to make a class")
        return _type_of(args[0])

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, type)

    def __getitem__(cls, item: object) -> type:
        return cls

    def __repr__(cls) -> str:
        return "<class 'type'>"


_TYPE = _TypeMeta("type", (), {"__slots__": (), "__module__": "builtins"})

_PLAIN_TYPES = frozenset(
    {
        *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice, object),
        *(type(None), type(Ellipsis), type(NotImplemented)),
        *(value for value in vars(builtins).values() if isinstance(value, type) and issubclass(value, Exception)),
    }
)

# Subclasses of an exception group may answer `except*` with what the interpreter does not expect.
_BUILTIN_BASES = frozenset(
    kind
    for kind in _PLAIN_TYPES
    if kind not in (bool, range, slice, bytearray, type(None), type(Ellipsis), type(NotImplemented))
    and not issubclass(kind, BaseExceptionGroup)
)


def _build_class(function: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
    """The class statement, for bases that were reviewed or are the closure's own."""
    for base in bases:
        if isinstance(base, type) and (base in OWN_CLASSES or base in _BUILTIN_BASES):
            continue
        if not any(base is allowed for allowed in BASE_CLASSES):
            raise TypeError(f"{getattr(base, '__name__', base)!r} cannot be a base class here")
    if keywords.keys() - {"total"}:
        raise TypeError("class keywords are not allowed")
    made = builtins.__build_class__(function, name, *bases, **keywords)
    if issubclass(made, str) and hasattr(made, "__dataclass_fields__"):
        raise TypeError("a class cannot be a str and a dataclass at once")
    OWN_CLASSES.add(made)
    return made


def _builtins() -> dict[str, object]:
    allowed = {name: getattr(builtins, name) for name in BUILTINS - _GUARDED_BUILTINS}
    guarded = {
        "getattr": _getattr,
        "hasattr": _hasattr,
        "setattr": _setattr,
        "delattr": _delattr,
        "type": _TYPE,
        "format": _format,
        "vars": _vars,
    }
    return {**allowed, **guarded, "__build_class__": _build_class, "__import__": modules.import_guard}


def namespace(extra: Mapping[str, object]) -> dict[str, Any]:
    """Fresh globals for one closure: its builtins and guards, with `extra` (`query`, `SourceError`) beside the builtins."""
    for value in extra.values():
        if isinstance(value, type):
            KNOWN_TYPES.add(value)
    return {
        "__builtins__": {**_builtins(), **extra},
        "__name__": MODULE_NAME,
        GUARD_GETATTR: guarded_attribute,
        GUARD_WRITE: guarded_write,
        GUARD_EXCEPTION: Exception,
    }
