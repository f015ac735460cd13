"""``rolling(...).apply`` and ``expanding(...).apply``: a function of the user's, of the values of each row's window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastframe.column import Table
from fastframe.dtypes import DType
from fastframe.errors import ArgumentError, UnsupportedOperation
from fastframe.frame.core import is_series
from fastframe.frame.function_calls import OwnFunction
from fastframe.frame.group_functions import OwnOutput, check_names, own_outputs
from fastframe.frame.run import run
from fastframe.frame.window_source import WindowSource
from fastframe.ops.apply import WindowApply
from fastframe.ops.rolling import Span

_RAW = "Functions get NumPy arrays, as with raw=True: leave raw out, and write x[0] for x.iloc[0]."
_ENGINE = "Compiled functions run without the GIL on the threads of ff.options: leave it out, or pass engine='python' for the interpreter."
_HARMLESS = {"nopython": (True,), "nogil": (True, False), "parallel": (True, False), "cache": (True, False)}   # change no result


def applied(source: WindowSource, span: Span, func: Any, given: tuple[Sequence[Any], Mapping[str, Any]]) -> Any:
    """The results under the frame's labels, by group under keys and labels; ``given`` is what was passed beside the function.

    Raises
    ------
    ArgumentError, UnsupportedOperation, FunctionArgumentError, JITError, FunctionError
    """
    if not callable(func):
        raise ArgumentError.because("apply", f"{func!r} is no function", "Pass a function of NumPy arrays; a name goes to .agg(name).")
    args, options = _without_pandas_options(*given)
    own = OwnFunction.of("apply", func, args, options)
    source, schema = _named(source)
    calls = own.calls(source.values(numeric_only=False), schema, each=True)
    outputs = own_outputs(own, calls, one=source.one)
    found = [_run(source, span, output, carries=not at) for at, output in enumerate(outputs)]
    values = check_names([output.results(table) for table, output in zip(found, outputs, strict=True)])
    series = len(values) == 1 and (None in values or (source.one and outputs[0].name in values))
    if None in values and source.keys and not source.as_index:   # a column of a frame needs a name
        values = {calls[0].label if name is None else name: column for name, column in values.items()}
    return source.result(found[0], values, series=series)


def _named(source: WindowSource) -> tuple[WindowSource, dict[str, DType]]:
    """The source, and the dtypes of the frame's columns; a series' column as messages call it."""
    frame, columns = source.frame, source.table.columns
    schema = {name: column.dtype for name, column in frame._values.items()}
    if not is_series(frame) or not isinstance(frame.name, str) or frame.name in columns:
        return source, schema
    ((own, dtype),) = schema.items()
    table = Table({frame.name if name == own else name: column for name, column in columns.items()}, source.table.n_rows)
    return replace(source, table=table, names=(frame.name,)), {frame.name: dtype}


def _run(source: WindowSource, span: Span, output: OwnOutput, *, carries: bool) -> Table:
    frame = source.frame
    labels = tuple(zip(frame._label_names, frame._label_keys, strict=True))
    carried = source.carried(frame._label_keys) if carries else ()
    shown = tuple(name for name, _ in source.keys)
    return run(WindowApply(source.internal_keys, output.call, span, output.out, carried, labels, shown=shown, **source.groups), source.table)


def _without_pandas_options(args: Sequence[Any], options: Mapping[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """The function's own arguments, from pandas' ``args=`` and ``kwargs=``, too; ``raw=`` and ``engine_kwargs=`` change nothing, or are refused.

    Raises
    ------
    UnsupportedOperation
    """
    rest = dict(options)
    if rest.pop("raw", None) not in (None, True):
        raise UnsupportedOperation.of_argument("apply", "raw", options["raw"], _RAW)
    engine = rest.pop("engine_kwargs", None) or {}
    for name, value in engine.items():
        if value not in _HARMLESS.get(name, ()):
            raise UnsupportedOperation.of_argument("apply", "engine_kwargs", engine, _ENGINE)
    more = rest.pop("args", None) or ()
    return (*args, *more), {**(rest.pop("kwargs", None) or {}), **rest}
