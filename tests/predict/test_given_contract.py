"""`compile(model, contract=...)`: what a model does not keep of the columns that it was fitted on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, PolynomialFeatures, QuantileTransformer, RobustScaler, StandardScaler

import fastframe as ff
from fastframe.errors import ContractError, UnsupportedModel

RNG = np.random.default_rng(5)
N = 300
NUMBERS = pd.DataFrame({name: RNG.normal(size=N).astype(np.float32) for name in "abcd"})   # columns apart, as frames mostly lie
TEXTS = pd.DataFrame({"a": RNG.normal(size=N), "t": pd.Categorical.from_codes(RNG.integers(-1, 4, N), list("zbya"))})


@pytest.mark.parametrize("step", [StandardScaler(), RobustScaler(), Normalizer(), PolynomialFeatures(2), QuantileTransformer(n_quantiles=20)])
@pytest.mark.parametrize("named", [True, False])
def test_float32_columns(step: Any, *, named: bool) -> None:
    given = NUMBERS if named else np.ascontiguousarray(NUMBERS)
    model = step.fit(given)
    native = np.asarray(model.transform(given))
    found = ff.compile(model, contract=ff.FeatureContract.of_frame(NUMBERS)).transform(given)
    assert found.dtype == native.dtype == np.float32
    assert (found == native).all()
    assert ff.compile(model).transform(given).dtype == np.float64   # not told: as of float64 columns


def test_columns_are_taken_by_name() -> None:
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), HistGradientBoostingRegressor(max_iter=5)).fit(NUMBERS, NUMBERS.a * 2)
    contract = ff.FeatureContract.of_frame(NUMBERS[list("dcba")])
    ours = ff.compile(model, contract=contract)
    assert ours.contract.names == list("abcd")
    assert (ours.predict(NUMBERS) == model.predict(NUMBERS)).all()
    assert ff.can_compile(model, contract=contract).ok


def test_contracts_that_do_not_fit() -> None:
    model = StandardScaler().fit(NUMBERS)
    with pytest.raises(ContractError, match="there is no column 'c'.\n- there is no column 'd'."):
        ff.compile(model, contract=ff.FeatureContract.of_frame(NUMBERS[["a", "b"]]))
    with pytest.raises(ContractError, match="2 features came in, but the model takes 4"):
        ff.compile(StandardScaler().fit(NUMBERS.to_numpy()), contract=ff.FeatureContract.of_frame(NUMBERS[["a", "b"]]))
    forest = RandomForestRegressor(2).fit(NUMBERS, NUMBERS.a)
    with pytest.raises(UnsupportedModel, match="RandomForestRegressor takes no contract: it keeps by itself"):
        ff.compile(forest, contract=ff.FeatureContract.of_frame(NUMBERS))


def without_categories(model: Any) -> Any:
    """The booster as XGBoost before 3.1 had it: it keeps no categories, and takes the codes of what comes in."""
    document = json.loads(model.get_booster().save_raw("json"))
    gradient = document["learner"]["gradient_booster"]
    gradient.get("gbtree", gradient)["model"].pop("cats", None)
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(document).encode()))
    return booster


@pytest.mark.parametrize("options", [{}, {"booster": "dart", "rate_drop": 0.3}, {"max_cat_to_onehot": 1}])
def test_categories_of_older_xgboost(options: dict[str, Any], tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=9, enable_categorical=True, tree_method="hist", n_jobs=1, **options)
    booster = without_categories(model.fit(TEXTS, TEXTS.a + TEXTS.t.cat.codes % 3))
    ours = ff.compile(booster, contract=ff.FeatureContract.of_frame(TEXTS))
    native = booster.predict(xgboost.DMatrix(TEXTS, enable_categorical=True))
    assert (ours.predict(TEXTS) == native).all()
    other = TEXTS.assign(t=TEXTS.t.cat.reorder_categories(sorted("zbya")))   # other codes, the same values
    ours.save(tmp_path / "model.ffp")
    assert (ff.load_predictor(tmp_path / "model.ffp").predict(other) == native).all()
    with pytest.raises(ContractError, match="no category of the model: '\\?'"):
        ours.predict({"a": [1.0], "t": ["?"]})


def test_contracts_that_older_xgboost_cannot_have() -> None:
    model = xgboost.XGBRegressor(n_estimators=9, enable_categorical=True, tree_method="hist", n_jobs=1)
    booster = without_categories(model.fit(TEXTS, TEXTS.a + TEXTS.t.cat.codes % 3))
    with pytest.raises(ContractError, match="'t' has categories in the model, and none in the contract"):
        ff.compile(booster, contract=ff.FeatureContract.of_frame(TEXTS.assign(t=1.0)))
    with pytest.raises(UnsupportedModel, match="split by more categories of 't' than the contract has"):
        ff.compile(booster, contract=ff.FeatureContract.of_frame(TEXTS.assign(t=pd.Categorical(["z"] * N))))
    plain = xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(NUMBERS, NUMBERS.a)
    with pytest.raises(UnsupportedModel, match="XGBRegressor takes no contract"):
        ff.compile(plain, contract=ff.FeatureContract.of_frame(NUMBERS))
