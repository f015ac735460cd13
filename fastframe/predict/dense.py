"""Models that are sums over all features: linear ones, naive Bayes, k-means, neural networks.

They make the native library's own calls of NumPy on a matrix of the same layout: Fortran-ordered as pandas' frames are for a
model fitted on a frame, C-ordered for one fitted on an array, in a pipeline as its steps lay it out; then bits are equal. A
matrix in another layout, a sparse one, another number of BLAS's threads or of rows lets BLAS add in another order: then the
difference is bounded by ``2 (n + 2) eps sum |x_i w_i|`` for each sum of ``n`` products, and labels differ only where two
scores are closer than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastframe.errors.models import ModelError
from fastframe.predict.features import Feature
from fastframe.predict.scores import Score, node
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.row_tape import Cells, Tape
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]
BOUND = "bits equal on matrices of the same layout; else within 2 (n + 2) eps sum |x_i w_i| per sum of n products (BLAS's order of additions)"


def value(score: Score, rows: Rows) -> Array:
    """What a score gives these rows; computed once, for all nodes that share it."""
    answer: Array = rows.once(score, lambda: score.run(rows))
    return answer


@node
@record(frozen=True, eq=False)
class Inputs(Score):
    """Features as they are: the matrix that a pipeline's transformers make; ``order``: "C" or "F", as the library's is laid out."""

    features: tuple[Feature, ...]
    dtype: str = "float64"
    order: str = "C"

    @property
    def width(self) -> int:
        return len(self.features)

    def run(self, rows: Rows) -> Array:
        values = rows.matrix(self.features, self.dtype)
        return np.asfortranarray(values) if self.order == "F" else values

    def on_row(self, tape: Tape) -> Cells:
        """One row, for which the orders are one."""
        return tape.features(self.features, self.dtype)


@node
@record(frozen=True, eq=False)
class Linear(Score):
    """``x @ coef.T + intercept``; ``coef`` has the shape that the library keeps it in, as BLAS calls differ by it."""

    guarantee: ClassVar[str] = BOUND

    of: Score
    coef: Array        # (n_features,) or (n_outputs, n_features)
    intercept: Array   # (n_outputs,), or of no dimension

    @property
    def width(self) -> int:
        return 1 if self.coef.ndim == 1 else len(self.coef)

    def run(self, rows: Rows) -> Array:
        x = value(self.of, rows)
        with np.errstate(all="ignore"):
            out = x @ (self.coef if self.coef.ndim == 1 else self.coef.T) + self.intercept
        return out.reshape(len(x), self.width)

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row."""
        made = tape.product(tape.value(self.of), self.coef if self.coef.ndim == 1 else self.coef.T)
        return tape.call("add", made, tape.constant(self.intercept, str(self.intercept.dtype)))


@node
@record(frozen=True, eq=False)
class Layers(Score):
    """A multi-layer perceptron: layers of ``x @ weights + bias``, an activation after each but the last."""

    guarantee: ClassVar[str] = BOUND

    of: Score
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activation: str   # "identity", "logistic", "tanh" or "relu"
    output: str       # "identity", "logistic", "softmax"

    def __post_init__(self) -> None:
        for name in (self.activation, self.output):
            if name not in _ACTIVATIONS:
                raise ModelError.unknown("activation", name, _ACTIVATIONS)

    @property
    def width(self) -> int:
        return self.weights[-1].shape[1]

    def run(self, rows: Rows) -> Array:
        x = value(self.of, rows)
        with np.errstate(all="ignore"):
            for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                x = x @ weights
                x += bias
                x = _activate(self.activation if i < len(self.weights) - 1 else self.output, x)
        return x

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row."""
        x = tape.value(self.of)
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = tape.call("add", tape.product(x, weights), tape.constant(bias, str(bias.dtype)))
            x = _activate_row(tape, self.activation if i < len(self.weights) - 1 else self.output, x)
        return x


_ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "softmax", "exp")


def _activate(name: str, x: Array) -> Array:
    if name == "logistic":
        return expit(x)
    if name == "tanh":
        return np.tanh(x, out=x)
    if name == "relu":
        return np.maximum(x, 0, out=x)
    if name == "exp":
        return np.exp(x, out=x)
    if name == "softmax":
        x = x - x.max(axis=1)[:, np.newaxis]
        np.exp(x, out=x)
        x /= x.sum(axis=1)[:, np.newaxis]
    return x


def _activate_row(tape: Tape, name: str, x: Cells) -> Cells:
    if name == "logistic":
        return tape.link("sigmoid", x, tape.cells(x.width, x.dtype))
    if name == "relu":
        return tape.call("maximum", x, tape.constant(0, x.dtype))
    if name in ("tanh", "exp"):
        return tape.call(name, x)
    return softmax_row(tape, x) if name == "softmax" else x


def softmax_row(tape: Tape, x: Cells) -> Cells:
    """Of one row, with NumPy's exp and its sum along memory."""
    _, _, top = tape.split_top(x)
    powers = tape.call("exp", tape.call("subtract", x, top))
    return tape.call("divide", powers, tape.total(powers))


