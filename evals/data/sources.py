"""Every source of the suites: its kind, its domain, and how it comes to be. Files are made once per folder, servers per block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from evals.data import files, served


@dataclass(frozen=True)
class Made:
    """`make` writes files into a folder and gives what stands after --source; `serve` gives the address that it serves
    while its block runs; a source with neither needs one of the shared servers, `server`."""

    kind: str
    domain: str
    make: Callable[[Path], str | list[str]] | None = None
    server: str = ""
    path: str = ""
    serve: Callable[[], AbstractContextManager[str]] | None = None


def _car_pair(folder: Path) -> list[str]:
    return [f"rentals={files.rentals_csv(folder)}", f"cars={files.cars_parquet(folder)}"]


def _school_pair(folder: Path) -> list[str]:
    return [f"students={files.students_json(folder)}", f"exams={files.exams_tsv(folder)}"]


SOURCES: dict[str, Made] = {
    "orders": Made("csv", "shop", files.orders_csv),
    "gym": Made("tsv", "gym", files.gym_tsv),
    "energy": Made("csv-semicolon", "energy", files.energy_csv),
    "bank": Made("csv-preamble", "bank", files.bank_csv),
    "parking": Made("csv-gz", "parking", files.parking_gz),
    "coffee": Made("csv-glob", "coffee shops", files.coffee_glob),
    "recipes": Made("json", "recipes", files.recipes_json),
    "tickets": Made("ndjson", "support", files.tickets_ndjson),
    "estates": Made("json-nested", "real estate", files.estates_json),
    "movies": Made("xml", "movies", files.movies_xml),
    "matches": Made("html", "football", files.matches_html),
    "staff": Made("xlsx", "human resources", files.staff_xlsx),
    "budget": Made("xlsx-merged", "finance", files.budget_xlsx),
    "flights": Made("parquet", "flights", files.flights_parquet),
    "rides": Made("arrow", "bike sharing", files.rides_feather),
    "sensors": Made("parquet-folder", "sensors", files.sensors_folder),
    "weather": Made("fixed-width", "weather", files.weather_txt),
    "hits": Made("access-log", "web", files.hits_log),
    "events": Made("app-log", "operations", files.events_log),
    "library": Made("sqlite", "library", files.library_sqlite),
    "stock": Made("duckdb", "warehouse", files.stock_duckdb),
    "cars": Made("joined", "car rental", _car_pair),
    "school": Made("joined", "school", _school_pair),
    "hospital": Made("postgresql", "hospital", server="postgres"),
    "billing": Made("mariadb", "billing", server="mariadb"),
    "repairs": Made("http-page", "workshop", server="api", path="/api/repairs"),
    "bookings": Made("http-offset", "hotel", server="api", path="/api/bookings"),
    "donations": Made("http-cursor", "charity", server="api", path="/api/donations"),
    "issues": Made("http-link", "software", server="api", path="/api/issues"),
    "lectures": Made("http-next", "university", server="api", path="/api/lectures"),
}


def sources_of(suite: str) -> Mapping[str, Made]:
    """The sources of a suite by name: those here for `requests`, or the `SOURCES` of data/<suite>_sources.py."""
    if suite == "requests":
        return SOURCES
    found: Mapping[str, Made] = import_module(f"evals.data.{suite}_sources").SOURCES
    return found


@contextmanager
def materialised(
    folder: Path, names: Sequence[str], known: Mapping[str, Made] = SOURCES
) -> Iterator[dict[str, list[str]]]:
    """What to write after --source for each of these sources, ready to be read for as long as the block runs."""
    given: dict[str, list[str]] = {}
    with ExitStack() as stack:
        servers = {known[name].server for name in names}
        base = stack.enter_context(served.api()) if "api" in servers else ""
        for name in names:
            made = known[name]
            if made.make is not None:
                text = made.make(folder)
                given[name] = [text] if isinstance(text, str) else text
            elif made.serve is not None:
                given[name] = [stack.enter_context(made.serve())]
            elif made.server == "api":
                given[name] = [f"{base}{made.path}"]
        if "postgres" in servers:
            from tests.services import postgres_server

            postgres = stack.enter_context(postgres_server())
            served.fill_postgres(postgres.url())
            given["hospital"] = [postgres.url()]
        if "mariadb" in servers:
            from tests.services import PASSWORD, mariadb_server

            mariadb = stack.enter_context(mariadb_server())
            served.fill_mariadb(mariadb.port, PASSWORD)
            given["billing"] = [mariadb.url()]
        yield given
