"""From plain words to records over every kind of source that is read: the truth is worked out here in plain Python.

A row of the table is a source made by a small function, a request, the records that are right, and how complete they are.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from synth.actions import Desk, Said, ask
from synth.closures import run_closure
from synth.records import comparable
from tests import servers
from tests.services import Server

CITIES = ("Berlin", "Paris", "Köln", "Oslo")


@dataclass(frozen=True)
class Sale:
    """What all sources hold, each in its own way."""

    id: int
    city: str
    amount: Decimal
    placed_on: date


SALES = tuple(
    Sale(n, CITIES[n % 4], Decimal(n) * Decimal("1.25"), date(2026, n % 3 + 1, n % 27 + 1)) for n in range(1, 61)
)
NAMES = ("id", "city", "amount", "placed_on")
TALL = tuple(sale for sale in SALES if sale.amount > 50)
ITEMS = servers.orders(137)


def cells(sale: Sale) -> tuple[object, ...]:
    return sale.id, sale.city, sale.amount, sale.placed_on


def per_city(key: Callable[[Sale], object] = lambda s: s.amount) -> list[tuple[object, ...]]:
    return [(city, sum(key(s) for s in SALES if s.city == city)) for city in CITIES]  # type: ignore[misc]  # numbers


def total() -> Decimal:
    return sum((s.amount for s in SALES), Decimal())


def lines(
    between: str = ",",
    end: str = "\n",
    number: Callable[[Decimal], str] = str,
    day: Callable[[date], str] = str,
    header: Sequence[str] = NAMES,
) -> str:
    rows = [header, *([str(s.id), s.city, number(s.amount), day(s.placed_on)] for s in SALES)]
    return "".join(between.join(row) + end for row in rows)


def comma(number: Decimal) -> str:
    return f"{number:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def objects(**change: Callable[[Sale], object]) -> list[dict[str, object]]:
    return [
        {"id": s.id, "city": s.city, "amount": float(s.amount), "placed_on": s.placed_on.isoformat()}
        | {name: make(s) for name, make in change.items()}
        for s in SALES
    ]


Make = Callable[["Place"], "str | Sequence[str]"]


@dataclass
class Place:
    """Where sources are made: a folder, and real servers that start when first asked for."""

    folder: Path
    fixture: Callable[[str], Server]
    opened: ExitStack
    made: dict[str, str] = field(default_factory=dict)
    sources: dict[Make, Sequence[str]] = field(default_factory=dict)

    def source(self, make: Make) -> Sequence[str]:
        """What `make` makes, made once."""
        if make not in self.sources:
            found = make(self)
            self.sources[make] = [found] if isinstance(found, str) else found
        return self.sources[make]

    def put(self, name: str, content: str | bytes, encoding: str = "utf-8") -> str:
        """A file of this content."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return str(path)

    def serve(self, route: servers.Route, path: str = "/api/orders") -> str:
        """The address of an API."""
        return self.opened.enter_context(servers.serving({path: route})).url(path)

    def postgres(self) -> str:
        """A PostgreSQL with the sales in it."""
        if "postgres" not in self.made:
            import psycopg

            server = self.fixture("postgres")
            with psycopg.connect(server.url(), autocommit=True) as admin:
                admin.execute("CREATE DATABASE end_to_end")
            with psycopg.connect(server.url("end_to_end"), autocommit=True) as admin:
                admin.execute("CREATE TABLE customers (id int PRIMARY KEY, name text)")
                admin.execute(
                    "CREATE TABLE sales (id int PRIMARY KEY, customer_id int REFERENCES customers, city text, amount numeric(10, 2),"
                    ' placed_on date, "order" int, fee money)'
                )
                with admin.cursor() as cursor:
                    cursor.executemany("INSERT INTO customers VALUES (%s, %s)", [(k, f"N{k}") for k in range(5)])
                    cursor.executemany(
                        "INSERT INTO sales VALUES (%s, %s, %s, %s, %s, %s, %s::numeric::money)",
                        [(s.id, s.id % 5, s.city, s.amount, s.placed_on, s.id, s.amount) for s in SALES],
                    )
            self.made["postgres"] = server.url("end_to_end")
        return self.made["postgres"]

    def mariadb(self) -> str:
        """A MariaDB with the sales in it."""
        if "mariadb" not in self.made:
            import pymysql

            server = self.fixture("mariadb")
            admin = pymysql.connect(
                host="127.0.0.1", port=server.port, user="tars", password="s3cret-pw", autocommit=True
            )
            with admin, admin.cursor() as cursor:
                cursor.execute("CREATE DATABASE end_to_end CHARACTER SET utf8mb4")
                cursor.execute("USE end_to_end")
                cursor.execute("CREATE TABLE customers (id int PRIMARY KEY, name varchar(20))")
                cursor.execute(
                    "CREATE TABLE sales (id int PRIMARY KEY, customer_id int, city varchar(20), amount decimal(10, 2),"
                    " placed_on datetime, `order` int, FOREIGN KEY (customer_id) REFERENCES customers (id))"
                )
                cursor.executemany("INSERT INTO customers VALUES (%s, %s)", [(k, f"N{k}") for k in range(5)])
                cursor.executemany(
                    "INSERT INTO sales VALUES (%s, %s, %s, %s, %s, %s)",
                    [(s.id, s.id % 5, s.city, s.amount, s.placed_on, s.id) for s in SALES],
                )
            self.made["mariadb"] = server.url("end_to_end")
        return self.made["mariadb"]


