"""One row, as columns of one row: for models that have no engine of their own for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.column.plain import array_of_one
from fastframe.contract import FeatureContract, Field
from fastframe.errors import ContractError
from fastframe.predict.matching import match

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
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (field.categories is not None and isinstance(value, float) and np.isnan(value)):   # as pandas has it
        return Column(pa.nulls(1))
    kind = _TYPES.get(type(value))
    if kind is None:
        raise ContractError.of([ContractError.not_one_value(field.name, value)])
    if kind == pa.int64() and not -(2**63) <= value < 2**63:
        kind = pa.uint64()
        if not 0 <= value < 2**64:
            raise ContractError.of([ContractError.not_one_value(field.name, value)])
    return Column(array_of_one(value, kind))
