"""What the constructors refuse, and foreign data that once came in wrong."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fastframe as ff


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ff.errors.DuplicateColumn, match="'a' would occur more than once"):
        ff.DataFrame(np.zeros((2, 2)), columns=["a", "a"])


@pytest.mark.parametrize("make", [ff.DataFrame, ff.from_arrow, ff.from_pandas])
@pytest.mark.parametrize("given", [5, "text"])
def test_what_is_not_a_table_is_refused(make: object, given: object) -> None:
    with pytest.raises(ff.errors.DTypeError, match=f"cannot be made from {type(given).__name__}"):
        make(given)  # type: ignore[operator]


def test_lists_are_neither_arrow_nor_pandas() -> None:
    for make in (ff.from_arrow, ff.from_pandas):
        with pytest.raises(ff.errors.DTypeError, match="cannot be made from list"):
            make([1])


def test_subclasses_of_pandas_are_pandas() -> None:
    class Mine(pd.Series):
        pass

    assert ff.from_pandas(Mine([1, 2], name="n")).tolist() == [1, 2]


@pytest.mark.parametrize("values", [pd.period_range("2020", periods=2, freq="M"), pd.interval_range(0, 2)], ids=["period", "interval"])
def test_pandas_extensions_do_not_become_their_storage(values: pd.Index) -> None:
    with pytest.raises(ff.errors.DTypeError, match=r"is not supported\. Use"):
        ff.from_pandas(pd.DataFrame({"p": values}))


@pytest.mark.parametrize("chunks", [1, 3])
def test_categories_of_polars_are_plain_text(chunks: int) -> None:
    part = pl.DataFrame({"c": pl.Series(["b", "a", None, "b"], dtype=pl.Categorical)})
    s = ff.DataFrame(pl.concat([part] * chunks, rechunk=False))["c"]
    assert s.dtype == "category"
    assert s.dtype.arrow.value_type == pa.string()
    assert s.str.upper().tolist() == ["B", "A", None, "B"] * chunks
    enum = ff.Series(pl.Series(["x", "y"], dtype=pl.Enum(["y", "x"])))
    assert enum.cat.categories == ["y", "x"]


def test_categories_have_no_bitmap_for_xgboost() -> None:
    for given in (pd.Series(pd.Categorical(["b", "a", None])), pa.array(["b", "a", None]).dictionary_encode()):
        exported = ff.Series(given).to_arrow()
        assert exported.dictionary.buffers()[0] is None
        assert exported.to_pylist() == ["b", "a", None]


def test_describe_of_decimals_is_in_floats() -> None:
    df = ff.DataFrame({"price": [Decimal("1.50"), Decimal("2.50"), None], "n": [1, 2, 3]})
    found = df.describe()
    assert found["price"].dtype == "float64"
    assert found["price"].tolist() == pytest.approx([2, 2.0, 0.5**0.5, 1.5, 1.75, 2.0, 2.25, 2.5])


def test_messages_name_what_users_call() -> None:
    with pytest.raises(ff.errors.ArgumentError, match=r"str\.contains: .*RE2"):
        ff.Series(["a"]).str.contains("(a")
    with pytest.raises(ff.errors.ArgumentError, match=r"dt\.tz_localize"):
        ff.Series([datetime.datetime(2024, 1, 2)]).dt.tz_localize("Europe/Olso")
    with pytest.raises(ff.errors.OutOfRange, match="there are no rows"):
        ff.Series([], dtype="int64").iloc[0]
    with pytest.raises(ff.errors.LossyCast, match=r"set_categories"):
        ff.Series(["a"], dtype="category")[0] = "z"


def test_pandas_functions_that_do_not_exist_say_what_to_write() -> None:
    with pytest.raises(AttributeError, match=r"fastframe\.to_datetime is not supported\. Use \.astype"):
        ff.to_datetime   # noqa: B018
    with pytest.raises(AttributeError, match=r"Did you mean 'read_csv'"):
        ff.read_cvs   # noqa: B018
    with pytest.raises(ImportError):
        from fastframe import nothing  # noqa: F401
    assert dir(ff) == sorted(ff.__all__)
