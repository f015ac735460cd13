"""That a `Model`'s parts fit each other: what lets programs be packed without looking, and files be believed.

`Forest` has its own checks; a node may have a ``check(contract)`` method for what only it knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from fastframe.contract import FeatureContract
from fastframe.errors import ModelError
from fastframe.predict.features import STEPS, Block, Code, Computed, Feature, Lookup, Number
from fastframe.predict.forest import Forest
from fastframe.predict.model import Model
from fastframe.predict.scores import ForestScore, Score

_OPERANDS = {
    **dict.fromkeys(("float32", "float64", "is_missing", "abs", "sqrt", "square", "negative"), 0),
    **dict.fromkeys(("fill", "equals_missing", "add", "subtract", "multiply", "divide", "above"), 1),
    "clip": 2,
}   # steps that are not here take any number
_VIAS = ("", "float32", "float64")


def parts_of(root: Any, without: Collection[int] = ()) -> Iterator[Any]:
    """Every dataclass object that an expression is made of, each once, the root included; not those of the ids ``without``, nor their parts.

    What a node keeps in fields that it names in ``elsewhere`` reads other columns than the contract's, and is left out.
    """
    seen = set(without)
    stack = [root]
    while stack:
        one = stack.pop()
        if isinstance(one, tuple | list):
            stack.extend(one)
        elif isinstance(one, dict):
            stack.extend(one.values())
        elif (names := _held_by(one.__class__)) is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            stack.extend([getattr(one, name) for name in names])


@cache
def _held_by(cls: type) -> tuple[str, ...] | None:
    """The fields of a part in which others of its expression may be; None where the class is none of a part."""
    if not is_dataclass(cls):
        return None
    elsewhere = getattr(cls, "elsewhere", ())
    return tuple(field.name for field in fields(cls) if field.name not in elsewhere)


def forest_scores(root: Any) -> list[ForestScore]:
    """The forests of an expression, in no particular order."""
    return [one for one in parts_of(root) if isinstance(one, ForestScore)]


def reads_columns(root: Any, forests: Sequence[ForestScore]) -> bool:
    """Whether an expression needs rows other than through these of its forests: it reads columns, or feeds another model."""
    known = {id(forest) for forest in forests}
    return any(isinstance(part, Feature) or getattr(part, "elsewhere", ()) for part in parts_of(root, known))


def check_model(model: Model) -> Model:
    """The model, if its contract, features, forests and nodes are what they must be.

    Raises
    ------
    ModelError
    """
    model.contract.validate()
    if not model.methods:
        raise ModelError.bad_part("methods", "there are none")
    for name, score in model.methods.items():
        if not isinstance(score, Score):
            raise ModelError.bad_part(name, f"{type(score).__name__} is no score")
    check_parts(tuple(model.methods.values()), model.contract)
    for score in model.methods.values():
        if score.width < 1:
            raise ModelError.bad_part(type(score).__name__, f"it is {score.width} wide")
    return model


def check_parts(root: Any, contract: FeatureContract) -> None:
    """That features, forests and nodes below ``root`` fit each other and the contract."""
    for one in parts_of(root):
        _check_part(one, contract)


def _check_part(one: Any, contract: FeatureContract) -> None:
    if isinstance(one, ForestScore):
        if len(one.features) != one.forest.n_features:
            raise ModelError.bad_part("ForestScore", f"{len(one.features)} features for {one.forest.n_features} inputs")
    elif isinstance(one, Forest):
        one.validate()
    elif isinstance(one, Number):
        _check_number(one, contract)
    elif isinstance(one, Code):
        _category_at(one.column, contract)
    elif isinstance(one, Lookup):
        _check_lookup(one, contract)
    elif isinstance(one, Computed):
        if not 0 <= one.output < one.block.n_outputs:
            raise ModelError.bad_part("Computed", f"output {one.output} of {one.block.n_outputs}")
    elif isinstance(one, Block) and one.dtype not in ("float32", "float64"):
        raise ModelError.bad_part("Block", f"dtype {one.dtype}")
    check = getattr(one, "check", None)
    if isinstance(one, Score) and check is not None:
        check(contract)


def _column_at(column: int, contract: FeatureContract) -> None:
    if not 0 <= column < len(contract.fields):
        raise ModelError.bad_part("a feature", f"column {column} of {len(contract.fields)}")


def _category_at(column: int, contract: FeatureContract) -> int:
    _column_at(column, contract)
    if contract.fields[column].categories is None:
        raise ModelError.bad_part("a feature", f"codes of column {column}, which has no categories")
    return contract.fields[column].n_categories


def _check_number(one: Number, contract: FeatureContract) -> None:
    _column_at(one.column, contract)
    if contract.fields[one.column].categories is not None:
        raise ModelError.bad_part("a feature", f"numbers of column {one.column}, which has categories")
    if one.via not in _VIAS:
        raise ModelError.bad_part("a feature", f"a cast through {one.via!r}")
    for step in one.steps:
        if step.name not in STEPS:
            raise ModelError.bad_part("a feature", f"step {step.name!r}")
        if len(step.operands) != _OPERANDS.get(step.name, len(step.operands)):
            raise ModelError.bad_part("a feature", f"step {step.name!r} of {len(step.operands)} operands")


def _check_lookup(one: Lookup, contract: FeatureContract) -> None:
    expected = (_category_at(one.column, contract) + 2,)
    if one.values.shape != expected or one.values.dtype not in (np.dtype("float32"), np.dtype("float64")) or not one.values.flags.c_contiguous:
        raise ModelError.bad_part("a lookup", f"{one.values.dtype} values of shape {one.values.shape}, not floats of shape {expected}")
