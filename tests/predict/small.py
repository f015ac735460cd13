"""A small model made by hand, with a number, a category's codes, a lookup and a bool; and its slow answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.contract import FeatureContract, Field
from fastframe.predict.decide import Decide
from fastframe.predict.features import Code, Lookup, Number, Step
from fastframe.predict.forest import CategoryInput, Forest, NumberInput
from fastframe.predict.forest_build import Tree, join, set_words
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Model, Source
from fastframe.predict.scores import ForestScore
from tests.reference.fed_rows import FedRows

CATEGORY = dtypes.from_arrow(pa.dictionary(pa.int32(), pa.string()))


def small_forest() -> Forest:
    """Two trees over a number, a category's codes and a lookup."""
    first = Tree(
        feature=np.array([0, -1, 1, -1, -1]), threshold=np.array([0.5, 0, 0, 0, 0]), left=np.array([1, 0, 3, 0, 0]),
        right=np.array([2, 0, 4, 0, 0]), missing_left=np.array([True, False, False, False, False]),
        values=np.array([0, 0.25, 0, -1.0, 2.0]), category_set=np.array([-1, -1, 0, -1, -1], np.int32),
    )  # fmt: skip
    second = Tree(np.array([2, -1, -1]), np.array([0.1, 0, 0]), np.array([1, 0, 0]), np.array([2, 0, 0]), np.zeros(3, bool), np.array([0, 3.0, 4.0]))
    inputs = [NumberInput(), CategoryInput(3), NumberInput()]
    return join([first, second], domain="float64", inputs=inputs, base=np.array([0.5]), sets=[set_words(np.array([True, False, True, False]))])


def small_contract(*, named: bool = True) -> FeatureContract:
    kind = Field("kind", CATEGORY, pa.array(["a", "b", "ä"]), "missing")
    return FeatureContract((Field("size", dtypes.FLOAT64), kind, Field("flag", dtypes.BOOL, nullable=False)), named)


def small_model(labels: Any = ("no", "yes")) -> Model:
    lookup = Lookup(1, np.array([0.0, 0.1, np.nan, 7.0, -0.0]))
    forest = ForestScore(small_forest(), (Number(0, (Step("add", (1.0,)), Step("clip", (-1.0, float("inf"))))), Code(1), lookup))
    probabilities = BothClasses(Link("sigmoid", forest))
    methods = {"margin": forest, "predict_proba": probabilities, "predict": Decide("largest", probabilities, np.array(labels))}
    return Model(small_contract(), methods, "classification", Source("none", "1", "Small"), notes=("made by hand",))


def slow_answer(model: Model, method: str, frame: Any) -> np.ndarray[Any, Any]:
    """A method's answer by the slow twin, ``(n_rows, width)``; ``frame`` is a pandas frame, or an array."""
    rows: Any = FedRows(model.contract, frame)
    return model.methods[method].run(rows)
