"""`Groups`: which group each row is in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

NO_CODE = 0xFFFFFFFF   # of 32-bit codes; narrower ones have all their bits set, too

Codes = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of rows with equal keys.

    Attributes
    ----------
    codes : numpy.ndarray of uint8, uint16 or uint32
        Per row its group, 0 to ``n_groups - 1`` in result order; all bits set where the row is dropped. Read only.
    n_groups : int
    first_rows : numpy.ndarray of int32
        Per group its first row.
    plan : str
        How they were found, in a line.
    """

    codes: Codes
    n_groups: int
    first_rows: np.ndarray[Any, np.dtype[np.int32]]
    plan: str

    @cached_property
    def wide_codes(self) -> np.ndarray[Any, np.dtype[np.uint32]]:
        """``codes`` as uint32, for kernels that know no other; dropped rows are 0xFFFFFFFF."""
        if self.codes.dtype == np.uint32:
            return self.codes
        wide = self.codes.astype(np.uint32)
        wide[self.codes == np.iinfo(self.codes.dtype).max] = NO_CODE
        return wide
