"""NumPy's masked arrays: what is masked is missing, whatever lies beneath."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastframe as ff
from fastframe.column.arrow import column_from
from fastframe.errors import ShapeError

VALUES: dict[str, Any] = {
    "int": [1, 2, 3], "float": [1.0, np.nan, 3.0], "bool": [True, False, True], "text": ["a", "b", "c"],
    "object": np.array(["a", object(), "c"], object), "date": np.array(["2020-01-01", "NaT", "2020-01-03"], "M8[s]"), "uint8": np.array([1, 255, 3], np.uint8),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("mask", [[False, True, False], [True, True, True]])
def test_masked_values_are_null(name: str, mask: list[bool]) -> None:
    masked = np.ma.masked_array(VALUES[name], mask)
    column = column_from(masked)
    beneath = ["a", "b", "c"] if name == "object" else VALUES[name]
    expected = [None if gone else one for one, gone in zip(column_from(beneath).array.to_pylist(), mask, strict=True)]
    assert column.array.to_pylist() == expected
    assert name == "object" or column.dtype == column_from(beneath).dtype   # of objects what is there tells the dtype


def test_without_a_mask_and_without_rows() -> None:
    assert column_from(np.ma.masked_array([1, 2])).array.to_pylist() == [1, 2]
    assert column_from(np.ma.masked_array([1.5, np.nan], [False, False])).null_count == 0
    assert len(column_from(np.ma.masked_array(np.empty(0), np.empty(0, bool)))) == 0
    with pytest.raises(ShapeError):
        column_from(np.ma.masked_array(np.zeros((2, 2))))


def test_frames_and_series() -> None:
    masked = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], [[False, True], [False, False]])
    assert ff.DataFrame(masked).isna().to_numpy().tolist() == [[False, True], [False, False]]
    column = np.ma.masked_array([7, 8], [True, False])
    frame = ff.DataFrame({"a": column})
    frame["b"] = column
    assert frame["a"].sum() == 8 and frame["b"].isna().to_numpy().tolist() == [True, False]
    assert str(ff.Series(column).dtype) == "int64" and ff.Series(column).isna().sum() == 1
    column[1] = 99   # the frame has a copy
    assert frame["a"].sum() == 8
