"""The right answer to each request of office.yaml, computed in plain Python over the generators' own rows."""

# ruff: noqa: E501  (the table of truths reads best with a request a line)
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import combinations, islice, product
from typing import Any

from evals.data import office_rows as office
from evals.suites.requests_truth import known_by, lookup, where
from evals.truth import (
    AnyOf,
    Cells,
    Either,
    Row,
    Truth,
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

TODAY = date(2025, 3, 12)
NOW = datetime(2025, 3, 12, 9, 30)


def shown(answer: AnyOf, *columns: int) -> AnyOf:
    """The same answers with these of their columns alone: what ranks need not be shown."""
    return AnyOf(tuple(Truth(tuple(tuple(row[c] for c in columns) for row in t.rows), t.by) for t in answer.truths))


def best_of_each(
    rows: Iterable[Row], group: Callable[[Row], object], figure: Callable[[Row], Any], count: int = 1
) -> list[list[Row]]:
    """The rows with the highest figures of each group: with all that tie at the edge, and with every choice among them."""
    groups: dict[object, list[Row]] = {}
    for row in rows:
        if figure(row) is not None:
            groups.setdefault(group(row), []).append(row)
    whole, cuts = [], []
    for members in groups.values():
        edge = sorted((figure(r) for r in members), reverse=True)[:count][-1]
        inside = [r for r in members if figure(r) > edge]
        tied = [r for r in members if figure(r) == edge]
        whole += [*inside, *tied]
        wanted = min(count, len(members)) - len(inside)
        cuts.append([[*inside, *choice] for choice in combinations(tied, wanted)])
    return [whole, *([r for part in parts for r in part] for parts in islice(product(*cuts), 2000))]


def seen_by(ways: Iterable[Sequence[Row]], *columns: tuple[str, ...]) -> AnyOf:
    """Any of these ways to choose the rows, known by any of these sets of columns."""
    return either(*(only(listed(rows, *names)) for rows in ways for names in columns))


def quarter(day: date) -> Either:
    """A quarter by its first day, its number, or as it is written."""
    n = (day.month + 2) // 3
    first_day = date(day.year, 3 * n - 2, 1)
    return Either(
        (first_day, f"{day.year}-Q{n}", f"{day.year} Q{n}", f"{day.year}Q{n}", f"Q{n} {day.year}", f"Q{n}", n)
    )


def within(rows: Iterable[Row], column: str, start: date, end: date) -> list[Row]:
    """The rows from one day to another, both counted."""
    return [r for r in rows if r[column] is not None and start <= _day(r[column]) <= end]


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def unpaid() -> list[Row]:
    return where(office.invoices(), **{"Paid On": None})


def top_customers() -> AnyOf:
    """Customers by name or by number, which tell them apart alike."""

    def ranked(column: str) -> AnyOf:
        rows = per(office.invoices(), lambda i: i[column], lambda g: total(g, "Net Amount"))
        return first(highest(rows, 1), 10, 1, by=(1,))

    return either(ranked("Customer Name"), ranked("Cust. No."))


def days_to_pay() -> AnyOf:
    paid = [(i["Paid On"] - i["Doc. Date"]).days for i in office.invoices() if i["Paid On"]]
    return one(sum(paid) / len(paid))


def spend_shares() -> AnyOf:
    whole = total(office.expenses(), "Amount EUR")
    rows = highest(per(office.expenses(), lambda e: e["Category"], lambda g: total(g, "Amount EUR")), 1)
    return only([(name, percent(figure, whole)) for name, figure in rows], (1,))


def by_project(rows: Sequence[Row], figure: Callable[[list[Row]], Any], *also: str) -> AnyOf:
    """A figure a project, by its code or its name, then what else stands there of it. The code that no project has, and the
    projects nobody worked on, may be shown or left out."""
    known = lookup(office.projects(), "Code")
    groups: dict[Any, Any] = dict(per(rows, lambda e: e["Proj Code"], figure))
    ways = []
    for name in ("Code", "Project"):
        booked = [(p[name], groups[code], *(p[a] for a in also)) for code, p in known.items() if code in groups]
        strays = [
            (code if name == "Code" else None, value, *(None for _ in also))
            for code, value in groups.items()
            if code not in known
        ]
        idle = [
            [(p[name], nothing, *(p[a] for a in also)) for code, p in known.items() if code not in groups]
            for nothing in (0, None)
        ]
        ways += [booked, booked + strays, *(booked + rest for rest in idle), *(booked + strays + rest for rest in idle)]
    return either(*map(only, ways))


def billable() -> list[Row]:
    """The billable entries, each with its project."""
    known = lookup(office.projects(), "Code")
    return [e | known[e["Proj Code"]] for e in where(office.entries(), Billable="Y")]


def billable_by_client() -> AnyOf:
    rows = highest(per(billable(), lambda e: e["Client"], lambda g: total(g, "Hrs")), 1)
    idle = {p["Client"] for p in office.projects()} - {r[0] for r in rows}
    return either(
        only(rows, (1,)), *(only([*rows, *((c, nothing) for c in sorted(idle))], (1,)) for nothing in (0, None))
    )


def busy_clients() -> AnyOf:
    rows = per(
        [e for e in billable() if e["Date"] >= date(2025, 1, 1)], lambda e: e["Client"], lambda g: total(g, "Hrs")
    )
    return only([(r[0],) for r in rows if r[1] > 60])


def idle_projects() -> AnyOf:
    used = {e["Proj Code"] for e in office.entries()}
    return known_by([p for p in office.projects() if p["Code"] not in used], "Code", "Project")


def hours_of_priya() -> AnyOf:
    hers = where(office.entries(), Emp="Priya Nair")
    starts = (
        (date(2025, 3, 3), date(2025, 3, 9)),
        (TODAY - timedelta(7), TODAY),
        (TODAY - timedelta(6), TODAY),
        (TODAY - timedelta(7), TODAY - timedelta(1)),
    )
    return either(*(one(total(within(hers, "Date", *span), "Hrs")) for span in starts))


def desk() -> list[Row]:
    """The tickets with what is nested brought to the top."""
    return [
        {
            "key": t["key"], **t["fields"], "labels": t["labels"], "by": t["fields"]["reporter"]["name"],
            "department": t["fields"]["reporter"]["department"], "team": (t["fields"]["assignee"] or {}).get("team"),
        }
        for t in office.helpdesk()
    ]  # fmt: skip


def team_ratings() -> AnyOf:
    rows = lowest(per(desk(), lambda t: t["team"], lambda g: mean(g, "rating")), 1)
    known = [r for r in rows if r[0] is not None]
    unknown = [r for r in rows if r[0] is None]
    return either(only(known, (1,)), only(known + unknown, (1,)), only(unknown + known, (1,)))


def top_reporters() -> AnyOf:
    rows = [
        {"department": d, "name": n, "count": c} for d, n, c in per(desk(), lambda t: (t["department"], t["by"]), len)
    ]
    return seen_by(best_of_each(rows, lambda r: r["department"], lambda r: r["count"], 2), ("department", "name"))


def hours_open(group: list[Row]) -> float:
    took: list[float] = [(t["resolved"] - t["created"]).total_seconds() / 3600 for t in group]
    return sum(took) / len(took)


def with_account() -> list[Row]:
    """The deals, each with its account's members where they differ in name."""
    known = lookup(office.accounts(), "id")
    return [
        d | {n: known[d["account_id"]][n] for n in ("name", "industry", "country", "owner")} for d in office.deals()
    ]


def biggest_deals() -> AnyOf:
    every = with_account()
    sides = (every, [d for d in every if d["owner"] is not None])
    ways = [way for side in sides for way in best_of_each(side, lambda d: d["owner"], lambda d: d["amount"], 3)]
    return seen_by(ways, ("owner", "id"), ("owner", "title", "amount"), ("owner", "name", "amount"))


def latest_deals() -> AnyOf:
    ways = best_of_each(with_account(), lambda d: d["account_id"], lambda d: d["opened_on"])
    return seen_by(ways, ("id",), ("account_id", "opened_on"), ("name", "opened_on"), ("name", "title"))


def staffing() -> AnyOf:
    groups: dict[str, list[Row]] = {}
    for account in office.accounts():
        groups.setdefault(account["country"], []).append(account)
    return only([(country, mean(members, "employees")) for country, members in groups.items() if len(members) >= 12])


def buyers_in_italy() -> AnyOf:
    country = {a["id"]: a["country"] for a in office.accounts()}
    found = [c["email"] for c in office.contacts() if c["job_title"] == "Buyer" and country[c["account_id"]] == "Italy"]
    return either(only([(e,) for e in found]), only([(e,) for e in found if e is not None]))


def stock() -> list[Row]:
    """The stock list with the worth of each line, and no supplier as nothing."""
    return [i | {"worth": i["ON_HAND"] * i["UNIT_COST"], "SUPPLIER": i["SUPPLIER"] or None} for i in office.inventory()]


def dearest_items() -> AnyOf:
    every = stock()
    sides = (every, [i for i in every if i["SUPPLIER"]])
    ways = [way for side in sides for way in best_of_each(side, lambda i: i["SUPPLIER"], lambda i: i["UNIT_COST"])]
    return seen_by(ways, ("SUPPLIER", "ITEM"), ("SUPPLIER", "DESCRIPTION"))


def cheapest_items() -> AnyOf:
    ranked = first(lowest(listed(office.inventory(), "ITEM", "DESCRIPTION", "UNIT_COST"), 2), 5, 2)
    return either(shown(ranked, 0), shown(ranked, 1, 2))


def people_where(test: Callable[[Row], bool]) -> AnyOf:
    """The people of the personnel list that pass, by number or by their two names, which tell them apart."""
    rows = [p for p in office.staff() if test(p)]
    return seen_by([rows], ("Pers.No",), ("First Name", "Last Name"))


def pay(group: list[Row]) -> Cells:
    known = [p["Annual Salary"] for p in group]
    return min(known), max(known), mean(group, "Annual Salary")


def bookings_next_week() -> AnyOf:
    found = within(office.rooms(), "start", date(2025, 3, 17), date(2025, 3, 23))
    return either(
        known_by(found, "booking_id"), known_by([b for b in found if b["status"] != "cancelled"], "booking_id")
    )


def bookings_this_month() -> AnyOf:
    found = within(office.rooms(), "start", date(2025, 3, 1), date(2025, 3, 31))
    ways = (found, [b for b in found if b["start"].date() <= TODAY], [b for b in found if b["start"] <= NOW])
    return either(*(only(per(way, lambda b: b["start"].date(), len)) for way in ways))


def busiest_room(rows: Iterable[Row]) -> AnyOf:
    return shown(first(highest(per(rows, lambda b: b["room"], len), 1), 1, 1), 0)


def newest_leads() -> AnyOf:
    newest: dict[str, Row] = {}
    for lead in sorted(office.leads(), key=lambda r: r["Created"]):
        newest[lead["E-mail"]] = lead
    return known_by(newest.values(), "Lead ID")


def cold_leads() -> AnyOf:
    """Ninety days back may be counted with or without their first day; leads never contacted belong there or are unknown."""
    ways = []
    for back in (90, 91):
        old = [r for r in office.leads() if r["Last contact"] and r["Last contact"] < TODAY - timedelta(back - 1)]
        ways += [old, old + where(office.leads(), **{"Last contact": None})]
    return seen_by(ways, ("Lead ID",))


def scores_by_consent() -> AnyOf:
    return only(
        per(office.leads(), lambda r: Either((r["Opt-in"], "Y" if r["Opt-in"] else "N")), lambda g: mean(g, "Score"))
    )


def leads_by_month() -> AnyOf:
    """Twelve months back from today, or the months whole, with or without the one that runs."""
    spans = (
        (date(2024, 3, 12), TODAY), (date(2024, 3, 13), TODAY), (date(2024, 3, 1), TODAY), (date(2024, 4, 1), TODAY),
        (date(2024, 3, 1), date(2025, 2, 28)),
    )  # fmt: skip
    return either(
        *(only(per(within(office.leads(), "Created", *span), lambda r: month(r["Created"]), len)) for span in spans)
    )


def warranties() -> AnyOf:
    spans = [(TODAY + timedelta(a), TODAY + timedelta(b)) for a in (0, 1) for b in (59, 60)]
    return seen_by([within(office.assets(), "warranty_ends", *span) for span in spans], ("asset_tag",))


def oldest_laptops() -> AnyOf:
    ways = best_of_each(
        where(office.assets(), asset_type="laptop"), lambda a: a["site"], lambda a: -a["purchased_on"].toordinal()
    )
    return seen_by(ways, ("site", "asset_tag"), ("site", "model", "purchased_on"), ("site", "serial_no"))


def spend_by_maker() -> AnyOf:
    whole = total(office.assets(), "purchase_price")
    rows = per(office.assets(), lambda a: a["manufacturer"], lambda g: total(g, "purchase_price"))
    return only([(name, figure, percent(figure, whole)) for name, figure in rows])


TRUTH: dict[str, Callable[[], AnyOf]] = {
    "expenses-01": lambda: only(per(office.expenses(), lambda e: e["Category"], lambda g: total(g, "Amount EUR"))),
    "expenses-02": lambda: one(total([e for e in where(office.expenses(), Category="Hotel") if e["Exp. Date"].year == 2024], "Amount EUR")),
    "expenses-03": lambda: known_by([e for e in where(office.expenses(), Receipt="No") if e["Amount EUR"] > 200], "Report No"),
    "expenses-04": lambda: shown(first(highest(per(office.expenses(), lambda e: e["Employee"], lambda g: total(g, "Amount EUR")), 1), 5, 1), 0),
    "expenses-05": lambda: known_by(within(where(office.expenses(), Status="rejected"), "Exp. Date", date(2025, 2, 1), date(2025, 2, 28)), "Report No"),
    "expenses-06": spend_shares,
    "expenses-07": lambda: one(mean(where(office.expenses(), Category="Taxi"), "Amount EUR")),
    "expenses-08": lambda: only([r[:1] for r in per(office.expenses(), lambda e: e["Approver"], len) if r[0] and r[1] > 50]),
    "expenses-09": lambda: only(per([e for e in office.expenses() if e["Category"] in ("Travel", "Hotel") and e["Exp. Date"].year == 2024], lambda e: month(e["Exp. Date"], lone_year=True), lambda g: total(g, "Amount EUR"))),
    "expenses-12": lambda: either(*(known_by([e for e in office.expenses() if e["Status"] in ("submitted", "approved") and e["Exp. Date"] < day], "Report No") for day in (date(2024, 9, 12), date(2024, 9, 13)))),
    "invoices-01": lambda: known_by(unpaid(), "Inv. No."),
    "invoices-02": top_customers,
    "invoices-03": lambda: known_by([i for i in unpaid() if i["Due Date"] < TODAY], "Inv. No."),
    "invoices-04": lambda: known_by([i for i in office.invoices() if 1000 <= i["Net Amount"] <= 2500], "Inv. No."),
    "invoices-05": lambda: only(per(within(office.invoices(), "Doc. Date", date(2024, 1, 1), date(2024, 12, 31)), lambda i: quarter(i["Doc. Date"]), lambda g: total(g, "Net Amount"))),
    "invoices-06": lambda: shown(first(highest(per([i for i in office.invoices() if i["Salesperson"]], lambda i: i["Salesperson"], lambda g: mean(g, "Net Amount")), 1), 1, 1), 0),
    "invoices-07": lambda: one(len(where(office.invoices(), VAT=7))),
    "invoices-08": lambda: known_by([i for i in office.invoices() if i["City"] in ("Hamburg", "Bremen") and i["Reminder Lvl"] >= 2], "Inv. No."),
    "invoices-09": lambda: known_by([i for i in office.invoices() if i["Net Amount"] < 0], "Inv. No."),
    "invoices-10": lambda: one(middle(where(office.invoices(), City="München"), "Net Amount")),
    "invoices-11": days_to_pay,
    "invoices-13": lambda: one(len({i["Cust. No."] for i in within(office.invoices(), "Doc. Date", date(2025, 1, 1), date(2025, 1, 31))})),
    "invoices-14": lambda: one(*(pick(i["Net Amount"] for i in within(office.invoices(), "Doc. Date", date(2024, 10, 1), date(2024, 12, 31))) for pick in (min, max))),
    "timesheets-01": lambda: by_project(office.entries(), lambda g: total(g, "Hrs")),
    "timesheets-02": hours_of_priya,
    "timesheets-03": billable_by_client,
    "timesheets-04": lambda: only(per(within(office.entries(), "Date", date(2025, 2, 1), date(2025, 2, 28)), lambda e: (e["Emp"], week(e["Date"])), lambda g: total(g, "Hrs"))),
    "timesheets-05": lambda: only(per([e for e in where(office.entries(), Billable="N") if e["Date"].year == 2025], lambda e: e["Emp"], lambda g: total(g, "Hrs"))),
    "timesheets-06": lambda: known_by(where(office.projects(), Stage="on hold"), "Code", "Project"),
    "timesheets-07": lambda: only(listed([e for e in office.entries() if e["Hrs"] > 8], "Date", "Emp", "Proj Code", "Hrs")),
    "timesheets-08": idle_projects,
    "timesheets-09": busy_clients,
    "timesheets-10": lambda: by_project(office.entries(), lambda g: total(g, "Hrs"), "Budget hrs"),
    "timesheets-11": lambda: by_project(billable(), lambda g: sum((e["Hrs"] * e["Rate/h"] for e in g), Decimal(0))),
    "timesheets-13": lambda: one(max(e["Date"] for e in where(office.entries(), **{"Emp": "Wei Zhang", "Proj Code": "P-105"}))),
    "helpdesk-01": lambda: known_by(where(desk(), status="Waiting for user"), "key"),
    "helpdesk-02": lambda: only(per(desk(), lambda t: t["priority"], len)),
    "helpdesk-03": lambda: known_by(where(desk(), assignee=None), "key"),
    "helpdesk-04": team_ratings,
    "helpdesk-05": lambda: only(per([t for t in desk() if t["created"].year == 2024], lambda t: month(t["created"], lone_year=True), len)),
    "helpdesk-06": lambda: known_by([t for t in desk() if "vpn" in t["summary"].lower()], "key"),
    "helpdesk-07": lambda: known_by([t for t in where(desk(), priority="high", department="Legal") if t["status"] != "Done"], "key"),
    "helpdesk-08": top_reporters,
    "helpdesk-09": lambda: known_by([t for t in desk() if "hardware" in t["labels"]], "key"),
    "helpdesk-10": lambda: only(per([t for t in desk() if t["resolved"]], lambda t: t["priority"], hours_open)),
    "helpdesk-11": lambda: known_by([t for t in desk() if t["created"] >= datetime(2025, 3, 1)], "key"),
    "helpdesk-13": lambda: one(percent(len(where(desk(), status="Done")), len(desk()))),
    "crm-01": lambda: one(total(where(office.deals(), stage="won"), "amount")),
    "crm-02": lambda: known_by(where(office.accounts(), country="Austria"), "id", "name"),
    "crm-03": lambda: known_by([d for d in where(office.deals(), stage="negotiation") if d["amount"] and d["amount"] > 50000], "id"),
    "crm-04": lambda: only(per([d for d in with_account() if d["stage"] not in ("won", "lost")], lambda d: d["industry"], lambda g: total(g, "amount"))),
    "crm-05": lambda: known_by([c for c in office.contacts() if c["phone"] and c["phone"].startswith("+41")], "id", "full_name"),
    "crm-06": lambda: known_by([a for a in office.accounts() if a["id"] not in {d["account_id"] for d in office.deals()}], "id", "name"),
    "crm-07": lambda: one(percent(len(where(office.deals(), stage="lost")), len(office.deals()))),
    "crm-08": biggest_deals,
    "crm-09": lambda: known_by([c for c in where(office.contacts(), opted_in=1) if c["job_title"] in ("CEO", "CFO")], "id", "full_name"),
    "crm-10": lambda: one(len(within(where(office.deals(), stage="won"), "closed_on", date(2024, 10, 1), date(2024, 12, 31)))),
    "crm-11": staffing,
    "crm-12": latest_deals,
    "crm-15": buyers_in_italy,
    "inventory-01": lambda: known_by(where(office.inventory(), WHSE="W2"), "ITEM"),
    "inventory-02": lambda: known_by([i for i in office.inventory() if i["ON_HAND"] < i["MIN_QTY"]], "ITEM"),
    "inventory-03": lambda: only(per(stock(), lambda i: i["WHSE"], lambda g: total(g, "worth"))),
    "inventory-04": lambda: known_by(where(office.inventory(), LAST_COUNT=None), "ITEM"),
    "inventory-05": lambda: one(len({i["SUPPLIER"] for i in stock()} - {None})),
    "inventory-06": cheapest_items,
    "inventory-07": lambda: known_by([i for i in office.inventory() if "toner" in i["DESCRIPTION"].lower()], "ITEM"),
    "inventory-08": lambda: known_by([i for i in office.inventory() if i["LAST_COUNT"] and i["LAST_COUNT"] < date(2024, 7, 1) and i["ON_HAND"] > 100], "ITEM"),
    "inventory-09": dearest_items,
    "inventory-11": lambda: only(per([i for i in office.inventory() if "copy paper" in i["DESCRIPTION"].lower()], lambda i: i["WHSE"], lambda g: total(g, "ON_HAND"))),
    "inventory-12": lambda: nulls_or_not(per([i for i in stock() if i["SUPPLIER"] != "Conrad"], lambda i: i["SUPPLIER"], len)),
    "personnel-01": lambda: one(len(where(office.staff(), **{"Exit Date": None}))),
    "personnel-02": lambda: only(per(where(office.staff(), FTE=100), lambda p: p["Org Unit"], lambda g: mean(g, "Annual Salary"))),
    "personnel-03": lambda: people_where(lambda p: p["Entry Date"].year == 2023),
    "personnel-04": lambda: one(len([p for p in office.staff() if p["FTE"] < 80])),
    "personnel-05": lambda: only(per(office.staff(), lambda p: p["Position"], pay)),
    "personnel-06": lambda: people_where(lambda p: p["Contract"] == "temporary" and p["Annual Salary"] > 60000),
    "personnel-07": lambda: people_where(lambda p: p["Last Name"].startswith("Mc")),
    "personnel-08": lambda: only([r[:1] for r in per(office.staff(), lambda p: p["Org Unit"], len) if r[1] > 30]),
    "personnel-09": lambda: seen_by(best_of_each(office.staff(), lambda p: p["Org Unit"], lambda p: p["Annual Salary"]), ("Org Unit", "Pers.No"), ("Org Unit", "First Name", "Last Name")),
    "personnel-10": lambda: only(per(office.staff(), lambda p: year(p["Entry Date"]), len)),
    "personnel-11": lambda: people_where(lambda p: p["Remote"] is True and p["Org Unit"] in ("IT", "Legal") and p["Exit Date"] is None),
    "personnel-14": lambda: people_where(lambda p: p["Exit Date"] is not None and p["Exit Date"].year == 2024),
    "rooms-01": lambda: known_by(within(office.rooms(), "start", TODAY, TODAY), "booking_id"),
    "rooms-02": bookings_next_week,
    "rooms-03": lambda: only(per(where(office.rooms(), status="no-show"), lambda b: b["room"], len)),
    "rooms-04": lambda: nulls_or_not(per(office.rooms(), lambda b: b["dept"], lambda g: mean(g, "attendees"))),
    "rooms-05": lambda: known_by([b for b in where(office.rooms(), catering=True) if b["attendees"] > 10], "booking_id"),
    "rooms-06": lambda: only(per([b for b in within(office.rooms(), "start", date(2025, 1, 1), date(2025, 1, 31)) if b["status"] != "cancelled"], lambda b: b["room"], lambda g: total(g, "minutes"))),
    "rooms-07": bookings_this_month,
    "rooms-08": lambda: either(busiest_room(office.rooms()), busiest_room([b for b in office.rooms() if b["status"] != "cancelled"])),
    "rooms-09": lambda: known_by(within(office.rooms(), "start", date(2025, 3, 5), date(2025, 3, 7)), "booking_id"),
    "rooms-11": lambda: only([r[:1] for r in per(where(office.rooms(), status="no-show"), lambda b: b["booked_by"], len) if r[1] >= 3]),
    "rooms-12": lambda: one(len([b for b in office.rooms() if b["status"] not in ("cancelled", "no-show")])),
    "rooms-13": lambda: nulls_or_not(per(office.rooms(), lambda b: b["dept"], lambda g: percent(len(where(g, catering=True)), len(g)))),
    "leads-01": lambda: known_by(where(office.leads(), Country="Spain"), "Lead ID"),
    "leads-02": lambda: one(len({r["E-mail"] for r in office.leads()})),
    "leads-03": newest_leads,
    "leads-04": lambda: only(per(office.leads(), lambda r: r["Lead source"], len)),
    "leads-05": lambda: only([r[:1] for r in per(office.leads(), lambda r: r["E-mail"], len) if r[1] >= 4]),
    "leads-06": lambda: only(lowest(per(office.leads(), lambda r: r["Country"], lambda g: total(g, "Est. value")), 1), (1,)),
    "leads-07": cold_leads,
    "leads-08": lambda: known_by([r for r in where(office.leads(), **{"Opt-in": True}) if r["Score"] is not None and r["Score"] >= 80], "Lead ID"),
    "leads-09": lambda: known_by([r for r in office.leads() if "GmbH" in r["Company"]], "Lead ID"),
    "leads-10": lambda: known_by([r for r in office.leads() if r["Lead source"] in ("webinar", "trade fair") and r["Country"] != "Germany"], "Lead ID"),
    "leads-11": scores_by_consent,
    "leads-14": leads_by_month,
    "assets-01": lambda: known_by([a for a in where(office.assets(), asset_type="laptop") if a["ram_gb"] < 16], "asset_tag", "serial_no"),
    "assets-02": lambda: only(per(where(office.assets(), assigned_to=None), lambda a: a["asset_type"], len)),
    "assets-03": warranties,
    "assets-04": lambda: one(total([a for a in where(office.assets(), asset_type="monitor") if a["purchased_on"].year == 2024], "purchase_price")),
    "assets-05": oldest_laptops,
    "assets-06": spend_by_maker,
    "assets-07": lambda: known_by(where(office.assets(), asset_type="phone", site="Vienna"), "asset_tag", "serial_no"),
    "assets-08": lambda: one(*(a["assigned_to"] for a in where(office.assets(), serial_no="0000380112"))),
    "assets-09": lambda: known_by([a for a in where(office.assets(), leased=False) if a["manufacturer"] in ("Dell", "HP")], "asset_tag", "serial_no"),
    "assets-10": lambda: first(highest(listed(office.assets(), "asset_tag", "purchased_on"), 1), 10, 1, by=(1,)),
    "assets-11": lambda: only(per(office.assets(), lambda a: year(a["purchased_on"]), len)),
}  # fmt: skip
