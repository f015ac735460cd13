"""Choosing and changing rows and columns."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fastframe import dtypes
from fastframe.column import Table
from fastframe.column.arrow import array_to_arrow, column_from
from fastframe.column.table import MAX_ROWS
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, DuplicateColumn, ExpressionError, UnsupportedOperation
from fastframe.frame.arguments import whole_number
from fastframe.frame.arithmetic import Operators
from fastframe.frame.computing import computed, filtered, in_batches
from fastframe.frame.construct import listed, text_name
from fastframe.frame.expression import is_expression
from fastframe.frame.getitem import column_series, select_columns, set_columns
from fastframe.frame.labels import default_labels, with_labels
from fastframe.frame.mapping import mapped_series
from fastframe.frame.positions import Selection
from fastframe.frame.row import Row
from fastframe.frame.run import Question, run
from fastframe.ops.expressions import Call, Cast, Col, Lit
from fastframe.ops.groups import GroupBy, Output, Window
from fastframe.ops.join import Join
from fastframe.ops.project import Project
from fastframe.ops.windows import WindowCall

if TYPE_CHECKING:
    from fastframe.frame.dataframe import DataFrame
    from fastframe.frame.expression import Expr
    from fastframe.frame.series import Series


class Selecting(Operators):
    """What frames and series share."""

    def head(self, n: int = 5) -> Self:
        """The first ``n`` rows; all but the last ``-n`` where negative."""
        return self._with_table(Selection(slice=slice(0, whole_number("head", "n", n)).indices(len(self))).of(self._table))

    def tail(self, n: int = 5) -> Self:
        """The last ``n`` rows; all but the first ``-n`` where negative."""
        n = whole_number("tail", "n", n)
        start = max(len(self) - n, 0) if n >= 0 else min(-n, len(self))
        return self._with_table(Selection(slice=(start, len(self), 1)).of(self._table))

    def take(self, indices: int | Sequence[int]) -> Self:
        """Rows by position, negative from the end.

        Raises
        ------
        OutOfRange
        """
        return self.iloc[np.asarray(indices, dtype=np.int64)]  # type: ignore[attr-defined]

    def sample(self, n: int | None = None, *, frac: float | None = None, replace: bool = False, random_state: int | np.random.Generator | None = None) -> Self:
        """Random rows; ``random_state`` is a seed or a NumPy generator."""
        count = _n_drawn(len(self), n, frac)
        if count > len(self) and not replace:
            raise ArgumentError.because("sample", f"{count} rows of {len(self)} were asked for", "Pass replace=True.")
        return self.take(_generator(random_state).choice(len(self), count, replace=replace))

    def copy(self, deep: bool = True) -> Self:
        """A handle of its own; nothing is copied, because tables never change."""
        return self._with_table(self._table)

    def pipe(self, func: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """``func(self, *args, **options)``, for chaining."""
        return func(self, *args, **options)

    def isin(self, values: Any) -> Self:
        """True where a value is one of ``values`` (a list, set, array, Series, or dict by column)."""
        if isinstance(values, Mapping):
            outputs = tuple((name, Call("isin", (Col(name),), (("values", listed(values.get(name, []))),))) for name in self._values)
            return self._run(Project(outputs, keep=True))
        return self._unary("isin", (("values", listed(values)),))

    def add_prefix(self, prefix: str) -> Self:
        """Column names with ``prefix`` before them."""
        values = {prefix + name: column for name, column in self._values.items()}
        return self._with_table(with_labels(self._labels, values, len(self)))


class SeriesSelection(Selecting):
    """Of one column."""

    def between(self, left: Any, right: Any, inclusive: str = "both") -> Self:
        """True where ``left <= value <= right``; ``inclusive`` is both, neither, left or right."""
        if inclusive not in ("both", "neither", "left", "right"):
            raise ArgumentError.of("between", "inclusive", inclusive, ("both", "neither", "left", "right"))
        low = self >= left if inclusive in ("both", "left") else self > left
        high = self <= right if inclusive in ("both", "right") else self < right
        return low & high

    def astype(self, dtype: Any, *, safe: bool = True) -> Self:
        """Values in another dtype.

        Raises
        ------
        LossyCast
            Information would be lost; ``safe=False`` accepts that.
        """
        outputs = tuple((name, Cast(Col(name), dtypes.dtype(dtype), safe)) for name in self._values)
        return self._run(Project(outputs, keep=True))

    def map(self, mapping: Mapping[Any, Any] | Series | Callable[..., Any], na_action: str | None = None, **options: Any) -> Any:
        """Values looked up in a dict or in a series (by its labels), or what a function of yours returns for each.

        Parameters
        ----------
        mapping : dict, Series or callable
            What a dict or series does not have is missing. A function is compiled; it gets one value and returns one.
        na_action : {None, "ignore"}
            As in pandas; a function does not see missing values in either case, unless ``nulls="nan"`` says so.
        **options
            Of a function: as of `DataFrame.map_rows`.

        >>> import fastframe as ff
        >>> ff.Series(["a", "b"]).map({"a": 1}).tolist()
        [1, None]
        >>> ff.Series([1, None, 3]).map(lambda x: x * x if x > 2 else 0).tolist()
        [0, None, 9]
        """
        if callable(mapping):
            return mapped_series(self, mapping, na_action, options)
        if options:
            raise UnsupportedOperation.of_keyword("Series.map", *next(iter(options.items())), ["mapping", "na_action"])
        keys = list(mapping) if isinstance(mapping, Mapping) else mapping.index.tolist()
        new = column_from(list(mapping.values())) if isinstance(mapping, Mapping) else mapping._column
        ((name, column),) = self._values.items()
        if not keys:
            return self._with_table(with_labels(self._labels, {name: column_from([None] * len(self))}, len(self)))
        table = Table({"key": column_from(keys), "new": new})
        found = run(Join(("key",), ("key",), "left", validate="many_to_one"), Table({"key": column}), table)["new"]
        return self._with_table(with_labels(self._labels, {name: found}, len(self)))

    def replace(self, to_replace: Any, value: Any = None) -> Self:
        """Values replaced: one, or several, by one or by as many others, or by a dict."""
        if isinstance(to_replace, Mapping):
            pairs = dict(to_replace)
        else:
            old = list(to_replace) if isinstance(to_replace, list | tuple | np.ndarray) else [to_replace]
            pairs = dict(zip(old, value if isinstance(value, list | tuple | np.ndarray) else [value] * len(old), strict=True))
        ((name, _),) = self._values.items()
        call: Any = Col(name)
        for old, new in pairs.items():
            call = Call("if_else", (Call("eq", (Col(name), Lit(old))), Lit(new), call))
        return self._run(Project(((name, call),), keep=True))

    def rename(self, name: str | None) -> Self:
        """The same series under another name. (Labels: assign ``s.index``.)"""
        if isinstance(name, Mapping) or callable(name):
            raise UnsupportedOperation.of_argument("rename", "index", name, "Give a name, or assign s.index.")
        new = self._with_table(self._table)
        new.name = name  # type: ignore[attr-defined]
        return new

    def drop(self, labels: Any) -> Self:
        """Without the rows of some labels.

        Raises
        ------
        LabelNotFound
        """
        return _without_rows(self, _as_list(labels))

    def drop_duplicates(self, *, keep: str | bool = "first") -> Self:
        """The first (or last) row of each value."""
        return self._with_table(Selection(mask=_kept_once(self, list(self._values), keep)).of(self._table))

    def duplicated(self, *, keep: str | bool = "first") -> Self:
        """True where a value was seen before."""
        return self._with_table(Table.joined(self._labels, {"value": _kept_once(self, list(self._values), keep, rest=True)}, len(self)))

    def unique(self) -> np.ndarray[Any, Any]:
        """The different values in order of appearance, as NumPy; a missing one is there once."""
        series: Any = self
        (name,) = series._values
        found = run(GroupBy((name,), (), sort=False, dropna=False), series._table)
        return type(series)._of(default_labels(found.n_rows), found.columns[name], None).to_numpy()  # type: ignore[no-any-return]

    @property
    def is_unique(self) -> bool:
        """Whether no value occurs twice."""
        return bool(self.nunique(dropna=False) == len(self))  # type: ignore[attr-defined]

    def to_frame(self, name: str | None = None) -> DataFrame:
        """A frame of this one column."""
        from fastframe.frame.dataframe import DataFrame

        series: Any = self
        column_name = text_name(name) if name is not None else series.name if series.name is not None else "0"
        return DataFrame._of(with_labels(self._labels, {column_name: series._column}, len(self)), self._label_names)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of label and value."""
        return zip(self.index.tolist(), self, strict=True)  # type: ignore[call-overload]

    def apply(self, func: Any, *args: Any, **options: Any) -> Any:
        """Not supported: a Python call per value is what fastframe is there to avoid."""
        raise UnsupportedOperation.of_method("Series", "apply", "Use .map(function), which is compiled, arithmetic, .str or .dt.")


