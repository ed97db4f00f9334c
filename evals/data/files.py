"""Writers that turn rows into files, each by the real library of its format."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from evals.data import people, things, trade

Row = dict[str, Any]


def delimited(
    path: Path,
    rows: Sequence[Row],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    words: Callable[[str, object], object] = lambda _name, value: "" if value is None else value,
    before: Iterable[str] = (),
    after: Iterable[str] = (),
) -> str:
    """Delimited text; `words` says how a value of a column is written; lines may stand before and after."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding=encoding, newline="") as out:
        out.writelines(f"{line}\n" for line in before)
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([words(name, value) for name, value in row.items()] for row in rows)
        out.writelines(f"{line}\n" for line in after)
    return str(path)


def orders_csv(folder: Path) -> str:
    """A plain CSV."""
    return delimited(folder / "orders.csv", trade.orders())


def gym_tsv(folder: Path) -> str:
    """Tabs, day-first dates, dollar signs, yes and no, N/A."""

    def words(name: str, value: object) -> object:
        if isinstance(value, date):
            return f"{value:%d/%m/%Y}"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"${value}" if name == "monthly_fee" else "N/A" if value is None else value

    return delimited(folder / "members.tsv", people.gym(), delimiter="\t", words=words)


def energy_csv(folder: Path) -> str:
    """Semicolons, Windows-1252, decimal commas, dates with dots."""

    def words(_name: str, value: object) -> object:
        if isinstance(value, Decimal):
            return f"{value:,}".replace(",", " ").replace(".", ",").replace(" ", ".")
        return f"{value:%d.%m.%Y}" if isinstance(value, date) else value

    return delimited(folder / "energy.csv", things.energy(), delimiter=";", encoding="cp1252", words=words)


def bank_csv(folder: Path) -> str:
    """A statement: lines about the account first, thousands separators, a closing line."""

    def words(name: str, value: object) -> object:
        return f"{value:,}" if isinstance(value, Decimal) else "" if value is None else value

    return delimited(
        folder / "statement.csv",
        trade.bank(),
        words=words,
        before=("First Harbor Bank", "Account: NL00FHBK0123456789", "Period: 2023-01-01 to 2024-06-30", ""),
        after=("", "End of statement"),
    )


def parking_gz(folder: Path) -> str:
    """A gzipped CSV; fees with a euro sign."""

    def words(name: str, value: object) -> object:
        return "" if value is None else f"€ {value}" if name == "fee" else value

    return delimited(folder / "parking.csv.gz", things.parking(), words=words)


def coffee_glob(folder: Path) -> str:
    """A CSV per month, meant to be read by a glob."""
    target = folder / "coffee"
    target.mkdir()
    for month in range(1, 7):
        delimited(target / f"sales_2024-{month:02d}.csv", [r for r in trade.coffee() if r["day"].month == month])
    return str(target / "sales_*.csv")


def rentals_csv(folder: Path) -> str:
    """The rentals' half of a pair."""
    return delimited(folder / "rentals.csv", trade.rentals())


def exams_tsv(folder: Path) -> str:
    """The exams' half of a pair."""
    return delimited(folder / "exams.tsv", people.exams(), delimiter="\t")


def plain(value: object) -> object:
    """JSON's way to say a date or an exact number."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)


def recipes_json(folder: Path) -> str:
    """An array of objects."""
    path = folder / "recipes.json"
    path.write_text(json.dumps(things.recipes(), default=plain, indent=1))
    return str(path)


def students_json(folder: Path) -> str:
    """The students' half of a pair."""
    path = folder / "students.json"
    path.write_text(json.dumps(people.students(), default=plain))
    return str(path)


def tickets_ndjson(folder: Path) -> str:
    """An object a line; times in UTC."""
    path = folder / "tickets.ndjson"
    path.write_text("".join(json.dumps(row, default=lambda v: f"{v.isoformat()}Z") + "\n" for row in people.tickets()))
    return str(path)


def estates_json(folder: Path) -> str:
    """The records sit deep within a document, and are nested themselves."""
    path = folder / "listings.json"
    body = {"meta": {"generated": "2024-07-14", "version": 3}, "result": {"count": 180, "listings": things.estates()}}
    path.write_text(json.dumps(body, default=plain))
    return str(path)


