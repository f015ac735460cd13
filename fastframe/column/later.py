"""`LaterColumn`: values that can be computed from little, written only when somebody looks at them."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from fastframe._kernels.memory import Block
from fastframe.column.column import Column, ColumnView, publishing
from fastframe.column.memory import as_buffer
from fastframe.dtypes import DType


class Recipe(Protocol):
    """How a column's values come about. What it refers to never changes, so they are the same whenever they are made."""

    def values(self) -> Block:
        """The values of all rows, in new memory."""


class LaterColumn(Column):
    """A column of a fixed width and without nulls whose values are written when somebody first looks at them, once.

    An operation that can compute from the `recipe` neither writes nor reads them. Until then the column holds what the recipe
    refers to, afterwards its values alone. Threads that look at once may each make them; all get the same memory.
    """

    __slots__ = ("_recipe",)

    def __init__(self, dtype: DType, length: int, recipe: Recipe) -> None:
        self._array, self.is_encoded = None, False
        self._prepare(dtype, length)
        self._recipe: Recipe | None = recipe

    @property
    def recipe(self) -> Recipe | None:
        """How to compute the values; None once they are there."""
        return self._recipe

    @property
    def in_memory(self) -> bool:
        return self._recipe is None

    @property
    def block(self) -> Block:
        recipe = self._recipe   # another thread may be done with it
        if recipe is not None:
            made = recipe.values()
            with publishing:
                if self._memory is None:   # views of what is there are out already
                    self._memory = made
            self._recipe = None
        assert self._memory is not None
        return self._memory

    def _made(self) -> pa.Array:
        return pa.Array.from_buffers(self.dtype.arrow, self.length, [None, as_buffer(self.block)], 0)

    def _viewed(self) -> ColumnView:
        return ColumnView(self.block.address, 0, 0, self.length)
