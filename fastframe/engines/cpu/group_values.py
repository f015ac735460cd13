"""`GroupValues`: a value per row that is its group's, by the codes of the groups; elementwise kernels read it without it being written."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from fastframe._kernels import spread as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import run
from fastframe.column.column import Column
from fastframe.column.later import LaterColumn
from fastframe.column.memory import allocate, allocate_bits, is_streamed
from fastframe.dtypes import DType
from fastframe.engines.cpu.row_codes import Codes, code_view
from fastframe.records import record

OPERATION = "transform"
_GATHERED_WIDTHS = (4, 8)


@record(frozen=True, eq=False)
class GroupValues:
    """The values of groups at each row's group.

    Attributes
    ----------
    column : Column
        Per group its value; of a fixed width.
    codes : Codes
        Each row's group.
    n_groups : int
    """

    column: Column
    codes: Codes
    n_groups: int

    @property
    def pays_later(self) -> bool:
        """Whether the values are better not written until somebody looks: no cache holds them, kernels can do without, codes are no wider."""
        width, n_rows = self.column.dtype.width, len(self.codes)
        return is_streamed(n_rows * width) and width in _GATHERED_WIDTHS and width >= self.codes.itemsize and not self.column.null_count

    def values(self) -> Block:
        return self.written()[0]

    def written(self) -> tuple[Block, Block]:
        """The values of all rows and which are valid: not those of rows in no group, nor of groups without a value."""
        width, n_rows, view = self.column.dtype.width, len(self.codes), self.column.view
        values, validity = allocate(n_rows * width, OPERATION), allocate_bits(n_rows, OPERATION)
        task = kernels.spread(
            code_view(self.codes), self.n_groups, (view.values, view.validity), (values.address, validity.address),
            value_bytes=width, streams=is_streamed(n_rows * width), keep_alive=(self, values, validity),
        )  # fmt: skip
        run(task, n_rows, operation=OPERATION)
        return values, validity

    @property
    def view(self) -> tuple[int, int, int]:
        """What elementwise kernels take in place of a column's view; every row has to be in a group."""
        return self._words.ctypes.data, self.column.dtype.width, self.codes.itemsize

    @cached_property
    def _words(self) -> np.ndarray:
        codes, _, base = code_view(self.codes)
        return np.array([self.column.view.values, codes, base], np.int64)


def readable(column: Column, dtype: DType) -> Column | GroupValues:
    """What has the ``view`` that a loop over values of ``dtype`` reads: the column, or the values of groups that it would be made of."""
    if type(column) is not LaterColumn or column.dtype.physical != dtype.physical:
        return column
    recipe = column.recipe
    return recipe if isinstance(recipe, GroupValues) else column
