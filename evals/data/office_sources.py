"""The sources of the suite `office`."""

from __future__ import annotations

from evals.data import office_files
from evals.data.sources import Made

SOURCES: dict[str, Made] = {
    "expenses": Made("xlsx", "expense claims", office_files.expenses_xlsx),
    "invoices": Made("csv-semicolon", "invoices", office_files.invoices_csv),
    "timesheets": Made("xlsx-sheets", "timesheets", office_files.timesheets_xlsx),
    "helpdesk": Made("json-nested", "help desk", office_files.helpdesk_json),
    "crm": Made("sqlite", "customer relations", office_files.crm_sqlite),
    "inventory": Made("fixed-width", "office stock", office_files.inventory_txt),
    "personnel": Made("csv-bars", "personnel", office_files.staff_txt),
    "rooms": Made("ndjson", "meeting rooms", office_files.rooms_ndjson),
    "leads": Made("csv", "marketing leads", office_files.leads_csv),
    "assets": Made("parquet", "equipment", office_files.assets_parquet),
}
