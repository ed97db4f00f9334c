"""The scorer: what it takes for the same, and what it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from evals.score import right, same
from evals.truth import AnyOf, Either, either, first, highest, month, nulls_or_not, one, only, percent


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1, Decimal("1.00")),
        (0.1 + 0.2, 0.3),
        (Decimal("24.0296907"), Decimal("24.03")),
        (Decimal("24.0296907"), 24.0296907),
        (date(2024, 3, 1), "2024-03-01"),
        (date(2024, 3, 1), datetime(2024, 3, 1)),
        (datetime(2024, 3, 1, 8), datetime(2024, 3, 1, 8, tzinfo=UTC)),
        (datetime(2024, 3, 1, 8), "2024-03-01T08:00:00Z"),
        (None, ""),
        ("Oslo", "Oslo "),
        (True, True),
    ],
)
def test_values_that_are_the_same(expected: object, got: object) -> None:
    assert same(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1, 2),
        (100, 100.01),
        (Decimal("24.0296907"), Decimal("24.04")),
        (Decimal("24.0296907"), Decimal("24.0")),
        (0.0123, 0.01),
        (7, "7"),
        ("007", 7),
        ("Oslo", "oslo"),
        (None, 0),
        (1, True),
        (date(2024, 3, 1), date(2024, 3, 2)),
        (date(2024, 3, 1), "2024-03"),
    ],
)
def test_values_that_are_not_the_same(expected: object, got: object) -> None:
    assert not same(expected, got)


def test_columns_are_matched_by_what_they_hold_and_not_by_name() -> None:
    truth = only([("a", 1, 2), ("b", 2, 1)])

    assert right([{"x": 2, "y": "a", "z": 1}, {"x": 1, "y": "b", "z": 2}], truth)
    assert not right([{"x": 2, "y": "b", "z": 1}, {"x": 2, "y": "a", "z": 1}], truth)


def test_two_columns_with_the_same_values_are_told_apart_by_their_rows() -> None:
    truth = only([("a", 1, 5), ("b", 5, 1)])

    assert right([{"k": "a", "m": 5, "n": 1}, {"k": "b", "m": 1, "n": 5}], truth)
    assert not right([{"k": "a", "m": 5, "n": 5}, {"k": "b", "m": 1, "n": 1}], truth)


def test_a_column_cannot_stand_for_two() -> None:
    assert not right([{"k": "a", "n": 1}], only([("a", 1, 1)]))


def test_missing_columns_are_wrong_and_extra_ones_only_when_forbidden() -> None:
    truth = only([("a",), ("b",)])
    records = [{"k": "a", "n": 1}, {"k": "b", "n": 2}]

    assert right(records, truth)
    assert not right(records, truth, extra_ok=False)
    assert not right([{"n": 1}, {"n": 2}], truth)


def test_rows_count_as_often_as_they_come() -> None:
    truth = only([("a",), ("a",), ("b",)])

    assert right([{"k": "b"}, {"k": "a"}, {"k": "a"}], truth)
    assert not right([{"k": "b"}, {"k": "b"}, {"k": "a"}], truth)
    assert not right([{"k": "a"}, {"k": "b"}], truth)
    assert right([], only([]))
    assert not right([{"k": "a"}], only([]))


def test_the_order_counts_where_it_was_asked_for_and_ties_may_stand_either_way() -> None:
    truth = only([("a", 3), ("b", 2), ("c", 2)], by=(1,))

    assert right([{"k": "a", "n": 3}, {"k": "c", "n": 2}, {"k": "b", "n": 2}], truth)
    assert not right([{"k": "b", "n": 2}, {"k": "a", "n": 3}, {"k": "c", "n": 2}], truth)


def test_a_column_is_held_to_one_way_of_writing() -> None:
    truth = only([(month(date(2024, 1, 31)), 1), (month(date(2024, 2, 29)), 2)])

    assert right([{"m": "2024-01", "n": 1}, {"m": "2024-02", "n": 2}], truth)
    assert right([{"m": date(2024, 1, 1), "n": 1}, {"m": "2024-02-01", "n": 2}], truth)
    assert not right([{"m": "2024-01", "n": 1}, {"m": "2024-02-01", "n": 2}], truth)


def test_a_share_may_be_a_percentage_or_a_part_of_one() -> None:
    truth = only([("x", percent(1, 4)), ("y", percent(3, 4))])

    assert right([{"k": "x", "share": 25}, {"k": "y", "share": 75}], truth)
    assert right([{"k": "x", "share": 0.25}, {"k": "y", "share": 0.75}], truth)
    assert not right([{"k": "x", "share": 0.25}, {"k": "y", "share": 75}], truth)


def test_rounding_does_not_pair_the_wrong_rows() -> None:
    truth = only([("a", 1.004), ("a", 1.006)])

    assert right([{"k": "a", "n": 1.01}, {"k": "a", "n": 1.0}], truth)
    assert not right([{"k": "a", "n": 1.01}, {"k": "a", "n": 1.02}], truth)


def test_ties_at_the_edge_may_be_kept_or_cut() -> None:
    truth = first(highest([("a", 9), ("b", 5), ("c", 5), ("d", 1)], 1), 2, 1)

    assert right([{"k": "a", "n": 9}, {"k": "b", "n": 5}], truth)
    assert right([{"k": "a", "n": 9}, {"k": "c", "n": 5}], truth)
    assert right([{"k": "a", "n": 9}, {"k": "c", "n": 5}, {"k": "b", "n": 5}], truth)
    assert not right([{"k": "b", "n": 5}, {"k": "c", "n": 5}], truth)
    assert not right([{"k": "a", "n": 9}, {"k": "d", "n": 1}], truth)


def test_the_unknown_group_may_be_shown_or_left_out() -> None:
    truth = nulls_or_not([("a", 1), (None, 2)])

    assert right([{"k": "a", "n": 1}], truth)
    assert right([{"k": None, "n": 2}, {"k": "a", "n": 1}], truth)
    assert not right([{"k": None, "n": 2}], truth)


def test_any_of_several_answers() -> None:
    truth = either(one(5), one(6))

    assert isinstance(truth, AnyOf)
    assert right([{"n": 6}], truth)
    assert not right([{"n": 7}], truth)
    assert right([{"n": "six"}], only([(Either((6, "six")),)]))
