"""The constructors by source: `from_arrow`, `from_pandas`, `from_numpy`, `from_dict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastframe.column.arrow import table_from_arrow
from fastframe.column.numpy import is_pandas
from fastframe.errors import DTypeError
from fastframe.frame.construct import is_pandas_frame, pandas_parts
from fastframe.frame.dataframe import DataFrame
from fastframe.frame.labels import default_labels, with_labels
from fastframe.frame.series import Series


def from_arrow(data: Any, *, encodings: bool = False) -> Any:
    """A frame (or, of an array, a series) over Arrow data: pyarrow, polars, duckdb, anything with ``__arrow_c_stream__``.

    Parameters
    ----------
    encodings : bool
        A dictionary of strings is only an encoding, and the column a ``string``; else it is a ``category``.

    Raises
    ------
    InvalidData
        The memory is not what it says it is. It is checked in full unless ``options.validate`` is off.

    Examples
    --------
    >>> import fastframe as ff, pyarrow as pa
    >>> ff.from_arrow(pa.table({"a": [1, 2]})).shape
    (2, 1)
    """
    import pyarrow as pa

    if isinstance(data, pa.Array | pa.ChunkedArray):
        return Series(data)
    if is_pandas(data) or is_pandas_frame(data):   # what pandas exports may be memory that it goes on writing to
        return from_pandas(data)
    if not hasattr(data, "__arrow_c_stream__") and not hasattr(data, "__arrow_c_array__"):
        raise DTypeError.not_tabular("from_arrow: a frame", data)
    table = table_from_arrow(data, encodings=encodings)
    return DataFrame._of(with_labels(default_labels(table.n_rows), table.columns, table.n_rows))


def from_pandas(data: Any, *, copy: bool = True) -> Any:
    """A frame or series of pandas data, labels included; NaN stays NaN, ``NA``, ``None`` and ``NaT`` are missing.

    ``copy=False`` shares writable memory: the caller promises not to write to it.
    """
    if hasattr(data, "columns"):
        return DataFrame._of(*pandas_parts(data, copy=copy))
    if not is_pandas(data):
        raise DTypeError.not_tabular("from_pandas: a frame or series", data)
    return Series(data, copy=copy)


def from_numpy(array: Any, columns: Sequence[str] | None = None, *, copy: bool = True) -> DataFrame:
    """A frame of a 2-D or structured array, one column per column."""
    return DataFrame(array, columns=columns, copy=copy)


def from_dict(data: Mapping[Any, Any], columns: Sequence[str] | None = None) -> DataFrame:
    """A frame of ``{name: values}``."""
    return DataFrame(data, columns=columns)
