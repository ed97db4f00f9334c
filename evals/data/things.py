"""Rows about the world: weather, flights, machines, matches, films, logs, and what APIs serve. The same rows each time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

Row = dict[str, Any]


@cache
def weather() -> list[Row]:
    """Daily weather at four stations, 2023; the rain gauge fails at times, winters are below zero."""
    random = Random("weather")
    rows = []
    for station, base in (("Bergen", 6), ("Geneva", 10), ("Krakow", 8), ("Sofia", 12)):
        for offset in range(365):
            day = date(2023, 1, 1) + timedelta(days=offset)
            season = 11 - abs(offset - 200) / 9
            high = round(base + season + random.gauss(0, 3), 1)
            rows.append(
                {
                    "station": station,
                    "date": day,
                    "tmin": round(high - random.uniform(3, 11), 1),
                    "tmax": high,
                    "rain_mm": None if random.random() < 0.03 else round(max(0.0, random.gauss(0.5, 4)), 1),
                    "wind_kmh": random.randrange(2, 75),
                    "sky": random.choice(("clear", "cloudy", "fog", "rain")),
                }
            )
    return rows


@cache
def flights() -> list[Row]:
    """Flights of 2023: cancelled ones have no delay; early ones have a negative delay."""
    random = Random("flights")
    airports = ("LHR", "JFK", "CDG", "FRA", "SIN", "DXB")
    rows = []
    for _ in range(720):
        origin, destination = random.sample(airports, 2)
        cancelled = random.random() < 0.06
        rows.append(
            {
                "flight_no": f"{random.choice(('BA', 'AF', 'LH', 'EK'))}{random.randrange(100, 999)}",
                "carrier": random.choice(("British Airways", "Air France", "Lufthansa", "Emirates")),
                "origin": origin,
                "destination": destination,
                "departed_at": datetime(2023, 1, 1, 5) + timedelta(minutes=random.randrange(0, 365 * 1440 - 400)),
                "delay_minutes": None if cancelled else random.choice((-8, -3, 0, 0, 2, 5, 12, 25, 40, 75, 180)),
                "distance_km": 400 + sum(map(ord, origin + destination)) * 37 % 9000,
                "cancelled": cancelled,
                "fare": Decimal(random.randrange(4900, 189900)) / 100,
                "seats_sold": random.randrange(60, 320),
            }
        )
    return rows


@cache
def sensors() -> list[Row]:
    """Readings every few hours, February to June 2024, with dying batteries and missing humidity."""
    random = Random("sensors")
    rows = []
    for name, room in (("S-01", "kitchen"), ("S-02", "lab"), ("S-03", "lab"), ("S-04", "attic"), ("S-05", "cellar")):
        moment = datetime(2024, 2, 1, 0, 10)
        battery = 100
        while moment < datetime(2024, 7, 1):
            rows.append(
                {
                    "sensor": name,
                    "room": room,
                    "measured_at": moment,
                    "temperature": round(
                        random.gauss({"kitchen": 22, "lab": 20, "attic": 26, "cellar": 12}[room], 2.5), 2
                    ),
                    "humidity": None if random.random() < 0.05 else random.randrange(25, 90),
                    "battery": battery,
                }
            )
            battery = max(3, battery - random.choice((0, 0, 1)))
            moment += timedelta(hours=random.randrange(8, 30))
    return rows


@cache
def matches() -> list[Row]:
    """A season of football between eight clubs, home and away."""
    random = Random("matches")
    clubs = ("Rovers", "United", "Athletic", "Wanderers", "City", "Albion", "Rangers", "Town")
    pairs = [(a, b) for a in clubs for b in clubs if a != b]
    random.shuffle(pairs)
    return [
        {
            "Date": date(2023, 8, 12) + timedelta(days=7 * (n // 4) + n % 2),
            "Home": home,
            "Away": away,
            "Home goals": random.choice((0, 0, 1, 1, 2, 2, 3, 4)),
            "Away goals": random.choice((0, 0, 1, 1, 1, 2, 3)),
            "Attendance": random.randrange(3200, 61000),
            "Referee": random.choice(("M. Webb", "S. Frappart", "P. Collina")),
        }
        for n, (home, away) in enumerate(pairs)
    ]


@cache
def energy() -> list[Row]:
    """Monthly readings of German meters, 2022 to June 2024."""
    random = Random("energy")
    rows = []
    for meter in range(1, 13):
        city = ("München", "Köln", "Düsseldorf", "Bremen")[meter % 4]
        for n in range(30):
            day = date(2022 + n // 12, n % 12 + 1, 28)
            kwh = Decimal(random.randrange(80000, 620000)) / 1000
            rows.append(
                {
                    "meter": f"0{7000 + meter}",
                    "reading_date": day,
                    "city": city,
                    "tariff": ("Basis", "Öko", "Nacht")[meter % 3],
                    "kwh": kwh,
                    "cost_eur": (kwh * Decimal("0.31")).quantize(Decimal("0.01")),
                }
            )
    return rows


@cache
def estates() -> list[Row]:
    """Homes for sale, nested. One of the towns is called Price; postcodes begin with zeros."""
    random = Random("estates")
    towns = (("Price", "08450"), ("Provo", "08460"), ("Helper", "08452"), ("Moab", "08453"))
    rows = []
    for n in range(1, 181):
        town, postcode = random.choice(towns)
        rows.append(
            {
                "id": f"L{n:04d}",
                "price": random.randrange(95, 900) * 1000,
                "status": random.choice(("for sale", "for sale", "under offer", "sold")),
                "listed_on": date(2023, 6, 1) + timedelta(days=random.randrange(0, 405)),
                "address": {
                    "street": f"{random.randrange(1, 200)} {random.choice(('Elm', 'Canyon', 'Main'))} St",
                    "city": town,
                    "postcode": postcode,
                },
                "features": {
                    "bedrooms": random.randrange(1, 7),
                    "area_m2": random.randrange(45, 340),
                    "garden": random.random() < 0.5,
                    "year_built": random.choice((None, 1958, 1974, 1989, 2003, 2019)),
                },
                "agent": {
                    "name": random.choice(("Dana Reed", "Sam Ortiz", "Kim Vogel")),
                    "agency": random.choice(("Redrock Realty", "Mesa Homes")),
                },
            }
        )  # fmt: skip
    return rows


@cache
def movies() -> list[Row]:
    """Films with ratings that tie."""
    random = Random("movies")
    words = ("Silent", "Golden", "Broken", "Electric", "Hidden", "Crimson", "Distant", "Velvet")
    things = ("River", "Empire", "Signal", "Garden", "Mirror", "Highway", "Island", "Promise")
    titles = [f"{a} {b}" for a in words for b in things]
    random.shuffle(titles)
    return [
        {
            "id": f"m{n:03d}",
            "title": title,
            "director": random.choice(("Ava Stone", "Bo Lindqvist", "Carmen Ruiz", "Daichi Sato", "Eve Laurent")),
            "genre": random.choice(("drama", "comedy", "thriller", "documentary")),
            "year": random.choice((1994, 1999, 2005, 2008, 2012, 2015, 2019, 2022)),
            "rating": Decimal(random.choice((52, 61, 64, 68, 70, 72, 75, 79, 83, 88))) / 10,
            "votes": random.randrange(900, 250000),
            "runtime": random.randrange(78, 181),
            "country": random.choice(("France", "Japan", "Mexico", "Sweden")),
        }
        for n, title in enumerate(titles, 1)
    ]


@cache
def recipes() -> list[Row]:
    """Recipes with their ingredients within."""
    random = Random("recipes")
    dishes = ("soup", "curry", "salad", "stew", "pie", "noodles")
    first = ("Lentil", "Tomato", "Chicken", "Mushroom", "Pumpkin", "Beef", "Chickpea", "Salmon")
    meats = {"Chicken", "Beef", "Salmon"}
    pantry = ("onion", "garlic", "rice", "olive oil", "butter", "parsley", "chili")
    rows = []
    for n, (main, dish) in enumerate(((m, d) for m in first for d in dishes), 1):
        rows.append(
            {
                "id": n,
                "name": f"{main} {dish}",
                "cuisine": random.choice(("Indian", "Italian", "Thai", "French")),
                "minutes": random.choice((15, 20, 25, 30, 40, 45, 60, 90)),
                "servings": random.choice((2, 4, 4, 6)),
                "calories": random.randrange(180, 980),
                "vegetarian": main not in meats,
                "author": random.choice(("Nora", "Pavel", "Zoe")),
                "ingredients": [{"item": main.lower(), "grams": random.randrange(100, 600)}]
                + [
                    {"item": i, "grams": random.randrange(5, 200)}
                    for i in random.sample(pantry, random.randrange(1, 4))
                ],
            }
        )
    return rows


@cache
def parking() -> list[Row]:
    """Parking tickets of May and June 2024; a car still inside has no way out and no fee."""
    random = Random("parking")
    rows = []
    for n in range(1, 451):
        entered = datetime(2024, 5, 1, 6) + timedelta(minutes=random.randrange(0, 61 * 1440 - 1200))
        minutes = random.choice((12, 25, 45, 60, 60, 95, 180, 420, 700))
        inside = n % 45 == 0
        rows.append(
            {
                "ticket": f"{n:07d}",
                "plate": f"{random.choice('ABK')}-{random.randrange(100, 175)}",
                "garage": random.choice(("Central", "Airport", "North Mall")),
                "vehicle": random.choices(("car", "motorbike", "van"), (75, 10, 15))[0],
                "entered_at": entered,
                "left_at": None if inside else entered + timedelta(minutes=minutes),
                "minutes": None if inside else minutes,
                "fee": None if inside else Decimal("1.50") * (-(-minutes // 60)),
                "paid_by": None if inside else random.choice(("card", "cash", "app")),
            }
        )
    return rows


@cache
def hits() -> list[Row]:
    """A web server's log of a July week."""
    random = Random("hits")
    rows = []
    moment = datetime(2024, 7, 8, 0, 0, 5, tzinfo=UTC)
    for _ in range(620):
        moment += timedelta(seconds=random.randrange(20, 1800))
        status = random.choices((200, 301, 404, 403, 500, 503), (78, 6, 9, 2, 4, 1))[0]
        rows.append(
            {
                "ip": f"10.0.{random.randrange(0, 3)}.{random.randrange(1, 9)}",
                "time": moment,
                "method": random.choices(("GET", "POST", "PUT"), (82, 15, 3))[0],
                "path": random.choice(("/", "/cart", "/login", "/products/42", "/search", "/api/v1/orders", "/img/logo.png")),
                "status": status,
                "bytes": 0 if status == 301 else random.randrange(200, 52000),
                "agent": random.choice(("Mozilla/5.0 (X11; Linux)", "Mozilla/5.0 (Windows NT 10.0)", "curl/8.5.0", "Googlebot/2.1")),
            }
        )  # fmt: skip
    return rows


