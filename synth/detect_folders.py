"""What a folder is: by the names in it and one level below, never by opening what it holds."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from synth.detect_names import by_name
from synth.detect_score import Board


def read_folder(board: Board, path: Path) -> None:
    """Put on the board what a folder holds, by the names in it and one level below."""
    try:
        with os.scandir(path) as entries:
            found = sorted(
                ((entry.name, entry.is_dir()) for _, entry in zip(range(2000), entries, strict=False)),
                key=lambda pair: pair[0],
            )
    except OSError as problem:
        board.notes.append(f"cannot be listed: {problem.strerror}")
        board.add("folder", 2.0, "a folder")
        return
    names = {name for name, _ in found}
    folders = {name for name, is_folder in found if is_folder}
    files = [name for name, is_folder in found if not is_folder and not name.startswith((".", "_"))]
    lower = {name.lower() for name in names}
    board.add("folder", 2.5, f"a folder of {len(files)} files and {len(folders)} folders")
    board.facts["files"] = len(files)

    def says(kind: str, holds: bool, words: str, weight: float = 6.0) -> None:
        if holds:
            board.add(kind, weight, words)

    below = _names_below(path, folders)
    says("delta", "_delta_log" in folders, "it has _delta_log")
    says(
        "iceberg",
        "metadata" in folders
        and any(each.endswith(".metadata.json") or each == "version-hint.text" for each in below.get("metadata", ())),
        "it has Iceberg's metadata",
    )
    says("hudi", ".hoodie" in folders, "it has .hoodie")
    says(
        "paimon",
        {"schema", "snapshot", "manifest"} <= folders
        and any(each.startswith("schema-") for each in below.get("schema", ())),
        "it has Paimon's schema, snapshot and manifest",
    )
    says("zarr", bool(names & {".zgroup", ".zarray", ".zmetadata", "zarr.json"}), "it has Zarr's metadata")
    says(
        "n5",
        "attributes.json" in names and ("n5" in _peek_text(path / "attributes.json") or path.suffix == ".n5"),
        "it has N5's attributes",
    )
    says(
        "tiledb",
        bool(names & {"__schema", "__array_schema.tdb", "__tiledb_group.tdb", "__fragments"}),
        "it has TileDB's schema",
    )
    says("data-package", "datapackage.json" in lower, "it has datapackage.json")
    says(
        "git",
        ".git" in names or {"HEAD", "objects", "refs"} <= names,
        "it has a Git repository",
        4.5 if len(files) > 3 else 6.0,
    )
    says("mercurial", ".hg" in folders, "it has .hg")
    says("subversion", ".svn" in folders, "it has .svn")
    says("maildir", {"cur", "new", "tmp"} <= folders, "it has cur, new and tmp")
    says(
        "lancedb",
        any(each.endswith(".lance") for each in folders)
        or {"_versions", "data"} <= folders
        or "_latest.manifest" in names,
        "it has Lance tables",
    )
    says(
        "bids",
        "dataset_description.json" in names and any(each.startswith("sub-") for each in folders),
        "it has subjects and a description",
        7.0,
    )
    says("bagit", "bagit.txt" in lower, "it has bagit.txt")
    says("rocrate", "ro-crate-metadata.json" in names, "it has RO-Crate's metadata")
    says(
        "hf-dataset",
        bool(names & {"dataset_info.json", "dataset_dict.json"}) and bool(names & {"state.json", "dataset_dict.json"}),
        "it has a saved data set",
    )
    says("tf-savedmodel", "saved_model.pb" in names, "it has saved_model.pb")
    says("postgres-data", "PG_VERSION" in names and "base" in folders, "it has PG_VERSION and base")
    says(
        "leveldb",
        "CURRENT" in names
        and any(each.startswith("MANIFEST-") for each in names)
        and any(each.endswith((".ldb", ".log")) for each in names)
        and not any(each.startswith("OPTIONS-") for each in names),
        "it has CURRENT, MANIFEST and tables",
    )
    says(
        "rocksdb",
        "CURRENT" in names
        and any(each.startswith("MANIFEST-") for each in names)
        and any(each.startswith("OPTIONS-") for each in names),
        "it has CURRENT, MANIFEST and OPTIONS",
    )
    says("lmdb", {"data.mdb", "lock.mdb"} <= names, "it has data.mdb and lock.mdb")
    says(
        "file-geodatabase",
        path.suffix.lower() == ".gdb" and any(each.endswith(".gdbtable") for each in names),
        "it has .gdbtable files",
    )
    says("gtfs", {"stops.txt", "routes.txt", "trips.txt"} <= lower, "it has stops, routes and trips")
    says(
        "prometheus-tsdb",
        {"wal"} <= folders and any(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", each) for each in folders),
        "it has blocks and a write-ahead log",
    )
    says(
        "dicom",
        "DICOMDIR" in names
        or (bool(files) and sum(1 for each in files if each.lower().endswith(".dcm")) > 0.6 * len(files)),
        "it has DICOM files",
    )
    says(
        "shapefile",
        any(each.endswith(".shp") for each in lower) and any(each.endswith(".dbf") for each in lower),
        "it has .shp and .dbf",
        5.0,
    )
    says("node-project", "package.json" in names, "it has package.json", 3.5)
    says("python-project", bool(names & {"pyproject.toml", "setup.py"}), "it has a Python project's file", 3.5)
    keyed = [each for each in folders if re.fullmatch(r"[\w.-]+=[^/]*", each)]
    if keyed and len(keyed) >= 0.6 * len([each for each in folders if not each.startswith(("_", "."))]):
        board.add("partitioned", 6.0, f"folders like {keyed[0]}")
        board.facts["partition_keys"] = tuple(dict.fromkeys(each.partition("=")[0] for each in keyed))
        return
    _by_members(board, files or [name for each in below.values() for name in each], path if files else None)


def _names_below(path: Path, folders: set[str]) -> dict[str, list[str]]:
    found = {}
    for folder in sorted(folders)[:12]:
        try:
            with os.scandir(path / folder) as entries:
                found[folder] = [entry.name for _, entry in zip(range(200), entries, strict=False)]
        except OSError:
            continue
    return found


def _peek_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(2048).decode("utf-8", "replace")
    except OSError:
        return ""


_FOLDERS_OF = (
    ("parquet-folder", {"columnar"}),
    ("csv-folder", {"delimited"}),
    ("json-folder", {"json"}),
    ("log-folder", {"log"}),
    ("excel-folder", {"spreadsheet"}),
    ("image-folder", {"image"}),
)


def _by_members(board: Board, files: list[str], path: Path | None) -> None:
    kinds: Counter[str] = Counter()
    for name in files[:500]:
        found, _, _ = by_name(board.catalogue, name)
        if found:
            kinds[found[0]] += 1
    if not kinds:
        return
    families: Counter[str] = Counter()
    for kind, count in kinds.items():
        families[board.catalogue.kinds[kind].family] += count
    family, count = families.most_common(1)[0]
    member = next(kind for kind, _ in kinds.most_common() if board.catalogue.kinds[kind].family == family)
    board.facts["member_kind"] = member
    if count >= 0.7 * min(len(files), 500):
        for kind, wanted in _FOLDERS_OF:
            if family in wanted and (kind != "parquet-folder" or member == "parquet"):
                board.add(kind, 3.5 + count / min(len(files), 500), f"{count} of {len(files)} files are {member}")
