"""`DataFrame`: named columns with row labels. The verbs live in the mixins, by topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastframe.column import Table
from fastframe.errors import MissingAttribute, UnsupportedOperation
from fastframe.frame.arguments import explained
from fastframe.frame.arithmetic import FrameArithmetic
from fastframe.frame.combine import FrameCombine
from fastframe.frame.construct import frame_parts, text_name
from fastframe.frame.convert import FrameConvert
from fastframe.frame.core import Frame
from fastframe.frame.display import FrameDisplay
from fastframe.frame.getitem import get_item, set_columns, set_item
from fastframe.frame.index import Names
from fastframe.frame.indexers import Indexing
from fastframe.frame.labels import with_labels
from fastframe.frame.mapping import FrameMapping
from fastframe.frame.missing import FrameMissing
from fastframe.frame.predicting import FramePredict
from fastframe.frame.querying import FrameQuery
from fastframe.frame.reductions import FrameReductions
from fastframe.frame.reshape import FrameReshape
from fastframe.frame.row import Row
from fastframe.frame.selection import FrameSelection
from fastframe.frame.unsupported import DATAFRAME_HINTS
from fastframe.frame.windows import FrameWindows


@explained
class DataFrame(
    FrameArithmetic, FrameCombine, FrameConvert, FrameDisplay, FrameMapping, FrameMissing, FramePredict, FrameQuery, FrameReductions,
    FrameReshape, FrameSelection, FrameWindows, Indexing, Frame,
):  # fmt: skip
    """Named columns of one length with row labels.

    Parameters
    ----------
    data : dict, list of dict, list of rows, 2-D array, DataFrame, or anything with ``__arrow_c_stream__``
        A dict's values are arrays (by position), series (by label) or single values.
    index : Index, Series, array or list, optional
        Row labels; 0, 1, 2, ... where not given.
    columns : sequence of str, optional
        Names for positional data, or the columns to keep of named data.
    dtype : optional
        One dtype for all columns.
    copy : bool
        False shares writable NumPy or pandas memory: the caller promises not to write to it.

    Notes
    -----
    Tables are immutable: assigning a column gives this frame a new table that shares all other columns.

    Examples
    --------
    >>> import fastframe as ff
    >>> ff.DataFrame({"city": ["Rome", "Oslo"], "degrees": [21, None]})
         city  degrees
       string    int64
    0    Rome       21
    1    Oslo     null
    <BLANKLINE>
    [2 rows x 2 columns]
    """

    def __init__(
        self, data: Any = None, index: Any = None, columns: Sequence[Any] | None = None, dtype: Any = None, *, copy: bool = True
    ) -> None:
        self._table, self._label_names = frame_parts(data, index, columns, dtype, copy=copy)

    @classmethod
    def _of(cls, table: Table, label_names: tuple[str | None, ...] = (None,)) -> DataFrame:
        """A frame over a table whose first columns are labels."""
        frame = object.__new__(cls)
        frame.__dict__["_table"], frame.__dict__["_label_names"] = table, label_names   # around __setattr__, which is for users
        return frame

    @property
    def columns(self) -> Names:
        """The column names; assign a list of names to rename all."""
        return Names(list(self._values))

    @columns.setter
    def columns(self, names: Sequence[Any]) -> None:
        renamed = Table(self._values, len(self)).rename([text_name(name) for name in names])
        self._table = with_labels(self._labels, renamed.columns, len(self))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self._values)

    @property
    def ndim(self) -> int:
        """Always 2: rows and columns."""
        return 2

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self) * len(self._values)

    @property
    def dtypes(self) -> Row:
        """The dtype of each column, by name."""
        return Row({name: column.dtype for name, column in self._values.items()}, "dtypes")

    def keys(self) -> Names:
        """The column names."""
        return self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __getitem__(self, key: Any) -> Any:
        return get_item(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item(self, key, value)

    def __delitem__(self, name: str) -> None:
        self._table = self.drop(columns=[name])._table

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "_table" not in self.__dict__:
            raise AttributeError(name)
        if name in self._values:
            return get_item(self, name)
        if name in DATAFRAME_HINTS:
            raise MissingAttribute.unsupported("DataFrame", name, DATAFRAME_HINTS[name])
        raise MissingAttribute.of("DataFrame", name, [*self._values, *(one for one in dir(type(self)) if not one.startswith("_"))])

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        elif name in self._values:
            set_columns(self, {name: value})
        else:
            raise UnsupportedOperation.of_method("DataFrame", f"{name} = ...", f"Use df[{name!r}] = ... to make a new column.")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in self._values if name.isidentifier())})


Frame._frame_type = DataFrame
