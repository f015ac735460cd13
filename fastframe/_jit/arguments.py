"""What compiled functions take and give: dtypes of columns, run-time values, dtypes of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba.core import types as numba_types
from numba.np import numpy_support

from fastframe._jit.function import UserFunction
from fastframe.dtypes import DType, Kind, dtype
from fastframe.errors import JITError

types: Any = numba_types


@dataclass(frozen=True)
class Codes:
    """A dictionary-encoded column: ``f`` gets int32 codes and, behind all columns and masks, the array that they point into.

    ``values`` is the NumPy dtype of that array: numbers as they are, text as `lookup_array` makes it.
    """

    values: np.dtype[Any]


class Result(NamedTuple):
    """A result of a function: ``name`` of a named one, its dtype, whether it may be null, and how its values are stored."""

    name: str | None
    dtype: DType
    nullable: bool
    storage: np.dtype[Any]


_KINDS = {Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT, Kind.DATE, Kind.TIMESTAMP, Kind.DURATION}


def storage(column: DType | Codes) -> np.dtype[Any]:
    """How a column's values have to lie in memory: bools as bytes, dates as datetime64 (64 bits), codes as int32."""
    if isinstance(column, Codes):
        return np.dtype(np.int32)
    if column.kind not in _KINDS or column.numpy is None or column.numpy == np.float16:
        raise _unsupported("the compiled function", column)
    return column.numpy


def _unsupported(name: str, column: DType) -> JITError:
    if column.kind in (Kind.STRING, Kind.BINARY):
        change = "convert it to category, which arrives as codes and an array of the categories"
    elif column.kind is Kind.DECIMAL:
        change = "convert it to float64 or int64"
    else:
        change = "leave the column away or convert it"
    return JITError.no_column_type(name, "the column", column, change)


def column_type(column: DType | Codes, rows: bool, function: UserFunction) -> Any:
    """numba's type of a column's argument: a read-only array, or a scalar."""
    try:
        numpy: Any = storage(column)
    except JITError:
        assert isinstance(column, DType)
        raise _unsupported(function.name, column) from None
    one = numpy_support.from_dtype(numpy)
    return one if rows else types.Array(one, 1, "C", readonly=True)


