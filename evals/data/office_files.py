"""Writers of the office's files: workbooks, exports in odd dialects, a print list, JSON, a database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from evals.data import office_rows
from evals.data.files import Row, delimited


def expenses_xlsx(folder: Path) -> str:
    """One sheet, money and dates as cells of their types."""
    return _workbook(folder / "expenses.xlsx", {"Claims": office_rows.expenses()})


def timesheets_xlsx(folder: Path) -> str:
    """Entries on one sheet, their projects on another."""
    return _workbook(folder / "timesheets.xlsx", {"Entries": office_rows.entries(), "Projects": office_rows.projects()})


def invoices_csv(folder: Path) -> str:
    """Semicolons and Windows-1252: `1.234,50 €`, `19 %`, `24.12.2024`."""

    def words(name: str, value: object) -> object:
        if isinstance(value, Decimal):
            return f"{value:,.2f} €".translate(str.maketrans(",.", ".,"))
        if isinstance(value, date):
            return f"{value:%d.%m.%Y}"
        return "" if value is None else f"{value} %" if name == "VAT" else value

    return delimited(folder / "invoices.csv", office_rows.invoices(), delimiter=";", encoding="cp1252", words=words)


def staff_txt(folder: Path) -> str:
    """Bars and a byte order mark: `$85,000.00`, `80 %`, `12/24/2024`, yes, no and N/A."""

    def words(name: str, value: object) -> object:
        if name == "Remote":
            return "N/A" if value is None else "yes" if value else "no"
        if isinstance(value, Decimal):
            return f"${value:,.2f}"
        if isinstance(value, date):
            return f"{value:%m/%d/%Y}"
        return "" if value is None else f"{value} %" if name == "FTE" else value

    return delimited(folder / "personnel.txt", office_rows.staff(), delimiter="|", encoding="utf-8-sig", words=words)


def leads_csv(folder: Path) -> str:
    """Commas; consent as Y and N, values as `$1,234.50` or N/A."""

    def words(name: str, value: object) -> object:
        if isinstance(value, bool):
            return "Y" if value else "N"
        if name == "Est. value":
            return "N/A" if value is None else f"${value:,.2f}"
        return "" if value is None else value

    return delimited(folder / "leads.csv", office_rows.leads(), words=words)


def helpdesk_json(folder: Path) -> str:
    """The tickets sit under a heading of the export; times are in UTC."""
    path = folder / "helpdesk.json"
    body = {"export": {"by": "svc-report", "at": "2025-03-12T06:00:00Z"}, "issues": office_rows.helpdesk()}
    path.write_text(json.dumps(body, default=_utc))
    return str(path)


def rooms_ndjson(folder: Path) -> str:
    """An object a line; times are local and say no zone."""
    path = folder / "rooms.ndjson"
    path.write_text("".join(json.dumps(row, default=datetime.isoformat) + "\n" for row in office_rows.rooms()))
    return str(path)


def inventory_txt(folder: Path) -> str:
    """A print list: columns of fixed width under a heading and a rule, blanks where nothing is known."""
    widths = {
        "ITEM": 8, "DESCRIPTION": 22, "WHSE": 6, "ON_HAND": 9, "MIN_QTY": 9, "UNIT_COST": 11, "LAST_COUNT": 12, "SUPPLIER": 10,
    }  # fmt: skip
    lines = ["".join(name.ljust(width) for name, width in widths.items()).rstrip()]
    lines.append("".join(("-" * (width - 2)).ljust(width) for width in widths.values()).rstrip())
    for row in office_rows.inventory():
        lines.append("".join(_printed(row[n]).ljust(w) for n, w in widths.items()).rstrip())
    path = folder / "stocklist.txt"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def crm_sqlite(folder: Path) -> str:
    """Accounts with their contacts and deals, keys declared, dates as text."""
    path = folder / "crm.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, industry TEXT, country TEXT, employees INTEGER, owner TEXT,"
        " created_on DATE);"
        "CREATE TABLE contacts (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts(id), full_name TEXT, email TEXT,"
        " phone TEXT, job_title TEXT, opted_in INTEGER);"
        "CREATE TABLE deals (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts(id), title TEXT, stage TEXT,"
        " amount INTEGER, opened_on DATE, closed_on DATE);"
    )
    for table, rows in (
        ("accounts", office_rows.accounts()),
        ("contacts", office_rows.contacts()),
        ("deals", office_rows.deals()),
    ):
        marks = ", ".join("?" * len(rows[0]))
        values = [[v.isoformat() if isinstance(v, date) else v for v in row.values()] for row in rows]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.commit()
    connection.close()
    return str(path)


def assets_parquet(folder: Path) -> str:
    """One Parquet file with exact prices."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "assets.parquet"
    pq.write_table(pa.Table.from_pylist(office_rows.assets()), path)
    return str(path)


def _printed(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def _workbook(path: Path, sheets: dict[str, Sequence[Row]]) -> str:
    import openpyxl  # type: ignore[import-untyped]  # it has no types

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    book.save(path)
    return str(path)


def _utc(value: datetime) -> str:
    return f"{value.isoformat()}Z"