# Delimited text


def semicolons(place: Place) -> str:
    return place.put("a/sales.csv", lines(";", "\r\n", comma, lambda d: f"{d:%d.%m.%Y}"), "cp1252")


def mixed_ends(place: Place) -> str:
    whole = lines(";", "\n", comma).splitlines()
    return place.put("b/sales.csv", "".join(line + ("\r\n" if n % 3 else "\n") for n, line in enumerate(whole)))


def tabs_in_utf16(place: Place) -> str:
    return place.put("c/sales.tsv", lines("\t"), "utf-16")


def pipes_in_gzip(place: Place) -> str:
    return place.put("d/sales.psv.gz", gzip.compress(lines("|").encode()))


def packed_by_xz(place: Place) -> str:
    return place.put("e/sales.csv.xz", lzma.compress(lines().encode()))


def packed_by_zstd(place: Place) -> str:
    import zstandard

    return place.put("f/sales.csv.zst", zstandard.compress(lines().encode()))


def packed_by_bzip2(place: Place) -> str:
    return place.put("g/sales.csv.bz2", bz2.compress(lines().encode()))


def one_file_in_zip(place: Place) -> str:
    path = place.folder / "sales.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside/sales.csv", lines())
    return str(path)


def preamble_and_footer(place: Place) -> str:
    text = f"Sales report\nmade on,2026-03-31\n\n{lines()}Total,,{total()},\n"
    return place.put("h/sales.csv", text)


def dollars_and_percent(place: Place) -> str:
    rows = [f'{s.id},{s.city},"${s.amount * 1000:,.2f}",{s.id % 10}.5 %' for s in SALES]
    return place.put("i/sales.csv", "id,city,amount,share\n" + "\n".join(rows))


def quotes_and_line_ends_inside(place: Place) -> str:
    return place.put("j/notes.csv", 'id,note,quantity\n1,"two\nlines",1\n2,"a ""b"", c",2\n3,Köln,3\n4,,4\n5,"",5\n')


def old_mac_ends(place: Place) -> str:
    return place.put("k/sales.csv", lines(end="\r"))


def japanese(place: Place) -> str:
    return place.put("l/cities.csv", "都市,total\n東京,1\n大阪,2\n京都,3\n名古屋,4\n", "shift_jis")


def leading_zeros(place: Place) -> str:
    return place.put("m/places.csv", "zip,name,people\n01234,A,1\n10115,B,2\n00501,C,3\n")


def an_odd_value_late(place: Place) -> str:
    rows = "".join(f"{n},{n if n != 29_999 else 'oops'}\n" for n in range(30_000))
    return place.put("n/readings.csv", "n,amount\n" + rows)


def a_fraction_late(place: Place) -> str:
    return place.put("o/readings.csv", "n,amount\n" + "".join(f"{n},{n}\n" for n in range(29_999)) + "29999,0.5\n")


# Text with other layouts


def fixed_width(place: Place) -> str:
    return place.put(
        "p/sales.txt", "ID    CITY        AMOUNT\n" + "".join(f"{s.id:<6}{s.city:<10}{s.amount:>8}\n" for s in SALES)
    )


