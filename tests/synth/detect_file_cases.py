"""Files with the kind each one is, made by real writers where there is one here, else by hand; made before tuning."""

from __future__ import annotations

# ruff: noqa: E501  # a case is one row, however long its bytes are
import bz2
import csv
import gzip
import io
import json
import lzma
import mailbox
import pickle
import plistlib
import random
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

_RANDOM = random.Random(7)
_NAMES = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hal", "Ida", "Jon")
_CITIES = ("Berlin", "Lyon", "Porto", "Oslo", "Graz", "Ghent")


def _orders(count: int = 40) -> list[tuple[str, ...]]:
    start = date(2021, 3, 1)
    return [
        (
            str(1000 + at),
            _NAMES[at % 10],
            _CITIES[at % 6],
            f"{_RANDOM.uniform(5, 500):.2f}",
            str(start + timedelta(days=at)),
        )
        for at in range(count)
    ]


_HEADER = ("id", "customer", "city", "total", "placed")


def _delimited(delimiter: str, **options: object) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", **options)  # type: ignore[arg-type]  # csv's own options
    writer.writerow(_HEADER)
    writer.writerows(_orders())
    return out.getvalue().encode()


def _records() -> list[dict[str, object]]:
    return [dict(zip(_HEADER, row, strict=True)) for row in _orders(12)]


def _zip(members: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _arrow(kind: str) -> bytes:
    import pyarrow as pa
    from pyarrow import feather, orc, parquet

    table = pa.Table.from_pylist(_records())
    out = io.BytesIO()
    if kind == "parquet":
        parquet.write_table(table, out)
    elif kind == "arrow":
        with pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    elif kind == "arrow-stream":
        with pa.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
    elif kind == "orc":
        orc.write_table(table, out)
    else:
        feather.write_feather(table, out)
    return out.getvalue()


def _xlsx() -> bytes:
    import openpyxl  # type: ignore[import-untyped]  # no stubs needed for one case

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(_HEADER)
    for row in _orders():
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sqlite(folder: Path, statements: str) -> bytes:
    file = folder / "made.sqlite"
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as connection:
        connection.executescript(statements)
    connection.close()
    data = file.read_bytes()
    file.unlink()
    return data


def _duckdb(folder: Path) -> bytes:
    import duckdb

    file = folder / "made.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(10)")
    data = file.read_bytes()
    file.unlink()
    return data


def _numpy(kind: str) -> bytes:
    import numpy as np

    out = io.BytesIO()
    if kind == "npz":
        np.savez(out, a=np.arange(5), b=np.ones(3))
    else:
        np.save(out, np.arange(50.0))
    return out.getvalue()


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(8000)
        stream.writeframes(bytes(800))
    return out.getvalue()


def _mail() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ada <ada@example.org>", "ben@example.org", "Figures"
    message["Date"] = "Mon, 01 Mar 2021 10:00:00 +0000"
    message.set_content("Dear Ben,\n\nhere are the figures.\n")
    return message.as_bytes()


def _mbox(folder: Path) -> bytes:
    file = folder / "made.mbox"
    box = mailbox.mbox(file)
    box.add(_mail())
    box.flush()
    box.close()
    data = file.read_bytes()
    file.unlink()
    return data


def _msgpack() -> bytes:
    import ormsgpack

    return ormsgpack.packb(_records())


def _descriptor() -> bytes:
    from google.protobuf import descriptor_pb2, timestamp_pb2  # type: ignore[import-untyped]  # no stubs needed for one case

    files = descriptor_pb2.FileDescriptorSet()
    timestamp_pb2.DESCRIPTOR.CopyToProto(files.file.add())
    return bytes(files.SerializeToString())


def _png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 14)) + chunk(b"IEND", b"")
    )


def _dbf() -> bytes:
    field = b"NAME".ljust(11, b"\0") + b"C" + b"\0" * 4 + bytes([10, 0]) + b"\0" * 14
    return (
        bytes([3, 121, 3, 1])
        + struct.pack("<IHH", 1, 65, 11)
        + b"\0" * 20
        + field
        + b"\r"
        + b" "
        + b"Ada".ljust(10)
        + b"\x1a"
    )


