"""`Decide`: from scores to class labels, by the rule of the library that the model is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.errors.models import ModelError, UnsupportedModel
from fastframe.predict.links import RowLink, by_kernel, row_link
from fastframe.predict.scores import Score, node
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.row_tape import Cells, Tape
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

RULES = ("largest", "above", "at_least", "below")


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
        return by_kernel(self.rule, scores, scale=self.cut)

    def row_link(self, dtype: np.dtype[Any]) -> RowLink | None:
        """The choice of the class, as the last link of a row's chain; the cut is compared in the scores' dtype."""
        return row_link(self.rule, dtype, self.of.width, self.cut)

    def index_on_row(self, tape: Tape) -> Cells:
        """`indexes` of one row: what the labels of a row's answer are looked up by."""
        return tape.link(self.rule, tape.value(self.of), tape.cells(self.width, "int64"), self.cut)


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
        reason = f"its class labels are {', '.join(sorted({type(label).__name__ for label in labels.tolist()}))}, not all int, float, bool or str"
        raise UnsupportedModel.because("the classifier", [reason])
    return labels
