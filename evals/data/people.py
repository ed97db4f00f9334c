"""Rows about people: staff, members, readers, patients, callers, pupils. Every function gives the same rows each time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

Row = dict[str, Any]

FIRST = (
    "Alice", "Bruno", "Chen", "Dora", "Emil", "Fatima", "George", "Hana", "Ivan", "Jana", "Kofi", "Lena", "Marco", "Nadia",
    "Omar", "Petra", "Quentin", "Rosa", "Sven", "Tara",
)  # fmt: skip
LAST = ("Adams", "Brandt", "Costa", "Diaz", "Eriksen", "Fischer", "Gomez", "Haddad", "Ito", "Jansen", "Kumar", "Lopez")


def names(count: int, seed: str) -> list[str]:
    """So many different full names."""
    every = [f"{first} {last}" for first in FIRST for last in LAST]
    return Random(seed).sample(every, count)


@cache
def employees() -> list[Row]:
    """A company's employees: some left, salaries that tie, few without a city."""
    random = Random("employees")
    titles = {
        "Engineering": ("Engineer", "Senior engineer", "Tester"), "Sales": ("Account manager", "Sales assistant"),
        "Finance": ("Accountant", "Controller"), "Human Resources": ("Recruiter", "HR partner"),
        "Logistics": ("Driver", "Planner"),
    }  # fmt: skip
    rows = []
    for n, name in enumerate(names(140, "staff"), 1):
        department = random.choices(tuple(titles), (40, 30, 15, 10, 25))[0]
        hired = date(2012, 1, 1) + timedelta(days=random.randrange(0, 4500))
        gone = hired + timedelta(days=random.randrange(200, 2500)) if random.random() < 0.2 else None
        rows.append(
            {
                "employee_no": f"E{n:04d}",
                "name": name,
                "department": department,
                "job_title": random.choice(titles[department]),
                "salary": random.randrange(28, 96) * 1000,
                "hire_date": hired,
                "leave_date": gone if gone is None or gone < date(2024, 7, 1) else None,
                "office": None if n % 47 == 0 else random.choice(("Dublin", "Madrid", "Warsaw")),
                "remote": random.random() < 0.35,
            }
        )
    return rows


@cache
def departments() -> list[Row]:
    """Departments with floor and yearly budget; Legal has nobody."""
    return [
        {"department": "Engineering", "floor": 3, "budget": 5200000},
        {"department": "Sales", "floor": 1, "budget": 2400000},
        {"department": "Finance", "floor": 2, "budget": 1100000},
        {"department": "Human Resources", "floor": 2, "budget": 700000},
        {"department": "Logistics", "floor": 0, "budget": 1900000},
        {"department": "Legal", "floor": 2, "budget": 450000},
    ]


@cache
def absences() -> list[Row]:
    """Days away from work, 2023 and 2024."""
    random = Random("absences")
    return [
        {
            "absence_id": n,
            "employee_no": f"E{random.randrange(1, 141):04d}",
            "start_date": date(2023, 1, 1) + timedelta(days=random.randrange(0, 550)),
            "days": random.choice((1, 1, 2, 3, 5, 10, 14)),
            "reason": random.choice(("sick", "vacation", "vacation", "parental", "training")),
        }
        for n in range(1, 241)
    ]


@cache
def gym() -> list[Row]:
    """Members of a gym. Fees carry a dollar sign, dates are day first, some weights unknown."""
    random = Random("gym")
    fees = {"Basic": "19.90", "Plus": "29.90", "Premium": "49.90", "Student": "14.50"}
    rows = []
    for n, name in enumerate(names(160, "gym"), 1):
        plan = random.choices(tuple(fees), (40, 30, 15, 15))[0]
        joined = date(2021, 1, 5) + timedelta(days=random.randrange(0, 1270))
        rows.append(
            {
                "member_id": f"{n:05d}",
                "name": name,
                "plan": plan,
                "monthly_fee": Decimal(fees[plan]),
                "joined": joined,
                "age": random.randrange(16, 75),
                "city": random.choice(("Austin", "Dallas", "Houston")),
                "active": random.random() < 0.7,
                "weight_kg": None if n % 9 == 0 else Decimal(random.randrange(480, 1250)) / 10,
                "visits": random.randrange(0, 180),
            }
        )
    return rows


@cache
def books() -> list[Row]:
    """A library's books; one was never lent."""
    random = Random("books")
    titles = (
        "The Quiet Harbor", "A Winter in Tromso", "Bees and Their Keepers", "Calculus for Poets", "The Glass Orchard",
        "Deep Water", "Letters from Lagos", "The Last Cartographer", "Midnight Bakery", "Stones of Petra", "A Short History of Salt",
        "Paper Boats", "The Iron Gardener", "Field Guide to Clouds", "Night Trains", "The Second Moon", "Old Maps", "Red Ink",
        "Small Gods of the Kitchen", "Tomorrow's Rain",
    )  # fmt: skip
    authors = ("Mira Sand", "Tom Okafor", "Ingrid Vale", "Luis Prado", "Yuki Mori")
    return [
        {
            "id": n,
            "title": title,
            "author": random.choice(authors),
            "genre": random.choice(("novel", "history", "science", "crime")),
            "published_year": random.choice((1987, 1995, 1999, 2004, 2004, 2011, 2018, 2021)),
            "pages": random.randrange(90, 720),
        }
        for n, title in enumerate(titles, 1)
    ]


