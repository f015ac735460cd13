"""Which reader knows which class of model; readers themselves are imported, and with them libraries, when they are needed.

A reader is a function ``read(model) -> Model``. It refuses, by `UnsupportedModel` with all its reasons, what it does not know.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastframe.errors.models import UnsupportedModel
from fastframe.predict.model import Model

if TYPE_CHECKING:
    from fastframe.contract import FeatureContract

READERS: dict[str, str] = {
    # XGBoost
    "xgboost.Booster": "xgboost:read",
    "xgboost.XGBRegressor": "xgboost:read",
    "xgboost.XGBClassifier": "xgboost:read",
    "xgboost.XGBRanker": "xgboost:read",
    "xgboost.XGBRFRegressor": "xgboost:read",
    "xgboost.XGBRFClassifier": "xgboost:read",
    # LightGBM
    "lightgbm.Booster": "lightgbm:read",
    "lightgbm.LGBMRegressor": "lightgbm:read",
    "lightgbm.LGBMClassifier": "lightgbm:read",
    "lightgbm.LGBMRanker": "lightgbm:read",
    # scikit-learn: trees and forests
    "sklearn.DecisionTreeRegressor": "sklearn_trees:read_tree",
    "sklearn.DecisionTreeClassifier": "sklearn_trees:read_tree",
    "sklearn.ExtraTreeRegressor": "sklearn_trees:read_tree",
    "sklearn.ExtraTreeClassifier": "sklearn_trees:read_tree",
    "sklearn.RandomForestRegressor": "sklearn_trees:read_forest",
    "sklearn.RandomForestClassifier": "sklearn_trees:read_forest",
    "sklearn.ExtraTreesRegressor": "sklearn_trees:read_forest",
    "sklearn.ExtraTreesClassifier": "sklearn_trees:read_forest",
    "sklearn.GradientBoostingRegressor": "sklearn_boosting:read",
    "sklearn.GradientBoostingClassifier": "sklearn_boosting:read",
    "sklearn.HistGradientBoostingRegressor": "sklearn_hist:read",
    "sklearn.HistGradientBoostingClassifier": "sklearn_hist:read",
    "sklearn.IsolationForest": "sklearn_isolation:read",
    # scikit-learn: linear models and other dense ones
    "sklearn.LinearRegression": "sklearn_linear:read_linear",
    "sklearn.Ridge": "sklearn_linear:read_linear",
    "sklearn.RidgeCV": "sklearn_linear:read_linear",
    "sklearn.Lasso": "sklearn_linear:read_linear",
    "sklearn.LassoCV": "sklearn_linear:read_linear",
    "sklearn.ElasticNet": "sklearn_linear:read_linear",
    "sklearn.ElasticNetCV": "sklearn_linear:read_linear",
    "sklearn.MultiTaskLasso": "sklearn_linear:read_linear",
    "sklearn.MultiTaskLassoCV": "sklearn_linear:read_linear",
    "sklearn.MultiTaskElasticNet": "sklearn_linear:read_linear",
    "sklearn.MultiTaskElasticNetCV": "sklearn_linear:read_linear",
    "sklearn.Lars": "sklearn_linear:read_linear",
    "sklearn.LarsCV": "sklearn_linear:read_linear",
    "sklearn.LassoLars": "sklearn_linear:read_linear",
    "sklearn.LassoLarsCV": "sklearn_linear:read_linear",
    "sklearn.LassoLarsIC": "sklearn_linear:read_linear",
    "sklearn.OrthogonalMatchingPursuit": "sklearn_linear:read_linear",
    "sklearn.OrthogonalMatchingPursuitCV": "sklearn_linear:read_linear",
    "sklearn.BayesianRidge": "sklearn_linear:read_linear",
    "sklearn.ARDRegression": "sklearn_linear:read_linear",
    "sklearn.HuberRegressor": "sklearn_linear:read_linear",
    "sklearn.TheilSenRegressor": "sklearn_linear:read_linear",
    "sklearn.QuantileRegressor": "sklearn_linear:read_linear",
    "sklearn.SGDRegressor": "sklearn_linear:read_linear",
    "sklearn.PassiveAggressiveRegressor": "sklearn_linear:read_linear",
    "sklearn.LinearSVR": "sklearn_linear:read_linear",
    "sklearn.PoissonRegressor": "sklearn_linear:read_glm",
    "sklearn.GammaRegressor": "sklearn_linear:read_glm",
    "sklearn.TweedieRegressor": "sklearn_linear:read_glm",
    "sklearn.RidgeClassifier": "sklearn_linear:read_linear_classifier",
    "sklearn.RidgeClassifierCV": "sklearn_linear:read_linear_classifier",
    "sklearn.LinearSVC": "sklearn_linear:read_linear_classifier",
    "sklearn.Perceptron": "sklearn_linear:read_linear_classifier",
    "sklearn.PassiveAggressiveClassifier": "sklearn_linear:read_linear_classifier",
    "sklearn.LogisticRegression": "sklearn_linear:read_logistic",
    "sklearn.LogisticRegressionCV": "sklearn_linear:read_logistic",
    "sklearn.SGDClassifier": "sklearn_linear:read_sgd_classifier",
    "sklearn.GaussianNB": "sklearn_linear:read_gaussian_bayes",
    "sklearn.MultinomialNB": "sklearn_linear:read_count_bayes",
    "sklearn.ComplementNB": "sklearn_linear:read_count_bayes",
    "sklearn.BernoulliNB": "sklearn_linear:read_bernoulli_bayes",
    "sklearn.KMeans": "sklearn_linear:read_k_means",
    "sklearn.MiniBatchKMeans": "sklearn_linear:read_k_means",
    "sklearn.MLPRegressor": "sklearn_linear:read_mlp_regressor",
    "sklearn.MLPClassifier": "sklearn_linear:read_mlp_classifier",
    # scikit-learn: pipelines, and models of models
    "sklearn.Pipeline": "sklearn_pipeline:read",
    "sklearn.ColumnTransformer": "sklearn_pipeline:read",
    "sklearn.FeatureUnion": "sklearn_pipeline:read",
    "sklearn.VotingRegressor": "sklearn_pipeline:read",
    "sklearn.VotingClassifier": "sklearn_pipeline:read",
    "sklearn.StackingRegressor": "sklearn_pipeline:read",
    "sklearn.StackingClassifier": "sklearn_pipeline:read",
    "sklearn.BaggingRegressor": "sklearn_pipeline:read",
    "sklearn.BaggingClassifier": "sklearn_pipeline:read",
    "sklearn.CalibratedClassifierCV": "sklearn_pipeline:read",
    "sklearn.OneVsRestClassifier": "sklearn_pipeline:read",
    "sklearn.OneVsOneClassifier": "sklearn_pipeline:read",
    "sklearn.MultiOutputRegressor": "sklearn_pipeline:read",
    "sklearn.MultiOutputClassifier": "sklearn_pipeline:read",
    "sklearn.RegressorChain": "sklearn_pipeline:read",
    "sklearn.ClassifierChain": "sklearn_pipeline:read",
    "sklearn.TransformedTargetRegressor": "sklearn_pipeline:read",
    "sklearn.GridSearchCV": "sklearn_pipeline:read",
    "sklearn.RandomizedSearchCV": "sklearn_pipeline:read",
    "sklearn.HalvingGridSearchCV": "sklearn_pipeline:read",
    "sklearn.HalvingRandomSearchCV": "sklearn_pipeline:read",
    "sklearn.FrozenEstimator": "sklearn_pipeline:read",
    "sklearn.TunedThresholdClassifierCV": "sklearn_pipeline:read",
    # scikit-learn: transformers by themselves
    "sklearn.OneHotEncoder": "sklearn_pipeline:read",
    "sklearn.OrdinalEncoder": "sklearn_pipeline:read",
    "sklearn.TargetEncoder": "sklearn_pipeline:read",
    "sklearn.SimpleImputer": "sklearn_pipeline:read",
    "sklearn.MissingIndicator": "sklearn_pipeline:read",
    "sklearn.StandardScaler": "sklearn_pipeline:read",
    "sklearn.MinMaxScaler": "sklearn_pipeline:read",
    "sklearn.MaxAbsScaler": "sklearn_pipeline:read",
    "sklearn.RobustScaler": "sklearn_pipeline:read",
    "sklearn.Binarizer": "sklearn_pipeline:read",
    "sklearn.KBinsDiscretizer": "sklearn_pipeline:read",
    "sklearn.Normalizer": "sklearn_pipeline:read",
    "sklearn.QuantileTransformer": "sklearn_pipeline:read",
    "sklearn.PowerTransformer": "sklearn_pipeline:read",
    "sklearn.PolynomialFeatures": "sklearn_pipeline:read",
    "sklearn.PCA": "sklearn_pipeline:read",
    "sklearn.TruncatedSVD": "sklearn_pipeline:read",
    "sklearn.VarianceThreshold": "sklearn_pipeline:read",
    "sklearn.SelectKBest": "sklearn_pipeline:read",
    "sklearn.SelectPercentile": "sklearn_pipeline:read",
    "sklearn.SelectFpr": "sklearn_pipeline:read",
    "sklearn.SelectFdr": "sklearn_pipeline:read",
    "sklearn.SelectFwe": "sklearn_pipeline:read",
    "sklearn.SelectFromModel": "sklearn_pipeline:read",
    "sklearn.RFE": "sklearn_pipeline:read",
    "sklearn.RFECV": "sklearn_pipeline:read",
    "sklearn.SequentialFeatureSelector": "sklearn_pipeline:read",
    "sklearn.GenericUnivariateSelect": "sklearn_pipeline:read",
    "sklearn.FunctionTransformer": "sklearn_pipeline:read",
}
"""``library.Class`` to ``module of this package:function``."""

_HARMLESS = frozenset(
    "__init__ __repr__ __str__ __doc__ __module__ __qualname__ __annotations__ __dict__ __weakref__ __reduce__ __getstate__ "
    "__setstate__ __sklearn_tags__ _more_tags _get_param_names fit partial_fit fit_predict get_params set_params score "
    "get_metadata_routing set_fit_request set_predict_request set_score_request __firstlineno__ __static_attributes__ "
    "__parameters__ __orig_bases__ __hash__ __eq__ _repr_html_ _abc_impl __abstractmethods__".split()
)
"""What a subclass may define anew without a change to what a fitted model predicts."""


def read_model(model: Any, given: FeatureContract | None = None) -> Model:
    """Read a fitted model into data.

    A subclass of a known class is read as that class if it changes nothing that predicts. ``given``: the columns that it was
    fitted on, for those readers that take what the model itself does not tell from it.

    Raises
    ------
    UnsupportedModel
        No reader knows the class, a subclass overrides a method, or the reader refuses the model; the message lists why.
    """
    read = reader_of(model)
    if given is None:
        return read(model)
    if "given" not in inspect.signature(read).parameters:
        raise UnsupportedModel.knows_its_columns(type(model).__name__)
    return read(model, given=given)


def check_fitted_model(model: Any) -> None:
    """Refuse what is no model at all, and models that are not fitted: these have no native answers either.

    Raises
    ------
    UnsupportedModel
    """
    if isinstance(model, type) or hasattr(model, "columns") or not (hasattr(model, "predict") or hasattr(model, "fit")):
        raise UnsupportedModel.no_model(model)
    told = getattr(model, "__sklearn_is_fitted__", None)
    if callable(told):
        fitted = bool(told())
    else:   # as scikit-learn asks; transformers without state have nothing that is fitted
        named = (name for name in getattr(model, "__dict__", {}) if name.endswith("_") and not name.startswith("__"))
        fitted = not (hasattr(model, "get_params") and hasattr(model, "predict")) or any(named)
    if not fitted:
        raise UnsupportedModel.not_fitted(type(model).__name__)


def reader_of(model: Any) -> Callable[..., Model]:
    """The reader of a model's class; refuses as `read_model` does."""
    kind = type(model)
    overridden = [name for name in ("predict", "predict_proba", "decision_function", "transform") if name in getattr(model, "__dict__", {})]
    for base in kind.__mro__:
        place = READERS.get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if place is not None:
            break
        overridden += [name for name in vars(base) if name not in _HARMLESS and any(name in vars(above) for above in base.__mro__[1:])]
    else:
        raise UnsupportedModel.unknown_class(f"{kind.__module__}.{kind.__qualname__}", READERS)
    if kind.__module__.partition(".")[0] == base.__module__.partition(".")[0] and base is not kind:
        raise UnsupportedModel.unknown_class(f"{kind.__module__}.{kind.__qualname__}", READERS)
    if overridden:
        raise UnsupportedModel.overridden(kind.__qualname__, base.__name__, overridden)
    module, _, function = place.partition(":")
    read: Callable[..., Model] = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return read