def web_log(place: Place) -> str:
    rows = (
        f'10.0.0.{n % 5} - - [{1 + n % 28:02d}/Mar/2026:10:00:{n % 60:02d} +0000] "GET /p{n % 3} HTTP/1.1" '
        f'{200 if n % 3 else 404} {n * 10} "-" "Mozilla/5.0"\n'
        for n in range(60)
    )
    return place.put("q/access.log", "".join(rows))


def lines_of_pairs(place: Place) -> str:
    rows = (
        f'time=2026-03-01T10:00:{n:02d}Z level={"info" if n % 3 else "error"} msg="did {n}" took_ms={n}\n'
        for n in range(60)
    )
    return place.put("r/service.log", "".join(rows))


# JSON, XML, HTML


def json_list(place: Place) -> str:
    return place.put("a/sales.json", json.dumps(objects()))


def json_within(place: Place) -> str:
    return place.put("b/sales.json", json.dumps({"meta": {"page": 1}, "data": {"sales": objects()}}, indent=2))


def json_lines(place: Place) -> str:
    return place.put("c/sales.jsonl", "".join(json.dumps(o, ensure_ascii=False) + "\r\n\r\n" for o in objects()))


def json_map(place: Place) -> str:
    return place.put("d/sales.json", json.dumps({f"sale-{o['id']:04}": o for o in objects()}))


def json_columns(place: Place) -> str:
    return place.put("e/sales.json", json.dumps({name: [o[name] for o in objects()] for name in NAMES}), "utf-16")


