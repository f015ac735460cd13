"""Models of LightGBM: `Booster` and its scikit-learn classes, through ``model_to_string()``.

Tested with LightGBM 4.7; the self-check compares with the version that is installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype
from fastframe.errors.models import UnsupportedModel
from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.features import Code, Feature, Number
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Ask, Model, Source
from fastframe.predict.readers.lightgbm_trees import Inputs, Saved, forest_of, saved, unreadable
from fastframe.predict.scores import ForestScore, Score

Array = np.ndarray[Any, Any]

_LINKS: dict[str, str | None] = {
    "regression": None, "regression_l1": None, "huber": None, "fair": None, "quantile": None, "mape": None, "lambdarank": None,
    "rank_xendcg": None, "poisson": "exp", "gamma": "exp", "tweedie": "exp", "binary": "sigmoid", "multiclass": "softmax",
    "multiclassova": "sigmoid", "cross_entropy": "sigmoid", "cross_entropy_lambda": "softplus",
}  # fmt: skip
"""Link by objective; None: the raw score itself."""

_SQUARED = ("regression", "regression_l1", "fair", "mape")   # those that keep reg_sqrt


def read(model: Any) -> Model:
    """The model in data; up to the best iteration if it has one, as LightGBM predicts by itself.

    Raises
    ------
    UnsupportedModel
        With all reasons.
    """
    native = _Native.of(model)
    found = saved(native.booster.model_to_string())
    categories, reasons = _categories(native.booster.pandas_categorical or [], found)
    reasons += unreadable(found) + _unknown(native, found)
    if reasons:
        raise UnsupportedModel.because(type(model).__name__, reasons)
    inputs = Inputs.of(found, {feature: len(one) for feature, one in categories.items()})
    contract, features = _contract(found, inputs, categories)
    margin = ForestScore(forest_of(found, inputs), features)
    methods = native.methods(found, margin)
    return Model(
        contract=contract,
        methods=methods,
        task=native.task,
        source=Source("LightGBM", native.version, type(model).__name__),
        asks=native.asks(methods),
        notes=_notes(native, found, categories),
    )


@dataclass(frozen=True)
class _Native:
    """What there is beside the saved booster: how the class that holds it predicts."""

    model: Any
    booster: Any
    version: str

    @classmethod
    def of(cls, model: Any) -> _Native:
        import lightgbm

        return cls(model, model if isinstance(model, lightgbm.Booster) else model.booster_, lightgbm.__version__)

    @property
    def is_classifier(self) -> bool:
        return hasattr(self.model, "classes_")

    @property
    def task(self) -> str:
        import lightgbm

        if isinstance(self.model, lightgbm.LGBMRanker):
            return "ranking"
        return "classification" if self.is_classifier else "regression"

    def methods(self, found: Saved, margin: ForestScore) -> Mapping[str, Score]:
        """Scores by method, as the class makes them from the booster's value."""
        if not found.objective:
            return {"margin": margin}
        raw: Score = Link("divide", margin, scale=len(found.trees) / found.n_outputs) if found.averaged else margin
        link, scale = self._link(found)
        value: Score = raw if link is None else Link(link, raw, scale)
        if not self.is_classifier:
            return {"margin": margin, "predict": value}
        probabilities = value if found.n_outputs > 1 else BothClasses(value)
        labels = Decide("largest", probabilities, class_labels(self.model.classes_))
        methods = {"margin": margin, "predict": labels, "predict_proba": probabilities}
        if hasattr(self.model, "decision_function"):   # since 4.7
            methods["decision_function"] = margin
        return methods

    def _link(self, found: Saved) -> tuple[str | None, float]:
        name, *told = found.objective
        if "sqrt" in told:
            return "signed_square", 1.0
        written = next((word.partition(":")[2] for word in told if word.startswith("sigmoid:")), "1")
        return _LINKS[name], self._exact_sigmoid(written)

    def _exact_sigmoid(self, written: str) -> float:
        """The sigmoid parameter, which the text holds with 6 digits: those of a booster that has been through text itself.

        That is every one but those that still train (``keep_training_booster=True``), which have it as it was given.
        """
        if not hasattr(self.booster, "train_set"):
            return float(written)
        given = float(self.booster.params.get("sigmoid", written))
        return given if f"{given:g}" == written else float(written)

    def asks(self, methods: Mapping[str, Score]) -> dict[str, Ask]:
        found: dict[str, Callable[[Any], Array]] = {
            "predict": lambda X: self.model.predict(X),
            "margin": lambda X: self.model.predict(X, raw_score=True),
            "predict_proba": lambda X: self.model.predict_proba(X),
            "decision_function": lambda X: self.model.decision_function(X),
        }
        asks = {name: Ask(found[name]) for name in methods}
        asks["leaf"] = Ask(lambda X: self.model.predict(X, pred_leaf=True).reshape(len(X), -1))
        return asks


