"""`GroupBy.transform` and `apply`, and what `agg` does with functions of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastframe.column import Column, Table
from fastframe.dtypes import DType
from fastframe.errors import ArgumentError, ExpressionError
from fastframe.frame.calls import aggregation_name
from fastframe.frame.core import Frame
from fastframe.frame.expression import is_expression
from fastframe.frame.function_calls import OwnFunction, is_own
from fastframe.frame.run import run
from fastframe.ops.aggregations import AGGREGATIONS, AggregationCall
from fastframe.ops.apply import RESULT, Apply, FunctionCall
from fastframe.ops.base import unique
from fastframe.ops.groups import Output, Window
from fastframe.ops.windows import WINDOWS
from fastframe.records import record

_ROW_NUMBERS = ("cumcount", "ngroup")   # window functions of the groups alone
SIZE = Output("size", None, AggregationCall("size"))
_CLASH = "Name the results: agg(total=('x', f))."


@record(frozen=True)
class OwnOutput:
    """Result columns of a user's function: ``name`` (None: a result without a name), or with ``prefixed`` the front of several."""

    name: str | None
    call: FunctionCall
    out: tuple[tuple[str | None, DType], ...] | None
    prefixed: bool = False

    def named(self, field: str) -> str | None:
        """What a result is called; ``field`` is "" for a single one."""
        if not field:
            return self.name
        return f"{self.name}_{field}" if self.prefixed else field

    def results(self, found: Table) -> dict[str | None, Column]:
        """The function's results in a spec's table, by the names that users see."""
        return {self.named(name[len(RESULT) :]): column for name, column in found.columns.items() if name.startswith(RESULT)}


def own_outputs(own: OwnFunction, calls: Sequence[FunctionCall], *, one: bool, each: bool = True) -> list[OwnOutput]:
    """The results of some calls, named by their columns: of ``one`` series, or where ``each`` column has a call of its own."""
    names = [call.columns[0] if one or (each and len(call.columns) == 1) else None for call in calls]
    return [OwnOutput(name, call, own.dtypes_out, prefixed=len(calls) > 1) for name, call in zip(names, calls, strict=True)]


