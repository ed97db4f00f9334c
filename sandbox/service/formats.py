"""This file is the three formats of records: one JSON object, JSON lines as they come, or an Arrow IPC stream.

An encoder is used in the thread that runs the job: `take` gets each batch and gives the bytes that can go already, `end` the
rest. What `end` says about a run that is not ok differs: see each.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.job import Record
from sandbox.service.ending import Ending
from sandbox.service.problem import Problem
from sandbox.service.types import NoSuchType, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

JSON = "application/json"
LINES = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
HELD_RECORDS = 10_000


class Encoder(Protocol):
    """Turns batches of records into bytes."""

    media_type: str

    def take(self, batch: list[Record]) -> bytes:
        """The bytes that can go already; empty when they have to wait."""
        ...

    def end(self, ending: Ending, request_id: str) -> bytes:
        """The last bytes. Raises Problem when the format cannot say that the run was not ok."""
        ...

    def broken(self, problem: Problem, request_id: str) -> bytes | None:
        """The last bytes when a problem comes after others went out; None when only cutting the connection tells."""
        ...


def dumps(value: object) -> str:
    """JSON with decimals written out exactly, times in ISO 8601, bytes in base64 and, as JSON has none, no NaN but null."""
    text: str = _encoder().encode(value)
    return text


@lru_cache(maxsize=1)
def _encoder() -> Any:
    import simplejson

    # Without an encoding bytes are not taken for text.
    return simplejson.JSONEncoder(
        encoding=None,  # type: ignore[arg-type]  # simplejson's own word for it
        use_decimal=True,
        ensure_ascii=False,
        ignore_nan=True,
        default=_plain,
        separators=(",", ":"),
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


class OneObject:
    """`{"status": …, "records": […]}`, whole or not at all: records of a run that is not ok are there, and are not all."""

    media_type = JSON

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def take(self, batch: list[Record]) -> bytes:
        """Nothing goes before the end."""
        if batch:
            self._pieces.append(dumps(batch)[1:-1].encode("utf-8", "replace"))
        return b""

    def end(self, ending: Ending, request_id: str) -> bytes:
        """The object."""
        told = dumps(ending.told(request_id)).encode("utf-8", "replace")
        return told[:-1] + b',"records":[' + b",".join(self._pieces) + b"]}\n"

    def broken(self, problem: Problem, request_id: str) -> bytes | None:
        """Never asked for: nothing went out."""
        return None


class Lines:
    """`{"record": …}` a line and at last `{"result": …}` or `{"problem": …}`; without such a last line it is not whole."""

    media_type = LINES

    def take(self, batch: list[Record]) -> bytes:
        """A line each."""
        return "".join([f'{{"record":{dumps(record)}}}\n' for record in batch]).encode("utf-8", "replace")

    def end(self, ending: Ending, request_id: str) -> bytes:
        """The line with the result."""
        return dumps({"result": ending.told(request_id)}).encode("utf-8", "replace") + b"\n"

    def broken(self, problem: Problem, request_id: str) -> bytes | None:
        """The line with the problem."""
        return dumps({"problem": problem.body(request_id)}).encode("utf-8", "replace") + b"\n"


class ArrowStream:
    """An Arrow IPC stream. Types are those of `columns`, else of the first records: ten thousand, or all when there are fewer.

    It ends with a batch of no rows whose metadata `tars.result` is the result as JSON. A run that is not ok is a Problem while
    nothing went out, and a cut connection after that.
    """

    media_type = ARROW

    def __init__(self, columns: Mapping[str, str]) -> None:
        import pyarrow as pa

        try:
            fields = [pa.field(name, arrow_type(word)) for name, word in columns.items()]
        except NoSuchType as unknown:
            step = "Use one of the type words."
            raise Problem(422, "invalid-request", str(unknown), step, errors=[("columns", str(unknown))]) from None
        self._schema = pa.schema(fields) if fields else None
        self._held: list[Record] = []
        self._out = _Out()
        self._writer: Any = None

    def take(self, batch: list[Record]) -> bytes:
        """Batches of records once the types are known."""
        if self._schema is None:
            self._held += batch
            if len(self._held) < HELD_RECORDS:
                return b""
            batch, self._held = self._held, []
            self._schema = _schema_of(batch)
        self._write(batch)
        return self._out.taken()

    def end(self, ending: Ending, request_id: str) -> bytes:
        """What is left, and the end of the stream."""
        if ending.status != "ok":
            told = ending.told(request_id)
            step = "Mend the code, or ask for JSON to get the records there were."
            raise Problem(422, "run-not-ok", f"the run ended as {ending.status}", step, more={"result": told})
        if self._schema is None:
            self._schema = _schema_of(self._held)
        if self._held or self._writer is None:
            self._write(self._held)
        import pyarrow as pa

        empty = pa.RecordBatch.from_pylist([], schema=self._schema)
        self._writer.write_batch(empty, custom_metadata={"tars.result": dumps(ending.told(request_id))})
        self._writer.close()
        return self._out.taken()

    def broken(self, problem: Problem, request_id: str) -> bytes | None:
        """A reader would take a shortened stream for a whole one."""
        return None

    def _write(self, records: list[Record]) -> None:
        import pyarrow as pa

        schema = self._schema
        if schema is None:
            raise ValueError("no schema yet")
        if self._writer is None:
            self._writer = pa.ipc.new_stream(pa.PythonFile(self._out, mode="w"), schema)
        known = set(schema.names)
        extra = next((name for record in records for name in record if name not in known), None)
        if extra is not None:
            raise _unfit(extra, "came in a later record only")
        arrays = [_array(field.name, [record.get(field.name) for record in records], field.type) for field in schema]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


class _Out(io.RawIOBase):
    """A file for Arrow to write to, which gives away what was written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Keep the bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        joined = b"".join(self._pieces)
        self._pieces.clear()
        return joined


