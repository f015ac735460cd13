"""Cases of a frame of several dtypes; `one` is a value of its first column. See `parity.py`."""

from __future__ import annotations

from typing import Any

from tests.frame.parity import FRAME, UNIQUE, Case
from tests.frame.parity_series import MISSING, SOME, counted, plainly

ALL = tuple(FRAME)
PLAIN = tuple(name for name in FRAME if name not in ("c", "m"))
NUMERIC = ("i", "j", "f")
KEYS = ("i", "b", "s", "f")
STABLE = "sort-is-stable"


def changed(frame: Any, change: Any) -> Any:
    """A copy after ``change(copy)``."""
    new = frame.copy()
    change(new)
    return new


def put(key: Any, value: Any) -> Any:
    """Assign to ``df[key]``; a function of the frame as ``value`` is called."""
    return lambda frame: frame.__setitem__(key, value(frame) if callable(value) else value)


def put_loc(rows: Any, columns: Any, value: Any) -> Any:
    return lambda frame: frame.loc.__setitem__((rows(frame) if callable(rows) else rows, columns), value)


def put_iloc(rows: Any, columns: Any, value: Any) -> Any:
    return lambda frame: frame.iloc.__setitem__((rows, columns), value)


SELECT = [
    Case("head", lambda df, one: df.head(3), ALL),
    Case("head negative", lambda df, one: df.head(-3), ALL),
    Case("tail", lambda df, one: df.tail(3), ALL),
    Case("take", lambda df, one: df.take([0, -1]), ALL, rows=SOME),
    Case("no columns", lambda df, one: df.head(2), ()),
    Case("no columns left", lambda df, one: df[[]], ("i",)),
    Case("column", lambda df, one: df["i"], ALL),
    Case("attribute", lambda df, one: df.s, ALL),
    Case("columns", lambda df, one: df[["s", "i"]], ALL),
    Case("mask", lambda df, one: df[df["i"].notna()], ALL),
    Case("mask of other order", lambda df, one: df.loc[df["i"].isna().sort_index()], PLAIN, labels=("default", "text"), nulls=("some",)),
    Case("rows", lambda df, one: df[2:9], ALL),
    Case("rows backwards", lambda df, one: df[::-1], ALL),
    Case("iloc", lambda df, one: df.iloc[1:20:2, [0, -1]], ALL),
    Case("iloc columns", lambda df, one: df.iloc[:, 1:3], ALL),
    Case("iloc column", lambda df, one: df.iloc[:, -1], ALL),
    Case("iloc row", lambda df, one: df.iloc[-1], PLAIN, rows=SOME),
    Case("iloc cell", lambda df, one: df.iloc[0, 0], PLAIN, rows=SOME),
    Case("iat", lambda df, one: df.iat[0, 1], PLAIN, rows=SOME),
    Case("iloc mask", lambda df, one: df.iloc[[True, False]], ALL, rows=(2,)),
    Case("loc rows and columns", lambda df, one: df.loc[df["i"].notna(), ["i", "s"]], ALL),
    Case("loc column slice", lambda df, one: df.loc[:, "u":"b"], ALL),
    Case("loc label", lambda df, one: df.loc["r000"], PLAIN, labels=("text",), rows=(2, 67)),
    Case("loc cell", lambda df, one: df.loc["r001", "i"], PLAIN, labels=("text",), rows=(2, 67)),
    Case("loc repeated label", lambda df, one: df.loc[0], ALL, labels=("repeated",), rows=(2, 67)),
    Case("loc labels", lambda df, one: df.loc[["r001", "r000"], "s"], ALL, labels=("text",), rows=(2, 67)),
    Case("loc range", lambda df, one: df.loc[1:4], ALL, labels=("default",)),
    Case("at", lambda df, one: df.at["r001", "s"], PLAIN, labels=("text",), rows=(2, 67)),
    Case("get", lambda df, one: [df.get("no", 3), len(df.get("i"))], ALL),
    Case("filter items", lambda df, one: df.filter(["s", "i", "no"]), ALL),
    Case("filter like", lambda df, one: df.filter(like="i"), ALL),
    Case("filter regex", lambda df, one: df.filter(regex="^[a-c]"), ALL),
    Case("sample all", lambda df, one: df.sample(frac=1, random_state=1).sort_index(), ALL, labels=UNIQUE),
    Case("columns and shape", lambda df, one: [list(df.columns), list(df.shape), df.size, df.ndim, df.empty, len(df), "i" in df, list(df)], ALL),
    Case("itertuples", lambda df, one: [tuple(row) for row in df.itertuples()], PLAIN),
]

