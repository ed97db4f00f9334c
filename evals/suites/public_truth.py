"""The right answer to each request of public.yaml, computed in plain Python over the published rows."""

# ruff: noqa: E501  (the table of truths reads best with a request a line)
from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from evals.data import public_rows as data
from evals.truth import (
    AnyOf,
    Cells,
    Either,
    Row,
    either,
    first,
    highest,
    listed,
    lowest,
    mean,
    middle,
    month,
    nulls_or_not,
    one,
    only,
    per,
    percent,
    total,
    week,
    year,
)  # fmt: skip

TODAY = date(2016, 1, 4)
BODY, CULMEN, FLIPPER = "Body Mass (g)", "Culmen Length (mm)", "Flipper Length (mm)"


def where(rows: Iterable[Row], **equal: object) -> list[Row]:
    """The rows with these values."""
    return [r for r in rows if all(r[name] == value for name, value in equal.items())]


def having(rows: Iterable[Row], text: str, column: str) -> list[Row]:
    """The rows with this text in the column, whatever its case."""
    return [r for r in rows if text.lower() in (r[column] or "").lower()]


def over(rows: Iterable[Row], column: str, limit: float) -> list[Row]:
    """The rows whose known value lies above the limit."""
    return [r for r in rows if r[column] is not None and r[column] > limit]


def under(rows: Iterable[Row], column: str, limit: float) -> list[Row]:
    """The rows whose known value lies below the limit."""
    return [r for r in rows if r[column] is not None and r[column] < limit]


def during(rows: Iterable[Row], column: str, start: date, end: date) -> list[Row]:
    """The rows of these days, both included."""
    return [r for r in rows if start <= r[column] <= end]


def in_year(rows: Iterable[Row], column: str, number: int) -> list[Row]:
    """The rows whose date falls in the year."""
    return [r for r in rows if r[column].year == number]


def or_bare(answer: AnyOf) -> AnyOf:
    """The answer, or its first column alone: who or when was asked, and the figure only explains it."""
    bare = [only([row[:1] for row in t.rows], None if t.by is None else (0,)) for t in answer.truths]
    return either(answer, *bare)


def zeros_or_not(rows: list[Cells]) -> AnyOf:
    """Groups whose last figure is nothing (0 or unknown) may be shown or left out."""
    return either(only(rows), only([r for r in rows if r[-1]]))


def best_values(rows: Iterable[Row], group: str, figure: str, count: int) -> AnyOf:
    """Each group's highest figures, with ties at the edge kept or cut; cut ties leave the same values whichever go."""
    cut: list[Cells] = []
    kept: list[Cells] = []
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        if row[figure] is not None:
            groups.setdefault(row[group], []).append(row[figure])
    for key, values in groups.items():
        ranked = sorted(values, reverse=True)
        cut += [(key, value) for value in ranked[:count]]
        kept += [(key, value) for value in ranked if value >= ranked[:count][-1]]
    return either(only(cut), only(kept))


def share_in_group(rows: Iterable[Row], key: str, holds: Callable[[Row], bool]) -> list[Cells]:
    """Per group the share of its rows of which something holds."""
    return per(rows, lambda r: r[key], lambda g: percent(sum(map(holds, g)), len(g)))


def share_of_total(rows: list[Cells]) -> AnyOf:
    """Each group's figure as a share of all of them."""
    whole = sum(figure for _, figure in rows)
    return only([(key, percent(figure, whole)) for key, figure in rows])


def slashed(day: date) -> Either:
    """A day as a date, or as the weather file writes it."""
    return Either((day, f"{day:%Y/%m/%d}"))


def spelled(day: date) -> Either:
    """A day as a date, or as the file of stocks writes it."""
    return Either((day, f"{day:%b} {day.day} {day.year}"))


def days(rows: Iterable[Row]) -> AnyOf:
    """Which days of the weather."""
    return only([(slashed(r["date"]),) for r in rows])


def females(rows: list[Row]) -> AnyOf:
    """The share of females among all of an island, or among those of known sex."""
    sexed = [r for r in rows if r["Sex"] is not None]
    return either(*(only(share_in_group(some, "Island", lambda r: r["Sex"] == "FEMALE")) for some in (rows, sexed)))


