"""Pairs of joins and `partnered` against their slow twin and `pandas.merge`: all hows, repeated and missing keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.column.column import Column
from fastframe.engines.cpu.filter import filter_column
from fastframe.engines.cpu.join import partnered
from tests.engines.joining import join_rows
from tests.reference import join as reference

HOWS = ["inner", "left", "right", "outer"]


def pairs_of(left: list[pa.Array], right: list[pa.Array], how: str) -> list[tuple[int, int]]:
    return join_rows([Column(array) for array in left], [Column(array) for array in right], how)


def keys_of(arrays: list[pa.Array]) -> list[tuple[Any, ...]]:
    return list(zip(*(array.to_pylist() for array in arrays), strict=True))


KEYS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "int32": (pa.int32(), [None, -5, 0, 3, 10**9]),
    "uint64": (pa.uint64(), [None, 0, 2**64 - 1, 2**63]),
    "float64": (pa.float64(), [None, float("nan"), -0.0, 0.0, 1.5]),
    "bool": (pa.bool_(), [None, True, False]),
    "string": (pa.string(), [None, "", "a", "ä", "a long one that is not inlined"]),
}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("names", [("int32",), ("uint64",), ("float64",), ("bool",), ("string",), ("string", "int32"), ("float64", "bool", "int32")])
@pytest.mark.parametrize("sizes", [(40, 30), (0, 5), (5, 0), (0, 0), (1, 1)])
def test_dtypes_with_missing_and_repeated_keys(sizes: tuple[int, int], names: tuple[str, ...], how: str) -> None:
    rng = np.random.default_rng(sizes[0])
    sides = [[pa.array([KEYS[name][1][at] for at in rng.integers(0, len(KEYS[name][1]), size)], type=KEYS[name][0]) for name in names] for size in sizes]
    assert pairs_of(*sides, how) == reference.join_rows(*(keys_of(side) for side in sides), how)


@pytest.mark.parametrize("how", HOWS)
def test_slices(how: str) -> None:
    left = pa.array([9, None, 1, 2, None, 2, 3]).slice(1)
    right = pa.array([2, 9, 9, 2, None, 4]).slice(3)
    assert pairs_of([left], [right], how) == reference.join_rows(keys_of([left]), keys_of([right]), how)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("n_keys", [1, 2])
def test_as_pandas_merges(how: str, unique: bool, n_keys: int) -> None:
    rng = np.random.default_rng(11)
    names = ["a", "b"][:n_keys]
    left = pd.DataFrame({"a": rng.choice([1.0, 2.0, np.nan, 4.0, 5.0], 60), "b": rng.integers(0, 3, 60)})
    right = pd.DataFrame({"a": rng.choice([5.0, 2.0, np.nan, 3.0], 40), "b": rng.integers(0, 4, 40)})
    if unique:
        right = right.drop_duplicates(names).reset_index(drop=True)
    merged = left[names].assign(left=range(60)).merge(right[names].assign(right=range(len(right))), on=names, how=how)
    expected = list(zip(merged["left"].fillna(-1).astype(int), merged["right"].fillna(-1).astype(int), strict=True))
    sides = [[pa.array(frame[name], from_pandas=True) for name in names] for frame in (left, right)]
    assert pairs_of(*sides, how) == expected


@given(
    st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, "x", "y"])), max_size=12),
    st.lists(st.tuples(st.sampled_from([None, 1, 2, 5]), st.sampled_from([None, "x", "z"])), max_size=12),
    st.sampled_from(HOWS),
)
def test_any_keys(left: list[tuple[Any, Any]], right: list[tuple[Any, Any]], how: str) -> None:
    sides = [[pa.array([row[0] for row in rows], pa.int64()), pa.array([row[1] for row in rows], pa.string())] for rows in (left, right)]
    assert pairs_of(*sides, how) == reference.join_rows(left, right, how)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("n_left", [0, 1, 3000])
def test_many_repeated_keys_that_lie_far_apart(n_left: int, how: str) -> None:
    """Codes are renumbered first, as most possible ones do not occur, and rows are then grouped by partitions of codes."""
    rng = np.random.default_rng(15)
    right = rng.integers(0, 2_000_000, 66_000)
    left = np.concatenate([rng.choice(right, n_left // 2), rng.integers(0, 2_000_000, n_left - n_left // 2)]) if n_left else np.empty(0, np.int64)
    found = pairs_of([pa.array(left)], [pa.array(right)], how)
    merged = pd.DataFrame({"k": left, "left": range(len(left))}).merge(pd.DataFrame({"k": right, "right": range(len(right))}), on="k", how=how)
    assert found == list(zip(merged["left"].fillna(-1).astype(int), merged["right"].fillna(-1).astype(int), strict=True))


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 1000, 200_000])
def test_partnered(n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    values, among = rng.integers(0, 100, n_rows).astype(float), rng.choice([np.nan, 3.0, 50.0, 99.0, -4.0], 20)
    values[rng.random(n_rows) < 0.1] = np.nan
    plan = partnered([Column(pa.array(values, from_pandas=True))], [Column(pa.array(among))])
    expected = np.flatnonzero(pd.Series(values).isin(among))
    assert plan.n_selected == len(expected)
    kept = filter_column(Column(pa.array(np.arange(n_rows))), plan)
    np.testing.assert_array_equal(kept.array.to_numpy(), expected)


@pytest.mark.parametrize("how", ["inner", "left", "right"])
@pytest.mark.parametrize("keys", ["int", "text", "sparse"])
@pytest.mark.parametrize("share", [0.01, 0.9])
def test_a_right_side_much_larger_than_the_left(how: str, keys: str, share: float) -> None:
    """Its rows without partner are left out first, unless few are."""
    rng = np.random.default_rng(12)
    asked = rng.integers(0, 30, 40)
    large = np.where(rng.random(60_000) < share, rng.integers(0, 30, 60_000), rng.integers(30, 20_000, 60_000))
    convert = {"int": lambda one: one, "text": lambda one: np.char.mod("k%d", one), "sparse": lambda one: one * 10**14}[keys]
    left, right = pd.DataFrame({"k": convert(asked), "l": np.arange(40)}), pd.DataFrame({"k": convert(large), "r": np.arange(60_000)})
    sides = (right, left) if how == "right" else (left, right)
    expected = sides[0].merge(sides[1], on="k", how=how)
    found = ff.from_pandas(sides[0]).merge(ff.from_pandas(sides[1]), on="k", how=how).to_pandas()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("how", ["inner", "left"])
def test_probe_keys_beyond_those_of_the_build_side(dtype: str, missing: bool, how: str) -> None:
    limits = np.iinfo(dtype)
    left = [limits.min, limits.min + 1, limits.max, 4, 5, 6, 40, 41, limits.max - 1, None if missing else 5]
    right = [6, 5, None, 40] if missing else [6, 5, 7, 40]
    place = {key: row for row, key in enumerate(right)}
    expected = [(row, place.get(key, -1)) for row, key in enumerate(left) if how == "left" or key in place]
    assert join_rows([Column(pa.array(left, dtype))], [Column(pa.array(right, dtype))], how) == expected


@pytest.mark.parametrize("n_rows", [1, 64, 70_000])
@pytest.mark.parametrize("text", [False, True])
def test_a_left_join_in_which_all_match_has_no_missing_values(n_rows: int, text: bool) -> None:
    keys = np.arange(n_rows, dtype=np.int32)
    values = pa.array([f"value {key}" for key in range(n_rows + 1)] if text else range(n_rows + 1))
    left = ff.from_arrow(pa.table({"key": keys[::-1].copy()}))
    right = ff.from_arrow(pa.table({"key": np.arange(n_rows + 1, dtype=np.int32), "value": values}))
    joined = left.merge(right, on="key", how="left").to_arrow()["value"].combine_chunks()
    assert joined.to_pylist() == values[:n_rows].to_pylist()[::-1]
    assert joined.buffers()[0] is None
