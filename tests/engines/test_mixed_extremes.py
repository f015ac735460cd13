"""Extremes of columns of different types share a loop: as each alone, by codes of every width and by targets."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.options import option_context

N_ROWS = 150_000
TYPES = ["int8", "uint32", "int32", "int64", "float32", "float64"]
PICK = {"min": np.minimum, "max": np.maximum}


def values_of(kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind.startswith("float"):
        return (rng.standard_normal(N_ROWS) * 1e3).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, N_ROWS, dtype=kind, endpoint=True)


def extremes(values: np.ndarray, keys: np.ndarray, how: str, n_groups: int) -> list[object]:
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange(n_groups))
    return PICK[how].reduceat(values[order], starts).tolist()


@pytest.mark.parametrize("n_groups", [1, 7, 300, 70_000])
@pytest.mark.parametrize("lacks", ["nothing", "keys", "values"])
def test_mixed_extremes_are_those_of_each_column(n_groups: int, lacks: str) -> None:
    rng = np.random.default_rng(5)
    keys = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, N_ROWS - n_groups)]).astype(np.int32)
    outside = np.zeros(N_ROWS, bool)
    if lacks != "nothing":
        outside[n_groups::11] = True   # not the first rows, so that every group has a value
    columns = {kind: values_of(kind, seed) for seed, kind in enumerate(TYPES)}
    arrays = {kind: pa.array(values, mask=outside if lacks == "values" else None) for kind, values in columns.items()}
    frame = ff.DataFrame({"key": pa.array(keys, mask=outside if lacks == "keys" else None), **arrays})
    inside = ~outside
    wanted = {(kind, how): extremes(values[inside], keys[inside], how, n_groups) for kind, values in columns.items() for how in PICK}
    for (left, right), (first, second), threads in product(product(TYPES, TYPES), [("min", "max"), ("max", "max"), ("min", "min")], [2]):
        if left == right and first == second:
            continue
        with option_context(threads=threads):
            found = frame.groupby("key", sort=True, as_index=False).agg(a=(left, first), b=(right, second))
        assert found["a"].to_list() == wanted[left, first], (left, first)
        assert found["b"].to_list() == wanted[right, second], (right, second)


@pytest.mark.parametrize("n_groups", [5, 300, 70_000])
def test_any_number_of_threads_finds_the_same(n_groups: int) -> None:
    rng = np.random.default_rng(6)
    keys = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, N_ROWS - n_groups)]).astype(np.int32)
    floats = values_of("float64", 1)
    floats[n_groups::13] = np.nan
    frame = ff.DataFrame({"key": keys, "date": values_of("int32", 0), "float": floats})
    results = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found = frame.groupby("key", sort=True, as_index=False).agg(a=("date", "min"), b=("float", "max"), c=("float", "min"))
        results.append([found[name].to_list() for name in "abc"])
    assert results[0] == results[1] == results[2]
    assert results[0][1] == extremes(np.where(np.isnan(floats), -np.inf, floats), keys, "max", n_groups)
    assert results[0][2] == extremes(np.where(np.isnan(floats), np.inf, floats), keys, "min", n_groups)
