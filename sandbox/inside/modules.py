"""This file is the modules that a closure may import: facades that show reviewed names only, built when first imported.

A facade holds functions, classes and constants, never a module. It has no `__name__`, because `from x import y` falls
back to the real `sys.modules[x.__name__ + "." + y]` when it has one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from sandbox.policy_rules import is_dunder, is_plain

INFLATED_BYTES = 64 * 1024 * 1024

# Classes that the closure's own code made. Reading private attributes, writing attributes and subclassing are free on them.
OWN_CLASSES: set[type] = set()

SHOWN: dict[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "abc": "ABC abstractmethod",
        "base64": """b64encode b64decode standard_b64encode standard_b64decode urlsafe_b64encode urlsafe_b64decode
            b32encode b32decode b32hexencode b32hexdecode b16encode b16decode a85encode a85decode b85encode b85decode""",
        "binascii": "hexlify unhexlify b2a_hex a2b_hex b2a_base64 a2b_base64 crc32 crc_hqx Error",
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "calendar": """monthrange isleap leapdays weekday timegm monthcalendar month_name month_abbr day_name day_abbr
            MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY""",
        "cmath": "sqrt exp log log10 phase polar rect isclose isfinite isinf isnan sin cos tan pi e tau inf nan",
        "collections": "namedtuple Counter defaultdict OrderedDict deque ChainMap UserDict UserList abc",
        "collections.abc": """Callable Collection Container Generator Hashable ItemsView Iterable Iterator KeysView Mapping
            MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized ValuesView
            AsyncGenerator AsyncIterable AsyncIterator Awaitable Coroutine""",
        "contextlib": "suppress contextmanager asynccontextmanager closing nullcontext ExitStack",
        "copy": "copy deepcopy",
        "csv": """reader writer DictReader DictWriter Sniffer Dialect Error excel excel_tab unix_dialect
            QUOTE_ALL QUOTE_MINIMAL QUOTE_NONNUMERIC QUOTE_NONE""",
        "dataclasses": "dataclass field fields asdict astuple replace is_dataclass KW_ONLY InitVar MISSING FrozenInstanceError",
        "datetime": "date datetime time timedelta timezone tzinfo UTC MINYEAR MAXYEAR",
        "decimal": """Decimal Context getcontext setcontext localcontext DecimalException InvalidOperation DivisionByZero
            DivisionUndefined Inexact Rounded Clamped Overflow Underflow Subnormal FloatOperation
            ROUND_UP ROUND_DOWN ROUND_CEILING ROUND_FLOOR ROUND_HALF_UP ROUND_HALF_DOWN
            ROUND_HALF_EVEN ROUND_05UP""",
        "difflib": "SequenceMatcher Differ get_close_matches ndiff unified_diff context_diff restore IS_LINE_JUNK",
        "enum": "Enum IntEnum StrEnum Flag IntFlag auto unique",
        "fractions": "Fraction",
        "functools": "reduce partial lru_cache cache cached_property cmp_to_key wraps total_ordering",
        "hashlib": """md5 sha1 sha224 sha256 sha384 sha512 blake2b blake2s sha3_224 sha3_256 sha3_384 sha3_512 new""",
        "heapq": "heappush heappop heapify heapreplace heappushpop nlargest nsmallest merge",
        "html": "escape unescape",
        "io": "StringIO BytesIO",
        "ipaddress": """ip_address ip_network ip_interface IPv4Address IPv4Network IPv6Address IPv6Network
            AddressValueError NetmaskValueError summarize_address_range collapse_addresses""",
        "itertools": """accumulate chain combinations combinations_with_replacement compress count cycle dropwhile
            filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest""",
        "json": "dumps loads dump load JSONDecodeError JSONEncoder JSONDecoder",
        "logging": """getLogger basicConfig debug info warning error critical exception log NOTSET DEBUG INFO WARNING ERROR
            CRITICAL Logger""",
        "math": """ceil floor trunc sqrt cbrt isqrt pow exp exp2 expm1 log log2 log10 log1p fabs fmod modf frexp ldexp fsum
            prod gcd lcm comb perm factorial dist hypot sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
            degrees radians isclose isfinite isinf isnan copysign remainder nextafter ulp erf erfc gamma lgamma pi e tau
            inf nan""",
        "numbers": "Number Complex Real Rational Integral",
        "operator": """itemgetter attrgetter methodcaller add sub mul truediv floordiv mod pow neg pos abs and_ or_ xor not_
            invert lshift rshift matmul lt le eq ne gt ge is_ is_not truth contains concat countOf indexOf getitem setitem
            delitem index iadd isub imul itruediv ifloordiv imod iconcat iand ior ixor""",
        "random": """Random seed random uniform randint randrange choice choices sample shuffle gauss normalvariate
            triangular betavariate expovariate getrandbits""",
        "re": """compile match search fullmatch findall finditer sub subn split escape error Pattern Match
            A ASCII I IGNORECASE L LOCALE M MULTILINE S DOTALL U UNICODE X VERBOSE NOFLAG""",
        "statistics": """mean fmean geometric_mean harmonic_mean median median_low median_high median_grouped mode multimode
            quantiles pstdev pvariance stdev variance covariance correlation linear_regression NormalDist StatisticsError""",
        "string": """ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits printable punctuation
            whitespace capwords Template""",
        "struct": "pack unpack calcsize iter_unpack unpack_from pack_into Struct error",
        "textwrap": "wrap fill shorten dedent indent TextWrapper",
        "time": "strftime strptime gmtime struct_time mktime time perf_counter monotonic",
        "typing": """Any Optional Union Literal Final Annotated ClassVar Callable Iterable Iterator Generator Sequence
            Mapping MutableMapping MutableSequence Collection Container Hashable Sized Reversible AsyncIterator AsyncIterable
            AsyncGenerator Awaitable Coroutine AbstractSet List Dict Set FrozenSet Tuple Type DefaultDict OrderedDict
            Counter Deque ChainMap NamedTuple TypedDict Protocol Generic TypeVar TypeAlias NewType NoReturn Never Self
            Text AnyStr SupportsInt SupportsFloat Required NotRequired TypeGuard cast overload runtime_checkable final
            TYPE_CHECKING""",
        "types": "SimpleNamespace MappingProxyType NoneType",
        "unicodedata": """normalize category name lookup combining decimal digit numeric bidirectional east_asian_width
            mirrored decomposition is_normalized unidata_version""",
        "urllib": "parse",
        "urllib.parse": """urlparse urlunparse urlsplit urlunsplit urljoin urldefrag urlencode quote quote_plus
            quote_from_bytes unquote unquote_plus unquote_to_bytes parse_qs parse_qsl""",
        "uuid": "UUID uuid3 uuid5 NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID NAMESPACE_X500",
        "zlib": "compress decompress crc32 adler32 error MAX_WBITS",
        "zoneinfo": "ZoneInfo ZoneInfoNotFoundError available_timezones",
    }.items()
}

# Shared classes written in Python could be altered through their instances' classes; of these a closure may make subclasses.
_BASES = {
    "abc": ("ABC",),
    "collections": ("Counter", "defaultdict", "OrderedDict", "deque", "UserDict", "UserList"),
    "collections.abc": tuple(SHOWN["collections.abc"]),
    "csv": ("Dialect", "excel", "excel_tab", "unix_dialect"),
    "datetime": ("tzinfo", "date", "datetime", "timedelta"),
    "decimal": ("Decimal",),
    "enum": ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"),
    "fractions": ("Fraction",),
    "io": ("StringIO", "BytesIO"),
    "json": ("JSONEncoder", "JSONDecoder"),
    "string": ("Template",),
}

BASE_CLASSES: set[object] = set()
"""Classes of the facades built so far that a closure may subclass; `typing`'s class-like things are added by identity."""

