"""The mutation suite is what it says: right closures in two forms, mutants that are wrong, a fair count of both."""

from __future__ import annotations

import ast
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
import sqlglot

from evals.data.sources import SOURCES
from evals.mutants import Dropped, judged, mended, printed, shuffled, truth_of
from evals.mutation.closures import FORMS, Right, right_closures
from evals.mutation.in_python import wrong_python
from evals.mutation.in_sql import Ground, wrong_sql
from evals.mutation.mending import NAMES, Mended, Mender, curve, names_it
from evals.mutation.mutant import Mutant
from synth.schema import Field, Schema, Table

NOW, CLOSURES = right_closures()
SCHEMA = Schema(
    (
        Table(
            "orders",
            (
                Field("id", "int64"),
                Field("city", "string"),
                Field("status", "string"),
                Field("shop", "string"),
                Field("total", "decimal128(10, 2)"),
                Field("fee", "decimal128(10, 2)", nulls=1),
                Field("placed", "date32[day]"),
            ),
        ),
    )
)
ROWS: dict[str, list[dict[str, object]]] = {
    "orders": [
        {
            "id": n,
            "city": ["Oslo", "Lyon", "Rome"][n % 3],
            "status": ["paid", "open"][n % 2],
            "shop": "north",
            "total": Decimal(n),
            "fee": None if n == 3 else Decimal(1),
            "placed": date(2024, 1, 1 + n),
        }
        for n in range(20)
    ]
}
GROUND = Ground(SCHEMA, ROWS, {}, "duckdb", ("since",))
SQL = (
    "SELECT city, AVG(fee) AS fee, COUNT(*) AS n FROM orders WHERE status = 'paid' AND total > 5 AND placed >= ? GROUP BY city"
    " ORDER BY fee DESC LIMIT 2"
)
PYTHON = '''
def closure(source, *, minimum: int = 5):
    """Fees per city."""
    fees = {}
    for row in source.query("SELECT city, status, total, fee FROM orders"):
        if row["status"] == "paid" and row["total"] > minimum and row["fee"] is not None:
            fees.setdefault(row["city"], []).append(row["fee"])
    for city, those in sorted(fees.items(), key=lambda pair: pair[0])[:2]:
        yield {"city": city, "fee": sum(those) / len(those)}
'''


def test_there_are_enough_closures_of_enough_kinds() -> None:
    kinds = {SOURCES[c.source].kind for c in CLOSURES}

    assert len(CLOSURES) >= 60
    assert len(kinds) >= 12
    assert len({c.id for c in CLOSURES}) == len({c.request for c in CLOSURES}) == len(CLOSURES)
    assert sum(bool(c.output) for c in CLOSURES) >= 12


@pytest.mark.parametrize("closure", CLOSURES, ids=lambda c: c.id)
def test_every_closure_stands_in_two_forms(closure: Right) -> None:
    for form in FORMS:
        names = {n.name for n in ast.walk(ast.parse(closure.code(form))) if isinstance(n, ast.FunctionDef)}
        assert names == {"closure"}


def test_sql_is_broken_in_one_place_at_a_time() -> None:
    wrong = list(wrong_sql(SQL, GROUND))

    ways = Counter(way for way, _, _, _ in wrong)
    assert {
        "comparison",
        "off-by-one",
        "wrong-value",
        "case",
        "ignored-filter",
        "wrong-column",
        "wrong-aggregate",
        "wrong-group",
        "truncated",
        "dropped-rows",
        "doubled-rows",
        "join-fan-out",
        "text-comparison",
        "nulls",
        "wrong-order",
        "wrong-limit",
        "hard-coded",
    } <= set(ways)
    for _way, sql, args, _broke in wrong:
        assert sqlglot.parse_one(sql, read="duckdb")
        assert sql.count("?") == len(args)
        assert sql != SQL


