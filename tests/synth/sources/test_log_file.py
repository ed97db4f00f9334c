# ruff: noqa: E501 -- a log's line reads best on one line
from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from synth.detection import Detection
from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources.duck import DuckSource
from synth.sources.log_file import open_source, plain_time, sniff

LOGS = {
    "apache-combined": '1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "GET /a?x=1 HTTP/1.0" 200 2326 "http://r/" "Mozilla/5.0 (X)"\n5.6.7.8 - - [10/Oct/2000:13:55:37 -0700] "POST /b HTTP/1.1" 404 - "-" "curl/7"\n',
    "apache-common": '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326\n5.6.7.8 - - [10/Oct/2000:13:55:37 -0700] "GET /b HTTP/1.0" 500 12\n',
    "apache-error": "[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 35708:tid 43] [client 1.2.3.4:50] File does not exist: /x\n[Wed Oct 11 14:32:53.123456 2000] [core:warn] [pid 35708:tid 43] hello\n",
    "nginx-error": "2021/03/01 10:00:00 [error] 123#0: *5 open() failed\n2021/03/01 10:00:01 [warn] 123#0: *6 x\n",
    "syslog": "Oct 11 22:14:15 mymachine su[123]: failed for lonvick\nOct 11 22:14:16 mymachine cron: ok\n",
    "syslog-rfc5424": '<34>1 2003-10-11T22:14:15.003Z host su 12 ID47 - failed\n<35>1 2003-10-11T22:14:16.003Z host su 12 ID47 [ex@1 a="b"] ok\n',
    "python-log": "2021-01-01 10:00:00,123 - app.db - INFO - started\n2021-01-01 10:00:01,123 - app.db - ERROR - failed\n",
    "log4j": "2021-01-01 10:00:00,123 [main] INFO  com.x.App - started\n2021-01-01 10:00:01,123 [main] ERROR com.x.App - boom\n",
    "log": "2021-01-01T10:00:00Z INFO started up\n2021-01-01T10:00:01Z ERROR failed thing\n",
    "logfmt": 'ts=2021-01-01T10:00:00Z level=info msg="hello world" dur=1.5\nts=2021-01-01T10:00:01Z level=error msg="bad \\"x\\"" dur=2.5 err=oops\n',
    "iis": "#Software: IIS\n#Fields: date time s-ip cs-method cs-uri-stem sc-status cs(User-Agent)\n2021-03-01 10:00:00 1.2.3.4 GET /a 200 Mozilla\n2021-03-01 10:00:01 1.2.3.4 GET /b 404 -\n",
    "postgresql-log": "2021-01-01 10:00:00.123 UTC [123] LOG:  started\n2021-01-01 10:00:01.123 UTC [123] bob@shop ERROR:  bad\n",
    "haproxy": 'Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"\n'
    * 2,
    "squid": "1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://a/b - DIRECT/1.2.3.4 text/xml\n" * 2,
    "vpc-flow": "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n"
    * 2,
    "glog": "I0301 10:00:00.123456    1 main.go:12] started\nE0301 10:00:01.123456    1 main.go:13] failed\n",
    "cri-log": "2021-01-01T10:00:00.1Z stdout F hello\n2021-01-01T10:00:01.1Z stderr F world\n",
}


def opened(tmp_path: Path, text: str, kind: str = "log") -> DuckSource:
    path = tmp_path / "x.log"
    path.write_text(text)
    source = open_source(str(path), Detection(str(path), kind, "log", 1.0), OpenOptions())
    assert isinstance(source, DuckSource)
    return source


def rows_of(source: DuckSource) -> list[dict[str, object]]:
    return [row for batch in source.capability.query("SELECT * FROM x") for row in batch.to_pylist()]


@pytest.mark.parametrize("kind", LOGS)
def test_a_layout_is_recognised_and_typed(kind: str, tmp_path: Path) -> None:
    score, facts, _ = sniff(LOGS[kind].encode(), "x")
    source = opened(tmp_path, LOGS[kind])

    assert (facts["layout"], source.kind) == (kind, kind)
    assert score > 0.7
    assert len(rows_of(source)) == 2
    assert any(f.type.startswith("timestamp") for f in source.tables()[0].fields)
    assert source.completeness().state == "complete"


def test_a_request_comes_in_parts(tmp_path: Path) -> None:
    row = rows_of(opened(tmp_path, LOGS["apache-combined"]))[0]

    assert (row["method"], row["path"], row["protocol"], row["status"], row["bytes"]) == (
        "GET",
        "/a?x=1",
        "HTTP/1.0",
        200,
        2326,
    )
    assert row["time"] == datetime(2000, 10, 10, 20, 55, 36, tzinfo=UTC)


def test_a_stack_trace_belongs_to_the_message_before_it(tmp_path: Path) -> None:
    text = (
        LOGS["python-log"]
        + 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: bad\n2021-01-01 10:00:02,123 - app - INFO - done\n'
    )

    rows = rows_of(opened(tmp_path, text))

    assert len(rows) == 3
    assert str(rows[1]["message"]).endswith("ValueError: bad")


def test_a_line_that_fits_nowhere_is_set_aside_with_its_number(tmp_path: Path) -> None:
    source = opened(tmp_path, LOGS["apache-common"] + "garbage\n")

    rows = rows_of(source)
    aside = source.completeness()

    assert len(rows) == 2
    assert (aside.set_aside_count, aside.set_aside[0].position, aside.set_aside[0].value) == (1, 3, "garbage")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oct  5 10:11:12", "2025-10-05 10:11:12"),
        ("Jan  5 10:11:12", "2026-01-05 10:11:12"),
        ("Feb 29 10:11:12", "2024-02-29 10:11:12"),
        ("2021-01-01 10:00:00", "2021-01-01 10:00:00"),
    ],
)
def test_a_time_without_a_year_gets_the_latest_that_is_past(text: str, expected: str) -> None:
    assert plain_time(text, datetime(2026, 3, 1)) == expected


def test_prose_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem):
        opened(tmp_path, "Hello world this is text.\nAnother line of it.\nAnd so on.\n")
    assert sniff(b"Hello world this is text.\nAnother line of it.\n", "x")[0] == 0.0


def test_brackets_around_a_logger_are_layout_and_not_its_name(tmp_path: Path) -> None:
    source = opened(tmp_path, "2024-05-01 12:00:00,1 ERROR [mailer] lost it\n2024-05-01 12:00:01,1 INFO [auth-2] in\n")

    assert [(r["logger"], r["message"]) for r in rows_of(source)] == [("mailer", "lost it"), ("auth-2", "in")]
