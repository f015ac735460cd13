"""Packing of a forest's front end: the C structs of ``_kernels/forest_planes.hpp`` as NumPy records."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from fastframe._kernels import forest_planes as kernels
from fastframe.contract import FeatureContract
from fastframe.errors import ModelError
from fastframe.predict.engines.grid import grid_of
from fastframe.predict.engines.sets import code_values
from fastframe.predict.features import Code, Computed, Feature, Lookup, Number, Step
from fastframe.predict.forest import CategoryInput, NumberInput
from fastframe.records import record

Array = np.ndarray[Any, Any]

STEP_CODES = {name: code for code, name in enumerate((
    "float32", "float64", "fill", "equals_missing", "is_missing", "add", "subtract", "multiply", "divide", "clip", "abs", "sqrt",
    "square", "negative", "above", "count_at_most", "count_below",
))}  # fmt: skip
_NUMBER, _CATEGORY, _CODES = 0, 1, 2   # FrontSource

# Keep these in step with the structs; a test compares sizes.
COLUMN = np.dtype([("values", "u8"), ("validity", "u8"), ("bit_offset", "i8"), ("length", "i8"), ("physical", "i8")])
STEP = np.dtype([("code", "i8"), ("a", "f8"), ("b", "f8"), ("edges", "u8"), ("n_edges", "i8")])
INPUT = np.dtype([
    ("source", "i4"), ("column", "i4"), ("narrow_read", "i4"), ("narrow", "i4"), ("first_step", "i4"), ("n_steps", "i4"),
    ("first_plane", "i4"), ("n_planes", "i4"), ("n_codes", "i4"), ("truncate", "i4"), ("negative_other", "i4"), ("has_rules", "i4"),
    ("missing_value", "f8"), ("zero_missing", "f8"), ("flush", "f8"), ("thresholds", "u8"), ("starts", "u8"),
    ("low", "f8"), ("scale", "f8"), ("n_cells", "i4"), ("levels", "i4"), ("missing_last", "i4"), ("wide", "i4"),
])  # fmt: skip
PLANE = np.dtype([("table", "u8"), ("first", "i4"), ("missing_right", "i4")])
FRONT = np.dtype([("inputs", "u8"), ("planes", "u8"), ("steps", "u8"), ("n_inputs", "i8"), ("n_planes", "i8")])


@record(frozen=True, eq=False)
class NumberPlanes:
    """A feature as ranks among ``thresholds`` (ascending, of the domain), or as values where there are none."""

    feature: Number | Computed
    source: NumberInput
    first: Array           # int32, (n_planes,): each plane's first threshold
    missing_right: Array   # bool, (n_planes,)
    thresholds: Array


@record(frozen=True, eq=False)
class CategoryPlanes:
    """A feature whose values are category codes; per plane a table over ``n_codes + 2`` codes."""

    feature: Number | Computed
    source: CategoryInput
    tables: Sequence[Array]


@record(frozen=True, eq=False)
class CodePlanes:
    """A column of categories; per plane a table over its codes, then unseen, then missing."""

    column: int
    n_codes: int
    tables: Sequence[Array]


Planned = NumberPlanes | CategoryPlanes | CodePlanes


class Front:
    """A packed front end: kernels take `address`; it must outlive their use.

    Attributes
    ----------
    address : int
        Of the C struct.
    n_planes : int
    planes : numpy.ndarray
        Their records, `PLANE`.
    computed : tuple of Computed
        What kernels read as further columns, after the contract's.
    """

    __slots__ = ("address", "n_planes", "planes", "computed", "_kept")

    def __init__(self, inputs: Sequence[Planned], domain: str, contract: FeatureContract) -> None:
        packing = _Packing(domain, len(contract.fields))
        for one in inputs:
            packing.add(one)
        self.computed = tuple(packing.computed)
        self.n_planes = len(packing.planes)
        record = np.zeros(1, FRONT)
        tables = {"inputs": np.array(packing.inputs, INPUT), "planes": np.array(packing.planes, PLANE), "steps": np.array(packing.steps, STEP)}
        for name, table in tables.items():
            record[name] = table.ctypes.data
        record["n_inputs"], record["n_planes"] = len(packing.inputs), self.n_planes
        self.planes = tables["planes"]
        self._kept = (record, tables, packing.kept)
        self.address = int(record.ctypes.data)


class _Packing:
    """Records in the making, and the arrays whose addresses they hold."""

    def __init__(self, domain: str, n_columns: int) -> None:
        self.domain, self.n_columns = domain, n_columns
        self.inputs: list[tuple[Any, ...]] = []
        self.planes: list[tuple[int, int, bool]] = []
        self.steps: list[tuple[Any, ...]] = []
        self.computed: list[Computed] = []
        self.kept: list[Array] = []
        self.none = self.keep(np.full(max(1, kernels.PADDING), np.inf, domain))

    def keep(self, array: Array) -> int:
        self.kept.append(np.ascontiguousarray(array))
        return int(self.kept[-1].ctypes.data)

    def add(self, planned: Planned) -> None:
        at: dict[str, Any] = dict.fromkeys(INPUT.names or (), 0)
        at["narrow"] = self.domain == "float32"
        at["first_plane"] = len(self.planes)
        if isinstance(planned, CodePlanes):
            at |= {"source": _CODES, "column": planned.column, "n_codes": planned.n_codes}
            self._add_tables(planned.tables)
        elif isinstance(planned, CategoryPlanes):
            source = planned.source
            at |= {"source": _CATEGORY, "n_codes": source.n_codes, "truncate": source.truncate, "negative_other": source.negative_other}
            at |= self._values(planned.feature, "")
            self._add_tables(planned.tables)
        else:
            at |= {"source": _NUMBER} | self._values(planned.feature, planned.source.via) | _rules(planned.source)
            at |= self._thresholds(planned.thresholds, kernels.WIDE)
            at["missing_last"] = bool(planned.missing_right.all())
            self.planes += [(0, int(first), bool(right)) for first, right in zip(planned.first, planned.missing_right, strict=True)]
        at["n_planes"] = len(self.planes) - at["first_plane"]
        self.inputs.append(tuple(at[name] for name in INPUT.names or ()))

    def _add_tables(self, tables: Sequence[Array]) -> None:
        self.planes += [(self.keep(table), 0, False) for table in tables]

    def _thresholds(self, thresholds: Array, wide: bool) -> dict[str, Any]:
        if not len(thresholds):   # planes of values: nothing is ranked
            return {"thresholds": self.none, "wide": wide}
        grid = grid_of(thresholds)
        padded = np.append(thresholds, np.full(max(1 << grid.levels, kernels.PADDING), np.inf, self.domain))
        at: dict[str, Any] = {"thresholds": self.keep(padded), "levels": grid.levels, "wide": wide}
        if len(grid.starts):
            at |= {"starts": self.keep(grid.starts), "low": grid.low, "scale": grid.scale, "n_cells": len(grid.starts)}
        return at

    def _values(self, feature: Number | Computed, via: str) -> dict[str, Any]:
        """Which column is read, as what, and the steps; ``via`` is the forest's own cast."""
        steps: list[Step] = []
        if isinstance(feature, Computed):
            known = [i for i, one in enumerate(self.computed) if one.block is feature.block and one.output == feature.output]
            column, first = self.n_columns + (known[0] if known else len(self.computed)), ""
            if not known:
                self.computed.append(feature)
        else:
            column, first, steps = feature.column, feature.via, list(feature.steps)
        if not first and steps:
            if steps[0].name not in ("float32", "float64"):
                raise ModelError.step_without_dtype(column, steps[0].name)
            first = steps.pop(0).name
        read = first or via or self.domain
        last = next((step.name for step in reversed(steps) if step.name in ("float32", "float64")), read)
        if via and via != last:
            steps.append(Step(via))
        start = len(self.steps)
        self.steps += map(self._step, steps)
        return {"column": column, "narrow_read": read == "float32", "first_step": start, "n_steps": len(steps)}

    def _step(self, step: Step) -> tuple[Any, ...]:
        code = STEP_CODES[step.name]
        if step.name.startswith("count_"):
            edges = np.array(step.operands, np.float64)
            return code, 0.0, 0.0, self.keep(edges), len(edges)
        a, b = (*step.operands, 0.0, 0.0)[:2]
        return code, a, b, 0, 0


