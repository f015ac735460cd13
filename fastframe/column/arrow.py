"""Arrow memory in and out.

The one chain of intake, in this order, for a column (`column_from`) as for a table (`table_from_arrow`):

1. a `Column` of ours;
2. pandas objects, before Arrow, because what they export may be memory that pandas goes on writing to;
3. anything with ``__arrow_c_stream__`` or ``__arrow_c_array__`` (pyarrow, polars, duckdb, our own frames), then NumPy arrays
   (`column/numpy.py`);
4. ranges, sequences and iterables of Python values.

Data from outside is validated in full before anything keeps its address (``options.validate``), made contiguous, and
normalised: views, run-ends, small decimals and extensions become plain types; dictionaries get int32 codes and unique,
non-null values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column.column import Column
from fastframe.column.dictionary import normalise_dictionary, without_views
from fastframe.column.numpy import column_from_numpy, column_from_pandas, is_numpy, is_pandas
from fastframe.column.table import Table
from fastframe.column.validation import validate
from fastframe.dtypes import DType
from fastframe.errors import DTypeError, DuplicateColumn, InvalidData
from fastframe.options import options

_TWO_GIB = 2**31 - 1
_PLAIN = (bool, float, str)


def column_from(values: Any, name: str | None = None, *, copy: bool = True) -> Column:
    """One column from anything that the chain above takes.

    Raises
    ------
    DTypeError
        Where values have no common Arrow type.
    InvalidData
        Where Arrow memory is damaged.
    """
    if isinstance(values, Column):
        return values
    if is_pandas(values):
        return column_from_pandas(values, name, copy=copy)
    if isinstance(values, pa.Array | pa.ChunkedArray) or hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        return column_from_arrow(_import_array(values), name)
    if is_numpy(values):
        return column_from_numpy(values, name, copy=copy)
    return column_from_values(values, name)


def _import_array(values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    return pa.chunked_array(values) if hasattr(values, "__arrow_c_stream__") else pa.array(values)


def column_from_values(values: Iterable[Any], name: str | None = None) -> Column:
    """A column from Python values; ``None`` is missing, NaN stays NaN."""
    if isinstance(values, range):
        from fastframe.column.range import RangeColumn

        return Column(RangeColumn(len(values), values.start, values.step).array)
    items = values if isinstance(values, list | tuple) else list(values)
    try:
        return column_from_arrow(_array_of(items), name)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise DTypeError.of_values(name, str(error)) from None


def _array_of(items: list[Any] | tuple[Any, ...]) -> pa.Array:
    """Python values as Arrow; ``pd.NA`` and ``pd.NaT`` are None, pandas' nanoseconds stay. pandas need not be installed."""
    kinds = {kind.__name__ for kind in set(map(type, items))}
    missing = {"NAType", "NaTType"}
    if kinds & missing:
        items = [None if type(item).__name__ in missing else item for item in items]
    array = pa.array(items)
    if kinds & {"Timestamp", "Timedelta"} and any(getattr(item, "unit", None) == "ns" for item in items):   # Arrow takes microseconds
        return pa.array(items, pa.duration("ns") if pa.types.is_duration(array.type) else pa.timestamp("ns", tz=array.type.tz))
    return array


def column_from_arrow(array: pa.Array | pa.ChunkedArray, name: str | None = None, *, encoding: bool = False, trusted: bool = False) -> Column:
    """A column over Arrow memory, which is shared where it is contiguous and of a type that we hold.

    Parameters
    ----------
    encoding : bool
        A dictionary of strings is only an encoding (a file reader asked for it), so the dtype is ``string``; else it
        is a ``category``.
    trusted : bool
        Made by us or by pyarrow's own compute: not validated again.
    """
    if options.validate and not trusted:
        try:
            validate(array)
        except pa.ArrowException as error:
            raise InvalidData.in_arrow(str(error), name) from None
    whole = _normalised(contiguous(without_views(array)), name)
    if pa.types.is_dictionary(whole.type):
        whole = normalise_dictionary(whole)
        if encoding and dtypes.from_arrow(whole.type.value_type).is_text:
            return Column(whole, dtypes.from_arrow(whole.type.value_type))
    return Column(whole, dtypes.from_arrow(whole.type, name))


