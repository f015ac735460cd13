"""Finding rows by label: edges of slices, repeated labels, several levels; frames of masks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from tests.frame.compare import assert_same

CASES: dict[str, Callable[[Any], Any]] = {
    "inside a gap": lambda m: m.Series([10, 20, 30, 40], index=[1, 3, 5, 9]).loc[2:6],
    "before the start": lambda m: m.Series([10, 20, 30, 40], index=[1, 3, 5, 9]).loc[:0],
    "beyond the end": lambda m: m.Series([10, 20, 30, 40], index=[1, 3, 5, 9]).loc[10:],
    "crossed": lambda m: m.Series([10, 20, 30, 40], index=[1, 3, 5, 9]).loc[4:2],
    "steps": lambda m: m.Series([10, 20, 30, 40], index=[1, 3, 5, 9]).loc[3:9:2],
    "text": lambda m: m.Series([1, 2, 3], index=m.Series(["a", "c", "e"])).loc["b":"d"],
    "text of a frame": lambda m: m.DataFrame({"x": [1, 2, 3]}, index=m.Series(["a", "c", "e"]))["b":],
    "unsorted": lambda m: m.Series([1, 2, 3], index=[3, 1, 2]).loc[3:2],
    "repeated": lambda m: m.Series([1, 2, 3, 4], index=[1, 1, 2, 2]).loc[1:1],
    "repeated list": lambda m: m.Series([1, 2, 3, 4], index=[1, 1, 2, 3]).loc[[3, 1]],
    "a gap of nothing": lambda m: m.Series([1, 2, 3], index=[1, 2, 3]).iloc[:0].loc[2:],
    "times": lambda m: m.Series([1, 2], index=pd.to_datetime(["2020-01-01", "2020-02-01"])).loc["2020-01-15":],
    "a frame of masks": lambda m: (lambda df: df[df > 1].fillna(0))(m.DataFrame({"a": [1.5, 0.5], "b": [2.0, 3.0]})),
    "a list of default labels": lambda m: m.Series([1, 2, 3, 4]).loc[[3, 0, 3]],
    "a list of a range's labels": lambda m: m.Series([1, 2, 3, 4]).iloc[1:].loc[[3, 1]],
    "a list of every second label": lambda m: m.Series([1, 2, 3, 4], index=range(8, 0, -2)).loc[[2, 8]],
    "duplicated": lambda m: m.Series([1.0, None, 1.0, None, 0.0, -0.0]).duplicated(),
    "duplicated, the last kept": lambda m: m.DataFrame({"a": [1, 1, 2], "b": [None, None, "x"]}).duplicated(keep="last"),
    "duplicated, none kept": lambda m: m.DataFrame({"a": [1, 1, 2], "b": [None, None, "x"]}).duplicated(["a"], keep=False),
    "drop from a series": lambda m: m.Series([1, 2, 3], index=[5, 6, 5]).drop([5]),
    "replace in turn": lambda m: m.Series([1, 2, 3]).replace({1: 2, 2: 1}),
    "replace several": lambda m: m.Series([1, 2, 3]).replace([1, 2], [7, 8]),
    "round some": lambda m: m.DataFrame({"a": [1.26], "s": ["x"], "b": [2.55]}).round({"a": 1}),
    "idxmax of a frame": lambda m: m.DataFrame({"a": [1, 3, 2], "b": [9.0, 1.0, 0.0]}).idxmax(),
    "fill by column": lambda m: m.DataFrame({"a": [1.5, None], "b": [None, 2.0]}).pipe(lambda df: df.fillna(df.mean())),
    "fill by frame": lambda m: m.DataFrame({"a": [1.5, None]}).fillna(m.DataFrame({"a": [7.0, 8.0]})),
}


@pytest.mark.parametrize("name", CASES)
def test_as_in_pandas(name: str) -> None:
    assert_same(CASES[name](ff), CASES[name](pd))


def test_assigning_under_a_frame_of_masks() -> None:
    mine, theirs = ff.DataFrame({"a": [1, 5], "b": [7, 2]}), pd.DataFrame({"a": [1, 5], "b": [7, 2]})
    mine[mine > 4], theirs[theirs > 4] = 0, 0
    assert_same(mine, theirs)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint64", "float64"])
def test_listed_labels_of_a_range(dtype: str) -> None:
    series = ff.Series(list("abcd"), index=range(10, 2, -2))
    assert series.loc[np.array([4, 10, 4], dtype)].tolist() == ["d", "a", "d"]
    for lost in (3, 2, 12):
        with pytest.raises(ff.errors.LabelNotFound):
            series.loc[np.array([10, lost], dtype)]
    with pytest.raises(ff.errors.LabelNotFound):
        series.iloc[:0].loc[np.array([10], dtype)]


def test_zeros_of_either_sign_fill_shifts() -> None:
    series = ff.Series([1.0])
    found = [math.copysign(1, series.shift(fill_value=zero)[0]) for zero in (0.0, -0.0, 0.0)]
    assert found == [1, -1, 1]


def test_a_label_between_unsorted_ones_has_no_place() -> None:
    with pytest.raises(ff.errors.LabelNotFound):
        ff.Series([1, 2, 3], index=[3, 1, 2]).loc[0:2]
