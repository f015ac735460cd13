"""Models of LightGBM, read and evaluated slowly, have the bits of LightGBM's own prediction."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from fastframe.errors.models import ModelError, UnsupportedModel
from fastframe.predict.forest import CategoryInput, Forest, NumberInput
from fastframe.predict.model import Model
from fastframe.predict.readers import read_model
from fastframe.predict.readers.lightgbm import read
from fastframe.predict.readers.lightgbm_trees import ZERO, saved
from fastframe.predict.scores import ForestScore
from tests.predict.native import NAMES, Array, assert_same, frame, probes

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 4))
X[RNG.random(X.shape) < 0.15] = 0
SIGNAL = 2 * X[:, 0] + X[:, 1] * X[:, 2] + RNG.normal(0, 0.1, 300)
WITH_MISSING = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
CLASSES = np.digitize(SIGNAL, [-1.5, 0, 1.5])
QUIET = {"verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True}


def forest_of(model: Model) -> Forest:
    margin = model.methods["margin"]
    assert isinstance(margin, ForestScore)
    return margin.forest


def train(data: Any, label: Any, rounds: int = 6, categories: Any = "auto", **params: Any) -> lgb.Booster:
    given = {"num_leaves": 7, "min_data_in_leaf": 5, "learning_rate": 0.3, **QUIET, **params}
    group = [30] * 10 if params.get("objective") in ("lambdarank", "rank_xendcg") else None
    return lgb.train(given, lgb.Dataset(data, label, group=group, categorical_feature=categories, params=QUIET), rounds)


def check(native: Any) -> Model:
    model = read(native)
    assert_same(model, probes(forest_of(model), len(model.contract.fields)))
    return model


POSITIVE = {"poisson", "gamma", "tweedie"}
SHARES = {"binary", "cross_entropy", "cross_entropy_lambda"}


@pytest.mark.parametrize(
    "objective",
    ["regression", "regression_l1", "huber", "fair", "quantile", "mape", *sorted(POSITIVE), *sorted(SHARES), "lambdarank", "rank_xendcg"],
)
def test_objectives(objective: str) -> None:
    label = np.abs(SIGNAL) + 0.1 if objective in POSITIVE else (SIGNAL > 0) * 1.0 if objective in SHARES else SIGNAL
    if objective in ("lambdarank", "rank_xendcg"):
        label = CLASSES
    assert set(check(train(WITH_MISSING, label, objective=objective)).methods) == {"margin", "predict"}


@pytest.mark.parametrize("objective", ["regression", "regression_l1"])
def test_square_roots(objective: str) -> None:
    native = train(X, 10 * SIGNAL, objective=objective, reg_sqrt=True)
    assert "sqrt" in native.model_to_string()
    check(native)


@pytest.mark.parametrize("objective", ["multiclass", "multiclassova"])
def test_several_classes(objective: str) -> None:
    forest = forest_of(check(train(WITH_MISSING, CLASSES, 4, objective=objective, num_class=4)))
    assert forest.tree_output.tolist() == [0, 1, 2, 3] * 4


@pytest.mark.parametrize("sigmoid", [1.0, 0.5, 0.123456789])
@pytest.mark.parametrize("objective", ["binary", "multiclassova"])
def test_sigmoid_parameter(objective: str, sigmoid: float) -> None:
    """The text holds 6 digits of it; a booster that still trains knows more."""
    classes = {"num_class": 4} if objective == "multiclassova" else {}
    label = CLASSES if classes else (SIGNAL > 0) * 1
    check(train(X, label, 3, objective=objective, sigmoid=sigmoid, **classes))
    params = {"objective": objective, "sigmoid": sigmoid, "num_leaves": 7, **classes, **QUIET}
    kept = lgb.train(params, lgb.Dataset(X, label, params=QUIET), 3, keep_training_booster=True)
    check(kept)


# Missing values

MISSING = {"none": {"use_missing": False}, "zero": {"zero_as_missing": True}, "nan": {}}


@pytest.mark.parametrize(("kind", "linear"), [("none", False), ("zero", False), ("nan", False), ("none", True), ("nan", True)])
def test_missing_types(kind: str, linear: bool) -> None:
    data = np.where(np.isnan(WITH_MISSING), 0, WITH_MISSING) if kind == "none" else WITH_MISSING
    native = train(data, SIGNAL, linear_tree=linear, **MISSING[kind])
    types = set(np.concatenate([tree.missing_type for tree in saved(native.model_to_string()).trees]).tolist())
    assert {"none": 0, "zero": 1, "nan": 2}[kind] in types
    model = read(native)
    rows = probes(forest_of(model), 4)
    near_zero = [0.0, -0.0, ZERO, -ZERO, np.nextafter(ZERO, 1), -np.nextafter(ZERO, 1), np.nextafter(ZERO, 0), 1e-36, np.nan, 5e-324]
    rows[:60, 1] = np.resize(near_zero, 60)
    rows[20:80, 0] = np.resize(near_zero[::-1], 60)
    assert_same(model, rows)


def test_missing_as_zero_goes_where_zero_goes() -> None:
    """With a negative threshold too (onnxmltools#488)."""
    forest = forest_of(check(train(X, SIGNAL, use_missing=False)))
    inner = forest.feature >= 0
    assert (forest.missing_left == (inner & (forest.threshold >= 0))).all()
    assert (forest.threshold[inner] < 0).any() and (forest.threshold[inner] > 0).any()


def test_a_feature_whose_nodes_disagree_on_what_is_missing_has_two_inputs() -> None:
    """Nodes with and without zero_as_missing in one model: as text that was edited, or trained on with other parameters."""
    text = train(WITH_MISSING, SIGNAL, zero_as_missing=True).model_to_string()
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if line.startswith("decision_type="):   # every other node: NaN instead of zero
            kinds = [int(kind) + (4 if n % 2 else 0) for n, kind in enumerate(line.partition("=")[2].split())]
            lines[at] = "decision_type=" + " ".join(map(str, kinds)) + "\n"
            assert {(kind >> 2) & 3 for kind in kinds} == {1, 2}
    edited = "".join(lines)
    sizes = [len(part) for part in edited[edited.index("Tree=0") : edited.index("end of trees")].split("Tree=")[1:]]
    edited = edited.replace(
        next(line for line in lines if line.startswith("tree_sizes=")), "tree_sizes=" + " ".join(str(n + 5) for n in sizes) + "\n"
    )
    model = check(lgb.Booster(model_str=edited))
    margin = model.methods["margin"]
    assert isinstance(margin, ForestScore)
    assert len(margin.features) > 4 == len(model.contract.fields)
    fed = [(feature, one.zero_missing) for feature, one in zip(margin.features, margin.forest.inputs, strict=True) if isinstance(one, NumberInput)]
    assert any(np.isnan(rule) for _, rule in fed) and any(rule == ZERO for _, rule in fed)


# Kinds of trees


def test_linear_leaves() -> None:
    forest = forest_of(check(train(WITH_MISSING, SIGNAL, linear_tree=True)))
    assert forest.linear is not None and len(forest.linear.feature) > forest.n_trees


def test_linear_leaves_of_several_classes() -> None:
    check(train(X, CLASSES, 3, objective="multiclass", num_class=4, linear_tree=True))


@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass"])
def test_random_forests_divide_what_they_predict(objective: str) -> None:
    label = SIGNAL if objective == "regression" else CLASSES if objective == "multiclass" else (SIGNAL > 0) * 1
    classes = {"num_class": 4} if objective == "multiclass" else {}
    native = train(X, label, 7, objective=objective, boosting="rf", bagging_freq=1, bagging_fraction=0.6, **classes)
    assert "average_output" in native.model_to_string()
    check(native)


def test_dart() -> None:
    check(train(X, SIGNAL, 10, boosting="dart", drop_rate=0.5))


def test_trees_of_one_leaf() -> None:
    forest = forest_of(check(train(X, SIGNAL, 3, min_data_in_leaf=300)))
    assert forest.feature.tolist() == [-1] * forest.n_trees
    check(train(X, SIGNAL, 3, min_data_in_leaf=300, linear_tree=True))


def test_predicts_up_to_the_best_iteration() -> None:
    native = lgb.LGBMRegressor(n_estimators=60, learning_rate=0.9, num_leaves=15, min_child_samples=3, n_jobs=1, verbose=-1)
    native.fit(X[:150], SIGNAL[:150], eval_X=X[150:], eval_y=SIGNAL[150:] + RNG.normal(0, 2, 150), callbacks=[lgb.early_stopping(3, verbose=False)])
    assert forest_of(check(native)).n_trees == native.best_iteration_ < 60
    assert forest_of(check(native.booster_)).n_trees == native.best_iteration_


def test_a_model_that_was_saved_and_loaded() -> None:
    check(lgb.Booster(model_str=train(WITH_MISSING, (SIGNAL > 0) * 1, objective="binary", sigmoid=0.7).model_to_string()))


def test_float32_matrices_and_integers() -> None:
    model = read(train(np.round(X * 1e6), SIGNAL))
    rows = probes(forest_of(model), 4, infinite=False)
    with np.errstate(over="ignore"):
        assert_same(model, rows.astype(np.float32))
    assert_same(model, np.nan_to_num(rows, nan=3).clip(-1e18, 1e18).astype(np.int64))


# scikit-learn's classes


@pytest.mark.parametrize(
    ("label", "objective"),
    [(SIGNAL > 0, None), (np.where(SIGNAL > 0, "yes", "no"), None), (CLASSES * 10, None), (np.array(["a", "b", "c", "d"])[CLASSES], None),
     (CLASSES, "multiclassova"), ((SIGNAL > 0) * 1, "cross_entropy")],
)  # fmt: skip
def test_classifiers(label: Array, objective: str | None) -> None:
    native = lgb.LGBMClassifier(n_estimators=4, num_leaves=7, objective=objective, n_jobs=1, verbose=-1).fit(WITH_MISSING, label)
    model = read_model(native)
    decides = {"decision_function"} if hasattr(native, "decision_function") else set()   # since 4.7
    assert set(model.methods) == {"margin", "predict", "predict_proba"} | decides and model.task == "classification"
    assert_same(model, probes(forest_of(model), 4))


def test_regressor_and_ranker() -> None:
    assert check(lgb.LGBMRegressor(n_estimators=4, n_jobs=1, verbose=-1).fit(X, SIGNAL)).task == "regression"
    assert check(lgb.LGBMRanker(n_estimators=4, n_jobs=1, verbose=-1).fit(X, CLASSES, group=[30] * 10)).task == "ranking"


# Categories


@pytest.mark.parametrize("n_categories", [5, 31, 32, 33, 64, 256])
def test_categories_as_codes(n_categories: int) -> None:
    data = RNG.normal(size=(800, 3))
    data[:, 0] = RNG.permutation(np.arange(800) % n_categories)
    data[::19, 0] = np.nan
    native = train(data, np.sin(np.nan_to_num(data[:, 0]) * 7) + data[:, 1], categories=[0], min_data_in_leaf=2, cat_smooth=1, min_data_per_group=2)
    model = read(native)
    source = forest_of(model).inputs[0]
    assert isinstance(source, CategoryInput) and 0 < source.n_codes <= n_categories
    rows = probes(forest_of(model), 3)
    edges = [0, 30, 31, 32, 33, 62, 63, 64, 65, 254, 255, 256, n_categories - 1, n_categories, -1, -0.5, 0.5, 2.7, 1 - 1e-9, 2147483647.0, 1e30]
    rows[:, 0] = np.resize([*edges, np.nan, np.inf, -np.inf, *range(40)], len(rows))
    assert_same(model, rows)


def fitted() -> lgb.LGBMRegressor:
    df = frame()
    label = df["stone"].cat.codes % 3 + df["grade"].cat.codes * 0.7 + df["size"].fillna(3) + df["flag"] * df["count"]
    native = lgb.LGBMRegressor(n_estimators=6, num_leaves=9, min_child_samples=5, cat_smooth=1, min_data_per_group=5, n_jobs=1, verbose=-1)
    return native.fit(df, label)


def test_categories_of_frames() -> None:
    model = read(fitted())
    contract = model.contract
    assert contract.names == ["stone", "size", "grade", "flag", "count"] and contract.named
    assert contract.fields[0].categories.to_pylist() == NAMES and contract.fields[2].categories.to_pylist() == [10, 20, 35, 50]
    assert contract.fields[0].unseen == "missing"
    rows = frame(1)
    rows.loc[:20, "stone"] = np.nan
    rows.loc[10:30, "grade"] = np.nan
    assert_same(model, rows)


def test_dictionaries_in_another_order_with_unused_and_unseen_entries() -> None:
    model, rows = read(fitted()), frame(2)
    rows["stone"] = rows["stone"].cat.reorder_categories(NAMES[::-1])
    rows["grade"] = rows["grade"].cat.reorder_categories([35, 10, 50, 20])
    assert_same(model, rows)
    rows["stone"] = rows["stone"].cat.rename_categories({"jade": "basalt", "ruby": "zircon"})
    assert_same(model, rows)


def test_ordered_categories_are_refused() -> None:
    """LightGBM takes them as numbers, and does not keep which of its lists belongs to which column."""
    df = frame()
    df["grade"] = df["grade"].cat.as_ordered()
    with pytest.raises(UnsupportedModel, match="2 lists of pandas categories for 1 categorical feature"):
        read(lgb.LGBMRegressor(n_estimators=2, n_jobs=1, verbose=-1).fit(df, df["count"]))


def test_names() -> None:
    df = frame()[["size", "count"]]
    model = read(lgb.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1).fit(df, df["count"]))
    assert model.contract.names == ["size", "count"] and model.contract.named
    assert_same(model, df)
    plain = read(train(X, SIGNAL)).contract
    assert plain.names == ["x0", "x1", "x2", "x3"] and not plain.named


