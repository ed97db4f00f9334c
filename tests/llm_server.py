"""A real chat server for the tests, on 127.0.0.1 and a port that the system chooses: it answers as it is told, well or badly.

with chatting(says("def closure …"), fails(429, headers={"Retry-After": "1"})) as server:
    endpoint_of("m", {"OPENAI_BASE_URL": server.url})

Plays are used up in order and the last one is repeated. It also serves as the proxy before another host, and over TLS with
a certificate of its own.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came; header names in lower case. `target` is the request line's, whole where a proxy is asked."""

    target: str
    headers: Mapping[str, str]
    body: Mapping[str, object]

    @property
    def prompt(self) -> str:
        """All messages together."""
        messages = self.body.get("messages", [])
        assert isinstance(messages, list)
        return "\n".join(str(m["content"]) for m in messages)


class Talk:
    """One answer in the making."""

    def __init__(self, handler: BaseHTTPRequestHandler, asked: Asked, closing: threading.Event) -> None:
        self._handler = handler
        self.asked = asked
        self.closing = closing

    def start(
        self, status: int, kind: str, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> None:
        """The head of the answer; without a length it ends with the connection."""
        self._handler.send_response(status)
        self._handler.send_header("content-type", kind)
        for name, value in (headers or {}).items():
            self._handler.send_header(name, value)
        if length is None:
            self._handler.send_header("connection", "close")
            self._handler.close_connection = True
        else:
            self._handler.send_header("content-length", str(length))
        self._handler.end_headers()

    def send(self, data: bytes) -> None:
        """Some bytes, now."""
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def event(self, value: object) -> None:
        """One event of a stream."""
        self.send(b"data: " + (value.encode() if isinstance(value, str) else json.dumps(value).encode()) + b"\n\n")

    def whole(
        self, status: int, body: object, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        """The answer at once."""
        data = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        self.start(status, kind, headers, len(data))
        self.send(data)

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the server lives."""
        self.closing.wait(seconds)


Play = Callable[[Talk], None]


def _chunk(delta: Mapping[str, object], finish: str | None = None) -> dict[str, object]:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def says(
    text: str,
    *,
    usage: tuple[int, int] | None = (100, 20),
    thought: str = "",
    refusal: str = "",
    finish: str | None = "stop",
    done: bool = True,
    pause: float = 0.0,
    piece: int = 24,
) -> Play:
    """A reply, streamed piece by piece, with usage as the last chunk where the request asks for it."""

    def play(talk: Talk) -> None:
        talk.start(200, "text/event-stream; charset=utf-8")
        talk.send(b": a comment, to keep the line open\n\n")
        talk.event(_chunk({"role": "assistant", "content": ""}))
        for key, whole in (("reasoning_content", thought), ("refusal", refusal), ("content", text)):
            for at in range(0, len(whole), piece):
                talk.event(_chunk({key: whole[at : at + piece]}))
                if pause:
                    talk.sleep(pause)
        if finish:
            talk.event(_chunk({}, finish))
        if usage and talk.asked.body.get("stream_options"):
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
            talk.event({**_chunk({}), "choices": [], "usage": counts})
        if done:
            talk.event("[DONE]")

    return play


def answers_whole(text: str, usage: tuple[int, int] = (100, 20), kind: str = "application/json") -> Play:
    """A reply as one JSON body, from a server that does not stream."""

    def play(talk: Talk) -> None:
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        message = {"role": "assistant", "content": text}
        body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": counts}
        talk.whole(200, body, kind)

    return play


def fails(
    status: int, message: str = "", *, code: str = "", param: str = "", headers: Mapping[str, str] | None = None
) -> Play:
    """An error in the shape that the hosted service gives it."""

    def play(talk: Talk) -> None:
        error = {"message": message, "type": "error", "code": code or None, "param": param or None}
        talk.whole(status, {"error": error}, headers=headers)

    return play


def refuses(name: str, then: Play, message: str = "") -> Play:
    """Wants none of the setting `name`: 400 as long as it is sent, else as `then`."""

    def play(talk: Talk) -> None:
        if name in talk.asked.body:
            fails(400, message or f"Unsupported parameter: '{name}'")(talk)
        else:
            then(talk)

    return play


def gives(status: int, body: str | bytes, kind: str = "text/html", headers: Mapping[str, str] | None = None) -> Play:
    """Anything at all."""
    return lambda talk: talk.whole(status, body, kind, headers)


def streams(*lines: str) -> Play:
    """A stream of exactly these lines."""

    def play(talk: Talk) -> None:
        talk.start(200, "text/event-stream")
        for line in lines:
            talk.send(line.encode() + b"\n")

    return play


def floods(data: bytes, megabytes: int = 40) -> Play:
    """Bytes without end."""

    def play(talk: Talk) -> None:
        talk.start(200, "text/event-stream")
        block = data * (65_536 // len(data) + 1)
        for _ in range(megabytes * 16):
            if talk.closing.is_set():
                return
            talk.send(block)

    return play


def hangs(seconds: float = 30.0) -> Play:
    """Says nothing for a long time."""
    return lambda talk: talk.sleep(seconds)


def drips(every: float = 0.2) -> Play:
    """A bit of a reply now and then, and no end of it."""

    def play(talk: Talk) -> None:
        talk.start(200, "text/event-stream")
        while not talk.closing.is_set():
            talk.event(_chunk({"content": "x"}))
            talk.sleep(every)

    return play


def replies(write: Callable[[Asked], str]) -> Play:
    """A model: what it says depends on what it was asked."""
    return lambda talk: says(write(talk.asked))(talk)


class ChatServer:
    """A running server, and the completions that it was asked for."""

    def __init__(self, plays: Sequence[Play], models: Sequence[str], tls: Path | None) -> None:
        self.plays = list(plays)
        self.models = list(models)
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                if urlsplit(self.path).path.endswith("/models"):
                    body = {"object": "list", "data": [{"id": m, "object": "model"} for m in outer.models]}
                    Talk(self, Asked(self.path, {}, {}), outer.closing).whole(200, body)
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(raw))
                with suppress(ConnectionError):
                    outer.next_play(asked)(Talk(self, asked, outer.closing))

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = int(self.server.server_address[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/v1"

    def next_play(self, asked: Asked) -> Play:
        """What to do about this request."""
        with self._lock:
            self.asked.append(asked)
            return self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]


@contextmanager
def chatting(*plays: Play, models: Sequence[str] = ("m",), tls: Path | None = None) -> Iterator[ChatServer]:
    """The server, for the block. `tls` is a folder with cert.pem and key.pem."""
    server = ChatServer(plays or (says("hello"),), models, tls)
    thread = threading.Thread(target=lambda: server.server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.server.shutdown()
        server.server.server_close()
        thread.join()


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed, with its key, in the folder."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def wait_until(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it came to hold in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.01)
    return holds()
