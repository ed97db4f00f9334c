"""Log files: lines of a known layout become typed columns; a line that fits nowhere is set aside with its number.

Lines that continue the one before (a stack trace, an indented block) are attached to its message.
"""

# ruff: noqa: E501 -- a layout is one expression, and reads best on one line
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions, Source
from synth.sources.duck import DuckDoors, DuckSource
from synth.sources.encoding import decoded, encoding_of
from synth.sources.text_table import RowSpool, first_types, null_notes, serve_spool, spread

ENOUGH: Final = 0.6
"""A layout is taken when it fits at least this share of the lines that are not continuations."""
CONTINUED_BYTES: Final = 64 * 1024
LOOKED_LINES: Final = 300

Cells = dict[str, str]


@dataclass(frozen=True)
class Layout:
    """One way to write a log. `columns` are the expression's groups in order; `more` takes a line's cells further apart.

    `continues` says whether lines that do not fit belong to the message of the line before.
    """

    kind: str
    expression: re.Pattern[str]
    columns: tuple[str, ...] = ()
    continues: bool = False
    message: str = "message"
    more: Callable[[Cells], None] | None = None
    weight: float = 1.0
    """How much a fit says: a layout that fits nearly any line says little."""


def _layout(kind: str, text: str, **options: Any) -> Layout:
    expression = re.compile(text)
    groups = sorted(expression.groupindex, key=lambda name: expression.groupindex[name])
    return Layout(kind, expression, tuple(groups), **options)


def _request(cells: Cells) -> None:
    """GET /a?b HTTP/1.1 in three."""
    parts = cells.pop("request", "").split(" ")
    if len(parts) >= 2 and re.fullmatch(r"[A-Z_]+", parts[0]):
        version = parts[-1] if len(parts) > 2 and parts[-1].startswith("HTTP/") else ""
        cells["method"], cells["path"], cells["protocol"] = (
            parts[0],
            " ".join(parts[1 : -1 if version else None]),
            version,
        )
    else:
        cells["method"], cells["path"], cells["protocol"] = "", " ".join(parts), ""


_DAY: Final = r"\d{4}[-/]\d{2}[-/]\d{2}"
_CLOCK: Final = r"\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?"
_ISO: Final = rf"{_DAY}[T ]{_CLOCK}(?: ?(?:Z|UTC|GMT|CET|CEST|[+-]\d{{2}}:?\d{{2}}))?"
_LEVEL: Final = r"(?i:TRACE|DEBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|CRITICAL|CRIT|ALERT|EMERG|PANIC|FINE|FINER|FINEST|CONFIG)"
_SYSLOG_TIME: Final = r"[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}"
_ACCESS: Final = r"(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+|\"[^\"]*\") \[(?P<time>[^\]]{20,30})\] \"(?P<request>(?:[^\"\\]|\\.)*)\" (?P<status>\d{3}|-) (?P<bytes>\d+|-)"

