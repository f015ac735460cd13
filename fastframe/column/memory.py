"""Allocation of output buffers, and the error where there is no memory."""

from __future__ import annotations

import pyarrow as pa

from fastframe._kernels.memory import Block
from fastframe.errors import OutOfMemory


def allocate(n_bytes: int, operation: str) -> Block:
    """Uninitialised memory of ``n_bytes``; `OutOfMemory` naming ``operation`` where there is none."""
    try:
        return Block(n_bytes)
    except MemoryError:
        raise OutOfMemory.of(operation, n_bytes) from None


def allocate_bits(n_bits: int, operation: str) -> Block:
    """Memory for a bitmap of ``n_bits``."""
    return allocate((n_bits + 7) // 8, operation)


def as_buffer(block: Block) -> pa.Buffer:
    """The block as an Arrow buffer that keeps it alive."""
    return pa.py_buffer(block)
