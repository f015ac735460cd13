"""Groups of keys whose packed words are small: the words are codes, made dense where some do not occur."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from fastframe._kernels import groups as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import Physical
from fastframe.engines.cpu.groups import OPERATION, Words, code_dtype
from fastframe.engines.cpu.key_parts import KeyPart, n_codes, pack
from fastframe.engines.cpu.row_codes import Codes, ColumnCodes, code_view

_FOUR_BYTES = (Physical.I32, Physical.U32)


class Found(NamedTuple):
    """Dense codes of rows in the order of the plan, how many groups there are, and how to get their packed words."""

    codes: Codes
    n_groups: int
    words: Callable[[], Words]


def group_directly(parts: Sequence[KeyPart], n_rows: int) -> Found:
    """Groups in the order of their words: one pass, and a second one over the codes where some do not occur."""
    size = n_codes(parts)
    n_cells = -(-size // 64)
    present = np.zeros(n_cells, np.uint64)
    if size % 64:
        present[-1] = np.uint64(2**64 - (1 << size % 64))   # nobody looks for bits behind the last code
    dtype = code_dtype(size)
    held = _held_codes(parts) if dtype == np.uint32 else None
    written = allocate_array(n_rows, dtype, OPERATION) if held is None else None
    out = {"present": present} if written is None else {"present": present, "codes": written}
    pack(parts, n_rows, wide=False, **out)
    codes: Codes | None = held if written is None else written
    assert codes is not None
    ranks = np.empty(n_cells + 1, np.uint32)
    run(kernels.count(address_of(present), size, address_of(ranks), (present, ranks)), n_cells, n_cells, operation=OPERATION)
    n_groups = int(ranks[-1])
    if n_groups == size:
        return Found(codes, size, lambda: np.arange(size, dtype=np.uint64))
    narrow = code_dtype(n_groups)
    dense: Codes = written if written is not None and narrow == dtype else allocate_array(n_rows, narrow, OPERATION)
    given = (address_of(present), size, address_of(ranks))
    run(kernels.rank(given, code_view(codes), code_view(dense), (present, ranks, codes, dense)), n_rows, operation=OPERATION)

    def words() -> Words:
        listed = np.empty(n_groups, np.uint64)
        run(kernels.listed(*given, address_of(listed), (present, ranks, listed)), n_cells, operation=OPERATION)
        return listed

    return Found(dense, n_groups, words)


def _held_codes(parts: Sequence[KeyPart]) -> ColumnCodes | None:
    """The values of a single column of four bytes, where they are codes but for the smallest of them."""
    part = parts[0]
    if len(parts) > 1 or part.missing or part.lut is not None or part.step > 1 or part.check:
        return None
    column = part.keep[0] if isinstance(part.keep, tuple) else part.keep
    if part.physical not in _FOUR_BYTES or not isinstance(column, Column) or not column.owned:
        return None
    array = column.codes if column.is_encoded else column.array
    # Not to_numpy: pyarrow imports pandas for that, half a second in a fresh process.
    return ColumnCodes(np.frombuffer(array.buffers()[1], np.uint32, len(array), 4 * array.offset), part.base % 2**32)