def _ole(stream: str) -> bytes:
    sector = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"",
        62,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        1,
        0,
        4096,
        0xFFFFFFFE,
        0,
        0xFFFFFFFE,
        0,
        0,
    )
    head = sector.ljust(512, b"\xff")
    fat = struct.pack("<128I", 0xFFFFFFFD, 0xFFFFFFFE, *([0xFFFFFFFF] * 126))
    entries = b""
    for name in ("Root Entry", stream):
        encoded = (name + "\0").encode("utf-16-le")
        entries += encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded)) + b"\5\1" + b"\0" * 60
    return head + fat + entries.ljust(512, b"\0")


def _fixed() -> bytes:
    lines = [f"{'STATION':<10}{'NAME':<20}{'LAT':>9}{'LON':>9}{'ELEV':>7}"]
    for at in range(25):
        lines.append(
            f"{f'ST{at:05d}':<10}{_CITIES[at % 6]:<20}{_RANDOM.uniform(40, 60):>9.4f}{_RANDOM.uniform(0, 20):>9.4f}{_RANDOM.randint(0, 900):>7}"
        )
    return ("\n".join(lines) + "\n").encode()


def _repeat(pattern: str, count: int = 12) -> bytes:
    return "".join(
        pattern.replace("{n}", str(at)).replace("{s}", f"{at:02d}") + "\n" for at in range(10, 10 + count)
    ).encode()


