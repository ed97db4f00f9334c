"""Ordinary programs that models write: each passes the policy and gives the right records when really run."""

# ruff: noqa: E501  # one line of a program shows many constructs at once

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.inside.guards import namespace
from sandbox.policy import compile_closure, findings_of, parameters_of


class SourceError(Exception):
    """What a refused call raises inside."""


ROWS: list[dict[str, Any]] = [
    {
        "id": 1,
        "customer": "Ada",
        "total": Decimal("120.50"),
        "city": "Berlin",
        "day": date(2024, 1, 3),
        "tags": ["a", "b"],
    },
    {"id": 2, "customer": "Bob", "total": Decimal("80.00"), "city": "Paris", "day": date(2024, 1, 9), "tags": []},
    {"id": 3, "customer": "Ada", "total": Decimal("30.25"), "city": "Berlin", "day": date(2024, 2, 1), "tags": ["b"]},
    {"id": 4, "customer": "Cy", "total": None, "city": None, "day": date(2024, 2, 2), "tags": ["c"]},
]


class Source:
    """A source handle over a few rows."""

    def query(self, sql: str, params: object = ()) -> Iterator[dict[str, Any]]:
        """The rows, whatever is asked; SourceError for a table called missing."""
        if "missing" in sql:
            raise SourceError("no such table")
        return iter([dict(row) for row in ROWS])

    async def records(self) -> AsyncIterator[dict[str, Any]]:
        """The rows as a stream."""
        for row in ROWS:
            yield dict(row)

    def lines(self) -> Iterator[str]:
        """Three lines of a log."""
        yield from ("2024-01-03 INFO start x=1", "2024-01-03 ERROR failed x=2", "nonsense")


def run(code: str, **parameters: object) -> list[Any]:
    """Compile, run and collect."""
    space = namespace({"query": lambda rows, sql: list(rows), "SourceError": SourceError})
    exec(compile_closure(code), space)
    answer = space["closure"](Source(), **parameters)

    async def collect(stream: AsyncIterator[Any]) -> list[Any]:
        return [record async for record in stream]

    async def awaited(coroutine: Any) -> list[Any]:
        return list(await coroutine)

    if inspect.isasyncgen(answer):
        return asyncio.run(collect(answer))
    return asyncio.run(awaited(answer)) if inspect.iscoroutine(answer) else list(answer)


