"""Sort keys: columns as unsigned fields whose order is the wanted order (``_kernels/sort_keys.hpp``), and digits of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import sort as kernels
from fastframe._kernels.memory import address_of
from fastframe._kernels.sort import SortKeys
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import Kind, Physical
from fastframe.engines.cpu.keys_text import encode_text, ranks
from fastframe.errors import DTypeError

Array = np.ndarray[Any, Any]

OPERATION = "sorting"
ALL_ONES = 2**64 - 1


class FieldPart(IntEnum):
    """What of a value a field holds; keep in step with ``_kernels/sort.hpp``."""

    WHOLE = 0
    HIGH = 1
    LOW = 2
    MISSING = 3


class SortField(NamedTuple):
    """One unsigned field of a sort key, as `SortKeys` takes it: ``(((word ^ flip) - base) >> drop) + bias``."""

    view: tuple[int, int, int, int]
    ranks: int
    physical: int
    part: int
    has_missing: bool
    flip: int
    base: int
    bias: int
    missing: int
    drop: int
    width: int


class WordRange(NamedTuple):
    """Smallest and largest unsigned word of a column's present values, and bits (of the low word) that vary."""

    low: int
    high: int
    varying: int
    n_missing: int


class _Source(NamedTuple):
    """Where a key's words come from: a column as kernels see it, and the ranks of its codes where they have some."""

    column: Column
    physical: Physical
    ranks: Array | None
    range: WordRange


def sort_keys(columns: Sequence[Column], descending: Sequence[bool], nulls_first: bool, *, with_rows: bool) -> SortKeys | None:
    """The fields of all keys, in digits that leave room for a row number or not; None where all rows are equal."""
    sources = [_source(column) for column in columns]
    fields: list[SortField] = []
    for source, down in zip(sources, descending, strict=True):
        if source is not None:
            fields += _fields(source, down, nulls_first)
    return SortKeys(fields, len(columns[0]) if with_rows else 0, sources) if fields else None


def _source(column: Column) -> _Source | None:
    kind = column.dtype.kind
    if kind is Kind.NULL:
        return None
    if kind is Kind.CATEGORY:
        return _Source(column, Physical.U32, None, _code_range(column))
    if column.dtype.is_text:
        encoded = encode_text(column)
        return _Source(encoded, Physical.U32, ranks(encoded), _code_range(encoded))
    if column.dtype == "float16":
        column = Column(column.array.cast(pa.float32()))
    if column.physical is None or kind in (Kind.NESTED, Kind.OTHER):
        raise DTypeError.of_operation(OPERATION, column.dtype)
    return _Source(column, column.physical, None, column.fact("word_range", lambda: _scan_range(column)))


def _code_range(column: Column) -> WordRange:
    return WordRange(0, max(0, len(column.dictionary) - 1), ALL_ONES, column.null_count)


def _scan_range(column: Column) -> WordRange:
    n_rows = len(column)
    physical = column.physical
    assert physical is not None
    ranges = allocate_array(-(-n_rows // SLICE_ROWS) * kernels.RANGE_WORDS, np.uint64, OPERATION).reshape(-1, kernels.RANGE_WORDS)
    has_missing = column.null_count > 0 or column.dtype.kind is Kind.FLOAT
    task = kernels.scan_range(column.view, address_of(ranges), physical=physical, has_missing=has_missing, keep_alive=(column, ranges))
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)
    parts = ranges.tolist()
    low = min([part[0] << 64 | part[1] for part in parts], default=0)
    high = max([part[2] << 64 | part[3] for part in parts], default=0)
    all_and = reduce(and_, [part[4] for part in parts], ALL_ONES)
    all_or = reduce(or_, [part[5] for part in parts], 0)
    return WordRange(low, high, all_or & ~all_and, sum([part[6] for part in parts]))


def _fields(source: _Source, down: bool, nulls_first: bool) -> list[SortField]:
    """The fields of one key, the most significant first; those that are the same in all rows are left out."""
    found, n_rows = source.range, len(source.column)
    if found.n_missing == n_rows:
        return []
    view, ranks = source.column.view, source.ranks.ctypes.data if source.ranks is not None else 0
    has_missing = found.n_missing > 0

    def field(part: FieldPart, low: int, high: int, drop: int, *, marks_missing: bool) -> SortField:
        span = (high - low) >> drop
        marks = marks_missing and has_missing
        missing = 0 if nulls_first or not marks else span + 1
        flip = ALL_ONES if down else 0
        base = ((high if down else low) ^ flip) & ALL_ONES
        width = (span + marks).bit_length()
        return SortField(view, ranks, source.physical, part, has_missing, flip, base, int(marks and nulls_first), missing, drop, width)

    flag = field(FieldPart.MISSING, 0, 0, 0, marks_missing=True)._replace(flip=0, base=0)
    if found.high - found.low > ALL_ONES:
        high_word = field(FieldPart.HIGH, found.low >> 64, found.high >> 64, 0, marks_missing=False)
        fields = [flag, high_word, field(FieldPart.LOW, 0, ALL_ONES, 0, marks_missing=False)]
    elif found.high - found.low == ALL_ONES and has_missing:
        fields = [flag, field(FieldPart.WHOLE, found.low, found.high, 0, marks_missing=False)]
    else:
        drop = (found.varying & -found.varying).bit_length() - 1 if found.varying and found.high >> 64 == found.low >> 64 else 0
        fields = [field(FieldPart.WHOLE, found.low, found.high, drop, marks_missing=True)]
    return [one for one in fields if one.width > 0]


def digits_of(keys: SortKeys, level: int, rows: Array | None, n_rows: int) -> Array:
    """The digits of a level, of some rows or (``rows`` None) of all."""
    digits = allocate_array(n_rows, np.uint64, OPERATION)
    address = rows.ctypes.data if rows is not None else 0
    task = kernels.read_digits(keys, address, digits.ctypes.data, level=level, keep_alive=(rows, digits))
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)
    return digits
