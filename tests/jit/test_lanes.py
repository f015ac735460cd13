"""Functions called for several neighbouring windows at once: the same bits as of one call per window, or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import pytest

from fastframe._jit.calls import Inputs, over_runs
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import Kernel, compile_runs
from fastframe._jit.runs import Runs
from fastframe.dtypes import dtype
from tests.jit.running import outputs_of

ROWS = 300
RNG = np.random.default_rng(3)


def values_of(kind: str) -> np.ndarray:
    if kind == "bool":
        return RNG.random(ROWS) < 0.5
    if kind.startswith("float"):
        values = (RNG.normal(size=ROWS) * 100).astype(kind)
        values[[20, 90]], values[100:104] = [np.nan, np.inf], [0.0, -0.0, -np.inf, np.nan]
        return values
    limits = np.iinfo(kind)
    return RNG.integers(limits.min, limits.max, ROWS, dtype=kind, endpoint=True)


def windows(width: int) -> Runs:
    """Neighbours mostly, with shorter ones at both ends, some that are left out, and some that are no neighbours."""
    begin, end = np.arange(ROWS, dtype=np.int32) - width + 1, np.arange(ROWS, dtype=np.int32) + 1
    begin = np.maximum(begin, 0)
    for left_out in (0, 60, 61, 130):
        begin[left_out], end[left_out] = 0, -1
    begin[200], end[240] = begin[200] // 2, end[240] - (width > 1)
    return Runs.evenly(begin, end, 93)


def kernels_of(function: Any, arrays: Sequence[np.ndarray], extras: Sequence[Any] = ()) -> list[Kernel]:
    kinds = [dtype(one.dtype) for one in arrays]
    return [compile_runs(UserFunction.of(function), kinds, extras=extras, together=together) for together in (False, True)]


def bits(values: np.ndarray) -> list[bytes]:
    """All NaN are one: their payload is LLVM's."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
    return [one.tobytes() for one in values]


def check(function: Any, arrays: Sequence[np.ndarray], extras: Sequence[Any] = (), *, width: int = 20, together: bool = True) -> None:
    """Both ways give the same, and the second is the one expected."""
    alone, many = kernels_of(function, arrays, extras)
    assert not alone.compiled.together
    assert many.compiled.together == together
    assert [one.dtype for one in alone.results] == [one.dtype for one in many.results]
    runs, found = windows(width), []
    for kernel in (alone, many):
        outputs = outputs_of(kernel, ROWS, runs.n_runs)
        failure = over_runs(kernel, Inputs(arrays, extras=extras), runs, outputs)
        found.append(failure if failure is not None else [(bits(one.values), one.present.tolist()) for one in outputs])   # type: ignore[union-attr]
    assert found[0] == found[1]


def weighted(x):   # type: ignore[no-untyped-def]  # users' functions carry no types
    total = 0.0
    for row in range(len(x)):
        total += x[row] * (row + 1)
    return total / (len(x) * (len(x) + 1) / 2)


def integers(x):   # type: ignore[no-untyped-def]
    total = 0
    for value in x:
        total = total * 3 + value
    return total


def of_either_end(x):   # type: ignore[no-untyped-def]
    return x[-1] - x[0] if len(x) > 1 else x[0] - x[0]


def distances(x):   # type: ignore[no-untyped-def]
    first, total = x[0], 0.0
    for row in range(1, x.size):
        total += abs(x[row] - first) ** 2 + (x[row] - x[row - 1]) ** 3
    return math.sqrt(total) / x.shape[0]


def extremes(x):   # type: ignore[no-untyped-def]
    low, high = x[0], x[0]
    for value in x:
        low, high = min(low, value), max(value, high, low)
    return low, high


def named(x):   # type: ignore[no-untyped-def]
    total = 0.0
    for row, value in enumerate(x):
        total -= value / (row + 2.5)
    return {"total": total, "length": len(x), "larger": total > 1.5}


def counted(x):   # type: ignore[no-untyped-def]
    n = 0
    for value in x:
        n += value > 0
    return n


def compared(x):   # type: ignore[no-untyped-def]
    found = x[0] < x[-1]
    for value in x:
        found = found & (value <= x[0]) | (value != x[-1]) ^ (value == 3) & (value >= 1)
    return found


def backwards(x):   # type: ignore[no-untyped-def]
    total, row = 0.0, len(x)
    while row > 0:
        row -= 2
        if row % 3 == 0:
            continue
        total = total * 0.5 + x[row]
    return total