CHANGE = [
    Case("assign", lambda df, one: df.assign(x=1, y=lambda d: d["i"] + d["x"]), PLAIN),
    Case("set new", lambda df, one: changed(df, put("new", 1.5)), ALL),
    Case("set values", lambda df, one: changed(df, put("i", lambda d: list(range(len(d))))), ALL, rows=SOME, types="kind"),
    Case("set text", lambda df, one: changed(df, put("new", "x")), ALL, rows=SOME),
    Case("set aligned", lambda df, one: changed(df, put("new", lambda d: d["i"].iloc[::-1])), ALL, labels=("text",)),
    Case("set part", lambda df, one: changed(df, put("new", lambda d: d["i"].iloc[1:5])), ALL, labels=("text",), rows=SOME),
    Case("set columns", lambda df, one: changed(df, put(["i", "j"], lambda d: d[["j", "i"]])), ALL, labels=UNIQUE),
    Case("set under mask", lambda df, one: changed(df, put_loc(lambda d: d["i"].notna(), "j", 7)), ALL),
    Case("set columns under mask", lambda df, one: changed(df, put_loc(lambda d: d["s"].isna(), ["i", "j"], 3)), ALL),
    Case("set label", lambda df, one: changed(df, put_loc("r001", "s", "new")), ALL, labels=("text",), rows=(2, 67)),
    Case("set cell", lambda df, one: changed(df, put_iloc(0, 1, 5)), ALL, rows=SOME),
    Case("set rows", lambda df, one: changed(df, put_iloc(slice(0, 3), slice(0, 2), 5)), ALL),
    Case("set missing", lambda df, one: changed(df, put_loc(lambda d: d["i"].notna(), "t", None)), ALL),
    Case("delete", lambda df, one: changed(df, lambda d: d.__delitem__("i")), ALL),
    Case("pop", lambda df, one: df.copy().pop("s"), ALL),
    Case("insert", lambda df, one: changed(df, lambda d: d.insert(1, "new", 2.5)), ALL),
    Case("rename", lambda df, one: df.rename(columns={"i": "x", "no": "y"}), ALL),
    Case("rename function", lambda df, one: df.rename(columns=str.upper), ALL),
    Case("rename all", lambda df, one: changed(df[["i", "s"]], lambda d: setattr(d, "columns", ["x", "y"])), ALL),
    Case("add_prefix", lambda df, one: df.add_prefix("p_"), ALL),
    Case("drop", lambda df, one: df.drop(columns=["i", "s"]), ALL),
    Case("drop axis", lambda df, one: df.drop("i", axis=1), ALL),
    Case("drop unknown", lambda df, one: df.drop(columns=["i", "no"], errors="ignore"), ALL),
    Case("drop rows", lambda df, one: df.drop(["r001"]), ALL, labels=("text",), rows=(2, 67)),
    Case("select_dtypes", lambda df, one: df.select_dtypes("number"), ("i", "u", "f", "g", "b", "t")),
    Case("select_dtypes without", lambda df, one: df.select_dtypes(exclude="number"), ("i", "u", "f", "g", "b", "t")),
    Case("set_index", lambda df, one: df.set_index("s"), ALL),
    Case("set_index two", lambda df, one: df.set_index(["s", "i"]), PLAIN),
    Case("set_index keep", lambda df, one: df.set_index("i", drop=False), PLAIN),
    Case("set_index append", lambda df, one: df.set_index("s", append=True), PLAIN),
    Case("reset_index", lambda df, one: df.reset_index(), ALL),
    Case("reset_index drop", lambda df, one: df.reset_index(drop=True), ALL),
    Case("there and back", lambda df, one: df.set_index(["i", "s"]).reset_index(), PLAIN),
    Case("sort_values", lambda df, one: df.sort_values("i"), ALL, lambda df, one: df.sort_values("i", kind="stable"), STABLE),
    Case("sort_values two", lambda df, one: df.sort_values(["b", "f"], ascending=[False, True]), PLAIN),
    Case(
        "sort_values first", lambda df, one: df.sort_values("s", na_position="first", ignore_index=True), PLAIN,
        lambda df, one: df.sort_values("s", na_position="first", ignore_index=True, kind="stable"), STABLE,
    ),
    Case("sort_index", lambda df, one: df.iloc[::-1].sort_index(), ALL, labels=UNIQUE),
    Case("sort_index down", lambda df, one: df.sort_index(ascending=False), ALL, labels=UNIQUE),
    Case("nlargest", lambda df, one: df.nlargest(3, "i"), ALL, nulls=("none", "some")),
    Case("nsmallest", lambda df, one: df.nsmallest(3, "f"), ALL, nulls=("none", "some")),
    Case("drop_duplicates", lambda df, one: df.drop_duplicates("b"), ALL),
    Case("drop_duplicates last", lambda df, one: df.drop_duplicates(["b", "u"], keep="last", ignore_index=True), ALL),
    Case("duplicated", lambda df, one: df.duplicated(["b"]), ALL),
    Case("duplicated all", lambda df, one: df[["b", "u"]].duplicated(keep=False), ALL),
    Case("value_counts", lambda df, one: df.value_counts(["b"]).sort_index(), PLAIN, types="kind"),
    Case("value_counts column", lambda df, one: df["s"].value_counts(), PLAIN, lambda df, one: counted(df["s"]), "value-counts-ties"),
]  # fmt: skip