def strong_years() -> AnyOf:
    rows = per(data.cars(), lambda r: r["Year"].year, lambda g: (mean(g, "Horsepower"), len(g)))
    return only([(year(date(y, 1, 1)), power, count) for y, power, count in rows if count >= 30])


def recent(back: int) -> list[AnyOf]:
    """The days without sun of the last so many days, the first day counted or not."""
    ways = [during(data.weather(), "date", TODAY - timedelta(days=n), TODAY) for n in (back, back - 1)]
    return [days([r for r in way if r["weather"] != "sun"]) for way in ways]


def wettest_month() -> AnyOf:
    sums = per(data.weather(), lambda r: (r["date"].year, r["date"].month), lambda g: total(g, "precipitation"))
    y, m, most = max(sums, key=lambda r: r[2])
    return either(or_bare(one(month(date(y, m, 1)), most)), one(y, m))


def wet_weeks() -> AnyOf:
    """By all days of 2012, or by all weeks that ISO counts to 2012."""
    by_day = in_year(data.weather(), "date", 2012)
    by_week = [r for r in data.weather() if r["date"].isocalendar().year == 2012]
    answers = []
    for rows in (by_day, by_week):
        sums = per(rows, lambda r: r["date"] - timedelta(days=r["date"].weekday()), lambda g: total(g, "precipitation"))
        answers.append(or_bare(only([(week(monday), most) for monday, most in sums if most > 60])))
    return either(*answers)


def latest(rows: list[Row], key: str, day: str, figure: str) -> AnyOf:
    """Each group's figure on its last day."""
    last: dict[Any, Row] = {}
    for row in rows:
        if row[key] not in last or row[day] > last[row[key]][day]:
            last[row[key]] = row
    return only(listed(last.values(), key, figure))


def cheapest_year(symbol: str) -> AnyOf:
    means = per(where(data.stocks(), symbol=symbol), lambda r: r["date"].year, lambda g: mean(g, "price"))
    y, price = min(means, key=lambda r: r[1])
    return or_bare(one(year(date(y, 1, 1)), price))


def yearly(rows: Iterable[Row], day: str, figure: Callable[[list[Row]], object]) -> list[Cells]:
    """One row a year."""
    return per(rows, lambda r: year(r[day]), figure)


def best_of_each_trial() -> AnyOf:
    groups: dict[tuple[str, int], Row] = {}
    for row in data.barley():
        key = (row["site"], row["year"])
        if key not in groups or row["yield"] > groups[key]["yield"]:
            groups[key] = row
    return only(listed(groups.values(), "site", "year", "variety"))


def short_lived() -> AnyOf:
    means = per(data.gapminder(), lambda r: r["country"], lambda g: mean(g, "lifeExp"))
    return or_bare(only(lowest([r for r in means if r[1] < 40], 1), by=(1,)))


def most_populous_per_continent() -> AnyOf:
    chosen: dict[str, Row] = {}
    for row in where(data.gapminder(), year=2007):
        if row["continent"] not in chosen or row["pop"] > chosen[row["continent"]]["pop"]:
            chosen[row["continent"]] = row
    return only(listed(chosen.values(), "continent", "country"))


def regions() -> AnyOf:
    """Counted by entry or by name, for Curaçao stands there twice; entries without a region shown or not."""
    ways = (len, lambda g: len({r["name"] for r in g}))
    return either(*(nulls_or_not(per(data.countries(), lambda r: r["region"] or None, way)) for way in ways))


def currencies() -> AnyOf:
    held: list[Row] = [{"currency": c} for r in data.countries() for c in r.get("currencies") or ()]
    return first(highest(per(held, lambda r: r["currency"], len), 1), 3, 1)


def german_names() -> AnyOf:
    names = [((r.get("translations") or {}).get("de"),) for r in where(data.countries(), subregion="Polynesia")]
    return nulls_or_not(names)


def named(rows: Iterable[Row]) -> AnyOf:
    """Countries by name."""
    return only(listed(rows, "name"))