LAYOUTS: Final = (
    _layout("apache-combined", _ACCESS + r' "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<user_agent>(?:[^"\\]|\\.)*)"(?P<extra> .*)?', more=_request),
    _layout("apache-common", _ACCESS, more=_request),
    _layout("apache-vhost", r"(?P<vhost>\S+:\d+) " + _ACCESS + r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<user_agent>(?:[^"\\]|\\.)*)")?', more=_request),
    _layout("apache-error", r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d [\d:.]+ \d{4})\] \[(?:(?P<module>[\w-]*):)?(?P<level>\w+)\] (?:\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] )?(?:\[client (?P<client>[^\]]+)\] )?(?P<message>.*)", continues=True),
    _layout("nginx-error", rf"(?P<time>\d{{4}}/\d{{2}}/\d{{2}} {_CLOCK}) \[(?P<level>\w+)\] (?P<pid>\d+)#(?P<tid>\d+): (?:\*(?P<connection>\d+) )?(?P<message>.*)", continues=True),
    _layout("syslog-rfc5424", rf"<(?P<priority>\d{{1,3}})>(?P<version>\d) (?P<time>{_DAY}T{_CLOCK}(?:Z|[+-]\d{{2}}:\d{{2}})|-) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) (?P<message_id>\S+) (?P<data>-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?P<message>.*)"),
    _layout("haproxy", rf"(?:<\d+>)?(?P<time>{_SYSLOG_TIME}) (?P<host>\S+) (?P<process>haproxy)\[(?P<pid>\d+)\]: (?P<client>[\d.a-fA-F:]+):(?P<port>\d+) \[(?P<accepted>[^\]]+)\] (?P<frontend>\S+) (?P<backend>[^/\s]+)/(?P<server>\S+) (?P<timers>[\d/+-]+) (?P<status>\d{{3}}|-1) (?P<bytes>\+?\d+) (?P<rest>.*?)(?: \"(?P<request>[^\"]*)\"?)?", more=_request),
    _layout("iptables-log", rf"(?:<\d+>)?(?P<time>{_SYSLOG_TIME}|{_ISO}) (?P<host>\S+) kernel: (?:\[ *(?P<uptime>[\d.]+)\] ?)?(?P<prefix>.*?)IN=(?P<in>\S*) OUT=(?P<out>\S*) (?:.*?)SRC=(?P<source>\S+) DST=(?P<destination>\S+) (?P<message>.*)"),
    _layout("syslog", rf"(?:<(?P<priority>\d{{1,3}})>)?(?P<time>{_SYSLOG_TIME}) (?P<host>\S+) (?P<process>[^\s\[:]+)(?:\[(?P<pid>[^\]]+)\])?: ?(?P<message>.*)", continues=True),
    _layout("syslog", rf"(?P<time>{_DAY}T{_CLOCK}(?:Z|[+-]\d{{2}}:\d{{2}})) (?P<host>[\w.-]+) (?P<process>[^\s\[:]+)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)", continues=True),
    _layout("postgresql-log", rf"(?P<time>{_DAY} {_CLOCK} [A-Z]{{2,5}}) (?:\[(?P<pid>\d+)(?:-\d+)?\] )?(?:(?P<user>[\w\[\]]+)@(?P<database>[\w\[\]]+) )?(?:\[\d+\] )?(?P<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?|DETAIL|HINT|STATEMENT|CONTEXT|QUERY): +(?P<message>.*)", continues=True),
    _layout("mysql-error-log", rf"(?P<time>{_DAY}[T ] ?{_CLOCK}Z?) (?P<thread>\d+) \[(?P<level>\w+)\] (?:\[(?P<code>MY-\d+)\] )?(?:\[(?P<subsystem>\w+)\] )?(?P<message>.*)", continues=True),
    _layout("redis-log", rf"(?P<pid>\d+):(?P<role>[XCSM]) (?P<time>\d{{1,2}} [A-Z][a-z]{{2}} \d{{4}} {_CLOCK}) (?P<level>[.\-*#]) (?P<message>.*)", continues=True),
    _layout("glog", r"(?P<level>[IWEF])(?P<time>\d{4} \d{2}:\d{2}:\d{2}\.\d+) +(?P<thread>\d+) (?P<source>[\w.\-/]+:\d+)\] (?P<message>.*)", continues=True),
    _layout("android-logcat", r"(?P<time>\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}) +(?P<pid>\d+) +(?P<tid>\d+) (?P<level>[VDIWEFA]) (?P<tag>.*?) *: (?P<message>.*)", continues=True),
    _layout("dmesg", r"\[ *(?P<uptime>\d+\.\d+)\] (?P<message>.*)"),
    _layout("cri-log", rf"(?P<time>{_DAY}T{_CLOCK}(?:Z|[+-]\d{{2}}:\d{{2}})) (?P<stream>stdout|stderr) (?P<tag>[FP]) (?P<message>.*)"),
    _layout("auditd", r"(?:node=(?P<node>\S+) )?type=(?P<type>\w+) msg=audit\((?P<time>\d+\.\d+):(?P<serial>\d+)\): ?(?P<message>.*)"),
    _layout("squid", r"(?P<time>\d{9,10}\.\d{3}) +(?P<elapsed_ms>-?\d+) (?P<client>\S+) (?P<result>[A-Z_]+)/(?P<status>\d{3}) (?P<bytes>\d+) (?P<method>\S+) (?P<url>\S+) (?P<user>\S+) (?P<hierarchy>\S+) (?P<content_type>\S+)"),
    _layout("s3-access", r"(?P<owner>[0-9a-f]{20,64}) (?P<bucket>\S+) \[(?P<time>[^\]]+)\] (?P<client>\S+) (?P<requester>\S+) (?P<request_id>\S+) (?P<operation>\S+) (?P<key>\S+) \"(?P<request>[^\"]*)\" (?P<status>\d{3}|-) (?P<error>\S+) (?P<bytes>\d+|-) (?P<object_bytes>\d+|-) (?P<total_ms>\d+|-) (?P<turnaround_ms>\d+|-) \"(?P<referer>[^\"]*)\" \"(?P<user_agent>[^\"]*)\"(?P<extra>.*)", more=_request),
    _layout("elb", rf"(?:(?P<type>https?|h2|grpcs|wss?) )?(?P<time>{_DAY}T{_CLOCK}Z) (?P<balancer>\S+) (?P<client>[\d.a-f:]+:\d+) (?P<target>[\d.a-f:]+:\d+|-) (?P<request_seconds>[-\d.]+) (?P<target_seconds>[-\d.]+) (?P<response_seconds>[-\d.]+) (?P<status>\d{{3}}|-) (?P<target_status>\d{{3}}|-) (?P<received_bytes>\d+) (?P<sent_bytes>\d+) \"(?P<request>[^\"]*)\"(?: \"(?P<user_agent>[^\"]*)\")?(?P<extra>.*)", more=_request),
    _layout("vpc-flow", r"(?P<version>\d) (?P<account>\d{12}|unknown) (?P<interface>eni-\w+) (?P<source>\S+) (?P<destination>\S+) (?P<source_port>\d+|-) (?P<destination_port>\d+|-) (?P<protocol>\d+|-) (?P<packets>\d+|-) (?P<bytes>\d+|-) (?P<start>\d+) (?P<end>\d+) (?P<action>\S+) (?P<log_status>\S+)"),
    _layout("envoy", r"\[(?P<time>[\d\-T:.]+Z)\] \"(?P<request>[^\"]*)\" (?P<status>\d{3}|0) (?P<flags>\S+) (?P<rest>.*)", more=_request),
    _layout("cef", r"(?:(?P<time>\S.{0,30}?) (?P<host>\S+) )?CEF:(?P<version>\d+)\|(?P<vendor>[^|]*)\|(?P<product>[^|]*)\|(?P<product_version>[^|]*)\|(?P<event_class>[^|]*)\|(?P<name>[^|]*)\|(?P<severity>[^|]*)\|(?P<extension>.*)"),
    _layout("leef", r"(?:(?P<time>\S.{0,30}?) (?P<host>\S+) )?LEEF:(?P<version>[\d.]+)\|(?P<vendor>[^|]*)\|(?P<product>[^|]*)\|(?P<product_version>[^|]*)\|(?P<event>[^|]*)\|(?P<extension>.*)"),
    _layout("log4j", rf"(?P<time>{_ISO}) +\[(?P<thread>[^\]]+)\] +(?P<level>{_LEVEL}) +(?P<logger>[\w.$\-/\[\]]+) *(?:-|:) +(?P<message>.*)", continues=True),
    _layout("log4j", rf"(?P<time>{_ISO}) +(?P<level>{_LEVEL}) +(?:(?P<pid>\d+) --- )?\[ *(?P<thread>[^\]]+)\] +(?P<logger>[\w.$\-/\[\]]+) *(?:-|:) +(?P<message>.*)", continues=True),
    _layout("python-log", rf"(?P<time>{_ISO}) - (?P<logger>[\w.\-]+) - (?P<level>{_LEVEL}) - (?P<message>.*)", continues=True),
    _layout("python-log", rf"(?P<time>{_ISO}) \[(?P<level>{_LEVEL})\] (?P<logger>[\w.\-]+): (?P<message>.*)", continues=True),
    _layout("python-log", r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[\w.\-]+):(?P<message>.*)", continues=True, weight=0.95),
    _layout("python-log", rf"(?P<time>{_ISO}) \| (?P<level>{_LEVEL}) *\| (?P<logger>\S+) - (?P<message>.*)", continues=True),
    _layout("log", rf"(?P<time>{_ISO}) +(?P<level>{_LEVEL}):? +(?P<logger>[A-Za-z_][\w.$\-/]*(?:\.[\w$\-/]+)+)(?::| -)? +(?P<message>.*)", continues=True, weight=0.97),
    _layout("log", rf"(?P<time>{_ISO}) +(?P<level>{_LEVEL}):? +\[(?P<logger>[\w.$\-/ ]+)\](?::| -)? +(?P<message>.*)", continues=True, weight=0.97),
    _layout("log", rf"(?P<time>{_ISO}) +(?P<level>{_LEVEL}) +(?P<logger>[A-Za-z_][\w.$\-/]*): +(?P<message>.*)", continues=True, weight=0.96),
    _layout("log", rf"\[?(?P<time>{_ISO})\]?:? *[\[(]?(?P<level>{_LEVEL})[\])]?:? *(?:[-|:] *)?(?P<message>.*)", continues=True, weight=0.94),
    _layout("log", rf"\[(?P<level>{_LEVEL})\] *\[?(?P<time>{_ISO})\]?:? *(?:[-|:] *)?(?P<message>.*)", continues=True, weight=0.94),
    _layout("log", rf"\[?(?P<time>{_ISO})\]?:? +(?:[-|] +)?(?P<message>.*)", continues=True, weight=0.85),
    _layout("log", rf"\[?(?P<level>{_LEVEL})\]?:? +(?P<message>.*)", continues=True, weight=0.75),
)  # fmt: skip

