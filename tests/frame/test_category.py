"""``.cat`` and columns of categories against pandas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.errors import ArgumentError, DTypeError
from tests.frame.grouped_cases import assert_same

VALUES = ["mid", "low", None, "mid", "high"]
CATEGORIES = ["low", "mid", "high", "never"]


def both(*, ordered: bool, values: list[str | None] = VALUES) -> tuple[Any, Any]:
    theirs = pd.Series(pd.Categorical(values, categories=CATEGORIES, ordered=ordered), name="c")
    return ff.Series(theirs), theirs


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize(
    "verb",
    [
        lambda s: s.cat.codes, lambda s: s.cat.set_categories(["high", "mid"]).cat.codes, lambda s: s.cat.set_categories(["z", "mid"]),
        lambda s: s.cat.as_ordered().cat.codes,
        lambda s: s.cat.as_unordered(), lambda s: s.iloc[1:4].cat.codes, lambda s: s == "mid", lambda s: s != "mid", lambda s: s.isna(),
        lambda s: s.iloc[::-1],
        lambda s: s.astype("str"), lambda s: s.str.upper(), lambda s: s.isin(["low", "z"]), lambda s: s.sort_values(), lambda s: s.shift(1),
        lambda s: s.ffill(),
        lambda s: s.fillna("low"), lambda s: s.drop_duplicates(), lambda s: s.nunique(), lambda s: s.dropna().cat.codes,
    ],
)  # fmt: skip
def test_against_pandas(verb: Callable[[Any], Any], ordered: bool) -> None:
    ours, theirs = both(ordered=ordered)
    assert_same(verb(ours), verb(theirs), numbers=True)


@pytest.mark.parametrize("ordered", [True, False])
def test_categories(ordered: bool) -> None:
    ours, theirs = both(ordered=ordered)
    assert (ours.cat.categories, ours.cat.ordered) == (CATEGORIES, ordered) == (theirs.cat.categories.tolist(), theirs.cat.ordered)
    assert ours.cat.codes.dtype == "int32"
    kept = ours.cat.set_categories(["mid", "low"])
    assert (kept.cat.categories, kept.cat.ordered) == (["mid", "low"], ordered)
    assert ours.iloc[:1].cat.categories == CATEGORIES   # rows do not change them
    assert ours.cat.as_ordered().cat.ordered
    assert not ours.cat.as_unordered().cat.ordered
    assert ours.to_pandas().cat.categories.tolist() == CATEGORIES


def test_order() -> None:
    ours, theirs = both(ordered=True)
    for verb in (lambda s: s.min(), lambda s: s.max(), lambda s: s > "low", lambda s: s <= "mid", lambda s: s.sort_values(ascending=False),
    lambda s: s.rank()):
        assert_same(verb(ours), verb(theirs))
    unordered, _ = both(ordered=False)
    with pytest.raises(DTypeError, match="ordered category"):
        unordered.max()
    with pytest.raises(DTypeError, match=r"not defined for categories without an order\. Use \.cat\.as_ordered\(\) or \.astype\('string'\) first"):
        _ = unordered > "low"


@pytest.mark.parametrize("values", [[], [None, None]])
def test_no_values(values: list[str | None]) -> None:
    ours, theirs = both(ordered=True, values=values)
    assert_same(ours.cat.codes, theirs.cat.codes, numbers=True)
    assert_same(ours.cat.set_categories(["a"]), theirs.cat.set_categories(["a"]))


def test_numbers_as_categories() -> None:
    theirs = pd.Series([3, 1, None, 3], dtype="category")
    ours = ff.Series(theirs)
    assert ours.cat.categories == [1.0, 3.0]
    assert_same(ours.cat.codes, theirs.cat.codes, numbers=True)
    assert_same(ours.cat.set_categories([3.0]).cat.codes, theirs.cat.set_categories([3.0]).cat.codes, numbers=True)


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda: ff.Series(["a"], name="n").cat, DTypeError,
         ".cat is not defined for dtype string of column 'n'. It works on category columns; use .astype('category') first. Use .astype(...) to convert first."),
        (lambda: both(ordered=True)[0].cat.set_categories(["a", "a"]), ArgumentError,
         "set_categories: a category was given twice. Pass each category once."),
        (lambda: both(ordered=True)[0].cat.rename(["a"]), AttributeError, None),
    ],
)  # fmt: skip
def test_errors(verb: Callable[[], Any], error: type[Exception], message: str | None) -> None:
    with pytest.raises(error) as raised:
        verb()
    assert message is None or str(raised.value) == message


def test_zeros_are_one_category_and_nan_is_none() -> None:
    """One rule for keys: also where Arrow brings -0.0 and NaN in a dictionary, which are values to Arrow."""
    made = ff.Series([-0.0, 1.5, 0.0, float("nan"), None]).astype("category")
    held = pa.DictionaryArray.from_arrays(pa.array([0, 3, 1, 2, None]), pa.array([-0.0, 0.0, float("nan"), 1.5]))
    for series in (made, ff.Series(held)):
        assert series.isna().tolist() == [False, False, False, True, True]
        assert series.value_counts().tolist() == [2, 1]
        assert ff.DataFrame({"k": series, "v": range(5)}).groupby("k", dropna=False)["v"].sum().tolist() == [2, 1, 7]