def towns() -> AnyOf:
    """Cities by name alone, or one of a name in each country."""
    alone = per(data.airports(), lambda r: r["city"], len)
    apart = per(data.airports(), lambda r: (r["city"], r["country"]), len)
    return either(
        nulls_or_not([r[:1] for r in alone if r[1] > 1]),
        nulls_or_not([r[:1] for r in apart if r[2] > 1]),
    )


def airline(code: str) -> str:
    """An airline's name."""
    return next(str(r["name"]) for r in data.airlines() if r["carrier"] == code)


def makers() -> AnyOf:
    made = {r["tailnum"]: r["manufacturer"] for r in data.planes()}
    flown: list[Row] = [{"by": made[r["tailnum"]]} for r in data.flights() if r["tailnum"] in made]
    return first(highest(per(flown, lambda r: r["by"], len), 1), 3, 1)


def favourite_airport() -> AnyOf:
    names = {r["faa"]: r["name"] for r in data.destinations()}
    ranked = highest(per(data.flights(), lambda r: r["dest"], len), 1)
    return or_bare(first([(names.get(code), count) for code, count in ranked], 1, 1))


def never_left() -> AnyOf:
    left = per(data.flights(), lambda r: airline(r["carrier"]), lambda g: sum(r["dep_time"] is None for r in g))
    return zeros_or_not([*left, *((r["name"], 0) for r in data.airlines() if r["name"] not in {n for n, _ in left})])


def late_airlines() -> AnyOf:
    means = per(data.flights(), lambda r: r["carrier"], lambda g: mean(g, "dep_delay"))
    late = [(code, delay) for code, delay in means if delay is not None and delay > 20]
    return either(or_bare(only([(airline(code), delay) for code, delay in late])), or_bare(only(late)))


