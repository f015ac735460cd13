"""Which group each row is in, as kernels read it: codes that were written, or a key column that serves as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels.memory import address_of
from fastframe.records import record

Written = np.ndarray[Any, Any]   # of uint8, uint16 or uint32; all bits set where a row is in no group


@record(frozen=True, eq=False)
class ColumnCodes:
    """Codes that are the values of a key column less the smallest of them: not a byte is written for them.

    Attributes
    ----------
    values : numpy.ndarray of uint32
        The column's own memory; it refers to no column, so that groups can be kept on their key columns.
    base : int
        The value whose code is 0, modulo 2**32. Unless it is 0 no row is left out.
    """

    values: np.ndarray[Any, np.dtype[np.uint32]]
    base: int

    itemsize = 4
    nbytes = 0   # of its own

    def __len__(self) -> int:
        return len(self.values)


Codes = Written | ColumnCodes


def code_view(codes: Codes | None) -> tuple[int, int, int]:
    """Codes as kernels see them: address (0 where all rows are of group 0), bytes of a code, and what code 0 is there."""
    if codes is None:
        return 0, 4, 0
    if isinstance(codes, ColumnCodes):
        return address_of(codes.values), 4, codes.base
    return address_of(codes), codes.itemsize, 0
