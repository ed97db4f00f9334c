"""Columnar files: Parquet, Arrow (file and stream), Feather and ORC, read in place."""

from __future__ import annotations

from collections.abc import Mapping


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks columnar: a score, the facts (`format`), the evidence."""
    if head.startswith(b"PAR1"):
        return 0.99, {"format": "parquet"}, ("starts with PAR1",)
    if head.startswith(b"PARE"):
        return (
            0.95,
            {"format": "parquet", "encrypted": True},
            ("starts with PARE, a Parquet file with an encrypted footer",),
        )
    if head.startswith(b"ARROW1"):
        feather = name.lower().endswith((".feather", ".ftr"))
        return 0.99, {"format": "feather" if feather else "arrow"}, ("starts with ARROW1",)
    if head.startswith(b"FEA1"):
        return 0.98, {"format": "feather", "version": 1}, ("starts with FEA1, Feather version 1",)
    if head.startswith(b"ORC"):
        return (0.97 if name.lower().endswith(".orc") else 0.8), {"format": "orc"}, ("starts with ORC",)
    if head.startswith(b"\xff\xff\xff\xff") and len(head) > 16:
        size = int.from_bytes(head[4:8], "little")
        table = int.from_bytes(head[8:12], "little")
        if 0 < size < 2**24 and size % 8 == 0 and 4 <= table < size:
            return 0.9, {"format": "arrow-stream"}, ("starts with an Arrow message of plausible length",)
    return 0.0, {}, ()
