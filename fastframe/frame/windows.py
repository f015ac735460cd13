"""Functions of a row's neighbours over all rows: shift, diff, cumulative, rank, fills."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

from fastframe.column import Table
from fastframe.frame.core import Frame
from fastframe.frame.rolling import HasWindows
from fastframe.frame.run import Question, is_kept
from fastframe.ops.groups import Output, Window
from fastframe.ops.windows import WindowCall


@lru_cache(maxsize=256)
def _question(function: str, names: tuple[tuple[str, str | None], ...], options: tuple[tuple[str, type, Any], ...]) -> Question:
    """A function of each column (its name, and what messages call it)."""
    given = {option: value for option, _, value in options}
    return Question(Window((), tuple([Output(name, name, WindowCall(function, {**given, "name": shown})) for name, shown in names])))


class Windows(HasWindows, Frame):
    """The same functions for frames (of every column) and series."""

    def _window(self, function: str, **options: Any) -> Self:
        names = tuple([(name, self.name if self._is_series else name) for name in self._values])   # type: ignore[attr-defined]
        plain = all(value is None or is_kept(value) for value in options.values())
        make = _question if plain else _question.__wrapped__
        found = make(function, names, tuple([(option, type(value), value) for option, value in options.items()])).of(self._table)
        return self._with_table(Table.joined(self._labels, found.columns, found.n_rows))

    def shift(self, periods: int = 1, *, fill_value: Any = None) -> Self:
        """Values moved down by ``periods`` rows (up where negative); the rows left open are missing or ``fill_value``.

        >>> import fastframe as ff
        >>> ff.Series([1, 2, 3]).shift().tolist()
        [None, 1, 2]
        """
        return self._window("shift", periods=periods, fill_value=fill_value)

    def diff(self, periods: int = 1) -> Self:
        """Difference from the value ``periods`` rows before; integers stay integers, timestamps give durations."""
        return self._window("diff", periods=periods)

    def pct_change(self, periods: int = 1) -> Self:
        """Relative change from the value ``periods`` rows before."""
        return self._window("pct_change", periods=periods)

    def cumsum(self) -> Self:
        """Running sum; a missing value stays missing and the sum goes on.

        Raises
        ------
        IntegerOverflow
        """
        return self._window("cumsum")

    def cumprod(self) -> Self:
        """Running product."""
        return self._window("cumprod")

    def cummin(self) -> Self:
        """Running minimum."""
        return self._window("cummin")

    def cummax(self) -> Self:
        """Running maximum."""
        return self._window("cummax")

    def ffill(self, limit: int | None = None) -> Self:
        """Missing values replaced by the last value before them, at most ``limit`` in a row."""
        return self._window("ffill", limit=limit)

    def bfill(self, limit: int | None = None) -> Self:
        """Missing values replaced by the next value after them, at most ``limit`` in a row."""
        return self._window("bfill", limit=limit)

    def rank(self, method: str = "average", *, ascending: bool = True, na_option: str = "keep", pct: bool = False) -> Self:
        """Rank of each value, from 1.

        Parameters
        ----------
        method : {"average", "min", "max", "first", "dense"}
            What equal values get.
        na_option : {"keep", "top", "bottom"}
            Whether missing values stay missing, or rank first or last.
        pct : bool
            Ranks divided by the number of ranked values.
        """
        return self._window("rank", method=method, ascending=ascending, na_option=na_option, pct=pct)


class SeriesWindows(Windows):
    """Of one column."""


class FrameWindows(Windows):
    """Of every column."""
