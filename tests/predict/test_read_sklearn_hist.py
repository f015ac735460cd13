"""scikit-learn's histogram gradient boosting, read and walked slowly, gives the library's own bits."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from fastframe.errors.models import UnsupportedModel
from fastframe.predict.features import Code, Number
from fastframe.predict.readers import read_model
from fastframe.predict.readers.sklearn_hist import _category_field, _tree
from tests.predict.asking import adversarial, assert_same, compare, our_rows

Array = np.ndarray[Any, Any]
Regressor, Classifier = HistGradientBoostingRegressor, HistGradientBoostingClassifier
SMALL = {"max_iter": 6, "min_samples_leaf": 5, "random_state": 0}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):   # OpenMP's waiting threads would take longer than these small fits
        yield


def data(n: int = 250, *, missing: bool = False, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)) * [1, 1e-3, 1e6, 3]
    x[:, 3] = x[:, 3].round()
    y = x[:, 0] + np.sign(x[:, 3]) + rng.normal(size=n) / 4
    if missing:
        x[rng.random(x.shape) < 0.15] = np.nan
        x[:, 3] = np.where(rng.random(n) < 0.1, np.inf, x[:, 3])
    return x, y


def check(model: Any, codes: Array, n_rows: int = 160) -> Any:
    read = read_model(model)
    compare(read, adversarial(read, codes, np.random.default_rng(1), n_rows, missing=True))
    return read


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "gamma", "poisson", "quantile"])
def test_regressors_of_each_loss(loss: str, missing: bool) -> None:
    x, y = data(missing=missing)
    options = {"quantile": 0.8} if loss == "quantile" else {}
    read = check(Regressor(loss=loss, **options, **SMALL).fit(x, np.exp(y) if loss in ("gamma", "poisson") else y), x)
    assert read.methods["predict"].guarantee == "exact"
    assert read.methods["margin"].forest.domain == "float64"


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3, 9])
def test_classifiers(n_classes: int, missing: bool) -> None:
    x, y = data(missing=missing)
    read = check(Classifier(**SMALL).fit(x, pd.qcut(y, n_classes, labels=False)), x)
    assert read.methods["predict_proba"].width == n_classes
    assert read.methods["decision_function"].width == (1 if n_classes == 2 else n_classes)


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "diabetes"])
def test_real_data(name: str) -> None:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
    read = check((Regressor if name == "diabetes" else Classifier)(**SMALL).fit(x, y), x.to_numpy(np.float64))
    assert read.contract.names == list(x.columns)


def test_training_options() -> None:
    x, y = data(missing=True)
    x[:, 3] = np.minimum(x[:, 3], 9)   # NumPy's percentile, which finds few bins, warns about infinite values
    stopped = Regressor(early_stopping=True, n_iter_no_change=2, max_iter=200, learning_rate=0.9).fit(x, y)
    assert 0 < stopped.n_iter_ < 200
    assert check(stopped, x).methods["predict"].forest.n_trees == stopped.n_iter_
    check(Regressor(monotonic_cst=[1, 0, -1, 0], **SMALL).fit(x, y), x)
    check(Regressor(interaction_cst="no_interactions", max_bins=7, max_depth=2, **SMALL).fit(x, y), x)
    check(Classifier(class_weight="balanced", **SMALL).fit(x, y > 1, sample_weight=np.random.default_rng(0).random(len(y))), x)
    warm = Classifier(warm_start=True, **SMALL).fit(x, y > 0)
    assert check(warm.set_params(max_iter=9).fit(x, y > 0), x).methods["margin"].forest.n_trees == 9


def test_labels_and_a_single_class() -> None:
    x, y = data(60)
    for target in (np.where(y > 0, "yes", "no"), np.where(y > 0, "yes", "no").astype(object), y > 0):
        read = check(Classifier(**SMALL).fit(x, target), x)
        assert read.methods["predict"].classes.tolist() == sorted(set(target.tolist()))
    check(Regressor(min_samples_leaf=100).fit(x, y), x)   # all trees are leaves
    model = Classifier(**SMALL).fit(x, np.full(60, "only"))
    read = read_model(model)
    assert_same(read.methods["predict"].run(our_rows(read, x)), model.predict(x))


def categories(n: int = 300, *, k: int = 5, missing: bool = False, seed: int = 0) -> tuple[pd.DataFrame, Array]:
    """Numbers and categories in turn; the trees see the categories first."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    color = pd.Categorical.from_codes(codes, [f"c{i:03d}" for i in range(k)])
    size = pd.Categorical(rng.choice([10, 2, 33], n), categories=[33, 10, 2])
    frame = pd.DataFrame({"weight": rng.normal(size=n), "color": color, "height": rng.normal(size=n), "size": size})
    y = frame["weight"].to_numpy() + rng.normal(size=k)[codes] + np.asarray(size) / 20.0
    if missing:
        frame.loc[rng.random(n) < 0.2, ["color", "height"]] = np.nan
    return frame, y