class FrameSelection(Selecting):
    """Of a frame."""

    def assign(self, **columns: Any) -> Self:
        """A new frame with columns added or replaced; an expression or a function gets the frame so far.

        Expressions that follow each other and do not need one another are computed in one step.

        >>> import fastframe as ff
        >>> ff.DataFrame({"a": [1, 2]}).assign(b=lambda df: df.a * 2, c=ff.col("b") + 1).c.tolist()
        [3, 5]
        """
        new: Any = self._with_table(self._table)
        for batch in in_batches(columns.items()):
            _assign_batch(new, batch)
        return new

    def rename(
        self, mapper: Mapping[Any, Any] | Callable[..., Any] | None = None, *, columns: Mapping[Any, Any] | Callable[..., Any] | None = None, index: Any = None,
        axis: int | str | None = None,
    ) -> Self:  # fmt: skip
        """Columns under other names, by a dict or a function of the name.

        Raises
        ------
        DuplicateColumn
        """
        if index is not None or (mapper is not None and axis not in (1, "columns")):
            raise UnsupportedOperation.of_argument("rename", "index", mapper if index is None else index, "Use columns=..., or assign df.index.")
        change = columns if columns is not None else mapper
        if change is None:
            raise ArgumentError.because("rename", "no names were given", "Pass columns={'old': 'new'}, or a function of the name.")
        names = [text_name(change(name) if callable(change) else change.get(name, name)) for name in self._values]
        return self._with_table(with_labels(self._labels, Table(self._values, len(self)).rename(names).columns, len(self)))

    def drop(self, labels: Any = None, *, columns: Any = None, index: Any = None, axis: int | str | None = 0, errors: str = "raise") -> Self:
        """Without some columns (``columns=``, or ``axis=1``) or rows (by label).

        Raises
        ------
        ColumnNotFound, LabelNotFound
        """
        if labels is not None:
            columns, index = (labels, index) if axis in (1, "columns") else (columns, labels)
        new: Any = self
        if columns is not None:
            new = new._without([text_name(name) for name in _as_list(columns)], errors)
        return _without_rows(new, _as_list(index)) if index is not None else new._with_table(new._table)

    def _without(self, names: list[str], errors: str) -> Self:
        missing = [name for name in names if name not in self._values]
        if missing and errors == "raise":
            raise ColumnNotFound.all_of(missing, list(self._values))
        return self._with_table(self._table.drop(names))

    def astype(self, dtype: Any, *, safe: bool = True) -> Self:
        """Columns in other dtypes: one for all, or by a dict.

        Raises
        ------
        LossyCast, DTypeError, ColumnNotFound
        """
        chosen = dtype if isinstance(dtype, Mapping) else dict.fromkeys(self._values, dtype)
        outputs = tuple((text_name(name), Cast(Col(text_name(name)), dtypes.dtype(one), safe)) for name, one in chosen.items())
        return self._run(Project(outputs, keep=True))

    def filter(self, items: Expr | Sequence[str] | None = None, *conditions: Any, like: str | None = None, regex: str | None = None) -> DataFrame:
        """Rows where all of some expressions are true; or columns by name: a list, a part of the name, or a pattern.

        Parameters
        ----------
        items : Expr, or list of str
            An expression chooses rows, a list columns.
        *conditions : Expr
            More conditions, beside an expression.
        like, regex : str
            Columns whose names hold this text, or match this pattern.

        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2, 3], "ab": [4, 5, 6]})
        >>> df.filter(ff.col("a") > 1, ff.col("ab") < 6)["a"].tolist(), list(df.filter(like="b"))
        ([2], ['ab'])
        """
        frame: Any = self
        if is_expression(items) or conditions:
            return frame._with_table(filtered(frame._table, _all_of(items, *conditions, like, regex)))  # type: ignore[no-any-return]
        wanted = self._values if items is None else [name for name in dict.fromkeys(map(text_name, items)) if name in self._values]
        names = [name for name in wanted if (like is None or like in name) and (regex is None or re.search(regex, name))]
        return select_columns(frame, names)

    def select_dtypes(self, include: Any = None, exclude: Any = None) -> DataFrame:
        """Columns by dtype or family (``"number"``, ``"datetime"``, ``"category"``, ``"string"``, ``"bool"``)."""
        frame: Any = self
        kept = [name for name, column in self._values.items() if include is None or _is_any(column.dtype, include)]
        names = [name for name in kept if exclude is None or not _is_any(self._values[name].dtype, exclude)]
        return select_columns(frame, names)

    def insert(self, loc: int, column: str, value: Any) -> None:
        """Put a new column at a position.

        Raises
        ------
        DuplicateColumn
        """
        frame: Any = self
        if column in self._values:
            raise DuplicateColumn.of([column], "Use df[name] = ... to replace it.")
        names = list(self._values)
        set_columns(frame, {column: value})
        frame._table = select_columns(frame, [*names[:loc], column, *names[loc:]])._table

    def pop(self, name: str) -> Series:
        """Take a column out of the frame and return it."""
        frame: Any = self
        series = column_series(frame, name)
        frame._table = frame._table.drop([name])
        return series

    def get(self, name: Any, default: Any = None) -> Any:
        """A column (or columns, by a list), or ``default`` where one is not there."""
        try:
            return self[name]  # type: ignore[index]
        except ColumnNotFound:
            return default

    def items(self) -> Iterator[tuple[str, Series]]:
        """Pairs of name and column."""
        return ((name, column_series(self, name)) for name in self._values)  # type: ignore[arg-type]

    def itertuples(self, *, index: bool = True, name: str | None = "Row") -> Iterator[Any]:
        """Rows as named tuples. Slow, as in pandas: prefer whole columns."""
        from collections import namedtuple

        columns = ([self.index.tolist()] if index else []) + [array_to_arrow(column).to_pylist() for column in self._values.values()]
        names = (["Index"] if index else []) + list(self._values)
        make = namedtuple(name, names, rename=True) if name else lambda *values: values  # type: ignore[misc]
        return (make(*values) for values in zip(*columns, strict=True))

    def iterrows(self) -> Iterator[tuple[Any, Row]]:
        """Pairs of label and row. Slow, as in pandas: prefer whole columns."""
        rows = self.itertuples(index=True, name=None)
        return ((values[0], Row(dict(zip(self._values, values[1:], strict=True)), values[0])) for values in rows)

    def drop_duplicates(self, subset: str | Sequence[str] | None = None, *, keep: str | bool = "first", ignore_index: bool = False) -> Self:
        """The first (or last) row of each combination of values."""
        names = _as_list(subset) if subset is not None else list(self._values)
        new = self._with_table(Selection(mask=_kept_once(self, names, keep)).of(self._table))
        return new.reset_index(drop=True) if ignore_index else new  # type: ignore[attr-defined]

    def duplicated(self, subset: str | Sequence[str] | None = None, *, keep: str | bool = "first") -> Series:
        """True where a combination of values was seen before."""
        from fastframe.frame.series import Series

        names = _as_list(subset) if subset is not None else list(self._values)
        return Series._of(self._labels, _kept_once(self, names, keep, rest=True), None, self._label_names)

    def apply(self, func: Any, *args: Any, **options: Any) -> Any:
        """Not supported: a Python call per row is what fastframe is there to avoid."""
        raise UnsupportedOperation.of_method("DataFrame", "apply", "Use .map_rows(function), which is compiled, or compose columns with arithmetic and where.")