class GroupFunctions:
    """Functions by name or of the user's own, for every row or for every group."""

    _frame: Any
    _table: Table
    _chosen: list[str]
    _one: bool
    _keys: list[tuple[str | None, str]]
    _internal_keys: tuple[str, ...]
    _sort: bool | None
    _dropna: bool
    _as_index: bool

    def transform(self, func: str | Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Every row gets its group's aggregate, a function of its neighbours such as ``"cumsum"``, or what a function of yours returns.

        Rows whose key is missing get a missing value unless ``dropna=False``.

        Parameters
        ----------
        func : str or callable
            A function of yours is compiled. It gets a NumPy array per column, of the group's values in row order, and
            returns an array of that length, or one value. One of a single column is called for each chosen column; one of
            several gets the columns that its parameters are called as, or the chosen columns by position.
        *args
            More arguments for a function of yours, after its columns.
        **options
            Of a function by name: its options. Of yours: ``nulls="skip"`` (the default: only rows where all its columns
            have a value; other rows get null), ``"mask"`` (all rows, and a bool array per column behind them) or ``"nan"``;
            ``out=`` its dtype, which is checked; ``engine="python"`` (threads) or ``"python-processes"`` where it cannot be
            compiled. All others are passed on.

        Raises
        ------
        JITError
            A function of yours cannot be compiled; says why, and what to do.
        FunctionError
            It raised; names the group's key. Nothing is changed.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": [1, 2, 1], "v": [1, 2, 3]})
        >>> df.groupby("k")["v"].transform("sum").tolist()
        [4, 2, 4]
        >>> df.groupby("k")["v"].transform(lambda v: v - v.mean()).tolist()
        [-1.0, 0.0, 1.0]
        """
        if is_expression(func):
            raise ExpressionError.of_rows(repr(func))
        if is_own(func):
            return self._transformed(func, args, options)
        return self._transformed_by_name(func, options)

    def apply(self, func: Any, *args: Any, **options: Any) -> Any:
        """What a function of yours returns for each group; parameters as of `transform`. A name works like `agg`.

        Returns
        -------
        One row per group where it returns one value (Series), or a tuple or dict of them (DataFrame); one row per row, under
        the frame's labels, where it returns an array of the group's length.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": ["a", "b", "a"], "x": [1.0, 2.0, 3.0], "w": [1.0, 1.0, 3.0]})
        >>> df.groupby("k").apply(lambda x, w: (x * w).sum() / w.sum()).tolist()
        [2.5, 2.0]
        >>> df.groupby("k")["x"].apply(lambda x: {"low": x.min(), "high": x.max()}).to_dict("list")
        {'low': [1.0, 2.0], 'high': [3.0, 2.0]}
        """
        if not is_own(func):
            return self.size() if aggregation_name(func) == "size" else self.agg(func)   # type: ignore[attr-defined]
        (output,) = self._own_outputs("apply", func, args, options)
        return self._of_shape(self._run_own(output, "apply"), output)

    def _transformed_by_name(self, func: Any, options: Mapping[str, Any]) -> Any:
        if func in _ROW_NUMBERS:
            return self._numbers(self._counted(func, **{"ascending": True, **options}))   # type: ignore[attr-defined]
        if func == "size":
            sizes = self._numbers(run(Window(self._internal_keys, (SIZE,), self._dropna), self._table)["size"])   # type: ignore[attr-defined]
            return sizes.rename(self._series_name(self._chosen[0])) if self._one else sizes   # type: ignore[attr-defined]
        if isinstance(func, str) and func not in WINDOWS and func not in AGGREGATIONS:
            raise ArgumentError.of("transform", "func", func, [*AGGREGATIONS, *WINDOWS])
        return self._window(func, options)   # type: ignore[attr-defined]

    def _transformed(self, func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
        values: dict[Any, Column] = {}
        for output in self._own_outputs("transform", func, args, options):
            values |= self._by_name(self._run_own(output, "transform"), output)
        return self._per_row(values)

    def _own_outputs(self, method: str, func: Any, args: Sequence[Any], options: Mapping[str, Any], chosen: Sequence[str] | None = None) -> list[OwnOutput]:
        """The calls of a function on the chosen columns, named as its results are."""
        own = OwnFunction.of(method, func, args, options)
        schema = {name: column.dtype for name, column in self._frame._values.items()}
        each = method != "apply"
        calls = own.calls(self._chosen if chosen is None else chosen, schema, each=each)
        return own_outputs(own, calls, one=self._one, each=each)

    def _run_own(self, output: OwnOutput, result: str) -> Table:
        shown = tuple([name for name, _ in self._keys])
        spec = Apply(self._internal_keys, output.call, result, output.out, self._sort, self._dropna, shown)
        return run(spec, self._table)

    def _by_name(self, found: Table, output: OwnOutput) -> dict[Any, Column]:
        """The results without the keys, by the names that users see."""
        values = output.results(found)
        return values if self._as_index else {output.call.label if name is None else name: one for name, one in values.items()}

    def _of_shape(self, found: Table, output: OwnOutput) -> Any:
        """The result of `apply`: of groups where the keys came along, else of rows."""
        values = self._by_name(found, output)
        single = len(values) == 1 and output.name in values
        if self._internal_keys[0] in found.columns:
            return self._with_keys(found, values, series=single)   # type: ignore[attr-defined]
        return self._per_row(values)

    def _per_row(self, values: Mapping[Any, Column]) -> Any:
        """One value per row, under the frame's own labels."""
        frame = self._frame
        if self._one or None in values:
            ((name, column),) = values.items()
            shown = None if name is None else self._series_name(name)   # type: ignore[attr-defined]
            return Frame._series_type._of(frame._labels, column, shown, frame._label_names)
        return Frame._frame_type._of(Table.joined(frame._labels, dict(values), len(frame)), frame._label_names)


def check_names(values: Sequence[Mapping[Any, Column]]) -> dict[Any, Column]:
    """The results of several outputs together.

    Raises
    ------
    DuplicateColumn
    """
    unique([str(name) for one in values for name in one], _CLASH)
    return {name: column for one in values for name, column in one.items()}
