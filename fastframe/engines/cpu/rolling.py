"""Rolling and expanding windows: which kernels, in which phases. The table of functions is ``ops/rolling.py``."""

from __future__ import annotations

from fastframe._kernels import rolling as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import DType, Kind
from fastframe.engines.cpu.window_bounds import Bounds
from fastframe.errors import IntegerOverflow, KernelError, KernelStatus
from fastframe.ops.rolling import RollingCall, Span

_OPS = {
    "count": kernels.COUNT, "sum": kernels.SUM, "mean": kernels.MEAN, "var": kernels.VARIANCE, "std": kernels.VARIANCE,
    "min": kernels.MINIMUM, "max": kernels.MAXIMUM, "cov": kernels.COVARIANCE, "corr": kernels.COVARIANCE,
    "sem": kernels.ERROR_OF_MEAN, "skew": kernels.SKEWNESS, "kurt": kernels.KURTOSIS, "median": kernels.QUANTILE, "quantile": kernels.QUANTILE,
}  # fmt: skip
_ROOTED = ("std", "sem", "corr")
_NO_VALUES = -1   # the physical type of columns of which only presence counts


def rolling(columns: tuple[Column, Column | None], call: RollingCall, span: Span, bounds: Bounds) -> Column:
    """One value per position, of a column or of two.

    Raises
    ------
    IntegerOverflow
        Where the exact sum of a window does not fit 64 bits.
    """
    result = call.resolve(columns[0].dtype, call.options["name"])
    if bounds.positions.n_positions == 0:
        return column_from_buffers(result, 0, *_outputs(result, 0, call.name))
    phases = _phases(columns, call, span, bounds, result)
    phases.set_bounds(bounds.view, bounds)
    values, validity = _outputs(result, bounds.positions.n_positions, call.name)
    phases.set_output(values.address, validity.address, (values, validity))
    failure = _run(phases, call, span, bounds)
    if failure is not None:
        raise _failed(failure, call, result)
    return column_from_buffers(result, bounds.positions.n_positions, values, validity)


def _run(phases: kernels.Rolling, call: RollingCall, span: Span, bounds: Bounds) -> tuple[int, int] | None:
    n_positions = bounds.positions.n_positions
    if call.name in ("median", "quantile"):
        interpolation = kernels.INTERPOLATIONS.index(call.options.get("interpolation", "linear"))
        task = phases.quantiles(call.options.get("q", 0.5), interpolation, growing=span.expands)
        return run(task, n_positions, n_positions if span.expands else bounds.slice_positions, operation=call.name)
    if span.expands:
        return _expand(phases, bounds, call.name)
    return run(phases.windows(), n_positions, bounds.slice_positions, operation=call.name)


def _phases(columns: tuple[Column, Column | None], call: RollingCall, span: Span, bounds: Bounds, result: DType) -> kernels.Rolling:
    column, other = columns
    physical, view = seen(column)
    assert result.physical is not None
    phases = kernels.Rolling(
        _OPS[call.name], physical, view, bounds.positions.row_address, result=int(result.physical),
        min_periods=max(1, span.min_periods) if call.function.needs_values else span.min_periods,
        ddof=call.options.get("ddof", 1), rooted=call.name in _ROOTED, keep=column,
    )  # fmt: skip
    if other is not None:
        phases.set_other(*seen(other), other)
    return phases


def seen(column: Column) -> tuple[int, tuple[int, int, int, int]]:
    """The physical type and the view that windows read; of text and the like only which rows are missing."""
    if column.physical is None or column.dtype.is_text or column.is_encoded or column.dtype.kind is Kind.DECIMAL:
        return _NO_VALUES, column.validity_view
    return int(column.physical), column.view


def _outputs(result: DType, n_positions: int, operation: str) -> tuple[Block, Block]:
    values = allocate(n_positions * result.width, operation) if result.width else allocate_bits(n_positions, operation)
    return values, allocate_bits(n_positions, operation)


def _expand(phases: kernels.Rolling, bounds: Bounds, operation: str) -> tuple[int, int] | None:
    n_positions, per_slice = bounds.positions.n_positions, bounds.slice_positions
    n_slices = -(-n_positions // per_slice)
    carries = allocate(n_slices * phases.carry_bytes, operation)
    phases.set_carries(carries.address, carries)
    run(phases.fold(), n_positions, per_slice, operation=operation)
    run(phases.scan(), n_slices, n_slices, operation=operation)
    return run(phases.apply(), n_positions, per_slice, operation=operation)


def _failed(failure: tuple[int, int], call: RollingCall, result: DType) -> Exception:
    if failure[1] == KernelStatus.OVERFLOW:
        return IntegerOverflow.in_arithmetic(f"rolling {call.name}", result, call.column_name)
    return KernelError.of(call.name, failure[1], failure[0])
