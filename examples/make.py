"""Makes the example data again, always the same: `python examples/make.py`. Names and figures are invented."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
CITIES = [
    ("Berlin", "Germany"),
    ("Hamburg", "Germany"),
    ("Lyon", "France"),
    ("Paris", "France"),
    ("Porto", "Portugal"),
    ("Oslo", "Norway"),
]
FIRST = "Ada Ben Cleo Dario Elif Finn Greta Hugo Ines Jonas Kaja Luca Mira Nils Olga Paul Rosa Sami Tess Umut".split()
LAST = "Berger Castro Dubois Eriksen Fontes Graf Haas Ito Jansen Keller Lima Moreau Nowak Olsen Petit".split()
PRODUCTS = [
    ("P-001", "Desk lamp", "Lighting", "39.90"),
    ("P-002", "Floor lamp", "Lighting", "119.00"),
    ("P-003", "Oak table", "Furniture", "449.00"),
    ("P-004", "Chair", "Furniture", "89.50"),
    ("P-005", "Bookshelf", "Furniture", "159.00"),
    ("P-006", "Rug", "Textiles", "79.99"),
    ("P-007", "Curtain", "Textiles", "34.95"),
    ("P-008", "Cushion", "Textiles", "19.95"),
]


def customers(chance: random.Random) -> list[dict[str, object]]:
    made = []
    for number in range(1, 61):
        city, country = chance.choice(CITIES)
        first, last = chance.choice(FIRST), chance.choice(LAST)
        made.append(
            {
                "id": number,
                "name": f"{first} {last}",
                "email": None if number % 13 == 0 else f"{first}.{last}{number}@example.org".lower(),
                "address": {"city": city, "country": country, "zip": f"{chance.randrange(100000):05d}"},
                "newsletter": chance.random() < 0.4,
                "since": (date(2021, 1, 1) + timedelta(days=chance.randrange(1400))).isoformat(),
            }
        )
    return made


def orders(chance: random.Random) -> list[list[str]]:
    rows = []
    for number in range(1, 601):
        code, _, _, price = chance.choice(PRODUCTS)
        quantity = chance.choice([1, 1, 1, 2, 2, 3, 4, 6])
        placed = date(2025, 1, 1) + timedelta(days=chance.randrange(455))
        total = Decimal(price) * quantity
        state = chance.choices(["paid", "shipped", "open", "cancelled"], [5, 5, 2, 1])[0]
        shipped = (placed + timedelta(days=chance.randrange(1, 9))).isoformat() if state == "shipped" else ""
        # The last five customers never ordered anything.
        rows.append(
            [
                f"{number:05d}",
                str(chance.randrange(1, 56)),
                code,
                str(quantity),
                f"{total:.2f}",
                state,
                placed.isoformat(),
                shipped,
            ]
        )
    return rows


def staff(chance: random.Random) -> list[list[str]]:
    rows = []
    for number in range(1, 81):
        department = chance.choice(["Sales", "Support", "Engineering", "Finance"])
        salary = chance.randrange(32_000, 98_000, 250)
        hired = date(2015, 1, 1) + timedelta(days=chance.randrange(3900))
        german = f"{salary:,}".replace(",", ".") + ",00 €"
        rows.append(
            [
                f"E{number:04d}",
                f"{chance.choice(FIRST)} {chance.choice(LAST)}",
                department,
                german,
                hired.strftime("%d.%m.%Y"),
            ]
        )
    return rows


def web_log(chance: random.Random) -> list[str]:
    moment = datetime(2026, 3, 2, 6, 0)
    lines = []
    for _ in range(900):
        moment += timedelta(seconds=chance.randrange(1, 90))
        path = chance.choice(["/", "/shop", "/shop/lamp", "/cart", "/checkout", "/api/stock", "/img/logo.png"])
        status = chance.choices([200, 304, 404, 500], [84, 8, 6, 2])[0]
        size = "-" if status == 304 else str(chance.randrange(200, 48_000))
        address = f"203.0.113.{chance.randrange(1, 40)}"
        lines.append(
            f'{address} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} {size} "-" "Mozilla/5.0"'
        )
    return lines


def main() -> None:
    """Write every example file beside this script."""
    chance = random.Random(20260331)
    people = customers(chance)
    (HERE / "customers.json").write_text(json.dumps({"exported": "2026-03-31", "customers": people}, indent=1) + "\n")
    rows = orders(chance)
    with (HERE / "orders.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["order_no", "customer_id", "product", "quantity", "total", "status", "placed", "shipped"])
        writer.writerows(rows)
    with (HERE / "staff.csv").open("w", newline="", encoding="cp1252") as stream:
        stream.write("Personnel list;;;;\nas of 31.03.2026;;;;\n\n")
        staff_writer = csv.writer(stream, delimiter=";")
        staff_writer.writerow(["No", "Name", "Department", "Salary", "Hired"])
        staff_writer.writerows(staff(chance))
    (HERE / "access.log").write_text("\n".join(web_log(chance)) + "\n")
    database = HERE / "shop.sqlite"
    database.unlink(missing_ok=True)
    with sqlite3.connect(database) as connection:
        connection.execute(
            "CREATE TABLE products (code TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, price NUMERIC NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, city TEXT, country TEXT, since TEXT)"
        )
        connection.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),"
            " product TEXT REFERENCES products(code), quantity INTEGER, total NUMERIC, status TEXT, placed TEXT)"
        )
        connection.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", PRODUCTS)
        for person in people:
            address = person["address"]
            assert isinstance(address, dict)
            connection.execute(
                "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)",
                (person["id"], person["name"], person["email"], address["city"], address["country"], person["since"]),
            )
        stored = [(int(r[0]), int(r[1]), r[2], int(r[3]), float(r[4]), r[5], r[6]) for r in rows]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", stored)
    connection.close()


if __name__ == "__main__":
    main()
