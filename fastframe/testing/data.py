"""Deterministic columns for every dtype and every way of missing, and covering arrays of such choices."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column.column import Column
from fastframe.column.table import Table
from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError

DTYPES: tuple[str, ...] = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
    "decimal128(12, 2)", "date32", "date64", "timestamp[us]", "timestamp[ns, UTC]", "duration[ms]", "time32[s]",
    "time64[us]", "string", "encoded string", "binary", "category",
)  # fmt: skip
NULLS: tuple[str, ...] = ("none", "some", "all", "first", "last")

_WORDS = [
    "", "a", "b", "ab", "abc", "ä", "日本", "zebra", "a longer word than twelve bytes", "Z", "0", "10", "9", "\x00",
    "été",
]  # fmt: skip
_OFFSET = 11  # rows cut off a sliced column's front: its bitmaps start inside a byte, and not at a byte's end

Values = np.ndarray[Any, Any]


def column(
    dtype: str, n_rows: int, *, nulls: str = "none", sliced: bool = False, wide: bool = False, seed: int = 0
) -> Column:
    """A column of pseudo-random values; the same for the same arguments.

    Parameters
    ----------
    dtype : str
        A name that `fastframe.dtypes.dtype` knows, or ``"encoded string"``: strings held as codes.
    nulls : str
        One of `NULLS`: where nulls are.
    sliced : bool
        Make the column a slice of a longer one, so that its first row is not the first bit or byte of any buffer.
    wide : bool
        Integers of the whole range; floats with NaN, infinities and both zeros. Otherwise small numbers, whose sums and
        differences fit, with many ties.
    """
    if nulls not in NULLS:
        raise ArgumentError.of("column", "nulls", nulls, NULLS)
    rng = np.random.default_rng([seed, n_rows])
    n_made = n_rows + 2 * _OFFSET if sliced else n_rows
    first = _OFFSET if sliced else 0
    encoded = dtype == "encoded string"
    kind = dtypes.dtype("string" if encoded else dtype)
    array = _values(kind, n_made, rng, wide)
    array = _with_nulls(array, _null_mask(nulls, n_made, first, n_rows, rng))
    if encoded:
        array = array.dictionary_encode()
    return Column(array.slice(first, n_rows), kind if encoded else None)


def table(
    n_rows: int, names: Sequence[str] = DTYPES, *, nulls: str = "some", sliced: bool = False, seed: int = 0
) -> Table:
    """A table with a column of each of the dtypes, named after them."""
    return Table(
        {name: column(name, n_rows, nulls=nulls, sliced=sliced, seed=seed + place) for place, name in enumerate(names)},
        n_rows,
    )


def covering(factors: Mapping[str, Iterable[Any]], *, strength: int = 2) -> list[dict[str, Any]]:
    """Choices such that every combination of levels of any ``strength`` factors occurs: far fewer rows than all.

    Greedy (as in AETG, Cohen et al. 1997), deterministic.

    >>> from fastframe.testing import covering
    >>> len(covering({"a": range(4), "b": range(4), "c": range(4)})) < 4 * 4 * 4
    True
    """
    levels = {name: list(values) for name, values in factors.items()}
    names = list(levels)
    if len(names) <= strength:
        return [dict(zip(names, one, strict=True)) for one in product(*levels.values())]
    open_tuples = {
        (group, places)
        for group in combinations(names, strength)
        for places in product(*(range(len(levels[name])) for name in group))
    }
    rows = []
    while open_tuples:
        row = _covering_row(names, levels, open_tuples, strength)
        open_tuples -= {(group, tuple(row[name] for name in group)) for group in combinations(names, strength)}
        rows.append({name: levels[name][place] for name, place in row.items()})
    return rows


def _covering_row(
    names: list[str], levels: Mapping[str, list[Any]], open_tuples: set[Any], strength: int
) -> dict[str, int]:
    """One row that covers the first open tuple and, factor by factor, as many others as possible."""
    group, places = min(open_tuples)
    row = dict(zip(group, places, strict=True))
    for name in names:
        if name in row:
            continue
        gains = []
        for level in range(len(levels[name])):
            trial = {**row, name: level}
            known = [other for other in names if other in trial]
            gains.append(
                sum(
                    (found, tuple(trial[one] for one in found)) in open_tuples
                    for found in combinations(known, strength)
                    if name in found
                )
            )
        row[name] = int(np.argmax(gains))
    return {name: row[name] for name in names}


def _null_mask(nulls: str, n_made: int, first: int, n_rows: int, rng: np.random.Generator) -> Values:
    """Which of the made rows are null; the rows outside the slice are null where any is, as a trap."""
    mask = np.full(n_made, nulls != "none")
    inside = mask[first : first + n_rows]
    if nulls == "some":
        inside[:] = rng.random(n_rows) < 0.3
    elif nulls in ("first", "last"):
        inside[:] = False
        inside[:1] = inside[:1] | (nulls == "first")
        inside[n_rows - 1 :] = inside[n_rows - 1 :] | (nulls == "last")
    return mask


def _with_nulls(array: pa.Array, mask: Values) -> pa.Array:
    import pyarrow.compute as pc

    if not mask.any():
        return array
    if isinstance(array, pa.DictionaryArray):  # if_else would drop the categories that no row has
        return pa.DictionaryArray.from_arrays(
            _with_nulls(array.indices, mask), array.dictionary, ordered=array.type.ordered
        )
    return pc.if_else(pa.array(mask), pa.scalar(None, array.type), array)


def _values(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    make = _MAKERS[dtype.kind]
    return make(dtype, n_rows, rng, wide)


def _bools(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    return pa.array(rng.integers(0, 2, n_rows).astype(bool))


def _integers(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    assert dtype.numpy is not None
    info = np.iinfo(dtype.numpy)
    if not wide:
        return pa.array(rng.integers(max(info.min, -20), 21, n_rows).astype(dtype.numpy))
    values = rng.integers(info.min, info.max, n_rows, dtype=dtype.numpy, endpoint=True)
    return pa.array(_sprinkled(values, [info.min, info.max, 0], rng))


def _floats(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    assert dtype.numpy is not None
    if not wide:
        return pa.array((rng.integers(-40, 41, n_rows) / 4).astype(dtype.numpy))
    values = rng.standard_normal(n_rows).astype(dtype.numpy)
    return pa.array(_sprinkled(values, [np.nan, np.inf, -np.inf, 0.0, -0.0], rng), from_pandas=False)


def _sprinkled(values: Values, special: list[Any], rng: np.random.Generator) -> Values:
    """About a third of the values become special ones."""
    chosen = rng.random(len(values)) < 0.3
    values[chosen] = np.array(special, values.dtype)[rng.integers(0, len(special), int(chosen.sum()))]
    return values


def _decimals(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    digits = dtype.arrow.precision if wide else min(4, dtype.arrow.precision)
    units = [
        int(sign) * (int(high) * 10**18 + int(low)) % 10**digits
        for sign, high, low in rng.integers(0, 10**18, (n_rows, 3))
    ]
    signs = rng.integers(0, 2, n_rows) * 2 - 1
    context = decimal.Context(prec=38)
    values = [
        context.scaleb(decimal.Decimal(unit * int(sign)), -dtype.arrow.scale)
        for unit, sign in zip(units, signs, strict=True)
    ]
    return pa.array(values, dtype.arrow)


def _temporals(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    width = pa.int32() if dtype.width == 4 else pa.int64()
    day = 86_400_000
    if dtype.kind is Kind.TIME:
        values = rng.integers(0, 86_400, n_rows)
    elif dtype.arrow == pa.date64():
        values = rng.integers(-30, 31, n_rows) * day
    else:
        values = rng.integers(-(10**6), 10**6, n_rows) if wide else rng.integers(-30, 31, n_rows)
    return pa.array(values).cast(width).view(dtype.arrow)


def _texts(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    chosen = [_WORDS[place] for place in rng.integers(0, len(_WORDS), n_rows)]
    if wide:
        chosen = [word + str(number) for word, number in zip(chosen, rng.integers(0, 10**6, n_rows), strict=True)]
    values = [word.encode() for word in chosen] if dtype.kind is Kind.BINARY else chosen
    return pa.array(values, dtype.arrow)


def _categories(dtype: DType, n_rows: int, rng: np.random.Generator, wide: bool) -> pa.Array:
    codes = rng.integers(0, len(_WORDS), n_rows).astype(np.int32)
    ordered = bool(dtype.arrow.ordered) if pa.types.is_dictionary(dtype.arrow) else False
    return pa.DictionaryArray.from_arrays(codes, pa.array(_WORDS, pa.string()), ordered=ordered)


_Maker = Callable[[DType, int, np.random.Generator, bool], pa.Array]
_MAKERS: dict[Kind, _Maker] = {
    Kind.BOOL: _bools, Kind.INT: _integers, Kind.UINT: _integers, Kind.FLOAT: _floats, Kind.DECIMAL: _decimals,
    Kind.DATE: _temporals, Kind.TIMESTAMP: _temporals, Kind.DURATION: _temporals, Kind.TIME: _temporals,
    Kind.STRING: _texts, Kind.BINARY: _texts, Kind.CATEGORY: _categories,
}  # fmt: skip
