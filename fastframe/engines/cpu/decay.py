"""Exponentially weighted windows: one walk over each group's rows. The table of functions is ``ops/decay.py``."""

from __future__ import annotations

from fastframe._kernels import decay as kernels
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.engines.cpu.rolling import seen
from fastframe.engines.cpu.window_bounds import SLICE_POSITIONS, Bounds, Positions, check_times, nanoseconds_per_unit
from fastframe.ops.decay import Decay, DecayCall

_OPS = {
    "mean": kernels.MEAN, "sum": kernels.SUM, "var": kernels.VARIANCE, "std": kernels.VARIANCE,
    "cov": kernels.COVARIANCE, "corr": kernels.CORRELATION,
}  # fmt: skip


def decayed(columns: tuple[Column, Column | None], call: DecayCall, decay: Decay, positions: Positions, times: Column | None) -> Column:
    """One value per position, of a column or of two."""
    column, other = columns
    result = call.resolve(column.dtype, call.options["name"])
    assert result.physical is not None
    n_positions, bounds = positions.n_positions, Bounds(positions)
    values, validity = allocate(n_positions * result.width, call.name), allocate_bits(n_positions, call.name)
    if n_positions == 0:
        return column_from_buffers(result, 0, values, validity)
    present = allocate(n_positions + 8, call.name)
    phases = kernels.Decays(
        _OPS[call.name], seen(column), bounds.view, positions.row_address, result=int(result.physical), factor=1.0 - decay.alpha,
        adjust=decay.adjust, skips=decay.ignore_na, rooted=call.name == "std", biased=call.options.get("bias", True),
        min_periods=max(1, decay.min_periods), keep=(column, positions),
    )  # fmt: skip
    if other is not None:
        phases.set_other(*seen(other), other)
    if times is not None and decay.half_life is not None:
        check_times(times, decay.on)
        phases.set_times(times.view.values, times.dtype.width, nanoseconds_per_unit(times.dtype) / decay.half_life, times)
    phases.set_output(values.address, present.address, validity.address, (values, present, validity))
    run(phases.walk(), n_positions, SLICE_POSITIONS, operation=call.name)
    run(phases.pack(), n_positions, operation=call.name)
    return column_from_buffers(result, n_positions, values, validity)
