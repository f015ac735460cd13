"""Cases of a series; `one` is a value of the series' dtype. See `parity.py`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.frame.parity import BOOLS, EVERY, FLOATS, INTS, NUMBERS, PLAIN, TEXT, UNIQUE, Case

SOME = (1, 2, 67)   # rows where a position must be there
ORDERED = (*NUMBERS, *TEXT, "date32", "timestamp[us]", "timestamp[ns, UTC]", "duration[ms]", "decimal128(12, 2)")
NO_CATEGORY = tuple(name for name in EVERY if name != "category")
MISSING = "comparison-with-missing"


def assigned(series: Any, key: Any, value: Any, indexer: str = "loc") -> Any:
    """A copy after ``series.loc[key] = value``."""
    new = series.copy()
    if indexer == "[]":
        new[key] = value
    else:
        getattr(new, indexer)[key] = value
    return new


def plainly(mask: Any) -> Any:
    """pandas' answer with NA, as a plain bool."""
    return mask.astype("boolean").fillna(False).astype(bool)


def not_equal(mask: Any) -> Any:
    return mask.astype("boolean").fillna(True).astype(bool)


SELECT = [
    Case("head", lambda s, one: s.head(3)),
    Case("head negative", lambda s, one: s.head(-2)),
    Case("head none", lambda s, one: s.head(0)),
    Case("tail", lambda s, one: s.tail(3)),
    Case("tail none", lambda s, one: s.tail(0)),
    Case("tail negative", lambda s, one: s.tail(-2)),
    Case("take", lambda s, one: s.take([0, -1, 0]), rows=SOME),
    Case("take nothing", lambda s, one: s.take([])),
    Case("iloc slice", lambda s, one: s.iloc[1:9]),
    Case("iloc step", lambda s, one: s.iloc[2:60:3]),
    Case("iloc backwards", lambda s, one: s.iloc[::-1]),
    Case("iloc last rows", lambda s, one: s.iloc[-3:]),
    Case("iloc list", lambda s, one: s.iloc[[-1, 0]], rows=SOME),
    Case("iloc one", lambda s, one: s.iloc[-1], rows=SOME),
    Case("iat", lambda s, one: s.iat[0], rows=SOME),
    Case("iloc of iloc", lambda s, one: s.iloc[3:50].iloc[5:20]),
    Case("slice", lambda s, one: s[1:5]),
    Case("loc range", lambda s, one: s.loc[0:20], labels=("default",)),
    Case("loc label", lambda s, one: s.loc["r000"], labels=("text",), rows=(2, 67)),
    Case("loc repeated label", lambda s, one: s.loc[0], labels=("repeated",), rows=(2, 67)),
    Case("loc labels", lambda s, one: s.loc[["r001", "r000", "r001"]], labels=("text",), rows=(67,)),
    Case("loc slice of repeated labels", lambda s, one: s.loc[3:7], labels=("repeated",), rows=(0, 1, 67)),
    Case("at", lambda s, one: s.at["r000"], labels=("text",), rows=(2, 67)),
    Case("label in brackets", lambda s, one: s["r000"], labels=("text",), rows=(2, 67)),
    Case("mask in brackets", lambda s, one: s[s.notna()]),
    Case("mask of all false", lambda s, one: s[s.notna() & s.isna()]),
    Case("mask in loc", lambda s, one: s.loc[s.isna()]),
    Case("mask list", lambda s, one: s[[True, False]], rows=(2,)),
    Case("copy", lambda s, one: s.copy()),
    Case("sample all", lambda s, one: s.sample(frac=1, random_state=0).sort_index(), labels=UNIQUE),
    Case("rename", lambda s, one: s.rename("y")),
    Case("to_frame", lambda s, one: s.to_frame()),
    Case("to_frame name", lambda s, one: s.to_frame("y")),
    Case("reset_index", lambda s, one: s.reset_index()),
    Case("reset_index drop", lambda s, one: s.reset_index(drop=True)),
    Case("sort_index", lambda s, one: s.iloc[::-1].sort_index(), labels=UNIQUE),
    Case("sort_index stable", lambda s, one: s.sort_index(), expected=lambda s, one: s.sort_index(kind="stable"), reason="sort-is-stable"),
    Case("index", lambda s, one: s.index),
    Case("len and size", lambda s, one: [len(s), s.size, list(s.shape), s.ndim, s.empty]),
    Case("label contained", lambda s, one: ["r000" in s, "no" in s], labels=("text",)),
]

