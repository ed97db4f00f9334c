"""Spreadsheets (xlsx, xlsm, xlsb, xls, ods): each sheet is a table, or several where they stand clearly apart."""

from __future__ import annotations

from collections.abc import Mapping

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the head of a file looks like a spreadsheet: a score, the facts (`format`), the evidence."""
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(head, name)
    if head.startswith(_OLE):
        if "Workbook".encode("utf-16-le") in head or "Book\0".encode("utf-16-le") in head:
            return 0.97, {"format": "xls"}, ("an OLE file with a Workbook stream",)
        if "EncryptedPackage".encode("utf-16-le") in head:
            return 0.6, {"format": "xlsx", "encrypted": True}, ("an OLE file with an encrypted package",)
        telling = name.lower().endswith((".xls", ".xlt"))
        return (0.8 if telling else 0.2), {"format": "xls"}, ("an OLE file; its directory is not in the head",)
    if head[:4] in (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00"):
        return 0.9, {"format": "xls"}, ("a bare BIFF stream",)
    return 0.0, {}, ()


def _sniff_zip(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in head[:200]:
        return 0.99, {"format": "ods"}, ("an OpenDocument spreadsheet by its mimetype member",)
    if b"xl/workbook.bin" in head or b"xl/worksheets/sheet1.bin" in head:
        return 0.98, {"format": "xlsb"}, ("a zip with xl/workbook.bin",)
    if b"xl/workbook.xml" in head or b"xl/worksheets/" in head or b"xl/_rels" in head:
        kind = "xlsm" if b"vbaProject.bin" in head else "xlsx"
        return 0.98, {"format": kind}, ("a zip with xl/workbook.xml",)
    suffix = name.lower().rpartition(".")[2]
    if b"[Content_Types].xml" in head[:4096] and suffix in ("xlsx", "xlsm", "xlsb"):
        return 0.9, {"format": suffix}, ("an Office package named as a spreadsheet",)
    if suffix in ("xlsx", "xlsm", "xlsb", "ods"):
        return 0.5, {"format": suffix}, ("a zip named as a spreadsheet",)
    return 0.0, {}, ()
