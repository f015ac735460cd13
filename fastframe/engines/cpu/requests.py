"""What an aggregation asks of a pass over the rows: which state, of which columns, and what is to come out."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import pyarrow as pa

from fastframe.column.column import Column, ColumnView
from fastframe.dtypes import BOOL, FLOAT64, INT32, INT64, UINT64, DType, Kind, Physical, dtype
from fastframe.records import record

_UINT8 = dtype("uint8")
TOTAL = dtype(pa.decimal128(38, 0))   # exact totals, as 128-bit integers
_DAY_MS = 24 * 60 * 60 * 1000

PROOF_ROWS = 1 << 16                  # fewer rows are summed before their range is known


class Operation(IntEnum):
    """States of rows; keep in step with ``_kernels/aggregations.hpp``. MISSING is counted beside the states."""

    MISSING = -2
    COUNT = 0
    SUM = 1
    SUM_WIDE = 2
    SUM_DECIMAL = 3
    PRODUCT = 4
    MIN = 5
    MAX = 6
    ANY = 7
    ALL = 8
    MOMENTS = 9
    FIRST = 10
    LAST = 11
    TEXT_MIN = 12
    TEXT_MAX = 13
    SUM_NARROW_DECIMAL = 14
    MOMENTS_EXACT = 15
    PAIR_MOMENTS = 16
    PAIR_EXACT = 17
    PAIR_PACKED = 18
    SUM_PROVEN = 19


COUNTS = {Operation.COUNT, Operation.MISSING}
POSITIONS = {Operation.FIRST, Operation.LAST, Operation.TEXT_MIN, Operation.TEXT_MAX}
EXTREMES = {Operation.MIN, Operation.MAX}
PAIRS = {Operation.PAIR_MOMENTS, Operation.PAIR_EXACT, Operation.PAIR_PACKED}
OWN_COUNT = {Operation.MOMENTS, *PAIRS, *POSITIONS, Operation.ANY, Operation.ALL}   # need not be told how many values there are


class Finalizer(IntEnum):
    """From fields to results; keep in step with ``_kernels/finalize.hpp``."""

    TOTAL = 0
    DECIMAL_TOTAL = 1
    INTEGER_MEAN = 2
    FLOAT_MEAN = 3
    TEMPORAL_MEAN = 4
    DECIMAL_MEAN = 5
    PRODUCT = 6
    VARIANCE = 7
    DEVIATION = 8
    STANDARD_ERROR = 9
    COVARIANCE = 10
    CORRELATION = 11


class Result(NamedTuple):
    """What a finalizer is to make of a state's fields."""

    finalizer: Finalizer
    dtype: DType
    min_count: int = 0
    ddof: int = 0
    unit: int = 1            # what one unit of the column is in units of the result
    poisons: bool = False    # one missing value makes the result null

    @property
    def needs_n(self) -> bool:
        """Whether it matters how many values a group has."""
        totals = (Finalizer.TOTAL, Finalizer.DECIMAL_TOTAL, Finalizer.PRODUCT)
        return self.poisons or self.min_count > 0 or self.finalizer not in totals


def unit(dtype: DType, result: DType) -> int:
    """What one unit of a column is in units of its mean or quantile: days in milliseconds, else 1."""
    return _DAY_MS if dtype.name == "date32" and result.kind is Kind.TIMESTAMP else 1


@record(eq=False)
class Request:
    """One state of one column (or of two), and what comes out of it.

    Attributes
    ----------
    operation : Operation
    column : Column
        Of a dtype that kernels read; of any dtype where only positions and missing values matter.
    other : Column or None
        The second column of a pair.
    all_rows : bool
        Missing values count like any other.
    result : Result or None
        None: the fields of the state come out.
    wide : Operation or None
        The state to start again with where an exact total does not fit.
    smallest, other_smallest : int
        Of the columns, for exact moments.
    """

    operation: Operation
    column: Column
    other: Column | None = None
    all_rows: bool = False
    result: Result | None = None
    wide: Operation | None = None
    smallest: int = 0
    other_smallest: int = 0

    @property
    def fields(self) -> list[DType]:
        """The dtypes of the fields of the state."""
        return state_dtypes(self.operation, self.column.dtype)

    @property
    def missing_matters(self) -> bool:
        """Whether somebody must count what is missing in each group."""
        return self.operation is Operation.MISSING or (self.result is not None and self.result.poisons)


def state_dtypes(operation: Operation, given: DType) -> list[DType]:
    """The dtypes of the fields that an operation emits for a column of dtype ``given``."""
    is_float = given.kind is Kind.FLOAT
    match operation:
        case Operation.COUNT | Operation.MISSING:
            return [INT64]
        case Operation.SUM | Operation.SUM_WIDE | Operation.SUM_PROVEN:
            return [FLOAT64 if is_float else TOTAL, INT64]
        case Operation.SUM_DECIMAL | Operation.SUM_NARROW_DECIMAL:
            return [TOTAL, TOTAL, INT64]
        case Operation.PRODUCT:
            return [FLOAT64, INT64] if is_float else [UINT64, _UINT8, INT64]
        case Operation.MIN | Operation.MAX:
            return [INT32 if given.kind is Kind.CATEGORY else given]
        case Operation.ANY | Operation.ALL:
            return [BOOL]
        case Operation.MOMENTS | Operation.MOMENTS_EXACT:
            return [INT64, FLOAT64, FLOAT64]
        case Operation.PAIR_MOMENTS | Operation.PAIR_EXACT | Operation.PAIR_PACKED:
            return [INT64, *[FLOAT64] * 5]
        case _:
            return [INT32]


class Source(NamedTuple):
    """A column as kernels read it: its physical id (-1: only its validity), its view, and the bytes of its text."""

    physical: int
    view: ColumnView
    text: tuple[int, int] = (0, 0)


def source_of(column: Column) -> Source:
    """A column as kernels read it; of a nested or half-supported dtype only which rows are null."""
    physical = column.physical
    if physical is Physical.STR or physical is Physical.LSTR:
        text = column.text_view
        physical = Physical.LSTR if text.large else Physical.STR
        return Source(physical, ColumnView(text.offsets, text.validity, text.bit_offset, text.length), (text.offsets, text.data))
    if physical is None:
        return Source(-1, column.validity_view)
    return Source(physical, column.view)
