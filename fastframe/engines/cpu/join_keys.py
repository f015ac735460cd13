"""Keys of two tables to codes of one space: `join_codes`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.groups import NO_CODE, filled
from fastframe.engines.cpu.key_hash import ProbeTable, codes_of_rows, number_words
from fastframe.engines.cpu.key_parts import KeyPart, code_part, fixed_view, n_codes, pack, packed_hashes, parts_of, reduce_to_word
from fastframe.engines.cpu.keys_text import encode_rows, encode_text
from fastframe.engines.cpu.plan import MOST_DIRECT
from fastframe.errors import DTypeError

JOIN_CODES = 1 << 22   # so many are always addressed directly: joins keep little per code
_OPERATION = "key codes"



class KeyPair(NamedTuple):
    """One digit of both sides of a join; the right side decides which codes there are."""

    left: KeyPart
    right: KeyPart


def join_codes(left: Sequence[Column], right: Sequence[Column]) -> tuple[np.ndarray, np.ndarray, int]:
    """Codes of both sides' keys such that equal codes are equal keys; missing keys equal each other.

    Returns
    -------
    left_codes, right_codes : numpy.ndarray
        uint32, one per row. Right codes are all below ``n_codes``. A left code is below ``n_codes`` too, or 0xFFFFFFFF
        where the right side certainly has no such key; other codes may still have no row on the right.
    n_codes : int
        The size of the code space.

    Raises
    ------
    DTypeError
        Where the dtypes of a pair differ (cast to the common dtype before), or have no codes.
    """
    n_left, n_right = len(left[0]), len(right[0])
    if n_right == 0:
        return filled(n_left, np.uint32, 0xFF), np.empty(0, np.uint32), 0
    pairs = [pair for one, other in zip(left, right, strict=True) for pair in _pairs(one, other)]
    size = n_codes(pair.right for pair in pairs)
    if size <= min(MOST_DIRECT, max(JOIN_CODES, 8 * n_right)):
        left_codes, right_codes = (allocate_array(length, np.uint32, _OPERATION) for length in (n_left, n_right))
        pack([pair.left for pair in pairs], n_left, wide=True, codes=left_codes)
        pack([pair.right for pair in pairs], n_right, wide=False, codes=right_codes)
        return left_codes, right_codes, size

    def dense(run_of_pairs: list[KeyPair]) -> KeyPair:
        left_codes, right_codes, n_distinct = _join_hashed(run_of_pairs, n_left, n_right)
        return KeyPair(code_part(left_codes, n_distinct), code_part(right_codes, n_distinct))

    reduced = reduce_to_word(pairs, lambda some: n_codes(pair.right for pair in some), dense)
    return _join_hashed(reduced, n_left, n_right)


def _join_hashed(pairs: Sequence[KeyPair], n_left: int, n_right: int) -> tuple[np.ndarray, np.ndarray, int]:
    hashes = packed_hashes([pair.right for pair in pairs], n_right)
    numbered = number_words(hashes)
    right_codes, _ = codes_of_rows(hashes, numbered)
    table = ProbeTable(numbered)
    left_codes = table.codes(packed_hashes([pair.left for pair in pairs], n_left))
    return left_codes, right_codes, numbered.n_codes


def _pairs(left: Column, right: Column) -> list[KeyPair]:
    if left.dtype != right.dtype:
        raise DTypeError.of_pair("join", left.dtype, right.dtype)
    if left.dtype.is_text or left.is_encoded:
        return [_encoded_pair(encode_text(left), encode_text(right))]
    view, keep = fixed_view(left)
    pairs = []
    for part in parts_of(right, ordered=False):
        seen = replace(part, view=view, missing=True, drop=not part.missing, check=True, keep=keep)
        pairs.append(KeyPair(seen, part))
    return pairs


def _encoded_pair(left: Column, right: Column) -> KeyPair:
    (part,) = parts_of(right, ordered=False)
    right_values = part.keep[0].dictionary   # that of `right`, or what is used of it
    (seen,) = parts_of(left, ordered=False)
    codes = _codes_of_values(seen.keep[0].dictionary, right_values)
    lut = np.append(codes, np.uint32(part.n_values if part.missing else NO_CODE))
    return KeyPair(replace(seen, missing=True, drop=not part.missing, check=True, lut=lut, radix=part.n_codes), part)


def _codes_of_values(values: pa.Array, among: pa.Array) -> np.ndarray:
    """Per value its place in ``among`` (both unique and free of nulls), 0xFFFFFFFF where it is not there."""
    if values.equals(among):
        return np.arange(len(values), dtype=np.uint32)
    is_text = pa.types.is_string(values.type) or pa.types.is_binary(values.type)
    if not is_text or values.nbytes + among.nbytes >= MOST_DIRECT:
        import pyarrow.compute as pc

        found = pc.index_in(values, value_set=among.cast(values.type))
        return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32).view(np.uint32)
    both = pa.concat_arrays([among.cast(values.type), values])
    codes = np.empty(len(both), np.uint32)
    encode_rows(both, codes)
    found = codes[len(among):]
    return np.where(found < len(among), found, np.uint32(NO_CODE))
