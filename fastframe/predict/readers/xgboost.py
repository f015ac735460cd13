"""Models of XGBoost: `Booster` and its scikit-learn classes, through ``save_raw("ubj")``.

Tested with XGBoost 3.2; what depends on the version is named in `_notes`, and the self-check compares the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype
from fastframe.errors.models import UnsupportedModel
from fastframe.predict.decide import Decide
from fastframe.predict.features import Code, Feature, Number, Step
from fastframe.predict.forest import CategoryInput, Input
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Ask, Model, Source
from fastframe.predict.readers.ubjson import loads
from fastframe.predict.readers.xgboost_trees import Saved, forest_of, inputs_of, saved, unreadable, with_categories
from fastframe.predict.scores import ForestScore, Score

Array = np.ndarray[Any, Any]

_LINKS: dict[str, str | None] = {
    "reg:squarederror": None, "reg:linear": None, "reg:squaredlogerror": None, "reg:pseudohubererror": None,
    "reg:absoluteerror": None, "reg:quantileerror": None, "rank:pairwise": None, "rank:ndcg": None, "rank:map": None,
    "binary:logitraw": None, "reg:logistic": "sigmoid_xgboost", "binary:logistic": "sigmoid_xgboost", "binary:hinge": "step",
    "multi:softprob": "softmax_xgboost", "multi:softmax": "softmax_xgboost", "count:poisson": "exp", "reg:gamma": "exp",
    "reg:tweedie": "exp", "survival:cox": "exp", "survival:aft": "exp_wide",
}  # fmt: skip
"""Link by objective; None: the margin itself."""

_LARGEST = float(np.finfo(np.float32).max)


def read(model: Any, iteration_range: tuple[int, int] | None = None, given: FeatureContract | None = None) -> Model:
    """The model in data.

    ``given``: the columns that a model of before 3.1 was fitted on, with the categories that it does not keep.

    ``iteration_range`` is XGBoost's own: ``(first, last)`` rounds, ``(0, 0)`` for all. As in XGBoost, scikit-learn's classes
    stop at their best iteration if it is not given, and a Booster does not.

    Raises
    ------
    UnsupportedModel
        With all reasons.
    """
    native = _Native.of(model, iteration_range)
    found = saved(loads(native.booster.save_raw("ubj")))
    if given is not None:
        found = with_categories(found, given, type(model).__name__)
    reasons = unreadable(found) + _unknown(native, found)
    if reasons:
        raise UnsupportedModel.because(type(model).__name__, reasons)
    inputs = inputs_of(found, native.missing)
    if not math.isnan(native.missing) and any(isinstance(one, CategoryInput) for one in inputs):
        reason = f"missing={native.missing:g} also means the category that has this code"
        raise UnsupportedModel.because(type(model).__name__, [reason])
    iterations = (native.first, min(native.last or found.n_iterations, found.n_iterations))
    contract, features = _contract(found, inputs)
    margin = ForestScore(forest_of(found, inputs, iterations, inplace_dart=native.inplace_dart), features)
    methods = native.methods(found, margin)
    return Model(
        contract=contract,
        methods=methods,
        task=native.task,
        source=Source("XGBoost", native.version, type(model).__name__),
        asks=native.asks(methods, found),
        notes=_notes(native, found, inputs),
    )


@dataclass(frozen=True)
class _Native:
    """What there is beside the saved booster: how the class that holds it predicts."""

    model: Any
    booster: Any
    version: str
    missing: float   # beside NaN
    first: int       # iteration
    last: int        # 0: all

    @classmethod
    def of(cls, model: Any, iteration_range: tuple[int, int] | None) -> _Native:
        import xgboost

        if isinstance(model, xgboost.Booster):
            return cls(model, model, xgboost.__version__, math.nan, *(iteration_range or (0, 0)))
        booster = model.get_booster()
        if model.missing is None:
            raise UnsupportedModel.because(type(model).__name__, ["with missing=None XGBoost cannot predict either; set it to NaN"])
        chosen = iteration_range or (0, 0)
        if chosen[1] == 0 and booster.attr("best_iteration") is not None:
            chosen = (0, booster.best_iteration + 1)
        return cls(model, booster, xgboost.__version__, float(model.missing), *chosen)

    @property
    def is_booster(self) -> bool:
        return self.model is self.booster

    @property
    def is_classifier(self) -> bool:
        return hasattr(self.model, "n_classes_")

    @property
    def inplace_dart(self) -> bool:
        """Classes predict in place; before 3.3 DART's rounding differs there."""
        return not self.is_booster and tuple(int(part) for part in self.version.split(".")[:2]) < (3, 3)

    @property
    def custom(self) -> bool:
        return callable(getattr(self.model, "objective", None))

    @property
    def task(self) -> str:
        import xgboost

        if isinstance(self.model, xgboost.XGBRanker):
            return "ranking"
        return "classification" if self.is_classifier else "regression"

    def methods(self, found: Saved, margin: ForestScore) -> Mapping[str, Score]:
        """Scores by method, as the class makes them from the booster's value."""
        if self.custom:
            return {"margin": margin}
        link = _LINKS[found.objective]
        value: Score = margin if link is None else Link(link, margin)
        if self.is_classifier:
            return {"margin": margin, **self._classifier(found, margin, value)}
        if found.objective == "multi:softmax":   # a booster's class is a float
            value = Decide("largest", margin, np.arange(found.n_outputs, dtype=np.float32))
        return {"margin": margin, "predict": value}

    def _classifier(self, found: Saved, margin: ForestScore, value: Score) -> dict[str, Score]:
        n_classes = int(self.model.n_classes_)
        if found.objective == "multi:softmax":
            labels = Decide("largest", margin, np.arange(found.n_outputs, dtype=np.int32))
            return {"predict": labels, "predict_proba": Link("softmax_numpy_pairwise", margin)}
        if found.n_outputs > 1 and n_classes != 2:
            return {"predict": Decide("largest", value, np.arange(found.n_outputs)), "predict_proba": value}
        if found.n_outputs > 1:   # several labels per row
            return {"predict": Decide("above", value, np.array([0.0, 1.0]), cut=0.5), "predict_proba": value}
        labels = Decide("above", value, np.array([0, 1]), cut=0.5)
        if found.objective == "binary:logitraw":   # XGBoost has no probabilities of it
            return {"predict": labels}
        return {"predict": labels, "predict_proba": BothClasses(value)}

    def asks(self, methods: Mapping[str, Score], document: Saved) -> dict[str, Ask]:
        if not self.is_booster:
            chosen = (self.first, self.last)
            found: dict[str, Callable[[Any], Array]] = {
                "predict": lambda X: self.model.predict(X, iteration_range=chosen),
                "margin": lambda X: self.model.predict(X, iteration_range=chosen, output_margin=True),
                "predict_proba": lambda X: self.model.predict_proba(X, iteration_range=chosen),
            }
        elif document.booster == "dart":   # in place it is another formula
            found = {
                "predict": lambda X: self._by_matrix(X),
                "margin": lambda X: self._by_matrix(X, output_margin=True),
            }
        else:
            found = {
                "predict": lambda X: self._in_place(X, "value"),
                "margin": lambda X: self._in_place(X, "margin"),
            }
        asks = {name: Ask(found[name]) for name in methods}
        skipped = int(document.iteration_start[self.first])   # leaves are only had from the first iteration on
        asks["leaf"] = Ask(lambda X: self._by_matrix(X, first=0, pred_leaf=True).reshape(len(X), -1)[:, skipped:])
        return asks

    def _in_place(self, X: Any, kind: str) -> Array:
        answer: Array = self.booster.inplace_predict(X, iteration_range=(self.first, self.last), predict_type=kind)
        return answer

    def _by_matrix(self, X: Any, first: int | None = None, **how: bool) -> Array:
        """Through a DMatrix, which does not take infinity: the largest float32 is on the same side of every threshold."""
        import xgboost

        data = xgboost.DMatrix(_finite(X, self.missing), missing=self.missing, enable_categorical=True, nthread=1)
        chosen = (self.first if first is None else first, self.last)
        answer: Array = self.booster.predict(data, iteration_range=chosen, **how)
        return answer


