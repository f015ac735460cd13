"""``df.groupby(...)``: keys, then aggregations, transforms and functions of neighbours within groups."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastframe.column import Column, Table
from fastframe.column.arrow import column_from
from fastframe.dtypes import BOOL
from fastframe.engines.base import get_engine
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, LabelNotFound, MissingAttribute, UnsupportedOperation
from fastframe.frame.arguments import explained, whole_number, whole_numbers
from fastframe.frame.calls import aggregation, function_label
from fastframe.frame.columns import mask_rows
from fastframe.frame.computing import computed_column
from fastframe.frame.construct import text_name
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import is_expression
from fastframe.frame.function_calls import is_own
from fastframe.frame.getitem import row_values
from fastframe.frame.group_expressions import aggregated_expressions
from fastframe.frame.group_functions import SIZE, GroupFunctions, OwnOutput, check_names
from fastframe.frame.group_methods import GroupAggregations, GroupWindows
from fastframe.frame.group_pairs import GroupPairs
from fastframe.frame.group_questions import Asked, Groups, asked, asked_of_each
from fastframe.frame.labels import default_labels, has_default_labels, label_key, same_labels
from fastframe.frame.positions import Selection
from fastframe.frame.rolling import HasWindows
from fastframe.frame.run import run
from fastframe.frame.unsupported import GROUPBY_HINTS
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.base import unique
from fastframe.ops.expressions import Call, Col, Lit
from fastframe.ops.groups import GroupBy as GroupBySpec
from fastframe.ops.groups import Output, TopK, Window
from fastframe.ops.literals import is_missing
from fastframe.ops.project import Project
from fastframe.ops.rows import Sort, Take
from fastframe.ops.windows import WINDOWS, WindowCall

if TYPE_CHECKING:
    from fastframe.frame.series import Series
    from fastframe.frame.window_source import WindowSource

_KEY = "\1key{}"   # names of keys that are not columns of the frame


class Explanation(str):
    """Text that shows as it is at a prompt."""

    __slots__ = ()
    __repr__ = str.__str__


@explained
class GroupBy(GroupFunctions, GroupAggregations, GroupPairs, GroupWindows, HasWindows):
    """Groups of rows with equal keys; made by `DataFrame.groupby` and `Series.groupby`.

    Missing keys are left out unless ``dropna=False``; then null and NaN are one group, sorted last.
    """

    def __init__(
        self, frame: Any, by: Any, *, sort: bool | None = True, dropna: bool = True, as_index: bool = True, level: Any = None
    ) -> None:
        if sort not in (True, False, None):
            raise ArgumentError.of("groupby", "sort", sort, (True, False, None))
        self._frame, self._sort, self._dropna, self._as_index = frame, sort, bool(dropna), as_index
        self._keys, extra = _find_keys(frame, by, level)
        self._internal_keys = tuple([internal for _, internal in self._keys])
        self._tuples = isinstance(by if level is None else level, list | tuple)
        self._table: Table = frame._table.with_columns(extra) if extra else frame._table
        self._chosen: list[str] = [name for name in frame._values if name not in self._internal_keys]
        self._one = self._narrowed = is_series(frame)

    def _window_source(self) -> WindowSource:
        from fastframe.frame.window_source import WindowSource

        return WindowSource.of_groups(self)

    def __getitem__(self, names: Any) -> GroupBy:
        """The same groups of one column (by name) or some (by list)."""
        listed = [text_name(name) for name in names] if isinstance(names, list | tuple) else [text_name(names)]
        for name in listed:
            self._known(name)
        new = object.__new__(GroupBy)
        new.__dict__.update(self.__dict__)
        new._chosen, new._one, new._narrowed = listed, not isinstance(names, list | tuple), True
        return new

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._frame._values:
            return self[name]
        if name in GROUPBY_HINTS:
            raise MissingAttribute.unsupported("GroupBy", name, GROUPBY_HINTS[name])
        methods = [one for one in dir(type(self)) if not one.startswith("_")]
        raise MissingAttribute.of("GroupBy", name, [*self._frame._values, *methods])

    def agg(self, func: Any = None, *args: Any, **named: Any) -> Any:
        """Aggregations of each group.

        Parameters
        ----------
        func : str, callable, list of these, or dict of column to one or a list
            A list, or a list in a dict, names its results ``column_function``. A function of yours is compiled; it gets a
            NumPy array per column and returns one value, or a tuple or dict of them (see `transform`).
        *args
            More arguments for a function of yours.
        **named
            ``result=("column", "function")``, ``result=(("x", "y"), function)`` for functions of several columns,
            ``result=(ff.col("x") * ff.col("y")).sum()`` for expressions that aggregate; beside ``func``, its options, such as
            ``ddof=0``, or those of a function of yours (``nulls``, ``out``, ``engine``).

        Returns
        -------
        DataFrame with one row per group, in the order that ``sort`` says; Series for one function of one column.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
        >>> df.groupby("k").agg(total=("v", "sum"), n=("v", "size")).reset_index().to_dict("list")
        {'k': ['a', 'b'], 'total': [4, 2], 'n': [2, 1]}
        >>> df.groupby("k")["v"].agg(lambda v: v.max() - v.min()).tolist()
        [2, 0]
        """
        if is_expression(func) or (func is None and any(map(is_expression, named.values()))):
            return aggregated_expressions(self, func, named)
        if isinstance(func, str) and func == "size" and not named:
            return self.size()
        outputs = self._outputs(func, named, args)
        single = self._one and func is not None and not isinstance(func, list | tuple | Mapping)
        return self._aggregated(outputs, series=single)

    aggregate = agg

    def _outputs(self, func: Any, named: Mapping[str, Any], args: Sequence[Any] = ()) -> list[Output | OwnOutput]:
        if is_own(func):
            return [*self._own_outputs("agg", func, args, named)]
        if func is None and named:
            return [self._named(name, one) for name, one in named.items()]
        if func is None:
            raise ArgumentError.because("agg", "no function was given", "Use agg('sum'), agg({'x': 'sum'}) or agg(total=('x', 'sum')).")
        if isinstance(func, Mapping):
            return [one for column, several in func.items() for one in self._of_column(text_name(column), several, named, prefix=True)]
        return [one for column in self._chosen for one in self._of_column(column, func, named, prefix=not self._one)]

    def _named(self, name: str, one: Any) -> Output | OwnOutput:
        if isinstance(one, tuple) and len(one) == 2 and is_own(one[1]) and isinstance(one[0], tuple | list):
            return self._own_output(name, [self._known(text_name(column)) for column in one[0]], one[1], {})
        if hasattr(one, "aggfunc"):   # pandas.NamedAgg
            return self._output(name, text_name(one.column), one.aggfunc, getattr(one, "kwargs", {}))
        if self._one and not isinstance(one, tuple):
            return self._output(name, self._chosen[0], one, {})
        if not isinstance(one, tuple) or len(one) != 2:
            raise ArgumentError.because("agg", f"{name}={one!r} is not a pair", f"Write {name}=('column', 'function').")
        if isinstance(one[0], tuple) and len(one[0]) == 2:
            first, other = (text_name(column) for column in one[0])
            return replace(cast(Output, self._output(name, first, one[1], {})), other=self._known(other))
        return self._output(name, text_name(one[0]), one[1], {})

    def _of_column(self, column: str, func: Any, options: Mapping[str, Any], *, prefix: bool) -> list[Output | OwnOutput]:
        if not isinstance(func, list | tuple):
            return [self._output(column, column, func, options)]
        names = [f"{column}_{function_label(one)}" if prefix else function_label(one) for one in func]
        return [self._output(name, column, one, options) for name, one in zip(names, func, strict=True)]

    def _output(self, name: str, column: str, func: Any, options: Mapping[str, Any]) -> Output | OwnOutput:
        if is_own(func):
            return self._own_output(name, [self._known(column)], func, options)
        return Output(name, self._known(column), aggregation(func, self._options(column, options)))

    def _own_output(self, name: str, columns: list[str], func: Any, options: Mapping[str, Any]) -> OwnOutput:
        """A function of the user's on the named columns."""
        (output,) = self._own_outputs("apply", func, (), options, columns)
        return replace(output, name=name, prefixed=True)

    def _known(self, column: str) -> str:
        if column not in self._frame._values:
            raise ColumnNotFound.among(column, list(self._frame._values))
        return column

    def _options(self, column: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options of a call, with the name that messages give its column."""
        return {**options, "name": self._series_name(column)}

    def _aggregated(self, outputs: Sequence[Output | OwnOutput], *, series: bool = False, table: Table | None = None) -> Any:
        """Run the aggregations, and put the keys where ``as_index`` says."""
        if len(outputs) > 1:
            unique((str(output.name) for output in outputs), "Name the aggregations: agg(total=('x', 'sum')).")
        ours = [output for output in outputs if isinstance(output, Output)]
        one, given = asked(self._groups, ours), self._table if table is None else table
        if len(ours) == len(outputs):
            return self._answered(one, given, series=series)
        found = one.question.of(given)
        values = self._values_of(one, found)
        by_output = [self._by_name(self._run_own(one, "agg"), one) if isinstance(one, OwnOutput) else {one.name: values[one.name]} for one in outputs]
        named = check_names(by_output)
        return self._with_keys(found, named, series=len(named) == 1 and (series or None in named))

    def _answered(self, one: Asked, table: Table, *, series: bool) -> Any:
        found = one.question.of(table)
        return self._with_keys(found, self._values_of(one, found), series=series)

    def _values_of(self, one: Asked, found: Table) -> dict[Any, Column]:
        return {output.name: self._labelled(output.call, found.columns[name]) for name, output in zip(one.internal, one.outputs)}

    @property
    def _groups(self) -> Groups:
        return Groups(self._internal_keys, self._sort, self._dropna)

    def _with_keys(self, found: Table, values: dict[Any, Column], *, series: bool) -> Any:
        """A result by group, with the keys as labels or columns."""
        if not self._as_index:
            keys = {self._key_column(level): found[key] for level, (_, key) in enumerate(self._keys)}
            unique([*keys, *values], "Name the aggregations: agg(total=('x', 'sum')).")
            return Frame._frame_type._of(Table.joined(default_labels(found.n_rows), {**keys, **values}, found.n_rows))
        labels = {label_key(level): found.columns[key] for level, (_, key) in enumerate(self._keys)}
        names = tuple([name for name, _ in self._keys])
        if series:
            ((name, column),) = values.items()
            return Frame._series_type._of(labels, column, self._series_name(name), names)
        return Frame._frame_type._of(Table.joined(labels, values, found.n_rows), names)

    def _key_column(self, level: int) -> str:
        """What a key is called as a column."""
        name, _ = self._keys[level]
        return name if name is not None else "index" if len(self._keys) == 1 else f"level_{level}"

    def _labelled(self, call: WindowCall | AggregationCall, found: Column) -> Column:
        """The row numbers that ``idxmin`` and ``idxmax`` give, as row labels."""
        if call.name not in ("idxmin", "idxmax") or has_default_labels(self._frame._table):
            return found
        if len(self._frame._labels) > 1:
            raise UnsupportedOperation.of_method("GroupBy", call.name, "Labels of several levels are not one value each: use reset_index() first.")
        rows = column_from(found.array.fill_null(-1).cast("int32"))
        return run(Take(missing=True), Table(self._frame._labels), Table({"row": rows}))[label_key(0)]

    def _series_name(self, name: str) -> str | None:
        return self._frame.name if self._frame._is_series else name

    def _aggregate_all(self, function: str, options: Mapping[str, Any], *, numeric_only: bool = False) -> Any:
        named = tuple([(name, self._series_name(name)) for name in self._aggregated_names(numeric_only=numeric_only)])
        return self._answered(asked_of_each(self._groups, named, function, options), self._table, series=self._one)

    def _aggregated_names(self, *, numeric_only: bool) -> list[str]:
        columns = self._table.columns
        return [name for name in self._chosen if not numeric_only or columns[name].dtype.is_numeric or columns[name].dtype == BOOL]

    def size(self) -> Any:
        """Rows per group, missing values included; with ``as_index=False`` in the column ``size``."""
        sizes = self._aggregated([SIZE], series=self._as_index)
        if is_series(sizes):
            sizes.name = self._series_name(self._chosen[0]) if self._one else None
        return sizes

    def _window(self, function: str, options: Mapping[str, Any]) -> Any:
        """A value for every row, under the frame's own labels."""
        make = WindowCall if function in WINDOWS else aggregation
        calls = {name: make(function, self._options(name, options)) for name in self._chosen}
        outputs = tuple(Output(name, name, call) for name, call in calls.items())
        found = run(Window(self._internal_keys, outputs, self._dropna, self._sort), self._table)
        return self._per_row({name: self._labelled(calls[name], column) for name, column in found.columns.items()})

    def _counted(self, function: str, *, ascending: bool) -> Column:
        call = WindowCall(function, {"ascending": ascending})
        return run(Window(self._internal_keys, (Output("n", None, call),), self._dropna, self._sort), self._table)["n"]

    def _numbers(self, column: Column) -> Series:
        from fastframe.frame.series import Series

        return Series._of(self._frame._labels, column, None, self._frame._label_names)

    def cumcount(self, *, ascending: bool = True) -> Series:
        """Number of each row in its group, from 0 (or down to 0)."""
        return self._numbers(self._counted("cumcount", ascending=ascending))

    def ngroup(self, *, ascending: bool = True) -> Series:
        """Number of each row's group in the order of the groups, from 0 (or down to 0); missing where the key is left out."""
        return self._numbers(self._counted("ngroup", ascending=ascending))

    def head(self, n: int = 5) -> Any:
        """The first ``n`` rows of each group (all but the last ``-n`` where negative), in the frame's order, under its labels."""
        n = whole_number("GroupBy.head", "n", n)
        return self._rows_where("lt" if n >= 0 else "ge", abs(n), from_start=n >= 0)

    def tail(self, n: int = 5) -> Any:
        """The last ``n`` rows of each group (all but the first ``-n`` where negative), in the frame's order, under its labels."""
        n = whole_number("GroupBy.tail", "n", n)
        return self._rows_where("lt" if n >= 0 else "ge", abs(n), from_start=n < 0)

    def nth(self, n: int | Sequence[int]) -> Any:
        """Row ``n`` (or several) of each group, from the end where negative, in the frame's order."""
        wanted = whole_numbers("GroupBy.nth", "n", n)
        ways = dict.fromkeys(one >= 0 for one in wanted)   # from the start, from the end
        numbers = {str(up): self._counted("cumcount", ascending=up) for up in ways}
        equal = [Call("eq", (Col(str(one >= 0)), Lit(one if one >= 0 else -one - 1))) for one in wanted]
        return self._where(functools.reduce(lambda one, other: Call("or", (one, other)), equal), Table(numbers))

    def nlargest(self, n: int = 5) -> Any:
        """The ``n`` largest values of each group, largest first, under the keys and the frame's own labels.

        Equal values come in row order; missing values are left out.

        >>> import fastframe as ff
        >>> ff.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]}).groupby("k")["v"].nlargest(1).tolist()
        [3, 2]
        """
        return self._best(n, largest=True)

    def nsmallest(self, n: int = 5) -> Any:
        """The ``n`` smallest values of each group, smallest first, under the keys and the frame's own labels."""
        return self._best(n, largest=False)

    def _best(self, n: int, *, largest: bool) -> Any:
        from fastframe.frame.series import Series

        if not self._one:
            raise UnsupportedOperation.of_method("GroupBy", "nlargest", "Choose one column: df.groupby(keys)['x'].nlargest(n).")
        n = whole_number("GroupBy.nlargest" if largest else "GroupBy.nsmallest", "n", n)
        (name,) = self._chosen
        needed = Table({key: self._table[key] for key in dict.fromkeys([*self._internal_keys, *self._frame._label_keys, name])})
        found = run(TopK(self._internal_keys, name, n, largest, self._sort, self._dropna), needed)
        under = [*self._internal_keys, *self._frame._label_keys]
        labels = {label_key(level): found[key] for level, key in enumerate(under)}
        names = (*(key for key, _ in self._keys), *self._frame._label_names)
        return Series._of(labels, found[name], self._series_name(name), names)

    def _rows_where(self, comparison: str, n: int, *, from_start: bool) -> Any:
        """Rows whose number in their group compares so with ``n``."""
        return self._where(Call(comparison, (Col("n"), Lit(n))), Table({"n": self._counted("cumcount", ascending=from_start)}))

    def _where(self, condition: Call, numbers: Table) -> Any:
        return self._selected(Selection(mask=run(Project((("mask", condition),)), numbers)["mask"]))

    def _selected(self, rows: Selection) -> Any:
        """Some rows of the frame, or of what was chosen of it."""
        frame = self._frame
        if self._narrowed and not is_series(frame):
            frame = frame[self._chosen[0]] if self._one else frame[self._chosen]
        return frame._with_table(rows.of(frame._table))

    @property
    def ngroups(self) -> int:
        """Number of groups."""
        return len(self._sizes())

    def __len__(self) -> int:
        return self.ngroups

    def _sizes(self) -> Any:
        new = object.__new__(GroupBy)
        new.__dict__.update(self.__dict__)
        new._as_index = True
        return GroupBy.size(new)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of key (a tuple where a list of keys was given) and the frame of its rows, in group order."""
        sizes = self._sizes()
        numbered = Table({"group": self._counted("ngroup", ascending=True), "row": _row_numbers(len(self._frame))})
        rows = run(Sort(("group",), (False,)), numbered)["row"].array.to_numpy()   # rows in no group are last
        start = 0
        for key, size in zip(sizes.index.tolist(), sizes, strict=True):
            yield ((key,) if self._tuples and len(self._keys) == 1 else key), self._selected(Selection(rows=rows[start : start + size]))
            start += size

    @property
    def groups(self) -> dict[Any, Any]:
        """Keys to the row labels of their groups."""
        return {key: rows.index for key, rows in self}

    def pipe(self, func: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """``func(self, *args, **options)``."""
        return func(self, *args, **options)

    def get_group(self, key: Any) -> Any:
        """The rows of one group; ``key`` as iteration gives it.

        Raises
        ------
        LabelNotFound
        """
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) != len(self._keys):
            raise ArgumentError.because("get_group", f"{key!r} has {len(parts)} parts for {len(self._keys)} keys", "Pass a tuple of one value per key.")
        lost = self._dropna and any(_is_missing(part) for part in parts)
        rows = [] if lost else _rows_of_key(self._table, self._internal_keys, parts)
        if not len(rows):
            raise LabelNotFound.of_group(key)
        return self._selected(Selection(rows=rows))

    def explain(self, func: Any = None, **named: Any) -> Explanation:
        """How the groups are found: the plan, the facts that chose it, and the bytes that codes and states take.

        With the arguments of `agg`, the states of those aggregations too. Text keys are encoded for it and the codes kept;
        nothing else is computed but the ranges of the keys and a sample of their rows.

        >>> import fastframe as ff
        >>> ff.DataFrame({"k": [3, 1, 3], "v": [1, 2, 3]}).groupby("k").explain(total=("v", "sum"))
        group by k: 3 rows
          plan    direct: int64 range 3
          why     3 possible keys, at most 65,536 (8 per row)
          order   ascending keys
          codes   at most 3 groups, uint8, 3 bytes; to be found, with 12 bytes of scratch
          states  16 bytes per group, 48 bytes
        """
        asked = self._outputs(func, named) if func is not None or named else []
        outputs = tuple([one for one in asked if isinstance(one, Output)])
        names = [str(self._key_column(level)) for level in range(len(self._keys))]
        spec = GroupBySpec(self._internal_keys, outputs, self._sort, self._dropna)
        return Explanation(get_engine(self._table.engine_name).explain(spec, self._table, names))

    def __repr__(self) -> str:
        names = [name for name, _ in self._keys]
        return f"GroupBy(keys={names}, columns={self._chosen}, sort={self._sort}, dropna={self._dropna})"


def _row_numbers(n_rows: int) -> Column:
    return column_from(np.arange(n_rows, dtype=np.int32))


def _is_missing(value: Any) -> bool:
    return is_missing(value) or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _rows_of_key(table: Table, keys: Sequence[str], parts: Sequence[Any]) -> Any:
    """Row numbers of one group; none where a value is of another kind than its key."""
    wanted: Any = None
    for key, part in zip(keys, parts, strict=True):
        equal = Call("is_missing", (Col(key),)) if _is_missing(part) else Call("eq", (Col(key), Lit(part)))
        wanted = equal if wanted is None else Call("and", (wanted, equal))
    try:
        return mask_rows(run(Project((("mask", wanted),)), table)["mask"])
    except DTypeError:
        return ()


def is_column(frame: Any, series: Any) -> bool:
    """Whether a series is a column of the frame, as in ``df.groupby(df["k"])``: it is then no value to aggregate."""
    name = getattr(series, "name", None)
    return name is not None and frame._values.get(name) is getattr(series, "_column", None) and same_labels(frame._table, series._table)


def frame_level(frame: Any, level: Any) -> int:
    """The number of an index level given by number or name."""
    names = frame._label_names
    if isinstance(level, int) and not isinstance(level, bool):
        if not -len(names) <= level < len(names):
            raise ArgumentError.of("groupby", "level", level, [*range(len(names)), *(one for one in names if one is not None)])
        return level % len(names)
    if not isinstance(level, str) or level not in names:
        raise ArgumentError.of("groupby", "level", level, [*range(len(names)), *(one for one in names if one is not None)])
    return names.index(level)


def _find_keys(frame: Any, by: Any, level: Any) -> tuple[list[tuple[str | None, str]], dict[str, Column]]:
    """Keys as ``(name that users see, name in the table)``, and columns that are not in the frame's table."""
    if level is not None:
        levels = [frame_level(frame, one) for one in (level if isinstance(level, list | tuple) else [level])]
        return [(frame._label_names[one], label_key(one)) for one in levels], {}
    if by is None or (isinstance(by, list | tuple) and not by):
        raise ArgumentError.because("groupby", "no keys were given", "Pass by= or level=.")
    keys: list[tuple[str | None, str]] = []
    extra: dict[str, Column] = {}
    if isinstance(by, str) and not is_series(frame) and by in frame._values:
        return [(by, by)], extra
    for position, one in enumerate(by if isinstance(by, list | tuple) else [by]):
        if not is_series(frame) and isinstance(one, Frame) and is_column(frame, one):
            keys.append((one.name, one.name))
        elif isinstance(one, Frame | np.ndarray):
            internal = _KEY.format(position)
            extra[internal] = row_values(frame._table, f"key {position}", one)
            keys.append((getattr(one, "name", None), internal))
        elif is_expression(one):
            internal = _KEY.format(position)
            extra[internal] = computed_column(frame._table, one)
            keys.append((None, internal))
        elif callable(one):
            raise UnsupportedOperation.of_argument("groupby", "by", one, "Compute the key as a column first.")
        elif not is_series(frame) and text_name(one) in frame._values:
            keys.append((text_name(one), text_name(one)))
        elif one in frame._label_names:
            keys.append((one, label_key(frame._label_names.index(one))))
        else:
            raise ColumnNotFound.among(one, [*frame._values, *(name for name in frame._label_names if name)])
    return keys, extra


