"""What a file or folder is: signatures, containers opened rather than named, structures, text; the name last.

At most the first 128 kB and the last 4 kB are read, of wrapped files as many unwrapped; nothing is ever executed.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zlib
from collections import Counter
from pathlib import Path

from synth.detect_score import Board
from synth.detect_strings import by_name
from synth.detect_text import read_text

HEAD = 131_072
TAIL = 4_096
DEPTH = 3
_TEXT_CONNECTORS = frozenset({"delimited", "fixed_width", "log_file", "json_file", "xml_file", "html_file"})
_TEXT_FAMILIES = frozenset({"delimited", "json", "xml", "config", "code", "log", "api-description"})
_BINARY_STRUCTURES = frozenset({"zip", "ole", "sqlite", "hdf5", "parquet", "arrow-stream", "tiff", "matroska"})


def read_path(board: Board, path: Path, mode: str = "auto") -> None:
    """Put on the board what is at this path. A path that cannot be read is noted, never raised."""
    try:
        info = path.stat()
    except OSError as problem:
        board.notes.append(f"cannot be looked at: {problem.strerror}")
        return
    if stat.S_ISDIR(info.st_mode):
        read_folder(board, path)
        return
    if not stat.S_ISREG(info.st_mode):
        board.add("special-file", 6.0, "a device, pipe or socket")
        return
    if info.st_size == 0:
        _name(board, path.name, None)
        board.add("empty", 3.0 if not board.signals else 0.4, "the file is empty")
        board.facts["empty"] = True
        return
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            tail = b""
            if info.st_size > len(head):
                stream.seek(-TAIL, os.SEEK_END)
                tail = stream.read(TAIL)
    except OSError as problem:
        board.notes.append(f"cannot be read: {problem.strerror}")
        _name(board, path.name, None)
        return
    board.facts["size"] = info.st_size
    read_bytes(board, head, tail, info.st_size, path.name, path)


def read_bytes(
    board: Board, head: bytes, tail: bytes, size: int, name: str, path: Path | None = None, depth: int = 0
) -> None:
    """Put on the board what these bytes are; `path` is there when they are a file of their own."""
    whole = size <= len(head)
    ending = tail or head[-TAIL:]
    _signatures(board, head, ending)
    kind, strength = board.best()
    binary = None
    if kind in _OPENED and strength >= 2:
        binary = True
        if _OPENED[kind](board, head, size, name, path, depth):
            return
    if strength < 4.5 and kind != "zip":
        if not read_text(board, head, whole=whole, name=name):
            binary = True
            _structures(board, head, ending, size, name, whole)
        elif binary is None:
            binary = False
    elif kind in ("postscript", "rtf", "ply", "pdf", "vtk"):
        binary = None
    elif binary is None:
        binary = True
    _unwrap_weak_text(board)
    _name(board, name, binary)


def _unwrap_weak_text(board: Board) -> None:
    """Plain text is what is left when nothing else is said."""
    others = [signal for signal in board.signals if signal.kind != "text" and signal.weight >= 3]
    if others:
        board.signals = [signal for signal in board.signals if signal.kind != "text" or signal.weight > 2.4]


def _signatures(board: Board, head: bytes, ending: bytes) -> None:
    found: dict[str, float] = {}
    for signature in board.catalogue.signatures:
        for offset, data in signature.parts:
            if offset >= 0:
                if not head.startswith(data, offset):
                    break
            elif not ending.startswith(data, max(0, len(ending) + offset)) or len(ending) < -offset:
                break
        else:
            if signature.weight > found.get(signature.kind, 0.0):
                found[signature.kind] = signature.weight
    strongest = max(found.values(), default=0.0)
    for kind, weight in found.items():
        if weight >= strongest - 2.0:
            board.add(kind, weight, f"the signature of {board.catalogue.kinds[kind].title}")


def _name(board: Board, name: str, binary: bool | None) -> None:
    """The name as evidence. A kind whose own mark is missing from the content is not believed by its name."""
    kinds, part, _ = by_name(board, name)
    if not part:
        return
    table = board.catalogue.kinds
    best, strength = board.best()
    whole_name = not part.startswith(".") or part.startswith(".env") or part.count(".") > 1
    for place, kind in enumerate(kinds):
        entry = table[kind]
        textual = (
            entry.connector in _TEXT_CONNECTORS or entry.family in _TEXT_FAMILIES or bool(entry.text or entry.lines)
        )
        marked = (bool(entry.signatures) and not entry.text) or entry.structure in _BINARY_STRUCTURES
        if binary is True and textual and not entry.signatures:
            board.notes.append(f"named {part}, but the content is binary")
            continue
        if binary is False and marked and board.strength(kind) <= 0:
            board.notes.append(f"named {part}, but without the mark of {entry.title}")
            continue
        if binary is True and marked and board.strength(kind) <= 0 and (entry.signatures or strength >= 4):
            board.notes.append(f"named {part}, but without the mark of {entry.title}")
            continue
        if binary is False and (entry.json or entry.xml) and not entry.text and "json" in entry.parents + ("xml",) and board.strength(kind) <= 0 and strength >= 3 and best in ("json", "xml", "ndjson"):  # fmt: skip
            weight = 0.8
        else:
            weight = (2.4 if whole_name else 1.9) - 0.5 * min(place, 2)
            if board.strength(kind) > 0 and place:
                weight += 0.5 * min(place, 2)
        if best in ("text", "unknown") or strength < 3 or board.strength(kind) > 0:
            weight += 0.6
        board.add(kind, weight, f"the name {'is' if whole_name else 'ends in'} {part}", weak=True)


# Containers


def _zip(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    import zipfile

    try:
        archive = zipfile.ZipFile(path if path is not None else io.BytesIO(head))
        names = [info.filename for info in archive.infolist()[:5000]]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        names = [found.decode("utf-8", "replace") for found in _local_names(head)]
        archive = None
        if size > len(head) or path is not None:
            board.notes.append("the archive's directory cannot be read; it may be cut off")
    try:
        kind, words = _zip_kind(archive, names, head)
        if kind:
            board.add(kind, 7.0, words)
            if "zip" not in board.catalogue.ancestors(kind):
                board.signals = [signal for signal in board.signals if signal.kind != "zip"]
            _name(board, name, True)
            return True
        data = [each for each in names if not each.endswith("/") and not each.startswith("__MACOSX/")]
        board.facts["members"] = len(data)
        if archive is not None and len(data) == 1 and depth < DEPTH and _peek(board, archive, data[0], depth):
            return True
    finally:
        if archive is not None:
            archive.close()
    board.add("zip", 2.0, f"a ZIP archive of {len(names)} members")
    inner = Counter(each.rsplit(".", 1)[-1].lower() for each in data if "." in each)
    if inner:
        board.facts["member_extensions"] = dict(inner.most_common(5))
    _name(board, name, True)
    return True


def _peek(board: Board, archive: object, member: str, depth: int) -> bool:
    """An archive of one data file is that file, wrapped; the same as gzip around it."""
    import zipfile

    assert isinstance(archive, zipfile.ZipFile)
    try:
        info = archive.getinfo(member)
        if info.flag_bits & 1:
            board.notes.append("its member is encrypted")
            return False
        with archive.open(info) as stream:
            piece = stream.read(HEAD)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError, KeyError, ValueError):
        return False
    inner = Board(board.catalogue)
    read_bytes(inner, piece, b"", info.file_size, member, None, depth + 1)
    verdict = inner.verdict(member)
    if not verdict.connector or verdict.connector == "folder" or verdict.confidence < 0.6:
        return False
    _take_over(board, inner, "zip", f"the only member {member!r}")
    return True


def _take_over(board: Board, inner: Board, wrapping: str, words: str) -> None:
    board.signals = [signal for signal in inner.signals]
    board.notes.extend([f"inside {wrapping}: {words}", *inner.notes])
    board.facts.update(inner.facts)
    board.wrappings[:] = [*board.wrappings, wrapping, *inner.wrappings]


def _local_names(head: bytes) -> list[bytes]:
    return [
        head[at + 30 : at + 30 + int.from_bytes(head[at + 26 : at + 28], "little")] for at in _all(head, b"PK\x03\x04")
    ][:500]


def _all(head: bytes, mark: bytes) -> list[int]:
    found: list[int] = []
    at = head.find(mark)
    while at >= 0 and len(found) < 500:
        found.append(at)
        at = head.find(mark, at + 4)
    return found


_ODF = {
    "spreadsheet": "ods", "text": "odt", "presentation": "odp", "graphics": "odg", "formula": "odf-formula",
    "base": "odb", "database": "odb", "spreadsheet-template": "ods", "text-template": "odt",
    "presentation-template": "odp",
}  # fmt: skip


def _zip_kind(archive: object, names: list[str], head: bytes) -> tuple[str, str]:
    have = set(names)
    if (names and names[0] == "mimetype") or "mimetype" in have:
        mimetype = _member(archive, "mimetype") or head[38:120]
        if b"application/epub+zip" in mimetype[:100]:
            return "epub", "its mimetype member says EPUB"
        found = re.match(rb"application/vnd\.oasis\.opendocument\.([a-z-]+)", mimetype)
        if found and found[1].decode() in _ODF:
            return _ODF[found[1].decode()], f"its mimetype member says {found[0].decode()}"
    if "[Content_Types].xml" in have:
        for piece, kind in (("xl/workbook.bin", "xlsb"), ("xl/", "xlsx"), ("word/", "docx"), ("ppt/", "pptx"), ("visio/", "vsdx"), ("3D/", "3mf"), ("Documents/1/", "xps"), ("FixedDocSeq.fdseq", "xps"), ("FixedDocumentSequence.fdseq", "xps"), ("DataModel", "power-bi"), ("extension.vsixmanifest", "vsix")):  # fmt: skip
            if any(each.startswith(piece) for each in names):
                types = _member(archive, "[Content_Types].xml") or b""
                if kind == "xlsx" and (b"sheet.macroEnabled" in types or "xl/vbaProject.bin" in have):
                    kind = "xlsm"
                elif kind == "xlsx" and b"spreadsheetml.template" in types:
                    kind = "xltx"
                elif kind == "docx" and (b"document.macroEnabled" in types or b"wordprocessingml.template" in types):
                    kind = "docm"
                return kind, f"an Office package with {piece}"
        if any(each.endswith(".nuspec") for each in names):
            return "nupkg", "a package with a .nuspec"
        return "ooxml", "an Office package"
    dirs = {each.split("/", 1)[0] for each in names if "/" in each}
    checks: tuple[tuple[bool, str, str], ...] = (
        ("AndroidManifest.xml" in have, "apk", "it has AndroidManifest.xml"),
        (any(re.match(r"Payload/[^/]+\.app/", each) for each in names), "ipa", "it has Payload/….app"),
        (any(each.endswith(".dist-info/WHEEL") or each.endswith(".dist-info/METADATA") for each in names), "wheel", "it has .dist-info"),
        ("META-INF/MANIFEST.MF" in have, "jar", "it has META-INF/MANIFEST.MF"),
        (bool(names) and all(each.endswith(".npy") for each in names), "npz", "every member is .npy"),
        (any(each.endswith("data.pkl") for each in names) and any("/data/" in each or each.endswith("/version") for each in names), "pytorch", "it has data.pkl and tensors"),
        ("doc.kml" in have or (any(each.endswith(".kml") for each in names) and len(names) < 50 and not any(each.endswith(".shp") for each in names)), "kmz", "it has a KML document"),
        (any(each.lower().endswith(".shp") for each in names) and any(each.lower().endswith(".dbf") for each in names), "shapefile", "it has .shp and .dbf"),
        ({"stops.txt", "routes.txt", "trips.txt"} <= {each.rsplit("/", 1)[-1] for each in names}, "gtfs", "it has stops, routes and trips"),
        (any((each.startswith("Index/") and each.endswith(".iwa")) or each == "Index.zip" for each in names), _iwork(names), "it has Apple's Index"),
        ("collection.anki2" in have or "collection.anki21" in have, "anki", "it has an Anki collection"),
        (any(each.endswith(".twb") for each in names), "tableau-packaged", "it has a .twb"),
        (any(each.endswith(".qgs") for each in names), "qgis", "it has a .qgs"),
        ("manifest.json" in have and "install.rdf" not in have and any(each.endswith(".js") for each in names), "vsix", "it has manifest.json and scripts"),
        ("fabric.mod.json" in have, "jar", "it is a mod"),
        (".zarray" in have or ".zgroup" in have or "zarr.json" in have, "zarr", "it has Zarr metadata"),
        ("datapackage.json" in have, "data-package", "it has datapackage.json"),
        (len(names) >= 2 and all(re.search(r"\.(?:jpe?g|png|webp|gif|xml|/)$|/$", each, re.I) for each in names) and sum(1 for each in names if re.search(r"\d+\.\w+$", each)) >= 0.7 * len(names), "", ""),
        ("META-INF/container.xml" in have and "mimetype" not in have and any(each.endswith(".opf") for each in names), "epub", "it has an OPF package"),
    )  # fmt: skip
    del dirs
    return next(((kind, words) for holds, kind, words in checks if holds and kind), ("", ""))


def _iwork(names: list[str]) -> str:
    joined = " ".join(names)
    if "Index/CalculationEngine" in joined and "Index/Slide" not in joined and "Tables/" in joined:
        return "numbers"
    return "keynote" if "Index/Slide" in joined or "MasterSlide" in joined else "pages"


def _member(archive: object, name: str) -> bytes:
    import zipfile

    if not isinstance(archive, zipfile.ZipFile):
        return b""
    try:
        with archive.open(name) as stream:
            return stream.read(16_384)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError, KeyError, ValueError):
        return b""


def _ole(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    directory = head
    if path is not None and len(head) >= 512:
        sector = 1 << min(16, int.from_bytes(head[30:32], "little") or 9)
        first = int.from_bytes(head[48:52], "little")
        at = (first + 1) * sector
        if len(head) <= at < size:
            try:
                with path.open("rb") as stream:
                    stream.seek(at)
                    directory = stream.read(16_384)
            except OSError:
                pass
        elif at < len(head):
            directory = head[at : at + 16_384] + head[:2048]
    for word, kind in (("Workbook", "xls"), ("Book", "xls"), ("WordDocument", "doc"), ("PowerPoint Document", "ppt"), ("__properties_version1.0", "msg"), ("__nameid_version1.0", "msg"), ("VisioDocument", "vsd"), ("Quill", "publisher"), ("Props9", "mpp"), ("EncryptedPackage", "ooxml")):  # fmt: skip
        if word.encode("utf-16-le") in directory or (len(word) > 5 and word.encode("utf-16-le") in head):
            if kind == "ooxml":
                board.facts["encrypted"] = True
            board.add(kind, 7.0, f"an OLE file with a stream called {word}")
            board.signals = [signal for signal in board.signals if signal.kind != "ole"]
            _name(board, name, True)
            return True
    if "䡀".encode("utf-16-le") in directory or name.lower().endswith(".msi"):
        board.add("msi", 4.0, "the streams of an installer")
    _name(board, name, True)
    return True


def _decompressed(kind: str, head: bytes) -> bytes:
    """The first bytes inside; empty when they cannot be had."""
    try:
        if kind == "gzip":
            return zlib.decompressobj(31).decompress(head, HEAD)
        if kind == "zlib":
            return zlib.decompressobj().decompress(head, HEAD)
        if kind == "bzip2":
            import bz2

            return bz2.BZ2Decompressor().decompress(head, HEAD)
        if kind in ("xz", "lzma"):
            import lzma

            return lzma.LZMADecompressor().decompress(head, HEAD)
        if kind == "zstd":
            import zstandard

            with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(io.BytesIO(head)) as stream:
                return bytes(stream.read(HEAD))
    except (zlib.error, OSError, EOFError, ValueError, ImportError, MemoryError):
        return b""
    except Exception as problem:  # lzma and zstandard raise classes of their own
        if type(problem).__name__ in ("LZMAError", "ZstdError"):
            return b""
        raise
    return b""


def _compressed(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    kind = board.best()[0]
    piece = _decompressed(kind, head) if depth < DEPTH else b""
    if not piece:
        if kind not in ("lz4", "snappy"):
            board.notes.append(f"what is inside {kind} cannot be read; it may be cut off")
        _name(board, name, True)
        return True
    stem = re.sub(r"\.(?:gz|gzip|bz2?|xz|zst|zstd|lzma|zz|z)$", "", name, flags=re.I)
    stem = re.sub(r"\.(?:tgz|tbz2?|txz|tlz|tzst)$", ".tar", stem, flags=re.I)
    stem = stem.removesuffix(".svgz") if stem != name else stem
    inner = Board(board.catalogue)
    read_bytes(
        inner, piece, b"", max(len(piece), HEAD + 1) if len(piece) >= HEAD else len(piece), stem, None, depth + 1
    )
    found, strength = inner.best()
    verdict = inner.verdict(stem)
    if verdict.kind == "unknown":
        board.facts["inner"] = "unknown"
        board.add(kind, 1.5, "what is inside is not recognised")
        return True
    _take_over(board, inner, kind, f"{found} ({strength:.1f})")
    if found in ("r-data", "rds", "osm-xml", "gnumeric", "nifti", "bam"):
        board.facts["inner_of"] = kind
    return True


def _tar(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    names: list[str] = []
    at = 0
    while at + 512 <= len(head) and len(names) < 200 and head[at : at + 1] != b"\x00":
        entry = head[at : at + 512]
        names.append(entry[:100].rstrip(b"\x00").decode("utf-8", "replace"))
        try:
            length = int(entry[124:136].strip(b"\x00 ") or b"0", 8)
        except ValueError:
            break
        at += 512 + (length + 511) // 512 * 512
    board.facts["members"] = len(names)
    if (
        "manifest.json" in names and any("layer" in each or "blobs/" in each for each in names)
    ) or "oci-layout" in names:
        board.add("docker-image", 4.0, "it has an image manifest and layers")
    if any(re.fullmatch(r"[^/]+/PKG-INFO", each) for each in names):
        board.add("sdist", 3.5, "it has PKG-INFO")
    _name(board, name, True)
    return True


def _sqlite(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    application = head[68:72]
    wal_or_pages = head[:HEAD]
    marks = (
        (application in (b"GPKG", b"GP10", b"GP11", b"GP12") or b"gpkg_contents" in wal_or_pages, "geopackage", "GeoPackage's application id or tables"),
        (application == b"MPBX" or (re.search(rb"CREATE (?:TABLE|VIEW) \W?tiles\b", wal_or_pages) is not None and b"zoom_level" in wal_or_pages), "mbtiles", "a table of tiles"),
        (b"spatial_ref_sys" in wal_or_pages and b"geometry_columns" in wal_or_pages and b"gpkg_" not in wal_or_pages, "spatialite", "SpatiaLite's tables"),
        (b"moz_places" in wal_or_pages, "firefox-places", "a table moz_places"),
        (b"CREATE TABLE urls(" in wal_or_pages and b"CREATE TABLE visits(" in wal_or_pages, "chrome-history", "tables urls and visits"),
        (b"CREATE TABLE notes" in wal_or_pages and b"CREATE TABLE revlog" in wal_or_pages, "anki", "tables notes and revlog"),
    )  # fmt: skip
    for holds, kind, words in marks:
        if holds:
            board.add(kind, 5.0, words)
            break
    _name(board, name, True)
    return True


def _hdf5(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    marks: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
        ((b"_NCProperties",), "netcdf4", "netCDF-4's own attribute"),
        ((b"MATLAB_class",), "matlab", "MATLAB's attributes"),
        ((b"anndata",), "h5ad", "AnnData's encoding"),
        ((b"LOOM_SPEC_VERSION",), "loom", "Loom's version"),
        ((b"row_attrs", b"col_attrs"), "loom", "Loom's groups"),
        ((b"keras_version",), "keras", "Keras' version"),
        ((b"nwb_version",), "nwb", "NWB's version"),
        ((b"NeurodataWithoutBorders",), "nwb", "NWB's name space"),
        ((b"HDF5::Cooler",), "cooler", "Cooler's format"),
        ((b"pandas_type",), "pandas-hdf", "pandas' attributes"),
        ((b"minc-2.0",), "minc", "MINC's group"),
        ((b"obsm", b"varm", b"uns"), "h5ad", "AnnData's groups"),
        ((b"DIMENSION_LIST", b"REFERENCE_LIST", b"_Netcdf4Dimid"), "netcdf4", "netCDF-4's dimensions"),
    )
    for words, kind, why in marks:
        if all(word in head for word in words):
            board.add(kind, 5.0, why)
            break
    _name(board, name, True)
    return True


def _tiff(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:3] == b"+" or head[3:4] == b"+"
    try:
        at = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
        piece = _at(head, path, at, 16_384)
        count = struct.unpack_from(order + ("Q" if big else "H"), piece, 0)[0]
        step, start = (20, 8) if big else (12, 2)
        tags = {struct.unpack_from(order + "H", piece, start + step * place)[0] for place in range(min(count, 200))}
    except struct.error:
        tags = set()
    if tags & {33550, 33922, 34735, 34264}:
        board.add("geotiff", 5.0, "GeoTIFF's tags")
    if 50706 in tags:
        board.add("dng", 5.0, "the tag of a camera raw")
    if b"<OME " in head or b"OME-XML" in head:
        board.add("ome-tiff", 5.0, "an OME description")
    _name(board, name, True)
    return True


def _at(head: bytes, path: Path | None, at: int, count: int) -> bytes:
    if at + 2 <= len(head):
        return head[at : at + count]
    if path is None:
        return b""
    try:
        with path.open("rb") as stream:
            stream.seek(min(at, 2**62))
            return stream.read(count)
    except OSError:
        return b""


def _matroska(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    if b"webm" in head[:80]:
        board.add("webm", 5.0, "its document type is webm")
        board.signals = [signal for signal in board.signals if signal.kind != "mkv"]
    _name(board, name, True)
    return True


def _parquet(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    if path is not None and size > 12:
        footer = _tail(path, size, 65_536) if size > len(head) else head
        if b"\x03geo" in footer and b"primary_column" in footer:
            board.add("geoparquet", 5.0, "a geo description in the footer")
        if footer[-4:] not in (b"PAR1", b"PARE"):
            board.notes.append("no Parquet mark at the end: it may be cut off")
    _name(board, name, True)
    return True


def _tail(path: Path, size: int, count: int) -> bytes:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, size - count))
            return stream.read(count)
    except OSError:
        return b""


def _arrow(board: Board, head: bytes, size: int, name: str, path: Path | None, depth: int) -> bool:
    if name.lower().endswith((".feather", ".ftr", ".fea")):
        board.add("feather", 3.0, "an Arrow file named as Feather version 2")
        board.signals = [
            signal if signal.kind != "arrow" else type(signal)("arrow", 2.0, signal.words) for signal in board.signals
        ]
        board.add("feather", 2.0, "the signature of Arrow")
    else:
        _name(board, name, True)
    return True


_OPENED = {
    "zip": _zip, "ole": _ole, "gzip": _compressed, "bzip2": _compressed, "xz": _compressed, "lzma": _compressed,
    "zstd": _compressed, "tar": _tar, "sqlite": _sqlite, "hdf5": _hdf5, "tiff": _tiff, "mkv": _matroska,
    "parquet": _parquet, "arrow": _arrow,
}  # fmt: skip


# Binary structures without a signature


def _structures(board: Board, head: bytes, ending: bytes, size: int, name: str, whole: bool) -> None:
    for probe in (_arrow_stream, _pickle, _bson, _dbf, _stata, _safetensors, _marc, _tfrecord, _pe, _pyc, _netpbm, _stl, _bencode, _ubjson, _der, _zlib, _miniseed, _dicom, _netcdf_like, _msgpack, _cbor, _protobuf):  # fmt: skip
        probe(board, head, size, whole, name)
        if board.best()[1] >= 4.5:
            return


def _arrow_stream(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if head[:4] == b"\xff\xff\xff\xff" and len(head) > 16:
        length, table = struct.unpack_from("<iI", head, 4)
        if 0 < length < 2**24 and length % 8 == 0 and 4 <= table < length:
            board.add("arrow-stream", 5.0, "an Arrow message of plausible length")


def _pickle(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if (
        head[:1] == b"\x80"
        and head[1:2] in b"\x02\x03\x04\x05"
        and (head[2:3] in b"\x95}]cq(XKGNUC\x8c\x88\x89J" or head.rstrip(b"\x00")[-1:] == b".")
    ):
        if head[1] < 4 and whole and not head.endswith(b"."):
            return
        if head[1] >= 4 and head[2:3] != b"\x95" and not (whole and head.endswith(b".")):
            return
        kind = "joblib" if b"joblib" in head[:512] else "pickle"
        board.add(kind, 5.0, f"a pickle of protocol {head[1]}; it is never opened, for that runs code")


def _bson(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    length = int.from_bytes(head[:4], "little")
    if 5 <= length <= min(size, 16 * 2**20) and len(head) > 6 and head[4] in {*range(1, 0x14), 0x7F, 0xFF}:
        key = head[5:70].split(b"\x00")[0]
        ends = head[length - 1 : length] == b"\x00" if length <= len(head) else True
        if (
            key
            and ends
            and re.fullmatch(rb"[\w.$ -]+", key)
            and (
                length == size
                or (length < len(head) and 5 <= int.from_bytes(head[length : length + 4], "little") <= size)
            )
        ):
            board.add("bson", 5.0, f"a document of {length} bytes that begins with the key {key.decode()!r}")


def _dbf(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if len(head) < 33 or head[0] not in (
        0x02,
        0x03,
        0x04,
        0x05,
        0x30,
        0x31,
        0x32,
        0x43,
        0x63,
        0x83,
        0x8B,
        0x8C,
        0xF5,
        0xFB,
    ):
        return
    header, record = struct.unpack_from("<HH", head, 8)
    if 1 <= head[2] <= 12 and 1 <= head[3] <= 31 and 33 <= header <= 65_000 and record > 1:
        ended = (
            head[header - 1 : header] in (b"\r", b"\x00")
            or head[header - 2 : header - 1] == b"\r"
            or b"\r" in head[32:header]
        )
        field = re.match(rb"\w+", head[32:43])
        if ended and field and chr(head[43]) in "CNDLFMIBGPTYV@+O0QW":
            board.add("dbf", 5.5, "a dBase header with fields")


def _stata(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if len(head) > 109 and head[0] in range(102, 116) and head[1] in (1, 2) and head[2] == 1 and head[3] == 0:
        order = "<" if head[1] == 2 else ">"
        if 0 < struct.unpack_from(order + "H", head, 4)[0] < 32_768:
            board.add("stata", 5.0, f"a Stata header of release {head[0]}")


def _safetensors(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    length = int.from_bytes(head[:8], "little")
    if 2 <= length <= 100 * 2**20 and length < size and head[8:10] in (b'{"', b"{ ", b"{\n", b"{}"):
        board.add("safetensors", 6.0, "a length and a JSON header of tensors")


def _marc(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if re.match(rb"\d{5}[a-z ][a-z ][a-z ][\w ]{2}22\d{5}", head) and b"\x1e" in head:
        board.add("marc", 6.0, "a MARC leader")


def _tfrecord(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    length = int.from_bytes(head[:8], "little")
    if (
        0 < length < size
        and size >= length + 16
        and head[4:8] == b"\0\0\0\0"
        and head[12:13] in (b"\x0a", b"\x09", b"\x08")
    ):
        if length + 16 == size or head[length + 20 : length + 24] == b"\0\0\0\0":
            kind = "tfevents" if b"brain.Event" in head[:200] else "tfrecord"
            board.add(kind, 4.6, "records with length and check sum")


def _pe(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if head[:2] == b"MZ" and len(head) > 64:
        at = int.from_bytes(head[60:64], "little")
        if head[at : at + 4] == b"PE\0\0":
            board.add("pe", 6.0, "a PE header")


def _pyc(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if (
        head[2:4] == b"\r\n"
        and len(head) > 16
        and (head[16:17] in (b"\xe3", b"\x63") or head[12:13] in (b"\xe3", b"\x63") or head[8:9] == b"\x63")
    ):
        board.add("pyc", 5.0, "a Python magic number and a code object")


def _netpbm(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if re.match(rb"P[1-6](?:\s+#[^\n]*)?\s+\d+\s+\d+|P7\nWIDTH|P[fF]\n\d+ \d+", head):
        board.add("netpbm", 6.0, "a Netpbm header")


def _stl(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if len(head) >= 84 and 84 + 50 * int.from_bytes(head[80:84], "little") == size and size > 84:
        board.add("stl", 5.5, "a count of triangles that fits the size")


def _bencode(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if re.match(rb"d\d+:[\w. -]+(?:\d+:|i-?\d+e|l|d)", head):
        board.add("bencode", 5.5, "a bencoded dictionary")


def _ubjson(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if re.match(rb"\{(?:\$.)?(?:#[iUIlL])?[iUIlL]", head[:8]) and head[1:2] in b"iUIl$#" and not head[:1].isspace():
        length = head[2] if head[1:2] in b"iU" else 0
        if length and head[3 : 3 + length].isascii() and head[3 : 3 + length].decode("ascii").isprintable():
            board.add("ubjson", 3.5, "an object with typed key lengths")


def _der(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if head[:2] in (b"0\x82", b"0\x81", b"0\x83"):
        count = head[1] & 15
        if (
            int.from_bytes(head[2 : 2 + count], "big") + 2 + count == size
            and head[2 + count : 3 + count] in b"\x30\x02\x06"
        ):
            board.add("asn1-der", 5.0, "a DER sequence as long as the file")


def _zlib(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if head[:2] in (b"x\x9c", b"x\x01", b"x\xda", b"x\x5e"):
        piece = _decompressed("zlib", head)
        if piece:
            inner = Board(board.catalogue)
            read_bytes(inner, piece, b"", len(piece), re.sub(r"\.(?:zz|zlib)$", "", name), None, 2)
            verdict = inner.verdict(name)
            if verdict.kind not in ("unknown", "text") and verdict.confidence > 0.7:
                _take_over(board, inner, "zlib", verdict.kind)
            else:
                board.add("zlib", 4.6, "a zlib stream")


def _miniseed(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if re.match(rb"\d{6}[DRQM][ \x00][A-Z0-9 ]{5}", head) or head[:3] == b"MS\x03":
        board.add("miniseed", 5.0, "a seismic record header")


def _dicom(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if head[:4] in (b"\x08\x00\x05\x00", b"\x08\x00\x00\x00", b"\x08\x00\x08\x00") and (
        head[4:6] in (b"CS", b"UL") or head[6:8] == b"\0\0"
    ):
        board.add("dicom", 3.5, "a DICOM data set without preamble")


def _netcdf_like(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if re.match(rb"\xff\xff\xff\xff\xff\xff\xff\xff", head[:8]) and head[8:12] == b"\0\0\0\0":
        board.notes.append("long runs of set bits")


def _msgpack(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    first = head[0]
    if not (0x80 <= first <= 0x9F or first in (0xDC, 0xDD, 0xDE, 0xDF)):
        return
    walked = _Walk(head, _msgpack_item).run()
    if walked and (walked[0] == size or (not whole and walked[0] > 64) or walked[0] > 256) and walked[1] >= 2:
        weight = 4.6 if walked[1] >= 4 else 3.0
        if walked[2]:
            weight += 0.8
        board.add("msgpack", weight, f"{walked[1]} MessagePack values")


def _cbor(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    if head[0] >> 5 not in (4, 5, 6):
        return
    walked = _Walk(head, _cbor_item).run()
    if walked and (walked[0] == size or (not whole and walked[0] > 64) or walked[0] > 256) and walked[1] >= 2:
        weight = 4.6 if walked[1] >= 4 else 3.0
        if walked[2]:
            weight += 0.8
        board.add("cbor", weight, f"{walked[1]} CBOR values")


class _Walk:
    """Walks self-describing binary values: how far it came, how many values, how many were words."""

    def __init__(self, data: bytes, item: object) -> None:
        self.data, self.at, self.values, self.words = data, 0, 0, 0
        self.item = item

    def run(self) -> tuple[int, int, int] | None:
        step = self.item
        assert callable(step)
        top = 0
        try:
            while self.at < len(self.data) and self.values < 4000:
                pending = 1
                while pending and self.values < 4000:
                    pending += step(self) - 1
                    self.values += 1
                top = self.at
        except IndexError:
            return (len(self.data), self.values, self.words) if self.values > 20 else None
        except ValueError:
            return None
        return top, self.values, self.words

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise IndexError
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def word(self, count: int) -> None:
        try:
            text = self.take(count).decode("utf-8")
        except UnicodeDecodeError as problem:
            raise ValueError("no text") from problem
        if text and text.isprintable():
            self.words += 1


def _msgpack_item(walk: _Walk) -> int:
    first = walk.take(1)[0]
    if first <= 0x7F or first >= 0xE0 or first in (0xC0, 0xC2, 0xC3):
        return 0
    if first <= 0x8F:
        return 2 * (first & 15)
    if first <= 0x9F:
        return first & 15
    if first <= 0xBF:
        walk.word(first & 31)
        return 0
    fixed = {
        0xCA: 4,
        0xCB: 8,
        0xCC: 1,
        0xCD: 2,
        0xCE: 4,
        0xCF: 8,
        0xD0: 1,
        0xD1: 2,
        0xD2: 4,
        0xD3: 8,
        0xD4: 2,
        0xD5: 3,
        0xD6: 5,
        0xD7: 9,
        0xD8: 17,
    }
    if first in fixed:
        walk.take(fixed[first])
        return 0
    sized = {
        0xC4: 1,
        0xC5: 2,
        0xC6: 4,
        0xC7: 1,
        0xC8: 2,
        0xC9: 4,
        0xD9: 1,
        0xDA: 2,
        0xDB: 4,
        0xDC: 2,
        0xDD: 4,
        0xDE: 2,
        0xDF: 4,
    }
    if first not in sized:
        raise ValueError("no MessagePack")
    count = int.from_bytes(walk.take(sized[first]), "big")
    if first in (0xD9, 0xDA, 0xDB):
        walk.word(count)
        return 0
    if first in (0xDC, 0xDD):
        return count
    if first in (0xDE, 0xDF):
        return 2 * count
    walk.take(count + (1 if first in (0xC7, 0xC8, 0xC9) else 0))
    return 0


def _cbor_item(walk: _Walk) -> int:
    first = walk.take(1)[0]
    major, extra = first >> 5, first & 31
    if extra in (28, 29, 30) or (extra == 31 and major in (0, 1, 6)):
        raise ValueError("no CBOR")
    if extra == 31:
        return 0 if major == 7 else _endless(walk)
    value = extra if extra < 24 else int.from_bytes(walk.take(1 << (extra - 24)), "big")
    if major == 2:
        walk.take(value)
    elif major == 3:
        walk.word(value)
    elif major == 4:
        return value
    elif major == 5:
        return 2 * value
    elif major == 6:
        return 1
    elif major == 7 and extra < 20:
        raise ValueError("an unassigned simple value")
    return 0


def _endless(walk: _Walk) -> int:
    raise IndexError if walk.values > 20 else ValueError("of unknown length")


def _protobuf(board: Board, head: bytes, size: int, whole: bool, name: str) -> None:
    at, fields, numbers = 0, 0, set()
    data = head[:4096]
    while at < len(data) and fields < 60:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if not 1 <= number <= 2000 or wire in (3, 4, 6, 7):
            return
        if wire == 0:
            _, at = _varint(data, at)
        elif wire == 1:
            at += 8
        elif wire == 5:
            at += 4
        else:
            count, at = _varint(data, at)
            if at < 0 or count > size:
                return
            at += count
        if at < 0:
            return
        fields += 1
        numbers.add(number)
    if (at == size and fields >= 2) or (at > len(data) and fields >= 1 and at <= size):
        weight = 2.2 + min(1.5, 0.2 * fields)
        if max(numbers) > 60:
            weight -= 1.0
        if b"proto3" in head or b".proto" in head[:200]:
            board.add("protobuf-descriptor", 5.0, "descriptors of .proto files")
        elif re.match(rb"\x0a[\x04-\x20]\x0a\x032\.0", head):
            board.add("gtfs-realtime", 5.0, "a feed header of GTFS Realtime")
        elif head[:1] == b"\x08" and re.search(rb"(?:pytorch|onnx|tf2onnx|skl2onnx|ir_version|ai\.onnx)", head[:4096]):
            board.add("onnx", 5.0, "a model with its producer")
        else:
            board.add("protobuf", weight, f"{fields} fields in wire format")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while 0 <= at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, -1


# Folders


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
    ("parquet-folder", {"columnar"}), ("csv-folder", {"delimited"}), ("json-folder", {"json"}), ("log-folder", {"log"}),
    ("excel-folder", {"spreadsheet"}), ("image-folder", {"image"}),
)  # fmt: skip


def _by_members(board: Board, files: list[str], path: Path | None) -> None:
    kinds: Counter[str] = Counter()
    for name in files[:500]:
        found, _, _ = by_name(board, name)
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
