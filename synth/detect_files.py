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

from synth.catalog import TWO_BYTES
from synth.detect_binary import ASCII_PROBES, PROBES
from synth.detect_folders import read_folder
from synth.detect_names import by_name
from synth.detect_score import Board
from synth.detect_text import read_text

HEAD = 131_072
TAIL = 4_096
DEPTH = 3
_TEXT_CONNECTORS = frozenset({"delimited", "fixed_width", "log_file", "json_file", "xml_file", "html_file"})
_TEXT_FAMILIES = frozenset({"delimited", "json", "xml", "config", "code", "log", "api-description"})
_MARKUP = frozenset({"xml", "html", "xhtml", "svg"})
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
        for probe in ASCII_PROBES:
            probe(board, head, size, whole)
        if head[:1] >= b"\x80" and not head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            _structures(board, head, size, name, whole)
        if board.best()[1] >= 4.5:
            binary = True
        elif not read_text(board, head, whole=whole, name=name):
            binary = True
            if head[:1] < b"\x80":
                _structures(board, head, size, name, whole)
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
    kinds, part, _ = by_name(board.catalogue, name)
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
        if binary is False and _MARKUP & {kind, *entry.parents} and board.facts.get("begins") not in (None, "<"):
            board.notes.append(f"named {part}, but it does not begin as {entry.title} does")
            continue
        if binary is True and entry.structure in ("zip", "ole") and not _is_container(board):
            board.notes.append(f"named {part}, but it is no {entry.structure} container")
            continue
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
        if (
            binary is False
            and (entry.json or entry.xml)
            and not entry.text
            and "json" in (*entry.parents, "xml")
            and board.strength(kind) <= 0
            and strength >= 3
            and best in ("json", "xml", "ndjson")
        ):
            weight = 0.8
        else:
            weight = (2.4 if whole_name else 1.9) - 0.5 * min(place, 2)
            if board.strength(kind) > 0 and place:
                weight += 0.5 * min(place, 2)
        if best in ("text", "unknown", kind) or strength < 3:
            weight += 0.6
        board.add(kind, weight, f"the name {'is' if whole_name else 'ends in'} {part}", weak=True)
    best, strength = board.best()
    if binary is True and 0 < strength <= TWO_BYTES and best not in kinds:
        board.signals = [signal for signal in board.signals if signal.kind != best]
        board.notes.append(f"begins as {table[best].title} does, but with two bytes only, as any file may by chance")


