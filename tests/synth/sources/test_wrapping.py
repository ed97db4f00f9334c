from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from synth.errors import SourceProblem
from synth.sources import wrapping
from synth.sources.wrapping import inner_name, unwrapped

BODY = "".join(f"{i},value {i * 7919}\n" for i in range(3_000)).encode()


def zipped(data: bytes, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("a.csv",):
            archive.writestr(name, data)
    return buffer.getvalue()


WRAPPERS: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, lzma.compress, zstandard.compress, zipped]


def files(folder: Path) -> Callable[[str], Path]:
    return lambda name: folder / name


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_what_was_wrapped_comes_back(wrap: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.csv.x"
    path.write_bytes(wrap(BODY))

    assert unwrapped(path, (), files(tmp_path)).read_bytes() == BODY


@pytest.mark.parametrize("wrap", WRAPPERS)
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.98])
def test_a_cut_off_archive_is_called_truncated(wrap: Callable[[bytes], bytes], kept: float, tmp_path: Path) -> None:
    path = tmp_path / "a.csv.x"
    data = wrap(BODY)
    path.write_bytes(data[: int(len(data) * kept)])

    with pytest.raises(SourceProblem) as problem:
        unwrapped(path, (), files(tmp_path))

    assert problem.value.reason == "truncated"


def test_several_frames_are_read_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.compress(BODY) + zstandard.compress(b"more\n"))

    assert unwrapped(path, ("zstd",), files(tmp_path)).read_bytes() == BODY + b"more\n"


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "BOMB_BYTES", 1024**2)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\0" * 8 * 1024**2))

    with pytest.raises(SourceProblem) as problem:
        unwrapped(path, (), files(tmp_path))

    assert problem.value.reason == "too-large"


def test_a_zip_of_several_files_is_refused_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    path.write_bytes(zipped(b"a", "one.csv", "two.csv"))

    with pytest.raises(SourceProblem, match=r"one\.csv, two\.csv"):
        unwrapped(path, (), files(tmp_path))


def test_a_bare_file_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(BODY)

    assert unwrapped(path, (), files(tmp_path)) == path
    assert inner_name(Path("x/orders.csv.gz")) == "orders.csv"
