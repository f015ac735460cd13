"""`cast`: a column's values in another dtype.

Numbers go through a kernel of ours, the rest through pyarrow, an encoded column through its dictionary. A cast that would
change a value raises `LossyCast` and names an example, unless ``safe=False``. Going to a float dtype may round (but not
to infinity); to bool, every number but 0 is true; NaN becomes null where the target has no NaN. The text of a float is the shortest
that reads as it, as Python's repr (1.0, 1e-05); of a float32 with an exponent from 1e6 on, as NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe._kernels import text as text_kernels
from fastframe._kernels.cast import cast as cast_task
from fastframe._threads import SLICE_ROWS, fine_slice_rows, run
from fastframe.column import Column
from fastframe.column.column import column_from_buffers
from fastframe.column.dictionary import one_zero
from fastframe.column.memory import allocate, allocate_bits, is_streamed
from fastframe.dtypes import BOOL, FLOAT32, FLOAT64, INT64, DType, Kind
from fastframe.engines.cpu.clocks import local_times
from fastframe.engines.cpu.forms import Validity, copied_validity, nulls, text_array, text_source, validity_bits
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.results import allocate_values, with_validity
from fastframe.engines.cpu.sliced import over_slices
from fastframe.errors import LossyCast
from fastframe.ops.casts import FAMILY, PAIRS, resolve_cast


class Target(NamedTuple):
    """What a cast is to give."""

    dtype: DType
    safe: bool
    name: str | None   # of the column, for messages


def cast(column: Column, dtype: DType, *, safe: bool = True, name: str | None = None) -> Column:
    """The values of a column as ``dtype``.

    Parameters
    ----------
    column : Column
    dtype : DType
        ``category`` takes the column's values, sorted, as categories.
    safe : bool
        Raise where a value would change; else integers wrap, fractions and times are cut, texts that cannot be read still raise.
    name : str, optional
        The column's name, for messages.

    Raises
    ------
    DTypeError
        There is no conversion.
    LossyCast
        A value does not fit, or cannot be read; the message names it.
    """
    dtype = resolve_cast(column.dtype, dtype)
    if dtype == column.dtype:
        return column
    pair = (FAMILY[column.dtype.kind], FAMILY[dtype.kind])
    return _CASTS[pair](column, Target(dtype, safe, name))


# ---- numbers --------------------------------------------------------------------------------------------------------


def _numbers(column: Column, target: Target) -> Column:
    if column.dtype.physical is None:   # float16
        wide = Column(column.array.cast(pa.float32()))
        return wide if target.dtype == FLOAT32 else cast(wide, target.dtype, safe=target.safe, name=target.name)
    if target.dtype.physical is None:
        return _to_half(column, target)
    source, physical = int(column.dtype.physical), int(target.dtype.physical)
    n_rows = len(column)
    out = allocate_values(target.dtype, n_rows, "astype")
    nan_to_null = column.dtype.kind is Kind.FLOAT and target.dtype.kind is not Kind.FLOAT
    validity = allocate_bits(n_rows, "astype") if nan_to_null else None
    bad_rows = np.zeros(-(-n_rows // SLICE_ROWS), np.int64)
    task = cast_task(
        column.view, source, physical, out.address, validity.address if validity is not None else 0, bad_rows.ctypes.data,
        checked=target.safe, streams=is_streamed(n_rows * target.dtype.width), keep_alive=(column, out, validity, bad_rows),
    )  # fmt: skip
    failure = run(task, n_rows, SLICE_ROWS, operation="astype")
    if failure is not None:
        row = int(bad_rows[failure[0] // SLICE_ROWS])
        raise LossyCast.of(column.dtype, target.dtype, target.name, f"for example {_example(column.array, row)}")
    if validity is not None:
        return column_from_buffers(target.dtype, n_rows, out, validity)
    return with_validity(target.dtype, out, column)


def _to_half(column: Column, target: Target) -> Column:
    with np.errstate(over="ignore"):
        values = cast(column, FLOAT64, safe=False).array.to_numpy(zero_copy_only=False)
        halves = values.astype(np.float16)
    lost = np.isinf(halves) & ~np.isinf(values)
    if target.safe and lost.any():
        raise LossyCast.of(column.dtype, target.dtype, target.name, f"for example {values[np.argmax(lost)]!r}")
    return Column(pa.array(halves, pa.float16(), mask=np.asarray(column.array.is_null())), target.dtype)


def _number_to_decimal(column: Column, target: Target) -> Column:
    if column.dtype.kind is Kind.FLOAT:
        column = _nan_to_null(column if column.dtype.physical is not None else cast(column, FLOAT32))
    elif column.dtype.kind is Kind.BOOL:
        column = cast(column, dtypes.INT8)
    if column.dtype.is_integer:   # pyarrow judges by the dtype's digits, not the values', unless there is room for all
        return _by_arrow(Column(column.array.cast(pa.decimal256(76, target.dtype.arrow.scale)), column.dtype), target)
    return _by_arrow(column, target)


def _nan_to_null(column: Column) -> Column:
    import pyarrow.compute as pc

    return Column(pc.if_else(pc.is_nan(column.array), pa.scalar(None, column.array.type), column.array), column.dtype)


def _decimal_to_number(column: Column, target: Target) -> Column:
    if target.dtype == BOOL:
        import pyarrow.compute as pc

        return Column(pc.not_equal(column.array, pa.scalar(Decimal(0), column.array.type)))
    if target.dtype.kind is Kind.FLOAT:
        return cast(Column(column.array.cast(pa.float64())), target.dtype, safe=target.safe, name=target.name)
    return _by_arrow(column, target)


# ---- through pyarrow ------------------------------------------------------------------------------------------------


def _by_arrow(column: Column, target: Target) -> Column:
    """pyarrow's cast; a value that it refuses is found and named."""
    try:
        return Column(over_slices(column.array, lambda rows: rows.cast(target.dtype.arrow, safe=target.safe)), target.dtype)
    except pa.ArrowInvalid as error:
        value = _example(column.array, _first_refused(column.array, target))
        if column.dtype.kind in (Kind.STRING, Kind.BINARY):
            raise LossyCast.of_text(value, target.dtype, target.name) from error
        raise LossyCast.of(column.dtype, target.dtype, target.name, f"for example {value}") from error


