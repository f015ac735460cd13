"""How each aggregation takes rows: what it asks of a pass, and how what comes out becomes the fields of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.plain import numpy_of
from fastframe.dtypes import UINT32, Kind, Physical
from fastframe.engines.cpu.accumulate import accumulate, accumulate_all
from fastframe.engines.cpu.comparable import comparable, present, truth
from fastframe.engines.cpu.facts import lies_within, value_range
from fastframe.engines.cpu.groups import widened
from fastframe.engines.cpu.requests import PROOF_ROWS, Operation, Request
from fastframe.engines.cpu.row_codes import Codes
from fastframe.engines.cpu.take import take
from fastframe.ops.aggregations import AggregationCall

Fields = dict[str, Column]
Rows = np.ndarray[Any, np.dtype[np.int32]]

_WIDE = {Physical.I64, Physical.U64}   # integers whose 64-bit totals are checked
_MOST_WORD, _MOST_HALF = 2**64 - 1, 2**32 - 1


class Ask(NamedTuple):
    """What one aggregation of one column (or two) asks of a pass.

    Attributes
    ----------
    request : Request
    fields : callable
        From the columns that come out to the fields of a state, by name.
    by_dtype : bool
        Whether it is the same for every column of the dtype with fewer than `PROOF_ROWS` rows.
    """

    request: Request
    fields: Callable[[list[Column]], Fields]
    by_dtype: bool = False


class Operands(NamedTuple):
    """The columns of an aggregation, and whether rows are in several groups."""

    column: Column
    other: Column | None
    grouped: bool


def _named(*names: str) -> Callable[[list[Column]], Fields]:
    return lambda columns: dict(zip(names, columns, strict=True))


_N = _named("n")


def missing_request(column: Column) -> Request:
    """Missing values of each group."""
    return Request(Operation.MISSING, present(column))


def first_rows(operation: Operation, column: Column, codes: Codes | None, n_groups: int) -> Rows:
    """The row that an operation of positions chooses in each group; -1 where there is none."""
    return numpy_of(accumulate(operation, column, codes, n_groups)[0].array)


# ---- one state in one pass ------------------------------------------------------------------------------------------


def _size(call: AggregationCall, given: Operands) -> Ask:
    return Ask(Request(Operation.COUNT, given.column, all_rows=True), _N)


def _count(call: AggregationCall, given: Operands) -> Ask:
    return Ask(Request(Operation.COUNT, present(given.column)), _N)


def _sum(call: AggregationCall, given: Operands) -> Ask:
    column = present(given.column)
    if column.dtype.kind is Kind.DECIMAL:
        narrow = given.grouped and lies_within(column, 2**63 // max(len(column), 1))
        return Ask(Request(Operation.SUM_NARROW_DECIMAL if narrow else Operation.SUM_DECIMAL, column), _named("high", "low", "n"))
    names = ("sum", "n") if column.dtype.kind is Kind.FLOAT else ("total", "n")
    if column.physical not in _WIDE:
        return Ask(Request(Operation.SUM, column), _named(*names), by_dtype=True)
    if given.grouped and len(column) >= PROOF_ROWS and lies_within(column, 2**63 // len(column)):
        return Ask(Request(Operation.SUM_PROVEN, column), _named(*names))
    return Ask(Request(Operation.SUM, column, wide=Operation.SUM_WIDE), _named(*names), by_dtype=True)


def _product(call: AggregationCall, given: Operands) -> Ask:
    column = present(given.column)
    names = ("product", "n") if column.dtype.kind is Kind.FLOAT else ("magnitude", "flags", "n")
    return Ask(Request(Operation.PRODUCT, column), _named(*names), by_dtype=True)


def _moments(call: AggregationCall, given: Operands) -> Ask:
    column = present(given.column)
    names = _named("n", "mean", "m2")
    smallest, distance = _extent(column)
    if given.grouped and distance is not None and distance * distance * len(column) <= _MOST_WORD:
        return Ask(Request(Operation.MOMENTS_EXACT, column, smallest=smallest), names)
    return Ask(Request(Operation.MOMENTS, column), names, by_dtype=column.dtype.kind is Kind.FLOAT)


def _extent(column: Column) -> tuple[int, int | None]:
    """The smallest value and the distance to the largest; None for floats, and integers beyond int64."""
    if column.dtype.kind is Kind.BOOL:
        return 0, 1
    if column.dtype.kind is Kind.FLOAT:
        return 0, None
    found = value_range(column)
    if found.min is None or found.max is None:
        return 0, 0
    low, high = int(found.min), int(found.max)
    return (low, high - low) if high < 2**63 else (0, None)


def _pair(call: AggregationCall, given: Operands) -> Ask:
    """Integers exactly, in sums of 32 bits where their ranges prove that these suffice, or of 64; else as floats."""
    assert given.other is not None
    x, y = present(given.column), present(given.other)
    names = _named("n", "mean_x", "m2_x", "mean_y", "m2_y", "c")
    (smallest, wide_x), (other_smallest, wide_y) = _extent(x), _extent(y)
    if wide_x is None or wide_y is None or not given.grouped:
        return Ask(Request(Operation.PAIR_MOMENTS, x, y), names)
    most = max(wide_x, wide_y, 1) ** 2 * len(x)
    if most > _MOST_WORD:
        return Ask(Request(Operation.PAIR_MOMENTS, x, y), names)
    operation = Operation.PAIR_PACKED if most <= _MOST_HALF else Operation.PAIR_EXACT
    return Ask(Request(operation, x, y, smallest=smallest, other_smallest=other_smallest), names)


def _extreme(operation: Operation, of_text: Operation) -> Callable[[AggregationCall, Operands], Ask]:
    def ask(call: AggregationCall, given: Operands) -> Ask:
        column = given.column
        if column.dtype.is_text and not column.is_encoded:
            return Ask(Request(of_text, column), lambda found: {"value": take(column, np.asarray(found[0].array), missing=True)})
        key, restore = comparable(column)
        return Ask(Request(operation, key), lambda found: {"value": restore(found[0])}, by_dtype=key is column)

    return ask


def _truth(operation: Operation) -> Callable[[AggregationCall, Operands], Ask]:
    return lambda call, given: Ask(Request(operation, truth(given.column)), _named("value"), by_dtype=not given.column.dtype.is_text)


def _position(operation: Operation) -> Callable[[AggregationCall, Operands], Ask]:
    def ask(call: AggregationCall, given: Operands) -> Ask:
        def fields(found: list[Column]) -> Fields:
            rows = np.asarray(found[0].array)
            value = take(given.column, rows, missing=True)
            return {"value": value if call["skipna"] else _without_nan(value), "seen": Column(pa.array(rows >= 0))}

        return Ask(Request(operation, present(given.column), all_rows=not call["skipna"]), fields)

    return ask


def _without_nan(column: Column) -> Column:
    """Null in place of NaN."""
    if column.dtype.kind is not Kind.FLOAT:
        return column
    values = column.array.to_numpy(zero_copy_only=False)
    return Column(pa.array(values, column.dtype.arrow, from_pandas=True))


ASKS: Mapping[str, Callable[[AggregationCall, Operands], Ask]] = {
    "size": _size,
    "count": _count,
    "sum": _sum,
    "product": _product,
    "moments": _moments,
    "pair": _pair,
    "min": _extreme(Operation.MIN, Operation.TEXT_MIN),
    "max": _extreme(Operation.MAX, Operation.TEXT_MAX),
    "first": _position(Operation.FIRST),
    "last": _position(Operation.LAST),
    "any": _truth(Operation.ANY),
    "all": _truth(Operation.ALL),
}


# ---- more than a pass -----------------------------------------------------------------------------------------------

Update = Callable[[AggregationCall, Column, "Codes | None", int], Fields]


def _extreme_row(operation: Operation, of_text: Operation) -> Update:
    """The first row that holds its group's extreme, and the value there."""

    def update(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
        if column.dtype.is_text and not column.is_encoded:
            rows = first_rows(of_text, column, codes, n_groups)
        else:
            key, _ = comparable(column)
            (values,) = accumulate(operation, key, codes, n_groups)
            rows = _first_equal(key, values, codes, n_groups)
        return {"value": take(column, rows, missing=True), "row": Column(pa.array(rows.astype(np.int64), mask=rows < 0))}

    return update


def _first_equal(key: Column, values: Column, codes: Codes | None, n_groups: int) -> Rows:
    """The first row of each group whose key is its group's entry of ``values``; -1 where that is null."""
    import pyarrow.compute as pc

    groups = np.zeros(len(key), np.int32) if codes is None else widened(codes).view(np.int32)
    equal = pc.equal(key.array, take(values, groups, missing=True).array)
    return first_rows(Operation.FIRST, only_true(equal), codes, n_groups)


def only_true(mask: pa.BooleanArray) -> Column:
    """A column whose rows are missing where the mask is not true."""
    import pyarrow.compute as pc

    return Column(pc.if_else(mask, True, pa.scalar(None, pa.bool_())))


def _values(call: AggregationCall, column: Column, codes: Codes | None, n_groups: int) -> Fields:
    """The values themselves; whoever finalizes brings those of a group together."""
    groups = np.zeros(len(column), np.uint32) if codes is None else widened(codes)
    return {"value": column, "code": Column(pa.Array.from_buffers(pa.uint32(), len(groups), [None, pa.py_buffer(groups)]), UINT32)}


UPDATES: Mapping[str, Update] = {
    "idxmin": _extreme_row(Operation.MIN, Operation.TEXT_MIN),
    "idxmax": _extreme_row(Operation.MAX, Operation.TEXT_MAX),
    "values": _values,
}


def fields_of(call: AggregationCall, given: Operands, codes: Codes | None, n_groups: int, *, missing: bool) -> tuple[Fields, Column | None]:
    """The fields of an aggregation's state over rows; and, where wanted, how many values each group lacks."""
    name = call.aggregation.update
    lacking = [missing_request(given.column)] if missing else []
    if name not in ASKS:
        found = accumulate_all(lacking, codes, n_groups)
        return UPDATES[name](call, given.column, codes, n_groups), found[0][0] if missing else None
    ask = ASKS[name](call, given)
    out, *counts = accumulate_all([ask.request, *lacking], codes, n_groups)
    return ask.fields(out), counts[0][0] if missing else None
