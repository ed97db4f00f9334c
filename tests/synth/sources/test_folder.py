"""Folders, globs and archives of real files."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sandbox.broker import CallRefused
from synth.errors import SourceProblem
from synth.sources.duck import DuckSource
from synth.sources.folder import FolderDoors, wider_type
from tests.synth.sources.reading import names_of, opened, rows_of, types_of


def put(root: Path, files: dict[str, str | bytes | pa.Table]) -> Path:
    """Files below a folder: text, bytes, or a table as Parquet."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def folder(place: Path | str) -> DuckSource:
    """The source at a folder, glob or archive."""
    return opened(place, "folder", "folder")


def test_alike_files_are_one_table_with_the_columns_of_all(tmp_path: Path) -> None:
    put(
        tmp_path / "shop",
        {
            "sales_2021.csv": "id,amount,day\n1,2.50,2021-01-01\n2,3,2021-01-02\n",
            "sales_2022.csv": "id,amount,day,note\n3,2.5,2022-01-01,x\n",
            ".hidden": "x",
            "README.md": "# Sales\n\nWhat is here.\n",
        },
    )

    source = folder(tmp_path / "shop")

    assert names_of(source) == ["sales"]
    assert [(r["id"], r["amount"], r["note"]) for r in rows_of(source)] == [
        (1, Decimal("2.5"), None),
        (2, Decimal("3"), None),
        (3, Decimal("2.5"), "x"),
    ]
    assert any("README.md" in note for note in source.notes)


def test_files_named_for_what_their_rows_do_not_say_keep_their_name(tmp_path: Path) -> None:
    put(tmp_path / "weather", {"berlin.csv": "id,temp\n1,2.5\n2,3.5\n", "paris.csv": "id,temp\n1,2\n"})
    put(tmp_path / "parts", {f"part-x{i:04}.csv": f"id,v\n{i},1\n{i + 10},2\n" for i in range(3)})

    telling, numbered = folder(tmp_path / "weather"), folder(tmp_path / "parts")

    assert [r["_file"] for r in rows_of(telling)] == ["berlin.csv", "berlin.csv", "paris.csv"]
    assert list(types_of(numbered)) == ["id", "v"]
    assert names_of(numbered) == ["part_x"]


def test_different_files_are_tables_of_their_own_with_their_relations(tmp_path: Path) -> None:
    orders = [{"id": 1, "customer_id": 2, "lines": [{"sku": "a"}]}, {"id": 2, "customer_id": 1, "lines": []}]
    put(
        tmp_path / "shop",
        {"customers.csv": "id,name\n1,Ann\n2,Bob\n", "orders.json": json.dumps(orders), "none.csv": ""},
    )

    source = folder(tmp_path / "shop")

    assert names_of(source) == ["customers", "orders", "orders_lines"]
    assert [(r.table, r.to_table) for r in source.relations()] == [("orders_lines", "orders")]
    joined = source.capability.query(
        "SELECT name, o.id FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY 2"
    )
    assert [tuple(r.values()) for b in joined for r in b.to_pylist()] == [("Bob", 1), ("Ann", 2)]
    assert any("none.csv: it is empty" in note for note in source.notes)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_key_value_folders_give_typed_columns(tmp_path: Path, form: str) -> None:
    def content(*ids: int) -> str | pa.Table:
        return pa.table({"id": list(ids)}) if form == "parquet" else "id\n" + "\n".join(map(str, ids)) + "\n"

    put(
        tmp_path / "events",
        {
            f"year=2021/month=03/a.{form}": content(1, 2),
            f"year=2022/month=11/a.{form}": content(3, 4),
        },
    )

    source = folder(tmp_path / "events")

    assert names_of(source) == ["events"]
    assert {(r["id"], r["year"], r["month"]) for r in rows_of(source)} == {
        (1, 2021, 3),
        (2, 2021, 3),
        (3, 2022, 11),
        (4, 2022, 11),
    }


def test_parquet_files_with_more_columns_later_are_one_table(tmp_path: Path) -> None:
    put(
        tmp_path / "x",
        {
            "orders-1.parquet": pa.table({"id": [1], "a": [1.5]}),
            "orders-2.parquet": pa.table({"id": [2], "a": [2.5], "b": ["n"]}),
        },
    )

    source = folder(tmp_path / "x")

    assert names_of(source) == ["orders"]
    assert rows_of(source) == [{"id": 1, "a": 1.5, "b": None}, {"id": 2, "a": 2.5, "b": "n"}]


