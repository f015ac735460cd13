"""A pipeline on its way from columns to features: cells, what is learnt of the columns, and models fed by cells.

A `Cell` is a column of the matrix or frame that stands between two steps of a pipeline, as a formula over the columns of
the contract. Readers of transformers map cells to cells. What a column is (a number, or a category with which values) is
known only when an encoder or a scaler asks for it, so a pipeline is read twice: the first pass collects (`Columns`), the
second builds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype as as_dtype
from fastframe.dtypes import from_arrow
from fastframe.errors import UnsupportedModel
from fastframe.predict import blocks
from fastframe.predict import steps as step_twin
from fastframe.predict.dense import Inputs
from fastframe.predict.features import Block, Code, Computed, Feature, Lookup, Number, Step
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Raw:
    """A column of the contract that nothing has touched."""

    column: int


@dataclass(frozen=True, eq=False)
class Words:
    """A category column after steps that keep Python values (an imputer of text); the last two: unseen, missing."""

    column: int
    values: Array   # object, (n_categories + 2,)


@dataclass(frozen=True)
class Cell:
    """``dtype``: of the NumPy array that the column stands in; ``missing``: whether a value may be missing here."""

    source: Feature | Raw | Words
    dtype: str = "float64"
    missing: bool = True


@dataclass
class Matrix:
    """What a step is given. ``probe``: the library's own matrix for some rows, in the second pass (its layout and dtype)."""

    cells: list[Cell]
    names: list[str] | None = None
    sparse: bool = False
    probe: Any = None

    @property
    def order(self) -> str:
        """The memory layout of the library's own matrix: BLAS's bits depend on it."""
        values = np.asarray(self.probe) if self.probe is not None and not self.sparse else np.empty((0, 0))
        return "C" if values.flags.c_contiguous else "F"

    def take(self, columns: list[int], probe: Any = None) -> Matrix:
        names = None if self.names is None else [self.names[i] for i in columns]
        return Matrix([self.cells[i] for i in columns], names, self.sparse, probe)


@dataclass
class Columns:
    """The contract while it is being learnt."""

    names: list[str]
    named: bool
    given: FeatureContract | None = None
    numbers: dict[int, str] = field(default_factory=dict)              # column -> dtype
    categories: dict[int, list[tuple[list[Any], bool]]] = field(default_factory=dict)   # values, whether others are refused
    adopted: dict[int, Field] = field(default_factory=dict)            # fields of a model that takes categories itself
    refuse_missing: set[int] = field(default_factory=set)
    refuse_unseen: set[int] = field(default_factory=set)
    none_missing: set[int] = field(default_factory=set)                # an encoder knows None, not NaN, as missing
    only_numbers: set[int] = field(default_factory=set)                # an encoder met no values there, in a column of numbers
    settled: bool = False
    frozen: dict[int, Array] = field(default_factory=dict)             # after `settle`: category column -> its values
    position: list[int | None] = field(default_factory=list)           # after `settle`: each input's place in the contract

    def number(self, column: int, dtype: str | None = None) -> str:
        """Use a column as numbers, of a dtype if the model tells; returns what it stands in."""
        known = self.numbers.get(column, "float64" if dtype is None else dtype)
        self.numbers[column] = dtype if dtype is not None else known
        return self.dtype(column)

    def dtype(self, column: int) -> str:
        """A number column's NumPy dtype, as far as is known: given, else what a step says that it was fitted on."""
        if self.given is not None:
            plain = self.given.fields[column].dtype
            return str(plain.numpy) if plain.numpy is not None and self.given.fields[column].categories is None else "object"
        return self.numbers.get(column, "float64")

    def category(self, column: int, values: list[Any], *, others_refused: bool) -> None:
        if not self.settled:
            self.categories.setdefault(column, []).append((values, others_refused))

    def adopt(self, column: int, mine: Field) -> None:
        """A category column as a model in the pipeline knows it."""
        known = self.adopted.setdefault(column, mine)
        same = known.categories is not None and known.categories.equals(mine.categories) and known.unseen == mine.unseen
        if not same:
            raise UnsupportedModel.because("the pipeline", [f"models in it know other categories of {mine.name!r}"])

    def is_category(self, column: int) -> bool:
        return column in self.frozen

    def settle(self) -> None:
        """End the first pass: freeze every category column's values, and forget columns that nothing reads."""
        mixed = sorted({*self.adopted} & {*self.numbers, *self.categories})
        if mixed:
            names = ", ".join(repr(self.names[column]) for column in mixed)
            raise UnsupportedModel.because("the pipeline", [f"a model takes the categories of {names} itself, and something else reads them too"])
        used = {*self.numbers, *self.categories, *self.adopted}
        if self.named and self.given is None:
            self._keep(sorted(used))
        for column, uses in self.categories.items():
            if column in self.numbers:
                continue
            strict = [values for values, refused in uses if refused]
            listed = strict[:1] if strict else [values for values, _ in uses]
            kept = [v for values in listed for v in values if all(v in other for other in strict)]
            unique = list(dict.fromkeys(kept))
            self.frozen[column] = np.array([*unique, None], dtype=object)[:-1]
        self.settled = True

    def _keep(self, used: list[int]) -> None:
        place = {column: i for i, column in enumerate(used)}
        self.position = [place.get(column) for column in range(len(self.names))]
        self.names = [self.names[column] for column in used]
        self.numbers = {place[column]: dtype for column, dtype in self.numbers.items()}
        self.categories = {place[column]: uses for column, uses in self.categories.items()}
        self.adopted = {place[column]: one for column, one in self.adopted.items()}
        self.refuse_missing = {place[column] for column in self.refuse_missing}
        self.refuse_unseen = {place[column] for column in self.refuse_unseen}
        self.none_missing = {place[column] for column in self.none_missing}
        self.only_numbers = {place[column] for column in self.only_numbers}

    def contract(self) -> FeatureContract:
        return FeatureContract(tuple(self._field(i) for i in range(len(self.names))), self.named)

    def _field(self, column: int) -> Field:
        name, nullable = self.names[column], column not in self.refuse_missing
        if column in self.adopted:
            return replace(self.adopted[column], name=name, nullable=nullable and self.adopted[column].nullable)
        if column in self.frozen:
            refused = column in self.refuse_unseen or any(flag for _, flag in self.categories[column])
            categories = _arrow(self.frozen[column], pa.float64() if column in self.only_numbers else pa.string())
            return Field(name, from_arrow(pa.dictionary(pa.int32(), categories.type)), categories, "error" if refused else "model", nullable)
        return Field(name, as_dtype(self.dtype(column)), nullable=nullable)

    def use(self, cell: Cell) -> None:
        """A step that raises for missing values takes this cell."""
        if cell.missing:
            self.refuse_missing.update(sources(cell.source))
        if isinstance(cell.source, Lookup) and np.isnan(cell.source.values[-2]):
            self.refuse_unseen.add(cell.source.column)