def test_python_is_broken_in_one_place_at_a_time() -> None:
    wrong = list(wrong_python(PYTHON, GROUND))

    ways = {way for way, _, _ in wrong}
    assert {
        "comparison",
        "off-by-one",
        "wrong-value",
        "case",
        "ignored-filter",
        "wrong-column",
        "wrong-aggregate",
        "truncated",
        "dropped-rows",
        "doubled-rows",
        "default",
        "nulls",
        "wrong-order",
        "wrong-limit",
        "hard-coded",
        "ignored-parameter",
        "swallowed-exception",
        "wrong-arithmetic",
    } <= ways
    for _way, code, _broke in wrong:
        assert ast.unparse(ast.parse(code)) != ast.unparse(ast.parse(PYTHON))


@pytest.mark.parametrize(
    ("broke", "request_text", "stated"),
    [
        ("300", "orders above 300", True),
        ("300", "orders above 3000", True),
        ("300", "all orders", False),
        ("2023-01-01", "revenue in 2023", True),
        ("unit_price", "average unit price", True),
        ("avg", "average total", True),
        ("avg", "total per city", False),
        ("order", "cities, highest first", True),
        ("pages", "revenue per city", False),
    ],
)
def test_a_request_states_what_it_names(broke: str, request_text: str, stated: bool) -> None:
    assert Mutant("off-by-one", "sql", "", broke).stated_by(request_text) == stated


def test_one_of_each_way_comes_before_a_second_of_any() -> None:
    mutants = [Mutant(way, "sql", f"{way}{n}", "") for way in ("case", "nulls", "default") for n in range(3)]

    ordered = shuffled(mutants, "seed")

    assert {m.way for m in ordered[:3]} == {"case", "nulls", "default"}
    assert ordered == shuffled(mutants, "seed")


def test_a_truth_of_nothing_is_refused() -> None:
    with pytest.raises(AssertionError, match="answers nothing"):
        truth_of(CLOSURES[0], [])


def test_a_sample_of_the_suite_is_judged_as_it_should_be() -> None:
    chosen = [c for c in CLOSURES if c.id in ("stock-c", "gym-b")]

    results = list(judged(chosen, NOW, each=3))

    right, wrong = [r for r in results if r.way == "right"], [r for r in results if r.way != "right"]
    assert [r.passed for r in right] == [True] * 4, [r.message for r in right]
    assert len(wrong) == 12
    assert not [r for r in wrong if r.expected]
    assert "right ones admitted" in printed(results, Dropped())


def test_a_model_mends_what_a_finding_names_and_nothing_else() -> None:
    mender = Mender([Mutant("wrong-order", "sql", "wrong", "order")], "right")
    findings = "<findings>\n- faithful/{}: it is wrong.\n</findings>"

    replies = [
        mender.complete([{"role": "user", "content": text}])
        for text in ("the request", findings.format("dropped-rows"), findings.format("out-of-order"))
    ]

    assert ["wrong" in r for r in replies] == [True, True, False]
    assert mender.named == ["out-of-order"]


def test_every_way_has_rules_that_name_it() -> None:
    for way in NAMES:
        assert names_it(Mutant(way, "sql", "", ""), f"- faithful/{min(NAMES[way])}: x")  # type: ignore[arg-type]  # ways


def test_the_curve_counts_what_was_mended_and_what_was_admitted_wrong() -> None:
    episodes = [
        Mended("a", ("case",), 1, True, ("finds-nothing",)),
        Mended("b", ("nulls",), 0, False, ()),
        Mended("c", ("nulls", "case"), None, False, ("wrong-values",)),
    ]

    lines = list(curve(episodes))

    assert "right 0.0 % after 0, 50.0 % after 1, 50.0 % after 2 repairs; 1 admitted wrong; of the 1 that" in lines[0]
    assert lines[2:] == [
        "    b: nulls: admitted with the mistake in it",
        "    c: nulls then case: not named by wrong-values",
    ]


def test_a_draft_is_mended_through_the_pipeline() -> None:
    episodes = list(mended([c for c in CLOSURES if c.id == "stock-c"], NOW))

    assert [len(e.ways) for e in episodes] == [1, 2]
    assert all(e.repairs is not None or e.rules for e in episodes)
