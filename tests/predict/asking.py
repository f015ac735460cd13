"""Asking a read model and the model itself the same: rows at thresholds, and answers compared bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fastframe.predict.forest import CategoryInput
from fastframe.predict.model import Model
from fastframe.predict.scores import ForestScore, Score
from tests.reference.rows import SlowRows

Array = np.ndarray[Any, Any]


def forest_scores(score: Score) -> list[ForestScore]:
    """The forests below a score."""
    if isinstance(score, ForestScore):
        return [score]
    below = getattr(score, "parts", None) or [score.of]   # type: ignore[attr-defined]
    return [one for part in below for one in forest_scores(part)]


def adversarial(model: Model, x: Array, rng: np.random.Generator, n_rows: int = 240, *, missing: bool) -> Array:
    """Rows of ``x`` with some values put at thresholds, beside them, or at the ends of what numbers can be.

    ``x``: float64, one column per field, codes for categories (NaN: missing).
    """
    (score,) = {id(s): s for s in forest_scores(next(iter(model.methods.values())))}.values()
    forest = score.forest
    limit = min([ask.limit for ask in model.asks.values()])
    rows = x[rng.integers(len(x), size=n_rows)].astype(np.float64)
    for j, source in enumerate(forest.inputs):
        column = score.features[j].column   # type: ignore[union-attr]
        if isinstance(source, CategoryInput):
            values = np.append(np.arange(source.n_codes), [np.nan] * missing)
        else:
            values = around(forest.threshold[forest.feature == j], forest.domain, limit)
            values = np.append(values, [np.nan] * (missing * (1 + len(values) // 6)))
        put = rng.random(n_rows) < rng.choice([0.1, 0.9], size=n_rows)   # one or two of a row, or nearly all
        rows[put, column] = rng.choice(values, size=int(put.sum()))
    return rows


def around(thresholds: Array, domain: str, limit: float) -> Array:
    """Thresholds, their neighbours in float32 and float64, what lies between these, and extremes."""
    t = np.unique(thresholds).astype(np.float64)
    t = t[np.isfinite(t)]
    with np.errstate(over="ignore", invalid="ignore"):   # thresholds beyond float32 have no neighbours there
        middle = t.astype(np.float32)
        above, below = (np.nextafter(middle, np.float32(side)).astype(np.float64) for side in (np.inf, -np.inf))
        between = [(middle + above) / 2, (middle + below) / 2]
    parts = [t, np.nextafter(t, np.inf), np.nextafter(t, -np.inf), middle.astype(np.float64), above, below, *between]
    parts += [np.nextafter(between[0], np.inf), np.nextafter(between[1], -np.inf)]
    largest = np.finfo(np.float64).max if limit == np.inf else limit
    ends = [0.0, -0.0, 5e-324, -5e-324, 1e-45, -1e-45, 2.0**24 + 1, 2.0**53, -(2.0**53), largest, -largest, 1e30]
    values = np.concatenate([*parts, ends, [np.inf, -np.inf] if limit == np.inf else []])
    return values[np.abs(values) <= limit]


def native_input(model: Model, rows: Array) -> Any:
    """Rows as the native model takes them: a frame where it has names, else an array."""
    fields = model.contract.fields
    columns: dict[str, Any] = {}
    for j, field in enumerate(fields):
        if field.categories is None:
            columns[field.name] = rows[:, j]
        else:
            values = pd.Index(field.categories.to_pylist())
            codes = np.where(np.isnan(rows[:, j]), -1, rows[:, j]).astype(np.int64)
            columns[field.name] = pd.Categorical.from_codes(codes, values)
    frame = pd.DataFrame(columns)
    return frame if model.contract.named else frame.to_numpy()


def our_rows(model: Model, rows: Array) -> SlowRows:
    columns = [
        rows[:, j] if field.categories is None else np.where(np.isnan(rows[:, j]), -1, rows[:, j]).astype(np.int64)
        for j, field in enumerate(model.contract.fields)
    ]
    return SlowRows(columns)


def compare(model: Model, rows: Array) -> None:
    """Every question of the model's, asked of both: the same bits."""
    given, mine = native_input(model, rows), our_rows(model, rows)
    assert set(model.methods) <= {*model.asks, "margin"}
    for name, ask in model.asks.items():
        with np.errstate(over="ignore", invalid="ignore"):   # scikit-learn adds the matrix up to see whether it is finite
            expected = np.asarray(ask.method(given))
        score = next(iter(forest_scores(model.methods["predict"])))
        answer = mine.program(score).leaves(mine) if name == "leaf" else mine.once(model.methods[name], lambda n=name: model.methods[n].run(mine))   # type: ignore[misc,arg-type]
        assert_same(answer, expected, name, ask.within_ulps)


def assert_same(answer: Array, expected: Array, name: str = "", within_ulps: float = 0.0) -> None:
    """The same shape but for a last 1, and the same bits."""
    expected = expected.reshape(len(expected), -1)
    assert answer.shape == expected.shape, (name, answer.shape, expected.shape)
    if answer.dtype.kind == "f" and expected.dtype.kind == "f" and name != "leaf":
        assert answer.dtype == expected.dtype, name
        if within_ulps == 0:
            word = f"i{answer.dtype.itemsize}"
            answer, expected = np.ascontiguousarray(answer).view(word), np.ascontiguousarray(expected).view(word)
        else:
            assert (np.abs(answer - expected) <= within_ulps * np.spacing(np.abs(expected))).all(), name
            return
    different = np.argwhere(answer != expected)
    assert not len(different), (name, len(different), different[0], answer[tuple(different[0])], expected[tuple(different[0])])
