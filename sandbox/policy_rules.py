"""This file is what the policy allows and refuses, as data: constructs, names, attributes, methods, and words of advice."""

from __future__ import annotations

import ast
import string

CODE_BYTES = 65_536
NODES = 20_000
DEPTH = 120
FINDINGS = 20

FILENAME = "<closure>"

# Guard names cannot be written in source code, so generated code can neither call nor replace a guard.
GUARD_GETATTR = "<getattr>"
GUARD_WRITE = "<write>"
GUARD_EXCEPTION = "<exception>"

# What the sandbox itself puts beside the builtins.
EXTRA_NAMES = frozenset({"query", "SourceError"})

BUILTINS = frozenset(
    """
    abs aiter all anext any ascii bin bool bytearray bytes callable chr classmethod complex delattr dict divmod enumerate filter
    float format frozenset getattr hasattr hash hex id int isinstance issubclass iter len list map max min next object
    memoryview oct ord pow print property range repr reversed round set setattr slice sorted staticmethod str sum super
    tuple type vars zip Ellipsis NotImplemented
    ArithmeticError AssertionError AttributeError BufferError EOFError Exception ExceptionGroup FloatingPointError
    ImportError IndexError KeyError LookupError MemoryError ModuleNotFoundError NameError NotImplementedError OSError
    IOError OverflowError RecursionError RuntimeError StopAsyncIteration StopIteration SyntaxError TimeoutError
    TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError ZeroDivisionError
    ConnectionError PermissionError FileNotFoundError Warning UserWarning DeprecationWarning RuntimeWarning
    """.split()
)

NAME_HINTS = {
    "open": "Read through `source`; there are no files here. For text in memory use io.StringIO.",
    "eval": "Write the expression itself, or use json.loads for data.",
    "exec": "Write the statements themselves.",
    "compile": "Write the statements themselves; for patterns use re.compile.",
    "__import__": "Use an import statement with one of the allowed modules.",
    "globals": "Keep values in a dict of your own.",
    "locals": "Keep values in a dict of your own.",
    "dir": "Name the fields you want.",
    "input": "Take a keyword parameter with a default instead.",
    "breakpoint": "Leave it out.",
    "help": "Leave it out.",
    "exit": "Use return, or raise ValueError with what is wrong.",
    "quit": "Use return, or raise ValueError with what is wrong.",
    "BaseException": "Catch Exception, or better the narrow exception you expect.",
    "BaseExceptionGroup": "Catch ExceptionGroup.",
    "KeyboardInterrupt": "Catch Exception, or better the narrow exception you expect.",
    "SystemExit": "Use return, or raise ValueError with what is wrong.",
    "GeneratorExit": "Use try/finally without catching it.",
}

# Dunder methods that a class of the closure may define (and reach through super()). Left out on purpose: those that
# change what an object claims to be, how it is written to, copied, indexed or ended (__getattribute__, __setattr__,
# __class_getitem__, __instancecheck__, __reduce__, __index__, __del__ ...).
METHODS = frozenset(
    f"__{name}__"
    for name in """
    init post_init enter exit aenter aexit iter next aiter anext await eq ne lt le gt ge hash repr str len getitem
    setitem delitem contains bool call add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv
    rfloordiv mod rmod pow neg pos abs int float round and or xor rand ror rxor iand ior invert lshift rshift missing
    format reversed new init_subclass set_name get set getattr
    """.split()
)

# An exception's cause is only ever what a `raise ... from` names; its traceback is never readable.
READABLE_DUNDERS = frozenset({"__name__", "__doc__", "__cause__", "__notes__"})
# Read through a guard: there only for objects of the closure's own classes, as a copy.
GUARDED_DUNDERS = frozenset({"__dict__"})
# Names that modules carry by habit; nothing reads them here.
HABITUAL_DUNDERS = frozenset({"__all__", "__author__", "__version__"})
CLASS_ATTRIBUTES = frozenset({"__slots__", "__match_args__"})

REFUSED_PREFIXES = ("gi_", "cr_", "ag_", "tb_", "co_", "func_")
REFUSED_ATTRIBUTES = frozenset(
    {
        "f_back",
        "f_builtins",
        "f_code",
        "f_generator",
        "f_globals",
        "f_lasti",
        "f_lineno",
        "f_locals",
        "f_trace",
        "f_trace_lines",
        "f_trace_opcodes",
        "format_map",
        "getbuffer",
        "mro",
    }
)

# Public attributes whose safety depends on the object: read through a guard when the code runs. `format` on a text walks
# attributes, `obj` of an AttributeError can be a module, `register` of an abstract class makes isinstance lie.
GUARDED_ATTRIBUTES = frozenset({"format", "obj", "register"})

NAMEDTUPLE_ATTRIBUTES = frozenset({"_asdict", "_replace", "_fields", "_make", "_field_defaults"})


