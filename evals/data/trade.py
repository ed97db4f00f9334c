"""Rows about buying, selling and money. Every function gives the same rows each time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

Row = dict[str, Any]

CITIES = (
    ("Berlin", "Germany"), ("Hamburg", "Germany"), ("Paris", "France"), ("Lyon", "France"), ("Rome", "Italy"),
    ("Milan", "Italy"), ("Vienna", "Austria"), ("Oslo", "Norway"),
)  # fmt: skip
PRODUCTS = (
    ("Desk lamp", "lighting", "39.90"), ("Floor lamp", "lighting", "89.00"), ("Office chair", "furniture", "249.00"),
    ("Standing desk", "furniture", "499.00"), ("Bookshelf", "furniture", "129.50"), ("Notebook A5", "stationery", "4.20"),
    ("Fountain pen", "stationery", "24.00"), ("Stapler", "stationery", "12.75"), ("Headset", "electronics", "79.99"),
    ("Webcam", "electronics", "64.95"), ("Monitor 27 inch", "electronics", "319.00"),
)  # fmt: skip


def cents(value: Decimal) -> Decimal:
    """Money to two places."""
    return value.quantize(Decimal("0.01"))


@cache
def orders() -> list[Row]:
    """Orders of an office shop, January 2022 to 14 July 2024; numbers with leading zeros, few coupons, some unknown cities."""
    random = Random("orders")
    rows = []
    for n in range(1, 641):
        day = date(2022, 1, 1) + timedelta(days=random.randrange(0, 926))
        if n % 40 == 0:
            day = random.choice(
                (date(2024, 2, 29), date(2023, 12, 31), date(2024, 1, 1), date(2024, 6, 30), date(2024, 7, 1))
            )
        product, category, price = random.choice(PRODUCTS)
        quantity = random.choice((1, 1, 1, 2, 2, 3, 5))
        coupon = random.choice((None, None, None, None, "SPRING10", "VIP10"))
        total = Decimal(price) * quantity * (Decimal("0.9") if coupon else 1)
        city, country = random.choice(CITIES)
        rows.append(
            {
                "order_id": f"{n:06d}",
                "order_date": day,
                "customer": f"{random.choice(FIRST)} {random.choice(LAST)}",
                "city": None if n % 53 == 0 else city,
                "country": country,
                "product": product,
                "category": category,
                "quantity": quantity,
                "unit_price": Decimal(price),
                "total": cents(total),
                "status": random.choices(("paid", "shipped", "pending", "cancelled", "returned"), (50, 25, 10, 9, 6))[
                    0
                ],
                "coupon": coupon,
            }
        )
    return rows


FIRST = ("Anna", "Ben", "Carla", "David", "Elif", "Femi", "Greta", "Hugo")
LAST = ("Keller", "Moreau", "Rossi", "Larsen", "Novak", "Silva")


@cache
def bank() -> list[Row]:
    """A current account's movements of 2023 and half of 2024: money in is positive, money out negative."""
    random = Random("bank")
    spending = (
        ("Groceries", ("Fresh Market", "Corner Deli", "Green Basket"), (8, 140)),
        ("Restaurants", ("Pasta House", "Sushi Bar", "Corner Deli"), (12, 95)),
        ("Transport", ("City Transit", "Petrol One"), (3, 70)),
        ("Utilities", ("Northern Power", "Aqua Water"), (40, 210)),
        ("Shopping", ("Bookworm Ltd", "Shoe Depot", "Gadget World"), (10, 1450)),
    )
    rows: list[Row] = []
    balance = Decimal("2400.00")
    day = date(2023, 1, 1)
    while day <= date(2024, 6, 30):
        todays: list[tuple[str, str, Decimal, str]] = []
        if day.day == 1:
            todays.append(("Rent", "Hillside Homes", Decimal("-1150.00"), f"Rent {day:%B %Y}"))
        if day.day == 27:
            todays.append(
                ("Salary", "Acme Corp", Decimal("3250.00") + (150 if day.year == 2024 else 0), f"Salary {day:%b %Y}")
            )
        for _ in range(random.choice((0, 0, 1, 1, 2))):
            category, shops, (low, high) = random.choice(spending)
            amount = -cents(Decimal(random.randrange(low * 100, high * 100)) / 100)
            todays.append((category, random.choice(shops), amount, "Card payment"))
        if random.random() < 0.02:
            todays.append(("Refund", "Gadget World", Decimal(random.randrange(1000, 9000)) / 100, "Refund"))
        for category, shop, amount, text in todays:
            balance += amount
            rows.append(
                {
                    "booking_date": day,
                    "description": text,
                    "counterparty": shop,
                    "category": None if category == "Shopping" and len(rows) % 11 == 0 else category,
                    "amount": cents(amount),
                    "currency": "EUR",
                    "balance": cents(balance),
                }
            )
        day += timedelta(days=1)
    return rows