@cache
def events() -> list[Row]:
    """An application's log of four July days."""
    random = Random("events")
    rows = []
    moment = datetime(2024, 7, 10, 0, 0, 1)
    for n in range(420):
        moment += timedelta(seconds=random.randrange(5, 1600))
        level = random.choices(("INFO", "DEBUG", "WARNING", "ERROR"), (60, 15, 15, 10))[0]
        logger = random.choice(("billing", "auth", "mailer", "scheduler"))
        message = {
            "INFO": f"request {n} done",
            "DEBUG": f"cache miss for key {n % 17}",
            "WARNING": f"slow query took {random.randrange(300, 4000)} ms",
            "ERROR": random.choice(("connection timeout", "disk almost full", f"payment {n} rejected")),
        }[level]
        rows.append({"timestamp": moment, "level": level, "logger": logger, "message": message})
    return rows


@cache
def rides() -> list[Row]:
    """Bike rides over the turn of the year."""
    random = Random("rides")
    stations = ("Dock Square", "Hill Street", "Museum", "Stadium", "University")
    rows = []
    for n in range(1, 501):
        seconds = random.randrange(90, 5400)
        start = datetime(2023, 11, 1, 5) + timedelta(minutes=random.randrange(0, 120 * 1440))
        rows.append(
            {
                "ride_id": n,
                "bike_type": random.choices(("classic", "electric"), (65, 35))[0],
                "started_at": start,
                "duration_s": seconds,
                "distance_m": round(seconds * random.uniform(2.2, 5.5)),
                "start_station": random.choice(stations),
                "end_station": None if n % 61 == 0 else random.choice(stations),
                "member": random.random() < 0.6,
            }
        )
    return rows


