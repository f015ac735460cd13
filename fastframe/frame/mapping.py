"""``df.map_rows`` and ``Series.map`` of a user's function: compiled, and called for single rows."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastframe.column import Column, Table
from fastframe.dtypes import Kind, dtype
from fastframe.errors import ArgumentError, ColumnNotFound, RowFunctionError
from fastframe.frame.construct import text_name
from fastframe.frame.core import Frame
from fastframe.frame.run import run
from fastframe.ops.expressions import Cast, Col
from fastframe.ops.mapped import CODED, Mapped, RowFunction, declared_out
from fastframe.ops.project import Project

_RESULT = "\1result{}"
_SETTINGS = ("nulls", "engine", "out")


class FrameMapping(Frame):
    """A function of the values of a row."""

    def map_rows(self, func: Any, columns: Sequence[str] | None = None, *args: Any, **options: Any) -> Any:
        """What a function of yours returns for each row; it is compiled, and runs on all cores.

        Parameters
        ----------
        func : callable
            It gets one value per column (a number, a bool, a ``datetime64``), then the other arguments. It returns one
            value, or a tuple, named tuple or dict of several. None is null.
        columns : list of str, optional
            What it gets, by position. Without them, its leading parameters are the columns of those names.
        *args
            More arguments, after the columns; arguments by name are passed on, too.
        **options
            ``nulls="skip"`` (the default: not called where a column is missing, the result is null), ``"nan"`` (NaN instead;
            of float columns) or ``"mask"`` (called always; as many bools follow the values, True where one is present).
            ``out=`` a dtype, or names and dtypes: what it has to return. ``engine="python"`` calls it without compiling, one
            row after the other, for what cannot be compiled, such as text; several results then need ``out=``.

        Returns
        -------
        Series, or for several values per row DataFrame, with the frame's labels. Integers stay integers, bools bools.

        Raises
        ------
        JITError
            It cannot be compiled; says why, and what to do.
        RowFunctionError
            It raised; names the row. Nothing is changed.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"low": [1, 5, None], "high": [4.0, 2.0, 3.0]})
        >>> df.map_rows(lambda low, high: high - low if high > low else 0.0).tolist()
        [3.0, 0.0, None]
        >>> df.map_rows(lambda a: {"half": a / 2, "even": a % 2 == 0}, ["low"]).to_dict("list")
        {'half': [0.5, 2.5, None], 'even': [False, False, None]}
        """
        call = row_function(func, args, options)
        chosen = [text_name(name) for name in columns] if columns is not None else _named_columns(call, list(self._values))
        lost = [name for name in chosen if name not in self._values]
        if lost:
            raise ColumnNotFound.all_of(lost, list(self._values))
        return _framed(self, _results(self._table, call, chosen))


def mapped_series(series: Any, func: Any, na_action: str | None, options: Mapping[str, Any]) -> Any:
    """``Series.map`` of a function.

    Raises
    ------
    ArgumentError, JITError, RowFunctionError
    """
    if na_action not in (None, "ignore"):
        raise ArgumentError.of("map", "na_action", na_action, (None, "ignore"))
    call = row_function(func, (), options)
    results = _results(series._table, call, [next(iter(series._values))])
    if list(results) != [None]:
        raise RowFunctionError.one_result(call.name, list(results))
    return type(series)._of(series._labels, results[None], series.name, series._label_names)


def row_function(func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> RowFunction:
    """The call, with the settings that `ff.jit` fixed where none are given."""
    marked = getattr(func, "__fastframe_function__", None)
    settings = {name: options[name] for name in _SETTINGS if name in options}
    rest = tuple((name, value) for name, value in options.items() if name not in _SETTINGS)
    nulls = settings.get("nulls") or getattr(marked, "nulls", None) or "skip"
    out = declared_out(settings.get("out", getattr(marked, "out", None)))
    return RowFunction(func, tuple(args), rest, nulls, settings.get("engine", "numba"), out)


def _named_columns(call: RowFunction, names: list[str]) -> list[str]:
    """The columns that a function's leading parameters are called as."""
    try:
        parameters = list(inspect.signature(getattr(call.function, "py_func", call.function)).parameters)
    except (TypeError, ValueError):
        parameters = []
    found: list[str] = []
    for parameter in parameters:
        if parameter not in names:
            break
        found.append(parameter)
    if not found:
        raise RowFunctionError.no_columns(call.name, parameters, names)
    return found


def _results(table: Table, call: RowFunction, names: Sequence[str]) -> dict[str | None, Column]:
    """Results by name: None of a single one without a name."""
    args = tuple(Col(name) for name in names)
    if call.engine == "numba" and any(table[name].dtype.kind in CODED for name in names):
        table, call = _of_codes(table, call, names)
    wanted = [name for name, _ in call.results([table[name].dtype for name in names])]
    outputs = tuple((_RESULT.format(place), Mapped(call, args, place)) for place in range(len(wanted)))
    found = list(run(Project(outputs), table).columns.values())
    shown = [str(place) if name is None else name for place, name in enumerate(wanted)] if len(wanted) > 1 else wanted
    return dict(zip(shown, found, strict=True))


def _of_codes(table: Table, call: RowFunction, names: Sequence[str]) -> tuple[Table, RowFunction]:
    """The table with text as categories, and the call with what it returns for them."""
    kinds = [table[name].dtype for name in names]
    call.check(kinds)
    text = tuple((name, Cast(Col(name), dtype("category"))) for name in dict.fromkeys(names) if table[name].dtype.kind is Kind.STRING)
    table = run(Project(text, keep=True), table) if text else table
    kernel, _ = call.kernel(kinds, [table[name].dictionary for name in names if table[name].dtype.kind is Kind.CATEGORY])
    return table, replace(call, found=tuple((one.name, one.dtype) for one in kernel.results))


def _framed(frame: Any, results: Mapping[str | None, Column]) -> Any:
    if list(results) == [None]:
        return Frame._series_type._of(frame._labels, results[None], None, frame._label_names)
    return Frame._frame_type._of(Table.joined(frame._labels, dict(results), len(frame)), frame._label_names)  # type: ignore[arg-type]
