"""The fitted models that are compared, the rows they predict, and their files.

Everything lies in ``data/bench/predict``: a model as ``<name>.joblib``, in its library's own format where it has one, and
the rows as ``rows_<n>.npy`` (float32, 30 columns) or ``rows_<n>.parquet`` (with nulls and categories).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

N_COLUMNS = 30
TRAINING_ROWS = 200_000
FOREST_ROWS = 50_000
CITIES = [f"city {number:02d}" for number in range(40)]
SHOPS = [f"shop {number:04d}" for number in range(2000)]


def matrix(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and a target that depends on six of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_COLUMNS)).astype(np.float32)
    y = X[:, 0] * 2 + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3] + (X[:, 4] > 0.3) * X[:, 5] + rng.normal(size=n_rows) * 0.3
    return X, y


def frame(n_rows: int, seed: int) -> tuple[Any, np.ndarray]:
    """A pandas frame with missing numbers and two columns of text, one of few and one of many values, and a target."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n_rows, 12))
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    city, shop = rng.integers(0, len(CITIES), n_rows), rng.integers(0, len(SHOPS), n_rows)
    out = pd.DataFrame({f"n{place}": numbers[:, place] for place in range(12)})
    out["city"] = pd.Categorical.from_codes(city, CITIES)
    out["shop"] = pd.Categorical.from_codes(shop, SHOPS)
    y = np.nan_to_num(numbers[:, 0]) * 2 + np.sin(np.nan_to_num(numbers[:, 1])) + city % 7 * 0.3 + shop % 13 * 0.2 + rng.normal(size=n_rows) * 0.3
    return out, y


def _forest_regressor() -> Any:
    from sklearn.ensemble import RandomForestRegressor

    X, y = matrix(FOREST_ROWS, 1)
    return RandomForestRegressor(100, max_depth=12, n_jobs=2, random_state=0, max_features=0.33).fit(X, y)


def _forest_classifier() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    X, y = matrix(FOREST_ROWS, 1)
    return RandomForestClassifier(100, n_jobs=2, random_state=0).fit(X, (y > 0).astype(int))


def _hist() -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=200, max_leaf_nodes=31, early_stopping=False).fit(*matrix(TRAINING_ROWS, 1))


def _xgboost() -> Any:
    import xgboost

    return xgboost.XGBRegressor(n_estimators=500, max_depth=6, n_jobs=2, tree_method="hist").fit(*matrix(TRAINING_ROWS, 1))


def _lightgbm() -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(n_estimators=500, num_leaves=31, n_jobs=2, verbose=-1).fit(*matrix(TRAINING_ROWS, 1))


def _pipeline() -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

    numbers = [f"n{place}" for place in range(12)]
    encoders = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("city", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["city"]),
        ("shop", TargetEncoder(random_state=0), ["shop"]),
    ])  # fmt: skip
    model = HistGradientBoostingRegressor(max_iter=200, early_stopping=False, random_state=0)
    return make_pipeline(encoders, model).fit(*frame(TRAINING_ROWS, 1))


@dataclass(frozen=True)
class Fitted:
    """One model that is compared.

    Attributes
    ----------
    text : str
        What it is, for the table.
    fit : callable
    method : str
        What is asked.
    library : str
    target : float
        Our time over the native model's, at most.
    """

    text: str
    fit: Callable[[], Any]
    library: str
    target: float
    method: str = "predict"

    @property
    def takes_frames(self) -> bool:
        return self.library == "pipeline"


MODELS = {
    "rf": Fitted("RandomForestRegressor 100 x depth 12", _forest_regressor, "sklearn", 0.20),
    "rfc": Fitted("RandomForestClassifier 100, full depth", _forest_classifier, "sklearn", 0.25, "predict_proba"),
    "hgb": Fitted("HistGradientBoostingRegressor 200 x 31 leaves", _hist, "sklearn", 0.08),
    "xgb": Fitted("XGBRegressor 500 x depth 6", _xgboost, "xgboost", 0.30),
    "lgb": Fitted("LGBMRegressor 500 x 31 leaves", _lightgbm, "lightgbm", 0.09),
    "pipe": Fitted("imputer, scaler, one-hot, target encoder, HGB", _pipeline, "pipeline", 0.15),
}


def prepare(names: list[str], sizes: list[int], folder: Path) -> None:
    """Fit and store what is not there yet."""
    import joblib

    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.joblib"
        if path.exists():
            continue
        model = MODELS[name].fit()
        if MODELS[name].library == "xgboost":
            model.save_model(folder / f"{name}.ubj")
        if MODELS[name].library == "lightgbm":
            model.booster_.save_model(folder / f"{name}.txt")
        joblib.dump(model, path)
    for n_rows in sizes:
        if not (folder / f"rows_{n_rows}.npy").exists():
            np.save(folder / f"rows_{n_rows}.npy", matrix(n_rows, 2)[0])
        if not (folder / f"rows_{n_rows}.parquet").exists():
            frame(n_rows, 2)[0].to_parquet(folder / f"rows_{n_rows}.parquet")
