"""Readers of scikit-learn's `HistGradientBoostingRegressor` and `HistGradientBoostingClassifier`.

All is float64: the baseline, then each tree's leaf, which holds the learning rate already. Where there are categories, the
library encodes them itself, in a `ColumnTransformer` that puts those columns first; trees know the columns in that order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.contract import FeatureContract, Field
from fastframe.errors.models import UnsupportedModel
from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.features import Code, Number
from fastframe.predict.forest import LEAF, NO_SET, CategoryInput, Forest, Input, NumberInput
from fastframe.predict.forest_build import Tree, join, set_words
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Ask, Model
from fastframe.predict.readers import sklearn_nodes as shared
from fastframe.predict.scores import ForestScore, Score

Array = np.ndarray[Any, Any]

NODE_FIELDS = frozenset({
    "value", "count", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "gain", "depth", "is_leaf",
    "bin_threshold", "is_categorical", "bitset_idx",
})  # fmt: skip
"""Of a predictor's nodes, 1.6 to 1.9; any other layout is refused."""
MEANS = {"IdentityLink": None, "LogLink": "exp_numpy"}
PROBABILITIES = {"HalfBinomialLoss": "sigmoid", "HalfMultinomialLoss": "softmax_numpy"}


def read(model: Any) -> Model:
    """A `HistGradientBoostingRegressor` or `HistGradientBoostingClassifier`."""
    shared.check_fitted(
        model, "_predictors", "_baseline_prediction", "_bin_mapper", "_loss", "_preprocessor", "n_trees_per_iteration_", "n_features_in_"
    )
    is_classifier = hasattr(model, "classes_")
    contract = _contract(model)
    features = tuple(Number(i) if field.categories is None else Code(i) for i, field in enumerate(contract.fields))
    score = ForestScore(_forest(model, contract), features)
    methods = _classifier(model, score) if is_classifier else _regressor(model, score)
    asked = {"margin": model._raw_predict, **{name: getattr(model, name) for name in methods if name != "margin"}}
    return Model(
        contract=contract,
        methods=methods,
        task="classification" if is_classifier else "regression",
        source=shared.source_of(model),
        asks={name: Ask(method) for name, method in asked.items()},
    )


def _regressor(model: Any, score: ForestScore) -> dict[str, Score]:
    link = type(model._loss.link).__name__
    shared.require(link in MEANS, model, f"its loss has the link {link}")
    kind = MEANS[link]
    return {"predict": score if kind is None else Link(kind, score), "margin": score}


def _classifier(model: Any, score: ForestScore) -> dict[str, Score]:
    loss = type(model._loss).__name__
    shared.require(loss in PROBABILITIES, model, f"its loss is {loss}")
    classes, probability = class_labels(model.classes_), Link(PROBABILITIES[loss], score)
    if score.width > 1:
        return {"predict": Decide("largest", score, classes), "predict_proba": probability, "decision_function": score, "margin": score}
    both = np.concatenate([classes, classes[-1:]])[:2]   # one class: there is nothing to decide
    return {"predict": Decide("above", score, both), "predict_proba": BothClasses(probability), "decision_function": score, "margin": score}


def _fed_columns(model: Any) -> tuple[Array, int]:
    """Which column each of the trees' features is, and how many of the first ones are categories."""
    is_category = model.is_categorical_ if model._preprocessor is not None else None
    if is_category is None:
        return np.arange(model.n_features_in_), 0
    first, second = np.flatnonzero(is_category), np.flatnonzero(~np.asarray(is_category))
    parts = [name for name, _, _ in model._preprocessor.transformers_]
    places = model._preprocessor.output_indices_
    fits = parts[:1] == ["encoder"] and (places["encoder"].start, places["encoder"].stop) == (0, len(first))
    shared.require(fits, model, "its own encoder of categories is none that is known")
    return np.concatenate([first, second]), len(first)


