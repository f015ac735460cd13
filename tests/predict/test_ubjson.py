"""UBJSON is read as XGBoost writes it, and damaged data is refused without a read out of bounds."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from fastframe.errors.models import ModelError
from fastframe.predict.readers.ubjson import loads


def model_bytes(form: str) -> bytes:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    booster = xgb.train({"max_depth": 2, "verbosity": 0}, xgb.DMatrix(X, X[:, 0]), 2)
    return bytes(booster.save_raw(form))


def plain(value: Any) -> Any:
    """Arrays as lists, float32 numbers as their shortest text."""
    if isinstance(value, np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, np.integer):
        return int(value)
    return np.float32(value) if isinstance(value, float | np.floating) else value


def test_the_same_model_as_json() -> None:
    assert plain(loads(model_bytes("ubj"))) == plain(json.loads(model_bytes("json")))


def test_values() -> None:
    assert loads(b"[i\xffU\xffI\x01\x00l\x00\x00\x00\x07TFZ]") == [-1, 255, 256, 7, True, False, None]
    assert loads(b"[#U\x02SU\x01xd\x3f\x80\x00\x00") == ["x", 1.0]
    typed = loads(b"[$I#U\x02\x00\x01\xff\xff")
    assert typed.dtype == np.int16 and typed.tolist() == [1, -1]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[", b"SU\x05ab", b"SL\xff\xff\xff\xff\xff\xff\xff\xff", b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff", b"[#l\x7f\xff\xff\xff",
     b"[$S#U\x01U\x01a", b"TT", b"q", b"SU\x01\xff", b"[" * 100 + b"]" * 100, b"{SU\x01a"],
)  # fmt: skip
def test_damaged(data: bytes) -> None:
    with pytest.raises(ModelError, match="UBJSON"):
        loads(data)


def test_every_prefix_of_a_model_and_many_mutations() -> None:
    data = model_bytes("ubj")
    for end in range(0, len(data), 97):
        with pytest.raises(ModelError, match="UBJSON"):
            loads(data[:end])
    rng = np.random.default_rng(1)
    for _ in range(60):
        mutated = bytearray(data)
        mutated[int(rng.integers(len(data)))] = int(rng.integers(256))
        with contextlib.suppress(ModelError):   # nothing else may be raised
            loads(mutated)
