"""Writers that turn the rows of systems into databases, exports, logs and feeds."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from evals.data import systems_rows as rows


def json_value(value: object) -> object:
    """Times in UTC with their Z, days as such, exact numbers as numbers."""
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)


def workspace_sqlite(folder: Path) -> str:
    """Five tables with declared keys; moments and days are text, flags 0 and 1."""
    path = folder / "workspace.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE orgs (org_id INTEGER PRIMARY KEY, org_name TEXT NOT NULL, country_code TEXT, industry TEXT,"
        " signed_up_on DATE, churned_on DATE);"
        "CREATE TABLE plans (plan_code TEXT PRIMARY KEY, title TEXT, monthly_usd INTEGER, seat_limit INTEGER);"
        "CREATE TABLE subs (sub_id INTEGER PRIMARY KEY, org_id INTEGER REFERENCES orgs(org_id),"
        " plan_code TEXT REFERENCES plans(plan_code), started_on DATE, cancelled_on DATE, seats INTEGER, discount_pct INTEGER);"
        "CREATE TABLE members (member_id INTEGER PRIMARY KEY, org_id INTEGER REFERENCES orgs(org_id), full_name TEXT,"
        " email TEXT, role TEXT, last_seen_at DATETIME, mfa_enabled BOOLEAN);"
        "CREATE TABLE feature_use (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES members(member_id),"
        " feature TEXT, used_on DATE, clicks INTEGER);"
    )
    tables = (
        ("orgs", rows.orgs()),
        ("plans", rows.plans()),
        ("subs", rows.subs()),
        ("members", rows.members()),
        ("feature_use", rows.feature_use()),
    )
    for table, made in tables:
        marks = ", ".join("?" * len(made[0]))
        values = [[str(v) if isinstance(v, date) else v for v in row.values()] for row in made]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.commit()
    connection.close()
    return str(path)


def delivery_duckdb(folder: Path) -> str:
    """Four tables about what was deployed and what broke."""
    import duckdb

    path = folder / "delivery.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE teams (team VARCHAR PRIMARY KEY, lead VARCHAR, slack_channel VARCHAR)")
        connection.execute(
            "CREATE TABLE services (svc VARCHAR PRIMARY KEY, team VARCHAR REFERENCES teams(team), language VARCHAR,"
            " tier INTEGER, repo_url VARCHAR)"
        )
        connection.execute(
            "CREATE TABLE deployments (id INTEGER PRIMARY KEY, svc VARCHAR REFERENCES services(svc), env VARCHAR,"
            " version VARCHAR, started_at TIMESTAMP, duration_s INTEGER, outcome VARCHAR, deployed_by VARCHAR)"
        )
        connection.execute(
            "CREATE TABLE incidents (inc_no VARCHAR PRIMARY KEY, svc VARCHAR REFERENCES services(svc), severity VARCHAR,"
            " opened_at TIMESTAMP, resolved_at TIMESTAMP, customers_hit INTEGER)"
        )
        tables = (
            ("teams", rows.teams()),
            ("services", rows.services()),
            ("deployments", rows.deployments()),
            ("incidents", rows.incidents()),
        )
        for table, made in tables:
            marks = ", ".join("?" * len(made[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [list(r.values()) for r in made])
    return str(path)


def licences_pair(folder: Path) -> list[str]:
    """A sheet's CSV with money as people write it, and the vendors as JSON."""

    def written(name: str, value: object) -> object:
        if value is None:
            return "N/A"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, date):
            return f"{value:%d/%m/%Y}"
        return f"${value:,.2f}" if name == "Annual cost" else f"{value} %" if name == "Utilisation" else value

    sheet, vendors = folder / "licences.csv", folder / "vendors.json"
    with sheet.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(rows.licences()[0])
        writer.writerows([written(name, value) for name, value in row.items()] for row in rows.licences())
    vendors.write_text(json.dumps(rows.vendors(), indent=2))
    return [f"licences={sheet}", f"vendors={vendors}"]


def euros(amount: Decimal) -> str:
    """As it is written in Lisbon: `1.234,50 €`."""
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".") + " €"


def trips_json(folder: Path) -> str:
    """An app's export: the trips are two levels down, and a trip's parts up to three below it."""
    trips = [
        {
            **trip,
            "fare": {
                "amount": euros(trip["fare"]["amount"]),
                "refundable": "yes" if trip["fare"]["refundable"] else "no",
            },
        }
        for trip in rows.trips()
    ]
    path = folder / "export-2025-03-12.json"
    body = {"exportedAt": "2025-03-12T06:00:00Z", "payload": {"count": len(trips), "trips": trips}}
    path.write_text(json.dumps(body, default=json_value, ensure_ascii=False), encoding="utf-8")
    return str(path)


def events_ndjson(folder: Path) -> str:
    """An event a line; `props` holds only what the event has."""
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(row, default=json_value) + "\n" for row in rows.app_events()))
    return str(path)


def gateway_log(folder: Path) -> str:
    """The combined format."""
    path = folder / "gateway-access.log"
    path.write_text(
        "".join(
            f'{r["ip"]} - - [{r["time"]:%d/%b/%Y:%H:%M:%S +0000}] "{r["method"]} {r["path"]} HTTP/1.1" {r["status"]}'
            f' {r["bytes"]} "{r["referer"] or "-"}" "{r["agent"]}"\n'
            for r in rows.requests_served()
        )
    )
    return str(path)


def worker_log(folder: Path) -> str:
    """Keys and values on every line."""
    path = folder / "worker.log"
    path.write_text(
        "".join(
            f"ts={r['ts'].isoformat()}Z level={r['level']} service={r['service']} queue={r['queue']} job_id={r['job_id']}"
            f' attempt={r["attempt"]} took_ms={r["took_ms"]} msg="{r["msg"]}"\n'
            for r in rows.job_lines()
        )
    )
    return str(path)


def readings_folder(folder: Path) -> str:
    """Parquet in folders that say region and day."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = folder / "telemetry"
    parts = {(r["region"], r["day"]) for r in rows.readings()}
    for region, day in sorted(parts):
        part = target / f"region={region}" / f"day={day}"
        part.mkdir(parents=True)
        inside = [
            {k: v for k, v in r.items() if k not in ("region", "day")}
            for r in rows.readings()
            if (r["region"], r["day"]) == (region, day)
        ]
        pq.write_table(pa.Table.from_pylist(inside), part / "0000.parquet")
    return str(target)


def vacancies_xml(folder: Path) -> str:
    """A job board's feed: parts of a posting are nested, the currency is an attribute, thousands have commas."""

    def lines() -> Iterator[str]:
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield "<feed><publisher>Jobs of the Alps</publisher><lastBuildDate>2025-03-12T05:00:00Z</lastBuildDate>"
        for row in rows.vacancies():
            plain = "".join(f"<{k}>{escape(row[k])}</{k}>" for k in ("reference", "title", "company", "category"))
            place = "".join(f"<{k}>{v}</{k}>" for k, v in row["location"].items())
            pay = f"<from>{row['salary']['from']:,}</from><to>{row['salary']['to']:,}</to>"
            closes = f"<closes>{row['closes']}</closes>" if row["closes"] else "<closes/>"
            yield (
                f'<job>{plain}<location>{place}</location><salary currency="{row["salary"]["currency"]}">{pay}</salary>'
                f"<remote>{'yes' if row['remote'] else 'no'}</remote><posted>{row['posted']}</posted>{closes}</job>"
            )
        yield "</feed>"

    path = folder / "jobs.xml"
    path.write_text("\n".join(lines()))
    return str(path)
