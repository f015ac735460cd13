"""Errors of rolling, expanding and exponentially weighted windows."""

from __future__ import annotations

from typing import Any

from fastframe.errors.base import FastFrameError, counted


class WindowError(FastFrameError, ValueError):
    """A window cannot be laid over the rows."""

    @classmethod
    def not_a_window(cls, given: Any) -> WindowError:
        return cls(f"rolling was given window={given!r}. Give a number of rows of at least 1, or a span of time such as '7D', '30s' or timedelta(hours=1).")

    @classmethod
    def too_few_rows(cls, method: str, min_periods: Any, window: int | None) -> WindowError:
        most = f"an int from 0 to the window's {counted(window, 'row')}" if window is not None else "an int of at least 0"
        return cls(f"{method} was given min_periods={min_periods!r}. It must be {most}.")

    @classmethod
    def needs_times(cls, what: str, dtype: Any) -> WindowError:
        return cls(f"a window of time needs times, but {what} is of dtype {dtype}. Pass on='column' of dates, timestamps or durations, or a number of rows.")

    @classmethod
    def missing_times(cls, what: str, n_missing: int) -> WindowError:
        return cls(
            f"{what} has {counted(n_missing, 'missing value')}, and a window of time needs the time of every row. "
            "Drop those rows first: df.dropna(subset=[...])."
        )

    @classmethod
    def not_in_order(cls, what: str, row: int, *, grouped: bool) -> WindowError:
        where = " within its group" if grouped else ""
        return cls(f"{what} is not in order: row {row} is out of order{where}. Windows of time need rows sorted by time: use df.sort_values(...) first.")

    @classmethod
    def of_decay(cls, given: dict[str, Any]) -> WindowError:
        shown = ", ".join(f"{name}={value!r}" for name, value in given.items()) or "none of them"
        return cls(f"ewm was given {shown}. Give exactly one of com (at least 0), span (at least 1), halflife (above 0) and alpha (above 0, at most 1).")

    @classmethod
    def of_times(cls, given: dict[str, Any]) -> WindowError:
        shown = ", ".join(f"{name}={value!r}" for name, value in given.items()) or "nothing else"
        return cls(f"ewm was given times and {shown}. With times, give halflife alone, as a span of time such as '7D' or timedelta(hours=1).")
