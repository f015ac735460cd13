"""How each aggregation takes rows: from a column and group codes to the fields of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.plain import array_of, numpy_of
from fastframe.dtypes import UINT32, Kind, Physical
from fastframe.engines.cpu.accumulate import Codes, Operand, Operation, accumulate, all_rows, operand
from fastframe.engines.cpu.comparable import comparable, present, truth
from fastframe.engines.cpu.take import take
from fastframe.ops.aggregations import AggregationCall

Fields = dict[str, Column]
Update = Callable[[AggregationCall, Column, "Codes | None", int], Fields]
Rows = np.ndarray[Any, np.dtype[np.int32]]


def missing_counts(column: Column, codes: Codes | None, n_groups: int) -> Column:
    """Missing values of each group."""
    given = operand(present(column), codes, n_groups)
    rows, values = (numpy_of(accumulate(Operation.COUNT, one)[0].array) for one in (all_rows(given), given))
    return Column(array_of(rows - values))


def first_rows(operation: Operation, given: Operand) -> Rows:
    """The row that an operation of positions chooses in each group; -1 where there is none."""
    return numpy_of(accumulate(operation, given)[0].array)


def _size(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    return {"n": accumulate(Operation.COUNT, all_rows(operand(column, codes, n_groups)))[0]}


def _count(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    return {"n": accumulate(Operation.COUNT, operand(present(column), codes, n_groups))[0]}


def _true_and_present(column: Column, codes: Codes | None) -> tuple[int, int] | None:
    """How many of all rows are true, and how many are not missing, by counting bits; None where there are groups or no bools."""
    if codes is not None or column.physical is not Physical.BOOL:
        return None
    return int(column.array.true_count), len(column) - column.null_count


def _sum(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    counted = _true_and_present(column, codes)
    if counted is not None:
        return {"total": Column(pa.array([counted[0]], pa.decimal128(38, 0))), "n": Column(pa.array([counted[1]], pa.int64()))}
    given = operand(present(column), codes, n_groups)
    if given.column.dtype.kind is Kind.DECIMAL:
        return dict(zip(("high", "low", "n"), accumulate(Operation.SUM_DECIMAL, given), strict=True))
    names = ("sum", "n") if given.column.dtype.kind is Kind.FLOAT else ("total", "n")
    return dict(zip(names, accumulate(Operation.SUM, given), strict=True))


def _product(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    given = operand(present(column), codes, n_groups)
    names = ("product", "n") if given.column.dtype.kind is Kind.FLOAT else ("magnitude", "flags", "n")
    return dict(zip(names, accumulate(Operation.PRODUCT, given), strict=True))


def _moments(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    columns = accumulate(Operation.MOMENTS, operand(present(column), codes, n_groups))
    return dict(zip(("n", "mean", "m2"), columns, strict=True))


def _extreme(operation: Operation, of_text: Operation) -> Update:
    def update(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
        if column.dtype.is_text and not column.is_encoded:
            rows = first_rows(of_text, operand(column, codes, n_groups))
            return {"value": take(column, rows, missing=True)}
        key, restore = comparable(column)
        (values,) = accumulate(operation, operand(key, codes, n_groups))
        return {"value": restore(values)}

    return update


def _extreme_row(operation: Operation, of_text: Operation) -> Update:
    """The first row that holds its group's extreme, and the value there."""

    def update(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
        if column.dtype.is_text and not column.is_encoded:
            rows = first_rows(of_text, operand(column, codes, n_groups))
        else:
            key, _ = comparable(column)
            (values,) = accumulate(operation, operand(key, codes, n_groups))
            rows = _first_equal(key, values, codes, n_groups)
        return {"value": take(column, rows, missing=True), "row": Column(pa.array(rows.astype(np.int64), mask=rows < 0))}

    return update


def _first_equal(key: Column, values: Column, codes: Codes | None, n_groups: int) -> Rows:
    """The first row of each group whose key is its group's entry of ``values``; -1 where that is null."""
    import pyarrow.compute as pc

    groups = np.zeros(len(key), np.int32) if codes is None else codes.view(np.int32)
    equal = pc.equal(key.array, take(values, groups, missing=True).array)
    return first_rows(Operation.FIRST, operand(only_true(equal), codes, n_groups))


def only_true(mask: pa.BooleanArray) -> Column:
    """A column whose rows are missing where the mask is not true."""
    import pyarrow.compute as pc

    return Column(pc.if_else(mask, True, pa.scalar(None, pa.bool_())))


def _truth(operation: Operation) -> Update:
    def update(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
        counted = _true_and_present(column, codes)
        if counted is not None:
            n_true, n_present = counted
            return {"value": Column(pa.array([n_true > 0 if operation is Operation.ANY else n_true == n_present]))}
        return {"value": accumulate(operation, operand(truth(column), codes, n_groups))[0]}

    return update


def _position(operation: Operation) -> Update:
    def update(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
        given = operand(present(column), codes, n_groups)
        rows = first_rows(operation, given if call["skipna"] else all_rows(given))
        value = take(column, rows, missing=True)
        return {"value": value if call["skipna"] else _without_nan(value), "seen": Column(pa.array(rows >= 0))}

    return update


def _without_nan(column: Column) -> Column:
    """Null in place of NaN."""
    if column.dtype.kind is not Kind.FLOAT:
        return column
    values = column.array.to_numpy(zero_copy_only=False)
    return Column(pa.array(values, column.dtype.arrow, from_pandas=True))


def _values(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    """The values themselves; whoever finalizes brings those of a group together."""
    groups = np.zeros(len(column), np.uint32) if codes is None else codes
    return {"value": column, "code": Column(pa.Array.from_buffers(pa.uint32(), len(groups), [None, pa.py_buffer(groups)]), UINT32)}


UPDATES: Mapping[str, Update] = {
    "size": _size,
    "count": _count,
    "sum": _sum,
    "product": _product,
    "moments": _moments,
    "min": _extreme(Operation.MIN, Operation.TEXT_MIN),
    "max": _extreme(Operation.MAX, Operation.TEXT_MAX),
    "idxmin": _extreme_row(Operation.MIN, Operation.TEXT_MIN),
    "idxmax": _extreme_row(Operation.MAX, Operation.TEXT_MAX),
    "first": _position(Operation.FIRST),
    "last": _position(Operation.LAST),
    "any": _truth(Operation.ANY),
    "all": _truth(Operation.ALL),
    "values": _values,
}  # fmt: skip