def _example(array: pa.Array, row: int) -> str:
    """A value for a message; the count of units where Python has no such time."""
    try:
        value = array[row].as_py()
    except (OverflowError, ValueError):
        return str(array[row].value)
    return repr(value) if isinstance(value, (int, float, str, bytes)) else str(value)


def _first_refused(array: pa.Array, target: Target) -> int:
    """The row of the first value that makes the cast fail, by halving."""
    first, length = 0, len(array)
    while length > 1:
        half = length // 2
        try:
            array.slice(first, half).cast(target.dtype.arrow, safe=target.safe)
            first, length = first + half, length - half
        except pa.ArrowInvalid:
            length = half
    return first


# ---- dates and times ------------------------------------------------------------------------------------------------


def _timestamps(column: Column, target: Target) -> Column:
    """Another unit or zone; the same instants."""
    if column.dtype.arrow.unit == target.dtype.arrow.unit:
        return Column(column.array.view(target.dtype.arrow), target.dtype)
    return _by_arrow(column, target)


def _to_date(column: Column, target: Target) -> Column:
    local = local_times(column).array
    out = local.cast(target.dtype.arrow, safe=False)
    if target.safe and column.dtype.kind is Kind.TIMESTAMP:
        import pyarrow.compute as pc

        lost = pc.fill_null(pc.not_equal(out.cast(local.type, safe=False), local), False)
        if pc.any(lost).as_py():
            example = _example(column.array, int(np.argmax(np.asarray(lost))))
            raise LossyCast.of(column.dtype, target.dtype, target.name, f"for example {example}")
    return Column(out, target.dtype)


def _to_time(column: Column, target: Target) -> Column:
    if target.safe:
        raise LossyCast.of(column.dtype, target.dtype, target.name, "the days would be lost")
    return _by_arrow(column, target)


def _time_to_number(column: Column, target: Target) -> Column:
    """The count of units since the epoch (or midnight)."""
    whole = Column(column.array.view(pa.int32() if column.dtype.width == 4 else pa.int64()))
    return cast(whole, target.dtype, safe=target.safe, name=target.name)


def _number_to_time(column: Column, target: Target) -> Column:
    """A count of units since the epoch (or midnight)."""
    width = dtypes.INT32 if target.dtype.width == 4 else INT64
    return Column(cast(column, width, safe=target.safe, name=target.name).array.view(target.dtype.arrow), target.dtype)


# ---- text and categories --------------------------------------------------------------------------------------------


def _from_text(column: Column, target: Target) -> Column:
    if column.is_encoded:
        try:
            values = _by_arrow(Column(column.dictionary), target)
            return Column(values.array.take(column.codes), target.dtype)
        except LossyCast:   # perhaps a value that no row has
            return _by_arrow(Column(column.array.dictionary_decode()), target)
    read = _read_digits(column, target) if target.dtype.is_integer else None
    return read if read is not None else _by_arrow(column, target)


def _read_digits(column: Column, target: Target) -> Column | None:
    """Texts of plain digits as integers; None where one is not, or too large, which pyarrow shall judge."""
    assert target.dtype.physical is not None
    out = allocate_values(target.dtype, len(column), "astype")
    task = text_kernels.parse_digits(
        int(target.dtype.physical), text_source(column.array), validity_bits(column), out.address, (column, out)
    )
    failure = run(task, len(column), fine_slice_rows(len(column)), operation="astype")
    return with_validity(target.dtype, out, column) if failure is None else None