MISSINGNESS = [
    Case("isna", lambda df, one: df.isna(), ALL),
    Case("notna", lambda df, one: df.notna(), ALL),
    Case("dropna", lambda df, one: df.dropna(), ALL),
    Case("dropna all", lambda df, one: df.dropna(how="all"), ALL),
    Case("dropna subset", lambda df, one: df.dropna(subset=["i", "s"]), ALL),
    Case("dropna thresh", lambda df, one: df.dropna(thresh=6), ALL),
    Case("fillna", lambda df, one: df.fillna(3), NUMERIC),
    Case("fillna by column", lambda df, one: df.fillna({"i": 1, "s": "x"}), ALL),
    Case("where", lambda df, one: df.where(df.isna(), 3), NUMERIC),
    Case("where missing", lambda df, one: df.where(df.isna()), PLAIN),
    Case("mask", lambda df, one: df.mask(df.isna(), 4), NUMERIC),
    Case("isin", lambda df, one: df.isin([one, 3]), NUMERIC),
    Case("isin by column", lambda df, one: df.isin({"i": [one], "s": ["a"]}), PLAIN),
]

ARITHMETIC = [
    Case("add one", lambda df, one: df + 1, NUMERIC),
    Case("one minus", lambda df, one: 1 - df, NUMERIC),
    Case("add frame", lambda df, one: df + df, NUMERIC),
    Case("add part", lambda df, one: df + df.iloc[1:9], NUMERIC, labels=("text",)),
    Case("add other columns", lambda df, one: df + df[["j", "i"]], NUMERIC, types="kind"),
    Case("add row", lambda df, one: df + df.head(4).max(), ("i", "j"), nulls=("none", "some"), rows=(67,)),
    Case("sub list", lambda df, one: df - [1, 2, 3], NUMERIC),
    Case("add with fill", lambda df, one: df.add(df.iloc[1:9], fill_value=1), NUMERIC, labels=("text",)),
    Case("compare", lambda df, one: df > 2, NUMERIC, lambda df, one: df.gt(2).apply(plainly), MISSING),
    Case("compare frames", lambda df, one: df == df, NUMERIC, lambda df, one: (df == df).apply(plainly), MISSING),
    Case("abs", lambda df, one: df.abs(), NUMERIC),
    Case("negative", lambda df, one: -df, NUMERIC),
    Case("round", lambda df, one: df.round(1), ("f", "g")),
    Case("clip", lambda df, one: df.clip(-1, 1), NUMERIC),
    Case("and", lambda df, one: df.isna() & df.notna(), PLAIN),
    Case("not", lambda df, one: ~df.isna(), PLAIN),
    Case("column arithmetic", lambda df, one: df["i"] * 2 + df["f"], NUMERIC),
]