def is_dunder(name: str) -> bool:
    """`__x__`: the interpreter's own names; `__` alone is a throw-away and `__x` a private name."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def is_refused(name: str) -> bool:
    """Public attribute names that lead into frames, code, buffers or unchecked formatting."""
    return name in REFUSED_ATTRIBUTES or name.startswith(REFUSED_PREFIXES)


def is_plain(name: str) -> bool:
    """A public attribute that is safe to read on whatever object generated code can hold."""
    return not name.startswith("_") and name not in GUARDED_ATTRIBUTES and not is_refused(name)


REVIEWED: frozenset[type[ast.AST]] = frozenset(
    {
        ast.Module,
        # definitions
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Lambda,
        ast.arguments,
        ast.arg,
        ast.Return,
        ast.Yield,
        ast.YieldFrom,
        ast.Await,
        ast.Global,
        ast.Nonlocal,
        # statements
        ast.Assign,
        ast.AnnAssign,
        ast.AugAssign,
        ast.Delete,
        ast.Expr,
        ast.Pass,
        ast.If,
        ast.For,
        ast.AsyncFor,
        ast.While,
        ast.Break,
        ast.Continue,
        ast.With,
        ast.AsyncWith,
        ast.withitem,
        ast.Try,
        ast.TryStar,
        ast.ExceptHandler,
        ast.Raise,
        ast.Assert,
        ast.Import,
        ast.ImportFrom,
        ast.alias,
        # match
        ast.Match,
        ast.match_case,
        ast.MatchValue,
        ast.MatchSingleton,
        ast.MatchSequence,
        ast.MatchMapping,
        ast.MatchClass,
        ast.MatchStar,
        ast.MatchAs,
        ast.MatchOr,
        # expressions
        ast.Constant,
        ast.Name,
        ast.Attribute,
        ast.Subscript,
        ast.Slice,
        ast.Starred,
        ast.NamedExpr,
        ast.List,
        ast.Tuple,
        ast.Set,
        ast.Dict,
        ast.ListComp,
        ast.SetComp,
        ast.DictComp,
        ast.GeneratorExp,
        ast.comprehension,
        ast.JoinedStr,
        ast.FormattedValue,
        ast.Call,
        ast.keyword,
        ast.IfExp,
        ast.BoolOp,
        ast.BinOp,
        ast.UnaryOp,
        ast.Compare,
        # operators and contexts
        *(ast.And, ast.Or, ast.Not, ast.Invert, ast.UAdd, ast.USub),
        *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult),
        *(ast.LShift, ast.RShift, ast.BitOr, ast.BitXor, ast.BitAnd),
        *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn),
        *(ast.Load, ast.Store, ast.Del),
    }
)

MODULE_HINTS = {
    "os": "There is no operating system here; read through `source`.",
    "sys": "Leave it out; raise an exception to say what is wrong.",
    "subprocess": "There are no processes here; read through `source`.",
    "pathlib": "There are no files here; read through `source`.",
    "requests": "Use source.get or source.pages.",
    "httpx": "Use source.get or source.pages.",
    "urllib.request": "Use source.get or source.pages.",
    "sqlite3": "Use source.query, or query(rows, sql) for rows you hold.",
    "duckdb": "Use source.query, or query(rows, sql) for rows you hold.",
    "sqlalchemy": "Use source.query.",
    "pandas": "Use source.query or query(rows, sql), or plain loops with collections and statistics.",
    "polars": "Use source.query or query(rows, sql), or plain loops with collections and statistics.",
    "numpy": "Use math and statistics.",
    "pickle": "Use json.",
    "asyncio": "Write `async def` and `async for`; the sandbox drives them.",
    "threading": "Write a plain loop.",
    "dateutil": "Use datetime.strptime or fromisoformat.",
}

# Constructs that RestrictedPython refuses or guards and that need no check of their own here: what they hold is checked.
TRANSPARENT: frozenset[type[ast.AST]] = frozenset(
    {
        *(ast.Module, ast.Subscript, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith, ast.Await, ast.Try, ast.TryStar),
        *(ast.comprehension, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
        *(ast.Match, ast.match_case, ast.MatchValue, ast.MatchSingleton, ast.MatchSequence, ast.MatchOr),
    }
)


def template_problem(template: str, level: int = 0) -> str:
    """Why this str.format template is not allowed, or "": its fields may only be names and numbers."""
    try:
        for _, field, spec, _ in string.Formatter().parse(template):
            if field and not (field.isdecimal() or field.isidentifier()):
                return f"the format field {field!r} is not a plain name or number"
            problem = template_problem(spec, level + 1) if spec and level < 2 else ""
            if problem:
                return problem
    except ValueError as malformed:
        return f"the format text is malformed: {malformed}"
    return ""
