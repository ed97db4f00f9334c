"""The sources of the suite `systems`."""

from __future__ import annotations

from evals.data import systems_files as files
from evals.data import systems_served as served
from evals.data.sources import Made

SOURCES: dict[str, Made] = {
    "workspace": Made("sqlite", "product", files.workspace_sqlite),
    "delivery": Made("duckdb", "deployments", files.delivery_duckdb),
    "parcels": Made("postgresql", "logistics", serve=served.parcels_postgres),
    "licences": Made("joined", "software licences", files.licences_pair),
    "trips": Made("json-nested", "travel app", files.trips_json),
    "events": Made("ndjson-nested", "shopping app", files.events_ndjson),
    "gateway": Made("access-log", "web server", files.gateway_log),
    "worker": Made("logfmt", "background jobs", files.worker_log),
    "checks": Made("http-token", "monitoring", serve=served.checks_api),
    "telemetry": Made("parquet-folder", "devices", files.readings_folder),
    "jobs": Made("xml-nested", "job board", files.vacancies_xml),
}
