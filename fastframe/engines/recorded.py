"""A spec run under `ff.profile`: what it is called, and the bytes of the columns that it uses and makes.

Bytes count each column once, however often its plan passes over it: they are what any plan has to move. Columns that the
result shares with an input are not counted as made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fastframe._threads import record
from fastframe.column import Column, Table
from fastframe.column.later import LaterColumn
from fastframe.column.range import RangeColumn
from fastframe.ops.apply import Apply, WindowApply
from fastframe.ops.base import Spec
from fastframe.ops.concat import Concat
from fastframe.ops.groups import GroupBy, Output, Reduce, TopK, Window
from fastframe.ops.join import Join
from fastframe.ops.project import Project, Put
from fastframe.ops.rows import Filter, Sort, Take


def recorded(handler: Callable[..., Table], spec: Spec, tables: Sequence[Table]) -> Table:
    """``handler(spec, *tables)``, recorded."""
    with record.operation(type(spec).__name__, detail_of(spec)) as operation:
        result = handler(spec, *tables)
    if operation is not None:
        operation.n_rows = max(table.n_rows for table in tables)
        operation.bytes_written = bytes_made(tables, result)
        operation.bytes_read = bytes_used(spec, tables, result)
    return result


def detail_of(spec: Spec) -> str:
    """Keys and outputs, as a user would name them."""
    match spec:
        case GroupBy() | Window():
            return f"{_outputs(spec.outputs)} by {_names(spec.keys)}" if spec.keys else _outputs(spec.outputs)
        case Reduce():
            return _outputs(spec.outputs)
        case WindowApply():
            return f"{spec.call.name} of windows of {_names(spec.call.columns)}"
        case Apply():
            return f"{spec.call.name} of {_names(spec.call.columns)} by {_names(spec.keys)}"
        case TopK():
            return f"{spec.k} of {_names([spec.column])} by {_names(spec.keys)}"
        case Project():
            return ", ".join(f"{_name(name)} = {_text(expression)}" for name, expression in spec.outputs)
        case Filter():
            return _text(spec.predicate)
        case Sort():
            return f"by {_names(spec.by)}"
        case Join():
            return f"{spec.how} on {_names(spec.left_on)}"
        case Put():
            return _name(spec.column)
    return ""


def _outputs(outputs: Iterable[Output]) -> str:
    shown = ((one.call.name, one.call.options["name"] or one.column) for one in outputs)
    return ", ".join(f"{call} {_name(column)}" if column is not None else call for call, column in shown)


def _names(names: Iterable[str]) -> str:
    return ", ".join(_name(name) for name in names)


def _name(name: str) -> str:
    return "labels" if name.startswith("\0") else name


def _text(expression: Any) -> str:
    return repr(expression).replace("\0", "").replace("\\x00", "")


def bytes_used(spec: Spec, tables: Sequence[Table], result: Table) -> int:
    """Bytes of the columns that the spec reads; of a `Take`, of the rows that it takes."""
    table = tables[0]
    match spec:
        case GroupBy():
            names = {*spec.keys, *_inputs(spec.outputs)}
        case Window() | WindowApply():
            times = {spec.span.on} if spec.span is not None and spec.span.on is not None else set()
            read = spec.call.columns if isinstance(spec, WindowApply) else _inputs(spec.outputs)
            names = {*spec.keys, *spec.carried, *times, *read}
        case Apply():
            names = {*spec.keys, *spec.call.columns}
        case Reduce():
            names = _inputs(spec.outputs)
        case Project():
            names = {name for _, expression in spec.outputs for name in expression.names()}
        case Put():
            return _bytes(table, [spec.column]) + sum(one.nbytes for one in tables[1:])
        case Filter():
            return table.nbytes + (0 if len(tables) == 1 else _bytes(tables[1], spec.predicate.names()))
        case Take():
            return bytes_made(tables, result) + sum(one.nbytes for one in tables[1:])
        case TopK() | Sort() | Join() | Concat():
            return sum(one.nbytes for one in tables)
        case _:
            raise AssertionError(f"what does {type(spec).__name__} read?")
    return _bytes(table, names)


def _inputs(outputs: Iterable[Output]) -> set[str]:
    return {name for one in outputs for name in (one.column, one.other) if name is not None}


def _bytes(table: Table, names: Iterable[str]) -> int:
    return sum(table[name].nbytes for name in names)


def bytes_made(tables: Sequence[Table], result: Table) -> int:
    """Bytes of the result's columns whose memory is not an input's."""
    given = [column for table in tables for column in table.columns.values()]
    shared = {id(column) for column in given}
    buffers = {address for column in given for address in _addresses(column)}
    made = [column for column in result.columns.values() if id(column) not in shared and not _is_later(column)]
    return sum(column.nbytes for column in made if not (_addresses(column) and _addresses(column) <= buffers))


def _is_later(column: Column) -> bool:
    return isinstance(column, LaterColumn) and column.recipe is not None


def _addresses(column: Column) -> set[int]:
    if isinstance(column, RangeColumn) or _is_later(column):   # has no memory until somebody looks
        return set()
    return {buffer.address for buffer in column.array.buffers() if buffer is not None and buffer.size}
