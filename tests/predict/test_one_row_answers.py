"""`predict_row` of whole methods: chains of links above a forest, forests of few kinds of leaves, and models without trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, StackingRegressor, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import fastframe as ff
from fastframe._kernels import forest_links as kernels
from fastframe.errors import ContractError
from fastframe.predict.decide import Decide
from fastframe.predict.features import Number
from fastframe.predict.links import LINKS, BothClasses, Link
from fastframe.predict.model import Model, Source
from fastframe.predict.one_chain import chain_of
from fastframe.predict.predictor import Predictor
from fastframe.predict.scores import ForestScore, Score
from tests.predict.beside import rows_that_differ
from tests.predict.forests import Recipe, random_forest, random_rows
from tests.predict.test_one_row import contract_of, one_row_of, values_of
from tests.predict.test_walk import columns_of
from tests.reference import forest as reference

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def predictor_of(score: Score, forest: Any) -> Predictor:
    return Predictor(Model(contract_of(forest), {"predict": score, "predict_proba": score}, "regression", Source("none", "1", "Made")))


def forest_score(dtype: str, outputs: int, seed: int = 0) -> ForestScore:
    recipe = Recipe(trees=9, domain=dtype, accumulate=dtype, outputs=outputs, width=1)
    forest = random_forest(np.random.default_rng(seed), recipe).validate()
    forest = replace(forest, leaf_values=np.clip(forest.leaf_values, -3, 3), base=np.clip(forest.base, -1, 1))
    return ForestScore(forest, tuple(Number(at) for at in range(forest.n_features)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("kind", sorted(LINKS))
def test_every_chain(kind: str, outputs: int, dtype: str) -> None:
    forest = forest_score(dtype, outputs)
    link = Link(kind, forest, 1.5)
    try:
        link.apply(np.zeros((1, outputs), dtype))
    except ff.errors.ModelError:
        pytest.skip("not defined for this dtype")
    above: list[Score] = [link, Decide("largest", link, np.array([f"k{at}" for at in range(outputs)]))]
    if outputs == 1:
        labels = np.array([3, -7])
        above += [BothClasses(link), Decide("largest", BothClasses(link), labels)]
        above += [Decide(rule, link, labels, 0.1) for rule in ("above", "at_least", "below")]
    matrix = random_rows(np.random.default_rng(1), forest.forest, 25)
    for score in above:
        p = predictor_of(score, forest.forest)
        for method in ("predict", "predict_proba"):
            answers = p.answer(method, matrix)
            for row, expected in zip(values_of(forest.forest, matrix), answers, strict=True):
                found = p.predict_row(row, method)
                assert np.asarray(found, answers.dtype).tobytes() == np.asarray(expected).tobytes()
                assert np.shape(found) == np.shape(expected)


def test_what_is_a_chain() -> None:
    forest = forest_score("float64", 1)
    deep: Score = forest
    for _ in range(5):
        deep = Link("divide", deep, 2.0)
    assert chain_of(deep) is None and chain_of(forest).links == ()
    several = Decide("above", forest_score("float64", 3), np.array([0, 1]))
    assert chain_of(several) is None   # three labels
    assert chain_of(Link("softmax_numpy_pairwise", forest_score("float32", 3))) is None   # by NumPy
    chain = chain_of(Decide("below", Link("sigmoid", forest), np.array([0, 1]), 0.25))
    assert [one[0] for one in chain.links] == [kernels.KINDS["sigmoid"], kernels.KINDS["below"]] and chain.links[1][2] == 0.25


@pytest.mark.parametrize("domain", ["float32", "float64"])
@pytest.mark.parametrize("codes", [(), (5,)])
@pytest.mark.parametrize(("width", "accumulate"), [(1, "float64"), (1, "float32"), (3, "float64")])
@pytest.mark.parametrize("n_kinds", [1, 2, 5, 60])
def test_leaves_of_few_kinds(n_kinds: int, width: int, accumulate: str, codes: tuple[int, ...], domain: str) -> None:
    """Pairs of leaves are kept once for all trees; zeros of both signs and NaN of any bits are kinds of their own."""
    rng = np.random.default_rng(n_kinds)
    recipe = Recipe(trees=40, leaves=(1, 200), domain=domain, accumulate=accumulate, width=width, outputs=width, codes=codes)
    forest = random_forest(rng, recipe).validate()
    kinds = np.concatenate([[[0.0] * width, [-0.0] * width], rng.normal(size=(58, width))]).astype(accumulate)[:n_kinds]
    forest = replace(forest, leaf_values=np.ascontiguousarray(kinds[rng.integers(0, n_kinds, len(forest.leaf_values))]))
    matrix = random_rows(rng, forest, 40)
    expected = reference.sums(forest, columns_of(forest, matrix)[1])
    one_row = one_row_of(forest)
    assert [one_row.sums(row).tobytes() for row in values_of(forest, matrix)] == [one.tobytes() for one in expected]


def test_few_kinds_take_less_memory() -> None:
    rng = np.random.default_rng(0)
    forest = random_forest(rng, Recipe(trees=40, leaves=(200, 300))).validate()
    few = replace(forest, leaf_values=np.sign(forest.leaf_values))
    assert one_row_of(few).nbytes < 0.8 * one_row_of(forest).nbytes


# ---- models without trees -------------------------------------------------------------------------------------------

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame({"a": RNG.normal(size=200), "b": RNG.normal(size=200) * 9, "c": np.array(["x", "y", "z"])[RNG.integers(0, 3, 200)]})
FRAME.loc[::7, "a"] = np.nan
Y = FRAME["b"].to_numpy() + (FRAME["c"] == "x") * 3 + RNG.normal(size=200)
ENCODED = ColumnTransformer([
    ("n", make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]), ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["c"]),
])  # fmt: skip
MODELS = {
    "linear": (make_pipeline(ENCODED, LinearRegression()), Y), "ridge": (make_pipeline(ENCODED, PolynomialFeatures(), Ridge()), Y),
    "logistic": (make_pipeline(ENCODED, LogisticRegression()), Y > 0), "bayes": (make_pipeline(ENCODED, GaussianNB()), np.digitize(Y, [-5, 5])),
    "network": (make_pipeline(ENCODED, MLPClassifier((5,), max_iter=3)), np.digitize(Y, [-5, 5])),
    "clusters": (make_pipeline(ENCODED, KMeans(3, n_init=1, random_state=0)), None),
    "voting": (make_pipeline(ENCODED, VotingRegressor([("l", Ridge()), ("t", GradientBoostingRegressor(n_estimators=5))])), Y),
    "stack": (make_pipeline(ENCODED, StackingRegressor([("l", Ridge()), ("t", GradientBoostingRegressor(n_estimators=5))], Ridge())), Y),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_models_without_trees(name: str) -> None:
    """The bits of a frame of one row; the way through the contract is not taken, but for what it refuses or converts."""
    model, y = MODELS[name]
    p = ff.compile(model.fit(FRAME, y))
    for method in p.methods:
        for at in range(0, 40, 3):
            frame = FRAME.iloc[at : at + 1].reset_index(drop=True)
            expected = np.asarray(p.answer(method, frame))[0]
            row = frame.iloc[0].to_dict()
            for given in (row, tuple(row.values()), {**row, "a": None if row["a"] != row["a"] else row["a"]}):
                found = p.predict_row(given, method)
                exact = expected if expected.ndim else np.asarray(expected.item())   # one value is Python's, of the same number
                assert np.asarray(found).tobytes() == exact.tobytes() and np.shape(found) == np.shape(expected)
                assert p._packed["row", method].answer(given) is not None
    unseen = p.predict_row((1.0, 2.0, "new"))
    assert np.asarray(unseen).tobytes() == np.asarray(p.predict({"a": [1.0], "b": [2.0], "c": ["new"]})[0].item()).tobytes()
    assert np.asarray(p.predict_row((True, 2, "x"))).tobytes() == np.asarray(p.predict_row((1.0, 2.0, "x"))).tobytes()
    for wrong in ({"a": 1.0, "c": "x"}, (1.0, 2.0), (1.0, "2", "x"), 5):
        with pytest.raises(ContractError):
            p.predict_row(wrong)


def test_arrays_of_one_row() -> None:
    X = RNG.normal(size=(60, 4)).astype(np.float32)
    p = ff.compile(LinearRegression().fit(X, X[:, 0]))
    for at in range(20):
        assert np.asarray(p.predict_row(X[at])).tobytes() == np.asarray(p.predict(X[at : at + 1])[0].item()).tobytes()


@pytest.mark.parametrize("name", ["logistic", "stack"])
def test_threads_share_nothing(name: str) -> None:
    model, y = MODELS[name]
    p = ff.compile(model.fit(FRAME, y))
    assert not rows_that_differ(p, [tuple(row) for row in FRAME.head(50).to_numpy().tolist()])


@pytest.mark.parametrize(
    ("model", "labels", "kind"),
    [
        (LinearRegression(), [0.5, 1.5, 2.0, 7.0], float),
        (DecisionTreeRegressor(random_state=0), [0.5, 1.5, 2.0, 7.0], float),
        (StackingRegressor([("a", LinearRegression())], cv=2), [0.5, 1.5, 2.0, 7.0], float),
        (LogisticRegression(), ["no", "no", "yes", "yes"], str),
        (LogisticRegression(), [3, 3, 4, 4], int),
        (LogisticRegression(), [False, False, True, True], bool),
        (DecisionTreeClassifier(random_state=0), ["no", "no", "yes", "yes"], str),
        (DecisionTreeClassifier(random_state=0), [False, False, True, True], bool),
        (KMeans(2, random_state=0, n_init=1), [0, 0, 1, 1], int),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_single_answer_is_a_python_value(model: Any, labels: list[Any], kind: type) -> None:
    """By the row's own way, and where the row goes through the contract (a float32 is such a value for some)."""
    x = np.array([[0.0, 1.0], [1.0, 0.0], [4.0, 5.0], [5.0, 5.0]])
    p = ff.compile(model.fit(x, labels))
    for at, row in enumerate(x):
        one = p.predict(x[at : at + 1])[0]
        for asked in (tuple(row.tolist()), tuple(map(np.float32, row)), tuple(map(int, row))):
            found = p.predict_row(asked)
            assert type(found) is kind
            assert found == one
