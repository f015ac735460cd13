"""Questions whose heart is a function that only the user knows, and expressions of several columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from asv_benchmarks.questions.base import Family, Question
from asv_benchmarks.questions.by_hand import group_loops, window_loop

WINDOW = 50


def score(v3):   # type: ignore[no-untyped-def]  # users' functions carry no types
    mean = v3.mean()
    deviation = v3.std()
    return np.clip((v3 - mean) / deviation, -3.0, 3.0)


def weighted_mean(v3, v1):   # type: ignore[no-untyped-def]
    return (v3 * v1).sum() / v1.sum()


def drawdown(v3):   # type: ignore[no-untyped-def]
    highest, worst = -np.inf, 0.0
    for value in v3:
        if value > highest:
            highest = value
        elif highest - value > worst:
            worst = highest - value
    return worst


def weighted_window(values):   # type: ignore[no-untyped-def]
    total = 0.0
    for row in range(len(values)):
        total += values[row] * (row + 1)
    return total / (len(values) * (len(values) + 1) / 2)


def _pandas_engine(method: str, function: Any) -> Any:
    """One of pandas' group-by methods with ``engine="numba"`` on the threads that numba has, its result under the keys."""

    def answer(data: Any) -> Any:
        groups = data.x.groupby("id6", dropna=False, sort=False)["v3"]
        found = getattr(groups, method)(function, engine="numba", engine_kwargs={"parallel": True})
        return found if method == "transform" else found.reset_index()

    return answer


def score_of(values, index):   # type: ignore[no-untyped-def]
    mean = values.mean()
    deviation = values.std()
    return np.clip((values - mean) / deviation, -3.0, 3.0)


def drawdown_of(values, index):   # type: ignore[no-untyped-def]
    highest, worst = -np.inf, 0.0
    for value in values:
        if value > highest:
            highest = value
        elif highest - value > worst:
            worst = highest - value
    return worst


def _ours(name: str, function: Any, columns: list[str]) -> Any:
    return lambda data: data.x.groupby("id6", dropna=False, sort=None).agg(**{name: (tuple(columns), function)}).reset_index()


def _polars_score(data: Any) -> Any:
    import polars as pl

    v3 = pl.col("v3")
    return data.x.select(((v3 - v3.mean().over("id6")) / v3.std(ddof=0).over("id6")).clip(-3, 3))


def _polars_weighted_mean(data: Any) -> Any:
    import polars as pl

    present = pl.col("v3").is_not_null() & pl.col("v1").is_not_null()
    weights = pl.col("v1").filter(present)
    return data.x.group_by("id6").agg(((pl.col("v3") * pl.col("v1")).sum() / weights.sum()).alias("mean"))


def _polars_drawdown(data: Any) -> Any:
    import polars as pl

    return data.x.group_by("id6").agg((pl.col("v3").cum_max() - pl.col("v3")).max().alias("worst"))


def _polars_window(data: Any) -> Any:
    import polars as pl

    return data.x.select(pl.col("v3").rolling_mean(WINDOW, weights=[float(one + 1) for one in range(WINDOW)]))


def _polars_query(data: Any) -> Any:
    import polars as pl

    v1, v2, v3, id4 = (pl.col(name) for name in ("v1", "v2", "v3", "id4"))
    return data.x.filter((v3 * v1 + v2 / 2 > 150) & ((id4 < 40) | (v2 == 7)))


def _polars_eval(data: Any) -> Any:
    import polars as pl

    v1, v2, v3, id4 = (pl.col(name) for name in ("v1", "v2", "v3", "id4"))
    return data.x.select((v3 * v1 - v2 / (id4 + 1) + v3 * v3).alias("v3"))


QUERY = "v3 * v1 + v2 / 2 > 150 and (id4 < 40 or v2 == 7)"
EVAL = "v3 * v1 - v2 / (id4 + 1) + v3 * v3"

FAMILY = Family("udf", "groupby", (
    Question("u1", "z-score of v3, clipped, by id6", {
        "fastframe": lambda data: data.x.groupby("id6", dropna=False)["v3"].transform(score),
        "pandas-numba": _pandas_engine("transform", score_of),
        "polars": _polars_score,
        "numba": lambda data: ("rows in group order", group_loops().scores(data.v3, data.starts)),
    }, keys=0),
    Question("u2", "mean of v3 weighted by v1, by id6", {
        "fastframe": _ours("mean", weighted_mean, ["v3", "v1"]),
        "polars": _polars_weighted_mean,
        "numba": lambda data: ("groups", group_loops().weighted_means(data.v3, data.v1, data.starts)),
    }, keys=1),
    Question("u3", "deepest fall of v3, by id6", {
        "fastframe": _ours("worst", drawdown, ["v3"]),
        "pandas-numba": _pandas_engine("agg", drawdown_of),
        "polars": _polars_drawdown,
        "numba": lambda data: ("groups", group_loops().drawdowns(data.v3, data.starts)),
    }, keys=1),
    Question("u4", f"linearly weighted mean of v3 over {WINDOW} rows", {
        "fastframe": lambda data: data.x["v3"].rolling(WINDOW).apply(weighted_window),
        "pandas-numba": lambda data: data.x["v3"].rolling(WINDOW).apply(
            weighted_window, raw=True, engine="numba", engine_kwargs={"parallel": True}),
        "polars": _polars_window,
        "numba": lambda data: ("rows", window_loop()(data.rows_v3, WINDOW)),
    }, keys=0),
    Question("e1", "nine columns where " + QUERY, {
        "fastframe": lambda data: data.x.query(QUERY),
        "pandas-numba": lambda data: data.x.query(QUERY, engine="numexpr"),
        "polars": _polars_query,
        "duckdb": "select * from x where " + QUERY.replace("==", "="),
    }, order=(8,)),
    Question("e2", EVAL, {
        "fastframe": lambda data: data.x.eval(EVAL),
        "pandas-numba": lambda data: data.x.eval(EVAL, engine="numexpr"),
        "polars": _polars_eval,
        "duckdb": f"select rowid as row, {EVAL} as v3 from x",
    }, keys=0),
), ("fastframe", "pandas-numba", "polars", "polars-streaming", "duckdb", "numba"))  # fmt: skip
