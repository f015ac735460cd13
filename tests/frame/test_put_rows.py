"""Assignment to the rows of a mask is assignment to the same rows by label."""

from __future__ import annotations

from typing import Any

import pytest

import fastframe as ff

MASKS = [[True, False, True, False], [False] * 4, [True] * 4, [None, True, False, True]]
VALUES: list[tuple[Any, Any]] = [
    ("a", 9), ("a", 2.5), ("a", None), ("b", 7), ("b", None), ("s", "q"), ("s", 5), ("c", "v"), ("c", "w"), ("new", 1), ("new", "t"),
    ("a", [7, 8]), ("a", [7, 8, 9, 10]), (["a", "b"], 0), (["a", "b"], [1, 2]), ("a", ff.Series([100, 200, 300], index=[30, 10, 99])),
]   # fmt: skip


def frame() -> Any:
    made = ff.DataFrame({"a": [1, 2, 3, 4], "b": [0.5, None, 2.5, 3.5], "s": ["x", "y", None, "z"], "c": ["u", "v", "u", None]}, index=[10, 20, 30, 40])
    return made.astype({"c": "category"})


def assigned(rows: Any, column: Any, value: Any) -> Any:
    one = frame()
    try:
        one.loc[rows, column] = value
    except ff.errors.FastFrameError as error:
        return type(error), str(error)
    return one.to_dict("list"), one.index.tolist(), [str(dtype) for dtype in one.dtypes]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("column", "value"), VALUES)
def test_mask_and_labels(mask: list[bool | None], column: Any, value: Any) -> None:
    labels = [label for label, chosen in zip([10, 20, 30, 40], mask, strict=True) if chosen]
    assert assigned(mask, column, value) == assigned(labels, column, value)


def test_other_rows_keep_their_values() -> None:
    one = frame()
    one.loc[one["a"] > 2, "a"] = 0
    assert one["a"].tolist() == [1, 2, 0, 0]
    series = frame()["b"]
    series[series > 2] = 1
    assert series.tolist() == [0.5, None, 1.0, 1.0]


def test_of_equal_labels_the_last_value_wins() -> None:
    one = frame()
    one.loc[[10, 10], "a"] = [5, 6]
    assert one["a"].tolist() == [6, 2, 3, 4]