def _arrow(values: Array, where_empty: pa.DataType) -> pa.Array:
    if len(values) and all(isinstance(v, (bool, np.bool_)) for v in values):
        return pa.array([bool(v) for v in values])
    return pa.array(list(values), type=where_empty if not len(values) else None)


def sources(source: Feature | Raw | Words) -> set[int]:
    """The contract columns that a feature is made of."""
    if isinstance(source, Computed):
        return set().union(*(sources(one) for one in source.block.inputs))
    return {source.column}


def common_dtype(cells: list[Cell], columns: Columns) -> str:
    """The dtype of one matrix of these cells, as NumPy and pandas find it."""
    kinds = [np.dtype(columns.dtype(cell.source.column) if isinstance(cell.source, Raw) else cell.dtype) for cell in cells]
    plain = [one for one in kinds if one.kind != "O"]
    return str(np.result_type(*plain)) if plain else "float64"


def floats(matrix: Matrix, columns: Columns, dtype: str | None = None) -> list[Cell]:
    """These cells as numbers in one float matrix: float32 if that is what they stand in, else float64."""
    found = common_dtype(matrix.cells, columns) if dtype is None else dtype
    into = found if found in ("float32", "float64") else "float64"
    return [as_number(cell, into, columns) for cell in matrix.cells]


def as_number(cell: Cell, dtype: str, columns: Columns) -> Cell:
    source = cell.source
    if isinstance(source, Raw):
        if columns.is_category(source.column) and source.column not in columns.numbers:
            raise UnsupportedModel.because("the pipeline", [f"column {columns.names[source.column]!r} is used as a number and as categories"])
        columns.number(source.column)
        return Cell(Number(source.column, (), dtype), dtype, cell.missing)
    if isinstance(source, Words):
        return Cell(_number_of_words(source, dtype), dtype, cell.missing)
    return cell if cell.dtype == dtype else Cell(extend(source, (Step(dtype),)), dtype, cell.missing)


def _number_of_words(source: Words, dtype: str) -> Lookup:
    try:
        return Lookup(source.column, source.values.astype(dtype))
    except (TypeError, ValueError):
        raise UnsupportedModel.because("the pipeline", ["text goes into a step that takes numbers"]) from None


def extend(feature: Feature, steps: tuple[Step, ...]) -> Feature:
    """A feature, then steps."""
    if not steps:
        return feature
    if isinstance(feature, Number):
        return replace(feature, steps=feature.steps + steps)
    if isinstance(feature, Lookup):
        return Lookup(feature.column, step_twin.apply(steps, feature.values))
    if isinstance(feature, Code):
        raise UnsupportedModel.because("the pipeline", ["steps on the codes of categories"])
    dtype = "float64"
    made = blocks.block("steps", (feature,), blocks.pack_steps(steps), dtype=feature.block.dtype or dtype)
    return Computed(made, 0)