def contiguous(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array; copies only where there are several non-empty chunks. Strings over 2 GiB become large."""
    if isinstance(array, pa.Array):
        return _unsliced_empty(array)
    chunks = [chunk for chunk in array.chunks if len(chunk)]
    if not chunks:
        return _unsliced_empty(array.chunk(0)) if array.num_chunks else pa.array([], array.type)
    if len(chunks) == 1:
        return chunks[0]
    wide = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}.get(array.type)
    if wide is not None and sum(_text_bytes(chunk) for chunk in chunks) > _TWO_GIB:
        chunks = [chunk.cast(wide) for chunk in chunks]
    if pa.types.is_dictionary(array.type):
        return _joined_dictionaries(chunks)
    return pa.concat_arrays(chunks)


def _unsliced_empty(array: pa.Array) -> pa.Array:
    """No rows of an offset into buffers: pyarrow's C import gives such an array buffers that its own concat refuses."""
    if len(array) or not array.offset:
        return array
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(pa.array([], array.type.index_type), array.dictionary, ordered=array.type.ordered)
    return pa.array([], array.type) if array.type.num_fields == 0 else array


def _joined_dictionaries(chunks: list[pa.Array]) -> pa.Array:
    if any(pa.types.is_dictionary(chunk.type) and chunk.dictionary.null_count for chunk in chunks):
        chunks = [normalise_dictionary(chunk) for chunk in chunks]   # Arrow does not unify dictionaries with nulls
    return pa.chunked_array(chunks).combine_chunks()


def _text_bytes(chunk: pa.Array) -> int:
    offsets = chunk.buffers()[1]
    if offsets is None or len(chunk) == 0:
        return 0
    ends = pa.Array.from_buffers(pa.int32(), chunk.offset + len(chunk) + 1, [None, offsets])
    return int(ends[chunk.offset + len(chunk)].as_py() - ends[chunk.offset].as_py())


def view_bytes(array: pa.Array) -> int:
    """The bytes of all values of views once they are plain text; no fewer (what lies under nulls may count).

    Not ``nbytes``, which pyarrow 19 refuses for views, and which counts a text once where many views share it.
    """
    views = array.buffers()[1]
    if views is None or len(array) == 0:
        return 0
    lengths = np.frombuffer(views, np.int32, 4 * len(array), 16 * array.offset)[::4]   # a view: length, prefix, buffer, offset
    return int(np.maximum(lengths, 0).sum(dtype=np.int64))


def _normalised(array: pa.Array, name: str | None) -> pa.Array:
    """The array as a type that `dtypes.from_arrow` knows."""
    kind, types = array.type, pa.types
    try:
        if types.is_string_view(kind):
            return array.cast(pa.large_string() if view_bytes(array) > _TWO_GIB else pa.string())
        if types.is_binary_view(kind):
            return array.cast(pa.large_binary() if view_bytes(array) > _TWO_GIB else pa.binary())
        if isinstance(kind, pa.BaseExtensionType):
            if kind.extension_name.startswith("pandas."):   # periods and intervals: their storage means something else
                raise DTypeError.of_pandas_extension(kind.extension_name.removeprefix("pandas."), name)
            return _normalised(array.storage, name)
        if types.is_run_end_encoded(kind):
            import pyarrow.compute as pc

            return _normalised(pc.run_end_decode(array), name)
        if types.is_decimal(kind) and not types.is_decimal128(kind):
            return array.cast(pa.decimal128(min(38, kind.precision), kind.scale))
    except pa.ArrowException as error:
        raise InvalidData.in_arrow(str(error), name) from None
    return array


def table_from_arrow(source: Any, *, encodings: bool = False, trusted: bool = False) -> Table:
    """A table from a pyarrow table, record batch, reader, or anything with ``__arrow_c_stream__``.

    ``encodings`` and ``trusted`` as in `column_from_arrow`. The caller's table stays the caller's.

    Raises
    ------
    DuplicateColumn, InvalidData, DTypeError
    """
    table = source if isinstance(source, pa.Table) else pa.table(source)
    names = table.column_names
    if len(set(names)) != len(names):
        raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
    columns = {
        name: column_from_arrow(table.column(position), name, encoding=encodings, trusted=trusted) for position, name in enumerate(names)
    }
    return Table(columns, table.num_rows)


def array_to_arrow(column: Column) -> pa.Array:
    """The column as users see it: encoded strings are decoded, a category is a dictionary array."""
    if column.is_encoded_text:
        return column.array.dictionary_decode()
    return _unsliced_empty(column.array)


def value_at(column: Column, row: int) -> Any:
    """The value of one row for Python; nothing else of an encoded column is decoded."""
    return column.array[row].as_py()


def table_to_arrow(columns: Mapping[str, Column], n_rows: int) -> pa.Table:
    """A pyarrow table that shares memory with the columns."""
    if not columns:
        return pa.Table.from_batches([], pa.schema([])) if n_rows == 0 else pa.table({"": pa.nulls(n_rows)}).select([])
    return pa.Table.from_arrays([array_to_arrow(column) for column in columns.values()], names=list(columns))


def constant(value: Any, n_rows: int, dtype: DType | None = None, name: str | None = None) -> Column:
    """One Python value in every row.

    Raises
    ------
    DTypeError
        Where the value has no Arrow type, or does not fit ``dtype``.
    """
    if dtype is None and (type(value) in _PLAIN or (type(value) is int and -(2**63) <= value < 2**63)):   # nothing to find out about these
        return Column(pa.repeat(value, n_rows))
    one = column_from_values([value], name)
    try:
        target = dtype.arrow if dtype is not None else one.array.type
        return column_from_arrow(pa.repeat(one.array[0].cast(target), n_rows), trusted=True)
    except pa.ArrowException as error:
        raise DTypeError.of_values(name, str(error)) from None