@cache
def readers() -> list[Row]:
    """The library's readers."""
    random = Random("readers")
    return [
        {
            "id": 1000 + n,
            "name": name,
            "town": random.choice(("Ashford", "Brook", "Clayton")),
            "joined_on": date(2019, 1, 1) + timedelta(days=random.randrange(0, 1900)),
        }
        for n, name in enumerate(names(60, "readers"))
    ]


@cache
def loans() -> list[Row]:
    """Books lent since 2022; null `returned_on` means the reader still has it."""
    random = Random("loans")
    rows = []
    for n in range(1, 421):
        out = date(2022, 1, 3) + timedelta(days=random.randrange(0, 920))
        back = out + timedelta(days=random.randrange(1, 60))
        rows.append(
            {
                "id": n,
                "book_id": random.randrange(1, 20),
                "reader_id": 1000 + random.randrange(0, 55),
                "loaned_on": out,
                "returned_on": None if back > date(2024, 7, 14) or n % 37 == 0 else back,
            }
        )
    return rows


@cache
def wards() -> list[Row]:
    """Wards of a hospital."""
    return [
        {"id": 1, "name": "Cardiology", "floor": 2, "beds": 24},
        {"id": 2, "name": "Maternity", "floor": 1, "beds": 18},
        {"id": 3, "name": "Orthopedics", "floor": 3, "beds": 30},
        {"id": 4, "name": "Pediatrics", "floor": 1, "beds": 20},
        {"id": 5, "name": "Neurology", "floor": 2, "beds": 12},
    ]


@cache
def patients() -> list[Row]:
    """Patients; three share a blood type with nobody."""
    random = Random("patients")
    return [
        {
            "id": n,
            "name": name,
            "birth_date": date(1935, 1, 1) + timedelta(days=random.randrange(0, 31000)),
            "sex": random.choice(("F", "M")),
            "blood_type": random.choices(("A+", "A-", "B+", "O+", "O-", "AB-"), (30, 6, 12, 38, 6, 1))[0],
            "insurer": random.choice(("MediPlus", "CareFirst", None)),
        }
        for n, name in enumerate(names(110, "patients"), 1)
    ]


@cache
def admissions() -> list[Row]:
    """Stays in hospital, 2023 and 2024; some patients are still there."""
    random = Random("admissions")
    rows = []
    for n in range(1, 261):
        start = datetime(2023, 1, 1, 0, 30) + timedelta(minutes=random.randrange(0, 560 * 1440))
        end = start + timedelta(minutes=random.randrange(300, 12 * 1440))
        rows.append(
            {
                "id": n,
                "patient_id": random.randrange(1, 106),
                "ward_id": random.choices((1, 2, 3, 4, 5), (30, 20, 25, 20, 5))[0],
                "admitted_at": start,
                "discharged_at": None if end > datetime(2024, 7, 12) else end,
                "diagnosis": random.choice(("fracture", "pneumonia", "arrhythmia", "delivery", "migraine", "asthma")),
                "cost": Decimal(random.randrange(30000, 2200000)) / 100,
                "emergency": random.random() < 0.4,
            }
        )
    return rows


@cache
def tickets() -> list[Row]:
    """Support tickets; the status was typed by hand, so its case varies."""
    random = Random("tickets")
    rows = []
    for n in range(1, 321):
        opened = datetime(2024, 1, 1, 8) + timedelta(minutes=random.randrange(0, 195 * 1440))
        state = random.choices(("open", "Open", "closed", "Closed", "waiting"), (20, 6, 50, 8, 16))[0]
        rows.append(
            {
                "ticket_id": 5000 + n,
                "opened_at": opened,
                "closed_at": opened + timedelta(hours=random.randrange(1, 300)) if state.lower() == "closed" else None,
                "priority": random.choices(("low", "normal", "high", "urgent"), (30, 45, 18, 7))[0],
                "status": state,
                "subject": random.choice(
                    ("Cannot log in", "Refund please", "App crashes on start", "Invoice is wrong", "Slow sync", "Refund for double charge")
                ),
                "agent": random.choice(("Ines", "Jonas", "Kaito", "Lara", None)),
                "first_reply_minutes": random.randrange(2, 900),
                "satisfaction": random.choice((None, 1, 2, 3, 4, 4, 5, 5)),
                "customer": {"name": f"Customer {n % 40:02d}", "plan": ("free", "team", "business")[n % 3]},
            }
        )  # fmt: skip
    return rows


@cache
def students() -> list[Row]:
    """Pupils of three classes; two never sat an exam."""
    random = Random("students")
    return [
        {"student_id": n, "name": name, "class": ("7A", "7B", "8A")[n % 3], "born": date(2010 + n % 2, n % 12 + 1, random.randrange(1, 28))}
        for n, name in enumerate(names(48, "students"), 1)
    ]  # fmt: skip


@cache
def exams() -> list[Row]:
    """Marks out of 100; some did not come."""
    random = Random("exams")
    return [
        {
            "student_id": student["student_id"],
            "subject": subject,
            "score": None if random.random() < 0.06 else random.randrange(25, 101),
            "taken_on": date(2024, 6, day),
        }
        for student in students()[:46]
        for subject, day in (("Math", 3), ("English", 5), ("Biology", 10))
    ]
