"""The HTTP client of the host: it talks to the host that the user named and to no other, reads only, and always ends."""

from __future__ import annotations

import email.utils
import html
import ipaddress
import json
import re
import socket
import ssl
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, unquote_plus, urlsplit, urlunsplit

import httpcore
import httpx
import tenacity

from synth.errors import BadRequest, SourceProblem
from synth.source import OpenOptions
from synth.sources.auth_words import Secrets, Words, is_secret_parameter, read_words

PAGE_BYTES = 64 * 1024**2
FILE_BYTES = 2 * 1024**3
REDIRECTS = 5
# Waiting for an API that asks for patience, and trying again, ends after this many times the user's time-out.
PATIENCE = 3
SERVER_TRIES = 3
USER_AGENT = "tars (reads only)"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in ("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128")
)
_CARRIES_IPV4 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


def is_never_allowed(address: Address) -> bool:
    """Addresses that hold no data source: link-local (cloud metadata), multicast, unspecified, reserved."""
    address = _unwrapped(address)
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not address.is_loopback)
        or any(address in network for network in _NEVER if network.version == address.version)
    )


def is_inside(address: Address) -> bool:
    """This machine or a private network."""
    address = _unwrapped(address)
    return address.is_loopback or not address.is_global


def _unwrapped(address: Address) -> Address:
    """The IPv4 address within an IPv6 one that carries it, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    within = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if within is None and address not in (ipaddress.ip_address("::1"), ipaddress.ip_address("::")):
        for network in _CARRIES_IPV4:
            if address in network:
                within = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return within or address


class AddressRefused(Exception):
    """The name leads to an address that may not be spoken to."""


class _Deadline:
    """The moment by which the exchange under way must be over."""

    def __init__(self) -> None:
        self.at = float("inf")

    def left(self, timeout: float | None) -> float:
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long in all")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection on which every read and write ends by the deadline, so that a dripping server cannot hold us."""

    def __init__(self, within: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._within = within
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._within.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._within.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._within.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = self._within.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(within, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._within.get_extra_info(info)


class _CheckedBackend(httpcore.NetworkBackend):
    """Resolves a name itself and connects to the very address that it checked."""

    def __init__(self, deadline: _Deadline) -> None:
        self._within = httpcore.SyncBackend()
        self._deadline = deadline
        self._was_outside: set[str] = set()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port):
            try:
                stream = self._within.connect_tcp(
                    str(address), port, self._deadline.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            return _Stream(stream, self._deadline)
        raise problem

    def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address is known for {host}") from error
        addresses = [ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in found]
        for address in addresses:
            if is_never_allowed(address):
                raise AddressRefused(f"{host} leads to {address}, an address that no data source has")
            if not is_inside(address):
                self._was_outside.add(host)
            elif host in self._was_outside:
                # A public name that turns into a private address between two calls is an attack on what is inside.
                raise AddressRefused(f"{host} was a public address and now leads to {address}, inside this network")
        return list(dict.fromkeys(addresses))


class _Body(httpx.SyncByteStream):
    def __init__(self, within: Any) -> None:
        self._within = within

    def __iter__(self) -> Iterator[bytes]:
        yield from self._within

    def close(self) -> None:
        self._within.close()


class _Transport(httpx.BaseTransport):
    """httpx over a connection pool of our own: no proxy, no environment, checked addresses."""

    def __init__(self, deadline: _Deadline) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            network_backend=_CheckedBackend(deadline),
            max_connections=4,
            keepalive_expiry=15.0,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


@dataclass(frozen=True)
class Reply:
    """One answer, whole. `url` is where it came from in the end, masked; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """Media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True)
class ProbeResult:
    """What stands at an address: status, media type, the first bytes, and where redirects led. Nothing here is secret."""

    status: int
    content_type: str
    head: bytes
    final_url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """A file fetched to a temporary path (the caller removes it). `name` is what the server calls it, made harmless."""

    path: Path
    name: str
    content_type: str
    size: int
    final_url: str


class _Again(Exception):
    """Try once more, after `wait` seconds if the server said so."""

    def __init__(self, problem: SourceProblem, wait: float | None = None) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.wait = wait


Read = TypeVar("Read")


class Client:
    """Reads below one origin with the credentials of one request. Not to be used by two threads at once: calls queue up."""

    def __init__(self, location: str, options: OpenOptions, words: Words | None = None) -> None:
        self.words = words if words is not None else read_words(options.request, options.environment)
        self.secrets = Secrets()
        self._options = options
        url, userinfo, carried = self._address(location)
        self.origin = _origin(url)
        self.url = url
        self.auth = self.words.credentials(options.environment, self.secrets, userinfo, carried)
        self._deadline = _Deadline()
        self._lock = threading.Lock()
        self._rested_until = 0.0
        self._client = httpx.Client(
            transport=_Transport(self._deadline),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(options.timeout_seconds, connect=min(10.0, options.timeout_seconds)),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"user-agent": USER_AGENT, "accept-encoding": "gzip, deflate"},
        )

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def masked(self, url: str) -> str:
        """The address without anything secret, for messages, logs and cassettes."""
        return self.secrets.scrub(url)

    def get(self, url: str, params: Mapping[str, object] | None = None, accept: str = "application/json") -> Reply:
        """One GET with patience: rate limits are waited out, a server's stumble is tried again. SourceProblem otherwise."""
        return self._patiently(url, params, accept, self._whole)

    def probe(self, url: str, size: int = 65536) -> ProbeResult:
        """What is there, whatever its status: no patience, at most `size` bytes of the body."""

        def head(response: httpx.Response, masked: str) -> ProbeResult:
            parts: list[bytes] = []
            had = 0
            for part in _decoded(response, masked):
                parts.append(part)
                had += len(part)
                if had >= size:
                    break
            headers = {k: self.secrets.scrub(v) for k, v in response.headers.items() if k != "set-cookie"}
            kind = headers.get("content-type", "")
            return ProbeResult(response.status_code, kind, b"".join(parts)[:size], masked, headers)

        with self._lock:
            return self._exchange(url, None, "*/*", head)

    def download(self, url: str, cap: int = FILE_BYTES) -> Download:
        """The body as a temporary file, streamed. Too large is said, and nothing is left behind."""

        def to_file(response: httpx.Response, masked: str) -> Download:
            self._judge(response, masked)
            handle = tempfile.NamedTemporaryFile(prefix="tars-", suffix=".download", delete=False)  # noqa: SIM115
            size = 0
            try:
                with handle:
                    for part in _decoded(response, masked):
                        size += len(part)
                        if size > cap:
                            raise SourceProblem("too-large", f"{masked} sends more than {cap / 1024**3:g} GB")
                        handle.write(part)
            except BaseException:
                Path(handle.name).unlink(missing_ok=True)
                raise
            kind = response.headers.get("content-type", "")
            return Download(Path(handle.name), _file_name(response), kind, size, masked)

        return self._patiently(url, None, "*/*", to_file, deadline=600.0)

    def _address(self, location: str) -> tuple[str, tuple[str, str] | None, list[tuple[str, str]]]:
        """The address with its `${NAME}`s filled in, its userinfo, and the parameters that are credentials, taken out."""
        filled = fill(location, self._options.environment, self.secrets)
        try:
            parts = urlsplit(filled)
            port = parts.port
        except ValueError as error:
            raise BadRequest(f"{location!r} is not an address: {error}") from error
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise BadRequest(f"{self.masked(location)!r} is not an http or https address")
        if any(ord(c) < 33 or c in "\x7f\\" for c in filled):
            raise BadRequest(f"{self.masked(location)!r} holds a character that no address may hold")
        userinfo = None
        if parts.username is not None:
            userinfo = unquote(parts.username), unquote(parts.password or "")
            self.secrets.add(userinfo[1] or userinfo[0])
        kept: list[str] = []
        carried: list[tuple[str, str]] = []
        for pair in filter(None, parts.query.split("&")):
            name, _, value = (unquote_plus(each) for each in pair.partition("="))
            if not (is_secret_parameter(name) or self.secrets.holds(value)):
                kept.append(pair)
                continue
            carried.append((name, value))
            # A short word here (`key=name`) is hardly a credential, and stands in too many bodies to be struck out.
            if any(c.isdigit() for c in value) or len(value) >= 20:
                self.secrets.add(value)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        netloc = f"{host}:{port}" if port else host
        return urlunsplit((parts.scheme.lower(), netloc, parts.path or "/", "&".join(kept), "")), userinfo, carried

    def _patiently(
        self,
        url: str,
        params: Mapping[str, object] | None,
        accept: str,
        read: Callable[[httpx.Response, str], Read],
        deadline: float | None = None,
    ) -> Read:
        patience = self._options.timeout_seconds * PATIENCE
        ends = time.monotonic() + patience
        tries = {"server": 0}
        wait_more = tenacity.wait_exponential(multiplier=0.2, max=10) + tenacity.wait_random(0, 0.2)

        def wait(state: tenacity.RetryCallState) -> float:
            again = state.outcome.exception() if state.outcome else None
            told = again.wait if isinstance(again, _Again) else None
            seconds = told if told is not None else wait_more(state)
            if isinstance(again, _Again) and again.problem.reason == "rate-limited":
                self._options.progress(f"waiting {seconds:.0f} s: the API asks for patience")
            return seconds

        def stop(state: tenacity.RetryCallState) -> bool:
            again = state.outcome.exception() if state.outcome else None
            if not isinstance(again, _Again):
                return True
            if again.problem.reason != "rate-limited":
                tries["server"] += 1
                if tries["server"] >= SERVER_TRIES:
                    return True
            return time.monotonic() + (again.wait or 0.0) >= ends

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again), wait=wait, stop=stop, reraise=True, sleep=time.sleep
        )
        with self._lock:
            self._rest(ends)
            try:
                answer: Read = retrying(self._authenticated, url, params, accept, read, deadline)
                return answer
            except _Again as error:
                if error.problem.reason == "rate-limited" and error.wait is not None:
                    raise SourceProblem(
                        "rate-limited",
                        f"{error.problem.message}, and asks to wait {error.wait:.0f} s",
                        f"Try again then; TARS waits at most {patience:.0f} s",
                    ) from None
                raise error.problem from None

    def _rest(self, ends: float) -> None:
        """Wait as long as the last answer's rate-limit headers ask, when that is within our patience."""
        seconds = self._rested_until - time.monotonic()
        if seconds > 0 and self._rested_until < ends:
            self._options.progress(f"waiting {seconds:.0f} s: the API's quota is used up")
            time.sleep(seconds)

    def _authenticated(
        self,
        url: str,
        params: Mapping[str, object] | None,
        accept: str,
        read: Callable[[httpx.Response, str], Read],
        deadline: float | None,
    ) -> Read:
        """As `_exchange`; a 401 may be answered with the same credential put where the server says it belongs."""
        while True:
            try:
                return self._exchange(url, params, accept, read, deadline)
            except _Unauthorised as error:
                other = self.auth.other_way(error.challenge)
                if other is None:
                    raise error.problem from None
                self.auth = other

    def _exchange(
        self,
        url: str,
        params: Mapping[str, object] | None,
        accept: str,
        read: Callable[[httpx.Response, str], Read],
        deadline: float | None = None,
    ) -> Read:
        """One GET, redirects followed within the origin, its answer read by `read`."""
        current = _with_params(url, params)
        self._deadline.at = time.monotonic() + (deadline or self._options.timeout_seconds)
        for _ in range(REDIRECTS + 1):
            self._check(current)
            masked = self.masked(current)
            request = self._client.build_request("GET", self.auth.on_url(current), headers={"accept": accept})
            request.headers.update(self.auth.headers())
            with _problems_named(masked, self.secrets):
                response = self._client.send(request, stream=True)
                if deadline is None:
                    # An answer that has begun in time may take longer to arrive, within bounds.
                    self._deadline.at = time.monotonic() + self._options.timeout_seconds * PATIENCE
                try:
                    if response.status_code in (301, 302, 303, 307, 308) and "location" in response.headers:
                        current = self._redirected(current, response.headers["location"])
                        continue
                    self._note_quota(response)
                    return read(response, masked)
                finally:
                    response.close()
        raise SourceProblem("redirected", f"{self.masked(url)} redirects more than {REDIRECTS} times")

    def _check(self, url: str) -> None:
        if any(ord(c) < 33 or c in "\x7f\\" for c in url):
            raise SourceProblem("unreadable", f"{self.masked(url)!r} holds a character that no address may hold")
        if _origin(url) != self.origin:
            raise SourceProblem("redirected", f"{self.masked(url)} is not on {self.origin}, the host that was named")

    def _redirected(self, current: str, location: str) -> str:
        target = str(httpx.URL(current).join(location))
        there, here = urlsplit(target), urlsplit(current)
        if there.username is not None or there.scheme not in ("http", "https"):
            raise SourceProblem("redirected", f"{self.masked(current)} redirects to an address of another sort")
        if _origin(target) == self.origin:
            return target
        upgraded = (here.scheme, there.scheme) == ("http", "https") and here.port is None and there.port in (None, 443)
        if there.hostname == here.hostname and upgraded:
            self.origin = _origin(target)
            return target
        inside = _looks_inside(there.hostname or "")
        raise SourceProblem(
            "redirected",
            f"{self.masked(current)} redirects to another host, {_origin(target)}"
            + (", inside this machine or network" if inside else ""),
            "Nothing was sent there. Name that address yourself if you trust it",
        )

    def _note_quota(self, response: httpx.Response) -> None:
        """Remember until when to rest, where the API says that its quota is used up."""
        headers = response.headers
        remaining = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", ""))
        reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", headers.get("x-rate-limit-reset", "")))
        if remaining.strip() == "0" and re.fullmatch(r"\s*\d+(\.\d+)?\s*", reset):
            seconds = float(reset)
            if seconds > 1_000_000:  # a moment, not a length of time
                seconds -= time.time()
            self._rested_until = time.monotonic() + max(0.0, seconds)

    def _whole(self, response: httpx.Response, masked: str) -> Reply:
        self._judge(response, masked)
        parts: list[bytes] = []
        size = 0
        for part in _decoded(response, masked):
            size += len(part)
            if size > PAGE_BYTES:
                raise SourceProblem("too-large", f"{masked} sends more than {PAGE_BYTES // 1024**2} MB in one answer")
            parts.append(part)
        headers = {name.lower(): self.secrets.scrub(value) for name, value in response.headers.items()}
        links = {str(name): str(link.get("url", "")) for name, link in response.links.items()}
        return Reply(response.status_code, headers, self.secrets.scrub_bytes(b"".join(parts)), masked, links)

    def _judge(self, response: httpx.Response, masked: str) -> None:
        """Raise what the status means."""
        status = response.status_code
        if 200 <= status < 300:
            return
        says = self._what_it_says(response, masked)
        if status == 401:
            problem = SourceProblem(
                "authentication", f"{masked} wants to know who asks (401){says}", self._auth_hint(bool(self.auth))
            )
            raise _Unauthorised(problem, response.headers.get("www-authenticate", ""))
        if status == 429 or (status == 503 and "retry-after" in response.headers):
            wait = retry_after(response.headers.get("retry-after", ""), time.time())
            raise _Again(SourceProblem("rate-limited", f"{masked} allows no more requests for now ({status})"), wait)
        if status in (500, 502, 503, 504):
            raise _Again(SourceProblem("server-error", f"{masked} fails on its side ({status}){says}"))
        if status == 403:
            raise SourceProblem("authorisation", f"{masked} may not be read with these credentials (403){says}")
        if status in (404, 410):
            raise SourceProblem("not-found", f"there is nothing at {masked} ({status}){says}")
        if status in (407, 408):
            raise SourceProblem("unreachable", f"{masked} could not be reached ({status})")
        if 300 <= status < 400:
            raise SourceProblem("redirected", f"{masked} redirects without saying where ({status})")
        reason = "server-error" if status >= 500 else "unreadable"
        raise SourceProblem(reason, f"{masked} does not take this request ({status}){says}")

    def _what_it_says(self, response: httpx.Response, masked: str) -> str:
        """The server's own words on its refusal, short, scrubbed and without control characters."""
        head = b""
        try:
            for part in _decoded(response, masked):
                head += part
                if len(head) > 4096:
                    break
        except (SourceProblem, httpcore.ReadError, httpcore.ReadTimeout, httpcore.RemoteProtocolError):
            return ""
        words = said(head[:65536])
        return f": {self.secrets.scrub(words)}" if words else ""

    def _auth_hint(self, had: bool) -> str:
        if had:
            return f"{self.auth.described()} was not accepted; check its value and where it goes"
        names = sorted(
            name
            for name, value in self._options.environment.items()
            if value and re.search(r"(?:^|_)(TOKEN|KEY|APIKEY|SECRET|PASSWORD|PAT)$", name)
        )
        known = f" (set here: {', '.join('$' + n for n in names[:4])})" if names else ""
        return f"Say where the credential is, such as “bearer token in $API_TOKEN”{known}"


