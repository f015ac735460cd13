"""`to_numpy` and `to_matrix` of frames: NumPy's own conversion, column by column, is the oracle."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS
from fastframe.column.numpy import column_to_numpy


def columns(n_rows: int) -> pa.Table:
    rng = np.random.default_rng(31)
    missing = rng.random(n_rows) < 0.1
    return pa.table({
        "double": rng.normal(size=n_rows), "double?": pa.array(rng.normal(size=n_rows), mask=missing), "nan": np.full(n_rows, np.nan),
        "float": rng.normal(size=n_rows).astype(np.float32), "int": rng.integers(-(2**60), 2**60, n_rows),
        "int?": pa.array(rng.integers(0, 100, n_rows), mask=missing), "far?": pa.array(rng.integers(2**60, 2**61, n_rows), mask=missing),
        "uint8": rng.integers(0, 255, n_rows).astype(np.uint8), "int16?": pa.array(rng.integers(0, 99, n_rows).astype(np.int16), mask=missing),
        "bool": rng.random(n_rows) < 0.5, "bool?": pa.array(rng.random(n_rows) < 0.5, mask=missing), "null": pa.nulls(n_rows),
        "none?": pa.nulls(n_rows, pa.int64()), "half": pa.array(rng.normal(size=n_rows).astype(np.float16)),
        "text": pa.array(["x"] * n_rows), "time": pa.array([datetime.datetime(2020, 1, 1)] * n_rows),
    })  # fmt: skip


def oracle(frame: Any, dtype: Any) -> Any:
    arrays = [column_to_numpy(column) for column in frame._values.values()]
    plain = all(array.dtype.kind in "biuf" for array in arrays)
    kind = np.result_type(*arrays) if plain else object if len({array.dtype for array in arrays}) > 1 else arrays[0].dtype
    out = np.empty((len(frame), len(arrays)), dtype or kind, order="F")
    for position, array in enumerate(arrays):
        out[:, position] = array
    return out


def outcome(compute: Any) -> Any:
    try:
        return compute()
    except (TypeError, ValueError, ff.errors.FastFrameError) as error:
        return type(error)


@pytest.mark.parametrize("n_rows", [0, 1, 77])
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
def test_any_columns_side_by_side(n_rows: int, dtype: str | None) -> None:
    frame = ff.from_arrow(columns(n_rows + 3).slice(3))
    for names in itertools.chain(*(itertools.combinations(frame.columns, count) for count in (1, 2, 3))):
        chosen = frame[list(names)]
        found, wanted = outcome(lambda one=chosen: one.to_numpy(dtype)), outcome(lambda one=chosen: oracle(one, dtype))
        if isinstance(wanted, type):
            assert found is wanted, names
            continue
        assert (found.dtype, found.shape, found.flags.writeable) == (wanted.dtype, wanted.shape, True), names
        if found.dtype == object:   # where NaN equals nothing
            assert repr(found.tolist()) == repr(wanted.tolist()), names
        else:
            np.testing.assert_array_equal(found, wanted, err_msg=str(names))


@pytest.mark.parametrize("n_threads", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_matrices(n_threads: int, dtype: str) -> None:
    """Past the caches, of columns that do not begin at a line, in chunks."""
    table = columns(SLICE_ROWS * 3 + 5).select(["double?", "int16?", "bool?", "float", "int", "uint8", "null"])
    whole = pa.concat_tables([table.slice(2, 1001), table.slice(1003)])
    frame = ff.from_arrow(whole)
    wanted = np.column_stack([np.asarray(frame[name].to_numpy(), dtype=np.float64) for name in frame.columns[:-1]] + [np.full(len(frame), np.nan)])
    with np.errstate(over="ignore"):
        wanted = wanted.astype(dtype)
    with ff.option_context(threads=n_threads):
        np.testing.assert_array_equal(frame.to_matrix(dtype=dtype), wanted)


def test_integers_and_bools_beside_nulls_in_pandas() -> None:
    pd = pytest.importorskip("pandas")
    table = columns(50).select(["int?", "int16?", "bool?", "far?", "none?"])
    found = ff.from_arrow(table).to_pandas()
    wanted = {"int?": "Int64", "int16?": "Int16", "bool?": "boolean", "far?": "Int64", "none?": "Int64"}
    pd.testing.assert_frame_equal(found, pd.DataFrame({name: pd.array(table[name].to_pylist(), dtype=kind) for name, kind in wanted.items()}))