def _contract(model: Any) -> FeatureContract:
    """Numbers, and for categories the values that the model's encoder learnt; all may be missing, unseen ones are missing."""
    plain = shared.contract_of(model, nullable=True)
    columns, n_encoded = _fed_columns(model)
    if not n_encoded:
        return plain
    fields = list(plain.fields)
    learnt = model._preprocessor.named_transformers_["encoder"].categories_
    for column, values in zip(columns[:n_encoded].tolist(), learnt, strict=True):
        fields[column] = _category_field(model, fields[column].name, values)
    return FeatureContract(tuple(fields), plain.named)


def _category_field(model: Any, name: str, values: Array) -> Field:
    if len(values) and isinstance(values[-1], float | np.floating) and np.isnan(values[-1]):
        values = values[:-1]   # missing, not a category: as the model has it
    try:
        categories = pa.array(values.tolist(), pa.string() if not len(values) else None)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UnsupportedModel.because(type(model).__name__, [f"the categories of {name!r} are of several types ({error})"]) from None
    field = Field(name, dtypes.from_arrow(pa.dictionary(pa.int32(), categories.type)), categories, "missing")
    shared.require(not categories.null_count, model, f"None is a category of {name!r}")
    return field


def _forest(model: Any, contract: FeatureContract) -> Forest:
    columns, n_encoded = _fed_columns(model)
    known, place = model._bin_mapper.make_known_categories_bitsets() if n_encoded else (np.empty((0, 8), np.uint32), columns)
    n_codes = [None if field.categories is None else len(field.categories) for field in contract.fields]
    inputs: list[Input] = [NumberInput("float64") if n is None else CategoryInput(n) for n in n_codes]
    sets: list[Array] = []
    trees = [
        _tree(model, predictor, output, columns, _Sets(sets, known, place, n_codes))
        for iteration in model._predictors
        for output, predictor in enumerate(iteration)
    ]
    base = np.zeros(model.n_trees_per_iteration_) + np.asarray(model._baseline_prediction).ravel()
    return join(trees, domain="float64", inputs=inputs, base=base, sets=sets)


def _tree(model: Any, predictor: Any, output: int, columns: Array, sets: _Sets) -> Tree:
    nodes = predictor.nodes
    unknown = set(nodes.dtype.names or ()) ^ NODE_FIELDS
    shared.require(not unknown, model, f"its trees' nodes have an unknown layout ({', '.join(sorted(unknown))})")
    is_leaf = nodes["is_leaf"] != 0
    is_category = (nodes["is_categorical"] != 0) & ~is_leaf
    feature = columns[np.where(is_leaf, 0, nodes["feature_idx"])]
    encoded = is_leaf | (is_category == sets.is_encoded[feature])
    shared.require(bool(encoded.all()), model, "a tree looks up a number as a category, or compares a category")
    numbers = np.full(len(nodes), NO_SET, np.int32)
    for node in np.flatnonzero(is_category).tolist():
        left = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        numbers[node] = sets.add(left, int(nodes["feature_idx"][node]), int(feature[node]), bool(nodes["missing_go_to_left"][node]))
    return Tree(
        feature=np.where(is_leaf, LEAF, feature),
        threshold=np.where(is_category, 0.0, nodes["num_threshold"]),
        left=nodes["left"],
        right=nodes["right"],
        missing_left=nodes["missing_go_to_left"] != 0,
        values=nodes["value"],
        category_set=numbers,
        output=output,
    )


class _Sets:
    """Sets of codes that go left, from the library's bitsets: a code that the model never binned goes where missing goes."""

    def __init__(self, sets: list[Array], known: Array, place: Array, n_codes: list[int | None]) -> None:
        self.sets, self.n_codes, self.place = sets, n_codes, place
        self.is_encoded = np.array([n is not None for n in n_codes])
        self.known = [_bits(words) for words in known]

    def add(self, left: Array, feature: int, column: int, missing_left: bool) -> int:
        """The number of a new set."""
        n = self.n_codes[column]
        assert n is not None
        members = _bits(left)[:n]
        if missing_left:
            members = members | ~self.known[self.place[feature]][:n]
        self.sets.append(set_words(np.append(members, missing_left)))
        return len(self.sets) - 1


def _bits(words: Array) -> Array:
    return np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little").astype(np.bool_)
