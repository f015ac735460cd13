"""The root of the tree, kernels' statuses, and what several messages need: lists of names, close names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, Self

_MOST_SHOWN = 4000   # characters of a message: names and values may be as long as users like


class KernelStatus(IntEnum):
    """What a kernel returns; keep in step with ``_threads/drive.hpp``."""

    OK = 0
    CANCELLED = 1
    OVERFLOW = 2
    OUT_OF_MEMORY = 3
    OUT_OF_BOUNDS = 4
    INEXACT = 5
    ZERO_DIVISION = 6
    TOO_LONG = 7


class FastFrameError(Exception):
    """The root of all errors that fastframe raises on purpose."""

    def __str__(self) -> str:  # KeyError would show its message quoted
        text = str(self.args[0]) if self.args else ""
        return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN // 2]} ... {text[-_MOST_SHOWN // 2 :]}"

    def renamed(self, internal: str, shown: str | None) -> Self:
        """The same error about a column that users call ``shown`` (None: it has no name)."""
        text, column = str(self), f"column {internal!r}"
        if shown is not None:
            changed = text.replace(column, f"column {shown!r}")
        else:
            changed = text.replace(f" of {column}", "").replace(f"casting {column}", "casting values")
        error = type(self)(changed)
        error.__dict__.update(self.__dict__)
        return error


def listed(names: Iterable[Any], most: int = 10) -> str:
    """Names for a message: quoted, comma separated, cut after ``most``."""
    shown = [repr(name) for name in names]
    rest = len(shown) - most
    return ", ".join(shown[:most]) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str) -> str:
    """A number and its noun for a message: ``1 row``, ``2 rows``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def suggestion(name: Any, available: Sequence[Any]) -> str:
    """`` Did you mean 'x'?`` for close names, else an empty string."""
    import difflib  # costs a dozen milliseconds, and most programs never misspell a name

    texts = [str(one) for one in available]
    close = difflib.get_close_matches(str(name), texts, n=3, cutoff=0.6)
    lowered = [one for one in texts if one.lower() == str(name).lower() and one not in close]
    found = (lowered + close)[:3]
    return f" Did you mean {' or '.join(repr(one) for one in found)}?" if found else ""
