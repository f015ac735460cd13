"""Misuse of the facade: which error, and what it says: what happened, what was given, what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe import errors

BIG = 2**63 - 1
COLUMNS = "The columns are: 'city', 'sold', 'f'."


def frame() -> ff.DataFrame:
    return ff.DataFrame({"city": ["Rome", "Oslo"], "sold": [1, 2], "f": [1.5, None]})


def series() -> ff.Series:
    return ff.Series([1, None, 3], name="n")


def setting(target: Any, key: Any, value: Any) -> None:
    target[key] = value


# name -> (what is done, the error, its message in full)
EXACT: dict[str, tuple[Callable[[], Any], type, str]] = {
    "missing column": (lambda: frame()["citi"], errors.ColumnNotFound, f"there is no column 'citi'. Did you mean 'city'? {COLUMNS}"),
    "wrong case": (lambda: frame()["CITY"], errors.ColumnNotFound, f"there is no column 'CITY'. Did you mean 'city'? {COLUMNS}"),
    "missing columns": (
        lambda: frame()[["citi", "x"]], errors.ColumnNotFound, f"there are no columns 'citi', 'x'. Did you mean 'city'? {COLUMNS}",
    ),
    "missing key of groupby": (lambda: frame().groupby("sld"), errors.ColumnNotFound, f"there is no column 'sld'. Did you mean 'sold'? {COLUMNS}"),
    "missing column of sort": (lambda: frame().sort_values("x"), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of drop": (lambda: frame().drop(columns="x"), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of astype": (lambda: frame().astype({"x": "int8"}), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of set_index": (lambda: frame().set_index("x"), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of dropna": (lambda: frame().dropna(subset="x"), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of loc": (lambda: frame().loc[0, "x"], errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of at": (lambda: frame().at[0, "x"], errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of del": (lambda: frame().__delitem__("x"), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "missing column of pop": (lambda: frame().pop("x"), errors.ColumnNotFound, f"there is no column 'x'. {COLUMNS}"),
    "a key of no kind": (lambda: frame()[None], errors.ColumnNotFound, f"there is no column 'None'. {COLUMNS}"),
    "missing attribute": (lambda: frame().citi, errors.MissingAttribute, "'DataFrame' has no attribute 'citi'. Did you mean 'city'?"),
    "missing attribute of groups": (
        lambda: frame().groupby("city").citi, errors.MissingAttribute, "'GroupBy' has no attribute 'citi'. Did you mean 'city'?",
    ),
    "comparisons without brackets": (
        lambda: frame()[frame().sold > 1 & frame().f], errors.DTypeError,
        "and is not defined between float64 and float64: it takes two columns of bool or of integers. Where comparisons were meant, "
        "put each in brackets, (a > 1) & (b < 2): & and | bind more tightly than < and ==.",
    ),
    "column position": (
        lambda: frame().iloc[:, 9], errors.ColumnNotFound, "there is no column at position 9: the frame has 3 columns, 0 to 2.",
    ),
    "column positions": (
        lambda: frame().iloc[:, [0, 9]], errors.ColumnNotFound, "there is no column at position 9: the frame has 3 columns, 0 to 2.",
    ),
    "mean of text": (
        lambda: frame()["city"].mean(), errors.DTypeError,
        "mean is not defined for dtype string of column 'city'. It works on bool, numeric, date, time and duration columns. "
        "Use .astype(...) to convert first.",
    ),
    "compare text with a number": (
        lambda: frame().city > 1, errors.DTypeError,
        "gt is not defined between string and int64. Use .astype(...) to give both one dtype.",
    ),
    "duplicate names of Arrow": (
        lambda: ff.from_arrow(pa.table([[1], [2]], names=["a", "a"])), errors.DuplicateColumn,
        "column names must be unique, but 'a' would occur more than once. Rename them first, or pass names that differ.",
    ),
    "duplicate names of pandas": (
        lambda: ff.DataFrame(pd.DataFrame([[1, 2]], columns=["a", "a"])), errors.DuplicateColumn,
        "column names must be unique, but 'a' would occur more than once. Rename them first, or pass names that differ.",
    ),
    "duplicate names of rename": (
        lambda: frame().rename(columns={"city": "sold"}), errors.DuplicateColumn,
        "column names must be unique, but 'sold' would occur more than once. Rename them first, or pass names that differ.",
    ),
    "insert a name that is there": (
        lambda: frame().insert(0, "city", 1), errors.DuplicateColumn,
        "column names must be unique, but 'city' would occur more than once. Use df[name] = ... to replace it.",
    ),
    "unequal lengths": (
        lambda: ff.DataFrame({"a": [1], "b": [1, 2]}), errors.ShapeError,
        "all columns must have one length, but they have 'a': 1, 'b': 2. Pad or cut them to one length.",
    ),
    "length of a new column": (
        lambda: setting(frame(), "x", [1]), errors.ShapeError,
        "column 'x' has 1 value, but the frame has 2 rows. Give one value, or one per row.",
    ),
    "number of names": (
        lambda: setattr(frame(), "columns", ["a"]), errors.ShapeError, "1 names were given for 3 columns. Give one name per column.",
    ),
    "sum overflows": (
        lambda: ff.Series([BIG, 1], name="n").sum(), errors.IntegerOverflow,
        "sum of column 'n' does not fit int64. The exact total is 9223372036854775808. Use .astype('float64') to accept rounding.",
    ),
    "sum of a frame overflows": (
        lambda: ff.DataFrame({"n": [-BIG, -BIG]}).sum(), errors.IntegerOverflow,
        "sum of column 'n' does not fit int64. The exact total is -18446744073709551614. Use .astype('float64') to accept rounding.",
    ),
    "addition overflows": (
        lambda: ff.Series([BIG], name="n") + 1, errors.IntegerOverflow,
        "add of column 'n' does not fit int64. Use .astype('float64'), or a wider integer, before computing.",
    ),
    "addition of frames overflows": (
        lambda: ff.DataFrame({"n": [BIG]}) + ff.DataFrame({"n": [1]}), errors.IntegerOverflow,
        "add of column 'n' does not fit int64. Use .astype('float64'), or a wider integer, before computing.",
    ),
    "negation overflows, without a name": (
        lambda: -ff.Series([1], dtype="uint8"), errors.IntegerOverflow,
        "neg does not fit uint8. Use .astype('float64'), or a wider integer, before computing.",
    ),
    "lossy cast": (
        lambda: ff.Series([1.5], name="n").astype("int64"), errors.LossyCast,
        "casting column 'n' from float64 to int64 would lose information (for example 1.5). Pass safe=False to accept it.",
    ),
    "lossy cast without a name": (
        lambda: ff.Series([1.5]).astype("int64"), errors.LossyCast,
        "casting values from float64 to int64 would lose information (for example 1.5). Pass safe=False to accept it.",
    ),
    "text that is no number": (
        lambda: ff.Series(["a"], name="n").astype("int64"), errors.LossyCast,
        "'a' of column 'n' cannot be read as int64. Clean or replace such values first, for example with .str.replace.",
    ),
    "loc value that does not fit": (
        lambda: setting(frame().loc, (0, "sold"), "x"), errors.LossyCast,
        "'x' does not fit dtype int64 of column 'sold'. Use .astype(...) on the column first.",
    ),
    "loc values that do not fit": (
        lambda: setting(frame().loc, (slice(None), "sold"), [1.5, 2]), errors.LossyCast,
        "not all of the values, of dtype float64, fit dtype int64 of column 'sold'. Use .astype(...) on the column first.",
    ),
    "series value that does not fit": (
        lambda: setting(series(), 0, "x"), errors.LossyCast, "'x' does not fit dtype int64 of column 'n'. Use .astype(...) on the column first.",
    ),
    "fillna value that does not fit": (
        lambda: series().fillna("x"), errors.LossyCast, "'x' does not fit dtype int64 of column 'n'. Use .astype(...) on the column first.",
    ),
    "number of values": (
        lambda: setting(series().loc, [0, 1], [1, 2, 3]), errors.ShapeError,
        "3 values were given for 2 rows. Give one value, or one per row that is replaced.",
    ),
    "truth value": (
        lambda: bool(series() > 1), errors.ShapeError,
        "the truth value of a Series is ambiguous. Use .empty, .any(), .all(), or & | ~ instead of and, or, not.",
    ),
    "truth value of a frame": (
        lambda: bool(frame()), errors.ShapeError,
        "the truth value of a DataFrame is ambiguous. Use .empty, .any(), .all(), or & | ~ instead of and, or, not.",
    ),
    "length of a mask": (lambda: frame()[[True]], errors.ShapeError, "the mask has 1 value, but there are 2 rows. A mask needs one bool per row."),
    "length of an array mask": (
        lambda: frame()[np.array([True] * 3)], errors.ShapeError, "the mask has 3 values, but there are 2 rows. A mask needs one bool per row.",
    ),
    "dtype of a mask": (
        lambda: series().where(series()), errors.DTypeError,
        "a mask must be of dtype bool, but it is int64. Compare first, for example df[df['x'] > 0].",
    ),
    "position": (
        lambda: frame().iloc[2], errors.OutOfRange, "position 2 is outside the 2 rows. Positions run from -2 to 1; use .loc for labels.",
    ),
    "positions": (
        lambda: frame().take([0, -3]), errors.OutOfRange, "position -3 is outside the 2 rows. Positions run from -2 to 1; use .loc for labels.",
    ),
    "position in the index": (
        lambda: frame().index[5], errors.OutOfRange, "position 5 is outside the 2 rows. Positions run from -2 to 1; use .loc for labels.",
    ),
    "label": (lambda: frame().loc[9], errors.LabelNotFound, "the row labels 9 are not in the index. Use .iloc for positions."),
    "labels": (lambda: frame().loc[[0, 9, 8]], errors.LabelNotFound, "the row labels 9, 8 are not in the index. Use .iloc for positions."),
    "label of another kind": (lambda: series().loc["a"], errors.LabelNotFound, "the row labels 'a' are not in the index. Use .iloc for positions."),
    "text as a position": (
        lambda: frame().iloc["a"], errors.ArgumentError,
        "iloc: 'a' is not a position, slice, list of positions or mask. Use .loc for labels.",
    ),
    "rows that are no values": (
        lambda: ff.Series([1, "a"]), errors.DTypeError,
        "the values have no common dtype: Could not convert 'a' with type str: tried to convert to int64. "
        "Convert them to one type before handing them over.",
    ),
    "a set": (lambda: ff.Series({1, 2}), errors.DTypeError, "the rows of a set have no order. Use sorted(...) or list(...) on it first."),
    "labels that repeat": (
        lambda: frame().assign(x=ff.Series([1, 2], index=[0, 0])), errors.DuplicateLabel,
        "rows cannot be aligned by labels that occur more than once. Use reset_index(drop=True) to combine by position.",
    ),
    "comparison of other rows": (
        lambda: series() == series().head(2), errors.ShapeError,
        "only operands with equal row labels can be compared. Use reset_index(drop=True) on both to compare by position.",
    ),
    "text in isin": (lambda: series().isin("abc"), errors.ArgumentError, "isin: one text 'abc' was given. Pass a list: isin(['abc'])."),
    "ints beside missing ones as floats": (
        lambda: ff.Series([2**60, None]).to_numpy(), errors.LossyCast,
        "int64 values beyond 2**53 beside missing ones have no exact floats. Use .to_arrow(), or .fillna(...) first.",
    ),
    "matrix of text": (
        lambda: frame().to_matrix(), errors.DTypeError,
        "to_matrix is not defined for dtype string of column 'city'. It works on numeric, bool and category columns. "
        "Use .astype(...) to convert first.",
    ),
    "no such method": (
        lambda: frame().melt(), errors.MissingAttribute,
        "DataFrame.melt is not supported. Use ff.concat of the columns with assign for the variable's name.",
    ),
    "a function per row": (
        lambda: frame().apply(len), errors.UnsupportedOperation,
        "DataFrame.apply is not supported. Use .map_rows(function), which is compiled, or compose columns with arithmetic and where.",
    ),
    "a new column by attribute": (
        lambda: setattr(frame(), "new", 1), errors.UnsupportedOperation,
        "DataFrame.new = ... is not supported. Use df['new'] = ... to make a new column.",
    ),
    "an argument of pandas": (
        lambda: series().dropna(axis=0), errors.UnsupportedOperation,
        "Series.dropna(axis=0) is not supported. It takes no other arguments. Use .to_pandas().dropna for this step.",
    ),
    "a misspelt argument": (
        lambda: series().sort_values(ascend=True), errors.UnsupportedOperation,
        "Series.sort_values(ascend=True) is not supported. It takes 'ascending', 'ignore_index', 'kind', 'na_position'. "
        "Did you mean 'ascending'? Use .to_pandas().sort_values for this step.",
    ),
    "a function as sort key": (
        lambda: frame().sort_values("sold", key="x"), errors.UnsupportedOperation,
        "sort_values(key='x') is not supported. Compute the key as a column first.",
    ),
    "an axis": (lambda: frame().sum(axis=2), errors.ArgumentError, "DataFrame.sum was given axis=2. Allowed are: 0, 1, 'index', 'columns'."),
    "how of dropna": (lambda: frame().dropna(how="x"), errors.ArgumentError, "dropna was given how='x'. Allowed are: 'any', 'all'."),
    "sample too large": (
        lambda: frame().sample(9), errors.ArgumentError, "sample: 9 rows of 2 were asked for. Pass replace=True.",
    ),
    "idxmax of nothing": (
        lambda: series().head(0).idxmax(), errors.ArgumentError, "idxmax: there is no value that is not missing. Check with .count() first.",
    ),
    "item of many": (
        lambda: series().item(), errors.ShapeError, "one value is needed, but there are 3 rows. Take one with .iloc[0], or aggregate.",
    ),
    "three dimensions": (
        lambda: ff.DataFrame(np.zeros((1, 1, 1))), errors.ShapeError,
        "an array of 3 dimensions was given, but a 2-D array, one row per row is needed. Reshape it first.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_message(name: str) -> None:
    act, kind, message = EXACT[name]
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == message


BUILTINS = {
    errors.ColumnNotFound: KeyError, errors.LabelNotFound: KeyError, errors.OutOfRange: IndexError, errors.DTypeError: TypeError,
    errors.ShapeError: ValueError, errors.IntegerOverflow: OverflowError, errors.LossyCast: ValueError,
    errors.UnsupportedOperation: NotImplementedError, errors.MissingAttribute: AttributeError, errors.ArgumentError: ValueError,
    errors.DuplicateColumn: ValueError, errors.DuplicateLabel: ValueError,
}  # fmt: skip


def test_errors_are_also_what_pandas_code_catches() -> None:
    for _, kind, _ in EXACT.values():
        assert issubclass(kind, errors.FastFrameError)
        assert issubclass(kind, BUILTINS[kind])


@pytest.mark.parametrize("method", ["pivot", "melt", "stack", "interpolate", "resample", "corr", "T", "explode", "squeeze", "plot"])
def test_methods_that_are_not_there_name_what_to_write(method: str) -> None:
    assert not hasattr(frame(), method)
    with pytest.raises(AttributeError, match=rf"DataFrame\.{method} is not supported\. (Use|Rolling|Compute)"):
        getattr(frame(), method)


def test_a_failed_assignment_changes_nothing() -> None:
    df = frame()
    before = df.to_arrow()
    for key, value in (((0, "sold"), "x"), ((slice(None), "sold"), [1.5, 2.5]), ((9, "sold"), 1), ((slice(None), ["sold", "city"]), 3)):
        with pytest.raises(errors.FastFrameError):
            df.loc[key] = value
        assert df.to_arrow().equals(before)
    with pytest.raises(errors.ShapeError):
        df["sold"] = [1, 2, 3]
    assert df.to_arrow().equals(before)


@pytest.mark.parametrize("dtype", ["int64", "float64", "bool", "datetime64[us]"])
def test_memory_of_others_is_copied(dtype: str) -> None:
    array = np.array([0, 1, 1, 0], dtype=dtype)
    df, s = ff.DataFrame({"x": array}), ff.Series(array)
    before = s.tolist()
    array[:] = np.array([1, 1, 1, 1], dtype=dtype)
    assert df["x"].tolist() == s.tolist() == before


@pytest.mark.parametrize("dtype", ["int64", "int8", "float64"])
def test_shared_memory_keeps_no_facts(dtype: str) -> None:
    """`copy=False`: the owner still writes, so nothing that was computed before may decide a result."""
    array = np.array([3, 1, 2, 1], dtype=dtype)
    s = ff.Series(array, name="x", copy=False)
    df = ff.DataFrame({"x": s, "v": [1, 2, 3, 4]})
    assert (s.max(), s.nunique(), s.sort_values().tolist()) == (3, 3, [1, 1, 2, 3])
    assert df.groupby("x")["v"].sum().to_dict() == {1: 6, 2: 3, 3: 1}
    array[:] = [100, 90, -5, 90]
    assert s.tolist() == array.tolist()
    assert (s.min(), s.max(), s.nunique(), s.sort_values().tolist()) == (-5, 100, 3, [-5, 90, 90, 100])
    assert df.groupby("x")["v"].sum().to_dict() == {-5: 3, 90: 6, 100: 1}
    assert df.merge(ff.DataFrame({"x": np.array([100], dtype=dtype), "w": [7]}), on="x")["v"].tolist() == [1]


def test_views_of_ours_are_read_only() -> None:
    s = ff.Series([1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        s.to_numpy()[0] = 9
    mine = s.to_numpy(copy=True)
    mine[0] = 9
    assert s.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        (lambda: frame().merge(5, on="city"), "merge: int was given. Pass a fastframe frame or series: ff.DataFrame(other)."),
        (lambda: frame().merge(frame().to_pandas(), on="city"), "merge: DataFrame was given. Pass a fastframe frame or series: ff.DataFrame(other)."),
        (lambda: series().quantile("a"), "quantile was given q='a'. Allowed are: 'numbers from 0 to 1'."),
        (lambda: frame().head("a"), "head was given n='a'. Allowed are: 'an int'."),
        (lambda: frame().tail(1.5), "tail was given n=1.5. Allowed are: 'an int'."),
        (lambda: frame().nlargest("3", "f"), "nlargest was given n='3'. Allowed are: 'an int'."),
        (lambda: series().nsmallest("3"), "nsmallest was given n='3'. Allowed are: 'an int'."),
        (lambda: frame().groupby("city").head("a"), "GroupBy.head was given n='a'. Allowed are: 'an int'."),
        (lambda: frame().groupby("city")["f"].nth("a"), "GroupBy.nth was given n='a'. Allowed are: 'an int'."),
        (lambda: frame().groupby("city")["f"].nlargest("a"), "GroupBy.nlargest was given n='a'. Allowed are: 'an int'."),
        (lambda: series().isin(5), "isin: one value 5 was given. Pass a list: isin([5])."),
        (lambda: frame()["city"].str.split(",", expand=True), "Series.str.split(expand=True) is not supported. It takes 'n', 'pat', 'regex'. "
         "Use .to_pandas().str.split for this step."),
        (lambda: frame().to_csv("/no such/x.csv"), "there is no folder '/no such' to write into. Make it first; relative paths start at the working "
         "directory."),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(verb: Callable[[], Any], message: str) -> None:
    with pytest.raises(errors.FastFrameError) as raised:
        verb()
    assert str(raised.value) == message


def test_numbers_of_rows_may_be_numpys() -> None:
    df, one = frame(), np.int64(1)
    assert len(df.head(one)) == len(df.tail(one)) == len(df.nlargest(one, "f")) == 1
    assert len(df.groupby("city").head(one)) == len(df.groupby("city")["f"].nth(np.array([0]))) == 2
