"""Aggregations of an expression: one value for all rows, or in ``groupby(...).agg`` for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastframe.frame.expression import Expr


class ExpressionAggregations:
    """The aggregations by name; missing values are skipped unless ``skipna=False``."""

    __slots__ = ()

    def _aggregate(self, function: str, **options: Any) -> Expr:
        raise AssertionError("an expression makes its tree")

    def sum(self, *, skipna: bool = True, min_count: int = 0) -> Expr:
        """Sum of all rows, or of each group; integers exactly in 64 bits."""
        return self._aggregate("sum", skipna=skipna, min_count=min_count)

    def prod(self, *, skipna: bool = True, min_count: int = 0) -> Expr:
        """Product."""
        return self._aggregate("prod", skipna=skipna, min_count=min_count)

    def mean(self, *, skipna: bool = True) -> Expr:
        """Arithmetic mean."""
        return self._aggregate("mean", skipna=skipna)

    def median(self, *, skipna: bool = True) -> Expr:
        """Middle value, or the mean of the two middle ones."""
        return self._aggregate("median", skipna=skipna)

    def min(self, *, skipna: bool = True) -> Expr:
        """Smallest value."""
        return self._aggregate("min", skipna=skipna)

    def max(self, *, skipna: bool = True) -> Expr:
        """Largest value."""
        return self._aggregate("max", skipna=skipna)

    def var(self, *, ddof: int = 1, skipna: bool = True) -> Expr:
        """Variance with ``n - ddof`` in the denominator."""
        return self._aggregate("var", ddof=ddof, skipna=skipna)

    def std(self, *, ddof: int = 1, skipna: bool = True) -> Expr:
        """Standard deviation with ``n - ddof`` in the denominator."""
        return self._aggregate("std", ddof=ddof, skipna=skipna)

    def sem(self, *, ddof: int = 1, skipna: bool = True) -> Expr:
        """Standard error of the mean."""
        return self._aggregate("sem", ddof=ddof, skipna=skipna)

    def count(self) -> Expr:
        """Number of values that are not missing."""
        return self._aggregate("count")

    def nunique(self, *, dropna: bool = True) -> Expr:
        """Number of different values."""
        return self._aggregate("nunique", dropna=dropna)

    def quantile(self, q: float = 0.5, interpolation: str = "linear") -> Expr:
        """The value below which a share ``q`` of the values lies."""
        return self._aggregate("quantile", q=q, interpolation=interpolation)

    def first(self, *, skipna: bool = True) -> Expr:
        """The first value in row order that is not missing."""
        return self._aggregate("first", skipna=skipna)

    def last(self, *, skipna: bool = True) -> Expr:
        """The last value in row order that is not missing."""
        return self._aggregate("last", skipna=skipna)

    def any(self, *, skipna: bool = True) -> Expr:
        """Whether any value is true."""
        return self._aggregate("any", skipna=skipna)

    def all(self, *, skipna: bool = True) -> Expr:
        """Whether all values are true."""
        return self._aggregate("all", skipna=skipna)
