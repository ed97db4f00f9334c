"""Rows of the systems that a software company runs on. Every function gives the same rows each time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

Row = dict[str, Any]

GIVEN = ("Amara", "Bruno", "Chen", "Daria", "Emil", "Farah", "Gustav", "Hedda", "Imran", "Jola", "Kwame", "Lotte")
FAMILY = ("Abara", "Bianchi", "Costa", "Dvorak", "Eriksen", "Fofana", "Grimm", "Haddad", "Ito", "Jansen")


def day_between(random: Random, start: date, end: date) -> date:
    """A day from the first to the last, both possible."""
    return start + timedelta(days=random.randrange((end - start).days + 1))


def moment_between(random: Random, start: datetime, end: datetime) -> datetime:
    """A moment from the first until before the last, on a second."""
    return start + timedelta(seconds=random.randrange(int((end - start).total_seconds())))


@cache
def orgs() -> list[Row]:
    """Customers of a workspace product; a few of unknown country or industry."""
    random = Random("systems orgs")
    heads = ("Blue", "North", "Iron", "Quick", "Bright", "Silent", "Open", "Lucky")
    tails = ("Pine Labs", "Harbour", "Fox Studio", "Mill", "Ledger", "Orbit", "Clinic", "School")
    rows = []
    for n in range(1, 61):
        signed_up = day_between(random, date(2022, 1, 10), date(2025, 3, 5))
        churned = day_between(random, signed_up + timedelta(days=5), date(2025, 3, 11)) if n % 5 == 2 else None
        rows.append(
            {
                "org_id": n,
                "org_name": f"{heads[(n - 1) % 8]} {tails[(n - 1) // 8]}",
                "country_code": None if n % 23 == 0 else random.choice(("DE", "US", "US", "GB", "FR", "BR", "SE")),
                "industry": None
                if n % 29 == 0
                else random.choice(("Fintech", "Health", "Education", "Retail", "Gaming")),
                "signed_up_on": signed_up,
                "churned_on": churned,
            }
        )
    return rows


@cache
def plans() -> list[Row]:
    """What may be subscribed to; nobody is on the last one."""
    names = (
        ("free", "Free", 0, 3),
        ("start", "Starter", 29, 10),
        ("team", "Team", 99, 50),
        ("biz", "Business", 249, 250),
    )
    listed = [*names, ("ent", "Enterprise", 799, None)]
    return [{"plan_code": c, "title": t, "monthly_usd": usd, "seat_limit": seats} for c, t, usd, seats in listed]


@cache
def subs() -> list[Row]:
    """One to three subscriptions an organisation, some cancelled; several of one organisation may run side by side."""
    random = Random("systems subs")
    rows: list[Row] = []
    for org in orgs():
        for _ in range(random.choice((1, 2, 2, 3))):
            started = day_between(random, org["signed_up_on"], date(2025, 3, 8))
            cancelled = day_between(random, started, date(2025, 3, 10)) if random.random() < 0.4 else None
            rows.append(
                {
                    "sub_id": 5000 + len(rows),
                    "org_id": org["org_id"],
                    "plan_code": random.choice(("free", "start", "start", "team", "team", "biz")),
                    "started_on": started,
                    "cancelled_on": cancelled,
                    "seats": random.choice((1, 3, 5, 8, 12, 25, 40, 120)),
                    "discount_pct": random.choice((None, None, 0, 10, 15)),
                }
            )
    return rows


@cache
def members() -> list[Row]:
    """People of the organisations; some were never seen."""
    random = Random("systems members")
    rows = []
    for n in range(1, 261):
        name = f"{random.choice(GIVEN)} {random.choice(FAMILY)}"
        seen = moment_between(random, datetime(2024, 6, 1), datetime(2025, 3, 12, 8)) if n % 9 else None
        rows.append(
            {
                "member_id": n,
                "org_id": random.choice((random.randrange(1, 61), random.randrange(1, 16))),
                "full_name": name,
                "email": f"{name.lower().replace(' ', '.')}{n}@{random.choice(('example.com', 'example.org', 'mail.test'))}",
                "role": random.choices(("owner", "admin", "editor", "viewer"), (15, 20, 35, 30))[0],
                "last_seen_at": seen,
                "mfa_enabled": random.random() < 0.55,
            }
        )
    return rows


@cache
def feature_use() -> list[Row]:
    """Clicks on features by a member and day, September 2024 to 11 March 2025; about a third of the members never clicked."""
    random = Random("systems feature use")
    active = random.sample(range(1, 261), 170)
    return [
        {
            "id": n,
            "member_id": random.choice(active),
            "feature": random.choice(("dashboards", "dashboards", "exports", "api", "alerts", "comments")),
            "used_on": day_between(random, date(2024, 9, 1), date(2025, 3, 11)),
            "clicks": random.choice((1, 1, 2, 3, 5, 8, 21)),
        }
        for n in range(1, 481)
    ]


@cache
def teams() -> list[Row]:
    """Who builds the services."""
    names = ("payments", "identity", "growth", "platform", "search", "mobile")
    return [
        {"team": name, "lead": f"{GIVEN[n]} {FAMILY[n + 2]}", "slack_channel": f"#team-{name}"}
        for n, name in enumerate(names)
    ]


@cache
def services() -> list[Row]:
    """What runs; two services belong to nobody."""
    random = Random("systems services")
    names = (
        "checkout", "ledger", "invoicer", "auth", "profiles", "sessions", "referrals", "emailer", "experiments", "gateway",
        "scheduler", "metrics", "indexer", "suggest", "push", "feed", "legacy-cron", "pdf-render",
    )  # fmt: skip
    rows = []
    for n, name in enumerate(names):
        rows.append(
            {
                "svc": name,
                "team": None if n >= 16 else teams()[min(n // 3, 5)]["team"],
                "language": random.choice(("Go", "Go", "Python", "TypeScript", "Rust")),
                "tier": random.choice((1, 1, 2, 3)),
                "repo_url": f"https://git.example.com/{name}",
            }
        )
    return rows


@cache
def deployments() -> list[Row]:
    """Deployments of December 2024 to 12 March 2025."""
    random = Random("systems deployments")
    moments = sorted(moment_between(random, datetime(2024, 12, 1), datetime(2025, 3, 12, 9)) for _ in range(430))
    patch: dict[str, int] = {}
    rows = []
    for n, started in enumerate(moments, 1):
        svc = random.choice(services())["svc"]
        patch[svc] = patch.get(svc, 0) + 1
        rows.append(
            {
                "id": n,
                "svc": svc,
                "env": random.choices(("production", "staging", "dev"), (45, 35, 20))[0],
                "version": f"v{1 + patch[svc] // 10}.{patch[svc] % 10}.{random.randrange(4)}",
                "started_at": started,
                "duration_s": None if n % 61 == 0 else random.randrange(35, 1500),
                "outcome": random.choices(("succeeded", "failed", "rolled back"), (80, 13, 7))[0],
                "deployed_by": random.choice(("ci-bot", "ci-bot", "jola", "imran", "emil", "hedda")),
            }
        )
    return rows


@cache
def incidents() -> list[Row]:
    """Incidents of a year; a few still open, and often nobody counted the customers."""
    random = Random("systems incidents")
    rows = []
    for n in range(1, 81):
        opened = moment_between(random, datetime(2024, 3, 15), datetime(2025, 3, 12, 6))
        rows.append(
            {
                "inc_no": f"INC-{n:04d}",
                "svc": random.choice(services())["svc"],
                "severity": random.choices(("SEV1", "SEV2", "SEV3"), (25, 35, 40))[0],
                "opened_at": opened,
                "resolved_at": None if n % 13 == 0 else opened + timedelta(minutes=random.randrange(6, 2000)),
                "customers_hit": random.choice((None, 0, 12, 90, 400, 2500)),
            }
        )
    return rows


@cache
def depots() -> list[Row]:
    """Where parcels are sorted."""
    places = (
        ("Docklands", "Antwerp"),
        ("Kouter", "Ghent"),
        ("Arsenal", "Brussels"),
        ("Citadel", "Namur"),
        ("Belfry", "Bruges"),
    )
    return [
        {"depot_id": n, "name": name, "city": city, "opened_on": date(2012 + 2 * n, n, 3 * n)}
        for n, (name, city) in enumerate(places, 1)
    ]


@cache
def drivers() -> list[Row]:
    """Drivers, each at home in one depot; no two share a name."""
    random = Random("systems drivers")
    rows = []
    for n in range(1, 25):
        hired = day_between(random, date(2018, 1, 1), date(2024, 9, 30))
        rows.append(
            {
                "driver_id": n,
                "full_name": f"{GIVEN[n % 12]} {FAMILY[(n + n // 12) % 10]}",
                "depot_id": 1 + n % 5,
                "licence_class": random.choice(("B", "B", "C1", "C")),
                "hired_on": hired,
                "left_on": day_between(random, date(2024, 12, 1), date(2025, 2, 28)) if n % 6 == 0 else None,
            }
        )
    return rows


@cache
def vans() -> list[Row]:
    """Vans, each at home in one depot."""
    random = Random("systems vans")
    models = (("eSprinter", True), ("Transit", False), ("Kangoo E-Tech", True), ("Ducato", False))
    rows = []
    for n in range(1, 16):
        model, electric = models[(n * 7 // 5) % 4]
        rows.append(
            {
                "plate": f"1-{random.choice('ABCDEF')}{random.choice('KLMN')}{random.choice('XYZ')}-{100 + n}",
                "depot_id": 1 + n % 5,
                "model": model,
                "capacity_kg": random.choice((650, 900, 1100, 1350)),
                "electric": electric,
            }
        )
    return rows


@cache
def routes() -> list[Row]:
    """Tours of a driver with a van of the same depot, October 2024 to 11 March 2025."""
    random = Random("systems routes")
    rows = []
    for n in range(1, 121):
        driver = random.choice(drivers())
        van = random.choice([v for v in vans() if v["depot_id"] == driver["depot_id"]])
        rows.append(
            {
                "route_no": n,
                "driver_id": driver["driver_id"],
                "plate": van["plate"],
                "route_date": day_between(random, date(2024, 10, 1), date(2025, 3, 11)),
                "km": Decimal(random.randrange(180, 2400)) / 10,
            }
        )
    return rows


@cache
def consignees() -> list[Row]:
    """Customers of the parcel service."""
    random = Random("systems consignees")
    kinds = ("Bakery", "Books", "Pharmacy", "Cycles", "Optics", "Flowers", "Hardware")
    return [
        {
            "customer_id": 900 + n,
            "name": f"{kinds[n % 7]} {FAMILY[n // 7]}",
            "city": random.choice(("Antwerp", "Ghent", "Brussels", "Namur", "Bruges", "Leuven")),
            "vip": random.random() < 0.25,
        }
        for n in range(56)
    ]


@cache
def parcels() -> list[Row]:
    """Parcels; tracking numbers with leading zeros, some on no route yet. Only a delivered one has a time of delivery."""
    random = Random("systems parcels")
    rows = []
    for n in range(1, 401):
        route = random.choice(routes()) if n % 11 else None
        status = (
            "at depot"
            if route is None
            else random.choices(("delivered", "in transit", "returned", "lost"), (70, 15, 12, 3))[0]
        )
        day = route["route_date"] if route else day_between(random, date(2025, 2, 20), date(2025, 3, 11))
        created = datetime(day.year, day.month, day.day) - timedelta(hours=random.randrange(2, 60), minutes=n % 60)
        delivered = datetime(day.year, day.month, day.day, 8) + timedelta(minutes=random.randrange(600))
        rows.append(
            {
                "tracking_no": f"00{n * 7919 % 1000003:07d}",
                "customer_id": random.choice(consignees()[:50])["customer_id"],
                "route_no": route["route_no"] if route else None,
                "weight_kg": Decimal(random.randrange(3, 3100)) / 100,
                "declared_value": None if n % 4 == 0 else Decimal(random.randrange(500, 180000)) / 100,
                "status": status,
                "created_at": created,
                "delivered_at": delivered if status == "delivered" else None,
            }
        )
    return rows


@cache
def scans() -> list[Row]:
    """Where parcels were seen."""
    random = Random("systems scans")
    rows = []
    for n in range(1, 551):
        parcel = random.choice(parcels())
        rows.append(
            {
                "scan_id": n,
                "tracking_no": parcel["tracking_no"],
                "depot_id": random.randrange(1, 6),
                "scanned_at": parcel["created_at"] + timedelta(minutes=random.randrange(5, 2500)),
                "kind": random.choices(("sorted", "loaded", "handover", "damaged"), (45, 30, 20, 5))[0],
            }
        )
    return rows


@cache
def licences() -> list[Row]:
    """What a company pays for software in a year. Two vendor numbers lead nowhere."""
    random = Random("systems licences")
    first = ("Page", "Cloud", "Board", "Trace", "Sign", "Vault", "Chart", "Form", "Mail", "Sketch")
    second = ("Hub", "Desk", "Flow", "Pilot", "Kit", "Wise", "Forge", "Nest", "Lane")
    rows = []
    for n in range(90):
        bought = random.choice((5, 10, 20, 25, 50, 80, 150, 300))
        used = random.randrange(0, bought + 1)
        rows.append(
            {
                "Ref": f"L{n + 1:03d}",
                "Tool": f"{first[n % 10]}{second[n // 10]}",
                "Vendor ID": random.choice((*range(101, 117), 998)),
                "Seats bought": bought,
                "Seats used": used,
                "Utilisation": None if n % 17 == 3 else round(100 * used / bought),
                "Annual cost": None if n % 31 == 7 else Decimal(random.randrange(9000, 6200000)) / 100,
                "Auto-renew?": random.random() < 0.6,
                "Renewal date": day_between(random, date(2025, 1, 5), date(2026, 2, 20)),
                "Owner team": random.choice(("Engineering", "Design", "Sales", "Finance", "Support", None)),
            }
        )
    return rows


@cache
def vendors() -> list[Row]:
    """Who sells the software; nothing was bought from the last four."""
    random = Random("systems vendors")
    places = (
        ("Berlin", "Germany"),
        ("Munich", "Germany"),
        ("Austin", "United States"),
        ("Dublin", "Ireland"),
        ("Tallinn", "Estonia"),
    )
    rows = []
    for n in range(20):
        city, country = places[n % 5]
        rows.append(
            {
                "vendorId": 101 + n,
                "name": f"{FAMILY[n % 10]} {('Software', 'Systems')[n // 10]}",
                "hq": {"city": city, "country": country},
                "soc2": False if n % 5 == 3 else random.choice((True, True, False, None)),
                "rating": None if n == 6 else random.randrange(20, 51) / 10,
            }
        )
    return rows


AIRPORTS = (
    ("LIS", "Portugal"), ("OPO", "Portugal"), ("BER", "Germany"), ("MUC", "Germany"), ("CDG", "France"), ("ARN", "Sweden"),
    ("FCO", "Italy"),
)  # fmt: skip


@cache
def trips() -> list[Row]:
    """Trips booked in an app, with what belongs to a trip inside it; the fare is a number here."""
    random = Random("systems trips")
    people = []
    for n in range(48):
        name = f"{GIVEN[n % 12]} {FAMILY[(n * 3 + n // 12) % 10]}"
        mail = f"{name.lower().replace(' ', '_')}@{random.choice(('gmail.com', 'proton.me', 'sapo.pt', 'web.de'))}"
        tier = random.choices(("none", "silver", "gold"), (5, 3, 2))[0]
        points = None if tier == "none" else random.randrange(500, 90000)
        people.append({"name": name, "email": mail, "loyalty": {"tier": tier, "points": points}})
    rows = []
    for n in range(1, 191):
        start, end = random.sample(AIRPORTS, 2)
        booked = moment_between(random, datetime(2023, 11, 1), datetime(2025, 3, 11, 22))
        legs = [
            {
                "flight": f"{random.choice(('TP', 'LH', 'SK', 'AF'))}{random.randrange(100, 999)}",
                "minutes": random.randrange(45, 210),
            }
            for _ in range(random.choice((1, 1, 2, 3)))
        ]
        rows.append(
            {
                "tripId": f"T-{n:04d}",
                "traveller": random.choice(people),
                "route": {
                    "from": {"airport": start[0], "country": start[1]},
                    "to": {"airport": end[0], "country": end[1]},
                },
                "fare": {"amount": Decimal(random.randrange(3900, 260000)) / 100, "refundable": random.random() < 0.4},
                "bookedAt": booked,
                "departsOn": booked.date() + timedelta(days=random.randrange(1, 120)),
                "bags": random.choice((0, 0, 1, 1, 2, None)),
                "channel": random.choices(("ios", "android", "web"), (4, 3, 5))[0],
                "legs": legs,
            }
        )
    return rows


@cache
def app_events() -> list[Row]:
    """What a shopping app tells about its use, 20 February to 12 March 2025; `props` differ from event to event."""
    random = Random("systems app events")
    people = [
        {
            "id": f"u{n:03d}",
            "plan": random.choices(("free", "plus", "pro"), (5, 3, 2))[0],
            "country": random.choice(("Brazil", "Chile", "Spain", "Mexico")),
        }
        for n in range(1, 71)
    ]
    rows = []
    for n in range(1, 521):
        user = random.choice(people)
        event = random.choices(
            ("app_opened", "search", "checkout_started", "checkout_completed", "payment_failed", "crash"),
            (30, 22, 18, 15, 9, 6),
        )[0]
        props: Row = {}
        if event.startswith("checkout"):
            props["amount_cents"] = random.randrange(299, 45000)
        if event == "payment_failed":
            props["amount_cents"] = random.randrange(299, 45000)
            props["error_code"] = random.choices(("card_declined", "3ds_timeout", "no_funds"), (5, 2, 3))[0]
        if event == "search":
            props["query"] = random.choice(("shoes", "red shoes", "backpack", "rain jacket", "Shoes"))
        moment = moment_between(random, datetime(2025, 2, 20), datetime(2025, 3, 12, 9))
        rows.append(
            {
                "ts": moment,
                "event": event,
                "user": user,
                "device": {
                    "os": random.choice(("iOS", "Android", "Android", "Web")),
                    "app_version": random.choice(("5.1.0", "5.2.0", "5.2.1")),
                },
                "session_id": f"s{random.randrange(1, 121):04d}",
                "ms": None if n % 43 == 0 else random.randrange(40, 3200),
                "props": props,
            }
        )
    return sorted(rows, key=lambda r: r["ts"])


@cache
def requests_served() -> list[Row]:
    """A reverse proxy's requests, 26 February to 12 March 2025."""
    random = Random("systems requests")
    paths = (
        "/", "/pricing", "/login", "/api/v1/users", "/api/v2/users", "/api/v2/orders", "/api/v2/orders/export", "/docs/start",
        "/favicon.ico", "/healthz", "/assets/app.js", "/blog/2025/launch", "/wp-login.php",
    )  # fmt: skip
    agents = (
        "Mozilla/5.0 (X11; Linux x86_64) Firefox/135.0", "Mozilla/5.0 (Macintosh) Safari/605.1", "curl/8.5.0",
        "Googlebot/2.1 (+http://www.google.com/bot.html)", "AhrefsBot/7.0", "python-httpx/0.28",
    )  # fmt: skip
    rows = []
    for _ in range(460):
        path = random.choice(paths)
        method = (
            random.choice(("POST", "POST", "PUT", "DELETE", "GET")) if "orders" in path or path == "/login" else "GET"
        )
        status = (
            404
            if "wp" in path
            else random.choices((200, 204, 301, 304, 401, 403, 404, 500, 502), (70, 5, 4, 6, 4, 2, 4, 3, 2))[0]
        )
        rows.append(
            {
                "ip": f"203.0.113.{random.choice((7, 19, 23, 42, 77, 108, 140, 201, 233, 250))}",
                "time": moment_between(random, datetime(2025, 2, 26), datetime(2025, 3, 12, 9)),
                "method": method,
                "path": path,
                "status": status,
                "bytes": 0 if status in (204, 304) else random.randrange(150, 90000),
                "referer": random.choice((None, None, "https://example.com/", "https://news.example.org/item?id=9")),
                "agent": random.choice(agents),
            }
        )
    return sorted(rows, key=lambda r: r["time"])