@cache
def repairs() -> list[Row]:
    """Repair jobs of a bicycle workshop."""
    random = Random("repairs")
    return [
        {
            "id": n,
            "received": date(2024, 3, 1) + timedelta(days=random.randrange(0, 135)),
            "bike": random.choice(("Gazelle", "Brompton", "Trek", "Cube")),
            "job": random.choice(("brakes", "gears", "puncture", "wheel", "full service")),
            "mechanic": random.choice(("Olu", "Pia", "Ravi")),
            "hours": random.choice((0.5, 1.0, 1.5, 2.0, 3.5)),
            "price": float(random.randrange(15, 240)),
            "done": random.random() < 0.8,
        }
        for n in range(1, 188)
    ]


@cache
def donations() -> list[Row]:
    """Gifts to a charity; some donors are anonymous."""
    random = Random("donations")
    return [
        {
            "id": f"d{n:04d}",
            "donor": None if n % 9 == 0 else f"Donor {random.randrange(1, 30)}",
            "amount": float(random.choice((5, 10, 10, 25, 50, 100, 250, 1000))),
            "campaign": random.choice(("Clean Water", "School Meals", "Tree Planting")),
            "given_at": datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(minutes=random.randrange(0, 190 * 1440)),
            "recurring": random.random() < 0.3,
            "address": {"city": random.choice(("Utrecht", "Ghent", "Bonn")), "country": random.choice(("NL", "BE", "DE"))},
        }
        for n in range(1, 214)
    ]  # fmt: skip