def _schema_of(records: Sequence[Record]) -> pa.Schema:
    import pyarrow as pa

    names = list(dict.fromkeys(name for record in records for name in record))
    fields = [(name, _widened(_array(name, [record.get(name) for record in records], None).type)) for name in names]
    return pa.schema(fields)


def _widened(kind: pa.DataType) -> pa.DataType:
    """Room for the later records that nobody has seen yet."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return pa.decimal128(38, kind.scale)
    return pa.string() if pa.types.is_null(kind) else kind


def _array(name: str, values: list[object], kind: pa.DataType | None) -> pa.Array[Any]:
    import pyarrow as pa

    try:
        made: pa.Array[Any] = pa.array(values, type=kind)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        kinds = ", ".join(sorted({type(value).__name__ for value in values if value is not None}))
        raise _unfit(name, f"holds values ({kinds}) that are not all {kind or 'of one Arrow type'}") from None
    return made


def _unfit(name: str, what: str) -> Problem:
    step = "Yield one type per field, say the types in `columns`, or ask for JSON."
    return Problem(422, "not-arrow", f"field {name[:60]!r} {what}", step)


_RANGE = re.compile(r"([\w.+*-]+/[\w.+*-]+)((?:\s*;\s*[\w-]+=[^;,]*)*)")
_QUALITY = re.compile(r";\s*q=([01](?:\.\d{0,3})?)")


def chosen(accept: str) -> str:
    """The format that an Accept header asks for: the best of ours by its q, JSON when it does not matter. Raises Problem."""
    if not accept.strip():
        return JSON
    best: tuple[float, str] = (0.0, "")
    for part in accept.split(",")[:50]:
        found = _RANGE.fullmatch(part.strip())
        if not found:
            continue
        given = _QUALITY.search(found[2])
        quality = float(given[1]) if given else 1.0
        for ours in (JSON, LINES, ARROW):
            if found[1].lower() in (ours, "*/*", ours.partition("/")[0] + "/*") and quality > best[0]:
                best = (quality, ours)
    if not best[1]:
        step = f"Accept one of {JSON}, {LINES}, {ARROW}."
        raise Problem(406, "not-acceptable", "there is no answer of the format asked for", step)
    return best[1]


def encoder(media_type: str, columns: Mapping[str, str]) -> Encoder:
    """The encoder of a format. Raises Problem for types that are none."""
    if media_type == LINES:
        return Lines()
    return ArrowStream(columns) if media_type == ARROW else OneObject()
