"""From a Parquet file to the answer, in a process that has imported nothing yet."""

from __future__ import annotations

from typing import Any

from asv_benchmarks.questions.base import Family, Question


def _our_sum(files: Any) -> Any:
    import fastframe as ff

    return ff.read_parquet(files.x, columns=["id1", "v1"]).groupby("id1", sort=None, dropna=False, as_index=False).agg(v1=("v1", "sum"))


def _our_sum_and_mean(files: Any) -> Any:
    import fastframe as ff

    x = ff.read_parquet(files.x, columns=["id3", "v1", "v3"])
    return x.groupby("id3", sort=None, dropna=False, as_index=False).agg(v1=("v1", "sum"), v3=("v3", "mean"))


def _our_join(files: Any) -> Any:
    import fastframe as ff

    x = ff.read_parquet(files.x, columns=["id4", "v3"]).merge(ff.read_parquet(files.keys), on="id4")
    weighted = x.assign(value=x["v3"] * x["weight"])
    return weighted.groupby("id4", sort=None, dropna=False, as_index=False).agg(value=("value", "sum"))


def _our_filter(files: Any) -> Any:
    import fastframe as ff

    x = ff.read_parquet(files.x, columns=["id1", "v2", "v3"])
    return x[x["v3"] > 50].groupby("id1", sort=None, dropna=False, as_index=False).agg(v2=("v2", "sum"), v3=("v3", "mean"))


def _pandas_groups(x: Any, key: str) -> Any:
    return x.groupby(key, as_index=False, sort=False, observed=True, dropna=False)


def _pandas_sum(files: Any) -> Any:
    import pandas as pd

    return _pandas_groups(pd.read_parquet(files.x, columns=["id1", "v1"]), "id1").agg(v1=("v1", "sum"))


def _pandas_sum_and_mean(files: Any) -> Any:
    import pandas as pd

    return _pandas_groups(pd.read_parquet(files.x, columns=["id3", "v1", "v3"]), "id3").agg(v1=("v1", "sum"), v3=("v3", "mean"))


def _pandas_join(files: Any) -> Any:
    import pandas as pd

    x = pd.read_parquet(files.x, columns=["id4", "v3"]).merge(pd.read_parquet(files.keys), on="id4")
    return _pandas_groups(x.assign(value=x["v3"] * x["weight"]), "id4").agg(value=("value", "sum"))


def _pandas_filter(files: Any) -> Any:
    import pandas as pd

    x = pd.read_parquet(files.x, columns=["id1", "v2", "v3"])
    return _pandas_groups(x[x["v3"] > 50], "id1").agg(v2=("v2", "sum"), v3=("v3", "mean"))


def _polars_sum(files: Any) -> Any:
    import polars as pl

    return pl.scan_parquet(files.x).group_by("id1").agg(pl.col("v1").sum())


def _polars_sum_and_mean(files: Any) -> Any:
    import polars as pl

    return pl.scan_parquet(files.x).group_by("id3").agg(pl.col("v1").sum(), pl.col("v3").mean())


def _polars_join(files: Any) -> Any:
    import polars as pl

    x = pl.scan_parquet(files.x).select("id4", "v3").join(pl.scan_parquet(files.keys), on="id4")
    return x.group_by("id4").agg((pl.col("v3") * pl.col("weight")).sum().alias("value"))


def _polars_filter(files: Any) -> Any:
    import polars as pl

    return pl.scan_parquet(files.x).filter(pl.col("v3") > 50).group_by("id1").agg(pl.col("v2").sum(), pl.col("v3").mean())


FAMILY = Family("cold", "small", (
    Question("c1", "sum v1 by id1", {
        "fastframe": _our_sum, "pandas": _pandas_sum, "polars": _polars_sum,
        "duckdb": "select id1, sum(v1) as v1 from x group by id1",
    }, keys=1),
    Question("c2", "sum v1 mean v3 by id3", {
        "fastframe": _our_sum_and_mean, "pandas": _pandas_sum_and_mean, "polars": _polars_sum_and_mean,
        "duckdb": "select id3, sum(v1) as v1, avg(v3) as v3 from x group by id3",
    }, keys=1),
    Question("c3", "sum v3 * weight by id4, x join keys on id4", {
        "fastframe": _our_join, "pandas": _pandas_join, "polars": _polars_join,
        "duckdb": "select id4, sum(v3 * weight) as value from x join keys using (id4) group by id4",
    }, keys=1),
    Question("c4", "sum v2 mean v3 by id1 where v3 > 50", {
        "fastframe": _our_filter, "pandas": _pandas_filter, "polars": _polars_filter,
        "duckdb": "select id1, sum(v2) as v2, avg(v3) as v3 from x where v3 > 50 group by id1",
    }, keys=1),
), ("fastframe", "pandas", "polars", "polars-streaming", "duckdb"))  # fmt: skip