AGGREGATE = [
    Case("sum", lambda df, one: df.sum(), ("i", "j"), types="kind"),
    Case("sum numeric", lambda df, one: df.sum(numeric_only=True), ("i", "f", "s"), types="kind"),
    Case("mean", lambda df, one: df.mean(), NUMERIC, types="kind"),
    Case("min", lambda df, one: df.min(), ("i", "j"), types="kind"),
    Case("max", lambda df, one: df.max(), ("i", "j", "f"), types="values"),
    Case("count", lambda df, one: df.count(), ALL),
    Case("median", lambda df, one: df.median(), NUMERIC, types="kind"),
    Case("std", lambda df, one: df.std(), NUMERIC, types="kind"),
    Case("var", lambda df, one: df.var(ddof=0), NUMERIC, types="kind"),
    Case("nunique", lambda df, one: df.nunique(), ALL, types="kind"),
    Case("any", lambda df, one: df.isna().any(), PLAIN),
    Case("all", lambda df, one: df.isna().all(), PLAIN),
    Case("quantile", lambda df, one: df.quantile(0.3).rename(None), NUMERIC, rows=SOME, types="values"),
    Case("sum of rows", lambda df, one: df.sum(axis=1), NUMERIC, types="values"),
    Case("mean of rows", lambda df, one: df.mean(axis=1), NUMERIC, types="values"),
    Case("min of rows", lambda df, one: df.min(axis=1), NUMERIC, types="values"),
    Case("max of rows", lambda df, one: df.max(axis=1), NUMERIC, types="values"),
    Case("count of rows", lambda df, one: df.count(axis=1), ALL),
    Case("any of rows", lambda df, one: df.isna().any(axis=1), PLAIN),
    Case("all of rows", lambda df, one: df.isna().all(axis=1), PLAIN),
    Case("agg name", lambda df, one: df.agg("mean"), NUMERIC, types="kind"),
    Case("agg list", lambda df, one: df.agg(["min", "max"]), ("i", "j"), types="values"),
    Case("agg dict", lambda df, one: df.agg({"i": "sum", "j": "max"}), ("i", "j"), types="kind"),
    Case("agg dict of lists", lambda df, one: df.agg({"i": ["sum"], "j": ["max", "sum"]}), ("i", "j"), types="values"),
    Case("describe", lambda df, one: df.describe(), NUMERIC, types="values"),
]

OUT = [
    Case("to_dict list", lambda df, one: df.to_dict("list"), PLAIN),
    Case("to_dict records", lambda df, one: df.to_dict("records"), PLAIN),
    Case("to_dict", lambda df, one: df.to_dict(), PLAIN, labels=UNIQUE),
    Case("items", lambda df, one: dict(df.items()), PLAIN),
    Case("index", lambda df, one: df.index, PLAIN),
    Case("to_numpy", lambda df, one: df.to_numpy(), ("f", "i"), nulls=("none",), rows=SOME),
]

CASES = [*SELECT, *CHANGE, *MISSINGNESS, *ARITHMETIC, *AGGREGATE, *OUT]
