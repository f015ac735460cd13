"""The self-check of `compile`: adversarial rows through the compiled and the native model, bits compared.

Rows are made for thresholds (`probes`), then for nodes that these missed (`aim`). All go through the planned engine and, where that
is another one, through the walk, which small batches take; some go through `predict_row` one by one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.errors import InexactModelError
from fastframe.predict.aim import aimed
from fastframe.predict.coverage import nodes_decided
from fastframe.predict.engines.choose import WALK
from fastframe.predict.explain import bounds_of
from fastframe.predict.features import Block
from fastframe.predict.model import Ask
from fastframe.predict.model_checks import forest_scores, parts_of
from fastframe.predict.probes import Probes, probes_of
from fastframe.predict.rows import Rows

if TYPE_CHECKING:
    from fastframe.predict.predictor import Predictor

Array = np.ndarray[Any, Any]

_ALONE = 24   # rows that also go through `predict_row`
_MOST_PARTS = 512   # that the rows are cut into to find those which the model refuses
_SMALLER_LIMITS = (float(np.finfo(np.float32).max), 1e30, 1e6)   # tried in turn where a model refuses larger numbers


@dataclass(frozen=True)
class Coverage:
    """What a self-check compared."""

    rows: int
    thresholds: int
    tested: int
    methods: tuple[str, ...]
    limit: float
    alone: int = 0    # of the rows, those that each method was also asked one by one
    nodes: int = 0    # of all forests, that compare or look up
    decided: int = 0  # of them, those that sent some rows left and some right

    def __str__(self) -> str:
        share = f"{self.tested:,} of {self.thresholds:,} thresholds, " if self.thresholds else ""
        nodes = f"{self.decided:,} of {self.nodes:,} nodes sent rows to both sides, " if self.nodes else ""
        size = "" if np.isinf(self.limit) else f", numbers up to {self.limit:.3g}"
        alone = f", {self.alone} of the rows also one by one" if self.alone else ""
        return f"{self.rows:,} rows, {share}{nodes}{', '.join(self.methods)}{size}{alone}"


def check_predictor(predictor: Predictor) -> Coverage:
    """Compare every method that the model can be asked.

    Raises
    ------
    InexactModelError
        For the first method and row that differ, with the first tree that does.
    """
    model = predictor._model
    if not model.asks:
        return Coverage(0, 0, 0, (), np.inf)
    limit = min(ask.limit for ask in model.asks.values())
    limits = [limit, *(one for one in _SMALLER_LIMITS if one < limit)]
    for attempt in limits:
        probes = _aimed(predictor, probes_of(model, attempt), attempt)
        try:
            answers = {name: _asked(ask, probes) for name, ask in model.asks.items()}
            break
        except Exception as error:   # infinite or huge numbers, which the model refuses
            if attempt == limits[-1]:
                probes = _askable(model.asks, probes, error)
                answers = {name: _asked(ask, probes) for name, ask in model.asks.items()}
    for name, ask in model.asks.items():
        _compare(predictor, probes, answers, (name, ask))
    alone = _ALONE if any(_same_alone(predictor, name) for name in model.asks) else 0
    decided, nodes = _nodes(predictor, probes)
    return Coverage(probes.n_rows, probes.thresholds, probes.tested, tuple(model.asks), attempt, alone, nodes, decided)


def _askable(asks: Mapping[str, Ask], probes: Probes, error: Exception) -> Probes:
    """The rows that the model takes: some make one of its steps give what the next one refuses, such as logarithms of 0.

    Halves are asked, down to a few rows, which are then left out together.

    Raises
    ------
    InexactModelError
        Where it refuses all of them.
    """
    few = max(1, probes.n_rows // _MOST_PARTS)
    kept: list[Array] = []
    waiting = [np.arange(probes.n_rows)]
    while waiting:
        rows = waiting.pop()
        try:
            for ask in asks.values():
                _asked(ask, probes.take(rows))
            kept.append(rows)
        except Exception:
            if len(rows) > few:
                waiting += np.array_split(rows, 2)
    if not kept:
        raise InexactModelError.refuses_rows(error) from error
    return probes.take(np.sort(np.concatenate(kept)))


def _aimed(predictor: Predictor, probes: Probes, limit: float) -> Probes:
    """The probes, and rows for nodes that they do not decide at."""
    with np.errstate(all="ignore"):
        return aimed(predictor._model, probes, predictor._rows(probes.table()), limit)


def _nodes(predictor: Predictor, probes: Probes) -> tuple[int, int]:
    """Of all forests over the contract's columns: the nodes that sent rows to both sides, and all."""
    rows = predictor._rows(probes.table())
    with np.errstate(all="ignore"):
        found = [nodes_decided(one.forest, rows.program(one).leaves(rows)) for one in forest_scores(tuple(predictor._model.methods.values()))]
    return sum(decided for decided, _ in found), sum(nodes for _, nodes in found)


def _asked(ask: Ask, probes: Probes) -> Array:
    """The native model's answer, ``(n_rows, width)``."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return side_by_side(ask.method(probes.native()))


def side_by_side(answer: Any) -> Array:
    """An answer of any shape, or a list of them, as ``(n_rows, width)``."""
    if isinstance(answer, list):
        return np.hstack([side_by_side(one) for one in answer])
    values = np.asarray(answer)
    return values.reshape(len(values), -1)


def ours(predictor: Predictor, method: str, data: Any, engine: str | None = None) -> Array:
    """The compiled model's answer, ``(n_rows, width)``; by the planned engine, or by another one."""
    if method == "leaf" or method not in predictor.methods:
        return side_by_side(getattr(predictor, method)(data))
    return side_by_side(predictor._answer(method, data, engine))


