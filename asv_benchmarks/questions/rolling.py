"""Questions about moving, expanding and exponentially weighted windows over a series in time order, whole and by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from asv_benchmarks.questions.base import Family, Question

WIDTH = 100
PERIOD = "600s"
_PANDAS_SPREAD = 1e-6   # pandas updates variances and covariances from row to row, and is 1e-9 off the others after a million rows


def _x() -> Any:
    import polars as pl

    return pl.col("x")


def _both(text: str, ours: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    """fastframe and pandas are asked in the same words."""
    return {"fastframe": ours, "pandas": ours}


def _moving(name: str, method: str, width: int = WIDTH, options: dict[str, Any] | None = None, *, bottleneck: str = "") -> Question:
    """A built-in of windows of ``width`` rows."""
    options = options or {}

    def polars(data: Any) -> Any:
        given = {"min_samples": width, **({"interpolation": "linear"} if method == "quantile" else {})}
        given |= {"quantile" if key == "q" else key: value for key, value in options.items()}
        return data.x.select(getattr(_x(), f"rolling_{method}")(window_size=width, **given))

    def by_bottleneck(data: Any) -> Any:
        import bottleneck as bn

        if width > len(data.x):   # it refuses them
            return np.full(len(data.x), np.nan)
        return getattr(bn, bottleneck)(data.x, width, min_count=width, **({"ddof": 1} if method == "std" else {}))

    answers = _both(name, lambda data: getattr(data.x["x"].rolling(width), method)(*options.values())) | {"polars": polars}
    if bottleneck:
        answers["bottleneck"] = by_bottleneck
    return Question(name, f"{method} of x over {width:,} rows", answers, keys=0, relative=_PANDAS_SPREAD if method == "std" else 1e-9)


def _polars_in_time(method: str) -> Callable[[Any], Any]:
    def answer(data: Any) -> Any:
        return data.x.select(getattr(_x(), f"rolling_{method}_by")("t", window_size=PERIOD))

    return answer


def _in_time(name: str, method: str) -> Question:
    ours = lambda data: getattr(data.x[["t", "x"]].rolling(PERIOD, on="t"), method)()["x"]   # noqa: E731
    sql = {"mean": "avg", "max": "max"}[method]
    seconds = PERIOD.removesuffix("s")
    query = (f"select rowid as row, {sql}(x) over (order by t range between interval {seconds} seconds - interval 1 microsecond preceding"
             " and current row) as x from x")  # fmt: skip
    return Question(name, f"{method} of x over {PERIOD}", _both(name, ours) | {"polars": _polars_in_time(method), "duckdb": query}, keys=0)


def _by_key(name: str, method: str, width: int) -> Question:
    """Windows of each key's rows; answers are in the order of the keys, peers that keep the rows' order say which is whose."""

    def polars(data: Any) -> Any:
        import polars as pl

        return data.x.select(pl.col("k").alias("group"), getattr(_x(), f"rolling_{method}")(window_size=width, min_samples=width).over("k"))

    ours = lambda data: getattr(data.x.groupby("k")["x"].rolling(width), method)()   # noqa: E731
    return Question(name, f"{method} of x over {width} rows of each k", _both(name, ours) | {"polars": polars}, keys=0)


def _polars_cov(data: Any) -> Any:
    import polars as pl

    return data.x.select(pl.rolling_cov("x", "y", window_size=WIDTH, min_samples=WIDTH))


FAMILY = Family("rolling", "series", (
    _moving("sum", "sum", bottleneck="move_sum"),
    _moving("mean10", "mean", 10, bottleneck="move_mean"),
    _moving("mean", "mean", bottleneck="move_mean"),
    _moving("mean10000", "mean", 10_000, bottleneck="move_mean"),
    _moving("std", "std", bottleneck="move_std"),
    _moving("min", "min", bottleneck="move_min"),
    _moving("max10000", "max", 10_000, bottleneck="move_max"),
    _moving("median", "median", bottleneck="move_median"),
    _moving("median10000", "median", 10_000, bottleneck="move_median"),
    _moving("quantile", "quantile", options={"q": 0.9}),
    Question("cov", f"covariance of x and y over {WIDTH} rows", {
        **_both("cov", lambda data: data.x["x"].rolling(WIDTH).cov(data.x["y"])),
        "polars": _polars_cov,
    }, keys=0, relative=_PANDAS_SPREAD, absolute=1e-7),   # of values up to 100; some covariances are near 0
    _in_time("time_mean", "mean"),
    _in_time("time_max", "max"),
    _by_key("by_mean", "mean", 10),
    _by_key("by_std", "std", 10),
    _by_key("by_max", "max", 10),
    _by_key("by_median", "median", 10),
    Question("expanding", "mean of x up to each row", _both("expanding", lambda data: data.x["x"].expanding().mean()), keys=0),
    Question("ewm", "exponentially weighted mean of x, span 20", {
        **_both("ewm", lambda data: data.x["x"].ewm(span=20).mean()),
        "polars": lambda data: data.x.select(_x().ewm_mean(span=20)),
    }, keys=0),
    Question("by_ewm", "exponentially weighted mean of x of each k, span 20",
             _both("by_ewm", lambda data: data.x.groupby("k")["x"].ewm(span=20).mean()), keys=0),
), ("fastframe", "pandas", "polars", "polars-streaming", "duckdb", "bottleneck"))  # fmt: skip
