"""Exponentially weighted windows: how weights fall, and one row of a table per function of the weighted values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastframe.dtypes import DType
from fastframe.errors import ArgumentError
from fastframe.ops.calls import NamedCall
from fastframe.ops.rolling import RollingFunction, of_numbers, paired
from fastframe.records import record


@record(frozen=True)
class Decay:
    """How the weights of earlier rows fall: by ``1 - alpha`` from row to row, or to half in each half-life of time.

    Attributes
    ----------
    alpha : float
        Above 0, at most 1; 0.5 where weights fall with time.
    half_life : int, optional
        In nanoseconds, of the column ``on``.
    min_periods : int
        Values that a result needs.
    adjust : bool
        Whether weights are divided by their sum; else each mean is ``alpha`` of the value and the rest of the mean before.
    ignore_na : bool
        Whether rows of missing values do not count when weights fall.
    """

    alpha: float
    half_life: int | None = None
    on: str | None = None
    min_periods: int = 0
    adjust: bool = True
    ignore_na: bool = False


_BIAS = {"bias": False}

DECAYS: Mapping[str, RollingFunction] = MappingProxyType(
    {
        one.name: one
        for one in (
            RollingFunction("mean", of_numbers, "The weighted mean."),
            RollingFunction("sum", of_numbers, "The weighted sum."),
            RollingFunction("var", of_numbers, "The weighted variance; without `bias` corrected for the number of values.", _BIAS),
            RollingFunction("std", of_numbers, "The weighted standard deviation.", _BIAS),
            RollingFunction("cov", paired, "The weighted covariance with the other column, of rows where both have a value.", _BIAS, needs_other=True),
            RollingFunction("corr", paired, "The weighted correlation; null where one column does not vary.", needs_other=True),
        )
    }
)


class DecayCall(NamedCall):
    """An exponentially weighted function and its options.

    Examples
    --------
    >>> from fastframe.ops.decay import DecayCall
    >>> DecayCall("var")["bias"]
    False
    """

    table, what = DECAYS, "an exponentially weighted window"

    def check(self, option: str, value: Any) -> None:
        if option == "bias" and not isinstance(value, bool):
            raise ArgumentError.of(self.name, option, value, [True, False])

    @property
    def function(self) -> RollingFunction:
        return DECAYS[self.name]

    def resolve(self, given: DType | None, column: str | None = None) -> DType:
        """The dtype of the result over a column of dtype ``given``.

        Raises
        ------
        DTypeError
        """
        if given is None:
            raise ArgumentError.because(self.name, "it needs a column", "Name one, for example ewm(com=1)['x'].")
        return self.function.result(self.name, given, column)
