"""Keys of two tables to codes of one space: `shared_codes`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels.codes import KeyParts
from fastframe._kernels.memory import address_of
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import Physical, is_arrow_text
from fastframe.engines.cpu.groups import NO_CODE, filled
from fastframe.engines.cpu.key_hash import ProbeTable, codes_of_rows, number_words
from fastframe.engines.cpu.key_parts import KeyPart, code_part, fixed_view, kernel_parts, n_codes, pack, packed_hashes, parts_of, reduce_to_word
from fastframe.engines.cpu.keys_text import in_codes
from fastframe.engines.cpu.plan import MOST_DIRECT
from fastframe.engines.cpu.text_index import TextIndex
from fastframe.errors import DTypeError
from fastframe.records import record

JOIN_CODES = 1 << 22   # so many are always addressed directly: joins keep little per code
_NARROW = {Physical.I8, Physical.I16, Physical.I32, Physical.U8, Physical.U16, Physical.U32, Physical.F32, Physical.BOOL}
_OPERATION = "key codes"


class KeyPair(NamedTuple):
    """One digit of both sides' keys; the build side decides which codes there are."""

    probe: KeyPart
    build: KeyPart


@record(frozen=True, eq=False)
class Codes:
    """The key codes of one side's rows: in memory, or made by kernels block by block from the key columns.

    Attributes
    ----------
    n_rows : int
    array : numpy.ndarray of uint32, or None
        0xFFFFFFFF: the row has no partner.
    parts : sequence of KeyPart
        What the codes are made of where there is no array.
    """

    n_rows: int
    array: np.ndarray | None
    parts: Sequence[KeyPart] = ()

    @cached_property
    def source(self) -> tuple[int, int, int, bool, bool]:
        """What kernels take (see ``join.pyx``); valid as long as this object lives."""
        if self.array is not None:
            return address_of(self.array), 0, 0, False, True
        digits = self._digits
        return 0, digits.address, digits.n_parts, self._wide, digits.may_drop

    @cached_property
    def _digits(self) -> KeyParts:
        return kernel_parts(self.parts)

    @property
    def _wide(self) -> bool:
        """Checked values of 64 bits, and steps, cannot be told apart by their lower halves."""
        return any(part.check and (part.step > 1 or part.physical not in _NARROW) for part in self.parts)

    def head(self, n_rows: int) -> np.ndarray:
        """The codes of the first rows."""
        n_rows = min(n_rows, self.n_rows)
        if self.array is not None:
            return self.array[:n_rows]
        codes = allocate_array(n_rows, np.uint32, _OPERATION)
        pack(self.parts, n_rows, wide=self._wide, codes=codes)
        return codes

    def held(self) -> Codes:
        """These codes in memory."""
        return self if self.array is not None else Codes(self.n_rows, self.head(self.n_rows))


class SharedCodes(NamedTuple):
    """The codes of both sides' keys in one space: equal codes are equal keys.

    Build codes are below ``n_codes``, or 0xFFFFFFFF where a row has no key. A probe code is below ``n_codes`` too, or
    0xFFFFFFFF where the build side certainly has no such key; other codes may still have no row there.
    """

    probe: Codes
    build: Codes
    n_codes: int


def shared_codes(probe: Sequence[Column], build: Sequence[Column]) -> SharedCodes:
    """Codes of two tables' keys; missing keys equal each other. The build side decides which codes there are.

    Raises
    ------
    DTypeError
        Where the dtypes of a pair differ (cast to the common dtype before), or have no codes.
    """
    n_probe, n_build = len(probe[0]), len(build[0])
    if n_build == 0:
        return SharedCodes(Codes(n_probe, filled(n_probe, np.uint32, 0xFF)), Codes(0, np.empty(0, np.uint32)), 0)
    pairs = [pair for one, other in zip(probe, build, strict=True) for pair in _pairs(one, other)]
    size = n_codes(pair.build for pair in pairs)
    if size <= min(MOST_DIRECT, max(JOIN_CODES, 8 * n_build)):
        sides = Codes(n_probe, None, [pair.probe for pair in pairs]), Codes(n_build, None, [pair.build for pair in pairs])
        return SharedCodes(*sides, size)

    def dense(run_of_pairs: list[KeyPair]) -> KeyPair:
        probe_codes, build_codes, n_distinct = _hashed(run_of_pairs, n_probe, n_build)
        return KeyPair(code_part(probe_codes, n_distinct), code_part(build_codes, n_distinct))

    reduced = reduce_to_word(pairs, lambda some: n_codes(pair.build for pair in some), dense)
    probe_codes, build_codes, size = _hashed(reduced, n_probe, n_build)
    return SharedCodes(Codes(n_probe, probe_codes), Codes(n_build, build_codes), size)


def _hashed(pairs: Sequence[KeyPair], n_probe: int, n_build: int) -> tuple[np.ndarray, np.ndarray, int]:
    hashes = packed_hashes([pair.build for pair in pairs], n_build)
    numbered = number_words(hashes)
    build_codes, _ = codes_of_rows(hashes, numbered, first=False)
    probe_codes = ProbeTable(numbered).codes([pair.probe for pair in pairs], n_probe)
    return probe_codes, build_codes, numbered.n_codes


def _pairs(probe: Column, build: Column) -> list[KeyPair]:
    if probe.dtype != build.dtype:
        raise DTypeError.of_pair("join", probe.dtype, build.dtype)
    if probe.dtype.is_text or probe.is_encoded:
        return [_text_pair(in_codes(probe, short=True), in_codes(build, short=True))]
    view, keep = fixed_view(probe)
    pairs = []
    for part in parts_of(build, ordered=False):
        seen = part.but(view=view, missing=True, drop=not part.missing, check=True, keep=keep)
        pairs.append(KeyPair(seen, part))
    return pairs


def _text_pair(probe: Column, build: Column) -> KeyPair:
    """Texts that repeat, and categories, go by their codes, others by the first row of the build side that has them."""
    index: TextIndex | None = None
    if build.is_encoded:
        (part,) = parts_of(build, ordered=False)
        among, missing = part.keep[0].dictionary, part.n_values if part.missing else NO_CODE   # of `build`, or what is used of it
    else:
        among, index = build.array, TextIndex(build.array)
        part, missing = code_part(index.first_rows, len(build)), index.missing
    if not probe.is_encoded:
        index = TextIndex(among) if index is None else index
        return KeyPair(code_part(index.find(probe.array, missing), part.n_codes), part)
    (seen,) = parts_of(probe, ordered=False)
    values = seen.keep[0].dictionary
    places = _places(values, among) if index is None else index.find(values)
    lut = np.append(places, np.uint32(missing))
    return KeyPair(seen.but(missing=True, drop=missing == NO_CODE, check=True, lut=lut, radix=part.n_codes), part)


def _places(values: pa.Array, among: pa.Array) -> np.ndarray:
    """Per value its place in ``among`` (both unique and free of nulls), 0xFFFFFFFF where it is not there."""
    if values.equals(among):
        return np.arange(len(values), dtype=np.uint32)
    if is_arrow_text(values.type):
        return TextIndex(among).find(values)
    import pyarrow.compute as pc

    found = pc.index_in(values, value_set=among.cast(values.type))
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32).view(np.uint32)
