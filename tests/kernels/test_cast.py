"""The numeric cast kernel against exact Python conversions; the other casts through pyarrow."""

from __future__ import annotations

import datetime
import itertools
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column
from fastframe.dtypes import dtype
from fastframe.engines.cpu.cast import _CASTS, cast
from fastframe.errors import DTypeError, LossyCast
from fastframe.ops.casts import PAIRS
from tests.kernels.test_arithmetic import FLOATS, INTEGERS, NULLS, column, numbers, same
from tests.reference import elementwise as slow

NUMBERS = ["bool", *INTEGERS, *FLOATS]


def edges(name: str) -> list[Any]:
    if name == "bool":
        return [True, False, None]
    if name.startswith("float"):
        huge = float(np.finfo(name).max)
        return [0.0, -0.0, 1.0, -1.0, 0.5, 127.0, 128.0, 255.0, 256.0, -129.0, 2.0**31, 2.0**63, 2.0**64, -(2.0**63), huge, float("inf"), float("nan"), None]
    limits = np.iinfo(name)
    return [0, 1, limits.min, limits.max, None] + [value for value in (-1, 127, 128, 255, 256, 2**31) if limits.min <= value <= limits.max]


@pytest.mark.parametrize(("source", "target"), list(itertools.product(NUMBERS, NUMBERS)))
def test_each_edge_value_is_kept_or_refused(source: str, target: str) -> None:
    for value in edges(source):
        given = Column(pa.array([value], dtype(source).arrow))
        try:
            expected = slow.cast_number(given.array.to_pylist(), target)
        except slow.DoesNotFit:
            with pytest.raises(LossyCast, match="for example"):
                cast(given, dtype(target))
            continue
        result = cast(given, dtype(target))
        assert result.dtype == target
        assert same(result.array.to_pylist(), expected), value


@pytest.mark.parametrize(("source", "target"), [
    ("int32", "int64"), ("int64", "float32"), ("float64", "float32"), ("int64", "bool"), ("bool", "int16"), ("uint8", "int8"),
])  # fmt: skip
def test_nulls_and_slices(source: str, target: str) -> None:
    for seed, (nulls, offset, n_rows) in enumerate(itertools.product(NULLS, (0, 5), (0, 1, 300))):
        values = [abs(value) for value in numbers("int8", n_rows, seed)]
        given = column([value > 3 for value in values] if source == "bool" else values, source, nulls, offset=offset)
        result = cast(given, dtype(target))
        result.array.validate(full=True)
        assert result.array.to_pylist() == slow.cast_number(given.array.to_pylist(), target)


@pytest.mark.parametrize("place", [0, 63, 64, 130])
def test_a_block_with_a_double_that_is_no_finite_float(place: int) -> None:
    largest = float(np.finfo("float32").max)
    for value, fits in ((1e39, False), (-1e39, False), (largest * (1 + 2**-24), False), (largest, True), (np.inf, True), (np.nan, True)):
        values = np.linspace(-1e38, 1e38, 131)
        values[place] = value
        given = Column(pa.array(values))
        if not fits:
            with pytest.raises(LossyCast, match=r"float64 to float32.*for example"):
                cast(given, dtype("float32"))
        else:
            assert same(cast(given, dtype("float32")).array.to_pylist(), values.astype("float32").tolist())


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
def test_numbers_as_bools_over_several_words(name: str) -> None:
    values = [value % 3 if value is not None and value == value else value for value in numbers(name, 300, 1)]
    given = column([value for value in values if value is None or abs(value) < 1e300 or value != value], name, "some", offset=5)
    assert cast(given, dtype("bool")).array.to_pylist() == slow.cast_number(given.array.to_pylist(), "bool")


def test_nan_becomes_null_in_integers_and_bools() -> None:
    given = Column(pa.array([1.0, float("nan"), None, 3.0]))
    assert cast(given, dtype("int8")).array.to_pylist() == [1, None, None, 3]
    assert cast(given, dtype("bool")).array.to_pylist() == [True, None, None, True]
    assert cast(given, dtype("string")).array.to_pylist()[1:3] == [None, None]
    assert cast(given, dtype("decimal128(5, 1)")).array.to_pylist() == [Decimal(1), None, None, Decimal(3)]


def test_the_message_names_the_column_and_a_value_of_a_late_slice() -> None:
    values = np.zeros(300_000)
    values[299_999] = 2.5
    with pytest.raises(LossyCast, match=r"column 'x' from float64 to int32 .*for example 2\.5"):
        cast(Column(pa.array(values)), dtype("int32"), name="x")


def test_unsafe_casts_wrap_integers_and_cut_floats() -> None:
    assert cast(Column(pa.array([300, -1])), dtype("uint8"), safe=False).array.to_pylist() == [44, 255]
    floats = Column(pa.array([1.9, -1.9, 1e30, -1e30, float("nan")]))
    assert cast(floats, dtype("int32"), safe=False).array.to_pylist() == [1, -1, 2**31 - 1, -(2**31), None]
    assert cast(Column(pa.array([1e300])), dtype("float32"), safe=False).array.to_pylist() == [float("inf")]