_MONTHS: Final = {name: i for i, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_OPTIONAL: Final = frozenset({"priority", "extra", "rest", "connection", "uptime", "subsystem", "node"})
"""Columns that are left out where no line has them."""


def plain_time(text: str, until: datetime) -> str:
    """A log's time in ISO's spelling where its own lacks the year, or is a Unix time; other spellings stay as they are.

    The year is the latest that does not put the time after `until`.
    """
    if found := re.fullmatch(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)", text):
        return _with_year(_MONTHS.get(found[1], 0), int(found[2]), found[3], until) or text
    if found := re.fullmatch(r"(\d{2})-?(\d{2}) (\d{2}:\d{2}:\d{2}\.\d+)", text):
        return _with_year(int(found[1]), int(found[2]), found[3], until) or text
    if found := re.fullmatch(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) ([\d:.]+) (\d{4})", text):
        return f"{found[4]}-{_MONTHS.get(found[1], 0):02}-{int(found[2]):02} {found[3]}"
    if re.fullmatch(r"\d{9,10}\.\d{3,6}", text):
        return datetime.fromtimestamp(float(text), UTC).isoformat(timespec="milliseconds")
    return text


def _with_year(month: int, day: int, clock: str, until: datetime) -> str:
    for year in (until.year, until.year - 1, until.year - 2, until.year - 3):
        try:
            if datetime(year, month, day) <= until + timedelta(days=1):
                return f"{year}-{month:02}-{day:02} {clock}"
        except ValueError:
            continue  # 29 February
    return ""


_SHORT_TIME: Final = re.compile(rf"(?:<\d+>)?{_SYSLOG_TIME}|[IWEF]\d{{4}} \d{{2}}:|\d{{2}}-\d{{2}} \d{{2}}:")
_PAIR: Final = re.compile(r'([A-Za-z_@][\w.@\-/]*)=("(?:[^"\\]|\\.)*"|\S*)')
_CONTINUES: Final = re.compile(r"\s|Traceback|Caused by:|\.\.\. \d+ more|[\w.]+(?:Error|Exception)\b|\}|\)")


@dataclass
class Reading:
    """How a file's lines are read: `parse` gives the cells of a line, or None when the line does not fit."""

    kind: str
    columns: list[str]
    parse: Callable[[str], Sequence[str | None] | None]
    continues: bool = False
    message: int = -1
    share: float = 0.0
    weight: float = 1.0
    skip: Callable[[str], bool] = field(default=lambda _line: False)
    time: int = -1
    """The column whose time may need the year that the file's own date tells."""


# ------------------------------------------------------------------------------------------------------------- sniffing


def sniff(head: bytes, name: str) -> tuple[float, Mapping[str, object], tuple[str, ...]]:
    """How much the first bytes of a file look like a log: score, the layout's name, evidence."""
    encoding = encoding_of(head[:65_536])
    if encoding is None:
        return 0.0, {}, ()
    lines = [line for line in decoded(head[:16_384], encoding).splitlines() if line.strip()][:60]
    if len(head) > 16_384 and len(lines) > 1:
        lines.pop()
    reading = reading_of(lines)
    if reading is None:
        return 0.0, {}, ()
    score = reading.share * reading.weight * (0.97 if len(lines) > 2 else 0.85)
    if re.search(r"\.log(?:\.\d+)?$|(?:^|/)(?:sys|mess|access|error|auth|kern)[\w.]*$", name.lower()):
        score = min(0.99, score + 0.05)
    facts = {"format": "log", "layout": reading.kind, "columns": len(reading.columns)}
    return round(score, 3), facts, (f"{reading.share:.0%} of the lines are {reading.kind} records",)


def reading_of(lines: Sequence[str], kind: str = "") -> Reading | None:
    """The layout that fits these lines best, the one named `kind` first; None when none fits enough of them."""
    lines = [line for line in lines[:LOOKED_LINES] if line.strip()]
    if not lines:
        return None
    w3c = _w3c(lines)
    if w3c is not None:
        return w3c
    best: Reading | None = None
    for layout in LAYOUTS:
        if not any(map(layout.expression.fullmatch, lines[:12])):
            continue
        fits = sum(layout.expression.fullmatch(line) is not None for line in lines)
        loose = sum(
            layout.continues and bool(_CONTINUES.match(line)) and not layout.expression.fullmatch(line)
            for line in lines
        )
        share = fits / max(len(lines) - loose, 1)
        if share < ENOUGH:
            continue
        weight = layout.weight + (0.02 if layout.kind == kind else 0.0)
        if best is None or share * weight > best.share * best.weight + 0.005:
            best = _reading(layout, lines, share, weight)
    pairs = _logfmt(lines)
    if pairs is not None and (best is None or best.weight < 0.9):
        return pairs
    return best


def _reading(layout: Layout, lines: Sequence[str], share: float, weight: float) -> Reading:
    columns = list(layout.columns)
    probe: Cells = dict.fromkeys(columns, "")
    if layout.more is not None:
        layout.more(probe)
        at = columns.index("request") if "request" in columns else len(columns)
        added = [name for name in probe if name not in columns]
        columns = [*columns[:at], *added, *(c for c in columns[at:] if c in probe)]
    expression, more = layout.expression, layout.more

    def parse(line: str) -> Sequence[str | None] | None:
        found = expression.fullmatch(line)
        if found is None:
            return None
        cells: Cells = {name: value or "" for name, value in found.groupdict().items()}
        if more is not None:
            more(cells)
        return [None if cells[c] in ("", "-") else cells[c] for c in columns]

    message = columns.index(layout.message) if layout.message in columns else -1
    time = columns.index("time") if "time" in columns else -1
    return Reading(layout.kind, columns, parse, layout.continues and message >= 0, message, share, weight, time=time)


def _w3c(lines: Sequence[str]) -> Reading | None:
    """W3C extended logs name their own columns: #Fields: date time c-ip …"""
    named = next((line for line in lines if line.startswith("#Fields:")), None)
    if named is None:
        return None
    names = [re.sub(r"[()]+", "_", name).strip("_").replace("-", "_").lower() for name in named[8:].split()]
    tabs = any("\t" in line for line in lines if not line.startswith("#"))
    joined = "date" in names and "time" in names
    d, t = (names.index("date"), names.index("time")) if joined else (0, 0)
    columns = [*(["timestamp"] if joined else []), *(n for n in names if not joined or n not in ("date", "time"))]

    def parse(line: str) -> Sequence[str | None] | None:
        cells = line.split("\t") if tabs else line.split()
        if len(cells) != len(names):
            return None
        values: list[str | None] = [None if cell == "-" else cell for cell in cells]
        if not joined:
            return values
        return [f"{cells[d]} {cells[t]}", *(v for i, v in enumerate(values) if i not in (d, t))]

    kind = "cloudfront" if "x_edge_location" in names else "iis" if "s_ip" in names else "w3c-log"
    body = [line for line in lines if not line.startswith("#")]
    share = sum(parse(line) is not None for line in body) / max(len(body), 1)
    return Reading(kind, columns, parse, share=share if body else 0.9, skip=lambda line: line.startswith("#"))


def _logfmt(lines: Sequence[str]) -> Reading | None:
    """key=value pairs, blanks between them, texts in quotes."""
    columns: list[str] = []
    fits = 0
    for line in lines:
        pairs = _PAIR.findall(line)
        covered = sum(len(key) + 1 + len(value) for key, value in pairs) + max(len(pairs) - 1, 0)
        if len(pairs) >= 2 and covered >= 0.95 * len(line.strip()):
            fits += 1
            columns += [key for key, _ in pairs if key not in columns]
    if fits < 0.9 * len(lines) or not columns or len(columns) > 200:
        return None
    index = {name: i for i, name in enumerate(columns)}

    def parse(line: str) -> Sequence[str | None] | None:
        cells: list[str | None] = [None] * len(columns)
        pairs = _PAIR.findall(line)
        if not pairs:
            return None
        for key, value in pairs:
            at = index.get(key)
            if at is None:
                return None
            cells[at] = _unquoted(value)
        return cells

    return Reading("logfmt", columns, parse, share=fits / len(lines))


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), value[1:-1])
    return value