@cache
def job_lines() -> list[Row]:
    """What background workers log, 8 to 12 March 2025; a job that is tried again has several lines."""
    random = Random("systems job lines")
    work = {
        "mailer": ("welcome", "digest"),
        "invoicer": ("invoices",),
        "thumbs": ("images", "avatars"),
        "sync": ("crm",),
    }
    words = {
        "info": ("done", "done", "picked up"),
        "warn": ("slow downstream", "timeout, will retry", "rate limited"),
        "error": ("gave up after timeout", "bad payload", "connection refused"),
    }
    rows = []
    for _ in range(370):
        service = random.choice(tuple(work))
        level = random.choices(tuple(words), (75, 15, 10))[0]
        rows.append(
            {
                "ts": moment_between(random, datetime(2025, 3, 8), datetime(2025, 3, 12, 9)),
                "level": level,
                "service": service,
                "queue": random.choice(work[service]),
                "job_id": random.randrange(81000, 81900),
                "attempt": random.choices((1, 2, 3, 4), (75, 15, 7, 3))[0],
                "took_ms": random.randrange(8, 9000),
                "msg": random.choice(words[level]),
            }
        )
    return sorted(rows, key=lambda r: r["ts"])


@cache
def checks() -> list[Row]:
    """Uptime checks as a monitoring service tells them; a check that is down has no latency."""
    random = Random("systems checks")
    rows = []
    for n in range(1, 141):
        status = random.choices(("up", "down", "degraded"), (80, 8, 12))[0]
        host = random.choice(("api", "www", "shop", "status"))
        rows.append(
            {
                "id": f"chk_{n:03d}",
                "label": f"{host} {random.choice(('home', 'login', 'search', 'cart'))} #{n}",
                "url": f"https://{host}.example.com/{random.choice(('', 'login', 'search?q=1', 'cart'))}",
                "target": {
                    "region": random.choice(("us-east", "eu-central", "ap-south")),
                    "protocol": random.choice(("http", "http", "tcp", "icmp")),
                },
                "interval_s": random.choice((30, 60, 60, 300, 900)),
                "paused": random.random() < 0.12,
                "last": {
                    "status": status,
                    "latency_ms": None if status == "down" else random.randrange(12, 1400),
                    "checked_at": moment_between(random, datetime(2025, 3, 12, 8), datetime(2025, 3, 12, 9, 25)),
                },
                "uptime_30d": Decimal(random.choice((10000, 9999, 9995, 9987, 9950, 9931, 9870, 9412))) / 100,
                "owner": random.choice(
                    ("core@example.com", "web@example.com", "shop@example.com", "sre@example.com", None)
                ),
            }
        )
    return rows


