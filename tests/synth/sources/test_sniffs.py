"""The heads of files tell what they are, quickly and without a heavy import."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from synth.sources import columnar, excel, html_file, json_file, xml_file

ROWS = [{"id": i, "name": f"n {i}", "tags": ["a", "b"]} for i in range(3_000)]


@pytest.mark.parametrize(
    ("head", "shape"),
    [
        (b'{"a": 1, "b": [1, 2]}', "object"),
        (b'[{"a": 1}, {"a": 2}]', "array"),
        (b"[]", "array"),
        (b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n', "lines"),
        (b'{"a": 1}\n\n{"a": 2}\n{"a": broken\n', "lines"),
        (b'{"a": 1}{"a": 2}', "concatenated"),
        (b'{\n "a": 1\n}\n{\n "a": 2\n}\n', "concatenated"),
        (b'// settings\n/* of\nours */ {"a": 1}', "object"),
        (b'callback({"a": 1});', "object"),
        (b')]}\',\n[{"a": 1}]', "array"),
        ('{"a": "ü"}'.encode("utf-16"), "object"),
        ('[{"a": "ü"}]'.encode("utf-32-le"), "array"),
        (json.dumps(ROWS).encode()[:65_536], "array"),
        (b"\n".join(json.dumps(r).encode() for r in ROWS)[:65_536], "lines"),
        (json.dumps({"meta": {"n": 1}, "rows": ROWS}, indent=1).encode()[:65_536], "object"),
    ],
)
def test_json_is_recognised_with_its_shape(head: bytes, shape: str) -> None:
    score, facts, evidence = json_file.sniff(head, "x.dat")

    assert score >= 0.8
    assert facts["shape"] == shape
    assert evidence


@pytest.mark.parametrize(
    "head",
    [
        b"a,b\n1,2\n",
        b"[section]\nkey = 1\n",
        b"{{ template }}",
        b"<html>",
        b"",
        b"{not json}",
        b"[2021-03-05 10:00:00] INFO started",
        b"\x89PNG\r\n",
        b"{a: 1}",
    ],
)
def test_other_text_is_not_json(head: bytes) -> None:
    assert json_file.sniff(head, "x.json")[0] <= 0.3


@pytest.mark.parametrize(
    "head",
    [
        b'<?xml version="1.0"?><orders><order id="1"/></orders>',
        b"<!-- note --><orders><order/></orders>",
        b"<rss version='2.0'><channel>",
        '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"),
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<ns:a xmlns:ns="urn:x"><ns:b/></ns:a>',
    ],
)
def test_xml_is_recognised(head: bytes) -> None:
    assert xml_file.sniff(head, "x")[0] >= 0.7


@pytest.mark.parametrize(
    "head", [b"<!DOCTYPE html><html><body>", b"  <HTML>\n<head>", b"<table><tr><td>1</td></tr></table>"]
)
def test_html_is_recognised_and_is_not_xml(head: bytes) -> None:
    score = html_file.sniff(head, "x")[0]

    assert score >= 0.75
    assert xml_file.sniff(head, "x")[0] < score or head.startswith(b"<table")


def test_a_list_in_angle_brackets_is_nothing() -> None:
    assert xml_file.sniff(b"<34>Oct 11 22:14:15 host su: failed", "x")[0] == 0.0
    assert html_file.sniff(b"<34>Oct 11 22:14:15 host su: failed", "x")[0] == 0.0


@pytest.mark.parametrize("module", [json_file, xml_file, html_file, excel, columnar])
def test_a_head_of_64_kb_is_looked_at_in_milliseconds(module: object) -> None:
    heads = [
        json.dumps(ROWS).encode()[:65_536],
        ("<r>" + "<i a='1'>x</i>" * 6_000).encode()[:65_536],
        ("<p>" * 30_000).encode()[:65_536],
        ("<!-- " * 20_000).encode()[:65_536],
        ("<!DOCTYPE a [" * 6_000).encode()[:65_536],
        ("[" * 65_536).encode(),
        ('{"a":' * 14_000).encode()[:65_536],
        b'"' * 65_536,
        (b" " * 65_536),
        bytes(range(256)) * 256,
        b"a" * 65_536,
    ]
    slowest = 0.0

    for head in heads:
        best = min(_seconds(module, head) for _ in range(3))
        slowest = max(slowest, best)

    assert slowest < 0.02


def _seconds(module: object, head: bytes) -> float:
    start = time.perf_counter()
    module.sniff(head, "x.dat")  # type: ignore[attr-defined]  # each of the modules has it
    return time.perf_counter() - start


def test_sniffing_loads_no_heavy_library() -> None:
    code = (
        "import sys; from synth.sources import columnar, excel, html_file, json_file, xml_file;"
        "[m.sniff(b'[1]', 'x') for m in (columnar, excel, html_file, json_file, xml_file)];"
        "print([m for m in ('duckdb', 'pyarrow', 'lxml', 'ijson', 'python_calamine', 'sqlglot') if m in sys.modules])"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out.strip() == "[]"