def movies_xml(folder: Path) -> str:
    """An element a film, its id an attribute."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<catalog>"]
    for row in things.movies():
        inside = "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in row.items() if k != "id")
        lines.append(f'  <movie id="{row["id"]}">{inside}</movie>')
    path = folder / "movies.xml"
    path.write_text("\n".join([*lines, "</catalog>"]))
    return str(path)


def matches_html(folder: Path) -> str:
    """A page with one table among its words; attendances have thousands separators."""

    def cell(value: object) -> str:
        return f"<td>{value:,}</td>" if isinstance(value, int) else f"<td>{value}</td>"

    head = "".join(f"<th>{name}</th>" for name in things.matches()[0])
    body = "\n".join(f"<tr>{''.join(cell(v) for v in row.values())}</tr>" for row in things.matches())
    path = folder / "season.html"
    path.write_text(
        f"<!doctype html><html><head><title>Season 2023/24</title></head><body><h1>Results</h1><p>All matches.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table><p>Figures from the league.</p></body></html>"
    )
    return str(path)


def staff_xlsx(folder: Path) -> str:
    """Three sheets that belong together."""
    import openpyxl  # type: ignore[import-untyped]  # it has no types

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in (
        ("employees", people.employees()),
        ("departments", people.departments()),
        ("absences", people.absences()),
    ):
        sheet = book.create_sheet(title)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    path = folder / "staff.xlsx"
    book.save(path)
    return str(path)


def budget_xlsx(folder: Path) -> str:
    """A title over all, and years merged over their quarters."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Spending"
    sheet["A1"] = "Spending in thousands of EUR"
    sheet.merge_cells("A1:F1")
    for cell, text in (
        ("A2", "Region"),
        ("B2", "Department"),
        ("C2", 2023),
        ("E2", 2024),
        ("C3", "Q1"),
        ("D3", "Q2"),
        ("E3", "Q1"),
        ("F3", "Q2"),
    ):
        sheet[cell] = text
    for merged in ("A2:A3", "B2:B3", "C2:D2", "E2:F2"):
        sheet.merge_cells(merged)
    for row in trade.budget():
        sheet.append(list(row.values()))
    path = folder / "spending.xlsx"
    book.save(path)
    return str(path)


def flights_parquet(folder: Path) -> str:
    """One Parquet file with exact fares."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "flights.parquet"
    pq.write_table(pa.Table.from_pylist(things.flights()), path)
    return str(path)


def cars_parquet(folder: Path) -> str:
    """The cars' half of a pair."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "cars.parquet"
    pq.write_table(pa.Table.from_pylist(trade.cars()), path)
    return str(path)


def rides_feather(folder: Path) -> str:
    """An Arrow file."""
    import pyarrow as pa
    import pyarrow.feather as feather

    path = folder / "rides.feather"
    feather.write_feather(pa.Table.from_pylist(things.rides()), str(path), compression="uncompressed")
    return str(path)


def sensors_folder(folder: Path) -> str:
    """Parquet files in folders that say year and month."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = folder / "readings"
    for month in range(2, 7):
        part = target / "year=2024" / f"month={month}"
        part.mkdir(parents=True)
        pq.write_table(
            pa.Table.from_pylist([r for r in things.sensors() if r["measured_at"].month == month]),
            part / "part-0.parquet",
        )
    return str(target)


def weather_txt(folder: Path) -> str:
    """Columns of fixed width under a heading; a blank where the gauge failed."""
    widths = {"station": 9, "date": 12, "tmin": 7, "tmax": 7, "rain_mm": 9, "wind_kmh": 10, "sky": 8}
    lines = ["".join(name.ljust(width) for name, width in widths.items()).rstrip()]
    for row in things.weather():
        lines.append("".join(("" if row[n] is None else str(row[n])).ljust(w) for n, w in widths.items()).rstrip())
    path = folder / "weather.txt"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def hits_log(folder: Path) -> str:
    """The combined format."""
    path = folder / "access.log"
    lines = []
    for r in things.hits():
        asked = f'"{r["method"]} {r["path"]} HTTP/1.1" {r["status"]} {r["bytes"]}'
        lines.append(f'{r["ip"]} - - [{r["time"]:%d/%b/%Y:%H:%M:%S +0000}] {asked} "-" "{r["agent"]}"\n')
    path.write_text("".join(lines))
    return str(path)


def events_log(folder: Path) -> str:
    """As Python's logging writes it."""
    path = folder / "app.log"
    path.write_text(
        "".join(
            f"{r['timestamp']:%Y-%m-%d %H:%M:%S},000 {r['level']} [{r['logger']}] {r['message']}\n"
            for r in things.events()
        )
    )
    return str(path)


def library_sqlite(folder: Path) -> str:
    """Three tables with declared keys; dates are text."""
    path = folder / "library.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author TEXT, genre TEXT, published_year INTEGER, pages INTEGER);"
        "CREATE TABLE readers (id INTEGER PRIMARY KEY, name TEXT, town TEXT, joined_on DATE);"
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES books(id),"
        " reader_id INTEGER REFERENCES readers(id), loaned_on DATE, returned_on DATE);"
    )
    for table, rows in (("books", people.books()), ("readers", people.readers()), ("loans", people.loans())):
        marks = ", ".join("?" * len(rows[0]))
        values = [[v.isoformat() if isinstance(v, date) else v for v in row.values()] for row in rows]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.commit()
    connection.close()
    return str(path)


def stock_duckdb(folder: Path) -> str:
    """Three tables of a warehouse, typed."""
    import duckdb

    path = folder / "stock.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE products (sku VARCHAR PRIMARY KEY, name VARCHAR, category VARCHAR, supplier VARCHAR, price DECIMAL(10, 2))"
        )
        connection.execute(
            "CREATE TABLE stock (warehouse VARCHAR, sku VARCHAR REFERENCES products(sku), on_hand INTEGER, reorder_level INTEGER)"
        )
        connection.execute(
            "CREATE TABLE movements (id INTEGER, sku VARCHAR REFERENCES products(sku), warehouse VARCHAR,"
            " moved_at TIMESTAMP, quantity INTEGER, reason VARCHAR)"
        )
        for table, rows in (("products", trade.goods()), ("stock", trade.stock()), ("movements", trade.movements())):
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [list(r.values()) for r in rows])
    return str(path)