def _is_container(board: Board) -> bool:
    """Some signal is of a zip or OLE file, or of a kind that is one."""
    kinds = board.catalogue.kinds
    return any(
        {signal.kind, kinds[signal.kind].structure, *board.catalogue.ancestors(signal.kind)} & {"zip", "ole"}
        for signal in board.signals
        if not signal.weak
    )


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
    board.signals = list(inner.signals)
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
    "spreadsheet": "ods",
    "text": "odt",
    "presentation": "odp",
    "graphics": "odg",
    "formula": "odf-formula",
    "base": "odb",
    "database": "odb",
    "spreadsheet-template": "ods",
    "text-template": "odt",
    "presentation-template": "odp",
}


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
        for piece, kind in (
            ("xl/workbook.bin", "xlsb"),
            ("xl/", "xlsx"),
            ("word/", "docx"),
            ("ppt/", "pptx"),
            ("visio/", "vsdx"),
            ("3D/", "3mf"),
            ("Documents/1/", "xps"),
            ("FixedDocSeq.fdseq", "xps"),
            ("FixedDocumentSequence.fdseq", "xps"),
            ("DataModel", "power-bi"),
            ("extension.vsixmanifest", "vsix"),
        ):
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
    checks: tuple[tuple[bool, str, str], ...] = (
        ("AndroidManifest.xml" in have, "apk", "it has AndroidManifest.xml"),
        (any(re.match(r"Payload/[^/]+\.app/", each) for each in names), "ipa", "it has Payload/….app"),
        (
            any(each.endswith(".dist-info/WHEEL") or each.endswith(".dist-info/METADATA") for each in names),
            "wheel",
            "it has .dist-info",
        ),
        ("META-INF/MANIFEST.MF" in have, "jar", "it has META-INF/MANIFEST.MF"),
        (bool(names) and all(each.endswith(".npy") for each in names), "npz", "every member is .npy"),
        (
            any(each.endswith("data.pkl") for each in names)
            and any("/data/" in each or each.endswith("/version") for each in names),
            "pytorch",
            "it has data.pkl and tensors",
        ),
        (
            "doc.kml" in have
            or (
                any(each.endswith(".kml") for each in names)
                and len(names) < 50
                and not any(each.endswith(".shp") for each in names)
            ),
            "kmz",
            "it has a KML document",
        ),
        (
            any(each.lower().endswith(".shp") for each in names)
            and any(each.lower().endswith(".dbf") for each in names),
            "shapefile",
            "it has .shp and .dbf",
        ),
        (
            {"stops.txt", "routes.txt", "trips.txt"} <= {each.rsplit("/", 1)[-1] for each in names},
            "gtfs",
            "it has stops, routes and trips",
        ),
        (
            any((each.startswith("Index/") and each.endswith(".iwa")) or each == "Index.zip" for each in names),
            _iwork(names),
            "it has Apple's Index",
        ),
        ("collection.anki2" in have or "collection.anki21" in have, "anki", "it has an Anki collection"),
        (any(each.endswith(".twb") for each in names), "tableau-packaged", "it has a .twb"),
        (any(each.endswith(".qgs") for each in names), "qgis", "it has a .qgs"),
        (
            "manifest.json" in have and "install.rdf" not in have and any(each.endswith(".js") for each in names),
            "vsix",
            "it has manifest.json and scripts",
        ),
        ("fabric.mod.json" in have, "jar", "it is a mod"),
        (".zarray" in have or ".zgroup" in have or "zarr.json" in have, "zarr", "it has Zarr metadata"),
        ("datapackage.json" in have, "data-package", "it has datapackage.json"),
        (
            len(names) >= 2
            and all(re.search(r"\.(?:jpe?g|png|webp|gif|xml|/)$|/$", each, re.I) for each in names)
            and sum(1 for each in names if re.search(r"\d+\.\w+$", each)) >= 0.7 * len(names),
            "",
            "",
        ),
        (
            "META-INF/container.xml" in have
            and "mimetype" not in have
            and any(each.endswith(".opf") for each in names),
            "epub",
            "it has an OPF package",
        ),
    )
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
    for word, kind in (
        ("Workbook", "xls"),
        ("Book", "xls"),
        ("WordDocument", "doc"),
        ("PowerPoint Document", "ppt"),
        ("__properties_version1.0", "msg"),
        ("__nameid_version1.0", "msg"),
        ("VisioDocument", "vsd"),
        ("Quill", "publisher"),
        ("Props9", "mpp"),
        ("EncryptedPackage", "ooxml"),
    ):
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
        (
            application in (b"GPKG", b"GP10", b"GP11", b"GP12") or b"gpkg_contents" in wal_or_pages,
            "geopackage",
            "GeoPackage's application id or tables",
        ),
        (
            application == b"MPBX"
            or (
                re.search(rb"CREATE (?:TABLE|VIEW) \W?tiles\b", wal_or_pages) is not None
                and b"zoom_level" in wal_or_pages
            ),
            "mbtiles",
            "a table of tiles",
        ),
        (
            b"spatial_ref_sys" in wal_or_pages and b"geometry_columns" in wal_or_pages and b"gpkg_" not in wal_or_pages,
            "spatialite",
            "SpatiaLite's tables",
        ),
        (b"moz_places" in wal_or_pages, "firefox-places", "a table moz_places"),
        (
            b"CREATE TABLE urls(" in wal_or_pages and b"CREATE TABLE visits(" in wal_or_pages,
            "chrome-history",
            "tables urls and visits",
        ),
        (
            b"CREATE TABLE notes" in wal_or_pages and b"CREATE TABLE revlog" in wal_or_pages,
            "anki",
            "tables notes and revlog",
        ),
    )
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
    "zip": _zip,
    "ole": _ole,
    "gzip": _compressed,
    "bzip2": _compressed,
    "xz": _compressed,
    "lzma": _compressed,
    "zstd": _compressed,
    "tar": _tar,
    "sqlite": _sqlite,
    "hdf5": _hdf5,
    "tiff": _tiff,
    "mkv": _matroska,
    "parquet": _parquet,
    "arrow": _arrow,
}


def _structures(board: Board, head: bytes, size: int, name: str, whole: bool) -> None:
    if len(head) < 4:
        return
    for probe in PROBES:
        probe(board, head, size, whole)
        if board.best()[1] >= 4.5:
            return
    _zlib(board, head, name)


def _zlib(board: Board, head: bytes, name: str) -> None:
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
