"""Transformers by themselves, and pipelines that end in one: `transform` with the library's bits and dtype, also from a file and by row."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

import fastframe as ff
from fastframe.errors import UnsupportedModel

RNG = np.random.default_rng(5)
X = np.abs(RNG.normal(size=(90, 4))).round(1)
HOLES = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
Y = (X[:, 0] > 0.6).astype(int)

QUANTILES = {"quantile_method": "averaged_inverted_cdf"} if hasattr(KBinsDiscretizer(), "quantile_method") else {}   # not in scikit-learn 1.6

EXACT = [
    StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler(), Binarizer(threshold=0.5), QuantileTransformer(n_quantiles=40),
    KBinsDiscretizer(encode="ordinal", **QUANTILES),
    Normalizer(), PolynomialFeatures(), VarianceThreshold(0.01), SelectKBest(k=2), SelectFromModel(Ridge()), OneHotEncoder(handle_unknown="ignore"),
    OrdinalEncoder(), TargetEncoder(random_state=0), FunctionTransformer(np.log1p), PowerTransformer(), PowerTransformer(standardize=False),
    make_pipeline(StandardScaler(), PolynomialFeatures(2)),
]  # fmt: skip


@pytest.mark.parametrize("model", EXACT, ids=lambda model: type(model).__name__)
def test_transformers(model: Any, tmp_path: Any) -> None:
    model.fit(X, Y)
    p = ff.compile(model)
    expected = model.transform(X)
    expected = expected.toarray() if hasattr(expected, "toarray") else expected
    p.save(tmp_path / "t.ffp")
    for one in (p, ff.load_predictor(tmp_path / "t.ffp")):
        found = one.transform(X)
        assert found.dtype == expected.dtype and found.tobytes() == np.ascontiguousarray(expected).tobytes()
        rows = np.array([one.predict_row(tuple(row), "transform") for row in X[:9].tolist()])
        assert rows.tobytes() == np.ascontiguousarray(expected[:9]).tobytes()


@pytest.mark.parametrize("model", [SimpleImputer(), MissingIndicator(), StandardScaler(), PowerTransformer()], ids=lambda model: type(model).__name__)
def test_missing_values(model: Any) -> None:
    p = ff.compile(model.fit(HOLES))
    assert np.array_equal(p.transform(HOLES), model.transform(HOLES), equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("power", [0.0, 1e-17, 0.4, 1.0, 2.0, 2 + 1e-15, -3.7])
def test_powers(power: float, dtype: str) -> None:
    large = 1e300 if dtype == "float64" else 1e38
    rows = np.concatenate([X - 1, [[0.0, -0.0, large, -large], [5e-324, -1e-310, 1e-20, np.nan]]]).astype(dtype)
    model = PowerTransformer(standardize=False).fit(rows[:-2])
    model.lambdas_ = np.full(4, power, model.lambdas_.dtype)
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        expected = model.transform(rows)
        found = ff.compile(model, contract=ff.FeatureContract.of_frame({f"x{i}": rows[:, i] for i in range(4)})).transform(rows)
    assert found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=True)
    assert (np.signbit(found) == np.signbit(expected))[~np.isnan(expected)].all()


def test_box_and_cox_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="method='box-cox' is computed by SciPy's own logarithms"):
        ff.compile(PowerTransformer("box-cox").fit(X + 1))


@pytest.mark.parametrize("model", [PCA(2), TruncatedSVD(2), make_pipeline(StandardScaler(), PCA(3))], ids=["pca", "svd", "pipeline"])
def test_projections(model: Any) -> None:
    """The same BLAS call on the same matrix; one row alone is another call, for scikit-learn as well."""
    p = ff.compile(model.fit(X))
    assert p.transform(X).tobytes() == np.ascontiguousarray(model.transform(X)).tobytes()
    assert np.allclose(p.predict_row(tuple(X[0].tolist()), "transform"), model.transform(X[:1])[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("model", [MissingIndicator(), make_pipeline(StandardScaler(), MissingIndicator())])
def test_an_indicator_that_saw_nothing_missing_gives_no_columns(model: Any) -> None:
    with pytest.raises(UnsupportedModel, match="MissingIndicator cannot be compiled: it gives no columns at all"):
        ff.compile(model.fit(X))
    assert np.array_equal(ff.compile(MissingIndicator(features="all").fit(X)).transform(HOLES), np.isnan(HOLES))
    beside = FeatureUnion([("x", StandardScaler()), ("none", MissingIndicator())]).fit(X)
    assert ff.compile(beside).transform(X).tobytes() == np.ascontiguousarray(beside.transform(X)).tobytes()


def test_a_frame_of_what_was_transformed() -> None:
    frame = pd.DataFrame({"n": X[:, 0], "c": np.array(["a", "b"])[Y]})
    model = ColumnTransformer([("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(sparse_output=False), ["c"])]).fit(frame)
    p = ff.compile(model)
    made = ff.DataFrame(frame).predict(p, into="x", method="transform")
    assert list(made.columns) == ["n", "c", "x_0", "x_1", "x_2"]
    assert np.array_equal(made[["x_0", "x_1", "x_2"]].to_numpy(), model.transform(frame))
