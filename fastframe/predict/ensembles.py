"""Models of models: means, votes, shares, stacks, calibrated probabilities.

Each makes the calls of NumPy that scikit-learn makes on arrays of the same shape and layout, so additions are in its order.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype as as_dtype
from fastframe.errors.models import ModelError
from fastframe.predict import blocks
from fastframe.predict.dense import expit, value
from fastframe.predict.scores import Score, node
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]


@node
@record(frozen=True, eq=False)
class Average(Score):
    """NumPy's average over scores of one width; ``weights`` may be empty. Scores of width 1 are averaged as a matrix's columns."""

    parts: tuple[Score, ...]
    weights: Array

    @property
    def width(self) -> int:
        return self.parts[0].width

    def run(self, rows: Rows) -> Array:
        if not rows.n_rows:
            return np.empty((0, self.width))
        weights = self.weights if len(self.weights) else None
        values = [value(part, rows) for part in self.parts]
        with np.errstate(all="ignore"):
            if self.width > 1:
                return np.average(np.asarray(values), axis=0, weights=weights)
            return np.average(np.asarray([one[:, 0] for one in values]).T, axis=1, weights=weights).reshape(-1, 1)


@node
@record(frozen=True, eq=False)
class Added(Score):
    """Scores added in order to zeros, then divided; ``columns[i]``: which columns part ``i`` adds to (empty: all)."""

    parts: tuple[Score, ...]
    columns: tuple[Array, ...]
    n_outputs: int
    divide: float

    @property
    def width(self) -> int:
        return self.n_outputs

    def run(self, rows: Rows) -> Array:
        out = np.zeros((rows.n_rows, self.n_outputs))
        with np.errstate(all="ignore"):
            for part, columns in zip(self.parts, self.columns, strict=True):
                if len(columns):
                    out[:, columns] += value(part, rows)
                else:
                    out += value(part, rows)
            out /= self.divide
        return out


@node
@record(frozen=True, eq=False)
class Votes(Score):
    """How much weight each class gets from parts that each give a class's number; ``weights`` may be empty."""

    parts: tuple[Score, ...]
    weights: Array
    n_classes: int

    @property
    def width(self) -> int:
        return self.n_classes

    def run(self, rows: Rows) -> Array:
        out = np.zeros((rows.n_rows, self.n_classes))
        row = np.arange(rows.n_rows)
        weights = self.weights if len(self.weights) else np.ones(len(self.parts))
        for part, weight in zip(self.parts, weights, strict=True):
            out[row, value(part, rows)[:, 0]] += weight
        return out


@node
@record(frozen=True, eq=False)
class Labels(Score):
    """Labels of class numbers that another model gives."""

    of: Score
    classes: Array

    @property
    def width(self) -> int:
        return self.of.width

    def run(self, rows: Rows) -> Array:
        return self.classes.take(value(self.of, rows))


@node
@record(frozen=True, eq=False)
class Shares(Score):
    """Each row divided by its sum, as one-against-the-rest does it: a matrix of columns put together.

    ``zeros``: a row whose sum is 0 stays as it is; otherwise it becomes NaN (older versions of scikit-learn).
    """

    parts: tuple[Score, ...]
    zeros: bool = True

    @property
    def width(self) -> int:
        return max(len(self.parts), 2)

    def run(self, rows: Rows) -> Array:
        out = np.array([value(part, rows)[:, 0] for part in self.parts]).T
        if len(self.parts) == 1:
            out = np.concatenate(((1 - out), out), axis=1)
        sums = np.sum(out, axis=1)[:, np.newaxis]
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(np.divide(out, sums, out=out, where=(sums != 0) | (not self.zeros)))


