"""A user's function of single rows over columns: compiled on all threads, or called by the interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastframe.column import Column
from fastframe.column.arrow import column_from
from fastframe.dtypes import Kind
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.compare import missing_bits
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.room import Room
from fastframe.errors import RowFunctionError
from fastframe.ops.mapped import RowFunction

Array = np.ndarray[Any, Any]
_OPERATION = "map"


def map_rows(call: RowFunction, columns: Sequence[Column], n_rows: int) -> list[Column]:
    """The results of a function, one column each.

    Raises
    ------
    JITError
        It cannot be compiled for these dtypes.
    RowFunctionError
        It raised; names the lowest row, whatever the number of threads.
    """
    return _compiled(call, columns, n_rows) if call.engine == "numba" else _interpreted(call, columns)


# ---- compiled -------------------------------------------------------------------------------------------------------


def _compiled(call: RowFunction, columns: Sequence[Column], n_rows: int) -> list[Column]:
    from fastframe._jit.calls import Inputs, call_again, over_rows

    columns = [encode_text(column) if column.dtype.kind is Kind.STRING else column for column in columns]
    kernel, extras = call.kernel([column.dtype for column in columns], [column.dictionary for column in columns if column.is_encoded])
    present = [_present(column) for column in columns]
    arrays = [_values(column, None if call.nulls == "skip" else here) for column, here in zip(columns, present, strict=True)]
    masks = [np.ones(n_rows, bool) if here is None else here for here in present] if kernel.masks else []
    inputs = Inputs(arrays, masks, extras)
    rows = _all_present(present) if call.nulls == "skip" else None
    room = Room(kernel, n_rows, operation=_OPERATION, lacking=rows is not None)
    failure = over_rows(kernel, inputs, n_rows, room.outputs, rows=rows, operation=_OPERATION)
    if failure is not None:
        given = [_shown(column, array[failure.run]) for column, array in zip(columns, arrays, strict=True)]
        try:
            call_again(kernel, inputs, failure)
        except Exception as error:   # of the user's function: whatever it raises is told with its row
            raise RowFunctionError.raised_at(call.name, failure.run, given, error) from error
    return list(room.results().columns)


def _shown(column: Column, value: Any) -> Any:
    """A value that a function was called with, as Python's."""
    if column.is_encoded:
        return column.dictionary[int(value)].as_py()
    return value if column.dtype.is_temporal else value.item()


def _present(column: Column) -> Array | None:
    """A bool per row, True where there is a value, neither null nor NaN; None where all have one."""
    array = column.array
    if not array.null_count and column.dtype.kind is not Kind.FLOAT:
        return None
    here: Array = missing_bits(column, invert=True).array.to_numpy(zero_copy_only=False)
    return None if here.all() else here


def _all_present(present: Sequence[Array | None]) -> Array | None:
    found = [one for one in present if one is not None]
    return np.logical_and.reduce(found) if found else None


def _values(column: Column, fill_where: Array | None) -> Array:
    """The values as compiled code reads them; where ``fill_where`` is False they are NaN, NaT or 0 (None: left as they are)."""
    array, dtype = column.array, column.dtype
    if column.is_encoded:
        codes: Array = np.frombuffer(column.codes.buffers()[1], np.int32, len(array), column.codes.offset * 4) if len(array) else np.empty(0, np.int32)
        return codes if fill_where is None else np.where(fill_where, codes, np.int32(0))
    if dtype.kind is Kind.BOOL:
        return np.ascontiguousarray((array.fill_null(False) if array.null_count else array).to_numpy(zero_copy_only=False))
    assert dtype.numpy is not None   # the kernel was compiled for it
    words = np.dtype(f"i{dtype.width}")
    raw: Array = np.frombuffer(array.buffers()[1], words, len(array), array.offset * dtype.width) if len(array) else np.empty(0, words)
    values = raw.astype(np.int64).view(dtype.numpy) if dtype.kind is Kind.DATE and dtype.width == 4 else raw.view(dtype.numpy)
    if fill_where is None or (dtype.kind is Kind.FLOAT and not array.null_count):
        return values
    filling = np.nan if dtype.kind is Kind.FLOAT else "NaT" if dtype.is_temporal else 0
    return np.where(fill_where, values, np.array(filling, dtype.numpy))


# ---- by the interpreter ---------------------------------------------------------------------------------------------


def _interpreted(call: RowFunction, columns: Sequence[Column]) -> list[Column]:
    names = [name for name, _ in call.declared] if call.declared is not None else [None]
    several = names != [None]
    returned: list[Any] = []
    for row, values in enumerate(zip(*_arguments(call, columns), strict=True)):
        if call.nulls == "skip" and None in values:
            returned.append(None)
            continue
        try:
            value = call.function(*values, *call.extras, **dict(call.keywords))
        except Exception as error:   # of the user's function: whatever it raises is told with its row
            raise RowFunctionError.raised_at(call.name, row, values, error) from error
        if not several and isinstance(value, tuple | dict):
            raise RowFunctionError.several_in_python(call.name, value)
        returned.append(_fields(call, names, value) if several else value)
    if not several:
        return [_declared(call, column_from(returned), 0)]
    parts = [[None if row is None else row[place] for row in returned] for place in range(len(names))]
    return [_declared(call, column_from(part), place) for place, part in enumerate(parts)]


def _arguments(call: RowFunction, columns: Sequence[Column]) -> list[list[Any]]:
    """Python values by column, None where missing (with ``nulls="nan"`` NaN), and with ``nulls="mask"`` their presence behind them."""
    values = []
    for column in columns:
        array = pc.if_else(missing_bits(column, invert=True).array, column.array, pa.scalar(None, column.array.type))
        listed = array.to_pylist()
        values.append([float("nan") if one is None else one for one in listed] if call.nulls == "nan" else listed)
    return values + [[one is not None for one in part] for part in values] if call.nulls == "mask" else values


def _fields(call: RowFunction, names: Sequence[Any], value: Any) -> Sequence[Any]:
    """The values of a tuple, or of a dict by the declared names."""
    if isinstance(value, Mapping) and set(value) == set(names):
        return [value[name] for name in names]
    if not isinstance(value, tuple) or len(value) != len(names):
        raise RowFunctionError.changed_shape(call.name, names, value)
    return value


def _declared(call: RowFunction, column: Column, place: int) -> Column:
    wanted = call.declared
    return column if wanted is None else cast(column, wanted[place][1], name=call.name)
