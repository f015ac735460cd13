"""How each aggregation's result comes out of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastframe._kernels import aggregate as kernels
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.column.plain import array_of, numpy_of
from fastframe.dtypes import INT64, DType, Kind, Physical
from fastframe.engines.cpu.accumulate import GROUP_SLICE
from fastframe.engines.cpu.combines import StateLike
from fastframe.engines.cpu.requests import Finalizer, Result, unit
from fastframe.engines.cpu.row_codes import Codes
from fastframe.engines.cpu.take import take
from fastframe.errors import IntegerOverflow
from fastframe.ops.aggregations import AggregationCall

Finish = Callable[[AggregationCall, StateLike, DType], Column]


def nulled(result: Column, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Column:
    """The result with nulls where the mask is true."""
    if not mask.any():
        return result
    rows = np.arange(len(result), dtype=np.int32)
    rows[mask] = -1
    return take(result, rows, missing=True)


def result_of(call: AggregationCall, dtype: DType) -> Result | None:
    """What a kernel is to make of a state over a column of dtype ``dtype``; None where no kernel finishes it."""
    choose = _FINALIZERS.get(call.aggregation.finalize)
    if choose is None:
        return None
    result = call.resolve(dtype)
    options = call.options
    return Result(choose(dtype), result, options.get("min_count", 0), options.get("ddof", 0), unit(dtype, result), call.poisons)


def _by_kernel(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    """Run a kernel over the state's fields."""
    result = result_of(call, dtype)
    assert result is not None
    assert result.dtype.physical is not None
    n_groups = state.n_groups
    fields = [column for name, column in state.columns.items() if name != "missing"]
    values = allocate(n_groups * result.dtype.width, call.name)
    validity = allocate_bits(n_groups, call.name)
    task = kernels.finalize(
        result.finalizer, result.dtype.physical, tuple(column.view.values for column in fields), min_count=result.min_count,
        ddof=result.ddof, unit=result.unit, values=values.address, validity=validity.address, keep_alive=(fields, values, validity),
    )  # fmt: skip
    failure = run(task, n_groups, GROUP_SLICE, operation=call.name)
    if failure is not None:
        exact = _overflowing(call, state, result.dtype, failure[0])
        raise IntegerOverflow.in_aggregation(call.name, call.column_name, result.dtype, exact)
    return column_from_buffers(result.dtype, n_groups, values, validity)


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


def _total(dtype: DType) -> Finalizer:
    return Finalizer.DECIMAL_TOTAL if dtype.kind is Kind.DECIMAL else Finalizer.TOTAL


def _mean(dtype: DType) -> Finalizer:
    if dtype.is_temporal:
        return Finalizer.TEMPORAL_MEAN
    by_kind = {Kind.DECIMAL: Finalizer.DECIMAL_MEAN, Kind.FLOAT: Finalizer.FLOAT_MEAN}
    return by_kind.get(dtype.kind, Finalizer.INTEGER_MEAN)


def _always(finalizer: Finalizer) -> Callable[[DType], Finalizer]:
    return lambda dtype: finalizer


_FINALIZERS: Mapping[str, Callable[[DType], Finalizer]] = {
    "total": _total,
    "mean": _mean,
    "product": _always(Finalizer.PRODUCT),
    "variance": _always(Finalizer.VARIANCE),
    "deviation": _always(Finalizer.DEVIATION),
    "standard_error": _always(Finalizer.STANDARD_ERROR),
    "covariance": _always(Finalizer.COVARIANCE),
    "correlation": _always(Finalizer.CORRELATION),
}


def _field(name: str) -> Finish:
    return lambda call, state, dtype: state.columns[name]


def _codes(state: StateLike) -> Codes:
    return numpy_of(state.columns["code"].array)


def _gathered(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    from fastframe.engines.cpu.gathered import gathered

    (result,) = gathered(state.columns["value"], [call], _codes(state), state.n_groups)
    return result


def _distinct(call: AggregationCall, state: StateLike, dtype: DType) -> Column:
    counts = _gathered(call, state, dtype)
    if call["dropna"]:
        return counts
    return Column(array_of(numpy_of(counts.array) + (numpy_of(state.columns["missing"].array) > 0)), INT64)


FINISHERS: Mapping[str, Finish] = {
    "n": _field("n"),
    "value": _field("value"),
    "row": _field("row"),
    **dict.fromkeys(_FINALIZERS, _by_kernel),
    "quantile": _gathered,
    "distinct": _distinct,
}  # fmt: skip