def _compare(predictor: Predictor, probes: Probes, answers: dict[str, Array], asked: tuple[str, Ask]) -> None:
    method, ask = asked
    native = answers[method]
    for how, found, numbers in _ways(predictor, method, probes):
        expected = native[numbers]
        if found.shape != expected.shape or not _comparable(found, expected, method):
            raise InexactModelError.of_shape(how, f"{found.dtype} of shape {found.shape}", f"{expected.dtype} of shape {expected.shape}")
        wrong = differing(found, expected, ask.within_ulps)
        if not wrong.any():
            continue
        row = int(np.argmax(wrong.any(axis=1)))
        place = int(np.argmax(wrong[row]))
        allowed = f"{ask.within_ulps:g} ulps are allowed" if ask.within_ulps else "their bits must be equal"
        values = (found[row, place].item(), expected[row, place].item())
        row = int(np.arange(probes.n_rows)[numbers][row])
        raise InexactModelError.differs(how, probes.row(row), values, allowed=allowed, tree=_first_tree(predictor, probes, answers, row))


def _ways(predictor: Predictor, method: str, probes: Probes) -> Iterator[tuple[str, Array, Any]]:
    """The method's answers by each path that a row can take: which path, the answers, and of which rows."""
    everything, table = slice(None), probes.table()
    with np.errstate(all="ignore"):
        answers = ours(predictor, method, table)
        yield method, answers, everything
        if _has_other_engine(predictor, method):
            yield f"{method} (small batches)", ours(predictor, method, table, WALK), everything
        if _same_alone(predictor, method):
            numbers = np.linspace(0, probes.n_rows - 1, min(_ALONE, probes.n_rows)).astype(np.int64)
            names = list(table.columns)
            rows = zip(*(table.columns[name].array.take(numbers).to_pylist() for name in names), strict=True)
            found = np.array([_flat(predictor.predict_row(row, method)) for row in rows])
            yield f"predict_row of {method}", _narrowed(found, answers.dtype), numbers


def _has_other_engine(predictor: Predictor, method: str) -> bool:
    """Whether large batches take another engine than the walk."""
    forests = forest_scores(predictor._model.methods.get(method))
    rows = Rows(predictor.contract, (), 0, predictor._packed)
    return any(rows.program(one).plan.engine != WALK for one in forests)


def _narrowed(found: Array, dtype: np.dtype[Any]) -> Array:
    """Single numbers, which come as Python's, in a float or integer dtype if it has them all."""
    alike = found.dtype.kind == dtype.kind == "f" or (found.dtype.kind in "iu" and dtype.kind in "iu")
    narrow = found.astype(dtype) if alike else found
    return narrow if np.array_equal(narrow, found, equal_nan=narrow.dtype.kind == "f") else found


def _flat(answer: Any) -> Array:
    """One row's answer, ``(width,)``."""
    return np.concatenate([_flat(one) for one in answer]) if isinstance(answer, list) else np.atleast_1d(answer)


def _same_alone(predictor: Predictor, method: str) -> bool:
    """Whether one row's answer must have the bits that it has among many: not where BLAS adds, whose order depends on the rows."""
    score = predictor._model.methods.get(method)
    whole = any(isinstance(part, Block) and part.whole for part in parts_of(score))   # a projection, say
    return score is not None and not whole and not bounds_of(score)


def _comparable(found: Array, native: Array, method: str) -> bool:
    if method == "leaf":
        return found.dtype.kind in "iu" and native.dtype.kind in "iuf"
    if found.dtype.kind in "UO" or native.dtype.kind in "UOT":
        return native.dtype.kind in "UOT" and found.dtype.kind in "UO"
    return found.dtype == native.dtype


def differing(found: Array, native: Array, within_ulps: float = 0.0) -> Array:
    """Where two answers of one shape differ: in a bit (all NaN are equal), or by more than so many ulps."""
    if found.dtype.kind != "f" or native.dtype.kind != "f":
        return np.asarray(found != native)
    both_nan = np.isnan(found) & np.isnan(native)
    whole = f"i{found.dtype.itemsize}"
    one, other = (np.ascontiguousarray(values).view(whole) for values in (found, native))
    if not within_ulps:
        return (one != other) & ~both_nan
    return ((ulps_apart(one, other) > within_ulps) | (np.isnan(found) != np.isnan(native))) & ~both_nan


def ulps_apart(one: Array, other: Array) -> Array:
    """How many floats lie between two floats, given as their bits; uint64."""
    sizes = [(bits & np.iinfo(bits.dtype).max).astype(np.uint64) for bits in (one, other)]
    same_sign = (one < 0) == (other < 0)
    return np.where(same_sign, np.maximum(*sizes) - np.minimum(*sizes), sizes[0] + sizes[1])


def _first_tree(predictor: Predictor, probes: Probes, answers: dict[str, Array], row: int) -> str:
    """Which tree puts a row in another leaf, where the model can be asked."""
    if "leaf" not in answers:
        return ""
    mine, native = predictor.leaf(probes.table())[row], answers["leaf"][row]
    wrong = np.flatnonzero(mine != native)
    if not len(wrong):
        return " Every tree ends in the same leaf."
    return f" Tree {wrong[0]} ends in leaf {mine[wrong[0]]} instead of {int(native[wrong[0]])}."
