"""How each aggregation's result comes out of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import aggregate as kernels
from fastframe._kernels import distinct, quantile
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.column.plain import array_of, numpy_of
from fastframe.dtypes import INT64, DType, Kind, Physical
from fastframe.engines.cpu.accumulate import GROUP_SLICE, Codes
from fastframe.engines.cpu.combines import StateLike
from fastframe.engines.cpu.comparable import identities, present
from fastframe.engines.cpu.scatter import PARTITION_SLICE, Source, by_group, scatter
from fastframe.engines.cpu.take import take
from fastframe.errors import IntegerOverflow
from fastframe.ops.aggregations import INTERPOLATIONS, AggregationCall

Finish = Callable[[AggregationCall, StateLike, DType], Column]

_DAY_MS = 24 * 60 * 60 * 1000
_SELECTION_SLICES = 64         # at least so many slices of groups where there are enough: selection is dear
_HASHED_ROWS = 1 << 15         # pairs of one partition of a distinct count: its table fits a core's cache
_MOST_HASH_BITS = 8


class Finalizer(IntEnum):
    """Keep in step with ``_kernels/finalize.hpp``."""

    TOTAL = 0
    DECIMAL_TOTAL = 1
    INTEGER_MEAN = 2
    FLOAT_MEAN = 3
    TEMPORAL_MEAN = 4
    DECIMAL_MEAN = 5
    PRODUCT = 6
    VARIANCE = 7
    DEVIATION = 8
    STANDARD_ERROR = 9


def nulled(result: Column, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Column:
    """The result with nulls where the mask is true."""
    if not mask.any():
        return result
    rows = np.arange(len(result), dtype=np.int32)
    rows[mask] = -1
    return take(result, rows, missing=True)


def _finish(finalizer: Finalizer, call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    """Run a kernel over the state's fields."""
    result = call.resolve(dtype)
    assert result.physical is not None
    n_groups = state.n_groups
    fields = [column for name, column in state.columns.items() if name != "missing"]
    values = allocate(n_groups * result.width, call.name)
    validity = allocate_bits(n_groups, call.name)
    task = kernels.finalize(
        finalizer, result.physical, tuple(column.view.values for column in fields), min_count=call.options.get("min_count", 0),
        ddof=call.options.get("ddof", 0), unit=_unit(dtype, result), values=values.address, validity=validity.address,
        keep_alive=(fields, values, validity),
    )  # fmt: skip
    failure = run(task, n_groups, GROUP_SLICE, operation=call.name)
    if failure is not None:
        raise IntegerOverflow.in_aggregation(call.name, call.column_name, result, _overflowing(call, state, result, failure[0]))
    return column_from_buffers(result, n_groups, values, validity)


def _unit(dtype: DType, result: DType) -> int:
    """What one unit of a column is in units of its mean: days in milliseconds, else 1."""
    return _DAY_MS if dtype.arrow == pa.date32() and result.kind is Kind.TIMESTAMP else 1


def _overflowing(call: AggregationCall, state: StateLike, result: DType, start: int) -> str | None:
    """The first exact total from group ``start`` on that does not fit; None for products, which keep no exact total."""
    columns = {name: column.array.slice(start, GROUP_SLICE).to_pylist() for name, column in state.columns.items()}
    if "magnitude" in columns:
        return None
    enough = [n >= call["min_count"] for n in columns["n"]]
    if "high" in columns:
        pairs = zip(columns["high"], columns["low"], strict=True)
        totals = [int(upper) * 2**64 + int(lower) for upper, lower in pairs]
        low, high, scale = 1 - 10**38, 10**38 - 1, result.arrow.scale
    else:
        totals, scale = [int(total) for total in columns["total"]], 0
        low, high = (0, 2**64 - 1) if result.physical is Physical.U64 else (-(2**63), 2**63 - 1)
    return _decimal_text(next(total for total, shown in zip(totals, enough, strict=True) if shown and not low <= total <= high), scale)


def _decimal_text(unscaled: int, scale: int) -> str:
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale > 0 else digits + "0" * -scale
    return f"-{text}" if unscaled < 0 else text


def _total(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    return _finish(Finalizer.DECIMAL_TOTAL if dtype.kind is Kind.DECIMAL else Finalizer.TOTAL, call, state, dtype)


def _mean(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    if dtype.is_temporal:
        return _finish(Finalizer.TEMPORAL_MEAN, call, state, dtype)
    by_kind = {Kind.DECIMAL: Finalizer.DECIMAL_MEAN, Kind.FLOAT: Finalizer.FLOAT_MEAN}
    return _finish(by_kind.get(dtype.kind, Finalizer.INTEGER_MEAN), call, state, dtype)


def _kernel(finalizer: Finalizer) -> Finish:
    return lambda call, state, dtype: _finish(finalizer, call, state, dtype)


def _field(name: str) -> Finish:
    return lambda call, state, dtype: state.columns[name]


def _codes(state: StateLike) -> Codes:
    return numpy_of(state.columns["code"].array)


def _quantile(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    column, result, n_groups = present(state.columns["value"]), call.resolve(dtype), state.n_groups
    assert column.physical is not None
    assert result.physical is not None
    grouped = by_group(Source(column.physical, column.view, _codes(state), n_groups, column), operation=call.name)
    values, validity = allocate(n_groups * result.width, call.name), allocate_bits(n_groups, call.name)
    task = quantile.quantiles(
        column.physical, result.physical, grouped.values.address, grouped.starts.ctypes.data, q=float(call.options.get("q", 0.5)),
        interpolation=INTERPOLATIONS.index(call.options.get("interpolation", "linear")), unit=_unit(dtype, result), out=values.address,
        validity=validity.address, keep_alive=(grouped, values, validity),
    )  # fmt: skip
    slice_groups = min(GROUP_SLICE, -(-n_groups // (8 * _SELECTION_SLICES)) * 8)   # whole bytes of the bitmap
    run(task, n_groups, max(slice_groups, 8), operation=call.name)
    return column_from_buffers(result, n_groups, values, validity)


def _distinct(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    column = identities(state.columns["value"])
    assert column.physical is not None
    source = Source(column.physical, column.view, _codes(state), state.n_groups, column)
    bits = min(_MOST_HASH_BITS, (source.n_rows // _HASHED_ROWS).bit_length())
    parts = scatter(source, 1 << bits, 64 - bits, operation=call.name, with_codes=True, by_hash=True)
    assert parts.codes is not None
    counts = np.zeros(state.n_groups, np.int64)
    task = distinct.count_distinct(column.physical, parts.values.address, parts.codes.address, starts=parts.starts.ctypes.data,
                                   counts=counts.ctypes.data, keep_alive=(parts, counts))  # fmt: skip
    run(task, 1 << bits, PARTITION_SLICE, operation=call.name)
    if not call["dropna"]:
        counts += numpy_of(state.columns["missing"].array) > 0
    return Column(array_of(counts), INT64)


FINISHERS: Mapping[str, Finish] = {
    "n": _field("n"),
    "value": _field("value"),
    "row": _field("row"),
    "total": _total,
    "mean": _mean,
    "product": _kernel(Finalizer.PRODUCT),
    "variance": _kernel(Finalizer.VARIANCE),
    "deviation": _kernel(Finalizer.DEVIATION),
    "standard_error": _kernel(Finalizer.STANDARD_ERROR),
    "quantile": _quantile,
    "distinct": _distinct,
}  # fmt: skip
