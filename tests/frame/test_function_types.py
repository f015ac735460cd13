"""What a user's function returns is known, and checked, before any row is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastframe as ff
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import Pending, Returned, compile_runs
from fastframe.dtypes import dtype
from fastframe.engines.cpu import apply, apply_windows, mapped
from fastframe.engines.cpu.apply_compiled import APART_ROWS
from fastframe.errors import FunctionError, JITError

SIZES = [10, APART_ROWS]   # compiled first, and beside the finding of groups


def frame(n_rows: int) -> ff.DataFrame:
    return ff.DataFrame({"k": np.arange(n_rows) % 3, "x": np.arange(float(n_rows)), "t": np.array(["a", "b"])[np.arange(n_rows) % 2]})


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grouping, windows and rows must not be reached."""

    def reached(*_: Any, **__: Any) -> None:
        raise AssertionError("work began before the function was known to fit")

    monkeypatch.setattr(apply, "group_rows", reached)
    monkeypatch.setattr(apply_windows, "positions_of", reached)
    monkeypatch.setattr(mapped, "over_rows", reached, raising=False)


BY_GROUP: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda by: by["x"].agg(lambda x: x.to_json()), JITError, "the lambda cannot be compiled"),
    (lambda by: by["x"].agg(lambda x: x * 2), FunctionError, "agg: the lambda returned an array"),
    (lambda by: by["x"].transform(lambda x: (x.min(), x.max())), FunctionError, "transform: the lambda returned several values"),
    (lambda by: by["x"].agg(lambda x: x.sum(), out="int8"), FunctionError, "the lambda returns float64, but out='int8' was asked for"),
    (lambda by: by["x"].apply(lambda x: {"a": 1, "b": x.sum()}, out={"a": "int64"}), FunctionError,
     r"returns several results \('a', 'b'\), but out= declares 'a'"),
    (lambda by: by["t"].agg(lambda codes, texts: texts[codes[0]]), JITError, "it returns text"),
    (lambda by: by["t"].agg(lambda codes, texts: codes[0], out="bool"), FunctionError, "out='bool' was asked for"),
]
BY_WINDOW: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda of: of.apply(lambda x: x.to_json()), JITError, "the lambda cannot be compiled"),
    (lambda of: of.apply(lambda x: x * 2), FunctionError, "apply over windows: the lambda returned an array"),
    (lambda of: of.apply(lambda x: x.sum(), out="int8"), FunctionError, "the lambda returns float64, but out='int8' was asked for"),
]
BY_ROW: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda df: df.map_rows(lambda x: x.to_json()), JITError, "the lambda cannot be compiled"),
    (lambda df: df.map_rows(lambda x: np.zeros(3)), JITError, "returns an array, where one value per row is needed"),
    (lambda df: df.map_rows(lambda x: x, out="int8"), JITError, "out=int8 cannot hold all values"),
]


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize(("verb", "error", "message"), BY_GROUP)
@pytest.mark.usefixtures("no_work")
def test_groups(n_rows: int, verb: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        verb(frame(n_rows).groupby("k"))


@pytest.mark.parametrize(("verb", "error", "message"), BY_WINDOW)
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.usefixtures("no_work")
def test_windows(grouped: bool, verb: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    df = frame(10)
    with pytest.raises(error, match=message):
        verb(df.groupby("k")["x"].rolling(2) if grouped else df["x"].rolling(2))


@pytest.mark.parametrize(("verb", "error", "message"), BY_ROW)
@pytest.mark.usefixtures("no_work")
def test_rows(verb: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        verb(frame(10))


@pytest.mark.usefixtures("no_work")
def test_what_fits_gets_to_work() -> None:
    for n_rows in SIZES:
        with pytest.raises(AssertionError, match="work began"):
            frame(n_rows).groupby("k")["x"].agg(lambda x: x.sum(), out="float64")


def test_types_are_told_before_machine_code_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastframe._jit import glue

    made, wait = glue._set_environment, threading.Event()

    def late(*given: Any) -> None:
        assert wait.wait(60)
        made(*given)

    monkeypatch.setattr(glue, "_set_environment", late)   # behind LLVM's work
    function = UserFunction.of(lambda x: (x.min(), int(x.max() + 12321)))
    pending = Pending(lambda: compile_runs(function, [dtype("float64")]))
    try:
        returned = pending.returned()
    finally:
        wait.set()
    assert returned.shape == "scalar"
    assert [one.dtype.name for one in returned.results] == ["float64", "int64"]
    kernel = pending.result()
    assert returned == Returned(kernel.results, kernel.shape)
    assert Pending(lambda: kernel).returned() == returned
