"""Methods as a tape of steps: one call of a kernel answers for a row, where the nodes know how and a trial of rows gives the bits of `run`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels import forest_row as kernels
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import Kind
from fastframe.errors import ContractError
from fastframe.predict.decide import Decide
from fastframe.predict.engines.one_row import fields_of, threads_beside
from fastframe.predict.one_score import ScoreOfOne
from fastframe.predict.row_tape import NoTape, Tape
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]
_TRIALS = 12


def taped(score: Score, contract: FeatureContract, packed: dict[Any, Any], *, scalar: bool) -> kernels.RowTape | None:
    """The method's answer for one row; None where Python has to run a node."""
    below = score.of if isinstance(score, Decide) else score
    made = _written(score, contract, packed, scalar)
    if made is None or (below is not score and not _agrees(_written(below, contract, packed, False), below, contract, packed)):
        return None
    return made if _agrees(made, score, contract, packed) else None


def _written(score: Score, contract: FeatureContract, packed: dict[Any, Any], scalar: bool) -> kernels.RowTape | None:
    is_label = isinstance(score, Decide)
    if is_label and not scalar:   # several labels
        return None
    tape = Tape(contract, packed)
    try:
        result = score.index_on_row(tape) if isinstance(score, Decide) else tape.value(score)   # of the score's width
    except NoTape:
        return None
    form = (np.dtype(result.dtype), None if scalar else (score.width,), score.classes.tolist() if isinstance(score, Decide) else None, scalar)
    return kernels.RowTape(
        tuple(contract.names), fields_of(contract), tape.steps, tape.n_bytes, result.place, form, n_columns=tape.n_columns, n_planes=tape.n_planes,
        beside=0 if tape.uses_blas_threads else threads_beside(tape.ns), keep_alive=(tape.kept, score),
    )  # fmt: skip


def _agrees(made: kernels.RowTape | None, score: Score, contract: FeatureContract, packed: dict[Any, Any]) -> bool:
    """Whether rows of all sizes get the bits of `run`: NumPy's loops are called as the versions of it that are known call them."""
    if made is None:
        return False
    asked = ScoreOfOne(score, contract, packed)
    random = np.random.default_rng(0)
    for trial in range(_TRIALS):
        row = tuple(_value(field, trial, random) for field in contract.fields)
        try:
            expected, found = asked.run(row), made.answer(row)
        except ContractError:   # an encoder that refuses such a number
            return False
        if expected is None or found is None or np.asarray(found, expected.dtype).tobytes() != expected.tobytes():
            return False
    return True


def _value(field: Field, trial: int, random: np.random.Generator) -> Any:
    """Of a field, for a row of a trial: ordinary numbers, then large and small ones, then none."""
    if field.categories is not None:
        return field.categories[trial % field.n_categories].as_py() if field.n_categories else None
    if trial == 0 and field.nullable:
        return None
    if field.dtype.kind is not Kind.FLOAT:
        return int(random.integers(0, 2))
    return float(np.float32(random.normal() * 10.0 ** (trial // 2 - 2)))