def lookup_array(values: Sequence[str] | np.ndarray) -> np.ndarray:
    """Text as compiled code can index and compare it: fixed-width code points, of few different widths."""
    array = np.asarray(values)
    if array.dtype.kind not in "UO":
        return np.ascontiguousarray(array)
    array = array.astype("U")
    width = max(1, array.dtype.itemsize // 4)
    return np.ascontiguousarray(array.astype(f"U{max(4, 1 << (width - 1).bit_length())}"))   # each width is another type


def lookup_of(dictionary: pa.Array, name: str) -> np.ndarray:
    """The values that a column's codes stand for, as the compiled function ``name`` can read them.

    Raises
    ------
    JITError
        numba has no arrays of such values.
    """
    values = dictionary.to_numpy(zero_copy_only=False)
    text = pa.types.is_string(dictionary.type) or pa.types.is_large_string(dictionary.type) or pa.types.is_string_view(dictionary.type)
    if not text and values.dtype.kind not in "biufmM":
        raise JITError.no_column_type(name, "the column", dictionary.type, "convert it to text or numbers")
    return lookup_array(values)


def extra_type(function: UserFunction, name: str, value: Any) -> Any:
    """numba's type of a run-time value: a scalar or a C-contiguous array."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufMmU":
        return types.Array(numpy_support.from_dtype(value.dtype), value.ndim, "C", readonly=True)
    kind: Any = getattr(value, "dtype", None) if isinstance(value, np.generic) else None
    if kind is not None and kind.kind in "iufMm":
        return numpy_support.from_dtype(kind)
    if isinstance(value, bool | np.bool_):
        return types.boolean
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return types.int64 if value < 2**63 else types.uint64
    if isinstance(value, float):
        return types.float64
    raise JITError.no_value_type(function.name, name, value)


def extra_words(kind: Any, value: Any) -> list[int]:
    """A run-time value as words of the context; an array has to be C-contiguous and outlive the call."""
    if isinstance(kind, types.Array):
        return [value.ctypes.data, *value.shape]
    bits = np.zeros(8, np.uint8)
    scalar = np.asarray(value, dtype=numpy_support.as_dtype(kind)).reshape(1)
    bits[: scalar.itemsize] = scalar.view(np.uint8)
    return [int(bits.view(np.int64)[0])]


def results_of(function: UserFunction, returned: Any, names: tuple[str, ...] | None) -> tuple[tuple[Result, ...], bool]:
    """The results that a returned type stands for, and whether they are one vector.

    Raises
    ------
    JITError
        Values of that type cannot be stored.
    """
    returned = types.unliteral(returned)
    if isinstance(returned, types.Array):
        if returned.ndim != 1:
            raise _no_result(function, f"an array of {returned.ndim} dimensions", "return a vector, of one dimension")
        kind = types.unliteral(returned.dtype)
        return (Result(None, _stored(function, kind, "a vector"), _has_nat(kind), _storage(kind)),), True
    if isinstance(returned, types.BaseTuple):
        named = names or getattr(returned, "fields", None) or (None,) * len(returned)
        if not len(returned):
            raise _no_result(function, "an empty tuple", "return at least one value")
        return tuple(_scalar(function, one, name) for one, name in zip(returned, named, strict=True)), False
    return (_scalar(function, returned, None),), False


def _scalar(function: UserFunction, kind: Any, name: str | None) -> Result:
    kind = types.unliteral(kind)
    nullable = isinstance(kind, types.Optional)
    if nullable:
        kind = types.unliteral(kind.type)
        if isinstance(kind, types.Array):
            raise _no_result(function, "a vector in some cases and None in others", "return a vector in all")
    what = "a value" if name is None else f"in {name!r} a value"
    return Result(name, _stored(function, kind, what), nullable or _has_nat(kind), _storage(kind))


def _has_nat(kind: Any) -> bool:
    return isinstance(kind, types.NPDatetime | types.NPTimedelta)


def _stored(function: UserFunction, kind: Any, what: str) -> DType:
    if isinstance(kind, types.Boolean | types.Integer) or (isinstance(kind, types.Float) and kind.bitwidth >= 32):
        return dtype(numpy_support.as_dtype(kind))
    if isinstance(kind, types.NPDatetime | types.NPTimedelta):
        units = ("D", "s", "ms", "us", "ns") if isinstance(kind, types.NPDatetime) else ("s", "ms", "us", "ns")
        if kind.unit in units:
            return dtype(numpy_support.as_dtype(kind))
        raise _no_result(function, f"{what} of type {kind}", f"convert it to one of the units {', '.join(units)}")
    if kind == types.none:
        raise _no_result(function, "None", "return a value in at least one branch (None beside a number is null)")
    if isinstance(kind, types.UnicodeType | types.UnicodeCharSeq | types.Bytes):
        raise _no_result(function, "text", "return the code of a category column, and look it up in its .cat.categories afterwards")
    if isinstance(kind, types.List | types.ListType | types.Set):
        raise _no_result(function, "a list or a set", "return np.array(...) of it")
    if isinstance(kind, types.DictType | types.LiteralStrKeyDict):
        raise _no_result(function, "a dict whose keys are not constant", 'return {"name": value, ...} itself, with the same names everywhere')
    if isinstance(kind, types.BaseTuple | types.Array):
        raise _no_result(function, "a tuple that holds arrays or tuples", "return a tuple of numbers, or one vector")
    raise _no_result(function, f"{what} of numba's type {kind}", "return a number, a bool, a datetime64 or timedelta64, or a vector of these")


def _no_result(function: UserFunction, returns: str, change: str) -> JITError:
    return JITError.because(function.name, function.line(), f"it returns {returns}", change)


def _storage(kind: Any) -> np.dtype[Any]:
    if isinstance(kind, types.NPDatetime) and kind.unit == "D":
        return np.dtype(np.int32)   # Arrow's days
    if _has_nat(kind):
        return np.dtype(np.int64)
    return numpy_support.as_dtype(kind)


def declared(function: UserFunction, found: tuple[Result, ...], out: Any) -> tuple[Result, ...]:
    """The results as ``out=`` wants them, where that loses nothing.

    Parameters
    ----------
    out : dtype, or mapping of names to dtypes
        None leaves all as they are.
    """
    if out is None:
        return found
    wanted: dict[str | None, DType] = {name: dtype(one) for name, one in out.items()} if isinstance(out, Mapping) else {None: dtype(out)}
    if set(wanted) != {one.name for one in found} or len(wanted) != len(found):
        raise JITError.out_names(function.name, [name or str(one) for name, one in wanted.items()], [one.name for one in found if one.name])
    return tuple(_declared(function, one, wanted[one.name]) for one in found)


def _declared(function: UserFunction, one: Result, wanted: DType) -> Result:
    if wanted == one.dtype:
        return one
    if not _lossless(one.dtype, wanted):
        raise JITError.lossy_out(function.name, f" in {one.name!r}" if one.name else "", one.dtype, wanted)
    assert wanted.numpy is not None
    return Result(one.name, wanted, one.nullable, wanted.numpy)


def _lossless(found: DType, wanted: DType) -> bool:
    if found.numpy is None or wanted.numpy is None or wanted.kind not in (Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT) or found.is_temporal:
        return False
    if wanted.kind is Kind.FLOAT and found.is_integer and found.width * 8 > np.finfo(wanted.numpy).nmant:
        return False
    return bool(wanted.numpy != np.float16 and np.can_cast(found.numpy, wanted.numpy, "safe"))


def stored_type(result: Result) -> Any:
    """numba's type of a stored value."""
    if result.storage == np.int32 and result.dtype.kind is Kind.DATE:
        return types.int32
    if result.dtype.numpy is not None and result.dtype.numpy.kind in "mM":
        return numpy_support.from_dtype(result.dtype.numpy)
    return numpy_support.from_dtype(result.storage)