KNOWN_TYPES: set[type] = set()
"""Classes of the facades built so far: what `type(x)` may hand out as they are."""


class Facade:
    """A module as a closure sees it: reviewed names, read-only."""

    def __init__(self) -> None:
        # Calling it again on a facade changes nothing.
        return

    def __getattr__(self, name: str) -> Any:
        shown = vars(self)
        raise AttributeError(f"this module shows no {name!r} here; it has: {', '.join(sorted(shown))}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("modules cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("modules cannot be changed")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("modules cannot be copied")

    def __repr__(self) -> str:
        return "<module>"


_FACADES: dict[str, Facade] = {}


def allowed() -> tuple[str, ...]:
    """Names of the modules that can be imported, sorted."""
    return tuple(sorted(SHOWN))


def facade(name: str) -> Facade:
    """The facade of an allowed module, always the same one. Raises ImportError that names the allowed ones."""
    known = _FACADES.get(name)
    if known is not None:
        return known
    names = SHOWN.get(name)
    if names is None:
        raise ImportError(f"module {name!r} cannot be imported here; allowed are: {', '.join(allowed())}")
    made = Facade()
    special = _SPECIAL.get(name)
    replaced = special() if special else {}
    for shown in names:
        if shown in replaced:
            value = replaced[shown]
        elif f"{name}.{shown}" in SHOWN:
            value = facade(f"{name}.{shown}")
        else:
            value = getattr(importlib.import_module(name), shown)
        vars(made)[shown] = value
        if isinstance(value, type):
            KNOWN_TYPES.add(value)
    BASE_CLASSES.update(vars(made)[base] for base in _BASES.get(name, ()))
    _FACADES[name] = made
    return made


def preload(time_zones: bool = False) -> None:
    """Build every facade, and hold every time zone in memory if asked, so that nothing is read from disk later."""
    for name in SHOWN:
        facade(name)
    for needed in NEEDED_BY_C:
        importlib.import_module(needed)
    if time_zones:
        hold_time_zones()


# C code of these modules imports others by name through the running frame's builtins; it takes the real one from
# sys.modules itself, so what the guarded import hands back can be empty. The policy keeps closures from importing them.
NEEDED_BY_C = frozenset({"_strptime", "time", "unicodedata", "copyreg", "_io", "warnings", "encodings.idna"})


def import_guard(
    name: str, globals: object = None, locals: object = None, fromlist: Iterable[str] | None = (), level: int = 0
) -> Facade:
    """`__import__` for closures: facades only; as the import statement wants it, the top one unless names are taken from it."""
    if type(name) is not str or level:
        raise ImportError("relative imports are not allowed")
    if name not in SHOWN and name in NEEDED_BY_C:
        importlib.import_module(name)
        return Facade()
    wanted = facade(name)
    return wanted if fromlist else facade(name.partition(".")[0])


_ZONES: dict[str, object] = {}


def hold_time_zones(keys: Iterable[str] | None = None) -> int:
    """Keep these time zones (all, if none are given) alive: ZoneInfo then finds them without reading files. Their number."""
    import zoneinfo

    for key in sorted(zoneinfo.available_timezones()) if keys is None else keys:
        if key not in _ZONES:
            _ZONES[key] = zoneinfo.ZoneInfo(key)
    return len(_ZONES)


def check_names(names: Iterable[object], what: str) -> None:
    """Refuse (ValueError) names that are not plain public names."""
    for name in names:
        if type(name) is not str or not is_plain(name):
            raise ValueError(f"{name!r} cannot be a name of {what} here")


def _collections() -> dict[str, object]:
    import collections

    def namedtuple(
        typename: str, field_names: Any, *, rename: bool = False, defaults: Iterable[Any] | None = None
    ) -> type:
        """A new tuple class with named fields."""
        make: Callable[..., type] = collections.namedtuple
        made = make(typename, field_names, rename=rename, defaults=defaults)
        OWN_CLASSES.add(made)
        return made

    return {"namedtuple": namedtuple}


def _dataclasses() -> dict[str, object]:
    import dataclasses

    def own(cls: object) -> type:
        if not isinstance(cls, type) or cls not in OWN_CLASSES:
            raise TypeError("@dataclass is for classes defined in the closure")
        # asdict reads fields by name: on a str that would hand out the unchecked str.format.
        if issubclass(cls, str):
            raise TypeError("a dataclass cannot be a str as well")
        return cls

    def dataclass(cls: object = None, /, **options: Any) -> object:
        """As dataclasses.dataclass."""

        def decorate(target: object) -> type:
            made: type = dataclasses.dataclass(own(target), **options)
            OWN_CLASSES.add(made)
            return made

        return decorate if cls is None else decorate(cls)

    return {"dataclass": dataclass}


def _enum() -> dict[str, object]:
    import enum

    class CheckedType(enum.EnumType):
        """Makes enumerations by call only with plain member names: a dict of members could bring any special method."""

        def __call__(cls, value: object, *rest: Any, **options: Any) -> Any:
            if not rest and not options:
                return super().__call__(value)
            if len(rest) != 1 or options.keys() - {"start"}:
                raise TypeError("enumerations are made with a name and member names; only start= may follow")
            names = rest[0].replace(",", " ").split() if isinstance(rest[0], str) else list(rest[0])
            pairs = [(name, rest[0][name]) if isinstance(rest[0], dict) else name for name in names]
            pairs = [pair if isinstance(pair, str) else tuple(pair) for pair in pairs]
            check_names([pair if isinstance(pair, str) else pair[0] for pair in pairs], "a member")
            made = super().__call__(str(value), pairs, **options)
            OWN_CLASSES.add(made)
            return made

    class Enum(enum.Enum, metaclass=CheckedType):
        """As enum.Enum."""

    class IntEnum(enum.IntEnum, metaclass=CheckedType):
        """As enum.IntEnum."""

    class StrEnum(enum.StrEnum, metaclass=CheckedType):
        """As enum.StrEnum."""

    class Flag(enum.Flag, metaclass=CheckedType):
        """As enum.Flag."""

    class IntFlag(enum.IntFlag, metaclass=CheckedType):
        """As enum.IntFlag."""

    return {"Enum": Enum, "IntEnum": IntEnum, "StrEnum": StrEnum, "Flag": Flag, "IntFlag": IntFlag}


def _functools() -> dict[str, object]:
    import functools
    from types import FunctionType

    def wraps(wrapped: Callable[..., object]) -> Callable[[object], object]:
        """Copy the name and documentation of one function to another."""
        if type(wrapped) is not FunctionType:
            raise TypeError("wraps takes a function")

        def decorate(wrapper: object) -> object:
            if type(wrapper) is not FunctionType:
                raise TypeError("wraps decorates a function")
            wrapper.__name__, wrapper.__doc__ = wrapped.__name__, wrapped.__doc__
            return wrapper

        return decorate

    def total_ordering(cls: type) -> type:
        """As functools.total_ordering."""
        if not isinstance(cls, type) or cls not in OWN_CLASSES:
            raise TypeError("@total_ordering is for classes defined in the closure")
        return functools.total_ordering(cls)

    return {"wraps": wraps, "total_ordering": total_ordering}


def _logging() -> dict[str, object]:
    import logging
    import sys

    levels = {name: getattr(logging, name) for name in ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}

    class Logger:
        """As logging.Logger, as far as writing goes: what is loud enough becomes a line of stderr."""

        __slots__ = ("level", "name")

        def __init__(self, name: str, level: int = logging.WARNING) -> None:
            self.name = str(name)
            self.level = level

        def log(self, level: int, msg: object, *args: object, **options: object) -> None:
            """Write the message, `%` done, at a level."""
            if not self.isEnabledFor(level):
                return
            text = str(msg) % (args[0] if len(args) == 1 and isinstance(args[0], dict) else args) if args else str(msg)
            print(f"{logging.getLevelName(level)}:{self.name}:{text}", file=sys.stderr)

        def debug(self, msg: object, *args: object, **options: object) -> None:
            """Write at DEBUG."""
            self.log(logging.DEBUG, msg, *args)

        def info(self, msg: object, *args: object, **options: object) -> None:
            """Write at INFO."""
            self.log(logging.INFO, msg, *args)

        def warning(self, msg: object, *args: object, **options: object) -> None:
            """Write at WARNING."""
            self.log(logging.WARNING, msg, *args)

        def error(self, msg: object, *args: object, **options: object) -> None:
            """Write at ERROR."""
            self.log(logging.ERROR, msg, *args)

        exception = error

        def critical(self, msg: object, *args: object, **options: object) -> None:
            """Write at CRITICAL."""
            self.log(logging.CRITICAL, msg, *args)

        def setLevel(self, level: int | str) -> None:  # noqa: N802  # logging's own names
            """Write from this level on."""
            self.level = levels[level] if type(level) is str else int(level)

        def isEnabledFor(self, level: int) -> bool:  # noqa: N802
            """Whether this level is written."""
            return level >= self.level

    loggers: dict[str, Logger] = {}
    root = Logger("root")

    def get_logger(name: str | None = None) -> Logger:
        """The logger of that name, always the same one."""
        return root if not name else loggers.setdefault(str(name), Logger(name, root.level))

    def basic_config(*, level: int | str = logging.WARNING, **options: object) -> None:
        """Set the level; formats and files are not taken up."""
        for logger in (root, *loggers.values()):
            logger.setLevel(level)

    writes = {name: getattr(root, name) for name in "debug info warning error critical exception log".split()}
    return {"Logger": Logger, "getLogger": get_logger, "basicConfig": basic_config, **writes}


def _operator() -> dict[str, object]:
    import operator

    def attrgetter(*names: str) -> object:
        """As operator.attrgetter, for plain public names."""
        check_names(
            (part for name in names for part in (name.split(".") if type(name) is str else [name])), "an attribute"
        )
        return operator.attrgetter(*names)

    def methodcaller(name: str, /, *args: object, **keywords: object) -> object:
        """As operator.methodcaller, for plain public names."""
        check_names((name,), "a method")
        return operator.methodcaller(name, *args, **keywords)

    return {"attrgetter": attrgetter, "methodcaller": methodcaller}


def _random() -> dict[str, object]:
    import random

    class Random(random.Random):
        """As random.Random, but a seed has to be given: the same run gives the same records."""

        def __init__(self, seed: Any) -> None:
            super().__init__(self._given(seed))

        @staticmethod
        def _given(seed: Any) -> Any:
            if not isinstance(seed, (int, float, str, bytes)):
                raise TypeError("give Random a seed: a number or a text")
            return seed

        def seed(self, a: Any = None, version: int = 2) -> None:
            """Start again from a given seed."""
            super().seed(self._given(a), version)

    # The functions of the module begin at the same place in every run, too.
    shared = Random(0)
    return {"Random": Random, **{name: getattr(shared, name) for name in SHOWN["random"] - {"Random"}}}


def _types() -> dict[str, object]:
    import types

    class SimpleNamespace(types.SimpleNamespace):
        """As types.SimpleNamespace, without special names: copy.deepcopy would call what an object holds under some of them."""

        __module__ = "types"

        def __init__(self, **fields: Any) -> None:
            special = next((name for name in fields if is_dunder(name)), None)
            if special is not None:
                raise ValueError(f"{special!r} cannot be a name of an attribute here")
            super().__init__(**fields)

        def __repr__(self) -> str:
            return "namespace" + super().__repr__().removeprefix("SimpleNamespace")

    return {"SimpleNamespace": SimpleNamespace}


def _zlib() -> dict[str, object]:
    import zlib

    def decompress(data: bytes, /, wbits: int = zlib.MAX_WBITS, bufsize: int = 0) -> bytes:
        """As zlib.decompress, up to 64 MiB."""
        inflater = zlib.decompressobj(wbits)
        inflated = inflater.decompress(data, INFLATED_BYTES)
        if not inflater.eof:
            # Input left over means that the cap stopped it; none left means that the data ends too early.
            raise zlib.error("larger than 64 MiB" if inflater.unconsumed_tail else "incomplete or truncated data")
        return inflated

    return {"decompress": decompress}


def _zoneinfo() -> dict[str, object]:
    import zoneinfo

    def available_timezones() -> set[str]:
        """Keys of the time zones."""
        return set(_ZONES) or zoneinfo.available_timezones()

    return {"available_timezones": available_timezones}


class Inert:
    """Stands for a typing construct: may be subscripted and joined with `|`, and means nothing when the code runs."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getitem__(self, item: object) -> Inert:
        return self

    def __or__(self, other: object) -> Inert:
        return self

    __ror__ = __or__

    def __call__(self, *args: object, **keywords: object) -> NoReturn:
        raise TypeError("a typing construct cannot be called")

    def __repr__(self) -> str:
        return self._name


def _typing() -> dict[str, object]:
    import abc
    import collections
    import collections.abc
    import typing

    class Structural(abc.ABCMeta):
        """An instance of a protocol is what has all that its body names."""

        def __instancecheck__(cls, instance: object) -> bool:
            if Protocol not in cls.__bases__:
                return super().__instancecheck__(instance)
            wanted = [name for name in vars(cls) if is_plain(name)]
            return all(hasattr(instance, name) for name in wanted)

    class Protocol(metaclass=Structural):
        """Base of protocols: nothing when the code runs."""

        def __class_getitem__(cls, item: object) -> type:
            return cls

    class Generic:
        """Base of generic classes: nothing when the code runs."""

        def __class_getitem__(cls, item: object) -> type:
            return cls

    class TypedDict:
        """Base of dict shapes: calling one gives a plain dict."""

        def __new__(cls, *args: Any, **keywords: Any) -> Any:
            return dict(*args, **keywords)

        def __init_subclass__(cls, total: bool = True) -> None:
            super().__init_subclass__()

    def type_var(name: str, *constraints: object, **options: object) -> Inert:
        return Inert(str(name))

    def new_type(name: str, base: object) -> object:
        return base

    def cast(kind: object, value: object) -> object:
        return value

    def same(value: object) -> object:
        return value

    real_abc = (
        "Callable Iterable Iterator Generator Sequence Mapping MutableMapping MutableSequence Collection Container"
    )
    real_abc += " Hashable Sized Reversible AsyncIterator AsyncIterable AsyncGenerator Awaitable Coroutine"
    made: dict[str, object] = {name: getattr(collections.abc, name) for name in real_abc.split()}
    made |= {"AbstractSet": collections.abc.Set, "List": list, "Dict": dict, "Set": set, "FrozenSet": frozenset}
    made |= {"Tuple": tuple, "DefaultDict": collections.defaultdict, "OrderedDict": collections.OrderedDict}
    made |= {"Counter": collections.Counter, "Deque": collections.deque, "ChainMap": collections.ChainMap, "Text": str}
    made |= {"NamedTuple": typing.NamedTuple, "ClassVar": typing.ClassVar, "TypedDict": TypedDict}
    made |= {"Protocol": Protocol, "Generic": Generic, "TypeVar": type_var, "NewType": new_type, "cast": cast}
    made |= {"overload": same, "runtime_checkable": same, "final": same, "TYPE_CHECKING": False}
    for name in SHOWN["typing"] - made.keys():
        made[name] = Inert(name)
    BASE_CLASSES.update({Protocol, Generic, TypedDict, typing.NamedTuple})
    return made


_SPECIAL: dict[str, Callable[[], dict[str, object]]] = {
    "collections": _collections,
    "dataclasses": _dataclasses,
    "enum": _enum,
    "functools": _functools,
    "logging": _logging,
    "operator": _operator,
    "random": _random,
    "types": _types,
    "typing": _typing,
    "zlib": _zlib,
    "zoneinfo": _zoneinfo,
}