def json_seconds(place: Place) -> str:
    changed = objects(placed_on=lambda s: (s.placed_on - date(1970, 1, 1)) // timedelta(seconds=1))
    return place.put("f/sales.json", json.dumps(changed))


def json_nested(place: Place) -> str:
    orders = [{"order_id": n, "customer": {"name": f"C{n % 5}"}, "lines": order_lines(n)} for n in range(1, 41)]
    return place.put("g/orders.json", json.dumps({"result": {"orders": orders}}))


def order_lines(order: int) -> list[dict[str, object]]:
    return [{"sku": f"S{j}", "quantity": j + order % 3} for j in range(order % 3 + 1)]


def json_lines_cut_off(place: Place) -> str:
    return place.put("h/readings.jsonl", "".join(f'{{"n": {n}, "s": "x"}}\n' for n in range(199)) + '{"n": 199, "s')


def xml_elements(place: Place) -> str:
    rows = (
        "<sale>" + "".join(f"<{n}>{escape(str(v))}</{n}>" for n, v in zip(NAMES, cells(s), strict=True)) + "</sale>"
        for s in SALES
    )
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<sales xmlns="urn:sales">{"".join(rows)}</sales>'
    return place.put("a/sales.xml", text, "latin-1")


def xml_attributes(place: Place) -> str:
    rows = ("<sale " + " ".join(f'{n}="{v}"' for n, v in zip(NAMES, cells(s), strict=True)) + "/>" for s in SALES)
    return place.put("b/sales.xml", f"<export><head><made>2026</made></head><sales>{''.join(rows)}</sales></export>")


def html_table(place: Place) -> str:
    head = "".join(f"<th>{n}</th>" for n in NAMES)
    rows = "".join("<tr>" + "".join(f"<td>{v}</td>" for v in cells(s)) + "</tr>" for s in SALES)
    menu = "<table><tr><td><a href='/'>Home</a></td><td><a href='/about'>About</a></td></tr></table>"
    foot = f"<tfoot><tr><td>Total</td><td></td><td>{total()}</td><td></td></tr></tfoot>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{foot}</table>"
    return place.put("a/sales.html", f"<html><body>{menu}{table}</body></html>")


# Spreadsheets and columnar files


def workbook(
    place: Place, name: str, sheets: Mapping[str, Sequence[Sequence[object]]], merged: Sequence[str] = ()
) -> str:
    import openpyxl  # type: ignore[import-untyped]  # it has no types

    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for span in merged:
            sheet.merge_cells(span)
    book.save(place.folder / name)
    return str(place.folder / name)


def sheet_with_title_and_legend(place: Place) -> str:
    more = [(), (), ("Legend",), ("city", "where it was sold")]
    rows = [("Sales of 2026",), (), NAMES, *map(cells, SALES), *more]
    return workbook(place, "sales.xlsx", {"Sales": rows})


def sheets_that_belong_together(place: Place) -> str:
    return workbook(
        place,
        "shop.xlsx",
        {
            "Customers": [("id", "name"), *((k, f"N{k}") for k in range(5))],
            "Orders": [("id", "customer_id", "amount"), *((n, n % 5, n) for n in range(20))],
            "Read me": [("Made by hand",)],
        },
    )


def merged_headers(place: Place) -> str:
    rows = [("Region", "2025", None, "2026", None), (None, "Q1", "Q2", "Q1", "Q2")]
    rows += [(f"R{n}", n, n * 2, n * 3, n * 4) for n in range(8)]  # type: ignore[misc]  # cells of any kind
    return workbook(place, "regions.xlsx", {"Figures": rows}, ("A1:A2", "B1:C1", "D1:E1"))


def arrow_table() -> object:
    import pyarrow as pa

    return pa.table({name: [cells(s)[n] for s in SALES] for n, name in enumerate(NAMES)})


def parquet(place: Place) -> str:
    import pyarrow.parquet as pq

    pq.write_table(arrow_table(), place.folder / "sales.parquet")  # type: ignore[arg-type]  # a table
    return str(place.folder / "sales.parquet")


def arrow_file(place: Place) -> str:
    from pyarrow import feather

    feather.write_feather(arrow_table(), str(place.folder / "sales.feather"))  # type: ignore[arg-type]  # a table
    return str(place.folder / "sales.feather")


def a_rare_word(place: Place) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 120_000
    cities = ["Valletta" if n == 110_000 else CITIES[n % 4] for n in range(count)]
    pq.write_table(pa.table({"city": cities, "amount": [n % 10 for n in range(count)]}), place.folder / "big.parquet")
    return str(place.folder / "big.parquet")


# Folders and archives


def partitions(place: Place) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for month in (1, 2, 3):
        part = place.folder / "lake" / f"month={month}"
        part.mkdir(parents=True)
        sales = [s for s in SALES if s.placed_on.month == month]
        pq.write_table(pa.table({"id": [s.id for s in sales], "amount": [s.amount for s in sales]}), part / "0.parquet")
    return str(place.folder / "lake")


def months(place: Place, folder: str) -> Path:
    head, *rows = lines().splitlines()
    for month in ("01", "02", "03"):
        mine = [row for row in rows if f"2026-{month}-" in row]
        place.put(f"{folder}/sales_2026_{month}.csv", "\n".join([head, *mine]) + "\n")
    return place.folder / folder


def file_a_month(place: Place) -> str:
    return str(months(place, "monthly"))


def by_pattern(place: Place) -> str:
    (months(place, "some") / "other.txt").write_text("nothing of it\n")
    return str(place.folder / "some" / "sales_*.csv")


def columns_in_another_order(place: Place) -> str:
    path = months(place, "drifted") / "sales_2026_03.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join([d, a, b, c, "note" if d == "placed_on" else "x"]) + "\n" for a, b, c, d in rows))
    return str(path.parent)


def files_in_tar(place: Place) -> str:
    folder = months(place, "for_tar")
    with tarfile.open(place.folder / "sales.tar.gz", "w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    return str(place.folder / "sales.tar.gz")


def a_broken_file_among_others(place: Place) -> str:
    whole = months(place, "broken")
    (whole / "sales_2026_04.csv.gz").write_bytes(gzip.compress(lines().encode() * 20)[:-30])
    return str(whole)


def two_sources(place: Place) -> Sequence[str]:
    customers = place.put("two/customers.csv", "id,name\n" + "".join(f"{k},N{k}\n" for k in range(5)))
    orders = [{"id": n, "customer_id": n % 5, "amount": n} for n in range(20)]
    return f"customers={customers}", f"orders={place.put('two/orders.json', json.dumps(orders))}"


# Databases


def sqlite_file(place: Place) -> str:
    path = place.folder / "sales.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sales (id integer PRIMARY KEY, city text, amount numeric, placed_on text)")
    connection.executemany(
        "INSERT INTO sales VALUES (?, ?, ?, ?)",
        [(s.id, s.city, float(s.amount), s.placed_on.isoformat()) for s in SALES],
    )
    connection.commit()
    connection.close()
    return str(path)


def sqlite_odd(place: Place) -> str:
    path = place.folder / "odd.sqlite"
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "my things" (id integer, "order" int, made_at integer)')
    connection.executemany(
        'INSERT INTO "my things" VALUES (?, ?, ?)', [(n, n, 1_772_323_200 + n * 43_200) for n in range(1, 5)]
    )
    connection.commit()
    connection.close()
    return str(path)


def duckdb_file(place: Place) -> str:
    import duckdb

    path = place.folder / "sales.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE sales (id int PRIMARY KEY, city varchar, amount decimal(10, 2), placed_on date)"
        )
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", [list(cells(s)) for s in SALES])
    return str(path)


