"""scikit-learn's models that are sums over all features: linear ones, naive Bayes, k-means, neural networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype as as_dtype
from fastframe.errors import UnsupportedModel
from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.dense import Distances, GaussianBayes, Inputs, Layers, Linear, LogNormalized
from fastframe.predict.features import Number, Step
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Ask, Model, Source
from fastframe.predict.readers.sklearn_versions import share_of_zeros
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]
NOTE = "sums by NumPy's BLAS: the same call on a matrix of the same layout (by columns for a frame, by rows for an array; a dense one for a sparse one)"


def number_contract(model: Any, dtype: str, *, nullable: bool) -> FeatureContract:
    """Number columns of one dtype, named as the model's."""
    names = getattr(model, "feature_names_in_", None)
    listed = [f"x{i}" for i in range(model.n_features_in_)] if names is None else [str(name) for name in names]
    return FeatureContract(tuple(Field(name, as_dtype(dtype), nullable=nullable) for name in listed), named=names is not None)


def dense_model(model: Any, methods: dict[str, Score], task: str, dtype: str = "float64") -> Model:
    """A model over number columns that refuses missing values."""
    import sklearn

    asks = {name: Ask(partial(_ask, getattr(model, name), dtype)) for name in methods if hasattr(model, name)}
    source = Source("scikit-learn", sklearn.__version__, type(model).__name__)
    return Model(number_contract(model, dtype, nullable=False), methods, task, source, asks, (NOTE,))


def _ask(method: Callable[[Any], Array], dtype: str, given: Any) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")   # a model fitted on a frame says that an array has no names
        return method(np.asarray(given, dtype=dtype, order=None if hasattr(given, "columns") else "C"))


def matrix_of(model: Any, dtype: str, steps: Iterable[Step] = ()) -> Inputs:
    """The model's columns, laid out as pandas lays out a frame, or as an array usually is."""
    order = "F" if hasattr(model, "feature_names_in_") else "C"
    return Inputs(tuple(Number(i, tuple(steps), dtype) for i in range(model.n_features_in_)), dtype, order)


def _linear_score(model: Any) -> tuple[Linear, str]:
    if hasattr(model.coef_, "toarray"):
        raise UnsupportedModel.because(type(model).__name__, ["its coefficients are sparse: call densify() first"])
    coef = np.asarray(model.coef_)
    if coef.dtype not in (np.float32, np.float64):
        raise UnsupportedModel.because(type(model).__name__, [f"coefficients of dtype {coef.dtype}"])
    return Linear(matrix_of(model, str(coef.dtype)), np.array(coef, order="K"), np.asarray(model.intercept_)), str(coef.dtype)


def read_linear(model: Any) -> Model:
    """Regressors that are a linear function."""
    score, dtype = _linear_score(model)
    return dense_model(model, {"predict": score}, "regression", dtype)