def helped(x):   # type: ignore[no-untyped-def]
    total = 0.0
    for value in x:
        total += _squashed(value, 2.0)
    return -total


def _squashed(value, scale):   # type: ignore[no-untyped-def]
    return value * scale / (1.0 + abs(value))


def decayed(x):   # type: ignore[no-untyped-def]
    total, weight = 0.0, 1.0
    for row in range(len(x) - 1, -1, -1):
        total += x[row] * weight
        weight *= 0.9
    return float(total)


def transcendental(x):   # type: ignore[no-untyped-def]
    total = 0.0
    for value in x:
        total += math.exp(-abs(value))
    return total


def rooted(x):   # type: ignore[no-untyped-def]
    total, missing = 0.0, 0
    for value in x:
        total += np.sqrt(np.abs(value)) - math.sqrt(abs(value) / 3) + math.fabs(-value)
        missing += math.isnan(value) & (len(x) != 2)
    return total, missing, float(total) * +x[0]


def turned(x):   # type: ignore[no-untyped-def]
    return abs(x[0]), -x[-1]


def constant(x):   # type: ignore[no-untyped-def]
    return len(x) * 2


SUPPORTED = [weighted, of_either_end, distances, extremes, named, counted, compared, backwards, helped, decayed, rooted, turned, constant]


@pytest.mark.parametrize("function", SUPPORTED)
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_floats(function: Any, kind: str) -> None:
    check(function, [values_of(kind)])


@pytest.mark.parametrize("function", [weighted, integers, of_either_end, extremes, counted, compared, turned, constant])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_integers(function: Any, kind: str) -> None:
    refused = function is turned and kind != "int64"   # numba widens what abs() or a sign makes of others
    check(function, [values_of(kind)], together=not refused)


def test_large_integers_become_floats_as_one_does() -> None:
    edges = [0, 1, -1, 2**52, 2**53 + 1, -(2**53) - 3, 2**62 + 255, 2**63 - 1, -(2**63), 2**32 - 1, 2**32, -(2**32), 2**31, -(2**31) - 1]
    values = np.resize(np.array([*edges, *(RNG.integers(-(2**63), 2**63 - 1, 50) >> RNG.integers(0, 60, 50))]), ROWS)
    check(lambda x: (float(x[0]), x[-1] / x[0], x[-1] * 1.0), [values])


@pytest.mark.parametrize("function", [weighted, integers, counted])
def test_bools(function: Any) -> None:
    check(function, [values_of("bool")])


@pytest.mark.parametrize("width", [1, 2, 3, 16, 17, 50, 299])
def test_widths(width: int) -> None:
    check(weighted, [values_of("float64")], width=width)
    check(of_either_end, [values_of("int64")], width=width)


def test_several_columns_and_extra_arguments() -> None:
    def mixed(x, w, there, power, weights):   # type: ignore[no-untyped-def]
        total, weight = 0.0, 1e-3
        for row in range(len(x)):
            total += x[row] * w[row] * weights[row % 3] + power * there[row]
            weight += w[row]
        return total / weight

    arrays = [values_of("float64"), values_of("int32"), values_of("bool")]
    check(mixed, arrays, [2.5, np.array([0.5, 1.5, -1.0])])
    check(lambda x, w: sum_of_products(x, w), [values_of("float64"), values_of("float32")])
    check(lambda x, scale: x[0] * scale, [values_of("float32")], [np.float32(3)])


def sum_of_products(x, w):   # type: ignore[no-untyped-def]
    total = 0.0
    for one, other in zip(x, w):   # numba has no strict=
        total += one * other
    return total


# ---- refused: these go one by one, with the same bits


def branches(x):   # type: ignore[no-untyped-def]
    best = x[0]
    for value in x:
        if value > best:
            best = value
    return best


def until(x):   # type: ignore[no-untyped-def]
    row = 0
    while row < len(x) - 1 and x[row] < 50:
        row += 1
    return row


def looked_up(x, table):   # type: ignore[no-untyped-def]
    return table[int(x[0]) & 3]


def sliced(x):   # type: ignore[no-untyped-def]
    return x[1:].max() if len(x) > 1 else x[0]


def stored(x):   # type: ignore[no-untyped-def]
    kept = np.zeros(3)
    kept[1] = x[-1]
    return kept.sum()


def identical(x):   # type: ignore[no-untyped-def]
    first = x[0]
    return 1.0 if first is x[-1] else 2.0


def caught(x):   # type: ignore[no-untyped-def]
    try:
        value = x[3]
    except Exception:
        return 0.0
    return value