def test_a_glob_takes_what_matches(tmp_path: Path) -> None:
    put(tmp_path / "d", {"a1.csv": "k,v\n1,x\n2,y\n", "deep/a2.csv": "k,v\n3,z\n4,w\n", "b.json": '[{"q": 1}]'})

    shallow, deep = folder(f"{tmp_path}/d/*.csv"), folder(f"{tmp_path}/d/**/*.csv")

    assert [r["k"] for r in rows_of(shallow)] == [1, 2]
    assert [r["k"] for r in rows_of(deep)] == [1, 2, 3, 4]


def test_members_can_be_listed_and_read_by_name(tmp_path: Path) -> None:
    put(tmp_path / "d", {"a.csv": "k,v\n1,x\n2,y\n", "sub/b.csv": "k,v\n3,z\n4,w\n"})
    doors = folder(tmp_path / "d").capability
    assert isinstance(doors, FolderDoors)

    assert doors.list() == [{"name": "a.csv", "size": 12}, {"name": "sub/b.csv", "size": 12}]
    assert doors.list("sub/") == [{"name": "sub/b.csv", "size": 12}]
    assert [r for b in doors.records(within="sub/b.csv") for r in b.to_pylist()] == [
        {"k": 3, "v": "z"},
        {"k": 4, "v": "w"},
    ]
    assert list(doors.lines(within="a.csv")) == [["k,v", "1,x", "2,y"]]
    assert doors.text(within="a.csv").startswith("k,v")
    assert doors.read(2, 3, within="a.csv") == b"v\n1"
    assert doors.read(-5, 3, within="a.csv") == b"k,v"
    assert doors.read(2**80, 3, within="a.csv") == b""
    with pytest.raises(CallRefused):
        doors.text(within="../a.csv")


