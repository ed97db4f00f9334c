"""Tables in grids: what stands around them is left out with a note, rows never."""

from __future__ import annotations

from synth.sources.grid import Row, tables_of

ITEMS: list[Row] = [["name", "quantity"], ["ham", 1], ["jam", 2], ["yam", 3]]


def copy(*more: Row) -> list[Row]:
    return [[*row] for row in [*ITEMS, *more]]


def test_a_legend_below_a_gap_is_left_out_and_named() -> None:
    (table,) = tables_of(copy([None, None], [None, None], ["Legend", None], ["a", "first letter"]))

    assert [row[1] for row in table.rows] == [1, 2, 3]
    assert table.notes == ["left out totals and remarks: rows 7 to 8 (Legend)"]


def test_rows_after_a_gap_that_have_figures_stay() -> None:
    (table,) = tables_of(copy([None, None], ["spam", None], ["clam", 5]))

    assert [row[0] for row in table.rows] == ["ham", "jam", "yam", "spam", "clam"]