def expit(x: Array) -> Array:
    """SciPy's ``expit``, in the dtype of ``x``."""
    from fastframe.predict.links import by_kernel

    return by_kernel("sigmoid", x)


@node
@record(frozen=True, eq=False)
class GaussianBayes(Score):
    """Gaussian naive Bayes's joint log likelihood of each class."""

    guarantee: ClassVar[str] = BOUND

    of: Score
    log_prior: Array    # (n_classes,)
    mean: Array         # (n_classes, n_features)
    variance: Array

    @property
    def width(self) -> int:
        return len(self.log_prior)

    def run(self, rows: Rows) -> Array:
        x = value(self.of, rows)
        out = np.empty((self.width, len(x))).T   # as the library lays it out: sums over classes add in this order
        with np.errstate(all="ignore"):
            for i in range(self.width):
                joint = -0.5 * np.sum(np.log(2.0 * np.pi * self.variance[i, :]))
                joint = joint - 0.5 * np.sum(((x - self.mean[i, :]) ** 2) / (self.variance[i, :]), 1)
                out[:, i] = self.log_prior[i] + joint
        return out

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row, classes side by side where the operation is the same."""
        x, sums = tape.value(self.of), tape.cells(self.width)
        for i in range(self.width):
            apart = tape.call("square", tape.call("subtract", x, tape.constant(self.mean[i])))
            tape.total(tape.call("divide", apart, tape.constant(self.variance[i])), sums.part(i, i + 1))
        with np.errstate(all="ignore"):
            known = [-0.5 * np.sum(np.log(2.0 * np.pi * self.variance[i, :])) for i in range(self.width)]
        joint = tape.call("subtract", tape.constant(known), tape.call("multiply", tape.constant(0.5), sums))
        return tape.call("add", tape.constant(self.log_prior), joint)


@node
@record(frozen=True, eq=False)
class LogNormalized(Score):
    """``exp(x - logsumexp(x))`` of each row: probabilities from joint log likelihoods."""

    of: Score

    @property
    def width(self) -> int:
        return self.of.width

    def run(self, rows: Rows) -> Array:
        return self.apply(value(self.of, rows))

    def apply(self, joint: Array) -> Array:
        """As scikit-learn 1.9 and SciPy 1.15: the largest terms are taken out of the sum, which is added with log1p."""
        if not joint.size:
            return np.empty(joint.shape)
        with np.errstate(all="ignore"):
            top = joint.max(axis=1, keepdims=True)
            is_top = joint == top
            rest = joint.copy(order="K")
            rest[is_top] = -np.inf
            count = is_top.astype(joint.dtype).sum(axis=1, keepdims=True)
            total = np.exp(rest - np.where(np.isfinite(top), top, 0)).sum(axis=1, keepdims=True)
            total = np.where(total == 0, total, total / count)
            return np.exp(joint - (np.log1p(total) + np.log(count) + top))

    def on_row(self, tape: Tape) -> Cells:
        """`apply` of one row: no terms over a number of largest ones is 0 as well."""
        joint = tape.value(self.of)
        rest, count, top = tape.split_top(joint)
        total = tape.call("divide", tape.total(tape.call("exp", rest)), count)
        whole = tape.call("add", tape.call("add", tape.call("log1p", total), tape.call("log", count)), top)
        return tape.call("exp", tape.call("subtract", joint, whole))


@node
@record(frozen=True, eq=False)
class Distances(Score):
    """Distances to centres (k-means' transform); or the nearer, the larger: the part of the square that differs, negated."""

    guarantee: ClassVar[str] = BOUND

    of: Score
    centers: Array
    root: bool

    @property
    def width(self) -> int:
        return len(self.centers)

    def run(self, rows: Rows) -> Array:
        x = value(self.of, rows)
        with np.errstate(all="ignore"):
            squares = np.einsum("ij,ij->i", self.centers, self.centers)[np.newaxis, :]
            if not self.root:
                return 2.0 * (x @ self.centers.T) - squares
            out = -2 * (x @ self.centers.T)
            out += np.einsum("ij,ij->i", x, x)[:, np.newaxis]
            out += squares
            np.maximum(out, 0, out=out)
            return np.sqrt(out, out=out)

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row, where no distance is asked for (`einsum` is no loop of a ufunc's)."""
        from fastframe.predict.row_tape import NoTape

        if self.root:
            raise NoTape
        squares = tape.constant(np.einsum("ij,ij->i", self.centers, self.centers))
        return tape.call("subtract", tape.call("multiply", tape.constant(2.0), tape.product(tape.value(self.of), self.centers.T)), squares)
