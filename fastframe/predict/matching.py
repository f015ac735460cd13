"""A table against a contract: columns by name, numbers checked, categories as the contract's codes; every difference at once.

Numbers are not converted here. That every value of a column is one of the field's dtype is all a model's own casts need, so columns
go to the kernels as they lie in memory; only float16, which no kernel reads, becomes float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column import Column
from fastframe.column.plain import array_of, array_with_missing, missing_rows, raw_values
from fastframe.dtypes import FLOAT32, INT64, UINT64, DType, Kind, is_arrow_text
from fastframe.errors import ContractError
from fastframe.predict.intake import is_array, names_of, table_of

if TYPE_CHECKING:
    from fastframe.contract import FeatureContract, Field

_SAMPLES = 5
_FEW_ROWS = 1 << 12    # up to which counting NaN costs less than a task that finds the range
_MOST_SPAN = 1 << 16   # of whole-number categories, up to which a table beats a search
_SIGNIFICANT = {"float32": 24, "float64": 53}   # bits of a whole number that a float holds
_NUMBERS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT})
_TEXT_OR_CATEGORY = frozenset({Kind.STRING, Kind.CATEGORY})


def in_order_of(contract: FeatureContract, names: Sequence[str], *, named: bool) -> FeatureContract:
    """A contract's fields as those of a model with such columns: by name, or by position where one of the two has no names.

    Raises
    ------
    ContractError
        One line for each column that the contract lacks; a wrong number of fields.
    """
    if not (named and contract.named):
        if len(contract.fields) != len(names):
            raise ContractError.of([ContractError.wrong_width(len(contract.fields), len(names))])
        return replace(contract, fields=tuple(replace(one, name=name) for one, name in zip(contract.fields, names, strict=True)), named=named)
    by_name = {one.name: one for one in contract.fields}
    missing = [ContractError.missing_column(name, contract.names) for name in names if name not in by_name]
    if missing:
        raise ContractError.of(missing)
    return replace(contract, fields=tuple(by_name[name] for name in names))


def match(contract: FeatureContract, data: Any) -> tuple[Column, ...]:
    """See `FeatureContract.apply`; by position also where the contract has names, but the data have none."""
    columns = table_of(data, set(contract.names) if contract.named else None).shown
    by_position = not contract.named or is_array(data)
    if by_position and len(columns) != len(contract.fields):
        raise ContractError.of([ContractError.wrong_width(len(columns), len(contract.fields))])
    differences: list[str] = []
    found: list[Column] = []
    for position, (name, field) in enumerate(zip(columns if by_position else contract.names, contract.fields, strict=True)):
        column = columns.get(name)
        if column is None:
            differences.append(ContractError.missing_column(name, names_of(data)))
            continue
        matching = _Matching(field, name, differences)
        found.append(matching.number(column) if field.categories is None else matching.codes(column, contract._places, position))
    if differences:
        raise ContractError.of(differences)
    return tuple(found)


class _Matching:
    """One column against its field; what differs is added to ``differences``."""

    def __init__(self, field: Field, name: str, differences: list[str]) -> None:
        self.field, self.name, self.differences = field, name, differences

    def number(self, column: Column) -> Column:
        """The column for a number field."""
        dtype = self.field.dtype
        if column.dtype.kind is Kind.NULL:
            from fastframe.engines.cpu.forms import nulls

            column = nulls(dtype, len(column))
        elif column.dtype.kind not in _NUMBERS or column.is_encoded:
            self.differences.append(ContractError.wrong_dtype(self.name, column.dtype, dtype, _hint(column.dtype)))
            return column
        elif column.physical is None:   # float16
            column = Column(column.array.cast(pa.float32()), FLOAT32)
        if column.dtype is not dtype and column.dtype != dtype:
            lost = lossy_values(column, dtype)
            if lost:
                self.differences.append(ContractError.lossy(self.name, column.dtype, dtype, lost))
        if not self.field.nullable:
            self._without_missing(column)
        return column

    def _without_missing(self, column: Column) -> None:
        n_missing = column.null_count
        if column.dtype.kind is Kind.FLOAT and not n_missing and len(column) <= _FEW_ROWS:   # of a caller's own memory nothing is remembered
            n_missing = column.fact("nan", partial(_n_nan, column))
        elif column.dtype.kind is Kind.FLOAT:
            from fastframe.engines.cpu.facts import value_range

            n_missing = value_range(column).n_missing
        if n_missing:
            self.differences.append(ContractError.missing_values(self.name, n_missing))

    def codes(self, column: Column, remembered: dict[int, Any], position: int) -> Column:
        """The column's values as codes of the field's categories, int32; null where missing."""
        categories = self.field.categories
        if column.dtype.kind is Kind.NULL:
            found = Column(pa.nulls(len(column), pa.int32()))
        elif column.dtype.kind in _TEXT_OR_CATEGORY:
            found = self._by_dictionary(column, remembered, position)
        elif column.dtype.kind in _NUMBERS and not is_arrow_text(categories.type):   # type: ignore[union-attr]
            values = column.array.cast(pa.float32()) if column.physical is None else column.array
            found = self._settled(Column(codes_of_numbers(values, categories)), column)
        else:
            self._refuse(column.dtype)
            return column
        if not self.field.nullable and column.null_count:
            self.differences.append(ContractError.missing_values(self.name, column.null_count))
        return found

    def _refuse(self, given: Any) -> None:
        self.differences.append(ContractError.wrong_dtype(self.name, given, f"categories of {self.field.categories.type}"))   # type: ignore[union-attr]

    def _by_dictionary(self, column: Column, remembered: dict[int, Any], position: int) -> Column:
        """The codes of text or categories: the dictionary's values are looked up once, then the column's codes among them."""
        from fastframe.engines.cpu.facts import value_range
        from fastframe.engines.cpu.keys_text import encode_text
        from fastframe.engines.cpu.take import code_rows, take

        encoded = encode_text(column)
        dictionary, categories = encoded.dictionary, self.field.categories
        if len(dictionary) and is_arrow_text(dictionary.type) != is_arrow_text(categories.type):   # type: ignore[union-attr]
            self._refuse(f"category of {dictionary.type}" if column.dtype.kind is Kind.CATEGORY else column.dtype)
            return column
        last = remembered.get(position)
        if last is None or not _same(last[0], dictionary):
            last = remembered[position] = dictionary, places_in(dictionary, categories)
        if last[1] is None:
            return Column(encoded.codes)
        codes = take(last[1], code_rows(encoded), missing=True)
        lowest = value_range(last[1]).min
        return codes if lowest is None or lowest >= 0 else self._settled(codes, encoded)

    def _settled(self, codes: Column, column: Column) -> Column:
        """Codes in which -1, a value that is no category, became what the field's policy says."""
        from fastframe.engines.cpu.facts import value_range

        lowest = value_range(codes).min
        if lowest is None or lowest >= 0:
            return codes
        plain, missing = raw_values(codes.array), missing_rows(codes.array)
        unseen = plain < 0 if missing is None else (plain < 0) & ~missing
        if self.field.unseen == "error":
            self._name_unseen(column, unseen)
            return codes
        if self.field.unseen == "model":
            return Column(array_with_missing(np.where(unseen, np.int32(self.field.n_categories), plain), missing))
        return Column(array_with_missing(plain, unseen if missing is None else unseen | missing))

    def _name_unseen(self, column: Column, unseen: np.ndarray) -> None:
        rows = np.flatnonzero(unseen)
        sample: dict[Any, None] = {}
        for row in rows[:1000]:
            sample[column.array[int(row)].as_py()] = None
            if len(sample) == _SAMPLES:
                break
        categories = self.field.categories.to_pylist() if len(self.field.categories) <= 10_000 else []   # type: ignore[union-attr,arg-type]
        self.differences.append(ContractError.unseen_values(self.name, len(rows), list(sample), categories))