# -------------------------------------------------------------------------------------------------------------- opening


def open_source(location: str, detection: Detection, options: OpenOptions) -> Source:
    """A source of one table, a row for each log record. SourceProblem when the file is no log that is known here."""
    from synth.sources.delimited import lines_of, read_text_file
    from synth.sources.records import existing_file, table_name
    from synth.sources.spool import Scratch
    from synth.sources.wrapping import unwrapped

    path = existing_file(location, "a log file")
    scratch = Scratch()
    try:
        bare = unwrapped(path, detection.wrappings, scratch.file)
        text = read_text_file(bare, path.name)
        lines = lines_of(text.head)
        reading = reading_of(lines if text.whole else lines[:-1], detection.kind)
        if reading is None:
            raise SourceProblem(
                "unknown-kind",
                f"{path.name} is no log of a layout that is known here",
                "Its lines can be read as text.",
            )
        if reading.kind == "logfmt" and not text.whole:
            reading = _all_keys(bare, text.encoding) or reading
        doors = DuckDoors(path=bare, encoding="utf-8-sig" if text.encoding.name == "utf-8" else text.encoding.name)
        doors.connection.execute("SET TimeZone='UTC'")
        try:
            name = table_name(location, options)
            spool = RowSpool(scratch.file("rows.parquet"), len(reading.columns))
            until = datetime.fromtimestamp(path.stat().st_mtime)
            looked = _spooled(bare, text.encoding, reading, spool, until)
            spool.close()
            if not spool.rows:
                raise SourceProblem("empty", f"{path.name} holds no log record", "Every line was set aside.")
            types, samples = first_types(reading.columns, spread(looked))
            types = [replace(t, meaning="level") if t.name == "level" else t for t in types]
            optional = frozenset(i for i, column in enumerate(reading.columns) if column in _OPTIONAL)
            table, rejects, notes = serve_spool(doors, name, spool, types, samples, optional)
        except BaseException:
            doors.connection.close()
            raise
        if any(_SHORT_TIME.match(line) for line in lines[:20]):
            notes.append(f"the log tells no year; it is taken from the file's date ({until:%Y-%m-%d})")
        if spool.aside:
            notes.append(f"{spool.aside} lines fit no record and are set aside")
        return DuckSource(
            name,
            detection.kind if detection.kind not in ("", "unknown", "log") else reading.kind,
            doors,
            tables=[table],
            rejects={name: rejects} if rejects else {},
            notes=[*notes, *null_notes(types)],
            cleanup=scratch.remove,
            facts={
                "format": "log",
                "layout": reading.kind,
                "dialect": {"encoding": text.encoding.name, "header": False, "skip_rows": 0},
            },
        )
    except BaseException:
        scratch.remove()
        raise


