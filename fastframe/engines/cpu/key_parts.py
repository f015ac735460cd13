"""Key columns as digits of one word.

A `KeyPart` numbers the values of a column (or of some bits of it) from 0 on in key order; a missing value comes last.
Several parts are the digits of a mixed-radix word, so that equal words are equal keys, and words of ordered parts are
in key order. Words stay below 2**64 - 1 (`MOST_CODES`), which is left for "no key".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import codes as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, ColumnView, encoded_column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import DType, Kind, Physical
from fastframe.engines.cpu.facts import Range, value_range, value_step
from fastframe.engines.cpu.keys_text import encode_text, ranks
from fastframe.errors import DTypeError
from fastframe.records import record

MOST_CODES = 2**64 - 1
_WORD = 2**64
_HALF = 2**32
_SPARSE = 2   # a range so many times wider than the rows: then a step of times, such as a day, is worth looking for


@record(frozen=True, eq=False)
class KeyPart:
    """One digit: how codes 0 to ``n_values - 1`` (missing: ``n_values``) are made from a column's view."""

    view: ColumnView
    physical: Physical
    n_values: int
    missing: bool                    # some value may be missing
    base: int = 0                    # the word of the smallest value (128 bits for decimals)
    step: int = 1                    # code n stands for the value base + n * step
    piece: int = kernels.WHOLE       # which bits of the values (``codes.hpp::Field``)
    lut: np.ndarray | None = None    # other codes for the codes (uint32, n_values + 1 of them)
    drop: bool = False               # a row with a missing value has no key
    check: bool = False              # values may be outside of the codes; such a row has no key
    radix: int = 0                   # how many codes there are after ``lut``, where not as many as before
    label: str = ""                  # for plans
    dtype: DType | None = None       # of the column, where there is one
    keep: Any = field(default=None, repr=False)

    @property
    def n_codes(self) -> int:
        return self.radix or self.n_values + (self.missing and not self.drop)

    def but(self, **fields: Any) -> KeyPart:
        """The digit with other values of some fields, as `dataclasses.replace` makes it in four times the time."""
        other = object.__new__(KeyPart)
        other.__dict__.update(self.__dict__, **fields)
        return other


def parts_of(column: Column, *, ordered: bool) -> list[KeyPart]:
    """The digits of a key column, high first.

    Text is encoded; its digits are in bytewise order only where ``ordered``. Categories are in category order.

    Raises
    ------
    DTypeError
        For dtypes that cannot be keys: nested ones, float16, fixed-size binary and the like.
    """
    if column.dtype.is_text or column.is_encoded:
        return [_encoded_part(_fitting(encode_text(column)), ordered)]
    if column.dtype.kind is Kind.NULL:
        view, keep = fixed_view(column)
        return [KeyPart(view, Physical.BOOL, 0, len(column) > 0, label="null", keep=keep)]
    if column.physical is None:
        allowed = "fixed-width values, text and categories"
        raise DTypeError.of_operation("grouping or joining by a key", column.dtype, allowed=allowed)
    return _fixed_parts(column, column.physical, value_range(column))


