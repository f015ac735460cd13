"""A compiled kernel's context, word by word, and what is known of a compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numba.core import types as numba_types

types: Any = numba_types
RAISED, WRONG_LENGTH = 1, 2   # what a failing run did
FAILURE_BITS = 3              # a failure is (run << FAILURE_BITS) | what it did


class GlueError(Exception):
    """This version of numba is not built as this module expects it."""


@dataclass(frozen=True)
class Compiled:
    """What a compilation gives: ``entry`` is the kernel's address as long as ``owner`` lives."""

    entry: int
    symbol: str
    owner: Any
    returned: Any                         # numba's type of what f returns
    names: tuple[str, ...] | None         # of a dict's constant keys
    shortcuts: bool                       # whether `shortcuts.py` could take part
    together: bool = False                # whether it calls the function for sixteen neighbouring windows at once


@dataclass(frozen=True)
class Layout:
    """Which word of the context is what.

    Runs: 0 begins, 1 ends, 2 bytes of one of them, 3 bounds of parts, 4 order of parts or 0, 5 the failure cell.
    Rows: 0 presence bytes or 0, 5 the failure cell. Then one word per column, per mask; per extra argument its
    scalar, or an array's address and lengths; per result the addresses of its values and of its validity bytes.
    """

    columns: tuple[Any, ...]      # numba types: arrays (runs) or scalars (rows)
    masks: bool
    extras: tuple[Any, ...]
    rows: bool

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What ``f`` takes, in order."""
        mask = types.boolean if self.rows else types.Array(types.boolean, 1, "C", readonly=True)
        return (*self.columns, *([mask] * len(self.columns) if self.masks else []), *self.extras)

    @property
    def n_vectors(self) -> int:
        return len(self.columns) * (2 if self.masks else 1)

    @cached_property
    def extra_words(self) -> tuple[int, ...]:
        """The first word of each extra argument."""
        words, at = [], 6 + self.n_vectors
        for one in self.extras:
            words.append(at)
            at += 1 + one.ndim if isinstance(one, types.Array) else 1
        return (*words, at)

    @property
    def first_output(self) -> int:
        return self.extra_words[-1]