def _spooled(
    path: Any, encoding: Any, reading: Reading, spool: RowSpool, until: datetime
) -> list[Sequence[str | None]]:
    """Every record into the spool; some of them come back, for a first guess at the types."""
    looked: list[Sequence[str | None]] = []
    step = 1
    for number, (line, row) in enumerate(_records(path, encoding, reading, spool)):
        if reading.time >= 0 and (told := row[reading.time]):
            row = [*row[: reading.time], plain_time(told, until), *row[reading.time + 1 :]]
        spool.add(line, row)
        if number % step == 0:
            looked.append(row)
            if len(looked) >= 2_000:
                looked = looked[::2]
                step *= 2
    return looked


def _records(path: Any, encoding: Any, reading: Reading, spool: RowSpool) -> Iterator[tuple[int, Sequence[str | None]]]:
    from synth.sources.delimited import numbered

    waiting: tuple[int, list[str | None]] | None = None
    extra: list[str] = []
    extra_bytes = 0
    for number, line in enumerate(numbered(path, encoding), 1):
        if not line.strip() or reading.skip(line):
            continue
        row = reading.parse(line)
        if row is None:
            if waiting is not None and reading.continues and extra_bytes < CONTINUED_BYTES:
                extra.append(line)
                extra_bytes += len(line)
            else:
                spool.set_aside(number, f"is no {reading.kind} record", line)
            continue
        if waiting is not None:
            yield _finished(waiting, extra, reading)
        waiting, extra, extra_bytes = (number, list(row)), [], 0
    if waiting is not None:
        yield _finished(waiting, extra, reading)


def _finished(
    waiting: tuple[int, list[str | None]], extra: Sequence[str], reading: Reading
) -> tuple[int, Sequence[str | None]]:
    line, row = waiting
    if extra:
        row[reading.message] = "\n".join([row[reading.message] or "", *extra])
    return line, row


def _all_keys(path: Any, encoding: Any) -> Reading | None:
    """Keys may come up late: every line of the file is asked for its own."""
    from synth.sources.delimited import numbered

    keys: dict[str, None] = {}
    for line in numbered(path, encoding):
        keys.update((key, None) for key, _ in _PAIR.findall(line))
        if len(keys) > 200:
            return None
    return _logfmt([" ".join(f"{key}=x" for key in keys)]) if len(keys) >= 2 else None
