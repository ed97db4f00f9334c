"""Binary formats that have a structure rather than a signature: lengths that add up, tags that fit, values that can be walked."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from synth.detect_score import Board

Probe = Callable[[Board, bytes, int, bool], None]


def _arrow_stream(board: Board, head: bytes, size: int, whole: bool) -> None:
    if head[:4] == b"\xff\xff\xff\xff" and len(head) > 16:
        length, table = struct.unpack_from("<iI", head, 4)
        if 0 < length < 2**24 and length % 8 == 0 and 4 <= table < length:
            board.add("arrow-stream", 5.0, "an Arrow message of plausible length")


def _pickle(board: Board, head: bytes, size: int, whole: bool) -> None:
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


def _pickle_in_words(board: Board, head: bytes, size: int, whole: bool) -> None:
    """Protocol 0 is text: a mark, a container, memo lines, and a full stop at the end."""
    if re.match(rb"\(?(?:[dl]p?\d*\n|i[\w.]+\n|V[^\n]*\n|S'[^\n]*\n)|c[\w.]+\n\w+\n(?:p\d+\n|\()", head) and (
        not whole or head.rstrip().endswith(b".")
    ):
        memos = len(re.findall(rb"\np\d+\n|^\(?[dl]p\d+\n", head[:4096]))
        if memos:
            board.add(
                "pickle", 5.0, f"a pickle of protocol 0 with {memos} memo lines; it is never opened, for that runs code"
            )


def _bson(board: Board, head: bytes, size: int, whole: bool) -> None:
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


def _dbf(board: Board, head: bytes, size: int, whole: bool) -> None:
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


def _stata(board: Board, head: bytes, size: int, whole: bool) -> None:
    if len(head) > 109 and head[0] in range(102, 116) and head[1] in (1, 2) and head[2] == 1 and head[3] == 0:
        order = "<" if head[1] == 2 else ">"
        if 0 < struct.unpack_from(order + "H", head, 4)[0] < 32_768:
            board.add("stata", 5.0, f"a Stata header of release {head[0]}")


def _safetensors(board: Board, head: bytes, size: int, whole: bool) -> None:
    length = int.from_bytes(head[:8], "little")
    if 2 <= length <= 100 * 2**20 and length < size and head[8:10] in (b'{"', b"{ ", b"{\n", b"{}"):
        board.add("safetensors", 6.0, "a length and a JSON header of tensors")


def _marc(board: Board, head: bytes, size: int, whole: bool) -> None:
    if re.match(rb"\d{5}[a-z ][a-z ][a-z ][\w ]{2}22\d{5}", head) and b"\x1e" in head:
        board.add("marc", 6.0, "a MARC leader")


def _tfrecord(board: Board, head: bytes, size: int, whole: bool) -> None:
    length = int.from_bytes(head[:8], "little")
    if (
        0 < length < size
        and size >= length + 16
        and head[4:8] == b"\0\0\0\0"
        and head[12:13] in (b"\x0a", b"\x09", b"\x08")
    ) and (length + 16 == size or head[length + 20 : length + 24] == b"\0\0\0\0"):
        kind = "tfevents" if b"brain.Event" in head[:200] else "tfrecord"
        board.add(kind, 4.6, "records with length and check sum")


def _pe(board: Board, head: bytes, size: int, whole: bool) -> None:
    if head[:2] == b"MZ" and len(head) > 64:
        at = int.from_bytes(head[60:64], "little")
        if head[at : at + 4] == b"PE\0\0":
            board.add("pe", 6.0, "a PE header")


def _pyc(board: Board, head: bytes, size: int, whole: bool) -> None:
    if (
        head[2:4] == b"\r\n"
        and len(head) > 16
        and (head[16:17] in (b"\xe3", b"\x63") or head[12:13] in (b"\xe3", b"\x63") or head[8:9] == b"\x63")
    ):
        board.add("pyc", 5.0, "a Python magic number and a code object")


def _netpbm(board: Board, head: bytes, size: int, whole: bool) -> None:
    if re.match(rb"P[1-6](?:\s+#[^\n]*)?\s+\d+\s+\d+|P7\nWIDTH|P[fF]\n\d+ \d+", head):
        board.add("netpbm", 6.0, "a Netpbm header")


def _stl(board: Board, head: bytes, size: int, whole: bool) -> None:
    if len(head) >= 84 and 84 + 50 * int.from_bytes(head[80:84], "little") == size and size > 84:
        board.add("stl", 5.5, "a count of triangles that fits the size")


def _bencode(board: Board, head: bytes, size: int, whole: bool) -> None:
    if re.match(rb"d\d+:[\w. -]+(?:\d+:|i-?\d+e|l|d)", head):
        board.add("bencode", 5.5, "a bencoded dictionary")


def _ubjson(board: Board, head: bytes, size: int, whole: bool) -> None:
    if re.match(rb"\{(?:\$.)?(?:#[iUIlL])?[iUIlL]", head[:8]) and head[1:2] in b"iUIl$#" and not head[:1].isspace():
        length = head[2] if head[1:2] in b"iU" else 0
        if length and head[3 : 3 + length].isascii() and head[3 : 3 + length].decode("ascii").isprintable():
            board.add("ubjson", 3.5, "an object with typed key lengths")


def _der(board: Board, head: bytes, size: int, whole: bool) -> None:
    if head[:2] in (b"0\x82", b"0\x81", b"0\x83"):
        count = head[1] & 15
        if (
            int.from_bytes(head[2 : 2 + count], "big") + 2 + count == size
            and head[2 + count : 3 + count] in b"\x30\x02\x06"
        ):
            board.add("asn1-der", 5.0, "a DER sequence as long as the file")


def _short_der(board: Board, head: bytes, size: int, whole: bool) -> None:
    """A sequence of less than 128 bytes whose members, each with a tag and a length, fill it to the end."""
    if not (whole and head[:1] == b"0" and size >= 8 and head[1] == size - 2 < 128):
        return
    at, members = 2, 0
    while at + 2 <= size:
        if head[at] not in (
            0x01,
            0x02,
            0x03,
            0x04,
            0x05,
            0x06,
            0x0C,
            0x13,
            0x16,
            0x17,
            0x18,
            0x30,
            0x31,
            0xA0,
            0xA1,
            0xA3,
        ):
            return
        at += 2 + head[at + 1]
        members += 1
    if at == size and members:
        board.add("asn1-der", 5.0, f"a DER sequence of {members} members as long as the file")


def _miniseed(board: Board, head: bytes, size: int, whole: bool) -> None:
    if re.match(rb"\d{6}[DRQM][ \x00][A-Z0-9 ]{5}", head) or head[:3] == b"MS\x03":
        board.add("miniseed", 5.0, "a seismic record header")


def _dicom(board: Board, head: bytes, size: int, whole: bool) -> None:
    if head[:4] in (b"\x08\x00\x05\x00", b"\x08\x00\x00\x00", b"\x08\x00\x08\x00") and (
        head[4:6] in (b"CS", b"UL") or head[6:8] == b"\0\0"
    ):
        board.add("dicom", 3.5, "a DICOM data set without preamble")


def _msgpack(board: Board, head: bytes, size: int, whole: bool) -> None:
    first = head[0]
    if not (0x80 <= first <= 0x9F or first in (0xDC, 0xDD, 0xDE, 0xDF)) or _lines_of_text(head):
        return
    walked = _Walk(head, _msgpack_item).run()
    if walked and (walked[0] == size or (not whole and walked[0] > 64) or walked[0] > 256) and walked[1] >= 2:
        weight = 4.6 if walked[1] >= 4 else 3.0
        if walked[2]:
            weight += 0.8
        board.add("msgpack", weight, f"{walked[1]} MessagePack values")


def _cbor(board: Board, head: bytes, size: int, whole: bool) -> None:
    if head[0] >> 5 not in (4, 5, 6) or _lines_of_text(head):
        return
    walked = _Walk(head, _cbor_item).run()
    if walked and (walked[0] == size or (not whole and walked[0] > 64) or walked[0] > 256) and walked[1] >= 2:
        weight = 4.6 if walked[1] >= 4 else 3.0
        if walked[2]:
            weight += 0.8
        board.add("cbor", weight, f"{walked[1]} CBOR values")


def _lines_of_text(head: bytes) -> bool:
    """Lines without a control character: text of some old encoding, whose first byte may pass for a tag."""
    return b"\n" in head and not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", head)


class _Walk:
    """Walks self-describing binary values: how far it came, how many values, how many were words."""

    def __init__(self, data: bytes, item: Callable[[_Walk], int]) -> None:
        self.data, self.at, self.values, self.words = data, 0, 0, 0
        self.item = item

    def run(self) -> tuple[int, int, int] | None:
        step = self.item
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


def _protobuf(board: Board, head: bytes, size: int, whole: bool) -> None:
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
    if (at == size and (fields >= 2 or b".proto" in head[:200])) or (at > len(data) and fields >= 1 and at <= size):
        weight = 2.2 + min(1.5, 0.2 * fields)
        if max(numbers) > 60:
            weight -= 1.0
        if b".proto\x12" in head[:4096] or b".proto\x1a" in head[:4096]:
            board.add("protobuf-descriptor", 5.0, "descriptors of .proto files")
        elif re.match(rb"\x0a[\x04-\x20]\x0a\x032\.0", head):
            board.add("gtfs-realtime", 5.0, "a feed header of GTFS Realtime")
        elif head[:1] == b"\x08" and (
            {7, 8} <= numbers <= {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25}
            or re.search(rb"(?:pytorch|onnx|tf2onnx|skl2onnx|ir_version|ai\.onnx)", head[:4096])
        ):
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


PROBES: tuple[Probe, ...] = (
    _arrow_stream,
    _pickle,
    _bson,
    _dbf,
    _stata,
    _safetensors,
    _marc,
    _tfrecord,
    _pe,
    _pyc,
    _netpbm,
    _stl,
    _bencode,
    _ubjson,
    _der,
    _short_der,
    _miniseed,
    _dicom,
    _msgpack,
    _cbor,
    _protobuf,
)
ASCII_PROBES: tuple[Probe, ...] = (_bencode, _netpbm, _marc, _pickle_in_words)
