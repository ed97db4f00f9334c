"""What a file's name says of it: the kinds that its extension or whole name speaks for, and the compressions around it."""

from __future__ import annotations

from synth.catalog import Catalogue

_WRAPPING_SUFFIXES = {
    "gz": "gzip",
    "bz2": "bzip2",
    "xz": "xz",
    "zst": "zstd",
    "lz4": "lz4",
    "lzma": "lzma",
    "gzip": "gzip",
    "br": "brotli",
    "sz": "snappy",
}


def by_name(table: Catalogue, name: str) -> tuple[tuple[str, ...], str, list[str]]:
    """Kinds that a file name speaks for, the part of it that does, and the compressions its suffixes name."""
    lower = name.lower()
    wrappings: list[str] = []
    while True:
        stem, dot, suffix = lower.rpartition(".")
        wrapped = _WRAPPING_SUFFIXES.get(suffix) if dot and stem else None
        if wrapped is None or wrapped == "":
            break
        if not stem.rpartition(".")[1] and suffix in ("gz", "bz2", "xz", "zst", "lz4", "z"):
            break
        wrappings.append(wrapped)
        lower = stem
    if lower in table.by_file_name:
        return table.by_file_name[lower], lower, wrappings
    parts = lower.split(".")
    for count in (2, 1):
        if len(parts) > count or (count == 1 and len(parts) == 2):
            extension = ".".join(parts[-count:])
            if extension in table.by_extension:
                return table.by_extension[extension], f".{extension}", wrappings
    if wrappings:
        return (wrappings[-1],) if wrappings[-1] in table.kinds else (), f".{lower}", wrappings[:-1]
    return (), "", wrappings
