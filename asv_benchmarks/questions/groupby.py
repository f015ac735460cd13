"""The ten group-by questions of the database-like ops benchmark, in each contender's own words.

One change to its SQL: a sum of nothing is 0, as in the other libraries, so that data with missing values can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from asv_benchmarks.questions.base import EVERYBODY, Family, Question

SIX = ["id1", "id2", "id3", "id4", "id5", "id6"]
Answer = Callable[..., Any]


def ours(*keys: str, **aggs: tuple[Any, str]) -> Answer:
    """fastframe's named aggregation; ``sort`` is chosen per row of the table."""
    return lambda data, sort: data.x.groupby(list(keys), sort=sort, dropna=False, as_index=False).agg(**aggs)


def pandas(*keys: str, **aggs: tuple[str, str]) -> Answer:
    return lambda data: _pandas_groups(data.x, *keys).agg(**aggs)


def _pandas_groups(x: Any, *keys: str) -> Any:
    return x.groupby(list(keys), as_index=False, sort=False, observed=True, dropna=False)


def polars(*keys: str, make: Callable[[Any], list[Any]]) -> Answer:
    def answer(data: Any) -> Any:
        import polars as pl

        return data.x.group_by(*keys).agg(*make(pl.col))

    return answer


def acero(*keys: str, aggs: list[tuple[Any, str]]) -> Answer:
    """Acero's aggregation; a result of no column (``count_all``) is written ``([], name)``."""
    names = [f"{name}_{func}" if name else func for name, func in aggs]

    def answer(data: Any) -> Any:
        import pyarrow.compute as pc

        zero = pc.ScalarAggregateOptions(min_count=0)       # a sum of nothing is 0
        wanted = [(name, func, zero) if func == "sum" else (name, func) for name, func in aggs]
        return data.x.group_by(list(keys)).aggregate(wanted).select([*keys, *names])

    return answer


def our_range(data: Any, sort: bool | None) -> Any:
    found = ours("id3", high=("v1", "max"), low=("v2", "min"))(data, sort)
    return found.assign(range_v1_v2=found["high"] - found["low"])[["id3", "range_v1_v2"]]


def pandas_range(data: Any) -> Any:
    found = _pandas_groups(data.x, "id3").agg({"v1": "max", "v2": "min"})
    return found.assign(range_v1_v2=lambda x: x["v1"] - x["v2"])[["id3", "range_v1_v2"]]


