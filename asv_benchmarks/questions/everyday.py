"""What scripts do all day that no other family asks: one column in, one column out; distinct values; texts; times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from asv_benchmarks.questions.base import Family, Question

MANY = list(range(0, 1000, 7))
TEXTS = [f"id{number:03d}" for number in range(1, 100, 3)]
DOUBLED = {number: number * 2.5 for number in range(1, 1001)}
LENGTHENED = {f"id{number:03d}": f"number {number}" for number in range(1, 1001)}


def _column(name: str, text: str, ours: Callable[[Any], Any], polars: Callable[[Any], Any]) -> Question:
    """A new column: a function of the frame for fastframe and pandas alike, and one of ``pl.col`` for polars."""
    return _frame(name, text, ours, lambda x: x.select(polars(_col).alias("values")), keys=0)


def _frame(
    name: str, text: str, ours: Callable[[Any], Any], polars: Callable[[Any], Any],
    keys: int | None = None, order: tuple[int, ...] = (), pandas: Callable[[Any], Any] | None = None,
) -> Question:  # fmt: skip
    """Another frame: a function of the frame for fastframe and pandas alike, and one of its own for polars."""
    return Question(name, text, {
        "fastframe": lambda data: ours(data.x),
        "pandas": lambda data: (pandas or ours)(data.x),
        "polars": lambda data: polars(data.x),
    }, keys=keys, order=order)  # fmt: skip


def _numbers(name: str, text: str, method: str) -> Question:
    """One number of each of the columns a, b and i by a method that has the same name everywhere."""
    return _frame(
        name, text,
        lambda x: getattr(x[["a", "b", "i"]], method)(),
        lambda x: getattr(x.select("a", "b", "i"), method)().transpose(),
        keys=0,
    )  # fmt: skip


def _counted(name: str, text: str, column: str) -> Question:
    return _frame(
        name, text,
        lambda x: x[column].value_counts().reset_index(),
        lambda x: x[column].value_counts(),
        keys=1,
    )  # fmt: skip


def _concat(name: str) -> Callable[[Any], Any]:
    def ten_times(x: Any) -> Any:
        module = __import__(name)
        return module.concat([x] * 10, **({"rechunk": True} if name == "polars" else {"ignore_index": True}))

    return ten_times


def _sqrt(x: Any) -> Any:
    return np.sqrt(x["p"])


QUESTIONS = (
    _numbers("sum", "sum of three columns", "sum"),
    _numbers("mean", "mean of three columns", "mean"),
    _numbers("std", "standard deviation of three columns", "std"),
    _numbers("max", "maximum of three columns", "max"),
    _numbers("median", "median of three columns", "median"),
    _frame("describe", "count of each of three columns, from describe", lambda x: x[["a", "b", "i"]].describe().iloc[:1],
           lambda x: x.select("a", "b", "i").describe().select("a", "b", "i")[:1], keys=0),
    _column("arithmetic", "a * 2 + b", lambda x: x["a"] * 2 + x["b"], lambda c: c("a") * 2 + c("b")),
    _column("integers", "k // 7 + i % 100", lambda x: x["k"] // 7 + x["i"] % 100, lambda c: c("k") // 7 + c("i") % 100),
    _column("floor_divide", "a // p", lambda x: x["a"] // x["p"], lambda c: c("a") // c("p")),
    _column("logic", "(a > 0) & (k < 500) | flag", lambda x: (x["a"] > 0) & (x["k"] < 500) | x["flag"],
            lambda c: (c("a") > 0) & (c("k") < 500) | c("flag")),
    _column("sqrt", "numpy.sqrt(p)", _sqrt, lambda c: c("p").sqrt()),
    _column("between", "a.between(-1, 1)", lambda x: x["a"].between(-1, 1), lambda c: c("a").is_between(-1, 1)),
    _column("isin", "k.isin(143 integers)", lambda x: x["k"].isin(MANY), lambda c: c("k").is_in(MANY)),
    _column("isin_few", "k.isin(4 integers)", lambda x: x["k"].isin([1, 7, 77, 777]), lambda c: c("k").is_in([1, 7, 77, 777])),
    _column("isin_text", "s.isin(33 texts)", lambda x: x["s"].isin(TEXTS), lambda c: c("s").is_in(TEXTS)),
    _column("where", "a.where(a > 0, 0)", lambda x: x["a"].where(x["a"] > 0, 0.0), lambda c: _polars_where(c)),
    _column("clip", "a.clip(-1, 1)", lambda x: x["a"].clip(-1, 1), lambda c: c("a").clip(-1, 1)),
    _column("round", "a.round(2)", lambda x: x["a"].round(2), lambda c: c("a").round(2, mode="half_to_even")),
    _column("abs", "a.abs()", lambda x: x["a"].abs(), lambda c: c("a").abs()),
    _column("fillna", "b.fillna(0)", lambda x: x["b"].fillna(0.0), lambda c: c("b").fill_null(0.0)),
    _column("isna", "b.isna()", lambda x: x["b"].isna(), lambda c: c("b").is_null()),
    _column("ffill", "b.ffill()", lambda x: x["b"].ffill(), lambda c: c("b").forward_fill()),
    _column("to_float32", "a.astype float32", lambda x: x["a"].astype("float32"), lambda c: c("a").cast(_dtype("Float32"))),
    _column("to_text", "k.astype text", lambda x: x["k"].astype("str"), lambda c: c("k").cast(_dtype("String"))),
    _column("to_int", "texts of digits to int64", lambda x: x["digits"].astype("int64"), lambda c: c("digits").cast(_dtype("Int64"))),
    _column("map", "k.map(dict of 1,000 integers)", lambda x: x["k"].map(DOUBLED), lambda c: c("k").replace_strict(DOUBLED, default=None)),
    _column("map_text", "s.map(dict of 1,000 texts)", lambda x: x["s"].map(LENGTHENED), lambda c: c("s").replace_strict(LENGTHENED, default=None)),
    _column("replace", "k.replace(three integers)", lambda x: x["k"].replace({1: 0, 2: 0, 3: 5}), lambda c: c("k").replace({1: 0, 2: 0, 3: 5})),
    _column("cumsum", "a.cumsum()", lambda x: x["a"].cumsum(), lambda c: c("a").cum_sum()),
    _column("cummax", "a.cummax()", lambda x: x["a"].cummax(), lambda c: c("a").cum_max()),
    _column("shift", "a.shift()", lambda x: x["a"].shift(), lambda c: c("a").shift()),
    _column("diff", "a.diff()", lambda x: x["a"].diff(), lambda c: c("a").diff()),
    _column("pct_change", "p.pct_change()", lambda x: x["p"].pct_change(), lambda c: c("p").pct_change()),
    _column("rank", "a.rank()", lambda x: x["a"].rank(), lambda c: c("a").rank()),
    _column("rolling", "a.rolling(100).mean()", lambda x: x["a"].rolling(100).mean(), lambda c: c("a").rolling_mean(100)),
    _column("sort", "a.sort_values()", lambda x: x["a"].sort_values(), lambda c: c("a").sort()),
    _frame("sort_two", "ten columns by s, a", lambda x: x.sort_values(["s", "a"]), lambda x: x.sort(["s", "a"]), order=(2, 3)),
    _frame("nlargest", "100 rows of ten columns of largest a", lambda x: x.nlargest(100, "a"), lambda x: x.top_k(100, by="a")),
    _column("unique", "i.unique(): nearly all distinct", lambda x: x["i"].drop_duplicates(), lambda c: c("i").unique(maintain_order=True)),
    _column("unique_text", "s.unique(): 1,000 texts", lambda x: x["s"].drop_duplicates(), lambda c: c("s").unique(maintain_order=True)),
    _frame("nunique", "number of distinct values of k, i, s", lambda x: x[["k", "i", "s"]].nunique(),
           lambda x: x.select(_cols("k", "i", "s").n_unique()).transpose(), keys=0),
    _counted("value_counts", "k.value_counts()", "k"),
    _counted("value_counts_text", "s.value_counts()", "s"),
    _counted("value_counts_float", "cents.value_counts(): 10,000 floats", "cents"),
    _frame("drop_duplicates", "first rows by k, flag", lambda x: x.drop_duplicates(["k", "flag"]),
           lambda x: x.unique(["k", "flag"], keep="first", maintain_order=True), order=(1,)),
    _column("duplicated", "i.duplicated()", lambda x: x["i"].duplicated(), lambda c: ~c("i").is_first_distinct()),
    _column("len", "w.str.len()", lambda x: x["w"].str.len(), lambda c: c("w").str.len_chars()),
    _column("upper", "w.str.upper()", lambda x: x["w"].str.upper(), lambda c: c("w").str.to_uppercase()),
    _column("contains", 'w.str.contains("rain")', lambda x: x["w"].str.contains("rain", regex=False), lambda c: c("w").str.contains("rain", literal=True)),
    _column("regex", 'w.str.contains("r.in$")', lambda x: x["w"].str.contains("r.in$"), lambda c: c("w").str.contains("r.in$")),
    _column("startswith", 'w.str.startswith("the")', lambda x: x["w"].str.startswith("the"), lambda c: c("w").str.starts_with("the")),
    _column("text_replace", "w.str.replace of a word", lambda x: x["w"].str.replace("rain", "snow", regex=False),
            lambda c: c("w").str.replace_all("rain", "snow", literal=True)),
    _column("slice", "w.str.slice(0, 5)", lambda x: x["w"].str.slice(0, 5), lambda c: c("w").str.slice(0, 5)),
    _column("strip", "w.str.strip()", lambda x: x["w"].str.strip(), lambda c: c("w").str.strip_chars()),
    _column("split", "w.str.split().str.get(1)", lambda x: x["w"].str.split(" ").str.get(1), lambda c: c("w").str.split(" ").list.get(1, null_on_oob=True)),
    _column("concat_text", "s + w", lambda x: x["s"] + x["w"], lambda c: c("s") + c("w")),
    _column("unique_len", "u.str.len(), u nearly all distinct", lambda x: x["u"].str.len(), lambda c: c("u").str.len_chars()),
    _column("unique_upper", "u.str.upper()", lambda x: x["u"].str.upper(), lambda c: c("u").str.to_uppercase()),
    _column("unique_contains", 'u.str.contains("77")', lambda x: x["u"].str.contains("77", regex=False), lambda c: c("u").str.contains("77", literal=True)),
    _column("unique_regex", 'u.str.contains("7.7@")', lambda x: x["u"].str.contains("7.7@"), lambda c: c("u").str.contains("7.7@")),
    _column("unique_startswith", 'u.str.startswith("user7")', lambda x: x["u"].str.startswith("user7"), lambda c: c("u").str.starts_with("user7")),
    _column("unique_replace", 'u.str.replace("@", " at ")', lambda x: x["u"].str.replace("@", " at ", regex=False),
            lambda c: c("u").str.replace_all("@", " at ", literal=True)),
    _column("unique_slice", "u.str.slice(4, 8)", lambda x: x["u"].str.slice(4, 8), lambda c: c("u").str.slice(4, 4)),
    _column("unique_split", 'u.str.split("@").str.get(1)', lambda x: x["u"].str.split("@").str.get(1), lambda c: c("u").str.split("@").list.get(1)),
    _column("unique_equal", "u == one of them", lambda x: x["u"] == "user7@mail7.example.com", lambda c: c("u") == "user7@mail7.example.com"),
    _column("unique_sort", "u.sort_values()", lambda x: x["u"].sort_values(), lambda c: c("u").sort()),
    _column("unique_nunique", "u.drop_duplicates()", lambda x: x["u"].drop_duplicates(), lambda c: c("u").unique(maintain_order=True)),
    _column("equal_text", 's == "id007"', lambda x: x["s"] == "id007", lambda c: c("s") == "id007"),
    _column("year", "t.dt.year", lambda x: x["t"].dt.year, lambda c: c("t").dt.year()),
    _column("month", "t.dt.month", lambda x: x["t"].dt.month, lambda c: c("t").dt.month()),
    _column("dayofweek", "t.dt.dayofweek", lambda x: x["t"].dt.dayofweek, lambda c: c("t").dt.weekday() - 1),
    _column("floor", 't.dt.floor("h")', lambda x: x["t"].dt.floor("h"), lambda c: c("t").dt.truncate("1h")),
    _column("strftime", 't.dt.strftime("%Y-%m-%d")', lambda x: x["t"].dt.strftime("%Y-%m-%d"), lambda c: c("t").dt.strftime("%Y-%m-%d")),
    _column("strftime_time", 't.dt.strftime("%Y-%m-%d %H:%M:%S")', lambda x: x["t"].dt.strftime("%Y-%m-%d %H:%M:%S"),
            lambda c: c("t").dt.strftime("%Y-%m-%d %H:%M:%S")),
    _column("utc", 't.dt.tz_localize("UTC")', lambda x: x["t"].dt.tz_localize("UTC"), lambda c: c("t").dt.replace_time_zone("UTC")),
    _column("zone_hour", "the hour that clocks in Berlin show at t", lambda x: x["t"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.hour,
            lambda c: c("t").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin").dt.hour()),
    _column("seconds", "seconds since the first time", lambda x: (x["t"] - x["t"].min()).dt.total_seconds(),
            lambda c: (c("t") - c("t").min()).dt.total_seconds(fractional=True)),
    _frame("concat", "ten frames of two columns", lambda x: _concat("fastframe")(x[["a", "k"]]), lambda x: _concat("polars")(x.select("a", "k")), keys=0,
           pandas=lambda x: _concat("pandas")(x[["a", "k"]])),
    _frame("dropna", "rows of ten columns without a missing value", lambda x: x.dropna(), lambda x: x.drop_nulls(), order=(3,)),
    _frame("query", "rows of ten columns: a > 1 and k < 500", lambda x: x.query("a > 1 and k < 500"),
           lambda x: x.filter((_col("a") > 1) & (_col("k") < 500)), order=(3,)),
    _frame("take", "100,000 rows of ten columns anywhere", lambda x: x.iloc[_places(len(x))], lambda x: x[_places(len(x))], order=(3,)),
    _frame("group_text", "sum, mean, max of a by s", lambda x: x.groupby("s").agg(u=("a", "sum"), v=("a", "mean"), w=("a", "max")).reset_index(),
           lambda x: x.group_by("s").agg(u=_col("a").sum(), v=_col("a").mean(), w=_col("a").max()), keys=1),
    _frame("group_median", "median of a by k", lambda x: x.groupby("k")["a"].median().reset_index(),
           lambda x: x.group_by("k").agg(_col("a").median()), keys=1),
    _frame("group_nunique", "distinct k by s", lambda x: x.groupby("s")["k"].nunique().reset_index(), lambda x: x.group_by("s").agg(_col("k").n_unique()),
           keys=1),
    _frame("group_first", "first a, p by k", lambda x: x.groupby("k")[["a", "p"]].first().reset_index(),
           lambda x: x.group_by("k").agg(_col("a").first(), _col("p").first()), keys=1),
    _frame("group_month", "sum of a by month", lambda x: x.groupby(x["t"].dt.month)["a"].sum().reset_index(),
           lambda x: x.group_by(_col("t").dt.month()).agg(_col("a").sum()), keys=1),
    _frame("group_two", "rows by s, flag", lambda x: x.groupby(["s", "flag"]).size().reset_index(), lambda x: x.group_by(["s", "flag"]).len(), keys=2),
    _frame("group_unique", "sum of a by u, nearly all distinct", lambda x: x.groupby("u")["a"].sum().reset_index(),
           lambda x: x.group_by("u").agg(_col("a").sum()), keys=1),
    _frame("merge_outer", "k, a outer join every third k", lambda x: x[["k", "a"]].merge(_thirds(x), on="k", how="outer"),
           lambda x: x.select("k", "a").join(_thirds(x), on="k", how="full", coalesce=True)),
    _frame("merge_two", "ten columns inner join 2,000 rows on s, flag", lambda x: x.merge(_pairs(x), on=["s", "flag"]),
           lambda x: x.join(_pairs(x), on=["s", "flag"])),
    _frame("merge_unique", "u, a inner join every third row on u", lambda x: x[["u", "a"]].merge(x[["u", "p"]].iloc[::3], on="u"),
           lambda x: x.select("u", "a").join(x.select("u", "p")[::3], on="u")),
    _frame("to_numpy", "a matrix of a, p, cents", lambda x: _as_frame(x, x[["a", "p", "cents"]].to_numpy()),
           lambda x: _as_frame(x, x.select("a", "p", "cents").to_numpy()), keys=0),
)  # fmt: skip


def _col(name: str) -> Any:
    import polars as pl

    return pl.col(name)


def _cols(*names: str) -> Any:
    import polars as pl

    return pl.col(*names)


def _dtype(name: str) -> Any:
    import polars as pl

    return getattr(pl, name)


def _polars_where(col: Any) -> Any:
    import polars as pl

    return pl.when(col("a") > 0).then(col("a")).otherwise(0.0)


def _places(n_rows: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, n_rows, n_rows // 10)


def _thirds(x: Any) -> Any:
    """Every third value of k, and some that are not there."""
    keys = np.arange(0, 1200, 3)
    return type(x)({"k": keys, "y": keys / 2})


def _pairs(x: Any) -> Any:
    """Each value of s beside each flag."""
    number = np.arange(2000)
    return type(x)({"s": [f"id{one:03d}" for one in number // 2 + 1], "flag": number % 2 == 0, "y": number / 2})


def _as_frame(x: Any, matrix: Any) -> Any:
    """Only its first hundred rows: the matrix is what is timed."""
    return type(x)({name: np.ascontiguousarray(matrix[:100, place]) for place, name in enumerate(("a", "p", "cents"))})


FAMILY = Family("everyday", "everyday", QUESTIONS, ("fastframe", "pandas", "polars"), rows=10**6, groups=1000)