@node
@record(frozen=True, eq=False)
class Pairs(Score):
    """One against one: how many pairs each class wins, and by less than a third how surely, as scikit-learn adds them.

    Part ``k`` is of the classes of pair ``k`` of (0, 1), (0, 2) ... (1, 2) ...: ``votes[k]`` 0 for its first, 1 for its second.
    """

    votes: tuple[Score, ...]
    surely: tuple[Score, ...]
    n_classes: int

    def check(self, contract: FeatureContract) -> None:
        """That there is a vote and a score for each pair."""
        expected = self.n_classes * (self.n_classes - 1) // 2
        if not self.n_classes >= 2 or len(self.votes) != expected or len(self.surely) != expected:
            raise ModelError.bad_part("Pairs", f"{len(self.votes)} votes and {len(self.surely)} scores of {self.n_classes} classes")

    @property
    def width(self) -> int:
        return self.n_classes

    def run(self, rows: Rows) -> Array:
        votes, sums = np.zeros((rows.n_rows, self.n_classes)), np.zeros((rows.n_rows, self.n_classes))
        pairs = combinations(range(self.n_classes), 2)
        with np.errstate(all="ignore"):
            for (first, second), vote, surely in zip(pairs, self.votes, self.surely, strict=True):
                won, score = value(vote, rows)[:, 0], value(surely, rows)[:, 0]
                sums[:, first] -= score
                sums[:, second] += score
                votes[won == 0, first] += 1
                votes[won == 1, second] += 1
            return votes + sums / (3 * (np.abs(sums) + 1))


def number_columns(width: int) -> FeatureContract:
    """The columns of a model that is fed a matrix."""
    return FeatureContract(tuple(Field(f"x{i}", as_dtype("float64")) for i in range(width)), named=False)


@node
@record(frozen=True, eq=False)
class Fed(Score):
    """A model whose features are other scores (and columns): ``model`` reads columns 0, 1 ... of what ``inputs`` gives."""

    elsewhere: ClassVar[tuple[str, ...]] = ("model",)   # over other columns than the contract's

    inputs: Score
    model: Score

    def check(self, contract: FeatureContract) -> None:
        """That the model reads only columns that there are."""
        from fastframe.predict.model_checks import check_parts

        check_parts(self.model, number_columns(self.inputs.width))

    @property
    def width(self) -> int:
        return self.model.width

    def run(self, rows: Rows) -> Array:
        below = rows.once((self.inputs, "fed"), lambda: rows.fed(self.inputs, value(self.inputs, rows)))
        return value(self.model, below)


@node
@record(frozen=True, eq=False)
class Apply(Score):
    """A function of each value that `blocks` knows by name: inverse transforms of targets. Its arrays are kept by name."""

    of: Score
    kind: str
    names: tuple[str, ...]
    arrays: tuple[Array, ...]

    @property
    def width(self) -> int:
        return self.of.width

    def run(self, rows: Rows) -> Array:
        made = blocks.function(self.kind, dict(zip(self.names, self.arrays, strict=True)))
        return made(value(self.of, rows))


@node
@record(frozen=True, eq=False)
class Calibrated(Score):
    """Calibrated probabilities of each class from one score per class (or one, where there are two classes).

    ``kind``: ``"sigmoid"``, with ``first`` and ``second`` the slopes and intercepts; ``"isotonic"``, with the knots of
    class ``i`` at ``start[i]`` to ``start[i + 1]`` of ``first`` (where) and ``second`` (how much).
    """

    of: Score
    kind: str
    first: Array
    second: Array
    start: Array     # int64, (n_calibrators + 1,); empty for "sigmoid"
    place: Array     # int64: the class that each calibrator gives
    n_classes: int

    def __post_init__(self) -> None:
        if self.kind not in ("sigmoid", "isotonic"):
            raise ModelError.unknown("calibration", self.kind, ("sigmoid", "isotonic"))

    @property
    def width(self) -> int:
        return self.n_classes

    def run(self, rows: Rows) -> Array:
        scores = value(self.of, rows)
        out = np.zeros((len(scores), self.n_classes))
        with np.errstate(all="ignore"):
            for i, place in enumerate(self.place):
                out[:, place] = self._one(i, scores[:, i])
            if self.n_classes == 2:
                out[:, 0] = 1.0 - out[:, 1]
                return out
            total = np.sum(out, axis=1)[:, np.newaxis]
            return np.divide(out, total, out=np.full_like(out, 1 / self.n_classes), where=total != 0)

    def _one(self, i: int, scores: Array) -> Array:
        if self.kind == "sigmoid":
            return expit(-(self.first[i] * scores + self.second[i])[:, np.newaxis])[:, 0]
        knots = slice(self.start[i], self.start[i + 1])
        where, much = self.first[knots], self.second[knots]
        if len(where) == 1:
            return np.repeat(much, len(scores))
        clipped = np.clip(scores.astype(where.dtype), where[0], where[-1])
        return np.interp(clipped, where, much).astype(where.dtype)