def test_a_closure_cannot_read_files_beside_the_views(tmp_path: Path) -> None:
    put(tmp_path / "d", {"a.csv": "k,v\n1,x\n2,y\n", "b.ndjson": '{"q": 1}\n{"q": 2}\n'})
    (tmp_path / "secret.csv").write_text("s\n1\n")
    source = folder(tmp_path / "d")

    with pytest.raises(CallRefused):
        list(source.capability.query(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')"))


def test_what_members_set_aside_is_told_with_their_name(tmp_path: Path) -> None:
    put(tmp_path / "d", {"log1.ndjson": '{"id": 1}\nbroken\n{"id": 2}\n', "log2.ndjson": '{"id": 3}\n{"id": 4}\n'})
    source = folder(tmp_path / "d")

    assert [r["id"] for r in rows_of(source)] == [1, 2, 3, 4]
    told = source.completeness()
    assert told.set_aside_count == 1
    assert told.set_aside[0].position == 2
    assert "log1.ndjson" in told.set_aside[0].rule


def test_types_that_differ_between_files_are_widened(tmp_path: Path) -> None:
    put(tmp_path / "d", {"x1.csv": "id,v,w\n1,2,a\n2,3,b\n", "x2.csv": "id,v,w\n3,2.5,7\n4,3.5,8\n"})

    source = folder(tmp_path / "d")

    assert [(r["v"], r["w"]) for r in rows_of(source)] == [
        (2, "a"),
        (3, "b"),
        (Decimal("2.5"), "7"),
        (Decimal("3.5"), "8"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("int32", "int64", "int64"),
        ("int64", "decimal128(18, 2)", "decimal128(38, 2)"),
        ("decimal128(10, 2)", "decimal128(10, 4)", "decimal128(18, 4)"),
        ("int64", "double", "double"),
        ("date32[day]", "timestamp[us]", "timestamp[us]"),
        ("string", "int64", None),
        ("decimal128(38, 0)", "decimal128(38, 10)", None),
    ],
)
def test_the_wider_of_two_types_loses_nothing(one: str, other: str, both: str | None) -> None:
    assert wider_type(one, other) == both
    assert wider_type(other, one) == both


def test_archives_are_read_like_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pack.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/orders.csv", "id,v\n1,2\n3,4\n")
        archive.writestr("x/people.csv", "name,city\nAnn,Rome\nBob,Oslo\n")
        archive.writestr("__MACOSX/x/._orders.csv", "junk")
    with tarfile.open(tmp_path / "pack.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        data = b"id,v\n1,2\n3,4\n"
        member = tarfile.TarInfo("orders.csv")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))

    zipped, tarred = folder(tmp_path / "pack.zip"), folder(tmp_path / "pack.tar.gz")

    assert names_of(zipped) == ["orders", "people"]
    assert rows_of(tarred) == [{"id": 1, "v": 2}, {"id": 3, "v": 4}]
    assert any("link.csv" in note for note in tarred.notes)


@pytest.mark.parametrize("name", ["../../evil.csv", "/evil.csv", "a/../../evil.csv", "C:\\evil.csv", "..\\evil.csv"])
def test_names_that_lead_out_of_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr(name, "id,v\n1,2\n")

    with pytest.raises(SourceProblem) as caught:
        folder(tmp_path / "pack.zip")

    assert caught.value.reason == "unreadable"
    assert not list(tmp_path.parent.glob("evil.csv"))


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.sources.folder.UNPACKED_BYTES", 4_000_000)
    with zipfile.ZipFile(tmp_path / "pack.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 20_000_000)

    with pytest.raises(SourceProblem) as caught:
        folder(tmp_path / "pack.zip")

    assert caught.value.reason == "too-large"


def test_bad_places_are_said_so(tmp_path: Path) -> None:
    put(tmp_path / "delta", {"_delta_log/0.json": "{}", "a.parquet": pa.table({"a": [1]})})
    put(tmp_path / "cut", {"a.zip": b"PK\x03\x04" + b"x" * 50})
    (tmp_path / "bare").mkdir()
    cases = {
        str(tmp_path / "no"): "missing",
        str(tmp_path / "*.nope"): "missing",
        str(tmp_path / "bare"): "empty",
        str(tmp_path / "delta"): "unknown-kind",
        str(tmp_path / "cut" / "a.zip"): "truncated",
    }
    found = {}

    for place in cases:
        with pytest.raises(SourceProblem) as caught:
            folder(place)
        found[place] = caught.value.reason

    assert found == cases


def test_one_broken_member_does_not_hide_the_others_but_makes_every_answer_incomplete(tmp_path: Path) -> None:
    put(tmp_path / "d", {"a.csv": "k,v\n1,x\n2,y\n", "b.json": '[{"q": 1}, {"q"'})

    source = folder(tmp_path / "d")

    assert names_of(source) == ["a"]
    assert len(rows_of(source)) == 2
    told = source.completeness()
    assert told.state == "incomplete"
    assert "b.json could not be read" in told.reason
    assert any("b.json" in note and "could not be read" in note for note in source.notes)


def test_links_that_lead_out_are_left_out(tmp_path: Path) -> None:
    put(tmp_path / "d", {"a.csv": "k,v\n1,x\n2,y\n"})
    (tmp_path / "outside.csv").write_text("k,v\n9,z\n")
    os.symlink(tmp_path / "outside.csv", tmp_path / "d" / "b.csv")

    source = folder(tmp_path / "d")

    assert [r["k"] for r in rows_of(source)] == [1, 2]
    assert any("b.csv" in note for note in source.notes)


@pytest.mark.parametrize("target", ["b.csv", "nowhere.csv"])
def test_links_that_lead_nowhere_or_round_in_circles_are_left_out(tmp_path: Path, target: str) -> None:
    put(tmp_path / "d", {"a.csv": "k,v\n1,x\n2,y\n"})
    os.symlink(target, tmp_path / "d" / "b.csv")

    source = folder(tmp_path / "d")

    assert [r["k"] for r in rows_of(source)] == [1, 2]
    assert any("b.csv" in note and "nowhere" in note for note in source.notes)


def test_temporary_files_go_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    put(tmp_path / "d", {"a.ndjson": '{"q": 1}\n{"q": 2}\n', "b.xml": "<a><r><n>1</n></r><r><n>2</n></r></a>"})
    source = folder(tmp_path / "d")
    before = [p for p in (tmp_path / "t").iterdir() if p.name != "tars-duckdb"]

    source.close()

    assert before
    assert not [p for p in (tmp_path / "t").iterdir() if p.name != "tars-duckdb"]
