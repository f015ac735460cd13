"""Order of rows, and columns that become labels and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from fastframe.column import Table
from fastframe.errors import ArgumentError, ColumnNotFound, DuplicateColumn, ShapeError, UnsupportedOperation
from fastframe.frame.arguments import whole_number
from fastframe.frame.construct import text_name
from fastframe.frame.core import Frame
from fastframe.frame.getitem import row_values
from fastframe.frame.labels import default_labels, label_key, with_labels
from fastframe.frame.run import Question, run
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.expressions import Call, Col, Lit
from fastframe.ops.groups import GroupBy as GroupBySpec
from fastframe.ops.groups import Output, Reduce
from fastframe.ops.project import Project
from fastframe.ops.rows import Sort

if TYPE_CHECKING:
    from fastframe.frame.groupby import GroupBy
    from fastframe.frame.series import Series


def sorted_frame(
    frame: Any, by: Sequence[str], *, ascending: Any, na_position: str = "last", ignore_index: bool = False, limit: int | None = None
) -> Any:
    """Rows (the first ``limit`` of them) in the order of internal columns ``by``; stable, missing last (or first) in both directions.

    Raises
    ------
    ArgumentError, ShapeError
    """
    if na_position not in ("first", "last"):
        raise ArgumentError.of("sort_values", "na_position", na_position, ("first", "last"))
    ways = list(ascending) if isinstance(ascending, list | tuple) else [ascending] * len(by)
    if len(ways) != len(by):
        raise ShapeError.of_sort(len(ways), len(by))
    spec = Sort(tuple(by), tuple(not way for way in ways), na_position == "first", limit)
    new = frame._with_table(run(spec, frame._table))
    return new._with_table(with_labels(default_labels(len(new)), new._values, len(new)), (None,)) if ignore_index else new


_SIZE = Output("\1n", None, AggregationCall("size"))
_BY_COUNT = {ascending: Question(Sort(("\1n",), (not ascending,))) for ascending in (True, False)}


class Reshape(Frame):
    """What frames and series share."""

    def sort_index(self, *, ascending: bool = True, na_position: str = "last", ignore_index: bool = False) -> Self:
        """Rows in the order of their labels; stable."""
        return sorted_frame(self, self._label_keys, ascending=ascending, na_position=na_position, ignore_index=ignore_index)

    def groupby(
        self, by: Any = None, *, level: Any = None, sort: bool | None = True, dropna: bool = True, as_index: bool = True, observed: bool = True
    ) -> GroupBy:
        """Group rows by the values of columns, series or index levels.

        Parameters
        ----------
        by : str, Series, array, or a list of these
        level : int, str or list, instead of ``by``
        sort : bool or None
            Groups by key (missing last), by first appearance (False), or in any deterministic order, the cheapest (None).
        dropna : bool
            Leave out rows whose key is missing.
        as_index : bool
            Keys become row labels of aggregates, else columns.
        observed : True
            Only categories that occur make groups.

        Raises
        ------
        ColumnNotFound
        """
        from fastframe.frame.groupby import GroupBy

        if not observed:
            raise UnsupportedOperation.of_argument("groupby", "observed", observed, "Join the result to the list of categories.")
        return GroupBy(self, by, sort=sort, dropna=dropna, as_index=as_index, level=level)


class FrameReshape(Reshape):
    """Of a frame."""

    def sort_values(
        self, by: str | Sequence[str], *, ascending: Any = True, na_position: str = "last", ignore_index: bool = False,
        kind: str = "stable", key: Any = None,
    ) -> Self:  # fmt: skip
        """Rows in the order of columns; stable, missing last (or first) in both directions.

        Raises
        ------
        ColumnNotFound, DTypeError

        Examples
        --------
        >>> import fastframe as ff
        >>> ff.DataFrame({"a": [2, None, 1]}).sort_values("a")["a"].tolist()
        [1, 2, None]
        """
        if key is not None:
            raise UnsupportedOperation.of_argument("sort_values", "key", key, "Compute the key as a column first.")
        names = [by] if isinstance(by, str) else list(by)
        if not names:
            raise ArgumentError.because("sort_values", "by names no column", "Pass a column or several, for example by='a'.")
        internal = [self._sort_key(name) for name in names]
        return sorted_frame(self, internal, ascending=ascending, na_position=na_position, ignore_index=ignore_index)

    def _sort_key(self, name: str) -> str:
        if name in self._values:
            return name
        if name in self._label_names:
            return label_key(self._label_names.index(name))
        raise ColumnNotFound.among(name, list(self._values))

    def nlargest(self, n: int, columns: str | Sequence[str]) -> Self:
        """The ``n`` rows with the largest values, largest first; missing ones only where there are too few others."""
        return self._first_rows(n, columns, ascending=False)

    def nsmallest(self, n: int, columns: str | Sequence[str]) -> Self:
        """The ``n`` rows with the smallest values, smallest first; missing ones only where there are too few others."""
        return self._first_rows(n, columns, ascending=True)

    def _first_rows(self, n: int, columns: str | Sequence[str], *, ascending: bool) -> Self:
        names = [columns] if isinstance(columns, str) else list(columns)
        limit = max(whole_number("nsmallest" if ascending else "nlargest", "n", n), 0)
        return sorted_frame(self, [self._sort_key(name) for name in names], ascending=ascending, limit=limit)

    def set_index(self, keys: Any, *, drop: bool = True, append: bool = False) -> Self:
        """Columns (by name) or arrays as row labels.

        Raises
        ------
        ColumnNotFound
        """
        labels = dict(self._labels) if append else {}
        names = list(self._label_names) if append else []
        gone = []
        for one in keys if isinstance(keys, list | tuple) else [keys]:
            named = isinstance(one, str)
            column = Table(self._values, len(self))[one] if named else row_values(self._table, "index", one)
            labels[label_key(len(labels))] = column
            names.append(one if named else getattr(one, "name", None))
            gone += [one] if named and drop else []
        values = {name: column for name, column in self._values.items() if name not in gone}
        return self._with_table(with_labels(labels, values, len(self)), tuple(names))

    def reset_index(self, *, drop: bool = False, names: str | Sequence[str] | None = None) -> Self:
        """Row labels become columns (``index`` or ``level_n`` where they have no name), or are dropped; new labels 0, 1, 2, ...

        Raises
        ------
        DuplicateColumn
        """
        values = self._values
        if not drop:
            given = [names] if isinstance(names, str) else [text_name(one) for one in names] if names is not None else label_column_names(self)
            if len(given) != len(self._labels):
                what = f"{len(given)} names were given for {len(self._labels)} levels of labels"
                raise ArgumentError.because("reset_index", what, "Pass one name per level.")
            clash = [name for name in given if name in values]
            if clash:
                raise DuplicateColumn.of(clash, "Pass names=..., or drop=True.")
            values = {**dict(zip(given, self._labels.values(), strict=True)), **values}
        return self._with_table(with_labels(default_labels(len(self)), values, len(self)), (None,))

    def value_counts(
        self, subset: str | Sequence[str] | None = None, *, normalize: bool = False, sort: bool = True, ascending: bool = False, dropna: bool = True
    ) -> Series:  # fmt: skip
        """How often each combination of values occurs, most frequent first."""
        names = [subset] if isinstance(subset, str) else list(subset) if subset is not None else list(self._values)
        return _counted(self, names, names, normalize=normalize, sort=sort, ascending=ascending, dropna=dropna)


def label_column_names(frame: Frame) -> list[str]:
    """What `reset_index` calls the label columns."""
    single = len(frame._label_names) == 1
    values = frame._values
    plain = "index" if "index" not in values else "level_0"
    return [name if name is not None else plain if single else f"level_{level}" for level, name in enumerate(frame._label_names)]


class SeriesReshape(Reshape):
    """Of a series."""

    def sort_values(self, *, ascending: bool = True, na_position: str = "last", ignore_index: bool = False, kind: str = "stable") -> Self:
        """Values in order; stable, missing last (or first) in both directions."""
        return sorted_frame(self, list(self._values), ascending=ascending, na_position=na_position, ignore_index=ignore_index)

    def nlargest(self, n: int = 5) -> Self:
        """The ``n`` largest values, largest first; missing ones only where there are too few others."""
        return sorted_frame(self, list(self._values), ascending=False, limit=max(whole_number("nlargest", "n", n), 0))

    def nsmallest(self, n: int = 5) -> Self:
        """The ``n`` smallest values, smallest first; missing ones only where there are too few others."""
        return sorted_frame(self, list(self._values), ascending=True, limit=max(whole_number("nsmallest", "n", n), 0))

    def reset_index(self, *, drop: bool = False, name: str | None = None) -> Any:
        """A frame with the labels as columns; with ``drop=True`` the series under labels 0, 1, 2, ..."""
        if drop:
            return self._with_table(with_labels(default_labels(len(self)), self._values, len(self)), (None,))
        return self.to_frame(name).reset_index()  # type: ignore[attr-defined]

    def value_counts(self, *, normalize: bool = False, sort: bool = True, ascending: bool = False, dropna: bool = True) -> Series:
        """How often each value occurs, most frequent first; equal counts in order of appearance.

        >>> import fastframe as ff
        >>> ff.Series(["a", "b", "a"]).value_counts().to_dict()
        {'a': 2, 'b': 1}
        """
        names = (self.name,)  # type: ignore[attr-defined]
        return _counted(self, list(self._values), names, normalize=normalize, sort=sort, ascending=ascending, dropna=dropna)


@lru_cache(maxsize=64)
def _counting(keys: tuple[str, ...], dropna: bool) -> Question:
    """How many rows each combination of keys has."""
    return Question(GroupBySpec(keys, (_SIZE,), False, dropna))


def _counted(
    frame: Any, keys: Sequence[str], names: Sequence[str | None], *, normalize: bool, sort: bool, ascending: bool, dropna: bool
) -> Series:
    from fastframe.frame.series import Series

    counts = _counting(tuple(keys), bool(dropna)).of(frame._table)
    if sort:
        counts = _BY_COUNT[bool(ascending)].of(counts)
    labels = {label_key(level): counts[key] for level, key in enumerate(keys)}
    column = counts["\1n"]
    if normalize:
        total = run(Reduce((Output("n", "n", AggregationCall("sum")),)), Table({"n": column}))["n"].array[0].as_py()
        column = run(Project((("n", Call("truediv", (Col("n"), Lit(total)))),)), Table({"n": column}))["n"]
    return Series._of(labels, column, "proportion" if normalize else "count", tuple(names))
