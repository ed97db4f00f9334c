"""The facades: every name they promise is there, imports of every shape work, and nothing real is reachable through them."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
import types
from typing import Any

import pytest

from sandbox.inside.guards import namespace
from sandbox.inside.modules import SHOWN, Facade, allowed, facade, hold_time_zones, import_guard, preload
from sandbox.policy_rules import is_plain

_SAMPLES: dict[str, str] = {
    "json": "json.JSONDecoder()",
    "csv": "csv.DictReader(['a,b', '1,2'])",
    "re": "re.match('(?P<a>.)', 'x')",
    "difflib": "difflib.SequenceMatcher(None, 'ab', 'bc')",
    "textwrap": "textwrap.TextWrapper()",
    "string": "string.Template('$a')",
    "fractions": "fractions.Fraction(1, 3)",
    "decimal": "decimal.getcontext()",
    "statistics": "statistics.NormalDist()",
    "uuid": "uuid.UUID(int=1)",
    "random": "random.Random(1)",
    "contextlib": "contextlib.ExitStack()",
    "collections": "collections.ChainMap({})",
    "zoneinfo": "zoneinfo.ZoneInfo('UTC')",
    "urllib.parse": "urllib.parse.urlsplit('http://a/b')",
    "functools": "functools.lru_cache(lambda: 1)",
    "struct": "struct.Struct('<i')",
    "hashlib": "hashlib.sha256()",
    "io": "io.BytesIO(b'x')",
    "datetime": "datetime.datetime(2024, 1, 1)",
    "operator": "operator.itemgetter(1)",
    "calendar": "calendar.month_name",
}


@pytest.mark.parametrize("module", sorted(SHOWN))
def test_every_promised_name_is_there_and_none_is_a_module(module: str) -> None:
    shown = vars(facade(module))

    assert shown.keys() == SHOWN[module]
    assert not [name for name, value in shown.items() if isinstance(value, types.ModuleType)]


@pytest.mark.parametrize("module", sorted(SHOWN))
def test_the_promised_names_exist_in_the_real_module(module: str) -> None:
    real = importlib.import_module(module)

    assert not [name for name in SHOWN[module] if not hasattr(real, name) and name not in ("abc", "parse")]


def _reached(start: object, depth: int) -> list[tuple[str, Any]]:
    """Everything that plain public attributes lead to, with the way there."""
    seen: set[int] = set()
    found: list[tuple[str, Any]] = []
    level: list[tuple[str, Any]] = [("", start)]
    for _ in range(depth):
        following: list[tuple[str, Any]] = []
        for way, obj in level:
            if id(obj) in seen:
                continue
            seen.add(id(obj))
            found.append((way, obj))
            names = vars(obj) if isinstance(obj, Facade) else dir(obj)
            for name in names:
                if not is_plain(name):
                    continue
                try:
                    following.append((f"{way}.{name}", getattr(obj, name)))
                except Exception:
                    continue
            if isinstance(obj, (list, tuple, set, frozenset)):
                following.extend((f"{way}[]", part) for part in obj)
            elif isinstance(obj, (dict, types.MappingProxyType)):
                following.extend((f"{way}[]", part) for part in (*obj, *obj.values()))
        level = following
    return found


@pytest.mark.parametrize("module", sorted(SHOWN))
def test_nothing_real_is_reachable_by_public_attributes(module: str) -> None:
    starts: list[object] = [facade(module)]
    if module in _SAMPLES:
        top = module.partition(".")[0]
        starts.append(eval(_SAMPLES[module], {top: facade(top)}))

    assert not [way for start in starts for way in _loot(start)]


_HELD = """
import typing, dataclasses
def gen():
    yield 1
async def coro():
    pass
async def agen():
    yield 1
@dataclasses.dataclass
class Own:
    x: int = 1
    @property
    def p(self): return 1
    def m(self): return super()
    @staticmethod
    def s(): pass
class Exit:
    def __enter__(self): return self
    def __exit__(self, kind, error, trace):
        self.seen = [kind, error]
        self.trace = [trace]
        return True
with Exit() as exit:
    [].nothing
