"""``ewm(...)`` of frames, series and groups: functions of all rows so far, with weights that fall exponentially."""

from __future__ import annotations

from typing import Any, Self

from fastframe.errors import MissingAttribute, UnsupportedOperation
from fastframe.frame.arguments import explained
from fastframe.frame.window_source import WindowSource
from fastframe.ops.decay import DECAYS, Decay, DecayCall

_WITH_TIMES = "With times, only mean is defined: weights of the others follow rows."


@explained
class ExponentialWindows:
    """All rows up to each row, weighted; made by ``ewm(...)``. Missing values have no weight."""

    def __init__(self, source: WindowSource, decay: Decay) -> None:
        self._source, self._decay = source, decay

    def __getitem__(self, names: Any) -> Self:
        """The same windows over one column (by name) or some (by list)."""
        return type(self)(self._source.chosen(names), self._decay)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._source.names:
            return self[name]
        raise MissingAttribute.of("ExponentialWindows", name, [*DECAYS, "agg"])

    def _call(self, function: Any, options: dict[str, Any]) -> DecayCall:
        call = DecayCall(function, options)
        if self._decay.half_life is not None and call.name != "mean":
            raise UnsupportedOperation.of_method("ewm(times=...)", call.name, _WITH_TIMES)
        if call.name == "sum" and not self._decay.adjust:
            raise UnsupportedOperation.of_method("ewm(adjust=False)", "sum", "Leave adjust=False out: sums are not divided by weights.")
        return call

    def _run(self, function: Any, *, numeric_only: bool = False, **options: Any) -> Any:
        outputs = self._source.outputs(function, options, self._call, numeric_only=numeric_only)
        return self._source.run(outputs, self._decay, series=self._source.one and isinstance(function, str))

    def _paired(self, function: str, other: Any, **options: Any) -> Any:
        source, outputs = self._source.paired(function, other, options, self._call)
        return source.run(outputs, self._decay, series=source.one)

    def agg(self, func: Any, **options: Any) -> Any:
        """Functions by name: a name, a list of names, or a dict of column to either; as `Rolling.agg`."""
        return self._run(func, **options)

    aggregate = agg

    def mean(self, *, numeric_only: bool = False) -> Any:
        """Weighted means.

        >>> import fastframe as ff
        >>> ff.Series([1.0, 2.0, 4.0]).ewm(com=1).mean().round(3).tolist()
        [1.0, 1.667, 3.0]
        """
        return self._run("mean", numeric_only=numeric_only)

    def sum(self, *, numeric_only: bool = False) -> Any:
        """Weighted sums."""
        return self._run("sum", numeric_only=numeric_only)

    def var(self, bias: bool = False, *, numeric_only: bool = False) -> Any:
        """Weighted variances, corrected for the number of values unless ``bias``."""
        return self._run("var", bias=bias, numeric_only=numeric_only)

    def std(self, bias: bool = False, *, numeric_only: bool = False) -> Any:
        """Weighted standard deviations."""
        return self._run("std", bias=bias, numeric_only=numeric_only)

    def cov(self, other: Any = None, bias: bool = False) -> Any:
        """Weighted covariances with ``other`` (a series, a column's name, or a frame of the same columns), of rows where both have values."""
        return self._paired("cov", other, bias=bias)

    def corr(self, other: Any = None) -> Any:
        """Weighted correlations with ``other``, as in `cov`; missing where one of the two does not vary."""
        return self._paired("corr", other)
