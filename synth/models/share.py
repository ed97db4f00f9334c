"""What of the data a prompt may hold: nothing, its schema with values masked by shape, or a few sampled values as they are.

A model on this machine is shown samples; a remote one shapes alone, unless the user says otherwise (`--share`, TARS_SHARE).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import Any, Literal

from synth.errors import BadRequest

Share = Literal["none", "schema", "sample"]
SHARES: tuple[Share, ...] = ("none", "schema", "sample")
_MOST = 24


def share_of(text: str, local: bool) -> Share:
    """The level that was asked for; without one `sample` for a local model and `schema` for a remote one."""
    if not text:
        return "sample" if local else "schema"
    if text not in SHARES:
        raise BadRequest(f"--share {text!r} is not a level", f"There are: {', '.join(SHARES)}")
    return text


def shape_of(value: object) -> str:
    """The look of a value without the value: `Berlin` gives `Aaaaaa`, `2024-01-05` gives `9999-99-99`. Cut at 24 characters."""
    text = str(value)
    masked = "".join(_mask(c) for c in text[:_MOST])
    return masked + ("…" if len(text) > _MOST else "")


def _mask(c: str) -> str:
    if c.isdigit() or c.isnumeric():
        return "9"
    if c.isalpha():
        return "A" if c.isupper() else "a"
    return c if " " <= c <= "~" else "*"


_WORD = re.compile(r"[^\W\d_]\w*", re.UNICODE)
_QUOTED = re.compile(r"(?<!\w)'((?:[^'\\\n]|\\.|''|'(?=\w))*)'|(?<!\w)\"((?:[^\"\\\n]|\\.)*)\"")
_VALUE = re.compile(
    r"[^\s'\"<>(),;:]+@[^\s'\"<>(),;]+|[^\W\d_]+://[^\s'\"<>]+|[+-]?\d[\w.,:+/-]*\d|[^\W\d_]+[-_.]?\d[\w-]*|\d+"
)
_ERROR_NAME = re.compile(
    r"(?:[A-Z][a-z]+){1,4}(?:Error|Exception|Refused|Iteration)|Exception|InvalidOperation|DivisionByZero"
)
_ARROW = re.compile(r"u?int\d+|float\d*|double|decimal\d+|date\d+|time\d+|timestamp")
_COUNT = re.compile(r"\d{1,4}")
_SMALL_COUNT = re.compile(r"\d{1,2}")

# Words that Python, DuckDB, the databases and our own broker put into their errors. Anything else in the message of an
# exception may be a value of the data, since closures raise with values in their hands.
_ERROR_WORDS = frozenset(
    """
    a s all allowed already ambiguous an and any are argument arguments array as asked at attribute base be been before being
    bool boolean bytes call called can cannot cast character close closed code codec column columns comma compare conversion
    convert converted copy could data database date datetime day decimal decode default denied dict did dictionary different
    digits division does done double duplicate element empty end error exact exceeded exceeds exist expected failed false
    field file first float for format found from function gave generator get given granted group has have here hour if ignored
    implicit in index input instance int integer into invalid is isoformat it item items iterable iterate its key keys keyword
    large left less like limit line list literal long lookup many map matching memory method min minute missing mod modulo
    month more most must name names nan naive no nonetype not nothing null number numeric object of off offset on one only
    open operand operation operator option or order out outside overflow parameter parameters parse parser part passed
    permission position positional possible range read record recursion referenced refused required return right row rows run
    second select sequence set setting shape short should side size slice small something source sql starred statement str
    string struct subscriptable sum supported syntax table tables take takes text than that the there this time timestamp
    timezone to too took tried true tuple type types tz unable unexpected unhashable unit unknown unpack unsupported use used
    value values varchar was were where while will with within without wrong year you your zero zone
    """.split()
)

_TYPES = frozenset(
    "NoneType str int float bool bytes dict list tuple set generator function type object Decimal decimal.Decimal date datetime"
    " datetime.date datetime.datetime datetime.timedelta time timedelta".split()
)


def masked_message(text: str, known: Collection[str], free: bool = False) -> str:
    """A finding's message without values of the data: quoted pieces, addresses and numbers are masked by shape, unless they
    are `known` (names of the schema, words of the request and of the code). Counts of up to four digits stay. With `free`
    (the message of an exception) those of three are masked too, and so is every word that is neither known nor common in errors."""
    count = _SMALL_COUNT if free else _COUNT
    words = {w.casefold() for k in known for w in (k, *_WORD.findall(k), *_VALUE.findall(k))}

    def value(match: re.Match[str]) -> str:
        found = match.group(0)
        plain = found.casefold() in words or count.fullmatch(found) or _ARROW.fullmatch(found)
        return found if plain else shape_of(found)

    def word(match: re.Match[str]) -> str:
        found = match.group(0)
        plain = found.casefold()
        return found if plain in words or plain in _ERROR_WORDS or _ERROR_NAME.fullmatch(found) else shape_of(found)

    def outside(piece: str) -> str:
        piece = _VALUE.sub(value, piece)
        return _WORD.sub(lambda m: m.group(0) if _is_shape(m.group(0)) else word(m), piece) if free else piece

    parts: list[str] = []
    at = 0
    for match in _QUOTED.finditer(text):
        parts.append(outside(text[at : match.start()]))
        inner = match.group(1) if match.group(1) is not None else match.group(2)
        quote = match.group(0)[0]
        kept = inner if inner.casefold() in words or inner in _TYPES else shape_of(inner)
        parts.append(f"{quote}{kept}{quote}")
        at = match.end()
    parts.append(outside(text[at:]))
    return "".join(parts)


def _is_shape(word: str) -> bool:
    return set(word) <= {"A", "a", "9"} and len(word) > 1


_SECRET_NAME = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase|code)?|pwd|secret|api_?key|access_?key|private_?key|(?:auth|access|refresh)_?token|token"
    r"|credentials?)(?:$|_)"
)
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|hf|npm|pypi)[-_][A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}\b|\bgithub_pat_\w{20,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
    r"|(?<=://)[^/\s:@'\"]+:[^/\s@'\"]+(?=@)"
    r"|(?i:(?<=bearer )|(?<=basic ))[A-Za-z0-9+/_.=-]{16,}"
)


def is_secret_name(name: str) -> bool:
    """What a field of that name holds is a credential: it is shown at no level."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^\w]+", "_", name).casefold()
    return _SECRET_NAME.search(parted) is not None


