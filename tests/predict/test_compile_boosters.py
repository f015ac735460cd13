"""Compiled boosters on the real engines: the self-check passes, and whole frames have the native bits."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

import fastframe as ff
from fastframe.errors import ContractError
from fastframe.predict.predictor import compile as compile_model

RNG = np.random.default_rng(3)
X = np.where(RNG.random((400, 5)) < 0.1, np.nan, RNG.normal(size=(400, 5)))
SIGNAL = np.nan_to_num(X[:, 0]) * 2 + np.nan_to_num(X[:, 1] * X[:, 2])
CLASSES = np.digitize(SIGNAL, [-1, 1])
NAMES = ["amber", "coral", "jade", "onyx", "ruby"]


def frame(n_rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "stone": pd.Categorical(rng.choice([*NAMES, None], n_rows), NAMES),
            "size": np.where(rng.random(n_rows) < 0.1, np.nan, rng.normal(size=n_rows)),
            "grade": pd.Categorical(rng.choice([10, 20, 35, 50], n_rows), [10, 20, 35, 50]),
        }
    )


def label(df: pd.DataFrame) -> Any:
    return df["stone"].cat.codes % 3 + df["grade"].cat.codes * 0.7 + df["size"].fillna(3)


def codes_model() -> xgb.Booster:
    data = np.c_[RNG.permutation(np.arange(400) % 40), X[:, 0]]
    matrix = xgb.DMatrix(data, np.sin(data[:, 0]), feature_types=["c", "q"], enable_categorical=True, nthread=1)
    return xgb.train({"max_depth": 4, "max_cat_to_onehot": 1, "nthread": 1}, matrix, 5)


XGB = {"n_jobs": 1, "n_estimators": 8, "max_depth": 4}
LGB = {"n_jobs": 1, "n_estimators": 8, "num_leaves": 9, "min_child_samples": 5, "verbose": -1}
ARRAYS = {
    "xgboost": lambda: xgb.XGBRegressor(**XGB).fit(X, SIGNAL),
    "xgboost, missing": lambda: xgb.XGBRegressor(**XGB, missing=-1.0).fit(np.nan_to_num(X, nan=-1.0), SIGNAL),
    "xgboost, binary": lambda: xgb.XGBClassifier(**XGB).fit(X, SIGNAL > 0),
    "xgboost, classes": lambda: xgb.XGBClassifier(**XGB).fit(X, CLASSES),
    "xgboost, softmax": lambda: xgb.XGBClassifier(**XGB, objective="multi:softmax").fit(X, CLASSES),
    "xgboost, labels": lambda: xgb.XGBClassifier(**XGB).fit(X, np.c_[SIGNAL > 0, X[:, 0] > 0] * 1),
    "xgboost, dart": lambda: xgb.XGBRegressor(**XGB, booster="dart", rate_drop=0.4).fit(X, SIGNAL),
    "xgboost, dart booster": lambda: xgb.XGBRegressor(**XGB, booster="dart", rate_drop=0.4).fit(X, SIGNAL).get_booster(),
    "xgboost, Poisson": lambda: xgb.XGBRegressor(**XGB, objective="count:poisson").fit(X, np.abs(SIGNAL)),
    "xgboost, codes": codes_model,
    "lightgbm": lambda: lgb.LGBMRegressor(**LGB).fit(X, SIGNAL),
    "lightgbm, zero missing": lambda: lgb.LGBMRegressor(**LGB, zero_as_missing=True).fit(X, SIGNAL),
    "lightgbm, none missing": lambda: lgb.LGBMRegressor(**LGB, use_missing=False).fit(X, SIGNAL),
    "lightgbm, binary": lambda: lgb.LGBMClassifier(**LGB).fit(X, np.where(SIGNAL > 0, "yes", "no")),
    "lightgbm, classes": lambda: lgb.LGBMClassifier(**LGB).fit(X, CLASSES),
    "lightgbm, linear": lambda: lgb.LGBMRegressor(**LGB, linear_tree=True).fit(X, SIGNAL),
    "lightgbm, forest": lambda: lgb.LGBMRegressor(**LGB, boosting_type="rf", bagging_freq=1, bagging_fraction=0.6).fit(X, SIGNAL),
    "lightgbm, codes": lambda: lgb.LGBMRegressor(**LGB).fit(np.c_[np.arange(400) % 40, X], SIGNAL, categorical_feature=[0]),
}
FRAMES = {
    "xgboost": lambda: xgb.XGBRegressor(**XGB, enable_categorical=True, max_cat_to_onehot=2).fit(frame(), label(frame())),
    "lightgbm": lambda: lgb.LGBMRegressor(**LGB, min_data_per_group=5).fit(frame(), label(frame())),
}


def assert_bits(mine: Any, native: Any) -> None:
    mine, native = np.asarray(mine), np.asarray(native)
    assert mine.shape == native.shape
    if mine.dtype.kind == "f":
        assert mine.dtype == native.dtype and np.array_equal(mine, native, equal_nan=True)
    else:
        assert (mine == native).all()


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str) -> None:
    native = ARRAYS[name]()
    p = compile_model(native)   # which checks itself
    data = np.random.default_rng(5).normal(size=(3000, len(p.contract.names)))
    data[::9, 0] = np.nan
    if isinstance(native, xgb.Booster):
        dart = "dart" in name
        expected = native.predict(xgb.DMatrix(data, nthread=1)) if dart else native.inplace_predict(data)
    else:
        expected = native.predict(data)
    answers = []
    for threads in (1, 2):
        with ff.option_context(threads=threads):
            answers.append(p.predict(data))
    assert_bits(answers[0], expected)
    assert_bits(answers[1], expected)
    if hasattr(native, "predict_proba"):
        assert_bits(p.predict_proba(data), native.predict_proba(data))


@pytest.mark.parametrize("name", FRAMES)
def test_frames(name: str) -> None:
    native = FRAMES[name]()
    p = compile_model(native)
    rows = frame(2000, seed=1)
    expected = native.predict(rows)
    assert_bits(p.predict(ff.DataFrame(rows)), expected)
    permuted = rows[["grade", "size", "stone"]].assign(stone=rows["stone"].cat.reorder_categories(NAMES[::-1]))
    assert_bits(p.predict(ff.DataFrame(permuted)), expected)


def test_unseen_categories() -> None:
    rows = frame(60, seed=2)
    rows["stone"] = pd.Categorical(["basalt"] * 60)
    with pytest.raises(ContractError, match="basalt"):
        compile_model(FRAMES["xgboost"]()).predict(ff.DataFrame(rows))
    native = FRAMES["lightgbm"]()
    assert_bits(compile_model(native).predict(ff.DataFrame(rows)), native.predict(rows))