@cache
def clients() -> list[Row]:
    """Business customers who get invoices; two share a name, some never bought."""
    random = Random("clients")
    names = (
        "Aurora Foods", "Blue Ridge Optics", "Cobalt Mining", "Delta Freight", "Evergreen Paper", "Foxglove Pharma",
        "Granite Works", "Harbor Lights", "Ivory Textiles", "Juniper Labs", "Kestrel Air", "Lumen Energy", "Maple Dairy",
        "Nimbus Cloud", "Orchid Hotels", "Pioneer Seeds", "Delta Freight", "Quartz Watches",
    )  # fmt: skip
    return [
        {
            "id": 100 + n,
            "name": name,
            "country": random.choice(("Spain", "Portugal", "Netherlands", "Sweden")),
            "segment": ("enterprise", "mid-market", "small business")[n % 3],
            "since": date(2018 + n % 6, n % 12 + 1, n % 27 + 1),
        }
        for n, name in enumerate(names)
    ]


@cache
def invoices() -> list[Row]:
    """Invoices to most clients, January 2023 to June 2024; a fifth are unpaid."""
    random = Random("invoices")
    rows = []
    buyers = [c["id"] for c in clients()][:-2]
    for n in range(1, 301):
        issued = date(2023, 1, 2) + timedelta(days=random.randrange(0, 545))
        due = issued + timedelta(days=30)
        paid = None if random.random() < 0.2 else issued + timedelta(days=random.randrange(3, 55))
        rows.append(
            {
                "id": n,
                "number": f"INV-{issued.year}-{n:04d}",
                "client_id": random.choice(buyers),
                "issued_on": issued,
                "due_on": due,
                "amount": Decimal(random.randrange(5000, 900000)) / 100 if n % 30 else Decimal("1000.00"),
                "paid_on": paid,
            }
        )
    return rows


@cache
def goods() -> list[Row]:
    """What a hardware wholesaler keeps."""
    random = Random("goods")
    names = ("Hammer", "Screwdriver", "Cordless drill", "Tape measure", "Ladder", "Paint roller", "Wood screws 4x40",
             "Wall plugs", "Sandpaper", "Spirit level", "Pliers", "Work gloves", "Toolbox", "Chisel", "Handsaw")  # fmt: skip
    return [
        {
            "sku": f"00{4100 + n}",
            "name": name,
            "category": ("hand tools", "power tools", "consumables")[
                2 if n in (5, 6, 7, 8, 11) else 1 if n == 2 else 0
            ],
            "supplier": random.choice(("Bolt & Sons", "Ironside", "Nordic Tools")),
            "price": Decimal(random.randrange(250, 18000)) / 100,
        }
        for n, name in enumerate(names)
    ]


@cache
def stock() -> list[Row]:
    """How many of each are in each warehouse; some below their reorder level, some out."""
    random = Random("stock")
    return [
        {
            "warehouse": warehouse,
            "sku": item["sku"],
            "on_hand": random.choice((0, 4, 12, 30, 55, 80, 140)),
            "reorder_level": random.choice((10, 25, 50)),
        }
        for warehouse in ("Leeds", "Bristol", "Cardiff")
        for item in goods()
        if not (warehouse == "Cardiff" and item["name"] in ("Ladder", "Chisel"))
    ]


