"""`Score`: an expression that gives every row some numbers; a model is a dict of scores by the method they answer.

``{"predict": Decide(...), "predict_proba": Link("sigmoid", ForestScore(...)), "margin": ForestScore(...)}``: nodes are
shared between methods by identity, evaluated once per batch, and all a file has to keep. Every kind of node is a frozen
dataclass registered by `node`, whose fields are scalars, strings, NumPy arrays, features, other nodes, or tuples of them:
that is what `file.py` writes and reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from fastframe.predict.features import Feature
from fastframe.predict.forest import Forest
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.row_tape import Cells, Tape
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]
NODES: dict[str, type] = {}   # by the name that files use
T = TypeVar("T", bound=type)


def node(cls: T) -> T:
    """Register a kind of node under its class's name."""
    NODES[cls.__name__] = cls
    return cls


class Score:
    """Base of all nodes.

    `run` gives an array of shape ``(n_rows, width)``, C order; `guarantee` is "exact", or a stated bound in words that
    tests check.
    """

    guarantee: ClassVar[str] = "exact"

    @property
    def width(self) -> int:
        raise NotImplementedError

    def run(self, rows: Rows) -> Array:
        raise NotImplementedError


@node
@record(frozen=True, eq=False)
class ForestScore(Score):
    """The raw sums of a forest, one column per output; ``features[i]`` feeds the forest's input ``i``."""

    forest: Forest
    features: tuple[Feature, ...]

    @property
    def width(self) -> int:
        return self.forest.n_outputs

    def run(self, rows: Rows) -> Array:
        return rows.program(self).sums(rows)

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row."""
        return tape.sums(self)