def coded(read: Any, frame: pd.DataFrame) -> Array:
    """A frame as numbers and codes of the read contract."""
    columns = []
    for field in read.contract.fields:
        values = frame[field.name]
        if field.categories is not None:
            places = {value: float(code) for code, value in enumerate(field.categories.to_pylist())}
            columns.append(np.array([places.get(value, np.nan) for value in values.tolist()]))
        else:
            columns.append(values.to_numpy(np.float64))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("k", [1, 5, 31, 32, 33, 64, 255])
def test_categories_of_a_frame(k: int, missing: bool) -> None:
    frame, y = categories(max(300, 4 * k), k=k, missing=missing)
    model = Regressor(**SMALL).fit(frame, y)
    read = read_model(model)
    assert [field.name for field in read.contract.fields] == list(frame.columns)
    assert [type(one) for one in read.methods["predict"].features] == [Number, Code, Number, Code]
    assert read.contract.fields[1].categories.to_pylist() == sorted(set(frame["color"].dropna()))
    assert read.contract.fields[3].categories.to_pylist() == [2, 10, 33]   # in the encoder's order, not the frame's
    assert read.contract.fields[1].unseen == "missing"
    rows = adversarial(read, coded(read, frame), np.random.default_rng(1), 200, missing=True)
    compare(read, rows)
    assert k == 1 or (read.methods["predict"].forest.category_set >= 0).sum() > 3


def test_values_that_are_no_category_are_missing() -> None:
    frame, y = categories(missing=True)
    model = Regressor(**SMALL).fit(frame, y)
    read = read_model(model)
    others = frame.head(40).copy()
    others["color"] = ["a000", "c002x", "zzz", ""] * 10   # before, between and after the model's own
    expected = model.predict(others)
    assert_same(read.methods["predict"].run(our_rows(read, coded(read, others))), expected)
    none = others.assign(color=pd.Categorical([None] * 40, frame["color"].cat.categories))
    assert_same(expected.reshape(-1, 1), model.predict(none))


def test_multiclass_with_categories() -> None:
    frame, y = categories(missing=True)
    model = Classifier(**SMALL).fit(frame, pd.qcut(y, 4, labels=["a", "b", "c", "d"]))
    read = read_model(model)
    compare(read, adversarial(read, coded(read, frame), np.random.default_rng(1), 160, missing=True))


@pytest.mark.parametrize("which", [[0, 3], [True, False, False, True], [3]], ids=str)
def test_categories_of_an_array_are_its_numbers(which: list[Any]) -> None:
    x, y = data()
    x[:, 0] = (x[:, 0] * 2).round()
    model = Regressor(categorical_features=which, **SMALL).fit(x, y)
    read = read_model(model)
    assert not read.contract.named
    assert read.contract.fields[3].categories.to_pylist() == sorted(set(x[:, 3]))   # negative ones too
    values = pd.DataFrame(x, columns=read.contract.names)
    compare(read, adversarial(read, coded(read, values), np.random.default_rng(1), 160, missing=True))
    unseen = values.assign(x3=1e6)
    assert_same(read.methods["predict"].run(our_rows(read, coded(read, unseen))), model.predict(unseen.to_numpy()))


@pytest.mark.parametrize("kind", ["bool", "int", "text", "float"])
def test_types_of_categories(kind: str) -> None:
    rng = np.random.default_rng(0)
    values = {"bool": [False, True], "int": [2**40, -3, 7], "text": ["é", "", "zz"], "float": [0.1, -2.5, 1e300]}[kind]
    codes = rng.integers(0, len(values), 200)
    frame = pd.DataFrame({"a": pd.Categorical.from_codes(codes, values), "b": rng.normal(size=200)})
    model = Regressor(**SMALL).fit(frame, codes % 2 + frame["b"].to_numpy() / 9)
    read = read_model(model)
    assert read.contract.fields[0].categories.to_pylist() == sorted(values)
    compare(read, adversarial(read, coded(read, frame), np.random.default_rng(1), 100, missing=True))


def test_all_columns_categories() -> None:
    frame, y = categories()
    model = Regressor(**SMALL).fit(frame[["size", "color"]], y)
    read = read_model(model)
    compare(read, adversarial(read, coded(read, frame), np.random.default_rng(1), 100, missing=True))


def test_what_is_not_known_is_refused() -> None:
    x, y = data(60)
    with pytest.raises(UnsupportedModel, match="not fitted"):
        read_model(Regressor())
    model = Regressor(**SMALL).fit(x, y)
    with pytest.raises(UnsupportedModel, match="several types"):
        _category_field(model, "a", np.array([1, "b"], dtype=object))
    with pytest.raises(UnsupportedModel, match="None is a category"):
        _category_field(model, "a", np.array(["b", None], dtype=object))
    assert _category_field(model, "a", np.array([np.nan])).categories == pa.array([], pa.string())
    nodes = model._predictors[0][0].nodes
    newer = SimpleNamespace(nodes=np.zeros(3, np.dtype([*((name, nodes.dtype[name]) for name in nodes.dtype.names), ("oblique", "u1")])))
    with pytest.raises(UnsupportedModel, match=r"unknown layout \(oblique\)"):
        _tree(model, newer, 0, np.arange(4), None)   # type: ignore[arg-type]
    model._loss.link = SimpleNamespace()
    with pytest.raises(UnsupportedModel, match="link SimpleNamespace"):
        read_model(model)
