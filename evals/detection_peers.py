"""Other tools over the detection set: libmagic, Magika, puremagic and the names alone, each held to any honest name it gives.

An answer is right where the tool's label, media type, extension or description can be read as one of the kinds that are right.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from evals.detection import Answer, Naming, more_general, renamed
from evals.detection_set import File

Told = tuple[frozenset[str], float]
"""The kinds that a tool's answer can be read as, and how sure it says it is; certain where it does not say."""

LABELS: dict[str, tuple[str, ...]] = {
    # Magika's labels, and libmagic's words, that are called otherwise here.
    "txt": ("text",),
    "jsonl": ("ndjson",),
    "gzip": ("gzip",),
    "bzip": ("bzip2",),
    "zst": ("zstd",),
    "sevenzip": ("7z",),
    "matlab": ("matlab", "matlab-code"),
    "proto": ("protobuf-schema",),
    "sql": ("sql-dump",),
    "shell": ("shell",),
    "cs": ("csharp",),
    "pebin": ("pe",),
    "macho": ("mach-o",),
    "javabytecode": ("java-class",),
    "pythonbytecode": ("pyc",),
    "tex": ("latex",),
    "markdown": ("markdown",),
    "ics": ("icalendar",),
    "vcs": ("icalendar",),
    "mht": ("mhtml",),
    "email": ("eml",),
    "asp": ("html",),
    "rdf": ("rdf-xml",),
    "hdf": ("hdf5", "netcdf4"),
    "h5": ("hdf5",),
    "riff": ("wav", "avi", "webp"),
    "ogg": ("ogg", "opus"),
    "3gp": ("3gp", "mp4"),
    "quicktime": ("mov",),
    "qt": ("mov",),
    "asf": ("wmv",),
    "mts": ("mpeg-ts",),
    "tif": ("tiff",),
    "jpg": ("jpeg",),
    "htm": ("html",),
    "yml": ("yaml",),
    "sqlite3": ("sqlite",),
    "fb2": ("fb2",),
    "pem": ("pem",),
    "crt": ("pem",),
    "odt": ("odt",),
    "ooxml": ("xlsx", "docx", "pptx"),
    "ole": ("xls", "doc", "ppt"),
    "dockerfile": ("dockerfile",),
    "winregistry": ("windows-registry",),
    "internetshortcut": ("url-shortcut",),
    "postscript": ("postscript",),
    "bib": ("bibtex",),
    "cobol": ("cobol",),
    "clojure": ("clojure", "edn"),
    "gemfile": ("ruby",),
    "srt": ("srt",),
    "vtt": ("webvtt",),
    "torrent": ("bencode",),
    "pickle": ("pickle",),
    "po": ("gettext-po",),
    "isoimage": ("iso",),
    "dicom": ("dicom",),
    "diff": ("diff",),
    "patch": ("diff",),
    "smali": ("text",),
    "m3u": ("m3u",),
    "mp3": ("mp3",),
    "midi": ("midi",),
    "bmp": ("bmp",),
    "mscompress": ("compress",),
    "wasm": ("wasm",),
    "unknown": (),
}
WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # What libmagic's descriptions say, where neither title nor id of a kind is found in them.
    (r"JSON text data", ("json",)),
    (r"New Line Delimited JSON", ("ndjson",)),
    (r"CSV (ASCII|text|Unicode|ISO|UTF)", ("csv",)),
    (r"^(ASCII|Unicode|ISO-8859|Non-ISO|UTF-8).* text", ("text",)),
    (r"XML .*document", ("xml",)),
    (r"HTML document", ("html", "xhtml")),
    (r"Zip archive", ("zip",)),
    (r"gzip compressed", ("gzip",)),
    (r"XZ compressed", ("xz",)),
    (r"bzip2 compressed", ("bzip2",)),
    (r"POSIX tar", ("tar",)),
    (r"Hierarchical Data Format \(version 5\)", ("hdf5", "netcdf4", "netcdf")),
    (r"NetCDF", ("netcdf",)),
    (r"SQLite 3", ("sqlite",)),
    (r"Microsoft Excel 2007|Microsoft OOXML", ("xlsx",)),
    (r"Microsoft Word 2007", ("docx",)),
    (r"Microsoft PowerPoint 2007", ("pptx",)),
    (r"Composite Document File V2.*Excel", ("xls",)),
    (r"OpenDocument Spreadsheet", ("ods",)),
    (r"OpenDocument Text", ("odt",)),
    (r"OpenDocument Presentation", ("odp",)),
    (r"OpenDocument Drawing", ("odg",)),
    (r"C source", ("c",)),
    (r"C\+\+ source", ("cpp",)),
    (r"Python script", ("python",)),
    (r"(Bourne|POSIX).*shell script", ("shell",)),
    (r"Perl script", ("perl",)),
    (r"Ruby script", ("ruby",)),
    (r"PHP script", ("php",)),
    (r"DOS batch", ("batch",)),
    (r"makefile script", ("makefile",)),
    (r"LaTeX", ("latex",)),
    (r"RFC 822 mail|SMTP mail", ("eml",)),
    (r"Java source", ("java",)),
    (r"vCalendar", ("icalendar",)),
    (r"vCard", ("vcard",)),
    (r"SubRip", ("srt",)),
    (r"WebVTT", ("webvtt",)),
    (r"unified diff", ("diff",)),
    (r"pcap capture", ("pcap",)),
    (r"pcapng capture", ("pcapng",)),
    (r"PEM certificate", ("pem",)),
    (r"PGP public key", ("pgp",)),
    (r"OpenSSH .* public key", ("ssh-key",)),
    (r"GNU message catalog", ("gettext-mo",)),
    (r"BitTorrent", ("bencode",)),
    (r"Apple binary property list", ("binary-plist", "plist")),
    (r"Apache Parquet", ("parquet",)),
    (r"Apache ORC", ("orc",)),
    (r"Apache Avro", ("avro",)),
    (r"SPSS System File", ("spss",)),
    (r"SPSS Portable", ("spss-portable",)),
    (r"Stata", ("stata",)),
    (r"FITS image", ("fits",)),
    (r"NumPy", ("npy",)),
    (r"Matlab v", ("matlab",)),
    (r"NIfTI", ("nifti",)),
    (r"DICOM", ("dicom",)),
    (r"ESRI Shapefile", ("shapefile", "shapefile-index")),
    (r"DBase|dBase|FoxBase", ("dbf",)),
    (r"OGC GML|GeoPackage", ("geopackage",)),
    (r"ISO 9660", ("iso",)),
    (r"Zstandard", ("zstd",)),
    (r"LZ4", ("lz4",)),
    (r"7-zip", ("7z",)),
    (r"zlib compressed", ("zlib",)),
    (r"LZMA compressed", ("lzma",)),
    (r"snappy", ("snappy",)),
    (r"EPUB", ("epub",)),
    (r"Java archive", ("jar",)),
    (r"Android package", ("apk",)),
    (r"MPEG transport stream", ("mpeg-ts",)),
    (r"MPEG sequence", ("mpeg",)),
    (r"Matroska", ("mkv",)),
    (r"WebM", ("webm",)),
    (r"Apple QuickTime", ("mov",)),
    (r"ISO Media", ("mp4", "3gp")),
    (r"Flash Video", ("flv",)),
    (r"Microsoft ASF", ("wmv",)),
    (r"MPEG ADTS|Audio file with ID3", ("mp3",)),
    (r"WAVE audio", ("wav",)),
    (r"FLAC audio", ("flac",)),
    (r"Standard MIDI", ("midi",)),
    (r"Netpbm", ("netpbm",)),
    (r"JPEG 2000", ("jp2",)),
    (r"TIFF image", ("tiff",)),
    (r"MS Windows icon", ("ico",)),
    (r"TrueType", ("ttf",)),
    (r"Web Open Font Format,", ("woff",)),
    (r"Web Open Font Format \(Version 2\)", ("woff2",)),
    (r"ELF ", ("elf",)),
    (r"git-diff", ("diff",)),
    (r"Rich Text Format", ("rtf",)),
    (r"PostScript", ("postscript",)),
    (r"PDF document", ("pdf",)),
    (r"M3U playlist", ("m3u",)),
    (r"SVG Scalable", ("svg",)),
    (r"exported SGML", ("xml", "html")),
    (r"LDIF", ("ldif",)),
    (r"mbox", ("mbox",)),
    (r"^empty", ("empty",)),
    (r"LevelDB", ("leveldb",)),
    (r"OpenStreetMap", ("osm-xml",)),
    (r"Data Interchange Format", ("dif",)),
    (r"Common Data Format", ("cdf",)),
    (r"Byte-compiled Python", ("pyc",)),
    (r"LMDB|Lightning Memory", ("lmdb",)),
    (r"STEP|ISO-10303", ("step", "ifc")),
    (r"GPX", ("gpx",)),
)