class _Unauthorised(Exception):
    def __init__(self, problem: SourceProblem, challenge: str) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.challenge = challenge


class _problems_named:  # noqa: N801
    """Turns what the network layer raises into SourceProblems, or into another try where that may help."""

    def __init__(self, masked: str, secrets: Secrets) -> None:
        self._masked = masked
        self._secrets = secrets

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, SourceProblem | _Again | _Unauthorised):
            return
        problem = self._problem(error)
        if problem is not None:
            raise problem from None

    def _problem(self, error: BaseException) -> Exception | None:
        at = self._masked
        if isinstance(error, AddressRefused):
            return SourceProblem("unreachable", str(error))
        if isinstance(error, httpcore.TimeoutException | httpx.TimeoutException | TimeoutError):
            return SourceProblem("timeout", f"{at} did not answer in time", "Allow more time, or try again later")
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                return SourceProblem("tls", f"no safe connection to {at}: {_tls_words(cause)}")
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, httpcore.ConnectError | httpx.ConnectError):
            return SourceProblem("unreachable", f"{at} cannot be reached: {self._secrets.scrub(str(error))}")
        if isinstance(error, httpcore.RemoteProtocolError | httpcore.ReadError | httpcore.WriteError):
            words = str(error)
            if "incomplete" in words or "without sending complete" in words:
                return _Again(SourceProblem("truncated", f"{at} broke off in the middle of its answer"))
            return _Again(SourceProblem("unreachable", f"{at} broke the connection: {self._secrets.scrub(words)}"))
        if isinstance(error, httpcore.LocalProtocolError | httpx.InvalidURL | UnicodeError):
            return SourceProblem("unreadable", f"{at} is not an address that can be asked for")
        return None


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    return (error.reason or "the handshake failed").replace("_", " ").lower()


