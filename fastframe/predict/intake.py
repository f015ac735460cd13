"""What a predictor takes as rows, made into a table of the columns that it needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._threads import run_calls
from fastframe.column import Column, Table
from fastframe.column.arrow import column_from, table_from_arrow
from fastframe.column.memory import allocate_array
from fastframe.column.plain import array_of
from fastframe.errors import ContractError, DuplicateColumn

_FEW_ROWS = 1 << 14   # of a pandas frame that may be copied
_BLOCK_ROWS = 512   # of a row-major matrix that is turned at once: 30 columns of float64 take 120 KB


def table_of(data: Any, names: Collection[str] | None) -> Table:
    """A table of the named columns of ``data`` (None: of all), as far as it has them; arrays without names give ``x0``, ``x1`` ...

    Memory that others may write to is shared for the time of a call, so tables from here are not to be kept.

    Parameters
    ----------
    data : fastframe frame or Table, pyarrow Table or RecordBatch, pandas or polars frame, 2-D array, dict of arrays
        Or anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``.

    Raises
    ------
    ContractError
        For anything else.
    DTypeError, InvalidData, DuplicateColumn
        As in `column.arrow`.
    """
    table = data if isinstance(data, Table) else getattr(data, "_table", None)
    if isinstance(table, Table):   # a frame of ours: floors below frames know only its table
        return table
    if isinstance(data, np.ndarray):
        return _of_array(data)
    if isinstance(data, Mapping):
        chosen = {str(name): _column_like(str(name), values) for name, values in data.items() if names is None or str(name) in names}
        return Table({name: column_from(values, name, copy=False) for name, values in chosen.items()}, None if chosen else _length(data))
    if type(data).__module__.split(".")[0] == "pandas" and hasattr(data, "columns"):
        return _of_pandas(data, names)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _of_arrow(data, names)
    if isinstance(data, list | tuple) and data and all(isinstance(row, list | tuple) for row in data):
        return _of_array(_array_of_rows(data))
    raise ContractError.not_tabular(data)


def is_array(data: Any) -> bool:
    """Whether the columns of ``data`` have no names of their own."""
    return isinstance(data, list | tuple) or (isinstance(data, np.ndarray) and data.dtype.names is None)


def names_of(data: Any) -> list[str]:
    """The names of all columns of what `table_of` takes, for messages."""
    table = data if isinstance(data, Table) else getattr(data, "_table", None)
    if isinstance(table, Table):
        return list(table.shown)
    if isinstance(data, Mapping):
        return [str(name) for name in data]
    names = getattr(data, "column_names", None)   # pyarrow; what others have is called columns
    if names is None:
        names = getattr(data, "columns", None)
    return [str(name) for name in names] if names is not None else list(table_of(data, None).columns)


def _array_of_rows(rows: Any) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(rows)
    except ValueError:   # rows of several lengths
        raise ContractError.not_tabular(rows) from None


def _column_like(name: str, values: Any) -> Any:
    """A column of a dict, if it is one."""
    is_many = hasattr(values, "__len__") or hasattr(values, "__arrow_c_stream__")
    if isinstance(values, str | bytes) or not is_many or getattr(values, "ndim", 1) == 0:
        raise ContractError.not_a_column(name, values)
    return _unmasked(values)


def _unmasked(array: Any) -> Any:
    if type(array).__module__.startswith("numpy.ma"):   # by name: numpy.ma is loaded only by those who use it
        raise ContractError.masked()
    return array


def _length(data: Mapping[Any, Any]) -> int:
    return len(next(iter(data.values()))) if data else 0


def _of_arrow(data: Any, names: Collection[str] | None) -> Table:
    try:
        table = data if isinstance(data, pa.Table) else pa.table(data)
    except pa.ArrowInvalid:   # a stream of something else than rows, such as a single column
        raise ContractError.not_tabular(data) from None
    if names is None:
        return table_from_arrow(table)
    chosen = [position for position, name in enumerate(table.column_names) if name in names]
    found = table_from_arrow(table.select(chosen))
    return found if chosen else Table({}, table.num_rows)


def _of_pandas(frame: Any, names: Collection[str] | None) -> Table:
    texts = [str(name) for name in frame.columns]
    chosen = {position: name for position, name in enumerate(texts) if names is None or name in names}
    if len(set(chosen.values())) < len(chosen):
        wanted = list(chosen.values())
        raise DuplicateColumn.of({name for name in wanted if wanted.count(name) > 1})
    taken = _together(frame, list(chosen)) if len(frame) <= _FEW_ROWS else {}
    columns = {name: taken.get(position) or _pandas_column(frame.iloc[:, position], name) for position, name in chosen.items()}
    return Table(columns, len(frame))


def _together(frame: Any, positions: list[int]) -> dict[int, Column]:
    """Number columns of one dtype, taken as one matrix: a column by itself takes pandas 0.1 ms."""
    alike: dict[Any, list[int]] = {}
    dtypes = list(frame.dtypes)
    for position in positions:
        if isinstance(dtypes[position], np.dtype) and dtypes[position].kind in "iuf":
            alike.setdefault(dtypes[position], []).append(position)
    found: dict[int, Column] = {}
    for members in alike.values():
        if len(members) > 1:
            matrix = (frame if len(members) == len(dtypes) else frame.iloc[:, members]).to_numpy()
            found |= zip(members, _of_array(matrix).columns.values(), strict=True)
    return found


def _pandas_column(series: Any, name: str) -> Column:
    """Numbers are shared; codes and text, whose values kernels use as places, are copied."""
    plain = isinstance(series.dtype, np.dtype) and series.dtype.kind in "iuf"
    return column_from(series, name, copy=not plain)


def _of_array(array: np.ndarray[Any, Any]) -> Table:
    _unmasked(array)
    if array.dtype.names:
        return Table({name: column_from(array[name], name, copy=False) for name in array.dtype.names}, len(array))
    if array.ndim != 2:
        raise ContractError.not_two_dimensional(array.ndim)
    n_rows, n_columns = array.shape
    if array.dtype.kind in "iuf" and array.dtype.itemsize <= 8 and array.dtype.isnative and array.dtype != np.float16:
        lines = array.T if array.flags.f_contiguous else _turned(array)
        columns = {f"x{position}": Column(array_of(lines[position]), owned=False) for position in range(n_columns)}
    else:
        columns = {f"x{position}": column_from(array[:, position], copy=False) for position in range(n_columns)}
    return Table(columns, n_rows)


def _turned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The columns of a matrix as rows of another one, each contiguous; in parallel."""
    n_rows, n_columns = array.shape
    out = allocate_array(n_rows * n_columns, array.dtype, "predict").reshape(n_columns, n_rows)
    n_parts = max(1, min(64, n_rows // (16 * _BLOCK_ROWS)))
    bounds = [n_rows * part // n_parts for part in range(n_parts + 1)]
    run_calls([_turn(array, out, *pair) for pair in pairwise(bounds)])
    return out


def _turn(array: np.ndarray[Any, Any], out: np.ndarray[Any, Any], start: int, stop: int) -> Callable[[], None]:
    def turn() -> None:
        for first in range(start, stop, _BLOCK_ROWS):
            last = min(first + _BLOCK_ROWS, stop)
            out[:, first:last] = array[first:last].T

    return turn
