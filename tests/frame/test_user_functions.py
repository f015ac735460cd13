"""Functions of the user's own by group: what they get, what they give, what is said when they fail. pandas is the oracle."""

from __future__ import annotations

import datetime
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.errors import (
    ArgumentError,
    ColumnNotFound,
    DTypeError,
    DuplicateColumn,
    FunctionArgumentError,
    FunctionError,
    JITError,
    UnsupportedOperation,
)

ENGINES = ["numba", "python"]
ROWS = 500
RNG = np.random.default_rng(0)
DATA: dict[str, Any] = {
    "k": [["a", "b", "c", None][one] for one in RNG.integers(0, 4, ROWS)],
    "j": RNG.integers(0, 3, ROWS),
    "x": np.where(RNG.random(ROWS) < 0.2, np.nan, RNG.normal(size=ROWS)),
    "w": RNG.random(ROWS),
    "n": RNG.integers(-9, 9, ROWS),
}
LABELS = np.arange(ROWS) * 10


@pytest.fixture
def df() -> ff.DataFrame:
    return ff.DataFrame(DATA, index=LABELS)


@pytest.fixture
def pdf() -> pd.DataFrame:
    return pd.DataFrame(DATA, index=LABELS)


@pytest.fixture
def small() -> ff.DataFrame:
    floats = [1.0, 2, None, 4, 5, None]
    return ff.DataFrame({"k": ["a", "b", "a", None, "b", "c"], "x": floats, "n": [1, 2, 3, 4, None, 6], "t": ["u", "v", None, "u", "u", "z"]})


def spread(x):   # type: ignore[no-untyped-def]
    return x.max() - x.min()


def centred(x):   # type: ignore[no-untyped-def]
    return x - x.mean()


def weighted(x, w):   # type: ignore[no-untyped-def]
    return (x * w).sum() / w.sum()


def drawdown(w):   # type: ignore[no-untyped-def]
    high, worst = -np.inf, 0.0
    for value in w:
        if value > high:
            high = value
        if high - value > worst:
            worst = high - value
    return worst


def skipping(function: Callable[..., Any]) -> Callable[..., Any]:
    """What pandas' function has to do to see present values only."""
    return lambda series: function(series.dropna())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", [{}, {"sort": False}, {"dropna": False}], ids=str)
