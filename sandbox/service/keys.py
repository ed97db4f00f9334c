"""This file is API keys: who may do what, until when and how often. Kept as hashes, in one file of the home folder.

A key is `tars_<id>_<secret>`. The secret is 256 random bits, so a plain SHA-256 of it cannot be searched backwards; what is
shown once when the key is made is stored nowhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

_TEXT = re.compile(r"tars_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SCOPE = re.compile(r"admin|metrics|validate|execute(?::[^\s:*]{1,200})?|run:(?:\*|[^\s:*]{1,200})")
_NOBODY = hashlib.sha256(b"nobody").hexdigest()
SCOPES = "execute, execute:SOURCE, validate, run:CLOSURE, run:*, metrics, admin"


class BadKey(Exception):
    """What was asked of the keys cannot be done; the message says what can."""


class KeysUnreadable(Exception):
    """The file of keys is damaged. Nobody is let in until it is repaired."""


@dataclass(frozen=True)
class Key:
    """One key, without its secret. Times are ISO 8601 in UTC; None for a quota means the service's default."""

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    created: str
    expires: str | None = None
    revoked: str | None = None
    per_minute: int | None = None
    per_day: int | None = None
    concurrent: int | None = None

    def is_good(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or datetime.fromisoformat(self.expires) > now)

    def may(self, scope: str) -> bool:
        """Whether one of its scopes covers this one: `execute` covers every source, `run:*` every closure, `admin` all."""
        return bool({"admin", scope, scope.partition(":")[0], scope.partition(":")[0] + ":*"} & set(self.scopes))

    def may_any(self, action: str) -> bool:
        """Whether it has the scope, or a narrower one of the same action."""
        return self.may(action) or any(scope.partition(":")[0] == action for scope in self.scopes)


ANYONE = Key("anyone", "anyone on this machine", "", ("admin",), "")
"""Who calls where there are no keys and only this machine can call."""


def add_key(
    home: Path,
    name: str,
    scopes: Sequence[str],
    *,
    days: float | None = None,
    per_minute: int | None = None,
    per_day: int | None = None,
    concurrent: int | None = None,
) -> tuple[Key, str]:
    """A new key and its text, which can be had only now. Raises BadKey."""
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise BadKey("a key needs a name of up to 100 printable characters, for the audit log")
    wrong = [scope for scope in scopes if not _SCOPE.fullmatch(scope)]
    if wrong or not scopes:
        raise BadKey(
            f"no scope {wrong[0]!r}; there are: {SCOPES}" if wrong else f"name at least one scope of: {SCOPES}"
        )
    if any(quota is not None and quota < 1 for quota in (per_minute, per_day, concurrent)):
        raise BadKey("a quota is 1 or more")
    if days is not None and not 0 < days <= 36_500:
        raise BadKey("a key is good for more than 0 and at most 36500 days")
    now = datetime.now(UTC)
    secret = secrets.token_urlsafe(32)
    key = Key(
        id=secrets.token_hex(6),
        name=name.strip(),
        hash=_hash(secret),
        scopes=tuple(dict.fromkeys(scopes)),
        created=now.isoformat(timespec="seconds"),
        expires=None if days is None else (now + timedelta(days=days)).isoformat(timespec="milliseconds"),
        per_minute=per_minute,
        per_day=per_day,
        concurrent=concurrent,
    )
    with _locked(home) as path:
        _write(path, [*_read(path), key])
    return key, f"tars_{key.id}_{secret}"


def list_keys(home: Path) -> list[Key]:
    """All keys, revoked and expired ones too, in the order they were made. Raises KeysUnreadable."""
    return _read(_path(home))


def revoke_key(home: Path, key_id: str) -> Key:
    """Revoke a key by its id, or by a name that only one key has; good at once in a running service. Raises BadKey."""
    with _locked(home) as path:
        keys = _read(path)
        found = [key for key in keys if key_id in (key.id, key.name)]
        if len(found) != 1:
            raise BadKey(f"{len(found) or 'no'} keys called {key_id!r}; `tars serve keys list` shows their ids")
        gone = replace(found[0], revoked=found[0].revoked or datetime.now(UTC).isoformat(timespec="seconds"))
        _write(path, [gone if key.id == gone.id else key for key in keys])
    return gone


class Keys:
    """The keys as a running service sees them: read again whenever the file changed."""

    def __init__(self, home: Path) -> None:
        self._file = _path(home)
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, Key] = {}

    def is_empty(self) -> bool:
        """Whether no key was ever made. Raises KeysUnreadable."""
        return not self._fresh()

    def known(self, text: str, now: datetime) -> Key | None:
        """The key of that text, if it is good. Takes as long for a wrong secret as for a right one. Raises KeysUnreadable."""
        keys = self._fresh()
        parts = _TEXT.fullmatch(text)
        key = keys.get(parts[1]) if parts else None
        same = hmac.compare_digest(_hash(parts[2] if parts else ""), key.hash if key else _NOBODY)
        return key if key is not None and same and key.is_good(now) else None

    def _fresh(self) -> dict[str, Key]:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            # A file that vanishes under a running service lets nobody in rather than everybody.
            if self._seen is not None:
                raise KeysUnreadable(f"the file of keys is gone: {self._file.name}") from None
            return {}
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        with self._lock:
            if mark != self._seen:
                self._keys = {key.id: key for key in _read(self._file)}
                self._seen = mark
            return self._keys


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _path(home: Path) -> Path:
    return home / "service" / "keys.json"


@contextmanager
def _locked(home: Path) -> Iterator[Path]:
    """The file's path, while nobody else changes it."""
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (path.parent / "keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


def _read(path: Path) -> list[Key]:
    try:
        told = json.loads(path.read_text())["keys"]
        return [Key(**{**one, "scopes": tuple(one["scopes"])}) for one in told]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeysUnreadable(f"the file of keys cannot be read ({type(error).__name__}): {path}") from None


def _write(path: Path, keys: Sequence[Key]) -> None:
    """Replace the file whole, readable by its owner only."""
    fresh = path.with_suffix(".new")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w") as stream:
        json.dump({"keys": [asdict(key) for key in keys]}, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
