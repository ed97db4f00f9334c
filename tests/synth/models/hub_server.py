"""A server that speaks the hub's protocol, on 127.0.0.1: one repository, whole or with what goes wrong on the way."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 4_096


@dataclass
class Hub:
    """What the server has and how it behaves. `breaks`: after so many bytes of a file the connection ends, so often."""

    repo: str
    files: dict[str, bytes]
    token: str = ""
    breaks: dict[str, list[int]] = field(default_factory=dict)
    corrupt: set[str] = field(default_factory=set)
    ignores_ranges: bool = False
    status: int = 200
    error_code: str = ""
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def info(self) -> dict[str, object]:
        """What the hub tells of the repository."""
        siblings: list[dict[str, object]] = []
        for name, data in self.files.items():
            one: dict[str, object] = {
                "rfilename": name,
                "size": len(data),
                "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest(),
            }
            if len(data) > LARGE:
                one["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            siblings.append(one)
        return {
            "id": self.repo,
            "modelId": self.repo,
            "sha": COMMIT,
            "private": False,
            "tags": [],
            "siblings": siblings,
        }

    def served(self, name: str) -> list[str]:
        """The Range of each request for a file; "" where there was none."""
        return [headers.get("range", "") for path, headers in self.asked if path.endswith(f"/{name}")]


@contextmanager
def hub(repo: str, folder: Path) -> Iterator[Hub]:
    """Serve a folder's files as a repository."""
    files = {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
    state = Hub(repo, files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            state.asked.append((path, {k.lower(): v for k, v in self.headers.items()}))
            if state.token and self.headers.get("authorization") != f"Bearer {state.token}":
                self._end(401, {"X-Error-Code": "GatedRepo"} if state.error_code == "GatedRepo" else {})
            elif state.status != 200:
                self._end(state.status, {"X-Error-Code": state.error_code} if state.error_code else {})
            elif re.fullmatch(rf"/api/models/{re.escape(repo)}(/revision/(main|{COMMIT}))?", path):
                body = json.dumps(state.info()).encode()
                self._end(200, {"Content-Type": "application/json"}, body)
            elif path.startswith(f"/api/models/{repo}/revision/"):
                self._end(404, {"X-Error-Code": "RevisionNotFound"})
            elif path.startswith(f"/{repo}/resolve/{COMMIT}/"):
                self._file(path.removeprefix(f"/{repo}/resolve/{COMMIT}/"))
            else:
                self._end(404, {"X-Error-Code": "RepoNotFound"})

        def _file(self, name: str) -> None:
            data = state.files.get(name)
            if data is None:
                self._end(404, {"X-Error-Code": "EntryNotFound"})
                return
            if name in state.corrupt:
                data = bytes(b ^ 1 for b in data)
            start, status, headers = 0, 200, {}
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
            if found and not state.ignores_ranges:
                start, status = int(found[1]), 206
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            cuts = state.breaks.get(name, [])
            self._end(status, headers, data[start:], cuts.pop(0) if cuts else None)

        def _end(self, status: int, headers: dict[str, str], body: bytes = b"", cut: int | None = None) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
