"""Where expressions may stand beside `assign`, `filter` and `agg`, and what is said where they may not."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from fastframe import col
from fastframe.errors import ExpressionError, FastFrameError, MissingAttribute
from fastframe.frame import computing
from tests.frame.compare import assert_same


def pandas_frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1.0, np.nan, 3.0, -4.0], "b": [np.nan, 2.0, 5.0, np.nan], "c": [9.0, 8.0, np.nan, 6.0]}, index=[7, 7, 3, 1])


def frame() -> ff.DataFrame:
    return ff.from_pandas(pandas_frame())


def test_where_and_mask_as_pandas() -> None:
    theirs = pandas_frame()
    condition = theirs["a"] + 1 > 0
    assert_same(frame().where(col("a") + 1 > 0), theirs.where(condition), types="values")
    assert_same(frame().mask(col("a") + 1 > 0, 0.5), theirs.mask(condition, 0.5), types="values")
    assert_same(frame().where(lambda df: col("a") > col("a").mean(), -1), theirs.where(theirs["a"] > theirs["a"].mean(), -1), types="values")
    assert_same(frame().where(col("a") > 0, col("b") * 2), theirs.where(theirs["a"] > 0, theirs["b"] * 2, axis=0), types="values")


def test_fillna_is_of_the_values_that_were_there_before() -> None:
    theirs = pandas_frame()
    wanted = theirs.apply(lambda column: column.fillna(theirs["a"] * 10))
    assert_same(frame().fillna(col("a") * 10), wanted, types="values")
    assert_same(frame().fillna(col("a").mean()), theirs.fillna(theirs["a"].mean()), types="values")


def test_an_expression_is_computed_once_for_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Any] = []
    compute = computing.computed_column
    monkeypatch.setattr(computing, "computed_column", lambda *given: counted.append(given) or compute(*given))
    frame().where(col("a") > 0)
    frame().fillna(col("a"))
    assert len(counted) == 2


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows(n_rows: int) -> None:
    few, theirs = frame().head(n_rows), pandas_frame().head(n_rows)
    assert_same(few.where(col("a") > 0, col("b")), theirs.where(theirs["a"] > 0, theirs["b"], axis=0), types="values")
    assert few.fillna(col("c")).shape == (n_rows, 3)


def test_a_series_has_no_columns() -> None:
    series = frame()["b"]
    for attempt in (lambda: series.fillna(col("a")), lambda: series.where(col("a") > 0), lambda: series.where(series > 0, col("a"))):
        with pytest.raises(ExpressionError, match="names columns, and a Series has none"):
            attempt()


def test_transform_takes_functions() -> None:
    with pytest.raises(ExpressionError, match=r"transform was given the expression col\('b'\).sum\(\).*Aggregate with transform first"):
        frame().groupby("a").transform(col("b").sum())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("over", r"df.groupby\(keys\)\['x'\].transform"), ("transform", "transform"), ("alias", "df.assign"), ("apply", "map_rows"), ("size", r"\.count\(\)"),
        ("is_in", r"\.isin"), ("fill_null", r"\.fillna"), ("is_null", r"\.isna"), ("n_unique", r"\.nunique"), ("shift", "neighbours"),
        ("value_counts", r"Use df\['x'\].value_counts, and assign"), ("replace", r"df\['x'\].replace"),
    ],
)  # fmt: skip
def test_what_an_expression_has_not(name: str, hint: str) -> None:
    with pytest.raises(MissingAttribute, match=f"Expr.{name} is not supported. .*{hint}"):
        getattr(col("a"), name)
    assert not hasattr(col("a"), name)


def test_rounding_and_isnan_by_python_and_numpy() -> None:
    df = frame()
    assert df.assign(r=round(col("a") / 3, 1))["r"].tolist() == df["a"].div(3).round(1).tolist()
    assert df.assign(r=round(col("b") / 3))["r"].tolist() == df["b"].div(3).round().tolist()
    assert df.assign(r=np.isnan(col("a")))["r"].tolist() == [False, True, False, False]


def test_long_lists_of_members() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(-50, 50, 500) / 2
    wanted = [*map(float, range(-20, 20)), 0.5, -0.0, 7, 2**70, -(2**63), 1e300, "x", True, None, 10**400]
    for dtype in ("float64", "int8", "uint8", "int64", "float32"):
        given = values.astype(dtype) if dtype.startswith("float") else np.floor(np.abs(values)).astype(dtype)
        numbers = {one for one in wanted if type(one) in (int, float)}
        expected = [any(float(one) == float(number) for number in numbers if abs(number) < 1e308) for one in given]
        df = ff.DataFrame({"v": given})
        assert df.assign(found=col("v").isin(wanted))["found"].tolist() == expected
        assert df["v"].isin(wanted).tolist() == expected
    assert ff.Series([float("inf"), 1.0]).isin([10**400]).tolist() == [False, False]
    assert ff.Series([2.0**70, 1.0]).isin([2**70 + 1, 2**70]).tolist() == [True, False]
    assert ff.Series([2.0**70, 1.0]).isin([2**70 + 1]).tolist() == [False, False]
    assert ff.Series(["é", "x", None]).isin(["é", "ß"]).tolist() == [True, False, False]
    assert ff.Series(["é", "x", None]).isin(["x", "\ud800"]).tolist() == [False, True, False]
    assert ff.Series([1, 2]).isin(["x", "y"]).tolist() == [False, False]


def test_members_of_halves_and_decimals_beside_bools() -> None:
    halves = ff.Series(np.array([1.5, -0.0, np.nan, 3.0], "float16"))
    assert halves.isin([1.5, 0, 0.1, "x"]).tolist() == [True, True, False, False]
    assert ff.DataFrame({"h": halves}).assign(f=col("h").isin([3, None]))["f"].tolist() == [False, False, True, True]
    money = ff.DataFrame({"d": [decimal.Decimal("1.50"), None], "f": [True, False]})
    found = money.assign(literal=col("d") + True, column=col("d") * col("f"), left=True - col("d"))
    assert found["literal"].tolist() == [decimal.Decimal("2.50"), None]
    assert found["column"].tolist() == [decimal.Decimal("1.50"), None]
    assert found["left"].tolist() == [decimal.Decimal("-0.50"), None]


def test_errors_are_short_enough_to_read() -> None:
    error = FastFrameError("x" * 10_000 + "the end")
    assert 3000 < len(str(error)) < 5000
    assert str(error).endswith("the end")
    assert str(FastFrameError("short")) == "short"