BENIGN: dict[str, tuple[str, list[Any]]] = {
    "plain loop": (
        """
def closure(source):
    for row in source.query('x'):
        yield {'id': row['id']}
""",
        [{"id": n} for n in (1, 2, 3, 4)],
    ),
    "augmented item": (
        """
def closure(source):
    counts = {}
    for row in source.query('x'):
        counts.setdefault(row['customer'], 0)
        counts[row['customer']] += 1
    yield counts
""",
        [{"Ada": 2, "Bob": 1, "Cy": 1}],
    ),
    "augmented everything": (
        """
def closure(source):
    n = 2
    n += 3; n -= 1; n *= 6; n //= 2; n %= 7; n **= 3; n <<= 2; n >>= 1; n |= 1; n &= 255; n ^= 3
    f = 9.0
    f /= 2
    xs = [1]
    xs += [2]
    xs[0] -= 5
    yield n, f, xs
""",
        [(((((((2 + 3 - 1) * 6) // 2) % 7) ** 3 << 2 >> 1 | 1) & 255) ^ 3, 4.5, [-4, 2])],
    ),
    "augmented own attribute": (
        """
def closure(source):
    class C:
        n = 0
    c = C()
    for _ in range(3):
        c.n += 2
    yield c.n
""",
        [6],
    ),
    "nonlocal": (
        """
def closure(source):
    total = 0
    def add(n):
        nonlocal total
        total += n
    for n in range(4):
        add(n)
    yield total
""",
        [6],
    ),
    "global counter": (
        """
seen = 0
def closure(source):
    global seen
    for _ in source.query('x'):
        seen += 1
    yield seen
""",
        [4],
    ),
    "annotations": (
        """
from __future__ import annotations
from typing import Iterator
LIMIT: int = 2

def head(rows: list[Unknown], n: 'int | None' = LIMIT) -> Iterator[dict[str, object]]:
    count: int = 0
    later: str
    for row in rows:
        if count == n:
            return
        count += 1
        yield row['id']

def closure(source) -> Iterator[dict]:
    yield from head(source.query('x'))
""",
        [1, 2],
    ),
    "keyword parameters": (
        """
from decimal import Decimal
def closure(source, *, minimum: Decimal = Decimal(100), city: str | None = None):
    for row in source.query('x', [minimum]):
        if row['total'] and row['total'] >= minimum:
            yield row['id']
""",
        [1],
    ),
    "match values and sequences": (
        """
def closure(source):
    def kind(v):
        match v:
            case None: return 'none'
            case 0 | 1: return 'bit'
            case int(n) if n < 0: return 'negative'
            case str() as s: return s.upper()
            case [first, *rest]: return (first, rest)
            case {'k': k, **more}: return (k, more)
            case _: return '?'
    for v in (None, 1, -3, 'x', [1, 2, 3], {'k': 1, 'z': 2}, 5.0):
        yield kind(v)
""",
        ["none", "bit", "negative", "X", (1, [2, 3]), (1, {"z": 2}), "?"],
    ),
    "match class attributes": (
        """
from dataclasses import dataclass
@dataclass
class P:
    x: int
    y: int = 0

def closure(source):
    for p in (P(0), P(1, 2), P(3, 0)):
        match p:
            case P(x=0): yield 'origin'
            case P(x, y=2): yield x
            case P(x, y): yield x, y
""",
        ["origin", 1, (3, 0)],
    ),
    "match_args of one's own": (
        """
def closure(source):
    class P:
        __match_args__ = ('x', 'y')
        def __init__(self, x, y):
            self.x, self.y = x, y
    match P(1, 2):
        case P(a, b):
            yield a + b
""",
        [3],
    ),
    "generators": (
        """
def closure(source):
    def evens(xs):
        for x in xs:
            if x % 2 == 0:
                yield x
    yield from evens(range(5))
    yield sum(x*x for x in evens(range(5)))
""",
        [0, 2, 4, 20],
    ),
    "generator send": (
        """
def closure(source):
    def echo():
        got = yield 'ready'
        while True:
            got = yield got * 2
    g = echo()
    yield next(g)
    yield g.send(4)
    g.close()
""",
        ["ready", 8],
    ),
    "async generator": (
        """
async def closure(source):
    async for row in source.records():
        if row['city'] == 'Berlin':
            yield row['id']
""",
        [1, 3],
    ),
    "async comprehension": (
        """
async def closure(source):
    ids = [row['id'] async for row in source.records() if row['total']]
    for i in ids:
        yield i
""",
        [1, 2, 3],
    ),
    "async helper": (
        """
async def load(source):
    return {r['id']: r async for r in source.records()}

async def closure(source):
    rows = await load(source)
    return [{'n': len(rows)}]
""",
        [{"n": 4}],
    ),
    "async with": (
        """
class Scope:
    async def __aenter__(self):
        return 5
    async def __aexit__(self, *exc):
        return False

async def closure(source):
    async with Scope() as n:
        yield n
""",
        [5],
    ),
    "async iterator class": (
        """
class Count:
    def __init__(self): self.n = 0
    def __aiter__(self): return self
    async def __anext__(self):
        self.n += 1
        if self.n > 2: raise StopAsyncIteration
        return self.n

async def closure(source):
    async for n in Count():
        yield n
""",
        [1, 2],
    ),
    "try else finally": (
        """
def closure(source):
    notes = []
    for text in ('1', 'x'):
        try:
            n = int(text)
        except (ValueError, TypeError) as error:
            notes.append(f"{type(error).__name__}: {error}")
        else:
            notes.append(n)
        finally:
            notes.append('done')
    yield notes
""",
        [[1, "done", "ValueError: invalid literal for int() with base 10: 'x'", "done"]],
    ),
    "bare except": (
        """
def closure(source):
    try:
        1 / 0
    except:
        yield 'caught'
""",
        ["caught"],
    ),
    "raise from": (
        """
def closure(source):
    try:
        try:
            {}['a']
        except KeyError as e:
            raise ValueError('no a') from e
    except ValueError as e:
        yield str(e), e.args
""",
        [("no a", ("no a",))],
    ),
    "exception group": (
        """
def closure(source):
    try:
        raise ExceptionGroup('g', [ValueError('a'), KeyError('b')])
    except* ValueError as g:
        yield [str(e) for e in g.exceptions]
    except* KeyError:
        yield 'key'
""",
        [["a"], "key"],
    ),
    "own exception": (
        """
def closure(source):
    class Bad(ValueError):
        def __init__(self, row):
            super().__init__(f'bad {row}')
            self.row = row
    try:
        raise Bad(3)
    except Bad as e:
        yield e.row, str(e)
""",
        [(3, "bad 3")],
    ),
    "source error": (
        """
def closure(source):
    try:
        list(source.query('select * from missing'))
    except SourceError as error:
        yield {'error': str(error), 'kind': type(error).__name__}
""",
        [{"error": "no such table", "kind": "SourceError"}],
    ),
    "walrus": (
        """
def closure(source):
    rows = source.query('x')
    while (row := next(rows, None)) is not None:
        if (n := row['id']) > 2:
            yield n
""",
        [3, 4],
    ),
    "star unpacking": (
        """
def closure(source):
    first, *middle, last = [1, 2, 3, 4]
    yield [first, *middle, *(5, 6)], {**{'a': 1}, 'b': last}
    for a, (b, *c) in [(1, (2, 3, 4))]:
        yield a, b, c
""",
        [([1, 2, 3, 5, 6], {"a": 1, "b": 4}), (1, 2, [3, 4])],
    ),
    "star calls": (
        """
def closure(source):
    def f(a, b=2, *rest, key=0, **more):
        return a, b, rest, key, more
    yield f(*[1, 2, 3], key=4, **{'z': 5})
    yield max(*[1, 5, 2])
""",
        [(1, 2, (3,), 4, {"z": 5}), 5],
    ),
    "nested class": (
        """
def closure(source):
    class Stack:
        class Empty(Exception):
            pass
        def __init__(self, items=()):
            self._items = list(items)
        def push(self, item):
            self._items.append(item)
            return self
        def pop(self):
            if not self._items:
                raise Stack.Empty('empty')
            return self._items.pop()
        def __len__(self):
            return len(self._items)
        def __iter__(self):
            return iter(self._items)
        def __getitem__(self, i):
            return self._items[i]
        def __repr__(self):
            return f'{self.__class__.__name__}({self._items!r})'
        def __eq__(self, other):
            return self._items == other._items
        def __lt__(self, other):
            return len(self) < len(other)
        def __contains__(self, x):
            return x in self._items
    s = Stack([1]).push(2)
    yield len(s), list(s), s[0], repr(s), s == Stack([1, 2]), s < Stack(), 2 in s
    s.pop(); s.pop()
    try:
        s.pop()
    except Stack.Empty as e:
        yield str(e)
""",
        [(2, [1, 2], 1, "Stack([1, 2])", True, False, True), "empty"],
    ),
    "double underscore private": (
        """
def closure(source):
    class Account:
        __count = 0
        def __init__(self):
            self.__balance = 0
            Account.__count += 1
        def add(self, n):
            self.__balance += n
            return self.__balance
        def count(self):
            return Account.__count
    a = Account()
    yield a.add(5), a.count()
""",
        [(5, 1)],
    ),
    "iterator class": (
        """
def closure(source):
    class Up:
        def __init__(self, n): self.i, self.n = 0, n
        def __iter__(self): return self
        def __next__(self):
            if self.i >= self.n: raise StopIteration
            self.i += 1
            return self.i
    yield list(Up(3))
""",
        [[1, 2, 3]],
    ),
    "context manager class": (
        """
def closure(source):
    log = []
    class Timer:
        def __enter__(self):
            log.append('in')
            return self
        def __exit__(self, kind, error, trace):
            log.append(kind.__name__ if kind else 'out')
            return kind is ValueError
    with Timer() as t, Timer():
        raise ValueError('x')
    yield log
""",
        [["in", "in", "ValueError", "out"]],
    ),
    "inheritance": (
        """
def closure(source):
    class A:
        def __init__(self, n): self.n = n
        def area(self): return 0
        def _helper(self): return 1
    class B(A):
        def __init__(self, n):
            super().__init__(n)
            self.m = n * 2
        def area(self): return super().area() + super()._helper() + self.m
    yield B(2).area(), isinstance(B(1), A), issubclass(B, A)
""",
        [(5, True, True)],
    ),
    "property and friends": (
        """
def closure(source):
    class T:
        def __init__(self, c): self._c = c
        @property
        def f(self): return self._c * 9 / 5 + 32
        @f.setter
        def f(self, v): self._c = (v - 32) * 5 / 9
        @staticmethod
        def zero(): return T(0)
        @classmethod
        def of(cls, c): return cls(c)
    t = T.of(100)
    t.f = 32
    yield t.f, T.zero().f
""",
        [(32.0, 32.0)],
    ),
    "dict subclass": (
        """
def closure(source):
    class D(dict):
        def __missing__(self, key): return key * 2
    yield D(a=1)['bb'], D(a=1)['a']
""",
        [("bbbb", 1)],
    ),
    "slots": (
        """
def closure(source):
    class P:
        __slots__ = ('x', '_y')
        def __init__(self): self.x, self._y = 1, 2
    yield P().x
""",
        [1],
    ),
    "operators": (
        """
def closure(source):
    class V:
        def __init__(self, x): self.x = x
        def __add__(self, o): return V(self.x + o.x)
        def __mul__(self, k): return V(self.x * k)
        def __bool__(self): return self.x != 0
        def __hash__(self): return hash(self.x)
        def __eq__(self, o): return self.x == o.x
        def __call__(self): return self.x
        def __str__(self): return f'<{self.x}>'
    yield str(V(1) + V(2) * 3), bool(V(0)), len({V(1), V(1)}), V(4)()
""",
        [("<7>", False, 1, 4)],
    ),
    "dataclass": (
        """
import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar, Optional

@dataclass(order=True)
class Item:
    name: str
    price: float = 0.0
    tags: list[str] = field(default_factory=list)
    parent: 'Item | None' = None
    note: Optional[str] = None
    kind: ClassVar[str] = 'item'
    _cost: int = 3
    def __post_init__(self):
        self.name = self.name.title()
    @property
    def total(self): return self.price + self._cost

@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2

def closure(source):
    a, b = Item('b', 2.0), Item('a', 1.0, ['t'])
    yield [i.name for i in sorted([a, b])]
    yield dataclasses.asdict(b)
    yield a.total, Item.kind, [f.name for f in dataclasses.fields(Point)]
    yield dataclasses.replace(Point(1), y=5), Point(1) == Point(1), {f.name: f.type('7') for f in dataclasses.fields(Point)}
""",
        [],
    ),
    "namedtuple": (
        """
from collections import namedtuple
from typing import NamedTuple
Row = namedtuple('Row', 'id name')
class P(NamedTuple):
    x: int
    y: int = 0
    def total(self): return self.x + self.y

def closure(source):
    r = Row(1, 'a')
    yield r._asdict(), r._replace(id=2).id, Row._fields, Row._make([3, 'c']).name
    yield P(1, 2).total(), P(5)._asdict()
""",
        [({"id": 1, "name": "a"}, 2, ("id", "name"), "c"), (3, {"x": 5, "y": 0})],
    ),
    "typed dict": (
        """
from typing import TypedDict
class Row(TypedDict, total=False):
    id: int

def closure(source):
    row: Row = {'id': 1}
    yield row
    yield Row(id=2)
""",
        [{"id": 1}, {"id": 2}],
    ),
    "protocol and generic": (
        """
from typing import Protocol, Generic, TypeVar, cast
T = TypeVar('T')
class Named(Protocol):
    name: str
class Box(Generic[T]):
    def __init__(self, v: T): self.v = v

def closure(source):
    yield cast('int', Box[int](3).v)
""",
        [3],
    ),
    "enum": (
        """
from enum import Enum, IntEnum, Flag, auto
class Level(Enum):
    LOW = 'low'
    HIGH = 'high'
    @property
    def rank(self): return 1 if self is Level.LOW else 2
class N(IntEnum):
    A = 1
    B = 2
class F(Flag):
    X = auto()
    Y = auto()

def closure(source):
    yield Level('low').name, Level['HIGH'].value, [m.rank for m in Level], N.B > N.A, (F.X | F.Y).value
    E = Enum('E', 'RED GREEN')
    yield [e.name for e in E]
""",
        [("LOW", "high", [1, 2], True, 3), ["RED", "GREEN"]],
    ),
    "fstrings": (
        r"""
def closure(source):
    w, p, x, name = 8, 2, 3.14159, 'a\'b'
    yield f'{x:{w}.{p}f}|{name!r}|{name!s:>5}|{1_000_000:,}|{x=:.1f}|{{}}'
    d = {'k': [1, 2]}
    yield f"{d['k'][1]:03d} {'y' if d else 'n'} {len(d['k'])}"
""",
        ["    3.14|\"a'b\"|  a'b|1,000,000|x=3.1|{}", "002 y 2"],
    ),
    "literal format": (
        """
def closure(source):
    yield '{} {:>4} {name!r} {0}'.format(1, 2, name='x') if False else '{} {:>4} {name!r}'.format(1, 2, name='x')
""",
        ["1    2 'x'"],
    ),
    "format by variable": (
        """
def closure(source):
    template = '/page/{n}?size={size:03d}'
    yield template.format(n=2, size=5)
    yield ', '.join(map('{:.2f}'.format, [1, 2.5]))
    yield '{:>{w}}'.format('a', w=3)
""",
        ["/page/2?size=005", "1.00, 2.50", "  a"],
    ),
    "percent format": (
        """
def closure(source):
    yield '%s has %d (%.1f%%)' % ('a', 3, 12.5)
    yield '%(a)s' % {'a': 1}
""",
        ["a has 3 (12.5%)", "1"],
    ),
    "own format method": (
        """
def closure(source):
    class Money:
        def format(self): return '1 EUR'
        def __format__(self, spec): return 'm' + spec
    yield Money().format(), f'{Money():x}', format(3.14159, '.2f')
""",
        [("1 EUR", "mx", "3.14")],
    ),
    "lambda and sort keys": (
        """
def closure(source):
    rows = list(source.query('x'))
    rows.sort(key=lambda r: (r['total'] is None, -(r['total'] or 0)))
    yield [r['id'] for r in rows]
    yield max(rows, key=lambda r: r['day'])['id'], sorted('bA', key=str.lower)
""",
        [[1, 2, 3, 4], (4, ["A", "b"])],
    ),
    "comprehensions": (
        """
def closure(source):
    xs = [[1, 2], [3]]
    yield [y for x in xs for y in x if y != 2], {k: v for k, v in zip('ab', [1, 2])}, {x % 2 for x in range(4)}, any(x > 2 for x in range(4)), all([])
""",
        [([1, 3], {"a": 1, "b": 2}, {0, 1}, True, True)],
    ),
    "grouping": (
        """
from collections import defaultdict, Counter
from itertools import groupby
from operator import itemgetter

def closure(source):
    groups = defaultdict(list)
    for row in source.query('x'):
        groups[row['customer']].append(row['total'] or 0)
    yield {k: float(sum(v)) for k, v in groups.items()}
    c = Counter(r['city'] for r in source.query('x'))
    yield c.most_common(1), c['Rome']
    rows = sorted(source.query('x'), key=itemgetter('customer'))
    yield [(k, len(list(g))) for k, g in groupby(rows, key=itemgetter('customer'))]
""",
        [{"Ada": 150.75, "Bob": 80.0, "Cy": 0.0}, ([("Berlin", 2)], 0), [("Ada", 2), ("Bob", 1), ("Cy", 1)]],
    ),
    "counter class grown": (
        """
def closure(source):
    from collections import Counter, OrderedDict, deque
    class C(Counter):
        def top(self): return self.most_common(1)[0][0]
    d = deque(maxlen=2)
    d.extend([1, 2, 3])
    yield C('aab').top(), list(d), list(OrderedDict(a=1))
""",
        [("a", [2, 3], ["a"])],
    ),
    "dates": (
        """
from datetime import datetime, date, timedelta, timezone
import datetime as dt

def closure(source):
    d = datetime.strptime('2024-03-01 10:30', '%Y-%m-%d %H:%M')
    yield d.strftime('%d.%m.%Y'), (d - timedelta(days=1)).date().isoformat(), d.replace(tzinfo=timezone.utc).timestamp()
    yield date.fromisoformat('2024-02-29').weekday(), dt.datetime(2024, 1, 1).isocalendar().week, dt.date(2024, 1, 1).strftime('%A')
""",
        [("01.03.2024", "2024-02-29", datetime.fromisoformat("2024-03-01T10:30+00:00").timestamp()), (3, 1, "Monday")],
    ),
    "time zones": (
        """
from zoneinfo import ZoneInfo
from datetime import datetime

def closure(source):
    t = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo('UTC')).astimezone(ZoneInfo('Europe/Berlin'))
    yield t.hour, t.utcoffset().total_seconds()
""",
        [(14, 7200.0)],
    ),
    "calendar and time": (
        """
import calendar, time

def closure(source):
    yield calendar.monthrange(2024, 2)[1], calendar.month_name[3], time.strptime('2024', '%Y').tm_year, time.strftime('%Y', time.gmtime(0))
""",
        [(29, "March", 2024, "1970")],
    ),
    "decimal": (
        """
from decimal import Decimal, ROUND_HALF_UP, getcontext, localcontext, InvalidOperation

def money(text):
    try:
        return Decimal(text.replace('.', '').replace(',', '.')).quantize(Decimal('0.01'), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return None

def closure(source):
    getcontext().prec = 28
    with localcontext() as ctx:
        ctx.prec = 5
        third = Decimal(1) / 3
    yield str(money('1.234,505')), money('x'), str(third), type(third) is Decimal
""",
        [("1234.51", None, "0.33333", True)],
    ),
    "numbers": (
        """
import math, statistics
from fractions import Fraction

def closure(source):
    xs = [1, 2, 2, 5]
    yield math.isclose(math.sqrt(2) ** 2, 2), math.prod(xs), statistics.median(xs), statistics.mode(xs), round(statistics.stdev(xs), 3), Fraction(1, 3) + Fraction(1, 6) == Fraction(1, 2), divmod(7, 2), pow(2, 10, 1000), abs(-3), round(2.567, 1)
""",
        [(True, 20, 2.0, 2, 1.732, True, (3, 1), 24, 3, 2.6)],
    ),
    "itertools and functools": (
        """
import itertools, functools
from functools import lru_cache, reduce, partial

@lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)

def closure(source):
    yield fib(30), list(itertools.chain([1], [2])), list(itertools.islice(itertools.count(5), 2)), list(itertools.pairwise('abc')), reduce(lambda a, b: a * b, [1, 2, 3]), partial(pow, 2)(3), list(itertools.accumulate([1, 2, 3]))
    yield sorted([3, 1], key=functools.cmp_to_key(lambda a, b: a - b)), hasattr(itertools, 'sys')
""",
        [(832040, [1, 2], [5, 6], [("a", "b"), ("b", "c")], 6, 8, [1, 3, 6]), ([1, 3], False)],
    ),
    "decorators of one's own": (
        """
import functools

def noted(label):
    def wrap(f):
        @functools.wraps(f)
        def inner(*args, **kw):
            inner.calls += 1
            return label, f(*args, **kw)
        inner.calls = 0
        return inner
    return wrap

@noted('x')
def double(n):
    'Twice.'
    return n * 2

def closure(source):
    yield double(4), double.__name__, double.calls, double.__doc__
""",
        [(("x", 8), "double", 1, "Twice.")],
    ),
    "total ordering and cached property": (
        """
from functools import total_ordering, cached_property

@total_ordering
class V:
    def __init__(self, t): self.t = t
    def __eq__(self, o): return self.t == o.t
    def __lt__(self, o): return self.t < o.t
    @cached_property
    def parts(self): return self.t.split('.')

def closure(source):
    yield V('2') >= V('1'), V('1.2').parts
""",
        [(True, ["1", "2"])],
    ),
    "context managers": (
        """
import contextlib
from contextlib import contextmanager, suppress

@contextmanager
def section(log, name):
    log.append(f'<{name}>')
    try:
        yield name
    finally:
        log.append(f'</{name}>')

def closure(source):
    log = []
    with section(log, 'a') as a, contextlib.ExitStack() as stack:
        stack.callback(log.append, 'cb')
        with suppress(KeyError):
            {}['x']
    yield a, log
""",
        [("a", ["<a>", "cb", "</a>"])],
    ),
    "regular expressions": (
        r"""
import re
PATTERN = re.compile(r'(?P<day>\S+) (?P<level>[A-Z]+) (?P<text>.*)', re.IGNORECASE)

def closure(source):
    for line in source.lines():
        if m := PATTERN.match(line):
            yield {**m.groupdict(), 'x': int(re.search(r'x=(\d+)', line).group(1)), 'end': m.end('level')}
    yield re.sub(r'\d', lambda m: str(int(m[0]) + 1), 'a1b2'), re.split(r'[,;]\s*', 'a, b;c'), re.findall(r'\w', 'a b', flags=re.M | re.S)
""",
        [
            {"day": "2024-01-03", "level": "INFO", "text": "start x=1", "x": 1, "end": 15},
            {"day": "2024-01-03", "level": "ERROR", "text": "failed x=2", "x": 2, "end": 16},
            ("a2b3", ["a", "b", "c"], ["a", "b"]),
        ],
    ),
    "json": (
        """
import json
from json import JSONDecodeError

class Encoder(json.JSONEncoder):
    def default(self, o):
        return str(o)

def closure(source):
    yield json.loads('{"a": [1, null]}'), json.dumps({'b': 1, 'a': source is None}, sort_keys=True, indent=None), json.dumps([1 + 2j], cls=Encoder)
    try:
        json.loads('{')
    except JSONDecodeError as e:
        yield e.pos, e.msg[:9]
    yield json.loads('1.10', parse_float=str), json.dumps({'d': {1}}, default=list)
""",
        [({"a": [1, None]}, '{"a": false, "b": 1}', '["(1+2j)"]'), (1, "Expecting"), ("1.10", '{"d": [1]}')],
    ),
    "csv and io": (
        r"""
import csv, io
from io import StringIO

def closure(source):
    for row in csv.DictReader(StringIO('a;b\n1;"x;y"\n'), delimiter=';'):
        yield row
    out = io.StringIO()
    w = csv.DictWriter(out, fieldnames=['a', 'b'], quoting=csv.QUOTE_ALL, lineterminator='\n')
    w.writeheader()
    w.writerow({'a': 1, 'b': 2})
    yield out.getvalue(), io.BytesIO(b'abc').read(2), list(csv.reader(['a,b']))
""",
        [{"a": "1", "b": "x;y"}, ('"a","b"\n"1","2"\n', b"ab", [["a", "b"]])],
    ),
    "encodings": (
        """
import base64, hashlib, html, struct, zlib, uuid, unicodedata
from urllib.parse import urlparse, urlencode, quote, parse_qs, urljoin

def closure(source):
    yield base64.b64decode(base64.b64encode(b'hi')).decode('ascii'), hashlib.sha256(b'x').hexdigest()[:8], html.unescape('&amp;'), struct.unpack('<IH', struct.pack('<IH', 1, 2)), zlib.decompress(zlib.compress(b'zz')), str(uuid.uuid5(uuid.NAMESPACE_DNS, 'a'))[:8], unicodedata.normalize('NFKD', 'é')[0]
    u = urlparse('https://a.b/c?x=1&x=2')
    yield u.netloc, parse_qs(u.query), urlencode({'q': 'a b'}), quote('ü'), urljoin('http://a/b/', 'c'), u._replace(query='').geturl()
""",
        [
            ("hi", "2d711642", "&", (1, 2), b"zz", "4f3f2898", "e"),
            ("a.b", {"x": ["1", "2"]}, "q=a+b", "%C3%BC", "http://a/b/c", "https://a.b/c"),
        ],
    ),
    "text": (
        r"""
import textwrap, string, difflib

def closure(source):
    w = textwrap.TextWrapper()
    w.width = 5
    yield textwrap.dedent('  a\n  b'), textwrap.shorten('hello big world', 11, placeholder='...'), string.capwords('a b'), string.Template('$x!').substitute(x=1), difflib.get_close_matches('appel', ['apple', 'pear']), w.wrap('ab cd ef')
    yield 'a,b'.partition(','), 'x'.join('ab'), 'Straße'.casefold(), '1_0'.isdecimal(), str.maketrans('a', 'b'), 'a b'.translate({32: None}), 'é'.encode('utf-8').hex(), bytes.fromhex('ff')[0], bytearray(b'a')[0]
""",
        [
            ("a\nb", "hello...", "A B", "1!", ["apple"], ["ab cd", "ef"]),
            (("a", ",", "b"), "axb", "strasse", False, {97: 98}, "ab", "c3a9", 255, 97),
        ],
    ),
    "heaps and bisection": (
        """
import heapq, bisect, random, copy

def closure(source):
    h = [3, 1, 2]
    heapq.heapify(h)
    heapq.heappush(h, 0)
    xs = [1, 3]
    bisect.insort(xs, 2)
    rng = random.Random(42)
    a = {'x': [1]}
    b = copy.deepcopy(a)
    b['x'].append(2)
    yield heapq.heappop(h), heapq.nlargest(2, [5, 1, 9]), xs, rng.randint(1, 1), rng.sample([7], 1), a, b
""",
        [(0, [9, 5], [1, 2, 3], 1, [7], {"x": [1]}, {"x": [1, 2]})],
    ),
    "builtins": (
        """
def closure(source):
    yield list(enumerate('ab', 1)), list(reversed([1, 2])), sorted({3, 1}), list(map(int, '12')), list(filter(None, [0, 1])), ord('a'), chr(98), hex(255), bin(2), oct(8), repr('x'), callable(len), bytes([65]), frozenset([1]) == {1}, isinstance(True, (int, str)), iter([1]).__class__.__name__, type(3).__name__, type([]) is list, slice(1, 2).start, complex(1, 2).imag, hash(1), bool([]), ascii('é')
    n = iter([1, 2])
    yield next(n), next(n), next(n, None), list(zip([1], [2], strict=True)), tuple(iter(lambda: 0, 0))
""",
        [
            (
                [(1, "a"), (2, "b")],
                [2, 1],
                [1, 3],
                [1, 2],
                [1],
                97,
                "b",
                "0xff",
                "0b10",
                "0o10",
                "'x'",
                True,
                b"A",
                True,
                True,
                "list_iterator",
                "int",
                True,
                1,
                2.0,
                1,
                False,
                "'\\xe9'",
            ),
            (1, 2, None, [(1, 2)], ()),
        ],
    ),
    "getattr and setattr": (
        """
def closure(source):
    class A: pass
    a = A()
    for name in ('x', 'y', '_z'):
        setattr(a, name, name * 2)
    yield [getattr(a, n, None) for n in ('x', 'nope', '_z')], hasattr(a, 'y'), hasattr(a, 'q'), getattr(3, 'real')
    del a.x
    yield hasattr(a, 'x'), isinstance(A, type), isinstance(a, type)
""",
        [(["xx", None, "_z_z"], True, False, 3), (False, True, False)],
    ),
    "attribute keys": (
        """
from operator import attrgetter, methodcaller
class P:
    def __init__(self, n): self.n, self.q = n, self
    def twice(self): return self.n * 2

def closure(source):
    ps = sorted([P(2), P(1)], key=attrgetter('n'))
    yield [p.n for p in ps], attrgetter('q.n', 'n')(ps[0]), methodcaller('twice')(ps[1])
""",
        [([1, 2], (1, 1), 4)],
    ),
    "private helpers": (
        """
_CACHE = {}
__version = 1

def _clean(text):
    return (text or '').strip().lower()

class _Row:
    pass

def closure(source):
    _ = [_CACHE.setdefault(r['id'], _clean(r['city'])) for r in source.query('x')]
    yield _CACHE
""",
        [{1: "berlin", 2: "paris", 3: "berlin", 4: ""}],
    ),
    "shadowed builtins": (
        """
def closure(source):
    for row in source.query('x'):
        id, type, format, list = row['id'], 'k', 'f', [1]
        yield id
        break
""",
        [1],
    ),
    "main guard": (
        """
def closure(source):
    yield 1

if __name__ == '__main__':
    print(list(closure(None)))
""",
        [1],
    ),
    "while else break continue": (
        """
def closure(source):
    n = 0
    while n < 5:
        n += 1
        if n == 2: continue
        if n == 4: break
    else:
        yield 'never'
    for x in []: pass
    else:
        yield n
    assert n == 4, 'n'
    pass
    del n
""",
        [4],
    ),
    "flattening": (
        """
def closure(source):
    def flat(value, prefix=''):
        if isinstance(value, dict):
            for k, v in value.items():
                yield from flat(v, f'{prefix}{k}.')
        elif isinstance(value, list):
            for i, v in enumerate(value):
                yield from flat(v, f'{prefix}{i}.')
        else:
            yield prefix[:-1], value
    yield dict(flat({'a': {'b': [1, {'c': 2}]}}))
""",
        [{"a.b.0": 1, "a.b.1.c": 2}],
    ),
    "tags exploded": (
        """
def closure(source):
    for row in source.query('x'):
        for tag in row['tags'] or [None]:
            yield row['id'], tag
""",
        [(1, "a"), (1, "b"), (2, None), (3, "b"), (4, "c")],
    ),
    "top per group": (
        """
def closure(source):
    best = {}
    for row in source.query('x'):
        key, total = row['customer'], row['total']
        if total is not None and (key not in best or total > best[key]['total']):
            best[key] = row
    for key in sorted(best):
        yield {'customer': key, 'id': best[key]['id']}
""",
        [{"customer": "Ada", "id": 1}, {"customer": "Bob", "id": 2}],
    ),
    "months": (
        """
def closure(source):
    months = {}
    for row in source.query('x'):
        month = row['day'].strftime('%Y-%m')
        months[month] = months.get(month, 0) + (row['total'] or 0)
    yield from ({'month': m, 'total': str(t)} for m, t in months.items())
""",
        [{"month": "2024-01", "total": "200.50"}, {"month": "2024-02", "total": "30.25"}],
    ),
    "join by hand": (
        """
def closure(source):
    left = {r['id']: r for r in source.query('x')}
    right = [{'id': 1, 'z': 'q'}, {'id': 9, 'z': 'w'}]
    yield [{**left[r['id']], **r}['z'] for r in right if r['id'] in left]
""",
        [["q"]],
    ),
    "deduplication": (
        """
def closure(source):
    seen = set()
    for row in source.query('x'):
        key = (row['customer'], row['city'])
        if key in seen:
            continue
        seen.add(key)
        yield row['id']
""",
        [1, 2, 4],
    ),
    "sql again": (
        """
def closure(source):
    rows = list(source.query('x'))
    yield len(query(rows, 'SELECT * FROM rows'))
""",
        [4],
    ),
    "dirty numbers": (
        r"""
import re

def number(text):
    text = re.sub(r'[^0-9,.\-]', '', text)
    if ',' in text and text.rfind(',') > text.rfind('.'):
        text = text.replace('.', '').replace(',', '.')
    return float(text.replace(',', '')) if text else None

def closure(source):
    yield [number(t) for t in ('$1,234.50', '1.234,50 €', '12 %', 'N/A')]
""",
        [[1234.5, 1234.5, 12.0, None]],
    ),
    "recursion and defaults": (
        """
def closure(source):
    def depth(tree, level=0, *, limit=10):
        return level if not isinstance(tree, list) or level > limit else max([depth(t, level + 1) for t in tree] or [level + 1])
    yield depth([[], [[1]]])
""",
        [3],
    ),
    "conditional expression chain": (
        """
def closure(source):
    for row in source.query('x'):
        t = row['total']
        yield 'none' if t is None else 'big' if t > 100 else 'small'
""",
        ["big", "small", "small", "none"],
    ),
    "slices": (
        """
def closure(source):
    xs = list(range(10))
    xs[2:4] = []
    del xs[0], xs[-1]
    yield xs[::2], xs[-2:], 'abc'[::-1], xs[slice(0, 2)]
    m = [[0] * 2 for _ in range(2)]
    m[0][1], m[1][0] = 1, 2
    yield m
""",
        [([1, 5, 7], [7, 8], "cba", [1, 4]), [[0, 1], [2, 0]]],
    ),
    "closures over loops": (
        """
def closure(source):
    fs = [lambda x, k=k: x * k for k in range(3)]
    yield [f(2) for f in fs]
    def counter():
        n = 0
        def step():
            nonlocal n
            n += 1
            return n
        return step
    c = counter()
    yield c(), c()
""",
        [[0, 2, 4], (1, 2)],
    ),
    "typed helper class": (
        """
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

class Table:
    rows: list[dict[str, Any]]
    mode: Literal['a', 'b'] = 'a'
    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.rows: list = [dict(r) for r in rows]
    def column(self, name: str) -> list[Union[int, None]]:
        return [r.get(name) for r in self.rows]

def closure(source):
    yield Table(source.query('x')).column('id'), isinstance({}, Mapping)
""",
        [([1, 2, 3, 4], True)],
    ),
    "abstract base": (
        """
from abc import ABC, abstractmethod

class Shape(ABC):
    @abstractmethod
    def area(self): ...

class Square(Shape):
    def __init__(self, s): self.s = s
    def area(self): return self.s ** 2

def closure(source):
    try:
        Shape()
    except TypeError:
        yield Square(3).area()
""",
        [9],
    ),
    "mapping class": (
        """
from collections.abc import Mapping

class Lower(Mapping):
    def __init__(self, d): self._d = {k.lower(): v for k, v in d.items()}
    def __getitem__(self, k): return self._d[k.lower()]
    def __iter__(self): return iter(self._d)
    def __len__(self): return len(self._d)

def closure(source):
    m = Lower({'A': 1})
    yield m['a'], dict(m), m.get('z', 0), 'A' in m
""",
        [(1, {"a": 1}, 0, True)],
    ),
    "a registry of functions": (
        """
HANDLERS = {}

def register(name):
    def wrap(f):
        HANDLERS[name] = f
        return f
    return wrap

@register('up')
def _up(s): return s.upper()

class Registry:
    def __init__(self): self.all = []
    def register(self, f):
        self.all.append(f.__name__)
        return f

reg = Registry()

@reg.register
def _x(): pass

def closure(source):
    yield HANDLERS['up']('a'), reg.all
""",
        [("A", ["_x"])],
    ),
    "printing": (
        """
def closure(source):
    import json
    print('note', 1, sep='-', end='')
    yield json.dumps(None)
""",
        ["null"],
    ),
    "linear chain of elifs": (
        """
def closure(source):
    def grade(n):
        if n < 1:
            return 0
        elif n < 2:
            return 1
        elif n < 3:
            return 2
        elif n < 4:
            return 3
        elif n < 5:
            return 4
        elif n < 6:
            return 5
        elif n < 7:
            return 6
        elif n < 8:
            return 7
        elif n < 9:
            return 8
        elif n < 10:
            return 9
        elif n < 11:
            return 10
        elif n < 12:
            return 11
        elif n < 13:
            return 12
        elif n < 14:
            return 13
        elif n < 15:
            return 14
        elif n < 16:
            return 15
        elif n < 17:
            return 16
        elif n < 18:
            return 17
        elif n < 19:
            return 18
        elif n < 20:
            return 19
        elif n < 21:
            return 20
        elif n < 22:
            return 21
        elif n < 23:
            return 22
        elif n < 24:
            return 23
        elif n < 25:
            return 24
        elif n < 26:
            return 25
        elif n < 27:
            return 26
        elif n < 28:
            return 27
        elif n < 29:
            return 28
        elif n < 30:
            return 29
        elif n < 31:
            return 30
        elif n < 32:
            return 31
        elif n < 33:
            return 32
        elif n < 34:
            return 33
        elif n < 35:
            return 34
        elif n < 36:
            return 35
        elif n < 37:
            return 36
        elif n < 38:
            return 37
        elif n < 39:
            return 38
        elif n < 40:
            return 39
        return -1
    yield grade(17), grade(99)
""",
        [(17, -1)],
    ),
    "own obj attribute": (
        """
def closure(source):
    class Node:
        def __init__(self, obj): self.obj = obj
    yield Node(4).obj
""",
        [4],
    ),
    "special methods": (
        """
__all__ = ['closure']
__version__ = '1.0'

class Positive:
    def __set_name__(self, owner, name):
        self.name = '_' + name

    def __get__(self, obj, owner=None):
        return self if obj is None else getattr(obj, self.name)

    def __set__(self, obj, value):
        if value < 0:
            raise ValueError('negative')
        setattr(obj, self.name, value)

class Plugin:
    found = []

    def __init_subclass__(cls):
        super().__init_subclass__()
        cls.label = cls.__name__.lower()
        Plugin.found.append(cls.label)

class One:
    kept = None

    def __new__(cls):
        if cls.kept is None:
            cls.kept = super().__new__(cls)
        return cls.kept

class Row(Plugin):
    n = Positive()

    def __init__(self, **values):
        self.values = values
        self.n = 1

    def __getattr__(self, name):
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        return 'Row'

    __str__ = __repr__

def closure(source):
    row = Row(city='Berlin')
    row.n += 4
    try:
        row.n = -1
    except ValueError as e:
        yield str(e)
    yield row.n, row.city, hasattr(row, 'zip'), str(row), Plugin.found, One() is One()
    delattr(row, 'values')
""",
        ["negative", (5, "Berlin", False, "Row", ["row"], True)],
    ),
    "addresses and kinds of numbers": (
        """
import ipaddress, numbers, time
from collections import UserDict

class Lower(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key.lower(), value)

def closure(source):
    started = time.perf_counter()
    net = ipaddress.ip_network('10.0.0.0/30')
    yield ipaddress.ip_address('10.0.0.1') in net, len(list(net.hosts())), isinstance(3, numbers.Number)
    yield dict(Lower(A=1)), time.perf_counter() >= started
""",
        [(True, 2, True), ({"a": 1}, True)],
    ),
    "string enum": (
        """
from enum import StrEnum

class C(StrEnum):
    T = 'x={}'

def closure(source):
    yield C.T.format(3), C.T.upper(), f'{C.T}'
""",
        [("x=3", "X={}", "x={}")],
    ),
}


@pytest.mark.parametrize("name", [name for name in BENIGN if name != "dataclass"])
def test_an_ordinary_program_passes_and_runs(name: str) -> None:
    code, expected = BENIGN[name]

    assert findings_of(code) == ()
    records = run(code)

    assert [repr(record) for record in records] == [repr(record) for record in expected]


def test_a_dataclass_does_what_dataclasses_do() -> None:
    names, item, totals, points = run(BENIGN["dataclass"][0])

    assert names == ["A", "B"]
    assert item == {"name": "A", "price": 1.0, "tags": ["t"], "parent": None, "note": None, "_cost": 3}
    assert totals == (5.0, "item", ["x", "y"])
    assert (points[0].x, points[0].y, points[1], points[2]) == (1, 5, True, {"x": 7, "y": 7})


def test_there_are_enough_programs() -> None:
    assert len(BENIGN) >= 60


def test_parameters_are_passed_and_described() -> None:
    code = BENIGN["keyword parameters"][0]

    assert parameters_of(code) == (("minimum", "Decimal", "Decimal(100)"), ("city", "str | None", "None"))
    assert run(code, minimum=Decimal(50)) == [1, 2]


def test_names_are_fresh_for_every_run() -> None:
    code = BENIGN["global counter"][0]

    assert run(code) == run(code) == [4]