def _n_nan(column: Column) -> int:
    """Of a float column without nulls."""
    values = raw_values(column.array)
    return int(np.count_nonzero(values != values))


def _hint(given: DType) -> str:
    return " Use its codes, or .astype(...) to convert it first." if given.kind is Kind.CATEGORY else ""


def places_in(dictionary: pa.Array, categories: pa.Array) -> Column | None:
    """The code of each value of a dictionary among categories, -1 where it is none of them; None where both are equal."""
    if dictionary.type == categories.type and dictionary.equals(categories):
        return None
    if not len(dictionary):
        return Column(pa.nulls(0, pa.int32()))
    if not is_arrow_text(dictionary.type):
        return Column(codes_of_numbers(dictionary, categories))
    import pyarrow.compute as pc

    found = pc.index_in(dictionary.cast(categories.type), categories)
    missing = missing_rows(found)
    return Column(found if missing is None else array_of(np.where(missing, np.int32(-1), raw_values(found))))


def _same(left: pa.Array, right: pa.Array) -> bool:
    """Whether two dictionaries lie in the same memory; the left one is held, so its place is not reused."""
    if left is right:
        return True
    if left.type != right.type or len(left) != len(right) or left.offset != right.offset:
        return False
    return [one and one.address for one in left.buffers()] == [one and one.address for one in right.buffers()]


