"""The aggregations and window functions of `GroupBy`, one short method each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastframe.frame.group_quantiles import described, quantiles


class GroupAggregations:
    """One row per group; missing values are skipped unless ``skipna=False``."""

    def _aggregate_all(self, function: str, options: Mapping[str, Any], *, numeric_only: bool = False) -> Any:
        raise AssertionError("GroupBy runs the aggregation")

    def _aggregated_names(self, *, numeric_only: bool) -> list[str]:
        raise AssertionError("GroupBy knows its columns")

    def sum(self, *, numeric_only: bool = False, min_count: int = 0, skipna: bool = True) -> Any:
        """Sum; integers exactly in 64 bits, else IntegerOverflow."""
        return self._aggregate_all("sum", {"min_count": min_count, "skipna": skipna}, numeric_only=numeric_only)

    def prod(self, *, numeric_only: bool = False, min_count: int = 0) -> Any:
        """Product."""
        return self._aggregate_all("prod", {"min_count": min_count}, numeric_only=numeric_only)

    def mean(self, *, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Arithmetic mean."""
        return self._aggregate_all("mean", {"skipna": skipna}, numeric_only=numeric_only)

    def min(self, *, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Smallest value."""
        return self._aggregate_all("min", {"skipna": skipna}, numeric_only=numeric_only)

    def max(self, *, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Largest value."""
        return self._aggregate_all("max", {"skipna": skipna}, numeric_only=numeric_only)

    def count(self) -> Any:
        """Values that are not missing."""
        return self._aggregate_all("count", {})

    def first(self, *, skipna: bool = True) -> Any:
        """First value in row order."""
        return self._aggregate_all("first", {"skipna": skipna})

    def last(self, *, skipna: bool = True) -> Any:
        """Last value in row order."""
        return self._aggregate_all("last", {"skipna": skipna})

    def median(self, *, numeric_only: bool = False) -> Any:
        """Middle value, or the mean of the two middle ones."""
        return self._aggregate_all("median", {}, numeric_only=numeric_only)

    def quantile(self, q: float | Sequence[float] = 0.5, interpolation: str = "linear", *, numeric_only: bool = False) -> Any:
        """The value below which a share ``q`` of the group's values lies; for several ``q`` a row for each, under one more label.

        Several are found together, for little more than one.

        >>> import fastframe as ff
        >>> ff.DataFrame({"k": [1, 1, 2], "v": [1.0, 3.0, 5.0]}).groupby("k")["v"].quantile([0.0, 0.5]).tolist()
        [1.0, 2.0, 5.0, 5.0]
        """
        if not isinstance(q, Sequence | np.ndarray):
            return self._aggregate_all("quantile", {"q": q, "interpolation": interpolation}, numeric_only=numeric_only)
        return quantiles(self, self._aggregated_names(numeric_only=numeric_only), q, interpolation)  # type: ignore[arg-type]

    def describe(self, percentiles: Sequence[float] | None = None) -> Any:
        """Count, mean, standard deviation, extremes and quartiles (or ``percentiles``) of each group's numeric columns.

        The columns are named ``column_count`` and so on, of one chosen column ``count`` and so on.

        >>> import fastframe as ff
        >>> ff.DataFrame({"k": [1, 1, 2], "v": [1.0, 3.0, 5.0]}).groupby("k")["v"].describe()["50%"].tolist()
        [2.0, 5.0]
        """
        return described(self, percentiles)  # type: ignore[arg-type]

    def var(self, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        """Variance with ``n - ddof`` in the denominator."""
        return self._aggregate_all("var", {"ddof": ddof}, numeric_only=numeric_only)

    def std(self, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        """Standard deviation with ``n - ddof`` in the denominator."""
        return self._aggregate_all("std", {"ddof": ddof}, numeric_only=numeric_only)

    def sem(self, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        """Standard error of the mean."""
        return self._aggregate_all("sem", {"ddof": ddof}, numeric_only=numeric_only)

    def nunique(self, *, dropna: bool = True) -> Any:
        """Different values."""
        return self._aggregate_all("nunique", {"dropna": dropna})

    def idxmin(self, *, skipna: bool = True) -> Any:
        """Label of the first smallest value."""
        return self._aggregate_all("idxmin", {"skipna": skipna})

    def idxmax(self, *, skipna: bool = True) -> Any:
        """Label of the first largest value."""
        return self._aggregate_all("idxmax", {"skipna": skipna})

    def any(self) -> Any:
        """Whether any value is true."""
        return self._aggregate_all("any", {})

    def all(self) -> Any:
        """Whether all values are true."""
        return self._aggregate_all("all", {})


class GroupWindows:
    """One value per row, from its group's rows in row order, under the frame's own labels."""

    def _window(self, function: str, options: Mapping[str, Any]) -> Any:
        raise AssertionError("GroupBy runs the function")

    def cumsum(self) -> Any:
        """Running sum; missing stays missing and the sum goes on."""
        return self._window("cumsum", {})

    def cumprod(self) -> Any:
        """Running product."""
        return self._window("cumprod", {})

    def cummin(self) -> Any:
        """Running minimum."""
        return self._window("cummin", {})

    def cummax(self) -> Any:
        """Running maximum."""
        return self._window("cummax", {})

    def shift(self, periods: int = 1, *, fill_value: Any = None) -> Any:
        """Values moved down by ``periods`` rows within the group."""
        return self._window("shift", {"periods": periods, "fill_value": fill_value})

    def diff(self, periods: int = 1) -> Any:
        """Difference from the value ``periods`` rows before in the group."""
        return self._window("diff", {"periods": periods})

    def pct_change(self, periods: int = 1) -> Any:
        """Relative change from the value ``periods`` rows before in the group."""
        return self._window("pct_change", {"periods": periods})

    def ffill(self, limit: int | None = None) -> Any:
        """Missing values replaced by the group's last value before them."""
        return self._window("ffill", {"limit": limit})

    def bfill(self, limit: int | None = None) -> Any:
        """Missing values replaced by the group's next value after them."""
        return self._window("bfill", {"limit": limit})

    def rank(self, method: str = "average", *, ascending: bool = True, na_option: str = "keep", pct: bool = False) -> Any:
        """Rank within the group, from 1; parameters as in `Series.rank`."""
        options = {"method": method, "ascending": ascending, "na_option": na_option, "pct": pct}
        return self._window("rank", options)
