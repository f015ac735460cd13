"""`Deferred`: a column of an expression that is computed when somebody looks at it, and perhaps never as a whole.

An aggregation of such columns takes them block by block (`folded.py`); whatever else needs them computes them all, and goes on
with columns like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from fastframe.column.column import Column, ColumnView
from fastframe.column.table import Table
from fastframe.dtypes import DType
from fastframe.engines.cpu.evaluate import evaluate_all
from fastframe.ops.expressions import Call, Cast, Expression


class Computation:
    """Expressions over one table, all computed when the first of them is needed."""

    __slots__ = ("outputs", "table", "_columns")

    def __init__(self, outputs: Sequence[tuple[str, Expression]], table: Table) -> None:
        self.outputs, self.table = outputs, table
        self._columns: dict[str, Column] | None = None

    @property
    def is_done(self) -> bool:
        return self._columns is not None

    @property
    def columns(self) -> dict[str, Column]:
        """The columns; two threads that ask at once compute the same twice."""
        if self._columns is None:
            self._columns = evaluate_all(self.outputs, self.table)
        return self._columns


class Deferred(Column):
    """The column ``name`` of a computation, of a fixed-width dtype or bool."""

    __slots__ = ("name", "expression", "computation")

    def __init__(self, name: str, expression: Expression, dtype: DType, computation: Computation) -> None:
        self.name, self.expression, self.computation = name, expression, computation
        self._array, self.is_encoded = None, False
        self._prepare(dtype, computation.table.n_rows)

    @property
    def computed(self) -> Column:
        """The column itself.

        Raises
        ------
        IntegerOverflow, LossyCast
        """
        return self.computation.columns[self.name]

    @property
    def in_memory(self) -> bool:
        return self.computation.is_done

    def _made(self) -> pa.Array:
        return self.computed.array

    def _viewed(self) -> ColumnView:
        return self.computed.view

    @property
    def null_count(self) -> int:
        return self.computed.null_count

    @property
    def nbytes(self) -> int:
        """While nothing is computed, bytes of the columns that it is computed of."""
        if self.in_memory:
            return self.computed.nbytes
        return sum(self.computation.table[name].nbytes for name in sorted(self.expression.names()))

    @property
    def validity_view(self) -> ColumnView:
        return self.computed.validity_view

    def slice(self, start: int, length: int) -> Column:
        return self.computed.slice(start, length)


def deferred_columns(outputs: Sequence[tuple[str, Expression]], table: Table) -> dict[str, Column]:
    """A column per expression, those of functions of fixed-width columns not computed yet."""
    waiting = {name: expression.resolve(table.schema) for name, expression in outputs if isinstance(expression, (Call, Cast))}
    waiting = {name: dtype for name, dtype in waiting.items() if dtype.physical is not None and not dtype.is_text}
    computation = Computation([one for one in outputs if one[0] in waiting], table)
    made = evaluate_all([one for one in outputs if one[0] not in waiting], table)
    return {name: Deferred(name, one, waiting[name], computation) if name in waiting else made[name] for name, one in outputs}