@cache
def movements() -> list[Row]:
    """Goods in (positive) and out (negative), 2024 up to 14 July."""
    random = Random("movements")
    rows = []
    for n in range(1, 401):
        reason = random.choices(("sale", "delivery", "return", "damaged"), (60, 25, 10, 5))[0]
        size = random.randrange(1, 20) * (5 if reason == "delivery" else 1)
        rows.append(
            {
                "id": n,
                "sku": random.choice(goods())["sku"],
                "warehouse": random.choice(("Leeds", "Bristol", "Cardiff")),
                "moved_at": datetime(2024, 1, 1, 6) + timedelta(minutes=random.randrange(0, 195 * 1440)),
                "quantity": -size if reason in ("sale", "damaged") else size,
                "reason": reason,
            }
        )
    return rows


@cache
def coffee() -> list[Row]:
    """Daily sales of three coffee shops, January to June 2024: one line per shop, day and drink, not every day."""
    random = Random("coffee")
    prices = {"espresso": "2.20", "latte": "3.80", "cappuccino": "3.50", "tea": "2.60"}
    rows = []
    for offset in range(0, 182):
        day = date(2024, 1, 1) + timedelta(days=offset)
        for shop in ("Riverside", "Old Town", "Station"):
            for drink, price in prices.items():
                if random.random() < 0.3:
                    continue
                cups = random.randrange(5, 60)
                rows.append(
                    {"day": day, "shop": shop, "drink": drink, "cups": cups, "revenue": cents(Decimal(price) * cups)}
                )
    return rows


@cache
def cars() -> list[Row]:
    """A rental company's cars; two were never rented."""
    makes = (
        ("Toyota", "Yaris", "compact", "hybrid"), ("Toyota", "Corolla", "compact", "hybrid"), ("VW", "Golf", "compact", "petrol"),
        ("VW", "Transporter", "van", "diesel"), ("BMW", "320i", "luxury", "petrol"), ("BMW", "i4", "luxury", "electric"),
        ("Fiat", "500e", "compact", "electric"), ("Ford", "Transit", "van", "diesel"), ("Tesla", "Model 3", "luxury", "electric"),
        ("Skoda", "Octavia", "estate", "diesel"), ("Volvo", "V60", "estate", "hybrid"), ("Dacia", "Duster", "suv", "petrol"),
    )  # fmt: skip
    return [
        {
            "car_id": f"C{n:03d}",
            "make": make,
            "model": model,
            "category": category,
            "fuel": fuel,
            "mileage_km": 8000 + n * 7919 % 90000,
        }
        for n, (make, model, category, fuel) in enumerate(makes, 1)
    ]


@cache
def rentals() -> list[Row]:
    """Rentals in 2023 and 2024; three name a car that is not there any more."""
    random = Random("rentals")
    rows = []
    for n in range(1, 261):
        car = random.choice(cars()[:10])["car_id"] if n % 90 else "C099"
        days = random.choice((1, 2, 2, 3, 5, 7, 14))
        rows.append(
            {
                "rental_id": n,
                "car_id": car,
                "rented_on": date(2023, 1, 1) + timedelta(days=random.randrange(0, 560)),
                "days": days,
                "price": cents(Decimal(random.randrange(2900, 9900)) / 100 * days),
                "branch": random.choice(("Airport", "Downtown", "Harbour")),
            }
        )
    return rows


@cache
def budget() -> list[Row]:
    """A sheet with merged headings: spending by region and department, in thousands, per quarter of two years."""
    random = Random("budget")
    rows = []
    for region in ("North", "South", "East", "West"):
        for department in ("Marketing", "Sales", "Support"):
            row: Row = {"region": region, "department": department}
            for year in (2023, 2024):
                for quarter in (1, 2):
                    row[f"{year} Q{quarter}"] = random.randrange(20, 400)
            rows.append(row)
    return rows
