"""What a file is wrapped in: gzip, bzip2, xz, zstandard or a zip of one member, unwrapped as a stream into a temporary file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Final, Protocol

from synth.errors import SourceProblem

CAP_BYTES: Final = 64 * 1024**3
"""More than this is never unwrapped."""
BOMB_BYTES: Final = 512 * 1024**2
BOMB_RATIO: Final = 500
"""A file that grows this many times, past BOMB_BYTES, is a bomb rather than data."""
DEPTH: Final = 3
CHUNK: Final = 1024 * 1024

SIGNATURES: Final = (
    (b"\x1f\x8b\x08", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"),
)  # fmt: skip
ALIASES: Final = {"gz": "gzip", "bz2": "bzip2", "zst": "zstd", "zstandard": "zstd", "lzma": "xz"}
SUFFIXES: Final = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".zip", ".lzma")


def wrapping_of(head: bytes) -> str:
    """The compression that these first bytes begin; empty for none."""
    return next((name for mark, name in SIGNATURES if head.startswith(mark)), "")


def inner_name(path: Path, wrappings: Sequence[str] = ()) -> str:
    """The file's name without the suffixes of its wrappings: `orders.csv.gz` is `orders.csv`."""
    name = path.name
    while name.lower().endswith(SUFFIXES) and "." in name[1:]:
        name = name.rpartition(".")[0]
    return name


def unwrapped(path: Path, wrappings: Sequence[str], new_file: Callable[[str], Path]) -> Path:
    """The path of the bare file: `path` itself when nothing is around it, else one from `new_file`, which the caller removes.

    `wrappings` are outermost first; when none are named, signatures are looked for. SourceProblem `truncated`, `unreadable`
    or `too-large` when unwrapping does not come to a clean end.
    """
    for depth in range(DEPTH + 1):
        with path.open("rb") as stream:
            kind = wrapping_of(stream.read(8))
        named = ALIASES.get(wrappings[depth].lower(), wrappings[depth].lower()) if depth < len(wrappings) else ""
        if not kind and named not in ("xz",):
            if named in {name for _, name in SIGNATURES}:
                raise SourceProblem("unreadable", f"{path.name} does not begin as {named} does", "Is it complete?")
            return path
        if depth == DEPTH:
            raise SourceProblem("too-large", f"{path.name} is wrapped more than {DEPTH} times")
        target = new_file(f"unwrapped-{depth}")
        _unwrap(path, kind or named, target)
        path = target
    return path


def _unwrap(path: Path, kind: str, target: Path) -> None:
    try:
        with closing(_opened(path, kind)) as stream, target.open("wb") as out:
            _copy(stream, out, path)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, OSError) as error:
        target.unlink(missing_ok=True)
        raise _problem(path, kind, error) from error
    except Exception as error:
        target.unlink(missing_ok=True)
        if type(error).__module__.startswith("zstandard") or type(error).__name__ == "ZstdError":
            raise _problem(path, kind, error) from error
        raise


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


def _copy(stream: _Readable, out: IO[bytes], path: Path) -> None:
    size = path.stat().st_size
    free = shutil.disk_usage(Path(out.name).parent).free
    written = 0
    while chunk := stream.read(CHUNK):
        written += len(chunk)
        if written > BOMB_BYTES and written > size * BOMB_RATIO:
            raise SourceProblem(
                "too-large", f"{path.name} unpacks to more than {BOMB_RATIO} times its size; not unpacked further"
            )
        if written > min(CAP_BYTES, free - 64 * 1024**2):
            raise SourceProblem(
                "too-large",
                f"{path.name} unpacks to more than {written // 1024**2} MB, which does not fit",
                "Unpack it yourself and name the file.",
            )
        out.write(chunk)


def _opened(path: Path, kind: str) -> _Readable:
    match kind:
        case "gzip":
            return gzip.open(path, "rb")
        case "bzip2":
            return bz2.open(path, "rb")
        case "xz":
            return lzma.open(path, "rb")
        case "zstd":
            return _Zstd(path)
        case _:
            return _only_member(path)


class _Zstd:
    """A zstandard stream that knows whether its last frame was whole; the library itself stays silent about it."""

    def __init__(self, path: Path) -> None:
        import zstandard

        self._raw = path.open("rb")
        self._make = zstandard.ZstdDecompressor(max_window_size=2**27)
        self._frame = self._make.decompressobj()
        self._rest = b""
        self._fresh = True

    def read(self, _size: int, /) -> bytes:
        """The next piece; empty at the end. EOFError when a frame is cut off."""
        while True:
            data = self._rest or self._raw.read(128 * 1024)
            self._rest = b""
            if not data:
                if not self._fresh:
                    raise EOFError("the last frame is cut off")
                return b""
            self._fresh = False
            out: bytes = self._frame.decompress(data)
            if self._frame.eof:
                self._rest = self._frame.unused_data
                self._frame = self._make.decompressobj()
                self._fresh = True
            if out:
                return out

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


def members_of(path: Path) -> list[zipfile.ZipInfo]:
    """The files of a zip that somebody meant to put there."""
    with zipfile.ZipFile(path) as archive:
        return [
            info
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and Path(info.filename).name not in (".DS_Store", "Thumbs.db")
        ]


def _only_member(path: Path) -> _Readable:
    members = members_of(path)
    if len(members) != 1:
        names = ", ".join(info.filename for info in members[:5])
        raise SourceProblem(
            "unreadable", f"{path.name} holds {len(members)} files ({names})", "Unpack it and name one of them."
        )
    if members[0].flag_bits & 1:
        raise SourceProblem("unreadable", f"{path.name} is encrypted", "Unpack it yourself and name the file.")
    archive = zipfile.ZipFile(path)
    return archive.open(members[0])


def _problem(path: Path, kind: str, error: Exception) -> SourceProblem:
    text = str(error).lower()
    if isinstance(error, OSError) and error.errno is not None:
        return SourceProblem("unreadable", f"{path.name} cannot be unpacked: {error.strerror or error}")
    cut = isinstance(error, EOFError) or "end-of-stream" in text or "truncated" in text or "incomplete" in text
    cut = cut or "not a zip file" in text or "end of central directory" in text
    if cut:
        return SourceProblem(
            "truncated", f"{path.name} ends in the middle of its {kind} data", "Fetch or copy it again."
        )
    return SourceProblem("unreadable", f"{path.name} is damaged: {error}", "Fetch or copy it again.")
