"""`Column`: one contiguous, immutable Arrow array and its dtype, with facts computed once and kept.

Kernels see a column as `Column.view`: ``(values, validity, bit_offset, length)``, addresses as ints. A string column is
held plain (offsets and bytes) or dictionary-encoded (int32 codes and a dictionary of unique, non-null values),
whichever came in or was already paid for; both are of dtype ``string``. A ``category`` is always encoded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pyarrow as pa

from fastframe import dtypes
from fastframe._kernels.memory import Block
from fastframe.column.memory import as_buffer
from fastframe.dtypes import DType, Kind, Physical

_UNKNOWN = object()
publishing = threading.Lock()   # facts are published one at a time; one lock for all columns: it is held for nothing else


class ColumnView(NamedTuple):
    """What a kernel gets: see ``_kernels/kernel.hpp::View``. ``validity`` is 0 where no value is null."""

    values: int
    validity: int
    bit_offset: int
    length: int


class TextView(NamedTuple):
    """Plain text as kernels see it: ``offsets`` at row 0 (int32, or int64 where ``large``), ``data`` at byte 0."""

    offsets: int
    data: int
    validity: int
    bit_offset: int
    length: int
    large: bool


class Facts(dict[Any, Any]):
    """What is known of a column's values, by name; identity, not contents, tells two of them apart."""

    __slots__ = ("__weakref__",)
    __hash__ = object.__hash__   # type: ignore[assignment]
    __eq__ = object.__eq__   # type: ignore[assignment]
    __ne__ = object.__ne__   # type: ignore[assignment]


class Column:
    """One contiguous Arrow array (never chunked, never changed) and its dtype.

    Parameters
    ----------
    array : pyarrow.Array
        Trusted and normalised; use ``column.arrow.column_from_arrow`` for anything from outside.
    dtype : DType, optional
        Needed only where a dictionary array is an encoded ``string`` rather than a ``category``.
    owned : bool
        False where somebody else may still write to the memory (``copy=False`` intake): then no fact is kept.
    """

    __slots__ = ("dtype", "length", "owned", "is_encoded", "_array", "_memory", "facts", "_view")

    is_encoded: bool
    """Whether values are int32 codes into a dictionary."""
    _memory: Block | None   # of a column that is no Arrow array yet

    def __init__(self, array: pa.Array, dtype: DType | None = None, *, owned: bool = True) -> None:
        self._array: pa.Array | None = array
        self.is_encoded = isinstance(array, pa.DictionaryArray)
        self._prepare(dtype if dtype is not None else dtypes.from_arrow(array.type), len(array), owned=owned)

    def _prepare(self, dtype: DType, length: int, *, owned: bool = True) -> None:
        self.dtype, self.length, self.owned = dtype, length, owned
        self.facts = Facts()
        self._view: ColumnView | None = None
        self._memory = None

    @classmethod
    def of_block(cls, dtype: DType, length: int, values: Block) -> Column:
        """A column without nulls over memory that kernels filled; it becomes an Arrow array when somebody asks."""
        column = object.__new__(cls)
        column.dtype, column.length, column.owned, column.is_encoded = dtype, length, True, False
        column._array, column._memory, column._view, column.facts = None, values, None, Facts()
        return column

    @property
    def array(self) -> pa.Array:
        """The Arrow array."""
        if self._array is None:
            self._array = self._made()
        return self._array

    @property
    def in_memory(self) -> bool:
        """Whether there are values; else they are computed when somebody looks at them."""
        return True

    @property
    def block(self) -> Block | None:
        """The memory of the values, of a column that was made by `of_block`."""
        return self._memory

    def _made(self) -> pa.Array:
        assert self._memory is not None
        return pa.Array.from_buffers(self.dtype.arrow, self.length, [None, as_buffer(self._memory)], 0)

    def __len__(self) -> int:
        return self.length

    def __repr__(self) -> str:
        return f"Column({self.dtype}, {len(self)} rows, {self.null_count} null)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (_compact(self.array), self.dtype.arrow if self.is_encoded_text else None)

    @property
    def null_count(self) -> int:
        return int(self._array.null_count) if self._array is not None else 0

    @property
    def nbytes(self) -> int:
        """Bytes of the rows of this column (not of a parent that it may be a slice of)."""
        if self._array is None:
            return (self.length * self.dtype.arrow.bit_width + 7) // 8
        return int(self.fact("nbytes", self._count_bytes))

    def _count_bytes(self) -> int:
        return int(self.array.nbytes)

    @property
    def is_encoded_text(self) -> bool:
        return self.is_encoded and self.dtype.kind is not Kind.CATEGORY

    @property
    def codes(self) -> pa.Int32Array:
        """The int32 codes of an encoded column; null where the value is."""
        return self.array.indices

    @property
    def dictionary(self) -> pa.Array:
        """The unique, non-null values of an encoded column, in code order."""
        return self.array.dictionary

    @property
    def physical(self) -> Physical | None:
        """How kernels see `view`: for an encoded column, the codes' int32."""
        return Physical.I32 if self.is_encoded else self.dtype.physical

    @property
    def view(self) -> ColumnView:
        """Addresses for kernels; the column must outlive their use. Not for plain text (see `text_view`)."""
        if self._view is None:
            self._view = self._viewed()
        return self._view

    def _viewed(self) -> ColumnView:
        if self._memory is not None:
            return ColumnView(self._memory.address, 0, 0, self.length)
        return _view_of(self.codes if self.is_encoded else self.array)

    @property
    def text_view(self) -> TextView:
        """Addresses of plain string or binary values."""
        return text_view(self.array)

    @property
    def validity_view(self) -> ColumnView:
        """Like `view`, for any dtype, with ``values`` 0: just which rows are null."""
        if not self.null_count:
            return ColumnView(0, 0, 0, self.length)
        array = self.array
        validity = array.buffers()[0]
        return ColumnView(0, validity.address if validity is not None else 0, array.offset, len(array))

    def slice(self, start: int, length: int) -> Column:
        """Rows ``start`` to ``start + length``, sharing memory."""
        column = object.__new__(Column)
        column._array, column.is_encoded = self.array.slice(start, length), self.is_encoded
        column._prepare(self.dtype, len(column._array), owned=self.owned)
        return column

    def fact(self, name: str, compute: Callable[[], Any]) -> Any:
        """A fact of the values, computed at most once (never kept where the memory is not ours)."""
        value = self.facts.get(name, _UNKNOWN)
        if value is not _UNKNOWN:
            return value
        value = compute()
        if not self.owned:
            return value
        with publishing:
            return self.facts.setdefault(name, value)

    def known(self, name: str) -> Any:
        """A fact if it is already known, else None."""
        return self.facts.get(name)

    def drop_facts(self) -> None:
        """Forget what was computed (memory is short)."""
        with publishing:
            self.facts = Facts()


