"""`Tape`: what a score computes for one row, as steps that a kernel runs on cells, without Python in between.

Nodes that know how write themselves onto it (``on_row(tape)``), with the operations of their ``run`` in the same order: products, exponentials,
logarithms and hyperbolic tangents by NumPy's own inner loops, everything else by kernels of batches or operations that IEEE 754 rounds once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._kernels import forest_links, forest_planes
from fastframe._kernels import forest_row as kernels
from fastframe.contract import FeatureContract
from fastframe.dtypes import Physical
from fastframe.predict.engines.front import Front, value_front
from fastframe.predict.features import Block, Feature
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.scores import ForestScore, Score

Array = np.ndarray[Any, Any]

LOOP, LINK, FILL, COLUMN, SUM, SPLIT_TOP, FOREST = range(7)   # RowStepKind
STEP = np.dtype([
    ("kind", "i8"), ("function", "u8"), ("data", "u8"), ("place", "u8", 3), ("constant", "i8", 3), ("dimensions", "i8", 4), ("steps", "i8", 9), ("scale", "f8"),
])  # fmt: skip
"""Keep in step with RowStep of ``_kernels/row_tape.hpp``; a test compares sizes."""

_ALIGNMENT = 64
_PHYSICAL = {"float32": Physical.F32, "float64": Physical.F64}
_PRODUCT_NS, _VALUE_NS, _STEP_NS = 0.3, 2.0, 15.0   # of a product that BLAS adds, of another value, of a step
_BLAS_ALONE = 9_000                                  # numbers of a matrix, from which on OpenBLAS multiplies on threads of its own
_MOST_STEPS = 1 << 12                                # beyond, a row takes long enough for Python


class NoTape(Exception):
    """A node, or what it holds, that steps cannot compute: Python runs it."""


@record(frozen=True)
class Cells:
    """A row of values of one dtype: in the scratch, ``place`` bytes from its start, or a ``constant``'s address."""

    place: int
    width: int
    dtype: str
    constant: bool = False

    @property
    def itemsize(self) -> int:
        return np.dtype(self.dtype).itemsize

    def part(self, start: int, stop: int) -> Cells:
        """Some of them."""
        return Cells(self.place + start * self.itemsize, stop - start, self.dtype, self.constant)