# What is refused


def test_custom_objectives_have_a_margin_only() -> None:
    native = lgb.LGBMRegressor(n_estimators=3, objective=lambda y, p: (p - y, np.ones_like(p)), n_jobs=1, verbose=-1).fit(X, SIGNAL)
    model = check(native)
    assert set(model.methods) == {"margin"} and "margin only" in " ".join(model.notes)


def test_early_stopping_of_predictions_is_refused() -> None:
    native = lgb.LGBMClassifier(n_estimators=3, pred_early_stop=True, n_jobs=1, verbose=-1).fit(X, SIGNAL > 0)
    with pytest.raises(UnsupportedModel, match="pred_early_stop"):
        read(native)


def test_unknown_objectives_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastframe.predict.readers import lightgbm as reader

    monkeypatch.delitem(reader._LINKS, "poisson")
    with pytest.raises(UnsupportedModel, match="objective poisson"):
        read(train(X, np.abs(SIGNAL), objective="poisson"))


@pytest.mark.parametrize("part", ["feature_names=", "max_feature_idx=", "leaf_value=", "num_leaves="])
def test_a_text_that_lacks_a_part(part: str) -> None:
    lines = [line for line in train(X, SIGNAL, 2).model_to_string().splitlines() if not line.startswith(part)]
    with pytest.raises(ModelError, match="LightGBM model lacks"):
        saved("\n".join(lines))