def _assign_batch(frame: Any, batch: Mapping[str, Any]) -> None:
    if is_expression(next(iter(batch.values()))):
        frame._table = frame._table.with_columns(computed(frame._table, batch))
    else:
        set_columns(frame, {name: value(frame) if callable(value) else value for name, value in batch.items()})


def _all_of(*conditions: Any) -> Any:
    """Conditions as one."""
    given = [one for one in conditions if one is not None]
    for one in given:
        if not is_expression(one):
            raise ExpressionError.not_a_condition("filter", one)
    return functools.reduce(lambda one, other: one & other, given)


def _n_drawn(n_rows: int, n: int | None, frac: float | None) -> int:
    """How many rows `sample` draws: one where nothing else is said."""
    if frac is not None and not 0 <= frac < math.inf:
        raise ArgumentError.because("sample", f"frac={frac!r} was given", "Pass a share of 0 or more.")
    count = n if n is not None else round(min(frac * n_rows, MAX_ROWS)) if frac is not None else min(n_rows, 1)
    if count < 0:
        raise ArgumentError.because("sample", f"{count} rows were asked for", "Pass n= of 0 or more.")
    return count


def _generator(random_state: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ArgumentError.because("sample", f"random_state={random_state!r} was given", "Pass an int of 0 or more, or a generator of NumPy.") from None


def _as_list(names: Any) -> list[Any]:
    return [names] if isinstance(names, str) or not hasattr(names, "__iter__") else list(names)


def _without_rows(frame: Any, labels: list[Any]) -> Any:
    keep = np.ones(len(frame), dtype=bool)
    keep[_rows_of(frame, labels)] = False
    return frame._with_table(Selection(mask=column_from(keep)).of(frame._table))


def _rows_of(frame: Any, labels: list[Any]) -> np.ndarray[Any, Any]:
    """All rows with any of some labels, each of which must be there."""
    from fastframe.frame.positions import by_label

    return np.concatenate([by_label(frame, label).row_numbers() for label in labels]) if labels else np.empty(0, np.int32)


_FAMILIES: dict[str, Callable[[dtypes.DType], bool]] = {
    "number": lambda dtype: dtype.is_numeric,
    "datetime": lambda dtype: dtype.kind in (dtypes.Kind.TIMESTAMP, dtypes.Kind.DATE),
    "timedelta": lambda dtype: dtype.kind is dtypes.Kind.DURATION,
    "category": lambda dtype: dtype.kind is dtypes.Kind.CATEGORY,
    "floating": lambda dtype: dtype.kind is dtypes.Kind.FLOAT,
    "integer": lambda dtype: dtype.is_integer,
}


def _is_any(dtype: dtypes.DType, wanted: Any) -> bool:
    for one in wanted if isinstance(wanted, list | tuple | set) else [wanted]:
        name = one if isinstance(one, str) else getattr(one, "__name__", "")
        family = _FAMILIES.get(name)
        if family is not None:
            if family(dtype):
                return True
            continue
        try:
            if dtype == dtypes.dtype(one):
                return True
        except DTypeError:
            raise ArgumentError.of("select_dtypes", "include", one, [*_FAMILIES, "string", "bool", "int64"]) from None
    return False


def _kept_once(frame: Any, names: list[str], keep: Any, *, rest: bool = False) -> Any:
    """A mask of the rows to keep: the first or last of each combination, or (``keep=False``) those that stand alone; or of the ``rest``."""
    if keep not in ("first", "last", False):
        raise ArgumentError.of("drop_duplicates", "keep", keep, ("first", "last", False))
    if not names:
        return column_from(np.full(len(frame), not rest))
    counts, mask = _counted_once(tuple(names), keep, rest)
    return mask.of(counts.of(frame._table)).columns["mask"]


@functools.lru_cache(maxsize=64)
def _counted_once(names: tuple[str, ...], keep: Any, rest: bool) -> tuple[Question, Question]:
    """How many rows of a row's combination lie before it, and after it; and what that says of each row."""
    outputs = tuple(Output(name, None, WindowCall("cumcount", {"ascending": up})) for name, up in (("n", True), ("m", False)))
    wanted = outputs[:1] if keep == "first" else outputs[1:] if keep == "last" else outputs
    tests = [Call("gt" if rest else "eq", (Col(output.name), Lit(0))) for output in wanted]
    mask = tests[0] if len(tests) == 1 else Call("or" if rest else "and", (tests[0], tests[1]))
    return Question(Window(names, wanted, dropna=False)), Question(Project((("mask", mask),)))

