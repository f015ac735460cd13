"""A model that was read, evaluated by the slow twin, against the native model: shared by the tests of readers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fastframe.contract import Field
from fastframe.predict.decide import Decide
from fastframe.predict.features import Code, Feature, Lookup, Number
from fastframe.predict.forest import Forest
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Model
from fastframe.predict.scores import ForestScore, Score
from tests.reference import forest as slow

Array = np.ndarray[Any, Any]
NAMES = ["amber", "coral", "jade", "onyx", "ruby", "topaz"]
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-40, 1e-35, -1e-35, 1e300, -1e300, 1e38, 16777217.0, -0.5, 2.7]


def probes(forest: Forest, n_features: int, n_rows: int = 100, *, seed: int = 0, infinite: bool = True) -> Array:
    """float64 rows: random ones, in which some values are thresholds, their neighbours in either dtype, and special ones."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    found = forest.threshold[(forest.feature >= 0) & (forest.category_set < 0)]
    found = rng.choice(found, min(len(found), 40), replace=False) if len(found) else np.zeros(1, forest.domain)
    with np.errstate(over="ignore"):
        near = [found, np.nextafter(found, -np.inf, dtype=found.dtype), np.nextafter(found, np.inf, dtype=found.dtype)]
        wide = found.astype(np.float64)
        near += [np.nextafter(wide, -np.inf), np.nextafter(wide, np.inf)]   # between two float32 numbers
    special = [x for x in SPECIAL if infinite or np.isfinite(x) or np.isnan(x)]
    pool = np.concatenate([*(one.astype(np.float64) for one in near), special, special])
    chosen = rng.random(X.shape) < 0.5
    X[chosen] = rng.choice(pool, int(chosen.sum()))
    for row, value in enumerate(special[:n_rows]):
        X[row, row % n_features] = value
    return X


def frame(seed: int = 0, n_rows: int = 300) -> pd.DataFrame:
    """Categories of text and of numbers, floats of which some are missing, bools and integers."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "stone": pd.Categorical(rng.choice(NAMES, n_rows), NAMES),
            "size": np.where(rng.random(n_rows) < 0.1, np.nan, rng.normal(size=n_rows)),
            "grade": pd.Categorical(rng.choice([10, 20, 35, 50], n_rows), [10, 20, 35, 50]),
            "flag": rng.random(n_rows) < 0.5,
            "count": rng.integers(0, 9, n_rows),
        }
    )


def column(feature: Feature, X: Any, fields: tuple[Field, ...]) -> Array:
    """What a forest's input is fed: numbers, or codes with -1 for missing."""
    values = X[:, feature.column] if isinstance(X, np.ndarray) else X[fields[feature.column].name]  # type: ignore[union-attr]
    if isinstance(feature, Number):
        values = np.asarray(values)
        with np.errstate(over="ignore"):
            return values.astype(np.float32) if feature.steps else values
    categories = fields[feature.column].categories.to_pylist()  # type: ignore[union-attr]
    plain = pd.Series(np.asarray(values, object))
    known = {category: code for code, category in enumerate(categories)}
    codes = np.array([-1 if pd.isna(one) else known.get(one, len(categories)) for one in plain])
    if isinstance(feature, Code):
        return codes
    assert isinstance(feature, Lookup)
    return feature.values[np.where(codes == -1, len(categories) + 1, codes)]


def columns(score: ForestScore, model: Model, X: Any) -> list[Array]:
    return [column(feature, X, model.contract.fields) for feature in score.features]


def evaluate(node: Score, sums: Array) -> Array:
    """What a node makes of its forest's sums."""
    if isinstance(node, ForestScore):
        return sums
    assert isinstance(node, Link | BothClasses | Decide)
    return node.apply(evaluate(node.of, sums))


def assert_same(model: Model, X: Any) -> None:
    """Every method of the model, and its leaves, equal the native answer to the bit."""
    margin = model.methods["margin"]
    assert isinstance(margin, ForestScore)
    fed = columns(margin, model, X)
    sums = slow.sums(margin.forest, fed)
    for name, node in model.methods.items():
        mine, native = evaluate(node, sums), np.asarray(model.asks[name].method(X))
        mine = mine[:, 0] if mine.shape[1] == 1 and native.ndim == 1 else mine
        assert mine.dtype == native.dtype and mine.shape == native.shape, (name, mine.dtype, native.dtype, mine.shape, native.shape)
        if mine.dtype.kind == "f":
            integer = {4: np.uint32, 8: np.uint64}[mine.itemsize]
            equal = (mine.view(integer) == np.ascontiguousarray(native).view(integer)) | (np.isnan(mine) & np.isnan(native))
        else:
            equal = mine == native
        assert equal.all(), (name, np.argwhere(~equal)[:3], mine[~equal][:3], native[~equal][:3])
    assert set(model.asks) == {*model.methods, "leaf"}
    assert (slow.leaves(margin.forest, fed) == model.asks["leaf"].method(X)).all()
