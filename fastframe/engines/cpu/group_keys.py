"""The key columns of a result by group: written from the groups' packed words, or taken at each group's first row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import groups as kernels
from fastframe._threads import run
from fastframe.column.column import Column, array_from_buffers, column_from_buffers, encoded_column
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import Kind, Physical
from fastframe.engines.cpu.groups import FEW_GROUPS, Digit, Groups, GroupWords
from fastframe.engines.cpu.key_direct import Found
from fastframe.engines.cpu.key_parts import KeyPart, strides
from fastframe.engines.cpu.take import take

_OPERATION = "keys of groups"
_BITS = {Physical.BOOL: 1, Physical.I8: 8, Physical.U8: 8, Physical.I16: 16, Physical.U16: 16, Physical.I32: 32, Physical.U32: 32}


def key_columns(keys: Sequence[Column], groups: Groups) -> list[Column]:
    """The value of each key in each group; of few groups it is kept with them."""
    if groups.n_groups > FEW_GROUPS or groups.words is None or None in groups.words.digits:
        return _key_columns(keys, groups)
    kept: list[Column] | None = groups.found.get("keys")
    return kept if kept is not None else groups.found.setdefault("keys", _key_columns(keys, groups))


def _key_columns(keys: Sequence[Column], groups: Groups) -> list[Column]:
    if groups.words is None:
        return [take(key, groups.first_rows, missing=False) for key in keys]
    outs = [None if digit is None else _Out(digit, groups.n_groups) for digit in groups.words.digits]
    written = [out.as_kernel_digit() for out in outs if out is not None]
    if written:
        words = groups.words.words
        run(kernels.decode(words.ctypes.data, kernels.Digits(written), keep=(words, outs)), len(words), operation=_OPERATION)
    return [
        take(key, groups.first_rows, missing=False) if out is None else out.column()
        for key, out in zip(keys, outs, strict=True)
    ]


class _Out:
    """Memory for the values of one key."""

    def __init__(self, digit: Digit, n_groups: int) -> None:
        self.digit, self.n_groups = digit, n_groups
        self.values = allocate(-(-n_groups * _BITS.get(digit.physical, 64) // 8), _OPERATION)
        self.validity = allocate_bits(n_groups, _OPERATION) if digit.missing else None

    def as_kernel_digit(self) -> dict[str, Any]:
        digit = self.digit
        return {
            "stride": digit.stride,
            "radix": digit.radix,
            "stride_shift": _log2(digit.stride),
            "radix_bits": _log2(digit.radix),
            "base": digit.base % 2**64,
            "step": digit.step,
            "n_values": digit.n_values,
            "lut": 0 if digit.lut is None else digit.lut.ctypes.data,
            "values": self.values.address,
            "validity": 0 if self.validity is None else self.validity.address,
            "physical": int(digit.physical),
        }

    def column(self) -> Column:
        digit = self.digit
        if digit.dictionary is None:
            return column_from_buffers(digit.dtype, self.n_groups, self.values, self.validity)
        codes = array_from_buffers(pa.int32(), self.n_groups, self.values, self.validity)
        return encoded_column(codes, digit.dictionary, digit.dtype, ordered=digit.dtype.ordered)


def words_of_groups(found: Found, parts_by_key: Sequence[Sequence[KeyPart]], *, ascending: bool) -> GroupWords:
    """What a plan found, and where the values of each key column are in it.

    A key of several digits, and one whose equal values differ in their bits (0.0 and -0.0), is not written from words.
    """
    parts = [part for parts in parts_by_key for part in parts]
    places = iter(zip(parts, strides(parts), strict=True))
    digits: list[Digit | None] = []
    for of_key in parts_by_key:
        (part, stride), *more = [next(places) for _ in of_key]
        digits.append(None if more else _digit(part, stride, first=not digits))
    return GroupWords(found.words, digits, ascending)


def _digit(part: KeyPart, stride: int, *, first: bool) -> Digit | None:
    if part.dtype is None or part.physical in (Physical.F32, Physical.F64, Physical.I128) or part.dtype.kind is Kind.NULL:
        return None
    lut = None
    if part.lut is not None:
        lut = np.empty_like(part.lut)
        lut[part.lut] = np.arange(len(part.lut), dtype=np.uint32)
    dictionary = part.keep[0].dictionary if isinstance(part.keep, tuple) else None
    radix = 0 if first else part.n_codes
    missing = part.missing and not part.drop
    return Digit(part.dtype, part.physical, part.base, part.step, part.n_values, missing, stride, radix, lut, dictionary)


def _log2(value: int) -> int:
    """-1 where it is no power of two."""
    return value.bit_length() - 1 if value > 0 and value & (value - 1) == 0 else -1
