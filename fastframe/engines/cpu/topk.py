"""The rows of the largest or smallest values of each group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import topk as kernels
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import UINT32, Physical
from fastframe.engines.cpu.aggregate import aggregate
from fastframe.engines.cpu.comparable import comparable
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.order import group_order
from fastframe.engines.cpu.sort import sort_rows
from fastframe.ops.aggregations import AggregationCall

Rows = np.ndarray[Any, np.dtype[np.int32]]

_OPERATION = "top k"
_SORTED = (Physical.BOOL, Physical.I128)   # physical types that the kernel does not read


def top_k(column: Column, groups: Groups, k: int, *, largest: bool = True) -> Rows:
    """Rows of the ``k`` largest (or smallest) values of each group.

    Groups come in their order, values best first, equal values in row order; missing values and rows outside any group
    are left out, and a group with fewer values gives those it has.
    """
    if k <= 0 or groups.n_groups == 0:
        return np.empty(0, np.int32)
    if k > kernels.MOST or column.physical in _SORTED or column.dtype.physical is None:
        return _by_sorting(column, groups, k, largest=largest)
    numbers, _ = comparable(column)
    if numbers.dtype.is_text:
        return _by_sorting(column, groups, k, largest=largest)
    rows, offsets = group_order(groups.wide_codes, groups.n_groups)
    best = allocate_array(groups.n_groups * k, np.int32, _OPERATION)
    counts = allocate_array(groups.n_groups, np.int32, _OPERATION)
    assert numbers.physical is not None
    task = kernels.top_k(
        int(numbers.physical), numbers.view, rows.ctypes.data, offsets.ctypes.data, k=k, smallest=not largest,
        best=best.ctypes.data, counts=counts.ctypes.data, keep_alive=(numbers, rows, offsets, best, counts),
    )  # fmt: skip
    groups_per_slice = max(1, SLICE_ROWS * groups.n_groups // max(len(rows), 1))
    run(task, groups.n_groups, groups_per_slice, operation=_OPERATION)
    taken = np.arange(k, dtype=np.int32) < counts[:, None]
    return np.ascontiguousarray(best.reshape(-1, k)[taken])


def _by_sorting(column: Column, groups: Groups, k: int, *, largest: bool) -> Rows:
    """The same by a sort of all rows by group and value."""
    codes = Column(pa.Array.from_buffers(pa.uint32(), len(column), [None, pa.py_buffer(groups.wide_codes)]), UINT32)
    rows = sort_rows([codes, column], descending=[False, largest])
    sizes, counts = (np.asarray(aggregate(column, AggregationCall(name), groups).array) for name in ("size", "count"))
    kept = np.minimum(counts, k)
    first_of_group, first_kept = np.cumsum(sizes) - sizes, np.cumsum(kept) - kept
    places = np.repeat(first_of_group - first_kept, kept) + np.arange(kept.sum())
    return np.ascontiguousarray(rows[places], dtype=np.int32)
