"""`Link`: from raw scores to probabilities, means and rates, by the formula of the library that the model is of.

Formulas that call the C library's `exp` are kernels and run on all threads. scikit-learn and SciPy also use NumPy's
`exp`, which is the C library's on some machines and NumPy's own on others (and always for float32): there NumPy
computes it, on the pool's threads. So the bits are the library's either way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._kernels import forest_links as kernels
from fastframe._threads import SLICE_ROWS, run, run_calls
from fastframe.column.memory import allocate_array
from fastframe.errors.models import ModelError
from fastframe.predict.scores import Score, node
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.predict.row_tape import Cells, Tape
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

LINKS: dict[str, str] = {
    "sigmoid": "1 / (1 + exp(-scale * x)): LightGBM, SciPy's expit, in either dtype",
    "exp": "in either dtype: XGBoost, LightGBM",
    "exp_wide": "of float32, computed in float64: XGBoost's survival:aft",
    "clipped_share": "(clip(x, -1, 1) + 1) / 2, in either dtype: scikit-learn's modified Huber loss",
    "softplus": "log(1 + exp(x)), float64: LightGBM's cross_entropy_lambda",
    "signed_square": "sign(x) * x * x, float64: LightGBM's reg_sqrt",
    "divide": "x / scale, float64: LightGBM's mean over iterations",
    "softmax": "over a row, the exponentials added in turn, float64: LightGBM",
    "sigmoid_xgboost": "float32",
    "softmax_xgboost": "float32, the sum in float64",
    "step": "1 where x > 0, else 0, float32: XGBoost's hinge",
    "exp_numpy": "NumPy's exp, in either dtype: scikit-learn's log link",
    "softmax_numpy": "NumPy's exp, added in turn, float64: scikit-learn on a Fortran-ordered matrix (histogram gradient boosting)",
    "softmax_numpy_pairwise": "NumPy's exp, added pairwise: scikit-learn or SciPy on a C-ordered matrix",
    "normalize": "divided by the row's sum, either dtype, added in turn; uniform where it is 0 (NaN with a scale of 0): scikit-learn's one against the rest",
    "normalize_pairwise": "the same, added pairwise: where the matrix is C-ordered",
}  # fmt: skip
"""Links by name."""

_KERNEL_OF = {"exp_numpy": "exp", "softmax_numpy": "softmax", "softmax_numpy_pairwise": "softmax_pairwise"}
_OPERATION = "predict"
_FEW_ROWS = 16   # for which a task costs more than its work
_IS_DOUBLE = {np.dtype(np.float32): False, np.dtype(np.float64): True}
_WIDTHS = {"both_classes": 2, "largest": 1}   # where not the score's
_INDEX = np.dtype(np.int64)
_DECISIONS = frozenset({"largest", "above", "at_least", "below"})   # whose answers are whole numbers


@node
@record(frozen=True, eq=False)
class Link(Score):
    """A link function of a score; ``scale`` is an operand of ``sigmoid``, ``divide`` and ``normalize`` only.

    Costs a few nanoseconds per value; memory for the answer.
    """

    kind: str
    of: Score
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in LINKS:
            raise ModelError.unknown("link", self.kind, LINKS)

    @property
    def width(self) -> int:
        return self.of.width

    def run(self, rows: Rows) -> Array:
        return self.apply(rows.once(self.of, lambda: self.of.run(rows)))

    def apply(self, values: Array) -> Array:
        """Of ``(n_rows, width)`` raw scores."""
        kernel = self._kernel(values.dtype)
        return _by_numpy(_NUMPY[self.kind], values) if kernel is None else by_kernel(kernel, values, scale=self.scale)

    def _kernel(self, dtype: np.dtype[Any]) -> str | None:
        """Which kernel gives the link's bits; None where NumPy has to."""
        kernel = _KERNEL_OF.get(self.kind, self.kind)
        if kernel != self.kind and (dtype != np.float64 or not numpy_exp_is_the_c_library_s()):
            return None
        return kernel

    def row_link(self, dtype: np.dtype[Any]) -> RowLink | None:
        """The link as one of a row's chain."""
        kernel = self._kernel(dtype)
        return None if kernel is None else row_link(kernel, dtype, self.of.width, self.scale)

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row."""
        x = tape.value(self.of)
        kernel = self._kernel(np.dtype(x.dtype))
        if kernel is not None:
            return tape.link(kernel, x, tape.cells(x.width, x.dtype), self.scale)
        from fastframe.predict.dense import softmax_row
        from fastframe.predict.row_tape import NoTape

        if self.kind == "softmax_numpy":   # adds in turn
            raise NoTape
        return tape.call("exp", x) if self.kind == "exp_numpy" else softmax_row(tape, x)


@node
@record(frozen=True, eq=False)
class BothClasses(Score):
    """``[1 - p, p]`` from the probability of the second class, in its dtype."""

    of: Score

    @property
    def width(self) -> int:
        return 2

    def run(self, rows: Rows) -> Array:
        return self.apply(rows.once(self.of, lambda: self.of.run(rows)))

    def apply(self, values: Array) -> Array:
        """Of ``(n_rows, 1)`` probabilities."""
        return by_kernel("both_classes", values)

    def row_link(self, dtype: np.dtype[Any]) -> RowLink | None:
        """The link as one of a row's chain."""
        return row_link("both_classes", dtype, 1)

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row."""
        x = tape.value(self.of)
        return tape.link("both_classes", x, tape.cells(2, x.dtype))


RowLink = tuple[int, int, float]   # the kernel, how many values go in, its scale


def row_link(kind: str, dtype: np.dtype[Any], width: int, scale: float = 1.0) -> RowLink | None:
    """A kernel as one of a row's chain; None where there is none for the dtype."""
    return (kernels.KINDS[kind], width, scale) if kernels.has_link(kind, is_double=_IS_DOUBLE[dtype]) else None


