"""Fitted models, compiled: `python -m flight_delays.compiled YEAR.parquet` tells what was measured, one line of JSON a model.

Each model learns from the flights before the split, carrier as a category, and predicts all others' probability of being
late: by itself, and compiled by `ff.compile` from the same rows in a fastframe frame. Last, XGBoost and the compiled
model are asked about a carrier that XGBoost never saw.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from xgboost import XGBClassifier

import fastframe as ff
from flight_delays import cores, task
from flight_delays.meter import tell
from flight_delays.training import TREES

COLUMNS = ["carrier", *task.FEATURES]
CALLS = 5           # of all rows; the median counts
ROW_CALLS = 300     # of one row
UNSEEN = "AA"       # a carrier that XGBoost's categories do not have: it sorts before some that they have


def models() -> dict[str, Any]:
    """The models of `training`, with a column of categories."""
    return {
        "HistGradientBoosting": HistGradientBoostingClassifier(
            max_iter=TREES, early_stopping=False, categorical_features="from_dtype", random_state=0),
        "XGBoost": XGBClassifier(n_estimators=TREES, learning_rate=0.1, tree_method="hist", enable_categorical=True,
                                 n_jobs=cores.n_threads(), random_state=0),
    }  # fmt: skip


def seconds(call: Callable[[], Any], calls: int) -> float:
    """Median seconds of ``calls`` calls after a first one."""
    call()
    found = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return median(found)


def compare(name: str, model: Any, known: pd.DataFrame, late: np.ndarray, unseen: pd.DataFrame) -> None:
    """Fit one model, compile it, and tell both sides' times and whether all bits agree."""
    model.fit(known, late)
    start = time.perf_counter()
    predictor = ff.compile(model)
    compiled_in = time.perf_counter() - start
    frame = ff.from_pandas(unseen)
    same = model.predict_proba(unseen).tobytes() == predictor.predict_proba(frame).tobytes()
    first = unseen.iloc[:1]
    row = {column: None if pd.isna(value) else value for column, value in first.iloc[0].items()}
    tell("compiled", model=name, rows=len(unseen), same_bits=same, compile=compiled_in,
         native=seconds(lambda: model.predict_proba(unseen), CALLS), ours=seconds(lambda: predictor.predict_proba(frame), CALLS),
         native_row=seconds(lambda: model.predict_proba(first), ROW_CALLS), our_row=seconds(lambda: predictor.predict_row(row), ROW_CALLS))  # fmt: skip


def ask_about_a_stranger(known: pd.DataFrame, late: np.ndarray, unseen: pd.DataFrame) -> None:
    """Teach XGBoost without one carrier, then ask about it."""
    is_stranger = known["carrier"] == UNSEEN
    taught = known[~is_stranger].assign(carrier=lambda one: one["carrier"].astype(str).astype("category"))
    model = models()["XGBoost"].fit(taught, late[~is_stranger])
    predictor = ff.compile(model)
    strangers = unseen[unseen["carrier"] == UNSEEN].assign(carrier=pd.Categorical([UNSEEN] * int((unseen["carrier"] == UNSEEN).sum())))
    try:
        native, answer = model.predict_proba(strangers)[:, 1], ""
    except ValueError as error:   # XGBoost from 3.3 on
        native, answer = None, str(error).splitlines()[0]
    taken_for = [name for name in taught["carrier"].cat.categories if native is not None and np.array_equal(
        model.predict_proba(strangers.assign(carrier=pd.Categorical([name] * len(strangers), taught["carrier"].cat.categories)))[:, 1], native)]
    try:
        predictor.predict_proba(ff.from_pandas(strangers))
        ours = ""
    except ff.errors.ContractError as error:
        ours = str(error)
    tell("stranger", carrier=UNSEEN, rows=len(strangers), taken_for=taken_for, native_error=answer, ours=ours)


def main(year: Path) -> None:
    ff.options.threads = cores.n_threads()
    flights = pd.read_parquet(year, columns=["day", "late", *COLUMNS])
    flights = flights[flights["late"].notna()].assign(carrier=lambda one: one["carrier"].astype(str).astype("category"))
    before = flights["day"] < task.TEST_FROM
    known, unseen, late = flights.loc[before, COLUMNS], flights.loc[~before, COLUMNS], flights.loc[before, "late"].astype("int8").to_numpy()
    for name, model in models().items():
        tell("start", step=f"{name}, itself and compiled")
        compare(name, model, known, late, unseen)
    tell("start", step="a carrier that nobody knows")
    ask_about_a_stranger(known, late, unseen)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
