"""`RowTape`: models that are no lone forest, one row at a time, against `run` of a frame of one row, to the bit."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastframe as ff
from fastframe._kernels import forest_row as kernels
from fastframe.errors import ContractError
from fastframe.predict.dense import Linear
from fastframe.predict.engines import one_row
from fastframe.predict.predictor import Predictor
from fastframe.predict.row_tape import STEP
from tests.predict.beside import rows_that_differ

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(3)
NUMBERS = pd.DataFrame({f"f{i}": RNG.normal(size=200) * 10.0 ** (i % 3) for i in range(11)})
TWO, THREE = (NUMBERS.f0 > 0).astype(int), np.array(["low", "mid", "top"])[pd.qcut(NUMBERS.f0, 3, labels=False)]
VALUE = NUMBERS.f0 * 2 + NUMBERS.f1
COUNTS = NUMBERS.abs().round()
MODELS: dict[str, tuple[Any, Any, Any]] = {
    "linear": (LinearRegression(), NUMBERS, VALUE),
    "several": (Ridge(), NUMBERS, np.column_stack([VALUE, NUMBERS.f2])),
    "narrow": (LinearRegression(), NUMBERS.astype(np.float32), VALUE.astype(np.float32)),
    "poisson": (PoissonRegressor(max_iter=10), NUMBERS / 100, VALUE.abs()),
    "logistic": (LogisticRegression(max_iter=20), NUMBERS, TWO),
    "logistic of 3": (LogisticRegression(max_iter=20), NUMBERS, THREE),
    "one against the rest": (SGDClassifier(loss="log_loss", random_state=0), NUMBERS, THREE),
    "gaussian": (GaussianNB(), NUMBERS, THREE),
    "multinomial": (MultinomialNB(), COUNTS, THREE),
    "complement": (ComplementNB(), COUNTS, THREE),
    "bernoulli": (BernoulliNB(), NUMBERS, TWO),
    "k-means": (KMeans(9, n_init=1, random_state=0), NUMBERS, None),
    **{f"layers {name}": (MLPRegressor(hidden_layer_sizes=(9, 5), activation=name, max_iter=8, random_state=0), NUMBERS, VALUE)
       for name in ("identity", "logistic", "tanh", "relu")},
    "layers of 2": (MLPClassifier(hidden_layer_sizes=(20,), max_iter=8, random_state=0), NUMBERS, TWO),
    "layers of 3": (MLPClassifier(hidden_layer_sizes=(20,), max_iter=8, random_state=0), NUMBERS, THREE),
    "scaled": (make_pipeline(StandardScaler(), LogisticRegression()), NUMBERS, THREE),
    "components": (make_pipeline(StandardScaler(), PCA(4, whiten=True), LogisticRegression()), NUMBERS, TWO),
}  # fmt: skip
METHODS = ("predict", "predict_proba", "decision_function")


def is_taped(p: Predictor, method: str) -> bool:
    p.predict_row(tuple(0.0 for _ in p.contract.fields), method)
    return isinstance(getattr(p._packed["row", method].answer, "__self__", None), kernels.RowTape)


def compiled(name: str, *, array: bool) -> tuple[Predictor, Any]:
    model, X, y = MODELS[name]
    given = X.to_numpy() if array else X
    return ff.compile(model.fit(given, y)), given


def bits(given: Any) -> bytes:
    """An answer's; of NaN there is one, whatever its sign."""
    values = np.asarray(given)
    return np.where(np.isnan(values), np.array(np.nan, values.dtype), values).tobytes() if values.dtype.kind == "f" else values.tobytes()


def special(X: Any) -> list[tuple[float, ...]]:
    """Rows of a model's own data, and of numbers at the edges: no NaN, which these models refuse."""
    width = np.asarray(X).shape[1]
    odd = [0.0, -0.0, 1e-30, -1e30, 3e38, -1e-45 if np.asarray(X).dtype == np.float32 else 5e-324, math.inf, -math.inf]
    odd = [float(np.asarray(X).dtype.type(one)) for one in odd]
    rows = [tuple(row) for row in np.asarray(X)[:40].tolist()]
    return rows + [tuple([one] * width) for one in odd] + [tuple(RNG.choice(odd, width).tolist()) for _ in range(30)]


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_bits_of_a_frame_of_one_row(name: str, array: bool) -> None:
    p, X = compiled(name, array=array)
    for method in set(METHODS) & set(p.methods):
        assert is_taped(p, method), method
        for row in special(X):
            frame = np.array([row], np.asarray(X).dtype) if array else pd.DataFrame([row], columns=X.columns).astype(X.dtypes)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = p.predict_row(row, method)
            expected = np.asarray(p.answer(method, frame)[0])
            exact = expected if expected.ndim else np.asarray(expected.item())   # one value is Python's, of the same number
            assert np.asarray(found).dtype == exact.dtype and isinstance(found, np.ndarray) == (expected.ndim > 0)
            assert bits(found) == bits(exact), (method, row, found, expected)
            if not array:
                assert bits(p.predict_row(dict(zip(X.columns, row, strict=True)), method)) == bits(exact)