ASSIGN = [
    Case("set mask", lambda s, one: assigned(s, s.isna(), one, "[]"), NO_CATEGORY),
    Case("set loc mask", lambda s, one: assigned(s, s.notna(), one), NO_CATEGORY),
    Case("set missing", lambda s, one: assigned(s, s.notna(), None), NO_CATEGORY),
    Case("set slice", lambda s, one: assigned(s, slice(1, 5), one, "iloc"), NO_CATEGORY),
    Case("set position", lambda s, one: assigned(s, -1, one, "iloc"), NO_CATEGORY, rows=SOME),
    Case("set iat", lambda s, one: assigned(s, 0, one, "iat"), NO_CATEGORY, rows=SOME),
    Case("set at", lambda s, one: assigned(s, "r000", one, "at"), NO_CATEGORY, labels=("text",), rows=(2, 67)),
    Case("set values", lambda s, one: assigned(s, [0, -1], [one, one], "iloc"), NO_CATEGORY, rows=(2, 67)),
    Case("set label range", lambda s, one: assigned(s, slice("r000", "r000"), one), NO_CATEGORY, labels=("text",), rows=(2, 67)),
]

MISSINGNESS = [
    Case("isna", lambda s, one: s.isna()),
    Case("notna", lambda s, one: s.notna()),
    Case("dropna", lambda s, one: s.dropna()),
    Case("hasnans", lambda s, one: s.hasnans),
    Case("fillna", lambda s, one: s.fillna(one), NO_CATEGORY),
    Case("fillna series", lambda s, one: s.fillna(s.iloc[::-1]), NO_CATEGORY, labels=UNIQUE),
    Case("ffill", lambda s, one: s.ffill(), NO_CATEGORY),
    Case("bfill", lambda s, one: s.bfill(), NO_CATEGORY),
    Case("where", lambda s, one: s.where(s.isna(), one), NO_CATEGORY),
    Case("where missing", lambda s, one: s.where(s.isna()), NO_CATEGORY),
    Case("where series", lambda s, one: s.where(s.notna(), s.iloc[::-1]), NO_CATEGORY, labels=UNIQUE),
    Case("mask", lambda s, one: s.mask(s.notna(), one), NO_CATEGORY),
    Case("isin", lambda s, one: s.isin([one]), tuple(name for name in NO_CATEGORY if "ns" not in name)),   # pandas cuts to microseconds
    Case("isin nothing", lambda s, one: s.isin([])),
    Case("map", lambda s, one: s.map({one: 1}), (*INTS, *TEXT), types="values"),
    Case("replace", lambda s, one: s.replace(one, s.max()), (*NUMBERS, "timestamp[us]"), nulls=("none", "some"), rows=SOME),
]

COMPARE = [
    Case("equal", lambda s, one: s == one, NO_CATEGORY, lambda s, one: plainly(s == one), MISSING),
    Case("not equal", lambda s, one: s != one, NO_CATEGORY, lambda s, one: not_equal(s != one), MISSING),
    Case("less", lambda s, one: s < one, ORDERED, lambda s, one: plainly(s < one), MISSING),
    Case("at most", lambda s, one: s <= one, ORDERED, lambda s, one: plainly(s <= one), MISSING),
    Case("greater", lambda s, one: s > one, ORDERED, lambda s, one: plainly(s > one), MISSING),
    Case("at least", lambda s, one: s.ge(one), ORDERED, lambda s, one: plainly(s.ge(one)), MISSING),
    Case("between", lambda s, one: s.between(one, one), ORDERED, lambda s, one: plainly(s.between(one, one)), MISSING),
    Case("equal itself", lambda s, one: s == s, NO_CATEGORY, lambda s, one: plainly(s == s), MISSING),
    Case("less than shifted", lambda s, one: s < s.shift(1), ORDERED, lambda s, one: plainly(s < s.shift(1)), MISSING),
    Case("and", lambda s, one: s.isna() & (s == one), NO_CATEGORY, lambda s, one: s.isna() & plainly(s == one), MISSING),
    Case("or not", lambda s, one: s.isna() | ~(s == one), NO_CATEGORY, lambda s, one: s.isna() | ~plainly(s == one), MISSING),
    Case("xor", lambda s, one: s.isna() ^ s.notna()),
]

