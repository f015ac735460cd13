"""Damaged copies of a file: cut short, and with bytes changed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def damaged(content: bytes, seed: int = 0, n_flips: int = 40) -> Iterator[tuple[str, bytes]]:
    """``(what was done, bytes)``: nothing left, cut at several lengths, single bytes changed all over."""
    for share in (0.0, 0.1, 0.5, 0.9, 0.99):
        yield f"cut to {share:.0%}", content[: int(len(content) * share)]
    generator = np.random.default_rng(seed)
    for position in generator.integers(0, len(content), n_flips):
        changed = bytearray(content)
        changed[position] ^= int(generator.integers(1, 256))
        yield f"byte {position} changed", bytes(changed)
    yield "other bytes", b"this is no such file" * 10
