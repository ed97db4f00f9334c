"""Addresses with credentials in them: taken apart, filled in from the environment, and masked wherever they could be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from synth.errors import SourceProblem

MASK = "***"

_SECRET_NAMES = (
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "sslpassword",
    "access_key",
    "key",
)
# Greedy up to the last @ of a word, since people put a raw @, / or # into passwords.
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*://)(?P<user>[^\s:@/?#]*):[^\s'\"<>]*@")
_IN_QUERY = re.compile(rf"(?i)(?P<name>[?&;\s](?:[\w.\-]*(?:{'|'.join(_SECRET_NAMES)}))=)[^&\s#;'\"]+")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Address:
    """A database's address. `password` is None where none was given; it is in no repr and no `str`.

    `options` are the words after `?`, but for `schema`; `table` is what followed `#`.
    """

    scheme: str
    host: str = ""
    port: int | None = None
    database: str = ""
    user: str = ""
    password: str | None = field(default=None, repr=False)
    schema: str = ""
    table: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text of this address that nobody may see."""
        hidden = [value for name, value in self.options.items() if _is_secret(name)]
        return tuple(text for text in (self.password, *hidden) if text)

    def __str__(self) -> str:
        at = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{at}{host}{port}/{self.database}"


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with passwords of addresses in it, and the given secrets in any spelling, replaced by ***."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        for spelling in {secret, quote(secret, safe=""), quote(secret)}:
            text = text.replace(spelling, MASK)
    text = _USERINFO.sub(lambda m: f"{m['scheme']}{m['user']}:{MASK}@", text)
    return _IN_QUERY.sub(lambda m: f"{m['name']}{MASK}", text)


def address_of(location: str, environment: Mapping[str, str]) -> Address:
    """Take a database URL apart; `${NAME}` stands for a variable of the environment, whole or within any part.

    SourceProblem when a variable is not set or a part is not what it should be; no message holds a value of either.
    """
    whole = _REFERENCE.match(location)
    if whole and "://" not in location[: whole.end()]:
        location = filled(whole.group(0), environment) + location[whole.end() :]
    scheme, separator, rest = location.partition("://")
    if not separator:
        raise SourceProblem(
            "unknown-kind", f"{masked(location)!r} is not a database address", "Write scheme://host/name"
        )
    user_part, at, rest = _split_user(rest)
    rest, _, table = rest.partition("#")
    rest, _, query = rest.partition("?")
    host_part, _, database = rest.partition("/")
    user, colon, password = user_part.partition(":") if at else ("", "", "")
    options = {name: filled(value, environment) for name, value in parse_qsl(query, keep_blank_values=True)}
    host, port = _host_and_port(filled(host_part, environment), location)

    def part(text: str) -> str:
        return filled(unquote(text), environment)

    schema = options.pop("schema", "")
    return Address(
        scheme=scheme.lower(),
        host=host,
        port=port,
        database=part(database.rstrip("/") if scheme.lower() != "sqlite" else database),
        user=part(user),
        password=part(password) if colon else None,
        schema=schema,
        table=part(table),
        options=options,
    )


def filled(text: str, environment: Mapping[str, str]) -> str:
    """The text with each `${NAME}` replaced by its value. SourceProblem names a variable that is not set."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            raise SourceProblem(
                "authentication", f"the source names ${{{name}}}, which is not set", f"Set {name} in the environment"
            )
        return environment[name]

    return _REFERENCE.sub(value, text)


def path_and_table(location: str, environment: Mapping[str, str], schemes: Iterable[str]) -> tuple[Path, str, str]:
    """The file, `schema` and table that `path`, `path#table`, `path?schema=x` or `scheme:///path#table` names.

    A file whose own name holds `#` or `?` wins over that reading.
    """
    text = filled(location, environment)
    for scheme in schemes:
        if text.lower().startswith(f"{scheme}://"):
            text = unquote(text[len(scheme) + 3 :])
            # sqlite:///relative and sqlite:////absolute, as SQLAlchemy has it; an absolute path with three slashes too
            trimmed = text.removeprefix("/")
            text = trimmed if trimmed.startswith("/") or Path(trimmed.split("#")[0].split("?")[0]).exists() else text
            break
    text = text.removeprefix("file:") if text.startswith("file:/") else text
    if Path(text).exists():
        return Path(text), "", ""
    text, _, table = text.partition("#")
    path, _, query = text.partition("?")
    return Path(path).expanduser(), dict(parse_qsl(query)).get("schema", ""), unquote(table)


def _split_user(rest: str) -> tuple[str, str, str]:
    """The user part ends at the last @ before the options, so that passwords may hold @, / and #."""
    head, question, query = rest.partition("?")
    user, at, tail = head.rpartition("@")
    if not at and "@" in query:  # a raw ? within the password
        user, at, tail = rest.rpartition("@")
        return (user, at, tail) if ":" in user.split("?")[0] and "/" not in user.split("?")[0] else ("", "", rest)
    return user, at, tail + question + query


def _host_and_port(text: str, location: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if port and not (port.isdecimal() and 0 < int(port) < 65_536):
        raise SourceProblem(
            "unknown-kind", f"{MASK if '@' in port else port!r} is not a port in {masked(location)}", ""
        )
    return unquote(host), int(port) if port else None


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_NAMES)
