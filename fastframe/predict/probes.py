"""Adversarial rows for the self-check: what each column's values should be, put together into rows.

A threshold is tested by the two neighbouring values of the column's own dtype between which its comparison turns: they are
searched for by halving, through the real casts and steps, so rounding of any kind is met where it is. Columns are filled
independently, and a row so tests one threshold of each. Nothing is random: every process gets the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.column.plain import array_of, array_with_missing
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import DType, Kind
from fastframe.predict import steps
from fastframe.predict.features import Number
from fastframe.predict.forest import CategoryInput, Forest, NumberInput
from fastframe.predict.model import Model
from fastframe.predict.model_checks import forest_scores

Array = np.ndarray[Any, Any]

MOST_ROWS = 4096
_LEAST_ROWS = 128
_ROWS_PER_VALUE = 3      # so that a value meets others' values more than once, where there is room
_SPECIAL_SHARE = 24      # one value in so many is a special one, a missing one as well
_EXACT_IN_FLOAT64 = 2**53


@dataclass
class Candidates:
    """The values that a column should have, without the missing one, and what they cover."""

    values: Array                 # of the field's dtype; of a category field codes, n_categories for an unseen value
    specials: Array
    thresholds: int = 0           # that the column's features compare with
    tested: int = 0               # of them


@dataclass(frozen=True, eq=False)
class Probes:
    """Rows: per field its values (codes of a category) and where they are missing."""

    contract: FeatureContract
    values: tuple[Array, ...]
    missing: tuple[Array, ...]
    thresholds: int
    tested: int

    @property
    def n_rows(self) -> int:
        return len(self.values[0])

    def table(self) -> Table:
        """The rows as the compiled model is fed them."""
        parts = zip(self.contract.fields, self.values, self.missing, strict=True)
        return Table({field.name: _column(field, values, missing) for field, values, missing in parts}, self.n_rows)

    def native(self) -> Any:
        """The rows as the native model is: a pandas frame, or an array where the fields have no names."""
        parts = zip(self.contract.fields, self.values, self.missing, strict=True)
        columns = {field.name: _native_column(field, values, missing) for field, values, missing in parts}
        if self.contract.named:
            import pandas as pd

            return pd.DataFrame(columns)
        plain = [np.asarray(one) for one in columns.values()]
        return np.ascontiguousarray(np.column_stack(plain))

    def take(self, rows: Array) -> Probes:
        """Some of the rows."""
        return replace(self, values=tuple(one[rows] for one in self.values), missing=tuple(one[rows] for one in self.missing))

    def row(self, number: int) -> dict[str, Any]:
        """One row, for messages."""
        return {name: column.array[number].as_py() for name, column in self.table().columns.items()}


# ---- values of a column ---------------------------------------------------------------------------------------------


def probes_of(model: Model, limit: float) -> Probes:
    """Rows for a model whose native twin takes numbers up to ``limit``."""
    contract = model.contract
    uses = uses_of_columns(model)
    found = [_of_category(field) if field.categories is not None else _of_number(field, uses[place], limit) for place, field in enumerate(contract.fields)]
    most = max((len(one.values) + len(one.specials) for one in found), default=0)
    n_rows = min(MOST_ROWS, max(_LEAST_ROWS, _ROWS_PER_VALUE * most))
    values, missing = [], []
    for place, (field, one) in enumerate(zip(contract.fields, found, strict=True)):
        filled, holes = _filled(one, n_rows, place, nullable=field.nullable)
        if field.categories is not None and not field.n_categories and field.unseen == "error":
            holes = np.ones(n_rows, np.bool_)   # nothing else can be given
        values.append(filled)
        missing.append(holes)
    thresholds, tested = sum(one.thresholds for one in found), sum(one.tested for one in found)
    return Probes(contract, tuple(values), tuple(missing), thresholds, tested)


def uses_of_columns(model: Model) -> list[list[tuple[Number, Any, Forest, int]]]:
    """Per column its features that feed forests: feature, input, forest, number of the input."""
    uses: list[list[tuple[Number, Any, Forest, int]]] = [[] for _ in model.contract.fields]
    for score in forest_scores(tuple(model.methods.values())):
        for place, (feature, source) in enumerate(zip(score.features, score.forest.inputs, strict=True)):
            if isinstance(feature, Number):
                uses[feature.column].append((feature, source, score.forest, place))
    return uses


def _filled(one: Candidates, n_rows: int, place: int, *, nullable: bool) -> tuple[Array, Array]:
    """Values for all rows: each candidate as often as the next, in an order of the column's own; some rows missing."""
    if len(one.specials) and len(one.values):
        repeats = max(1, len(one.values) // (_SPECIAL_SHARE * len(one.specials)))
        pool = np.concatenate([one.values, np.tile(one.specials, repeats)])
    else:
        pool = np.concatenate([one.values, one.specials])
    order = np.random.default_rng(place)   # of a column, always the same
    rounds = [order.permutation(len(pool)) for _ in range(-(-n_rows // len(pool)))]
    values = pool[np.concatenate(rounds)[:n_rows]]
    missing = np.zeros(n_rows, bool)
    if nullable:
        missing[order.choice(n_rows, max(1, n_rows // _SPECIAL_SHARE), replace=False)] = True
        missing[0] = True   # row 0 is missing throughout
    return values, missing


def _of_category(field: Field) -> Candidates:
    codes = np.arange(field.n_categories, dtype=np.int32)
    if len(codes) > MOST_ROWS // 2:
        codes = codes[np.linspace(0, len(codes) - 1, MOST_ROWS // 2).astype(np.int64)]
    others = [field.n_categories] if field.unseen != "error" and unseen_value(field) is not None else []
    if not len(codes) and not others:
        codes = np.zeros(1, np.int32)
    return Candidates(codes, np.array(others, np.int32))


def unseen_value(field: Field) -> Any:
    """A value that is no category; None where every value of the type is one."""
    values = field.categories.to_pylist()   # type: ignore[union-attr]
    if not values:
        return 1.0 if pa.types.is_floating(field.categories.type) else "unseen"   # type: ignore[union-attr]
    if isinstance(values[0], bool):
        return next((one for one in (False, True) if one not in values), None)
    if isinstance(values[0], str):
        return max(values) + "?"
    return next((one for one in (max(values) + 1, min(values) - 1, 0.5) if one not in values and abs(one) < _EXACT_IN_FLOAT64), None)


def _of_number(field: Field, uses: Sequence[tuple[Number, Any, Forest, int]], limit: float) -> Candidates:
    numpy = np.dtype(field.dtype.numpy)
    if field.dtype.kind is Kind.BOOL:
        return Candidates(np.array([False, True]), np.empty(0, bool), *_bool_thresholds(uses))
    keys = Keys(field.dtype, limit)
    special = list(keys.specials())
    sides: list[Array] = []
    thresholds = tested = 0
    most = MOST_ROWS // 2 // max(1, len(uses))
    for feature, source, forest, place in uses:
        if isinstance(source, CategoryInput):
            special += keys.near([-2.0, -1.0, -0.5, 0.0, 0.5, *range(source.n_codes + 2), source.n_codes + 0.5, 2.0**24])[:most]
            continue
        special += keys.near([one for rule in (source.missing_value, source.zero_missing, source.flush) for one in (rule, -rule)])
        all_of = np.unique(forest.threshold[(forest.feature == place) & (forest.category_set < 0)])
        some = all_of if len(all_of) <= most else all_of[np.linspace(0, len(all_of) - 1, most).astype(np.int64)]
        thresholds += len(all_of)
        tested += len(some)
        sides.append(keys.sides(path_of(feature, source, forest.domain), some))
    values = np.unique(np.concatenate(sides)) if sides else np.empty(0, numpy)
    return Candidates(values, np.array(special, numpy), thresholds, tested)


def _bool_thresholds(uses: Sequence[tuple[Number, Any, Forest, int]]) -> tuple[int, int]:
    counts = [len(np.unique(forest.threshold[forest.feature == place])) for _, _, forest, place in uses]
    return sum(counts), sum(counts)   # both values are tried


def path_of(feature: Number, source: NumberInput, domain: str) -> Callable[[Array], Array]:
    """What a value of the column becomes before it is compared."""

    def path(values: Array) -> Array:
        entered = steps.apply(feature.steps, values.astype(feature.via) if feature.via else values)
        return steps.enter(entered, source, domain)

    return path


class Keys:
    """The values of a number dtype in order, as integers: neighbours differ by 1."""

    def __init__(self, dtype: DType, limit: float) -> None:
        self.numpy: np.dtype[Any] = np.dtype(dtype.numpy)
        self.is_float = dtype.kind is Kind.FLOAT
        self.limit = limit
        info: Any = np.finfo(self.numpy) if self.is_float else np.iinfo(self.numpy)
        top = min(float(info.max), limit)
        if self.is_float:
            self.highest = int(self.of(np.array([top], self.numpy))[0])
            self.lowest = -self.highest
        else:
            self.highest = min(int(info.max), 2**63 - 1, int(min(limit, 2.0**63 - 1024)) if limit < 2.0**63 else 2**63 - 1)
            self.lowest = -self.highest if limit < -float(info.min) else max(int(info.min), 1 - 2**63)   # differences of keys are int64

    def of(self, values: Array) -> Array:
        """The keys of finite values, int64."""
        if not self.is_float:
            return values.astype(np.int64)
        bits = np.abs(values).view(f"i{self.numpy.itemsize}").astype(np.int64)
        return np.where(np.signbit(values), -bits, bits)

    def values(self, keys: Array) -> Array:
        """The values of keys."""
        if not self.is_float:
            return keys.astype(self.numpy)
        size = np.abs(keys).astype(f"i{self.numpy.itemsize}").view(self.numpy)
        return np.where(keys < 0, -size, size).astype(self.numpy)

    def near(self, numbers: Sequence[float]) -> list[Any]:
        """Finite numbers within the limits as values, with their neighbours."""
        finite = np.array([one for one in numbers if np.isfinite(one)], np.float64)
        if not len(finite):
            return []
        with np.errstate(over="ignore"):
            clipped = np.clip(finite, float(self.values(np.array([self.lowest]))[0]), float(self.values(np.array([self.highest]))[0]))
            near = clipped.astype(self.numpy) if self.is_float else np.clip(clipped, -(2.0**62), 2.0**62).astype(np.int64)
        keys = self.of(near)
        around = np.clip(np.concatenate([keys - 1, keys, keys + 1]), self.lowest, self.highest)
        return list(self.values(np.unique(around)))

    def specials(self) -> list[Any]:
        """Extremes, ones, zeros of both signs, the smallest numbers; infinities where there is no limit."""
        edges = np.array([self.lowest, self.highest], np.int64)
        out = [*self.values(edges), *self.near([0.0, 1.0, -1.0, 2.0**24, -(2.0**24), 2.0**53])]
        if self.is_float:
            info = np.finfo(self.numpy)
            out += [self.numpy.type(-0.0), *self.near([0.5, -0.5, float(info.tiny), -float(info.tiny), 1e-35, -1e-35])]
            if np.isinf(self.limit):
                out += [self.numpy.type(np.inf), self.numpy.type(-np.inf)]
        return out

    def sides(self, path: Callable[[Array], Array], thresholds: Array) -> Array:
        """Per threshold the neighbouring values between which ``path(value) <= threshold`` turns, below zero and above."""
        out = []
        for start, stop in ((self.lowest, 0), (0, self.highest)):
            if start >= stop or not len(thresholds):
                continue
            low, high = np.full(len(thresholds), start, np.int64), np.full(len(thresholds), stop, np.int64)
            at_low = path(self.values(low)) <= thresholds
            turns = at_low != (path(self.values(high)) <= thresholds)
            low, high, wanted, at_low = low[turns], high[turns], thresholds[turns], at_low[turns]
            while len(low) and int((high - low).max()) > 1:
                middle = low + (high - low) // 2
                same = (path(self.values(middle)) <= wanted) == at_low
                low, high = np.where(same, middle, low), np.where(same, high, middle)
            out += [self.values(low), self.values(high)]
        return np.concatenate(out) if out else np.empty(0, self.numpy)

    def turns(self, path: Callable[[Array], Array], thresholds: Array) -> tuple[Array, Array]:
        """Per threshold the two neighbours between which ``path(value) <= threshold`` turns, of a path that rises or falls: which is, which is not."""
        ends = [np.full(len(thresholds), key, np.int64) for key in (self.lowest, 0, self.highest)]
        at = [path(self.values(one)) <= thresholds for one in ends]
        below = at[0] != at[1]
        low, high = np.where(below, ends[0], ends[1]), np.where(below, ends[1], ends[2])
        at_low = at[0]
        while len(low) and int((high - low).max()) > 1:
            middle = low + (high - low) // 2
            same = (path(self.values(middle)) <= thresholds) == at_low
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        one, other = self.values(low), self.values(high)
        return np.where(at_low, one, other), np.where(at_low, other, one)


# ---- columns --------------------------------------------------------------------------------------------------------


def _column(field: Field, values: Array, missing: Array) -> Column:
    if field.categories is None:
        if values.dtype == bool:
            bits = array_of(values)
            valid = pa.py_buffer(np.packbits(~missing, bitorder="little"))
            return Column(pa.Array.from_buffers(pa.bool_(), len(values), [valid, bits.buffers()[1]]))
        return Column(array_with_missing(values, missing))
    listed = pa.array([*field.categories.to_pylist(), unseen_value(field)], None if not len(field.categories) else field.categories.type)
    codes = array_with_missing(values.astype(np.int32), missing)
    if unseen_value(field) is None:
        listed = field.categories
    return Column(pa.DictionaryArray.from_arrays(codes, listed))


def _native_column(field: Field, values: Array, missing: Array) -> Any:
    """A column as pandas or NumPy would hold it; an unseen value that is to be missing is missing."""
    if field.categories is None:
        if field.dtype.kind is Kind.FLOAT:
            return np.where(missing, values.dtype.type(np.nan), values)
        return np.where(missing, np.nan, values.astype(np.float64)) if missing.any() else values
    import pandas as pd

    listed = field.categories.to_pylist()
    codes = np.where(missing, -1, values)
    unseen = codes == field.n_categories
    if field.unseen == "model" and unseen.any():
        listed = [*listed, unseen_value(field)]
    else:
        codes = np.where(unseen, -1, codes)
    return pd.Categorical.from_codes(codes, listed)