def _view_of(array: pa.Array) -> ColumnView:
    buffers = array.buffers()
    validity = buffers[0].address if buffers[0] is not None and array.null_count else 0
    values = buffers[1].address if len(buffers) > 1 and buffers[1] is not None else 0
    width = 0 if pa.types.is_boolean(array.type) else array.type.bit_width // 8
    return ColumnView(values + array.offset * width if values else 0, validity, array.offset, len(array))


def text_view(array: pa.Array) -> TextView:
    """Addresses of a plain string or binary Arrow array."""
    large = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    validity, offsets, data = array.buffers()
    return TextView(
        (offsets.address if offsets is not None else 0) + array.offset * (8 if large else 4),
        data.address if data is not None else 0,
        validity.address if validity is not None and array.null_count else 0,
        array.offset,
        len(array),
        large,
    )


def column_from_buffers(dtype: DType, length: int, values: Block, validity: Block | None = None, null_count: int = -1) -> Column:
    """A column of a fixed-width (or bool) dtype over memory that kernels filled.

    ``null_count`` -1: not counted yet; a validity without nulls is dropped.
    """
    if validity is not None and null_count < 0:
        null_count = length - validity.count_ones(length)
    if validity is None or null_count == 0:
        return Column.of_block(dtype, length, values)
    return Column(array_from_buffers(dtype.arrow, length, values, validity, null_count), dtype)


def array_from_buffers(arrow: pa.DataType, length: int, values: Block, validity: Block | None, null_count: int = -1) -> pa.Array:
    """The Arrow array behind `column_from_buffers`."""
    if validity is None or null_count == 0:
        return pa.Array.from_buffers(arrow, length, [None, as_buffer(values)], 0)
    array = pa.Array.from_buffers(arrow, length, [as_buffer(validity), as_buffer(values)], null_count)
    if array.null_count == 0:
        return pa.Array.from_buffers(arrow, length, [None, as_buffer(values)], 0)
    return array


def encoded_column(codes: pa.Int32Array, dictionary: pa.Array, dtype: DType, *, ordered: bool = False) -> Column:
    """A dictionary-encoded column from trusted int32 codes and unique, non-null values."""
    array = pa.DictionaryArray.from_arrays(codes, dictionary, ordered=ordered, safe=False)
    return Column(array, dtype if dtype.kind is not Kind.CATEGORY else dtypes.from_arrow(array.type))


def _compact(array: pa.Array) -> pa.Array:
    """The array without the rest of the parent that it may be a slice of (pyarrow pickles whole buffers)."""
    parent = array.buffers()
    held = sum(buffer.size for buffer in parent if buffer is not None)
    if array.offset == 0 and held <= array.nbytes + 1024:
        return array
    return pa.concat_arrays([array, array.slice(0, 0)]) if not isinstance(array, pa.NullArray) else array


def _unpickle(array: pa.Array, text: pa.DataType | None) -> Column:
    """``text`` is the dtype of a dictionary array that is only an encoding of it."""
    return Column(array, dtypes.from_arrow(text) if text is not None else None)
