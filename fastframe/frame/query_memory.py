"""Texts of ``query`` and ``eval`` that were read before: their expressions are kept, which know how they were typed.

A text means something else where a name in it is another column or label level, or a local variable. So names are looked
up again each time, and texts with ``@name`` are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from fastframe.frame.expression import Expr

MOST_TEXTS, MOST_CHARACTERS = 128, 2000   # so that what is kept stays below a few megabytes

Statement = tuple[str | None, Expr]              # what it assigns, if anything
Lookup = Callable[[str, Sequence[str]], Expr]    # of a name, where some names were assigned before


class Meaning(NamedTuple):
    """What a name of a text stood for, where ``made`` were assigned before."""

    name: str
    made: tuple[str, ...]
    found: Expr


class Remembered:
    """What is known of one text. What it was read as is set as a whole, so threads need no lock."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: tuple[Sequence[Meaning], Sequence[Statement]] | None = None

    def statements(self, lookup: Lookup) -> Sequence[Statement] | None:
        """What the text was read as, if all of its names still mean the same.

        Raises
        ------
        ColumnNotFound
            One means nothing here, as reading the text would raise.
        """
        if self._known is None:
            return None
        meanings, statements = self._known
        return statements if all(lookup(name, made)._tree == found._tree for name, made, found in meanings) else None

    def keep(self, meanings: Sequence[Meaning], statements: Sequence[Statement]) -> None:
        """Keep what the text was read as now."""
        self._known = (meanings, statements)


@lru_cache(maxsize=MOST_TEXTS)
def remembered(text: str, *, several: bool) -> Remembered:
    """The place for what is known of a text, read as one or as several lines."""
    return Remembered()