def _finite(X: Any, missing: float) -> Any:
    def clipped(values: Any) -> Any:
        with np.errstate(over="ignore"):
            narrow = np.asarray(values).astype(np.float32)
            absent = narrow == np.float32(missing)   # infinity may be what says that a value is missing
        return np.where(absent, np.float32(np.nan), np.clip(narrow, -_LARGEST, _LARGEST))

    if isinstance(X, np.ndarray):
        return clipped(X)
    floats = [name for name, kind in X.dtypes.items() if getattr(kind, "kind", "") == "f"]
    return X.assign(**{name: clipped(X[name]) for name in floats})


def _unknown(native: _Native, found: Saved) -> list[str]:
    reasons = []
    if found.objective not in _LINKS and not native.custom:
        reasons.append(f"objective {found.objective} is not known")
    if not native.last <= found.n_iterations or not 0 <= native.first <= (native.last or found.n_iterations):
        reasons.append(f"iteration_range {(native.first, native.last)} is not within its {found.n_iterations} iterations")
    return reasons


def _contract(found: Saved, inputs: tuple[Input, ...]) -> tuple[FeatureContract, tuple[Feature, ...]]:
    """Names, types and categories; and how columns feed the forest. Without names columns go by position."""
    names = found.feature_names or tuple(f"x{i}" for i in range(found.n_features))
    fields: list[Field] = []
    features: list[Feature] = []
    for column, (name, categories, source) in enumerate(zip(names, found.categories, inputs, strict=True)):
        if categories is not None:
            kind = dtype(pa.dictionary(pa.int32(), categories.type))
            fields.append(Field(name, kind, categories, unseen="error"))
            features.append(Code(column))
            continue
        fields.append(Field(name, dtype("float64")))
        steps = (Step("float32"),) if isinstance(source, CategoryInput) else ()   # codes that came as numbers
        features.append(Number(column, steps, via=""))
    return FeatureContract(tuple(fields), named=bool(found.feature_names)), tuple(features)


def _notes(native: _Native, found: Saved, inputs: tuple[Input, ...]) -> tuple[str, ...]:
    notes = [f"margins and leaves as XGBoost {native.version} adds them, in float32 and in tree order"]
    if found.booster == "dart":
        formula = "((intercept + leaf) - intercept) * weight, as inplace_predict before 3.3" if native.inplace_dart else "leaf * weight"
        notes.append(f"DART rounds {formula}")
    if any(categories is not None for categories in found.categories):
        notes.append("a category that was not trained on is an error; XGBoost 3.1 and 3.2 may take it for another one (dmlc/xgboost#12189)")
    if any(isinstance(one, CategoryInput) and kept is None for one, kept in zip(inputs, found.categories, strict=True)):
        notes.append("the model keeps no categories for some categorical features: they are taken as codes, unless contract= tells them")
    if native.custom:
        notes.append("the objective is a function of the user's: margin only")
    if native.last:
        notes.append(f"iterations {native.first} to {native.last} of {found.n_iterations}")
    return tuple(notes)
