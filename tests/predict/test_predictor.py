"""Predictors: every kind of input, every method, one row, threads, files, and models that are not compiled."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier

import fastframe as ff
from fastframe.errors import ArgumentError, ContractError, ModelFileError, UnsupportedModel
from fastframe.predict.decide import Decide
from fastframe.predict.predictor import Predictor
from tests.predict.small import slow_answer, small_model

ROOT = Path(__file__).parents[2]
METHODS = ("predict", "predict_proba", "margin")


def frame_of(n_rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(n_rows)
    return pd.DataFrame({
        "extra": np.arange(n_rows), "kind": pd.Categorical(rng.choice(["ä", "a", "b"], n_rows), ["ä", "b", "unused", "a"]),
        "size": np.where(rng.random(n_rows) < 0.2, np.nan, rng.choice([-0.5, -0.4999, 3.0, -9.0], n_rows)), "flag": rng.random(n_rows) < 0.5,
    })  # fmt: skip


@pytest.mark.parametrize("n_rows", [1, 2, 63, 64, 65, 700])
@pytest.mark.parametrize("method", METHODS)
def test_answers_are_the_slow_twins(n_rows: int, method: str) -> None:
    model, frame = small_model(), frame_of(n_rows)
    expected = slow_answer(model, method, frame)
    found = getattr(Predictor(model), method)(frame)
    assert found.dtype == expected.dtype
    assert found.reshape(n_rows, -1).tobytes() == expected.tobytes()
    assert found.ndim == (2 if method == "predict_proba" else 1)


def test_every_kind_of_frame_gives_the_same_answer() -> None:
    p, frame = Predictor(small_model()), frame_of(40)
    expected = p.predict_proba(frame)
    ours = ff.DataFrame(frame)
    table = pa.Table.from_pandas(frame)
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    plain = {"size": frame["size"].to_numpy(), "kind": frame["kind"].astype(str).to_numpy(object), "flag": frame["flag"].to_numpy()}
    for data in (ours, ours[["flag", "kind", "size"]], table, chunked, table.to_batches()[0], pl.from_arrow(table), plain):
        assert p.predict_proba(data).tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_and_batches_do_not_change_a_bit(threads: int) -> None:
    p, table = Predictor(small_model()), pa.Table.from_pandas(frame_of(5000))
    with ff.option_context(threads=1):
        whole = p.predict_proba(table)
    with ff.option_context(threads=threads):
        assert p.predict_proba(table).tobytes() == whole.tobytes()
        parts = [p.predict_proba(table.slice(start, 333)) for start in range(0, 5000, 333)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_no_rows() -> None:
    p = Predictor(small_model())
    assert p.predict(frame_of(5).iloc[:0]).shape == (0,)
    assert p.predict_proba(frame_of(5).iloc[:0]).shape == (0, 2)
    assert p.leaf(frame_of(5).iloc[:0]).shape == (0, 2)


def test_leaves_and_stages() -> None:
    model, frame = small_model(), frame_of(50)
    p = Predictor(model)
    leaves, stages = p.leaf(frame), p.staged(frame)
    assert leaves.shape == (50, 2) and stages.shape == (50, 2, 1)
    assert stages[:, -1].tobytes() == p.margin(frame).tobytes()
    forest = model.methods["margin"].forest  # type: ignore[attr-defined]
    first = forest.base[0] + forest.leaf_values[:3, 0][np.searchsorted(forest.leaf_id[:3], leaves[:, 0])]
    assert stages[:, 0, 0].tolist() == first.tolist()
    with pytest.raises(ArgumentError, match="every"):
        p.staged(frame, 0)


def test_methods_that_a_model_does_not_have() -> None:
    p = Predictor(small_model())
    assert p.methods == ("margin", "predict_proba", "predict")
    with pytest.raises(UnsupportedModel, match="no decision_function.*predict_proba"):
        p.decision_function(frame_of(3))
    with pytest.raises(UnsupportedModel, match="no transform"):
        p.transform(frame_of(3))


# ---- one row --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_one_row_is_a_batch_of_one(method: str) -> None:
    p, frame = Predictor(small_model()), frame_of(60)
    answers = np.asarray(p.answer(method, frame))
    for row in range(60):
        values = {"kind": frame["kind"][row], "flag": bool(frame["flag"][row]), "size": float(frame["size"][row]), "more": 1}
        for given in (values, (values["size"], values["kind"], values["flag"]), [np.float64(values["size"]), values["kind"], frame["flag"][row]]):
            found = p.predict_row(given, method)
            assert np.asarray(found).tobytes() == np.asarray(answers[row]).tobytes()


def test_rows_of_other_types_are_taken_where_a_frame_of_them_is() -> None:
    p = Predictor(small_model())
    wanted = p.predict_row({"size": 3.0, "kind": "b", "flag": True}, "margin")
    for size in (3, np.float32(3), np.int8(3)):
        assert p.predict_row({"size": size, "kind": "b", "flag": 1}, "margin") == wanted
    missing = p.predict_row({"size": float("nan"), "kind": None, "flag": True}, "margin")
    assert p.predict_row({"size": None, "kind": "never seen", "flag": True}, "margin") == missing


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"size": 1.0, "kind": "a"}, "no column 'flag'"),
        ({"size": 1.0, "kind": "a", "flag": None}, "1 missing value"),
        ({"size": "1", "kind": "a", "flag": True}, "'size' is string"),
        ({"size": 2**53 + 1, "kind": "a", "flag": True}, "float64 does not have"),
        ({"size": 2**70, "kind": "a", "flag": True}, "no bool, int"),
        ({"size": 1.0, "kind": 3, "flag": True}, "'kind' is int64"),
        ({"size": 1.0, "kind": "a", "flag": 2}, "bool does not have"),
        ({"size": [1.0], "kind": "a", "flag": True}, "no bool, int"),
        ((1.0, "a"), "takes 3"),
        ("abc", "is no row"),
        (3, "is no row"),
    ],
)
def test_rows_that_are_refused(row: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Predictor(small_model()).predict_row(row)


def test_threads_share_a_predictor() -> None:
    p, frame = Predictor(small_model()), frame_of(64)
    expected, rows = p.margin(frame), frame[["size", "kind", "flag"]].to_dict("records")

    def ask(number: int) -> bool:
        if number % 2:
            return p.margin(frame).tobytes() == expected.tobytes()
        return all(p.predict_row(row, "margin") == value for row, value in zip(rows, expected, strict=True))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(64)))


# ---- frames, files --------------------------------------------------------------------------------------------------


def test_answers_as_columns_of_a_frame() -> None:
    p, frame = Predictor(small_model()), ff.DataFrame(frame_of(9))
    out = frame.predict(p, into="score")
    assert list(out.columns) == [*frame.columns, "score"]
    assert out["score"].to_list() == p.predict(frame).tolist()
    both = frame.predict(p, into="is", method="predict_proba")
    assert list(both.columns)[-2:] == ["is_no", "is_yes"]
    assert both["is_yes"].to_numpy().tobytes() == p.predict_proba(frame)[:, 1].tobytes()
    assert list(frame.predict(p, into=["n", "y"], method="predict_proba").columns)[-2:] == ["n", "y"]
    assert list(frame.predict(p, into="size", method="margin").columns) == list(frame.columns)
    with pytest.raises(ArgumentError, match="2 names"):
        frame.predict(p, into=["n"], method="predict_proba")


def test_a_saved_predictor_answers_the_same(tmp_path: Path) -> None:
    p, frame = Predictor(small_model(), "64 rows"), frame_of(70)
    p.save(tmp_path / "small.ffp")
    for again in (ff.load_predictor(tmp_path / "small.ffp"), pickle.loads(pickle.dumps(p))):
        for method in METHODS:
            assert again.answer(method, frame).tobytes() == p.answer(method, frame).tobytes()
        assert again.explain() == p.explain()


def test_a_saved_predictor_answers_without_any_library_of_models(tmp_path: Path) -> None:
    Predictor(small_model()).save(tmp_path / "small.ffp")
    code = (
        "import sys\n"
        "for name in ('sklearn', 'xgboost', 'lightgbm', 'scipy', 'numba'):\n"
        "    sys.modules[name] = None\n"
        "import fastframe as ff\n"
        f"p = ff.load_predictor({str(tmp_path / 'small.ffp')!r})\n"
        "data = {'size': [3.0], 'kind': ['b'], 'flag': [True]}\n"
        "print(p.margin(data)[0], p.predict_row((3.0, 'b', True), 'margin'), p.predict(data)[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    assert done.stdout.split() == ["2.5", "2.5", "yes"]


def test_models_whose_parts_do_not_fit_are_refused_on_load(tmp_path: Path) -> None:
    model = small_model()
    wrong = replace(model, methods={"predict": Decide("above", model.methods["margin"], np.array([1, 2]))})
    Predictor(wrong).save(tmp_path / "fits.ffp")
    assert ff.load_predictor(tmp_path / "fits.ffp").predict(frame_of(2)).shape == (2,)
    object.__setattr__(wrong.methods["predict"], "classes", np.array([1, 2, 3]))
    Predictor(wrong).save(tmp_path / "wrong.ffp")
    with pytest.raises(ModelFileError, match="3 class labels"):
        ff.load_predictor(tmp_path / "wrong.ffp")


def test_explain_says_what_runs() -> None:
    p = Predictor(small_model(), "64 rows, 2 of 2 thresholds")
    text = str(p.explain())
    for part in ("engine: ", "guarantee: exact", "2 trees, 8 nodes", "2 thresholds", "1 category splits", "bytes", "2 steps", "1 encoders",
                 "note: made by hand", "Small of none 1", "self-check: 64 rows"):  # fmt: skip
        assert part in text
    assert p.explain().ns_per_row > 0


# ---- compile --------------------------------------------------------------------------------------------------------


def test_models_that_cannot_be_compiled() -> None:
    model = KNeighborsClassifier(1).fit(pd.DataFrame({"a": [0.0, 1.0, 5.0]}), [0, 0, 1])
    report = ff.can_compile(model)
    assert not report and "KNeighborsClassifier" in report.reasons[0] and "cannot" in repr(report)
    with pytest.raises(UnsupportedModel, match="KNeighborsClassifier"):
        ff.compile(model)
    with pytest.raises(ArgumentError, match="fallback"):
        ff.compile(model, fallback="warn")  # type: ignore[arg-type]


def test_the_native_fallback_is_the_model_and_says_so(tmp_path: Path) -> None:
    x = pd.DataFrame({"a": [0.0, 1.0, 5.0], "b": [1.0, 1.0, 2.0]})
    model = KNeighborsClassifier(1).fit(x, ["l", "l", "r"])
    p = ff.compile(model, fallback="native")
    assert "native: not compiled" in str(p.explain()) and "KNeighborsClassifier" in str(p.explain())
    for data in (x, ff.DataFrame(x[["b", "a"]]), pa.Table.from_pandas(x), {"b": x["b"].to_numpy(), "a": x["a"].to_numpy(), "c": [1, 2, 3]}):
        assert p.predict(data).tolist() == ["l", "l", "r"]
        assert p.predict_proba(data).tobytes() == model.predict_proba(x).tobytes()
    assert p.predict_row({"a": 4.0, "b": 2.0}) == "r"
    assert ff.DataFrame(x).predict(p, into="side")["side"].to_list() == ["l", "l", "r"]
    with pytest.raises(ContractError, match="no column 'b'"):
        p.predict({"a": [1.0]})
    with pytest.raises(UnsupportedModel, match="leaf"):
        p.leaf(x)
    with pytest.raises(ModelFileError, match="not compiled"):
        p.save(tmp_path / "none.ffp")


def test_a_linear_model_end_to_end() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    model = LinearRegression().fit(x, x @ [1.0, 2.0, 3.0] + 1)
    assert ff.can_compile(model).ok
    p = ff.compile(model)
    assert np.allclose(p.predict(x), model.predict(x), rtol=1e-13)
    assert np.allclose([p.predict_row(tuple(row)) for row in x.tolist()], model.predict(x), rtol=1e-13)
    assert "rows" in str(p.explain())
