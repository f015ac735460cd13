"""`Groups`: which group each row is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import groups as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run
from fastframe.column.memory import allocate_array
from fastframe.dtypes import DType, Physical
from fastframe.engines.cpu.row_codes import Codes, ColumnCodes, Written, code_view
from fastframe.records import record

FEW_GROUPS = 1 << 10   # of so many the key columns are kept, too
NO_CODE = 0xFFFFFFFF   # of 32-bit codes; narrower ones have all their bits set, too
OPERATION = "key codes"
_FEW_FILLED = 1 << 12

Rows = np.ndarray[Any, np.dtype[np.int32]]
Words = np.ndarray[Any, np.dtype[np.uint64]]


@record(frozen=True, eq=False)
class Digit:
    """Where the values of one key column are in the words of groups: what is needed to write them out again.

    It refers to no column, so that groups can be kept on their key columns.
    """

    dtype: DType
    physical: Physical
    base: int
    step: int
    n_values: int                     # this code is the missing value,
    missing: bool                     # where there may be one
    stride: int
    radix: int                        # 0: all codes that are left
    lut: np.ndarray | None = None     # from codes in key order to those of the dictionary
    dictionary: pa.Array | None = None


@record(frozen=True, eq=False)
class GroupWords:
    """The packed key of each group.

    Attributes
    ----------
    make : callable
        Gives the words, in group order.
    digits : sequence of Digit or None
        One per key column; None where its values are not in the words.
    ascending : bool
        Ascending words are ascending keys.
    """

    make: Callable[[], Words]
    digits: Sequence[Digit | None]
    ascending: bool

    @cached_property
    def words(self) -> Words:
        return self.make()


@record(eq=False)
class Groups:
    """The groups of rows with equal keys.

    Attributes
    ----------
    codes : numpy.ndarray of uint8, uint16 or uint32, or ColumnCodes
        Per row its group, 0 to ``n_groups - 1`` in result order; all bits set where the row is dropped. Read only.
    n_groups : int
    first_rows : numpy.ndarray of int32
        Per group its first row; found when first asked for.
    plan : Plan
        How they were found.
    words : GroupWords or None
        The groups' keys, where the plan made them.
    filled : bool
        Whether every group has a row; it has, in groups of keys.
    """

    codes: Codes
    n_groups: int
    given_first_rows: Rows | None = field(default=None, repr=False)
    plan: Any = None
    words: GroupWords | None = field(default=None, repr=False)
    filled: bool = True
    found: dict[str, Any] = field(default_factory=dict, repr=False)   # shared by copies

    @property
    def first_rows(self) -> Rows:
        if self.given_first_rows is not None:
            return self.given_first_rows
        if "first_rows" not in self.found:
            self.found["first_rows"] = first_rows_of(self.codes, self.n_groups)
        return self.found["first_rows"]

    @property
    def known_first_rows(self) -> Rows | None:
        """`first_rows` if they have been found already."""
        return self.given_first_rows if self.given_first_rows is not None else self.found.get("first_rows")

    @property
    def n_bytes(self) -> int:
        """Bytes of codes that were written, of the groups' words, of their first rows and of their keys where few, made already or not."""
        return int(self.codes.nbytes) + (20 if self.n_groups <= FEW_GROUPS else 12) * self.n_groups

    def shared(self) -> Groups:
        """The same groups for another caller, who may add to them; what is ``found`` is found for all."""
        return Groups(self.codes, self.n_groups, self.given_first_rows, self.plan, self.words, self.filled, self.found)

    @cached_property
    def wide_codes(self) -> np.ndarray[Any, np.dtype[np.uint32]]:
        """``codes`` as uint32, for kernels that know no other; dropped rows are 0xFFFFFFFF."""
        return widened(self.codes)


def code_dtype(n_codes: int) -> np.dtype[Any]:
    """The narrowest dtype for codes below ``n_codes``, with room for the one of all bits set that dropped rows have."""
    return np.dtype(np.uint8 if n_codes < 1 << 8 else np.uint16 if n_codes < 1 << 16 else np.uint32)


def filled(length: int, dtype: Any, byte: int) -> np.ndarray[Any, Any]:
    """New memory, every byte of it ``byte``."""
    if byte == 0 and length <= _FEW_FILLED:   # no bytes are left out: a kernel takes longer to call
        return np.zeros(length, dtype)
    array = allocate_array(length, dtype, OPERATION)
    run(kernels.fill(address_of(array), byte, array), array.nbytes, operation=OPERATION)
    return array


def remapped(codes: Codes, mapping: np.ndarray | None, dtype: Any) -> Written:
    """``mapping[codes]`` (uint32; None: the same codes) in new memory of ``dtype``; codes of all bits set stay so."""
    out = allocate_array(len(codes), dtype, OPERATION)
    far = mapping is not None and len(mapping) > kernels.CACHED_CODES
    address = 0 if mapping is None else address_of(mapping)
    run(kernels.remap(code_view(codes), address, code_view(out), far, (codes, mapping, out)), len(codes), operation=OPERATION)
    return out


def widened(codes: Codes) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The codes as an array of uint32; dropped rows are 0xFFFFFFFF."""
    if isinstance(codes, ColumnCodes):
        return remapped(codes, None, np.uint32) if codes.base else codes.values
    return codes if codes.dtype == np.uint32 else remapped(codes, None, np.uint32)


def first_rows_of(codes: Codes, n_groups: int) -> Rows:
    """Per group its first row."""
    first = np.full(n_groups, kernels.NEVER, np.int32)
    task = kernels.first_rows(code_view(codes), address_of(first), n_groups, (codes, first))
    run(task, len(codes), operation=OPERATION)
    return first