SUMMABLE = (*NUMBERS, "decimal128(12, 2)")
ARITHMETIC = [
    Case("add one", lambda s, one: s + 1, ("int64", "float64")),
    Case("one minus", lambda s, one: 1 - s, ("int64", "float64")),
    Case("times two", lambda s, one: s * 2, ("int64", "float64")),
    Case("halved", lambda s, one: s / 2, ("int64", "float64")),
    Case("divided by itself", lambda s, one: s / s.where(s != 0), ("int64", "float64"), lambda s, one: s / s.where((s != 0).fillna(False)), MISSING),
    Case("floor division", lambda s, one: s // 3, ("int64", "float64")),
    Case("remainder", lambda s, one: s % 3, ("int64",), lambda s, one: s - (s // 3) * 3, "pandas' ArrowDtype has no remainder"),
    Case("power", lambda s, one: s**2, ("int64", "float64")),
    Case("negative", lambda s, one: -s, ("int8", "int64", *FLOATS)),
    Case("abs", lambda s, one: abs(s), ("int8", "int64", *FLOATS)),
    Case("round", lambda s, one: s.round(1), FLOATS),
    Case("round ints", lambda s, one: s.round(), ("int64", "float64")),
    Case("clip", lambda s, one: s.clip(-3, 5), ("int64", "float64")),
    Case("clip below", lambda s, one: s.clip(lower=0), ("int64", "float64")),
    Case("add itself", lambda s, one: s + s, ("int64", "float32", "float64")),
    Case("subtract aligned", lambda s, one: s - s.iloc[::-1], ("int64", "float64"), labels=("text",)),
    Case("add part", lambda s, one: s + s.iloc[1:5], ("int64", "float64"), labels=("text",)),
    Case("add repeated labels", lambda s, one: s + s.iloc[1:9], ("int64", "float64"), labels=("repeated",)),
    Case("add with fill", lambda s, one: s.add(s.iloc[1:5], fill_value=10), ("int64", "float64"), labels=("text",)),
    Case("sub method", lambda s, one: s.sub(4), ("int64", "float64")),
    Case("add text", lambda s, one: s + "!", ("string",)),
    Case("difference of times", lambda s, one: s - s.shift(1), ("timestamp[us]",)),
]

AGGREGATE = [
    Case("sum", lambda s, one: s.sum(), SUMMABLE, rows=SOME),
    Case("sum of nothing", lambda s, one: s.sum(), NUMBERS, rows=(0,)),
    Case("sum min_count", lambda s, one: s.sum(min_count=2), NUMBERS),
    Case("sum strict", lambda s, one: s.sum(skipna=False), NUMBERS),
    Case("prod", lambda s, one: s.head(5).prod(), ("int64", *FLOATS)),
    Case("mean", lambda s, one: s.mean(), NUMBERS),
    Case("mean strict", lambda s, one: s.mean(skipna=False), NUMBERS),
    Case("min", lambda s, one: s.min(), ORDERED),
    Case("max", lambda s, one: s.max(), ORDERED),
    Case("count", lambda s, one: s.count()),
    Case("median", lambda s, one: s.median(), NUMBERS),
    Case("var", lambda s, one: s.var(), NUMBERS),
    Case("std", lambda s, one: s.std(), NUMBERS),
    Case("std ddof", lambda s, one: s.std(ddof=0), NUMBERS),
    Case("sem", lambda s, one: s.sem(), NUMBERS),
    Case("any", lambda s, one: s.any(), ("bool", "int64", "float64")),
    Case("all", lambda s, one: s.all(), ("bool", "int64", "float64")),
    Case("sum of bools", lambda s, one: s.sum(), BOOLS),
    Case("nunique", lambda s, one: s.nunique()),
    Case("nunique with missing", lambda s, one: s.nunique(dropna=False)),
    Case("quantile", lambda s, one: s.quantile(0.3), NUMBERS),
    Case("quantiles", lambda s, one: s.quantile([0.25, 0.75]), NUMBERS, types="kind"),
    Case("quantile lower", lambda s, one: s.quantile(0.3, interpolation="lower"), ("int64", "float64")),
    Case("idxmax", lambda s, one: s.idxmax(), NUMBERS, nulls=("none", "some", "first"), rows=(2, 67), labels=UNIQUE),
    Case("idxmin", lambda s, one: s.idxmin(), NUMBERS, nulls=("none", "last"), rows=(2, 67), labels=UNIQUE),
    Case("agg name", lambda s, one: s.agg("mean"), NUMBERS),
    Case("agg list", lambda s, one: s.agg(["min", "max", "mean"]), FLOATS, types="values"),
    Case("describe", lambda s, one: s.describe(), ("int64", *FLOATS), types="values"),
    Case("is_unique", lambda s, one: s.is_unique),
    Case("dot", lambda s, one: s.dot(s), ("float64",), rows=SOME, nulls=("none",)),
]

CATALOGUE = [
    Case("unique", lambda s, one: s.unique(), PLAIN),
    Case("drop_duplicates", lambda s, one: s.drop_duplicates()),
    Case("drop_duplicates last", lambda s, one: s.drop_duplicates(keep="last")),
    Case("drop_duplicates none", lambda s, one: s.drop_duplicates(keep=False)),
    Case("duplicated", lambda s, one: s.duplicated()),
    Case("value_counts", lambda s, one: s.value_counts(), NO_CATEGORY, lambda s, one: counted(s), "value-counts-ties"),
    Case("value_counts with missing", lambda s, one: s.value_counts(dropna=False), NO_CATEGORY, lambda s, one: counted(s, dropna=False), "value-counts-ties"),
    Case("value_counts unsorted", lambda s, one: s.value_counts(sort=False).sort_index(), ("int64", "string"), types="kind"),
    Case("value_counts shares", lambda s, one: s.value_counts(normalize=True).sort_index(), ("int64", "string"), types="kind"),
    Case("sort_values", lambda s, one: s.sort_values(), ORDERED, lambda s, one: s.sort_values(kind="stable"), "sort-is-stable"),
    Case(
        "sort_values down", lambda s, one: s.sort_values(ascending=False), ORDERED,
        lambda s, one: s.sort_values(ascending=False, kind="stable"), "sort-is-stable",
    ),
    Case(
        "sort_values missing first", lambda s, one: s.sort_values(na_position="first", ignore_index=True), ORDERED,
        lambda s, one: s.sort_values(na_position="first", kind="stable", ignore_index=True), "sort-is-stable",
    ),
    Case("nlargest", lambda s, one: s.nlargest(4), ("int64", "float64"), nulls=("none", "some", "first")),
    Case("nsmallest", lambda s, one: s.nsmallest(4), ("int64", "float64"), nulls=("none", "some", "first")),
    Case("astype float", lambda s, one: s.astype("float64"), INTS, lambda s, one: s.astype("double[pyarrow]"), "pandas' name of ArrowDtype"),
    Case("astype text", lambda s, one: s.astype("string"), ("int64", "bool"), lambda s, one: as_text(s), "pandas' text of a bool"),
    Case("tolist", lambda s, one: s.tolist()),
    Case("iterate", lambda s, one: list(s)),
    Case("to_dict", lambda s, one: s.to_dict(), labels=UNIQUE),
    Case("items", lambda s, one: [list(pair) for pair in s.items()]),
]  # fmt: skip


def counted(series: pd.Series, dropna: bool = True) -> pd.Series:
    """Counts, most frequent first, ties in order of appearance."""
    values = series.dropna() if dropna else series
    counts = values.groupby(values, sort=False, dropna=False).size().astype("int64[pyarrow]")
    counts.index.name = series.name
    return counts.sort_values(ascending=False, kind="stable").rename("count")


def as_text(series: pd.Series) -> pd.Series:
    names = {True: "true", False: "false"}
    texts = [None if value is pd.NA else names.get(value, str(value)) if isinstance(value, bool) else str(value) for value in series]
    return pd.Series(texts, index=series.index, name=series.name, dtype="string[pyarrow]")


CASES = [*SELECT, *ASSIGN, *MISSINGNESS, *COMPARE, *ARITHMETIC, *AGGREGATE, *CATALOGUE]