def _unknown(native: _Native, found: Saved) -> list[str]:
    reasons = []
    if found.objective:
        name, *told = found.objective
        if name not in _LINKS or ("sqrt" in told and name not in _SQUARED):
            reasons.append(f"objective {' '.join(found.objective)} is not known")
        elif native.is_classifier and len(native.model.classes_) != max(2, found.n_outputs):
            reasons.append(f"objective {name} has {found.n_outputs} outputs for {len(native.model.classes_)} classes")
    if native.model is not native.booster and native.model.get_params().get("pred_early_stop"):
        reasons.append("pred_early_stop ends a row's sum early, depending on its size")
    return reasons


def _categories(lists: list[list[Any]], found: Saved) -> tuple[dict[int, pa.Array], list[str]]:
    """The categories of pandas columns by feature; LightGBM keeps the lists in order, but not of which columns they are."""
    if not lists:
        return {}, []
    declared = found.declared_categories
    if len(declared) != len(lists):
        reason = f"it keeps {len(lists)} lists of pandas categories for {len(declared)} categorical features, but not of which columns they are"
        return {}, [reason]
    categories, reasons = {}, []
    for feature, values in zip(declared, lists, strict=True):
        try:
            categories[feature] = pa.array(list(values))
        except pa.ArrowInvalid:
            reasons.append(f"the categories of {found.names[feature]} are of several types")
            continue
        if found.n_codes.get(feature, 0) > len(values):
            reasons.append(f"{found.names[feature]} is split by more categories than pandas had")
    return categories, reasons


def _contract(found: Saved, inputs: Inputs, categories: Mapping[int, pa.Array]) -> tuple[FeatureContract, tuple[Feature, ...]]:
    """Names, types and categories; and how columns feed the forest."""
    named = not all(re.fullmatch(r"Column_\d+", name) for name in found.names)
    fields = []
    for column, name in enumerate(found.names):
        name = name if named else f"x{column}"
        if column in categories:
            kind = dtype(pa.dictionary(pa.int32(), categories[column].type))
            fields.append(Field(name, kind, categories[column], unseen="missing"))
        else:
            fields.append(Field(name, dtype("float64")))
    features: tuple[Feature, ...] = tuple(Code(column) if column in categories else Number(column) for column in inputs.features)
    return FeatureContract(tuple(fields), named=named), features


def _notes(native: _Native, found: Saved, categories: Mapping[int, pa.Array]) -> tuple[str, ...]:
    notes = [f"raw scores and leaves as LightGBM {native.version} adds them, in float64 and in tree order"]
    if categories:
        notes.append("a category that was not trained on is missing, as in LightGBM")
    if any(feature not in categories for feature in found.n_codes):
        notes.append("some categorical features are taken as codes, truncated to whole numbers")
    if found.averaged:
        notes.append("random forest: the margin is the sum, as LightGBM's raw_score; predict divides it by the iterations")
    if not found.objective:
        notes.append("the objective is a function of the user's: margin only")
    return tuple(notes)