def postgres(place: Place) -> str:
    return place.postgres()


def mariadb(place: Place) -> str:
    return place.mariadb()


def mariadb_folds_case(place: Place) -> str:
    import pymysql

    address = place.mariadb()
    port = int(address.partition("127.0.0.1:")[2].partition("/")[0])
    admin = pymysql.connect(host="127.0.0.1", port=port, user="tars", password="s3cret-pw", autocommit=True)
    with admin, admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE folding CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        cursor.execute("CREATE TABLE folding.visits (city varchar(20))")
        cursor.execute("INSERT INTO folding.visits VALUES ('berlin'), ('BERLIN'), ('Oslo')")
    return address.replace("end_to_end", "folding")


def sqlite_folds_case(place: Place) -> str:
    path = place.folder / "folding.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE visits (city text COLLATE NOCASE, n int)")
    connection.executemany("INSERT INTO visits VALUES (?, 1)", [("berlin",), ("BERLIN",), ("Oslo",)])
    connection.commit()
    connection.close()
    return str(path)


# HTTP


def page_numbers(place: Place) -> str:
    return place.serve(servers.numbered(ITEMS, 20, envelope="total"))


def offsets(place: Place) -> str:
    return place.serve(servers.offset(ITEMS, 50, total=True))


def cursors(place: Place) -> str:
    return place.serve(servers.cursor(ITEMS, 40, within="meta.paging", more=True))


def next_addresses(place: Place) -> str:
    return place.serve(servers.next_url(ITEMS, 33, way="links.next", relative=True))


def link_headers(place: Place) -> str:
    return place.serve(servers.link_header(ITEMS, 45))


def busy_at_first(place: Place) -> str:
    pages = servers.numbered(ITEMS, 25, envelope="pages")
    return place.serve(servers.failing(429, 1, pages, {"Retry-After": "1"}))


def with_bearer_token(place: Place) -> str:
    pages = servers.numbered(ITEMS, 25, envelope="total")
    return place.serve(servers.guarded("Authorization", "Bearer tok-123", pages, "Bearer"))


def with_key_in_header(place: Place) -> str:
    return place.serve(servers.guarded("X-API-Key", "k-9", servers.whole(ITEMS)))


def with_key_in_query(place: Place) -> str:
    pages = servers.cursor(ITEMS, 40)

    def route(asked: servers.Asked) -> servers.Answer:
        return pages(asked) if asked.query.get("api_key") == "k-9" else servers.Answer({"error": "no"}, 403)

    return place.serve(route)


def table_at_an_address(place: Place) -> str:
    return place.serve(lambda _: servers.Answer(lines(), headers={"Content-Type": "text/csv"}), "/sales.csv")


BY_CITY = per_city()
BERLIN = BY_CITY[0][1]
MARCH = sum(s.placed_on.month == 3 for s in SALES)
ORDERS_OF = [(f"N{k}", sum(n for n in range(20) if n % 5 == k)) for k in range(5)]
SALES_OF = [(f"N{k}", sum(s.amount for s in SALES if s.id % 5 == k)) for k in range(5)]
MONTHS = [(date(2026, m, 1), sum((s.amount for s in SALES if s.placed_on.month == m), Decimal())) for m in (1, 2, 3)]
BEST = [(s.id, s.amount) for s in sorted(SALES, key=lambda s: -s.amount)[:3]]
QUANTITIES = [
    (sku, sum(int(str(line["quantity"])) for n in range(1, 41) for line in order_lines(n) if line["sku"] == sku))
    for sku in ("S0", "S1", "S2")
]
PAID = sum(bool(o["paid"]) for o in ITEMS)


