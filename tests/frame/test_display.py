"""What frames, series and rows look like; every expectation is written out."""

from __future__ import annotations

import datetime
import io

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from fastframe.frame.display import fitting

COLUMNS = [["", "", "0", "1"], ["first", "int64", "1", "2"], ["second", "int64", "3", "4"], ["third", "int64", "5", "6"], ["last", "int64", "7", "8"]]


def test_series_shows_its_name_and_the_names_of_its_labels() -> None:
    assert repr(ff.Series([1, 2])) == "0  1\n1  2\nLength: 2, dtype: int64"
    named = ff.Series([1.5, None], index=pd.Index(["a", "b"], name="key"), name="v")
    assert repr(named) == "key\na     1.5\nb    null\nName: v, Length: 2, dtype: float64"


def test_row_is_one_line_per_value() -> None:
    row = ff.DataFrame({"a\nb": ["x\ny"], "time": [datetime.datetime(2020, 1, 1)], "third": [1 / 3], "none": [None]}).iloc[0]
    assert repr(row) == "a\\nb     x\\ny\ntime     2020-01-01 00:00:00\nthird    0.333333\nnone     null\nName: 0"


def test_wide_characters_line_up() -> None:
    shown = repr(ff.DataFrame({"city": ["東京", "Oslo", "e\u0301"]}, index=["a", "b", "c"])).splitlines()
    assert shown[:5] == ["     city", "   string", "a    東京", "b    Oslo", "c       e\u0301"]


def test_html_is_escaped() -> None:
    shown = ff.DataFrame({"<b>": ["<script>alert('&')</script>"]}, index=["<i>"])._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "&lt;script&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert not {"<b>", "<script>", "<i>"} & set(shown.replace(">", "> ").split())
    assert "<b>" not in ff.Series([1], name="<b>")._repr_html_()


def test_only_the_ends_of_long_and_wide_frames_are_shown() -> None:
    df = ff.DataFrame(np.arange(600).reshape(100, 6), columns=list("abcdef"))
    with ff.option_context(max_rows=3, max_columns=2):
        lines = repr(df).splitlines()
    assert [line.split() for line in lines] == [
        ["a", "…", "f"], ["int64", "…", "int64"], ["0", "0", "…", "5"], ["1", "6", "…", "11"], ["…"] * 4, ["99", "594", "…", "599"], [],
        ["[100", "rows", "x", "6", "columns]"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line_width", "names"),
    [
        (0, ["first", "second", "third", "last"]),
        (30, ["first", "second", "third", "last"]),
        (29, ["first", "second", "…", "last"]),
        (26, ["first", "second", "…", "last"]),
        (25, ["first", "…", "last"]),
        (5, ["first", "…", "last"]),
    ],
)
def test_columns_fit_the_line(line_width: int, names: list[str]) -> None:
    assert [column[0] for column in fitting(COLUMNS, 1, line_width)[1:]] == names


def test_info_counts_what_is_there() -> None:
    out = io.StringIO()
    ff.DataFrame({"n": [1, None], "x": [1.0, float("nan")], "s": ["a", "b"]}).info(out)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[1:5] == [["column", "there", "dtype"], ["n", "1", "int64"], ["x", "1", "float64"], ["s", "2", "string"]]
    assert lines[5][0] == "memory:"