def mixed_frame() -> pd.DataFrame:
    frame = NUMBERS.iloc[:, :5].copy()
    frame.iloc[::4, 1] = np.nan
    return frame.assign(city=RNG.choice(["Oslo", "Rome", "Bern"], len(frame)), n=RNG.integers(0, 9, len(frame)))


@pytest.mark.parametrize("top", ["logistic", "boosting"])
def test_pipelines_of_mixed_columns(top: str) -> None:
    frame = mixed_frame()
    numbers = [name for name in frame if name != "city"]
    first = make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), numbers), (OneHotEncoder(handle_unknown="ignore"), ["city"]))
    model = LogisticRegression() if top == "logistic" else make_pipeline(PCA(3), HistGradientBoostingClassifier(max_iter=5))
    p = ff.compile(make_pipeline(first, model).fit(frame, TWO))
    for at in range(40):
        given = frame.iloc[at : at + 1]
        row = {name: None if pd.isna(one) else one for name, one in given.iloc[0].to_dict().items()}
        for method in ("predict", "predict_proba"):
            expected = np.asarray(p.answer(method, given)[0]).tobytes()
            assert np.asarray(p.predict_row(row, method)).tobytes() == expected
            assert np.asarray(p.predict_row(tuple(row.values()), method)).tobytes() == expected
    unseen = {**row, "city": "Paris"}
    assert np.asarray(p.predict_row(unseen, "predict_proba")).tobytes() == p.predict_proba(pd.DataFrame([unseen]))[0].tobytes()
    assert isinstance(getattr(p._packed["row", "predict"].answer, "__self__", None), kernels.RowTape)


def test_what_python_runs() -> None:
    X = NUMBERS.to_numpy()
    p = ff.compile(KMeans(4, n_init=1, random_state=0).fit(X))
    assert is_taped(p, "predict") and not is_taped(p, "transform")
    assert p.predict_row(tuple(X[3]), "transform").tobytes() == p.transform(X[3:4])[0].tobytes()


@pytest.mark.parametrize(("row", "message"), [
    ({"f0": 1.0}, "there is no column 'f1'"), ((1.0,), "11"), (tuple([None] * 11), "missing"), ((*[1.0] * 10, "x"), "f10"), (5, "row"),
])  # fmt: skip
def test_wrong_rows_get_the_contract_s_words(row: Any, message: str) -> None:
    p, _ = compiled("linear", array=False)
    assert is_taped(p, "predict")
    with pytest.raises(ContractError, match=message):
        p.predict_row(row)


def test_other_bits_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where NumPy should call its loops otherwise than is known, rows go through Python, with the right answer."""
    rightly = Linear.on_row
    monkeypatch.setattr(Linear, "on_row", lambda self, tape: tape.call("add", rightly(self, tape), tape.constant(1e-12)))
    p, X = compiled("linear", array=True)
    assert not is_taped(p, "predict")
    assert p.predict_row(tuple(X[0])) == p.predict(X[:1])[0]


def test_loops_of_ufuncs() -> None:
    assert kernels.loop_of(np.exp, "d->d") is not None
    assert kernels.loop_of(np.exp, "dd->d") is None
    assert kernels.loop_of(abs, "d->d") is None
    assert kernels.loop_of(np.frompyfunc(abs, 1, 1), "d->d") is None
    assert STEP.itemsize == kernels.STEP_BYTES


@pytest.mark.parametrize("release_ns", [0, 1e12])
@pytest.mark.parametrize("name", ["components", "layers of 3"])
def test_threads_share_nothing(monkeypatch: pytest.MonkeyPatch, name: str, release_ns: float) -> None:
    monkeypatch.setattr(one_row, "RELEASE_NS", release_ns)
    p, X = compiled(name, array=True)
    assert not rows_that_differ(p, [tuple(row) for row in X[:50].tolist()])
