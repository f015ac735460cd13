"""What the engines that walk have in common: keys that compare as values do, memory by cache lines, slices of trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe.predict.forest import Forest

Array = np.ndarray[Any, Any]

_LINE = 64               # bytes
_SLICE_NODES = 1 << 16   # packed in a millisecond or two


def keys_of(values: Array) -> Array:
    """Unsigned integers in the order of floats; -0.0 and 0.0 are one (`key_of` in ``forest_keys.hpp``)."""
    signed = (values + values.dtype.type(0)).view(np.int32 if values.dtype == np.float32 else np.int64)
    unsigned = np.dtype(f"u{signed.itemsize}")
    top = unsigned.type(1 << (8 * signed.itemsize - 1))
    return signed.view(unsigned) ^ ((signed >> (8 * signed.itemsize - 1)).view(unsigned) | top)


def aligned(n_bytes: int) -> Array:
    """Zeros from a cache line's start on."""
    memory = np.zeros(n_bytes + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + n_bytes]


def slice_trees(forest: Forest) -> int:
    """Trees whose nodes one slice packs: few slices for small forests, for which waking threads costs more than packing."""
    return max(1, _SLICE_NODES * forest.n_trees // max(1, len(forest.feature)))