def fixed_view(column: Column) -> tuple[ColumnView, Any]:
    """A view of a column that is not text, and what owns it. A column of dtype null is bools that are all missing."""
    if column.dtype.kind is not Kind.NULL:
        return column.view, column
    bits = np.zeros(len(column) // 8 + 1, np.uint8)
    return ColumnView(address_of(bits), address_of(bits), 0, len(column)), bits


def _encoded_part(column: Column, ordered: bool) -> KeyPart:
    n_values = len(column.dictionary)
    order = ranks(column) if ordered and column.is_encoded_text else None
    lut = None if order is None else np.append(order, n_values).astype(np.uint32)
    label = f"{n_values} codes"
    missing = column.null_count > 0
    return KeyPart(column.view, Physical.I32, n_values, missing, lut=lut, label=label, dtype=column.dtype, keep=(column, lut))


def _fitting(column: Column) -> Column:
    """The column without most of a dictionary that is much larger than the column (a slice of a large one)."""
    if len(column.dictionary) <= max(1024, 2 * len(column)):
        return column
    codes = column.codes
    used, places = np.unique(codes.fill_null(0).to_numpy(zero_copy_only=False), return_inverse=True)
    found = pa.array(places.astype(np.int32), mask=codes.is_null().to_numpy(zero_copy_only=False))
    return encoded_column(found, column.dictionary.take(pa.array(used)), column.dtype, ordered=column.dtype.ordered)


def _fixed_parts(column: Column, physical: Physical, facts: Range) -> list[KeyPart]:
    missing = facts.n_missing > 0
    whole = KeyPart(column.view, physical, 0, missing, label=str(column.dtype), dtype=column.dtype, keep=column)
    if facts.min is None or facts.max is None:
        return [whole]
    low, high = _word(physical, facts.min), _word(physical, facts.max)
    n_values = high - low + 1
    if column.dtype.is_temporal and physical is Physical.I64 and n_values > _SPARSE * len(column):
        step = value_step(column)
        whole, n_values = whole.but(step=step), (high - low) // step + 1
    if n_values + missing <= MOST_CODES:
        return [whole.but(n_values=n_values, base=low, label=_range_label(column, n_values, whole.step))]
    halves = [whole.but(n_values=_HALF, piece=kernels.UPPER), whole.but(n_values=_HALF, piece=kernels.LOWER)]
    if physical is not Physical.I128:
        return halves
    top = whole.but(n_values=(high >> 64) - (low >> 64) + 1, base=low >> 64, piece=kernels.HIGH64)
    return [top, *halves]


def _range_label(column: Column, n_values: int, step: int) -> str:
    return f"{column.dtype} range {n_values}" + (f" in steps of {step}" if step > 1 else "")


def _word(physical: Physical, value: int | float) -> int:
    """A value as an integer in the same order, as ``codes.hpp::Digit`` makes it (before wrapping to 64 bits)."""
    if physical not in (Physical.F32, Physical.F64):
        return int(value)
    bits = 32 if physical is Physical.F32 else 64
    word = int.from_bytes(struct.pack("<f" if bits == 32 else "<d", value + 0.0), "little")
    return word ^ (2**bits - 1) if word >> (bits - 1) else word | 1 << (bits - 1)


def code_part(codes: np.ndarray, n_codes: int) -> KeyPart:
    """A digit from dense codes; rows whose code has all bits set have no key."""
    view = ColumnView(address_of(codes), 0, 0, len(codes))
    physical = {1: Physical.U8, 2: Physical.U16, 4: Physical.U32}[codes.dtype.itemsize]
    return KeyPart(view, physical, n_codes, missing=False, check=True, label=f"{n_codes} codes", keep=codes)


def n_codes(parts: Iterable[KeyPart]) -> int:
    """How many words there may be."""
    return math.prod(part.n_codes for part in parts)


def shifted(parts: Sequence[KeyPart]) -> list[KeyPart]:
    """Parts of which each takes whole bits of the word, where 63 are enough: digits then come out by shifts."""
    wider = [part.but(radix=1 << (part.n_codes - 1).bit_length()) for part in parts]
    return wider if n_codes(wider) <= 1 << 63 else list(parts)


def fitting_groups(parts: Sequence[KeyPart]) -> list[list[KeyPart]]:
    """The parts cut, in order, into runs whose words fit 64 bits."""
    groups: list[list[KeyPart]] = [[]]
    for part in parts:
        if groups[-1] and n_codes([*groups[-1], part]) > MOST_CODES:
            groups.append([])
        groups[-1].append(part)
    return groups


def reduce_to_word(
    parts: Sequence[Any], size: Callable[[Sequence[Any]], int], dense: Callable[[list[Any]], Any]
) -> list[Any]:
    """Parts whose words fit 64 bits: as long as they do not, those in front are replaced by dense codes of them.

    ``size(parts)`` is their number of words, ``dense(parts)`` makes one part of at most 2**31 codes of them.
    """
    kept: list[Any] = []
    for part in parts:
        if kept and size([*kept, part]) > MOST_CODES:
            kept = [dense(kept)]
            if size([*kept, part]) > MOST_CODES:
                part = dense([part])
        kept.append(part)
    return kept


def strides(parts: Sequence[KeyPart]) -> list[int]:
    """The weight of each digit."""
    return [n_codes(parts[place + 1:]) for place in range(len(parts))]


def kernel_parts(parts: Sequence[KeyPart]) -> kernels.KeyParts:
    """The digits as kernels want them."""
    return kernels.KeyParts([_as_kernel_part(part, stride) for part, stride in zip(parts, strides(parts), strict=True)])


def pack(
    parts: Sequence[KeyPart], n_rows: int, *, wide: bool, rows: np.ndarray | None = None, partitions: tuple[int, int] = (1, SLICE_ROWS),
    **out: np.ndarray,
) -> None:  # fmt: skip
    """Write the words of all rows (or of ``rows``) to the arrays of ``out``: codes, words, hashes, present, counts.

    ``wide`` is needed where words or the checked values of one part do not fit 32 bits; ``partitions`` are the bits of a
    hash that ``counts`` counts, and the rows of a slice.
    """
    bits, slice_rows = partitions
    task = kernels.pack(
        kernel_parts(parts),
        wide or any(part.check for part in parts),
        rows=0 if rows is None else address_of(rows),
        code_bytes=out["codes"].dtype.itemsize if "codes" in out else 4,
        n_present=len(out["present"]) if "present" in out else 0,
        bits=bits,
        keep=(rows, out),
        **{name: address_of(array) for name, array in out.items()},
    )
    run(task, n_rows, slice_rows, operation="key packing")


def _as_kernel_part(part: KeyPart, stride: int) -> dict[str, Any]:
    is_decimal = part.physical is Physical.I128 and part.piece == kernels.WHOLE
    return {
        "view": part.view,
        "physical": int(part.physical),
        "field": part.piece,
        "base": part.base % _WORD,
        "base_high": (part.base >> 64) % _WORD if is_decimal else 0,
        "n_values": part.n_values,
        "stride": stride % _WORD,
        "lut": 0 if part.lut is None else address_of(part.lut),
        "may_miss": part.missing,
        "drop_missing": part.missing and part.drop,
        "check": part.check,
        "step": part.step,
        "keep": (part.keep, part.lut),
    }


def packed_words(parts: Sequence[KeyPart], rows: np.ndarray) -> np.ndarray:
    """The words of some rows."""
    words = allocate_array(len(rows), np.uint64, "key packing")
    pack(parts, len(rows), wide=True, rows=rows, words=words)
    return words


def packed_hashes(parts: Sequence[KeyPart], n_rows: int) -> np.ndarray:
    """The mixed words of all rows."""
    hashes = allocate_array(n_rows, np.uint64, "key packing")
    pack(parts, n_rows, wide=True, hashes=hashes)
    return hashes