def _decoded(response: httpx.Response, masked: str) -> Iterator[bytes]:
    """The body in pieces of at most 1 MB, decompressed step by step, so that a bomb never unfolds in memory."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise SourceProblem(
            "unreadable", f"the answer of {masked} is packed as {encoding[:40]!r}, which was not asked for"
        )
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding != "deflate" else None
    try:
        for packed in response.iter_raw():
            if inflate is None:
                # "deflate" is sent with and without its wrapper; the first byte tells.
                inflate = zlib.decompressobj(zlib.MAX_WBITS if packed[:1] == b"\x78" else -zlib.MAX_WBITS)
            while packed:
                yield inflate.decompress(packed, 1024**2)
                packed = inflate.unconsumed_tail
        if inflate is not None:
            yield inflate.flush()
            if not inflate.eof:
                raise SourceProblem("truncated", f"the packed answer of {masked} breaks off")
    except zlib.error as error:
        raise SourceProblem(
            "unreadable", f"the answer of {masked} says it is packed as {encoding}, and is not"
        ) from error


def retry_after(text: str, now: float) -> float | None:
    """Seconds to wait by a Retry-After header: a number of seconds or an HTTP date. None when it says neither."""
    text = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError):
        return None


def fill(text: str, environment: Mapping[str, str], secrets: Secrets) -> str:
    """The text with each `${NAME}` replaced by its value, which is secret from then on."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if not environment.get(name):
            raise SourceProblem("authentication", f"the address names ${name}, which is not set", f"export {name}=…")
        secrets.add(environment[name])
        return quote(environment[name], safe="")

    return re.sub(r"\$\{(\w+)\}", value, text)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port or {"http": 80, "https": 443}.get(scheme, 0)
    host = (parts.hostname or "").lower().rstrip(".")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + ("" if port == {"http": 80, "https": 443}.get(scheme) else f":{port}")


