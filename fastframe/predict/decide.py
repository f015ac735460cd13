"""`Decide`: from scores to class labels, by the rule of the library that the model is of."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.errors.models import ModelError
from fastframe.predict.links import by_kernel
from fastframe.predict.records import record
from fastframe.predict.scores import Score, node

if TYPE_CHECKING:
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

_SIDES: dict[str, Callable[..., Array]] = {"above": np.greater, "at_least": np.greater_equal, "below": np.less}
_SCALAR_SIDES: dict[str, Callable[[Any, float], Any]] = {"above": operator.gt, "at_least": operator.ge, "below": operator.lt}
RULES = ("largest", *_SIDES)


@node
@record(frozen=True, eq=False)
class Decide(Score):
    """The label of the class that a rule picks.

    Attributes
    ----------
    rule : str
        ``"largest"``: the class with the row's largest score, the first of equals (NumPy's argmax). ``"above"``,
        ``"at_least"``, ``"below"``: of each score by itself, the second class where it is on that side of `cut` (compared in
        the score's dtype), else the first.
    of : Score
    classes : numpy.ndarray
        Labels of any dtype but object (`class_labels`).
    cut : float
    """

    rule: str
    of: Score
    classes: Array
    cut: float = 0.0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ModelError.unknown("rule of decision", self.rule, RULES)
        expected = self.of.width if self.rule == "largest" else 2
        if self.classes.ndim != 1 or len(self.classes) != expected:
            raise ModelError.class_count(len(self.classes), expected)

    @property
    def width(self) -> int:
        return 1 if self.rule == "largest" else self.of.width

    def run(self, rows: Rows) -> Array:
        return self.apply(rows.once(self.of, lambda: self.of.run(rows)))

    def apply(self, scores: Array) -> Array:
        """Labels of ``(n_rows, width)`` scores."""
        return self.classes.take(self.indexes(scores))

    def indexes(self, scores: Array) -> Array:
        """Which class each label is, int64."""
        if self.rule != "largest":
            return _SIDES[self.rule](scores, self.cut).astype(np.int64)
        return by_kernel("largest", scores)

    def of_one(self, scores: Array) -> Any:
        """The label, a scalar, of one row's ``(1, width)`` scores, where this is one wide; the same as `apply` gives."""
        if self.rule == "largest":
            return self.classes[scores.argmax()]
        return self.classes[int(_SCALAR_SIDES[self.rule](scores[0, 0], self.cut))]


def class_labels(classes: Any) -> Array:
    """A classifier's labels as an array of ints, floats, bools or text: what a file can keep.

    Raises
    ------
    UnsupportedModel
        If labels are of several types, or of one that is none of these.
    """
    labels = np.asarray(classes)
    if labels.dtype.kind in "OT" and len({type(label) for label in labels}) == 1:   # as pandas hands columns over
        labels = np.array(labels.tolist())
    if labels.dtype.kind not in "biufU":
        raise ModelError.unknown("type of class labels", str(np.asarray(classes).dtype), ("int", "float", "bool", "str"))
    return labels
