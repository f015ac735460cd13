"""The slow twin of a batch matched to a contract: values by NumPy, features one step after another, forests walked slowly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.predict import steps
from fastframe.predict.features import Block, Code, Computed, Feature, Lookup, Number
from fastframe.predict.scores import ForestScore
from tests.reference.rows import SlowProgram

Array = np.ndarray[Any, Any]


class Refused(Exception):
    """The contract does not take these rows."""


class FedRows:
    """A pandas frame (columns by name) or a matrix (by position), matched to a contract one value at a time."""

    def __init__(self, contract: FeatureContract, given: Any) -> None:
        self.n_rows = len(given)
        take = (lambda i, name: given[name].tolist()) if contract.named else (lambda i, name: given[:, i].tolist())
        self.columns = [_matched(field, take(i, field.name)) for i, field in enumerate(contract.fields)]
        self.n_codes = [0 if field.categories is None else len(field.categories) for field in contract.fields]
        self._made: dict[Any, Any] = {}

    def once(self, node: Any, make: Callable[[], Any]) -> Any:
        if node not in self._made:
            self._made[node] = make()
        return self._made[node]

    def matrix(self, features: Sequence[Feature], dtype: Any = np.float64) -> Array:
        columns = [self.feature(one).astype(dtype) for one in features]
        return np.ascontiguousarray(np.column_stack(columns)) if columns else np.empty((self.n_rows, 0), dtype)

    def feature(self, feature: Feature) -> Array:
        if isinstance(feature, Computed):
            return self._block(feature.block)[:, feature.output]
        column = self.columns[feature.column]
        if isinstance(feature, Number):
            return steps.apply(feature.steps, column.astype(feature.via) if feature.via else column)
        n_codes = self.n_codes[feature.column]
        if isinstance(feature, Lookup):
            assert len(feature.values) == n_codes + 2
            return feature.values[column]
        assert isinstance(feature, Code)
        return np.where(column == n_codes + 1, -1, column)

    def _block(self, block: Block) -> Array:
        values: Array = self.once(block, lambda: block.function(self.matrix(block.inputs, block.dtype)))
        assert values.shape == (self.n_rows, block.n_outputs) and values.dtype.kind == "f"
        return values

    def program(self, score: ForestScore) -> SlowProgram:
        return SlowProgram(score, self)

    def fed(self, node: Any, matrix: Array) -> FedRows:
        made = FedRows.__new__(FedRows)
        made.n_rows, made.columns, made._made = len(matrix), list(matrix.T), {}
        made.n_codes = [0] * matrix.shape[1]
        return made


def _matched(field: Any, values: list[Any]) -> Array:
    missing = [value is None or value != value for value in values]
    if any(missing) and not field.nullable:
        raise Refused(f"{field.name} is missing somewhere")
    if field.categories is None:
        return np.array([np.nan if m else v for m, v in zip(missing, values, strict=True)], field.dtype.numpy)
    place = {value: code for code, value in enumerate(field.categories.to_pylist())}
    n = len(place)
    codes = [n + 1 if m else place.get(v, n) for m, v in zip(missing, values, strict=True)]
    if field.unseen == "error" and n in codes:
        raise Refused(f"{field.name} has a value that is no category")
    return np.array([n + 1 if field.unseen == "missing" and code == n else code for code in codes], np.int64)