# ---- numbers --------------------------------------------------------------------------------------------------------


def lossy_values(column: Column, dtype: DType) -> list[Any]:
    """A few values of a number column that ``dtype`` does not have; missing ones are no values."""
    if _holds_all(dtype, column):
        return []
    array = column.array
    numbers, missing = raw_values(array), missing_rows(array)
    lost = ~_exact(numbers, dtype)
    if missing is not None:
        lost &= ~missing
    sample = dict.fromkeys(one.item() for one in numbers[np.flatnonzero(lost)[:1000]])
    return list(sample)[:_SAMPLES]


def _holds_all(dtype: DType, column: Column) -> bool:
    """Whether the dtypes, or the range of the column's values, show that nothing can be lost."""
    given = column.dtype
    if given.kind is Kind.BOOL:
        return True
    if given.is_integer:
        from fastframe.engines.cpu.facts import value_range

        found = value_range(column)
        low, high = limits(dtype)
        return found.min is None or found.max is None or (low <= found.min and found.max <= high)
    return dtype.kind is Kind.FLOAT and dtype.width >= given.width


def limits(dtype: DType) -> tuple[int, int]:
    """Between which whole numbers a dtype has all."""
    if dtype.kind is Kind.BOOL:
        return 0, 1
    if dtype.kind is Kind.FLOAT:
        bound = 1 << _SIGNIFICANT.get(dtype.name, 11)
        return -bound, bound
    info = np.iinfo(dtype.numpy)   # type: ignore[arg-type]
    return int(info.min), int(info.max)


def _exact(values: np.ndarray, dtype: DType) -> np.ndarray:
    """Which values a dtype has; NaN is missing, so all have it."""
    if dtype.kind is Kind.FLOAT:
        with np.errstate(over="ignore"):
            rounded = values.astype(dtype.numpy)
        if values.dtype.kind == "f":
            return (rounded == values) | np.isnan(values)
        return _whole(rounded, INT64 if values.dtype.kind == "i" else UINT64, values)
    low, high = limits(dtype)
    if values.dtype.kind != "f":
        return (values >= low) & (values <= high)
    return np.isnan(values) | ((values >= float(low)) & (values < float(high) + 1.0) & (np.trunc(values) == values))


def _whole(floats: np.ndarray, dtype: DType, integers: np.ndarray) -> np.ndarray:
    """Where floats, made from integers, still are those integers."""
    low, high = limits(dtype)
    inside = (floats >= float(low)) & (floats < float(high))   # float(high) is 2**63 or 2**64, which no integer is
    return inside & (np.where(inside, floats, 0).astype(dtype.numpy) == integers)


def codes_of_numbers(values: pa.Array, categories: pa.Array) -> pa.Array:
    """The code of each number among number categories: -1 where it is none, null where it is missing.

    Numbers of any dtypes are equal where they are the same real number; bools are 0 and 1.
    """
    numbers, missing = raw_values(values), missing_rows(values)
    if numbers.dtype.kind == "f":
        missing = np.isnan(numbers) if missing is None else missing | np.isnan(numbers)
    keys = raw_values(categories)
    target: np.dtype[Any] = np.dtype(np.float64)
    if keys.dtype.kind == "u" and len(keys) and int(keys.max()) > np.iinfo(np.int64).max:
        target = np.dtype(np.uint64)
    elif bool(np.all(_exact(keys, INT64))):
        target = np.dtype(np.int64)
    held = _exact(numbers, dtypes.dtype(target))
    if missing is not None:
        held &= ~missing
    wanted = np.where(held, numbers, numbers.dtype.type(0)).astype(target)
    keys = keys.astype(target)
    codes = np.where(held, _looked_up(wanted, keys), np.int32(-1))
    return array_with_missing(codes, missing)


def _looked_up(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The place of each value among keys (unique, of its dtype), int32; -1 where it is none."""
    if len(keys) == 0:
        return np.full(len(values), -1, np.int32)
    low, span = keys.min(), int(keys.max()) - int(keys.min()) if keys.dtype.kind in "iu" else _MOST_SPAN
    if span < _MOST_SPAN:
        table = np.full(span + 2, -1, np.int32)
        table[(keys - low).astype(np.int64)] = np.arange(len(keys), dtype=np.int32)
        inside = (values >= low) & (values <= keys.max())
        return table[np.where(inside, values - low, keys.dtype.type(span + 1)).astype(np.int64)]
    order = np.argsort(keys, kind="stable")
    codes = order[np.minimum(np.searchsorted(keys, values, sorter=order), len(keys) - 1)].astype(np.int32)
    return np.where(keys[codes] == values, codes, np.int32(-1))
