"""Allocation of output buffers, and the error where there is no memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels.memory import Block, blocks, clear, set_limit
from fastframe.errors import OutOfMemory
from fastframe.options import watch

watch("pool_bytes", set_limit)

STREAMED_BYTES = 8 << 20   # bytes of a result that no cache keeps until it is read
_LARGE = 8 << 20           # bytes from which an allocation first makes pyarrow return what it holds unused (some microseconds)
_under_pressure: list[Callable[[], object]] = []


def allocate(n_bytes: int, operation: str) -> Block:
    """Uninitialised memory of ``n_bytes``; `OutOfMemory` naming ``operation`` where there is none.

    Before it gives up it asks the caches of `on_pressure` to let go and tries once more.
    """
    if n_bytes >= _LARGE:
        release_arrow_memory()
    try:
        return Block(n_bytes)
    except MemoryError:
        pass   # the caches are asked outside the handler: its traceback would keep what they drop
    relieve()
    try:
        return Block(n_bytes)
    except MemoryError:
        raise OutOfMemory.of(operation, n_bytes) from None


def allocate_all(sizes: list[int], operation: str) -> list[Block]:
    """`allocate` of several numbers of bytes."""
    if sum(sizes) < _LARGE:
        try:
            return blocks(sizes)
        except MemoryError:
            pass   # one by one, with the caches asked
    return [allocate(n_bytes, operation) for n_bytes in sizes]


def is_streamed(n_bytes: int) -> bool:
    """Whether kernels write a result of so many bytes past the caches (`_kernels/streaming.hpp`)."""
    return n_bytes > STREAMED_BYTES


def on_pressure(drop: Callable[[], object]) -> None:
    """Call ``drop`` where an allocation has failed, before it is tried again: for caches that can be computed anew.

    ``drop`` may be called on any thread, at any allocation; what it returns is ignored. It is kept for good.
    """
    _under_pressure.append(drop)


def relieve() -> None:
    """Let all caches of `on_pressure` go, and what pyarrow and the pool of blocks hold unused."""
    for drop in _under_pressure:
        drop()
    release_arrow_memory()
    clear()


class naming:
    """A `MemoryError` of any step inside, ours, NumPy's or Arrow's, becomes an `OutOfMemory` that names ``operation``.

    A context manager; written out, because every operation enters one and `contextlib.contextmanager` takes ten times as long.
    """

    __slots__ = ("operation",)

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, MemoryError):
            raise OutOfMemory.within(self.operation, error) from None


def allocate_bits(n_bits: int, operation: str) -> Block:
    """Memory for a bitmap of ``n_bits``."""
    return allocate((n_bits + 7) // 8, operation)


def allocate_array(length: int, dtype: Any, operation: str) -> np.ndarray[Any, Any]:
    """An uninitialised, contiguous NumPy array of ``length`` values over a block."""
    dtype = np.dtype(dtype)
    return np.frombuffer(allocate(length * dtype.itemsize, operation), dtype=dtype)  # type: ignore[call-overload]


def as_buffer(block: Block) -> pa.Buffer:
    """The block as an Arrow buffer that keeps it alive."""
    return pa.py_buffer(block)


def release_arrow_memory() -> None:
    """Give freed memory of pyarrow's pool back to the system; pyarrow alone would keep it."""
    pa.default_memory_pool().release_unused()
