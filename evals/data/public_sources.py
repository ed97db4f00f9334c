"""The sources of the public suite: other people's data, unchanged in content, in ten formats."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from html import escape
from pathlib import Path
from typing import Any

from evals.data import public_rows as rows
from evals.data.sources import Made


def penguins_csv(folder: Path) -> str:
    """The published file itself."""
    return str(shutil.copyfile(rows.penguins_file(), folder / "penguins-raw.csv"))


def cars_json(folder: Path) -> str:
    """The published file itself."""
    return str(shutil.copyfile(rows.cars_file(), folder / "cars.json"))


def stocks_csv(folder: Path) -> str:
    """The published file itself."""
    return str(shutil.copyfile(rows.stocks_file(), folder / "stocks.csv"))


def weather_gz(folder: Path) -> str:
    """The published file, packed."""
    path = folder / "seattle-weather.csv.gz"
    path.write_bytes(gzip.compress(rows.weather_file().read_bytes(), mtime=0))
    return str(path)


def employment_xlsx(folder: Path) -> str:
    """One sheet; months are dates."""
    import openpyxl  # type: ignore[import-untyped]  # has no types

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("us-employment")
    every = rows.employment()
    sheet.append(list(every[0]))
    for row in every:
        sheet.append(list(row.values()))
    path = folder / "us-employment.xlsx"
    book.save(path)
    return str(path)


def barley_html(folder: Path) -> str:
    """A page with a heading and one table."""
    every = rows.barley()
    head = "".join(f"<th>{escape(name)}</th>" for name in every[0])
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row.values()) + "</tr>" for row in every
    )
    path = folder / "barley.html"
    path.write_text(
        f"<!doctype html>\n<html><head><meta charset='utf-8'><title>Barley</title></head><body>\n"
        f"<h1>Barley trials in Minnesota</h1>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        "</body></html>\n",
        encoding="utf-8",
    )
    return str(path)


def gapminder_parquet(folder: Path) -> str:
    """Parquet in several row groups."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "gapminder.parquet"
    pq.write_table(pa.Table.from_pylist(rows.gapminder()), path, row_group_size=500)
    return str(path)


def countries_json(folder: Path) -> str:
    """An array of nested objects, names in their own scripts."""
    path = folder / "countries.json"
    path.write_text(json.dumps(rows.countries(), ensure_ascii=False, indent=1), encoding="utf-8")
    return str(path)


def airports_xml(folder: Path) -> str:
    """An element an airfield; what is not known is an empty element."""
    from lxml import etree

    root = etree.Element("airports")
    for row in rows.airports():
        airport = etree.SubElement(root, "airport")
        for name, value in row.items():
            etree.SubElement(airport, name).text = None if value is None else str(value)
    path = folder / "airports.xml"
    etree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return str(path)


def flights_sqlite(folder: Path) -> str:
    """Four tables without a declared key."""
    path = folder / "nycflights.db"
    tables: dict[str, list[dict[str, Any]]] = {
        "flights": rows.flights(),
        "planes": rows.planes(),
        "airlines": rows.airlines(),
        "airports": rows.destinations(),
    }
    with sqlite3.connect(path) as database:
        for name, every in tables.items():
            columns = ", ".join(f'"{column}" {_kind(every, column)}' for column in every[0])
            database.execute(f'CREATE TABLE "{name}" ({columns})')
            marks = ", ".join("?" * len(every[0]))
            database.executemany(f'INSERT INTO "{name}" VALUES ({marks})', [tuple(row.values()) for row in every])
    database.close()
    return str(path)


def _kind(every: list[dict[str, Any]], column: str) -> str:
    kinds = {type(row[column]) for row in every if row[column] is not None}
    return "TEXT" if str in kinds else "REAL" if float in kinds else "INTEGER"


SOURCES: dict[str, Made] = {
    "penguins": Made("csv", "zoology", penguins_csv),
    "motors": Made("json", "cars", cars_json),
    "seattle": Made("csv-gz", "weather", weather_gz),
    "shares": Made("csv-us-dates", "stock market", stocks_csv),
    "jobs": Made("xlsx", "labour market", employment_xlsx),
    "barley": Made("html", "farming", barley_html),
    "gapminder": Made("parquet", "development", gapminder_parquet),
    "countries": Made("json-nested", "geography", countries_json),
    "airfields": Made("xml", "aviation", airports_xml),
    "snowday": Made("sqlite", "air traffic", flights_sqlite),
}