def listed(x):   # type: ignore[no-untyped-def]
    values = [x[0], x[-1]]
    return values[-1]


def optional(x):   # type: ignore[no-untyped-def]
    return None if x[0] > 0 else x[0]


def divided(x):   # type: ignore[no-untyped-def]
    return (x[0] * 7) // 3 + x[-1] % 5


@pytest.mark.parametrize("function", [branches, until, sliced, stored, identical, caught, listed, optional])
def test_refused(function: Any) -> None:
    check(function, [values_of("float64")], together=False)


def test_refused_for_other_reasons() -> None:
    check(transcendental, [values_of("float64")], together=False)   # nothing to gain
    check(lambda x: x[0] % 7.0, [values_of("float64")], together=False)
    check(looked_up, [values_of("int64")], [np.arange(4.0)], together=False)
    check(divided, [values_of("int64")], together=False)   # a division by zero has to be told by its window
    check(lambda x: x[-1] - x[0], [values_of("int64").view("datetime64[ns]")], together=False)


def test_random_numbers_are_drawn_for_each_window() -> None:
    kernels = kernels_of(lambda x: x[0] + np.random.random(), [np.zeros(ROWS)])
    assert not kernels[1].compiled.together


def test_functions_of_numba() -> None:
    check(numba.njit(weighted), [values_of("float64")])
    check(numba.njit(error_model="numpy", boundscheck=True)(distances), [values_of("float64")])
    check(numba.njit(fastmath=True)(constant), [values_of("float64")], together=False)   # sums could be put in another order
    called = numba.njit(_squashed)
    check(lambda x: called(x[0], 2.0), [values_of("float64")], together=False)


# ---- exceptions


def picked(x, place):   # type: ignore[no-untyped-def]
    if len(x) < 3:
        raise ValueError("short")
    return x[place]


@pytest.mark.parametrize("place", [0, -1, 19, -20, 20, -21])
def test_the_same_window_raises(place: int) -> None:
    check(picked, [values_of("float64")], [place])
    check(lambda x, place: x[place], [values_of("float64")], [place])


def test_one_lane_raises() -> None:
    @numba.njit
    def inverse(x):   # type: ignore[no-untyped-def]
        return 1.0 / x[0]

    for at in (37, 150, 299):
        values = np.arange(1.0, ROWS + 1)
        values[at] = 0.0
        check(inverse, [values])
        check(inverse, [values], width=1)


# ---- reductions, and operations of arrays


def summed(x):   # type: ignore[no-untyped-def]
    return x.sum(), x.mean(), np.sum(x) - np.mean(x)


def moments(x):   # type: ignore[no-untyped-def]
    return x.var(), np.std(x), (x[-1] - x.mean()) / (x.std() + 0.5)


def ranged(x):   # type: ignore[no-untyped-def]
    return x.max() - np.min(x)


@pytest.mark.parametrize("function", [summed, moments, ranged])
@pytest.mark.parametrize("kind", ["float64", "int64", "int32"])
@pytest.mark.parametrize("width", [1, 7, 8, 9, 16, 23, 50])
def test_reductions(function: Any, kind: str, width: int) -> None:
    check(function, [values_of(kind)], width=width)


def test_reductions_of_other_types() -> None:
    check(summed, [values_of("bool")])
    check(ranged, [values_of("float32")], together=False)   # numba's own, in an order of its own


def weighted_mean(x, w):   # type: ignore[no-untyped-def]
    return (x * w).sum() / w.sum()


def squares(x, w):   # type: ignore[no-untyped-def]
    away = (x - x.mean()) * (w / 3)
    return np.sqrt(np.abs(away * away + 1.5)).mean() - (2 - away).max() + away[-1] * len(away)


@pytest.mark.parametrize("function", [weighted_mean, squares])
@pytest.mark.parametrize("kind", ["float64", "int64", "int32"])
def test_operations_of_arrays(function: Any, kind: str) -> None:
    weights = values_of("float64")
    check(function, [weights, RNG.integers(1, 9, ROWS).astype(kind)], width=21, together=function is weighted_mean or kind == "float64")


def test_operations_of_arrays_that_are_refused() -> None:
    check(lambda x: (x ** 2).sum(), [values_of("float64")], together=False)
    check(lambda x: (x * 2).sum(), [values_of("int64")], together=False)
    check(lambda x: (x > 0).sum(), [values_of("float64")], together=False)

    def written(x):   # type: ignore[no-untyped-def]
        y = x * 2.0
        y *= 3.0
        return y.sum()

    check(written, [values_of("float64")], together=False)