def _rules(source: NumberInput) -> dict[str, Any]:
    flush = source.flush if source.flush > 0 else -1.0   # no value's size is at most -1
    rules = {"missing_value": source.missing_value, "zero_missing": source.zero_missing, "flush": flush}
    has = not (np.isnan(source.missing_value) and np.isnan(source.zero_missing)) or source.flush > 0
    return rules | {"has_rules": has}


def value_front(features: Sequence[Feature], contract: FeatureContract, dtype: str, sources: Sequence[NumberInput] | None = None) -> Front:
    """A front end that writes each feature's value as it is, NaN where missing: rows of a matrix.

    ``sources``: what numbers go through besides (LightGBM's linear leaves multiply flushed values).
    """
    planned: list[Planned] = []
    positions = iter(range(len(features)))
    for column, group in groupby(features, lambda feature: feature.column if isinstance(feature, Code | Lookup) else None):
        if column is not None:
            categories = contract.fields[column].categories
            n_codes = 0 if categories is None else len(categories)
            tables = [code_values(feature, n_codes).astype(dtype) for feature in group]   # type: ignore[arg-type]
            planned.append(CodePlanes(column, n_codes, tables))
            for _ in tables:
                next(positions)
            continue
        for feature in group:
            position = next(positions)
            source = sources[position] if sources is not None else NumberInput(via="")
            planned.append(NumberPlanes(feature, source, np.zeros(1, np.int32), np.ones(1, np.bool_), np.empty(0, dtype)))   # type: ignore[arg-type]
    return Front(planned, dtype, contract)