def acero_range(data: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = data.x.group_by("id3").aggregate([("v1", "max"), ("v2", "min")])
    return pa.table({"id3": found["id3"], "range_v1_v2": pc.subtract(found["v1_max"], found["v2_min"])})


def our_largest_two(data: Any, sort: bool | None) -> Any:
    """Values with their key; the frame's own labels are not part of the answer."""
    found = data.x.groupby("id6", sort=sort, dropna=False)["v3"].nlargest(2)
    return found.reset_index()[["id6", "v3"]]


def pandas_largest_two(data: Any) -> Any:
    x = data.x[~data.x["v3"].isna()][["id6", "v3"]].sort_values("v3", ascending=False)
    return _pandas_groups(x, "id6").head(2)


def polars_largest_two(data: Any) -> Any:
    import polars as pl

    return data.x.drop_nulls("v3").group_by("id6").agg(pl.col("v3").top_k(2).alias("largest2_v3")).explode("largest2_v3")


def our_squared_correlation(data: Any, sort: bool | None) -> Any:
    found = ours("id2", "id4", r2=(("v1", "v2"), "corr"))(data, sort)
    return found.assign(r2=found["r2"] * found["r2"])


def pandas_squared_correlation(data: Any) -> Any:
    groups = _pandas_groups(data.x[["id2", "id4", "v1", "v2"]], "id2", "id4")
    return groups.apply(lambda x: x["v1"].corr(x["v2"]) ** 2).rename(columns={None: "r2"})


def polars_squared_correlation(data: Any) -> Any:
    import polars as pl

    return data.x.group_by("id2", "id4").agg((pl.corr("v1", "v2", method="pearson") ** 2).alias("r2"))


SUMS = {"v1": ("v1", "sum"), "v2": ("v2", "sum"), "v3": ("v3", "sum")}
MEANS = {"v1": ("v1", "mean"), "v2": ("v2", "mean"), "v3": ("v3", "mean")}
MIDDLE = {"median_v3": ("v3", "median"), "sd_v3": ("v3", "std")}

QUESTIONS = (
    Question("q1", "sum v1 by id1", {
        "fastframe": ours("id1", v1=("v1", "sum")),
        "pandas": pandas("id1", v1=("v1", "sum")),
        "polars": polars("id1", make=lambda c: [c("v1").sum()]),
        "duckdb": "select id1, coalesce(sum(v1), 0) as v1 from x group by id1",
        "pyarrow": acero("id1", aggs=[("v1", "sum")]),
    }, keys=1),
    Question("q2", "sum v1 by id1:id2", {
        "fastframe": ours("id1", "id2", v1=("v1", "sum")),
        "pandas": pandas("id1", "id2", v1=("v1", "sum")),
        "polars": polars("id1", "id2", make=lambda c: [c("v1").sum()]),
        "duckdb": "select id1, id2, coalesce(sum(v1), 0) as v1 from x group by id1, id2",
        "pyarrow": acero("id1", "id2", aggs=[("v1", "sum")]),
    }, keys=2),
    Question("q3", "sum v1 mean v3 by id3", {
        "fastframe": ours("id3", v1=("v1", "sum"), v3=("v3", "mean")),
        "pandas": pandas("id3", v1=("v1", "sum"), v3=("v3", "mean")),
        "polars": polars("id3", make=lambda c: [c("v1").sum(), c("v3").mean()]),
        "duckdb": "select id3, coalesce(sum(v1), 0) as v1, avg(v3) as v3 from x group by id3",
        "pyarrow": acero("id3", aggs=[("v1", "sum"), ("v3", "mean")]),
    }, keys=1),
    Question("q4", "mean v1:v3 by id4", {
        "fastframe": ours("id4", **MEANS),
        "pandas": pandas("id4", **MEANS),
        "polars": polars("id4", make=lambda c: [c("v1", "v2", "v3").mean()]),
        "duckdb": "select id4, avg(v1) as v1, avg(v2) as v2, avg(v3) as v3 from x group by id4",
        "pyarrow": acero("id4", aggs=[("v1", "mean"), ("v2", "mean"), ("v3", "mean")]),
    }, keys=1),
    Question("q5", "sum v1:v3 by id6", {
        "fastframe": ours("id6", **SUMS),
        "pandas": pandas("id6", **SUMS),
        "polars": polars("id6", make=lambda c: [c("v1", "v2", "v3").sum()]),
        "duckdb": "select id6, coalesce(sum(v1), 0) as v1, coalesce(sum(v2), 0) as v2, coalesce(sum(v3), 0) as v3 from x group by id6",
        "pyarrow": acero("id6", aggs=[("v1", "sum"), ("v2", "sum"), ("v3", "sum")]),
    }, keys=1),
    Question("q6", "median v3 sd v3 by id4 id5", {
        "fastframe": ours("id4", "id5", **MIDDLE),
        "pandas": pandas("id4", "id5", **MIDDLE),
        "polars": polars("id4", "id5", make=lambda c: [c("v3").median().alias("median_v3"), c("v3").std().alias("sd_v3")]),
        "duckdb": "select id4, id5, quantile_cont(v3, 0.5) as median_v3, stddev(v3) as sd_v3 from x group by id4, id5",
    }, keys=2),
    Question("q7", "max v1 - min v2 by id3", {
        "fastframe": our_range,
        "pandas": pandas_range,
        "polars": polars("id3", make=lambda c: [(c("v1").max() - c("v2").min()).alias("range_v1_v2")]),
        "duckdb": "select id3, max(v1) - min(v2) as range_v1_v2 from x group by id3",
        "pyarrow": acero_range,
    }, keys=1),
    Question("q8", "largest two v3 by id6", {
        "fastframe": our_largest_two,
        "pandas": pandas_largest_two,
        "polars": polars_largest_two,
        "duckdb": "select id6, unnest(max(v3, 2)) as largest2_v3 from x where v3 is not null group by id6",
    }),
    Question("q9", "regression v1 v2 by id2 id4", {
        "fastframe": our_squared_correlation,
        "pandas": pandas_squared_correlation,
        "polars": polars_squared_correlation,
        "duckdb": "select id2, id4, pow(corr(v1, v2), 2) as r2 from x group by id2, id4",
    }, keys=2),
    Question("q10", "sum v3 count by id1:id6", {
        "fastframe": ours(*SIX, v3=("v3", "sum"), count=("v3", "size")),
        "pandas": pandas(*SIX, v3=("v3", "sum"), count=("v3", "size")),
        "polars": polars(*SIX, make=lambda c: [c("v3").sum(), c("v1").len().alias("count")]),
        "duckdb": f"select {', '.join(SIX)}, coalesce(sum(v3), 0) as v3, count(*) as count from x group by {', '.join(SIX)}",
        "pyarrow": acero(*SIX, aggs=[("v3", "sum"), ([], "count_all")]),
    }, keys=6),
)  # fmt: skip


def _with_order(question: Question, sort: bool | None) -> Question:
    """The question as fastframe is asked it with one order of groups; peers answer it in their cheapest order only."""
    answer = partial(question.answers["fastframe"], sort=sort)       # type: ignore[arg-type]
    if sort is None:
        return Question(question.name, question.text, {**question.answers, "fastframe": answer}, question.keys)
    text = "groups sorted" if sort else "groups by first row"
    return Question(f"{question.name} sort={sort}", text, {"fastframe": answer}, question.keys, base=question.name)


FAMILY = Family(
    "groupby",
    "groupby",
    tuple(_with_order(one, sort) for one in QUESTIONS for sort in (None, True, False) if sort is None or one.name != "q8"),
    EVERYBODY,
)
