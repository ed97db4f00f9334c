"""Attacks on the policy and its guards: each is refused when read, or stopped when run, and never gets hold of a canary."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
import types
from textwrap import dedent

import pytest

from sandbox.inside.guards import namespace
from sandbox.policy import compile_closure, findings_of

# What an attack must never get hold of, by kind and by identity.
_FORBIDDEN_KINDS = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
_FORBIDDEN = (
    *(open, eval, exec, compile, globals, locals, vars, getattr, setattr, __import__, type, BaseException, input),
    *(object.__subclasses__, importlib.import_module, str.format, str.format_map),
)
SECRET = "canary-7f3a"


class SourceError(Exception):
    """What a refused call raises inside."""


class Handle:
    """Stands where `source` stands: an object of the sandbox with something to hide."""

    __slots__ = ("_secret",)

    def __init__(self) -> None:
        self._secret = SECRET


def is_escape(value: object, level: int = 0) -> bool:
    """Whether the value is, holds or tells something that the closure has no right to."""
    if isinstance(value, _FORBIDDEN_KINDS) or any(value is forbidden for forbidden in _FORBIDDEN):
        return True
    if isinstance(value, types.BuiltinMethodType) and value.__name__ in ("format", "format_map"):
        return True
    if value is sys.modules or value is builtins.__dict__ or value is os.environ:
        return True
    if isinstance(value, str):
        return SECRET in value or "module 'os'" in value or "<built-in function open>" in value
    if level < 4 and isinstance(value, dict):
        return "__builtins__" in value or any(is_escape(part, level + 1) for part in (*value, *value.values()))
    if level < 4 and isinstance(value, (list, tuple, set, frozenset)):
        return any(is_escape(part, level + 1) for part in value)
    return False


def attempt(code: str) -> str:
    """'refused' by the policy, 'stopped' at run time or empty-handed; 'escaped' otherwise."""
    if findings_of(code):
        return "refused"
    space = namespace({"query": lambda rows, sql: rows, "SourceError": SourceError})
    try:
        exec(compile_closure(code), space)
        got = list(space["closure"](Handle()))
    except Exception as error:
        got = [str(error)]
    return "escaped" if is_escape(got) else "stopped"


def body(text: str) -> str:
    """The lines as the body of a closure."""
    return "def closure(source):\n" + "".join(f"    {line}\n" for line in dedent(text).strip().splitlines())


REFUSED: dict[str, str] = {
    # attribute walks
    "class of a tuple": body("yield ().__class__.__base__.__subclasses__()"),
    "class alone": body("yield (1).__class__"),
    "bases": body("yield int.__bases__"),
    "mro as attribute": body("yield int.__mro__"),
    "mro as method": body("yield int.mro()"),
    "subclasses": body("yield object.__subclasses__()"),
    "globals of a function": body("yield closure.__globals__"),
    "code of a function": body("yield closure.__code__"),
    "closure cells": body("yield (lambda: source).__closure__"),
    "defaults": body("yield closure.__defaults__"),
    "kwdefaults": body("yield closure.__kwdefaults__"),
    "builtins of a function": body("yield closure.__builtins__"),
    "self of a builtin": body("yield print.__self__"),
    "self of a method": body("yield [].append.__self__"),
    "func of a method": body("class A:\n    def f(self): pass\nyield A().f.__func__.__globals__"),
    "init globals of a class": body("class A:\n    def __init__(self): pass\nyield A.__init__.__globals__"),
    "module of a class": body("import json\nyield json.JSONEncoder.__module__"),
    "loader of a module": body("import json\nyield json.__loader__"),
    "spec of a module": body("import json\nyield json.__spec__"),
    "getattribute": body("yield object.__getattribute__(source, '_secret')"),
    "reduce": body("yield source.__reduce_ex__(2)"),
    "setattr dunder": body("object.__setattr__(source, 'x', 1)\nyield 1"),
    "class getitem": body("class A:\n    def __class_getitem__(cls, item): pass\nyield 1"),
    "getattribute hook": body("class A:\n    def __getattribute__(self, name): pass\nyield 1"),
    "reduce hook": body("class A:\n    def __reduce__(self): return (print, ('x',))\nyield 1"),
    "index hook": body("class A:\n    def __index__(self): return 1\nyield 1"),
    "del hook": body("class A:\n    def __del__(self): pass\nyield 1"),
    "instancecheck hook": body("class A:\n    def __instancecheck__(self, x): return True\nyield 1"),
    "subclasshook": body("class A:\n    def __subclasshook__(cls, x): return True\nyield 1"),
    "mro entries": body("class A:\n    def __mro_entries__(self, bases): return ()\nyield 1"),
    "prepare hook": body("class A:\n    def __prepare__(*a): return {}\nyield 1"),
    "buffer hook": body("class A:\n    def __buffer__(self, flags): pass\nyield 1"),
    "lambda as dunder": body("class A:\n    __index__ = lambda self, name: 1\nyield 1"),
    "import as dunder": body("class A:\n    from json import dumps as __index__\nyield 1"),
    "loop target dunder": body("class A:\n    for __index__ in [print]: pass\nyield 1"),
    "with target dunder": body(
        "import contextlib\nclass A:\n    with contextlib.nullcontext(1) as __index__: pass\nyield 1"
    ),
    "walrus dunder": body("class A:\n    x = (__index__ := print)\nyield 1"),
    "annotated dunder": body("class A:\n    __index__: int = print\nyield 1"),
    "match dunder": body("class A:\n    match 1:\n        case __index__: pass\nyield 1"),
    "except dunder": body("class A:\n    try:\n        1/0\n    except Exception as __index__: pass\nyield 1"),
    "nested def dunder": body("def __import__(*a): pass\nyield 1"),
    "class dunder": body("class __build_class__: pass\nyield 1"),
    "argument dunder": body("f = lambda __builtins__: 1\nyield 1"),
    "global dunder": "def closure(source):\n    global __builtins__\n    yield 1\n",
    "nonlocal dunder": "def closure(source):\n    def f():\n        nonlocal __x__\n    yield 1\n",
    "delete attribute dunder": body("del closure.__globals__\nyield 1"),
    "store attribute dunder": body("closure.__code__ = 1\nyield 1"),
    "loop target attribute": body("for closure.__code__ in [1]: pass\nyield 1"),
    "unpack target attribute": body("(a, closure.__defaults__) = 1, (2,)\nyield 1"),
    "augmented dunder": body("closure.__code__ += 1\nyield 1"),
    "with target attribute": body(
        "from contextlib import nullcontext\nwith nullcontext(1) as closure.__x__: pass\nyield 1"
    ),
    "super setattr": body("class A:\n    def f(self): super().__setattr__('__class__', int)\nyield 1"),
    "super replaced": body("def super(): return source\nyield super().__init__()"),
    "super with arguments": body("yield super(object, source).__init__()"),
    "super reduce": body("class A:\n    def f(self): return super().__reduce_ex__(2)\nyield A().f()"),
    "super class": body("class A:\n    def f(self): return super().__thisclass__\nyield A().f()"),
    # frames
    "gi_frame": body("g = (x for x in [1])\nyield g.gi_frame"),
    "gi_code": body("yield (x for x in [1]).gi_code"),
    "gi_yieldfrom": body("yield (x for x in [1]).gi_yieldfrom.gi_frame"),
    "cr_frame": "async def f(): pass\ndef closure(source):\n    yield f().cr_frame\n",
    "cr_origin": "async def f(): pass\ndef closure(source):\n    yield f().cr_origin\n",
    "ag_frame": "async def f():\n    yield 1\ndef closure(source):\n    yield f().ag_frame\n",
    "ag_code": "async def f():\n    yield 1\ndef closure(source):\n    yield f().ag_code\n",
    "f_back": body("g = (x for x in [1])\nf = getattr(g, 'gi' + '_frame')\nyield f.f_back.f_globals"),
    "f_locals": body("yield source.f_locals"),
    "f_builtins": body("yield source.f_builtins"),
    "co_consts": body("yield source.co_consts"),
    "func_globals": body("yield closure.func_globals"),
    "traceback": body("try:\n    1/0\nexcept Exception as e:\n    yield e.__traceback__.tb_frame"),
    "tb_frame": body(
        "class C:\n    def __enter__(self): return self\n    def __exit__(self, t, v, tb):\n        self.f = tb.tb_frame\n"
        "        return True\nwith C() as c:\n    1/0\nyield c.f"
    ),
    "tb_next": body("try:\n    1/0\nexcept Exception as e:\n    yield e.tb_next"),
    "context": body("try:\n    1/0\nexcept Exception as e:\n    yield e.__context__"),
    # builtins
    **{
        f"builtin {name}": body(f"yield {name}")
        for name in (
            *(
                "open",
                "eval",
                "exec",
                "compile",
                "globals",
                "locals",
                "dir",
                "input",
                "breakpoint",
            ),
            *("__import__", "__builtins__", "__build_class__", "__loader__", "__spec__", "__file__", "__debug__"),
            *("help", "exit", "quit", "license", "BaseException", "SystemExit", "KeyboardInterrupt"),
            *("GeneratorExit", "BaseExceptionGroup", "copyright", "__doc__", "__package__"),
        )
    },
    "open called": body("yield open('/etc/passwd').read()"),
    "eval called": body("yield eval('1')"),
    "fullwidth eval": body("yield ｅｖａｌ('1')"),
    "fullwidth dunder": body("yield ().＿＿class＿＿"),
    "import call": body("yield __import__('os')"),
    "guard by name": body("yield _getattr_(source, '__class__')"),
    "write guard by name": body("yield _write_(source)"),
    # imports
    **{
        f"import {module}": body(f"import {module}\nyield 1")
        for module in (
            *(
                "os",
                "sys",
                "subprocess",
                "socket",
                "ctypes",
                "importlib",
                "builtins",
                "inspect",
                "gc",
                "pickle",
                "marshal",
            ),
            *(
                "threading",
                "asyncio",
                "multiprocessing",
                "shutil",
                "pathlib",
                "tempfile",
                "signal",
                "resource",
            ),
            *(
                "codecs",
                "code",
                "runpy",
                "site",
                "platform",
                "traceback",
                "weakref",
                "posix",
                "_io",
                "atexit",
            ),
            *("urllib.request", "http.client", "json.decoder", "re._compiler", "os.path", "string.templatelib", "pty"),
            *("operator.attrgetter", "collections.abc.sys", "importlib.util", "sandbox.inside.guards", "antigravity"),
        )
    },
    "import from os": body("from os import system\nyield system"),
    "import a hidden module": body("from json import decoder\nyield decoder"),
    "import sys through a module": body("from statistics import sys\nyield sys"),
    "import a private name": body("from collections import _sys\nyield _sys"),
    "import dunder": body("from json import __builtins__ as b\nyield b"),
    "import star": "from json import *\ndef closure(source):\n    yield 1\n",
    "relative import": body("from . import guards\nyield guards"),
    "relative import up": body("from ..sandbox import guards\nyield guards"),
    "future feature": "from __future__ import barry_as_FLUFL\ndef closure(source):\n    yield 1\n",
    "Formatter": body("import string\nyield string.Formatter().format('{0.__class__}', 1)"),
    "make_dataclass": body("from dataclasses import make_dataclass\nyield make_dataclass"),
    "get_type_hints": body("from typing import get_type_hints\nyield get_type_hints"),
    "get_args": body("from typing import get_args\nyield get_args"),
    "ForwardRef": body("from typing import ForwardRef\nyield ForwardRef('1')"),
    "uuid1": body("import uuid\nyield uuid.uuid1()"),
    "SystemRandom": body("import random\nyield random.SystemRandom()"),
    "update_wrapper": body("import functools\nyield functools.update_wrapper"),
    "singledispatch": body("import functools\nyield functools.singledispatch"),
    "redirect_stdout": body("import contextlib\nyield contextlib.redirect_stdout"),
    "io.open": body("import io\nyield io.open('/etc/passwd').read()"),
    "io.FileIO": body("import io\nyield io.FileIO('/etc/passwd').read()"),
    "time.sleep": body("import time\ntime.sleep(1)\nyield 1"),
    "module within a module": body("import json\nyield json.codecs"),
    "re enum": body("import re\nyield re.enum.sys"),
    "reset_tzpath": body("import zoneinfo\nzoneinfo.reset_tzpath(to=['/'])\nyield 1"),
    # formatting
    "format attribute": body("yield '{0.__class__}'.format(source)"),
    "format index": body("yield '{0[0]}'.format([1])"),
    "format nested": body("yield '{:{0.__class__}}'.format(1)"),
    "format keyword": body("yield '{s._secret}'.format(s=source)"),
    "format_map": body("yield '{a.__class__}'.format_map({'a': 1})"),
    "format_map of the class": body("yield str.format_map('{a.b}', {'a': 1})"),
    "fstring dunder": body("yield f'{source.__class__}'"),
    "fstring spec dunder": body("yield f'{1:{source.__class__}}'"),
    # match
    "match class dunder": body("match source:\n    case object(__class__=c):\n        yield c"),
    "match private": body("match source:\n    case object(_secret=s):\n        yield s"),
    "match frame": body("match (x for x in [1]):\n    case object(gi_frame=f):\n        yield f"),
    "match format": body("match '{0.__class__}':\n    case str(format=f):\n        yield f(1)"),
    "match obj": body(
        "try:\n    source.x\nexcept Exception as e:\n    match e:\n        case object(obj=o):\n            yield o"
    ),
    "match_args dunder": body(
        "class A:\n    __match_args__ = ('__class__',)\nmatch A():\n    case A(c):\n        yield c"
    ),
    "match_args format": body(
        "class A(str):\n    __match_args__ = ('format',)\nmatch A('{0.x}'):\n    case A(f):\n        yield f"
    ),
    "match_args computed": body("class A:\n    __match_args__ = ('_' + '_class_' + '_',)\nyield 1"),
    # classes
    "metaclass": body("class A(metaclass=print): pass\nyield 1"),
    "class keywords unpacked": body("class A(**{'metaclass': print}): pass\nyield 1"),
    "class keyword": body("class A(x=1): pass\nyield 1"),
    "dunder keyword": body("yield dict(__class__=1)"),
    "slots with dict": body("class A:\n    __slots__ = ('__dict__',)\nyield 1"),
    "name of a class": body("class A: pass\nA.__name__ = 'x'\nyield 1"),
    "annotations by hand": body("class A:\n    __annotations__ = {'x': '__import__(\"os\")'}\nyield 1"),
    "annotations by item": body("class A:\n    __annotations__['x = 1'] = int\nyield 1"),
    "augmented format": body(
        "class S(str): pass\nclass T:\n    def __radd__(self, other):\n        self.f = other\n        return self\n"
        "t = T()\ns = S('{0.__class__}')\ns.format += t\nyield t.f"
    ),
    "field getbuffer": body("class A:\n    getbuffer: int\nyield 1"),
    # decorators
    "decorator lambda": body("@(lambda f: f)\ndef g(): pass\nyield 1"),
    "decorator builtin": body("@print\nclass A: pass\nyield 1"),
    "decorator eval": body("@eval\n@input\nclass A: pass\nyield 1"),
    "decorator subscript": body("@[print][0]\ndef f(): pass\nyield 1"),
    "decorator getattr": body("@getattr(source, '__class__')\ndef f(): pass\nyield 1"),
    "decorator attribute of a call": body("@type(source).x\ndef f(): pass\nyield 1"),
    # names of the interpreter
    "mangled builtins": "class B:\n    def f(self): return __builtins__\ndef closure(source):\n    yield B().f()\n",
    "except BaseException": body("try:\n    1/0\nexcept BaseException:\n    yield 1"),
    "suppress BaseException": body("import contextlib\nwith contextlib.suppress(BaseException): 1/0\nyield 1"),
    "main dunder file": body("yield __file__"),
    "buffer": body("import io\nyield io.BytesIO(b'x').getbuffer()"),
    # shape and size
    "no closure": "def other(source):\n    yield 1\n",
    "two closures": "def closure(source):\n    yield 1\ndef closure(source):\n    yield 2\n",
    "closure rebound": "def closure(source):\n    yield 1\nclosure = print\n",
    "closure nested only": "if True:\n    def closure(source):\n        yield 1\n",
    "closure is a class": "class closure:\n    pass\n",
    "closure is a lambda": "closure = lambda source: []\n",
    "decorated closure": "import functools\n@functools.cache\ndef closure(source):\n    yield 1\n",
    "no parameters": "def closure():\n    yield 1\n",
    "other parameter": "def closure(data):\n    yield 1\n",
    "positional parameter": "def closure(source, limit=10):\n    yield 1\n",
    "no default": "def closure(source, *, limit):\n    yield 1\n",
    "varargs": "def closure(source, *rest):\n    yield 1\n",
    "kwargs": "def closure(source, **rest):\n    yield 1\n",
    "source with default": "def closure(source=None):\n    yield 1\n",
    "syntax error": "def closure(source)\n    yield 1\n",
    "null byte": "def closure(source):\n    yield 1\0\n",
    "lone surrogate": "def closure(source):\n    yield '\ud800'\n",
    "empty": "",
    "too long": "def closure(source):\n    yield '" + "x" * 70_000 + "'\n",
    "too many nodes": "def closure(source):\n    yield [" + "1," * 21_000 + "]\n",
    "too deep": "def closure(source):\n    yield " + "+".join(["1"] * 300) + "\n",
    "parser overflow": "def closure(source):\n    yield " + "-" * 60_000 + "1\n",
    "brackets overflow": "def closure(source):\n    yield " + "(" * 30_000 + ")" * 30_000 + "\n",
    "not overflow": "def closure(source):\n    yield " + "not " * 15_000 + "1\n",
    "return outside": "return 1\ndef closure(source):\n    yield 1\n",
    "nonlocal nowhere": "def closure(source):\n    nonlocal nowhere\n    yield 1\n",
    "yield from async": "async def closure(source):\n    yield from [1]\n",
    "await outside async": body("await source"),
    "huge integer": body("yield " + "9" * 5_000),
}


STOPPED: dict[str, str] = {
    # getattr by value
    "getattr dunder": body("yield getattr((), '__class__')"),
    "getattr built": body("yield getattr((), '_' * 2 + 'class' + '_' * 2)"),
    "getattr default": body("yield getattr(source, '_secret', None)"),
    "getattr frame": body("yield getattr((x for x in [1]), 'gi_frame')"),
    "getattr mro": body("yield getattr(int, 'mro')"),
    "getattr format": body("yield getattr('{0.__class__}', 'format')(source)"),
    "getattr format_map": body("yield getattr('{a.__class__}', 'format_map')({'a': 1})"),
    "getattr own text": body(
        "class S(str):\n    def startswith(self, *a): return False\n    def __eq__(self, o): return False\n"
        "    def __hash__(self): return 1\nyield getattr((), S('__class__'))"
    ),
    "getattr in map": body("yield list(map(getattr, [()], ['__class__']))"),
    "getattr in reduce": body("from functools import reduce\nyield reduce(getattr, ['__class__', '__base__'], ())"),
    "hasattr tells nothing": body("if hasattr(source, '_secret'):\n    yield 'canary-7f3a'"),
    "setattr foreign": body("import json\nsetattr(json, 'dumps', 1)\nyield 1"),
    "setattr dunder by value": body("class A: pass\nsetattr(A, '__class_getitem__', 1)\nyield 1"),
    "setattr class": body("class A: pass\na = A()\nsetattr(a, '__class__', int)\nyield 1"),
    "private of the handle": body("yield source._secret"),
    "private mangled": body("class Handle:\n    def f(self, s): return s.__secret\nyield Handle().f(source)"),
    "private through a class": body("yield type(source)._secret"),
    "private through own method": body("class A:\n    def f(self): return self._secret\nyield A.f(source)"),
    "own class inherits handle": body("class A(type(source)): pass\nyield A()._secret"),
    "handle copied": body("import copy\nyield copy.copy(source)._secret"),
    # type
    "type of a class": body("yield type(int)"),
    "type makes a class": body("yield type('X', (), {'__index__': lambda s, n: 1})"),
    "type of a type": body("yield type(type(int))('X', (), {})"),
    "type of a function": body("yield type(lambda: 0)"),
    "type called": body("T = type(int)\nyield T('X', (object,), {})"),
    "base is type": body("class M(type): pass\nyield M('X', (), {})"),
    "base from type": body("class M(type(int)): pass\nyield M"),
    "enum metaclass": body(
        "from enum import Enum\nM = type(Enum)\nyield M('X', (Enum,), {'__match_args__': ('__class__',)})"
    ),
    "abc metaclass": body("from collections.abc import Sized\nyield type(Sized)('X', (), {})"),
    "class of a generator": body("yield type(x for x in [1])"),
    "class of a method": body("yield type([].append)"),
    "subclass bool": body("class B(bool): pass\nyield 1"),
    "subclass a function": body("class F(type(print)): pass\nyield 1"),
    # format by value
    "format by variable": body("t = '{0.__class__}'\nyield t.format(source)"),
    "format joined": body("yield ('{0.__cl' + 'ass__}').format(source)"),
    "format nested by variable": body("t = '{:{0.__class__}}'\nyield t.format(1)"),
    "format of str": body("yield str.format('{0.__class__}', source)"),
    "format of str by getattr": body("yield getattr(str, 'format')('{0.__class__}', source)"),
    "format mapped": body("yield list(map(str.format, ['{0.__class__}'], [source]))"),
    "format of a subclass": body("class S(str): pass\nyield S('{0.__class__}').format(source)"),
    "format of the subclass itself": body("class S(str): pass\nyield S.format('{0.__class__}', source)"),
    "format by super": body(
        "class S(str):\n    def f(self): return super().format(source)\nyield S('{0.__class__}').f()"
    ),
    "format hidden in the order": body(
        "class O:\n    def format(self, x): return 1\nclass S(str, O): pass\nyield S('{0.__class__}').format(source)"
    ),
    "format by methodcaller": body(
        "from operator import methodcaller\nyield methodcaller('format', source)('{0.__class__}')"
    ),
    "format by attrgetter": body(
        "from operator import attrgetter\nyield attrgetter('format')('{0.__class__}')(source)"
    ),
    "format by enum": body(
        "from enum import StrEnum\nclass E(StrEnum):\n    A = '{0.__class__.__init__.__globals__}'\nyield E.A.format(source)"
    ),
    "format by a dataclass": body(
        "import dataclasses\n@dataclasses.dataclass\nclass A(str):\n    format: object = dataclasses.field(init=False)\n"
        "yield dataclasses.asdict(A('{0.__class__}'))"
    ),
    "format by an inherited dataclass": body(
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    format: object = dataclasses.field(init=False)\n"
        "class B(A, str): pass\nyield dataclasses.asdict(B())"
    ),
    "format by a lying class": body(
        "import abc, dataclasses\n@dataclasses.dataclass\nclass A(abc.ABC):\n    format: object\nA.register(str)\n"
        "match '{0.__class__}':\n    case A(f):\n        yield f"
    ),
    "register by getattr": body(
        "import abc\nclass A(abc.ABC): pass\ngetattr(A, 'register')(str)\nyield isinstance('', A)"
    ),
    "template pattern": body("from string import Template\nyield Template('${a.__class__}').safe_substitute(a=1)"),
    "percent": body("yield '%(a.__class__)s' % {'a': 1}"),
    # operator
    "attrgetter dunder": body("import operator\nyield operator.attrgetter('__class__')(1)"),
    "attrgetter dotted": body("import operator\nyield operator.attrgetter('real.__class__')(1)"),
    "attrgetter frame": body("import operator\nyield operator.attrgetter('gi_frame')(x for x in [1])"),
    "attrgetter private": body("import operator\nyield operator.attrgetter('_secret')(source)"),
    "methodcaller dunder": body("import operator\nyield operator.methodcaller('__reduce__')(1)"),
    "methodcaller mro": body("import operator\nyield operator.methodcaller('mro')(int)"),
    # libraries
    "enum from a dict": body(
        "from enum import Enum\nE = Enum('E', {'__match_args__': ('__class__',), 'A': 1})\n"
        "match E.A:\n    case E(c):\n        yield c('X', (), {})"
    ),
    "enum from pairs": body("from enum import Enum\nyield Enum('E', [('__class_getitem__', print)])"),
    "enum with a type": body("from enum import Enum\nyield Enum('E', 'A', type=str)"),
    "enum with a module": body("from enum import Enum\nyield Enum('E', 'A', module='os')"),
    "enum convert": body(
        "from enum import IntEnum\nclass E(IntEnum): pass\nyield E._convert_('X', 'sys', lambda n: n == 'modules')"
    ),
    "enum create": body("from enum import Enum\nclass E(Enum): pass\nyield E._create_('X', ['A'])"),
    "abc registry": body("import abc\nclass A(abc.ABC): pass\nyield A._dump_registry()"),
    "namedtuple dunder": body("from collections import namedtuple\nyield namedtuple('X', ['__class__'])"),
    "namedtuple name": body("from collections import namedtuple\nyield namedtuple('X(', 'a')"),
    "namedtuple module": body("from collections import namedtuple\nyield namedtuple('X', 'a', module='os')"),
    "dataclass on a library class": body(
        "import dataclasses, collections\ndataclasses.dataclass(collections.Counter)\nyield 1"
    ),
    "total_ordering on a library class": body(
        "import functools, collections\nfunctools.total_ordering(collections.Counter)"
    ),
    "wraps on an exception group": body(
        "import functools\ndef f(): pass\nf.split = lambda *a: 1\ng = ExceptionGroup('x', [ValueError()])\n"
        "functools.wraps(f)(g)\ntry:\n    raise g\nexcept* ValueError:\n    yield 1"
    ),
    "subclass of an exception group": body(
        "class G(ExceptionGroup):\n    def split(self, kind): return 1\ntry:\n    raise G('x', [ValueError()])\n"
        "except* ValueError:\n    yield 1"
    ),
    "split on an exception group": body("g = ExceptionGroup('x', [ValueError()])\ng.split = lambda *a: 1\nyield 1"),
    "object of an attribute error": body("try:\n    [].nothing\nexcept AttributeError as e:\n    o = e.obj\nyield 1"),
    "module attribute": body("import json\nm = json\nyield m.codecs"),
    "module by alias": body("import json as j, re as j\nyield j.enum"),
    "module name": body("import json\nyield json.__name__"),
    "module init": body("import json\nyield getattr(json, '__init__')"),
    "module changed": body("import json\njson.dumps = print\nyield 1"),
    "module attribute deleted": body("import json\ndel json.dumps\nyield 1"),
    "module copied": body("import json, copy\nyield copy.deepcopy(json)"),
    "library class changed": body("from collections import Counter\nCounter.update = print\nyield 1"),
    "library function changed": body("import json\njson.loads.x = print\nyield 1"),
    "handle changed": body("source.query = print\nyield 1"),
    "handle deleted": body("del source.query\nyield 1"),
    "exception changed": body("try:\n    1/0\nexcept Exception as e:\n    e.x = 1\nyield 1"),
    "loop target foreign": body("import json\nfor json.dumps in [1]: pass\nyield 1"),
    "formatted annotation": body(
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: \"__import__('os')\" = 1\n"
        "yield dataclasses.fields(A)[0].type"
    ),
    "class var by text": body(
        "import dataclasses, typing\n@dataclasses.dataclass\nclass A:\n    x: typing.Optional['__import__(\"os\")'] = None\n"
        "yield dataclasses.fields(A)[0].type"
    ),
    "annotation through a shadowed builtin": body(
        "import dataclasses\nint = \"__import__('os')\"\n@dataclasses.dataclass\nclass A:\n    x: int = 1\n"
        "yield dataclasses.fields(A)[0].type"
    ),
    "delattr foreign": body("import json\ndelattr(json, 'dumps')\nyield 1"),
    "delattr dunder": body("class A: pass\ndelattr(A, '__doc__')\nyield 1"),
    "getattr hook plays a class": body(
        "class A:\n    def __getattr__(self, name): return str\na = A()\nyield a.format"
    ),
    "copy through a hook": body(
        "import copy\nclass A:\n    def __getattr__(self, name):\n        if name == '__deepcopy__': return lambda memo: memo\n"
        "        raise AttributeError(name)\nyield copy.deepcopy(A())"
    ),
    "new of another class": body(
        "class A:\n    def __new__(cls): return super().__new__(cls)\nyield A.x if hasattr(A, 'x') else A.__name__ + str(A())[:0]\n"
        "class B:\n    def f(self): return super().__new__(type(source))\nyield B().f()._secret"
    ),
    "subclass hook sees the handle": body(
        "class A:\n    def __init_subclass__(cls): cls.x = 1\nclass B(A, type(source)): pass\nyield B()._secret"
    ),
    "descriptor for the format": body(
        "class D:\n    def __get__(self, obj, owner): return str.format\nclass A:\n    format = D()\nyield A().format('{0.__class__}', 1)"
    ),
    "private through a hook": body(
        "class A:\n    def __getattr__(self, name): return getattr(source, name)\nyield A()._secret"
    ),
    "time zone traversal": body("from zoneinfo import ZoneInfo\nyield str(ZoneInfo('../../etc/passwd'))"),
    "random without a seed": body("import random\nyield random.Random()"),
    "random without a seed later": body("import random\nr = random.Random(1)\nr.seed()\nyield 1"),
    "inflate bomb": body("import zlib\nyield len(zlib.decompress(zlib.compress(b'0' * (70 * 1024 * 1024), 1)))"),
    "import of what C needs": body("from datetime import datetime\nyield datetime.strptime('2024', '%Y')"),
    "keyword unpacking": body("class A:\n    def __init__(self, **k): self.k = k\nyield A(**{'__class__': int}).k"),
    "replace with dunder": body(
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 1\nyield dataclasses.replace(A(), **{'__class__': int})"
    ),
    "dict of an instance": body("class A: pass\nyield getattr(A(), '__dict__')"),
    "dict of the handle": body("yield source.__dict__"),
    "dict of a class": body("class A: pass\nyield A.__dict__"),
    "dict of a function": body("def f(): return 1\nyield f.__dict__"),
    "dict of a module": body("import json\nyield json.__dict__"),
    "vars of the handle": body("yield vars(source)"),
    "vars of nothing": body("yield vars()"),
    "vars under a special name": body("class A: pass\nvars(A())['__deepcopy__'] = 1"),
    "owner of fields": body("class A: pass\nyield vars(A())._owner"),
    "namespace with a reducer": body(
        "from types import SimpleNamespace\nyield SimpleNamespace(**{'__reduce_ex__': 1})"
    ),
    "base of a view": body("yield memoryview(b'x').obj"),
    "log level": body(
        "import logging\nclass S(str):\n    def __eq__(self, o): return True\n    def __hash__(self): return hash('DEBUG')\n"
        "logging.getLogger().setLevel(S('os'))\nyield logging.getLogger().level"
    ),
    "generator throw": body(
        "def g():\n    try:\n        yield 1\n    except Exception as e:\n        yield str(e)\nx = g()\nnext(x)\n"
        "yield x.throw(ValueError('v'))"
    ),
    "super with a foreign object": body("class A: pass\nyield super(A, source)._secret"),
    "property on the handle": body("yield property(lambda s: s._secret).fget(source)"),
    "partial getattr": body("from functools import partial\nyield partial(getattr, source)('_secret')"),
    "sorted by getattr": body("yield sorted([source], key=lambda s: getattr(s, '_secret'))"),
    "print to an object": body(
        "class W:\n    def write(self, t): self.t = t\nw = W()\nprint(source, file=w)\nyield w.t"
    ),
    "json of the handle": body("import json\nyield json.dumps(source, default=lambda o: getattr(o, '_secret'))"),
    "stack by recursion": body("def f(n): return f(n + 1)\nyield f(0)"),
    "unhashable base": body("class A([]): pass\nyield 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_attack_is_refused_when_read(name: str) -> None:
    code = REFUSED[name]

    findings = findings_of(code)

    assert findings
    assert all(finding.gate == "policy" and finding.message and finding.hint for finding in findings)


@pytest.mark.parametrize("name", STOPPED)
def test_an_attack_is_stopped_when_run(name: str) -> None:
    assert attempt(STOPPED[name]) == "stopped"


def test_there_are_enough_attacks() -> None:
    assert len(REFUSED) + len(STOPPED) >= 250


@pytest.mark.parametrize(
    "loot",
    [sys, os.environ, open, sys._getframe(), compile("1", "", "eval"), type, {"a": [SECRET]}, "{}".format, str.format],
)
def test_the_detector_knows_loot(loot: object) -> None:
    assert is_escape([loot])
