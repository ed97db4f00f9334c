"""The right answer to each request of systems.yaml, computed in plain Python over the generators' own rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from evals.data import systems_rows as rows
from evals.suites.requests_truth import best, best_exactly, known_by, lookup, where
from evals.truth import (
    AnyOf,
    Cells,
    Row,
    either,
    first,
    highest,
    listed,
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
)  # fmt: skip

NOW = datetime(2025, 3, 12, 9, 30)
TODAY = NOW.date()


def joined(many: Iterable[Row], key: str, ones: Sequence[Row], other: str = "") -> list[Row]:
    """The rows with the columns of what their key leads to, its own winning; those that lead nowhere get nulls."""
    found = lookup(ones, other or key)
    return [{**found.get(r[key], dict.fromkeys(ones[0])), **r} for r in many]


def flat(row: Row, before: str = "") -> Row:
    """The row with what is nested in it as columns like `user.plan`; lists stay as they are."""
    out: Row = {}
    for name, value in row.items():
        out |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return out


def days_back(made: Iterable[Row], column: str, days: int) -> list[list[Row]]:
    """The rows of the last so many days, counted with and without the first day, and back from this hour."""
    past = [r for r in made if r[column] <= NOW]
    ways = [[r for r in past if r[column].date() >= TODAY - timedelta(days=back)] for back in (days, days - 1)]
    return [*ways, [r for r in past if r[column] >= NOW - timedelta(days=days)]]


def just(answer: AnyOf, *columns: int, by: tuple[int, ...] | None = None) -> AnyOf:
    """Only these columns of the answers: the others served to rank, and need not be shown."""
    return either(*(only([tuple(r[c] for c in columns) for r in t.rows], by) for t in answer.truths))


def each_way(made: Sequence[Row], names: Sequence[str], answer: Callable[[str], AnyOf]) -> AnyOf:
    """The answer with groups known by any one of these columns."""
    assert made
    return either(*(answer(name) for name in names))


def count_per(made: Iterable[Row], *names: str) -> list[Cells]:
    """How many rows there are for each value (or values)."""
    return per(made, lambda r: tuple(r[n] for n in names), len)


def leaders(made: Iterable[Row], group: str, figure: Callable[[Row], Any], *shown: str, count: int = 1) -> AnyOf:
    """The rows with the highest figures of each group, ties at the edge kept or cut."""
    every = list(made)
    chosen = (
        best(every, lambda r: r[group], figure, count),
        best_exactly(every, lambda r: r[group], figure, count),
        best_exactly(every[::-1], lambda r: r[group], figure, count),
    )
    return either(*(only(listed(c, *shown)) for c in chosen))


def unique(made: Iterable[Row], *names: str) -> AnyOf:
    """The different rows, known by any one of these columns."""
    every = list(made)
    return either(*(only([(v,) for v in dict.fromkeys(r[name] for r in every)]) for name in names))


def live_subs() -> list[Row]:
    """Subscriptions that were not cancelled, with their plan and organisation."""
    return joined(joined(where(rows.subs(), cancelled_on=None), "plan_code", rows.plans()), "org_id", rows.orgs())


def deployed() -> list[Row]:
    """Deployments with their service."""
    return joined(rows.deployments(), "svc", rows.services())


def broken() -> list[Row]:
    """Incidents with their service."""
    return joined(rows.incidents(), "svc", rows.services())


def shipped() -> list[Row]:
    """Parcels with their customer: name, city, vip."""
    return joined(rows.parcels(), "customer_id", rows.consignees())


def carried() -> list[Row]:
    """Parcels that are on a route, with its driver and van."""
    on_route = joined([p for p in rows.parcels() if p["route_no"]], "route_no", rows.routes())
    return joined(joined(on_route, "driver_id", rows.drivers()), "plate", rows.vans())


def bought() -> list[Row]:
    """Licences with their vendor."""
    return joined(rows.licences(), "Vendor ID", [flat(v) for v in rows.vendors()], "vendorId")


def trips() -> list[Row]:
    """Trips, flat."""
    return [flat(t) for t in rows.trips()]


def events() -> list[Row]:
    """Events, flat, with the two members of `props` that requests are about."""
    return [{"props.amount_cents": None, "props.error_code": None, **flat(e)} for e in rows.app_events()]


def checks() -> list[Row]:
    """Checks, flat."""
    return [flat(c) for c in rows.checks()]


def vacancies() -> list[Row]:
    """Postings, flat."""
    return [flat(v) for v in rows.vacancies()]


def slow_jobs() -> AnyOf:
    """Two jobs a service: by their slowest line, or by the time of all their lines together."""
    lines = rows.job_lines()
    sums = [
        {"service": s, "job_id": j, "took_ms": ms}
        for s, j, ms in per(lines, lambda r: (r["service"], r["job_id"]), lambda g: total(g, "took_ms"))
    ]
    tops = [
        {"service": s, "job_id": j, "took_ms": ms}
        for s, j, ms in per(lines, lambda r: (r["service"], r["job_id"]), lambda g: max(r["took_ms"] for r in g))
    ]
    return either(
        *(
            leaders(ranked, "service", lambda r: r["took_ms"], "service", "job_id", count=2)
            for ranked in (lines, tops, sums)
        )
    )


def cost_shares() -> AnyOf:
    """Of the annual cost per owner team: the unknown team in the list, or not, or not even in the whole."""
    known = [r for r in rows.licences() if r["Owner team"]]

    def shares(made: list[Row], whole: Any) -> AnyOf:
        return only(per(made, lambda r: r["Owner team"], lambda g: percent(total(g, "Annual cost"), whole)))

    everything = total(rows.licences(), "Annual cost")
    return either(
        shares(rows.licences(), everything), shares(known, everything), shares(known, total(known, "Annual cost"))
    )


def failing_shares() -> AnyOf:
    """Per path, how much of it failed (also without the paths where nothing did), or how much of all failures it has."""
    made = rows.requests_served()
    failed = [r for r in made if r["status"] >= 500]
    each = per(made, lambda r: r["path"], lambda g: percent(sum(r["status"] >= 500 for r in g), len(g)))
    bad = {r["path"] for r in failed}
    return either(
        only(each),
        only(r for r in each if r[0] in bad),
        only(per(failed, lambda r: r["path"], lambda g: percent(len(g), len(failed)))),
    )


def slow_stagings() -> AnyOf:
    """The five slowest deployments to staging, by their number or by service and version."""
    ranked = sorted(
        (d for d in where(rows.deployments(), env="staging") if d["duration_s"]), key=lambda d: -d["duration_s"]
    )[:5]
    return either(only(listed(ranked, "id"), (0,)), only(listed(ranked, "svc", "version", "duration_s"), (2,)))


def longest_team() -> AnyOf:
    """The team with the longest mean duration; nobody's services are no team, but who counts them gets their null."""
    ranked = highest(per(deployed(), lambda d: d["team"], lambda g: mean(g, "duration_s")), 1)
    known = [r for r in ranked if r[0] is not None]
    return either(just(only(known[:1]), 0), just(only(ranked[:1]), 0))


