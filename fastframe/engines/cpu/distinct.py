"""Distinct values of each group: by marks where they are of a small range, in small tables where they are few, else by hashed pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import distinct as kernels
from fastframe._kernels.scatter import value_bytes
from fastframe._threads import run, slice_rows
from fastframe.column.column import Column
from fastframe.column.memory import allocate
from fastframe.dtypes import INT64, Physical
from fastframe.engines.cpu.comparable import identities
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.row_codes import Codes
from fastframe.engines.cpu.scatter import CODE_BYTES, MOST_PARTITIONS, Source, scatter

_PAIRS = 1 << 13        # of one partition: values, codes and table fit half of a core's second-level cache
_PARTITION_SLICE = 8    # partitions that share one table
_GROUP_SLICE = 4096
_FEW_CELLS = 1 << 12    # marks that cost nothing, however few the rows
_UNRANGED = (Physical.F32, Physical.F64, Physical.I128)


def distinct_counts(column: Column, codes: Codes | None, n_groups: int, *, operation: str) -> Column:
    """How many different values each group has; missing ones are not counted."""
    dictionary = len(column.dictionary) if column.is_encoded else None
    column = identities(column)
    source = Source(_physical(column), column.view, codes, n_groups, column)
    low, n_values = (0, dictionary) if dictionary is not None else _extent(column)
    cells = n_groups * n_values if n_values is not None else 0
    row_bytes = column.dtype.width + (codes.itemsize if codes is not None else 0)
    if n_values is not None and cells <= max(_FEW_CELLS, len(column) * row_bytes // 5):   # a fifth of the input
        counts = _marked(source, low, n_values, operation)
    else:
        few = _few(source, operation)
        counts = few if few is not None else _hashed(source, operation)
    return Column(pa.array(counts), INT64)


def _physical(column: Column) -> Physical:
    assert column.physical is not None
    return Physical(column.physical)


def _extent(column: Column) -> tuple[int, int | None]:
    """The smallest value, and how many integers there are up to the largest; None for values that are not small integers."""
    if _physical(column) in _UNRANGED or not column.owned:
        return 0, None
    found = value_range(column)
    if found.min is None or found.max is None:
        return 0, 1
    return int(found.min), int(found.max) - int(found.min) + 1


def _marked(source: Source, least: int, n_values: int, operation: str) -> np.ndarray[Any, Any]:
    marks = np.zeros(source.n_groups * n_values + 1, np.uint8)
    counts = np.empty(source.n_groups, np.int64)
    mark, count = kernels.marks(
        source.id, source.view, source.kernel_codes, least=least if least < 2**63 else least - 2**64, n_values=n_values,
        n_groups=source.n_groups, marks=marks.ctypes.data, counts=counts.ctypes.data, keep_alive=(source, marks, counts),
    )  # fmt: skip
    run(mark, source.n_rows, operation=operation)
    run(count, source.n_groups, _GROUP_SLICE, operation=operation)
    return counts


def _few(source: Source, operation: str) -> np.ndarray[Any, Any] | None:
    """From the pairs that each slice keeps; None where one of them has too many."""
    pair_bytes = kernels.MOST_KEPT * (value_bytes(source.id) + CODE_BYTES)
    rows = slice_rows(source.n_rows, pair_bytes, value_bytes(source.id))
    n_slices = -(-source.n_rows // rows)
    values = allocate(n_slices * kernels.MOST_KEPT * value_bytes(source.id), operation)
    codes = allocate(n_slices * kernels.MOST_KEPT * CODE_BYTES, operation)
    kept, counts = np.empty(n_slices, np.int64), np.zeros(source.n_groups, np.int64)
    keep, count = kernels.few_pairs(
        source.id, source.view, source.kernel_codes, n_slices=n_slices, values=values.address, own_codes=codes.address, kept=kept.ctypes.data,
        counts=counts.ctypes.data, keep_alive=(source, values, codes, kept, counts),
    )  # fmt: skip
    if run(keep, source.n_rows, rows, operation=operation) is not None:
        return None
    run(count, 1, 1, operation=operation)
    return counts


def _hashed(source: Source, operation: str) -> np.ndarray[Any, Any]:
    n_partitions = min(MOST_PARTITIONS, 1 << (source.n_rows // _PAIRS).bit_length())
    shift = 64 - (n_partitions.bit_length() - 1)
    parts = scatter(source, n_partitions, shift, operation=operation, with_codes=True, by_hash=True)
    assert parts.codes is not None
    counts = np.zeros(source.n_groups, np.int64)
    task = kernels.count_distinct(source.id, parts.values.address, parts.codes.address, starts=parts.starts.ctypes.data,
                                  counts=counts.ctypes.data, keep_alive=(parts, counts))  # fmt: skip
    run(task, n_partitions, _PARTITION_SLICE, operation=operation)
    return counts
