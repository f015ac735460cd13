"""The values of groups at their rows, kept in the cache or written past it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import memory
from fastframe.options import option_context


@pytest.mark.parametrize(("n_rows", "n_groups"), [(1, 3), (64, 3), (65, 300), (3_001, 300), (150_003, 140_000)])   # codes of 1, 2 and 4 bytes
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float64", "decimal"])
def test_streamed_values_are_the_same(monkeypatch: pytest.MonkeyPatch, n_rows: int, n_groups: int, dropped: bool, dtype: str) -> None:
    """Whole blocks, a block with rows in no group, and the rows at the end; 1, 2, 4 threads."""
    rng = np.random.default_rng(n_rows)
    keys = rng.integers(0, n_groups, n_rows)
    hidden = np.zeros(n_rows, bool)
    hidden[n_rows // 2 :: 1000] = dropped   # most blocks lack none
    numbers = rng.integers(-100, 100, n_rows)
    values = pa.array(numbers.tolist(), pa.decimal128(9, 2)) if dtype == "decimal" else pa.array(numbers.astype(dtype))
    frame = ff.from_arrow(pa.table({"k": pa.array(keys, mask=hidden), "v": values}))
    largest = np.full(n_groups, -101)
    np.maximum.at(largest, keys[~hidden], numbers[~hidden])
    found = [None if hide else value for value, hide in zip(largest[keys].tolist(), hidden.tolist(), strict=True)]
    expected = pa.array(found, values.type)
    for streamed_bytes in (0, 1 << 60):
        monkeypatch.setattr(memory, "STREAMED_BYTES", streamed_bytes)
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                assert frame.groupby("k")["v"].transform("max").to_arrow().equals(expected)
