"""What the façade does to single columns without a spec, by the engine of this machine.

The engine and its kernels are imported on the first call, so that ``import fastframe`` stays light.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastframe.column import Column
from fastframe.dtypes import DType


def cast(column: Column, dtype: DType, *, safe: bool = True) -> Column:
    """The values in another dtype; see `fastframe.engines.cpu.cast.cast`."""
    from fastframe.engines.cpu import cast as engine

    return engine.cast(column, dtype, safe=safe)


def concat(columns: Sequence[Column], dtype: DType) -> Column:
    """Columns one after the other; see `fastframe.engines.cpu.concat.concat`."""
    from fastframe.engines.cpu import concat as engine

    return engine.concat(columns, dtype)


def mask_rows(mask: Column) -> Any:
    """The rows where a mask is true, as int32 numbers; see `fastframe.engines.cpu.filter.mask_rows`."""
    from fastframe.engines.cpu import filter as engine

    return engine.mask_rows(mask)


def n_selected(mask: Column) -> int:
    """How many rows of a mask are true; see `fastframe.engines.cpu.filter.filter_plan`, which is kept."""
    from fastframe.engines.cpu import filter as engine

    return engine.filter_plan(mask).n_selected
