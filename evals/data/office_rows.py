"""Rows as an office keeps them: expenses, invoices, timesheets, tickets, deals, stock, staff, rooms, leads, equipment.

Every function gives the same rows each time; the keys are the columns as their export writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

Row = dict[str, Any]

PEOPLE = (
    "Priya Nair", "Tom Becker", "Lucía Ortega", "Aidan McCarthy", "Wei Zhang", "Sofie Lund", "Karim Haddad", "Olga Petrova",
    "Jonas Weber", "Mariam Said", "Paul O'Neill", "Ines Duarte", "Greta Holm", "Raj Malhotra", "Nina Kovač", "Ben Archer",
)  # fmt: skip


def _day(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randrange((last - first).days + 1))


def _cents(random: Random, low: int, high: int) -> Decimal:
    return Decimal(random.randrange(low * 100, high * 100)) / 100


@cache
def expenses() -> list[Row]:
    """Expense claims of 2024 and early 2025; cost centres with a leading zero, vendors and approvers now and then unknown."""
    random = Random("office expenses")
    vendors = {
        "Travel": (("Lufthansa", "Deutsche Bahn", "KLM"), 60, 900), "Hotel": (("Ibis", "Motel One", "Hilton"), 70, 600),
        "Meals": (("Vapiano", "Café Central"), 9, 140), "Taxi": (("Uber", "Free Now"), 8, 75),
        "Software": (("JetBrains", "Adobe", "Atlassian"), 20, 700),
        "Office supplies": (("Staples", "Amazon"), 5, 260), "Training": (("Udemy", "IHK"), 40, 1800),
    }  # fmt: skip
    rows = []
    for n in range(1, 241):
        category = random.choices(tuple(vendors), (30, 22, 30, 18, 10, 12, 6))[0]
        shops, low, high = vendors[category]
        status = random.choices(("submitted", "approved", "rejected", "paid"), (20, 25, 10, 45))[0]
        rows.append(
            {
                "Report No": f"EX-{n:04d}",
                "Employee": random.choice(PEOPLE),
                "Cost Ctr": random.choice(("0410", "0420", "0430", "0510")),
                "Category": category,
                "Vendor": None if random.random() < 0.08 else random.choice(shops),
                "Exp. Date": _day(random, date(2024, 1, 2), date(2025, 3, 11)),
                "Amount EUR": _cents(random, low, high),
                "Receipt": "No" if random.random() < 0.16 else "Yes",
                "Status": status,
                "Approver": None
                if status == "submitted"
                else random.choice(("Greta Holm", "Raj Malhotra", "Nina Kovač", "Ben Archer")),
                "Comment": random.choice((None, None, "client visit", "lost the receipt", "team lunch", "conference")),
            }
        )
    return rows


CUSTOMERS = tuple(
    (f"1{n:04d}", name, city)
    for n, (name, city) in enumerate(
        (
            ("Alster Marine GmbH", "Hamburg"), ("Bergmann & Söhne", "Bremen"), ("Cityprint AG", "Berlin"),
            ("Donau Logistik", "Regensburg"), ("Elbe Foods", "Hamburg"), ("Falke Optik", "Kassel"), ("Gartenbau Huber", "München"),
            ("Hansa Kaffee", "Bremen"), ("Isar Software", "München"), ("Jung Möbel", "Köln"), ("Kranich Reisen", "Berlin"),
            ("Lindner Metall", "Essen"), ("Moselwein eG", "Trier"), ("Nordlicht Theater", "Kiel"),
        ),
        17,
    )
)  # fmt: skip


@cache
def invoices() -> list[Row]:
    """Outgoing invoices of an ERP, 2023 to March 2025, credit notes below zero; some unpaid, some without a salesperson."""
    random = Random("office invoices")
    rows = []
    for n, day in enumerate(sorted(_day(random, date(2023, 3, 1), date(2025, 3, 10)) for _ in range(260)), 1):
        number, name, city = random.choice(CUSTOMERS)
        due = day + timedelta(days=random.choice((14, 30, 30, 45)))
        credit = random.random() < 0.05
        unpaid = random.random() < (0.08 if day < date(2024, 12, 1) else 0.6)
        paid = None if unpaid else min(date(2025, 3, 11), day + timedelta(days=random.randrange(2, 70)))
        rows.append(
            {
                "Inv. No.": f"RE-{day.year}-{n:04d}",
                "Cust. No.": number,
                "Customer Name": name,
                "City": city,
                "Doc. Date": day,
                "Due Date": due,
                "Net Amount": -_cents(random, 20, 400) if credit else _cents(random, 90, 5200),
                "VAT": random.choices((19, 7, 0), (70, 20, 10))[0],
                "Paid On": paid,
                "Reminder Lvl": random.choice((0, 1, 1, 2, 3)) if unpaid else 0,
                "Salesperson": random.choice(("KM", "JB", "TS", "AW", "AW", None)),
            }
        )
    return rows


@cache
def projects() -> list[Row]:
    """Client projects; two of them nobody has worked on."""
    random = Random("office projects")
    names = (
        ("Webshop relaunch", "Elbe Foods"), ("Warehouse scanner", "Donau Logistik"), ("Payroll migration", "Isar Software"),
        ("Ticket kiosk", "Nordlicht Theater"), ("Loyalty app", "Hansa Kaffee"), ("Intranet", "Cityprint AG"),
        ("Data warehouse", "Elbe Foods"), ("Booking engine", "Kranich Reisen"), ("Fleet tracking", "Donau Logistik"),
        ("CRM rollout", "Jung Möbel"), ("Wine club site", "Moselwein eG"), ("Lens configurator", "Falke Optik"),
    )  # fmt: skip
    return [
        {
            "Code": f"P-{100 + n}",
            "Project": project,
            "Client": client,
            "Rate/h": random.choice((85, 95, 110, 125)),
            "Stage": "on hold" if n in (3, 8) else "closed" if n in (1, 5, 10) else "active",
            "Budget hrs": random.choice((120, 160, 200, 320)),
        }
        for n, (project, client) in enumerate(names)
    ]


@cache
def entries() -> list[Row]:
    """Hours worked, September 2024 to yesterday; a few booked on a code that no project has."""
    random = Random("office timesheets")
    rows: list[Row] = []
    while len(rows) < 420:
        day = _day(random, date(2024, 9, 2), date(2025, 3, 11))
        if day.weekday() > 4:
            continue
        code = "P-999" if random.random() < 0.04 else f"P-{100 + random.choice((0, 1, 2, 3, 4, 5, 6, 7, 9, 10))}"
        rows.append(
            {
                "Date": day,
                "Emp": random.choice(PEOPLE[:9]),
                "Proj Code": code,
                "Hrs": Decimal(random.choice((2, 3, 4, 6, 8, 10, 15, 16, 17, 18, 19))) / 2,
                "Billable": "N" if code == "P-999" or random.random() < 0.25 else "Y",
                "Task": random.choice(("analysis", "coding", "testing", "meeting", "support")),
                "Note": random.choice((None, None, None, "remote", "on site", "overtime agreed")),
            }
        )
    return sorted(rows, key=lambda r: (r["Date"], r["Emp"]))


@cache
def helpdesk() -> list[Row]:
    """Tickets as a help desk exports them: most of it under `fields`, people as objects, labels as a list."""
    random = Random("office helpdesk")
    subjects = (
        "VPN drops every hour", "Cannot log in to SAP", "Printer jam on 3rd floor", "New laptop request", "vpn token expired",
        "Outlook search broken", "Monitor flickers", "Password reset", "Shared drive full", "Teams audio missing",
        "Access to CRM", "Keyboard replacement",
    )  # fmt: skip
    teams = {
        "Dmitri Sokolov": "Network", "Hanna Virtanen": "Workplace", "Yusuf Demir": "Applications", "Clara Jensen": "Workplace",
        "Peter Novak": "Applications",
    }  # fmt: skip
    reporters = {name: ("Finance", "Sales", "Legal", "Production")[n % 4] for n, name in enumerate(PEOPLE)}
    rows = []
    for n in range(300):
        created = datetime(2024, 2, 1, 7) + timedelta(minutes=random.randrange(0, 404 * 24 * 60))
        done = random.random() < 0.7
        hours = random.choice((1, 2, 5, 9, 26, 50, 120))
        fixed = created + timedelta(hours=hours, minutes=random.randrange(60))
        done = done and fixed < datetime(2025, 3, 12, 9)
        worker = None if not done and random.random() < 0.45 else random.choice(tuple(teams))
        reporter = random.choice(tuple(reporters))
        rows.append(
            {
                "key": f"IT-{1000 + n}",
                "fields": {
                    "summary": random.choice(subjects),
                    "priority": random.choices(("low", "medium", "high", "critical"), (30, 40, 20, 10))[0],
                    "status": "Done" if done else random.choice(("New", "In progress", "Waiting for user")),
                    "created": created,
                    "resolved": fixed if done else None,
                    "reporter": {"name": reporter, "department": reporters[reporter]},
                    "assignee": {"name": worker, "team": teams[worker]} if worker else None,
                    "rating": random.choice((None, 1, 2, 3, 4, 4, 5, 5)) if done else None,
                },
                "labels": random.choice(
                    ([], ["hardware"], ["access"], ["network", "urgent"], ["hardware", "urgent"], ["software"])
                ),
            }
        )
    return rows


@cache
def accounts() -> list[Row]:
    """Companies in a CRM; some have neither deals nor an owner."""
    random = Random("office accounts")
    heads = ("Nova", "Blue", "Prime", "Alpen", "Terra", "Cedar", "Quanta", "Orion", "Vela", "Zenit")
    tails = ("Logistics", "Foods", "Pharma", "Energy", "Textiles", "Robotics", "Media", "Bank", "Travel")
    names = random.sample([f"{a} {b}" for a in heads for b in tails], 70)
    return [
        {
            "id": n,
            "name": name,
            "industry": random.choice(("Manufacturing", "Retail", "Health care", "Finance", "Transport")),
            "country": random.choice(("Austria", "Austria", "Germany", "Germany", "Switzerland", "Italy", "Poland")),
            "employees": None if n % 11 == 0 else random.choice((12, 45, 80, 150, 420, 900, 2600)),
            "owner": None
            if n % 17 == 0
            else random.choice(("Sofie Lund", "Karim Haddad", "Ines Duarte", "Ben Archer")),
            "created_on": _day(random, date(2021, 1, 1), date(2024, 12, 31)),
        }
        for n, name in enumerate(names, 1)
    ]


@cache
def contacts() -> list[Row]:
    """People at the accounts; phones and consents are sometimes missing."""
    random = Random("office contacts")
    first = ("Anna", "Felix", "Marta", "Hugo", "Elif", "Pietro", "Zofia", "Lars", "Nora", "Dario")
    last = ("Gruber", "Rossi", "Keller", "Nowak", "Steiner", "Bianchi", "Maurer", "Wolf", "Huber")
    codes = {"Austria": "+43", "Germany": "+49", "Switzerland": "+41", "Italy": "+39", "Poland": "+48"}
    countries = {a["id"]: a["country"] for a in accounts()}
    names = random.sample([f"{a} {b}" for a in first for b in last], 85)
    rows = []
    for n, name in enumerate(names, 1):
        account = random.randrange(1, 71)
        phone = f"{codes[countries[account]]} {random.randrange(100, 999)} {random.randrange(10000, 99999)}"
        rows.append(
            {
                "id": n,
                "account_id": account,
                "full_name": name,
                "email": None
                if n % 13 == 0
                else f"{name.lower().replace(' ', '.')}@{random.choice(('mail.com', 'firm.org', 'corp.eu'))}",
                "phone": None if n % 9 == 0 else phone,
                "job_title": random.choice(("CEO", "CFO", "Buyer", "Buyer", "IT manager", "Assistant")),
                "opted_in": int(random.random() < 0.6),
            }
        )
    return rows


@cache
def deals() -> list[Row]:
    """Deals of the accounts, from 2023 on; only won and lost ones are closed."""
    random = Random("office deals")
    rows = []
    for n in range(1, 241):
        opened = _day(random, date(2023, 1, 9), date(2025, 3, 7))
        stage = random.choice(("prospecting", "proposal", "negotiation", "won", "won", "lost"))
        closed = opened + timedelta(days=random.randrange(10, 200))
        if closed > date(2025, 3, 11) and stage in ("won", "lost"):
            stage = "proposal"
        rows.append(
            {
                "id": n,
                "account_id": random.choice([a for a in range(1, 71) if a % 10]),
                "title": random.choice(("Licence renewal", "Pilot", "Support contract", "Upgrade", "New rollout")),
                "stage": stage,
                "amount": None if random.random() < 0.04 else random.randrange(2, 180) * 500,
                "opened_on": opened,
                "closed_on": closed if stage in ("won", "lost") else None,
            }
        )
    return rows


@cache
def inventory() -> list[Row]:
    """What lies in the stores; some items were never counted, some have no supplier."""
    random = Random("office inventory")
    goods = (
        "Toner black HP", "Toner cyan Brother", "Copy paper A4", "Copy paper A3", "Envelope C5", "Whiteboard marker",
        "Stapler", "Desk lamp LED", "Office chair", "Archive box", "USB cable 2m", "HDMI adapter", "Battery AA", "Label roll",
        "First aid kit",
    )  # fmt: skip
    rows = []
    for n in range(1, 161):
        rows.append(
            {
                "ITEM": f"{n * 37:06d}",
                "DESCRIPTION": random.choice(goods),
                "WHSE": random.choice(("W1", "W2", "W2", "W3")),
                "ON_HAND": random.choice((0, 0, 3, 8, 15, 40, 75, 120, 300, 640)),
                "MIN_QTY": random.choice((5, 10, 20, 50)),
                "UNIT_COST": _cents(random, 1, 190),
                "LAST_COUNT": None if n % 12 == 0 else _day(random, date(2023, 11, 1), date(2025, 3, 5)),
                "SUPPLIER": "" if n % 19 == 0 else random.choice(("Bruneau", "Viking", "Lyreco", "Conrad")),
            }
        )
    return rows


@cache
def staff() -> list[Row]:
    """A personnel list: those who left stay on it; hours in percent, salaries that tie."""
    random = Random("office staff")
    first = (
        "Ada",
        "Bo",
        "Carla",
        "Deniz",
        "Eva",
        "Finn",
        "Gina",
        "Hal",
        "Ida",
        "Jack",
        "Kim",
        "Leo",
        "Mia",
        "Ned",
        "Olive",
    )
    last = (
        "McBride", "McKenna", "Macdonald", "Schulz", "Smith", "Sato", "Silva", "Brown", "Costa", "Novak", "Murray", "Lopez",
        "Meyer",
    )  # fmt: skip
    jobs = {
        "IT": ("Developer", "Administrator"), "Legal": ("Lawyer", "Paralegal"), "Finance": ("Accountant", "Controller"),
        "Sales": ("Account executive", "Sales assistant"), "Operations": ("Planner", "Buyer"),
    }  # fmt: skip
    names = random.sample([(a, b) for a in first for b in last], 170)
    rows = []
    for n, (given, family) in enumerate(names, 1):
        unit = random.choices(tuple(jobs), (45, 12, 28, 50, 35))[0]
        entry = _day(random, date(2016, 1, 4), date(2025, 2, 3))
        exit_on = entry + timedelta(days=random.randrange(90, 2000)) if random.random() < 0.25 else None
        rows.append(
            {
                "Pers.No": f"{n * 113:05d}",
                "Last Name": family,
                "First Name": given,
                "Org Unit": unit,
                "Position": random.choice(jobs[unit]),
                "Entry Date": entry,
                "Exit Date": exit_on if exit_on and exit_on < date(2025, 3, 1) else None,
                "FTE": random.choices((100, 80, 60, 50), (65, 15, 10, 10))[0],
                "Annual Salary": Decimal(random.randrange(62, 220) * 500),
                "Contract": random.choices(("permanent", "temporary", "intern"), (75, 18, 7))[0],
                "Remote": random.choices((True, False, None), (40, 52, 8))[0],
            }
        )
    return rows


@cache
def rooms() -> list[Row]:
    """Bookings of meeting rooms, November 2024 to April 2025, each within one day."""
    random = Random("office rooms")
    floors = {"Aspen": 1, "Birch": 1, "Cypress": 2, "Dogwood": 3, "Elm": 3}
    rows: list[Row] = []
    while len(rows) < 330:
        start = datetime(2024, 11, 4, 8) + timedelta(
            days=random.randrange(0, 170), minutes=30 * random.randrange(0, 19)
        )
        if start.weekday() > 4:
            continue
        minutes = random.choice((30, 30, 60, 60, 90, 120))
        room = random.choices(tuple(floors), (30, 20, 22, 14, 14))[0]
        rows.append(
            {
                "booking_id": 50000 + len(rows),
                "room": room,
                "floor": floors[room],
                "start": start,
                "end": start + timedelta(minutes=minutes),
                "minutes": minutes,
                "booked_by": random.choice(PEOPLE),
                "dept": random.choice(("Sales", "Legal", "R&D", "Finance", None)),
                "attendees": random.choice((2, 3, 4, 5, 8, 11, 14, 20)),
                "catering": random.random() < 0.25,
                "status": random.choices(("confirmed", "cancelled", "no-show"), (78, 14, 8))[0],
            }
        )
    return rows


@cache
def leads() -> list[Row]:
    """A marketing list put together from several: the same address comes back with another date and score."""
    random = Random("office leads")
    first = ("maria", "john", "akira", "lena", "omar", "sara", "ivan", "chloe", "pedro", "yara")
    last = ("lopez", "smith", "tanaka", "braun", "farouk", "nilsson", "popov", "dubois")
    companies = (
        "Acme GmbH", "Brightside Ltd", "Cobalt SA", "Delta Werke GmbH", "Everest Inc", "Fjord AS", "Gamma Foods GmbH & Co. KG",
        "Helix SpA",
    )  # fmt: skip
    people = random.sample([(a, b) for a in first for b in last], 72)
    facts = {
        p: (random.choice(companies), random.choice(("Spain", "Germany", "France", "Japan", "Sweden"))) for p in people
    }
    rows = []
    for n, created in enumerate(random.sample(range(0, 700), 190), 1):
        given, family = person = people[n - 1] if n <= 60 else random.choice(people)
        company, country = facts[person]
        made = date(2023, 4, 3) + timedelta(days=created)
        contact = made + timedelta(days=random.randrange(0, 500))
        rows.append(
            {
                "Lead ID": f"L{n:05d}",
                "E-mail": f"{given}.{family}@example.com",
                "Full name": f"{given.title()} {family.title()}",
                "Company": company,
                "Country": country,
                "Lead source": random.choice(("webinar", "trade fair", "website", "referral", "cold call")),
                "Score": None if random.random() < 0.06 else random.randrange(5, 100),
                "Opt-in": random.random() < 0.55,
                "Created": made,
                "Last contact": None if random.random() < 0.15 else min(contact, date(2025, 3, 11)),
                "Est. value": None if random.random() < 0.12 else _cents(random, 200, 24000),
            }
        )
    return rows


@cache
def assets() -> list[Row]:
    """The register of equipment; serial numbers keep their zeros, memory is known of laptops only."""
    random = Random("office assets")
    models = {
        "laptop": (("Dell", "Latitude 5440"), ("Lenovo", "ThinkPad T14"), ("Apple", "MacBook Pro 14"), ("HP", "EliteBook 840")),
        "monitor": (("Dell", "P2723"), ("LG", "27UP850")), "phone": (("Apple", "iPhone 14"), ("Samsung", "Galaxy S23")),
        "docking station": (("Lenovo", "USB-C Dock"), ("HP", "G5 Dock")), "printer": (("HP", "LaserJet M507"), ("Brother", "HL-L6400")),
    }  # fmt: skip
    prices = {
        "laptop": (900, 2600),
        "monitor": (180, 700),
        "phone": (400, 1100),
        "docking station": (90, 260),
        "printer": (300, 1500),
    }
    rows = []
    for n in range(1, 231):
        kind = random.choices(tuple(models), (40, 30, 15, 10, 5))[0]
        maker, model = random.choice(models[kind])
        bought = _day(random, date(2020, 5, 1), date(2025, 3, 3))
        rows.append(
            {
                "asset_tag": f"HW{n:05d}",
                "asset_type": kind,
                "manufacturer": maker,
                "model": model,
                "serial_no": f"{n * 7919:010d}",
                "assigned_to": None if random.random() < 0.2 else random.choice(PEOPLE),
                "site": random.choice(("Vienna", "Graz", "Linz")),
                "purchased_on": bought,
                "warranty_ends": bought + timedelta(days=random.choice((730, 1095, 1461))),
                "purchase_price": _cents(random, *prices[kind]),
                "leased": random.random() < 0.2,
                "ram_gb": random.choice((8, 8, 16, 16, 32)) if kind == "laptop" else None,
            }
        )
    return rows