@pytest.mark.parametrize(("target", "texts", "values"), [
    ("int64", ["1", None, "-5"], [1, None, -5]),
    ("float64", ["1.5", None, "1e3"], [1.5, None, 1000.0]),
    ("date32", ["2020-02-29", None], [datetime.date(2020, 2, 29), None]),
    ("timestamp[s]", ["2020-02-29 10:00:00", None], [datetime.datetime(2020, 2, 29, 10), None]),
    ("bool", ["true", "false", None], [True, False, None]),
    ("decimal128(5, 2)", ["1.25", None], [Decimal("1.25"), None]),
])  # fmt: skip
@pytest.mark.parametrize("encoded", [False, True])
def test_text_is_read_and_bad_text_named(target: str, texts: list[Any], values: list[Any], encoded: bool) -> None:
    def text(given: list[Any]) -> Column:
        array = pa.array(given)
        return Column(array.dictionary_encode() if encoded else array, dtype("string"))

    assert cast(text(texts), dtype(target)).array.to_pylist() == values
    with pytest.raises(LossyCast, match="'oops' of column 'x' cannot be read as"):
        cast(text([*texts * 3, "oops", *texts]), dtype(target), name="x")
    unused = text([*texts, "oops"])
    assert cast(unused.slice(0, len(texts)), dtype(target)).array.to_pylist() == values


def test_numbers_and_times_to_text_and_back() -> None:
    for values in (pa.array([1, None, -7]), pa.array([True, None]), pa.array([1.5, None]), pa.array([datetime.date(2020, 1, 2), None])):
        text = cast(Column(values), dtype("string"))
        assert text.dtype == "string"
        assert cast(text, dtype(values.type)).array.equals(values)


def test_timestamps_change_unit_only_without_loss() -> None:
    stamps = Column(pa.array([1_000, None, 2_500], pa.timestamp("ms")))
    assert cast(stamps, dtype("timestamp[ns]")).array.view(pa.int64()).to_pylist() == [10**9, None, 25 * 10**8]
    with pytest.raises(LossyCast, match="timestamp"):
        cast(stamps, dtype("timestamp[s]"))
    assert cast(stamps, dtype("timestamp[s]"), safe=False).array.view(pa.int64()).to_pylist() == [1, None, 2]
    with pytest.raises(LossyCast):
        cast(Column(pa.array([2**40], pa.timestamp("s"))), dtype("timestamp[ns]"))
    assert cast(stamps, dtype("int64")).array.to_pylist() == [1000, None, 2500]
    assert cast(Column(pa.array([5])), dtype("duration[us]")).array.to_pylist() == [datetime.timedelta(microseconds=5)]


def test_zones() -> None:
    utc = Column(pa.array([0], pa.timestamp("s", tz="UTC")))
    berlin = cast(utc, dtype("timestamp[s, Europe/Berlin]"))
    assert berlin.array.view(pa.int64()).to_pylist() == [0]
    with pytest.raises(DTypeError, match="tz_localize"):
        cast(utc, dtype("timestamp[s]"))
    assert cast(Column(pa.array([82_800, None], pa.timestamp("s"))), dtype("date32"), safe=False).array.to_pylist() == [datetime.date(1970, 1, 1), None]
    with pytest.raises(LossyCast, match=r"date32 .*23:00:00"):
        cast(Column(pa.array([82_800], pa.timestamp("s"))), dtype("date32"))


@pytest.mark.parametrize("encoded", [False, True])
def test_categories_are_sorted_and_only_those_used(encoded: bool) -> None:
    array = pa.array(["unused", "b", "a", None, "b"])
    text = Column((array.dictionary_encode() if encoded else array).slice(1), dtype("string"))
    category = cast(text, dtype("category"))
    assert category.dtype == dtype("category")
    assert category.dictionary.to_pylist() == ["a", "b"]
    assert category.array.to_pylist() == ["b", "a", None, "b"]
    assert cast(category, dtype("string")).array.to_pylist() == ["b", "a", None, "b"]
    numeric = cast(Column(pa.array([3, 1, None, 3])), dtype("category"))
    assert numeric.dictionary.to_pylist() == [1, 3]
    assert cast(numeric, dtype("int64")).array.to_pylist() == [3, 1, None, 3]
    assert cast(numeric, dtype("string")).array.to_pylist() == ["3", "1", None, "3"]


def test_every_pair_that_resolves_has_a_handler_and_others_raise() -> None:
    assert set(_CASTS) == set(PAIRS)
    with pytest.raises(DTypeError, match=r"astype is not defined between duration\[us\] and date32"):
        cast(Column(pa.array([datetime.timedelta(1)])), dtype("date32"))


def test_decimals() -> None:
    decimals = Column(pa.array([Decimal("1.50"), None, Decimal("-2.00")], pa.decimal128(5, 2)))
    assert cast(decimals, dtype("float64")).array.to_pylist() == [1.5, None, -2.0]
    with pytest.raises(LossyCast, match=r"1\.50"):
        cast(decimals, dtype("int64"))
    assert cast(decimals, dtype("bool")).array.to_pylist() == [True, None, True]
    with pytest.raises(LossyCast, match="for example 1000"):
        cast(Column(pa.array([7, 1000])), dtype("decimal128(5, 2)"))
    assert cast(Column(pa.array([7])), dtype("decimal128(5, 2)")).array.to_pylist() == [Decimal("7.00")]


def test_half_floats() -> None:
    halves = cast(Column(pa.array([1.5, None])), dtype("float16"))
    assert halves.dtype == "float16" and cast(halves, dtype("float64")).array.to_pylist() == [1.5, None]
    with pytest.raises(LossyCast):
        cast(Column(pa.array([1e6])), dtype("float16"))
