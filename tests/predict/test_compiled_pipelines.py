"""Pipelines and models of models all the way: compiled with the self-check, saved, loaded, the same bits on any threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor, RandomForestRegressor, StackingRegressor, VotingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

import fastframe as ff
from fastframe.errors import ContractError, ModelFileError
from tests.predict.test_ensembles import _on_frames, _trees
from tests.predict.test_pipelines import EMPTY, GIVEN, QUERY, UNSEEN, Y, _front

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 5))
Z = X @ [1, 0.5, 0.1, 2, 0] + RNG.normal(size=160)


def _same(fitted: Any, folder: Path, *givens: Any) -> ff.Predictor:
    predictor = ff.compile(fitted)
    predictor.save(folder / "model.ffp")
    loaded = ff.load_predictor(folder / "model.ffp")
    for given in givens:
        expected = np.asarray(fitted.predict(given))
        assert np.asarray(predictor.predict(given)).tobytes() == expected.tobytes()
        assert np.asarray(loaded.predict(given)).tobytes() == expected.tobytes()
    return predictor


@pytest.mark.parametrize("model", [HistGradientBoostingRegressor(max_iter=6), RandomForestRegressor(3, max_depth=5, random_state=0), Ridge()])
def test_pipelines_over_frames(model: Any, tmp_path: Path) -> None:
    fitted = make_pipeline(_front(), model).fit(GIVEN, Y)
    predictor = _same(fitted, tmp_path, QUERY, UNSEEN, EMPTY)
    row = QUERY.iloc[4]
    assert predictor.predict_row({name: row[name] for name in predictor.contract.names}) == fitted.predict(QUERY.iloc[4:5])[0]
    with pytest.raises(ContractError):
        predictor.predict(QUERY.drop(columns="b"))


@pytest.mark.parametrize("model", [
    make_pipeline(PolynomialFeatures(2), StandardScaler(), HistGradientBoostingRegressor(max_iter=5)),
    make_pipeline(StandardScaler(), PCA(3), RandomForestRegressor(3, max_depth=5, random_state=0)),
    StackingRegressor([("a", _trees(3)), ("b", Ridge())], ExtraTreesRegressor(3, max_depth=5, random_state=0), passthrough=True, cv=2),
    TransformedTargetRegressor(_trees(4), func=np.arcsinh, inverse_func=np.sinh), TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
])  # fmt: skip
def test_models_over_arrays(model: Any, tmp_path: Path) -> None:
    _same(model.fit(X, Z), tmp_path, X, X[:1])


def test_voting_over_frames_and_chains(tmp_path: Path) -> None:
    _same(VotingRegressor([("a", _on_frames(_trees(3))), ("b", _on_frames(Ridge()))]).fit(GIVEN, Y), tmp_path, QUERY, UNSEEN)
    _same(RegressorChain(Ridge()).fit(X, np.column_stack([Z, -Z])), tmp_path, X)


def test_probabilities(tmp_path: Path) -> None:
    fitted = make_pipeline(_front(), LogisticRegression(max_iter=1000)).fit(GIVEN, Y > 0)
    predictor = _same(fitted, tmp_path, QUERY)
    assert predictor.predict_proba(QUERY).tobytes() == fitted.predict_proba(QUERY).tobytes()


def _ratio(x: Any) -> Any:
    return x / (1.0 + x * x)


def test_users_functions_run_but_no_file_keeps_them(tmp_path: Path) -> None:
    fitted = make_pipeline(FunctionTransformer(_ratio), _trees(5)).fit(X, Z)
    predictor = ff.compile(fitted)
    assert predictor.predict(X).tobytes() == fitted.predict(X).tobytes()
    with pytest.raises(ModelFileError, match="user"):
        predictor.save(tmp_path / "model.ffp")
