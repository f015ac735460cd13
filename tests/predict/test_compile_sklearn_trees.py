"""scikit-learn's tree models through `compile`: the self-check, the engines, files, and answers on data of their kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

import fastframe as ff
from fastframe.predict.check import differing, side_by_side

METHODS = ("predict", "predict_proba", "decision_function", "score_samples")


def frames(seed: int = 0, n: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "length": rng.normal(size=n), "count": rng.integers(0, 50, n).astype(np.float64), "large": rng.normal(size=n) * 1e9,
        "tiny": (rng.normal(size=n) * 1e-3).astype(np.float32),
    })  # fmt: skip
    return frame, (frame["length"] + np.sign(frame["count"] - 20) + rng.normal(size=n) / 3).to_numpy()


def same(model: Any, frame: pd.DataFrame, tmp_path: Path) -> Any:
    """Compile (which checks thresholds), then compare on rows, from a file as well."""
    compiled = ff.compile(model)
    if hasattr(model, "n_jobs"):
        model.set_params(n_jobs=1)
    compiled.save(tmp_path / "model.ffp")
    for predictor in (compiled, ff.load_predictor(tmp_path / "model.ffp")):
        for method in (name for name in METHODS if name in predictor.methods):
            expected = side_by_side(getattr(model, method)(frame))
            assert not differing(side_by_side(predictor.answer(method, frame)), expected).any(), method
            row = predictor.predict_row(frame.iloc[7].to_dict(), method)   # pandas puts NaN where a category is missing
            assert not differing(np.reshape(row, (1, -1)), expected[7:8]).any(), method
    return compiled


@pytest.mark.parametrize("model", [
    DecisionTreeRegressor(), RandomForestRegressor(5, n_jobs=2), RandomForestClassifier(5), ExtraTreesClassifier(5, max_depth=5),
    DecisionTreeClassifier(max_depth=3), GradientBoostingRegressor(n_estimators=8), GradientBoostingClassifier(n_estimators=8),
    HistGradientBoostingRegressor(max_iter=8), HistGradientBoostingClassifier(max_iter=8), IsolationForest(n_estimators=8),
], ids=lambda model: type(model).__name__)  # fmt: skip
def test_models_on_a_frame_with_missing_values(model: Any, tmp_path: Path) -> None:
    frame, y = frames()
    takes_missing = "Gradient" not in type(model).__name__ or "Hist" in type(model).__name__
    if takes_missing:
        frame[frame > 1e9] = np.nan
        frame.loc[::7, "length"] = np.nan
    target = np.digitize(y, [-1, 1]) if "Classifier" in type(model).__name__ else y
    with threadpool_limits(1):
        compiled = same(model.set_params(random_state=0).fit(frame, target), frame, tmp_path)
    assert compiled.explain().guarantee.startswith("exact")
    if not takes_missing:
        frame.loc[3, "length"] = np.nan
        with pytest.raises(ff.errors.ContractError, match="length"):
            compiled.predict(frame)


def test_several_outputs(tmp_path: Path) -> None:
    data = datasets.load_linnerud(as_frame=True)
    same(RandomForestRegressor(4, random_state=0).fit(data.data, data.target), data.data, tmp_path)
    classes = np.stack([np.digitize(data.target["Weight"], [170, 190]), data.target["Pulse"] > 55], axis=1).astype(int)
    model = RandomForestClassifier(4, random_state=0).fit(data.data, classes)
    compiled = same(model, data.data, tmp_path)
    assert [one.shape for one in compiled.predict_proba(data.data)] == [(20, 3), (20, 2)]


@pytest.mark.parametrize("k", [3, 40, 200])
def test_categories_of_histogram_boosting(k: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame, y = frames(n=max(400, 3 * k))
    frame["city"] = pd.Categorical.from_codes(rng.integers(-1, k, len(frame)), [f"c{i:03d}" for i in rng.permutation(k)])
    target = y + frame["city"].cat.codes.to_numpy() % 5
    with threadpool_limits(1):
        compiled = same(HistGradientBoostingRegressor(max_iter=8, random_state=0).fit(frame, target), frame, tmp_path)
        shuffled = frame.assign(city=frame["city"].cat.reorder_categories(sorted(frame["city"].cat.categories, reverse=True)))
        assert np.array_equal(compiled.predict(shuffled), compiled.predict(frame))
        text = frame.assign(city=frame["city"].astype(object).where(frame["city"].notna(), None))
        assert np.array_equal(compiled.predict(text), compiled.predict(frame))
        others = frame.assign(city=pd.Categorical(["elsewhere"] * len(frame)))
        nowhere = frame.assign(city=pd.Categorical([None] * len(frame), categories=frame["city"].cat.categories))
        assert np.array_equal(compiled.predict(others), compiled.predict(nowhere))   # as the model: unseen is missing


def test_margins_leaves_and_stages() -> None:
    frame, y = frames()
    model = GradientBoostingClassifier(n_estimators=5, random_state=0).fit(frame, np.digitize(y, [-1, 1]))
    compiled = ff.compile(model)
    assert np.array_equal(compiled.leaf(frame), model.apply(frame.to_numpy()).reshape(len(frame), -1))
    assert np.array_equal(compiled.margin(frame), model.decision_function(frame))
    stages = compiled.staged(frame, every=3)
    expected = np.stack(list(model.staged_decision_function(frame)), axis=1)
    assert np.array_equal(stages, expected)
