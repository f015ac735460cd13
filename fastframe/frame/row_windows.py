"""What ``rolling(...)`` and ``expanding(...)`` give: functions of the windows of rows around each row."""

from __future__ import annotations

from typing import Any, Self

from fastframe.errors import MissingAttribute
from fastframe.frame.arguments import explained
from fastframe.frame.function_calls import is_own
from fastframe.frame.unsupported import ROLLING_HINTS
from fastframe.frame.window_functions import applied
from fastframe.frame.window_source import WindowSource
from fastframe.ops.rolling import ROLLINGS, RollingCall, Span


class RowWindows:
    """Functions of windows of rows. Missing values are skipped; a window of too few values has no result (null)."""

    def __init__(self, source: WindowSource, span: Span) -> None:
        self._source, self._span = source, span

    def __getitem__(self, names: Any) -> Self:
        """The same windows over one column (by name) or some (by list)."""
        return type(self)(self._source.chosen(names), self._span)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._source.names:
            return self[name]
        if name in ROLLING_HINTS:
            raise MissingAttribute.unsupported(type(self).__name__, name, ROLLING_HINTS[name])
        raise MissingAttribute.of(type(self).__name__, name, [*ROLLINGS, "agg", "apply"])

    def _run(self, function: Any, *, numeric_only: bool = False, **options: Any) -> Any:
        outputs = self._source.outputs(function, options, RollingCall, numeric_only=numeric_only)
        return self._source.run(outputs, self._span, series=self._source.one and isinstance(function, str))

    def _paired(self, function: str, other: Any, **options: Any) -> Any:
        source, outputs = self._source.paired(function, other, options, RollingCall)
        return source.run(outputs, self._span, series=source.one)

    def agg(self, func: Any, **options: Any) -> Any:
        """Functions by name; one of your own as `apply`.

        Parameters
        ----------
        func : str, list of str, dict of column to str or list, or callable
            A list, or a list in a dict, names its results ``column_function`` (of one chosen column: ``function``).
        **options
            Of the function, such as ``ddof=0``.

        Examples
        --------
        >>> import fastframe as ff
        >>> ff.DataFrame({"v": [1, 2, 4]}).rolling(2).agg({"v": ["sum", "max"]}).to_dict("list")
        {'v_sum': [None, 3, 6], 'v_max': [None, 2, 4]}
        """
        return self.apply(func, **options) if is_own(func) else self._run(func, **options)

    aggregate = agg

    def apply(self, func: Any, *args: Any, **options: Any) -> Any:
        """What a function of yours returns for the values of each window; it is compiled, and runs on all cores.

        Where a window has fewer values than ``min_periods``, or none, it is not called, and the result is null.

        Parameters
        ----------
        func : callable
            It gets the window's values as a NumPy array, and returns one value, or a tuple or dict of several (result columns).
            One of a single column is called for each column; one of several gets the columns that its parameters are called as.
        *args
            More arguments, after the columns.
        **options
            ``nulls="skip"`` (the default: only rows where all its columns have a value), ``"mask"`` (all rows, and a bool array
            per column behind them) or ``"nan"`` (as pandas; float columns); ``out=`` its dtype, which is checked;
            ``engine="python"`` (threads) or ``"python-processes"`` where it cannot be compiled. Of pandas' options ``raw=True``,
            ``args=``, ``kwargs=`` and ``engine_kwargs=`` are taken as they are meant. All others are passed on.

        Raises
        ------
        JITError
            It cannot be compiled; says why, and what to do.
        FunctionError
            It raised; names the label of the window's row, and its group's key. Nothing is changed.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": ["a", "b", "a"], "x": [1.0, 2.0, 3.0], "w": [1, 2, 3]})
        >>> df["w"].rolling(2).apply(lambda w: w[-1] - w[0]).tolist()
        [None, 1, 1]
        >>> df.expanding().apply(lambda x, w: (x * w).sum() / w.sum()).round(2).tolist()
        [1.0, 1.67, 2.33]
        >>> df.groupby("k")["x"].rolling(2, min_periods=1).apply(lambda x: x.max() - x.min()).tolist()
        [0.0, 2.0, 0.0]
        """
        return applied(self._source, self._span, func, (args, options))

    def sum(self, *, numeric_only: bool = False) -> Any:
        """Sums; integers exactly in 64 bits, else IntegerOverflow; floats compensated, so that nothing is left of values that left.

        >>> import fastframe as ff
        >>> ff.Series([1, 2, None, 4]).rolling(2, min_periods=1).sum().tolist()
        [1, 3, 2, 4]
        """
        return self._run("sum", numeric_only=numeric_only)

    def mean(self, *, numeric_only: bool = False) -> Any:
        """Arithmetic means.

        >>> import fastframe as ff
        >>> ff.Series([1, 2, 6]).rolling(2).mean().tolist()
        [None, 1.5, 4.0]
        """
        return self._run("mean", numeric_only=numeric_only)

    def min(self, *, numeric_only: bool = False) -> Any:
        """Least values, in the column's dtype."""
        return self._run("min", numeric_only=numeric_only)

    def max(self, *, numeric_only: bool = False) -> Any:
        """Greatest values, in the column's dtype."""
        return self._run("max", numeric_only=numeric_only)

    def count(self, *, numeric_only: bool = False) -> Any:
        """Values that are not missing, where the window has ``min_periods`` rows, missing or not."""
        return self._run("count", numeric_only=numeric_only)

    def var(self, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        """Variances with ``n - ddof`` in the denominator; exactly 0 of equal values."""
        return self._run("var", ddof=ddof, numeric_only=numeric_only)

    def std(self, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        """Standard deviations with ``n - ddof`` in the denominator."""
        return self._run("std", ddof=ddof, numeric_only=numeric_only)

    def sem(self, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        """Standard errors of the mean: `std` by the root of the number of values.

        >>> import fastframe as ff
        >>> ff.Series([1.0, 3.0, 1.0, 9.0]).rolling(4).sem().round(3).tolist()
        [None, None, None, 1.893]
        """
        return self._run("sem", ddof=ddof, numeric_only=numeric_only)

    def skew(self, *, numeric_only: bool = False) -> Any:
        """Skewness of at least 3 values, corrected for their number; null where they do not vary.

        >>> import fastframe as ff
        >>> ff.Series([1.0, 2.0, 4.0, 5.0]).rolling(3).skew().round(3).tolist()
        [None, None, 0.935, -0.935]
        """
        return self._run("skew", numeric_only=numeric_only)

    def kurt(self, *, numeric_only: bool = False) -> Any:
        """Excess kurtosis of at least 4 values, corrected for their number; null where they do not vary.

        >>> import fastframe as ff
        >>> ff.Series([1, 2, 3, 4, 9]).rolling(4).kurt().round(3).tolist()
        [None, None, None, -1.2, 2.704]
        """
        return self._run("kurt", numeric_only=numeric_only)

    def median(self, *, numeric_only: bool = False) -> Any:
        """Middle values, or means of the two middle ones."""
        return self._run("median", numeric_only=numeric_only)

    def quantile(self, q: float, interpolation: str = "linear", *, numeric_only: bool = False) -> Any:
        """Values below which a share ``q`` of the window's values lies.

        Parameters
        ----------
        interpolation : {"linear", "lower", "higher", "nearest", "midpoint"}
            What a place between two values gives.
        """
        return self._run("quantile", q=q, interpolation=interpolation, numeric_only=numeric_only)

    def cov(self, other: Any = None, ddof: int = 1) -> Any:
        """Covariances with ``other`` (a series, a column's name, or a frame of the same columns), of rows where both have values."""
        return self._paired("cov", other, ddof=ddof)

    def corr(self, other: Any = None) -> Any:
        """Pearson's correlations with ``other``, as in `cov`; missing where one of the two does not vary.

        >>> import fastframe as ff
        >>> ff.Series([1, 2, 3, 3]).rolling(2).corr(ff.Series([1, 3, 2, 1])).tolist()
        [None, 1.0, -1.0, None]
        """
        return self._paired("corr", other)


@explained
class Rolling(RowWindows):
    """Windows of a number of rows, or of a span of time; made by ``rolling(...)``."""


@explained
class Expanding(RowWindows):
    """Windows from the first row (of the group) on; made by ``expanding(...)``."""
