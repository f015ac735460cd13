"""`Series`: one column with row labels and a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastframe.column import Column, Table
from fastframe.column.arrow import array_to_arrow
from fastframe.dtypes import DType
from fastframe.errors import MissingAttribute
from fastframe.frame.arguments import explained
from fastframe.frame.arithmetic import SeriesArithmetic
from fastframe.frame.construct import series_parts
from fastframe.frame.convert import SeriesConvert
from fastframe.frame.core import Frame
from fastframe.frame.display import SeriesDisplay
from fastframe.frame.getitem import get_series_item, set_series_item
from fastframe.frame.indexers import Indexing
from fastframe.frame.labels import with_labels
from fastframe.frame.missing import SeriesMissing
from fastframe.frame.reductions import SeriesReductions
from fastframe.frame.reshape import SeriesReshape
from fastframe.frame.run import calling
from fastframe.frame.selection import SeriesSelection
from fastframe.frame.unsupported import SERIES_HINTS
from fastframe.frame.windows import SeriesWindows
from fastframe.ops.base import Spec

if TYPE_CHECKING:
    from fastframe.frame.accessors import CategoryAccessor, TextAccessor, TimeAccessor

VALUE = "value"   # the name of a series' values in its table; users see `Series.name`


@explained
class Series(
    SeriesArithmetic, SeriesConvert, SeriesDisplay, SeriesMissing, SeriesReductions, SeriesReshape, SeriesSelection,
    SeriesWindows, Indexing, Frame,
):  # fmt: skip
    """One column with row labels and a name.

    Parameters
    ----------
    data : array, list, dict (labels to values), Series, scalar, or Arrow data
    index : Index, array or list, optional
        Row labels; 0, 1, 2, ... where not given.
    dtype : optional
    name : str, optional
    copy : bool
        False shares writable NumPy or pandas memory: the caller promises not to write to it.

    Examples
    --------
    >>> import fastframe as ff
    >>> ff.Series([1, None, 3], name="n").sum()
    4
    """

    name: str | None
    _is_series = True

    def __init__(self, data: Any = None, index: Any = None, dtype: Any = None, name: str | None = None, *, copy: bool = True) -> None:
        column, labels, self._label_names, found = series_parts(data, index, dtype, copy=copy)
        self._table = with_labels(labels, {VALUE: column}, len(column))
        self.name = name if name is not None else found

    @classmethod
    def _of(cls, labels: dict[str, Column], column: Column, name: str | None, label_names: tuple[str | None, ...] = (None,)) -> Series:
        """A series over label columns and values."""
        series = object.__new__(cls)
        series._table = Table.joined(labels, {VALUE: column}, column.length)
        series._label_names, series.name = label_names, name
        return series

    def _run(self, spec: Spec, *others: Table) -> Series:
        with calling(VALUE, self.name):
            return super()._run(spec, *others)

    def _like(self, column: Column, name: str | None = None) -> Series:
        """A series with these labels and other values."""
        return Series._of(self._labels, column, self.name if name is None else name, self._label_names)

    def _with_table(self, table: Table, label_names: tuple[str | None, ...] | None = None) -> Series:
        new = super()._with_table(table, label_names)
        new.name = self.name
        return new

    @property
    def _column(self) -> Column:
        return self._table.columns[VALUE]

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._column.dtype

    dtypes = dtype

    @property
    def shape(self) -> tuple[int]:
        """Number of values, as a tuple."""
        return (len(self),)

    @property
    def ndim(self) -> int:
        """Always 1."""
        return 1

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self)

    @property
    def str(self) -> TextAccessor:
        """Functions of strings, for example ``s.str.upper()``."""
        from fastframe.frame.accessors import TextAccessor

        return TextAccessor(self)

    @property
    def dt(self) -> TimeAccessor:
        """Parts and functions of dates, times and durations, for example ``s.dt.year``."""
        from fastframe.frame.accessors import TimeAccessor

        return TimeAccessor(self)

    @property
    def cat(self) -> CategoryAccessor:
        """The categories and codes of a ``category`` series."""
        from fastframe.frame.accessors import CategoryAccessor

        return CategoryAccessor(self)

    def __iter__(self) -> Iterator[Any]:
        return iter(array_to_arrow(self._column).to_pylist())

    def __contains__(self, label: object) -> bool:
        return label in self.index

    def __getitem__(self, key: Any) -> Any:
        return get_series_item(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        set_series_item(self, key, value)

    def __getattr__(self, name: Any) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in SERIES_HINTS:
            raise MissingAttribute.unsupported("Series", name, SERIES_HINTS[name])
        raise MissingAttribute.of("Series", name, [one for one in dir(type(self)) if not one.startswith("_")])


Frame._series_type = Series
