"""Files and folders are known by what is in them; their names are evidence and never proof."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.catalog import catalogue
from synth.detect import detect, detect_many, to_json
from synth.detect_files import read_bytes
from synth.detect_score import Board
from synth.detection import Detection
from tests.synth.detect_cases import TEXTS
from tests.synth.detect_file_cases import make

LIES = (".csv", ".json", ".txt", ".xml", ".parquet", ".zip", ".png", ".xlsx", ".log", ".db")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes, str]]:
    return make(tmp_path_factory.mktemp("writers"))


def _kinds(folder: Path, cases: list[tuple[str, bytes, str]], names: list[str]) -> list[str]:
    wrong = []
    for at, ((_, data, kind), name) in enumerate(zip(cases, names, strict=True)):
        place = folder / str(at)
        place.mkdir()
        (place / name).write_bytes(data)
        found = detect(str(place / name))
        if found.kind not in kind.split("|"):
            wrong.append(f"{cases[at][0]}: {kind}, not {found.kind} ({found.confidence})")
    return wrong


def test_files_are_known_with_their_names(tmp_path: Path, cases: list[tuple[str, bytes, str]]) -> None:
    wrong = _kinds(tmp_path, cases, [name for name, _, _ in cases])

    assert len(cases) >= 120
    assert len(wrong) <= 0.04 * len(cases), wrong


def test_files_are_known_without_their_names(tmp_path: Path, cases: list[tuple[str, bytes, str]]) -> None:
    wrong = _kinds(tmp_path, cases, [f"f{at}" for at in range(len(cases))])

    assert len(wrong) <= 0.08 * len(cases), wrong


def test_files_are_known_when_the_name_lies(tmp_path: Path, cases: list[tuple[str, bytes, str]]) -> None:
    names = []
    for at, (name, _, _) in enumerate(cases):
        lie = next(each for each in LIES[at % 10 :] + LIES if not name.endswith(each))
        names.append(f"f{at}{lie}")
    wrong = _kinds(tmp_path, cases, names)

    assert len(wrong) <= 0.05 * len(cases), wrong


@pytest.mark.parametrize(("data", "kind"), TEXTS, ids=[f"{kind}-{at}" for at, (_, kind) in enumerate(TEXTS)])
def test_a_text_is_known_by_its_content_alone(data: bytes, kind: str) -> None:
    board = Board(catalogue())

    read_bytes(board, data, b"", len(data), "f")

    assert board.verdict("f").kind in kind.split("|"), board.verdict("f")


def test_a_file_takes_a_few_milliseconds(tmp_path: Path, cases: list[tuple[str, bytes, str]]) -> None:
    seconds = []
    for at, (_, data, _) in enumerate(cases):
        file = tmp_path / f"f{at}"
        file.write_bytes(data)
        started = time.perf_counter()
        detect(str(file))
        seconds.append(time.perf_counter() - started)

    assert statistics.median(seconds) < 0.02


def test_wrappings_are_listed_outermost_first(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv.gz.gz"
    file.write_bytes(gzip.compress(gzip.compress(b"id,total\n1,2.5\n2,3.5\n3,4.5\n")))

    found = detect(str(file))

    assert (found.kind, found.wrappings) == ("csv", ("gzip", "gzip"))


@pytest.mark.parametrize(
    "begin", [b"\xfe", b"\xff\x0a", b"\x1f\x9d", b"\xc7\x71", b"\x60\xea", b"\xff\xfb", b"MZ", b"\x05\x64"]
)
def test_a_binary_blob_called_csv_is_unknown_and_says_why(tmp_path: Path, begin: bytes) -> None:
    file = tmp_path / "blob.csv"
    file.write_bytes(begin + random.Random(5).randbytes(5000))

    found = detect(str(file))

    assert found.kind == "unknown"
    assert any("the content is binary" in words for words in found.evidence)


def test_a_picture_called_csv_is_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "photo.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))

    found = detect(str(file))

    assert found.kind == "png"
    assert found.confidence > 0.9


def test_a_missing_or_empty_file_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()

    assert detect(str(empty)).facts["empty"] is True
    assert any("no such file" in words for words in detect(str(tmp_path / "gone.csv")).evidence)
    assert detect(str(tmp_path / "gone")).kind == "unknown"
    assert detect("gone", mode="file").kind == "unknown"


def test_special_files_are_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))

        assert detect(str(pipe)).kind == "special-file"
        assert detect(str(tmp_path / "s")).kind == "special-file"


def test_a_loop_of_links_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")

    assert detect(str(tmp_path / "a.csv")).confidence <= 0.6


def test_a_bomb_is_looked_into_no_further_than_the_head(tmp_path: Path) -> None:
    file = tmp_path / "bomb.gz"
    packer = zlib.compressobj(9, wbits=31)
    with file.open("wb") as out:
        for _ in range(200):
            out.write(packer.compress(bytes(1024 * 1024)))
        out.write(packer.flush())
    started = time.perf_counter()

    found = detect(str(file))

    assert found.kind == "gzip"
    assert time.perf_counter() - started < 1.0


def test_nested_archives_end(tmp_path: Path) -> None:
    data = b"id,total\n1,2\n2,3\n"
    for _ in range(12):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("inner.zip", data)
        data = out.getvalue()
    file = tmp_path / "deep.zip"
    file.write_bytes(data)

    assert detect(str(file)).kind == "zip"


def test_deep_json_and_entity_bombs_are_only_looked_at(tmp_path: Path) -> None:
    deep, laughs = tmp_path / "deep.json", tmp_path / "laughs.xml"
    deep.write_text("[" * 60_000 + "]" * 60_000)
    laughs.write_text('<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><l>&b;</l>')

    assert detect(str(deep)).kind in ("json", "text", "unknown")
    assert detect(str(laughs)).kind == "xml"


def _tree(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            file.mkdir(exist_ok=True)
        else:
            file.write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("_delta_log/00000000000000000000.json", "part-0.parquet"), "delta"),
        (("metadata/v1.metadata.json", "data/a.parquet"), "iceberg"),
        ((".hoodie/hoodie.properties", "a.parquet"), "hudi"),
        ((".zgroup", "a/.zarray"), "zarr"),
        (("year=2021/a.parquet", "year=2022/b.parquet"), "partitioned"),
        (("datapackage.json", "a.csv"), "data-package"),
        ((".git/HEAD", "README.md"), "git"),
        (("cur/", "new/", "tmp/"), "maildir"),
        (("roads.shp", "roads.dbf", "roads.shx"), "shapefile"),
        (("a.dcm", "b.dcm", "c.dcm"), "dicom"),
        (("a.parquet", "b.parquet"), "parquet-folder"),
        (("a.csv", "b.csv", "c.csv"), "csv-folder"),
        (("a.json", "b.json"), "json-folder"),
        (("stops.txt", "routes.txt", "trips.txt"), "gtfs"),
        (("dataset_description.json", "sub-01/anat.nii"), "bids"),
        (("data.mdb", "lock.mdb"), "lmdb"),
        (("a.csv", "b.png", "c/d.py"), "folder"),
    ],
)
def test_folders_are_known_by_their_layout(tmp_path: Path, names: tuple[str, ...], kind: str) -> None:
    found = detect(str(_tree(tmp_path / "x", *names)))

    assert found.kind == kind, found


def test_a_pattern_of_names_is_read_by_the_folder_connector() -> None:
    found = detect("data/*.csv")

    assert (found.kind, found.connector, found.facts["member_kind"]) == ("glob", "folder", "csv")


def test_a_batch_answers_every_line_in_order(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,total\n1,2.5\n2,3.5\n")
    lines = [
        json.dumps(str(file)),
        json.dumps({"id": "x", "source": str(file), "mode": "file"}),
        "not json",
        json.dumps({"id": 3}),
        json.dumps({"id": 4, "source": "x", "mode": "zebra"}),
        "",
        json.dumps({"id": 5, "source": "redis://cache", "mode": "string", "port": 6379}),
    ]

    answers = list(detect_many(lines))

    assert [each.get("kind", "error") for each in answers] == ["csv", "csv", "error", "error", "error", "redis"]
    assert [each.get("id") for each in answers] == [None, "x", None, 3, 4, 5]
    assert json.loads(json.dumps(answers)) == answers


def test_a_thousand_files_by_batch_take_seconds(tmp_path: Path, cases: list[tuple[str, bytes, str]]) -> None:
    lines = []
    for at in range(1000):
        name, data, _ = cases[at % len(cases)]
        file = tmp_path / f"{at}-{name}"
        file.write_bytes(data)
        lines.append(json.dumps(str(file)))
    started = time.perf_counter()
    answers = list(detect_many(lines))
    seconds = time.perf_counter() - started

    assert len(answers) == 1000
    assert seconds < 10


def test_detecting_a_file_loads_no_heavy_library(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,total\n1,2.5\n2,3.5\n")
    code = (
        "import sys; from synth.detect import detect; detect(sys.argv[1]);"
        "print([m for m in ('pyarrow', 'duckdb', 'numpy', 'lxml', 'sqlglot', 'httpx', 'pydantic') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_to_json_is_plain() -> None:
    plain = to_json(
        Detection("s", "csv", "delimited", 0.9, ("a",), (("tsv", 0.1),), "delimited", ("gzip",), {"x": (1, 2)})
    )

    assert json.loads(json.dumps(plain)) == plain
    assert plain["alternatives"] == [{"kind": "tsv", "confidence": 0.1}]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_content_gets_an_answer(data: bytes) -> None:
    board = Board(catalogue())

    read_bytes(board, data or b"x", b"", len(data) or 1, "any.csv")

    assert 0 <= board.verdict("x").confidence <= 1


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "gb18030", "big5"])
def test_text_of_an_old_encoding_is_no_binary_format(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "cities.csv"
    path.write_bytes("都市,total\n東京,1\n大阪,2\n京都,3\n".encode(encoding))

    assert detect(str(path)).kind == "csv"
