"""One row: by the engine for it where the method stands on forests alone, else through the contract as a batch of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.column.plain import array_of_one
from fastframe.contract import FeatureContract, Field
from fastframe.errors import ContractError
from fastframe.predict.model_checks import forest_scores, reads_columns
from fastframe.predict.one_chain import chain_of
from fastframe.predict.scores import ForestScore, Score

if TYPE_CHECKING:
    from fastframe.predict.engines.one_row import OneRow
    from fastframe.predict.one_score import ScoreOfOne

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
    from fastframe.predict.matching import match

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

    __slots__ = ("score", "answer", "_engines", "_scalar")

    def __init__(self, score: Score, contract: FeatureContract, *, two_dimensional: bool, packed: dict[Any, Any]) -> None:
        self.score = score
        self._scalar = score.width == 1 and not two_dimensional
        self._engines = _engines(score, contract, packed)
        self.answer: Callable[[object], Any] = self._way(contract, packed)   # None where the row has to go through the contract

    def _way(self, contract: FeatureContract, packed: dict[Any, Any]) -> Callable[[object], Any]:
        if self._engines is None:
            from fastframe.predict.one_score import ScoreOfOne
            from fastframe.predict.one_tape import taped

            tape = taped(self.score, contract, packed, scalar=self._scalar)
            if tape is not None:
                return tape.answer

            return partial(self._by_score, ScoreOfOne(self.score, contract, packed))
        chain = chain_of(self.score)
        if chain is None or (chain.labels is not None and not self._scalar):
            return self._by_sums
        from fastframe._kernels.forest_row import RowAnswer

        width = self.score.width
        walker = packed[chain.forest, "row"].walker
        return RowAnswer(walker, chain.links, width, chain.labels, self._scalar).answer

    def _by_score(self, made: ScoreOfOne, row: object) -> Any:
        """The score's own nodes, as for a batch."""
        values = made.run(row)
        return None if values is None else self.shaped(values)

    def _by_sums(self, row: object) -> Any:
        """Forests' sums, and what nodes above them make of these."""
        sums: dict[Any, Any] = {}
        for forest, engine in self._engines or ():
            found = engine.sums(row)
            if found is None:
                return None
            sums[forest] = found
        return self.shaped(self.score.run(_Summed(sums)))   # type: ignore[arg-type]

    def shaped(self, values: Any) -> Any:
        """A row of what a score gave, as the method's answer: a single value is Python's own."""
        return values[0, 0].item() if self._scalar else values[0]


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