@cache
def readings() -> list[Row]:
    """What devices in the field report, 5 to 10 March 2025, three regions; some thermometers are broken."""
    random = Random("systems readings")
    rows = []
    for n in range(1, 541):
        region = random.choice(("eu-west", "eu-west", "us-east", "sa-east"))
        day = date(2025, 3, 5) + timedelta(days=random.randrange(6))
        rows.append(
            {
                "device_id": f"{region[:2]}{random.randrange(1, 26):03d}",
                "fw_version": random.choice(("2.3.0", "2.3.1", "2.10.0", "3.0.0-rc1")),
                "temp_c": None if n % 19 == 0 else random.randrange(-80, 620) / 10,
                "battery": random.randrange(3, 101),
                "errors": random.choices((0, 1, 2, 7), (70, 18, 9, 3))[0],
                "recorded_at": datetime(day.year, day.month, day.day) + timedelta(seconds=random.randrange(86400)),
                "region": region,
                "day": day,
            }
        )
    return rows


@cache
def vacancies() -> list[Row]:
    """A job board's postings; few have a closing day, salaries in two currencies."""
    random = Random("systems vacancies")
    places = (
        ("Vienna", "Austria"),
        ("Graz", "Austria"),
        ("Zurich", "Switzerland"),
        ("Basel", "Switzerland"),
        ("Cologne", "Germany"),
    )
    titles = {
        "Software": ("Backend Engineer", "Frontend Engineer", "Engineering Manager"),
        "Data": ("Data Engineer", "Data Analyst"),
        "Operations": ("Site Reliability Engineer", "Support Lead"),
        "Design": ("Product Designer",),
    }
    companies = ("Alpenbyte", "Rheinsoft", "Kaffeewerk", "Zahlbar", "Uhrwerk IT", "Nordlicht")
    rows = []
    for n in range(1, 121):
        city, country = random.choice(places)
        category = random.choice(tuple(titles))
        low = random.randrange(38, 96) * 1000
        posted = day_between(random, date(2024, 12, 1), date(2025, 3, 11))
        rows.append(
            {
                "reference": f"J{n:04d}",
                "title": random.choice(titles[category]),
                "company": random.choice(companies),
                "category": category,
                "location": {"city": city, "country": country},
                "salary": {
                    "currency": "CHF" if country == "Switzerland" else "EUR",
                    "from": low,
                    "to": low + random.randrange(4, 31) * 1000,
                },
                "remote": random.random() < 0.45,
                "posted": posted,
                "closes": posted + timedelta(days=random.randrange(20, 90)) if n % 3 == 0 else None,
            }
        )
    return rows