@cache
def _by_extension() -> dict[str, frozenset[str]]:
    from synth.catalog import catalogue

    found: dict[str, set[str]] = {}
    for kind in catalogue().kinds.values():
        for extension in kind.extensions:
            found.setdefault(extension.lstrip(".").lower(), set()).add(kind.id)
    return {extension: frozenset(kinds) for extension, kinds in found.items()}


@cache
def _by_media_type() -> dict[str, frozenset[str]]:
    from synth.catalog import catalogue

    found: dict[str, set[str]] = {}
    for kind in catalogue().kinds.values():
        for mime in kind.mime:
            found.setdefault(mime.lower(), set()).add(kind.id)
    return {mime: frozenset(kinds) for mime, kinds in found.items()}


def _labelled(label: str) -> frozenset[str]:
    from synth.catalog import catalogue

    known = catalogue().kinds
    aliases = {kind.id for kind in known.values() if label in kind.aliases}
    return frozenset(LABELS.get(label, ())) | aliases | ({label} if label in known else set())


def _magika() -> Callable[[Path], Told]:
    from magika import Magika

    model = Magika()

    def ask(path: Path) -> Told:
        found = model.identify_path(path)
        kinds = _labelled(str(found.output.label)) | _by_media_type().get(found.output.mime_type, frozenset())
        return kinds, float(found.score)

    return ask