def read_glm(model: Any) -> Model:
    """Poisson, gamma and Tweedie regressors."""
    score, dtype = _linear_score(model)
    link = type(model._base_loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise UnsupportedModel.because(type(model).__name__, [f"the link {link} is not known"])
    return dense_model(model, {"predict": Link("exp_numpy", score) if link == "LogLink" else score}, "regression", dtype)


def _decisions(model: Any) -> tuple[dict[str, Score], Linear, str]:
    if np.asarray(model.classes_).ndim != 1 or len(model.classes_) < 2:
        raise UnsupportedModel.because(type(model).__name__, ["it has more than one output, or a single class"])
    binarizer = getattr(model, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        raise UnsupportedModel.because(type(model).__name__, ["it decides between several labels at once"])
    score, dtype = _linear_score(model)
    rule = "above" if score.width == 1 else "largest"
    return {"predict": Decide(rule, score, class_labels(model.classes_)), "decision_function": score}, score, dtype


def read_linear_classifier(model: Any) -> Model:
    """Classifiers that decide by linear functions, without probabilities."""
    methods, _, dtype = _decisions(model)
    return dense_model(model, methods, "classification", dtype)


def read_logistic(model: Any) -> Model:
    methods, score, dtype = _decisions(model)
    if getattr(model, "multi_class", "deprecated") in ("ovr", "warn") and score.width > 1:
        raise UnsupportedModel.because(type(model).__name__, ["multi_class='ovr' is of older versions"])
    methods["predict_proba"] = _sigmoid(score) if score.width == 1 else Link("softmax_numpy_pairwise", score)
    return dense_model(model, methods, "classification", dtype)


def _sigmoid(score: Score) -> Score:
    return BothClasses(Link("sigmoid", score))


def read_sgd_classifier(model: Any) -> Model:
    methods, score, dtype = _decisions(model)
    link = {"log_loss": "sigmoid", "modified_huber": "clipped_share"}.get(model.loss)
    if link is not None:
        one_by_one = Link(link, score)
        methods["predict_proba"] = BothClasses(one_by_one) if score.width == 1 else Link("normalize_pairwise", one_by_one, share_of_zeros(model))
    return dense_model(model, methods, "classification", dtype)


def _bayes(model: Any, joint: Score) -> Model:
    if len(model.classes_) < 2:
        raise UnsupportedModel.because(type(model).__name__, ["it has a single class"])
    methods: dict[str, Score] = {"predict": Decide("largest", joint, class_labels(model.classes_)), "predict_proba": LogNormalized(joint)}
    return dense_model(model, methods, "classification")


def read_gaussian_bayes(model: Any) -> Model:
    arrays = (np.log(model.class_prior_), np.asarray(model.theta_), np.asarray(model.var_))
    return _bayes(model, GaussianBayes(matrix_of(model, "float64"), *arrays))


def read_count_bayes(model: Any) -> Model:
    """`MultinomialNB` and `ComplementNB`."""
    prior = model.class_log_prior_ if type(model).__name__ == "MultinomialNB" else np.zeros(len(model.classes_))
    return _bayes(model, Linear(matrix_of(model, "float64"), np.asarray(model.feature_log_prob_), np.asarray(prior)))


def read_bernoulli_bayes(model: Any) -> Model:
    steps = () if model.binarize is None else (Step("above", (float(model.binarize),)),)
    log_prob = model.feature_log_prob_
    none = np.log(1 - np.exp(log_prob))
    return _bayes(model, Linear(matrix_of(model, "float64", steps), log_prob - none, model.class_log_prior_ + none.sum(axis=1)))


def read_k_means(model: Any) -> Model:
    centers = np.asarray(model.cluster_centers_)
    if centers.dtype != np.float64:
        raise UnsupportedModel.because(type(model).__name__, ["it was fitted on float32, in which it adds in another precision"])
    given = Inputs(matrix_of(model, "float64").features)   # by rows, whatever it is given
    labels = np.arange(len(centers), dtype=np.int32)
    methods: dict[str, Score] = {
        "predict": Decide("largest", Distances(given, centers, root=False), labels),
        "transform": Distances(given, centers, root=True),
    }
    return dense_model(model, methods, "cluster")


def _layers(model: Any) -> tuple[Layers, str]:
    dtype = str(model.coefs_[0].dtype)
    weights, biases = tuple(np.asarray(w) for w in model.coefs_), tuple(np.asarray(b) for b in model.intercepts_)
    return Layers(matrix_of(model, dtype), weights, biases, model.activation, model.out_activation_), dtype


def read_mlp_regressor(model: Any) -> Model:
    score, dtype = _layers(model)
    return dense_model(model, {"predict": score}, "regression", dtype)


def read_mlp_classifier(model: Any) -> Model:
    score, dtype = _layers(model)
    if model._label_binarizer.y_type_.startswith("multilabel"):
        raise UnsupportedModel.because("MLPClassifier", ["it decides between several labels at once"])
    if len(model.classes_) < 2:
        raise UnsupportedModel.because("MLPClassifier", ["it has a single class"])
    rule, labels = ("above" if score.width == 1 else "largest"), class_labels(model.classes_)
    methods: dict[str, Score] = {
        "predict": Decide(rule, score, labels, cut=0.5 if score.width == 1 else 0.0),
        "predict_proba": BothClasses(score) if score.width == 1 else score,
    }
    return dense_model(model, methods, "classification", dtype)