CASES: tuple[tuple[Make, str, Sequence[Sequence[object]]], ...] = (
    (semicolons, "total amount per city", BY_CITY),
    (semicolons, "number of rows in March 2026", [(MARCH,)]),
    (mixed_ends, "total amount per city", BY_CITY),
    (tabs_in_utf16, "sum of amount where city is Köln", [(BY_CITY[2][1],)]),
    (pipes_in_gzip, "how many rows are there?", [(60,)]),
    (packed_by_xz, "average amount per month", [(m, t / 20) for m, t in MONTHS]),
    (packed_by_zstd, "top 3 by amount: id and amount", BEST),
    (packed_by_bzip2, "total amount per city", BY_CITY),
    (one_file_in_zip, "how many rows have an amount over 50?", [(len(TALL),)]),
    (preamble_and_footer, "total amount per city", BY_CITY),
    (dollars_and_percent, "total amount per city", [(c, t * 1000) for c, t in BY_CITY]),  # type: ignore[operator]
    (dollars_and_percent, "average share", [(sum((n % 10 + 0.5) for n in range(1, 61)) / 60,)]),
    (quotes_and_line_ends_inside, "sum of quantity", [(15,)]),
    (old_mac_ends, "number of rows in March 2026", [(MARCH,)]),
    (japanese, "sum of total", [(10,)]),
    (leading_zeros, "rows with zip 01234", [("01234", "A", 1)]),
    (a_fraction_late, "sum of amount", [(sum(range(29_999)) + 0.5,)]),
    (fixed_width, "total amount per city", BY_CITY),
    (web_log, "number of lines per status", [(200, 40), (404, 20)]),
    (lines_of_pairs, "number of lines per level", [("info", 40), ("error", 20)]),
    (json_list, "total amount per city", BY_CITY),
    (json_within, "top 3 by amount: id and amount", BEST),
    (json_lines, "sum of amount where city is Berlin", [(BERLIN,)]),
    (json_map, "number of rows in March 2026", [(MARCH,)]),
    (json_columns, "total amount per city", BY_CITY),
    (json_seconds, "total amount per month", MONTHS),
    (json_nested, "how many orders are there?", [(40,)]),
    (json_nested, "total quantity per sku", QUANTITIES),
    (xml_elements, "total amount per city", BY_CITY),
    (xml_attributes, "number of rows in March 2026", [(MARCH,)]),
    (html_table, "total amount per city", BY_CITY),
    (sheet_with_title_and_legend, "total amount per city", BY_CITY),
    (sheets_that_belong_together, "total amount per customer name", ORDERS_OF),
    (merged_headers, "sum of 2025 Q2", [(56,)]),
    (parquet, "total amount per month", MONTHS),
    (arrow_file, "sum of amount where city is Berlin", [(BERLIN,)]),
    (a_rare_word, "sum of amount in Valletta", [(0,)]),
    (partitions, "total amount per month", [(m.month, t) for m, t in MONTHS]),
    (file_a_month, "total amount per city", BY_CITY),
    (by_pattern, "number of rows in March 2026", [(MARCH,)]),
    (columns_in_another_order, "total amount per city", BY_CITY),
    (files_in_tar, "total amount per city", BY_CITY),
    (two_sources, "total amount per customer name", ORDERS_OF),
    (sqlite_file, "total amount per city", BY_CITY),
    (sqlite_file, "total amount per month", MONTHS),
    (sqlite_odd, "sum of order", [(10,)]),
    (sqlite_odd, "number of rows per day of made_at", [(date(2026, 3, 1), 1), (date(2026, 3, 2), 2), (date(2026, 3, 3), 1)]),
    (duckdb_file, "top 3 by amount: id and amount", BEST),
    (postgres, "total amount of sales per customer name", SALES_OF),
    (postgres, "total amount of sales per month", MONTHS),
    (postgres, "sum of order of sales", [(sum(range(1, 61)),)]),
    (postgres, "sum of fee", [(total(),)]),
    (mariadb, "total amount of sales per customer name", SALES_OF),
    (mariadb, "number of sales in March 2026", [(MARCH,)]),
    (mariadb, "sum of order of sales", [(sum(range(1, 61)),)]),
    (mariadb, "how many different cities of sales?", [(4,)]),
    (mariadb_folds_case, "number of visits per city", [("berlin", 2), ("Oslo", 1)]),
    (sqlite_folds_case, "number of visits per city", [("berlin", 2), ("Oslo", 1)]),
    (page_numbers, "how many orders?", [(137,)]),
    (offsets, "how many paid orders?", [(PAID,)]),
    (cursors, "how many orders?", [(137,)]),
    (next_addresses, "how many paid orders?", [(PAID,)]),
    (link_headers, "how many orders?", [(137,)]),
    (busy_at_first, "how many orders?", [(137,)]),
    (with_bearer_token, "how many orders? The bearer token is in $API_TOKEN", [(137,)]),
    (with_key_in_header, "how many paid orders? The key in $SHOP_KEY goes into X-API-Key", [(PAID,)]),
    (with_key_in_query, "how many orders? Pass $SHOP_KEY as query parameter api_key", [(137,)]),
    (table_at_an_address, "total amount per city", BY_CITY),
)  # fmt: skip

