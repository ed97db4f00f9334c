"""Small worlds to ask about: tables in DuckDB, and the schema that sampling them would give."""

# ruff: noqa: E501 (rows of made-up data)

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import duckdb

from synth.plan import Plan
from synth.plan_sql import sql_of
from synth.request import Refusal, Request, Task, ValueMatch
from synth.schema import Field, Relation, Schema, Table
from synth.understand import Understood, understand

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

ARROW = {
    "BIGINT": "int64",
    "INTEGER": "int32",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "DATE": "date32[day]",
    "TIMESTAMP": "timestamp[us]",
    "TIMESTAMP WITH TIME ZONE": "timestamp[us, tz=UTC]",
}


@dataclass(frozen=True)
class World:
    """A database and its schema."""

    connection: duckdb.DuckDBPyConnection
    schema: Schema

    def ask(self, text: str) -> Understood | Refusal:
        """What the request is understood to mean here."""
        request = Request(text, NOW)
        return understand(Task(request, self.schema, "table", "duckdb", "duckdb", find_values=self.find))

    def find(self, words: str) -> Sequence[ValueMatch]:
        """Text values equal to the words but for case."""
        found = []
        for table in self.schema.tables:
            for each in table.fields:
                if each.type == "string":
                    sql = f'SELECT DISTINCT "{each.name}" FROM "{table.name}" WHERE lower("{each.name}") = lower(?)'
                    found += [
                        ValueMatch(table.name, each.name, v, v == words)
                        for (v,) in self.connection.execute(sql, [words]).fetchall()
                    ]
        return found

    def run(self, plan: Plan) -> list[tuple[object, ...]]:
        """The plan's rows."""
        sql = sql_of(plan, self.schema, "duckdb")
        values = {v.parameter: v.value for v in plan.values()}
        return self.connection.execute(sql.text, [values[p] for p in sql.parameters]).fetchall()

    def truth(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a statement written by hand."""
        return self.connection.execute(sql).fetchall()


def _schema(
    connection: duckdb.DuckDBPyConnection, keys: dict[str, str], relations: tuple[Relation, ...] = ()
) -> Schema:
    tables = []
    names = [
        n
        for (n,) in connection.execute(
            "SELECT table_name FROM information_schema.tables ORDER BY table_name"
        ).fetchall()
    ]
    for name in names:
        rows = connection.execute(f'SELECT * FROM "{name}"')
        types = [(d[0], str(d[1])) for d in rows.description or ()]
        data = rows.fetchall()
        fields = [_field(column, kind, [r[i] for r in data]) for i, (column, kind) in enumerate(types)]
        tables.append(Table(name, tuple(fields), len(data), (keys[name],) if name in keys else ()))
    return Schema(tuple(tables), relations)


def _field(name: str, kind: str, column: list[object]) -> Field:
    filled = [v for v in column if v is not None]
    different = list(dict.fromkeys(filled))
    text = kind == "VARCHAR"
    ordered = sorted(different, key=lambda v: (str(type(v)), v)) if different else []
    arrow = ARROW.get(kind) or kind.replace("DECIMAL(", "decimal128(").replace(",", ", ")
    return Field(
        name,
        arrow,
        nullable=len(filled) < len(column),
        values=len(column),
        nulls=len(column) - len(filled),
        distinct=len(different),
        examples=tuple(different[:5]),
        vocabulary=tuple(str(v) for v in different) if text and len(different) <= 60 else (),
        least=ordered[0] if ordered else None,
        most=ordered[-1] if ordered else None,
    )


def _fill(connection: duckdb.DuckDBPyConnection, ddl: str, rows: Sequence[tuple[object, ...]]) -> None:
    connection.execute(ddl)
    table = ddl.split("(")[0].split()[-1]
    marks = ", ".join("?" for _ in rows[0])
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


PEOPLE = "Alice Adams|Bob Brown|Carla Costa|David Dunn|Eva Ernst|Frank Fischer|Gina Greco|Hugo Hansen|Ines Ivars|Jack Jones|Kim Klein|Lena Lund".split(
    "|"
)


def shop() -> World:
    """Customers, orders, order items and products, related."""
    r = random.Random(1)
    c = duckdb.connect()
    places = [("Berlin", "Germany"), ("Paris", "France"), ("Madrid", "Spain"), ("Munich", "Germany"), ("Rome", "Italy")]
    customers = []
    for n, name in enumerate(PEOPLE, 1):
        city, country = places[n % 5]
        email = None if n in (3, 7) else f"{name.split()[0].lower()}@example.com"
        customers.append((n, name, email, city, country, n % 4 != 0, datetime(2024 + n % 3, 1 + n % 12, 3)))
    _fill(
        c,
        "CREATE TABLE customers (id INTEGER, name VARCHAR, email VARCHAR, city VARCHAR, country VARCHAR, is_active BOOLEAN, created_at TIMESTAMP)",
        customers,
    )
    kinds = [
        ("Laptop", "Electronics", "999.00"),
        ("Phone", "Electronics", "599.50"),
        ("Desk", "Furniture", "249.99"),
        ("Chair", "Furniture", "89.00"),
        ("Novel", "Books", "12.50"),
        ("Atlas", "Books", "45.00"),
        ("Lamp", "Furniture", "39.90"),
        ("Globe", "Books", "75.00"),
    ]
    products = [(n, name, kind, Decimal(price), r.randrange(0, 40)) for n, (name, kind, price) in enumerate(kinds, 1)]
    _fill(
        c,
        "CREATE TABLE products (id INTEGER, name VARCHAR, category VARCHAR, price DECIMAL(10,2), stock INTEGER)",
        products,
    )
    orders: list[tuple[object, ...]] = []
    items: list[tuple[object, ...]] = []
    for n in range(1001, 1121):
        placed = datetime(2026, 11, 24) - timedelta(days=r.randrange(0, 800), hours=r.randrange(0, 24))
        status = r.choice(["shipped", "shipped", "cancelled", "pending", "returned"])
        shipped = placed + timedelta(days=r.randrange(1, 9)) if status in ("shipped", "returned") else None
        lines = [(r.randrange(1, 8), r.randrange(1, 5)) for _ in range(r.randrange(1, 4))]
        total = sum((Decimal(products[p - 1][3]) * q for p, q in lines), Decimal(0))
        orders.append((n, r.randrange(1, 11), placed, shipped, status, total))
        for p, q in lines:
            items.append((len(items) + 1, n, p, q, products[p - 1][3]))
    _fill(
        c,
        "CREATE TABLE orders (id INTEGER, customer_id INTEGER, placed_at TIMESTAMP, shipped_at TIMESTAMP, status VARCHAR, total DECIMAL(10,2))",
        orders,
    )
    _fill(
        c,
        "CREATE TABLE order_items (id INTEGER, order_id INTEGER, product_id INTEGER, quantity INTEGER, unit_price DECIMAL(10,2))",
        items,
    )
    relations = (
        Relation("orders", ("customer_id",), "customers", ("id",), True),
        Relation("order_items", ("order_id",), "orders", ("id",), True),
        Relation("order_items", ("product_id",), "products", ("id",), True),
    )
    return World(c, _schema(c, {"customers": "id", "orders": "id", "products": "id", "order_items": "id"}, relations))


def sales() -> World:
    """One flat file of sales, with abbreviated headers."""
    r = random.Random(2)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for n in range(1, 161):
        day = date(2024, 1, 1) + timedelta(days=r.randrange(0, 1050))
        region = r.choice(["North", "South", "East", "West"])
        rows.append(
            (
                f"S-{n:04}",
                day,
                r.choice(PEOPLE),
                r.choice(["Apples", "Pears", "Plums", "Cherries"]),
                region,
                r.randrange(1, 30),
                Decimal(r.randrange(50, 900)) / 100,
                r.choice(["card", "cash", "transfer", None]),
            )
        )
    _fill(
        c,
        "CREATE TABLE sales_2026 (sale_id VARCHAR, sale_date DATE, cust_name VARCHAR, product VARCHAR, region VARCHAR, qty INTEGER, unit_price DECIMAL(8,2), payment_method VARCHAR)",
        rows,
    )
    return World(c, _schema(c, {}))


def staff() -> World:
    """Employees in one table, departments in another."""
    r = random.Random(3)
    c = duckdb.connect()
    departments = [
        (1, "Engineering", "Berlin", 900000),
        (2, "Marketing", "Paris", 400000),
        (3, "Sales", "Madrid", 500000),
        (4, "Legal", "Rome", 150000),
        (5, "Research", "Oslo", 300000),
    ]
    _fill(
        c,
        "CREATE TABLE departments (dept_id INTEGER, dept_name VARCHAR, location VARCHAR, budget INTEGER)",
        departments,
    )
    firsts = "Ann Ben Cleo Dan Ella Finn Greta Hans Iris Jon Kate Leo Mia Nils Olga Paul Rosa Sam Tina Uwe".split()
    lasts = "Meyer Smith Rossi Garcia Novak Berg Weber Moreau Silva Kaya".split()
    rows: list[tuple[object, ...]] = []
    for n in range(1, 61):
        left = date(2025, 3, 1) if n % 9 == 0 else None
        rows.append(
            (
                n,
                firsts[n % 20],
                lasts[(n * 7) % 10],
                r.choice(["F", "M"]),
                date(1960 + r.randrange(0, 42), r.randrange(1, 13), r.randrange(1, 28)),
                date(2005 + r.randrange(0, 21), r.randrange(1, 13), 15),
                left,
                r.choice(["Engineer", "Analyst", "Manager", "Assistant"]),
                28000 + 500 * r.randrange(0, 140),
                1 + n % 4,
                None if n % 6 else "remote",
            )
        )
    _fill(
        c,
        "CREATE TABLE employees (emp_id INTEGER, first_name VARCHAR, last_name VARCHAR, gender VARCHAR, birth_date DATE, hire_date DATE, termination_date DATE, job_title VARCHAR, salary INTEGER, dept_id INTEGER, work_mode VARCHAR)",
        rows,
    )
    return World(
        c,
        _schema(
            c,
            {"employees": "emp_id", "departments": "dept_id"},
            (Relation("employees", ("dept_id",), "departments", ("dept_id",), True),),
        ),
    )


def weblog() -> World:
    """A web server's log."""
    r = random.Random(4)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for _ in range(300):
        at = datetime(2026, 11, 24, 11) - timedelta(minutes=r.randrange(0, 60 * 24 * 40))
        rows.append(
            (
                f"10.0.0.{r.randrange(1, 9)}",
                at.replace(tzinfo=UTC),
                r.choice(["GET", "GET", "GET", "POST", "PUT"]),
                r.choice(["/", "/index.html", "/cart", "/api/items", "/login"]),
                r.choice([200, 200, 200, 301, 404, 500, 503]),
                r.randrange(100, 90000),
                r.choice(["Firefox", "Chrome", "Safari"]),
                r.randrange(3, 2500),
            )
        )
    _fill(
        c,
        "CREATE TABLE access_log (ip VARCHAR, timestamp TIMESTAMPTZ, method VARCHAR, path VARCHAR, status INTEGER, bytes INTEGER, user_agent VARCHAR, response_time_ms INTEGER)",
        rows,
    )
    return World(c, _schema(c, {}))


def weather() -> World:
    """Daily readings of weather stations."""
    r = random.Random(5)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for station, region in (("Alder", "Coast"), ("Birch", "Coast"), ("Cedar", "Hills"), ("Fir", "Mountain")):
        for n in range(90):
            day = date(2026, 6, 1) + timedelta(days=n * 2)
            temp = round(r.uniform(-12, 36), 1)
            rows.append(
                (
                    station,
                    region,
                    day,
                    temp,
                    None if r.random() < 0.1 else r.randrange(20, 100),
                    round(r.uniform(0, 40), 1) if r.random() < 0.5 else 0.0,
                    round(r.uniform(0, 90), 1),
                )
            )
    _fill(
        c,
        "CREATE TABLE weather (station VARCHAR, region VARCHAR, date DATE, temp_c DOUBLE, humidity INTEGER, rainfall_mm DOUBLE, wind_speed_kmh DOUBLE)",
        rows,
    )
    return World(c, _schema(c, {}))


def hospital() -> World:
    """Admissions of patients."""
    r = random.Random(6)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for n in range(1, 91):
        into = date(2025, 1, 1) + timedelta(days=r.randrange(0, 690))
        out = None if r.random() < 0.15 else into + timedelta(days=r.randrange(1, 30))
        rows.append(
            (
                f"P{n:03}",
                r.choice(PEOPLE),
                r.choice(["female", "male"]),
                r.randrange(1, 95),
                r.choice(["asthma", "diabetes", "fracture", "pneumonia"]),
                r.choice(["A1", "B2", "C3"]),
                into,
                out,
                r.choice(["yes", "no"]),
                Decimal(r.randrange(20000, 900000)) / 100,
            )
        )
    _fill(
        c,
        "CREATE TABLE admissions (patient_id VARCHAR, patient_name VARCHAR, sex VARCHAR, age INTEGER, diagnosis VARCHAR, ward VARCHAR, admitted_on DATE, discharged_on DATE, insured VARCHAR, bill_amount DECIMAL(10,2))",
        rows,
    )
    return World(c, _schema(c, {}))


def library() -> World:
    """Books, members and loans."""
    r = random.Random(7)
    c = duckdb.connect()
    titles = [
        ("Dune", "Frank Herbert", "science fiction", 1965, 412),
        ("Emma", "Jane Austen", "romance", 1815, 474),
        ("Persuasion", "Jane Austen", "romance", 1817, 249),
        ("Dracula", "Bram Stoker", "horror", 1897, 418),
        ("The Hobbit", "J. R. R. Tolkien", "fantasy", 1937, 310),
        ("The Silmarillion", "J. R. R. Tolkien", "fantasy", 1977, 365),
        ("It", "Stephen King", "horror", 1986, 1138),
        ("Neuromancer", "William Gibson", "science fiction", 1984, 271),
        ("Ulysses", "James Joyce", "modernism", 1922, 730),
    ]
    _fill(
        c,
        "CREATE TABLE books (book_id INTEGER, title VARCHAR, author VARCHAR, genre VARCHAR, year INTEGER, pages INTEGER)",
        [(n, *t) for n, t in enumerate(titles, 1)],
    )
    _fill(
        c,
        "CREATE TABLE members (member_id INTEGER, name VARCHAR, joined DATE, city VARCHAR)",
        [(n, p, date(2015 + n % 10, 1 + n % 12, 5), r.choice(["Leeds", "York"])) for n, p in enumerate(PEOPLE, 1)],
    )
    rows: list[tuple[object, ...]] = []
    for n in range(1, 81):
        out = date(2026, 1, 1) + timedelta(days=r.randrange(0, 320))
        rows.append(
            (
                n,
                r.randrange(1, 9),
                r.randrange(1, 10),
                out,
                out + timedelta(days=21),
                None if r.random() < 0.25 else out + timedelta(days=r.randrange(3, 40)),
            )
        )
    _fill(
        c,
        "CREATE TABLE loans (loan_id INTEGER, book_id INTEGER, member_id INTEGER, loan_date DATE, due_date DATE, returned_date DATE)",
        rows,
    )
    relations = (
        Relation("loans", ("book_id",), "books", ("book_id",), False),
        Relation("loans", ("member_id",), "members", ("member_id",), False),
    )
    return World(c, _schema(c, {"books": "book_id", "members": "member_id", "loans": "loan_id"}, relations))


def flights() -> World:
    """Flights with origin and destination."""
    r = random.Random(8)
    c = duckdb.connect()
    cities = ["London", "Paris", "Rome", "Oslo", "Vienna", "New York"]
    rows: list[tuple[object, ...]] = []
    for n in range(1, 121):
        origin, destination = r.sample(cities, 2)
        leaves = datetime(2026, 3, 1, 5) + timedelta(hours=r.randrange(0, 24 * 200))
        rows.append(
            (
                f"TX{100 + n}",
                r.choice(["Aero", "Bluejet", "Cumulus"]),
                origin,
                destination,
                leaves,
                leaves + timedelta(minutes=r.randrange(60, 500)),
                r.randrange(-5, 180),
                r.randrange(40, 300),
                r.choice([True, False, False, False, None]),
                r.randrange(300, 6000),
            )
        )
    _fill(
        c,
        "CREATE TABLE flights (flight_no VARCHAR, airline VARCHAR, origin VARCHAR, destination VARCHAR, departure_time TIMESTAMP, arrival_time TIMESTAMP, delay_minutes INTEGER, passengers INTEGER, cancelled BOOLEAN, distance_km INTEGER)",
        rows,
    )
    return World(c, _schema(c, {}))


def sensors() -> World:
    """Readings with typed-in camel case names."""
    r = random.Random(9)
    c = duckdb.connect()
    rows: list[tuple[object, ...]] = []
    for n in range(200):
        rows.append(
            (
                f"dev-{r.randrange(1, 7):02}",
                datetime(2026, 11, 1) + timedelta(minutes=97 * n),
                round(r.uniform(10, 40), 2),
                r.randrange(0, 101),
                r.choice(["OK", "OK", "WARN", "FAIL"]),
                r.choice(["lab", "roof", "cellar"]),
            )
        )
    _fill(
        c,
        "CREATE TABLE readings (deviceId VARCHAR, recordedAt TIMESTAMP, tempValue DOUBLE, batteryLevel INTEGER, state VARCHAR, siteName VARCHAR)",
        rows,
    )
    return World(c, _schema(c, {}))


def football() -> World:
    """Results with the odd headers of a betting site."""
    r = random.Random(10)
    c = duckdb.connect()
    teams = ["Arsenal", "Chelsea", "Everton", "Fulham", "Leeds", "Man City"]
    rows: list[tuple[object, ...]] = []
    day = date(2025, 8, 9)
    for home in teams:
        for away in teams:
            if home != away:
                h, a = r.randrange(0, 5), r.randrange(0, 5)
                rows.append(
                    (
                        day,
                        home,
                        away,
                        h,
                        a,
                        "H" if h > a else "A" if a > h else "D",
                        r.choice(["M Dean", "A Taylor", "J Moss"]),
                        r.randrange(15000, 75000),
                    )
                )
                day += timedelta(days=5)
    _fill(
        c,
        "CREATE TABLE E0 (Date DATE, HomeTeam VARCHAR, AwayTeam VARCHAR, FTHG INTEGER, FTAG INTEGER, FTR VARCHAR, Referee VARCHAR, Attendance INTEGER)",
        rows,
    )
    return World(c, _schema(c, {}))


WORLDS: dict[str, Callable[[], World]] = {
    f.__name__: f for f in (shop, sales, staff, weblog, weather, hospital, library, flights, sensors, football)
}


@cache
def world(name: str) -> World:
    """The world of that name, made once."""
    return WORLDS[name]()
