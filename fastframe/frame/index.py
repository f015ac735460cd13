"""`Index`: a read-only look at the row labels, and `Names`, the column names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastframe.column import Column
from fastframe.column.arrow import array_to_arrow, column_from, value_at
from fastframe.column.numpy import column_to_numpy
from fastframe.column.range import RangeColumn
from fastframe.dtypes import DType
from fastframe.errors import OutOfRange, ShapeError


class Index:
    """Row labels of one or several levels.

    >>> import fastframe as ff
    >>> ff.DataFrame({"a": [1, 2]}).index
    Index(range(0, 2))
    """

    def __init__(self, columns: Sequence[Column], names: Sequence[str | None] | None = None) -> None:
        self._columns = list(columns)
        self.names = tuple(names) if names is not None else (None,) * len(self._columns)

    @classmethod
    def parts(cls, labels: Any, n_rows: int) -> tuple[dict[str, Column], tuple[str | None, ...]]:
        """Label columns by their internal names, and the names users see, from an Index, Series, array or list.

        Raises
        ------
        ShapeError
            Where the number of labels is not ``n_rows``.
        """
        if isinstance(labels, Index):
            columns, names = labels._columns, labels.names
        else:
            level_names = getattr(labels, "names", None)
            if level_names is not None and len(level_names) > 1:   # a pandas MultiIndex
                columns = [column_from(labels.get_level_values(level)) for level in range(len(level_names))]
                names = tuple(level_names)
            else:
                if isinstance(labels, range):
                    columns = [RangeColumn(len(labels), labels.start, labels.step)]
                else:
                    columns = [column_from(labels)]
                name = getattr(labels, "name", None)
                names = (None if name is None else str(name),)
        for column in columns:
            if len(column) != n_rows:
                raise ShapeError.of_assignment("index", len(column), n_rows)
        return {f"\0{level}": column for level, column in enumerate(columns)}, names

    @property
    def name(self) -> str | None:
        """The name of the one level; None of several."""
        return self.names[0] if len(self.names) == 1 else None

    @property
    def nlevels(self) -> int:
        """Number of levels."""
        return len(self._columns)

    @property
    def dtype(self) -> DType:
        """The dtype of the (first) level."""
        return self._columns[0].dtype

    @property
    def shape(self) -> tuple[int]:
        """Number of labels, as a tuple."""
        return (len(self),)

    @property
    def values(self) -> np.ndarray[Any, Any]:
        """Labels as NumPy: one level as it is, several as tuples."""
        return self.to_numpy()

    @property
    def is_unique(self) -> bool:
        """Whether no label occurs twice."""
        first = self._columns[0]
        if isinstance(first, RangeColumn) and first.is_range and first.step:
            return True
        return len(set(self.tolist())) == len(self)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, int | np.integer):
            if not -len(self) <= position < len(self):
                raise OutOfRange.of(int(position), len(self))
            values = tuple(value_at(column, int(position) % len(self)) for column in self._columns)
            return values if len(values) > 1 else values[0]
        if isinstance(position, slice):
            start, stop, step = position.indices(len(self))
            if step == 1:
                return Index([column.slice(start, max(0, stop - start)) for column in self._columns], self.names)
        return Index([column_from(column_to_numpy(column)[position]) for column in self._columns], self.names)

    def __contains__(self, label: Any) -> bool:
        return label in set(self.tolist())

    def __eq__(self, other: object) -> Any:
        return np.asarray(self) == np.asarray(other)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        out = self.to_numpy()
        return out.astype(dtype) if dtype is not None else np.array(out) if copy else out

    def equals(self, other: Any) -> bool:
        """Whether the labels are equal, in order."""
        return len(self) == len(other) and self.tolist() == list(other)

    def to_numpy(self) -> np.ndarray[Any, Any]:
        """Labels as NumPy: one level as it is, several as tuples."""
        if self.nlevels == 1:
            return column_to_numpy(self._columns[0])
        out = np.empty(len(self), dtype=object)
        out[:] = self.tolist()
        return out

    def tolist(self) -> list[Any]:
        """Labels as Python values; of several levels tuples."""
        levels = [array_to_arrow(column).to_pylist() for column in self._columns]
        return levels[0] if len(levels) == 1 else list(zip(*levels, strict=True))

    to_list = tolist

    def get_level_values(self, level: int | str) -> Index:
        """One level as an index of its own."""
        position = level if isinstance(level, int) else self.names.index(level)
        return Index([self._columns[position]], (self.names[position],))

    def __repr__(self) -> str:
        first = self._columns[0]
        if self.nlevels == 1 and isinstance(first, RangeColumn) and first.is_range:
            shown = repr(range(first.start, first.start + first.step * len(first), first.step))
        else:
            head = self[: min(len(self), 10)].tolist()
            shown = repr(head)[:-1] + (", ...]" if len(self) > 10 else "]")
            shown += f", dtype={self.dtype}" if self.nlevels == 1 else ""
        names = "" if all(name is None for name in self.names) else f", names={list(self.names)}"
        return f"Index({shown}{names})"


class Names(Sequence[str]):
    """The column names: a sequence with the few methods that libraries expect of ``df.columns``."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, int | np.integer):
            return self._names[int(position)]
        if isinstance(position, slice):
            return Names(self._names[position])
        return Names(np.asarray(self._names, dtype=object)[position].tolist())

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Names | list | tuple | np.ndarray) and len(other) == len(self):
            return np.array([one == two for one, two in zip(self._names, other, strict=True)], dtype=bool)
        return np.array([one == other for one in self._names], dtype=bool)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self._names, dtype=dtype if dtype is not None else object)

    def __repr__(self) -> str:
        return f"Names({self._names!r})"

    @property
    def values(self) -> np.ndarray[Any, Any]:
        """The names as a NumPy array of objects."""
        return np.asarray(self._names, dtype=object)

    def tolist(self) -> list[str]:
        """The names as a list."""
        return list(self._names)

    to_list = tolist

    def equals(self, other: Any) -> bool:
        """Whether the names are equal, in order."""
        return self._names == list(other)

    def get_loc(self, name: str) -> int:
        """The position of a name."""
        return self._names.index(name)

    def isin(self, names: Any) -> np.ndarray[Any, Any]:
        """Whether each name is one of ``names``."""
        wanted = set(names)
        return np.array([name in wanted for name in self._names], dtype=bool)