LEFT_OUT: tuple[tuple[Make, str, Sequence[Sequence[object]], str], ...] = (
    (an_odd_value_late, "sum of amount", [(sum(range(29_999)),)], "row 30001"),
    (json_lines_cut_off, "sum of n", [(sum(range(199)),)], "row 200"),
    (a_broken_file_among_others, "total amount per city", BY_CITY, "sales_2026_04.csv.gz"),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    environment = {
        **os.environ,
        "TARS_HOME": str(tmp_path_factory.mktemp("home")),
        "TARS_NOW": "2026-04-01",
        "API_TOKEN": "tok-123",
        "SHOP_KEY": "k-9",
    }
    made = Desk(environment)
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Place]:
    with ExitStack() as opened:
        yield Place(tmp_path_factory.mktemp("sources"), request.getfixturevalue, opened)


def asked(desk: Desk, place: Place, make: Make, words: str) -> tuple[list[tuple[object, ...]], str, str]:
    sources = place.source(make)

    outcome = ask(desk, words, sources, Said())

    assert outcome.status == "ok", outcome.message
    assert outcome.answer is not None
    records = [tuple(comparable(v) for v in record.values()) for record in outcome.answer.records]
    return records, outcome.answer.completeness.state, outcome.answer.completeness.reason


def as_comparable(records: Sequence[Sequence[object]]) -> list[tuple[object, ...]]:
    return [tuple(comparable(v) for v in record) for record in records]


@pytest.mark.parametrize(
    ("make", "words", "records"), CASES, ids=[f"{make.__name__}: {words[:40]}" for make, words, _ in CASES]
)
def test_the_right_records_come_and_all_of_them(
    desk: Desk, place: Place, make: Make, words: str, records: Sequence[Sequence[object]]
) -> None:
    found, state, reason = asked(desk, place, make, words)

    order = repr if not words.startswith("top") else lambda record: ""
    assert sorted(found, key=order) == sorted(as_comparable(records), key=order)
    assert state == "complete", reason


@pytest.mark.parametrize(("make", "words", "records", "named"), LEFT_OUT, ids=[m.__name__ for m, *_ in LEFT_OUT])
def test_what_could_not_be_read_is_said(
    desk: Desk, place: Place, make: Make, words: str, records: Sequence[Sequence[object]], named: str
) -> None:
    found, state, reason = asked(desk, place, make, words)

    assert sorted(found, key=repr) == sorted(as_comparable(records), key=repr)
    assert (state, named in reason) == ("incomplete", True), reason


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_kept_closure_answers_over_the_next_file(desk: Desk, place: Place, ending: str) -> None:
    for month, factor in (("march", 1), ("april", 10)):
        rows = [{"city": "AB"[n % 2], "amount": n * factor} for n in range(10)]
        lines_of = "city,amount\n" + "".join(f"{row['city']},{row['amount']}\n" for row in rows)
        place.put(f"next/{month}.{ending}", lines_of if ending == "csv" else json.dumps(rows))
    ask(desk, "total amount per city", [str(place.folder / f"next/march.{ending}")], Said(save=f"next_{ending}"))

    _, outcome = run_closure(desk, f"next_{ending}", [str(place.folder / f"next/april.{ending}")], {}, None)

    assert outcome.status == "ok", outcome.message
    assert outcome.answer is not None
    found = [tuple(comparable(v) for v in record.values()) for record in outcome.answer.records]
    assert sorted(found, key=repr) == as_comparable([("A", 200), ("B", 250)])
