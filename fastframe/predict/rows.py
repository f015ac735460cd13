"""`Rows`: a batch matched to the contract; gives features as matrices and columns, and kernels the addresses of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fastframe._kernels import forest_planes as kernels
from fastframe._threads import run
from fastframe.column import Column
from fastframe.column.memory import allocate_array
from fastframe.column.plain import array_of
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import Physical
from fastframe.predict.engines.front import COLUMN, Front, value_front
from fastframe.predict.features import Block, Feature

if TYPE_CHECKING:
    from fastframe.predict.program import ForestProgram
    from fastframe.predict.scores import ForestScore

Array = np.ndarray[Any, Any]
T = TypeVar("T")

_BLOCK_ROWS = 1 << 16   # rows of one call of a block's function, where it need not see all
_FEW_ROWS = 16          # for which a task costs more than its work
_SLICE_ROWS = 1 << 13   # a row of a matrix is many values
_FORMS = {"float32": 2, "float64": 3}   # FrontForm
_OPERATION = "predict"


class Rows:
    """Rows to predict.

    Parameters
    ----------
    contract : FeatureContract
    columns : tuple of Column
        What ``contract.apply`` gave.
    n_rows : int
    packed : dict, optional
        Where programs and front ends are kept from batch to batch: the predictor's.
    engine : str, optional
        The engine that forests are to run on, whatever they plan: `choose.WALK`, which takes every forest. For the self-check.
    """

    __slots__ = ("contract", "columns", "n_rows", "engine", "_packed", "_once", "_blocks", "_addresses")

    def __init__(
        self, contract: FeatureContract, columns: tuple[Column, ...], n_rows: int, packed: dict[Any, Any] | None = None, engine: str | None = None
    ) -> None:
        self.contract = contract
        self.engine = engine
        self.columns = columns
        self.n_rows = n_rows
        self._packed: dict[Any, Any] = {} if packed is None else packed
        self._once: dict[Any, Any] = {}
        self._blocks: dict[Block, Array] = {}
        self._addresses: dict[Front | None, tuple[Array, Any]] = {}

    def slice(self, start: int, length: int) -> Rows:
        """Some of the rows, with nothing that was computed of them."""
        return Rows(self.contract, tuple(column.slice(start, length) for column in self.columns), length, self._packed, self.engine)

    def once(self, node: Any, make: Callable[[], T]) -> T:
        """The value of a node that several methods share."""
        if node not in self._once:
            self._once[node] = make()
        value: T = self._once[node]
        return value

    def kept(self, key: Any, make: Callable[[], T]) -> T:
        """What is packed once per predictor; two threads may both pack it, one of the results stays."""
        value: T | None = self._packed.get(key)
        return self._packed.setdefault(key, make()) if value is None else value   # type: ignore[no-any-return]

    def fed(self, node: Any, matrix: Array) -> Rows:
        """Rows of a model that is fed what ``node`` gave these: number columns in place of the contract's."""
        values = np.asfortranarray(matrix, np.float64)
        columns = tuple(Column(array_of(values[:, i])) for i in range(values.shape[1]))
        from fastframe.predict.ensembles import number_columns

        return Rows(number_columns(len(columns)), columns, len(values), self.kept((node, "fed"), dict), self.engine)

    def program(self, score: ForestScore) -> ForestProgram:
        """The forest packed for its engine."""
        from fastframe.predict.program import ForestProgram

        return self.kept(score, lambda: ForestProgram(score.forest, score.features, self.contract))

    def matrix(self, features: Sequence[Feature], dtype: Any = np.float64) -> Array:
        """The features' values, ``(n_rows, len(features))`` in C order, float32 or float64; NaN where missing."""
        name, chosen = dtype if dtype in _FORMS else np.dtype(dtype).name, tuple(features)
        _, front = self.kept((id(chosen), name), lambda: (chosen, value_front(chosen, self.contract, name)))   # what is kept is held, so no id comes twice
        if self.n_rows <= _FEW_ROWS:
            few = np.empty((self.n_rows, len(chosen)), name)
            kernels.fill_few(_FORMS[name], front.address, self.addresses(front), few, self.n_rows)
            return few
        out = allocate_array(self.n_rows * len(chosen), name, _OPERATION)
        if len(out):
            task = kernels.fill(_FORMS[name], front.address, self.addresses(front), out.ctypes.data, keep_alive=(self, front, out))
            run(task, self.n_rows, _SLICE_ROWS, operation=_OPERATION)
        return out.reshape(self.n_rows, len(chosen))

    def block(self, block: Block) -> Array:
        """A block's outputs, ``(n_rows, n_outputs)``, each output contiguous; computed once."""
        made = self._blocks.get(block)
        if made is None:
            made = self._blocks[block] = self._computed(block)
        return made

    def _computed(self, block: Block) -> Array:
        if block.whole or self.n_rows <= _BLOCK_ROWS:
            return np.asfortranarray(block.function(self.matrix(block.inputs, block.dtype)))
        out: Array | None = None
        for start in range(0, self.n_rows, _BLOCK_ROWS):
            part = self.slice(start, min(_BLOCK_ROWS, self.n_rows - start))
            values = block.function(part.matrix(block.inputs, block.dtype))
            if out is None:
                out = allocate_array(self.n_rows * block.n_outputs, values.dtype, _OPERATION).reshape(block.n_outputs, self.n_rows).T
            out[start : start + part.n_rows] = values
        assert out is not None
        return out

    def addresses(self, front: Front | None = None) -> int:
        """The address of the table of columns (``FrontColumn``) that kernels read; valid as long as these rows are.

        With a ``front``, the columns that its computed features make follow the contract's.
        """
        key = front if front is not None and front.computed else None
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = self._table(key)
        return int(found[0].ctypes.data)

    def _table(self, front: Front | None) -> tuple[Array, Any]:
        records: list[tuple[Any, ...]] = [(*column.view, _physical(column, field)) for column, field in zip(self.columns, self.contract.fields, strict=True)]
        computed, blocks = block_columns(self, front) if front is not None else ([], [])
        return np.array(records + computed, COLUMN), blocks


def block_columns(rows: Rows, front: Front) -> tuple[list[tuple[Any, ...]], list[Array]]:
    """The records of a front's computed columns, and what holds their memory."""
    records, blocks = [], [rows.block(one.block) for one in front.computed]
    for one, values in zip(front.computed, blocks, strict=True):
        assert values.dtype in (np.float32, np.float64)
        records.append((values[:, one.output].ctypes.data, 0, 0, rows.n_rows, Physical.F32 if values.dtype == np.float32 else Physical.F64))
    return records, blocks


def _physical(column: Column, field: Field) -> Physical:
    """What kernels read the column as; contracts give no other, and kernels do not look."""
    physical = column.physical
    fits = physical is Physical.I32 if field.categories is not None else physical is not None and physical <= Physical.BOOL
    assert fits, (field.name, column.dtype)
    return physical   # type: ignore[return-value]