_ODF = "application/vnd.oasis.opendocument."
_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def make(folder: Path) -> list[tuple[str, bytes, str]]:
    """(name, content, kind) of every file."""

    def js(value: object) -> bytes:
        return json.dumps(value, indent=1).encode()

    rows = _records()
    commented = b"# exported 2021-03-01\n# by the shop\n" + _delimited(",")
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}
    geo = {"type": "FeatureCollection", "features": [feature]}
    ndjson = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    table_html = (
        "<html><head><title>Orders</title></head><body><table>"
        + "".join(f"<tr><td>{row[0]}</td><td>{row[1]}</td></tr>" for row in _orders())
        + "</table></body></html>"
    )
    return [
        ("orders.csv", _delimited(","), "csv"),
        ("semicolon.csv", _delimited(";"), "ssv|csv"),
        ("orders.tsv", _delimited("\t"), "tsv"),
        ("orders.psv", _delimited("|"), "psv"),
        ("quoted.csv", _delimited(",", quoting=csv.QUOTE_ALL), "csv"),
        (
            "latin.csv",
            "Name;Straße;Preis\nMüller;Hauptstraße 3;1,50\nJäger;Ölweg 1;2,75\nFöhn;Am Gäßchen 7;3,10\n".encode(
                "cp1252"
            ),
            "ssv|csv",
        ),
        ("utf16.csv", _delimited(",").decode().encode("utf-16"), "csv"),
        ("bom.csv", b"\xef\xbb\xbf" + _delimited(","), "csv"),
        ("commented.csv", commented, "csv"),
        ("one_column.csv", b"email\n" + b"".join(f"user{at}@example.org\n".encode() for at in range(20)), "csv|text"),
        ("stations.txt", _fixed(), "fixed-width"),
        ("orders.json", js(rows), "json"),
        ("compact.json", json.dumps({"items": rows, "next": None}).encode(), "json"),
        ("big.json", json.dumps([dict(rows[0], note="x" * 50) for _ in range(3000)]).encode(), "json"),
        ("events.ndjson", ndjson, "ndjson"),
        ("events.log", ndjson, "ndjson"),
        ("places.geojson", js(geo), "geojson"),
        ("features.geojsonl", b"".join(json.dumps(feature).encode() + b"\n" for _ in range(4)), "geojson-seq"),
        ("map.topojson", js({"type": "Topology", "objects": {}, "arcs": []}), "topojson"),
        ("api.json", js({"openapi": "3.1.0", "info": {"title": "x"}, "paths": {}}), "openapi"),
        ("old_api.json", js({"swagger": "2.0", "info": {"title": "x"}, "paths": {}}), "swagger"),
        ("session.har", js({"log": {"version": "1.2", "creator": {}, "entries": []}}), "har"),
        (
            "shop.postman_collection.json",
            js(
                {
                    "info": {
                        "_postman_id": "1",
                        "name": "x",
                        "schema": "https://schema.getpostman.com/json/collection/v2.1.0/",
                    },
                    "item": [],
                }
            ),
            "postman",
        ),
        ("package.json", js({"name": "x", "version": "1.0.0", "dependencies": {}, "scripts": {}}), "package-json"),
        ("work.ipynb", js({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "jupyter"),
        (
            "order.schema.json",
            js({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}}),
            "json-schema",
        ),
        ("product.jsonld", js({"@context": "https://schema.org", "@type": "Product", "name": "x"}), "json-ld"),
        (
            "record.avsc",
            js({"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}),
            "avro-schema",
        ),
        ("patient.json", js({"resourceType": "Patient", "id": "1"}), "fhir"),
        ("asset.gltf", js({"asset": {"version": "2.0"}, "scenes": [], "buffers": []}), "gltf"),
        ("settings.jsonc", b'{\n  // the editor\n  "tabSize": 4,\n  /* more */ "wrap": true,\n}\n', "jsonc|json5"),
        (
            "orders.xml",
            b'<?xml version="1.0"?>\n<orders>'
            + b"".join(f'<order id="{at}"><total>{at}.5</total></order>'.encode() for at in range(20))
            + b"</orders>",
            "xml",
        ),
        (
            "feed.xml",
            b'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><item><title>a</title></item></channel></rss>',
            "rss",
        ),
        (
            "feed2.xml",
            b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>',
            "atom",
        ),
        (
            "hike.gpx",
            b'<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk/></gpx>',
            "gpx",
        ),
        ("places.kml", b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>', "kml"),
        ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="1"><path d="M0 0"/></svg>', "svg"),
        (
            "service.wsdl",
            b'<?xml version="1.0"?><wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" name="x"/>',
            "wsdl",
        ),
        (
            "types.xsd",
            b'<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/></xs:schema>',
            "xsd",
        ),
        (
            "network.graphml",
            b'<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph/></graphml>',
            "graphml",
        ),
        (
            "sitemap.xml",
            b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url/></urlset>',
            "sitemap",
        ),
        ("TEST.xml", b'<?xml version="1.0"?><testsuite name="x" tests="1"><testcase name="a"/></testsuite>', "junit"),
        (
            "pom.xml",
            b'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion></project>',
            "maven-pom",
        ),
        (
            "statement.xml",
            b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt/></Document>',
            "iso20022",
        ),
        ("Info.plist", plistlib.dumps({"a": 1}), "plist"),
        ("binary.plist", plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY), "binary-plist"),
        ("page.html", b"<!DOCTYPE html>" + table_html.encode(), "html"),
        ("fragment.html", b"<div><p>Hello</p><table><tr><td>1</td></tr></table></div>", "html"),
        (
            "config.yaml",
            b"server:\n  host: localhost\n  port: 8080\nusers:\n  - name: ada\n    role: admin\n  - name: ben\n    role: user\n",
            "yaml",
        ),
        ("compose.yaml", b"services:\n  web:\n    image: nginx\n    ports:\n      - '80:80'\n", "docker-compose"),
        (
            "deploy.yaml",
            b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\nspec:\n  replicas: 2\n",
            "kubernetes-manifest",
        ),
        ("petstore.yaml", b"openapi: 3.0.0\ninfo:\n  title: x\n  version: '1'\npaths: {}\n", "openapi"),
        (
            "settings.toml",
            b'title = "x"\n[owner]\nname = "Ada"\nborn = 1815-12-10\n[database]\nports = [8000, 8001]\n',
            "toml",
        ),
        ("settings.ini", b"[main]\nname = shop\nport = 80\n\n[log]\nlevel = debug\npath = /var/log/x\n", "ini"),
        (".env", b"DB_HOST=localhost\nDB_PORT=5432\nSECRET_KEY=abc\nDEBUG=true\n", "dotenv"),
        (
            "app.properties",
            b"# comment\nserver.port=8080\nspring.datasource.url=jdbc:h2:mem:x\nlogging.level.root=INFO\n",
            "properties",
        ),
        (
            "main.tf",
            b'provider "aws" {\n  region = "eu-west-1"\n}\nresource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n',
            "hcl",
        ),
        (
            "Dockerfile",
            b'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nRUN pip install .\nCMD ["tars"]\n',
            "dockerfile",
        ),
        ("Makefile", b".PHONY: all\nall: build\n\techo done\nbuild:\n\tcc -o x x.c\n", "makefile"),
        (
            "schema.graphql",
            b"type Query {\n  orders(first: Int): [Order!]!\n}\n\ntype Order {\n  id: ID!\n  total: Float\n}\n",
            "graphql-sdl",
        ),
        (
            "shop.proto",
            b'syntax = "proto3";\npackage shop;\nmessage Order {\n  int64 id = 1;\n  string customer = 2;\n}\n',
            "protobuf-schema",
        ),
        (
            "shop.thrift",
            b"namespace py shop\nstruct Order {\n  1: required i64 id\n  2: optional string customer\n}\n",
            "thrift-schema",
        ),
        (
            "shop.sql",
            b"CREATE TABLE orders (\n  id integer PRIMARY KEY,\n  total numeric\n);\nINSERT INTO orders VALUES (1, 2.5);\nINSERT INTO orders VALUES (2, 3.5);\n",
            "sql-dump",
        ),
        (
            "access.log",
            _repeat('10.0.0.{n} - - [01/Mar/2021:10:00:{s} +0000] "GET /x/{n} HTTP/1.1" 200 51{n} "-" "curl/7.0"'),
            "apache-combined",
        ),
        (
            "common.log",
            _repeat('10.0.0.{n} - ada [01/Mar/2021:10:00:{s} +0000] "GET /x/{n} HTTP/1.0" 404 51{n}'),
            "apache-common",
        ),
        ("syslog", _repeat("Mar  1 10:00:{s} host sshd[12{n}]: Accepted publickey for ada from 10.0.0.{n}"), "syslog"),
        ("rfc5424.log", _repeat("<34>1 2021-03-01T10:00:{s}.003Z host su - ID47 - message {n}"), "syslog-rfc5424"),
        (
            "nginx-error.log",
            _repeat("2021/03/01 10:00:{s} [error] 12#0: *{n} open() failed, client: 10.0.0.{n}"),
            "nginx-error",
        ),
        ("app.log", _repeat("2021-03-01 10:00:{s},123 - shop.orders - INFO - order {n} placed"), "python-log"),
        ("java.log", _repeat("2021-03-01 10:00:{s}.123  INFO 1 --- [main] c.e.Shop : order {n} placed"), "log4j"),
        ("plain.log", _repeat("2021-03-01 10:00:{s} started job {n} on worker"), "log"),
        ("logfmt.log", _repeat('time=2021-03-01T10:00:{s}Z level=info msg="order placed" id={n}'), "logfmt"),
        (
            "iis.log",
            b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem sc-status\n"
            + _repeat("2021-03-01 10:00:{s} 10.0.0.1 GET /x{n} 200"),
            "iis",
        ),
        (
            "flow.log",
            _repeat("2 123456789012 eni-abc{n} 10.0.0.1 10.0.0.2 443 49{n}1 6 10 840 1614592800 1614592860 ACCEPT OK"),
            "vpc-flow",
        ),
        (
            "alb.log",
            _repeat(
                'https 2021-03-01T10:00:{s}.000000Z app/lb/50dc 10.0.0.{n}:2817 10.0.1.1:80 0.000 0.001 0.000 200 200 34 366 "GET https://x:443/ HTTP/1.1" "curl" - -'
            ),
            "elb",
        ),
        ("events.cef", _repeat("CEF:0|Vendor|Product|1.0|10{n}|Login|5|src=10.0.0.{n} act=blocked"), "cef"),
        ("kubelet.log", _repeat("I0301 10:00:{s}.123456    12{n} server.go:41{n}] started"), "glog"),
        (
            "audit.log",
            _repeat("type=SYSCALL msg=audit(1614592800.{n}3:4{n}): arch=c000003e syscall=59 success=yes"),
            "auditd",
        ),
        (
            "metrics.prom",
            b'# HELP up Whether up.\n# TYPE up gauge\nup{job="x"} 1\nup{job="y"} 0\n',
            "prometheus-metrics",
        ),
        ("points.lp", _repeat("cpu,host=a{n} usage=0.{n},user=3i 16145928{s}000000000"), "influx-line-protocol"),
        ("track.nmea", _repeat("$GPGGA,1000{s},4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"), "nmea"),
        (
            "README.md",
            b"# Shop\n\nA small [shop](https://example.org).\n\n## Use\n\n```\nmake demo\n```\n\n- one\n- two\n",
            "markdown",
        ),
        (
            "index.rst",
            b"Shop\n====\n\n.. toctree::\n   :maxdepth: 2\n\n   guide\n\nUse\n---\n\n.. code-block:: python\n\n   import x\n",
            "rst",
        ),
        (
            "paper.tex",
            b"\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n\\section{One}\nText.\n\\end{document}\n",
            "latex",
        ),
        (
            "refs.bib",
            b"@article{ada1843,\n  author = {Lovelace, Ada},\n  title = {Notes},\n  year = {1843}\n}\n",
            "bibtex",
        ),
        (
            "notes.txt",
            b"The engine weaves algebraic patterns just as the loom weaves flowers and leaves. It was said of it that it can do whatever we know how to order it to perform. It has no power of anticipating.\n",
            "text",
        ),
        ("mail.eml", _mail(), "eml"),
        ("box.mbox", _mbox(folder), "mbox"),
        (
            "team.ics",
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            "icalendar",
        ),
        ("people.vcf", b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nEND:VCARD\r\n", "vcard"),
        (
            "calls.vcf",
            b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t100\t.\tA\tG\t50\tPASS\tDP=3\n",
            "vcf",
        ),
        ("genes.fasta", b">seq1 first\nACGTACGTACGTTTGA\nACGGT\n>seq2\nGGGTTTAACC\n", "fasta"),
        ("reads.fastq", b"@r1\nACGTN\n+\nIIIII\n@r2\nGGCTA\n+\nFFFFF\n", "fastq"),
        (
            "reads.sam",
            b"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:1000\nr1\t0\tchr1\t10\t60\t5M\t*\t0\t0\tACGTA\tIIIII\n",
            "sam",
        ),
        ("genes.gff3", b"##gff-version 3\nchr1\tx\tgene\t1\t100\t.\t+\t.\tID=g1\n", "gff"),
        ("peaks.bed", _repeat("chr1\t1{n}\t2{n}\tpeak{n}\t{n}\t+"), "bed"),
        (
            "1abc.pdb",
            b"HEADER    HYDROLASE                               01-MAR-21   1ABC\nATOM      1  N   MET A   1      27.340  24.430   2.614  1.00  9.67           N\n",
            "pdb",
        ),
        ("film.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n", "srt"),
        ("film.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "webvtt"),
        ("fix.patch", b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "diff"),
        ("data.ttl", b"@prefix ex: <http://example.org/> .\nex:a ex:knows ex:b .\n", "turtle"),
        ("data.nt", _repeat('<http://e.org/{n}> <http://e.org/p> "v{n}" .'), "n-triples"),
        ("admissions.hl7", b"MSH|^~\\&|LAB|H|ADT|H|20210301||ADT^A01|1|P|2.5\rPID|1||123||Doe^Jane\r", "hl7"),
        (
            "orders.edi",
            b"UNB+UNOA:2+SENDER+RECEIVER+210301:1000+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'UNT+3+1'UNZ+1+1'",
            "edifact",
        ),
        (
            "statement.sta",
            b":20:STARTUMS\n:25:10020030/1234\n:28C:1/1\n:60F:C210301EUR1000,00\n:61:2103010301C5,00N\n:62F:C210301EUR1005,00\n",
            "mt940",
        ),
        (
            "tool.py",
            b"import sys\n\n\ndef main(argv: list[str]) -> int:\n    print(argv)\n    return 0\n\n\nif __name__ == '__main__':\n    sys.exit(main(sys.argv))\n",
            "python",
        ),
        (
            "app.js",
            b"const fs = require('fs');\nfunction main(path) {\n  console.log(fs.readFileSync(path, 'utf8'));\n}\nmodule.exports = { main };\n",
            "javascript",
        ),
        (
            "Main.java",
            b"package org.example;\nimport java.util.List;\npublic class Main {\n  public static void main(String[] args) { System.out.println(args.length); }\n}\n",
            "java",
        ),
        ("main.go", b'package main\n\nimport (\n\t"fmt"\n)\n\nfunc main() {\n\tx := 1\n\tfmt.Println(x)\n}\n', "go"),
        (
            "main.rs",
            b'use std::fs;\n\nfn main() {\n    let mut x = 1;\n    x += 1;\n    println!("{}", x);\n}\n',
            "rust",
        ),
        ("main.c", b'#include <stdio.h>\n\nint main(void) {\n    printf("hi\\n");\n    return 0;\n}\n', "c"),
        ("run.sh", b'#!/bin/bash\nset -e\nfor f in *.csv; do\n  echo "$f"\ndone\n', "shell"),
        ("site.css", b"body {\n  margin: 0;\n  font-size: 12px;\n}\n.nav a { color: red; }\n", "css"),
        ("orders.parquet", _arrow("parquet"), "parquet"),
        ("orders.arrow", _arrow("arrow"), "arrow"),
        ("orders.arrows", _arrow("arrow-stream"), "arrow-stream"),
        ("orders.feather", _arrow("feather"), "feather|arrow"),
        ("orders.orc", _arrow("orc"), "orc"),
        ("orders.avro", b"Obj\x01\x04\x16avro.schema" + b"x" * 60, "avro"),
        ("book.xlsx", _xlsx(), "xlsx"),
        ("book.xls", _ole("Workbook"), "xls"),
        ("letter.doc", _ole("WordDocument"), "doc"),
        ("mail.msg", _ole("__properties_version1.0"), "msg"),
        ("book.ods", _zip({"mimetype": _ODF + "spreadsheet", "content.xml": "<x/>"}), "ods"),
        ("letter.odt", _zip({"mimetype": _ODF + "text", "content.xml": "<x/>"}), "odt"),
        ("letter.docx", _zip({"[Content_Types].xml": _TYPES, "word/document.xml": "<x/>"}), "docx"),
        ("talk.pptx", _zip({"[Content_Types].xml": _TYPES, "ppt/presentation.xml": "<x/>"}), "pptx"),
        ("book.epub", _zip({"mimetype": "application/epub+zip", "META-INF/container.xml": "<x/>"}), "epub"),
        ("app.jar", _zip({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", "A.class": b"\xca\xfe\xba\xbe"}), "jar"),
        (
            "tool-1.0-py3-none-any.whl",
            _zip({"tool/__init__.py": "", "tool-1.0.dist-info/WHEEL": "x", "tool-1.0.dist-info/METADATA": "x"}),
            "wheel",
        ),
        ("places.kmz", _zip({"doc.kml": "<kml/>"}), "kmz"),
        (
            "gtfs.zip",
            _zip(dict.fromkeys(("stops.txt", "routes.txt", "trips.txt", "stop_times.txt"), "a,b\n1,2\n")),
            "gtfs",
        ),
        ("mixed.zip", _zip({"a.csv": _delimited(","), "b.json": "{}", "c/d.txt": "hello"}), "zip"),
        ("weights.npz", _numpy("npz"), "npz"),
        ("weights.npy", _numpy("npy"), "npy"),
        ("data.tar", _tar({"a.csv": _delimited(","), "b.txt": b"hello"}), "tar"),
        ("data.tar.gz", gzip.compress(_tar({"a.csv": _delimited(",")})), "tar"),
        ("orders.csv.gz", gzip.compress(_delimited(",")), "csv"),
        ("orders.csv.bz2", bz2.compress(_delimited(",")), "csv"),
        ("orders.json.xz", lzma.compress(js(rows)), "json"),
        ("events.ndjson.gz", gzip.compress(ndjson * 50), "ndjson"),
        ("orders.csv.zip", _zip({"orders.csv": _delimited(",")}), "csv|zip"),
        (
            "shop.sqlite",
            _sqlite(
                folder, "CREATE TABLE orders(id integer primary key, total real); INSERT INTO orders VALUES (1, 2.5);"
            ),
            "sqlite",
        ),
        (
            "parcels.gpkg",
            _sqlite(
                folder,
                "PRAGMA application_id=1196444487; CREATE TABLE gpkg_contents(table_name text); CREATE TABLE gpkg_spatial_ref_sys(a);",
            ),
            "geopackage",
        ),
        (
            "map.mbtiles",
            _sqlite(
                folder,
                "CREATE TABLE metadata(name text, value text); CREATE TABLE tiles(zoom_level integer, tile_column integer, tile_row integer, tile_data blob);",
            ),
            "mbtiles",
        ),
        ("shop.duckdb", _duckdb(folder), "duckdb"),
        ("parcels.dbf", _dbf(), "dbf"),
        ("model.pkl", pickle.dumps({"a": [1, 2, 3], "b": "text"}), "pickle"),
        ("events.msgpack", _msgpack(), "msgpack"),
        ("shop.protoset", _descriptor(), "protobuf-descriptor"),
        ("dump.bson", b"\x1c\x00\x00\x00\x02name\x00\x04\x00\x00\x00Ada\x00\x10age\x00\x24\x00\x00\x00\x00", "bson"),
        ("linux.torrent", b"d8:announce20:http://tracker/annou4:infod4:name1:xee", "bencode"),
        ("photo.png", _png(), "png"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(200), "jpeg"),
        ("photo.gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(50), "gif"),
        ("photo.webp", b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40), "webp"),
        (
            "elevation.tif",
            b"II*\x00\x08\x00\x00\x00"
            + struct.pack("<H", 2)
            + struct.pack("<HHII", 256, 3, 1, 10)
            + struct.pack("<HHII", 34735, 3, 4, 50)
            + bytes(60),
            "geotiff",
        ),
        (
            "photo.tif",
            b"MM\x00*\x00\x00\x00\x08" + struct.pack(">H", 1) + struct.pack(">HHII", 256, 3, 1, 10) + bytes(60),
            "tiff",
        ),
        ("voice.wav", _wav(), "wav"),
        ("song.mp3", b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(100), "mp3"),
        ("film.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(60), "mp4"),
        ("report.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n", "pdf"),
        ("letter.rtf", b"{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}Hello\\par}", "rtf"),
        ("traffic.pcap", b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(16), "pcap"),
        ("traffic.pcapng", b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00" + b"\xff" * 8, "pcapng"),
        ("tool", b"\x7fELF\x02\x01\x01" + bytes(60), "elf"),
        ("survey.sav", b"$FL2@(#) SPSS DATA FILE" + bytes(100), "spss"),
        ("panel.dta", b"<stata_dta><header><release>118</release>" + bytes(60), "stata"),
        (
            "old.dta",
            bytes([114, 2, 1, 0])
            + struct.pack("<HI", 3, 10)
            + b"panel".ljust(81, b"\0")
            + b" 1 Mar 2021 10:00\0"
            + bytes(60),
            "stata",
        ),
        (
            "trial.xpt",
            b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  " + b"SAS     SASLIB  ",
            "sas-xport",
        ),
        ("signals.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x01IM" + bytes(60), "matlab"),
        ("run.h5", b"\x89HDF\r\n\x1a\n" + bytes(200), "hdf5"),
        ("climate.nc", b"CDF\x01" + bytes(100), "netcdf"),
        ("climate4.nc", b"\x89HDF\r\n\x1a\n" + bytes(100) + b"_NCProperties" + bytes(50), "netcdf4"),
        ("cells.h5ad", b"\x89HDF\r\n\x1a\n" + bytes(100) + b"encoding-type\x00anndata" + bytes(50), "h5ad"),
        ("galaxy.fits", b"SIMPLE  =                    T / conforms".ljust(80) + b" " * 200, "fits"),
        ("scan.dcm", bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00" + bytes(50), "dicom"),
        ("brain.nii", struct.pack("<i", 348) + bytes(340) + b"n+1\x00" + bytes(20), "nifti"),
        (
            "roads.shp",
            b"\x00\x00\x27\x0a" + bytes(20) + b"\x00\x00\x00\x32\xe8\x03\x00\x00\x03\x00\x00\x00" + bytes(60),
            "shapefile",
        ),
        ("scan.las", b"LASF" + bytes(220), "las"),
        ("font.ttf", b"\x00\x01\x00\x00\x00\x0c\x00\x80\x00\x03" + bytes(60), "ttf"),
        ("font.woff2", b"wOF2\x00\x01\x00\x00" + bytes(40), "woff2"),
        (
            "model.safetensors",
            struct.pack("<Q", 66) + b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(66) + bytes(8),
            "safetensors",
        ),
        ("books.mrc", b"00714cam a2200205 a 4500001001300000003000400013\x1e12883376\x1eDLC\x1e\x1d", "marc"),
        ("blob.csv", bytes(_RANDOM.randrange(256) for _ in range(4000)), "unknown"),
        ("noise.bin", bytes(_RANDOM.randrange(256) for _ in range(4000)), "unknown"),
    ]
