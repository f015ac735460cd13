"""scikit-learn's pipelines: column transformers, nested, with every kind of model at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from fastframe.predict.features import Code, Computed, Lookup, Number
from fastframe.predict.readers import read_model
from tests.predict.feeding import check_model, frame, target

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GIVEN, QUERY, UNSEEN = frame(), frame(seed=3), frame(seed=4, unseen=True)
Y = target(GIVEN)
EMPTY = frame(seed=3).assign(a=np.nan, c=np.full(240, np.nan, object))


def _front(*, sparse: bool = False) -> ColumnTransformer:
    """The preprocessing of the issue: imputer and scaler, one-hot, target encoder."""
    return ColumnTransformer([
        ("number", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), ["a", "b", "p", "i"]),
        ("few", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)), ["c"]),
        ("many", TargetEncoder(), ["t"]),
    ], remainder="passthrough", sparse_threshold=1.0 if sparse else 0.0)  # fmt: skip


@pytest.mark.parametrize("model", [
    HistGradientBoostingRegressor(max_iter=8), RandomForestRegressor(4, max_depth=6, random_state=0), DecisionTreeRegressor(max_depth=5),
])  # fmt: skip
def test_the_whole_pipeline_feeding_trees(model: Any) -> None:
    fitted = make_pipeline(_front(), model).fit(GIVEN, Y)
    read = check_model(fitted, QUERY, UNSEEN, EMPTY)
    assert read.contract.names == ["a", "b", "p", "i", "f", "c", "t", "d"]
    features = read.methods["predict"].features   # type: ignore[attr-defined]
    assert {type(one) for one in features} == {Number, Lookup}
    assert read.task == "regression" and read.source.model == "Pipeline"


def test_classifiers_at_the_end() -> None:
    labels = np.array(["low", "mid", "high"])[np.digitize(Y, [-0.5, 1])]
    for model in (HistGradientBoostingClassifier(max_iter=4), RandomForestClassifier(4, max_depth=5, random_state=0)):
        check_model(make_pipeline(_front(), model).fit(GIVEN, labels), QUERY, UNSEEN, methods=("predict", "predict_proba"))
        check_model(make_pipeline(_front(), model).fit(GIVEN, Y > 0), QUERY, UNSEEN, methods=("predict", "predict_proba"))


def test_dense_models_at_the_end() -> None:
    """Bits against the model fed a C-ordered matrix (the self-check's question)."""
    for front in (_front(), _front(sparse=True)):
        check_model(make_pipeline(front, Ridge()).fit(GIVEN, Y), QUERY, UNSEEN, native=False)
        methods = ("predict", "predict_proba", "decision_function")
        check_model(make_pipeline(front, LogisticRegression(max_iter=10)).fit(GIVEN, Y > 0), QUERY, UNSEEN, methods=methods, native=False)


def test_sparse_matrices_feed_trees_and_scalers() -> None:
    fitted = make_pipeline(_front(sparse=True), StandardScaler(with_mean=False), RandomForestRegressor(3, max_depth=5)).fit(GIVEN, Y)
    check_model(fitted, QUERY, UNSEEN)


def test_columns_by_selector_slice_mask_and_position() -> None:
    numbers = make_column_selector(dtype_include="number")
    mask = [name == "p" for name in GIVEN]
    fitted = Pipeline([
        ("front", make_column_transformer((SimpleImputer(), numbers), (FunctionTransformer(np.log1p), mask), (StandardScaler(), slice("b", "i")),
                                          (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), [-2, 5]), ("drop", ["f"]))),
        ("nothing", "passthrough"), ("trees", RandomForestRegressor(3, max_depth=5, random_state=1)),
    ]).fit(GIVEN, Y)  # fmt: skip
    read = check_model(fitted, QUERY, UNSEEN)
    assert read.contract.names == ["a", "b", "p", "i", "c", "t", "d"]   # what is dropped need not be there


