"""The rows of the largest or smallest values of each group: which plan, in which phases; see ``_kernels/topk.hpp``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import topk as kernels
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate, allocate_array
from fastframe.dtypes import UINT32, Physical
from fastframe.engines.cpu.aggregate import aggregate
from fastframe.engines.cpu.comparable import comparable
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.row_codes import code_view
from fastframe.engines.cpu.scatter import Source, few_slices, fine_partitions, scatter
from fastframe.engines.cpu.sort import sort_rows
from fastframe.ops.aggregations import AggregationCall

Rows = np.ndarray[Any, np.dtype[np.int32]]

_OPERATION = "top k"
_SORTED = (Physical.BOOL, Physical.I128)   # physical types that the kernel does not read
_FEWEST_SLICES = 4                         # with fewer tables of states within a fifth of the input, by partitions
_GROUP_SLICE = 4096
_PARTITION_SLICE = 1


def top_k(column: Column, groups: Groups, k: int, *, largest: bool = True) -> Rows:
    """Rows of the ``k`` largest (or smallest) values of each group.

    Groups come in their order, values best first, equal values in row order; missing values and rows outside any group
    are left out, and a group with fewer values gives those it has.
    """
    if k <= 0 or groups.n_groups == 0 or len(column) == 0:
        return np.empty(0, np.int32)
    if k > kernels.MOST or column.physical in _SORTED or column.dtype.physical is None:
        return _by_sorting(column, groups, k, largest=largest)
    numbers, _ = comparable(column)
    if numbers.dtype.is_text:
        return _by_sorting(column, groups, k, largest=largest)
    return _by_states(numbers, groups, k, largest=largest)


def _by_states(column: Column, groups: Groups, k: int, *, largest: bool) -> Rows:
    physical, n_groups = column.physical, groups.n_groups
    assert physical is not None
    best = allocate_array(n_groups * k, np.int32, _OPERATION)
    counts = allocate_array(n_groups, np.int32, _OPERATION)
    found = kernels.TopK(int(physical), k=k, smallest=not largest, n_groups=n_groups, best=best.ctypes.data, counts=counts.ctypes.data,
                         keep=(column, groups, best, counts))  # fmt: skip
    table_bytes = (n_groups + kernels.SPARE) * kernels.state_bytes(int(physical), k)
    rows = few_slices(len(column), table_bytes, column.dtype.width + groups.codes.itemsize)
    n_slices = -(-len(column) // rows)
    if n_slices >= min(_FEWEST_SLICES, -(-len(column) // SLICE_ROWS)):
        states = allocate(n_slices * table_bytes, _OPERATION)
        update, merge = found.slices(column.view, code_view(groups.codes), states=states.address, n_slices=n_slices, keep=states)
        run(update, len(column), rows, operation=_OPERATION)
        run(merge, n_groups, _GROUP_SLICE, operation=_OPERATION)
    else:
        _by_partitions(found, column, groups)
    if int(counts.min()) == k:
        return best
    return best[best >= 0]


def _by_partitions(found: kernels.TopK, column: Column, groups: Groups) -> None:
    physical = column.physical
    assert physical is not None
    has_nan = physical in (Physical.F32, Physical.F64) and (not column.owned or value_range(column).has_nan)
    source = Source(physical, column.view, groups.codes, groups.n_groups, (column, groups), has_nan)
    n_partitions, shift = fine_partitions(groups.n_groups)
    parts = scatter(source, n_partitions, shift, operation=_OPERATION, with_codes=True, with_rows=True)
    assert parts.codes is not None
    assert parts.rows is not None
    task = found.partitions(parts.values.address, parts.codes.address, parts.rows.address, starts=parts.starts.ctypes.data,
                            shift=shift, keep=parts)  # fmt: skip
    run(task, n_partitions, _PARTITION_SLICE, operation=_OPERATION)


def _by_sorting(column: Column, groups: Groups, k: int, *, largest: bool) -> Rows:
    """The same by a sort of all rows by group and value."""
    codes = Column(pa.Array.from_buffers(pa.uint32(), len(column), [None, pa.py_buffer(groups.wide_codes)]), UINT32)
    rows = sort_rows([codes, column], descending=[False, largest])
    sizes, counts = (np.asarray(aggregate(column, AggregationCall(name), groups).array) for name in ("size", "count"))
    kept = np.minimum(counts, k)
    first_of_group, first_kept = np.cumsum(sizes) - sizes, np.cumsum(kept) - kept
    places = np.repeat(first_of_group - first_kept, kept) + np.arange(kept.sum())
    return np.ascontiguousarray(rows[places], dtype=np.int32)