def undelivered() -> AnyOf:
    """Heavy parcels without a delivery; who sees returned and lost ones as settled leaves them out."""
    heavy = [p for p in rows.parcels() if p["weight_kg"] > 25 and p["delivered_at"] is None]
    return either(
        known_by(heavy, "tracking_no"),
        known_by([p for p in heavy if p["status"] not in ("returned", "lost")], "tracking_no"),
    )


def renewing() -> AnyOf:
    """Tools that renew by themselves before May: all of the list, or those that are yet to do so."""
    early = [r for r in where(rows.licences(), **{"Auto-renew?": True}) if r["Renewal date"] < date(2025, 5, 1)]
    return either(
        *(
            known_by([r for r in early if r["Renewal date"] >= day], "Tool", "Ref")
            for day in (date.min, TODAY, TODAY + timedelta(days=1))
        )
    )


def richest() -> AnyOf:
    """Five travellers with their points; a traveller counts once, however often they travelled."""
    people = {
        (t["traveller.name"], t["traveller.loyalty.points"], t["traveller.email"])
        for t in trips()
        if t["traveller.loyalty.points"]
    }
    return just(first(highest(people, 1), 5, 1), 0, 1, by=(1,))


def ranked_routes() -> AnyOf:
    """Three drivers by parcels delivered in 2025."""
    done = [p for p in carried() if p["delivered_at"] and p["delivered_at"].year == 2025]
    return each_way(
        done, ("full_name", "driver_id"), lambda name: just(first(highest(count_per(done, name), 1), 3, 1), 0)
    )


def routes_driven() -> AnyOf:
    """Routes per driver, most first; with or without the drivers who have none."""
    driven = highest(count_per(joined(rows.routes(), "driver_id", rows.drivers()), "full_name"), 1)
    idle = [(d["full_name"], 0) for d in rows.drivers() if d["full_name"] not in {name for name, _ in driven}]
    return either(only(driven, (1,)), only([*driven, *idle], (1,)))