@cache
def tasks() -> list[Row]:
    """Issues of a software project."""
    random = Random("tasks")
    return [
        {
            "number": n,
            "title": f"{random.choice(('Fix', 'Add', 'Remove'))} {random.choice(('cache', 'login', 'export', 'tooltip'))} {n}",
            "state": random.choice(("open", "closed", "closed")),
            "label": random.choice(("bug", "feature", "docs")),
            "assignee": random.choice(("mona", "teo", "uma", None)),
            "comments": random.randrange(0, 25),
            "created_at": datetime(2023, 10, 1, 7, tzinfo=UTC) + timedelta(hours=random.randrange(0, 6800)),
        }
        for n in range(1, 156)
    ]


@cache
def bookings() -> list[Row]:
    """A hotel's bookings."""
    random = Random("bookings")
    return [
        {
            "booking_id": 9000 + n,
            "guest": f"Guest {random.randrange(1, 60):02d}",
            "room_type": random.choice(("single", "double", "suite")),
            "arrival": date(2024, 4, 1) + timedelta(days=random.randrange(0, 150)),
            "nights": random.randrange(1, 9),
            "price_per_night": random.choice((79, 99, 129, 240)),
            "breakfast": random.random() < 0.5,
            "channel": random.choice(("phone", "web", "agency")),
        }
        for n in range(1, 171)
    ]


@cache
def lectures() -> list[Row]:
    """A university's lectures."""
    random = Random("lectures")
    openings, fields = ("Intro to", "Advanced", "Topics in"), ("Algebra", "Genetics", "Ethics", "Robotics")
    return [
        {
            "code": f"U{n:03d}",
            "title": f"{random.choice(openings)} {random.choice(fields)} {n}",
            "faculty": random.choice(("Science", "Arts", "Engineering")),
            "credits": random.choice((3, 5, 6, 10)),
            "enrolled": random.randrange(4, 310),
            "capacity": random.choice((30, 80, 320)),
            "term": random.choice(("2023-autumn", "2024-spring")),
        }
        for n in range(1, 96)
    ]
