"""Questions whose answer has rows of the table itself: sort, filter, transform."""

from __future__ import annotations

from typing import Any

from asv_benchmarks.questions.base import EVERYBODY, Family, Question


def _sort(name: str, text: str, columns: list[str], order: tuple[int, ...]) -> Question:
    return Question(name, text, {
        "fastframe": lambda data: data.x.sort_values(columns),
        "pandas": lambda data: data.x.sort_values(columns),
        "polars": lambda data: data.x.sort(columns, nulls_last=True),
        "duckdb": f"select * from x order by {', '.join(f'{one} nulls last' for one in columns)}",
        "pyarrow": lambda data: data.x.sort_by([(one, "ascending") for one in columns]),
    }, order=order)  # fmt: skip


SORT = Family("sort", "groupby", (
    _sort("s1", "nine columns by v3", ["v3"], (8,)),
    _sort("s2", "nine columns by id3, v1", ["id3", "v1"], (2, 6)),
), EVERYBODY)  # fmt: skip


def _polars_filter(data: Any) -> Any:
    import polars as pl

    return data.x.filter(pl.col("v3") > 50)


def _acero_filter(data: Any) -> Any:
    import pyarrow.compute as pc

    return data.x.filter(pc.greater(data.x["v3"], 50.0))


FILTER = Family("filter", "groupby", (
    Question("f1", "nine columns where v3 > 50", {
        "fastframe": lambda data: data.x[data.x["v3"] > 50],
        "pandas": lambda data: data.x[data.x["v3"] > 50],
        "polars": _polars_filter,
        "duckdb": "select * from x where v3 > 50",
        "pyarrow": _acero_filter,
    }, order=(8,)),
), EVERYBODY)  # fmt: skip


def _our_deviation(data: Any) -> Any:
    return data.x["v3"] - data.x.groupby("id6", dropna=False)["v3"].transform("mean")


def _our_score(data: Any) -> Any:
    groups = data.x.groupby("id1", dropna=False)["v3"]
    return (data.x["v3"] - groups.transform("mean")) / groups.transform("std")


def _pandas_deviation(data: Any) -> Any:
    return data.x["v3"] - data.x.groupby("id6", dropna=False, sort=False)["v3"].transform("mean")


def _pandas_score(data: Any) -> Any:
    groups = data.x.groupby("id1", dropna=False, sort=False, observed=True)["v3"]
    return (data.x["v3"] - groups.transform("mean")) / groups.transform("std")


def _polars_deviation(data: Any) -> Any:
    import polars as pl

    return data.x.select(pl.col("v3") - pl.col("v3").mean().over("id6"))


def _polars_score(data: Any) -> Any:
    import polars as pl

    return data.x.select((pl.col("v3") - pl.col("v3").mean().over("id1")) / pl.col("v3").std().over("id1"))


# duckdb's windows do not keep the rows' order, so its answers carry the row number and are put in order before they are
# compared, outside of the time.
TRANSFORM = Family("transform", "groupby", (
    Question("t1", "v3 - mean v3 by id6", {
        "fastframe": _our_deviation,
        "pandas": _pandas_deviation,
        "polars": _polars_deviation,
        "duckdb": "select rowid as row, v3 - avg(v3) over (partition by id6) as v3 from x",
    }, keys=0),
    Question("t2", "(v3 - mean v3) / sd v3 by id1", {
        "fastframe": _our_score,
        "pandas": _pandas_score,
        "polars": _polars_score,
        "duckdb": "select rowid as row, (v3 - avg(v3) over g) / stddev(v3) over g as v3 from x window g as (partition by id1)",
    }, keys=0),
), tuple(name for name in EVERYBODY if name != "pyarrow"))  # fmt: skip