@pytest.mark.parametrize("by", ["j", "k", ["k", "j"], ["j", "k"]], ids=str)
def test_agg_and_transform_as_pandas(df: ff.DataFrame, pdf: pd.DataFrame, by: Any, options: dict[str, Any], engine: str) -> None:
    ours, theirs = df.groupby(by, **options), pdf.groupby(by, **options)
    for column in ("x", "n"):
        found = ours[column].agg(spread, engine=engine).to_pandas()
        expected = theirs[column].agg(skipping(spread))
        assert found.tolist() == pytest.approx(expected.tolist())
        assert [str(one) for one in found.index] == [str(one) for one in expected.index]
        assert found.name == column
        found = ours[column].transform(centred, engine=engine).to_pandas()
        expected = theirs[column].transform(centred)
        np.testing.assert_allclose(found.to_numpy(dtype=float, na_value=np.nan), expected.to_numpy(dtype=float), atol=1e-12)
        assert found.index.tolist() == LABELS.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_function_of_one_column_is_called_for_each(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    found = df.groupby("k")[["w", "n"]].agg(spread, engine=engine).to_pandas()
    pd.testing.assert_frame_equal(found, pdf.groupby("k")[["w", "n"]].agg(spread), check_index_type=False, check_names=False, check_dtype=False)
    assert list(found.columns) == ["w", "n"]
    found = df.groupby("k")[["w", "n"]].transform(lambda w: w - w.min(), engine=engine)   # also where it is called as one of them
    assert [str(found[name].dtype) for name in ("w", "n")] == ["float64", "int64"]
    assert list(df.groupby("k")["n"].agg([spread, "sum"]).columns) == ["spread", "sum"]
    assert list(df.groupby("k").agg({"n": [spread, "sum"], "w": drawdown}).columns) == ["n_spread", "n_sum", "w"]


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_by_name_and_by_position(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    full = pdf.dropna(subset=["x"])
    expected = full.groupby("k").apply(lambda rows: weighted(rows["x"], rows["w"]), include_groups=False).tolist()
    by_name = df.groupby("k").apply(weighted, engine=engine)
    swapped = df.groupby("k")[["w", "x"]].agg(weighted, engine=engine)   # names, not positions
    positions = df.groupby("k")[["x", "w"]].agg(lambda a, b: (a * b).sum() / b.sum(), engine=engine)
    partly = df.groupby("k")[["x", "w"]].agg(lambda w, b: (b * w).sum() / w.sum(), engine=engine)
    others = df.groupby("k")[["x"]].agg(weighted, engine=engine)   # one is not among the chosen
    for found in (by_name, swapped, positions, partly, others):
        assert found.tolist() == pytest.approx(expected)
        assert found.name is None
        assert found.index.tolist() == ["a", "b", "c"]


def test_named_results_with_names_and_functions_of_ours(df: ff.DataFrame, pdf: pd.DataFrame) -> None:
    found = df.groupby("k").agg(mine=(("x", "w"), weighted), n=("x", "count"), far=("n", spread), top=("n", "max"))
    assert list(found.columns) == ["mine", "n", "far", "top"]
    assert found["n"].tolist() == pdf.groupby("k")["x"].count().tolist()
    assert found["far"].tolist() == pdf.groupby("k")["n"].agg(spread).tolist()
    assert found["mine"].tolist() == df.groupby("k").apply(weighted).tolist()
    flat = df.groupby("k", as_index=False).agg(far=("n", spread))
    assert list(flat.columns) == ["k", "far"]
    assert list(df.groupby("k", as_index=False).apply(weighted).columns) == ["k", "weighted"]
    assert df["n"].groupby(df["k"]).agg(spread).tolist() == found["far"].tolist()
    assert df["n"].groupby(df["k"]).agg(low=spread).columns.tolist() == ["low"]


@pytest.mark.parametrize("engine", ENGINES)
def test_extra_arguments(df: ff.DataFrame, engine: str) -> None:
    def scaled(x, by, add=0.0):   # type: ignore[no-untyped-def]
        return x.sum() * by + add

    groups = df.groupby("j")["w"]
    plain = groups.sum()
    for factor in (2.0, 3.0):   # values are not baked into what is compiled
        assert groups.agg(scaled, factor, engine=engine).tolist() == pytest.approx((plain * factor).tolist())
        assert groups.agg(scaled, by=factor, engine=engine).tolist() == pytest.approx((plain * factor).tolist())
        assert groups.agg(scaled, factor, add=1.0, engine=engine).tolist() == pytest.approx((plain * factor + 1).tolist())
        assert groups.transform(lambda x, by: x * by, factor, engine=engine).tolist() == pytest.approx((df["w"] * factor).tolist())
    assert df.groupby("j").apply(lambda x, w, power=2: (w**power).sum(), engine=engine).tolist() == pytest.approx(
        df[~df["x"].isna()].assign(q=lambda one: one["w"] * one["w"]).groupby("j")["q"].sum().tolist()
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_values(small: ff.DataFrame, engine: str) -> None:
    groups = small.groupby("k")
    assert groups["x"].transform(lambda x: x * 2, engine=engine).tolist() == [2, 4, None, None, 10, None]
    assert groups["x"].agg(lambda x: float(len(x)), engine=engine).tolist() == [1, 2, None]   # no row left: not called
    assert groups["n"].agg(lambda n: n.sum(), engine=engine).tolist() == [4, 2, 6]
    assert str(groups["n"].agg(lambda n: n.sum(), engine=engine).dtype) == "int64"
    assert groups[["x", "n"]].apply(lambda x, n: len(x), engine=engine).tolist() == [1, 1, None]
    masked = groups["n"].apply(lambda n, ok: n[ok].sum() * 10 + len(n), nulls="mask", engine=engine)
    assert masked.tolist() == [42, 22, 61]
    assert groups["x"].apply(lambda x, ok: (~ok).sum(), nulls="mask", engine=engine).tolist() == [1, 0, 1]
    assert groups["x"].agg(lambda x: np.isnan(x).sum(), nulls="nan", engine=engine).tolist() == [1, 0, 1]
    assert groups["x"].transform(lambda x: np.where(np.isnan(x), -1.0, x), nulls="nan", engine=engine).tolist() == [1, 2, -1, None, 5, -1]
    assert small.groupby("k", dropna=False)["x"].agg(lambda x: x.sum(), engine=engine).tolist() == [1, 7, None, 4]
    assert groups["x"].transform(lambda x: x.max(), engine=engine).tolist() == [1, 5, 1, None, 5, None]   # a value goes to all rows


@pytest.mark.parametrize("engine", ENGINES)
def test_dtypes_are_kept(engine: str) -> None:
    frame = ff.DataFrame({
        "k": [1, 2, 1], "big": [2**62 + 1, 5, 2**62 - 1], "flag": [True, False, True],
        "tiny": np.array([1, 2, 3], np.int8), "half": np.array([1, 2, 3], np.float32),
        "day": [datetime.date(2024, 1, 3), datetime.date(1969, 1, 1), datetime.date(2024, 1, 1)],
        "at": np.array(["2024-01-03", "2000-01-01", "2024-01-01"], "M8[us]"),
    })  # fmt: skip
    groups = frame.groupby("k")
    turned = {"big": lambda v: v[::-1].copy(), "tiny": lambda v: v[::-1], "at": lambda v: v[::-1]}
    for column, function in {**turned, "flag": lambda v: ~v, "half": lambda v: v * v}.items():
        found = groups[column].transform(function, engine=engine)
        assert str(found.dtype) == str(frame[column].dtype)
    assert groups["big"].transform(lambda v: v[::-1].copy(), engine=engine).tolist() == [2**62 - 1, 5, 2**62 + 1]
    assert groups["flag"].agg(lambda v: v.all(), engine=engine).tolist() == [True, False]
    assert str(groups["flag"].agg(lambda v: v.all(), engine=engine).dtype) == "bool"
    assert groups["day"].agg(lambda v: v.min(), engine=engine).tolist() == [datetime.date(2024, 1, 1), datetime.date(1969, 1, 1)]
    assert groups["at"].agg(lambda v: v.max(), engine=engine).tolist() == [datetime.datetime(2024, 1, 3), datetime.datetime(2000, 1, 1)]
    assert groups["at"].agg(lambda v: (v.max() - v.min()), engine=engine).tolist() == [datetime.timedelta(days=2), datetime.timedelta(0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_declared_dtypes(df: ff.DataFrame, engine: str) -> None:
    groups = df.groupby("j")
    assert str(groups["n"].agg(spread, out="int64", engine=engine).dtype) == "int64"
    assert str(groups["n"].transform(lambda n: n.astype(np.int32), out="int64", engine=engine).dtype) == "int64"   # widened, nothing lost
    with pytest.raises((JITError, FunctionError), match="out="):
        groups["x"].agg(spread, out="int64", engine=engine)
    with pytest.raises((JITError, FunctionError), match="out="):
        groups["x"].agg(lambda x: (x.min(), x.max()), out="float64", engine=engine)
    found = groups["n"].apply(lambda n: {"low": n.min(), "size": len(n)}, out={"low": "int64", "size": "int64"}, engine=engine)
    assert [str(found[name].dtype) for name in found.columns] == ["int64", "int64"]


Range = namedtuple("Range", "low high")


@pytest.mark.parametrize("engine", ENGINES)
def test_several_results(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    groups, theirs = df.groupby("k"), pdf.groupby("k")
    for function in (lambda w: {"low": w.min(), "high": w.max()}, lambda w: Range(w.min(), w.max())):
        found = groups["w"].apply(function, engine=engine)
        assert list(found.columns) == ["low", "high"]
        assert found["low"].tolist() == theirs["w"].min().tolist()
        assert found["high"].tolist() == theirs["w"].max().tolist()
    assert list(groups["w"].agg(lambda w: (w.min(), len(w)), engine=engine).columns) == ["0", "1"]
    assert list(groups[["w", "n"]].agg(lambda v: {"low": v.min(), "k": len(v)}, engine=engine).columns) == ["w_low", "w_k", "n_low", "n_k"]
    assert list(groups["w"].apply(lambda w: {"k": len(w)}, engine=engine).columns) == ["k"]   # called as the key is: keys are labels
    with pytest.raises(DuplicateColumn):
        df.groupby("k", as_index=False)["w"].apply(lambda w: {"k": len(w)}, engine=engine)
    if engine == "numba":
        assert list(groups.agg(r=("w", lambda w: {"low": w.min(), "high": w.max()}), n=("w", "size")).columns) == ["r_low", "r_high", "n"]


@pytest.mark.parametrize("engine", ENGINES)
def test_apply_gives_what_the_function_gives(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    ranks = df.groupby("k").apply(lambda n, w: n * w, engine=engine)
    np.testing.assert_allclose(ranks.to_pandas().to_numpy(dtype=float, na_value=np.nan), (pdf["n"] * pdf["w"]).where(pdf["k"].notna()))
    assert ranks.to_pandas().index.tolist() == LABELS.tolist()
    one = ff.DataFrame({"k": [1, 2], "v": [3, 4]})   # as many groups as rows: the function decides, not the lengths
    assert one.groupby("k")["v"].apply(lambda v: v + 1, engine=engine).to_pandas().index.tolist() == [0, 1]
    assert one.groupby("k")["v"].apply(lambda v: v[0] + 1, engine=engine).to_pandas().index.tolist() == [1, 2]
    assert df.groupby("j")["n"].apply("sum").tolist() == df.groupby("j")["n"].apply(np.sum).tolist() == df.groupby("j")["n"].sum().tolist()
    assert df.groupby("j").apply(len).tolist() == pdf.groupby("j").size().tolist()


def test_none_is_null(df: ff.DataFrame) -> None:
    for engine in ENGINES:
        found = df.groupby("j")["n"].agg(lambda n: n[0] if n[0] > 0 else None, engine=engine)
        expected = [one if one > 0 else None for one in df.groupby("j")["n"].first().tolist()]
        assert found.tolist() == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_frames_of_no_row_and_of_no_value(engine: str) -> None:
    empty = ff.DataFrame({"k": np.empty(0, np.int64), "x": np.empty(0)})
    assert empty.groupby("k")["x"].agg(spread, engine=engine).tolist() == []
    assert empty.groupby("k")["x"].transform(centred, engine=engine).tolist() == []
    missing = ff.DataFrame({"k": [1, 1, 2], "x": ff.Series([None, None, None], dtype="float64")})
    assert missing.groupby("k")["x"].agg(spread, engine=engine).tolist() == [None, None]
    assert missing.groupby("k")["x"].transform(centred, engine=engine).tolist() == [None] * 3
    assert ff.DataFrame({"k": [1], "x": [2.0]}).groupby("k")["x"].transform(centred, engine=engine).tolist() == [0.0]


def test_many_chunks_and_slices_give_the_same(df: ff.DataFrame) -> None:
    table = df.to_arrow()
    chunked = ff.from_arrow(pa.concat_tables([table.slice(start, 37) for start in range(0, ROWS, 37)]))
    expected = df.groupby("k")["x"].transform(centred).tolist()
    assert chunked.groupby("k")["x"].transform(centred).tolist() == expected
    part = df.iloc[101:400]
    copied = ff.DataFrame(part.to_pandas())
    assert part.groupby("k")["x"].transform(centred).tolist() == copied.groupby("k")["x"].transform(centred).tolist()


def test_decorated_functions_work_as_they_are(df: ff.DataFrame) -> None:
    expected = df.groupby("k")["w"].agg(spread).tolist()
    assert df.groupby("k")["w"].agg(numba.njit(spread)).tolist() == expected
    assert df.groupby("k")["w"].agg(numba.njit(spread), engine="python").tolist() == expected


def test_a_function_called_like_one_of_ours_is_the_users(df: ff.DataFrame) -> None:
    def mean(x):   # type: ignore[no-untyped-def]
        return len(x)

    assert df.groupby("j")["n"].agg(mean).tolist() == df.groupby("j")["n"].count().tolist()
    assert df.groupby("j")["n"].agg(np.mean).tolist() == df.groupby("j")["n"].mean().tolist()
    with pytest.raises(UnsupportedOperation, match="groupby"):
        df["n"].agg(mean)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("unit", ["D", "s", "us", "ns"])
def test_not_a_time_is_null(unit: str, engine: str) -> None:
    def without_first(t, nothing):   # type: ignore[no-untyped-def]
        out = t.copy()
        out[0] = nothing
        return out

    frame = ff.DataFrame({"k": [2, 1, 2, 1], "t": np.array(["2020-01-01", "1950-01-01", "2021-01-01", "2022-01-01"], f"M8[{unit}]")})
    groups, nothing = frame.groupby("k")["t"], np.datetime64("NaT", unit)
    found = groups.transform(without_first, nothing, engine=engine)
    assert found.dtype == frame["t"].dtype
    assert found.tolist() == [None, None, *frame["t"].tolist()[2:]]
    assert groups.agg(lambda t, nothing: nothing if len(t) else t[0], nothing, engine=engine).tolist() == [None, None]


@pytest.mark.parametrize("engine", ENGINES)
def test_arguments_by_keyword_only(df: ff.DataFrame, engine: str) -> None:
    def scaled(x, *, by=2.0):   # type: ignore[no-untyped-def]
        return x.sum() * by

    groups = df.groupby("j")["w"]
    assert groups.agg(scaled, engine=engine).tolist() == pytest.approx((groups.sum() * 2).tolist())
    assert groups.agg(scaled, by=3.0, engine=engine).tolist() == pytest.approx((groups.sum() * 3).tolist())
    with pytest.raises(FunctionArgumentError, match="was given 2 columns and arguments, but takes 1"):
        groups.agg(scaled, 3.0, engine=engine)


def test_a_frame_of_one_column_stays_a_frame() -> None:
    frame = ff.DataFrame({"k": [1, 2, 1], "x": [1.0, 2.0, 3.0]})
    assert frame.groupby("k").agg(spread).to_dict("list") == {"x": [2.0, 0.0]}
    assert frame.groupby("k").transform(centred).to_dict("list") == {"x": [-1.0, 0.0, 1.0]}


def test_text_and_categories(small: ff.DataFrame) -> None:
    groups = small.groupby("k")["t"]
    assert groups.agg(lambda t: "-".join(sorted(t)), engine="python").tolist() == ["u", "u-v", "z"]
    assert groups.transform(lambda t: t + "!", engine="python").tolist() == ["u!", "v!", None, None, "u!", "z!"]

    def count_u(codes, values):   # type: ignore[no-untyped-def]
        found = 0
        for code in codes:
            found += values[code] == "u"
        return found

    assert groups.agg(count_u).tolist() == [1, 1, 0]
    category = small.assign(t=small["t"].astype("category")).groupby("k")["t"]
    assert category.agg(count_u).tolist() == [1, 1, 0]
    with pytest.raises(FunctionArgumentError, match="column 't' is string, which compiled code gets as two"):
        groups.agg(lambda t: len(t))


@pytest.mark.parametrize("engine", ["numba", "python", "python-processes"])
def test_a_function_that_raises_names_the_group(df: ff.DataFrame, engine: str) -> None:
    def refuses(n):   # type: ignore[no-untyped-def]
        if n[0] < 100:
            raise ValueError("too small")
        return n.sum()

    with pytest.raises(FunctionError) as raised:
        df.groupby(["k", "j"])["n"].agg(refuses, engine=engine)
    assert raised.value.key == ("a", 0)
    assert str(raised.value) == (
        "refuses() raised ValueError in the group k='a', j=0: too small. Nothing was changed; the function's own error is the cause of this one."
    )
    assert type(raised.value.__cause__) is ValueError
    with pytest.raises(FunctionError) as raised:
        df.groupby("k")["n"].transform(lambda n: n[:1], engine=engine)
    assert raised.value.key == "a"
    n_rows = int(df.groupby("k")["n"].count().tolist()[0])
    assert str(raised.value) == (
        f"the lambda returned an array of length 1 in the group k='a', of which it was given {n_rows} rows. "
        "Return one value per row, or one value for the group."
    )


def test_processes(small: ff.DataFrame) -> None:
    groups = small.groupby("k")
    assert groups["x"].agg(lambda x: x.sum(), engine="python-processes").tolist() == [1, 7, None]
    assert groups["t"].agg(lambda t: "".join(t), engine="python-processes").tolist() == ["u", "vu", "z"]
    with pytest.raises(FunctionError, match="cannot be sent to another process"):
        groups["x"].agg(lambda x, lock: 1, __import__("threading").Lock(), engine="python-processes")


ERRORS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda g: g["x"].agg(lambda x: x, engine="python"), FunctionError,
     "agg: the lambda returned an array, but it must return one value per group, or a tuple or dict of them. Use transform or apply for one value per row."),
    (lambda g: g["x"].agg(lambda x: x), FunctionError,
     "agg: the lambda returned an array, but it must return one value per group, or a tuple or dict of them. Use transform or apply for one value per row."),
    (lambda g: g["x"].transform(lambda x: (1, 2), engine="python"), FunctionError,
     "transform: the lambda returned a tuple, but it must return one value per row, or one value for the whole group. "
     "Use agg or apply for several results per group."),
    (lambda g: g["x"].agg(spread, nulls="drop"), ArgumentError, "agg was given nulls='drop'. Allowed are: 'skip', 'mask', 'nan'."),
    (lambda g: g["x"].agg(spread, engine="cython"), ArgumentError,
     "agg was given engine='cython'. Did you mean 'python'? Allowed are: 'numba', 'python', 'python-processes'."),
    (lambda g: g["n"].agg(spread, nulls="nan"), FunctionArgumentError,
     "nulls='nan' needs float columns, but column 'n' is int64. Use .astype('float64') first, or nulls='skip' or 'mask'."),
    (lambda g: g["x"].agg(spread, nulls="mask"), FunctionArgumentError,
     "spread() has 1 parameter without a value ('x'), but with nulls='mask' it gets each column and then as many masks. "
     "Write a parameter for each of them, such as def f(x, w, x_valid, w_valid)."),
    (lambda g: g[["x", "n"]].agg(lambda a, b, c: 1), FunctionArgumentError,
     "the lambda has 3 parameters without a value ('a', 'b', 'c'), but 2 columns are chosen ('x', 'n'). Choose as many, as in df.groupby(keys)[['x', 'y']], "
     "call parameters as columns are called, or pass the rest by keyword."),
    (lambda g: g["x"].agg(spread, limt=3), FunctionArgumentError, "spread() has no parameter 'limt'. Its parameters are: 'x'."),
    (lambda g: g["x"].agg(lambda: 1), FunctionArgumentError, "the lambda has no parameter that a column could be given to. Write one parameter per column."),
    (lambda g: g["x"].agg(spread, 1, 2), FunctionArgumentError,
     "spread() was given 3 columns and arguments, but takes 1. Leave some away, or pass extra arguments by keyword."),
    (lambda g: g["x"].agg(lambda x: {1, 2}.pop() if x[0] > 1 else x, engine="python"), FunctionError,
     "the lambda returned an array for one group and one value for another. Return the same kind of result for every group."),
    (lambda g: g["x"].transform(lambda x: x.astype("int64") if x[0] > 1 else x, engine="python"), FunctionError,
     "the lambda returned values of float64 for one group and of int64 for another. Return the same kind of result for every group."),
    (lambda g: g.agg(a=("x", spread), b=(("x", "zz"), spread)), ColumnNotFound, "there is no column 'zz'. The columns are: 'k', 'x', 'n', 't'."),
    (lambda g: g["x"].agg([spread, spread]), DuplicateColumn,
     "column names must be unique, but 'spread' would occur more than once. Name the aggregations: agg(total=('x', 'sum'))."),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "error", "message"), ERRORS)
def test_errors(small: ff.DataFrame, verb: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        verb(small.groupby("k"))
    assert str(raised.value) == message


def test_what_cannot_be_compiled_says_so_and_is_never_run_by_the_interpreter(small: ff.DataFrame) -> None:
    called = []
    with pytest.raises(JITError, match='pass engine="python"'):
        small.groupby("k")["x"].agg(lambda x: called.append(x))
    assert called == []
    with pytest.raises(DTypeError):
        ff.DataFrame({"k": [[1], [2]], "x": [1, 2]}).groupby("k")["x"].agg(spread)
