"""Membership of a column's values in a set of values, by kernels: numbers and times as words, plain text by `TextTables`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import encode as text_kernels
from fastframe._kernels import members as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run
from fastframe.column import Column
from fastframe.column.column import text_view
from fastframe.column.memory import allocate_array, allocate_bits
from fastframe.dtypes import Physical
from fastframe.engines.cpu.results import bits_result

if TYPE_CHECKING:
    from fastframe._kernels.memory import Block
    from fastframe._threads._drive import Task

_NEAR = 1 << 18   # bytes of a table that stays in the second-level cache
_FREE = 4         # places of a hash table per member
_FEWEST_PLACES = 1 << 10   # of 8 bytes, in the first-level cache: a few members are seldom met by chance
_INTEGERS = frozenset({Physical.I8, Physical.I16, Physical.I32, Physical.I64, Physical.U8, Physical.U16, Physical.U32, Physical.U64})
_FLOATS = frozenset({Physical.F32, Physical.F64})
_TEXTS = frozenset({Physical.STR, Physical.LSTR})
_OPERATION = "isin"


def has_kernel(column: Column) -> bool:
    """Whether `member_bits` takes the column."""
    return not column.is_encoded and column.physical in _INTEGERS | _FLOATS | _TEXTS


def member_bits(column: Column, wanted: pa.Array) -> Column:
    """Which values are among ``wanted``, an array of the column's type without nulls and NaN; False where a value is missing."""
    assert column.physical is not None
    out = allocate_bits(len(column), _OPERATION)
    if column.physical in _TEXTS:
        return bits_result(_text_task(column, wanted, out), len(column), out, _OPERATION)
    words = np.unique(_words(wanted, column.physical))
    if kernels.compares_few(column.physical, len(words)):
        task = kernels.few(column.physical, column.view, words.ctypes.data, len(words), out.address, keep_alive=(column, words, out))
        return bits_result(task, len(column), out, _OPERATION)
    if column.physical in _INTEGERS and int(words[-1]) - int(words[0]) < _NEAR:
        table = np.zeros(int(words[-1]) - int(words[0]) + 1, np.uint8)
        table[(words - words[0]).astype(np.int64)] = 1
        task = kernels.near(
            column.physical, column.view, table.ctypes.data, int(words[0]), len(table), out.address, keep_alive=(column, table, out)
        )
        return bits_result(task, len(column), out, _OPERATION)
    empty = _not_among(words)
    places = np.full(max(_FEWEST_PLACES, 1 << (_FREE * len(words) - 1).bit_length()), empty, np.uint64)
    kernels.put(words.ctypes.data, len(words), places.ctypes.data, len(places), empty)
    task = kernels.hashed(
        column.physical, column.view, places.ctypes.data, len(places), empty, out.address, keep_alive=(column, places, out)
    )
    return bits_result(task, len(column), out, _OPERATION)


def _text_task(column: Column, wanted: pa.Array, out: Block) -> Task:
    """Numbers the wanted texts first."""
    tables, codes = text_kernels.TextTables(1), allocate_array(len(wanted), np.uint32, _OPERATION)
    seed = tables.over_rows(text_kernels.SEED, text_view(wanted), address_of(codes), keep=(wanted, codes))
    run(seed, len(wanted), len(wanted), operation=_OPERATION)
    return tables.members(column.text_view, out.address, keep=(column, out))


def _words(wanted: pa.Array, physical: Physical) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Values as the words that kernels compare (``members.hpp``)."""
    narrow = wanted.type.bit_width == 32
    if physical in _FLOATS:
        values = wanted.to_numpy(zero_copy_only=False) + wanted.type.to_pandas_dtype()(0)   # -0.0 is 0.0
        return values.view(np.uint32 if narrow else np.uint64).astype(np.uint64)
    if pa.types.is_temporal(wanted.type):
        wanted = wanted.view(pa.int32() if narrow else pa.int64())
    return wanted.to_numpy(zero_copy_only=False).astype(np.int64 if physical is not Physical.U64 else np.uint64).view(np.uint64)


def _not_among(words: np.ndarray[Any, np.dtype[np.uint64]]) -> int:
    """The smallest word that is none of these, which are unique and ascend."""
    gaps = np.flatnonzero(words != np.arange(len(words), dtype=np.uint64))
    return int(gaps[0]) if len(gaps) else len(words)
