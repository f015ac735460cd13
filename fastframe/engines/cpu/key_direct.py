"""Groups of keys whose packed words are small: the words are codes, made dense where some do not occur."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from fastframe._kernels import groups as kernels
from fastframe._threads import run
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.groups import OPERATION, Codes, Words, code_dtype, located
from fastframe.engines.cpu.key_parts import KeyPart, n_codes, pack


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
    codes = allocate_array(n_rows, dtype, OPERATION) if held is None else held
    out = {"present": present} if held is not None else {"present": present, "codes": codes}
    pack(parts, n_rows, wide=False, **out)
    ranks = np.empty(n_cells + 1, np.uint32)
    run(kernels.count(present.ctypes.data, size, ranks.ctypes.data, (present, ranks)), n_cells, n_cells, operation=OPERATION)
    n_groups = int(ranks[-1])
    if n_groups == size:
        return Found(codes, size, lambda: np.arange(size, dtype=np.uint64))
    narrow = code_dtype(n_groups)
    dense = codes if narrow == dtype and held is None else allocate_array(n_rows, narrow, OPERATION)
    given = (present.ctypes.data, size, ranks.ctypes.data)
    run(kernels.rank(given, located(codes), located(dense), (present, ranks, codes, dense)), n_rows, operation=OPERATION)

    def words() -> Words:
        listed = np.empty(n_groups, np.uint64)
        run(kernels.listed(*given, listed.ctypes.data, (present, ranks, listed)), n_cells, operation=OPERATION)
        return listed

    return Found(dense, n_groups, words)


def _held_codes(parts: Sequence[KeyPart]) -> np.ndarray | None:
    """The codes of a single encoded column where they can be used as they are."""
    part = parts[0]
    column = part.keep[0] if isinstance(part.keep, tuple) else None
    if len(parts) > 1 or column is None or part.missing or part.lut is not None:
        return None
    codes = column.codes
    # Not to_numpy: pyarrow imports pandas for that, half a second in a fresh process.
    return np.frombuffer(codes.buffers()[1], np.uint32, len(codes), 4 * codes.offset)
