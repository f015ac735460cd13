"""Small batches from pandas and NumPy take shorter ways in: the answers and the messages are those of larger ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

import fastframe as ff
from fastframe.errors import ContractError, DuplicateColumn
from fastframe.predict import intake, matching

RNG = np.random.default_rng(5)
N = 60
FRAME = pd.DataFrame({
    "a": RNG.normal(size=N), "n": RNG.integers(0, 9, N), "city": RNG.choice(["Oslo", "Rome"], N), "b": RNG.normal(size=N),
    "f": RNG.normal(size=N).astype(np.float32), "m": RNG.integers(0, 9, N), "t": RNG.random(N) < 0.5, "g": RNG.normal(size=N).astype(np.float32),
})  # fmt: skip


def shapes_of(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    apart = pd.DataFrame(index=frame.index)
    for name in reversed(frame.columns):   # a block each, in another order
        apart[name] = frame[name]
    return {"whole": frame, "apart": apart, "one row": frame[3:4], "every other": frame[::2], "no rows": frame[:0], "more": frame.assign(z=1.5, y="y")}


@pytest.mark.parametrize("few", [0, 1 << 14])
@pytest.mark.parametrize("shape", sorted(shapes_of(FRAME)))
def test_pandas_frames_of_several_dtypes(monkeypatch: pytest.MonkeyPatch, shape: str, few: int) -> None:
    monkeypatch.setattr(intake, "_FEW_ROWS", few)
    numbers = [name for name in FRAME if name != "city"]
    model = make_pipeline(make_column_transformer(("passthrough", numbers), (OneHotEncoder(), ["city"])), DecisionTreeRegressor(random_state=0))
    p = ff.compile(model.fit(FRAME, FRAME.a + FRAME.n))
    given = shapes_of(FRAME)[shape]
    expected = model.predict(given) if len(given) else np.empty(0)
    assert p.predict(given).tobytes() == expected.tobytes()


def test_columns_that_occur_twice() -> None:
    p = ff.compile(Ridge().fit(FRAME[["a", "b"]], FRAME.a))
    twice = pd.concat([FRAME[["a", "b"]], FRAME[["b"]]], axis=1)
    with pytest.raises(DuplicateColumn):
        p.predict(twice)


@pytest.mark.parametrize("few", [0, 1 << 12])
@pytest.mark.parametrize("kind", ["pandas", "array", "frame", "dict"])
def test_missing_values_are_counted(monkeypatch: pytest.MonkeyPatch, kind: str, few: int) -> None:
    monkeypatch.setattr(matching, "_FEW_ROWS", few)
    p = ff.compile(Ridge().fit(FRAME[["a", "b"]], FRAME.a))
    gaps = FRAME[["a", "b"]].copy()
    gaps.iloc[[1, 4, 9], 1] = np.nan
    given: dict[str, Any] = {"pandas": gaps, "array": gaps.to_numpy(), "frame": ff.DataFrame(gaps), "dict": {name: gaps[name].to_numpy() for name in gaps}}
    for _ in range(2):   # what is remembered of a frame's columns does not change the message
        with pytest.raises(ContractError, match=r"'(b|x1)'.*3"):
            p.predict(given[kind])