def _from_category(column: Column, target: Target) -> Column:
    values = Column(column.dictionary)
    if target.dtype.kind is Kind.STRING and values.dtype.kind is Kind.STRING:
        return Column(column.array, dtypes.STRING)   # only the dtype changes: text may be encoded
    if values.dtype == target.dtype:
        return Column(values.array.take(column.codes), target.dtype)
    plain = Column(column.array.dictionary_decode())
    return cast(plain, target.dtype, safe=target.safe, name=target.name)


def _to_category(column: Column, target: Target) -> Column:
    """Categories are the values, ascending, each once."""
    import pyarrow.compute as pc

    array = column.array if column.array.type != pa.null() else column.array.cast(pa.string())
    if column.dtype.kind is Kind.CATEGORY:
        return Column(pa.DictionaryArray.from_arrays(column.codes, column.dictionary, ordered=target.dtype.ordered, safe=False), target.dtype)
    if column.dtype.kind is Kind.FLOAT:
        array = one_zero(_nan_to_null(column).array)
    if column.dtype.is_text:
        encoded = encode_text(column).array
    else:
        encoded = array if column.is_encoded else array.dictionary_encode()
    used = pc.unique(encoded.indices).drop_null() if column.is_encoded else None
    values = encoded.dictionary if used is None else encoded.dictionary.take(used)
    order = pc.array_sort_indices(values)
    if pa.types.is_large_string(values.type):
        values = values.cast(pa.string())
    places = np.full(len(encoded.dictionary), -1, np.int32)
    old = np.arange(len(values)) if used is None else used.to_numpy()
    places[old[order.to_numpy()]] = np.arange(len(values), dtype=np.int32)
    codes = pa.array(places).take(encoded.indices)
    return Column(pa.DictionaryArray.from_arrays(codes, values.take(order), ordered=target.dtype.ordered, safe=False))


def _to_text(column: Column, target: Target) -> Column:
    if column.dtype.is_integer and target.dtype.kind is Kind.STRING:
        return _digits(column)
    if column.dtype.kind is not Kind.FLOAT:
        return _by_arrow(column, target)
    column = column if column.dtype.physical is not None else cast(column, FLOAT32)
    return _decimals(column) if target.dtype.kind is Kind.STRING else _by_arrow(_nan_to_null(column), target)


def _decimals(column: Column) -> Column:
    """Floats as the shortest texts that read as them, missing for NaN."""
    physical, view, n_rows = int(column.dtype.physical), column.view, len(column)   # type: ignore[arg-type]
    kept, there = allocate(n_rows * text_kernels.DECIMAL_BYTES, "astype"), allocate_bits(n_rows, "astype")
    return Column(text_array(
        pa.string(),
        n_rows,
        lambda sizes: text_kernels.floats_sizes(physical, view, kept.address, sizes, (column, kept)),
        lambda sink: text_kernels.floats_copy(physical, view, kept.address, sink, there.address, (column, kept, there)),
        lambda: Validity(there, -1),
        operation="astype",
    ))  # fmt: skip


def _digits(column: Column) -> Column:
    """Integers as decimal text."""
    physical, view = int(column.dtype.physical), column.view   # type: ignore[arg-type]
    return Column(text_array(
        pa.string(),
        len(column),
        lambda sizes: text_kernels.digits_sizes(physical, view, sizes, column),
        lambda sink: text_kernels.digits_copy(physical, view, sink, column),
        lambda: copied_validity(column, "astype"),
        operation="astype",
    ))  # fmt: skip


def _from_null(column: Column, target: Target) -> Column:
    return nulls(target.dtype, len(column))


_Cast = Callable[[Column, Target], Column]
_SPECIFIC: dict[tuple[str, str], _Cast] = {
    ("number", "number"): _numbers,
    ("number", "decimal"): _number_to_decimal,
    ("decimal", "number"): _decimal_to_number,
    ("timestamp", "timestamp"): _timestamps,
    ("timestamp", "date"): _to_date,
    ("timestamp", "time"): _to_time,
    ("text", "text"): lambda column, target: column,
    **{(one, "number"): _time_to_number for one in ("timestamp", "duration", "date", "time")},
    **{("number", one): _number_to_time for one in ("timestamp", "duration", "date", "time")},
}
_BY_SOURCE: dict[str, _Cast] = {"null": _from_null, "category": _from_category, "text": _from_text}
_BY_TARGET: dict[str, _Cast] = {"category": _to_category, "text": _to_text}


def _handler(source: str, target: str) -> _Cast:
    found = _SPECIFIC.get((source, target))
    if found is not None:
        return found
    if target == "category":
        return _from_null if source == "null" else _to_category
    return _BY_SOURCE.get(source) or _BY_TARGET.get(target) or _by_arrow


_CASTS: dict[tuple[str, str], _Cast] = {pair: _handler(*pair) for pair in PAIRS}
