"""scikit-learn's tree nodes as `Tree`s, and what all readers of its tree models share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastframe import dtypes
from fastframe.contract import FeatureContract, Field
from fastframe.errors.models import UnsupportedModel
from fastframe.predict.features import Number
from fastframe.predict.forest import LEAF, Forest, NumberInput, largest_float32_at_most
from fastframe.predict.forest_build import Tree, join
from fastframe.predict.model import Source
from fastframe.predict.scores import ForestScore

Array = np.ndarray[Any, Any]

NODE_FIELDS = frozenset({
    "left_child", "right_child", "feature", "threshold", "impurity", "n_node_samples", "weighted_n_node_samples", "missing_go_to_left",
})  # fmt: skip
"""Of `sklearn.tree._tree.Node`, 1.6 to 1.9: a layout with others may mean something else, and is refused."""
TREE_LEAF = -1
FLOAT32_MAX = float(np.finfo(np.float32).max)


def require(fitted: bool, model: Any, reason: str) -> None:
    """Refuse the model for this reason unless ``fitted`` holds."""
    if not fitted:
        raise UnsupportedModel.because(type(model).__name__, [reason])


def check_fitted(model: Any, *attributes: str) -> None:
    missing = [name for name in attributes if not hasattr(model, name)]
    require(not missing, model, f"it is not fitted, or was fitted by an unknown version of scikit-learn (no {', '.join(missing)})")


def check_types(model: Any, parts: Iterable[Any], *known: str) -> None:
    """Refuse an ensemble one of whose trees is no tree of scikit-learn's own (a subclass may predict in its own way)."""
    for part in parts:
        name = f"{type(part).__module__}.{type(part).__name__}"
        require(name in {f"sklearn.tree._classes.{one}" for one in known}, model, f"one of its trees is a {name}")


def tree_of(model: Any, tree: Any, values: Array, *, columns: Array | None = None, output: int = 0) -> Tree:
    """A `sklearn.tree._tree.Tree` with these values of its nodes; ``columns[f]`` is the column that its feature ``f`` is."""
    nodes = tree.__getstate__()["nodes"]
    unknown = set(nodes.dtype.names or ()) ^ NODE_FIELDS
    require(not unknown, model, f"its trees' nodes have an unknown layout ({', '.join(sorted(unknown))})")
    is_leaf = nodes["left_child"] == TREE_LEAF
    feature = nodes["feature"] if columns is None else columns[np.where(is_leaf, 0, nodes["feature"])]
    return Tree(
        feature=np.where(is_leaf, LEAF, feature),
        threshold=largest_float32_at_most(nodes["threshold"]),
        left=nodes["left_child"],
        right=nodes["right_child"],
        missing_left=nodes["missing_go_to_left"] != 0,
        values=values,
        output=output,
    )


def forest_of(trees: list[Tree], n_features: int, base: Array, divide: float = 0.0) -> Forest:
    """A forest that, as scikit-learn's trees do, casts a float64 matrix to float32 and compares with ``<=``."""
    return join(trees, domain="float32", inputs=[NumberInput("float64")] * n_features, base=base, divide=divide)


def score_of(forest: Forest) -> ForestScore:
    """A forest that is fed the contract's columns as they are."""
    return ForestScore(forest, tuple(Number(i) for i in range(forest.n_features)))


def contract_of(model: Any, *, nullable: bool) -> FeatureContract:
    """Number fields by the names that the model was fitted on, if it saw any."""
    names = getattr(model, "feature_names_in_", None)
    shown = [f"x{i}" for i in range(model.n_features_in_)] if names is None else [str(name) for name in names]
    float64 = dtypes.dtype("float64")
    return FeatureContract(tuple(Field(name, float64, nullable=nullable) for name in shown), named=names is not None)


def takes_missing(tree: Any) -> bool:
    """Whether a tree's `predict` takes NaN: its own rule, which its `fit` had as well."""
    return bool(tree._support_missing_values(np.empty((0, 0), np.float32)))


def source_of(model: Any) -> Source:
    import sklearn

    return Source("scikit-learn", sklearn.__version__, type(model).__name__)


def on_one_thread(model: Any) -> Any:
    """The same fitted model, but adding its trees in their order: with more threads scikit-learn adds as they finish."""
    alone = copy.copy(model)
    alone.n_jobs = 1
    return alone


def side_by_side(method: Callable[[Any], Any]) -> Callable[[Any], Array]:
    """A method that may answer with a list of arrays, one per output, as one array."""

    def ask(rows: Any) -> Array:
        answer = method(rows)
        return np.hstack(answer) if isinstance(answer, list) else np.asarray(answer)

    return ask
