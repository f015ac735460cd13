"""One row: by the engine for it where the method stands on forests alone, else through the contract as a batch of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.column.plain import array_of_one
from fastframe.contract import FeatureContract, Field
from fastframe.errors import ContractError
from fastframe.predict.matching import match
from fastframe.predict.model_checks import forest_scores, reads_columns
from fastframe.predict.scores import ForestScore, Score

if TYPE_CHECKING:
    from fastframe.predict.engines.one_row import OneRow

_TYPES: dict[type, pa.DataType] = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def one_row(contract: FeatureContract, row: Mapping[str, Any] | Sequence[Any]) -> tuple[Column, ...]:
    """What ``contract.apply`` gives for one row, by name or by position.

    Raises
    ------
    ContractError
    """
    if isinstance(row, Mapping):
        missing = [field.name for field in contract.fields if field.name not in row]
        if missing:
            raise ContractError.of([ContractError.missing_column(name, [str(one) for one in row]) for name in missing])
        values = [row[field.name] for field in contract.fields]
    elif isinstance(row, str | bytes) or not isinstance(row, Sequence | np.ndarray):
        raise ContractError.not_a_row(row)
    elif len(row) != len(contract.fields):
        raise ContractError.of([ContractError.wrong_width(len(row), len(contract.fields))])
    else:
        values = list(row)
    columns = {field.name: _column_of(value, field) for value, field in zip(values, contract.fields, strict=True)}
    return match(contract, Table(columns, 1))


def _column_of(value: Any, field: Field) -> Column:
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64 | np.timedelta64):   # of a time `item` can be a number
        value = value.item()
    as_pandas_has_it = type(value).__name__ == "NAType" or (field.categories is not None and isinstance(value, float) and np.isnan(value))
    if value is None or as_pandas_has_it:
        return Column(pa.nulls(1))
    kind = _TYPES.get(type(value))
    if kind is None:
        raise ContractError.of([ContractError.not_one_value(field.name, value)])
    if kind == pa.int64() and not -(2**63) <= value < 2**63:
        kind = pa.uint64()
        if not 0 <= value < 2**64:
            raise ContractError.of([ContractError.not_one_value(field.name, value)])
    return Column(array_of_one(value, kind))


class RowMethod:
    """One method of a model for rows that come one by one.

    Parameters
    ----------
    score : Score
    contract : FeatureContract
    two_dimensional : bool
        Whether an answer of one column is an array all the same.
    packed : dict
        Where packed forests are kept, for methods that share them: the predictor's.
    """

    __slots__ = ("score", "engines", "_value", "_scalar", "_decide")

    def __init__(self, score: Score, contract: FeatureContract, *, two_dimensional: bool, packed: dict[Any, Any]) -> None:
        self.score = score
        self._scalar = score.width == 1 and not two_dimensional
        self.engines: list[tuple[ForestScore, OneRow]] | None = _engines(score, contract, packed)
        self._decide: Callable[[Any], Any] | None = getattr(score, "of_one", None) if self._scalar else None   # a `Decide`
        alone = self.engines is not None and isinstance(score, ForestScore) and self._scalar
        self._value: Callable[[object], Any] | None = self.engines[0][1].value if alone and self.engines else None

    def answer(self, row: object) -> Any:
        """The answer; None where the row has to go through the contract."""
        if self._value is not None:
            return self._value(row)
        if self.engines is None:
            return None
        sums: dict[Any, Any] = {}
        for forest, engine in self.engines:
            found = engine.sums(row)
            if found is None:
                return None
            sums[forest] = found
        return self._of_sums(sums)

    def _of_sums(self, sums: dict[Any, Any]) -> Any:
        score = self.score
        if self._decide is None:
            return self.shaped(sums[score] if isinstance(score, ForestScore) else score.run(_Summed(sums)))   # type: ignore[arg-type]
        below = score.of   # type: ignore[attr-defined]
        scores = sums.get(below)
        return self._decide(below.run(_Summed(sums)) if scores is None else scores)

    def shaped(self, values: Any) -> Any:
        """A row of what a score gave, as the method's answer."""
        return values[0, 0] if self._scalar else values[0]


class _Summed:
    """What nodes above forests need of a batch of one row: the forests' sums."""

    __slots__ = ("n_rows", "_values")

    def __init__(self, values: dict[Any, Any]) -> None:
        self.n_rows, self._values = 1, values

    def once(self, node: Any, make: Callable[[], Any]) -> Any:
        """The value of a node that several nodes share."""
        value = self._values.get(node)
        if value is None:
            value = self._values[node] = make()
        return value


def _engines(score: Score, contract: FeatureContract, packed: dict[Any, Any]) -> list[tuple[ForestScore, OneRow]] | None:
    """The engine of each forest; None where the score also reads columns itself, or a forest cannot be packed for it."""
    from fastframe.predict.engines.one_row import OneRow

    forests = forest_scores(score)
    if not forests or reads_columns(score, forests):
        return None
    if not all(OneRow.takes(one.forest, one.features) for one in forests):
        return None
    for one in forests:
        if (one, "row") not in packed:
            packed[one, "row"] = OneRow(one.forest, one.features, contract)
    return [(one, packed[one, "row"]) for one in forests]