def _looks_inside(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return is_inside(ipaddress.ip_address(host))
    except ValueError:
        return False


def _with_params(url: str, params: Mapping[str, object] | None) -> str:
    """The address with these query parameters set; None takes one out. Values are encoded, so they stay values."""
    if not params:
        return url
    parsed = httpx.URL(url)
    merged = parsed.params
    for name, value in params.items():
        if value is None:
            merged = merged.remove(name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            merged = merged.remove(name)
            for each in value:
                merged = merged.add(name, _param(each))
        else:
            merged = merged.set(name, _param(value))
    return str(parsed.copy_with(params=merged))


def _param(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _file_name(response: httpx.Response) -> str:
    """The last part of the name that the server gives, or of the path; never a path itself."""
    given = response.headers.get("content-disposition", "")
    match = re.search(r"filename\*=[\w-]*'[^']*'([^;]+)", given) or re.search(r'filename="?([^";]+)', given)
    name = unquote(match.group(1)) if match else unquote(response.request.url.path)
    name = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])[:200]
    return "" if name in (".", "..") else name


def said(body: bytes) -> str:
    """What an error page or an error object says, in one short line."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith(("{", "[")):
        try:
            words = _message_in(json.loads(text))
        except (ValueError, RecursionError):
            words = ""
    elif text.startswith("<"):
        words = title_of(text)
    else:
        words = text
    words = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", words).strip(" .!?")
    return words if len(words) <= 160 else words[:159] + "…"


def _message_in(value: object, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and depth < 3:
        return _message_in(value[0], depth + 1)
    if isinstance(value, dict) and depth < 3:
        for name in ("message", "detail", "error_description", "error", "title", "errors", "reason", "description"):
            if value.get(name):
                return _message_in(value[name], depth + 1)
    return ""


def title_of(page: str) -> str:
    """The title (or first heading) of an HTML page."""
    match = re.search(r"<(title|h1)[^>]*>(.*?)</\1", page[:65536], re.IGNORECASE | re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", match.group(2))).strip() if match else ""


def json_of(reply: Reply, exact: bool = True) -> object:
    """The body as JSON. Numbers with a point are Decimals when `exact`, else floats. SourceProblem when it is no JSON."""
    body = reply.body
    if not body.strip():
        raise SourceProblem("empty", f"{reply.url} answers with an empty body")
    if reply.content_type in ("text/html", "application/xhtml+xml") or body.lstrip()[:1] == b"<":
        page = body.decode("utf-8", "replace")
        title = title_of(page)
        called = f" titled “{title[:120]}”" if title else ""
        sort = "an HTML page" if "<html" in page[:4096].lower() or "html" in reply.content_type else "markup"
        raise SourceProblem("not-json", f"{reply.url} answers with {sort}{called} where JSON was expected")
    try:
        text = _text_of(reply)
        if exact:
            return json.loads(text, parse_float=_number, parse_constant=lambda _: None)
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise SourceProblem("unreadable", f"{reply.url} answers with JSON nested too deeply") from None
    except UnicodeDecodeError as error:
        raise SourceProblem(
            "unreadable", f"{reply.url} answers with text that is not valid {error.encoding} at byte {error.start}"
        ) from None
    except json.JSONDecodeError as error:
        whole = error.pos >= len(text.rstrip()) - 1
        sort = "breaks off" if whole else "is not valid"
        raise SourceProblem(
            "unreadable", f"the JSON of {reply.url} {sort} at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except ValueError as error:
        raise SourceProblem("unreadable", f"the JSON of {reply.url} cannot be read: {error}") from None


def _text_of(reply: Reply) -> str:
    match = re.search(r"charset=\"?([\w-]+)", reply.headers.get("content-type", ""), re.IGNORECASE)
    if match and match.group(1).lower() in ("iso-8859-1", "latin-1", "windows-1252", "cp1252"):
        return reply.body.decode(match.group(1))
    return reply.body.decode(json.detect_encoding(reply.body))


def _number(text: str) -> object:
    return float(text) if "e" in text or "E" in text else Decimal(text)


def probe(url: str, options: OpenOptions) -> ProbeResult:
    """What stands at an address, read with the credentials that the request names. SourceProblem when unreachable."""
    client = Client(url, options)
    try:
        return client.probe(client.url)
    finally:
        client.close()


def download(url: str, options: OpenOptions) -> Download:
    """The file at an address, in a temporary path that the caller removes. At most 2 GB."""
    client = Client(url, options)
    try:
        return client.download(client.url)
    finally:
        client.close()
