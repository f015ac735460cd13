"""Random models of every kind over random frames, however these are held: the native model's bits, in any batches, on any threads."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

import fastframe as ff
from fastframe.predict.check import differing
from fastframe.predict.predictor import Predictor
from tests.predict.native import SPECIAL

Array = np.ndarray[Any, Any]
CATEGORIES: dict[str, list[Any]] = {"text": [f"c{place:02d}" for place in range(12)], "whole": [7, -3, 5, 100], "flag": [True, False]}
TEXT_ONLY = ("xgboost", "pipeline")   # XGBoost compares other categories' dtypes; encoders of pipelines get text here


def frame(rng: np.random.Generator, n_rows: int, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Number columns of several dtypes and categories, with missing values."""
    wide = np.round(rng.normal(size=n_rows), 2)
    wide[rng.random(n_rows) < 0.2] = np.nan
    columns: dict[str, Any] = {
        "wide": wide, "narrow": rng.normal(size=n_rows).astype(np.float32), "whole8": rng.integers(-9, 9, n_rows).astype(np.int8),
        "natural": rng.integers(0, 60000, n_rows).astype(np.uint16), "yes": rng.random(n_rows) < 0.4,
    }  # fmt: skip
    for kind in kinds:
        columns[kind] = pd.Categorical.from_codes(rng.integers(-1, len(CATEGORIES[kind]), n_rows), CATEGORIES[kind])
    return pd.DataFrame(columns)


def fitted(rng: np.random.Generator, family: str, *, classify: bool) -> Any:
    kinds = ("text",) if family in TEXT_ONLY else tuple(CATEGORIES)
    given = frame(rng, 300, kinds)
    y = given["narrow"].to_numpy() * 3 + np.nan_to_num(given["wide"]) + given["text"].cat.codes % 5 + given["whole8"] / 4
    target: Any = np.digitize(y, np.quantile(y, [0.3, 0.6])) if classify else y
    trees = int(rng.choice([3, 25]))
    if family == "xgboost":
        booster = "dart" if rng.random() < 0.3 else "gbtree"
        return (XGBClassifier if classify else XGBRegressor)(n_estimators=trees, enable_categorical=True, booster=booster, n_jobs=1).fit(given, target)
    if family == "lightgbm":
        options = {"n_estimators": trees, "verbose": -1, "n_jobs": 1, "min_data_per_group": 2, "zero_as_missing": bool(rng.random() < 0.3)}
        return (LGBMClassifier if classify else LGBMRegressor)(**options).fit(given, target)
    last = (HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor)(max_iter=trees, categorical_features="from_dtype")
    if family == "hist":
        return last.fit(given, target)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoders = ColumnTransformer([("n", numbers, ["wide", "narrow", "whole8", "natural"]), ("c", one_hot, ["text"])])
    return make_pipeline(encoders, last).fit(given, target)


def given_rows(rng: np.random.Generator, kinds: tuple[str, ...], n_rows: int) -> pd.DataFrame:
    """New rows; some numbers are special ones."""
    rows = frame(rng, n_rows, kinds)
    special = [one for one in SPECIAL if np.isfinite(one) and abs(one) < 1e38]
    put = rng.random(n_rows) < 0.2
    rows.loc[put, "wide"] = rng.choice(special, int(put.sum()))
    return rows


def permuted(rng: np.random.Generator, table: pa.Table) -> pa.Table:
    """The same values under dictionaries of another order."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        whole = column.combine_chunks()
        if pa.types.is_dictionary(whole.type):
            order = rng.permutation(len(whole.dictionary))
            places = pa.array(np.argsort(order).astype(np.int16))
            whole = pa.DictionaryArray.from_arrays(places.take(whole.indices), whole.dictionary.take(pa.array(order)))
        columns[name] = whole
    return pa.table(columns)


def held(rng: np.random.Generator, rows: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """The same rows, held in other ways."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    padded = pa.concat_tables([table.slice(0, 13), table]).combine_chunks().slice(min(13, len(rows)))
    texts = {name: column.combine_chunks() for name, column in zip(table.column_names, table.columns, strict=True)}
    plain = pa.table({name: one.dictionary_decode() if pa.types.is_dictionary(one.type) else one for name, one in texts.items()})
    yield "pandas, other columns, turned round", rows.assign(other="x")[["other", *reversed(list(rows))]]
    yield "pandas' nullable dtypes", rows.convert_dtypes()
    yield "a table with offsets of bits", padded
    yield "chunks", pa.concat_tables([table.slice(0, 1), table.slice(1, 40), table.slice(41)])
    yield "permuted dictionaries", permuted(rng, table)
    yield "plain values", plain
    yield "polars", pl.from_arrow(plain)
    yield "fastframe", ff.DataFrame(padded)
    yield "a dict", {name: column if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy() for name, column in rows.items()}


def assert_bits(found: Any, expected: Any, what: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape and found.dtype == expected.dtype, what
    assert not differing(found, expected).any(), what


def check_row(ours: Predictor, rows: pd.DataFrame, row: int, method: str, expected: Array) -> None:
    given = {name: None if pd.isna(rows[name].iloc[row]) else rows[name].iloc[row] for name in rows}
    found = ours.predict_row(given, method)
    assert np.asarray(found == expected).all(), (method, given)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("family", ["hist", "xgboost", "lightgbm", "pipeline"])
def test_bits_of_random_models(family: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng([seed, *family.encode()])
    model = fitted(rng, family, classify=seed == 1)
    kinds = ("text",) if family in TEXT_ONLY else tuple(CATEGORIES)
    ours = ff.compile(model)
    ours.save(tmp_path / "model.ffp")
    others = {"loaded": ff.load_predictor(tmp_path / "model.ffp"), "pickled": pickle.loads(pickle.dumps(ours))}
    for method in (name for name in ("predict", "predict_proba") if name in ours.methods):
        for n_rows in (0, 1, 300):
            rows = given_rows(rng, kinds, n_rows)
            native: Callable[[Any], Array] = getattr(model, method)
            expected = np.asarray(native(rows)) if n_rows else ours.answer(method, rows)
            assert len(expected) == n_rows
            for what, given in [("itself", rows), *held(rng, rows)]:
                with ff.option_context(threads=int(rng.choice([1, 2, 4]))):
                    assert_bits(ours.answer(method, given), expected, f"{what}, {n_rows} rows")
            for what, other in others.items():
                assert_bits(other.answer(method, rows), expected, what)
        for size in (1, 3, 5, 64):
            parts = [ours.answer(method, rows[start : start + size]) for start in range(0, 3 * size, size)]
            assert_bits(np.concatenate(parts), expected[: 3 * size], f"batches of {size}")
        for row in range(0, 300, 60):
            check_row(ours, rows, row, method, expected[row])
