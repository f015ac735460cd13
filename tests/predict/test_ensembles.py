"""scikit-learn's models of models, over frames and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, PowerTransformer, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from fastframe.errors import UnsupportedModel
from fastframe.predict.readers import read_model
from tests.predict.feeding import answer, assert_bits, check_model, frame, target

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GIVEN, QUERY, UNSEEN = frame(), frame(seed=3), frame(seed=4, unseen=True)
Y = target(GIVEN)
X = np.random.default_rng(0).normal(size=(160, 5)) * [1, 3, 10, 0.1, 1]
Z = X @ [1, 0.5, 0.1, 2, 0] + np.random.default_rng(1).normal(size=160)
THREE = np.array(["u", "v", "w"])[np.digitize(Z, [-1, 1])]
BOTH = ("predict", "predict_proba")


def _on_frames(model: Any) -> Any:
    """A pipeline over numbers and categories with missing values."""
    front = make_column_transformer((SimpleImputer(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore"), ["c", "t"]), sparse_threshold=0)
    return make_pipeline(front, model)


def _trees(depth: int, seed: int = 0) -> Any:
    return DecisionTreeRegressor(max_depth=depth, random_state=seed)


def _classes(depth: int, seed: int = 0) -> Any:
    return DecisionTreeClassifier(max_depth=depth, random_state=seed)


@pytest.mark.parametrize("weights", [None, [0.2, 1, 3]])
def test_voting(weights: Any) -> None:
    parts = [("a", _on_frames(_trees(3))), ("b", _on_frames(_trees(5))), ("c", make_pipeline(make_column_transformer((MinMaxScaler(), ["p", "i"])), _trees(4)))]
    read = check_model(VotingRegressor(parts, weights=weights).fit(GIVEN, Y), QUERY, UNSEEN)
    assert read.contract.names == ["a", "b", "p", "i", "c", "t"]
    voters = [("a", _classes(2)), ("b", _classes(4, 1)), ("c", GaussianNB())]
    for labels in (THREE, Z > 0):
        check_model(VotingClassifier(voters, voting="soft", weights=weights).fit(X, labels), X, methods=BOTH)
        check_model(VotingClassifier(voters, voting="hard", weights=weights).fit(X, labels), X)


@pytest.mark.parametrize("passthrough", [False, True])
def test_stacking(passthrough: bool) -> None:
    parts = [("a", _trees(3)), ("b", Ridge()), ("c", make_pipeline(StandardScaler(), _trees(4)))]
    check_model(StackingRegressor(parts, Ridge(), passthrough=passthrough, cv=2).fit(X, Z), X, methods=("predict", "transform"))
    forest = ExtraTreesRegressor(3, max_depth=5, random_state=0)
    check_model(StackingRegressor(parts, forest, passthrough=passthrough, cv=2).fit(X, Z), X, methods=("predict", "transform"))
    voters = [("a", _classes(3)), ("b", LogisticRegression()), ("c", GaussianNB())]
    for labels in (THREE, Z > 0):
        stack = StackingClassifier(voters, LogisticRegression(), passthrough=passthrough, cv=2).fit(X, labels)
        check_model(stack, X, methods=(*BOTH, "decision_function", "transform"))
        stack = StackingClassifier(voters[:1], _classes(3), passthrough=passthrough, cv=2, stack_method="predict_proba").fit(X, labels)
        check_model(stack, X, methods=BOTH)


def test_stacking_of_pipelines_on_frames() -> None:
    parts = [("a", _on_frames(_trees(3))), ("b", _on_frames(_trees(6)))]
    check_model(StackingRegressor(parts, _trees(3), cv=2).fit(GIVEN, Y), QUERY, UNSEEN)


def test_bagging() -> None:
    check_model(BaggingRegressor(_trees(4), 5, max_features=0.6, random_state=0).fit(X, Z), X)
    check_model(BaggingRegressor(make_pipeline(StandardScaler(), Ridge()), 3, random_state=0).fit(X, Z), X)
    for labels in (THREE, Z > 0):
        check_model(BaggingClassifier(_classes(4), 5, max_features=0.6, random_state=0).fit(X, labels), X, methods=BOTH)
    rare = np.where(np.arange(160) < 3, "rare", THREE)
    check_model(BaggingClassifier(_classes(4), 6, max_samples=0.2, random_state=0).fit(X, rare), X, methods=BOTH)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("model", [_classes(3), LogisticRegression(), RandomForestClassifier(3, max_depth=4, random_state=0)])
def test_calibrated(model: Any, method: str) -> None:
    for labels in (THREE, Z > 0):
        check_model(CalibratedClassifierCV(model, method=method, cv=2).fit(X, labels), X, methods=BOTH)


def test_calibrated_pipeline_on_frames() -> None:
    fitted = _on_frames(RandomForestClassifier(3, max_depth=5, random_state=0)).fit(GIVEN, Y > 0)
    check_model(CalibratedClassifierCV(FrozenEstimator(fitted)).fit(GIVEN, Y > 0), QUERY, UNSEEN, methods=BOTH)


def test_one_against_the_rest() -> None:
    for labels in (THREE, Z > 0, np.digitize(Z, np.quantile(Z, np.linspace(0, 1, 11)[1:-1]))):
        check_model(OneVsRestClassifier(_classes(3)).fit(X, labels), X, methods=BOTH)
        check_model(OneVsRestClassifier(LogisticRegression()).fit(X, labels), X, methods=(*BOTH, "decision_function"))


class Opposed(LogisticRegression):   # type: ignore[misc]
    """Sure that no row is of its class."""

    def fit(self, X: Any, y: Any) -> Any:
        super().fit(X, y)
        self.intercept_ = self.intercept_ - 1e5
        return self


def test_one_against_the_rest_where_classes_draw_or_none_is_wanted() -> None:
    """Equal scores, and rows of zero probabilities: versions differ, and the compiled model follows."""
    constant = _classes(1).set_params(min_samples_leaf=80)
    check_model(OneVsRestClassifier(constant).fit(X, np.arange(160) % 3), X, methods=BOTH)
    check_model(OneVsRestClassifier(Opposed()).fit(X, THREE), X, methods=BOTH)
    fitted = OneVsRestClassifier(LogisticRegression()).fit(X, THREE)
    for one in fitted.estimators_:
        one.coef_, one.intercept_ = np.zeros_like(one.coef_), np.zeros_like(one.intercept_)
    check_model(fitted, X, methods=(*BOTH, "decision_function"))


def test_one_against_one() -> None:
    methods = ("predict", "decision_function")
    for labels in (THREE, Z > 0, np.digitize(Z, np.quantile(Z, np.linspace(0, 1, 7)[1:-1])) * 10):
        check_model(OneVsOneClassifier(_classes(3)).fit(X, labels), X, methods=methods)
        check_model(OneVsOneClassifier(LogisticRegression()).fit(X, labels), X, methods=methods)
    check_model(OneVsOneClassifier(make_pipeline(StandardScaler(), _classes(4))).fit(X, THREE), X, methods=methods)


@pytest.mark.parametrize("chain_method", ["predict", "predict_proba", "decision_function"])
def test_chains_of_classifiers(chain_method: str) -> None:
    labels = np.column_stack([Z > 0, X[:, 0] > 0, Z > 1]).astype(int)
    options = {"chain_method": chain_method} if chain_method != "predict" else {}
    chained = ClassifierChain(LogisticRegression(), order=[2, 0, 1], **options).fit(X, labels)
    check_model(chained, X, methods=(*BOTH, "decision_function"))
    if chain_method != "decision_function":
        check_model(ClassifierChain(_classes(3), **options).fit(X, labels * 4 - 1), X, methods=BOTH)
        check_model(ClassifierChain(RandomForestClassifier(3, max_depth=4, random_state=0), **options).fit(X, labels), X, methods=BOTH)


def test_several_outputs() -> None:
    targets = np.column_stack([Z, X[:, 0], -Z])
    check_model(MultiOutputRegressor(_trees(3)).fit(X, targets), X)
    check_model(RegressorChain(_trees(4), order=[2, 0, 1]).fit(X, targets), X)
    check_model(RegressorChain(LinearRegression()).fit(X, targets), X)
    labels = np.column_stack([THREE, np.where(Z > 0, "u", "v")])
    fitted = MultiOutputClassifier(_classes(3)).fit(X, labels)
    read = check_model(fitted, X)
    assert_bits(answer(read, "predict_proba", X), np.hstack(fitted.predict_proba(X)))


@pytest.mark.parametrize("options", [
    {"func": np.log1p, "inverse_func": np.expm1}, {"func": np.sqrt, "inverse_func": np.square, "check_inverse": False},
    {"transformer": StandardScaler()}, {"transformer": MinMaxScaler()}, {"transformer": RobustScaler()},
    {"transformer": FunctionTransformer(np.log, np.exp)}, {},
])  # fmt: skip
def test_transformed_target(options: dict[str, Any]) -> None:
    check_model(TransformedTargetRegressor(_on_frames(_trees(4)), **options).fit(GIVEN, np.abs(Y) + 0.5), QUERY, UNSEEN)
    two = np.column_stack([np.abs(Z) + 1, np.abs(X[:, 0]) + 1])
    check_model(TransformedTargetRegressor(LinearRegression(), **options).fit(X, two), X)


def test_searches_and_thresholds() -> None:
    search = GridSearchCV(_on_frames(_trees(2)), {"decisiontreeregressor__max_depth": [2, 4]}, cv=2).fit(GIVEN, Y)
    check_model(search, QUERY, UNSEEN)
    tuned = TunedThresholdClassifierCV(_on_frames(_classes(4)), cv=2, thresholds=20).fit(GIVEN, np.where(Y > 0.5, "yes", "no"))
    check_model(tuned, QUERY, UNSEEN, methods=BOTH)


def test_what_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="estimators are regressors"):
        read_model(OneVsOneClassifier(_trees(2)).fit(X, THREE))
    three = np.column_stack([THREE == "u", np.digitize(Z, [-1, 1])]).astype(int)
    with pytest.raises(UnsupportedModel, match="not two classes"):
        read_model(ClassifierChain(_classes(2)).fit(X, three))
    with pytest.raises(UnsupportedModel, match="PowerTransformer is not compiled"):
        read_model(TransformedTargetRegressor(_trees(2), transformer=PowerTransformer()).fit(X, Z))
    with pytest.raises(UnsupportedModel, match="several labels"):
        read_model(OneVsRestClassifier(_classes(2)).fit(X, np.column_stack([Z > 0, Z > 1])))


def test_a_stack_and_a_chain_refuse_what_their_models_refuse() -> None:
    stack = StackingRegressor([("a", _trees(3))], Ridge(), passthrough=True, cv=2).fit(X, Z)
    chain = RegressorChain(Ridge()).fit(X, np.column_stack([Z, -Z]))
    for fitted in (stack, chain):
        assert not any(field.nullable for field in read_model(fitted).contract.fields)
