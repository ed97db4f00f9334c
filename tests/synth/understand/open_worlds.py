"""Worlds like the tables that people publish: yearly figures, daily weather, field trials, a gazetteer, flights without keys."""

# ruff: noqa: E501 (rows of made-up data)

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

import duckdb

from synth.evidence import _seen, inferred_relations
from synth.schema import Field, Schema, Table
from tests.synth.understand.worlds import World, _fill


def _world(c: duckdb.DuckDBPyConnection) -> World:
    """The database with the schema that its evidence gives."""
    names = [n for (n,) in c.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()]
    rows = {name: c.sql(f"SELECT * FROM {name}").to_arrow_table() for name in names}
    bare = [Table(n, tuple(Field(f.name, str(f.type)) for f in rows[n].schema)) for n in names]
    tables = tuple(_seen(t, rows[t.name], True) for t in bare)
    return World(c, Schema(tables, inferred_relations(tables, rows, ())))


NATIONS = [
    ("Mongolia", "Asia"),
    ("Monaco", "Europe"),
    ("Japan", "Asia"),
    ("Norway", "Europe"),
    ("Kenya", "Africa"),
    ("Ghana", "Africa"),
    ("Chile", "Americas"),
    ("Peru", "Americas"),
]


def nations() -> World:
    """Yearly figures of countries, under headers that run shortened words together."""
    r = random.Random(11)
    rows = []
    for n, (country, continent) in enumerate(NATIONS):
        for year in range(1980, 2011, 5):
            people = (n + 1) * 4_000_000 + (year - 1980) * 150_000 + r.randrange(90_000)
            rows.append(
                (country, continent, year, round(r.uniform(50, 83), 2), people, round(r.uniform(900, 40000), 2))
            )
    c = duckdb.connect()
    _fill(
        c,
        "CREATE TABLE nations (country VARCHAR, continent VARCHAR, year BIGINT, lifeExp DOUBLE, pop BIGINT, incPerCap DOUBLE)",
        rows,
    )
    return _world(c)


def rainfall() -> World:
    """One row for each day, at one place."""
    r = random.Random(12)
    rows = []
    day = date(2013, 1, 1)
    while day.year < 2016:
        low = round(r.uniform(-6, 15), 1)
        kind = r.choice(["rain", "sun", "fog", "snow"])
        rows.append(
            (day, round(r.uniform(0, 25), 1) if kind == "rain" else 0.0, low, round(low + r.uniform(2, 12), 1), kind)
        )
        day += timedelta(days=1)
    c = duckdb.connect()
    _fill(c, "CREATE TABLE rainfall (date DATE, rain DOUBLE, temp_min DOUBLE, temp_max DOUBLE, sky VARCHAR)", rows)
    return _world(c)


def trials() -> World:
    """Kinds grown at several farms in two years."""
    r = random.Random(13)
    kinds = ["Nr. 12", "Nr. 7", "Northern Gold", "Trebi", "Velvet", "Svansota"]
    rows = [
        (farm, kind, year, round(r.uniform(15, 66), 4))
        for farm in ("Ashby", "Morris Hill", "Upton", "Weston")
        for kind in kinds
        for year in (1931, 1932)
    ]
    c = duckdb.connect()
    _fill(c, "CREATE TABLE trials (farm VARCHAR, variety VARCHAR, year BIGINT, yield DOUBLE)", rows)
    return _world(c)


def gazetteer() -> World:
    """A row for each country, its name in other languages, and lists within a row."""
    rows = [
        ("Mongolia", "Mongolia", "Ulaanbaatar", "East Asia", 2_900_000, 1_564_110.0, ["RU", "CN"]),
        ("Liberia", "Liberia", "Monrovia", "West Africa", 4_100_000, 111_369.0, ["GN", "CI", "SL"]),
        ("Japan", "Japan", "Tokyo", "East Asia", 127_080_000, 377_930.0, []),
        ("Norway", "Noruega", "Oslo", "North Europe", 5_140_000, 323_802.0, ["FI", "SE", "RU"]),
        (
            "Germany",
            "Alemania",
            "Berlin",
            "West Europe",
            80_780_000,
            357_114.0,
            ["AT", "BE", "CZ", "DK", "FR", "LU", "NL", "PL", "CH"],
        ),
        (
            "France",
            "Francia",
            "Paris",
            "West Europe",
            66_070_000,
            640_679.0,
            ["BE", "DE", "IT", "LU", "ES", "CH", "AD", "MC"],
        ),
        ("Belgium", "Belgica", "Brussels", "West Europe", 11_220_000, 30_528.0, ["FR", "DE", "LU", "NL"]),
        ("Monaco", "Monaco", "Monaco", "West Europe", 36_000, 2.0, ["FR"]),
    ]
    c = duckdb.connect()
    _fill(
        c,
        'CREATE TABLE gazetteer (name VARCHAR, "translations.es" VARCHAR, capital VARCHAR, region VARCHAR, population BIGINT, area DOUBLE, neighbours VARCHAR[])',
        rows,
    )
    return _world(c)


def hangars() -> World:
    """Flights, planes and carriers that share columns, with no key said anywhere."""
    r = random.Random(14)
    carriers = [
        ("AA", "American Air"),
        ("BB", "Blue Birds"),
        ("CC", "Coastal"),
        ("DD", "Delta Wings"),
        ("ZZ", "Zed Air"),
    ]
    planes = [(f"N{100 + n}X", r.choice(["Boeing", "Airbus", "Embraer"]), r.randrange(40, 300)) for n in range(24)]
    flights = [
        (
            r.randrange(1, 29),
            r.choice(carriers[:4])[0],
            r.choice(planes)[0] if n % 9 else None,
            r.choice(["EWR", "JFK", "LGA"]),
            None if n % 7 == 0 else r.randrange(500, 2300),
            None if n % 7 == 0 else r.randrange(-10, 180),
        )
        for n in range(300)
    ]
    c = duckdb.connect()
    _fill(c, "CREATE TABLE carriers (carrier VARCHAR, name VARCHAR)", carriers)
    _fill(c, "CREATE TABLE planes (tailnum VARCHAR, manufacturer VARCHAR, seats BIGINT)", planes)
    _fill(
        c,
        "CREATE TABLE flights (day BIGINT, carrier VARCHAR, tailnum VARCHAR, origin VARCHAR, dep_time BIGINT, dep_delay BIGINT)",
        flights,
    )
    return _world(c)


def engines() -> World:
    """Vehicles under headers that carry their units."""
    r = random.Random(15)
    rows = [
        (
            f"model {n}",
            r.choice(["USA", "Japan", "Europe"]),
            r.choice([4, 6, 8]),
            r.randrange(1600, 5000),
            r.randrange(50, 230),
        )
        for n in range(90)
    ]
    c = duckdb.connect()
    _fill(
        c,
        "CREATE TABLE engines (Model VARCHAR, Origin VARCHAR, Cylinders BIGINT, Weight_in_lbs BIGINT, Horsepower BIGINT)",
        rows,
    )
    return _world(c)


WORLDS: dict[str, Callable[[], World]] = {
    f.__name__: f for f in (nations, rainfall, trials, gazetteer, hangars, engines)
}


@cache
def open_world(name: str) -> World:
    """The world of that name, made once."""
    return WORLDS[name]()