"""


@pytest.mark.parametrize(
    "held",
    [
        *(
            "gen",
            "gen()",
            "agen()",
            "Own",
            "Own()",
            "Own().m",
            "Own().m()",
            "Own.s",
            "exit",
            "exit.seen",
            "lambda: 0",
            "print",
        ),
        *(
            "getattr",
            "type",
            "type(1)",
            "type(gen)",
            "type(int)",
            "object",
            "str",
            "int",
            "dict",
            "list[int]",
            "int | str",
        ),
        *(
            "typing.Optional[int]",
            "typing.ClassVar[int]",
            "typing.NamedTuple",
            "typing.TypeVar('T')",
            "ExceptionGroup('x', [ValueError()])",
        ),
        *(
            "dataclasses.fields(Own)",
            "{}.items()",
            "iter([])",
            "'{}'.join",
            "property(gen)",
            "ValueError('x')",
            "zip()",
        ),
        *(
            "classmethod(gen)",
            "range(3)",
            "slice(1)",
            "super",
            "__build_class__",
            "__import__",
            "hasattr",
            "setattr",
            "format",
        ),
    ],
)
def test_nothing_real_is_reachable_from_what_code_holds(held: str) -> None:
    space = namespace({})
    exec(compile(_HELD, "<closure>", "exec", dont_inherit=True), space)
    start = eval(held, space)

    assert not _loot(start)


def _loot(start: object) -> list[str]:
    """Ways from the object to what nobody inside may have."""
    # A traceback is handed to every __exit__; what counts is that no frame can be read from it.
    kinds = (types.ModuleType, types.FrameType, types.CodeType)
    dangerous = {id(value) for value in (open, eval, exec, compile, __import__, globals, vars, type, os.system)}
    dangerous |= {id(sys.modules), id(os.environ), id(vars(builtins)), id(str.format), id(str.format_map)}

    return [
        way
        for way, obj in _reached(start, 4)
        if isinstance(obj, kinds) or id(obj) in dangerous or (isinstance(obj, dict) and "__builtins__" in obj)
    ]


@pytest.mark.parametrize(
    ("statement", "expression"),
    [
        ("import json", "json.dumps([1])"),
        ("import json as j", "j.dumps([1])"),
        ("from json import dumps", "dumps([1])"),
        ("from json import dumps as d, loads", "d(loads('[1]'))"),
        ("import collections.abc", "isinstance([1], collections.abc.Sequence) and '[1]'"),
        ("import collections.abc as cabc", "isinstance([1], cabc.Sequence) and '[1]'"),
        ("from collections import abc", "isinstance([1], abc.Sequence) and '[1]'"),
        ("from collections.abc import Sequence", "isinstance([1], Sequence) and '[1]'"),
        ("import urllib.parse", "urllib.parse.unquote('%5B1%5D')"),
        ("import urllib.parse as up", "up.unquote('%5B1%5D')"),
        ("from urllib import parse", "parse.unquote('%5B1%5D')"),
        ("from urllib.parse import unquote", "unquote('%5B1%5D')"),
        ("import urllib", "urllib.parse.unquote('%5B1%5D')"),
    ],
)
def test_imports_of_every_shape_work(statement: str, expression: str) -> None:
    space = namespace({})

    exec(f"{statement}\nresult = {expression}", space)

    assert space["result"] == "[1]"


@pytest.mark.parametrize(
    "statement",
    [
        "import os",
        "from os import path",
        "import json.decoder",
        "from json import decoder",
        "from collections import _sys",
    ],
)
def test_a_refused_import_names_what_there_is(statement: str) -> None:
    with pytest.raises(ImportError):
        exec(statement, namespace({}))


def test_an_unknown_module_is_answered_with_the_allowed_ones() -> None:
    with pytest.raises(ImportError, match="'pandas' cannot be imported here; allowed are: abc, base64"):
        import_guard("pandas")

    assert "json" in allowed()


def test_a_relative_import_is_refused() -> None:
    with pytest.raises(ImportError):
        import_guard("json", level=1)


def test_facades_cannot_be_changed() -> None:
    shown = facade("json")

    with pytest.raises(AttributeError):
        shown.dumps = 1
    with pytest.raises(AttributeError):
        del shown.loads

    assert shown.dumps([1]) == "[1]"


def test_time_zones_are_held_in_memory() -> None:
    assert hold_time_zones(["Europe/Berlin", "UTC"]) >= 2

    assert "Europe/Berlin" in facade("zoneinfo").available_timezones()


def test_everything_can_be_loaded_ahead() -> None:
    preload()

    assert all(isinstance(facade(module), Facade) for module in SHOWN)


def test_inflating_is_capped_and_honest() -> None:
    import zlib

    inflate = facade("zlib").decompress

    assert inflate(zlib.compress(b"abc" * 1000)) == b"abc" * 1000
    with pytest.raises(zlib.error, match="truncated"):
        inflate(zlib.compress(b"abc" * 1000)[:-6])
    with pytest.raises(zlib.error, match="larger"):
        inflate(zlib.compress(b"\0" * (65 * 1024 * 1024), 1))