def without_secrets(text: str) -> str:
    """The text with everything that is made like a key, a token or a password in an address struck out."""
    return _SECRET.sub("***", text)


def masked_record(value: object) -> object:
    """A record with its keys, and its values by their shapes."""
    if isinstance(value, dict):
        return {k: masked_record(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked_record(v) for v in value]
    return value if value is None or isinstance(value, bool) else shape_of(value)


_SQL = re.compile(r"\bselect\b", re.IGNORECASE)
_SQL_TEXT = re.compile(r"'((?:[^']|'')*)'")
_SQL_NUMBER = re.compile(r"(?<![\w.])\d{5,}")
_PLAIN = re.compile(r"[%YmdHMSjyBbAaIpzZfu:/ .,TQ-]*")


def masked_code(code: str) -> str:
    """The code of an earlier closure without the constants that came from its request or its data: texts compared with in its
    SQL, and texts elsewhere that are no names of columns. What it gives back cannot be read as Python: `"Aaaaaa"`."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    names = {
        n.slice.value for n in ast.walk(tree) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)
    }
    names |= {k.value for n in ast.walk(tree) if isinstance(n, ast.Dict) for k in n.keys if isinstance(k, ast.Constant)}
    changed = False
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) and len(node.body) > 1:
            del node.body[0]
            changed = True
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant):
            continue
        made = _masked_constant(node.value, names)
        changed = changed or made != node.value
        node.value = made
    return ast.unparse(tree) + "\n" if changed else code


def _masked_constant(value: Any, names: Collection[object]) -> Any:
    """A constant of an earlier closure. Small numbers stay, for they are often part of the logic."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 9_999:
        return int("9" * len(str(abs(value))))
    if not isinstance(value, str) or value in names or _PLAIN.fullmatch(value):
        return value
    if not _SQL.search(value):
        return shape_of(value)
    texts = _SQL_TEXT.sub(lambda m: m.group(0) if _PLAIN.fullmatch(m.group(1)) else f"'{shape_of(m.group(1))}'", value)
    return _SQL_NUMBER.sub(lambda m: "9" * len(m.group(0)), texts)


def masked_request(text: str) -> str:
    """An earlier request without what looks like a value in it: quoted pieces, numbers, and capitalised words within it."""
    first = True

    def word(match: re.Match[str]) -> str:
        nonlocal first
        found, leads = match.group(0), first
        first = False
        return shape_of(found) if found[0].isupper() and not leads else found

    plain = _QUOTED.sub(lambda m: f'"{shape_of(m.group(0)[1:-1])}"', text)
    plain = _VALUE.sub(
        lambda m: m.group(0) if len(m.group(0)) < 3 and m.group(0).isdigit() else shape_of(m.group(0)), plain
    )
    return _WORD.sub(word, plain)