def _libmagic() -> Callable[[Path], Told]:
    import magic

    words, media = magic.Magic(), magic.Magic(mime=True)

    def ask(path: Path) -> Told:
        said, mime = words.from_file(str(path)), media.from_file(str(path))
        kinds = {kind for pattern, kinds in WORDS if re.search(pattern, said) for kind in kinds}
        kinds |= _by_media_type().get(mime, frozenset()) | _titled(said)
        return frozenset(kinds), 0.0 if said == "data" else 1.0

    return ask


@cache
def _titled(said: str) -> frozenset[str]:
    """The kinds whose id stands in a description as words of its own; ids of one or two letters prove nothing."""
    from synth.catalog import catalogue

    words = f" {re.sub(r'[^a-z0-9]+', ' ', said.lower())} "
    return frozenset(kind for kind in catalogue().kinds if len(kind) > 2 and f" {kind.replace('-', ' ')} " in words)


def _puremagic() -> Callable[[Path], Told]:
    import puremagic

    def ask(path: Path) -> Told:
        try:
            best = puremagic.magic_file(str(path))[0]
        except (puremagic.PureError, IndexError, ValueError):
            return frozenset(), 0.0
        extension = best.extension.lstrip(".").lower()
        kinds = _labelled(extension) | _by_extension().get(extension, frozenset())
        return kinds | _by_media_type().get(best.mime_type, frozenset()), float(best.confidence)

    return ask


def _mimetypes() -> Callable[[Path], Told]:
    import mimetypes

    def ask(path: Path) -> Told:
        mime, encoding = mimetypes.guess_type(path.name)
        kinds = _by_media_type().get(mime or "", frozenset()) | _labelled(encoding or "")
        return kinds | _labelled((mime or "").rpartition("/")[2].removeprefix("x-")), 1.0 if mime or encoding else 0.0

    return ask


PEERS: dict[str, Callable[[], Callable[[Path], Told]]] = {
    "libmagic": _libmagic,
    "magika": _magika,
    "puremagic": _puremagic,
    "mimetypes": _mimetypes,
}


def peer_answers(peer: str, files: Sequence[File], naming: Naming, folder: Path) -> list[Answer]:
    """What a tool takes each file for; folders are not asked of it."""
    ask = PEERS[peer]()
    answers = []
    for file in files:
        path = renamed(file, naming, folder)
        if path is None or path.is_dir():
            continue
        began = time.perf_counter()
        kinds, confidence = ask(path)
        ms = (time.perf_counter() - began) * 1000
        wanted = file.answers if naming == "named" else file.hidden
        shown = ", ".join(sorted(kinds)) or "unknown"
        right, near = bool(kinds & wanted), bool(kinds & more_general(wanted))
        answers.append(Answer(file.id, file.part, shown, confidence, right, tuple(sorted(wanted)), ms, near))
    return answers
