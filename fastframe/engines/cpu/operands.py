"""What handlers of elementwise functions get (`Invocation`), and how their operands reach kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from struct import error as StructError
from struct import pack_into, unpack_from
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from fastframe.column import Column
from fastframe.column.memory import allocate
from fastframe.dtypes import DType, Kind, Physical, is_arrow_text
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.forms import nulls
from fastframe.records import record

KernelOperand = tuple[tuple[int, int, int, int], int, bool]

_NUMBERS = frozenset({Kind.INT, Kind.UINT, Kind.FLOAT})
_PACKED = dict(zip(list(Physical)[: Physical.F64 + 1], "bhiqBHIQfd", strict=True))   # struct's names of the kernels' numbers


class Side(Protocol):
    """What rules of functions ask about one of their operands."""

    @property
    def dtype(self) -> DType: ...
    @property
    def scalar(self) -> bool: ...


@record()   # not frozen, which would take three times as long to make; nobody changes one
class Operand:
    """A column, or (``scalar``) a column of one row that stands for all rows."""

    column: Column
    scalar: bool = False

    @property
    def dtype(self) -> DType:
        return self.column.dtype

    @property
    def is_null(self) -> bool:
        """Whether it is one null for all rows."""
        return self.scalar and self.column.null_count == 1

    @property
    def has_nulls(self) -> bool:
        return not self.scalar and self.column.null_count > 0

    @property
    def kernel_view(self) -> KernelOperand:
        """What ``fastframe._kernels.arithmetic`` takes."""
        physical = self.column.physical
        assert physical is not None
        return self.column.view, int(physical), self.scalar

    @property
    def kernel_type(self) -> tuple[int, bool]:
        """What of `kernel_view` follows from the dtype."""
        physical = self.column.physical
        assert physical is not None
        return int(physical), self.scalar

    @property
    def value(self) -> Any:
        """The value of a scalar, as Python's."""
        block, dtype = self.column.block, self.column.dtype
        if block is not None and dtype.physical is not None and dtype.kind in _NUMBERS:   # pyarrow takes ten times as long
            return unpack_from(_PACKED[dtype.physical], block)[0]
        return self.column.array[0].as_py()

    def cast(self, dtype: DType, *, name: str | None = None) -> Operand:
        """The same values as ``dtype``; `LossyCast` where one would change."""
        return self if self.dtype == dtype else Operand(cast(self.column, dtype, name=name), self.scalar)


@record()
class Invocation:
    """One evaluation of a function.

    Parameters
    ----------
    operation : str
        Name of the row of the function table.
    operands : tuple of Operand
    result : DType
        What `resolve` promised.
    options : mapping
        All options of the function.
    n_rows : int
        Rows of the result: 1 where all operands are scalars.
    name : str or None
        A column that is read, for messages.
    """

    operation: str
    operands: tuple[Operand, ...]
    result: DType
    options: Mapping[str, Any]
    n_rows: int
    name: str | None = None

    def of(self, operation: str, operands: tuple[Operand, ...], result: DType) -> Invocation:
        """Another operation over the same rows."""
        return replace(self, operation=operation, operands=operands, result=result, options={})

    def arrays(self) -> list[pa.Array | pa.Scalar]:
        """The operands as pyarrow's functions take them (at least one array); encoded text is decoded."""
        spread = any(not one.scalar for one in self.operands)
        return [plain_array(one.column)[0] if one.scalar and spread else plain_array(one.column) for one in self.operands]


class Loop(Protocol):
    """A kernel for operands of two types."""

    def over(self, left: Column, right: Column, n_rows: int, name: str | None) -> Column:
        """The results over columns (or scalars) of these types; messages name the column ``name``."""


class Chosen(NamedTuple):
    """The loop that an invocation leads to, and its operands."""

    loop: Loop
    left: Operand
    right: Operand


def is_kernel_number(dtype: DType) -> bool:
    """Whether kernels read the values as numbers."""
    return dtype.kind in _NUMBERS and dtype.physical is not None


def number_row(value: float, dtype: DType) -> Column:
    """A number as a column of one row; pyarrow takes twenty times as long."""
    assert dtype.physical is not None
    block = allocate(dtype.width, "literal")
    pack_into(_PACKED[dtype.physical], block, 0, value)
    return Column.of_block(dtype, 1, block)


def exact_number_row(value: int, dtype: DType) -> Column | None:
    """An integer as a column of one row; None where the dtype has no such value."""
    assert dtype.physical is not None
    code = _PACKED[dtype.physical]
    block = allocate(dtype.width, "literal")
    try:
        pack_into(code, block, 0, value)
    except (StructError, OverflowError):
        return None
    return Column.of_block(dtype, 1, block) if unpack_from(code, block)[0] == value else None


def plain_array(column: Column) -> pa.Array:
    """The Arrow array, encoded text decoded."""
    return column.array.dictionary_decode() if column.is_encoded else column.array


def broadcast(operand: Operand, n_rows: int) -> Column:
    """The operand as a column of ``n_rows``: text as codes of one value, nulls shared, the rest repeated."""
    column = operand.column
    if not operand.scalar or n_rows == 1:
        return column
    if operand.is_null:
        return nulls(column.dtype, n_rows)
    if is_arrow_text(column.array.type):
        codes = pa.repeat(pa.scalar(0, pa.int32()), n_rows)
        return Column(pa.DictionaryArray.from_arrays(codes, column.array, safe=False), column.dtype)
    if column.is_encoded:
        codes = pa.repeat(column.codes[0], n_rows)
        return Column(pa.DictionaryArray.from_arrays(codes, column.dictionary, ordered=column.array.type.ordered, safe=False), column.dtype)
    return Column(pa.repeat(column.array[0], n_rows), column.dtype)