def stepped(cell: Cell, steps: tuple[Step, ...], *, missing: bool | None = None) -> Cell:
    assert not isinstance(cell.source, (Raw, Words))
    return Cell(extend(cell.source, steps), cell.dtype, cell.missing if missing is None else missing)


def category_values(cell: Cell, columns: Columns) -> tuple[int, Array] | None:
    """``(column, values)`` of a cell that has few values, one per code, then unseen and missing; None: it is a number."""
    source = cell.source
    if isinstance(source, Raw) and source.column not in columns.numbers:
        return source.column, columns.frozen.get(source.column, np.empty(0, object))
    if isinstance(source, (Words, Lookup)):
        return source.column, source.values
    return None


class _Substitution:
    """Puts cells in place of the columns that a read sub-model is fed."""

    def __init__(self, cells: list[Cell], contract: FeatureContract, columns: Columns, order: str) -> None:
        self.cells, self.contract, self.columns, self.order = cells, contract, columns, order
        self.made: dict[int, Any] = {}

    def score(self, score: Score) -> Score:
        """A score with its features replaced, in every node below it; nodes that are shared stay shared."""
        return self._any(score)

    def _any(self, value: Any) -> Any:
        if isinstance(value, (Number, Code, Lookup, Computed)):
            return self.feature(value)
        if isinstance(value, tuple):
            return tuple(self._any(one) for one in value)
        if isinstance(value, Score) and is_dataclass(value):
            if id(value) not in self.made:
                parts = {f.name: self._any(getattr(value, f.name)) for f in fields(value) if f.init}
                self.made[id(value)] = type(value)(**parts | ({"order": self.order} if isinstance(value, Inputs) else {}))
            return self.made[id(value)]
        return value

    def feature(self, feature: Feature) -> Feature:
        if isinstance(feature, Computed):
            return Computed(self._block(feature.block), feature.output)
        cell = self.cells[feature.column]
        source = cell.source
        if isinstance(feature, Number):
            if isinstance(source, (Raw, Words)):
                source = as_number(cell, cell.dtype if cell.dtype in ("float32", "float64") else "float64", self.columns).source
            assert not isinstance(source, (Raw, Words))
            cast = (Step(feature.via),) if feature.via and feature.via != cell.dtype else ()
            return extend(source, cast + feature.steps)
        return self._category(feature, cell)

    def _block(self, block: Block) -> Block:
        if id(block) not in self.made:
            self.made[id(block)] = replace(block, inputs=tuple(self.feature(one) for one in block.inputs))
        made: Block = self.made[id(block)]
        return made

    def _category(self, feature: Code | Lookup, cell: Cell) -> Feature:
        """A sub-model's own category column, fed by a column, a table or a number."""
        mine = self.contract.fields[feature.column]
        if isinstance(cell.source, Raw):
            self.columns.adopt(cell.source.column, mine)
            return replace(feature, column=cell.source.column)
        keys = np.asarray(mine.categories.to_pylist() if mine.categories is not None else range(0))
        if keys.dtype.kind not in "iufb":
            raise UnsupportedModel.because("the pipeline", [f"the model takes text categories made by an earlier step ({mine.name!r})"])
        order = np.argsort(keys, kind="stable")
        n = len(keys)
        values = feature.values if isinstance(feature, Lookup) else np.append(np.arange(n, dtype=np.float64), [n, np.nan])
        table = np.concatenate([values[order], values[n:]])[:, None]
        arrays = {"keys": keys[order].astype(np.float64), "values": table, "refuse": np.array([mine.unseen == "error", not mine.nullable])}
        if isinstance(cell.source, (Lookup, Words)):
            arrays["refuse"] = np.zeros(2, bool)
            answers = blocks.function("categories", arrays)(cell.source.values.astype(np.float64)[:, None])
            return Lookup(cell.source.column, answers[:, 0])
        number = as_number(cell, "float64", self.columns).source
        assert not isinstance(number, (Raw, Words))
        return Computed(blocks.block("categories", (number,), arrays), 0)


def substitute(scores: dict[str, Score], contract: FeatureContract, matrix: Matrix, columns: Columns) -> dict[str, Score]:
    """A read model's methods, fed by the cells of a matrix in place of its own contract's columns.

    A model that refuses missing values makes the columns that feed it refuse them.
    """
    cells = matrix.cells
    dtype = common_dtype(cells, columns)
    into = dtype if dtype in ("float32", "float64") else "float64"
    ready = []
    for cell, mine in zip(cells, contract.fields, strict=True):
        if not mine.nullable:
            columns.use(cell)
        keeps = mine.categories is not None and isinstance(cell.source, Raw)
        ready.append(cell if keeps else as_number(cell, into, columns))
    swap = _Substitution(ready, contract, columns, matrix.order)
    return {name: swap.score(score) for name, score in scores.items()}