def by_kernel(kind: str, values: Array, *, scale: float = 1.0) -> Array:
    """A kernel over the rows of ``values``, on all threads; of the same shape and dtype, but for "both_classes" and decisions."""
    values = np.ascontiguousarray(values)
    is_double = _IS_DOUBLE.get(values.dtype)
    if is_double is None or not kernels.has_link(kind, is_double=is_double):
        raise ModelError.unknown("link of this dtype", f"{kind} of {values.dtype}", LINKS)
    n_rows, width = values.shape
    out_width: int = _WIDTHS.get(kind) or width
    dtype = _INDEX if kind in _DECISIONS else values.dtype
    if 0 < n_rows <= _FEW_ROWS and width:
        return kernels.link_few(values, (n_rows, out_width), dtype, kind, is_double=is_double, scale=scale)   # type: ignore[no-any-return]
    out = allocate_array(n_rows * out_width, dtype, _OPERATION).reshape(n_rows, out_width)
    if not values.size:
        return out
    task = kernels.link(
        values.ctypes.data, out.ctypes.data, kind, width=width, is_double=is_double, scale=scale, keep_alive=(values, out)
    )
    run(task, n_rows, operation=_OPERATION)
    return out


@cache
def numpy_exp_is_the_c_library_s() -> bool:
    """Whether NumPy's `exp` of float64 gives the C library's bits on this machine, as far as 32,768 values show."""
    values = np.concatenate([np.linspace(-745.0, 709.0, 1 << 14), np.random.default_rng(0).normal(0.0, 4.0, 1 << 14)])
    mine = by_kernel("exp", values[:, np.newaxis])[:, 0]
    return bool((np.exp(values).view(np.int64) == mine.view(np.int64)).all())


def _softmax(values: Array, *, pairwise: bool) -> Array:
    with np.errstate(invalid="ignore"):
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        if pairwise:
            return powers / powers.sum(axis=1, keepdims=True)
        total = np.zeros(len(values), values.dtype)
        for column in powers.T:
            total += column
        return powers / total[:, np.newaxis]


def _exp(values: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(values)


_NUMPY: dict[str, Callable[[Array], Array]] = {
    "exp_numpy": _exp,
    "softmax_numpy": partial(_softmax, pairwise=False),
    "softmax_numpy_pairwise": partial(_softmax, pairwise=True),
}


def _by_numpy(function: Callable[[Array], Array], values: Array) -> Array:
    """``function`` of slices of rows, on all threads."""
    values = np.ascontiguousarray(values)
    if len(values) <= SLICE_ROWS:
        return function(values)
    slices = [values[start : start + SLICE_ROWS] for start in range(0, len(values), SLICE_ROWS)]
    return np.concatenate(run_calls([partial(function, one) for one in slices]))
