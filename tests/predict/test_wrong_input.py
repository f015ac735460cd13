"""What wrong input says: what happened, what was given, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lightgbm import LGBMRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor

import fastframe as ff
from fastframe.errors import ArgumentError, ContractError, FastFrameError, FileMissing, ModelFileError, UnsupportedModel
from fastframe.predict.__main__ import main

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"age": RNG.normal(40, 9, 60), "income": RNG.normal(size=60), "kids": RNG.integers(0, 4, 60)})
MODEL = LinearRegression().fit(FRAME, FRAME["age"])
BY_NAME = ff.compile(MODEL)
BY_PLACE = ff.compile(RandomForestRegressor(2, random_state=0).fit(FRAME.to_numpy(), FRAME["age"]))


@pytest.mark.parametrize(("data", "says"), [
    (FRAME.rename(columns={"income": "incom"}), "no column 'income'. Did you mean 'incom'"),
    (FRAME.assign(age="old"), "column 'age' is string, but the model takes float64"),
    (FRAME.assign(age=pd.Timestamp("2020-01-01")), "column 'age' is timestamp"),
    (FRAME.assign(age=np.nan), "60 missing values, and the model was fitted without any"),
    (FRAME.assign(kids=2**53 + 1), "values that float64 does not have, for example 9007199254740993$"),
    (FRAME["age"], "type Series cannot be predicted from. Make it a frame first"),
    (pl.Series("age", [1.0]), "type Series cannot be predicted from"),
    (pl.DataFrame({"age": [1.0]}).lazy(), "LazyFrame cannot be predicted from. Collect it first"),
    (FRAME.to_dict("records"), "type list cannot be predicted from.*predict_row takes a single row"),
    ({"age": 1.0, "income": 1.0, "kids": 1}, "column 'age' is 1.0, which is no array of values.*predict_row"),
    ({"age": "12", "income": [1.0], "kids": [1]}, "column 'age' is '12', which is no array"),
    ({"age": np.array(1.0), "income": [1.0], "kids": [1]}, "which is no array"),
    ({"age": np.ma.masked_invalid([np.nan]), "income": [1.0], "kids": [1]}, "masked array.*x.filled"),
    (None, "NoneType cannot be predicted from"),
])  # fmt: skip
def test_frames(data: Any, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        BY_NAME.predict(data)


@pytest.mark.parametrize(("data", "says"), [
    (np.zeros((2, 2)), "2 features came in.*the model takes 3"), (np.zeros(3), r"1 dimensions.*x.reshape\(1, -1\)"), (np.zeros((1, 1, 3)), "3 dimensions"),
    (np.ma.masked_less(np.zeros((2, 3)), 1), "masked array"), (np.array([["a", 1, 2]], object), "column 'x0' is string"), ([], "type list"),
    (FRAME.assign(kids="1"), "column 'kids' is string"),
])  # fmt: skip
def test_arrays(data: Any, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        BY_PLACE.predict(data)


@pytest.mark.parametrize(("row", "says"), [
    ({"age": 1.0, "incme": 1.0, "kids": 1}, "no column 'income'. Did you mean 'incme'"), ((1.0, 2.0), "2 features came in"),
    ((1.0, 2.0, "x"), "column 'kids' is string"), ((1.0, 2.0, 10**30), "int of at most 64 bits"), ((1.0, [2.0], 1), r"'income' is \[2.0\], which is no"),
    ((None, 1.0, 1), "'age' has 1 missing value"), ((pd.NA, 1.0, 1), "'age' has 1 missing value"), (FRAME.iloc[0], "Series is no row.*to_dict"),
    ({1.0, 2.0, 3.0}, "type set is no row"),
])  # fmt: skip
def test_rows(row: Any, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        BY_NAME.predict_row(row)


def test_missing_values_of_pandas_are_missing() -> None:
    frame = FRAME.assign(age=np.where(FRAME["kids"] == 0, np.nan, FRAME["age"]))
    found = ff.compile(HistGradientBoostingRegressor(max_iter=3).fit(frame, FRAME["income"]))
    assert found.predict_row({"age": pd.NA, "income": 0.1, "kids": 1}) == found.predict_row((None, 0.1, 1)) == found.predict_row((np.nan, 0.1, 1))


@pytest.mark.parametrize("model", [
    RandomForestRegressor(), HistGradientBoostingRegressor(), LinearRegression(), KNeighborsRegressor(), make_pipeline(StandardScaler(), LinearRegression()),
    XGBRegressor(), LGBMRegressor(),
])  # fmt: skip
def test_models_that_are_not_fitted(model: Any) -> None:
    for fallback in ("error", "native"):
        with pytest.raises(UnsupportedModel, match=f"{type(model).__name__} is not fitted. Call its fit"):
            ff.compile(model, fallback=fallback)   # type: ignore[arg-type]
    assert not ff.can_compile(model).ok


@pytest.mark.parametrize(("given", "says"), [
    (RandomForestRegressor, "RandomForestRegressor is a class.*fit an instance"), (None, "type NoneType is no model"), ("model.joblib", "type str is no model"),
    (FRAME, "pandas.DataFrame is no model"), (ff.DataFrame({"a": [1]}), "fastframe.DataFrame is no model"), (BY_NAME, "fastframe.Predictor is no model"),
])  # fmt: skip
def test_what_is_no_model(given: Any, says: str) -> None:
    for fallback in ("error", "native"):
        with pytest.raises(UnsupportedModel, match=says):
            ff.compile(given, fallback=fallback)   # type: ignore[arg-type]
    assert not ff.can_compile(given).ok


@pytest.mark.parametrize("into", [5, None, [1], ["a", "b"], []])
def test_names_of_answers(into: Any) -> None:
    with pytest.raises(ArgumentError, match=r"predict was given into=.* Allowed are: 'one name'\.$"):
        BY_NAME.columns(FRAME, into)


@pytest.mark.parametrize("given", [None, 5, b"bytes"])
def test_paths(given: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is no path of a file"):
        ff.load_predictor(given)
    with pytest.raises(ModelFileError, match="is no path of a file"):
        BY_NAME.save(given)
    with pytest.raises(ModelFileError, match="is a folder"):
        BY_NAME.save(tmp_path)
    with pytest.raises(FileMissing):
        ff.load_predictor(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, source, target = (str(tmp_path / name) for name in ("m.ffp", "in.parquet", "out.parquet"))
    BY_NAME.save(model)
    FRAME.to_parquet(source)
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.Table.from_pandas(FRAME), tmp_path / "rows" / "a.parquet")
    (tmp_path / "rows" / "b.parquet").write_text("no Parquet file at all")
    cases = {
        (source, source): "in.parquet is also what is read", (source, target, "--keep", "age", "--into", "age"): "'age' would occur more than once",
        (str(tmp_path / "rows"), target): "b.parquet could not be read", (source, target, "--keep", "ages"): "Did you mean 'age'",
        (source, target, "--method", "predict_prob"): "has no predict_prob",
    }  # fmt: skip
    for given, says in cases.items():
        assert main([model, *given, "--quiet"]) == 1
        assert says in capsys.readouterr().err
    assert not Path(target).exists() and pq.read_table(source).num_rows == 60


def test_categories_that_xgboost_itself_cuts() -> None:
    """XGBoost 3.2 takes the number of letters of a pandas frame's categories for their number of bytes."""
    frame = pd.DataFrame({"c": pd.Categorical.from_codes(np.arange(60) % 3, ["aé", "bé", "cü"])})
    model = XGBRegressor(n_estimators=2, enable_categorical=True).fit(frame, np.arange(60) % 3)
    with pytest.raises(FastFrameError, match="Name them in ASCII"):
        ff.compile(model)
