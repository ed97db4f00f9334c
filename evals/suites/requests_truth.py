"""The right answer to each request of requests.yaml, computed in plain Python over the generators' own rows."""

# ruff: noqa: E501  (the table of truths reads best with a request a line)
from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from evals.data import people, things, trade
from evals.truth import (
    AnyOf,
    Cells,
    Either,
    Row,
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

NOW = datetime(2024, 7, 15, 12)
TODAY = NOW.date()


def where(rows: Iterable[Row], **equal: object) -> list[Row]:
    """The rows with these values."""
    return [r for r in rows if all(r[name] == value for name, value in equal.items())]


def lookup(rows: Iterable[Row], key: str) -> dict[Any, Row]:
    """The rows by a unique value."""
    return {r[key]: r for r in rows}


def best(
    rows: Iterable[Row], group: Callable[[Row], object], figure: Callable[[Row], Any], count: int = 1
) -> list[Row]:
    """The rows of each group with the `count` highest figures, all that tie with the last of them included."""
    groups: dict[object, list[Row]] = {}
    for row in rows:
        if figure(row) is not None:
            groups.setdefault(group(row), []).append(row)
    chosen = []
    for members in groups.values():
        edge = sorted((figure(r) for r in members), reverse=True)[:count][-1]
        chosen += [r for r in members if figure(r) >= edge]
    return chosen


def best_exactly(
    rows: Iterable[Row], group: Callable[[Row], object], figure: Callable[[Row], Any], count: int
) -> list[Row]:
    """As `best`, with ties at the edge cut to the earlier rows."""
    taken: dict[object, int] = {}
    chosen = []
    for row in sorted((r for r in rows if figure(r) is not None), key=figure, reverse=True):
        taken[group(row)] = taken.get(group(row), 0) + 1
        if taken[group(row)] <= count:
            chosen.append(row)
    return chosen


def known_by(rows: Iterable[Row], *names: str, also: tuple[str, ...] = ()) -> AnyOf:
    """The rows by any one of the columns that tell them apart, with what else must be seen."""
    every = list(rows)
    return either(*(only(listed(every, name, *also)) for name in names))


def since_days(rows: Iterable[Row], column: str, days: int) -> list[list[Row]]:
    """The rows of the last so many days up to today, counted with and without the first day, or back from this hour."""
    cut = [r for r in rows if _day(r[column]) <= TODAY]
    ways = [[r for r in cut if _day(r[column]) >= TODAY - timedelta(days=back)] for back in (days, days - 1)]
    if any(isinstance(r[column], datetime) for r in cut):
        ways.append([r for r in cut if r[column].replace(tzinfo=None) >= NOW - timedelta(days=days)])
    return ways


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def signs(rows: AnyOf) -> AnyOf:
    """The figures of the last column as they are, or without their minus: money spent may be told either way."""
    flipped = [only([(*r[:-1], -r[-1]) for r in t.rows], t.by) for t in rows.truths]
    return either(rows, *flipped)


def orders_in(**equal: object) -> list[Row]:
    return where(trade.orders(), **equal)


def status_is(text: str) -> list[Row]:
    return [t for t in people.tickets() if t["status"].lower() == text]


def sick_days() -> AnyOf:
    who = lookup(people.employees(), "employee_no")
    sick = where(people.absences(), reason="sick")
    rows = per(sick, lambda a: who[a["employee_no"]]["department"], lambda g: total(g, "days"))
    rows += [(d["department"], 0) for d in people.departments() if d["department"] not in {r[0] for r in rows}]
    return either(only([r for r in rows if r[1]]), only(rows))


def never(rows: Iterable[Row], key: str, used: Iterable[object], *columns: str) -> AnyOf:
    """The rows that nothing points at."""
    seen = set(used)
    return only(listed([r for r in rows if r[key] not in seen], *columns))


def cancelled_share() -> AnyOf:
    return only(per(things.flights(), lambda f: f["carrier"], lambda g: percent(len(where(g, cancelled=True)), len(g))))


def busiest_weekday() -> AnyOf:
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    days = highest(per(things.flights(), lambda f: f["departed_at"].weekday(), len), 1)
    edge = [d for d in days if d[1] == days[0][1]]
    return either(*(only([(Either((n + 1, names[n], n, (n + 1) % 7)),)]) for n, _ in edge))


def borrowed() -> list[Cells]:
    title = lookup(people.books(), "id")
    return highest(per(people.loans(), lambda loan: title[loan["book_id"]]["title"], len), 1)


def in_period(rows: Iterable[Row], column: str, start: date, end: date) -> list[Row]:
    """The rows from one day to another, both included."""
    return [r for r in rows if r[column] is not None and start <= _day(r[column]) <= end]


def ward_name() -> dict[int, str]:
    return {w["id"]: w["name"] for w in people.wards()}


def many_admissions() -> AnyOf:
    name = lookup(people.patients(), "id")
    rows = per(people.admissions(), lambda a: a["patient_id"], len)
    return only([(name[who]["name"],) for who, count in rows if count > 4])


def latest_readings() -> AnyOf:
    rows = best(things.sensors(), lambda s: s["sensor"], lambda s: s["measured_at"])
    return either(
        only(listed(rows, "sensor", "measured_at", "temperature", "battery")),
        only(listed(rows, "sensor", "measured_at", "temperature")),
    )


def flat(rows: Iterable[Row]) -> list[Row]:
    """The listings with what is within lifted to the top."""
    return [{**r, **r["address"], **r["features"], "agency": r["agent"]["agency"]} for r in rows]


def homes(**equal: object) -> list[Row]:
    return where(flat(things.estates()), **equal)


def newest_homes() -> AnyOf:
    every = best(homes(), lambda h: h["city"], lambda h: h["listed_on"])
    cut = best_exactly(homes(), lambda h: h["city"], lambda h: h["listed_on"], 1)
    return either(
        only(listed(every, "city", "id")), only(listed(cut, "city", "id")), only(listed(every, "city", "listed_on"))
    )


def tickets_of(**equal: object) -> list[Row]:
    return where(people.tickets(), **equal)


def top_closer() -> AnyOf:
    closed = in_period([t for t in people.tickets() if t["agent"]], "closed_at", date(2024, 4, 1), date(2024, 6, 30))
    return first(highest(per(closed, lambda t: t["agent"], len), 1), 1, 1)


def top_vehicle() -> AnyOf:
    sums = per(things.parking(), lambda p: (p["garage"], p["vehicle"]), lambda g: total(g, "fee"))
    rows = [dict(zip(("garage", "vehicle", "fee"), r, strict=True)) for r in sums]
    return only(listed(best(rows, lambda r: r["garage"], lambda r: r["fee"]), "garage", "vehicle"))


def out_in_leeds() -> AnyOf:
    name = lookup(trade.goods(), "sku")
    return only([(name[s["sku"]]["name"],) for s in trade.stock() if s["warehouse"] == "Leeds" and s["on_hand"] == 0])


def with_car() -> list[Row]:
    """Rentals with their car's columns; unknown cars give nulls."""
    car = lookup(trade.cars(), "car_id")
    return [
        {**r, **car.get(r["car_id"], {"make": None, "model": None, "fuel": None, "category": None})}
        for r in trade.rentals()
    ]


def top_models() -> AnyOf:
    known = [r for r in with_car() if r["model"]]
    sums = per(known, lambda r: (r["category"], r["model"]), lambda g: total(g, "price"))
    rows = [dict(zip(("category", "model", "price"), r, strict=True)) for r in sums]
    return only(listed(best(rows, lambda r: r["category"], lambda r: r["price"]), "category", "model"))


def with_student() -> list[Row]:
    student = lookup(people.students(), "student_id")
    return [{**e, **student[e["student_id"]]} for e in people.exams()]


def good_students() -> AnyOf:
    rows = per(with_student(), lambda e: e["name"], lambda g: mean(g, "score"))
    return only([(name,) for name, score in rows if score is not None and score > 80])


def with_client() -> list[Row]:
    client = lookup(trade.clients(), "id")
    return [{**client[i["client_id"]], **i} for i in trade.invoices()]


def unpaid_by_client() -> AnyOf:
    unpaid = [i for i in with_client() if i["paid_on"] is None]
    merged = per(unpaid, lambda i: i["name"], lambda g: total(g, "amount"))
    apart = [(r[1], r[2]) for r in per(unpaid, lambda i: (i["client_id"], i["name"]), lambda g: total(g, "amount"))]
    return either(only(merged), only(apart))


def share_of(rows: list[Cells]) -> AnyOf:
    """The figures as percents of their sum."""
    whole = sum(r[1] for r in rows)
    return only([(r[0], float(r[1]) / float(whole) * 100) for r in rows])


def grams_of_rice() -> AnyOf:
    return one(sum(i["grams"] for r in things.recipes() for i in r["ingredients"] if i["item"] == "rice"))


def weather_in(station: str) -> list[Row]:
    return where(things.weather(), station=station)


def gifts() -> list[Row]:
    return [{**d, **d["address"]} for d in things.donations()]


TRUTH: dict[str, Callable[[], AnyOf]] = {
    "orders-01": lambda: only(highest(per([o for o in trade.orders() if o["order_date"].year == 2023], lambda o: o["country"], lambda g: total(g, "total")), 1), (1,)),
    "orders-02": lambda: one(len(orders_in(status="cancelled"))),
    "orders-03": lambda: only(highest(listed([o for o in orders_in(city="Berlin") if o["total"] > 500], "order_id", "total", "order_date"), 1), (1,)),
    "orders-04": lambda: only(per(orders_in(status="paid"), lambda o: o["category"], lambda g: mean(g, "total"))),
    "orders-05": lambda: first(highest(per(trade.orders(), lambda o: o["customer"], lambda g: total(g, "total")), 1), 3, 1),
    "orders-06": lambda: either(*(nulls_or_not(per(rows, lambda o: o["city"], len)) for rows in since_days(trade.orders(), "order_date", 30))),
    "orders-07": lambda: only([(p,) for p, units in per(trade.orders(), lambda o: o["product"], lambda g: total(g, "quantity")) if units > 130]),
    "orders-08": lambda: only(per([o for o in trade.orders() if o["order_date"].year == 2024], lambda o: month(o["order_date"], lone_year=True), lambda g: total(g, "total"))),
    "orders-09": lambda: only(listed([o for o in orders_in(status="pending") if o["coupon"] is None], "order_id", "total")),
    "orders-10": lambda: either(*(only(listed(pick(trade.orders(), lambda o: o["category"], lambda o: o["total"], 2), "category", "total")) for pick in (best, best_exactly))),
    "orders-11": lambda: share_of(per(trade.orders(), lambda o: o["category"], lambda g: total(g, "total"))),
    "orders-12": lambda: only([("Berlin",), ("Hamburg",)]),
    "orders-17": lambda: only(per([o for o in trade.orders() if o["country"] in ("France", "Italy") and o["category"] != "stationery"], lambda o: o["status"], len)),
    "staff-01": lambda: either(one(len(where(people.employees(), department="Engineering"))), one(len(where(people.employees(), department="Engineering", leave_date=None)))),
    "staff-02": lambda: only(highest(per(people.employees(), lambda e: e["department"], lambda g: mean(g, "salary")), 1), (1,)),
    "staff-03": lambda: known_by([e for e in where(people.employees(), leave_date=None) if e["hire_date"] >= date(2022, 1, 1)], "employee_no", "name"),
    "staff-04": lambda: only(listed(best(people.employees(), lambda e: e["department"], lambda e: e["salary"]), "department", "name")),
    "staff-05": sick_days,
    "staff-06": lambda: only(listed([d for d in people.departments() if d["budget"] > 1_000_000], "department")),
    "staff-07": lambda: known_by(where(people.employees(), remote=True, office="Madrid"), "employee_no", "name"),
    "staff-08": lambda: only(per(people.employees(), lambda e: year(e["hire_date"]), len)),
    "staff-09": lambda: never(people.employees(), "employee_no", (a["employee_no"] for a in people.absences()), "name"),
    "staff-10": lambda: only(per(where(people.employees(), office="Warsaw"), lambda e: e["job_title"], lambda g: middle(g, "salary"))),
    "staff-11": lambda: only(listed([e for e in people.employees() if 40_000 <= e["salary"] <= 50_000], "name", "salary")),
    "weather-01": lambda: only(per(things.weather(), lambda w: w["station"], lambda g: max(w["tmax"] for w in g))),
    "weather-02": lambda: only(per(weather_in("Bergen"), lambda w: month(w["date"], lone_year=True), lambda g: total(g, "rain_mm"))),
    "weather-03": lambda: only(listed([w for w in things.weather() if w["tmin"] < -14], "station", "date")),
    "weather-04": lambda: only(per(things.weather(), lambda w: w["sky"], lambda g: mean(g, "wind_kmh"))),
    "weather-05": lambda: only(per(where(things.weather(), sky="fog"), lambda w: w["station"], len)),
    "weather-06": lambda: first(lowest(listed(weather_in("Sofia"), "date", "tmin"), 1), 3, 1),
    "weather-07": lambda: one(len(where(things.weather(), rain_mm=None))),
    "flights-01": lambda: only(per(things.flights(), lambda f: f["carrier"], lambda g: mean(g, "delay_minutes"))),
    "flights-02": lambda: only(per(things.flights(), lambda f: (f["origin"], f["destination"]), len)),
    "flights-03": lambda: only(per(where(things.flights(), cancelled=True), lambda f: month(f["departed_at"], lone_year=True), len)),
    "flights-04": lambda: only(listed([f for f in things.flights() if (f["delay_minutes"] or 0) > 120], "flight_no", "departed_at")),
    "flights-05": lambda: one(len([f for f in things.flights() if f["origin"] == "LHR" and f["destination"] in ("JFK", "SIN")])),
    "flights-06": cancelled_share,
    "flights-07": lambda: only(per(things.flights(), lambda f: f["origin"], lambda g: min(f["fare"] for f in g))),
    "flights-08": lambda: one(len([f for f in things.flights() if f["departed_at"].month == 12 and (f["delay_minutes"] or 0) < 0])),
    "flights-09": busiest_weekday,
    "library-01": lambda: first(borrowed(), 5, 1),
    "library-02": lambda: one(len(where(people.loans(), returned_on=None))),
    "library-03": lambda: only(listed([r for r in where(people.readers(), town="Brook") if r["joined_on"].year > 2022], "name")),
    "library-04": lambda: only(per([loan for loan in people.loans() if loan["loaned_on"].year == 2023], lambda loan: lookup(people.books(), "id")[loan["book_id"]]["genre"], len)),
    "library-05": lambda: never(people.readers(), "id", (loan["reader_id"] for loan in people.loans()), "name"),
    "library-06": lambda: only(per(people.books(), lambda b: b["author"], lambda g: mean(g, "pages"))),
    "library-07": lambda: only(listed([b for b in people.books() if b["title"].startswith("The")], "title")),
    "library-08": lambda: only(listed(where(people.books(), published_year=2004), "title")),
    "library-09": lambda: only(per(people.loans(), lambda loan: year(loan["loaned_on"]), len)),
    "hospital-01": lambda: only(per(people.admissions(), lambda a: ward_name()[a["ward_id"]], len)),
    "hospital-02": lambda: one(len(where(people.admissions(), discharged_at=None))),
    "hospital-03": lambda: only(per([a for a in where(people.admissions(), emergency=True) if a["admitted_at"].year == 2024], lambda a: a["diagnosis"], lambda g: total(g, "cost"))),
    "hospital-04": lambda: known_by(where(people.patients(), blood_type="O-"), "id", "name"),
    "hospital-05": lambda: one(mean(where(people.admissions(), ward_id=1), "cost")),
    "hospital-06": lambda: one(len([p for p in people.patients() if p["birth_date"] < date(1950, 1, 1)])),
    "hospital-07": many_admissions,
    "hospital-08": lambda: only(per([a for a in people.admissions() if a["admitted_at"].year == 2024], lambda a: month(a["admitted_at"], lone_year=True), len)),
    "hospital-09": lambda: known_by(where(people.patients(), insurer=None), "id", "name"),
    "sensors-01": lambda: only(per(things.sensors(), lambda s: s["room"], lambda g: mean(g, "temperature"))),
    "sensors-02": lambda: one(max(s["humidity"] for s in where(things.sensors(), room="lab") if s["measured_at"].month == 5 and s["humidity"] is not None)),
    "sensors-03": lambda: only([(s,) for s, least in per(things.sensors(), lambda s: s["sensor"], lambda g: min(s["battery"] for s in g)) if least < 36]),
    "sensors-04": lambda: only(per([s for s in where(things.sensors(), sensor="S-01") if s["measured_at"].month == 3], lambda s: s["measured_at"].date(), len)),
    "sensors-05": latest_readings,
    "sensors-06": lambda: one(len(where(things.sensors(), humidity=None))),
    "sensors-07": lambda: only(per([s for s in where(things.sensors(), room="cellar") if s["measured_at"] >= datetime(2024, 6, 3)], lambda s: week(s["measured_at"]), lambda g: mean(g, "temperature"))),
    "matches-01": lambda: only(per(things.matches(), lambda m: m["Home"], lambda g: total(g, "Home goals"))),
    "matches-02": lambda: only(listed([m for m in things.matches() if m["Attendance"] > 50_000], "Date", "Home", "Away")),
    "matches-03": lambda: only(per(things.matches(), lambda m: m["Referee"], lambda g: mean(g, "Attendance"))),
    "matches-04": lambda: only(listed([m for m in where(things.matches(), Home="Rovers") if m["Home goals"] >= 3], "Date", "Away")),
    "matches-05": lambda: one(len([m for m in things.matches() if m["Home goals"] == m["Away goals"]])),
    "matches-06": lambda: first(highest(listed(things.matches(), "Home", "Away", "Attendance"), 2), 1, 2),
    "matches-07": lambda: only(lowest(listed(in_period(things.matches(), "Date", date(2023, 10, 1), date(2023, 10, 31)), "Date", "Home", "Away"), 0), (0,)),
    "energy-01": lambda: only(per(things.energy(), lambda e: e["city"], lambda g: total(g, "kwh"))),
    "energy-02": lambda: one(total([e for e in where(things.energy(), city="München") if e["reading_date"].year == 2023], "kwh")),
    "energy-03": lambda: only(per(things.energy(), lambda e: (e["tariff"], year(e["reading_date"])), lambda g: total(g, "cost_eur"))),
    "energy-04": lambda: only(sorted({(e["meter"],) for e in things.energy() if e["city"] in ("Köln", "Bremen")})),
    "energy-05": lambda: one(mean(where(things.energy(), meter="07003"), "cost_eur")),
    "energy-06": lambda: only(listed([e for e in things.energy() if e["kwh"] > 600], "meter", "reading_date", "kwh")),
    "energy-07": lambda: first(lowest(per([e for e in things.energy() if e["reading_date"].year == 2024], lambda e: e["city"], lambda g: total(g, "cost_eur")), 1), 1, 1),
    "estates-01": lambda: only(per(homes(), lambda h: h["city"], lambda g: mean(g, "price"))),
    "estates-02": lambda: only(listed([h for h in homes(city="Price", status="for sale") if h["price"] < 300_000], "id", "price")),
    "estates-03": lambda: one(len([h for h in homes(garden=True) if h["bedrooms"] >= 4])),
    "estates-04": lambda: first(lowest(listed(homes(), "street", "price"), 1), 5, 1),
    "estates-05": lambda: only(highest(per(homes(), lambda h: h["agency"], len), 1), (1,)),
    "estates-06": lambda: only(listed(homes(postcode="08453"), "id", "price")),
    "estates-07": lambda: one(middle(homes(status="sold"), "area_m2")),
    "estates-08": lambda: one(len(homes(year_built=None))),
    "estates-09": newest_homes,
    "tickets-01": lambda: one(len(status_is("open"))),
    "tickets-02": lambda: only(per(people.tickets(), lambda t: t["priority"], len)),
    "tickets-03": lambda: nulls_or_not(per(people.tickets(), lambda t: t["agent"], lambda g: mean(g, "first_reply_minutes"))),
    "tickets-04": lambda: only(listed([t for t in tickets_of(priority="urgent") if t["customer"]["plan"] == "business"], "ticket_id")),
    "tickets-05": lambda: only(listed([t for t in people.tickets() if "refund" in t["subject"].lower()], "ticket_id", "subject")),
    "tickets-06": lambda: either(
        one(len(in_period(people.tickets(), "opened_at", date(2024, 7, 8), date(2024, 7, 14)))),
        *(one(len(rows)) for rows in since_days(people.tickets(), "opened_at", 7)),
    ),
    "tickets-07": lambda: only(lowest(per(people.tickets(), lambda t: t["customer"]["plan"], lambda g: mean(g, "satisfaction")), 1), (1,)),
    "tickets-08": lambda: only(per(in_period(people.tickets(), "opened_at", date(2024, 6, 1), date(2024, 6, 30)), lambda t: week(t["opened_at"]), len)),
    "tickets-09": top_closer,
    "bank-01": lambda: nulls_or_not(per(trade.bank(), lambda b: b["category"], lambda g: total(g, "amount"))),
    "bank-02": lambda: signs(one(total([b for b in where(trade.bank(), category="Groceries") if b["booking_date"].year == 2023], "amount"))),
    "bank-03": lambda: first(lowest(listed(trade.bank(), "booking_date", "counterparty", "amount"), 2), 5, 2),
    "bank-04": lambda: only(per([b for b in where(trade.bank(), category="Salary") if b["booking_date"].year == 2024], lambda b: month(b["booking_date"], lone_year=True), lambda g: total(g, "amount"))),
    "bank-05": lambda: only(listed([b for b in trade.bank() if b["amount"] > 1000], "booking_date", "amount")),
    "bank-06": lambda: only([(c,) for c, count in per(trade.bank(), lambda b: b["counterparty"], len) if count > 40]),
    "bank-07": lambda: only(listed(where(trade.bank(), booking_date=date(2024, 1, 27)), "counterparty", "amount")),
    "bank-08": lambda: only(listed(where(trade.bank(), category=None), "booking_date", "counterparty", "amount")),
    "gym-01": lambda: only(per(where(people.gym(), active=True), lambda g: g["plan"], len)),
    "gym-02": lambda: only(per(people.gym(), lambda g: g["city"], lambda g: mean(g, "monthly_fee"))),
    "gym-03": lambda: known_by([m for m in people.gym() if m["joined"].year == 2023 and m["age"] > 60], "member_id", "name"),
    "gym-04": lambda: only(highest(per(people.gym(), lambda m: m["plan"], lambda g: total(g, "visits")), 1), (1,)),
    "gym-05": lambda: first(highest(listed(people.gym(), "name", "weight_kg"), 1), 3, 1),
    "gym-06": lambda: only(listed(where(people.gym(), member_id="00017"), "member_id", "name", "plan", "monthly_fee", "joined")),
    "gym-07": lambda: one(len(where(people.gym(), active=False, city="Dallas"))),
    "gym-08": lambda: known_by(best(people.gym(), lambda m: m["city"], lambda m: m["age"]), "name", "member_id", also=("city",)),
    "gym-09": lambda: one(4),
    "gym-10": lambda: only(listed(where(people.gym(), plan="Student"), "name")),
    "movies-01": lambda: first(highest(listed(things.movies(), "title", "rating"), 1), 5, 1),
    "movies-02": lambda: only(per(things.movies(), lambda m: m["director"], lambda g: mean(g, "rating"))),
    "movies-03": lambda: only(listed([m for m in where(things.movies(), genre="comedy", country="Japan") if m["year"] > 2005], "title")),
    "movies-04": lambda: only(lowest(per(things.movies(), lambda m: m["year"], len), 0), (0,)),
    "movies-05": lambda: first(highest(listed(where(things.movies(), genre="drama"), "title", "runtime"), 1), 1, 1),
    "movies-06": lambda: only(listed([m for m in things.movies() if m["votes"] >= 100_000 and m["rating"] >= Decimal("7.5")], "title")),
    "movies-07": lambda: only([(d,) for d, count in per(things.movies(), lambda m: m["director"], len) if count > 12]),
    "recipes-01": lambda: only(listed([r for r in where(things.recipes(), vegetarian=True) if r["minutes"] < 30], "name")),
    "recipes-02": lambda: only(per(things.recipes(), lambda r: r["cuisine"], lambda g: mean(g, "calories"))),
    "recipes-03": lambda: one(len([r for r in things.recipes() if any(i["item"] == "garlic" for i in r["ingredients"])])),
    "recipes-04": grams_of_rice,
    "recipes-05": lambda: only(lowest(listed(where(things.recipes(), cuisine="Thai"), "name", "minutes"), 1), (1,)),
    "recipes-06": lambda: only(per(things.recipes(), lambda r: (r["author"], r["cuisine"]), len)),
    "recipes-07": lambda: only(lowest(listed([r for r in things.recipes() if "curry" in r["name"]], "name"), 0), (0,)),
    "parking-01": lambda: only(per(things.parking(), lambda p: p["garage"], lambda g: total(g, "fee"))),
    "parking-02": lambda: only(per(in_period(things.parking(), "entered_at", date(2024, 6, 1), date(2024, 6, 7)), lambda p: p["entered_at"].date(), len)),
    "parking-03": lambda: one(len(where(things.parking(), left_at=None))),
    "parking-04": lambda: only(per(things.parking(), lambda p: p["vehicle"], lambda g: mean(g, "minutes"))),
    "parking-05": lambda: only([(p,) for p, count in per(things.parking(), lambda p: p["plate"], len) if count > 4]),
    "parking-06": lambda: only(listed(where(things.parking(), ticket="0000123"), "ticket", "plate", "garage", "fee")),
    "parking-07": lambda: only(listed([p for p in where(things.parking(), paid_by="cash", garage="Airport") if p["fee"] > 10], "ticket", "fee")),
    "parking-09": top_vehicle,
    "hits-01": lambda: only(per(things.hits(), lambda h: h["status"], len)),
    "hits-02": lambda: first(highest(per(things.hits(), lambda h: h["ip"], len), 1), 5, 1),
    "hits-03": lambda: one(len(where(things.hits(), status=404))),
    "hits-04": lambda: only(per(things.hits(), lambda h: h["path"], lambda g: total(g, "bytes"))),
    "hits-05": lambda: only(per([h for h in things.hits() if h["status"] >= 500], lambda h: h["time"].date(), len)),
    "hits-06": lambda: one(len([h for h in things.hits() if "Googlebot" in h["agent"]])),
    "hits-07": lambda: one(len([h for h in where(things.hits(), method="POST", path="/login") if h["time"].date() == date(2024, 7, 10)])),
    "events-01": lambda: only(per(where(things.events(), level="ERROR"), lambda e: Either((e["logger"], f"[{e['logger']}]")), len)),
    "events-02": lambda: only(per(things.events(), lambda e: e["level"], len)),
    "events-03": lambda: only(listed([e for e in where(things.events(), level="ERROR") if "timeout" in e["message"]], "timestamp", "message")),
    "events-04": lambda: one(len([e for e in where(things.events(), level="WARNING") if e["timestamp"].date() == date(2024, 7, 11)])),
    "events-05": lambda: only(per(where(things.events(), level="ERROR"), lambda e: e["timestamp"].date(), len)),
    "stock-01": lambda: only(per(trade.stock(), lambda s: s["warehouse"], lambda g: total(g, "on_hand"))),
    "stock-02": out_in_leeds,
    "stock-03": lambda: only(per([m for m in trade.movements() if m["moved_at"].month == 3], lambda m: m["reason"], len)),
    "stock-04": lambda: known_by([g for g in where(trade.goods(), supplier="Ironside") if g["price"] < 90], "sku", "name"),
    "stock-05": lambda: only(listed([s for s in trade.stock() if s["on_hand"] < s["reorder_level"]], "warehouse", "sku", "on_hand")),
    "stock-06": lambda: only(per(trade.goods(), lambda g: g["category"], lambda g: mean(g, "price"))),
    "stock-07": lambda: either(*(only(listed(rows, "id", "quantity")) for rows in since_days(where(trade.movements(), sku="004102"), "moved_at", 60))),
    "stock-08": lambda: only(per(where(trade.movements(), reason="delivery"), lambda m: lookup(trade.goods(), "sku")[m["sku"]]["name"], lambda g: total(g, "quantity"))),
    "cars-01": lambda: nulls_or_not(per(with_car(), lambda r: r["make"], lambda g: total(g, "price"))),
    "cars-02": lambda: nulls_or_not(per(with_car(), lambda r: r["fuel"], len)),
    "cars-03": lambda: never(trade.cars(), "car_id", (r["car_id"] for r in trade.rentals()), "make", "model"),
    "cars-04": lambda: one(total(where(with_car(), fuel="electric"), "days")),
    "cars-05": lambda: one(mean(where(trade.rentals(), branch="Harbour"), "price")),
    "cars-06": top_models,
    "school-01": lambda: only(per(with_student(), lambda e: e["class"], lambda g: mean(g, "score"))),
    "school-02": lambda: only(listed(best(with_student(), lambda e: e["subject"], lambda e: e["score"]), "subject", "name")),
    "school-03": lambda: only(per(where(people.exams(), score=None), lambda e: e["subject"], len)),
    "school-04": good_students,
    "school-05": lambda: only(listed([s for s in where(people.students(), **{"class": "7B"}) if s["born"].year == 2011], "name")),
    "billing-01": unpaid_by_client,
    "billing-02": lambda: only(per([i for i in with_client() if i["issued_on"].year == 2023], lambda i: i["segment"], lambda g: total(g, "amount"))),
    "billing-03": lambda: only(per([i for i in trade.invoices() if i["issued_on"].year == 2024], lambda i: month(i["issued_on"], lone_year=True), len)),
    "billing-04": lambda: one(len([i for i in trade.invoices() if i["paid_on"] and i["paid_on"] > i["due_on"]])),
    "billing-05": lambda: known_by([c for c in trade.clients() if c["country"] in ("Spain", "Portugal")], "id", "name"),
    "billing-06": lambda: only(per(with_client(), lambda i: i["country"], lambda g: max(i["amount"] for i in g))),
    "billing-07": lambda: known_by([i for i in where(trade.invoices(), paid_on=None) if i["due_on"] < TODAY], "id", "number"),
    "budget-01": lambda: only(per(trade.budget(), lambda b: b["region"], lambda g: total(g, "2023 Q1"))),
    "budget-02": lambda: only(listed([b for b in where(trade.budget(), region="North") if b["2024 Q2"] > 100], "department")),
    "budget-03": lambda: only(per(trade.budget(), lambda b: b["department"], lambda g: mean(g, "2024 Q1"))),
    "budget-04": lambda: one(max(b["2023 Q2"] for b in trade.budget())),
    "budget-05": lambda: first(highest(listed(trade.budget(), "region", "department", "2024 Q2"), 2), 3, 2),
    "rides-01": lambda: only(per(things.rides(), lambda r: r["bike_type"], len)),
    "rides-02": lambda: only(per(things.rides(), lambda r: r["member"], lambda g: mean(g, "distance_m"))),
    "rides-03": lambda: one(total([r for r in things.rides() if r["started_at"].month == 12], "distance_m")),
    "rides-04": lambda: first(highest(listed(things.rides(), "ride_id", "duration_s"), 1), 1, 1),
    "rides-05": lambda: one(len(where(things.rides(), start_station="Museum", end_station="Stadium"))),
    "rides-06": lambda: only(per(in_period(things.rides(), "started_at", date(2024, 1, 1), date(2024, 1, 31)), lambda r: week(r["started_at"]), len)),
    "rides-07": lambda: only(listed(where(things.rides(), end_station=None), "ride_id")),
    "rides-08": lambda: one(len([r for r in things.rides() if r["duration_s"] > 3600])),
    "repairs-01": lambda: only(per(things.repairs(), lambda r: r["mechanic"], lambda g: total(g, "price"))),
    "repairs-02": lambda: one(len(where(things.repairs(), done=False))),
    "repairs-03": lambda: only(highest(per(things.repairs(), lambda r: r["bike"], len), 1), (1,)),
    "repairs-04": lambda: one(mean(where(things.repairs(), job="full service"), "hours")),
    "repairs-05": lambda: either(*(only(listed(rows, "id", "job")) for rows in since_days(things.repairs(), "received", 7))),
    "donations-01": lambda: only(per(things.donations(), lambda d: d["campaign"], lambda g: total(g, "amount"))),
    "donations-02": lambda: nulls_or_not([r for r in per(things.donations(), lambda d: d["donor"], lambda g: total(g, "amount")) if r[1] > 1000]),
    "donations-03": lambda: one(mean(where(gifts(), city="Ghent"), "amount")),
    "donations-04": lambda: one(len(where(things.donations(), donor=None))),
    "donations-05": lambda: only(per(things.donations(), lambda d: month(d["given_at"], lone_year=True), lambda g: total(g, "amount"))),
    "donations-06": lambda: only(per(where(gifts(), recurring=True), lambda d: d["country"], len)),
    "issues-01": lambda: known_by(where(things.tasks(), state="open", label="bug"), "number", "title"),
    "issues-02": lambda: nulls_or_not(per(things.tasks(), lambda t: t["assignee"], len)),
    "issues-03": lambda: known_by([t for t in things.tasks() if t["created_at"].year == 2024 and t["comments"] > 20], "number", "title"),
    "issues-04": lambda: either(*(first(highest(listed(things.tasks(), name, "comments"), 1), 1, 1) for name in ("number", "title"))),
    "issues-05": lambda: one(len(where(things.tasks(), state="open", assignee=None))),
    "bookings-01": lambda: only(per(things.bookings(), lambda b: b["room_type"], lambda g: total(g, "nights"))),
    "bookings-02": lambda: only(per([b for b in things.bookings() if b["arrival"].month == 8], lambda b: b["channel"], len)),
    "bookings-03": lambda: one(mean(where(things.bookings(), room_type="suite", breakfast=True), "price_per_night")),
    "bookings-04": lambda: only([(g,) for g, count in per(things.bookings(), lambda b: b["guest"], len) if count >= 5]),
    "bookings-05": lambda: only(listed([b for b in where(things.bookings(), room_type="suite") if 6 <= b["nights"] <= 8], "booking_id")),
    "lectures-01": lambda: only(per(things.lectures(), lambda x: x["faculty"], lambda g: total(g, "enrolled"))),
    "lectures-02": lambda: known_by([x for x in things.lectures() if x["enrolled"] > x["capacity"]], "code", "title"),
    "lectures-03": lambda: known_by(where(things.lectures(), credits=10, term="2024-spring"), "code", "title"),
    "lectures-04": lambda: either(*(first(lowest(listed(things.lectures(), name, "enrolled"), 1), 3, 1) for name in ("code", "title"))),
    "lectures-05": lambda: only(listed([x for x in things.lectures() if x["title"].startswith("Advanced")], "code", "title")),
    "coffee-01": lambda: only(per(trade.coffee(), lambda c: (c["shop"], month(c["day"], lone_year=True)), lambda g: total(g, "revenue"))),
    "coffee-02": lambda: one(total([c for c in where(trade.coffee(), drink="latte") if c["day"].month == 3], "cups")),
    "coffee-03": lambda: first(highest(per(trade.coffee(), lambda c: c["drink"], lambda g: total(g, "cups")), 1), 1, 1),
    "coffee-04": lambda: only(listed([c for c in where(trade.coffee(), shop="Station", drink="espresso") if c["cups"] > 55], "day")),
    "coffee-05": lambda: first(lowest(per([c for c in trade.coffee() if c["day"].month == 6], lambda c: c["shop"], lambda g: total(g, "cups")), 1), 2, 1),
    "coffee-06": lambda: share_of(per(trade.coffee(), lambda c: c["drink"], lambda g: total(g, "revenue"))),
    "coffee-09": lambda: first(highest(per(trade.coffee(), lambda c: c["day"], lambda g: total(g, "revenue")), 1), 3, 1),
}  # fmt: skip