class Tape:
    """Steps in the making.

    Attributes
    ----------
    n_bytes, n_columns, n_planes : int
        Of a row's cells; of the columns that fronts read; the most of a forest's.
    ns : float
        Roughly what a row costs the thread that asks.
    uses_blas_threads : bool
        Whether BLAS's own threads share the work: several rows at once would only disturb one another.
    """

    def __init__(self, contract: FeatureContract, packed: dict[Any, Any]) -> None:
        self.contract, self.packed = contract, packed
        self.n_bytes = self.n_planes = 0
        self.n_columns = len(contract.fields)
        self.ns = 0.0
        self.uses_blas_threads = False
        self.kept: list[Any] = []
        self._steps: list[tuple[Any, ...]] = []
        self._made: dict[int, Cells] = {}
        self._held: list[Any] = []   # whose ids are keys

    @property
    def steps(self) -> Array:
        """The records, for `RowTape`."""
        return np.array(self._steps, STEP)

    def value(self, score: Score) -> Cells:
        """What a score gives a row; written once, for all nodes that share it."""
        found = self._once(score, getattr(score, "on_row", None))
        if found.width != score.width:   # what is read from it later is of that width
            raise NoTape
        return found

    def _once(self, part: Any, write: Callable[[Tape], Cells] | None) -> Cells:
        found = self._made.get(id(part))
        if found is None:
            if write is None:
                raise NoTape
            self._held.append(part)
            found = self._made[id(part)] = write(self)
        return found

    def cells(self, width: int, dtype: str = "float64") -> Cells:
        """New ones, whose values are those of the row before until a step writes them."""
        made = Cells(self.n_bytes, width, dtype)
        self.n_bytes += -(-width * made.itemsize // _ALIGNMENT) * _ALIGNMENT
        return made

    def constant(self, values: Any, dtype: str = "float64") -> Cells:
        """A row of numbers that does not change."""
        kept = np.ascontiguousarray(values, dtype).reshape(-1)
        self.kept.append(kept)
        return Cells(kept.ctypes.data, len(kept), dtype, True)

    def _step(self, kind: int, *operands: Cells, **named: Any) -> None:
        if len(self._steps) == _MOST_STEPS:
            raise NoTape
        padded = (*operands, *[Cells(0, 0, "float64")] * (3 - len(operands)))
        dimensions, strides = (np.pad(named.get(name, []), (0, 9))[:length] for name, length in (("dimensions", 4), ("strides", 9)))
        self._steps.append((
            kind, named.get("function", 0), named.get("data", 0), [one.place for one in padded], [one.constant for one in padded],
            dimensions.astype(np.int64), strides.astype(np.int64), named.get("scale", 0.0),
        ))  # fmt: skip
        self.ns += _STEP_NS + _VALUE_NS * max((one.width for one in operands), default=0)

    def _loop(self, name: str, dtype: str, n_in: int) -> dict[str, Any]:
        letter = np.dtype(dtype).char
        found = kernels.loop_of(getattr(np, name), letter * n_in + "->" + letter)
        if found is None:
            raise NoTape
        return {"function": found[0], "data": found[1]}

    def call(self, name: str, *operands: Cells) -> Cells:
        """A ufunc of NumPy's of rows of one width and dtype; operands of one value are stretched."""
        dtype, width = operands[0].dtype, max(one.width for one in operands)
        if any(one.dtype != dtype or one.width not in (1, width) for one in operands):
            raise NoTape
        out = self.cells(width, dtype)
        strides = [one.itemsize if one.width == width else 0 for one in (*operands, out)]
        self._step(LOOP, *operands, out, dimensions=[width], strides=strides, **self._loop(name, dtype, len(operands)))
        return out

    def product(self, x: Cells, matrix: Array) -> Cells:
        """``x @ matrix``, of one or two dimensions, as NumPy multiplies a C-ordered matrix of one row by it."""
        if matrix.ndim not in (1, 2) or matrix.dtype != x.dtype or not matrix.dtype.isnative or not matrix.flags.aligned or len(matrix) != x.width:
            raise NoTape
        self.kept.append(matrix)
        width, size = (1 if matrix.ndim == 1 else matrix.shape[1]), x.itemsize
        out = self.cells(width, x.dtype)
        of_matrix, of_out = ((matrix.strides[0], 0), (size, 0)) if matrix.ndim == 1 else (matrix.strides, (size * width, size))
        strides = [0, 0, 0, size * x.width, size, *of_matrix, *of_out]
        given = Cells(matrix.ctypes.data, matrix.size, x.dtype, True)
        self._step(LOOP, x, given, out, dimensions=[1, 1, x.width, width], strides=strides, **self._loop("matmul", x.dtype, 2))
        self.ns += (_PRODUCT_NS - _VALUE_NS) * matrix.size
        self.uses_blas_threads |= matrix.size > _BLAS_ALONE
        return out

    def link(self, kind: str, x: Cells, out: Cells, scale: float = 1.0) -> Cells:
        """A kernel of `links` of a row."""
        function = kernels.link_address(forest_links.KINDS[kind], x.dtype == "float64")
        if not function:
            raise NoTape
        self._step(LINK, x, out, function=function, dimensions=[x.width], scale=scale)
        return out

    def total(self, x: Cells, out: Cells | None = None) -> Cells:
        """The sum of a row, added pairwise as NumPy adds along memory."""
        out = self.cells(1, x.dtype) if out is None else out
        self._step(SUM, x, out, dimensions=[x.width, x.dtype == "float64"])
        return out

    def split_top(self, x: Cells) -> tuple[Cells, Cells, Cells]:
        """Distances of a row's values below its largest (-inf for the largest themselves), how many are largest, and the largest."""
        if x.dtype != "float64":
            raise NoTape
        rest, top = self.cells(x.width), self.cells(2)
        self._step(SPLIT_TOP, x, rest, top, dimensions=[x.width])
        return rest, top.part(0, 1), top.part(1, 2)

    def features(self, features: Sequence[Feature], dtype: str) -> Cells:
        """Features' values, as `Rows.matrix` gives them."""
        if dtype not in _PHYSICAL:
            raise NoTape
        front = value_front(tuple(features), self.contract, dtype)
        self._columns(front)
        out = self.cells(len(features), dtype)
        self.kept.append(front)
        self._step(FILL, out, function=kernels.fill_address(dtype == "float64"), data=front.address)
        return out

    def sums(self, score: ForestScore) -> Cells:
        """A forest's."""
        from fastframe.predict.engines.one_row import OneRow

        if score.forest.linear is not None:
            raise NoTape
        key = (score, "row")
        engine = self.packed.get(key) or self.packed.setdefault(key, OneRow(score.forest, score.features, self.contract))
        address, n_planes, narrow = engine.walker.packed()
        self._columns(engine.front)
        self.n_planes, self.ns = max(self.n_planes, n_planes), self.ns + engine.ns
        self.kept.append(engine)
        out = self.cells(score.width, "float32" if narrow else "float64")
        self._step(FOREST, out, data=address)
        return out

    def _columns(self, front: Front) -> None:
        """The columns that a front reads after the contract's."""
        first = len(self.contract.fields)
        computed = [self._block(one.block).part(one.output, one.output + 1) for one in front.computed]   # which may set columns for themselves
        for at, made in enumerate(computed):
            self._step(COLUMN, made, dimensions=[first + at, _PHYSICAL[made.dtype]])
        self.n_columns = max(self.n_columns, first + len(front.computed))

    def _block(self, block: Block) -> Cells:
        from fastframe.predict.blocks import ON_ROW

        write = ON_ROW.get(block.name)
        if write is None:
            raise NoTape
        return self._once(block, lambda tape: write(tape, tape.features(block.inputs, block.dtype), block.arrays))


assert forest_planes.SIZES["column"] == kernels.COLUMN_BYTES
