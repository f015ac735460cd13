"""Quantiles of a whole column by brackets: the phases around ``_kernels.brackets``.

One pass over the column by all threads, whatever the number of quantiles up to `_TOGETHER`, and a few per cent of its values in
memory beside it; where values are brought together by group they are copied, and one thread selects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import brackets
from fastframe._kernels.scatter import value_bytes
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate
from fastframe.dtypes import DType

FEWEST_ROWS = 1 << 13      # below, copying and selecting takes as long
_TOGETHER = 8              # quantiles of one pass: more would hold more values, and leave the first-level cache
_MARGINS = (4.0, 16.0)     # standard deviations from the expected rank to a bracket's ends, of the first and the second try
_DRAWN_BITS = (10, 15)     # of the sample's rows, the fewest and the most
_DRAWN_SHARE_BITS = 7      # and between them one of so many rows: drawing a row costs as much as passing some ten
_SPARE_VALUES = 4096       # of each bracket beyond what is expected
_FOUND = 1                 # as the kernel says it: 0 is not found, 2 that there is no value

Shares = np.ndarray[Any, np.dtype[np.float64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def bracketed(
    column: Column, shares: Sequence[float], dtype: DType, *, interpolation: int, unit: int, operation: str
) -> list[Column] | None:  # fmt: skip
    """The quantiles, a column of one row each; None where the values of the sample tell too little about the column.

    ``dtype`` and ``unit`` are those of the results; missing values are left out, and no value gives null.
    """
    results: list[Column] = []
    for first in range(0, len(shares), _TOGETHER):
        some = np.array(shares[first : first + _TOGETHER], np.float64)
        found = _tried(column, some, dtype, interpolation=interpolation, unit=unit, operation=operation)
        if found is None:
            return None
        results += found
    return results


def _tried(
    column: Column, shares: Shares, dtype: DType, *, interpolation: int, unit: int, operation: str
) -> list[Column] | None:  # fmt: skip
    for margin in _MARGINS:
        results, found = _quantiles(column, shares, dtype, interpolation=interpolation, unit=unit, margin=margin, operation=operation)
        if all(found):
            return [_one_row(dtype, result if state == _FOUND else None, operation) for result, state in zip(results, found, strict=True)]
    return None


def _one_row(dtype: DType, result: Bytes | None, operation: str) -> Column:
    if result is None:
        return Column(pa.nulls(1, dtype.arrow), dtype)
    value = allocate(len(result), operation)
    np.frombuffer(memoryview(value), np.uint8)[:] = result
    return column_from_buffers(dtype, 1, value)


def _quantiles(
    column: Column, shares: Shares, dtype: DType, *, interpolation: int, unit: int, margin: float, operation: str
) -> tuple[Bytes, list[int]]:  # fmt: skip
    assert column.physical is not None
    assert dtype.physical is not None
    n_rows, n_shares, width = len(column), len(shares), value_bytes(column.physical)
    drawn_bits = min(max(n_rows.bit_length() - _DRAWN_SHARE_BITS, _DRAWN_BITS[0]), _DRAWN_BITS[1])
    n_drawn = 1 << drawn_bits
    room = int(1.5 * margin * n_rows / math.sqrt(n_drawn)) + _SPARE_VALUES
    scratch = allocate(width * (n_shares * (2 + room) + n_drawn + brackets.PADDING), operation)
    bounds = scratch.address + width * n_shares * room
    counts = np.zeros(n_shares * brackets.COUNTS_BYTES, np.uint8)
    out, found = np.zeros(n_shares * dtype.width, np.uint8), np.zeros(n_shares, np.uint8)
    draw, fill, select = brackets.tasks(
        column.physical, dtype.physical, column.view, shares=shares.ctypes.data, n_shares=n_shares, drawn_bits=drawn_bits, margin=margin,
        bounds=bounds, sample=bounds + 2 * width * n_shares, values=scratch.address, room=room, counts=counts.ctypes.data,
        interpolation=interpolation, unit=unit, out=out.ctypes.data, found=found.ctypes.data,
        keep_alive=(column, shares, scratch, counts, out, found),
    )  # fmt: skip
    run(draw, 1, 1, operation=operation)
    run(fill, n_rows, operation=operation)
    run(select, n_shares, 1, operation=operation)
    return out.reshape(n_shares, dtype.width), found.tolist()
