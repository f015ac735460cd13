"""Questions that only `asv_benchmarks.cases` asks."""

from __future__ import annotations

from functools import partial

from asv_benchmarks.questions.base import Family, Question
from asv_benchmarks.questions.groupby import acero, ours, pandas, polars

FAMILY = Family("cases", "groupby", (
    Question("k3", "sum v3 by id1:id4:id5, one of them text", {
        "fastframe": partial(ours("id1", "id4", "id5", v3=("v3", "sum")), sort=None),
        "pandas": pandas("id1", "id4", "id5", v3=("v3", "sum")),
        "polars": polars("id1", "id4", "id5", make=lambda c: [c("v3").sum()]),
        "duckdb": "select id1, id4, id5, coalesce(sum(v3), 0) as v3 from x group by id1, id4, id5",
        "pyarrow": acero("id1", "id4", "id5", aggs=[("v3", "sum")]),
    }, keys=3),
    Question("m1", "min v1 max v3 by id6", {
        "fastframe": partial(ours("id6", v1=("v1", "min"), v3=("v3", "max")), sort=None),
        "pandas": pandas("id6", v1=("v1", "min"), v3=("v3", "max")),
        "polars": polars("id6", make=lambda c: [c("v1").min(), c("v3").max()]),
        "duckdb": "select id6, min(v1) as v1, max(v3) as v3 from x group by id6",
        "pyarrow": acero("id6", aggs=[("v1", "min"), ("v3", "max")]),
    }, keys=1),
), ("fastframe", "fastframe-cat", "pandas-cat", "fireducks", "polars", "polars-cat", "duckdb"))  # fmt: skip