def test_nested_and_joined() -> None:
    inner = make_column_transformer((make_pipeline(SimpleImputer(), PolynomialFeatures(2)), ["a", "b"]), (KBinsDiscretizer(4, strategy="uniform"), ["p"]))
    front = make_column_transformer((inner, ["a", "b", "p"]), (OneHotEncoder(handle_unknown="ignore", min_frequency=10), ["t"]), sparse_threshold=0)
    joined = FeatureUnion([("front", front), ("again", make_column_transformer((MinMaxScaler(), ["i"])))])
    fitted = make_pipeline(joined, SelectKBest(f_regression, k=9), HistGradientBoostingRegressor(max_iter=5)).fit(GIVEN, Y)
    read = check_model(fitted, QUERY, UNSEEN)
    assert any(isinstance(one, Computed) for one in read.methods["predict"].features)   # type: ignore[attr-defined]


def test_arrays_and_float32() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = rng.normal(size=200)
    for trees in (HistGradientBoostingRegressor(max_iter=5), RandomForestRegressor(3, max_depth=6, random_state=0)):
        read = check_model(make_pipeline(SimpleImputer(), StandardScaler(), trees).fit(x, y), x)
        assert not read.contract.named and read.contract.fields[0].dtype == "float32"


def test_projections_feed_dense_models_and_trees_whole() -> None:
    """A projection must see all rows in one call: its features say so."""
    x = np.random.default_rng(0).normal(size=(200, 6))
    fitted = make_pipeline(StandardScaler(), PCA(3), RandomForestRegressor(3, max_depth=6, random_state=0)).fit(x, x[:, 0])
    read = check_model(fitted, x)
    assert all(one.block.whole for one in read.methods["predict"].features)   # type: ignore[attr-defined]
    named = pd.DataFrame(x, columns=list("abcdef"))
    check_model(make_pipeline(StandardScaler(), PCA(3), RandomForestRegressor(3, max_depth=6)).fit(named, x[:, 0]), named)


def test_categories_that_the_trees_take_themselves() -> None:
    """Passed through as they are, or encoded before: sets over codes either way."""
    front = make_column_transformer((SimpleImputer(), ["a", "b"]), (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["c"]))
    read = check_model(make_pipeline(front, HistGradientBoostingRegressor(max_iter=6, categorical_features=[2])).fit(GIVEN, Y), QUERY, UNSEEN)
    assert any(isinstance(one, Lookup) for one in read.methods["predict"].features)   # type: ignore[attr-defined]
    text = make_column_transformer((SimpleImputer(), ["a", "b"]), ("passthrough", ["c", "t"])).set_output(transform="pandas")
    given = GIVEN.assign(c=GIVEN["c"].astype("category"), t=GIVEN["t"].astype("category"))
    fitted = make_pipeline(text, HistGradientBoostingRegressor(max_iter=6, categorical_features="from_dtype")).fit(given, Y)
    query = QUERY.assign(c=pd.Categorical(QUERY["c"], given["c"].cat.categories), t=pd.Categorical(QUERY["t"], given["t"].cat.categories))
    read = check_model(fitted, query)
    assert any(isinstance(one, Code) for one in read.methods["predict"].features)   # type: ignore[attr-defined]


def test_none_as_a_category() -> None:
    given = GIVEN.assign(c=GIVEN["c"].where(GIVEN["c"].notna(), None).astype(object))
    fitted = make_pipeline(make_column_transformer((OneHotEncoder(), ["c"]), (SimpleImputer(), ["a"])), DecisionTreeRegressor(max_depth=5))
    read = read_model(fitted.fit(given, Y))
    assert read.contract.fields[0].nullable
    query = QUERY.assign(c=QUERY["c"].where(QUERY["c"].notna(), None).astype(object))
    check_model(fitted, query)
    nan = QUERY.assign(c=QUERY["c"].astype(object))
    assert (read.asks["predict"].method(nan) == read.asks["predict"].method(query)).all()   # the self-check asks with None
