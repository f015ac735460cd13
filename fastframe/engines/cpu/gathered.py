"""Aggregations that need all values of a group together: medians, quantiles, distinct values.

Values are brought together once for all such aggregations of a column (``scatter.py``); then each group's run of values,
which fits a core's cache, is read by each of them. Quantiles of a large column as a whole need not be (``bracketed.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe._kernels import quantile
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import DType, Physical
from fastframe.engines.cpu.bracketed import FEWEST_ROWS, Quantiles, bracketed
from fastframe.engines.cpu.comparable import present
from fastframe.engines.cpu.distinct import distinct_counts
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.requests import unit
from fastframe.engines.cpu.row_codes import Codes
from fastframe.engines.cpu.scatter import PARTITION_SLICE, Scattered, Source, by_group
from fastframe.ops.aggregations import INTERPOLATIONS, AggregationCall

_GROUP_SLICE = 4096
_SELECTION_SLICES = 64   # at least so many slices of groups where there are enough: selection is dear
_FLOATS = (Physical.F32, Physical.F64)


def gathered(column: Column, calls: Sequence[AggregationCall], codes: Codes | None, n_groups: int) -> list[Column]:
    """The result of each call, one row per group; missing values are left out.

    ``codes`` are those of `Groups`, None where all rows are of group 0.
    """
    of_quantiles = [call for call in calls if call.aggregation.finalize == "quantile"]
    results: dict[int, Column] = {}
    if of_quantiles:
        values = present(column)
        together: Scattered | None = None
        for same in _alike(of_quantiles, column.dtype):
            asked = _asked(same, column.dtype)
            found = bracketed(values, asked) if codes is None and len(column) >= FEWEST_ROWS else None
            if found is None:
                if together is None:
                    together = by_group(_source(values, codes, n_groups), operation=asked.operation)
                found = _quantiles(asked, values, together, n_groups)
            results |= {id(call): result for call, result in zip(same, found, strict=True)}
    for call in calls:
        if call.aggregation.finalize == "distinct":
            results[id(call)] = distinct_counts(column, codes, n_groups, operation=call.name)
    return [results[id(call)] for call in calls]


def _source(column: Column, codes: Codes | None, n_groups: int) -> Source:
    assert column.physical is not None
    has_nan = column.physical in _FLOATS and (not column.owned or value_range(column).has_nan)
    return Source(column.physical, column.view, codes, n_groups, column, has_nan)


def _alike(calls: Sequence[AggregationCall], dtype: DType) -> list[list[AggregationCall]]:
    """Calls that one kernel call answers: of one interpolation and result."""
    groups: dict[Any, list[AggregationCall]] = {}
    for call in calls:
        groups.setdefault((_interpolation(call), call.resolve(dtype)), []).append(call)
    return list(groups.values())


def _interpolation(call: AggregationCall) -> str:
    return str(call.options.get("interpolation", "linear"))


def _asked(calls: Sequence[AggregationCall], dtype: DType) -> Quantiles:
    """What calls that one kernel call answers ask of a column of a dtype."""
    result = calls[0].resolve(dtype)
    shares = [call.options.get("q", 0.5) for call in calls]
    return Quantiles(shares, result, INTERPOLATIONS.index(_interpolation(calls[0])), unit(dtype, result), calls[0].name)


def _quantiles(asked: Quantiles, column: Column, together: Scattered, n_groups: int) -> list[Column]:
    operation, result = asked.operation, asked.dtype
    assert column.physical is not None
    assert result.physical is not None
    shares = np.array(asked.shares, np.float64)
    values = [allocate(n_groups * result.width, operation) for _ in shares]
    bits = [allocate_bits(n_groups, operation) for _ in shares]
    addresses = np.array([block.address for block in values + bits], np.uint64)
    task = quantile.quantiles(
        column.physical, result.physical, together.values.address, together.starts.ctypes.data,
        codes=together.codes.address if together.codes is not None else 0, n_groups=n_groups, shift=together.shift,
        shares=shares.ctypes.data, n_shares=len(shares), interpolation=asked.interpolation,
        unit=asked.unit, out=addresses.ctypes.data, validity=addresses[len(shares) :].ctypes.data,
        keep_alive=(together, shares, values, bits, addresses),
    )  # fmt: skip
    run(task, *_shares_of_work(together, n_groups), operation=operation)
    return [column_from_buffers(result, n_groups, one, validity) for one, validity in zip(values, bits, strict=True)]


def _shares_of_work(together: Scattered, n_groups: int) -> tuple[int, int]:
    """Partitions, or groups, and how many of them a thread claims at a time."""
    if together.codes is not None:
        return len(together.starts) - 1, PARTITION_SLICE
    slice_groups = min(_GROUP_SLICE, -(-n_groups // (8 * _SELECTION_SLICES)) * 8)   # whole bytes of the bitmap
    return n_groups, max(slice_groups, 8)