TRUTH: dict[str, Callable[[], AnyOf]] = {
    "penguins-01": lambda: only(per(data.penguins(), lambda r: r["Island"], len)),
    "penguins-02": lambda: only(per(data.penguins(), lambda r: r["Species"], lambda g: mean(g, BODY))),
    "penguins-03": lambda: one(sum(not r["Clutch Completion"] for r in data.penguins())),
    "penguins-04": lambda: first(highest(listed(having(data.penguins(), "gentoo", "Species"), "Individual ID", BODY), 1), 1, 1),
    "penguins-05": lambda: only(listed(where(data.penguins(), Sex=None), "Island", "Comments")),
    "penguins-06": lambda: only(per([r for r in data.penguins() if r["Sex"]], lambda r: (r["Species"], r["Sex"]), lambda g: middle(g, FLIPPER))),
    "penguins-07": lambda: only(per(during(data.penguins(), "Date Egg", date(2008, 11, 1), date(2008, 11, 30)), lambda r: r["Island"], len)),
    "penguins-08": lambda: females(data.penguins()),
    "penguins-09": lambda: only(listed(under(having(where(data.penguins(), Island="Dream"), "adelie", "Species"), BODY, 3300), "Individual ID")),
    "penguins-10": lambda: best_values(data.penguins(), "Island", CULMEN, 3),
    "penguins-12": lambda: one(min(r[FLIPPER] for r in data.penguins() if r[FLIPPER]), max(r[FLIPPER] for r in data.penguins() if r[FLIPPER])),
    "penguins-13": lambda: only([r for r in per(data.penguins(), lambda r: r["Individual ID"], len) if r[1] > 2]),
    "motors-01": lambda: only(listed(in_year(where(data.cars(), Origin="Japan"), "Year", 1970), "Name")),
    "motors-02": lambda: only(per(data.cars(), lambda r: r["Origin"], len)),
    "motors-03": lambda: only(per(data.cars(), lambda r: r["Origin"], lambda g: mean(g, "Miles_per_Gallon"))),
    "motors-04": lambda: only(listed(under(where(data.cars(), Cylinders=8), "Horsepower", 120), "Name")),
    "motors-05": strong_years,
    "motors-06": lambda: or_bare(first(highest(listed(over(data.cars(), "Miles_per_Gallon", 30), "Name", "Weight_in_lbs"), 1), 1, 1)),
    "motors-07": lambda: only(listed(where(data.cars(), Horsepower=None), "Name")),
    "motors-08": lambda: best_values(data.cars(), "Origin", "Horsepower", 2),
    "motors-09": lambda: only(listed([r for r in over(data.cars(), "Miles_per_Gallon", 33) if r["Name"].startswith(("toyota", "datsun"))], "Name")),
    "motors-10": lambda: or_bare(first(lowest(listed([r for r in data.cars() if r["Origin"] != "USA"], "Name", "Weight_in_lbs"), 1), 5, 1, by=(1,))),
    "motors-11": lambda: one(len({r["Name"] for r in data.cars()})),
    "motors-13": lambda: one(percent(len(where(in_year(data.cars(), "Year", 1982), Origin="Japan")), len(in_year(data.cars(), "Year", 1982)))),
    "motors-14": lambda: only(per([r for r in data.cars() if r["Cylinders"] in (4, 6)], lambda r: r["Cylinders"], lambda g: max(r["Displacement"] for r in g))),
    "motors-15": lambda: only(sorted({(r["Cylinders"],) for r in data.cars()})),
    "seattle-01": lambda: only(yearly(data.weather(), "date", lambda g: total(g, "precipitation"))),
    "seattle-02": lambda: one(len(where(data.weather(), weather="snow"))),
    "seattle-03": lambda: first([(slashed(d), t) for d, t in highest(listed(data.weather(), "date", "temp_max"), 1)], 1, 1),
    "seattle-04": lambda: only(per(in_year(data.weather(), "date", 2014), lambda r: month(r["date"], lone_year=True), lambda g: mean(g, "wind"))),
    "seattle-05": lambda: share_of_total(per(in_year(data.weather(), "date", 2015), lambda r: r["weather"], len)),
    "seattle-06": lambda: days(over(during(data.weather(), "date", date(2015, 12, 1), date(2015, 12, 15)), "precipitation", 10)),
    "seattle-07": lambda: zeros_or_not(yearly(data.weather(), "date", lambda g: len(under(g, "temp_min", 0)))),
    "seattle-08": lambda: days([r for r in data.weather() if 33 <= r["temp_max"] <= 35]),
    "seattle-09": lambda: either(*recent(14)),
    "seattle-10": wettest_month,
    "seattle-12": lambda: one(*(mean(during(data.weather(), "date", date(2013, 2, 1), date(2013, 2, 28)), name) for name in ("temp_max", "temp_min"))),
    "seattle-13": wet_weeks,
    "seattle-14": lambda: one(total(during(data.weather(), "date", date(2015, 12, 1), date(2015, 12, 31)), "precipitation")),
    "seattle-15": lambda: one(sum(r["weather"] in ("fog", "drizzle") for r in data.weather())),
    "shares-01": lambda: one(max(r["price"] for r in where(data.stocks(), symbol="AAPL"))),
    "shares-02": lambda: only(per(data.stocks(), lambda r: r["symbol"], lambda g: mean(g, "price"))),
    "shares-03": lambda: one(spelled(min(r["date"] for r in where(data.stocks(), symbol="GOOG")))),
    "shares-04": lambda: latest(data.stocks(), "symbol", "date", "price"),
    "shares-05": lambda: only([(spelled(r["date"]), r["price"]) for r in in_year(where(data.stocks(), symbol="IBM"), "date", 2008)], by=(1,)),
    "shares-06": lambda: cheapest_year("AMZN"),
    "shares-07": lambda: one(len(over(where(data.stocks(), symbol="MSFT"), "price", 30))),
    "shares-08": lambda: only([(r["price"], spelled(r["date"]), r["symbol"]) for r in over(data.stocks(), "price", 600)]),
    "shares-09": lambda: only(per(data.stocks(), lambda r: r["symbol"], len)),
    "shares-10": lambda: or_bare(only([r for r in per(data.stocks(), lambda r: r["symbol"], lambda g: mean(g, "price")) if r[1] > 90])),
    "shares-11": lambda: only(per([r for r in data.stocks() if r["date"].year >= 2008], lambda r: (year(r["date"]), r["symbol"]), lambda g: mean(g, "price"))),
    "shares-12": lambda: one(next(r["price"] for r in where(data.stocks(), symbol="MSFT", date=date(2009, 3, 1)))),
    "jobs-01": lambda: only(listed(data.employment(), "month", "construction")),
    "jobs-02": lambda: one(mean(in_year(data.employment(), "month", 2009), "manufacturing")),
    "jobs-03": lambda: or_bare(first([(month(d), n) for d, n in lowest(listed(data.employment(), "month", "nonfarm_change"), 1)], 1, 1)),
    "jobs-04": lambda: only(yearly(data.employment(), "month", lambda g: (min(r["government"] for r in g), max(r["government"] for r in g)))),
    "jobs-05": lambda: one(where(data.employment(), month=date(2015, 12, 1))[0]["information"]),
    "jobs-06": lambda: only(listed(under(data.employment(), "nonfarm_change", -600), "month", "nonfarm_change"), by=(0,)),
    "jobs-07": lambda: only(listed(during(data.employment(), "month", date(2010, 1, 1), date(2010, 6, 30)), "retail_trade", "wholesale_trade")),
    "jobs-08": lambda: zeros_or_not(yearly(data.employment(), "month", lambda g: len(under(g, "nonfarm_change", 0)))),
    "jobs-09": lambda: only([r for r in yearly(data.employment(), "month", lambda g: mean(g, "leisure_and_hospitality")) if r[1] > 14000]),
    "jobs-11": lambda: first([(month(d), n) for d, n in highest(listed(data.employment(), "month", "mining_and_logging"), 1)], 3, 1),
    "jobs-12": lambda: one(mean(in_year(data.employment(), "month", 2015), "construction")),
    "barley-01": lambda: only(per(data.barley(), lambda r: r["site"], lambda g: mean(g, "yield"))),
    "barley-02": lambda: first(highest(listed(data.barley(), "yield", "site", "variety"), 0), 1, 0),
    "barley-03": lambda: only(listed(where(data.barley(), variety="No. 457", year=1932), "yield", "site")),
    "barley-04": lambda: or_bare(only([r for r in per(data.barley(), lambda r: r["variety"], lambda g: mean(g, "yield")) if r[1] > 35])),
    "barley-05": best_of_each_trial,
    "barley-06": lambda: only(highest(listed([r for r in data.barley() if r["site"] in ("Waseca", "Morris")], "site", "yield"), 1), by=(1,)),
    "barley-07": lambda: one(len({r["variety"] for r in data.barley()})),
    "barley-08": lambda: only(per(data.barley(), lambda r: r["year"], lambda g: middle(g, "yield"))),
    "barley-09": lambda: only(sorted({(r["variety"],) for r in data.barley() if r["variety"].startswith("No.")})),
    "barley-11": lambda: share_of_total(per(where(data.barley(), year=1931), lambda r: r["site"], lambda g: total(g, "yield"))),
    "gapminder-01": lambda: only(listed(where(data.gapminder(), country="Japan"), "lifeExp")),
    "gapminder-02": lambda: only(per(where(data.gapminder(), year=2007), lambda r: r["continent"], lambda g: total(g, "pop"))),
    "gapminder-03": lambda: or_bare(first(highest(listed(where(data.gapminder(), year=2007), "country", "gdpPercap"), 1), 5, 1)),
    "gapminder-04": lambda: only(listed(under(where(data.gapminder(), year=2007, continent="Europe"), "lifeExp", 75), "country")),
    "gapminder-05": short_lived,
    "gapminder-06": most_populous_per_continent,
    "gapminder-07": lambda: only(listed([r for r in where(data.gapminder(), year=1972) if r["country"] in ("China", "India")], "country", "pop")),
    "gapminder-08": lambda: only(per(data.gapminder(), lambda r: r["continent"], lambda g: len({r["country"] for r in g}))),
    "gapminder-09": lambda: only(per([r for r in where(data.gapminder(), continent="Americas") if r["year"] >= 1990], lambda r: r["year"], lambda g: mean(g, "lifeExp"))),
    "gapminder-10": lambda: or_bare(only(highest(listed(over(where(data.gapminder(), year=2002), "pop", 100_000_000), "country", "pop"), 1), by=(1,))),
    "gapminder-11": lambda: or_bare(first(lowest(listed(where(data.gapminder(), year=1997, continent="Africa"), "country", "gdpPercap"), 1), 10, 1)),
    "gapminder-12": lambda: one(percent(total(where(data.gapminder(), year=2007, continent="Asia"), "pop"), total(where(data.gapminder(), year=2007), "pop"))),
    "countries-01": lambda: one(where(data.countries(), name="Mongolia")[0]["capital"]),
    "countries-02": regions,
    "countries-03": lambda: named([r for r in data.countries() if r.get("intermediateregion") == "South America" and (r.get("population") or 0) > 20_000_000]),
    "countries-04": currencies,
    "countries-05": lambda: named([r for r in data.countries() if len(r.get("borders") or ()) > 8]),
    "countries-06": german_names,
    "countries-07": lambda: only(highest(listed(where(data.countries(), subregion="Western Europe"), "name", "capital", "population"), 2), by=(2,)),
    "countries-08": lambda: named([r for r in data.countries() if "pt" in (r.get("languages") or ())]),
    "countries-09": lambda: or_bare(first(highest([(r["name"], r.get("area")) for r in data.countries()], 1), 10, 1)),
    "countries-10": lambda: one(where(data.countries(), name="Japan")[0]["ISO"]["alpha3"]),
    "countries-11": lambda: only([(r["name"], r["ISO"].get("numeric")) for r in data.countries() if r.get("area") is None]),
    "countries-12": lambda: only(per(where(data.countries(), region="Africa"), lambda r: r["subregion"], lambda g: sum(r.get("population") or 0 for r in g))),
    "airfields-01": lambda: one(where(data.airports(), icao="ENGM")[0]["name"]),
    "airfields-02": lambda: only(per(data.airports(), lambda r: r["country"], len)),
    "airfields-03": lambda: one(len(where(data.airports(), country="NO", iata=None))),
    "airfields-04": lambda: only(per(data.airports(), lambda r: r["country"], lambda g: max(r["elevation"] for r in g))),
    "airfields-05": lambda: named([r for r in data.airports() if r["name"].startswith("Hel")]),
    "airfields-06": lambda: one(sum(r["iata"] is not None for r in data.airports())),
    "airfields-07": lambda: only(share_in_group(data.airports(), "country", lambda r: r["iata"] is not None)),
    "airfields-08": lambda: or_bare(first(highest(listed(data.airports(), "name", "lat"), 1), 1, 1)),
    "airfields-09": towns,
    "airfields-10": lambda: named(over(where(data.airports(), tz="Europe/Oslo"), "elevation", 2000)),
    "airfields-11": lambda: only(sorted(listed([*having(data.airports(), "airfield", "name"), *having(data.airports(), "air base", "name")], "name")), by=(0,)),
    "snowday-01": lambda: only(per(data.flights(), lambda r: r["origin"], len)),
    "snowday-02": never_left,
    "snowday-03": lambda: zeros_or_not(per(data.flights(), lambda r: airline(r["carrier"]), lambda g: mean(g, "dep_delay"))),
    "snowday-04": makers,
    "snowday-05": lambda: only(listed(over(where(data.flights(), origin="JFK", dest="BOS"), "dep_delay", 30), "flight")),
    "snowday-06": favourite_airport,
    "snowday-07": lambda: only(listed(data.airlines(), "carrier", "name")),
    "snowday-08": lambda: one(len({r["tailnum"] for r in data.flights()} - {None})),
    "snowday-09": lambda: only(share_in_group(data.flights(), "origin", lambda r: r["dep_time"] is None)),
    "snowday-10": lambda: one(max(r["distance"] for r in data.flights())),
    "snowday-11": lambda: one(len(where(data.flights(), carrier="UA", origin="EWR", hour=6))),
    "snowday-14": lambda: only(lowest(listed(under(data.planes(), "year", 1965), "tailnum", "manufacturer", "year"), 2), by=(2,)),
    "snowday-15": late_airlines,
}  # fmt: skip
