"""A thousand rows: what one call costs, in microseconds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from asv_benchmarks.questions.base import Family, Question


@lru_cache(maxsize=4)
def _arrays(n_rows: int) -> dict[str, np.ndarray[Any, Any]]:
    return {"a": np.arange(n_rows), "b": np.arange(n_rows) / 2}


def _our_frame(data: Any) -> Any:
    import fastframe as ff

    return ff.DataFrame(_arrays(len(data.x)))


def _pandas_frame(data: Any) -> Any:
    import pandas as pd

    return pd.DataFrame(_arrays(len(data.x)))


def _polars_frame(data: Any) -> Any:
    import polars as pl

    return pl.DataFrame(_arrays(len(data.x)))


def _polars_filter(data: Any) -> Any:
    import polars as pl

    return data.x.filter(pl.col("v3") > 50)


def _polars_groups(data: Any) -> Any:
    import polars as pl

    return data.x.group_by("id4").agg(pl.col("v3").sum())


FAMILY = Family("small", "small", (
    Question("construct", "a frame of two arrays", {"fastframe": _our_frame, "pandas": _pandas_frame, "polars": _polars_frame}, keys=0),
    Question("add", "v1 + v3", {
        "fastframe": lambda data: data.x["v1"] + data.x["v3"],
        "pandas": lambda data: data.x["v1"] + data.x["v3"],
        "polars": lambda data: data.x["v1"] + data.x["v3"],
    }, keys=0),
    Question("filter", "nine columns where v3 > 50", {
        "fastframe": lambda data: data.x[data.x["v3"] > 50],
        "pandas": lambda data: data.x[data.x["v3"] > 50],
        "polars": _polars_filter,
    }, order=(8,)),
    Question("groupby", "sum v3 by id4", {
        "fastframe": lambda data: data.x.groupby("id4", sort=None, dropna=False, as_index=False).agg(v3=("v3", "sum")),
        "pandas": lambda data: data.x.groupby("id4", sort=False, dropna=False, as_index=False).agg(v3=("v3", "sum")),
        "polars": _polars_groups,
    }, keys=1),
    Question("merge", "ten columns: x left join keys on id4", {
        "fastframe": lambda data: data.x.merge(data.keys, on="id4", how="left"),
        "pandas": lambda data: data.x.merge(data.keys, on="id4", how="left"),
        "polars": lambda data: data.x.join(data.keys, on="id4", how="left"),
    }),
    Question("repr", "repr of nine columns", {
        "fastframe": lambda data: repr(data.x),
        "pandas": lambda data: repr(data.x),
        "polars": lambda data: repr(data.x),
    }, compared=False),
), ("fastframe", "pandas", "polars"), rows=1000, groups=10, per_call=True)  # fmt: skip
