"""What a request says about authentication, in plain words: names are read here, values come from the environment.

"bearer token in $API_TOKEN", "the key goes into X-API-Key (env SHOP_KEY)", "api key in the query parameter key from
$MAPS_KEY", "basic auth with user $U and password $P". A value that somebody pasted into the request is used as well, and
`secrets_in` tells it, so that it can be kept out of everything that is written down.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from synth.errors import SourceProblem

Place = Literal["unsaid", "bearer", "header", "query", "basic"]
MASK = "***"
# A shorter value stands in too many innocent places to be struck out of a body.
LEAST_SECRET = 6


class Secrets:
    """Values that may not be shown, and how to strike them out of text."""

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}

    def add(self, value: str) -> None:
        """Remember a value, also as addresses and Basic authentication spell it."""
        if len(value) < 3:
            return
        for form in (value, quote(value, safe=""), quote(value), quote_plus(value)):
            self._forms[form] = None

    def holds(self, value: str) -> bool:
        """Whether this very value is one of them."""
        return value in self._forms

    def scrub(self, text: str) -> str:
        """The text without the values, and without what addresses in it carry as credentials."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        text = re.sub(r"(?<=://)[^/?#\s@\"']+@", f"{MASK}@", text)
        return _CARRIED.sub(lambda m: m.group(0) if m.group(2) == MASK else f"{m.group(1)}{MASK}", text)

    def scrub_bytes(self, body: bytes) -> bytes:
        """A body without the values: some APIs echo what they were sent."""
        for form in self._forms:
            if len(form) >= LEAST_SECRET and (raw := form.encode()) in body:
                body = body.replace(raw, MASK.encode())
        return body


_SECRET_PARAMETERS = (
    r"key|api[_-]?key|access[_-]?key|[\w-]*access[_-]?token|auth[_-]?token|token|api[_-]?token|[\w-]*secret|password|passwd|pwd"
    r"|sig|signature|x-amz-signature|x-amz-security-token|auth|jwt|appid|app_id|subscription-key"
)
_CARRIED = re.compile(rf"([?&](?:{_SECRET_PARAMETERS})=)([^&#\s\"']+)", re.IGNORECASE)


def is_secret_parameter(name: str) -> bool:
    """A query parameter whose value is a credential, going by its name."""
    return re.fullmatch(_SECRET_PARAMETERS, name, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Named:
    """One credential as the request words it: where it goes, and which variable (or pasted value) holds it."""

    place: Place = "unsaid"
    name: str = ""
    prefix: str = ""
    variable: str = ""
    literal: str = ""
    user_variable: str = ""
    user: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Auth:
    """Credentials ready to be sent. Its repr holds no value."""

    _headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    _query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    _words: str = ""
    _ways: tuple[Auth, ...] = field(default=(), repr=False)
    _scheme: str = ""

    def __bool__(self) -> bool:
        return bool(self._headers or self._query)

    def headers(self) -> dict[str, str]:
        """Headers to send."""
        return dict(self._headers)

    def on_url(self, url: str) -> str:
        """The address with the credentials that travel in its query."""
        if not self._query:
            return url
        parts = urlsplit(url)
        names = {name for name, _ in self._query}
        kept = [(n, v) for n, v in parse_qsl(parts.query, keep_blank_values=True) if n not in names]
        return urlunsplit(parts._replace(query=urlencode([*kept, *self._query])))

    def described(self) -> str:
        """In words, without the value."""
        return self._words or "the credential"

    def other_way(self, challenge: str) -> Auth | None:
        """After a 401: the same credential where the server says it wants it, or None when nothing is left to try.

        Only where the request did not say how it travels."""
        if not self._ways:
            return None
        wanted = challenge.strip().split(" ")[0].lower()
        ways = sorted(self._ways, key=lambda way: way._scheme != wanted) if wanted else list(self._ways)
        if wanted == "bearer" and self._scheme == "bearer":
            return None
        return replace(ways[0], _ways=tuple(ways[1:]))


@dataclass(frozen=True)
class Words:
    """All that a request says on authentication."""

    named: tuple[Named, ...] = ()

    def credentials(
        self,
        environment: Mapping[str, str],
        secrets: Secrets,
        userinfo: tuple[str, str] | None = None,
        carried: Sequence[tuple[str, str]] = (),
    ) -> Auth:
        """Values put to the names, and what the address itself carries: userinfo, and parameters that are credentials.

        SourceProblem("authentication") names the variable that is not set."""
        headers: list[tuple[str, str]] = []
        query: list[tuple[str, str]] = list(carried)
        ways: list[Auth] = []
        words: list[str] = [f"the query parameter {name} in the address" for name, _ in carried]
        scheme = ""
        if userinfo is not None:
            secrets.add(userinfo[1] or userinfo[0])
            headers.append(_basic(*userinfo, secrets))
            words.append("the user and password in the address")
        for each in self.named:
            value = each.literal or _value(each.variable, environment)
            secrets.add(value)
            _refuse_line_breaks(value, each.variable)
            shown = f"${each.variable}" if each.variable else "the value in the request"
            if each.place == "basic":
                user = each.user or (_value(each.user_variable, environment) if each.user_variable else "")
                pair = (user, value) if user else (value.partition(":")[0], value.partition(":")[2])
                headers.append(_basic(*pair, secrets))
                words.append(f"{shown} (basic authentication)")
            elif each.place == "query":
                query.append((each.name or "api_key", value))
                words.append(f"{shown} (query parameter {each.name})")
            elif each.place == "header":
                headers.append((each.name, f"{each.prefix} {value}".strip()))
                words.append(f"{shown} (header {each.name})")
            else:
                headers.append(("Authorization", f"Bearer {value}"))
                words.append(f"{shown} (bearer token)")
                scheme = "bearer"
                if each.place == "unsaid":
                    ways.extend(_ways(value, shown, secrets))
        return Auth(tuple(headers), tuple(query), " and ".join(words), tuple(ways), scheme)


def _ways(value: str, shown: str, secrets: Secrets) -> Iterator[Auth]:
    """The other usual places for a credential whose place nobody told."""
    user, _, password = value.partition(":")
    yield Auth((("X-API-Key", value),), (), f"{shown} (header X-API-Key)", (), "apikey")
    yield Auth((_basic(user, password, secrets),), (), f"{shown} (basic authentication)", (), "basic")
    yield Auth((("Authorization", f"Token {value}"),), (), f"{shown} (Authorization: Token)", (), "token")
    yield Auth((("Authorization", value),), (), f"{shown} (Authorization)", (), "authorization")


def _basic(user: str, password: str, secrets: Secrets) -> tuple[str, str]:
    packed = base64.b64encode(f"{user}:{password}".encode()).decode()
    secrets.add(packed)
    return "Authorization", f"Basic {packed}"


def _value(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SourceProblem(
            "authentication", f"the request names ${name}, and no such environment variable is set", f"export {name}=…"
        )
    return value


def _refuse_line_breaks(value: str, name: str) -> None:
    if any(ord(c) < 32 or ord(c) == 127 for c in value) or not value.isascii():
        which = f"${name}" if name else "the value in the request"
        raise SourceProblem("authentication", f"{which} holds characters that no header may hold")


_VARIABLE = re.compile(
    r"""\$\{(?P<braced>[A-Za-z_]\w*)\}
      | \$(?P<dollar>[A-Za-z_]\w*)
      | \b(?:env(?:ironment)?(?:[ ]+var(?:iable)?)?|environ)[ ]*[:=]?[ ]*(?:called[ ]|named[ ])?[`'"\[(]*(?P<said>[A-Za-z_][A-Za-z0-9_]{2,})
      | \b(?P<bare>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b
    """,
    re.VERBOSE,
)
_CUE = re.compile(
    r"\b(bearer|basic[ -]auth\w*|auth\w*|token|api[ _-]?key|key|secret|password|passwd|credentials?|log[ -]?in|sign[ -]?in"
    r"|header|user(?:name)?)\b",
    re.IGNORECASE,
)
# What must stand near a word in capitals that is no variable of this environment, for it to be one of another.
_STRONG_CUE = re.compile(
    r"\b(bearer|oauth2?|auth|authenticat\w*|authoriz\w*|api[ _-]?key|header|env\w*|credentials?|query)\b|\?\w+=|\bX-",
    re.IGNORECASE,
)
_STOP_WORDS = """
    a an the is in as of to from with and or by for it its on at called named set holding taken value goes go
    into my our your request http auth custom each this that contains containing
"""
_STOP = frozenset(_STOP_WORDS.split())
_NAME = r"[A-Za-z][A-Za-z0-9_.-]*"
_HEADER = re.compile(
    rf"""(?P<x>\bX-[A-Za-z0-9-]+)
      | \bheader[ ]+(?:called[ ]+|named[ ]+|is[ ]+)?[`'"]?(?P<after>{_NAME})
      | (?P<quote>[`'"]?)\b(?!(?:[Tt]he|[Aa]n?|in|as|is|my|this|that|into|request|http)\b)(?P<before>{_NAME})(?P=quote)[ ]+
        (?:request[ ]+|http[ ]+)?header\b
      | \b(?P<colon>(?:Authorization|[A-Z][A-Za-z]*(?:-[A-Za-z]+)+))[ ]*:(?=[ ]*\S)
    """,
    re.VERBOSE,
)
_QUERY = re.compile(
    rf"""\b(?:query|url)[ ]+(?:string[ ]+)?(?:parameter|param|argument|arg|string)[ ]+(?:called[ ]+|named[ ]+)?[`'"?]?(?P<after>{_NAME})
      | (?P<quote>[`'"?]?)\b(?!(?:the|an?|in|as|is|my|this|url|query|string)\b)(?P<before>{_NAME})=?(?P=quote)[ ]+
        (?:(?:query|url)[ ]+)?(?:string[ ]+)?(?:parameter|param|argument|arg|string)\b
      | \b(?:parameter|param)[ ]+(?:called[ ]+|named[ ]+)?[`'"?]?(?P<plain>{_NAME})
      | [?&](?P<mark>{_NAME})=
      | (?<![\w-])(?!X-)(?P<equals>{_NAME})=(?=[`'"]?\$)
      | (?<![\w-])(?P<literal>api[_-]?key|access_token|auth_token|token|key)=(?=[`'"]?\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PREFIX = re.compile(r"Authorization[`'\"]?[ ]*(?:header[ ]*)?:?[ ]*[`'\"]?(?P<prefix>[A-Za-z][\w-]*)[ ]+(?=\$|<|\{)")
_LITERAL = re.compile(
    r"""(?P<cue>\bAuthorization:\ *(?:Bearer|Basic|Token|ApiKey)|\bX-[A-Za-z0-9-]+:
           |\bbearer(?:\ +token)?|\b(?:api|access|auth|secret|private)[ _-]?(?:key|token)
           |\bpassword|\bpasswd|\bclient[ _-]secret)
        (?P<link>\ *(?:\bis\b|=|:|\bof\b)?\ *)[`'"]?(?P<value>[^\s`'"(),;&#]{4,})""",
    re.VERBOSE | re.IGNORECASE,
)
_TELLING = re.compile(
    r"\b(?:(?:sk|pk|rk)[_-](?:live|test|proj)?[_-]?[A-Za-z0-9_-]{12,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{12,}|AIza[\w-]{20,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*)"
)
_USERINFO = re.compile(r"://[^/\s:@]+:(?P<password>[^/\s@]+)@")
_PARAMETER_VALUE = re.compile(rf"[?&](?:{_SECRET_PARAMETERS})=(?P<value>[^&#\s\"'`)]+)", re.IGNORECASE)
_PASSWORD_WORD = re.compile(r"\b(?:password|passwd|pass|pw)\b", re.IGNORECASE)
_USER_WORD = re.compile(
    r"\b(?:log[ -]?in[ ]+as(?:[ ]+user)?|user(?:[ -]?name)?|login|account)\b(?:[ ]+(?:is|named|called|in|from))?"
    r"[ :=]*[`'\"]?(?P<user>[A-Za-z][\w.@+-]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Mention:
    text: str
    start: int
    end: int
    place: Place = "unsaid"

    def apart(self, other: _Mention) -> int:
        return max(self.start - other.end, other.start - self.end, 0)


def read_words(text: str, environment: Mapping[str, str]) -> Words:
    """What the text says on authentication. Of the environment only the names are looked at."""
    literals = list(_literals(text))
    variables = [v for v in _variables(text, environment) if not any(v.apart(m) == 0 for m in literals)]
    if not variables and not literals:
        return Words()
    basic = _basic_words(text, variables, literals)
    if basic is not None:
        return Words((basic,))
    places = list(_places(text))
    named: list[Named] = []
    free = list(places)
    for holder in (*variables, *literals):
        near = min(free, key=lambda place: _distance(holder, place, text), default=None)
        if near is not None and (len(places) == 1 or _distance(holder, near, text) <= 100):
            if near.place != "bearer":
                free.remove(near)
            named.append(_put(holder, near, text, holder in literals))
        else:
            named.append(_put(holder, None, text, holder in literals))
    return Words(tuple(named))


def secrets_in(text: str) -> tuple[str, ...]:
    """Credentials pasted into a request, to be masked wherever the request is written down or sent on."""
    found = [mention.text for mention in _literals(text)]
    found += [match.group("password") for match in _USERINFO.finditer(text)]
    found += [match.group("value") for match in _PARAMETER_VALUE.finditer(text)]
    return tuple(dict.fromkeys(value for value in found if not value.startswith(("$", "{", "<"))))


def without_auth_words(text: str) -> str:
    """The request without what it says on authentication: what is left is the question."""
    words = read_words(text, _Anything())
    if not words.named:
        return text
    for each in sorted(words.named, key=lambda n: n.start, reverse=True):
        start, end = _widened(text, each.start, each.end)
        text = f"{text[:start].rstrip()} {text[end:].lstrip()}"
    text = re.sub(r"\(\s*\)|\[\s*\]", " ", text)
    text = re.sub(r"\s+([,.;:)])", r"\1", text)
    return re.sub(r"\s{2,}", " ", text).strip(" ,;:-–—")


class _Anything(Mapping[str, str]):
    """An environment in which nothing is set: what reads names only needs no values."""

    def __getitem__(self, key: str) -> str:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_LEFT_WORDS = """
    using use used with the my our a an auth authenticate authenticated authenticating authentication authorize
    authorise authorization via by please and is in from goes go into send sent it as header query parameter
    param key token api bearer basic env environment variable user username password secret credential
    credentials needs need requires wants access belongs to called named request string url pass passing log
    login sign you can find holds has on apikey that which which's server site service put set must be should
    stored kept lives live it's its comes come given read oauth oauth2 env's
"""
_LEFT = frozenset(_LEFT_WORDS.split())
_RIGHT_WORDS = """
    header headers parameter param variable var env environment string authentication auth token
"""
_RIGHT = frozenset(_RIGHT_WORDS.split())


_WHERE = re.compile(
    r"\s+(?:in|as|into|via)\s+(?:the|a|an)\s+(?:query(?:\s+string)?|url|(?:request\s+|authorization\s+)?header)\b",
    re.IGNORECASE,
)


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch of words around a mention that only serve it, with brackets around it."""
    while match := re.search(r"(?:([A-Za-z][\w'’-]*)|([\[(,;:.–—-]+))[\s\"'`]*$", text[:start]):
        word, mark = match.group(1), match.group(2)
        if word is not None and word.lower() not in _LEFT:
            break
        start = match.start()
        if mark and any(c in ".;([" for c in mark):
            break
    if match := _WHERE.match(text, end):
        end = match.end()
    while match := re.match(r"[\s\"'`]*(?:([A-Za-z][\w'’-]*)|([\]),;:.]+))", text[end:]):
        word, mark = match.group(1), match.group(2)
        if word is not None and word.lower() not in _RIGHT:
            break
        end += match.end()
        if mark:
            break
    return start, end


def _variables(text: str, environment: Mapping[str, str]) -> Iterator[_Mention]:
    for match in _VARIABLE.finditer(text):
        name = next(value for value in match.groups() if value)
        near = _CUE.search(
            text[max(0, match.start() - 80) : match.start()] + " " + text[match.end() : match.end() + 80]
        )
        if match.group("said") and (name.lower() in _STOP | _LEFT | _RIGHT or not re.search(r"[A-Z]", name)):
            continue
        plain = match.group("bare") is not None
        said = match.group("said") is not None and ("_" in name or "var" in match.group(0).lower())
        around = text[max(0, match.start() - 80) : match.end() + 80]
        known = name in environment
        if (known and not plain) or said or (near and (known or not plain or _STRONG_CUE.search(around))):
            yield _Mention(name, match.start(), match.end())


def _literals(text: str) -> Iterator[_Mention]:
    taken: list[tuple[int, int]] = []
    for match in _LITERAL.finditer(text):
        value = match.group("value").rstrip(".,")
        linked = bool(match.group("link").strip()) or match.group("cue").endswith(":")
        if _looks_secret(value, linked, "pass" in match.group("cue").lower()):
            start = match.start("value")
            taken.append((start, start + len(value)))
            yield _Mention(value, start, start + len(value))
    for match in _TELLING.finditer(text):
        if not any(start <= match.start() < end for start, end in taken):
            yield _Mention(match.group(0), match.start(), match.end())


def _looks_secret(value: str, linked: bool, password: bool) -> bool:
    """Not a variable's name and not a word of the language."""
    if value.startswith(("$", "{", "<", "X-")) or re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", value):
        return False
    if password and linked:
        return value.lower() not in _STOP and (len(value) >= 6 or not value.isalpha())
    mixed = bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))
    return len(value) >= 8 and (mixed or (linked and not value.isalpha()) or len(value) >= 24)


def _places(text: str) -> Iterator[_Mention]:
    for match in _QUERY.finditer(text):
        group = next((g for g in ("after", "before", "plain", "mark", "equals", "literal") if match.group(g)), "")
        name = match.group(group) if group else ""
        if name and name.lower() not in _STOP and not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", name):
            yield _Mention(name, match.start(), match.end(), "query")
    for match in _HEADER.finditer(text):
        group = next((g for g in ("x", "after", "before", "colon") if match.group(g)), "")
        name = match.group(group).rstrip(".-_") if group else ""
        if name and name.lower() not in _STOP | {"bearer", "token", "key", "basic"} and _is_header_name(name):
            yield _Mention(name, match.start(), match.end(), "header")
    for match in re.finditer(r"\bbearer\b(?:[ ]+token)?|\boauth2?\b|\bjwt\b", text, re.IGNORECASE):
        yield _Mention("bearer", match.start(), match.end(), "bearer")


def _is_header_name(name: str) -> bool:
    return "-" in name or name[:1].isupper() or name.lower() in ("apikey", "authorization", "token")


def _distance(holder: _Mention, place: _Mention, text: str) -> int:
    """Characters between them; a sentence's end or an "and" between them puts them further apart."""
    low, high = min(holder.end, place.end), max(holder.start, place.start)
    between = text[low:high]
    return holder.apart(place) + 40 * len(re.findall(r"\band\b|[.;](?:\s|$)", between))


def _put(holder: _Mention, place: _Mention | None, text: str, literal: bool) -> Named:
    start = min(holder.start, place.start) if place else holder.start
    end = max(holder.end, place.end) if place else holder.end
    named = Named(start=start, end=end)
    named = replace(named, literal=holder.text) if literal else replace(named, variable=holder.text)
    if place is None:
        return named
    if place.place != "header" or place.text.lower() != "authorization":
        return replace(named, place=place.place, name="" if place.place == "bearer" else place.text)
    if match := _PREFIX.search(text):
        return replace(named, place="header", name="Authorization", prefix=match.group("prefix"))
    said = re.search(r"\b(bearer|basic|token|apikey)[ ]+$", text[: holder.start], re.IGNORECASE)
    if said and literal:
        return replace(named, place="header", name="Authorization", prefix=said.group(1))
    if re.search(r"\bbearer\b", text, re.IGNORECASE):
        return replace(named, place="bearer")
    return named


def _basic_words(text: str, variables: list[_Mention], literals: list[_Mention]) -> Named | None:
    """User and password, or None when the text does not speak of them."""
    basic = re.search(r"\bbasic\b", text, re.IGNORECASE)
    password_word = _PASSWORD_WORD.search(text)
    holders = sorted((*variables, *literals), key=lambda m: m.start)
    if not holders or not (basic or password_word):
        return None
    start, end = holders[0].start, holders[-1].end
    user_match = next(iter(_USER_WORD.finditer(text)), None)
    marks = [m for m in (basic, password_word, user_match) if m]
    start = min(start, *(m.start() for m in marks))
    end = max(end, *(m.end() for m in marks if m is not user_match))
    secret = _nearest_after(holders, password_word.end()) if password_word else holders[-1]
    named = Named(place="basic", start=start, end=end)
    named = replace(named, literal=secret.text) if secret in literals else replace(named, variable=secret.text)
    others = [m for m in holders if m is not secret]
    if others:
        user = min(others, key=lambda m: abs(m.start - (user_match.end() if user_match else secret.start)))
        return replace(named, user=user.text) if user in literals else replace(named, user_variable=user.text)
    if user_match and user_match.group("user") and user_match.group("user").lower() not in _STOP | _LEFT:
        return replace(named, user=user_match.group("user"), end=max(end, user_match.end()))
    return named if basic else None


def _nearest_after(holders: list[_Mention], position: int) -> _Mention:
    after = [m for m in holders if m.start >= position]
    return after[0] if after else holders[-1]
