"""Frames of every kind, and a read model's answers beside the model's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from fastframe.contract import FeatureContract
from fastframe.predict.model import Model
from fastframe.predict.readers import read_model
from fastframe.predict.readers.sklearn_pipeline import read
from tests.reference.fed_rows import FedRows

Array = np.ndarray[Any, Any]


def frame(n_rows: int = 240, seed: int = 0, *, unseen: bool = False) -> pd.DataFrame:
    """Floats, ints, bools and categories of text and numbers, with missing values and, if asked, categories that are new."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n_rows), rng.normal(size=n_rows) * 100
    a[rng.random(n_rows) < 0.15] = np.nan
    c = rng.choice(["red", "green", "blue", "rare"], n_rows, p=[0.4, 0.3, 0.28, 0.02]).astype(object)
    c[rng.random(n_rows) < 0.1] = np.nan
    t = np.array([f"town {k}" for k in rng.integers(0, 40, n_rows)], object)
    if unseen:
        c[rng.random(n_rows) < 0.1] = "new"
        t[rng.random(n_rows) < 0.1] = "new town"
    return pd.DataFrame({
        "a": a, "b": b, "p": np.abs(rng.normal(size=n_rows)) + 0.1, "i": rng.integers(-5, 30, n_rows), "f": rng.random(n_rows) < 0.4,
        "c": c, "t": t, "d": rng.choice([1, 2, 5, 7, 11], n_rows),
    })  # fmt: skip


def target(given: pd.DataFrame, seed: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    return np.where(np.isnan(given["a"]), 0.3, given["a"]) + given["b"].to_numpy() / 80 + (given["c"] == "red") + rng.normal(size=len(given)) / 5


def answer(model: Model, method: str, given: Any) -> Array:
    return model.methods[method].run(FedRows(model.contract, given))


def assert_bits(got: Array, expected: Any, what: str = "") -> None:
    expected = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected)
    expected = expected.reshape(len(got), -1)
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    if got.dtype.kind == "f":
        expected = expected.astype(got.dtype) if expected.dtype.kind in "iub" else expected
        assert got.dtype == expected.dtype, (what, got.dtype, expected.dtype)
        both = np.isnan(got) & np.isnan(expected.astype(got.dtype))
        word = f"i{got.dtype.itemsize}"
        same = both | (np.ascontiguousarray(got).view(word) == np.ascontiguousarray(expected).view(word))
    else:
        same = got == expected
    at = np.argwhere(~same)
    assert not len(at), (what, len(at), at[0], got[tuple(at[0])], expected[tuple(at[0])])


def batches(given: Any) -> list[Any]:
    """All rows, one row, some rows."""
    cut = given.iloc if hasattr(given, "iloc") else given
    return [given, cut[:1], cut[5:12]]


def whole(transformer: Any) -> Any:
    """A transformer as a pipeline, which is what readers take."""
    return transformer if type(transformer).__name__ in ("Pipeline", "ColumnTransformer", "FeatureUnion") else make_pipeline(transformer)


def check_transform(transformer: Any, *givens: Any, given: FeatureContract | None = None) -> Model:
    """A fitted transformer or pipeline of them gives the same bits read as itself, on every batch."""
    model = read_model(whole(transformer)) if given is None else read(whole(transformer), given)
    for rows in givens:
        for batch in batches(rows):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = transformer.transform(batch)
            assert_bits(answer(model, "transform", batch), expected)
    empty = givens[0].iloc[:0] if hasattr(givens[0], "iloc") else givens[0][:0]
    assert len(answer(model, "transform", empty)) == 0
    return model


def check_model(fitted: Any, *givens: Any, methods: tuple[str, ...] = ("predict",), native: bool = True) -> Model:
    """Bits of each method: against the question that the self-check asks, and (``native``) the model itself."""
    model = read_model(fitted)
    for given in givens:
        for batch in batches(given):
            for method in methods:
                got = answer(model, method, batch)
                assert_bits(got, model.asks[method].method(batch), method)
                if native:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        assert_bits(got, getattr(fitted, method)(batch), method)
    empty = givens[0].iloc[:0] if hasattr(givens[0], "iloc") else givens[0][:0]
    assert len(answer(model, methods[0], empty)) == 0
    return model
