"""Records: what a closure yields. Cast to the declared fields without loss, compared, written as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from synth.schema import Field

Record = Mapping[str, object]


class Unfit(Exception):
    """A value that cannot become its declared type without losing something."""


def fields_of(records: Sequence[Record]) -> tuple[Field, ...]:
    """The fields that these records have in common or between them, with the narrowest type that holds all their values."""
    names = list(dict.fromkeys(name for record in records for name in record))
    fields = []
    for name in names:
        values = [record[name] for record in records if name in record]
        given = [v for v in values if v is not None]
        fields.append(
            Field(
                name,
                type_of_values(given),
                nullable=len(given) < len(records),
                values=len(values),
                nulls=len(values) - len(given),
            )
        )
    return tuple(fields)


def type_of_values(values: Iterable[object]) -> str:
    """The Arrow type that holds all of these; `string` for kinds that do not mix."""
    kinds = {_kind(v) for v in values}
    if not kinds:
        return "null"
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {"int64", "double"} or kinds <= {"int64", "double", "decimal"}:
        return "decimal" if "double" not in kinds else "double"
    if kinds <= {"date32[day]", "timestamp[us]"}:
        return "timestamp[us]"
    return "string"


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "bool"),
        (int, "int64"),
        (float, "double"),
        (Decimal, "decimal"),
        (str, "string"),
        (time, "time64[us]"),
        (timedelta, "duration[us]"),
        (bytes, "binary"),
        (UUID, "string"),
        ((list, tuple), "list"),
        (dict, "struct"),
    )
    if isinstance(value, datetime):
        return "timestamp[us, tz=UTC]" if value.tzinfo else "timestamp[us]"
    if isinstance(value, date):
        return "date32[day]"
    return next((name for kind, name in kinds if isinstance(value, kind)), "string")


def caster(fields: Sequence[Field]) -> Callable[[Record], dict[str, object]]:
    """A function that casts one record to these fields, or raises Unfit naming the field, the value and the type."""
    casts = [(f.name, f.type, _cast_for(f.type)) for f in fields]
    known = {f.name for f in fields}

    def cast(record: Record) -> dict[str, object]:
        if record.keys() != known:
            missing, extra = sorted(known - record.keys()), sorted(record.keys() - known)
            raise Unfit(
                "fields are " + ", ".join([f"missing {n!r}" for n in missing] + [f"not declared: {n!r}" for n in extra])
            )
        made = {}
        for name, type_name, as_type in casts:
            value = record[name]
            try:
                made[name] = None if value is None else as_type(value)
            except (ValueError, ArithmeticError, TypeError) as error:
                raise Unfit(f"{name!r} holds {value!r:.80}, which is not {type_name}") from error
        return made

    return cast


def _cast_for(type_name: str) -> Callable[[object], object]:
    if type_name.startswith(("int", "uint")):
        return _as_int
    if type_name.startswith("decimal"):
        return _as_decimal
    return {
        "double": _as_float,
        "float": _as_float,
        "bool": _as_bool,
        "date32[day]": _as_date,
        "string": _as_text,
    }.get(type_name, _as_datetime if type_name.startswith("timestamp") else lambda value: value)


def _as_int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value != int(value):
        raise ValueError(value)
    return int(value)


def _as_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(value)
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _as_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(value)
    number = float(value)
    if math.isnan(number) or math.isinf(number):
        raise ValueError(value)
    return number


def _as_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):  # MySQL and SQLite have no other truth
        return bool(value)
    raise ValueError(value)


def _as_date(value: object) -> date:
    if isinstance(value, datetime):
        if value.time() != time():
            raise ValueError(value)
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return date.fromisoformat(value)
    raise ValueError(value)


def _as_datetime(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    raise ValueError(value)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    raise ValueError(value)


def comparable(value: object) -> object:
    """A hashable form in which equal values are equal however they are held: 1, 1.0 and Decimal('1.00') alike."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float | Decimal):
        return _rounded(value)
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != time() or value.tzinfo else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return tuple(comparable(v) for v in value)
    if isinstance(value, Mapping):
        return tuple(sorted((str(k), comparable(v)) for k, v in value.items()))
    if isinstance(value, UUID):
        return str(value)
    return value


def _rounded(value: int | float | Decimal) -> object:
    """Nine significant digits: sums of floats differ in the last ones by the order of the rows."""
    if isinstance(value, float) or value != int(value) or abs(int(value)) < 10**9:
        return f"{float(value):.9g}" if value else "0"
    return str(int(value))


def bag(records: Iterable[Record], names: Sequence[str] | None = None) -> Counter[object]:
    """The records as a multiset, by the named fields (all of them when not given), regardless of order."""
    return Counter(tuple(comparable(r.get(n)) for n in (names if names is not None else sorted(r))) for r in records)
