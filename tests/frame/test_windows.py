"""shift, diff, cumulative functions, fills and ranks of frames and series against pandas."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.errors import ArgumentError, DTypeError, FastFrameError, IntegerOverflow, LossyCast
from fastframe.options import option_context
from fastframe.testing import DTYPES, NULLS, assert_column_equal, column, covering
from tests.frame.grouped_cases import assert_same, made, outcome

Verb = Callable[[Any], Any]
VERBS: dict[str, Verb] = {
    "shift": lambda s: s.shift(2), "shift up": lambda s: s.shift(-3), "shift by none": lambda s: s.shift(0), "shift far": lambda s: s.shift(99),
    "diff": lambda s: s.diff(), "diff up": lambda s: s.diff(-2), "cumsum": lambda s: s.cumsum(), "cumprod": lambda s: s.cumprod(),
    "cummin": lambda s: s.cummin(), "cummax": lambda s: s.cummax(), "ffill": lambda s: s.ffill(), "bfill": lambda s: s.bfill(),
    "ffill 1": lambda s: s.ffill(limit=1), "bfill 2": lambda s: s.bfill(limit=2),
    "pct_change": lambda s: s.pct_change() if isinstance(s, ff.Series) else s.pct_change(fill_method=None),
}  # fmt: skip
KINDS = [name for name in DTYPES if name != "binary"]
UNSIGNED = [name for name in DTYPES if name.startswith("uint")]
REFUSED = {   # what pandas does and fastframe refuses
    "diff": ("bool",), "diff up": ("bool",), "pct_change": ("bool", "decimal128(12, 2)", "duration[ms]"), "cumsum": ("string", "encoded string"),
    "cummin": ("string", "encoded string"), "cummax": ("string", "encoded string"),
}  # fmt: skip


def check(verb: Verb, frames: tuple[Any, Any], *, refused: bool = False) -> None:
    theirs = outcome(verb, frames[1])
    if isinstance(theirs, Exception):
        mine = outcome(verb, frames[0])
        assert not isinstance(mine, Exception) or isinstance(mine, FastFrameError), mine
    elif refused:
        with pytest.raises(DTypeError, match="is not defined for dtype"):
            verb(frames[0])
    else:
        assert_same(verb(frames[0]), theirs, rtol=1e-6, numbers=True)


@pytest.mark.parametrize("name", VERBS)
def test_against_pandas(name: str) -> None:
    for case in covering({"dtype": KINDS, "nulls": NULLS, "sliced": (True, False), "rows": (40, 1, 0)}):
        if name.startswith("diff") and case["dtype"] in UNSIGNED:
            continue   # pandas' wrap around: see test_differences_of_unsigned_integers
        n_rows = case["rows"] if name != "cumprod" else min(6, case["rows"])
        ours, theirs = made(n_rows, v={"dtype": case["dtype"], "nulls": case["nulls"], "sliced": case["sliced"]})
        try:
            check(VERBS[name], (ours["v"], theirs["v"]), refused=case["dtype"] in REFUSED.get(name, ()))
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from error


@pytest.mark.parametrize("method", ["average", "min", "max", "first", "dense"])
def test_ranks(method: str) -> None:
    factors = {"dtype": KINDS, "nulls": NULLS, "ascending": (True, False), "na_option": ("keep", "top", "bottom"), "pct": (True, False), "rows": (30,
    1, 0)}
    for case in covering(factors):
        ours, theirs = made(case["rows"], v={"dtype": case["dtype"], "nulls": case["nulls"], "wide": case["dtype"] == "float64"})
        options = {name: case[name] for name in ("ascending", "na_option", "pct")}
        try:
            check(lambda s: s.rank(method=method, **options), (ours["v"], theirs["v"]))   # noqa: B023
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from error


def test_frames_are_their_columns() -> None:
    ours, theirs = made(20, a={"dtype": "int64", "nulls": "some"}, b={"dtype": "float64", "nulls": "some"})
    for verb in (*VERBS.values(), lambda x: x.rank(method="dense")):
        if verb is not VERBS["pct_change"] and verb is not VERBS["cumprod"]:
            check(verb, (ours.set_index("a"), theirs.set_index("a")))
            check(verb, (ours, theirs))


@pytest.mark.parametrize(("dtype", "unit"), [("date32", "duration[s]"), ("date64", "duration[ms]"), ("timestamp[us]", "duration[us]"),
("duration[ms]", "duration[ms]")])
def test_differences_of_times_have_their_unit(dtype: str, unit: str) -> None:
    ours, theirs = made(12, v=dtype, k="bool")
    assert ours["v"].diff().dtype == unit
    check(lambda x: x["v"].diff(), (ours, theirs))
    check(lambda x: x.groupby("k")["v"].diff(), (ours, theirs))


@pytest.mark.parametrize("dtype", UNSIGNED)
def test_differences_of_unsigned_integers(dtype: str) -> None:
    found = ff.Series([3, 5, None, 1, 0], dtype=dtype).diff()
    assert found.dtype == "int64"
    assert found.tolist() == [None, 2, None, None, -1]


def test_days_are_not_seconds() -> None:
    days = ff.Series(pa.array([0, 7, 3], pa.int32()).cast(pa.date32()))
    assert [one and one.days for one in days.diff()] == [None, 7, -4]


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool", "string", "encoded string", "date32", "float32", "timestamp[us]"])
def test_shift_with_a_filling_keeps_the_dtype(dtype: str) -> None:
    ours, _ = made(10, v={"dtype": dtype, "nulls": "some"}, k="bool")
    filling = ours["v"].dropna().iloc[0]
    assert ours["v"].shift(3, fill_value=filling).dtype == ours["v"].dtype
    assert ours["v"].shift(3, fill_value=filling).tolist() == [filling] * 3 + ours["v"].tolist()[:7]
    by_key: dict[Any, list[Any]] = {True: [filling], False: [filling]}
    expected = []
    for key, value in zip(ours["k"], ours["v"], strict=True):
        expected.append(by_key[key][-1])
        by_key[key].append(value)
    assert ours.groupby("k")["v"].shift(1, fill_value=filling).tolist() == expected


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda s: s.shift(1.5), ArgumentError, "shift was given periods=1.5. Allowed are: 'an int'."),
        (lambda s: s.shift(fill_value="x"), LossyCast, "'x' does not fit dtype int64 of column 'n'. Use .astype(...) on the column first."),
        (lambda s: s.shift(fill_value=1.5), LossyCast, "1.5 does not fit dtype int64 of column 'n'. Use .astype(...) on the column first."),
        (lambda s: s.ffill(limit=0), ArgumentError, "ffill was given limit=0. Allowed are: 'None', 'an int of at least 1'."),
        (lambda s: s.rank(method="x"), ArgumentError, "rank was given method='x'. Allowed are: 'average', 'min', 'max', 'first', 'dense'."),
        (lambda s: s.rank(na_option="x"), ArgumentError, "rank was given na_option='x'. Allowed are: 'keep', 'top', 'bottom'."),
        (lambda s: s.astype("string").diff(), DTypeError,
         "diff is not defined for dtype string of column 'n'. It works on numeric, date, time and duration columns. Use .astype(...) to convert first."),
        (lambda s: s.cumsum(), IntegerOverflow,
         "cumsum of column 'n' does not fit int64. Use .astype('float64'), or a wider integer, before computing."),
        (lambda s: s.iloc[::-1].diff(), IntegerOverflow,
         "diff of column 'n' does not fit int64. Use .astype('float64'), or a wider integer, before computing."),
        (lambda s: s.to_frame().cumsum(), IntegerOverflow,
         "cumsum of column 'n' does not fit int64. Use .astype('float64'), or a wider integer, before computing."),
    ],
)  # fmt: skip
def test_errors(verb: Verb, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        verb(ff.Series([2**63 - 1, 1, -(2**63)], name="n"))
    assert str(raised.value) == message


@given(st.lists(st.one_of(st.none(), st.integers(-(2**50), 2**50)), max_size=50))
def test_cumsum_is_pythons(values: list[int | None]) -> None:
    sums = list(accumulate(value or 0 for value in values))
    expected = [None if value is None else total for value, total in zip(values, sums, strict=True)]
    assert ff.Series(values, dtype="int64").cumsum().tolist() == expected


@pytest.mark.parametrize("verb", ["cumsum", "cummax", "rank", "diff", "ffill"])
def test_threads_and_chunks_do_not_change_bits(verb: str) -> None:
    given = column("float64", 150_000, nulls="some", seed=1)
    array = given.array
    with option_context(threads=4):
        expected = getattr(ff.Series(array), verb)()._column
    for threads in (1, 2):
        with option_context(threads=threads):
            assert_column_equal(getattr(ff.Series(array), verb)()._column, expected)
    chunked = pa.chunked_array([array[:1], array[1:77_777], array[77_777:77_777], array[77_777:]])
    assert_column_equal(getattr(ff.Series(chunked), verb)()._column, expected)