def plan_use() -> AnyOf:
    """Organisations per plan, highest first; with or without the plan that nobody is on."""

    def per_plan(name: str) -> AnyOf:
        used = highest(per(live_subs(), lambda s: s[name], lambda g: len({s["org_id"] for s in g})), 1)
        idle = [(p[name], 0) for p in rows.plans() if p[name] not in {u[0] for u in used}]
        return either(only(used, (1,)), only([*used, *idle], (1,)))

    return each_way(live_subs(), ("plan_code", "title"), per_plan)


def in_month(moment: date, year: int, number: int) -> bool:
    """Whether it falls into this month."""
    return (moment.year, moment.month) == (year, number)


TRUTH: dict[str, Callable[[], AnyOf]] = {
    "workspace-01": lambda: nulls_or_not(count_per(rows.orgs(), "country_code")),
    "workspace-02": lambda: one(len(where(rows.members(), mfa_enabled=True))),
    "workspace-03": lambda: nulls_or_not(
        highest(per(live_subs(), lambda s: s["industry"], lambda g: total(g, "seats")), 1), (1,)
    ),
    "workspace-04": lambda: each_way(
        rows.members(),
        ("org_name", "org_id"),
        lambda n: just(first(highest(count_per(joined(rows.members(), "org_id", rows.orgs()), n), 1), 5, 1), 0),
    ),
    "workspace-05": lambda: only(
        listed(where(joined(rows.members(), "org_id", rows.orgs()), role="owner", country_code="SE"), "email")
    ),
    "workspace-06": lambda: known_by(
        [o for o in rows.orgs() if o["signed_up_on"].year == 2024 and o["churned_on"]], "org_id", "org_name"
    ),
    "workspace-07": lambda: nulls_or_not(per(live_subs(), lambda s: s["industry"], lambda g: mean(g, "monthly_usd"))),
    "workspace-08": lambda: one(
        total([f for f in where(rows.feature_use(), feature="exports") if in_month(f["used_on"], 2025, 2)], "clicks")
    ),
    "workspace-09": plan_use,
    "workspace-10": lambda: known_by(
        [m for m in rows.members() if m["member_id"] not in {f["member_id"] for f in rows.feature_use()}],
        "member_id",
        "email",
    ),
    "workspace-13": lambda: only(
        per(joined(rows.feature_use(), "member_id", rows.members()), lambda f: f["role"], lambda g: total(g, "clicks"))
    ),
    "delivery-01": lambda: only(count_per(rows.deployments(), "env")),
    "delivery-02": lambda: either(
        *(known_by(where(way, outcome="failed"), "id") for way in days_back(rows.deployments(), "started_at", 7))
    ),
    "delivery-03": lambda: nulls_or_not(
        count_per([d for d in where(deployed(), env="production") if in_month(d["started_at"], 2025, 1)], "team")
    ),
    "delivery-04": longest_team,
    "delivery-05": lambda: known_by(where(broken(), severity="SEV1", tier=1), "inc_no"),
    "delivery-06": lambda: leaders(
        rows.deployments(), "svc", lambda d: d["started_at"], "svc", "version", "started_at"
    ),
    "delivery-07": lambda: known_by(where(rows.incidents(), resolved_at=None), "inc_no"),
    "delivery-08": lambda: one(percent(len(where(rows.deployments(), outcome="rolled back")), len(rows.deployments()))),
    "delivery-09": lambda: just(only(r for r in count_per(where(broken(), severity="SEV1"), "team") if r[1] >= 4), 0),
    "delivery-10": slow_stagings,
    "delivery-11": lambda: only(listed(where(joined(rows.services(), "team", rows.teams()), svc="checkout"), "lead")),
    "delivery-13": lambda: only(
        per(
            [d for d in rows.deployments() if d["started_at"] >= datetime(2025, 2, 3)],
            lambda d: week(d["started_at"]),
            len,
        )
    ),
    "delivery-14": lambda: only(per(broken(), lambda i: i["language"], lambda g: total(g, "customers_hit"))),
    "parcels-01": lambda: only(count_per(rows.parcels(), "status")),
    "parcels-02": lambda: one(len(where(rows.drivers(), left_on=None))),
    "parcels-03": lambda: only(
        highest(
            per(
                joined(
                    joined([r for r in rows.routes() if r["route_date"].year == 2025], "driver_id", rows.drivers()),
                    "depot_id",
                    rows.depots(),
                ),
                lambda r: r["name"],
                lambda g: total(g, "km"),
            ),
            1,
        ),
        (1,),
    ),
    "parcels-04": lambda: unique(where(shipped(), vip=True, status="returned"), "name", "customer_id"),
    "parcels-05": undelivered,
    "parcels-06": ranked_routes,
    "parcels-07": lambda: only(
        per(where(carried(), electric=True), lambda p: p["model"], lambda g: mean(g, "weight_kg"))
    ),
    "parcels-08": lambda: known_by(
        [p for p in where(shipped(), city="Ghent") if p["declared_value"] and 500 <= p["declared_value"] <= 1000],
        "tracking_no",
    ),
    "parcels-09": lambda: known_by(
        [c for c in rows.consignees() if c["customer_id"] not in {p["customer_id"] for p in rows.parcels()}],
        "name",
        "customer_id",
    ),
    "parcels-10": lambda: one(len({p["customer_id"] for p in rows.parcels() if in_month(p["created_at"], 2025, 2)})),
    "parcels-11": lambda: only(
        listed(
            joined(where(rows.scans(), kind="damaged"), "depot_id", rows.depots()), "tracking_no", "scanned_at", "name"
        )
    ),
    "parcels-13": lambda: just(
        only(
            r for r in per(shipped(), lambda p: p["city"], lambda g: (mean(g, "declared_value"), len(g))) if r[2] > 60
        ),
        0,
        1,
    ),
    "parcels-15": lambda: only(listed(where(rows.parcels(), tracking_no="000007919"), "status")),
    "licences-01": lambda: one(total(rows.licences(), "Annual cost")),
    "licences-02": lambda: nulls_or_not(
        highest(per(bought(), lambda r: r["name"], lambda g: total(g, "Annual cost")), 1), (1,)
    ),
    "licences-03": lambda: known_by(
        [r for r in rows.licences() if r["Utilisation"] is not None and r["Utilisation"] < 20], "Tool", "Ref"
    ),
    "licences-04": lambda: known_by(where(bought(), soc2=False), "Tool", "Ref"),
    "licences-05": renewing,
    "licences-06": lambda: one(total(where(bought(), **{"hq.country": "Germany"}), "Annual cost")),
    "licences-07": lambda: nulls_or_not(per(bought(), lambda r: r["hq.country"], lambda g: total(g, "Seats used"))),
    "licences-08": lambda: known_by(where(rows.licences(), **{"Owner team": None}), "Tool", "Ref"),
    "licences-09": cost_shares,
    "licences-11": lambda: known_by(
        [v for v in rows.vendors() if v["vendorId"] not in {r["Vendor ID"] for r in rows.licences()}],
        "name",
        "vendorId",
    ),
    "licences-12": lambda: one(len(where(rows.licences(), **{"Auto-renew?": False}))),
    "trips-01": lambda: only(count_per(trips(), "channel")),
    "trips-02": lambda: one(len(where(trips(), **{"traveller.loyalty.tier": "gold"}))),
    "trips-03": lambda: only(per(trips(), lambda t: t["traveller.loyalty.tier"], lambda g: mean(g, "fare.amount"))),
    "trips-04": lambda: known_by(
        where(trips(), **{"route.from.airport": "LIS", "route.to.country": "Germany"}), "tripId"
    ),
    "trips-05": lambda: known_by(
        [t for t in where(trips(), **{"fare.refundable": False}) if t["fare.amount"] > 2000], "tripId"
    ),
    "trips-06": lambda: just(
        first(highest(per(trips(), lambda t: t["route.to.airport"], lambda g: total(g, "fare.amount")), 1), 3, 1), 0
    ),
    "trips-07": lambda: only(
        per([t for t in trips() if t["bookedAt"].year == 2024], lambda t: month(t["bookedAt"], lone_year=True), len)
    ),
    "trips-08": lambda: only([(t["tripId"], sum(leg["minutes"] for leg in t["legs"])) for t in trips()]),
    "trips-09": lambda: known_by([t for t in trips() if "gmail" in t["traveller.email"]], "tripId"),
    "trips-10": lambda: known_by(where(trips(), bags=None), "tripId"),
    "trips-12": lambda: only(per(trips(), lambda t: t["channel"], lambda g: middle(g, "fare.amount"))),
    "trips-13": richest,
    "events-01": lambda: only(count_per(events(), "event")),
    "events-02": lambda: only(count_per(where(events(), event="crash"), "device.os")),
    "events-03": lambda: only(
        per(
            where(events(), event="checkout_completed"),
            lambda e: e["user.country"],
            lambda g: total(g, "props.amount_cents"),
        )
    ),
    "events-04": lambda: one(
        len({e["user.id"] for e in where(events(), event="payment_failed") if e["ts"].date() == date(2025, 3, 11)})
    ),
    "events-05": lambda: first(
        highest(count_per([e for e in events() if e["props.error_code"]], "props.error_code"), 1), 1, 1
    ),
    "events-06": lambda: only(
        per(events(), lambda e: e["user.plan"], lambda g: percent(len(where(g, event="crash")), len(g)))
    ),
    "events-07": lambda: only(
        per(where(events(), event="checkout_completed"), lambda e: e["device.os"], lambda g: middle(g, "ms"))
    ),
    "events-08": lambda: only(
        listed(
            [
                e
                for e in where(events(), **{"device.os": "Android", "user.country": "Brazil"})
                if e["user.plan"] in ("plus", "pro")
            ],
            "ts",
            "event",
        )
    ),
    "events-09": lambda: only(
        listed([e for e in events() if e["props.error_code"] and e["ms"] and e["ms"] >= 2000], "ts")
    ),
    "events-10": lambda: either(
        *(
            only(per(way, lambda e: e["ts"].date(), lambda g: len({e["user.id"] for e in g})))
            for way in days_back(events(), "ts", 14)
        )
    ),
    "events-12": lambda: only([(s,) for s, n in Counter(e["session_id"] for e in events()).items() if n > 7]),
    "events-13": lambda: one(
        mean(
            [
                e
                for e in where(events(), event="checkout_completed", **{"device.os": "iOS"})
                if in_month(e["ts"], 2025, 3)
            ],
            "props.amount_cents",
        )
    ),
    "gateway-01": lambda: only(count_per(rows.requests_served(), "status")),
    "gateway-02": lambda: one(len(where(rows.requests_served(), status=404))),
    "gateway-03": lambda: just(first(highest(count_per(rows.requests_served(), "path"), 1), 4, 1), 0),
    "gateway-04": lambda: only(
        highest(per(rows.requests_served(), lambda r: r["method"], lambda g: total(g, "bytes")), 1), (1,)
    ),
    "gateway-05": lambda: unique([r for r in rows.requests_served() if r["status"] in (401, 403)], "ip"),
    "gateway-06": failing_shares,
    "gateway-07": lambda: only(
        listed(
            [
                r
                for r in rows.requests_served()
                if r["path"].startswith("/api/v2") and r["time"].date() == date(2025, 3, 10)
            ],
            "time",
            "path",
        )
    ),
    "gateway-08": lambda: only(
        per([r for r in rows.requests_served() if in_month(r["time"], 2025, 3)], lambda r: r["time"].date(), len)
    ),
    "gateway-09": lambda: one(sum("bot" in r["agent"].lower() for r in rows.requests_served())),
    "worker-01": lambda: only(count_per(where(rows.job_lines(), level="error"), "service")),
    "worker-02": lambda: first(highest(listed(rows.job_lines(), "ts", "took_ms"), 1), 10, 1),
    "worker-03": lambda: only(per(rows.job_lines(), lambda r: r["queue"], lambda g: mean(g, "took_ms"))),
    "worker-04": lambda: one(sum(r["attempt"] >= 3 for r in rows.job_lines())),
    "worker-05": lambda: only(
        listed(
            [
                r
                for r in where(rows.job_lines(), service="mailer")
                if r["level"] in ("warn", "error") and r["ts"].date() == date(2025, 3, 10)
            ],
            "ts",
            "level",
        )
    ),
    "worker-06": lambda: only([(j,) for j, n in Counter(r["job_id"] for r in rows.job_lines()).items() if n > 2]),
    "worker-07": lambda: only(
        listed([r for r in rows.job_lines() if "timeout" in r["msg"] and r["level"] != "error"], "ts", "msg")
    ),
    "worker-08": slow_jobs,
    "checks-01": lambda: one(len(where(checks(), paused=True))),
    "checks-02": lambda: only(count_per(where(checks(), **{"last.status": "down"}), "target.region")),
    "checks-03": lambda: known_by(
        [c for c in checks() if (c["last.latency_ms"] or 0) > 1200 or c["last.status"] == "degraded"], "id", "label"
    ),
    "checks-04": lambda: only(
        per(checks(), lambda c: (c["target.region"], c["target.protocol"]), lambda g: mean(g, "last.latency_ms"))
    ),
    "checks-05": lambda: known_by([c for c in checks() if float(c["uptime_30d"]) < 99.5], "id", "label"),
    "checks-06": lambda: either(
        *(
            leaders(checks(), "target.region", lambda c: c["last.latency_ms"], "target.region", name)
            for name in ("id", "label")
        )
    ),
    "checks-07": lambda: nulls_or_not(
        [(owner,) for owner, n in Counter(c["owner"] for c in checks()).items() if n >= 30]
    ),
    "checks-08": lambda: one(sum(c["url"].startswith("https://shop") for c in checks())),
    "checks-09": lambda: unique(checks(), "interval_s"),
    "telemetry-01": lambda: only(count_per(rows.readings(), "region")),
    "telemetry-02": lambda: only(
        per(where(rows.readings(), region="eu-west"), lambda r: r["day"], lambda g: mean(g, "temp_c"))
    ),
    "telemetry-03": lambda: only(
        per(
            rows.readings(),
            lambda r: r["fw_version"],
            lambda g: (max(r["errors"] for r in g), min(r["battery"] for r in g)),
        )
    ),
    "telemetry-04": lambda: only(
        listed(
            [r for r in where(rows.readings(), day=date(2025, 3, 9)) if r["battery"] < 10], "device_id", "recorded_at"
        )
    ),
    "telemetry-05": lambda: leaders(
        [
            {"region": a, "device_id": b, "errors": n}
            for a, b, n in per(rows.readings(), lambda r: (r["region"], r["device_id"]), lambda g: total(g, "errors"))
        ],
        "region",
        lambda r: r["errors"],
        "region",
        "device_id",
    ),
    "telemetry-06": lambda: only(
        per(rows.readings(), lambda r: r["fw_version"], lambda g: len({r["device_id"] for r in g}))
    ),
    "telemetry-07": lambda: only(count_per(where(rows.readings(), temp_c=None), "region")),
    "telemetry-08": lambda: only([(d,) for d, n in Counter(r["device_id"] for r in rows.readings()).items() if n < 3]),
    "telemetry-09": lambda: first(
        highest(listed(rows.readings(), "device_id", "recorded_at", "temp_c"), 2), 5, 2, (2,)
    ),
    "jobs-01": lambda: only(count_per(vacancies(), "category")),
    "jobs-02": lambda: one(len(where(vacancies(), remote=True, **{"location.country": "Austria"}))),
    "jobs-03": lambda: only(per(vacancies(), lambda v: v["location.country"], lambda g: mean(g, "salary.from"))),
    "jobs-04": lambda: known_by([v for v in vacancies() if v["salary.from"] > 90000], "reference"),
    "jobs-05": lambda: known_by(
        [v for v in where(vacancies(), **{"location.city": "Zurich"}) if in_month(v["posted"], 2025, 2)], "reference"
    ),
    "jobs-06": lambda: only(
        per(
            where(vacancies(), **{"salary.currency": "CHF"}),
            lambda v: v["company"],
            lambda g: max(v["salary.to"] for v in g),
        )
    ),
    "jobs-07": lambda: just(only(r for r in highest(count_per(vacancies(), "company"), 1) if r[1] >= 20), 0, by=(0,)),
    "jobs-08": lambda: known_by(
        [v for v in vacancies() if "engineer" in v["title"].lower() and v["category"] != "Data"], "reference"
    ),
    "jobs-09": lambda: one(len(where(vacancies(), closes=None))),
    "jobs-10": lambda: leaders(
        vacancies(), "location.city", lambda v: v["posted"], "location.city", "reference", count=2
    ),
    "workspace-14": lambda: unique(where(joined(rows.subs(), "org_id", rows.orgs()), plan_code="biz"), "org_name"),
    "delivery-15": lambda: nulls_or_not(count_per(joined(deployed(), "team", rows.teams()), "lead")),
    "parcels-16": routes_driven,
    "licences-13": lambda: known_by(
        [r for r in bought() if r["rating"] is not None and r["rating"] < 3], "Tool", "Ref"
    ),
    "trips-14": lambda: only(count_per(trips(), "traveller.loyalty.tier")),
    "events-14": lambda: only(count_per(events(), "device.app_version")),
    "checks-11": lambda: one(len(where(checks(), **{"target.protocol": "tcp"}))),
}
